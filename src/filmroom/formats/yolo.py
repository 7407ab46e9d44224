"""YOLO label files: one text a picture, `class centre_x centre_y width height`, shares of the picture.

Result files may have a confidence after that, tracking exports an id at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack

_BOX_COLUMNS = 5
_NOT_LABELS = ("classes", "train", "val", "test", "readme")


@dataclass(frozen=True)
class YoloLabels:
    """Objects of one picture: `classes` (N,), `boxes` (N, 4) x, y, w, h as shares of the picture.

    `scores` (N,) are 1 where the file has none.
    """

    classes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def pixels(self, width: int, height: int) -> NDArray[np.float64]:
        """The boxes (N, 4) x, y, w, h in pixels of a picture of this size."""
        scaled: NDArray[np.float64] = self.boxes * np.array([width, height, width, height])
        return scaled


def read_yolo(path: Path | str) -> dict[str, YoloLabels]:
    """Labels of every picture under a path by the name of its text, without `.txt`.

    Raises InputError naming file, line and reason: too few columns (or a polygon), no numbers, shares
    outside 0 to 1, no files.
    """
    pictures: dict[str, YoloLabels] = {}
    with Archive(path) as archive:
        for name in archive.names:
            stem = PurePosixPath(name).stem
            if not name.endswith(".txt") or stem.lower() in _NOT_LABELS:
                continue
            if stem in pictures:
                raise InputError(f"{path}: picture {stem} twice; give one split at a time")
            pictures[stem] = parse_yolo(archive.read(name), archive.source(name))
    if not pictures:
        raise InputError(f"{path}: no labels found; expected one .txt a picture")
    return pictures


def parse_yolo(content: bytes, source: str = "labels") -> YoloLabels:
    """The labels of one file's bytes; see read_yolo for what is checked."""
    rows: list[list[float]] = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        place = f"{source}, line {number}"
        if len(fields) not in (_BOX_COLUMNS, _BOX_COLUMNS + 1, _BOX_COLUMNS + 2):
            raise InputError(f"{place}: {len(fields)} columns; expected class cx cy w h")
        try:
            values = [float(field) for field in fields[: _BOX_COLUMNS + 1]]
        except ValueError:
            raise InputError(f"{place}: {line.strip()[:40]!r} is not all numbers") from None
        if not all(0 <= value <= 1 for value in values[1:_BOX_COLUMNS]):
            raise InputError(f"{place}: centre and size are shares from 0 to 1")
        rows.append([*values, 1.0][: _BOX_COLUMNS + 1])
    table = np.array(rows, dtype=float).reshape(-1, _BOX_COLUMNS + 1)
    corner = table[:, 1:3] - table[:, 3:5] / 2
    return YoloLabels(
        table[:, 0].astype(np.int64), np.hstack([corner, table[:, 3:5]]), table[:, _BOX_COLUMNS]
    )


def format_yolo(classes: ArrayLike, boxes: ArrayLike, width: int, height: int) -> str:
    """The text of one picture of `width` x `height` pixels from boxes (N, 4) x, y, w, h in pixels.

    Boxes are cut at the border; those wholly outside are left out.
    """
    pixels = np.asarray(boxes, dtype=float).reshape(-1, 4)
    first = np.clip(pixels[:, :2], 0, (width, height))
    last = np.clip(pixels[:, :2] + pixels[:, 2:], 0, (width, height))
    size = last - first
    shares = np.hstack([(first + last) / 2, size]) / np.array([width, height, width, height])
    return "".join(
        f"{label} {' '.join(f'{value:.6f}' for value in row)}\n"
        for label, row, inside in zip(
            np.asarray(classes, dtype=np.int64).reshape(-1).tolist(),
            shares.tolist(),
            (size > 0).all(axis=1).tolist(),
            strict=True,
        )
        if inside
    )


def write_yolo_zip(path: Path | str, pictures: Mapping[str, str], names: list[str]) -> None:
    """A labelled set: see yolo_set."""
    Path(path).write_bytes(yolo_set(pictures, names))


def yolo_set(pictures: Mapping[str, str], names: list[str]) -> bytes:
    """A zip of `labels/PICTURE.txt` (texts of format_yolo) and a `data.yaml` that names the classes."""
    listed = "".join(f"  {index}: {name}\n" for index, name in enumerate(names))
    files = {f"labels/{picture}.txt": text for picture, text in sorted(pictures.items())}
    files["data.yaml"] = f"path: .\ntrain: images\nval: images\nnames:\n{listed}"
    return pack(files)
