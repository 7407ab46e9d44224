"""What silhouettes say about who is who: small occupancy grids, compared where boxes leave a doubt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.geometry.masks import decode_rle
from filmroom.tables import MASKS, rows_of_keys

Grids = NDArray[np.float32]
Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]
Silhouettes = Callable[[Ints], Grids]

GRID = (18, 9)  # rows and columns that a box is divided into
CELLS = GRID[0] * GRID[1]

# Mean and spread of `alike` a frame apart: of one person, and of others whose boxes overlap his.
# Measured on simulated crowds.
_SAME, _OTHER = (0.67, 0.15), (0.40, 0.13)
_MOST = 3.0  # log-odds that a silhouette may say


class KeptMasks:
    """Grids of detections, worked out when asked for: few ever are.

    `masks` are MASKS, `keys` (N,) the detections as `tables.detection_keys` gives them.
    """

    def __init__(self, masks: pa.Table, keys: NDArray[np.int64]) -> None:
        self._rows = rows_of_keys(MASKS.check(masks), keys)
        self._runs = masks["rle"].combine_chunks()
        self._sides = np.stack([masks[name].to_numpy() for name in ("width", "height")], axis=1)

    def __call__(self, wanted: Ints) -> Grids:
        """(n, CELLS) of detections by their place in `keys`, zero where there is no mask."""
        grids = np.zeros((len(wanted), CELLS), np.float32)
        for place, row in enumerate(self._rows[wanted].tolist()):
            if row >= 0:
                width, height = self._sides[row].tolist()
                grids[place] = grid_of(decode_rle(self._runs[row].as_py(), width, height))
        return grids


def grid_of(mask: NDArray[np.bool_]) -> Grids:
    """(CELLS,) how full each part of a silhouette's own crop (h, w) is."""
    import cv2

    filled = np.ascontiguousarray(mask).astype(np.float32)
    grid = cv2.resize(filled, GRID[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(grid.ravel(), np.float32)


def alike(known: Grids, seen: Grids) -> Matrix:
    """(T, N) overlap of silhouettes laid over each other box by box: shared over joint occupancy."""
    shared = np.minimum(known[:, None], seen[None]).sum(axis=2, dtype=float)
    joint = known.sum(axis=1, dtype=float)[:, None] + seen.sum(axis=1, dtype=float) - shared
    result: Matrix = shared / np.maximum(joint, 1e-9)
    return result


def silhouette_odds(known: Grids, seen: Grids) -> Matrix:
    """(T, N) log-odds that both are of one person, a frame apart; 0 where either is unknown."""
    apart = alike(known, seen)
    (same, near), (other, far) = _SAME, _OTHER
    odds = 0.5 * ((apart - other) / far) ** 2 - 0.5 * ((apart - same) / near) ** 2
    odds += np.log(far / near)
    # Beyond the means more says no more: the tails of two bells of unequal width would.
    odds = np.where(apart >= same, np.maximum(odds, 0.0), odds)
    odds = np.where(apart <= other, np.minimum(odds, 0.0), odds)
    odds[~known.any(axis=1)] = 0.0
    odds[:, ~seen.any(axis=1)] = 0.0
    result: Matrix = np.clip(odds, -_MOST, _MOST)
    return result


def doubtful(
    likeness: Matrix, taken: Ints, chosen: Ints, least: float, doubt: float
) -> tuple[Ints, Ints]:
    """Tracks and boxes of (T, N) whose pairing would hardly have cost more another way.

    A box is in doubt where another track than that `taken` for it comes within `doubt` of it, or
    nearer, above `least`.
    """
    best = np.full(likeness.shape[1], np.inf)
    best[chosen] = likeness[taken, chosen]
    tempting = (likeness > best - doubt) & (likeness > least)
    boxes = (np.count_nonzero(tempting, axis=0) > 1).nonzero()[0]
    return np.flatnonzero(tempting[:, boxes].any(axis=1)), boxes
