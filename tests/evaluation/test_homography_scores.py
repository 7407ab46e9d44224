"""Homographies against each other: identity, known shifts, a clipped polygon; files of matrices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, HalfspaceIntersection

from filmroom.errors import InputError
from filmroom.evaluation.homography import (
    HEIGHT,
    WIDTH,
    homography_scores,
    iou_part,
    iou_whole,
    projection_error,
    reprojection_error,
)
from filmroom.evaluation.reports import evaluate
from filmroom.formats.homographies import read_homographies
from filmroom.geometry.homography import transform_points

BROADCAST = {
    "pan_degrees": 4.0, "tilt_degrees": 78.0, "roll_degrees": 0.3,
    "position_meters": [1.0, 60.0, -14.0],
    "x_focal_length": 1100.0, "y_focal_length": 1100.0, "principal_point": [480.0, 270.0],
    "radial_distortion": [0.0] * 6, "tangential_distortion": [0.0] * 2,
    "thin_prism_distortion": [0.0] * 4,
}  # fmt: skip


def camera(folder: Path, number: str = "00001", **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"camera_{number}.json").write_text(json.dumps(BROADCAST | changes))
    return folder


def above(scale: float = 10.0) -> np.ndarray:
    """A camera straight above that shows `scale` pixels a yard, the pitch's corner in the picture's."""
    return np.diag([1 / scale, 1 / scale, 1.0])


def test_a_map_equals_itself(tmp_path: Path):
    truth = read_homographies(camera(tmp_path / "a"))["00001"]
    figures = homography_scores(truth, truth)
    assert (figures["IoU part"], figures["IoU whole"]) == (1.0, pytest.approx(1.0))
    for name in ("projection error", "projection error on pitch", "reprojection error"):
        assert figures[name] == pytest.approx(0, abs=1e-9)


def test_a_shift_of_a_yard_is_an_error_of_a_yard():
    shifted = np.array([[1.0, 0, 1.0], [0, 1.0, 0], [0, 0, 1.0]]) @ above()
    assert projection_error(above(), shifted, scale=(1.0, 1.0)) == pytest.approx(0.9144)
    # The published figure is measured on a pitch that is 100 instead of 115 yards long.
    assert projection_error(above(), shifted) == pytest.approx(0.9144 * 100 / 115)
    assert reprojection_error(above(), shifted) == pytest.approx(10 / HEIGHT)
    right, bottom = WIDTH - 1, HEIGHT - 1
    assert iou_whole(above(), shifted) == pytest.approx((right - 10) / (right + 10))
    assert bottom > 0


def test_part_seen_on_a_raster_of_yards():
    # 1280 x 720 pixels at 20 a yard show 64 x 36 yards, rows and columns 0 to 63 and 0 to 35.
    shifted = np.array([[1.0, 0, 4.0], [0, 1.0, 0], [0, 0, 1.0]]) @ above(20)
    assert iou_part(above(20), shifted) == pytest.approx(60 / 68)


def test_maps_that_share_nothing():
    away = np.array([[1.0, 0, 900.0], [0, 1.0, 0], [0, 0, 1.0]]) @ above()
    figures = homography_scores(above(), away)
    assert figures["IoU part"] == figures["IoU whole"] == 0.0
    assert figures["projection error"] is None
    assert figures["reprojection error"] is None


def shared_area(first: np.ndarray, second: np.ndarray) -> float:
    """Of two convex polygons that both hold the middle of the picture, as cuts by their sides."""
    sides = np.vstack([ConvexHull(first).equations, ConvexHull(second).equations])
    corners = HalfspaceIntersection(sides, np.array([WIDTH / 2, HEIGHT / 2])).intersections
    return float(ConvexHull(corners).volume)


@settings(max_examples=60, deadline=None)
@example(0.0, 1.0, 0.0, 0.9999999999999999)
@given(st.floats(-4, 4), st.floats(-1, 1), st.floats(-3, 3), st.floats(0.9, 1.1))
def test_overlap_of_the_whole_picture_like_an_independent_clipping(pan, tilt, roll, zoom):
    turn = np.deg2rad(roll)
    centre = np.array([[1, 0, 640.0], [0, 1, 360.0], [0, 0, 1]])
    about = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    warp = centre @ np.diag([zoom, zoom, 1]) @ about @ np.linalg.inv(centre)
    warp[2, :2] = pan * 1e-5, tilt * 1e-5
    picture = np.array([[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]], float)
    moved = transform_points(np.linalg.inv(above() @ warp) @ above(), picture)
    shared = shared_area(picture, moved)
    union = (WIDTH - 1) * (HEIGHT - 1) + ConvexHull(moved).volume - shared
    assert iou_whole(above(), above() @ warp) == pytest.approx(shared / union, abs=1e-7)


def test_report_of_cameras_against_cameras(tmp_path: Path):
    truth = camera(camera(tmp_path / "truth"), "00002")
    found = camera(tmp_path / "found", pan_degrees=4.2)
    report = evaluate("calibration", truth, found)
    assert report.combined["completeness"] == 0.5
    assert 0.1 < report.combined["projection error"] < 0.5
    assert report.details["medians"]["IoU part"] == report.rows["00001"]["IoU part"] < 1
    assert any("1 of 2 pictures have no homography" in note for note in report.notes)


def test_matrix_files(tmp_path: Path):
    (tmp_path / "1.homographyMatrix").write_text("0.2 0 0\n0 0.2 0\n0 0 2\n")
    assert (read_homographies(tmp_path)["1"] == above()).all()
    (tmp_path / "1.homographyMatrix").write_text("0.2 0 0\n0 x 0\n0 0 2\n")
    with pytest.raises(InputError, match=r"1\.homographyMatrix: not three lines of three numbers"):
        read_homographies(tmp_path)
    (tmp_path / "1.homographyMatrix").write_text("1 0 0\n1 0 0\n0 0 2\n")
    with pytest.raises(InputError, match="no inverse"):
        read_homographies(tmp_path)


def test_cameras_of_other_pictures_are_told_apart_from_bad_ones(tmp_path: Path):
    with pytest.raises(InputError, match="none of the 1 cameras belongs to a picture of the truth"):
        evaluate("calibration", camera(tmp_path / "a", "00001"), camera(tmp_path / "b", "00002"))
