"""Volleyball: FIVB Official Volleyball Rules 2021-2024, Rules 1 and 2."""

from __future__ import annotations

from filmroom.pitch.surface import (
    Area,
    Line,
    Point,
    Surface,
    both_ends,
    both_ends_points,
    outline,
    rectangle,
    segment,
)

_LINE = 0.05
_LENGTH, _WIDTH, _ATTACK = 18.0, 9.0, 3.0
_NET_TOP, _NET_DEPTH, _POST_OUT = 2.43, 1.0, 0.75


def volleyball_surface(net_top: float = _NET_TOP) -> Surface:
    """A court; `net_top` 2.43 m for men, 2.24 m for women."""
    x, y = _LENGTH / 2, _WIDTH / 2
    post = y + _POST_OUT
    points: dict[str, Point] = {
        "corner left top": (-x, -y, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "attack left top": (-_ATTACK, -y, 0.0),
        "attack left bottom": (-_ATTACK, y, 0.0),
    }
    middle: dict[str, Point] = {
        "middle line top": (0.0, -y, 0.0),
        "middle line bottom": (0.0, y, 0.0),
        "net far top": (0.0, -y, net_top),
        "net near top": (0.0, y, net_top),
        "antenna far top": (0.0, -y, net_top + 0.8),
        "antenna near top": (0.0, y, net_top + 0.8),
    }
    net: tuple[Point, Point, Point, Point] = (
        (0.0, -post, net_top),
        (0.0, post, net_top),
        (0.0, post, net_top - _NET_DEPTH),
        (0.0, -post, net_top - _NET_DEPTH),
    )
    return Surface(
        name="volleyball",
        source="FIVB Official Volleyball Rules 2021-2024, Rules 1 and 2",
        ground="hall",
        length=_LENGTH,
        width=_WIDTH,
        margin=(6.5, 5.0),
        lines=(
            *outline(_LENGTH, _WIDTH, _LINE),
            segment("Middle line", (0, -y), (0, y), _LINE),
            *both_ends(segment("Attack line left", (-_ATTACK, -y), (-_ATTACK, y), _LINE)),
        ),
        areas=(Area("Court", rectangle(-x, -y, x, y), "court"),),
        frames=(
            Line("Net top", net[0], net[1], 0.07, "tape"),
            Line("Net bottom", net[3], net[2], 0.05, "tape"),
            Line("Post far", (0.0, -post, 0.0), (0.0, -post, net_top), 0.1, "stanchion"),
            Line("Post near", (0.0, post, 0.0), (0.0, post, net_top), 0.1, "stanchion"),
            Line("Antenna far", (0.0, -y, net_top - 1.0), (0.0, -y, net_top + 0.8), 0.02, "goal"),
            Line("Antenna near", (0.0, y, net_top - 1.0), (0.0, y, net_top + 0.8), 0.02, "goal"),
        ),
        panels={"net middle": net},
        keypoints=both_ends_points(points) | middle,
        goals=((-x / 2, 0.0, 0.0), (x / 2, 0.0, 0.0)),
        goal_width=_WIDTH,
        area_depth=_ATTACK,
    )


VOLLEYBALL = volleyball_surface()
