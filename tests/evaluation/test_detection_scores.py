"""COCO's figures against pycocotools on generated pictures, and the cases that decide equality."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.evaluation.detection import FoundObjects, TruthObjects, score_detection
from filmroom.evaluation.masks import (
    run_length_area,
    run_length_intersections,
    run_length_overlaps,
)
from filmroom.evaluation.reports import Options, evaluate
from filmroom.formats.coco import read_coco_results, read_coco_truth
from filmroom.geometry.masks import encode_rle

OFFICIAL = (
    "AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge",
    "AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge",
)  # fmt: skip


def truth_of(rows: list[tuple], images: int = 1, names: tuple[str, ...] = ("ball",)) -> TruthObjects:
    """Rows of (image, category, box, crowd, id)."""
    boxes = np.array([row[2] for row in rows], float).reshape(-1, 4)
    return TruthObjects(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        boxes,
        boxes[:, 2] * boxes[:, 3],
        np.array([row[3] for row in rows], bool),
        np.array([row[4] for row in rows], np.int64),
        images,
        names,
    )


def found_of(rows: list[tuple]) -> FoundObjects:
    """Rows of (image, category, box, score)."""
    return FoundObjects(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], float).reshape(-1, 4),
        np.array([row[3] for row in rows], float),
    )


def official_figures(truth: TruthObjects, found: FoundObjects) -> list[float]:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        api = coco.COCO()
        api.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(truth.image_count)],
            "categories": [
                {"id": index, "name": name} for index, name in enumerate(truth.category_names)
            ],
            "annotations": [
                {
                    "id": int(truth.ids[row]),
                    "image_id": int(truth.images[row]),
                    "category_id": int(truth.categories[row]),
                    "bbox": truth.boxes[row].tolist(),
                    "area": float(truth.areas[row]),
                    "iscrowd": int(truth.crowds[row]),
                }
                for row in range(len(truth.ids))
            ],
        }
        api.createIndex()
        results = api.loadRes(
            [
                {
                    "image_id": int(found.images[row]),
                    "category_id": int(found.categories[row]),
                    "bbox": found.boxes[row].tolist(),
                    "score": float(found.scores[row]),
                }
                for row in range(len(found.scores))
            ]
        )
        run = COCOeval(api, results, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


@st.composite
def pictures(draw: st.DrawFn) -> tuple[TruthObjects, FoundObjects]:
    """Few places and sizes, so that boxes coincide, scores tie and overlaps fall on thresholds."""
    images = draw(st.integers(1, 3))
    place = st.tuples(st.integers(0, images - 1), st.integers(0, 1))
    box = st.tuples(
        st.integers(0, 6).map(lambda n: 5.0 * n),
        st.just(0.0),
        st.sampled_from([10.0, 20.0, 40.0, 90.0]),
        st.sampled_from([10.0, 50.0, 110.0]),
    )
    truth = draw(st.lists(st.tuples(place, box, st.integers(0, 9).map(lambda n: n == 0)), max_size=12))
    found = draw(st.lists(st.tuples(place, box, st.integers(0, 5)), min_size=1, max_size=25))
    first = draw(st.integers(0, 1))
    objects = [(*where, at, crowd, first + index) for index, (where, at, crowd) in enumerate(truth)]
    return (
        truth_of(objects, images, ("ball", "person")),
        found_of([(*where, at, score / 5) for where, at, score in found]),
    )


@settings(max_examples=50, deadline=None)
@given(pictures())
def test_equal_to_pycocotools(scene: tuple[TruthObjects, FoundObjects]):
    truth, found = scene
    ours = score_detection(truth, found).combined
    for name, official in zip(OFFICIAL, official_figures(truth, found), strict=True):
        assert (-1 if ours[name] is None else ours[name]) == pytest.approx(official, rel=1e-12), name


def test_more_than_a_hundred_detections_and_many_objects():
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 200, (60, 2))
    truth = truth_of([(0, 0, (*corner, 20, 40), False, i + 1) for i, corner in enumerate(corners)])
    rows = [
        (0, 0, (*(corner + rng.normal(0, 3, 2)), 20, 40), rng.random())
        for corner in corners
        for _ in (1, 2, 3)
    ]
    found = found_of(rows)
    ours = score_detection(truth, found).combined
    official = official_figures(truth, found)
    assert [-1 if ours[name] is None else ours[name] for name in OFFICIAL] == pytest.approx(official)


def test_perfect_and_empty():
    truth = truth_of([(0, 0, (0, 0, 10, 10), False, 1), (1, 0, (5, 5, 10, 10), False, 2)], 2)
    same = found_of([(0, 0, (0, 0, 10, 10), 0.9), (1, 0, (5, 5, 10, 10), 0.8)])
    perfect = score_detection(truth, same).combined
    # 1 up to the tiny number the official code adds to every denominator.
    assert perfect["AP"] == pytest.approx(1.0)
    assert perfect["APlarge"] is None
    nothing = score_detection(truth, found_of([])).combined
    assert (nothing["AP"], nothing["AR100"]) == (0.0, 0.0)
    assert score_detection(truth_of([], 2), same).combined["AP"] is None


def test_annotation_id_zero_is_never_found_unless_asked_for():
    truth = truth_of([(0, 0, (0, 0, 10, 10), False, 0)])
    found = found_of([(0, 0, (0, 0, 10, 10), 0.9)])
    assert score_detection(truth, found).combined["AP"] == 0.0
    assert score_detection(truth, found, unmatched_zero_id=False).combined["AP"] == pytest.approx(1.0)


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


TRUTH = {
    "images": [{"id": 7, "file_name": "b.jpg"}, {"id": 4, "file_name": "x/a.jpg"}],
    "categories": [{"id": 1, "name": "ball"}, {"id": 2, "name": "player"}, {"id": 3, "name": "referee"},
                   {"id": 9, "name": "clock"}],
    "annotations": [
        {"id": 1, "image_id": 4, "category_id": 2, "bbox": [0, 0, 10, 20], "area": 200, "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 3, "bbox": [50, 0, 10, 20], "area": 200, "iscrowd": 0},
        {"id": 3, "image_id": 7, "category_id": 9, "bbox": [0, 0, 30, 9], "area": 270, "iscrowd": 0},
        {"id": 4, "image_id": 7, "category_id": 1, "bbox": [9, 9, 5, 5], "area": 25, "iscrowd": 0},
    ],
}  # fmt: skip


def test_results_of_the_house_are_tied_by_names(tmp_path: Path):
    truth = write(tmp_path / "truth.json", TRUTH)
    found = write(
        tmp_path / "found.json",
        [
            {"image_id": 0, "file_name": "a.jpg", "category": "person", "category_id": 1,
             "bbox": [0, 0, 10, 20], "score": 0.9},
            {"image_id": 1, "file_name": "b.jpg", "category": "person", "category_id": 1,
             "bbox": [50, 0, 10, 20], "score": 0.8},
        ],
    )  # fmt: skip
    report = evaluate("detection", truth, found)
    assert report.rows["person"]["AP"] == pytest.approx(1.0)
    assert report.rows["ball"]["AP"] == 0.0
    assert set(report.rows) == {"person", "ball"}
    assert any("1 objects of the truth left out, not asked for: clock" in note for note in report.notes)
    # By ids alone the persons would be balls in unknown pictures.
    with pytest.raises(InputError, match="image_id 0 is not among"):
        evaluate("detection", truth, found, Options(convention="coco"))


def test_ids_alone_are_scored_as_official(tmp_path: Path):
    truth = write(tmp_path / "truth.json", TRUTH)
    row = {"image_id": 4, "category_id": 2, "bbox": [0, 0, 10, 20], "score": 0.9}
    report = evaluate("detection", truth, write(tmp_path / "found.json", [row]))
    assert report.rows["player"]["AP"] == pytest.approx(1.0)
    assert report.combined["AP"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"image_id": 4, "category_id": 2, "bbox": [0, 0, 1], "score": 1}, r"\[0\]\.bbox"),
        ({"image_id": 4, "category_id": 2, "bbox": [0, 0, -1, 3], "score": 1}, "negative size"),
        ({"image_id": 4, "category_id": 2, "bbox": [0, 0, 1, 3], "score": "high"}, "Expected `float`"),
        ({"category_id": 2, "bbox": [0, 0, 1, 3], "score": 1}, "neither image_id nor file_name"),
        ({"image_id": 4, "bbox": [0, 0, 1, 3], "score": 1}, "neither category_id nor category"),
        ({"image_id": 4, "category_id": 5, "bbox": [0, 0, 1, 3], "score": 1}, "category_id 5 is not"),
        (
            {"image_id": 5, "category_id": 2, "bbox": [0, 0, 1, 3], "score": 1},
            "image_id 5 is not among",
        ),
    ],
)
def test_bad_results_are_named(tmp_path: Path, row: dict, reason: str):
    truth = write(tmp_path / "truth.json", TRUTH)
    found = write(tmp_path / "found.json", [row])
    with pytest.raises(InputError, match=reason) as caught:
        evaluate("detection", truth, found)
    assert "found.json" in str(caught.value)


def test_bad_truth_is_named(tmp_path: Path):
    broken = json.loads(json.dumps(TRUTH))
    broken["annotations"][2]["image_id"] = 99
    with pytest.raises(InputError, match=r"annotations\[2\]: image_id 99"):
        read_coco_truth(write(tmp_path / "truth.json", broken))
    (tmp_path / "cut.json").write_text('[{"image_id": 1')
    with pytest.raises(InputError, match=r"cut\.json"):
        read_coco_results(tmp_path / "cut.json")


masks = st.integers(0, 2**24 - 1).map(
    lambda bits: np.array([(bits >> index) & 1 for index in range(24)], bool).reshape(4, 6)
)


@settings(deadline=None)
@given(st.lists(masks, min_size=1, max_size=4), st.lists(masks, min_size=1, max_size=4))
def test_run_lengths_overlap_like_pixels(first: list[np.ndarray], second: list[np.ndarray]):
    packed = [[encode_rle(mask) for mask in side] for side in (first, second)]
    shared = run_length_intersections(*packed)
    overlaps = run_length_overlaps(*packed, np.zeros(len(second), bool))
    of_crowds = run_length_overlaps(*packed, np.ones(len(second), bool))
    for i, a in enumerate(first):
        assert run_length_area(packed[0][i]) == a.sum()
        for j, b in enumerate(second):
            both = (a & b).sum()
            assert shared[i, j] == both
            assert overlaps[i, j] == (both / (a | b).sum() if both else 0)
            assert of_crowds[i, j] == (both / a.sum() if both else 0)
