"""What a person's kit looks like: numbers that tell teams apart, from the pixels of the silhouette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.tables import APPEARANCE_LENGTH

SHIRT_ROWS = (0.16, 0.50)
SHORTS_ROWS = (0.50, 0.70)
SOCKS_ROWS = (0.75, 0.95)
_SHIRT_BINS = 64  # 4 x 4 x 4 of L, a, b
_SHORTS_BINS = 20  # of L alone, finer
_FEWEST_PIXELS = 12
_AB_RANGE = 48.0  # kit colours seldom lie further from grey in a or b


class Appearance(NamedTuple):
    """`vectors` (N, 96) float32 and `quality` (N,) in 0..1: how much of the shirt was seen."""

    vectors: NDArray[np.float32]
    quality: NDArray[np.float32]


class Embedder(Protocol):
    """Anything that describes people by vectors whose distance tells kits, or persons, apart."""

    def describe(
        self,
        picture: NDArray[np.uint8],
        boxes: NDArray[np.floating],
        masks: Sequence[NDArray[np.bool_]],
    ) -> Appearance:
        """One vector a box; `masks` are silhouettes on each box's own crop."""
        ...


class KitColours:
    """The default embedder: square-rooted Lab histograms of shirt and shorts, and mean colours.

    Layout of the 96 numbers: shirt histogram 64, shorts lightness histogram 20, mean Lab of shirt,
    shorts and socks 9 (each divided by 100), spread of the shirt's Lab 3.
    """

    def describe(
        self,
        picture: NDArray[np.uint8],
        boxes: NDArray[np.floating],
        masks: Sequence[NDArray[np.bool_]],
    ) -> Appearance:
        """One vector a box; zeros with quality 0 where too little of the person was seen."""
        vectors = np.zeros((len(boxes), APPEARANCE_LENGTH), np.float32)
        quality = np.zeros(len(boxes), np.float32)
        for index, (box, mask) in enumerate(zip(boxes, masks, strict=True)):
            left, top = max(0, int(box[0])), max(0, int(box[1]))
            height, width = mask.shape
            crop = picture[top : top + height, left : left + width]
            if crop.shape[:2] != mask.shape or height < 6 or width < 3:
                continue
            vectors[index], quality[index] = describe_kit(crop, mask)
        return Appearance(vectors, quality)


def describe_kit(crop: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """The vector of one crop and how much of the shirt was seen, 0..1."""
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2Lab).astype(np.float32)
    lab -= (0, 128, 128)
    lab[:, :, 0] *= 100 / 255
    parts = [_part(lab, mask, rows) for rows in (SHIRT_ROWS, SHORTS_ROWS, SOCKS_ROWS)]
    shirt, shorts, _ = parts
    vector = np.zeros(APPEARANCE_LENGTH, np.float32)
    if len(shirt) < _FEWEST_PIXELS:
        return vector, 0.0
    vector[:_SHIRT_BINS] = np.sqrt(_colour_histogram(shirt))
    after = _SHIRT_BINS + _SHORTS_BINS
    if len(shorts) >= _FEWEST_PIXELS:
        vector[_SHIRT_BINS:after] = np.sqrt(_lightness_histogram(shorts[:, 0]))
    for offset, part in enumerate(parts):
        if len(part):
            vector[after + 3 * offset : after + 3 * offset + 3] = part.mean(0) / 100
    vector[after + 9 : after + 12] = shirt.std(0) / 100
    expected = mask.shape[1] * mask.shape[0] * (SHIRT_ROWS[1] - SHIRT_ROWS[0]) * 0.5
    return vector, float(min(1.0, len(shirt) / max(expected, 1)))


def _part(
    lab: NDArray[np.float32], mask: NDArray[np.bool_], rows: tuple[float, float]
) -> NDArray[np.float32]:
    height = len(mask)
    top, bottom = int(rows[0] * height), max(int(rows[1] * height), int(rows[0] * height) + 1)
    part: NDArray[np.float32] = lab[top:bottom][mask[top:bottom]]
    return part


def _colour_histogram(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """4x4x4 histogram of L, a, b with trilinear weights, shape (64,), sum 1."""
    scaled = np.empty_like(lab)
    scaled[:, 0] = lab[:, 0] / 100 * 3
    scaled[:, 1:] = (lab[:, 1:] / _AB_RANGE + 1) * 1.5
    scaled = np.clip(scaled, 0, 2.9999)
    low = scaled.astype(np.int64)
    high_share = scaled - low
    histogram = np.zeros(64)
    for corner in range(8):
        step = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.prod(np.where(step, high_share, 1 - high_share), axis=1)
        cell = (low + step) @ np.array([16, 4, 1])
        histogram += np.bincount(cell, weight, 64)
    return np.asarray(histogram / histogram.sum(), dtype=np.float32)


def _lightness_histogram(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled = np.clip(lightness / 100 * (_SHORTS_BINS - 1), 0, _SHORTS_BINS - 1.0001)
    low = scaled.astype(np.int64)
    share = scaled - low
    histogram = np.bincount(low, 1 - share, _SHORTS_BINS) + np.bincount(low + 1, share, _SHORTS_BINS)
    return np.asarray(histogram / histogram.sum(), dtype=np.float32)
