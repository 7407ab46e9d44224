"""Held-out matches are played like others and look like none of them, and their truth is as true."""

from dataclasses import replace

import numpy as np
import pytest

from filmroom.pitch.soccer import SOCCER
from filmroom.simulate.check import check_truth
from filmroom.simulate.kits import HELD_OUT_PATTERNS, PATTERNS, held_out_kit, random_kit
from filmroom.simulate.place import make_place
from filmroom.simulate.poses import JOINT, gait_pose, skeleton
from filmroom.simulate.rigs import RIGS, held_out_rig
from filmroom.simulate.scene import make_match
from filmroom.simulate.settings import HELD_OUT_STYLE, Settings

USUAL = Settings(seconds=2.0, seed=4, width=640, height=360)
HELD_OUT = replace(USUAL, held_out=True)


def test_only_looks_and_cameras_differ():
    usual, held_out = make_match(USUAL), make_match(HELD_OUT)
    assert np.array_equal(usual.play.positions, held_out.play.positions)
    assert usual.play.events == held_out.play.events
    assert held_out.style == HELD_OUT_STYLE != usual.style
    assert usual.camera_of(10).position != held_out.camera_of(10).position
    assert usual.gait != held_out.gait


def test_kits_have_patterns_of_their_own():
    rng = np.random.default_rng(0)
    assert {held_out_kit(rng).pattern for _ in range(60)} == set(HELD_OUT_PATTERNS)
    assert not set(HELD_OUT_PATTERNS) & set(PATTERNS)
    assert random_kit(rng).pattern in PATTERNS


def test_the_ground_is_another():
    usual, woven = (
        make_place(SOCCER, np.random.default_rng(3), held_out=held_out).ground.pixels.astype(int)
        for held_out in (False, True)
    )
    assert usual.shape == woven.shape
    assert np.abs(usual - woven).mean() > 3.0


@pytest.mark.parametrize("name", RIGS["soccer"])
def test_cameras_stand_where_no_other_stands(name):
    rig = RIGS["soccer"][name]
    assert held_out_rig(rig).distance[0] > rig.distance[1]
    assert held_out_rig(rig).view == rig.view


def test_runners_swing_arms_less_and_lift_heels_more():
    def highest(joint, **gait):
        turns = np.linspace(0, 2 * np.pi, 24)
        bodies = [skeleton(gait_pose(turn, 6.0, **gait)).joints[JOINT[joint]] for turn in turns]
        return np.array(bodies)

    usual, other = highest("ankle_l"), highest("ankle_l", arms=0.45, heels=1.3)
    assert other[:, 2].max() > usual[:, 2].max()
    swing = [np.ptp(highest("elbow_l", arms=arms)[:, 1]) for arms in (1.0, 0.45)]
    assert swing[1] < swing[0]


def test_the_truth_of_a_held_out_match_agrees_with_its_pictures():
    apart = check_truth(replace(HELD_OUT, difficulty="easy"))
    assert max(value for name, value in apart.items() if name != "position cm") < 1.0
