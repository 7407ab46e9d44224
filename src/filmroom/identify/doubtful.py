"""People whom the detector doubts, believed where they wear a team's kit.

Who stands off the pitch, before boards and crowd, scores low whoever he is: the taker of a corner as
much as a steward. The kit tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from filmroom.identify.looks import kit_distances, looks_of_tracks
from filmroom.identify.teams import TEAMS, mean_kits

_FEWEST_LOOKS = 5
_LEAST_SECONDS = 1.0
_NEAR = 0.3  # of the distance between the teams' kits: strangers beside the pitch start at 0.32


def tracks_in_kit(
    doubtful: pa.Table,
    tracks: pa.Table,
    teams: Mapping[int, str | None],
    appearance: pa.Table,
    fps: float,
) -> list[int]:
    """Ids of those of the `doubtful` TRACKS whose mean kit is nearly the mean kit of a team.

    `tracks` are the TRACKS of sure people and `teams` the team of each; `appearance` holds the kits of
    both. Nobody where there are not two teams, since then nothing says how alike kits are.
    """
    if not doubtful.num_rows:
        return []
    known = looks_of_tracks(tracks, appearance)
    team = np.array([teams.get(track) or "" for track in known.track.tolist()])
    if not all((team == each).any() for each in TEAMS):
        return []
    mates = np.isin(team, TEAMS)
    side = np.searchsorted(TEAMS, team[mates])
    kits, _ = mean_kits(known.vectors[mates], known.quality[mates], side, np.arange(len(TEAMS)))
    limit = _NEAR * float(kit_distances(kits[:1], kits[1:])[0, 0])
    looks = looks_of_tracks(doubtful, appearance)
    ids, frames = np.unique(doubtful["track"].to_numpy(), return_counts=True)
    counts = np.bincount(np.searchsorted(ids, looks.track), minlength=len(ids))
    means, _ = mean_kits(looks.vectors, looks.quality, looks.track, ids)
    believed = kit_distances(means, kits).min(axis=1) < limit
    believed &= (counts >= _FEWEST_LOOKS) & (frames >= _LEAST_SECONDS * fps)
    result: list[int] = ids[believed].tolist()
    return result
