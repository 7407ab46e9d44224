"""The recipe of the segmenter: its samples, its loss, training that learns, resumes and exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from filmroom.observe.silhouettes import CHANNELS, HEIGHT, WIDTH, CropSegmenter  # noqa: E402
from filmroom.train.composites import (  # noqa: E402
    FULL,
    UNSURE,
    Stock,
    background,
    compose,
    draw_stock,
    make_sample,
)
from filmroom.train.grass_silhouettes import BACKGROUND, PERSON, grass_silhouettes  # noqa: E402
from filmroom.train.segmenter import (  # noqa: E402
    LEARNT_STYLES,
    SegmenterNet,
    SegmenterRecipe,
    export_segmenter,
    segmenter_loss,
    train_segmenter,
)

pytestmark = pytest.mark.train

SMALL = SegmenterRecipe(steps=6, batch=8, figures=16, checkpoint_every=3)


@pytest.fixture(scope="module")
def stock() -> Stock:
    return Stock(draw_stock(40, LEARNT_STYLES, 5), [], [], [])


def test_samples_show_a_person_in_the_middle(stock: Stock) -> None:
    rng = np.random.default_rng(0)
    together = np.zeros((HEIGHT, WIDTH))
    for _ in range(150):
        pixels, target = make_sample(stock, rng)
        assert pixels.shape == (HEIGHT, WIDTH, CHANNELS) and pixels.dtype == np.uint8
        assert target.shape == (HEIGHT, WIDTH) and (target <= FULL).all()
        together += target > FULL / 2
    assert together[HEIGHT // 3 : HEIGHT // 2, WIDTH // 2].mean() > 60
    assert together[:4].mean() < 10 and together[:, :2].mean() < 10


def test_a_sample_depends_on_its_seed_alone(stock: Stock) -> None:
    first = make_sample(stock, np.random.default_rng(7))
    second = make_sample(stock, np.random.default_rng(7))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_others_hide_the_person_but_never_count_as_one(stock: Stock) -> None:
    shares = []
    for seed in range(60):
        _, target = compose(stock, np.random.default_rng(seed))
        shares.append((target > FULL / 2).mean())
    assert min(shares) > 0.02 and max(shares) < 0.8


@pytest.mark.parametrize("seed", range(12))
def test_backgrounds_have_the_size_asked_for(seed: int) -> None:
    canvas = background([], (70, 41), 50.0, np.random.default_rng(seed))
    assert canvas.shape == (70, 41, 3) and canvas.dtype == np.uint8


def test_backgrounds_from_pictures_show_nobody_who_is_labelled() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[60:140, 120:160] = 255
    people = np.array([[120.0, 60, 40, 80]])
    rng = np.random.default_rng(3)
    taken = 0
    for _ in range(200):
        canvas = background([(picture, people)], (40, 30), 30.0, rng)
        taken += not canvas.any()
        assert not (canvas == 255).all()
    assert taken > 50


def test_people_on_even_grass_are_told_from_it() -> None:
    rng = np.random.default_rng(0)
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:] = (60, 120, 50)
    picture += rng.integers(0, 6, picture.shape, dtype=np.uint8)
    picture[30:90, 66:80] = (210, 30, 40)
    (crop,) = grass_silhouettes(picture, np.array([[62.0, 29, 22, 62]]))
    inside = crop.pixels[:, :, 0] > 190
    assert (crop.labels[inside] == PERSON).mean() > 0.95
    assert (crop.labels[~inside] == BACKGROUND).mean() > 0.85
    assert not (crop.labels[~inside] == PERSON).any()


def test_people_before_boards_are_left_out() -> None:
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:60], picture[60:] = (30, 30, 200), (60, 120, 50)
    picture[30:90, 66:80] = (210, 30, 40)
    assert list(grass_silhouettes(picture, np.array([[62.0, 29, 22, 62]]))) == []


def test_pixels_in_doubt_do_not_count_in_the_loss() -> None:
    logits = torch.zeros(1, 4, 4, requires_grad=True)
    targets = torch.tensor(np.full((1, 4, 4), UNSURE, np.uint8))
    targets[0, 0] = FULL
    segmenter_loss(logits, targets).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 1:] == 0).all() and (logits.grad[0, 0] < 0).all()


def test_the_loss_is_least_where_the_mask_is_right() -> None:
    targets = torch.zeros(1, 8, 8, dtype=torch.uint8)
    targets[0, 2:6, 2:6] = FULL
    right = (targets.float() / FULL * 2 - 1) * 8
    assert segmenter_loss(right, targets) < 0.05
    assert segmenter_loss(-right, targets) > 5


def test_the_network_gives_one_logit_a_pixel() -> None:
    with torch.no_grad():
        logits = SegmenterNet().eval()(torch.zeros(3, CHANNELS, HEIGHT, WIDTH))
    assert logits.shape == (3, HEIGHT, WIDTH)


def test_training_resumes_to_the_same_weights_and_exports(tmp_path: Path) -> None:
    whole = train_segmenter([], tmp_path / "whole", SMALL, workers=0)
    broken = tmp_path / "broken"
    with pytest.raises(_StoppedError):
        _train_until(3, broken)
    resumed = train_segmenter([], broken, SMALL, resume=True, workers=0)
    first, second = (torch.load(path, weights_only=True)["net"] for path in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)

    target = tmp_path / "parts" / "segmenter.onnx"
    target.parent.mkdir()
    export_segmenter(whole, target, calibrate=1)
    weights = sum(parameter.numel() for parameter in SegmenterNet().parameters())
    assert target.stat().st_size < 1.2 * weights  # a byte a weight: int8
    found = CropSegmenter(parts=target.parent).segment(
        np.zeros((100, 80, 3), np.uint8), np.array([[20.0, 20, 30, 60]])
    )
    assert found.masks[0].shape == (60, 30)


class _StoppedError(Exception):
    pass


def _train_until(step: int, folder: Path) -> None:
    """Train as SMALL says, broken off right after the checkpoint at `step`."""
    from filmroom.train import segmenter

    saved = segmenter.save_training

    def save_and_stop(path, net, average, optimiser, done) -> None:  # type: ignore[no-untyped-def]
        saved(path, net, average, optimiser, done)
        if done == step:
            raise _StoppedError

    segmenter.save_training = save_and_stop  # type: ignore[assignment]
    try:
        train_segmenter([], folder, SMALL, workers=0)
    finally:
        segmenter.save_training = saved
