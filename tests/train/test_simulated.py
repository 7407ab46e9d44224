"""A detector may learn from pictures that are drawn while it learns, and from nothing else."""

import pickle

import numpy as np
import pytest

from filmroom.errors import InputError

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.simulate.labelled import PICTURES_A_SCENE, labelled_frames  # noqa: E402
from filmroom.train import parts  # noqa: E402
from filmroom.train.detector import (  # noqa: E402
    CropSet,
    DetectorRecipe,
    LabelledPicture,
    train_detector,
)
from filmroom.train.simulated import SimulatedPictures, simulated_named  # noqa: E402

SIZE = (192, 108)
RECIPE = DetectorRecipe(steps=4, batch=2, crop=64, paste=0.0, checkpoint_every=2)


def stream(**changed):
    return SimulatedPictures("volleyball", **({"size": SIZE, "scenes": 1, "seed": 4} | changed))


def test_pictures_are_those_of_the_simulation():
    pixels, boxes, categories = next(labelled_frames(np.random.default_rng([4, 0]), "volleyball", SIZE))
    first = stream().picture(0, 0)
    assert np.array_equal(first.pixels, pixels)
    assert len(first.boxes) == len(boxes) == len(categories)
    assert (first.kinds == 0).sum() == sum(name in ("player", "referee") for name in categories)


def test_a_sample_is_the_same_in_any_order_and_in_any_process():
    crops = CropSet([], RECIPE, 0, streams=[stream()])
    forward = [crops[index]["pixels"] for index in range(4)]
    copied = pickle.loads(pickle.dumps(crops))
    for index in (3, 0, 2):
        assert torch.equal(copied[index]["pixels"], forward[index])
    # One that goes on at step 1 begins where an undisturbed one is by then.
    later = CropSet([], RECIPE, 1, streams=[stream()])
    assert torch.equal(later[0]["pixels"], forward[RECIPE.batch])


def test_matches_change_with_the_samples_and_old_ones_are_let_go():
    pictures = stream(uses=1)
    rng = np.random.default_rng(0)
    early = pictures.picture_for(0, rng)
    late = pictures.picture_for(PICTURES_A_SCENE, rng)
    assert list(pictures._drawn) == [1]
    assert not np.array_equal(early.pixels, late.pixels)


def test_a_stream_is_drawn_from_as_often_as_a_set():
    class Light:
        def picture_for(self, sample, rng):
            return plain(200)

        def some(self, count):
            return [plain(200)] * count

    def plain(shade):
        nobody = np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
        return LabelledPicture(np.full((120, 160, 3), shade, np.uint8), *nobody, ball_known=False)

    recipe = DetectorRecipe(steps=30, batch=2, crop=64, paste=0)
    crops = CropSet([plain(20)] * 9, recipe, 0, streams=[Light()])
    bright = [crops[index]["pixels"].float().mean() > 100 for index in range(len(crops))]
    assert 0.3 < np.mean(bright) < 0.7


def test_a_detector_learns_from_simulated_pictures_alone_whoever_draws_them(tmp_path):
    torch.set_num_threads(1)
    alone = train_detector([stream()], tmp_path / "alone", RECIPE, workers=0)
    helped = train_detector([stream()], tmp_path / "helped", RECIPE, workers=2)
    weights = [torch.load(path, weights_only=True)["net"] for path in (alone, helped)]
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name])


def test_the_command_takes_a_sport_in_place_of_a_folder(tmp_path, monkeypatch):
    asked = []

    def train(data, folder, recipe, **_):
        asked.extend(data)
        return folder / "detector.pt"

    monkeypatch.setattr(parts, "train_detector", train)
    monkeypatch.setattr(parts, "export_detector", lambda *_: None)
    parts.train_part("detector", [tmp_path, "simulated:hockey"], tmp_path / "out", steps=5, seed=3)
    assert asked[0] == tmp_path
    assert (asked[1].sport, asked[1].seed) == ("hockey", 3)


@pytest.mark.parametrize(
    ("name", "said"), [("simulated:chess", "no sport"), ("simulated:", "which sport")]
)
def test_a_sport_that_is_none_is_refused(name, said):
    assert simulated_named("folder", 1) is None
    with pytest.raises(InputError, match=said):
        simulated_named(name, 1)
