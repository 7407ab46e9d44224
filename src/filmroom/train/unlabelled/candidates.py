"""Boxes that may hold a player: foreground divided into every number of clusters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]

TALLNESS = 2.2
"""Height of a cluster over its width: coordinates are divided by it before K-means."""

_SINGLE_ASPECT = (1.3, 4.8)
_TRIALS = 400
_NEAR_HEIGHT = 0.22  # share of a height by which an inlier may leave the model
_FEWEST = 12
_MOST_CLUSTERS = 9
_MOST_POINTS = 900  # pixels of a region on which clusters are sought


@dataclass(frozen=True)
class BodyHeight:
    """How tall people stand in the picture: `base + slope * y` pixels with their feet at row y."""

    base: float
    slope: float

    def at(self, feet: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Expected heights, at least four pixels."""
        return np.maximum(4.0, self.base + self.slope * np.asarray(feet, float))


@dataclass(frozen=True)
class Candidates:
    """Candidates of one frame, N rows.

    boxes (N, 4) x, y, w, h; region (N,) the connected region divided; clusters (N,) into how many;
    area (N,) mask pixels; centred (N,) whether the box's middle lies in the mask; border (N,) share of
    the mask's pixels within a pixel of the box's edge. `regions` (R, 4) are the boxes of all regions.
    """

    boxes: Boxes
    region: NDArray[np.int64]
    clusters: NDArray[np.int64]
    area: NDArray[np.float64]
    centred: Mask
    border: NDArray[np.float64]
    regions: Boxes


def fit_body_height(regions: Boxes, rng: np.random.Generator) -> BodyHeight | None:
    """The line that most upright regions' heights follow, by RANSAC; None where they are too few."""
    aspect = regions[:, 3] / np.maximum(1, regions[:, 2])
    upright = regions[
        (aspect > _SINGLE_ASPECT[0]) & (aspect < _SINGLE_ASPECT[1]) & (regions[:, 3] >= 8)
    ]
    if len(upright) < _FEWEST:
        return None
    feet, tall = upright[:, 1] + upright[:, 3], upright[:, 3]
    best, most = BodyHeight(float(np.median(tall)), 0.0), -1.0
    for _ in range(_TRIALS):
        first, second = rng.choice(len(upright), 2, replace=False)
        run = feet[second] - feet[first]
        slope = (tall[second] - tall[first]) / run if abs(run) > 8 else 0.0
        # Nearer people are taller, but nobody grows faster than he comes nearer.
        if not 0 <= slope < 0.8:
            continue
        model = BodyHeight(float(tall[first] - slope * feet[first]), float(slope))
        expected = model.at(feet)
        near = np.abs(tall / expected - 1) < _NEAR_HEIGHT
        # Specks are many and small; a person is worth his height.
        worth = float(np.sqrt(tall[near]).sum())
        if worth > most:
            best, most = model, worth
    near = np.abs(tall / best.at(feet) - 1) < _NEAR_HEIGHT
    if near.sum() >= _FEWEST and np.ptp(feet[near]) > 20:
        slope, base = np.polyfit(feet[near], tall[near], 1)
        if 0 <= slope < 0.8:
            return BodyHeight(float(base), float(slope))
    return best


def regions_of(mask: Mask, least: int = 20) -> tuple[NDArray[np.int32], Boxes]:
    """Connected regions of `least` pixels or more: labels (h, w) from 1, boxes (R, 4) in that order."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= least)
    kept = kept[kept > 0]
    renumbered = np.zeros(count, np.int32)
    renumbered[kept] = np.arange(1, len(kept) + 1)
    return renumbered[labels], stats[kept, :4].astype(float)


def find_candidates(mask: Mask, height: BodyHeight) -> Candidates:
    """K-means of every region of the foreground, for every number of clusters it has room for."""
    labels, regions = regions_of(mask)
    found: list[tuple[float, ...]] = []
    for index, (x, y, w, h) in enumerate(regions.astype(int)):
        window = labels[y : y + h, x : x + w] == index + 1
        rows, columns = np.nonzero(window)
        tall = float(height.at(y + h))
        # A body fills about two fifths of a box half as wide as it is tall.
        room = len(rows) / (0.2 * tall * tall)
        most = int(np.clip(np.ceil(room * 1.3), 1, _MOST_CLUSTERS))
        for clusters in range(1, most + 1):
            for group in _divided(rows, columns, clusters):
                found.append((*_described(rows[group], columns[group], x, y), index, clusters))
    table = np.array(found, float).reshape(-1, 9)
    return Candidates(
        table[:, :4],
        table[:, 7].astype(np.int64),
        table[:, 8].astype(np.int64),
        table[:, 4],
        table[:, 5] > 0,
        table[:, 6],
        regions,
    )


def _divided(
    rows: NDArray[np.intp], columns: NDArray[np.intp], clusters: int
) -> list[NDArray[np.bool_]]:
    if clusters == 1:
        return [np.ones(len(rows), bool)]
    points = np.stack([columns.astype(np.float32), rows.astype(np.float32) / TALLNESS], axis=1)
    sample = points[:: max(1, len(points) // _MOST_POINTS)]
    if len(sample) < 3 * clusters:
        return []
    # Seeds spread along the width: people of a group stand beside each other more than above.
    order = np.argsort(points[:, 0] + 0.3 * points[:, 1], kind="stable")
    seeds = points[order[((np.arange(clusters) + 0.5) * len(points) / clusters).astype(int)]]
    centres = seeds
    for _ in range(8):
        nearest = ((sample[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        counts = np.maximum(1, np.bincount(nearest, minlength=clusters))
        centres = np.stack(
            [np.bincount(nearest, sample[:, axis], clusters) / counts for axis in (0, 1)], axis=1
        ).astype(np.float32)
    owner = ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    return [owner == cluster for cluster in range(clusters) if (owner == cluster).sum() >= 12]


def _described(
    rows: NDArray[np.intp], columns: NDArray[np.intp], x: int, y: int
) -> tuple[float, float, float, float, float, float, float]:
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    middle_row, middle_column = (top + bottom) / 2, (left + right) / 2
    centred = bool(
        ((np.abs(rows + 0.5 - middle_row) < 1.6) & (np.abs(columns + 0.5 - middle_column) < 1.6)).any()
    )
    edge = (rows <= top) | (rows >= bottom - 1) | (columns <= left) | (columns >= right - 1)
    return (
        float(x + left),
        float(y + top),
        float(right - left),
        float(bottom - top),
        float(len(rows)),
        float(centred),
        float(edge.mean()),
    )
