"""What a side calls follows from its down and place, and every kick has two sides of eleven."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.pitch.football import YARD
from filmroom.simulate.downs import (
    FIELD_GOAL,
    KICKOFF,
    KICKS,
    PUNT,
    SCRIMMAGE,
    Series,
    called,
    first_down,
    made,
)

GOAL = 50 * YARD
PLACES = st.floats(-48 * YARD, 49 * YARD)


@given(PLACES, st.lists(st.floats(-8.0, 9.0), min_size=4, max_size=4))
def test_a_side_has_four_downs_for_ten_yards(start, gains):
    series, along = first_down(start, GOAL), start
    for down, gain in enumerate(gains, start=1):
        assert series.down == down
        along = min(along + gain, series.mark - 0.1)
        series = series.after(along, GOAL)
    assert series is None


@given(PLACES, st.integers(1, 4))
def test_ten_yards_or_the_goal_line_make_a_new_first_down(start, down):
    series = Series(down, first_down(start, GOAL).mark)
    assert series.mark == pytest.approx(min(start + 10 * YARD, GOAL))
    assert series.after(series.mark, GOAL) == first_down(series.mark, GOAL)


@given(PLACES, st.integers(1, 4), st.integers(0, 99))
def test_nobody_kicks_before_the_fourth_down(start, down, seed):
    series = Series(down, min(start + 5 * YARD, GOAL))
    call = called(series, start, GOAL, np.random.default_rng(seed))
    if down < 4:
        assert call == SCRIMMAGE
    elif series.mark - start > 2 * YARD:
        assert call == (FIELD_GOAL if GOAL - start < 36 * YARD else PUNT)
    else:
        assert call in (SCRIMMAGE, FIELD_GOAL, PUNT)


def test_near_kicks_are_surer_than_far_ones():
    rng = np.random.default_rng(0)
    shares = [np.mean([made(yards * YARD, rng) for _ in range(2000)]) for yards in (20, 40, 58)]
    assert shares[0] > 0.88
    assert shares[0] > shares[1] > shares[2] > 0.4


@pytest.mark.parametrize("name", KICKS)
def test_both_sides_of_a_kick_are_eleven_and_on_their_own_side(name):
    kick = KICKS[name]
    assert len(kick.kickers) == len(kick.receivers) == 11
    assert max(along for along, _ in kick.kickers) < 0
    nearest = min(along for along, _ in kick.receivers) * 60
    # Ten yards keep the sides apart before a kickoff (NFL Rule 6, Section 1).
    assert nearest >= (10 if name == KICKOFF else 0.9)
    assert max(abs(across) for _, across in (*kick.kickers, *kick.receivers)) < 0.95
