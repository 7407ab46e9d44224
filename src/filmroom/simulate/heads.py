"""Heads: hair, helmets and, where they are large enough to be seen, faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from filmroom.simulate.hulls import FloatArray, Polygon, egg, fixed, hull, ring, shade
from filmroom.simulate.kits import Colour

FACE_FROM = 22.0
"""Pixels of a head from which its face is drawn."""

_EYE, _LIPS, _WHITE = (38, 28, 24), (150, 74, 70), (236, 232, 226)
_TURNED = 0.15
"""Features turned away by more than acos of this are not drawn."""


@dataclass(frozen=True)
class Head:
    """What is on the shoulders: colours, hair, helmet, and how much beard (0 none, 1 full)."""

    skin: Colour
    hair: Colour
    long_hair: bool = False
    bald: bool = False
    helmet: Colour | None = None
    barred: bool = False
    beard: float = 0.0


@dataclass(frozen=True)
class HeadView:
    """Where it is and how it is seen.

    `centre`, `neck` (3,) and `axes` (3, 3; left, forward, up in the columns) in the body's frame;
    `place` puts points (K, 3) of that frame on the canvas, `towards` (3,) is the way to the camera;
    `shown` is how many pixels of the picture the head is tall.
    """

    centre: FloatArray
    neck: FloatArray
    axes: FloatArray
    place: Callable[[FloatArray], FloatArray]
    towards: FloatArray
    shown: float


def head_polygons(head: Head, view: HeadView, size: float, *, outlined: bool) -> list[Polygon]:
    """Neck, face and hair (or a helmet), the first to be drawn first; `size` 1 is an ordinary head."""
    axes, centre, place = view.axes, view.centre, view.place
    _, forward, up = axes.T
    large = view.shown >= FACE_FROM

    def solid(
        middle: FloatArray, across: float, through: float, tall: float, colour: Colour
    ) -> Polygon:
        return hull(place(egg(middle, axes, across, through, tall, smooth=large))), colour

    polygons: list[Polygon] = []
    if outlined:
        polygons.append(solid(centre, 0.054 * size, 0.06 * size, 0.075 * size, (25, 25, 28)))
    throat = np.concatenate(
        [ring(view.neck - 0.01 * up, axes, 0.03, 0.03), ring(centre, axes, 0.028, 0.028)]
    )
    polygons.append((hull(place(throat)), shade(head.skin, 0.8)))
    skull = egg(
        centre - 0.014 * forward + 0.014 * up, axes, 0.047 * size, 0.05 * size, 0.057 * size,
        smooth=large,
    )  # fmt: skip
    if head.long_hair:
        skull = np.concatenate([skull, ring(view.neck - 0.045 * forward, axes, 0.035 * size, 0.015)])
    from_behind = float(view.towards @ forward) < -0.25
    hair = (hull(place(skull)), head.skin if head.bald else head.hair)
    if head.helmet:
        shell = (0.062 * size, 0.068 * size, 0.07 * size)
        polygons.append(solid(centre + 0.006 * up, *shell, head.helmet))
        if not from_behind:
            opening = centre + 0.03 * forward - 0.02 * up
            polygons.append(solid(opening, 0.035, 0.03, 0.03, shade(head.skin, 0.6)))
            if large and head.barred:
                polygons += _bars(view, shade(head.helmet, 0.45))
    elif from_behind:
        polygons.append(solid(centre, 0.043 * size, 0.052 * size, 0.064 * size, shade(head.skin, 0.9)))
        polygons.append(hair)
    else:
        # Long hair hangs behind the neck.
        polygons.insert(len(polygons) - 1, hair)
        face = _Face(view, size)
        polygons.append(solid(face.middle, face.across, face.through, face.tall, head.skin))
        if large:
            polygons += face.features(head)
    return polygons


class _Face:
    """The front of a head: an egg on which features lie."""

    def __init__(self, view: HeadView, size: float) -> None:
        _, forward, up = view.axes.T
        self.view = view
        self.middle = view.centre + 0.012 * forward - 0.012 * up
        self.across, self.through, self.tall = 0.04 * size, 0.042 * size, 0.05 * size

    def features(self, head: Head) -> list[Polygon]:
        """Beard, ears, eyes, brows, nose, mouth: whatever of them looks towards the camera."""
        found: list[Polygon] = []
        if head.beard > 0:
            value = 1.0 - 0.75 * head.beard
            mixed = tuple(
                int(value * skin + (1 - value) * hair)
                for skin, hair in zip(head.skin, head.hair, strict=True)
            )
            found += self._patch(0.0, -0.62, 0.86, 0.38, (mixed[0], mixed[1], mixed[2]))
        for side in (-1.0, 1.0):
            found += self._patch(0.97 * side, 0.1, 0.1, 0.2, shade(head.skin, 0.82))
            found += self._patch(0.42 * side, 0.3, 0.2, 0.09, _WHITE)
            found += self._patch(0.42 * side, 0.3, 0.09, 0.1, _EYE)
            found += self._patch(0.42 * side, 0.47, 0.26, 0.055, shade(head.hair, 0.9))
        found += self._patch(0.0, 0.02, 0.13, 0.26, shade(head.skin, 1.06))
        found += self._patch(0.0, -0.16, 0.2, 0.07, shade(head.skin, 0.78))
        found += self._patch(0.0, -0.5, 0.36, 0.075, _blend(_LIPS, head.skin))
        return found

    def _patch(
        self, aside: float, rise: float, wide: float, tall: float, colour: Colour
    ) -> list[Polygon]:
        """An ellipse on the skin: place and half sizes in half axes of the face; [] if turned away."""
        turn = np.linspace(0, 2 * math.pi, 14, endpoint=False)
        # The first point is the middle, which decides whether the feature looks this way.
        across = aside + wide * np.append(0.0, np.cos(turn))
        above = rise + tall * np.append(0.0, np.sin(turn))
        beyond = np.maximum(np.hypot(across, above) / 0.99, 1.0)
        across, above = across / beyond, above / beyond
        deep = np.sqrt(1.0 - across**2 - above**2)
        away = np.stack([across / self.across, deep / self.through, above / self.tall], axis=1)
        away = away / np.sqrt((away**2).sum(axis=1))[:, None]
        facing = away @ (self.view.axes.T @ self.view.towards)
        if facing[0] < _TURNED:
            return []
        places = np.stack([across * self.across, deep * self.through, above * self.tall], axis=1)
        # What lies beyond the edge of the face is left out, so that no feature sticks out of it.
        seen = self.view.place(self.middle + places @ self.view.axes.T)[facing > 0.0]
        return [(hull(seen), colour)] if len(seen) > 2 else []


def _bars(view: HeadView, colour: Colour) -> list[Polygon]:
    """The guard of a football helmet: two bars round the front."""
    left, forward, up = view.axes.T
    turn = np.linspace(-1.1, 1.1, 9)
    bars: list[Polygon] = []
    for low in (-0.026, -0.05):
        arc = (
            view.centre + 0.058 * np.sin(turn)[:, None] * left + 0.078 * np.cos(turn)[:, None] * forward
        )
        strip = np.concatenate([arc + low * up, (arc + (low + 0.007) * up)[::-1]])
        bars.append((fixed(view.place(strip)), colour))
    return bars


def _blend(one: Colour, other: Colour) -> Colour:
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue
