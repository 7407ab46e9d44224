"""Soccer, 7 a side: The FA Guide to Pitch and Goalpost Dimensions (2012), the 7v7 pitch.

60 x 40 yards with goals of 12 x 6 feet and a penalty mark 8 yards out. Penalty areas of 10 x 18 yards
and a circle of 5.5 yards as clubs paint them: the guide leaves them to the league.
"""

from __future__ import annotations

from filmroom.pitch.surface import (
    Arc,
    Point,
    Surface,
    both_ends,
    both_ends_arcs,
    both_ends_panels,
    both_ends_points,
    left_goal,
    outline,
    segment,
)

_YARD, _FOOT = 0.9144, 0.3048
_LENGTH, _WIDTH = 60 * _YARD, 40 * _YARD
_LINE, _POST = 0.10, 0.10
_BOX_DEPTH, _BOX_HALF = 10 * _YARD, 9 * _YARD
_SPOT, _CIRCLE = 8 * _YARD, 5.5 * _YARD
_GOAL_HALF, _GOAL_HEIGHT, _NET_DEPTH = 6 * _FOOT, 6 * _FOOT, 1.2


def _surface() -> Surface:
    x, y = _LENGTH / 2, _WIDTH / 2
    box, spot = -x + _BOX_DEPTH, -x + _SPOT
    lines = (
        *outline(_LENGTH, _WIDTH, _LINE, inside=False),
        segment("Middle line", (0, -y), (0, y), _LINE),
        *both_ends(
            segment("Big rect. left top", (-x, -_BOX_HALF), (box, -_BOX_HALF), _LINE),
            segment("Big rect. left bottom", (-x, _BOX_HALF), (box, _BOX_HALF), _LINE),
            segment("Big rect. left main", (box, -_BOX_HALF), (box, _BOX_HALF), _LINE),
        ),
    )
    arcs = (
        Arc("Circle central", (0.0, 0.0, 0.0), _CIRCLE, 0.0, 360.0, _LINE),
        Arc("Centre mark", (0.0, 0.0, 0.0), 0.05, 0.0, 360.0, _LINE),
        *both_ends_arcs(Arc("Spot left", (spot, 0.0, 0.0), 0.05, 0.0, 360.0, _LINE)),
    )
    goal = left_goal(-x, _GOAL_HALF, _GOAL_HEIGHT, _NET_DEPTH)
    near_top, far_top, near_foot, far_foot, near_back, far_back = goal
    panels = both_ends_panels(
        {
            "net left back": (far_top, near_top, near_back, far_back),
            "net left near side": (near_top, near_top, near_back, near_foot),
            "net left far side": (far_top, far_top, far_back, far_foot),
        }
    )
    ends: dict[str, Point] = {
        "corner left top": (-x, -y, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "box left top front": (box, -_BOX_HALF, 0.0),
        "box left bottom front": (box, _BOX_HALF, 0.0),
        "spot left": (spot, 0.0, 0.0),
        "goal left far foot": far_foot,
        "goal left near foot": near_foot,
    }
    middle: dict[str, Point] = {
        "centre": (0.0, 0.0, 0.0),
        "middle line top": (0.0, -y, 0.0),
        "middle line bottom": (0.0, y, 0.0),
    }
    return Surface(
        name="seven",
        source="The FA Guide to Pitch and Goalpost Dimensions, 2012, 7v7",
        ground="grass",
        length=_LENGTH,
        width=_WIDTH,
        margin=(4.0, 3.0),
        lines=lines,
        arcs=arcs,
        frames=goal.frames(_POST, "post"),
        panels=panels,
        keypoints=both_ends_points(ends) | middle,
        goals=((-x, 0.0, 1.0), (x, 0.0, 1.0)),
        goal_width=2 * _GOAL_HALF,
        area_depth=_BOX_DEPTH,
        players=7,
        referees=1,
    )


SOCCER_SEVEN = _surface()
