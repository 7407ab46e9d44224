"""Shirt numbers of tracklets: accuracy as SoccerNet 0.2.0 (`Evaluation.JerseyNumber`), and more.

-1 stands for no number that can be read and is a class of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filmroom.evaluation.matching import BoolArray, IntArray

NO_NUMBER = -1


@dataclass(frozen=True)
class JerseyScores:
    """`accuracy` over all tracklets; `precision` of the numbers given, `coverage` the share of readable
    tracklets that were given one, `recall` the share of them given the right one; None where undefined.

    `confusion` counts (true, given) pairs.
    """

    accuracy: float | None
    precision: float | None
    coverage: float | None
    recall: float | None
    confusion: dict[tuple[int, int], int]


def score_jersey(truth: IntArray, given: IntArray) -> JerseyScores:
    """Scores of numbers (N,) against true numbers (N,)."""
    right = truth == given
    readable, named = truth != NO_NUMBER, given != NO_NUMBER
    pairs, counts = np.unique(np.stack([truth, given], axis=1), axis=0, return_counts=True)
    return JerseyScores(
        _share(right, np.ones(len(truth), dtype=bool)),
        _share(right, named),
        _share(named, readable),
        _share(right, readable),
        {
            (int(true), int(claimed)): int(count)
            for (true, claimed), count in zip(pairs.tolist(), counts.tolist(), strict=True)
        },
    )


def _share(hits: BoolArray, among: BoolArray) -> float | None:
    total = int(among.sum())
    return int((hits & among).sum()) / total if total else None
