"""The folder of one run: what lies where, each file whole or absent, held by one run at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from filmroom.errors import InputError, MachineError
from filmroom.tables import TableSchema, concat

GAME_FILE = "game.json"
SETTINGS_FILE = "observations/settings.json"
VIDEO_FILE = "annotated.mp4"
MOT_FILE = "tracks.txt"
LOG_FILE = "run.log"


class RunFolder:
    """Paths and whole-or-absent writing inside one run folder."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def file(self, name: str) -> Path:
        """Where a file of the run lies."""
        return self.path / name

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against other runs; InputError where another one holds it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(f"{self.path}: is a file; name a folder for the results") from error
        except PermissionError as error:
            raise InputError(
                f"{self.path}: no permission to write there; choose another folder"
            ) from error
        with disk_errors(self.path):
            handle = (self.path / ".lock").open("w")
        try:
            _lock(handle, self.path)
            yield
        finally:
            handle.close()

    def holds_run(self) -> bool:
        """Whether an earlier run left anything here."""
        return self.file(SETTINGS_FILE).exists() or self.file(GAME_FILE).exists()

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write aside, sync, rename: whole or absent."""
        target = self.file(name)
        aside = target.with_name(target.name + ".partial")
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with aside.open("wb") as handle:
                    handle.write(content)
                    handle.flush()
                    os.fsync(handle.fileno())
                aside.replace(target)
            except OSError:
                aside.unlink(missing_ok=True)
                raise

    def write_json(self, name: str, record: object) -> None:
        """A JSON file, indented, keys in the order of the record."""
        self.write_bytes(name, msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")

    def write_table(self, name: str, table: pa.Table) -> None:
        """A Parquet file."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.write_bytes(name, sink.getvalue().to_pybytes())

    def chunk_file(self, schema: TableSchema, chunk: int) -> str:
        """Name of one chunk of one observation table."""
        return f"observations/{schema.name}/{chunk:06d}.parquet"

    def whole_chunks(self, last_written: TableSchema) -> int:
        """How many chunks are whole: those of the table that is written last, without a hole."""
        count = 0
        while self.file(self.chunk_file(last_written, count)).exists():
            count += 1
        return count

    def read_chunks(self, schema: TableSchema, count: int) -> pa.Table:
        """The first `count` chunks of a table as one."""
        files = [self.file(self.chunk_file(schema, chunk)) for chunk in range(count)]
        return concat(schema, [read_table(file, schema) for file in files])


def read_table(path: Path, schema: TableSchema) -> pa.Table:
    """A Parquet file of that schema; InputError where it is absent or damaged."""
    try:
        return schema.adopt(pq.read_table(path))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; is this the folder of a finished run?") from error
    except (pa.ArrowInvalid, ValueError, OSError) as error:
        raise InputError(f"{path}: damaged ({error}); run again with --resume") from error


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a failing disk into one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(
                f"{path}: the disk is full; free some space, then continue with --resume"
            ) from error
        if isinstance(error, PermissionError):
            raise InputError(f"{path}: no permission to write there") from error
        if error.errno == errno.EROFS:
            raise InputError(f"{path}: the file system is read-only; choose another folder") from error
        raise MachineError(f"{path}: writing failed ({error.strerror})") from error


def _lock(handle: IO[str], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # no advisory locks on this system
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"{path}: another run is writing into this folder; wait for it or choose another"
        ) from error
