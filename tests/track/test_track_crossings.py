"""Those who covered each other: who is who afterwards is told by what lasts."""

from __future__ import annotations

import numpy as np
import pytest

from filmroom.tables import MOTION, SHOTS
from filmroom.track.crossings import Crossings, cut_at, find_crossings, odds_of_staying
from filmroom.track.link import LinkSettings, choices_at, link_pieces
from filmroom.track.panorama import panorama_of
from filmroom.track.pieces import Pieces

FRAMES = 60
EPISODE = (25, 30, 35)


def still_camera():
    return panorama_of(np.arange(FRAMES), MOTION.empty(), SHOTS.empty())


def two(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tracklets 1 and 2 whose feet are at these places (F, 2): piece, row and box of all detections."""
    places = np.concatenate([first, second])
    box = np.column_stack([places - [0, 40], np.full(len(places), 32.0), np.full(len(places), 80.0)])
    return np.repeat([1, 2], FRAMES), np.tile(np.arange(FRAMES), 2), box


def crossing(margin: float = 0.1) -> Crossings:
    start, worst, end = EPISODE
    return Crossings(*(np.array([value]) for value in (1, 2, worst, start, end)), np.array([margin]))


def odds(first: np.ndarray, second: np.ndarray, margin: float = 0.1) -> float:
    piece, row, box = two(first, second)
    return float(odds_of_staying(crossing(margin), piece, row, box, still_camera(), 25.0)[0])


def exchanged(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    later = np.arange(FRAMES)[:, None] >= EPISODE[1]
    return np.where(later, second, first), np.where(later, first, second)


def test_who_stands_nearer_to_the_camera_stands_nearer_afterwards() -> None:
    """Two leap up before each other at the net: neither moves sideways."""
    near = np.column_stack([np.full(FRAMES, 500.0), np.full(FRAMES, 420.0)])
    far = np.column_stack([np.full(FRAMES, 503.0), np.full(FRAMES, 395.0)])
    assert odds(near, far) > 3
    assert odds(*exchanged(near, far)) < -2


def test_who_runs_to_the_right_goes_on_to_the_right() -> None:
    right = np.column_stack([np.arange(FRAMES) * 4.0 + 400, np.full(FRAMES, 400.0)])
    left = np.column_stack([640 - np.arange(FRAMES) * 4.0, np.full(FRAMES, 401.0)])
    assert odds(right, left) > 2
    assert odds(*exchanged(right, left)) < 0


def test_the_margin_of_the_tracker_counts() -> None:
    place = np.column_stack([np.full(FRAMES, 500.0), np.full(FRAMES, 420.0)])
    assert odds(place, place, margin=0.9) > odds(place, place, margin=0.1)


def test_a_tracklet_that_is_too_short_tells_nothing() -> None:
    piece, row, box = two(*[np.full((FRAMES, 2), 400.0)] * 2)
    kept = (piece == 1) | (row >= EPISODE[0])
    told = odds_of_staying(crossing(), piece[kept], row[kept], box[kept], still_camera(), 25.0)
    assert np.isfinite(told).all()


def test_doubts_close_to_each_other_are_one_crossing() -> None:
    row = np.tile(np.arange(FRAMES), 2)
    piece = np.repeat([1, 2], FRAMES)
    rival = np.repeat([2, 1], FRAMES)
    margin = np.full(len(row), 9.0)
    margin[(row == 10) | (row == 14)] = 0.5
    margin[row == 12] = 0.2
    margin[row == 50] = 0.3
    found = find_crossings(piece, row, margin, rival, 1.0, 10)
    assert found.row.tolist() == [12, 50]
    assert found.start.tolist() == [10, 50]
    assert found.end.tolist() == [14, 50]
    parts = cut_at(found, piece, row)
    assert len(np.unique(parts)) == 6
    assert (parts[row < 12] == piece[row < 12]).all()
    nothing = find_crossings(piece, row, margin, rival, 0.0, 10)
    assert len(nothing.row) == 0
    assert (cut_at(nothing, piece, row) == piece).all()


@pytest.mark.parametrize(("stay", "same"), [(6.0, True), (-6.0, False)])
def test_relinking_keeps_or_exchanges_as_the_odds_say(stay: float, same: bool) -> None:
    """Two side by side who lean into each other and back: their ends alone tell nothing."""
    lean = 12 * np.abs(np.arange(FRAMES) - EPISODE[1]) / 30 + 1
    left = np.column_stack([500 - lean, np.full(FRAMES, 400.0)])
    right = np.column_stack([500 + lean, np.full(FRAMES, 400.0)])
    piece, row, box = two(left, right)
    found = crossing()
    parts = cut_at(found, piece, row)
    pieces = Pieces.of(parts, row, box, np.full(len(row), 0.9), None, piece, np.zeros(len(row)))
    choices = choices_at(pieces, found, np.array([stay]), 3.0)
    person = link_pieces(pieces, still_camera(), LinkSettings(), 25.0, (1280, 720), choices=choices)
    first = person[(piece == 1) & (row == 0)][0]
    assert (person[(piece == 1) & (row == FRAMES - 1)][0] == first) == same
    assert len(np.unique(person)) == 2


def test_a_crossing_in_which_one_was_long_unseen_offers_no_choice() -> None:
    piece, row, box = two(*[np.full((FRAMES, 2), 400.0)] * 2)
    kept = (piece == 1) | (row < 10) | (row >= EPISODE[1])
    piece, row, box = piece[kept], row[kept], box[kept]
    parts = cut_at(crossing(), piece, row)
    pieces = Pieces.of(parts, row, box, np.full(len(row), 0.9), None, piece, np.zeros(len(row)))
    assert len(choices_at(pieces, crossing(), np.array([2.0]), 3.0).first) == 0
    assert len(choices_at(pieces, crossing(), np.array([2.0]), 30.0).first) == 4
