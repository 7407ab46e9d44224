"""Scenes to learn shirt numbers from: drawn athletes and shirts, with a number or with look-alikes."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.digits import FONTS, draw_number
from filmroom.simulate.figures import draw_figure, paste_sprite, random_look
from filmroom.simulate.kits import Colour, random_kit
from filmroom.simulate.poses import random_pose

Picture = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
Box = tuple[float, float, float, float]

CANVAS = 160
"""Side of the scene of a single shirt, pixels."""


@dataclass
class Material:
    """What scenes may be made of besides drawing: font files, and real pictures without numbers."""

    font_files: list[Path] = field(default_factory=list)
    surroundings: list[Picture] = field(default_factory=list)
    without_number: list[Picture] = field(default_factory=list)


class Scene(NamedTuple):
    """An athlete or a shirt; boxes are x, y, w, h in the scene."""

    pixels: Picture
    number: Box | None
    text: str
    clear: float
    """Share of the number that can be seen."""
    body: Box


@dataclass
class _Cloth:
    """A flat shirt being printed on."""

    pixels: FloatArray
    """(CANVAS, CANVAS, 4): RGB 0..255 and alpha 0..1."""
    number: FloatArray
    """(CANVAS, CANVAS): where the ink of the number is, 0..1."""
    shirt: Colour


def _random_text(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.02:
        return "0" if rng.random() < 0.5 else "00"
    if draw < 0.36:
        return str(rng.integers(1, 10))
    # Doubles and teens are told apart with the greatest pains.
    if draw < 0.42:
        return str(rng.integers(1, 10) * 11)
    if draw < 0.52:
        return str(rng.integers(10, 20))
    return str(rng.integers(10, 100))


def _ink(text: str, tall: int, rng: np.random.Generator, material: Material) -> FloatArray:
    if material.font_files and rng.random() < 0.6:
        path = material.font_files[int(rng.integers(len(material.font_files)))]
        figures = _figures_of(str(path))
        if figures is not None:
            return _set_figures(figures, text, tall, rng)
    return draw_number(text, height=tall, font=int(rng.integers(FONTS)), rng=rng)


def _set_figures(
    figures: tuple[Picture, ...], text: str, tall: int, rng: np.random.Generator
) -> FloatArray:
    squeeze = rng.uniform(0.68, 1.12)
    gap = np.zeros((64, round(64 * rng.uniform(0.02, 0.16))), np.uint8)
    pieces: list[Picture] = []
    for digit in text:
        pieces += [gap, figures[int(digit)]]
    line: Picture = np.concatenate(pieces[1:], axis=1)
    draw = rng.random()
    if draw < 0.35:
        side = int(rng.integers(2, 6))
        line = np.pad(line, side)
        pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        line = np.asarray(cv2.dilate(line, pen), np.uint8)
        line = line[side - side // 2 : -(side - side // 2) or None]
    width = max(2, round(line.shape[1] * squeeze * tall / line.shape[0]))
    small = cv2.resize(line, (width, tall), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(small, np.float32)


def _contrast(first: Colour, second: Colour) -> float:
    difference = np.subtract(first, second, dtype=float)
    return float(abs(difference @ [0.3, 0.59, 0.11]) + 0.25 * np.abs(difference).max())


def _random_colour(rng: np.random.Generator) -> Colour:
    draw = rng.random()
    if draw < 0.22:
        grey = rng.uniform(200, 255) + rng.normal(0, 5, 3)
    elif draw < 0.42:
        grey = rng.uniform(8, 60) + rng.normal(0, 6, 3)
    else:
        hue = np.array(
            [[[rng.integers(0, 180), rng.integers(90, 256), rng.integers(50, 250)]]], np.uint8
        )
        grey = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(float)
    red, green, blue = np.clip(grey, 0, 255).astype(int)
    return int(red), int(green), int(blue)


def _colour_against(other: Colour, rng: np.random.Generator, least: float) -> Colour:
    if rng.random() < 0.5:
        candidates: list[Colour] = [(245, 245, 245), (18, 18, 22)]
        best = max(candidates, key=lambda colour: _contrast(colour, other))
        if _contrast(best, other) > least:
            return best
    for _ in range(30):
        colour = _random_colour(rng)
        if _contrast(colour, other) > least:
            return colour
    return (250, 250, 250) if sum(other) < 380 else (15, 15, 15)


def _surroundings(rng: np.random.Generator, material: Material) -> Picture:
    if material.surroundings and rng.random() < 0.6:
        patch = material.surroundings[int(rng.integers(len(material.surroundings)))]
        return np.asarray(cv2.resize(patch, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR), np.uint8)
    small = np.empty((6, 6, 3), np.float32)
    small[:] = (60, 130, 50) if rng.random() < 0.5 else _random_colour(rng)
    small += rng.normal(0, rng.choice([4, 25]), small.shape)
    image = np.array(cv2.resize(small, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC), np.float32)
    image += rng.normal(0, 6, (CANVAS, CANVAS, 1))
    for _ in range(int(rng.integers(0, 4))):
        start, end = rng.integers(-20, CANVAS + 20, 2), rng.integers(-20, CANVAS + 20, 2)
        colour = (240.0, 240.0, 240.0) if rng.random() < 0.5 else _random_colour(rng)
        cv2.line(image, start.tolist(), end.tolist(), colour, int(rng.integers(2, 26)))
    return np.clip(image, 0, 255).astype(np.uint8)


def cloth_scene(rng: np.random.Generator, material: Material, with_number: bool) -> Scene:
    """A trunk in a shirt, bent, folded and lit."""
    tall = int(rng.uniform(30, 62))
    wide, high = tall * rng.uniform(1.7, 2.9), tall * rng.uniform(2.3, 3.4)
    centre, top = CANVAS / 2 + rng.normal(0, 5), CANVAS / 2 - high * rng.uniform(0.38, 0.55)
    cloth = _Cloth(
        np.zeros((CANVAS, CANVAS, 4), np.float32),
        np.zeros((CANVAS, CANVAS), np.float32),
        _random_colour(rng),
    )
    body = _draw_trunk(cloth, (centre, top, wide, high), rng)
    text = _random_text(rng) if with_number else ""
    x, y = centre + rng.normal(0, 0.04) * wide, top + high * rng.uniform(0.36, 0.52)
    if with_number:
        _print_number(cloth, _ink(text, tall, rng, material), (x, y), rng)
        if rng.random() < 0.35:
            _print_word(cloth, (x, y - tall * rng.uniform(0.68, 0.95)), tall * 0.25, rng)
        if rng.random() < 0.25:
            _print_logo(cloth, (x, y + tall * rng.uniform(0.7, 1.0)), tall * 0.3, rng)
    else:
        _print_look_alikes(cloth, (x, y), tall, rng)
    _draw_arms(cloth, body, rng)
    flat = _box_of(cloth.number)
    crossed = rng.random() < 0.15
    map_x, map_y, shade = _bend(rng, crossed)
    pixels = np.asarray(cv2.remap(cloth.pixels, map_x, map_y, cv2.INTER_LINEAR), np.float32)
    number = np.asarray(cv2.remap(cloth.number, map_x, map_y, cv2.INTER_LINEAR), np.float32)
    whole = float(number.sum())
    pixels[:, :, :3] *= shade[:, :, None]
    if crossed:
        _cross_with_arm(pixels, number, rng)
    canvas = _surroundings(rng, material).astype(np.float32)
    canvas += (pixels[:, :, :3] - canvas) * pixels[:, :, 3:]
    if rng.random() < 0.12:
        _stand_in_front(canvas, number, body, rng)
    box = _box_of(number) if with_number else None
    clear = float(number.sum()) / whole if whole > 0 else 0.0
    if box and flat:
        # Turned away so far that the cloth hides it behind its own curve.
        clear = min(clear, 1.6 * (box[2] / box[3]) / (flat[2] / flat[3]))
    return Scene(np.clip(canvas, 0, 255).astype(np.uint8), box, text if box else "", clear, body)


def _box_of(mask: FloatArray) -> Box | None:
    x, y, w, h = cv2.boundingRect((mask > 0.4).astype(np.uint8))
    return (float(x), float(y), float(w), float(h)) if w and h else None


def _draw_trunk(cloth: _Cloth, place: Box, rng: np.random.Generator) -> Box:
    pixels, shirt = cloth.pixels, cloth.shirt
    centre, top, wide, high = place
    shoulder, hem = wide / 2 * rng.uniform(0.95, 1.15), wide / 2 * rng.uniform(0.8, 1.0)
    skin = np.array([(206, 160, 128), (120, 80, 58), (236, 196, 170)][int(rng.integers(3))], float)
    shorts = shirt if rng.random() < 0.4 else _random_colour(rng)
    tone = (*(float(v) for v in skin), 1.0)
    below = np.array(
        [
            (centre - hem, top + high * 0.93),
            (centre + hem, top + high * 0.93),
            (centre + hem * 1.15, top + high * 1.5),
            (centre - hem * 1.15, top + high * 1.5),
        ]
    )
    cv2.fillConvexPoly(pixels, below.round().astype(np.int32), (*map(float, shorts), 1.0))
    head = (round(centre + rng.normal(0, 3)), round(top - 0.12 * high))
    hair = (*(float(v) for v in rng.uniform(10, 90, 3)), 1.0)
    cv2.ellipse(pixels, head, (round(0.15 * wide), round(0.13 * high)), 0, 0, 360, tone, -1)
    if rng.random() < 0.8:
        cv2.ellipse(
            pixels,
            (head[0], head[1] - 3),
            (round(0.16 * wide), round(0.12 * high)),
            0,
            0,
            360,
            hair,
            -1,
        )
    outline = np.array(
        [(centre - 0.3 * shoulder, top), (centre + 0.3 * shoulder, top),
         (centre + shoulder, top + 0.1 * high), (centre + shoulder * 1.25, top + 0.38 * high),
         (centre + shoulder * 0.92, top + 0.42 * high), (centre + hem, top + high),
         (centre - hem, top + high), (centre - shoulder * 0.92, top + 0.42 * high),
         (centre - shoulder * 1.25, top + 0.38 * high), (centre - shoulder, top + 0.1 * high)]
    ).round().astype(np.int32)  # fmt: skip
    stencil = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(stencil, [outline], 1)
    inside = stencil > 0
    layer = np.empty((CANVAS, CANVAS, 3), np.float32)
    layer[:] = shirt
    _draw_pattern(layer, centre, wide, shirt, rng)
    pixels[inside, :3] = layer[inside]
    pixels[inside, 3] = 1.0
    if rng.random() < 0.3:
        edge = (*map(float, _random_colour(rng)), 1.0)
        cv2.ellipse(pixels, (round(centre), round(top)), (round(0.3 * shoulder), 4), 0, 0, 180, edge, 2)
    x, y, w, h = cv2.boundingRect(stencil)
    return (float(x), float(y), float(w), float(h))


def _draw_pattern(
    layer: FloatArray, centre: float, wide: float, shirt: Colour, rng: np.random.Generator
) -> None:
    draw = rng.random()
    if draw < 0.55:
        return
    second = _random_colour(rng)
    if rng.random() < 0.5:
        mixed = 0.8 * np.array(shirt) + 0.2 * np.array(second)
        second = (int(mixed[0]), int(mixed[1]), int(mixed[2]))
    columns = np.arange(CANVAS)
    pitch = wide / rng.uniform(3, 11)
    if draw < 0.73:
        layer[:, ((columns - centre) / pitch + rng.random()) % 1 < rng.uniform(0.2, 0.55)] = second
    elif draw < 0.83:
        layer[(columns / pitch + rng.random()) % 1 < rng.uniform(0.2, 0.55)] = second
    elif draw < 0.88:
        layer[:, columns > centre] = second
    elif draw < 0.94:
        start = (round(centre - wide), round(rng.uniform(-20, 80)))
        end = (round(centre + wide), round(rng.uniform(80, 180)))
        cv2.line(layer, start, end, second, round(rng.uniform(6, 26)))
    else:
        side = max(4, round(pitch))
        checks = ((columns[:, None] // side) + (columns[None] // side)) % 2 == 0
        layer[checks] = second


def _print_number(
    cloth: _Cloth, ink: FloatArray, centre: tuple[float, float], rng: np.random.Generator
) -> None:
    tall = ink.shape[0]
    widest = 1.75 * tall
    if ink.shape[1] > widest:
        ink = np.asarray(
            cv2.resize(ink, (round(widest), tall), interpolation=cv2.INTER_AREA), np.float32
        )
    wide = ink.shape[1]
    left = int(np.clip(round(centre[0] - wide / 2), 6, CANVAS - 6 - wide))
    top = int(np.clip(round(centre[1] - tall / 2), 6, CANVAS - 6 - tall))
    full = np.zeros((CANVAS, CANVAS), np.float32)
    full[top : top + tall, left : left + wide] = ink
    fill = _colour_against(cloth.shirt, rng, 60 if rng.random() < 0.8 else 25)
    if rng.random() < 0.12:
        panel = (slice(max(0, top - 5), top + tall + 5), slice(max(0, left - 5), left + wide + 5))
        cloth.pixels[panel][:, :, :3] = _colour_against(fill, rng, 70)
    draw = rng.random()
    if draw < 0.45:
        # Outline or shadow, in the manner of printed numbers.
        side = 2 * int(rng.integers(1, 4)) + 1
        pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        wider = np.asarray(cv2.dilate(full, pen), np.float32)
        if draw < 0.08:
            wider = np.roll(wider, (int(rng.integers(1, 4)), int(rng.integers(-3, 4))), (0, 1))
        _paint(cloth, wider, _colour_against(fill, rng, 45))
        if draw > 0.40:
            # An outline only: the fill is the shirt's own.
            fill = cloth.shirt
    _paint(cloth, full, fill)
    np.maximum(cloth.number, full, out=cloth.number)


def _paint(cloth: _Cloth, share: FloatArray, colour: Colour) -> None:
    rgb = cloth.pixels[:, :, :3]
    rgb += (np.array(colour, np.float32) - rgb) * share[:, :, None]


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FACES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)


def _print_word(
    cloth: _Cloth, centre: tuple[float, float], tall: float, rng: np.random.Generator
) -> None:
    count = int(rng.integers(3, 10))
    word = "".join(_LETTERS[int(i)] for i in rng.integers(0, 26, count))
    if rng.random() < 0.3:
        word = word.lower()
    colour = _colour_against(cloth.shirt, rng, 50)
    mask = np.zeros((48, 400), np.uint8)
    cv2.putText(
        mask,
        word,
        (6, 34),
        _FACES[int(rng.integers(3))],
        1.0,
        255,
        int(rng.integers(1, 5)),
        cv2.LINE_AA,
    )
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return
    width = int(np.clip(w * tall / h * rng.uniform(0.6, 1.2), 4, CANVAS - 8))
    small = cv2.resize(
        mask[y : y + h, x : x + w], (width, max(3, round(tall))), interpolation=cv2.INTER_AREA
    )
    _stamp(cloth, np.asarray(small, np.uint8), centre, colour)


def _print_logo(
    cloth: _Cloth, centre: tuple[float, float], size: float, rng: np.random.Generator
) -> None:
    mask = np.zeros((64, 96), np.uint8)
    kind = int(rng.integers(6))
    if kind == 0:
        cv2.rectangle(mask, (4, 20), (92, 44), 255, -1 if rng.random() < 0.5 else 6)
    elif kind == 1:
        cv2.ellipse(mask, (48, 32), (int(rng.integers(18, 44)), 28), 0, 0, 360, 255, -1)
        cv2.ellipse(
            mask, (48, 32), (14, int(rng.integers(6, 22))), 0, 0, 360, 0, int(rng.integers(2, 6))
        )
    elif kind == 2:
        points = rng.integers(4, 60, (int(rng.integers(3, 7)), 2))
        points[:, 0] += 16
        cv2.fillPoly(mask, [points.astype(np.int32)], 255)
    elif kind == 3:
        for offset in (10, 36, 62):
            cv2.line(mask, (offset, 60), (offset + 22, 6), 255, 10)
    elif kind == 4:
        cv2.polylines(mask, [np.array([(4, 40), (24, 56), (92, 6)], np.int32)], False, 255, 9)
    else:
        shield = np.array([(20, 4), (76, 4), (76, 36), (48, 60), (20, 36)], np.int32)
        cv2.fillPoly(mask, [shield], 255)
        cv2.line(mask, (20, 30), (76, 12), 90, 6)
    tall = max(3, round(size))
    small = cv2.resize(
        mask, (max(4, round(size * rng.uniform(1.0, 2.2))), tall), interpolation=cv2.INTER_AREA
    )
    _stamp(cloth, np.asarray(small, np.uint8), centre, _colour_against(cloth.shirt, rng, 40))


def _stamp(cloth: _Cloth, ink: Picture, centre: tuple[float, float], colour: Colour) -> None:
    height, width = ink.shape
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(CANVAS, left + width), min(CANVAS, top + height)
    if x1 <= x0 or y1 <= y0:
        return
    share = np.zeros((CANVAS, CANVAS), np.float32)
    share[y0:y1, x0:x1] = ink[y0 - top : y1 - top, x0 - left : x1 - left] / np.float32(255)
    _paint(cloth, share, colour)


def _print_look_alikes(
    cloth: _Cloth, chest: tuple[float, float], tall: int, rng: np.random.Generator
) -> None:
    draw = rng.random()
    if draw < 0.2:
        return
    x, y = chest
    if draw < 0.65:
        _print_word(cloth, (x, y), tall * rng.uniform(0.2, 0.8), rng)
        if rng.random() < 0.4:
            _print_word(cloth, (x, y + 0.6 * tall), tall * rng.uniform(0.15, 0.4), rng)
    if draw > 0.5:
        place = (x + rng.normal(0, 8), y + rng.normal(0, 6))
        _print_logo(cloth, place, tall * rng.uniform(0.4, 1.0), rng)
    if rng.random() < 0.4:
        side = rng.choice([-1, 1])
        _print_logo(cloth, (x + side * 0.5 * tall, y - 0.5 * tall), tall * 0.3, rng)


def _draw_arms(cloth: _Cloth, body: Box, rng: np.random.Generator) -> None:
    x, y, w, h = body
    skin = [(206, 160, 128), (120, 80, 58), (236, 196, 170)][int(rng.integers(3))]
    for side in (x + 0.08 * w, x + 0.92 * w):
        if rng.random() < 0.3:
            continue
        start = (round(side), round(y + 0.36 * h))
        end = (round(side + rng.normal(0, 0.15) * w), round(y + rng.uniform(0.6, 1.0) * h))
        cv2.line(cloth.pixels, start, end, (*map(float, skin), 1.0), max(3, round(0.13 * w)))


def _bend(rng: np.random.Generator, strong: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where each pixel of the picture comes from on the flat cloth, and how it is lit."""
    axis = (np.arange(CANVAS, dtype=np.float32) - CANVAS / 2) / (CANVAS / 2)
    x, y = np.meshgrid(axis, axis)
    yaw, pitch, roll = rng.normal(0, 0.38), rng.normal(0, 0.12), rng.normal(0, 0.13)
    yaw = float(np.clip(yaw, -0.87, 0.87))
    cos, sin = np.cos(roll), np.sin(roll)
    x, y = cos * x + sin * y, -sin * x + cos * y
    # The trunk is a cylinder: off its middle the cloth runs away from the eye.
    radius = rng.uniform(0.75, 1.6)
    turned = np.clip((x - 0.25 * yaw) / radius, -0.97, 0.97)
    source_x = radius * (np.arcsin(turned) + 0.55 * yaw) * (1 + 0.5 * abs(yaw)) + 0.12 * yaw
    depth = 1 + 0.35 * yaw * x + 0.4 * pitch * y
    source_x, source_y = source_x * depth - 0.55 * radius * yaw, y * depth / np.cos(pitch)
    source_x += rng.normal(0, 0.1) * source_y
    shade = np.ones_like(x)
    for _ in range(int(rng.integers(1, 5))):
        angle, wave = rng.uniform(0, np.pi), rng.uniform(2, 11)
        along = wave * (np.cos(angle) * x + np.sin(angle) * y) + 1.2 * np.sin(2 * y + rng.uniform(0, 6))
        phase = rng.uniform(0, 6.3)
        size = rng.gamma(2.0, 0.018) * (1.6 if strong else 1.0)
        source_x = source_x + size * np.sin(along + phase) * np.cos(angle)
        source_y = source_y + size * np.sin(along + phase) * np.sin(angle)
        shade += size * wave * rng.uniform(0.1, 0.55) * np.cos(along + phase)
    light = rng.normal(0, 0.18, 2)
    shade = (shade + light[0] * x + light[1] * y) * rng.uniform(0.72, 1.1)
    if rng.random() < 0.1:
        edge = np.cos(rng.uniform(0, 6.3)) * x + np.sin(rng.uniform(0, 6.3)) * y
        shade = np.where(edge > rng.uniform(-0.3, 0.3), shade * rng.uniform(0.4, 0.7), shade)
    half = CANVAS / 2
    return (
        (source_x * half + half).astype(np.float32),
        (source_y * half + half).astype(np.float32),
        np.clip(shade, 0.25, 1.5).astype(np.float32),
    )


def _cross_with_arm(cloth: FloatArray, ink_mask: FloatArray, rng: np.random.Generator) -> None:
    points = rng.integers(10, CANVAS - 10, (2, 2))
    thick = int(rng.integers(6, 20))
    colour = (
        (*map(float, _random_colour(rng)), 1.0) if rng.random() < 0.5 else (190.0, 145.0, 115.0, 1.0)
    )
    cv2.line(cloth, points[0].tolist(), points[1].tolist(), colour, thick)
    cv2.line(ink_mask, points[0].tolist(), points[1].tolist(), (0.0,), thick)


def _stand_in_front(
    canvas: FloatArray, ink_mask: FloatArray, body: Box, rng: np.random.Generator
) -> None:
    x, _, w, _ = body
    reach = int(w * rng.uniform(0.1, 0.55))
    columns = slice(0, int(x) + reach) if rng.random() < 0.5 else slice(int(x + w) - reach, CANVAS)
    canvas[:, columns] = _random_colour(rng)
    canvas[:, columns] += rng.normal(0, 8, (CANVAS, 1, 1))
    ink_mask[:, columns] = 0


def figure_scene(rng: np.random.Generator, material: Material, with_number: bool) -> Scene:
    """A whole simulated athlete; the number may face away."""
    look = random_look(rng, random_kit(rng))
    if not with_number:
        look = replace(look, number=None)
    heading = (
        float(np.pi + rng.normal(0, 0.6)) if rng.random() < 0.65 else float(rng.uniform(0, 2 * np.pi))
    )
    sprite = draw_figure(
        look, random_pose(rng), height_px=float(rng.uniform(110, 230)), heading=heading, rng=rng,
        elevation=float(rng.uniform(0.0, 0.5)), light=float(rng.uniform(-1, 1)),
    )  # fmt: skip
    height, width = sprite.alpha.shape
    side = max(height, width) + 20
    canvas = np.array(cv2.resize(_surroundings(rng, material), (side, side)), np.uint8)
    left, top = (side - width) // 2, (side - height) // 2
    paste_sprite(canvas, sprite, (sprite.feet[0] + left, sprite.feet[1] + top))
    number = None
    if sprite.number_box is not None:
        x, y, w, h = sprite.number_box
        number = (x + left, y + top, w, h)
    body = (float(left), float(top), float(width), float(height))
    # The figure measures what shows against the number on the back; the one in front is smaller.
    clear = sprite.number_visible / (_FRONT_SHARE if np.cos(heading) > 0 else 1.0)
    upright = 1.0 if height > 1.1 * width else 0.6
    text = look.number or ""
    return Scene(canvas, number, text if number else "", min(clear, upright), body)


_FRONT_SHARE = 0.3


def find_font_files(folder: Path = Path("/usr/share/fonts")) -> list[Path]:
    """Fonts of this machine whose figures stand on one line; empty without fonts or without Pillow.

    OpenCV's own reader of font files mixes up the glyphs of fonts of one family, hence Pillow.
    """
    if importlib.util.find_spec("PIL") is None or not folder.exists():
        return []
    unfit = ("thin", "hairline", "extralight", "mono", "math", "icon", "emoji", "symbol")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    files = [p for p in files if not any(word in p.stem.lower() for word in unfit)]
    return [p for p in files if _figures_of(str(p)) is not None]


@lru_cache(maxsize=512)
def _figures_of(path: str) -> tuple[Picture, ...] | None:
    """The ten digits of a font file, 64 rows high; None where they do not stand on one line."""
    from PIL import Image, ImageDraw, ImageFont

    try:
        face = ImageFont.truetype(path, 90)
    except OSError:
        return None
    glyphs = []
    tops = []
    for digit in "0123456789":
        drawing = Image.new("L", (200, 180))
        ImageDraw.Draw(drawing).text((50, 30), digit, fill=255, font=face)
        canvas = np.asarray(drawing, np.uint8)
        rows, columns = np.flatnonzero(canvas.max(axis=1)), np.flatnonzero(canvas.max(axis=0))
        if len(rows) < 30:
            return None
        tops.append((rows[0], rows[-1]))
        glyphs.append(canvas[:, columns[0] : columns[-1] + 1])
    highs, lows = zip(*tops, strict=True)
    if max(highs) - min(highs) > 8 or max(lows) - min(lows) > 8:
        return None
    top, bottom = min(highs), max(lows) + 1
    factor = 64 / (bottom - top)
    return tuple(
        np.asarray(
            cv2.resize(
                glyph[top:bottom],
                (max(2, round(glyph.shape[1] * factor)), 64),
                interpolation=cv2.INTER_AREA,
            ),
            np.uint8,
        )
        for glyph in glyphs
    )
