"""The recipe of the second look at ball candidates (`observe.ball`).

A residual network learns from pictures of balls and of what the detector takes for balls whether a ball
is at the middle, where exactly and how large. Then its logit and the detector's score are weighed by
logistic regression (Platt 1999) on pictures kept aside, and the weights written into the file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.errors import InputError
from filmroom.formats.coco import CocoSet
from filmroom.observe.ball import BLANK, OUTPUTS, SIDE, OnnxBallJudge, ball_patches, ball_windows, logit
from filmroom.observe.detector import OnnxDetector
from filmroom.train.ball_pictures import (
    NO_BALL,
    Batch,
    Patches,
    draw_batch,
    gather_patches,
    load_patches,
    save_patches,
)
from filmroom.train.export import export_onnx, quantise
from filmroom.train.networks import Residual, conv
from filmroom.train.schedule import (
    WeightAverage,
    decayed_groups,
    load_checkpoint,
    save_checkpoint,
    seed_everything,
    train_in_steps,
)

log = logging.getLogger(__name__)

CELLS = SIDE // 4
_MIDDLE = 2  # cells from the middle within which a ball is at the middle


@dataclass(frozen=True)
class BallRecipe:
    """Everything that decides the weight, apart from the data.

    held_out
        Beginnings of the file names of pictures that are not trained on.
    balls
        Share of a batch that shows a ball.
    real
        Share of these that are labelled balls, not drawn ones.
    """

    seed: int = 1
    steps: int = 8000
    batch: int = 64
    rate: float = 3e-3
    weight_decay: float = 0.03
    balls: float = 0.45
    real: float = 0.65
    held_out: tuple[str, ...] = ()
    checkpoint_every: int = 250


class _Level(nn.Module):
    """Whatever the light: middle grey and equal contrast."""

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(dim=(2, 3), keepdim=True)
        levelled: Tensor = x / (x.square().mean(dim=(1, 2, 3), keepdim=True) + 0.05).sqrt()
        return levelled


class _Answer(nn.Module):
    """From maps of heat, log width and log height, (N, 3, CELLS, CELLS), to one answer (N, OUTPUTS).

    The logit is the soft maximum of the heat near the middle; place and size are means over all cells,
    weighed by their heat.
    """

    def __init__(self) -> None:
        super().__init__()
        place = (torch.arange(CELLS) + 0.5) / CELLS - 0.5
        self.register_buffer("across", place.repeat(CELLS))
        self.register_buffer("down", place.repeat_interleave(CELLS))

    def forward(self, maps: Tensor) -> Tensor:
        first, last = CELLS // 2 - _MIDDLE, CELLS // 2 + _MIDDLE
        middle = maps[:, 0, first:last, first:last].flatten(1)
        logit = torch.logsumexp(middle, 1, keepdim=True)
        heat, width, height = maps.flatten(2).unbind(1)
        share = torch.softmax(heat, 1)
        means = [
            (share * each).sum(1, keepdim=True) for each in (self.across, self.down, width, height)
        ]
        return torch.cat([logit, *means], dim=1)


class BallNet(nn.Module):
    """Is a ball at the middle, where exactly, how large: (N, 3, SIDE, SIDE) to (N, OUTPUTS).

    Dense 3x3 convolutions to maps at a quarter of the size, about 0.12 M parameters and 11 million
    multiplications. The input is grey levels less BLANK over 64.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 64)) -> None:
        super().__init__()
        one, two, three = widths
        self.level = _Level()
        self.fine = nn.Sequential(
            conv(3, one, 3, 2), Residual(one), conv(one, two, 3, 2), Residual(two)
        )
        self.coarse = nn.Sequential(conv(two, three, 3, 2), Residual(three), conv(three, two, 1))
        self.fuse = conv(two, two)
        self.out = nn.Conv2d(two, 3, 1)
        self.answer = _Answer()
        nn.init.constant_(self.out.bias[:1], -4.0)
        nn.init.constant_(self.out.bias[1:], -1.4)

    def maps(self, x: Tensor) -> Tensor:
        """Heat (logits), log width and log height (N, 3, CELLS, CELLS)."""
        x = self.fine(self.level(x))
        x = x + F.interpolate(self.coarse(x), scale_factor=2.0, mode="nearest")
        out: Tensor = self.out(self.fuse(x))
        return out

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        out: Tensor = self.answer(self.maps(x).float())
        return out


class _Deployed(nn.Module):
    """Takes pictures as they are, (N, SIDE, SIDE, 3) uint8."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.net((pixels.float().permute(0, 3, 1, 2) - BLANK) / 64.0)
        return out


def ball_loss(net: BallNet, maps: Tensor, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss, weighted: of every cell's heat, and of the answer."""
    at_middle, sure, places, place_known, size_known = (
        torch.from_numpy(each).to(maps.device) for each in batch[1:]
    )
    output = net.answer(maps)
    wanted = _heat(places, place_known)
    # A cell that holds a ball counts as much as all that do not.
    weight = 1 + 20 * wanted
    heat = F.binary_cross_entropy_with_logits(maps[:, 0], wanted, weight, reduction="mean")
    is_ball = F.binary_cross_entropy_with_logits(output[:, 0], at_middle, sure, reduction="sum")
    off = F.smooth_l1_loss(output[:, 1:3], places[:, :2], reduction="none", beta=0.02).sum(1)
    size = F.smooth_l1_loss(output[:, 3:5], places[:, 2:], reduction="none", beta=0.1).sum(1)
    return {
        "heat": 4.0 * heat,
        "ball": is_ball / sure.sum().clamp(min=1),
        "place": 4.0 * (off * place_known).sum() / place_known.sum().clamp(min=1),
        "size": 0.5 * (size * size_known).sum() / size_known.sum().clamp(min=1),
    }


def _heat(places: Tensor, known: Tensor) -> Tensor:
    """The heat wanted (N, CELLS, CELLS): 1 at the ball, falling off within about a cell."""
    cells = (torch.arange(CELLS, device=places.device) + 0.5) / CELLS - 0.5
    away = [
        torch.exp(-((cells - places[:, axis, None]) * CELLS).square() / 2 / 0.7**2) for axis in (0, 1)
    ]
    return known[:, None, None] * away[1][:, :, None] * away[0][:, None, :]


class BallSource:
    """Batches of a recipe, each decided by a generator alone."""

    def __init__(self, patches: Patches, recipe: BallRecipe) -> None:
        self.patches = patches
        self.recipe = recipe
        learnt = ~patches.held_out
        self.pools = []
        balls, real = recipe.balls, recipe.balls * recipe.real
        for kinds, share in (((NO_BALL,), 1 - balls), ((1,), real), ((2,), balls - real)):
            rows = np.flatnonzero(learnt & np.isin(patches.kinds, kinds))
            if len(rows) and share > 0:
                chances = patches.weights[rows].astype(float)
                self.pools.append((rows, chances / chances.sum(), share))
        if not self.pools:
            raise InputError("no balls and nothing else in the training pictures")

    def draw(self, rng: np.random.Generator) -> Batch:
        """One batch."""
        total = sum(share for *_, share in self.pools)
        rows = [
            rng.choice(pool, max(1, round(self.recipe.batch * share / total)), p=chances)
            for pool, chances, share in self.pools
        ]
        return draw_batch(self.patches, np.concatenate(rows), rng)


def train_ball(
    data: Sequence[Path], folder: Path, recipe: BallRecipe | None = None, *, resume: bool = False
) -> Path:
    """Gather pictures (`patches.npz`), train, and leave `ball.pt` in `folder`; its path.

    `data` are COCO folders or zips with a category `ball`.
    """
    recipe = recipe or BallRecipe()
    seed_everything(recipe.seed)
    kept = folder / "patches.npz"
    if not (resume and kept.exists()):
        save_patches(
            kept,
            gather_patches(data, np.random.default_rng(recipe.seed), held_out=recipe.held_out),
        )
    patches = load_patches(kept)
    log.info(
        "%d pictures: %d real balls, %d drawn",
        len(patches.kinds), int((patches.kinds == 1).sum()), int((patches.kinds == 2).sum()),
    )  # fmt: skip
    source = BallSource(patches, recipe)
    net = BallNet().to(memory_format=torch.channels_last)
    average = WeightAverage(net, 0.998)
    optimiser = torch.optim.AdamW(decayed_groups(net, recipe.weight_decay), lr=recipe.rate)
    checkpoint = folder / "checkpoint.pt"
    if not resume:
        checkpoint.unlink(missing_ok=True)
    started = time.monotonic()

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        batch = source.draw(rng)
        pixels = as_input(batch.pixels).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            maps = net.maps(pixels)
        return ball_loss(net, maps.float(), batch)

    def tell(step: int, steps: int, parts: dict[str, float]) -> None:
        if step % 100 == 0 or step == steps:
            named = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
            log.info("step %d/%d  %s  %.0f s", step, steps, named, time.monotonic() - started)

    train_in_steps(
        net, average, optimiser, checkpoint, recipe, losses, tell, warmup=100, most_gradient=5.0
    )
    averaged = average.net
    assert isinstance(averaged, BallNet)
    if patches.held_out.any():
        log.info("held out: %s", measure(averaged, patches, np.flatnonzero(patches.held_out)))
    weights = folder / "ball.pt"
    save_checkpoint(weights, {"net": averaged.state_dict()})
    return weights


def as_input(pixels: NDArray[np.uint8]) -> Tensor:
    """Pictures (N, SIDE, SIDE, 3) as the network takes them."""
    return (torch.from_numpy(pixels).float().permute(0, 3, 1, 2) - BLANK) / 64.0


@torch.no_grad()
def outputs(net: nn.Module, pixels: NDArray[np.uint8], at_once: int = 256) -> NDArray[np.float32]:
    """The network's outputs (N, OUTPUTS)."""
    net.eval()
    parts = [
        net(as_input(pixels[first : first + at_once])).numpy()
        for first in range(0, len(pixels), at_once)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, OUTPUTS), np.float32)


def measure(net: nn.Module, patches: Patches, rows: NDArray[np.intp]) -> dict[str, float]:
    """How well balls are told from the rest in unchanged windows of those rows."""
    batch = draw_batch(patches, rows, np.random.default_rng(0), varied=False)
    output = outputs(net, batch.pixels)
    kinds = patches.kinds[rows]
    ball, other = np.sort(output[kinds == 1, 0]), np.sort(output[kinds == NO_BALL, 0])
    report = {}
    if len(ball) and len(other):
        # Area under the curve: the share of pairs in the right order.
        report["area"] = float(np.searchsorted(other, ball).mean() / len(other))
        report["found at 1 % false"] = float((ball > np.quantile(other, 0.99)).mean())
        known = batch.size_known > 0
        wrong = np.abs(output[known, 1:] - batch.places[known])
        report["offset"], report["log size"] = float(wrong[:, :2].mean()), float(wrong[:, 2:].mean())
    return report


# --- export -----------------------------------------------------------------------------------------


def export_ball(folder: Path, target: Path, *, calibrate: int = 24) -> None:
    """`folder/ball.pt` as int8 ONNX, calibrated on `calibrate` batches of 32 pictures."""
    state = load_checkpoint(folder / "ball.pt")
    if state is None:
        raise InputError(f"{folder / 'ball.pt'}: no such file; train first")
    net = BallNet()
    net.load_state_dict(state["net"])
    patches = load_patches(folder / "patches.npz")
    whole = target.with_suffix(".float.onnx")
    example = torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)
    axes = {"pixels": {0: "candidates"}, "output": {0: "candidates"}}
    export_onnx(_Deployed(net), example, whole, dynamic_axes=axes)
    rng = np.random.default_rng(2)
    rows = rng.permutation(len(patches.kinds))[: 32 * calibrate]
    pixels = draw_batch(patches, rows, rng).pixels
    samples = (pixels[first : first + 32] for first in range(0, len(pixels), 32))
    quantise(
        whole, target, samples, keep_float=("/net/level/", "/net/answer/", "/net/out/", "/Sub", "/Div")
    )
    whole.unlink()


def fit_ball(data: Sequence[Path], folder: Path, target: Path, recipe: BallRecipe) -> None:
    """Export what `train_ball` left in `folder` to `target`, and weigh it with the shipped detector.

    With pictures held out the weights are fitted on those, else on all that were trained on.
    """
    export_ball(folder, target)
    only = recipe.held_out or ("",)
    weights = fit_weights(candidates_of(target.parent, data, "train", only=only))
    log.info("weighed: %s", weights)
    write_weights(target, weights)


class Candidates(NamedTuple):
    """Outputs of both looks at candidates: logits (N,) of either, and whether it is the ball (N,)."""

    patch: NDArray[np.float64]
    detector: NDArray[np.float64]
    is_ball: NDArray[np.bool_]


def candidates_of(
    network: Path | None, data: Sequence[Path], part: str, *, only: Sequence[str] = ("",)
) -> Candidates:
    """What both looks say of the candidates of labelled pictures whose ball is labelled.

    `network` is the folder of a `ball.onnx`, None for the shipped; `only` are beginnings of the file
    names that are taken.
    """
    judge = OnnxBallJudge(parts=network)
    detector = OnnxDetector(threshold=0.02, second_look=False)
    patch, first, right = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, bool)]
    for path in data:
        coco = CocoSet(path, part)
        for image in coco:
            balls = image.boxes[[name == "ball" for name in image.categories]]
            if not len(balls) or not image.file_name.startswith(tuple(only)):
                continue
            pixels = coco.picture(image)
            found = detector.detect(pixels)
            found = found.take(np.flatnonzero(found.kinds == 1)[:16])
            windows = ball_windows(found.boxes, *pixels.shape[:2])
            patch.append(judge.look(ball_patches(pixels, windows))[:, 0].astype(float))
            first.append(logit(found.scores))
            middle = found.boxes[:, :2] + found.boxes[:, 2:] / 2
            apart = np.linalg.norm(middle[:, None] - balls[:, :2] - balls[:, 2:] / 2, axis=2) / balls[
                :, 2:
            ].mean(axis=1)
            right.append(apart.min(axis=1) < 0.75)
    return Candidates(*(np.concatenate(each) for each in (patch, first, right)))


def fit_weights(candidates: Candidates, *, steps: int = 50) -> dict[str, float]:
    """Logistic regression of being the ball on both logits, by Newton's method, lightly held back."""
    x = np.column_stack([candidates.patch, candidates.detector, np.ones(len(candidates.patch))])
    y = candidates.is_ball.astype(float)
    held_back = np.diag([1e-2, 1e-2, 1e-4])
    weights = np.array([0.5, 0.0, 0.0])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (chance - y) + held_back @ weights
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + held_back
        weights = weights - np.linalg.solve(curve, slope)
    names = ("patch_weight", "detector_weight", "bias")
    return dict(zip(names, weights.tolist(), strict=True))


def write_weights(target: Path, weights: dict[str, float]) -> None:
    """Put how both looks are weighed into the network's file, in place."""
    import onnx

    model = onnx.load(str(target))
    onnx.helper.set_model_props(model, {name: repr(value) for name, value in weights.items()})
    onnx.save(model, str(target))
