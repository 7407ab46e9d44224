"""Numbers that set tracks right: cut after an exchange, joined after an absence."""

import numpy as np
import pytest

from filmroom import tables
from filmroom.identify.by_number import join_by_number, mend_number_changes

FRAMES = 80


def clip(*people, frames=FRAMES):
    """TRACKS of people who are each (first frame, last frame, frame -> x)."""
    rows = [
        (frame, track, x(frame))
        for track, (first, last, x) in enumerate(people, 1)
        for frame in range(first, min(last, frames - 1) + 1)
    ]
    frame, track, left = (np.array(column) for column in zip(*rows, strict=True))
    many = np.ones(len(rows))
    return tables.TRACKS.build(
        {
            "frame": frame,
            "track": track,
            "x": left.astype(float),
            "y": 50 * many,
            "w": 30 * many,
            "h": 60 * many,
            "score": many,
            "role": ["player"] * len(rows),
            "visible": many,
            "detection": track,
        }
    )


def read(number_at, every=8):
    """NUMBER_READS: `number_at` gives {detection: text} for a frame."""
    rows = [
        (frame, detection, text)
        for frame in range(0, FRAMES, every)
        for detection, text in number_at(frame).items()
    ]
    many = np.ones(len(rows))
    return tables.NUMBER_READS.build(
        {
            "frame": [row[0] for row in rows],
            "detection": [row[1] for row in rows],
            "text": [row[2] for row in rows],
            "score": 0.95 * many,
            "legible": 0.95 * many,
            "x": many,
            "y": many,
            "w": 10 * many,
            "h": 10 * many,
        }
    )


MATES = {1: "a", 2: "a"}
CROSSING = (0, FRAMES - 1, lambda f: 100 + f), (0, FRAMES - 1, lambda f: 180 - f)
APART = (0, FRAMES - 1, lambda f: 100 + f), (0, FRAMES - 1, lambda f: 600 - f)


def ids_of(tracks, frame):
    here = tracks["frame"].to_numpy() == frame
    return tracks["track"].to_numpy()[here].tolist()


def test_two_mates_who_took_each_others_track_exchange_what_follows():
    tracks = clip(*CROSSING)
    reads = read(lambda f: {1: "7" if f < 40 else "10", 2: "10" if f < 40 else "7"})
    mended = mend_number_changes(tracks, reads, MATES)
    assert ids_of(mended, 5) == [1, 2]
    assert ids_of(mended, 75) == [2, 1]


def test_one_whose_number_went_to_a_mate_not_read_since_gets_it_back():
    tracks = clip(*CROSSING)
    reads = read(lambda f: {1: "7" if f < 40 else "10"} | ({2: "10"} if f < 40 else {}))
    assert ids_of(mend_number_changes(tracks, reads, MATES), 75) == [2, 1]


def test_opponents_are_not_exchanged_but_the_track_is_cut():
    tracks = clip(*CROSSING)
    reads = read(lambda f: {1: "7" if f < 40 else "10", 2: "10" if f < 40 else "7"})
    cut = mend_number_changes(tracks, reads, {1: "a", 2: "b"})
    assert ids_of(cut, 5) == [1, 2]
    assert not set(ids_of(cut, 75)) & {1, 2}
    changed = np.flatnonzero(cut["track"].to_numpy() > 2)
    assert abs(int(tracks["frame"].to_numpy()[changed].min()) - 40) <= 4


def test_a_change_of_number_without_anybody_near_is_a_misreading():
    tracks = clip(*APART)
    reads = read(lambda f: {1: "7" if f < 40 else "10"})
    assert mend_number_changes(tracks, reads, MATES).equals(tracks)


@pytest.mark.parametrize("odd", [16, 40, 64])
def test_one_odd_read_cuts_nothing(odd):
    tracks = clip(*CROSSING)
    reads = read(lambda f: {1: "10" if f == odd else "7"})
    assert mend_number_changes(tracks, reads, MATES).equals(tracks)


def test_without_reads_nothing_changes():
    tracks = clip(*CROSSING)
    assert mend_number_changes(tracks, tables.NUMBER_READS.empty(), MATES).equals(tracks)


def test_reads_of_which_nothing_is_legible_say_nothing():
    tracks = clip(*CROSSING)
    reads = read(lambda f: {1: "7"})
    illegible = tables.with_column(reads, "legible", np.zeros(reads.num_rows))
    assert mend_number_changes(tracks, illegible, MATES).equals(tracks)


def test_a_track_of_three_wearers_is_cut_twice():
    tracks = clip(*CROSSING)
    later = clip((60, 79, lambda f: 100 + f))
    gone = tracks.filter(
        np.logical_or(tracks["track"].to_numpy() != 1, tracks["frame"].to_numpy() < 56)
    )
    both = tables.concat(tables.TRACKS, [gone, later])
    reads = read(lambda f: {1: "7" if f < 40 else "10" if f < 58 else "93"}, every=4)
    cut = mend_number_changes(both, reads, {1: "a", 2: "b"})
    wearers = [next(i for i in ids_of(cut, frame) if i != 2) for frame in (10, 50, 70)]
    assert len(set(wearers)) == 3


def test_a_player_who_comes_back_with_his_number_is_the_same_person():
    tracks = clip((0, 30, lambda f: 100 + f), (50, 79, lambda f: 110 + f), (0, 79, lambda f: 400))
    joined = join_by_number(tracks, {1: "7", 2: "7", 3: "9"}, {1: "a", 2: "a", 3: "a"}, 25.0)
    assert ids_of(joined, 10) == ids_of(joined, 60) == [1, 3]


@pytest.mark.parametrize(
    ("teams", "second"),
    [
        ({1: "a", 2: "b"}, (50, 79, lambda f: 110)),  # the other team
        ({1: "a", 2: "a"}, (10, 79, lambda f: 110)),  # in the picture at the same time
        ({1: "a", 2: "a"}, (33, 79, lambda f: 900)),  # too far to have run there
        ({1: None, 2: None}, (50, 79, lambda f: 110)),  # of no known team
    ],
)
def test_others_with_the_same_number_stay_apart(teams, second):
    tracks = clip((0, 30, lambda f: 100), second)
    assert join_by_number(tracks, {1: "7", 2: "7"}, teams, 25.0).equals(tracks)


def test_nobody_is_twice_in_a_frame_after_joining():
    tracks = clip((0, 32, lambda f: 100), (30, 79, lambda f: 100))
    joined = join_by_number(tracks, {1: "7", 2: "7"}, {1: "b", 2: "b"}, 25.0)
    assert set(joined["track"].to_pylist()) == {1}
    assert joined.num_rows == FRAMES


def test_somebody_else_who_comes_back_as_the_one_who_left_is_cut_off():
    tracks = clip((0, 30, lambda f: 100 + f), (0, 79, lambda f: 600))
    returned = clip((50, 79, lambda f: 100 + f))
    both = tables.concat(tables.TRACKS, [tracks, returned])
    reads = read(lambda f: {1: "4" if f < 40 else "93"})
    cut = mend_number_changes(both, reads, MATES)
    assert ids_of(cut, 10) == [1, 2]
    assert 1 not in ids_of(cut, 60)
