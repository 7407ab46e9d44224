"""SoccerNet re-identification: `bbox_info.json` as truth, rankings `{"query": [gallery, ...]}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from filmroom.errors import InputError
from filmroom.formats.archive import Archive


class ReidBox(msgspec.Struct):
    """One crop: its number, the action it belongs to and who it shows."""

    bbox_idx: int
    action_idx: int
    person_uid: int | str


class ReidTruth(msgspec.Struct):
    """Queries and gallery by their keys."""

    query: dict[str, ReidBox]
    gallery: dict[str, ReidBox]


@dataclass(frozen=True)
class Rankings:
    """Gallery numbers for every query key, best first."""

    source: str
    rankings: dict[str, list[Any]]


def read_reid_truth(path: Path | str) -> ReidTruth:
    """The truth; InputError naming file and place where it is not as described."""
    with Archive(path) as archive:
        return archive.read_json(_one(archive), ReidTruth)


def read_reid_rankings(path: Path | str) -> Rankings:
    """A ranking file; InputError naming file and place where it is no mapping of lists."""
    with Archive(path) as archive:
        name = _one(archive)
        return Rankings(archive.source(name), archive.read_json(name, dict[str, list[Any]]))


def write_reid_rankings(path: Path | str, rankings: Mapping[str, Sequence[int]]) -> None:
    """A submission."""
    content = {key: [int(each) for each in ranking] for key, ranking in rankings.items()}
    Path(path).write_bytes(msgspec.json.encode(content))


def _one(archive: Archive) -> str:
    names = [name for name in archive.names if archive.is_single or name.endswith(".json")]
    if len(names) != 1:
        raise InputError(f"{archive.path}: expected one JSON file, found {len(names)}")
    return names[0]
