"""Camera motion added up: where a point of one frame lies in another frame of the same shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_DEPTH = 0.05


@dataclass(frozen=True)
class Panorama:
    """The camera's path over the frames looked at.

    frames
        (F,) frame indices, rising.
    shot
        (F,) number of the shot each belongs to.
    step
        (F, 3, 3) homography from the frame before in this list, identity at the start of a shot.
    path
        (F, 3, 3) homography from the first frame of the shot to this one; `back` is its inverse.
    known
        (F,) whether the step was measured.
    """

    frames: Ints
    shot: Ints
    step: Matrix
    path: Matrix
    back: Matrix
    known: NDArray[np.bool_]

    def rows(self, frames: NDArray[np.integer[Any]]) -> Ints:
        """Row of each of these frame indices."""
        return np.asarray(np.searchsorted(self.frames, frames), dtype=np.int64)

    def carry(self, start: Ints, end: Ints, points: Matrix) -> tuple[Matrix, Matrix]:
        """Points (..., 2) of rows `start` as seen in rows `end`, and the change of scale (...)."""
        return apply(self.path[end] @ self.back[start], points)


def apply(matrix: Matrix, points: Matrix) -> tuple[Matrix, Matrix]:
    """Points (..., 2) mapped by matrices (..., 3, 3), and the local change of scale (...)."""
    mapped = np.einsum("...ij,...j->...i", matrix[..., :2], points) + matrix[..., 2]
    depth = np.maximum(mapped[..., 2], _LEAST_DEPTH)
    where = mapped[..., :2] / depth[..., None]
    # Area grows by det / depth^3 under a homography; a length by the square root of that.
    scale = np.sqrt(np.maximum(np.linalg.det(matrix), 1e-9) / depth**3)
    return where, scale


def panorama_of(frames: NDArray[np.integer[Any]], motion: pa.Table, shots: pa.Table) -> Panorama:
    """The camera's path from MOTION and SHOTS; frames without a measured motion are taken as still."""
    looked = np.unique(np.asarray(frames, dtype=np.int64))
    shot = shot_of_frames(looked, shots)
    step = np.tile(np.eye(3), (len(looked), 1, 1))
    known = np.zeros(len(looked), bool)
    if motion.num_rows and len(looked):
        column = motion["matrix"].combine_chunks()
        valid = np.asarray(column.is_valid())
        values = column.filter(column.is_valid()).flatten().to_numpy(zero_copy_only=False)
        matrices = values.reshape(-1, 3, 3)
        moved = motion["frame"].to_numpy()[valid]
        row = np.clip(np.searchsorted(looked, moved), 0, len(looked) - 1)
        here = looked[row] == moved
        fit = np.isfinite(matrices).all(axis=(1, 2)) & (np.abs(np.linalg.det(matrices)) > 1e-6)
        step[row[here & fit]] = matrices[here & fit] / matrices[here & fit][:, 2:, 2:]
        known[row[here & fit]] = True
    return with_steps(looked, shot, step, known)


def with_steps(frames: Ints, shot: Ints, step: Matrix, known: NDArray[np.bool_]) -> Panorama:
    """A panorama from single steps; steps into a new shot become the identity."""
    step = step.copy()
    first = np.ones(len(frames), bool)
    first[1:] = shot[1:] != shot[:-1]
    step[first] = np.eye(3)
    path = step.copy()
    for row in range(1, len(frames)):
        if not first[row]:
            product = step[row] @ path[row - 1]
            path[row] = product / product[2, 2] if abs(product[2, 2]) > 1e-9 else path[row - 1]
    back: Matrix = np.linalg.inv(path).astype(float) if len(path) else path
    return Panorama(frames, shot, step, path, back, known)


def shot_of_frames(frames: Ints, shots: pa.Table) -> Ints:
    """Number of the shot that each frame lies in; frames before the first shot belong to it."""
    if not shots.num_rows:
        return np.zeros(len(frames), np.int64)
    first = np.sort(shots["first_frame"].to_numpy().astype(np.int64))
    return np.asarray(np.clip(np.searchsorted(first, frames, side="right") - 1, 0, None))
