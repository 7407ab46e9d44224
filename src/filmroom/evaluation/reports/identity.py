"""Reports of who somebody is: shirt numbers and re-identification."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.jersey import score_jersey
from filmroom.evaluation.reid import right_persons, score_reid
from filmroom.evaluation.report import Options, Report, Row
from filmroom.formats.soccernet_jersey import read_jersey_numbers
from filmroom.formats.soccernet_reid import read_reid_rankings, read_reid_truth


def jersey_report(truth: Path, predictions: Path, options: Options) -> Report:
    """Accuracy of shirt numbers, with precision, coverage and the confusion of each number."""
    numbers, given = read_jersey_numbers(truth), read_jersey_numbers(predictions)
    missing = [tracklet for tracklet in numbers if tracklet not in given]
    if missing:
        raise InputError(
            f"{predictions}: {len(missing)} of {len(numbers)} tracklets are missing: {missing[0]!r}"
        )
    extra = len(set(given) - set(numbers))
    scores = score_jersey(
        np.array([numbers[each] for each in numbers], np.int64),
        np.array([given[each] for each in numbers], np.int64),
    )
    rows: dict[str, Row] = {}
    for (true, claimed), count in sorted(scores.confusion.items()):
        row = rows.setdefault(str(true), {"tracklets": 0, "right": 0, "Accuracy": 0.0, "taken for": {}})
        row["tracklets"] += count
        if true == claimed:
            row["right"] = count
        else:
            row["taken for"][str(claimed)] = count
    for row in rows.values():
        row["Accuracy"] = row["right"] / row["tracklets"]
    return Report(
        "jersey",
        "SoccerNet 0.2.0",
        {
            "Accuracy": scores.accuracy,
            "precision": scores.precision,
            "coverage": scores.coverage,
            "recall": scores.recall,
            "tracklets": len(numbers),
        },
        rows,
        "numbers",
        ("Accuracy", "precision", "coverage", "recall", "tracklets", "taken for"),
        (f"{extra} tracklets without truth left out",) if extra else (),
    )


def reid_report(truth: Path, predictions: Path, options: Options) -> Report:
    """mAP and rank-1 of rankings within actions."""
    boxes, given = read_reid_truth(truth), read_reid_rankings(predictions)
    masks = right_persons(boxes.query, boxes.gallery, given.rankings, given.source)
    if not masks:
        raise InputError(f"{truth}: no query")
    extra = len(set(given.rankings) - set(boxes.query))
    return Report(
        "reid",
        "SoccerNet 0.2.0",
        {**score_reid(masks), "queries": len(masks)},
        {},
        "queries",
        ("mAP", "rank-1", "queries"),
        (f"{extra} rankings without query left out",) if extra else (),
    )
