"""Replays: found in the tiny pictures of a video, so that what they show is not counted as play.

Two things give a replay away. A wipe, the station's mark that runs over the picture, leads into it and
the same wipe out of it: both show the same pictures in the same order, which nothing else in a match
does. And slow motion made from ordinary pictures shows each of them twice or three times: the picture
stands nearly still, moves, stands still, in turns. A camera of many pictures a second leaves no such
trace; its replays are found by their wipes alone. After Pan, van Beek and Sezan (ICASSP 2001), who look
for both; the measures are ours.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import SHOTS

Bytes = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_WINDOW = 36  # pictures over which turns are told, a multiple of two and of three
_LEAST_CHANGE = 0.05  # levels of brightness: less is no change
_CONTRAST = float(np.log(1.6))
_SLOW = (0.1, 0.4)  # slowness beyond the usual: in ordinary play, and in slow motion
_PAUSE_SECONDS = 1.5  # for which nothing may move in slow motion
_BUSY = (6.0, 10.0, 14.0)  # levels of brightness by which pictures of a wipe may differ
_BUSY_TIMES = 3.0  # and times the usual
_WIPE_SECONDS = (0.2, 1.6)
_PAUSE = 2  # frames that may be calm within a wipe
_ALIKE = (0.7, 0.85)  # correlation of pictures of two wipes: of different ones, of the same
_BESIDE = 5  # frames from a wipe, where none of it shows any more
_FOREIGN = 0.55  # correlation with the pictures beside it that a wipe stays below
_LATE = 3  # frames by which two wipes may be found at different places
_REPLAY_SECONDS = (1.0, 45.0)
_LIVE_PRICE = 0.01  # of a second: live play is long, replays are short
_ENOUGH = 0.5
_LEAST_RATE = 8.0  # frames a second: with fewer neither shows


class Stretch(NamedTuple):
    """Pictures from `first` to before `end` that show a replay, and how sure that is."""

    first: int
    end: int
    score: float


def find_replays(
    shots: pa.Table, frames: NDArray[np.integer[Any]], looks: Bytes, fps: float
) -> pa.Table:
    """SHOTS with the replays among them: kind `replay` and how sure that is; shots are cut at wipes.

    `shots` are SHOTS of the video, `frames` (F,) the frames looked at, rising, `looks` (F, H, W) a tiny
    brightness picture of each, `fps` frames looked at a second. Shots that hold no replay stay as they
    are, but that none reaches across a wipe beside one.
    """
    SHOTS.check(shots)
    if not shots.num_rows or fps < _LEAST_RATE:
        return shots
    change = changes(looks)
    wipes = find_wipes(change, fps)
    cuts = np.searchsorted(frames, shots["first_frame"].to_numpy()[1:])
    replays = by_wipes(looks, change, wipes, fps)
    taken = np.zeros(len(frames), bool)
    for replay in replays:
        taken[replay.first : replay.end] = True
    ends = np.concatenate([[0], cuts, np.array(wipes, np.int64).ravel(), [len(frames)]])
    replays += _slow(change, np.unique(ends), taken, fps)
    return _cut_out(shots, frames, replays)


def in_replays(shots: pa.Table, frames: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """(N,) which frames are shown in a replay."""
    inside = np.zeros(len(frames), bool)
    for row in shots.to_pylist():
        if row["kind"] == "replay":
            inside |= (frames >= row["first_frame"]) & (frames <= row["last_frame"])
    return inside


def _slow(change: Matrix, edges: Ints, taken: NDArray[np.bool_], fps: float) -> list[Stretch]:
    """Stretches in slow motion, from and to a shot's edge where one is near.

    None is at the start: nothing was shown before. What most of the video does is no sign: a video that
    was brought to another rate repeats pictures all along.
    """
    slow = slowness(change)
    beyond = slow - np.median(slow)
    pause = round(_PAUSE_SECONDS * fps)
    least, most = (seconds * fps for seconds in _REPLAY_SECONDS)
    found = []
    for run in _runs(beyond > np.mean(_SLOW), pause):
        first, end = (_nearest(place, edges, fps) for place in run)
        if first > 0 and least <= end - first <= most and not taken[first:end].any():
            found.append(Stretch(first, end, _ramp(float(np.max(beyond[first:end])), _SLOW)))
    return found


def _runs(wanted: NDArray[np.bool_], pause: int) -> list[tuple[int, int]]:
    """First place and end of every run of true values; those a pause apart, or less, are one."""
    where = np.flatnonzero(wanted)
    if not len(where):
        return []
    parts = np.split(where, np.flatnonzero(np.diff(where) > pause) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def _nearest(place: int, edges: Ints, most: float) -> int:
    """The edge nearest to a place, or the place itself where none is near."""
    edge = int(edges[np.abs(edges - place).argmin()])
    return edge if abs(edge - place) <= most else place


def changes(looks: Bytes) -> Matrix:
    """(F,) mean difference of every picture from the one before, in levels of brightness; first 0."""
    change = np.zeros(len(looks))
    for start in range(1, len(looks), 1000):
        part = looks[start - 1 : start + 1000].astype(np.float32)
        change[start : start + len(part) - 1] = np.abs(np.diff(part, axis=0)).mean(axis=(1, 2))
    return change


def slowness(change: Matrix) -> Matrix:
    """(F,) how far pictures change in turns of two or three, as where each is shown more than once.

    The share of the variance of log changes, over some 36 pictures, that their place in the turn tells,
    where the turns differ by more than half: live play has next to nothing of it, however fast it is.
    """
    count, window = len(change), np.ones(_WINDOW)
    levels, places = np.log(change + _LEAST_CHANGE), np.arange(len(change))
    among = np.convolve(np.ones(count), window, "same")[:count]
    mean = np.convolve(levels, window, "same")[:count] / among
    variance = np.convolve(levels * levels, window, "same")[:count] / among - mean * mean
    best = np.zeros(count)
    for turn in (2, 3):
        phases = []
        for phase in range(turn):
            here = (places % turn == phase).astype(float)
            total = np.convolve(levels * here, window, "same")[:count]
            phases.append(total / np.maximum(np.convolve(here, window, "same")[:count], 1.0))
        told = np.var(phases, axis=0) / np.maximum(variance, 1e-9)
        best = np.maximum(best, np.where(np.ptp(phases, axis=0) > _CONTRAST, told, 0.0))
    return best if count >= _WINDOW else np.zeros(count)


def find_wipes(change: Matrix, fps: float) -> list[tuple[int, int]]:
    """First frame and end of every stretch in which picture after picture differs much.

    How much is much depends on what is beside it: each is told at the lowest of some levels at which it
    is no longer than a wipe.
    """
    usual = float(np.median(change))
    least, most = (seconds * fps for seconds in _WIPE_SECONDS)
    found: list[tuple[int, int]] = []
    for level in _BUSY:
        for first, end in _runs(change > max(level, _BUSY_TIMES * usual), _PAUSE):
            if least <= end - first <= most and all(end <= a or first >= b for a, b in found):
                found.append((first, end))
    return sorted(found)


def by_wipes(looks: Bytes, change: Matrix, wipes: list[tuple[int, int]], fps: float) -> list[Stretch]:
    """Stretches between two wipes that show the same; play between two replays is not one.

    `change` are the `changes` of the pictures `looks`, `wipes` those found in them.
    """
    options = []
    wipes = [wipe for wipe in wipes if _is_foreign(looks, wipe)]
    for one, (start, end) in enumerate(wipes):
        for other in range(one + 1, min(one + 4, len(wipes))):
            seconds = (wipes[other][0] - end) / fps
            if not _REPLAY_SECONDS[0] <= seconds <= _REPLAY_SECONDS[1]:
                continue
            alike = _ramp(likeness(looks, wipes[one], wipes[other]), _ALIKE)
            if alike < _ENOUGH:
                continue
            slow = _ramp(float(np.median(slowness(change[end : wipes[other][0]]))), _SLOW)
            weight = alike + slow - _LIVE_PRICE * seconds
            options.append((weight, one, other, max(alike, slow), start, wipes[other][1]))
    chosen = _best(options, len(wipes))
    return [Stretch(start, end, score) for _, _, _, score, start, end in chosen]


def _best(options: list[tuple[float, int, int, float, int, int]], count: int) -> list[Any]:
    """The options of greatest total weight in which no wipe leads into two of them."""
    best: list[tuple[float, list[Any]]] = [(0.0, [])] * (count + 1)
    for last in range(count):
        best[last + 1] = best[last]
        for option in options:
            weight, one, other = option[:3]
            if other == last and best[one][0] + weight > best[last + 1][0]:
                best[last + 1] = (best[one][0] + weight, [*best[one][1], option])
    return best[count][1]


def likeness(looks: Bytes, one: tuple[int, int], other: tuple[int, int]) -> float:
    """How alike two wipes are: the median correlation of their pictures at the best shift in time."""
    best = -1.0
    length = min(one[1] - one[0], other[1] - other[0])
    for shift in range(-_LATE, _LATE + 1):
        first, second = max(one[0], one[0] - shift), max(other[0], other[0] + shift)
        count = min(length - abs(shift), len(looks) - second, len(looks) - first)
        if count < 3:
            continue
        pairs = (_standard(looks[start : start + count]) for start in (first, second))
        best = max(best, float(np.median(np.prod(list(pairs), axis=0).mean(axis=(1, 2)))))
    return best


def _is_foreign(looks: Bytes, wipe: tuple[int, int]) -> bool:
    """Whether its pictures are unlike those before and after, which those of a fast pan are not."""
    inside = _standard(looks[wipe[0] : wipe[1]])
    around = [frame for frame in (wipe[0] - _BESIDE, wipe[1] + _BESIDE) if 0 <= frame < len(looks)]
    fits = [np.median((inside * other).mean(axis=(1, 2))) for other in _standard(looks[around])]
    return max(fits, default=0.0) < _FOREIGN


def _standard(pictures: Bytes) -> Matrix:
    values = pictures.astype(float)
    values -= values.mean(axis=(1, 2), keepdims=True)
    result: Matrix = values / np.maximum(values.std(axis=(1, 2), keepdims=True), 1e-6)
    return result


def _ramp(value: float, bounds: tuple[float, float]) -> float:
    return float(np.clip((value - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0))


def _cut_out(shots: pa.Table, frames: NDArray[np.integer[Any]], replays: list[Stretch]) -> pa.Table:
    """The shots with these stretches of frames taken out of them and put beside them."""
    rows: list[tuple[int, int, str, float]] = []
    spans = [
        (int(frames[replay.first]), int(frames[replay.end - 1]), "replay", replay.score)
        for replay in sorted(replays)
    ]
    for row in shots.to_pylist():
        first = row["first_frame"]
        for start, last, _, _ in spans:
            if last < first or start > row["last_frame"]:
                continue
            if start > first:
                rows.append((first, start - 1, row["kind"], row["score"]))
            first = last + 1
        if first <= row["last_frame"]:
            rows.append((first, row["last_frame"], row["kind"], row["score"]))
    rows = sorted(rows + spans)
    firsts, lasts, kinds, scores = (list(column) for column in zip(*rows, strict=True))
    return SHOTS.build(
        {
            "shot": list(range(len(rows))),
            "first_frame": firsts,
            "last_frame": lasts,
            "kind": kinds,
            "score": scores,
        }
    )
