"""Online association of boxes into tracks: all tracks in one state matrix, no object per track."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.track.camera import motion_of_boxes
from filmroom.track.settings import Round, TrackerSettings

if TYPE_CHECKING:
    import supervision

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_STEP = 1 / 25  # seconds that the noise settings are given for
_SMALL = 0.4  # share of the median height below which a thing is no person
_IMPOSSIBLE = -1e6
_HISTORY = 3
_LEAST_OVERLOOKED, _MOST_OVERLOOKED = 0.002, 0.3
_OVERLOOKED_RATE = 0.02


@dataclass
class _State:
    """Row i of every array is one track."""

    box: Matrix  # (T, 4) centre x, centre y, width, height
    speed: Matrix  # (T, 4) per frame, in stabilised coordinates
    variance: Matrix  # (T, 2, 3) position, cross, speed; of the centre and of the size; in heights
    last: Matrix  # (T, 4) box last seen, carried along by the camera
    track: Ints  # id, 0 while on trial
    missed: Ints  # frames since last seen
    seen: Ints  # frames seen
    appearance: Matrix  # (T, D)
    past: Matrix  # (T, H, 4) boxes last seen, newest first, NaN where none

    def take(self, rows: Any) -> _State:
        return _State(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def add(self, other: _State) -> _State:
        return _State(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in self.__dataclass_fields__
            }
        )


def _no_tracks(appearance: int, past: int) -> _State:
    return _State(
        np.zeros((0, 4)),
        np.zeros((0, 4)),
        np.zeros((0, 2, 3)),
        np.zeros((0, 4)),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, appearance)),
        np.zeros((0, past, 4)),
    )


class Tracker:
    """Follows boxes from frame to frame.

    Call `update` once a frame, with no boxes too. Boxes are `x, y, w, h` in pixels; the result does
    not depend on their order. For the boxes of the last frame `margins` holds the log-odds that it
    would have cost to exchange the track with the most tempting other one, and `rivals` that one's id
    (NaN and 0 without any): a low margin means that the two may be confused from here on.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self.margins: Matrix = np.zeros(0)
        self.rivals: Ints = np.zeros(0, np.int64)
        self.camera: Matrix = np.zeros(3)
        self._state: _State | None = None
        self._next = 1
        self._likeness = np.array([[0.9, 0.1], [0.6, 0.2]])  # mean, spread: same, other
        self._likeness_seen = np.ones(2)
        self._grey: NDArray[np.uint8] | None = None
        self._boxes: Matrix = np.zeros((0, 4))
        self._overlooked = 0.05  # share of people in view that this detector misses in a frame

    @overload
    def update(
        self,
        detections: supervision.Detections,
        frame: NDArray[np.uint8] | None = None,
        motion: NDArray[np.floating] | None = None,
        appearance: NDArray[np.floating] | None = None,
        *,
        cut: bool = False,
    ) -> supervision.Detections: ...

    @overload
    def update(
        self,
        detections: NDArray[np.floating],
        frame: NDArray[np.floating],
        motion: NDArray[np.floating] | None = None,
        appearance: NDArray[np.floating] | None = None,
        *,
        cut: bool = False,
    ) -> Ints: ...

    def update(
        self,
        detections: Any,
        frame: Any = None,
        motion: NDArray[np.floating] | None = None,
        appearance: NDArray[np.floating] | None = None,
        *,
        cut: bool = False,
    ) -> Any:
        """Ids of the boxes of the next frame, in two ways.

        `update(boxes, scores)` takes arrays, `boxes` (N, 4) as x, y, w, h and `scores` (N,) in 0..1,
        and gives ids (N,), 0 where untracked. `update(detections, frame=None)` takes
        `supervision.Detections` and the picture (H, W, 3) if there is one, from which the camera's
        motion is measured, and gives the same detections in the same order with `tracker_id`, -1 where
        untracked.

        `motion` is the 3x3 homography from the previous frame to this one where it is known,
        `appearance` (N, D) are any vectors whose cosine says how alike two people look. `cut=True`
        forgets all tracks first. InputError where shapes disagree or a number is not finite or a box
        has a negative side.
        """
        if not hasattr(detections, "xyxy"):
            return self._update(detections, frame, motion, appearance, cut=cut)
        corners = np.asarray(detections.xyxy, dtype=float).reshape(-1, 4)
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        scores = detections.confidence
        if scores is None:
            scores = np.ones(len(boxes))
        if frame is not None and motion is None and self.settings.camera != "none":
            motion = self._motion_of_picture(np.asarray(frame), cut=cut)
        ids = self._update(boxes, scores, motion, appearance, cut=cut)
        self._boxes = boxes
        tracked = copy(detections)
        tracked.tracker_id = np.where(ids > 0, ids, -1)
        return tracked

    def _motion_of_picture(self, picture: NDArray[Any], *, cut: bool) -> Matrix | None:
        """How the camera moved since the picture before; None where that cannot be told."""
        import cv2

        from filmroom.observe.camera_motion import estimate_motion, grey_size

        size = grey_size(picture.shape[1], picture.shape[0])
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        colour = small.ndim == 3
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if colour else small, np.uint8)
        before, self._grey = self._grey, grey
        if before is None or cut or before.shape != grey.shape:
            return None
        return estimate_motion(before, grey, self._boxes, picture.shape[1]).matrix

    def _update(self, boxes: Any, scores: Any, motion: Any, appearance: Any, *, cut: bool) -> Ints:
        if scores is None:
            raise InputError("scores are missing; give one score a box, or supervision.Detections")
        found, sure = checked_boxes(boxes, scores)
        vectors = _unit_vectors(appearance, len(found))
        if self._state is None or cut or self._state.appearance.shape[1] != vectors.shape[1]:
            self._state = _no_tracks(vectors.shape[1], max(_HISTORY, self.settings.average + 1))
            self.camera = np.zeros(3)
        order = np.lexsort((*found.T, -sure))
        ids = np.zeros(len(found), np.int64)
        margins = np.full(len(found), np.nan)
        rivals = np.zeros(len(found), np.int64)
        ids[order], margins[order], rivals[order] = self._step(
            found[order], sure[order], motion, vectors[order]
        )
        self.margins, self.rivals = margins, rivals
        return ids

    def _step(
        self, boxes: Matrix, scores: Matrix, motion: Any, vectors: Matrix
    ) -> tuple[Ints, Matrix, Ints]:
        settings = self.settings
        assert self._state is not None
        state = self._state
        seen = np.column_stack([boxes[:, :2] + boxes[:, 2:] / 2, np.maximum(boxes[:, 2:], 1e-3)])
        self._predict(state, seen, scores, motion)
        matched = np.full(len(seen), -1)
        margins = np.full(len(seen), np.nan)
        rivals = np.zeros(len(seen), np.int64)
        free = np.ones(len(state.track), bool)
        odds: Matrix | None = None
        for turn in settings.rounds:
            columns = np.flatnonzero(_of_score(scores, settings, turn) & (matched < 0))
            rows = np.flatnonzero(free & _of_kind(state, turn))
            if not len(columns) or not len(rows):
                continue
            if turn.similarity == "evidence":
                if odds is None:
                    odds = self._evidence(state, seen, vectors)
                likeness = odds[np.ix_(rows, columns)]
            else:
                likeness = _overlap(state, rows, seen[columns], scores[columns], turn)
            found, taken, margin, rival = _assign(likeness, turn.least)
            matched[columns[taken]] = rows[found]
            margins[columns[taken]] = margin
            rivals[columns[taken]] = np.where(rival < 0, 0, state.track[rows[found[rival]]])
            free[rows[found]] = False
        return self._learn(state, seen, scores, vectors, matched), margins, rivals

    def _predict(self, state: _State, seen: Matrix, scores: Matrix, motion: Any) -> None:
        settings, noise = self.settings, self.settings.noise
        step = 1 / (settings.frame_rate * _STEP)
        if settings.camera != "none" and motion is not None:
            _carry(state, np.asarray(motion, dtype=float))
        elif settings.camera == "boxes" and len(state.track):
            self._carry_by_boxes(state, seen[scores >= settings.high])
        if settings.average:
            state.box = state.last + state.speed * (state.missed + 1)[:, None]
            np.maximum(state.box[:, 2:], 1e-3, out=state.box[:, 2:])
            return
        if noise.damping < 1:
            state.speed[state.missed > 0] *= noise.damping**step
        state.box += state.speed
        np.maximum(state.box[:, 2:], 1e-3, out=state.box[:, 2:])
        agility = self._agility(state.box[:, 3])
        added = np.array(
            [[noise.position**2, noise.speed**2], [noise.size**2, noise.size_speed**2]]
        ) * [step, step**3]
        variance = state.variance
        variance[:, :, 0] += 2 * variance[:, :, 1] + variance[:, :, 2] + added[:, 0] * agility[:, None]
        variance[:, :, 1] += variance[:, :, 2]
        variance[:, :, 2] += added[:, 1] * agility[:, None]
        furthest = (settings.speed_limit / settings.frame_rate * (state.missed + 1) + 0.3) ** 2
        np.minimum(variance[:, 0, 0], furthest * agility, out=variance[:, 0, 0])
        most_cross = np.sqrt(variance[:, 0, 0] * variance[:, 0, 2])
        np.minimum(variance[:, 0, 1], most_cross, out=variance[:, 0, 1])

    def _agility(self, heights: Matrix) -> Matrix:
        agility = np.ones(len(heights))
        if self.settings.agility > 1 and len(heights) > 3:
            agility[heights < _SMALL * _middle(heights)] = self.settings.agility**2
        return agility

    def _carry_by_boxes(self, state: _State, seen: Matrix) -> None:
        recent = state.missed == 0
        zoom = 1 + self.camera[2]
        if recent.any() and len(seen):
            was = state.box[recent]
            expected = was + state.speed[recent]
            expected[:, :2] += self.camera[:2] + self.camera[2] * was[:, :2]
            height = was[:, 3:]
            apart = np.hypot(
                expected[:, :1] - seen[:, 0], expected[:, 1:2] - seen[:, 1]
            ) / height + 2 * np.abs(np.log(height / seen[:, 3]))
            best = apart.argmin(axis=1)
            mutual = (apart.argmin(axis=0)[best] == np.arange(len(was))) & (
                apart[np.arange(len(was)), best] < 0.8
            )
            start = was[mutual, :2] + state.speed[recent][mutual, :2]
            self.camera = motion_of_boxes(
                start, seen[best[mutual], :2], 0.05 * was[mutual, 3] + 0.5, self.camera
            )
            zoom = 1 + self.camera[2]
        _carry(
            state,
            np.array([[zoom, 0, self.camera[0]], [0, zoom, self.camera[1]], [0, 0, 1]]),
        )

    def _evidence(self, state: _State, seen: Matrix, vectors: Matrix) -> Matrix:
        """Log-odds (T, N) that track and detection are the same: place, size and appearance."""
        settings, noise = self.settings, self.settings.noise
        height = state.box[:, 3]
        unit = np.maximum(height, 0.3 * _middle(height))
        variance = state.variance[:, 0, 0] + noise.measured**2 + settings.place_spread**2
        spread = np.sqrt(variance) * unit
        across = (state.box[:, None, 0] - seen[:, 0]) / spread[:, None]
        down = (state.box[:, None, 1] - seen[:, 1]) / spread[:, None]
        distance = across * across + down * down
        tail = settings.evidence_tail
        odds = -0.5 * (tail + 2) * np.log1p(distance / tail)
        patience = settings.lost_doubt * np.log1p(state.missed / (0.2 * settings.frame_rate))
        expected = settings.evidence_bias + np.log(1 / self._overlooked - 1)
        odds += (expected - patience - np.log(variance + 0.03))[:, None]
        taller = np.log(height)[:, None] - np.log(seen[:, 3])
        wider = np.log(state.box[:, 2])[:, None] - np.log(seen[:, 2])
        size = state.variance[:, 1, 0] + noise.measured_size**2
        odds -= np.minimum(
            0.5 * taller * taller / (size + settings.height_spread**2)[:, None]
            + 0.5 * wider * wider / (size + settings.width_spread**2)[:, None],
            settings.size_most,
        )
        if vectors.shape[1]:
            odds += self._appearance_odds(state.appearance, vectors)
        result: Matrix = odds
        return result

    def _appearance_odds(self, known: Matrix, vectors: Matrix) -> Matrix:
        alike = known @ vectors.T
        (same, near), (other, far) = self._likeness
        odds = 0.5 * ((alike - other) / far) ** 2 - 0.5 * ((alike - same) / near) ** 2
        odds = np.clip(odds + np.log(far / near), -4.0, 2.0)
        blank = (np.abs(known).sum(axis=1) == 0)[:, None] | (np.abs(vectors).sum(axis=1) == 0)
        odds[blank] = 0.0
        result: Matrix = odds
        return result

    def _learn(
        self, state: _State, seen: Matrix, scores: Matrix, vectors: Matrix, matched: Ints
    ) -> Ints:
        settings = self.settings
        columns = np.flatnonzero(matched >= 0)
        rows = matched[columns]
        followed = np.count_nonzero(state.missed == 0)
        if followed:
            again = np.count_nonzero(state.missed[rows] == 0)
            share = min(max(1 - again / followed, _LEAST_OVERLOOKED), _MOST_OVERLOOKED)
            self._overlooked += _OVERLOOKED_RATE * (share - self._overlooked)
        state.missed += 1
        if vectors.shape[1] and len(rows):
            self._learn_appearance(state, vectors, rows, columns)
        self._correct(state, rows, seen[columns], scores[columns])
        state.missed[rows] = 0
        state.seen[rows] += 1
        fresh = rows[(state.track[rows] == 0) & (state.seen[rows] >= settings.confirm)]
        state.track[fresh] = self._next + np.arange(len(fresh))
        self._next += len(fresh)
        ids = np.zeros(len(seen), np.int64)
        ids[columns] = state.track[rows]
        on_trial = (state.track == 0) & (state.missed > 0)
        kept = (state.missed <= settings.memory * settings.frame_rate) & ~on_trial
        if not kept.all():
            state = state.take(kept)
        born = np.flatnonzero((matched < 0) & (scores >= settings.start))
        if len(born):
            born = born[~_doubles(seen, born, columns, settings.duplicate)]
            state = state.add(self._start(seen[born], vectors[born]))
            if settings.confirm <= 1:
                ids[born] = state.track[len(state.track) - len(born) :]
        self._state = state
        return ids

    def _learn_appearance(self, state: _State, vectors: Matrix, rows: Ints, columns: Ints) -> None:
        alike = state.appearance[rows] @ vectors[columns].T
        good = (np.abs(state.appearance[rows]).sum(axis=1) > 0) & (
            np.abs(vectors[columns]).sum(axis=1) > 0
        )
        same = np.diag(alike)[good]
        other = alike[np.ix_(good, good)][~np.eye(int(good.sum()), dtype=bool)]
        for index, values in enumerate((same, other)):
            if len(values) > 1:
                fresh = np.array([values.mean(), max(values.std(), 0.02)])
                self._likeness_seen[index] += 1
                rate = max(0.05, 1 / self._likeness_seen[index])
                self._likeness[index] += rate * (fresh - self._likeness[index])
        blend = np.where(good, 0.9, 0.0)[:, None]
        known = np.where(
            (np.abs(vectors[columns]).sum(axis=1) > 0)[:, None],
            blend * state.appearance[rows] + (1 - blend) * vectors[columns],
            state.appearance[rows],
        )
        length = np.linalg.norm(known, axis=1, keepdims=True)
        state.appearance[rows] = known / np.where(length > 0, length, 1.0)

    def _correct(self, state: _State, rows: Ints, seen: Matrix, scores: Matrix) -> None:
        noise = self.settings.noise
        state.past[rows, 1:] = state.past[rows, :-1]
        state.past[rows, 0] = seen
        before = state.last[rows]
        state.last[rows] = seen
        if self.settings.average:
            steps = state.past[rows, :-1] - state.past[rows, 1:]
            count = (~np.isnan(steps[:, :, 0])).sum(axis=1)
            mean = np.nansum(steps, axis=1) / np.maximum(count, 1)[:, None]
            state.speed[rows] = mean
            state.box[rows] = seen
            return
        if self.settings.reupdate:
            absent = rows[state.missed[rows] > 1]
            if len(absent):
                way = seen[state.missed[rows] > 1] - before[state.missed[rows] > 1]
                state.speed[absent] = way / state.missed[absent][:, None]
        off = seen - state.box[rows]
        variance = state.variance[rows]
        doubt = 1.0 + 2.0 * np.maximum(0.0, 0.8 - scores) ** 2
        measured = np.array([noise.measured**2, noise.measured_size**2]) * doubt[:, None]
        total = variance[:, :, 0] + measured
        gain = variance[:, :, 0] / total
        rate = variance[:, :, 1] / total
        state.box[rows, :2] += gain[:, :1] * off[:, :2]
        state.box[rows, 2:] += gain[:, 1:] * off[:, 2:]
        state.speed[rows, :2] += rate[:, :1] * off[:, :2]
        state.speed[rows, 2:] += rate[:, 1:] * off[:, 2:]
        after = np.stack(
            [
                (1 - gain) * variance[:, :, 0],
                (1 - gain) * variance[:, :, 1],
                variance[:, :, 2] - rate * variance[:, :, 1],
            ],
            axis=2,
        )
        state.variance[rows] = after
        np.maximum(state.box[:, 2:], 1e-3, out=state.box[:, 2:])

    def _start(self, seen: Matrix, vectors: Matrix) -> _State:
        count, noise = len(seen), self.settings.noise
        track = np.zeros(count, np.int64)
        if self.settings.confirm <= 1:
            track = self._next + np.arange(count)
            self._next += count
        variance = np.zeros((count, 2, 3))
        variance[:, 0, 0] = noise.measured**2
        variance[:, 1, 0] = noise.measured_size**2
        variance[:, 0, 2] = noise.first_speed**2
        variance[:, 1, 2] = noise.size_speed**2 * 100
        past = np.full((count, max(_HISTORY, self.settings.average + 1), 4), np.nan)
        past[:, 0] = seen
        return _State(
            seen.copy(),
            np.zeros((count, 4)),
            variance,
            seen.copy(),
            track,
            np.zeros(count, np.int64),
            np.ones(count, np.int64),
            vectors.copy(),
            past,
        )


def checked_boxes(boxes: NDArray[np.floating], scores: NDArray[np.floating]) -> tuple[Matrix, Matrix]:
    """Boxes and scores as float arrays; InputError where they cannot be tracked."""
    boxes = np.asarray(boxes, dtype=float)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    scores = np.asarray(scores, dtype=float).reshape(-1)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes have shape {boxes.shape}; give (N, 4): x, y, w, h")
    if len(scores) != len(boxes):
        raise InputError(f"{len(boxes)} boxes but {len(scores)} scores; give one score a box")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise InputError("a box or a score is not a finite number; leave such boxes out")
    if (boxes[:, 2:] < 0).any():
        raise InputError("a box has a negative width or height; give x, y, w, h")
    return boxes.astype(np.float64), scores.astype(np.float64)


def _middle(values: Matrix) -> float:
    """The upper median, which for the few values of a frame is much cheaper than numpy's."""
    return float(np.sort(values)[len(values) // 2]) if len(values) else 0.0


def _unit_vectors(appearance: NDArray[np.floating] | None, count: int) -> Matrix:
    if appearance is None:
        return np.zeros((count, 0))
    vectors = np.asarray(appearance, dtype=float)
    if vectors.ndim != 2 or len(vectors) != count:
        raise InputError(f"appearance has shape {vectors.shape}; give one row a box ({count})")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Matrix = vectors / np.where(length > 0, length, 1.0)
    return result


def _of_score(scores: Matrix, settings: TrackerSettings, turn: Round) -> Flags:
    if turn.detections == "high":
        return np.asarray(scores >= settings.high)
    return np.asarray((scores >= settings.low) & (scores < settings.high))


def _of_kind(state: _State, turn: Round) -> Flags:
    if turn.tracks == "confirmed":
        return np.asarray(state.track > 0)
    if turn.tracks == "seen":
        return np.asarray((state.track > 0) & (state.missed == 0))
    if turn.tracks == "unconfirmed":
        return np.asarray(state.track == 0)
    return np.ones(len(state.track), bool)


def _carry(state: _State, matrix: Matrix) -> None:
    """Move every track by the camera's motion, sides and speeds by its change of scale."""
    if not len(state.box):
        return
    turn, shift, bottom = matrix[:2, :2].T, matrix[:2, 2], matrix[2]
    length = abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]) ** 0.5
    flat = bottom[0] == bottom[1] == 0  # as most motion is: then all is scaled alike
    for box in (state.box, state.last):
        depth = bottom[2] if flat else (box[:, :2] @ bottom[:2] + bottom[2])[:, None]
        scale = length / np.abs(depth)
        box[:, :2] = (box[:, :2] @ turn + shift) / depth
        box[:, 2:] *= scale
    state.speed *= scale


def _overlap(state: _State, rows: Ints, seen: Matrix, scores: Matrix, turn: Round) -> Matrix:
    box = (state.last if turn.from_last else state.box)[rows]
    grow = 1 + 2 * turn.expansion
    first, second = box[:, 2:] * grow, seen[:, 2:] * grow
    sides = np.minimum(
        box[:, None, :2] + first[:, None] / 2, seen[None, :, :2] + second[None] / 2
    ) - np.maximum(box[:, None, :2] - first[:, None] / 2, seen[None, :, :2] - second[None] / 2)
    shared = np.clip(sides, 0, None).prod(axis=2)
    likeness = shared / (first.prod(axis=1)[:, None] + second.prod(axis=1) - shared)
    if turn.score_weighted:
        likeness = likeness * scores
    if turn.momentum:
        likeness = likeness + turn.momentum * _agreement(state.past[rows], seen) * scores
    result: Matrix = likeness
    return result


def _agreement(past: Matrix, seen: Matrix) -> Matrix:
    """How well going on to each detection keeps a track's direction: 0.5 straight on, -0.5 back.

    The direction is taken over the last boxes seen (observation-centric momentum, OC-SORT eq. 5); 0
    where there is only one.
    """
    known = ~np.isnan(past[:, :, 0])
    oldest = past[np.arange(len(past)), known.sum(axis=1) - 1, :2]
    came = past[:, 0, :2] - oldest
    goes = seen[None, :, :2] - past[:, None, 0, :2]
    angle = np.abs(
        np.arctan2(goes[:, :, 1], goes[:, :, 0]) - np.arctan2(came[:, 1], came[:, 0])[:, None]
    )
    angle = np.minimum(angle, 2 * np.pi - angle)
    result: Matrix = np.where((known.sum(axis=1) > 1)[:, None], 0.5 - angle / np.pi, 0.0)
    return result


def _assign(likeness: Matrix, least: float) -> tuple[Ints, Ints, Matrix, Ints]:
    """Pairs of the best total likeness above `least`: rows, columns, margins and rivals.

    The margin is what exchanging with the most tempting other pair would have cost, the rival that
    pair's place in the list (-1 without any).
    """
    from scipy.optimize import linear_sum_assignment

    gain = np.maximum(likeness - least, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    good = gain[rows, columns] > 0
    rows, columns = rows[good], columns[good]
    if len(rows) < 2:
        return rows, columns, np.full(len(rows), np.inf), np.full(len(rows), -1)
    pairs = likeness[rows[:, None], columns]
    chosen = pairs.diagonal()
    loss = chosen[:, None] + chosen - pairs - pairs.T
    loss.ravel()[:: len(rows) + 1] = np.inf
    rival = loss.argmin(axis=1)
    return rows, columns, loss[np.arange(len(rows)), rival], rival


def _doubles(seen: Matrix, born: Ints, matched: Ints, most: float) -> Flags:
    """Which of `born` lie on a box that is taken, or on a better one of `born`."""
    if not len(born) or most >= 1:
        return np.zeros(len(born), bool)
    others = np.concatenate([matched, born])
    first, second = seen[born], seen[others]
    sides = np.minimum(
        first[:, None, :2] + first[:, None, 2:] / 2, second[:, :2] + second[:, 2:] / 2
    ) - np.maximum(first[:, None, :2] - first[:, None, 2:] / 2, second[:, :2] - second[:, 2:] / 2)
    shared = np.clip(sides, 0, None).prod(axis=2)
    union = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1) - shared
    over = shared / union > most
    later = np.arange(len(others))[None] >= len(matched) + np.arange(len(born))[:, None]
    return np.asarray((over & ~later).any(axis=1))
