"""Which track goes on in which detection: the best total, and how close the choice was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]


def assign(
    likeness: Matrix, least: float, *, whole: bool = False, extra: Matrix | None = None
) -> tuple[Ints, Ints]:
    """Rows and columns of the pairs of greatest total likeness (T, N) that are above `least`.

    What counts is the excess over `least`; with `whole` the likeness itself, and what is `extra`, pairs
    whose likeness is no more than `least` being struck out afterwards.
    """
    if extra is not None:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(likeness + extra, maximize=True)
        good = likeness[rows, columns] > least
        return rows[good], columns[good]
    if likeness.shape[0] >= likeness.shape[1]:
        rows, columns = _undisputed(likeness, least, whole)
    else:
        columns, rows = _undisputed(likeness.T, least, whole)
    if rows is None or columns is None:
        from scipy.optimize import linear_sum_assignment

        gain = likeness if whole else np.maximum(likeness - least, 0.0)
        rows, columns = linear_sum_assignment(gain, maximize=True)
        good = likeness[rows, columns] > least
        rows, columns = rows[good], columns[good]
    return rows, columns


def _undisputed(likeness: Matrix, least: float, whole: bool) -> tuple[Ints | None, Ints | None]:
    """The assignment where no two columns want the same row: each has its best, so none is better."""
    count = likeness.shape[1]
    rows, columns = likeness.argmax(axis=0), np.arange(count)
    wanted = likeness[rows, columns] > least
    every = np.count_nonzero(wanted) == count
    if not every and not whole:
        columns = wanted.nonzero()[0]
        rows = rows[columns]
    if len(set(rows.tolist())) < len(rows):
        return None, None
    if not every and whole:
        return rows[wanted], columns[wanted]
    return rows, columns


def margins(likeness: Matrix, rows: Ints, columns: Ints) -> tuple[Matrix, Ints]:
    """What exchanging each pair with the most tempting other one would have cost, and which that is.

    The second is the other pair's place in the list. With a single pair: infinity, and -1.
    """
    count = len(rows)
    if count < 2:
        return np.full(count, np.inf), np.full(count, -1)
    pairs = likeness.take(rows, axis=0).take(columns, axis=1)
    pairs -= pairs.diagonal().copy()
    tempting = pairs + pairs.T
    tempting.ravel()[:: count + 1] = -np.inf
    rival = tempting.argmax(axis=1)
    cost = tempting[np.arange(count), rival]
    return np.negative(cost, out=cost), rival
