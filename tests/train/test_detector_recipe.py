import numpy as np
import pytest

from filmroom import models
from filmroom.errors import InputError
from filmroom.observe.decode import STRIDE
from filmroom.observe.detector import OnnxDetector

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train.detector import (  # noqa: E402
    CropSet,
    DetectorRecipe,
    LabelledPicture,
    detector_loss,
    export_detector,
    make_targets,
    train_detector,
)
from filmroom.train.networks import DetectorNet  # noqa: E402
from filmroom.train.schedule import cosine_rate  # noqa: E402
from filmroom.train.warm_start import load_from_onnx  # noqa: E402

RECIPE = DetectorRecipe(steps=4, batch=2, crop=64, paste=0.5, checkpoint_every=2)


@pytest.fixture
def labelled(tmp_path, coco_folder):
    """A COCO folder of two drawn pictures with two people and a ball each."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(2):
        picture = np.full((120, 200, 3), (40, 120, 50), np.uint8)
        for x in (30, 120):
            picture[40:90, x : x + 20] = rng.integers(0, 255, 3)
        people = [("player", (x, 40, 20, 50)) for x in (30, 120)]
        pictures.append((picture, [*people, ("ball", (80, 85, 8, 8))]))
    return coco_folder(tmp_path / "coco", pictures)


def weights_of(path):
    return torch.load(path, weights_only=True)["net"]


def test_a_resumed_training_ends_like_an_undisturbed_one(labelled, tmp_path):
    torch.set_num_threads(1)
    whole = train_detector([labelled], tmp_path / "whole", RECIPE, workers=0)
    half = DetectorRecipe(**{**RECIPE.__dict__, "steps": 2})
    train_detector([labelled], tmp_path / "parts", half, workers=0)
    resumed = train_detector([labelled], tmp_path / "parts", RECIPE, resume=True, workers=0)
    # The learning rate of the first steps depends on warm-up alone, so both saw the same.
    for name, value in weights_of(whole).items():
        torch.testing.assert_close(value, weights_of(resumed)[name])


def test_the_exported_network_runs_in_int8(labelled, tmp_path):
    weights = train_detector([labelled], tmp_path / "run", RECIPE, workers=0)
    export_detector(weights, tmp_path / "run" / "detector.onnx", [labelled], calibrate=2)
    assert (tmp_path / "run" / "detector.onnx").stat().st_size < 4e6
    detector = OnnxDetector(threshold=0.01, parts=tmp_path / "run")
    found = detector.detect(np.zeros((90, 161, 3), np.uint8))
    assert found.boxes.shape == (len(found.scores), 4)


def test_a_training_can_start_from_an_exported_network(labelled, tmp_path):
    weights = train_detector([labelled], tmp_path / "first", RECIPE, workers=0)
    exported = tmp_path / "first" / "detector.onnx"
    export_detector(weights, exported, [labelled], calibrate=2)
    examples = torch.rand(4, 3, 64, 64)
    net = DetectorNet()
    load_from_onnx(net, exported, examples)
    pixels = (examples[:1].permute(0, 2, 3, 1) * 255).to(torch.uint8).numpy()
    session = models.load("detector", parts=exported.parent)
    same = torch.from_numpy(session.run(None, {"pixels": pixels})[0])
    with torch.no_grad():
        unfolded = net.eval()(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)
        fresh = DetectorNet().eval()(examples[:1])
    # int8 activations keep the two apart by a little.
    assert (unfolded - same).abs().mean() < 0.15 * (fresh - same).abs().mean()


def test_a_network_of_another_kind_is_no_start(labelled, tmp_path):
    with pytest.raises(InputError, match="not a file of this network"):
        load_from_onnx(DetectorNet(), models.model_file("numbers"), torch.rand(2, 3, 64, 64))
    with pytest.raises(InputError, match="no such file"):
        train_detector([labelled], tmp_path, RECIPE, start_from=tmp_path / "none.onnx", workers=0)


def test_exporting_nothing_is_told(tmp_path):
    with pytest.raises(InputError, match="train first"):
        export_detector(tmp_path / "none.pt", tmp_path / "detector.onnx", [])


MIDDLE = np.array([0.5])


def test_targets_peak_at_the_neck_of_a_person_and_hold_the_edges():
    targets = make_targets(
        np.array([[8.0, 4, 16, 40]]), np.array([0.8]), np.array([0]), np.array([2]), 16
    )
    assert targets["heat"][0].max() == 1
    row, column = np.unravel_index(targets["heat"][0].argmax(), (16, 16))
    assert (row, column) == (int(4 + 0.13 * 40) // STRIDE, int(8 + 0.8 * 16) // STRIDE)
    left, top, right, bottom = targets["edges"][:, row, column] * STRIDE
    assert np.isclose(left + right, 16) and np.isclose(top + bottom, 40)
    assert targets["role"][row, column] == 2


def test_targets_peak_at_the_middle_of_a_ball_and_of_those_whose_head_is_not_known():
    for kind in (0, 1):
        box = np.array([[8.0, 20, 12, 12]])
        targets = make_targets(box, np.array([np.nan]), np.array([kind]), np.array([-1]), 16)
        row, column = np.unravel_index(targets["heat"][kind].argmax(), (16, 16))
        assert (row, column) == (26 // STRIDE, 14 // STRIDE)


def test_whose_body_is_seen_tells_its_box_and_hides_those_behind():
    behind, before = [16.0, 8, 24, 64], [24.0, 16, 24, 64]
    heads, both = np.array([0.2, 0.8]), np.array([behind, before])
    targets = make_targets(both, heads, np.zeros(2, int), np.zeros(2, int), 24)
    row, column = 14, 8  # the waist of the one before, within the box of the one behind
    left, top, right, bottom = targets["edges"][:, row, column] * STRIDE
    x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
    np.testing.assert_allclose([x - left, y - top, left + right, top + bottom], before, rtol=1e-5)
    assert targets["weight"][row, column] > 0
    alone = make_targets(both[:1], heads[:1], np.zeros(1, int), np.zeros(1, int), 24)
    assert alone["weight"].sum() == pytest.approx(2)  # once at the neck, once down the body
    assert 2 < targets["weight"].sum() < 4


def test_a_right_answer_costs_less_than_a_wrong_one():
    targets = make_targets(np.array([[8.0, 4, 16, 40]]), MIDDLE, np.array([0]), np.array([0]), 16)
    batch = {name: torch.from_numpy(value)[None] for name, value in targets.items()}
    batch["ball_known"] = torch.ones(1)
    right = torch.zeros(1, 11, 16, 16)
    right[:, :3] = torch.where(batch["heat"] >= 1, 6.0, -8.0)
    right[:, 3:7] = batch["edges"].clamp(min=0.05).log()
    right[:, 7], right[:, 8] = 6.0, 6.0
    wrong = -right
    costs = [sum(part.item() for part in detector_loss(o, batch).values()) for o in (right, wrong)]
    assert costs[0] < 0.2 * costs[1]


def test_an_unlabelled_ball_teaches_nothing():
    targets = make_targets(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), np.zeros(0, int), 16)
    batch = {name: torch.from_numpy(value)[None] for name, value in targets.items()}
    output = torch.zeros(1, 11, 16, 16, requires_grad=True)
    batch["ball_known"] = torch.zeros(1)
    detector_loss(output, batch)["heat"].backward()
    assert output.grad[:, 1].abs().max() == 0 < output.grad[:, 0].abs().max()


def test_the_rate_warms_up_and_falls():
    rates = [cosine_rate(step, 1000, 1.0) for step in range(1000)]
    assert rates[0] < rates[100] < max(rates) == pytest.approx(1, abs=0.01)
    assert rates[-1] < 0.02


def test_the_head_goes_with_its_person_through_crops_and_mirrors():
    picture = np.full((300, 300, 3), 60, np.uint8)
    picture[100:108, 142:150] = 255  # a head at the right end of its box
    box = np.array([[130.0, 100, 20, 60]])
    labelled = LabelledPicture(
        picture, box, np.array([0.8]), np.array([0]), np.array([0]), ball_known=False
    )
    crops = CropSet([labelled], DetectorRecipe(steps=30, batch=1, crop=128, paste=0), 0)
    offsets = []
    for index in range(len(crops)):
        sample = crops[index]
        heat, light = sample["heat"][0].numpy(), sample["pixels"].float().mean(0).numpy()
        if heat.max() < 1 or light.max() - np.median(light) < 60:
            continue
        row, column = np.argwhere(heat >= 1)[0]
        head = np.argwhere(light > (light.max() + np.median(light)) / 2)
        wide = sample["edges"][[0, 2], row, column].sum().item() * STRIDE
        offsets.append(abs((column + 0.5) * STRIDE - head[:, 1].mean()) / wide)
    assert len(offsets) > 5 and np.median(offsets) < 0.15


def test_every_set_is_drawn_from_equally_often():
    dark, light = (np.full((120, 160, 3), shade, np.uint8) for shade in (20, 200))
    nobody = np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
    pictures = [LabelledPicture(dark, *nobody, ball_known=False, source=0)] * 9
    pictures.append(LabelledPicture(light, *nobody, ball_known=False, source=1))
    crops = CropSet(pictures, DetectorRecipe(steps=30, batch=2, crop=64, paste=0), 0)
    bright = [crops[index]["pixels"].float().mean() > 100 for index in range(len(crops))]
    assert 0.3 < np.mean(bright) < 0.7
