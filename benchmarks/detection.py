"""How well the shipped detector finds people, ball and hoop: one pass, held-out stadiums and arenas.

    python benchmarks/detection.py [--parts DIR]

COCO AP by pycocotools, at most 100 detections a picture, score from 0.02; people are all labelled
players, goalkeepers and referees as one class. The split is by stadium or arena (`match` in the
annotations); training never saw the val part. Milliseconds are the median of single pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from real_data import data_folder

from filmroom.formats.coco import CocoSet
from filmroom.observe.decode import KINDS
from filmroom.observe.detector import OnnxDetector

KIND_OF = {
    "player": "person",
    "goalkeeper": "person",
    "referee": "person",
    "ball": "ball",
    "hoop": "hoop",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    detector = OnnxDetector(threshold=0.02, threads=arguments.threads, parts=arguments.parts)
    print(f"{'set':<24}{'kind':<9}{'AP50':>7}{'AP75':>7}{'AP':>7}{'boxes':>7}{'ms':>8}")
    for name in ("football-detection", "basketball-detection"):
        measure(name, CocoSet(data_folder() / f"{name}.zip", "val"), detector)


def measure(name: str, pictures: CocoSet, detector: OnnxDetector) -> None:
    truth = {kind: _empty(pictures) for kind in KINDS}
    found: dict[str, list[dict[str, object]]] = {kind: [] for kind in KINDS}
    times = []
    for image_id, image in enumerate(pictures, 1):
        for box, category in zip(image.boxes, image.categories, strict=True):
            if category in KIND_OF:
                rows = truth[KIND_OF[category]]["annotations"]
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
        picture = pictures.picture(image)
        start = time.perf_counter()
        detections = detector.detect(picture)
        times.append(time.perf_counter() - start)
        for box, score, kind in zip(detections.boxes, detections.scores, detections.kinds, strict=True):
            found[KINDS[kind]].append(
                {"image_id": image_id, "category_id": 1, "bbox": box.tolist(), "score": float(score)}
            )
    for kind in KINDS:
        if truth[kind]["annotations"]:
            ap, ap50, ap75 = _average_precision(truth[kind], found[kind])
            count = len(truth[kind]["annotations"])
            print(
                f"{name:<24}{kind:<9}{ap50:7.3f}{ap75:7.3f}{ap:7.3f}{count:7d}"
                f"{1e3 * np.median(times):8.1f}"
            )


def _empty(pictures: CocoSet) -> dict[str, list[dict[str, object]]]:
    images = [
        {"id": image_id, "width": image.width, "height": image.height}
        for image_id, image in enumerate(pictures, 1)
    ]
    return {"images": images, "annotations": [], "categories": [{"id": 1, "name": "one"}]}


def _average_precision(
    truth: dict[str, list[dict[str, object]]], found: list[dict[str, object]]
) -> tuple[float, float, float]:
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
