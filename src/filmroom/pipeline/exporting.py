"""A finished run in the formats of others."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv

from filmroom.errors import InputError
from filmroom.formats.mot import format_mot_tracks
from filmroom.pipeline.game import Game, load, mot_rows
from filmroom.pipeline.run_folder import RunFolder
from filmroom.tables import boxes_of


def _mot(game: Game) -> bytes:
    return format_mot_tracks(mot_rows(game.tracks.arrow)).encode("ascii")


def _soccernet_tracking(game: Game) -> bytes:
    """The submission zip of the SoccerNet tracking challenge: `SEQUENCE.txt` at its top."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date keeps the bytes the same from run to run.
        entry = zipfile.ZipInfo(f"{Path(game.record.video_name).stem}.txt", (1980, 1, 1, 0, 0, 0))
        archive.writestr(entry, _mot(game))
    return packed.getvalue()


def _csv(game: Game) -> bytes:
    sink = io.BytesIO()
    pyarrow.csv.write_csv(game.tracks.arrow, sink)
    return sink.getvalue()


def _coco(game: Game) -> bytes:
    """COCO annotations: an image a frame (id = frame), person and ball, `track_id` beside the usual."""
    table, video = game.tracks.arrow, game.record.video
    frames = sorted(set(table["frame"].to_pylist()))
    is_ball = [role == "ball" for role in table["role"].to_pylist()]
    rows = zip(
        table["frame"].to_pylist(),
        table["track"].to_pylist(),
        is_ball,
        boxes_of(table).tolist(),
        table["score"].to_pylist(),
        strict=True,
    )
    content = {
        "images": [
            {"id": frame, "file_name": f"{frame:06d}.jpg", "width": video.width, "height": video.height}
            for frame in frames
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
    return json.dumps(content).encode()


EXPORTS: dict[str, Callable[[Game], bytes]] = {
    "mot": _mot,
    "soccernet-tracking": _soccernet_tracking,
    "csv": _csv,
    "coco": _coco,
}


def export(folder: Path, format_name: str, output: Path) -> None:
    """Write a finished run as one file; InputError lists the formats there are."""
    if format_name not in EXPORTS:
        raise InputError(f"no format {format_name!r}; choose one of {', '.join(EXPORTS)}")
    content = EXPORTS[format_name](load(folder))
    RunFolder(output.parent).write_bytes(output.name, content)
