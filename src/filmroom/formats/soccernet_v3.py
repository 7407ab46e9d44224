"""SoccerNet-v3 frames: `Labels-v3.json` of a game, boxes with identities and lines of the pitch.

Cioppa et al., "Scaling up SoccerNet with multi-view spatial localization and re-identification",
Scientific Data 2022. Every action frame is linked to the replay frames that show the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive

LABELS_FILE = "Labels-v3.json"


@dataclass(frozen=True)
class V3Frame:
    """One picture of a game.

    `boxes` (N, 4) x, y, w, h pixels; `classes` N words ("Player team left", "Ball", ...); `persons` N
    shirt number, letter or None, the same person of one class in all pictures of an action; `lines`
    maps line classes to points (M, 2) in pixels; `replay_of` is the action frame a replay shows.
    """

    name: str
    width: int
    height: int
    boxes: NDArray[np.float64]
    classes: tuple[str, ...]
    persons: tuple[str | None, ...]
    lines: dict[str, NDArray[np.float64]]
    replay_of: str | None

    def line_shares(self) -> dict[str, NDArray[np.float64]]:
        """The lines as shares of the picture's width and height, as calibration takes them."""
        return {name: points / (self.width, self.height) for name, points in self.lines.items()}


class _Size(msgspec.Struct):
    width: int
    height: int


class _Corners(msgspec.Struct):
    x1: float
    y1: float
    x2: float
    y2: float


_Identity = str | int | None


class _Box(msgspec.Struct):
    points: _Corners
    class_: str | None = msgspec.field(name="class", default=None)
    ID: _Identity = None


class _Line(msgspec.Struct):
    points: list[float]
    class_: str | None = msgspec.field(name="class", default=None)


class _Frame(msgspec.Struct):
    imageMetadata: _Size  # noqa: N815
    bboxes: list[_Box] = []
    lines: list[_Line] = []
    linked_replays: list[str] = []


class _Labels(msgspec.Struct):
    actions: dict[str, _Frame]
    replays: dict[str, _Frame] = {}


def read_v3_frames(path: Path | str) -> dict[str, dict[str, V3Frame]]:
    """The pictures of every game under a path by game (path of its folder) and picture name.

    Boxes and lines without a class are left out, as by SoccerNet's own loader. Raises InputError naming
    file, picture and reason: wrong types, a line of an odd number of figures, a replay that is not
    there, no label files.
    """
    games: dict[str, dict[str, V3Frame]] = {}
    with Archive(path) as archive:
        for name in archive.names:
            if PurePosixPath(name).name != LABELS_FILE and not archive.is_single:
                continue
            labels = archive.read_json(name, _Labels)
            games[str(PurePosixPath(name).parent)] = _pictures(labels, archive.source(name))
    if not games:
        raise InputError(f"{path}: no {LABELS_FILE} found")
    return games


def _pictures(labels: _Labels, source: str) -> dict[str, V3Frame]:
    shows: dict[str, str] = {}
    for action, frame in labels.actions.items():
        for replay in frame.linked_replays:
            if replay not in labels.replays:
                raise InputError(f"{source}: actions[{action!r}]: replay {replay!r} is not there")
            shows[replay] = action
    kinds: tuple[tuple[Literal["actions", "replays"], dict[str, _Frame]], ...] = (
        ("actions", labels.actions),
        ("replays", labels.replays),
    )
    return {
        name: _picture(name, frame, shows.get(name), f"{source}: {kind}[{name!r}]")
        for kind, frames in kinds
        for name, frame in frames.items()
    }


def _picture(name: str, frame: _Frame, replay_of: str | None, place: str) -> V3Frame:
    size = frame.imageMetadata
    if size.width <= 0 or size.height <= 0:
        raise InputError(f"{place}: a picture of {size.width} x {size.height} pixels")
    boxes = [box for box in frame.bboxes if box.class_ is not None]
    corners = np.array(
        [(each.points.x1, each.points.y1, each.points.x2, each.points.y2) for each in boxes]
    ).reshape(-1, 4)
    lines: dict[str, NDArray[np.float64]] = {}
    for index, line in enumerate(frame.lines):
        if line.class_ is None:
            continue
        if len(line.points) % 2:
            raise InputError(f"{place}: lines[{index}]: {len(line.points)} figures, not pairs of x, y")
        points = np.array(line.points, dtype=float).reshape(-1, 2)
        known = lines.get(line.class_)
        lines[line.class_] = points if known is None else np.vstack([known, points])
    return V3Frame(
        name,
        size.width,
        size.height,
        np.hstack([corners[:, :2], np.abs(corners[:, 2:] - corners[:, :2])]),
        tuple(str(box.class_) for box in boxes),
        tuple(None if box.ID is None else str(box.ID) for box in boxes),
        lines,
        replay_of,
    )
