"""Small videos of every odd kind, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

MakeVideo = Callable[..., Path]


def numbered_picture(index: int, width: int, height: int) -> np.ndarray:
    """Top left quarter red, the rest a gradient whose blue tells the frame."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = 40 + columns * 100 // max(width, 1)
    picture[..., 1] = 40 + rows * 150 // max(height, 1)
    picture[..., 2] = index * 6 % 250
    picture[: max(1, height // 4), : max(1, width // 4)] = (250, 10, 10)
    return picture


def _write(
    path: Path,
    *,
    frames: int = 30,
    width: int = 64,
    height: int = 48,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    times: list[int] | None = None,
    rotation: int | None = None,
    sound: str | None = None,
) -> Path:
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        track: Any = container.add_stream(sound, rate=48000) if sound else None
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered_picture(index, width, height), format="rgb24")
            frame = frame.reformat(format=pixel_format)
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for block in range(int(frames / 25 * 48000 / 1024) if track else 0):
            tone = (8000 * np.sin(np.arange(1024) / 10)).astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            heard.sample_rate, heard.pts = 48000, block * 1024
            container.mux(track.encode(heard))
        if track:
            container.mux(track.encode(None))
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """`make_video(name, **how)` writes a small video and gives its path."""
    return lambda name, **how: _write(tmp_path / name, **how)
