"""What a video file says about itself, and one clear line where it is no video.

Headers lie: frame counts and durations are taken down as claims, never relied upon. Whether pictures
can really be had is found out by decoding the first one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from filmroom.errors import DamagedInputError, InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_FASTEST_BELIEVED = 1000.0
_RATE_WHEN_UNKNOWN = 25.0
_FIRST_INTERLACED_FIELD_ORDER = 2
_PACKETS_TRIED = 600
_NO_PICTURES = "a video with no pictures in it; record or export it again"
_TEXT_ART = ("ansi", "bintext", "xbin", "idf")
_STILL_CODECS = (
    "png",
    "webp",
    "bmp",
    "tiff",
    "jpeg2000",
    "jpegxl",
    "gif",
    "psd",
    "targa",
    "svg",
    "pam",
    "ppm",
)


class VideoFacts(msgspec.Struct, frozen=True):
    """What the first picture and the header tell of a video.

    `width` and `height` are those of the shown picture in pixels, with `rotation` (degrees counter
    clockwise that the stored picture is turned by, 0, 90, 180 or 270) applied. `fps` is the mean rate
    in frames a second, `duration` in seconds. `frames_in_header` is a claim of the header and often
    wrong. `mirrored` tells whether the picture is flipped left to right before it is turned.
    """

    width: int
    height: int
    fps: float
    frames_in_header: int | None
    duration: float | None
    codec: str
    pixel_format: str
    rotation: int
    interlaced: bool
    has_audio: bool
    mirrored: bool = False


def probe(path: Path | str) -> VideoFacts:
    """The facts of the video at `path`.

    InputError, in one line, for a missing file, a folder, an empty file, something that is no video,
    sound alone, a video without a single picture, and a still image; DamagedInputError for a video none
    of whose pictures can be decoded.
    """
    with open_video(path) as container:
        stream = picture_stream(container, path)
        first = _first_picture(container, stream, path)
        rotation, mirrored = orientation(first)
        stored = (first.width, first.height)
        width, height = stored[::-1] if rotation in (90, 270) else stored
        return VideoFacts(
            width=width,
            height=height,
            fps=frame_rate(stream),
            frames_in_header=stream.frames or None,
            duration=_duration(container, stream),
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            rotation=rotation,
            interlaced=is_interlaced(stream) or bool(first.interlaced_frame),
            has_audio=bool(container.streams.audio),
            mirrored=mirrored,
        )


def open_video(path: Path | str) -> InputContainer:
    """The opened container of a file; the caller closes it. Errors as for `probe`."""
    import av

    path = Path(path)
    _refuse_what_is_no_file(path)
    try:
        # `file:` keeps names such as "final:2-1.mp4" from being read as a protocol, and the white list
        # keeps a play list from reaching out to the network.
        container: InputContainer = av.open(
            f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
        return container
    except av.error.InvalidDataError:
        raise InputError(_unreadable_reason(path)) from None
    except av.error.EOFError:
        raise InputError(f"{path}: {_NO_PICTURES}") from None
    except PermissionError:
        raise InputError(
            f"{path}: no permission to read it; change its permissions or copy it"
        ) from None
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be opened as a video ({_reason(error)}); give a video file"
        ) from None


def picture_stream(container: InputContainer, path: Path | str) -> VideoStream:
    """The stream that holds the moving picture (cover art does not count). InputError where there is
    none."""
    from av.stream import Disposition

    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        kind = "only sound" if container.streams.audio else "no picture"
        raise InputError(f"{path}: holds {kind}; give a file with a video track")
    best = max(streams, key=lambda stream: (stream.width or 0) * (stream.height or 0))
    if best.codec_context is None:
        raise InputError(f"{path}: its video codec is not known here; convert it to H.264 first")
    name = best.codec_context.name
    if name in _TEXT_ART or container.format.name in ("tty", "subviewer"):
        raise InputError(f"{path}: not a video; give a video file")
    if _is_still(container, best):
        raise InputError(f"{path}: a still image, not a video; `filmroom detect` takes images")
    if not best.width or not best.height:
        raise InputError(
            f"{path}: its video track has no picture size, so it is empty or cut short; copy it again"
        )
    return best


def frame_rate(stream: VideoStream) -> float:
    """Mean rate of a stream, frames a second, from its own timestamps where the container keeps
    them."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < float(rate) <= _FASTEST_BELIEVED:
            return float(rate)
    return _RATE_WHEN_UNKNOWN


def is_interlaced(stream: VideoStream) -> bool:
    """Whether the stream is flagged as made of fields."""
    return int(stream.codec_context.field_order or 0) >= _FIRST_INTERLACED_FIELD_ORDER


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Quarter turns counter clockwise (0, 90, 180, 270 degrees) and whether it is mirrored before that.

    From the display matrix of the container (ISO/IEC 14496-12, `tkhd`): [a b; c d] takes stored to
    shown coordinates, y downwards; a negative determinant mirrors. Angles are rounded to quarter turns.
    """
    import numpy as np

    entries: Any = frame.side_data
    for data in entries:
        if data.type.name == "DISPLAYMATRIX":
            matrix = np.frombuffer(bytes(data), np.int32)[:9].reshape(3, 3)[:2, :2] / 65536.0
            mirrored = bool(np.linalg.det(matrix) < 0)
            if mirrored:
                matrix = np.diag([-1.0, 1.0]) @ matrix
            clockwise = np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0]))
            return round(-clockwise / 90) * 90 % 360, mirrored
    return 0, False


def _refuse_what_is_no_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise InputError(f"{path}: a folder, not a video; give one video file")
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path}: an empty file; copy it again")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)}); check the path") from None


def _is_still(container: InputContainer, stream: VideoStream) -> bool:
    format_name = container.format.name
    if format_name.startswith("image2") or format_name.endswith("_pipe"):
        return True
    single = stream.frames == 1 or (stream.frames == 0 and (stream.duration or 0) <= 1)
    return (
        stream.codec_context.name in _STILL_CODECS
        and single
        and format_name in ("gif", "apng", "webp", "avif")
    )


def _first_picture(container: InputContainer, stream: VideoStream, path: Path | str) -> Any:
    import av

    damaged = 0
    packets = 0
    demuxed = container.demux(stream)
    while packets < _PACKETS_TRIED:
        try:
            packet = next(demuxed, None)
        except av.error.FFmpegError:
            damaged += 1
            break
        if packet is None:
            break
        packets += bool(packet.size)
        try:
            for frame in packet.decode():
                return frame
        except av.error.FFmpegError:
            damaged += 1
    if packets == 0 and not damaged:
        raise InputError(f"{path}: {_NO_PICTURES}")
    raise DamagedInputError(
        f"{path}: not one of its pictures can be decoded; the file is damaged, copy it again"
    )


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    import av

    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and container.duration > 0:
        return float(container.duration / av.time_base)
    return None


def _unreadable_reason(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free", b"skip"):
        return (
            f"{path}: its index is missing, so the recording or copy was cut short and no "
            "picture can be found; copy it again or repair it first"
        )
    if not head.strip(b"\0"):
        return f"{path}: holds nothing but zeros, so the copy failed; copy it again"
    return f"{path}: not a video; give a video file such as mp4, mov, mkv or ts"


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
