"""Pictures of balls and of what a detector takes for balls: what the second look learns from.

Real balls are few, so they are also cut out and pasted, beside drawn ones, wherever a ball may lie or
fly: at feet and partly behind them, on lines, before boards and crowds, in hands. What is no ball comes
from the detector itself: what it proposes on pictures whose ball is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.formats.coco import CocoSet
from filmroom.geometry.masks import windows as mask_windows
from filmroom.observe.ball import BLANK, DIAMETERS, SIDE, WINDOW, ball_patches
from filmroom.observe.detector import OnnxDetector, input_scale
from filmroom.observe.silhouettes import CropSegmenter, Segmenter
from filmroom.train.augment import degrade, recolour
from filmroom.train.paste import blend_ball, draw_ball

REACH = 2.4
"""What a kept picture spans, in windows of the second look: room to shift and to shrink."""

KEPT = 96
"""Side of a kept picture, pixels."""

USUAL_WINDOW = KEPT / REACH
"""Side of an unchanged window in a kept picture."""

PEOPLE = ("player", "goalkeeper", "referee")
NO_BALL, REAL, DRAWN = 0, 1, 2

_LEAST_DIAMETER = 4.0  # pixels of the detector's input
_PASTED_DIAMETERS = (5.0, 14.0)  # of a usual window of 40
_CANDIDATES = 16  # of the detector, a picture
_CLEAR = 1.5  # diameters from the ball from which a candidate is surely something else
_AT_PEOPLE, _AT_PLACES = 4, 3  # pictures of parts of people and of any place, a picture
_PASTED, _SHAPES = 14, 4  # balls and look-alikes pasted, a picture
_LABELLED = 8.0  # how much oftener a labelled ball is drawn than something else
_ZOOM = (0.62, 2.2)
_MOST_OF_WINDOW = 0.5  # that a ball may fill
_NEAR, _FAR = (
    0.55,
    1.0,
)  # diameters off the middle up to which a ball counts, and from which it does not
_CALM = 34.0  # spread of grey levels around a ball up to which it is cut out by its colour


class Patches(NamedTuple):
    """Pictures (N, KEPT, KEPT, 3) and the ball's centre x, y and size w, h in each (N, 4).

    `kinds` (N,) are NO_BALL, REAL (a labelled ball, maybe pasted) or DRAWN, whose size is not learnt:
    people label a ball with room around it. `weights` (N,) say how often each is drawn; `held_out` (N,)
    those kept to measure on.
    """

    pixels: NDArray[np.uint8]
    balls: NDArray[np.float32]
    kinds: NDArray[np.int8]
    weights: NDArray[np.float32]
    held_out: NDArray[np.bool_]


class Batch(NamedTuple):
    """What the network sees and is to say.

    pixels (B, SIDE, SIDE, 3); `at_middle` (B,) 1 or 0 with `sure` (B,) 0 where that is a matter of
    taste; `places` (B, 4) offset and log size in windows, with `place_known` and `size_known` (B,).
    """

    pixels: NDArray[np.uint8]
    at_middle: NDArray[np.float32]
    sure: NDArray[np.float32]
    places: NDArray[np.float32]
    place_known: NDArray[np.float32]
    size_known: NDArray[np.float32]


class _Cut(NamedTuple):
    """A real ball: colour, cover and labelled size, in its own pixels, and side of its usual window."""

    rgb: NDArray[np.float32]
    cover: NDArray[np.float32]
    size: NDArray[np.float64]
    window: float


def save_patches(path: Path, patches: Patches) -> None:
    """Write aside, then rename: whole or absent."""
    aside = path.with_suffix(".partial.npz")
    np.savez(aside, **patches._asdict())
    aside.replace(path)


def load_patches(path: Path) -> Patches:
    """What `save_patches` wrote."""
    with np.load(path) as file:
        return Patches(*(file[name] for name in Patches._fields))


# --- what is kept of labelled pictures -------------------------------------------------------------


def gather_patches(
    data: Sequence[Path],
    rng: np.random.Generator,
    *,
    held_out: Sequence[str] = (),
    detector: OnnxDetector | None = None,
    part: str = "train",
    most_pictures: int = 240,
) -> Patches:
    """Balls and other things of the pictures of COCO folders or zips.

    Pictures whose file names begin with one of `held_out` are marked as such. `detector` proposes what
    else is looked at: the shipped one, before its second look. Of each set no more than about
    `most_pictures` are taken, evenly spaced.
    """
    detector = detector or OnnxDetector(threshold=0.02, second_look=False)
    segmenter = CropSegmenter()
    cuts = list(_cut_balls(data, part, held_out))
    found: list[Patches] = []
    for path in data:
        coco = CocoSet(path, part)
        every = max(1, len(coco) // most_pictures)
        for image in coco.images[::every]:
            pixels = coco.picture(image)
            names = np.array(image.categories)
            people = image.boxes[np.isin(names, PEOPLE)]
            balls = image.boxes[names == "ball"]
            seen = detector.detect(pixels)
            candidates = seen.boxes[seen.kinds == 1].astype(float)
            apart = image.file_name.startswith(tuple(held_out)) if held_out else False
            found.append(_of_picture(pixels, people, balls, candidates, segmenter, cuts, rng, apart))
    return Patches(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _of_picture(
    pixels: NDArray[np.uint8],
    people: NDArray[np.float64],
    balls: NDArray[np.float64],
    candidates: NDArray[np.float64],
    segmenter: Segmenter,
    cuts: Sequence[_Cut],
    rng: np.random.Generator,
    held_out: bool,
) -> Patches:
    """All patches of one picture."""
    height, width = pixels.shape[:2]
    least = WINDOW / input_scale(height, width)
    rows: list[tuple[NDArray[np.uint8], NDArray[np.float64], int, float]] = []
    for ball in balls:
        if ball[2:].mean() >= _LEAST_DIAMETER * least / WINDOW:
            kept, to_kept = _kept(pixels, ball, least)
            rows.append((kept, to_kept(ball), REAL, _LABELLED))
    if len(balls):
        others = _clear_of(candidates, balls, least)[:_CANDIDATES]
        rows += [
            (_kept(pixels, other, least)[0], np.zeros(4), NO_BALL, 1.0 if rank < 6 else 0.6)
            for rank, other in enumerate(others)
        ]
        usual = _usual_boxes(least, _parts_of(people, rng, _AT_PEOPLE), rng)
        places = rng.uniform(0, 1, (_AT_PLACES, 2)) * [width, height]
        usual = np.vstack([usual, _usual_boxes(least, places, rng)])
        rows += [
            (_kept(pixels, box, least)[0], np.zeros(4), NO_BALL, 0.5)
            for box in _clear_of(usual, balls, least)
        ]
    if len(people):
        rows += _with_pasted(pixels, people, balls, candidates, segmenter, cuts, rng)
    if not rows:
        return Patches(
            np.zeros((0, KEPT, KEPT, 3), np.uint8),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.int8),
            np.zeros(0, np.float32),
            np.zeros(0, bool),
        )
    kept_pixels, kept_balls, kinds, weights = zip(*rows, strict=True)
    return Patches(
        np.stack(kept_pixels),
        np.array(kept_balls, np.float32),
        np.array(kinds, np.int8),
        np.array(weights, np.float32),
        np.full(len(rows), held_out),
    )


def _with_pasted(
    pixels: NDArray[np.uint8],
    people: NDArray[np.float64],
    balls: NDArray[np.float64],
    candidates: NDArray[np.float64],
    segmenter: Segmenter,
    cuts: Sequence[_Cut],
    rng: np.random.Generator,
) -> list[tuple[NDArray[np.uint8], NDArray[np.float64], int, float]]:
    height, width = pixels.shape[:2]
    least = WINDOW / input_scale(height, width)
    body = _body(pixels, people, segmenter)
    rows: list[tuple[NDArray[np.uint8], NDArray[np.float64], int, float]] = []
    for index in range(_PASTED + _SHAPES):
        draw = rng.random()
        if draw < 0.4:
            point = _parts_of(people, rng, 1)[0]
        elif draw < 0.55 and len(candidates):
            box = candidates[rng.integers(min(len(candidates), 40))]
            point = box[:2] + box[2:] / 2 + rng.normal(0, 0.15, 2) * least
        else:
            point = rng.uniform(0, 1, 2) * [width, height]
        box = np.array([*point, 0, 0])
        if not len(_clear_of(box[None], balls, least)):
            continue
        kept, _ = _kept(pixels, box, least)
        hides = _kept(body, box, least)[0][..., 0] if rng.random() < 0.5 else None
        if index < _SHAPES:
            _blend_shape(kept, rng)
            rows.append((kept, np.zeros(4), NO_BALL, 0.5))
            continue
        ball, kind = _blend_any(kept, hides, cuts, rng)
        if ball is not None:
            rows.append((kept, ball, kind, 0.5))
    return rows


def _kept(
    pixels: NDArray[np.uint8], box: NDArray[np.float64], least: float
) -> tuple[NDArray[np.uint8], _ToKept]:
    """The surroundings of a box (4,) and the map of boxes to them."""
    span = REACH * max(least, DIAMETERS * float(box[2:].mean()))
    corner = box[:2] + box[2:] / 2 - span / 2
    kept = ball_patches(pixels, np.array([[*corner, span]]), KEPT)[0]
    return kept, _ToKept(corner, KEPT / span)


class _ToKept(NamedTuple):
    corner: NDArray[np.float64]
    scale: float

    def __call__(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """Centre and size (4,) in a kept picture of a box of the whole one."""
        return np.concatenate([(box[:2] + box[2:] / 2 - self.corner), box[2:]]) * self.scale


def _clear_of(
    boxes: NDArray[np.float64], balls: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Those boxes whose middle is far from every ball."""
    if not len(balls) or not len(boxes):
        return boxes
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    of_balls = balls[:, :2] + balls[:, 2:] / 2
    apart = np.linalg.norm(middle[:, None] - of_balls, axis=2)
    far = np.maximum(_CLEAR * balls[:, 2:].mean(axis=1), 0.25 * least)
    clear: NDArray[np.float64] = boxes[(apart > far).all(axis=1)]
    return clear


def _parts_of(people: NDArray[np.float64], rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Points (count, 2) on people: mostly feet and legs, hands, heads, shoulders."""
    if not len(people) or not count:
        return np.zeros((0, 2))
    box = people[rng.integers(len(people), size=count)]
    low = rng.choice([0.95, 0.8, 0.5, 0.22, 0.08], p=[0.45, 0.15, 0.15, 0.1, 0.15], size=count)
    across = rng.uniform(-0.1, 1.1, count)
    return box[:, :2] + box[:, 2:] * np.column_stack([across, low + rng.normal(0, 0.04, count)])


def _usual_boxes(
    least: float, points: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    size = least / WINDOW * rng.uniform(5, 16, (len(points), 1))
    return np.hstack([points - size / 2, size, size])


def _body(
    pixels: NDArray[np.uint8], people: NDArray[np.float64], segmenter: Segmenter
) -> NDArray[np.uint8]:
    """255 on people, 0 elsewhere, (H, W, 3)."""
    height, width = pixels.shape[:2]
    body = np.zeros((height, width, 3), np.uint8)
    masks = segmenter.segment(pixels, people).masks
    for (left, top, right, bottom), mask in zip(
        mask_windows(people, width, height), masks, strict=True
    ):
        body[top:bottom, left:right][mask] = 255
    return body


# --- balls that are pasted --------------------------------------------------------------------------


def _cut_balls(data: Sequence[Path], part: str, held_out: Sequence[str]) -> Iterator[_Cut]:
    """Real balls of photographs, cut out."""
    for path in data:
        coco = CocoSet(path, part)
        for image in coco:
            if held_out and image.file_name.startswith(tuple(held_out)):
                continue
            balls = image.boxes[[name == "ball" for name in image.categories]]
            if not len(balls):
                continue
            pixels = coco.picture(image)
            least = WINDOW / input_scale(*pixels.shape[:2])
            for ball in balls:
                if ball[2:].min() >= 1.2 * _LEAST_DIAMETER and ball[2:].max() < 1.4 * ball[2:].min():
                    yield _cut(pixels, ball, max(least, DIAMETERS * float(ball[2:].mean())))


def _cut(pixels: NDArray[np.uint8], ball: NDArray[np.float64], window: float) -> _Cut:
    """A ball by its colour where its surroundings are calm, else as a soft disc."""
    side = int(np.ceil(1.6 * ball[2:].max())) | 1
    corner = ball[:2] + ball[2:] / 2 - side / 2
    square = ball_patches(pixels, np.array([[*corner, side]]), side)[0].astype(np.float32)
    middle = np.arange(side) + 0.5 - side / 2
    xx, yy = np.meshgrid(middle / (ball[2] / 2), middle / (ball[3] / 2))
    away = np.hypot(xx, yy)
    disc = np.clip((1.1 - away) / 0.3, 0, 1)
    around = square[away > 1.15]
    ground = np.median(around, axis=0)
    cover = disc
    if np.abs(around - ground).mean(axis=1).std() < _CALM / 3:
        strange = np.abs(square - ground).sum(axis=2)
        most = max(1.0, float(np.percentile(strange[away < 0.6], 70)))
        by_colour = np.clip((strange / most - 0.15) / 0.5, 0, 1)
        cover = np.where(away < 0.45, np.maximum(by_colour, 0.8), by_colour) * disc
        share = np.maximum(cover, 0.3)[..., None]
        square = np.clip((square - (1 - share) * ground) / share, 0, 255)
    return _Cut(square.astype(np.float32), cover.astype(np.float32), ball[2:], window)


def _blend_any(
    kept: NDArray[np.uint8],
    hides: NDArray[np.uint8] | None,
    cuts: Sequence[_Cut],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64] | None, int]:
    """Put a ball, real or drawn, into the middle of a kept picture; its centre and size, and its kind.

    `hides` (KEPT, KEPT) is 255 where a body stands before it; None for no ball that can be seen.
    """
    wanted = float(np.exp(rng.uniform(*np.log(_PASTED_DIAMETERS))))
    if len(cuts) and rng.random() < 0.5:
        cut = cuts[int(rng.integers(len(cuts)))]
        natural = USUAL_WINDOW / cut.window
        # Enlarged much, a ball of few pixels would be known by its blur.
        scale = min(wanted / float(cut.size.mean()), 1.5 * natural)
        side = max(5, round(len(cut.cover) * scale)) | 1
        scale = side / len(cut.cover)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        rgb, cover = (
            np.asarray(cv2.resize(each, (side, side), interpolation=method), np.float32)
            for each in (cut.rgb, cut.cover)
        )
        size, kind = cut.size * scale, REAL
        if rng.random() < 0.5:
            rgb, cover = rgb[:, ::-1], cover[:, ::-1]
        rgb = rgb * np.float32(rng.uniform(0.75, 1.15))
    else:
        rgb, cover = draw_ball(wanted, rng)
        grey = float(np.percentile(kept, 97))
        if rng.random() < 0.7:  # no lighter than what is there
            rgb = rgb * np.float32(np.clip(grey / 235, 0.6, 1.05))
        size, kind = np.full(2, wanted), DRAWN
    side = len(cover)
    corner = KEPT // 2 - side // 2
    whole = float(cover.sum())
    inner = slice(corner, corner + side)
    if hides is not None:
        cover = cover * (1 - hides[inner, inner].astype(np.float32) / np.float32(255))
    elif rng.random() < 0.15:
        cover = cover * _half(side, rng)
    if cover.sum() < 0.45 * whole:
        return None, kind
    before = kept[inner, inner].astype(np.float32)
    blend_ball(kept, rgb, cover, (corner, corner))
    contrast = np.abs(kept[inner, inner] - before)[cover > 0.5]
    if not contrast.size or contrast.mean() < 18:
        return None, kind
    middle = corner + side / 2
    return np.array([middle, middle, *size]), kind


def _half(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """1 on one side of a random line, 0 on the other, which takes up to half of a ball."""
    angle, off = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.5) * side / 2
    middle = np.arange(side) + 0.5 - side / 2
    xx, yy = np.meshgrid(middle, middle)
    beyond = off - xx * np.cos(angle) - yy * np.sin(angle)
    return np.asarray(np.clip(beyond + 0.5, 0, 1), np.float32)


def _blend_shape(kept: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Something light that is no ball in the middle of a kept picture."""
    fine = 4
    side = KEPT // 2
    cover = np.zeros((side * fine, side * fine), np.uint8)
    middle = (side * fine // 2,) * 2
    size = fine * float(np.exp(rng.uniform(np.log(4.0), np.log(16.0))))
    turn = rng.uniform(0, 180)
    kind = rng.integers(6)
    if kind == 0:  # flat: a spot or speck on the pitch
        axes = int(0.7 * size), max(1, int(0.7 * size * rng.uniform(0.12, 0.5)))
        cv2.ellipse(cover, middle, axes, turn / 10, 0, 360, 255, -1)
    elif kind == 1:  # long: shoe, glove, rolled sleeve
        axes = int(size), max(1, int(size * rng.uniform(0.25, 0.55)))
        cv2.ellipse(cover, middle, axes, turn, 0, 360, 255, -1)
    elif kind == 2:  # ring
        axes = int(0.8 * size), int(size * rng.uniform(0.5, 1))
        thick = max(2, int(size * rng.uniform(0.08, 0.25)))
        cv2.ellipse(cover, middle, axes, turn, 0, 360, 255, thick)
    elif kind == 3:
        letter = str(rng.choice(list("ABCDEGOPQRSU0368983")))
        scale, thick = size / 16, max(1, int(size * rng.uniform(0.1, 0.22)))
        (w, h), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
        place = (middle[0] - w // 2, middle[1] + h // 2)
        cv2.putText(cover, letter, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick)
    elif kind == 4:  # bar: shorts, part of a board
        sides = size * rng.uniform(0.8, 2.5), size * rng.uniform(0.4, 1)
        cv2.fillPoly(cover, [cv2.boxPoints((middle, sides, turn)).astype(np.int32)], 255)
    else:  # a line, maybe bent
        step = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))]) * side * fine
        ends = np.array([middle - step, middle + rng.normal(0, size, 2), middle + step])
        cv2.polylines(cover, [ends.astype(np.int32)], False, 255, max(2, int(0.3 * size)))
    soft = cv2.GaussianBlur(cover, (0, 0), fine * rng.uniform(0.25, 0.9))
    share = cv2.resize(soft, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    colour = np.full(3, rng.uniform(170, 255)) if rng.random() < 0.75 else rng.uniform(0, 255, 3)
    rgb = np.broadcast_to(colour.astype(np.float32), (side, side, 3))
    blend_ball(kept, rgb, share / np.float32(255), (KEPT // 4, KEPT // 4))


# --- batches ----------------------------------------------------------------------------------------


def draw_batch(
    patches: Patches, rows: NDArray[np.intp], rng: np.random.Generator, *, varied: bool = True
) -> Batch:
    """Those pictures as the network is to see them: shifted, zoomed, turned, in other light.

    Without `varied` every window is the usual one around its ball or candidate.
    """
    pixels = np.empty((len(rows), SIDE, SIDE, 3), np.uint8)
    places = np.zeros((len(rows), 4), np.float32)
    off = np.full(len(rows), np.inf)
    for index, row in enumerate(rows):
        ball, is_ball = patches.balls[row].astype(float), patches.kinds[row] != NO_BALL
        zoom = float(np.exp(rng.uniform(*np.log(_ZOOM)))) if varied else 1.0
        diameter = float(ball[2:].mean()) if is_ball else 8.0
        span = max(USUAL_WINDOW, DIAMETERS * diameter) / zoom
        if is_ball:
            span = max(span, diameter / _MOST_OF_WINDOW)
        aim = ball[:2] if is_ball else np.full(2, KEPT / 2)
        shift = _shift(diameter, rng) if varied else np.zeros(2)
        turn = rng.uniform(-0.2, 0.2) if varied and rng.random() < 0.3 else 0.0
        mirrored = varied and rng.random() < 0.5
        pixels[index] = _window(patches.pixels[row], aim + shift, span, turn, mirrored)
        if is_ball:
            offset = -shift @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            if mirrored:
                offset[0] *= -1
            places[index] = [*(offset / span), *np.log(ball[2:] / span)]
            off[index] = np.hypot(*shift) / max(diameter, 4.0)
        if varied:
            pixels[index] = _in_other_light(pixels[index], rng)
    is_ball = patches.kinds[rows] != NO_BALL
    at_middle = is_ball & (off <= _NEAR)
    close = is_ball & (off < 1.6)
    return Batch(
        pixels,
        at_middle.astype(np.float32),
        (~is_ball | (off <= _NEAR) | (off >= _FAR)).astype(np.float32),
        places,
        close.astype(np.float32),
        (close & (patches.kinds[rows] == REAL)).astype(np.float32),
    )


def _in_other_light(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Changes after which a ball of few pixels is still one: mostly of brightness alone."""
    if rng.random() < 0.3:
        pixels = recolour(pixels, rng)
    else:
        table = np.clip(np.arange(256) * rng.uniform(0.75, 1.25) + rng.uniform(-20, 20), 0, 255)
        pixels = np.asarray(cv2.LUT(pixels, table.astype(np.uint8)), np.uint8)
    return degrade(pixels, rng) if rng.random() < 0.35 else pixels


def _shift(diameter: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """By how much a window misses a ball: mostly as much as the detector does, now and then more."""
    if rng.random() < 0.75:
        return np.clip(rng.normal(0, 0.22 * diameter + 0.4, 2), -0.8 * diameter, 0.8 * diameter)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.0) * min(2.0 * diameter, 18.0)
    return far * np.array([np.cos(angle), np.sin(angle)])


def _window(
    kept: NDArray[np.uint8], aim: NDArray[np.float64], span: float, turn: float, mirrored: bool
) -> NDArray[np.uint8]:
    step = span / SIDE
    turned = step * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if mirrored:
        turned = turned @ np.diag([-1.0, 1.0])
    # Middles of pixels lie half a pixel from their edges, here and there.
    corner = aim - 0.5 - turned @ np.full(2, SIDE / 2 - 0.5)
    return np.asarray(
        cv2.warpAffine(
            kept,
            np.column_stack([turned, corner]),
            (SIDE, SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(BLANK, BLANK, BLANK),
        ),
        np.uint8,
    )
