"""The recipe of the shirt number reader: pictures, loss, training, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch)")

from filmroom.observe.numbers import NO_TENS, SIDE  # noqa: E402
from filmroom.train import numbers  # noqa: E402
from filmroom.train.number_pictures import UNSURE, as_arrays, empty_crops, number_pictures  # noqa: E402
from filmroom.train.number_scenes import Material  # noqa: E402
from filmroom.train.numbers import NumbersNet, NumbersRecipe, numbers_loss, train_numbers  # noqa: E402

pytestmark = pytest.mark.train

TINY = NumbersRecipe(
    steps=7, batch=16, shards=2, shard_size=64, held_out=64, fonts=False, checkpoint_every=3
)


def test_pictures_are_repeatable_and_labelled_soundly() -> None:
    first, again = (
        as_arrays(number_pictures(np.random.default_rng(3), Material(), 120)) for _ in range(2)
    )
    for name, values in first.items():
        assert np.array_equal(values, again[name])
    assert first["pixels"].shape == (120, SIDE, SIDE, 3)
    assert set(np.unique(first["legible"])) <= {UNSURE, 0, 1}
    readable = first["legible"] == 1
    assert 0.2 < readable.mean() < 0.8
    assert 0.1 < (first["legible"] == 0).mean() < 0.7
    assert ((first["tens"] >= 0) & (first["tens"] <= NO_TENS)).all()
    assert ((first["units"] >= 0) & (first["units"] <= 9)).all()
    centres = first["box"][readable, :2]
    assert ((centres > -0.1) & (centres < 1.1)).all()


def test_a_readable_number_stands_out_where_its_box_is() -> None:
    pictures = as_arrays(number_pictures(np.random.default_rng(5), Material(), 200))
    spreads = []
    for pixels, box in zip(
        pictures["pixels"][pictures["legible"] == 1],
        pictures["box"][pictures["legible"] == 1],
        strict=True,
    ):
        x, y, w, h = box * SIDE
        rows = slice(max(0, int(y - h / 2)), max(1, int(y + h / 2)))
        columns = slice(max(0, int(x - w / 2)), max(1, int(x + w / 2)))
        spreads.append(pixels[rows, columns].reshape(-1, 3).std(axis=0).max())
    assert min(spreads) > 4


def test_empty_crops_carry_no_number() -> None:
    crops = empty_crops(np.random.default_rng(1), Material(), 30)
    assert len(crops) == 30
    assert all(crop.shape == (SIDE, SIDE, 3) for crop in crops)


def test_what_is_not_legible_teaches_no_digits_and_what_is_unsure_not_the_gate() -> None:
    batch = {
        "legible": torch.tensor([0, UNSURE, 1]),
        "tens": torch.tensor([1, 2, 3]),
        "units": torch.tensor([4, 5, 6]),
        "box": torch.full((3, 4), 0.5),
    }
    output = torch.randn(3, 26, requires_grad=True)
    parts = numbers_loss(output, batch)
    sum(parts.values()).backward()
    gradient = output.grad
    assert gradient is not None
    assert gradient[0, 1:].abs().max() == 0 and gradient[0, 0] != 0
    assert gradient[1, 0] == 0 and gradient[1, 1:22].abs().min() > 0
    assert gradient[2].abs().min() > 0


def test_the_network_does_not_mind_the_colour_of_the_light() -> None:
    net = NumbersNet().eval()
    pixels = torch.randint(40, 120, (2, SIDE, SIDE, 3), dtype=torch.uint8)
    brighter = (pixels.int() + torch.tensor([60, 10, 90])).to(torch.uint8)
    with torch.no_grad():
        assert torch.allclose(net(pixels), net(brighter), atol=1e-3)


def test_an_interrupted_training_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    whole = train_numbers(tmp_path / "whole", TINY, workers=0)
    part = tmp_path / "part"
    halted = RuntimeError("power cut")

    class Stop(numbers.WeightAverage):
        def update(self, net: torch.nn.Module, step: int) -> None:
            if step == 5:
                raise halted
            super().update(net, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers, "WeightAverage", Stop)
        with pytest.raises(RuntimeError, match="power cut"):
            train_numbers(part, TINY, workers=0)
    resumed = train_numbers(part, TINY, resume=True, workers=0)
    first, second = (torch.load(path)["net"] for path in (whole, resumed))
    for name, value in first.items():
        assert torch.allclose(value.float(), second[name].float(), atol=1e-6), name


def test_the_exported_network_answers_as_the_trained_one(tmp_path: Path) -> None:
    import onnxruntime

    train_numbers(tmp_path, TINY, workers=0)
    target = tmp_path / "numbers.onnx"
    shares = numbers.export_numbers(tmp_path, target)
    assert shares["int8"] >= shares["float"] - 0.005
    assert target.stat().st_size < 1_500_000
    net = numbers.load_numbers(tmp_path / "numbers.pt")
    pixels = as_arrays(number_pictures(np.random.default_rng(9), Material(), 32))["pixels"]
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    found = session.run(None, {"pixels": pixels})[0]
    with torch.no_grad():
        wanted = net(torch.from_numpy(pixels)).numpy()
    assert np.abs(found - wanted).mean() < 0.15 * wanted.std() + 0.02
