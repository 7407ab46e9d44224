"""The camera against SoccerNet's own projection, and the operator's habits."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filmroom.simulate.camera import Camera, aim, follow
from filmroom.simulate.play import simulate_play
from filmroom.simulate.rigs import RIGS, rig_named


def test_projection_is_that_of_sn_calibration():
    # Values of sn-calibration's Camera.project_point for C = (1, 60, -14) in its z-down world.
    camera = Camera((1.0, 60.0, 14.0), 20.0, 78.0, 0.5, 1500.0, 960, 540)
    points = np.array([(36, -20.16, 0), (41.5, 0, 0), (52.5, 3.66, 2.44), (0, 0, 0)], dtype=float)
    pixels, depth = camera.project(points)
    expected = [
        (572.30756, 193.49661),
        (847.15344, 247.76960),
        (1091.07129, 194.05002),
        (-77.17615, 327.94629),
    ]
    assert pixels == pytest.approx(np.array(expected), abs=2e-3)
    assert (depth > 0).all()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    x=st.floats(-60, 60), y=st.floats(-40, 30), pan_offset=st.floats(-5, 5), focal=st.floats(300, 5000)
)
def test_aiming_puts_the_target_in_the_middle(x, y, pan_offset, focal):
    position = np.array([pan_offset, 70.0, 18.0])
    target = np.array([x, y, 1.0])
    pan, tilt = aim(position, target)
    pixels, depth = Camera(tuple(position), pan, tilt, 0.0, focal, 1280, 720).project(target[None])
    assert pixels[0] == pytest.approx((640.0, 360.0), abs=1e-6)
    assert depth[0] > 0


def test_right_is_right_and_up_is_up():
    camera = Camera((0.0, 70.0, 18.0), 0.0, 75.0, 0.0, 1500.0, 1280, 720)
    pixels, _ = camera.project(np.array([(0, 0, 0), (5, 0, 0), (0, 0, 2), (0, 5, 0)], dtype=float))
    assert pixels[1, 0] > pixels[0, 0]
    assert pixels[2, 1] < pixels[0, 1]
    assert pixels[3, 1] > pixels[0, 1]


def test_the_ground_homography_agrees_with_the_projection():
    camera = Camera((3.0, 60.0, 15.0), -12.0, 77.0, 0.4, 1800.0, 1280, 720)
    flat = np.array([(0.0, 0.0), (20.0, -30.0), (-40.0, 10.0)])
    mapped = np.column_stack([flat, np.ones(3)]) @ camera.ground().T
    pixels, _ = camera.project(np.column_stack([flat, np.zeros(3)]))
    assert mapped[:, :2] / mapped[:, 2:] == pytest.approx(pixels)


@pytest.fixture(scope="module")
def play():
    return simulate_play("soccer", 750, np.random.default_rng(2))


def test_the_operator_keeps_the_ball_in_view_and_turns_like_a_person(play):
    path = follow(play, rig_named("soccer", "broadcast"), (1280, 720), np.random.default_rng(3))
    pixels = np.array(
        [path.at(i).project(play.ball[i : i + 1].astype(float))[0][0] for i in range(0, 750, 10)]
    )
    inside = ((pixels > 0) & (pixels < (1280, 720))).all(axis=1)
    assert inside.mean() > 0.9
    assert np.abs(np.diff(path.pan)).max() * play.fps < 65.0
    assert np.abs(np.diff(path.tilt)).max() * play.fps < 20.0


def test_people_have_the_size_they_have_on_television(play):
    path = follow(play, rig_named("soccer", "broadcast"), (1920, 1080), np.random.default_rng(5))
    heights = []
    for frame in range(0, 750, 50):
        camera = path.at(frame)
        feet = np.column_stack([play.positions[frame].astype(float), np.zeros(len(play.cast))])
        pixels, depth = camera.project(feet)
        seen = (depth > 0) & ((pixels > 0) & (pixels < (1920, 1080))).all(axis=1)
        heights += (1.82 * camera.focal / depth[seen]).tolist()
    assert 45 < np.median(heights) < 120


def test_a_fixed_camera_never_moves(play):
    path = follow(play, rig_named("soccer", "fixed"), (1280, 720), np.random.default_rng(3))
    for values in (path.pan, path.tilt, path.focal):
        assert np.ptp(values) == 0.0


def test_every_sport_has_a_main_camera():
    assert all("broadcast" in rigs for rigs in RIGS.values())


def test_the_lens_is_undone_to_a_thousandth_of_a_pixel():
    from dataclasses import replace

    camera = Camera((0.0, 60.0, 15.0), 5.0, 80.0, 0.2, 1500.0, 1280, 720)
    camera = replace(camera, k1=0.12, slip=(14.0, -2.0))
    pixels = np.random.default_rng(0).uniform((0, 0), (1280, 720), (50, 2))
    assert np.abs(camera.bend(camera.unbend(pixels)) - pixels).max() < 1e-3
    ground = np.array([[3.0, 4.0, 0.0], [-8.0, -12.0, 0.0]])
    seen, _ = camera.project(ground)
    assert np.abs(camera.to_ground(seen) - ground[:, :2]).max() < 1e-4
