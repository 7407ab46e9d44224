"""People whom the detector doubts, believed where they wear a team's kit.

Who stands off the pitch, before boards and crowd, scores low whoever he is: the taker of a corner as
much as a steward. The kit tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from filmroom.identify.looks import kit_distances, kit_space, looks_of_tracks
from filmroom.identify.teams import TEAMS

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
    known = looks_of_tracks(tracks, appearance)
    team = np.array([teams.get(track) or "" for track in known.track.tolist()])
    if not all((team == each).any() for each in TEAMS):
        return []
    space = kit_space(known.vectors)
    kits = np.stack(
        [np.average(space[team == each], axis=0, weights=known.quality[team == each]) for each in TEAMS]
    )
    limit = _NEAR * float(kit_distances(kits[:1], kits[1:])[0, 0])
    looks = looks_of_tracks(doubtful, appearance)
    space = kit_space(looks.vectors)
    ids, frames = np.unique(doubtful["track"].to_numpy(), return_counts=True)
    believed = []
    for track, count in zip(ids.tolist(), frames.tolist(), strict=True):
        mine = looks.track == track
        if np.count_nonzero(mine) < _FEWEST_LOOKS or count < _LEAST_SECONDS * fps:
            continue
        kit = np.average(space[mine], axis=0, weights=looks.quality[mine])
        if kit_distances(kit[None], kits).min() < limit:
            believed.append(track)
    return believed
