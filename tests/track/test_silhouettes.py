from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.geometry.masks import encode_rle
from filmroom.tables import MASKS
from filmroom.track.silhouettes import CELLS, GRID, KeptMasks, alike, grid_of
from filmroom.track.tracker import Tracker

HEAD = np.zeros(GRID, np.float32)
HEAD[:6] = 1.0
LEGS = np.zeros(GRID, np.float32)
LEGS[12:] = 1.0
SHAPES = np.stack([HEAD.ravel(), LEGS.ravel()])
CLOSE = np.array([[500.0, 300, 32, 80], [503.0, 300, 32, 80]])


def test_a_grid_tells_how_full_each_part_of_the_box_is() -> None:
    mask = np.zeros((36, 18), bool)
    mask[:18] = True
    grid = grid_of(mask).reshape(GRID)
    assert (grid[: GRID[0] // 2] == 1).all()
    assert (grid[GRID[0] // 2 :] == 0).all()


def test_silhouettes_are_found_by_their_keys() -> None:
    masks = MASKS.build(
        {
            "frame": [3],
            "detection": [1],
            "rle": [encode_rle(np.ones((40, 20), bool))],
            "width": [20],
            "height": [40],
            "score": [1.0],
        }
    )
    kept = KeptMasks(masks, np.array([3 * 2**20, 3 * 2**20 + 1]))
    grids = kept(np.array([1, 0]))
    np.testing.assert_allclose(grids[0], 1, atol=1e-5)
    assert not grids[1].any()


def test_alike_is_shared_over_joint_occupancy() -> None:
    np.testing.assert_allclose(alike(SHAPES, SHAPES), np.eye(2))
    assert alike(SHAPES[:1], np.ones((1, CELLS), np.float32))[0, 0] == pytest.approx(1 / 3)


def test_silhouettes_decide_where_boxes_do_not() -> None:
    """Two stand in one place and change sides by a few pixels: the boxes would exchange them."""
    told, blind = Tracker(), Tracker()
    for _ in range(5):
        first = told.update(CLOSE, np.full(2, 0.9), silhouettes=SHAPES)
        blind.update(CLOSE, np.full(2, 0.9))
    assert (
        told.update(CLOSE, np.full(2, 0.9), silhouettes=SHAPES[::-1]).tolist() == first[::-1].tolist()
    )
    assert blind.update(CLOSE, np.full(2, 0.9)).tolist() == first.tolist()
    # What silhouettes say takes no doubt away: the margin stays that of the boxes.
    assert (told.margins < 0).all()


def test_silhouettes_are_asked_only_where_there_is_doubt() -> None:
    asked: list[int] = []

    def shapes(wanted: np.ndarray) -> np.ndarray:
        asked.extend(wanted.tolist())
        return SHAPES[wanted % 2]

    apart = np.array([[100.0, 300, 32, 80], [900.0, 300, 32, 80]])
    for boxes, doubted in ((apart, 0), (CLOSE, 2)):
        asked.clear()
        frames = np.repeat(np.arange(4), 2)
        Tracker().follow(np.tile(boxes, (4, 1)), np.full(8, 0.9), frames, 4, silhouettes=shapes)
        assert len(set(asked[:2])) == doubted


def test_who_has_no_silhouette_is_judged_by_the_box_alone() -> None:
    nothing = np.zeros((2, CELLS), np.float32)
    told, blind = Tracker(), Tracker()
    for step in range(6):
        boxes = CLOSE + np.array([[2.0], [-2.0]]) * [step, 0, 0, 0]
        ids = told.update(boxes, np.full(2, 0.9), silhouettes=nothing)
        assert ids.tolist() == blind.update(boxes, np.full(2, 0.9)).tolist()


@pytest.mark.parametrize("shape", [(1, CELLS), (2,), (3, CELLS)])
def test_silhouettes_of_another_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="one row of finite numbers a box"):
        Tracker().update(CLOSE, np.full(2, 0.9), silhouettes=np.zeros(shape))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_order_of_boxes_does_not_matter_with_silhouettes(seed: int, people: int) -> None:
    random = np.random.default_rng(seed)
    one, other = Tracker(), Tracker()
    start = np.column_stack([random.uniform(0, 120, (people, 2)), np.full((people, 2), [32.0, 80.0])])
    shapes = random.random((people, CELLS)).astype(np.float32)
    for _ in range(6):
        boxes = start + np.column_stack([random.normal(0, 6, (people, 2)), np.zeros((people, 2))])
        ids = one.update(boxes, np.full(people, 0.9), silhouettes=shapes)
        order = random.permutation(people)
        mixed = other.update(boxes[order], np.full(people, 0.9), silhouettes=shapes[order])
        assert mixed.tolist() == ids[order].tolist()
        assert len(set(ids.tolist())) == people
