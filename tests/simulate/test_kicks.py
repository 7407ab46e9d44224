"""Kicks leave a foot, fly far or between the posts, and follow one another as the rules want."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from filmroom.simulate.events import comments
from filmroom.simulate.play import simulate_play
from filmroom.simulate.scene import make_match
from filmroom.simulate.settings import Settings

FPS = 25.0
TRIES = ("FIELD GOAL ATTEMPT", "EXTRA POINT ATTEMPT")
KICKED = ("KICKOFF", "PUNT", *TRIES)
JUDGED = ("FIELD GOAL", "EXTRA POINT", "NO GOOD")


@pytest.fixture(scope="module")
def plays():
    return [simulate_play("football", 15000, np.random.default_rng(seed)) for seed in (0, 1, 2)]


def found(plays, *labels):
    return [(play, event) for play in plays for event in play.events if event.label in labels]


def way(event):
    return 1.0 if event.team == 0 else -1.0


def test_there_is_every_kind_of_kick(plays):
    assert {event.label for _, event in found(plays, *KICKED)} == set(KICKED)


def test_the_kicker_is_at_the_ball_and_it_leaves_his_foot(plays):
    for play, event in found(plays, *KICKED):
        before, ball = play.ball[event.frame - 1], play.ball[event.frame]
        assert np.hypot(*(play.positions[event.frame, event.person] - before[:2])) < 1.6
        assert play.carrier[event.frame] == -1
        assert np.linalg.norm(play.ball[event.frame + 1] - ball) * FPS > 10.0


def test_kickoffs_and_punts_fly_far_and_high(plays):
    for play, event in found(plays, "KICKOFF", "PUNT"):
        flight = play.ball[event.frame : event.frame + round(3.0 * FPS)]
        if len(flight) == round(3.0 * FPS):
            assert (flight[-1, 0] - flight[0, 0]) * way(event) > 12.0
            assert flight[:, 2].max() > 12.0


def test_a_kick_is_good_when_it_goes_between_the_posts_above_the_bar(plays):
    judged = found(plays, *JUDGED)
    assert judged
    for play, event in judged:
        x, y, z = (float(value) for value in play.ball[event.frame])
        between = abs(y) < play.surface.goal_width / 2 and z > play.surface.goals[0][2]
        assert x * way(event) == pytest.approx(play.surface.half_length, abs=1.5)
        assert between == (event.label != "NO GOOD")


def test_a_touchdown_leads_to_a_try_and_points_to_a_kickoff_by_the_same_side(plays):
    checked = 0
    for play in plays:
        moments = [e for e in play.events if e.label in (*KICKED, *JUDGED, "TOUCHDOWN", "SNAP")]
        for number, event in enumerate(moments):
            following = [e for e in moments[number + 1 : number + 4] if e.label != "SNAP"]
            if not following:
                continue
            if event.label == "TOUCHDOWN":
                expected = "EXTRA POINT ATTEMPT"
            elif event.label in ("FIELD GOAL", "EXTRA POINT"):
                expected = "KICKOFF"
            else:
                continue
            assert (following[0].label, following[0].team) == (expected, event.team)
            checked += 1
    assert checked >= 5


def test_whoever_scores_a_touchdown_is_beyond_the_goal_line(plays):
    for play, event in found(plays, "TOUCHDOWN"):
        line = play.surface.half_length - play.surface.area_depth
        assert play.positions[event.frame, event.person, 0] * way(event) >= line - 0.01


def test_a_kicked_ball_belongs_to_the_others_next(plays):
    checked = 0
    for play in plays:
        moments = [e for e in play.events if e.label in ("PUNT", "SNAP", "TOUCHDOWN")]
        for event, following in pairwise(moments):
            if event.label == "PUNT":
                assert following.team == 1 - event.team
                checked += 1
    assert checked


def test_the_score_counts_six_three_and_one(plays):
    match = make_match(Settings(sport="football", seconds=1.0, seed=1))
    play = plays[0]
    shown = replace(match, play=play).scored(len(play))
    worth = {"TOUCHDOWN": 6, "FIELD GOAL": 3, "EXTRA POINT": 1}
    totals = [
        sum(worth.get(event.label, 0) for event in play.events if event.team == team) for team in (0, 1)
    ]
    assert shown == tuple(totals)
    assert sum(totals) > 0


def test_kicks_and_touchdowns_are_told(plays):
    told = " ".join(line.text for play in plays for line in comments(play, anonymous=False)).lower()
    assert "[" not in told
    for words in ("kicks off", "touchdown", "punt", "extra point"):
        assert words in told
