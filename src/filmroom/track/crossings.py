"""Where two tracklets may have been exchanged, and what tells afterwards whether they were."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.track.panorama import Panorama

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_LAGS = (0.08, 0.2, 0.4)  # seconds before and after, at which the two are compared
_LONGEST = 1.0  # seconds from the episode beyond which nothing is compared
_HALF = 2  # frames to each side that a comparison is the mean of
# Log-odds that nobody was exchanged: as such, for each of the tracker's own, and for agreement before
# and after in who stands nearer (at the second and third lag) and in who moves which way; and the
# products of differences, in body heights, at which those are nearly sure. Fitted to the doubtful
# crossings of the first halves of SNMOT and SportsMOT.
_USUAL, _OWN = 0.7, 1.2
_NEARER, _NEARER_LATER, _WAY = 2.4, 2.1, 2.0
_SURE, _SURE_LATER = 0.02, 0.04


class Crossings(NamedTuple):
    """Episodes in which tracklets `first` < `second` could hardly be told apart.

    `row` is where the margin was least, which is `margin`; `start` and `end` are the first and last
    row of the episode.
    """

    first: Ints
    second: Ints
    row: Ints
    start: Ints
    end: Ints
    margin: Matrix


def find_crossings(
    piece: Ints, row: Ints, margin: Matrix, rival: Ints, least: float, apart: int
) -> Crossings:
    """Episodes of two tracklets: all frames of margin below `least`, not further than `apart` rows.

    `piece` is the tracklet of every detection, `margin` and `rival` as the tracker gave them.
    """
    doubtful = np.flatnonzero((margin < least) & (rival > 0) & (piece > 0))
    low = np.minimum(piece[doubtful], rival[doubtful])
    high = np.maximum(piece[doubtful], rival[doubtful])
    order = np.lexsort((row[doubtful], high, low))
    doubtful, low, high = doubtful[order], low[order], high[order]
    when, doubt = row[doubtful], margin[doubtful]
    fresh = (np.diff(low, prepend=-1) != 0) | (np.diff(high, prepend=-1) != 0)
    fresh |= np.diff(when, prepend=-1) > apart
    if not len(doubtful):
        return Crossings(low, high, when, when, when, doubt)
    first = np.flatnonzero(fresh)
    episode = np.cumsum(fresh) - 1
    by_margin = np.lexsort((when, doubt, episode))
    worst = by_margin[np.searchsorted(episode[by_margin], np.arange(len(first)))]
    last = np.append(first[1:], len(when)) - 1
    return Crossings(low[worst], high[worst], when[worst], when[first], when[last], doubt[worst])


def cut_at(crossings: Crossings, piece: Ints, row: Ints) -> Ints:
    """Tracklets cut in two where they crossed; the parts after the first have new numbers."""
    result = piece.copy()
    owners = np.concatenate([crossings.first, crossings.second])
    cuts = np.concatenate([crossings.row, crossings.row])
    following = int(piece.max(initial=0)) + 1
    for owner in np.unique(owners):
        mine = np.flatnonzero(piece == owner)
        part = np.searchsorted(np.unique(cuts[owners == owner]), row[mine], side="right")
        result[mine[part > 0]] = following + part[part > 0] - 1
        following += int(part.max(initial=0))
    return result


def odds_of_staying(
    crossings: Crossings, piece: Ints, row: Ints, box: Matrix, panorama: Panorama, rate: float
) -> Matrix:
    """Log-odds (C,) that the tracker was right to the end of each episode.

    `box` (N, 4) are centre and size. Who stands nearer to the camera before stands nearer after, and
    who runs to the right goes on to the right, however long the two covered each other. What is not
    known (a tracklet that is too short) tells nothing.
    """
    order = np.lexsort((row, piece))
    paths = _Paths(piece[order], row[order], box[order], panorama, _LONGEST * rate)
    lags = [max(1, round(lag * rate)) for lag in _LAGS]
    before = np.stack([_apart(crossings, paths, -lag) for lag in lags])
    after = np.stack([_apart(crossings, paths, lag) for lag in lags])
    nearer = np.tanh(before[1, :, 1] * after[1, :, 1] / _SURE)
    later = np.tanh(before[2, :, 1] * after[2, :, 1] / _SURE_LATER)
    came, goes = before[0, :, 0] - before[2, :, 0], after[2, :, 0] - after[0, :, 0]
    way = np.tanh(came * goes / _SURE)
    told = (np.nan_to_num(each) for each in (nearer, later, way))
    weights = (_NEARER, _NEARER_LATER, _WAY)
    odds = _USUAL + _OWN * crossings.margin
    for weight, each in zip(weights, told, strict=True):
        odds = odds + weight * each
    return odds


class _Paths(NamedTuple):
    """All detections in order of tracklet, then row."""

    piece: Ints
    row: Ints
    box: Matrix
    panorama: Panorama
    longest: float  # rows from an episode beyond which nothing is compared


def _apart(crossings: Crossings, paths: _Paths, lag: int) -> Matrix:
    """How far the first is from the second (C, 2): to the right, and towards the camera, in heights.

    At `lag` detections after the episode, or before it where negative, as seen at its worst row; NaN
    where one was not seen then.
    """
    edge = crossings.start if lag < 0 else crossings.end
    one = _feet(paths, crossings.first, edge, lag, crossings.row)
    other = _feet(paths, crossings.second, edge, lag, crossings.row)
    result: Matrix = (one[:, :2] - other[:, :2]) / np.sqrt(one[:, 2:] * other[:, 2:])
    return result


def _feet(paths: _Paths, owner: Ints, edge: Ints, lag: int, seen_at: Ints) -> Matrix:
    """Mean place of the feet, and height, (C, 3) of tracklets `owner`, `lag` detections from `edge`."""
    count = len(paths.row)
    stride = len(paths.panorama.frames)
    key = paths.piece * stride + paths.row
    middle = np.searchsorted(key, owner * stride + edge + (lag > 0)) + lag - (lag > 0)
    at = middle[:, None] + np.arange(-_HALF, _HALF + 1)
    here = np.clip(at, 0, count - 1)
    off = paths.row[here] - edge[:, None]
    known = (at == here) & (paths.piece[here] == owner[:, None])
    known &= (np.abs(off) <= paths.longest) & (off * lag > 0)
    box = paths.box[here]
    feet = box[:, :, :2] + box[:, :, 3:] * [0.0, 0.5]
    then = np.broadcast_to(seen_at[:, None], here.shape)
    place, scale = paths.panorama.carry(paths.row[here], then, feet)
    values = np.concatenate([place, (box[:, :, 3] * scale)[:, :, None]], axis=2)
    found = known.sum(axis=1)[:, None]
    total = (values * known[:, :, None]).sum(axis=1)
    result: Matrix = np.where(found > 0, total / np.maximum(found, 1), np.nan)
    return result
