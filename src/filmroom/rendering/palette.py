"""Colours to draw with: measured kit colours made clear enough for graphics, teams kept apart."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence

from filmroom.rendering.canvas import Colour

_WHITE: Colour = (242, 242, 240)
_BLACK: Colour = (38, 40, 46)
_COLOURLESS = 44  # a measured kit whose channels lie no further apart is white, grey or black
_MIDDLE = 105
_ALIKE = 110.0


def drawing_colours(measured: Mapping[str, Sequence[float]]) -> dict[str, Colour]:
    """A clear colour (RGB) for each team from its measured one, `a` and `b` told apart.

    Measured kit colours are dull: shade, shorts and skin are mixed in. Strong ones are given more
    saturation and light, weak ones become white or black; should both teams end up alike, the darker
    one is drawn black, or the lighter one white.
    """
    shown = {team: clear_colour(colour) for team, colour in measured.items()}
    if "a" in shown and "b" in shown and _distance(shown["a"], shown["b"]) < _ALIKE:
        darker, lighter = sorted("ab", key=lambda team: (_brightness(measured[team]), team))
        if _distance(shown[lighter], _BLACK) >= _ALIKE:
            shown[darker] = _BLACK
        else:
            shown[lighter] = _WHITE
    return shown


def clear_colour(measured: Sequence[float]) -> Colour:
    """One measured RGB colour, 0..255, made clear; colours that are clear already stay as they are."""
    red, green, blue = (min(max(float(value), 0.0), 255.0) for value in measured[:3])
    if max(red, green, blue) - min(red, green, blue) < _COLOURLESS:
        return _WHITE if _brightness((red, green, blue)) > _MIDDLE else _BLACK
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if saturation < 0.72:
        saturation = min(0.88, max(0.72, 1.7 * saturation))
    value = max(value, 0.78)
    shown = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(255 * shown[0]), round(255 * shown[1]), round(255 * shown[2]))


def _brightness(colour: Sequence[float]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _distance(first: Colour, second: Colour) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)
