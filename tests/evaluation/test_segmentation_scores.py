"""J and F of masks against a transcription of the benchmark's definition, and mask files."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from filmroom.errors import InputError
from filmroom.evaluation.reports import Options, evaluate
from filmroom.evaluation.segmentation import boundary_score, region_score, statistics
from filmroom.formats.coco_masks import compressed_mask
from filmroom.formats.davis import decode_indexed, encode_indexed


def disc(x: float, y: float, radius: float, shape: tuple[int, int] = (90, 120)) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def slow_boundary_score(truth: np.ndarray, found: np.ndarray) -> float:
    """The definition on the whole picture, without a window."""

    def boundary(mask: np.ndarray) -> np.ndarray:
        east, south, corner = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
        east[:, :-1], south[:-1], corner[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
        edge = (mask ^ east) | (mask ^ south) | (mask ^ corner)
        edge[-1] = mask[-1] ^ east[-1]
        edge[:, -1] = mask[:, -1] ^ south[:, -1]
        edge[-1, -1] = False
        return edge

    reach = int(np.ceil(0.008 * np.linalg.norm(truth.shape)))
    across = np.arange(-reach, reach + 1)
    disk = (across[:, None] ** 2 + across**2 <= reach**2).astype(np.uint8)
    a, b = boundary(truth), boundary(found)
    if not a.any() or not b.any():
        return float(not a.any() and not b.any())
    precision = (b & (cv2.dilate(a.astype(np.uint8), disk) > 0)).sum() / b.sum()
    recall = (a & (cv2.dilate(b.astype(np.uint8), disk) > 0)).sum() / a.sum()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


discs = st.tuples(st.integers(-10, 130), st.integers(-10, 100), st.integers(0, 40)).map(
    lambda each: disc(*each)
)


@settings(max_examples=30, deadline=None)
@given(discs, discs)
def test_equal_to_the_definition_on_the_whole_picture(truth: np.ndarray, found: np.ndarray):
    assert boundary_score(truth, found) == slow_boundary_score(truth, found)
    union = (truth | found).sum()
    assert region_score(truth, found) == ((truth & found).sum() / union if union else 1.0)


def test_empty_masks():
    nothing, something = np.zeros((20, 30), bool), disc(10, 10, 5, (20, 30))
    assert (region_score(nothing, nothing), boundary_score(nothing, nothing)) == (1.0, 1.0)
    assert (region_score(something, nothing), boundary_score(something, nothing)) == (0.0, 0.0)
    assert boundary_score(nothing, something) == 0.0


def test_boundary_forgives_a_shift_within_its_reach():
    shape = (720, 1280)
    truth = disc(600, 300, 50, shape)
    assert boundary_score(truth, disc(610, 300, 50, shape)) == 1.0
    assert 0 < boundary_score(truth, disc(625, 300, 50, shape)) < 1.0


def test_statistics():
    values = np.array([1.0, 1.0, 0.4, 0.4, 0.8, 0.8, 0.2, 0.2])
    figures = statistics(values)
    assert figures["Mean"] == pytest.approx(0.6)
    assert figures["Recall"] == 0.5
    # Quarters overlap by a frame: 1, 1, 0.4 against 0.8, 0.2, 0.2.
    assert figures["Decay"] == pytest.approx(0.8 - 0.4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_indexed_pictures_read_back(seed: int):
    objects = np.random.default_rng(seed).integers(0, 256, (9, 13)).astype(np.uint8)
    assert (decode_indexed(encode_indexed(objects)) == objects).all()


def put(folder: Path, frames: list[np.ndarray]) -> Path:
    (folder / "match").mkdir(parents=True)
    for index, frame in enumerate(frames):
        (folder / "match" / f"{index:05d}.png").write_bytes(encode_indexed(frame.astype(np.uint8)))
    return folder


def test_report_leaves_out_first_and_last_frame_and_scores_each_object(tmp_path: Path):
    both = disc(30, 40, 20) + 2 * disc(90, 40, 15)
    empty = np.zeros_like(both)
    truth = put(tmp_path / "truth", [both] * 4)
    found = put(tmp_path / "found", [empty, both, np.where(both == 2, 0, both), empty])
    report = evaluate("segmentation", truth, found)
    assert report.rows["match_1"]["J&F-Mean"] == 1.0
    assert report.rows["match_2"]["J-Mean"] == 0.5
    assert report.combined["J&F-Mean"] == 0.75
    every = evaluate("segmentation", truth, found, Options(convention="all-frames"))
    assert every.rows["match_1"]["J-Mean"] == 0.5


def test_void_counts_as_background_and_strange_objects_are_said(tmp_path: Path):
    one = disc(30, 40, 20).astype(np.uint8)
    truth = put(tmp_path / "truth", [np.where(disc(90, 40, 9), 255, one)] * 3)
    found = put(tmp_path / "found", [np.where(disc(90, 40, 9), 2, one)] * 3)
    report = evaluate("segmentation", truth, found)
    assert report.combined["J&F-Mean"] == 1.0
    assert report.notes == ("match: objects 2 to 2 of the results are not in the truth",)


def test_what_is_missing_or_no_mask_is_named(tmp_path: Path):
    truth = put(tmp_path / "truth", [disc(30, 40, 20)] * 4)
    found = put(tmp_path / "found", [disc(30, 40, 20)] * 2)
    with pytest.raises(InputError, match="1 frames are missing: 00002"):
        evaluate("segmentation", truth, found)
    colour = cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes()
    (found / "match" / "00002.png").write_bytes(colour)
    with pytest.raises(InputError, match=r"00002\.png: rgb24 pixels"):
        evaluate("segmentation", truth, found)
    (found / "match" / "00002.png").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="not a readable PNG"):
        evaluate("segmentation", truth, found)


def coco_files(folder: Path, seed: int) -> tuple[Path, Path]:
    """Masks of two categories in three pictures: polygons, plain and packed runs, a crowd region."""
    rng = np.random.default_rng(seed)
    size = {"width": 60, "height": 50}
    annotations, results = [], []
    for image in (1, 2, 3):
        for _ in range(4):
            x, y = rng.integers(2, 40, 2).tolist()
            w, h = rng.integers(4, 18, 2).tolist()
            polygon = [x, y, x + w, y + 1.5, x + w - 1, y + h, x + 0.5, y + h - 2]
            label = int(rng.integers(1, 3))
            crowd = bool(rng.random() < 0.15)
            packed = {
                "size": [50, 60],
                "counts": compressed_mask([polygon], 60, 50).decode(),
            }
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image, "category_id": label,
                    "bbox": [x, y, w, h], "area": 30.0 * w, "iscrowd": int(crowd),
                    "segmentation": packed if crowd else [polygon],
                }
            )  # fmt: skip
            for _ in range(int(rng.integers(0, 3))):
                moved = [value + float(rng.normal(0, 1.2)) for value in polygon]
                counts = compressed_mask([moved], 60, 50).decode()
                results.append(
                    {
                        "image_id": image, "category_id": label, "score": round(float(rng.random()), 2),
                        "segmentation": {"size": [50, 60], "counts": counts},
                    }
                )  # fmt: skip
    truth = {
        "images": [{"id": each, "file_name": f"{each}.jpg", **size} for each in (1, 2, 3)],
        "categories": [{"id": 1, "name": "player"}, {"id": 2, "name": "ball"}],
        "annotations": annotations,
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(results))
    return folder / "truth.json", folder / "found.json"


@pytest.mark.parametrize("seed", range(5))
def test_mask_precision_equals_pycocotools(tmp_path: Path, seed: int):
    truth, found = coco_files(tmp_path, seed)
    report = evaluate("segmentation", truth, found)
    with contextlib.redirect_stdout(io.StringIO()):
        annotations = COCO(str(truth))
        official = COCOeval(annotations, annotations.loadRes(str(found)), "segm")
        official.evaluate()
        official.accumulate()
        official.summarize()
    names = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100")
    for name, value in zip(names, official.stats.tolist(), strict=False):
        ours = report.combined[name]
        assert (-1 if ours is None else ours) == pytest.approx(value, rel=1e-12), name
    assert 0 < report.combined["AP50"] < 1


def test_results_without_masks_are_named(tmp_path: Path):
    truth, found = coco_files(tmp_path, 0)
    found.write_text('[{"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [1, 2, 3, 4]}]')
    with pytest.raises(InputError, match=r"found.json: \[0\]: segmentation: neither polygons"):
        evaluate("segmentation", truth, found)
