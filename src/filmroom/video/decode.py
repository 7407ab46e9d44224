"""Frames of a video, one after the other: streamed, turned as shown, timed by their own timestamps.

Every frame that can be decoded is counted, whatever the header says, so a frame's index does not depend
on what is asked for. Damaged packets are passed over and counted; a file that breaks off gives all that
can be had and then tells so in `Reader.damage`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.video.ahead import ahead
from filmroom.video.probe import frame_rate, is_interlaced, open_video, orientation, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Bytes = NDArray[np.uint8]
Item = TypeVar("Item")

_FRAMES_AHEAD = 2
_BACKWARD_JUMP = 1.0
_BT709, _UNSPECIFIED = 1, 2
_SAMPLE_SLACK = 1e-6
_KEY_FRAMES_BEFORE = 2
_SHORTFALL_SECONDS = 0.5
_LUMA_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")


class Frame(NamedTuple):
    """One picture: `index` from 0 in display order over all frames of the file, also when only some are
    asked for; `time` in seconds from the first frame; `pixels` RGB (H, W, 3); `luma` (h, w) at full
    size, a read-only view where the video stores it as bytes."""

    index: int  # type: ignore[assignment]
    time: float
    pixels: Bytes
    luma: Bytes

    def grey(self, width: int, height: int) -> Bytes:
        """A small brightness picture (height, width), averaged over areas."""
        return small_grey(self, (width, height))


class Planes(NamedTuple):
    """One picture as stored for encoding (4:2:0): `luma` (H, W), `blue` and `red` (H/2, W/2)
    differences.

    H and W are even: the last row or column of an odd picture is there twice. `matrix` is 709 or 601
    (the ITU recommendation that ties the planes to RGB), `full_range` whether black is 0 (else 16),
    `tagged` whether the video says so itself.
    """

    index: int  # type: ignore[assignment]
    time: float
    luma: Bytes
    blue: Bytes
    red: Bytes
    matrix: int
    full_range: bool
    tagged: bool


def small_grey(frame: Frame, size: tuple[int, int]) -> Bytes:
    """The brightness of a frame at `size` (width, height), averaged over areas."""
    if (frame.luma.shape[1], frame.luma.shape[0]) == size:
        return frame.luma
    shrinks = size[0] <= frame.luma.shape[1] and size[1] <= frame.luma.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(frame.luma, size, interpolation=method).astype(np.uint8, copy=False)


def read_frames(
    path: Path | str,
    *,
    sample: float | None = None,
    start: int = 0,
    threads: int = 0,
    size: tuple[int, int] | None = None,
) -> Iterator[Frame]:
    """The frames of a video, see `Reader`."""
    yield from Reader(path, sample=sample, start=start, threads=threads, size=size)


def can_jump(path: Path | str, start: int, start_time: float) -> bool:
    """Whether a read from frame `start` at `start_time` spares decoding all that lies before it."""
    return Reader(path, start=start, start_time=start_time).jumps()


class Reader:
    """Reads a video from its first frame, or from frame `start`, to its end; to be walked through once.

    `sample` seconds apart: the first frame at or after each multiple; None gives every frame. `start`
    continues as an undisturbed read would; with `start_time`, the time an earlier read gave for that
    frame, it may jump there where the file's own timestamps prove the count, else frames are decoded
    and passed over. With `threads` 1 frames are decoded when asked for, else one thread runs ahead; it
    never changes what comes out of a sound file. `size` (width, height) scales `pixels`.

    After the walk `damage` is None, or one line on what is missing (without the path); `skipped` counts
    the damaged packets, `frames` the frames seen; `origin` is the first frame's own timestamp in
    seconds. Opening raises InputError as `probe` does.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        sample: float | None = None,
        start: int = 0,
        start_time: float | None = None,
        threads: int = 0,
        size: tuple[int, int] | None = None,
    ) -> None:
        if sample is not None and not sample > 0:
            raise InputError(f"--sample {sample}: must be more than 0 seconds; try 0.1")
        self.path = Path(path)
        self.damage: str | None = None
        self.skipped = 0
        self.frames = 0
        self.origin = 0.0
        self._sample = sample
        self._start = start
        self._start_time = start_time
        self._threads = threads
        self._size = size
        self._ended_badly: str | None = None

    def __iter__(self) -> Generator[Frame, None, None]:
        """Frames with RGB pixels."""
        return self._walk(self._frames())

    def planes(self) -> Generator[Planes, None, None]:
        """Frames as 4:2:0 planes, for drawing on and encoding again without a detour through RGB."""
        return self._walk(self._planes())

    def jumps(self) -> bool:
        """Whether the file's own timestamps prove where `start` lies, so that nothing before it is
        decoded."""
        with open_video(self.path) as container:
            return self._landing(container, picture_stream(container, self.path)) is not None

    def _walk(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        return items if self._threads == 1 else ahead(items, _FRAMES_AHEAD)

    def _frames(self) -> Generator[Frame, None, None]:
        from av.video.reformatter import VideoReformatter

        reformatter = VideoReformatter()
        for index, time, picture, turn in self._pictures():
            width, height = self._size or (picture.width, picture.height)
            if self._size and turn.swaps_sides:
                width, height = height, width
            shown = reformatter.reformat(
                picture, width=width, height=height, format="rgb24", interpolation="BILINEAR", threads=1
            )
            luma = _luma_of(picture, reformatter)
            yield Frame(index, time, turn.apply(_rows(shown, 0, 3)), turn.apply(luma))

    def _planes(self) -> Generator[Planes, None, None]:
        from av.video.reformatter import VideoReformatter

        reformatter = VideoReformatter()
        for index, time, picture, turn in self._pictures():
            full_range = int(picture.color_range) == 2 or picture.format.name.startswith("yuvj")
            stored = picture
            if picture.format.name not in ("yuv420p", "yuvj420p"):
                stored = reformatter.reformat(
                    picture, format="yuvj420p" if full_range else "yuv420p", threads=1
                )
            matrix = 709 if int(picture.colorspace) == _BT709 else 601
            tagged = int(picture.colorspace) != _UNSPECIFIED
            luma, blue, red = (turn.apply(_rows(stored, plane, 1)) for plane in range(3))
            yield Planes(index, time, _even_sided(luma), blue, red, matrix, full_range, tagged)

    def _pictures(self) -> Iterator[tuple[int, float, VideoFrame, _Turn]]:
        """Every wanted frame in display order with its index, time and turn, not yet converted."""
        with open_video(self.path) as container:
            stream = picture_stream(container, self.path)
            # More threads in the decoder give other pictures around damage.
            stream.thread_count = 1
            clock = _Clock(1.0 / frame_rate(stream))
            landing = self._landing(container, stream)
            if landing is not None:
                container.seek(landing.pts, stream=stream)
            fields = _FieldJoiner(is_interlaced(stream))
            turn: _Turn | None = None
            before: float | None = None
            index = -1
            for decoded in self._decoded(container, stream):
                for picture in fields.push(decoded):
                    if landing is not None and index < 0:
                        if picture.pts is None or picture.pts < landing.pts:
                            continue
                        index = landing.index_of(picture.pts) - 1
                        clock.start_at(landing.origin)
                    seconds = _seconds_of(picture)
                    if turn is None:
                        turn = _Turn(*orientation(picture), (picture.width, picture.height))
                        self.origin = landing.origin if landing is not None else seconds or 0.0
                    index += 1
                    time = clock.tell(seconds)
                    wanted = self._wants(before, time)
                    before = time
                    self.frames = index + 1
                    if wanted and index >= self._start:
                        yield index, time, turn.fit(picture), turn
            self._tell_damage(index + 1)

    def _wants(self, before: float | None, time: float) -> bool:
        if self._sample is None or before is None:
            return True
        slack = _SAMPLE_SLACK / self._sample
        return int(time / self._sample + slack) > int(before / self._sample + slack)

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[Any]:
        """Decoded frames in display order, then None; damaged packets are counted and passed over."""
        import av

        last: int | None = None
        reached = 0.0
        whole_file = "matroska" in container.format.name
        demuxed: Iterator[Any] = container.demux() if whole_file else container.demux(stream)
        while True:
            try:
                packet = next(demuxed, None)
            except (av.error.FFmpegError, OSError) as error:
                self._ended_badly = str(getattr(error, "strerror", None) or error)
                break
            if packet is None:
                break
            reached = max(reached, _end_of(packet))
            if packet.stream is not stream:
                continue
            last = packet.dts if packet.dts is not None else last
            self.skipped += bool(packet.is_corrupt)
            try:
                pictures = packet.decode()
            except av.error.EOFError:
                continue
            except (av.error.FFmpegError, ValueError):
                self.skipped += bool(packet.size)
                continue
            yield from pictures
        yield None
        if self._ended_badly is None and _stops_before_its_index(container, stream, last):
            self._ended_badly = "its index lists more pictures"
        promised = float(container.duration or 0) / av.time_base if whole_file else 0.0
        if self._ended_badly is None and reached and promised - reached > _SHORTFALL_SECONDS:
            self._ended_badly = f"{reached:.1f} of {promised:.1f} seconds are there"

    def _landing(self, container: InputContainer, stream: VideoStream) -> _Landing | None:
        """Where to jump to so that the count of frames is sure; None where they must be counted by
        decoding."""
        if not self._start or self._start_time is None or is_interlaced(stream):
            return None
        if not {"mp4", "matroska"} & set(container.format.name.split(",")):
            return None
        return _find_landing(self.path, self._start, self._start_time)

    def _tell_damage(self, frames: int) -> None:
        if self._ended_badly is not None:
            self.damage = (
                f"the video breaks off after frame {frames - 1} ({self._ended_badly}); "
                "copy the file again for the rest"
            )
        elif self.skipped:
            self.damage = (
                f"{self.skipped} damaged packets were passed over, {frames} frames could be read; "
                "copy the file again if it is whole elsewhere"
            )


class _Clock:
    """Turns timestamps into times that always rise, from 0 at the first frame.

    A missing one is set a frame's length after the one before; a repeated one half a frame's length, so
    that the next good timestamp still fits; a jump back by more than a second is a spliced recording
    and goes on from where it was.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._origin: float | None = None
        self._last: float | None = None
        self._repeats = 0

    def start_at(self, origin: float) -> None:
        """Go on in the middle: the first frame's own timestamp, in seconds, is `origin`."""
        self._origin = origin

    def tell(self, seconds: float | None) -> float:
        if self._last is None:
            if self._origin is None:
                self._origin = seconds
            self._last = 0.0 if seconds is None or self._origin is None else seconds - self._origin
            return self._last
        if self._origin is None and seconds is not None:
            self._origin = seconds - self._last - self._gap
        time = (
            self._last + self._gap
            if seconds is None or self._origin is None
            else seconds - self._origin
        )
        if time < self._last - _BACKWARD_JUMP and self._origin is not None:
            self._origin -= self._last + self._gap - time
            time = self._last + self._gap
        if time <= self._last:
            self._repeats += 1
            time = self._last + self._gap * (0.5 if self._repeats == 1 else 1.0)
        else:
            self._repeats = 0
        self._last = time
        return time


class _Turn:
    """Brings stored pictures into the shown position; pictures that change size are scaled to the
    first's."""

    def __init__(self, rotation: int, mirrored: bool, size: tuple[int, int]) -> None:
        self._quarter_turns = rotation // 90
        self._mirrored = mirrored
        self._size = size
        self._scaler: Any = None
        self.swaps_sides = rotation in (90, 270)

    def fit(self, picture: VideoFrame) -> VideoFrame:
        if (picture.width, picture.height) == self._size:
            return picture
        if self._scaler is None:
            from av.video.reformatter import VideoReformatter

            self._scaler = VideoReformatter()
        width, height = self._size
        fitted: VideoFrame = self._scaler.reformat(picture, width=width, height=height, threads=1)
        return fitted

    def apply(self, pixels: Bytes) -> Bytes:
        if not self._quarter_turns and not self._mirrored:
            return np.ascontiguousarray(pixels) if pixels.ndim == 3 else pixels
        flipped = pixels[:, ::-1] if self._mirrored else pixels
        return np.ascontiguousarray(np.rot90(flipped, self._quarter_turns))


class _FieldJoiner:
    """Makes whole pictures of interlaced ones (yadif, one picture out for each in); others pass
    untouched.

    The filter starts with the first picture flagged as interlaced and then stays, touching only those.
    """

    def __init__(self, from_the_start: bool) -> None:
        self._wanted = from_the_start
        self._graph: Any = None
        self._shape: tuple[int, int, str] | None = None

    def push(self, picture: VideoFrame | None) -> Iterator[VideoFrame]:
        if picture is None:
            yield from self._flush()
            return
        self._wanted = self._wanted or bool(picture.interlaced_frame)
        if not self._wanted:
            yield picture
            return
        shape = (picture.width, picture.height, picture.format.name)
        if shape != self._shape:
            yield from self._flush()
            self._graph, self._shape = _yadif(picture), shape
        self._graph.push(picture)
        yield from _pull_all(self._graph)

    def _flush(self) -> Iterator[VideoFrame]:
        if self._graph is not None:
            self._graph.push(None)
            yield from _pull_all(self._graph)
            self._graph = None


def _yadif(picture: VideoFrame) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    yadif = graph.add("yadif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(yadif)
    yadif.link_to(sink)
    graph.configure()
    return graph


def _pull_all(graph: Any) -> Iterator[VideoFrame]:
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _rows(picture: VideoFrame, plane: int, channels: int) -> Bytes:
    """A plane of bytes as (H, W) or (H, W, channels), a view on the decoder's memory."""
    stored = picture.planes[plane]
    rows: Bytes = np.frombuffer(memoryview(stored), np.uint8).reshape(
        stored.height, abs(stored.line_size)
    )
    if stored.line_size < 0:
        rows = rows[::-1]
    rows = rows[:, : stored.width * channels]
    rows.flags.writeable = False
    return rows.reshape(stored.height, stored.width, channels) if channels > 1 else rows


def _even_sided(luma: Bytes) -> Bytes:
    odd_height, odd_width = luma.shape[0] % 2, luma.shape[1] % 2
    return (
        np.pad(luma, ((0, odd_height), (0, odd_width)), mode="edge")
        if odd_height or odd_width
        else luma
    )


def _luma_of(picture: VideoFrame, reformatter: Any) -> Bytes:
    if picture.format.name in _LUMA_FORMATS:
        return _rows(picture, 0, 1)
    return _rows(reformatter.reformat(picture, format="gray", threads=1), 0, 1)


def _seconds_of(picture: VideoFrame) -> float | None:
    if picture.pts is None or not picture.time_base:
        return None
    return float(picture.pts * picture.time_base)


def _end_of(packet: Any) -> float:
    if packet.pts is None or not packet.time_base:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _stops_before_its_index(container: InputContainer, stream: VideoStream, last: int | None) -> bool:
    """Whether packets are missing at the end of a file that keeps an index of them (mp4 and its
    kin)."""
    entries = getattr(stream, "index_entries", None)
    if "mp4" not in container.format.name.split(",") or entries is None or not len(entries):
        return False
    return last is None or last < entries[len(entries) - 1].timestamp


class _Landing(NamedTuple):
    """A key frame to jump to: its timestamp, all timestamps up to the frame wanted, the first in
    seconds."""

    pts: int
    rising: NDArray[np.int64]
    origin: float

    def index_of(self, pts: int) -> int:
        return int(np.searchsorted(self.rising, pts))


def _find_landing(path: Path, start: int, start_time: float) -> _Landing | None:
    """A key frame well before frame `start`, if the packets' own timestamps prove which frame that is.

    They do when every packet up to there has its own timestamp and is whole, and the one at place
    `start` has the very time that decoding gave to frame `start`: had a frame been lost or added before
    it, they would differ. Two key frames further back is far enough for pictures that lean on those
    before a key frame.
    """
    import av

    with open_video(path) as container:
        stream = picture_stream(container, path)
        tick = float(stream.time_base or 0)
        stamps: list[int] = []
        keys: list[int] = []
        origin: float | None = None
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                if packet.pts is None or packet.dts is None or packet.is_corrupt:
                    return None
                if packet.is_discard:
                    continue
                origin = packet.pts * tick if origin is None else min(origin, packet.pts * tick)
                if packet.dts * tick - origin > start_time + tick:
                    break
                stamps.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except (av.error.FFmpegError, OSError):
            return None
    rising = np.sort(np.array(stamps, np.int64))
    if origin is None or len(rising) <= start or (np.diff(rising) <= 0).any():
        return None
    if abs(rising[start] * tick - origin - start_time) > 0.25 * tick:
        return None
    behind = sorted(key for key in keys if key <= rising[start])
    return (
        _Landing(behind[-_KEY_FRAMES_BEFORE], rising, origin)
        if len(behind) > _KEY_FRAMES_BEFORE
        else None
    )
