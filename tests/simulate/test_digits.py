"""Shirt numbers drawn without font files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.simulate.digits import FONTS, STYLES, draw_number

every_font = pytest.mark.parametrize("font", range(FONTS))


@given(
    number=st.integers(0, 99),
    height=st.integers(4, 90),
    font=st.integers(0, FONTS - 1),
    seed=st.none() | st.integers(0, 99),
)
def test_a_mask_fills_its_height_and_is_cropped_sideways(
    number: int, height: int, font: int, seed: int | None
) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    mask = draw_number(str(number), height=height, font=font, rng=rng)
    assert mask.dtype == np.float32
    assert mask.shape[0] == height
    assert mask.min() >= 0.0 and mask.max() <= 1.0
    near = height // 8 + 1
    assert mask[:near].max() > 0 and mask[-near:].max() > 0
    assert mask[:, 0].max() > 0 and mask[:, -1].max() > 0
    assert 0.04 < mask.mean() < 1.01


@every_font
def test_all_digits_of_a_font_differ(font: int) -> None:
    masks = [draw_number(digit, height=40, font=font) for digit in "0123456789"]
    width = max(mask.shape[1] for mask in masks)
    padded = [np.pad(mask, ((0, 0), (0, width - mask.shape[1]))) for mask in masks]
    for first in range(10):
        for second in range(first):
            assert np.abs(padded[first] - padded[second]).mean() > 0.02, (first, second)


@every_font
def test_six_and_nine_are_each_other_turned_round(font: int) -> None:
    style = STYLES[font]
    if style.written >= 0 or style.serif or style.slant or style.segments or style.stencil:
        pytest.skip("only plain upright strokes are symmetric")
    six, nine = (draw_number(digit, height=60, font=font) for digit in "69")
    turned = nine[::-1, ::-1]
    assert six.shape == turned.shape
    assert np.abs(six - turned).mean() < 0.05


@every_font
def test_two_digits_stand_side_by_side(font: int) -> None:
    single = draw_number("4", height=40, font=font).shape[1]
    double = draw_number("44", height=40, font=font).shape[1]
    assert 1.6 * single < double < 2.7 * single


def test_without_a_generator_the_ink_is_always_the_same_and_with_one_it_varies() -> None:
    first, again = (draw_number("27", height=32, font=3) for _ in range(2))
    assert np.array_equal(first, again)
    varied = [
        draw_number("27", height=32, font=3, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    assert np.array_equal(varied[0], varied[1])
    assert varied[0].shape != varied[2].shape or not np.array_equal(varied[0], varied[2])


@pytest.mark.parametrize(
    ("text", "height", "font"),
    [("", 20, 0), ("A7", 20, 0), ("٣", 20, 0), ("7", 3, 0), ("7", 20, FONTS), ("7", 20, -1)],
)
def test_what_cannot_be_drawn_is_refused(text: str, height: int, font: int) -> None:
    with pytest.raises(ValueError, match=r"must be|written in digits"):
        draw_number(text, height=height, font=font)
