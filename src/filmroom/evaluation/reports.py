"""Files in, a report out: what `filmroom eval` prints, one function a task.

A report holds numbers only; the command line turns it into a table, JSON, CSV or pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.matching import BoolArray, FloatArray, IntArray
from filmroom.evaluation.plots import Chart

if TYPE_CHECKING:
    from filmroom.formats.coco import CocoResults, CocoTruth
    from filmroom.formats.soccernet_calibration import Lines
    from filmroom.formats.soccernet_spotting import GameEvents

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """Scores of one set of results. `rows` are what `row_word` says: sequences, classes, images.

    `columns` are the scores for the table, the rest is for JSON and CSV; `shares` of them are
    fractions from 0 to 1. `notes` say what was left out or could not be had, `details` go into the
    JSON as they are.
    """

    task: str
    evaluator: str
    combined: Row
    rows: Mapping[str, Row]
    row_word: str
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    charts: Mapping[str, Chart] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: combined scores, rows, details."""
        return {
            "task": self.task,
            "evaluator": self.evaluator,
            "combined": self.combined,
            self.row_word: dict(self.rows),
            "notes": list(self.notes),
            **self.details,
        }


@dataclass(frozen=True)
class Options:
    """What a caller may ask beside the paths."""

    convention: str | None = None
    explain: bool = False
    plots: bool = False
    seed: int = 0


def evaluate(task: str, truth: Path, results: Path, options: Options | None = None) -> Report:
    """The report of a task by its name (see TASKS).

    Raises InputError for an unknown task, and whatever the readers of the task raise for bad files.
    """
    if task not in TASKS:
        raise InputError(f"task {task!r} is unknown; choose one of {', '.join(TASKS)}")
    return TASKS[task](Path(truth), Path(results), options or Options())


_SHOWN_MOMENTS = 20
_KEPT_MOMENTS = 500
_TRACKING_COLUMNS = (
    "HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP",
    "CLR_FN", "Dets", "GT_Dets", "IDs", "GT_IDs",
)  # fmt: skip


def tracking_report(truth: Path, tracks: Path, options: Options) -> Report:
    """HOTA, CLEAR, Identity and counts of MOTChallenge files."""
    from filmroom.evaluation import explain
    from filmroom.evaluation.tracking import ALPHAS, bootstrap_intervals, score_tracking
    from filmroom.formats.mot import MotFiles

    truth_rows, track_rows = MotFiles(truth, "truth"), MotFiles(tracks, "tracks")
    scores = score_tracking(truth_rows, track_rows, options.convention)
    summary = scores.summary()
    curves = {name: scores.combined[name] for name in ("HOTA", "DetA", "AssA", "LocA")}
    details: dict[str, Any] = {
        "convention": scores.convention,
        "thresholds": ALPHAS.round(2).tolist(),
        "curves": {name: values.tolist() for name, values in curves.items()},
    }
    if len(scores.sequences) > 1:
        rng = np.random.default_rng(options.seed)
        details["intervals"] = bootstrap_intervals(scores.sequences, rng)
    lines: list[str] = []
    if options.explain:
        moments = explain.explain_tracking(truth_rows, track_rows, scores.convention)
        details["totals"] = explain.totals(moments)
        details["moments"] = [
            each.as_dict() | {"text": each.sentence()} for each in moments[:_KEPT_MOMENTS]
        ]
        lines = _explanation(moments, len(truth_rows))
    return Report(
        "tracking",
        "trackeval 1.3.0",
        summary["combined"],
        summary["sequences"],
        "sequences",
        _TRACKING_COLUMNS,
        scores.notes,
        details,
        tuple(lines),
        {"hota": Chart("HOTA over localisation threshold", "threshold", "score", ALPHAS, curves)},
    )


def _explanation(moments: list[Any], sequences: int) -> list[str]:
    from filmroom.evaluation.explain import totals

    share = "" if sequences == 1 else " of its sequence"
    lines = [
        f"{len(moments)} mistakes. Points: what HOTA at 0.5 (0 to 100){share} would gain if this",
        "one were mended. Frames count from 1.",
    ]
    for kind, total in totals(moments).items():
        number, frames, points = total["moments"], total["frames"], total["points"]
        lines.append(f"  {kind}: {number} over {frames} frames, {points:.1f} points in all")
    for each in moments[:_SHOWN_MOMENTS]:
        lines.append(f"  {each.points:6.2f}  {each.sequence}  {each.sentence()}")
    if len(moments) > _SHOWN_MOMENTS:
        lines.append(
            f"  ... {len(moments) - _SHOWN_MOMENTS} more cost less; --json has {_KEPT_MOMENTS}"
        )
    return lines


_DETECTION_COLUMNS = (
    "AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100", "objects", "found",
)  # fmt: skip
_PEOPLE = ("player", "goalkeeper", "referee", "coach", "staff")


def detection_report(truth: Path, predictions: Path, options: Options) -> Report:
    """COCO's AP and AR of a result list.

    Entries are tied to pictures by `file_name` and to categories by the name in `category` where they
    have them, else by the ids. Where the results call everyone a `person` and the truth does not know
    the word, its players, goalkeepers and referees are taken together as persons. Convention `coco`:
    ids only.
    """
    from filmroom.evaluation.detection import RECALL_GRID, FoundObjects, TruthObjects, score_detection
    from filmroom.formats.coco import read_coco_results, read_coco_truth

    if options.convention not in (None, "coco", "names"):
        raise InputError(f"convention {options.convention!r} is unknown for detection; coco or names")
    objects, results = read_coco_truth(truth), read_coco_results(predictions)
    by_name = options.convention != "coco"
    names, of_truth, of_results, notes = _shared_categories(objects, results, by_name)
    keep = of_truth >= 0
    kept = of_results >= 0
    images = _shared_pictures(objects, results, by_name)
    scores = score_detection(
        TruthObjects(
            objects.images[keep],
            of_truth[keep],
            objects.boxes[keep],
            objects.areas[keep],
            objects.crowds[keep],
            objects.ids[keep],
            len(objects.image_ids),
            names,
        ),
        FoundObjects(images[kept], of_results[kept], results.boxes[kept], results.scores[kept]),
    )
    rows = {
        name: {
            **figures,
            "objects": int((of_truth == index).sum()),
            "found": int((of_results == index).sum()),
        }
        for index, (name, figures) in enumerate(scores.categories.items())
    }
    curves = {
        name: np.stack([RECALL_GRID, scores.precision[0, :, index, 0, -1]])
        for index, name in enumerate(names)
        if scores.precision[0, 0, index, 0, -1] > -1
    }
    combined = {**scores.combined, "objects": int(keep.sum()), "found": int(kept.sum())}
    return Report(
        "detection",
        "pycocotools 2.0.11",
        combined,
        rows,
        "categories",
        _DETECTION_COLUMNS,
        tuple(notes),
        {"pictures": len(objects.image_ids)},
        (),
        {
            "precision-recall": Chart(
                "Precision over recall, IoU 0.5", "recall", "precision", None, curves
            )
        },
    )


def _shared_categories(
    truth: CocoTruth, results: CocoResults, by_name: bool
) -> tuple[tuple[str, ...], IntArray, IntArray, list[str]]:
    """Category names, and the category of every truth row and every result, -1 for those left out."""
    from filmroom.tables import KINDS

    notes: list[str] = []
    named = by_name and any(results.category_names)
    if not named:
        index_of = {identity: index for index, identity in enumerate(truth.category_ids)}
        for row, identity in enumerate(results.category_ids):
            if identity not in index_of:
                raise InputError(
                    f"{results.source}: [{row}]: category_id {identity} is not in the truth"
                )
        ids = [index_of[each] for each in results.category_ids if each is not None]
        return truth.category_names, truth.categories, np.array(ids, dtype=np.int64), notes
    words = list(truth.category_names)
    found = {name for name in results.category_names if name is not None}
    asked = set(words)
    if "person" in found and "person" not in words:
        people = [word for word in words if word in _PEOPLE]
        words = ["person" if word in _PEOPLE else word for word in words]
        notes.append(f"{', '.join(people)} of the truth taken together as person")
        # Who says person speaks of people, balls and hoops, found or not; of nothing else in the truth.
        asked = set(KINDS)
    names = tuple(dict.fromkeys(word for word in words if word in asked))
    unasked = sorted(set(words) - asked)
    if unasked:
        count = int(
            np.isin(truth.categories, [i for i, word in enumerate(words) if word in unasked]).sum()
        )
        notes.append(f"{count} objects of the truth left out, not asked for: {', '.join(unasked)}")
    unknown = sorted(found - set(words))
    if unknown:
        count = sum(name in unknown for name in results.category_names)
        notes.append(f"{count} results left out, the truth has no such category: {', '.join(unknown)}")
    place = {name: index for index, name in enumerate(names)}
    table = np.array([place.get(word, -1) for word in words], dtype=np.int64)
    of_results = [place.get(name or "", -1) for name in results.category_names]
    return names, table[truth.categories], np.array(of_results, dtype=np.int64), notes


def _shared_pictures(truth: CocoTruth, results: CocoResults, by_name: bool) -> IntArray:
    """Index of the picture of every result."""
    by_id = {identity: index for index, identity in enumerate(truth.image_ids)}
    whole = {name: index for index, name in enumerate(truth.file_names)}
    short = {Path(name).name: index for index, name in enumerate(truth.file_names)}
    if len(short) < len(whole):
        short = {}
    images = np.empty(len(results.scores), dtype=np.int64)
    for row, (identity, name) in enumerate(zip(results.image_ids, results.file_names, strict=True)):
        if by_name and name is not None:
            index = whole.get(name, short.get(Path(name).name, -1))
            word = f"file_name {name!r}"
        else:
            index = -1 if identity is None else by_id.get(identity, -1)
            word = f"image_id {identity!r}"
        if index < 0:
            raise InputError(
                f"{results.source}: [{row}]: {word} is not among the pictures of the truth"
            )
        images[row] = index
    return images


_SPOTTING_COLUMNS = (
    "tight", "loose", "mAP@1", "mAP@2", "mAP@3", "mAP@4", "mAP@5", "a_mAP_visible", "a_mAP_unshown",
    "Team mAP@1", "events", "spotted",
)  # fmt: skip
_SPOTTING_RULES: dict[str, tuple[int, int]] = {
    "soccernet-v2": (17, 2),
    "ball": (12, 25),
    "ball-2023": (2, 25),
}
"""Number of classes and frames a second of each convention."""


def spotting_report(truth: Path, predictions: Path, options: Options) -> Report:
    """Average-mAP of SoccerNet's action and ball action spotting.

    Conventions: `soccernet-v2` (17 actions at 2 frames a second), `ball` (12 ball actions at 25), and
    `ball-2023` (the first two of them); by default what the labels of the truth are.
    """
    from filmroom.evaluation import spotting
    from filmroom.formats.soccernet_spotting import (
        pair_games,
        read_spotting_results,
        read_spotting_truth,
    )

    games = read_spotting_truth(truth)
    pairs, extra = pair_games(games, read_spotting_results(predictions))
    words = {label for events in games.values() for label in events.labels}
    name = options.convention or ("ball" if words <= set(spotting.BALL_ACTIONS) else "soccernet-v2")
    if name not in _SPOTTING_RULES:
        choices = ", ".join(_SPOTTING_RULES)
        raise InputError(f"convention {name!r} is unknown for spotting; choose one of {choices}")
    count, frame_rate = _SPOTTING_RULES[name]
    classes = (spotting.ACTIONS if name == "soccernet-v2" else spotting.BALL_ACTIONS)[:count]
    notes = [f"{len(extra)} games without truth left out: {extra[0]}"] if extra else []
    happened = _flat_events([pair[1] for pair in pairs], classes, "truth", notes)
    spotted = _flat_events([pair[2] for pair in pairs], classes, "results", notes)
    true_events = spotting.SpottedTruth(
        happened.units, happened.labels, happened.seconds, happened.shown
    )
    events = spotting.SpottedEvents(spotted.units, spotted.labels, spotted.seconds, spotted.confidences)
    scores = spotting.score_spotting(true_events, events, count, frame_rate)
    combined: Row = {
        "a_mAP": scores["tight"].all,
        "a_mAP_visible": scores["tight"].visible,
        "a_mAP_unshown": scores["tight"].unshown,
        "tight": scores["tight"].all,
        "loose": scores["loose"].all,
        **{f"mAP@{each}": scores[f"at{each}"].all for each in range(1, 6)},
        "events": len(happened.labels),
        "spotted": len(spotted.labels),
    }
    rows = {
        word: {
            "tight": float(scores["tight"].per_class[index]),
            "loose": float(scores["loose"].per_class[index]),
            **{f"mAP@{each}": float(scores[f"at{each}"].per_class[index]) for each in range(1, 6)},
            "a_mAP_visible": float(scores["tight"].per_class_visible[index]),
            "a_mAP_unshown": float(scores["tight"].per_class_unshown[index]),
            "events": int((happened.labels == index).sum()),
            "spotted": int((spotted.labels == index).sum()),
        }
        for index, word in enumerate(classes)
    }
    if name == "ball" and (happened.sides >= 0).any() and (spotted.sides >= 0).any():
        _add_team_scores(happened, spotted, rows, combined, notes)
    curves = spotting.precision_recall(true_events, events, count, frame_rate)
    return Report(
        "spotting",
        "SoccerNet 0.2.0",
        combined,
        rows,
        "classes",
        _SPOTTING_COLUMNS,
        tuple(notes),
        {
            "convention": name,
            "games": len(pairs),
            "metrics": {
                metric: {
                    "a_mAP": each.all,
                    "a_mAP_visible": each.visible,
                    "a_mAP_unshown": each.unshown,
                }
                for metric, each in scores.items()
            },
        },
        (),
        {
            "precision-recall": Chart(
                "Precision over recall, tolerance 5 s",
                "recall",
                "precision",
                None,
                {
                    word: np.stack(curve)
                    for word, curve in zip(classes, curves, strict=True)
                    if rows[word]["events"]
                },
            )
        },
    )


@dataclass(frozen=True)
class _Flat:
    """Events of all games in one table; `sides`: 0 left, 1 right, -1 not said."""

    units: IntArray
    labels: IntArray
    seconds: FloatArray
    shown: BoolArray
    confidences: FloatArray
    sides: IntArray
    halves: IntArray


def _flat_events(
    games: list[GameEvents], classes: tuple[str, ...], word: str, notes: list[str]
) -> _Flat:
    index = {label: place for place, label in enumerate(classes)}
    labels = np.array([index.get(each, -1) for game in games for each in game.labels], dtype=np.int64)
    halves = np.concatenate([game.halves for game in games])
    game_index = np.repeat(np.arange(len(games)), [len(game.labels) for game in games])
    known, timely = labels >= 0, (halves == 1) | (halves == 2)
    if not known.all():
        others = sorted({each for game in games for each in game.labels if each not in index})
        notes.append(
            f"{int((~known).sum())} events of the {word} left out, unknown labels: {others[:5]}"
        )
    if not timely.all():
        notes.append(f"{int((~timely).sum())} events of the {word} left out, not of half 1 or 2")
    keep = known & timely
    side = {"left": 0, "right": 1}
    return _Flat(
        (2 * game_index + halves - 1)[keep],
        labels[keep],
        np.concatenate([game.seconds for game in games])[keep],
        np.concatenate([game.shown for game in games])[keep],
        np.concatenate([game.confidences for game in games])[keep],
        np.array([side.get(each or "", -1) for game in games for each in game.teams], np.int64)[keep],
        halves[keep],
    )


def _add_team_scores(
    happened: _Flat, spotted: _Flat, rows: dict[str, Row], combined: Row, notes: list[str]
) -> None:
    """Team-mAP at 1 s: truth of the first half only, the half of the results not looked at."""
    from filmroom.evaluation.spotting import SpottedEvents, SpottedTruth, score_team_spotting

    if (happened.sides < 0).any() or (spotted.sides < 0).any():
        lost = int((happened.sides < 0).sum()), int((spotted.sides < 0).sum())
        notes.append(
            f"{lost[0]} events of the truth and {lost[1]} of the results have no side: no Team mAP"
        )
        return
    first = happened.halves == 1
    mean, per_class = score_team_spotting(
        SpottedTruth(
            happened.units[first] // 2,
            happened.labels[first],
            happened.seconds[first],
            happened.shown[first],
        ),
        happened.sides[first],
        SpottedEvents(spotted.units // 2, spotted.labels, spotted.seconds, spotted.confidences),
        spotted.sides,
        len(rows),
    )
    combined["Team mAP@1"] = None if np.isnan(mean) else mean
    for row, value in zip(rows.values(), per_class.tolist(), strict=True):
        row["Team mAP@1"] = None if np.isnan(value) else value
    if np.isnan(mean):
        notes.append(
            "Team mAP@1 is not a number: a class has no truth event, as in the official script"
        )


_GAMESTATE_COLUMNS = (
    "GS-HOTA", "GS-DetA", "GS-AssA", "HOTA", "DetA", "AssA", "LocA", "IDF1", "Dets", "GT_Dets",
    "IDs", "GT_IDs",
)  # fmt: skip


def gamestate_report(truth: Path, predictions: Path, options: Options) -> Report:
    """GS-HOTA of SoccerNet game state files; the convention may name the split (train, valid, test)."""
    from filmroom.evaluation.gamestate import gamestate_scene, published, score_gamestate
    from filmroom.evaluation.tracking import plain_fields
    from filmroom.formats.soccernet_gamestate import read_gamestate_results, read_gamestate_truth

    labels = read_gamestate_truth(truth)
    results = read_gamestate_results(predictions, labels, options.convention)
    scenes = {}
    notes = []
    for name, label in labels.items():
        people, found = label.people, results[name]
        scenes[name] = gamestate_scene(people, found, len(label.image_ids))
        notes += [f"{name}: {count} results left out: {why}" for why, count in found.ignored.items()]
    sequences, combined = score_gamestate(scenes)

    def row(fields: Row) -> Row:
        plain = plain_fields(fields)
        names = {"GS-HOTA": "HOTA", "GS-DetA": "DetA", "GS-AssA": "AssA"}
        kept = {name: value for name, value in plain.items() if not name.startswith(_CLEAR_NAMES)}
        return {gs: published(plain[base]) for gs, base in names.items()} | kept

    return Report(
        "gamestate",
        "sn-trackeval 0.4.0",
        row(combined),
        {name: row(fields) for name, fields in sequences.items()},
        "sequences",
        _GAMESTATE_COLUMNS,
        tuple(notes),
    )


_CLEAR_NAMES = ("CLR", "MOT", "MOD", "sMOT", "MT", "PT", "ML", "Frag", "IDSW", "FP_per")
"""CLEAR is no part of the game state evaluation."""


def jersey_report(truth: Path, predictions: Path, options: Options) -> Report:
    """Accuracy of shirt numbers, with precision, coverage and the confusion of each number."""
    from filmroom.evaluation.jersey import score_jersey
    from filmroom.formats.soccernet_jersey import read_jersey_numbers

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
    from filmroom.evaluation.reid import right_persons, score_reid
    from filmroom.formats.soccernet_reid import read_reid_rankings, read_reid_truth

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


def footpass_report(truth: Path, predictions: Path, options: Options) -> Report:
    """F1 of player-centric actions at 12 frames and confidence 0.15."""
    from filmroom.evaluation.player_actions import score_player_actions
    from filmroom.formats.footpass import ACTION_CLASSES, read_footpass

    happened, claimed = read_footpass(truth), read_footpass(predictions)
    notes = []
    for word, only in (
        ("truth", sorted(set(happened) - set(claimed))),
        ("predictions", sorted(set(claimed) - set(happened))),
    ):
        if only:
            notes.append(f"{len(only)} halves in the {word} only, left out as officially: {only[:3]}")
    confidences = {key: np.nan_to_num(half.extra[:, 0], nan=1.0) for key, half in claimed.items()}
    counts = score_player_actions(
        {key: half.rows for key, half in happened.items()},
        {key: (half.rows, confidences[key]) for key, half in claimed.items()},
        len(ACTION_CLASSES),
    )
    return Report(
        "footpass",
        "FOOTPASS 1a8de2a",
        counts.figures(),
        {name: counts.figures(index) for index, name in enumerate(ACTION_CLASSES)},
        "classes",
        ("F1", "precision", "recall", "TP", "FP", "FN", "truth"),
        tuple(notes),
    )


def calibration_report(truth: Path, predictions: Path, options: Options) -> Report:
    """JaC at 5, 10 and 20 pixels, completeness and their product of SoccerNet cameras."""
    from filmroom.evaluation import calibration
    from filmroom.formats.soccernet_calibration import read_cameras, read_line_annotations

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


def captions_report(truth: Path, predictions: Path, options: Options) -> Report:
    """METEOR, BLEU, ROUGE-L, CIDEr, recall, precision and SODA_c of dense captions."""
    from filmroom.evaluation.captions import HalfCaptions, Meteor, mean_scores, score_captions
    from filmroom.formats.soccernet_captions import read_caption_results, read_caption_truth

    happened, said = read_caption_truth(truth), read_caption_results(predictions)
    if len(happened) == 1 and len(said) == 1:
        said = {next(iter(happened)): next(iter(said.values()))}
    missing = [game for game in happened if game not in said]
    if missing:
        raise InputError(
            f"{predictions}: {len(missing)} of {len(happened)} games are missing: {missing[0]}"
        )
    notes = []
    halves: dict[str, HalfCaptions] = {}
    for game, truth_captions in happened.items():
        for word, side in (("truth", truth_captions), ("results", said[game])):
            if side.ignored:
                notes.append(f"{game}: {side.ignored} captions of the {word} left out: label or half")
        for half in (1, 2):
            sides = [
                [(each.seconds, each.text) for each in side.captions if each.half == half]
                for side in (truth_captions, said[game])
            ]
            if sides[0]:
                halves[f"{game} half {half}"] = HalfCaptions(*sides)
            else:
                notes.append(f"{game} half {half}: left out, no true caption ({len(sides[1])} results)")
    meteor = Meteor.find()
    if meteor is None:
        notes.append(
            "METEOR not scored: it needs Java and meteor-1.5.jar; name it in FILMROOM_METEOR_JAR"
        )
    rows = dict(zip(halves, score_captions(list(halves.values()), meteor), strict=True))
    combined: Row = dict(mean_scores(list(rows.values())))
    return Report(
        "captions",
        "SoccerNet 0.2.0, pycocoevalcap 1.2",
        combined,
        rows,
        "halves",
        (
            "METEOR", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "Recall", "Precision",
            "SODA_METEOR_f1", "SODA_ROUGE_L_f1",
        ),
        tuple(notes),
    )  # fmt: skip


def segmentation_report(truth: Path, predictions: Path, options: Options) -> Report:
    """J&F of DAVIS mask pictures.

    Convention `semi-supervised` (the default) leaves out first and last frames, `all-frames` scores
    all.
    """
    from filmroom.evaluation.segmentation import object_scores, statistics
    from filmroom.formats.davis import MaskSequences

    convention = options.convention or "semi-supervised"
    if convention not in ("semi-supervised", "all-frames"):
        raise InputError(
            f"convention {convention!r} is unknown for segmentation; semi-supervised or all-frames"
        )
    known, found = MaskSequences(truth), MaskSequences(predictions)
    rows: dict[str, Row] = {}
    notes: list[str] = []
    for sequence in known.frames:
        if sequence not in found.frames:
            raise InputError(f"{predictions}: sequence {sequence} is missing")
        masks = dict(known.read(sequence))
        names = list(masks) if convention == "all-frames" else list(masks)[1:-1]
        if not names:
            raise InputError(f"{truth}: sequence {sequence} has too few frames")
        objects = max((int(mask[mask < _VOID].max(initial=0)) for mask in masks.values()), default=0)
        claimed = {name: mask for name, mask in found.read(sequence) if name in set(names)}
        missing = [name for name in names if name not in claimed]
        if missing:
            raise InputError(
                f"{predictions}: {sequence}: {len(missing)} frames are missing: {missing[0]}"
            )
        extra = max(int(mask.max()) for mask in claimed.values())
        if extra > objects:
            notes.append(
                f"{sequence}: objects {objects + 1} to {extra} of the results are not in the truth"
            )
        pairs = [object_scores(masks[name], claimed[name], objects) for name in names]
        for number in range(objects):
            region = statistics(np.array([pair[0][number] for pair in pairs]))
            edge = statistics(np.array([pair[1][number] for pair in pairs]))
            rows[f"{sequence}_{number + 1}"] = {
                "J&F-Mean": (region["Mean"] + edge["Mean"]) / 2,
                **{f"J-{name}": value for name, value in region.items()},
                **{f"F-{name}": value for name, value in edge.items()},
            }
    columns = tuple(next(iter(rows.values()))) if rows else ()
    combined: Row = {name: float(np.mean([row[name] for row in rows.values()])) for name in columns}
    return Report(
        "segmentation",
        "davis2017-evaluation ac7c43f",
        combined,
        rows,
        "objects",
        columns,
        tuple(notes),
        {"convention": convention},
    )


_VOID = 255


TASKS: dict[str, Callable[[Path, Path, Options], Report]] = {
    "tracking": tracking_report,
    "detection": detection_report,
    "gamestate": gamestate_report,
    "spotting": spotting_report,
    "segmentation": segmentation_report,
    "captions": captions_report,
    "calibration": calibration_report,
    "reid": reid_report,
    "jersey": jersey_report,
    "footpass": footpass_report,
}
