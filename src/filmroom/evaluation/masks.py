"""Overlap of masks as compressed COCO run lengths, without unpacking them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.masks import rle_area, run_lengths


def run_length_area(rle: bytes) -> int:
    """Pixels that are on."""
    return rle_area(rle)


def run_length_intersection(first: bytes, second: bytes) -> int:
    """Pixels on in both; both masks are of one size."""
    a, b = np.cumsum(run_lengths(first)), np.cumsum(run_lengths(second))
    bounds = np.union1d(np.concatenate([[0], a]), b)
    starts, lengths = bounds[:-1], np.diff(bounds)
    return int(lengths[_is_on(a, starts) & _is_on(b, starts)].sum())


def run_length_overlap(found: bytes, truth: bytes, crowd: bool = False) -> float:
    """Intersection over union, or over the found mask's area where the truth is a crowd region."""
    shared = run_length_intersection(found, truth)
    union = run_length_area(found)
    if not crowd:
        union += run_length_area(truth) - shared
    return shared / union if shared else 0.0


def _is_on(ends: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Runs are off and on in turn, so the parity of the run a pixel lies in tells its state.
    odd: NDArray[np.bool_] = np.searchsorted(ends, pixels, side="right") % 2 == 1
    return odd
