"""Report of camera calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from filmroom.evaluation import calibration
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report, Row
from filmroom.formats.soccernet_calibration import Lines, read_cameras, read_line_annotations


def calibration_report(truth: Path, predictions: Path, options: Options) -> Report:
    """JaC at 5, 10 and 20 pixels, completeness and their product of SoccerNet cameras."""
    pictures, cameras = read_line_annotations(truth), read_cameras(predictions)
    extra = sorted(set(cameras) - set(pictures))
    by_picture = {
        name: calibration.score_picture(_soccernet_names(lines), cameras[name])
        for name, lines in pictures.items()
        if name in cameras
    }
    by_threshold = {
        threshold: [scores[index] for scores in by_picture.values()]
        for index, threshold in enumerate(calibration.THRESHOLDS)
    }
    figures = {
        threshold: calibration.summarise(scores, len(pictures))
        for threshold, scores in by_threshold.items()
    }
    tightest = figures[calibration.THRESHOLDS[0]]
    accuracy = tightest["meanAccuracies"]
    combined: Row = {
        **{f"JaC@{threshold}": each["meanAccuracies"] for threshold, each in figures.items()},
        "completeness": tightest["completeness"],
        "final score": 0.0 if accuracy is None else accuracy * len(by_picture) / len(pictures),
        "meanPrecision": tightest["meanPrecision"],
        "meanRecall": tightest["meanRecall"],
        "pictures": len(pictures),
    }
    notes = [f"{len(extra)} cameras without annotation left out: {extra[:3]}"] if extra else []
    missing = len(pictures) - len(by_picture)
    if missing:
        notes.append(
            f"{missing} of {len(pictures)} pictures have no camera: they lower completeness only"
        )
    scores = by_threshold[calibration.THRESHOLDS[0]]
    errors = [values for score in scores for values in score.errors.values()]
    counts, edges = np.histogram(np.concatenate(errors) if errors else [], bins=40, range=(0, 40))
    return Report(
        "calibration",
        "SoccerNet 0.2.0",
        combined,
        calibration.summarise_classes(scores),
        "classes",
        (
            *(f"JaC@{threshold}" for threshold in calibration.THRESHOLDS),
            "completeness",
            "final score",
            "meanPrecision",
            "meanRecall",
            "Accuracy",
            "Precision",
            "Recall",
            "median error",
            "points",
            "pictures",
        ),
        tuple(notes),
        {"thresholds": {str(threshold): each for threshold, each in figures.items()}},
        (),
        {
            "reprojection-error": Chart(
                "Distance of annotated points from their projected line",
                "pixels at 960 x 540",
                "points",
                edges[:-1],
                {"points": counts},
                bars=True,
            )
        },
    )


def _soccernet_names(lines: Lines) -> Lines:
    """Class names as the evaluator knows them: the game state data lack a blank at the end of one."""
    return {
        "Goal left post left " if name == "Goal left post left" else name: points
        for name, points in lines.items()
    }
