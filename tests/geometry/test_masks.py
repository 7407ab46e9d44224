"""Masks: run lengths against a plain reading of the COCO format, windows, pasting, overlap."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from filmroom.geometry.masks import (
    decode_rle,
    encode_rle,
    mask_iou,
    paste,
    placed_iou,
    rle_area,
    tight_box,
    windows,
)

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


def written_out(mask: np.ndarray) -> bytes:
    """COCO's compressed run lengths one character at a time, after cocoapi's rleToString."""
    counts, value, run = [], False, 0
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(run)
            value, run = pixel, 0
        run += 1
    counts.append(run)
    text = bytearray()
    for index, count in enumerate(counts):
        x = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group = x & 0x1F
            x >>= 5
            more = x != -1 if group & 0x10 else x != 0
            text.append((group | 0x20 if more else group) + 48)
    return bytes(text)


def ellipse(width: int = 60, height: int = 120) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return ((x - width / 2) / width * 2.4) ** 2 + ((y - height / 2) / height * 2.1) ** 2 < 1


@given(masks)
def test_encoding_is_that_of_the_format(mask: np.ndarray) -> None:
    assert encode_rle(mask) == written_out(mask)


@given(masks)
def test_decoding_undoes_encoding(mask: np.ndarray) -> None:
    rle = encode_rle(mask)
    assert np.array_equal(decode_rle(rle, mask.shape[1], mask.shape[0]), mask)
    assert rle_area(rle) == mask.sum()


@pytest.mark.parametrize("shape", [(1080, 1920), (1, 5000), (5000, 1)])
def test_long_runs_take_several_characters(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    mask[shape[0] // 3 :, shape[1] // 2 :] = True
    assert encode_rle(mask) == written_out(mask)
    assert np.array_equal(decode_rle(encode_rle(mask), shape[1], shape[0]), mask)


@given(masks)
def test_same_bytes_as_pycocotools(mask: np.ndarray) -> None:
    coco = pytest.importorskip("pycocotools.mask")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode_rle(mask) == theirs["counts"]
    ours = {"size": list(mask.shape), "counts": encode_rle(mask)}
    assert np.array_equal(coco.decode(ours).astype(bool), mask)


@pytest.mark.parametrize("rle", [b"", b"\x10", b"Q", "é".encode(), b"0123"])
def test_damaged_run_lengths_are_refused(rle: bytes) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        decode_rle(rle, 7, 5)


def test_a_frame_of_players_costs_little() -> None:
    mask = ellipse()
    rle = encode_rle(mask)
    started = time.process_time()
    for _ in range(220):
        decode_rle(encode_rle(mask), 60, 120)
    # About 0.1 ms a player both ways; ten times that means a loop over pixels has come in.
    assert (time.process_time() - started) / 220 < 1e-3
    assert len(rle) < 300


def test_windows_cover_the_box_and_stay_in_the_picture() -> None:
    boxes = np.array(
        [[10.2, 20.7, 5.0, 9.0], [-4.5, -3.0, 10.0, 8.5], [95, 45, 30, 30], [500, 9, 4, 4]]
    )
    expected = [[10, 20, 16, 30], [0, 0, 6, 6], [95, 45, 100, 50], [99, 9, 100, 13]]
    assert windows(boxes, 100, 50).tolist() == expected


@given(
    st.lists(
        st.tuples(*[st.floats(-200, 200, width=32)] * 2, *[st.floats(0, 300, width=32)] * 2), max_size=5
    )
)
def test_windows_always_hold_a_pixel(rows: list[tuple[float, ...]]) -> None:
    found = windows(np.array(rows).reshape(-1, 4), 64, 48)
    assert found.shape == (len(rows), 4)
    assert (found[:, :2] >= 0).all() and (found[:, 2:] <= [64, 48]).all()
    assert (found[:, 2:] > found[:, :2]).all()


def test_windows_agree_before_and_after_a_table() -> None:
    box = np.array([[10.0 - 1e-9, 4.0, 3.0, 3.0]])
    stored = box.astype(np.float32)
    assert np.array_equal(windows(box, 100, 100), windows(stored, 100, 100))


@given(masks, st.integers(-45, 45), st.integers(-45, 45))
def test_pasting_moves_every_pixel(mask: np.ndarray, left: int, top: int) -> None:
    whole = paste(mask, left, top, 30, 20)
    rows, columns = np.nonzero(mask)
    rows, columns = rows + top, columns + left
    inside = (rows >= 0) & (rows < 20) & (columns >= 0) & (columns < 30)
    assert set(zip(*np.nonzero(whole), strict=True)) == set(
        zip(rows[inside], columns[inside], strict=True)
    )


@given(masks)
def test_tight_box_is_as_small_as_it_can_be(mask: np.ndarray) -> None:
    box = tight_box(mask)
    if box is None:
        assert not mask.any()
        return
    x, y, w, h = box
    inner = mask[y : y + h, x : x + w]
    assert inner.sum() == mask.sum()
    assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


corners = st.tuples(st.integers(-5, 5), st.integers(-5, 5))


@given(masks, masks, corners, corners)
def test_overlap_of_placed_masks_is_that_of_pasted_ones(
    first: np.ndarray, second: np.ndarray, one: tuple[int, int], other: tuple[int, int]
) -> None:
    pasted = (
        paste(first, one[0] + 5, one[1] + 5, 60, 60),
        paste(second, other[0] + 5, other[1] + 5, 60, 60),
    )
    assert placed_iou(first, one, second, other) == pytest.approx(mask_iou(*pasted))


def test_iou_of_known_masks() -> None:
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert mask_iou(first, second) == 0
    first[:2], second[1:3] = True, True
    assert mask_iou(first, second) == pytest.approx(4 / 12)
