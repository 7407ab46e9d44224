"""All looks at the kits of all tracks, and the space in which kits are compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom.tables import APPEARANCE_LENGTH, detection_keys, rows_of_keys


class Looks(NamedTuple):
    """Row i is one look: `track` (N,), `frame` (N,), `vectors` (N, 96), `quality` (N,) in 0..1."""

    track: NDArray[np.integer]
    frame: NDArray[np.integer]
    vectors: NDArray[np.float64]
    quality: NDArray[np.float64]


def looks_of_tracks(tracks: pa.Table, appearance: pa.Table) -> Looks:
    """The looks at each track, in order of track and frame; hidden people count less."""
    seen = tracks.filter(pc.is_valid(tracks["detection"]))
    matched = rows_of_keys(appearance, detection_keys(seen))
    has_look = matched >= 0
    rows = matched[has_look]
    vectors = appearance["vector"].combine_chunks().flatten().to_numpy().reshape(-1, APPEARANCE_LENGTH)
    quality = appearance["quality"].to_numpy().astype(float)[rows]
    visible = seen["visible"].to_numpy().astype(float)[has_look]
    track = seen["track"].to_numpy()[has_look]
    frame = seen["frame"].to_numpy()[has_look]
    order = np.lexsort((frame, track))
    useful = order[(quality * visible)[order] > 0]
    return Looks(
        track[useful],
        frame[useful],
        vectors[rows[useful]],
        (quality * visible**2)[useful],
    )


def kit_space(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Vectors (N, 96) of `observe.appearance.KitColours`, weighed so that distance tells kits apart.

    As precise as the vectors given: those of a long match take half the room in single precision.
    """
    weights = np.concatenate(
        [
            np.full(64, 0.6),
            np.full(20, 0.25),
            np.full(3, 2.0),
            np.full(3, 0.8),
            np.full(3, 0.5),
            np.full(3, 0.5),
        ]
    )
    return np.asarray(vectors * weights.astype(vectors.dtype))


def kit_distances(space: NDArray[np.floating], centres: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance (N, K) of looks in `kit_space` from each of K centres."""
    each = [np.linalg.norm(space - centre.astype(space.dtype), axis=1) for centre in centres]
    return np.stack(each, axis=1).astype(np.float64)
