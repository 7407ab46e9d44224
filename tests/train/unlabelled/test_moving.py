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


def filmed(*, pan=4, restless_crowd=False, boards=False):
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
        if boards:
            letters = np.arange(420) // 7 % 3 == (0 if 9 <= time < 18 else 1)
            whole[56:82] = np.where(letters[:, None], (90, 130, 220), (30, 60, 160))
        here = []
        for index, (start, speed, row) in enumerate(((60, 9, 70), (300, -8, 110), (180, 6, 140))):
            x = start + speed * time
            whole[row : row + 26, x : x + 10] = ((220, 30, 30), (30, 30, 220), (240, 240, 240))[index]
            here.append((x - pan * time, row, 10, 26))
        if restless_crowd:
            waving = rng.random((50, 420)) < 0.5
            whole[:50][waving] = rng.integers(0, 255, (int(waving.sum()), 3))
        frames.append(whole[:, pan * time : pan * time + 320])
        boxes.append(here)
    return np.stack(frames), np.array(boxes, float)


@pytest.fixture(scope="module")
def match():
    return filmed()


def moving_of(frames, folder):
    shot = Shot(folder / "v.mp4", np.arange(len(frames)), np.arange(len(frames)) / 12.5, frames, 1.0)
    [found] = find_motion(shot, ClassicalAligner(), ClassicalAligner(polish=False))
    return found


def labelled_inside(found, boxes, rows=(6, 12, 18)):
    """Mean share of the middles of those in view that are labelled as moving."""
    shares = [
        (found.labels[row][y + 3 : y + h - 3, x + 2 : x + w - 2] == 1).mean()
        for row in rows
        for x, y, w, h in boxes[row].astype(int)
        if 6 < x < 300
    ]
    return float(np.mean(shares))


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


# --- when things go wrong ----------------------------------------------------------------------------


def test_a_camera_that_stands_still_shows_who_moves(tmp_path):
    frames, boxes = filmed(pan=0)
    found = moving_of(frames, tmp_path)
    assert found.turn() < 0.01
    assert labelled_inside(found, boxes) > 0.7


def test_a_crowd_that_moves_more_than_the_players_is_left_out(tmp_path):
    frames, boxes = filmed(restless_crowd=True)
    found = moving_of(frames, tmp_path)
    assert labelled_inside(found, boxes) > 0.7
    assert (found.labels[:, :44] == 1).mean() < 0.01


@pytest.mark.parametrize("pan", [0, 4])
def test_graphics_that_blink_are_no_players(tmp_path, pan):
    frames, boxes = filmed(pan=pan)
    clock = (slice(120, 160), slice(260, 280))  # as upright as a player
    for time, frame in enumerate(frames := frames.copy()):
        if time % 8 < 4:
            frame[clock] = (250, 220, 40)
    found = moving_of(frames, tmp_path)
    shown = [row for row in range(len(frames)) if row % 8 < 4]
    assert (found.labels[shown][:, clock[0], clock[1]] == 1).mean() < 0.1
    assert labelled_inside(found, boxes) > 0.6


def test_what_a_polished_floor_mirrors_is_not_learnt(tmp_path):
    frames, boxes = filmed()
    for frame, here in zip(frames := frames.copy(), boxes.astype(int), strict=True):
        for x, y, w, h in here:
            if 0 < x < 308 and y + 2 * h < 180:
                floor = frame[y + h : y + 2 * h, x : x + w]
                floor[:] = 0.8 * floor + 0.2 * frame[y : y + h, x : x + w][::-1]
    found = moving_of(frames, tmp_path)
    assert labelled_inside(found, boxes) > 0.7
    mirrored = [
        (found.labels[row][y + h + 3 : y + 2 * h - 3, x + 2 : x + w - 2] == 1).mean()
        for row in (6, 12, 18)
        for x, y, w, h in boxes[row].astype(int)
        if 6 < x < 300
    ]
    assert np.mean(mirrored) < 0.1


def test_who_runs_before_boards_that_change_is_whole(tmp_path):
    frames, boxes = filmed(boards=True)
    found = moving_of(frames, tmp_path)
    before_them = boxes.copy()
    before_them[:, :, 3] = 12  # the upper half of the first of them, who stands on the grass below
    assert labelled_inside(found, before_them[:, :1], range(4, 20)) > 0.6
    assert (found.labels[4:20, 58:68] == 1).mean() < 0.02


def test_who_waits_before_a_wall_is_whole(tmp_path):
    frames, _ = filmed(pan=0)
    boxes = []
    for time, frame in enumerate(frames := frames.copy()):
        frame[40:82] = (150, 150, 160)
        x = 40 + 60 * (time // 6)  # at each place for a quarter of the time
        frame[58:102, x : x + 12] = (30, 30, 40)
        boxes.append([(x, 58, 12, 22)])  # what of him is before the wall
    found = moving_of(frames, tmp_path)
    assert labelled_inside(found, np.array(boxes, float), (3, 9, 15, 20)) > 0.7


def test_the_ground_is_where_feet_are_seen_not_the_largest_plain_surface():
    picture = np.zeros((120, 200, 3), np.uint8)
    picture[:70] = (50, 50, 55)  # dark stands
    picture[70:] = (200, 160, 110)
    picture[70::3] = (170, 120, 70)  # planks
    counts = np.full((120, 200), 9, np.uint8)
    trodden = np.zeros((120, 200), np.float32)
    trodden[80:115:4, 10:190:5] = 1
    ground = find_ground(picture, counts, trodden)
    assert ground[75:115, 10:190].mean() > 0.9 and ground[:60].mean() < 0.05
