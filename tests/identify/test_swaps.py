import numpy as np

from filmroom import tables
from filmroom.identify.swaps import mend_swaps
from filmroom.observe.appearance import describe_kit

RED, BLUE, WHITE = (200, 30, 30), (30, 40, 190), (235, 235, 235)
FRAMES = 60


def kit_vector(shirt, rng):
    crop = np.empty((60, 30, 3), np.float64)
    crop[:30], crop[30:] = shirt, WHITE
    noisy = np.clip(crop + rng.normal(0, 12, crop.shape), 0, 255).astype(np.uint8)
    return describe_kit(noisy, np.ones((60, 30), bool))[0]


def clip(cast):
    """Tracks 1..N; a cast member is (frame -> x, frame -> shirt)."""
    rng = np.random.default_rng(0)
    rows = [(frame, track) for frame in range(FRAMES) for track in range(1, len(cast) + 1)]
    frame, track = np.array(rows).T
    x = np.array([cast[t - 1][0](f) for f, t in rows], float)
    many = np.ones(len(rows))
    tracks = tables.TRACKS.build(
        {
            "frame": frame,
            "track": track,
            "x": x,
            "y": 50 * many,
            "w": 30 * many,
            "h": 60 * many,
            "score": many,
            "role": ["player"] * len(rows),
            "visible": many,
            "detection": track,
        }
    )
    looked = frame % 4 == 0
    vectors = [kit_vector(cast[t - 1][1](f), rng) for f, t in rows if f % 4 == 0]
    appearance = tables.APPEARANCE.build(
        {
            "frame": frame[looked],
            "detection": track[looked],
            "vector": np.stack(vectors).astype(np.float16),
            "quality": many[looked],
        }
    )
    return tracks, appearance


def standing(x, shirt):
    return (lambda frame: x, lambda frame: shirt)


OTHERS = [standing(300 + 60 * i, RED) for i in range(4)] + [
    standing(700 + 60 * i, BLUE) for i in range(4)
]


def wearer(tracks, track, frame):
    """Which member's detection a track holds in a frame: detections are numbered like the cast."""
    rows = (tracks["track"].to_numpy() == track) & (tracks["frame"].to_numpy() == frame)
    return tracks["detection"].to_numpy()[rows].tolist()


def test_two_tracks_that_exchanged_their_wearers_are_put_right():
    red_then_blue = (lambda f: 100, lambda f: RED if f < 30 else BLUE)
    blue_then_red = (lambda f: 112, lambda f: BLUE if f < 30 else RED)
    mended = mend_swaps(*clip([red_then_blue, blue_then_red, *OTHERS]), 25)
    assert wearer(mended, 1, 5) == [1] and wearer(mended, 1, 55) == [2]
    assert wearer(mended, 2, 5) == [2] and wearer(mended, 2, 55) == [1]


def test_a_track_that_strays_to_an_opponent_and_comes_back_loses_him_alone():
    strayed = (lambda f: 100, lambda f: BLUE if 20 <= f < 40 else RED)
    mended = mend_swaps(*clip([strayed, *OTHERS]), 25)
    assert wearer(mended, 1, 5) == wearer(mended, 1, 55) == [1] and wearer(mended, 1, 30) == []
    assert len(np.unique(mended["track"].to_numpy())) == 10


def test_who_comes_back_to_his_kit_after_long_is_not_taken_for_the_same():
    strayed = (lambda f: 100, lambda f: BLUE if 20 <= f < 40 else RED)
    mended = mend_swaps(*clip([strayed, *OTHERS]), 5)
    assert wearer(mended, 1, 5) == [1] and wearer(mended, 1, 55) == []


def test_a_track_that_goes_over_to_the_other_team_alone_is_cut():
    mended = mend_swaps(*clip([(lambda f: 100, lambda f: RED if f < 30 else BLUE), *OTHERS]), 25)
    assert wearer(mended, 1, 55) == []
    assert len(np.unique(mended["track"].to_numpy())) == 10


def test_a_passing_opponent_in_one_look_changes_nothing():
    tracks, appearance = clip([(lambda f: 100, lambda f: BLUE if f == 28 else RED), *OTHERS])
    assert mend_swaps(tracks, appearance, 25).equals(tracks)


def test_one_kit_or_none_changes_nothing():
    tracks, appearance = clip([standing(100 + 60 * i, RED) for i in range(5)])
    assert mend_swaps(tracks, appearance, 25).equals(tracks)
    empty = tables.TRACKS.empty()
    assert mend_swaps(empty, tables.APPEARANCE.empty(), 25).num_rows == 0
