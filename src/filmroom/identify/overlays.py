"""Things that are drawn over the picture, not filmed: they stand still while the camera moves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import boxes_of

_STILL = 0.006  # of the picture's width: how far a graphic may tremble
_PAN = 0.12  # of the picture's width: how far the camera must have carried the ground meanwhile
_LEAST_FRAMES = 10


def overlay_tracks(tracks: pa.Table, motion: pa.Table, width: int) -> NDArray[np.int64]:
    """Ids of tracks that never move in the picture although the camera does.

    A runner whom the camera follows also stays near the middle, but never to within a few pixels.
    """
    carried = _ground_shift(motion)
    owner, frames = tracks["track"].to_numpy(), tracks["frame"].to_numpy()
    boxes = boxes_of(tracks)
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    found = []
    for track in np.unique(owner):
        mine = owner == track
        if mine.sum() < _LEAST_FRAMES:
            continue
        shift = np.array([carried[frame] for frame in frames[mine].tolist() if frame in carried])
        if len(shift) < _LEAST_FRAMES:
            continue
        ground = np.ptp(shift, axis=0).max()
        tremble = np.quantile(np.abs(middle[mine] - np.median(middle[mine], axis=0)), 0.9)
        if ground > _PAN * width and tremble < _STILL * width:
            found.append(int(track))
    return np.array(found, dtype=np.int64)


def _ground_shift(motion: pa.Table) -> dict[int, NDArray[np.float64]]:
    """How far the camera's moves have carried the picture's origin by each frame, summed, pixels."""
    total = np.zeros(2)
    carried = {}
    for frame, matrix in zip(motion["frame"].to_pylist(), motion["matrix"].to_pylist(), strict=True):
        if matrix is not None:
            total = total + np.array([matrix[2], matrix[5]]) / matrix[8]
        carried[frame] = total
    return carried
