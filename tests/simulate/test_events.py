"""What happens is told in every task's own words, at the moment it happens."""

import numpy as np
import pytest

from filmroom.formats.soccernet_captions import LABELS
from filmroom.simulate.events import ACTIONS, BALL_ACTIONS, actions, ball_actions, comments
from filmroom.simulate.play import simulate_play


@pytest.fixture(scope="module")
def play():
    return simulate_play("soccer", 12000, np.random.default_rng(7))


def test_labels_are_those_of_the_tasks_and_in_order(play):
    for found, allowed in ((ball_actions(play), BALL_ACTIONS), (actions(play), ACTIONS)):
        assert {event.label for event in found} <= set(allowed)
        assert [event.frame for event in found] == sorted(event.frame for event in found)
    assert {"PASS", "DRIVE", "OUT", "THROW IN"} <= {event.label for event in ball_actions(play)}
    assert {"Ball out of play", "Foul"} & {event.label for event in actions(play)}


def test_whoever_acts_is_at_the_ball(play):
    """A pass leaves from where the passer is."""
    apart = [
        np.hypot(*(play.positions[event.frame, event.person] - play.ball[event.frame, :2]))
        for event in ball_actions(play)
        if event.label in ("PASS", "HIGH PASS", "THROW IN", "CROSS", "SHOT")
    ]
    assert np.median(apart) < 1.2
    assert np.percentile(apart, 95) < 3.0


def test_every_shot_is_either_on_target_or_off(play):
    shots = sum(event.label == "SHOT" for event in play.events)
    told = sum(event.label.startswith("Shots") for event in actions(play))
    assert told == shots


def test_passes_and_drives_come_as_often_as_in_real_matches(play):
    minutes = len(play) / 25 / 60
    labels = [event.label for event in ball_actions(play)]
    # FOOTPASS: 9.5 passes and 7.4 drives a minute.
    assert 6.5 < sum(label in ("PASS", "HIGH PASS") for label in labels) / minutes < 14
    assert 4.5 < labels.count("DRIVE") / minutes < 10


def test_comments_keep_names_to_themselves_when_anonymous(play):
    hidden, named = comments(play), comments(play, anonymous=False)
    assert hidden
    assert {line.label for line in hidden} <= LABELS
    assert all("Number" not in line.text for line in hidden)
    assert all("[" not in line.text for line in named)
