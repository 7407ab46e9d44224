"""JaC of cameras: golden projections, the rules of counting, the official figures on real cameras."""

from __future__ import annotations

import json
import os
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.evaluation.calibration import (
    CLASSES,
    HEIGHT,
    MIRRORED,
    WIDTH,
    Polylines,
    distances_to_lines,
    pitch_samples,
    project,
    projected_lines,
    score_picture,
    summarise,
)
from filmroom.evaluation.reports import evaluate
from filmroom.formats.soccernet_calibration import (
    PitchCamera,
    read_cameras,
    read_line_annotations,
    write_cameras,
)

CAMERA = PitchCamera(20, 78, 0.5, (1, 60, -14), 1500, 1500, (480, 270), [0.0] * 6, [0.0] * 2, [0.0] * 4)
POINTS = np.array([(36, -20.16, 0), (41.5, 0, 0), (52.5, 3.66, -2.44), (0, 0, 0)])


def change(**fields: Any) -> PitchCamera:
    return msgspec.structs.replace(CAMERA, **fields)


def ends(camera: PitchCamera) -> dict[str, np.ndarray]:
    """An annotation that fits the camera: the first and last projected point of every class."""
    shown = projected_lines(camera)
    scale = np.array([WIDTH - 1, HEIGHT - 1])
    return {
        CLASSES[label]: shown.points[shown.labels == label][[0, -1]] / scale
        for label in np.unique(shown.labels)
    }


def test_the_pitch_is_sampled_as_officially():
    points, labels, _ = pitch_samples()
    counts = {CLASSES[label]: int(count) for label, count in enumerate(np.bincount(labels))}
    assert len(points) == 1187
    assert (counts["Circle central"], counts["Circle left"], counts["Circle right"]) == (287, 86, 86)
    assert (counts["Side line top"], counts["Side line left"], counts["Middle line"]) == (117, 76, 76)
    assert (counts["Big rect. left main"], counts["Small rect. right top"]) == (45, 7)
    assert (counts["Goal left crossbar"], counts["Goal left post left "]) == (9, 3)


@pytest.mark.parametrize(
    ("camera", "pixels"),
    [
        (
            CAMERA,
            [
                (572.30756, 193.49661),
                (847.15344, 247.76960),
                (1091.07129, 194.05002),
                (-77.17615, 327.94629),
            ],
        ),
        (
            change(radial_distortion=[0.05, -0.01, 0, 0, 0, 0], tangential_distortion=[0.001, -0.002]),
            [
                (572.28571, 193.50842),
                (847.69324, 247.81619),
                (1094.48352, 193.81587),
                (-82.24249, 328.63886),
            ],
        ),
    ],
)
def test_golden_projections(camera: PitchCamera, pixels: list):
    projected, in_front = project(camera, POINTS)
    assert in_front.all()
    assert projected == pytest.approx(np.array(pixels), abs=1e-4)


def test_golden_lines_in_the_picture():
    shown = projected_lines(CAMERA)
    counts = {CLASSES[label]: int((shown.labels == label).sum()) for label in np.unique(shown.labels)}
    assert counts == {
        "Circle central": 116, "Big rect. right top": 19, "Big rect. right main": 41,
        "Small rect. right top": 7, "Small rect. right main": 13, "Side line top": 54,
        "Side line right": 33, "Circle right": 86,
    }  # fmt: skip


def test_fitting_annotation_scores_one_also_when_mirrored():
    lines = ends(CAMERA)
    assert [score.accuracy for score in score_picture(lines, CAMERA)] == [1.0] * 3
    mirrored = {MIRRORED[name]: points for name, points in lines.items()}
    assert score_picture(mirrored, CAMERA)[0].accuracy == 1.0


def test_unknown_line_is_a_miss_in_single_precision():
    lines = ends(CAMERA) | {"Line unknown": np.array([(0.5, 0.5), (0.6, 0.6)])}
    assert float(score_picture(lines, CAMERA)[0].accuracy) == 0.8888888955116272


def test_a_point_at_the_threshold_is_wrong_and_one_such_point_spoils_the_class():
    name = "Side line right"
    lines = ends(CAMERA)
    lines[name] = np.vstack([lines[name], lines[name][0] + [0.5, 0.0]])
    score = score_picture(lines, CAMERA)[0]
    assert (score.right, score.wrong, score.missed) == (7, 1, 0)
    assert score.points[name] == (2, 1, 0)
    only = {name: np.array([(0.75, 0.75)])}
    distance = float(score_picture(only, CAMERA, (1e9,))[0].errors[name][0])
    exactly, above = score_picture(only, CAMERA, (distance, distance * (1 + 1e-9)))
    assert (exactly.right, above.right) == (0, 1)


def test_projected_only_counts_ends_or_nine_points():
    score = score_picture({"Line unknown": np.array([(0.5, 0.5)])}, CAMERA)[0]
    assert score.points["Circle right"] == (0, 9, 0)
    assert score.points["Side line top"] == (0, 2, 0)
    assert (score.right, score.wrong, score.missed) == (0, 8, 1)


def test_mirrored_classes_come_back():
    assert len(CLASSES) == 26
    assert all(MIRRORED[MIRRORED[name]] == name for name in MIRRORED)
    assert MIRRORED["Goal left post left "] == "Goal right post left"
    assert MIRRORED["Big rect. left top"] == "Big rect. right bottom"
    assert MIRRORED["Side line top"] == "Side line bottom"
    for name in ("Middle line", "Circle central", "Goal unknown", "Line unknown"):
        assert MIRRORED[name] == name


def test_camera_that_looks_away_shows_nothing():
    away = change(tilt_degrees=180 + 78)
    assert len(projected_lines(away).points) == 0
    assert score_picture(ends(CAMERA), away)[0].accuracy == 0.0
    assert summarise([], 3) == {
        "completeness": 0.0, "meanAccuracies": None, "meanPrecision": None, "meanRecall": None,
    }  # fmt: skip


coordinates = st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(
    lambda p: (float(p[0]), float(p[1]))
)


@settings(max_examples=100, deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=6), st.lists(coordinates, min_size=1, max_size=4))
def test_distance_like_a_walk_along_the_segments(line: list, points: list):
    polyline = np.array(line)
    ours = distances_to_lines(np.array(points), Polylines(polyline, np.zeros(len(line), np.int64)))[
        :, 0
    ]
    for point, value in zip(np.array(points), ours, strict=True):
        walked = [float(np.linalg.norm(point - each)) for each in polyline]
        for start, end in pairwise(polyline):
            shares = np.linspace(0, 1, 401)[:, None]
            walked.append(float(np.linalg.norm(point - (start + shares * (end - start)), axis=1).min()))
        assert value <= min(walked) + 1e-9
        assert value >= min(walked) - 0.15


def put(root: Path, number: str, camera: PitchCamera | None) -> None:
    lines = {name: [{"x": x, "y": y} for x, y in points] for name, points in ends(CAMERA).items()}
    (root / "test").mkdir(exist_ok=True)
    (root / "test" / f"{number}.json").write_text(json.dumps(lines))
    if camera is not None:
        (root / "found").mkdir(exist_ok=True)
        (root / "found" / f"camera_{number}.json").write_bytes(msgspec.json.encode(camera))


def test_completeness_and_final_score(tmp_path: Path):
    put(tmp_path, "00001", CAMERA)
    put(tmp_path, "00002", None)
    report = evaluate("calibration", tmp_path / "test", tmp_path / "found")
    assert (report.combined["JaC@5"], report.combined["completeness"]) == (1.0, 0.5)
    assert report.combined["final score"] == 0.5
    assert report.notes == ("1 of 2 pictures have no camera: they lower completeness only",)
    assert report.rows["Side line top"]["Accuracy"] == 1.0


def test_name_of_the_game_state_data_is_understood(tmp_path: Path):
    put(tmp_path, "00001", CAMERA)
    content = {"Goal left post left": [{"x": 0.1, "y": 0.1}]}
    (tmp_path / "test" / "00001.json").write_text(json.dumps(content))
    report = evaluate("calibration", tmp_path / "test", tmp_path / "found")
    assert report.combined["JaC@5"] == 0.0
    (tmp_path / "test" / "00001.json").write_text(json.dumps({"Side lane": [{"x": 0, "y": 0}]}))
    with pytest.raises(InputError, match="'Side lane' is not one of"):
        evaluate("calibration", tmp_path / "test", tmp_path / "found")


def test_bad_files_are_named(tmp_path: Path):
    put(tmp_path, "00001", CAMERA)
    camera = tmp_path / "found" / "camera_00001.json"
    for field, reason in (("radial_distortion", "length"), ("principal_point", "principal_point")):
        content = json.loads(msgspec.json.encode(CAMERA))
        content[field] = [0.0]
        camera.write_text(json.dumps(content))
        with pytest.raises(InputError, match=reason):
            read_cameras(camera.parent)
    with pytest.raises(InputError, match="no annotations"):
        read_line_annotations(camera.parent)


def test_written_cameras_read_back(tmp_path: Path):
    write_cameras(tmp_path / "out.zip", {"00007": CAMERA})
    assert zipfile.ZipFile(tmp_path / "out.zip").namelist() == ["camera_00007.json"]
    assert read_cameras(tmp_path / "out.zip") == {"00007": CAMERA}


DATA = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("method", "cameras", "mean"), [("nbjw", 50, 0.78063440), ("pnlcalib", 49, 0.79664440)]
)
def test_real_cameras_equal_the_official_figures(
    tmp_path: Path, method: str, cameras: int, mean: float
):
    """Fifty pictures of SoccerNet 2022, every tenth in the order of their names."""
    if not (DATA / "calibration-lines.zip").exists():
        pytest.skip("calibration-lines.zip is not among the data")
    with zipfile.ZipFile(DATA / "calibration-lines.zip") as archive:
        names = sorted(each for each in archive.namelist() if each.startswith("sn22/truth/"))[::10][:50]
        found = set(archive.namelist())
        for name in names:
            (tmp_path / Path(name).name).write_bytes(archive.read(name))
            camera = f"sn22/pred_{method}/camera_{Path(name).name}"
            if camera in found:
                (tmp_path / Path(camera).name).write_bytes(archive.read(camera))
    figures = evaluate("calibration", tmp_path, tmp_path).combined
    assert figures["JaC@5"] == pytest.approx(mean, abs=1e-7)
    assert figures["completeness"] == cameras / 50
