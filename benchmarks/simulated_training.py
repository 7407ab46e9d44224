"""What simulated pictures add to few and to many real ones: the same training with and without.

    python benchmarks/simulated_training.py -o FOLDER --pretrained WEIGHTS [ROW...]

A row is SHARE-START: SHARE is how many of the 240 training pictures of football-detection are used
(all, 24, 7 or 2, drawn once, each within the larger ones); START is `nothing`, or `simulated`: the
weights of a detector that saw simulated pictures only, from which the training goes on. Both have the
same network and see the same crops of the same real pictures in the same order, as many steps; no
figures are pasted. Rows from nothing start with the recipe's usual rate, the others with a third of
it. `none-simulated` is the start alone, no real picture seen.
`WEIGHTS` is what `filmroom train detector --data simulated:soccer -o DIR` leaves as DIR/detector.pt.

Printed: AP50 of people on the val part (stadiums that no training saw), in all and for each of its two
stadiums. Every training keeps checkpoints in FOLDER/ROW and goes on from there when called again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import zipfile
from pathlib import Path

import numpy as np
import torch
from detection import average_precision, labelled, truth_and_found
from real_data import data_folder

from filmroom.formats.coco import CocoSet
from filmroom.observe.detector import OnnxDetector
from filmroom.train.detector import DetectorRecipe, export_detector, train_detector
from filmroom.train.schedule import load_checkpoint
from filmroom.train.simulated import SimulatedPictures

REAL = "football-detection"
PICTURES = {"all": 240, "24": 24, "7": 7, "2": 2}
STEPS = {"all": 2400, "24": 1000, "7": 300, "2": 300}
CROP = 320  # pixels; the usual 448 cost twice as much
STARTS = ("nothing", "simulated")
USUAL_RATE = DetectorRecipe().rate
ROWS = (
    "none-simulated",
    *(f"{share}-{start}" for share in PICTURES for start in STARTS),
)


def write_share(folder: Path, count: int) -> Path:
    """`count` of the real training pictures as a COCO folder; fewer are always among more."""
    target = folder / f"real-{count}"
    with zipfile.ZipFile(data_folder() / f"{REAL}.zip") as archive:
        content = json.loads(archive.read("annotations/train.json"))
        order = np.random.default_rng(0).permutation(len(content["images"]))
        content["images"] = [content["images"][index] for index in sorted(order[:count])]
        kept = {image["id"] for image in content["images"]}
        content["annotations"] = [one for one in content["annotations"] if one["image_id"] in kept]
        for image in content["images"]:
            archive.extract(f"train/{image['file_name']}", target)
    (target / "annotations").mkdir(exist_ok=True)
    (target / "annotations" / "train.json").write_text(json.dumps(content), encoding="utf-8")
    return target


def train_row(
    row: str, folder: Path, pretrained: Path, *, steps: int | None, crop: int, seed: int
) -> Path:
    """The folder of the row's network, trained there unless it lies there already."""
    share, start = row.split("-")
    changed = (f"-steps{steps}" if steps else "") + (f"-crop{crop}" if crop != CROP else "")
    place = folder / (row + changed + (f"-seed{seed}" if seed != 1 else ""))
    if (place / "detector.onnx").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    if share == "none":
        export_detector(pretrained, place / "detector.onnx", [SimulatedPictures("soccer")])
        return place
    real = write_share(folder, PICTURES[share])
    earlier = load_checkpoint(pretrained)
    assert earlier is not None, pretrained
    widths, blocks = earlier["shape"]
    recipe = DetectorRecipe(
        steps=steps or STEPS[share],
        crop=crop,
        paste=0.0,
        rate=USUAL_RATE if start == "nothing" else USUAL_RATE / 3,
        widths=tuple(widths),
        blocks=tuple(blocks),
        seed=seed,
        checkpoint_every=100,
    )
    begin = None if start == "nothing" else pretrained
    weights = train_detector([real], place, recipe, start_from=begin, resume=True, workers=1)
    export_detector(weights, place / "detector.onnx", [real])
    return place


def measured(parts: Path) -> list[float]:
    """AP50 of people on val: all pictures, then those of each stadium."""
    coco = CocoSet(data_folder() / f"{REAL}.zip", "val")
    detector = OnnxDetector(threshold=0.02, threads=1, parts=parts)
    stadium = np.array([image.file_name.startswith("08fd33") for image in coco])
    pictures = list(labelled(coco))
    values = []
    with contextlib.redirect_stdout(io.StringIO()):
        for chosen in (np.ones(len(pictures), bool), stadium, ~stadium):
            truth, found, _ = truth_and_found([pictures[i] for i in np.flatnonzero(chosen)], detector)
            values.append(average_precision(truth["person"], found["person"])[1])
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", default=ROWS, help=", ".join(ROWS))
    parser.add_argument("-o", dest="folder", type=Path, required=True)
    parser.add_argument("--pretrained", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="in place of the usual ones")
    parser.add_argument("--crop", type=int, default=CROP, help="side of a crop, pixels")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    print(f"{'real pictures - start':<24}{'AP50':>8}{'Moenchengl.':>13}{'Mainz':>8}", flush=True)
    for row in chosen.rows:
        if row not in ROWS:
            parser.error(f"no row '{row}'; choose among {', '.join(ROWS)}")
        place = train_row(
            row,
            chosen.folder,
            chosen.pretrained,
            steps=chosen.steps,
            crop=chosen.crop,
            seed=chosen.seed,
        )
        every, first, second = measured(place)
        print(f"{row:<24}{every:8.3f}{first:13.3f}{second:8.3f}", flush=True)


if __name__ == "__main__":
    main()
