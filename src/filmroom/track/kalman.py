"""Constant-speed Kalman filters of many boxes at once, in closed form: a filter for each number.

`form` and `speed` (4, T) are the boxes' four numbers and how they change a frame, `variance`
(3, 4, T) that of the number, of both, and of its speed. All are changed in place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

STATE_ROWS = 20  # of form, speed and variance together


def spread(variance: Matrix, added: Matrix) -> None:
    """Variances a frame on; `added` (2, 4, T) or (2, 4, 1) is the noise of numbers and speeds."""
    position, cross, rate = variance
    position += cross
    cross += rate
    position += cross
    variance[::2] += added


def take_in(
    form: Matrix,
    speed: Matrix,
    variance: Matrix,
    seen: Matrix,
    doubt: Matrix,
    hit: Matrix | None = None,
) -> None:
    """What was seen (4, T), with variances `doubt`; only those with a `hit` of 1 take it in."""
    position, cross, rate = variance
    gain = variance[:2] / (position + doubt)
    if hit is not None:
        gain *= hit
    step = gain * (seen - form)
    form += step[0]
    speed += step[1]
    rate -= gain[1] * cross
    variance[:2] -= gain[0] * variance[:2]


def as_area(boxes: Matrix) -> Matrix:
    """Centre, area and aspect (width / height) of boxes (4, N) given as centre, width and height."""
    form = boxes.copy()
    np.multiply(boxes[2], boxes[3], out=form[2])
    np.divide(boxes[2], boxes[3], out=form[3])
    return form


def as_sides(form: Matrix) -> Matrix:
    """The reverse of `as_area`."""
    boxes = form.copy()
    np.sqrt(form[2] * form[3], out=boxes[2])
    np.divide(form[2], boxes[2], out=boxes[3])
    return boxes


def go_on(form: Matrix, speed: Matrix, *, by_area: bool) -> None:
    """A frame on; an area that would shrink to nothing stays as it is instead."""
    if by_area:
        speed[2, form[2] + speed[2] <= 0] = 0.0
    form += speed


def replay_absence(
    state: Matrix,
    last: Matrix,
    seen: Matrix,
    frames: Ints,
    added: Matrix,
    doubt: Matrix,
    *,
    by_area: bool,
) -> None:
    """Take in a straight line from the box `last` seen to that `seen` now (OC-SORT's re-update).

    `state` (20, T) is what was expected of the first frame without the person, `frames` (T,) are those
    since the last box; boxes (4, T) are centre, width and height, which the filter follows as area and
    aspect where `by_area`. In the end `state` is that of now.
    """
    form, speed, variance = state[:4], state[4:8], state[8:].reshape(3, 4, -1)
    way = (seen - last) / frames
    for turn in range(int(frames.max())):
        rows = (turn < frames).nonzero()[0]
        here, pace, known = form[:, rows], speed[:, rows], variance[:, :, rows]
        if turn:
            go_on(here, pace, by_area=by_area)
            spread(known, added)
        between = last[:, rows] + (turn + 1) * way[:, rows]
        take_in(here, pace, known, as_area(between) if by_area else between, doubt)
        form[:, rows], speed[:, rows], variance[:, :, rows] = here, pace, known
