"""The files under a path, be it one file, a folder or a zip, read the same way."""

from __future__ import annotations

import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from filmroom.errors import DamagedInputError, InputError

_T = TypeVar("_T")

_SKIPPED_FOLDERS = ("img1", "__MACOSX")
"""Pictures lie beside tables by the hundred thousand; they are never wanted here."""


class Archive:
    """Names (with `/`, any depth) and bytes of the files under a path; use it in a `with` block."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.is_single = False
        self._zip: zipfile.ZipFile | None = None
        if self.path.is_dir():
            self.names = sorted(_walk(str(self.path), ""))
        elif zipfile.is_zipfile(self.path):
            self._zip = self._open_zip()
            self.names = [
                name
                for name in self._zip.namelist()
                if not name.endswith("/") and not name.startswith("__MACOSX")
            ]
        elif self.path.is_file():
            if self.path.suffix == ".zip":
                raise DamagedInputError(
                    f"{self.path}: is not a readable zip; copy or download it again"
                )
            self.is_single = True
            self.names = [self.path.name]
        else:
            raise InputError(f"{self.path}: no such file or folder")

    def _open_zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DamagedInputError(f"{self.path}: is not a readable zip ({error})") from error

    def source(self, name: str) -> str:
        """How a file is called in an error."""
        if self.is_single:
            return str(self.path)
        return f"{self.path}: {name}" if self._zip is not None else str(self.path / name)

    def read(self, name: str) -> bytes:
        """The content of a file; DamagedInputError where the zip is broken there."""
        try:
            if self.is_single:
                return self.path.read_bytes()
            if self._zip is None:
                return (self.path / name).read_bytes()
            return self._zip.read(name)
        except OSError as error:
            raise InputError(
                f"{self.source(name)}: cannot be read ({error.strerror or error})"
            ) from error
        except (RuntimeError, NotImplementedError) as error:
            raise InputError(
                f"{self.path}: {name} inside is encrypted or packed in a way unknown here"
            ) from error
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
            raise DamagedInputError(f"{self.path}: {name} inside is damaged ({error})") from error

    def read_json(self, name: str, kind: type[_T]) -> _T:
        """A JSON file in the shape asked for; InputError naming the place that is wrong."""
        return decode_json(self.read(name), kind, self.source(name))

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._zip is not None:
            self._zip.close()


def pack(files: Mapping[str, bytes | str]) -> bytes:
    """A zip of the files by name; a fixed date keeps the same files the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def decode_json(content: bytes, kind: type[_T], source: str) -> _T:
    """JSON in the shape asked for; InputError naming file and place otherwise."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise InputError(f"{source}: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not UTF-8 text") from error


def _walk(folder: str, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for each in entries:
            if not each.is_dir():
                yield prefix + each.name
            elif each.name not in _SKIPPED_FOLDERS:
                yield from _walk(each.path, f"{prefix}{each.name}/")
