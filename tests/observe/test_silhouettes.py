"""Silhouettes: windows, overlaps, the shipped network on figures it was not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.geometry.masks import mask_iou, paste, windows
from filmroom.observe.silhouettes import (
    HEIGHT,
    WIDTH,
    CropSegmenter,
    cut_out,
    neighbours,
    settle,
    surroundings,
)
from filmroom.simulate.figures import draw_figure, paste_sprite, random_look, random_pose
from filmroom.simulate.kits import random_kit


@pytest.fixture(scope="module")
def segmenter() -> CropSegmenter:
    return CropSegmenter()


def grass_scene(seed: int, people: int = 8) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A picture, the boxes of its people and their visible pixels; styles not trained on."""
    rng = np.random.default_rng(seed)
    picture = np.empty((360, 640, 3), np.uint8)
    picture[:] = (60, 120, 50)
    picture += rng.integers(0, 9, picture.shape, dtype=np.uint8)
    boxes, masks = [], []
    for feet in np.sort(rng.uniform(120, 350, people)):
        sprite = draw_figure(
            random_look(rng, random_kit(rng)), random_pose(rng, "run"), height_px=70.0,
            heading=rng.uniform(0, 6.3), style="painted", rng=rng,
        )  # fmt: skip
        drawn = paste_sprite(picture, sprite, (rng.uniform(40, 600), feet))
        assert drawn is not None
        alpha, (left, top) = drawn
        body = paste(alpha > 0.5, left, top, 640, 360)
        masks = [mask & ~body for mask in masks]
        masks.append(body)
        boxes.append((left, top, alpha.shape[1], alpha.shape[0]))
    return picture, np.array(boxes, float), masks


def test_people_in_a_style_never_trained_on_are_cut_out(segmenter: CropSegmenter) -> None:
    ious = []
    for seed in range(3):
        picture, boxes, truth = grass_scene(seed)
        found = segmenter.segment(picture, boxes)
        for mask, body, (x0, y0, _, _) in zip(
            found.masks, truth, windows(boxes, 640, 360), strict=True
        ):
            ious.append(mask_iou(paste(mask, x0, y0, 640, 360), body))
    assert np.mean(ious) > 0.8


def test_masks_lie_on_the_windows_of_their_boxes(segmenter: CropSegmenter) -> None:
    picture, boxes, _ = grass_scene(1)
    boxes = np.concatenate([boxes, [[-8.3, 100, 30, 60], [620.5, 310.2, 60, 90], [200, 200, 0.2, 0.4]]])
    found = segmenter.segment(picture, boxes)
    assert len(found.masks) == len(found.scores) == len(boxes)
    for mask, (x0, y0, x1, y1) in zip(found.masks, windows(boxes, 640, 360), strict=True):
        assert mask.dtype == bool and mask.shape == (y1 - y0, x1 - x0)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


def test_no_pixel_belongs_to_two_people(segmenter: CropSegmenter) -> None:
    picture, boxes, _ = grass_scene(2, people=20)
    found = segmenter.segment(picture, boxes)
    taken = np.zeros((360, 640), int)
    for mask, (x0, y0, _, _) in zip(found.masks, windows(boxes, 640, 360), strict=True):
        taken += paste(mask, x0, y0, 640, 360)
    assert taken.max() == 1


def test_many_people_are_cut_as_one_by_one_where_they_stand_apart(segmenter: CropSegmenter) -> None:
    picture, _, _ = grass_scene(3)
    boxes = np.array([[x, y, 18.0, 40.0] for x in range(5, 620, 40) for y in (10, 80, 150, 250)])
    together = segmenter.segment(picture, boxes)
    for index in range(0, len(boxes), 7):
        alone = segmenter.segment(picture, boxes[index : index + 1])
        assert np.array_equal(alone.masks[0], together.masks[index])


def test_nobody_and_tiny_pictures(segmenter: CropSegmenter) -> None:
    picture = np.zeros((1, 1, 3), np.uint8)
    assert segmenter.segment(picture, np.zeros((0, 4))).masks == []
    found = segmenter.segment(picture, np.array([[0.0, 0, 1, 1], [-900, 40, 3, 3]]))
    assert [mask.shape for mask in found.masks] == [(1, 1), (1, 1)]


def test_an_own_network_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "segmenter.onnx").write_bytes(b"not a network")
    with pytest.raises(Exception, match="not a network that can be run here"):
        CropSegmenter(parts=tmp_path)


# --- who is in front ---------------------------------------------------------------------------------


def two_boxes(first_feet: float, second_feet: float) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([[0, first_feet - 20, 10, 20], [5, second_feet - 20, 10, 20]], float)
    return boxes, windows(boxes, 40, 40)


def test_the_nearer_body_takes_what_both_claim() -> None:
    boxes, inner = two_boxes(25, 30)
    found = settle([np.full((20, 10), 3.0), np.full((20, 10), 3.0)], inner, boxes)
    assert found.masks[1].all()
    assert not found.masks[0][5:, 5:].any() and found.masks[0][:5].all()


def test_a_much_surer_body_behind_keeps_its_pixels() -> None:
    boxes, inner = two_boxes(25, 30)
    found = settle([np.full((20, 10), 6.0), np.full((20, 10), 0.5)], inner, boxes)
    assert found.masks[0].all()
    assert not found.masks[1][:15, :5].any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7))
def test_settling_gives_every_claimed_pixel_to_exactly_one_claimant(seed: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(-5, 40, (people, 2)), rng.uniform(1, 30, (people, 2))], 1)
    inner = windows(boxes, 50, 50)
    maps = [rng.normal(0, 2, (y1 - y0, x1 - x0)) for x0, y0, x1, y1 in inner]
    found = settle(maps, inner, boxes)
    given_to, claimed = np.zeros((50, 50), int), np.zeros((50, 50), bool)
    for mask, logits, (x0, y0, _, _) in zip(found.masks, maps, inner, strict=True):
        assert not (mask & (logits <= 0)).any()
        given_to += paste(mask, x0, y0, 50, 50)
        claimed |= paste(logits > 0, x0, y0, 50, 50)
    assert given_to.max() <= 1
    # With three claimants the pairwise duels may leave a pixel to nobody, with two never.
    if people <= 2:
        assert np.array_equal(given_to > 0, claimed)


# --- what the network sees ---------------------------------------------------------------------------


def test_the_network_sees_the_box_and_some_surroundings() -> None:
    box = np.array([[100.0, 50.0, 40.0, 80.0]])
    assert surroundings(box, 640, 360).tolist() == [[94, 38, 146, 142]]


def test_beyond_the_border_the_picture_goes_on() -> None:
    picture = np.zeros((60, 40, 3), np.uint8)
    picture[:, 0] = 200
    seen = cut_out(picture, np.array([-20, 0, 20, 60]))
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert (seen[:, : WIDTH // 2 - 2] == 200).all() and (seen[:, WIDTH // 2 + 4 :] == 0).all()


def test_neighbours_are_shown_by_where_their_boxes_lie() -> None:
    own, nearer, farther, away = (
        [100, 50, 40, 80],
        [120, 60, 40, 90],
        [80, 40, 40, 80],
        [400, 50, 40, 80],
    )
    boxes = np.array([own, nearer, farther, away], float)
    maps = neighbours(boxes, surroundings(boxes, 640, 360))
    assert maps.shape == (4, HEIGHT, WIDTH, 2)
    in_front, behind = maps[0, :, :, 0] > 0, maps[0, :, :, 1] > 0
    assert in_front[:, : WIDTH // 3].sum() == 0 < in_front[:, 2 * WIDTH // 3 :].sum()
    assert behind[:, 2 * WIDTH // 3 :].sum() == 0 < behind[:, : WIDTH // 3].sum()
    assert maps[1, :, :, 0].sum() == 0 < maps[1, :, :, 1].sum()
    assert not maps[3].any()


def test_the_middle_of_a_neighbour_shows_more_than_its_sides() -> None:
    boxes = np.array([[100.0, 50, 40, 80], [105.0, 52, 30, 80]])
    row = neighbours(boxes, surroundings(boxes, 640, 360))[0, HEIGHT // 2, :, 0]
    seen = np.flatnonzero(row)
    assert row[seen].argmax() == pytest.approx(len(seen) / 2, abs=2)
    assert row[seen].min() >= 155
