"""A second look at what may be the ball: a small picture of every candidate through a small network.

The detector sees the whole picture at 1280 pixels and knows of a ball little more than that it is
small and light, as are shoes, letters on boards and specks on the pitch. Here each of its candidates
is looked at in the full resolution of the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom import models

SIDE = 48
"""The side of the square picture that the network sees of a candidate, pixels."""

WINDOW = 40.0
"""What that picture spans at least, pixels of the detector's input."""

DIAMETERS = 3.0
"""What it spans at least, in diameters of the candidate: large balls are seen whole."""

BLANK = 114
"""Grey level of what lies outside the picture."""

OUTPUTS = 5
"""Of the network: logit of a ball at the middle; its offset x, y from there and the logarithms of its
width and height, in shares of the window."""

_FINEST = 1.6  # pixels of a picture to one of the window above which they are averaged
_SMALLEST, _LARGEST = np.log(0.05), np.log(0.8)  # of a window, that a ball takes
_FARTHEST = 0.35  # of a window, between its middle and that of a ball
_AT_ONCE = 32
_WEIGHTS = {"patch_weight": 1.0, "detector_weight": 0.0, "bias": 0.0}


class BallLooks(NamedTuple):
    """What a second look says of N candidates: boxes (N, 4) and calibrated scores (N,) in 0..1."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


class BallJudge(Protocol):
    """Anything that says which candidates are the ball."""

    def judge(
        self,
        picture: NDArray[np.uint8],
        boxes: NDArray[np.floating],
        scores: NDArray[np.floating],
    ) -> BallLooks:
        """Better boxes and scores of candidates (N, 4), (N,) in an RGB picture, in the same order."""
        ...


class OnnxBallJudge:
    """The network of `filmroom train ball`; its file also holds how both looks are weighed.

    The score is the logistic function of `patch_weight` times the network's logit, plus
    `detector_weight` times the logit of the detector's score, plus `bias`, which are fitted to be a
    probability.
    """

    def __init__(self, *, threads: int = 1, parts: Path | None = None) -> None:
        self._session = models.load("ball", threads, parts)
        written = self._session.get_modelmeta().custom_metadata_map
        self.weights = {name: float(written.get(name, usual)) for name, usual in _WEIGHTS.items()}

    def judge(
        self,
        picture: NDArray[np.uint8],
        boxes: NDArray[np.floating],
        scores: NDArray[np.floating],
    ) -> BallLooks:
        """Boxes (N, 4) put right and scores (N,) that are the probability of being the ball."""
        windows = ball_windows(boxes, *picture.shape[:2])
        output = self.look(ball_patches(picture, windows))
        weights = self.weights
        odds = weights["patch_weight"] * output[:, 0] + weights["bias"]
        odds += weights["detector_weight"] * logit(scores)
        return BallLooks(
            placed_boxes(output, windows).astype(np.float32),
            (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32),
        )

    def look(self, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's outputs (N, OUTPUTS) for pictures (N, SIDE, SIDE, 3)."""
        parts = [
            self._session.run(None, {"pixels": patches[first : first + _AT_ONCE]})[0]
            for first in range(0, len(patches), _AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, OUTPUTS), np.float32), *parts])


def logit(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-odds of scores in 0..1, kept finite."""
    chance = np.clip(np.asarray(scores, float), 1e-3, 1 - 1e-3)
    return np.asarray(np.log(chance / (1 - chance)))


def ball_windows(boxes: NDArray[np.floating], height: int, width: int) -> NDArray[np.float64]:
    """Left, top and side (N, 3) of the square that is looked at for each box of a picture, pixels."""
    from filmroom.observe.detector import input_scale

    boxes = np.asarray(boxes, float).reshape(-1, 4)
    least = WINDOW / input_scale(height, width)
    side = np.maximum(least, DIAMETERS * boxes[:, 2:].mean(axis=1))
    corner = boxes[:, :2] + boxes[:, 2:] / 2 - side[:, None] / 2
    return np.column_stack([corner, side])


def ball_patches(
    picture: NDArray[np.uint8], windows: NDArray[np.floating], side: int = SIDE
) -> NDArray[np.uint8]:
    """The picture in each window (N, 3: left, top, side), (N, side, side, 3); grey outside of it."""
    patches = np.empty((len(windows), side, side, 3), np.uint8)
    for row, (left, top, span) in enumerate(np.asarray(windows, float)):
        finer = max(1, int(np.ceil(span / side / _FINEST)))
        step = span / (side * finer)
        # Edges of pixels are at whole numbers here, their middles there.
        matrix = np.array([[step, 0, left + step / 2 - 0.5], [0, step, top + step / 2 - 0.5]])
        patch = cv2.warpAffine(
            picture,
            matrix,
            (side * finer, side * finer),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(BLANK, BLANK, BLANK),
        )
        patches[row] = (
            patch if finer == 1 else cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)
        )
    return patches


def placed_boxes(output: NDArray[np.floating], windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Boxes (N, 4) in pixels of the picture from the network's outputs for these windows (N, 3)."""
    span = windows[:, 2:3]
    offset = np.clip(output[:, 1:3], -_FARTHEST, _FARTHEST)
    size = np.exp(np.clip(output[:, 3:5], _SMALLEST, _LARGEST)) * span
    middle = windows[:, :2] + (0.5 + offset) * span
    return np.hstack([middle - size / 2, size])
