"""Reading frames: every one, in order, as shown, by its own time; and what happens to damaged files."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.video import decode
from filmroom.video.decode import Frame, Reader, read_frames, small_grey


def _is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60)


def _digest(frames: list[Frame]) -> list[tuple[int, float, int]]:
    return [(frame.index, frame.time, hash(frame.pixels.tobytes())) for frame in frames]


def test_every_frame_in_order(make_video: Any) -> None:
    frames = list(read_frames(make_video("plain.mp4", frames=40)))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(40)])
    blues = [int(frame.pixels[30, 40, 2]) for frame in frames]
    assert blues == pytest.approx([index * 6 % 250 for index in range(40)], abs=25)
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].luma.shape == (48, 64)
    assert _is_red(frames[0].pixels[3, 3])


def test_index_counts_all_frames_when_sampled(make_video: Any) -> None:
    video = make_video("plain.mp4", frames=50)
    frames = list(read_frames(video, sample=0.1))
    # The first frame at or after 0, 0.1, 0.2 ... seconds at 25 frames a second.
    assert [frame.index for frame in frames[:6]] == [0, 3, 5, 8, 10, 13]
    assert len(frames) == 20
    with pytest.raises(InputError):
        Reader(video, sample=0.0)


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (3, 3)), (90, (-3, 3)), (180, (-3, -3)), (-90, (3, -3))]
)
def test_rotation_is_applied(make_video: Any, rotation: int, corner: tuple[int, int]) -> None:
    video = make_video("turned.mp4", frames=2, rotation=rotation)
    frame = next(iter(Reader(video)))
    assert _is_red(frame.pixels[corner])
    assert frame.luma.shape == frame.pixels.shape[:2]
    planes = next(Reader(video).planes())
    assert planes.luma.shape == frame.luma.shape
    assert planes.red[corner[0] // 3, corner[1] // 3] > 180


def test_uneven_frame_times_are_kept(make_video: Any) -> None:
    times = [index * 40 + index % 3 * 13 for index in range(20)]
    frames = list(read_frames(make_video("uneven.mp4", frames=20, times=times)))
    assert [frame.time for frame in frames] == pytest.approx([time / 1000 for time in times], abs=1e-3)


@pytest.mark.parametrize(
    "how",
    [
        {"width": 65, "height": 47, "pixel_format": "yuv444p"},
        {"pixel_format": "yuv420p10le"},
        {"codec": "ffv1", "width": 1, "height": 1, "pixel_format": "yuv444p"},
        {"codec": "ffv1", "width": 3, "height": 2, "pixel_format": "gray"},
        {"codec": "mpeg4"},
    ],
)
def test_odd_sizes_and_formats(make_video: Any, how: dict[str, Any]) -> None:
    video = make_video("odd.mkv", frames=4, **how)
    frames = list(Reader(video))
    width, height = how.get("width", 64), how.get("height", 48)
    assert [frame.pixels.shape for frame in frames] == [(height, width, 3)] * 4
    planes = list(Reader(video).planes())
    assert len(planes) == 4
    assert planes[0].luma.shape == (height + height % 2, width + width % 2)
    assert (
        planes[0].blue.shape
        == planes[0].red.shape
        == (planes[0].luma.shape[0] // 2, planes[0].luma.shape[1] // 2)
    )


def test_fields_are_joined_frame_for_frame(make_video: Any) -> None:
    video = make_video(
        "fields.mp4", frames=12, height=64, options={"x264-params": "interlaced=1:tff=1"}
    )
    frames = list(Reader(video))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(12)])


@pytest.mark.parametrize("sample", [None, 0.1])
def test_reading_on_equals_an_undisturbed_read(make_video: Any, sample: float | None) -> None:
    video = make_video("long.mp4", frames=120, options={"g": "12", "bf": "2"})
    whole = _digest(list(Reader(video, sample=sample)))
    for place in (1, len(whole) // 2, len(whole) - 1):
        index, time, _ = whole[place]
        assert _digest(list(Reader(video, sample=sample, start=index))) == whole[place:]
        jumped = Reader(video, sample=sample, start=index, start_time=time)
        assert _digest(list(jumped)) == whole[place:]
        assert jumped.damage is None


def test_it_jumps_only_where_timestamps_prove_the_count(make_video: Any) -> None:
    video = make_video("long.mp4", frames=120, options={"g": "12"})
    landing = decode._find_landing(video, 100, 4.0)
    assert landing is not None
    assert 0 < landing.index_of(landing.pts) <= 88
    assert decode._find_landing(video, 100, 3.96) is None


def test_threads_change_nothing(make_video: Any) -> None:
    video = make_video("plain.mp4", frames=30)
    assert _digest(list(Reader(video, threads=1))) == _digest(list(Reader(video, threads=4)))


def test_a_walk_given_up_early_ends_cleanly(make_video: Any) -> None:
    frames = iter(Reader(make_video("plain.mp4", frames=30), threads=2))
    assert next(frames).index == 0
    frames.close()


def _cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "how"),
    [("cut.mp4", {"container_options": {"movflags": "+faststart"}}), ("cut.mkv", {"sound": "libopus"})],
)
def test_a_file_that_breaks_off_gives_what_there_is(
    make_video: Any, name: str, how: dict[str, Any]
) -> None:
    video = make_video(name, frames=100, width=160, height=120, **how)
    whole = _digest(list(Reader(video)))
    _cut(video, 0.6)
    reader = Reader(video)
    frames = _digest(list(reader))
    assert 20 < len(frames) < 90
    assert frames[:-3] == whole[: len(frames) - 3]
    assert reader.damage is not None
    assert "breaks off" in reader.damage
    assert "\n" not in reader.damage
    assert _digest(list(Reader(video, threads=1))) == frames


def test_damaged_packets_are_counted_and_passed_over(make_video: Any) -> None:
    video = make_video(
        "dented.mp4", frames=100, width=160, height=120, container_options={"movflags": "+faststart"}
    )
    content = bytearray(video.read_bytes())
    for place in np.random.default_rng(3).integers(len(content) // 2, len(content), 60):
        content[place] ^= 0xFF
    video.write_bytes(bytes(content))
    reader = Reader(video)
    frames = list(reader)
    assert reader.skipped > 0
    assert 60 < len(frames) < 100
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert reader.damage is not None
    assert "damaged packets" in reader.damage


def test_small_grey_is_the_mean_brightness_of_its_area(make_video: Any) -> None:
    frame = next(iter(Reader(make_video("plain.mp4", frames=1))))
    small = small_grey(frame, (8, 6))
    assert small.shape == (6, 8)
    assert (small == frame.grey(8, 6)).all()
    assert int(small[3, 4]) == pytest.approx(frame.luma[24:32, 32:40].mean(), abs=1)


_STAMPS = st.lists(st.one_of(st.none(), st.floats(0, 100, allow_nan=False)), min_size=1, max_size=60)


@given(_STAMPS)
def test_times_always_rise_from_zero(stamps: list[float | None]) -> None:
    clock = decode._Clock(0.04)
    times = [clock.tell(stamp) for stamp in stamps]
    assert times[0] == 0
    assert all(after > before for before, after in itertools.pairwise(times))


def test_clock_mends_repeated_missing_and_spliced_timestamps() -> None:
    def told(stamps: list[float | None]) -> list[float]:
        clock = decode._Clock(0.04)
        return [round(clock.tell(stamp), 6) for stamp in stamps]

    assert told([5.0, 5.04, 5.08]) == [0, 0.04, 0.08]
    assert told([0.0, 0.04, 0.04, 0.08]) == [0, 0.04, 0.06, 0.08]
    assert told([0.0, None, None, 0.12]) == [0, 0.04, 0.08, 0.12]
    assert told([50.0, 50.04, 3.0, 3.04]) == [0, 0.04, 0.08, 0.12]
    assert told([0.0, 0.0, 0.0, 0.0]) == [0, 0.02, 0.06, 0.1]
