"""Telling a match's people apart by what the match itself shows, and chains put right by it."""

from __future__ import annotations

import itertools

import numpy as np

from filmroom.track.in_match import Likeness, LikenessSettings, Looks, learn_likeness, overlaps
from filmroom.track.pieces import Pieces
from filmroom.track.rearrange import rearrange

PEOPLE, LENGTH, TRAITS, NOISE = 8, 50, 3, 9


def match(seed: int = 0, stretches: int = 4) -> tuple[Pieces, np.ndarray, np.ndarray]:
    """Tracklets of people in view at once; few of the numbers of a look are a person's own.

    The first TRAITS numbers are nearly constant for a person; the others sway far.
    Also the owner of each tracklet, and zeros for how much each look is covered.
    """
    random = np.random.default_rng(seed)
    traits = random.normal(0, 0.3, (PEOPLE, TRAITS))
    piece, row, looks, owner = [], [], [], []
    for turn, person in itertools.product(range(stretches), range(PEOPLE)):
        sway = np.zeros((LENGTH, NOISE))
        for earlier, now in itertools.pairwise(range(LENGTH)):
            sway[now] = 0.8 * sway[earlier] + random.normal(0, 0.6, NOISE)
        own = traits[person] + random.normal(0, 0.1, (LENGTH, TRAITS))
        looks.append(np.hstack([own, sway]))
        piece.append(np.full(LENGTH, len(owner) + 1))
        row.append(turn * (LENGTH + 10) + np.arange(LENGTH))
        owner.append(person)
    piece, row, vector = np.concatenate(piece), np.concatenate(row), np.concatenate(looks)
    boxes = np.tile([100.0, 100.0, 30.0, 80.0], (len(row), 1))
    pieces = Pieces.of(piece, row, boxes, np.full(len(row), 0.9), vector)
    return pieces, np.array(owner), np.zeros(len(row))


def looks_of(pieces: Pieces) -> Looks:
    """Every detection was looked at."""
    assert pieces.vector is not None
    return Looks(np.arange(len(pieces.row)), pieces.vector.copy())


def pairs_of(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(len(owner), 1)


def share_right(odds: np.ndarray, same: np.ndarray) -> float:
    """Chance that a pair of one person has higher odds than a pair of two."""
    return float((odds[same][:, None] > odds[~same]).mean())


def test_the_match_shows_which_numbers_tell_its_people_apart() -> None:
    pieces, owner, covered = match()
    likeness = learn_likeness(pieces, looks_of(pieces), covered, 25.0)
    assert likeness is not None
    first, second = pairs_of(owner)
    same = owner[first] == owner[second]
    mean = np.array([pieces.vector[a:b].mean(0) for a, b in itertools.pairwise(pieces.edge)])
    plain = -np.linalg.norm(mean[first] - mean[second], axis=1)
    learnt = likeness.odds(first, second)
    assert share_right(learnt, same) > 0.9 > share_right(plain, same) + 0.2
    assert np.median(learnt[same]) > 0 > np.median(learnt[~same])


def test_odds_are_the_same_both_ways_and_stay_within_bounds() -> None:
    pieces, owner, covered = match(1)
    settings = LikenessSettings(bounds=(-2.0, 1.5))
    likeness = learn_likeness(pieces, looks_of(pieces), covered, 25.0, settings)
    first, second = pairs_of(owner)
    odds = likeness.odds(first, second)
    np.testing.assert_allclose(odds, likeness.odds(second, first), atol=1e-9)
    assert odds.min() >= -2.0 and odds.max() <= 1.5


def test_who_changed_a_little_is_not_surely_somebody_else() -> None:
    pieces, owner, covered = match(3)
    random = np.random.default_rng(0)
    looks = looks_of(pieces)
    changes = random.normal(0, 0.15, (len(owner), TRAITS))
    looks.vector[:, :TRAITS] += np.repeat(changes, np.diff(pieces.edge), axis=0)
    first, second = pairs_of(owner)
    same = owner[first] == owner[second]
    lost = []
    for drift in (0.0, LikenessSettings.drift):
        likeness = learn_likeness(pieces, looks, covered, 25.0, LikenessSettings(drift=drift))
        assert likeness is not None
        lost.append(float((likeness.odds(first, second)[same] < -1).mean()))
    assert lost[0] > 0.2 and lost[1] < 0.6 * lost[0]


def test_tracklets_without_a_clear_look_prove_nothing() -> None:
    pieces, owner, covered = match(2)
    covered[: 2 * LENGTH] = 1.0  # the first two are always behind somebody
    likeness = learn_likeness(pieces, looks_of(pieces), covered, 25.0)
    rest = np.arange(2, len(owner))
    assert (likeness.odds(np.zeros(len(rest), int), rest) == 0).all()
    assert (likeness.odds(rest[:1], rest[1:2]) != 0).all()


def test_too_little_to_learn_from_is_said_by_nothing() -> None:
    pieces, _, covered = match(3, stretches=1)
    kept = pieces.edge[1]
    few = Pieces.of(
        np.ones(LENGTH, np.int64),
        pieces.row[:kept],
        pieces.box[:kept],
        pieces.score[:kept],
        pieces.vector[:kept],
    )
    assert learn_likeness(few, looks_of(few), covered[:kept], 25.0) is None


def test_overlaps_are_with_the_worst_neighbour_of_the_same_row() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 10, 10], [100, 0, 10, 10], [0, 0, 10, 10]])
    found = overlaps(np.array([0, 0, 0, 1]), boxes)
    np.testing.assert_allclose(found, [1 / 3, 1 / 3, 0, 0])


def two_who_met() -> tuple[Likeness, dict[str, np.ndarray]]:
    """Before they met 0 and 1, a moment that shows nothing 2 and 3, after it 4 (as 0) and 5 (as 1)."""
    looks = np.array([[3.0], [-3.0], [0.0], [0.0], [3.0], [-3.0]])
    spread = np.array([0.1, 0.1, np.inf, np.inf, 0.1, 0.1])[:, None]
    likeness = Likeness(looks, spread, np.array([4.0]), 1.0, (-6.0, 4.0))
    first = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    second = np.array([2, 3, 2, 3, 4, 5, 4, 5])
    return likeness, {"first": first, "second": second, "start": np.array([0, 0, 1, 1, 2, 2])}


def test_looks_reach_over_a_moment_that_shows_nothing() -> None:
    likeness, clip = two_who_met()
    wrong = np.array([2, 3, 5, 4, -1, -1])
    odds = np.full(8, 1.0)
    right = rearrange(wrong, likeness=likeness, odds=odds, **clip)
    assert right[right[0]] == 4 and right[right[1]] == 5
    assert (rearrange(right, likeness=likeness, odds=odds, **clip) == right).all()


def test_motion_that_is_sure_is_believed_against_looks() -> None:
    likeness, clip = two_who_met()
    odds = np.where(clip["second"] - clip["first"] == 2, 200.0, 1.0)
    odds[[4, 7]] = 1.0  # 2 to 4 and 3 to 5
    odds[[5, 6]] = 200.0
    crossing = np.array([2, 3, 5, 4, -1, -1])
    assert (rearrange(crossing, likeness=likeness, odds=odds, **clip) == crossing).all()


def test_loose_ends_are_joined_and_nobody_is_in_two_chains() -> None:
    likeness, clip = two_who_met()
    loose = rearrange(np.full(6, -1), likeness=likeness, odds=np.full(8, 1.0), **clip)
    linked = loose[loose >= 0]
    assert len(linked) == 4 == len(np.unique(linked))
    assert loose[loose[0]] == 4 and loose[loose[1]] == 5
