"""Writing video: plays everywhere, same bytes every time, whole or absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from filmroom.errors import InputError, MachineError
from filmroom.video.decode import Reader
from filmroom.video.encode import Writer
from filmroom.video.probe import probe


def _pictures(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    rows, columns = np.mgrid[0:height, 0:width]
    return [
        np.stack(
            [rows * 4 % 256, columns * 3 % 256, np.full_like(rows, index * 8 % 256)], axis=2
        ).astype(np.uint8)
        for index in range(count)
    ]


def _write(path: Path, pictures: list[np.ndarray], times: list[float], **how: Any) -> Path:
    height, width = pictures[0].shape[:2]
    with Writer(path, width, height, 25, **how) as writer:
        for picture, time in zip(pictures, times, strict=True):
            writer.write(picture, time)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    pictures = _pictures(12)
    times = [0.0, 0.05, 0.07, 0.2, 0.21, 0.3, 0.5, 0.51, 0.6, 0.7, 0.8, 1.0]
    video = _write(tmp_path / "out.mp4", pictures, times, quality="good")
    frames = list(Reader(video))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-4)
    error = np.mean(
        [
            np.abs(frame.pixels.astype(int) - picture).mean()
            for frame, picture in zip(frames, pictures, strict=True)
        ]
    )
    assert error < 6


def test_it_plays_in_a_browser(tmp_path: Path) -> None:
    video = _write(tmp_path / "out.mp4", _pictures(5), [index / 25 for index in range(5)])
    facts = probe(video)
    assert (facts.codec, facts.pixel_format) == ("h264", "yuv420p")
    content = video.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(
    ("size", "even"), [((65, 47), (66, 48)), ((1, 1), (2, 2)), ((64, 48), (64, 48))]
)
def test_odd_sizes_become_even(tmp_path: Path, size: tuple[int, int], even: tuple[int, int]) -> None:
    video = _write(tmp_path / "odd.mp4", _pictures(2, *size), [0.0, 0.04])
    facts = probe(video)
    assert (facts.width, facts.height) == even


def test_same_pictures_same_bytes(tmp_path: Path) -> None:
    pictures, times = _pictures(30), [index / 25 for index in range(30)]
    first = _write(tmp_path / "a.mp4", pictures, times).read_bytes()
    assert _write(tmp_path / "b.mp4", pictures, times).read_bytes() == first


def test_planes_pass_unchanged_but_for_the_encoder(tmp_path: Path, make_video: Any) -> None:
    source = make_video("source.mp4", frames=5)
    with Writer(tmp_path / "copy.mp4", 64, 48, 25, quality="good") as writer:
        for planes in Reader(source).planes():
            writer.write_planes(planes.luma, planes.blue, planes.red, planes.time)
    before, after = list(Reader(source)), list(Reader(tmp_path / "copy.mp4"))
    assert np.abs(before[3].pixels.astype(int) - after[3].pixels).mean() < 4


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"an earlier result")
    with pytest.raises(ZeroDivisionError), Writer(target, 64, 48, 25) as writer:
        writer.write(_pictures(1)[0], 0.0)
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert target.read_bytes() == b"an earlier result"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder does not exist"):
        Writer(tmp_path / "absent" / "out.mp4", 64, 48, 25)


_FILL_THE_DISK = """
import resource, signal, sys
import numpy as np
from filmroom.errors import MachineError
from filmroom.video.encode import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
noise = np.random.default_rng(0)
try:
    with Writer(sys.argv[1], 320, 240, 25) as writer:
        for index in range(40):
            writer.write(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), index / 25)
except MachineError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    done = subprocess.run(
        [sys.executable, "-c", _FILL_THE_DISK, str(target)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{target}: the disk is full; free some space and render again"
    assert MachineError.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def _sound_of(path: Path) -> tuple[str, float]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        seconds = float(sum(packet.duration * packet.time_base for packet in packets))
        return stream.codec_context.codec.canonical_name, seconds


@pytest.mark.parametrize(
    ("name", "sound", "kept_as"),
    [("a.mp4", "aac", "aac"), ("b.mkv", "libopus", "opus"), ("c.mov", "pcm_s16le", "aac")],
)
def test_sound_is_copied_or_encoded(
    tmp_path: Path, make_video: Any, name: str, sound: str, kept_as: str
) -> None:
    source = make_video(name, frames=50, sound=sound)
    target = tmp_path / "out.mp4"
    with Writer(target, 64, 48, 25) as writer:
        reader = Reader(source)
        frames = list(reader)
        assert writer.copy_audio(source, reader.origin)
        for frame in frames:
            writer.write(frame.pixels, frame.time)
    codec, seconds = _sound_of(target)
    assert codec == kept_as
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert len(list(Reader(target))) == 50


def test_a_silent_source_is_no_error(tmp_path: Path, make_video: Any) -> None:
    source = make_video("silent.mp4", frames=3)
    with Writer(tmp_path / "out.mp4", 64, 48, 25) as writer:
        assert not writer.copy_audio(source)
        writer.write(_pictures(1)[0], 0.0)
    assert not probe(tmp_path / "out.mp4").has_audio
