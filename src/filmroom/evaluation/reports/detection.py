"""Report of detection: COCO files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.detection import RECALL_GRID, FoundObjects, TruthObjects, score_detection
from filmroom.evaluation.matching import IntArray
from filmroom.evaluation.plots import Chart
from filmroom.evaluation.report import Options, Report
from filmroom.formats.coco import CocoResults, CocoTruth, read_coco_results, read_coco_truth
from filmroom.formats.coco_masks import compressed_mask

_COLUMNS = (
    "AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100", "objects", "found",
)  # fmt: skip
_PEOPLE = ("player", "goalkeeper", "referee", "coach", "staff")


def detection_report(truth: Path, predictions: Path, options: Options) -> Report:
    """COCO's AP and AR of the boxes of a result list.

    Entries are tied to pictures by `file_name` and to categories by the name in `category` where they
    have them, else by the ids. Where the results call everyone a `person` and the truth does not know
    the word, its players, goalkeepers and referees are taken together as persons. Convention `coco`:
    ids only.
    """
    by_name = options.checked("detection", "coco", "names") != "coco"
    return average_precision_report("detection", truth, predictions, by_name)


def average_precision_report(task: str, truth: Path, predictions: Path, by_name: bool) -> Report:
    """COCO's AP and AR, of boxes for the task `detection` and of masks for `segmentation`."""
    objects, results = read_coco_truth(truth), read_coco_results(predictions)
    names, of_truth, of_results, notes = _shared_categories(objects, results, by_name)
    keep, kept = of_truth >= 0, of_results >= 0
    images = _shared_pictures(objects, results, by_name)
    true_masks = found_masks = None
    if task == "segmentation":
        true_masks = _masks(
            objects.source, "annotations", objects.segmentations, objects.images, objects
        )
        found_masks = _masks(results.source, "", results.segmentations, images, objects)
        true_masks = [true_masks[row] for row in np.flatnonzero(keep).tolist()]
        found_masks = [found_masks[row] for row in np.flatnonzero(kept).tolist()]
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
            true_masks,
        ),
        FoundObjects(
            images[kept], of_results[kept], results.boxes[kept], results.scores[kept], found_masks
        ),
        "mask" if task == "segmentation" else "box",
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
    chart = Chart("Precision over recall, IoU 0.5", "recall", "precision", None, curves)
    return Report(
        task,
        "pycocotools 2.0.11",
        combined,
        rows,
        "categories",
        _COLUMNS,
        tuple(notes),
        {"pictures": len(objects.image_ids)},
        (),
        {"precision-recall": chart},
    )


def _masks(
    source: str, word: str, segmentations: Sequence[Any], images: IntArray, truth: CocoTruth
) -> list[bytes]:
    """The mask of every row as compressed run lengths."""
    masks = []
    for row, (segmentation, image) in enumerate(zip(segmentations, images.tolist(), strict=True)):
        width, height = truth.sizes[image]
        place = f"{source}: {word}[{row}]: segmentation"
        masks.append(compressed_mask(segmentation, width, height, place))
    return masks


def _shared_categories(
    truth: CocoTruth, results: CocoResults, by_name: bool
) -> tuple[tuple[str, ...], IntArray, IntArray, list[str]]:
    """Category names, and the category of every truth row and every result, -1 for those left out."""
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
        # Here, not above: the tables bring a library that takes longer to load than most scores.
        from filmroom.tables import KINDS

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
