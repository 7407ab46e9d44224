"""Which boxes of a frame overlap, and which pairs of them belong together, for all frames at once.

Pairs are flat arrays ordered by frame, then truth row, then track row: far fewer than all combinations,
since two boxes of a frame seldom touch. Results equal a full assignment of every frame.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
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
_BLOCK_FRAMES = 1 << 11
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
    truth_boxes: FloatArray, truth_starts: IntArray, track_boxes: FloatArray, track_starts: IntArray
) -> Pairs:
    """Same-frame pairs of boxes with an intersection over union above 0 (TrackEval 1.3.0, bit for bit).

    Rows of both sides are ordered by frame, `..._starts` say where each frame's rows start. Areas come
    from the corners, a box of area at most EPSILON overlaps nothing.
    """
    corners_a, corners_b = _corners(truth_boxes), _corners(track_boxes)
    with np.errstate(over="ignore"):
        area_a, area_b = (
            (right - left) * (bottom - top) for left, top, right, bottom in (corners_a, corners_b)
        )
    found: list[Pairs] = []
    for first, last in _frame_blocks(truth_starts, track_starts):
        starts_a, starts_b = truth_starts[first : last + 1], track_starts[first : last + 1]
        # One table (frames, truth, tracks) with room for the fullest frame: no gathering of single
        # boxes, which would cost several times the arithmetic.
        left_a, top_a, right_a, bottom_a = (each[:, :, None] for each in _padded(corners_a, starts_a))
        left_b, top_b, right_b, bottom_b = (each[:, None, :] for each in _padded(corners_b, starts_b))
        width = np.minimum(right_a, right_b)
        width -= np.maximum(left_a, left_b)
        height = np.minimum(bottom_a, bottom_b)
        height -= np.maximum(top_a, top_b)
        touching = np.flatnonzero((width > 0) & (height > 0))
        frame, place = np.divmod(touching, max(1, width.shape[1] * width.shape[2]))
        a = starts_a[frame] + place // max(1, width.shape[2])
        b = starts_b[frame] + place % max(1, width.shape[2])
        shared = width.ravel()[touching] * height.ravel()[touching]
        area_of_a, area_of_b = area_a[a], area_b[b]
        union = area_of_a + area_of_b - shared
        with np.errstate(all="ignore"):
            similarity = shared / union
        solid = (area_of_a > EPSILON) & (area_of_b > EPSILON) & (union > EPSILON) & (similarity > 0)
        found.append(Pairs(a, b, similarity).keep(solid))
    return join_pairs(found)


def _frame_blocks(truth_starts: IntArray, track_starts: IntArray) -> Iterator[tuple[int, int]]:
    """Runs of frames (first, last + 1) whose padded table of pairs fits a cache."""
    truth_count, track_count = np.diff(truth_starts), np.diff(track_starts)
    first = 0
    while first < len(truth_count):
        ahead = slice(first, first + _BLOCK_FRAMES)
        size = np.maximum.accumulate(truth_count[ahead]) * np.maximum.accumulate(track_count[ahead])
        size *= np.arange(1, len(size) + 1)
        last = first + max(1, int(np.searchsorted(size, _CHUNK, side="right")))
        yield first, last
        first = last


def _padded(corners: tuple[FloatArray, ...], starts: IntArray) -> list[FloatArray]:
    """Left, top, right, bottom as (frames, most boxes of a frame); empty places touch nothing."""
    count = np.diff(starts)
    filled = np.arange(int(count.max(initial=0))) < count[:, None]
    tables = []
    for corner, empty in zip(corners, (np.inf, np.inf, -np.inf, -np.inf), strict=True):
        table = np.full(filled.shape, empty)
        table[filled] = corner[starts[0] : starts[-1]]
        tables.append(table)
    return tables


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
    positive = weights > 0
    contested = contested_pairs(pairs)
    chosen = positive & ~contested
    alive = np.flatnonzero(positive & contested)
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


def contested_pairs(pairs: Pairs) -> BoolArray:
    """Mask of the pairs whose truth or track row has another pair, so that a choice must be made."""
    shared_truth = np.bincount(pairs.truth)[pairs.truth] > 1
    shared_track = np.bincount(pairs.track)[pairs.track] > 1
    contested: BoolArray = shared_truth | shared_track
    return contested


def settle_few(rows: list[int], columns: list[int], weights: list[float]) -> list[int] | None:
    """Indices of the best one-to-one assignment of a handful of pairs, None if a tie is too near.

    The rule of best_assignment: a pair that outweighs the sum of its strongest rivals is chosen.
    """
    chosen: list[int] = []
    alive = list(range(len(rows)))
    while alive:
        for index in alive:
            row, column = rows[index], columns[index]
            along_row = along_column = 0.0
            for other in alive:
                if other == index:
                    continue
                if rows[other] == row:
                    along_row = max(along_row, weights[other])
                if columns[other] == column:
                    along_column = max(along_column, weights[other])
            if weights[index] > (along_row + along_column) * (1 + _TIE_MARGIN):
                break
        else:
            return None
        chosen.append(index)
        alive = [each for each in alive if rows[each] != row and columns[each] != column]
    return chosen
