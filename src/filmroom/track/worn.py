"""The numbers on people's backs as evidence of who is who, while tracklets are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmroom.track.pieces import Pieces

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME_SIGHT = 0.2  # seconds within which reads of one person see the same picture
_FAR = 1 << 40  # more frames than there are


@dataclass(frozen=True)
class NumberReads:
    """Single reads: `key` (R,) of the detection (`tables.detection_keys`), `nats` (R, K) what each adds
    to the log-likelihood of each of K numbers, `prior` (K,) the share of people who wear each.
    """

    key: Ints
    nats: Matrix
    prior: Matrix


@dataclass(frozen=True)
class Worn:
    """What all reads of each of P tracklets say: `nats` (P, K) and `prior` (K,) as in `NumberReads`."""

    nats: Matrix
    prior: Matrix

    @staticmethod
    def nothing(count: int) -> Worn:
        """Of `count` tracklets on which nothing was read."""
        return Worn(np.zeros((count, 0)), np.zeros(0))

    @staticmethod
    def of(reads: NumberReads, key: Ints, pieces: Pieces, rate: float) -> Worn:
        """`key` (N,) are the detections that `pieces.index` counts.

        Reads that follow each other at once share their weight.
        """
        owner = np.repeat(np.arange(len(pieces.edge) - 1), np.diff(pieces.edge))
        order = np.argsort(key[pieces.index])
        known = key[pieces.index][order]
        place = np.minimum(np.searchsorted(known, reads.key), max(len(known) - 1, 0))
        read = np.flatnonzero(known[place] == reads.key) if len(known) else np.zeros(0, np.int64)
        position = order[place[read]] if len(read) else read
        nats = np.zeros((len(pieces.edge) - 1, reads.nats.shape[1]))
        # In order of tracklet, then frame: reads of the same sight lie beside each other.
        moment = owner[position] * _FAR + pieces.row[position]
        in_order = np.sort(moment)
        reach = int(_SAME_SIGHT * rate)
        near = np.searchsorted(in_order, moment + reach, side="right")
        near -= np.searchsorted(in_order, moment - reach, side="left")
        np.add.at(nats, owner[position], reads.nats[read] / np.maximum(near, 1)[:, None])
        return Worn(nats, reads.prior)

    def likelihood(self, total: Matrix) -> Matrix:
        """Log-likelihood (N,) of sums (N, K) of nats being one person's, less that of nobody's."""
        if not total.shape[1]:
            return np.zeros(len(total))
        unread = np.full((len(total), 1), np.log(1 - self.prior.sum()))
        result: Matrix = np.logaddexp.reduce(np.hstack([total + np.log(self.prior), unread]), axis=1)
        return result

    def odds(self, first: Ints, second: Ints) -> Matrix:
        """Log-odds (N,) that tracklets `first` and `second` are the same person, by their numbers."""
        a, b = self.nats[first], self.nats[second]
        return self.likelihood(a + b) - self.likelihood(a) - self.likelihood(b)
