"""Report of segmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.report import Options, Report, Row
from filmroom.evaluation.segmentation import object_scores, statistics
from filmroom.formats.davis import MaskSequences


def segmentation_report(truth: Path, predictions: Path, options: Options) -> Report:
    """J&F of DAVIS mask pictures.

    Convention `semi-supervised` (the default) leaves out first and last frames, `all-frames` scores
    all.
    """

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
