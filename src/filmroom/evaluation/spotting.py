"""Average-mAP of action spotting, equal to SoccerNet's evaluator.

Giancola et al., "SoccerNet: A Scalable Dataset for Action Spotting in Soccer Videos", CVPRW 2018;
Deliège et al., "SoccerNet-v2", CVPRW 2021. Evaluator matched: SoccerNet 0.2.0
(`Evaluation.ActionSpotting`). It fills one cell per frame and class; here only the events themselves
are kept, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from filmroom.evaluation.matching import BoolArray, FloatArray, IntArray

TOLERANCES: Mapping[str, tuple[int, ...]] = {
    "loose": tuple(range(5, 61, 5)),
    "tight": (1, 2, 3, 4, 5),
    "at1": (1,),
    "at2": (2,),
    "at3": (3,),
    "at4": (4,),
    "at5": (5,),
}
"""Tolerances in seconds of each metric. A tolerance of d seconds allows d/2 to either side."""

THRESHOLDS: FloatArray = np.linspace(0, 1, 200)

_HALF_SECONDS = 120 * 60
_UNSHOWN_FACTOR = (17, 13)
_SUBSETS = ("", "_visible", "_unshown")


@dataclass(frozen=True)
class SpottedTruth:
    """Events that happened: `units` (N,) index of the half, `labels` (N,) index of the class, `seconds`
    (N,) from the start of the half's video, `shown` (N,) whether the camera shows them.
    """

    units: IntArray
    labels: IntArray
    seconds: FloatArray
    shown: BoolArray


@dataclass(frozen=True)
class SpottedEvents:
    """Spotted events: `units`, `labels`, `seconds` as in SpottedTruth, and `confidences` (N,)."""

    units: IntArray
    labels: IntArray
    seconds: FloatArray
    confidences: FloatArray


class Precision(NamedTuple):
    """AP of one metric: the mean over classes and each class, of all, visible and unshown events."""

    all: float
    visible: float
    unshown: float
    per_class: FloatArray
    per_class_visible: FloatArray
    per_class_unshown: FloatArray


def score_spotting(
    truth: SpottedTruth,
    events: SpottedEvents,
    class_count: int,
    frame_rate: int = 2,
    metrics: Sequence[str] = tuple(TOLERANCES),
) -> dict[str, Precision]:
    """Average-mAP of the metrics asked for (see TOLERANCES).

    Positions are cut down to whole frames of `frame_rate`. Two events of a class in one frame of a half
    count as one, the later in the list. Confidences below 0 do not count, those above 1 tie at the top.
    A class without truth has AP 0 and still enters the mean.
    """
    grid = _grid(truth, events, class_count, frame_rate)
    wanted = sorted({tolerance for metric in metrics for tolerance in TOLERANCES[metric]})
    curves = {
        tolerance: _average_precisions(grid, _match(grid, tolerance * frame_rate), class_count)
        for tolerance in wanted
    }
    return {metric: _average([curves[each] for each in TOLERANCES[metric]]) for metric in metrics}


def score_team_spotting(
    truth: SpottedTruth,
    truth_sides: IntArray,
    events: SpottedEvents,
    event_sides: IntArray,
    class_count: int,
    frame_rate: int = 25,
    tolerance: int = 1,
) -> tuple[float, FloatArray]:
    """Team-mAP and each class's AP, (class_count,): classes are split by side (0 left, 1 right).

    Sides weigh by their events, where an event not shown takes one away; a class without truth is NaN
    and makes the mean NaN (SoccerNet/sn-teamspotting 091fed2).
    """
    split_truth = SpottedTruth(truth.units, 2 * truth.labels + truth_sides, truth.seconds, truth.shown)
    split_events = SpottedEvents(
        events.units, 2 * events.labels + event_sides, events.seconds, events.confidences
    )
    grid = _grid(split_truth, split_events, 2 * class_count, frame_rate)
    matched = _match(grid, tolerance * frame_rate)
    precision = _average_precisions(grid, matched, 2 * class_count)[0].reshape(-1, 2)
    signs = np.where(grid.shown, 1.0, -1.0)
    weight = np.bincount(grid.truth_label, signs, minlength=2 * class_count).reshape(-1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_class = (precision * weight).sum(axis=1) / weight.sum(axis=1)
    return float(per_class.mean()), per_class


def precision_recall(
    truth: SpottedTruth,
    events: SpottedEvents,
    class_count: int,
    frame_rate: int = 2,
    tolerance: int = 5,
) -> list[tuple[FloatArray, FloatArray]]:
    """Recall and precision of each class at the 200 thresholds, for one tolerance in seconds."""
    grid = _grid(truth, events, class_count, frame_rate)
    matched = _match(grid, tolerance * frame_rate)
    curves = []
    for label in range(class_count):
        mine = grid.event_label == label
        total = int((grid.truth_label == label).sum())
        precision, recall = _curve(grid.confidence[mine], matched[mine], total)
        curves.append((recall, precision))
    return curves


@dataclass(frozen=True)
class _Grid:
    """Truth and events after rounding to frames, ordered by class of a half, then frame.

    `truth_key` and `event_key` place every frame of every group on one line, groups far apart.
    """

    truth_key: IntArray
    truth_group: IntArray
    truth_label: IntArray
    shown: BoolArray
    event_key: IntArray
    event_label: IntArray
    confidence: FloatArray
    nearest_shown: BoolArray


def _grid(truth: SpottedTruth, events: SpottedEvents, class_count: int, frame_rate: int) -> _Grid:
    size = _HALF_SECONDS * frame_rate
    stride = 4 * size
    truth_group = truth.units * class_count + truth.labels
    event_group = events.units * class_count + events.labels
    truth_key = truth_group * stride + _frames(truth.seconds, frame_rate, size)
    event_key = event_group * stride + _frames(events.seconds, frame_rate, size)
    last_truth, last_event = _last_of_each(truth_key), _last_of_each(event_key)
    # An event below 0 also wipes out an earlier one of its frame, so it may only go now.
    last_event = last_event[events.confidences[last_event] >= 0]
    truth_key, truth_group = truth_key[last_truth], truth_group[last_truth]
    shown = truth.shown[last_truth]
    event_key = event_key[last_event]
    return _Grid(
        truth_key,
        truth_group,
        truth.labels[last_truth],
        shown,
        event_key,
        events.labels[last_event],
        events.confidences[last_event],
        _nearest_shown(truth_key, truth_group, shown, event_key, event_group[last_event]),
    )


def _frames(seconds: FloatArray, frame_rate: int, size: int) -> IntArray:
    return np.minimum(np.trunc(frame_rate * seconds).astype(np.int64), size - 1)


def _last_of_each(keys: IntArray) -> IntArray:
    """Index of the last element of every key, in the order of the keys."""
    _, first = np.unique(keys[::-1], return_index=True)
    return len(keys) - 1 - first


def _nearest_shown(
    truth_key: IntArray,
    truth_group: IntArray,
    shown: BoolArray,
    event_key: IntArray,
    event_group: IntArray,
) -> BoolArray:
    """Whether the truth event nearest to each spotted one is shown; False where its half has none.

    The border between two truth events is the floor of their middle, as cells of the official map.
    """
    first = np.searchsorted(truth_group, event_group)
    has_truth = first < len(truth_group)
    has_truth[has_truth] = truth_group[first[has_truth]] == event_group[has_truth]
    same = truth_group[1:] == truth_group[:-1]
    borders = ((truth_key[1:] + truth_key[:-1]) // 2)[same]
    border_groups = truth_group[1:][same]
    passed = np.searchsorted(borders, event_key, side="right")
    passed -= np.searchsorted(border_groups, event_group)
    nearest = np.zeros(len(event_key), dtype=bool)
    nearest[has_truth] = shown[(first + passed)[has_truth]]
    return nearest


def _match(grid: _Grid, tolerance_frames: int) -> BoolArray:
    """Mask of the spotted events that hit something.

    Every truth event, in time order, takes the most confident one still free within reach. All halves
    and classes go side by side, one truth event of each at a time.
    """
    reach = tolerance_frames // 2
    low = np.searchsorted(grid.event_key, grid.truth_key - reach)
    high = np.searchsorted(grid.event_key, grid.truth_key + reach, side="right")
    rank = np.arange(len(grid.truth_key)) - np.searchsorted(grid.truth_group, grid.truth_group)
    order = np.lexsort((-np.arange(len(grid.event_key)), grid.confidence))
    preference = np.empty(len(order), dtype=np.int64)
    preference[order] = np.arange(len(order))
    hit = np.zeros(len(grid.event_key), dtype=bool)
    busy = np.flatnonzero(high > low)
    busy = busy[np.argsort(rank[busy], kind="stable")]
    bounds = np.searchsorted(rank[busy], np.arange(int(rank.max(initial=-1)) + 2))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        now = busy[start:stop]
        if not len(now):
            continue
        count = high[now] - low[now]
        ends = np.cumsum(count)
        candidates = np.arange(ends[-1]) + np.repeat(low[now] - (ends - count), count)
        value = np.where(hit[candidates], -1, preference[candidates])
        best = np.maximum.reduceat(value, ends - count)
        hit[order[best[best >= 0]]] = True
    return hit


def _average_precisions(
    grid: _Grid, hit: BoolArray, class_count: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """AP of each class over all, visible and unshown events."""
    results = np.zeros((3, class_count))
    truth_subsets = (np.ones(len(grid.shown), dtype=bool), grid.shown, ~grid.shown)
    event_subsets = (np.ones(len(hit), dtype=bool), grid.nearest_shown, ~grid.nearest_shown)
    order = np.argsort(grid.event_label, kind="stable")
    bounds = np.searchsorted(grid.event_label[order], np.arange(class_count + 1))
    for index, (of_truth, of_events) in enumerate(zip(truth_subsets, event_subsets, strict=True)):
        totals = np.bincount(grid.truth_label[of_truth], minlength=class_count)
        for label in range(class_count):
            mine = order[bounds[label] : bounds[label + 1]]
            mine = mine[of_events[mine]]
            precision, recall = _curve(grid.confidence[mine], hit[mine], int(totals[label]))
            results[index, label] = _eleven_points(precision, recall)
    return results[0], results[1], results[2]


def _curve(confidence: FloatArray, hit: BoolArray, total: int) -> tuple[FloatArray, FloatArray]:
    """Precision and recall at the 200 thresholds."""
    above = len(confidence) - np.searchsorted(np.sort(confidence), THRESHOLDS)
    hits = int(hit.sum()) - np.searchsorted(np.sort(confidence[hit]), THRESHOLDS)
    precision = np.divide(hits, above, out=np.zeros(len(THRESHOLDS)), where=above > 0)
    recall = hits / total if total else np.zeros(len(THRESHOLDS))
    return precision, recall


def _eleven_points(precision: FloatArray, recall: FloatArray) -> float:
    total = 0.0
    for level in np.arange(11) / 10:
        reached = precision[recall >= level]
        total += float(reached.max()) if len(reached) else 0.0
    return total / 11


def _average(curves: list[tuple[FloatArray, FloatArray, FloatArray]]) -> Precision:
    """Trapezoid over tolerances; the unshown mean times 17/13, as four classes are always shown."""
    if len(curves) == 1:
        means = [float(np.mean(each)) for each in curves[0]]
        return Precision(means[0], means[1], means[2], *curves[0])
    per_class, means = [], []
    for values in zip(*curves, strict=True):
        per_class.append(_trapezoid(np.stack(values)))
        means.append(float(_trapezoid(np.array([np.mean(each) for each in values]))))
    unshown = means[2] * _UNSHOWN_FACTOR[0] / _UNSHOWN_FACTOR[1]
    return Precision(means[0], means[1], unshown, *per_class)


def _trapezoid(values: FloatArray) -> FloatArray:
    total = np.zeros(values.shape[1:])
    for first, second in pairwise(values):
        total = total + (first + second) / 2
    return total / (len(values) - 1)
