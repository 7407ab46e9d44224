"""The second look at what may be the ball."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from filmroom.geometry.boxes import ious
from filmroom.observe.ball import (
    BLANK,
    DIAMETERS,
    OUTPUTS,
    SIDE,
    WINDOW,
    BallLooks,
    OnnxBallJudge,
    ball_patches,
    ball_windows,
    placed_boxes,
)
from filmroom.observe.decode import KINDS, Detections
from filmroom.observe.detector import OnnxDetector, look_again

GRASS = (52, 118, 48)
BALL = KINDS.index("ball")


@pytest.fixture(scope="module")
def judge() -> OnnxBallJudge:
    return OnnxBallJudge()


def pitch(height: int = 720, width: int = 1280) -> np.ndarray:
    """Grass with the unevenness of real one."""
    noise = np.random.default_rng(3).normal(0, 5, (height, width, 1))
    return np.clip(np.array(GRASS) + noise, 0, 255).astype(np.uint8)


def draw(picture: np.ndarray, centre: tuple[float, float], axes: tuple[float, float]) -> np.ndarray:
    """A white ellipse with soft rim, in place; its box (4,)."""
    fine = 16
    shifted = [round(fine * (value - 0.5)) for value in centre]
    size = [round(fine * value) for value in axes]
    cover = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(cover, shifted, size, 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(cover, (0, 0), 0.6)[..., None] / 255
    picture[:] = (share * 240 + (1 - share) * picture).astype(np.uint8)
    return np.array([centre[0] - axes[0], centre[1] - axes[1], 2 * axes[0], 2 * axes[1]])


def test_a_drawn_ball_is_told_from_a_line_a_shoe_and_bare_grass(judge: OnnxBallJudge) -> None:
    picture = pitch()
    ball = draw(picture, (300, 300), (4.5, 4.5))
    shoe = draw(picture, (500, 300), (10, 3))
    cv2.line(picture, (600, 420), (900, 300), (235, 235, 235), 3)
    line = np.array([745.0, 355, 9, 9])
    grass = np.array([100.0, 600, 9, 9])
    looks = judge.judge(picture, np.array([line, shoe, ball, grass]), np.full(4, 0.6))
    assert looks.scores[2] > 0.5
    assert looks.scores[[0, 1, 3]].max() < 0.5 * looks.scores[2]


def test_a_box_beside_the_ball_is_put_right(judge: OnnxBallJudge) -> None:
    picture = pitch()
    centre = np.array([640.0, 360.0])
    draw(picture, (640, 360), (5, 5))
    for shift in [(3, 0), (-3, 0), (0, 3), (-2, -2)]:
        box = np.array([[*(centre + shift - 8), 16, 16]])
        found = judge.judge(picture, box, np.array([0.3])).boxes[0]
        assert np.hypot(*(found[:2] + found[2:] / 2 - centre)) < 1.2
        assert 8 < found[2:].mean() < 16


def test_the_same_ball_in_a_picture_twice_as_large_looks_the_same(judge: OnnxBallJudge) -> None:
    scores, boxes = [], []
    for size in (1, 2):
        picture = cv2.resize(pitch(), None, fx=size, fy=size, interpolation=cv2.INTER_LINEAR)
        box = draw(picture, (300 * size, 300 * size), (5 * size, 5 * size))
        looks = judge.judge(picture, box[None], np.array([0.4]))
        scores.append(looks.scores[0])
        boxes.append(looks.boxes[0] / size)
    assert ious(boxes[0][None], boxes[1][None])[0, 0] > 0.75
    assert scores[1] == pytest.approx(scores[0], abs=0.15)


def test_what_a_judge_says_does_not_depend_on_the_other_candidates(judge: OnnxBallJudge) -> None:
    picture = pitch()
    boxes = np.column_stack([np.linspace(0, 1270, 50), np.linspace(0, 700, 50), np.full((50, 2), 9.0)])
    scores = np.linspace(0.1, 0.9, 50)
    all_at_once = judge.judge(picture, boxes, scores)
    alone = [judge.judge(picture, boxes[row : row + 1], scores[row : row + 1]) for row in range(50)]
    np.testing.assert_allclose(all_at_once.scores, [each.scores[0] for each in alone], atol=1e-5)
    np.testing.assert_allclose(all_at_once.boxes, [each.boxes[0] for each in alone], atol=1e-3)


def test_no_candidates_no_looks(judge: OnnxBallJudge) -> None:
    looks = judge.judge(pitch(64, 64), np.zeros((0, 4)), np.zeros(0))
    assert looks.boxes.shape == (0, 4) and looks.scores.shape == (0,)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (33, 17)])
def test_tiny_pictures_and_candidates_at_the_border_are_looked_at(
    judge: OnnxBallJudge, size: tuple[int, int]
) -> None:
    picture = np.full((*size, 3), 90, np.uint8)
    boxes = np.array([[0, 0, 1, 1], [size[1] - 1, size[0] - 1, 1, 1], [-40, -40, 9, 9], [0, 0, 0, 0]])
    looks = judge.judge(picture, boxes.astype(float), np.full(4, 0.2))
    assert np.isfinite(looks.boxes).all() and (looks.boxes[:, 2:] > 0).all()
    assert ((looks.scores >= 0) & (looks.scores <= 1)).all()


def test_a_window_spans_forty_pixels_of_the_detectors_input_or_three_diameters() -> None:
    small, large = np.array([[100, 100, 10, 10]]), np.array([[100, 100, 60, 60]])
    np.testing.assert_allclose(ball_windows(small, 720, 1280), [[85, 85, WINDOW]])
    np.testing.assert_allclose(ball_windows(small, 1080, 1920)[0, 2], 1.5 * WINDOW)
    np.testing.assert_allclose(ball_windows(large, 720, 1280)[0, 2], 60 * DIAMETERS)


def test_outside_of_the_picture_is_grey() -> None:
    patch = ball_patches(np.full((20, 20, 3), 250, np.uint8), np.array([[-48.0, 0, 96]]))[0]
    assert patch.shape == (SIDE, SIDE, 3)
    assert (patch[:, :20] == BLANK).all()
    assert (patch[2:8, 26:32] == 250).all()


def test_a_network_that_sees_the_ball_in_the_middle_leaves_it_there() -> None:
    windows = np.array([[10.0, 20, 48], [0, 0, 96]])
    output = np.zeros((2, OUTPUTS))
    output[:, 3:] = np.log(0.25)
    output[1, 1] = 0.25
    np.testing.assert_allclose(placed_boxes(output, windows), [[28, 38, 12, 12], [60, 36, 24, 24]])


class Settled:
    """A judge that gives candidates the boxes and scores it was made with."""

    def __init__(self, boxes: list[list[float]], scores: list[float]) -> None:
        self.looks = BallLooks(np.array(boxes, np.float32), np.array(scores, np.float32))
        self.asked = 0

    def judge(self, picture: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> BallLooks:
        self.asked += len(boxes)
        return BallLooks(self.looks.boxes[: len(boxes)], self.looks.scores[: len(boxes)])


def detections(kinds: list[int], scores: list[float]) -> Detections:
    count = len(kinds)
    return Detections(
        np.array([[20.0 * row, 10, 8, 8] for row in range(count)], np.float32),
        np.array(scores, np.float32),
        np.array(kinds, np.int8),
        np.zeros((count, 3), np.float32),
        np.full(count, 0.5, np.float32),
    )


def test_candidates_get_the_judges_boxes_and_people_keep_theirs() -> None:
    found = detections([0, BALL, 0, BALL], [0.9, 0.5, 0.4, 0.3])
    judge = Settled([[100, 5, 8, 8], [50, 5, 8, 8]], [0.1, 0.8])
    again = look_again(pitch(32, 160), found, judge)
    assert again.kinds.tolist() == [0, BALL, 0, BALL]
    np.testing.assert_allclose(again.scores, [0.9, 0.8, 0.4, 0.1])
    np.testing.assert_allclose(again.boxes[[1, 3], 0], [50, 100])
    np.testing.assert_allclose(again.boxes[[0, 2]], found.boxes[[0, 2]])


def test_two_candidates_that_turn_out_to_be_one_ball_become_one() -> None:
    judge = Settled([[100, 5, 8, 8], [101, 5, 8, 8]], [0.6, 0.7])
    again = look_again(pitch(32, 160), detections([BALL, BALL], [0.5, 0.4]), judge)
    np.testing.assert_allclose(again.scores, [0.7])


def test_only_the_best_candidates_are_looked_at() -> None:
    count = 40
    judge = Settled([[20.0 * row, 5, 8, 8] for row in range(count)], [0.2] * count)
    again = look_again(pitch(32, 900), detections([BALL] * count, [0.3] * count), judge)
    assert judge.asked == len(again.boxes) == 16


def test_the_detector_asks_the_judge_it_is_given() -> None:
    picture = pitch(288, 512)
    draw(picture, (200, 150), (5, 5))
    alone = OnnxDetector(threshold=0.05, second_look=False).detect(picture)
    assert (alone.kinds == BALL).any()
    judge = Settled([[300.0 + 20 * row, 5, 8, 8] for row in range(16)], [0.9] * 16)
    found = OnnxDetector(threshold=0.05, judge=judge).detect(picture)
    assert judge.asked
    np.testing.assert_allclose(found.scores[found.kinds == BALL], 0.9)
    assert (found.boxes[found.kinds == BALL, 0] >= 300).all()
