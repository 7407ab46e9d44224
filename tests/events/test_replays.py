from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.events.replays import (
    changes,
    find_replays,
    find_wipes,
    in_replays,
    likeness,
    slowness,
)
from filmroom.tables import SHOTS

FPS = 25.0
Pictures = np.ndarray


def scene(seed: int) -> Pictures:
    """A still picture much larger than the view, of blots that leave the view some structure."""
    noise = np.random.default_rng(seed).random((60, 400)).astype(np.float32)
    blots = cv2.GaussianBlur(noise, (0, 0), 4)
    return ((blots - blots.min()) / (blots.max() - blots.min()) * 255).astype(np.uint8)


def panned(seed: int, frames: int, pace: float = 1.0) -> Pictures:
    """(F, 36, 64) a camera that pans over a scene; with a `pace` below 1 pictures are repeated."""
    picture = scene(seed)
    return np.stack(
        [picture[8:44, (at := int(frame * pace) * 2 % 320) : at + 64] for frame in range(frames)]
    )


def smoothly(seed: int, frames: int, pace: float) -> Pictures:
    """The same by a camera of many pictures a second: slow, but none is there twice."""
    picture = scene(seed).astype(np.float32)
    views = []
    for frame in range(frames):
        step = np.array([[1.0, 0.0, -2.0 * pace * frame], [0.0, 1.0, -8.0]])
        views.append(cv2.warpAffine(picture, step, (64, 36), flags=cv2.INTER_LINEAR))
    return np.rint(np.stack(views)).astype(np.uint8)


def wiped(before: Pictures, after: Pictures, bars: tuple[int, ...] = (30, 220, 120, 250)) -> Pictures:
    """The last and first frames of two stretches with a station's mark running over them."""
    joined = np.concatenate([before, after])
    mark = np.tile(np.repeat(np.array(bars)[:, None], 9, axis=0), (1, 64)).astype(np.uint8)
    mark[:, 20:30] = 10
    cut = len(before)
    for step in range(-8, 9):
        left = step * 9
        covered = (np.arange(64) >= left) & (np.arange(64) < left + 64)
        joined[cut + step][:, covered] = np.roll(mark, left, axis=1)[:, covered]
    return joined


def one_shot(count: int, *cuts: int) -> object:
    first = [0, *cuts]
    return SHOTS.build(
        {
            "shot": list(range(len(first))),
            "first_frame": first,
            "last_frame": [cut - 1 for cut in cuts] + [count - 1],
            "kind": ["main"] * len(first),
            "score": [0.8] * len(first),
        }
    )


def found(looks: Pictures, *cuts: int, fps: float = FPS) -> list[tuple[int, int]]:
    shots = find_replays(one_shot(len(looks), *cuts), np.arange(len(looks)), looks, fps)
    rows = shots.to_pylist()
    assert rows[0]["first_frame"] == 0
    assert rows[-1]["last_frame"] == len(looks) - 1
    assert all(a["last_frame"] + 1 == b["first_frame"] for a, b in itertools.pairwise(rows))
    return [(row["first_frame"], row["last_frame"]) for row in rows if row["kind"] == "replay"]


@pytest.mark.parametrize("pace", [0.33, 0.5, 0.66])
def test_slow_motion_between_cuts_is_a_replay(pace: float) -> None:
    looks = np.concatenate([panned(1, 200), panned(2, 150, pace), panned(3, 200)])
    assert found(looks, 200, 350) == [(200, 349)]


def test_slow_motion_is_found_where_the_cuts_were_overlooked() -> None:
    looks = np.concatenate([panned(1, 200), panned(2, 150, 0.5), panned(3, 200)])
    [(first, last)] = found(looks)
    assert abs(first - 200) <= 10
    assert abs(last - 349) <= 10


def test_two_like_wipes_enclose_a_replay_that_is_slow_without_a_trace() -> None:
    looks = wiped(wiped(panned(1, 250), smoothly(2, 120, 0.5)), panned(3, 200))
    [(first, last)] = found(looks)
    assert abs(first - 250) <= 10
    assert abs(last - 370) <= 10


def test_two_wipes_that_differ_enclose_nothing() -> None:
    looks = wiped(wiped(panned(1, 250), panned(2, 120)), panned(3, 200), (250, 30, 200, 60))
    assert found(looks) == []


def test_fast_pans_to_and_fro_enclose_nothing() -> None:
    """A camera in a hall that swings from end to end and back the same way: floor, boards, stands."""
    hall = (scene(1).astype(float) * 0.25 + np.linspace(0, 180, 60)[:, None]).astype(np.uint8)

    def view(at: float) -> Pictures:
        return hall[8:44, int(at) : int(at) + 64]

    swing = np.concatenate([np.linspace(0, 300, 12), np.full(100, 300.0), np.linspace(300, 0, 110)])
    places = np.concatenate([np.full(80, 0.0), swing, np.full(40, 0.0), swing, np.full(60, 0.0)])
    looks = np.stack([view(at) for at in places])
    pans = find_wipes(changes(looks), FPS)
    assert len(pans) == 2
    assert likeness(looks, *pans) > 0.9
    assert found(looks) == []


def test_play_between_two_replays_is_play() -> None:
    looks = panned(1, 200)
    for seed, length, pace in ((2, 90, 0.5), (3, 160, 1.0), (4, 100, 0.33), (5, 150, 1.0)):
        looks = wiped(looks, panned(seed, length, pace))
    replays = found(looks)
    assert len(replays) == 2
    live = ~in_replays(
        find_replays(one_shot(len(looks)), np.arange(len(looks)), looks, FPS), np.arange(len(looks))
    )
    assert live[:190].all()
    assert live[301:440].all()
    assert not live[210:280].any()


def test_cuts_and_pans_of_live_play_are_none() -> None:
    fast = np.concatenate([panned(1, 60), panned(1, 20)[::-1], panned(6, 40)[::3], panned(1, 90)])
    assert found(np.concatenate([fast, panned(2, 90), panned(1, 100)]), len(fast), len(fast) + 90) == []


def test_a_still_camera_is_no_slow_motion() -> None:
    still = np.repeat(panned(2, 1), 150, axis=0)
    assert found(np.concatenate([panned(1, 100), still, panned(3, 100)]), 100, 250) == []


def test_a_video_brought_to_twice_its_rate_is_no_replay() -> None:
    looks = np.concatenate([panned(1, 300, 0.5), panned(2, 100, 0.5), panned(3, 300, 0.5)])
    assert found(looks, 300, 400) == []


def test_the_start_shows_nothing_again() -> None:
    assert found(np.concatenate([panned(2, 100, 0.5), panned(3, 300)]), 100) == []


def test_few_frames_a_second_tell_nothing() -> None:
    looks = np.concatenate([panned(1, 200), panned(2, 150, 0.5), panned(3, 200)])
    assert found(looks, 200, 350, fps=2.0) == []


@pytest.mark.parametrize("turns", [[0.1, 4.0], [0.3, 0.2, 0.9]])
def test_slowness_is_what_a_picture_s_turn_tells(turns: list[float]) -> None:
    random = np.random.default_rng(3)
    noise = np.exp(random.normal(0, 0.1, 120))
    assert np.median(slowness(np.tile(turns, 60)[:120] * noise)) > 0.9
    assert slowness(4.0 * np.exp(random.normal(0, 0.8, 120))).max() < 0.25
    assert slowness(np.full(120, 0.1)).max() == 0.0
    assert not slowness(np.tile(turns, 8)).any()


def test_wipes_are_neither_cuts_nor_minutes_of_shaking() -> None:
    change = np.full(400, 1.0)
    change[50] = 60.0
    change[100:116] = 25.0
    change[200:330] = 25.0
    assert find_wipes(change, FPS) == [(100, 116)]
    # A replay in which much moves does not swallow the wipe at its end.
    change[60:100] = 8.0
    assert find_wipes(change, FPS) == [(100, 116)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 120))
def test_any_pictures_give_shots_without_gaps(seed: int, count: int) -> None:
    looks = np.random.default_rng(seed).integers(0, 255, (count, 36, 64)).astype(np.uint8)
    assert len(changes(looks)) == count
    found(looks)


def test_no_shots_no_replays() -> None:
    assert (
        find_replays(SHOTS.empty(), np.zeros(0, int), np.zeros((0, 36, 64), np.uint8), FPS)
        == SHOTS.empty()
    )
