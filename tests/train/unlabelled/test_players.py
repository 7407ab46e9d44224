from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.geometry.boxes import ious  # noqa: E402
from filmroom.train.unlabelled import players as finding  # noqa: E402
from filmroom.train.unlabelled.background import Panorama  # noqa: E402
from filmroom.train.unlabelled.candidates import (  # noqa: E402
    BodyHeight,
    find_candidates,
    fit_body_height,
    regions_of,
)
from filmroom.train.unlabelled.footage import Shot  # noqa: E402
from filmroom.train.unlabelled.motion import MovingShot  # noqa: E402
from filmroom.train.unlabelled.player_pools import (  # noqa: E402
    PoolRecipe,
    choose_players,
    cut_patches,
    field_boxes,
    grow_pools,
    merged_boxes,
    pool_scores,
    strict_positives,
    triplet_loss,
)

HEIGHT = BodyHeight(40.0, 0.0)


def drawn(*bodies):
    """(120, 200) a mask with a body of 14 x 40 pixels at each (x, y)."""
    mask = np.zeros((120, 200), np.uint8)
    for x, y in bodies:
        cv2.ellipse(mask, (x + 7, y + 20), (7, 20), 0, 0, 360, 1, -1)
    return mask > 0


def test_how_tall_people_are_is_found_past_groups_and_specks():
    rng = np.random.default_rng(0)
    feet = rng.uniform(60, 300, 60)
    tall = 10 + 0.15 * feet
    people = np.column_stack([rng.uniform(0, 500, 60), feet - tall, 0.45 * tall, tall])
    specks = np.column_stack([rng.uniform(0, 500, (40, 2)), np.full(40, 5.0), np.full(40, 9.0)])
    found = fit_body_height(np.concatenate([people, specks]), rng)
    assert found.at(100.0) == pytest.approx(25, abs=2)
    assert found.at(280.0) == pytest.approx(52, abs=3)
    assert fit_body_height(people[:5], rng) is None


def test_two_who_touch_are_divided_into_two():
    found = find_candidates(drawn((50, 40), (61, 44)), HEIGHT)
    assert len(found.regions) == 1
    pair = found.boxes[found.clusters == 2]
    truth = np.array([[50, 40, 14, 40], [61, 44, 14, 40]], float)
    assert ious(pair, truth).max(axis=0).min() > 0.6


def test_only_a_compact_single_body_is_positive_from_the_start():
    found = find_candidates(drawn((20, 40), (90, 40), (104, 42)), HEIGHT)
    strict = strict_positives(found, HEIGHT, PoolRecipe())
    np.testing.assert_allclose(found.boxes[strict], [[20, 40, 15, 41]], atol=1)


def test_the_choice_is_the_division_whose_parts_look_like_players():
    found = find_candidates(drawn((50, 40), (61, 44)), HEIGHT)
    scores = np.where(found.clusters == 2, 0.9, -0.5).astype(np.float32)
    chosen, sure = choose_players(found, scores, HEIGHT)
    assert (found.clusters[chosen] == 2).all() and len(chosen) == 2
    assert (sure > 0.8).all()


def test_specks_are_no_regions():
    mask = drawn((50, 40))
    mask[5:7, 5:7] = True
    assert len(regions_of(mask)[1]) == 1


@given(st.integers(2, 12), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_merged_box_holds_two_of_the_boxes(count, seed):
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(1, 50, (count, 4))
    for merged in merged_boxes(boxes, rng, 5):
        inside = (boxes[:, :2] >= merged[:2] - 1e-9).all(1)
        inside &= (boxes[:, :2] + boxes[:, 2:] <= merged[:2] + merged[2:] + 1e-9).all(1)
        assert inside.sum() >= 1
        assert np.isclose(merged[0], boxes[inside, 0].min())


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_field_crops_keep_away_from_players(seed):
    rng = np.random.default_rng(seed)
    players = np.column_stack([rng.uniform(0, 180, (6, 2)), np.full(6, 14.0), np.full(6, 40.0)])
    crops = field_boxes(players, players, (200, 120), rng, 8)
    assert len(crops) == 0 or ious(crops, players).max() <= 0.1


def test_the_score_runs_from_one_pool_to_the_other():
    vectors = np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float32)
    scores = pool_scores(vectors, np.array([True, False, False]), np.array([False, True, False]))
    np.testing.assert_allclose(scores, [1, -1, 0], atol=1e-6)


def test_a_triplet_within_the_margin_costs_and_beyond_it_does_not():
    a, near, far = (torch.tensor([each]) for each in ([1.0, 0.0], [1.0, 0.1], [0.0, 1.0]))
    assert triplet_loss(a, near, far, 0.3) == 0
    assert triplet_loss(a, far, near, 0.3).item() == pytest.approx(2 - 0.01 + 0.3)


def test_pools_grow_towards_what_looks_like_them_and_no_faster_than_allowed():
    rng = np.random.default_rng(0)
    red = rng.integers(150, 255, (60, 64, 32, 1)) * np.array([1.0, 0.1, 0.1])
    green = rng.integers(100, 200, (60, 64, 32, 1)) * np.array([0.2, 1.0, 0.2])
    patches = np.concatenate([red, green]).astype(np.uint8)
    positive, negative = np.zeros(120, bool), np.zeros(120, bool)
    positive[:10], negative[60:70] = True, True
    recipe = PoolRecipe(iterations=2, steps=8, batch=8)
    _, pools = grow_pools(patches, positive, negative, recipe, lambda *_: None)
    assert 10 < pools.positive.sum() <= 10 + 2 * 12
    assert not pools.positive[60:].any() and not pools.negative[:60].any()
    assert pools.scores[:60].min() > pools.scores[60:].max()


def test_a_patch_shows_its_box():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:60, 30:50] = 200
    patch = cut_patches(picture, np.array([[30.0, 20, 20, 40]]))[0]
    assert patch.shape == (64, 32, 3)
    assert (patch[8:56, 5:27] > 190).all() and patch[:3].max() < 100


def test_what_is_seen_in_graphics_is_nobody(monkeypatch):
    pixels = np.full((8, 96, 160, 3), 90, np.uint8)
    overlay = np.zeros((96, 160), bool)
    overlay[10:30, 20:60] = True
    panorama = Panorama(
        pixels[0], np.full((96, 160), 8, np.uint8), np.tile(np.eye(3), (8, 1, 1)),
        np.ones(8, bool), overlay,
    )  # fmt: skip
    shot = Shot(Path("v.mp4"), np.arange(8), np.arange(8) / 8, pixels, 1.0)
    labels = np.zeros((8, 96, 160), np.uint8)
    moving = MovingShot(shot, np.arange(8), panorama, None, 20.0, labels)
    everywhere = np.ones((96, 160), np.float32)
    monkeypatch.setattr(finding, "foreground_of", lambda *_: everywhere)
    [mask, *_] = finding.foreground_masks(None, moving)
    assert (mask == ~overlay).all()
