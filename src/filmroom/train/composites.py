"""People before backgrounds, with the pixels of one of them known: what the segmenter learns from.

Simulated figures and people cut out of real grass are pasted before and behind each other; people on
even grass also serve as they stand.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.formats.coco import CocoSet
from filmroom.geometry import boxes as box_geometry
from filmroom.observe.silhouettes import HEIGHT, WIDTH, cut_out, neighbours, surroundings
from filmroom.simulate.figures import draw_figure, random_look, random_pose
from filmroom.simulate.kits import random_kit
from filmroom.train.augment import degrade, recolour
from filmroom.train.grass_silhouettes import PERSON, LabelledCrop, grass_silhouettes

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]
PEOPLE = ("player", "goalkeeper", "referee", "person")
UNSURE = 255
"""Target value of pixels that teach nothing; the others hold FULL times the share of the person."""

FULL = 254
_DRAWN_HEIGHT = 100  # pixels of an upright simulated figure in the stock
_SCENERY_EVERY = 2  # every how many pictures one is held in memory for backgrounds
_NOT_FOUND = 0.15  # share of neighbours whose box is not known
_TEAM = 8  # figures of the stock in one kit


class Cutout(NamedTuple):
    """A person without surroundings, standing upright `stature` pixels tall (real ones: about)."""

    rgb: Picture
    alpha: NDArray[np.uint8]
    stature: float


@dataclass(frozen=True)
class Stock:
    """What samples are composed of: figures in teams of _TEAM, real cutouts, real crops, pictures.

    `scenery` are pictures with their people's boxes, which backgrounds must keep clear of.
    """

    figures: list[Cutout]
    cutouts: list[Cutout]
    crops: list[LabelledCrop]
    scenery: list[tuple[Picture, NDArray[np.float64]]]


def draw_stock(count: int, styles: tuple[str, ...], seed: int) -> list[Cutout]:
    """Simulated figures, each a function of (seed, its index), _TEAM after one another in one kit."""
    figures = []
    for index in range(count):
        kit = random_kit(np.random.default_rng([seed, 1, index // _TEAM]))
        rng = np.random.default_rng([seed, 2, index])
        sprite = draw_figure(
            random_look(rng, kit),
            random_pose(rng),
            height_px=_DRAWN_HEIGHT,
            heading=rng.uniform(0, 2 * np.pi),
            style=styles[int(rng.integers(len(styles)))],
            rng=rng,
            elevation=rng.uniform(0.02, 0.6),
            light=rng.uniform(-1.2, 1.2),
        )
        alpha = np.rint(sprite.alpha * 255).astype(np.uint8)
        figures.append(Cutout(sprite.rgb, alpha, _DRAWN_HEIGHT))
    return figures


def load_stock(
    data: list[Path], *, figures: int, styles: tuple[str, ...], seed: int, part: str = "train"
) -> Stock:
    """The stock from one part of COCO sets (folders or zips) and `figures` simulated people."""
    crops: list[LabelledCrop] = []
    scenery = []
    for path in data:
        coco = CocoSet(path, part)
        for index, image in enumerate(coco):
            people = image.boxes[[name in PEOPLE for name in image.categories]]
            picture = coco.picture(image)
            if index % _SCENERY_EVERY == 0:
                scenery.append((picture, people))
            crops.extend(grass_silhouettes(picture, people))
    drawn = draw_stock(figures, styles, seed)
    cutouts = [_as_cutout(crop) for crop in crops if crop.box[3] >= 30]
    log.info("%d figures, %d people on grass, %d pictures", figures, len(crops), len(scenery))
    return Stock(drawn, cutouts, crops, scenery)


def _as_cutout(crop: LabelledCrop) -> Cutout:
    person = cv2.morphologyEx(
        (crop.labels == PERSON).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3))
    )
    x, y, w, h = cv2.boundingRect(person)
    cut = (slice(y, y + h), slice(x, x + w))
    alpha = cv2.GaussianBlur(person[cut] * np.uint8(255), (3, 3), 0.6)
    # Half-covered edge pixels carry grass: let the body's own colours run out to them.
    body = cv2.erode(person[cut], np.ones((3, 3), np.uint8))
    inner = crop.pixels[cut].astype(np.float32) * body[:, :, None]
    spread = (
        cv2.blur(inner, (3, 3))
        / np.maximum(cv2.blur(body.astype(np.float32), (3, 3)), 1e-6)[:, :, None]
    )
    edge = (body == 0) & (cv2.dilate(body, np.ones((3, 3), np.uint8)) > 0)
    rgb = np.where(edge[:, :, None], spread, crop.pixels[cut])
    return Cutout(np.clip(rgb, 0, 255).astype(np.uint8), np.asarray(alpha, np.uint8), float(h))


# --- samples -----------------------------------------------------------------------------------------


def make_sample(stock: Stock, rng: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]]:
    """A crop (HEIGHT, WIDTH, CHANNELS), its target (HEIGHT, WIDTH): UNSURE or 254 times the share."""
    if stock.crops and rng.random() < 0.2:
        pixels, target = _real_crop(stock.crops[int(rng.integers(len(stock.crops)))], rng)
    else:
        pixels, target = compose(stock, rng)
    if rng.random() < 0.5:
        pixels, target = pixels[:, ::-1], target[:, ::-1]
    return np.ascontiguousarray(pixels), np.ascontiguousarray(target)


def _real_crop(crop: LabelledCrop, rng: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]]:
    target = np.array([0, FULL, UNSURE], np.uint8)[crop.labels]
    pixels = recolour(crop.pixels, rng) if rng.random() < 0.6 else crop.pixels
    if rng.random() < 0.4:
        pixels = degrade(pixels, rng)
    return _seen(pixels, target, _jittered(crop.box, rng)[None], smooth=False)


def compose(stock: Stock, rng: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]]:
    """A person of the stock among others on a background, as the network would see the box."""
    while True:
        made = _compose_once(stock, rng)
        if made is not None:
            return made


def _compose_once(stock: Stock, rng: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]] | None:
    stature = float(np.exp(rng.uniform(np.log(22), np.log(115))))
    real = bool(stock.cutouts) and rng.random() < 0.25
    own, team = _choose(stock, rng, real, None)
    person = _scaled(own, stature)
    height, width = person.alpha.shape
    if height < 8 or width < 4:
        return None
    # Room for the surroundings of a generously jittered box.
    pad_x, pad_y = int(0.45 * width) + 4, int(0.3 * height) + 4
    size = height + 2 * pad_y, width + 2 * pad_x
    canvas = background(stock.scenery, size, stature, rng)
    layers = [(pad_x, pad_y, person, True)]
    for _ in range(int(rng.choice(4, p=[0.28, 0.34, 0.22, 0.16]))):
        same_team = team if rng.random() < 0.4 else None
        other, _ = _choose(stock, rng, real and rng.random() < 0.7, same_team)
        layers.append(
            _beside(person, _scaled(other, stature * rng.uniform(0.82, 1.2)), pad_x, pad_y, rng)
        )
    layers.sort(key=lambda layer: layer[1] + layer[2].alpha.shape[0])
    shadows = rng.random() < 0.35
    visible = np.zeros(size, np.float32)
    for left, top, cutout, is_own in layers:
        if shadows:
            _cast_shadow(canvas, cutout, left, top, rng)
        region, alpha = _paste(canvas, cutout, left, top)
        visible[region] *= 1 - alpha
        if is_own:
            visible[region] = alpha
    whole = float(person.alpha.sum()) / 255
    if visible.sum() < 0.3 * whole:
        return None
    pixels = recolour(canvas, rng)
    if rng.random() < stature / 60:  # a blur of some pixels leaves nothing of the smallest
        pixels = degrade(pixels, rng)
    # The own box first; of the others now and then one is not found.
    boxes = np.array(
        [
            _jittered(np.array([left, top, *cutout.alpha.shape[::-1]], float), rng)
            for left, top, cutout, is_own in sorted(layers, key=lambda layer: not layer[3])
            if is_own or rng.random() > _NOT_FOUND
        ]
    )
    target = np.rint(visible * FULL).astype(np.uint8)
    if rng.random() < 0.1:
        pixels, target, boxes = _at_border(pixels, target, boxes, rng)
    return _seen(pixels, target, boxes, smooth=True)


def _at_border(
    pixels: Picture, target: NDArray[np.uint8], boxes: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Picture, NDArray[np.uint8], NDArray[np.float64]]:
    """The same where the picture ends within the first box, the person's."""
    height, width = target.shape
    x, y, w, h = boxes[0]
    left, top, right, bottom = 0, 0, width, height
    share = rng.uniform(0.05, 0.5)
    match int(rng.integers(4)):
        case 0:
            left = max(0, int(x + share * w))
        case 1:
            top = max(0, int(y + share * h))
        case 2:
            right = min(width, int(x + (1 - share) * w))
        case _:
            bottom = min(height, int(y + (1 - share) * h))
    if right - left < 3 or bottom - top < 3:
        return pixels, target, boxes
    region = (slice(top, bottom), slice(left, right))
    moved = box_geometry.clip(boxes - np.array([left, top, 0, 0]), right - left, bottom - top)
    cut = np.ascontiguousarray(pixels[region]), np.ascontiguousarray(target[region])
    return *cut, moved.astype(np.float64)


def _choose(
    stock: Stock, rng: np.random.Generator, real: bool, team: int | None
) -> tuple[Cutout, int | None]:
    if real:
        return stock.cutouts[int(rng.integers(len(stock.cutouts)))], None
    if team is None:
        team = int(rng.integers(max(1, len(stock.figures) // _TEAM)))
    index = min(team * _TEAM + int(rng.integers(_TEAM)), len(stock.figures) - 1)
    return stock.figures[index], team


def _scaled(cutout: Cutout, stature: float) -> Cutout:
    factor = stature / cutout.stature
    height, width = cutout.alpha.shape
    size = max(2, round(width * factor)), max(4, round(height * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    rgb = np.asarray(cv2.resize(cutout.rgb, size, interpolation=method), np.uint8)
    return Cutout(
        rgb, np.asarray(cv2.resize(cutout.alpha, size, interpolation=method), np.uint8), stature
    )


def _beside(
    person: Cutout, other: Cutout, pad_x: int, pad_y: int, rng: np.random.Generator
) -> tuple[int, int, Cutout, bool]:
    """Where another person stands: mostly so close that the boxes share a part."""
    (height, width), (tall, wide) = person.alpha.shape, other.alpha.shape
    across = rng.normal(0, 0.6) * (width + wide) / 2
    left = pad_x + width / 2 + across - wide / 2
    top = pad_y + height + rng.normal(0, 0.15) * height - tall
    return round(left), round(top), other, False


def _paste(
    canvas: Picture, cutout: Cutout, left: int, top: int
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    height, width = cutout.alpha.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = max(y0, min(top + height, canvas.shape[0])), max(x0, min(left + width, canvas.shape[1]))
    inner = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    region = (slice(y0, y1), slice(x0, x1))
    alpha: NDArray[Any] = cutout.alpha[inner].astype(np.float32) / 255
    under = canvas[region].astype(np.float32)
    canvas[region] = under + (cutout.rgb[inner] - under) * alpha[:, :, None]
    return region, alpha


def _cast_shadow(
    canvas: Picture, cutout: Cutout, left: int, top: int, rng: np.random.Generator
) -> None:
    """The body's outline laid flat on the ground, darker, hanging on its feet."""
    height = cutout.alpha.shape[0]
    slant, flat = rng.uniform(-1.2, 1.2), rng.uniform(-0.45, 0.45)
    foot = top + height
    # Row y of the body falls on row foot + flat * (y - height), shifted by slant for each row up.
    matrix = np.array(
        [[1.0, -slant, left + slant * height], [0.0, flat, foot - flat * height]], np.float32
    )
    size = canvas.shape[1], canvas.shape[0]
    outline = cv2.warpAffine(cutout.alpha, matrix, size).astype(np.float32) / 255
    shade = cv2.GaussianBlur(outline, (0, 0), 0.8)
    canvas[:] = canvas * (1 - rng.uniform(0.2, 0.6) * shade[:, :, None])


def _jittered(box: NDArray[np.floating[Any]], rng: np.random.Generator) -> NDArray[np.float64]:
    """The box as a detector would give it: edges a little off, now and then loose all round."""
    x, y, w, h = box
    loose = abs(rng.normal(0, 0.05)) if rng.random() < 0.5 else 0.0
    left, top, right, bottom = rng.normal(loose, 0.045, 4)
    return np.array([x - left * w, y - top * h, w * (1 + left + right), h * (1 + top + bottom)])


def _seen(
    pixels: Picture, target: NDArray[np.uint8], boxes: NDArray[np.float64], *, smooth: bool
) -> tuple[Picture, NDArray[np.uint8]]:
    """Picture and target as the network sees the first box among the others.

    `smooth` where the target may be interpolated.
    """
    height, width = pixels.shape[:2]
    outer = surroundings(boxes, width, height)
    window = outer[0]
    seen = np.concatenate([cut_out(pixels, window), neighbours(boxes, outer)[0]], axis=2)
    if smooth:
        return seen, cut_out(target, window)
    left, top, right, bottom = (int(edge) for edge in window)
    columns = np.floor(left + (np.arange(WIDTH) + 0.5) * (right - left) / WIDTH).astype(int)
    rows = np.floor(top + (np.arange(HEIGHT) + 0.5) * (bottom - top) / HEIGHT).astype(int)
    nearest = target[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)]
    outside = (rows < 0) | (rows >= height), (columns < 0) | (columns >= width)
    nearest[outside[0]] = UNSURE
    nearest[:, outside[1]] = UNSURE
    return seen, nearest


# --- backgrounds -------------------------------------------------------------------------------------


def background(
    scenery: list[tuple[Picture, NDArray[np.float64]]],
    size: tuple[int, int],
    stature: float,
    rng: np.random.Generator,
) -> Picture:
    """Something a person `stature` pixels tall may stand before, (height, width, 3)."""
    if scenery and rng.random() < 0.55:
        pixels, people = scenery[int(rng.integers(len(scenery)))]
        found = _clear_piece(pixels, people, size, rng)
        if found is not None:
            return found
    painter = (_grass, _grass, _boards, _crowd, _floor, _ice)[int(rng.integers(6))]
    canvas = painter(size, stature, rng)
    for _ in range(int(rng.choice(4, p=[0.45, 0.3, 0.15, 0.1]))):
        _draw_line(canvas, stature, rng)
    return canvas


def _clear_piece(
    pixels: Picture, people: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator
) -> Picture | None:
    """A piece of a picture, at a random scale, that shows none of its labelled people."""
    for _ in range(4):
        scale = rng.uniform(0.5, 2.0)
        height, width = round(size[0] * scale), round(size[1] * scale)
        if height >= pixels.shape[0] or width >= pixels.shape[1]:
            continue
        top, left = rng.integers(pixels.shape[0] - height), rng.integers(pixels.shape[1] - width)
        window = np.array([[left, top, width, height]], float)
        if len(people) and box_geometry.intersections(window, people).max() > 0:
            continue
        piece = pixels[top : top + height, left : left + width]
        return np.array(cv2.resize(piece, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    return None


def _flat(size: tuple[int, int], colour: NDArray[Any]) -> NDArray[np.float32]:
    return np.broadcast_to(np.asarray(colour, np.float32), (*size, 3)).copy()


def cloud(
    size: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Soft random blotches (H, W), spread 1, one to each of so many cells (rows, columns)."""
    coarse = rng.normal(0, 1, cells).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _finished(canvas: NDArray[Any]) -> Picture:
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


def _grass(size: tuple[int, int], stature: float, rng: np.random.Generator) -> Picture:
    green = np.array([rng.uniform(20, 130), rng.uniform(70, 170), rng.uniform(10, 90)])
    canvas = _flat(size, green) + rng.uniform(0, 9) * cloud(size, (12, 12), rng)[:, :, None]
    canvas += rng.normal(0, rng.uniform(0.5, 7), (*size, 1)).astype(np.float32)
    if rng.random() < 0.4:  # mowing
        edge = rng.uniform(0, size[0])
        canvas[int(edge) :] *= rng.uniform(0.8, 1.2)
    return _finished(canvas)


def _floor(size: tuple[int, int], stature: float, rng: np.random.Generator) -> Picture:
    wood = np.array([rng.uniform(130, 245), rng.uniform(95, 205), rng.uniform(50, 160)])
    if rng.random() < 0.35:  # painted
        wood = rng.uniform(10, 230, 3)
    canvas = _flat(size, wood)
    plank = max(1, round(stature * rng.uniform(0.02, 0.12)))
    shades = rng.normal(0, rng.uniform(0, 10), size[0] // plank + 1)
    canvas += np.repeat(shades, plank)[: size[0], None, None]
    return _finished(canvas + rng.uniform(0, 14) * cloud(size, (4, 4), rng)[:, :, None])


def _ice(size: tuple[int, int], stature: float, rng: np.random.Generator) -> Picture:
    pale = rng.uniform(185, 245) + np.array([-6, 0, rng.uniform(0, 12)])
    return _finished(_flat(size, pale) + rng.uniform(0, 8) * cloud(size, (8, 8), rng)[:, :, None])


def _boards(size: tuple[int, int], stature: float, rng: np.random.Generator) -> Picture:
    canvas = _finished(_flat(size, rng.uniform(0, 255, 3)))
    foot = int(rng.uniform(0.35, 1.1) * size[0])
    for _ in range(int(rng.integers(1, 5))):
        letter = "".join(chr(65 + int(code)) for code in rng.integers(0, 26, 4))
        ink = tuple(float(value) for value in rng.uniform(0, 255, 3))
        place = int(rng.uniform(-0.3, 0.8) * size[1]), int(rng.uniform(0.1, 1.0) * size[0])
        thick = max(1, round(stature * 0.06))
        cv2.putText(
            canvas,
            letter,
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            stature * rng.uniform(0.005, 0.03),
            ink,
            thick,
        )
    if foot < size[0]:
        ground = _grass if rng.random() < 0.6 else _floor
        canvas[foot:] = ground(size, stature, rng)[foot:]
    return _finished(canvas)


def _crowd(size: tuple[int, int], stature: float, rng: np.random.Generator) -> Picture:
    cells = max(2, round(size[0] / (stature * rng.uniform(0.1, 0.4))))
    coarse = rng.uniform(0, 255, (cells, max(2, cells // 2), 3)).astype(np.float32)
    method = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
    return _finished(cv2.resize(coarse, size[::-1], interpolation=method) * rng.uniform(0.3, 1.0))


def _draw_line(canvas: Picture, stature: float, rng: np.random.Generator) -> None:
    ends = rng.uniform(-0.3, 1.3, (2, 2)) * np.array([canvas.shape[1], canvas.shape[0]])
    pale = rng.uniform(200, 255, 3) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
    colour = tuple(float(value) for value in pale)
    thick = max(1, round(stature * rng.uniform(0.015, 0.08)))
    start, end = ((int(x), int(y)) for x, y in ends)
    cv2.line(canvas, start, end, colour, thick, cv2.LINE_AA)
