"""Tracks that change their wearer: cut where the kit changes team, suffixes exchanged between pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.geometry.boxes import expand, ious
from filmroom.identify.looks import Looks, kit_distances, kit_space, looks_of_tracks
from filmroom.identify.teams import team_centres
from filmroom.tables import boxes_of, with_column

_SHARPNESS = 8.0  # nats a unit of kit distance
_MOST_NATS = 2.5  # that one look may say
_CHANGE_COST = 4.0  # nats that a change must be worth: one look in 60 follows one in simulated crowds
_LEAST_QUALITY = 0.35
_MOST_LOOKS = 2000  # from which the two kits are found
_TOGETHER_SECONDS = 1.2  # between the changes of two tracks that exchanged their wearers
_STRAYED_SECONDS = 3.0  # for which a track may follow somebody else and still come back to its own


class Change(NamedTuple):
    """A track whose kit goes over to the other team between two looks at it."""

    track: int
    before: int
    after: int
    to_second: bool


def mend_swaps(tracks: pa.Table, appearance: pa.Table, fps: float) -> pa.Table:
    """The tracks with suffixes exchanged, or cut off as new tracks, where the kit changes team.

    A change needs clear looks on both sides (two-state path of least cost, Viterbi 1967). Where two
    tracks change in opposite directions at about the same time and touch, they exchange what follows;
    otherwise what follows is a track of its own. Without two kits nothing is changed.
    """
    looks = looks_of_tracks(tracks, appearance)
    second = _odds_of_second_kit(looks)
    if second is None:
        return tracks
    changes = [
        change
        for track in np.unique(looks.track).tolist()
        for change in _changes(track, looks.frame[looks.track == track], second[looks.track == track])
    ]
    if not changes:
        return tracks
    owner = tracks["track"].to_numpy().copy()
    frames, boxes = tracks["frame"].to_numpy(), boxes_of(tracks)
    # From the last change to the first: what follows a change is settled before the change itself.
    pending = sorted(changes, key=lambda change: (-change.after, change.track))
    fresh = int(owner.max()) + 1
    while pending:
        change = pending.pop(0)
        partner = _partner(change, pending, owner, frames, boxes, fps)
        if partner is None:
            others = (owner == change.track) & (frames >= _middle(change))
            earlier = next((each for each in pending if each.track == change.track), None)
            if (
                earlier is not None
                and change.before - earlier.after <= _STRAYED_SECONDS * fps
                and _partner(earlier, pending, owner, frames, boxes, fps) is None
            ):
                pending.remove(earlier)
                others = (owner == change.track) & (frames >= _middle(earlier)) & ~others
            owner[others] = fresh
            fresh += 1
            continue
        other, at = partner
        pending.remove(other)
        mine = (owner == change.track) & (frames >= at)
        theirs = (owner == other.track) & (frames >= at)
        owner[mine], owner[theirs] = other.track, change.track
    return with_column(tracks, "track", owner)


def _middle(change: Change) -> int:
    return (change.before + change.after + 1) // 2


def _odds_of_second_kit(looks: Looks) -> NDArray[np.float64] | None:
    """Log-odds of each look for the second of the two kits; 0 where it tells nothing."""
    clear = np.flatnonzero(looks.quality >= _LEAST_QUALITY)
    if len(clear) < 2:
        return None
    space = kit_space(looks.vectors)
    chosen = clear[:: max(1, len(clear) // _MOST_LOOKS)]
    centres = team_centres(space[chosen].astype(np.float64), looks.quality[chosen])
    if centres is None or len(centres) < 2:
        return None
    distances = kit_distances(space, centres)
    apart = float(np.linalg.norm(centres[0] - centres[1]))
    odds = np.clip(_SHARPNESS * (distances[:, 0] - distances[:, 1]), -_MOST_NATS, _MOST_NATS)
    telling = (looks.quality >= _LEAST_QUALITY) & (distances.min(1) < 0.6 * apart)
    return np.where(telling, odds, 0.0)


def _changes(track: int, frames: NDArray[np.integer], odds: NDArray[np.float64]) -> list[Change]:
    """Where the likeliest sequence of kits of one track goes over from one to the other."""
    states = likeliest_states(np.stack([-odds, odds], axis=1) / 2, _CHANGE_COST)
    return [
        Change(track, int(frames[step]), int(frames[step + 1]), bool(states[step + 1] == 1))
        for step in np.flatnonzero(states[1:] != states[:-1])[::-1]
    ]


def likeliest_states(
    gains: NDArray[np.float64], cost: float, possible: NDArray[np.bool_] | None = None
) -> NDArray[np.intp]:
    """The state (column) at each moment (row) of `gains` (N, K), N > 0, in nats (Viterbi 1967).

    Every change costs `cost` and happens only at `possible` steps (N - 1,), at any where not given.
    """
    best = gains[0].copy()
    came = np.zeros(gains.shape, np.intp)
    own = np.arange(gains.shape[1])
    for step in range(1, len(gains)):
        other = int(best.argmax())
        change = best[other] - cost > best
        if possible is not None:
            change &= possible[step - 1]
        came[step] = np.where(change, other, own)
        best = np.where(change, best[other] - cost, best) + gains[step]
    states = np.zeros(len(gains), np.intp)
    states[-1] = best.argmax()
    for step in range(len(gains) - 1, 0, -1):
        states[step - 1] = came[step, states[step]]
    return states


def _partner(
    change: Change,
    others: list[Change],
    owner: NDArray[np.integer],
    frames: NDArray[np.integer],
    boxes: NDArray[np.float64],
    fps: float,
) -> tuple[Change, int] | None:
    """The opposite change, near in time, of the track that touches this one most, and when it does."""
    best: tuple[float, Change, int] | None = None
    for other in others:
        if other.to_second == change.to_second or other.track == change.track:
            continue
        apart = max(change.before, other.before) - min(change.after, other.after)
        if apart > _TOGETHER_SECONDS * fps:
            continue
        first, last = min(change.before, other.before), max(change.after, other.after)
        touch, at = closest_touch(change.track, other.track, first, last, owner, frames, boxes)
        if touch > 0 and (best is None or touch > best[0]):
            best = touch, other, at
    return None if best is None else best[1:]


def closest_touch(
    one: int,
    two: int,
    first: int,
    last: int,
    owner: NDArray[np.integer],
    frames: NDArray[np.integer],
    boxes: NDArray[np.float64],
) -> tuple[float, int]:
    """The most two tracks overlap, grown by half, between two frames, and in which frame."""
    during = (frames >= first) & (frames <= last)
    mine, theirs = np.flatnonzero(during & (owner == one)), np.flatnonzero(during & (owner == two))
    shared, here, there = np.intersect1d(frames[mine], frames[theirs], return_indices=True)
    if not len(shared):
        return 0.0, first
    overlap = np.diag(ious(expand(boxes[mine[here]], 0.5), expand(boxes[theirs[there]], 0.5)))
    most = int(overlap.argmax())
    return float(overlap[most]), int(shared[most])
