"""Alignment by a network: two frames in, the six numbers of an affine motion out.

Small patches of the first picture are looked for in the second by correlating learnt features; an
affine map is fitted to where they went, each weighted by a learnt trust and by how well it agrees with
the others; all of it differentiable. Trained by the difference that is left between the pictures
through a differentiable warp, both ways (spatial transformer, Jaderberg et al. 2015), and on pictures
moved by known affine maps, whose answer is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.observe.camera_motion import Motion
from filmroom.train.networks import conv
from filmroom.train.schedule import WeightAverage, train_in_steps
from filmroom.train.unlabelled.alignment import (
    Aligner,
    Grey,
    Mask,
    Matrix,
    find_overlay,
    photometric_residual,
)
from filmroom.train.unlabelled.footage import Shot

Tell = Callable[[int, int, dict[str, float]], None]

STRIDE = 4
REACH = 4
"""Cells of `STRIDE` pixels by which a patch is looked for in every direction."""

_LEVELS = (160, 320, 640, 640)  # widths on which an alignment is found and refined, in turn
_TRIMMED = 0.8  # share of the pixels that the photometric loss counts: who runs does not align
_REWEIGHTED = 4
_LEAST_AGREED = 0.25  # share of the trust that must agree with the map found


class AlignmentNet(nn.Module):
    """(N, 1, H, W) pairs of normalised grey pictures to affine maps (N, 2, 3) of their pixels.

    H and W are multiples of four. 0.03 M parameters, of which every resolution uses the same.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv(1, 16, 3, 2), conv(16, width, 3, 2), conv(width, width), nn.Conv2d(width, width, 1)
        )
        self.trust = nn.Sequential(nn.Conv2d(width + 2, 24, 3, 1, 1), nn.ReLU(), nn.Conv2d(24, 1, 1))
        self.sharpness = nn.Parameter(torch.tensor(2.5))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, 2, 3) from pixels of `first` to those of `second`; what share agrees (N,)."""
        a = F.normalize(self.features(first), dim=1)
        b = F.normalize(self.features(second), dim=1)
        moved, peak, clear = self._found_in(a, b)
        trust = self.trust(torch.cat([a, peak, clear], 1)).sigmoid()[:, 0]
        rows, columns = trust.shape[1:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        start = torch.stack([x, y], -1).reshape(1, -1, 2).float().to(first.device) * STRIDE
        start = start + (STRIDE - 1) / 2
        return fit_affine(start, start + moved, trust.flatten(1))

    def _found_in(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where each cell of `a` lies in `b`: pixels (N, cells, 2); the best fit; how clear it is."""
        count, _, rows, columns = a.shape
        side = 2 * REACH + 1
        padded = F.pad(b, (REACH,) * 4)
        fits = torch.stack(
            [
                (a * padded[:, :, dy : dy + rows, dx : dx + columns]).sum(1)
                for dy in range(side)
                for dx in range(side)
            ],
            1,
        )
        best = fits.argmax(1, keepdim=True)
        offset = torch.arange(side, device=a.device, dtype=a.dtype) - REACH
        dy = offset.repeat_interleave(side)[None, :, None, None]
        dx = offset.repeat(side)[None, :, None, None]
        top_y, top_x = dy.flatten()[best], dx.flatten()[best]
        near = ((dy - top_y).abs() <= 1) & ((dx - top_x).abs() <= 1)
        share = (fits * self.sharpness.exp()).masked_fill(~near, -1e4).softmax(1)
        moved = torch.stack([(share * dx).sum(1), (share * dy).sum(1)], -1)
        peak = fits.gather(1, best)
        clear = (fits * self.sharpness.exp()).softmax(1).gather(1, best)
        inside = (top_y.abs() < REACH) & (top_x.abs() < REACH)
        return moved.reshape(count, -1, 2) * STRIDE, peak, clear * inside


def fit_affine(start: Tensor, end: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (N, 2, 3) that take `start` (1, M, 2) to `end` (N, M, 2), trusted (N, M); robustly.

    Weighted least squares, the weights multiplied a few times by a Cauchy weight of what is left.
    """
    middle = start.mean(1, keepdim=True)
    scale = (start - middle).abs().amax().clamp(min=1)
    where = torch.cat([(start - middle) / scale, torch.ones_like(start[..., :1])], -1)
    moved = end - start
    weight = trust
    ridge = torch.diag(torch.tensor([1.0, 1.0, 0.01], device=start.device)) * 1e-3
    agreed = torch.ones_like(trust)
    answer = torch.zeros(len(trust), 3, 2, device=start.device)
    for turn in range(_REWEIGHTED + 1):
        weighted = where * weight[..., None]
        total = weight.sum(1)[:, None, None].clamp(min=1e-6)
        left_side = weighted.transpose(1, 2) @ where / total + ridge
        answer = torch.linalg.solve(left_side, weighted.transpose(1, 2) @ moved / total)
        left = (moved - where @ answer).detach().norm(dim=-1)
        # From loose to tight: at first what is left is mostly the map's own error.
        width = STRIDE * (2.0, 1.0, 0.5, 0.3, 0.3)[turn]
        agreed = 1 / (1 + (left / width) ** 2)
        weight = trust * agreed**2
    linear = answer[:, :2] / scale
    shift = answer[:, 2:] - middle @ linear
    maps = torch.cat([linear, shift], 1).transpose(1, 2)
    maps = maps + torch.eye(2, 3, device=start.device)
    share = (trust * (agreed > 0.5)).sum(1) / trust.sum(1).clamp(min=1e-6)
    return maps, share


@dataclass(frozen=True)
class AlignmentRecipe:
    """Everything that decides the result, apart from the pictures."""

    steps: int = 300
    batch: int = 4
    largest_gap: int = 5
    rate: float = 2e-3
    seed: int = 1
    checkpoint_every: int = 100


def normalised(grey: Grey, width: int) -> NDArray[np.float32]:
    """(h, width) of the picture less its surroundings, over their spread; h a multiple of four."""
    height = max(STRIDE, round(grey.shape[0] * width / grey.shape[1] / STRIDE) * STRIDE)
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    mean = cv2.boxFilter(small, -1, (15, 15))
    spread = np.sqrt(np.maximum(cv2.boxFilter(small * small, -1, (15, 15)) - mean * mean, 0))
    return np.asarray((small - mean) / (spread + 4.0), np.float32)


def train_alignment(
    shots: Sequence[Shot], folder: Path, recipe: AlignmentRecipe, tell: Tell
) -> AlignmentNet:
    """Train on pairs of frames of the shots, half of them true neighbours, half moved by known maps."""
    torch.manual_seed(recipe.seed)
    net = AlignmentNet()
    average = WeightAverage(net, 0.98)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=1e-3)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        return _step_losses(net, shots, recipe, rng)

    checkpoint = folder / "alignment.pt"
    train_in_steps(
        net, average, optimiser, checkpoint, recipe, losses, tell, warmup=20, most_gradient=1.0
    )
    trained = average.net
    assert isinstance(trained, AlignmentNet)
    return trained


def _step_losses(
    net: AlignmentNet, shots: Sequence[Shot], recipe: AlignmentRecipe, rng: np.random.Generator
) -> dict[str, Tensor]:
    width = 160 if rng.random() < 0.6 else 320
    firsts, seconds, known = [], [], []
    shot = shots[int(rng.integers(len(shots)))]
    for _ in range(recipe.batch):
        row = int(rng.integers(len(shot.pixels)))
        first = cv2.cvtColor(shot.pixels[row], cv2.COLOR_RGB2GRAY)
        firsts.append(normalised(first, width))
        if rng.random() < 0.5:
            truth = _random_affine(rng, first.shape, width)
            moved = cv2.warpAffine(first, truth, first.shape[::-1], borderMode=cv2.BORDER_REFLECT)
            seconds.append(normalised(np.asarray(moved, np.uint8), width))
            known.append(_at_width(truth, first.shape[1], width))
        else:
            gap = int(rng.integers(1, recipe.largest_gap + 1))
            other = shot.pixels[min(len(shot.pixels) - 1, row + gap)]
            seconds.append(normalised(cv2.cvtColor(other, cv2.COLOR_RGB2GRAY), width))
            known.append(np.full((2, 3), np.nan))
    a, b = (torch.from_numpy(np.stack(each)[:, None]) for each in (firsts, seconds))
    truth_maps = torch.from_numpy(np.stack(known)).float()
    there, _ = net(a, b)
    back, _ = net(b, a)
    losses = {"photometric": photometric_loss(a, b, there) + photometric_loss(b, a, back)}
    losses["inverse"] = 0.1 * (_product(there, back) - torch.eye(2, 3)).abs().mean()
    exact = ~truth_maps[:, 0, 0].isnan()
    if exact.any():
        corners = _corners(width, a.shape[2])
        apart = (_apply(there[exact], corners) - _apply(truth_maps[exact], corners)).norm(dim=-1)
        losses["corners"] = 0.1 * apart.clamp(max=40).mean()
    return losses


def _random_affine(rng: np.random.Generator, shape: tuple[int, ...], width: int) -> Matrix:
    """A camera's motion as seen on a picture of this shape, within reach on one `width` pixels wide."""
    height, whole = shape[:2]
    reach = 0.7 * REACH * STRIDE * whole / width
    turn, zoom = rng.normal(0, 0.01), np.exp(rng.normal(0, 0.015))
    matrix = np.asarray(
        cv2.getRotationMatrix2D((whole / 2, height / 2), float(np.degrees(turn)), zoom), float
    )
    matrix[:, 2] += rng.uniform(-reach, reach, 2) * np.array([1.0, 0.5])
    return matrix


def _at_width(matrix: Matrix, whole: int, width: int) -> Matrix:
    """An affine map of pixels of a picture as one of the same picture `width` pixels wide."""
    share = width / whole
    # Pixel centres lie at (i + 0.5) of a pixel in both.
    shift = (share - 1) / 2
    linear = matrix[:, :2]
    return np.column_stack([linear, share * matrix[:, 2] + shift - linear @ [shift, shift]])


def _corners(width: int, height: int) -> Tensor:
    return torch.tensor([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def _apply(maps: Tensor, points: Tensor) -> Tensor:
    return points @ maps[:, :, :2].transpose(1, 2) + maps[:, None, :, 2]


def _product(first: Tensor, second: Tensor) -> Tensor:
    """The map that applies `first`, then `second`."""
    linear = second[:, :, :2] @ first[:, :, :2]
    shift = second[:, :, :2] @ first[:, :, 2:] + second[:, :, 2:]
    return torch.cat([linear, shift], 2)


def warp(pictures: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, H, W) seen through maps (N, 2, 3) of output pixels to theirs; what is in view."""
    height, width = pictures.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    points = torch.stack([x, y], -1).reshape(-1, 2).float()
    where = _apply(maps, points).reshape(-1, height, width, 2)
    grid = where / torch.tensor([(width - 1) / 2, (height - 1) / 2]) - 1
    inside = (grid.abs() <= 1).all(-1)
    return F.grid_sample(pictures, grid, align_corners=True), inside


def photometric_loss(first: Tensor, second: Tensor, maps: Tensor) -> Tensor:
    """Mean Charbonnier difference of `first` and `second` through `maps`, less the worst fifth."""
    seen, inside = warp(second, maps)
    apart = ((seen - first)[:, 0].square() + 1e-3).sqrt()
    counted = []
    for row, view in zip(apart, inside, strict=True):
        values = row[view]
        if values.numel() < 64:
            continue
        kept = max(1, int(_TRIMMED * values.numel()))
        counted.append(values.kthvalue(kept).values.detach() >= values)
        counted[-1] = values[counted[-1]].mean()
    return torch.stack(counted).mean() if counted else apart.sum() * 0


class LearntAligner:
    """The network, coarse to fine: each level refines what the one before has found."""

    def __init__(self, net: AlignmentNet) -> None:
        self.net = net.eval()

    @torch.no_grad()
    def align(self, first: Grey, second: Grey, hidden: Mask | None = None) -> Motion:
        """See `Aligner`; the motion is affine."""
        height, width = first.shape
        total = np.eye(3)
        share = 0.0
        if hidden is not None and hidden.any():
            first = first.copy()
            first[hidden] = cv2.blur(first, (31, 31))[hidden]
        for wanted in _LEVELS:
            level = min(wanted, width // STRIDE * STRIDE)
            seen = cv2.warpPerspective(
                second, np.linalg.inv(total), (width, height), borderMode=cv2.BORDER_REPLICATE
            )
            a, b = (
                torch.from_numpy(normalised(np.asarray(each, np.uint8), level)[None, None])
                for each in (first, seen)
            )
            maps, agreed = self.net(a, b)
            found = _at_width(maps[0].numpy().astype(float), level, width)
            total = total @ np.vstack([found, [0, 0, 1]])
            share = float(agreed[0])
        plain = np.abs(total[:2, :2] - np.eye(2)).max() < 0.5
        return Motion(total if share > _LEAST_AGREED and plain else None, share)


class BetterAligner:
    """Both ways of alignment, of which the one that leaves less difference is used, pair by pair."""

    def __init__(self, classical: Aligner, learnt: Aligner) -> None:
        self.classical, self.learnt = classical, learnt

    def align(self, first: Grey, second: Grey, hidden: Mask | None = None) -> Motion:
        """See `Aligner`."""
        found = [each.align(first, second, hidden) for each in (self.classical, self.learnt)]
        possible = [motion for motion in found if motion.matrix is not None]
        if not possible:
            return found[0]
        return min(possible, key=lambda motion: _left(first, second, motion))

    def compare(self, shots: Sequence[Shot], pairs: int = 40) -> dict[str, float]:
        """Mean residual of both, and of none, over pairs of neighbours, grey levels."""
        rng = np.random.default_rng(0)
        left: dict[str, list[float]] = {"learnt": [], "classical": [], "none": []}
        overlays: dict[int, Mask] = {}
        for _ in range(pairs):
            number = int(rng.integers(len(shots)))
            shot = shots[number]
            if number not in overlays:
                overlays[number] = find_overlay(shot.pixels)
            row = int(rng.integers(len(shot.pixels) - 1))
            first, second = (cv2.cvtColor(shot.pixels[i], cv2.COLOR_RGB2GRAY) for i in (row, row + 1))
            still = photometric_residual(first, second, np.eye(3))
            left["none"].append(still)
            for name, each in (("learnt", self.learnt), ("classical", self.classical)):
                motion = each.align(first, second, overlays[number])
                left[name].append(still if motion.matrix is None else _left(first, second, motion))
        return {name: float(np.mean(values)) for name, values in left.items()}


def _left(first: Grey, second: Grey, motion: Motion) -> float:
    assert motion.matrix is not None
    return photometric_residual(first, second, motion.matrix)
