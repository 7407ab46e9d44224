import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.observe.camera_motion import Motion  # noqa: E402
from filmroom.train.unlabelled.align_net import (  # noqa: E402
    AlignmentNet,
    AlignmentRecipe,
    BetterAligner,
    LearntAligner,
    fit_affine,
    photometric_loss,
    train_alignment,
    warp,
)
from filmroom.train.unlabelled.alignment import (  # noqa: E402
    ClassicalAligner,
    find_overlay,
    photometric_residual,
    polished,
)
from filmroom.train.unlabelled.footage import Shot  # noqa: E402

CORNERS = np.array([[[0, 0], [320, 0], [320, 180], [0, 180]]], float)
TURN = np.array([[1.01, 0.01, 6.5], [-0.01, 1.01, -3.2], [1e-5, 0, 1]])


@pytest.fixture(scope="module")
def place():
    """A grey picture (180, 320) with something to see everywhere."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (30, 54)).astype(np.uint8)
    return cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC)


def seen_through(picture, matrix):
    return cv2.warpPerspective(picture, matrix, (320, 180), borderMode=cv2.BORDER_REFLECT)


def corner_error(found, true):
    there = [cv2.perspectiveTransform(CORNERS, matrix)[0] for matrix in (found, true)]
    return np.linalg.norm(there[0] - there[1], axis=1).mean()


def test_a_polish_finds_the_last_pixels_of_a_turn(place):
    nearly = TURN + np.array([[0, 0, 1.5], [0, 0, -1.0], [0, 0, 0]])
    found = polished(place, seen_through(place, TURN), nearly)
    assert corner_error(nearly, TURN) > 1.5
    assert corner_error(found, TURN) < 0.15


def test_lettering_that_runs_along_a_board_does_not_turn_the_camera():
    rng = np.random.default_rng(0)
    first = rng.integers(90, 110, (180, 320)).astype(np.uint8)
    for x, y in rng.integers((8, 60), (312, 172), (160, 2)):
        cv2.rectangle(
            first, (int(x), int(y)), (int(x) + 6, int(y) + 4), int(rng.integers(130, 200)), -1
        )
    second = first.copy()
    board = np.kron(rng.integers(0, 2, (5, 80)), np.ones((4, 4))).astype(np.uint8) * 255
    first[20:40], second[20:40] = board, np.roll(board, 5, axis=1)
    motion = ClassicalAligner().align(first, second)
    assert corner_error(motion.matrix, np.eye(3)) < 0.3


def test_a_graphic_is_what_stays_while_the_camera_turns(place):
    wide = np.hstack([place, place[:, ::-1]])
    frames = np.stack([wide[:, shift : shift + 320] for shift in range(0, 200, 10)])
    frames[:, 10:30, 20:80] = 30
    frames[:, 16:24, 30:70:4] = 240
    found = find_overlay(np.repeat(frames[..., None], 3, axis=3))
    assert found[16:24, 30:68].mean() > 0.9
    assert found[60:].mean() < 0.02


def test_a_camera_that_stands_still_shows_no_graphics(place):
    frames = np.repeat(np.repeat(place[None, ..., None], 3, axis=3), 12, axis=0)
    assert not find_overlay(frames).any()


def test_an_affine_map_is_fitted_past_those_who_run():
    rng = np.random.default_rng(1)
    start = torch.from_numpy(rng.uniform(0, 100, (1, 200, 2))).float()
    linear = torch.tensor([[1.02, 0.03], [-0.02, 0.98]])
    end = start @ linear.T + torch.tensor([4.0, -2.0])
    end[:, :60] += torch.from_numpy(rng.uniform(8, 20, (1, 60, 2))).float()
    maps, agreed = fit_affine(start, end, torch.ones(1, 200))
    torch.testing.assert_close(maps[0, :, :2], linear, atol=3e-3, rtol=0)
    torch.testing.assert_close(maps[0, :, 2], torch.tensor([4.0, -2.0]), atol=0.2, rtol=0)
    assert 0.6 < agreed.item() < 0.8


def test_nothing_is_left_between_a_picture_and_itself_moved_back():
    rng = np.random.default_rng(2)
    picture = torch.from_numpy(cv2.GaussianBlur(rng.normal(0, 1, (48, 64)), (0, 0), 2)).float()[
        None, None
    ]
    shift = torch.tensor([[[1.0, 0.0, 3.0], [0.0, 1.0, -2.0]]])
    moved, inside = warp(picture, shift)
    back = torch.tensor([[[1.0, 0.0, -3.0], [0.0, 1.0, 2.0]]])
    assert inside.float().mean() < 1
    right = photometric_loss(picture, moved, back)
    still = photometric_loss(picture, moved, torch.eye(2, 3)[None])
    assert right < 0.5 * still


def test_the_network_learns_to_align_in_a_few_steps(place, tmp_path):
    rows = np.arange(8)
    pixels = np.stack(
        [seen_through(place, np.array([[1, 0, 3.0 * r], [0, 1, r], [0, 0, 1]])) for r in rows]
    )
    shot = Shot(tmp_path / "v.mp4", rows, rows / 12.5, np.repeat(pixels[..., None], 3, axis=3), 1.0)
    recipe = AlignmentRecipe(steps=15, batch=2, checkpoint_every=5)
    net = train_alignment([shot], tmp_path, recipe, lambda *_: None)
    true = np.array([[1, 0, 3.0], [0, 1, 1.0], [0, 0, 1]])
    found = LearntAligner(net).align(pixels[0], pixels[1])
    assert corner_error(found.matrix, true) < 1.5


def test_of_two_alignments_the_one_that_leaves_less_is_used(place):
    class Fixed:
        def __init__(self, matrix):
            self.matrix = matrix

        def align(self, first, second, hidden=None):
            return Motion(self.matrix, 1.0)

    second = seen_through(place, TURN)
    better = BetterAligner(Fixed(np.eye(3)), Fixed(TURN))
    np.testing.assert_array_equal(better.align(place, second).matrix, TURN)
    assert photometric_residual(place, second, TURN) < photometric_residual(place, second, np.eye(3))
    assert BetterAligner(Fixed(None), Fixed(None)).align(place, second).matrix is None


def test_a_resumed_alignment_ends_like_an_undisturbed_one(place, tmp_path):
    torch.set_num_threads(1)
    rows = np.arange(4)
    pixels = np.repeat(np.repeat(place[None, ..., None], 3, axis=3), 4, axis=0)
    shot = Shot(tmp_path / "v.mp4", rows, rows / 12.5, pixels, 1.0)
    whole = train_alignment([shot], tmp_path / "a", AlignmentRecipe(steps=4, batch=1), lambda *_: None)
    train_alignment(
        [shot], tmp_path / "b", AlignmentRecipe(steps=2, batch=1, checkpoint_every=1), lambda *_: None
    )
    resumed = train_alignment(
        [shot], tmp_path / "b", AlignmentRecipe(steps=4, batch=1), lambda *_: None
    )
    assert isinstance(resumed, AlignmentNet)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, resumed.state_dict()[name])
