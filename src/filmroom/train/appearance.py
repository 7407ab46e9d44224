"""The recipe of the embedding: every person a class, told apart by a large-margin cosine loss.

Self-supervised re-identification by classification of clips (SSAT): all looks at one person in one clip
are a class, whatever the person's name; nothing is annotated. The loss is CosFace (Wang et al. 2018,
eq. 4).
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.errors import InputError
from filmroom.observe.embedding import BLANK, HEIGHT, WIDTH
from filmroom.tables import EMBEDDING_LENGTH
from filmroom.train.appearance_pictures import Looks, drawn_looks, load_looks, still_looks
from filmroom.train.export import export_onnx, quantise
from filmroom.train.networks import Residual, conv
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

log = logging.getLogger(__name__)

_HELD_OUT_EVERY = 20  # every how many groups one is kept to measure on
_CONTRAST = 1 / 64  # of grey levels as the network takes them
_MATES = 4  # people of one group in a batch
_SHOW_EVERY = 180.0  # seconds between pictures of what has been learnt

Tell = Callable[[int, int, dict[str, float]], None]


@dataclass(frozen=True)
class AppearanceRecipe:
    """Everything that decides the weight, apart from the data.

    margin, scale
        Of CosFace; the margin grows from nothing over the first quarter of the steps, to half of it
        below 200 classes, where more would never be met.
    contrast
        Weight of the contrast within a group (`mates_loss`).
    people, each
        People of a batch and looks at each of them.
    varied
        How strongly looks are varied anew each time they come by.
    steps_between_drops
        With it, the rate falls to a tenth each time (and momentum 0.9 instead of Adam); else along half
        a cosine.
    """

    seed: int = 1
    steps: int = 4000
    people: int = 32
    each: int = 4
    rate: float = 2e-3
    weight_decay: float = 0.02
    margin: float = 0.3
    scale: float = 24.0
    contrast: float = 1.0
    varied: float = 1.0
    steps_between_drops: int | None = None
    checkpoint_every: int = 250


Widths = tuple[int, int, int, int]

GENERAL: Widths = (32, 64, 96, 160)
"""Widths of the embedding that ships, about 66 million multiplications a person."""


class EmbeddingNet(nn.Module):
    """Residual network of dense 3x3 convolutions, pooled in three bands from head to feet.

    (N, 3, 96, 48), grey levels less BLANK over 64, to (N, EMBEDDING_LENGTH), not yet of length 1.
    About 26 million multiplications in its usual widths.
    """

    def __init__(self, widths: Widths = (16, 32, 64, 128), bands: int = 3) -> None:
        super().__init__()
        one, two, three, four = widths
        self.body = nn.Sequential(
            conv(3, one, 3, 2),
            conv(one, two, 3, 2),
            Residual(two),
            conv(two, three, 3, 2),
            Residual(three),
            Residual(three),
            conv(three, four, 3, 2),
            Residual(four),
        )
        self.bands = bands
        self.pool = nn.AvgPool2d((HEIGHT // 16 // bands, WIDTH // 16))
        self.out = nn.Linear(four * bands, EMBEDDING_LENGTH, bias=False)
        self.level = nn.BatchNorm1d(EMBEDDING_LENGTH)

    @staticmethod
    def of(state: Mapping[str, Tensor]) -> EmbeddingNet:
        """The network that these weights belong to."""
        one, two, three, four = (len(state[f"body.{stage}.0.weight"]) for stage in (0, 1, 3, 6))
        net = EmbeddingNet((one, two, three, four))
        net.load_state_dict(state)
        return net

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = self.pool(self.body(x)).flatten(1)
        out: Tensor = self.level(self.out(x))
        return out


class CosineHead(nn.Module):
    """Logits of CosFace: s (cos - m) for the right class, s cos for the others."""

    def __init__(self, length: int, classes: int, *, margin: float, scale: float) -> None:
        super().__init__()
        self.middles = nn.Parameter(torch.randn(classes, length))
        self.margin = margin if classes >= 200 else margin / 2
        self.scale = scale

    def forward(self, vectors: Tensor, labels: Tensor, grown: float = 1.0) -> Tensor:
        """Vectors (N, D) and labels (N,) to logits (N, classes); `grown` is the margin's share."""
        cosine = F.normalize(vectors.float()) @ F.normalize(self.middles.float()).T
        right = F.one_hot(labels, len(self.middles)).to(cosine.dtype)
        return self.scale * (cosine - grown * self.margin * right)


def mates_loss(vectors: Tensor, labels: Tensor, groups: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrast (Khosla et al. 2020, eq. 2) in which only mates are negatives.

    Vectors (N, D), classes and groups (N,): each look is to be more like the other looks at its person
    than like the looks at others of the group, who are surely other people.
    """
    unit = F.normalize(vectors.float())
    alike = unit @ unit.T / temperature
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels) & ~own
    near = (groups[:, None] == groups) & ~own
    total = torch.logsumexp(alike.masked_fill(~near, -torch.inf), 1)
    useful = same.any(1) & (near & ~same).any(1)
    share = ((alike - total[:, None]) * same).sum(1) / same.sum(1).clamp(min=1)
    return -(share[useful].sum() / useful.sum().clamp(min=1))


class _Trained(nn.Module):
    """Network and head, so that both are saved and averaged together."""

    def __init__(self, net: nn.Module, head: CosineHead) -> None:
        super().__init__()
        self.net, self.head = net, head


class Batch(NamedTuple):
    """Pictures (N, H, W, 3) uint8, their classes (N,), and the groups (N,) of different people."""

    pixels: Tensor
    labels: Tensor
    groups: Tensor


class Source(Protocol):
    """Where batches come from; batch i is a function of (seed, i) alone."""

    classes: int

    def batch(self, step: int, device: torch.device) -> Batch:
        """The batch of a step, on the device."""
        ...


class LookSource:
    """Batches of `people` classes with `each` looks, team mates together: they are hardest to tell."""

    def __init__(self, looks: Looks, recipe: AppearanceRecipe) -> None:
        self.looks, self.recipe = looks, recipe
        self.classes = int(looks.person.max(initial=-1)) + 1
        order = np.argsort(looks.person, kind="stable")
        edges = np.searchsorted(looks.person[order], np.arange(self.classes + 1))
        self._rows = [order[first:last] for first, last in itertools.pairwise(edges)]
        of_class = looks.group[[rows[0] for rows in self._rows]]
        by_group = np.argsort(of_class, kind="stable")
        groups = np.unique(of_class[by_group], return_index=True)[1]
        self._mates = np.split(by_group, groups[1:])
        # People seen once teach less than people seen often, but not nothing.
        weight = np.array([np.sqrt([len(self._rows[p]) for p in mates]).sum() for mates in self._mates])
        self._chance = weight / weight.sum()
        self._pixels = torch.from_numpy(looks.pixels)

    def batch(self, step: int, device: torch.device) -> Batch:
        """Looks (people x each) at classes drawn group by group."""
        recipe = self.recipe
        if self._pixels.device.type != device.type:
            self._pixels = self._pixels.to(device)
        rng = np.random.default_rng([recipe.seed, 1, step])
        people: list[int] = []
        while len(people) < recipe.people:
            mates = self._mates[int(rng.choice(len(self._mates), p=self._chance))]
            room = min(_MATES, recipe.people - len(people))
            people += rng.permutation(mates)[:room].tolist()
        rows = np.concatenate(
            [
                rng.choice(self._rows[p], recipe.each, replace=len(self._rows[p]) < recipe.each)
                for p in people
            ]
        )
        labels, groups = (
            torch.from_numpy(column[rows].astype(np.int64)).to(device)
            for column in (self.looks.person, self.looks.group)
        )
        return Batch(self._pixels[torch.from_numpy(rows).to(device)], labels, groups)


def as_input(pixels: Tensor) -> Tensor:
    """Bytes (N, H, W, 3) as the network takes them: (N, 3, H, W), BLANK is nothing."""
    return (pixels.permute(0, 3, 1, 2).float() - BLANK) * _CONTRAST


def vary(x: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Place, size, light, sharpness, noise and covers, anew for each; colours stay nearly the same.

    Inputs of the network (N, 3, H, W) in and out.
    """
    count, _, height, width = x.shape

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=x.device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=x.device)

    turn = torch.zeros(count, 2, 3, device=x.device)
    turn[:, [0, 1], [0, 1]] = 1 + 0.07 * strength * normal(count, 2)
    turn[:, :, 2] = 0.06 * strength * normal(count, 2)
    x = F.grid_sample(x, F.affine_grid(turn, list(x.shape), align_corners=False), align_corners=False)
    there = (x.abs().amax(1, keepdim=True) > 4 * _CONTRAST).float()
    gain = 1 + strength * (0.04 * normal(count, 1, 1, 1) + 0.015 * normal(count, 3, 1, 1))
    shift = strength * (0.05 * normal(count, 1, 1, 1) + 0.02 * normal(count, 3, 1, 1))
    x = (x * gain + shift) * there
    part = count // 10
    for place, share in enumerate((0.25, 0.35, 0.5, 0.7)):
        chosen = slice(place * part, (place + 1) * part)
        if part and strength:
            small = F.interpolate(x[chosen], scale_factor=share, mode="area")
            blurred = F.interpolate(small, (height, width), mode="bilinear", align_corners=False)
            x = torch.cat([x[: chosen.start], blurred, x[chosen.stop :]])
    x = x + 0.06 * strength * uniform(count, 1, 1, 1) * normal(*x.shape) * there
    middle, half = uniform(count, 2), 0.08 + 0.2 * uniform(count, 2)
    covered = uniform(count) < 0.3 * strength
    down = torch.linspace(0, 1, height, device=x.device)[None, :, None]
    across = torch.linspace(0, 1, width, device=x.device)[None, None, :]
    hidden = (down - middle[:, :1, None]).abs() < half[:, :1, None]
    hidden = hidden & ((across - middle[:, 1:, None]).abs() < half[:, 1:, None])
    return x * ~(hidden & covered[:, None, None])[:, None]


def train_embedding(
    source: Source,
    net: nn.Module,
    length: int,
    folder: Path,
    recipe: AppearanceRecipe,
    *,
    resume: bool = False,
    held_out: Looks | None = None,
    minutes: float | None = None,
    tell: Tell | None = None,
    show: Callable[[nn.Module], None] | None = None,
) -> Path:
    """Train `net` in place, leaving `checkpoint.pt` on the way and `embedding.pt` at the end.

    `embedding.pt` holds the averaged weights. `held_out` people are measured on at every checkpoint.
    With `minutes` the steps are as many as fit, told by the pace of the first ones. `tell` is given
    step, steps and losses now and then; `show` the averaged network at the first checkpoint and every
    few minutes, to draw what it has learnt.
    """
    seed_everything(recipe.seed)
    device = fastest_device()
    head = CosineHead(length, source.classes, margin=recipe.margin, scale=recipe.scale)
    whole = _Trained(net, head).to(device)
    average = WeightAverage(whole)
    optimiser = _optimiser(whole, recipe)
    checkpoint = folder / "checkpoint.pt"
    start = resume_training(checkpoint, whole, average, optimiser) if resume else 0
    steps, step = recipe.steps, start
    generator = torch.Generator(device)
    started = time.monotonic()
    shown = float("-inf")
    while step < steps:
        batch = source.batch(step, device)
        generator.manual_seed(recipe.seed * 1_000_003 + step)
        order = torch.randperm(len(batch.labels), generator=generator, device=device)
        pixels, labels, groups = (part[order] for part in batch)
        inputs = vary(as_input(pixels), recipe.varied, generator)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            vectors = whole.net(inputs)
        grown = min(1.0, 4 * step / steps)
        parts = {"classes": F.cross_entropy(head(vectors, labels, grown), labels)}
        if recipe.contrast:
            parts["mates"] = recipe.contrast * mates_loss(vectors, labels, groups)
        rate = _rate(step, steps, recipe)
        take_step(whole, average, optimiser, parts, step=step, rate=rate, most_gradient=5.0)
        step += 1
        pace = (time.monotonic() - started) / (step - start)
        if minutes is not None and step - start == 100:
            steps = start + max(200, int(60 * minutes / pace))
            log.info("%.3f s a step: %d steps in %.1f minutes", pace, steps, minutes)
        losses = {name: part.item() for name, part in parts.items()}
        if tell is not None and (step % 10 == 0 or step == steps):
            tell(step, steps, losses)
        elif step % 50 == 0:
            log.info("step %d/%d  loss %.4f  %.3f s a step", step, steps, sum(losses.values()), pace)
        if step % recipe.checkpoint_every == 0 or step == steps:
            save_training(checkpoint, whole, average, optimiser, step)
            if held_out is not None and len(held_out):
                alike, mates = told_apart(average.net.net, held_out)
                log.info("people never learnt from: %.3f of all, %.3f of mates", alike, mates)
            if show is not None and time.monotonic() - shown > _SHOW_EVERY:
                shown = time.monotonic()
                show(average.net.net)
    result = folder / "embedding.pt"
    net.load_state_dict(average.net.net.state_dict())
    save_checkpoint(result, {"net": net.cpu().state_dict()})
    return result


def _optimiser(net: nn.Module, recipe: AppearanceRecipe) -> torch.optim.Optimizer:
    groups = decayed_groups(net, recipe.weight_decay)
    if recipe.steps_between_drops is not None:
        return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9)
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))


def _rate(step: int, steps: int, recipe: AppearanceRecipe) -> float:
    if recipe.steps_between_drops is not None:
        return recipe.rate * 0.1 ** (step // recipe.steps_between_drops)
    return cosine_rate(step, steps, recipe.rate)


@torch.no_grad()
def embed(net: nn.Module, pixels: NDArray[np.uint8], at_once: int = 256) -> NDArray[np.float32]:
    """Unit vectors (N, D) of pictures (N, H, W, 3)."""
    net.eval()
    device = next(net.parameters()).device
    found = [
        F.normalize(net(as_input(torch.from_numpy(pixels[first : first + at_once]).to(device))))
        for first in range(0, len(pixels), at_once)
    ]
    vectors: NDArray[np.float32] = torch.cat(found).float().cpu().numpy()
    return vectors


def told_apart(net: nn.Module, looks: Looks) -> tuple[float, float]:
    """Chance that two looks at one person are more alike than looks at two people: all, and mates.

    The area under the ROC curve of the cosine; mates are people of one group. People of one look are
    left out. NaN where there is nothing to compare.
    """
    often = np.bincount(looks.person)[looks.person] > 1
    vectors = embed(net, looks.pixels[often]) if often.any() else np.zeros((0, 1), np.float32)
    person, group = looks.person[often], looks.group[often]
    upper = np.triu_indices(len(person), 1)
    cosine = (vectors @ vectors.T)[upper]
    same = (person[:, None] == person)[upper]
    near = (group[:, None] == group)[upper]
    return _area(cosine[same], cosine[~same]), _area(cosine[same], cosine[near & ~same])


def _area(right: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Area under the ROC curve (Mann-Whitney U)."""
    if not len(right) or not len(wrong):
        return float("nan")
    order = np.concatenate([right, wrong]).argsort(kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    return float((rank[: len(right)].mean() - (len(right) - 1) / 2) / len(wrong))


def hold_out(looks: Looks) -> tuple[Looks, Looks]:
    """What is learnt from, and every twentieth group of people seen more than once."""
    often = np.bincount(looks.person)[looks.person] > 1
    kept = often & (looks.group % _HELD_OUT_EVERY == _HELD_OUT_EVERY - 1)
    return looks.take(np.flatnonzero(~kept)), looks.take(np.flatnonzero(kept))


class _Deployed(nn.Module):
    """Takes crops as they are, (N, HEIGHT, WIDTH, 3) uint8."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        vectors: Tensor = self.net(as_input(pixels))
        return vectors


def export_embedding(weights: Path, target: Path, looks: Looks, *, calibrate: int = 16) -> None:
    """Write the trained network as int8 ONNX, calibrated on `calibrate` batches of 32 looks."""
    state = load_checkpoint(weights)
    if state is None:
        raise InputError(f"{weights}: no such file; train first")
    net = EmbeddingNet.of(state["net"])
    whole = target.with_suffix(".float.onnx")
    example = torch.zeros(2, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    axes = {"pixels": {0: "people"}, "output": {0: "people"}}
    export_onnx(_Deployed(net), example, whole, dynamic_axes=axes)
    rows = np.random.default_rng(2).permutation(len(looks))[: 32 * calibrate]
    samples = (looks.pixels[rows[first : first + 32]] for first in range(0, len(rows), 32))
    quantise(whole, target, samples, keep_float=("/Sub", "/Mul", "/out/"))
    whole.unlink()


def nearest_sheet(net: nn.Module, looks: Looks, path: Path, rows: int = 12, columns: int = 12) -> None:
    """A picture: some looks at the left, and beside each the looks most like it."""
    vectors = embed(net, looks.pixels)
    chosen = np.random.default_rng(0).permutation(len(looks))[:rows]
    order = np.argsort(-(vectors[chosen] @ vectors.T), axis=1)[:, :columns]
    sheet = looks.pixels[order].transpose(0, 2, 1, 3, 4).reshape(len(chosen) * HEIGHT, -1, 3)
    _, packed = cv2.imencode(path.suffix, sheet[:, :, ::-1])
    aside = path.with_suffix(".partial")
    aside.write_bytes(packed.tobytes())
    aside.replace(path)


def train_general(
    data: list[Path],
    folder: Path,
    recipe: AppearanceRecipe | None = None,
    *,
    drawn: int = 3600,
    each: int = 10,
    resume: bool = False,
    minutes: float | None = None,
    workers: int = 1,
) -> Path:
    """The shipped embedding again: `folder/embedding.onnx`, from `drawn` simulated people and `data`.

    `data` are COCO folders or zips, of whose people each is a class, or files of `save_looks`.
    """
    recipe = recipe or AppearanceRecipe()
    files = [path for path in data if path.suffix == ".npz"]
    stills = [path for path in data if path.suffix != ".npz"]
    parts = [load_looks(path) for path in files]
    if stills:
        parts.append(still_looks(stills))
    if drawn:
        log.info("drawing %d people", drawn)
        parts.append(drawn_looks(drawn, each, recipe.seed, workers=workers))
    looks = Looks.joined(parts)
    log.info("%d looks at %d people", len(looks), int(looks.person.max(initial=-1)) + 1)
    learnt, held_out = hold_out(looks)
    net = EmbeddingNet(GENERAL)
    weights = train_embedding(
        LookSource(learnt, recipe),
        net,
        EMBEDDING_LENGTH,
        folder,
        recipe,
        resume=resume,
        held_out=held_out,
        minutes=minutes,
    )
    nearest_sheet(net, held_out if len(held_out) else learnt, folder / "nearest.jpg")
    target = folder / "embedding.onnx"
    export_embedding(weights, target, learnt)
    return target
