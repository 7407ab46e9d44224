"""American football: NFL Official Playing Rules 2023, Rule 1; NCAA Football Rules 2023, Rule 1.

x runs from end line to end line. Yards are turned into metres here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from filmroom.pitch.surface import (
    Area,
    Line,
    Point,
    Surface,
    Writing,
    both_ends,
    both_ends_areas,
    both_ends_points,
    outline,
    rectangle,
    segment,
)

YARD, FOOT = 0.9144, 0.3048
_LINE = 4 * 0.0254
_LENGTH, _WIDTH = 120 * YARD, 160 * FOOT
_BAR_HEIGHT = 10 * FOOT


@dataclass(frozen=True)
class FieldSize:
    """The figures in which the rule books differ, metres."""

    name: str
    source: str
    hash_gap: float
    goal_width: float
    upright: float


_SIZES = (
    FieldSize("nfl", "NFL Official Playing Rules 2023, Rule 1", 18.5 * FOOT, 18.5 * FOOT, 35 * FOOT),
    FieldSize("ncaa", "NCAA Football Rules 2023, Rule 1", 40 * FOOT, 18.5 * FOOT, 20 * FOOT),
)


def football_surface(size: FieldSize) -> Surface:
    """A field of the given rule book."""
    x, y = _LENGTH / 2, _WIDTH / 2
    goal_line = 50 * YARD
    hash_y = size.hash_gap / 2
    yard_lines = tuple(
        segment(f"Yard line {5 * step:+d}", (5 * step * YARD, -y), (5 * step * YARD, y), _LINE)
        for step in range(-9, 10)
    )
    hashes = tuple(
        segment(
            f"Hash {yard:+d} {name}", (yard * YARD, centre - 0.3), (yard * YARD, centre + 0.3), _LINE
        )
        for yard in range(-49, 50)
        if yard % 5
        for name, centre in (
            ("top", -hash_y),
            ("bottom", hash_y),
            ("side top", -y + 0.5),
            ("side bottom", y - 0.5),
        )
    )
    goals = both_ends(segment("Goal line left", (-goal_line, -y), (-goal_line, y), 2 * _LINE))
    writings = tuple(
        Writing(str(50 - abs(yard)), (yard * YARD, sign * (y - 12 * YARD)), 2 * YARD, sign)
        for yard in range(-40, 41, 10)
        for sign in (-1, 1)
    )
    half_goal, top = size.goal_width / 2, _BAR_HEIGHT + size.upright
    frames = both_ends(
        Line(
            "Goal left crossbar",
            (-x, -half_goal, _BAR_HEIGHT),
            (-x, half_goal, _BAR_HEIGHT),
            0.12,
            "goal",
        ),
        Line(
            "Goal left upright far", (-x, -half_goal, _BAR_HEIGHT), (-x, -half_goal, top), 0.1, "goal"
        ),
        Line("Goal left upright near", (-x, half_goal, _BAR_HEIGHT), (-x, half_goal, top), 0.1, "goal"),
        Line("Goal left support", (-x - 2.0, 0.0, 0.0), (-x - 2.0, 0.0, 2.4), 0.3, "goal"),
        Line("Goal left neck", (-x - 2.0, 0.0, 2.4), (-x, 0.0, _BAR_HEIGHT), 0.2, "goal"),
    )
    points: dict[str, Point] = {
        f"{abs(5 * step)} left {name}": (5 * step * YARD, place, 0.0)
        for step in range(-10, 0)
        for name, place in (
            ("side top", -y),
            ("hash top", -hash_y),
            ("hash bottom", hash_y),
            ("side bottom", y),
        )
    }
    points |= {
        "corner left top": (-x, -y, 0.0),
        "corner left bottom": (-x, y, 0.0),
        "goal left far top": (-x, -half_goal, top),
        "goal left near top": (-x, half_goal, top),
        "goal left far bar": (-x, -half_goal, _BAR_HEIGHT),
        "goal left near bar": (-x, half_goal, _BAR_HEIGHT),
    }
    middle: dict[str, Point] = {
        f"0 {name}": (0.0, place, 0.0)
        for name, place in (
            ("side top", -y),
            ("hash top", -hash_y),
            ("hash bottom", hash_y),
            ("side bottom", y),
        )
    }
    return Surface(
        name=size.name,
        source=size.source,
        ground="turf",
        length=_LENGTH,
        width=_WIDTH,
        margin=(4.0, 5.0),
        lines=(*outline(_LENGTH, _WIDTH, 6 * FOOT, inside=False), *yard_lines, *hashes, *goals),
        areas=both_ends_areas(Area("End zone left", rectangle(-x, -y, -goal_line, y), "end zone")),
        writings=writings,
        frames=frames,
        keypoints=both_ends_points(points) | middle,
        goals=((-x, 0.0, _BAR_HEIGHT), (x, 0.0, _BAR_HEIGHT)),
        goal_width=size.goal_width,
        area_depth=10 * YARD,
    )


NFL, NCAA_FOOTBALL = (football_surface(size) for size in _SIZES)
