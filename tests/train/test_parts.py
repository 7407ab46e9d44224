"""Parts are trained with what was asked for, or a line says what cannot be."""

import pytest

from filmroom.errors import InputError

pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train import parts  # noqa: E402


def test_the_rate_asked_for_is_the_recipes(tmp_path, monkeypatch):
    asked = []

    def train(data, folder, recipe, **_):
        asked.append((recipe.steps, recipe.rate, recipe.seed))
        return folder / "detector.pt"

    monkeypatch.setattr(parts, "train_detector", train)
    monkeypatch.setattr(parts, "export_detector", lambda *_: None)
    parts.train_part("detector", [tmp_path], tmp_path / "usual", steps=5)
    parts.train_part("detector", [tmp_path], tmp_path / "slow", steps=5, rate=6e-4, seed=2)
    assert asked == [(5, parts.DetectorRecipe().rate, 1), (5, 6e-4, 2)]


@pytest.mark.parametrize(("part", "rate"), [("segmenter", 1e-3), ("detector", 0.0)])
def test_a_rate_that_cannot_be_is_refused(part, rate, tmp_path):
    with pytest.raises(InputError, match="cannot train"):
        parts.train_part(part, [tmp_path], tmp_path / "out", rate=rate)
