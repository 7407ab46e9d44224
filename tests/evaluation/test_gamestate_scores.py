"""GS-HOTA: positions in metres, identities compared, and the files' rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from filmroom.errors import InputError
from filmroom.evaluation.gamestate import published
from filmroom.evaluation.reports import Report, evaluate
from filmroom.formats.soccernet_gamestate import (
    PersonRow,
    read_gamestate_results,
    read_gamestate_truth,
    write_gamestate_results,
)


def person(frame: int, x: float = 0.0, y: float = 0.0, **change: Any) -> dict[str, Any]:
    attributes = {"role": "player", "team": "left", "jersey": "10"} | change.pop("attributes", {})
    row = {
        "image_id": f"3116{frame:06d}",
        "supercategory": "object",
        "track_id": 1,
        "attributes": attributes,
        "bbox_pitch": {
            f"{axis}_bottom_{place}": value
            for axis, value in (("x", x), ("y", y))
            for place in ("left", "middle", "right")
        },
    }
    return row | change


def score(
    tmp_path: Path, truth: list, found: list, frames: int = 2, labelled: int | None = None
) -> Report:
    images = [
        {
            "image_id": f"3116{frame:06d}",
            "has_labeled_pitch": labelled is None or frame <= labelled,
            "has_labeled_camera": True,
            "has_labeled_person": True,
        }
        for frame in range(1, frames + 1)
    ]
    folder = tmp_path / "truth" / "SNGS-116"
    folder.mkdir(parents=True)
    (folder / "Labels-GameState.json").write_text(json.dumps({"images": images, "annotations": truth}))
    (tmp_path / "SNGS-116.json").write_text(json.dumps({"predictions": found}))
    return evaluate("gamestate", tmp_path / "truth", tmp_path / "SNGS-116.json")


def test_five_metres_reach_only_the_lowest_threshold(tmp_path: Path):
    report = score(tmp_path, [person(1)], [person(1, x=3.0, y=4.0)])
    assert report.combined["HOTA_TP"] == pytest.approx(1 / 19)


def test_half_similarity_at_2_4_metres(tmp_path: Path):
    report = score(tmp_path, [person(1)], [person(1, x=2.40)])
    assert report.combined["IDTP"] == 1
    assert report.combined["HOTA_TP"] == pytest.approx(10 / 19)


@pytest.mark.parametrize(
    ("truth", "found", "same"),
    [
        ({"jersey": "10"}, {"jersey": 10}, False),
        ({"jersey": "10"}, {"jersey": None}, False),
        ({"jersey": None}, {"jersey": None}, True),
        ({"team": "left"}, {"team": "right"}, False),
        ({"role": "goalkeeper", "jersey": "1"}, {"role": "goalkeeper", "jersey": "31"}, True),
        ({"role": "referee", "team": None}, {"role": "referee", "team": "left", "jersey": "5"}, True),
        ({"role": "referee"}, {"role": "other"}, False),
    ],
)
def test_who_counts_as_the_same(tmp_path: Path, truth: dict, found: dict, same: bool):
    report = score(tmp_path, [person(1, attributes=truth)], [person(1, attributes=found)])
    assert report.combined["HOTA"] == (1.0 if same else 0.0)
    # A wrong identity is a miss and a false person at once.
    assert report.combined["HOTA_FP"] == (0 if same else 1)


def test_balls_unlabelled_pictures_and_unknown_ids_are_left_out_and_said(tmp_path: Path):
    ball = person(1, track_id=9, attributes={"role": "ball"}, bbox_pitch=None)
    report = score(
        tmp_path,
        [person(1), person(2), ball],
        [person(1), person(2), ball, person(1, image_id="9999999999", track_id=3)],
        labelled=1,
    )
    assert (report.combined["HOTA"], report.combined["Dets"], report.combined["GT_Dets"]) == (1.0, 1, 1)
    assert report.notes == (
        "SNGS-116: 2 results left out: not in an evaluated picture",
        "SNGS-116: 1 results left out: ball",
    )


def test_other_picture_ids_are_read_by_their_last_four_digits_from_zero(tmp_path: Path):
    report = score(tmp_path, [person(2)], [person(1, image_id="00000001")])
    assert report.combined["HOTA"] == 1.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bbox_pitch": None}, "bbox_pitch is missing"),
        ({"bbox_pitch": {"x_bottom_middle": 1, "y_bottom_middle": 1}}, "x_bottom_left"),
        ({"track_id": None}, "track_id is missing"),
        ({"image_id": 3116000001}, "Expected `str`"),
        ({"attributes": {"role": "coach"}}, "role 'coach'"),
        ({"attributes": {"team": "home"}}, "team 'home'"),
        ({"attributes": {"jersey": "ten"}}, "jersey 'ten'"),
    ],
)
def test_bad_results_are_named(tmp_path: Path, change: dict, reason: str):
    with pytest.raises(InputError, match=reason) as caught:
        score(tmp_path, [person(1)], [person(1, **change)])
    assert "SNGS-116.json" in str(caught.value)


def test_track_twice_in_a_picture(tmp_path: Path):
    with pytest.raises(InputError, match=r"predictions\[1\]: track 1 twice"):
        score(tmp_path, [person(1)], [person(1), person(1)])


def test_nothing_found_scores_nothing(tmp_path: Path):
    report = score(tmp_path, [person(1)], [])
    assert (report.combined["GS-HOTA"], report.combined["HOTA_FN"]) == (0.0, 1)


def test_the_leaderboard_rounds_to_five_digits():
    assert published(0.40350049) == 0.4035
    assert published(2 / 3) == pytest.approx(0.66667, abs=1e-12)


def test_written_submission_scores_as_its_rows_say(tmp_path: Path):
    box = (1.0, 2.0, 30.0, 80.0)
    row = PersonRow(0, 4, "player", "left", 10, -0.9, 3.1, box, width=0.6)
    referee = PersonRow(1, 5, "referee", "left", 7, 1.0, 1.0, box)
    write_gamestate_results(tmp_path / "out.zip", {"SNGS-116": [row, referee]})
    score(tmp_path, [person(1, x=-0.9, y=3.1), person(2)], [])
    truth = read_gamestate_truth(tmp_path / "truth")
    found = read_gamestate_results(tmp_path / "out.zip", truth)["SNGS-116"]
    assert found.identities == (("player", "left", "10"), ("referee", None, None))
    assert found.positions.tolist() == [[-0.9, 3.1], [1.0, 1.0]]
    assert (found.frames.tolist(), found.tracks.tolist()) == ([0, 1], [4, 5])


def test_missing_sequence_is_named(tmp_path: Path):
    score(tmp_path, [person(1)], [])
    for name in ("a", "b"):
        (tmp_path / "found").mkdir(exist_ok=True)
        (tmp_path / "found" / f"{name}.json").write_text('{"predictions": []}')
    with pytest.raises(InputError, match=r"1 of 1 sequences are missing: SNGS-116\.json"):
        evaluate("gamestate", tmp_path / "truth", tmp_path / "found")
