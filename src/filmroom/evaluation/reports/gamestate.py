"""Report of game state reconstruction."""

from __future__ import annotations

from pathlib import Path

from filmroom.evaluation.gamestate import gamestate_scene, published, score_gamestate
from filmroom.evaluation.report import Options, Report, Row
from filmroom.evaluation.reports.tracking import hota_charts, hota_details
from filmroom.evaluation.tracking import plain_fields
from filmroom.formats.soccernet_gamestate import read_gamestate_results, read_gamestate_truth

_GAMESTATE_COLUMNS = (
    "GS-HOTA", "GS-DetA", "GS-AssA", "HOTA", "DetA", "AssA", "LocA", "IDF1", "Dets", "GT_Dets",
    "IDs", "GT_IDs",
)  # fmt: skip


def gamestate_report(truth: Path, predictions: Path, options: Options) -> Report:
    """GS-HOTA of SoccerNet game state files; the convention may name the split (train, valid, test)."""
    labels = read_gamestate_truth(truth)
    split = options.checked("gamestate", "train", "valid", "test", "challenge")
    results = read_gamestate_results(predictions, labels, split)
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
        hota_details(combined, sequences, options.seed),
        (),
        hota_charts(combined),
    )


_CLEAR_NAMES = ("CLR", "MOT", "MOD", "sMOT", "MT", "PT", "ML", "Frag", "IDSW", "FP_per")
"""CLEAR is no part of the game state evaluation."""
