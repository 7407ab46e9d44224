"""Tracking detections that lie in files: MOTChallenge and COCO in, MOTChallenge out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.mot import TrackRows, read_mot, write_mot_tracks
from filmroom.tables import DETECTIONS, MOTION, SHOTS, boxes_of
from filmroom.track.offline import track_people
from filmroom.track.presets import preset
from filmroom.track.tracker import Tracker

Observe = Callable[[pa.Table], tuple[pa.Table, pa.Table, NDArray[np.int64], float]]

_USUAL_RATE = 25.0


@dataclass(frozen=True)
class Tracked:
    """What was done with one sequence."""

    sequence: str
    frames: int
    boxes: int
    tracks: int


def track_files(
    detections: Path, output: Path, *, preset_name: str | None = None, observe: Observe | None = None
) -> list[Tracked]:
    """Track every sequence of a file, folder or zip of detections.

    `detections` is a MOT det file, a folder or zip of `SEQ/det/det.txt` (or `SEQ.txt`), or a COCO
    result list (`.json`). One file in gives one file `output`; several give `output/SEQ.txt`. Without
    `preset_name` the whole clip is seen at once (`track_people`); with one, that online tracker runs.
    `observe` looks at the video of the detections: MOTION, SHOTS, frames, frames a second.
    InputError where nothing can be read; tracking of a sequence does not depend on the others.
    """
    detections, output = Path(detections), Path(output)
    settings = None if preset_name is None else preset(preset_name)
    sequences = (
        {detections.stem: read_coco_results(detections)}
        if detections.suffix == ".json"
        else read_mot(detections, "detections")
    )
    single = detections.is_file() and len(sequences) == 1 and output.suffix != ""
    if observe is not None and len(sequences) > 1:
        raise InputError(f"{detections}: {len(sequences)} sequences but one video; give one det file")
    if not single:
        if output.is_file():
            raise InputError(f"{output}: is a file; give a folder for {len(sequences)} sequences")
        output.mkdir(parents=True, exist_ok=True)
    done = []
    for name, rows in sequences.items():
        if settings is not None:
            tracks = track_online(rows, Tracker(settings), observe)
        else:
            tracks = track_rows(rows, observe)
        write_mot_tracks(output if single else output / f"{name}.txt", tracks)
        done.append(Tracked(name, frames_of(rows), len(tracks), len(np.unique(tracks.ids))))
    return done


def track_rows(
    rows: TrackRows, observe: Observe | None = None, *, most_people: int | None = None
) -> TrackRows:
    """Detections in, tracks out, the whole clip at once; ids already there are not looked at.

    `most_people` are the most that are ever on the pitch, where that is known. InputError where there
    are detections after the end of the video that `observe` looks at.
    """
    table = detections_of(rows)
    if observe is not None:
        motion, shots, frames, fps = _observed(rows, table, observe)
    else:
        motion, shots, frames = MOTION.empty(), SHOTS.empty(), np.arange(frames_of(rows))
        fps = rows.frame_rate or _USUAL_RATE
    tracks = track_people(
        table,
        motion,
        shots,
        frames=frames,
        fps=fps,
        picture=picture_of(rows),
        most_people=most_people,
    )
    return TrackRows.of(
        tracks["frame"].to_numpy(),
        tracks["track"].to_numpy(),
        boxes_of(tracks),
        scores=tracks["score"].to_numpy(),
        length=rows.length,
    )


def track_online(rows: TrackRows, tracker: Tracker, observe: Observe | None = None) -> TrackRows:
    """Detections through an online tracker, frame by frame; what it leaves untracked is left out.

    With `observe` it is given the camera's motion and told of cuts. InputError as in `track_rows`.
    """
    count, motions, cuts = frames_of(rows), None, None
    if observe is not None:
        motion, shots, frames, _ = _observed(rows, detections_of(rows), observe)
        count = int(frames.max(initial=-1)) + 1
        motions = matrices_of(motion, count)
        cuts = np.isin(np.arange(count), shots["first_frame"].to_numpy()[1:])
    scores = _usable_scores(rows.scores)
    ids = tracker.follow(rows.boxes, scores, rows.frames, count, motions, cuts=cuts)
    order = np.argsort(rows.frames, kind="stable")
    kept = order[ids[order] > 0]
    return replace(rows.select(kept), ids=ids[kept], scores=scores[kept])


def frames_of(rows: TrackRows) -> int:
    """How many frames the sequence has, as far as it is known."""
    return rows.length or (int(rows.frames.max()) + 1 if len(rows) else 0)


def _observed(
    rows: TrackRows, table: pa.Table, observe: Observe
) -> tuple[pa.Table, pa.Table, NDArray[np.int64], float]:
    motion, shots, frames, fps = observe(table)
    last, end = int(rows.frames.max(initial=-1)), int(frames.max(initial=-1))
    if last > end:
        raise InputError(
            f"{rows.source or 'the detections'}: a box in frame {last + 1}, but the video ends with"
            f" frame {end + 1}; give the video that they are of"
        )
    return motion, shots, frames, fps


def matrices_of(motion: pa.Table, count: int) -> list[NDArray[np.float64] | None]:
    """The camera's motion into each frame, None where it is not known."""
    known = dict(zip(motion["frame"].to_pylist(), motion["matrix"].to_pylist(), strict=True))
    return [
        None if known.get(frame) is None else np.reshape(known[frame], (3, 3)) for frame in range(count)
    ]


def detections_of(rows: TrackRows) -> pa.Table:
    """MOT rows as a DETECTIONS table of people."""
    order = np.argsort(rows.frames, kind="stable")
    frame = rows.frames[order]
    number = np.arange(len(frame)) - np.searchsorted(frame, frame)
    boxes = rows.boxes[order]
    return DETECTIONS.build(
        {
            "frame": frame,
            "detection": number,
            **{name: boxes[:, column] for column, name in enumerate("xywh")},
            "score": _usable_scores(rows.scores)[order],
            "kind": np.full(len(frame), "person"),
            "kind_score": np.ones(len(frame)),
        }
    )


def picture_of(rows: TrackRows) -> tuple[int, int]:
    """A picture size that holds the boxes: files of detections do not say it."""
    if not len(rows):
        return 1, 1
    furthest = (rows.boxes[:, :2] + rows.boxes[:, 2:]).max(axis=0)
    common = ((1280, 720), (1920, 1080), (3840, 2160))
    for width, height in common:
        # Boxes may stick out of the picture by a part of their own size.
        if furthest[0] <= width * 1.05 and furthest[1] <= height * 1.05:
            return width, height
    return int(np.ceil(furthest[0])), int(np.ceil(furthest[1]))


def _usable_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in 0..1: some files have none (-1), some have per cent."""
    if not len(scores):
        return scores
    if (scores < 0).all():
        return np.ones(len(scores))
    scale = 100.0 if scores.max() > 1.0 else 1.0
    return np.asarray(np.clip(scores / scale, 0.0, 1.0))


def read_coco_results(path: Path) -> TrackRows:
    """A COCO result list as rows: frames from `frame`, or the number in `file_name`, or `image_id`.

    Only people are taken where entries name a `category`. InputError names the entry that is wrong.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not JSON; give a COCO result list") from error
    if not isinstance(content, list):
        raise InputError(f"{path}: is not a list; give a COCO result list (boxes with scores)")
    rows = [
        _coco_entry(entry, index, path)
        for index, entry in enumerate(content)
        if not (isinstance(entry, dict) and entry.get("category", "person") not in ("person", "player"))
    ]
    table = np.array(rows, dtype=float).reshape(-1, 6)
    count = len(table)
    return TrackRows.of(
        table[:, 0], np.full(count, -1), table[:, 1:5], scores=table[:, 5], source=str(path)
    )


def _coco_entry(entry: Any, index: int, path: Path) -> tuple[float, ...]:
    try:
        x, y, w, h = (float(value) for value in entry["bbox"])
        score = float(entry.get("score", 1.0))
        frame = _coco_frame(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: entry {index} lacks a bbox of four numbers or a frame, file_name or image_id"
        ) from error
    if not np.isfinite([x, y, w, h, score]).all() or w < 0 or h < 0 or frame < 0:
        raise InputError(f"{path}: entry {index} has a negative size or a number that is none")
    return frame, x, y, w, h, score


def _coco_frame(entry: dict[str, Any]) -> int:
    if "frame" in entry:
        return int(entry["frame"])
    if "file_name" in entry:
        digits = re.findall(r"\d+", Path(str(entry["file_name"])).stem)
        return int(digits[-1])
    return int(entry["image_id"])
