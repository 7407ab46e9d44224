"""A tiny match: green ground, two people and a ball that move to the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from filmroom import tables
from filmroom.geometry.masks import encode_rle
from filmroom.video.encode import Writer

WIDTH, HEIGHT, FRAMES = 320, 180, 12


class Scene(NamedTuple):
    video: Path
    tracks: pa.Table
    players: pa.Table
    masks: pa.Table
    motion: pa.Table


def _tables() -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
    rows: list[dict[str, Any]] = []
    masks: list[dict[str, Any]] = []
    for frame in range(FRAMES):
        for track, (x, y, w, h, role) in enumerate(
            [
                (60, 60, 20, 50, "player"),
                (200, 70, 22, 54, "goalkeeper"),
                (130, 40, 16, 44, "referee"),
                (150, 120, 5, 5, "ball"),
            ],
            start=1,
        ):
            left = float(x + 3 * frame)
            rows.append(
                {
                    "frame": frame,
                    "track": track,
                    "x": left,
                    "y": float(y),
                    "w": float(w),
                    "h": float(h),
                    "score": 0.9,
                    "role": role,
                    "visible": 1.0,
                    "detection": track - 1,
                }
            )
            if role != "ball":
                masks.append(
                    {
                        "frame": frame,
                        "detection": track - 1,
                        "rle": encode_rle(np.ones((h, w), bool)),
                        "width": w,
                        "height": h,
                        "score": 0.9,
                    }
                )
    players = {
        "track": [1, 2, 3, 4],
        "role": ["player", "goalkeeper", "referee", "ball"],
        "first_frame": [0] * 4,
        "last_frame": [FRAMES - 1] * 4,
        "team": ["a", "b", "none", None],
        "number": ["10", None, None, None],
        "name": ["Müller", None, None, None],
    }
    still = pa.array([None] + [list(np.eye(3).ravel())] * (FRAMES - 1), pa.list_(pa.float64(), 9))
    motion = {"frame": list(range(FRAMES)), "matrix": still}
    return (
        tables.TRACKS.build(_columns(rows)),
        tables.PLAYERS.build(players),
        tables.MASKS.build(_columns(masks)),
        tables.MOTION.build(motion),
    )


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The video of the match, its tables and a camera that stands still."""
    video = tmp_path_factory.mktemp("scene") / "match.mp4"
    tracks, players, masks, motion = _tables()
    with Writer(video, WIDTH, HEIGHT, 25, quality="good") as writer:
        for frame in range(FRAMES):
            picture = np.full((HEIGHT, WIDTH, 3), (60, 130, 60), np.uint8)
            for x, y, w, h in tables.boxes_of(tracks)[frame * 4 : frame * 4 + 4].astype(int):
                picture[y : y + h, x : x + w] = (90, 90, 90)
            writer.write(picture, frame / 25)
    return Scene(video, tracks, players, masks, motion)
