"""Whether the ball is in play: told by the ball alone, which lies still when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import MOTION, SHOTS, TRACKS, boxes_of
from filmroom.track.panorama import Panorama, panorama_of

Matrix = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class InPlaySettings:
    """When a ball counts as dead. Times are seconds, lengths body heights.

    still
        The ball is still where it comes no farther than this in `lag`.
    least
        Shorter rests belong to play: a ball that is trapped, or at somebody's feet.
    unseen
        Longer absences of the ball leave it unknown, but between two rests on one spot.
    """

    still: float = 0.25
    lag: float = 0.4
    least: float = 1.2
    unseen: float = 2.0


def ball_in_play(
    ball: pa.Table,
    people: pa.Table,
    motion: pa.Table,
    shots: pa.Table,
    *,
    frames: NDArray[np.integer[Any]],
    fps: float,
    settings: InPlaySettings | None = None,
) -> pa.BooleanArray:
    """Whether the ball is in play in each of `frames` (F,), null where that is not known.

    `ball` and `people` are TRACKS (the people give the scale), `motion` MOTION and `shots` SHOTS, `fps`
    the video's frames a second. A ball that rests for long on one spot of the pitch is dead until it
    moves again; the camera's own motion is taken out.
    """
    for schema, table in ((TRACKS, ball), (TRACKS, people), (MOTION, motion), (SHOTS, shots)):
        schema.check(table)
    settings = settings or InPlaySettings()
    panorama = panorama_of(frames, motion, shots)
    count = len(panorama.frames)
    seen, place = _places(ball, panorama)
    if not seen.any() or not people.num_rows:
        return pa.nulls(count, pa.bool_())
    height = float(np.median(people["h"].to_numpy()))
    gap = np.median(np.diff(panorama.frames)) if count > 1 else 1.0
    rate = fps / float(gap)
    moving = _moving(seen, place, panorama, height, settings, rate)
    dead = np.zeros(count, bool)
    known = _known(seen, panorama, settings.unseen * rate)
    for first, end in _rests(seen, moving, place, panorama, height, settings):
        if end - first >= settings.least * rate:
            dead[first:end] = True
            known[first:end] = True
    return pa.array(~dead, mask=~known)


def _places(ball: pa.Table, panorama: Panorama) -> tuple[Bools, Matrix]:
    """Whether the ball is seen in each row, and its centre (F, 2)."""
    rows = panorama.rows(ball["frame"].to_numpy())
    rows = np.minimum(rows, max(len(panorama.frames) - 1, 0))
    corner = boxes_of(ball)
    seen, place = np.zeros(len(panorama.frames), bool), np.zeros((len(panorama.frames), 2))
    seen[rows], place[rows] = True, corner[:, :2] + corner[:, 2:] / 2
    return seen, place


def _moving(
    seen: Bools,
    place: Matrix,
    panorama: Panorama,
    height: float,
    settings: InPlaySettings,
    rate: float,
) -> Bools:
    """Rows in which the ball is seen to go somewhere, from some time ago or until some time on."""
    lag = max(1, round(settings.lag * rate))
    moving = np.zeros(len(seen), bool)
    start = np.arange(len(seen) - lag)
    start = start[seen[start] & seen[start + lag]]
    start = start[panorama.shot[start] == panorama.shot[start + lag]]
    if not len(start):
        return moving
    was, _ = panorama.carry(start, start + lag, place[start])
    far = np.linalg.norm(was - place[start + lag], axis=1) > settings.still * height
    # The middle of the way moves for sure; the ends of a rest would be cut short by more.
    moving[start[far] + lag // 2] = True
    return moving


def _known(seen: Bools, panorama: Panorama, longest: float) -> Bools:
    """Rows in which the ball is seen, or was and will be again in the same shot before long."""
    known = seen.copy()
    rows = np.flatnonzero(seen)
    for first, last in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        if 1 < last - first <= longest and panorama.shot[first] == panorama.shot[last]:
            known[first:last] = True
    return known


def _rests(
    seen: Bools,
    moving: Bools,
    place: Matrix,
    panorama: Panorama,
    height: float,
    settings: InPlaySettings,
) -> list[tuple[int, int]]:
    """First row and end of every stretch in which the ball does not move, unseen meanwhile or not."""
    rests: list[tuple[int, int]] = []
    first = last = -1
    for row in np.flatnonzero(seen).tolist():
        goes_on = first >= 0 and not moving[row] and panorama.shot[row] == panorama.shot[first]
        if goes_on:
            spot, _ = panorama.carry(np.array(last), np.array(row), place[last])
            goes_on = float(np.linalg.norm(spot - place[row])) <= settings.still * height
        if not goes_on:
            if first >= 0:
                rests.append((first, last + 1))
            first = row if not moving[row] else -1
        last = row
    if first >= 0:
        rests.append((first, last + 1))
    return rests
