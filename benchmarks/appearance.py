"""What appearance adds to following people: self-supervised, and learnt from the match itself.

    python benchmarks/appearance.py [ssat] [match] [speed] [--clips 4] [--parts DIR]

`ssat`: association of true boxes, ids removed and order shuffled, by motion alone (SORT, ByteTrack,
  boxes' distance) and by self-supervised appearance tracking as a ladder: looks alone, and boxes'
  distance, and averaging of looks. On broadcast-1 and on simulated hard clips.
`match`: how well looks tell team mates apart on broadcast-1, by the embedding as it is and by what is
  learnt from the match; and the offline tracker on the shipped detector's boxes with each of them.
`speed`: milliseconds a crop on one core.

Nothing was trained on broadcast-1, and no setting chosen on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from real_data import data_folder

from filmroom.evaluation.tracking import score_tracking
from filmroom.formats.mot import TrackRows
from filmroom.geometry.boxes import clip as clip_boxes
from filmroom.observe.embedding import PersonEmbedder
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.simulate.film import frames as film
from filmroom.simulate.settings import Settings
from filmroom.track.presets import PRESETS
from filmroom.track.settings import TrackerSettings
from filmroom.track.tracker import Tracker
from filmroom.video.decode import Reader
from pipeline import read_truth

SIMULATED = (("soccer", 951), ("basketball", 952), ("hockey", 953), ("football", 954))
SECONDS = 12.0
LEAST_VISIBLE = 0.1


@dataclass(frozen=True)
class Clip:
    """True boxes of people with their looks, in order of frame, shuffled within each."""

    name: str
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    box: NDArray[np.float64]
    looks: NDArray[np.float32]
    length: int
    fps: float

    @property
    def truth(self) -> TrackRows:
        return TrackRows.of(self.frame, self.track, self.box, length=self.length)


Looked = Iterator[tuple[int, NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]]


def clip_of(name: str, pictures: Looked, fps: float, parts: Path | None) -> Clip:
    segmenter, embedder = CropSegmenter(parts=parts), PersonEmbedder(parts=parts)
    rng = np.random.default_rng(0)
    frames, tracks, boxes, looks, length = [], [], [], [], 0
    for frame, picture, box, track in pictures:
        length = frame + 1
        order = rng.permutation(len(box))
        masks = segmenter.segment(picture, box[order]).masks
        looks.append(embedder.describe(picture, box[order], masks).vectors)
        frames.append(np.full(len(box), frame))
        boxes.append(box[order])
        tracks.append(track[order])
    joined = (np.concatenate(part) for part in (frames, tracks, boxes, looks))
    return Clip(name, *joined, length, fps)


def broadcast() -> Looked:
    folder = data_folder() / "soccer-clip"
    truth, people = read_truth(folder / "broadcast-1-truth.zip")
    balls = [track for track, row in people.items() if row["role"] == "ball"]
    for frame in Reader(folder / "broadcast-1.mp4"):
        here = (truth.frames == frame.index) & ~np.isin(truth.ids, balls)
        yield frame.index, frame.pixels, truth.boxes[here], truth.ids[here]


def simulated(sport: str, seed: int) -> Looked:
    settings = Settings(sport=sport, seconds=SECONDS, seed=seed, difficulty="hard")
    for filmed in film(settings):
        truth = filmed.truth
        people = [role not in ("ball", "hoop", "other") for role in truth.roles]
        shown = np.array(people, bool) & (truth.visible >= LEAST_VISIBLE)
        boxes = clip_boxes(truth.boxes[shown], settings.width, settings.height)
        yield truth.frame, filmed.pixels, boxes, truth.tracks[shown].astype(np.int64)


def clips(count: int, parts: Path | None) -> Iterator[Clip]:
    yield clip_of("broadcast-1", broadcast(), 25.0, parts)
    for sport, seed in SIMULATED[:count]:
        yield clip_of(f"simulated {sport}", simulated(sport, seed), 25.0, parts)


# --- self-supervised appearance tracking -----------------------------------------------------------


def ladder() -> dict[str, TrackerSettings]:
    ssat = PRESETS["ssat"]

    def changed(fresh: float, **weights: float) -> TrackerSettings:
        rounds = tuple(replace(turn, **weights) for turn in ssat.rounds)
        return replace(ssat, rounds=rounds, fresh=fresh)

    return {
        "sort": PRESETS["sort"],
        "bytetrack": PRESETS["bytetrack"],
        "boxes' distance alone": changed(1.0, looks=0.0),
        "looks alone": changed(1.0, distance=0.0),
        "  and boxes' distance": changed(1.0),
        "  and averaging (ssat)": ssat,
    }


def followed(clip: Clip, settings: TrackerSettings) -> TrackRows:
    tracker = Tracker(replace(settings, frame_rate=clip.fps))
    scores = np.full(len(clip.frame), 0.95)
    ids = tracker.follow(clip.box, scores, clip.frame, clip.length, appearance=clip.looks)
    kept = ids > 0
    return TrackRows.of(clip.frame[kept], ids[kept], clip.box[kept], length=clip.length)


def report_ssat(all_clips: list[Clip]) -> None:
    print("association of true boxes: IDF1, HOTA, switches")
    print(f"{'':<24}" + "".join(f"{clip.name:>26}" for clip in all_clips))
    for name, settings in ladder().items():
        cells = []
        for clip in all_clips:
            found = followed(clip, settings)
            scores = score_tracking({"clip": clip.truth}, {"clip": found}, convention="soccernet")
            values = scores.summary()
            values = values.get("combined", values)
            cells.append(f"{values['IDF1']:.3f} {values['HOTA']:.3f} {int(values['IDSW']):4d}")
        print(f"{name:<24}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    parts = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    report_ssat(list(clips(int(sys.argv[1]), parts)))
