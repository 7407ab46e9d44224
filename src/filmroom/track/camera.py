"""Camera motion from boxes alone: what the boxes of a frame have in common in how they moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_ROUNDS = 2
_PRIOR = 1.5  # boxes' worth of belief that the camera goes on as before
_ZOOM_PRIOR = 4.0  # likewise that it does not zoom,
_ZOOM_LEVER = 300.0  # at this many pixels from the middle


class CameraStep(NamedTuple):
    """A point p goes to p + (across, down) + zoom * p, in pixels, from one frame to the next."""

    across: float
    down: float
    zoom: float


STILL = CameraStep(0.0, 0.0, 0.0)


def motion_of_boxes(start: Matrix, end: Matrix, tolerance: Matrix, before: CameraStep) -> CameraStep:
    """The camera's step that most of the boxes followed.

    `start` and `end` (2, N) are where each was and is, `tolerance` (N,) the pixels by which a person
    moves by itself, `before` the step of the previous frame. Solved by iteratively reweighted least
    squares with Cauchy weights, so that those who run alone do not pull it.
    """
    count = start.shape[1]
    if not count:
        return before
    # All that the rounds need are weighted sums of these rows: the last is tolerance^2.
    rows = np.ones((9, count))
    moved, arm = rows[0:2], rows[2:4]
    np.subtract(end, start, out=moved)
    middle = start.dot(rows[7])
    middle /= count
    np.subtract(start, middle[:, None], out=arm)
    squares = (rows[:4] * rows[:4]).reshape(2, 2, count)
    np.add(squares[:, 0], squares[:, 1], out=rows[4:6])  # |moved|^2, |arm|^2
    along = moved * arm
    np.add(along[0], along[1], out=rows[6])
    np.multiply(tolerance, tolerance, out=rows[8])
    weighted = rows[:8] * rows[8]
    zoom = before.zoom
    middle_x, middle_y = middle.tolist()
    expected_x, expected_y = before.across + zoom * middle_x, before.down + zoom * middle_y
    x, y = expected_x, expected_y
    if count > 2:
        x, y = np.sort(moved, axis=1)[:, count // 2].tolist()
    for _ in range(_ROUNDS):
        # |moved - shift - zoom * arm|^2, multiplied out, and tolerance^2.
        terms = (
            -2 * x,
            -2 * y,
            2 * zoom * x,
            2 * zoom * y,
            1.0,
            zoom * zoom,
            -2 * zoom,
            x * x + y * y,
            1.0,
        )
        weight = np.dot(terms, rows)
        np.reciprocal(weight, out=weight)
        moved_x, moved_y, arm_x, arm_y, _, reach, spread, total = weighted.dot(weight).tolist()
        x = (moved_x - zoom * arm_x + _PRIOR * expected_x) / (total + _PRIOR)
        y = (moved_y - zoom * arm_y + _PRIOR * expected_y) / (total + _PRIOR)
        zoom = (spread - x * arm_x - y * arm_y) / (reach + _ZOOM_PRIOR * _ZOOM_LEVER**2)
    return CameraStep(x - zoom * middle_x, y - zoom * middle_y, zoom)
