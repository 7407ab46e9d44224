"""Report of segmentation: DAVIS mask pictures, COCO masks or MOTS tracks, by the kind of the truth."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.mots import score_mots
from filmroom.evaluation.parallel import run_jobs
from filmroom.evaluation.report import Options, Report, Row
from filmroom.evaluation.reports.detection import average_precision_report
from filmroom.evaluation.reports.tracking import hota_charts, hota_details
from filmroom.evaluation.segmentation import object_scores, statistics
from filmroom.formats.archive import Archive
from filmroom.formats.davis import MaskSequences
from filmroom.formats.mots import MotsFiles

_VOID = 255
_DAVIS = ("semi-supervised", "all-frames")
_MASK_TRACKS = {"sMOTSA": "sMOTA", "MOTSA": "MOTA", "MOTSP": "MOTP"}
_MOTS_COLUMNS = (
    "HOTA", "DetA", "AssA", "sMOTSA", "MOTSA", "MOTSP", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP",
    "CLR_FN", "Dets", "GT_Dets", "IDs", "GT_IDs",
)  # fmt: skip


def segmentation_report(truth: Path, predictions: Path, options: Options) -> Report:
    """J&F of DAVIS mask pictures, AP and AR of COCO masks, or HOTA and sMOTSA of MOTS tracks.

    Conventions: `semi-supervised` (pictures, the default: first and last frames left out), `all-frames`
    (pictures, all scored), `coco` (JSON, ids only), `names` (JSON, the default), `mots` (text files).
    """
    asked = options.checked("segmentation", *_DAVIS, "coco", "names", "mots")
    convention = asked or _convention(truth)
    if convention == "mots":
        return _mots_report(truth, predictions, options)
    if convention in _DAVIS:
        return _davis_report(truth, predictions, convention, options)
    return average_precision_report("segmentation", truth, predictions, convention == "names")


def _convention(truth: Path) -> str:
    with Archive(truth) as archive:
        kinds = {PurePosixPath(name).suffix for name in archive.names}
    kind = next((each for each in (".png", ".json", ".txt") if each in kinds), None)
    if kind is None:
        raise InputError(f"{truth}: neither mask pictures (.png), COCO (.json) nor MOTS (.txt) inside")
    return {".png": "semi-supervised", ".json": "names", ".txt": "mots"}[kind]


def _mots_report(truth: Path, predictions: Path, options: Options) -> Report:
    scores = score_mots(MotsFiles(truth, "truth"), MotsFiles(predictions))
    summary = scores.summary()

    def named(fields: Row) -> Row:
        return fields | {name: fields[base] for name, base in _MASK_TRACKS.items()}

    return Report(
        "segmentation",
        "trackeval 1.3.0 (MOTS)",
        named(summary["combined"]),
        {name: named(fields) for name, fields in summary["sequences"].items()},
        "sequences",
        _MOTS_COLUMNS,
        scores.notes,
        {
            "convention": "mots",
            **hota_details(scores.combined, scores.sequences, options.seed),
        },
        (),
        hota_charts(scores.combined),
    )


def _davis_report(truth: Path, predictions: Path, convention: str, options: Options) -> Report:
    known, found = MaskSequences(truth), MaskSequences(predictions)
    missing = [sequence for sequence in known.frames if sequence not in found.frames]
    if missing:
        raise InputError(
            f"{predictions}: {len(missing)} of {len(known.frames)} sequences are missing: {missing[0]}"
        )
    score = partial(_score_sequence, known, found, convention)
    rows: dict[str, Row] = {}
    notes: list[str] = []
    extra = sorted(set(found.frames) - set(known.frames))
    if extra:
        notes.append(f"{len(extra)} sequences without truth left out: {', '.join(extra[:5])}")
    for of_sequence, remarks in run_jobs(score, known.frames, options.jobs, options.advance):
        rows |= of_sequence
        notes += remarks
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


def _score_sequence(
    known: MaskSequences, found: MaskSequences, convention: str, sequence: str
) -> tuple[dict[str, Row], list[str]]:
    """Rows of the objects of one sequence, and remarks."""
    masks = dict(known.read(sequence))
    names = list(masks) if convention == "all-frames" else list(masks)[1:-1]
    if not names:
        raise InputError(f"{known.path}: sequence {sequence} has too few frames")
    objects = max((int(mask[mask < _VOID].max(initial=0)) for mask in masks.values()), default=0)
    claimed = {name: mask for name, mask in found.read(sequence) if name in set(names)}
    missing = [name for name in names if name not in claimed]
    if missing:
        raise InputError(f"{found.path}: {sequence}: {len(missing)} frames are missing: {missing[0]}")
    for name in names:
        if claimed[name].shape != masks[name].shape:
            sizes = [f"{mask.shape[1]} x {mask.shape[0]}" for mask in (claimed[name], masks[name])]
            raise InputError(
                f"{found.path}: {sequence}: {name}.png is {sizes[0]} pixels, the truth {sizes[1]}"
            )
    remarks = []
    extra = max(int(mask.max()) for mask in claimed.values())
    if extra > objects:
        remarks.append(
            f"{sequence}: objects {objects + 1} to {extra} of the results are not in the truth"
        )
    pairs = [object_scores(masks[name], claimed[name], objects) for name in names]
    rows: dict[str, Row] = {}
    for number in range(objects):
        region = statistics(np.array([pair[0][number] for pair in pairs]))
        edge = statistics(np.array([pair[1][number] for pair in pairs]))
        rows[f"{sequence}_{number + 1}"] = {
            "J&F-Mean": (region["Mean"] + edge["Mean"]) / 2,
            **{f"J-{name}": value for name, value in region.items()},
            **{f"F-{name}": value for name, value in edge.items()},
        }
    return rows, remarks
