"""The simulated matches measured: motion, trackers, speed, memory, agreement of the truths.

    python benchmarks/simulation.py [motion] [trackers] [play] [speed] [memory] [truth] [presets]
                                    [--clips N] [--train FOLDER]

`motion`: distributions over simulated 30 s clips of the main camera against SNMOT (snmot-gt), as the
  1-Wasserstein distance. Figures were tuned on the first half of SNMOT (every second sequence from the
  first); the distance reported is that to the other half, beside the distance between the two halves
  and the mean distance between two random halves. 48 clips, as 24 leave too much to chance.
`trackers`: HOTA of `trackers` 2.6 (SORT, ByteTrack, OC-SORT, C-BIoU, default settings) on true boxes of
  48 simulated clips and of SNMOT; beside it the same for each half of the simulated clips, as 24 of
  them swing by some points; needs that package (an environment of its own will do).
`play`: frames a second of play alone, and how often each ball action happens, beside FOOTPASS.
`speed`: pictures of 1280x720 with all truths, a second, one process and two.
`memory`: peak of one process that simulates 90 minutes and films pictures spread over all of them.
`truth`: how far boxes, masks, drawn lines and positions are apart.
`presets`: what each difficulty does to the pictures.
`sheet`, `clips` (only when named): write docs/simulation.jpg, twelve looks, and the two clips of the
  tests.

SNMOT's clips were cut round an action; so are the simulated ones, of all kinds that happen in four
minutes of play. SNMOT's clips are unbroken stretches of the main camera, which broadcasts leave while
nothing happens: nor does the ball of a simulated one lie still for 15 seconds, where such a stretch
can be had. SNMOT's boxes were drawn on key frames and interpolated, on whole pixels; simulated boxes
are brought to that form first (`as_annotated`): every fifth frame, straight lines between, absences
below half a second closed, whole pixels.
`--train FOLDER` prints the commands of the rows that need a network trained first.
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from real_data import data_folder
from scipy.stats import wasserstein_distance

from filmroom.formats.mot import TrackRows, read_mot
from filmroom.geometry.boxes import ious
from filmroom.simulate.play import Event
from filmroom.simulate.settings import Settings

FloatArray = NDArray[np.float64]
Statistics = dict[str, FloatArray]

FIRST_SEED = 1000
MATCH_SECONDS = 240.0
KEY_EVERY, SHORTEST_ABSENCE = 5, 12
CUT_AWAY = 375  # frames of a ball at rest after which a broadcast shows something else
STATISTICS = {
    "speed": "image speed, body heights a frame",
    "overlap": "overlap, IoU with the nearest other box",
    "length": "frames a track is seen",
    "view": "people in view",
    "absence": "frames an absence lasts",
    "absences": "absences in a clip",
}


# --- motion ---------------------------------------------------------------------------------------


def real_clips() -> dict[str, tuple[TrackRows, frozenset[int]]]:
    """SNMOT's sequences with the ids of their balls."""
    path = data_folder() / "snmot-gt" / "snmot-gt.zip"
    balls: dict[str, set[int]] = {}
    with zipfile.ZipFile(path) as archive:
        for row in csv.DictReader(io.StringIO(archive.read("ball_ids.csv").decode())):
            balls.setdefault(row["sequence"], set()).add(int(row["track_id"]))
    return {
        name: (rows, frozenset(balls.get(name, ())))
        for name, rows in sorted(read_mot(path, "truth").items())
    }


def simulated_clips(count: int) -> dict[str, tuple[TrackRows, frozenset[int]]]:
    """30 s clips round an action, main camera, 1920x1080, boxes as SNMOT's annotators draw them."""
    from filmroom.simulate.boxes import boxes_of
    from filmroom.simulate.events import actions
    from filmroom.simulate.scene import make_match

    clips = {}
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        match = make_match(Settings(seconds=MATCH_SECONDS, seed=seed, width=1920, height=1080))
        rng = np.random.default_rng([seed, 1])
        happened = actions(match.play)
        first = chosen_start(happened, match.play.ball, rng)
        rows = boxes_of(match, (first, first + 750))
        clips[f"clip-{seed}"] = (as_annotated(rows), frozenset([int(rows.ids.max())]))
    return clips


def chosen_start(happened: list[Event], ball: NDArray[np.float32], rng: np.random.Generator) -> int:
    """The first frame of a clip round an action whose ball rests no longer than CUT_AWAY.

    Kinds of action are tried in random order, those of a kind likewise; where none will do, the clip
    whose ball rests the least.
    """
    starts: list[int] = [0]
    for kind in rng.permutation(sorted({event.label for event in happened})):
        frames = rng.permutation([event.frame for event in happened if event.label == kind])
        before = frames - rng.integers(250, 500, len(frames))
        starts += np.clip(before, 0, len(ball) - 750).tolist()
    starts = starts[1:] or starts
    rests = [longest_rest(ball[start : start + 750]) for start in starts]
    good = [start for start, rest in zip(starts, rests, strict=True) if rest < CUT_AWAY]
    return good[0] if good else starts[int(np.argmin(rests))]


def longest_rest(ball: NDArray[np.float32]) -> int:
    """The most frames in a row in which the ball lies still."""
    still = np.abs(np.diff(ball, axis=0)).max(axis=1) < 0.01
    ends = np.flatnonzero(np.diff(np.concatenate([[0], still, [0]])))
    return int(np.diff(ends)[::2].max(initial=0))


def as_annotated(rows: TrackRows) -> TrackRows:
    frames, ids, boxes = [], [], []
    for track in np.unique(rows.ids):
        mine = np.flatnonzero(rows.ids == track)
        mine = mine[np.argsort(rows.frames[mine])]
        present, box = rows.frames[mine], rows.boxes[mine]
        ends = np.flatnonzero(np.diff(present) > SHORTEST_ABSENCE)
        for part in np.split(np.arange(len(mine)), ends + 1):
            first, last = int(present[part[0]]), int(present[part[-1]])
            keys = np.unique([first, *range(first, last, KEY_EVERY), last])
            near = np.searchsorted(present[part], keys).clip(0, len(part) - 1)
            whole = np.arange(first, last + 1)
            lines = [np.interp(whole, keys, box[part[near], side]) for side in range(4)]
            frames.append(whole)
            ids.append(np.full(len(whole), track))
            boxes.append(np.rint(np.stack(lines, axis=1)))
    order = np.argsort(np.concatenate(frames), kind="stable")
    return TrackRows.of(
        np.concatenate(frames)[order],
        np.concatenate(ids)[order],
        np.concatenate(boxes)[order],
        length=rows.length,
    )


def statistics(rows: TrackRows, balls: frozenset[int]) -> Statistics:
    people = ~np.isin(rows.ids, list(balls))
    order = np.lexsort((rows.frames[people], rows.ids[people]))
    frames, ids, boxes = (values[people][order] for values in (rows.frames, rows.ids, rows.boxes))
    same, step = np.diff(ids) == 0, np.diff(frames)
    moved = np.diff(boxes[:, :2] + boxes[:, 2:] / 2, axis=0)[same & (step == 1)]
    tall = boxes[1:][same & (step == 1), 3]
    absent = step[same & (step > 1)] - 1
    overlap: list[float] = []
    for frame in range(0, rows.length or 0, 5):
        here = boxes[frames == frame]
        if len(here) > 1:
            shared = ious(here, here)
            np.fill_diagonal(shared, 0.0)
            overlap += shared.max(axis=1).tolist()
    return {
        "speed": np.hypot(*moved.T) / np.maximum(tall, 1.0),
        "overlap": np.array(overlap),
        "length": np.unique(ids, return_counts=True)[1].astype(float),
        "view": np.bincount(frames, minlength=rows.length or 0).astype(float),
        "absence": absent.astype(float),
        "absences": np.array([float(len(absent))]),
    }


def pooled(clips: Sequence[Statistics]) -> Statistics:
    return {name: np.concatenate([clip[name] for clip in clips]) for name in STATISTICS}


def print_motion(clips: int) -> None:
    real = [statistics(*clip) for clip in real_clips().values()]
    tune, report = pooled(real[::2]), pooled(real[1::2])
    simulated = pooled([statistics(*clip) for clip in simulated_clips(clips).values()])
    rng = np.random.default_rng(0)
    halvings = [rng.permutation(len(real)) for _ in range(30)]
    print(f"motion: {clips} simulated clips against SNMOT; must 3 x, aim 1.2 x")
    print(f"{'':42}{'to report':>10}{'halves':>9}{'random':>9}{'ratio':>7}{'ratio':>7}{'to tune':>9}")
    for name, words in STATISTICS.items():

        def apart(one: FloatArray, other: FloatArray) -> float:
            return float(wasserstein_distance(one, other))

        half = len(real) // 2
        random = np.mean(
            [
                apart(
                    pooled([real[i] for i in order[:half]])[name],
                    pooled([real[i] for i in order[half:]])[name],
                )
                for order in halvings
            ]
        )
        ours, halves = apart(simulated[name], report[name]), apart(tune[name], report[name])
        print(
            f"{words:42}{ours:10.4f}{halves:9.4f}{random:9.4f}{ours / halves:7.2f}{ours / random:7.2f}"
            f"{apart(simulated[name], tune[name]):9.4f}",
            flush=True,
        )
        shown = (5, 25, 50, 75, 95)
        for title, values in (("simulated", simulated[name]), ("SNMOT, report", report[name])):
            cells = "".join(f"{value:9.3f}" for value in np.percentile(values, shown))
            print(f"    {title:20} 5/25/50/75/95 %: {cells}")
    print("first ratio: to the fixed halves' distance; second: to that of random halves, mean of 30")


# --- trackers -------------------------------------------------------------------------------------

PEERS = ("sort", "bytetrack", "ocsort", "cbiou")


def print_trackers(clips: int) -> None:
    try:
        from trackers import SORTTracker  # noqa: F401
        from tracking import shuffled, tracker
    except ImportError:
        print("trackers: the package `trackers` is not installed here; left out")
        return
    from filmroom.evaluation.tracking import score_tracking

    print(f"trackers: HOTA on true boxes of {clips} clips, ball included; must within 4 points, aim 1")
    print(f"{'':12}{'SNMOT':>8}{'simulated':>11}{'apart':>8}   each half of the simulated clips")
    real = real_clips()
    names = list(real)[:: max(1, len(real) // clips)]
    both = ({name: real[name] for name in names}, simulated_clips(clips))
    for name in PEERS:
        track = tracker(f"peer:{name}")
        scores = []
        for material in both:
            truth = {each: rows for each, (rows, _) in material.items()}
            tracks = {each: track(shuffled(rows, each)) for each, rows in truth.items()}
            half = len(truth) // 2
            for chosen in (list(truth), list(truth)[:half], list(truth)[half:]):
                summary = score_tracking(
                    {each: truth[each] for each in chosen},
                    {each: tracks[each] for each in chosen},
                    "soccernet",
                ).summary()
                scores.append(100 * summary["combined"]["HOTA"])
        real_score, _, _, ours, first, second = scores
        print(
            f"{name:12}{real_score:8.2f}{ours:11.2f}{ours - real_score:8.2f}{first:11.2f}{second:8.2f}",
            flush=True,
        )


# --- play, speed, memory --------------------------------------------------------------------------


def print_play() -> None:
    from filmroom.formats.footpass import ACTION_CLASSES, read_footpass
    from filmroom.simulate.events import FOOTPASS_OF
    from filmroom.simulate.play import simulate_play

    with zipfile.ZipFile(data_folder() / "spotting.zip") as archive:
        scratch = Path(__file__).with_name("footpass.json.tmp")
        scratch.write_bytes(archive.read("footpass/train_gt.json"))
    try:
        halves = read_footpass(scratch)
    finally:
        scratch.unlink()
    real: Counter[str] = Counter()
    real_minutes = 0.0
    for half in halves.values():
        real.update(ACTION_CLASSES[int(kind) - 1] for kind in half.rows[:, 3])
        real_minutes += float(np.ptp(half.rows[:, 0])) / 25 / 60
    begin, frames, fps = time.process_time(), 45 * 60 * 25, 25
    plays = [simulate_play("soccer", frames, np.random.default_rng(seed)) for seed in (1, 2)]
    rate = 2 * frames / (time.process_time() - begin)
    print(f"play alone: {rate:.0f} frames a CPU second (soccer, 22 players); must thousands")
    ours = Counter(
        FOOTPASS_OF[e.label] for play in plays for e in play.events if e.label in FOOTPASS_OF
    )
    minutes = 2 * frames / fps / 60
    print(f"{'actions a minute':20}{'FOOTPASS':>10}{'simulated':>11}")
    for name in ACTION_CLASSES:
        print(f"{name:20}{real[name] / real_minutes:10.2f}{ours[name] / minutes:11.2f}")


_FILM = """
import sys, time
from filmroom.simulate.film import film_frame, make_scene
from filmroom.simulate.settings import Settings
scene = make_scene(Settings(seconds=float(sys.argv[1]), seed=int(sys.argv[2]), camera=sys.argv[3]))
step = max(1, len(scene) // int(sys.argv[4]))
start, clock = time.perf_counter(), time.process_time()
shown = [film_frame(scene, frame).truth.frame for frame in range(0, step * int(sys.argv[4]), step)]
import resource
print(time.perf_counter() - start, time.process_time() - clock, len(shown),
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def filmed(seconds: float, seeds: Sequence[int], camera: str, pictures: int) -> list[list[float]]:
    """What each process of its own measured: wall and CPU seconds, pictures, peak gigabytes."""
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", _FILM, str(seconds), str(seed), camera, str(pictures)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in seeds
    ]
    return [[float(word) for word in job.communicate()[0].split()] for job in jobs]


def print_speed() -> None:
    wall, cpu, pictures, _ = filmed(12.0, [3], "broadcast", 300)[0]
    print(
        f"speed: {pictures / wall:.1f} pictures a second in one process, "
        f"{pictures / cpu:.1f} a CPU second"
    )
    two = filmed(12.0, [3, 4], "broadcast", 300)
    rate = sum(one[2] for one in two) / max(one[0] for one in two)
    print(f"speed: {rate:.1f} pictures a second in two processes; must 10, aim 30 (two cores)")


def print_memory() -> None:
    _, _, pictures, peak = filmed(90 * 60.0, [5], "cuts", 400)[0]
    print(
        f"memory: 90 minutes, {pictures:.0f} pictures spread over them: {peak:.2f} GB; must 1, aim 0.5"
    )


# --- truth ----------------------------------------------------------------------------------------


def print_truth() -> None:
    from filmroom.simulate.check import check_truth

    print("truth check: largest disagreement; must 1 px, 1 cm")
    for sport in ("soccer", "basketball", "hockey", "football", "volleyball", "handball", "futsal"):
        cells = []
        for name, value in check_truth(
            Settings(sport=sport, seconds=8.0, seed=2, difficulty="easy")
        ).items():
            cells.append(f"{name} {value:.3f}")
        print(f"  {sport:12}" + ", ".join(cells), flush=True)


def print_presets() -> None:
    """How much the same match loses from preset to preset: sharpness and the shirts' contrast."""
    import cv2

    from filmroom.simulate.film import film_frame, make_scene
    from filmroom.simulate.settings import DIFFICULTIES

    print(f"{'preset':10}{'detail':>9}{'noise':>8}{'contrast':>10}  (median over 8 matches)")
    for preset in DIFFICULTIES:
        rows = []
        for seed in range(8):
            scene = make_scene(Settings(seconds=2.0, seed=seed, difficulty=preset))
            grey = cv2.cvtColor(film_frame(scene, 25).pixels, cv2.COLOR_RGB2GRAY).astype(float)
            smooth = cv2.GaussianBlur(grey, (0, 0), 1.5)
            rows.append(
                (cv2.Laplacian(smooth, cv2.CV_64F).std(), np.median(np.abs(grey - smooth)), grey.std())
            )
        detail, noise, contrast = np.median(rows, axis=0)
        print(f"{preset:10}{detail:9.2f}{noise:8.2f}{contrast:10.1f}", flush=True)


def write_sheet() -> None:
    """docs/simulation.jpg: twelve looks."""
    import cv2

    from filmroom.simulate.film import film_frame, make_scene

    looks = (
        ("soccer", "broadcast", "medium", 3, 751), ("soccer", "broadcast", "cruel", 12, 200),
        ("soccer", "behind", "hard", 4, 100), ("soccer", "handheld", "medium", 6, 60),
        ("soccer", "drone", "easy", 8, 100), ("football", "broadcast", "medium", 2, 160),
        ("basketball", "broadcast", "easy", 3, 100), ("soccer", "cuts", "easy", 15, 144),
        ("hockey", "broadcast", "medium", 1, 120), ("volleyball", "broadcast", "medium", 2, 140),
        ("handball", "broadcast", "easy", 4, 90), ("futsal", "broadcast", "hard", 6, 80),
    )  # fmt: skip
    tiles = []
    for sport, camera, difficulty, seed, frame in looks:
        settings = Settings(
            sport=sport, camera=camera, difficulty=difficulty, seed=seed, seconds=(frame + 60) / 25
        )
        picture = film_frame(make_scene(settings), frame).pixels
        tiles.append(cv2.resize(picture, (480, 270), interpolation=cv2.INTER_AREA)[:, :, ::-1])
    sheet = np.vstack([np.hstack(tiles[row : row + 3]) for row in range(0, 12, 3)])
    target = Path(__file__).parents[1] / "docs" / "simulation.jpg"
    cv2.imwrite(str(target), sheet, [cv2.IMWRITE_JPEG_QUALITY, 84])
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


def write_clips() -> None:
    """tests/simulate/clips: three seconds of soccer and of basketball."""
    import shutil

    from filmroom.simulate.write import write_match

    target = Path(__file__).parents[1] / "tests" / "simulate" / "clips"
    shutil.rmtree(target, ignore_errors=True)
    for sport, seed in (("soccer", 3), ("basketball", 5)):
        settings = Settings(
            sport=sport, seconds=3.0, seed=seed, width=480, height=270, difficulty="easy"
        )
        print(write_match(settings, target / sport))


def print_training(folder: Path) -> None:
    """The rows of the table that need a network trained first, as commands."""
    print(
        f"""# a detector that sees nothing but simulated pictures, drawn while it learns
filmroom train detector --data simulated:soccer -o {folder}/only
python benchmarks/detection.py --parts {folder}/only
# all, 24, 7 or 2 of the real pictures, with it as the start and without
python benchmarks/simulated_training.py -o {folder}/rows --pretrained {folder}/only/detector.pt
# numbers: every crop is drawn, none is real
filmroom train numbers -o {folder}/numbers
python benchmarks/shirt_numbers.py --parts {folder}/numbers"""
    )


def main() -> None:
    parts: Mapping[str, object] = {
        "motion": None, "trackers": None, "play": None, "speed": None, "memory": None, "truth": None,
        "presets": None,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--clips", type=int, help="in place of 48")
    parser.add_argument("--train", type=Path, help="print the commands of the rows that need training")
    chosen = parser.parse_args()
    wanted = chosen.parts or ([] if chosen.train else list(parts))
    for part in wanted:
        match part:
            case "motion":
                print_motion(chosen.clips or 48)
            case "trackers":
                print_trackers(chosen.clips or 48)
            case "play":
                print_play()
            case "speed":
                print_speed()
            case "memory":
                print_memory()
            case "truth":
                print_truth()
            case "presets":
                print_presets()
            case "clips":
                write_clips()
            case "sheet":
                write_sheet()
            case _:
                parser.error(f"no part '{part}'; choose among {', '.join(parts)}")
    if chosen.train and not wanted:
        print_training(chosen.train)


if __name__ == "__main__":
    main()
