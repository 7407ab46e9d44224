"""Who leaves for good and who comes on for him are two; never more are there than the sport fields."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.formats.mot import TrackRows
from filmroom.geometry.boxes import ious
from filmroom.pitch.sports import SPORTS
from filmroom.simulate.boxes import boxes_of
from filmroom.simulate.scene import Match, make_match
from filmroom.simulate.settings import Settings
from filmroom.track.files import track_rows

SOCCER = SPORTS["soccer"]
MOST = 2 * SOCCER.players + SOCCER.referees


@pytest.fixture(scope="module")
def match() -> Match:
    """Half a minute with a substitution, seen whole."""
    return make_match(
        Settings(sport="soccer", seconds=40, seed=3027, camera="tactical", width=1920, height=1080)
    )


def owners(person: int, rows: TrackRows, tracks: TrackRows) -> set[int]:
    """Ids of the tracks that hold somebody's boxes, but for a frame or two."""
    found = []
    for index in np.flatnonzero(rows.ids == person):
        here = np.flatnonzero(tracks.frames == rows.frames[index])
        fit = ious(rows.boxes[index][None], tracks.boxes[here])[0]
        if len(here) and fit.max() > 0.5:
            found.append(int(tracks.ids[here[fit.argmax()]]))
    return {owner for owner in found if found.count(owner) > 2}


def test_a_substitute_is_not_the_player_whom_he_relieves(match: Match) -> None:
    [change] = [event for event in match.play.events if event.label == "SUBSTITUTION"]
    mates = match.play.cast.teams == match.play.cast.teams[change.person]
    leaver = int(np.flatnonzero(mates & match.play.present[change.frame] & ~match.play.present[-1])[0])
    rows = boxes_of(match, (max(0, change.frame - 250), change.frame + 450))
    tracks = track_rows(rows, most_people=MOST)
    one, other = owners(leaver + 1, rows, tracks), owners(change.person + 1, rows, tracks)
    assert one
    assert other
    assert not one & other


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_never_more_than_the_sport_fields(seed: int, most: int) -> None:
    """People come and go at random; some of them only for a few frames while all others are there."""
    random = np.random.default_rng(seed)
    frames, boxes = [], []
    for person in range(12):
        start, length = random.integers(0, 40), random.integers(3, 60)
        when = np.arange(start, min(60, start + length))
        frames.append(when)
        boxes.append(
            np.column_stack([130.0 * person + 2 * when, 300 + 0 * when, 40 + 0 * when, 90 + 0 * when])
        )
    rows = TrackRows.of(
        np.concatenate(frames), np.full(sum(map(len, frames)), -1), np.concatenate(boxes), length=60
    )
    tracks = track_rows(rows, most_people=most)
    assert np.bincount(tracks.frames).max() <= most
    assert len(track_rows(rows)) > len(tracks) or np.bincount(rows.frames).max() <= most
