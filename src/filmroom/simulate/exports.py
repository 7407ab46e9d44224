"""The truth of a simulated match in other people's formats, from the folder `write_match` leaves.

Everything is read back a batch at a time, so a long match needs no more memory than a short one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.soccernet_jersey import write_jersey_numbers
from filmroom.formats.yolo import format_yolo, write_yolo_zip
from filmroom.pitch import sport_named, surface_named
from filmroom.simulate.camera import Camera
from filmroom.simulate.events import actions, ball_actions, comments
from filmroom.simulate.play import Event, Play
from filmroom.video.decode import read_frames

FloatArray = NDArray[np.float64]

GAME = "simulated/season/2024-01-01 - 12-00 A 0 - 0 B"
"""The folder of a game in SoccerNet's layout."""

_SIDES = {"a": "left", "b": "right"}
_EVERY_SECONDS, _CROP_SECONDS = 1.0, 0.2
"""Calibration and re-identification are taken so often, and crops of jerseys."""
_SHOWN = 0.3
"""People of whom less shows are not cut out."""


def export_truth(folder: Path | str, names: tuple[str, ...], play: Play) -> list[Path]:
    """Write the named formats under `folder/formats`; returns what was made.

    `folder` is one of `write_match`, `play` its play. InputError for a name that is none of FORMATS.
    """
    folder = Path(folder)
    made = []
    for name in checked_formats(names):
        target = folder / "formats" / name
        target.mkdir(parents=True, exist_ok=True)
        FORMATS[name](folder / "truth", target, play)
        made.append(target)
    return made


def checked_formats(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names themselves; InputError for one that is none of FORMATS."""
    for name in names:
        if name not in FORMATS:
            raise InputError(f"no format '{name}'; choose among {', '.join(FORMATS)}")
    return names


# --- reading back ---------------------------------------------------------------------------------


def _people(truth: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Frames with their rows, in order."""
    frame = 0
    rows: list[dict[str, Any]] = []
    for batch in pq.ParquetFile(truth / "people.parquet").iter_batches(batch_size=4096):
        for row in batch.to_pylist():
            if row["frame"] != frame:
                yield frame, rows
                frame, rows = row["frame"], []
            rows.append(row)
    if rows:
        yield frame, rows


def _facts(truth: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((truth / "simulation.json").read_text(encoding="utf-8"))
    return content


def _cut_box(row: dict[str, Any], width: int, height: int) -> tuple[float, float, float, float]:
    left, top = max(row["x"], 0.0), max(row["y"], 0.0)
    right, low = min(row["x"] + row["w"], width), min(row["y"] + row["h"], height)
    return left, top, right - left, low - top


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


# --- SoccerNet ------------------------------------------------------------------------------------


def _write_tracking(truth: Path, target: Path, play: Play) -> None:
    """SoccerNet tracking: whole pixels cut at the border, ten columns, `gameinfo.ini`."""
    settings = _facts(truth)["settings"]
    rows: dict[int, list[str]] = {}
    for frame, people in _people(truth):
        for row in people:
            if row["role"] in ("other", "hoop"):
                continue
            box = _cut_box(row, settings["width"], settings["height"])
            cells = ",".join(str(round(value)) for value in box)
            rows.setdefault(row["track"], []).append(f"{frame + 1},{row['track']},{cells},1,-1,-1,-1\n")
    sequence = target / "SNMOT-001"
    (sequence / "gt").mkdir(parents=True, exist_ok=True)
    text = "".join(line for track in sorted(rows) for line in rows[track])
    (sequence / "gt" / "gt.txt").write_text(text, encoding="ascii")
    (sequence / "seqinfo.ini").write_text(
        (truth / "seqinfo.ini").read_text(encoding="ascii").replace("name=truth", "name=SNMOT-001"),
        encoding="ascii",
    )
    lines = ["[Sequence]", "name=SNMOT-001", f"num_tracklets={len(rows)}"]
    for track in sorted(rows):
        lines.append(f"trackletID_{track}= {_tracklet(play, track)}")
    (sequence / "gameinfo.ini").write_text("\n".join(lines) + "\n", encoding="ascii")


def _tracklet(play: Play, track: int) -> str:
    if track > len(play.cast):
        return "ball;1"
    role, number = play.cast.roles[track - 1], play.cast.numbers[track - 1]
    if role == "referee":
        return "referee;main"
    words = "goalkeepers team" if role == "goalkeeper" else "player team"
    return f"{words} {('left', 'right')[int(play.cast.teams[track - 1])]};{number or 'A'}"


_CATEGORY = {"player": 1, "goalkeeper": 2, "referee": 3, "ball": 4, "other": 7}


def _write_gamestate(truth: Path, target: Path, play: Play) -> None:
    """SoccerNet game state: boxes, places on the pitch, role, team, number."""
    settings = _facts(truth)["settings"]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for frame, people in _people(truth):
        image = f"1001{frame + 1:06d}"
        images.append(
            {
                "image_id": image,
                "file_name": f"{frame + 1:06d}.jpg",
                "height": settings["height"],
                "width": settings["width"],
                "is_labeled": True,
                "has_labeled_person": True,
                "has_labeled_pitch": True,
                "has_labeled_camera": True,
            }
        )
        for row in people:
            if row["role"] == "hoop":
                continue
            x, y, w, h = _cut_box(row, settings["width"], settings["height"])
            player = row["role"] in ("player", "goalkeeper")
            annotations.append(
                {
                    "id": f"{image}{len(annotations):04d}",
                    "image_id": image,
                    "track_id": row["track"],
                    "supercategory": "object",
                    "category_id": _CATEGORY[row["role"]],
                    "attributes": {
                        "role": row["role"],
                        "jersey": row["number"] if row["role"] == "player" else None,
                        "team": _SIDES.get(row["team"] or "") if player else None,
                    },
                    "bbox_image": {
                        "x": x, "y": y, "w": w, "h": h, "x_center": x + w / 2, "y_center": y + h / 2,
                    },
                    "bbox_pitch": {
                        f"{axis}_bottom_{part}": row[f"position_{axis}"]
                        for part in ("left", "right", "middle")
                        for axis in "xy"
                    },
                }
            )  # fmt: skip
    _write(
        target / "SNGS-001" / "Labels-GameState.json",
        {
            "info": {"version": "1.3", "name": "SNGS-001", "frame_rate": settings["fps"]},
            "images": images,
            "annotations": annotations,
            "categories": [{"id": value, "name": name} for name, value in _CATEGORY.items()],
        },
    )


def _write_calibration(truth: Path, target: Path, play: Play) -> None:
    """SoccerNet calibration: every line of the surface that shows, a picture a second."""
    facts = _facts(truth)
    settings = facts["settings"]
    width, height = settings["width"], settings["height"]
    surface = surface_named(sport_named(settings["sport"]), facts["surface"]["name"])
    every = max(1, round(_EVERY_SECONDS * settings["fps"]))
    curves = surface.curves()
    for row in pq.read_table(truth / "cameras.parquet").to_pylist():
        if row["frame"] % every:
            continue
        camera = camera_of_row(row, width, height)
        lines = {}
        for name, points in curves.items():
            pixels, depth = camera.project(points)
            inside = (depth > 1.0) & (pixels >= 0).all(axis=1) & (pixels <= (width, height)).all(axis=1)
            shown = pixels[inside] / (width, height)
            if len(shown) > 1:
                step = max(1, len(shown) // 10)
                lines[name] = [{"x": float(x), "y": float(y)} for x, y in shown[::step]]
        _write(target / f"{row['frame']:05d}.json", lines)


def camera_of_row(row: dict[str, Any], width: int, height: int) -> Camera:
    """The camera of a row of cameras.parquet."""
    return Camera(
        (row["position_x"], row["position_y"], row["position_z"]),
        row["pan"],
        row["tilt"],
        row["roll"],
        row["focal"],
        width,
        height,
        row["k1"],
        (row["slip_x"], row["slip_y"]),
    )


def _clock(frame: int, fps: float, half: int = 1) -> dict[str, str]:
    seconds = frame / fps
    return {
        "gameTime": f"{half} - {int(seconds) // 60:02d}:{int(seconds) % 60:02d}",
        "position": str(round(1000 * seconds)),
    }


def _write_labels(
    truth: Path, path: Path, found: list[Event], fps: float, names: tuple[str, str, str]
) -> None:
    """A label file; what happens while a replay is on the air is `not shown`."""
    replays = [
        (row["first_frame"], row["last_frame"])
        for row in pq.read_table(truth / "shots.parquet").to_pylist()
        if row["kind"] == "replay"
    ]
    frames = pq.ParquetFile(truth / "cameras.parquet").metadata.num_rows
    rows = [
        {
            **_clock(event.frame, fps),
            "label": event.label,
            "team": names[event.team],
            "visibility": "not shown"
            if any(first <= event.frame <= last for first, last in replays)
            else "visible",
        }
        for event in found
        if event.frame < frames
    ]
    content = {"UrlLocal": GAME, "annotations": rows, "gameHomeTeam": "a", "gameAwayTeam": "b"}
    _write(path, content)


def _write_spotting(truth: Path, target: Path, play: Play) -> None:
    names = ("home", "away", "not applicable")
    _write_labels(truth, target / GAME / "Labels-v2.json", actions(play), play.fps, names)


def _write_ball(truth: Path, target: Path, play: Play) -> None:
    names = ("left", "right", "not applicable")
    _write_labels(truth, target / GAME / "Labels-ball.json", ball_actions(play), play.fps, names)


def _write_captions(truth: Path, target: Path, play: Play) -> None:
    rows = [
        {
            **_clock(hidden.frame, play.fps),
            "label": hidden.label,
            "description": named.text,
            "anonymized": hidden.text,
            "important": str(hidden.label == "soccer-ball").lower(),
            "visibility": True,
        }
        for hidden, named in zip(comments(play), comments(play, anonymous=False), strict=True)
    ]
    _write(target / GAME / "Labels-caption.json", {"UrlLocal": GAME, "annotations": rows})


_Crops = dict[int, list[tuple[dict[str, Any], Path]]]


def _cut_crops(truth: Path, wanted: _Crops) -> None:
    """Cut rows of people out of the film beside the truth: frame to (row, file to write)."""
    if not wanted:
        return
    for index, frame in enumerate(read_frames(truth.parent / "video.mp4")):
        height, width = frame.pixels.shape[:2]
        for row, path in wanted.get(index, ()):
            x, y, w, h = _cut_box(row, width, height)
            left, top = math.floor(x), math.floor(y)
            crop = frame.pixels[
                top : max(top + 1, math.ceil(y + h)), left : max(left + 1, math.ceil(x + w))
            ]
            path.parent.mkdir(parents=True, exist_ok=True)
            _, coded = cv2.imencode(path.suffix, crop[:, :, ::-1])
            path.write_bytes(coded.tobytes())
        if index >= max(wanted):
            return


def _write_jersey(truth: Path, target: Path, play: Play) -> None:
    """SoccerNet jersey numbers: the number of every track that can be read in some frame, else -1.

    `images/TRACK/TRACK_N.jpg` are five crops a second of each track, N counting its frames.
    """
    numbers: dict[str, int | None] = {}
    crops: _Crops = {}
    every = max(1, round(_CROP_SECONDS * play.fps))
    for frame, people in _people(truth):
        for row in people:
            if row["role"] in ("player", "goalkeeper"):
                key = str(row["track"])
                numbers.setdefault(key, None)
                if row["readable"]:
                    numbers[key] = int(row["number"])
                if frame % every == 0 and row["visible"] >= _SHOWN:
                    path = target / "images" / key / f"{key}_{frame // every}.jpg"
                    crops.setdefault(frame, []).append((row, path))
    _cut_crops(truth, crops)
    write_jersey_numbers(target / "gt.json", numbers)


def _write_reid(truth: Path, target: Path, play: Play) -> None:
    """SoccerNet re-identification: one crop a second of each person, the first of an action queries.

    An action is the stretch of one shot. Crops are `query/` and `gallery/` files with the data set's
    own names: box, action, person, frame, class, number, action identifier, height x width.
    """
    shots = pq.read_table(truth / "cameras.parquet", columns=["frame", "shot"]).to_pylist()
    shot_of = {row["frame"]: row["shot"] for row in shots}
    every = max(1, round(_EVERY_SECONDS * play.fps))
    content: dict[str, dict[str, Any]] = {"query": {}, "gallery": {}}
    asked: set[tuple[int, int]] = set()
    crops: _Crops = {}
    for frame, people in _people(truth):
        if frame % every:
            continue
        for row in people:
            if row["role"] not in ("player", "goalkeeper", "referee") or row["visible"] < _SHOWN:
                continue
            action, person = shot_of[frame], row["track"]
            part = "gallery" if (action, person) in asked else "query"
            asked.add((action, person))
            index = len(content[part])
            content[part][str(index)] = {
                "bbox_idx": index,
                "action_idx": action,
                "person_uid": person,
                "frame_idx": frame,
                "clazz": row["role"],
                "x": row["x"], "y": row["y"], "w": row["w"], "h": row["h"],
            }  # fmt: skip
            size = f"{round(row['h'])}x{round(row['w'])}"
            words = (index, action, person, frame, row["role"], row["number"] or "None")
            name = "-".join(str(word) for word in (*words, f"{action:03d}r000", size))
            crops.setdefault(frame, []).append((row, target / part / f"{name}.png"))
    _cut_crops(truth, crops)
    _write(target / "bbox_info.json", content)


_YOLO_NAMES = ("player", "goalkeeper", "referee", "ball", "hoop")


def _write_yolo(truth: Path, target: Path, play: Play) -> None:
    settings = _facts(truth)["settings"]
    pictures = {}
    for frame, people in _people(truth):
        shown = [row for row in people if row["role"] in _YOLO_NAMES]
        boxes = np.array([[row[side] for side in "xywh"] for row in shown], dtype=float).reshape(-1, 4)
        classes = [_YOLO_NAMES.index(row["role"]) for row in shown]
        pictures[f"{frame + 1:06d}"] = format_yolo(
            classes, boxes, settings["width"], settings["height"]
        )
    write_yolo_zip(target / "yolo.zip", pictures, list(_YOLO_NAMES))


FORMATS: dict[str, Callable[[Path, Path, Play], None]] = {
    "soccernet-tracking": _write_tracking,
    "soccernet-gamestate": _write_gamestate,
    "soccernet-calibration": _write_calibration,
    "soccernet-spotting": _write_spotting,
    "soccernet-ball": _write_ball,
    "soccernet-captions": _write_captions,
    "soccernet-jersey": _write_jersey,
    "soccernet-reid": _write_reid,
    "yolo": _write_yolo,
}
"""What can be written beside MOTChallenge and COCO, which always are."""
