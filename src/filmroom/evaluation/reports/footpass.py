"""Report of player-centric actions: FOOTPASS files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from filmroom.evaluation.player_actions import score_player_actions
from filmroom.evaluation.report import Options, Report
from filmroom.formats.footpass import ACTION_CLASSES, read_footpass


def footpass_report(truth: Path, predictions: Path, options: Options) -> Report:
    """F1 of player-centric actions at 12 frames and confidence 0.15."""
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
