"""Every table that passes between rooms: columns, types, units, keys, checks.

Arrow in memory, Parquet on disk. Missing is null, never -1 or NaN. Boxes are `x, y, w, h` in pixels of
the shown picture, origin top left, pixel edges. Frames count from 0 in display order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filmroom.errors import FilmroomError

APPEARANCE_LENGTH = 96
EMBEDDING_LENGTH = 64


class TableError(FilmroomError):
    """A table does not keep to its schema: a fault of the program, not of its user."""


@dataclass(frozen=True)
class TableSchema:
    """One kind of table: its Arrow schema, its key and the ranges its numbers must lie in."""

    name: str
    key: tuple[str, ...]
    schema: pa.Schema
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def empty(self) -> pa.Table:
        """A table of no rows."""
        return self.schema.empty_table()

    def build(self, columns: Mapping[str, Any]) -> pa.Table:
        """A checked table from columns (arrays or lists); columns left out are null."""
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise TableError(f"{self.name}: columns of different lengths {sorted(lengths)}")
        count = lengths.pop() if lengths else 0
        unknown = set(columns) - set(self.schema.names)
        if unknown:
            raise TableError(f"{self.name}: unknown columns {sorted(unknown)}")
        arrays = [
            _as_arrow(columns[name], kind) if name in columns else pa.nulls(count, kind)
            for name, kind in zip(self.schema.names, self.schema.types, strict=True)
        ]
        return self.check(pa.Table.from_arrays(arrays, schema=self.schema))

    def adopt(self, table: pa.Table) -> pa.Table:
        """A table that an earlier version may have written: columns it did not know are null.

        ValueError where others are missing or of types that do not fit.
        """
        for column in self.schema:
            if column.nullable and column.name not in table.column_names:
                table = table.append_column(column, pa.nulls(table.num_rows, column.type))
        return table.cast(self.schema)

    def check(self, table: pa.Table) -> pa.Table:
        """The table itself, or TableError: columns and types, key without nulls or repeats, ranges."""
        if not table.schema.equals(self.schema):
            raise TableError(f"{self.name}: expected {self.schema.names}, got {table.schema}")
        for column in self.schema:
            if not column.nullable and table[column.name].null_count:
                raise TableError(f"{self.name}: column {column.name} has missing values")
        if self.key and table.num_rows:
            keys = table.select(list(self.key)).group_by(list(self.key)).aggregate([])
            if keys.num_rows != table.num_rows:
                repeated = table.num_rows - keys.num_rows
                raise TableError(f"{self.name}: {repeated} rows repeat a key {self.key}")
        for name, (lowest, highest) in self.ranges.items():
            self._check_range(table, name, lowest, highest)
        for name, allowed in self.words.items():
            others = set(pc.unique(table[name]).to_pylist()) - set(allowed) - {None}
            if others:
                raise TableError(f"{self.name}: {name} is {sorted(others)}, not one of {allowed}")
        return table

    def _check_range(
        self, table: pa.Table, name: str, lowest: float | None, highest: float | None
    ) -> None:
        if not table.num_rows:
            return
        column = table[name]
        if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
            raise TableError(f"{self.name}: {name} holds NaN; missing must be null")
        extent = pc.min_max(column).as_py()
        if extent["min"] is None:
            return
        if lowest is not None and extent["min"] < lowest:
            raise TableError(f"{self.name}: {name} is {extent['min']}, below {lowest}")
        if highest is not None and extent["max"] > highest:
            raise TableError(f"{self.name}: {name} is {extent['max']}, above {highest}")


def _as_arrow(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks().cast(kind)
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if pa.types.is_fixed_size_list(kind):
        flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind.value_type)
        return pa.FixedSizeListArray.from_arrays(flat, kind.list_size)
    return pa.array(values, kind)


def _schema(required: Mapping[str, pa.DataType], optional: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, nullable=False) for name, kind in required.items()]
        + [pa.field(name, kind) for name, kind in optional.items()]
    )


_I32, _F32 = pa.int32(), pa.float32()
_BOX = {"x": _F32, "y": _F32, "w": _F32, "h": _F32}
_FRAME_KEY = {"frame": _I32, "detection": _I32}
_SHARE = (0.0, 1.0)
_SIZE = (0.0, None)

KINDS = ("person", "ball", "hoop")
ROLES = ("player", "goalkeeper", "referee", "other", "ball", "hoop")
SHOT_KINDS = ("main", "close", "replay", "other")

FRAMES = TableSchema(
    "frames",
    ("frame",),
    _schema({"frame": _I32, "time": pa.float64()}, {}),
    {"frame": (0, None)},
)
"""Every frame looked at and its own timestamp in seconds from the start of the video."""

LOOKS = TableSchema(
    "looks",
    ("frame",),
    _schema({"frame": _I32, "picture": pa.binary()}, {}),
)
"""A tiny brightness picture of every frame, row by row: what shot boundaries are found from."""

DETECTIONS = TableSchema(
    "detections",
    ("frame", "detection"),
    _schema(
        _FRAME_KEY | _BOX | {"score": _F32, "kind": pa.string(), "kind_score": _F32},
        {"goalkeeper": _F32, "referee": _F32, "head": _F32},
    ),
    {
        "frame": (0, None),
        "w": _SIZE,
        "h": _SIZE,
        "score": _SHARE,
        "kind_score": _SHARE,
        "goalkeeper": _SHARE,
        "referee": _SHARE,
        "head": _SHARE,
        "x": (None, None),
        "y": (None, None),
    },
    {"kind": KINDS},
)
"""Boxes; `goalkeeper` and `referee` are the probabilities that a person has that role, `head` says
where along the box the head is, from its left edge at 0 to its right one at 1."""

MASKS = TableSchema(
    "masks",
    ("frame", "detection"),
    _schema(_FRAME_KEY | {"rle": pa.binary(), "width": _I32, "height": _I32, "score": _F32}, {}),
    {"score": _SHARE, "width": (1, None), "height": (1, None)},
)
"""Silhouettes: compressed COCO run lengths of the box's own crop, `width` x `height` pixels whose top
left pixel is the one that holds the corner (floor x, floor y) of the box."""

APPEARANCE = TableSchema(
    "appearance",
    ("frame", "detection"),
    _schema(_FRAME_KEY | {"vector": pa.list_(pa.float16(), APPEARANCE_LENGTH), "quality": _F32}, {}),
    {"quality": _SHARE},
)

EMBEDDINGS = TableSchema(
    "embeddings",
    ("frame", "detection"),
    _schema(_FRAME_KEY | {"vector": pa.list_(pa.float16(), EMBEDDING_LENGTH), "quality": _F32}, {}),
    {"quality": _SHARE},
)
"""What tells people apart beyond their kit; `appearance` tells kits apart."""

NUMBER_READS = TableSchema(
    "number_reads",
    ("frame", "detection"),
    _schema(_FRAME_KEY | {"text": pa.string(), "score": _F32, "legible": _F32} | _BOX, {}),
    {"score": _SHARE, "legible": _SHARE},
)
"""One read a detection; `text` is empty where nothing is legible; the box is the number's own."""

MOTION = TableSchema(
    "motion",
    ("frame",),
    _schema({"frame": _I32}, {"matrix": pa.list_(pa.float64(), 9), "inliers": _F32}),
    {"inliers": _SHARE},
)
"""Row-major 3x3 homography from the previous frame looked at to this one; null across a cut."""

SHOTS = TableSchema(
    "shots",
    ("shot",),
    _schema(
        {"shot": _I32, "first_frame": _I32, "last_frame": _I32, "kind": pa.string(), "score": _F32},
        {},
    ),
    {"score": _SHARE},
    {"kind": SHOT_KINDS},
)

TRACKS = TableSchema(
    "tracks",
    ("frame", "track"),
    _schema(
        {"frame": _I32, "track": _I32} | _BOX | {"score": _F32, "role": pa.string(), "visible": _F32},
        {"detection": _I32},
    ),
    {
        "frame": (0, None),
        "track": (1, None),
        "w": _SIZE,
        "h": _SIZE,
        "score": _SHARE,
        "visible": _SHARE,
    },
    {"role": ROLES},
)
"""`detection` is null where the box was filled in; `visible` the share not hidden by nearer people."""

PLAYERS = TableSchema(
    "players",
    ("track",),
    _schema(
        {"track": _I32, "role": pa.string(), "first_frame": _I32, "last_frame": _I32},
        {
            "team": pa.string(),
            "team_score": _F32,
            "number": pa.string(),
            "number_score": _F32,
            "name": pa.string(),
        },
    ),
    {"team_score": _SHARE, "number_score": _SHARE},
    {"role": ROLES},
)

EVENTS = TableSchema(
    "events",
    ("event",),
    _schema(
        {"event": _I32, "time": pa.float64(), "label": pa.string()},
        {"team": pa.string(), "track": _I32, "score": _F32},
    ),
    {"score": _SHARE},
)


def concat(schema: TableSchema, tables: Sequence[pa.Table]) -> pa.Table:
    """One checked table of all rows, in the order given."""
    if not tables:
        return schema.empty()
    return schema.check(pa.concat_tables(tables).combine_chunks())


def boxes_of(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The box columns as an (N, 4) float64 array."""
    return np.stack([table[name].to_numpy().astype(float) for name in "xywh"], axis=1)


def detection_keys(table: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The key (frame, detection) of every row as one number, for joining by sorting."""
    frames, detections = table["frame"].to_numpy(), table["detection"].to_numpy()
    return np.asarray(frames.astype(np.int64) * 2**20 + detections, dtype=np.int64)


def rows_of_keys(
    table: pa.Table, keys: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The row of `table` with each key of `detection_keys`, -1 where there is none."""
    known = detection_keys(table)
    if not len(known):
        return np.full(len(keys), -1, dtype=np.intp)
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], keys), len(known) - 1)
    rows = order[place]
    return np.where(known[rows] == keys, rows, -1)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """The table with one of its columns replaced, same type and place."""
    position = table.schema.get_field_index(name)
    field = table.schema.field(position)
    return table.set_column(position, field, _as_arrow(values, field.type))
