"""The truths agree to a pixel and a centimetre, and the check notices when they do not."""

from dataclasses import replace

import pytest

from filmroom.simulate import check
from filmroom.simulate.check import check_truth
from filmroom.simulate.settings import Settings

SETTINGS = Settings(seconds=1.0, seed=2, width=960, height=540)


def test_truths_agree():
    found = check_truth(SETTINGS, every=12)
    assert max(found[name] for name in ("mask", "box", "ball", "line")) < 1.0
    assert found["position cm"] < 1.0


def test_a_camera_that_is_off_is_noticed(monkeypatch):
    real = check.film_frame

    def shifted(scene, frame):
        filmed = real(scene, frame)
        camera = replace(filmed.truth.camera, tilt=filmed.truth.camera.tilt + 0.3)
        return replace(filmed, truth=replace(filmed.truth, camera=camera))

    monkeypatch.setattr(check, "film_frame", shifted)
    assert check_truth(SETTINGS, every=24)["line"] > 1.0


@pytest.mark.parametrize("difficulty", ["cruel"])
def test_lens_and_exposure_move_picture_and_truth_alike(difficulty):
    """People are where the bent camera projects them, though the picture was bent after drawing."""
    import numpy as np

    from filmroom.simulate.film import film_frame, make_scene

    scene = make_scene(replace(SETTINGS, difficulty=difficulty))
    scene = replace(scene, k1=0.3, slip=0.5)
    truth = film_frame(scene, 12).truth
    feet, depth = truth.camera.project(truth.positions * np.array([1.0, 1.0, 0.0]))
    plain, _ = truth.camera.pinhole().project(truth.positions * np.array([1.0, 1.0, 0.0]))
    metre = truth.camera.focal / depth
    middle = truth.boxes[:, 0] + truth.boxes[:, 2] / 2
    people = np.array([role not in ("ball", "hoop") for role in truth.roles])
    assert np.abs(feet - plain)[people].max() > 3.0
    assert np.median(np.abs(middle - feet[:, 0])[people] / metre[people]) < 0.25
