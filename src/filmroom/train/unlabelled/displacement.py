"""Where each player goes next: a displacement head learnt without labels, and matching by it.

After CenterTrack (Zhou et al. 2020): the network sees a picture, the next one laid over it along the
camera, and the centres of the people in the first; it answers with a centre heatmap, widths and
heights, and a displacement. What displacement is right follows from the heatmaps C alone, which move
with the people: C_x Vx + C_y Vy + C_t = 0. The printed loss sums that over a region round each object,
where the sums of C_x and C_y vanish: it is kept as the recipe `paper`. Ours solves the equation pixel
by pixel (Lucas and Kanade 1981) from wide Gaussians to narrow ones, starting from a soft one-to-one
matching of the centres (Sinkhorn 1967), and carries answers over several frames.
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
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from filmroom.geometry.homography import transform_boxes
from filmroom.train.schedule import WeightAverage, decayed_groups, train_in_steps
from filmroom.train.unlabelled.players import ShotPlayers
from filmroom.train.unlabelled.unet import MULTIPLE, UNet

Boxes = NDArray[np.float64]
Pictures = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Tell = Callable[[int, int, dict[str, float]], None]

SHRINK = 2
"""The network sees the small pictures at half their size, and answers at a quarter."""

_CELL = 2 * SHRINK  # pixels of the small picture for one of the answer
_SURE = 0.5
_TEMPERATURE = 0.12  # of the soft matching, in heights of a person
_SINKHORN_TURNS = 20
_SIGMAS = (4.0, 2.0, 1.0)
_LEAST_SIGMA = 4.0
_SIGMA_SHARE = 0.25  # of the box's height
_FORESHORTENED = 3.0  # times that a step towards the camera is shorter in the picture
_HEADS = 1.0  # weight of a squared distance between heads; feet swing, heads nod
_ALPHA, _BETA, _KEPT = 0.6, 0.3, 0.9  # of the filter, and share of a motion that lasts
_NEVER = 1e9
_UNIT = 16.0  # pixels of the small picture that the network calls one


class DisplacementNet(UNet):
    """(N, 7, H, W): picture, next picture, centres; to (N, 5, H/2, W/2).

    Channels: centre logit, log width, log height (in cells), displacement x and y (in 16 pixels).
    """

    def __init__(self) -> None:
        super().__init__(7, 5)
        with torch.no_grad():
            self.out.weight[3:] *= 0.1
            self.out.bias.copy_(torch.tensor([-4.0, 1.0, 2.0, 0.0, 0.0]))


@dataclass(frozen=True)
class DisplacementRecipe:
    """Everything that decides the result; `paper` is the printed loss, one sum an object."""

    steps: int = 400
    batch: int = 4
    largest_gap: int = 2
    rate: float = 2e-3
    paper: bool = False
    seed: int = 1
    checkpoint_every: int = 100


def gaussians(
    boxes: Boxes, size: tuple[int, int], cell: float, widen: float = 1.0
) -> NDArray[np.float32]:
    """(h, w) the centre heatmap of boxes (N, 4): the greatest of a Gaussian at each centre.

    `size` is its width and height in cells of `cell` pixels. Sigma is a quarter of a box's height, at
    least four pixels, times `widen`.
    """
    columns, rows = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    heat = np.zeros((size[1], size[0]), np.float32)
    for x, y, w, h in boxes:
        sigma = widen * max(_LEAST_SIGMA, _SIGMA_SHARE * h) / cell
        across = np.exp(-((columns - (x + w / 2) / cell) ** 2) / (2 * sigma**2))
        down = np.exp(-((rows - (y + h / 2) / cell) ** 2) / (2 * sigma**2))
        np.maximum(heat, np.outer(down, across), out=heat)
    return heat


def centres_of(boxes: Boxes) -> Matrix:
    """Middles (N, 2) of boxes (N, 4)."""
    return np.asarray(boxes[:, :2] + boxes[:, 2:] / 2, float)


def feet_of(boxes: Boxes) -> Matrix:
    """Middles (N, 2) of the lower edges of boxes (N, 4)."""
    return np.asarray(boxes[:, :2] + boxes[:, 2:] * [0.5, 1.0], float)


def soft_matches(first: Boxes, second: Boxes) -> tuple[Matrix, NDArray[np.float64]]:
    """Expected displacement (N, 2) of each box of `first`, and how sure (N,), 0..1.

    Sinkhorn's normalisation of exp(-distance / temperature) with a place for who leaves or is not
    found: two who cross cannot both go to the same box.
    """
    if not len(first) or not len(second):
        return np.zeros((len(first), 2)), np.zeros(len(first))
    moved = centres_of(second)[None] - centres_of(first)[:, None]
    height = np.maximum(first[:, 3], 8)[:, None]
    size = np.abs(np.log(second[None, :, 3] / first[:, None, 3]))
    cost = np.linalg.norm(moved, axis=2) / height + 0.5 * size
    kernel = np.exp(-cost / _TEMPERATURE)
    padded = np.pad(kernel, ((0, 1), (0, 1)), constant_values=np.exp(-0.7 / _TEMPERATURE))
    for _ in range(_SINKHORN_TURNS):
        padded[:-1] /= padded[:-1].sum(axis=1, keepdims=True)
        padded[:, :-1] /= padded[:, :-1].sum(axis=0, keepdims=True)
    share = padded[:-1, :-1]
    total = share.sum(axis=1)
    likely = share / np.maximum(total, 1e-9)[:, None]
    entropy = -(likely * np.log(likely + 1e-12)).sum(axis=1) / np.log(max(2, len(second)))
    sure = np.clip(total, 0, 1) * (1 - entropy)
    return (likely[:, :, None] * moved).sum(axis=1), sure


def flow_of_heat(
    first: Boxes, second: Boxes, size: tuple[int, int], start: Matrix, sigmas: Sequence[float] = _SIGMAS
) -> Matrix:
    """Displacement (N, 2) of each box of `first` that solves C_x Vx + C_y Vy + C_t = 0 around it.

    Per-pixel normal equations inside each Gaussian, coarse to fine; the second heatmap is moved back by
    what is known so far. `size` is width and height in pixels, `start` (N, 2) the first guess.
    """
    cell = 2.0
    cells = (max(8, round(size[0] / cell)), max(8, round(size[1] / cell)))
    moved = start.copy()
    for widen in sigmas:
        before, after = (gaussians(boxes, cells, cell, widen) for boxes in (first, second))
        slope_x, slope_y = (
            cv2.Sobel(after, cv2.CV_32F, 1, 0) / 8,
            cv2.Sobel(after, cv2.CV_32F, 0, 1) / 8,
        )
        for index, (x, y, w, h) in enumerate(first):
            reach = int(np.ceil(1.5 * widen * max(_LEAST_SIGMA, _SIGMA_SHARE * h) / cell))
            column, row = (x + w / 2) / cell - 0.5, (y + h / 2) / cell - 0.5
            grid = np.arange(-reach, reach + 1, dtype=np.float32)
            there_x, there_y = np.meshgrid(column + grid, row + grid)
            here = cv2.remap(
                before, there_x.astype(np.float32), there_y.astype(np.float32), cv2.INTER_LINEAR
            )
            for _ in range(3):
                at_x = (there_x + moved[index, 0] / cell).astype(np.float32)
                at_y = (there_y + moved[index, 1] / cell).astype(np.float32)
                now, gx, gy = (
                    cv2.remap(each, at_x, at_y, cv2.INTER_LINEAR) for each in (after, slope_x, slope_y)
                )
                apart = (now - here).ravel().astype(float)
                slopes = np.stack([gx.ravel(), gy.ravel()], axis=1).astype(float)
                normal = slopes.T @ slopes + 1e-3 * np.eye(2)
                step = np.linalg.solve(normal, -slopes.T @ apart) * cell
                moved[index] += np.clip(step, -0.5 * h, 0.5 * h)
    return moved


def published_loss(heat: Tensor, after: Tensor, moved: Tensor, regions: Tensor) -> Tensor:
    """The printed loss of one pair: sum over regions of (Q + Vx sum C_x + Vy sum C_y)^2.

    `heat`, `after` (H, W) the two heatmaps, `moved` (R, 2) displacements in cells, `regions` (R, H, W)
    masks. Q is the sum of C(t + dt) - C(t) over a region. Where a region is symmetric about its
    object the sums of the slopes are nought, and with them the gradient.
    """
    slope_x = F.pad((after[:, 2:] - after[:, :-2]) / 2, (1, 1))
    slope_y = F.pad((after[2:] - after[:-2]) / 2, (0, 0, 1, 1))
    change = (regions * (after - heat)).sum((1, 2))
    sums = torch.stack([(regions * slope).sum((1, 2)) for slope in (slope_x, slope_y)], 1)
    return (change + (sums * moved).sum(1)).square().sum()


@dataclass(frozen=True)
class _Pair:
    inputs: NDArray[np.float32]
    heat: NDArray[np.float32]
    after: NDArray[np.float32]
    boxes: Boxes
    target: Matrix
    sure: NDArray[np.float64]


def train_displacement(
    players: Sequence[ShotPlayers], folder: Path, recipe: DisplacementRecipe, tell: Tell
) -> DisplacementNet:
    """Train on the boxes found in the shots; goes on from a checkpoint in `folder`."""
    torch.manual_seed(recipe.seed)
    net = DisplacementNet().to(memory_format=torch.channels_last)
    average = WeightAverage(net, 0.99)
    optimiser = torch.optim.AdamW(decayed_groups(net, 0.01), lr=recipe.rate)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        chosen = players[int(rng.integers(len(players)))]
        pairs = [_random_pair(chosen, recipe, rng) for _ in range(recipe.batch)]
        inputs = torch.from_numpy(np.stack([pair.inputs for pair in pairs]))
        return _losses(net(inputs.contiguous(memory_format=torch.channels_last)), pairs, recipe.paper)

    checkpoint = folder / "displacement.pt"
    train_in_steps(net, average, optimiser, checkpoint, recipe, losses, tell, warmup=30)
    trained = average.net
    assert isinstance(trained, DisplacementNet)
    return trained


def _random_pair(players: ShotPlayers, recipe: DisplacementRecipe, rng: np.random.Generator) -> _Pair:
    motion = players.motion
    count = len(motion.rows)
    gap = int(rng.integers(1, recipe.largest_gap + 1))
    row = int(rng.integers(max(1, count - gap)))
    later = min(count - 1, row + gap)
    boxes = players.boxes[row][players.sure[row] > _SURE]
    target, sure = carried_targets(players, row, later)
    steps = motion.panorama.to_frame
    step = steps[later] @ np.linalg.inv(steps[row])
    pixels = motion.shot.pixels
    first, second = pixels[motion.rows[row]], pixels[motion.rows[later]]
    others = transform_boxes(np.linalg.inv(step), players.boxes[later][players.sure[later] > _SURE])
    if rng.random() < 0.5:
        width = first.shape[1]
        first, second = first[:, ::-1], second[:, ::-1]
        mirror = np.diag([-1.0, 1.0, 1.0])
        mirror[0, 2] = width - 1
        step = mirror @ step @ mirror
        for each in (boxes, others):
            each[:, 0] = width - each[:, 0] - each[:, 2]
        target = target * [-1.0, 1.0]
    inputs = network_input(first, second, step, boxes)
    cells = (inputs.shape[2] // 2, inputs.shape[1] // 2)
    heat, after = (gaussians(each, cells, _CELL) for each in (boxes, others))
    return _Pair(inputs, heat, after, boxes, target, sure)


def carried_targets(players: ShotPlayers, row: int, later: int) -> tuple[Matrix, NDArray[np.float64]]:
    """Displacement (N, 2) of the sure boxes of picture `row` up to `later`, camera undone; trust (N,).

    Steps of one picture are small and easily told apart; several of them are carried one after the
    other, so that a wide gap is learnt from narrow ones.
    """
    to_frame = players.motion.panorama.to_frame
    first = players.boxes[row][players.sure[row] > _SURE]
    where = first.copy()
    sure = np.ones(len(first))
    for now in range(row, later):
        back = to_frame[row] @ np.linalg.inv(to_frame[now + 1])
        following = transform_boxes(back, players.boxes[now + 1][players.sure[now + 1] > _SURE])
        soft, trust = soft_matches(where, following)
        moved = flow_of_heat(where, following, players.motion.size, soft, (1.0,))
        moved = np.where(np.linalg.norm(moved - soft, axis=1, keepdims=True) < 4.0, moved, soft)
        where = where.copy()
        where[:, :2] += moved
        sure *= trust
    return centres_of(where) - centres_of(first), sure


def network_input(first: Pictures, second: Pictures, step: Matrix, boxes: Boxes) -> NDArray[np.float32]:
    """(7, H, W) what the network sees: the pictures (h, w, 3), the second through `step`, centres.

    `step` is the homography from pixels of the first to those of the second, `boxes` (N, 4) lie in the
    first.
    """
    height, width = first.shape[:2]
    over_it = cv2.warpPerspective(
        second, np.linalg.inv(step), (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    size = (
        -(-width // SHRINK // MULTIPLE) * MULTIPLE,
        -(-height // SHRINK // MULTIPLE) * MULTIPLE,
    )
    seen = np.zeros((size[1], size[0], 7), np.float32)
    for index, picture in enumerate((first, over_it)):
        small = cv2.resize(
            np.ascontiguousarray(picture),
            (width // SHRINK, height // SHRINK),
            interpolation=cv2.INTER_AREA,
        )
        seen[: small.shape[0], : small.shape[1], 3 * index : 3 * index + 3] = small / np.float32(255)
    seen[:, :, 6] = gaussians(boxes, size, SHRINK)
    return np.ascontiguousarray(seen.transpose(2, 0, 1))


def _losses(output: Tensor, pairs: Sequence[_Pair], paper: bool) -> dict[str, Tensor]:
    heat_loss, size_loss, move_loss = [], [], []
    for answer, pair in zip(output, pairs, strict=True):
        heat = torch.from_numpy(pair.heat)
        heat_loss.append(_focal(answer[0], heat))
        if not len(pair.boxes):
            continue
        sampled = at_centres(answer, pair.boxes)
        sides = torch.from_numpy(np.log(np.maximum(pair.boxes[:, 2:], 1) / _CELL)).float()
        size_loss.append((sampled[:, 1:3] - sides).abs().mean())
        if paper:
            after = torch.from_numpy(pair.after)
            regions = torch.from_numpy(
                np.stack([gaussians(box[None], heat.shape[::-1], _CELL) > 0.1 for box in pair.boxes])
            )
            moved = sampled[:, 3:] * (_UNIT / _CELL)
            move_loss.append(published_loss(heat, after, moved, regions.float()) / len(pair.boxes))
        else:
            target = torch.from_numpy(pair.target / _UNIT).float()
            sure = torch.from_numpy(pair.sure).float()
            apart = F.smooth_l1_loss(sampled[:, 3:], target, reduction="none", beta=0.1).sum(1)
            move_loss.append((apart * sure).sum() / sure.sum().clamp(min=1))
    zero = output.sum() * 0
    return {
        "centre": torch.stack(heat_loss).mean(),
        "size": 0.1 * (torch.stack(size_loss).mean() if size_loss else zero),
        "displacement": torch.stack(move_loss).mean() if move_loss else zero,
    }


def _focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss of a centre heatmap (Law and Deng 2018, eq. 1)."""
    shown = logits.sigmoid()
    centre = (heat > 0.97).float()
    hit = F.logsigmoid(logits) * (1 - shown) ** 2 * centre
    miss = F.logsigmoid(-logits) * shown**2 * (1 - heat) ** 4 * (1 - centre)
    return -(hit + miss).sum() / centre.sum().clamp(min=1)


def at_centres(answer: Tensor, boxes: Boxes) -> Tensor:
    """(N, channels) the answer (channels, H, W) at the middles of boxes, small picture's pixels."""
    rows, columns = answer.shape[1:]
    where = torch.from_numpy(centres_of(boxes)).float() / _CELL
    grid = 2 * where / torch.tensor([float(columns), float(rows)]) - 1
    return F.grid_sample(answer[None], grid[None, None], align_corners=False, padding_mode="border")[
        0, :, 0
    ].T


@torch.no_grad()
def displacement_of(
    net: DisplacementNet, first: Pictures, second: Pictures, step: Matrix, boxes: Boxes
) -> Matrix:
    """(N, 2) how far the network expects each of the first picture's boxes to move, camera undone."""
    if not len(boxes):
        return np.zeros((0, 2))
    net.eval()
    inputs = torch.from_numpy(network_input(first, second, step, boxes))[None]
    moved = at_centres(net(inputs.contiguous(memory_format=torch.channels_last))[0], boxes)[:, 3:]
    return np.asarray(moved.numpy(), float) * _UNIT


def match_nearest(expected: Boxes, found: Boxes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of `expected` and of `found` that belong together: one to one, least squares in all.

    Distances, in heights of the person, are those of the feet, and less so of the heads; those of the
    feet count three times downwards, for a step towards the camera is foreshortened. No pair of middles
    is further apart than the geometric mean of the expected sides (CenterTrack's kappa), or than half
    its height if that is more.
    """
    if not len(expected) or not len(found):
        nothing = np.zeros(0, np.intp)
        return nothing, nothing
    apart = np.linalg.norm(centres_of(expected)[:, None] - centres_of(found)[None], axis=2)
    reach = np.maximum(np.sqrt(expected[:, 2] * expected[:, 3]), 0.5 * expected[:, 3])[:, None]
    steps = feet_of(expected)[:, None] - feet_of(found)[None]
    squares = ((steps * [1.0, _FORESHORTENED]) ** 2).sum(axis=2)
    squares += _HEADS * (expected[:, None, 1] - found[None, :, 1]) ** 2
    cost = np.where(apart < reach, squares / np.maximum(expected[:, 3:], 1) ** 2, _NEVER)
    rows, columns = linear_sum_assignment(cost)
    good = cost[rows, columns] < _NEVER
    return rows[good], columns[good]


@dataclass(frozen=True)
class Sighting:
    """The people of one picture as they are remembered, in the order of its boxes.

    boxes
        (N, 4) where they are, smoothed over time: legs swing, and boxes with them.
    moved
        (N, 2) pixels that each moves from picture to picture by himself, camera undone.
    known
        (N,) of whom it is known how he moves.
    """

    boxes: Boxes
    moved: Matrix
    known: NDArray[np.bool_]

    @staticmethod
    def first(boxes: Boxes) -> Sighting:
        """Of whom nothing is remembered yet."""
        return Sighting(boxes.astype(float), np.zeros((len(boxes), 2)), np.zeros(len(boxes), bool))

    def foreseen(self, step: Matrix, displacement: Matrix | None = None) -> Boxes:
        """Boxes (N, 4) where they are expected in the next picture, in which `step` lays this one.

        `displacement` (N, 2) is what the head answers: it counts for those of whom nothing is known.
        """
        moved = _KEPT * self.moved
        if displacement is not None:
            moved = np.where(self.known[:, None], moved, displacement)
        there = self.boxes.copy()
        there[:, :2] += moved
        return np.asarray(transform_boxes(step, there), float)

    def seen_again(
        self, expected: Boxes, found: Boxes, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> Sighting:
        """The people of the next picture, `found` (M, 4), of whom `columns` are `rows` of this one.

        An alpha-beta filter (Kalata 1984) of the middles of heads and feet; newcomers begin anew.
        """
        boxes, moved, known = found.astype(float), np.zeros((len(found), 2)), np.zeros(len(found), bool)
        before, now = _heads_and_feet(expected[rows]), _heads_and_feet(found[columns])
        apart = now - before
        x, top, bottom = (before + _ALPHA * apart).T
        width = found[columns, 2]
        boxes[columns] = np.stack([x - width / 2, top, width, bottom - top], axis=1)
        moved[columns] = _KEPT * self.moved[rows] + _BETA * apart[:, [0, 2]]
        known[columns] = True
        return Sighting(boxes, moved, known)


def _heads_and_feet(boxes: Boxes) -> Matrix:
    """(N, 3) middle, upper and lower edge of boxes (N, 4)."""
    return np.stack([boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1], boxes[:, 1] + boxes[:, 3]], axis=1)
