"""Drawing on 4:2:0 planes agrees with drawing on RGB, at every place and evenness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.rendering.canvas import Canvas, ColourSpace, Sprite


def _canvas(width: int = 40, height: int = 30, colour: tuple[int, int, int] = (60, 130, 60)) -> Canvas:
    values = np.rint(ColourSpace().planes(np.array(colour))).astype(np.uint8)
    sizes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    return Canvas(*(np.full(size, value, np.uint8) for size, value in zip(sizes, values, strict=True)))


@pytest.mark.parametrize("matrix", [601, 709])
def test_grey_has_no_colour_and_white_is_bright(matrix: int) -> None:
    limited, full = ColourSpace(matrix), ColourSpace(matrix, full_range=True)
    assert limited.planes(np.array([255, 255, 255])) == pytest.approx([235, 128, 128], abs=1e-3)
    assert limited.planes(np.array([0, 0, 0])) == pytest.approx([16, 128, 128], abs=1e-3)
    assert full.planes(np.array([255, 255, 255])) == pytest.approx([255, 128, 128], abs=1e-3)
    assert limited.planes(np.array([0, 0, 255]))[1] == pytest.approx(240, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(-20, 45), st.integers(-20, 35))
def test_a_sprite_covers_just_its_place(x: int, y: int) -> None:
    canvas = _canvas()
    canvas.paste(
        Sprite(np.full((9, 13, 3), 255, np.float32), np.ones((9, 13), np.float32), ColourSpace()), x, y
    )
    white = np.zeros((30, 40), bool)
    white[max(y, 0) : max(y + 9, 0), max(x, 0) : max(x + 13, 0)] = True
    assert ((canvas.planes[0] == 235) == white).all()
    touched = canvas.planes[1] != canvas.original[1]
    covered = white.reshape(15, 2, 20, 2).any(axis=(1, 3))
    assert not (touched & ~covered).any()
    assert canvas.planes[1][white.reshape(15, 2, 20, 2).all(axis=(1, 3))] == pytest.approx(128, abs=1)


def test_half_a_cover_is_half_way() -> None:
    canvas = _canvas(colour=(0, 0, 0))
    canvas.paste(
        Sprite(np.full((4, 4, 3), 255, np.float32), np.full((4, 4), 0.5, np.float32), ColourSpace()),
        6,
        6,
    )
    assert canvas.planes[0][7, 7] == pytest.approx((16 + 235) / 2, abs=1)


def test_a_person_stays_on_top_of_what_was_drawn_before() -> None:
    canvas = _canvas()
    canvas.paste(
        Sprite(np.full((10, 20, 3), 255, np.float32), np.ones((10, 20), np.float32), ColourSpace()),
        5,
        5,
    )
    same = np.arange(256, dtype=np.uint8)
    mask = np.zeros((6, 5), bool)
    mask[1:5, 1:4] = True
    canvas.tint(mask, 9, 7, (same, same, same))
    assert (canvas.planes[0][8:12, 10:13] == canvas.original[0][8:12, 10:13]).all()
    assert canvas.planes[0][7, 9] == 235


@settings(max_examples=40, deadline=None)
@given(st.integers(-12, 45), st.integers(-12, 35))
def test_tints_may_hang_over_the_border(x: int, y: int) -> None:
    canvas = _canvas()
    black = np.zeros(256, np.uint8)
    canvas.tint(np.ones((7, 5), bool), x, y, (black, black, black))
    expected = np.zeros((30, 40), bool)
    expected[max(y, 0) : max(y + 7, 0), max(x, 0) : max(x + 5, 0)] = True
    assert ((canvas.planes[0] == 0) == expected).all()


def test_the_original_is_never_drawn_on() -> None:
    canvas = _canvas()
    before = [plane.copy() for plane in canvas.original]
    canvas.wash(np.full((4, 6), 255, np.uint8), 2, 2, ColourSpace().planes(np.array([255, 0, 0])))
    assert (canvas.planes[2][1:3, 1:4] > 200).all()
    assert all((plane == kept).all() for plane, kept in zip(canvas.original, before, strict=True))
