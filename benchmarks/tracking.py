"""Association alone, measured: HOTA of our trackers, and of peers where installed, on boxes of others.

    python benchmarks/tracking.py [--data DIR] [--half report|tune|all] [--protocol NAME ...]
                                  [--tracker NAME ...] [--limit N] [--times]

Protocols: `true` (SNMOT truth boxes, ids removed, ball included), `noisy` and `noisy-runs` (the same
spoiled: lost behind others, 10 % lost at random or in runs of 3 to 15 frames, jitter of 5 %, 2 % false
boxes), `detector` (boxes of the SNMOT ByteTrack run, ids removed), `basketball`, `football`,
`volleyball` (SportsMOT truth boxes). Boxes within a frame are shuffled. Settings were chosen on the
`tune` half (every second sequence in order of name, from the first), figures are reported on the other.

Trackers: `offline` (the whole clip at once: what `filmroom track` does), every preset, and
`peer:bytetrack`, `peer:cbiou`, `peer:sort`, `peer:ocsort`, `peer:botsort` if the package `trackers` is
installed (its defaults). Milliseconds are CPU time a frame of one core.

`--times` prints instead, in CPU seconds of one core on the true boxes: two presets' time against the
peer's ByteTrack, turn by turn in the same run, given one frame after the other or all at once; the
whole of offline tracking for a sequence of 30 s; and for `--minutes` (a half: 45), which are these
sequences laid end to end without a cut.

`--ladder` prints instead what each step gains on the people of the clip broadcast-1, on the boxes of
the shipped detector: motion alone, the camera's motion from pixels, appearance (kits), relinking, what
is learnt from the match itself, numbers and teams; in brackets what silhouettes, where boxes leave a
doubt, would make of the third (no later step uses them), and what nobody confused would be. By the
truth as given, and put right where it contradicts the pictures (`broadcast_truth.py`). `--run DIR`
takes what `filmroom run` has seen of that clip instead of looking at it again.

`--substitutions` prints instead how often, in simulated matches and by true boxes alone, a player who
leaves for good and the one who comes on for him are kept apart, and how often more people than the
sport fields (with its referees) are ever said to be there at once.
"""

from __future__ import annotations

import argparse
import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.evaluation.tracking import score_tracking
from filmroom.formats.mot import TrackRows, read_mot
from filmroom.geometry.boxes import ious
from filmroom.track.files import matrices_of, track_online, track_rows
from filmroom.track.presets import PRESETS
from filmroom.track.tracker import Tracker

Matrix = NDArray[np.float64]
Track = Callable[[TrackRows], TrackRows]
PROTOCOLS = ("true", "noisy", "noisy-runs", "detector", "basketball", "football", "volleyball")


class Sequence(NamedTuple):
    name: str
    truth: TrackRows
    detections: TrackRows


def generator(name: str, purpose: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), purpose])


def shuffled(rows: TrackRows, name: str) -> TrackRows:
    """The rows in random order within each frame, ids removed."""
    order = generator(name, 7).permutation(len(rows))
    order = order[np.argsort(rows.frames[order], kind="stable")]
    kept = rows.select(order)
    return replace(kept, ids=np.full(len(kept), -1))


def spoiled(rows: TrackRows, name: str, *, in_runs: bool, picture: tuple[int, int]) -> TrackRows:
    """The noise model: what a detector would make of these boxes."""
    random = generator(name, 1)
    missed = _missed_runs(rows, random) if in_runs else random.random(len(rows)) < 0.1
    frames, boxes, scores = [], [], []
    for frame in np.unique(rows.frames):
        here = np.flatnonzero(rows.frames == frame)
        box = rows.boxes[here]
        feet = box[:, 1] + box[:, 3]
        hidden = np.where(feet[None] > feet[:, None], ious(box, box), 0.0).max(axis=1)
        centre = box[:, :2] + box[:, 2:] / 2 + random.normal(0, 0.05, (len(box), 2)) * box[:, 2:]
        size = box[:, 2:] * np.exp(random.normal(0, 0.05, (len(box), 2)))
        score = np.clip(random.normal(0.85, 0.08, len(box)) - 0.5 * hidden, 0.05, 0.99)
        kept = (hidden <= 0.5) & ~missed[here]
        found = np.column_stack([centre - size / 2, size])[kept]
        false = random.binomial(len(box), 0.02)
        false_size = box[random.integers(0, len(box), false), 2:]
        corner = random.random((false, 2)) * (np.array(picture) - false_size)
        false_score = np.clip(random.normal(0.45, 0.15, false), 0.05, 0.95)
        boxes.append(np.vstack([found, np.column_stack([corner, false_size])]))
        scores.append(np.concatenate([score[kept], false_score]))
        frames.append(np.full(len(boxes[-1]), frame))
    frame_column = np.concatenate(frames)
    return TrackRows.of(
        frame_column,
        np.full(len(frame_column), -1),
        np.concatenate(boxes),
        scores=np.concatenate(scores),
        length=rows.length,
    )


def _missed_runs(rows: TrackRows, random: np.random.Generator) -> NDArray[np.bool_]:
    """10 % of the boxes of everyone, in runs of 3 to 15 frames."""
    missed = np.zeros(len(rows), bool)
    for track in np.unique(rows.ids):
        mine = np.flatnonzero(rows.ids == track)
        mine = mine[np.argsort(rows.frames[mine])]
        at = 0
        while at < len(mine):
            if random.random() < 0.1 / 0.9 / 9:
                length = int(random.integers(3, 16))
                missed[mine[at : at + length]] = True
                at += length
            else:
                at += 1
    return missed


def sequences(protocol: str, data: Path, half: str) -> Iterator[Sequence]:
    if protocol in ("basketball", "football", "volleyball"):
        yield from _sports(protocol, data, half)
        return
    truth = read_mot(data / "snmot-gt" / "snmot-gt.zip", "truth")
    runs = {}
    if protocol == "detector":
        runs = read_mot(data / "snmot-runs" / "bytetrack-mot17ep10.zip", "tracks")
    for name in _half(sorted(truth), half):
        rows = truth[name]
        if protocol == "true":
            found = shuffled(rows, name)
        elif protocol == "detector":
            found = shuffled(replace(runs[name], length=rows.length), name)
        else:
            spoilt = spoiled(rows, name, in_runs=protocol == "noisy-runs", picture=(1920, 1080))
            found = shuffled(spoilt, name)
        yield Sequence(name, rows, found)


def _sports(sport: str, data: Path, half: str) -> Iterator[Sequence]:
    import zipfile

    path = data / "sportsmot-gt.zip"
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("sequences.csv").decode().split()[1:]
    wanted = sorted(line.split(",")[0] for line in lines if line.split(",")[2] == sport)
    truth = read_mot(path, "truth")
    for name in _half(wanted, half):
        yield Sequence(name, truth[name], shuffled(truth[name], name))


def _half(names: list[str], half: str) -> list[str]:
    return {"tune": names[::2], "report": names[1::2], "all": names}[half]


def tracker(name: str) -> Track:
    """What turns detections into tracks."""
    if name == "offline":
        return track_rows
    if name.startswith("peer:"):
        return _peer(name.removeprefix("peer:"))
    return lambda rows: track_online(rows, Tracker(PRESETS[name]))


def _peer(name: str) -> Track:
    import supervision as sv
    import trackers

    kinds: dict[str, Any] = {
        "sort": trackers.SORTTracker,
        "bytetrack": trackers.ByteTrackTracker,
        "ocsort": trackers.OCSORTTracker,
        "botsort": trackers.BoTSORTTracker,
        "cbiou": trackers.CBIoUTracker,
    }

    def track(rows: TrackRows) -> TrackRows:
        peer = kinds[name]()
        frames, ids, boxes = [], [], []
        for frame in range(rows.length or int(rows.frames.max()) + 1):
            here = rows.frames == frame
            corners = rows.boxes[here].copy()
            corners[:, 2:] += corners[:, :2]
            found = peer.update(sv.Detections(xyxy=corners, confidence=np.abs(rows.scores[here])))
            sure = found.tracker_id >= 0
            size = found.xyxy[sure, 2:] - found.xyxy[sure, :2]
            boxes.append(np.column_stack([found.xyxy[sure, :2], size]))
            ids.append(found.tracker_id[sure])
            frames.append(np.full(int(sure.sum()), frame))
        return TrackRows.of(np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes))

    return track


def spent(work: Callable[[], Any]) -> float:
    """CPU seconds that this takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def online_times(name: str, rows: TrackRows, peer: Any, detections: Any) -> list[float]:
    """CPU seconds of one sequence: the peer, and our preset with `supervision`, arrays, all at once.

    Only the calls of `update` (and `follow`) are timed, not the cutting into frames.
    """
    order = np.argsort(rows.frames, kind="stable")
    edge = np.searchsorted(rows.frames[order], np.arange(1, rows.length or 0))
    frames = list(
        zip(np.split(rows.boxes[order], edge), np.split(rows.scores[order], edge), strict=True)
    )
    corners = (np.hstack([box[:, :2], box[:, :2] + box[:, 2:]]) for box, _ in frames)
    scores = [score for _, score in frames]
    wrapped = [
        detections(xyxy=corner, confidence=score)
        for corner, score in zip(corners, scores, strict=True)
        if detections is not None
    ]
    one, other, whole = (Tracker(PRESETS[name]) for _ in range(3))
    theirs = spent(lambda: [peer.update(each) for each in wrapped]) if peer else np.nan
    return [
        theirs,
        spent(lambda: [one.update(each) for each in wrapped]) if wrapped else np.nan,
        spent(lambda: [other.update(box, score) for box, score in frames]),
        spent(lambda: whole.follow(rows.boxes, rows.scores, rows.frames, rows.length or 0)),
    ]


def end_to_end(parts: list[TrackRows], frames: int) -> TrackRows:
    """Sequences one after the other, over and over, until there are so many frames."""
    pieces, start, turn = [], 0, 0
    while start < frames:
        rows = parts[turn % len(parts)]
        pieces.append(replace(rows, frames=rows.frames + start))
        start += rows.length or int(rows.frames.max()) + 1
        turn += 1
    boxes = np.concatenate([rows.boxes for rows in pieces])
    when = np.concatenate([rows.frames for rows in pieces])
    return TrackRows.of(when, np.full(len(when), -1), boxes, length=start)


def print_times(data: Path, half: str, limit: int | None, minutes: float) -> None:
    material = [each.detections for each in sequences("true", data, half)][:limit]
    peer = detections = None
    try:
        import supervision
        import trackers

        peer, detections = trackers.ByteTrackTracker, supervision.Detections
    except ImportError:
        print("package trackers is not installed: no ratio to its ByteTrack")
    frames = sum(rows.length or 0 for rows in material)
    print(f"{'online':<12}{'given as':<24}{'frames/s':>10}{'x ByteTrack of the peers':>28}")
    for name in ("filmroom", "bytetrack"):
        times = np.array(
            [online_times(name, rows, peer() if peer else None, detections) for rows in material]
        )
        kinds = ("supervision.Detections", "arrays", "all frames at once")
        for column, kind in enumerate(kinds, start=1):
            ratio = np.median(times[:, 0] / times[:, column])
            rate = frames / times[:, column].sum()
            print(f"{name:<12}{kind:<24}{rate:10.0f}{ratio:28.2f}", flush=True)
    single = [spent(partial(track_rows, rows)) for rows in material]
    print(f"offline, 30 s: {np.median(single):.2f} s, at most {max(single):.2f} s", flush=True)
    long = end_to_end(material, round(minutes * 60 * 25))
    seconds = spent(lambda: track_rows(long))
    print(f"offline, {minutes:g} minutes, {len(long)} boxes: {seconds:.1f} s", flush=True)


class Change(NamedTuple):
    """A substitution of a simulated match: boxes round it, and who goes and who comes (ids there)."""

    rows: TrackRows
    leaver: int
    comer: int


def changes_of(sport: str, camera: str, seeds: range) -> Iterator[Change]:
    """Those in which both are in the picture for half a second and more."""
    from filmroom.simulate.boxes import boxes_of as boxes_of_match
    from filmroom.simulate.scene import make_match
    from filmroom.simulate.settings import Settings

    for seed in seeds:
        match = make_match(
            Settings(sport=sport, seconds=240, seed=seed, camera=camera, width=1920, height=1080)
        )
        play = match.play
        for event in play.events:
            if event.label != "SUBSTITUTION":
                continue
            later = min(event.frame + 1500, len(play) - 1)
            gone = play.present[event.frame] & ~play.present[later]
            gone &= play.cast.teams == play.cast.teams[event.person]
            gone[event.person] = False
            if not gone.any():
                continue
            # He is let on when the other has all but reached the line on the near side.
            leaver = int(np.where(gone, play.positions[event.frame, :, 1], -np.inf).argmax())
            part = max(0, event.frame - 500), min(len(play), event.frame + 500)
            rows = boxes_of_match(match, part)
            seen = [np.count_nonzero(rows.ids == person + 1) for person in (leaver, event.person)]
            if min(seen) >= 12:
                yield Change(rows, leaver + 1, event.person + 1)


def tracks_of(person: int, rows: TrackRows, tracks: TrackRows) -> set[int]:
    """Ids of the tracks that hold somebody's boxes in five frames and more."""
    found: dict[int, int] = {}
    for index in np.flatnonzero(rows.ids == person):
        here = np.flatnonzero(tracks.frames == rows.frames[index])
        fit = ious(rows.boxes[index][None], tracks.boxes[here])[0]
        if len(here) and fit.max() > 0.5:
            owner = int(tracks.ids[here[fit.argmax()]])
            found[owner] = found.get(owner, 0) + 1
    return {owner for owner, frames in found.items() if frames >= 5}


def print_substitutions(seeds: int) -> None:
    """How often who goes and who comes for him are kept apart, by boxes alone."""
    from filmroom.pitch.sports import SPORTS

    print(f"{'substitutions':<24}{'both seen':>10}{'kept apart':>12}{'more than fielded':>20}")
    cameras = (("soccer", "broadcast"), ("soccer", "tactical"), ("handball", "fixed"))
    for sport, camera in cameras:
        most = 2 * SPORTS[sport].players + SPORTS[sport].referees
        apart, over, count = 0, 0, 0
        for change in changes_of(sport, camera, range(3000, 3000 + seeds)):
            found = track_rows(shuffled(change.rows, f"{sport}{count}"), most_people=most)
            one, other = (
                tracks_of(person, change.rows, found) for person in (change.leaver, change.comer)
            )
            apart += not one & other
            over += int(np.bincount(found.frames).max() > most)
            count += 1
        print(f"{f'{sport}, {camera}':<24}{count:>10}{apart:>12}{over:>20}", flush=True)


def print_ladder(data: Path, run: Path | None) -> None:
    """HOTA of the people of broadcast-1 step by step, all on the same boxes."""
    import tempfile

    import pyarrow.compute as pc
    from broadcast_truth import FRAMES, put_right, read_truth, without_ball

    import filmroom
    from filmroom.pipeline import resolving
    from filmroom.pipeline.observing import read_observations
    from filmroom.pipeline.run_folder import RunFolder
    from filmroom.pitch.sports import SPORTS
    from filmroom.tables import boxes_of, detection_keys
    from filmroom.track.offline import track_people
    from filmroom.track.silhouettes import KeptMasks
    from filmroom.video.probe import probe

    video = data / "soccer-clip" / "broadcast-1.mp4"
    facts = probe(video)
    truth, known = read_truth(data / "soccer-clip" / "broadcast-1-truth.zip")
    truth = without_ball(truth, known)
    mended = put_right(truth)
    with tempfile.TemporaryDirectory() as scratch:
        folder = run or Path(scratch) / "run"
        if run is None:
            filmroom.analyze(video, folder, sport="soccer")
        seen = read_observations(RunFolder(folder), facts.height)
    people = seen.detections.filter(pc.equal(seen.detections["kind"], "person"))
    frames, count = people["frame"].to_numpy(), FRAMES
    boxes, scores = boxes_of(people), people["score"].to_numpy().astype(float)
    motions = matrices_of(seen.motion, count)
    vectors = _vectors_of(seen.appearance, people)
    settings = resolving._FOLLOWING
    online = settings.online
    blind = replace(online, camera="none")

    def followed(chosen: Any, *more: Any) -> TrackRows:
        ids = Tracker(chosen).follow(boxes, scores, frames, count, *more)
        return TrackRows.of(frames[ids > 0], ids[ids > 0], boxes[ids > 0], length=count)

    def from_table(tracks: Any) -> TrackRows:
        return TrackRows.of(tracks["frame"], tracks["track"], boxes_of(tracks), length=count)

    picture = (facts.width, facts.height)
    sport = SPORTS["soccer"]
    most = 2 * sport.players + sport.referees

    def linked(chosen: Any, **more: Any) -> TrackRows:
        return from_table(
            track_people(
                people,
                seen.motion,
                seen.shots,
                seen.appearance,
                most_people=most,
                settings=chosen,
                frames=np.arange(count),
                fps=facts.fps,
                picture=picture,
                **more,
            )
        )

    shapes = KeptMasks(seen.masks, detection_keys(people))
    resolved = resolving.resolve_observations(seen, fps=facts.fps, picture=picture, sport=sport).tracks
    steps = {
        "motion": followed(blind),
        "+ camera": followed(online, motions),
        "+ appearance": followed(online, motions, vectors),
        "(with silhouettes)": followed(online, motions, vectors, None, shapes),
        "+ relinking": linked(settings),
        "+ learnt in the match": linked(resolving._FOLLOWING_BY_LOOKS, embeddings=seen.embeddings),
        "+ numbers, teams": from_table(resolved.filter(pc.not_equal(resolved["role"], "ball"))),
    }
    steps["(nobody confused)"] = with_true_ids(mended, steps["+ numbers, teams"])
    names = ("HOTA", "DetA", "AssA", "IDF1")
    print(f"{'broadcast-1, people':<24}{'truth as given':>28}{'put right':>32}")
    print(" " * 24 + 2 * ("".join(f"{name:>7}" for name in names) + " " * 4))
    for name, tracks in steps.items():
        print(f"{name:<24}", end="")
        for right in (truth, mended):
            scored = score_tracking({"clip": right}, {"clip": tracks}, "soccernet").summary()
            print("".join(f"{100 * scored['combined'][key]:7.2f}" for key in names), end=" " * 4)
        print(flush=True)


def with_true_ids(truth: TrackRows, tracks: TrackRows) -> TrackRows:
    """The same boxes with the ids of those whom they overlap most: all that association could reach."""
    from scipy.optimize import linear_sum_assignment

    ids = tracks.ids + int(truth.ids.max()) + 1
    for frame in np.unique(tracks.frames):
        there = np.flatnonzero(truth.frames == frame)
        here = np.flatnonzero(tracks.frames == frame)
        overlap = ious(truth.boxes[there], tracks.boxes[here])
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        good = overlap[rows, columns] > 0.5
        ids[here[columns[good]]] = truth.ids[there[rows[good]]]
    return replace(tracks, ids=ids)


def _vectors_of(appearance: Any, people: Any) -> Matrix:
    """Appearance vector of every detection, zero where there is none."""
    from filmroom.tables import detection_keys, rows_of_keys

    flat = appearance["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    known = flat.reshape(appearance.num_rows, -1).astype(float)
    rows = rows_of_keys(appearance, detection_keys(people))
    vectors = known[rows]
    vectors[rows < 0] = 0
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    usual = os.environ.get("FILMROOM_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(usual))
    parser.add_argument("--half", choices=("report", "tune", "all"), default="report")
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--tracker", nargs="+", default=["offline", *PRESETS])
    parser.add_argument("--limit", type=int, default=None, help="only the first N sequences")
    parser.add_argument("--times", action="store_true", help="how long it takes instead")
    parser.add_argument("--minutes", type=float, default=45.0, help="of the long one of --times")
    parser.add_argument("--ladder", action="store_true", help="what each step gains instead")
    parser.add_argument(
        "--substitutions", action="store_true", help="players who are exchanged instead"
    )
    parser.add_argument("--seeds", type=int, default=12, help="matches for each line of these")
    parser.add_argument("--run", type=Path, help="run folder of broadcast-1, for --ladder")
    chosen = parser.parse_args()
    if chosen.ladder:
        print_ladder(chosen.data, chosen.run)
        return
    if chosen.substitutions:
        print_substitutions(chosen.seeds)
        return
    if chosen.times:
        print_times(chosen.data, chosen.half, chosen.limit, chosen.minutes)
        return
    print(f"half: {chosen.half}; boxes within a frame shuffled; ms: CPU, one core, a frame")
    print(f"{'protocol':<12}{'tracker':<16}{'HOTA':>7}{'DetA':>7}{'AssA':>7}{'IDF1':>7}{'ms':>8}")
    for protocol in chosen.protocol:
        material = list(sequences(protocol, chosen.data, chosen.half))[: chosen.limit]
        frames = sum(each.truth.length or 0 for each in material)
        for name in chosen.tracker:
            track = tracker(name)
            begin = time.process_time()
            tracks = {each.name: track(each.detections) for each in material}
            spent = (time.process_time() - begin) / frames * 1000
            truth = {each.name: each.truth for each in material}
            scores = score_tracking(truth, tracks, "soccernet").summary()["combined"]
            figures = "".join(f"{100 * scores[key]:7.2f}" for key in ("HOTA", "DetA", "AssA", "IDF1"))
            print(f"{protocol:<12}{name:<16}{figures}{spent:8.3f}", flush=True)


if __name__ == "__main__":
    main()
