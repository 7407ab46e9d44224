"""Masks as bool (h, w) arrays, COCO run lengths, and the windows of boxes in which silhouettes live.

A silhouette is kept in its box's own window: the pixels from floor(x), floor(y) to ceil(x + w),
ceil(y + h), cut at the border of the picture. `windows` is the one place that says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_BITS, _MORE, _SIGN, _FIRST_CHARACTER = 5, 0x20, 0x10, 48
_SHIFTS = _BITS * np.arange(8)
# A signed number takes n groups of 5 bits when it lies within -2^(5n-1) .. 2^(5n-1) - 1.
_REACH = 1 << (_SHIFTS[1:] - 1)


def encode_rle(mask: Mask) -> bytes:
    """Compressed COCO run lengths, byte for byte those of pycocotools (2.0, rleToString).

    Runs go down the columns, the first one of pixels that are off; from the fourth on each is written
    as its difference to the last but one, in groups of 5 bits.
    """
    flat = np.asarray(mask, dtype=bool).T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts_on = bool(flat.size and flat[0])
    edges = np.empty(len(changes) + 2 + starts_on, np.int64)
    edges[: 1 + starts_on] = 0
    edges[1 + starts_on : -1] = changes
    edges[-1] = flat.size
    return encode_runs(edges[1:] - edges[:-1])


def encode_runs(counts: NDArray[np.int64]) -> bytes:
    """Compressed COCO run lengths of the plain counts, off and on in turn, off first."""
    values = counts.copy()
    values[3:] -= counts[1:-2]
    size = np.where(values < 0, ~values, values)
    groups = np.searchsorted(_REACH, size, side="right") + 1
    most = int(groups.max())
    characters = (values[:, None] >> _SHIFTS[:most]) & (_MORE - 1)
    index = np.arange(most)
    characters |= np.where(index < groups[:, None] - 1, _MORE, 0)
    written = (characters + _FIRST_CHARACTER)[index < groups[:, None]]
    return written.astype(np.uint8).tobytes()


def decode_rle(rle: bytes, width: int, height: int) -> Mask:
    """The mask (height, width) of compressed COCO run lengths; ValueError when they do not fill it."""
    counts = run_lengths(rle)
    if (counts < 0).any() or counts.sum() != width * height:
        raise ValueError(f"run lengths do not fill a mask of {width} x {height} pixels")
    on = np.zeros(len(counts), bool)
    on[1::2] = True
    return np.repeat(on, counts).reshape(width, height).T


def run_lengths(rle: bytes) -> NDArray[np.int64]:
    """The plain counts in compressed COCO run lengths, off and on in turn, off first."""
    raw = np.frombuffer(rle, np.uint8).astype(np.int64) - _FIRST_CHARACTER
    last = (raw & _MORE) == 0
    if not raw.size or raw.min() < 0 or raw.max() >= 2 * _MORE or not last[-1]:
        raise ValueError("not compressed COCO run lengths")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    if place.max() >= len(_SHIFTS):
        raise ValueError("not compressed COCO run lengths")
    values = np.add.reduceat((raw & (_MORE - 1)) << _SHIFTS[place], starts)
    negative = (raw[ends] & _SIGN) != 0
    values[negative] -= np.int64(1) << (_BITS * (place[ends][negative] + 1))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def rle_area(rle: bytes) -> int:
    """Pixels that are on, without building the mask."""
    return int(run_lengths(rle)[1::2].sum())


def windows(boxes: NDArray[np.floating[Any]], width: int, height: int) -> NDArray[np.intp]:
    """Left, top, right, bottom of every box's window in a picture, ends excluded, (N, 4) integers.

    Boxes (N, 4) are rounded to the float32 that tables hold first, so that everyone who reads a table
    finds the same window. A window has at least one pixel, also for a box outside the picture.
    """
    stored = np.asarray(boxes, np.float32).astype(np.float64).reshape(-1, 4)
    limit = np.array([width, height])
    first = np.clip(np.floor(stored[:, :2]), 0, limit - 1)
    last = np.clip(np.ceil(stored[:, :2] + stored[:, 2:]), first + 1, limit)
    return np.concatenate([first, last], axis=1).astype(np.intp)


def paste(mask: Mask, left: int, top: int, width: int, height: int) -> Mask:
    """The mask of a whole picture, from one whose top left pixel is (left, top); outside is cut off."""
    whole = np.zeros((height, width), bool)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], width), min(top + mask.shape[0], height)
    if x1 > x0 and y1 > y0:
        whole[y0:y1, x0:x1] = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole


def tight_box(mask: Mask) -> tuple[int, int, int, int] | None:
    """x, y, w, h of the pixels that are on, or None where there are none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def mask_iou(first: Mask, second: Mask) -> float:
    """Intersection over union of two masks of one shape; 0 where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def placed_iou(
    first: Mask, first_corner: tuple[int, int], second: Mask, second_corner: tuple[int, int]
) -> float:
    """Intersection over union of two masks whose top left pixels (x, y) lie in one picture."""
    left, top = (max(a, b) for a, b in zip(first_corner, second_corner, strict=True))
    right = min(first_corner[0] + first.shape[1], second_corner[0] + second.shape[1])
    bottom = min(first_corner[1] + first.shape[0], second_corner[1] + second.shape[0])
    shared = 0
    if right > left and bottom > top:
        common = (left, top, right, bottom)
        shared = int(
            np.count_nonzero(_part(first, first_corner, common) & _part(second, second_corner, common))
        )
    union = np.count_nonzero(first) + np.count_nonzero(second) - shared
    return shared / union if union else 0.0


def _part(mask: Mask, corner: tuple[int, int], region: tuple[int, int, int, int]) -> Mask:
    x, y = corner
    left, top, right, bottom = region
    return mask[top - y : bottom - y, left - x : right - x]
