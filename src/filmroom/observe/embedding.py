"""What a person looks like: numbers that tell people apart who wear the same kit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom import models
from filmroom.geometry.masks import Mask, windows
from filmroom.observe.appearance import Appearance
from filmroom.tables import EMBEDDING_LENGTH

HEIGHT, WIDTH = 96, 48
"""The size at which the network sees a person, pixels."""

BLANK = 114
"""Grey level of everything that is not the person: grass, crowd, neighbours."""

LEAST_HEIGHT, LEAST_WIDTH = 12, 4  # pixels of a person of whom anything can be said
_AT_ONCE = 32  # crops a call: larger batches leave the processor's cache
_USUAL_SHARE = 0.35  # of its box that a silhouette covers where nobody stands before it


class PersonEmbedder:
    """The shipped embedding: every person by itself, cut out by the silhouette, through one network.

    An `observe.appearance.Embedder` whose vectors have length 1 and whose cosine says how alike two
    people are.
    """

    def __init__(self, *, threads: int = 1, parts: Path | None = None) -> None:
        self._session = models.load("embedding", threads, parts)

    def describe(
        self,
        picture: NDArray[np.uint8],
        boxes: NDArray[np.floating],
        masks: Sequence[Mask],
    ) -> Appearance:
        """Vectors (N, EMBEDDING_LENGTH), and as quality how much of the person is seen, 0..1.

        `boxes` (N, 4) in pixels of the RGB picture, `masks` on each box's own window
        (`geometry.masks.windows`). Zeros of quality 0 where a person is too small or hidden.
        """
        vectors = np.zeros((len(boxes), EMBEDDING_LENGTH), np.float32)
        quality = np.zeros(len(boxes), np.float32)
        crops = np.empty((len(boxes), HEIGHT, WIDTH, 3), np.uint8)
        seen = windows(boxes, picture.shape[1], picture.shape[0])
        for row, ((left, top, right, bottom), mask) in enumerate(zip(seen, masks, strict=True)):
            crop = picture[top:bottom, left:right]
            if (
                crop.shape[:2] != mask.shape
                or bottom - top < LEAST_HEIGHT
                or right - left < LEAST_WIDTH
            ):
                continue
            quality[row] = min(1.0, float(mask.mean()) / _USUAL_SHARE)
            if quality[row] > 0:
                crops[row] = person_crop(crop, mask)
        known = np.flatnonzero(quality > 0)
        for first in range(0, len(known), _AT_ONCE):
            rows = known[first : first + _AT_ONCE]
            found = self._session.run(None, {"pixels": crops[rows]})[0]
            vectors[rows] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
        return Appearance(vectors, quality)


def person_crop(crop: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """A person's window and silhouette (H, W) as the network sees them, (HEIGHT, WIDTH, 3)."""
    shrinks = crop.shape[0] > HEIGHT and crop.shape[1] > WIDTH
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    pixels = np.asarray(cv2.resize(crop, (WIDTH, HEIGHT), interpolation=method), np.uint8)
    share = cv2.resize(mask.view(np.uint8) * np.uint8(2), (WIDTH, HEIGHT), interpolation=method)
    pixels[np.asarray(share) == 0] = BLANK
    return pixels
