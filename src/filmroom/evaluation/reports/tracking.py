"""Report of tracking: MOTChallenge files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from filmroom.evaluation import explain
from filmroom.evaluation.explain import totals
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report
from filmroom.evaluation.tracking import ALPHAS, bootstrap_intervals, score_tracking
from filmroom.formats.mot import MotFiles

_SHOWN_MOMENTS = 20
_KEPT_MOMENTS = 500
_TRACKING_COLUMNS = (
    "HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP",
    "CLR_FN", "Dets", "GT_Dets", "IDs", "GT_IDs",
)  # fmt: skip


def tracking_report(truth: Path, tracks: Path, options: Options) -> Report:
    """HOTA, CLEAR, Identity and counts of MOTChallenge files."""

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
