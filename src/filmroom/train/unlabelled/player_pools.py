"""Which candidates are players: two pools that grow by the score of a triplet-trained embedding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.train.networks import conv
from filmroom.train.unlabelled.candidates import BodyHeight, Candidates

Pictures = NDArray[np.uint8]
Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tell = Callable[[int, int, dict[str, float]], None]

PATCH = (64, 32)
"""Height and width of the patches that are embedded, pixels."""

_NARROW = 0.62  # width over height of one body for certain
_CONTEXT = 0.08  # share of its size by which a box is grown on every side before it is cut out


@dataclass(frozen=True)
class PoolRecipe:
    """The published loop's numbers; `paper` draws anchors from all candidates, as it is printed."""

    iterations: int = 4
    steps: int = 50
    batch: int = 32
    margin: float = 0.3
    most_border: float = 0.2
    positive_score: float = 0.35
    negative_score: float = -0.35
    most_growth: float = 0.1
    rate: float = 2e-3
    seed: int = 1
    paper: bool = False


class PatchEmbedding(nn.Module):
    """(N, 3, 64, 32) in 0..1 to unit vectors (N, 32)."""

    def __init__(self, widths: tuple[int, ...] = (12, 24, 48, 64), size: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in widths:
            layers.append(conv(before, width, 3, 2))
            before = width
        self.layers = nn.Sequential(*layers, conv(before, before))
        self.out = nn.Linear(before * 8, size)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        out: Tensor = nn.functional.normalize(self.out(self.layers(x).flatten(1)), dim=1)
        return out


@dataclass
class Pools:
    """Rows of the patches that are taken for players, and for none; all patches, and their scores."""

    patches: Pictures
    positive: Mask
    negative: Mask
    scores: NDArray[np.float32]


def plausible_single(found: Candidates, height: BodyHeight) -> Mask:
    """(N,) boxes as tall as a person there, upright, and no wider than a running one."""
    w, h = found.boxes[:, 2], found.boxes[:, 3]
    expected = height.at(found.boxes[:, 1] + h)
    share = h / expected
    return np.asarray((share > 0.68) & (share < 1.4) & (w < 0.85 * h) & (w > 0.18 * h))


def strict_positives(found: Candidates, height: BodyHeight, recipe: PoolRecipe) -> Mask:
    """(N,) regions that are compact single bodies: middle in the mask, little mask on the border."""
    filled = found.area / (found.boxes[:, 2] * found.boxes[:, 3])
    single = found.centred & (found.border < recipe.most_border) & plausible_single(found, height)
    single &= found.boxes[:, 2] < _NARROW * found.boxes[:, 3]
    return np.asarray(single & (filled > 0.33) & (found.clusters == 1))


def merged_boxes(boxes: Boxes, rng: np.random.Generator, count: int) -> Boxes:
    """`count` boxes around two random ones each: what a player alone never looks like."""
    if len(boxes) < 2:
        return np.zeros((0, 4))
    first, second = (boxes[rng.integers(len(boxes), size=count)] for _ in range(2))
    start = np.minimum(first[:, :2], second[:, :2])
    end = np.maximum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    return np.concatenate([start, end - start], axis=1)


def field_boxes(
    like: Boxes, away_from: Boxes, size: tuple[int, int], rng: np.random.Generator, count: int
) -> Boxes:
    """`count` boxes, sized like the players, at random places that overlap none of `away_from`."""
    if not len(like):
        return np.zeros((0, 4))
    shapes = like[rng.integers(len(like), size=4 * count), 2:] * rng.uniform(0.6, 1.6, (4 * count, 1))
    start = rng.uniform(0, 1, (4 * count, 2)) * np.maximum(1, np.array(size) - shapes)
    boxes = np.concatenate([start, shapes], axis=1)
    if len(away_from):
        from filmroom.geometry.boxes import ious

        boxes = boxes[ious(boxes, away_from).max(axis=1) <= 0.1]
    return np.asarray(boxes[:count])


def cut_patches(picture: Pictures, boxes: Boxes) -> Pictures:
    """(N, 64, 32, 3) what the boxes show, a little grown."""
    patches = np.zeros((len(boxes), *PATCH, 3), np.uint8)
    for row, (x, y, w, h) in enumerate(boxes):
        wide, tall = max(w, 2.0), max(h, 2.0)
        left, top = x - _CONTEXT * wide, y - _CONTEXT * tall
        scale_x = PATCH[1] / (wide * (1 + 2 * _CONTEXT))
        scale_y = PATCH[0] / (tall * (1 + 2 * _CONTEXT))
        matrix = np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])
        patches[row] = cv2.warpAffine(
            picture, matrix, (PATCH[1], PATCH[0]), borderMode=cv2.BORDER_REPLICATE
        )
    return patches


def grow_pools(
    patches: Pictures, positive: Mask, negative: Mask, recipe: PoolRecipe, tell: Tell
) -> tuple[PatchEmbedding, Pools]:
    """The published loop: train the embedding on the pools, score everything, let the pools grow."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    net = PatchEmbedding()
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=1e-3)
    positive, negative = positive.copy(), negative.copy()
    scores = np.zeros(len(patches), np.float32)
    for iteration in range(recipe.iterations):
        net.train()
        loss = torch.zeros(())
        for _ in range(recipe.steps):
            loss = _triplet_step(net, patches, positive, negative, recipe, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        vectors = embed(net, patches)
        scores = pool_scores(vectors, positive, negative)
        positive |= _best(scores, ~positive & ~negative, recipe.positive_score, recipe.most_growth)
        negative |= _best(-scores, ~positive & ~negative, -recipe.negative_score, recipe.most_growth)
        told = {
            "triplet": loss.item(),
            "players": float(positive.sum()),
            "others": float(negative.sum()),
        }
        tell(iteration + 1, recipe.iterations, told)
    return net, Pools(patches, positive, negative, scores)


def _triplet_step(
    net: PatchEmbedding,
    patches: Pictures,
    positive: Mask,
    negative: Mask,
    recipe: PoolRecipe,
    rng: np.random.Generator,
) -> Tensor:
    players, others = np.flatnonzero(positive), np.flatnonzero(negative)
    anchors = np.arange(len(patches)) if recipe.paper else players
    near, far = rng.choice(players, recipe.batch), rng.choice(others, recipe.batch)
    rows = np.concatenate([rng.choice(anchors, recipe.batch), near, far])
    vectors = net(_as_input(patches[rows], rng))
    a, p, n = vectors.split(recipe.batch)
    loss = triplet_loss(a, p, n, recipe.margin)
    if recipe.paper:
        return loss
    # Symmetrically, those who are no players belong together: else only one side is held.
    other = net(_as_input(patches[rng.choice(others, recipe.batch)], rng))
    return loss + triplet_loss(n, other, p, recipe.margin)


def triplet_loss(anchor: Tensor, near: Tensor, far: Tensor, margin: float) -> Tensor:
    """max(0, |a - p|^2 - |a - n|^2 + margin), mean over rows."""
    closer = (anchor - near).square().sum(1)
    further = (anchor - far).square().sum(1)
    return (closer - further + margin).clamp(min=0).mean()


def pool_scores(vectors: NDArray[np.float32], positive: Mask, negative: Mask) -> NDArray[np.float32]:
    """(d(p, negative) - d(p, positive)) / (their sum), d squared distance to a pool's mean: -1..1."""
    return pool_scores_against(vectors, vectors[positive].mean(axis=0), vectors[negative].mean(axis=0))


def pool_scores_against(
    vectors: NDArray[np.float32], positive: NDArray[np.float32], negative: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`pool_scores` with the means (D,) of the two pools given."""
    near = ((vectors - positive) ** 2).sum(axis=1)
    far = ((vectors - negative) ** 2).sum(axis=1)
    return np.asarray((far - near) / np.maximum(1e-9, far + near), np.float32)


def _best(scores: NDArray[np.float32], free: Mask, least: float, share: float) -> Mask:
    """The free rows that score above `least`, at most `share` of all, best first."""
    chosen = np.zeros(len(scores), bool)
    rows = np.flatnonzero(free & (scores > least))
    rows = rows[np.argsort(-scores[rows], kind="stable")][: int(share * len(scores))]
    chosen[rows] = True
    return chosen


def _as_input(patches: Pictures, rng: np.random.Generator | None = None) -> Tensor:
    values = torch.from_numpy(patches.transpose(0, 3, 1, 2).copy()).float() / 255
    if rng is None:
        return values
    flipped = torch.from_numpy(rng.random(len(patches)) < 0.5)
    values = torch.where(flipped[:, None, None, None], values.flip(3), values)
    gain = torch.from_numpy(rng.uniform(0.8, 1.2, (len(patches), 1, 1, 1))).float()
    return values * gain


@torch.no_grad()
def embed(net: PatchEmbedding, patches: Pictures) -> NDArray[np.float32]:
    """Unit vectors (N, 32) of patches (N, 64, 32, 3)."""
    net.eval()
    parts = [
        net(_as_input(patches[start : start + 512])).numpy() for start in range(0, len(patches), 512)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 32), np.float32)


def choose_players(
    found: Candidates, scores: NDArray[np.float32], height: BodyHeight
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows taken for players, how sure, 0..1: of each region the division whose parts score best."""
    expected = height.at(found.boxes[:, 1] + found.boxes[:, 3])
    misfit = np.log(found.boxes[:, 3] / expected) / 0.35
    misfit_width = np.maximum(0, found.boxes[:, 2] / (0.7 * found.boxes[:, 3]) - 1) * 2
    worth = scores.astype(float) - 0.5 * misfit**2 - 0.5 * misfit_width**2
    rows: list[int] = []
    for region in np.unique(found.region):
        best, value = np.zeros(0, np.int64), -np.inf
        here = found.region == region
        for clusters in np.unique(found.clusters[here]):
            parts = np.flatnonzero(here & (found.clusters == clusters))
            mean = float((worth[parts] * found.area[parts]).sum() / found.area[parts].sum())
            if mean > value + 1e-9:
                best, value = parts, mean
        rows += best[worth[best] > -0.5].tolist()
    chosen = np.array(rows, np.int64)
    sure = 1 / (1 + np.exp(-4 * worth[chosen])) if len(chosen) else np.zeros(0)
    return chosen, sure
