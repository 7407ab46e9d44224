"""Cuts are found to the frame, grass to grass too; flashes, pans, passers-by and graphics are none."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from filmroom import tables
from filmroom.observe.shots import ShotDetector, name_shots


def _ground(seed: int, width: int = 900, height: int = 300) -> np.ndarray:
    """A wide pitch: stands above, mown grass below, some players; different for each seed."""
    dice = np.random.default_rng(seed)
    picture = np.full((height, width), 110.0)
    stands = int(dice.integers(40, 110))
    crowd = cv2.resize(
        dice.uniform(30, 220, (stands // 8 + 1, width // 8)),
        (width, stands),
        interpolation=cv2.INTER_CUBIC,
    )
    picture[:stands] = crowd
    stripe = int(dice.integers(50, 90))
    picture[stands:] += 14 * ((np.arange(width) // stripe) % 2)[None]
    for _ in range(60):
        x, y = int(dice.integers(0, width)), int(dice.integers(stands, height - 20))
        picture[y : y + 16, x : x + 6] = dice.choice([30, 220])
    return np.clip(picture + dice.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def _shot(seed: int, frames: int, speed: float = 3.0) -> list[np.ndarray]:
    ground = _ground(seed)
    lefts = [int(20 + speed * index) for index in range(frames)]
    return [ground[20:200, left : left + 320] for left in lefts]


def _cuts(pictures: list[np.ndarray], inliers: list[float] | None = None) -> list[int]:
    detector = ShotDetector()
    for index, picture in enumerate(pictures):
        detector.update(index, picture, None if inliers is None else inliers[index])
    shots = detector.finish()
    assert shots["first_frame"].to_pylist()[1:] == detector.cuts
    return detector.cuts


def test_grass_to_grass_cuts_are_found_to_the_frame() -> None:
    lengths = [30, 25, 14, 40, 33]
    pictures = [picture for seed, length in enumerate(lengths) for picture in _shot(seed, length)]
    assert _cuts(pictures) == np.cumsum(lengths)[:-1].tolist()


def test_colour_pictures_do_as_well() -> None:
    pictures = [np.repeat(picture[..., None], 3, axis=2) for picture in _shot(1, 20) + _shot(2, 20)]
    assert _cuts(pictures) == [20]


def test_a_cut_just_before_the_end_is_found() -> None:
    assert _cuts(_shot(1, 30) + _shot(2, 3)) == [30]


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    pictures = _shot(3, 40)
    for index in range(18, 18 + length):
        pictures[index] = np.clip(pictures[index].astype(int) + 120, 0, 255).astype(np.uint8)
    assert _cuts(pictures) == []


def test_a_fast_pan_is_no_cut() -> None:
    assert _cuts(_shot(4, 40, speed=14)) == []


def test_a_graphic_that_appears_is_no_cut() -> None:
    pictures = [picture.copy() for picture in _shot(5, 40)]
    for picture in pictures[20:]:
        picture[140:175, 40:280] = 235
    assert _cuts(pictures) == []


def test_a_passer_by_is_no_cut() -> None:
    pictures = [picture.copy() for picture in _shot(6, 40)]
    for index, picture in enumerate(pictures[12:28]):
        left = 30 * index - 80
        picture[40:, max(left, 0) : left + 110] = 15
    assert _cuts(pictures) == []


def test_a_still_black_picture_has_no_cut() -> None:
    assert _cuts([np.zeros((90, 160), np.uint8)] * 30) == []


def test_shots_cover_all_frames_looked_at() -> None:
    detector = ShotDetector()
    for index, picture in enumerate(_shot(1, 20) + _shot(2, 20)):
        detector.update(3 * index, picture)
    shots = detector.finish().to_pylist()
    assert [(shot["first_frame"], shot["last_frame"]) for shot in shots] == [(0, 59), (60, 117)]


def test_no_frames_no_shots() -> None:
    assert ShotDetector().finish().num_rows == 0


def _people(frames: range, heights: list[float]) -> list[dict[str, Any]]:
    return [
        {
            "frame": frame,
            "detection": row,
            "x": 0.0,
            "y": 0.0,
            "w": 10.0,
            "h": height,
            "score": 0.9,
            "kind": "person",
            "kind_score": 0.9,
        }
        for frame in frames
        for row, height in enumerate(heights)
    ]


def test_kinds_follow_the_people_seen() -> None:
    shots = tables.SHOTS.build(
        {
            "shot": [0, 1, 2],
            "first_frame": [0, 10, 20],
            "last_frame": [9, 19, 29],
            "kind": ["other"] * 3,
            "score": [0.0] * 3,
        }
    )
    rows = _people(range(10), [70.0] * 12) + _people(range(10, 20), [600.0, 300.0])
    detections = tables.DETECTIONS.build({name: [row[name] for row in rows] for name in rows[0]})
    named = name_shots(shots, detections, picture_height=720)
    assert named["kind"].to_pylist() == ["main", "close", "other"]
    scores = named["score"].to_pylist()
    assert min(scores[:2]) >= 0.5
    assert scores[2] < 0.5
