"""Basketball: NBA Official Rulebook 2023-24, Rule 1; FIBA Official Basketball Rules 2022, Art. 2;
NCAA Men's Basketball 2023-24, Rule 1.

Sizes of the three courts side by side, in metres, as data; one function lays the lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from filmroom.pitch.surface import (
    Arc,
    Area,
    Line,
    Point,
    Surface,
    both_ends,
    both_ends_arcs,
    both_ends_areas,
    both_ends_panels,
    both_ends_points,
    outline,
    rectangle,
    segment,
)

_LINE = 0.05
_RIM_HEIGHT, _RIM_RADIUS = 3.05, 0.23
_BOARD_WIDTH, _BOARD_HEIGHT, _BOARD_FOOT = 1.83, 1.07, 2.90


@dataclass(frozen=True)
class CourtSize:
    """The figures in which the rule books differ, metres."""

    name: str
    source: str
    length: float
    width: float
    key_width: float
    key_depth: float
    three_radius: float
    three_side: float
    circle: float
    restricted: float
    rim: float
    board: float
    throw_mark: float


_SIZES = (
    CourtSize(
        "nba",
        "NBA Official Rulebook 2023-24, Rule 1",
        28.65,
        15.24,
        4.88,
        5.79,
        7.24,
        0.91,
        1.83,
        1.22,
        1.60,
        1.22,
        8.35,
    ),
    CourtSize(
        "fiba",
        "FIBA Official Basketball Rules 2022, Art. 2",
        28.0,
        15.0,
        4.90,
        5.80,
        6.75,
        0.90,
        1.80,
        1.25,
        1.575,
        1.20,
        8.325,
    ),
    CourtSize(
        "ncaa",
        "NCAA Men's Basketball Rules 2023-24, Rule 1",
        28.65,
        15.24,
        3.66,
        5.79,
        6.75,
        1.02,
        1.83,
        1.22,
        1.60,
        1.22,
        8.53,
    ),
)


def basketball_surface(size: CourtSize) -> Surface:
    """A court of the given rule book."""
    x, y = size.length / 2, size.width / 2
    rim = -x + size.rim
    corner = y - size.three_side
    straight = rim + math.sqrt(size.three_radius**2 - corner**2)
    reach = math.degrees(math.asin(corner / size.three_radius))
    key, front = size.key_width / 2, -x + size.key_depth
    board_x, half = -x + size.board, _BOARD_WIDTH / 2
    top = _BOARD_FOOT + _BOARD_HEIGHT
    lines = (
        *outline(size.length, size.width, _LINE, inside=False),
        segment("Middle line", (0, -y), (0, y), _LINE),
        *both_ends(
            segment("Three left top", (-x, -corner), (straight, -corner), _LINE),
            segment("Three left bottom", (-x, corner), (straight, corner), _LINE),
            segment("Key left top", (-x, -key), (front, -key), _LINE),
            segment("Key left bottom", (-x, key), (front, key), _LINE),
            segment("Free throw line left", (front, -key), (front, key), _LINE),
            segment(
                "Throw mark left top",
                (-x + size.throw_mark, -y),
                (-x + size.throw_mark, -y + 0.9),
                _LINE,
            ),
            segment(
                "Throw mark left bottom",
                (-x + size.throw_mark, y - 0.9),
                (-x + size.throw_mark, y),
                _LINE,
            ),
        ),
    )
    arcs = (
        Arc("Circle central", (0.0, 0.0, 0.0), size.circle, 0, 360, _LINE),
        *both_ends_arcs(
            Arc("Three left arc", (rim, 0.0, 0.0), size.three_radius, -reach, reach, _LINE),
            Arc("Free throw circle left", (front, 0.0, 0.0), size.circle, -90, 90, _LINE),
            Arc("Restricted left", (rim, 0.0, 0.0), size.restricted, -90, 90, _LINE),
        ),
    )
    areas = both_ends_areas(Area("Key left", rectangle(-x, -key, front, key), "key"))
    corners: tuple[Point, Point, Point, Point] = (
        (board_x, -half, top),
        (board_x, half, top),
        (board_x, half, _BOARD_FOOT),
        (board_x, -half, _BOARD_FOOT),
    )
    frames = both_ends(
        Line("Board left top", corners[0], corners[1], 0.06, "board"),
        Line("Board left bottom", corners[3], corners[2], 0.06, "board"),
        Line("Board left far", corners[0], corners[3], 0.06, "board"),
        Line("Board left near", corners[1], corners[2], 0.06, "board"),
        Line("Arm left", (board_x, 0.0, 3.2), (-x - 1.8, 0.0, 2.6), 0.22, "stanchion"),
        Line("Post left", (-x - 1.8, 0.0, 2.6), (-x - 2.2, 0.0, 0.0), 0.45, "stanchion"),
    )
    end_points: dict[str, Point] = {
        "corner left top": (-x, -y, 0.0),
        "three left top baseline": (-x, -corner, 0.0),
        "key left top baseline": (-x, -key, 0.0),
        "key left bottom baseline": (-x, key, 0.0),
        "three left bottom baseline": (-x, corner, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "below rim left": (rim, 0.0, 0.0),
        "three left top end": (straight, -corner, 0.0),
        "three left bottom end": (straight, corner, 0.0),
        "key left top front": (front, -key, 0.0),
        "free throw left": (front, 0.0, 0.0),
        "key left bottom front": (front, key, 0.0),
        "throw mark left top": (-x + size.throw_mark, -y, 0.0),
        "three left tip": (rim + size.three_radius, 0.0, 0.0),
        "throw mark left bottom": (-x + size.throw_mark, y, 0.0),
    }
    middle: dict[str, Point] = {
        "middle line top": (0.0, -y, 0.0),
        "centre": (0.0, 0.0, 0.0),
        "middle line bottom": (0.0, y, 0.0),
    }
    return Surface(
        name=size.name,
        source=size.source,
        ground="parquet",
        length=size.length,
        width=size.width,
        margin=(3.0, 2.5),
        lines=lines,
        arcs=arcs,
        areas=areas,
        frames=frames,
        rims=both_ends_arcs(Arc("Rim left", (rim, 0.0, _RIM_HEIGHT), _RIM_RADIUS, 0, 360, 0.04, "rim")),
        panels=both_ends_panels({"glass left": corners}),
        keypoints=both_ends_points(end_points) | middle,
        goals=((rim, 0.0, _RIM_HEIGHT), (-rim, 0.0, _RIM_HEIGHT)),
        goal_width=2 * _RIM_RADIUS,
        area_depth=size.key_depth,
    )


NBA, FIBA, NCAA_BASKETBALL = (basketball_surface(size) for size in _SIZES)
