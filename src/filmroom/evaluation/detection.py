"""Average precision and recall of boxes or masks, equal to COCO's evaluator.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; evaluator matched: pycocotools
2.0.11 (`COCOeval`, `bbox` and `segm`), with its twelve figures by their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.evaluation.matching import BoolArray, FloatArray, IntArray, same_frame_chunks

IOU_THRESHOLDS: FloatArray = np.linspace(0.5, 0.95, 10)
RECALL_GRID: FloatArray = np.linspace(0.0, 1.0, 101)
AREA_RANGES: Mapping[str, tuple[float, float]] = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
MOST_DETECTIONS = (1, 10, 100)

_NOT_QUITE_ONE = 1 - 1e-10


@dataclass(frozen=True)
class TruthObjects:
    """What is in the pictures, one row an object.

    `images` (N,) index of the picture, 0 to image_count - 1 in the order of the picture ids;
    `categories` (N,) index of the category; `boxes` (N, 4) x, y, w, h; `areas` (N,) that decide
    small, medium, large; `crowds` (N,) regions that may be found many times and never count; `ids`
    (N,) annotation ids. `masks` holds compressed run lengths for `iou="mask"`.
    """

    images: IntArray
    categories: IntArray
    boxes: FloatArray
    areas: FloatArray
    crowds: BoolArray
    ids: IntArray
    image_count: int
    category_names: tuple[str, ...]
    masks: Sequence[Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FoundObjects:
    """What was found: `images`, `categories`, `boxes` as in TruthObjects, and `scores` (N,)."""

    images: IntArray
    categories: IntArray
    boxes: FloatArray
    scores: FloatArray
    masks: Sequence[Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DetectionScores:
    """Twelve COCO figures of all categories and of each; None where nothing could be scored.

    `precision` is (10, 101, categories, 4, 3): IoU threshold, recall, category, area range, most
    detections; `recall` (10, categories, 4, 3); -1 where a category has no truth in the range.
    """

    combined: dict[str, float | None]
    categories: dict[str, dict[str, float | None]]
    precision: FloatArray
    recall: FloatArray


def score_detection(
    truth: TruthObjects,
    found: FoundObjects,
    iou: str = "box",
    unmatched_zero_id: bool = True,
) -> DetectionScores:
    """AP, AP50, AP75, AR1 ... over IoU 0.50 to 0.95, as COCOeval's summary.

    `unmatched_zero_id` keeps a fault of the official code: an object whose annotation id is 0 counts as
    never found. Of equal scores the one earlier in the list goes first, picture by picture.
    """
    kept = _keep(truth, found)
    pairs = _overlaps(truth, found, kept, iou)
    matched, ignored = _match(truth, found, kept, pairs, unmatched_zero_id)
    precision, recall = _accumulate(truth, found, kept, matched, ignored)
    return DetectionScores(
        _summary(precision, recall),
        {
            name: _summary(precision[:, :, index : index + 1], recall[:, index : index + 1])
            for index, name in enumerate(truth.category_names)
        },
        precision,
        recall,
    )


class _Kept(NamedTuple):
    """The detections that count, by picture, category and falling score."""

    row: IntArray
    group: IntArray
    """Picture and category in one number."""
    rank: IntArray
    """Place in the group, below 100."""


def _keep(truth: TruthObjects, found: FoundObjects) -> _Kept:
    order = np.lexsort((-found.scores, found.categories, found.images))
    group = found.images[order] * len(truth.category_names) + found.categories[order]
    rank = np.arange(len(order)) - np.searchsorted(group, group)
    keep = rank < MOST_DETECTIONS[-1]
    return _Kept(order[keep], group[keep], rank[keep])


@dataclass(frozen=True)
class _Overlaps:
    """Pairs of a kept detection and an object with IoU of at least the lowest threshold.

    Ordered by detection, then IoU, then object in the order of the list: of the pairs a detection may
    have, the official scan ends with the last.
    """

    found: IntArray
    truth: IntArray
    iou: FloatArray


def _overlaps(truth: TruthObjects, found: FoundObjects, kept: _Kept, iou: str) -> _Overlaps:
    truth_order = np.lexsort((truth.categories, truth.images))
    count = len(truth.category_names)
    truth_group = truth.images[truth_order] * count + truth.categories[truth_order]
    starts = np.searchsorted(truth_group, np.arange(truth.image_count * count + 1)).astype(np.int64)
    parts = []
    for rows, columns in same_frame_chunks(kept.group, starts):
        objects = truth_order[columns]
        if iou == "mask":
            values = _mask_ious(truth, found, kept.row[rows], objects)
        else:
            values = _box_ious(found.boxes[kept.row[rows]], truth.boxes[objects], truth.crowds[objects])
        near = values >= min(IOU_THRESHOLDS[0], _NOT_QUITE_ONE)
        parts.append((rows[near], objects[near], values[near]))
    if not parts:
        return _Overlaps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    rows, objects, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((objects, values, rows))
    return _Overlaps(rows[order], objects[order], values[order])


def _box_ious(found: FloatArray, truth: FloatArray, crowds: BoolArray) -> FloatArray:
    width = np.minimum(found[:, 0] + found[:, 2], truth[:, 0] + truth[:, 2])
    width -= np.maximum(found[:, 0], truth[:, 0])
    height = np.minimum(found[:, 1] + found[:, 3], truth[:, 1] + truth[:, 3])
    height -= np.maximum(found[:, 1], truth[:, 1])
    shared = np.where((width > 0) & (height > 0), width * height, 0.0)
    area = found[:, 2] * found[:, 3]
    union = np.where(crowds, area, area + truth[:, 2] * truth[:, 3] - shared)
    return np.divide(shared, union, out=np.zeros(len(shared)), where=shared > 0)


def _mask_ious(
    truth: TruthObjects, found: FoundObjects, rows: IntArray, objects: IntArray
) -> FloatArray:
    from filmroom.evaluation.masks import run_length_overlaps

    if truth.masks is None or found.masks is None:
        raise ValueError("masks are needed on both sides for iou='mask'")
    values = np.zeros(len(rows))
    images = found.images[rows]
    for piece in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(images)) + 1):
        mine, row_place = np.unique(rows[piece], return_inverse=True)
        theirs, object_place = np.unique(objects[piece], return_inverse=True)
        overlaps = run_length_overlaps(
            [found.masks[each] for each in mine.tolist()],
            [truth.masks[each] for each in theirs.tolist()],
            truth.crowds[theirs],
        )
        values[piece] = overlaps[row_place, object_place]
    return values


def _ranges() -> tuple[FloatArray, FloatArray]:
    low, high = zip(*AREA_RANGES.values(), strict=True)
    return np.array(low)[:, None], np.array(high)[:, None]


def _ignored_truth(truth: TruthObjects) -> BoolArray:
    low, high = _ranges()
    outside: BoolArray = truth.crowds | (truth.areas < low) | (truth.areas > high)
    return outside


def _match(
    truth: TruthObjects,
    found: FoundObjects,
    kept: _Kept,
    pairs: _Overlaps,
    unmatched_zero_id: bool,
) -> tuple[BoolArray, BoolArray]:
    """(4, 10, kept): matched, and not to be counted, for each area range and IoU threshold.

    Greedy by score: all detections of one rank, of all pictures and categories, at once.
    """
    thresholds = np.minimum(IOU_THRESHOLDS, _NOT_QUITE_ONE)
    areas, levels = len(AREA_RANGES), len(thresholds)
    ignored_truth = _ignored_truth(truth)
    matched = np.zeros((areas, levels, len(kept.row)), dtype=bool)
    ignored = np.zeros_like(matched)
    taken = np.zeros((areas, levels, len(truth.ids)), dtype=bool)
    position = np.arange(len(pairs.truth))
    real = ~ignored_truth[:, pairs.truth]
    preference = position + np.where(real, len(position), 0)
    reaches = pairs.iou >= thresholds[:, None]
    pair_rank = kept.rank[pairs.found]
    by_rank = np.argsort(pair_rank, kind="stable")
    bounds = np.searchsorted(pair_rank[by_rank], np.arange(MOST_DETECTIONS[-1] + 1))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if start == stop:
            continue
        now = by_rank[start:stop]
        objects = pairs.truth[now]
        free = ~taken[:, :, objects] | truth.crowds[objects]
        value = np.where(reaches[None, :, now] & free, preference[:, None, now], -1)
        first = np.flatnonzero(np.diff(pairs.found[now], prepend=-1))
        best = np.maximum.reduceat(value, first, axis=2)
        area, level, slot = np.nonzero(best >= 0)
        pair = best[area, level, slot] % max(1, len(position))
        detection = pairs.found[now[first]][slot]
        matched[area, level, detection] = True
        ignored[area, level, detection] = ignored_truth[area, pairs.truth[pair]]
        taken[area, level, pairs.truth[pair]] = True
        if unmatched_zero_id:
            nameless = truth.ids[pairs.truth[pair]] == 0
            matched[area[nameless], level[nameless], detection[nameless]] = False
    low, high = _ranges()
    size = _found_areas(found)[kept.row]
    outside = (size < low) | (size > high)
    ignored |= ~matched & outside[:, None]
    return matched, ignored


def _found_areas(found: FoundObjects) -> FloatArray:
    if found.masks is not None:
        from filmroom.evaluation.masks import run_length_area

        return np.array([run_length_area(mask) for mask in found.masks], dtype=float)
    return found.boxes[:, 2] * found.boxes[:, 3]


def _accumulate(
    truth: TruthObjects,
    found: FoundObjects,
    kept: _Kept,
    matched: BoolArray,
    ignored: BoolArray,
) -> tuple[FloatArray, FloatArray]:
    categories = len(truth.category_names)
    shape = (len(IOU_THRESHOLDS), categories, len(AREA_RANGES), len(MOST_DETECTIONS))
    precision = -np.ones((shape[0], len(RECALL_GRID), *shape[1:]))
    recall = -np.ones(shape)
    counted = ~_ignored_truth(truth)
    of_category = found.categories[kept.row]
    scores = found.scores[kept.row]
    for category in range(categories):
        # Kept detections are ordered by picture, so a stable sort by score equals the official one.
        mine = np.flatnonzero(of_category == category)
        mine = mine[np.argsort(-scores[mine], kind="stable")]
        positives = counted[:, truth.categories == category].sum(axis=1)
        for most, limit in enumerate(MOST_DETECTIONS):
            chosen = mine[kept.rank[mine] < limit]
            hits = matched[:, :, chosen] & ~ignored[:, :, chosen]
            false = ~matched[:, :, chosen] & ~ignored[:, :, chosen]
            true_sum, false_sum = np.cumsum(hits, axis=2), np.cumsum(false, axis=2)
            for area in np.flatnonzero(positives).tolist():
                for level in range(shape[0]):
                    curve, reached = _curve(
                        true_sum[area, level], false_sum[area, level], int(positives[area])
                    )
                    precision[level, :, category, area, most] = curve
                    recall[level, category, area, most] = reached
    return precision, recall


def _curve(true_sum: IntArray, false_sum: IntArray, positives: int) -> tuple[FloatArray, float]:
    """Precision at the recall grid, never rising, and the recall reached at the end."""
    sampled = np.zeros(len(RECALL_GRID))
    if not len(true_sum):
        return sampled, 0.0
    recall = true_sum / positives
    precision = true_sum / (false_sum + true_sum + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    index = np.searchsorted(recall, RECALL_GRID, side="left")
    inside = index < len(precision)
    sampled[inside] = precision[index[inside]]
    return sampled, float(recall[-1])


def _summary(precision: FloatArray, recall: FloatArray) -> dict[str, float | None]:
    areas = list(AREA_RANGES)

    def mean(values: NDArray[Any]) -> float | None:
        valid = values[values > -1]
        return float(np.mean(valid)) if len(valid) else None

    every = slice(None)

    def average_precision(level: int | slice, area: str) -> float | None:
        return mean(precision[level, :, :, areas.index(area), -1])

    return {
        "AP": average_precision(every, "all"),
        "AP50": average_precision(0, "all"),
        "AP75": average_precision(5, "all"),
        "APsmall": average_precision(every, "small"),
        "APmedium": average_precision(every, "medium"),
        "APlarge": average_precision(every, "large"),
        "AR1": mean(recall[:, :, 0, 0]),
        "AR10": mean(recall[:, :, 0, 1]),
        "AR100": mean(recall[:, :, 0, 2]),
        "ARsmall": mean(recall[:, :, areas.index("small"), -1]),
        "ARmedium": mean(recall[:, :, areas.index("medium"), -1]),
        "ARlarge": mean(recall[:, :, areas.index("large"), -1]),
    }
