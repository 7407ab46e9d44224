"""The ball's path through candidates: found, filled, and absent where it is not seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from filmroom.tables import DETECTIONS, MOTION, SHOTS, TRACKS
from filmroom.track.ball import track_ball


def candidates(rows: list[tuple[int, float, float, float]]) -> pa.Table:
    """Ball DETECTIONS 10 pixels wide from (frame, centre x, centre y, score)."""
    table = np.array(sorted(rows), float).reshape(-1, 4)
    frame = table[:, 0].astype(int)
    return DETECTIONS.build(
        {
            "frame": frame,
            "detection": np.arange(len(frame)) - np.searchsorted(frame, frame),
            "x": table[:, 1] - 5,
            "y": table[:, 2] - 5,
            "w": np.full(len(frame), 10.0),
            "h": np.full(len(frame), 10.0),
            "score": table[:, 3],
            "kind": np.full(len(frame), "ball"),
            "kind_score": np.ones(len(frame)),
        }
    )


def follow(
    rows: list[tuple[int, float, float, float]], frames: int = 100, shots=None
) -> dict[int, tuple]:
    tracks = track_ball(
        candidates(rows),
        TRACKS.empty(),
        MOTION.empty(),
        SHOTS.empty() if shots is None else shots,
        frames=np.arange(frames),
        fps=25.0,
        picture=(1920, 1080),
        track=7,
    )
    assert set(tracks["track"].to_pylist()) <= {7}
    assert set(tracks["role"].to_pylist()) <= {"ball"}
    return {row["frame"]: (row["x"] + 5, row["y"] + 5, row["detection"]) for row in tracks.to_pylist()}


def roll(frame: int) -> tuple[float, float]:
    return 300.0 + 9 * frame, 500.0 + 2 * frame


def test_a_rolling_ball_is_followed_through_clutter() -> None:
    random = np.random.default_rng(5)
    rows = [(frame, *roll(frame), 0.5) for frame in range(100)]
    rows += [(frame, *random.uniform(0, 1000, 2), 0.3) for frame in range(100) for _ in range(4)]
    path = follow(rows)
    off = [np.hypot(path[frame][0] - roll(frame)[0], path[frame][1] - roll(frame)[1]) for frame in path]
    assert len(path) > 95
    assert np.mean(np.array(off) < 10) > 0.97


def test_a_short_gap_is_filled_on_the_way_and_said_to_be() -> None:
    path = follow([(frame, *roll(frame), 0.7) for frame in range(100) if not 50 <= frame < 60])
    assert path[55][:2] == pytest.approx(roll(55), abs=4)
    assert path[55][2] is None
    assert path[45][2] is not None


def test_a_long_absence_stays_absent() -> None:
    path = follow([(frame, *roll(frame), 0.7) for frame in range(100) if not 30 <= frame < 70])
    assert not set(path) & set(range(30, 70))
    assert {10, 90} <= set(path)


def test_a_spot_on_the_pitch_is_not_the_ball() -> None:
    rows = [(frame, 1500.0, 800.0, 0.65) for frame in range(250)]
    rows += [(frame, *roll(frame), 0.6) for frame in range(100, 150)]
    path = follow(rows, 250)
    assert path[125][:2] == pytest.approx(roll(125), abs=6)
    assert sum(abs(x - 1500) < 10 for x, _, _ in path.values()) < 25


def test_the_ball_does_not_leap_over_the_pitch_for_one_frame() -> None:
    rows = [(frame, *roll(frame), 0.6) for frame in range(60) if frame != 30] + [
        (30, 1800.0, 100.0, 0.9)
    ]
    path = follow(rows, 60)
    assert path[30][:2] == pytest.approx(roll(30), abs=6)


def test_no_path_runs_across_a_cut() -> None:
    shots = SHOTS.build(
        {
            "shot": [0, 1],
            "first_frame": [0, 50],
            "last_frame": [49, 99],
            "kind": ["main"] * 2,
            "score": [1.0] * 2,
        }
    )
    path = follow([(f, *roll(f), 0.7) for f in range(100) if not 45 <= f < 55], shots=shots)
    assert not set(path) & set(range(45, 55))


def test_no_candidates_no_ball() -> None:
    assert follow([]) == {}
