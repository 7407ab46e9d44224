import numpy as np

from filmroom.observe.decode import KINDS, STRIDE, Detections, decode

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


def test_joining_nothing_is_nothing():
    assert len(Detections.concatenate([]).boxes) == 0
