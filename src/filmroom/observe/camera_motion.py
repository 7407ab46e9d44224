"""How the camera moved between two frames, from the pixels that are not people."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

GREY_WIDTH = 640
"""Width of the grey pictures compared, pixels; the height follows the picture's shape."""

_MOST_CORNERS = 300
_WINDOW = (15, 15)
_LEVELS = 4
_FEWEST_MATCHES = 12
_MOST_RETURN_ERROR = 0.7  # pixels between a corner and where it returns tracked there and back
_INLIER_DISTANCE = 1.0
_LEAST_INLIERS = 0.3
_NO_GUESS: Any = None
_ALIKE = 6.0  # mean grey levels between two pictures of the same thing


class Motion(NamedTuple):
    """3x3 homography from the previous frame to this one, full-size pixels, and its inlier share.

    `matrix` is None where no motion of the whole picture could be found.
    """

    matrix: NDArray[np.float64] | None
    inliers: float


def grey_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the grey picture compared for a frame of this size."""
    grey_width = min(GREY_WIDTH, width)
    return grey_width, max(1, round(height * grey_width / width))


def estimate_motion(
    previous: NDArray[np.uint8],
    current: NDArray[np.uint8],
    people: NDArray[np.floating],
    width: int,
) -> Motion:
    """Motion of the background between two grey pictures of `grey_size`.

    `people` (N, 4) are boxes in the previous frame, in pixels of the full picture `width` wide:
    nothing is followed there. Corners are tracked there and back (Lucas & Kanade 1981, pyramidal),
    then a homography is fitted by RANSAC; an affine map where the corners are too few for it.
    """
    scale = previous.shape[1] / width
    corners = cv2.goodFeaturesToTrack(
        previous, _MOST_CORNERS, 0.005, 7, mask=_background(previous.shape, people * scale)
    )
    if corners is None or len(corners) < _FEWEST_MATCHES:
        return _still_or_unknown(previous, current)
    forward, found, _ = cv2.calcOpticalFlowPyrLK(
        previous, current, corners, _NO_GUESS, winSize=_WINDOW, maxLevel=_LEVELS
    )
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(
        current, previous, forward, _NO_GUESS, winSize=_WINDOW, maxLevel=_LEVELS
    )
    returned = np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < _MOST_RETURN_ERROR
    good = returned & found.ravel().astype(bool) & found_back.ravel().astype(bool)
    if good.sum() < _FEWEST_MATCHES:
        return _still_or_unknown(previous, current)
    start, end = corners[good].reshape(-1, 2), forward[good].reshape(-1, 2)
    matrix, inliers = _fit(start, end, previous.shape)
    share = float(inliers) / len(corners)
    if matrix is None or inliers < _FEWEST_MATCHES or inliers < _LEAST_INLIERS * len(start):
        return Motion(None, share)
    resize = np.diag([scale, scale, 1.0])
    full = np.linalg.inv(resize) @ matrix @ resize
    return Motion(full / full[2, 2], share)


def _still_or_unknown(previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Motion:
    """Where nothing can be followed: no motion if the pictures are much alike, else unknown."""
    difference = float(cv2.absdiff(previous, current).mean())
    return Motion(np.eye(3) if difference < _ALIKE else None, 0.0)


def _background(shape: tuple[int, ...], people: NDArray[np.floating]) -> NDArray[np.uint8]:
    mask = np.full(shape, 255, np.uint8)
    for x, y, w, h in people:
        top, bottom = max(0, int(y - 2)), max(0, int(y + h + 3))
        left, right = max(0, int(x - 2)), max(0, int(x + w + 3))
        mask[top:bottom, left:right] = 0
    return mask


def _fit(
    start: NDArray[np.float32], end: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64] | None, int]:
    spread = np.ptp(start, axis=0) / (shape[1], shape[0])
    if len(start) >= 40 and spread.min() > 0.5:
        matrix, inliers = cv2.findHomography(
            start, end, cv2.RANSAC, _INLIER_DISTANCE, maxIters=500, confidence=0.999
        )
        if matrix is not None and inliers.sum() >= 30:
            whole = np.asarray(matrix, dtype=float)
            if _is_plausible(whole, shape):
                return whole, int(inliers.sum())
    affine, inliers = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=500, confidence=0.999
    )
    if affine is None:
        return None, 0
    return np.vstack([affine, [0, 0, 1]]), int(inliers.sum())


def _is_plausible(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    """No camera shears or tilts the picture much between two frames."""
    strain = matrix[:2, :2] / matrix[2, 2] - np.eye(2)
    return bool(np.abs(strain).max() < 0.2 and np.abs(matrix[2, :2]).max() * shape[1] < 0.15)
