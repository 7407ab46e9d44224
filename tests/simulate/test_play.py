"""Bodies move like people, the ball like a ball, and a seed means one match."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from filmroom.errors import InputError
from filmroom.pitch import SPORTS
from filmroom.simulate.events import FOOTPASS_OF
from filmroom.simulate.play import (
    CELEBRATION,
    FALL,
    TOP_ACCELERATION,
    TOP_SPEED,
    PlayField,
    make_cast,
    simulate_play,
)
from filmroom.simulate.possession import Possession
from filmroom.simulate.styles import STYLES

FPS = 25.0


@pytest.fixture(scope="module", params=list(SPORTS))
def play(request):
    return simulate_play(request.param, 1500, np.random.default_rng(11), fps=FPS)


def test_nobody_is_faster_than_people_are(play):
    steps = np.diff(play.positions.astype(float), axis=0) * FPS
    speed = np.sqrt((steps**2).sum(axis=2))
    assert speed.max() <= TOP_SPEED + 1e-2
    gain = np.diff(play.velocities.astype(float), axis=0) * FPS
    assert np.sqrt((gain**2).sum(axis=2)).max() <= TOP_ACCELERATION + 1e-2


def test_positions_agree_with_velocities(play):
    moved = np.diff(play.positions.astype(float), axis=0) * FPS
    assert moved == pytest.approx(play.velocities[1:], abs=2e-3) or moved == pytest.approx(
        play.velocities[:-1], abs=2e-3
    )


def test_some_stand_still_and_some_run(play):
    speed = np.sqrt((play.velocities.astype(float) ** 2).sum(axis=2))
    assert (speed < 0.2).mean() > 0.02
    assert speed.max() > 3.0


def test_everybody_stays_near_the_surface(play):
    reach = np.abs(play.positions).max(axis=(0, 1))
    limit = np.array([play.surface.half_length, play.surface.half_width]) + play.surface.margin + 3.0
    assert (reach <= limit).all()


def test_people_do_not_stand_inside_each_other(play):
    apart = play.positions[::25, :, None].astype(float) - play.positions[::25, None]
    distance = np.sqrt((apart**2).sum(axis=3))
    people = distance.shape[1]
    distance[:, np.arange(people), np.arange(people)] = np.inf
    assert (distance.min(axis=2) < 0.2).mean() < 0.02


def test_the_ball_stays_above_the_ground_and_is_played(play):
    assert play.ball[:, 2].min() >= 0.0
    assert np.abs(np.diff(play.ball[:, :2], axis=0)).max() * FPS < 60.0
    assert play.events
    assert all(0 <= event.frame < 1500 for event in play.events)


def test_the_carrier_is_at_the_ball(play):
    frames = np.flatnonzero(play.carrier >= 0)
    apart = play.positions[frames, play.carrier[frames]] - play.ball[frames, :2]
    assert np.median(np.sqrt((apart**2).sum(axis=1))) < 1.2


def test_the_cast_is_that_of_the_sport(play):
    sport = play.sport
    for team in (0, 1):
        mine = np.flatnonzero(play.cast.teams == team)
        assert len(mine) - play.cast.reserves[mine].sum() == sport.players
        numbers = [play.cast.numbers[i] for i in mine]
        assert len(set(numbers)) == len(numbers)
        keepers = [i for i in mine if play.cast.roles[i] == "goalkeeper"]
        assert len(keepers) == int(sport.goalkeeper)
    assert (play.cast.teams == -1).sum() == sport.referees
    assert len(set(play.cast.names)) == len(play.cast)


def test_as_many_play_as_may_and_the_bench_is_not_there(play):
    """A side is short by those on the way off or sent off, never too many by more than they."""
    players = play.cast.teams >= 0
    there = play.present[:, players].sum(axis=1)
    most = 2 * play.sport.players
    assert there[0] == most
    assert (there >= most - 4).all()
    assert np.median(there) == most
    assert not play.present[:, play.cast.reserves].all(axis=0).any()


def test_the_same_seed_is_the_same_match_and_another_is_not():
    first, again, other = (simulate_play("soccer", 300, np.random.default_rng(s)) for s in (4, 4, 5))
    assert np.array_equal(first.positions, again.positions)
    assert np.array_equal(first.ball, again.ball)
    assert first.events == again.events
    assert not np.array_equal(first.positions, other.positions)


def test_a_longer_match_begins_like_a_shorter_one():
    short, long = (simulate_play("hockey", n, np.random.default_rng(1)) for n in (100, 200))
    assert np.array_equal(short.positions, long.positions[:100])


def test_impossible_lengths_and_sports_are_refused():
    with pytest.raises(InputError, match="frames"):
        simulate_play("soccer", 0, np.random.default_rng(0))
    with pytest.raises(InputError, match="no sport"):
        simulate_play("chess", 10, np.random.default_rng(0))


def test_at_a_corner_both_teams_pack_before_the_goal():
    packed = []
    for seed in range(8):
        play = simulate_play("soccer", 6000, np.random.default_rng(seed))
        for event in play.events:
            if event.label != "CORNER KICK":
                continue
            goal = np.array([np.sign(play.ball[event.frame, 0]) * play.surface.half_length, 0.0])
            people = play.positions[event.frame]
            near = np.abs(people - goal).max(axis=1) < 13.0
            packed.append([(near & (play.cast.teams == team)).sum() for team in (0, 1)])
            apart = np.sqrt(((people[near][:, None] - people[near][None]) ** 2).sum(axis=2))
            np.fill_diagonal(apart, 9.0)
            assert apart.min() < 1.2
    assert len(packed) >= 3
    assert np.median(packed, axis=0).min() >= 4


def soccer_game(**changed):
    """A game of soccer whose style is changed in some figures, so that the rare is frequent."""
    rng = np.random.default_rng(3)
    sport = SPORTS["soccer"]
    cast = make_cast(sport, sport.surface, rng)
    style = replace(STYLES["soccer"], **changed)
    return Possession(PlayField(sport, sport.surface, style, cast, FPS, rng))


def test_whoever_is_substituted_walks_off_and_another_walks_on():
    play = soccer_game(changes=0.6).run(5000)
    found = [event for event in play.events if event.label == "SUBSTITUTION"]
    assert found
    for event in found:
        comer, team = event.person, event.team
        assert play.cast.reserves[comer]
        assert play.cast.teams[comer] == team
        assert not play.present[0, comer]
        assert play.present[event.frame, comer]
        # He steps on over the side line, in front of the benches.
        assert play.positions[event.frame, comer, 1] > play.surface.half_width - 2.0
        later = min(event.frame + 1000, len(play) - 1)
        # Those who walk on and off at that moment are there too.
        there = ((play.cast.teams == team) & play.present[later]).sum()
        assert there <= play.sport.players + 2
    assert (play.cast.reserves[[event.person for event in found]]).all()
    assert len({event.person for event in found}) == len(found)


def test_somebody_sent_off_leaves_and_his_side_plays_on_without_him():
    game = soccer_game()
    game.bench.send_off(4)
    play = game.run(2500)
    assert play.present[0, 4]
    assert not play.present[-1, 4]
    there = (play.cast.teams == 0) & play.present[-1]
    assert there.sum() == play.sport.players - 1
    assert any(event.label == "PASS" and event.team == 0 for event in play.events)


def test_after_a_goal_the_side_packs_round_the_scorer():
    play = soccer_game(scoring=1.0, shot_rate=1.0, shot_range=70.0).run(2500)
    hugged = []
    for event in play.events:
        later = event.frame + round(11 * FPS)
        if event.label == CELEBRATION and later < len(play):
            mates = (play.cast.teams == event.team) & play.present[later]
            apart = play.positions[later, mates] - play.positions[later, event.person]
            hugged.append((np.hypot(*apart.T) < 4.0).sum())
    assert hugged
    assert max(hugged) >= 5


def test_the_fallen_lie_still():
    play = soccer_game(falling=1.0).run(5000)
    start, end = round(0.5 * FPS), round(2.0 * FPS)
    lying = [
        np.median(np.hypot(*play.velocities[event.frame + start : event.frame + end, event.person].T))
        for event in play.events
        if event.label == FALL and event.frame + end < len(play)
    ]
    assert lying
    assert max(lying) < 0.3


def test_seven_a_side_is_played_on_a_smaller_pitch():
    play = simulate_play("soccer", 1500, np.random.default_rng(1), surface_name="seven")
    assert [(play.cast.teams == team).sum() - 4 for team in (0, 1)] == [7, 7]
    assert play.cast.roles.count("referee") == 1
    assert np.abs(play.positions).max() < play.surface.half_length + 5.0
    assert any(event.label == "PASS" for event in play.events)


def test_hockey_lines_change_while_the_puck_is_in_play():
    play = simulate_play("hockey", 3000, np.random.default_rng(2))
    changed = [event for event in play.events if event.label == "LINE CHANGE"]
    assert len({event.person for event in changed}) >= 4
    assert {event.team for event in changed} == {0, 1}


def test_a_covered_puck_makes_a_scrum_and_then_a_face_off_at_a_spot():
    play = simulate_play("hockey", 15000, np.random.default_rng(0), fps=FPS)
    spots = [place[:2] for name, place in play.surface.keypoints.items() if name.startswith("spot ")]
    told = [event for event in play.events if event.label in ("SCRUM", "FACE OFF")]
    scrums = [event for event in told if event.label == "SCRUM"]
    assert len(scrums) >= 3
    packed = []
    for scrum, restart in pairwise(told):
        if scrum.label != "SCRUM":
            continue
        assert restart.label == "FACE OFF"
        later = scrum.frame + round(2.5 * FPS)
        apart = play.positions[later] - play.positions[scrum.frame, scrum.person]
        packed.append((np.hypot(*apart.T) < 2.5)[play.present[later]].sum())
        away = play.ball[restart.frame, :2] - np.array(spots)
        assert np.hypot(*away.T).min() < 1.5
        # One of the others stands opposite to the one who takes the puck.
        others = (play.cast.teams == 1 - restart.team) & play.present[restart.frame]
        facing = play.positions[restart.frame, others] - play.ball[restart.frame, :2]
        assert np.hypot(*facing.T).min() < 3.0
    assert np.median(packed) >= 5


def test_in_american_football_the_whole_side_changes_with_the_possession():
    play = simulate_play("football", 6000, np.random.default_rng(3), fps=FPS)
    snaps = [event.frame for event in play.events if event.label == "SNAP"]
    came = [event for event in play.events if event.label == "PERSONNEL"]
    assert len({event.person for event in came}) > 11
    assert len(snaps) > 5
    for frame in snaps:
        # Those relieved may still be on their way to the bench, but off the field.
        inside = play.present[frame] & (play.positions[frame, :, 1] < play.surface.half_width)
        for team in (0, 1):
            assert (inside & (play.cast.teams == team)).sum() == 11


def test_a_volleyball_side_that_wins_the_serve_turns_by_one_place():
    play = simulate_play("volleyball", 9000, np.random.default_rng(3), fps=FPS)
    serves = [event for event in play.events if event.label == "SERVE"]
    for before, after in pairwise(serves):
        if before.team == after.team and before.person != after.person:
            # Only somebody who has just come on may serve in another's place.
            came = [e.person for e in play.events if before.frame < e.frame < after.frame]
            assert after.person in came
    by_team = [[e.person for e in serves if e.team == team] for team in (0, 1)]
    assert all(len(set(servers)) > 2 for servers in by_team)


def test_a_volleyball_side_substitutes_while_the_ball_is_dead():
    play = simulate_play("volleyball", 9000, np.random.default_rng(3), fps=FPS)
    changes = [event for event in play.events if event.label == "SUBSTITUTION"]
    assert changes
    for event in changes:
        assert not play.present[event.frame - 1, event.person]
        assert play.ball[event.frame, 2] < 1.2


def test_passes_and_drives_are_as_frequent_as_in_footpass():
    """9.5 passes and 7.4 drives a minute over its 64 halves, pauses included."""
    plays = [simulate_play("soccer", 12_000, np.random.default_rng(seed)) for seed in (21, 22)]
    told = [FOOTPASS_OF[e.label] for play in plays for e in play.events if e.label in FOOTPASS_OF]
    minutes = 2 * 12_000 / 25 / 60
    assert told.count("pass") / minutes == pytest.approx(9.5, rel=0.3)
    assert told.count("drive") / minutes == pytest.approx(7.4, rel=0.3)


def test_play_alone_is_fast():
    import time

    start = time.process_time()
    simulate_play("soccer", 1500, np.random.default_rng(0))
    assert 1500 / (time.process_time() - start) > 500
