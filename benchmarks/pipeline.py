"""The whole of `filmroom run` on the annotated real clip: identity, teams, numbers, speed.

    python benchmarks/pipeline.py [--parts DIR] [--keep DIR] [--no-video] [--shaken N]

Tracking is scored with the ball as the official SoccerNet evaluation does, on the clip broadcast-1,
which nothing was trained or tuned on; "put right" by the same truth without its two mistakes of
identity (`broadcast_truth.py`). For team and number a box counts as its person's where the one
to one assignment of greatest overlap in its frame pairs the two at IoU above 0.5. Speed is the wall
clock of the whole command on this machine, given beside decoding alone and the detector alone, timed
in the same run. `--shaken` resolves it N times more, every time without two of a hundred detections,
which says how much of the identity scores is luck.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from broadcast_truth import FRAMES, put_right, read_truth, without_ball
from real_data import data_folder

import filmroom
from filmroom.evaluation.tracking import score_tracking
from filmroom.formats.mot import TrackRows, read_mot
from filmroom.geometry.boxes import pair_by_overlap
from filmroom.observe.detector import OnnxDetector
from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.resolving import resolve_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.pitch import sport_named
from filmroom.tables import boxes_of
from filmroom.video.decode import Reader

MUST = {"HOTA": 0.62, "IDF1": 0.68}
PICTURE = (1920, 1080)
LEFT_OUT = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--keep", type=Path, help="keep the run in this folder")
    parser.add_argument("--no-video", action="store_true")
    parser.add_argument("--shaken", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    video = data_folder() / "soccer-clip" / "broadcast-1.mp4"
    truth, people = read_truth(data_folder() / "soccer-clip" / "broadcast-1-truth.zip")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch) / "run"
        seconds = timed_run(video, folder, arguments.parts, arguments.no_video)
        report_identity(truth, people, folder)
        if arguments.shaken:
            report_shaken({"as given": truth, "put right": put_right(truth)}, folder, arguments.shaken)
        report_speed(video, seconds, arguments.parts)


def timed_run(video: Path, folder: Path, parts: Path | None, no_video: bool) -> float:
    command = [
        sys.executable,
        "-m",
        "filmroom",
        "run",
        str(video),
        "-o",
        str(folder),
        "--sport",
        "soccer",
    ]
    command += ["--quiet"] + (["--parts", str(parts)] if parts else []) + ["--no-video"] * no_video
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def report_identity(truth: TrackRows, people: dict[int, dict[str, str]], folder: Path) -> None:
    tracks = next(iter(read_mot(folder / "tracks.txt").values()))
    players = {row["track"]: row for row in filmroom.load(folder).players.arrow.to_pylist()}
    balls = [track for track, row in players.items() if row["role"] == "ball"]
    truth_ball = [track for track, row in people.items() if row["role"] == "ball"]
    seen_people = tracks.select(~np.isin(tracks.ids, balls))
    mended = put_right(truth)
    parts = {
        "everything": (truth, tracks),
        "people": (without_ball(truth, people), seen_people),
        "put right": (mended, tracks),
        "its people": (without_ball(mended, people), seen_people),
        "ball": (
            truth.select(np.isin(truth.ids, truth_ball)),
            tracks.select(np.isin(tracks.ids, balls)),
        ),
    }
    names = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "LocA")
    print(f"{'':<12}" + "".join(f"{name:>8}" for name in names))
    for part, (right, found) in parts.items():
        values = identity_scores(right, found)
        print(f"{part:<12}" + "".join(f"{float(values[name]):8.3f}" for name in names))
    print(f"must        {MUST['HOTA']:8.3f}{'':16}{MUST['IDF1']:8.3f}")
    pairs = overlapping_pairs(truth, tracks)
    print(
        f"team of players, share of boxes right: {team_share(pairs, people, players):.3f} (must 0.95)"
    )
    right, claimed, found, known = numbers(pairs, people, players)
    print(
        f"numbers claimed {claimed}, right {right} ({right / max(claimed, 1):.2f}, must 0.80);"
        f" players with a number who get it {found} of {known} ({found / known:.2f}, must 0.30)"
    )


def identity_scores(truth: TrackRows, found: TrackRows) -> dict[str, float]:
    scores = score_tracking({"clip": truth}, {"clip": found}, convention="soccernet").summary()
    return scores.get("combined", scores)


def report_shaken(truths: dict[str, TrackRows], folder: Path, times: int) -> None:
    found = list(shaken_tracks(folder, range(times), PICTURE))
    for name, truth in truths.items():
        hota, idf1 = zip(*(hota_and_idf1(truth, tracks) for tracks in found), strict=True)
        print(
            f"everything, truth {name}, {times} times without {LEFT_OUT:.0%} of the detections:"
            f" HOTA {np.mean(hota):.3f} ({min(hota):.3f} to {max(hota):.3f}),"
            f" IDF1 {np.mean(idf1):.3f} ({min(idf1):.3f} to {max(idf1):.3f})"
        )


def hota_and_idf1(truth: TrackRows, found: TrackRows) -> tuple[float, float]:
    values = identity_scores(truth, found)
    return float(values["HOTA"]), float(values["IDF1"])


def shaken_tracks(
    folder: Path, seeds: Iterable[int | None], picture: tuple[int, int], *, balls: bool = True
) -> Iterator[TrackRows]:
    """The clip resolved without a few detections, others for every seed; with all of them for None."""
    seen = read_observations(RunFolder(folder), picture[1])
    for seed in seeds:
        fewer = seen
        if seed is not None:
            kept = np.random.default_rng(seed).random(seen.detections.num_rows) >= LEFT_OUT
            fewer = msgspec.structs.replace(seen, detections=seen.detections.filter(pa.array(kept)))
        resolved = resolve_observations(fewer, fps=25, picture=picture, sport=sport_named("soccer"))
        tracks = resolved.tracks
        if not balls:
            tracks = tracks.filter(pc.not_equal(tracks["role"], "ball"))
        columns = (tracks[name].to_numpy() for name in ("frame", "track"))
        yield TrackRows.of(*columns, boxes_of(tracks))


def overlapping_pairs(truth: TrackRows, tracks: TrackRows) -> list[tuple[int, int]]:
    pairs = []
    for frame in np.unique(truth.frames):
        there, here = truth.frames == frame, tracks.frames == frame
        rows, columns = pair_by_overlap(truth.boxes[there], tracks.boxes[here], 0.5)
        right, found = truth.ids[there][rows], tracks.ids[here][columns]
        pairs += list(zip(right.tolist(), found.tolist(), strict=True))
    return pairs


def team_share(pairs, people, players) -> float:
    chosen = [(right, found) for right, found in pairs if people[right]["role"] == "player"]
    shares = [
        np.mean(
            [naming.get(players[found]["team"]) == people[right]["team"] for right, found in chosen]
        )
        for naming in ({"a": "left", "b": "right"}, {"a": "right", "b": "left"})
    ]
    return float(max(shares))


def numbers(pairs, people, players) -> tuple[int, int, int, int]:
    owners: dict[int, Counter[int]] = defaultdict(Counter)
    for right, found in pairs:
        owners[found][right] += 1
    claimed = [track for track, row in players.items() if row["number"] is not None]
    right, found = 0, set()
    for track in claimed:
        person = owners[track].most_common(1)[0][0] if owners[track] else None
        if person is not None and people[person]["number"] == players[track]["number"]:
            right += 1
            found.add(person)
    known = sum(bool(row["number"]) for row in people.values())
    return right, len(claimed), len(found), known


def report_speed(video: Path, seconds: float, parts: Path | None) -> None:
    start = time.perf_counter()
    frames = [frame.pixels for frame in Reader(video)][::40]
    decoding = time.perf_counter() - start
    detector = OnnxDetector(parts=parts, threads=1)
    start = time.perf_counter()
    for picture in frames:
        detector.detect(picture)
    detecting = (time.perf_counter() - start) / len(frames) * FRAMES
    print(
        f"whole run {FRAMES / seconds:.1f} frames/s (must 12);"
        f" {seconds / decoding:.1f} x decoding alone ({FRAMES / decoding:.0f} frames/s),"
        f" {seconds / detecting:.2f} x the detector alone on every frame, one thread"
    )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"peak memory {children.ru_maxrss / 1e6:.2f} GB (must 1.5)")


if __name__ == "__main__":
    main()
