import numpy as np
import pytest

from filmroom.observe.decode import KINDS, STRIDE, Detections, decode
from filmroom.observe.detector import LEAST_SURE_SCORE, OnnxDetector

QUIET = -12.0


def output_with(*objects, cells=(24, 40)):
    """A network output whose heat peaks at the middles of (kind, x, y, w, h, logit)."""
    output = np.zeros((11, *cells), np.float32)
    output[:3] = QUIET
    for kind, x, y, w, h, logit in objects:
        column, row = int((x + w / 2) / STRIDE), int((y + h / 2) / STRIDE)
        centre = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        edges = centre[0] - x, centre[1] - y, x + w - centre[0], y + h - centre[1]
        output[kind, row, column] = logit
        output[3:7, row, column] = np.log(np.array(edges) / STRIDE)
        output[7, row, column] = 4.0
    return output


def test_a_peak_becomes_a_box():
    found = decode(output_with((0, 30, 20, 16, 40, 4.0), (1, 101, 33, 8, 8, 3.0)), 0.1)
    assert [KINDS[kind] for kind in found.kinds] == ["person", "ball"]
    np.testing.assert_allclose(found.boxes, [[30, 20, 16, 40], [101, 33, 8, 8]], atol=1e-3)


def test_of_two_boxes_of_one_person_the_surer_stays():
    found = decode(output_with((0, 30, 20, 16, 40, 4.0), (0, 33, 20, 18, 40, 3.0)), 0.1)
    np.testing.assert_allclose(found.boxes, [[30, 20, 16, 40]], atol=1e-3)


def test_a_ball_on_a_person_is_kept():
    found = decode(output_with((0, 40, 20, 12, 12, 4.0), (1, 44, 20, 12, 12, 3.0)), 0.1)
    assert sorted(found.kinds.tolist()) == [0, 1]


def test_scores_below_the_threshold_are_left_out():
    quiet = decode(output_with((0, 30, 20, 16, 40, -1.0)), 0.9)
    assert len(quiet.boxes) == 0
    assert quiet.roles.shape == (0, 3)


def test_roles_are_probabilities():
    found = decode(output_with((0, 30, 20, 16, 40, 4.0)), 0.1)
    np.testing.assert_allclose(found.roles.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("beside", "aside"), [((0.0, 0.0), 0.0), ((0.0, 3.0), 0.3), ((3.0, 0.0), -0.3)]
)
def test_the_head_is_where_the_heat_is_highest_between_the_cells(beside, aside):
    output = output_with((0, 30, 20, 16, 40, 4.0))
    row, column = 10, 9
    output[0, row, [column - 1, column + 1]] = beside
    share = ((column + 0.5 + aside) * STRIDE - 30) / 16
    np.testing.assert_allclose(decode(output, 0.1).heads, [share], atol=1e-3)


def test_a_head_stays_where_it_is_when_its_box_is_cut():
    whole = decode(output_with((0, 30, 20, 16, 40, 4.0)), 0.1)
    cut = whole._replace(boxes=whole.boxes - np.float32([36, 0, 0, 0])).cut(160, 96)
    np.testing.assert_allclose(cut.boxes, [[0, 20, 10, 40]], atol=1e-3)
    across = whole.boxes[0, 0] - 36 + whole.heads[0] * whole.boxes[0, 2]
    np.testing.assert_allclose(cut.heads[0] * cut.boxes[0, 2], across, atol=1e-3)


def test_joining_nothing_is_nothing():
    assert len(Detections.concatenate([]).boxes) == 0


def ridge(*cells, row=10):
    """A network output with cells of (column, logit, box) side by side in one row."""
    output = output_with()
    for column, logit, (x, y, w, h) in cells:
        centre = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        edges = centre[0] - x, centre[1] - y, x + w - centre[0], y + h - centre[1]
        output[0, row, column] = logit
        output[3:7, row, column] = np.log(np.array(edges) / STRIDE)
        output[7, row, column] = 4.0
    return output


def test_two_people_who_melt_into_one_summit_are_two():
    left, right, both = (40, 20, 24, 44), (58, 20, 24, 44), (40, 20, 42, 44)
    found = decode(
        ridge((12, 0.6, left), (13, 0.8, left), (14, 1.0, both), (15, 1.2, both), (16, 0.8, right)), 0.1
    )
    np.testing.assert_allclose(found.boxes[np.argsort(found.boxes[:, 0])], [left, right], atol=1e-3)


def test_one_person_stays_one_however_long_the_summit():
    box = (40, 20, 42, 44)
    cells = [(column, 0.6 + 0.1 * column, (40 + column % 2, 20, 42, 44)) for column in range(11, 17)]
    found = decode(ridge(*cells), 0.1)
    assert len(found.boxes) == 1
    np.testing.assert_allclose(found.boxes[0], box, atol=1.5)


def test_of_many_specks_only_the_likeliest_may_be_the_ball():
    noise = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)
    every = OnnxDetector(threshold=0.001, second_look=False).detect(noise)
    few = OnnxDetector(threshold=0.001, most_balls=2, second_look=False).detect(noise)
    balls = every.scores[every.kinds == KINDS.index("ball")]
    assert len(balls) > 2
    np.testing.assert_array_equal(few.scores[few.kinds == KINDS.index("ball")], np.sort(balls)[:-3:-1])
    others = every.kinds != KINDS.index("ball")
    np.testing.assert_array_equal(few.boxes[few.kinds != KINDS.index("ball")], every.boxes[others])


def drawn(*people):
    """A map with a peak for each person: box and heat logit."""
    output = np.full((11, 24, 48), -8.0, np.float32)
    for (x, y, w, h), logit in people:
        column, row = int(x + w / 2) // STRIDE, int(y + h / 2) // STRIDE
        centre_x, centre_y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        edges = np.array([centre_x - x, centre_y - y, x + w - centre_x, y + h - centre_y])
        output[0, row, column], output[3:7, row, column] = logit, np.log(edges / STRIDE)
        output[7, row, column] = 6.0
    return output


def test_doubtful_people_are_kept_apart_from_surer_ones_with_half_their_score(monkeypatch):
    sure, beside, alone = ((20, 20, 20, 40), 2.0), ((34, 20, 20, 40), -2.0), ((120, 20, 20, 40), -2.0)

    class Session:
        def run(self, _, inputs):
            whole = inputs["pixels"].shape[1] == 96  # the smaller picture shows nobody
            return [(drawn(sure, beside, alone) if whole else drawn())[None]]

    detector = OnnxDetector(people_threshold=0.5, doubtful_threshold=0.25)
    monkeypatch.setattr(detector, "_session", Session())
    picture = np.zeros((96, 192, 3), np.uint8)
    found = detector.detect(picture)
    np.testing.assert_allclose(found.boxes, [sure[0], alone[0]], atol=1e-3)
    raw = np.sqrt(1 / (1 + np.exp(2.0)))
    assert found.scores[1] == pytest.approx(raw / 2, rel=0.01) and found.scores[1] < LEAST_SURE_SCORE
    detector.doubtful_threshold = None
    assert len(detector.detect(picture).boxes) == 1
