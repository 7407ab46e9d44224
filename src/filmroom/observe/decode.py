"""From the detector's output map to boxes: shared by the running detector and its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom import tables
from filmroom.geometry import boxes as box_geometry

STRIDE = 4
KINDS = tables.KINDS
ROLES = ("player", "goalkeeper", "referee")
MOST_PEAKS = 300
SUPPRESSION_IOU = 0.65

_RIDGE = 0.5  # share of a peak's heat down to which cells belong to it
_RIDGE_LEAST = 0.3  # heat of a peak from which it may be two people
_RIDGE_ROWS, _RIDGE_COLUMNS = 7, 9  # cells that it may reach to either side
_RIDGE_IOU = 0.5  # overlap below which boxes of one ridge are two people's
_RIDGE_END = 0.8  # least share of the peak's heat that either end is given


class Detections(NamedTuple):
    """What was found in one picture; row i of every array is the same detection.

    boxes (N, 4) `x, y, w, h` in pixels; scores (N,) in 0..1; kinds (N,) index into KINDS;
    roles (N, 3) probabilities of ROLES, meaningful for persons, as is heads (N,): where along its box
    the head is, from the left edge at 0 to the right one at 1.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.int8]
    roles: NDArray[np.float32]
    heads: NDArray[np.float32]

    @classmethod
    def nothing(cls) -> Detections:
        """No detection at all."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int8),
            np.zeros((0, len(ROLES)), np.float32),
            np.zeros(0, np.float32),
        )

    @classmethod
    def concatenate(cls, several: Sequence[Detections]) -> Detections:
        """All detections of several, in the order given."""
        parts = [cls.nothing(), *several]
        return cls(
            np.concatenate([part.boxes for part in parts]).astype(np.float32),
            np.concatenate([part.scores for part in parts]).astype(np.float32),
            np.concatenate([part.kinds for part in parts]).astype(np.int8),
            np.concatenate([part.roles for part in parts]).astype(np.float32),
            np.concatenate([part.heads for part in parts]).astype(np.float32),
        )

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Those rows only."""
        columns = self.boxes[rows], self.scores[rows], self.kinds[rows], self.roles[rows]
        return Detections(*columns, self.heads[rows])

    def cut(self, width: int, height: int) -> Detections:
        """The same, boxes cut at the border of a picture of that size; heads stay where they are."""
        boxes = box_geometry.clip(self.boxes, width, height).astype(np.float32)
        across = self.boxes[:, 0] + self.heads * self.boxes[:, 2]
        heads = box_geometry.shares_across(boxes, across).astype(np.float32)
        return self._replace(boxes=boxes, heads=heads)

    def scaled(self, share: float) -> Detections:
        """The same with every score multiplied by `share`."""
        return self._replace(scores=(self.scores * np.float32(share)).astype(np.float32))


def detections_table(frames: Sequence[int], found: Sequence[Detections]) -> pa.Table:
    """What was found in each of the frames as one DETECTIONS table, numbered from 0 in each."""
    rows = Detections.concatenate(found)
    counts = [len(each.boxes) for each in found]
    within = [np.arange(count, dtype=np.int32) for count in (0, *counts)]
    scores = np.clip(rows.scores, 0, 1)
    not_people = rows.kinds != KINDS.index("person")
    return tables.DETECTIONS.build(
        {
            "frame": np.repeat(np.array(frames, dtype=np.int32), counts),
            "detection": np.concatenate(within),
            **{name: rows.boxes[:, column] for column, name in enumerate("xywh")},
            "score": scores,
            "kind": np.array(KINDS)[rows.kinds],
            "kind_score": scores,
            "goalkeeper": pa.array(np.clip(rows.roles[:, 1], 0, 1), mask=not_people),
            "referee": pa.array(np.clip(rows.roles[:, 2], 0, 1), mask=not_people),
            "head": pa.array(np.clip(rows.heads, 0, 1), mask=not_people),
        }
    )


def decode(output: NDArray[np.float32], threshold: float) -> Detections:
    """Boxes at the local maxima of the heat channels of one (11, H/4, W/4) map, in input pixels.

    A score is the geometric mean of the heat and of the predicted IoU. Boxes of one kind that overlap
    by more than 0.65 IoU are suppressed; what is not a person or a ball occurs alone anyway.
    """
    rows, columns, kinds, heat = _peaks(output[:3], threshold)
    if len(rows) == 0:
        return Detections.nothing()
    rows, columns, kinds, heat = _with_ridges_split(output, rows, columns, kinds, heat)
    values = output[3:, rows, columns].T
    quality = 1 / (1 + np.exp(-values[:, 4]))
    scores = np.sqrt(heat * quality)
    boxes = _boxes_at(output, rows, columns)
    roles = np.exp(values[:, 5:8] - values[:, 5:8].max(1, keepdims=True))
    roles /= roles.sum(1, keepdims=True)
    # Kinds are moved apart so that one pass suppresses within each kind only.
    apart = boxes.copy()
    apart[:, 0] += kinds * 1e5
    keep = box_geometry.non_maximum_suppression(apart, scores, SUPPRESSION_IOU)
    keep = keep[scores[keep] >= threshold]
    found = Detections(
        boxes,
        scores.astype(np.float32),
        kinds.astype(np.int8),
        roles.astype(np.float32),
        box_geometry.shares_across(boxes, _summits(output[0], rows, columns)).astype(np.float32),
    )
    return found.take(keep)


def _summits(
    heat: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Where each peak is highest between the cells beside it: x in pixels, by a parabola."""
    last = heat.shape[1] - 1
    left, right = heat[rows, np.maximum(columns - 1, 0)], heat[rows, np.minimum(columns + 1, last)]
    bend = np.maximum(2 * heat[rows, columns] - left - right, 1e-3)
    aside = np.clip((right - left) / (2 * bend), -0.5, 0.5)
    return np.asarray((columns + 0.5 + aside) * STRIDE, np.float32)


def _boxes_at(
    output: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The boxes (N, 4) that the map foretells at these cells."""
    edges = np.exp(np.clip(output[3:7, rows, columns].T, -4, 6)) * STRIDE
    centre_x = (columns + 0.5) * STRIDE
    centre_y = (rows + 0.5) * STRIDE
    return np.stack(
        [
            centre_x - edges[:, 0],
            centre_y - edges[:, 1],
            edges[:, 0] + edges[:, 2],
            edges[:, 1] + edges[:, 3],
        ],
        axis=1,
    ).astype(np.float32)


_Peaks = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]
"""Rows, columns, kinds and heat (a probability)."""


def _with_ridges_split(
    output: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    kinds: NDArray[np.intp],
    heat: NDArray[np.float32],
) -> _Peaks:
    """The same peaks with those replaced by two that lie on a ridge between two people.

    People who stand close melt into one long summit whose top foretells a box around both, while its
    ends still foretell those of either. All cells of one person foretell nearly the same box.
    """
    gone, ends = [], []
    warm = np.flatnonzero((kinds == 0) & (heat >= _RIDGE_LEAST))
    peaks = set(zip(rows[warm].tolist(), columns[warm].tolist(), strict=True))
    for index in warm.tolist():
        row, column = int(rows[index]), int(columns[index])
        top, left = max(0, row - _RIDGE_ROWS), max(0, column - _RIDGE_COLUMNS)
        window = output[0, top : row + _RIDGE_ROWS + 1, left : column + _RIDGE_COLUMNS + 1]
        least = _RIDGE * heat[index]
        above = (window >= np.log(least / (1 - least))).astype(np.uint8)
        _, label = cv2.connectedComponents(above, connectivity=4)
        own_rows, own_columns = np.nonzero(label == label[row - top, column - left])
        own_rows, own_columns = own_rows + top, own_columns + left
        cells = set(zip(own_rows.tolist(), own_columns.tolist(), strict=True))
        if len(cells) < 4 or len(peaks & cells) > 1:
            continue
        boxes = _boxes_at(output, own_rows, own_columns)
        whole = _boxes_at(output, rows[index : index + 1], columns[index : index + 1])
        first = int(box_geometry.ious(whole, boxes)[0].argmin())
        overlap = box_geometry.ious(boxes[first : first + 1], boxes)[0]
        second = int(overlap.argmin())
        if overlap[second] >= _RIDGE_IOU:
            continue
        gone.append(index)
        for end in (first, second):
            own = 1 / (1 + np.exp(-output[0, own_rows[end], own_columns[end]]))
            ends.append((own_rows[end], own_columns[end], max(own, _RIDGE_END * heat[index])))
    if not gone:
        return rows, columns, kinds, heat
    end_rows, end_columns, end_heat = (np.array(each) for each in zip(*ends, strict=True))
    return (
        np.append(np.delete(rows, gone), end_rows),
        np.append(np.delete(columns, gone), end_columns),
        np.append(np.delete(kinds, gone), np.zeros(len(ends), kinds.dtype)),
        np.append(np.delete(heat, gone), end_heat).astype(np.float32),
    )


def _peaks(heat: NDArray[np.float32], threshold: float) -> _Peaks:
    """The strongest 3x3 local maxima, strongest first."""
    # sqrt(heat * quality) >= t needs heat >= t * t, whatever the quality.
    floor = np.log(threshold**2 / (1 - threshold**2))
    found = []
    for kind, channel in enumerate(np.ascontiguousarray(heat)):
        summit = (channel >= cv2.dilate(channel, np.ones((3, 3), np.uint8))) & (channel > floor)
        rows, columns = np.nonzero(summit)
        found.append((rows, columns, np.full(len(rows), kind), channel[rows, columns]))
    rows, columns, kinds, logits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    strongest = np.argsort(-logits, kind="stable")[:MOST_PEAKS]
    chances = 1 / (1 + np.exp(-logits[strongest]))
    return rows[strongest], columns[strongest], kinds[strongest], chances.astype(np.float32)
