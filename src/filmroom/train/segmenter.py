"""The recipe of the shipped segmenter: which pixels of a box belong to its person.

Data: simulated figures, in front of and behind each other, on drawn surfaces and on what surrounds the
people of COCO folders; real people cut out of even grass, pasted elsewhere; and those same people where
they stand, with the pixels in doubt left out. The loss is binary cross-entropy and soft Dice (Milletari
et al. 2016, eq. 3).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.errors import InputError
from filmroom.observe.silhouettes import CHANNELS, HEIGHT, WIDTH
from filmroom.train.composites import FULL, UNSURE, Stock, load_stock, make_sample
from filmroom.train.export import export_onnx, quantise
from filmroom.train.networks import Residual, conv
from filmroom.train.schedule import (
    WeightAverage,
    cosine_rate,
    fastest_device,
    load_checkpoint,
    resume_training,
    save_checkpoint,
    save_training,
    seed_everything,
    take_step,
)

log = logging.getLogger(__name__)

LEARNT_STYLES = ("capsule", "cartoon", "soft")
"""Styles of figures that are learnt from; the others are there to measure on."""


@dataclass(frozen=True)
class SegmenterRecipe:
    """Everything that decides the result, apart from the data."""

    steps: int = 16000
    batch: int = 64
    rate: float = 3e-3
    weight_decay: float = 0.02
    seed: int = 1
    figures: int = 6400
    styles: tuple[str, ...] = LEARNT_STYLES
    checkpoint_every: int = 250


class SegmenterNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) that adds instead of joining: (N, 5, 96, 48), RGB and the
    neighbours' places in 0..1, to logits (N, 96, 48). It works at half the resolution and unfolds the
    last map; a thin branch at full resolution adds the detail.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (32, 64, 128, 128), fine: int = 24) -> None:
        super().__init__()
        one, two, three, four = widths
        self.stem = conv(CHANNELS, one, 3, 2)
        self.down = nn.ModuleList(
            nn.Sequential(conv(shallow, deep, 3, 2), conv(deep, deep))
            for shallow, deep in ((one, two), (two, three), (three, four))
        )
        self.deepen = nn.ModuleList([Residual(two), Residual(three), Residual(four)])
        self.lateral = nn.ModuleList(
            conv(deep, shallow, 1) for shallow, deep in ((one, two), (two, three), (three, four))
        )
        self.fuse = nn.ModuleList(conv(width, width) for width in (one, two, three))
        self.out = nn.Conv2d(one, 4, 3, 1, 1)
        self.fine = conv(CHANNELS, fine)
        self.spread = conv(one, fine, 1)
        self.mix = Residual(fine)
        self.detail = nn.Conv2d(fine, 1, 3, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of a batch."""
        x = self.stem(pixels)
        levels = [x]
        for down, deepen in zip(self.down, self.deepen, strict=True):
            levels.append(deepen(down(levels[-1])))
        x = levels.pop()
        for lateral, fuse, level in zip(
            reversed(self.lateral), reversed(self.fuse), reversed(levels), strict=True
        ):
            x = fuse(level + F.interpolate(lateral(x), scale_factor=2.0, mode="nearest"))
        coarse = F.pixel_shuffle(self.out(x), 2)
        fine = self.fine(pixels) + F.interpolate(self.spread(x), scale_factor=2.0, mode="nearest")
        out: Tensor = (coarse + self.detail(self.mix(fine)))[:, 0]
        return out


def _stock_of(data: list[Path], recipe: SegmenterRecipe) -> Stock:
    return load_stock(data, figures=recipe.figures, styles=recipe.styles, seed=recipe.seed)


class SampleSet(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Batches; batch i is a function of (seed, i) alone, so a resumed run sees what another saw."""

    def __init__(self, stock: Stock, recipe: SegmenterRecipe, start: int) -> None:
        self.stock = stock
        self.recipe = recipe
        self.start = start

    def __len__(self) -> int:
        return self.recipe.steps - self.start

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.recipe.seed, 3, self.start + index])
        samples = [make_sample(self.stock, rng) for _ in range(self.recipe.batch)]
        pixels = np.stack([sample[0] for sample in samples])
        targets = np.stack([sample[1] for sample in samples])
        return torch.from_numpy(pixels), torch.from_numpy(targets)


def segmenter_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice over the pixels that are known; logits and targets (N, H, W)."""
    logits = logits.float()
    known = (targets != UNSURE).float()
    wanted = (targets.float() / FULL).clamp(max=1) * known
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = (entropy * known).sum() / known.sum().clamp(min=1)
    found = logits.sigmoid() * known
    shared = (found * wanted).sum((1, 2))
    dice = 1 - (2 * shared + 1) / (found.pow(2).sum((1, 2)) + wanted.pow(2).sum((1, 2)) + 1)
    return entropy + dice.mean()


def train_segmenter(
    data: list[Path],
    folder: Path,
    recipe: SegmenterRecipe | None = None,
    *,
    resume: bool = False,
    workers: int = 1,
) -> Path:
    """Train, leaving `checkpoint.pt` on the way and `segmenter.pt` (averaged weights) at the end.

    `data` are COCO folders or zips; without any, the figures stand on drawn backgrounds only.
    """
    recipe = recipe or SegmenterRecipe()
    seed_everything(recipe.seed)
    device = fastest_device()
    net = SegmenterNet().to(device, memory_format=torch.channels_last)
    average = WeightAverage(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
    checkpoint = folder / "checkpoint.pt"
    start = resume_training(checkpoint, net, average, optimiser) if resume else 0
    samples = SampleSet(_stock_of(data, recipe), recipe, start)
    loader = torch.utils.data.DataLoader(samples, batch_size=None, num_workers=workers)
    started = time.monotonic()
    for step, (pixels, targets) in enumerate(loader, start):
        inputs = as_input(pixels.to(device)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = net(inputs)
        loss = segmenter_loss(logits, targets.to(device))
        rate = cosine_rate(step, recipe.steps, recipe.rate)
        take_step(net, average, optimiser, {"masks": loss}, step=step, rate=rate, most_gradient=5.0)
        if (step + 1) % 50 == 0:
            pace = (time.monotonic() - started) / (step + 1 - start)
            log.info("step %d/%d  loss %.4f  %.3f s a step", step + 1, recipe.steps, loss.item(), pace)
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            save_training(checkpoint, net, average, optimiser, step + 1)
    result = folder / "segmenter.pt"
    save_checkpoint(result, {"net": average.net.state_dict()})
    return result


def as_input(pixels: Tensor) -> Tensor:
    """Bytes (N, H, W, 5) as the network takes them."""
    return pixels.permute(0, 3, 1, 2).float() * (1 / 255)


class _Deployed(nn.Module):
    """Takes crops as they are, (N, H, W, 5) uint8."""

    def __init__(self, net: SegmenterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.net(as_input(pixels))
        return logits


def export_segmenter(
    weights: Path, target: Path, data: list[Path] | None = None, *, calibrate: int = 16
) -> None:
    """Write the trained network as int8 ONNX, calibrated on `calibrate` batches of training samples.

    `weights` is `segmenter.pt` or a checkpoint of `train_segmenter`.
    """
    state = load_checkpoint(weights)
    if state is None:
        raise InputError(f"{weights}: no such file; train first")
    net = SegmenterNet()
    net.load_state_dict(state.get("average", state["net"]))
    whole = target.with_suffix(".float.onnx")
    example = torch.zeros(2, HEIGHT, WIDTH, CHANNELS, dtype=torch.uint8)
    axes = {"pixels": {0: "people"}, "output": {0: "people"}}
    export_onnx(_Deployed(net), example, whole, dynamic_axes=axes)
    recipe = SegmenterRecipe(figures=400, steps=calibrate, seed=2)
    quantise(whole, target, _calibration(data or [], recipe))
    whole.unlink()


def _calibration(data: list[Path], recipe: SegmenterRecipe) -> Iterator[NDArray[Any]]:
    samples = SampleSet(_stock_of(data, recipe), recipe, 0)
    for index in range(len(samples)):
        yield samples[index][0].numpy()
