import numpy as np
import pytest

from filmroom import tables
from filmroom.identify.mistaken import dwarfs, fixtures, light_spots
from filmroom.observe.appearance import describe_kit

HEIGHT = 720


def people(boxes, frames=20):
    """The same boxes (N, 4) in every frame, tracks 1, 2, ... in their order."""
    boxes = np.asarray(boxes, float)
    count = len(boxes)
    many = np.ones(count * frames)
    columns = {name: np.tile(boxes[:, column], frames) for column, name in enumerate("xywh")}
    return tables.TRACKS.build(
        {
            "frame": np.repeat(np.arange(frames), count),
            "track": np.tile(np.arange(1, count + 1), frames),
            **columns,
            "score": many,
            "role": ["player"] * len(many),
            "visible": many,
            "detection": np.tile(np.arange(count), frames),
        }
    )


def looks_at(crops, frames=20):
    """APPEARANCE of crops (one a track) that look the same in every frame."""
    described = [describe_kit(crop, np.ones(crop.shape[:2], bool)) for crop in crops]
    vectors = [vector.tolist() for vector, _ in described] * frames
    return tables.APPEARANCE.build(
        {
            "frame": np.repeat(np.arange(frames), len(crops)),
            "detection": np.tile(np.arange(len(crops)), frames),
            "vector": vectors,
            "quality": [quality for _, quality in described] * frames,
        }
    )


def crop(colour, shade, seed=0):
    """A figure of one colour whose lightness varies by `shade` of 255, as folds and light make it."""
    rng = np.random.default_rng(seed)
    light = rng.normal(0, shade, (60, 24, 1)) + rng.normal(0, shade / 6, (60, 24, 3))
    return np.clip(np.asarray(colour) + light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [(238, 240, 244), (190, 194, 196)])
def test_the_gleam_of_a_lamp_on_ice_is_told_from_white_kits(colour):
    boxes = [(100 * place, 100, 24, 60) for place in range(3)]
    looks = looks_at([crop(colour, 4), crop(colour, 30), crop(colour, 30, seed=1)])
    assert light_spots(people(boxes), looks).tolist() == [1]


def test_there_may_be_more_lamps_than_people():
    ice = (238, 240, 244)
    shades = [4, 4, 5, 4, 5, 30, 30]
    boxes = [(100 * place, 100, 24, 60) for place in range(len(shades))]
    looks = looks_at([crop(ice, shade, seed) for seed, shade in enumerate(shades)])
    assert light_spots(people(boxes), looks).tolist() == [1, 2, 3, 4, 5]


def test_in_black_and_white_nobody_is_a_lamp():
    boxes = [(100 * place, 100, 24, 60) for place in range(4)]
    grey = [crop((150, 150, 150), shade)[:, :, :1].repeat(3, axis=2) for shade in (4, 6, 8, 30)]
    assert light_spots(people(boxes), looks_at(grey)).tolist() == []


def test_one_look_is_not_enough_to_call_anyone_a_lamp():
    looks = looks_at([crop((240, 240, 240), 4)], frames=1)
    assert light_spots(people([(100, 100, 24, 60)], frames=1), looks).tolist() == []


row = [(100 + 80 * place, 300, 30, 90) for place in range(5)]


def test_what_is_a_third_as_large_as_people_beside_it_is_none():
    assert dwarfs(people([*row, (600, 360, 12, 30)]), HEIGHT).tolist() == [6]


def test_whoever_lies_on_the_ground_or_stands_far_away_is_no_dwarf():
    lying, far = (600, 360, 90, 30), (700, 60, 10, 30)
    assert dwarfs(people([*row, lying, far]), HEIGHT).tolist() == []


def test_few_people_tell_no_size():
    assert dwarfs(people([*row[:2], (600, 360, 12, 30)]), HEIGHT).tolist() == []


def test_no_tracks():
    nothing = tables.TRACKS.empty()
    assert light_spots(nothing, tables.APPEARANCE.empty()).tolist() == []
    assert dwarfs(nothing, HEIGHT).tolist() == []


def swaying(sways, frames=60):
    """People (and things) of 60 pixels who swing from side to side by these shares of that."""
    still = people([(100 * place, 100, 24, 60) for place in range(len(sways))], frames)
    swing = 60 * np.asarray(sways)[still["track"].to_numpy() - 1] / 2
    phase = 2 * np.pi * still["frame"].to_numpy() / 20
    return tables.with_column(still, "x", still["x"].to_numpy() + swing * np.sin(phase))


def test_a_post_never_stirs_and_who_stands_still_does():
    assert fixtures(swaying([0.02, 0.1, 0.5, 1.0]), fps=25).tolist() == [1]


def test_a_moment_without_a_stir_says_nothing():
    assert fixtures(swaying([0.02, 0.1, 0.5, 1.0], frames=40), fps=25).tolist() == []


def test_in_a_still_picture_nobody_is_a_fixture():
    assert fixtures(swaying([0.0, 0.0, 0.0, 0.3]), fps=25).tolist() == []
    assert fixtures(tables.TRACKS.empty(), fps=25).tolist() == []
