"""Presets run from easy to cruel, in the figures they are made of and in the pictures."""

from dataclasses import asdict, replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from filmroom.errors import InputError
from filmroom.simulate.film import film_frame, make_scene
from filmroom.simulate.settings import DIFFICULTIES, Settings


@pytest.mark.parametrize("seconds", [0.0, -60.0, float("nan"), float("inf"), 1e9])
def test_lengths_that_cannot_be_are_refused_before_anything_is_played(seconds):
    with pytest.raises(InputError, match="above 0 and up to 360 minutes"):
        Settings(seconds=seconds).checked()


def test_each_preset_is_at_least_as_hard_as_the_one_before():
    assert list(DIFFICULTIES) == ["easy", "medium", "hard", "cruel"]
    for easier, harder in pairwise(asdict(one) for one in DIFFICULTIES.values()):
        assert harder["contrast"] < easier["contrast"]
        assert all(harder[name] >= easier[name] for name in easier if name != "contrast")


def test_cruel_pictures_have_less_detail_and_more_noise_than_easy_ones():
    asked = Settings(sport="hockey", seconds=1.0, width=480, height=270)
    detail, noise = [], []
    for preset in ("easy", "cruel"):
        measured = []
        for seed in range(4):
            scene = make_scene(replace(asked, seed=seed, difficulty=preset))
            grey = cv2.cvtColor(film_frame(scene, 12).pixels, cv2.COLOR_RGB2GRAY).astype(float)
            smooth = cv2.GaussianBlur(grey, (0, 0), 1.5)
            measured.append((cv2.Laplacian(smooth, cv2.CV_64F).std(), np.median(np.abs(grey - smooth))))
        median = np.median(measured, axis=0)
        detail.append(median[0])
        noise.append(median[1])
    assert detail[1] < detail[0]
    assert noise[1] > noise[0]
