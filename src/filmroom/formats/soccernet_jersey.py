"""SoccerNet jersey numbers: `{"player id": number}` in one JSON file, -1 where none can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from filmroom.errors import InputError
from filmroom.formats.archive import Archive

_LARGEST = 1 << 31


def read_jersey_numbers(path: Path | str) -> dict[str, int]:
    """Number of every tracklet, -1 for none.

    Raises InputError naming file, tracklet and reason: a value that is no whole number.
    """
    with Archive(path) as archive:
        names = [name for name in archive.names if archive.is_single or name.endswith(".json")]
        if len(names) > 1:
            names = [name for name in names if PurePosixPath(name).name.endswith("gt.json")] or names
        if len(names) != 1:
            raise InputError(f"{path}: expected one JSON file of numbers, found {len(names)}")
        source = archive.source(names[0])
        content = archive.read_json(names[0], dict[str, Any])
    for tracklet, number in content.items():
        if not isinstance(number, int) or abs(number) > _LARGEST:
            raise InputError(f"{source}: {tracklet!r} is {number!r}, not a whole number (-1 for none)")
    return {tracklet: int(number) for tracklet, number in content.items()}


def write_jersey_numbers(path: Path | str, numbers: Mapping[str, int | None]) -> None:
    """A submission: see jersey_submission."""
    Path(path).write_bytes(jersey_submission(numbers))


def jersey_submission(numbers: Mapping[str, int | None]) -> bytes:
    """One JSON object; None becomes -1."""
    content = {str(key): -1 if value is None else int(value) for key, value in numbers.items()}
    return msgspec.json.encode(content)
