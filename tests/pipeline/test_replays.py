"""What a replay shows is not counted as play."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.resolving import resolve_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.tables import SHOTS


def test_nobody_is_followed_or_counted_in_a_replay(run: Path) -> None:
    seen = read_observations(RunFolder(run), 360)
    last = int(seen.frames["frame"].to_numpy().max())
    middle = last // 2
    shots = SHOTS.build(
        {
            "shot": [0, 1],
            "first_frame": [0, middle],
            "last_frame": [middle - 1, last],
            "kind": ["main", "replay"],
            "score": [1.0, 1.0],
        }
    )
    whole = resolve_observations(seen, fps=25.0, picture=(640, 360))
    cut = resolve_observations(msgspec.structs.replace(seen, shots=shots), fps=25.0, picture=(640, 360))
    assert whole.tracks["frame"].to_numpy().max() >= middle
    assert cut.tracks.num_rows > 0
    assert cut.tracks["frame"].to_numpy().max() < middle
    assert np.isin(cut.players["track"].to_numpy(), cut.tracks["track"].to_numpy()).all()
    assert cut.players.num_rows <= whole.players.num_rows
