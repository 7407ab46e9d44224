"""What appearance adds to following people: self-supervised, and learnt from the match itself.

    python benchmarks/appearance.py [ssat] [match] [speed] [clips]
                                    [--simulated 4] [--every 5] [--parts DIR]
                                    [--counts 4 20 40] [--steps 600] [--steps-a-clip 30]
                                    [--keep DIR]

`ssat`: association of true boxes, ids removed and order shuffled: by motion alone (SORT, ByteTrack, the
  boxes' distance) and by self-supervised appearance tracking as a ladder: looks alone, and boxes'
  distance, and averaging of looks; as published, and as the preset is. On broadcast-1 and on simulated
  hard clips, at 25 frames a second and at 5, where motion tells less. The embedding is the shipped one.
  The preset's weights were chosen on other simulated clips (seeds 961 to 964; 5 and 12.5 a second).
`match`: on broadcast-1, how well seconds of play two and more apart tell team mates apart (chance that
  those of one person are more alike than those of two mates), by kit colours, by the embedding, by what
  is learnt from the match over either and over both; then the offline tracker on the shipped detector's
  boxes: as it is without looks, with tracklets cut at more doubt, and with looks.
`speed`: milliseconds a person on one core.
`clips`: more clips help: `filmroom train appearance` on 4, 20 and 40 clips of four seconds (one to five
  to ten, as published) of simulated matches of four sports, without drawn athletes, then eight other
  simulated hard clips at 5 a second: IDF1 by looks alone, as published and by ssat, and the chance that
  two looks at one person are more alike than looks at two mates. `--steps` of training for all, or with
  `--steps-a-clip` that many times the clips if that is more: as published, where everything is seen
  sixteen times. Not part of the default: it trains. `--keep DIR` keeps clips and trainings.

Nothing was trained on broadcast-1, and no setting chosen on it, but its figures were in view. Its
truth is used without its two mistakes of identity (`broadcast_truth.py`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from broadcast_truth import put_right, read_truth, without_ball
from numpy.typing import NDArray
from real_data import data_folder

from filmroom.evaluation.tracking import score_tracking
from filmroom.formats.mot import TrackRows
from filmroom.geometry.boxes import clip as clip_boxes
from filmroom.geometry.masks import windows
from filmroom.observe.appearance import KitColours
from filmroom.observe.embedding import PersonEmbedder
from filmroom.observe.observer import Parts
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.pipeline import resolving
from filmroom.pipeline.observing import observe, observe_settings
from filmroom.pipeline.run_folder import RunFolder
from filmroom.pitch import sport_named
from filmroom.simulate.film import frames as film
from filmroom.simulate.film import make_scene
from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match
from filmroom.tables import EMBEDDING_LENGTH, EMBEDDINGS, boxes_of
from filmroom.track.in_match import Likeness, Looks, learn_likeness, overlaps
from filmroom.track.offline import track_people
from filmroom.track.pieces import Pieces
from filmroom.track.presets import PRESETS
from filmroom.track.settings import TrackerSettings
from filmroom.track.tracker import Tracker
from filmroom.video.decode import Reader

SIMULATED = (("soccer", 951), ("basketball", 952), ("hockey", 953), ("football", 954))
SECONDS = 10.0
LEAST_VISIBLE = 0.1
SLOW = 5  # every how many frames, where motion tells less
MEASURED = (*SIMULATED, ("soccer", 955), ("basketball", 956), ("hockey", 957), ("football", 958))
LEARN_SECONDS, LEARN_RATE = 4.0, 12.5
WINDOW, APART = 25, 50  # frames of a second, and between two that are compared


@dataclass(frozen=True)
class Clip:
    """True boxes of people with their looks, in order of frame, shuffled within each."""

    name: str
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    box: NDArray[np.float64]
    looks: NDArray[np.float32]
    kits: NDArray[np.float32]
    length: int
    fps: float

    @property
    def truth(self) -> TrackRows:
        return TrackRows.of(self.frame, self.track, self.box, length=self.length)

    def every(self, step: int) -> Clip:
        """The clip as one of fewer frames a second."""
        kept = self.frame % step == 0
        return Clip(
            f"{self.name} {self.fps / step:g}/s",
            self.frame[kept] // step,
            self.track[kept],
            self.box[kept],
            self.looks[kept],
            self.kits[kept],
            -(-self.length // step),
            self.fps / step,
        )


Looked = Iterator[tuple[int, NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]]


Cut = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def cut_out(name: str, pictures: Looked, fps: float = 25.0) -> tuple[Clip, list[Cut]]:
    """A clip without looks yet, and everybody's window and silhouette."""
    segmenter, colours = CropSegmenter(), KitColours()
    rng = np.random.default_rng(0)
    frames, tracks, boxes, kits, length = [], [], [], [], 0
    cuts: list[Cut] = []
    for frame, picture, box, track in pictures:
        length = frame + 1
        order = rng.permutation(len(box))
        masks = segmenter.segment(picture, box[order]).masks
        kits.append(colours.describe(picture, box[order], masks).vectors)
        shown = windows(box[order], picture.shape[1], picture.shape[0])
        for (left, top, right, bottom), mask in zip(shown, masks, strict=True):
            cuts.append((picture[top:bottom, left:right].copy(), mask))
        frames.append(np.full(len(box), frame))
        boxes.append(box[order])
        tracks.append(track[order])
    frame, track, box, kit = (np.concatenate(part) for part in (frames, tracks, boxes, kits))
    looks = np.zeros((len(frame), EMBEDDING_LENGTH), np.float32)
    return Clip(name, frame, track, box, looks, kit, length, fps), cuts


def looked_at(clip: Clip, cuts: list[Cut], parts: Path | None) -> Clip:
    """The clip with the looks that a network sees in everybody."""
    embedder = PersonEmbedder(parts=parts)
    looks = np.zeros((len(cuts), EMBEDDING_LENGTH), np.float32)
    for row, (crop, mask) in enumerate(cuts):
        if crop.size:
            whole = np.array([[0.0, 0.0, crop.shape[1], crop.shape[0]]])
            looks[row] = embedder.describe(crop, whole, [mask]).vectors[0]
    return replace(clip, looks=looks)


def clip_of(name: str, pictures: Looked, parts: Path | None, fps: float = 25.0) -> Clip:
    return looked_at(*cut_out(name, pictures, fps), parts)


def broadcast(every: int = 1) -> Looked:
    folder = data_folder() / "soccer-clip"
    given, people = read_truth(folder / "broadcast-1-truth.zip")
    truth = put_right(without_ball(given, people))
    for frame in Reader(folder / "broadcast-1.mp4"):
        if frame.index % every:
            continue
        here = truth.frames == frame.index
        yield frame.index // every, frame.pixels, truth.boxes[here], truth.ids[here]


def hard(sport: str, seed: int, fps: float) -> Settings:
    return Settings(sport=sport, seconds=SECONDS, seed=seed, difficulty="hard", fps=fps)


def simulated(sport: str, seed: int, fps: float = 25.0) -> Looked:
    settings = hard(sport, seed, fps)
    for filmed in film(settings):
        truth = filmed.truth
        shown = truth.shown_people(LEAST_VISIBLE)
        boxes = clip_boxes(truth.boxes[shown], settings.width, settings.height)
        yield truth.frame, filmed.pixels, boxes, truth.tracks[shown].astype(np.int64)


def clips(count: int, parts: Path | None, every: int = 1) -> list[Clip]:
    fps = 25.0 / every
    found = [clip_of("broadcast-1", broadcast(every), parts, fps)]
    for sport, seed in SIMULATED[:count]:
        found.append(clip_of(sport, simulated(sport, seed, fps), parts, fps))
    return found


def scores_of(truth: TrackRows, found: TrackRows) -> dict[str, float]:
    values = score_tracking({"clip": truth}, {"clip": found}, convention="soccernet").summary()
    return values.get("combined", values)


# --- self-supervised appearance tracking -----------------------------------------------------------


def changed(settings: TrackerSettings, **weights: float) -> TrackerSettings:
    rounds = tuple(replace(turn, **weights) for turn in settings.rounds)
    return replace(settings, rounds=rounds)


def ladder() -> dict[str, TrackerSettings]:
    published, ours = PRESETS["ssat-published"], PRESETS["ssat"]
    # Averaging is left out where all that is remembered is the newest look.
    last, newest = replace(published, fresh=1.0), replace(ours, fresh=1.0)
    return {
        "sort": PRESETS["sort"],
        "bytetrack": PRESETS["bytetrack"],
        "published: boxes alone": changed(last, looks=0.0),
        "  looks alone": changed(last, distance=0.0),
        "  looks too": last,
        "  and averaging": published,
        "ours: boxes alone": changed(newest, looks=0.0),
        "  our looks alone": changed(newest, distance=0.0),
        "  our looks too": newest,
        "  and averaging (ssat)": ours,
    }


def followed(clip: Clip, settings: TrackerSettings) -> TrackRows:
    tracker = Tracker(replace(settings, frame_rate=clip.fps))
    scores = np.full(len(clip.frame), 0.95)
    ids = tracker.follow(clip.box, scores, clip.frame, clip.length, appearance=clip.looks)
    kept = ids > 0
    return TrackRows.of(clip.frame[kept], ids[kept], clip.box[kept], length=clip.length)


def report_ssat(all_clips: list[Clip]) -> None:
    for step in (1, SLOW) if all_clips[0].fps == 25 else (1,):
        shown = [clip if step == 1 else clip.every(step) for clip in all_clips]
        print(f"association of true boxes, {shown[0].fps:g} frames/s: IDF1, HOTA, switches")
        print(f"{'':<24}" + "".join(f"{clip.name.split()[0]:>20}" for clip in shown) + f"{'mean':>20}")
        for name, settings in ladder().items():
            rows = []
            for clip in shown:
                values = scores_of(clip.truth, followed(clip, settings))
                rows.append([values["IDF1"], values["HOTA"], values["IDSW"]])
            rows.append(np.mean(rows, axis=0).tolist())
            cells = "".join(f"{f'{a:.3f} {b:.3f} {c:4.0f}':>20}" for a, b, c in rows)
            print(f"{name:<24}{cells}", flush=True)


# --- learnt from the match --------------------------------------------------------------------------


def seconds_of(clip: Clip, covered: NDArray[np.float64]) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Track, first frame and rows of every second of everybody that is mostly in the clear."""
    for track in np.unique(clip.track):
        for start in range(0, clip.length, WINDOW):
            here = (clip.track == track) & (clip.frame >= start) & (clip.frame < start + WINDOW)
            rows = np.flatnonzero(here & (covered < 0.3) & (np.abs(clip.looks).sum(1) > 0))
            if len(rows) >= 10:
                yield int(track), start, rows


def mates_told_apart(clip: Clip, sides: dict[int, str]) -> dict[str, float]:
    """Chance that seconds of one person are more alike than those of two team mates."""
    covered = overlaps(clip.frame, clip.box)
    windows = list(seconds_of(clip, covered))
    track = np.array([each[0] for each in windows])
    start = np.array([each[1] for each in windows])
    side = np.array([sides[each] for each in track.tolist()])
    first, second = np.triu_indices(len(track), 1)
    far = np.abs(start[first] - start[second]) >= APART
    same = far & (track[first] == track[second])
    mates = far & (track[first] != track[second]) & (side[first] == side[second])

    def chance(alike: NDArray[np.float64]) -> float:
        right, wrong = np.sort(alike[same]), alike[mates]
        below = np.searchsorted(right, wrong, "left") + np.searchsorted(right, wrong, "right")
        return float(1 - below.mean() / 2 / len(right))

    # Every second is a tracklet of its own: nobody tells which of them are one person.
    piece = np.zeros(len(clip.frame), np.int64)
    for number, (_, _, rows) in enumerate(windows, 1):
        piece[rows] = number
    learnt: dict[str, Likeness] = {}
    result = {}
    for name, vectors in (("kit colours", clip.kits), ("embedding", clip.looks)):
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        mean = np.array([unit[rows].mean(0) for _, _, rows in windows])
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        result[name] = chance((mean @ mean.T)[first, second])
        ones = np.ones(len(piece))
        pieces = Pieces.of(piece, clip.frame, clip.box, ones, unit.astype(float))
        looked = np.flatnonzero(np.abs(unit[pieces.index]).sum(axis=1) > 0)
        seen = Looks(looked, unit[pieces.index[looked]].astype(float))
        likeness = learn_likeness(pieces, seen, covered, clip.fps)
        assert likeness is not None
        learnt[name] = replace(likeness, bounds=(-np.inf, np.inf))
        result[f"{name}, learnt from the match"] = chance(learnt[name].odds(first, second))
    both = Likeness.joined(list(learnt.values()))
    result["both, learnt from the match"] = chance(both.odds(first, second))
    return result


def report_match(clip: Clip, parts: Path | None) -> None:
    folder = data_folder() / "soccer-clip"
    given, people = read_truth(folder / "broadcast-1-truth.zip")
    wanted = put_right(without_ball(given, people))
    sides = {track: row["team"] + row["role"] for track, row in people.items()}
    print("broadcast-1: seconds of one person more alike than those of two mates (a guess: 0.5)")
    for name, share in mates_told_apart(clip, sides).items():
        print(f"  {name:<40}{share:.3f}")
    with tempfile.TemporaryDirectory() as scratch:
        video = folder / "broadcast-1.mp4"
        settings = observe_settings(video, parts=parts)
        seen = observe(video, RunFolder(Path(scratch)), settings, parts=Parts.shipped(parts), threads=1)
    persons = seen.detections.filter(pc.equal(seen.detections["kind"], "person"))
    sport = sport_named("soccer")
    plain, by_looks = resolving._FOLLOWING, resolving._FOLLOWING_BY_LOOKS
    rows: dict[str, tuple[pa.Table | None, pa.Table, object]] = {
        "motion": (None, EMBEDDINGS.empty(), plain),
        "  and kits": (seen.appearance, EMBEDDINGS.empty(), plain),
        "  cut at more doubt": (seen.appearance, EMBEDDINGS.empty(), by_looks),
        "  and learnt from the match": (seen.appearance, seen.embeddings, by_looks),
    }
    print("broadcast-1, shipped detector, people only: HOTA, AssA, IDF1")
    for name, (appearance, embeddings, following) in rows.items():
        tracks = track_people(
            persons, seen.motion, seen.shots, appearance, None,
            frames=seen.frames["frame"].to_numpy(), fps=25.0, picture=(1920, 1080),
            most_people=2 * sport.players + sport.referees, settings=following, embeddings=embeddings,
        )  # fmt: skip
        found = TrackRows.of(tracks["frame"].to_numpy(), tracks["track"].to_numpy(), boxes_of(tracks))
        values = scores_of(wanted, found)
        print(f"  {name:<40}{values['HOTA']:.3f} {values['AssA']:.3f} {values['IDF1']:.3f}", flush=True)


def report_speed(parts: Path | None) -> None:
    embedder = PersonEmbedder(parts=parts)
    picture = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)
    boxes = np.array([[80.0 * i + 20, 300.0, 40, 90] for i in range(22)])
    masks = [np.ones((90, 40), bool)] * 22
    seconds = []
    for _ in range(12):
        begun = time.process_time()
        embedder.describe(picture, boxes, masks)
        seconds.append(time.process_time() - begun)
    print(f"{np.median(seconds) / 22 * 1e3:.2f} ms a person, processor time of one core (must 0.5)")


# --- more clips -------------------------------------------------------------------------------------


def simulated_videos(folder: Path, count: int) -> list[Path]:
    """Short simulated matches to learn from, of other seeds than those that are measured on."""
    videos = []
    for index in range(count):
        sport = SIMULATED[index % len(SIMULATED)][0]
        clip = folder / f"learn-{index}"
        if not (clip / "video.mp4").exists():
            settings = Settings(sport=sport, seconds=LEARN_SECONDS, seed=1200 + index, fps=LEARN_RATE)
            write_match(settings, clip)
        videos.append(clip / "video.mp4")
    return videos


def mates_apart(clip: Clip, teams: NDArray[np.int8]) -> float:
    """Chance that two looks at one person are more alike than looks at two of his team.

    `teams` (N,) are those of tracks 1 to N.
    """
    known = np.abs(clip.looks).sum(1) > 0
    looks, track = clip.looks[known], clip.track[known]
    team = teams[track - 1]
    same = track[:, None] == track
    mates = (team[:, None] == team) & (team >= 0) & ~same
    alike, upper = looks @ looks.T, np.triu(np.ones(same.shape, bool), 1)
    right, wrong = np.sort(alike[same & upper]), alike[mates & upper]
    return float(1 - np.searchsorted(right, wrong).mean() / len(right))


def report_clips(counts: list[int], least_steps: int, steps_a_clip: int, keep: Path) -> None:
    from filmroom.train.video_appearance import train_on_videos

    videos = simulated_videos(keep, max(counts))
    (keep / "observed").mkdir(parents=True, exist_ok=True)
    measured = [
        cut_out(f"{sport} {seed}", simulated(sport, seed, fps=25 / SLOW), fps=25 / SLOW)
        for sport, seed in MEASURED
    ]
    print(f"at {25 / SLOW:g}/s: mates told apart; IDF1")
    for count in counts:
        steps = max(least_steps, count * steps_a_clip)
        parts = keep / f"trained-{count}-{steps}"
        if not (parts / "report.json").exists():
            parts.mkdir(exist_ok=True)
            if not (parts / "observed").exists():
                # What is seen in the videos is the same each time.
                (parts / "observed").symlink_to((keep / "observed").resolve())
            train_on_videos(videos[:count], parts, steps=steps, drawn=0, resume=True)
        people = json.loads((parts / "report.json").read_text())["people"]
        found = [looked_at(*each, parts) for each in measured]
        apart = [
            mates_apart(clip, make_scene(hard(sport, seed, 25 / SLOW)).play.cast.teams)
            for clip, (sport, seed) in zip(found, MEASURED, strict=True)
        ]
        said = f"{count:3d} clips, {people} people, {steps} steps"
        print(f"  {said}: mates told apart {np.mean(apart):.3f}", flush=True)
        for name in ("  our looks alone", "  and averaging", "  and averaging (ssat)"):
            values = [scores_of(c.truth, followed(c, ladder()[name]))["IDF1"] for c in found]
            cells = " ".join(f"{c.name} {v:.3f}" for c, v in zip(found, values, strict=True))
            print(f"      {name.strip():<24} {cells}  mean {np.mean(values):.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", nargs="*", default=["ssat", "match", "speed"])
    parser.add_argument("--simulated", type=int, default=4, help="how many simulated clips")
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--every", type=int, default=1, help="`ssat` at every so manieth frame alone")
    parser.add_argument("--steps", type=int, default=600, help="of each training of `clips`")
    parser.add_argument("--steps-a-clip", type=int, default=0, help="of `clips`, if that is more")
    parser.add_argument("--counts", type=int, nargs="+", default=[4, 20, 40], help="of `clips`")
    parser.add_argument("--keep", type=Path, help="folder of what `clips` films and trains")
    arguments = parser.parse_args()
    what = list(arguments.what)
    if what[0] == "clips":
        with tempfile.TemporaryDirectory() as scratch:
            keep = arguments.keep or Path(scratch)
            report_clips(arguments.counts, arguments.steps, arguments.steps_a_clip, keep)
        return
    if {"ssat", "match"} & set(what):
        count = arguments.simulated if "ssat" in what else 0
        found = clips(count, arguments.parts, arguments.every)
        if "ssat" in what:
            report_ssat(found)
        if "match" in what:
            report_match(found[0], arguments.parts)
    if "speed" in what:
        report_speed(arguments.parts)


if __name__ == "__main__":
    main()
