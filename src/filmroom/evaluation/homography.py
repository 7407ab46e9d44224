"""A found homography against the true one: overlap of what is seen, errors on pitch and picture.

The measures of the World Cup 2014 and TS-WorldCup benchmarks (Homayounfar et al., CVPR 2017; Chu et
al., CVPRW 2022) as in the code of No-Bells-Just-Whistles (bd993b3). A homography maps pixels of a
1280 x 720 picture to yards on the pitch, origin at its top left corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.homography import Matrix, transform_points

WIDTH, HEIGHT = 1280, 720
TEMPLATE = (115, 74)
"""Yards of the raster on which the parts seen are compared."""

YARD = 0.9144

_PITCH = (114.83, 74.37)
_GRID = (13, 7)
_NARROW_PITCH = (100, 60)
_LATTICE = 8

Points = NDArray[np.float64]


def homography_scores(truth: Matrix, found: Matrix) -> dict[str, float | None]:
    """All figures of one picture, errors None where nothing can be compared.

    `IoU part`, `IoU whole`; `projection error` in metres as published, `projection error on pitch` in
    metres of a pitch of full size; `reprojection error` as a share of the picture's height.
    """
    return {
        "IoU part": iou_part(truth, found),
        "IoU whole": iou_whole(truth, found),
        "projection error": projection_error(truth, found),
        "projection error on pitch": projection_error(truth, found, scale=(1.0, 1.0)),
        "reprojection error": reprojection_error(truth, found),
    }


def iou_part(truth: Matrix, found: Matrix) -> float:
    """Overlap of the parts of the pitch that the picture shows, on a raster of one yard."""
    # Here, not above: most calibrations are scored by lines and need no OpenCV.
    import cv2

    picture = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    seen = [cv2.warpPerspective(picture, matrix, TEMPLATE) > 0 for matrix in (truth, found)]
    union = np.count_nonzero(seen[0] | seen[1])
    return np.count_nonzero(seen[0] & seen[1]) / union if union else 0.0


def iou_whole(truth: Matrix, found: Matrix) -> float:
    """Overlap of the picture with itself, taken to the pitch by the one map and back by the other."""
    right, bottom = WIDTH - 1.0, HEIGHT - 1.0
    picture = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], dtype=float)
    moved = transform_points(np.linalg.inv(found), transform_points(truth, picture))
    if not np.isfinite(moved).all() or _crosses_itself(moved):
        return 0.0
    shared = _area(_cut_to_rectangle(moved, right, bottom))
    union = right * bottom + _area(moved) - shared
    return shared / union if union > 0 else 0.0


def projection_error(
    truth: Matrix,
    found: Matrix,
    scale: tuple[float, float] = (_NARROW_PITCH[0] / TEMPLATE[0], _NARROW_PITCH[1] / TEMPLATE[1]),
) -> float | None:
    """Mean distance in metres of where the two maps put the pixels that show the pitch.

    The published figure draws 2,500 pixels at random and measures on a pitch shrunk to 100 x 60 yards;
    here every eighth pixel of every eighth row is taken, and `scale` (1, 1) leaves the pitch as it is.
    Points that one of the maps puts beside the pitch are left out, as officially.
    """
    axes = (np.arange(_LATTICE // 2, size, _LATTICE, dtype=float) for size in (WIDTH, HEIGHT))
    pixels = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    return _mean_distance(
        transform_points(truth, pixels) * scale,
        transform_points(found, pixels) * scale,
        (TEMPLATE[0] * scale[0], TEMPLATE[1] * scale[1]),
        YARD,
    )


def reprojection_error(truth: Matrix, found: Matrix) -> float | None:
    """Mean distance in the picture, over its height, of a grid of 13 x 7 points on the pitch."""
    axes = (np.linspace(0, size, count) for size, count in zip(_PITCH, _GRID, strict=True))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    first, second = (transform_points(np.linalg.inv(matrix), grid) for matrix in (truth, found))
    return _mean_distance(first, second, (WIDTH, HEIGHT), 1 / HEIGHT)


def _mean_distance(
    first: Points, second: Points, limits: tuple[float, float], unit: float
) -> float | None:
    """Mean distance of the pairs of which both lie within 0 and the limits."""
    inside = np.ones(len(first), dtype=bool)
    for points in (first, second):
        inside &= ((points >= 0) & (points < limits)).all(axis=1)
    if not inside.any():
        return None
    return float(np.linalg.norm(first[inside] - second[inside], axis=1).mean()) * unit


def _area(corners: Points) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _crosses_itself(corners: Points) -> bool:
    """Whether opposite sides of a quadrilateral cross."""

    def turn(a: Points, b: Points, c: Points) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    a, b, c, d = corners
    return any(
        turn(p, q, r) * turn(p, q, s) < 0 and turn(r, s, p) * turn(r, s, q) < 0
        for p, q, r, s in ((a, b, c, d), (b, c, d, a))
    )


def _cut_to_rectangle(corners: Points, right: float, bottom: float) -> Points:
    """What of a polygon lies in 0 to right, 0 to bottom (Sutherland and Hodgman, 1974)."""
    for axis, limit, sign in ((0, 0.0, 1), (0, right, -1), (1, 0.0, 1), (1, bottom, -1)):
        kept: list[Points] = []
        for here, following in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            depth, next_depth = (sign * float(each[axis] - limit) for each in (here, following))
            if depth >= 0:
                kept.append(here)
            if depth * next_depth < 0:
                kept.append(here + (following - here) * (depth / (depth - next_depth)))
        corners = np.array(kept).reshape(-1, 2)
        if not len(corners):
            break
    return corners
