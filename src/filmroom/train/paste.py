"""Athletes pasted into real pictures: sizes, kits and crowds that the labelled sets lack.

Some are drawn, some are cut out of labelled pictures by the shipped segmenter (copy and paste, Ghiasi
et al. 2021): the real ones bring real cloth, light and blur, and team mates who hide each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.geometry import boxes as box_geometry
from filmroom.geometry.masks import windows
from filmroom.observe.silhouettes import Segmenter
from filmroom.simulate.figures import STYLES, draw_figure, random_look
from filmroom.simulate.kits import random_kit
from filmroom.simulate.poses import random_pose

_HEIGHTS = (26.0, 190.0)  # pixels
_MOST_FIGURES = 14
_LEAST_VISIBLE = 0.2
_LEAST_FILLED, _MOST_FILLED = 0.25, 0.8  # share of its box that a well cut silhouette covers
_LEAST_TALL = 0.88  # share of its box's height that it spans
_DRAWN_HEIGHT = 140.0
_HEAD_ROWS = 0.14  # share of a person's height, from the top, that the head takes
_BALL_TO_PERSON = 0.125  # diameter of a ball to the height of a person
_BALL_COLOURS = ((255, 255, 255), (245, 245, 235), (240, 230, 90), (230, 120, 40))
_BALL_CHANCES = (0.6, 0.2, 0.1, 0.1)
_ON_LINE, _BEFORE_BODY, _AT_POLE = 0.2, 0.2, 0.1  # shares of pasted balls that lie there
_PALE = 30  # grey levels by which a painted line is paler than the ground beside it
_POLES = ((245, 245, 245), (250, 220, 40), (220, 40, 40))


class Cutout(NamedTuple):
    """A figure: `rgb` (H, W, 3), `alpha` (H, W) 0..255; its box is the whole of the two.

    `feet` is the point between its feet, in its own pixels.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    feet: tuple[float, float]


class Pasted(NamedTuple):
    """A picture with figures added; `hidden` (M,) is the share of each given box now covered.

    `heads` (N,) says where along its box, from its left at 0 to its right at 1, each figure's head is.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    heads: NDArray[np.float64]
    hidden: NDArray[np.float64]


def head_of(mask: NDArray[np.bool_]) -> float:
    """Where the head of a silhouette (H, W) is, from the left edge at 0 to the right one at 1.

    The middle where there is nothing at the top.
    """
    columns = np.nonzero(mask[: max(1, round(_HEAD_ROWS * len(mask)))])[1]
    return float(columns.mean() + 0.5) / mask.shape[1] if len(columns) else 0.5


def draw_cutouts(rng: np.random.Generator, *, teams: int = 64, each: int = 20) -> list[list[Cutout]]:
    """Figures drawn beforehand, `each` of every kit: drawing them anew for each picture is too slow."""
    cutouts = []
    for _ in range(teams):
        kit, style, elevation = random_kit(rng), str(rng.choice(STYLES)), rng.uniform(0.05, 0.5)
        team = []
        for _ in range(each):
            sprite = draw_figure(
                random_look(rng, kit),
                random_pose(rng),
                height_px=_DRAWN_HEIGHT,
                heading=rng.uniform(-np.pi, np.pi),
                style=style,
                rng=rng,
                elevation=elevation,
                light=rng.uniform(0, 2 * np.pi),
            )
            alpha = np.rint(sprite.alpha * 255).astype(np.uint8)
            rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
            part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            feet = (sprite.feet[0] - columns[0], sprite.feet[1] - rows[0])
            team.append(Cutout(sprite.rgb[part], alpha[part], feet))
        cutouts.append(team)
    return cutouts


def cut_out_people(
    pixels: NDArray[np.uint8], people: NDArray[np.floating], segmenter: Segmenter
) -> list[Cutout]:
    """Those of the people (N, 4) who stand free of each other and inside the picture, cut out."""
    height, width = pixels.shape[:2]
    overlap = box_geometry.ious(people, people)
    np.fill_diagonal(overlap, 0)
    right, bottom = people[:, 0] + people[:, 2], people[:, 1] + people[:, 3]
    whole = (people[:, :2] > 1).all(1) & (right < width - 1) & (bottom < height - 1)
    upright = people[:, 3] > 1.3 * people[:, 2]
    chosen = people[whole & upright & (overlap.max(1, initial=0) < 0.03) & (people[:, 3] >= 24)]
    cutouts = []
    masks = segmenter.segment(pixels, chosen).masks
    for (left, top, right, bottom), mask in zip(windows(chosen, width, height), masks, strict=True):
        tall = int(np.ptp(np.flatnonzero(mask.any(1)))) + 1 if mask.any() else 0
        if not _LEAST_FILLED < mask.mean() < _MOST_FILLED or tall < _LEAST_TALL * len(mask):
            continue
        rgb = pixels[top:bottom, left:right]
        alpha = np.asarray(mask, np.uint8) * 255
        cutouts.append(Cutout(rgb.copy(), alpha, (mask.shape[1] / 2, float(mask.shape[0]))))
    return cutouts


def paste_figures(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    teams: Sequence[Sequence[Cutout]],
    rng: np.random.Generator,
    *,
    highest_feet: float,
    usual_height: float,
    gain: float = 1.0,
) -> Pasted:
    """Groups of athletes of these teams standing below `highest_feet` (pixels from the top).

    They are about as tall as the people already there, `usual_height` pixels, or now and then of any
    size; `gain` multiplies their brightness. Gives the picture, the boxes (N, 4) of the figures that
    can be seen, cut at its border, and how much of each box of `boxes` (M, 4) the figures hide.
    """
    height, width = pixels.shape[:2]
    tall = float(np.exp(rng.uniform(*np.log(_HEIGHTS))))
    if rng.random() < 0.75:
        tall = float(np.clip(usual_height * rng.uniform(0.75, 1.4), *_HEIGHTS))
    count = int(rng.integers(1, max(3, min(_MOST_FIGURES, int(900 / tall)) + 1)))
    places = _places(count, tall, (height, width), highest_feet, boxes, rng)
    pixels = pixels.copy()
    owner = np.zeros((height, width), np.int32)
    found = np.zeros((count, 4))
    areas, heads = np.zeros(count), np.zeros(count)
    for index, feet in enumerate(places):
        team = teams[int(rng.integers(len(teams)))]
        figure = team[int(rng.integers(len(team)))]
        size = tall * rng.uniform(0.9, 1.1) * (0.9 + 0.2 * feet[1] / height)
        figure = _resized(figure, size / figure.alpha.shape[0], rng.random() < 0.5)
        found[index], areas[index], heads[index] = _blend(pixels, owner, figure, feet, gain, index + 1)
    seen = np.bincount(owner.ravel(), minlength=count + 1)[1 : count + 1]
    visible = (areas > 0) & (seen > _LEAST_VISIBLE * areas) & (found[:, 2] >= 3) & (found[:, 3] >= 6)
    return Pasted(pixels, found[visible], heads[visible], _hidden(boxes, owner > 0))


def _resized(figure: Cutout, scale: float, mirrored: bool) -> Cutout:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (max(2, round(figure.alpha.shape[1] * scale)), max(4, round(figure.alpha.shape[0] * scale)))
    rgb = np.asarray(cv2.resize(figure.rgb, size, interpolation=method), np.uint8)
    alpha = np.asarray(cv2.resize(figure.alpha, size, interpolation=method), np.uint8)
    x, y = figure.feet[0] * scale, figure.feet[1] * scale
    if mirrored:
        return Cutout(rgb[:, ::-1], alpha[:, ::-1], (size[0] - x, y))
    return Cutout(rgb, alpha, (x, y))


def _places(
    count: int,
    tall: float,
    size: tuple[int, int],
    highest_feet: float,
    boxes: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Feet of `count` figures, alone or in groups, some of them round people there; far ones first."""
    height, width = size
    # Few groups of many: people who hide each other are what a detector misses.
    groups = int(rng.integers(1, max(2, count // 2) + 1))
    top = min(highest_feet, height - 1.0)
    centres = np.column_stack(
        [rng.uniform(0, width, groups), rng.uniform(top, height + 0.3 * tall, groups)]
    )
    beside = (rng.random(groups) < 0.4) & (len(boxes) > 0)
    if beside.any():
        there = boxes[rng.integers(len(boxes), size=int(beside.sum()))]
        centres[beside] = there[:, :2] + there[:, 2:] * [0.5, 1.0]
    spread = np.array([0.55, 0.25]) * tall * rng.uniform(0.2, 1.2)
    places = centres[rng.integers(groups, size=count)] + rng.normal(0, 1, (count, 2)) * spread
    places[:, 1] = np.maximum(places[:, 1], top)
    return places[np.argsort(places[:, 1], kind="stable")]


def _blend(
    pixels: NDArray[np.uint8],
    owner: NDArray[np.int32],
    figure: Cutout,
    feet: NDArray[np.float64],
    gain: float,
    label: int,
) -> tuple[NDArray[np.float64], float, float]:
    """Draw a figure; its box cut at the border, its area in pixels, and where along it the head is."""
    height, width = owner.shape
    left, top = round(feet[0] - figure.feet[0]), round(feet[1] - figure.feet[1])
    rows = slice(max(0, top), min(height, top + figure.alpha.shape[0]))
    columns = slice(max(0, left), min(width, left + figure.alpha.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return np.zeros(4), 0.0, 0.0
    part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    alpha = figure.alpha[part].astype(np.float32)[..., None] / 255
    window = pixels[rows, columns]
    window[:] = np.clip(alpha * gain * figure.rgb[part] + (1 - alpha) * window, 0, 255).astype(np.uint8)
    owner[rows, columns][figure.alpha[part] > 127] = label
    box = np.array([columns.start, rows.start, *window.shape[1::-1]], dtype=float)
    shape = figure.alpha > 127
    head = (left + head_of(shape) * shape.shape[1] - columns.start) / window.shape[1]
    return box, float(shape.sum()), float(np.clip(head, 0.0, 1.0))


def _hidden(boxes: NDArray[np.float64], covered: NDArray[np.bool_]) -> NDArray[np.float64]:
    shares = np.zeros(len(boxes))
    for index, (x, y, w, h) in enumerate(boxes.astype(int)):
        window = covered[max(0, y) : y + h + 1, max(0, x) : x + w + 1]
        shares[index] = window.mean() if window.size else 0.0
    return shares


def draw_ball(
    diameter: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A ball of `diameter` pixels as a camera sees it: colour (S, S, 3) 0..255 and cover (S, S) 0..1.

    Near the middle of a square of odd side S; lit from above or from a side, patched or plain, its rim
    soft, now and then smeared along its flight. `ball_box` says where it is.
    """
    fine = 4  # drawn larger, then averaged down
    smear = diameter * rng.uniform(0.3, 1.4) if rng.random() < 0.3 else 0.0
    side = int(np.ceil(diameter + smear)) + 5
    side += 1 - side % 2
    middle = (np.arange(side * fine) + 0.5) / fine - side / 2
    across, down = (middle - rng.uniform(-0.5, 0.5) for _ in range(2))
    xx, yy = np.meshgrid(across / (diameter / 2), down / (diameter / 2))
    inside = xx**2 + yy**2 <= 1
    depth = np.sqrt(np.clip(1 - xx**2 - yy**2, 0, 1))
    lean = rng.uniform(-0.5, 0.5)
    shade = (0.3 * depth - 0.35 * (yy + lean * xx)) * rng.uniform(0.3, 1)
    light = np.clip(rng.uniform(0.55, 0.75) + shade, 0.1, 1)
    colour = np.array(_BALL_COLOURS[int(rng.choice(len(_BALL_COLOURS), p=_BALL_CHANCES))])
    ball = light[..., None] * colour * rng.uniform(0.75, 1.1)
    if rng.random() < 0.65:
        ball[_patches(xx, yy, rng)] *= rng.uniform(0.1, 0.7)
    cover = inside.astype(np.float32)
    ball = np.clip(ball, 0, 255).astype(np.float32) * cover[..., None]
    if smear:
        reach = int(np.ceil(smear * fine / 2))
        angle = rng.uniform(0, np.pi)
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        for offset in np.linspace(-smear * fine / 2, smear * fine / 2, 4 * reach + 1):
            kernel[round(reach + offset * np.sin(angle)), round(reach + offset * np.cos(angle))] += 1
        ball, cover = (
            np.asarray(cv2.filter2D(each, -1, kernel / kernel.sum()), np.float32)
            for each in (ball, cover)
        )
    soft = fine * rng.uniform(0.25, 0.8)
    shrunk, seen = (
        cv2.resize(
            cv2.GaussianBlur(each, (0, 0), soft), (side, side), interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        for each in (ball, cover)
    )
    rgb = (shrunk / np.maximum(seen, 1e-3)[..., None]).astype(np.float32)
    return rgb, seen


def _patches(
    xx: NDArray[np.float64], yy: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Where the dark panels of a ball are: a few round ones, or a wavy pattern."""
    if rng.random() < 0.5:
        dark = np.zeros(xx.shape, bool)
        for _ in range(int(rng.integers(2, 7))):
            x, y = rng.uniform(-0.9, 0.9, 2)
            dark |= (xx - x) ** 2 + (yy - y) ** 2 < rng.uniform(0.15, 0.35) ** 2
        return dark
    phase, turns = rng.uniform(0, 2 * np.pi, 2), rng.uniform(2, 4, 2)
    return np.asarray(np.sin(turns[0] * xx + phase[0]) * np.sin(turns[1] * yy + phase[1]) > 0.55)


def ball_box(cover: NDArray[np.float32]) -> NDArray[np.float64]:
    """The box (4,) of a drawn ball in its own square, to a fraction of a pixel.

    Its edges are where the cover, summed along the other axis, falls below a fifth of its most.
    """
    edges = []
    for axis in (0, 1):
        profile = cover.sum(axis=axis)
        there = np.flatnonzero(profile > 0.2 * profile.max())
        edges.append((float(there[0]), float(there[-1] + 1)))
    (left, right), (top, bottom) = edges
    return np.array([left, top, right - left, bottom - top])


def paste_ball(
    pixels: NDArray[np.uint8],
    people: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A ball where it may lie, fly or be held, and its box (4,).

    `people` (N, 4), at least one, say how large it is and from where down; see `draw_ball`. It lands
    anywhere, on a painted line, before somebody's body, or beside the pole of a corner flag.
    """
    height, width = pixels.shape[:2]
    usual_height = float(np.median(people[:, 3]))
    highest = float((people[:, 1] + people[:, 3]).min())
    diameter = max(4.0, _BALL_TO_PERSON * usual_height * rng.uniform(0.8, 1.25))
    rgb, cover = draw_ball(diameter, rng)
    side = len(cover)
    room = width - side, height - side
    x = rng.uniform(0, max(1, room[0]))
    y = rng.uniform(max(0, min(highest, room[1] - 1)), max(1, room[1]))
    pixels = pixels.copy()
    where = rng.random()
    if where < _ON_LINE:
        lines = thin_lines(pixels, diameter)
        lines = lines[lines[:, 1] >= highest]
        if len(lines):
            x, y = lines[int(rng.integers(len(lines)))] - side / 2
    elif where < _ON_LINE + _BEFORE_BODY:
        body = people[int(rng.integers(len(people)))]
        x = body[0] + rng.uniform(-0.2, 1.2) * body[2] - side / 2
        y = body[1] + rng.uniform(0.1, 1.0) * body[3] - side / 2
    elif where < _ON_LINE + _BEFORE_BODY + _AT_POLE:
        draw_pole(pixels, (x + side / 2, y + side / 2), usual_height, diameter, rng)
    left, top = int(np.clip(x, 0, max(0, room[0]))), int(np.clip(y, 0, max(0, room[1])))
    blend_ball(pixels, rgb, cover, (left, top))
    box = ball_box(cover)
    return pixels, np.array([left + box[0], top + box[1], box[2], box[3]])


def thin_lines(pixels: NDArray[np.uint8], widest: float) -> NDArray[np.intp]:
    """Points (N, 2) x, y of what is pale and thinner than `widest` pixels: painted lines, mostly."""
    pale = pixels.min(axis=2)
    size = max(3, round(widest) | 1)
    opened = cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    rows, columns = np.nonzero(cv2.subtract(pale, opened) > _PALE)
    return np.column_stack([columns, rows])


def draw_pole(
    pixels: NDArray[np.uint8],
    ball: tuple[float, float],
    usual_height: float,
    diameter: float,
    rng: np.random.Generator,
) -> None:
    """The pole of a flag, drawn in place, that stands close to the middle of a ball."""
    foot = ball[0] + rng.normal(0, 0.5) * diameter, ball[1] + rng.uniform(-0.2, 0.4) * diameter
    top = foot[0] + rng.normal(0, 0.03) * usual_height, foot[1] - rng.uniform(0.6, 0.95) * usual_height
    shade = tuple(float(value) for value in rng.choice(_POLES) * rng.uniform(0.7, 1.0))
    thick = max(1, round(usual_height * rng.uniform(0.02, 0.05)))
    ends = [tuple(round(16 * value) for value in end) for end in (foot, top)]
    cv2.line(pixels, ends[0], ends[1], shade, thick, cv2.LINE_AA, 4)


def draw_post(pixels: NDArray[np.uint8], people: NDArray[np.float64], rng: np.random.Generator) -> None:
    """A post of a net or goal, drawn in place among `people` (N, 4), its lower part padded."""
    body = people[int(rng.integers(len(people)))]
    usual_height = float(np.median(people[:, 3]))
    across = body[0] + rng.normal(0.5, 3.0) * body[2]
    foot = body[1] + body[3] + rng.normal(0, 0.3) * body[3]
    tall = usual_height * rng.uniform(0.7, 1.6)
    thick = max(1, round(usual_height * rng.uniform(0.04, 0.2)))
    for share in (1.0, rng.uniform(0.3, 1.0)):
        shade = tuple(float(value) for value in rng.integers(0, 256, 3))
        ends = [(round(across), round(foot - part * tall)) for part in (0.0, share)]
        cv2.line(pixels, ends[0], ends[1], shade, thick, cv2.LINE_AA)


def blend_ball(
    pixels: NDArray[np.uint8],
    rgb: NDArray[np.float32],
    cover: NDArray[np.float32],
    corner: tuple[int, int],
) -> None:
    """Draw a ball into the picture in place, its square's top left at `corner` (x, y)."""
    left, top = max(0, corner[0]), max(0, corner[1])
    window = pixels[top : max(0, corner[1] + len(cover)), left : max(0, corner[0] + len(cover))]
    part = (
        slice(top - corner[1], top - corner[1] + window.shape[0]),
        slice(left - corner[0], left - corner[0] + window.shape[1]),
    )
    share = cover[part][..., None]
    window[:] = np.clip(share * rgb[part] + (1 - share) * window, 0, 255).astype(np.uint8)
