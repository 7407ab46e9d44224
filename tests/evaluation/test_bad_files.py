"""Whatever is wrong with a file, the answer is a score or one line: never another exception."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filmroom.errors import FilmroomError
from filmroom.evaluation.reports import evaluate
from filmroom.formats.coco_masks import compressed_mask

Files = dict[str, Any]

CAMERA = {
    "pan_degrees": 20, "tilt_degrees": 78, "roll_degrees": 0.5, "position_meters": [1, 60, -14],
    "x_focal_length": 1500, "y_focal_length": 1500, "principal_point": [480, 270],
    "radial_distortion": [0.0] * 6, "tangential_distortion": [0.0] * 2,
    "thin_prism_distortion": [0.0] * 4,
}  # fmt: skip


def spotting() -> tuple[Files, Files]:
    happened = {"gameTime": "1 - 00:50", "label": "Goal", "position": "50000", "visibility": "visible"}
    found = {"label": "Goal", "position": "50500", "half": "1", "confidence": "0.8"}
    return (
        {"l/s/g/Labels-v2.json": {"annotations": [happened, happened | {"label": "Corner"}]}},
        {"l/s/g/results_spotting.json": {"predictions": [found, found | {"confidence": 0.3}]}},
    )


def captions() -> tuple[Files, Files]:
    true = {"gameTime": "1 - 12:30", "label": "corner", "anonymized": "A corner for [TEAM]."}
    said = {"gameTime": "1 - 12:40", "label": "comments", "comment": "A corner!"}
    return (
        {"l/s/g/Labels-caption.json": {"annotations": [true, true | {"gameTime": "2 - 01:00"}]}},
        {"l/s/g/results_dense_captioning.json": {"predictions": [said]}},
    )


def gamestate() -> tuple[Files, Files]:
    sides = ("x_bottom_left", "y_bottom_left", "x_bottom_middle", "y_bottom_middle")
    place = dict.fromkeys((*sides, "x_bottom_right", "y_bottom_right"), 1.5)
    person = {
        "image_id": "3116000001", "track_id": 4, "supercategory": "object", "bbox_pitch": place,
        "attributes": {"role": "player", "team": "left", "jersey": "10"},
    }  # fmt: skip
    labelled = dict.fromkeys(("has_labeled_pitch", "has_labeled_camera", "has_labeled_person"), True)
    images = [{"image_id": "3116000001"} | labelled, {"image_id": "3116000002"} | labelled]
    return (
        {"SNGS-116/Labels-GameState.json": {"images": images, "annotations": [person]}},
        {"SNGS-116.json": {"predictions": [person, person | {"image_id": "3116000002"}]}},
    )


def calibration() -> tuple[Files, Files]:
    line = [{"x": 0.2, "y": 0.3}, {"x": 0.6, "y": 0.35}]
    return {"00001.json": {"Side line top": line}}, {"camera_00001.json": CAMERA}


def homography() -> tuple[Files, Files]:
    return {"camera_00001.json": CAMERA}, {"camera_00001.json": CAMERA | {"pan_degrees": 21}}


def reid() -> tuple[Files, Files]:
    boxes = {
        str(each): {"bbox_idx": each, "action_idx": 0, "person_uid": each % 2} for each in range(3)
    }
    return {"bbox_info.json": {"query": {"0": boxes["0"]}, "gallery": boxes}}, {
        "r.json": {"0": [2, 1, 0]}
    }


def jersey() -> tuple[Files, Files]:
    return {"test_gt.json": {"0": 10, "1": -1}}, {"found.json": {"0": 10, "1": 7}}


def detection() -> tuple[Files, Files]:
    box = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}
    truth = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 50}],
        "categories": [{"id": 1, "name": "player"}],
        "annotations": [box | {"id": 1, "area": 1200, "iscrowd": 0}],
    }
    return {"truth.json": truth}, {"found.json": [box | {"score": 0.5}]}


def segmentation() -> tuple[Files, Files]:
    truth, found = detection()
    polygon = [1, 2, 31, 2, 31, 42, 1, 42]
    truth["truth.json"]["annotations"][0]["segmentation"] = [polygon]
    packed = compressed_mask([polygon], 60, 50).decode()
    found["found.json"][0]["segmentation"] = {"size": [50, 60], "counts": packed}
    return truth, found


def footpass() -> tuple[Files, Files]:
    content = {"keys": ["game_1_H1"], "events": {"game_1_H1": [[50, 0, 10, 2, 1, 0]]}}
    return {"truth.json": content}, {"found.json": copy.deepcopy(content)}


TASKS: dict[str, Callable[[], tuple[Files, Files]]] = {
    "spotting": spotting, "captions": captions, "gamestate": gamestate, "calibration": calibration,
    "homography": homography, "reid": reid, "jersey": jersey, "detection": detection,
    "segmentation": segmentation, "footpass": footpass,
}  # fmt: skip

SEED = 1
STRANGE = (
    None, True, -1, 0, 3.5, 1e300, 10**20, "", "x", "-7", "1e9", "\u00e9\u0000", [], [1], [[]], {},
    {"a": 1},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value inside."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(each for key, part in inner for each in places(part, (*path, key)))]


def changed(files: Files, rng: np.random.Generator) -> Files:
    """The files with one value anywhere replaced, doubled or taken away."""
    files = copy.deepcopy(files)
    path = places(files)[1:][int(rng.integers(len(places(files)) - 1))]
    holder = files
    for key in path[:-1]:
        holder = holder[key]
    fate = rng.random()
    if fate < 0.15 and len(path) > 1:
        del holder[path[-1]]
    elif fate < 0.3 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[path[-1]]))
    else:
        holder[path[-1]] = STRANGE[int(rng.integers(len(STRANGE)))]
    return files


def put(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_sample_itself_scores(task: str, tmp_path: Path):
    truth, found = TASKS[task]()
    name = "calibration" if task == "homography" else task
    assert evaluate(name, put(tmp_path / "truth", truth), put(tmp_path / "found", found)).combined


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_wrong_value_anywhere_gives_a_score_or_one_line(task: str, tmp_path: Path):
    rng = np.random.default_rng(SEED)
    name = "calibration" if task == "homography" else task
    refused = 0
    for attempt in range(80):
        truth, found = TASKS[task]()
        if rng.random() < 0.5:
            truth = changed(truth, rng)
        else:
            found = changed(found, rng)
        folder = tmp_path / str(attempt)
        put(folder / "truth", truth), put(folder / "found", found)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                evaluate(name, folder / "truth", folder / "found")
            except FilmroomError as error:
                refused += 1
                assert "\n" not in str(error), error
                assert str(error).strip()
            except Exception as error:
                raise AssertionError(f"{truth} {found}") from error
    assert refused > 10
