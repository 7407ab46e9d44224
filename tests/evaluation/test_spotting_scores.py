"""Average-mAP of spotting: golden official values, a slow transcription, real labels."""

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
from filmroom.evaluation.reports import Options, evaluate
from filmroom.evaluation.spotting import (
    SpottedEvents,
    SpottedTruth,
    score_spotting,
    score_team_spotting,
)
from filmroom.formats.soccernet_spotting import (
    ACTIONS,
    BALL_ACTIONS,
    read_spotting_results,
    write_spotting_results,
)


def truth_at(*events: tuple) -> SpottedTruth:
    """Events of (frame at 2 a second[, shown[, unit]])."""
    full = [(*event, True, 0)[: len(event)] + (True, 0)[len(event) - 1 :] for event in events]
    return SpottedTruth(
        np.array([event[2] for event in full], np.int64),
        np.zeros(len(full), np.int64),
        np.array([event[0] / 2 for event in full], float),
        np.array([event[1] for event in full], bool),
    )


def found_at(*events: tuple) -> SpottedEvents:
    """Events of (frame at 2 a second, confidence[, unit])."""
    return SpottedEvents(
        np.array([event[2] if len(event) > 2 else 0 for event in events], np.int64),
        np.zeros(len(events), np.int64),
        np.array([event[0] / 2 for event in events], float),
        np.array([event[1] for event in events], float),
    )


def at_one(truth: SpottedTruth, found: SpottedEvents) -> float:
    return score_spotting(truth, found, 1, metrics=("at1",))["at1"].all


@pytest.mark.parametrize(("frame", "expected"), [(51, 1.0), (52, 0.0), (49, 1.0)])
def test_tolerance_reaches_half_to_either_side(frame: int, expected: float):
    assert at_one(truth_at((50,)), found_at((frame, 0.9))) == expected


@pytest.mark.parametrize(("confidence", "expected"), [(0.0, 1.0), (-0.1, 0.0), (1.5, 1.0)])
def test_confidences_at_and_beyond_the_ends(confidence: float, expected: float):
    assert at_one(truth_at((50,)), found_at((50, confidence))) == expected


def test_truth_takes_the_most_confident_in_time_order_not_the_best_for_all():
    assert at_one(truth_at((50,), (52,)), found_at((51, 0.9), (53, 0.8))) == 1.0
    assert at_one(truth_at((50,), (52,)), found_at((49, 0.8), (51, 0.9))) == pytest.approx(6 / 11)


def test_false_alarm_in_a_half_without_truth_counts_as_unshown():
    unshown = truth_at((50, False))
    alone = score_spotting(unshown, found_at((50, 0.8)), 1, metrics=("at1",))["at1"]
    assert (alone.all, alone.visible, alone.unshown) == (1.0, 0.0, 1.0)
    joined = score_spotting(unshown, found_at((50, 0.8), (70, 0.9, 1)), 1, metrics=("at1",))["at1"]
    assert (joined.all, joined.visible, joined.unshown) == (0.5, 0.0, 0.5)


def test_unshown_average_is_scaled_over_one():
    scores = score_spotting(truth_at((50, False)), found_at((50, 0.8)), 1)
    assert scores["tight"].unshown == pytest.approx(17 / 13)
    assert scores["at3"].unshown == 1.0


def test_later_event_of_a_frame_wins_and_late_ones_fall_into_the_last_frame():
    assert at_one(truth_at((50,)), found_at((50, 0.9), (50, -0.5))) == 0.0
    assert at_one(truth_at((14399,)), found_at((20000, 0.9))) == 1.0


def test_classes_without_truth_lower_the_mean():
    scores = score_spotting(truth_at((50,)), found_at((50, 0.9)), 17)
    assert scores["loose"].all == pytest.approx(1 / 17)


def test_nothing_spotted_or_nothing_there():
    assert at_one(truth_at((50,)), found_at()) == 0.0
    assert at_one(truth_at(), found_at((50, 0.9))) == 0.0


def slow_average_precision(truth: SpottedTruth, found: SpottedEvents, tolerance: int) -> list[float]:
    """The official loops over dense vectors, for class 0 only."""
    size = 7200 * 2
    rows, totals = [], [0, 0]
    units = max([*truth.units.tolist(), *found.units.tolist()], default=0) + 1
    for unit in range(units):
        target, detection, closest = np.zeros(size), np.full(size, -1.0), np.full(size, -1.0)
        for index in np.flatnonzero(truth.units == unit):
            target[min(int(2 * truth.seconds[index]), size - 1)] = 1 if truth.shown[index] else -1
        for index in np.flatnonzero(found.units == unit):
            detection[min(int(2 * found.seconds[index]), size - 1)] = found.confidences[index]
        frames = np.flatnonzero(target).tolist()
        if frames:
            padded = [-frames[0], *frames, 2 * size]
            for i in range(1, len(padded) - 1):
                start = max(0, (padded[i - 1] + padded[i]) // 2)
                closest[start : min(size, (padded[i] + padded[i + 1]) // 2)] = target[padded[i]]
        used: dict[int, bool] = {int(p): False for p in np.flatnonzero(detection >= 0)}
        for frame in frames:
            near = [p for p, u in used.items() if not u and abs(p - frame) <= tolerance]
            if near:
                used[max(near, key=lambda p: (detection[p], -p))] = True
        rows += [(detection[p], hit, closest[p]) for p, hit in used.items()]
        totals[0] += int((target > 0).sum())
        totals[1] += int((target < 0).sum())
    results = []
    table = np.array(rows, float).reshape(-1, 3)
    for subset, total in (
        (table, sum(totals)),
        (table[table[:, 2] > 0.5], totals[0]),
        (table[table[:, 2] < -0.5], totals[1]),
    ):
        points = []
        for threshold in np.linspace(0, 1, 200):
            above = subset[subset[:, 0] >= threshold]
            hits = above[:, 1].sum()
            points.append((hits / len(above) if len(above) else 0, hits / total if total else 0))
        grid = [max((p for p, r in points if r >= level), default=0) for level in np.arange(11) / 10]
        results.append(sum(grid) / 11)
    return results


events = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-1, 6), st.integers(0, 2)), min_size=0, max_size=25
)


@settings(max_examples=25, deadline=None)
@given(events, events)
def test_equal_to_the_dense_loops(happened, spotted):
    truth = truth_at(*((frame, bool(word % 2), unit) for frame, word, unit in happened))
    found = found_at(*((frame, word / 5, unit) for frame, word, unit in spotted))
    ours = score_spotting(truth, found, 1, metrics=("at2",))["at2"]
    slow = slow_average_precision(truth, found, 2)
    assert [ours.all, ours.visible, ours.unshown] == pytest.approx(slow, rel=1e-12)


def test_team_map_weighs_sides_and_is_no_number_for_a_class_without_truth():
    truth = truth_at((50,), (100,), (150,))
    found = found_at((50, 0.9), (100, 0.9), (150, 0.9))
    sides = np.array([0, 0, 1])
    wrong = np.array([0, 1, 1])
    assert score_team_spotting(truth, sides, found, sides, 1, frame_rate=2)[0] == 1.0
    # Left: one of two found, AP 6/11; right: precision 1/2 at full recall.
    expected = (6 / 11 * 2 + 0.5) / 3
    assert score_team_spotting(truth, sides, found, wrong, 1, frame_rate=2)[0] == pytest.approx(
        expected
    )
    assert np.isnan(score_team_spotting(truth, sides, found, sides, 2, frame_rate=2)[0])


def test_team_weight_shrinks_with_events_not_shown():
    truth = truth_at((50,), (100,), (150, False), (200,))
    sides = np.array([0, 0, 1, 1])
    found = found_at((50, 0.9), (100, 0.9))
    mean, _ = score_team_spotting(truth, sides, found, sides[:2], 1, frame_rate=2)
    assert mean == 1.0


def write_game(root: Path, game: str, annotations: list, predictions: list) -> None:
    for side, name, content in (
        ("truth", "Labels-v2.json", {"annotations": annotations}),
        ("found", "results_spotting.json", {"predictions": predictions}),
    ):
        (root / side / game).mkdir(parents=True)
        (root / side / game / name).write_text(json.dumps(content))


CORNER = {"gameTime": "1 - 01:40", "label": "Corner", "position": "100000", "visibility": "visible"}
SPOTTED = {"label": "Corner", "position": "100900", "half": "1", "confidence": "0.8"}


def test_report_from_files(tmp_path: Path):
    write_game(tmp_path, "l/s/game", [CORNER, CORNER | {"label": "Goal kick"}], [SPOTTED])
    report = evaluate("spotting", tmp_path / "truth", tmp_path / "found")
    assert report.rows["Corner"]["mAP@1"] == 1.0
    assert report.combined["tight"] == pytest.approx(1 / 17)
    assert report.details["metrics"]["loose"]["a_mAP"] == pytest.approx(1 / 17)
    assert report.notes == ("1 events of the truth left out, unknown labels: ['Goal kick']",)


def test_position_may_be_missing_in_the_truth(tmp_path: Path):
    row = {key: value for key, value in CORNER.items() if key != "position"}
    write_game(tmp_path, "g", [row], [SPOTTED])
    assert evaluate("spotting", tmp_path / "truth", tmp_path / "found").rows["Corner"]["mAP@1"] == 1.0


def test_ball_actions_with_sides(tmp_path: Path):
    truth = [
        {
            "gameTime": f"1 - 00:{index:02d}",
            "label": label,
            "position": str(index * 1000),
            "team": "left",
        }
        for index, label in enumerate(BALL_ACTIONS)
    ]
    found = [
        {
            "label": row["label"],
            "position": row["position"],
            "half": 1,
            "confidence": 0.9,
            "team": "left",
        }
        for row in truth
    ]
    found[0]["team"] = "right"
    write_game(tmp_path, "g", truth, found)
    report = evaluate("spotting", tmp_path / "truth", tmp_path / "found")
    assert report.details["convention"] == "ball"
    assert report.combined["mAP@1"] == 1.0
    assert report.combined["Team mAP@1"] == pytest.approx(11 / 12)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"position": "12.5"}, r"predictions\[0\]: position '12.5' is not whole milliseconds"),
        ({"position": "-4"}, "before the start"),
        ({"confidence": "sure"}, "confidence 'sure' is not a number"),
        ({"confidence": "nan"}, "confidence 'nan' is not a number"),
        ({"half": "first"}, "half 'first'"),
        ({"label": 4}, r"\$\.predictions\[0\]\.label"),
    ],
)
def test_bad_results_are_named(tmp_path: Path, change: dict, reason: str):
    write_game(tmp_path, "g", [CORNER], [SPOTTED | change])
    with pytest.raises(InputError, match=reason):
        evaluate("spotting", tmp_path / "truth", tmp_path / "found")


def test_missing_game_is_named(tmp_path: Path):
    write_game(tmp_path, "l/s/one", [CORNER], [SPOTTED])
    write_game(tmp_path, "l/s/two", [CORNER], [SPOTTED])
    (tmp_path / "found" / "l/s/two" / "results_spotting.json").unlink()
    with pytest.raises(InputError, match="1 of 2 games: l/s/two"):
        evaluate("spotting", tmp_path / "truth", tmp_path / "found")


def test_written_submission_reads_back(tmp_path: Path):
    event = {"half": 2, "seconds": 61.25, "label": "Corner", "confidence": 0.5, "team": "left"}
    write_spotting_results(tmp_path / "out.zip", {"l/s/game": [event]})
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["l/s/game/results_spotting.json"]
        row = json.loads(archive.read("l/s/game/results_spotting.json"))["predictions"][0]
    assert (row["gameTime"], row["position"], row["half"]) == ("2 - 1:01", "61250", "2")
    back = read_spotting_results(tmp_path / "out.zip")["l/s/game"]
    assert (back.halves[0], back.seconds[0], back.confidences[0], back.teams) == (
        2,
        61.25,
        0.5,
        ("left",),
    )


DATA = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.data
def test_one_real_game_equals_the_official_figures(tmp_path: Path):
    if not (DATA / "spotting.zip").exists():
        pytest.skip("spotting.zip is not among the data")
    with zipfile.ZipFile(DATA / "spotting.zip") as archive:
        for name in archive.namelist():
            if "AS Roma" in name and name.endswith(("Labels-v2.json", "prediction_half_2.json")):
                side = "truth" if "Labels" in name else "found"
                (tmp_path / side).mkdir()
                (tmp_path / side / Path(name).name).write_bytes(archive.read(name))
    report = evaluate("spotting", tmp_path / "truth", tmp_path / "found", Options("soccernet-v2"))
    official = {
        "loose": (0.00074829, 0.00021397, 0.00245622),
        "tight": (0.00026871, 0.00005192, 0.00095359),
        "at1": (0.00026871, 0.00005192, 0.00072922),
    }
    for metric, values in official.items():
        assert tuple(report.details["metrics"][metric].values()) == pytest.approx(values, abs=5e-9)
    assert len(report.rows) == len(ACTIONS)
