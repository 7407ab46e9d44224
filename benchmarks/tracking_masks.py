"""What silhouettes add to following people, asked only where boxes leave a doubt.

    python benchmarks/tracking_masks.py [--half report|tune] [--clips N] [--masks true|segmenter|both]
                                        [--run DIR TRUTH ...]

Simulated soccer, hard, ten seconds round a corner kick: true boxes cut at the picture's border and
spoiled by the noise model of `tracking.py`, with the silhouettes of the truth, or those that the
shipped segmenter finds in the same boxes. Printed are HOTA, AssA, IDF1 and exchanges of the offline
tracker (what `filmroom track` does), people only, without and with silhouettes. What they weigh, and
where they are asked, was chosen on the `tune` clips; `report` are other seeds. `--run` takes run
folders of `filmroom run` on 1280x720 instead, each with the MOT truth file of its video (balls are left
out if there is a players.csv in the folder above): the shipped detector's boxes and silhouettes,
followed by looks as well where the run has embeddings.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tracking import spoiled

from filmroom.evaluation.tracking import score_tracking
from filmroom.formats.mot import TrackRows, read_mot
from filmroom.geometry.boxes import clip as clip_boxes
from filmroom.geometry.boxes import ious
from filmroom.geometry.masks import encode_rle, windows
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.pipeline import resolving
from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.pitch.sports import SPORTS
from filmroom.simulate.film import FrameTruth, film_frame
from filmroom.simulate.scene import Scene, make_scene
from filmroom.simulate.settings import Settings
from filmroom.tables import MASKS, MOTION, SHOTS, boxes_of
from filmroom.track.files import detections_of
from filmroom.track.offline import track_people

SIZE = (1280, 720)
FIRST_SEED = {"tune": 700, "report": 720, "kept": 800}
BEFORE, AFTER = 130, 120  # frames round the corner kick
LEAST_VISIBLE = 0.15
MEASURES = ("HOTA", "AssA", "IDF1", "IDSW")


class Clip(NamedTuple):
    truth: TrackRows
    detections: pa.Table
    masks: dict[str, pa.Table]


def corners(half: str, count: int) -> Iterator[tuple[Scene, int]]:
    """Matches, and the frame of their first corner kick."""
    found = 0
    for seed in itertools.count(FIRST_SEED[half]):
        scene = make_scene(
            Settings(seconds=120, seed=seed, difficulty="hard", width=SIZE[0], height=SIZE[1])
        )
        kicks = [event.frame for event in scene.play.events if event.label == "CORNER KICK"]
        kicks = [frame for frame in kicks if BEFORE <= frame < len(scene) - AFTER]
        if kicks:
            found += 1
            yield scene, kicks[0]
        if found == count:
            return


def clip_of(scene: Scene, kick: int, kinds: tuple[str, ...]) -> Clip:
    """The stretch round the kick, filmed once for the truth and once more for the segmenter."""
    start, stop = kick - BEFORE, kick + AFTER
    truths, boxes, frames, ids = [], [], [], []
    for frame in range(start, stop):
        truth = film_frame(scene, frame).truth
        shown = np.flatnonzero(truth.shown_people(LEAST_VISIBLE))
        truths.append(truth)
        boxes.append(clip_boxes(truth.boxes[shown], *SIZE))
        ids.append(truth.tracks[shown].astype(np.int64))
        frames.append(np.full(len(shown), frame - start))
    rows = TrackRows.of(
        np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes), length=stop - start
    )
    found = spoiled(rows, f"corner-{scene.settings.seed}", in_runs=False, picture=SIZE)
    found.boxes[:, 2:] = np.maximum(found.boxes[:, 2:], 1.0)
    table = detections_of(found)
    makers = {"true": lambda frame, box: _true_masks(truths[frame], box)}
    if "segmenter" in kinds:
        segmenter = CropSegmenter()
        makers["segmenter"] = lambda frame, box: list(
            segmenter.segment(film_frame(scene, frame + start).pixels, box).masks
        )
    return Clip(rows, table, {kind: _table(table, makers[kind]) for kind in kinds})


def _true_masks(truth: FrameTruth, boxes: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """What shows of whoever each box is most likely of, in the box's own crop; nothing for nobody's."""
    owner = np.zeros(SIZE[::-1], np.int64)
    for track, box, mask in zip(truth.tracks, truth.visible_boxes, truth.masks, strict=True):
        x, y = int(box[0]), int(box[1])
        owner[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = track
    fit = ious(boxes, clip_boxes(truth.boxes, *SIZE))
    best = fit.argmax(axis=1)
    sure = fit[np.arange(len(boxes)), best] > 0.4
    masks = []
    for (left, top, right, bottom), mine, known in zip(
        windows(boxes, *SIZE).tolist(), truth.tracks[best], sure, strict=True
    ):
        masks.append((owner[top:bottom, left:right] == mine) & bool(known))
    return masks


def _table(detections: pa.Table, masks_of: object) -> pa.Table:
    frame, boxes = detections["frame"].to_numpy(), boxes_of(detections)
    masks: list[NDArray[np.bool_]] = []
    for index in range(int(frame.max()) + 1):
        here = frame == index
        if here.any():
            masks += masks_of(index, boxes[here])  # type: ignore[operator]
    return MASKS.build(
        {
            "frame": detections["frame"],
            "detection": detections["detection"],
            "rle": [encode_rle(mask) for mask in masks],
            "width": [max(1, mask.shape[1]) for mask in masks],
            "height": [max(1, mask.shape[0]) for mask in masks],
            "score": np.ones(len(masks)),
        }
    )


def scores_of(truth: TrackRows, tracks: pa.Table) -> list[float]:
    found = TrackRows.of(tracks["frame"], tracks["track"], boxes_of(tracks), length=truth.length)
    values = score_tracking({"clip": truth}, {"clip": found}, "soccernet").summary()["combined"]
    return [values[name] for name in MEASURES]


def print_line(name: str, scores: list[list[float]]) -> None:
    means = np.mean(scores, axis=0)
    print(
        f"{name:<24}"
        + "".join(
            f"{value:>8.1f}" if measure == "IDSW" else f"{100 * value:>8.2f}"
            for measure, value in zip(MEASURES, means, strict=True)
        ),
        flush=True,
    )


def report_clips(half: str, count: int, kinds: tuple[str, ...]) -> None:
    scores: dict[str, list[list[float]]] = {}
    sport = SPORTS["soccer"]
    for scene, kick in corners(half, count):
        clip = clip_of(scene, kick, kinds)
        for name, masks in {"without silhouettes": None, **clip.masks}.items():
            tracks = track_people(
                clip.detections,
                MOTION.empty(),
                SHOTS.empty(),
                frames=np.arange(clip.truth.length or 0),
                fps=25.0,
                picture=SIZE,
                most_people=2 * sport.players + sport.referees,
                masks=masks,
            )
            scores.setdefault(name, []).append(scores_of(clip.truth, tracks))
    print(f"{f'{count} corners, {half}':<24}" + "".join(f"{name:>8}" for name in MEASURES))
    for name, rows in scores.items():
        print_line(name, rows)


def _people(rows: TrackRows, path: Path) -> TrackRows:
    listed = path.parent.parent / "players.csv"
    if not listed.exists():
        return rows
    with listed.open() as handle:
        balls = [int(row["track"]) for row in csv.DictReader(handle) if row["role"] == "ball"]
    return rows.select(~np.isin(rows.ids, balls))


def report_runs(pairs: list[list[str]]) -> None:
    sport = SPORTS["soccer"]
    scores: dict[str, list[list[float]]] = {"without silhouettes": [], "with them": []}
    for folder, path in pairs:
        truth = read_mot(Path(path), "truth")
        rows = next(iter(truth.values()))
        rows = _people(rows, Path(path))
        seen = read_observations(RunFolder(Path(folder)), SIZE[1])
        people = seen.detections.filter(pc.equal(seen.detections["kind"], "person"))
        by_looks = bool(seen.embeddings.num_rows)
        following = resolving._FOLLOWING_BY_LOOKS if by_looks else resolving._FOLLOWING
        for name, masks in (("without silhouettes", None), ("with them", seen.masks)):
            tracks = track_people(
                people,
                seen.motion,
                seen.shots,
                seen.appearance,
                frames=seen.frames["frame"].to_numpy(),
                fps=25.0,
                picture=SIZE,
                most_people=2 * sport.players + sport.referees,
                settings=following,
                embeddings=seen.embeddings,
                masks=masks,
            )
            scores[name].append(scores_of(rows, tracks))
    print(f"{f'{len(pairs)} runs':<24}" + "".join(f"{name:>8}" for name in MEASURES))
    for name, values in scores.items():
        print_line(name, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--half", choices=("report", "tune"), default="report")
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--masks", choices=("true", "segmenter", "both"), default="both")
    parser.add_argument("--run", nargs=2, action="append", metavar=("DIR", "TRUTH"))
    options = parser.parse_args()
    if options.run:
        report_runs(options.run)
        return
    kinds = ("true", "segmenter") if options.masks == "both" else (options.masks,)
    report_clips(options.half, options.clips, kinds)


if __name__ == "__main__":
    main()
