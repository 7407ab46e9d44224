"""Relinking: which tracklets are one person, over the whole clip as one assignment problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.track.crossings import Crossings
from filmroom.track.in_match import Likeness, blocks
from filmroom.track.panorama import Panorama
from filmroom.track.pieces import Ends, Pieces, ends_of
from filmroom.track.rearrange import rearrange
from filmroom.track.worn import Worn

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

# How far strangers are from each other: across and down in body heights, in log width and height; of
# those who are in the midst of the picture, and of those who leave and enter by its border.
_STRANGERS = (10.0, 4.0, 0.35, 0.35)
_STRANGERS_AWAY = (6.0, 4.0, 0.35, 0.3)
_LAGS = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)  # seconds, of absences made up to measure how people stray
_SAMPLES = 150  # most absences made up for each lag
_FEW = 12  # absences below which a lag says nothing
# Of the median of normal numbers, and of the median length of a pair of them.
_SPREAD_OF_MEDIAN = np.array([1.48, 1.48, 1.48, 1.48, 0.85])
_LEAST_SPREAD = np.array([0.03, 0.02, 0.02, 0.01, 0.05])
_PRICES = 7
_ENDS = 512  # of tracklets whose possible continuations are looked for at once
_CALIBRATING = 1500  # most tracklets that likeness is calibrated on
_SMALL = 0.4  # share of the median height below which a thing is no person
_FALSE = 0.3  # score of a box that says nothing
_CUT_OFF = (0.4, 0.1)  # by how much the border of the picture changes log width and height
_SIZE_BOUNDS = (-5.0, 2.0)  # people crouch and fall: sizes alone prove little
_AT_BORDER = 0.5  # body heights from the border of the picture, at which people leave and enter


@dataclass(frozen=True)
class LinkSettings:
    """How tracklets may be joined. Times are seconds, lengths body heights, the rest log-odds.

    longest, longest_away
        Longest absence bridged for someone lost in the midst of the picture, and for one who left it.
    bias, bias_away
        Log-odds of a join before any evidence, likewise; higher joins more.
    stay, believed
        Log-odds that the online tracker was right where a tracklet was cut in doubt, and the share of
        its margin there that is added to them.
    crossing
        Log-odds that two who crossed both go on, one way or the other, for each.
    brief
        Longest absence over which those who crossed are compared.
    patience, patience_away
        Log-odds lost for every doubling of the absence (and a second).
    inside
        Log-odds against an end in the midst of the picture being the other side of one at its border.
    side
        Log-odds against leaving by one side of the picture and coming back by another.
    weak
        Log-odds against a tracklet of hardly any score.
    usual
        How far people stray in a second without being seen: across, down, in log width and height, and
        in speed. Used where the clip itself is too short to tell.
    stretch, stretch_inside
        Times that those out of the picture, and those hidden in it, stray further than those seen.
    stretch_speed
        Times that their speed differs more.
    memory
        Time for which a person keeps to a speed.
    running
        Usual speed of someone whose tracklet is too short to show it, body heights a second.
    fastest
        Nobody moves faster, body heights a second.
    small_agility
        Times that small things (a ball) stray further.
    window
        Length of the ends that place and speed are taken from.
    crowd
        Spread of how many more people there are than are ever seen at once, as a share of those.
    price
        Most log-odds that are paid to have one person less.
    shortest
        Tracklets shorter than this stay alone: they say too little of where they come from and go to.
    """

    longest: float = 3.0
    longest_away: float = 15.0
    bias: float = 1.0
    bias_away: float = 3.0
    stay: float = 1.0
    believed: float = 0.5
    crossing: float = 5.0
    brief: float = 0.3
    patience: float = 0.5
    patience_away: float = 0.25
    inside: float = 3.0
    side: float = 5.0
    weak: float = 1.0
    usual: tuple[float, float, float, float, float] = (0.6, 0.3, 0.3, 0.12, 1.0)
    stretch: float = 1.15
    stretch_inside: float = 1.3
    stretch_speed: float = 1.5
    memory: float = 1.0
    running: float = 0.6
    fastest: float = 6.0
    small_agility: float = 6.0
    window: float = 0.5
    crowd: float = 0.15
    price: float = 2.0
    shortest: float = 0.1


def link_pieces(
    pieces: Pieces,
    panorama: Panorama,
    settings: LinkSettings,
    rate: float,
    picture: tuple[int, int],
    most_people: int | None = None,
    choices: Choices | None = None,
    likeness: Likeness | None = None,
    worn: Worn | None = None,
) -> Ints:
    """Person of every detection, 0 where it belongs to no tracklet.

    `choices` are joins of which something is known that their ends alone do not tell; `likeness`,
    learnt on this clip, takes the place of the mean vectors of `pieces`; `worn` are the numbers read
    on them.
    """
    number = len(pieces.edge) - 1
    person = np.zeros(pieces.count, np.int64)
    if number < 1:
        return person
    worn = worn or Worn.nothing(number)
    pairs = _pairs(pieces, panorama, settings, rate, picture, choices, likeness, worn)
    following, price = _chains(pieces, pairs, settings, rate, most_people)
    if likeness is not None:
        paid = pairs.odds - pairs.looks + price[pairs.second]
        start = pieces.row[pieces.first]
        following = rearrange(following, pairs.first, pairs.second, paid, start, likeness, worn)
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


class Choices(NamedTuple):
    """Pieces `second` that may go on where pieces `first` end, and log-odds of their own."""

    first: Ints
    second: Ints
    odds: Matrix


def choices_at(pieces: Pieces, crossings: Crossings, stay: Matrix, longest: float) -> Choices:
    """Where two tracklets were cut at a crossing: the four joins of the parts before and after.

    `stay` (C,) are log-odds that nobody was exchanged; crossings in which one was not seen for more
    than `longest` rows are left out.
    """
    order = np.lexsort((pieces.row[pieces.first], pieces.tracklet))
    stride = int(pieces.row.max(initial=0)) + 2
    key = pieces.tracklet[order] * stride + pieces.row[pieces.first[order]]
    parts = []
    for owner in (crossings.first, crossings.second):
        after = np.searchsorted(key, owner * stride + crossings.row)
        before = order[np.maximum(after - 1, 0)]
        known = (after > 0) & (after < len(order))
        after = order[np.minimum(after, len(order) - 1)]
        known &= (pieces.tracklet[before] == owner) & (pieces.tracklet[after] == owner)
        known &= pieces.row[pieces.first[after]] - pieces.row[pieces.last[before]] <= longest
        parts.append((before, after, known))
    (one, one_after, whole), (other, other_after, whole_too) = parts
    good = whole & whole_too
    return Choices(
        np.concatenate([one[good], other[good], one[good], other[good]]),
        np.concatenate([one_after[good], other_after[good], other_after[good], one_after[good]]),
        np.concatenate([stay[good], stay[good], -stay[good], -stay[good]]) / 2,
    )


def _odds_of_choices(a: Ints, b: Ints, choices: Choices) -> Matrix:
    """What the choices say of pairs `a`, `b`; NaN of pairs that are none of them."""
    told = np.full(len(a), np.nan)
    if not len(choices.first):
        return told
    stride = int(max(b.max(), choices.second.max())) + 1
    order = np.argsort(choices.first * stride + choices.second, kind="stable")
    key = (choices.first * stride + choices.second)[order]
    wanted = a * stride + b
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    chosen = key[at] == wanted
    told[chosen] = choices.odds[order[at[chosen]]]
    return told


class _Pairs(NamedTuple):
    """Tracklets `second` that may go on where `first` ends, their log-odds, and those of looks."""

    first: Ints
    second: Ints
    odds: Matrix
    looks: Matrix


def _chains(
    pieces: Pieces, pairs: _Pairs, settings: LinkSettings, rate: float, most_people: int | None
) -> tuple[Ints, Matrix]:
    """For every tracklet the one that follows it, -1 for none, and the price of its beginning a chain.

    The chains of greatest total odds, less what is held against the number of people that they make.
    That is convex in the number, so that its optimum is among the optima of constant prices a person.
    """
    solid = np.minimum(1.0, np.diff(pieces.edge) / (0.5 * rate))
    known = _most_at_once(pieces, rate)
    if most_people is not None:
        known = min(known, float(most_people))
    spread = settings.crowd * max(known, 4.0)
    best, best_total, best_price = np.full(len(solid), -1), -np.inf, 0.0
    for price in np.linspace(0.0, settings.price, _PRICES):
        odds = pairs.odds + price * solid[pairs.second]
        following, chosen = _assignment(len(solid), pairs, odds)
        begun = solid.sum() - solid[following[following >= 0]].sum()
        over = max(0.0, begun - known) / spread
        total = pairs.odds[chosen].sum() - 0.5 * over * over * spread
        if total > best_total + 1e-9:
            best, best_total, best_price = following, total, float(price)
    return best, best_price * solid


def _most_at_once(pieces: Pieces, rate: float) -> float:
    """How many people are ever in the picture at once: tracklets of half a second and more."""
    long = np.diff(pieces.edge) >= 0.5 * rate
    if not long.any():
        return 0.0
    start, end = pieces.row[pieces.first[long]], pieces.row[pieces.last[long]] + 1
    change = np.zeros(int(end.max()) + 1)
    np.add.at(change, start, 1)
    np.add.at(change, end, -1)
    return float(np.percentile(np.cumsum(change), 98))


def _assignment(count: int, pairs: _Pairs, odds: Matrix) -> tuple[Ints, Ints]:
    """Who follows whom at the greatest total of positive odds, and which pairs those are."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    following = np.full(count, -1)
    good = np.flatnonzero(odds > 0)
    if not len(good):
        return following, good
    # Everyone may also be followed by nobody; costs are shifted, for a cost of zero means no edge.
    top = float(odds[good].max()) + 1.0
    every = np.arange(count)
    cost = np.concatenate([top - odds[good], np.full(count, top)])
    rows = np.concatenate([pairs.first[good], every])
    columns = np.concatenate([pairs.second[good], count + every])
    graph = coo_array((cost, (rows, columns)), shape=(count, 2 * count)).tocsr()
    _, matched = min_weight_full_bipartite_matching(graph)
    following[matched < count] = matched[matched < count]
    return following, good[following[pairs.first[good]] == pairs.second[good]]


def _pairs(
    pieces: Pieces,
    panorama: Panorama,
    settings: LinkSettings,
    rate: float,
    picture: tuple[int, int],
    choices: Choices | None,
    likeness: Likeness | None,
    worn: Worn,
) -> _Pairs:
    """All pairs of tracklets that may be one person."""
    leave = ends_of(pieces, panorama, pieces.last, pieces.first, window=settings.window, rate=rate)
    enter = ends_of(pieces, panorama, pieces.first, pieces.last, window=settings.window, rate=rate)
    leave_room, leave_side = _room(leave.box, picture)
    enter_room, enter_side = _room(enter.box, picture)
    gone, come = leave_room < _AT_BORDER, enter_room < _AT_BORDER
    brief = np.diff(pieces.edge) < settings.shortest * rate

    def possible(ends: Ints) -> tuple[Ints, Ints]:
        a, b = _following(leave.row[ends], enter.row, settings.longest_away * rate)
        a = ends[a]
        longest = np.where(gone[a] & come[b], settings.longest_away, settings.longest)
        kept = (enter.row[b] - leave.row[a]) / rate <= longest
        kept &= panorama.shot[leave.row[a]] == panorama.shot[enter.row[b]]
        kept &= ~(brief[a] | brief[b])
        return a[kept], b[kept]

    every = np.arange(len(leave.row))
    found = [possible(every[at : at + _ENDS]) for at in range(0, len(every), _ENDS)]
    a, b = (np.concatenate(each) for each in zip(*found, strict=True))
    seconds = (enter.row[b] - leave.row[a]) / rate
    if not len(a):
        return _Pairs(a, b, seconds, seconds)
    small = _SMALL * float(np.median(pieces.box[:, 3]))
    strayed = straying(pieces, panorama, settings, rate, 0.75 * small)
    evidence = np.add.reduceat(np.maximum(pieces.score - _FALSE, 0.0), pieces.first)
    continued = _parts_of_tracklets(pieces)
    alike = np.zeros(len(a))
    if likeness is None and pieces.vector is not None:
        alike = _appearance(pieces, a, b)

    told = np.full(len(a), np.nan) if choices is None else _odds_of_choices(a, b, choices)

    def weighed(a: Ints, b: Ints, seconds: Matrix, told: Matrix, looks: Matrix) -> _Pairs:
        away = gone[a] & come[b]
        out, back = leave.take(a), enter.take(b)
        tiny = np.minimum(out.box[:, 3], back.box[:, 3]) < small
        off = _differences(out, back, panorama, settings, 0.75 * small, rate)
        spread = _spreads(strayed, settings, seconds)
        spread = _with_short_ends(spread, out, back, settings, rate, seconds)
        spread[:, :2] *= np.where(away, settings.stretch, settings.stretch_inside)[:, None]
        spread[away, 2:4] = np.hypot(spread[away, 2:4], _CUT_OFF)
        spread[:, 4] *= settings.stretch_speed
        spread[tiny] *= settings.small_agility
        value = np.where(away, float(settings.bias_away), float(settings.bias))
        value -= np.where(away, settings.patience_away, settings.patience) * np.log2(1 + seconds)
        value += _motion_odds(off, spread, away)
        value -= np.where(gone[a] != come[b], settings.inside, 0.0)
        value -= np.where(away & (leave_side[a] != enter_side[b]), settings.side, 0.0)
        sure = settings.stay + settings.believed * pieces.margin[b]
        value += np.where(continued[a] == b, sure, 0.0)
        value -= settings.weak * (1 - np.minimum(1, np.minimum(evidence[a], evidence[b]) / 2))
        # What the ends are like in the midst of a pile-up is half believed.
        value = np.where(np.isnan(told), value, (value + settings.crossing) / 2 + told)
        if likeness is not None:
            looks = likeness.odds(a, b)
        looks = looks + worn.odds(a, b)
        value += looks
        furthest = (0.5 + settings.fastest * seconds) * np.where(tiny, settings.small_agility, 1.0)
        good = (off[:, 5] <= furthest) & (value > -settings.price)
        return _Pairs(a[good], b[good], value[good], looks[good])

    # All pairs of a match at once would fill the memory; few of them are worth keeping.
    parts = [weighed(a[at], b[at], seconds[at], told[at], alike[at]) for at in blocks(len(a))]
    return _Pairs(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _following(ends: Ints, starts: Ints, longest: float) -> tuple[Ints, Ints]:
    """All pairs of an end and a start after it, not by more than `longest`; by end, then start."""
    order = np.argsort(starts, kind="stable")
    low = np.searchsorted(starts[order], ends, side="right")
    count = np.searchsorted(starts[order], ends + longest, side="right") - low
    first = np.repeat(np.arange(len(ends)), count)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    second = order[np.repeat(low, count) + offset]
    return first, second


def _motion_odds(off: Matrix, spread: Matrix, away: NDArray[np.bool_]) -> Matrix:
    """Log-odds (N,) of these differences between one person's ends, against two people's."""
    stranger = np.where(away[:, None], _STRANGERS_AWAY, _STRANGERS)
    near = spread[:, :2]
    place = np.log(stranger[:, :2] / near) - 2.5 * np.log1p((off[:, :2] / near) ** 2 / 4)
    near = spread[:, 2:4]
    apart = np.hypot(stranger[:, 2:], near)
    size = np.log(apart / near) - 0.5 * (off[:, 2:4] / near) ** 2 + 0.5 * (off[:, 2:4] / apart) ** 2
    speed = -1.5 * np.log1p((off[:, 4] / spread[:, 4]) ** 2 / 3)
    result: Matrix = place.sum(axis=1) + np.clip(size, *_SIZE_BOUNDS).sum(axis=1) + speed
    return result


def _parts_of_tracklets(pieces: Pieces) -> Ints:
    """For every piece the next one that was cut from the same tracklet, -1 for none."""
    order = np.lexsort((pieces.row[pieces.first], pieces.tracklet))
    same = pieces.tracklet[order[:-1]] == pieces.tracklet[order[1:]]
    following = np.full(len(order), -1)
    following[order[:-1][same]] = order[1:][same]
    return following


def _differences(
    leave: Ends, enter: Ends, panorama: Panorama, settings: LinkSettings, least: float, rate: float
) -> Matrix:
    """How ends disagree with beginnings (N, 6): across, down, log width, log height, speed, way.

    In body heights; each side's own speed is believed for half of the way, fading as time goes.
    """
    seconds = (enter.row - leave.row) / rate
    reach = settings.memory * (1 - np.exp(-seconds / settings.memory)) / 2
    ahead = leave.box[:, :2] + leave.speed * reach[:, None]
    behind = enter.box[:, :2] - enter.speed * reach[:, None]
    seen, scale = panorama.carry(leave.row, enter.row, ahead)
    still, _ = panorama.carry(leave.row, enter.row, leave.box[:, :2])
    size = leave.box[:, 2:] * scale[:, None]
    height = np.maximum(np.sqrt(size[:, 1] * enter.box[:, 3]), least)
    turned = np.linalg.norm(leave.speed * scale[:, None] - enter.speed, axis=1) / height
    way = np.linalg.norm(still - enter.box[:, :2], axis=1) / height
    apart = (seen - behind) / height[:, None]
    return np.column_stack([apart, np.log(size / enter.box[:, 2:]), turned, way])


def straying(
    pieces: Pieces, panorama: Panorama, settings: LinkSettings, rate: float, least: float
) -> tuple[Matrix, Matrix]:
    """Seconds (L,) of absences made up, and the spread (L, 5) of the differences after them.

    People who are followed without doubt are taken to be absent for a while, and what is foretold is
    compared with where they are.
    """
    lags, spreads = [], []
    owner = np.repeat(np.arange(len(pieces.edge) - 1), np.diff(pieces.edge))
    need = max(2, round(settings.window * rate / 2))
    first, last = pieces.first[owner], pieces.last[owner]
    here = np.arange(len(owner))
    tall = pieces.box[:, 3] > least
    for lag in _LAGS:
        step = max(1, round(lag * rate))
        start = here[(here - first >= need) & (last - here - step >= need) & tall]
        # Only those seen all the while: position in the list then tells the time.
        start = start[pieces.row[start + step] - pieces.row[start] == step]
        if len(start) < _FEW:
            continue
        start = start[np.linspace(0, len(start) - 1, min(len(start), _SAMPLES)).astype(np.int64)]
        there = start + step
        leave = ends_of(pieces, panorama, start, first[start], window=settings.window, rate=rate)
        enter = ends_of(pieces, panorama, there, last[start], window=settings.window, rate=rate)
        off = _differences(leave, enter, panorama, settings, least, rate)
        middle = np.median(np.abs(off[:, :5]), axis=0) * _SPREAD_OF_MEDIAN
        lags.append(step / rate)
        spreads.append(np.maximum(middle, _LEAST_SPREAD))
    return np.array(lags), np.array(spreads).reshape(-1, 5)


def _spreads(strayed: tuple[Matrix, Matrix], settings: LinkSettings, seconds: Matrix) -> Matrix:
    """Spread (N, 5) of the differences after these seconds; growing with time beyond those measured."""
    lags, known = strayed
    if not len(lags):
        return np.asarray(settings.usual) * np.sqrt(0.04 + seconds**2)[:, None]
    result = np.column_stack(
        [np.exp(np.interp(seconds, lags, np.log(known[:, axis]))) for axis in range(5)]
    )
    result[:, :2] *= np.maximum(1.0, seconds / lags[-1])[:, None]
    return result


def _with_short_ends(
    spread: Matrix, leave: Ends, enter: Ends, settings: LinkSettings, rate: float, seconds: Matrix
) -> Matrix:
    """Spreads with what ends of few detections do not tell about place and speed."""
    whole = max(3, round(settings.window * rate))
    reach = settings.memory * (1 - np.exp(-seconds / settings.memory)) / 2
    result = spread.copy()
    for end in (leave, enter):
        missing = whole / np.minimum(end.count, whole) - 1
        unknown = settings.running * (1 - end.trust)
        result[:, :2] = np.sqrt(
            result[:, :2] ** 2
            + np.array([0.04, 0.03]) ** 2 * missing[:, None] / 2
            + ((unknown * reach) ** 2)[:, None]
        )
        result[:, 2:4] = np.sqrt(
            result[:, 2:4] ** 2 + np.array([0.1, 0.04]) ** 2 * missing[:, None] / 2
        )
        result[:, 4] = np.hypot(result[:, 4], unknown)
    return result


def _room(box: Matrix, picture: tuple[int, int]) -> tuple[Matrix, Ints]:
    """Room (N,) from boxes (centre, size) to the border of the picture, in their heights, and where.

    The second is the nearest side: 0 left, 1 top, 2 right, 3 bottom.
    """
    half = box[:, 2:] / 2
    room = np.hstack([box[:, :2] - half, np.asarray(picture) - box[:, :2] - half]) / box[:, 3:]
    return room.min(axis=1), room.argmin(axis=1)


def _appearance(pieces: Pieces, a: Ints, b: Ints) -> Matrix:
    """Log-odds of pairs `a`, `b` from mean appearance, calibrated on this clip.

    Halves of one tracklet are the same person, tracklets seen at once are not.
    """
    assert pieces.vector is not None
    first, last = pieces.first, pieces.last
    mean = _mean_vectors(pieces.vector, pieces.edge)
    alike = np.empty(len(a))
    for part in blocks(len(a)):
        alike[part] = (mean[a[part]] * mean[b[part]]).sum(axis=1)
    middle = np.ravel(np.column_stack([first, (first + last + 1) // 2]))
    halves = _mean_vectors(pieces.vector, np.append(middle, pieces.edge[-1]))
    long = (last - first) >= 10
    same = (halves[0::2] * halves[1::2]).sum(axis=1)[long]
    some = np.flatnonzero(long)
    some = some[np.argsort(pieces.row[first[some]], kind="stable")][:_CALIBRATING]
    start, end = pieces.row[first[some]], pieces.row[last[some]]
    at_once = (start[:, None] <= end) & (start <= end[:, None]) & ~np.eye(len(some), dtype=bool)
    other = (mean[some] @ mean[some].T)[at_once]
    if len(same) < 4 or len(other) < 8:
        return np.zeros(len(a))
    near, far = max(same.std(), 0.01) * 2, max(other.std(), 0.02)
    odds = 0.5 * ((alike - other.mean()) / far) ** 2 - 0.5 * ((alike - same.mean()) / near) ** 2
    odds += np.log(far / near)
    odds = np.where(alike >= same.mean(), np.maximum(odds, 0), odds)
    blank = np.abs(mean).sum(axis=1) == 0
    odds[blank[a] | blank[b]] = 0
    result: Matrix = np.clip(odds, -6, 3)
    return result


def _mean_vectors(vector: Matrix, edge: Ints) -> Matrix:
    total = np.add.reduceat(vector, np.minimum(edge[:-1], len(vector) - 1), axis=0)
    total[edge[:-1] == edge[1:]] = 0
    length = np.linalg.norm(total, axis=1, keepdims=True)
    result: Matrix = total / np.where(length > 0, length, 1)
    return result
