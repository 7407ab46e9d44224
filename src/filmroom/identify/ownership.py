"""Whose shirt a number is on: one number to one player in a frame, decided by silhouettes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.geometry import boxes as box_geometry
from filmroom.geometry.masks import decode_rle
from filmroom.tables import boxes_of, detection_keys, rows_of_keys

_SAME_NUMBER = 0.5  # overlap over the smaller box at which two reads are of one printed number
_LEAST_INSIDE = 0.5  # share of the number's box that must lie on the reader's own silhouette


def own_numbers(number_reads: pa.Table, detections: pa.Table, masks: pa.Table) -> pa.Table:
    """The reads that lie on the silhouette of the person they were read from.

    Where two people's boxes hold the same printed number, it stays with the one whose silhouette
    covers more of it. Reads without text are dropped.
    """
    texts = np.array(number_reads["text"].to_pylist(), dtype=object)
    written = np.flatnonzero(texts != "") if len(texts) else np.zeros(0, int)
    reads = number_reads.take(pa.array(written))
    if not reads.num_rows:
        return reads
    inside = _share_on_silhouette(reads, detections, masks)
    kept = inside >= _LEAST_INSIDE
    frames = reads["frame"].to_numpy()
    boxes = boxes_of(reads)
    for start, end in _runs(frames):
        overlap = box_geometry.overlap_of_smaller(boxes[start:end], boxes[start:end])
        for first, second in zip(*np.nonzero(np.triu(overlap > _SAME_NUMBER, 1)), strict=True):
            loser = second if inside[start + first] >= inside[start + second] else first
            kept[start + loser] = False
    return reads.filter(pa.array(kept))


def _runs(frames: NDArray[np.integer]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.r_[True, np.diff(frames) != 0, True])
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _share_on_silhouette(reads: pa.Table, detections: pa.Table, masks: pa.Table) -> NDArray[np.float64]:
    """Share of each number's box that lies on its reader's silhouette; 1 where there is none."""
    keys = detection_keys(reads)
    person_rows, mask_rows = rows_of_keys(detections, keys), rows_of_keys(masks, keys)
    shares = np.ones(reads.num_rows)
    numbers, corners = boxes_of(reads), boxes_of(detections.take(np.maximum(person_rows, 0)))
    for index, (person, row) in enumerate(zip(person_rows, mask_rows, strict=True)):
        if person < 0 or row < 0:
            continue
        width, height = masks["width"][row].as_py(), masks["height"][row].as_py()
        mask = decode_rle(masks["rle"][row].as_py(), width, height)
        left, top = max(0, int(corners[index, 0])), max(0, int(corners[index, 1]))
        x, y, w, h = numbers[index]
        rows = slice(max(0, int(y) - top), max(0, int(np.ceil(y + h)) - top))
        columns = slice(max(0, int(x) - left), max(0, int(np.ceil(x + w)) - left))
        window = mask[rows, columns]
        shares[index] = window.mean() if window.size else 0.0
    return shares
