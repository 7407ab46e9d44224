"""Futsal: FIFA Futsal Laws of the Game 2023/24, Law 1."""

from __future__ import annotations

from filmroom.pitch.handball import GOAL_HALF, POST, area_arcs, goal_frames, goal_panels, goal_points
from filmroom.pitch.surface import (
    Arc,
    Area,
    Surface,
    both_ends,
    both_ends_arcs,
    outline,
    rectangle,
    segment,
)

_LENGTH, _WIDTH, _LINE = 40.0, 20.0, 0.08
_AREA, _CIRCLE = 6.0, 3.0
_OUTSIDE = GOAL_HALF + POST
"""The area is measured from outside the posts, so its front is 3.16 m long."""


def futsal_surface() -> Surface:
    """Penalty area 6 m round the posts, marks at 6 m and 10 m, circle 3 m."""
    x, y = _LENGTH / 2, _WIDTH / 2
    return Surface(
        name="futsal",
        source="FIFA Futsal Laws of the Game 2023/24, Law 1",
        ground="hall",
        length=_LENGTH,
        width=_WIDTH,
        margin=(2.5, 2.0),
        lines=(
            *outline(_LENGTH, _WIDTH, _LINE),
            segment("Middle line", (0, -y), (0, y), _LINE),
            *both_ends(
                segment("Area left main", (-x + _AREA, -_OUTSIDE), (-x + _AREA, _OUTSIDE), _LINE)
            ),
        ),
        arcs=(
            Arc("Circle central", (0.0, 0.0, 0.0), _CIRCLE, 0, 360, _LINE),
            *area_arcs("Area", x, _AREA, _LINE, aside=_OUTSIDE),
            *both_ends_arcs(
                Arc("Spot left", (-x + _AREA, 0.0, 0.0), 0.05, 0, 360, 0.1),
                Arc("Second spot left", (-x + 10.0, 0.0, 0.0), 0.05, 0, 360, 0.1),
            ),
        ),
        areas=(Area("Court", rectangle(-x, -y, x, y), "court"),),
        frames=goal_frames(x),
        panels=goal_panels(x),
        keypoints=goal_points(x, _AREA, y, _OUTSIDE)
        | {"circle top": (0.0, -_CIRCLE, 0.0), "circle bottom": (0.0, _CIRCLE, 0.0)},
        goals=((-x, 0.0, 1.0), (x, 0.0, 1.0)),
        goal_width=2 * GOAL_HALF,
        area_depth=_AREA,
    )


FUTSAL = futsal_surface()
