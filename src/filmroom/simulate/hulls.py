"""Solid shapes of bodies as polygons in fixed-point pixels: rings, eggs and the hulls round them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.kits import Colour

FloatArray = NDArray[Any]
Polygon = tuple[NDArray[np.int32], Colour]
SHIFT = 4
"""Bits behind the point of polygons' coordinates."""

_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_ROUND = np.linspace(-0.9, 0.9, 9)


def ring(centre: FloatArray, axes: FloatArray, across: float, through: float) -> FloatArray:
    """Sixteen points of an ellipse about `centre` in the plane of the left and forward axes."""
    return (
        centre
        + across * np.cos(_TURN)[:, None] * axes[:, 0]
        + through * np.sin(_TURN)[:, None] * axes[:, 1]
    )


def egg(
    middle: FloatArray, axes: FloatArray, across: float, through: float, tall: float, *, smooth: bool
) -> FloatArray:
    """Points on an egg with half axes `across`, `through`, `tall`, narrower below, (K, 3).

    Three rings do for a head of some pixels; a `smooth` one has nine.
    """
    levels = _ROUND if smooth else np.array([-0.6, 0.0, 0.6])
    rings = []
    for level in levels.tolist():
        width = float(np.sqrt(1 - level * level)) * (0.92 if level < 0 else 1.0)
        rings.append(ring(middle + level * tall * axes[:, 2], axes, across * width, through * width))
    ends = middle + np.array([[1.0], [-1.0]]) * tall * axes[:, 2]
    return np.concatenate([*rings, ends])


def fixed(points: FloatArray) -> NDArray[np.int32]:
    """Pixels (K, 2) as `cv2.fillPoly` wants them with a shift of SHIFT."""
    whole: NDArray[np.int32] = np.rint(points * (1 << SHIFT)).astype(np.int32)
    return whole


def hull(points: FloatArray) -> NDArray[np.int32]:
    """The outline of pixels (K, 2)."""
    around: NDArray[Any] = cv2.convexHull(fixed(points).reshape(-1, 1, 2)).reshape(-1, 2)
    outline: NDArray[np.int32] = around.astype(np.int32)
    return outline


def shade(colour: Colour, value: float) -> Colour:
    """The colour lighter or darker."""
    red, green, blue = (min(255, int(channel * value)) for channel in colour)
    return red, green, blue
