"""SoccerNet's labels and submissions of action, ball action and team ball action spotting.

Labels: `LEAGUE/SEASON/GAME/Labels-v2.json` (or `Labels-ball.json`); submissions:
`LEAGUE/SEASON/GAME/results_spotting.json`, in a folder or a zip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack

ACTIONS = (
    "Penalty", "Kick-off", "Goal", "Substitution", "Offside", "Shots on target", "Shots off target",
    "Clearance", "Ball out of play", "Throw-in", "Foul", "Indirect free-kick", "Direct free-kick",
    "Corner", "Yellow card", "Red card", "Yellow->red card",
)  # fmt: skip
"""The 17 classes of SoccerNet-v2 in their official order."""

BALL_ACTIONS = (
    "PASS", "DRIVE", "HEADER", "HIGH PASS", "OUT", "CROSS", "THROW IN", "SHOT", "BALL PLAYER BLOCK",
    "PLAYER SUCCESSFUL TACKLE", "FREE KICK", "GOAL",
)  # fmt: skip
"""The 12 classes of ball action spotting (2024, 2025); the first two are those of 2023."""


@dataclass(frozen=True)
class GameEvents:
    """Events of one game, in the order of the file.

    `halves` (N,); `seconds` (N,) from the start of the half's video; `labels`, `teams` N words, teams
    None where not given; `shown` (N,) True unless the truth says "not shown"; `confidences` (N,), 1 in
    the truth.
    """

    source: str
    halves: NDArray[np.int64]
    seconds: NDArray[np.float64]
    labels: tuple[str, ...]
    teams: tuple[str | None, ...]
    shown: NDArray[np.bool_]
    confidences: NDArray[np.float64]


class _Annotation(msgspec.Struct):
    gameTime: str  # noqa: N815
    label: str
    position: int | str | None = None
    team: str | None = None
    visibility: str | None = None


class _Labels(msgspec.Struct):
    annotations: list[_Annotation]


class _Prediction(msgspec.Struct):
    label: str
    position: int | str
    half: int | str
    confidence: float | str
    team: str | None = None


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]


def read_spotting_truth(path: Path | str) -> dict[str, GameEvents]:
    """All label files under a path by game, the path of their folder.

    Raises InputError naming file, entry and reason: no label files, wrong types, times that do not
    read.
    """
    games: dict[str, GameEvents] = {}
    with Archive(path) as archive:
        for game, name in _by_game(archive, "Labels", "label files (Labels-*.json)").items():
            rows = archive.read_json(name, _Labels).annotations
            source = archive.source(name)
            times = [_label_time(row, f"{source}: annotations[{i}]") for i, row in enumerate(rows)]
            games[game] = GameEvents(
                source,
                np.array([half for half, _ in times], dtype=np.int64),
                np.array([seconds for _, seconds in times], dtype=float),
                tuple(row.label for row in rows),
                tuple(row.team for row in rows),
                np.array([row.visibility != "not shown" for row in rows], dtype=bool),
                np.ones(len(rows)),
            )
    return games


def read_spotting_results(path: Path | str) -> dict[str, GameEvents]:
    """All submission files under a path by game, the path of their folder.

    Raises InputError naming file, entry and reason: no files, wrong types, positions or confidences
    that are no numbers.
    """
    games: dict[str, GameEvents] = {}
    with Archive(path) as archive:
        for game, name in _by_game(archive, "", "results (results_spotting.json)").items():
            rows = archive.read_json(name, _Predictions).predictions
            source = archive.source(name)
            halves, seconds, confidences = _plain(rows) or _checked(rows, source)
            games[game] = GameEvents(
                source,
                halves,
                seconds,
                tuple([row.label for row in rows]),
                tuple([row.team for row in rows]),
                np.ones(len(rows), dtype=bool),
                confidences,
            )
    return games


def pair_games(
    truth: Mapping[str, GameEvents], results: Mapping[str, GameEvents]
) -> tuple[list[tuple[str, GameEvents, GameEvents]], list[str]]:
    """Name, truth and results of every game, and the names of results without truth.

    Games are the same if their paths, or the last folders of them, are; a single game on both sides is
    paired whatever its name. InputError where a game has no results.
    """
    if len(truth) == 1 and len(results) == 1:
        name = next(iter(truth))
        return [(name, truth[name], next(iter(results.values())))], []
    by_name = dict(results)
    for path, events in results.items():
        by_name.setdefault(PurePosixPath(path).name, events)
    pairs, missing, used = [], [], set()
    for path, events in truth.items():
        found = by_name.get(path) or by_name.get(PurePosixPath(path).name)
        if found is None:
            missing.append(path)
            continue
        used.add(found.source)
        pairs.append((path, events, found))
    if missing:
        raise InputError(f"results are missing for {len(missing)} of {len(truth)} games: {missing[0]}")
    return pairs, [path for path, events in results.items() if events.source not in used]


def write_spotting_results(
    path: Path | str, games: Mapping[str, Sequence[Mapping[str, object]]]
) -> None:
    """A submission: see spotting_submission."""
    Path(path).write_bytes(spotting_submission(games))


def spotting_submission(games: Mapping[str, Sequence[Mapping[str, object]]]) -> bytes:
    """A zip with `GAME/results_spotting.json` for every game.

    Each event is a mapping with `half` (1 or 2), `seconds`, `label`, `confidence` and, for team ball
    actions, `team` (left or right).
    """
    files: dict[str, bytes | str] = {}
    for game in sorted(games):
        rows = []
        for event in games[game]:
            milliseconds = round(float(str(event["seconds"])) * 1000)
            minutes, seconds = divmod(milliseconds // 1000, 60)
            row: dict[str, object] = {
                "gameTime": f"{event['half']} - {minutes}:{seconds:02d}",
                "label": event["label"],
                "position": str(milliseconds),
                "half": str(event["half"]),
                "confidence": str(event["confidence"]),
            }
            if event.get("team") is not None:
                row["team"] = event["team"]
            rows.append(row)
        content = msgspec.json.encode({"UrlLocal": game, "predictions": rows})
        files[f"{game}/results_spotting.json"] = content
    return pack(files)


def _by_game(archive: Archive, prefix: str, word: str) -> dict[str, str]:
    names = [name for name in archive.names if name.endswith(".json")]
    chosen = [name for name in names if PurePosixPath(name).name.startswith(prefix)] or names
    exact = [name for name in chosen if PurePosixPath(name).name == "results_spotting.json"]
    if not prefix and exact:
        chosen = exact
    games: dict[str, str] = {}
    for name in chosen:
        game = str(PurePosixPath(name).parent)
        if game in games:
            raise InputError(f"{archive.path}: two files for one game: {games[game]} and {name}")
        games[game] = name
    if not games:
        raise InputError(f"{archive.path}: no {word} found")
    return games


_Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""Halves, seconds and confidences of predictions."""


def _plain(rows: list[_Prediction]) -> _Columns | None:
    """The columns where every figure is as it should be, read at once; None where one is not."""
    try:
        halves = np.array([int(row.half) for row in rows], dtype=np.int64)
        milliseconds = np.array([int(row.position) for row in rows], dtype=np.int64)
        confidences = np.array([float(row.confidence) for row in rows], dtype=float)
    except (ValueError, OverflowError):
        return None
    usual = (halves >= 0) & (halves <= _MOST_HALVES) & np.isfinite(confidences)
    usual &= (milliseconds >= 0) & (milliseconds <= _LONGEST)
    return (halves, milliseconds / 1000, confidences) if usual.all() else None


def _checked(rows: list[_Prediction], source: str) -> _Columns:
    """The columns read one by one; InputError naming the first figure that is wrong."""
    halves, seconds, confidences = [], [], []
    for index, row in enumerate(rows):
        place = f"{source}: predictions[{index}]"
        seconds.append(_milliseconds(row.position, place) / 1000)
        halves.append(_half(row.half, place))
        confidences.append(_confidence(row.confidence, place))
    return np.array(halves, dtype=np.int64), np.array(seconds), np.array(confidences)


def _label_time(row: _Annotation, place: str) -> tuple[int, float]:
    """Half and seconds: by the position, or `gameTime` to the second where there is none."""
    half = _half(row.gameTime[:1], place)
    if row.position is not None:
        return half, _milliseconds(row.position, place) / 1000
    clock = row.gameTime[-5:].strip().split(":")
    try:
        minutes, seconds = (int(each) for each in clock)
    except ValueError:
        raise InputError(f"{place}: gameTime {row.gameTime!r} is not like '1 - 12:34'") from None
    return half, float(60 * minutes + seconds)


_LONGEST = 1 << 40


def _milliseconds(value: int | str, place: str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise InputError(f"{place}: position {value!r} is not whole milliseconds") from None
    if number < 0:
        raise InputError(f"{place}: position {number} is before the start")
    if number > _LONGEST:
        raise InputError(f"{place}: position {number} is not in milliseconds of a match")
    return number


_MOST_HALVES = 9


def _half(value: int | str, place: str) -> int:
    try:
        half = int(value)
    except ValueError:
        half = -1
    if not 0 <= half <= _MOST_HALVES:
        raise InputError(f"{place}: half {value!r} is not a number like 1 or 2") from None
    return half


def _confidence(value: float | str, place: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"{place}: confidence {value!r} is not a number")
    return number
