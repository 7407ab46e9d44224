"""Silhouettes: how well the shipped segmenter cuts people out, and what it costs.

    python benchmarks/silhouettes.py [--data FOLDER] [--model FOLDER] [--pictures N]

Prints mean IoU on simulated pictures (people 28 to 140 pixels tall, a third close to another; blur,
noise and JPEG as in television; boxes off by 3 %) for each style of figure, `painted` being the one
never trained on; mean IoU against what grass tells of real people
(val of football-detection, where FOLDER or FILMROOM_DATA has it; pixels in doubt left out); and CPU
time of `segment` for 22 people in a 1920 x 1080 picture on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.formats.coco import CocoSet
from filmroom.geometry import boxes as box_geometry
from filmroom.geometry.masks import windows
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.simulate.figures import STYLES, draw_figure, paste_sprite, random_look, random_pose
from filmroom.simulate.kits import random_kit
from filmroom.train.augment import motion_blur
from filmroom.train.composites import PEOPLE, background
from filmroom.train.grass_silhouettes import BACKGROUND, PERSON, grass_silhouettes

WIDTH, HEIGHT, PEOPLE_A_PICTURE = 1280, 720, 16
LEAST_VISIBLE = 0.3  # share of a body below which it is not asked for


class Scene(NamedTuple):
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    masks: list[NDArray[np.bool_]]
    visible: NDArray[np.float64]


def simulated_scene(style: str, rng: np.random.Generator) -> Scene:
    """People of two teams and a referee, a third of them close to another."""
    pixels = background([], (HEIGHT, WIDTH), 80.0, rng)
    kits = [random_kit(rng) for _ in range(3)]
    feet = np.stack(
        [rng.uniform(60, WIDTH - 60, PEOPLE_A_PICTURE), rng.uniform(150, HEIGHT, PEOPLE_A_PICTURE)], 1
    )
    for index in np.flatnonzero(rng.random(PEOPLE_A_PICTURE) < 0.33):
        feet[index] = feet[rng.integers(PEOPLE_A_PICTURE)] + rng.normal(0, 1, 2) * (22, 10)
    # As a rule the nearer stand lower in the picture and are taller.
    statures = (24 + rng.uniform(0.03, 0.16) * feet[:, 1]) * rng.normal(1, 0.05, len(feet))
    light, elevation = rng.uniform(-1, 1), rng.uniform(0.1, 0.5)
    boxes, alphas = [], []
    for index in np.argsort(feet[:, 1]):
        kit = kits[int(rng.choice(3, p=[0.45, 0.45, 0.1]))]
        sprite = draw_figure(
            random_look(rng, kit), random_pose(rng), height_px=statures[index],
            heading=rng.uniform(0, 2 * np.pi), style=style, rng=rng, elevation=elevation, light=light,
        )  # fmt: skip
        drawn = paste_sprite(pixels, sprite, (feet[index, 0], feet[index, 1]))
        if drawn is None:
            continue
        alpha, (left, top) = drawn
        whole = np.zeros((HEIGHT, WIDTH), np.float32)
        whole[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha
        for earlier in alphas:
            earlier[1] *= 1 - whole
        alphas.append([float(whole.sum()), whole])
        boxes.append((left, top, alpha.shape[1], alpha.shape[0]))
    pixels = as_broadcast(pixels, rng)
    exact = np.array(boxes, float)
    wobble = rng.normal(0, 0.03, (len(exact), 4)) * exact[:, [2, 3, 2, 3]]
    shaken = exact + np.stack([wobble[:, 0], wobble[:, 1], wobble[:, 2], wobble[:, 3]], 1)
    visible = np.array([seen.sum() / total for total, seen in alphas])
    return Scene(
        pixels, box_geometry.clip(shaken, WIDTH, HEIGHT), [seen > 0.5 for _, seen in alphas], visible
    )


def as_broadcast(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A little blur, camera motion and noise, and JPEG quality 45 to 95."""
    pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 0.9)), np.uint8)
    if rng.random() < 0.3:
        pixels = motion_blur(pixels, rng.uniform(1, 4), rng.uniform(0, np.pi))
    noise = rng.normal(0, rng.uniform(0, 4), pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def scene_ious(segmenter: CropSegmenter, scene: Scene) -> list[tuple[float, bool]]:
    """IoU of every body that shows enough, and whether something stands before it."""
    found = segmenter.segment(scene.pixels, scene.boxes)
    corners = windows(scene.boxes, WIDTH, HEIGHT)
    ious = []
    for mask, truth, share, (x0, y0, x1, y1) in zip(
        found.masks, scene.masks, scene.visible, corners, strict=True
    ):
        if share < LEAST_VISIBLE or not truth.any():
            continue
        shared = np.count_nonzero(mask & truth[y0:y1, x0:x1])
        union = np.count_nonzero(mask) + np.count_nonzero(truth) - shared
        ious.append((shared / union, share < 0.95))
    return ious


def grass_ious(segmenter: CropSegmenter, folder: Path) -> list[float]:
    """IoU on the pixels that the grass around tells apart, real people of the validation pictures."""
    coco, ious = CocoSet(folder, "val"), []
    for image in coco:
        people = image.boxes[[name in PEOPLE for name in image.categories]]
        picture = coco.picture(image)
        for crop in grass_silhouettes(picture, people):
            height, width = crop.labels.shape
            mask = segmenter.segment(crop.pixels, crop.box[None]).masks[0]
            x0, y0, x1, y1 = windows(crop.box[None], width, height)[0]
            labels = crop.labels[y0:y1, x0:x1]
            person, background_ = labels == PERSON, labels == BACKGROUND
            shared = np.count_nonzero(mask & person)
            union = np.count_nonzero(person) + np.count_nonzero(mask & background_)
            ious.append(shared / max(1, union))
    return ious


def cost(segmenter: CropSegmenter) -> float:
    """Median CPU ms of one picture with 22 people 60 to 160 pixels tall."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (1080, 1920, 3), dtype=np.uint8)
    tall = rng.uniform(60, 160, 22)
    boxes = np.stack([rng.uniform(0, 1800, 22), rng.uniform(0, 900, 22), 0.45 * tall, tall], 1)
    times = []
    for _ in range(30):
        started = time.process_time()
        segmenter.segment(picture, boxes)
        times.append(1e3 * (time.process_time() - started))
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FILMROOM_DATA"))
    parser.add_argument("--model", type=Path, help="a folder with segmenter.onnx to measure instead")
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = CropSegmenter(parts=options.model)
    results: dict[str, Any] = {}
    for style in STYLES:
        rng = np.random.default_rng(100)
        ious = [
            iou
            for _ in range(options.pictures)
            for iou in scene_ious(segmenter, simulated_scene(style, rng))
        ]
        values, hidden = np.array([iou for iou, _ in ious]), np.array([part for _, part in ious])
        results[style] = {
            "iou": values.mean(),
            "iou_clear": values[~hidden].mean(),
            "iou_hidden": values[hidden].mean(),
            "below_half": (values < 0.5).mean(),
            "bodies": len(values),
        }
    for name in ("football-detection", "football-detection.zip"):
        if options.data and (Path(options.data) / name).exists():
            real = grass_ious(segmenter, Path(options.data) / name)
            results["grass"] = {"iou": float(np.mean(real)), "bodies": len(real)}
            break
    results["ms_a_picture"] = cost(segmenter)
    if options.json:
        json.dump(results, sys.stdout, default=float)
        return
    print("figures     mean IoU   clear   partly hidden   below 0.5   bodies")
    for style in STYLES:
        row = results[style]
        note = "  never trained on" if style == "painted" else ""
        print(
            f"{style:<10}  {row['iou']:8.3f}  {row['iou_clear']:6.3f}  {row['iou_hidden']:14.3f}"
            f"  {row['below_half']:10.3f}  {row['bodies']:7d}{note}"
        )
    if "grass" in results:
        row = results["grass"]
        print(f"real people on grass (football val, known pixels): {row['iou']:.3f} of {row['bodies']}")
    print(f"22 people, one thread: {results['ms_a_picture']:.1f} ms CPU a picture")


if __name__ == "__main__":
    main()
