"""Ice hockey: NHL Official Rules 2023-24, Rule 1; IIHF Official Rule Book 2023/24, Rule 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

from filmroom.pitch.surface import (
    Arc,
    Area,
    Point,
    Surface,
    both_ends,
    both_ends_arcs,
    both_ends_areas,
    both_ends_panels,
    both_ends_points,
    left_goal,
    segment,
)

_THIN, _THICK = 0.05, 0.305
_CIRCLE, _POST = 4.57, 0.06
_GOAL_HALF, _GOAL_HEIGHT = 0.915, 1.22


@dataclass(frozen=True)
class RinkSize:
    """The figures in which the rule books differ, metres, measured from the end boards."""

    name: str
    source: str
    length: float
    width: float
    corner: float
    goal_line: float
    blue_line: float
    spot_depth: float
    spot_side: float
    neutral_spot: float


_SIZES = (
    RinkSize(
        "nhl", "NHL Official Rules 2023-24, Rule 1", 60.96, 25.91, 8.53, 3.35, 22.86, 9.45, 6.71, 6.10
    ),
    RinkSize(
        "iihf", "IIHF Official Rule Book 2023/24, Rule 1", 60.0, 30.0, 8.5, 4.0, 22.86, 10.0, 7.0, 5.86
    ),
)


def hockey_surface(size: RinkSize) -> Surface:
    """A rink of the given rule book."""
    x, y = size.length / 2, size.width / 2
    goal = -x + size.goal_line
    blue = -x + size.blue_line
    radius = size.corner
    # The goal line ends on the rounded boards.
    inset = radius - size.goal_line
    reach = y - radius + math.sqrt(radius**2 - inset**2)
    spot = -x + size.spot_depth
    lines = (
        segment("Red line", (0, -y), (0, y), _THICK, "red"),
        *both_ends(
            segment("Blue line left", (blue, -y), (blue, y), _THICK, "blue"),
            segment("Goal line left", (goal, -reach), (goal, reach), _THIN, "red"),
        ),
        segment("Boards top", (-x + radius, -y), (x - radius, -y), 0.1, "boards"),
        segment("Boards bottom", (-x + radius, y), (x - radius, y), 0.1, "boards"),
        *both_ends(segment("Boards left", (-x, -y + radius), (-x, y - radius), 0.1, "boards")),
    )
    circles = [
        arc
        for side, sign in (("top", -1), ("bottom", 1))
        for arc in (
            Arc(
                f"Circle left {side}", (spot, sign * size.spot_side, 0.0), _CIRCLE, 0, 360, _THIN, "red"
            ),
            Arc(f"Spot left {side}", (spot, sign * size.spot_side, 0.0), 0.2, 0, 360, 0.2, "red"),
            Arc(
                f"Neutral spot left {side}",
                (-size.neutral_spot, sign * size.spot_side, 0.0),
                0.2,
                0,
                360,
                0.2,
                "red",
            ),
        )
    ]
    arcs = (
        Arc("Circle central", (0.0, 0.0, 0.0), _CIRCLE, 0, 360, _THIN, "blue"),
        *both_ends_arcs(
            *circles,
            Arc("Crease left", (goal, 0.0, 0.0), 1.83, -90, 90, _THIN, "red"),
            Arc("Corner left top", (-x + radius, -y + radius, 0.0), radius, 180, 270, 0.1, "boards"),
            Arc("Corner left bottom", (-x + radius, y - radius, 0.0), radius, 90, 180, 0.1, "boards"),
        ),
    )
    angles = [math.radians(-90 + 10 * step) for step in range(19)]
    crease = Area(
        "Crease left", tuple((goal + 1.83 * math.cos(a), 1.83 * math.sin(a)) for a in angles), "crease"
    )
    corners = left_goal(goal, _GOAL_HALF, _GOAL_HEIGHT, 1.12)
    near_top, far_top, near_foot, far_foot, near_back, far_back = corners
    frames = corners.frames(_POST, "goal")
    points: dict[str, Point] = {
        "goal line left top": (goal, -reach, 0.0),
        "goal line left bottom": (goal, reach, 0.0),
        "blue line left top": (blue, -y, 0.0),
        "blue line left bottom": (blue, y, 0.0),
        "goal left far foot": far_foot,
        "goal left near foot": near_foot,
        "spot left top": (spot, -size.spot_side, 0.0),
        "spot left bottom": (spot, size.spot_side, 0.0),
        "neutral spot left top": (-size.neutral_spot, -size.spot_side, 0.0),
        "neutral spot left bottom": (-size.neutral_spot, size.spot_side, 0.0),
        "circle left top far": (spot, -size.spot_side - _CIRCLE, 0.0),
        "circle left top near": (spot, -size.spot_side + _CIRCLE, 0.0),
        "circle left bottom far": (spot, size.spot_side - _CIRCLE, 0.0),
        "circle left bottom near": (spot, size.spot_side + _CIRCLE, 0.0),
        "central circle left": (-_CIRCLE, 0.0, 0.0),
    }
    middle: dict[str, Point] = {
        "red line top": (0.0, -y, 0.0),
        "centre": (0.0, 0.0, 0.0),
        "red line bottom": (0.0, y, 0.0),
        "central circle top": (0.0, -_CIRCLE, 0.0),
        "central circle bottom": (0.0, _CIRCLE, 0.0),
    }
    return Surface(
        name=size.name,
        source=size.source,
        ground="ice",
        length=size.length,
        width=size.width,
        margin=(0.0, 0.0),
        lines=lines,
        arcs=arcs,
        areas=both_ends_areas(crease),
        frames=frames,
        panels=both_ends_panels({"net left back": (far_top, near_top, near_back, far_back)}),
        keypoints=both_ends_points(points) | middle,
        corner_radius=radius,
        goals=((goal, 0.0, 0.5), (-goal, 0.0, 0.5)),
        goal_width=2 * _GOAL_HALF,
        area_depth=size.spot_depth,
    )


NHL, IIHF = (hockey_surface(size) for size in _SIZES)
