"""Pictures to learn shirt numbers from: drawn numbers on drawn cloth, filmed badly, and look-alikes.

Everything is drawn; real pictures, where given, serve only as surroundings and as things that show no
number (legs, heads, floor, crowd). Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.formats.coco import CocoSet
from filmroom.observe.numbers import NO_TENS, SIDE, padding, prepare
from filmroom.train.number_scenes import (
    Box,
    Material,
    Picture,
    Scene,
    cloth_scene,
    figure_scene,
    find_font_files,
)

Things = Sequence[tuple[str, Sequence[float]]]
"""Category and box of everything labelled in a picture."""

UNSURE = -1
"""Legibility of a picture on the border between legible and not: it does not teach the gate."""


class NumberPicture(NamedTuple):
    """One training sample; `box` is centre x, y and size w, h as shares of the picture."""

    pixels: Picture
    legible: int
    tens: int
    units: int
    box: tuple[float, float, float, float]


def number_pictures(rng: np.random.Generator, material: Material, count: int) -> list[NumberPicture]:
    """Several pictures, a few from each drawn scene."""
    pictures: list[NumberPicture] = []
    while len(pictures) < count:
        draw = rng.random()
        if draw < 0.07 and material.without_number:
            pictures += [_real_without_number(rng, material) for _ in range(3)]
            continue
        with_number = bool(rng.random() < 0.78)
        kind = figure_scene if draw < 0.30 else cloth_scene
        scene = kind(rng, material, with_number)
        pictures += [_film(scene, rng) for _ in range(4)]
    return pictures[:count]


def empty_crops(rng: np.random.Generator, material: Material, count: int) -> list[Picture]:
    """Crops as the reader gets them, of people without a number: for measuring false numbers."""
    crops: list[Picture] = []
    while len(crops) < count:
        drawn = rng.random() < 0.3
        scene = figure_scene(rng, material, False) if drawn else cloth_scene(rng, material, False)
        crops += [_film(scene, rng).pixels for _ in range(4)]
    return crops[:count]


def load_material(data: Sequence[Path], rng: np.random.Generator, *, fonts: bool = True) -> Material:
    """Surroundings and things without a number from the train parts of COCO sets (folders or zips)."""
    material = Material(find_font_files() if fonts else [])
    for path in data:
        pictures = CocoSet(path, "train")
        for image in pictures:
            pixels = pictures.picture(image)
            things = list(zip(image.categories, image.boxes.tolist(), strict=True))
            material.without_number.extend(_limbs_of(pixels, things, rng))
            for place in _places_apart(pixels, things, rng):
                (material.without_number if rng.random() < 0.5 else material.surroundings).append(place)
    return material


def empty_places(pixels: Picture, things: Things, rng: np.random.Generator) -> list[Picture]:
    """Crops of a labelled picture that cannot show a number: legs, heads, places off all boxes."""
    return _limbs_of(pixels, things, rng) + _places_apart(pixels, things, rng)


def _limbs_of(pixels: Picture, things: Things, rng: np.random.Generator) -> list[Picture]:
    parts = []
    for kind, (x, y, w, h) in things:
        if kind not in ("player", "goalkeeper", "referee") or h < 24 or rng.random() < 0.6:
            continue
        # Below the hem of the shorts, or the head alone.
        below = rng.random() < 0.7
        side = (rng.uniform(0.2, 0.36) if below else 0.14) * h
        top = y + (0.62 if below else -0.02) * h
        left = x + rng.uniform(0, max(0.0, w - side * 0.8)) - 0.1 * side
        part = _cut(pixels, (left, top, side * rng.uniform(0.7, 1.2), side))
        if min(part.shape[:2]) >= 5:
            parts.append(part)
    return parts


def _places_apart(pixels: Picture, things: Things, rng: np.random.Generator) -> list[Picture]:
    height, width = pixels.shape[:2]
    taken = np.array([box for _, box in things], float).reshape(-1, 4)
    places = []
    for _ in range(14):
        side = float(rng.uniform(14, 60))
        place = np.array([rng.uniform(0, width - side), rng.uniform(0, height - side), side, side])
        if _is_apart(place, taken):
            places.append(_cut(pixels, (place[0], place[1], place[2], place[3])))
    return places


def _is_apart(place: NDArray[np.float64], taken: NDArray[np.float64]) -> bool:
    if not len(taken):
        return True
    apart_x = (taken[:, 0] > place[0] + place[2] + 4) | (taken[:, 0] + taken[:, 2] < place[0] - 4)
    apart_y = (taken[:, 1] > place[1] + place[3] + 4) | (taken[:, 1] + taken[:, 3] < place[1] - 4)
    return bool((apart_x | apart_y).all())


def _cut(pixels: Picture, box: Box) -> Picture:
    x, y, w, h = box
    left, top = max(0, round(x)), max(0, round(y))
    return pixels[top : max(top, round(y + h)), left : max(left, round(x + w))].copy()


def _film(scene: Scene, rng: np.random.Generator) -> NumberPicture:
    """One window of the scene as a distant camera, a codec and a detector would deliver it."""
    window = _choose_window(scene, rng)
    body_height = scene.number[3] if scene.number else rng.uniform(30, 60)
    wanted = float(np.exp(rng.uniform(np.log(7.5), np.log(48))))
    scale = min(1.0, wanted / body_height)
    pixels, origin = _native(scene.pixels, window, scale, rng)
    pixels, softness = _degrade(pixels, rng)
    x, y, w, h = (edge * scale for edge in window)
    left, top = round(x - origin[0]), round(y - origin[1])
    crop = pixels[
        max(0, top) : max(0, top) + max(3, round(h)), max(0, left) : max(0, left) + max(3, round(w))
    ]
    if min(crop.shape[:2]) < 3:
        crop = pixels
        left, top = 0, 0
    legible, box = _judge(
        scene, scale, softness, (origin[0] + max(0, left), origin[1] + max(0, top)), crop
    )
    text = scene.text
    tens, units = (int(text[0]), int(text[1])) if len(text) == 2 else (NO_TENS, int(text or 0))
    return NumberPicture(prepare(np.ascontiguousarray(crop)), legible, tens, units, box)


def _choose_window(scene: Scene, rng: np.random.Generator) -> Box:
    bx, by, bw, bh = scene.body
    whole_figure = bh > 0 and bh / max(bw, 1) > 1.5
    torso = (
        (bx + 0.1 * bw, by + 0.12 * bh, 0.8 * bw, 0.4 * bh) if whole_figure
        else (bx + 0.04 * bw, by - 0.05 * bh, 0.92 * bw, bh * 0.95)
    )  # fmt: skip
    draw = rng.random()
    if scene.number is not None and draw < (0.3 if whole_figure else 0.72):
        x, y, w, h = scene.number
        grown = rng.normal(0.12, 0.12, 4).clip(-0.12, 0.6)
        if rng.random() < 0.15:
            grown += rng.uniform(0, 0.5, 4)
        # One digit stands in the boxes of text detectors with more air beside it.
        room = h * (1.0 if len(scene.text) == 2 else 1.3)
        return (
            x - grown[0] * room, y - grown[1] * h, w + (grown[0] + grown[2]) * room,
            h * (1 + grown[1] + grown[3]),
        )  # fmt: skip
    if draw < 0.85:
        x, y, w, h = torso
        shake = rng.normal(0, 0.07, 4)
        grow = np.exp(rng.normal(0, 0.12, 2))
        return (x + shake[0] * w, y + shake[1] * h, w * grow[0], h * grow[1])
    # Anywhere on the body, of any size: limbs, hems, collars, badges.
    side = float(rng.uniform(18, 70))
    x = bx + rng.uniform(-0.1, 1.0) * bw - 0.3 * side
    y = by + rng.uniform(-0.1, 1.0) * bh - 0.3 * side
    return (x, y, side * float(rng.uniform(0.6, 1.3)), side)


def _native(
    pixels: Picture, window: Box, scale: float, rng: np.random.Generator
) -> tuple[Picture, tuple[float, float]]:
    """The window and some surroundings at the camera's resolution, and where its corner lies there."""
    margin = 10 / scale
    x, y, w, h = window
    left, top = max(0, round(x - margin)), max(0, round(y - margin))
    part = pixels[
        top : max(top + 4, round(y + h + margin)), left : max(left + 4, round(x + w + margin))
    ]
    if min(part.shape[:2]) < 4:
        part, left, top = pixels, 0, 0
    size = (max(4, round(part.shape[1] * scale)), max(4, round(part.shape[0] * scale)))
    method = cv2.INTER_AREA if rng.random() < 0.75 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size, interpolation=method), np.uint8), (
        left * scale,
        top * scale,
    )


def _degrade(pixels: Picture, rng: np.random.Generator) -> tuple[Picture, float]:
    """Blur, codec, noise; returns also by how many pixels (sigma) the picture was softened."""
    variance = 0.0
    if rng.random() < 0.75:
        sigma = abs(float(rng.normal(0, 0.75)))
        if sigma > 0.15:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
            variance += sigma**2
    if rng.random() < 0.4:
        length = float(rng.gamma(1.6, 1.3))
        if length > 1:
            pixels = _smear(pixels, length, rng.uniform(0, np.pi))
            variance += length**2 / 12
    if rng.random() < 0.35:
        soft = cv2.GaussianBlur(pixels, (0, 0), 1.1).astype(np.float32)
        sharp = pixels + rng.uniform(0.2, 1.2) * (pixels - soft)
        pixels = np.clip(sharp, 0, 255).astype(np.uint8)
    pixels = _relight(pixels, rng)
    if rng.random() < 0.5:
        grain = rng.normal(0, rng.uniform(1, 8), pixels.shape[:2]).astype(np.float32)
        pixels = np.clip(pixels + grain[:, :, None], 0, 255).astype(np.uint8)
    if rng.random() < 0.8:
        pixels = _subsample_colour(pixels, rng)
    for _ in range(1 + int(rng.random() < 0.4)):
        if rng.random() < 0.85:
            quality = int(rng.integers(30, 95))
            _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    if rng.random() < 0.12:
        # Filmed small, shown large: a video scaled up before it got here.
        factor = rng.uniform(0.5, 0.9)
        height, width = pixels.shape[:2]
        small = cv2.resize(
            pixels,
            (max(3, round(width * factor)), max(3, round(height * factor))),
            interpolation=cv2.INTER_AREA,
        )
        pixels = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        variance += (0.45 / factor) ** 2
    return pixels, float(np.sqrt(variance))


def _smear(pixels: Picture, length: float, angle: float) -> Picture:
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    steps = np.linspace(-length / 2, length / 2, 4 * side)
    columns = np.clip(np.round(side // 2 + steps * np.cos(angle)).astype(int), 0, side - 1)
    rows = np.clip(np.round(side // 2 + steps * np.sin(angle)).astype(int), 0, side - 1)
    np.add.at(kernel, (rows, columns), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def _relight(pixels: Picture, rng: np.random.Generator) -> Picture:
    gain, gamma = rng.uniform(0.7, 1.25), np.exp(rng.normal(0, 0.25))
    lift = rng.uniform(-10, 40) if rng.random() < 0.5 else 0.0
    curve = 255 * np.clip((np.arange(256) / 255.0) ** gamma * gain, 0, 1)
    curve = np.clip(curve * (1 - lift / 255) + lift, 0, 255)
    tint = np.exp(rng.normal(0, 0.06, 3))
    lookup = np.clip(curve[:, None] * tint, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, lookup[None]), np.uint8)


def _subsample_colour(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Colour at half the resolution or less, as in every broadcast."""
    height, width = pixels.shape[:2]
    planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    factor = int(rng.integers(2, 4))
    small = cv2.resize(
        planes[:, :, 1:],
        (max(1, width // factor), max(1, height // factor)),
        interpolation=cv2.INTER_AREA,
    )
    planes[:, :, 1:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8)


def _judge(
    scene: Scene, scale: float, softness: float, corner: tuple[float, float], crop: Picture
) -> tuple[int, tuple[float, float, float, float]]:
    """Whether a person could read the number in the window, and where it is."""
    nowhere = (0.5, 0.5, 0.5, 0.5)
    if scene.number is None:
        return 0, nowhere
    height, width = crop.shape[:2]
    x, y, w, h = (edge * scale for edge in scene.number)
    x, y = x - corner[0], y - corner[1]
    across, down = padding(width, height)
    box = (
        (x + w / 2 + across // 2) / (width + across), (y + h / 2 + down // 2) / (height + down),
        w / (width + across), h / (height + down),
    )  # fmt: skip
    inside_x = (min(x + w, width) - max(x, 0)) / w
    inside_y = (min(y + h, height) - max(y, 0)) / h
    seen = (
        min(inside_x, 1.0) * min(inside_y, 1.0) * scene.clear if inside_x > 0 and inside_y > 0 else 0.0
    )
    digits = max(1, len(scene.text))
    # A digit's height over the smallest detail that blur leaves, and its width likewise.
    detail = np.sqrt(0.6 + 5.5 * softness**2)
    fine = min(h / detail, 1.9 * (w / digits) / detail) if scene.text not in ("1", "11") else h / detail
    part = crop[max(0, int(y)) : int(np.ceil(y + h)), max(0, int(x)) : int(np.ceil(x + w))]
    depth = float(part.reshape(-1, 3).std(axis=0).max()) if part.size else 0.0
    if seen < 0.45 or fine < 3.2 or depth < 5:
        return 0, nowhere
    if seen < 0.74 or fine < 5.5 or depth < 9 or inside_x < 0.84 or inside_y < 0.8:
        return UNSURE, box
    return 1, box


def _real_without_number(rng: np.random.Generator, material: Material) -> NumberPicture:
    part = material.without_number[int(rng.integers(len(material.without_number)))]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    height, width = part.shape[:2]
    share = rng.uniform(0.6, 1.0, 2)
    tall, wide = max(4, round(share[0] * height)), max(4, round(share[1] * width))
    top, left = (
        int(rng.integers(0, max(1, height - tall + 1))),
        int(rng.integers(0, max(1, width - wide + 1))),
    )
    part = _relight(np.ascontiguousarray(part[top : top + tall, left : left + wide]), rng)
    if rng.random() < 0.4:
        part, _ = _degrade(part, rng)
    return NumberPicture(prepare(part), 0, NO_TENS, 0, (0.5, 0.5, 0.5, 0.5))


def as_arrays(pictures: Sequence[NumberPicture]) -> dict[str, NDArray[Any]]:
    """The samples as arrays: pixels (N, SIDE, SIDE, 3), legible, tens, units (N,), box (N, 4)."""
    return {
        "pixels": np.stack([p.pixels for p in pictures]).reshape(-1, SIDE, SIDE, 3),
        "legible": np.array([p.legible for p in pictures], np.int8),
        "tens": np.array([p.tens for p in pictures], np.int8),
        "units": np.array([p.units for p in pictures], np.int8),
        "box": np.array([p.box for p in pictures], np.float32),
    }
