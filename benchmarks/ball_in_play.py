"""Whether the ball is in play, found from its path alone, in simulated matches.

    python benchmarks/ball_in_play.py [--half report|tune] [--matches N]

True boxes of ball and people of three minutes by the main camera, its motion known, soccer; the ball is
taken away in 20 % of the frames, in runs of 2 to 24. Truth: dead from where the ball
goes out, or the whistle, to the kick that puts it into play. Thresholds were chosen on the `tune`
matches; `report` are other seeds.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.simulate.boxes import boxes_of
from filmroom.simulate.scene import Match, make_match
from filmroom.simulate.settings import Settings
from filmroom.tables import MOTION, SHOTS, TRACKS
from filmroom.track.ball_in_play import ball_in_play

SECONDS = 180.0
FIRST_SEED = {"tune": 4000, "report": 4100}
STOPS = ("OUT", "FOUL", "OFFSIDE", "GOAL", "HAND BALL")
STARTS = (
    "THROW IN",
    "FREE KICK",
    "INDIRECT FREE KICK",
    "PENALTY",
    "GOAL KICK",
    "KICK OFF",
    "CORNER KICK",
)


def dead_frames(match: Match) -> NDArray[np.bool_]:
    """(F,) from every stop to the restart after it."""
    dead = np.zeros(len(match), bool)
    since = -1
    for event in sorted(match.play.events, key=lambda event: event.frame):
        if event.label in STOPS and since < 0:
            since = event.frame
        if event.label in STARTS and since >= 0:
            dead[since : event.frame] = True
            since = -1
    if since >= 0:
        dead[since:] = True
    return dead


def motion_of(match: Match) -> pa.Table:
    """How the grass moves in the picture from frame to frame."""
    matrices: list[list[float] | None] = [None]
    before = _grass(match, 0)
    for frame in range(1, len(match)):
        now = _grass(match, frame)
        matrices.append((now @ np.linalg.inv(before)).ravel().tolist())
        before = now
    return MOTION.build(
        {
            "frame": np.arange(len(match)),
            "matrix": pa.array(matrices, MOTION.schema.field("matrix").type),
            "inliers": np.ones(len(match)),
        }
    )


def _grass(match: Match, frame: int) -> NDArray[np.float64]:
    """Homography from metres on the grass to pixels."""
    camera = match.camera_of(frame)
    points = np.array([[0.0, 0.0, 0.0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    pixels, _ = camera.project(points)
    rows = []
    for (x, y, _), (u, v) in zip(points, pixels, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    return np.asarray(np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3))


def tables_of(match: Match, seed: int) -> tuple[pa.Table, pa.Table]:
    """TRACKS of the ball, lost at times, and of the people."""
    rows = boxes_of(match)
    random = np.random.default_rng(seed)
    is_ball = rows.ids == match.play.cast.ball_track
    lost = np.zeros(len(match), bool)
    while lost.mean() < 0.2:
        start = int(random.integers(0, len(match)))
        lost[start : start + int(random.integers(2, 25))] = True
    tables = []
    for mine, role in ((is_ball & ~lost[rows.frames], "ball"), (~is_ball, "player")):
        boxes = rows.boxes[mine]
        tables.append(
            TRACKS.build(
                {
                    "frame": rows.frames[mine],
                    "track": rows.ids[mine],
                    **{name: boxes[:, column] for column, name in enumerate("xywh")},
                    "score": np.ones(len(boxes)),
                    "role": [role] * len(boxes),
                    "visible": np.ones(len(boxes)),
                }
            )
        )
    return tables[0], tables[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--half", choices=("report", "tune"), default="report")
    parser.add_argument("--matches", type=int, default=4)
    options = parser.parse_args()
    sums = np.zeros(5, np.int64)
    for index in range(options.matches):
        seed = FIRST_SEED[options.half] + index
        match = make_match(Settings(seconds=SECONDS, seed=seed, width=1920, height=1080))
        ball, people = tables_of(match, seed)
        found = ball_in_play(
            ball,
            people,
            motion_of(match),
            SHOTS.empty(),
            frames=np.arange(len(match)),
            fps=25.0,
        )
        known = np.asarray(found.is_valid())
        called = known & ~np.asarray(found.fill_null(True))
        dead = dead_frames(match)
        right = called & dead
        sums += [len(match), known.sum(), (dead & known).sum(), called.sum(), right.sum()]
        print(
            f"seed {seed}: dead {dead.mean():.2f} of the time, known {known.mean():.2f},"
            f" called dead {called.mean():.2f}, right {right.sum() / max(called.sum(), 1):.2f}",
            flush=True,
        )
    frames, known_sum, dead_sum, called_sum, right_sum = sums.tolist()
    wrong = called_sum + dead_sum - 2 * right_sum
    print(
        f"{options.half}: known {known_sum / frames:.3f} of the frames; of those right"
        f" {1 - wrong / max(known_sum, 1):.3f}; dead: precision {right_sum / max(called_sum, 1):.3f},"
        f" recall {right_sum / max(dead_sum, 1):.3f}"
    )


if __name__ == "__main__":
    main()
