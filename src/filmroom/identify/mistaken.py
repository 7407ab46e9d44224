"""What the detector mistook for people: spots of light on ice and floors, dwarfs, fixtures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.identify.looks import looks_of_tracks
from filmroom.tables import boxes_of

_FEWEST_LOOKS = 2
_EVEN = (0.08, 0.013, 0.018)  # spread of L, a and b, of 100, over what would be the shirt
_NEARLY_ALL = 0.9  # of the tracks; there may be more lamps than people
_NEAR = 0.12  # of the picture's height, between the feet of people who are as far from the camera
_FEWEST_NEAR = 3
_EVERY = 5  # frames: enough to tell sizes by
_DWARF = 0.45  # of the height of the others there: nobody on a pitch is as small
_WATCHED = 2.0  # seconds in which everybody stirs
_STIRS = 0.04  # body heights sideways; the box of a post trembles by 0.03, who stands sways by 0.09


def light_spots(tracks: pa.Table, appearance: pa.Table) -> NDArray[np.int64]:
    """Ids of tracks that are all of one even colour, as no clothed body is in any light.

    In twenty clips of seven sports each of those was a lamp mirrored by the floor or the ice, its
    gleam or a shadow; plain white kits in the sun vary twice as much. None where nearly all are of even
    colour, as in black and white.
    """
    looks = looks_of_tracks(tracks, appearance)
    if not len(looks.track):
        return np.zeros(0, np.int64)
    ids, first, count = np.unique(looks.track, return_index=True, return_counts=True)
    weights = looks.quality[:, None]
    spread = np.add.reduceat(weights * looks.vectors[:, -3:], first) / np.add.reduceat(weights, first)
    if (np.quantile(spread[:, 1:], _NEARLY_ALL, axis=0) < _EVEN[1:]).all():
        return np.zeros(0, np.int64)
    even = (count >= _FEWEST_LOOKS) & (spread < _EVEN).all(axis=1)
    return np.asarray(ids[even], np.int64)


def dwarfs(tracks: pa.Table, height: int) -> NDArray[np.int64]:
    """Ids of tracks that are mostly less than half as large as people as far from the camera.

    `height` is the picture's. Whoever lies on the ground is as wide as others are tall.
    """
    tracks = tracks.filter(pa.array(tracks["frame"].to_numpy() % _EVERY == 0))
    owner, boxes = tracks["track"].to_numpy(), boxes_of(tracks)
    size = boxes[:, 2:].max(axis=1)
    share = np.full(len(owner), np.nan)
    order = np.argsort(tracks["frame"].to_numpy(), kind="stable")
    frames = tracks["frame"].to_numpy()[order]
    for here in np.split(order, np.flatnonzero(np.diff(frames)) + 1):
        share[here] = _shares_of_neighbours(size[here], boxes[here], _NEAR * height)
    known = np.isfinite(share)
    owner, share = owner[known], share[known]
    small = [track for track in np.unique(owner) if np.median(share[owner == track]) < _DWARF]
    return np.array(small, dtype=np.int64)


def fixtures(tracks: pa.Table, fps: float) -> NDArray[np.int64]:
    """Ids of tracks that never stir in the picture, as posts and backboards before a camera at rest.

    None where hardly anybody stirs, as in a still picture.
    """
    owner, boxes = tracks["track"].to_numpy(), boxes_of(tracks)
    middle = boxes[:, 0] + boxes[:, 2] / 2
    ids, count = np.unique(owner, return_counts=True)
    ids = ids[count >= _WATCHED * fps]
    sways = np.zeros(len(ids))
    for row, track in enumerate(ids):
        mine = owner == track
        sways[row] = np.ptp(np.quantile(middle[mine], (0.1, 0.9))) / np.median(boxes[mine, 3])
    if not len(ids) or np.median(sways) < 2 * _STIRS:
        return np.zeros(0, np.int64)
    return np.asarray(ids[sways < _STIRS], np.int64)


def _shares_of_neighbours(
    size: NDArray[np.floating[Any]], boxes: NDArray[np.floating[Any]], near: float
) -> NDArray[np.float64]:
    """Size (N,) over the median height of those whose feet are near; NaN where those are few."""
    feet = boxes[:, 1] + boxes[:, 3]
    others = (np.abs(feet[:, None] - feet) < near) & ~np.eye(len(feet), dtype=bool)
    enough = others.sum(axis=1) >= _FEWEST_NEAR
    share = np.full(len(feet), np.nan)
    heights = np.where(others[enough], boxes[:, 3], np.nan)
    share[enough] = size[enough] / np.nanmedian(heights, axis=1)
    return share
