"""Where a tracking score was lost: the moments a person should go and look at.

Built on HOTA's own matching at threshold 0.5. Each moment carries the points it cost: by how much the
sequence's HOTA at that threshold (times 100) would rise if this one mistake were mended and all else
left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from filmroom.evaluation.matching import IntArray
from filmroom.evaluation.tracking import Scene, hota_matches, pair_sequences, prepare_scene
from filmroom.formats.mot import TrackRows

_HALF_LEVEL = 10
"""Level of a match whose similarity reaches the tenth threshold, 0.5."""

_SWAP_WINDOW = 50
"""Two switches that exchange tracks within this many frames are one swap."""

KINDS = ("swap", "switch", "stray", "merge", "miss", "missed track", "false boxes", "false track")


@dataclass(frozen=True)
class Moment:
    """One mistake. Frames count from 1, as in the files; ids are those of the files.

    swap: two people exchange their tracks. switch: a person goes on under another track. stray: under
    another track for a while, then back. merge: a track that held one person goes on with another, who
    had none yet. miss: in the truth, in no track. missed track: never found. false boxes: a run of a
    track's boxes that match nobody. false track: a track that never matches.
    """

    kind: str
    sequence: str
    first_frame: int
    last_frame: int
    frames: int
    truth_ids: tuple[int, ...]
    track_ids: tuple[int, ...]
    points: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """The moment in one line of plain words."""
        where = f"frame {self.first_frame}"
        if self.last_frame > self.first_frame:
            where = f"frames {self.first_frame} to {self.last_frame}"
        person, *others = (*self.truth_ids, None, None)
        track, *after = (*self.track_ids, None, None)
        words = _SENTENCES[self.kind]
        return f"{where}: " + words.format(person=person, other=others[0], track=track, after=after[0])


_SENTENCES = {
    "swap": "people {person} and {other} exchange tracks {track} and {after}",
    "switch": "person {person} goes from track {track} to {after}",
    "stray": "person {person} strays from track {track} to {after} and comes back",
    "merge": "track {track} goes on from person {person} to {other}",
    "miss": "person {person} is not found",
    "missed track": "person {person} is never found",
    "false boxes": "track {track} is on nobody",
    "false track": "track {track} is never on anybody",
}


class _Run(NamedTuple):
    """A person (truth id) under one track, or under none (-1), over frames without another between."""

    truth: int
    track: int
    first: int
    last: int
    frames: int


def explain_tracking(
    truth: Mapping[str, TrackRows], tracks: Mapping[str, TrackRows], convention: str
) -> list[Moment]:
    """The moments of all sequences, the costliest first."""
    moments = [
        moment
        for name, other in pair_sequences(truth, tracks)[0].items()
        for moment in explain_scene(prepare_scene(truth[name], tracks[other], convention), name)
    ]
    return sorted(moments, key=lambda each: (-each.points, each.sequence, each.first_frame))


def explain_scene(scene: Scene, sequence: str = "") -> list[Moment]:
    """The moments of one sequence, the costliest first."""
    matches = hota_matches(scene)
    matched = matches.pair[matches.level >= _HALF_LEVEL]
    track_of_truth = np.full(len(scene.truth_ids), -1)
    track_of_truth[scene.pairs.truth[matched]] = scene.track_ids[scene.pairs.track[matched]]
    hit = np.zeros(len(scene.track_ids), dtype=bool)
    hit[scene.pairs.track[matched]] = True
    cost = _Cost(scene, track_of_truth)
    people = _runs(scene.truth_ids, scene.truth_frames, track_of_truth)
    false = [
        run for run in _runs(scene.track_ids, scene.track_frames, np.where(hit, 0, -1)) if run.track < 0
    ]
    found = [
        *_switches(people, cost),
        *_merges(people, cost),
        *_misses(people, cost, scene),
        *_falses(false, cost, scene),
    ]
    named = [
        Moment(
            kind,
            sequence,
            first + 1,
            last + 1,
            frames,
            tuple(int(scene.truth_names[each]) for each in truth_ids),
            tuple(int(scene.track_names[each]) for each in track_ids),
            100 * points,
        )
        for kind, first, last, frames, truth_ids, track_ids, points in found
    ]
    return sorted(named, key=lambda each: (-each.points, each.first_frame, each.kind))


def totals(moments: list[Moment]) -> dict[str, dict[str, float]]:
    """Number, frames and points of each kind of moment."""
    return {
        kind: {
            "moments": len(chosen),
            "frames": sum(each.frames for each in chosen),
            "points": sum(each.points for each in chosen),
        }
        for kind in KINDS
        if (chosen := [each for each in moments if each.kind == kind])
    }


_Found = tuple[str, int, int, int, tuple[int, ...], tuple[int, ...], float]


def _runs(owners: IntArray, frames: IntArray, states: IntArray) -> list[_Run]:
    """Stretches of equal state of each owner, by owner and time."""
    if not len(owners):
        return []
    order = np.argsort(owners, kind="stable")
    owners, frames, states = owners[order], frames[order], states[order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(owners) != 0) | (np.diff(states) != 0)]))
    ends = np.append(starts[1:], len(owners))
    return [
        _Run(int(owners[a]), int(states[a]), int(frames[a]), int(frames[b - 1]), int(b - a))
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


class _Cost:
    """HOTA at one threshold from its counts, and what it becomes when some counts change."""

    def __init__(self, scene: Scene, track_of_truth: IntArray) -> None:
        found = track_of_truth >= 0
        self.shape = (len(scene.truth_names), len(scene.track_names))
        self.of_truth = scene.truth_counts
        self.of_track = scene.track_counts
        self.true_positives = int(found.sum())
        self.either = len(scene.truth_ids) + len(scene.track_ids) - self.true_positives
        codes = scene.truth_ids[found] * self.shape[1] + track_of_truth[found]
        self.together = dict(
            zip(*(each.tolist() for each in np.unique(codes, return_counts=True)), strict=True)
        )
        self.truths_of_track: dict[int, list[int]] = {}
        for code in self.together:
            self.truths_of_track.setdefault(code % self.shape[1], []).append(code // self.shape[1])
        self.association = sum(
            self._share(code // self.shape[1], code % self.shape[1], count, 0)
            for code, count in self.together.items()
        )
        self.score = self.hota(self.true_positives, self.either, self.association)

    def _share(self, truth: int, track: int, count: int, track_change: int) -> float:
        frames = int(self.of_truth[truth]) + int(self.of_track[track]) + track_change - count
        return count * count / max(1, frames)

    @staticmethod
    def hota(true_positives: int, either: int, association: float) -> float:
        # DetA times AssA; the true positives of the one cancel those of the other.
        if true_positives <= 0 or either <= 0:
            return 0.0
        return float(np.sqrt(max(association, 0.0) / either))

    def gain(
        self,
        moves: list[tuple[int, int, int]],
        track_changes: dict[int, int],
        found: int = 0,
        fewer_boxes: int = 0,
    ) -> float:
        """Rise of HOTA when `moves` (truth, track, frames more together) and track lengths change.

        `found` misses become true positives, `fewer_boxes` false boxes are taken away.
        """
        association = self._association_after(moves, track_changes)
        # A miss that is found was counted once, as a miss, and is still counted once.
        mended = self.hota(self.true_positives + found, self.either - fewer_boxes, association)
        return mended - self.score

    def _association_after(
        self, moves: list[tuple[int, int, int]], track_changes: dict[int, int]
    ) -> float:
        changed: dict[tuple[int, int], int] = {}
        for truth, track, frames in moves:
            changed[truth, track] = changed.get((truth, track), 0) + frames
        touched = set(changed)
        for track in track_changes:
            touched |= {(truth, track) for truth in self.truths_of_track.get(track, [])}
        association = self.association
        for truth, track in touched:
            before = self.together.get(truth * self.shape[1] + track, 0)
            after = before + changed.get((truth, track), 0)
            association += self._share(truth, track, after, track_changes.get(track, 0))
            association -= self._share(truth, track, before, 0)
        return association

    def split_off(self, truth: int, track: int, frames: int) -> float:
        """Rise of HOTA when a person's frames under a track get a track of their own."""
        association = self._association_after([(truth, track, -frames)], {track: -frames})
        association += frames**2 / int(self.of_truth[truth])
        return self.hota(self.true_positives, self.either, association) - self.score


def _relabel(cost: _Cost, run: _Run, track: int) -> float:
    """Gain if the boxes of a run bore another track's id."""
    moves = [(run.truth, run.track, -run.frames), (run.truth, track, run.frames)]
    return cost.gain(moves, {run.track: -run.frames, track: run.frames})


def _switches(people: list[_Run], cost: _Cost) -> list[_Found]:
    found: list[_Found] = []
    changes: list[tuple[_Run, _Run]] = []
    tracked = _without_misses(people)
    for index in range(1, len(tracked)):
        before, after = tracked[index - 1], tracked[index]
        if before.truth != after.truth or before.track == after.track:
            continue
        following = tracked[index + 1] if index + 1 < len(tracked) else None
        earlier = tracked[index - 2] if index > 1 else None
        if _same(earlier, after):
            continue
        if _same(following, before) and following is not None:
            points = _relabel(cost, after, before.track)
            found.append(
                ("stray", after.first, after.last, after.frames, (after.truth,),
                 (before.track, after.track), points)
            )  # fmt: skip
            continue
        changes.append((before, after))
    used: set[int] = set()
    for index, (before, after) in enumerate(changes):
        if index in used:
            continue
        partner = _partner(changes, index, used)
        if partner is None:
            points = max(_relabel(cost, after, before.track), _relabel(cost, before, after.track))
            found.append(
                ("switch", after.first, after.first, after.frames, (after.truth,),
                 (before.track, after.track), points)
            )  # fmt: skip
            continue
        used.add(partner)
        other = changes[partner][1]
        a, b = before.track, after.track
        moves = [
            (after.truth, b, -after.frames), (after.truth, a, after.frames),
            (other.truth, a, -other.frames), (other.truth, b, other.frames),
        ]  # fmt: skip
        length = after.frames - other.frames
        points = cost.gain(moves, {a: length, b: -length})
        first, last = sorted((after.first, other.first))
        found.append(
            (
                "swap",
                first,
                last,
                after.frames + other.frames,
                (after.truth, other.truth),
                (a, b),
                points,
            )
        )
    return found


def _merges(people: list[_Run], cost: _Cost) -> list[_Found]:
    """Tracks that go on with somebody new: only who had no track before, others are switches."""
    found: list[_Found] = []
    tracked = _without_misses(people)
    last_of_track: dict[int, list[_Run]] = {}
    for run in tracked:
        last_of_track.setdefault(run.track, []).append(run)
    for index, run in enumerate(tracked):
        if index and tracked[index - 1].truth == run.truth:
            continue
        before = [each for each in last_of_track[run.track] if each.last < run.first]
        if not before:
            continue
        other = max(before, key=lambda each: each.last)
        points = cost.split_off(run.truth, run.track, run.frames)
        found.append(
            ("merge", run.first, run.first, run.frames, (other.truth, run.truth), (run.track,), points)
        )
    return found


def _without_misses(people: list[_Run]) -> list[_Run]:
    """The runs under a track, those that only a miss interrupts joined."""
    joined: list[_Run] = []
    for run in people:
        if run.track < 0:
            continue
        if joined and _same(joined[-1], run):
            frames = joined[-1].frames + run.frames
            joined[-1] = joined[-1]._replace(last=run.last, frames=frames)
        else:
            joined.append(run)
    return joined


def _same(run: _Run | None, other: _Run) -> bool:
    return run is not None and (run.truth, run.track) == (other.truth, other.track)


def _partner(changes: list[tuple[_Run, _Run]], index: int, used: set[int]) -> int | None:
    before, after = changes[index]
    candidates = [
        (abs(start.first - after.first), other)
        for other, (end, start) in enumerate(changes)
        if other > index
        and other not in used
        and start.truth != after.truth
        and (end.track, start.track) == (after.track, before.track)
        and abs(start.first - after.first) <= _SWAP_WINDOW
    ]
    return min(candidates)[1] if candidates else None


def _misses(people: list[_Run], cost: _Cost, scene: Scene) -> list[_Found]:
    found: list[_Found] = []
    for index, run in enumerate(people):
        if run.track >= 0:
            continue
        neighbours = [
            people[each]
            for each in (index - 1, index + 1)
            if 0 <= each < len(people) and people[each].truth == run.truth
        ]
        if not neighbours:
            # Mended as a new track of its own that holds it from beginning to end.
            association = cost.association + run.frames
            points = cost.hota(cost.true_positives + run.frames, cost.either, association) - cost.score
            kind = "missed track" if run.frames == int(scene.truth_counts[run.truth]) else "miss"
            found.append((kind, run.first, run.last, run.frames, (run.truth,), (), points))
            continue
        track = neighbours[0].track
        points = cost.gain([(run.truth, track, run.frames)], {track: run.frames}, found=run.frames)
        found.append(("miss", run.first, run.last, run.frames, (run.truth,), (track,), points))
    return found


def _falses(false: list[_Run], cost: _Cost, scene: Scene) -> list[_Found]:
    found: list[_Found] = []
    for run in false:
        track = run.truth
        whole = run.frames == int(scene.track_counts[track])
        points = cost.gain([], {track: -run.frames}, fewer_boxes=run.frames)
        kind = "false track" if whole else "false boxes"
        found.append((kind, run.first, run.last, run.frames, (), (track,), points))
    return found
