"""Things that are drawn over the picture, not filmed: they stand still while the camera moves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import boxes_of

_STILL = 0.006  # of the picture's width: how far a graphic may tremble
_PAN = 0.12  # of the picture's width: how far the camera must have carried the ground meanwhile
_LEAST_FRAMES = 10
_FAR = 0.4  # of the picture's width: after such a way nearly still boxes are telling too
_MOSTLY_STILL = 0.004  # of the picture's width, for three quarters of the boxes, after such a way
_SAME_PLACE = 0.02  # of the picture's width: from one find of a graphic to the next


def overlay_tracks(tracks: pa.Table, motion: pa.Table, width: int) -> NDArray[np.int64]:
    """Ids of tracks that never move in the picture although the camera does.

    A runner whom the camera follows also stays near the middle, but never to within a few pixels.
    What is found again in the same place, as after a cut, is the same graphic.
    """
    carried = _ground_shift(motion)
    owner, frames = tracks["track"].to_numpy(), tracks["frame"].to_numpy()
    boxes = boxes_of(tracks)
    middle = (boxes[:, :2] + boxes[:, 2:] / 2) / width
    ids = np.unique(owner)
    places = np.zeros((len(ids), 2))
    ways, trembles = np.zeros(len(ids)), np.zeros((len(ids), 2))
    for row, track in enumerate(ids):
        mine = owner == track
        places[row] = np.median(middle[mine], axis=0)
        trembles[row] = np.quantile(np.abs(middle[mine] - places[row]), (0.75, 0.9))
        shift = np.array([carried[frame] for frame in frames[mine].tolist() if frame in carried])
        if len(shift) >= _LEAST_FRAMES:
            ways[row] = np.ptp(shift, axis=0).max() / width
    usual, most = trembles.T
    drawn = (ways > _PAN) & (most < _STILL) | (ways > _FAR) & (usual < _MOSTLY_STILL)
    away = np.abs(places[:, None] - places[drawn]).max(axis=2).min(axis=1, initial=np.inf)
    found: NDArray[np.int64] = ids[(away < _SAME_PLACE) & (usual < _SAME_PLACE)].astype(np.int64)
    return found


def _ground_shift(motion: pa.Table) -> dict[int, NDArray[np.float64]]:
    """How far the camera's moves have carried the picture's origin by each frame, summed, pixels."""
    total = np.zeros(2)
    carried = {}
    for frame, matrix in zip(motion["frame"].to_pylist(), motion["matrix"].to_pylist(), strict=True):
        if matrix is not None:
            total = total + np.array([matrix[2], matrix[5]]) / matrix[8]
        carried[frame] = total
    return carried
