"""A ball that lies still is dead, one that moves is in play, one that is not seen is neither."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filmroom.tables import MOTION, SHOTS, TRACKS
from filmroom.track.ball_in_play import ball_in_play

FRAMES = 200


def tracks(frames: np.ndarray, x: np.ndarray, size: tuple[float, float], role: str) -> pa.Table:
    return TRACKS.build(
        {
            "frame": frames,
            "track": np.full(len(frames), 1 if role == "ball" else 2),
            "x": x - size[0] / 2,
            "y": np.full(len(frames), 500.0),
            "w": np.full(len(frames), size[0]),
            "h": np.full(len(frames), size[1]),
            "score": np.ones(len(frames)),
            "role": [role] * len(frames),
            "visible": np.ones(len(frames)),
        }
    )


def told(x: np.ndarray, seen: np.ndarray | None = None, pan: float = 0.0, **more) -> list[bool | None]:
    """Whether the ball, at `x` of the pitch, is in play, seen by a camera that pans."""
    every = np.arange(FRAMES)
    shown = every if seen is None else np.flatnonzero(seen)
    matrix = [1.0, 0, -pan, 0, 1, 0, 0, 0, 1]
    motion = MOTION.build(
        {
            "frame": every,
            "matrix": pa.array([None] + [matrix] * (FRAMES - 1), MOTION.schema.field("matrix").type),
            "inliers": np.ones(FRAMES),
        }
    )
    return ball_in_play(
        tracks(shown, (x - pan * every)[shown], (10, 10), "ball"),
        tracks(every, np.full(FRAMES, 900.0), (30, 80), "player"),
        motion,
        more.get("shots", SHOTS.empty()),
        frames=every,
        fps=25.0,
    ).to_pylist()


ROLLS = np.concatenate([np.arange(80) * 8.0, np.full(70, 640.0), 640 + np.arange(50) * 8.0])


def test_a_ball_at_rest_is_dead_until_it_moves_again() -> None:
    play = told(ROLLS)
    assert all(play[:75])
    assert not any(play[85:145])
    assert all(play[155:])


def test_the_camera_does_not_move_the_ball() -> None:
    assert told(ROLLS, pan=6.0) == told(ROLLS)
    assert not any(told(np.full(FRAMES, 300.0), pan=6.0))


def test_a_short_rest_is_play() -> None:
    assert all(
        told(np.concatenate([np.arange(90) * 8.0, np.full(20, 720.0), 720 + np.arange(90) * 8.0]))
    )


def test_a_ball_hidden_between_two_rests_on_a_spot_is_dead() -> None:
    seen = np.ones(FRAMES, bool)
    seen[90:140] = False
    assert not any(told(ROLLS, seen)[85:145])


def test_a_ball_long_out_of_sight_is_unknown() -> None:
    seen = np.ones(FRAMES, bool)
    seen[20:75] = False
    play = told(ROLLS, seen)
    assert play[20:75] == [None] * 55
    assert all(play[:20])


def test_nothing_is_told_across_a_cut() -> None:
    shots = SHOTS.build(
        {
            "shot": [0, 1],
            "first_frame": [0, 110],
            "last_frame": [109, FRAMES - 1],
            "kind": ["main"] * 2,
            "score": [1.0] * 2,
        }
    )
    resting = np.full(FRAMES, 300.0)
    seen = np.ones(FRAMES, bool)
    seen[:90] = seen[130:] = False
    assert told(resting, seen).count(False) == 40
    assert told(resting, seen, shots=shots).count(False) == 0


def test_no_ball_tells_nothing() -> None:
    assert told(ROLLS, np.zeros(FRAMES, bool)) == [None] * FRAMES
