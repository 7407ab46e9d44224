"""SoccerNet calibration: line annotations `NNNNN.json` and cameras `camera_NNNNN.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack
from filmroom.formats.soccernet_v3 import LABELS_FILE, read_v3_frames

Lines = dict[str, NDArray[np.float64]]
"""Points (N, 2) of every line class, as shares of width - 1 and height - 1 of the picture."""

_CAMERA = "camera_"
_FARTHEST_SHARE = 1e3
_LARGEST = 1e9


class PitchCamera(msgspec.Struct, frozen=True):
    """A camera in SoccerNet's terms: degrees, metres (z negative above ground), pixels at 960 x 540."""

    pan_degrees: float
    tilt_degrees: float
    roll_degrees: float
    position_meters: tuple[float, float, float]
    x_focal_length: float
    y_focal_length: float
    principal_point: tuple[float, float]
    radial_distortion: Annotated[list[float], msgspec.Meta(min_length=6, max_length=6)]
    tangential_distortion: Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]
    thin_prism_distortion: Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]

    def rotation(self) -> NDArray[np.float64]:
        """(3, 3), from pitch to camera: x to the right, y down, z along the view."""
        pan, tilt, roll = (
            float(each) * np.pi / 180.0
            for each in (self.pan_degrees, self.tilt_degrees, self.roll_degrees)
        )
        return np.asarray((_about_z(pan) @ _about_x(tilt) @ _about_z(roll)).T)

    def calibration(self) -> NDArray[np.float64]:
        """(3, 3), from directions of the camera to pixels, distortion left out."""
        x, y = self.principal_point
        return np.array([[self.x_focal_length, 0.0, x], [0.0, self.y_focal_length, y], [0.0, 0.0, 1.0]])


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_x(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


class _Point(msgspec.Struct):
    x: float
    y: float


def read_line_annotations(path: Path | str) -> dict[str, Lines]:
    """The lines of every picture by its number; classes without points are left out.

    Of the files those count whose name is a number; where there are none, the lines of one game's
    `Labels-v3.json`, by the name of the picture without `.png`. Raises InputError naming file and
    place: wrong types, a number twice, no files.
    """
    pictures: dict[str, Lines] = {}
    with Archive(path) as archive:
        for name in archive.names:
            stem = PurePosixPath(name).stem
            if not name.endswith(".json") or not stem.isdigit():
                continue
            if stem in pictures:
                raise InputError(f"{path}: picture {stem} twice; give one split at a time")
            content = archive.read_json(name, dict[str, list[_Point]])
            for line, points in content.items():
                if any(max(abs(point.x), abs(point.y)) > _FARTHEST_SHARE for point in points):
                    raise InputError(
                        f"{archive.source(name)}: {line!r}: points are shares of the picture, 0 to 1"
                    )
            pictures[stem] = {
                line: np.array([(point.x, point.y) for point in points], dtype=float)
                for line, points in content.items()
                if points
            }
        if not pictures and any(PurePosixPath(name).name == LABELS_FILE for name in archive.names):
            return _lines_of_game(path)
    if not pictures:
        raise InputError(f"{path}: no annotations found; expected NNNNN.json or {LABELS_FILE}")
    return pictures


def _lines_of_game(path: Path | str) -> dict[str, Lines]:
    games = read_v3_frames(path)
    if len(games) > 1:
        raise InputError(f"{path}: {len(games)} games; give the {LABELS_FILE} of one at a time")
    return {
        PurePosixPath(name).stem: frame.line_shares()
        for frames in games.values()
        for name, frame in frames.items()
        if frame.lines
    }


def read_cameras(path: Path | str) -> dict[str, PitchCamera]:
    """The camera of every picture by its number; InputError naming file and field that is wrong."""
    cameras: dict[str, PitchCamera] = {}
    with Archive(path) as archive:
        for name in archive.names:
            stem = PurePosixPath(name).stem
            if not name.endswith(".json") or not stem.startswith(_CAMERA):
                continue
            number = stem.removeprefix(_CAMERA)
            if number in cameras:
                raise InputError(f"{path}: camera {number} twice; give one split at a time")
            camera = archive.read_json(name, PitchCamera)
            if max(abs(each) for each in _numbers(camera)) > _LARGEST:
                raise InputError(f"{archive.source(name)}: a figure beyond {_LARGEST:g} is no camera's")
            cameras[number] = camera
    if not cameras:
        raise InputError(f"{path}: no cameras found; expected camera_NNNNN.json")
    return cameras


def _numbers(camera: PitchCamera) -> list[float]:
    values = [getattr(camera, field) for field in camera.__struct_fields__]
    return [
        each for value in values for each in (value if isinstance(value, list | tuple) else [value])
    ]


def write_cameras(path: Path | str, cameras: Mapping[str, PitchCamera]) -> None:
    """A submission zip: `camera_NNNNN.json` at its root."""
    files = {f"{_CAMERA}{each}.json": msgspec.json.encode(cameras[each]) for each in sorted(cameras)}
    Path(path).write_bytes(pack(files))
