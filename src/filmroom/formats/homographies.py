"""True homographies: `NAME.homographyMatrix` (World Cup 2014), or those of SoccerNet cameras.

A matrix file holds three lines of three numbers; it maps pixels of a 1280 x 720 picture to yards, from
the pitch's top left corner. A camera is read for 960 x 540; its distortion is left out.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from filmroom.errors import InputError
from filmroom.formats.archive import Archive
from filmroom.formats.soccernet_calibration import PitchCamera, read_cameras
from filmroom.geometry.homography import Matrix

_SUFFIX = ".homographyMatrix"
_YARDS = 1.09361
"""Of a metre, as the benchmark's own code has it."""

_LENGTH, _WIDTH = 105.0, 68.0


def holds_homographies(path: Path | str) -> bool:
    """Whether there are matrix files under a path, or cameras and no line annotations."""
    with Archive(path) as archive:
        stems = [PurePosixPath(name).name for name in archive.names]
    cameras = any(name.startswith("camera_") and name.endswith(".json") for name in stems)
    lines = any(name.endswith(".json") and name.removesuffix(".json").isdigit() for name in stems)
    return any(name.endswith(_SUFFIX) for name in stems) or (cameras and not lines)


def read_homographies(path: Path | str) -> dict[str, Matrix]:
    """Pixels to yards of every picture by its number, from matrix files or else cameras.

    Raises InputError naming file and reason: not nine numbers, a matrix without inverse, a picture
    twice, no files.
    """
    matrices: dict[str, Matrix] = {}
    with Archive(path) as archive:
        for name in archive.names:
            if not name.endswith(_SUFFIX):
                continue
            stem = PurePosixPath(name).name.removesuffix(_SUFFIX)
            if stem in matrices:
                raise InputError(f"{path}: picture {stem} twice; give one split at a time")
            matrices[stem] = _parse(archive.read(name), archive.source(name))
    if matrices:
        return matrices
    return {
        name: camera_homography(camera, f"{path}: camera {name}")
        for name, camera in read_cameras(path).items()
    }


def _parse(content: bytes, source: str) -> Matrix:
    try:
        numbers = np.array([float(each) for each in content.split()])
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) != 9 or not np.isfinite(numbers).all():
        raise InputError(f"{source}: not three lines of three numbers")
    matrix: Matrix = numbers.reshape(3, 3)
    return _checked(matrix, source)


def _checked(matrix: Matrix, source: str) -> Matrix:
    if abs(float(np.linalg.det(matrix))) < np.finfo(float).tiny or not matrix[2, 2]:
        raise InputError(f"{source}: the matrix has no inverse")
    return np.asarray(matrix / matrix[2, 2])


def camera_homography(camera: PitchCamera, source: str = "camera") -> Matrix:
    """Pixels at 1280 x 720 to yards from the top left corner, for the ground as the camera sees it."""
    pitch_to_picture = camera.calibration() @ np.column_stack(
        [camera.rotation()[:, :2], -camera.rotation() @ np.array(camera.position_meters)]
    )
    enlarge = np.diag([1280 / 960, 720 / 540, 1.0])
    to_yards = np.diag([_YARDS, _YARDS, 1.0]) @ np.array(
        [[1.0, 0.0, _LENGTH / 2], [0.0, 1.0, _WIDTH / 2], [0.0, 0.0, 1.0]]
    )
    to_picture = _checked(enlarge @ pitch_to_picture, source)
    return _checked(to_yards @ np.linalg.inv(to_picture), source)
