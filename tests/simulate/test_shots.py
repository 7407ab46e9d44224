"""A director's shots follow one another without gaps, and the truth knows which is which."""

from itertools import pairwise

import numpy as np
import pytest

from filmroom.simulate.play import simulate_play
from filmroom.simulate.shots import plan_shots
from filmroom.tables import SHOT_KINDS

SIZE = (1280, 720)


@pytest.fixture(scope="module")
def play():
    return simulate_play("soccer", 1000, np.random.default_rng(8))


def test_one_camera_is_one_shot(play):
    (shot,) = plan_shots(play, "tactical", SIZE, np.random.default_rng(0), shake=0.0)
    assert (shot.first, shot.last, shot.kind) == (0, 999, "main")


def test_cuts_leave_no_gaps_and_come_back_to_the_main_camera(play):
    shots = plan_shots(play, "cuts", SIZE, np.random.default_rng(1), shake=0.02)
    assert len(shots) > 3
    assert shots[0].first == 0
    assert shots[-1].last == 999
    for before, after in pairwise(shots):
        assert after.first == before.last + 1
        assert (before.kind == "main") != (after.kind == "main")
    assert {shot.kind for shot in shots} <= set(SHOT_KINDS)
    for shot in shots:
        if shot.kind == "replay":
            # A slower moment has a camera for each moment, not for each frame.
            assert shot.moment(shot.last) - shot.moment(shot.first) < len(shot.path.pan)
        else:
            assert len(shot.path.pan) == shot.last - shot.first + 1


def test_the_main_camera_stays_on_its_tripod(play):
    shots = plan_shots(play, "cuts", SIZE, np.random.default_rng(1), shake=0.02)
    assert len({shot.path.position for shot in shots if shot.kind == "main"}) == 1


def test_a_close_up_shows_its_person_large(play):
    shots = plan_shots(play, "cuts", SIZE, np.random.default_rng(3), shake=0.0)
    shot = next(shot for shot in shots if shot.kind == "close")
    camera = shot.path.at((shot.last - shot.first) // 2)
    frame = (shot.first + shot.last) // 2
    heads = np.column_stack([play.positions[frame].astype(float), np.full(len(play.cast), 1.6)])
    pixels, depth = camera.project(heads)
    seen = (depth > 0) & ((pixels > 0) & (pixels < SIZE)).all(axis=1)
    assert (1.82 * camera.focal / depth[seen]).max() > 0.3 * SIZE[1]


def test_replays_show_an_earlier_moment_slower_and_once():
    play = simulate_play("soccer", 6000, np.random.default_rng(3))
    shots = plan_shots(play, "cuts", (640, 360), np.random.default_rng(1), shake=0.0)
    replays = [shot for shot in shots if shot.kind == "replay"]
    assert replays
    for shot in replays:
        shown = [shot.moment(frame) for frame in range(shot.first, shot.last + 1)]
        assert max(shown) < shot.first
        assert shown == sorted(shown)
        assert len(set(shown)) < len(shown)
        shot.view(shot.last)
    sources = [shot.source for shot in replays]
    assert sources == sorted(set(sources))
