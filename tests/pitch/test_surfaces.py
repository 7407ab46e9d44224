"""Surfaces against the rule books' figures, and the symmetry every surface must have."""

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filmroom.errors import InputError
from filmroom.pitch import SPORTS, Surface, sport_named, surface_named
from filmroom.pitch.basketball import FIBA, NBA
from filmroom.pitch.football import NCAA_FOOTBALL, NFL
from filmroom.pitch.futsal import FUTSAL
from filmroom.pitch.handball import HANDBALL
from filmroom.pitch.hockey import IIHF, NHL
from filmroom.pitch.soccer import SOCCER, soccer_surface
from filmroom.pitch.soccer_seven import SOCCER_SEVEN
from filmroom.pitch.volleyball import VOLLEYBALL

SURFACES = [surface for sport in SPORTS.values() for surface in sport.surfaces]

# SoccerNet calibration's own points (height turned to z up), from its pitch model.
SOCCERNET = {
    "Side line top": ((-52.5, -34, 0), (52.5, -34, 0)),
    "Side line right": ((52.5, -34, 0), (52.5, 34, 0)),
    "Middle line": ((0, -34, 0), (0, 34, 0)),
    "Big rect. left main": ((-36, -20.16, 0), (-36, 20.16, 0)),
    "Big rect. right top": ((36, -20.16, 0), (52.5, -20.16, 0)),
    "Small rect. right main": ((47, -9.16, 0), (47, 9.16, 0)),
    "Goal left crossbar": ((-52.5, -3.66, 2.44), (-52.5, 3.66, 2.44)),
    "Goal left post left ": ((-52.5, 3.66, 2.44), (-52.5, 3.66, 0)),
    "Goal right post left": ((52.5, -3.66, 2.44), (52.5, -3.66, 0)),
}


def _ends(line):
    return {tuple(np.round(line.start, 9)), tuple(np.round(line.end, 9))}


@pytest.mark.parametrize("name", SOCCERNET)
def test_soccer_lines_lie_where_soccernet_has_them(name):
    drawn = {line.name: line for line in (*SOCCER.lines, *SOCCER.frames)}
    assert _ends(drawn[name]) == {tuple(map(float, point)) for point in SOCCERNET[name]}


# mplsoccer 1.8.1, `create_pitch_dims("uefa")`: metres from the left touchline's corner.
MPLSOCCER = {
    "length": 105.0, "width": 68.0, "goal_width": 7.32, "six_yard_width": 18.32, "six_yard_length": 5.5,
    "penalty_area_width": 40.32, "penalty_area_length": 16.5, "circle_diameter": 18.3,
    "corner_diameter": 2.0, "penalty_left": 11.0, "arc1_theta1": 306.9482107330499,
}  # fmt: skip


def test_soccer_has_the_measures_of_mplsoccer():
    lines = {line.name: line for line in SOCCER.lines}
    arcs = {arc.name: arc for arc in SOCCER.arcs}
    box, small = lines["Big rect. left main"], lines["Small rect. left main"]
    found = {
        "length": SOCCER.length,
        "width": SOCCER.width,
        "goal_width": SOCCER.goal_width,
        "six_yard_width": small.end[1] - small.start[1],
        "six_yard_length": small.start[0] + SOCCER.half_length,
        "penalty_area_width": box.end[1] - box.start[1],
        "penalty_area_length": box.start[0] + SOCCER.half_length,
        "circle_diameter": 2 * arcs["Circle central"].radius,
        "corner_diameter": 2 * arcs["Corner left top"].radius,
        "penalty_left": arcs["Spot left"].centre[0] + SOCCER.half_length,
        "arc1_theta1": arcs["Circle left"].first % 360,
    }
    assert found == pytest.approx(MPLSOCCER)


def test_soccer_has_the_measures_of_the_mplsoccer_installed():
    """The same against the package itself, where it is there."""
    dimensions = pytest.importorskip("mplsoccer.soccer.dimensions")
    theirs = dimensions.create_pitch_dims("uefa")
    assert {name: float(getattr(theirs, name)) for name in MPLSOCCER} == pytest.approx(MPLSOCCER)


def test_seven_a_side():
    """The FA guide: 60 x 40 yards, goals of 12 x 6 feet, the penalty mark 8 yards out."""
    assert (SOCCER_SEVEN.length, SOCCER_SEVEN.width) == pytest.approx((54.864, 36.576))
    assert SOCCER_SEVEN.goal_width == pytest.approx(3.658, abs=1e-3)
    assert SOCCER_SEVEN.keypoints["spot left"][0] + 27.432 == pytest.approx(7.315, abs=1e-3)
    assert SOCCER_SEVEN.players == 7


def test_soccer_arcs_end_on_the_penalty_area():
    arcs = {arc.name: arc for arc in SOCCER.arcs}
    for name, sign in (("Circle left", -1), ("Circle right", 1)):
        points = arcs[name].points()
        assert points[[0, -1], 0] == pytest.approx([sign * 36.0] * 2)
        assert sorted(abs(points[[0, -1], 1])) == pytest.approx([7.3125] * 2, abs=1e-3)
        assert (abs(points[1:-1, 0]) < 36.0).all()


def test_a_smaller_pitch_keeps_its_boxes():
    small = soccer_surface(100.0, 64.0)
    line = next(line for line in small.lines if line.name == "Big rect. left main")
    assert (line.start[0], line.start[1]) == pytest.approx((-33.5, -20.16))


@pytest.mark.parametrize(
    ("surface", "length", "width", "key", "radius", "straight", "rim"),
    [
        (NBA, 28.65, 15.24, (4.88, 5.79), 7.24, 4.24, 1.60),
        (FIBA, 28.0, 15.0, (4.90, 5.80), 6.75, 2.99, 1.575),
    ],
)
def test_basketball_courts_follow_their_rule_books(surface, length, width, key, radius, straight, rim):
    assert (surface.length, surface.width) == (length, width)
    points = surface.keypoints
    baseline = -length / 2
    assert points["below rim left"][0] - baseline == pytest.approx(rim)
    assert points["free throw left"][0] - baseline == pytest.approx(key[1])
    assert points["key left bottom front"][1] - points["key left top front"][1] == pytest.approx(key[0])
    assert points["three left tip"][0] - points["below rim left"][0] == pytest.approx(radius)
    # The straight part of the three-point line: the books give rounded lengths.
    assert points["three left top end"][0] - baseline == pytest.approx(straight, abs=0.09)
    assert all(goal[2] == 3.05 for goal in surface.goals)


@pytest.mark.parametrize(
    ("surface", "circle", "restricted", "mark"),
    [(NBA, 1.83, 1.22, 8.35), (FIBA, 1.80, 1.25, 8.30)],
)
def test_basketball_circles_marks_and_rims(surface, circle, restricted, mark):
    """Measures of the court presets of `supervision`'s basketball notebook, in metres."""
    arcs = {arc.name: arc for arc in surface.arcs}
    assert arcs["Circle central"].radius == circle
    assert arcs["Free throw circle left"].radius == circle
    assert arcs["Restricted left"].radius == restricted
    line = next(line for line in surface.lines if line.name == "Throw mark left top")
    assert line.start[0] + surface.half_length == pytest.approx(mark, abs=0.03)
    assert {2 * rim.radius for rim in surface.rims} == {0.46}


@pytest.mark.parametrize("surface", [FUTSAL, HANDBALL], ids=lambda one: one.name)
def test_halls_of_forty_by_twenty(surface):
    assert (surface.length, surface.width, surface.goal_width) == (40.0, 20.0, 3.0)
    arcs = {arc.name: arc for arc in surface.arcs}
    assert arcs["Area left top"].radius == 6.0
    front = next(line for line in surface.lines if line.name == "Area left main")
    assert front.start[0] == -14.0
    # Futsal draws its quarter circles from outside the posts of 8 cm, handball from inside them.
    span = 3.16 if surface is FUTSAL else 3.0
    assert front.end[1] - front.start[1] == pytest.approx(span)
    if surface is FUTSAL:
        assert [arcs[name].centre[0] for name in ("Spot left", "Second spot left")] == [-14.0, -10.0]
        assert arcs["Circle central"].radius == 3.0
    else:
        assert arcs["Free throw left top"].radius == 9.0
        lines = {line.name: line for line in surface.lines}
        assert lines["Penalty mark left"].start[0] == -13.0
        assert lines["Keeper mark left"].start[0] == -16.0


def test_rinks_lie_where_the_books_have_them():
    """Metres from the end boards: goal line, blue line, face-off spots; then spots from the middle."""
    for surface, goal, blue, spot, aside in (
        (NHL, 3.35, 22.86, 9.45, 6.71),
        (IIHF, 4.0, 22.86, 10.0, 7.0),
    ):
        lines = {line.name: line for line in surface.lines}
        arcs = {arc.name: arc for arc in surface.arcs}
        for name, metres in (("Goal line left", goal), ("Blue line left", blue)):
            assert lines[name].start[0] + surface.half_length == pytest.approx(metres, abs=0.01), name
        x, y, _ = arcs["Spot left bottom"].centre
        assert (x + surface.half_length, y) == pytest.approx((spot, aside), abs=0.01)


def test_football_has_a_line_each_five_yards_and_its_own_hashes():
    yards = sorted(line.start[0] for line in NFL.lines if line.name.startswith("Yard line"))
    assert np.diff(yards) == pytest.approx(4.572)
    for surface, gap in ((NFL, 5.64), (NCAA_FOOTBALL, 12.19)):
        assert 2 * surface.keypoints["0 hash bottom"][1] == pytest.approx(gap, abs=0.01)
    assert NFL.length == pytest.approx(109.73, abs=0.01)


def test_hockey_lines_end_on_the_boards():
    line = next(line for line in NHL.lines if line.name == "Goal line left")
    x, y = abs(line.start[0]), abs(line.start[1])
    centre = (NHL.half_length - NHL.corner_radius, NHL.half_width - NHL.corner_radius)
    assert math.hypot(x - centre[0], y - centre[1]) == pytest.approx(NHL.corner_radius)


def test_volleyball_court():
    assert (VOLLEYBALL.length, VOLLEYBALL.width) == (18.0, 9.0)
    assert VOLLEYBALL.keypoints["attack left top"] == (-3.0, -4.5, 0.0)
    assert VOLLEYBALL.keypoints["net far top"][2] == 2.43


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
def test_every_surface_is_the_same_at_both_ends(surface: Surface):
    pieces = [*surface.lines, *surface.arcs, *surface.frames, *surface.rims]
    drawn = np.concatenate([piece.points() for piece in pieces])
    apart, _ = cKDTree(drawn).query(drawn * np.array([-1.0, 1.0, 1.0]))
    assert apart.max() < 1e-6


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
def test_names_are_unique_and_paint_stays_on_the_surface(surface: Surface):
    names = [piece.name for piece in (*surface.lines, *surface.arcs, *surface.frames, *surface.rims)]
    assert len(names) == len(set(names)) == len(surface.curves())
    assert surface.source
    for piece in (*surface.lines, *surface.arcs):
        reach = np.abs(piece.points()[:, :2]).max(axis=0) + 1e-9
        assert (reach <= (surface.half_length + 1e-6, surface.half_width + 1e-6)).all(), piece.name


def test_sports_and_surfaces_are_found_by_name():
    assert surface_named(sport_named("basketball"), "fiba") is FIBA
    assert surface_named(sport_named("basketball"), None) is NBA
    with pytest.raises(InputError, match="choose one of soccer"):
        sport_named("curling")
    with pytest.raises(InputError, match="choose one of nhl, iihf"):
        surface_named(sport_named("hockey"), "nba")
