"""Plane-to-plane maps as 3x3 matrices acting on column vectors `(x, y, 1)`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
Matrix = NDArray[np.float64]


def transform_points(matrix: FloatArray, points: FloatArray) -> Matrix:
    """Points (N, 2) mapped by a 3x3 homography."""
    mapped = np.asarray(points, dtype=float) @ matrix[:, :2].T + matrix[:, 2]
    result: Matrix = (mapped[:, :2] / mapped[:, 2:]).astype(np.float64)
    return result


def transform_boxes(matrix: FloatArray, boxes: FloatArray) -> Matrix:
    """Boxes (N, 4) moved and scaled as the map does at the middle of each.

    The box stays upright: its centre is mapped, its sides grow by the local change of scale.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if not len(boxes):
        return np.zeros((0, 4))
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    across = np.column_stack([boxes[:, 2] / 2, np.zeros(len(boxes))])
    down = np.column_stack([np.zeros(len(boxes)), boxes[:, 3] / 2])
    width = np.linalg.norm(
        transform_points(matrix, centre + across) - transform_points(matrix, centre - across), axis=1
    )
    height = np.linalg.norm(
        transform_points(matrix, centre + down) - transform_points(matrix, centre - down), axis=1
    )
    size = np.column_stack([width, height])
    return np.asarray(np.hstack([transform_points(matrix, centre) - size / 2, size]))


def corner_error(first: FloatArray, second: FloatArray, width: float, height: float) -> float:
    """Mean distance in pixels of where two maps send the four corners of a picture."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
    difference = transform_points(first, corners) - transform_points(second, corners)
    return float(np.linalg.norm(difference, axis=1).mean())
