"""Shirt numbers drawn without font files: digits as strokes, in the manner of many kit makers.

A digit is a few polylines in the unit square; a style says how corners are turned, how heavy and of
what shape the pen is, how wide, slanted, cut or seriffed the digit stands. `FONTS` styles are built in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Pen = Literal["round", "square", "octagon"]

_SUPERSAMPLED = 4
_LARGEST_DRAWING = 512
_INK = 255


@dataclass(frozen=True)
class DigitStyle:
    """How one font looks. Lengths are shares of the digit's height unless said otherwise."""

    width: float = 0.58
    weight: float = 0.17
    """Thickness of an upright stroke."""
    thin: float = 1.0
    """Thickness of a level stroke as a share of `weight`."""
    corner: float = 0.5
    """How far a turn reaches, as a share of the shorter of its two strokes; 0 is a sharp corner."""
    rounded: bool = True
    """Corners are curves; otherwise they are cut straight."""
    pen: Pen = "round"
    flat_ends: bool = True
    slant: float = 0.0
    """Sideways shift of the top against the foot."""
    spacing: float = 0.08
    serif: bool = False
    stencil: float = 0.0
    """Width of the bridge of a stencil."""
    inline: float = 0.0
    """Share of the stroke that is left out along its middle."""
    slices: int = 0
    """Level slits across the digit."""
    segments: bool = False
    """Built of seven separate bars."""
    waist: float = 0.48
    one: Literal["bar", "flag", "based"] = "flag"
    two: Literal["diagonal", "level"] = "diagonal"
    three: Literal["bowl", "flat"] = "bowl"
    four: Literal["closed", "open"] = "closed"
    six: Literal["hook", "straight"] = "hook"
    seven: Literal["straight", "bent", "hooked"] = "straight"
    written: int = -1
    """Number of one of OpenCV's own fonts instead of strokes; -1 for strokes."""


def _built_in() -> tuple[DigitStyle, ...]:
    classic = DigitStyle()
    din = DigitStyle(corner=0.9, weight=0.16, width=0.55, four="closed", seven="straight")
    block = DigitStyle(
        corner=0.35,
        rounded=False,
        pen="octagon",
        flat_ends=False,
        weight=0.2,
        width=0.66,
        two="level",
        one="flag",
        four="closed",
        seven="bent",
    )
    square = replace(block, corner=0.0, pen="square", four="open", seven="bent")
    slim = replace(din, width=0.42, weight=0.13, spacing=0.09)
    strokes = (
        classic,
        replace(classic, weight=0.22, width=0.66, one="flag"),
        replace(classic, weight=0.12, width=0.56, spacing=0.12),
        replace(classic, slant=0.14, weight=0.19),
        din,
        replace(din, weight=0.21, width=0.6, spacing=0.05),
        replace(din, weight=0.19, width=0.5, one="bar", six="straight"),
        replace(din, weight=0.09, width=0.5, spacing=0.14),
        replace(din, weight=0.16, width=0.62, slant=0.1, three="flat", seven="bent"),
        replace(din, thin=0.7, weight=0.2, width=0.58, one="bar"),
        replace(din, flat_ends=False, weight=0.17, width=0.6, four="open"),
        replace(din, flat_ends=False, weight=0.24, width=0.7, spacing=0.03, waist=0.46),
        block,
        replace(block, serif=True, weight=0.19, width=0.74, one="based"),
        replace(block, serif=True, weight=0.16, width=0.66, one="based", two="diagonal"),
        replace(block, corner=0.25, weight=0.24, width=0.74, spacing=0.05),
        replace(block, corner=0.45, weight=0.15, width=0.6, four="open", one="bar"),
        replace(block, slant=0.15, weight=0.18, two="diagonal", seven="straight"),
        replace(block, weight=0.2, width=0.5, seven="hooked", two="diagonal"),
        square,
        replace(square, weight=0.15, width=0.5, one="bar", spacing=0.1),
        replace(square, weight=0.22, width=0.7, four="closed", two="diagonal", seven="straight"),
        replace(square, corner=0.15, rounded=True, pen="round", slant=0.12, three="flat"),
        slim,
        replace(slim, weight=0.16, one="bar", six="straight", spacing=0.06),
        replace(slim, weight=0.09, width=0.4, spacing=0.12),
        replace(slim, rounded=False, corner=0.3, pen="octagon", flat_ends=False, weight=0.15),
        replace(slim, slant=0.1, weight=0.15, seven="bent", four="open"),
        replace(din, stencil=0.06, weight=0.2, width=0.62),
        replace(block, stencil=0.05, weight=0.2, width=0.66),
        replace(din, inline=0.22, weight=0.22, width=0.62),
        replace(block, inline=0.25, weight=0.23, width=0.7, two="level"),
        replace(din, slices=3, weight=0.22, width=0.6),
        replace(classic, thin=0.5, weight=0.2, width=0.62, serif=True, one="based"),
        replace(classic, thin=0.6, weight=0.17, serif=True, one="based", six="straight"),
        replace(classic, thin=1.35, weight=0.14, width=0.6, three="flat", seven="hooked"),
        DigitStyle(segments=True, weight=0.14, width=0.56, pen="octagon", slant=0.06),
        DigitStyle(segments=True, weight=0.18, width=0.6, pen="octagon"),
        replace(din, waist=0.42, weight=0.18, width=0.58, six="straight", three="flat"),
        replace(din, waist=0.56, weight=0.16, width=0.54, four="open", seven="bent"),
        replace(classic, corner=0.25, weight=0.18, width=0.56, one="bar", three="flat"),
        replace(classic, corner=0.2, weight=0.2, width=0.64, seven="bent", two="level", slant=0.06),
    )
    written = tuple(
        DigitStyle(written=face, weight=weight, spacing=0.05)
        for face, weight in (
            (cv2.FONT_HERSHEY_SIMPLEX, 0.12),
            (cv2.FONT_HERSHEY_TRIPLEX, 0.16),
        )
    )
    return strokes + written


STYLES = _built_in()
FONTS = len(STYLES)
"""How many fonts there are; `draw_number` takes 0 .. FONTS - 1."""


def draw_number(
    text: str, *, height: int, font: int, rng: np.random.Generator | None = None
) -> NDArray[np.float32]:
    """The ink of a shirt number, for cloth, figures and training pictures.

    Returns a float32 (height, W) mask in 0..1, cropped to the number sideways. `rng` varies weight,
    width, slant and spacing a little around the font's own; without it the result is always the same.
    Raises ValueError for anything but digits, a height below 4 or a font out of range.
    """
    if not text or not text.isascii() or not text.isdigit():
        raise ValueError(f"a shirt number is written in digits 0-9, got {text!r}")
    if height < 4:
        raise ValueError(f"height must be at least 4 pixels, got {height}")
    if not 0 <= font < FONTS:
        raise ValueError(f"font must be 0 .. {FONTS - 1}, got {font}")
    style = STYLES[font] if rng is None else vary(STYLES[font], rng)
    return draw_styled(text, style, height)


def vary(style: DigitStyle, rng: np.random.Generator) -> DigitStyle:
    """A near relative of a style."""
    return replace(
        style,
        width=style.width * float(rng.uniform(0.88, 1.14)),
        weight=style.weight * float(rng.uniform(0.85, 1.18)),
        slant=style.slant + float(rng.normal(0, 0.025)),
        spacing=style.spacing * float(rng.uniform(0.6, 1.5)),
        corner=style.corner * float(rng.uniform(0.8, 1.1)),
        waist=style.waist + float(rng.uniform(-0.02, 0.02)),
    )


def draw_styled(text: str, style: DigitStyle, height: int) -> NDArray[np.float32]:
    """`draw_number` for a style of the caller's own."""
    factor = _SUPERSAMPLED if height * _SUPERSAMPLED <= _LARGEST_DRAWING else 2
    tall = height * factor
    glyphs = [
        _written_digit(digit, style, tall) if style.written >= 0 else _stroked_digit(digit, style, tall)
        for digit in text
    ]
    gap = max(1, round(style.spacing * tall))
    overhang = round(abs(style.slant) * tall) if style.written < 0 else 0
    # A slanted glyph leans over its neighbour's cell: the cells overlap by the overhang.
    width = sum(glyph.shape[1] - overhang for glyph in glyphs) + gap * (len(glyphs) - 1) + overhang
    canvas = np.zeros((tall, width), np.uint8)
    left = 0
    for glyph in glyphs:
        cell = canvas[:, left : left + glyph.shape[1]]
        np.maximum(cell, glyph, out=cell)
        left += glyph.shape[1] - overhang + gap
    inked = np.flatnonzero(canvas.max(axis=0))
    canvas = canvas[:, inked[0] : inked[-1] + 1]
    narrow = max(1, round(canvas.shape[1] / factor))
    small = cv2.resize(canvas, (narrow, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(_INK)


def _written_digit(digit: str, style: DigitStyle, tall: int) -> NDArray[np.uint8]:
    thickness = max(1, round(2 * style.weight * 20))
    canvas = np.zeros((220, 220), np.uint8)
    cv2.putText(canvas, digit, (50, 170), style.written, 4.0, _INK, thickness, cv2.LINE_AA)
    rows, columns = np.flatnonzero(canvas.max(axis=1)), np.flatnonzero(canvas.max(axis=0))
    ink = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(2, round(ink.shape[1] * tall / ink.shape[0] * style.width / 0.58))
    return np.asarray(cv2.resize(ink, (width, tall), interpolation=cv2.INTER_AREA), np.uint8)


def _stroked_digit(digit: str, style: DigitStyle, tall: int) -> NDArray[np.uint8]:
    half_x = style.weight * tall / 2
    half_y = half_x * style.thin
    wide = style.width * tall
    if digit == "1" and not style.segments:
        wide = {"bar": 2 * half_x, "flag": 0.62 * wide + half_x, "based": 0.8 * wide}[style.one]
    overhang = round(abs(style.slant) * tall)
    canvas = np.zeros((tall, round(wide) + overhang), np.uint8)
    reach_x, reach_y = max(wide - 2 * half_x, 0.0), max(tall - 2 * half_y, 0.0)
    if style.segments:
        for points, _, _ in _segment_bars(digit):
            bar = _lean(points * [reach_x, reach_y] + [half_x, half_y], style.slant, tall)
            for inset, thickness in ((0.8, 0.55), (1.3, 1.0)):
                halves = (thickness * half_x, thickness * half_x)
                _draw_path(
                    canvas,
                    _shorten(bar, inset * half_x),
                    False,
                    style=style,
                    halves=halves,
                    pen="octagon",
                )
        return canvas
    paths = _skeleton(digit, style)
    for share, ink in ((1.0, _INK), (style.inline, 0)):
        if share <= 0:
            continue
        for points, turns, closed in paths:
            placed = points * [reach_x, reach_y] + [half_x, half_y]
            traced = _lean(_turn_corners(placed, turns, closed, style), style.slant, tall)
            halves = (share * half_x, share * half_y)
            _draw_path(canvas, traced, closed, style=style, halves=halves, ink=ink)
    if style.serif:
        _draw_serifs(canvas, paths, (reach_x, reach_y, half_x, half_y), style)
    if style.stencil > 0:
        _cut_bridges(canvas, digit, style, (wide, tall))
    if style.slices > 0:
        slit = max(1, round(0.025 * tall))
        for number in range(1, style.slices + 1):
            row = round(number * tall / (style.slices + 1)) - slit // 2
            canvas[row : row + slit] = 0
    return canvas


Path = tuple[FloatArray, tuple[bool, ...], bool]
"""Points in the unit square (y down), which of them may be turned softly, whether the path closes."""


def _path(points: list[tuple[float, float]], soft: str = "", closed: bool = False) -> Path:
    """`soft` has one letter a point: s where the corner stays sharp; by default all are soft."""
    letters = soft or "r" * len(points)
    return np.array(points, float), tuple(letter == "r" for letter in letters), closed


def _skeleton(digit: str, style: DigitStyle) -> list[Path]:
    waist, inset = style.waist, 0.06
    if digit in "69":
        six = _skeleton_of_six(style)
        return six if digit == "6" else [(1.0 - points, soft, closed) for points, soft, closed in six]
    shapes = {
        "0": [_path([(0, 0), (1, 0), (1, 1), (0, 1)], closed=True)],
        "1": _skeleton_of_one(style),
        "2": _skeleton_of_two(style),
        "3": _skeleton_of_three(style),
        "4": _skeleton_of_four(style),
        "5": [
            _path(
                [
                    (0.95, 0),
                    (0.06, 0),
                    (0.03, waist - 0.03),
                    (1, waist - 0.05),
                    (1, 1),
                    (0, 1),
                    (0, 0.78),
                ],
                "sssrrrr",
            )
        ],
        "7": _skeleton_of_seven(style),
        "8": [
            _path([(inset, 0), (1 - inset, 0), (1 - inset, waist), (inset, waist)], closed=True),
            _path([(0, waist), (1, waist), (1, 1), (0, 1)], closed=True),
        ],
    }
    return shapes[digit]


def _skeleton_of_two(style: DigitStyle) -> list[Path]:
    if style.two == "diagonal":
        return [_path([(0, 0.26), (0, 0), (1, 0), (1, 0.42), (0, 1), (1, 1)], "rrrrss")]
    waist = style.waist
    return [_path([(0, 0.2), (0, 0), (1, 0), (1, waist), (0, waist), (0, 1), (1, 1)], "rrrrrsr")]


def _skeleton_of_three(style: DigitStyle) -> list[Path]:
    waist = style.waist
    foot: list[tuple[float, float]] = [(1, 1), (0, 1), (0, 0.78)]
    if style.three == "flat":
        level = waist - 0.07
        return [_path([(0, 0), (1, 0), (0.42, level), (1, level), *foot], "sssrrrr")]
    return [
        _path([(0, 0.22), (0, 0), (1, 0), (1, waist), (0.3, waist)]),
        _path([(0.3, waist), (1, waist), *foot]),
    ]


def _skeleton_of_four(style: DigitStyle) -> list[Path]:
    if style.four == "open":
        return [_path([(0, 0), (0, 0.62), (1, 0.62)], "sss"), _path([(0.82, 0), (0.82, 1)])]
    return [_path([(0.72, 1), (0.72, 0), (0, 0.7), (1, 0.7)], "ssss")]


def _skeleton_of_seven(style: DigitStyle) -> list[Path]:
    if style.seven == "bent":
        return [_path([(0, 0), (1, 0), (1, 0.25), (0.38, 0.62), (0.38, 1)], "ssrrr")]
    if style.seven == "hooked":
        return [_path([(0, 0.2), (0, 0), (1, 0), (0.3, 1)], "ssss")]
    return [_path([(0, 0), (1, 0), (0.3, 1)], "sss")]


def _skeleton_of_one(style: DigitStyle) -> list[Path]:
    if style.one == "bar":
        return [_path([(0, 0), (0, 1)])]
    if style.one == "flag":
        return [_path([(0, 0.24), (1, 0), (1, 1)], "sss")]
    return [_path([(0.08, 0.22), (0.5, 0), (0.5, 1)], "sss"), _path([(0, 1), (1, 1)])]


def _skeleton_of_six(style: DigitStyle) -> list[Path]:
    bowl_top = style.waist - 0.05
    bowl = _path([(0, bowl_top), (1, bowl_top), (1, 1), (0, 1)], closed=True)
    if style.six == "straight":
        return [bowl, _path([(0.8, 0), (0, 0.66)])]
    return [bowl, _path([(1, 0.22), (1, 0), (0, 0), (0, 0.72)])]


_BARS = {
    "a": [(0.0, 0.0), (1.0, 0.0)],
    "b": [(1.0, 0.0), (1.0, 0.5)],
    "c": [(1.0, 0.5), (1.0, 1.0)],
    "d": [(0.0, 1.0), (1.0, 1.0)],
    "e": [(0.0, 0.5), (0.0, 1.0)],
    "f": [(0.0, 0.0), (0.0, 0.5)],
    "g": [(0.0, 0.5), (1.0, 0.5)],
}
_LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def _segment_bars(digit: str) -> list[Path]:
    return [_path(_BARS[bar]) for bar in _LIT[int(digit)]]


def _shorten(points: FloatArray, amount: float) -> FloatArray:
    along = points[-1] - points[0]
    step = along / max(float(np.hypot(*along)), 1e-6) * amount
    return np.stack([points[0] + step, points[-1] - step])


def _turn_corners(
    points: FloatArray, soft: tuple[bool, ...], closed: bool, style: DigitStyle
) -> FloatArray:
    """Replace soft corners by a quarter of an ellipse or a straight cut."""
    if style.corner <= 0:
        return points
    count = len(points)
    traced: list[FloatArray] = []
    for index in range(count):
        here = points[index]
        if not soft[index] or (not closed and index in (0, count - 1)):
            traced.append(here[None])
            continue
        before, after = points[index - 1], points[(index + 1) % count]
        # Each stroke is shared with the corner at its other end, unless it ends there.
        share_before = 0.5 if closed or index > 1 else 0.95
        share_after = 0.5 if closed or index < count - 2 else 0.95
        into, out_of = before - here, after - here
        length_in, length_out = float(np.hypot(*into)), float(np.hypot(*out_of))
        shorter = min(length_in * share_before, length_out * share_after) * 2 * min(style.corner, 1.0)
        start = here + into * min(share_before, shorter / max(length_in, 1e-6))
        end = here + out_of * min(share_after, shorter / max(length_out, 1e-6))
        if not style.rounded:
            traced.append(np.stack([start, end]))
            continue
        angle = np.linspace(0, np.pi / 2, 7)[:, None]
        traced.append(here + (start - here) * (1 - np.sin(angle)) + (end - here) * (1 - np.cos(angle)))
    return np.concatenate(traced)


def _lean(points: FloatArray, slant: float, tall: int) -> FloatArray:
    shift = slant * (tall - points[:, 1]) if slant >= 0 else -slant * points[:, 1]
    return np.stack([points[:, 0] + shift, points[:, 1]], axis=1)


def _pen_outline(pen: Pen, half_x: float, half_y: float) -> FloatArray:
    if pen == "square":
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    elif pen == "octagon":
        cut = np.tan(np.pi / 8)
        corners = np.array(
            [(-1, -cut), (-cut, -1), (cut, -1), (1, -cut), (1, cut), (cut, 1), (-cut, 1), (-1, cut)]
        )
    else:
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        corners = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.asarray(corners * [half_x, half_y], float)


def _fill(canvas: NDArray[np.uint8], points: FloatArray, ink: int) -> None:
    hull = cv2.convexHull(np.round(points * 16).astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, ink, cv2.LINE_8, shift=4)


def _draw_path(
    canvas: NDArray[np.uint8],
    points: FloatArray,
    closed: bool,
    *,
    style: DigitStyle,
    halves: tuple[float, float],
    pen: Pen | None = None,
    ink: int = _INK,
) -> None:
    nib = _pen_outline(pen or style.pen, *halves)
    if closed:
        points = np.concatenate([points, points[:1]])
    last = len(points) - 2
    for index in range(last + 1):
        start, end = points[index], points[index + 1]
        along = end - start
        length = float(np.hypot(*along))
        if length < 1e-6:
            continue
        if not style.flat_ends:
            _fill(canvas, np.concatenate([start + nib, end + nib]), ink)
            continue
        unit = along / length
        # Half the stroke's thickness across its direction, and how far a flat end reaches out.
        across = float(np.hypot(unit[1] * halves[0], unit[0] * halves[1]))
        reach = float(np.hypot(unit[0] * halves[0], unit[1] * halves[1]))
        normal = np.array([-unit[1], unit[0]]) * across
        head = start - unit * reach if index == 0 and not closed else start
        tail = end + unit * reach if index == last and not closed else end
        _fill(canvas, np.stack([head + normal, head - normal, tail + normal, tail - normal]), ink)
        if closed or index < last:
            _fill(canvas, end + nib, ink)


def _draw_serifs(
    canvas: NDArray[np.uint8],
    paths: list[Path],
    placing: tuple[float, float, float, float],
    style: DigitStyle,
) -> None:
    reach_x, reach_y, half_x, half_y = placing
    tall = canvas.shape[0]
    slab = 0.55 * min(half_x, half_y)
    for points, _, closed in paths:
        if closed:
            continue
        for end, inner in ((points[0], points[1]), (points[-1], points[-2])):
            at_edge = end[1] in (0.0, 1.0)
            upright = abs(end[0] - inner[0]) * reach_x < 0.6 * abs(end[1] - inner[1]) * reach_y
            if not (at_edge and upright):
                continue
            place = end * [reach_x, reach_y] + [half_x, half_y]
            place[1] = slab if end[1] == 0 else tall - slab
            bar = place + np.array([[-1.7 * half_x, 0.0], [1.7 * half_x, 0.0]])
            pen = _pen_outline("square", 0.3 * half_x, slab)
            ends = _lean(bar, style.slant, tall)
            _fill(canvas, np.concatenate([ends[0] + pen, ends[1] + pen]), _INK)


def _cut_bridges(
    canvas: NDArray[np.uint8], digit: str, style: DigitStyle, size: tuple[float, float]
) -> None:
    wide, tall = size
    gap = max(1, round(style.stencil * tall))
    if digit in "17":
        row = round(0.6 * tall)
        canvas[row : row + gap] = 0
        return
    column = round(wide / 2 - gap / 2)
    canvas[:, column : column + gap] = 0
