"""Scores of filmroom beside those of the official evaluators: largest difference, CPU time, memory.

Both sides read the same files and write their figures; each runs in a process of its own on one core,
imports included, and tells its CPU seconds and its peak memory. The official packages live in
environments of their own (two of them install the same module name); what is not given is skipped.

    python benchmarks/evaluation.py --trackeval ENV/bin/python --soccernet ENV/bin/python
        --coco ENV/bin/python [--data DIR] [--size small] [--only tracking,half,...]
"""

from __future__ import annotations

import argparse
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

from filmroom.formats.mot import TrackRows, read_mot, write_mot_tracks

_SUFFIX = """
import resource
usage = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss would begin with what the calling process held.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
out = {"cpu": usage.ru_utime + usage.ru_stime, "peak": int(peak.split()[1]) / 1024, "figures": figures}
open(sys.argv[1], "w").write(json.dumps(out))
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

_SPOTTING = (
    """
import contextlib, io, json, sys
import numpy as np
from SoccerNet.Evaluation.ActionSpotting import evaluate
from SoccerNet.Evaluation.utils import EVENT_DICTIONARY_V2
figures = {}
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for metric in ("loose", "tight", "at1", "at2", "at3", "at4", "at5"):
        scores = evaluate(sys.argv[2], sys.argv[3], metric=metric, dataset=None,
                          EVENT_DICTIONARY=EVENT_DICTIONARY_V2)
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
    run = COCOeval(truth, truth.loadRes(sys.argv[3]), "bbox")
    run.evaluate(); run.accumulate(); run.summarize()
names = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge",
         "AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge")
figures = dict(zip(names, run.stats.tolist()))
"""
    + _SUFFIX
)


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
    pairs: Callable[[dict[str, Any], dict[str, Any]], Iterator[tuple[float | None, float]]]


def run(python: str, script: str, arguments: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Figures, CPU seconds and peak memory in MiB of a script."""
    out = folder / "figures.json"
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


def tracking_case(name: str, folder: Path, truth: Path, found: Path, python: str | None) -> Case:
    """The official tree of plain files is laid out beforehand; both sides read it."""
    root = folder / "official"
    split = "SNMOT-test"
    (root / "gt" / "seqmaps").mkdir(parents=True)
    (root / "trackers" / split / "run" / "data").mkdir(parents=True)
    with zipfile.ZipFile(truth) as archive:
        archive.extractall(root / "gt" / split)
    sequences = sorted(each.name for each in (root / "gt" / split).iterdir() if each.is_dir())
    (root / "gt" / "seqmaps" / f"{split}.txt").write_text("name\n" + "\n".join(sequences) + "\n")
    with zipfile.ZipFile(found) as archive:
        for entry in archive.namelist():
            if Path(entry).stem in sequences:
                target = root / "trackers" / split / "run" / "data" / Path(entry).name
                target.write_bytes(archive.read(entry))

    def pairs(ours: dict[str, Any], official: dict[str, Any]) -> Iterator[tuple[float | None, float]]:
        for sequence, fields in official.items():
            mine = ours["combined"] if sequence == "COMBINED_SEQ" else ours["rows"][sequence]
            yield from ((mine[field], value) for field, value in fields.items())

    return Case(name, "tracking", truth, found, "soccernet", python, _TRACKEVAL, (str(root),), pairs)


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
    folder: Path, games: int, predictions: int, rng: np.random.Generator, python: str | None
) -> Case:
    """Games with some 110 events each, spotted with errors and among false alarms."""
    from filmroom.formats.soccernet_spotting import ACTIONS

    for game in range(games):
        events, found = [], []
        for _ in range(110):
            half, time = int(rng.integers(1, 3)), int(rng.integers(0, 2_900_000))
            label = ACTIONS[min(16, int(rng.exponential(4)))]
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
            half, time = int(rng.integers(1, 3)), int(rng.integers(0, 2_900_000))
            found.append((half, time, ACTIONS[int(rng.integers(17))], rng.random() ** 2))
        rows = [
            {"half": str(half), "position": str(time), "label": label, "confidence": str(float(score))}
            for half, time, label, score in found
        ]
        place_of = f"league/season/game {game}"
        for side, name, content in (
            ("truth", "Labels-v2.json", {"annotations": events}),
            ("found", "results_spotting.json", {"predictions": rows}),
        ):
            (folder / side / place_of).mkdir(parents=True)
            (folder / side / place_of / name).write_text(json.dumps(content))

    def pairs(ours: dict[str, Any], official: dict[str, Any]) -> Iterator[tuple[float | None, float]]:
        for metric, fields in official.items():
            yield from (
                (ours["details"]["metrics"][metric][name], value) for name, value in fields.items()
            )

    truth, found_path = folder / "truth", folder / "found"
    return Case(
        f"spotting, {games} games, {predictions} predictions", "spotting", truth, found_path,
        "soccernet-v2", python, _SPOTTING, (str(truth), str(found_path)), pairs,
    )  # fmt: skip


def calibration_case(folder: Path, data: Path, pictures: int, python: str | None) -> Case:
    """Real annotations and cameras, evenly chosen."""
    truth, found = folder / "truth.zip", folder / "found.zip"
    with (
        zipfile.ZipFile(data / "calibration-lines.zip") as source,
        zipfile.ZipFile(truth, "w") as truth_zip,
        zipfile.ZipFile(found, "w") as found_zip,
    ):
        names = sorted(each for each in source.namelist() if each.startswith("sn22/truth/"))
        there = set(source.namelist())
        for name in names[:: max(1, len(names) // pictures)][:pictures]:
            truth_zip.writestr(f"test/{Path(name).name}", source.read(name))
            camera = f"sn22/pred_pnlcalib/camera_{Path(name).name}"
            if camera in there:
                found_zip.writestr(Path(camera).name, source.read(camera))

    def pairs(ours: dict[str, Any], official: dict[str, Any]) -> Iterator[tuple[float | None, float]]:
        yield from (
            (ours["details"]["thresholds"]["5"][name], value) for name, value in official.items()
        )

    return Case(
        f"calibration, {pictures} pictures", "calibration", truth, found, "", python, _CALIBRATION,
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

    def pairs(ours: dict[str, Any], official: dict[str, Any]) -> Iterator[tuple[float | None, float]]:
        yield from ((ours["combined"][name], value) for name, value in official.items())

    return Case(
        f"detection, {pictures} pictures", "detection", truth, found, "coco", python, _COCO,
        (str(truth), str(found)), pairs,
    )  # fmt: skip


SIZES = {"full": (67_500, 50, 100_000, 100, 500), "small": (3_000, 4, 2_000, 10, 100)}
"""Frames of the half, games and predictions of spotting, pictures of calibration and of detection."""


def cases(folder: Path, data: Path, arguments: argparse.Namespace) -> Iterator[Case]:
    """All cases whose data are there, each laid out only when its turn comes."""
    frames, games, predictions, cameras, pictures = SIZES[arguments.size]
    rng = np.random.default_rng(7)
    wanted = set(arguments.only.split(",")) if arguments.only else None

    def asked(task: str) -> bool:
        return wanted is None or task in wanted

    truth = data / "snmot-gt" / "snmot-gt.zip"
    found = data / "snmot-runs" / "bytetrack-mot17ep10.zip"
    if asked("tracking") and truth.exists() and found.exists():
        count = len(read_mot(truth, "truth"))
        name = f"tracking, {count} sequences of SoccerNet"
        yield tracking_case(name, folder / "tracking", truth, found, arguments.trackeval)
    elif asked("tracking"):
        print("tracking on SoccerNet sequences: skipped, the data are not there")
    if asked("half"):
        name = f"tracking, one half of {frames} frames"
        files = half_files(folder / "half", frames, rng)
        yield tracking_case(name, folder / "half", *files, arguments.trackeval)
    if asked("spotting"):
        yield spotting_case(folder / "spotting", games, predictions, rng, arguments.soccernet)
    if asked("calibration") and (data / "calibration-lines.zip").exists():
        (folder / "calibration").mkdir()
        yield calibration_case(folder / "calibration", data, cameras, arguments.soccernet)
    elif asked("calibration"):
        print("calibration: skipped, the data are not there")
    if asked("detection"):
        (folder / "detection").mkdir()
        yield detection_case(folder / "detection", pictures, rng, arguments.coco)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("trackeval", "soccernet", "coco"):
        parser.add_argument(f"--{name}", help=f"python of the environment that holds {name}")
    parser.add_argument("--data", default=os.environ.get("FILMROOM_DATA", "../shared/data"))
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--only", help="tracking,half,spotting,calibration,detection")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="filmroom-evaluation-"))
    print(
        f"{'case':44} {'figures':>8} {'largest':>9} {'CPU seconds':>17} {'ratio':>6} {'peak MiB':>11}"
    )
    try:
        for case in cases(folder, Path(arguments.data).resolve(), arguments):
            call = (case.task, str(case.truth), str(case.found), case.convention)
            ours = run(sys.executable, _OURS, call, folder)
            if not case.python:
                print(
                    f"{case.name:44} official skipped, no environment given; {ours['cpu']:.2f} s here"
                )
                continue
            official = run(case.python, case.script, case.arguments, folder)
            count, worst = difference(case.pairs(ours["figures"], official["figures"]))
            print(
                f"{case.name:44} {count:8d} {worst:9.1e} {ours['cpu']:7.2f} / {official['cpu']:7.2f} "
                f"{official['cpu'] / ours['cpu']:6.1f} {ours['peak']:4.0f} / {official['peak']:4.0f}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
