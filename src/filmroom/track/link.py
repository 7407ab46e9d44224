"""Relinking: which tracklets are one person, over the whole clip as one assignment problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmroom.track.panorama import Panorama

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_FIELD = 4.0  # body heights over which a stranger may turn up, divided by the root of 2 pi


@dataclass(frozen=True)
class LinkSettings:
    """How tracklets may be joined. Times are seconds, lengths body heights.

    longest, longest_away
        Longest absence bridged for someone lost in the midst of the picture, and for one who left it.
    bias
        Log-odds of a join before any evidence; higher joins more.
    error
        Spread of where a box begins or ends, across and down.
    wander
        Speed, across and down, that cannot be told from how a person moved before. Down is less: the
        camera looks along the pitch rather than onto it.
    memory
        Time for which a person keeps to a speed.
    drift, drift_known
        Error of the camera's path a second, guessed from boxes and measured from pixels.
    turn
        Change of speed within a memory, body heights a second.
    inside
        Log-odds for joining ends that lie in the midst of the picture, where nobody comes or goes.
    side
        Log-odds against leaving by one side of the picture and coming back by another.
    fastest
        Nobody moves faster, body heights a second.
    window
        Length of the ends that speed is taken from.
    """

    longest: float = 3.0
    longest_away: float = 8.0
    bias: float = -0.5
    error: tuple[float, float] = (0.15, 0.12)
    wander: tuple[float, float] = (0.8, 0.4)
    memory: float = 0.5
    drift: tuple[float, float] = (0.5, 0.08)
    drift_known: tuple[float, float] = (0.2, 0.05)
    turn: float = 1.0
    inside: float = 2.0
    side: float = 4.0
    fastest: float = 6.0
    window: float = 0.5
    small_agility: float = 6.0


@dataclass(frozen=True)
class Pieces:
    """Tracklets: detections in order of tracklet, then frame; `edge` (P + 1,) bounds each."""

    index: Ints
    edge: Ints
    row: Ints
    box: Matrix
    score: Matrix
    vector: Matrix | None
    count: int

    @staticmethod
    def of(piece: Ints, row: Ints, box: Matrix, score: Matrix, vector: Matrix | None) -> Pieces:
        """From the tracklet (0: none), row, box (centre and size), score, vector of all detections."""
        order = np.lexsort((row, piece))
        order = order[piece[order] > 0]
        edge = np.flatnonzero(np.diff(piece[order], prepend=-1, append=-1))
        return Pieces(
            order,
            edge,
            row[order],
            box[order],
            score[order],
            None if vector is None else vector[order],
            len(piece),
        )


def link_pieces(
    pieces: Pieces, panorama: Panorama, settings: LinkSettings, rate: float, picture: tuple[int, int]
) -> Ints:
    """Person of every detection, 0 where it belongs to no tracklet."""
    number = len(pieces.edge) - 1
    person = np.zeros(pieces.count, np.int64)
    if number < 1:
        return person
    following = _chains(_odds(pieces, panorama, settings, rate, picture))
    name = np.zeros(number, np.int64)
    order = np.argsort(pieces.row[pieces.edge[:-1]], kind="stable")
    last = 0
    for piece in order:
        if name[piece] == 0:
            last += 1
            name[piece] = last
        if following[piece] >= 0:
            name[following[piece]] = name[piece]
    person[pieces.index] = np.repeat(name, np.diff(pieces.edge))
    return person


def _chains(odds: Matrix) -> Ints:
    """For every tracklet the one that follows it, -1 for none: the chains of greatest total odds."""
    from scipy.optimize import linear_sum_assignment

    gain = np.maximum(odds, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    good = gain[rows, columns] > 0
    following = np.full(len(odds), -1)
    following[rows[good]] = columns[good]
    return following


def _odds(
    pieces: Pieces,
    panorama: Panorama,
    settings: LinkSettings,
    rate: float,
    picture: tuple[int, int],
) -> Matrix:
    """Log-odds (P, P) that the second tracklet goes on where the first ends."""
    first, last = pieces.edge[:-1], pieces.edge[1:] - 1
    leave, leave_speed = _ends(pieces, panorama, settings, rate, at_end=True)
    enter, enter_speed = _ends(pieces, panorama, settings, rate, at_end=False)
    end_row, start_row = pieces.row[last], pieces.row[first]
    gap = (start_row[None] - end_row[:, None]) / rate
    odds = np.full(gap.shape, -np.inf)
    leave_room, leave_side = _room(leave, picture)
    enter_room, enter_side = _room(enter, picture)
    away = (leave_room < 0.5)[:, None] & (enter_room < 0.5)
    possible = (gap > 0) & (gap <= np.where(away, settings.longest_away, settings.longest))
    possible &= panorama.shot[end_row][:, None] == panorama.shot[start_row][None]
    a, b = np.nonzero(possible)
    if not len(a):
        return odds
    seconds = gap[a, b]
    reach = settings.memory * (1 - np.exp(-seconds / settings.memory))
    # Each side's own speed is believed for half of the way, fading as time goes.
    ahead = leave[a, :2] + leave_speed[a] * (reach / 2)[:, None]
    behind = enter[b, :2] - enter_speed[b] * (reach / 2)[:, None]
    seen, scale = panorama.carry(end_row[a], start_row[b], ahead)
    middle = float(np.median(pieces.box[:, 3]))
    small = leave[:, 3] < 0.4 * middle
    agile = np.where(small[a], settings.small_agility, 1.0)
    height = np.maximum(np.sqrt(leave[a, 3] * scale * enter[b, 3]), 0.3 * middle)
    still, _ = panorama.carry(end_row[a], start_row[b], leave[a, :2])
    run = np.linalg.norm(still - enter[b, :2], axis=1) / height
    value = np.full(len(a), float(settings.bias))
    drift = settings.drift_known if panorama.known.any() else settings.drift
    fading = seconds**2 * settings.memory / (settings.memory + seconds)
    for axis in (0, 1):
        spread = np.sqrt(
            settings.error[axis] ** 2
            + settings.wander[axis] ** 2 * fading
            + (drift[axis] * seconds) ** 2
        )
        spread = spread * agile
        apart = (seen[:, axis] - behind[:, axis]) / height / spread
        value += np.log(_FIELD / spread) - 2.5 * np.log1p(apart**2 / 4)
    at_border = away[a, b]
    taller = np.log(leave[a, 3] * scale / enter[b, 3]) / np.where(at_border, 0.25, 0.15)
    wider = np.log(leave[a, 2] * scale / enter[b, 2]) / np.where(at_border, 0.7, 0.35)
    value -= np.minimum(0.5 * taller**2 + 0.5 * wider**2, 12.0)
    turned = np.linalg.norm(leave_speed[a] * scale[:, None] - enter_speed[b], axis=1) / height
    turn = settings.turn * np.sqrt(1 + (seconds / settings.memory) ** 2) * agile
    value -= 1.5 * np.log1p((turned / turn) ** 2 / 3)
    inside = np.clip(leave_room / 0.5, 0, 1)[a] + np.clip(enter_room / 0.5, 0, 1)[b]
    value += settings.inside * (inside - np.where(inside < 0.5, 0.0, 1.0))
    value -= np.where(at_border & (leave_side[a] != enter_side[b]), settings.side, 0.0)
    value[run > (0.5 + settings.fastest * seconds) * agile] = -np.inf
    if pieces.vector is not None:
        value += _appearance(pieces)[a, b]
    odds[a, b] = value
    return odds


def _room(box: Matrix, picture: tuple[int, int]) -> tuple[Matrix, Ints]:
    """Room (N,) from boxes (centre, size) to the border of the picture, in their heights, and where.

    The second is the nearest side: 0 left, 1 top, 2 right, 3 bottom.
    """
    half = box[:, 2:] / 2
    room = np.hstack([box[:, :2] - half, np.asarray(picture) - box[:, :2] - half]) / box[:, 3:]
    return room.min(axis=1), room.argmin(axis=1)


def _ends(
    pieces: Pieces, panorama: Panorama, settings: LinkSettings, rate: float, *, at_end: bool
) -> tuple[Matrix, Matrix]:
    """Box (P, 4) and speed (P, 2; pixels a second, camera taken out) at one end of every tracklet."""
    number = len(pieces.edge) - 1
    box = np.zeros((number, 4))
    speed = np.zeros((number, 2))
    most = max(3, round(settings.window * rate))
    for piece in range(number):
        start, end = pieces.edge[piece], pieces.edge[piece + 1]
        part = slice(max(start, end - most), end) if at_end else slice(start, min(end, start + most))
        rows, boxes = pieces.row[part], pieces.box[part]
        here = rows[-1 if at_end else 0]
        place, scale = panorama.carry(rows, np.full(len(rows), here), boxes[:, :2])
        time = (rows - here) / rate
        box[piece, 2:] = np.exp(np.median(np.log(boxes[:, 2:] * scale[:, None]), axis=0))
        if len(rows) < 3:
            box[piece, :2] = place[-1 if at_end else 0]
            continue
        # A ridge keeps the speed of short pieces, which is mostly noise, small.
        middle = time.mean()
        slope = ((time - middle) @ (place - place.mean(axis=0))) / (((time - middle) ** 2).sum() + 0.02)
        speed[piece] = slope
        box[piece, :2] = place.mean(axis=0) - slope * middle
    return box, speed


def _appearance(pieces: Pieces) -> Matrix:
    """Log-odds (P, P) from mean appearance, calibrated on this clip: halves of one tracklet are the
    same person, tracklets seen at once are not."""
    assert pieces.vector is not None
    number = len(pieces.edge) - 1
    first, last = pieces.edge[:-1], pieces.edge[1:] - 1
    mean = _mean_vectors(pieces.vector, pieces.edge)
    alike = mean @ mean.T
    middle = np.ravel(np.column_stack([first, (first + last + 1) // 2]))
    halves = _mean_vectors(pieces.vector, np.append(middle, pieces.edge[-1]))
    long = (last - first) >= 10
    same = (halves[0::2] * halves[1::2]).sum(axis=1)[long]
    at_once = (pieces.row[first][:, None] <= pieces.row[last][None]) & (
        pieces.row[first][None] <= pieces.row[last][:, None]
    )
    other = alike[at_once & ~np.eye(number, dtype=bool) & long[:, None] & long[None]]
    if len(same) < 4 or len(other) < 8:
        return np.zeros((number, number))
    near, far = max(same.std(), 0.01) * 2, max(other.std(), 0.02)
    odds = 0.5 * ((alike - other.mean()) / far) ** 2 - 0.5 * ((alike - same.mean()) / near) ** 2
    odds += np.log(far / near)
    odds = np.where(alike >= same.mean(), np.maximum(odds, 0), odds)
    blank = np.abs(mean).sum(axis=1) == 0
    odds[blank] = 0
    odds[:, blank] = 0
    result: Matrix = np.clip(odds, -6, 3)
    return result


def _mean_vectors(vector: Matrix, edge: Ints) -> Matrix:
    total = np.add.reduceat(vector, np.minimum(edge[:-1], len(vector) - 1), axis=0)
    total[edge[:-1] == edge[1:]] = 0
    length = np.linalg.norm(total, axis=1, keepdims=True)
    result: Matrix = total / np.where(length > 0, length, 1)
    return result
