"""How alike tracklets look, learnt from the match itself, without labels, in closed form.

Tracklets that surely hold one person say how much one person's looks vary; tracklets seen at the same
time are different people and say how people differ. From both follow the directions in which people
of this match can be told apart (Fisher's discriminant) and the log-odds that two tracklets are one
person (the two-covariance model of Brummer and de Villiers 2010, eq. 26, also known as PLDA).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.boxes import ious
from filmroom.track.pieces import Pieces

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]
Looked = NDArray[np.floating]

_BLOCK = 8192
_FIRST_AT_ONCE = 256  # stretches that are compared with all others at once
_LEAST_UNSTEADY = 0.2  # times the spread of single looks


@dataclass(frozen=True)
class LikenessSettings:
    """How looks are compared.

    clear
        Overlap (IoU) with another box up to which a look surely shows its own person.
    fewest
        Looks of a stretch below which it says nothing about how one person's looks vary.
    directions, kit_directions
        Most directions in which people are told apart by what they look like, and by their kits: mates
        wear the same.
    shrinkage
        Share of the spread of one person's looks that is taken to be the same in all directions.
    fewest_pairs
        Pairs of stretches seen at once below which nothing can be learnt.
    drift
        Variance, in those of a single look, by which someone looks another way at another time and
        place, however many looks there are.
    trust
        What log-odds are multiplied by: looks of one tracklet resemble each other more than a model of
        independent looks believes.
    bounds
        Least and most log-odds.
    """

    clear: float = 0.6
    fewest: int = 4
    directions: int = 32
    kit_directions: int = 2
    shrinkage: float = 0.3
    fewest_pairs: int = 30
    drift: float = 0.3
    trust: float = 0.6
    bounds: tuple[float, float] = (-2.0, 4.0)


@dataclass(frozen=True)
class Likeness:
    """What is known of the looks of P tracklets, in K directions of unit spread within a person.

    `mean` (P, K), `spread` (P, K) the variance of each mean (infinite where there is no look), and
    `between` (K,) the variance of people.
    """

    mean: Matrix
    spread: Matrix
    between: Matrix
    trust: float
    bounds: tuple[float, float]

    @staticmethod
    def joined(parts: Sequence[Likeness]) -> Likeness:
        """What several kinds of looks say together, as if none knew of the others."""
        return Likeness(
            np.hstack([part.mean for part in parts]),
            np.hstack([part.spread for part in parts]),
            np.concatenate([part.between for part in parts]),
            parts[0].trust,
            parts[0].bounds,
        )

    def odds(self, first: Ints, second: Ints) -> Matrix:
        """Log-odds (N,) that tracklets `first` and `second` are the same person, by their looks."""
        known = np.isfinite(self.spread[first]) & np.isfinite(self.spread[second])
        of_a = self.between + np.where(known, self.spread[first], 1.0)
        of_b = self.between + np.where(known, self.spread[second], 1.0)
        x, y = self.mean[first], self.mean[second]
        determinant = of_a * of_b - self.between**2
        together = (of_b * x * x - 2 * self.between * x * y + of_a * y * y) / determinant
        apart = x * x / of_a + y * y / of_b
        single = 0.5 * (np.log(of_a * of_b / determinant) + apart - together)
        total = np.where(known, single, 0.0).sum(axis=1)
        result: Matrix = np.clip(self.trust * total, *self.bounds)
        return result


def blocks(count: int) -> Iterator[slice]:
    """Parts of `count` rows that hold few enough for wide intermediate arrays."""
    for start in range(0, count, _BLOCK):
        yield slice(start, start + _BLOCK)


class Looks(NamedTuple):
    """What M of the detections look like: `place` (M,) in the order of `Pieces`, rising, and `vector`
    (M, D) of length 1, in single precision. Most frames are not looked at closely, so most detections
    have none.
    """

    place: Ints
    vector: Looked


def learn_likeness(
    pieces: Pieces,
    seen: Looks,
    covered: Matrix,
    rate: float,
    settings: LikenessSettings | None = None,
) -> Likeness | None:
    """Learn from the tracklets of a clip how to tell its people apart; None where it is too short.

    `covered` (N,) is the greatest overlap of each detection (before it was put in order) with another
    of its frame.
    """
    settings = settings or LikenessSettings()
    owner = np.repeat(np.arange(len(pieces.edge) - 1), np.diff(pieces.edge))
    clear = covered[pieces.index[seen.place]] <= settings.clear
    sure = seen.place[clear]
    if len(sure) < settings.fewest:
        return None
    looks = seen.vector[clear]
    looks -= looks.mean(axis=0, dtype=np.float64).astype(looks.dtype)
    stretch = _stretches(owner[sure], pieces.row[sure], rate)
    within = _within(looks, stretch, settings.fewest)
    people = _between(looks, stretch, pieces.row[sure], settings)
    if within is None or people is None:
        return None
    base, apart = _directions(within, people, settings)
    look = np.concatenate([looks[part] @ base for part in blocks(len(looks))])
    unsteady = _unsteady(look, stretch, settings.fewest)
    count = np.bincount(stretch)
    long = count[count >= settings.fewest]
    usual = unsteady * _variance_of_mean(long, settings.drift).mean()
    between = np.maximum(apart - usual, 0.0)
    mean = np.zeros((len(pieces.edge) - 1, base.shape[1]))
    count = np.bincount(owner[sure], minlength=len(mean))
    np.add.at(mean, owner[sure], look)
    mean /= np.maximum(count, 1)[:, None]
    spread = unsteady * _variance_of_mean(count, settings.drift)[:, None]
    kept = between > 0
    return Likeness(mean[:, kept], spread[:, kept], between[kept], settings.trust, settings.bounds)


def _variance_of_mean(count: Ints, drift: float) -> Matrix:
    """Variance of the mean of so many looks, in those of a single one; infinite for none."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt(1.0 / count) + drift)


def _stretches(owner: Ints, row: Ints, rate: float) -> Ints:
    """Numbers from 0 of stretches without a doubt: broken where a person was covered for a while."""
    fresh = (np.diff(owner, prepend=-1) != 0) | (np.diff(row, prepend=-1) > 0.5 * rate)
    return np.cumsum(fresh) - 1


def _means(looks: Looked, stretch: Ints) -> tuple[Matrix, Ints]:
    count = np.bincount(stretch)
    total = np.zeros((len(count), looks.shape[1]))
    np.add.at(total, stretch, looks)
    return total / count[:, None], count


def _within(looks: Looked, stretch: Ints, fewest: int) -> Matrix | None:
    """Covariance of one person's looks."""
    mean, count = _means(looks, stretch)
    used = count[stretch] >= fewest
    free = np.count_nonzero(used) - np.count_nonzero(count >= fewest)
    if free < 2 * fewest:
        return None
    scatter = np.zeros((looks.shape[1], looks.shape[1]))
    # All differences of a match at once would be the largest array there is.
    for part in blocks(len(looks)):
        off = (looks[part] - mean[stretch[part]])[used[part]]
        scatter += off.T @ off
    result: Matrix = scatter / free
    return result


def _between(looks: Looked, stretch: Ints, row: Ints, settings: LikenessSettings) -> Matrix | None:
    """Half the mean square difference of people seen at the same time."""
    mean, count = _means(looks, stretch)
    long = np.flatnonzero(count >= settings.fewest)
    edge = np.cumsum([0, *count])
    start, end = row[edge[:-1]][long], row[edge[1:] - 1][long]
    place = np.arange(len(long))
    scatter = np.zeros((looks.shape[1], looks.shape[1]))
    pairs = 0
    for first in np.array_split(place, 1 + len(long) // _FIRST_AT_ONCE):
        at_once = (start[first, None] <= end) & (start <= end[first, None]) & (place > first[:, None])
        one, other = np.nonzero(at_once)
        apart = mean[long[first[one]]] - mean[long[other]]
        scatter += apart.T @ apart
        pairs += len(one)
    if pairs < settings.fewest_pairs:
        return None
    return np.asarray(scatter / (2 * pairs))


def _directions(within: Matrix, people: Matrix, settings: LikenessSettings) -> tuple[Matrix, Matrix]:
    """Directions (D, K) of unit spread within a person, and the variance (K,) of people in them."""
    from scipy.linalg import eigh

    size = len(within)
    even = np.trace(within) / size * np.eye(size)
    spread = (1 - settings.shrinkage) * within + settings.shrinkage * even + 1e-9 * np.eye(size)
    value, vector = eigh(people, spread)
    best = np.argsort(-value)[: settings.directions]
    best = best[value[best] > 0]
    return vector[:, best], value[best]


def _unsteady(look: Matrix, stretch: Ints, fewest: int) -> Matrix:
    """Variance (K,) of a single look, so that halves of stretches differ as they do.

    Looks that follow each other are alike: the mean of n of them is taken to be off by 1 / sqrt(n) of
    this, not by 1 / n.
    """
    count = np.bincount(stretch)
    place = np.arange(len(stretch)) - np.repeat(np.cumsum(count) - count, count)
    late = (place >= (count[stretch] + 1) // 2).astype(np.int64)
    halves, number = _means(look, np.unique(2 * stretch + late, return_inverse=True)[1])
    whole = np.flatnonzero(count >= 2 * fewest)
    if not len(whole):
        return np.ones(look.shape[1])
    first = np.searchsorted(np.unique(2 * stretch + late), 2 * whole)
    off = (halves[first] - halves[first + 1]) ** 2
    share = np.sqrt(1 / number[first]) + np.sqrt(1 / number[first + 1])
    result: Matrix = np.maximum((off / share[:, None]).mean(axis=0), _LEAST_UNSTEADY)
    return result


def overlaps(row: Ints, corner: Matrix) -> Matrix:
    """Greatest IoU (N,) of each box (x, y, w, h) with another of its row; rows in order."""
    result = np.zeros(len(row))
    edge = np.flatnonzero(np.diff(row, prepend=-1, append=-1))
    for start, end in itertools.pairwise(edge):
        shared = ious(corner[start:end], corner[start:end])
        np.fill_diagonal(shared, 0.0)
        result[start:end] = shared.max(axis=1)
    return result
