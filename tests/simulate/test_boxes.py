"""Boxes without pictures are those of the film, in a fraction of the time."""

from dataclasses import replace

import numpy as np
import pytest

from filmroom.geometry.boxes import ious
from filmroom.simulate.boxes import boxes_of, match_boxes
from filmroom.simulate.film import film_frame, make_scene
from filmroom.simulate.settings import Settings

SETTINGS = Settings(seconds=2.0, seed=3, width=960, height=540, difficulty="easy")


@pytest.mark.parametrize("held_out", [False, True])
def test_boxes_agree_with_the_film(held_out):
    scene = make_scene(replace(SETTINGS, held_out=held_out))
    rows = boxes_of(scene)
    overlaps = []
    for frame in (5, 18, 30):
        truth = film_frame(scene, frame).truth
        here = rows.frames == frame
        for row, track in enumerate(truth.tracks):
            x, y, w, h = truth.boxes[row]
            inside = x > 0 and y > 0 and x + w < 960 and y + h < 540
            if truth.roles[row] in ("other", "ball", "hoop") or not inside:
                continue
            mine = rows.boxes[here & (rows.ids == track)]
            overlaps.append(ious(truth.boxes[row : row + 1], mine)[0, 0])
    assert len(overlaps) > 15
    assert np.median(overlaps) > 0.9
    assert min(overlaps) > 0.7


def test_boxes_stay_in_the_picture_and_a_part_is_a_part():
    rows, part = match_boxes(SETTINGS), match_boxes(SETTINGS, (20, 40))
    assert (rows.boxes[:, :2] >= 0).all()
    assert (rows.boxes[:, 0] + rows.boxes[:, 2] <= 960).all()
    assert (rows.boxes[:, 1] + rows.boxes[:, 3] <= 540).all()
    assert part.length == 20
    wanted = rows.frames == 25
    assert np.array_equal(rows.boxes[wanted], part.boxes[part.frames == 5])
    assert np.array_equal(rows.ids[wanted], part.ids[part.frames == 5])
