"""Is it good enough? Players whose motion is known, and detectors right or wrong about them."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytestmark = pytest.mark.train

from filmroom.train.unlabelled import report as reports  # noqa: E402
from filmroom.train.unlabelled.background import Panorama  # noqa: E402
from filmroom.train.unlabelled.candidates import BodyHeight  # noqa: E402
from filmroom.train.unlabelled.footage import Footage, Shot  # noqa: E402
from filmroom.train.unlabelled.motion import MovingShot  # noqa: E402
from filmroom.train.unlabelled.players import ShotPlayers  # noqa: E402

FRAMES = 20
SIZE = (320, 180)


def people_at(time):
    """(8, 4) boxes of eight who run along the picture, as tall as 40 pixels."""
    lanes = np.arange(8)
    x = 20 + 36 * lanes + np.where(lanes % 2, 1.0, -1.0) * 0.6 * time
    return np.stack([x, 20.0 + 16 * lanes, np.full(8, 16.0), np.full(8, 40.0)], axis=1)


@pytest.fixture(scope="module")
def players():
    """What motion shows of them, exactly, from a camera that stands still."""
    labels = np.zeros((FRAMES, *SIZE[::-1]), np.uint8)
    for time in range(FRAMES):
        for x, y, w, h in people_at(time):
            cv2.ellipse(
                labels[time],
                (int(x + w / 2), int(y + h / 2)),
                (int(w / 2), int(h / 2)),
                0,
                0,
                360,
                1,
                -1,
            )
    pixels = np.full((FRAMES, *SIZE[::-1], 3), 90, np.uint8)
    shot = Shot(Path("v.mp4"), np.arange(FRAMES), np.arange(FRAMES) / 12.5, pixels, 1.0)
    still = np.zeros(SIZE[::-1], bool)
    panorama = Panorama(
        pixels[0], np.full(SIZE[::-1], 20, np.uint8), np.tile(np.eye(3), (FRAMES, 1, 1)),
        np.ones(FRAMES, bool), still,
    )  # fmt: skip
    moving = MovingShot(shot, np.arange(FRAMES), panorama, None, 20.0, labels)
    boxes = [people_at(time) for time in range(FRAMES)]
    sure = [np.ones(8)] * FRAMES
    return ShotPlayers(moving, list(labels == 1), boxes, sure, BodyHeight(40.0, 0.0))


def report_of(players, monkeypatch, found):
    """The report on a detector that finds `found(time)` boxes."""
    monkeypatch.setattr(reports, "OnnxDetector", lambda **_: None)
    monkeypatch.setattr(
        reports,
        "_detect_all",
        lambda _, each, stride: [found(time) for time in range(0, FRAMES, stride)],
    )
    footage = Footage([players.motion.shot], [])
    return reports.judge(footage, [players], Path("detector.onnx"), {}, 60.0)


def test_who_finds_everybody_is_good_enough(players, monkeypatch):
    report = report_of(players, monkeypatch, people_at)
    assert report.usable
    assert report.singles_fitted > 0.95 and report.boxes_that_move == 1 and report.doubles == 0
    assert "the camera stands still" in report.text()


def test_boxes_round_parts_of_people_are_not(players, monkeypatch):
    def halves(time):
        upper, lower = people_at(time), people_at(time)
        upper[:, 3] = lower[:, 3] = 18
        lower[:, 1] += 20
        return np.concatenate([upper, lower])

    report = report_of(players, monkeypatch, halves)
    assert {"singles_fitted", "boxes_as_tall"} <= set(report.weak)


def test_two_boxes_for_one_person_are_not(players, monkeypatch):
    def twice(time):
        boxes = people_at(time)
        return np.concatenate([boxes, boxes * [1, 1, 1, 0.8] + [1, 2, 0, 0]])

    assert "doubles" in report_of(players, monkeypatch, twice).weak


def test_boxes_on_what_never_moves_are_not(players, monkeypatch):
    def and_on_lines(time):
        lines = people_at(0)[:5]
        lines[:, 1] += 75
        return np.concatenate([people_at(time), lines])

    report = report_of(players, monkeypatch, and_on_lines)
    assert "boxes_that_move" in report.weak


def test_a_detector_that_finds_nobody_is_not(players, monkeypatch):
    report = report_of(players, monkeypatch, lambda _: np.zeros((0, 4)))
    assert not report.usable and report.singles_fitted == 0


def test_a_detector_that_misses_every_other_is_not(players, monkeypatch):
    report = report_of(players, monkeypatch, lambda time: people_at(time)[time % 2 :: 2])
    assert {"singles_fitted", "track_seconds"} <= set(report.weak)
    assert report.plausible_frames == 1  # the number alone would say nothing


def test_how_many_a_close_up_shows_is_not_judged(players, monkeypatch):
    close = replace(players, height=BodyHeight(90.0, 0.0))

    def found(each, time):
        return people_at(time)[:1] if each is close else people_at(time)

    monkeypatch.setattr(reports, "OnnxDetector", lambda **_: None)
    monkeypatch.setattr(
        reports,
        "_detect_all",
        lambda _, each, stride: [found(each, time) for time in range(0, FRAMES, stride)],
    )
    footage = Footage([players.motion.shot], [])
    both = reports.judge(footage, [players, close], Path("detector.onnx"), {}, 60.0)
    assert both.plausible_frames == 1 and both.people == 8
    assert "1 shots from near by" in both.text()
    alone = reports.judge(footage, [close], Path("detector.onnx"), {}, 60.0)
    assert alone.plausible_frames == 0  # one person is no match
