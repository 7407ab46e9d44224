"""DAVIS masks: one indexed PNG a frame, `SEQ/00000.png`, value = object, 0 background, 255 void."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive

Indexed = NDArray[np.uint8]


class MaskSequences:
    """The mask pictures under a path by sequence: the folder a picture lies in, frames by name."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.frames: dict[str, list[str]] = {}
        with Archive(path) as archive:
            for name in sorted(archive.names):
                if name.endswith(".png"):
                    self.frames.setdefault(PurePosixPath(name).parent.name, []).append(name)
        if not self.frames:
            raise InputError(f"{path}: no mask pictures found; expected SEQ/00000.png")

    def read(self, sequence: str) -> Iterator[tuple[str, Indexed]]:
        """Frame name and object numbers (height, width) of a sequence, in order."""
        with Archive(self.path) as archive:
            for name in self.frames[sequence]:
                yield PurePosixPath(name).stem, decode_indexed(archive.read(name), archive.source(name))


def decode_indexed(content: bytes, source: str = "picture") -> Indexed:
    """The palette indices (or grey values) of a PNG, (height, width)."""
    import av

    try:
        with av.open(io.BytesIO(content), format="png_pipe") as container:
            frame = next(container.decode(video=0))
    except (av.error.FFmpegError, StopIteration) as error:
        raise InputError(f"{source}: not a readable PNG") from error
    if frame.format.name not in ("pal8", "gray", "gray8"):
        raise InputError(f"{source}: {frame.format.name} pixels; object masks are indexed or grey PNG")
    values = frame.to_ndarray()
    return np.asarray(values[0] if isinstance(values, tuple) else values, dtype=np.uint8)


def encode_indexed(objects: Indexed) -> bytes:
    """An indexed PNG of object numbers, in the colours of the DAVIS palette."""
    height, width = objects.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = np.hstack([np.zeros((height, 1), np.uint8), np.ascontiguousarray(objects, np.uint8)])
    parts = (
        (b"IHDR", header),
        (b"PLTE", _palette()),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _palette() -> bytes:
    """256 colours: the bits of the number by threes, from the highest bit of each colour down."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (numbers >> (3 * level + channel)) & 1
            colours[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return colours.tobytes()
