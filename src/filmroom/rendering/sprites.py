"""The graphics laid on the picture: rings at the feet, number plates, the ball's marker; drawn once,
then kept.

All are drawn at four times their size and averaged down, which gives smooth edges at any picture
height.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.rendering.canvas import Colour, ColourSpace, Floats, Sprite

RingStyle = Literal["solid", "double", "dashed"]

_FINE = 4
_DARK: Colour = (14, 17, 22)
_LIGHT: Colour = (248, 248, 246)
_FADED: Colour = (205, 208, 212)
_BALL: Colour = (255, 214, 51)
_OPEN_ARC = (-48, 228)
_FULL_ARC = (0, 360)
_DASHES = 10
_MOST_LETTERS = 18


class SpriteSheet:
    """Makes and keeps the sprites for pictures of one height."""

    def __init__(self, picture_height: int, space: ColourSpace) -> None:
        self.space = space
        self.unit = max(picture_height / 1080, 0.34)
        self.font_height = max(9, round(21 * self.unit))
        self._rings: dict[tuple[Any, ...], Sprite] = {}
        self._plates: dict[tuple[Any, ...], Sprite] = {}
        self._balls: dict[bool, Sprite] = {}

    def ring(
        self, radius: int, colour: Colour, style: RingStyle, *, closed: bool, faint: bool
    ) -> Sprite:
        """An ellipse lying on the ground, `radius` pixels to either side; open at the back unless
        `closed`."""
        key = (radius, colour, style, closed, faint)
        if key not in self._rings:
            self._rings[key] = self._draw_ring(*key)
        return self._rings[key]

    def plate(self, number: str, name: str, colour: Colour) -> Sprite:
        """A plate with `number` on the team's colour and `name` beside it; either may be empty."""
        key = (number, name, colour)
        if key not in self._plates:
            self._plates[key] = self._draw_plate(number, name, colour)
        return self._plates[key]

    def ball_marker(self, *, faint: bool) -> Sprite:
        """A triangle that points down at the ball; `faint` where the ball was not seen itself."""
        if faint not in self._balls:
            self._balls[faint] = self._draw_ball_marker(faint)
        return self._balls[faint]

    def _draw_ring(
        self, radius: int, colour: Colour, style: RingStyle, closed: bool, faint: bool
    ) -> Sprite:
        thickness = min(max(1.4, 3.2 * self.unit), max(1.0, radius / 5))
        rise = max(2.0, 0.36 * radius)
        margin = int(np.ceil(thickness + 2 * self.unit)) + 1
        size = (2 * (radius + margin), 2 * (round(rise) + margin))
        centre = (size[0] / 2, size[1] / 2)
        arc = _FULL_ARC if closed else _OPEN_ARC
        spans: list[tuple[float, float]] = [arc]
        if style == "dashed":
            step = (arc[1] - arc[0]) / _DASHES
            spans = [
                (arc[0] + step * (dash + 0.2), arc[0] + step * (dash + 0.8)) for dash in range(_DASHES)
            ]
        line = _arcs(size, centre, (radius, rise), spans, thickness)
        edge = _arcs(size, centre, (radius, rise), spans, thickness + max(1.6, 2.2 * self.unit))
        if style == "double":
            inner = (0.66 * radius, 0.66 * rise)
            line = np.maximum(line, _arcs(size, centre, inner, spans, thickness * 0.8))
            edge = np.maximum(
                edge, _arcs(size, centre, inner, spans, thickness * 0.8 + 1.6 * self.unit)
            )
        inside = _disc(size, centre, (radius, rise))
        strength = 0.55 if faint else 1.0
        glow = 0.20 * inside
        alpha = np.maximum(np.maximum(line * 0.95, edge * 0.45), glow) * strength
        rgb = _mixed(_mixed(_filled(size, colour), _DARK, np.clip(edge - line, 0, 1)), colour, line)
        return Sprite(rgb, alpha, self.space)

    def _draw_plate(self, number: str, name: str, colour: Colour) -> Sprite:
        font = self.font_height if number else max(8, round(self.font_height * 0.78))
        height = round(font * 1.34)
        side = max(2, round(font * 0.34))
        number_mark = _text(number, font) if number else None
        name_mark = _text(_shortened(name), round(font * 0.92)) if name else None
        chip = (
            number_mark.shape[1] + 2 * side if number_mark is not None else max(2, round(font * 0.24))
        )
        rest = name_mark.shape[1] + 2 * side if name_mark is not None else 0
        chip = max(chip, height) if number_mark is not None else chip
        border = max(1, round(1.5 * self.unit))
        size = (chip + rest + 2 * border, height + 2 * border)
        corner = 0.26 * height
        outer = _rounded(size, (0, 0, size[0], size[1]), corner + border)
        inner = _rounded(size, (border, border, size[0] - border, size[1] - border), corner)
        rgb = _filled(size, _DARK)
        in_chip = np.zeros((size[1], size[0]), np.float32)
        in_chip[:, : chip + border] = 1
        rgb = _mixed(rgb, colour, inner * in_chip)
        solid = 0.93 if number_mark is not None else 0.62
        alpha = np.maximum(outer * (0.78 if number_mark is not None else 0.5), inner * solid)
        if number_mark is not None:
            ink = _DARK if _brightness(colour) > 140 else _LIGHT
            rgb, alpha = _printed(
                rgb, alpha, number_mark, border + (chip - number_mark.shape[1]) // 2, ink
            )
        if name_mark is not None:
            ink = _LIGHT if number_mark is not None else _FADED
            rgb, alpha = _printed(
                rgb, alpha, name_mark, border + chip + (rest - name_mark.shape[1]) // 2, ink
            )
        return Sprite(rgb, alpha, self.space)

    def _draw_ball_marker(self, faint: bool) -> Sprite:
        width, height = max(9, round(24 * self.unit)), max(7, round(18 * self.unit))
        margin = max(2, round(2.4 * self.unit))
        size = (width + 2 * margin, height + 2 * margin)
        points = np.array(
            [[margin, margin], [margin + width, margin], [margin + width / 2, margin + height]]
        )
        shape = _polygon(size, points)
        centre = points.mean(axis=0)
        edge = _polygon(size, centre + (points - centre) * (1 + 2.6 * margin / width))
        rgb = _mixed(_filled(size, _DARK), _BALL, shape)
        return Sprite(rgb, np.maximum(edge * 0.7, shape) * (0.45 if faint else 1.0), self.space)


def _arcs(
    size: tuple[int, int],
    centre: tuple[float, float],
    axes: tuple[float, float],
    spans: list[tuple[float, float]],
    thickness: float,
) -> Floats:
    fine = _fine_sheet(size)
    for start, end in spans:
        angles = np.radians(np.linspace(start, end, max(8, int((end - start) / 4))))
        line = np.stack(
            [centre[0] + axes[0] * np.cos(angles), centre[1] + axes[1] * np.sin(angles)], axis=1
        )
        points = np.rint(line * _FINE * 16).astype(np.int32)
        cv2.polylines(fine, [points], False, 255, max(1, round(thickness * _FINE)), cv2.LINE_AA, 4)
    return _averaged(fine, size)


def _disc(size: tuple[int, int], centre: tuple[float, float], axes: tuple[float, float]) -> Floats:
    x = (np.arange(size[0], dtype=np.float32) + 0.5 - centre[0]) / axes[0]
    y = (np.arange(size[1], dtype=np.float32) + 0.5 - centre[1]) / axes[1]
    distance = np.sqrt(x[None] ** 2 + y[:, None] ** 2)
    soft: Floats = np.clip((1 - distance) * 4, 0, 1).astype(np.float32)
    return soft


def _rounded(size: tuple[int, int], box: tuple[float, float, float, float], corner: float) -> Floats:
    left, top, right, bottom = box
    x = np.arange(size[0], dtype=np.float32) + 0.5
    y = np.arange(size[1], dtype=np.float32) + 0.5
    beyond_x = np.maximum(np.maximum(left + corner - x, x - (right - corner)), 0)
    beyond_y = np.maximum(np.maximum(top + corner - y, y - (bottom - corner)), 0)
    distance = np.sqrt(beyond_x[None] ** 2 + beyond_y[:, None] ** 2)
    inside: Floats = np.clip(corner + 0.5 - distance, 0, 1).astype(np.float32)
    return inside


def _polygon(size: tuple[int, int], points: NDArray[np.float64]) -> Floats:
    fine = _fine_sheet(size)
    cv2.fillPoly(fine, [np.rint(points * _FINE * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return _averaged(fine, size)


def _text(text: str, height: int) -> Floats:
    """The letters as coverage 0..1, `height` pixels from top to bottom of the line, cut to their
    width."""
    fine_height = height * _FINE
    font = _font()
    if font is None:
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or "?"
        scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_DUPLEX, round(fine_height * 0.72), _FINE)
        (width, _), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_DUPLEX, scale, _FINE * 2)
        fine = np.zeros((round(fine_height * 1.34), width + 4 * _FINE), np.uint8)
        place = (2 * _FINE, round(fine_height * 1.03))
        cv2.putText(fine, plain, place, cv2.FONT_HERSHEY_DUPLEX, scale, 255, _FINE * 2, cv2.LINE_AA)
    else:
        fine = np.zeros(
            (round(fine_height * 1.34), round(fine_height * (1.2 * len(text) + 1))), np.uint8
        )
        place = (fine_height // 2, round(fine_height * 1.02))
        cv2.putText(fine, text, place, (255,), font, round(fine_height * 0.98), 700)
    columns = np.flatnonzero(fine.any(axis=0))
    if not len(columns):
        return np.zeros((round(height * 1.34), 1), np.float32)
    fine = fine[:, columns[0] : columns[-1] + 1]
    width = -(-fine.shape[1] // _FINE)
    fine = np.pad(fine, ((0, 0), (0, width * _FINE - fine.shape[1])))
    small = cv2.resize(fine, (width, round(height * 1.34)), interpolation=cv2.INTER_AREA)
    coverage: Floats = (small / 255).astype(np.float32)
    return coverage


@functools.cache
def _font() -> Any:
    """OpenCV 5 brings a proper font with accents; before it there are only stroke letters."""
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def _printed(rgb: Floats, alpha: Floats, mark: Floats, left: int, ink: Colour) -> tuple[Floats, Floats]:
    top = (alpha.shape[0] - mark.shape[0]) // 2
    cover = np.zeros_like(alpha)
    shown = mark[max(0, -top) : max(0, -top) + alpha.shape[0]]
    cover[max(0, top) : max(0, top) + shown.shape[0], left : left + shown.shape[1]] = shown
    return _mixed(rgb, ink, cover), np.maximum(alpha, cover)


def _shortened(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else name[: _MOST_LETTERS - 1].rstrip() + "."


def _brightness(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _fine_sheet(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.zeros((size[1] * _FINE, size[0] * _FINE), np.uint8)


def _averaged(fine: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    small: Floats = (cv2.resize(fine, size, interpolation=cv2.INTER_AREA) / 255).astype(np.float32)
    return small


def _filled(size: tuple[int, int], colour: Colour) -> Floats:
    return np.full((size[1], size[0], 3), colour, np.float32)


def _mixed(rgb: Floats, colour: Colour, share: Floats) -> Floats:
    mixed: Floats = rgb + (np.asarray(colour, np.float32) - rgb) * share[..., None].astype(np.float32)
    return mixed
