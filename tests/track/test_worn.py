"""Numbers on backs as evidence of who is who."""

import numpy as np

from filmroom.track.in_match import Likeness
from filmroom.track.pieces import Pieces
from filmroom.track.rearrange import rearrange
from filmroom.track.worn import NumberReads, Worn

PRIOR = np.full(2, 0.01)  # of the numbers 7 and 9


def reads(*seen):
    """Reads of (detection, number 0 or 1, nats)."""
    key, number, nats = zip(*seen, strict=True)
    return NumberReads(np.array(key), np.eye(2)[list(number)] * np.array(nats)[:, None], PRIOR)


def tracklets(lengths):
    """One after another, ten frames apart; detection n has the key n."""
    piece = np.repeat(np.arange(len(lengths)) + 1, lengths)
    row = np.concatenate([10 * index + np.arange(length) for index, length in enumerate(lengths)])
    return Pieces.of(piece, row, np.ones((len(row), 4)), np.ones(len(row)), None)


def worn_by(pieces, *seen):
    return Worn.of(reads(*seen), np.arange(pieces.count), pieces, 25.0)


def test_equal_numbers_speak_for_one_person_and_different_ones_against() -> None:
    worn = worn_by(tracklets([4] * 4), (0, 0, 6.0), (4, 0, 6.0), (8, 1, 6.0))
    same, other, unread = worn.odds(np.array([0, 0, 0]), np.array([1, 2, 3]))
    assert same > 2
    assert other < -0.5
    assert abs(unread) < 1e-9


def test_reads_of_one_moment_share_their_weight() -> None:
    at_once = worn_by(tracklets([4]), (0, 0, 6.0), (1, 0, 6.0))
    once = worn_by(tracklets([4]), (0, 0, 6.0))
    apart = worn_by(tracklets([9]), (0, 0, 6.0), (8, 0, 6.0))
    np.testing.assert_allclose(at_once.nats, once.nats)
    np.testing.assert_allclose(apart.nats, 2 * once.nats)


def test_reads_of_what_belongs_to_no_tracklet_say_nothing() -> None:
    assert not worn_by(tracklets([4]), (99, 0, 6.0)).nats.any()


def test_chains_of_people_who_look_alike_are_put_right_by_their_numbers() -> None:
    pieces = tracklets([4] * 4)
    worn = worn_by(pieces, (0, 0, 6.0), (4, 1, 6.0), (8, 1, 6.0), (12, 0, 6.0))
    alike = Likeness(np.zeros((4, 1)), np.full((4, 1), np.inf), np.ones(1), 1.0, (-6.0, 4.0))
    crossed = np.array([2, 3, -1, -1])
    pairs = {
        "first": np.array([0, 0, 1, 1]), "second": np.array([2, 3, 2, 3]),
        "odds": np.array([2.0, 1.0, 1.0, 2.0]), "start": np.array([0, 1, 2, 3]),
    }  # fmt: skip
    assert rearrange(crossed, likeness=alike, **pairs).tolist() == [2, 3, -1, -1]
    assert rearrange(crossed, likeness=alike, worn=worn, **pairs).tolist() == [3, 2, -1, -1]
