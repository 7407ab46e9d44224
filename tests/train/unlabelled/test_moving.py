import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train.unlabelled.alignment import ClassicalAligner  # noqa: E402
from filmroom.train.unlabelled.background import make_panoramas, without_ghosts  # noqa: E402
from filmroom.train.unlabelled.footage import Shot  # noqa: E402
from filmroom.train.unlabelled.ground import find_ground  # noqa: E402
from filmroom.train.unlabelled.motion import find_motion  # noqa: E402
from filmroom.train.unlabelled.motion_masks import (  # noqa: E402
    UNKNOWN,
    difference,
    is_shadow,
    otsu_threshold,
    published_labels,
)

SIZE = (320, 180)


@pytest.fixture(scope="module")
def match():
    """(T, 180, 320, 3) a camera that pans over a green pitch on which three run; and where they are."""
    rng = np.random.default_rng(5)
    place = np.zeros((180, 420, 3), np.uint8)
    stands = rng.integers(0, 255, (12, 84, 3)).astype(np.uint8)
    place[:50] = cv2.resize(stands, (420, 50), interpolation=cv2.INTER_CUBIC)
    place[50:] = (60, 140, 60)
    grass = rng.integers(-3, 3, (65, 210, 1))
    place[50:] = np.clip(
        place[50:].astype(int) + np.kron(grass, np.ones((2, 2, 1), int)), 0, 255
    ).astype(np.uint8)
    for x in range(10, 420, 60):
        cv2.line(place, (x, 52), (x + 40, 178), (235, 235, 235), 2)
    frames, boxes = [], []
    for time in range(24):
        whole = place.copy()
        here = []
        for index, (start, speed, row) in enumerate(((60, 9, 70), (300, -8, 110), (180, 6, 140))):
            x = start + speed * time
            whole[row : row + 26, x : x + 10] = ((220, 30, 30), (30, 30, 220), (240, 240, 240))[index]
            here.append((x - 4 * time, row, 10, 26))
        frames.append(whole[:, 4 * time : 4 * time + 320])
        boxes.append(here)
    return np.stack(frames), np.array(boxes, float)


def test_the_empty_place_shows_nobody(match):
    frames, _ = match
    [(rows, panorama)] = make_panoramas(frames, ClassicalAligner())
    assert len(rows) == len(frames) and panorama.known.all()
    red = (panorama.picture[..., 0] > 180) & (panorama.picture[..., 1] < 80)
    assert red[80:].sum() < 10
    empty, counts = panorama.seen_from(3, SIZE)
    assert counts.min() >= 1
    assert np.median(difference(frames[3], empty)) == 0


def test_who_runs_on_the_ground_is_labelled(match, tmp_path):
    frames, boxes = match
    times = np.arange(len(frames)) / 12.5
    shot = Shot(tmp_path / "v.mp4", np.arange(len(frames)), times, frames, 1.0)
    [found] = find_motion(shot, ClassicalAligner(), ClassicalAligner(polish=False))
    shown = []
    for row in (6, 12, 18):
        for x, y, w, h in boxes[row].astype(int):
            if 6 < x < 300:
                shown.append((found.labels[row][y + 3 : y + h - 3, x + 2 : x + w - 2] != 0).mean())
        assert (found.labels[row][:45] == 1).mean() < 0.01
        assert (found.labels[row] == 1).sum() < 3 * 10 * 26 * 1.8
    assert min(shown) > 0.6 and np.mean(shown) > 0.85
    assert 0.1 < found.turn() < 0.5


def test_who_stood_long_and_left_is_taken_out_of_the_empty_place(match):
    frames, _ = match
    [(_, panorama)] = make_panoramas(frames, ClassicalAligner())
    spoilt = panorama.picture.copy()
    middle = panorama.to_frame[8]
    masks = [np.zeros(SIZE[::-1], bool) for _ in frames]
    for row in range(4, 12):
        masks[row][150:176, 150:160] = True
    place = np.linalg.inv(middle) @ [155, 163, 1]
    x, y = (place[:2] / place[2]).astype(int)
    spoilt[y - 8 : y + 8, x - 2 : x + 2] = (250, 0, 250)
    from dataclasses import replace

    masks = [mask if row == 8 else np.zeros_like(mask) for row, mask in enumerate(masks)]
    cleared = without_ghosts(replace(panorama, picture=spoilt), frames, masks)
    assert (
        np.abs(cleared.picture[y - 5 : y + 5, x].astype(int) - panorama.picture[y - 5 : y + 5, x]).max()
        < 40
    )


def test_the_ground_is_the_smooth_part_and_holds_its_lines(match):
    frames, _ = match
    [(_, panorama)] = make_panoramas(frames, ClassicalAligner())
    ground = find_ground(panorama.picture, panorama.counts)
    assert ground[70:170, 40:380].mean() > 0.95
    assert ground[:40].mean() < 0.05


def test_there_is_no_ground_where_all_is_crowd():
    rng = np.random.default_rng(0)
    crowd = rng.integers(0, 255, (90, 160, 3)).astype(np.uint8)
    assert find_ground(crowd, np.full((90, 160), 9, np.uint8)) is None


def test_an_edge_half_a_pixel_off_is_no_difference():
    picture = np.full((20, 20, 3), 50, np.uint8)
    picture[:, 10:] = 200
    moved = picture.copy()
    moved[:, 10] = 120
    assert difference(moved, picture).max() == 0
    moved[5:9, 4:7] = 220
    assert difference(moved, picture)[6, 5] == 170


def test_tau_stays_within_its_bounds():
    assert otsu_threshold(np.zeros((4, 4), np.uint8)) == 30
    assert otsu_threshold(np.array([[3, 4, 3, 5, 4, 6]], np.uint8)) == 12


def test_a_shadow_keeps_the_colour_of_the_grass():
    grass = np.full((4, 4, 3), (60, 140, 60), np.uint8)
    assert is_shadow((grass * 0.7).astype(np.uint8), grass).all()
    assert not is_shadow(np.full((4, 4, 3), (140, 60, 60), np.uint8), grass).any()


def test_published_labels_are_one_sided_and_hollow(match):
    frames, boxes = match
    labels = published_labels(frames[:4], ClassicalAligner(), 20.0)
    assert (labels[0] == UNKNOWN).all()
    x, y, _, h = boxes[2, 0].astype(int)
    assert (labels[2][y : y + h, x - 9 : x - 1] == 1).mean() > 0.6  # where he was: a ghost
