"""How one picture of a place lies over another: the classical way and a learnt one, the better used."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.observe.camera_motion import Motion, estimate_motion

Grey = NDArray[np.uint8]
Pictures = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

_BLURS = (3.0, 1.2)  # pixels, coarse to fine
_ROUNDS = 3
_CELLS = (16, 9)
_IN_CELL = 70  # pixels with the steepest slope that speak for one cell
_LEAST_SLOPE = 1.5
_LEAST_PIXELS = 400
_FAINT = 3.0  # grey levels from the surroundings

_CORNERS_IN_CELL = 4
_FEWEST_CORNERS = 12
_WINDOW = (15, 15)
_NO_GUESS: Any = None
_SHARP = 8.0  # grey levels between neighbours at the edge of a graphic
_STAYS = 4.0  # grey levels by which a graphic's pixels usually change
_UPRIGHT = 0.1  # of a graphic's edges, at least
_STILL_SHARE = 0.75  # of the edges of one frame that the median of all keeps when the camera stands


class Aligner(Protocol):
    """Anything that finds the motion of the whole picture between two grey pictures (h, w)."""

    def align(self, first: Grey, second: Grey, hidden: Mask | None = None) -> Motion:
        """3x3 from pixels of `first` to those of `second`; None where they do not belong together.

        Nothing is learnt from the pixels of `first` that are `hidden` (h, w): graphics stay where they
        are whatever the camera does.
        """
        ...


class ClassicalAligner:
    """Corners of every part of the picture followed there and back, a robust homography, then a polish.

    No part speaks with more than a few corners: lettering that runs along the boards has hundreds, and
    would else be taken for the camera's motion.
    """

    def __init__(self, *, polish: bool = True) -> None:
        self.polish = polish

    def align(self, first: Grey, second: Grey, hidden: Mask | None = None) -> Motion:
        """See `Aligner`."""
        motion = _follow_corners(first, second, hidden)
        if motion.matrix is None:
            motion = estimate_motion(first, second, np.zeros((0, 4)), first.shape[1])
        if motion.matrix is None or not self.polish:
            return motion
        return motion._replace(matrix=polished(first, second, motion.matrix, hidden))


def _follow_corners(first: Grey, second: Grey, hidden: Mask | None) -> Motion:
    corners = _spread_corners(first, hidden)
    if len(corners) < _FEWEST_CORNERS:
        return Motion(None, 0.0)
    start = corners[:, None].astype(np.float32)
    forward, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start, _NO_GUESS, winSize=_WINDOW, maxLevel=4
    )
    back, _, _ = cv2.calcOpticalFlowPyrLK(
        second, first, forward, _NO_GUESS, winSize=_WINDOW, maxLevel=4
    )
    good = (np.linalg.norm((back - start).reshape(-1, 2), axis=1) < 0.7) & found.ravel().astype(bool)
    if good.sum() < _FEWEST_CORNERS:
        return Motion(None, 0.0)
    matrix, inliers = cv2.findHomography(start[good], forward[good], cv2.RANSAC, 1.2, maxIters=800)
    if (
        matrix is None
        or inliers.sum() < max(_FEWEST_CORNERS, 0.3 * good.sum())
        or not _is_plain(matrix)
    ):
        return Motion(None, 0.0)
    return Motion(np.asarray(matrix, float), float(inliers.sum() / len(corners)))


def _is_plain(matrix: Matrix) -> bool:
    """Between frames of one shot a picture is neither torn nor turned over."""
    strain = matrix[:2, :2] / matrix[2, 2] - np.eye(2)
    return bool(np.abs(strain).max() < 0.6 and np.linalg.det(matrix[:2, :2]) > 0)


def _spread_corners(grey: Grey, hidden: Mask | None) -> Matrix:
    """(N, 2) corners, at most a few of each part of the picture, strongest first within it."""
    mask = None if hidden is None else np.where(hidden, 0, 255).astype(np.uint8)
    corners = cv2.goodFeaturesToTrack(grey, 1500, 0.002, 5, mask=mask)
    if corners is None:
        return np.zeros((0, 2))
    points = corners.reshape(-1, 2)
    cell = (points[:, 0] * 16 // grey.shape[1] + 16 * (points[:, 1] * 12 // grey.shape[0])).astype(int)
    order = np.argsort(cell, kind="stable")
    firsts = np.searchsorted(cell[order], cell[order])
    rank = np.arange(len(order)) - firsts
    return np.asarray(points[np.sort(order[rank < _CORNERS_IN_CELL])], float)


def find_overlay(pixels: Pictures) -> Mask:
    """(h, w) graphics laid over the pictures (T, h, w, 3): what stays while everything else moves.

    Empty where the camera hardly moves: then everything stays.
    """
    chosen = pixels[np.unique(np.linspace(0, len(pixels) - 1, 40).round().astype(int))]
    greys = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in chosen]).astype(np.float32)
    middle = np.median(greys, axis=0)
    strays = np.median(np.abs(greys - middle), axis=0)
    across, down = cv2.Sobel(middle, cv2.CV_32F, 1, 0), cv2.Sobel(middle, cv2.CV_32F, 0, 1)
    slope = cv2.magnitude(across, down) / 4
    usual = [
        cv2.magnitude(cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)).mean()
        for g in greys[::8]
    ]
    edges = slope > _SHARP
    if not edges.any() or slope.mean() > _STILL_SHARE * float(np.mean(usual)) / 4:
        return np.zeros(middle.shape, bool)
    still = (edges & (strays < _STAYS)).astype(np.uint8)
    still = cv2.morphologyEx(still, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    still = cv2.morphologyEx(still, cv2.MORPH_CLOSE, np.ones((9, 17), np.uint8))
    count, owner, stats, _ = cv2.connectedComponentsWithStats(still, connectivity=8)
    big = stats[:, cv2.CC_STAT_AREA] > 40
    # What runs along the pan stays as well, the rim of a board: graphics have upright edges too.
    sharp = edges & (strays < _STAYS)
    upright = sharp & (np.abs(across) > np.abs(down))
    shares = [np.bincount(owner[each], minlength=count) for each in (upright, sharp)]
    big &= shares[0] > _UPRIGHT * shares[1]
    big[0] = False
    found = np.zeros(middle.shape, np.uint8)
    for x, y, w, h, _ in stats[big]:
        found[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2] = 1
    return found > 0 if found.mean() < 0.3 else np.zeros(middle.shape, bool)


def polished(first: Grey, second: Grey, matrix: Matrix, hidden: Mask | None = None) -> Matrix:
    """A better homography near `matrix`, from brightness alone (Gauss-Newton, Tukey weights).

    Edges count as well as corners, and every part of the picture alike: a pitch has lines where a
    stand has thousands of corners. Returned unchanged where it does not lower the residual.
    """
    best = matrix
    for blur in _BLURS:
        best = _gauss_newton(_flattened(first, blur), _flattened(second, blur), best, hidden)
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


def _gauss_newton(
    first: NDArray[np.float32], second: NDArray[np.float32], start: Matrix, hidden: Mask | None
) -> Matrix:
    points = _steep_pixels(first, hidden)
    if len(points) < _LEAST_PIXELS:
        return start
    height, width = first.shape
    values = first[points[:, 1], points[:, 0]]
    # What is drawn in strong contrast must not outweigh the rest.
    fair = 1 / (np.abs(values) + _FAINT)
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
        seen, gx, gy = (
            cv2.remap(each, column, row, cv2.INTER_LINEAR).ravel()
            for each in (second, slope_x, slope_y)
        )
        inside = (column > 1) & (row > 1) & (column < width - 2) & (row < height - 2)
        apart = seen - values
        scale = 1.4826 * float(np.median(np.abs(apart[inside]))) + 0.5 if inside.any() else 1.0
        weight = np.clip(1 - (apart / (4.0 * scale)) ** 2, 0, None) ** 2 * inside * fair
        gx, gy = gx * half / depth, gy * half / depth
        steps = np.stack(
            [gx * x, gx * y, gx, gy * x, gy * y, gy, -(gx * u + gy * v) * x, -(gx * u + gy * v) * y],
            axis=1,
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


def _steep_pixels(values: NDArray[np.float32], hidden: Mask | None) -> NDArray[np.int64]:
    """(N, 2) x, y of the steepest pixels, equally many of every part of the picture that has some."""
    slope = cv2.magnitude(cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)) / 8
    slope[:4], slope[-4:], slope[:, :4], slope[:, -4:] = 0, 0, 0, 0
    if hidden is not None:
        slope[hidden] = 0
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
