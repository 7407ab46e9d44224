"""Reading shirt numbers with the shipped network, on drawn shirts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filmroom.observe import numbers
from filmroom.observe.numbers import SIDE, OnnxNumberReader, prepare, torso_window
from filmroom.simulate.digits import draw_number

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> OnnxNumberReader:
    return OnnxNumberReader()


def shirt(
    text: str,
    *,
    tall: int,
    margin: tuple[float, float] = (0.2, 0.2),
    font: int = 0,
    colours: tuple[tuple[int, int, int], tuple[int, int, int]] = ((180, 30, 40), (240, 240, 240)),
) -> Picture:
    """A number of `tall` pixels on plain cloth; `margin` is the cloth around it, in heights (x, y)."""
    ink = draw_number(text, height=tall, font=font)
    across, down = round(margin[0] * tall), round(margin[1] * tall)
    share = np.pad(ink, ((down, down), (across, across)))[:, :, None]
    cloth, paint = (np.array(colour, np.float32) for colour in colours)
    pixels = cloth + (paint - cloth) * share
    return np.asarray(cv2.GaussianBlur(pixels.astype(np.uint8), (0, 0), 0.7), np.uint8)


def plain(height: int, width: int, seed: int = 0) -> Picture:
    rng = np.random.default_rng(seed)
    return (
        (rng.integers(20, 220, 3) + rng.normal(0, 4, (height, width, 3))).clip(0, 255).astype(np.uint8)
    )


@pytest.mark.parametrize("tall", [16, 24, 48])
def test_tight_crops_of_clean_numbers_are_read(reader: OnnxNumberReader, tall: int) -> None:
    wanted = [str(number) for number in range(1, 100, 2)]
    crops = [shirt(text, tall=tall, font=index % 12) for index, text in enumerate(wanted)]
    reads = reader.read(crops)
    right = [read == text for read, text in zip(reads.text, wanted, strict=True)]
    assert np.mean(right) >= 0.85


def test_a_number_small_on_the_torso_is_found_and_read(reader: OnnxNumberReader) -> None:
    wanted = ["7", "10", "23", "48", "66", "91", "35", "19"]
    crops = [shirt(text, tall=24, margin=(0.75, 0.9)) for text in wanted]
    reads = reader.read(crops)
    assert sum(read == text for read, text in zip(reads.text, wanted, strict=True)) >= 6
    for crop, box, text in zip(crops, reads.boxes, wanted, strict=True):
        ink = draw_number(text, height=24, font=0)
        x, y, w, h = box
        assert abs(x + w / 2 - crop.shape[1] / 2) < 0.25 * ink.shape[1]
        assert abs(y + h / 2 - crop.shape[0] / 2) < 6
        assert 0.7 * 24 < h < 1.4 * 24


def test_cloth_without_a_number_reads_as_nothing(reader: OnnxNumberReader) -> None:
    crops = [plain(40, 36, seed) for seed in range(40)]
    stripes = plain(60, 60)
    stripes[:, ::12] = 255
    reads = reader.read([*crops, stripes])
    assert sum(bool(text) for text in reads.text) <= 1
    assert (reads.score[[not text for text in reads.text]] == 0).all()


def test_one_row_a_crop_in_order_whatever_their_sizes(reader: OnnxNumberReader) -> None:
    crops = [shirt("24", tall=30), plain(1, 1), plain(2, 300), plain(300, 2), shirt("8", tall=80)]
    together = reader.read(crops)
    assert (
        len(together.text) == len(together.score) == len(together.legible) == len(together.boxes) == 5
    )
    assert (together.text[0], together.text[4]) == ("24", "8")
    assert np.isfinite(together.boxes).all() and (together.boxes[:, 2:] >= 0).all()
    for index, crop in enumerate(crops):
        alone = reader.read([crop])
        assert alone.text[0] == together.text[index]
        assert alone.boxes[0] == pytest.approx(together.boxes[index], abs=1.0)


def test_no_crops_and_empty_crops_are_no_error(reader: OnnxNumberReader) -> None:
    assert reader.read([]).text == []
    assert reader.read([]).boxes.shape == (0, 4)
    assert reader.read([np.zeros((0, 12, 3), np.uint8)]).text == [""]


def test_a_lower_threshold_reads_more(reader: OnnxNumberReader) -> None:
    crops = [
        plain(40, 40, 3),
        *(shirt(str(n), tall=9, margin=(0.5, 0.5), font=7) for n in range(1, 40)),
    ]
    eager, strict = OnnxNumberReader(threshold=0.0), OnnxNumberReader(threshold=0.95)
    counts = [sum(map(bool, part.read(crops).text)) for part in (strict, reader, eager)]
    assert counts[0] <= counts[1] <= counts[2] == len(crops)


def test_numbers_with_a_leading_nought_are_never_read() -> None:
    output = np.zeros((1, numbers.OUTPUTS), np.float32)
    output[0, 0] = 9
    output[0, 1] = 9  # tens: 0
    output[0, 12 + 7] = 9  # units: 7
    belief = numbers._interpret(output)
    assert belief.numbers[0, 1:10].max() == 0
    assert belief.numbers[0].sum() == pytest.approx(1.0, abs=1e-4)


@given(width=st.integers(1, 200), height=st.integers(1, 200))
def test_any_crop_is_prepared_to_the_square_of_the_network(width: int, height: int) -> None:
    picture = prepare(np.full((height, width, 3), 77, np.uint8))
    assert picture.shape == (SIDE, SIDE, 3)
    assert (picture == 77).all()
    across, down = numbers.padding(width, height)
    assert across == 0 or down == 0
    assert (width + across) / (height + down) == pytest.approx(
        np.clip(width / height, 0.6, 1.6), rel=0.5 / min(width + across, height + down) + 0.01
    )


@given(x=st.floats(-50, 50), y=st.floats(-50, 50), w=st.floats(1, 90), h=st.floats(1, 200))
def test_the_torso_lies_inside_the_upper_half_of_the_box(
    x: float, y: float, w: float, h: float
) -> None:
    tx, ty, tw, th = torso_window(np.array([[x, y, w, h]]))[0]
    assert x < tx and tx + tw < x + w
    assert y < ty and ty + th < y + 0.55 * h
