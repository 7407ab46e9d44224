"""Handball: IHF Rules of the Game (1 July 2022), Rule 1.

Futsal too is played on 40 x 20 m with a 3 x 2 m goal; both have areas of quarter circles joined by a
line.
"""

from __future__ import annotations

import math

from filmroom.pitch.surface import (
    Arc,
    Area,
    Line,
    Point,
    Surface,
    both_ends,
    both_ends_arcs,
    both_ends_panels,
    both_ends_points,
    left_goal,
    outline,
    rectangle,
    segment,
)

_LENGTH, _WIDTH = 40.0, 20.0
GOAL_HALF, GOAL_HEIGHT, POST = 1.5, 2.0, 0.08
_NET_DEPTH = 1.0


def goal_frames(x: float) -> tuple[Line, ...]:
    """The two 3 x 2 m goals at -x and x."""
    return left_goal(-x, GOAL_HALF, GOAL_HEIGHT, _NET_DEPTH).frames(POST, "goal")


def goal_panels(x: float) -> dict[str, tuple[Point, Point, Point, Point]]:
    """Their nets."""
    back = -x - _NET_DEPTH
    far: Point = (-x - 0.6, -GOAL_HALF, GOAL_HEIGHT)
    near: Point = (-x - 0.6, GOAL_HALF, GOAL_HEIGHT)
    near_back: Point = (back, GOAL_HALF, 0.0)
    far_back: Point = (back, -GOAL_HALF, 0.0)
    return both_ends_panels(
        {
            "net left back": (far, near, near_back, far_back),
            "net left near side": ((-x, GOAL_HALF, GOAL_HEIGHT), near, near_back, (-x, GOAL_HALF, 0.0)),
            "net left far side": ((-x, -GOAL_HALF, GOAL_HEIGHT), far, far_back, (-x, -GOAL_HALF, 0.0)),
        }
    )


def area_arcs(
    name: str, x: float, radius: float, width: float, paint: str = "line", aside: float = GOAL_HALF
) -> tuple[Arc, ...]:
    """Quarter circles round points `aside` of the middle at both ends, as far as the side lines."""
    reach = math.degrees(math.asin(min(1.0, (_WIDTH / 2 - aside) / radius)))
    return both_ends_arcs(
        Arc(f"{name} left top", (-x, -aside, 0.0), radius, -reach, 0, width, paint),
        Arc(f"{name} left bottom", (-x, aside, 0.0), radius, 0, reach, width, paint),
    )


def goal_points(x: float, radius: float, y: float, aside: float = GOAL_HALF) -> dict[str, Point]:
    """Keypoints that both games share, of both ends and the middle."""
    end: dict[str, Point] = {
        "corner left top": (-x, -y, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "area left top baseline": (-x, -aside - radius, 0.0),
        "area left bottom baseline": (-x, aside + radius, 0.0),
        "area left top front": (-x + radius, -aside, 0.0),
        "area left bottom front": (-x + radius, aside, 0.0),
        "goal left far foot": (-x, -GOAL_HALF, 0.0),
        "goal left near foot": (-x, GOAL_HALF, 0.0),
        "goal left far top": (-x, -GOAL_HALF, GOAL_HEIGHT),
        "goal left near top": (-x, GOAL_HALF, GOAL_HEIGHT),
    }
    middle: dict[str, Point] = {
        "middle line top": (0.0, -y, 0.0),
        "centre": (0.0, 0.0, 0.0),
        "middle line bottom": (0.0, y, 0.0),
    }
    return both_ends_points(end) | middle


def handball_surface() -> Surface:
    """Goal area 6 m, free-throw line 9 m (broken), penalty mark 7 m, keeper's mark 4 m."""
    x, y, width = _LENGTH / 2, _WIDTH / 2, 0.05
    area, free = 6.0, 9.0
    return Surface(
        name="handball",
        source="IHF Rules of the Game, 1 July 2022, Rule 1",
        ground="hall",
        length=_LENGTH,
        width=_WIDTH,
        margin=(2.5, 2.0),
        lines=(
            *outline(_LENGTH, _WIDTH, width),
            segment("Middle line", (0, -y), (0, y), width),
            *both_ends(
                segment("Area left main", (-x + area, -GOAL_HALF), (-x + area, GOAL_HALF), width),
                segment(
                    "Free throw left main",
                    (-x + free, -GOAL_HALF),
                    (-x + free, GOAL_HALF),
                    width,
                    "broken",
                ),
                segment("Penalty mark left", (-x + 7, -0.5), (-x + 7, 0.5), width),
                segment("Keeper mark left", (-x + 4, -0.075), (-x + 4, 0.075), width),
            ),
        ),
        arcs=(*area_arcs("Area", x, area, width), *area_arcs("Free throw", x, free, width, "broken")),
        areas=(Area("Court", rectangle(-x, -y, x, y), "court"),),
        frames=goal_frames(x),
        panels=goal_panels(x),
        keypoints=goal_points(x, area, y),
        goals=((-x, 0.0, 1.0), (x, 0.0, 1.0)),
        goal_width=2 * GOAL_HALF,
        area_depth=area,
    )


HANDBALL = handball_surface()
