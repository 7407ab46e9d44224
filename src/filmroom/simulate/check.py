"""Do the truths of a film agree with each other and with what is drawn? Measured, not assumed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.film import FrameTruth, Scene, film_frame, make_scene
from filmroom.simulate.settings import Settings

FloatArray = NDArray[np.float64]


def check_truth(settings: Settings, every: int = 20) -> dict[str, float]:
    """The largest disagreements in a film, by name; pixels except where said.

    `mask`: a silhouette's own extent against its visible box. `box`: visible box beyond the whole box.
    `ball`: the projected centre of the ball against the middle of its box, where all of it shows.
    `line`: the middle of a drawn line, found across it in the picture, against the projected line
    (median of the distances at all places, as grain moves single ones). `position cm`: a foot point
    projected into the picture and back to the ground. InputError for settings that cannot be.
    """
    # A clear picture, but through a lens that bends and an exposure that rolls.
    scene = replace(make_scene(replace(settings, difficulty="easy")), k1=0.08, slip=0.3)
    worst = {"mask": 0.0, "box": 0.0, "ball": 0.0, "position cm": 0.0}
    lines: list[float] = []
    for frame in range(0, len(scene), every):
        filmed = film_frame(scene, frame)
        truth = filmed.truth
        worst["mask"] = max(worst["mask"], _mask_misfit(truth))
        worst["box"] = max(worst["box"], _box_excess(truth))
        worst["ball"] = max(worst["ball"], _ball_misfit(truth))
        worst["position cm"] = max(worst["position cm"], 100 * _round_trip(truth))
        lines += _line_misfits(scene, truth, filmed.pixels)
    return worst | {"line": float(np.median(np.abs(lines))) if lines else math.nan}


def _mask_misfit(truth: FrameTruth) -> float:
    worst = 0.0
    for box, mask, role in zip(truth.visible_boxes, truth.masks, truth.roles, strict=True):
        if role == "hoop":
            continue
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        extent = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        worst = max(worst, float(np.abs(np.array(extent) - (0, 0, box[2], box[3])).max()))
    return worst


def _box_excess(truth: FrameTruth) -> float:
    whole, seen = truth.boxes, truth.visible_boxes
    low = (whole[:, :2] - seen[:, :2]).max(initial=0.0)
    high = (seen[:, :2] + seen[:, 2:] - whole[:, :2] - whole[:, 2:]).max(initial=0.0)
    return float(max(low, high, 0.0))


def _ball_misfit(truth: FrameTruth) -> float:
    if "ball" not in truth.roles:
        return 0.0
    row = truth.roles.index("ball")
    x, y, w, h = truth.boxes[row]
    if truth.visible[row] < 0.99:
        return 0.0
    pixel, _ = truth.camera.project(truth.positions[row : row + 1])
    return float(np.hypot(x + w / 2 - pixel[0, 0], y + h / 2 - pixel[0, 1]))


def _round_trip(truth: FrameTruth) -> float:
    """Metres between positions and where their pixels lead back to on the ground."""
    people = np.array([role not in ("ball", "hoop") for role in truth.roles], dtype=bool)
    ground = truth.positions[people] * np.array([1.0, 1.0, 0.0])
    pixels, _ = truth.camera.project(ground)
    return float(np.abs(truth.camera.to_ground(pixels) - ground[:, :2]).max(initial=0.0))


def _line_misfits(scene: Scene, truth: FrameTruth, pixels: NDArray[np.uint8]) -> list[float]:
    """Pixels between each line's middle as painted and as projected, across it, signed."""
    camera = truth.camera
    bright = pixels.astype(float).sum(axis=2)
    taken = _covered(truth, bright.shape)
    found = []
    for line in scene.play.surface.lines:
        if line.paint == "broken":
            continue
        way = np.array(line.end[:2]) - np.array(line.start[:2])
        side = np.array([-way[1], way[0], 0.0]) / float(np.hypot(*way))
        points = line.points(3.0)[1:-1]
        centre, depth = camera.project(points)
        aside, _ = camera.project(points + 0.5 * line.width * side)
        for at, edge, near in zip(centre, aside, depth, strict=True):
            half = float(np.hypot(*(edge - at)))
            if near < 2 or half < 0.75:
                continue
            misfit = _across(bright, taken, at, (edge - at) / half, half)
            if misfit is not None:
                found.append(misfit)
    return found


def _covered(truth: FrameTruth, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where people, ball or graphics lie over the ground."""
    covered = truth.overlay.copy()
    for box, mask in zip(truth.visible_boxes.astype(int), truth.masks, strict=True):
        part = covered[box[1] : box[1] + mask.shape[0], box[0] : box[0] + mask.shape[1]]
        part |= mask[: part.shape[0], : part.shape[1]]
    return covered


def _across(
    bright: FloatArray, taken: NDArray[np.bool_], at: FloatArray, way: FloatArray, half: float
) -> float | None:
    """Where a line's middle lies on a cut across it, pixels from `at`; None if it cannot be seen."""
    reach = 2.0 * half + 3.0
    steps = np.arange(-reach, reach + 0.01, 0.25)
    spots = at + steps[:, None] * way - 0.5
    low = np.floor(spots).astype(int)
    height, width = bright.shape
    if (low < 0).any() or (low[:, 0] >= width - 1).any() or (low[:, 1] >= height - 1).any():
        return None
    if taken[low[:, 1], low[:, 0]].any():
        return None
    share = spots - low
    x, y = low[:, 0], low[:, 1]
    values = (
        bright[y, x] * (1 - share[:, 0]) * (1 - share[:, 1])
        + bright[y, x + 1] * share[:, 0] * (1 - share[:, 1])
        + bright[y + 1, x] * (1 - share[:, 0]) * share[:, 1]
        + bright[y + 1, x + 1] * share[:, 0] * share[:, 1]
    )
    outside = np.abs(steps) > 1.6 * half + 1.0
    # Paint may be darker than the floor; what is on either side must look alike.
    left, right = values[outside & (steps < 0)].mean(), values[outside & (steps > 0)].mean()
    weight = np.abs(values - (left + right) / 2)
    weight = np.clip(weight - 1.5 * abs(left - right) - 0.25 * weight.max(), 0.0, None)
    if weight.max() < 45.0 or weight.sum() <= 0:
        return None
    return float((weight * steps).sum() / weight.sum())
