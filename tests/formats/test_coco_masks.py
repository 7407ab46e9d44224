"""Masks of COCO files against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as official

from filmroom.errors import InputError
from filmroom.formats.coco_masks import compressed_mask, fill_polygon
from filmroom.geometry.masks import decode_rle

WIDTH, HEIGHT = 40, 30
coordinates = st.floats(-8, 48).map(lambda value: round(value, 2))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9))
def test_polygons_are_filled_as_pycocotools_fills_them(corners: list[tuple[float, float]]):
    flat = [value for corner in corners for value in corner]
    wanted = official.decode(official.frPyObjects([flat], HEIGHT, WIDTH))[:, :, 0]
    filled = decode_rle(fill_polygon(np.array(corners), WIDTH, HEIGHT), WIDTH, HEIGHT)
    assert (filled == wanted).all()


def test_several_polygons_and_plain_and_packed_runs_are_the_same_mask():
    polygons = [[2, 2, 20, 3, 12, 18], [10.5, 10, 30, 11, 31, 28, 12, 25]]
    united = official.merge(official.frPyObjects(polygons, HEIGHT, WIDTH))
    mask = official.decode(united).astype(bool)
    packed = {"size": [HEIGHT, WIDTH], "counts": united["counts"].decode()}
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]]))).tolist()
    plain = {"size": [HEIGHT, WIDTH], "counts": np.diff([0, *edges]).tolist()}
    for form in (polygons, packed, plain):
        assert (decode_rle(compressed_mask(form, WIDTH, HEIGHT), WIDTH, HEIGHT) == mask).all()


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        (None, "neither polygons nor run lengths"),
        ({"counts": "abc"}, "neither polygons nor run lengths"),
        ({"size": [40, 30], "counts": [1200]}, "size .40, 30., the picture is 30 high and 40 wide"),
        ({"size": [30, 40], "counts": [1199]}, "do not fill"),
        ({"size": [30, 40], "counts": "~~"}, "run lengths"),
        ({"size": [30, 40], "counts": 4}, "neither a list nor a text"),
        ([[1, 2, 3]], r"here\[0\]: a polygon"),
        ([["1", 2, 3, 4, 5, 6]], "a polygon"),
    ],
)
def test_other_masks_are_refused(segmentation: object, reason: str):
    with pytest.raises(InputError, match=reason):
        compressed_mask(segmentation, WIDTH, HEIGHT, "here")
