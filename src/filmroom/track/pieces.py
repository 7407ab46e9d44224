"""Tracklets of a clip in one set of arrays, and what is known where one begins or ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmroom.track.panorama import Panorama

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_RIDGE = 0.02  # seconds squared: keeps the speed of short pieces, which is mostly noise, small


@dataclass(frozen=True)
class Pieces:
    """Tracklets: detections in order of tracklet, then frame; `edge` (P + 1,) bounds each.

    `tracklet` (P,) is the online tracker's id, which pieces cut from one tracklet share, and `margin`
    (P,) the log-odds of its choice where the piece begins (0 where there was none).
    """

    index: Ints
    edge: Ints
    row: Ints
    box: Matrix
    score: Matrix
    vector: Matrix | None
    tracklet: Ints
    margin: Matrix
    count: int

    @staticmethod
    def of(
        piece: Ints,
        row: Ints,
        box: Matrix,
        score: Matrix,
        vector: Matrix | None,
        tracklet: Ints | None = None,
        margin: Matrix | None = None,
    ) -> Pieces:
        """From piece (0: none), row, box (centre and size), score and vector of all detections.

        `tracklet` and `margin` are what the online tracker gave each of them.
        """
        order = np.lexsort((row, piece))
        order = order[piece[order] > 0]
        edge = np.flatnonzero(np.diff(piece[order], prepend=-1, append=-1))
        owner = piece if tracklet is None else tracklet
        return Pieces(
            order,
            edge,
            row[order],
            box[order],
            score[order],
            None if vector is None else vector[order],
            owner[order[edge[:-1]]],
            np.zeros(len(edge) - 1) if margin is None else _finite(margin[order[edge[:-1]]]),
            len(piece),
        )

    @property
    def first(self) -> Ints:
        """Position of the first detection of each piece."""
        return self.edge[:-1]

    @property
    def last(self) -> Ints:
        """Position of the last detection of each piece."""
        return self.edge[1:] - 1


def _finite(margin: Matrix) -> Matrix:
    return np.where(np.isfinite(margin), margin, 0.0)


@dataclass(frozen=True)
class Ends:
    """Where pieces begin or end: row, box (centre and size), and speed in pixels a second.

    The camera's motion is taken out of the speed; `count` detections were used, and `trust` (0..1)
    is the share of a speed that so few can show.
    """

    row: Ints
    box: Matrix
    speed: Matrix
    count: Ints
    trust: Matrix

    def take(self, wanted: Ints) -> Ends:
        """Those of these indices, in their order."""
        return Ends(
            self.row[wanted],
            self.box[wanted],
            self.speed[wanted],
            self.count[wanted],
            self.trust[wanted],
        )


def ends_of(
    pieces: Pieces,
    panorama: Panorama,
    here: Ints,
    furthest: Ints,
    *,
    window: float,
    rate: float,
) -> Ends:
    """What lies at positions `here` of `pieces`, from there towards `furthest`.

    Position and speed are those of a line through the boxes of `window` seconds, the size their mean.
    Where `furthest` is before `here` a piece ends here, else it begins.
    """
    backward = furthest <= here
    most = max(3, round(window * rate))
    direction = np.where(backward, -1, 1)
    position = here[:, None] + direction[:, None] * np.arange(most)
    inside = np.where(backward[:, None], position >= furthest[:, None], position <= furthest[:, None])
    position = np.where(inside, position, here[:, None])
    row = pieces.row[here]
    time = (pieces.row[position] - row[:, None]) / rate
    inside &= np.abs(time) <= 2 * window
    weight = inside.astype(float)
    count = inside.sum(axis=1)
    boxes = pieces.box[position]
    place, scale = panorama.carry(
        pieces.row[position], np.broadcast_to(row[:, None], position.shape), boxes[:, :, :2]
    )
    middle = (weight * time).sum(axis=1) / count
    centre = (weight[:, :, None] * place).sum(axis=1) / count[:, None]
    lever = weight * (time - middle[:, None])
    slope = (lever[:, :, None] * (place - centre[:, None])).sum(axis=1)
    reach = (lever * lever).sum(axis=1)
    slope /= (reach + _RIDGE)[:, None]
    box = np.empty((len(here), 4))
    short = count < 3
    slope[short] = 0.0
    box[:, :2] = np.where(short[:, None], place[:, 0], centre - slope * middle[:, None])
    size = np.log(np.maximum(boxes[:, :, 2:] * scale[:, :, None], 1e-3))
    box[:, 2:] = np.exp((weight[:, :, None] * size).sum(axis=1) / count[:, None])
    trust = np.where(short, 0.0, reach / (reach + _RIDGE))
    return Ends(row, box, slope, count, trust)
