"""Player-centric action spotting: precision, recall and F1 as FOOTPASS' own script (1a8de2a, 2025).

Ochin et al., "FOOTPASS", 2025. An action is right if frame (within a tolerance), team, shirt number and
class agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from filmroom.evaluation.matching import FloatArray, IntArray

TOLERANCE = 12
"""Frames to either side, at 25 a second."""

CONFIDENCE = 0.15
"""Actions less sure than this are not looked at."""


@dataclass(frozen=True)
class ActionCounts:
    """Hits, false alarms and truth of each class, (classes,)."""

    hits: IntArray
    false: IntArray
    truth: IntArray

    def figures(self, label: int | None = None) -> dict[str, float | int]:
        """Precision, recall, F1 and counts of one class, or of all together (micro)."""
        chosen = slice(None) if label is None else label
        hits, false, truth = (int(np.sum(each[chosen])) for each in (self.hits, self.false, self.truth))
        precision = hits / (hits + false) if hits + false else 0.0
        recall = hits / truth if truth else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return {
            "F1": f1, "precision": precision, "recall": recall, "TP": hits, "FP": false,
            "FN": truth - hits, "truth": truth,
        }  # fmt: skip


def score_player_actions(
    truth: Mapping[str, IntArray],
    predictions: Mapping[str, tuple[IntArray, FloatArray]],
    class_count: int,
    tolerance: int = TOLERANCE,
    confidence: float = CONFIDENCE,
) -> ActionCounts:
    """Counts over halves that both sides have.

    `truth` (N, 4) and `predictions` ((M, 4), (M,)): frame, team, jersey, class from 1, and confidence.
    The surest prediction first takes the nearest free event of its team, jersey and class.
    """
    counts = np.zeros((3, class_count), dtype=np.int64)
    for key in sorted(set(truth) & set(predictions)):
        counts += _score_half(truth[key], *predictions[key], class_count, tolerance, confidence)
    return ActionCounts(*counts)


def _score_half(
    truth: IntArray,
    rows: IntArray,
    confidences: FloatArray,
    class_count: int,
    tolerance: int,
    least: float,
) -> IntArray:
    in_range = (truth[:, 3] >= 1) & (truth[:, 3] <= class_count)
    truth = truth[in_range]
    keep = (confidences >= least) & (rows[:, 3] >= 1) & (rows[:, 3] <= class_count)
    rows, confidences = rows[keep], confidences[keep]
    groups: dict[tuple[int, ...], list[int]] = {}
    for frame, *group in truth[np.argsort(truth[:, 0], kind="stable")].tolist():
        groups.setdefault(tuple(group), []).append(frame)
    counts = np.zeros((3, class_count), dtype=np.int64)
    counts[2] = np.bincount(truth[:, 3] - 1, minlength=class_count)
    for frame, *group in rows[np.argsort(-confidences, kind="stable")].tolist():
        free = groups.get(tuple(group), [])
        # min() keeps the earlier of two equally near events, as the official scan does.
        nearest = min(free, key=lambda each: abs(each - frame), default=None)
        if nearest is not None and abs(nearest - frame) <= tolerance:
            free.remove(nearest)
            counts[0, group[2] - 1] += 1
        else:
            counts[1, group[2] - 1] += 1
    return counts
