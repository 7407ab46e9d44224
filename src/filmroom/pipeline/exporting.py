"""Finished runs in the formats of others: tables, training sets, submissions to benchmarks.

A submission holds every sequence of its benchmark, so several runs may go into one. What a run cannot
know is told, never made up.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow.csv

from filmroom.errors import InputError
from filmroom.formats.footpass import ACTION_CLASSES, PlayerActions, footpass_submission
from filmroom.formats.mot import TrackRows, format_mot_tracks, mot_submission
from filmroom.formats.soccernet_jersey import jersey_submission
from filmroom.formats.soccernet_spotting import ACTIONS, BALL_ACTIONS, spotting_submission
from filmroom.formats.yolo import format_yolo, yolo_set
from filmroom.pipeline.game import Game, load, mot_rows
from filmroom.pipeline.run_folder import RunFolder
from filmroom.tables import boxes_of

_FOOTPASS_RATE = 25


@dataclass(frozen=True)
class NamedGame:
    """A run and what its sequence or game is called in the other format."""

    name: str
    game: Game


@dataclass(frozen=True)
class Exported:
    """The bytes of a file, and what was left out of it and why."""

    content: bytes
    notes: tuple[str, ...] = ()


Exporter = Callable[[Sequence[NamedGame]], Exported]


def export(
    folders: Path | Sequence[Path], format_name: str, output: Path, names: Sequence[str] = ()
) -> tuple[str, ...]:
    """Write finished runs as one file; what was left out is returned, a sentence a reason.

    `names` are those of the sequences or games, in the order of the folders; by default those of the
    videos. Raises InputError: an unknown format (the message lists them), one that needs what a run
    does not hold, several runs for a format of one, two of the same name.
    """
    if format_name in NOT_IN_A_RUN:
        raise InputError(f"format {format_name}: a run holds no {NOT_IN_A_RUN[format_name]}")
    if format_name not in EXPORTS:
        known = ", ".join((*EXPORTS, *NOT_IN_A_RUN))
        raise InputError(f"no format {format_name!r}; choose one of {known}")
    every = [folders] if isinstance(folders, Path) else list(folders)
    if names and len(names) != len(every):
        raise InputError(f"{len(names)} names for {len(every)} runs; give --name once for each run")
    games = [load(folder) for folder in every]
    called = names or [Path(game.record.video_name).stem for game in games]
    repeated = {name for name in called if list(called).count(name) > 1}
    if repeated:
        raise InputError(
            f"two runs are called {min(repeated)!r}; tell them apart with --name, once for each run"
        )
    pairs = [NamedGame(name, game) for name, game in zip(called, games, strict=True)]
    exported = EXPORTS[format_name](pairs)
    RunFolder(output.parent).write_bytes(output.name, exported.content)
    return exported.notes


def _only(games: Sequence[NamedGame]) -> Game:
    if len(games) != 1:
        raise InputError(f"this format holds one run, not {len(games)}; export them one by one")
    return games[0].game


def _mot(games: Sequence[NamedGame]) -> Exported:
    return Exported(format_mot_tracks(mot_rows(_only(games).tracks.arrow)).encode("ascii"))


def _csv(games: Sequence[NamedGame]) -> Exported:
    sink = io.BytesIO()
    pyarrow.csv.write_csv(_only(games).tracks.arrow, sink)
    return Exported(sink.getvalue())


def _coco(games: Sequence[NamedGame]) -> Exported:
    """COCO annotations: an image a frame (id = frame), person and ball, `track_id` beside the usual."""
    game = _only(games)
    table, video = game.tracks.arrow, game.record.video
    rows = zip(
        table["frame"].to_pylist(),
        table["track"].to_pylist(),
        [role == "ball" for role in table["role"].to_pylist()],
        boxes_of(table).tolist(),
        table["score"].to_pylist(),
        strict=True,
    )
    content = {
        "images": [
            {"id": frame, "file_name": f"{frame:06d}.jpg", "width": video.width, "height": video.height}
            for frame in sorted(set(table["frame"].to_pylist()))
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "ball"}],
        "annotations": [
            {
                "id": number,
                "image_id": frame,
                "track_id": track,
                "category_id": 2 if ball else 1,
                "bbox": [round(value, 2) for value in box],
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
                "score": round(score, 4),
            }
            for number, (frame, track, ball, box, score) in enumerate(rows, 1)
        ],
    }
    return Exported(json.dumps(content).encode())


def _yolo(games: Sequence[NamedGame]) -> Exported:
    """A text a frame, named `NAME_000000.txt` after the frame; class 0 person, 1 ball."""
    pictures: dict[str, str] = {}
    for each in games:
        table, video = each.game.tracks.arrow, each.game.record.video
        frames, boxes = table["frame"].to_numpy(), boxes_of(table)
        kinds = np.array([int(role == "ball") for role in table["role"].to_pylist()], dtype=np.int64)
        for frame in np.unique(frames).tolist():
            mine = frames == frame
            text = format_yolo(kinds[mine], boxes[mine], video.width, video.height)
            pictures[f"{each.name}_{frame:06d}"] = text
    return Exported(yolo_set(pictures, ["person", "ball"]))


def _track_submission(
    games: Sequence[NamedGame], roles: tuple[str, ...] | None, folder: str
) -> Exported:
    """`NAME.txt` a run; of the roles only those given."""
    sequences: dict[str, TrackRows] = {}
    notes: list[str] = []
    for each in games:
        if each.game.record.sample is not None:
            raise InputError(
                f"{each.name}: the run looked at a frame every {each.game.record.sample:g} s, a "
                "submission needs all; run again without --sample"
            )
        table = each.game.tracks.arrow
        rows = mot_rows(table)
        if roles is not None:
            keep = np.isin(np.array(table["role"].to_pylist(), dtype=object), roles)
            rows = rows.select(keep)
            if not keep.all():
                notes.append(
                    f"{each.name}: {int((~keep).sum())} boxes left out: not {' or '.join(roles)}"
                )
        sequences[each.name] = rows
    return Exported(mot_submission(sequences, folder), tuple(notes))


def _soccernet_tracking(games: Sequence[NamedGame]) -> Exported:
    return _track_submission(games, None, "")


def _sportsmot(games: Sequence[NamedGame]) -> Exported:
    """SportsMOT follows players only."""
    return _track_submission(games, ("player", "goalkeeper"), "")


def _dancetrack(games: Sequence[NamedGame]) -> Exported:
    return _track_submission(games, ("player", "goalkeeper", "referee", "other"), "tracker")


def _soccernet_jersey(games: Sequence[NamedGame]) -> Exported:
    """The number of every player's track by the track's number, -1 where none was read."""
    players = _only(games).players.arrow.to_pylist()
    numbers = {
        str(row["track"]): None if row["number"] is None else int(row["number"])
        for row in players
        if row["role"] in ("player", "goalkeeper")
    }
    return Exported(jersey_submission(numbers))


def _events(each: NamedGame) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = each.game.events.arrow.to_pylist()
    if not rows:
        raise InputError(f"{each.name}: the run holds no events; nothing to submit")
    return rows


def _game_and_half(each: NamedGame) -> tuple[str, int]:
    """The game's path and the half its video shows, by a name like `LEAGUE/SEASON/GAME/1_720p`.

    Without a half in the name that of the video is asked, and a video without one is a first half.
    """
    *folders, last = PurePosixPath(each.name).parts
    for word in (last, each.game.record.video_name):
        found = re.match(r"([12])(_|$)", PurePosixPath(word).stem)
        if found:
            game = "/".join(folders) if word == last and folders else each.name
            return game, int(found[1])
    return each.name, 1


def _spotting(
    games: Sequence[NamedGame], labels: tuple[str, ...], halves: bool, sides: bool
) -> Exported:
    events: dict[str, list[Mapping[str, object]]] = {}
    notes: list[str] = []
    for each in games:
        game, half = _game_and_half(each) if halves else (each.name, 1)
        rows = _events(each)
        known = [row for row in rows if row["label"] in labels]
        if len(known) < len(rows):
            notes.append(f"{each.name}: {len(rows) - len(known)} events left out: not of the benchmark")
        if sides and any(row["team"] not in ("left", "right") for row in known):
            raise InputError(f"{each.name}: the run does not say which team plays on the left")
        events.setdefault(game, []).extend(
            {
                "half": half,
                "seconds": row["time"],
                "label": row["label"],
                "confidence": 1.0 if row["score"] is None else row["score"],
                "team": row["team"] if sides else None,
            }
            for row in known
        )
    return Exported(spotting_submission(events), tuple(notes))


def _soccernet_spotting(games: Sequence[NamedGame]) -> Exported:
    return _spotting(games, ACTIONS, True, False)


def _soccernet_ball(games: Sequence[NamedGame]) -> Exported:
    return _spotting(games, BALL_ACTIONS, False, False)


def _soccernet_team_ball(games: Sequence[NamedGame]) -> Exported:
    return _spotting(games, BALL_ACTIONS, False, True)


def _footpass(games: Sequence[NamedGame]) -> Exported:
    """Actions of players whose team and number are known; keys are the names (game_18_H1)."""
    halves: dict[str, PlayerActions] = {}
    notes: list[str] = []
    for each in games:
        events = _events(each)
        people = {row["track"]: row for row in each.game.players.arrow.to_pylist()}
        rows, scores = [], []
        for event in events:
            person = people.get(event["track"])
            label = str(event["label"])
            if person is None or person["number"] is None or label not in ACTION_CLASSES:
                continue
            if person["team"] not in ("a", "b"):
                continue
            frame = round(float(str(event["time"])) * _FOOTPASS_RATE)
            team = int(person["team"] == "b")
            rows.append((frame, team, int(person["number"]), 1 + ACTION_CLASSES.index(label)))
            scores.append(1.0 if event["score"] is None else float(str(event["score"])))
        if len(rows) < len(events):
            notes.append(
                f"{each.name}: {len(events) - len(rows)} events left out: no player with team and "
                "number, or no action of the benchmark"
            )
        extra = np.column_stack([np.array(scores), np.full(len(scores), np.nan)])
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        halves[each.name] = PlayerActions(table, extra.reshape(-1, 2))
    return Exported(footpass_submission(halves), tuple(notes))


EXPORTS: Mapping[str, Exporter] = {
    "mot": _mot,
    "coco": _coco,
    "yolo": _yolo,
    "csv": _csv,
    "soccernet-tracking": _soccernet_tracking,
    "sportsmot": _sportsmot,
    "dancetrack": _dancetrack,
    "soccernet-jersey": _soccernet_jersey,
    "soccernet-spotting": _soccernet_spotting,
    "soccernet-ball": _soccernet_ball,
    "soccernet-team-ball": _soccernet_team_ball,
    "footpass": _footpass,
}

NOT_IN_A_RUN: Mapping[str, str] = {
    "soccernet-gamestate": "positions on the pitch in metres",
    "soccernet-calibration": "cameras",
    "soccernet-captions": "captions",
    "soccernet-reid": "rankings of the benchmark's own crops",
}
"""Formats of tasks whose results no run holds, and what is missing; `formats` can write them."""
