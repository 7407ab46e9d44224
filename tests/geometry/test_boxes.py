import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from filmroom.geometry import boxes as geometry

SIDES = st.floats(0.5, 200)
PLACES = st.floats(-300, 300)
BOX = st.tuples(PLACES, PLACES, SIDES, SIDES)
BOXES = st.lists(BOX, min_size=1, max_size=12).map(lambda rows: np.array(rows, float))


def test_half_overlap_is_a_third():
    first, second = np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 10, 10.0]])
    assert np.isclose(geometry.ious(first, second)[0, 0], 1 / 3)
    assert np.isclose(geometry.overlap_of_smaller(first, second)[0, 0], 1 / 2)


@given(BOXES, BOXES)
def test_iou_is_symmetric_and_between_nothing_and_all(first, second):
    overlap = geometry.ious(first, second)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    np.testing.assert_allclose(overlap, geometry.ious(second, first).T)
    np.testing.assert_allclose(np.diag(geometry.ious(first, first)), 1)


@given(BOXES, BOXES, st.floats(0, 0.9))
def test_pairs_are_one_to_one_and_overlap_by_more_than_asked(first, second, least):
    rows, columns = geometry.pair_by_overlap(first, second, least)
    assert len(set(rows.tolist())) == len(rows) and len(set(columns.tolist())) == len(columns)
    assert (geometry.ious(first, second)[rows, columns] > least).all()


def test_pairs_are_chosen_for_the_best_total():
    first = np.array([[0, 0, 10, 10.0], [6, 0, 10, 10.0]])
    second = np.array([[4, 0, 10, 10.0], [-4, 0, 10, 10.0]])
    rows, columns = geometry.pair_by_overlap(first, second, 0.1)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


@given(BOXES, st.floats(0, 2))
def test_expanding_keeps_the_middle(boxes, share):
    grown = geometry.expand(boxes, share)
    np.testing.assert_allclose(
        grown[:, :2] + grown[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2, atol=1e-9
    )
    np.testing.assert_allclose(grown[:, 2], boxes[:, 2] * (1 + 2 * share))


@given(BOXES)
def test_a_clipped_box_lies_inside(boxes):
    cut = geometry.clip(boxes, 100, 50)
    assert (cut[:, :2] >= 0).all() and (cut[:, 2:] >= 0).all()
    assert (cut[:, 0] + cut[:, 2] <= 100 + 1e-9).all() and (cut[:, 1] + cut[:, 3] <= 50 + 1e-9).all()


@given(BOXES, st.floats(0.1, 0.9), st.data())
def test_suppression_leaves_no_pair_above_the_threshold_and_drops_none_without_a_reason(
    boxes, threshold, data
):
    scores = data.draw(arrays.arrays(float, len(boxes), elements=st.floats(0, 1)))
    kept = geometry.non_maximum_suppression(boxes, scores, threshold)
    overlap = geometry.ious(boxes, boxes)
    among = overlap[np.ix_(kept, kept)] - np.eye(len(kept))
    assert (among <= threshold + 1e-9).all()
    for index in set(range(len(boxes))) - set(kept.tolist()):
        better = [k for k in kept if scores[k] >= scores[index] and overlap[index, k] > threshold]
        assert better


@given(BOXES, st.floats(0, 1))
def test_a_place_across_a_box_is_found_again_and_never_beyond_its_edges(boxes, share):
    np.testing.assert_allclose(
        geometry.shares_across(boxes, boxes[:, 0] + share * boxes[:, 2]), share, atol=1e-9
    )
    beyond = boxes[:, 0] + 2 * boxes[:, 2]
    assert (geometry.shares_across(boxes, beyond) == 1).all()
    assert (geometry.shares_across(boxes, -beyond - 1e4) == 0).all()
