"""YOLO label files in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.formats.yolo import format_yolo, parse_yolo, read_yolo, write_yolo_zip


def test_centre_and_size_become_a_box():
    labels = parse_yolo(b"2 0.5 0.5 0.2 0.4\n\n0 0.1 0.1 0.2 0.2 0.75\n")
    assert labels.classes.tolist() == [2, 0]
    assert labels.pixels(100, 50) == pytest.approx(np.array([[40, 15, 20, 20], [0, 0, 20, 10]]))
    assert labels.scores.tolist() == [1.0, 0.75]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"1 0.5 0.5 0.1\n", "line 1: 4 columns"),
        (b"1 .5 .5 .1 .1\n1 .1 .1 .2 .2 .3 .3 .4 .4\n", "line 2: 9 columns"),
        (b"1 0.5 x 0.1 0.1\n", "not all numbers"),
        (b"1 50 50 10 10\n", "shares from 0 to 1"),
    ],
)
def test_bad_lines_are_named(text: bytes, reason: str):
    with pytest.raises(InputError, match=reason):
        parse_yolo(text)


boxes = st.tuples(
    st.integers(-50, 250), st.integers(-50, 150), st.integers(1, 100), st.integers(1, 100)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(boxes, max_size=8))
def test_boxes_come_back_cut_at_the_border(rows: list[tuple[int, int, int, int]]):
    labels = parse_yolo(format_yolo([1] * len(rows), rows, 200, 100).encode())
    wanted = []
    for x, y, w, h in rows:
        left, top, right, bottom = max(0, x), max(0, y), min(200, x + w), min(100, y + h)
        if right > left and bottom > top:
            wanted.append((left, top, right - left, bottom - top))
    assert labels.pixels(200, 100) == pytest.approx(np.array(wanted, float).reshape(-1, 4), abs=1e-3)


def test_zip_of_labels_reads_back(tmp_path: Path):
    write_yolo_zip(
        tmp_path / "out.zip", {"000001": format_yolo([0], [(10, 10, 20, 20)], 100, 100)}, ["ball"]
    )
    pictures = read_yolo(tmp_path / "out.zip")
    assert list(pictures) == ["000001"]
    assert pictures["000001"].pixels(100, 100)[0] == pytest.approx([10, 10, 20, 20])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no labels found"):
        read_yolo(tmp_path / "empty")
