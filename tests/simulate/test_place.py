"""Places: snow that lies, nights, and panels that are seen from one side alone."""

import numpy as np
import pytest

from filmroom.pitch.soccer import SOCCER
from filmroom.simulate.ground import lay_snow, make_ground
from filmroom.simulate.place import make_place
from filmroom.simulate.stands import make_surroundings

MAIN, LOW, BEHIND = (0.0, 70.0, 18.0), (0.0, 45.0, 2.0), (75.0, 0.0, 15.0)


@pytest.fixture(scope="module")
def panels():
    return make_surroundings(SOCCER, np.random.default_rng(4))


def test_snow_whitens_the_grass_and_turns_the_lines_orange():
    bare = make_ground(SOCCER, np.random.default_rng(1))
    thin, thick = (lay_snow(bare, depth, np.random.default_rng(2)) for depth in (0.2, 0.9))
    light = [ground.pixels.mean() for ground in (bare, thin, thick)]
    assert light == sorted(light)
    assert light[2] > 180
    assert thin.paints["line"] == bare.paints["line"]
    red, green, blue = thick.paints["line"]
    assert red > 200 > green > blue


def test_what_hides_people_hides_them_from_behind_it_alone(panels):
    """Dugouts and heads stand before the main camera, not before one on the grass or at the goal."""
    front = [panel for panel in panels if panel.front]
    assert front
    assert all(panel.is_seen_from(MAIN) for panel in front)
    assert not any(panel.is_seen_from(LOW) for panel in front)
    assert not any(panel.is_seen_from((0.0, -70.0, 18.0)) for panel in front)


def test_a_camera_on_a_stand_does_not_see_the_back_of_the_tier_above(panels):
    stands = [panel for panel in panels if not panel.front and not panel.board]
    behind = [p for p in stands if p.corners().mean(axis=0)[0] > 60 and p.corners()[:, 0].min() > 70]
    assert behind
    assert not all(panel.is_seen_from(BEHIND) for panel in behind)
    assert all(panel.is_seen_from((0.0, 0.0, 60.0)) for panel in stands if panel.up[2] < 0.99)


def test_some_matches_are_played_at_night_and_those_have_floodlights():
    places = [make_place(SOCCER, np.random.default_rng(seed)) for seed in range(10)]
    dark = [place for place in places if place.sky[0] < 16]
    assert 0 < len(dark) < 10
    assert all(len(place.light.shadows) == 4 for place in dark)


def test_halls_have_neither_snow_nor_night():
    from filmroom.pitch.basketball import NBA

    bare, snowed = (make_place(NBA, np.random.default_rng(3), snow=snow) for snow in (0.0, 0.9))
    assert np.array_equal(bare.ground.pixels, snowed.ground.pixels)
