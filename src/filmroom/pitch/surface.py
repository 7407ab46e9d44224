"""What a playing surface is made of: straight lines, arcs, painted areas, upright frames, keypoints.

Metres; origin at the centre of the surface, x along its length to the right, y towards the camera
side, z up. Widths of lines are the painted widths. A surface is data: everything that draws,
calibrates or simulates reads it and knows nothing about the sport.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A straight line or bar from `start` to `end`; `width` metres of paint (or thickness of a bar)."""

    name: str
    start: Point
    end: Point
    width: float
    paint: str = "line"

    def points(self, step: float = 0.5) -> FloatArray:
        """Points along it no further apart than `step` metres, (N, 3), both ends included."""
        length = math.dist(self.start, self.end)
        shares = np.linspace(0.0, 1.0, max(2, math.ceil(length / step) + 1))[:, None]
        start = np.asarray(self.start, dtype=float)
        points: FloatArray = start + shares * (np.asarray(self.end, dtype=float) - start)
        return points


@dataclass(frozen=True)
class Arc:
    """A part of a circle, from angle `first` to `last` in degrees, growing from +x towards +y.

    Horizontal at the height of the centre, so a basketball rim is one too.
    """

    name: str
    centre: Point
    radius: float
    first: float
    last: float
    width: float
    paint: str = "line"

    def points(self, step: float = 0.3) -> FloatArray:
        """Points along it no further apart than `step` metres, (N, 3), both ends included."""
        first, last = math.radians(self.first), math.radians(self.last)
        # A small spot must still be round.
        fewest = 5 + round(3 * abs(last - first))
        pieces = max(fewest, math.ceil(self.radius * abs(last - first) / step))
        # An even number of pieces makes a whole circle the same seen from either end.
        count = pieces + pieces % 2 + 1
        angles = np.linspace(first, last, count)
        x, y, z = self.centre
        return np.stack(
            [x + self.radius * np.cos(angles), y + self.radius * np.sin(angles), np.full(count, z)],
            axis=1,
        )


@dataclass(frozen=True)
class Area:
    """A painted area of the ground: corner points (x, y) in order; `paint` names its colour."""

    name: str
    corners: tuple[tuple[float, float], ...]
    paint: str = "area"


@dataclass(frozen=True)
class Writing:
    """Text painted on the ground: centre, height of the letters, `facing` +1 to be read from +y."""

    text: str
    centre: tuple[float, float]
    height: float
    facing: int = 1


@dataclass(frozen=True)
class Surface:
    """One playing surface.

    `lines` and `arcs` lie on the ground; `frames` are the upright things (goals, posts, nets, boards);
    `panels` their flat parts with four corners each (nets, backboards); `keypoints` name points that a
    camera can be solved from. `margin` is the free ground around (x, y). `corner_radius` rounds the
    outline. `goals` are the two targets, left and right, at the height the ball is aimed at.
    `players` a side and `referees` are set where they differ from the sport's.
    """

    name: str
    source: str
    ground: str
    length: float
    width: float
    margin: tuple[float, float]
    lines: tuple[Line, ...]
    arcs: tuple[Arc, ...] = ()
    areas: tuple[Area, ...] = ()
    writings: tuple[Writing, ...] = ()
    frames: tuple[Line, ...] = ()
    rims: tuple[Arc, ...] = ()
    panels: Mapping[str, tuple[Point, Point, Point, Point]] = field(default_factory=dict)
    keypoints: Mapping[str, Point] = field(default_factory=dict)
    corner_radius: float = 0.0
    goals: tuple[Point, Point] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    goal_width: float = 0.0
    area_depth: float = 0.0
    players: int | None = None
    referees: int | None = None

    @property
    def half_length(self) -> float:
        """Metres from the centre to the goal line or baseline."""
        return self.length / 2

    @property
    def half_width(self) -> float:
        """Metres from the centre to the side line."""
        return self.width / 2

    def curves(self) -> dict[str, FloatArray]:
        """Every named curve, frames and rims included, as points (N, 3)."""
        pieces: list[Line | Arc] = [*self.lines, *self.arcs, *self.frames, *self.rims]
        return {piece.name: piece.points() for piece in pieces}


def segment(
    name: str, start: tuple[float, float], end: tuple[float, float], width: float, paint: str = "line"
) -> Line:
    """A line on the ground between two (x, y) points."""
    return Line(name, (*start, 0.0), (*end, 0.0), width, paint)


def outline(
    length: float, width: float, paint_width: float, inside: bool = True
) -> tuple[Line, Line, Line, Line]:
    """The four boundary lines, named as on television: top is the far side, bottom the camera's.

    With `inside` the paint lies inside the stated size, as most rule books have it: the drawn centre
    line then runs half a paint width within.
    """
    shift = paint_width / 2 if inside else 0.0
    x, y = length / 2 - shift, width / 2 - shift
    return (
        segment("Side line top", (-x, -y), (x, -y), paint_width),
        segment("Side line bottom", (-x, y), (x, y), paint_width),
        segment("Side line left", (-x, -y), (-x, y), paint_width),
        segment("Side line right", (x, -y), (x, y), paint_width),
    )


def _other_side(name: str) -> str:
    return name.replace("left", "\0").replace("right", "left").replace("\0", "right")


def mirror_line(line: Line) -> Line:
    """The same line at the other end of the surface; left and right exchanged in its name."""
    (ax, ay, az), (bx, by, bz) = line.start, line.end
    return Line(_other_side(line.name), (-ax, ay, az), (-bx, by, bz), line.width, line.paint)


def mirror_arc(arc: Arc) -> Arc:
    """The same arc at the other end; left and right exchanged in its name."""
    x, y, z = arc.centre
    return Arc(
        _other_side(arc.name),
        (-x, y, z),
        arc.radius,
        180 - arc.last,
        180 - arc.first,
        arc.width,
        arc.paint,
    )


def mirror_area(area: Area) -> Area:
    """The same area at the other end."""
    return Area(_other_side(area.name), tuple((-x, y) for x, y in area.corners), area.paint)


def mirror_point(point: Point) -> Point:
    """The same point at the other end."""
    return (-point[0], point[1], point[2])


def both_ends(*pieces: Line) -> tuple[Line, ...]:
    """Lines of the left end with those of the right end behind them."""
    return (*pieces, *(mirror_line(piece) for piece in pieces))


def both_ends_arcs(*pieces: Arc) -> tuple[Arc, ...]:
    """Arcs of the left end with those of the right end behind them."""
    return (*pieces, *(mirror_arc(piece) for piece in pieces))


def both_ends_areas(*pieces: Area) -> tuple[Area, ...]:
    """Areas of the left end with those of the right end behind them."""
    return (*pieces, *(mirror_area(piece) for piece in pieces))


class LeftGoal(NamedTuple):
    """Corners of the left goal: near is at +y, the backs are where its net meets the ground."""

    near_top: Point
    far_top: Point
    near_foot: Point
    far_foot: Point
    near_back: Point
    far_back: Point

    def frames(self, post: float, paint: str) -> tuple[Line, ...]:
        """Crossbar and posts, `post` metres wide, of both ends."""
        return both_ends(
            Line("Goal left crossbar", self.far_top, self.near_top, post, paint),
            Line("Goal left post near", self.near_top, self.near_foot, post, paint),
            Line("Goal left post far", self.far_top, self.far_foot, post, paint),
        )


def left_goal(line: float, half: float, height: float, depth: float) -> LeftGoal:
    """The goal on x = `line`, `half` metres to either side of the middle, its net `depth` deep."""
    back = line - depth
    return LeftGoal(
        near_top=(line, half, height),
        far_top=(line, -half, height),
        near_foot=(line, half, 0.0),
        far_foot=(line, -half, 0.0),
        near_back=(back, half, 0.0),
        far_back=(back, -half, 0.0),
    )


def both_ends_points(points: Mapping[str, Point]) -> dict[str, Point]:
    """Keypoints of the left end with those of the right end behind them."""
    return {**points, **{_other_side(name): mirror_point(point) for name, point in points.items()}}


def both_ends_panels(
    panels: Mapping[str, tuple[Point, Point, Point, Point]],
) -> dict[str, tuple[Point, Point, Point, Point]]:
    """Panels of the left end with those of the right end behind them."""
    mirrored = {
        _other_side(name): (mirror_point(a), mirror_point(b), mirror_point(c), mirror_point(d))
        for name, (a, b, c, d) in panels.items()
    }
    return {**panels, **mirrored}


def rectangle(left: float, far: float, right: float, near: float) -> tuple[tuple[float, float], ...]:
    """Corners of an upright rectangle on the ground, in order."""
    return ((left, far), (right, far), (right, near), (left, near))
