"""Tracks set right by the numbers read on them: cut where the number changes, joined where it stays."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.geometry.boxes import ious
from filmroom.identify.numbers import reads_of_tracks
from filmroom.identify.swaps import closest_touch, likeliest_states
from filmroom.identify.votes import weigh_reads
from filmroom.tables import boxes_of, with_column

_CHANGE_COST = 7.0  # nats that a change of number must be worth
_LEAST_READS = 1.0  # whole reads on either side of a change
_TOUCH = 0.1  # IoU from which two people may have been exchanged
_READ_OFTEN = 2  # reads of a number from which a track surely wore it
_ABSENT = 3  # times the usual step between frames from which a track was absent
_TOGETHER = 5  # frames that two tracks of one person may share by mistake
_REACH, _SPEED = 2.0, 8.0  # body heights, and body heights a second, that somebody may be off on return


class _Change(NamedTuple):
    """A track read as `old` up to frame `before`, as `new` from `after` on, doubtful at `at`."""

    track: int
    old: str
    new: str
    before: int
    after: int
    at: int


def mend_number_changes(tracks: pa.Table, reads: pa.Table, teams: Mapping[int, str | None]) -> pa.Table:
    """The tracks, set right where one number is read before and another after a doubtful moment.

    `reads` are NUMBER_READS with text. The likeliest sequence of numbers of each track is found
    (Viterbi 1967). Where another track of its team (`teams`, by track) close by wore the new number
    before, or wears the old one after, the two exchange what follows; otherwise what follows is a track
    of its own, with a new id. Where the track is neither absent nor meets another one, a change of
    number is a misreading.
    """
    owner = tracks["track"].to_numpy().copy()
    frames, boxes = tracks["frame"].to_numpy(), boxes_of(tracks)
    worn: dict[int, list[tuple[int, str]]] = {}
    changes: list[_Change] = []
    for track, texts, scores, legible, when in reads_of_tracks(tracks, reads):
        weighed = weigh_reads(texts, scores, legible, frames=when)
        if not weighed.numbers:
            continue
        moments = when[weighed.read]
        touches = [
            _doubtful_moment(track, int(before), int(after), owner, frames, boxes)
            for before, after in itertools.pairwise(moments)
        ]
        possible = np.array([at is not None for at in touches], bool)
        states = likeliest_states(weighed.nats, _CHANGE_COST, possible)
        worn[track] = [
            (int(frame), weighed.numbers[state]) for frame, state in zip(moments, states, strict=True)
        ]
        for step in _solid_changes(states, weighed.whole):
            at = touches[step]
            assert at is not None
            old, new = (weighed.numbers[state] for state in states[step : step + 2])
            before, after = int(moments[step]), int(moments[step + 1])
            changes.append(_Change(track, old, new, before, after, at))
    fresh = int(owner.max(initial=0)) + 1
    # From the last change to the first: what follows a change is settled before the change itself.
    for change in sorted(changes, key=lambda each: (-each.at, each.track)):
        mine = owner == change.track
        if change.new not in [number for frame, number in worn[change.track] if frame > change.at]:
            continue  # settled by an exchange with the other one
        partner = _partner(change, worn, teams, owner, frames, boxes)
        if partner is None:
            owner[mine & (frames >= change.at)] = fresh
            worn[fresh] = [read for read in worn[change.track] if read[0] >= change.at]
            worn[change.track] = [read for read in worn[change.track] if read[0] < change.at]
            fresh += 1
            continue
        other, at = partner
        theirs = owner == other
        owner[mine & (frames >= at)], owner[theirs & (frames >= at)] = other, change.track
        ours, others = worn[change.track], worn.get(other, [])
        worn[change.track] = [r for r in ours if r[0] < at] + [r for r in others if r[0] >= at]
        worn[other] = [r for r in others if r[0] < at] + [r for r in ours if r[0] >= at]
    return with_column(tracks, "track", owner)


def _partner(
    change: _Change,
    worn: Mapping[int, list[tuple[int, str]]],
    teams: Mapping[int, str | None],
    owner: NDArray[np.integer],
    frames: NDArray[np.integer],
    boxes: NDArray[np.float64],
) -> tuple[int, int] | None:
    """The track that exchanged its wearer with the changed one, and the frame when, if there is one.

    It is of the same team, wore the new number before and not after, or wears the old one after and not
    before, and it comes closer than any other such track.
    """
    during = (frames >= change.before) & (frames <= change.after)
    best: tuple[float, int, int] | None = None
    for other in np.unique(owner[during & (owner != change.track)]).tolist():
        earlier = Counter(number for frame, number in worn.get(other, []) if frame <= change.at)
        later = Counter(number for frame, number in worn.get(other, []) if frame > change.at)
        gave = earlier[change.new] >= _READ_OFTEN and not later[change.new]
        took = later[change.old] >= _READ_OFTEN and not earlier[change.old]
        if not (gave or took) or teams.get(other) != teams.get(change.track):
            continue
        touch, at = closest_touch(
            change.track, other, change.before, change.after, owner, frames, boxes
        )
        if touch > 0 and (best is None or touch > best[0]):
            best = touch, other, at
    return None if best is None else best[1:]


def join_by_number(
    tracks: pa.Table, numbers: Mapping[int, str], teams: Mapping[int, str | None], fps: float
) -> pa.Table:
    """The tracks, those of one person under the id of the earliest.

    `numbers` are claims by track. Two tracks of one team with one number are one person unless
    they are in the picture together, or too far apart for the time between.
    """
    owner = tracks["track"].to_numpy().copy()
    frames, boxes = tracks["frame"].to_numpy(), boxes_of(tracks)
    wearers: dict[tuple[str, str], list[int]] = {}
    for track, number in numbers.items():
        team = teams.get(track)
        if team is not None:
            wearers.setdefault((team, number), []).append(track)
    doubled = np.zeros(len(owner), bool)
    for mine in wearers.values():
        mine.sort(key=lambda track: int(frames[owner == track].min()))
        person = mine[0]
        for later in mine[1:]:
            here, there = owner == person, owner == later
            if not _may_continue(here, there, frames, boxes, fps):
                person = later
                continue
            doubled |= there & np.isin(frames, frames[here])
            owner[there] = person
    return with_column(tracks, "track", owner).filter(pa.array(~doubled))


def _doubtful_moment(
    track: int,
    first: int,
    last: int,
    owner: NDArray[np.integer],
    frames: NDArray[np.integer],
    boxes: NDArray[np.float64],
) -> int | None:
    """The frame between two at which somebody else may have taken over the track, if there is one.

    After an absence it is the first frame again; otherwise where the track overlaps another one most.
    """
    during = (frames >= first) & (frames <= last)
    mine, others = np.flatnonzero(during & (owner == track)), np.flatnonzero(during & (owner != track))
    mine = mine[np.argsort(frames[mine], kind="stable")]
    steps = np.diff(frames[mine])
    if len(steps) and steps.max() > _ABSENT * steps.min():
        return int(frames[mine][int(steps.argmax()) + 1])
    best, at = _TOUCH, None
    for row in mine:
        there = others[frames[others] == frames[row]]
        near = ious(boxes[row][None], boxes[there]).max(initial=0)
        if near > best:
            best, at = float(near), int(frames[row])
    return at


def _solid_changes(states: NDArray[np.intp], whole: NDArray[np.float64]) -> list[int]:
    """Steps at which the number changes and enough is read on either side until the next change."""
    steps = np.flatnonzero(states[1:] != states[:-1])
    edges = np.r_[0, steps + 1, len(states)]
    amounts = [whole[start:end].sum() for start, end in itertools.pairwise(edges)]
    return [
        int(step)
        for step, before, after in zip(steps, amounts[:-1], amounts[1:], strict=True)
        if min(before, after) >= _LEAST_READS
    ]


def _may_continue(
    earlier: NDArray[np.bool_],
    later: NDArray[np.bool_],
    frames: NDArray[np.integer],
    boxes: NDArray[np.float64],
    fps: float,
) -> bool:
    if len(np.intersect1d(frames[earlier], frames[later])) > _TOGETHER:
        return False
    end = np.flatnonzero(earlier)[frames[earlier].argmax()]
    start = np.flatnonzero(later)[frames[later].argmin()]
    centres = boxes[[end, start], :2] + boxes[[end, start], 2:] / 2
    apart = float(np.linalg.norm(centres[1] - centres[0])) / float(boxes[end, 3])
    gap = max(0, int(frames[start]) - int(frames[end])) / fps
    return apart <= _REACH + _SPEED * gap
