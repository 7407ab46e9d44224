"""How one picture of a place lies over another: the classical way and a learnt one, the better used."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.observe.camera_motion import Motion, estimate_motion

Grey = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_BLURS = (3.0, 1.2)  # pixels, coarse to fine
_ROUNDS = 3
_CELLS = (16, 9)
_IN_CELL = 70  # pixels with the steepest slope that speak for one cell
_LEAST_SLOPE = 1.5
_LEAST_PIXELS = 400


class Aligner(Protocol):
    """Anything that finds the motion of the whole picture between two grey pictures (h, w)."""

    def align(self, first: Grey, second: Grey) -> Motion:
        """3x3 from pixels of `first` to those of `second`; None where they do not belong together."""
        ...


class ClassicalAligner:
    """Corners followed there and back, a robust homography, then a direct polish on all edges."""

    def __init__(self, *, polish: bool = True) -> None:
        self.polish = polish

    def align(self, first: Grey, second: Grey) -> Motion:
        """See `Aligner`."""
        motion = estimate_motion(first, second, np.zeros((0, 4)), first.shape[1])
        if motion.matrix is None or not self.polish:
            return motion
        return motion._replace(matrix=polished(first, second, motion.matrix))


def polished(first: Grey, second: Grey, matrix: Matrix) -> Matrix:
    """A better homography near `matrix`, from brightness alone (Gauss-Newton, Tukey weights).

    Edges count as well as corners, and every part of the picture alike: a pitch has lines where a
    stand has thousands of corners. Returned unchanged where it does not lower the residual.
    """
    best = matrix
    for blur in _BLURS:
        best = _gauss_newton(_flattened(first, blur), _flattened(second, blur), best)
    before = photometric_residual(first, second, matrix)
    return best if photometric_residual(first, second, best) <= before else matrix


def photometric_residual(first: Grey, second: Grey, matrix: Matrix) -> float:
    """Mean absolute difference, grey levels, of the better four fifths of the pixels in view.

    The worst fifth is left out: who moves by himself does not tell how the camera moved.
    """
    size = (second.shape[1], second.shape[0])
    warped = cv2.warpPerspective(first, matrix, size)
    inside = cv2.warpPerspective(np.full(first.shape, 255, np.uint8), matrix, size, flags=0) > 0
    apart = np.sort(cv2.absdiff(warped, second)[inside])
    if len(apart) < 0.2 * inside.size:
        return float("inf")
    return float(apart[: int(0.8 * len(apart))].mean())


def _flattened(grey: Grey, blur: float) -> NDArray[np.float32]:
    """Blurred, less its surroundings: exposure and mowing stripes drop out."""
    values = grey.astype(np.float32)
    near = cv2.GaussianBlur(values, (0, 0), blur)
    return np.asarray(near - cv2.boxFilter(values, -1, (31, 31)), np.float32)


def _gauss_newton(first: NDArray[np.float32], second: NDArray[np.float32], start: Matrix) -> Matrix:
    points = _steep_pixels(first)
    if len(points) < _LEAST_PIXELS:
        return start
    height, width = first.shape
    values = first[points[:, 1], points[:, 0]]
    slope_x, slope_y = cv2.Sobel(second, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(second, cv2.CV_32F, 0, 1) / 8
    # Coordinates around the middle in half widths keep the normal equations well conditioned.
    normal = np.array([[2 / width, 0, -1], [0, 2 / width, -height / width], [0, 0, 1.0]])
    back = np.linalg.inv(normal)
    where = points @ normal[:2, :2].T + normal[:2, 2]
    x, y = where[:, 0], where[:, 1]
    matrix = normal @ start @ back
    matrix /= matrix[2, 2]
    half = width / 2
    for _ in range(_ROUNDS):
        depth = matrix[2, 0] * x + matrix[2, 1] * y + 1
        u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth
        v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth
        column = (half * (u + 1)).astype(np.float32)
        row = (half * v + height / 2).astype(np.float32)
        seen, gx, gy = (cv2.remap(each, column, row, cv2.INTER_LINEAR).ravel() for each in (second, slope_x, slope_y))
        inside = (column > 1) & (row > 1) & (column < width - 2) & (row < height - 2)
        apart = seen - values
        scale = 1.4826 * float(np.median(np.abs(apart[inside]))) + 0.5 if inside.any() else 1.0
        weight = np.clip(1 - (apart / (4.0 * scale)) ** 2, 0, None) ** 2 * inside
        gx, gy = gx * half / depth, gy * half / depth
        steps = np.stack(
            [gx * x, gx * y, gx, gy * x, gy * y, gy, -(gx * u + gy * v) * x, -(gx * u + gy * v) * y], axis=1
        )
        weighted = steps * weight[:, None]
        normal_matrix = weighted.T @ steps
        normal_matrix += 1e-4 * np.trace(normal_matrix) / 8 * np.eye(8)
        change = np.linalg.solve(normal_matrix, -weighted.T @ apart)
        matrix = matrix + np.append(change, 0.0).reshape(3, 3)
    result = back @ matrix @ normal
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    moved = cv2.perspectiveTransform(corners[None], result @ np.linalg.inv(start))[0] - corners
    # A polish is small; what runs away has lost its hold.
    return result / result[2, 2] if np.abs(moved).max() < 0.04 * width else start


def _steep_pixels(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N, 2) x, y of the steepest pixels, equally many of every part of the picture that has some."""
    slope = cv2.magnitude(cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)) / 8
    slope[:4], slope[-4:], slope[:, :4], slope[:, -4:] = 0, 0, 0, 0
    height, width = values.shape
    found = []
    for top, bottom in _spans(height, _CELLS[1]):
        for left, right in _spans(width, _CELLS[0]):
            cell = slope[top:bottom, left:right].ravel()
            count = min(_IN_CELL, len(cell))
            chosen = np.argpartition(-cell, count - 1)[:count]
            chosen = chosen[cell[chosen] > _LEAST_SLOPE]
            rows, columns = np.divmod(chosen, right - left)
            found.append(np.stack([columns + left, rows + top], axis=1))
    return np.concatenate(found)


def _spans(length: int, parts: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, length, parts + 1).round().astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
