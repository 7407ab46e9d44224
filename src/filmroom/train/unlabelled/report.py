"""Is it good enough to use? Said without labels, from what the detector finds in the videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.boxes import ious
from filmroom.geometry.homography import transform_boxes
from filmroom.observe.detector import OnnxDetector
from filmroom.track.presets import preset
from filmroom.track.tracker import Tracker
from filmroom.train.unlabelled.candidates import find_candidates
from filmroom.train.unlabelled.footage import Footage
from filmroom.train.unlabelled.motion import LEAST_TURN
from filmroom.train.unlabelled.player_pools import PoolRecipe, strict_positives
from filmroom.train.unlabelled.players import ShotPlayers

_LEAST_SCORE = 0.45
_PEOPLE = (3, 40)  # people in a picture of play
_FRAMES = 240
_CLOSE = 0.4  # height of people, as a share of the picture's, beyond which a shot is a close-up
_FITS = 0.5  # IoU of a box with the region of one who moves alone
_FILLED = 0.2  # share of a box that what moves, or is unknown, covers
_TALL = (0.6, 1.6)  # times as tall as people are on that row
_WITHIN = 0.7  # share of a box that lies in a larger one: a double, or somebody hidden
_GOOD = {
    "plausible_frames": 0.8,
    "singles_fitted": 0.6,
    "boxes_that_move": 0.7,
    "boxes_as_tall": 0.5,
    "track_seconds": 1.0,
}
_MOST = {"doubles": 0.2}


@dataclass(frozen=True)
class Report:
    """Figures without labels, each 0..1 but where a unit is named, and what they mean.

    plausible_frames
        Share of frames with a plausible number of people, near the median of their shot; no close-ups.
    people
        Median number of people in a frame.
    singles_fitted
        Share of those who move alone and in one piece round whom a box fits (IoU 0.5): what recall is.
    boxes_that_move
        Share of boxes that what moves fills as a body does: what precision is.
    boxes_as_tall
        Share of boxes about as tall as people are where they stand.
    doubles
        Share of boxes that lie within a larger one.
    steady
        Share of boxes found again, along the camera, in the next frame looked at.
    track_seconds
        How long the track of a box lasts, mean over boxes, by overlap alone.
    learnt_residual, classical_residual
        Mean grey levels left after alignment by the network and by corners.
    camera_moves
        Does the camera turn at all?
    minutes
        Time taken.
    """

    plausible_frames: float
    people: float
    singles_fitted: float
    boxes_that_move: float
    boxes_as_tall: float
    doubles: float
    steady: float
    track_seconds: float
    learnt_residual: float
    classical_residual: float
    camera_moves: bool
    seconds_of_video: float
    minutes: float
    remarks: list[str]

    @property
    def usable(self) -> bool:
        """All of the figures that matter reach what a usable detector reaches."""
        return not self.weak

    @property
    def weak(self) -> list[str]:
        """Names of the figures that fall short."""
        low = [name for name, least in _GOOD.items() if not getattr(self, name) >= least]
        return low + [name for name, most in _MOST.items() if not getattr(self, name) <= most]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"usable": self.usable, **asdict(self)}

    def text(self) -> str:
        """A plain report of a few lines."""
        weak = ", ".join(name.replace("_", " ") for name in self.weak)
        verdict = f"not good enough: {weak}" if weak else "good enough to use"
        lines = [
            f"learnt from {self.seconds_of_video:.0f} s of video in {self.minutes:.1f} min: {verdict}",
            f"people in a frame: {self.people:.0f}; frames with a plausible number:"
            f" {self.plausible_frames:.0%}",
            f"who moves alone and is found: {self.singles_fitted:.0%}; boxes in which somebody moves:"
            f" {self.boxes_that_move:.0%}",
            f"boxes as tall as people are there: {self.boxes_as_tall:.0%}; within another box:"
            f" {self.doubles:.0%}",
            f"boxes found again in the next frame: {self.steady:.0%}; a track lasts"
            f" {self.track_seconds:.1f} s",
            f"left after alignment, grey levels: network {self.learnt_residual:.2f}, corners"
            f" {self.classical_residual:.2f}"
            + ("" if self.camera_moves else "; the camera stands still"),
            *self.remarks,
        ]
        return "\n".join(lines)


def judge(
    footage: Footage,
    players: Sequence[ShotPlayers],
    detector: Path,
    residuals: dict[str, float],
    seconds: float,
) -> Report:
    """Look at the pictures with the trained detector and compare with motion; no labels are needed."""
    network = OnnxDetector(threshold=_LEAST_SCORE, parts=detector.parent, second_look=False)
    total = sum(len(each.motion.rows) for each in players)
    stride = max(1, total // _FRAMES)
    counts: list[list[int]] = []
    fitted: list[float] = []
    moves: list[float] = []
    tall: list[float] = []
    doubles: list[float] = []
    again: list[float] = []
    chains: list[float] = []
    for each in players:
        found = _detect_all(network, each, stride)
        counts.append([len(boxes) for boxes in found])
        for row, boxes in zip(range(0, len(each.motion.rows), stride), found, strict=True):
            fitted += _fitted(each, row, boxes)
            moves += _filled(each, row, boxes)
            if len(boxes):
                share = boxes[:, 3] / each.height.at(boxes[:, 1] + boxes[:, 3])
                tall += ((share > _TALL[0]) & (share < _TALL[1])).tolist()
                doubles += _within_another(boxes).tolist()
        links = _links(each, found, stride)
        again += [float(value) for link in links for value in link]
        chains += _track_seconds(each, found, stride)
    wide = [index for index, each in enumerate(players) if not _is_close(each)]
    # Who is filmed from near by is alone; where nothing else was filmed, that counts too.
    judged = [counts[index] for index in wide or range(len(counts))]
    return Report(
        plausible_frames=_mean([fits for shot in judged for fits in _plausible(shot)]),
        people=float(np.median(np.concatenate(judged))) if judged else 0.0,
        singles_fitted=_mean(fitted),
        boxes_that_move=_mean([share > _FILLED for share in moves]),
        boxes_as_tall=_mean(tall),
        doubles=_mean(doubles),
        steady=_mean(again),
        track_seconds=_mean(chains),
        learnt_residual=residuals.get("learnt", float("nan")),
        classical_residual=residuals.get("classical", float("nan")),
        camera_moves=any(each.motion.turn() > LEAST_TURN for each in players),
        seconds_of_video=footage.seconds,
        minutes=seconds / 60,
        remarks=[*footage.remarks, *_groundless(players), *_close_ones(len(players) - len(wide))],
    )


def _is_close(players: ShotPlayers) -> bool:
    """Are people so tall that few find room in the picture?"""
    height = players.motion.size[1]
    return float(players.height.at(0.75 * height)) > _CLOSE * height


def _close_ones(count: int) -> list[str]:
    return [f"{count} shots from near by: how many people they show was not judged"] if count else []


def _plausible(counts: Sequence[int]) -> list[bool]:
    """Which numbers of people are possible, and near what the shot shows most of the time."""
    usual = float(np.median(counts))
    return [_PEOPLE[0] <= n <= _PEOPLE[1] and 0.5 * usual <= n <= 1.6 * usual for n in counts]


def _groundless(players: Sequence[ShotPlayers]) -> list[str]:
    names = sorted({each.motion.shot.name for each in players if each.motion.ground is None})
    if not names:
        return []
    return [f"no ground found in {', '.join(names)}: whatever moves there was taken for players"]


def _mean(values: Sequence[float | bool]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _detect_all(network: OnnxDetector, players: ShotPlayers, stride: int) -> list[NDArray[np.float64]]:
    found = []
    for row in range(0, len(players.motion.rows), stride):
        picture = players.motion.shot.pixels[players.motion.rows[row]]
        large = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        seen = network.detect(np.asarray(large, np.uint8))
        found.append(seen.boxes[seen.kinds == 0].astype(float) / 2)
    return found


def _fitted(players: ShotPlayers, row: int, boxes: NDArray[np.float64]) -> list[float]:
    """Of the moving regions that are one compact body, round which a box fits."""
    found = find_candidates(players.motion.labels[row] == 1, players.height)
    single = found.boxes[strict_positives(found, players.height, PoolRecipe())]
    if not len(single):
        return []
    overlap = ious(single, boxes) if len(boxes) else np.zeros((len(single), 1))
    return [float(best > _FITS) for best in overlap.max(axis=1)]


def _filled(players: ShotPlayers, row: int, boxes: NDArray[np.float64]) -> list[float]:
    """Share of each box that moves, or is foreground where it is not known whether it moves."""
    labels = players.motion.labels[row]
    # Whoever stands still is foreground to the network, and no motion at all.
    body = (labels == 1) | players.masks[row]
    shares = []
    for x, y, w, h in boxes:
        part = body[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1]
        shares.append(float(part.mean()) if part.size else 0.0)
    return shares


def _within_another(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) which boxes lie for the greater part in a larger one."""
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    sides = np.minimum(end[:, None], end) - np.maximum(start[:, None], start)
    shared = np.clip(sides, 0, None).prod(axis=2)
    area = boxes[:, 2:].prod(axis=1)
    larger = area[None] > area[:, None]
    return np.asarray((larger & (shared > _WITHIN * area[:, None])).any(axis=1))


def _links(
    players: ShotPlayers, found: list[NDArray[np.float64]], stride: int
) -> list[NDArray[np.bool_]]:
    """For each frame but the last, which boxes overlap one of the next, camera undone."""
    links = []
    rows = range(0, len(players.motion.rows), stride)
    to_frame = players.motion.panorama.to_frame
    for now, later, boxes, others in zip(rows, rows[1:], found, found[1:], strict=False):
        step = to_frame[later] @ np.linalg.inv(to_frame[now])
        moved = transform_boxes(step, boxes) if len(boxes) else boxes
        overlap = ious(moved, others) if len(others) else np.zeros((len(boxes), 0))
        links.append(overlap.max(axis=1, initial=0.0) > 0.3)
    return links


def _track_seconds(players: ShotPlayers, found: list[NDArray[np.float64]], stride: int) -> list[float]:
    """For every box the seconds that its track lasts, tracked by overlap with the camera undone."""
    rate = players.motion.shot.rate / stride
    # Ages and gaps of the preset are meant for 25 frames a second; there are fewer here.
    tracker = Tracker(replace(preset("sort"), frame_rate=rate, confirm=1))
    ids: list[int] = []
    rows = range(0, len(players.motion.rows), stride)
    for row, boxes in zip(rows, found, strict=True):
        back = np.linalg.inv(players.motion.panorama.to_frame[row])
        still = transform_boxes(back, boxes) if len(boxes) else boxes
        ids += tracker.update(still, np.ones(len(still))).tolist()
    counts = Counter(each for each in ids if each > 0)
    return [counts[each] / rate for each in ids if each > 0]
