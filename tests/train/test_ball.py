"""The recipe of the second look: its pictures, training that learns, resumes and exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from filmroom.errors import InputError  # noqa: E402
from filmroom.observe.ball import SIDE, OnnxBallJudge  # noqa: E402
from filmroom.train.ball import (  # noqa: E402
    CELLS,
    BallNet,
    BallRecipe,
    BallSource,
    Candidates,
    as_input,
    ball_loss,
    export_ball,
    fit_weights,
    outputs,
    train_ball,
    write_weights,
)
from filmroom.train.ball_pictures import (  # noqa: E402
    DRAWN,
    KEPT,
    NO_BALL,
    REAL,
    USUAL_WINDOW,
    Patches,
    _clear_of,
    draw_batch,
    gather_patches,
    load_patches,
    save_patches,
)
from filmroom.train.parts import train_part  # noqa: E402
from filmroom.train.paste import ball_box, blend_ball, draw_ball, paste_ball  # noqa: E402

pytestmark = pytest.mark.train

SMALL = BallRecipe(steps=4, batch=8, checkpoint_every=2)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, coco_folder) -> Path:
    """A COCO folder of three pictures: two people and a white ball on grass, bright specks beside."""
    rng = np.random.default_rng(0)
    pictures = []
    for index in range(3):
        picture = np.full((240, 400, 3), (40, 120, 50), np.uint8)
        for x in (60, 240):
            picture[80:150, x : x + 28] = rng.integers(0, 255, 3)
        cv2.rectangle(picture, (300, 200), (330, 204), (250, 250, 250), -1)
        cv2.circle(picture, (160 + 10 * index, 170), 5, (250, 250, 250), -1, cv2.LINE_AA)
        people = [("player", (x, 80, 28, 70)) for x in (60, 240)]
        pictures.append((picture, [*people, ("ball", (155 + 10 * index, 165, 11, 11))]))
    return coco_folder(tmp_path_factory.mktemp("coco"), pictures)


@pytest.fixture(scope="module")
def patches(labelled: Path) -> Patches:
    return gather_patches([labelled], np.random.default_rng(1), held_out=("2",))


def squares(count: int = 60) -> Patches:
    """White discs (balls) and white bars (no balls) on grey, in the middle of kept pictures."""
    pixels = np.full((count, KEPT, KEPT, 3), 90, np.uint8)
    for row in range(count):
        if row % 2:
            cv2.circle(pixels[row], (KEPT // 2, KEPT // 2), 5, (250, 250, 250), -1, cv2.LINE_AA)
        else:
            cv2.rectangle(pixels[row], (20, 45), (76, 50), (250, 250, 250), -1)
    is_ball = np.arange(count) % 2
    balls = np.array([KEPT / 2, KEPT / 2, 11, 11], np.float32) * is_ball[:, None]
    return Patches(
        pixels,
        balls.astype(np.float32),
        np.where(is_ball, REAL, NO_BALL).astype(np.int8),
        np.ones(count, np.float32),
        np.zeros(count, bool),
    )


def test_real_balls_pasted_ones_and_other_things_are_gathered(patches: Patches) -> None:
    assert patches.pixels.shape[1:] == (KEPT, KEPT, 3)
    assert {NO_BALL, REAL, DRAWN} == set(patches.kinds.tolist())
    labelled_ones = np.flatnonzero(patches.weights * (patches.kinds == REAL) == 8)
    assert len(labelled_ones) == 3
    for row in labelled_ones:
        x, y, w, h = patches.balls[row]
        assert patches.pixels[row][int(y), int(x)].min() > 200
        assert (w, h) == pytest.approx((11 * USUAL_WINDOW / 40, 11 * USUAL_WINDOW / 40), abs=0.5)
    assert patches.held_out.any() and not patches.held_out.all()


def test_candidates_near_a_labelled_ball_are_never_taken_for_something_else() -> None:
    ball = np.array([[155.0, 165, 10, 10]])
    near, far = np.array([[160.0, 170, 12, 12]]), np.array([[185.0, 165, 10, 10]])
    assert len(_clear_of(near, ball, 40.0)) == 0
    np.testing.assert_array_equal(_clear_of(np.vstack([near, far]), ball, 40.0), far)
    assert len(_clear_of(far, np.vstack([ball, far]), 40.0)) == 0
    assert len(_clear_of(near, np.zeros((0, 4)), 40.0)) == 1


def test_patches_are_kept_as_they_are(patches: Patches, tmp_path: Path) -> None:
    save_patches(tmp_path / "patches.npz", patches)
    again = load_patches(tmp_path / "patches.npz")
    for one, other in zip(patches, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_places_follow_shift_zoom_turn_and_mirror() -> None:
    kept = squares()
    rows = np.flatnonzero(kept.kinds == REAL).repeat(8)
    batch = draw_batch(kept, rows, np.random.default_rng(4))
    checked = 0
    for pixels, place, close in zip(batch.pixels, batch.places, batch.place_known, strict=True):
        spread = float(np.ptp(pixels.astype(int), axis=(0, 1)).max())
        x, y = SIDE * (0.5 + place[:2])
        if not close or spread < 60 or not (3 < x < SIDE - 3 and 3 < y < SIDE - 3):
            continue
        grey = pixels.astype(float).mean(axis=2)
        away = np.abs(grey - np.median(grey))
        away[away < 0.5 * away.max()] = 0
        yy, xx = np.mgrid[:SIDE, :SIDE] + 0.5
        found = np.array([(away * xx).sum(), (away * yy).sum()]) / away.sum()
        assert np.hypot(*(found - [x, y])) < 3.0
        checked += 1
    assert checked > 60


def test_a_ball_beside_the_middle_is_none_and_between_is_a_matter_of_taste() -> None:
    kept = squares()
    rows = np.flatnonzero(kept.kinds == REAL).repeat(20)
    batch = draw_batch(kept, rows, np.random.default_rng(5))
    off = np.hypot(*batch.places[:, :2].T) / np.exp(batch.places[:, 2])
    assert (batch.at_middle == (off <= 0.55)).all()
    assert (batch.sure == ((off <= 0.55) | (off >= 1.0))).mean() > 0.99
    assert 0.5 < batch.at_middle.mean() < 0.95


def test_sizes_of_drawn_balls_are_not_learnt() -> None:
    kept = squares()
    drawn = kept._replace(kinds=np.where(kept.kinds == REAL, DRAWN, NO_BALL).astype(np.int8))
    batch = draw_batch(drawn, np.arange(60), np.random.default_rng(6))
    assert batch.size_known.sum() == 0 and batch.place_known.sum() > 10
    net = BallNet()
    maps = torch.zeros(60, 3, CELLS, CELLS)
    assert ball_loss(net, maps, batch)["size"] == 0
    labelled_ones = draw_batch(kept, np.arange(60), np.random.default_rng(6))
    assert ball_loss(net, maps, labelled_ones)["size"] > 0


def test_a_hot_cell_is_a_ball_there_and_at_the_middle_only_near_it() -> None:
    net = BallNet()
    maps = torch.full((2, 3, CELLS, CELLS), -8.0)
    maps[0, 0, CELLS // 2, CELLS // 2] = 6.0  # row, column
    maps[1, 0, 2, CELLS - 2] = 6.0
    maps[:, 1:] = float(np.log(0.25))
    middle, corner = net.answer(maps).numpy()
    half = 0.5 / CELLS
    np.testing.assert_allclose(middle[1:3], [half, half], atol=1e-3)
    np.testing.assert_allclose(corner[1:3], [0.5 - 3 * half, 5 * half - 0.5], atol=2e-3)
    np.testing.assert_allclose(np.exp([*middle[3:], *corner[3:]]), 0.25, rtol=1e-4)
    assert middle[0] > 5 and corner[0] < -4


def test_training_learns_resumes_and_exports(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    recipe = BallRecipe(steps=60, batch=32, rate=3e-3, checkpoint_every=30)
    for name, steps in (("whole", [60]), ("parts", [30, 60])):
        (tmp_path / name).mkdir()
        save_patches(tmp_path / name / "patches.npz", squares())
        for count in steps:
            if count == 30:
                _stop_after(tmp_path / name, recipe, 30)
            else:
                train_ball([], tmp_path / name, recipe, resume=True)
    ends = [
        torch.load(tmp_path / name / "ball.pt", weights_only=True)["net"] for name in ("whole", "parts")
    ]
    for key, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][key])
    batch = draw_batch(squares(), np.arange(60), np.random.default_rng(7), varied=False)
    net = BallNet()
    net.load_state_dict(ends[0])
    plain = outputs(net, batch.pixels)
    assert ((plain[:, 0] > 0) == batch.at_middle.astype(bool)).mean() > 0.9
    export_ball(tmp_path / "whole", tmp_path / "ball.onnx", calibrate=2)
    write_weights(tmp_path / "ball.onnx", {"patch_weight": 0.5, "detector_weight": 0.25, "bias": -1.5})
    judge = OnnxBallJudge(parts=tmp_path)
    np.testing.assert_allclose(judge.look(batch.pixels)[:, 0], plain[:, 0], atol=0.6)
    np.testing.assert_allclose(judge.look(batch.pixels)[:, 1:3], plain[:, 1:3], atol=0.03)
    assert judge.weights == {"patch_weight": 0.5, "detector_weight": 0.25, "bias": -1.5}


def _stop_after(folder: Path, recipe: BallRecipe, step: int) -> None:
    """Train and be interrupted after that many steps, a checkpoint just written."""
    seen = 0
    draw = BallSource.draw

    def interrupted(self: BallSource, rng: np.random.Generator) -> object:
        nonlocal seen
        seen += 1
        if seen > step:
            raise KeyboardInterrupt
        return draw(self, rng)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(BallSource, "draw", interrupted)
        train_ball([], folder, recipe, resume=True)


def test_the_network_takes_pictures_of_any_count() -> None:
    net = BallNet().eval()
    assert net(as_input(np.zeros((3, SIDE, SIDE, 3), np.uint8))).shape == (3, 5)
    assert outputs(net, np.zeros((0, SIDE, SIDE, 3), np.uint8)).shape == (0, 5)
    assert sum(weight.numel() for weight in net.parameters()) < 150_000


def test_the_weights_of_both_looks_are_found_from_what_they_said() -> None:
    rng = np.random.default_rng(8)
    patch, detector = rng.normal(0, 3, 20_000), rng.normal(-1, 1, 20_000)
    chance = 1 / (1 + np.exp(-(0.8 * patch + 0.4 * detector - 1)))
    fitted = fit_weights(Candidates(patch, detector, rng.random(20_000) < chance))
    assert fitted["patch_weight"] == pytest.approx(0.8, abs=0.06)
    assert fitted["detector_weight"] == pytest.approx(0.4, abs=0.06)
    assert fitted["bias"] == pytest.approx(-1, abs=0.1)


def test_the_command_makes_a_network_that_runs(labelled: Path, tmp_path: Path) -> None:
    network = train_part("ball", [labelled], tmp_path, steps=3)
    assert network == tmp_path / "ball.onnx"
    picture = np.zeros((100, 100, 3), np.uint8)
    looks = OnnxBallJudge(parts=tmp_path).judge(picture, np.array([[40.0, 40, 9, 9]]), np.array([0.3]))
    assert 0 <= looks.scores[0] <= 1
    with pytest.raises(InputError, match="labelled pictures"):
        train_part("ball", [], tmp_path)


def test_only_what_is_there_is_drawn_from() -> None:
    kept = squares()
    balls_alone = Patches(*(each[kept.kinds == REAL] for each in kept))
    batch = BallSource(balls_alone, SMALL).draw(np.random.default_rng(0))
    assert len(batch.pixels) == 8
    with pytest.raises(InputError, match="no balls"):
        BallSource(kept._replace(held_out=np.ones(60, bool)), replace(SMALL))


# --- drawn balls ------------------------------------------------------------------------------------


def test_the_box_of_a_drawn_ball_holds_what_can_be_seen_of_it() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        diameter = rng.uniform(4, 16)
        rgb, cover = draw_ball(diameter, rng)
        assert rgb.shape == (*cover.shape, 3) and cover.shape[0] % 2 == 1
        x, y, w, h = ball_box(cover)
        inside = cover[int(y) : int(y + h), int(x) : int(x + w)].sum() / cover.sum()
        assert inside > 0.85
        assert min(w, h) > 0.6 * diameter


def test_a_ball_is_pasted_where_its_box_says() -> None:
    grass = np.full((90, 160, 3), (40, 110, 50), np.uint8)
    people = np.array([[60.0, 10.0, 25.0, 60.0]])
    for seed in range(40):
        pixels, box = paste_ball(grass, people, np.random.default_rng(seed))
        x, y, w, h = box.round().astype(int)
        around = pixels[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2].astype(int)
        changed = np.argwhere(np.abs(around - grass[0, 0]).sum(axis=2) > 60)
        if not len(changed):
            continue
        middle = changed.mean(axis=0)[::-1] + 0.5 + (max(0, x - 2), max(0, y - 2))
        assert np.hypot(*(middle - box[:2] - box[2:] / 2)) < 0.4 * box[2:].mean()


def test_balls_lie_on_lines_too() -> None:
    pitch = np.full((90, 160, 3), (40, 110, 50), np.uint8)
    pitch[60:62] = 240
    people = np.array([[60.0, 10.0, 25.0, 20.0]])
    middles = [
        box[1] + box[3] / 2
        for box in (paste_ball(pitch, people, np.random.default_rng(seed))[1] for seed in range(60))
    ]
    on_the_line = np.abs(np.array(middles) - 61) < 2
    assert 0.15 < on_the_line.mean() < 0.6


def test_a_ball_over_the_border_is_cut_there() -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    white, whole = np.full((9, 9, 3), 255, np.float32), np.ones((9, 9), np.float32)
    for corner in ((-4, -4), (15, 15), (-30, 3), (40, 40)):
        blend_ball(picture, white, whole, corner)
    assert (picture[:5, :5] == 255).all() and (picture[15:, 15:] == 255).all()
    assert (picture[6:14, 6:14] == 0).all()
