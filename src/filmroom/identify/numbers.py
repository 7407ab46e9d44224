"""Which number, and which player of the roster, every track is: one solution for the whole clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom.identify.roster import RosterEntry
from filmroom.identify.teams import TEAMS
from filmroom.identify.votes import Support, evidence, probability, unread_nats

_TOGETHER_FRAMES_TOLERATED = 5
_LEAST_READS = 1.5  # whole reads that must speak for a number before it is claimed
_LEAST_LEAD = 1.0  # nats over the next number that the track could wear
_LEAST_PROBABILITY = 0.5  # a claim that the reads themselves do not favour is none
_MOST_CANDIDATES = 6

Evidence = Mapping[str, Support]


class Claim(NamedTuple):
    """The number claimed for a track, how surely, and the roster's name for it."""

    number: str
    score: float
    name: str | None


class TrackReads(NamedTuple):
    """All reads of one track in order of frame, as `votes.evidence` takes them."""

    track: int
    texts: list[str]
    scores: NDArray[np.floating]
    legible: NDArray[np.floating]
    frames: NDArray[np.integer]


def claim_numbers(
    tracks: pa.Table,
    reads: pa.Table,
    teams: Mapping[int, str | None],
    roster: Sequence[RosterEntry] = (),
) -> tuple[dict[int, Claim], dict[str, str]]:
    """Claims by track, and the roster's team name for each of `a` and `b`.

    `teams` is the team of each track; those absent from it, or None, carry no claim. A number is worn
    once per team at a time; with a roster only its numbers occur. The claims maximise the total
    evidence under these rules (a 0/1 programme), so a later read may overturn an earlier claim.
    """
    support = _support(tracks, reads, teams)
    together = _pairs_together(tracks, [track for track in support])
    if not roster:
        chosen = _solve(support, together, teams)
        return {t: _claim(support[t], number, None) for t, number in chosen.items()}, {}
    best: tuple[float, dict[int, Claim], dict[str, str]] = (-np.inf, {}, {})
    name_of = {(entry.team, entry.number): entry.name or None for entry in roster}
    for names in _namings(roster):
        allowed = {
            (team, entry.number)
            for team, name in names.items()
            for entry in roster
            if entry.team == name
        }
        limited = {
            track: {n: each for n, each in found.items() if (teams[track], n) in allowed}
            for track, found in support.items()
        }
        chosen = _solve(limited, together, teams)
        total = sum(support[track][number].nats for track, number in chosen.items())
        if total > best[0]:
            claims = {
                track: _claim(limited[track], number, name_of[names[str(teams[track])], number])
                for track, number in chosen.items()
            }
            best = (total, claims, names)
    _, claims, names = best
    # Without a single claim nothing tells which of the two teams is which.
    return claims, names if claims else {}


def can_be_worn(number: str, least: int = 0, most: int = 99) -> bool:
    """Whether a shirt may bear this number where those from `least` to `most` are allowed.

    Only 0 itself begins with a 0, and 00 where 0 is allowed (as in basketball).
    """
    if not number.isdecimal() or not least <= int(number) <= most:
        return False
    return not number.startswith("0") or number in ("0", "00")


def without_impossible(reads: pa.Table, least: int = 0, most: int = 99) -> pa.Table:
    """NUMBER_READS without the numbers that nobody may wear; empty texts stay."""
    texts = reads["text"].unique().to_pylist()
    possible = [text for text in texts if not text or can_be_worn(text, least, most)]
    return reads.filter(pc.is_in(reads["text"], pa.array(possible, pa.string())))


def _claim(found: Evidence, number: str, name: str | None) -> Claim:
    return Claim(number, probability(found, number), name)


def _namings(roster: Sequence[RosterEntry]) -> list[dict[str, str]]:
    names = list(dict.fromkeys(entry.team for entry in roster))
    if len(names) == 1:
        return [{team: names[0]} for team in TEAMS]
    first, second = names[:2]
    return [{"a": first, "b": second}, {"a": second, "b": first}]


def _support(
    tracks: pa.Table, reads: pa.Table, teams: Mapping[int, str | None]
) -> dict[int, dict[str, Support]]:
    """Evidence for the likeliest numbers of each track that has a team."""
    support = {}
    for mine in reads_of_tracks(tracks, reads):
        if teams.get(mine.track) not in TEAMS:
            continue
        found = evidence(mine.texts, mine.scores, mine.legible, frames=mine.frames)
        ranked = sorted(found.items(), key=lambda item: (-item[1].nats, item[0]))[:_MOST_CANDIDATES]
        support[mine.track] = dict(ranked)
    return support


def reads_of_tracks(tracks: pa.Table, reads: pa.Table) -> list[TrackReads]:
    """The number reads of every track that has any, tracks in order."""
    seen = tracks.filter(pc.is_valid(tracks["detection"])).select(["frame", "track", "detection"])
    joined = seen.join(reads, ["frame", "detection"], join_type="inner").sort_by(
        [("track", "ascending"), ("frame", "ascending")]
    )
    owner = joined["track"].to_numpy()
    texts = joined["text"].to_pylist()
    scores, legible = joined["score"].to_numpy(), joined["legible"].to_numpy()
    frames = joined["frame"].to_numpy()
    found = []
    for track in np.unique(owner).tolist():
        start, end = np.searchsorted(owner, [track, track + 1])
        found.append(
            TrackReads(
                track, texts[start:end], scores[start:end], legible[start:end], frames[start:end]
            )
        )
    return found


def _pairs_together(tracks: pa.Table, chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of tracks that are in the picture at the same time for more than a moment."""
    owner, frames = tracks["track"].to_numpy(), tracks["frame"].to_numpy()
    when = {track: np.unique(frames[owner == track]) for track in chosen}
    return [
        (first, second)
        for position, first in enumerate(chosen)
        for second in chosen[position + 1 :]
        if len(np.intersect1d(when[first], when[second], assume_unique=True))
        > _TOGETHER_FRAMES_TOLERATED
    ]


def _solve(
    support: Mapping[int, Evidence],
    together: Sequence[tuple[int, int]],
    teams: Mapping[int, str | None],
) -> dict[int, str]:
    """The number of each track that can be claimed: most evidence in all, none worn twice at once."""
    options = [
        (track, number, each.nats - unread_nats(len(found)))
        for track, found in support.items()
        for number, each in found.items()
        if each.reads >= _LEAST_READS and each.nats > unread_nats(len(found))
    ]
    rivals = [(first, second) for first, second in together if teams[first] == teams[second]]
    chosen = _most_evidence(options, rivals)
    return {
        track: number
        for track, number in chosen.items()
        if _lead(track, number, support[track], chosen, rivals) >= _LEAST_LEAD
        and probability(support[track], number) >= _LEAST_PROBABILITY
    }


def _lead(
    track: int,
    number: str,
    found: Evidence,
    chosen: Mapping[int, str],
    rivals: Sequence[tuple[int, int]],
) -> float:
    """Nats between the number and the next one that no team mate around wears."""
    taken = {chosen.get(b if a == track else a) for a, b in rivals if track in (a, b)}
    others = [each.nats for other, each in found.items() if other != number and other not in taken]
    return found[number].nats - max(others, default=-np.inf)


def _most_evidence(
    options: Sequence[tuple[int, str, float]], rivals: Sequence[tuple[int, int]]
) -> dict[int, str]:
    """A 0/1 programme over (track, number, gain): one number a track, none shared by rivals."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    column = {(track, number): index for index, (track, number, _) in enumerate(options)}
    numbers: dict[int, list[str]] = {}
    for track, number, _ in options:
        numbers.setdefault(track, []).append(number)
    rules = [[column[track, number] for number in mine] for track, mine in numbers.items()]
    rules += [
        [column[first, number], column[second, number]]
        for first, second in rivals
        for number in numbers.get(first, [])
        if (second, number) in column
    ]
    rules = [rule for rule in rules if len(rule) > 1]
    if not rules:
        return {track: number for track, number, _ in options}
    rows = np.repeat(np.arange(len(rules)), [len(rule) for rule in rules])
    matrix = csr_array(
        (np.ones(len(rows)), (rows, np.concatenate(rules))), shape=(len(rules), len(options))
    )
    result = milp(
        -np.array([gain for *_, gain in options]),
        integrality=np.ones(len(options)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, 1),
    )
    taken: NDArray[np.bool_] = np.round(result.x).astype(bool)
    return {track: number for (track, number, _), use in zip(options, taken, strict=True) if use}
