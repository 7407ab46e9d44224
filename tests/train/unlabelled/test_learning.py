import json
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.errors import InputError  # noqa: E402
from filmroom.observe.detector import OnnxDetector  # noqa: E402
from filmroom.simulate.settings import Settings  # noqa: E402
from filmroom.simulate.write import write_match  # noqa: E402
from filmroom.train.paste import Cutout  # noqa: E402
from filmroom.train.unlabelled import footage as footages  # noqa: E402
from filmroom.train.unlabelled.distil import FoundFrame, write_coco, write_pictures  # noqa: E402
from filmroom.train.unlabelled.footage import changing_frames, read_footage  # noqa: E402
from filmroom.train.unlabelled.learning import UnlabelledRecipe, train_unlabelled  # noqa: E402
from filmroom.train.unlabelled.report import Report  # noqa: E402
from filmroom.video.decode import can_jump  # noqa: E402
from filmroom.video.encode import Writer  # noqa: E402

RECIPE = replace(UnlabelledRecipe(pictures=6, rounds=1).shortened(3), rate=8.0)
RECIPE = replace(RECIPE, foreground=replace(RECIPE.foreground, steps=40, batch=4, crop=128))


def film(path, pictures, fps=10):
    writer = Writer(path, pictures[0].shape[1], pictures[0].shape[0], Fraction(fps), quality="good")
    for index, picture in enumerate(pictures):
        writer.write(picture, index / fps)
    writer.close()
    return path


def noise(seed):
    small = np.random.default_rng(seed).integers(0, 255, (12, 20, 3)).astype(np.uint8)
    return cv2.resize(small, (160, 96), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def match(tmp_path_factory):
    """A simulated match of four seconds."""
    settings = Settings(sport="soccer", seconds=4, seed=11, width=640, height=360, difficulty="easy")
    return write_match(settings, tmp_path_factory.mktemp("match") / "clip")


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_leaves_a_detector_that_runs(match, tmp_path):
    def stop_at_players(stage, step, steps, values):
        if stage == "players":
            raise KeyboardInterrupt

    folder = tmp_path / "learnt"
    with pytest.raises(KeyboardInterrupt):
        train_unlabelled([match], folder, RECIPE, tell=stop_at_players)
    assert not (folder / "detector.onnx").exists()
    with pytest.raises(InputError, match="--resume"):
        train_unlabelled([match], folder, RECIPE)
    stages = []
    report = train_unlabelled(
        [match], folder, RECIPE, resume=True, tell=lambda stage, *_: stages.append(stage)
    )
    assert "alignment" not in stages and "foreground" not in stages
    assert not list(folder.rglob("*.partial"))
    assert json.loads((folder / "report.json").read_text())["usable"] is report.usable
    assert {each.name for each in folder.glob("*.png")} >= {"0-alignment.png", "3-pools.png"}
    found = OnnxDetector(threshold=0.01, parts=folder).detect(np.zeros((90, 160, 3), np.uint8))
    assert not (found.kinds == 1).any()  # nothing was learnt about the ball
    with pytest.raises(InputError, match="other videos or settings"):
        train_unlabelled([match], folder, RECIPE.seeded(9), resume=True)


@pytest.mark.slow
def test_the_published_recipe_runs_from_end_to_end(match, tmp_path):
    recipe = replace(RECIPE, paper=True)
    report = train_unlabelled([match], tmp_path / "paper", recipe)
    assert report.people >= 0 and not report.usable  # three steps teach nobody
    detector = OnnxDetector(threshold=0.01, parts=tmp_path / "paper")
    assert detector.detect(np.zeros((90, 160, 3), np.uint8)).boxes.shape[1] == 4


def test_a_video_too_short_is_told(tmp_path):
    video = film(tmp_path / "short.mp4", [noise(i) for i in range(8)])
    with pytest.raises(InputError, match=r"less than 2 s"):
        read_footage([video])


def test_a_slide_show_is_told(tmp_path):
    pictures = [noise(i // 40) for i in range(120)]
    with pytest.raises(InputError, match=r"nothing moves|less than"):
        read_footage([film(tmp_path / "slides.mp4", pictures)])


def test_cuts_every_second_are_told(tmp_path):
    pictures = []
    for shot in range(5):
        pictures += [np.roll(noise(shot), 2 * step, axis=1) for step in range(10)]
    with pytest.raises(InputError, match="shots of less than 2 s"):
        read_footage([film(tmp_path / "cuts.mp4", pictures)])


def test_repeated_frames_say_nothing_of_motion():
    frames = np.stack([noise(1), noise(1), noise(2), noise(2), noise(3)])
    assert changing_frames(frames).tolist() == [True, False, True, False, True]


def test_a_long_video_is_sampled_in_stretches(tmp_path):
    pictures = [np.roll(noise(0), step, axis=1) for step in range(300)]
    footage = read_footage(
        [film(tmp_path / "long.mp4", pictures, fps=25)], rate=12.5, most_frames=75, window=3.0
    )
    assert [len(shot.frames) for shot in footage.shots] == pytest.approx([37, 37], abs=3)
    assert footage.shots[1].frames[0] - footage.shots[0].frames[-1] > 50
    assert all(shot.rate == pytest.approx(12.5, abs=0.5) for shot in footage.shots)


def test_what_lies_between_stretches_is_jumped_over_to_the_same_frames(tmp_path, monkeypatch):
    pictures = [np.roll(noise(0), step, axis=1) for step in range(1100)]
    video = film(tmp_path / "long.mp4", pictures, fps=25)

    def read():
        shots = read_footage([video], rate=12.5, most_frames=75, window=3.0).shots
        frames = np.concatenate([shot.frames for shot in shots])
        return frames, np.concatenate([shot.times for shot in shots]), shots[-1].pixels

    assert can_jump(video, 800, 32.0)
    jumped = read()
    monkeypatch.setattr(footages, "can_jump", lambda *_: False)
    for one, other in zip(jumped, read(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_video_at_all_is_told(tmp_path):
    with pytest.raises(InputError, match="no video"):
        train_unlabelled([], tmp_path / "o")
    with pytest.raises(InputError, match="no such video"):
        train_unlabelled([tmp_path / "missing.mp4"], tmp_path / "o")


def test_whoever_is_not_believed_is_painted_over(tmp_path):
    empty = np.full((96, 160, 3), (60, 140, 60), np.uint8)
    picture = empty.copy()
    picture[30:70, 20:36] = (220, 30, 30)
    picture[30:70, 100:116] = (30, 30, 220)
    video = film(tmp_path / "v.mp4", [picture] * 3)
    mask = (picture != empty).any(axis=2)
    sure = np.array([[20.0, 30, 16, 40]])
    found = FoundFrame(1, sure, np.array([True]), mask, empty)
    (tmp_path / "train").mkdir()
    rows, cutouts = write_pictures(video, [found], tmp_path / "train", "a")
    write_coco(tmp_path, rows)
    kept = cv2.imread(str(tmp_path / "train" / "a-000001.jpg"))[:, :, ::-1].astype(int)
    scale = kept.shape[1] // 160
    assert kept[50 * scale, 28 * scale, 0] > 180
    assert np.abs(kept[50 * scale, 108 * scale] - [60, 140, 60]).max() < 25
    assert len(cutouts) == 0  # a full rectangle is no body
    content = json.loads((tmp_path / "annotations" / "train.json").read_text())
    assert content["annotations"][0]["bbox"] == [each * scale for each in sure[0]]


def test_a_body_alone_is_cut_out(tmp_path):
    empty = np.full((96, 160, 3), (60, 140, 60), np.uint8)
    mask = np.zeros((96, 160), np.uint8)
    cv2.ellipse(mask, (28, 50), (8, 20), 0, 0, 360, 1, -1)
    picture = np.where(mask[..., None] > 0, np.uint8(230), empty)
    video = film(tmp_path / "v.mp4", [picture] * 3)
    found = FoundFrame(0, np.array([[20.0, 30, 17, 41]]), np.array([True]), mask > 0, empty)
    (tmp_path / "train").mkdir()
    _, [cutout] = write_pictures(video, [found], tmp_path / "train", "a")
    assert isinstance(cutout, Cutout)
    assert cutout.alpha[cutout.alpha.shape[0] // 2, cutout.alpha.shape[1] // 2] == 255
    assert cutout.alpha[0, 0] == 0


def test_a_report_names_what_is_weak():
    good = Report(0.95, 14, 0.9, 0.9, 0.9, 0.05, 0.9, 3.0, 2.0, 2.0, True, 15.0, 20.0, [])
    weak = replace(good, singles_fitted=0.3, doubles=0.5)
    assert good.usable and "good enough to use" in good.text()
    assert not weak.usable
    assert "not good enough: singles fitted, doubles" in weak.text()
    assert not replace(good, singles_fitted=float("nan")).usable
