"""Gaps filled and boxes smoothed along one person's path, camera motion taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.track.panorama import Panorama

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]


def fill_path(panorama: Panorama, rows: Ints, boxes: Matrix) -> tuple[Ints, Matrix]:
    """All rows from the first to the last of `rows`, and a box (centre, size) in each.

    `boxes` (N, 4) are centre x, centre y, width, height. Between two boxes seen, each is carried by
    the camera to the frame between and the two are blended in the ratio of the times.
    """
    every = np.arange(rows[0], rows[-1] + 1)
    after = np.searchsorted(rows, every)
    before = np.where(rows[after] == every, after, after - 1)
    full = boxes[before].copy()
    gap = np.flatnonzero(before != after)
    if not len(gap):
        return every, full
    left, right, here = before[gap], after[gap], every[gap]
    share = ((here - rows[left]) / (rows[right] - rows[left]))[:, None]
    early, early_scale = panorama.carry(rows[left], here, boxes[left, :2])
    late, late_scale = panorama.carry(rows[right], here, boxes[right, :2])
    full[gap, :2] = (1 - share) * early + share * late
    full[gap, 2:] = np.exp(
        (1 - share) * np.log(boxes[left, 2:] * early_scale[:, None])
        + share * np.log(boxes[right, 2:] * late_scale[:, None])
    )
    return every, full


def camera_path(panorama: Panorama, rows: Ints, boxes: Matrix) -> tuple[Matrix, Matrix]:
    """How far the camera alone moved a person since the first row: (N, 2) pixels and log scale (N,).

    `rows` are consecutive, `boxes` (N, 4) start with the centre.
    """
    from filmroom.track.panorama import apply

    moved, scale = apply(panorama.step[rows[1:]], boxes[:-1, :2])
    shift = np.zeros((len(rows), 2))
    zoom = np.zeros(len(rows))
    shift[1:] = np.cumsum(moved - boxes[:-1, :2], axis=0)
    zoom[1:] = np.cumsum(np.log(np.maximum(scale, 1e-3)))
    return shift, zoom


def whittaker(values: Matrix, weight: Matrix, stiffness: float) -> Matrix:
    """Values (N, C) smoothed: least squares with weights (N,) and penalised second differences.

    Whittaker 1923, Eilers 2003: minimises sum w (y - z)^2 + stiffness * sum (second difference of z)^2.
    Where the weight is 0 the curve runs as straight as it can.
    """
    from scipy.linalg import solveh_banded

    count = len(values)
    if count < 3 or stiffness <= 0:
        return values.copy()
    band = np.zeros((3, count))
    band[2] = weight + 1e-9
    band[2, :-2] += stiffness
    band[2, 1:-1] += 4 * stiffness
    band[2, 2:] += stiffness
    band[1, 1:-1] -= 2 * stiffness
    band[1, 2:] -= 2 * stiffness
    band[0, 2:] += stiffness
    result: Matrix = solveh_banded(band, (weight + 1e-9)[:, None] * values)
    return result


_STIFFNESSES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
_HELD_OUT = 4  # every so many points are left out in turn
_LEAST_JITTER = 0.012  # of the height: below this boxes are taken as they are


def jitter(curve: Matrix) -> float:
    """Spread of independent noise in evenly sampled curves (N, C), from their third differences."""
    third = np.diff(curve, n=3, axis=0)
    if not len(third):
        return 0.0
    return float(np.median(np.abs(third)) / 0.6745 / np.sqrt(20.0))


def best_stiffness(curves: list[Matrix]) -> float:
    """The stiffness of `whittaker` that best foretells points left out of these curves (N, C).

    Cross validation after Eilers 2003. 0 where the curves hardly jitter (their unit is a body height).
    """
    if np.median([jitter(curve) for curve in curves]) < _LEAST_JITTER:
        return 0.0
    error = np.zeros(len(_STIFFNESSES))
    for curve in curves:
        held = np.arange(len(curve)) % _HELD_OUT == 1
        held[-2:] = False
        weight = np.where(held, 0.0, 1.0)
        for index, stiffness in enumerate(_STIFFNESSES):
            off = whittaker(curve, weight, stiffness)[held] - curve[held]
            error[index] += np.abs(off).sum()
    return _STIFFNESSES[int(error.argmin())]


def smooth_path(
    panorama: Panorama, rows: Ints, boxes: Matrix, weight: Matrix, stiffness: tuple[float, float]
) -> Matrix:
    """Boxes (N, 4; centre and size) of consecutive rows, smoothed with the camera's motion taken out.

    `weight` (N,) is 0 where nothing was seen; `stiffness` is for the centre and for the size.
    """
    if panorama.known.any():
        shift, zoom = camera_path(panorama, rows, boxes)
    else:
        # A camera path guessed from the boxes themselves would add their noise back.
        shift, zoom = np.zeros((len(rows), 2)), np.zeros(len(rows))
    place = whittaker(boxes[:, :2] - shift, weight, stiffness[0]) + shift
    size = whittaker(np.log(boxes[:, 2:]) - zoom[:, None], weight, stiffness[1]) + zoom[:, None]
    return np.hstack([place, np.exp(size)])
