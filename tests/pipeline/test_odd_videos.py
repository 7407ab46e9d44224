"""Videos as they are found in the wild: nothing in them breaks a run, and what is wrong is said."""

import av
import numpy as np
import pytest

import filmroom
from filmroom.errors import InputError


def write_video(path, frames, size=(320, 180), rate=25, picture=None):
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            pixels = np.full((height, width, 3), 60, np.uint8) if picture is None else picture(index)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def noise(index):
    return np.random.default_rng(index).integers(0, 255, (180, 320, 3)).astype(np.uint8)


@pytest.mark.parametrize("picture", [None, noise], ids=["plain", "noise"])
def test_a_video_without_people(tmp_path, picture):
    video = write_video(tmp_path / "empty.mp4", 9, picture=picture)
    game = filmroom.analyze(video, tmp_path / "out", annotated=True)
    assert game.record.frames == 9
    assert (tmp_path / "out" / "annotated.mp4").exists()
    assert (tmp_path / "out" / "tracks.txt").exists()


@pytest.mark.parametrize("frames", [1, 2])
def test_hardly_any_frames(tmp_path, frames):
    video = write_video(tmp_path / "short.mp4", frames)
    assert filmroom.analyze(video, tmp_path / "out", annotated=True).record.frames == frames


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (640, 20)])
def test_very_small_pictures(tmp_path, size):
    video = write_video(tmp_path / "tiny.mp4", 4, size=size)
    assert filmroom.analyze(video, tmp_path / "out", annotated=True).record.frames == 4


def test_a_truncated_file_keeps_what_could_be_read(tmp_path, clip):
    whole = clip.read_bytes()
    container = tmp_path / "whole.ts"
    with av.open(str(clip)) as source, av.open(str(container), "w", format="mpegts") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut = tmp_path / "cut.ts"
    cut.write_bytes(container.read_bytes()[: len(whole) // 2])
    game = filmroom.analyze(cut, tmp_path / "out", annotated=True)
    assert 0 < game.record.frames < filmroom.analyze(clip).record.frames
    assert (tmp_path / "out" / "tracks.parquet").exists()


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44100
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(InputError):
        filmroom.analyze(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
