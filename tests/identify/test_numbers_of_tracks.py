import numpy as np

from filmroom import tables
from filmroom.identify.numbers import can_be_worn, claim_numbers, without_impossible
from filmroom.identify.roster import RosterEntry

FRAMES = 60


def tracks_of(spans):
    """Tracks 1..N present from first to last frame; detection number = track."""
    rows = [
        (frame, track) for track, (first, last) in enumerate(spans, 1) for frame in range(first, last)
    ]
    frame, track = np.array(rows).T
    ones = np.ones(len(rows))
    return tables.TRACKS.build(
        {
            "frame": frame,
            "track": track,
            "x": ones,
            "y": ones,
            "w": ones,
            "h": ones,
            "score": ones,
            "role": ["player"] * len(rows),
            "visible": ones,
            "detection": track,
        }
    )


def reads_of(*reads):
    """Rows of (track, first frame, count, text, score): one read every tenth frame."""
    rows = [
        (first + 10 * k, track, text, score)
        for track, first, count, text, score in reads
        for k in range(count)
    ]
    frame, detection, text, score = zip(*rows, strict=True)
    ones = np.ones(len(rows))
    return tables.NUMBER_READS.build(
        {
            "frame": frame,
            "detection": detection,
            "text": text,
            "score": score,
            "legible": ones * 0.95,
            "x": ones,
            "y": ones,
            "w": ones,
            "h": ones,
        }
    )


def numbers(claims):
    return {track: claim.number for track, claim in claims.items()}


def test_steady_reads_become_a_number():
    tracks = tracks_of([(0, FRAMES), (0, FRAMES)])
    claims, _ = claim_numbers(
        tracks, reads_of((1, 0, 5, "7", 0.9), (2, 0, 5, "10", 0.9)), {1: "a", 2: "a"}
    )
    assert numbers(claims) == {1: "7", 2: "10"}
    assert all(claim.score > 0.9 for claim in claims.values())


def test_later_evidence_overturns_an_earlier_read():
    tracks = tracks_of([(0, 100)])
    reads = reads_of((1, 0, 2, "25", 0.6), (1, 30, 6, "26", 0.9))
    assert numbers(claim_numbers(tracks, reads, {1: "a"})[0]) == {1: "26"}


def test_two_team_mates_at_once_never_wear_one_number():
    tracks = tracks_of([(0, FRAMES), (0, FRAMES)])
    reads = reads_of((1, 0, 6, "9", 0.95), (2, 0, 3, "9", 0.7))
    assert numbers(claim_numbers(tracks, reads, {1: "a", 2: "a"})[0]) == {1: "9"}


def test_opponents_may_wear_the_same_number():
    tracks = tracks_of([(0, FRAMES), (0, FRAMES)])
    reads = reads_of((1, 0, 5, "9", 0.9), (2, 0, 5, "9", 0.9))
    assert numbers(claim_numbers(tracks, reads, {1: "a", 2: "b"})[0]) == {1: "9", 2: "9"}


def test_one_after_the_other_may_be_the_same_player():
    tracks = tracks_of([(0, 30), (40, 90)])
    reads = reads_of((1, 0, 3, "9", 0.9), (2, 40, 4, "9", 0.9))
    assert numbers(claim_numbers(tracks, reads, {1: "a", 2: "a"})[0]) == {1: "9", 2: "9"}


def test_contradicting_reads_abstain():
    tracks = tracks_of([(0, 100)])
    reads = reads_of((1, 0, 3, "18", 0.8), (1, 50, 3, "16", 0.8))
    assert claim_numbers(tracks, reads, {1: "a"})[0] == {}


def test_referees_wear_no_number():
    tracks = tracks_of([(0, FRAMES)])
    assert claim_numbers(tracks, reads_of((1, 0, 5, "7", 0.9)), {1: "none"})[0] == {}


ROSTER = [
    RosterEntry("Lions", "7", "Ada"),
    RosterEntry("Lions", "10", "Bo"),
    RosterEntry("Bears", "8", "Cy"),
]


def test_a_roster_names_players_and_teams():
    tracks = tracks_of([(0, FRAMES)] * 3)
    reads = reads_of((1, 0, 5, "8", 0.9), (2, 0, 5, "7", 0.9), (3, 0, 5, "10", 0.9))
    claims, names = claim_numbers(tracks, reads, {1: "a", 2: "b", 3: "b"}, ROSTER)
    assert names == {"a": "Bears", "b": "Lions"}
    assert {track: claim.name for track, claim in claims.items()} == {1: "Cy", 2: "Ada", 3: "Bo"}


def test_a_number_that_is_not_on_the_roster_is_not_claimed():
    tracks = tracks_of([(0, FRAMES)] * 2)
    reads = reads_of((1, 0, 5, "7", 0.9), (2, 0, 5, "99", 0.9))
    claims, _ = claim_numbers(tracks, reads, {1: "a", 2: "a"}, ROSTER)
    assert numbers(claims) == {1: "7"}


def test_nobody_gets_a_number_only_because_a_team_mate_wears_the_likelier_one():
    tracks = tracks_of([(0, 100), (0, 100)])
    reads = reads_of((1, 0, 8, "33", 0.95), (2, 0, 5, "33", 0.9), (2, 60, 3, "93", 0.8))
    assert numbers(claim_numbers(tracks, reads, {1: "a", 2: "a"})[0]) == {1: "33"}


def test_numbers_that_nobody_may_wear_are_not_reads():
    assert [n for n in ("0", "00", "7", "07", "99", "100", "1a", "") if can_be_worn(n)] == [
        "0", "00", "7", "99",
    ]  # fmt: skip
    assert not can_be_worn("00", least=1)
    assert not can_be_worn("21", least=1, most=20)
    reads = reads_of((1, 0, 3, "00", 0.9), (1, 40, 2, "8", 0.9), (2, 0, 1, "", 0.0))
    assert without_impossible(reads, 1, 99)["text"].to_pylist() == ["8", "8", ""]
    assert without_impossible(reads)["text"].to_pylist() == ["00"] * 3 + ["8", "8", ""]
