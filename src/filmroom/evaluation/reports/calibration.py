"""Report of camera calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation import calibration
from filmroom.evaluation.homography import homography_scores
from filmroom.evaluation.parallel import run_jobs
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report, Row
from filmroom.formats.homographies import holds_homographies, read_homographies
from filmroom.formats.soccernet_calibration import (
    Lines,
    PitchCamera,
    read_cameras,
    read_line_annotations,
)
from filmroom.geometry.homography import Matrix


def calibration_report(truth: Path, predictions: Path, options: Options) -> Report:
    """JaC at 5, 10 and 20 pixels, completeness and their product of SoccerNet cameras.

    Where the truth holds homographies instead of lines (or with the convention `homography`): overlaps
    and errors on the pitch, in metres.
    """
    convention = options.checked("calibration", "lines", "homography")
    if convention == "homography" or (convention is None and holds_homographies(truth)):
        return _homography_report(truth, predictions, options)
    pictures, cameras = read_line_annotations(truth), read_cameras(predictions)
    extra = sorted(set(cameras) - set(pictures))
    _check_shared(pictures, cameras, predictions)
    shared = [name for name in pictures if name in cameras]
    scored = run_jobs(
        _score_lines,
        [(name, _soccernet_names(pictures[name]), cameras[name]) for name in shared],
        options.jobs,
        options.advance,
    )
    by_picture = dict(zip(shared, scored, strict=True))
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


def _score_lines(job: tuple[str, Lines, PitchCamera]) -> list[calibration.PictureScore]:
    name, lines, camera = job
    try:
        return calibration.score_picture(lines, camera)
    except InputError as error:
        raise InputError(f"picture {name}: {error}") from error


def _check_shared(truth: Mapping[str, object], found: Mapping[str, object], path: Path) -> None:
    if not set(truth) & set(found):
        raise InputError(
            f"{path}: none of the {len(found)} cameras belongs to a picture of the truth "
            f"(truth: {next(iter(truth))}, cameras: {next(iter(found))})"
        )


def _homography_report(truth: Path, predictions: Path, options: Options) -> Report:
    known, found = read_homographies(truth), read_homographies(predictions)
    _check_shared(known, found, predictions)
    shared = [name for name in known if name in found]
    jobs = [(known[name], found[name]) for name in shared]
    scores = run_jobs(_score_homography, jobs, options.jobs, options.advance)
    rows: dict[str, Row] = dict(zip(shared, scores, strict=True))
    combined: Row = {}
    medians: Row = {}
    for name in scores[0]:
        values = [value for row in scores if (value := row[name]) is not None]
        combined[name] = float(np.mean(values)) if values else None
        medians[name] = float(np.median(values)) if values else None
    combined |= {"completeness": len(shared) / len(known), "pictures": len(known)}
    notes = []
    if len(shared) < len(known):
        notes.append(
            f"{len(known) - len(shared)} of {len(known)} pictures have no homography: they lower "
            "completeness only"
        )
    extra = sorted(set(found) - set(known))
    if extra:
        notes.append(f"{len(extra)} homographies without truth left out: {extra[:3]}")
    lost = sum(row["projection error"] is None for row in scores)
    if lost:
        notes.append(f"{lost} pictures have no projection error: the maps share no point of the pitch")
    words = [f"{name} {value:.4f}" for name, value in medians.items() if value is not None]
    return Report(
        "calibration",
        "No-Bells-Just-Whistles bd993b3",
        combined,
        rows,
        "pictures",
        tuple(combined),
        tuple(notes),
        {"convention": "homography", "medians": medians},
        (f"medians: {', '.join(words)}",),
        {"projection-error": _histogram("Error on the pitch", "metres", scores)},
    )


def _score_homography(job: tuple[Matrix, Matrix]) -> dict[str, float | None]:
    return homography_scores(*job)


def _histogram(title: str, unit: str, scores: list[dict[str, float | None]]) -> Chart:
    errors = [row["projection error"] for row in scores]
    values = np.array([value for value in errors if value is not None])
    counts, edges = np.histogram(values, bins=40)
    return Chart(title, unit, "pictures", edges[:-1], {"pictures": counts}, bars=True)


def _soccernet_names(lines: Lines) -> Lines:
    """Class names as the evaluator knows them: the game state data lack a blank at the end of one."""
    return {
        "Goal left post left " if name == "Goal left post left" else name: points
        for name, points in lines.items()
    }
