"""All tracks of a tracker in one matrix, a column each, and what time and boxes do to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.track.camera import CameraStep
from filmroom.track.kalman import (
    STATE_ROWS,
    as_area,
    as_sides,
    go_on,
    replay_absence,
    spread,
    take_in,
)
from filmroom.track.settings import TrackerSettings

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_SIDE = 1e-3  # pixels
_LEAST_SIDE = np.array(LEAST_SIDE)  # numpy takes up an array faster than a number
_STEP = 1 / 25  # seconds that the noise settings are given for
_SMALL = 0.4  # share of the median height below which a thing is no person
_RECENT = 3  # frames over which a direction is taken
_TINY = 1e-6  # pixels, so that who stands still has a direction of 0

# Rows of the state matrix and, as far as it goes, of a frame's boxes: what is used together lies
# together, so that one array operation does for all of it.
LOGS = slice(0, 2)  # log width, log height
FORM = slice(0, 4)  # log width, log height, centre x, centre y
PLACE = slice(2, 4)
SIZE = slice(4, 6)
BOX = slice(2, 6)
HEIGHT = 5
SPEED = slice(6, 10)  # of the box, a frame, the camera's motion taken out
LAST = slice(10, 14)  # the box last seen, carried along by the camera
CARRIED = slice(2, 14)
VARIANCE = slice(14, 26)  # of place, cross, of speed: each of the box's four numbers, in heights
_ROWS = 26
DOUBT = 6  # of a frame's boxes: times that a box of this score strays further, squared

# Rows of what depends only on how long a track was not seen.
DECAY, REACH, IMPATIENCE, ABSENT = range(4)


class Tracks:
    """A column of `values` is a track; `box`, `speed` and so on are views of its rows.

    `ids` are 0 while on trial, `missed` frames since last seen, `seen` frames seen (counted where
    tracks are on trial first), `source` which of the boxes it was then (where silhouettes are given).
    `appearance` (T, D), `past` (H, 4, T), the boxes last seen, newest first, NaN where none, `recent`
    (H, 2, T), the centres in the last frames likewise, and `came` (2, T), the direction in which they
    went (0 where unknown, NaN where seen only once), are kept only where the settings need them.
    """

    def __init__(self, settings: TrackerSettings, appearance: int) -> None:
        self.settings = settings
        self.count = 0
        self.lost = 0  # how many have missed > 0
        self.middle_height = 0.0  # upper median of the heights predicted
        # No larger than what is in use: blocks of rows are then one run of memory, which is what
        # array operations on few numbers are fastest on.
        self._values = np.zeros((_ROWS, 0))
        self._whole = np.zeros((4, 0), np.int64)
        self.appearance = np.zeros((0, appearance))
        self._history = settings.average + 1 if settings.average else 0
        self.past = np.zeros((self._history, 4, 0))
        momentum = any(turn.momentum for turn in settings.rounds)
        self.recent = np.zeros((_RECENT if momentum else 0, 2, 0))
        self.came = np.zeros((2, 0))
        self._frozen = np.zeros((STATE_ROWS if settings.reupdate else 0, 0))
        self._keeps_last = (
            momentum
            or settings.reupdate
            or settings.average > 0
            or any(turn.from_last for turn in settings.rounds)
        )
        self._longest = int(settings.memory * settings.frame_rate)
        self._absence = _of_absence(settings, self._longest)
        noise, step = settings.noise, 1 / (settings.frame_rate * _STEP)
        self._by_side, self._by_area = noise.by_side, noise.by_area
        self._added = np.stack(
            [
                _of_box(noise.position, noise.size) * step,
                _of_box(noise.speed, noise.size_speed) * step**3,
            ]
        )
        self._measured = _of_box(noise.measured, noise.measured_size)
        first = noise.measured if noise.first is None else noise.first
        first_size = noise.measured_size if noise.first_size is None else noise.first_size
        first_way = noise.first_size_speed
        first_way = 10 * noise.size_speed if first_way is None else first_way
        self._first = np.stack(
            [_of_box(first, first_size), np.zeros((4, 1)), _of_box(noise.first_speed, first_way)]
        )
        if self._by_area:
            self._added[1, 3] = self._first[2, 3] = 0.0  # the aspect has no speed
        self._look()

    def _look(self) -> None:
        """Views of the rows."""
        live, self.count = self._values, self._values.shape[1]
        self.logs, self.form, self.place = live[LOGS], live[FORM], live[PLACE]
        self.box, self.size, self.height = live[BOX], live[SIZE], live[HEIGHT]
        self.speed, self.last, self.carried = live[SPEED], live[LAST], live[CARRIED]
        self.variance = live[VARIANCE].reshape(3, 4, self.count)
        self.ids, self.missed, self.seen, self.source = self._whole

    def absence(self) -> Matrix:
        """(4, T) what the time since each was last seen makes of it: rows DECAY, REACH, ..."""
        return self._absence.take(self.missed, axis=1)

    def shift(self, camera: CameraStep) -> None:
        """Move every track by the camera's motion."""
        self.carried *= 1 + camera.zoom
        for box in (self.box, self.last) if self._keeps_last else (self.box,):
            box[0] += camera.across
            box[1] += camera.down

    def carry(self, matrix: Matrix) -> None:
        """Move every track by a homography, sides and speeds by its change of scale."""
        turn, shift, bottom = matrix[:2, :2], matrix[:2, 2:], matrix[2]
        length = abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]) ** 0.5
        flat = bottom[0] == bottom[1] == 0  # as most motion is: then all is scaled alike
        for box in (self.box, self.last) if self._keeps_last else (self.box,):
            depth = bottom[2] if flat else bottom[:2] @ box[:2] + bottom[2]
            scale = length / np.abs(depth)
            box[:2] = (turn @ box[:2] + shift) / depth
            box[2:] *= scale
            if box is self.box:
                self.speed *= scale

    def predict(self, absence: Matrix) -> None:
        """Move every track by its own speed, and be less sure of where it is."""
        side = self.size.copy() if self._by_side else None
        if len(self.recent):
            self.recent[1:] = self.recent[:-1].copy()
            self.recent[0] = np.where((self.missed > 0) | np.isnan(self.came), np.nan, self.last[:2])
        if len(self._frozen):
            self._freeze()
        if self.settings.average:
            np.add(self.last, self.speed * (self.missed + 1), out=self.box)
        elif self._by_area:
            form = as_area(self.box)
            go_on(form, self.speed, by_area=True)
            self.box[:] = as_sides(form)
        else:
            if self.lost:
                self.speed *= absence[DECAY]
            self.box += self.speed
        np.maximum(self.size, _LEAST_SIDE, out=self.size)
        self.middle_height = float(np.sort(self.height)[self.count // 2])
        if not self.settings.average:
            self._spread(absence[REACH], side)

    def _spread(self, furthest: Matrix, side: Matrix | None) -> None:
        """Variances a frame on; nobody gets further than `furthest`, heights squared, meanwhile."""
        agility = self._agility()
        added = self._added
        if agility is not None:
            added = added * agility
            furthest = furthest * agility
        spread(self.variance, added if side is None else added * np.tile(side * side, (2, 1)))
        position, cross, rate = self.variance
        np.minimum(position[:2], furthest, out=position[:2])
        most = position[:2] * rate[:2]
        np.minimum(cross[:2], np.sqrt(most, out=most), out=cross[:2])

    def _agility(self) -> Matrix | None:
        """Times, squared, by which each strays further than a person; None where all are people."""
        if self.settings.agility <= 1 or self.count <= 3:
            return None
        tiny = self.height < _SMALL * self.middle_height
        if not np.count_nonzero(tiny):
            return None
        return np.where(tiny, self.settings.agility**2, 1.0)

    def correct(self, rows: Ints, columns: Ints, found: Matrix) -> None:
        """Take in that tracks `rows` were seen as boxes `columns` of a frame."""
        settings = self.settings
        if self._history:
            self.past[1:, :, rows] = self.past[:-1, :, rows]
            self.past[0][:, rows] = found[BOX].take(columns, axis=1)
        if len(self.recent):
            way = direction(self.earlier()[:, rows], found[PLACE].take(columns, axis=1))
            self.came[:, rows] = np.where(np.isnan(self.came[:, rows]), 0.0, way)
        if settings.average:
            self._average(rows)
        else:
            if settings.reupdate:
                self._straighten(rows, columns, found)
            if len(rows):
                self._filter(rows, columns, found)
        if self._keeps_last:
            self.last[:, rows] = found[BOX].take(columns, axis=1)
        self.missed += 1
        self.missed[rows] = 0
        if settings.confirm > 1:
            self.seen[rows] += 1
            if settings.on_trial_again:
                self.seen[self.missed > 0] = 1
        self.lost = self.count - len(rows)

    def _filter(self, rows: Ints, columns: Ints, found: Matrix) -> None:
        """Kalman filter of a box with constant speed, in closed form; nothing for those not seen."""
        partner = np.zeros(self.count, np.int64)
        partner[rows] = columns
        there = found[BOX.start :].take(partner, axis=1)
        doubt = self._measured * there[-1]
        if self._by_side:
            doubt *= np.tile(self.size * self.size, (2, 1))
        hit = None
        if len(rows) < self.count:
            hit = np.zeros(self.count)
            hit[rows] = 1.0
        if not self._by_area:
            take_in(self.box, self.speed, self.variance, there[:4], doubt, hit)
            return
        form = as_area(self.box)
        take_in(form, self.speed, self.variance, as_area(there[:4]), doubt, hit)
        self.box[:] = as_sides(form)

    def _average(self, rows: Ints) -> None:
        steps = self.past[:-1][:, :, rows] - self.past[1:][:, :, rows]
        count = (~np.isnan(steps[:, 0])).sum(axis=0)
        self.speed[:, rows] = np.nansum(steps, axis=0) / np.maximum(count, 1)
        self.box[:, rows] = self.past[0][:, rows]

    def _freeze(self) -> None:
        """Remember what was expected of those who have just not been seen for the first time."""
        rows = (self.missed == 1).nonzero()[0]
        if len(rows):
            box = self.box[:, rows]
            self._frozen[:4, rows] = as_area(box) if self._by_area else box
            self._frozen[4:8, rows] = self.speed[:, rows]
            self._frozen[8:, rows] = self.variance[:, :, rows].reshape(12, -1)

    def _straighten(self, rows: Ints, columns: Ints, found: Matrix) -> None:
        """Those who come back are taken to have moved along a straight line."""
        back = self.missed[rows] > 0
        absent = rows[back]
        if not len(absent):
            return
        seen, last = found[BOX][:, columns[back]], self.last[:, absent]
        state, frames = self._frozen[:, absent], self.missed[absent] + 1
        replay_absence(state, last, seen, frames, self._added, self._measured, by_area=self._by_area)
        self.box[:, absent] = as_sides(state[:4]) if self._by_area else state[:4]
        self.speed[:, absent] = state[4:8]
        self.variance[:, :, absent] = state[8:].reshape(3, 4, -1)

    def earlier(self) -> Matrix:
        """(2, T) centres of some frames ago: the oldest of `recent`, or where each was last seen."""
        place = self.last[:2]
        for centre in self.recent:
            place = np.where(np.isnan(centre), place, centre)
        return place

    def forget(self) -> None:
        """Drop those not seen for too long, and those lost on trial."""
        if not self.lost:
            return
        kept = self.missed <= self._longest
        if self.settings.confirm > 1 and not self.settings.on_trial_again:
            kept &= (self.ids > 0) | (self.missed == 0)
        gone = self.count - int(np.count_nonzero(kept))
        if not gone:
            return
        self._values = self._values.compress(kept, axis=1)
        self._whole = self._whole.compress(kept, axis=1)
        self.appearance = self.appearance[kept]
        self.past = self.past[:, :, kept]
        if len(self.recent):
            self.recent, self.came = self.recent[:, :, kept], self.came[:, kept]
        if len(self._frozen):
            self._frozen = self._frozen[:, kept]
        self.lost -= gone
        self._look()

    def start(self, found: Matrix, ids: Ints, vectors: Matrix, source: Ints) -> None:
        """New tracks from boxes `source` of a frame."""
        fresh = np.zeros((_ROWS, found.shape[1]))
        fresh[: SIZE.stop] = found[: SIZE.stop]
        fresh[LAST] = found[BOX]
        first = np.broadcast_to(self._first, (3, 4, found.shape[1]))
        if self._by_side:
            first = first * np.tile(found[SIZE] ** 2, (2, 1))
        fresh[VARIANCE] = first.reshape(12, -1)
        self._values = np.hstack([self._values, fresh])
        self._whole = np.hstack([self._whole, [ids, np.zeros_like(ids), np.ones_like(ids), source]])
        self.appearance = np.concatenate([self.appearance, vectors])
        past = np.full((self._history, 4, found.shape[1]), np.nan)
        past[:1] = found[BOX]
        self.past = np.concatenate([self.past, past], axis=2)
        if len(self.recent):
            unknown = np.full((_RECENT, 2, found.shape[1]), np.nan)
            self.recent = np.concatenate([self.recent, unknown], axis=2)
            self.came = np.hstack([self.came, unknown[0]])
        if len(self._frozen):
            self._frozen = np.hstack([self._frozen, np.zeros((STATE_ROWS, found.shape[1]))])
        self._look()


def direction(start: Matrix, end: Matrix) -> Matrix:
    """Unit vectors along the first axis from `start` to `end`, 0 where both are one."""
    way: Matrix = end - start
    way /= np.sqrt((way * way).sum(axis=0)) + _TINY
    return way


def _of_box(place: float, size: float) -> Matrix:
    """Variances (4, 1) of centre and sides from their standard deviations."""
    return np.array([[place**2], [place**2], [size**2], [size**2]])


def _of_absence(settings: TrackerSettings, longest: int) -> Matrix:
    """Column m: what m frames without being seen make of a track."""
    missed = np.arange(longest + 2)
    table = np.zeros((4, len(missed)))
    table[DECAY] = settings.noise.damping ** (1 / (settings.frame_rate * _STEP))
    table[DECAY, 0] = 1.0
    table[REACH] = (settings.speed_limit / settings.frame_rate * (missed + 1) + 0.3) ** 2
    table[IMPATIENCE] = settings.lost_doubt * np.log1p(missed / (0.2 * settings.frame_rate))
    table[ABSENT] = np.inf
    table[ABSENT, 0] = 0.0
    return table
