"""The truth agrees with the picture and with itself, and depends on nothing but the seed."""

from dataclasses import replace

import numpy as np
import pytest

from filmroom.errors import InputError
from filmroom.pitch import SPORTS
from filmroom.simulate import compose
from filmroom.simulate.film import film_frame, frames, make_scene
from filmroom.simulate.labelled import labelled_frames
from filmroom.simulate.scene import make_match
from filmroom.simulate.settings import Settings, parse_size

SMALL = Settings(seconds=2.0, seed=5, width=640, height=360, difficulty="easy")


@pytest.fixture(scope="module")
def scene():
    return make_scene(SMALL)


@pytest.fixture(scope="module")
def filmed(scene):
    return film_frame(scene, 30)


def test_masks_fill_the_visible_boxes(filmed):
    truth = filmed.truth
    for box, mask in zip(truth.visible_boxes, truth.masks, strict=True):
        assert mask.shape == (round(box[3]), round(box[2]))
        for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
            assert edge.any()


def test_silhouettes_never_overlap(filmed):
    taken = np.zeros(filmed.pixels.shape[:2], int)
    for box, mask in zip(filmed.truth.visible_boxes.astype(int), filmed.truth.masks, strict=True):
        taken[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] += mask
    assert taken.max() == 1


def test_visible_boxes_lie_in_whole_boxes(filmed):
    whole, seen = filmed.truth.boxes, filmed.truth.visible_boxes
    assert (seen[:, :2] >= whole[:, :2] - 1).all()
    assert (seen[:, :2] + seen[:, 2:] <= whole[:, :2] + whole[:, 2:] + 1).all()
    assert ((filmed.truth.visible > 0) & (filmed.truth.visible <= 1)).all()


def test_people_stand_where_their_positions_project(scene):
    """The lowest point of a standing body is its feet, a foot's length from the projected place."""
    misses = []
    for frame in (5, 25, 45):
        truth = film_frame(scene, frame).truth
        feet, depth = truth.camera.project(truth.positions * np.array([1.0, 1.0, 0.0]))
        for row, role in enumerate(truth.roles):
            if role in ("ball", "hoop"):
                continue
            x, y, w, h = truth.boxes[row]
            metre = truth.camera.focal / depth[row]
            misses.append((abs(x + w / 2 - feet[row, 0]) / metre, abs(y + h - feet[row, 1]) / metre))
    aside, below = np.median(misses, axis=0)
    assert aside < 0.25
    assert below < 0.25


def test_the_ball_is_drawn_where_it_is(scene):
    for frame in (0, 20, 40):
        truth = film_frame(scene, frame).truth
        if "ball" not in truth.roles:
            continue
        row = truth.roles.index("ball")
        pixel, _ = truth.camera.project(truth.positions[row : row + 1])
        x, y, w, h = truth.boxes[row]
        assert x - 1 <= pixel[0, 0] <= x + w + 1
        assert y - 1 <= pixel[0, 1] <= y + h + 1


def test_lines_are_painted_where_they_project(scene):
    """Along the middle of a line, the picture is brighter than two line widths beside it."""
    truth = film_frame(scene, 30)
    camera = truth.truth.camera
    brighter = []
    for line in scene.play.surface.lines:
        way = np.array(line.end[:2]) - np.array(line.start[:2])
        side = np.array([-way[1], way[0], 0.0]) / np.hypot(*way)
        points = line.points(2.0)[1:-1]
        for offset in (0.6, -0.6):
            on, _ = camera.project(points)
            off, _ = camera.project(points + offset * side)
            for a, b in zip(np.floor(on).astype(int), np.floor(off).astype(int), strict=True):
                if all(0 <= p[0] < 640 and 60 <= p[1] < 360 for p in (a, b)):
                    pixels = truth.pixels.astype(int)
                    brighter.append(pixels[a[1], a[0]].sum() > pixels[b[1], b[0]].sum())
    assert len(brighter) > 20
    assert np.mean(brighter) > 0.8


def test_frames_do_not_depend_on_the_order_they_are_drawn_in(scene, filmed):
    other = make_scene(SMALL)
    film_frame(other, 44)
    again = film_frame(other, 30)
    assert np.array_equal(again.pixels, filmed.pixels)
    assert np.array_equal(again.truth.boxes, filmed.truth.boxes)


def test_another_seed_is_another_picture(filmed):
    other = film_frame(make_scene(replace(SMALL, seed=6)), 30)
    assert not np.array_equal(other.pixels, filmed.pixels)


def test_tracks_keep_their_person(scene):
    first, second = (film_frame(scene, frame).truth for frame in (10, 11))
    shared, left, right = np.intersect1d(first.tracks, second.tracks, return_indices=True)
    assert len(shared) > 5
    for track, a, b in zip(shared, left, right, strict=True):
        assert first.roles[a] == second.roles[b], track
        assert first.numbers[a] == second.numbers[b]
        assert np.abs(first.positions[a] - second.positions[b]).max() < 3.0


def test_a_readable_number_is_worn_and_turned_to_the_camera(scene):
    readable = 0
    for frame in range(0, 50, 10):
        truth = film_frame(scene, frame).truth
        for row in np.flatnonzero(truth.readable):
            readable += 1
            assert truth.numbers[row] is not None
            assert truth.number_boxes[row, 3] >= 8.0
    assert readable == sum(film_frame(scene, f).truth.readable.sum() for f in range(0, 50, 10))


def test_shown_people_are_those_who_play_or_referee_and_show_enough(scene):
    truth = film_frame(scene, 20).truth
    everybody = truth.shown_people(0.0)
    assert {truth.roles[row] for row in np.flatnonzero(everybody)} <= {
        "player",
        "goalkeeper",
        "referee",
    }
    others = {truth.roles[row] for row in np.flatnonzero(~everybody)}
    assert "player" not in others and "ball" in others
    half = truth.shown_people(0.5)
    np.testing.assert_array_equal(half, everybody & (truth.visible >= 0.5))


@pytest.mark.parametrize("sport", [sport for sport in SPORTS if sport != "soccer"])
def test_every_sport_can_be_filmed(sport):
    settings = Settings(sport=sport, seconds=1.0, seed=2, width=320, height=180)
    shown = next(frames(settings))
    assert shown.pixels.shape == (180, 320, 3)
    assert "player" in shown.truth.roles
    assert shown.pixels.std() > 15


def test_basketball_shows_a_hoop_with_its_box():
    settings = Settings(sport="basketball", seconds=0.2, seed=3, width=640, height=360, camera="fixed")
    truth = next(frames(settings)).truth
    hoops = [row for row, role in enumerate(truth.roles) if role == "hoop"]
    assert hoops
    for row in hoops:
        x, _, w, _ = truth.boxes[row]
        rim, depth = truth.camera.project(truth.positions[row : row + 1])
        assert x <= rim[0, 0] <= x + w
        assert w == pytest.approx(0.46 * truth.camera.focal / depth[0], rel=0.15)


def test_labelled_frames_are_varied_and_inside_the_picture():
    source = labelled_frames(np.random.default_rng(0), "soccer", (320, 180))
    seen = [next(source) for _ in range(3)]
    for pixels, boxes, categories in seen:
        assert pixels.shape == (180, 320, 3)
        assert len(boxes) == len(categories)
        assert set(categories) <= {"ball", "goalkeeper", "player", "referee", "hoop"}
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 0] + boxes[:, 2] <= 320).all()
        assert (boxes[:, 1] + boxes[:, 3] <= 180).all()
    assert not np.array_equal(seen[0][0], seen[1][0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seconds": 0.0}, "above 0"),
        ({"difficulty": "brutal"}, "easy, medium, hard, cruel"),
        ({"camera": "satellite"}, "broadcast"),
        ({"sport": "curling"}, "soccer"),
        ({"width": 4}, "64x64"),
        ({"seed": -1}, "negative"),
        ({"surface": "clay"}, "choose one of soccer"),
    ],
)
def test_impossible_settings_are_refused_in_one_line(change, reason):
    with pytest.raises(InputError, match=reason) as told:
        replace(SMALL, **change).checked()
    assert "\n" not in str(told.value)


def test_sizes_are_parsed():
    assert parse_size("1920x1080") == (1920, 1080)
    for wrong in ("1920", "x", "axb", "1920*1080"):
        with pytest.raises(InputError, match="size"):
            parse_size(wrong)


def _pixels_of(frame):
    return film_frame(make_scene(SMALL), frame).pixels


def test_any_number_of_workers_draws_the_same_frames(filmed):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        pictures = list(pool.map(_pixels_of, [30, 30]))
    assert all(np.array_equal(picture, filmed.pixels) for picture in pictures)


def test_every_preset_is_harder_than_the_one_before():
    from itertools import pairwise

    from filmroom.simulate.settings import DIFFICULTIES

    for easier, harder in pairwise(DIFFICULTIES.values()):
        assert harder.noise > easier.noise
        assert harder.blur > easier.blur
        assert harder.shutter > easier.shutter
        assert harder.shake > easier.shake
        assert harder.alike > easier.alike
        assert harder.weather > easier.weather
        assert harder.contrast < easier.contrast


def test_rain_falls_on_grass_only_and_is_seen():
    from filmroom.simulate.weather import Weather, draw_weather, random_weather

    rng = np.random.default_rng(0)
    assert random_weather("parquet", 1.0, rng) is None
    assert random_weather("grass", 1.0, rng) is not None
    for kind in ("rain", "snow"):
        first, second = (np.full((180, 320, 3), 90, np.uint8) for _ in range(2))
        draw_weather(first, Weather(kind, 0.8, 0.2), 3)
        draw_weather(second, Weather(kind, 0.8, 0.2), 4)
        drops = first[:, :, 1] > np.median(first) + 10
        assert 0.005 < drops.mean() < 0.3
        assert not np.array_equal(first, second)


def test_the_score_counts_what_the_match_brings():
    match = make_match(Settings(sport="volleyball", seconds=120.0, seed=4))
    points = [event for event in match.play.events if event.label == "POINT"]
    assert len(points) > 3
    assert match.scored(points[0].frame - 1) == (0, 0)
    first = match.scored(points[0].frame)
    assert first[1 - points[0].team] == 1 and sum(first) == 1
    assert sum(match.scored(len(match))) == len(points)


def test_figures_larger_than_the_picture_are_drawn_in_part_with_the_same_truth(
    scene, filmed, monkeypatch
):
    """Only what lies in the picture is drawn of them; here that is done with everybody."""
    usual = filmed
    monkeypatch.setattr(compose, "_HUGE", 0.0)
    parted = film_frame(scene, 30)
    assert np.array_equal(usual.pixels, parted.pixels)
    assert np.array_equal(usual.truth.tracks, parted.truth.tracks)
    assert np.abs(usual.truth.boxes - parted.truth.boxes).max() < 2.0
    assert np.abs(usual.truth.visible - parted.truth.visible).max() < 0.1


def test_whoever_is_nearer_than_a_close_up_is_enlarged_and_not_drawn_anew(scene):
    stance = scene.stances.of(0, 3)
    for size in (200.0, 5000.0):
        sprite, scale = scene.wardrobe.sprite_of(3, stance, 0.0, size, 0.2)
        assert sprite.alpha.shape[0] < 1.25 * 2 * SMALL.height
        assert sprite.alpha.shape[0] * scale == pytest.approx(size, rel=0.25)
