"""What lies under the players' feet, painted as one flat texture in metres, before the lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.pitch import Area, Surface

Picture = NDArray[np.uint8]
FloatPicture = NDArray[np.float32]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Ground:
    """A texture of the ground with its scale.

    `pixels` (H, W, 3); world (x, y) lies at pixel ((x - left) * scale, (y - far) * scale). `paints`
    gives a colour to each paint that the surface's lines name. `gloss` is how much is mirrored, 0 to 1.
    """

    pixels: Picture
    left: float
    far: float
    scale: float
    paints: dict[str, Colour]
    gloss: float

    def to_world(self) -> NDArray[np.float64]:
        """Affine map from texture pixels to metres, (3, 3)."""
        step = 1.0 / self.scale
        return np.array([[step, 0, self.left], [0, step, self.far], [0, 0, 1.0]])


_SCALES = {"grass": 14.0, "turf": 14.0, "parquet": 36.0, "hall": 30.0, "ice": 24.0}
_APRON = {"grass": 9.0, "turf": 9.0, "parquet": 5.0, "hall": 5.0, "ice": 0.5}
_GLOSS = {"grass": 0.0, "turf": 0.0, "parquet": 0.16, "hall": 0.1, "ice": 0.1}


def make_ground(surface: Surface, rng: np.random.Generator) -> Ground:
    """A ground of the surface's kind, different for every draw."""
    scale, apron = _SCALES[surface.ground], _APRON[surface.ground]
    reach_x = surface.half_length + surface.margin[0] + apron
    reach_y = surface.half_width + surface.margin[1] + apron
    shape = (math.ceil(2 * reach_y * scale), math.ceil(2 * reach_x * scale))
    canvas = _Canvas(shape, -reach_x, -reach_y, scale, surface, rng)
    colours = _PAINTERS[surface.ground](canvas)
    pixels = np.clip(canvas.pixels, 0, 255).astype(np.uint8)
    gloss = _GLOSS[surface.ground] * float(rng.uniform(0.5, 1.3))
    return Ground(pixels, -reach_x, -reach_y, scale, colours, gloss)


_ZIGZAG, _STEEP = (3.0, 7.0), 0.8
"""Metres from turn to turn of a herringbone, and how steep it runs."""


def woven(ground: Ground, rng: np.random.Generator) -> Ground:
    """The ground as held-out matches have it: mown or laid in herringbone, in another tone."""
    height, width = ground.pixels.shape[:2]
    turn = float(rng.uniform(*_ZIGZAG))
    x, y = np.arange(width, dtype=np.float32) / ground.scale, np.arange(height) / ground.scale
    across = _STEEP * np.abs((x / turn) % 2.0 - 1.0) * turn
    wave = np.sin(2 * math.pi * (y[:, None].astype(np.float32) + across) / turn)
    level = 1.0 + float(rng.uniform(0.05, 0.12)) * np.tanh(6.0 * wave)
    tone = rng.uniform(0.82, 1.18, 3).astype(np.float32)
    pixels = np.clip(ground.pixels * level[:, :, None].astype(np.float32) * tone, 0, 255)
    return replace(ground, pixels=pixels.astype(np.uint8))


_SNOW, _ORANGE = (226, 230, 238), (236, 120, 40)
_COVERED = 0.5
"""From so much snow on lines are painted orange."""


def lay_snow(ground: Ground, depth: float, rng: np.random.Generator) -> Ground:
    """The ground with snow on it: drifts and trodden places, all white at a depth of 1."""
    height, width = ground.pixels.shape[:2]

    def patches(metres: float) -> FloatPicture:
        cells = metres * ground.scale
        small = rng.standard_normal((math.ceil(height / cells) + 3, math.ceil(width / cells) + 3))
        grown = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(grown, np.float32)

    cover = np.clip(2.2 * depth - 0.6 + 0.35 * patches(5.0) + 0.25 * patches(0.6), 0.0, 0.94)
    pixels = ground.pixels + cover[:, :, None] * (np.array(_SNOW, np.float32) - ground.pixels)
    paints = ground.paints | ({"line": _ORANGE} if depth > _COVERED else {})
    return Ground(
        np.clip(pixels, 0, 255).astype(np.uint8), ground.left, ground.far, ground.scale, paints, 0.0
    )


class _Canvas:
    """The texture being painted, float32, with its coordinates in metres."""

    def __init__(
        self,
        shape: tuple[int, int],
        left: float,
        far: float,
        scale: float,
        surface: Surface,
        rng: np.random.Generator,
    ) -> None:
        self.surface, self.rng, self.scale = surface, rng, scale
        self.left, self.far = left, far
        self.pixels: FloatPicture = np.zeros((*shape, 3), np.float32)
        self.x: FloatPicture = (left + (np.arange(shape[1], dtype=np.float32) + 0.5) / scale)[None]
        self.y: FloatPicture = (far + (np.arange(shape[0], dtype=np.float32) + 0.5) / scale)[:, None]

    def noise(self, metres: float, amount: float) -> FloatPicture:
        """Smooth noise around 1 whose spots are about `metres` wide, (H, W)."""
        height, width = self.pixels.shape[:2]
        cells = max(1.0, metres * self.scale)
        small = self.rng.standard_normal((math.ceil(height / cells) + 3, math.ceil(width / cells) + 3))
        grown = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        result: FloatPicture = 1.0 + amount * np.asarray(grown, np.float32)
        return result

    def inside(self, margin_x: float, margin_y: float) -> NDArray[np.bool_]:
        """True within the surface grown by the margins."""
        half_x, half_y = self.surface.half_length + margin_x, self.surface.half_width + margin_y
        return (np.abs(self.x) <= half_x) & (np.abs(self.y) <= half_y)

    def polygon(self, area: Area) -> NDArray[np.bool_]:
        """True within a painted area."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        corners = (np.array(area.corners) - (self.left, self.far)) * self.scale
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
        return mask > 0

    def write(
        self, text: str, centre: tuple[float, float], tall: float, turn: bool, colour: Colour
    ) -> None:
        """Paint letters `tall` metres high, upside down where `turn`, 0.85 opaque."""
        font, thick = cv2.FONT_HERSHEY_DUPLEX, max(2, round(tall * self.scale * 0.14))
        size = tall * self.scale / 22.0
        (wide, high), base = cv2.getTextSize(text, font, size, thick)
        stamp = np.zeros((high + base + 2 * thick, wide + 2 * thick), np.uint8)
        cv2.putText(stamp, text, (thick, high + thick), font, size, 255, thick, cv2.LINE_AA)
        if turn:
            stamp = stamp[::-1, ::-1]
        left = round((centre[0] - self.left) * self.scale - stamp.shape[1] / 2)
        top = round((centre[1] - self.far) * self.scale - stamp.shape[0] / 2)
        rows = slice(max(top, 0), min(top + stamp.shape[0], self.pixels.shape[0]))
        columns = slice(max(left, 0), min(left + stamp.shape[1], self.pixels.shape[1]))
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        cut = stamp[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        share = cut[:, :, None].astype(np.float32) / 255 * 0.85
        target = self.pixels[rows, columns]
        target += share * (np.array(colour, np.float32) - target)


def _mowing(canvas: _Canvas) -> FloatPicture:
    """Light and dark stripes, -1 to 1, in one of the patterns groundsmen mow."""
    rng, surface = canvas.rng, canvas.surface
    wide = float(rng.choice([surface.length / 18, surface.length / 20, 5.5, 4.0, 8.0]))
    soft = 9.0

    def stripes(values: FloatPicture) -> FloatPicture:
        return np.asarray(np.tanh(soft * np.sin(np.float32(math.pi / wide) * values)), np.float32)

    match int(rng.choice(5, p=[0.5, 0.12, 0.18, 0.1, 0.1])):
        case 0:
            pattern = stripes(canvas.x) + 0 * canvas.y
        case 1:
            pattern = stripes(canvas.y) + 0 * canvas.x
        case 2:
            pattern = 0.6 * stripes(canvas.x) + 0.6 * stripes(canvas.y)
        case 3:
            pattern = stripes(np.sqrt(canvas.x**2 + canvas.y**2))
        case _:
            pattern = 0 * canvas.x + 0 * canvas.y
    return np.asarray(pattern, np.float32)


def _paint_grass(canvas: _Canvas) -> dict[str, Colour]:
    rng, surface = canvas.rng, canvas.surface
    red = rng.uniform(58, 112)
    green, blue = red * rng.uniform(1.2, 1.75), red * rng.uniform(0.42, 0.85)
    base = np.array([red, min(green, 158.0), blue], np.float32) * rng.uniform(0.7, 1.1)
    level = 1.0 + rng.uniform(0.02, 0.13) * _mowing(canvas)
    level = np.where(canvas.inside(*surface.margin), level, 1.0)
    # From the height of a stand a good pitch is smooth; only some are rough.
    rough = rng.uniform(0.15, 1.0)
    level *= (
        canvas.noise(9.0, 0.03) * canvas.noise(1.6, 0.03 * rough) * canvas.noise(0.35, 0.045 * rough)
    )
    level *= canvas.noise(1.2 / canvas.scale, 0.05 * rough)
    canvas.pixels[:] = level[:, :, None] * base
    # Worn and yellowed places: before the goals, in the middle, here and there.
    worn = np.zeros(level.shape, np.float32)
    for centre, size, depth in (
        ((-surface.half_length + 3, 0.0), 3.5, 0.9),
        ((surface.half_length - 3, 0.0), 3.5, 0.9),
        ((0.0, 0.0), 4.0, 0.25),
    ):
        away = ((canvas.x - centre[0]) / size) ** 2 + ((canvas.y - centre[1]) / (1.3 * size)) ** 2
        worn += depth * np.exp(-away)
    worn = worn * rng.uniform(0.0, 0.5) * np.clip(canvas.noise(0.7, 0.6), 0, 2)
    worn += np.clip(canvas.noise(5.0, 1.0) - 2.2, 0, 0.4) * rng.uniform(0.0, 0.5)
    earth = base * np.array([1.35, 1.0, 1.05], np.float32)
    canvas.pixels += np.clip(worn, 0, 0.7)[:, :, None] * (earth - canvas.pixels)
    apron = ~canvas.inside(surface.margin[0] + 0.5, surface.margin[1] + 0.5)
    if rng.random() < 0.55:
        grey = np.array([1.0, 1.0, 1.0]) * rng.uniform(60, 140) + rng.normal(0, 8, 3)
        if rng.random() < 0.3:
            grey = np.array([rng.uniform(120, 170), rng.uniform(60, 85), rng.uniform(50, 70)])
        canvas.pixels[apron] = grey
        canvas.pixels[apron] *= canvas.noise(0.4, 0.04)[apron][:, None]
    white = (int(rng.integers(222, 250)),) * 3
    return {"line": white, "post": (236, 236, 236)}


def _paint_turf(canvas: _Canvas) -> dict[str, Colour]:
    rng, surface = canvas.rng, canvas.surface
    paints = _paint_grass(canvas)
    if rng.random() < 0.5:
        level = 1.0 + rng.uniform(0.0, 0.06) * np.sign(np.sin(math.pi / (5 * 0.9144) * canvas.x))
        canvas.pixels *= np.broadcast_to(level, canvas.pixels.shape[:2])[:, :, None]
    for area in surface.areas:
        inside = canvas.polygon(area)
        canvas.pixels[inside] *= 0.35
        canvas.pixels[inside] += 0.65 * rng.uniform(20, 190, 3).astype(np.float32)
    for writing in surface.writings:
        canvas.write(writing.text, writing.centre, writing.height, writing.facing < 0, paints["line"])
    border = canvas.inside(1.8, 1.8) & ~canvas.inside(0.0, 0.0)
    canvas.pixels[border] = 0.2 * canvas.pixels[border] + 0.8 * 226
    return paints | {"goal": (236, 206, 60)}


def _paint_parquet(canvas: _Canvas) -> dict[str, Colour]:
    rng, surface = canvas.rng, canvas.surface
    base = np.array([rng.uniform(168, 226), rng.uniform(122, 176), rng.uniform(72, 128)], np.float32)
    _planks(canvas, base)
    if rng.random() < 0.35:
        side = rng.uniform(1.5, 2.4)
        checks = np.sign(np.sin(math.pi / side * canvas.x) * np.sin(math.pi / side * canvas.y))
        canvas.pixels *= (1.0 + 0.05 * checks)[:, :, None]
    paint = _strong_colour(rng)
    outside = ~canvas.inside(0.0, 0.0)
    if rng.random() < 0.75:
        canvas.pixels[outside] = 0.12 * canvas.pixels[outside] + 0.88 * np.array(paint, np.float32)
    key = paint if rng.random() < 0.6 else _strong_colour(rng)
    if rng.random() < 0.7:
        for area in surface.areas:
            inside = canvas.polygon(area)
            canvas.pixels[inside] = 0.15 * canvas.pixels[inside] + 0.85 * np.array(key, np.float32)
    _logo(canvas, (0.0, 0.0), rng.uniform(1.8, 3.2), paint)
    for side in (-1, 1):
        if rng.random() < 0.6:
            text = _word(rng)
            place = (side * 0.5 * surface.half_length, -surface.half_width + 1.0)
            canvas.write(text, place, 0.8, False, _strong_colour(rng))
        text = _word(rng)
        place = (side * 0.45 * surface.half_length, surface.half_width + 1.2)
        canvas.write(text, place, 1.1, False, (240, 240, 240))
    dark = rng.random() < 0.15
    white = (24, 24, 28) if dark else (int(rng.integers(228, 250)),) * 3
    return {
        "line": white,
        "board": (232, 232, 236),
        "rim": (214, 76, 34),
        "stanchion": _strong_colour(rng),
    }


def _planks(canvas: _Canvas, base: NDArray[np.float32]) -> None:
    """Boards of wood along the length, each a shade of its own."""
    rng = canvas.rng
    board_wide, board_long = 0.12, 1.4
    rows = np.floor((canvas.y - canvas.far) / board_wide).astype(int)
    offsets = rng.uniform(0, board_long, int(rows.max()) + 1)
    columns = np.floor((canvas.x - canvas.left + offsets[rows]) / board_long).astype(int)
    shades = rng.normal(1.0, 0.035, (int(rows.max()) + 1, int(columns.max()) + 1)).astype(np.float32)
    level = shades[rows, columns] * canvas.noise(0.05, 0.012) * canvas.noise(2.5, 0.02)
    canvas.pixels[:] = level[:, :, None] * base


def _paint_hall(canvas: _Canvas) -> dict[str, Colour]:
    rng, surface = canvas.rng, canvas.surface
    outer = np.array(_strong_colour(rng), np.float32)
    if rng.random() < 0.4:
        _planks(canvas, np.array([196, 150, 96], np.float32) * np.float32(rng.uniform(0.8, 1.1)))
    else:
        canvas.pixels[:] = (canvas.noise(3.0, 0.02) * canvas.noise(0.3, 0.01))[:, :, None] * outer
    if rng.random() < 0.75:
        court = np.array(_strong_colour(rng), np.float32)
        for area in surface.areas:
            inside = canvas.polygon(area)
            canvas.pixels[inside] = 0.1 * canvas.pixels[inside] + 0.9 * court
    white = (int(rng.integers(225, 250)),) * 3
    goal = (214, 40, 40) if rng.random() < 0.7 else (40, 60, 190)
    return {
        "line": white,
        "broken": white,
        "goal": goal,
        "tape": (240, 240, 240),
        "stanchion": (90, 96, 110),
    }


def _paint_ice(canvas: _Canvas) -> dict[str, Colour]:
    rng, surface = canvas.rng, canvas.surface
    level = canvas.noise(6.0, 0.012) * canvas.noise(0.8, 0.01)
    # Skate marks: thin bright scratches everywhere.
    scratches = np.zeros(level.shape, np.uint8)
    height, width = level.shape
    for _ in range(900):
        start = rng.uniform(0, 1, 2) * (width, height)
        bend = start + rng.normal(0, 60, 2)
        cv2.line(scratches, tuple(start.astype(int).tolist()), tuple(bend.astype(int).tolist()), 1, 1)
    level += 0.02 * scratches
    tint = np.array([rng.uniform(208, 232), rng.uniform(216, 238), rng.uniform(228, 246)], np.float32)
    canvas.pixels[:] = level[:, :, None] * tint * np.float32(rng.uniform(0.82, 1.0))
    for area in surface.areas:
        inside = canvas.polygon(area)
        canvas.pixels[inside] = 0.35 * canvas.pixels[inside] + 0.65 * np.array(
            [120, 180, 232], np.float32
        )
    _logo(canvas, (0.0, 0.0), 3.6, _strong_colour(rng))
    for x in (-0.22, 0.22):
        for y in (-0.55, 0.55):
            if rng.random() < 0.7:
                centre = (x * surface.length, y * surface.half_width)
                canvas.write(_word(rng), centre, 2.0, False, _strong_colour(rng))
    return {
        "line": (200, 30, 50),
        "red": (198, 36, 54),
        "blue": (30, 62, 160),
        "boards": (236, 206, 40),
        "goal": (206, 30, 40),
    }


def _logo(canvas: _Canvas, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    rng = canvas.rng
    away = np.sqrt((canvas.x - centre[0]) ** 2 + (canvas.y - centre[1]) ** 2)
    angle = np.arctan2(canvas.y - centre[1], canvas.x - centre[0])
    petals = 1.0 + 0.22 * np.cos(int(rng.integers(3, 9)) * angle)
    inside = away < radius * petals
    canvas.pixels[inside] = 0.2 * canvas.pixels[inside] + 0.8 * np.array(colour, np.float32)
    inner = away < 0.55 * radius
    canvas.pixels[inner] = 0.2 * canvas.pixels[inner] + 0.8 * np.array(_strong_colour(rng), np.float32)


def _strong_colour(rng: np.random.Generator) -> Colour:
    hue, saturation, value = rng.integers(0, 180), rng.integers(110, 245), rng.integers(60, 215)
    pixel = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    red, green, blue = (int(channel) for channel in pixel)
    return red, green, blue


_SYLLABLES = (
    "VO",
    "RA",
    "LUM",
    "KI",
    "NEX",
    "TOR",
    "BEL",
    "ZA",
    "MIR",
    "DO",
    "PEX",
    "SA",
    "QUO",
    "LYN",
    "FAR",
    "GO",
)


def _word(rng: np.random.Generator) -> str:
    """An invented brand."""
    return "".join(
        _SYLLABLES[int(i)] for i in rng.integers(0, len(_SYLLABLES), int(rng.integers(2, 4)))
    )


_PAINTERS: dict[str, Callable[[_Canvas], dict[str, Colour]]] = {
    "grass": _paint_grass,
    "turf": _paint_turf,
    "parquet": _paint_parquet,
    "hall": _paint_hall,
    "ice": _paint_ice,
}


def invented_word(rng: np.random.Generator) -> str:
    """An invented brand for boards and overlays."""
    return _word(rng)


def strong_colour(rng: np.random.Generator) -> Colour:
    """A saturated colour as clubs and sponsors use."""
    return _strong_colour(rng)
