"""Soccer: IFAB Laws of the Game 2023/24, Law 1 (field of play); line names as in SoccerNet calibration.

Lines at most 12 cm wide; the goal lines are as wide as the posts. SoccerNet's curves are the outer
edges' nominal positions, so no half paint width is taken off (as in sn-calibration and mplsoccer).
"""

from __future__ import annotations

import math

from filmroom.pitch.surface import (
    Arc,
    Line,
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

_LINE = 0.12
_BOX_DEPTH, _BOX_HALF = 16.5, 20.16
_GOAL_AREA_DEPTH, _GOAL_AREA_HALF = 5.5, 9.16
_CIRCLE, _SPOT = 9.15, 11.0
_GOAL_HALF, _GOAL_HEIGHT, _POST = 3.66, 2.44, 0.12
_NET_DEPTH = 2.0


def soccer_surface(length: float = 105.0, width: float = 68.0) -> Surface:
    """A pitch of any legal size (90-120 x 45-90 m); boxes, circle and goals do not grow with it."""
    x, y = length / 2, width / 2
    box, small = -x + _BOX_DEPTH, -x + _GOAL_AREA_DEPTH
    reach = math.degrees(math.acos((_BOX_DEPTH - _SPOT) / _CIRCLE))
    chord = math.sqrt(_CIRCLE**2 - (_BOX_DEPTH - _SPOT) ** 2)
    lines = (
        *outline(length, width, _LINE, inside=False),
        segment("Middle line", (0, -y), (0, y), _LINE),
        *both_ends(
            segment("Big rect. left top", (-x, -_BOX_HALF), (box, -_BOX_HALF), _LINE),
            segment("Big rect. left bottom", (-x, _BOX_HALF), (box, _BOX_HALF), _LINE),
            segment("Big rect. left main", (box, -_BOX_HALF), (box, _BOX_HALF), _LINE),
            segment("Small rect. left top", (-x, -_GOAL_AREA_HALF), (small, -_GOAL_AREA_HALF), _LINE),
            segment("Small rect. left bottom", (-x, _GOAL_AREA_HALF), (small, _GOAL_AREA_HALF), _LINE),
            segment(
                "Small rect. left main", (small, -_GOAL_AREA_HALF), (small, _GOAL_AREA_HALF), _LINE
            ),
        ),
    )
    corners = tuple(
        Arc(f"Corner {end} {side}", (sx * x, sy * y, 0.0), 1.0, first, first + 90, _LINE)
        for end, sx, side, sy, first in (
            ("left", -1, "top", -1, 0.0),
            ("right", 1, "top", -1, 90.0),
            ("right", 1, "bottom", 1, 180.0),
            ("left", -1, "bottom", 1, 270.0),
        )
    )
    arcs = (
        Arc("Circle central", (0.0, 0.0, 0.0), _CIRCLE, 0.0, 360.0, _LINE),
        *both_ends_arcs(Arc("Circle left", (-x + _SPOT, 0.0, 0.0), _CIRCLE, -reach, reach, _LINE)),
        *corners,
        Arc("Centre mark", (0.0, 0.0, 0.0), 0.06, 0.0, 360.0, _LINE),
        *both_ends_arcs(Arc("Spot left", (-x + _SPOT, 0.0, 0.0), 0.06, 0.0, 360.0, _LINE)),
    )
    near_top, far_top, near_foot, far_foot, near_back, far_back = left_goal(
        -x, _GOAL_HALF, _GOAL_HEIGHT, _NET_DEPTH
    )
    near_bend: Point = (-x - 0.9, _GOAL_HALF, _GOAL_HEIGHT)
    far_bend: Point = (-x - 0.9, -_GOAL_HALF, _GOAL_HEIGHT)
    # Seen from the centre, the left post of the left goal is at +y, that of the right goal at -y.
    frames = (
        Line("Goal left crossbar", far_top, near_top, _POST, "post"),
        Line("Goal left post left ", near_top, near_foot, _POST, "post"),
        Line("Goal left post right", far_top, far_foot, _POST, "post"),
        Line("Goal right crossbar", _right(far_top), _right(near_top), _POST, "post"),
        Line("Goal right post left", _right(far_top), _right(far_foot), _POST, "post"),
        Line("Goal right post right", _right(near_top), _right(near_foot), _POST, "post"),
    )
    panels = both_ends_panels(
        {
            "net left back": (far_bend, near_bend, near_back, far_back),
            "net left roof": (far_top, near_top, near_bend, far_bend),
            "net left near side": (near_top, near_bend, near_back, near_foot),
            "net left far side": (far_top, far_bend, far_back, far_foot),
        }
    )
    end_points: dict[str, Point] = {
        "corner left top": (-x, -y, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "box left top baseline": (-x, -_BOX_HALF, 0.0),
        "box left bottom baseline": (-x, _BOX_HALF, 0.0),
        "box left top front": (box, -_BOX_HALF, 0.0),
        "box left bottom front": (box, _BOX_HALF, 0.0),
        "goal area left top baseline": (-x, -_GOAL_AREA_HALF, 0.0),
        "goal area left bottom baseline": (-x, _GOAL_AREA_HALF, 0.0),
        "goal area left top front": (small, -_GOAL_AREA_HALF, 0.0),
        "goal area left bottom front": (small, _GOAL_AREA_HALF, 0.0),
        "spot left": (-x + _SPOT, 0.0, 0.0),
        "arc left top": (box, -chord, 0.0),
        "arc left bottom": (box, chord, 0.0),
        "arc left tip": (-x + _SPOT + _CIRCLE, 0.0, 0.0),
        "goal left far foot": far_foot,
        "goal left near foot": near_foot,
        "goal left far top": far_top,
        "goal left near top": near_top,
        "circle left": (-_CIRCLE, 0.0, 0.0),
    }
    middle_points: dict[str, Point] = {
        "centre": (0.0, 0.0, 0.0),
        "middle line top": (0.0, -y, 0.0),
        "middle line bottom": (0.0, y, 0.0),
        "circle top": (0.0, -_CIRCLE, 0.0),
        "circle bottom": (0.0, _CIRCLE, 0.0),
    }
    return Surface(
        name="soccer",
        source="IFAB Laws of the Game 2023/24, Law 1",
        ground="grass",
        length=length,
        width=width,
        margin=(6.0, 5.0),
        lines=lines,
        arcs=arcs,
        frames=frames,
        panels=panels,
        keypoints=both_ends_points(end_points) | middle_points,
        goals=((-x, 0.0, 1.0), (x, 0.0, 1.0)),
        goal_width=2 * _GOAL_HALF,
        area_depth=_BOX_DEPTH,
    )


def _right(point: Point) -> Point:
    return (-point[0], point[1], point[2])


SOCCER = soccer_surface()
