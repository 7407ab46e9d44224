"""The ball: which candidate it is, at the first and the second look, and where it is followed.

    python benchmarks/ball.py [--parts DIR] [--clips DIR ...]

Of the pictures with a labelled ball (val parts: stadiums and arenas that training never saw; of clips
every fourth frame) the share in which the first, one of the first four or of the first sixteen
candidates lies within a diameter of it, and in which any overlaps it by half. `--clips` are folders
that `filmroom simulate` made. There `filmroom run` is run too: of the frames in which it draws one,
and of those in which there is one, the share in which it is right (within 0.75 diameters; by half).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from real_data import data_folder

import filmroom
from filmroom.formats.coco import CocoSet
from filmroom.geometry.boxes import ious
from filmroom.observe.decode import KINDS
from filmroom.observe.detector import OnnxDetector
from filmroom.tables import boxes_of
from filmroom.video.decode import Reader

Labelled = tuple[np.ndarray, np.ndarray]
"""A picture and the box (4,) of its ball."""

EVERY = 4
NEAR = 0.75  # diameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="folders of simulated clips")
    arguments = parser.parse_args()
    print(f"{'set':<24}{'look':<8}{'1st':>7}{'4':>7}{'16':>7}{'IoU .5':>8}{'pictures':>10}")
    for name in ("football-detection", "basketball-detection"):
        rank(name, list(of_set(CocoSet(data_folder() / f"{name}.zip", "val"))), arguments.parts)
    if not arguments.clips:
        return
    rank("simulated clips", [row for clip in arguments.clips for row in of_clip(clip)], arguments.parts)
    follow(arguments.clips, arguments.parts)


def of_set(pictures: CocoSet) -> Iterator[Labelled]:
    for image in pictures:
        balls = image.boxes[[name == "ball" for name in image.categories]]
        if len(balls):
            yield pictures.picture(image), balls[0]


def of_clip(folder: Path) -> Iterator[Labelled]:
    truth = truth_of(folder)
    for frame in Reader(folder / "video.mp4"):
        if frame.index % EVERY == 0 and frame.index in truth:
            yield frame.pixels, truth[frame.index]


def truth_of(folder: Path) -> dict[int, np.ndarray]:
    """The ball's box in every frame that shows it."""
    with (folder / "truth" / "players.csv").open(encoding="utf-8") as file:
        balls = [int(row["track"]) for row in csv.DictReader(file) if row["role"] == "ball"]
    rows = np.loadtxt(folder / "truth" / "gt" / "gt.txt", delimiter=",", ndmin=2)
    return {int(row[0]) - 1: row[2:6] for row in rows if int(row[1]) in balls}


def rank(name: str, pictures: list[Labelled], parts: Path | None) -> None:
    for look in ("first", "second"):
        detector = OnnxDetector(threshold=0.02, parts=parts, second_look=look == "second")
        places, overlaps = [], []
        for picture, ball in pictures:
            found = detector.detect(picture)
            boxes = found.boxes[found.kinds == KINDS.index("ball")].astype(float)
            away = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - ball[:2] - ball[2:] / 2, axis=1)
            right = np.flatnonzero(away < ball[2:].mean())
            places.append(right[0] if len(right) else len(boxes) + 999)
            overlaps.append(ious(ball[None], boxes).max(initial=0))
        place = np.array(places)
        shares = [float((place < count).mean()) for count in (1, 4, 16)]
        shares.append(float((np.array(overlaps) >= 0.5).mean()))
        print(f"{name:<24}{look:<8}" + "".join(f"{each:7.3f}" for each in shares) + f"{len(place):11d}")


def follow(clips: list[Path], parts: Path | None) -> None:
    counts = np.zeros(4, int)
    for clip in clips:
        with tempfile.TemporaryDirectory() as scratch:
            game = filmroom.analyze(
                clip / "video.mp4", Path(scratch) / "run", sport="soccer", parts=parts
            )
            rows = game.tracks.arrow
            tracks = rows.filter(pc.equal(rows["role"], "ball"))
        truth = truth_of(clip)
        near = half = 0
        for frame, box in zip(tracks["frame"].to_pylist(), boxes_of(tracks), strict=True):
            if frame in truth:
                ball = truth[frame]
                away = np.hypot(*(box[:2] + box[2:] / 2 - ball[:2] - ball[2:] / 2))
                near += int(away < NEAR * ball[2:].mean())
                half += int(ious(box[None].astype(float), ball[None])[0, 0] >= 0.5)
        row = np.array([tracks.num_rows, len(truth), near, half])
        counts += row
        print(line(clip.name, row))
    print(line("together", counts))


def line(name: str, row: np.ndarray) -> str:
    drawn, there, near, half = row
    shares = [near / max(1, drawn), near / max(1, there), half / max(1, drawn), half / max(1, there)]
    return (
        f"{name:<24}near: of those drawn {shares[0]:.3f}, of those there {shares[1]:.3f}; "
        f"overlap of half: {shares[2]:.3f}, {shares[3]:.3f}; {drawn} drawn, {there} there"
    )


if __name__ == "__main__":
    main()
