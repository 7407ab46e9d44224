"""From raw video to a detector: all stages in order, resumable, with pictures and a report."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.observe.detector import LONG_SIDE, OnnxDetector
from filmroom.train.detector import DetectorRecipe, export_detector, train_detector
from filmroom.train.paste import Cutout
from filmroom.train.unlabelled import sheets
from filmroom.train.unlabelled.align_net import (
    AlignmentRecipe,
    BetterAligner,
    LearntAligner,
    train_alignment,
)
from filmroom.train.unlabelled.alignment import Aligner, ClassicalAligner
from filmroom.train.unlabelled.displacement import DisplacementRecipe, train_displacement
from filmroom.train.unlabelled.distil import (
    FoundFrame,
    alone_of,
    silence_ball,
    write_coco,
    write_pictures,
)
from filmroom.train.unlabelled.footage import Footage, read_footage
from filmroom.train.unlabelled.foreground import ForegroundRecipe, train_foreground
from filmroom.train.unlabelled.keeping import (
    keep_bytes,
    keep_motion,
    keep_players,
    kept_motion,
    kept_players,
)
from filmroom.train.unlabelled.motion import MovingShot, find_motion
from filmroom.train.unlabelled.motion_masks import published_labels
from filmroom.train.unlabelled.player_pools import PoolRecipe
from filmroom.train.unlabelled.players import ShotPlayers, find_players, foreground_masks
from filmroom.train.unlabelled.report import Report, judge

log = logging.getLogger(__name__)

Boxes = NDArray[np.float64]
Tell = Callable[[str, int, int, dict[str, float]], None]

_BELIEVED = 0.75  # certainty from which a found box is a label
_BELIEVED_SCORE = 0.45  # likewise of the first detector
_LEAST_FOREGROUND = 0.15  # of a detected box: else nothing of it ever moved
_WIDEST = 0.85  # width over height of a label
_MOST_CUTOUTS = 1500
_HEIGHTS = (0.7, 1.45)  # of the usual person, between which people are shown to the detector
_CROP_HEIGHTS, _LARGEST_CROP = 2.6, 352  # side of a crop, in usual people; in pixels at most
_FEWEST_LABELS = 20


@dataclass(frozen=True)
class UnlabelledRecipe:
    """Everything that decides the result, apart from the videos.

    `paper` keeps what was printed where ours differs: one-sided differences of neighbouring frames as
    labels, triplet anchors from all candidates, one summed equation an object for displacement.
    `rounds` of the detector: each after the first learns from what the one before found. Of long videos
    `most_frames` are looked at, in stretches of `window` seconds.
    """

    paper: bool = False
    rate: float = 12.5
    most_frames: int = 1000
    window: float = 10.0
    pictures: int = 190
    rounds: int = 2
    alignment: AlignmentRecipe = field(default_factory=AlignmentRecipe)
    foreground: ForegroundRecipe = field(default_factory=ForegroundRecipe)
    pools: PoolRecipe = field(default_factory=PoolRecipe)
    displacement: DisplacementRecipe = field(default_factory=DisplacementRecipe)
    detector: DetectorRecipe = field(
        default_factory=lambda: DetectorRecipe(
            steps=800,
            batch=6,
            crop=256,
            paste=0.6,
            rate=3e-3,
            widths=(24, 48, 80, 96),
            blocks=(1, 1, 1, 1),
            checkpoint_every=100,
        )
    )
    seed: int = 1

    def seeded(self, seed: int) -> UnlabelledRecipe:
        """The same with every stage's seed set."""
        return replace(
            self,
            seed=seed,
            alignment=replace(self.alignment, seed=seed),
            foreground=replace(self.foreground, seed=seed),
            pools=replace(self.pools, seed=seed, paper=self.paper),
            displacement=replace(self.displacement, seed=seed, paper=self.paper),
            detector=replace(self.detector, seed=seed),
        )

    def shortened(self, steps: int) -> UnlabelledRecipe:
        """The same with at most `steps` steps in every stage: to try whether all is in place."""
        return replace(
            self,
            alignment=replace(self.alignment, steps=min(steps, self.alignment.steps)),
            foreground=replace(self.foreground, steps=min(steps, self.foreground.steps)),
            pools=replace(self.pools, steps=min(steps, self.pools.steps)),
            displacement=replace(self.displacement, steps=min(steps, self.displacement.steps)),
            detector=replace(self.detector, steps=min(steps, self.detector.steps)),
        )


def train_unlabelled(
    videos: Sequence[Path],
    folder: Path,
    recipe: UnlabelledRecipe | None = None,
    *,
    resume: bool = False,
    tell: Tell | None = None,
) -> Report:
    """Learn to find the players of these videos; `folder` then serves `run --parts`.

    It holds `detector.onnx`, `report.json`, contact sheets and, in `work`, checkpoints from which a
    stopped training goes on with `resume`. InputError where the videos show too little to learn from.
    """
    recipe = (recipe or UnlabelledRecipe()).seeded((recipe or UnlabelledRecipe()).seed)
    tell = tell or _log_progress
    started = time.monotonic()
    work = _begin(videos, folder, recipe, resume)
    torch.manual_seed(recipe.seed)
    footage = read_footage(
        videos, rate=recipe.rate, most_frames=recipe.most_frames, window=recipe.window
    )
    for remark in footage.remarks:
        log.warning("%s", remark)
    aligner, stepper, residuals = _aligners(footage, work, recipe, tell)
    sheets.save(folder / "0-alignment.png", sheets.alignment_sheet(footage.shots, stepper))
    moving = _motion(footage, aligner, stepper, work, recipe, tell)
    sheets.save(folder / "1-moving.png", sheets.moving_sheet(moving))
    foreground = train_foreground(
        [picture for shot in moving for picture in shot.pixels],
        [labels for shot in moving for labels in shot.labels],
        work,
        recipe.foreground,
        _stage(tell, "foreground"),
    )
    sheets.save(folder / "2-foreground.png", sheets.foreground_sheet(foreground, moving))
    players = kept_players(work / "players.npz", moving)
    if players is None:
        masks = [foreground_masks(foreground, shot) for shot in moving]
        players, pools = find_players(masks, moving, recipe.pools, _stage(tell, "players"))
        sheets.save(folder / "3-pools.png", sheets.pools_sheet(pools))
        keep_players(work / "players.npz", players)
    sheets.save(folder / "4-players.png", sheets.players_sheet(players))
    detector = _distil(players, folder, work, recipe, tell)
    again = _found_again(players, folder)
    train_displacement(again, work, recipe.displacement, _stage(tell, "displacement"))
    report = judge(footage, players, detector, residuals, time.monotonic() - started)
    keep_bytes(folder / "report.txt", (report.text() + "\n").encode())
    keep_bytes(folder / "report.json", json.dumps(report.as_dict(), indent=1).encode())
    return report


def _begin(videos: Sequence[Path], folder: Path, recipe: UnlabelledRecipe, resume: bool) -> Path:
    if not videos:
        raise InputError("no video to learn from; name at least one")
    for video in videos:
        if not video.exists():
            raise InputError(f"{video}: no such video")
    work = folder / "work"
    settings = work / "settings.json"
    asked = {
        "videos": [[video.name, video.stat().st_size] for video in videos],
        "recipe": repr(recipe),
    }
    if settings.exists():
        if not resume:
            raise InputError(f"{folder}: holds another training; add --resume to finish it")
        if json.loads(settings.read_text(encoding="utf-8")) != asked:
            raise InputError(
                f"{folder}: the training here had other videos or settings; choose another folder"
            )
    work.mkdir(parents=True, exist_ok=True)
    keep_bytes(settings, json.dumps(asked).encode())
    return work


def _stage(tell: Tell, name: str) -> Callable[[int, int, dict[str, float]], None]:
    return lambda step, steps, values: tell(name, step, steps, values)


def _log_progress(stage: str, step: int, steps: int, values: dict[str, float]) -> None:
    said = " ".join(f"{name} {value:.4g}" for name, value in values.items())
    log.info("%s %d/%d  %s", stage, step, steps, said)


def _aligners(
    footage: Footage, work: Path, recipe: UnlabelledRecipe, tell: Tell
) -> tuple[Aligner, Aligner, dict[str, float]]:
    """What lays frames over the empty place, what finds steps between them, and how well each does."""
    learnt = LearntAligner(
        train_alignment(footage.shots, work, recipe.alignment, _stage(tell, "alignment"))
    )
    better = BetterAligner(ClassicalAligner(polish=False), learnt)
    residuals = better.compare(footage.shots)
    return ClassicalAligner(), better, residuals


def _motion(
    footage: Footage,
    aligner: Aligner,
    stepper: Aligner,
    work: Path,
    recipe: UnlabelledRecipe,
    tell: Tell,
) -> list[MovingShot]:
    found: list[MovingShot] = []
    for index, shot in enumerate(footage.shots):
        file = work / f"motion-{index:04d}.npz"
        here = kept_motion(file, shot)
        if here is None:
            here = find_motion(shot, aligner, stepper)
            if recipe.paper:
                here = [
                    replace(each, labels=published_labels(each.pixels, stepper, each.tau))
                    for each in here
                ]
            keep_motion(file, here)
        found += here
        moving = float(np.mean([(each.labels == 1).mean() for each in found])) if found else 0.0
        tell("motion", index + 1, len(footage.shots), {"moving": moving})
    if not found:
        raise InputError(
            "no shot could be aligned with itself for long enough: cuts every second, or pictures"
            " without any detail; give a longer video with a wider view"
        )
    return found


def _distil(
    players: Sequence[ShotPlayers], folder: Path, work: Path, recipe: UnlabelledRecipe, tell: Tell
) -> Path:
    target = folder / "detector.onnx"
    weights: Path | None = None
    for number in range(recipe.rounds):
        here = work / f"round-{number + 1}"
        network = here / "detector.onnx"
        if not network.exists():
            found = players if number == 0 else _found_again(players, work / f"round-{number}")
            teams = _write_training_set(found, here, recipe)
            schedule = _as_tall(recipe.detector, found)
            if not teams[0]:
                # Nobody stood alone and whole: there is nobody to paste.
                schedule = replace(schedule, paste=0.0)
            if number:
                schedule = replace(schedule, rate=schedule.rate * 0.6, seed=schedule.seed + number)
            weights = train_detector(
                [here],
                here,
                schedule,
                start_from=weights,
                resume=True,
                workers=1,
                teams=teams,
                tell=_stage(tell, f"detector {number + 1}/{recipe.rounds}"),
            )
            silence_ball(weights)
            export_detector(weights, here / "exported.onnx", [here], calibrate=24)
            (here / "exported.onnx").replace(network)
            sheets.save(folder / "5-detector.png", sheets.detector_sheet(network, players))
        weights = here / "detector.pt"
    keep_bytes(target, network.read_bytes())
    return target


def _as_tall(schedule: DetectorRecipe, players: Sequence[ShotPlayers]) -> DetectorRecipe:
    """The schedule with crops that show people about as tall as the detector will meet them here.

    Crops grow with the people, so that several fit on one, and batches shrink as much.
    """
    tall = [
        boxes[sure > _BELIEVED, 3] * min(each.motion.shot.scale, LONG_SIDE / max(each.motion.size))
        for each in players
        for boxes, sure in zip(each.boxes, each.sure, strict=True)
    ]
    heights = np.concatenate(tall) if tall else np.zeros(0)
    if len(heights) < _FEWEST_LABELS:
        return schedule
    usual = float(np.median(heights))
    crop = int(np.clip(32 * round(_CROP_HEIGHTS * usual / 32), schedule.crop, _LARGEST_CROP))
    batch = max(3, round(schedule.batch * schedule.crop**2 / crop**2))
    least, most = (share * usual for share in _HEIGHTS)
    return replace(schedule, heights=(least, most), crop=crop, batch=batch)


def _write_training_set(
    players: Sequence[ShotPlayers], folder: Path, recipe: UnlabelledRecipe
) -> list[list[Cutout]]:
    (folder / "train").mkdir(parents=True, exist_ok=True)
    total = sum(len(each.boxes) for each in players)
    rows: list[dict[str, object]] = []
    cutouts: list[Cutout] = []
    by_video: dict[Path, list[FoundFrame]] = {}
    for each in players:
        count = max(1, round(recipe.pictures * len(each.boxes) / total))
        chosen = np.unique(np.linspace(0, len(each.boxes) - 1, count).round().astype(int))
        frames = by_video.setdefault(each.motion.shot.video, [])
        frames += [_found_frame(each, int(row)) for row in chosen]
    for index, (video, frames) in enumerate(by_video.items()):
        some, cut = write_pictures(video, frames, folder / "train", f"{index:03d}")
        rows += some
        cutouts += cut
    if sum(len(frame.sure) for frames in by_video.values() for frame in frames) < _FEWEST_LABELS:
        raise InputError("too few players were found to train a detector; see the sheets in the folder")
    write_coco(folder, rows)
    rng = np.random.default_rng(recipe.seed)
    order = rng.permutation(len(cutouts))[:_MOST_CUTOUTS]
    return [[cutouts[i] for i in np.sort(order)]]


def _found_frame(players: ShotPlayers, row: int) -> FoundFrame:
    motion = players.motion
    boxes, sure = players.boxes[row], players.sure[row]
    believed = boxes[(sure > _BELIEVED) & (boxes[:, 2] < _WIDEST * boxes[:, 3])]
    return FoundFrame(
        int(motion.shot.frames[motion.rows[row]]),
        believed,
        alone_of(believed, boxes),
        players.masks[row],
        motion.empty(row),
        float(motion.shot.times[motion.rows[row]]),
    )


def _found_again(players: Sequence[ShotPlayers], parts: Path) -> list[ShotPlayers]:
    """The same pictures as the detector of the round before sees them, where motion does not object."""
    detector = OnnxDetector(threshold=0.2, parts=parts, threads=1, second_look=False)
    again = []
    for each in players:
        boxes, sure = [], []
        for picture, mask in zip(each.motion.pixels, each.masks, strict=True):
            found = detector.detect(_enlarged(picture))
            share = picture.shape[1] / _enlarged(picture).shape[1]
            people = found.boxes[found.kinds == 0].astype(float) * share
            scores = found.scores[found.kinds == 0].astype(float)
            filled = _mask_share(mask, people)
            kept = filled > _LEAST_FOREGROUND
            boxes.append(people[kept])
            # Scores are brought to the scale of the certainties, 0.45 to 0.75.
            sure.append(np.clip(scores[kept] + (_BELIEVED - _BELIEVED_SCORE), 0, 1))
        again.append(replace(each, boxes=boxes, sure=sure))
    return again


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = LONG_SIDE / max(picture.shape[:2])
    return np.asarray(
        cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def _mask_share(mask: NDArray[np.bool_], boxes: Boxes) -> NDArray[np.float64]:
    total = cv2.integral(mask.astype(np.uint8))
    height, width = mask.shape
    left, top = (np.clip(boxes[:, i].round().astype(int), 0, n) for i, n in ((0, width), (1, height)))
    right = np.clip((boxes[:, 0] + boxes[:, 2]).round().astype(int), 0, width)
    bottom = np.clip((boxes[:, 1] + boxes[:, 3]).round().astype(int), 0, height)
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return np.asarray(inside / np.maximum(1, (right - left) * (bottom - top)), float)
