"""What is told about a video, and the one line where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from filmroom.errors import InputError
from filmroom.video.probe import probe


def test_facts_of_a_plain_video(make_video: Any) -> None:
    facts = probe(make_video("plain.mp4", frames=50, sound="aac"))
    assert (facts.width, facts.height, facts.codec, facts.pixel_format) == (64, 48, "h264", "yuv420p")
    assert facts.fps == pytest.approx(25)
    assert facts.duration == pytest.approx(2.0, abs=0.1)
    assert facts.frames_in_header == 50
    assert facts.has_audio
    assert not facts.interlaced


@pytest.mark.parametrize(
    ("rotation", "shown"), [(0, (64, 48)), (90, (48, 64)), (180, (64, 48)), (-90, (48, 64))]
)
def test_size_is_that_of_the_shown_picture(
    make_video: Any, rotation: int, shown: tuple[int, int]
) -> None:
    facts = probe(make_video("turned.mp4", frames=3, rotation=rotation))
    assert (facts.width, facts.height) == shown
    assert facts.rotation == rotation % 360


def test_interlaced_is_noticed(make_video: Any) -> None:
    video = make_video("fields.mp4", frames=5, height=64, options={"x264-params": "interlaced=1:tff=1"})
    assert probe(video).interlaced


def test_a_name_with_a_colon_is_no_protocol(make_video: Any) -> None:
    assert probe(make_video("final:2-1 (1).mp4", frames=2)).width == 64


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probe(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line


def test_missing_file_folder_and_empty_file(tmp_path: Path) -> None:
    assert "no such file" in _refusal(tmp_path / "absent.mp4")
    assert "a folder" in _refusal(tmp_path)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty file" in _refusal(empty)


@pytest.mark.parametrize("content", [b"Dear team,\nthe match is off.\n" * 20, bytes(range(256)) * 40])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.mp4"
    path.write_bytes(content)
    assert "not a video" in _refusal(path)


def test_a_failed_copy_of_zeros(tmp_path: Path) -> None:
    path = tmp_path / "zeros.mp4"
    path.write_bytes(bytes(5000))
    assert "zeros" in _refusal(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
def test_a_still_image_by_any_name(tmp_path: Path, suffix: str) -> None:
    _, encoded = cv2.imencode(suffix, np.zeros((32, 32, 3), np.uint8))
    for name in (f"image{suffix}", "image.mp4"):
        path = tmp_path / name
        path.write_bytes(encoded.tobytes())
        assert "still image" in _refusal(path)


def test_sound_alone(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=48000)
        quiet = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        quiet.sample_rate = 48000
        container.mux(track.encode(quiet))
        container.mux(track.encode(None))
    assert "only sound" in _refusal(path)


@pytest.mark.parametrize("name", ["nothing.mkv", "nothing.mp4"])
def test_a_video_without_a_single_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    assert "no picture" in _refusal(path)


def test_an_mp4_cut_before_its_index(make_video: Any) -> None:
    path = make_video("cut.mp4", frames=60, width=160, height=120)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "cut short" in _refusal(path)
