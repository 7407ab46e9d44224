import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filmroom.geometry.homography import corner_error, transform_boxes, transform_points

SHIFT = np.array([[1, 0, 12.0], [0, 1, -7], [0, 0, 1]])


def test_a_shift_moves_boxes_and_keeps_their_size():
    np.testing.assert_allclose(transform_boxes(SHIFT, np.array([[0, 0, 4, 8.0]])), [[12, -7, 4, 8]])


@given(st.floats(0.5, 2), st.floats(-0.5, 0.5), st.floats(-50, 50), st.floats(-50, 50))
def test_points_return_by_the_inverse(scale, angle, x, y):
    matrix = np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), x],
            [scale * np.sin(angle), scale * np.cos(angle), y],
            [0, 0, 1],
        ]
    )
    points = np.array([[0, 0], [100, 30], [7, 900.0]])
    there = transform_points(matrix, points)
    np.testing.assert_allclose(transform_points(np.linalg.inv(matrix), there), points, atol=1e-6)


def test_zoom_grows_boxes():
    zoomed = transform_boxes(np.diag([2.0, 2, 1]), np.array([[10, 10, 5, 8.0]]))
    np.testing.assert_allclose(zoomed, [[20, 20, 10, 16]])


def test_no_boxes():
    assert transform_boxes(SHIFT, np.zeros((0, 4))).shape == (0, 4)


def test_corner_error_of_a_shift_is_its_length():
    assert np.isclose(corner_error(np.eye(3), SHIFT, 640, 360), np.hypot(12, 7))
