"""Boxes as (N, 4) arrays of `x, y, w, h`: pixels of the shown picture, origin top left, pixel edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


def areas(boxes: FloatArray) -> FloatArray:
    """Area of each box, square pixels, shape (N,)."""
    product: FloatArray = boxes[:, 2] * boxes[:, 3]
    return product


def intersections(first: FloatArray, second: FloatArray) -> FloatArray:
    """Area shared by every pair of boxes, shape (N, M)."""
    left = np.maximum(first[:, None, 0], second[None, :, 0])
    top = np.maximum(first[:, None, 1], second[None, :, 1])
    right = np.minimum((first[:, 0] + first[:, 2])[:, None], (second[:, 0] + second[:, 2])[None, :])
    bottom = np.minimum((first[:, 1] + first[:, 3])[:, None], (second[:, 1] + second[:, 3])[None, :])
    shared: FloatArray = np.clip(right - left, 0, None) * np.clip(bottom - top, 0, None)
    return shared


def ious(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of every pair, shape (N, M), 0 where both are empty."""
    shared = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def overlap_of_smaller(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over the smaller area of every pair (IoS), shape (N, M)."""
    shared = intersections(first, second)
    smaller = np.minimum(areas(first)[:, None], areas(second)[None, :])
    return np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)


def pair_by_overlap(
    first: FloatArray, second: FloatArray, least: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the one-to-one pairing of greatest total IoU; pairs of at most `least` go."""
    from scipy.optimize import linear_sum_assignment

    overlap = ious(first, second)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    good = overlap[rows, columns] > least
    return rows[good], columns[good]


def expand(boxes: FloatArray, share: float | FloatArray) -> FloatArray:
    """Grow every side by `share` of the width or height (expanded IoU, Yang et al. 2023)."""
    grown = np.array(boxes, dtype=float, copy=True)
    share = np.broadcast_to(np.asarray(share, dtype=float), (len(boxes),))
    grown[:, 0] -= share * boxes[:, 2]
    grown[:, 1] -= share * boxes[:, 3]
    grown[:, 2] += 2 * share * boxes[:, 2]
    grown[:, 3] += 2 * share * boxes[:, 3]
    return grown


def clip(boxes: FloatArray, width: int, height: int) -> FloatArray:
    """Cut boxes at the border of the picture; a box wholly outside keeps zero area."""
    left = np.clip(boxes[:, 0], 0, width)
    top = np.clip(boxes[:, 1], 0, height)
    right = np.clip(boxes[:, 0] + boxes[:, 2], 0, width)
    bottom = np.clip(boxes[:, 1] + boxes[:, 3], 0, height)
    return np.stack([left, top, right - left, bottom - top], axis=1)


def shares_across(boxes: FloatArray, x: FloatArray) -> FloatArray:
    """How far across its box each x (N,) lies: 0 at the left edge or beyond it, 1 at the right."""
    return np.clip((x - boxes[:, 0]) / np.maximum(boxes[:, 2], 1e-6), 0, 1)


def non_maximum_suppression(
    boxes: FloatArray, scores: FloatArray, threshold: float
) -> NDArray[np.intp]:
    """Indices kept, best score first, so that no two kept boxes overlap by more than `threshold` IoU.

    Equal scores are ordered by index, so the result depends on nothing else.
    """
    order = np.argsort(-scores, kind="stable")
    overlap = ious(boxes[order], boxes[order]) > threshold
    kept = np.ones(len(order), dtype=bool)
    for index in range(len(order)):
        if kept[index]:
            kept[index + 1 :] &= ~overlap[index, index + 1 :]
    return order[kept]
