"""H.264 in MP4 that plays in a browser, with the source's own timestamps and its sound.

The encoder runs in one thread: with more, x264 gives now these bytes and now those for the same
pictures. Drawing and reading run beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import FilmroomError, InputError, MachineError
from filmroom.video.probe import open_video

if TYPE_CHECKING:
    from av.container import OutputContainer

Bytes = NDArray[np.uint8]
Quality = Literal["fast", "good"]

_TICKS = 90_000
_ENCODER_THREADS = "1"
_PRESETS: dict[str, dict[str, str]] = {
    "fast": {"preset": "ultrafast", "crf": "26", "x264-params": "deblock=0,0"},
    "good": {"preset": "veryfast", "crf": "22"},
}
_MP4_SOUND = ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")
_BT709, _BT601 = 1, 6
_LIMITED_RANGE, _FULL_RANGE = 1, 2
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Writer:
    """Writes one video; use as a context manager.

    The file is written aside as `<name>.partial` and takes its name only when closed well; after an
    error nothing is left behind. Sizes are made even by repeating the last row or column. `fps` only
    guides the encoder; each picture is shown from its own `time` (seconds, rising). `matrix` (601 or
    709) and `full_range` say how planes given to `write_planes` are tied to RGB, and are noted in the
    file if `tagged`. MachineError where the disk is full.
    """

    def __init__(
        self,
        path: Path | str,
        width: int,
        height: int,
        fps: Fraction | float,
        *,
        quality: Quality = "fast",
        matrix: int = 601,
        full_range: bool = False,
        tagged: bool = True,
    ) -> None:
        import av

        if width < 1 or height < 1:
            raise InputError(
                f"{path}: cannot write pictures of {width}x{height}; both sides must be at least 1"
            )
        self.path = Path(path)
        self._aside = self.path.with_name(self.path.name + ".partial")
        self._shape = (height, width)
        self._even = (height + height % 2, width + width % 2)
        self._matrix = matrix
        self._full_range = full_range
        self._last_tick = -1
        self._sound: _Sound | None = None
        self._closed = False
        with _one_line(self.path):
            self._aside.open("wb").close()  # the encoder would only notice with the first picture
            try:
                self._container: OutputContainer = av.open(
                    f"file:{self._aside}", "w", format="mp4", options={"movflags": "+faststart"}
                )
                self._stream = self._add_stream(fps, quality, tagged)
            except BaseException:
                self._aside.unlink(missing_ok=True)
                raise

    def _add_stream(self, fps: Fraction | float, quality: Quality, tagged: bool) -> Any:
        rate = Fraction(fps).limit_denominator(1001)
        stream: Any = self._container.add_stream("libx264", rate=rate if rate > 0 else Fraction(25))
        stream.height, stream.width = self._even
        stream.pix_fmt = "yuvj420p" if self._full_range else "yuv420p"
        stream.time_base = Fraction(1, _TICKS)
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.options = _PRESETS[quality] | {"threads": _ENCODER_THREADS}
        if tagged:
            stream.codec_context.colorspace = _BT709 if self._matrix == 709 else _BT601
            stream.codec_context.color_range = _FULL_RANGE if self._full_range else _LIMITED_RANGE
        return stream

    def copy_audio(self, source: Path | str, origin: float = 0.0) -> bool:
        """Take over the sound of `source`, to be called before the first picture.

        Copied as it is where MP4 can hold it, else encoded to AAC. `origin` is the source's own
        timestamp, in seconds, of the first picture written. False where there is no sound that could be
        read.
        """
        if self._last_tick >= 0:
            raise ValueError("copy_audio comes before the first picture")
        with contextlib.suppress(InputError):
            self._sound = _Sound.of(source, self._container, origin)
        return self._sound is not None

    def write(self, pixels: Bytes, time: float) -> None:
        """One RGB picture (height, width, 3), shown from `time` seconds on."""
        from av.video.frame import VideoFrame

        if pixels.shape != (*self._shape, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"expected RGB bytes of shape {(*self._shape, 3)}, got {pixels.shape}")
        frame = VideoFrame.from_ndarray(
            np.ascontiguousarray(_padded(pixels, self._even)), format="rgb24"
        )
        self._encode(
            frame.reformat(
                format=self._stream.pix_fmt,
                dst_colorspace="ITU709" if self._matrix == 709 else "ITU601",
                dst_color_range=_FULL_RANGE if self._full_range else _LIMITED_RANGE,
                threads=1,
            ),
            time,
        )

    def write_planes(self, luma: Bytes, blue: Bytes, red: Bytes, time: float) -> None:
        """One 4:2:0 picture: luma (H, W) of even size, blue and red (H/2, W/2)."""
        from av.video.frame import VideoFrame

        height, width = self._even
        if (
            luma.shape != (height, width)
            or blue.shape != (height // 2, width // 2)
            or red.shape != blue.shape
        ):
            raise ValueError(
                f"expected planes of {width}x{height}, got {luma.shape}, {blue.shape}, {red.shape}"
            )
        frame = VideoFrame(width, height, self._stream.pix_fmt)
        for plane, values in zip(frame.planes, (luma, blue, red), strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            rows[:, : plane.width] = values
            # What lies in memory beyond the picture must not decide the bytes that come out.
            rows[:, plane.width :] = values[:, -1:]
        self._encode(frame, time)

    def close(self) -> None:
        """Finish the file and give it its name."""
        if self._closed:
            return
        try:
            with _one_line(self.path):
                if self._last_tick >= 0:
                    self._mux(self._stream.encode(None))
                    if self._sound is not None:
                        self._sound.write_until(self._container, self._last_tick / _TICKS + 1)
                        self._sound.finish(self._container)
                self._container.close()
                _sync(self._aside)
                self._aside.replace(self.path)
                self._closed = True
        finally:
            if not self._closed:
                self.discard()

    def discard(self) -> None:
        """Give up: nothing is left of the file."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):
            self._container.close()
        self._aside.unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _encode(self, frame: Any, time: float) -> None:
        tick = max(round(time * _TICKS), self._last_tick + 1)
        self._last_tick = tick
        frame.pts = tick
        frame.time_base = Fraction(1, _TICKS)
        with _one_line(self.path):
            packets = self._stream.encode(frame)
            if self._sound is not None:
                self._sound.write_until(self._container, tick / _TICKS)
            self._mux(packets)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)


class _Sound:
    """The sound of another file, written in step with the pictures."""

    def __init__(self, source: Any, stream: Any, container: OutputContainer, origin: float) -> None:
        self._source = source
        self._origin = origin
        self._packets: Iterator[Any] = source.demux(stream)
        self._waiting: Any = None
        name = stream.codec_context.codec.canonical_name
        self._copies = name in _MP4_SOUND
        self._resampler: Any = None
        if self._copies:
            self._stream: Any = container.add_stream_from_template(stream)
            return
        from av.audio.resampler import AudioResampler

        rate = min(stream.codec_context.sample_rate or 48_000, 48_000)
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=rate, layout=layout, options={"b": "160000"})
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)

    @classmethod
    def of(cls, path: Path | str, container: OutputContainer, origin: float) -> _Sound | None:
        """The first sound track of a file, None where it has none that can be read."""
        source = open_video(path)
        stream = next((each for each in source.streams.audio if each.codec_context is not None), None)
        if stream is None or not stream.codec_context.sample_rate:
            source.close()
            return None
        return cls(source, stream, container, origin)

    def write_until(self, container: OutputContainer, time: float) -> None:
        """Write what is heard before `time` seconds of the written video."""
        while (packet := self._next()) is not None:
            shift = round(self._origin / packet.time_base)
            if packet.pts is not None and float((packet.pts - shift) * packet.time_base) >= time:
                self._waiting = packet
                return
            if packet.pts is None or packet.pts < shift:
                continue
            if self._copies:
                packet.pts -= shift
                packet.dts = packet.pts
                packet.stream = self._stream
                container.mux(packet)
            else:
                self._write_encoded(container, packet, shift)

    def finish(self, container: OutputContainer) -> None:
        """Write what the encoder still holds."""
        if not self._copies:
            for frame in self._resampler.resample(None):
                container.mux(self._stream.encode(frame))
            container.mux(self._stream.encode(None))
        self._source.close()

    def _next(self) -> Any:
        """The next packet that holds sound; None at the end, and where the rest is damaged."""
        import av

        if self._waiting is not None:
            packet, self._waiting = self._waiting, None
            return packet
        try:
            while (packet := next(self._packets, None)) is not None:
                if packet.size:
                    return packet
        except (av.error.FFmpegError, OSError):
            self._packets = iter(())
        return None

    def _write_encoded(self, container: OutputContainer, packet: Any, shift: int) -> None:
        import av

        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError):
            return
        for decoded in frames:
            if decoded.pts is not None:
                decoded.pts -= shift
            for frame in self._resampler.resample(decoded):
                container.mux(self._stream.encode(frame))


def _padded(pixels: Bytes, even: tuple[int, int]) -> Bytes:
    if pixels.shape[:2] == even:
        return pixels
    return np.pad(
        pixels, ((0, even[0] - pixels.shape[0]), (0, even[1] - pixels.shape[1]), (0, 0)), mode="edge"
    )


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _one_line(path: Path) -> Iterator[None]:
    import av

    try:
        yield
    except FilmroomError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise MachineError(f"{path}: the disk is full; free some space and render again") from None
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise InputError(f"{path}: no permission to write there; choose another place") from None
        if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
            raise InputError(
                f"{path}: its folder does not exist; create it or choose another place"
            ) from None
        raise MachineError(f"{path}: writing the video failed ({error.strerror or error})") from None
    except av.error.FFmpegError as error:
        raise MachineError(f"{path}: writing the video failed ({error})") from None
