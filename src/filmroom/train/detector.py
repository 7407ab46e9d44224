"""The recipe of the shipped detector: people, ball and hoop on the pitch, and the role of a person.

Data: COCO folders or zips whose categories are among player, goalkeeper, referee, ball and hoop
(others are background). Random crops at many scales, blurred, recompressed and recoloured; a heatmap
with penalty-reduced focal loss (Law & Deng 2018, eq. 1) that peaks at the middle of a ball or hoop but
at the neck of a person, since in a crowd heads are seen apart where bodies melt into one; box edges
around that point (Liu et al. 2020, TTFNet) and down the body where it is seen, by GIoU and by the cube
of the IoU, which asks most of boxes that are nearly right (He et al. 2021, alpha-IoU); the IoU reached
as a score of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from filmroom.errors import InputError
from filmroom.formats.coco import CocoSet
from filmroom.geometry import boxes as box_geometry
from filmroom.observe.decode import STRIDE
from filmroom.observe.detector import input_scale, letterbox
from filmroom.observe.silhouettes import CropSegmenter, Segmenter
from filmroom.train.augment import degrade, recolour
from filmroom.train.export import export_onnx, quantise
from filmroom.train.networks import DetectorNet
from filmroom.train.paste import (
    Cutout,
    cut_out_people,
    draw_cutouts,
    draw_post,
    head_of,
    paste_ball,
    paste_figures,
)
from filmroom.train.schedule import (
    WeightAverage,
    cosine_rate,
    decayed_groups,
    fastest_device,
    load_checkpoint,
    resume_training,
    save_checkpoint,
    save_training,
    seed_everything,
    take_step,
)
from filmroom.train.warm_start import load_from_onnx

log = logging.getLogger(__name__)

KIND_OF = {"player": 0, "goalkeeper": 0, "referee": 0, "ball": 1, "hoop": 2}
_PERSON_HEIGHTS = (22.0, 120.0)  # pixels between which the usual person of a crop lies
_USUAL_HEIGHT = 60.0
_LEAST_COVERED = 0.6  # share of a crop's height that its picture covers
_OUTSIDE = 0.12  # share of a crop that may lie outside its picture
_MOST_HIDDEN = 0.7  # share of a labelled person that pasted ones may hide
_SHARP = 0.7  # share of the usual height from which cut out people can be enlarged to it
_TEAM_FROM = 4  # people cut out of a picture who can be pasted as a team
_STREAMED = -1  # the place in the list of a picture that is in none
_EXAMPLES = 32  # crops on which an exported network is unfolded
_BALL_WEIGHT = 3.0  # of the one ball among some twenty people
_BALL_SHARE = 0.5  # of the crops with pasted figures that get a ball too
_POST_SHARE = 0.15  # of the same crops that get the post of a net or goal
_NECK = 0.13  # share of a person's height, from the top, at which the heatmap peaks
_HEAD_SPREAD = 0.035  # of that height: spread of the peak
_BODY_ROWS = (0.25, 0.85)  # shares of the height between which a body tells its box too
_BODY_COLUMNS = (0.38, 0.62)  # and of the width
_COVERED_ROWS, _COVERED_COLUMNS = (0.05, 0.95), (0.2, 0.8)  # where a body hides those behind it
_EXACT = 2.5  # weight of the cube of the IoU, where GIoU weighs 5
ROLE_OF = {"player": 0, "goalkeeper": 1, "referee": 2}


@dataclass(frozen=True)
class DetectorRecipe:
    """Everything that decides the result, apart from the data."""

    steps: int = 8000
    batch: int = 8
    crop: int = 448
    heights: tuple[float, float] = _PERSON_HEIGHTS
    paste: float = 0.5
    rate: float = 1.8e-3
    weight_decay: float = 0.02
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (2, 3, 4, 2)
    seed: int = 1
    checkpoint_every: int = 250


@dataclass(frozen=True)
class LabelledPicture:
    """A training picture: RGB pixels, boxes of the kinds learnt, and whether the ball is labelled.

    `heads` says where along its box each person's head is, 0 at the left to 1 at the right, NaN where
    that is not known; `source` is the place of its set among those given.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    heads: NDArray[np.float64]
    kinds: NDArray[np.int64]
    roles: NDArray[np.int64]
    ball_known: bool
    source: int = 0


class PictureStream(Protocol):
    """Pictures that are made when they are wanted, in place of a set that is read."""

    def picture_for(self, sample: int, rng: np.random.Generator) -> LabelledPicture:
        """The picture that sample number `sample` is cut from; a function of the arguments alone."""
        ...

    def some(self, count: int) -> list[LabelledPicture]:
        """A few pictures, always the same."""
        ...


def labelled_picture(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    categories: Sequence[str],
    source: int = 0,
) -> LabelledPicture:
    """A picture with those of its boxes (N, 4) whose category is learnt."""
    known = [i for i, name in enumerate(categories) if name in KIND_OF]
    names = [categories[i] for i in known]
    kinds = np.array([KIND_OF[name] for name in names], dtype=np.int64)
    roles = np.array([ROLE_OF.get(name, 0) for name in names], dtype=np.int64)
    heads = np.full(len(known), np.nan)
    return LabelledPicture(pixels, boxes[known], heads, kinds, roles, bool((kinds == 1).any()), source)


def load_pictures(paths: Sequence[Path], part: str) -> list[LabelledPicture]:
    """All pictures of one part of the given COCO sets, held in memory."""
    return [
        labelled_picture(coco.picture(image), image.boxes, image.categories, source)
        for source, coco in enumerate(CocoSet(path, part) for path in paths)
        for image in coco
    ]


def _parted(data: Sequence[Path | PictureStream]) -> tuple[list[Path], list[PictureStream]]:
    """What is read, and what is made."""
    paths = [each for each in data if isinstance(each, Path)]
    return paths, [each for each in data if not isinstance(each, Path)]


def with_heads(picture: LabelledPicture, segmenter: Segmenter) -> LabelledPicture:
    """The same picture, the heads of its people found by their silhouettes."""
    people = np.flatnonzero(picture.kinds == 0)
    heads = picture.heads.copy()
    masks = segmenter.segment(picture.pixels, picture.boxes[people]).masks
    heads[people] = [head_of(mask) for mask in masks]
    return replace(picture, heads=heads)


class _Labels(NamedTuple):
    """Of a crop: boxes (N, 4) in its pixels, heads, kinds and roles (N,) as of a picture."""

    boxes: NDArray[np.float64]
    heads: NDArray[np.float64]
    kinds: NDArray[np.int64]
    roles: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> _Labels:
        return _Labels(self.boxes[rows], self.heads[rows], self.kinds[rows], self.roles[rows])

    def and_also(self, others: _Labels) -> _Labels:
        boxes = np.concatenate([self.boxes, others.boxes])
        heads = np.concatenate([self.heads, others.heads])
        kinds = np.concatenate([self.kinds, others.kinds])
        return _Labels(boxes, heads, kinds, np.concatenate([self.roles, others.roles]))


class CropSet(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Sample i is a function of (seed, i) alone, so a resumed run sees what an undisturbed one sees.

    Each set is drawn from equally often, however many pictures it has, and so is each stream.
    """

    def __init__(
        self,
        pictures: list[LabelledPicture],
        recipe: DetectorRecipe,
        start: int,
        teams: list[list[Cutout]] | None = None,
        streams: Sequence[PictureStream] = (),
    ) -> None:
        self.pictures = pictures
        self.streams = streams
        self.recipe = recipe
        self.start = start * recipe.batch
        sources = np.array([picture.source for picture in pictures])
        self.sets = [np.flatnonzero(sources == source) for source in np.unique(sources)]
        self.teams = teams
        own = recipe.paste > 0 and teams is None
        self.drawn = draw_cutouts(np.random.default_rng(recipe.seed)) if own else []
        self.cut_out = cut_out_teams(pictures) if own else {}
        self.well_filled = [key for key, team in self.cut_out.items() if len(team) >= _TEAM_FROM]
        self.tallness = np.array(
            [np.median([len(each.alpha) for each in self.cut_out[key]]) for key in self.well_filled]
        )

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch - self.start

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.recipe.seed, self.start + index])
        drawn_from = int(rng.integers(len(self.sets) + len(self.streams)))
        if drawn_from < len(self.sets):
            chosen = int(rng.choice(self.sets[drawn_from]))
            picture = self.pictures[chosen]
        else:
            chosen = _STREAMED
            stream = self.streams[drawn_from - len(self.sets)]
            picture = stream.picture_for(self.start + index, rng)
        pixels, labels = _random_crop(picture, self.recipe.crop, rng, self.recipe.heights)
        if rng.random() < self.recipe.paste and (labels.kinds == 0).any():
            usual = float(np.median(labels.boxes[labels.kinds == 0, 3]))
            teams, gain = self._teams_for(chosen, usual, rng)
            pixels, labels = _with_figures(pixels, labels, usual=usual, teams=teams, gain=gain, rng=rng)
        pixels = degrade(recolour(pixels, rng), rng)
        if self.teams is not None:
            # Nobody's head was found in the pictures: those pasted must not be told another way.
            labels = labels._replace(heads=np.full(len(labels.heads), np.nan))
        targets = make_targets(*labels, self.recipe.crop // STRIDE)
        sample = {name: torch.from_numpy(value) for name, value in targets.items()}
        sample["pixels"] = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        sample["ball_known"] = torch.tensor(float(picture.ball_known))
        return sample

    def _teams_for(
        self, chosen: int, usual: float, rng: np.random.Generator
    ) -> tuple[list[list[Cutout]], float]:
        """Who is pasted into a picture, its own people, others' or drawn ones, and their brightness.

        Only the given teams where there are some.
        Others come from pictures that show them large enough not to be blurred at `usual` pixels.
        """
        if self.teams is not None:
            return self.teams, float(rng.uniform(0.9, 1.1))
        draw = rng.random()
        own = self.cut_out.get(chosen, [])
        if draw < 0.4 and len(own) >= _TEAM_FROM:
            return [own], 1.0
        gain = float(rng.uniform(0.75, 1.15))
        sharp = np.flatnonzero(self.tallness >= _SHARP * usual)
        if draw < 0.75 and len(sharp):
            return [self.cut_out[self.well_filled[int(rng.choice(sharp))]]], gain
        return [self.drawn[i] for i in rng.integers(len(self.drawn), size=2)], gain


def cut_out_teams(pictures: list[LabelledPicture]) -> dict[int, list[Cutout]]:
    """The people of each picture, by its place in the list, cut out by the shipped segmenter."""
    segmenter = CropSegmenter()
    return {
        index: cut_out_people(picture.pixels, picture.boxes[picture.kinds == 0], segmenter)
        for index, picture in enumerate(pictures)
    }


def _with_figures(
    pixels: NDArray[np.uint8],
    labels: _Labels,
    *,
    usual: float,
    teams: list[list[Cutout]],
    gain: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], _Labels]:
    """The crop with more athletes on it, standing no further away than the real ones.

    `usual` is the height of those, pixels.
    """
    people = labels.boxes[labels.kinds == 0]
    feet = people[:, 1] + people[:, 3]
    if rng.random() < _POST_SHARE:
        pixels = pixels.copy()
        draw_post(pixels, people, rng)
    pasted = paste_figures(
        pixels,
        labels.boxes,
        teams,
        rng,
        highest_feet=float(feet.min()),
        usual_height=usual,
        gain=gain,
    )
    kept = labels.take(pasted.hidden < _MOST_HIDDEN)
    pixels, boxes, heads = pasted.pixels, pasted.boxes, pasted.heads
    kinds = np.zeros(len(boxes), np.int64)
    if rng.random() < _BALL_SHARE:
        pixels, ball = paste_ball(pixels, people, rng)
        boxes, heads, kinds = np.vstack([boxes, ball]), np.append(heads, np.nan), np.append(kinds, 1)
    return pixels, kept.and_also(_Labels(boxes, heads, kinds, np.full(len(boxes), -1, np.int64)))


def _random_crop(
    picture: LabelledPicture,
    size: int,
    rng: np.random.Generator,
    heights: tuple[float, float] = _PERSON_HEIGHTS,
) -> tuple[NDArray[np.uint8], _Labels]:
    height, width = picture.pixels.shape[:2]
    people = picture.boxes[picture.kinds == 0]
    usual = float(np.median(people[:, 3])) if len(people) else _USUAL_HEIGHT
    wanted = np.exp(rng.uniform(*np.log(heights)))
    # A picture shrunk to a stamp would leave most of the crop empty.
    scale = np.clip(wanted / usual, max(0.35, _LEAST_COVERED * size / height), 3.2)
    stretch = np.exp(rng.uniform(-0.08, 0.08))
    scale_x, scale_y = scale * stretch, scale / stretch
    span_x, span_y = size / scale_x, size / scale_y
    if len(picture.boxes) and rng.random() < 0.8:
        ball = np.flatnonzero(picture.kinds == 1)
        aim = rng.choice(ball) if len(ball) and rng.random() < 0.7 else rng.integers(len(picture.boxes))
        x, y, w, h = picture.boxes[aim]
        left = x + w / 2 - rng.uniform(0.1, 0.9) * span_x
        top = y + h / 2 - rng.uniform(0.1, 0.9) * span_y
    else:
        left = rng.uniform(min(0, width - span_x), max(0, width - span_x))
        top = rng.uniform(min(0, height - span_y), max(0, height - span_y))
    left, top = _held_inside(left, span_x, width), _held_inside(top, span_y, height)
    flip = rng.random() < 0.5
    matrix = np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])
    boxes = picture.boxes * np.array([scale_x, scale_y, scale_x, scale_y])
    boxes[:, 0] += matrix[0, 2]
    boxes[:, 1] += matrix[1, 2]
    if flip:
        matrix[0] *= -1
        matrix[0, 2] += size
        boxes[:, 0] = size - boxes[:, 0] - boxes[:, 2]
    heads = 1 - picture.heads if flip else picture.heads
    # Pixel centres lie at +0.5 in box coordinates but at integers for the warp.
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    interpolation = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR
    pixels = cv2.warpAffine(
        picture.pixels, centred, (size, size), flags=interpolation, borderValue=(114, 114, 114)
    )
    cut = np.asarray(box_geometry.clip(boxes, size, size), float)
    visible = cut[:, 2] * cut[:, 3] > 0.25 * boxes[:, 2] * boxes[:, 3]
    # Where the border cuts a box the head is another share of what is left.
    heads = np.asarray(box_geometry.shares_across(cut, boxes[:, 0] + heads * boxes[:, 2]), float)
    labels = _Labels(cut, heads, picture.kinds, picture.roles)
    # Lower feet are nearer: whoever comes later stands in front.
    behind_first = np.argsort(boxes[:, 1] + boxes[:, 3], kind="stable")
    return pixels.astype(np.uint8), labels.take(behind_first[visible[behind_first]])


def _held_inside(start: float, span: float, length: int) -> float:
    """The start of a crop of `span` moved so that little of it lies outside 0 .. `length`."""
    if span >= length:
        return float(np.clip(start, length - span, 0.0))
    return float(np.clip(start, -_OUTSIDE * span, length - (1 - _OUTSIDE) * span))


def make_targets(
    boxes: NDArray[np.float64],
    heads: NDArray[np.float64],
    kinds: NDArray[np.int64],
    roles: NDArray[np.int64],
    cells: int,
) -> dict[str, NDArray[np.generic]]:
    """Training maps of one crop.

    `boxes` (N, 4) in pixels of the crop, `heads` (N,) where along them people's heads are; the heat of
    those of whom that is not known (NaN) peaks at the middle.
    People whose heads are known come in order of depth: later ones hide earlier ones.
    heat (3, C, C) in 0..1; edges (4, C, C) distances in cells, of the smallest box where several
    meet at their peaks, elsewhere of whose body is seen; weight (C, C) of the box loss; role (C, C)
    class at the peaks, or -1.
    """
    heat = np.zeros((3, cells, cells), np.float32)
    edges = np.zeros((4, cells, cells), np.float32)
    weight = np.zeros((cells, cells), np.float32)
    role = np.full((cells, cells), -1, np.int64)
    _tell_from_bodies(edges, weight, boxes[(kinds == 0) & np.isfinite(heads)] / STRIDE)
    largest_first = np.argsort(-boxes[:, 2] * boxes[:, 3], kind="stable")
    for index in largest_first:
        left, top, width, height = boxes[index] / STRIDE
        if kinds[index] == 0 and np.isfinite(heads[index]):
            centre_x, centre_y = left + heads[index] * width, top + _NECK * height
            sigma_x = sigma_y = max(0.5, _HEAD_SPREAD * height)
        else:
            centre_x, centre_y = left + width / 2, top + height / 2
            sigma_x, sigma_y = max(0.5, 0.09 * width), max(0.5, 0.09 * height)
        reach_x, reach_y = int(3 * sigma_x) + 1, int(3 * sigma_y) + 1
        column, row = min(int(centre_x), cells - 1), min(int(centre_y), cells - 1)
        columns = np.arange(max(0, column - reach_x), min(cells, column + reach_x + 1))
        rows = np.arange(max(0, row - reach_y), min(cells, row + reach_y + 1))
        bump = np.exp(
            -((columns - column)[None, :] ** 2) / (2 * sigma_x**2)
            - ((rows - row)[:, None] ** 2) / (2 * sigma_y**2)
        ).astype(np.float32)
        window = np.ix_(rows, columns)
        kind = kinds[index]
        heat[kind][window] = np.maximum(heat[kind][window], bump)
        near = bump > 0.2
        grid_y, grid_x = np.meshgrid(rows + 0.5, columns + 0.5, indexing="ij")
        distances = _to_edges(grid_x, grid_y, boxes[index] / STRIDE)
        near &= (distances > 0.05).all(0) | (bump == 1)
        r, c = np.nonzero(near)
        edges[:, rows[r], columns[c]] = np.maximum(distances[:, r, c], 0.05)
        weight[rows[r], columns[c]] = bump[r, c] / bump[r, c].sum()
        role[rows[r], columns[c]] = roles[index] if kind == 0 else -1
    return {"heat": heat, "edges": edges, "weight": weight, "role": role}


def _tell_from_bodies(
    edges: NDArray[np.float32], weight: NDArray[np.float32], people: NDArray[np.float64]
) -> None:
    """Put the boxes of `people` (N, 4; cells), those behind first, where their bodies are seen."""
    cells = len(weight)
    owner = np.full((cells, cells), -1)
    whole = np.zeros(len(people))
    for index, person in enumerate(people):
        owner[_part_of(person, _COVERED_ROWS, _COVERED_COLUMNS, cells)] = -1
        body = _part_of(person, _BODY_ROWS, _BODY_COLUMNS, cells)
        owner[body] = index
        whole[index] = max(1, owner[body].size)
    rows, columns = np.nonzero(owner >= 0)
    mine = owner[rows, columns]
    distances = _to_edges(columns + 0.5, rows + 0.5, people[mine].T)
    edges[:, rows, columns] = np.maximum(distances, 0.05)
    weight[rows, columns] = 1 / whole[mine]


def _to_edges(
    x: NDArray[np.floating], y: NDArray[np.floating], box: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From places to the left, top, right and bottom edge of a box (4,), or of one each (4, N)."""
    left, top, width, height = box
    return np.stack([x - left, y - top, left + width - x, top + height - y])


def _part_of(
    box: NDArray[np.float64], rows: tuple[float, float], columns: tuple[float, float], cells: int
) -> tuple[slice, slice]:
    """The cells whose middle lies between those shares of the height and width of a box."""
    left, top, width, height = box
    low = np.rint([top + rows[0] * height, left + columns[0] * width])
    high = np.rint([top + rows[1] * height, left + columns[1] * width])
    low, high = (np.clip(each, 0, cells).astype(int) for each in (low, np.maximum(high, low + 1)))
    return slice(low[0], high[0]), slice(low[1], high[1])


def detector_loss(output: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The four parts of the loss, already weighted."""
    output = output.float()
    heat, target = output[:, :3], batch["heat"]
    probability = heat.sigmoid()
    positive = (target >= 1).float()
    hit = -F.logsigmoid(heat) * (1 - probability) ** 2 * positive
    miss = -F.logsigmoid(-heat) * probability**2 * (1 - target) ** 4 * (1 - positive)
    # A picture without a ball box may still show the ball: nothing is learnt about it there.
    known = torch.ones_like(heat)
    known[:, 1] = _BALL_WEIGHT * batch["ball_known"].to(heat.dtype)[:, None, None]
    heat_loss = ((hit + miss) * known).sum() / positive.sum().clamp(min=1)

    weight = batch["weight"]
    chosen = weight > 0
    weights = weight[chosen]
    predicted = output[:, 3:7].permute(0, 2, 3, 1)[chosen].clamp(-4, 6).exp()
    wanted = batch["edges"].permute(0, 2, 3, 1)[chosen]
    iou, giou = _edge_ious(predicted, wanted)
    total = weights.sum().clamp(min=1)
    box_loss = ((5 * (1 - giou) + _EXACT * (1 - iou**3)) * weights).sum() / total
    quality = output[:, 7][chosen]
    quality_loss = (
        F.binary_cross_entropy_with_logits(quality, iou.detach(), reduction="none") * weights
    ).sum() / total
    is_person = batch["role"] >= 0
    role_logits = output[:, 8:11].permute(0, 2, 3, 1)[is_person]
    role_loss = (
        0.3
        * (
            F.cross_entropy(role_logits, batch["role"][is_person], reduction="none") * weight[is_person]
        ).sum()
        / total
    )
    return {"heat": heat_loss, "box": box_loss, "quality": quality_loss, "role": role_loss}


def _edge_ious(predicted: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al. 2019, eq. 1-2) of boxes around one shared point."""
    inner = torch.minimum(predicted, wanted)
    outer = torch.maximum(predicted, wanted)
    shared = (inner[:, 0] + inner[:, 2]) * (inner[:, 1] + inner[:, 3])
    area = (predicted[:, 0] + predicted[:, 2]) * (predicted[:, 1] + predicted[:, 3])
    area_wanted = (wanted[:, 0] + wanted[:, 2]) * (wanted[:, 1] + wanted[:, 3])
    union = area + area_wanted - shared
    hull = (outer[:, 0] + outer[:, 2]) * (outer[:, 1] + outer[:, 3])
    iou = shared / union
    return iou, iou - (hull - union) / hull


def train_detector(
    data: Sequence[Path | PictureStream],
    folder: Path,
    recipe: DetectorRecipe | None = None,
    *,
    start_from: Path | None = None,
    resume: bool = False,
    workers: int = 2,
    teams: list[list[Cutout]] | None = None,
    tell: Callable[[int, int, dict[str, float]], None] | None = None,
) -> Path:
    """Train, leaving `checkpoint.pt` on the way and `detector.pt` (averaged weights) at the end.

    `data` are COCO folders or zips, and streams such as `filmroom.train.simulated.SimulatedPictures`.
    `start_from` is an earlier `detector.pt` or `checkpoint.pt`, or an exported network, whose weights
    are the start. `teams`, where given, are the only ones pasted: nobody drawn, nobody cut out and no
    head found by the shipped segmenter. `tell` is given step, steps and losses now and then; logged
    where None.
    """
    recipe = recipe or DetectorRecipe()
    seed_everything(recipe.seed)
    device = fastest_device()
    net = DetectorNet(recipe.widths, recipe.blocks).to(device, memory_format=torch.channels_last)
    paths, streams = _parted(data)
    pictures = load_pictures(paths, "train")
    if teams is None:
        segmenter = CropSegmenter()
        pictures = [with_heads(picture, segmenter) for picture in pictures]
    if start_from is not None:
        plain = replace(recipe, paste=0)
        _start_from(net, start_from, CropSet(pictures, plain, 0, streams=streams))
    average = WeightAverage(net)
    optimiser = torch.optim.AdamW(decayed_groups(net, recipe.weight_decay), lr=recipe.rate)
    checkpoint = folder / "checkpoint.pt"
    start = resume_training(checkpoint, net, average, optimiser) if resume else 0
    crops = CropSet(pictures, recipe, start, teams, streams)
    loader = torch.utils.data.DataLoader(crops, recipe.batch, num_workers=workers)
    started = time.monotonic()
    for step, loaded in enumerate(loader, start):
        batch = {name: value.to(device) for name, value in loaded.items()}
        pixels = batch["pixels"].float().div_(255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            output = net(pixels)
        parts = detector_loss(output, batch)
        rate = cosine_rate(step, recipe.steps, recipe.rate)
        take_step(net, average, optimiser, parts, step=step, rate=rate, most_gradient=10.0)
        if (step + 1) % 50 == 0:
            losses = {name: value.item() for name, value in parts.items()}
            if tell is not None:
                tell(step + 1, recipe.steps, losses)
            else:
                _log_losses(step + 1, recipe.steps, losses, time.monotonic() - started, start)
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            save_training(checkpoint, net, average, optimiser, step + 1)
    result = folder / "detector.pt"
    shape = (recipe.widths, recipe.blocks)
    save_checkpoint(result, {"net": average.net.state_dict(), "shape": shape})
    return result


def _log_losses(step: int, steps: int, losses: dict[str, float], seconds: float, start: int) -> None:
    said = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
    log.info("step %d/%d  %s  %.2f s a step", step, steps, said, seconds / (step - start))


def _start_from(net: DetectorNet, path: Path, crops: CropSet) -> None:
    if not path.exists():
        raise InputError(f"{path}: no such file to start from")
    if path.suffix == ".onnx":
        samples = [crops[index]["pixels"] for index in range(_EXAMPLES)]
        load_from_onnx(net, path, torch.stack(samples).float() / 255)
        return
    earlier = load_checkpoint(path)
    assert earlier is not None
    net.load_state_dict(earlier.get("average", earlier["net"]))


class _Deployed(torch.nn.Module):
    """Takes the picture as it is, (N, H, W, 3) uint8, so that callers convert nothing."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.net(pixels.permute(0, 3, 1, 2).float() * (1 / 255))
        return out


def export_detector(
    weights: Path, target: Path, data: Sequence[Path | PictureStream], *, calibrate: int = 48
) -> None:
    """Write the trained network as int8 ONNX, calibrated on whole training pictures.

    The last convolution stays in float32: distances need finer steps than a byte gives.
    """
    state = load_checkpoint(weights)
    if state is None:
        raise InputError(f"{weights}: no such file; train first")
    net = DetectorNet(*state.get("shape", ()))
    net.load_state_dict(state.get("average", state["net"]))
    example = torch.zeros(1, 96, 160, 3, dtype=torch.uint8)
    axes = {0: "batch", 1: "height", 2: "width"}
    whole = target.with_suffix(".float.onnx")
    export_onnx(
        _Deployed(net),
        example,
        whole,
        dynamic_axes={"pixels": axes, "output": {0: "batch", 2: "rows", 3: "columns"}},
    )
    paths, streams = _parted(data)
    pictures = load_pictures(paths, "train")
    for stream in streams:
        pictures += stream.some(calibrate)
    chosen = np.random.default_rng(0).permutation(len(pictures))[:calibrate]
    samples = (
        letterbox(pictures[i].pixels, input_scale(*pictures[i].pixels.shape[:2]))[None] for i in chosen
    )
    quantise(whole, target, samples, keep_float=("/net/out/",))
    whole.unlink()
