"""FOOTPASS player-centric actions.

`{"keys": [KEY, ...], "events": {KEY: [[frame, team, jersey, class, ...], ...]}}`.

The fifth figure is the confidence in predictions; in the truth it says whether a box is there, the
sixth whether the moment is a replay. Frames count from 0, 25 a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive

ACTION_CLASSES = ("drive", "pass", "cross", "throw-in", "shot", "header", "tackle", "block")
"""Class 1 to 8."""

_TRUTH_COLUMNS = 6
_CONFIDENCE = 4
_LARGEST = 1 << 40


@dataclass(frozen=True)
class PlayerActions:
    """Actions of a half: `rows` (N, 4) frame, team, jersey, class; `extra` (N, 2), NaN if not given."""

    rows: NDArray[np.int64]
    extra: NDArray[np.float64]


class _File(msgspec.Struct):
    keys: list[str | int]
    events: dict[str, list[list[float]]]


def read_footpass(path: Path | str) -> dict[str, PlayerActions]:
    """Actions of every half; InputError naming file, half and event of under four figures."""
    with Archive(path) as archive:
        names = [name for name in archive.names if archive.is_single or name.endswith(".json")]
        if len(names) != 1:
            raise InputError(f"{path}: expected one JSON file, found {len(names)}")
        source = archive.source(names[0])
        content = archive.read_json(names[0], _File)
    halves: dict[str, PlayerActions] = {}
    for key in map(str, content.keys):
        events = content.events.get(key, [])
        for index, event in enumerate(events):
            if len(event) < _CONFIDENCE:
                raise InputError(f"{source}: events[{key!r}][{index}] has {len(event)} figures, not 4")
            if any(value != int(value) or abs(value) > _LARGEST for value in event[:_CONFIDENCE]):
                raise InputError(
                    f"{source}: events[{key!r}][{index}]: frame, team, jersey, class are whole numbers"
                )
        rows = np.array([event[:_CONFIDENCE] for event in events], dtype=float).reshape(-1, 4)
        extra = np.full((len(events), 2), np.nan)
        for index, event in enumerate(events):
            values = event[_CONFIDENCE:_TRUTH_COLUMNS]
            extra[index, : len(values)] = values
        halves[key] = PlayerActions(rows.astype(np.int64), extra)
    return halves


def footpass_submission(halves: Mapping[str, PlayerActions]) -> bytes:
    """A prediction file: events `[frame, team, jersey, class, confidence]` of every half.

    The confidence is the first column of `extra`, 1 where it is not given.
    """
    events = {
        key: [
            [*row, 1.0 if np.isnan(confidence) else confidence]
            for row, confidence in zip(half.rows.tolist(), half.extra[:, 0].tolist(), strict=True)
        ]
        for key, half in halves.items()
    }
    return msgspec.json.encode({"keys": list(halves), "events": events})
