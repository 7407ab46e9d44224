"""MOTChallenge text files: truth, tracks and detections, one box a line.

`frame, id, left, top, width, height, score or flag, class, visibility[, unused]`; frames count from 1
in the files and from 0 here. A path may be one file, a folder or a zip (LZMA too), files at any
depth: `SEQ/gt/gt.txt`, `SEQ/det/det.txt`, `SEQ.txt`. `seqinfo.ini` beside them gives the length of a
sequence.
"""

from __future__ import annotations

import codecs
import configparser
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NoReturn, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack
from filmroom.formats.decimals import parse_decimals

_T = TypeVar("_T")

Kind = Literal["truth", "tracks", "detections"]

_TRUTH_FILE = "gt.txt"
_DETECTION_FILE = "det.txt"
_FIELDS = ("frame", "id", "left", "top", "width", "height", "score", "class")
_MINIMUM_COLUMNS = 6
_HEAD = 1 << 12
_LARGEST = 1 << 40
_TRUTH_COLUMNS = 8


@dataclass(frozen=True)
class TrackRows:
    """Boxes with an identity, one row a box, in the order of the file.

    `frames` (N,) from 0; `ids` (N,) whole numbers; `boxes` (N, 4) x, y, w, h in pixels; `scores` (N,)
    confidence, in truth files the flag that says whether the box counts; `classes` (N,) MOTChallenge
    class numbers, 1 where the file has none. `length` is the number of frames of the sequence, if
    known.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    length: int | None = None
    frame_rate: float | None = None
    source: str = ""

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def of(
        cls,
        frames: ArrayLike,
        ids: ArrayLike,
        boxes: ArrayLike,
        *,
        scores: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        length: int | None = None,
        source: str = "",
    ) -> TrackRows:
        """Rows from plain arrays; score and class are 1 unless given."""
        frame_array = np.asarray(frames, dtype=np.int64).reshape(-1)
        count = len(frame_array)
        return cls(
            frame_array,
            np.asarray(ids, dtype=np.int64).reshape(-1),
            np.asarray(boxes, dtype=np.float64).reshape(-1, 4),
            np.ones(count) if scores is None else np.asarray(scores, dtype=np.float64).reshape(-1),
            np.ones(count, dtype=np.int64)
            if classes is None
            else np.asarray(classes, dtype=np.int64).reshape(-1),
            length,
            None,
            source,
        )

    def select(self, keep: NDArray[Any]) -> TrackRows:
        """The rows of a mask or an index array."""
        return TrackRows(
            self.frames[keep],
            self.ids[keep],
            self.boxes[keep],
            self.scores[keep],
            self.classes[keep],
            self.length,
            self.frame_rate,
            self.source,
        )


class SequenceFiles(Mapping[str, _T]):
    """The sequences of a file, folder or zip, sorted by name, each read when it is asked for.

    For what is found see read_mot; a bad file is told of when it is read. `parse` makes rows of a
    file's bytes, its name in errors, and the length and frame rate that `seqinfo.ini` gives.
    """

    def __init__(
        self,
        path: Path | str,
        kind: Kind,
        parse: Callable[[bytes, str, int | None, float | None], _T],
    ) -> None:
        self.path, self.kind = Path(path), kind
        self._parse = parse
        self._archive = Archive(self.path)
        self._files = _sequence_files(self._archive.names, kind, self.path)
        self._facts = {
            str(PurePosixPath(name).parent): _read_sequence_facts(
                self._archive.read(name), self._archive.source(name)
            )
            for name in self._archive.names
            if name.endswith("seqinfo.ini")
        }

    def __getitem__(self, sequence: str) -> _T:
        return self.read(sequence)

    def read(self, sequence: str, length: int | None = None) -> _T:
        """The rows of a sequence; `length` is its number of frames where no `seqinfo.ini` says."""
        file_name = self._files[sequence]
        folder = PurePosixPath(file_name).parent
        places = (str(folder), str(folder.parent), str(folder / sequence))
        facts = next((self._facts[each] for each in places if each in self._facts), (None, None))
        return self._parse(
            self._archive.read(file_name),
            self._archive.source(file_name),
            facts[0] or length,
            facts[1],
        )

    def __contains__(self, sequence: object) -> bool:
        # Mapping's own would read the whole file to answer.
        return sequence in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class MotFiles(SequenceFiles[TrackRows]):
    """The sequences of MOTChallenge files under a path; see SequenceFiles and read_mot."""

    def __init__(self, path: Path | str, kind: Kind = "tracks") -> None:
        def parse(content: bytes, source: str, length: int | None, rate: float | None) -> TrackRows:
            return parse_mot(content, kind, source, length, rate)

        super().__init__(path, kind, parse)


def read_mot(path: Path | str, kind: Kind = "tracks") -> dict[str, TrackRows]:
    """All sequences of a file, folder or zip, sorted by name.

    `kind` chooses among the files of a folder: `truth` takes `gt.txt`, `detections` takes `det.txt`,
    and `tracks` takes the others; where there is none of the wanted name, every `NAME.txt` is a
    sequence. A sequence is named by its folder for `gt.txt` and `det.txt`, otherwise by the file.
    Detections may repeat an id in a frame (-1 is usual), truth and tracks may not.

    Raises InputError naming file, line and reason: wrong columns, text where a number belongs, NaN,
    negative sizes, frames below 1 or beyond `seqinfo.ini`, ids below 0 or twice in a frame, no files.
    """
    return dict(MotFiles(path, kind).items())


def parse_mot(
    content: bytes,
    kind: Kind = "tracks",
    source: str = "",
    length: int | None = None,
    frame_rate: float | None = None,
) -> TrackRows:
    """The rows of one file's bytes; see read_mot for what is checked."""
    table = _parse_numbers(content, source)
    columns = table.shape[0]
    _check_whole(table, content, source)
    if kind == "truth" and table.shape[1] and columns < _TRUTH_COLUMNS:
        _fail(source, 1, f"{columns} columns; a truth file has at least {_TRUTH_COLUMNS}")
    frames, ids = table[0].astype(np.int64), table[1].astype(np.int64)
    count = len(frames)
    rows = TrackRows(
        frames - 1,
        ids,
        np.ascontiguousarray(table[2:6].T),
        table[6] if columns > 6 else np.ones(count),
        table[7].astype(np.int64) if columns > 7 else np.ones(count, dtype=np.int64),
        length,
        frame_rate,
        source,
    )
    _check(rows, table, kind, content)
    return rows


def write_mot_tracks(path: Path | str, rows: TrackRows, decimals: int | None = 2) -> None:
    """One sequence as a MOTChallenge result file, ordered by frame, then id.

    `decimals` rounds boxes and scores; None writes the shortest text that reads back as the same
    number.
    """
    Path(path).write_text(format_mot_tracks(rows, decimals), encoding="ascii")


def format_mot_tracks(rows: TrackRows, decimals: int | None = 2) -> str:
    """The text write_mot_tracks writes."""
    order = np.lexsort((rows.ids, rows.frames))
    numbers = np.column_stack([rows.boxes, rows.scores])[order]
    pattern = "%d,%d," + ",".join(["%r" if decimals is None else f"%.{decimals}f"] * 5) + ",-1,-1,-1\n"
    frames, ids = (rows.frames[order] + 1).tolist(), rows.ids[order].tolist()
    return "".join(
        pattern % (frame, identity, *values)
        for frame, identity, values in zip(frames, ids, numbers.tolist(), strict=True)
    )


def write_mot_zip(
    path: Path | str,
    sequences: Mapping[str, TrackRows],
    folder: str = "",
    decimals: int | None = 2,
) -> None:
    """A submission: see mot_submission."""
    Path(path).write_bytes(mot_submission(sequences, folder, decimals))


def mot_submission(
    sequences: Mapping[str, TrackRows], folder: str = "", decimals: int | None = 2
) -> bytes:
    """A zip with `SEQ.txt` for each sequence at its root (SoccerNet tracking, SportsMOT).

    DanceTrack wants them in a folder named `tracker`.
    """
    return pack(
        {
            str(PurePosixPath(folder) / f"{name}.txt"): format_mot_tracks(sequences[name], decimals)
            for name in sorted(sequences)
        }
    )


def _sequence_files(names: list[str], kind: Kind, path: Path) -> dict[str, str]:
    """The file of every sequence among names with `/`, sorted by sequence; see read_mot."""
    wanted = {"truth": _TRUTH_FILE, "detections": _DETECTION_FILE, "tracks": ""}[kind]
    texts = [name for name in names if name.endswith(".txt") or len(names) == 1]
    exact = [name for name in texts if PurePosixPath(name).name == wanted]
    plain = [name for name in texts if _is_sequence_file(name)]
    other = [name for name in texts if PurePosixPath(name).name in (_TRUTH_FILE, _DETECTION_FILE)]
    chosen = exact or plain or (other if kind == "tracks" else [])
    if kind == "tracks" and not plain:
        truths = [name for name in other if PurePosixPath(name).name == _TRUTH_FILE]
        chosen = truths or other
    if not chosen:
        expected = "SEQ.txt" if kind == "tracks" else f"SEQ/{wanted.split('.')[0]}/{wanted} or SEQ.txt"
        raise InputError(f"{path}: no {kind} found; expected {expected} at any depth")
    sequences: dict[str, str] = {}
    for name in chosen:
        sequence = _sequence_name(name, path)
        if sequence in sequences:
            raise InputError(f"{path}: sequence {sequence} twice: {sequences[sequence]} and {name}")
        sequences[sequence] = name
    return dict(sorted(sequences.items()))


def _is_sequence_file(name: str) -> bool:
    path = PurePosixPath(name)
    if path.name in (_TRUTH_FILE, _DETECTION_FILE) or "seqmaps" in path.parts:
        return False
    return not re.match(r"(seqmap|readme|license|pedestrian_summary)", path.name, re.IGNORECASE)


def _sequence_name(name: str, path: Path) -> str:
    parts = PurePosixPath(name)
    if parts.name not in (_TRUTH_FILE, _DETECTION_FILE):
        return parts.stem
    folders = (
        [*path.resolve().parts[:-1], *parts.parts[:-1]]
        if path.is_file()
        else [
            *path.resolve().parts,
            *parts.parts[:-1],
        ]
    )
    outer = [each for each in folders if each not in ("gt", "det")]
    return outer[-1] if outer else parts.stem


def _read_sequence_facts(content: bytes, source: str) -> tuple[int | None, float | None]:
    """Length and frame rate in a `seqinfo.ini`, None where it does not say."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(content.decode("utf-8-sig", "replace"))
        section = parser["Sequence"]
        rate = section.getfloat("frameRate", fallback=None)
        return section.getint("seqLength", fallback=None), rate
    except (configparser.Error, KeyError, ValueError) as error:
        reason = str(error).replace("\n", " ")
        raise InputError(f"{source}: not a [Sequence] section with seqLength ({reason})") from error


def _parse_numbers(content: bytes, source: str) -> NDArray[np.float64]:
    """(columns, rows), 6 to 8 columns; columns beyond are not looked at."""
    content = content.removeprefix(codecs.BOM_UTF8)
    head = content[:_HEAD] if content[:_HEAD].strip() else content
    line = next((each for each in head.splitlines() if each.strip()), b"")
    first = line.decode("utf-8", "replace").strip()
    if not first:
        return np.empty((len(_FIELDS), 0))
    separator = next((each for each in ",;\t " if each in first), None)
    if separator is None:
        _fail(source, 1, f"no columns in {first[:40]!r}; expected frame,id,left,top,width,height,...")
    columns = min(len(first.rstrip(separator).split(separator)), len(_FIELDS))
    if separator == " " or columns < _MINIMUM_COLUMNS:
        return _parse_line_by_line(content, source, separator)
    plain = parse_decimals(content, separator, columns)
    if plain is not None:
        return plain
    try:
        numbers = np.loadtxt(
            io.BytesIO(content),
            delimiter=separator,
            comments=None,
            usecols=range(columns),
            ndmin=2,
            encoding="utf-8",
        )
    except ValueError:
        return _parse_line_by_line(content, source, separator)
    if not np.isfinite(numbers).all():
        return _parse_line_by_line(content, source, separator)
    return numbers.T


def _parse_line_by_line(content: bytes, source: str, separator: str) -> NDArray[np.float64]:
    """Slower, forgiving about blanks, and able to say which line is wrong."""
    rows: list[list[float]] = []
    width = 0
    for number, line in enumerate(io.StringIO(content.decode("utf-8", "replace")), start=1):
        text = line.strip()
        if not text:
            continue
        fields = text.split() if separator == " " else text.rstrip(separator).split(separator)
        if len(fields) < _MINIMUM_COLUMNS:
            _fail(source, number, f"{len(fields)} columns; expected frame,id,left,top,width,height,...")
        width = width or len(fields)
        if min(len(fields), len(_FIELDS)) != min(width, len(_FIELDS)):
            _fail(source, number, f"{len(fields)} columns, the first line has {width}")
        rows.append([_number(text, index, number, source) for index, text in enumerate(fields[:8])])
    return np.array(rows).T


def _number(text: str, column: int, line: int, source: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        _fail(source, line, f"{_FIELDS[column]} is {text.strip()!r}, not a number")
    return value


def _check_whole(table: NDArray[np.float64], content: bytes, source: str) -> None:
    for column, name in ((0, "frame"), (1, "id")):
        bad = (table[column] != np.trunc(table[column])) | (np.abs(table[column]) > _LARGEST)
        _refuse(bad, f"{name} {{{name}}} is not a whole number of usual size", table, content, source)


def _refuse(
    bad: NDArray[np.bool_], reason: str, table: NDArray[np.float64], content: bytes, source: str
) -> None:
    """InputError for the first bad row; `reason` may speak of its fields by name."""
    if not bad.any():
        return
    index = int(np.flatnonzero(bad)[0])
    values = {name: f"{value:.12g}" for name, value in zip(_FIELDS, table[:, index], strict=False)}
    _fail(source, _line_of(content, index), reason.format_map(values))


def _check(rows: TrackRows, table: NDArray[np.float64], kind: Kind, content: bytes) -> None:
    def refuse(bad: NDArray[np.bool_], reason: str) -> None:
        _refuse(bad, reason, table, content, rows.source)

    refuse(rows.frames < 0, "frame {frame}; frames count from 1")
    refuse((rows.boxes[:, 2] < 0) | (rows.boxes[:, 3] < 0), "negative size {width} x {height}")
    if rows.length is not None:
        beyond = rows.frames >= rows.length
        refuse(beyond, f"frame {{frame}} beyond the {rows.length} frames of the sequence")
    if kind == "detections":
        return
    refuse(rows.ids < 0, "id {id}; ids count from 0 or 1")
    refuse(repeated_in_frame(rows.frames, rows.ids), "id {id} twice in frame {frame}")


def repeated_in_frame(frames: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mask of the rows whose (frame, id) an earlier row already has."""
    repeated = np.zeros(len(frames), dtype=bool)
    if len(frames) < 2:
        return repeated
    span = int(ids.max()) - int(ids.min()) + 1
    cells = (int(frames.max()) - int(frames.min()) + 1) * span
    # Counting in a table is faster than sorting, where the table is not much larger than the rows.
    if cells <= 16 * len(frames):
        keys = (frames - frames.min()) * span + (ids - ids.min())
        if not (np.bincount(keys, minlength=1) > 1).any():
            return repeated
    order = np.lexsort((ids, frames))
    same = (np.diff(frames[order]) == 0) & (np.diff(ids[order]) == 0)
    repeated[order[1:][same]] = True
    return repeated


def _line_of(content: bytes, row: int) -> int:
    full = [number for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    return full[row]


def _fail(source: str, line: int, reason: str) -> NoReturn:
    raise InputError(f"{source or 'MOT file'}, line {line}: {reason}")
