"""Silhouettes: which pixels of a box belong to its person, the nearer body in front."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom import models
from filmroom.geometry import boxes as box_geometry
from filmroom.geometry.masks import Mask, windows

HEIGHT, WIDTH = 96, 48
"""The size at which the network sees a person, pixels."""

CHANNELS = 5
"""Red, green, blue, and where somebody nearer and somebody farther stands (`neighbours`)."""

MARGIN = 0.15
"""What it sees of the surroundings on each side, as a share of the box."""

_AT_ONCE = 32  # crops a call: larger batches leave the processor's cache
_NEARER_BONUS = 1.0  # logits by which the body with the lower feet is preferred
_LEAST_MARGIN = 2  # pixels


class Silhouettes(NamedTuple):
    """One mask a box, on the box's own window (`geometry.masks.windows`), and how sure it is, 0..1."""

    masks: list[Mask]
    scores: NDArray[np.float32]


class Segmenter(Protocol):
    """Anything that cuts people out of an RGB picture."""

    def segment(self, picture: NDArray[np.uint8], boxes: NDArray[np.floating[Any]]) -> Silhouettes:
        """One silhouette a box; `boxes` (N, 4) in pixels of the picture (H, W, 3)."""
        ...


class CropSegmenter:
    """The shipped segmenter: every box by itself through a small network, then overlaps are settled."""

    def __init__(self, *, threads: int = 1, parts: Path | None = None) -> None:
        self._session = models.load("segmenter", threads, parts)

    def segment(self, picture: NDArray[np.uint8], boxes: NDArray[np.floating[Any]]) -> Silhouettes:
        """Masks that share no pixel, and the mean certainty of the pixels of each."""
        height, width = picture.shape[:2]
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        outer = surroundings(boxes, width, height)
        crops = np.empty((len(boxes), HEIGHT, WIDTH, CHANNELS), np.uint8)
        for crop, window in zip(crops, outer, strict=True):
            crop[..., :3] = cut_out(picture, window)
        crops[..., 3:] = neighbours(boxes, outer)
        logits = self._logits(crops)
        inner = windows(boxes, width, height)
        maps = [
            _in_window(logit, around, window)
            for logit, around, window in zip(logits, outer, inner, strict=True)
        ]
        return settle(maps, inner, boxes)

    def _logits(self, crops: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []
        for first in range(0, len(crops), _AT_ONCE):
            found.extend(self._session.run(None, {"pixels": crops[first : first + _AT_ONCE]})[0])
        return found


def surroundings(boxes: NDArray[np.floating[Any]], width: int, height: int) -> NDArray[np.intp]:
    """The windows that the network sees: the boxes' own, grown by MARGIN and not cut at the border."""
    inner = windows(boxes, width, height)
    grown = box_geometry.expand(np.asarray(boxes, np.float64).reshape(-1, 4), MARGIN)
    # A box far outside the picture would ask for a window that misses its own.
    first = np.minimum(np.floor(grown[:, :2]), inner[:, :2] - _LEAST_MARGIN)
    last = np.maximum(np.ceil(grown[:, :2] + grown[:, 2:]), inner[:, 2:] + _LEAST_MARGIN)
    limit = np.array([width, height])
    first = np.maximum(first, -limit)
    last = np.minimum(last, 2 * limit)
    return np.concatenate([first, last], axis=1).astype(np.intp)


def cut_out(picture: NDArray[np.uint8], window: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The window (left, top, right, bottom) scaled to HEIGHT x WIDTH; edges go on beyond the border."""
    left, top, right, bottom = (int(edge) for edge in window)
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    crop = picture[y0:y1, x0:x1]
    if (x0, y0, x1, y1) != (left, top, right, bottom):
        crop = np.asarray(
            cv2.copyMakeBorder(
                crop, y0 - top, bottom - y1, x0 - left, right - x1, cv2.BORDER_REPLICATE
            ),
            dtype=np.uint8,
        )
    # Averaging areas costs five times as much and shows only where people are very large.
    shrinks = crop.shape[0] > 2 * HEIGHT and crop.shape[1] > 2 * WIDTH
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (WIDTH, HEIGHT), interpolation=method), dtype=np.uint8)


def neighbours(boxes: NDArray[np.floating[Any]], outer: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Whose body a pixel may be instead: (N, HEIGHT, WIDTH, 2) over the windows `outer` (N, 4).

    First the boxes of others whose feet are lower in the picture, hence nearer, then of those farther,
    255 in their middle column and 155 at their sides, 0 where there is nobody.
    """
    maps = np.zeros((len(boxes), HEIGHT, WIDTH, 2), np.uint8)
    edges = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    begins = (edges[None, :, :2] < outer[:, None, 2:]).all(2)
    ends = (edges[None, :, 2:] > outer[:, None, :2]).all(2)
    for own, other in np.argwhere(begins & ends & ~np.eye(len(boxes), dtype=bool)):
        left, top, right, bottom = outer[own]
        scale = np.array([WIDTH / (right - left), HEIGHT / (bottom - top)])
        x0, y0 = (edges[other, :2] - (left, top)) * scale
        x1, y1 = (edges[other, 2:] - (left, top)) * scale
        rows = slice(max(0, round(y0)), max(0, min(HEIGHT, round(y1))))
        columns = slice(max(0, round(x0)), max(0, min(WIDTH, round(x1))))
        middle = np.abs(np.arange(columns.start, columns.stop) + 0.5 - (x0 + x1) / 2)
        level = (255 - 100 * np.minimum(1, 2 * middle / (x1 - x0))).astype(np.uint8)
        region = maps[own, rows, columns, int(edges[other, 3] <= edges[own, 3])]
        np.maximum(region, level, out=region)
    return maps


def _in_window(
    logit: NDArray[np.float32], around: NDArray[np.intp], window: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The network's map of the surroundings, at the picture's own scale, cut to the box's window."""
    left, top, right, bottom = (int(edge) for edge in around)
    full = cv2.resize(logit, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = (int(edge) for edge in window)
    return np.asarray(full[y0 - top : y1 - top, x0 - left : x1 - left], dtype=np.float32)


def settle(
    maps: list[NDArray[np.float32]],
    inner: NDArray[np.intp],
    boxes: NDArray[np.floating[Any]],
) -> Silhouettes:
    """Masks from logit maps: each pixel to one body only, the surer one, the nearer one if in doubt.

    The nearer body is the one whose box ends lower in the picture (equal ends: the later box).
    """
    masks = [logits > 0 for logits in maps]
    feet = boxes[:, 1] + boxes[:, 3]
    shared_left = np.maximum(inner[:, None, 0], inner[None, :, 0])
    shared_top = np.maximum(inner[:, None, 1], inner[None, :, 1])
    shared_right = np.minimum(inner[:, None, 2], inner[None, :, 2])
    shared_bottom = np.minimum(inner[:, None, 3], inner[None, :, 3])
    meet = (shared_left < shared_right) & (shared_top < shared_bottom)
    for one, other in np.argwhere(np.triu(meet, 1)):
        near, far = (one, other) if feet[one] > feet[other] else (other, one)
        region = (
            shared_left[one, other],
            shared_top[one, other],
            shared_right[one, other],
            shared_bottom[one, other],
        )
        near_part, far_part = _region(inner[near], region), _region(inner[far], region)
        disputed = masks[near][near_part] & masks[far][far_part]
        if not disputed.any():
            continue
        to_near = maps[near][near_part] + _NEARER_BONUS >= maps[far][far_part]
        masks[far][far_part] &= ~(disputed & to_near)
        masks[near][near_part] &= ~(disputed & ~to_near)
    scores = np.array(
        [_certainty(logits[mask]) for logits, mask in zip(maps, masks, strict=True)], np.float32
    )
    return Silhouettes(masks, scores)


def _region(window: NDArray[np.intp], region: tuple[int, int, int, int]) -> tuple[slice, slice]:
    left, top, right, bottom = region
    return slice(top - window[1], bottom - window[1]), slice(left - window[0], right - window[0])


def _certainty(logits: NDArray[np.float32]) -> float:
    """Mean probability of the pixels of a mask, 0 where there are none."""
    if not logits.size:
        return 0.0
    return float((1 / (1 + np.exp(-logits))).mean())
