"""Which track goes on in which box: the best total, found without a solver where nobody disputes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linear_sum_assignment

from filmroom.track.assign import assign, margins

likenesses = arrays(
    float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-5, 5, width=16)
)


@given(likenesses, st.sampled_from([0.0, 1.0]))
def test_no_other_pairs_have_more_in_excess_of_the_least(likeness: np.ndarray, least: float) -> None:
    rows, columns = assign(likeness, least)
    gain = np.maximum(likeness - least, 0)
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    assert gain[rows, columns].sum() == pytest.approx(best)
    assert (likeness[rows, columns] > least).all()
    assert len(set(rows)) == len(set(columns)) == len(rows)


@given(likenesses)
def test_the_whole_likeness_counts_where_that_is_wanted(likeness: np.ndarray) -> None:
    rows, columns = assign(likeness, 0.5, whole=True)
    every = linear_sum_assignment(likeness, maximize=True)
    best = likeness[every].sum()
    # What was struck out afterwards took part: no assignment that holds these pairs is worth more.
    left = np.delete(np.delete(likeness, rows, axis=0), columns, axis=1)
    rest = left[linear_sum_assignment(left, maximize=True)].sum() if left.size else 0.0
    assert likeness[rows, columns].sum() + rest == pytest.approx(best)
    assert (likeness[rows, columns] > 0.5).all()


def test_the_margin_is_what_the_best_exchange_would_have_cost() -> None:
    likeness = np.array([[9.0, 8.0, 0.0], [7.0, 8.5, 0.0], [0.0, 1.0, 5.0]])
    cost, rival = margins(likeness, np.array([0, 1, 2]), np.array([0, 1, 2]))
    assert cost.tolist() == [2.5, 2.5, 12.5]
    assert rival.tolist() == [1, 0, 1]
    alone, nobody = margins(likeness, np.array([1]), np.array([1]))
    assert alone.tolist() == [np.inf]
    assert nobody.tolist() == [-1]
