"""Report of action spotting: SoccerNet's labels and submissions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation import spotting
from filmroom.evaluation.matching import BoolArray, FloatArray, IntArray
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report, Row
from filmroom.evaluation.spotting import SpottedEvents, SpottedTruth, score_team_spotting
from filmroom.formats.soccernet_spotting import (
    ACTIONS,
    BALL_ACTIONS,
    GameEvents,
    pair_games,
    read_spotting_results,
    read_spotting_truth,
)

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
    games = read_spotting_truth(truth)
    pairs, extra = pair_games(games, read_spotting_results(predictions))
    words = {label for events in games.values() for label in events.labels}
    name = options.convention or ("ball" if words <= set(BALL_ACTIONS) else "soccernet-v2")
    if name not in _SPOTTING_RULES:
        choices = ", ".join(_SPOTTING_RULES)
        raise InputError(f"convention {name!r} is unknown for spotting; choose one of {choices}")
    count, frame_rate = _SPOTTING_RULES[name]
    classes = (ACTIONS if name == "soccernet-v2" else BALL_ACTIONS)[:count]
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
