"""What the embedding learns from: many looks at each of many people, in one compact file.

Simulated athletes in teams of one kit, in any pose and from any side; people of labelled pictures, each
a class of one look; tracklets of raw videos that surely hold one person. All are cut out by their
silhouettes as `observe.embedding` sees them.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.coco import CocoSet
from filmroom.geometry.masks import Mask, windows
from filmroom.observe.embedding import HEIGHT, LEAST_HEIGHT, LEAST_WIDTH, WIDTH, person_crop
from filmroom.simulate.figures import Look, Sprite, draw_figure, paste_sprite, random_look, random_pose
from filmroom.simulate.kits import Colour, random_kit
from filmroom.simulate.labelled import TRAINING_STYLES
from filmroom.train.augment import degrade
from filmroom.train.composites import PEOPLE, background, cloud

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]

TEAM = 12
"""Simulated athletes in one kit."""

_QUALITY = 90  # of the JPEG pictures in the file
_LEAST_SEEN = 0.25  # share of a figure below which a look says too little
_NEIGHBOURS = (0.45, 0.33, 0.22)  # chances of none, one, and two who stand close by
_MIXED_UP = 0.4  # share of silhouettes of people beside others that hold a part of those


@dataclass(frozen=True)
class Looks:
    """Row i is one look: `pixels` (N, 96, 48, 3) uint8, `person` (N,) its class, counted from 0.

    `group` (N,) is what people seen together share: team, picture or video.
    """

    pixels: Picture
    person: NDArray[np.int32]
    group: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.person)

    @staticmethod
    def joined(parts: Sequence[Looks]) -> Looks:
        """All looks of all parts, whose people and groups are different ones."""
        people = np.cumsum([0, *(int(part.person.max(initial=-1)) + 1 for part in parts)])
        groups = np.cumsum([0, *(int(part.group.max(initial=-1)) + 1 for part in parts)])
        return Looks(
            np.concatenate([part.pixels for part in parts]),
            np.concatenate(
                [part.person + first for part, first in zip(parts, people, strict=False)]
            ).astype(np.int32),
            np.concatenate(
                [part.group + first for part, first in zip(parts, groups, strict=False)]
            ).astype(np.int32),
        )

    def take(self, rows: NDArray[Any]) -> Looks:
        """Those rows, their people and groups counted anew from 0."""
        return Looks(
            self.pixels[rows],
            np.unique(self.person[rows], return_inverse=True)[1].astype(np.int32),
            np.unique(self.group[rows], return_inverse=True)[1].astype(np.int32),
        )


def save_looks(path: Path, looks: Looks) -> None:
    """Write a file that `load_looks` reads: JPEG pictures one after the other; whole or absent."""
    coded = []
    for pixels in looks.pixels:
        _, packed = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        coded.append(packed.ravel())
    aside = path.with_suffix(".partial.npz")
    np.savez(
        aside,
        data=np.concatenate(coded) if coded else np.zeros(0, np.uint8),
        edges=np.cumsum([0, *map(len, coded)]),
        person=looks.person,
        group=looks.group,
    )
    aside.replace(path)


def load_looks(path: Path) -> Looks:
    """What `save_looks` wrote; InputError where the file is another."""
    try:
        with np.load(path) as file:
            data, edges, person, group = (file[name] for name in ("data", "edges", "person", "group"))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a file of looks ({error})") from error
    pixels = np.empty((len(person), HEIGHT, WIDTH, 3), np.uint8)
    for row, (first, last) in enumerate(itertools.pairwise(edges)):
        picture = cv2.imdecode(data[first:last], cv2.IMREAD_COLOR)
        if picture is None or picture.shape != pixels.shape[1:]:
            raise InputError(f"{path}: picture {row} is damaged; make the file again")
        pixels[row] = picture[:, :, ::-1]
    return Looks(pixels, person, group)


# --- simulated athletes ----------------------------------------------------------------------------


def drawn_looks(
    people: int,
    each: int,
    seed: int,
    *,
    styles: tuple[str, ...] = TRAINING_STYLES,
    workers: int = 1,
) -> Looks:
    """`each` looks at simulated people, TEAM after one another in one kit.

    A function of the seed, whatever the number of worker processes.
    """
    teams = [
        (range(first, min(people, first + TEAM)), each, seed, styles)
        for first in range(0, people, TEAM)
    ]
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(_drawn_team, *zip(*teams, strict=True), chunksize=4))
    else:
        parts = [_drawn_team(*team) for team in teams]
    empty = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    person = np.repeat(np.arange(people, dtype=np.int32), each)
    return Looks(np.concatenate([empty, *parts]), person, person // TEAM)


def _drawn_team(people: range, each: int, seed: int, styles: tuple[str, ...]) -> Picture:
    cv2.setNumThreads(1)
    found = [picture for index in people for picture in _drawn_person(index, each, seed, styles)]
    return np.array(found, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


def _drawn_person(index: int, each: int, seed: int, styles: tuple[str, ...]) -> Iterator[Picture]:
    of_team = np.random.default_rng([seed, 1, index // TEAM])
    style = styles[int(of_team.integers(len(styles)))]
    dressed = random_look(of_team, random_kit(of_team))
    elevation, light = of_team.uniform(0.02, 0.6), of_team.uniform(-1.2, 1.2)
    stature = float(np.exp(of_team.uniform(np.log(36), np.log(150))))
    rng = np.random.default_rng([seed, 2, index])
    look = _as_team_mate(random_look(rng, dressed.kit), dressed, rng)
    mate = _as_team_mate(random_look(rng, dressed.kit), dressed, rng)
    stranger = random_look(rng, random_kit(rng))
    for turn in range(each):
        found = None
        while found is None:
            found = _one_look(
                look, mate if turn % 2 else stranger, stature, style, elevation, light, rng
            )
        yield found


def _as_team_mate(look: Look, dressed: Look, rng: np.random.Generator) -> Look:
    """The athlete in the team's dress; a few wear long sleeves, all the team's font.

    Skin, hair and shoes come in every shade, so that nobody is told by one of a few colours.
    """
    own_sleeves = rng.random() < 0.3
    return replace(
        look,
        skin=_shade(look.skin, 9, rng),
        hair=_shade(look.hair, 12, rng),
        shoes=_shade(look.shoes, 25, rng) if rng.random() < 0.6 else _any_colour(rng),
        gloves=_some_gloves(rng),
        armband=_any_colour(rng) if rng.random() < 1 / TEAM else None,
        sleeves=_own_sleeves(rng) if own_sleeves else dressed.sleeves,
        shorts_length=dressed.shorts_length,
        font=dressed.font,
        helmet=dressed.helmet,
        pads=dressed.pads,
    )


def _own_sleeves(rng: np.random.Generator) -> float:
    """Short ones or long ones, as `Look.sleeves`."""
    return float(rng.uniform(0.3, 0.55)) if rng.random() < 0.5 else 1.0


def _shade(colour: Colour, spread: float, rng: np.random.Generator) -> Colour:
    light, tints = rng.normal(0, spread), rng.normal(0, spread / 3, 3)
    red, green, blue = np.clip(np.asarray(colour) + light + tints, 0, 255).astype(int).tolist()
    return red, green, blue


def _any_colour(rng: np.random.Generator) -> Colour:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _some_gloves(rng: np.random.Generator) -> Colour | None:
    which = rng.random()
    if which < 0.8:
        return None
    grey = int(rng.integers(10, 60) if which < 0.92 else rng.integers(200, 250))
    return grey, grey, grey


def _one_look(
    look: Look,
    other: Look,
    stature: float,
    style: str,
    elevation: float,
    light: float,
    rng: np.random.Generator,
) -> Picture | None:
    height = stature * rng.uniform(0.85, 1.18) * look.height_m / 1.82
    sprite = _drawn(look, height, style, elevation, light, rng)
    tall, wide = sprite.alpha.shape
    pad = round(0.2 * tall) + 2
    size = tall + 2 * pad, wide + 2 * pad
    canvas = background([], size, height, rng)
    feet = sprite.feet[0] + pad, sprite.feet[1] + pad
    beside = [
        (
            feet[1] + rng.uniform(-0.12, 0.2) * tall,
            feet[0] + rng.choice([-1, 1]) * rng.uniform(0.25, 0.9) * wide,
            _drawn(other, height * rng.uniform(0.9, 1.1), style, elevation, light, rng),
        )
        for _ in range(int(rng.choice(3, p=_NEIGHBOURS)))
    ]
    visible, others = _placed(canvas, sprite, feet, beside)
    if visible.sum() < _LEAST_SEEN * sprite.alpha.sum():
        return None
    if rng.random() < 0.6:
        canvas = degrade(canvas, rng)
    box = np.array([pad, pad, wide, tall], float)
    box[:2] += rng.normal(0, 0.04, 2) * box[2:]
    box[2:] *= np.exp(rng.normal(0, 0.05, 2))
    (left, top, right, bottom) = windows(box[None], size[1], size[0])[0]
    mask = visible > 0.5
    if beside and rng.random() < _MIXED_UP:
        mask |= _beside_it(mask, others > 0.5, rng)
    mask = _as_found(mask[top:bottom, left:right], rng)
    return person_crop(canvas[top:bottom, left:right], mask)


def _placed(
    canvas: Picture,
    sprite: Sprite,
    feet: tuple[float, float],
    beside: Sequence[tuple[float, float, Sprite]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the figure shows on the canvas, and where others do, who stand at (down, across)."""
    visible, others = np.zeros((2, *canvas.shape[:2]), np.float32)
    everyone = [(feet[1], feet[0], sprite), *beside]
    for index in np.argsort([down for down, _, _ in everyone], kind="stable").tolist():
        down, across, figure = everyone[index]
        pasted = paste_sprite(canvas, figure, (across, down))
        if pasted is None:
            continue
        alpha, (left, top) = pasted
        region = slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1])
        visible[region] *= 1 - alpha
        others[region] *= 1 - alpha
        (others if index else visible)[region] += alpha
    return visible, others


def _beside_it(mask: Mask, others: Mask, rng: np.random.Generator) -> Mask:
    """Parts of others next to a silhouette, as a network takes them for the person's."""
    reach = max(3, round(0.12 * len(mask))) | 1
    near = cv2.dilate(mask.view(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return np.asarray(near & others & (cloud(mask.shape, (5, 4), rng) > 0), bool)


def _drawn(
    look: Look,
    height: float,
    style: str,
    elevation: float,
    light: float,
    rng: np.random.Generator,
) -> Sprite:
    return draw_figure(
        look,
        random_pose(rng),
        height_px=height,
        heading=rng.uniform(0, 2 * np.pi),
        style=style,
        rng=rng,
        elevation=max(0.0, elevation + rng.normal(0, 0.05)),
        light=light + rng.normal(0, 0.3),
    )


def _as_found(mask: Mask, rng: np.random.Generator) -> Mask:
    """A true silhouette as a network finds it: a little too wide or too narrow, frayed."""
    tall = len(mask)
    noise = cloud(mask.shape, (max(2, tall // 6), max(2, mask.shape[1] // 6)), rng)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.6, 0.02 * tall))
    return np.asarray(soft + 0.15 * noise > rng.uniform(0.3, 0.65), bool)


# --- people of labelled pictures -------------------------------------------------------------------


def still_looks(data: Sequence[Path], *, part: str = "train") -> Looks:
    """Everybody in the pictures of COCO folders or zips, each a class of one look."""
    from filmroom.observe.silhouettes import CropSegmenter

    segmenter = CropSegmenter()
    pixels, group = [], []
    pictures = 0
    for path in data:
        coco = CocoSet(path, part)
        for image in coco:
            boxes = image.boxes[[name in PEOPLE for name in image.categories]]
            picture = coco.picture(image)
            masks = segmenter.segment(picture, boxes).masks
            for (left, top, right, bottom), mask in zip(
                windows(boxes, picture.shape[1], picture.shape[0]), masks, strict=True
            ):
                crop = picture[top:bottom, left:right]
                if min(crop.shape[0] / LEAST_HEIGHT, crop.shape[1] / LEAST_WIDTH) < 1:
                    continue
                if mask.mean() < 0.15:
                    continue
                pixels.append(person_crop(crop, mask))
                group.append(pictures)
            pictures += 1
    return Looks(
        np.array(pixels, np.uint8).reshape(-1, HEIGHT, WIDTH, 3),
        np.arange(len(pixels), dtype=np.int32),
        np.array(group, np.int32),
    )
