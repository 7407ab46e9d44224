"""Recipe of the shirt number reader: drawn pictures in, `numbers.onnx` out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.observe.numbers import NO_TENS, OUTPUTS, SIDE
from filmroom.train.export import export_onnx, quantise
from filmroom.train.networks import Residual, conv
from filmroom.train.number_pictures import UNSURE, as_arrays, load_material, number_pictures
from filmroom.train.number_scenes import Material
from filmroom.train.schedule import (
    WeightAverage,
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


@dataclass(frozen=True)
class NumbersRecipe:
    """Everything that decides the weight."""

    seed: int = 7
    steps: int = 3600
    batch: int = 128
    rate: float = 2e-3
    settling: float = 0.25
    """Last share of the steps, in which the rate falls to nothing."""
    weight_decay: float = 0.02
    shards: int = 20
    """Files of drawn pictures; drawn once, then gone through again and again with light changes."""
    shard_size: int = 4000
    held_out: int = 4000
    fonts: bool = True
    """Whether font files of this machine join the built-in digits."""
    checkpoint_every: int = 100


class _Level(nn.Module):
    """Whatever the shirt's colour and the light: middle grey and equal contrast."""

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels.float().permute(0, 3, 1, 2)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        levelled: Tensor = x / (x.square().mean(dim=(1, 2, 3), keepdim=True) + 16.0).sqrt()
        return levelled


class _Answer(nn.Module):
    """The last layer and its temperatures."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.out = nn.Linear(features, OUTPUTS)
        self.register_buffer("heat", torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        out = self.out(x)
        legible, tens, units, box = out.split([1, 11, 10, 4], dim=1)
        return torch.cat(
            [
                legible / self.heat[0],
                tens / self.heat[1],
                units / self.heat[2],
                box.sigmoid() * 1.5 - 0.25,
            ],
            dim=1,
        )


class NumbersNet(nn.Module):
    """Reads one number off a square picture: (N, SIDE, SIDE, 3) uint8 to (N, OUTPUTS).

    Output: logit of legible; logits of the tens (0-9, none); logits of the units (0-9); centre x, y and
    size w, h of the number as shares of the picture.
    """

    def __init__(
        self, widths: tuple[int, ...] = (32, 64, 128), blocks: tuple[int, ...] = (1, 1, 2)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, count in zip(widths, blocks, strict=True):
            layers += [conv(before, width, 3, 2), *(Residual(width) for _ in range(count))]
            before = width
        self.level = _Level()
        self.body = nn.Sequential(*layers, conv(before, 48, 1))
        cells = (SIDE // 2 ** len(widths)) ** 2
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(48 * cells, 160), nn.ReLU(inplace=True), nn.Dropout(0.1)
        )
        self.answer = _Answer(160)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits and box, see above."""
        out: Tensor = self.answer(self.dense(self.body(self.level(pixels))))
        return out


def numbers_loss(output: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The parts of the loss, weighted."""
    output = output.float()
    legible = batch["legible"]
    known = (legible != UNSURE).float()
    gate = F.binary_cross_entropy_with_logits(
        output[:, 0], (legible == 1).float(), weight=known, reduction="sum"
    ) / known.sum().clamp(min=1)
    # On the border of legibility the digits still teach a little.
    weight = (legible == 1).float() + 0.3 * (legible == UNSURE).float()
    total = weight.sum().clamp(min=1)
    tens = (F.cross_entropy(output[:, 1:12], batch["tens"], reduction="none") * weight).sum() / total
    units = (F.cross_entropy(output[:, 12:22], batch["units"], reduction="none") * weight).sum() / total
    off = F.smooth_l1_loss(output[:, 22:], batch["box"], reduction="none", beta=0.05).sum(1)
    box = (off * weight).sum() / total
    return {"legible": gate, "tens": tens, "units": units, "box": box}


# --- pictures --------------------------------------------------------------------------------------


def draw_shard(path: Path, seed: tuple[int, int], count: int, material: Material) -> None:
    """One file of drawn pictures; whole or absent."""
    if path.exists():
        return
    pictures = as_arrays(number_pictures(np.random.default_rng(seed), material, count))
    aside = path.with_suffix(".partial.npz")
    np.savez(aside, **pictures)  # type: ignore[arg-type]
    aside.rename(path)


def draw_shards(folder: Path, recipe: NumbersRecipe, data: Sequence[Path], workers: int) -> None:
    """All shards of a recipe and the held-out one (`held_out.npz`), those already there left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    material = load_material(data, np.random.default_rng(recipe.seed), fonts=recipe.fonts)
    log.info(
        "%d font files, %d surroundings, %d pictures without a number",
        len(material.font_files), len(material.surroundings), len(material.without_number),
    )  # fmt: skip
    jobs = [(folder / "held_out.npz", (recipe.seed, 10**6), recipe.held_out)]
    jobs += [
        (folder / f"{index:03d}.npz", (recipe.seed, index), recipe.shard_size)
        for index in range(recipe.shards)
    ]
    if workers == 0:
        for path, seed, count in jobs:
            draw_shard(path, seed, count, material)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(draw_shard, *job, material) for job in jobs]
        for future in waiting:
            future.result()


def _batches(folder: Path, recipe: NumbersRecipe, start: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Endless batches from step `start` on, shard by shard in an order that only the seed decides."""
    per_shard = recipe.shard_size // recipe.batch
    visit, skipped = divmod(start, per_shard)
    while True:
        tour, place = divmod(visit, recipe.shards)
        order = np.random.default_rng((recipe.seed, 1, tour)).permutation(recipe.shards)
        with np.load(folder / f"{order[place]:03d}.npz") as shard:
            arrays = {name: shard[name] for name in shard.files}
        rows = np.random.default_rng((recipe.seed, 2, visit)).permutation(len(arrays["legible"]))
        for index in range(skipped, per_shard):
            chosen = rows[index * recipe.batch : (index + 1) * recipe.batch]
            yield {name: values[chosen] for name, values in arrays.items()}
        visit, skipped = visit + 1, 0


def _vary(batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Light changes anew each time a picture comes by: place, colours, light, small covers."""
    pixels, box = batch["pixels"].float(), batch["box"].clone()
    count = len(pixels)
    shift = torch.randint(-3, 4, (2,), generator=generator).tolist()
    pixels = pixels.permute(0, 3, 1, 2)
    pixels = F.pad(pixels, (3, 3, 3, 3), mode="replicate")
    pixels = pixels[:, :, 3 + shift[1] : 3 + shift[1] + SIDE, 3 + shift[0] : 3 + shift[0] + SIDE]
    box[:, 0] -= shift[0] / SIDE
    box[:, 1] -= shift[1] / SIDE
    mixing = torch.eye(3) + 0.18 * torch.randn(count, 3, 3, generator=generator)
    swapped = torch.randperm(3, generator=generator)
    mixing[count // 2 :] = mixing[count // 2 :][:, swapped]
    pixels = torch.einsum("nij,njhw->nihw", mixing, pixels)
    gain = torch.empty(count, 1, 1, 1).uniform_(0.6, 1.3, generator=generator)
    pixels = pixels * gain
    turned = torch.rand(count, generator=generator) < 0.15
    pixels[turned] = 255 - pixels[turned]
    pixels = pixels + 3 * torch.randn(pixels.shape, generator=generator)
    pixels = pixels.clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return batch | {"pixels": pixels.contiguous(), "box": box}


# --- training --------------------------------------------------------------------------------------


def train_numbers(
    folder: Path,
    recipe: NumbersRecipe | None = None,
    data: Sequence[Path] = (),
    *,
    resume: bool = False,
    workers: int = 1,
) -> Path:
    """Train, leaving `checkpoint.pt` on the way and `numbers.pt` (averaged, calibrated) at the end.

    `data`: COCO detection sets whose training parts lend surroundings and look-alikes; none are needed.
    `workers`: processes that draw pictures before training starts; 0 draws in this one.
    """
    recipe = recipe or NumbersRecipe()
    seed_everything(recipe.seed)
    draw_shards(folder / "pictures", recipe, data, workers)
    device = fastest_device()
    net = NumbersNet().to(device, memory_format=torch.channels_last)
    average = WeightAverage(net)
    optimiser = torch.optim.AdamW(decayed_groups(net, recipe.weight_decay), lr=recipe.rate)
    checkpoint = folder / "checkpoint.pt"
    start = resume_training(checkpoint, net, average, optimiser) if resume else 0
    batches = _batches(folder / "pictures", recipe, start)
    started = time.monotonic()
    for step in range(start, recipe.steps):
        # Seeded anew each step, dropout included: a resumed run ends in the same weight.
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        arrays = next(batches)
        batch = _vary(_as_tensors(arrays), generator)
        batch = {name: value.to(device) for name, value in batch.items()}
        with torch.autocast(device.type, dtype=torch.bfloat16):
            output = net(batch["pixels"])
        parts = numbers_loss(output, batch)
        rate = _rate(step, recipe)
        take_step(net, average, optimiser, parts, step=step, rate=rate, most_gradient=5.0)
        if (step + 1) % 50 == 0:
            losses = " ".join(f"{name} {value.item():.3f}" for name, value in parts.items())
            pace = (time.monotonic() - started) / (step + 1 - start)
            log.info("step %d/%d  %s  %.3f s a step", step + 1, recipe.steps, losses, pace)
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            save_training(checkpoint, net, average, optimiser, step + 1)
    averaged = average.net
    assert isinstance(averaged, NumbersNet)
    held_out = _held_out(folder)
    calibrate(averaged, held_out)
    log.info("held out: %s", measure(averaged, held_out))
    result = folder / "numbers.pt"
    save_checkpoint(result, {"net": averaged.state_dict()})
    return result


def _rate(step: int, recipe: NumbersRecipe) -> float:
    """Warm-up, a level stretch, then straight down: a run can be lengthened without starting anew."""
    falling = (recipe.steps - step) / max(1.0, recipe.settling * recipe.steps)
    return recipe.rate * max(0.01, min(1.0, (step + 1) / 200, falling))


def _as_tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    whole = {"legible", "tens", "units"}
    return {
        name: torch.from_numpy(values.astype(np.int64) if name in whole else values)
        for name, values in arrays.items()
    }


def _held_out(folder: Path) -> dict[str, Tensor]:
    with np.load(folder / "pictures" / "held_out.npz") as shard:
        return _as_tensors({name: shard[name] for name in shard.files})


@torch.no_grad()
def _outputs(net: NumbersNet, pixels: Tensor) -> Tensor:
    device = next(net.parameters()).device
    return torch.cat([net(part.to(device)).float().cpu() for part in pixels.split(256)])


def calibrate(net: NumbersNet, held_out: dict[str, Tensor]) -> None:
    """Temperatures (Guo et al. 2017) of legibility, tens, units: scores come to mean probabilities."""
    output = _outputs(net.eval(), held_out["pixels"])
    legible = held_out["legible"]
    known, readable = legible != UNSURE, legible == 1
    grid = torch.exp(torch.linspace(-1.0, 1.6, 53))
    gates = [
        F.binary_cross_entropy_with_logits(output[known, 0] / heat, readable[known].float())
        for heat in grid
    ]
    tens = [F.cross_entropy(output[readable, 1:12] / heat, held_out["tens"][readable]) for heat in grid]
    units = [
        F.cross_entropy(output[readable, 12:22] / heat, held_out["units"][readable]) for heat in grid
    ]
    best = [grid[int(torch.stack(losses).argmin())] for losses in (gates, tens, units)]
    heat = net.answer.heat
    heat.mul_(torch.stack(best).to(heat.device))


def measure(net: NumbersNet, held_out: dict[str, Tensor]) -> dict[str, float]:
    """Shares right on held-out drawn pictures."""
    output = _outputs(net.eval(), held_out["pixels"])
    legible = held_out["legible"]
    readable, empty = legible == 1, legible == 0
    right = (output[:, 1:12].argmax(1) == held_out["tens"]) & (
        output[:, 12:22].argmax(1) == held_out["units"]
    )
    return {
        "numbers right": float(right[readable].float().mean()),
        "legible found": float((output[readable, 0] > 0).float().mean()),
        "false legible": float((output[empty, 0] > 0).float().mean()),
        "box error": float((output[readable, 22:] - held_out["box"][readable]).abs().mean()),
    }


def load_numbers(path: Path) -> NumbersNet:
    """A trained reader."""
    state = load_checkpoint(path)
    if state is None:
        raise FileNotFoundError(path)
    net = NumbersNet()
    net.load_state_dict(state["net"])
    net.eval()
    return net


def export_numbers(folder: Path, onnx_path: Path) -> dict[str, float]:
    """`folder/numbers.pt` to int8 ONNX at `onnx_path`; returns shares right before and after.

    Raises RuntimeError where int8 costs more than half a percent of the numbers.
    """
    import tempfile

    import onnxruntime

    net = load_numbers(folder / "numbers.pt")
    held_out = _held_out(folder)
    pixels = held_out["pixels"]
    readable = (held_out["legible"] == 1).numpy()
    wanted = np.where(held_out["tens"] == NO_TENS, 100 + held_out["units"], 0)
    wanted = np.where(
        held_out["tens"] == NO_TENS, wanted, 10 * held_out["tens"].numpy() + held_out["units"].numpy()
    )
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        export_onnx(
            net, pixels[:2], plain,
            dynamic_axes={"pixels": {0: "count"}, "output": {0: "count"}},
        )  # fmt: skip
        samples = [part.numpy() for part in pixels[:1024].split(64)]
        onnx_path.parent.mkdir(parents=True, exist_ok=True)
        quantise(plain, onnx_path, samples, keep_float=_FLOAT_NODES)
        shares = {}
        for name, path in (("float", plain), ("int8", onnx_path)):
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            outputs = np.concatenate(
                [session.run(None, {"pixels": part.numpy()})[0] for part in pixels.split(64)]
            )
            tens, units = outputs[:, 1:12].argmax(1), outputs[:, 12:22].argmax(1)
            read = np.where(tens == NO_TENS, 100 + units, 10 * tens + units)
            shares[name] = float((read == wanted)[readable].mean())
    if shares["int8"] < shares["float"] - 0.005:
        raise RuntimeError(f"int8 loses too much: {shares}")
    return shares


_FLOAT_NODES = ("/level/", "/answer/")
