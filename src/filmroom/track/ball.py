"""The ball: one path through several candidates a frame, absent where nothing fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import DETECTIONS, MOTION, SHOTS, TRACKS, boxes_of
from filmroom.track.panorama import Panorama, panorama_of
from filmroom.track.smooth import fill_path, smooth_path

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_BALLS_PER_PERSON = 8.0  # body height over ball diameter, where nobody is seen to measure by


@dataclass(frozen=True)
class BallSettings:
    """How the ball is followed. Times are seconds, lengths body heights, the rest log-odds.

    candidates
        Most candidates a frame that are considered, best scores first.
    even_score
        Detector score at which a candidate is as likely the ball as not.
    slope
        By how much more than the log-odds of the score these rise with it: of a hundred candidates of
        score 0.4 on real pictures one or two are the ball, at 0.7 nearly all.
    miss
        Cost of a second within a path in which the ball is not seen.
    change
        Cost of beginning a path, and again of ending it.
    easy, fastest
        Speed, body heights a second, that costs next to nothing, and that is never exceeded.
    longest_fill
        Gaps up to this are filled where both sides agree.
    still
        A candidate that stays on one spot of the pitch for longer than this is doubted ...
    still_doubt
        ... by this much.
    """

    candidates: int = 8
    even_score: float = 0.45
    slope: float = 3.0
    least_score: float = 0.02
    miss: float = 5.0
    change: float = 2.0
    easy: float = 5.0
    fastest: float = 22.0
    longest_fill: float = 0.6
    still: float = 1.5
    still_doubt: float = 3.0
    on_body_doubt: float = 1.0


def track_ball(
    candidates: pa.Table,
    people: pa.Table,
    motion: pa.Table,
    shots: pa.Table,
    *,
    frames: NDArray[np.integer[Any]],
    fps: float,
    picture: tuple[int, int],
    track: int,
    settings: BallSettings | None = None,
) -> pa.Table:
    """The ball's path as a TRACKS table with the one id `track` and role `ball`.

    `candidates` are DETECTIONS rows of kind ball, several a frame, low scores included; `people` the
    TRACKS of people (for scale and for what hides the ball); the rest as in `track_people`. The path of
    greatest total log-odds is found by dynamic programming (Viterbi 1967) over candidates with the
    camera's motion taken out; it may begin and end as often as it pays. Frames in which the ball is not
    seen are absent, but for short gaps whose two sides agree.
    """
    DETECTIONS.check(candidates)
    TRACKS.check(people)
    MOTION.check(motion)
    SHOTS.check(shots)
    settings = settings or BallSettings()
    panorama = panorama_of(frames, motion, shots)
    frame = candidates["frame"].to_numpy().astype(np.int64)
    usable = np.isin(frame, panorama.frames)
    usable &= candidates["score"].to_numpy() >= settings.least_score
    if not usable.any():
        return TRACKS.empty()
    seen = _Candidates.of(candidates.filter(pa.array(usable)), panorama, settings)
    height = _body_heights(people, panorama, seen)
    scene = _Scene(panorama, people, height, panorama.frames / fps, settings)
    paths = [_without_jumps(seen, path, scene) for path in _best_paths(seen, scene)]
    runs = [run for path in paths if len(path) for run in _agreeing_runs(seen, path, scene)]
    return _as_tracks(seen, runs, scene, picture, track)


@dataclass(frozen=True)
class _Scene:
    """What the ball moves in: the camera's path, body height in pixels and seconds of every row."""

    panorama: Panorama
    people: pa.Table
    height: Matrix
    time: Matrix
    settings: BallSettings


@dataclass(frozen=True)
class _Candidates:
    row: Ints
    box: Matrix  # centre and size
    score: Matrix
    detection: Ints

    @staticmethod
    def of(table: pa.Table, panorama: Panorama, settings: BallSettings) -> _Candidates:
        corner = boxes_of(table)
        size = np.maximum(corner[:, 2:], 0.5)
        box = np.column_stack([corner[:, :2] + corner[:, 2:] / 2, size])
        row = panorama.rows(table["frame"].to_numpy())
        score = table["score"].to_numpy().astype(float)
        order = np.lexsort((*box.T, -score, row))
        starts = np.searchsorted(row[order], row[order])
        order = order[np.arange(len(order)) - starts < settings.candidates]
        return _Candidates(
            row[order],
            box[order],
            score[order],
            table["detection"].to_numpy().astype(np.int64)[order],
        )


def _body_heights(people: pa.Table, panorama: Panorama, seen: _Candidates) -> Matrix:
    """Height of a person in every frame, pixels, from the people seen, or else from the ball."""
    usual = float(np.median(seen.box[:, 2:].mean(axis=1))) * _BALLS_PER_PERSON
    if not people.num_rows:
        return np.full(len(panorama.frames), usual)
    frame = people["frame"].to_numpy()
    order = np.argsort(frame, kind="stable")
    heights = people["h"].to_numpy()[order].astype(float)
    here, start = np.unique(frame[order], return_index=True)
    middle = np.array([np.median(part) for part in np.split(heights, start[1:])])
    return np.asarray(np.interp(panorama.frames, here, middle))


def _candidate_odds(seen: _Candidates, scene: _Scene) -> Matrix:
    """Log-odds that each candidate is the ball, before any path."""
    settings = scene.settings
    score = np.clip(seen.score, 0.01, 0.99)
    even = np.log(settings.even_score / (1 - settings.even_score))
    odds = settings.slope * (np.log(score / (1 - score)) - even)
    odds -= settings.still_doubt * _stillness(seen, scene)
    odds -= settings.on_body_doubt * _on_body(seen, scene)
    result: Matrix = odds
    return result


def _stillness(seen: _Candidates, scene: _Scene) -> Matrix:
    """0..1: how far a candidate is one of many on the same spot of the pitch.

    A logo or a penalty spot stays where the pitch is; the ball at rest does so for a while only.
    """
    panorama, height, settings = scene.panorama, scene.height, scene.settings
    time = scene.time[seen.row]
    still = np.zeros(len(seen.row))
    for shot in np.unique(panorama.shot[seen.row]):
        mine = np.flatnonzero(panorama.shot[seen.row] == shot)
        spot, scale = panorama.carry(
            seen.row[mine], np.full(len(mine), seen.row[mine[0]]), seen.box[mine, :2]
        )
        reach = 0.15 * height[seen.row[mine]] * scale
        cell = max(float(np.median(reach)), 1e-6)
        key = np.clip(np.floor(spot / cell + 0.5), -1e6, 1e6).astype(np.int64)
        code = key[:, 0] * 4_000_003 + key[:, 1]
        for offset in np.unique(code):
            here = mine[code == offset]
            occupied = len(np.unique(seen.row[here]))
            span = float(np.ptp(time[here]))
            rate = occupied / max(1, np.ptp(seen.row[here]) + 1)
            if span > settings.still and occupied > 8:
                still[here] = np.clip((span * rate - settings.still / 2) / settings.still, 0, 1)
    return still


def _on_body(seen: _Candidates, scene: _Scene) -> Matrix:
    """1 for a candidate on a body above the knee: a sock or a head more often than the ball."""
    people = scene.people
    on_body = np.zeros(len(seen.row))
    if not people.num_rows:
        return on_body
    box = boxes_of(people)
    row = scene.panorama.rows(people["frame"].to_numpy())
    order = np.argsort(row, kind="stable")
    box, row = box[order], row[order]
    for start, end, first, last in _by_row(seen.row, row):
        point = seen.box[start:end, None, :2]
        body = box[first:last]
        inside = (point > body[:, :2] + body[:, 2:] * (0.1, 0.0)) & (
            point < body[:, :2] + body[:, 2:] * (0.9, 0.75)
        )
        on_body[start:end] = np.any(np.all(inside, axis=2), axis=1)
    return on_body


def _by_row(first: Ints, second: Ints) -> list[tuple[int, int, int, int]]:
    """Bounds (in the first, in the second) of the rows that both sorted lists have."""
    both = np.intersect1d(first, second)
    bounds = [
        np.searchsorted(values, both, side=side)
        for values in (first, second)
        for side in ("left", "right")
    ]
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in zip(*bounds, strict=True)]


def _best_paths(seen: _Candidates, scene: _Scene) -> list[Ints]:
    """Paths (rising candidate indices) of greatest total odds, in order of time."""
    panorama, time, settings = scene.panorama, scene.time, scene.settings
    odds = _candidate_odds(seen, scene)
    count = len(seen.row)
    total = np.full(count, -np.inf)
    before = np.full(count, -1)  # candidate before, in the same path or in the path before it
    joined = np.zeros(count, bool)
    absent, absent_from = 0.0, -1
    edge = np.searchsorted(seen.row, np.arange(len(panorama.frames) + 1))
    oldest = 0
    for row in range(len(panorama.frames)):
        here = np.arange(edge[row], edge[row + 1])
        if not len(here):
            continue
        while oldest < edge[row] and (
            time[row] - time[seen.row[oldest]] > settings.longest_fill + 1e-9
            or panorama.shot[seen.row[oldest]] != panorama.shot[row]
        ):
            oldest += 1
        total[here] = absent - settings.change + odds[here]
        before[here] = absent_from
        early = np.arange(oldest, edge[row])
        if len(early):
            cost = _step_costs(seen, early, here, scene)
            value = total[early][:, None] - cost
            best = value.argmax(axis=0)
            through = value[best, np.arange(len(here))] + odds[here]
            better = through > total[here]
            total[here[better]] = through[better]
            before[here[better]] = early[best[better]]
            joined[here[better]] = True
        ended = total[here] - settings.change
        if ended.max() > absent:
            absent, absent_from = float(ended.max()), int(here[ended.argmax()])
    paths: list[list[int]] = []
    at, new = absent_from, True
    while at >= 0:
        if new:
            paths.append([])
        paths[-1].append(at)
        new = not joined[at]
        at = int(before[at])
    return [np.array(path[::-1]) for path in reversed(paths)]


def _step_costs(seen: _Candidates, early: Ints, here: Ints, scene: _Scene) -> Matrix:
    """Cost (E, H) of going from earlier candidates to these of one frame."""
    settings, time, height = scene.settings, scene.time, scene.height
    row = seen.row[here[0]]
    place, scale = scene.panorama.carry(seen.row[early], np.full(len(early), row), seen.box[early, :2])
    gap = (time[row] - time[seen.row[early]])[:, None]
    apart = np.linalg.norm(place[:, None] - seen.box[here, :2], axis=2) / height[row]
    speed = np.maximum(apart - 0.06, 0) / gap
    cost = 1.5 * np.log1p((speed / settings.easy) ** 2)
    size = np.log(seen.box[early, 2:].prod(axis=1) * scale**2)[:, None]
    cost += np.minimum((size - np.log(seen.box[here, 2:].prod(axis=1))) ** 2 / 2, 3.0)
    missed = row - seen.row[early] - 1
    cost += settings.miss * (gap * missed[:, None] / np.maximum(missed + 1, 1)[:, None])
    cost[speed > settings.fastest] = np.inf
    result: Matrix = cost
    return result


def _without_jumps(seen: _Candidates, path: Ints, scene: _Scene) -> Ints:
    """The path less the points that leap away from both neighbours and back."""
    if len(path) < 3:
        return path if len(path) > 1 or seen.score[path].max() > 0.6 else path[:0]
    panorama, time, height = scene.panorama, scene.time, scene.height
    rows = seen.row[path]
    middle = rows[1:-1]
    early, _ = panorama.carry(rows[:-2], middle, seen.box[path[:-2], :2])
    late, _ = panorama.carry(rows[2:], middle, seen.box[path[2:], :2])
    here = seen.box[path[1:-1], :2]
    share = ((time[middle] - time[rows[:-2]]) / (time[rows[2:]] - time[rows[:-2]]))[:, None]
    off = np.linalg.norm(here - (1 - share) * early - share * late, axis=1) / height[middle]
    base = np.linalg.norm(late - early, axis=1) / height[middle]
    leap = (off > 0.5) & (off > 2 * base)
    kept: Ints = path[np.concatenate([[True], ~leap, [True]])]
    return kept


def _as_tracks(
    seen: _Candidates, runs: list[Ints], scene: _Scene, picture: tuple[int, int], track: int
) -> pa.Table:
    panorama = scene.panorama
    rows_of, boxes_of_path, scores, source = [], [], [], []
    for run in runs:
        rows, boxes = fill_path(panorama, seen.row[run], seen.box[run])
        index = np.full(len(rows), -1)
        index[seen.row[run] - rows[0]] = run
        weight = np.where(index >= 0, 1.0, 0.0)
        # The centre keeps its kinks (kicks); only the size, which is steadier, is smoothed much.
        boxes = smooth_path(panorama, rows, boxes, weight, (0.05, 30.0))
        rows_of.append(rows)
        boxes_of_path.append(boxes)
        scores.append(np.where(index >= 0, 1.0, 0.5) * np.interp(rows, seen.row[run], seen.score[run]))
        source.append(index)
    if not rows_of:
        return TRACKS.empty()
    rows, boxes = np.concatenate(rows_of), np.concatenate(boxes_of_path)
    score, index = np.concatenate(scores), np.concatenate(source)
    inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, :2] <= picture).all(axis=1)
    keep = (index >= 0) | inside
    rows, boxes, score, index = rows[keep], boxes[keep], score[keep], index[keep]
    corner = np.column_stack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]])
    return TRACKS.build(
        {
            "frame": panorama.frames[rows],
            "track": np.full(len(rows), track),
            **{name: corner[:, column] for column, name in enumerate("xywh")},
            "score": np.clip(score, 0, 1),
            "role": np.full(len(rows), "ball"),
            "visible": _visible(rows, boxes, scene),
            "detection": pa.array(seen.detection[np.maximum(index, 0)], mask=index < 0),
        }
    )


def _agreeing_runs(seen: _Candidates, path: Ints, scene: _Scene) -> list[Ints]:
    """The path cut where a gap is too long, or where its two sides do not agree."""
    panorama, time, height = scene.panorama, scene.time, scene.height
    rows = seen.row[path]
    gap = np.diff(time[rows])
    cut = gap > scene.settings.longest_fill + 1e-9
    for at in np.flatnonzero((np.diff(rows) > 1) & ~cut):
        early, late = path[max(0, at - 3) : at + 1], path[at + 1 : at + 5]
        ahead = _extrapolated(seen, early, rows[at + 1], scene)
        behind = _extrapolated(seen, late, rows[at], scene)
        miss_ahead = np.linalg.norm(ahead - seen.box[path[at + 1], :2])
        miss_behind = np.linalg.norm(behind - seen.box[path[at], :2])
        still, _ = panorama.carry(rows[at], rows[at + 1], seen.box[path[at], :2])
        apart = np.linalg.norm(still - seen.box[path[at + 1], :2])
        allowed = (0.5 + 4.0 * gap[at]) * height[rows[at]]
        cut[at] = min(miss_ahead, miss_behind, apart) > allowed
    return [run for run in np.split(path, np.flatnonzero(cut) + 1) if len(run)]


def _extrapolated(seen: _Candidates, points: Ints, row: int, scene: _Scene) -> Matrix:
    """Where these sightings, going on straight, would be in another row."""
    rows = seen.row[points]
    place, _ = scene.panorama.carry(rows, np.full(len(rows), row), seen.box[points, :2])
    if len(points) < 2:
        return np.asarray(place[0])
    line = np.polyfit(scene.time[rows] - scene.time[row], place, 1)
    return np.asarray(line[1])


def _visible(rows: Ints, boxes: Matrix, scene: _Scene) -> Matrix:
    """0 where a person nearer to the camera (lower feet) covers the middle of the ball, else 1."""
    visible = np.ones(len(rows))
    people = scene.people
    if not people.num_rows:
        return visible
    body = boxes_of(people)
    row = scene.panorama.rows(people["frame"].to_numpy())
    order = np.argsort(row, kind="stable")
    body, row = body[order], row[order]
    for start, end, first, last in _by_row(rows, row):
        point = boxes[start:end, None, :2]
        other = body[first:last]
        covered = ((point >= other[:, :2]) & (point <= other[:, :2] + other[:, 2:])).all(axis=2)
        covered &= other[:, 1] + other[:, 3] > (boxes[start:end, 1] + boxes[start:end, 3])[:, None]
        visible[start:end] = ~covered.any(axis=1)
    return visible
