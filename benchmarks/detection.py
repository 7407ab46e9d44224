"""How well the shipped detector finds people, ball and hoop in held-out stadiums and arenas.

    python benchmarks/detection.py [--parts DIR]

COCO AP by pycocotools, at most 100 detections a picture, score from 0.02; people are all labelled
players, goalkeepers and referees as one class. The split is by stadium or arena (`match` in the
annotations); training never saw the val part. Milliseconds are the median of single pictures. The rows
of one pass are the network alone on the whole picture, the others include the second looks at crowds
and at balls.
The `crowded` rows are the same pictures with people of the same picture pasted into groups (seeded),
and for them the share found (score from 0.4, IoU from 0.5) of people whom another overlaps by a third
and more. The `close-ups` rows are pictures of simulated matches in which somebody is a third as tall as
the picture.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from real_data import data_folder
from scipy.optimize import linear_sum_assignment

from filmroom.formats.coco import CocoSet
from filmroom.geometry.boxes import clip, ious
from filmroom.observe.decode import KINDS
from filmroom.observe.detector import OnnxDetector
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.simulate.film import frames as film
from filmroom.simulate.settings import Settings
from filmroom.train.paste import cut_out_people, paste_figures

KIND_OF = {
    "player": "person",
    "goalkeeper": "person",
    "referee": "person",
    "ball": "ball",
    "hoop": "hoop",
}
CLOSE = 1 / 3  # of the picture's height
LEAST_VISIBLE = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    settings = {"threshold": 0.02, "threads": arguments.threads, "parts": arguments.parts}
    one_pass, detector = OnnxDetector(**settings, second_look=False), OnnxDetector(**settings)
    print(f"{'set':<40}{'kind':<9}{'AP50':>7}{'AP75':>7}{'AP':>7}{'boxes':>7}{'ms':>8}")
    segmenter = CropSegmenter()
    for name in ("football-detection", "basketball-detection"):
        pictures = list(labelled(CocoSet(data_folder() / f"{name}.zip", "val")))
        crowded = [crowd(*picture, segmenter, seed) for seed, picture in enumerate(pictures)]
        measure(f"{name}, one pass", pictures, one_pass)
        measure(name, pictures, detector)
        for looks, suffix in ((one_pass, ", one pass"), (detector, "")):
            measure(f"{name} crowded{suffix}", crowded, looks, ("person",))
            hidden_share(crowded, looks)
    for sport in ("soccer", "basketball", "hockey"):
        measure(f"{sport} close-ups", close_ups(sport), detector, ("person",))


Labelled = tuple[np.ndarray, np.ndarray, list[str]]
"""A picture, its boxes (N, 4) and the kind of each."""
CocoRows = dict[str, list[dict[str, object]]]


def labelled(pictures: CocoSet) -> Iterator[Labelled]:
    for image in pictures:
        known = [index for index, name in enumerate(image.categories) if name in KIND_OF]
        kinds = [KIND_OF[image.categories[index]] for index in known]
        yield pictures.picture(image), image.boxes[known], kinds


def crowd(
    pixels: np.ndarray, boxes: np.ndarray, kinds: list[str], segmenter: CropSegmenter, seed: int
) -> Labelled:
    people = boxes[np.array(kinds) == "person"]
    team = cut_out_people(pixels, people, segmenter)
    if len(team) < 3:
        return pixels, people, ["person"] * len(people)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        pasted = paste_figures(
            pixels,
            people,
            [team],
            rng,
            highest_feet=float((people[:, 1] + people[:, 3]).min()),
            usual_height=float(np.median(people[:, 3])),
        )
        pixels, people = pasted.pixels, np.vstack([people[pasted.hidden < 0.6], pasted.boxes])
    return pixels, people, ["person"] * len(people)


def close_ups(sport: str) -> list[Labelled]:
    settings = Settings(sport=sport, seconds=60, seed=901, camera="cuts", fps=5)
    pictures = []
    for filmed in film(settings):
        truth = filmed.truth
        shown = truth.shown_people(LEAST_VISIBLE)
        boxes = clip(truth.boxes[shown], settings.width, settings.height)
        if len(boxes) and boxes[:, 3].max() >= CLOSE * settings.height:
            pictures.append((filmed.pixels, boxes, ["person"] * len(boxes)))
    return pictures


def hidden_share(pictures: list[Labelled], detector: OnnxDetector) -> None:
    found, total = 0, 0
    for pixels, boxes, _ in pictures:
        among = ious(boxes, boxes)
        np.fill_diagonal(among, 0)
        hard = among.max(1, initial=0) > 1 / 3
        seen = detector.detect(pixels)
        good = (seen.kinds == 0) & (seen.scores >= 0.4)
        overlap = ious(boxes, seen.boxes[good])
        rows, columns = linear_sum_assignment(-overlap)
        hit = rows[overlap[rows, columns] >= 0.5]
        found, total = found + int(hard[hit].sum()), total + int(hard.sum())
    print(f"{'':<40}of {total} people overlapped by a third and more found: {found / total:.3f}")


def measure(
    name: str,
    pictures: list[Labelled],
    detector: OnnxDetector,
    kinds: tuple[str, ...] = KINDS,
) -> None:
    truth, found, times = truth_and_found(pictures, detector)
    for kind in kinds:
        if truth[kind]["annotations"]:
            ap, ap50, ap75 = average_precision(truth[kind], found[kind])
            count = len(truth[kind]["annotations"])
            print(
                f"{name:<40}{kind:<9}{ap50:7.3f}{ap75:7.3f}{ap:7.3f}{count:7d}"
                f"{1e3 * np.median(times):8.1f}"
            )


def truth_and_found(
    pictures: list[Labelled], detector: OnnxDetector
) -> tuple[dict[str, CocoRows], dict[str, list[dict[str, object]]], list[float]]:
    """COCO truth and results of each kind, and the seconds that each picture took."""
    truth = {kind: _empty(pictures) for kind in KINDS}
    found: dict[str, list[dict[str, object]]] = {kind: [] for kind in KINDS}
    times = []
    for image_id, (picture, boxes, labels) in enumerate(pictures, 1):
        for box, label in zip(boxes, labels, strict=True):
            rows = truth[label]["annotations"]
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": image_id,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": box.tolist(),
                    "area": float(box[2] * box[3]),
                }
            )
        start = time.perf_counter()
        detections = detector.detect(picture)
        times.append(time.perf_counter() - start)
        for box, score, kind in zip(detections.boxes, detections.scores, detections.kinds, strict=True):
            found[KINDS[kind]].append(
                {"image_id": image_id, "category_id": 1, "bbox": box.tolist(), "score": float(score)}
            )
    return truth, found, times


def _empty(pictures: list[Labelled]) -> CocoRows:
    images = [
        {"id": image_id, "width": picture.shape[1], "height": picture.shape[0]}
        for image_id, (picture, _, _) in enumerate(pictures, 1)
    ]
    return {"images": images, "annotations": [], "categories": [{"id": 1, "name": "one"}]}


def average_precision(truth: CocoRows, found: list[dict[str, object]]) -> tuple[float, float, float]:
    if not found:
        return 0.0, 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        official = COCO()
        official.dataset = truth
        official.createIndex()
        evaluation = COCOeval(official, official.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1]), float(evaluation.stats[2])


if __name__ == "__main__":
    main()
