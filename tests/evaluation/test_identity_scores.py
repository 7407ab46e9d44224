"""Shirt numbers, re-identification and player-centric actions."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.evaluation.jersey import score_jersey
from filmroom.evaluation.player_actions import score_player_actions
from filmroom.evaluation.reid import average_precision
from filmroom.evaluation.reports import Report, evaluate
from filmroom.formats.soccernet_jersey import read_jersey_numbers, write_jersey_numbers
from filmroom.formats.soccernet_reid import write_reid_rankings


def run(task: str, folder: Path, truth: object, found: object) -> Report:
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))
    return evaluate(task, folder / "truth.json", folder / "found.json")


def test_accuracy_counts_minus_one_as_a_class(tmp_path: Path):
    report = run(
        "jersey", tmp_path, {"0": 10, "1": -1, "2": 7, "3": -1}, {"0": 10, "1": -1, "2": -1, "3": 5}
    )
    assert report.combined["Accuracy"] == 0.5
    assert report.combined["precision"] == 0.5
    assert report.combined["coverage"] == 0.5
    assert report.rows["7"] == {"tracklets": 1, "right": 0, "Accuracy": 0.0, "taken for": {"-1": 1}}


def test_tracklets_beyond_the_truth_are_said(tmp_path: Path):
    assert run("jersey", tmp_path, {"0": 10}, {"0": 10, "x": 3}).notes == (
        "1 tracklets without truth left out",
    )


@pytest.mark.parametrize("value", [12.0, "12", None, [12]])
def test_numbers_must_be_whole(tmp_path: Path, value: object):
    with pytest.raises(InputError, match=r"'0' is .* not a whole number"):
        run("jersey", tmp_path, {"0": 10}, {"0": value})


def test_missing_tracklet_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="1 of 2 tracklets are missing: '1'"):
        run("jersey", tmp_path, {"0": 10, "1": 4}, {"0": 10})


def test_precision_is_undefined_without_any_number():
    scores = score_jersey(np.array([-1, -1]), np.array([-1, -1]))
    assert (scores.accuracy, scores.precision, scores.coverage) == (1.0, None, None)


def test_numbers_are_written_with_minus_one_for_none(tmp_path: Path):
    write_jersey_numbers(tmp_path / "out.json", {"0": 10, "1": None})
    assert read_jersey_numbers(tmp_path / "out.json") == {"0": 10, "1": -1}


def crop(index: int, action: int, person: int) -> dict[str, int]:
    return {"bbox_idx": index, "action_idx": action, "person_uid": person}


REID = {
    "query": {"0": crop(0, 1, 5), "1": crop(1, 2, 8)},
    "gallery": {"10": crop(10, 1, 5), "11": crop(11, 1, 6), "12": crop(12, 1, 5), "13": crop(13, 2, 8)},
}


def test_ranking_scores(tmp_path: Path):
    report = run("reid", tmp_path, REID, {"0": [11, 10, 12], "1": [13]})
    assert report.combined["mAP"] == pytest.approx(((1 / 2 + 2 / 3) / 2 + 1) / 2)
    assert report.combined["rank-1"] == 0.5


@pytest.mark.parametrize(
    ("ranking", "reason"),
    [
        ([11, 10], "gallery item 12 of its action is missing"),
        ([11, 10, 12, 12], "gallery item 12 twice"),
        ([11, 10, 12, 13], "gallery item 13 is not of its action"),
        ([11, 10, "12"], "'12' is not a whole number"),
    ],
)
def test_rankings_that_break_the_rules(tmp_path: Path, ranking: list, reason: str):
    with pytest.raises(InputError, match=reason):
        run("reid", tmp_path, REID, {"0": ranking, "1": [13]})
    with pytest.raises(InputError, match="query '1' has no ranking"):
        run("reid", tmp_path, REID, {"0": [10, 11, 12]})


def test_written_rankings_score(tmp_path: Path):
    write_reid_rankings(tmp_path / "found.json", {"0": np.array([10, 12, 11]), "1": [13]})
    (tmp_path / "truth.json").write_text(json.dumps(REID))
    assert evaluate("reid", tmp_path / "truth.json", tmp_path / "found.json").combined["mAP"] == 1.0


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(any))
def test_average_precision_like_its_definition(right: list[bool]):
    hits, total = 0, 0.0
    for place, is_right in enumerate(right, start=1):
        hits += is_right
        total += hits / place if is_right else 0
    assert average_precision(np.array(right)) == pytest.approx(total / hits, rel=1e-12)


def actions(*rows: tuple) -> np.ndarray:
    return np.array(rows, np.int64).reshape(-1, 4)


def test_the_surest_action_takes_the_nearest_event_within_twelve_frames():
    truth = {"a": actions((100, 0, 7, 2), (110, 0, 7, 2))}
    found = {"a": (actions((106, 0, 7, 2), (122, 0, 7, 2), (123, 0, 7, 2)), np.array([0.9, 0.8, 0.7]))}
    figures = score_player_actions(truth, found, 8).figures()
    # 106 takes 110, then nothing is left within reach of 122 and 123.
    assert (figures["TP"], figures["FP"], figures["FN"]) == (1, 2, 1)


def test_team_number_class_and_confidence_must_agree():
    truth = {"a": actions((100, 0, 7, 2))}
    for row, confidence, hits in (
        ((112, 0, 7, 2), 0.15, 1),
        ((113, 0, 7, 2), 0.9, 0),
        ((100, 1, 7, 2), 0.9, 0),
        ((100, 0, 8, 2), 0.9, 0),
        ((100, 0, 7, 1), 0.9, 0),
        ((100, 0, 7, 2), 0.1499, 0),
    ):
        counts = score_player_actions(truth, {"a": (actions(row), np.array([confidence]))}, 8)
        assert counts.figures()["TP"] == hits


def test_halves_on_one_side_only_are_left_out_and_said(tmp_path: Path):
    report = run(
        "footpass",
        tmp_path,
        {"keys": ["a", "b"], "events": {"a": [[5, 0, 7, 2, 1, 0]], "b": [[5, 0, 7, 2, 1, 0]]}},
        {"keys": ["a"], "events": {"a": [[5, 0, 7, 2, 0.9]]}},
    )
    assert report.combined["F1"] == 1.0
    assert report.notes == ("1 halves in the truth only, left out as officially: ['b']",)


DATA = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.data
@pytest.mark.parametrize(("method", "hits", "false"), [("DST", 2637, 1048), ("TAAD", 2358, 5221)])
def test_real_predictions_equal_the_published_matching(
    tmp_path: Path, method: str, hits: int, false: int
):
    """Counts of the published script's loop on these files."""
    if not (DATA / "spotting.zip").exists():
        pytest.skip("spotting.zip is not among the data")
    with zipfile.ZipFile(DATA / "spotting.zip") as archive:
        for name in ("val_gt", f"val_pred_{method}"):
            (tmp_path / f"{name}.json").write_bytes(archive.read(f"footpass/{name}.json"))
    figures = evaluate(
        "footpass", tmp_path / "val_gt.json", tmp_path / f"val_pred_{method}.json"
    ).combined
    assert (figures["TP"], figures["FP"], figures["truth"]) == (hits, false, 3855)
