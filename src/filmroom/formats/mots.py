"""MOTS text files: tracks of masks, `frame id class height width rle` a line, separated by blanks.

Voigtlaender et al., "MOTS: Multi-Object Tracking and Segmentation", CVPR 2019. Frames count from 1 in
the files and from 0 here; masks are compressed COCO run lengths; class 2 is a pedestrian, rows of class
10 in the truth are regions to be ignored. A path may be one file, a folder or a zip, as in `mot`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.mot import Kind, SequenceFiles, repeated_in_frame
from filmroom.geometry.masks import run_lengths

PEDESTRIAN, IGNORED = 2, 10

_COLUMNS = 6


@dataclass(frozen=True)
class MaskRows:
    """Masks with an identity, one row a mask, ordered by frame.

    `frames` (N,) from 0; `ids`, `classes` (N,); `sizes` (N, 2) height and width of the picture; `masks`
    N compressed run lengths. `length` is the number of frames of the sequence, if known.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    classes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    masks: tuple[bytes, ...]
    length: int | None = None
    source: str = ""

    def __len__(self) -> int:
        return len(self.frames)

    def select(self, keep: NDArray[np.bool_]) -> MaskRows:
        """The rows of a mask."""
        masks = tuple(mask for mask, kept in zip(self.masks, keep.tolist(), strict=True) if kept)
        return MaskRows(
            self.frames[keep],
            self.ids[keep],
            self.classes[keep],
            self.sizes[keep],
            masks,
            self.length,
            self.source,
        )


class MotsFiles(SequenceFiles[MaskRows]):
    """The sequences of MOTS files under a path, found as those of `mot.read_mot`."""

    def __init__(self, path: Path | str, kind: Kind = "tracks") -> None:
        def parse(content: bytes, source: str, length: int | None, rate: float | None) -> MaskRows:
            return parse_mots(content, source, length)

        super().__init__(path, kind, parse)


def parse_mots(content: bytes, source: str = "MOTS file", length: int | None = None) -> MaskRows:
    """The rows of one file's bytes.

    Raises InputError naming file, line and reason: wrong columns, no whole numbers, frames below 1 or
    beyond `length`, run lengths that do not fill the picture, an id twice in a frame.
    """
    numbers: list[list[int]] = []
    masks: list[bytes] = []
    lines: list[int] = []
    for line, text in enumerate(content.splitlines(), start=1):
        fields = text.split()
        if not fields:
            continue
        if len(fields) != _COLUMNS:
            _fail(source, line, f"{len(fields)} columns; expected frame id class height width rle")
        try:
            row = [int(field) for field in fields[:5]]
        except ValueError:
            _fail(
                source,
                line,
                f"{b' '.join(fields[:5]).decode('utf-8', 'replace')!r}: whole numbers only",
            )
        if row[0] < 1 or (length is not None and row[0] > length):
            _fail(source, line, f"frame {row[0]}; the sequence has frames 1 to {length or '...'}")
        if row[1] < 0:
            _fail(source, line, f"id {row[1]}; ids count from 0")
        try:
            runs = run_lengths(fields[5])
        except ValueError:
            _fail(source, line, "the mask is not compressed COCO run lengths")
        if (runs < 0).any() or runs.sum() != row[3] * row[4]:
            _fail(source, line, f"the mask does not fill a picture of {row[4]} x {row[3]} pixels")
        numbers.append(row)
        masks.append(fields[5])
        lines.append(line)
    table = np.array(numbers, dtype=np.int64).reshape(-1, 5)
    # Ignored regions all bear one id.
    person = table[:, 2] != IGNORED
    repeated = np.zeros(len(table), dtype=bool)
    repeated[person] = repeated_in_frame(table[person, 0], table[person, 1])
    if repeated.any():
        index = int(np.flatnonzero(repeated)[0])
        _fail(source, lines[index], f"id {table[index, 1]} twice in frame {table[index, 0]}")
    order = np.argsort(table[:, 0], kind="stable")
    table = table[order]
    return MaskRows(
        table[:, 0] - 1,
        table[:, 1],
        table[:, 2],
        table[:, 3:5],
        tuple(masks[index] for index in order.tolist()),
        length,
        source,
    )


def format_mots(rows: MaskRows) -> str:
    """The text of one sequence."""
    cells = zip(
        (rows.frames + 1).tolist(),
        rows.ids.tolist(),
        rows.classes.tolist(),
        rows.sizes.tolist(),
        rows.masks,
        strict=True,
    )
    return "".join(
        f"{frame} {identity} {label} {height} {width} {mask.decode('ascii')}\n"
        for frame, identity, label, (height, width), mask in cells
    )


def mask_rows(
    frames: Sequence[int],
    ids: Sequence[int],
    masks: Sequence[bytes],
    size: tuple[int, int],
    label: int = PEDESTRIAN,
    length: int | None = None,
) -> MaskRows:
    """Rows from plain lists; `size` is height and width of the picture."""
    order = np.argsort(np.asarray(frames, dtype=np.int64), kind="stable")
    count = len(order)
    return MaskRows(
        np.asarray(frames, dtype=np.int64)[order],
        np.asarray(ids, dtype=np.int64)[order],
        np.full(count, label, dtype=np.int64),
        np.tile(np.array(size, dtype=np.int64), (count, 1)),
        tuple(masks[index] for index in order.tolist()),
        length,
    )


def _fail(source: str, line: int, reason: str) -> NoReturn:
    raise InputError(f"{source}, line {line}: {reason}")
