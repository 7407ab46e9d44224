"""Camera motion from boxes alone: what the boxes of a frame have in common in how they moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_ROUNDS = 2
_PRIOR = 1.5  # boxes' worth of belief that the camera goes on as before
_ZOOM_PRIOR = 4.0  # likewise that it does not zoom,
_ZOOM_LEVER = 300.0  # at this many pixels from the middle


def motion_of_boxes(start: Matrix, end: Matrix, tolerance: Matrix, before: Matrix) -> Matrix:
    """Camera motion (dx, dy, zoom, 0) shape (3,) that most of the boxes followed.

    `start` and `end` (N, 2) are where each was and is, `tolerance` (N,) the pixels by which a person
    moves by itself, `before` the motion of the previous frame. A point p goes to
    p + (dx, dy) + zoom * (p - mean of start). Solved by iteratively reweighted least squares with
    Cauchy weights, so that those who run alone do not pull it.
    """
    count = len(start)
    if not count:
        return before.copy()
    moved = end - start
    middle = start.sum(axis=0) / count
    arm = start - middle
    zoom = float(before[2])
    expected = before[:2] + zoom * middle
    shift = np.sort(moved, axis=0)[count // 2] if count > 2 else expected
    reach = (arm * arm).sum(axis=1)
    for _ in range(_ROUNDS):
        left = moved - shift - zoom * arm
        weight = 1.0 / (1.0 + (left * left).sum(axis=1) / (tolerance * tolerance))
        shift = (weight @ (moved - zoom * arm) + _PRIOR * expected) / (weight.sum() + _PRIOR)
        lever = float(weight @ reach) + _ZOOM_PRIOR * _ZOOM_LEVER**2
        zoom = float(weight @ (arm * (moved - shift)).sum(axis=1)) / lever
    return np.array([shift[0] - zoom * middle[0], shift[1] - zoom * middle[1], zoom])
