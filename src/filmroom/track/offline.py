"""People over a whole clip: online tracking, global relinking, gaps filled, dense ids."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom.geometry.boxes import ious
from filmroom.tables import DETECTIONS, MOTION, SHOTS, TRACKS, boxes_of, detection_keys, rows_of_keys
from filmroom.track.camera import STILL, CameraStep, motion_of_boxes
from filmroom.track.crossings import cut_at, find_crossings, odds_of_staying
from filmroom.track.in_match import Likeness, LikenessSettings, Looks, learn_likeness, overlaps
from filmroom.track.link import LinkSettings, choices_at, link_pieces
from filmroom.track.panorama import Panorama, panorama_of, with_steps
from filmroom.track.pieces import Pieces
from filmroom.track.settings import TrackerSettings
from filmroom.track.silhouettes import Grids, KeptMasks, Silhouettes
from filmroom.track.smooth import best_stiffness, fill_path, smooth_path
from filmroom.track.tracker import Tracker
from filmroom.track.worn import NumberReads, Worn

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_SMALL = 0.4  # share of the median height below which a thing is no person
_EPISODE = 0.4  # seconds without a doubt after which a doubt is another one
_LEAST_INSIDE = 0.3  # share of a filled-in box that must lie in the picture
_DOUBLE_OVERLAP = 0.7  # IoU, and
_DOUBLE_SHARE = 0.9  # share of the frames, of a person found twice
_CROWDED_SHARE = 0.3
_BLOCK = 1000  # frames followed at once: looks of all would fill the memory
_STANDING = 0.006  # heights a frame that people move who stand
_STOOD = 0.5  # heights between the ends of a gap in which somebody stood still


@dataclass(frozen=True)
class OfflineSettings:
    """What happens after the online tracker. Times are seconds.

    online, link, likeness
        Settings of the steps of their own.
    ambiguous
        Tracklets are cut where exchanging two of them would have cost less than these log-odds.
    longest_fill, longest_stand
        Gaps up to this are filled; of those who are found again where they stood.
    least_score, least_evidence
        A track counts if what its scores lie above the one adds up to the other.
    smooth
        Smooth boxes that jitter.
    """

    online: TrackerSettings = field(default_factory=TrackerSettings)
    link: LinkSettings = field(default_factory=LinkSettings)
    likeness: LikenessSettings = field(default_factory=LikenessSettings)
    longest_fill: float = 0.8
    longest_stand: float = 2.5
    least_score: float = 0.3
    least_evidence: float = 0.6
    ambiguous: float = 1.0
    smooth: bool = True


def track_people(
    detections: pa.Table,
    motion: pa.Table,
    shots: pa.Table,
    appearance: pa.Table | None = None,
    number_reads: NumberReads | None = None,
    *,
    frames: NDArray[np.integer[Any]],
    fps: float,
    picture: tuple[int, int],
    most_people: int | None = None,
    settings: OfflineSettings | None = None,
    embeddings: pa.Table | None = None,
    masks: pa.Table | None = None,
) -> pa.Table:
    """Every person of a clip followed: a TRACKS table, ids from 1 in order of first appearance.

    `detections` are DETECTIONS rows of people, `motion` MOTION (may be empty: the camera is then
    estimated from the boxes), `shots` SHOTS; `appearance` joins them by (frame, detection),
    `number_reads` by their keys. `frames` are all frame indices looked at, `fps` the video's frames a
    second, `picture` its width and height, `most_people` the most that are ever on the pitch. By
    `embeddings` (EMBEDDINGS), where there are any, people are followed instead of by `appearance`, and
    from them is learnt, on the clip itself, how to tell its people apart; `masks` (MASKS) are asked
    where boxes leave a doubt.
    Same input, same result; the order of rows within a frame does not matter.
    """
    DETECTIONS.check(detections)
    MOTION.check(motion)
    SHOTS.check(shots)
    settings = settings or OfflineSettings()
    panorama = panorama_of(frames, motion, shots)
    if not detections.num_rows or not len(panorama.frames):
        return TRACKS.empty()
    by_looks = embeddings is not None and embeddings.num_rows > 0
    clip = _Clip.of(detections, embeddings if by_looks else appearance, panorama)
    rate = frame_rate(panorama.frames, fps)
    online = replace(settings.online, frame_rate=rate)
    silhouettes = None
    if masks is not None and masks.num_rows:
        silhouettes = KeptMasks(masks, clip.keys(panorama))
    tracklet, margin, rival = _run_online(clip, panorama, online, silhouettes)
    if not tracklet.any():
        return TRACKS.empty()
    if by_looks:
        clip = replace(clip, looks=None)  # learnt from in another order, below
    if not panorama.known.any():
        panorama = _camera_from_pieces(clip, panorama, tracklet)
    apart = max(2, round(_EPISODE * rate))
    crossings = find_crossings(tracklet, clip.row, margin, rival, settings.ambiguous, apart)
    stay = odds_of_staying(crossings, tracklet, clip.row, clip.box, panorama, rate)
    piece = cut_at(crossings, tracklet, clip.row)
    pieces = Pieces.of(piece, clip.row, clip.box, clip.score, clip.vectors(), tracklet, margin)
    likeness = None
    if by_looks:
        likeness = _likeness(clip, pieces, embeddings, appearance, panorama, rate, settings.likeness)
    worn = None
    if number_reads is not None:
        worn = Worn.of(number_reads, clip.keys(panorama), pieces, rate)
    choices = choices_at(pieces, crossings, stay, settings.link.brief * rate)
    person = link_pieces(
        pieces, panorama, settings.link, rate, picture, most_people, choices, likeness, worn
    )
    paths = _paths(clip, panorama, person, settings, rate)
    if paths is not None:
        paths = _without_doubles(paths)
        if most_people is not None:
            paths = _at_most(paths, most_people)
    return _as_tracks(clip, panorama, paths, picture)


def _likeness(
    clip: _Clip,
    pieces: Pieces,
    embeddings: pa.Table | None,
    appearance: pa.Table | None,
    panorama: Panorama,
    rate: float,
    settings: LikenessSettings,
) -> Likeness | None:
    """Learnt from every kind of looks that there is: tables with `vector` and `quality`."""
    covered = overlaps(clip.row, clip.corner)
    keys = clip.keys(panorama)[pieces.index]
    kinds = [(embeddings, settings.directions), (appearance, settings.kit_directions)]
    learnt = [
        learn_likeness(pieces, _looks(table, keys), covered, rate, replace(settings, directions=most))
        for table, most in kinds
        if table is not None and table.num_rows
    ]
    known = [likeness for likeness in learnt if likeness is not None]
    return Likeness.joined(known) if known else None


def sure_tracklets(
    detections: pa.Table,
    motion: pa.Table,
    shots: pa.Table,
    *,
    frames: NDArray[np.integer[Any]],
    fps: float,
    settings: OfflineSettings | None = None,
    clear: float = 0.3,
) -> tuple[Ints, Ints]:
    """Detections that surely are of one person each: their rows, and numbers of the tracklets.

    Cut wherever two people may have been exchanged, and without those who overlap another by an IoU of
    more than `clear`. Both (N,), in order of tracklet, then frame; tracklets are numbered from 0.
    """
    settings = settings or OfflineSettings(ambiguous=12.0)
    panorama = panorama_of(frames, motion, shots)
    if not detections.num_rows or not len(panorama.frames):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    clip = _Clip.of(detections, None, panorama)
    rate = frame_rate(panorama.frames, fps)
    tracklet, margin, rival = _run_online(clip, panorama, replace(settings.online, frame_rate=rate))
    apart = max(2, round(_EPISODE * rate))
    crossings = find_crossings(tracklet, clip.row, margin, rival, settings.ambiguous, apart)
    piece = cut_at(crossings, tracklet, clip.row)
    piece[overlaps(clip.row, clip.corner) > clear] = 0
    kept = np.flatnonzero(piece > 0)
    kept = kept[np.lexsort((clip.row[kept], piece[kept]))]
    keys = detection_keys(detections)
    order = np.argsort(keys)
    rows = order[np.searchsorted(keys[order], clip.keys(panorama)[kept])]
    return rows, np.unique(piece[kept], return_inverse=True)[1]


def frame_rate(frames: Ints, fps: float) -> float:
    """Frames looked at a second."""
    if len(frames) < 2:
        return fps
    return float(fps / max(1.0, np.median(np.diff(frames))))


@dataclass(frozen=True)
class _Clip:
    """All detections in order of frame; one row each."""

    row: Ints  # row of the panorama
    box: Matrix  # (N, 4) centre and size
    score: Matrix
    detection: Ints
    looks: Looks | None  # in this order
    head: Matrix  # along its box, -0.5 at the left to 0.5 at the right; `box` is centred there

    @property
    def corner(self) -> Matrix:
        return np.column_stack([self.box[:, :2] - self.box[:, 2:] / 2, self.box[:, 2:]])

    def vectors(self, part: slice = slice(None)) -> Matrix | None:
        """Looks (n, D) of some detections, zero where not known."""
        if self.looks is None:
            return None
        start, stop, _ = part.indices(len(self.row))
        first, last = np.searchsorted(self.looks.place, [start, stop])
        vector = np.zeros((stop - start, self.looks.vector.shape[1]))
        vector[self.looks.place[first:last] - start] = self.looks.vector[first:last]
        return vector

    def keys(self, panorama: Panorama) -> Ints:
        """As `tables.detection_keys` gives them."""
        return panorama.frames[self.row] * 2**20 + self.detection

    @staticmethod
    def of(detections: pa.Table, appearance: pa.Table | None, panorama: Panorama) -> _Clip:
        corner = boxes_of(detections)
        box = np.column_stack([corner[:, :2] + corner[:, 2:] / 2, corner[:, 2:]])
        # Arms and legs move the edges of a box, others hide them: the head says better where one is.
        head = pc.fill_null(detections["head"], 0.5).to_numpy().astype(float) - 0.5
        box[:, 0] += head * box[:, 2]
        frame = detections["frame"].to_numpy().astype(np.int64)
        number = detections["detection"].to_numpy().astype(np.int64)
        score = detections["score"].to_numpy().astype(float)
        good = (box[:, 2:] > 0).all(axis=1) & np.isfinite(box).all(axis=1)
        good &= np.isin(frame, panorama.frames)
        order = np.flatnonzero(good)
        order = order[np.lexsort((*box[order].T, -score[order], frame[order]))]
        looks = None
        if appearance is not None and appearance.num_rows:
            looks = _looks(appearance, detection_keys(detections)[order])
        return _Clip(
            panorama.rows(frame[order]), box[order], score[order], number[order], looks, head[order]
        )


def _looks(appearance: pa.Table, keys: Ints) -> Looks:
    """The looks that are known of detections `keys` (N,), those of no quality left out."""
    rows = rows_of_keys(appearance, keys)
    good = appearance["quality"].to_numpy() > 0
    place = np.flatnonzero((rows >= 0) & good[np.maximum(rows, 0)])
    flat = appearance["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vector = flat.reshape(appearance.num_rows, -1)[rows[place]].astype(np.float32)
    length = np.linalg.norm(vector, axis=1, keepdims=True)
    vector /= np.where(length > 0, length, 1)
    return Looks(place, vector)


def _run_online(
    clip: _Clip, panorama: Panorama, settings: TrackerSettings, silhouettes: Silhouettes | None = None
) -> tuple[Ints, Matrix, Ints]:
    """Tracklet of each detection, 0 where none; its margin over the rival tracklet, and that one."""
    tracker = Tracker(settings)
    motions = [
        step if known else None for step, known in zip(panorama.step, panorama.known, strict=True)
    ]
    cuts = np.diff(panorama.shot, prepend=panorama.shot[:1]) != 0
    parts = []
    for start in range(0, len(motions), _BLOCK):
        stop = min(start + _BLOCK, len(motions))
        first, last = np.searchsorted(clip.row, [start, stop]).tolist()
        part = slice(first, last)
        ids = tracker.follow(
            clip.corner[part],
            clip.score[part],
            clip.row[part] - start,
            stop - start,
            motions[start:stop],
            clip.vectors(part),
            cuts[start:stop],
            None if silhouettes is None else partial(_from, silhouettes, first),
        )
        parts.append((ids, tracker.margins, tracker.rivals))
    piece, margin, rival = (np.concatenate(each) for each in zip(*parts, strict=True))
    return piece, margin, rival


def _from(silhouettes: Silhouettes, first: int, wanted: Ints) -> Grids:
    return silhouettes(wanted + first)


def _camera_from_pieces(clip: _Clip, panorama: Panorama, piece: Ints) -> Panorama:
    """Camera steps from what the boxes of known tracklets have in common."""
    order = np.lexsort((clip.row, piece))
    first, second = order[:-1], order[1:]
    linked = (piece[first] == piece[second]) & (piece[first] > 0)
    linked &= clip.row[second] == clip.row[first] + 1
    first, second = first[linked], second[linked]
    by_row = np.argsort(clip.row[second], kind="stable")
    first, second = first[by_row], second[by_row]
    edge = np.searchsorted(clip.row[second], np.arange(len(panorama.frames) + 1))
    step = panorama.step.copy()
    before: CameraStep = STILL
    # The camera's motion is that of those who happen to stand still: a wider tolerance would take the
    # drift of the whole play for it.
    tolerance = _STANDING + _jitter(clip, order, linked)
    for row in range(1, len(panorama.frames)):
        if panorama.shot[row] != panorama.shot[row - 1]:
            before = STILL
            continue
        was, now = first[edge[row] : edge[row + 1]], second[edge[row] : edge[row + 1]]
        before = motion_of_boxes(
            clip.box[was, :2].T, clip.box[now, :2].T, tolerance * clip.box[was, 3] + 0.5, before
        )
        scale = 1 + before.zoom
        step[row, :2] = [[scale, 0.0, before.across], [0.0, scale, before.down]]
    return with_steps(panorama.frames, panorama.shot, step, panorama.known)


def _jitter(clip: _Clip, order: Ints, linked: NDArray[np.bool_]) -> float:
    """How far boxes stray from one frame to the next, in heights: third differences along tracklets."""
    whole = linked[:-2] & linked[1:-1] & linked[2:]
    at = np.flatnonzero(whole)
    if not len(at):
        return 0.0
    at = at[:: max(1, len(at) // 2000)]
    place = clip.box[order[at[:, None] + np.arange(4)], 0] / clip.box[order[at], 3][:, None]
    # Differences of the third order multiply the variance of independent errors by twenty.
    return float(np.median(np.abs(np.diff(place, n=3, axis=1))) * 1.48 / np.sqrt(20.0))


@dataclass(frozen=True)
class _Paths:
    """Boxes of all people, in order of person, then row; `source` is the detection's row or -1."""

    row: Ints
    corner: Matrix
    score: Matrix
    source: Ints
    owner: Ints

    def keep(self, wanted: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> _Paths:
        return _Paths(*(getattr(self, each.name)[wanted] for each in fields(self)))


def _paths(
    clip: _Clip, panorama: Panorama, person: Ints, settings: OfflineSettings, rate: float
) -> _Paths | None:
    """Everyone's path, gaps filled and smoothed; None without any."""
    order = np.lexsort((clip.row, person))
    order = order[person[order] > 0]
    edge = np.flatnonzero(np.diff(person[order], prepend=-1, append=-1))
    small = _SMALL * float(np.median(clip.box[:, 3]))
    people = [run for run in _steady_runs(clip, order, edge) if np.median(clip.box[run, 3]) >= small]
    stiffness = _stiffness(clip, people) if settings.smooth else (0.0, 0.0)
    longest, stand = (
        max(1, round(each * rate)) for each in (settings.longest_fill, settings.longest_stand)
    )
    if not _misses_at_times(clip, order):
        longest = stand = 1
    parts = []
    for start, end in itertools.pairwise(edge):
        mine = order[start:end]
        if np.maximum(clip.score[mine] - settings.least_score, 0).sum() < settings.least_evidence:
            continue
        for run in np.split(mine, np.flatnonzero(_breaks(clip, panorama, mine, longest, stand)) + 1):
            # A ball is kicked: its path has corners that smoothing would cut.
            steady = stiffness if np.median(clip.box[run, 3]) >= small else (0.0, 0.0)
            parts.append(_one_path(clip, panorama, run, steady, int(person[mine[0]])))
    if not parts:
        return None
    return _Paths(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(_Paths))
    )


def _one_path(
    clip: _Clip, panorama: Panorama, run: Ints, stiffness: tuple[float, float], person: int
) -> _Paths:
    rows, boxes = fill_path(panorama, clip.row[run], clip.box[run])
    source = np.full(len(rows), -1)
    source[clip.row[run] - rows[0]] = run
    seen = source >= 0
    scores = np.interp(rows, clip.row[run], clip.score[run]) * np.where(seen, 1.0, 0.5)
    if stiffness[0] > 0:
        boxes = smooth_path(panorama, rows, boxes, seen.astype(float), stiffness)
    boxes[:, 0] -= np.interp(rows, clip.row[run], clip.head[run]) * boxes[:, 2]
    corner = np.column_stack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]])
    return _Paths(rows, corner, scores, source, np.full(len(rows), person))


def _breaks(clip: _Clip, panorama: Panorama, mine: Ints, longest: int, stand: int) -> NDArray[np.bool_]:
    """Which of the steps between a person's detections `mine` are no gaps to fill."""
    row, box = clip.row[mine], clip.box[mine]
    gap = np.diff(row)
    place, _ = panorama.carry(row[:-1], row[1:], box[:-1, :2])
    way = np.linalg.norm(place - box[1:, :2], axis=1) / box[1:, 3]
    far = (gap > longest) & ((gap > stand) | (way > _STOOD))
    return np.asarray(far | (np.diff(panorama.shot[row]) != 0))


def _as_tracks(
    clip: _Clip, panorama: Panorama, paths: _Paths | None, picture: tuple[int, int]
) -> pa.Table:
    if paths is None:
        return TRACKS.empty()
    # What was filled in outside the picture is nothing anyone could see.
    paths = paths.keep((paths.source >= 0) | (_inside(paths.corner, picture) > _LEAST_INSIDE))
    track = dense_ids(paths.owner, paths.row, paths.corner)
    order = np.lexsort((track, paths.row))
    paths = paths.keep(order)
    detection = np.where(paths.source >= 0, clip.detection[np.maximum(paths.source, 0)], 0)
    return TRACKS.build(
        {
            "frame": panorama.frames[paths.row],
            "track": track[order],
            **{name: paths.corner[:, column] for column, name in enumerate("xywh")},
            "score": np.clip(paths.score, 0, 1),
            "role": np.full(len(order), "player"),
            "visible": visible_shares(paths.row, paths.corner),
            "detection": pa.array(detection, mask=paths.source < 0),
        }
    )


def _without_doubles(paths: _Paths) -> _Paths:
    """Without those whose boxes nearly always lie on one other person's: a person found twice."""
    order = np.lexsort((paths.owner, paths.row))
    rows = paths.row[order]
    pairs: list[Matrix] = []
    edge = np.flatnonzero(np.diff(rows, prepend=-1, append=-1))
    for start, end in itertools.pairwise(edge):
        here = order[start:end]
        overlap = np.triu(ious(paths.corner[here], paths.corner[here]), 1)
        first, second = np.nonzero(overlap > _DOUBLE_OVERLAP)
        if len(first):
            pairs.append(np.column_stack([paths.owner[here[first]], paths.owner[here[second]]]))
    if not pairs:
        return paths
    couples, count = np.unique(np.concatenate(pairs), axis=0, return_counts=True)
    length = np.bincount(paths.owner)
    gone: set[int] = set()
    for (first, second), together in zip(couples.tolist(), count.tolist(), strict=True):
        shorter = first if (length[first], -first) < (length[second], -second) else second
        if together >= _DOUBLE_SHARE * length[shorter] and not gone & {first, second}:
            gone.add(shorter)
    return paths.keep(~np.isin(paths.owner, list(gone)))


def _at_most(paths: _Paths, most: int) -> _Paths:
    """Never more than `most` at once: without the least certain people where that is for long.

    Where it is not, as while one player comes on for another, only their boxes of those frames go.
    """
    while len(paths.row):
        crowd = np.bincount(paths.row)[paths.row] > most
        present = np.bincount(paths.owner)
        crowded = np.bincount(paths.owner, weights=crowd)
        certain = np.bincount(paths.owner, weights=paths.score)
        candidates = np.flatnonzero((present > 0) & (crowded > _CROWDED_SHARE * present))
        if not len(candidates):
            break
        paths = paths.keep(paths.owner != candidates[certain[candidates].argmin()])
    certain = np.bincount(paths.owner, weights=paths.score, minlength=1)
    order = np.lexsort((paths.owner, -certain[paths.owner], paths.row))
    rows = paths.row[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return paths.keep(np.sort(order[rank < most]))


def _misses_at_times(clip: _Clip, order: Ints) -> bool:
    """Whether this detector overlooks people for a frame or two.

    Where it never does (boxes drawn by hand), longer gaps are absences that must not be filled.
    """
    gap = np.diff(clip.row[order])
    short = np.count_nonzero((gap > 1) & (gap <= 3))
    return bool(short > 0.002 * len(order))


def _steady_runs(clip: _Clip, order: Ints, edge: Ints) -> list[Ints]:
    """Stretches of at least 12 detections of one person in consecutive frames, at most 60 of them."""
    runs = [
        run
        for start, end in itertools.pairwise(edge)
        for run in np.split(
            order[start:end], np.flatnonzero(np.diff(clip.row[order[start:end]]) != 1) + 1
        )
        if len(run) >= 12
    ]
    return runs[:: max(1, len(runs) // 60)]


def _stiffness(clip: _Clip, runs: list[Ints]) -> tuple[float, float]:
    """How hard to smooth centre and size: what best foretells boxes left out of these runs."""
    if not runs:
        return 0.0, 0.0
    height = [float(np.median(clip.box[run, 3])) for run in runs]
    size = [np.log(clip.box[run, 2:]) for run in runs]
    place = [clip.box[run, :2] / tall for run, tall in zip(runs, height, strict=True)]
    return best_stiffness(place), best_stiffness(size)


def _inside(corner: Matrix, picture: tuple[int, int]) -> Matrix:
    """Share of each box that lies in the picture."""
    right = np.clip(corner[:, 0] + corner[:, 2], 0, picture[0])
    bottom = np.clip(corner[:, 1] + corner[:, 3], 0, picture[1])
    shown = (right - np.clip(corner[:, 0], 0, picture[0])) * (
        bottom - np.clip(corner[:, 1], 0, picture[1])
    )
    result: Matrix = shown / np.maximum(corner[:, 2] * corner[:, 3], 1e-9)
    return result


def dense_ids(owner: Ints, rows: Ints, corner: Matrix) -> Ints:
    """Ids from 1 in order of first appearance, left to right where several appear at once."""
    order = np.lexsort((corner[:, 1], corner[:, 0], rows))
    _, first, inverse = np.unique(owner[order], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    track = np.empty(len(owner), np.int64)
    track[order] = rank[inverse]
    return track


def visible_shares(rows: Ints, corner: Matrix) -> Matrix:
    """Share of each box not covered by nearer boxes (lower feet) of its frame; rows in order."""
    visible = np.ones(len(rows))
    across, down = np.meshgrid((np.arange(6) + 0.5) / 6, (np.arange(12) + 0.5) / 12)
    grid = np.column_stack([across.ravel(), down.ravel()])
    edge = np.flatnonzero(np.diff(rows, prepend=-1, append=-1))
    for start, end in itertools.pairwise(edge):
        box = corner[start:end]
        feet = box[:, 1] + box[:, 3]
        touch = (
            (
                np.abs(box[:, None, 0] * 2 + box[:, None, 2] - box[:, 0] * 2 - box[:, 2])
                < box[:, None, 2] + box[:, 2]
            )
            & (box[:, None, 1] < feet)
            & (box[:, 1] < feet[:, None])
            & (feet[None] > feet[:, None])
        )
        hidden, nearer = np.nonzero(touch)
        if not len(hidden):
            continue
        point = box[hidden, None, :2] + grid * box[hidden, None, 2:]
        inside = (
            (point >= box[nearer, None, :2]) & (point <= (box[nearer, :2] + box[nearer, 2:])[:, None])
        ).all(axis=2)
        covered = np.zeros((end - start, len(grid)), bool)
        np.logical_or.at(covered, hidden, inside)
        visible[start:end] = 1 - covered.mean(axis=1)
    return visible
