"""Report of tracking: MOTChallenge files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from filmroom.evaluation import explain
from filmroom.evaluation.explain import totals
from filmroom.evaluation.parallel import run_jobs
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report
from filmroom.evaluation.tracking import (
    ALPHAS,
    Fields,
    TrackingScores,
    bootstrap_intervals,
    check_convention,
    combine_sequences,
    guess_convention,
    pair_sequences,
    score_sequence,
)
from filmroom.formats.mot import Kind, MotFiles

_SHOWN_MOMENTS = 20
_KEPT_MOMENTS = 500
_TRACKING_COLUMNS = (
    "HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP",
    "CLR_FN", "Dets", "GT_Dets", "IDs", "GT_IDs",
)  # fmt: skip


def tracking_report(truth: Path, tracks: Path, options: Options) -> Report:
    """HOTA, CLEAR, Identity and counts of MOTChallenge files."""
    truth_rows, track_rows = MotFiles(truth, "truth"), MotFiles(tracks, "tracks")
    scores = score_files(truth_rows, track_rows, options)
    summary = scores.summary()
    details: dict[str, Any] = {
        "convention": scores.convention,
        **hota_details(scores.combined, scores.sequences, options.seed),
    }
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
        hota_charts(scores.combined),
    )


_CURVES = ("HOTA", "DetA", "AssA", "LocA")


def hota_details(combined: Fields, sequences: Mapping[str, Fields], seed: int) -> dict[str, Any]:
    """The curves over thresholds, and bootstrap intervals where there are several sequences."""
    details: dict[str, Any] = {
        "thresholds": ALPHAS.round(2).tolist(),
        "curves": {name: combined[name].tolist() for name in _CURVES},
    }
    if len(sequences) > 1:
        details["intervals"] = bootstrap_intervals(sequences, np.random.default_rng(seed))
    return details


def hota_charts(combined: Fields) -> dict[str, Chart]:
    """HOTA and its parts over the threshold."""
    curves = {name: combined[name] for name in _CURVES}
    return {"hota": Chart("HOTA over similarity threshold", "threshold", "score", ALPHAS, curves)}


def score_files(truth: MotFiles, tracks: MotFiles, options: Options) -> TrackingScores:
    """The scores of all sequences, each read and scored in one of the jobs."""
    convention = check_convention(options.convention or guess_convention(truth))
    pairs, notes = pair_sequences(truth, tracks)
    score = partial(_score_pair, truth.path, tracks.path, convention)
    if options.jobs <= 1:
        score = partial(_score_open, truth, tracks, convention)
    fields = run_jobs(score, pairs.items(), options.jobs, options.advance)
    sequences = dict(zip(pairs, fields, strict=True))
    return TrackingScores(combine_sequences(sequences), sequences, convention, notes)


def _score_open(truth: MotFiles, tracks: MotFiles, convention: str, pair: tuple[str, str]) -> Fields:
    rows = truth[pair[0]]
    return score_sequence(rows, tracks.read(pair[1], rows.length), convention)


def _score_pair(truth: Path, tracks: Path, convention: str, pair: tuple[str, str]) -> Fields:
    """As _score_open in another process, which finds the files again."""
    return _score_open(_open(truth, "truth"), _open(tracks, "tracks"), convention, pair)


@lru_cache(maxsize=2)
def _open(path: Path, kind: Kind) -> MotFiles:
    return MotFiles(path, kind)


def _explanation(moments: list[Any], sequences: int) -> list[str]:

    share = "" if sequences == 1 else " of its sequence"
    lines = [
        f"{len(moments)} mistakes. Points: what HOTA at 0.5 (0 to 100){share} would gain if this",
        "one were mended. Frames count from 1.",
    ]
    for kind, total in totals(moments).items():
        number, frames = total["moments"], total["frames"]
        # Rounded first: a loss of next to nothing is 0.0, not -0.0.
        points = round(total["points"], 1) + 0.0
        lines.append(f"  {kind}: {number} over {frames} frames, {points:.1f} points in all")
    for each in moments[:_SHOWN_MOMENTS]:
        lines.append(f"  {each.points:6.2f}  {each.sequence}  {each.sentence()}")
    if len(moments) > _SHOWN_MOMENTS:
        lines.append(
            f"  ... {len(moments) - _SHOWN_MOMENTS} more cost less; --json has {_KEPT_MOMENTS}"
        )
    return lines
