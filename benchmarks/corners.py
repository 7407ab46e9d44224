"""Whole runs over simulated corner kicks, where people crowd: how well identities are kept.

    python benchmarks/corners.py [--clips 6] [--shaken 4] [--parts DIR] [--keep DIR]

Ten seconds of hard soccer at 1280x720 around a corner kick each, the `kept` clips of
`tracking_masks.py`, filmed first (kept in `--keep` and not filmed again) and then looked at by
`filmroom run`. HOTA and IDF1 are those of people of whom at least 15 % is visible. `--shaken` resolves
every clip N times, all but the first without two of a hundred detections: how the mean moves is what
luck is worth. Nothing was trained or chosen on these clips, but much on others like them.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from tracking_masks import AFTER, BEFORE, LEAST_VISIBLE, SIZE, corners

import filmroom
from filmroom.formats.mot import TrackRows, read_mot, write_mot_tracks
from filmroom.geometry.boxes import clip
from filmroom.simulate.film import film_frame
from filmroom.simulate.scene import Scene
from filmroom.video.encode import Writer
from pipeline import hota_and_idf1, shaken_tracks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--shaken", type=int, default=4, metavar="N")
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--keep", type=Path, help="keep the clips in this folder")
    arguments = parser.parse_args()
    scores = []
    print(f"{'seed':<8}{'HOTA':>8}{'IDF1':>8}{'shaken: HOTA':>16}{'IDF1':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        for scene, kick in corners("kept", arguments.clips):
            seed = scene.settings.seed
            folder = (arguments.keep or Path(scratch)) / f"corner-{seed}"
            run = Path(scratch) / f"run-{seed}"
            if not (folder / "people.txt").exists():
                film_corner(scene, kick, folder)
            filmroom.analyze(folder / "video.mp4", run, sport="soccer", parts=arguments.parts)
            truth = next(iter(read_mot(folder / "people.txt").values()))
            seeds = [None, *range(1, arguments.shaken)]
            found = shaken_tracks(run, seeds, SIZE, balls=False)
            scores.append([hota_and_idf1(truth, tracks) for tracks in found])
            print_line(str(seed), np.array(scores[-1]))
    print_line("mean", np.mean(scores, axis=0))


def print_line(name: str, scores: np.ndarray) -> None:
    (hota, idf1), (mean_hota, mean_idf1) = scores[0], scores.mean(axis=0)
    print(f"{name:<8}{hota:8.3f}{idf1:8.3f}{mean_hota:16.3f}{mean_idf1:8.3f}", flush=True)


def film_corner(scene: Scene, kick: int, folder: Path) -> None:
    """`video.mp4`, and `people.txt`, the truth in MOT rows."""
    folder.mkdir(parents=True, exist_ok=True)
    frames, ids, boxes = [], [], []
    with Writer(folder / "video.mp4", *SIZE, Fraction(25), quality="good") as writer:
        for number, frame in enumerate(range(kick - BEFORE, kick + AFTER)):
            filmed = film_frame(scene, frame)
            writer.write(filmed.pixels, number / 25)
            truth = filmed.truth
            shown = truth.shown_people(LEAST_VISIBLE)
            frames.append(np.full(shown.sum(), number))
            ids.append(truth.tracks[shown])
            boxes.append(clip(truth.boxes[shown], *SIZE))
    rows = TrackRows.of(np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes))
    write_mot_tracks(folder / "people.txt", rows)


if __name__ == "__main__":
    main()
