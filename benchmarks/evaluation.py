"""Scores of filmroom beside those of the official evaluators: largest difference, CPU time, memory.

Both sides read the same files and write their figures; each runs in a process of its own on one core,
imports and programs it starts included, and tells its CPU seconds and the peak memory of that process.
With --repeat the fastest of several runs counts, on both sides. The official packages live in
environments of their own (two of them install the same module name); what is not given is skipped.

    pip install trackeval==1.3.0                                  # --trackeval
    pip install sn-trackeval==0.4.0                               # --sn-trackeval
    pip install SoccerNet==0.2.0 pycocoevalcap scikit-learn opencv-python-headless    # --soccernet
    pip install pycocotools                                       # --coco
    pip install trackers                                          # --trackers

    python benchmarks/evaluation.py --trackeval ENV/bin/python --soccernet ENV/bin/python ...
        [--data DIR] [--size small] [--only tracking,half,...] [--repeat N]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filmroom.formats.coco_masks import compressed_mask
from filmroom.formats.mot import TrackRows, read_mot, write_mot_tracks
from filmroom.formats.soccernet_spotting import ACTIONS, BALL_ACTIONS
from filmroom.geometry.masks import encode_rle

_SUFFIX = """
import resource
usage = resource.getrusage(resource.RUSAGE_SELF)
helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = usage.ru_utime + usage.ru_stime + helpers.ru_utime + helpers.ru_stime
# ru_maxrss would begin with what the calling process held.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
out = {"cpu": cpu, "peak": int(peak.split()[1]) / 1024, "figures": figures}
open(sys.argv[1], "w").write(json.dumps(out, default=float))
"""

_OURS = (
    """
import json, sys
from pathlib import Path
from filmroom.evaluation.reports import Options, evaluate
task, truth, found, convention = sys.argv[2:6]
report = evaluate(task, Path(truth), Path(found), Options(convention=convention or None))
figures = {"combined": report.combined, "rows": dict(report.rows), "details": dict(report.details)}
"""
    + _SUFFIX
)

_TRACKEVAL = (
    """
import contextlib, io, json, sys
import numpy as np
import trackeval
root = sys.argv[2]
quiet = {"PRINT_CONFIG": False}
data = trackeval.datasets.MotChallenge2DBox({
    "GT_FOLDER": root + "/gt", "TRACKERS_FOLDER": root + "/trackers", "BENCHMARK": "SNMOT",
    "SPLIT_TO_EVAL": "test", "DO_PREPROC": False, "TRACKERS_TO_EVAL": ["run"], **quiet})
runner = trackeval.Evaluator({
    "USE_PARALLEL": False, "PRINT_RESULTS": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False,
    "PLOT_CURVES": False, "TIME_PROGRESS": False, "BREAK_ON_ERROR": True, **quiet})
metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]
with contextlib.redirect_stdout(io.StringIO()):
    result = runner.evaluate([data], metrics)[0]["MotChallenge2DBox"]["run"]
figures = {
    sequence: {name: float(np.mean(value)) for metric in found["pedestrian"].values()
               for name, value in metric.items() if name != "Frames"}
    for sequence, found in result.items()}
"""
    + _SUFFIX
)

_ROBOFLOW = (
    """
import json, sys
from trackers.eval import evaluate_mot_sequences
root = sys.argv[2]
result = evaluate_mot_sequences(root + "/gt/SNMOT-test", root + "/trackers/SNMOT-test/run/data",
                                metrics=["CLEAR", "HOTA", "Identity"])
figures = {}
for name, each in {**result.sequences, "COMBINED_SEQ": result.aggregate}.items():
    figures[name] = {"HOTA": each.HOTA.HOTA, "DetA": each.HOTA.DetA, "AssA": each.HOTA.AssA,
                     "MOTA": each.CLEAR.MOTA, "IDSW": each.CLEAR.IDSW, "IDF1": each.Identity.IDF1}
"""
    + _SUFFIX
)

_MOTS = _TRACKEVAL.replace(
    """trackeval.datasets.MotChallenge2DBox({
    "GT_FOLDER": root + "/gt", "TRACKERS_FOLDER": root + "/trackers", "BENCHMARK": "SNMOT",
    "SPLIT_TO_EVAL": "test", "DO_PREPROC": False, "TRACKERS_TO_EVAL": ["run"], **quiet})""",
    """trackeval.datasets.MOTSChallenge({
    "GT_FOLDER": root + "/gt", "TRACKERS_FOLDER": root + "/trackers",
    "SPLIT_TO_EVAL": "test", "TRACKERS_TO_EVAL": ["run"], **quiet})""",
).replace('["MotChallenge2DBox"]', '["MOTSChallenge"]')

_GAMESTATE = (
    """
import contextlib, io, json, sys
import numpy as np
import trackeval
root = sys.argv[2]
quiet = {"PRINT_CONFIG": False}
data = trackeval.datasets.SoccerNetGS({
    "GT_FOLDER": root + "/gt", "TRACKERS_FOLDER": root + "/trackers", "TRACKER_SUB_FOLDER": "",
    "TRACKERS_TO_EVAL": ["run"], "SPLIT_TO_EVAL": "test", **quiet})
runner = trackeval.Evaluator({
    "USE_PARALLEL": False, "PRINT_RESULTS": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False,
    "PLOT_CURVES": False, "TIME_PROGRESS": False, "BREAK_ON_ERROR": True, **quiet})
metrics = [trackeval.metrics.HOTA(), trackeval.metrics.Identity({"THRESHOLD": 0.5, **quiet})]
with contextlib.redirect_stdout(io.StringIO()):
    result = runner.evaluate([data], metrics)[0]["SoccerNetGS"]["run"]
figures = {
    sequence: {name: float(np.mean(value)) for metric in next(iter(found.values())).values()
               for name, value in metric.items() if name != "Frames"}
    for sequence, found in result.items() if sequence != "SUMMARIES"}
"""
    + _SUFFIX
)

_CAPTIONS = (
    """
import contextlib, io, json, sys
from SoccerNet.Evaluation import DenseVideoCaptioning
games = json.loads(sys.argv[4])
DenseVideoCaptioning.getListGames = lambda split, task: games
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    scores = DenseVideoCaptioning.evaluate(
        sys.argv[2], sys.argv[3], prediction_file="results_dense_captioning.json")
figures = {name: float(value) for name, value in scores.items()}
"""
    + _SUFFIX
)

_IDENTITY = (
    """
import contextlib, importlib, io, json, sys
evaluate = importlib.import_module("SoccerNet.Evaluation." + sys.argv[4]).evaluate
with contextlib.redirect_stdout(io.StringIO()):
    figures = {name: float(value) for name, value in evaluate(sys.argv[2], sys.argv[3]).items()}
"""
    + _SUFFIX
)

_SPOTTING = (
    """
import contextlib, io, json, sys
import numpy as np
from SoccerNet.Evaluation.ActionSpotting import evaluate
from SoccerNet.Evaluation.utils import EVENT_DICTIONARY_V2
classes, rate, labels = EVENT_DICTIONARY_V2, 2, "Labels-v2.json"
if sys.argv[4] == "ball":
    classes = {name: index for index, name in enumerate(json.loads(sys.argv[5]))}
    rate, labels = 25, "Labels-ball.json"
figures = {}
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for metric in ("loose", "tight", "at1", "at2", "at3", "at4", "at5"):
        scores = evaluate(sys.argv[2], sys.argv[3], metric=metric, dataset=None, framerate=rate,
                          label_files=labels, EVENT_DICTIONARY=classes)
        figures[metric] = {name: float(scores[name]) for name in
                           ("a_mAP", "a_mAP_visible", "a_mAP_unshown")}
"""
    + _SUFFIX
)

_CALIBRATION = (
    """
import contextlib, io, json, sys
from SoccerNet.Evaluation.CameraCalibration import evaluate
with contextlib.redirect_stderr(io.StringIO()):
    scores = evaluate(sys.argv[2], sys.argv[3], threshold=5)
figures = {name: float(scores[name]) for name in
           ("completeness", "meanAccuracies", "meanPrecision", "meanRecall")}
"""
    + _SUFFIX
)

_COCO = (
    """
import contextlib, io, json, sys
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(sys.argv[2])
    run = COCOeval(truth, truth.loadRes(sys.argv[3]), sys.argv[4])
    run.evaluate(); run.accumulate(); run.summarize()
names = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge",
         "AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge")
figures = dict(zip(names, run.stats.tolist()))
"""
    + _SUFFIX
)


Figures = dict[str, Any]
Pairs = Iterator[tuple[float | None, float]]


@dataclass(frozen=True)
class Case:
    """One line of the table: what both sides are called with and how their figures are paired."""

    name: str
    task: str
    truth: Path
    found: Path
    convention: str
    python: str | None
    script: str
    arguments: tuple[str, ...]
    pairs: Callable[[Figures, Figures], Pairs]


def run(python: str, script: str, arguments: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Figures, CPU seconds and peak memory in MiB of a script."""
    out = folder.resolve() / "figures.json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(
        [python, "-c", script, str(out), *arguments],
        check=True,
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return dict(json.loads(out.read_text()))


def fastest(
    python: str, script: str, arguments: tuple[str, ...], folder: Path, repeat: int
) -> dict[str, Any]:
    """The run that took least of several."""
    return min(
        (run(python, script, arguments, folder) for _ in range(repeat)), key=lambda each: each["cpu"]
    )


def difference(pairs: Iterator[tuple[float | None, float]]) -> tuple[int, float]:
    """Figures compared and the largest relative difference, absolute where the official one is 0."""
    count, worst = 0, 0.0
    for ours, official in pairs:
        missing = ours is None and official == -1
        if not missing:
            assert ours is not None
            if math.isnan(official) and math.isnan(ours):
                continue
            gap = abs(ours - official)
            worst = max(worst, gap / abs(official) if official else gap)
        count += 1
    return count, worst


def sequence_pairs(ours: Figures, official: Figures) -> Pairs:
    """The figures of every sequence and of all together, by the official names."""
    for sequence, fields in official.items():
        mine = ours["combined"] if sequence == "COMBINED_SEQ" else ours["rows"][sequence]
        yield from ((mine[field], value) for field, value in fields.items())


def combined_pairs(ours: Figures, official: Figures) -> Pairs:
    """The combined figures by the official names."""
    yield from ((ours["combined"][name], value) for name, value in official.items())


def tracking_tree(root: Path, truth: Path, found: Path) -> None:
    """The official layout of plain files, from two zips."""
    split = "SNMOT-test"
    (root / "gt" / "seqmaps").mkdir(parents=True)
    (root / "trackers" / split / "run" / "data").mkdir(parents=True)
    with zipfile.ZipFile(truth) as archive:
        # Without the list of sequences beside them, which `trackers` would take for one.
        inside = [entry for entry in archive.namelist() if "/" in entry.rstrip("/")]
        archive.extractall(root / "gt" / split, inside)
    sequences = sorted(each.name for each in (root / "gt" / split).iterdir() if each.is_dir())
    (root / "gt" / "seqmaps" / f"{split}.txt").write_text("name\n" + "\n".join(sequences) + "\n")
    with zipfile.ZipFile(found) as archive:
        for entry in archive.namelist():
            if Path(entry).stem in sequences:
                target = root / "trackers" / split / "run" / "data" / Path(entry).name
                target.write_bytes(archive.read(entry))


def tracking_case(name: str, root: Path, python: str | None, script: str = _TRACKEVAL) -> Case:
    """Both sides read the same plain files."""
    split = "SNMOT-test"
    truth, found = root / "gt" / split, root / "trackers" / split / "run" / "data"
    return Case(
        name, "tracking", truth, found, "soccernet", python, script, (str(root),), sequence_pairs
    )


def half_files(folder: Path, frames: int, rng: np.random.Generator) -> tuple[Path, Path]:
    """A half of 22 players who walk at random, tracked with jitter, gaps and changing ids."""
    steps = rng.normal(0, 3, (frames, 22, 2)).cumsum(axis=0) + rng.uniform(200, 900, (22, 2))
    corner = np.abs(steps) % np.array([1800, 900])
    frame, player = (each.ravel() for each in np.indices((frames, 22)))
    boxes = np.column_stack([corner.reshape(-1, 2), np.full((len(frame), 2), (40.0, 90.0))]).round(1)
    truth = TrackRows.of(frame, player + 1, boxes)
    kept = rng.random(len(frame)) < 0.93
    jitter = boxes[kept] + rng.normal(0, 2.5, (int(kept.sum()), 4))
    ids = (player + 1 + 22 * (frame // 2000 + player))[kept]
    tracks = TrackRows.of(frame[kept], ids, jitter)
    folder.mkdir()
    with zipfile.ZipFile(folder / "truth.zip", "w") as archive:
        lines = (
            f"{f + 1},{i},{x},{y},{w},{h},1,-1,-1,-1\n"
            for f, i, (x, y, w, h) in zip(
                truth.frames.tolist(), truth.ids.tolist(), truth.boxes.tolist(), strict=True
            )
        )
        archive.writestr("HALF/gt/gt.txt", "".join(lines))
        archive.writestr("HALF/seqinfo.ini", f"[Sequence]\nname=HALF\nseqLength={frames}\n")
    write_mot_tracks(folder / "HALF.txt", tracks)
    with zipfile.ZipFile(folder / "found.zip", "w") as archive:
        archive.write(folder / "HALF.txt", "HALF.txt")
    return folder / "truth.zip", folder / "found.zip"


def spotting_case(
    folder: Path, games: int, predictions: int, ball: bool, rng: np.random.Generator, python: str | None
) -> Case:
    """Games with some 110 events each, spotted with errors and among false alarms."""
    labels = BALL_ACTIONS if ball else ACTIONS
    truth_name = "Labels-ball.json" if ball else "Labels-v2.json"
    for game in range(games):
        events, found = [], []
        for _ in range(110):
            half, time = (1 if ball else int(rng.integers(1, 3))), int(rng.integers(0, 2_900_000))
            label = labels[min(len(labels) - 1, int(rng.exponential(4)))]
            events.append(
                {
                    "gameTime": f"{half} - {time // 60000:02d}:{time // 1000 % 60:02d}",
                    "label": label,
                    "position": str(time),
                    "visibility": "not shown" if rng.random() < 0.2 else "visible",
                }
            )
            place = max(0, time + int(rng.normal(0, 2000)))
            found.append((half, place, label, rng.random()))
        while len(found) < predictions // games:
            half, time = (1 if ball else int(rng.integers(1, 3))), int(rng.integers(0, 2_900_000))
            found.append((half, time, labels[int(rng.integers(len(labels)))], rng.random() ** 2))
        rows = [
            {"half": str(half), "position": str(time), "label": label, "confidence": str(float(score))}
            for half, time, label, score in found
        ]
        place_of = f"league/season/game {game}"
        for side, name, content in (
            ("truth", truth_name, {"annotations": events}),
            ("found", "results_spotting.json", {"predictions": rows}),
        ):
            (folder / side / place_of).mkdir(parents=True)
            (folder / side / place_of / name).write_text(json.dumps(content))

    def pairs(ours: Figures, official: Figures) -> Pairs:
        for metric, fields in official.items():
            yield from (
                (ours["details"]["metrics"][metric][name], value) for name, value in fields.items()
            )

    truth, found_path = folder / "truth", folder / "found"
    convention = "ball" if ball else "soccernet-v2"
    return Case(
        f"{'ball ' * ball}spotting, {games} games, {predictions} predictions", "spotting", truth,
        found_path, convention, python, _SPOTTING,
        (str(truth), str(found_path), convention, json.dumps(BALL_ACTIONS)), pairs,
    )  # fmt: skip


def calibration_case(folder: Path, data: Path, pictures: int | None, python: str | None) -> Case:
    """Real annotations and cameras: all of them, or some evenly chosen."""
    truth, found = folder / "truth.zip", folder / "found.zip"
    with (
        zipfile.ZipFile(data / "calibration-lines.zip") as source,
        zipfile.ZipFile(truth, "w") as truth_zip,
        zipfile.ZipFile(found, "w") as found_zip,
    ):
        names = sorted(each for each in source.namelist() if each.startswith("sn22/truth/"))
        there = set(source.namelist())
        chosen = names[:: max(1, len(names) // pictures)][:pictures] if pictures else names
        for name in chosen:
            truth_zip.writestr(f"test/{Path(name).name}", source.read(name))
            camera = f"sn22/pred_pnlcalib/camera_{Path(name).name}"
            if camera in there:
                found_zip.writestr(Path(camera).name, source.read(camera))

    def pairs(ours: Figures, official: Figures) -> Pairs:
        yield from (
            (ours["details"]["thresholds"]["5"][name], value) for name, value in official.items()
        )

    return Case(
        f"calibration, {len(chosen)} pictures", "calibration", truth, found, "", python, _CALIBRATION,
        (str(truth), str(found)), pairs,
    )  # fmt: skip


def detection_case(folder: Path, pictures: int, rng: np.random.Generator, python: str | None) -> Case:
    """22 objects a picture of three categories, 40 detections a picture."""
    truth, found = folder / "truth.json", folder / "found.json"
    image = np.repeat(np.arange(pictures), 22)
    boxes = np.column_stack(
        [
            rng.uniform(0, (1800, 900), (len(image), 2)),
            rng.uniform((10, 20), (80, 160), (len(image), 2)),
        ]
    )
    category = rng.integers(1, 4, len(image))
    chosen = rng.integers(0, len(image), 40 * pictures)
    noisy = np.abs(boxes[chosen] + rng.normal(0, 5, (len(chosen), 4)))
    objects = zip(image.tolist(), category.tolist(), boxes.tolist(), strict=True)
    annotations = [
        {
            "id": index,
            "image_id": i,
            "category_id": c,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        for index, (i, c, box) in enumerate(objects, start=1)
    ]
    content = {
        "info": {},
        "images": [{"id": index} for index in range(pictures)],
        "categories": [{"id": index, "name": str(index)} for index in (1, 2, 3)],
        "annotations": annotations,
    }
    truth.write_text(json.dumps(content))
    scores = rng.random(len(chosen)).round(3).tolist()
    rows = zip(image[chosen].tolist(), category[chosen].tolist(), noisy.tolist(), scores, strict=True)
    found.write_text(
        json.dumps([{"image_id": i, "category_id": c, "bbox": b, "score": s} for i, c, b, s in rows])
    )

    return Case(
        f"detection, {pictures} pictures", "detection", truth, found, "coco", python, _COCO,
        (str(truth), str(found), "bbox"), combined_pairs,
    )  # fmt: skip


def mask_case(folder: Path, pictures: int, rng: np.random.Generator, python: str | None) -> Case:
    """Ellipses as polygons in the truth, as run lengths in the results."""
    truth, found = folder / "truth.json", folder / "found.json"
    width, height = 320, 180
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    annotations, results = [], []
    for image in range(1, pictures + 1):
        for _ in range(12):
            centre, half = rng.uniform((20, 20), (300, 160)), rng.uniform((3, 6), (16, 30))
            outline = centre + half * np.column_stack([np.cos(turn), np.sin(turn)])
            label = int(rng.integers(1, 3))
            low, high = outline.min(0), outline.max(0)
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image, "category_id": label, "iscrowd": 0,
                    "bbox": [*low.tolist(), *(high - low).tolist()], "area": float(np.prod(high - low)),
                    "segmentation": [outline.ravel().tolist()],
                }
            )  # fmt: skip
            for _ in range(int(rng.integers(0, 3))):
                moved = (outline + rng.normal(0, 1.5, 2)).ravel().tolist()
                counts = compressed_mask([moved], width, height).decode()
                results.append(
                    {
                        "image_id": image, "category_id": label, "score": round(float(rng.random()), 3),
                        "segmentation": {"size": [height, width], "counts": counts},
                    }
                )  # fmt: skip
    images = [{"id": each, "width": width, "height": height} for each in range(1, pictures + 1)]
    categories = [{"id": each, "name": str(each)} for each in (1, 2)]
    content = {"info": {}, "images": images, "categories": categories, "annotations": annotations}
    truth.write_text(json.dumps(content))
    found.write_text(json.dumps(results))
    return Case(
        f"masks, {pictures} pictures", "segmentation", truth, found, "coco", python, _COCO,
        (str(truth), str(found), "segm"), combined_pairs,
    )  # fmt: skip


def mots_case(folder: Path, frames: int, rng: np.random.Generator, python: str | None) -> Case:
    """Ten people as rectangles that hide each other, beside a region to be ignored."""
    width, height = 480, 270
    root = folder / "official"
    truth, found = root / "gt" / "MOTS-test", root / "trackers" / "MOTS-test" / "run" / "data"
    (root / "gt" / "seqmaps").mkdir(parents=True)
    found.mkdir(parents=True)
    names = [f"MOTS-{number:02d}" for number in range(2)]
    (root / "gt" / "seqmaps" / "MOTS-test.txt").write_text("name\n" + "\n".join(names) + "\n")
    for name in names:
        (truth / name / "gt").mkdir(parents=True)
        (truth / name / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={frames}\n")
        place, pace = rng.uniform(0, 1, (10, 2)), rng.normal(0, 0.01, (10, 2))
        region = np.zeros((height, width), bool)
        region[200:, 300:] = True
        lines: list[list[str]] = [[], []]
        for frame in range(1, frames + 1):
            place = (place + pace) % 1
            corners = (place * (width - 40, height - 80)).astype(int)
            sides = [np.zeros((height, width), int) for _ in range(2)]
            for person, (x, y) in enumerate(corners.tolist(), start=1):
                sides[0][y : y + 70, x : x + 30] = person
                dx, dy = rng.integers(-5, 6, 2).tolist()
                if rng.random() < 0.9:
                    left, top = max(0, x + dx), max(0, y + dy)
                    track = person + 10 * (frame > frames // 2 and person < 4)
                    sides[1][top : top + 70, left : left + 30] = track
            for side, objects in zip(lines, sides, strict=True):
                for number in np.unique(objects[objects > 0]).tolist():
                    packed = encode_rle(objects == number).decode()
                    side.append(f"{frame} {2000 + number} 2 {height} {width} {packed}")
            ignored = encode_rle(region & (sides[0] == 0)).decode()
            lines[0].append(f"{frame} 10000 10 {height} {width} {ignored}")
        (truth / name / "gt" / "gt.txt").write_text("\n".join(lines[0]) + "\n")
        (found / f"{name}.txt").write_text("\n".join(lines[1]) + "\n")
    return Case(
        f"mask tracks, 2 x {frames} frames", "segmentation", truth, found, "mots", python, _MOTS,
        (str(root),), sequence_pairs,
    )  # fmt: skip


def gamestate_case(folder: Path, sequences: int, rng: np.random.Generator, python: str | None) -> Case:
    """30 seconds of 22 players and a referee each, with errors of place, number, team and identity."""
    root = folder / "official"
    truth, found = root / "gt" / "test", root / "trackers" / "SoccerNetGS-test" / "run"
    found.mkdir(parents=True)
    for number in range(116, 116 + sequences):
        images = [
            {
                "image_id": f"3{number}{frame:06d}", "has_labeled_pitch": True,
                "has_labeled_camera": True, "has_labeled_person": True,
            }
            for frame in range(1, 751)
        ]  # fmt: skip
        paths = rng.normal(0, 0.1, (750, 23, 2)).cumsum(axis=0) + rng.uniform(
            (-45, -30), (45, 30), (23, 2)
        )
        sides: tuple[list[Figures], list[Figures]] = ([], [])
        for frame, person in np.ndindex(750, 23):
            x, y = paths[frame, person].tolist()
            is_player = person < 22
            team = ("left", "right")[person % 2] if is_player else None
            jersey = str(person // 2 + 1) if is_player else None
            role = "player" if is_player else "referee"
            sides[0].append(_person(number, frame, person + 1, role, team, jersey, x, y))
            if rng.random() < 0.05:
                continue
            dx, dy = rng.normal(0, 0.8, 2).tolist()
            wrong = frame > 500 and person in (3, 4)
            shown = None if frame % 300 < 40 else jersey
            track = person + 1 + 30 * (frame > 400 and person % 5 == 0)
            sides[1].append(
                _person(number, frame, track, role, "left" if wrong else team, shown, x + dx, y + dy)
            )
        (truth / f"SNGS-{number}").mkdir(parents=True)
        (truth / f"SNGS-{number}" / "Labels-GameState.json").write_text(
            json.dumps({"info": {}, "images": images, "annotations": sides[0], "categories": []})
        )
        (found / f"SNGS-{number}.json").write_text(json.dumps({"predictions": sides[1]}))
    return Case(
        f"game state, {sequences} sequences", "gamestate", truth, found, "", python, _GAMESTATE,
        (str(root),), sequence_pairs,
    )  # fmt: skip


def _person(
    number: int,
    frame: int,
    track: int,
    role: str,
    team: str | None,
    jersey: str | None,
    x: float,
    y: float,
) -> Figures:
    pitch = {
        f"{axis}_bottom_{side}": value for side in ("left", "right", "middle")
        for axis, value in (("x", x), ("y", y))
    }  # fmt: skip
    box = {"x": 1.0, "y": 2.0, "w": 30.0, "h": 80.0, "x_center": 16.0, "y_center": 42.0}
    return {
        "id": "1", "image_id": f"3{number}{frame + 1:06d}", "video_id": str(number), "track_id": track,
        "supercategory": "object", "category_id": 1, "bbox_pitch": pitch, "bbox_image": box,
        "attributes": {"role": role, "team": team, "jersey": jersey}, "confidence": 0.9,
    }  # fmt: skip


def captions_case(
    folder: Path, data: Path, most: int, rng: np.random.Generator, python: str | None
) -> Case:
    """Real comments and predictions (MatchTime), some dropped, some moved apart."""
    with zipfile.ZipFile(data / "captions.zip") as archive:
        text = archive.read("matchtime/truth_and_prediction.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    by_game: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_game.setdefault(f"{row['league']}/x/{row['game']}", []).append(row)
    games = [game for game, each in by_game.items() if {row["half"] for row in each} == {"1", "2"}][
        :most
    ]
    for game in games:
        happened, said = [], []
        for row in by_game[game]:
            time = int(row["timestamp"])
            shift = int(rng.integers(-40, 41)) if rng.random() < 0.3 else 0
            moved = max(0, time + shift)
            clock, other = (f"{row['half']} - {t // 60:02d}:{t % 60:02d}" for t in (time, moved))
            happened.append({"gameTime": clock, "label": "", "anonymized": row["anonymized"]})
            if rng.random() < 0.9:
                said.append({"gameTime": other, "label": "comments", "comment": row["predicted_res_0"]})
        for side, name, content in (
            ("truth", "Labels-caption.json", {"annotations": happened}),
            ("found", "results_dense_captioning.json", {"predictions": said}),
        ):
            (folder / side / game).mkdir(parents=True)
            (folder / side / game / name).write_text(json.dumps(content))
    truth, found = folder / "truth", folder / "found"
    return Case(
        f"captions, {len(games)} games of real comments", "captions", truth, found, "", python,
        _CAPTIONS, (str(truth), str(found), json.dumps(games)), combined_pairs,
    )  # fmt: skip


def reid_case(folder: Path, actions: int, rng: np.random.Generator, python: str | None) -> Case:
    """Queries of six people in a gallery of 28 boxes each action, rankings half right."""
    query: dict[str, Figures] = {}
    gallery: dict[str, Figures] = {}
    rankings: dict[str, list[int]] = {}
    for action in range(actions):
        first = 28 * action
        people = [*range(14), *rng.integers(0, 14, 14).tolist()]
        for place, person in enumerate(people):
            box = {"bbox_idx": first + place, "action_idx": action, "person_uid": 100 * action + person}
            gallery[str(first + place)] = box
        for person in range(6):
            key = str(6 * action + person)
            uid = 100 * action + person
            query[key] = {"bbox_idx": 6 * action + person, "action_idx": action, "person_uid": uid}
            distance = rng.random(28) + 0.4 * (np.array(people) != person)
            rankings[key] = (first + np.argsort(distance)).tolist()
    (folder / "truth.json").write_text(json.dumps({"query": query, "gallery": gallery}))
    (folder / "found.json").write_text(json.dumps(rankings))
    return identity_case(
        f"re-identification, {len(query)} queries", "reid", "ReIdentification", folder, python
    )


def jersey_case(folder: Path, tracklets: int, rng: np.random.Generator, python: str | None) -> Case:
    truth = rng.integers(-1, 30, tracklets)
    found = np.where(rng.random(tracklets) < 0.8, truth, rng.integers(-1, 30, tracklets))
    for name, numbers in (("truth", truth), ("found", found)):
        content = {str(key): value for key, value in enumerate(numbers.tolist())}
        (folder / f"{name}.json").write_text(json.dumps(content))
    return identity_case(
        f"shirt numbers, {tracklets} tracklets", "jersey", "JerseyNumber", folder, python
    )


def identity_case(name: str, task: str, module: str, folder: Path, python: str | None) -> Case:
    truth, found = folder / "truth.json", folder / "found.json"
    return Case(
        name,
        task,
        truth,
        found,
        "",
        python,
        _IDENTITY,
        (str(truth), str(found), module),
        combined_pairs,
    )


@dataclass(frozen=True)
class Size:
    """How large the generated cases are, and how many of the real pictures and games are used."""

    half_frames: int
    games: int
    predictions: int
    cameras: int | None
    pictures: int
    mask_frames: int
    sequences: int
    caption_games: int
    actions: int


SIZES = {
    "full": Size(67_500, 50, 100_000, None, 500, 300, 8, 8, 900),
    "small": Size(3_000, 4, 2_000, 10, 100, 30, 1, 1, 20),
}


def cases(folder: Path, data: Path, arguments: argparse.Namespace) -> Iterator[Case]:
    """All cases whose data are there, each laid out only when its turn comes."""
    size = SIZES[arguments.size]
    rng = np.random.default_rng(7)
    wanted = set(arguments.only.split(",")) if arguments.only else None

    def asked(task: str, *files: str) -> bool:
        if wanted is not None and task not in wanted:
            return False
        absent = [each for each in files if not (data / each).exists()]
        if absent:
            print(f"{task}: skipped, {absent[0]} is not among the data")
            return False
        (folder / task).mkdir()
        return True

    truth, found = "snmot-gt/snmot-gt.zip", "snmot-runs/bytetrack-mot17ep10.zip"
    if asked("tracking", truth, found):
        root = folder / "tracking"
        tracking_tree(root, data / truth, data / found)
        count = len(read_mot(data / truth, "truth"))
        name = f"tracking, {count} sequences of SoccerNet"
        yield tracking_case(name, root, arguments.trackeval)
        # `trackers` looks at boxes of class 1 only, and these have none.
        for file in root.glob("gt/*/*/gt/gt.txt"):
            lines = (",".join([*line.split(",")[:7], "1", "1"]) for line in file.read_text().split())
            file.write_text("\n".join(lines) + "\n")
        yield tracking_case(f"{name} (trackers)", root, arguments.trackers, _ROBOFLOW)
    if asked("half"):
        root = folder / "half" / "official"
        tracking_tree(root, *half_files(folder / "half" / "files", size.half_frames, rng))
        yield tracking_case(f"tracking, a half of {size.half_frames} frames", root, arguments.trackeval)
    if asked("gamestate"):
        yield gamestate_case(folder / "gamestate", size.sequences, rng, arguments.sn_trackeval)
    if asked("spotting"):
        amount = (size.games, size.predictions)
        yield spotting_case(folder / "spotting", *amount, False, rng, arguments.soccernet)
    if asked("ball"):
        few = (max(1, size.games // 10), size.predictions // 10)
        yield spotting_case(folder / "ball", *few, True, rng, arguments.soccernet)
    if asked("captions", "captions.zip"):
        yield captions_case(folder / "captions", data, size.caption_games, rng, arguments.soccernet)
    if asked("calibration", "calibration-lines.zip"):
        yield calibration_case(folder / "calibration", data, size.cameras, arguments.soccernet)
    if asked("reid"):
        yield reid_case(folder / "reid", size.actions, rng, arguments.soccernet)
    if asked("jersey"):
        yield jersey_case(folder / "jersey", 3 * size.actions, rng, arguments.soccernet)
    if asked("detection"):
        yield detection_case(folder / "detection", size.pictures, rng, arguments.coco)
    if asked("masks"):
        yield mask_case(folder / "masks", size.pictures // 2, rng, arguments.coco)
    if asked("mots"):
        yield mots_case(folder / "mots", size.mask_frames, rng, arguments.trackeval)


_OFFICIAL = ("trackeval", "sn-trackeval", "trackers", "soccernet", "coco")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in _OFFICIAL:
        parser.add_argument(f"--{name}", help=f"python of the environment that holds {name}")
    parser.add_argument("--data", default=os.environ.get("FILMROOM_DATA", "../shared/data"))
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side, the fastest counts")
    parser.add_argument(
        "--only",
        help="tracking,half,gamestate,spotting,ball,captions,calibration,reid,jersey,detection,masks,mots",
    )
    arguments = parser.parse_args()
    if arguments.soccernet:
        package = Path(arguments.soccernet).parent.parent
        jar = next(package.glob("lib/*/site-packages/pycocoevalcap/meteor/meteor-1.5.jar"), None)
        if jar is not None:
            os.environ.setdefault("FILMROOM_METEOR_JAR", str(jar))
    folder = Path(tempfile.mkdtemp(prefix="filmroom-evaluation-"))
    print(
        f"{'case':48} {'figures':>8} {'largest':>9} {'CPU seconds':>17} {'ratio':>6} {'peak MiB':>12}"
    )
    try:
        for case in cases(folder, Path(arguments.data).resolve(), arguments):
            call = (case.task, str(case.truth), str(case.found), case.convention)
            ours = fastest(sys.executable, _OURS, call, folder, arguments.repeat)
            if not case.python:
                print(
                    f"{case.name:48} official skipped, no environment given; {ours['cpu']:.2f} s here"
                )
                continue
            official = fastest(case.python, case.script, case.arguments, folder, arguments.repeat)
            count, worst = difference(case.pairs(ours["figures"], official["figures"]))
            print(
                f"{case.name:48} {count:8d} {worst:9.1e} {ours['cpu']:7.2f} / {official['cpu']:7.2f} "
                f"{official['cpu'] / ours['cpu']:6.1f} {ours['peak']:5.0f} / {official['peak']:4.0f}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
