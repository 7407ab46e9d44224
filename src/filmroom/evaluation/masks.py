"""Overlap of masks as compressed COCO run lengths, without unpacking them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.masks import rle_area, run_lengths


def run_length_area(rle: bytes) -> int:
    """Pixels that are on."""
    return rle_area(rle)


def run_length_intersections(first: Sequence[bytes], second: Sequence[bytes]) -> NDArray[np.float64]:
    """Pixels on in both, (first, second); all masks are of one size.

    Between two neighbouring ends of any runs every mask is all on or all off, so the masks shrink to
    rows over those pieces, and one product of matrices counts what each pair shares.
    """
    ends = [np.cumsum(run_lengths(rle)) for rle in (*first, *second)]
    bounds = np.unique(np.concatenate([np.zeros(1, np.int64), *ends]))
    toggles = np.stack(
        [np.bincount(np.searchsorted(bounds, each), minlength=len(bounds)) for each in ends]
    )
    is_on = (np.cumsum(toggles, axis=1)[:, :-1] % 2).astype(np.float64)
    shared: NDArray[np.float64] = (is_on[: len(first)] * np.diff(bounds)) @ is_on[len(first) :].T
    return shared


def run_length_overlaps(
    found: Sequence[bytes], truth: Sequence[bytes], crowds: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Intersection over union, (found, truth); over the found mask's area for crowd regions."""
    shared = run_length_intersections(found, truth)
    found_areas = np.array([run_length_area(each) for each in found], dtype=float)[:, None]
    truth_areas = np.array([run_length_area(each) for each in truth], dtype=float)
    union = np.where(crowds, found_areas, found_areas + truth_areas - shared)
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)
