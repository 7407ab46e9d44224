"""Chains of tracklets put right by what all of each chain looks like, and by the numbers read on it.

Who follows whom is first decided pair by pair; a short tracklet between two long ones then hides that
these look different. Here ends of chains are exchanged as long as that makes all chains together more
likely: the log-odds of their joints, and the likelihood of the looks of each chain being one person's
(the two-covariance model over a whole set; Brummer and de Villiers 2010, eq. 21).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.track.in_match import Likeness, blocks
from filmroom.track.worn import Worn

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_GAIN = 0.05  # log-odds; less is not worth a change
_MOST_ROUNDS = 500


def rearrange(
    following: Ints,
    first: Ints,
    second: Ints,
    odds: Matrix,
    start: Ints,
    likeness: Likeness,
    worn: Worn | None = None,
) -> Ints:
    """For every tracklet the one that follows it (-1 none), changed where looks and numbers gain by
    it.

    `first`, `second`, `odds` (N,) are the pairs that may follow each other, by everything but those, in
    order of `first`, then `second`; `start` (P,) tells the order of the tracklets in time.
    """
    count = len(following)
    key = first * count + second
    order = np.argsort(key)
    first, second, odds, key = first[order], second[order], odds[order], key[order]
    following = following.copy()
    worn = worn or Worn.nothing(count)
    for _ in range(_MOST_ROUNDS):
        chain = _Chains(following, start, likeness, worn)
        joints = _Joints(key, odds, count)
        gain = np.empty(len(first))
        for part in blocks(len(first)):
            gain[part] = _gains(first[part], second[part], odds[part], chain, joints)
        worth = np.flatnonzero(gain >= _LEAST_GAIN)
        if not len(worth):
            break
        # What two chains gain does not depend on the others: all that share none change at once.
        changed = np.zeros(count, bool)
        for best in worth[np.argsort(-gain[worth], kind="stable")].tolist():
            a, d = int(first[best]), int(second[best])
            one, other = chain.owner[a], chain.owner[d]
            if changed[one] or changed[other]:
                continue
            changed[[one, other]] = True
            b, c = int(following[a]), int(chain.before[d])
            following[a] = d
            if c >= 0:
                following[c] = b
    return following


class _Joints:
    """Log-odds of one tracklet following another; impossible where no pair is known."""

    def __init__(self, key: Ints, odds: Matrix, count: int) -> None:
        self.key, self.odds, self.count = key, odds, count

    def of(self, first: Ints, second: Ints) -> Matrix:
        """(N,); 0 where either is -1: whoever begins or ends there needs no joint."""
        result = np.zeros(len(first))
        real = (first >= 0) & (second >= 0)
        wanted = first[real] * self.count + second[real]
        place = np.minimum(np.searchsorted(self.key, wanted), max(len(self.key) - 1, 0))
        known = self.key[place] == wanted if len(self.key) else np.zeros(len(wanted), bool)
        result[real] = np.where(known, self.odds[place] if len(self.key) else 0.0, -np.inf)
        return result


class _Chains:
    """Who precedes whom, which chain each belongs to, and the looks up to and from each tracklet."""

    def __init__(self, following: Ints, start: Ints, likeness: Likeness, worn: Worn) -> None:
        count = len(following)
        self.following, self.likeness, self.worn = following, likeness, worn
        self.before = np.full(count, -1)
        linked = np.flatnonzero(following >= 0)
        self.before[following[linked]] = linked
        weight = np.where(np.isfinite(likeness.spread), 1 / np.maximum(likeness.spread, 1e-9), 0.0)
        own = np.hstack([weight, likeness.mean * weight, worn.nats])
        self.upto, self.from_on = own.copy(), own.copy()
        self.owner = np.arange(count)
        in_time = np.argsort(start, kind="stable")
        for one in in_time.tolist():
            earlier = self.before[one]
            if earlier >= 0:
                self.upto[one] += self.upto[earlier]
                self.owner[one] = self.owner[earlier]
        for one in in_time[::-1].tolist():
            if following[one] >= 0:
                self.from_on[one] += self.from_on[following[one]]

    def looks(self, total: Matrix) -> Matrix:
        """Log-likelihood (N,) of sums of looks and reads being one person's, less that of nobody's."""
        total, nats = np.split(total, [total.shape[1] - self.worn.nats.shape[1]], axis=1)
        between = self.likeness.between
        weight, sums = np.split(total, 2, axis=1)
        grown = 1 + between * weight
        fit = 0.5 * between * sums**2 / grown - 0.5 * np.log(grown)
        looks = self.likeness.trust * fit.sum(axis=1)
        return np.asarray(looks + self.worn.likelihood(nats))

    def part(self, sums: Matrix, rows: Ints) -> Matrix:
        """Rows of `upto` or `from_on`; nothing for -1."""
        result = sums[np.maximum(rows, 0)].copy()
        result[rows < 0] = 0.0
        return result


def _gains(first: Ints, second: Ints, odds: Matrix, chain: _Chains, joints: _Joints) -> Matrix:
    """What it would bring to let `second` follow `first`, and their former neighbours each other."""
    a, d = first, second
    b, c = chain.following[a], chain.before[d]
    change = odds + joints.of(c, b) - joints.of(a, b) - joints.of(c, d)
    head, tail = chain.upto[a], chain.from_on[d]
    head_c, tail_b = chain.part(chain.upto, c), chain.part(chain.from_on, b)
    looks = chain.looks(head + tail) + chain.looks(head_c + tail_b)
    looks -= chain.looks(head + tail_b) + chain.looks(head_c + tail)
    gain: Matrix = change + looks
    # Within one chain nothing is exchanged: that would only part it, and looks are trusted less to
    # part people than to say which of several somebody is.
    gain[chain.owner[a] == chain.owner[d]] = -np.inf
    return np.nan_to_num(gain, nan=-np.inf)
