import cv2
import numpy as np
import pytest

from filmroom.geometry.homography import corner_error
from filmroom.observe.camera_alone import CameraOfPictures
from filmroom.observe.camera_motion import estimate_motion, grey_size

WIDTH, HEIGHT = 1280, 720


def ground(seed=3):
    """A grey picture with texture at many scales, larger than the frame."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT + 400, WIDTH + 400), np.float32)
    for cell in (8, 32, 128):
        coarse = rng.normal(0, 40, (picture.shape[0] // cell + 2, picture.shape[1] // cell + 2))
        picture += cv2.resize(
            coarse.astype(np.float32), picture.shape[::-1], interpolation=cv2.INTER_CUBIC
        )
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def seen_through(picture, matrix):
    """What the camera shows when `matrix` maps frame-0 pixels to this frame."""
    offset = np.array([[1, 0, -200.0], [0, 1, -200], [0, 0, 1]])
    frame = cv2.warpPerspective(picture, matrix @ offset, (WIDTH, HEIGHT))
    return cv2.resize(frame, grey_size(WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1, 0, 14.0], [0, 1, -5], [0, 0, 1]]),
        np.array([[1.01, 0, -8.0], [0, 1.01, 3], [0, 0, 1]]),
        np.array([[0.999, -0.004, 20.0], [0.004, 0.999, 2], [2e-6, 1e-6, 1]]),
    ],
)
def test_pans_and_zooms_are_measured_to_half_a_pixel(matrix):
    picture = ground()
    previous, current = seen_through(picture, np.eye(3)), seen_through(picture, matrix)
    motion = estimate_motion(previous, current, np.zeros((0, 4)), WIDTH)
    assert motion.inliers > 0.6
    assert corner_error(motion.matrix, matrix, WIDTH, HEIGHT) < 1.0


def test_moving_people_do_not_count():
    picture = ground()
    matrix = np.array([[1, 0, 6.0], [0, 1, 0], [0, 0, 1]])
    previous, current = seen_through(picture, np.eye(3)), seen_through(picture, matrix)
    rng = np.random.default_rng(0)
    people = np.array([[80.0 * k, 200, 60, 300] for k in range(14)])
    for x, y, w, h in (people / 2).astype(int):
        body = rng.integers(0, 255, (h, w))
        previous[y : y + h, x : x + w] = body
        current[y + 4 : y + h + 4, x : x + w] = body
    motion = estimate_motion(previous, current, people, WIDTH)
    assert corner_error(motion.matrix, matrix, WIDTH, HEIGHT) < 1.0


def test_two_different_scenes_have_no_motion_between_them():
    previous, current = seen_through(ground(1), np.eye(3)), seen_through(ground(2), np.eye(3))
    assert estimate_motion(previous, current, np.zeros((0, 4)), WIDTH).matrix is None


def test_an_empty_picture_stands_still():
    plain = np.full(grey_size(WIDTH, HEIGHT)[::-1], 90, np.uint8)
    np.testing.assert_array_equal(
        estimate_motion(plain, plain, np.zeros((0, 4)), WIDTH).matrix, np.eye(3)
    )


def test_pictures_one_after_the_other_tell_how_the_camera_moves():
    scene = ground()
    camera = CameraOfPictures()
    nobody = np.zeros((0, 4))
    assert camera.update(scene[:360, :640], nobody) is None
    matrix = camera.update(scene[:360, 6:646], nobody)
    assert np.allclose(matrix, [[1, 0, -6], [0, 1, 0], [0, 0, 1]], atol=0.5)
    assert camera.update(scene[:180, :320], nobody) is None  # another size: nothing to compare with
