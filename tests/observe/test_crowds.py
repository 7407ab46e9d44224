import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.observe.crowds import WINDOW, crowd_windows, look_closer
from filmroom.observe.decode import KINDS, Detections
from filmroom.observe.detector import cut_window

SIZE = (1920, 1080)
SCALE = 2 / 3
PERSON, BALL = KINDS.index("person"), KINDS.index("ball")


def people_of(detections):
    return detections.boxes[detections.kinds == PERSON].tolist()


pair = [(600.0, 400.0, 40.0, 100.0), (620.0, 404.0, 40.0, 100.0)]
alone = (1500.0, 700.0, 50.0, 120.0)


def test_windows_lie_around_people_who_overlap():
    (window,) = crowd_windows(np.array([*pair, alone]), SCALE)
    width, height = np.array(WINDOW) / window.scale
    assert window.left < 600 and window.left + width > 660
    assert window.top < 400 and window.top + height > 504
    assert window.left + width < alone[0]


def test_nobody_is_looked_at_again_who_stands_alone_or_is_large_already():
    large = np.array([(600, 200, 90, 260), (640, 210, 90, 260)])
    assert crowd_windows(np.array([pair[0], alone]), SCALE) == []
    assert crowd_windows(large, SCALE) == []
    assert crowd_windows(np.zeros((0, 4)), SCALE) == []


def test_small_people_are_enlarged_more_but_not_without_end():
    small, tiny = (share * np.array(pair) for share in (0.8, 0.2))
    scales = [crowd_windows(boxes, SCALE)[0].scale for boxes in (np.array(pair), small, tiny)]
    assert SCALE < scales[0] < scales[1] <= scales[2] == pytest.approx(2 * SCALE)


def test_a_crowd_of_three_melted_into_two_comes_apart(found):
    three = [(598.0, 400.0, 30.0, 100.0), (615.0, 402.0, 30.0, 100.0), (633.0, 404.0, 30.0, 100.0)]
    first = Detections.concatenate([found([*pair, alone]), found([(700, 480, 9, 9)], kind=BALL)])
    closer = look_closer(first, SCALE, SIZE, lambda window: found(three, score=0.6))
    assert len(people_of(closer)) == 4
    assert list(alone) in people_of(closer)
    assert (closer.kinds == BALL).sum() == 1


def test_who_is_found_twice_lies_halfway_between_both_looks(found):
    second = found([(604.0, 400.0, 40.0, 100.0), pair[1]], score=0.6)
    closer = look_closer(found(pair), SCALE, SIZE, lambda window: second)
    assert sorted(people_of(closer)) == [[602.0, 400.0, 40.0, 100.0], list(pair[1])]
    assert closer.scores == pytest.approx([0.7, 0.7])


def test_strangers_to_the_crowd_are_not_taken_from_the_closer_look(found):
    stranger = (660.0 + 60, 420.0, 30.0, 90.0)
    closer = look_closer(found(pair), SCALE, SIZE, lambda window: found([*pair, stranger]))
    assert list(stranger) not in people_of(closer)


def test_people_on_the_border_of_a_window_are_left_to_the_first_look(found):
    def look(window):
        right = window.left + WINDOW[0] / window.scale
        return found([*pair, (right - 20, 420.0, 20.0, 90.0)])

    (window,) = crowd_windows(np.array(pair), SCALE)
    crossing = (window.left + WINDOW[0] / window.scale - 15, 420.0, 40.0, 90.0)
    closer = look_closer(found([*pair, crossing]), SCALE, SIZE, look)
    assert len(people_of(closer)) == 3
    assert people_of(closer)[0] == pytest.approx(crossing)


@given(st.lists(st.tuples(st.integers(0, 1880), st.integers(0, 980)), max_size=40))
def test_a_closer_look_that_sees_the_same_changes_nothing(found, places):
    boxes = [(x, y, 40, 100) for x, y in sorted(set(places))]
    first = found(boxes)
    closer = look_closer(first, SCALE, SIZE, lambda window: first.scaled(1.0))
    assert sorted(people_of(closer)) == sorted(people_of(first))
    assert closer.scores == pytest.approx(first.scores)


def test_a_window_shows_the_picture_where_it_says():
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[430:450, 610:640] = 255
    (window,) = crowd_windows(np.array(pair), SCALE)
    cut = cut_window(picture, window)
    assert cut.shape == (WINDOW[1], WINDOW[0], 3)
    rows, columns = np.nonzero(cut[..., 0] > 127)
    left = window.left + columns.min() / window.scale
    right = window.left + (columns.max() + 1) / window.scale
    top = window.top + rows.min() / window.scale
    assert [left, right, top] == pytest.approx([610, 640, 430], abs=0.6)
