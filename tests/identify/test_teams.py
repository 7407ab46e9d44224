import numpy as np
import pyarrow as pa
import pytest

from filmroom import tables
from filmroom.identify.doubtful import tracks_in_kit
from filmroom.identify.teams import find_teams
from filmroom.observe.appearance import describe_kit

RED, BLUE, YELLOW, BLACK = (200, 30, 30), (30, 40, 190), (220, 210, 40), (20, 20, 20)
WHITE = (235, 235, 235)


def kit_vector(shirt, shorts, rng):
    crop = np.empty((60, 30, 3), np.float64)
    crop[:30], crop[30:42], crop[42:] = shirt, shorts, WHITE
    crop += rng.normal(0, 12, crop.shape)
    vector, quality = describe_kit(np.clip(crop, 0, 255).astype(np.uint8), np.ones((60, 30), bool))
    assert quality > 0.9
    return vector


def clip(cast, frames=8, seed=0):
    """A clip of standing people: `cast` rows are (shirt, shorts, x, referee, goalkeeper)."""
    rng = np.random.default_rng(seed)
    rows = [(frame, person) for frame in range(frames) for person in range(len(cast))]
    frame, person = np.array(rows).T
    x = np.array([cast[p][2] for p in person], float)
    box = {"x": x, "y": np.full(len(x), 50.0), "w": np.full(len(x), 30.0), "h": np.full(len(x), 60.0)}
    tracks = tables.TRACKS.build(
        {
            "frame": frame,
            "track": person + 1,
            **box,
            "score": np.full(len(x), 0.9),
            "role": ["player"] * len(x),
            "visible": np.ones(len(x)),
            "detection": person,
        }
    )
    detections = tables.DETECTIONS.build(
        {
            "frame": frame,
            "detection": person,
            **box,
            "score": np.full(len(x), 0.9),
            "kind": ["person"] * len(x),
            "kind_score": np.ones(len(x)),
            "referee": [cast[p][3] for p in person],
            "goalkeeper": [cast[p][4] for p in person],
        }
    )
    vectors = np.stack([kit_vector(cast[p][0], cast[p][1], rng) for p in person])
    appearance = tables.APPEARANCE.build(
        {
            "frame": frame,
            "detection": person,
            "vector": vectors.astype(np.float16),
            "quality": np.ones(len(x)),
        }
    )
    return tracks, detections, appearance


REDS = [(RED, WHITE, 100 + 40 * i, 0.1, 0.1) for i in range(6)]
BLUES = [(BLUE, BLUE, 500 + 40 * i, 0.1, 0.1) for i in range(6)]


def test_two_kits_are_two_teams_and_the_left_one_is_a():
    found = find_teams(*clip(REDS + BLUES))
    assert found.teams == ["a"] * 6 + ["b"] * 6
    assert found.roles == ["player"] * 12
    assert (found.scores > 0.9).all()


def test_the_order_of_people_does_not_matter():
    assert find_teams(*clip(BLUES + REDS)).teams == ["b"] * 6 + ["a"] * 6


def test_a_referee_by_role_belongs_to_no_team():
    found = find_teams(*clip([*REDS, *BLUES, (BLACK, BLACK, 400, 0.9, 0.0)]))
    assert (found.roles[-1], found.teams[-1]) == ("referee", "none")


def test_an_odd_kit_is_not_forced_into_a_team():
    found = find_teams(*clip([*REDS, *BLUES, (YELLOW, BLACK, 400, 0.2, 0.1)]))
    assert found.roles[-1] == "referee"
    assert found.teams[:12] == ["a"] * 6 + ["b"] * 6


def test_a_keeper_joins_the_team_that_stands_before_his_goal():
    found = find_teams(*clip([*REDS, *BLUES, (YELLOW, BLACK, 800, 0.1, 0.8)]))
    assert (found.roles[-1], found.teams[-1]) == ("goalkeeper", "b")


def test_one_kit_is_one_team():
    assert set(find_teams(*clip(REDS)).teams) == {"a"}


def test_without_goalkeepers_nobody_is_one():
    found = find_teams(*clip([*REDS, *BLUES, (YELLOW, BLACK, 800, 0.1, 0.8)]), goalkeepers=False)
    assert "goalkeeper" not in found.roles


@pytest.mark.parametrize("cast", [[], REDS[:1]])
def test_too_few_people_for_teams(cast):
    if not cast:
        empty = (tables.TRACKS.empty(), tables.DETECTIONS.empty(), tables.APPEARANCE.empty())
        assert find_teams(*empty).teams == []
        return
    assert find_teams(*clip(cast)).roles == ["player"]


PLAYERS = [(RED, WHITE, 30.0 * n, 0, 0) for n in range(5)] + [
    (BLUE, BLACK, 300 + 30.0 * n, 0, 0) for n in range(5)
]
TEAM_OF = {track: "a" if track <= 5 else "b" for track in range(1, 11)}
TAKER, STEWARD = (BLUE, BLACK, 600.0, 0, 0), (YELLOW, BLACK, 640.0, 0, 0)


def split(cast, frames=30):
    """TRACKS of the players and of the others, and the looks at both."""
    tracks, _, appearance = clip(cast, frames)
    sure = tracks["track"].to_numpy() <= len(PLAYERS)
    return tracks.filter(pa.array(sure)), tracks.filter(pa.array(~sure)), appearance


def test_who_wears_a_teams_kit_is_believed_and_a_steward_is_not():
    players, others, appearance = split([*PLAYERS, TAKER, STEWARD])
    assert tracks_in_kit(others, players, TEAM_OF, appearance, fps=25) == [11]


def test_a_moment_is_not_enough():
    players, others, appearance = split([*PLAYERS, TAKER], frames=20)
    assert tracks_in_kit(others, players, TEAM_OF, appearance, fps=25) == []


@pytest.mark.parametrize("teams", [{}, dict.fromkeys(range(1, 11), "a")])
def test_nobody_is_believed_where_there_are_not_two_teams(teams):
    players, others, appearance = split([*PLAYERS, TAKER])
    assert tracks_in_kit(others, players, teams, appearance, fps=25) == []


def test_nobody_doubtful_is_nobody_believed():
    players, others, appearance = split(PLAYERS)
    assert not others.num_rows
    assert tracks_in_kit(others, players, TEAM_OF, appearance, fps=25) == []


def test_few_looks_say_too_little():
    players, others, appearance = split([*PLAYERS, TAKER])
    detection, frame = appearance["detection"].to_numpy(), appearance["frame"].to_numpy()
    seldom = appearance.filter(pa.array((detection < 10) | (frame < 3)))
    assert np.count_nonzero(seldom["detection"].to_numpy() == 10) == 3
    assert tracks_in_kit(others, players, TEAM_OF, seldom, fps=25) == []
