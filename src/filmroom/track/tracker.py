"""Online association of boxes into tracks: all tracks in one state matrix, no object per track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.track.assign import assign, margins
from filmroom.track.camera import STILL, CameraStep, motion_of_boxes
from filmroom.track.likeness import Evidence, doubles, look_distances, momentum, overlap
from filmroom.track.settings import Round, TrackerSettings
from filmroom.track.silhouettes import Grids, Silhouettes, doubtful, silhouette_odds
from filmroom.track.state import (
    ABSENT,
    DOUBT,
    LEAST_SIDE,
    LOGS,
    PLACE,
    SIZE,
    Tracks,
)

if TYPE_CHECKING:
    import supervision

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_SURE = 0.8  # score from which a box is as exact as any
_NEAR = 0.8  # body heights (and sizes) between the same person in two frames
_STRAYS = 0.05  # body heights that a person moves by itself from one frame to the next


class _Boxes(NamedTuple):
    """Boxes of one frame or of many, in order of frame, then score: a column each."""

    rows: Matrix  # (7, N): log sides, centre, sides, doubt
    scores: Matrix
    vectors: Matrix  # (N, D)
    order: Ints  # where each came from


class _Frame(NamedTuple):
    """A frame's part of `_Boxes`; scores fall, so those of at least a threshold come first."""

    rows: Matrix
    scores: Matrix
    vectors: Matrix
    high: int
    low: int
    start: int
    silhouettes: Silhouettes | None = None


@dataclass(slots=True)
class _Choice:
    """What one round of matching did.

    `rows` and `columns` of `likeness` were paired, which are `tracks` with these `ids` and `boxes` of
    the frame.
    """

    likeness: Matrix
    rows: Ints
    columns: Ints
    tracks: Ints
    boxes: Ints
    ids: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


class _Answers(NamedTuple):
    margins: Matrix
    rivals: Ints


class Tracker:
    """Follows boxes from frame to frame.

    Call `update` once a frame, with no boxes too, or `follow` for many frames at once. Boxes are
    `x, y, w, h` in pixels; the result does not depend on their order. For the boxes last given
    `margins` holds the log-odds that it would have cost to exchange the track with the most tempting
    other one, and `rivals` that one's id (NaN and 0 without any): a low margin means that the two may
    be confused from here on.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self.camera: CameraStep = STILL
        self._tracks: Tracks | None = None
        self._evidence = Evidence(self.settings)
        self._next = 1
        self._before: Silhouettes | None = None  # of the frame before
        self._frames = 0  # since there was anything to follow
        self._pictures: Any = None
        self._boxes: Matrix = np.zeros((0, 4))
        thresholds = (self.settings.high, self.settings.low, self.settings.start)
        self._thresholds = -np.array(thresholds)
        self._sure = max(thresholds)
        self._answers = _Answers(np.zeros(0), np.zeros(0, np.int64))
        self._pending: tuple[list[_Choice], Ints] | None = None

    @property
    def margins(self) -> Matrix:
        """(N,) what exchanging each of the boxes last given would have cost, NaN where untracked."""
        return self._doubts().margins

    @property
    def rivals(self) -> Ints:
        """(N,) ids of the tracks that they were most likely to be exchanged with, 0 without any."""
        return self._doubts().rivals

    def _doubts(self) -> _Answers:
        # Worked out when asked for: few who track frame by frame do.
        if self._pending is not None:
            choices, order = self._pending
            self._answers = _in_order(_answers_of(choices, len(order)), order)
            self._pending = None
        return self._answers

    @overload
    def update(
        self,
        detections: supervision.Detections,
        frame: NDArray[np.uint8] | None = None,
        motion: NDArray[np.floating] | None = None,
        appearance: NDArray[np.floating] | None = None,
        *,
        cut: bool = False,
        silhouettes: Grids | None = None,
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
        silhouettes: Grids | None = None,
    ) -> Ints: ...

    def update(
        self,
        detections: Any,
        frame: Any = None,
        motion: NDArray[np.floating] | None = None,
        appearance: NDArray[np.floating] | None = None,
        *,
        cut: bool = False,
        silhouettes: Grids | None = None,
    ) -> Any:
        """Ids of the boxes of the next frame, in two ways.

        `update(boxes, scores)` takes arrays, `boxes` (N, 4) as x, y, w, h and `scores` (N,) in 0..1,
        and gives ids (N,), 0 where untracked. `update(detections, frame=None)` takes
        `supervision.Detections` and the picture (H, W, 3) if there is one, from which the camera's
        motion is measured, and gives the same detections in the same order with `tracker_id`, -1 where
        untracked.

        `motion` is the 3x3 homography from the previous frame to this one where it is known,
        `appearance` (N, D) are any vectors whose cosine says how alike two people look, `silhouettes`
        (N, D) how full the parts of each box are (`silhouettes.grid_of`), which is asked where boxes
        leave a doubt. `cut=True` forgets all tracks first. InputError where shapes disagree or a number
        is not finite or a box has a negative side.
        """
        if not hasattr(detections, "xyxy"):
            return self._update(detections, frame, motion, appearance, silhouettes, cut=cut)
        boxes = np.array(detections.xyxy, dtype=float).reshape(-1, 4)
        boxes[:, 2:] -= boxes[:, :2]
        scores = detections.confidence
        if scores is None:
            scores = np.ones(len(boxes))
        if frame is not None and motion is None and self.settings.camera != "none":
            motion = self._motion_of_picture(np.asarray(frame), cut=cut)
        ids = self._update(boxes, scores, motion, appearance, silhouettes, cut=cut)
        self._boxes = boxes
        tracked = object.__new__(type(detections))  # what copy() does, at a fifth of the time
        tracked.__dict__.update(detections.__dict__)
        ids[ids == 0] = -1
        tracked.tracker_id = ids
        return tracked

    def follow(
        self,
        boxes: NDArray[np.floating],
        scores: NDArray[np.floating],
        frames: NDArray[np.integer[Any]],
        count: int,
        motions: Sequence[NDArray[np.floating] | None] | None = None,
        appearance: NDArray[np.floating] | None = None,
        cuts: NDArray[np.bool_] | None = None,
        silhouettes: Silhouettes | None = None,
    ) -> Ints:
        """Ids (N,) of the boxes of `count` frames, as if `update` were called once for each.

        `frames` (N,) in 0..count says which frame each box is of, in any order; `motions` and `cuts`
        have an entry a frame; `silhouettes` gives the grids of boxes when asked for them by their
        places in `boxes`. `margins` and `rivals` are then those of all boxes. InputError as in
        `update`, and where a frame is none of the `count` or an entry is missing.
        """
        when = np.asarray(frames, dtype=np.int64)
        if when.shape != (len(boxes),) or ((when < 0) | (when >= count)).any():
            raise InputError(f"frames must be one number a box, from 0 to {count - 1}")
        for name, given in (("motions", motions), ("cuts", cuts)):
            if given is not None and len(given) != count:
                raise InputError(f"{len(given)} {name} for {count} frames; give one a frame")
        found = self._prepared(boxes, scores, appearance, when)
        self._take_up(found.vectors)
        frame = when[found.order]
        edge = np.searchsorted(frame, np.arange(count + 1)).tolist()
        high, low, start = (
            np.bincount(frame[found.scores >= -least], minlength=count).tolist()
            for least in self._thresholds
        )
        ids = np.zeros(len(frame), np.int64)
        answers = _Answers(np.full(len(frame), np.nan), np.zeros(len(frame), np.int64))
        for index in range(count):
            if cuts is not None and cuts[index]:
                self._forget_all(found.vectors)
            first, last = edge[index], edge[index + 1]
            here = _Frame(
                found.rows[:, first:last],
                found.scores[first:last],
                found.vectors[first:last],
                high[index],
                low[index],
                start[index],
                None if silhouettes is None else partial(_some, silhouettes, found.order[first:last]),
            )
            motion = None if motions is None else motions[index]
            ids[first:last], choices = self._step(here, motion)
            for choice in choices:
                boxes_here = choice.boxes + first
                answers.margins[boxes_here], answers.rivals[boxes_here] = _doubt(choice)
        self._pending, self._answers = None, _in_order(answers, found.order)
        return _back(ids, found.order)

    def _update(
        self,
        boxes: Any,
        scores: Any,
        motion: Any,
        appearance: Any,
        silhouettes: Grids | None,
        *,
        cut: bool,
    ) -> Ints:
        if scores is None:
            raise InputError("scores are missing; give one score a box, or supervision.Detections")
        found = self._prepared(boxes, scores, appearance)
        self._take_up(found.vectors)
        if cut:
            self._forget_all(found.vectors)
        count = len(found.scores)
        bounds = [count, count, count]
        if count and found.scores[-1] < self._sure:
            bounds = np.searchsorted(-found.scores, self._thresholds, side="right").tolist()
        high, low, start = bounds
        shapes = None if silhouettes is None else _checked(silhouettes, found.order)
        here = _Frame(found.rows, found.scores, found.vectors, high, low, start, shapes)
        ids, choices = self._step(here, motion)
        self._pending = choices, found.order
        return _back(ids, found.order)

    def _prepared(
        self, boxes: Any, scores: Any, appearance: Any, frames: NDArray[np.integer[Any]] | None = None
    ) -> _Boxes:
        found, sure = checked_boxes(boxes, scores)
        vectors = _unit_vectors(appearance, len(found))
        keys = (*found.T, -sure) if frames is None else (*found.T, -sure, frames)
        order = np.lexsort(keys)
        found, sure = found.take(order, axis=0), sure.take(order)
        rows = np.empty((7, len(found)))
        corner, side = found.T[:2], rows[SIZE]
        np.maximum(found.T[2:], LEAST_SIDE, out=side)
        np.log(side, out=rows[LOGS])
        np.multiply(found.T[2:], 0.5, out=rows[PLACE])
        rows[PLACE] += corner
        doubt = rows[DOUBT]
        if len(sure) and sure.item(len(sure) - 1) >= _SURE and frames is None:
            doubt.fill(1.0)
        else:
            np.maximum(np.subtract(_SURE, sure, out=doubt), 0.0, out=doubt)
            doubt *= doubt
            doubt *= self.settings.noise.by_score
            doubt += 1.0
        return _Boxes(rows, sure, vectors.take(order, axis=0) if vectors.size else vectors, order)

    def _take_up(self, vectors: Matrix) -> None:
        """Start anew where vectors are of another length than before; nobody seen has none."""
        if self._tracks is not None and not len(vectors):
            return
        if self._tracks is None or self._tracks.appearance.shape[1] != vectors.shape[1]:
            self._forget_all(vectors)

    def _forget_all(self, vectors: Matrix) -> None:
        self._tracks = Tracks(self.settings, vectors.shape[1])
        self.camera = STILL

    def _motion_of_picture(self, picture: NDArray[Any], *, cut: bool) -> Matrix | None:
        """How the camera moved since the picture before; None where that cannot be told."""
        from filmroom.observe.camera_alone import CameraOfPictures

        if self._pictures is None or cut:
            self._pictures = CameraOfPictures()
        motion: Matrix | None = self._pictures.update(picture, self._boxes)
        return motion

    def _step(self, found: _Frame, motion: Any) -> tuple[Ints, list[_Choice]]:
        """One frame: the ids of its boxes, and how they were chosen."""
        settings, tracks = self.settings, self._tracks
        assert tracks is not None
        count = len(found.scores)
        ids = np.zeros(count, np.int64)
        free = np.ones(count, bool)
        choices: list[_Choice] = []
        self._frames += 1 if count or tracks.count else 0
        if tracks.count:
            absence = tracks.absence()
            self._move(tracks, absence, found, motion)
            choices = self._match(tracks, absence, found, free)
            rows, boxes = _all_of(choices)
            returned = int(np.count_nonzero(tracks.missed.take(rows))) if tracks.lost else 0
            self._evidence.learn_misses(tracks.count - tracks.lost, len(rows) - returned)
            if found.vectors.size and len(rows):
                self._evidence.learn_looks(tracks, found.vectors, rows, boxes)
            tracks.correct(rows, boxes, found.rows)
            if found.silhouettes is not None:
                tracks.source[rows] = boxes
            if settings.confirm > 1:
                self._confirm(tracks, rows[boxes.argsort()])
            for choice in choices:
                ids[choice.boxes] = choice.ids = tracks.ids.take(choice.tracks)
            if settings.on_trial_again and self._frames > settings.confirm:
                ids[boxes[tracks.seen[rows] < settings.confirm]] = 0
            tracks.forget()
            if len(rows) == count:
                self._before = found.silhouettes
                return ids, choices
        if np.count_nonzero(free[: found.start]):
            self._begin(tracks, found, free, ids)
        self._before = found.silhouettes
        return ids, choices

    def _move(self, tracks: Tracks, absence: Matrix, found: _Frame, motion: Any) -> None:
        if self.settings.camera != "none" and motion is not None:
            tracks.carry(_checked_motion(motion))
        elif self.settings.camera == "boxes":
            if tracks.lost < tracks.count and found.high:
                self.camera = self._camera_of_boxes(tracks, absence, found.rows[:, : found.high])
            tracks.shift(self.camera)
        tracks.predict(absence)

    def _camera_of_boxes(self, tracks: Tracks, absence: Matrix, found: Matrix) -> CameraStep:
        """The camera's step from those who are each other's nearest, going on as before."""
        camera = self.camera
        start = tracks.place + tracks.speed[:2]
        expected = tracks.place * camera.zoom
        expected += start
        expected[0] += camera.across
        expected[1] += camera.down
        height = tracks.height
        off = expected[:, :, None] - found[PLACE, None]
        off *= off
        apart: Matrix = off[0]
        apart += off[1]
        np.sqrt(apart, out=apart)
        apart /= height[:, None]
        taller = np.subtract(np.log(height)[:, None], found[LOGS][1], out=off[1])
        np.abs(taller, out=taller)
        apart += taller
        apart += taller
        if tracks.lost:
            apart += absence[ABSENT, :, None]
        best = apart.argmin(axis=1)
        every = np.arange(tracks.count)
        mutual = apart.argmin(axis=0).take(best) == every
        mutual &= apart[every, best] < _NEAR
        chosen = mutual.nonzero()[0]
        tolerance = height.take(chosen)
        tolerance *= _STRAYS
        tolerance += 0.5
        return motion_of_boxes(
            start.take(chosen, axis=1),
            found[PLACE].take(best.take(chosen), axis=1),
            tolerance,
            camera,
        )

    def _match(
        self, tracks: Tracks, absence: Matrix, found: _Frame, free: NDArray[np.bool_]
    ) -> list[_Choice]:
        """Round by round, which tracks go on in which boxes; those are no longer `free` then."""
        odds: Matrix | None = None
        choices: list[_Choice] = []
        for turn in self.settings.rounds:
            first, last = (0, found.high) if turn.detections == "high" else (found.high, found.low)
            if first >= last:
                continue
            columns = free[first:last].nonzero()[0] + first if choices else None
            rows = _candidates(tracks, turn, choices)
            if (columns is not None and not len(columns)) or (rows is not None and not len(rows)):
                continue
            extra = None
            if turn.similarity == "evidence":
                if odds is None:
                    seen = found.rows[:, : found.low]
                    odds = self._evidence.odds(tracks, absence, seen, found.vectors[: found.low])
                likeness = odds[:, first:last] if columns is None else odds.take(columns, axis=1)
                likeness = likeness if rows is None else likeness.take(rows, axis=0)
            elif turn.similarity == "looks":
                at = slice(first, last) if columns is None else columns
                likeness = -look_distances(tracks, rows, found.rows[:, at], found.vectors[at], turn)
            else:
                at = slice(first, last) if columns is None else columns
                likeness = overlap(tracks, rows, found.rows[:, at], found.scores[at], turn)
                if turn.momentum:
                    extra = momentum(tracks, rows, found.rows[:, at], found.scores[at], turn)
            taken, chosen = assign(likeness, turn.least, whole=turn.whole, extra=extra)
            if turn.similarity == "evidence" and found.silhouettes is not None:
                doubt = self.settings.silhouette_doubt
                tempted, there = doubtful(likeness, taken, chosen, turn.least, doubt)
                known = tempted if rows is None else rows.take(tempted)
                boxes = there + first if columns is None else columns.take(there)
                odds_told = self._silhouette_odds(tracks, known, boxes, found.silhouettes)
                told = likeness.copy()
                told[np.ix_(tempted, there)] += odds_told
                taken, chosen = assign(told, turn.least)
            if not len(taken):
                continue
            choice = _Choice(
                likeness if extra is None else likeness + extra,
                taken,
                chosen,
                taken if rows is None else rows.take(taken),
                chosen + first if columns is None else columns.take(chosen),
            )
            free[choice.boxes] = False
            choices.append(choice)
        return choices

    def _silhouette_odds(
        self, tracks: Tracks, known: Ints, boxes: Ints, silhouettes: Silhouettes
    ) -> Matrix:
        """(T, N) what silhouettes say of tracks `known` and `boxes`: 0 of who was not just seen."""
        odds = np.zeros((len(known), len(boxes)))
        recent = np.flatnonzero(tracks.missed.take(known) == 0)
        if self._before is not None and len(recent) and len(boxes):
            before = self._before(tracks.source.take(known.take(recent)))
            odds[recent] = self.settings.silhouette * silhouette_odds(before, silhouettes(boxes))
        return odds

    def _confirm(self, tracks: Tracks, rows: Ints) -> None:
        settings = self.settings
        least = 2 if settings.on_trial_again and self._frames <= settings.confirm else settings.confirm
        fresh = rows[(tracks.ids[rows] == 0) & (tracks.seen[rows] >= least)]
        tracks.ids[fresh] = self._next + np.arange(len(fresh))
        self._next += len(fresh)

    def _begin(self, tracks: Tracks, found: _Frame, free: NDArray[np.bool_], ids: Ints) -> None:
        """New tracks on boxes that nobody goes on in."""
        born = free[: found.start].nonzero()[0]
        matched = (~free).nonzero()[0]
        born = born[~doubles(found.rows, born, matched, self.settings.duplicate)]
        fresh = np.zeros(len(born), np.int64)
        known_at_once = self.settings.confirm_first and self._next == 1 and not tracks.count
        if self.settings.confirm <= 1 or known_at_once:
            fresh = self._next + np.arange(len(born))
            self._next += len(born)
        ids[born] = fresh
        tracks.start(found.rows[:, born], fresh, found.vectors[born], born)


def _checked(silhouettes: Grids, order: Ints) -> Silhouettes:
    grids = np.asarray(silhouettes, dtype=np.float32)
    if grids.ndim != 2 or len(grids) != len(order) or not np.isfinite(grids).all():
        raise InputError(
            f"silhouettes have shape {grids.shape}; give one row of finite numbers a box ({len(order)})"
        )
    sorted_grids = grids.take(order, axis=0)
    return lambda wanted: sorted_grids.take(wanted, axis=0)


def _some(silhouettes: Silhouettes, order: Ints, wanted: Ints) -> Grids:
    """Grids of the boxes of a frame, which lie in this order."""
    return silhouettes(order.take(wanted))


_NONE: Ints = np.zeros(0, np.int64)


def _all_of(choices: list[_Choice]) -> tuple[Ints, Ints]:
    """Tracks and boxes of all rounds."""
    if len(choices) == 1:
        return choices[0].tracks, choices[0].boxes
    if not choices:
        return _NONE, _NONE
    return (
        np.concatenate([choice.tracks for choice in choices]),
        np.concatenate([choice.boxes for choice in choices]),
    )


def _doubt(choice: _Choice) -> tuple[Matrix, Ints]:
    """Margin of each pair of a round, and the id of its rival."""
    cost, rival = margins(choice.likeness, choice.rows, choice.columns)
    return cost, choice.ids.take(rival) if len(rival) > 1 else np.zeros(len(rival), np.int64)


def _answers_of(choices: list[_Choice], count: int) -> _Answers:
    answers = _Answers(np.full(count, np.nan), np.zeros(count, np.int64))
    for choice in choices:
        answers.margins[choice.boxes], answers.rivals[choice.boxes] = _doubt(choice)
    return answers


def _in_order(answers: _Answers, order: Ints) -> _Answers:
    return _Answers(_back(answers.margins, order), _back(answers.rivals, order))


def _back(values: NDArray[Any], order: Ints) -> NDArray[Any]:
    """Values of sorted boxes in the order in which the boxes were given."""
    given = np.empty_like(values)
    given[order] = values
    return given


def _candidates(tracks: Tracks, turn: Round, choices: list[_Choice]) -> Ints | None:
    """Tracks that take part in a round of matching; None for all."""
    if turn.tracks == "all" and not choices:
        return None
    free = np.ones(tracks.count, bool)
    for choice in choices:
        free[choice.tracks] = False
    if turn.tracks == "unconfirmed":
        free &= tracks.ids == 0
    elif turn.tracks != "all":
        free &= tracks.ids > 0
    if turn.tracks == "seen":
        free &= tracks.missed == 0
    elif turn.tracks == "lost":
        free &= tracks.missed > 0
    return free.nonzero()[0]


def checked_boxes(given: Any, given_scores: Any) -> tuple[Matrix, Matrix]:
    """Boxes and scores as float arrays; InputError where they cannot be tracked."""
    boxes: Matrix = np.asarray(given, dtype=np.float64)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    scores: Matrix = np.asarray(given_scores, dtype=np.float64).reshape(-1)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes have shape {boxes.shape}; give (N, 4): x, y, w, h")
    if len(scores) != len(boxes):
        raise InputError(f"{len(boxes)} boxes but {len(scores)} scores; give one score a box")
    # One sum for all: what is no number, or no end, shows in it.
    if not isfinite(boxes.sum() + scores.sum()) and not _finite(boxes, scores):
        raise InputError("a box or a score is not a finite number; leave such boxes out")
    if np.count_nonzero(boxes[:, 2:] < 0):
        raise InputError("a box has a negative width or height; give x, y, w, h")
    return boxes, scores


def _finite(boxes: Matrix, scores: Matrix) -> bool:
    return bool(np.isfinite(boxes).all() and np.isfinite(scores).all())


def _checked_motion(motion: Any) -> Matrix:
    matrix: Matrix = np.asarray(motion, dtype=float)
    if matrix.shape != (3, 3) or not isfinite(matrix.sum()) or not np.linalg.det(matrix):
        raise InputError(
            "motion is no homography: give 3x3 finite numbers that can be inverted, or None"
        )
    return matrix


def _unit_vectors(appearance: NDArray[np.floating] | None, count: int) -> Matrix:
    if appearance is None:
        return np.zeros((count, 0))
    vectors = np.asarray(appearance, dtype=float)
    if vectors.ndim != 2 or len(vectors) != count:
        raise InputError(f"appearance has shape {vectors.shape}; give one row a box ({count})")
    if not np.isfinite(vectors).all():
        raise InputError("appearance holds what is no finite number; give zeros where it is not known")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Matrix = vectors / np.where(length > 0, length, 1.0)
    return result
