"""Which boxes of a frame overlap, and which pairs of them belong together, for all frames at once.

Pairs are flat arrays ordered by frame, then truth row, then track row: far fewer than all combinations,
since two boxes of a frame seldom touch. Results equal a full assignment of every frame.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

EPSILON = float(np.finfo(np.float64).eps)

_CHUNK = 1 << 16
# Weights closer than this share of each other could be a tie: such frames are assigned in full.
_TIE_MARGIN = 1e-9


class Pairs(NamedTuple):
    """Pairs of one truth row and one track row of the same frame, with their similarity above 0."""

    truth: IntArray
    track: IntArray
    similarity: FloatArray

    def keep(self, chosen: NDArray[Any]) -> Pairs:
        """The pairs of a mask or an index array."""
        return Pairs(self.truth[chosen], self.track[chosen], self.similarity[chosen])


def frame_starts(frames: IntArray, frame_count: int) -> IntArray:
    """Where each frame's rows start, (frame_count + 1,), for rows ordered by frame."""
    return np.searchsorted(frames, np.arange(frame_count + 1)).astype(np.int64)


def same_frame_chunks(
    truth_frames: IntArray, track_starts: IntArray
) -> list[tuple[IntArray, IntArray]]:
    """All same-frame combinations as (truth rows, track rows), in pieces that fit a cache."""
    first = track_starts[truth_frames]
    count = track_starts[truth_frames + 1] - first
    ends = np.cumsum(count)
    pieces = []
    start = 0
    while start < len(truth_frames):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        piece = count[start:stop]
        total = int(piece.sum())
        before = np.cumsum(piece) - piece
        rows = np.repeat(np.arange(start, stop), piece)
        columns = np.arange(total) + np.repeat(first[start:stop] - before, piece)
        pieces.append((rows, columns))
        start = stop
    return pieces


def overlapping_boxes(
    truth_frames: IntArray,
    truth_boxes: FloatArray,
    track_boxes: FloatArray,
    track_starts: IntArray,
) -> Pairs:
    """Same-frame pairs of boxes with an intersection over union above 0 (TrackEval 1.3.0, bit for bit).

    Rows of both sides are ordered by frame. Areas come from the corners, a box of area at most EPSILON
    overlaps nothing.
    """
    # Contiguous columns: each is gathered for every pair.
    left_a, top_a, right_a, bottom_a = _corners(truth_boxes)
    left_b, top_b, right_b, bottom_b = _corners(track_boxes)
    area_a = (right_a - left_a) * (bottom_a - top_a)
    area_b = (right_b - left_b) * (bottom_b - top_b)
    found: list[Pairs] = []
    for rows, columns in same_frame_chunks(truth_frames, track_starts):
        width = np.minimum(right_a[rows], right_b[columns])
        width -= np.maximum(left_a[rows], left_b[columns])
        touching = np.flatnonzero(width > 0)
        a, b, width = rows[touching], columns[touching], width[touching]
        height = np.minimum(bottom_a[a], bottom_b[b]) - np.maximum(top_a[a], top_b[b])
        touching = np.flatnonzero(height > 0)
        a, b = a[touching], b[touching]
        shared = width[touching] * height[touching]
        first, second = area_a[a], area_b[b]
        union = first + second - shared
        with np.errstate(divide="ignore", invalid="ignore"):
            similarity = shared / union
        solid = (first > EPSILON) & (second > EPSILON) & (union > EPSILON) & (similarity > 0)
        found.append(Pairs(a, b, similarity).keep(solid))
    return join_pairs(found)


def join_pairs(parts: list[Pairs]) -> Pairs:
    """One set of pairs from several, in order."""
    if not parts:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _corners(boxes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    left, top, width, height = np.ascontiguousarray(boxes.T)
    return left, top, left + width, top + height


def best_assignment(
    pairs: Pairs,
    weights: FloatArray,
    truth_starts: IntArray,
    track_starts: IntArray,
    pair_frames: IntArray,
) -> BoolArray:
    """Mask of the pairs of a one-to-one assignment of greatest total weight in every frame.

    A pair that outweighs the sum of its strongest rivals on both sides is in every best assignment, so
    most frames are settled by peeling such pairs off. Frames that stay open are assigned in full, with
    rows and columns in the order of the rows, so that exact ties fall as in scipy on the full matrix.
    """
    chosen = np.zeros(len(weights), dtype=bool)
    alive = np.flatnonzero(weights > 0)
    taken_truth = np.zeros(int(truth_starts[-1]), dtype=bool)
    taken_track = np.zeros(int(track_starts[-1]), dtype=bool)
    while len(alive):
        rows, columns, values = pairs.truth[alive], pairs.track[alive], weights[alive]
        rivals = _strongest_other(rows, values, len(taken_truth))
        rivals += _strongest_other(columns, values, len(taken_track))
        certain = values > rivals * (1 + _TIE_MARGIN)
        if not certain.any():
            break
        chosen[alive[certain]] = True
        taken_truth[rows[certain]] = True
        taken_track[columns[certain]] = True
        alive = alive[~(taken_truth[rows] | taken_track[columns])]
    for frame in np.unique(pair_frames[alive]).tolist():
        first, last = np.searchsorted(pair_frames, (frame, frame + 1))
        piece = slice(int(first), int(last))
        chosen[piece] = assign_frame(
            pairs.truth[piece] - truth_starts[frame],
            pairs.track[piece] - track_starts[frame],
            weights[piece],
            int(truth_starts[frame + 1] - truth_starts[frame]),
            int(track_starts[frame + 1] - track_starts[frame]),
        )
    return chosen


def _strongest_other(groups: IntArray, values: FloatArray, count: int) -> FloatArray:
    """For each value the greatest other value of its group, 0 where it is alone."""
    greatest = np.zeros(count)
    np.maximum.at(greatest, groups, values)
    is_greatest = values == greatest[groups]
    holders = np.bincount(groups[is_greatest], minlength=count)
    second = np.zeros(count)
    np.maximum.at(second, groups[~is_greatest], values[~is_greatest])
    alone_at_top = is_greatest & (holders[groups] == 1)
    return np.where(alone_at_top, second[groups], greatest[groups])


def assign_frame(
    rows: IntArray, columns: IntArray, weights: FloatArray, row_count: int, column_count: int
) -> BoolArray:
    """Mask of the pairs that scipy's assignment of the full matrix takes, those of weight 0 aside."""
    cost = np.zeros((row_count, column_count))
    cost[rows, columns] = -weights
    taken = np.full(row_count, -1)
    best_rows, best_columns = assignment_solver()(cost)
    taken[best_rows] = best_columns
    matched: BoolArray = (taken[rows] == columns) & (weights > 0)
    return matched


@cache
def assignment_solver() -> Callable[..., tuple[IntArray, IntArray]]:
    """scipy's `linear_sum_assignment`.

    Importing scipy.optimize takes longer than scoring a set of games, so the compiled module that holds
    the function is loaded alone where it lies at its usual place.
    """
    package = importlib.util.find_spec("scipy")
    folders = package.submodule_search_locations if package else None
    if "scipy.optimize" not in sys.modules and folders:
        for suffix in EXTENSION_SUFFIXES:
            file = Path(folders[0]) / "optimize" / f"_lsap{suffix}"
            if file.is_file():
                loader = ExtensionFileLoader("scipy.optimize._lsap", str(file))
                spec = importlib.util.spec_from_loader(loader.name, loader)
                if spec is not None:
                    module = importlib.util.module_from_spec(spec)
                    loader.exec_module(module)
                    solver: Callable[..., tuple[IntArray, IntArray]] = module.linear_sum_assignment
                    return solver
    from scipy.optimize import linear_sum_assignment

    whole: Callable[..., tuple[IntArray, IntArray]] = linear_sum_assignment
    return whole


def contested_frames(pairs: Pairs, pair_frames: IntArray) -> IntArray:
    """Frames in which some row has more than one pair, so that a choice must be made."""
    if not len(pairs.truth):
        return np.empty(0, np.int64)
    shared_truth = np.bincount(pairs.truth)[pairs.truth] > 1
    shared_track = np.bincount(pairs.track)[pairs.track] > 1
    return np.unique(pair_frames[shared_truth | shared_track])
