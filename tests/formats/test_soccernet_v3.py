"""Frames of SoccerNet-v3: boxes, identities, lines, replays; as truth of a calibration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from filmroom.errors import InputError
from filmroom.formats.soccernet_calibration import read_line_annotations
from filmroom.formats.soccernet_v3 import read_v3_frames

FRAME = {
    "imageMetadata": {"width": 1920, "height": 1080, "gameTime": "1 - 10:00"},
    "linked_replays": ["1_1.png"],
    "bboxes": [
        {
            "class": "Player team left", "ID": "10", "UAI": "1_0",
            "points": {"x1": 5, "y1": 6, "x2": 25, "y2": 76},
        },
        {"class": None, "ID": None, "points": {"x1": 0, "y1": 0, "x2": 1, "y2": 1}},
    ],
    "lines": [
        {"class": "Middle line", "points": [960, 0, 960.0, 540]},
        {"class": None, "points": [1, 2]},
    ],
}  # fmt: skip
REPLAY = FRAME | {"linked_replays": [], "lines": []}


def put(folder: Path, content: object, game: str = "league/season/game") -> Path:
    (folder / game).mkdir(parents=True)
    (folder / game / "Labels-v3.json").write_text(json.dumps(content))
    return folder


def labels(**frame: object) -> dict:
    return {"GameMetadata": {}, "actions": {"1.png": FRAME | frame}, "replays": {"1_1.png": REPLAY}}


def test_frames_of_a_game(tmp_path: Path):
    frames = read_v3_frames(put(tmp_path, labels()))["league/season/game"]
    action, replay = frames["1.png"], frames["1_1.png"]
    assert (action.replay_of, replay.replay_of) == (None, "1.png")
    assert action.boxes.tolist() == [[5, 6, 20, 70]]
    assert (action.classes, action.persons) == (("Player team left",), ("10",))
    assert action.lines["Middle line"].tolist() == [[960, 0], [960, 540]]
    assert action.line_shares()["Middle line"].tolist() == [[0.5, 0], [0.5, 0.5]]


def test_lines_are_truth_of_a_calibration(tmp_path: Path):
    pictures = read_line_annotations(put(tmp_path, labels()))
    assert list(pictures) == ["1"]
    put(tmp_path, labels(), "league/season/other game")
    with pytest.raises(InputError, match=r"2 games; give the Labels-v3\.json of one"):
        read_line_annotations(tmp_path)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"lines": [{"class": "Middle line", "points": [1, 2, 3]}]}, r"lines\[0\]: 3 figures"),
        ({"linked_replays": ["9.png"]}, "replay '9.png' is not there"),
        ({"imageMetadata": {"width": 0, "height": 5}}, "a picture of 0 x 5"),
        ({"bboxes": [{"class": "Ball", "points": {"x1": "a"}}]}, "Expected `float`"),
    ],
)
def test_bad_labels_are_named(tmp_path: Path, frame: dict, reason: str):
    with pytest.raises(InputError, match=reason):
        read_v3_frames(put(tmp_path, labels(**frame)))


def test_folder_without_labels(tmp_path: Path):
    with pytest.raises(InputError, match=r"no Labels-v3\.json found"):
        read_v3_frames(tmp_path)
