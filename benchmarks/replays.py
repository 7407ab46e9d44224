"""Replays found in simulated matches: precision and recall over seeds, sports and weathers.

    python benchmarks/replays.py [--half tune|report] [--kept DIR] [--clips N]

Each clip is 36 s of play as a director shows it (camera `cuts`: main camera, close-ups, other cameras,
replays at 0.33 to 0.66 of the speed with a wipe where the match has graphics), filmed at 320x180,
encoded and read back; seeds whose clip has no replay are passed over. Shots are found as in
`filmroom run`, not taken from the truth. `tune` are the clips on which thresholds were chosen (four
sports), `report` others: other seeds, the same sports and three more. A replay counts as found where
it shares half of the frames of either with a shot called a replay (IoU 0.5); frames are counted too.
`--kept` keeps what was filmed.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.events.replays import by_wipes, changes, find_replays, find_wipes
from filmroom.observe.camera_alone import camera_of_video
from filmroom.observe.shots import LOOK_SIZE
from filmroom.simulate.film import film_frame
from filmroom.simulate.scene import Scene, make_scene
from filmroom.simulate.settings import Settings
from filmroom.tables import DETECTIONS, SHOTS
from filmroom.video.decode import read_frames
from filmroom.video.encode import Writer

SIZE = (320, 180)
SECONDS, FPS = 36.0, 25.0
TUNE = ("soccer", "basketball", "hockey", "handball")
REPORT = (*TUNE, "football", "volleyball", "futsal")
FIRST_SEED = {"tune": 500, "report": 600}


class Clip(NamedTuple):
    name: str
    looks: NDArray[np.uint8]  # (F, 36, 64)
    shots: pa.Table  # as found
    replays: NDArray[np.int64]  # (R, 2) first and last frames, the truth


def scenes(half: str, count: int) -> Iterator[Scene]:
    """The first matches, by seed, that have a replay."""
    sports = TUNE if half == "tune" else REPORT
    found = 0
    for seed in itertools.count(FIRST_SEED[half]):
        if found == count:
            return
        scene = make_scene(
            Settings(
                sport=sports[found % len(sports)],
                seconds=SECONDS,
                seed=seed,
                camera="cuts",
                difficulty=("medium", "hard")[found // len(sports) % 2],
                width=SIZE[0],
                height=SIZE[1],
                fps=FPS,
            )
        )
        if any(shot.kind == "replay" for shot in scene.shots):
            found += 1
            yield scene


def filmed(scene: Scene) -> Clip:
    """A clip as a run would see it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with Writer(path, *SIZE, FPS) as writer:
            for frame in range(len(scene)):
                writer.write(film_frame(scene, frame).pixels, frame / FPS)
        _, shots, _, _ = camera_of_video(path)(DETECTIONS.empty())
        looks = np.stack([frame.grey(*LOOK_SIZE) for frame in read_frames(path)])
    replays = [(shot.first, shot.last) for shot in scene.shots if shot.kind == "replay"]
    settings = scene.settings
    name = f"{settings.sport}-{settings.difficulty}-{settings.seed}"
    return Clip(name, looks, shots, np.array(replays, np.int64).reshape(-1, 2))


def clips(half: str, count: int, kept: Path | None) -> Iterator[Clip]:
    made, passed = scenes(half, count), 0
    for index in range(count):
        path = None if kept is None else kept / f"{half}-{index}.npz"
        if path is not None and path.exists():
            yield _read(path)
            continue
        clip = filmed(next(itertools.islice(made, index - passed, None)))
        passed = index + 1
        if path is not None:
            _keep(clip, path)
        yield clip


def _keep(clip: Clip, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, last = (clip.shots[name].to_numpy() for name in ("first_frame", "last_frame"))
    np.savez_compressed(
        path, name=clip.name, looks=clip.looks, first=first, last=last, replays=clip.replays
    )


def _read(path: Path) -> Clip:
    with np.load(path) as data:
        count = len(data["first"])
        shots = SHOTS.build(
            {
                "shot": np.arange(count),
                "first_frame": data["first"],
                "last_frame": data["last"],
                "kind": ["other"] * count,
                "score": np.zeros(count),
            }
        )
        return Clip(str(data["name"]), data["looks"], shots, data["replays"])


def found_in(clip: Clip) -> dict[str, list[tuple[int, int]]]:
    """Replays by both signs, and by wipes alone: first and last frames."""
    count = len(clip.looks)
    shots = find_replays(clip.shots, np.arange(count), clip.looks, FPS).to_pylist()
    change = changes(clip.looks)
    wiped = by_wipes(clip.looks, change, find_wipes(change, FPS), FPS)
    return {
        "wipes and repeats": [
            (row["first_frame"], row["last_frame"]) for row in shots if row["kind"] == "replay"
        ],
        "wipes alone": [(each.first, each.end - 1) for each in wiped],
    }


def matched(truth: list[tuple[int, int]], found: list[tuple[int, int]]) -> int:
    """How many of both are pairs that share half of the frames of either."""
    return sum(
        any(
            2 * (min(last, end) - max(first, start) + 1) >= max(last, end) - min(first, start) + 1
            for start, end in found
        )
        for first, last in truth
    )


def frames_of(spans: list[tuple[int, int]], count: int) -> NDArray[np.bool_]:
    inside = np.zeros(count, bool)
    for first, last in spans:
        inside[first : last + 1] = True
    return inside


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--clips", type=int, default=14)
    options = parser.parse_args()
    sums: dict[str, NDArray[np.int64]] = {}
    for clip in clips(options.half, options.clips, options.kept):
        truth = [(first, last) for first, last in clip.replays.tolist()]
        true_frames = frames_of(truth, len(clip.looks))
        for name, found in found_in(clip).items():
            frames = frames_of(found, len(clip.looks))
            numbers = (
                *(len(truth), len(found), matched(truth, found)),
                *(true_frames.sum(), frames.sum(), (true_frames & frames).sum()),
            )
            sums[name] = sums.get(name, np.zeros(6, np.int64)) + np.array(numbers)
            print(f"{clip.name:<24}{name:<20}true {truth} found {found}", flush=True)
    for name, (true, called, right, true_f, called_f, right_f) in sums.items():
        print(
            f"{name:<20}replays {true}: precision {right / max(called, 1):.3f}, recall"
            f" {right / max(true, 1):.3f}; frames: {right_f / max(called_f, 1):.3f},"
            f" {right_f / max(true_f, 1):.3f}"
        )


if __name__ == "__main__":
    main()
