"""COCO's ways to write a mask (polygons, run lengths) as compressed run lengths.

Polygons are filled as pycocotools 2.0 fills them (`rleFrPoly`), pixel for pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.geometry.masks import decode_rle, encode_rle, encode_runs, run_lengths

_FARTHEST = 1e9
_MOST_PIXELS = 1 << 30

_FINER = 5
"""Outlines are walked on a grid this many times finer than the pixels."""


def compressed_mask(segmentation: Any, width: int, height: int, place: str = "segmentation") -> bytes:
    """Compressed run lengths of an annotation's `segmentation` in a picture of `width` x `height`.

    InputError naming `place` and reason: neither of the three forms, another size, runs that do not
    fill the picture.
    """
    if width <= 0 or height <= 0 or width * height > _MOST_PIXELS:
        raise InputError(f"{place}: the truth does not give the size of the picture")
    if isinstance(segmentation, list):
        return _filled(segmentation, width, height, place)
    if not isinstance(segmentation, dict) or not {"size", "counts"} <= set(segmentation):
        raise InputError(f"{place}: neither polygons nor run lengths (size and counts)")
    if segmentation["size"] != [height, width]:
        raise InputError(
            f"{place}: size {segmentation['size']}, the picture is {height} high and {width} wide"
        )
    counts = segmentation["counts"]
    if isinstance(counts, list):
        return _packed(counts, width, height, place)
    if not isinstance(counts, str):
        raise InputError(f"{place}: counts are neither a list nor a text")
    try:
        runs = run_lengths(counts.encode())
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    if (runs < 0).any() or runs.sum() != width * height:
        raise InputError(f"{place}: the run lengths do not fill {width} x {height} pixels")
    return counts.encode()


def _packed(counts: list[Any], width: int, height: int, place: str) -> bytes:
    if not all(isinstance(each, int) and each >= 0 for each in counts) or sum(counts) != width * height:
        raise InputError(f"{place}: the run lengths do not fill {width} x {height} pixels")
    return encode_runs(np.array(counts, dtype=np.int64))


def _filled(polygons: list[Any], width: int, height: int, place: str) -> bytes:
    masks = []
    for index, polygon in enumerate(polygons):
        numbers = isinstance(polygon, list) and all(
            isinstance(each, int | float) and abs(each) < _FARTHEST for each in polygon
        )
        if not numbers or len(polygon) % 2 or len(polygon) < 6:
            raise InputError(
                f"{place}[{index}]: a polygon is a list of x, y, x, y ... of three corners"
            )
        masks.append(fill_polygon(np.array(polygon, dtype=float).reshape(-1, 2), width, height))
    if len(masks) == 1:
        return masks[0]
    united = np.zeros((height, width), dtype=bool)
    for mask in masks:
        united |= decode_rle(mask, width, height)
    return encode_rle(united)


def fill_polygon(corners: NDArray[np.float64], width: int, height: int) -> bytes:
    """Compressed run lengths of the pixels inside a polygon of corners (N, 2) x, y."""
    grid = (_FINER * corners + 0.5).astype(np.int64)
    xs, ys = _outline(grid)
    turned = np.flatnonzero(xs[1:] != xs[:-1]) + 1
    # Where the outline steps from one column of the fine grid to the next, it may cross the middle of a
    # column of pixels: from there on downwards the mask changes.
    column = (np.minimum(xs[turned], xs[turned - 1]) + 0.5) / _FINER - 0.5
    whole = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    row = (np.minimum(ys[turned], ys[turned - 1]) + 0.5) / _FINER - 0.5
    row = np.ceil(np.clip(row, 0, height))
    places, times = np.unique(
        (column[whole] * height + row[whole]).astype(np.int64), return_counts=True
    )
    changes = places[(times % 2 == 1) & (places < width * height)]
    return encode_runs(np.diff(np.concatenate([[0], changes, [width * height]])))


def _outline(grid: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every point of the fine grid along the closed outline, edge by edge."""
    xs, ys = [], []
    for (x0, y0), (x1, y1) in zip(grid.tolist(), np.roll(grid, -1, axis=0).tolist(), strict=True):
        across, down = abs(x1 - x0), abs(y1 - y0)
        # Edges are always walked in the direction of growth and then turned round, for the rounding.
        flipped = (across >= down and x0 > x1) or (across < down and y0 > y1)
        (xa, ya), (xb, yb) = ((x1, y1), (x0, y0)) if flipped else ((x0, y0), (x1, y1))
        steps = np.arange(max(across, down) + 1)
        if across >= down:
            slope = (yb - ya) / across if across else 0.0
            x, y = xa + steps, (ya + slope * steps + 0.5).astype(np.int64)
        else:
            x, y = (xa + (xb - xa) / down * steps + 0.5).astype(np.int64), ya + steps
        xs.append(x[::-1] if flipped else x)
        ys.append(y[::-1] if flipped else y)
    return np.concatenate(xs), np.concatenate(ys)
