"""A small network that sees in one picture what usually moves, standing still or not.

Learnt from soft labels of motion with cross-entropy, from nothing. Since a single picture holds no
motion, what it can learn is how things that move look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.train.schedule import WeightAverage, decayed_groups, train_in_steps
from filmroom.train.unlabelled.motion_masks import UNKNOWN
from filmroom.train.unlabelled.unet import MULTIPLE, UNet

Pictures = NDArray[np.uint8]
Tell = Callable[[int, int, dict[str, float]], None]


class ForegroundNet(UNet):
    """One picture to the logit that each of its pixels belongs to something that moves at times."""

    def __init__(self) -> None:
        super().__init__(3, 1)
        nn.init.constant_(self.out.bias, -3.0)


@dataclass(frozen=True)
class ForegroundRecipe:
    """Everything that decides the result, apart from the pictures."""

    steps: int = 400
    batch: int = 8
    crop: int = 192
    rate: float = 3e-3
    positive_weight: float = 3.0
    seed: int = 1
    checkpoint_every: int = 100


def train_foreground(
    pictures: list[Pictures],
    labels: list[NDArray[np.uint8]],
    folder: Path,
    recipe: ForegroundRecipe,
    tell: Tell,
) -> ForegroundNet:
    """Train on pictures (h, w, 3) and labels (h, w) of 0, 1, `UNKNOWN`; goes on from a checkpoint.

    `tell` is given step, steps and losses now and then.
    """
    torch.manual_seed(recipe.seed)
    net = ForegroundNet().to(memory_format=torch.channels_last)
    average = WeightAverage(net, 0.99)
    optimiser = torch.optim.AdamW(decayed_groups(net, 0.01), lr=recipe.rate)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        pixels, wanted = _batch(pictures, labels, recipe, rng)
        return {"loss": foreground_loss(net(pixels), wanted, recipe.positive_weight)}

    checkpoint = folder / "foreground.pt"
    train_in_steps(net, average, optimiser, checkpoint, recipe, losses, tell, warmup=40)
    trained = average.net
    assert isinstance(trained, ForegroundNet)
    return trained


def foreground_loss(logits: Tensor, wanted: Tensor, positive_weight: float) -> Tensor:
    """Cross-entropy of logits (N, 1, h, w) against 0, 1, `UNKNOWN` of shape (N, h, w), plus Dice."""
    known = wanted != UNKNOWN
    target = (wanted == 1).to(logits.dtype)
    flat = logits[:, 0]
    each = F.binary_cross_entropy_with_logits(
        flat, target, reduction="none", pos_weight=torch.tensor(positive_weight)
    )
    entropy = (each * known).sum() / known.sum().clamp(min=1)
    shown = flat.sigmoid() * known
    dice = 1 - (2 * (shown * target).sum() + 1) / (shown.sum() + (target * known).sum() + 1)
    return entropy + 0.5 * dice


def _batch(
    pictures: list[Pictures],
    labels: list[NDArray[np.uint8]],
    recipe: ForegroundRecipe,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    crops, wanted = [], []
    for _ in range(recipe.batch):
        chosen = int(rng.integers(len(pictures)))
        crop, label = _random_crop(pictures[chosen], labels[chosen], recipe.crop, rng)
        crops.append(crop)
        wanted.append(label)
    pixels = torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy()).float() / 255
    return pixels.contiguous(memory_format=torch.channels_last), torch.from_numpy(np.stack(wanted))


def _random_crop(
    picture: Pictures, label: NDArray[np.uint8], size: int, rng: np.random.Generator
) -> tuple[Pictures, NDArray[np.uint8]]:
    height, width = label.shape
    scale = float(np.exp(rng.uniform(np.log(0.75), np.log(1.5))))
    span = size / scale
    moving = np.flatnonzero(label == 1)
    if len(moving) and rng.random() < 0.7:
        row, column = divmod(int(rng.choice(moving)), width)
        left, top = column - rng.uniform(0.1, 0.9) * span, row - rng.uniform(0.1, 0.9) * span
    else:
        left, top = rng.uniform(0, max(1, width - span)), rng.uniform(0, max(1, height - span))
    left = float(np.clip(left, min(0, width - span), max(0, width - span)))
    top = float(np.clip(top, min(0, height - span), max(0, height - span)))
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] += size
    pixels = cv2.warpAffine(picture, matrix, (size, size), borderValue=(114, 114, 114))
    half = matrix / 2
    wanted = cv2.warpAffine(
        label, half, (size // 2, size // 2), flags=cv2.INTER_NEAREST, borderValue=UNKNOWN
    )
    gain, offset = rng.uniform(0.75, 1.25), rng.uniform(-20, 20)
    tint = rng.uniform(0.92, 1.08, 3)
    coloured = np.clip(pixels.astype(np.float32) * (gain * tint) + offset, 0, 255)
    return coloured.astype(np.uint8), np.asarray(wanted, np.uint8)


@torch.no_grad()
def foreground_of(net: ForegroundNet, picture: Pictures) -> NDArray[np.float32]:
    """(h, w) probability that each pixel belongs to something that moves at times."""
    net.eval()
    height, width = picture.shape[:2]
    padded = cv2.copyMakeBorder(
        picture, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE
    )
    pixels = torch.from_numpy(padded.transpose(2, 0, 1)[None].copy()).float() / 255
    half = net(pixels.contiguous(memory_format=torch.channels_last)).sigmoid()[0, 0].numpy()
    whole = cv2.resize(half, (padded.shape[1], padded.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[:height, :width], np.float32)
