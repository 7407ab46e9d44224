"""Detections in files: what `filmroom track` reads and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from filmroom.errors import InputError
from filmroom.formats.mot import read_mot
from filmroom.tables import MOTION, SHOTS
from filmroom.track.files import read_coco_results, track_files


def det_file(path: Path, people: int = 4, frames: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{frame},-1,{200 * person + frame},{300},{32},{80},0.9,-1,-1,-1"
        for frame in range(1, frames + 1)
        for person in range(people)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("preset", [None, "bytetrack"])
def test_one_file_gives_one_file(tmp_path: Path, preset: str | None) -> None:
    done = track_files(det_file(tmp_path / "det.txt"), tmp_path / "out.txt", preset_name=preset)
    rows = next(iter(read_mot(tmp_path / "out.txt").values()))
    assert done[0].tracks == len(set(rows.ids.tolist())) == 4
    assert rows.frames.max() == 29


def test_a_folder_of_sequences_gives_a_file_each(tmp_path: Path) -> None:
    for name in ("A", "B"):
        det_file(tmp_path / "in" / name / "det" / "det.txt")
    done = track_files(tmp_path / "in", tmp_path / "out")
    assert [each.sequence for each in done] == ["A", "B"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["A.txt", "B.txt"]


def test_a_coco_result_list_is_read_by_frame_or_name(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    entries = [
        {
            "file_name": f"img/{frame:06d}.jpg",
            "category": "person",
            "bbox": [10 + frame, 20, 30, 80],
            "score": 0.9,
        }
        for frame in range(20)
    ]
    path.write_text(
        json.dumps([*entries, {"frame": 3, "category": "ball", "bbox": [1, 1, 5, 5], "score": 1}])
    )
    rows = read_coco_results(path)
    assert len(rows) == 20
    assert track_files(path, tmp_path / "out.txt")[0].tracks == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "not a list"),
        ("nonsense", "not JSON"),
        ('[{"bbox": [1, 2, 3]}]', "entry 0"),
        ('[{"frame": 0, "bbox": [1, 2, -3, 4]}]', "negative"),
    ],
)
def test_a_wrong_coco_list_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "found.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_coco_results(path)


def test_several_sequences_do_not_fit_one_file(tmp_path: Path) -> None:
    for name in ("A", "B"):
        det_file(tmp_path / "in" / name / "det" / "det.txt")
    (tmp_path / "out.txt").write_text("mine")
    with pytest.raises(InputError, match="give a folder"):
        track_files(tmp_path / "in", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "mine"


def test_lines_out_of_order_give_the_same_tracks(tmp_path: Path) -> None:
    path = det_file(tmp_path / "det.txt")
    track_files(path, tmp_path / "one.txt")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1::2] + lines[::2][::-1]) + "\n")
    track_files(path, tmp_path / "two.txt")
    assert (tmp_path / "one.txt").read_text() == (tmp_path / "two.txt").read_text()


@pytest.mark.parametrize("line", ["1,-1,nan,5,30,80,0.9", "1,-1,5,5,-30,80,0.9", "0,-1,5,5,30,80,0.9"])
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str) -> None:
    path = det_file(tmp_path / "det.txt")
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match="121"):
        track_files(path, tmp_path / "out.txt")


def test_frames_without_boxes_and_no_boxes_at_all(tmp_path: Path) -> None:
    path = det_file(tmp_path / "det.txt")
    kept = [line for line in path.read_text().splitlines() if not 10 <= int(line.split(",")[0]) < 14]
    path.write_text("\n".join(kept) + "\n")
    assert track_files(path, tmp_path / "out.txt")[0].tracks == 4
    path.write_text("")
    assert track_files(path, tmp_path / "none.txt")[0].tracks == 0


def looked(frames: int, cut: int | None = None, pan: float = 0.0):
    """What `observe` tells of a video: its length, where it is cut and how fast the camera pans."""
    firsts = [0] if cut is None else [0, cut]
    shots = SHOTS.build(
        {
            "shot": range(len(firsts)),
            "first_frame": firsts,
            "last_frame": [*(first - 1 for first in firsts[1:]), frames - 1],
            "kind": ["main"] * len(firsts),
            "score": [1.0] * len(firsts),
        }
    )
    matrix = [1.0, 0.0, -pan, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    matrices = [None if frame in firsts else matrix for frame in range(frames)]
    motion = MOTION.build(
        {
            "frame": range(frames),
            "matrix": pa.array(matrices, MOTION.schema.field("matrix").type),
            "inliers": [1.0] * frames,
        }
    )
    return lambda people: (motion, shots, np.arange(frames), 25.0)


@pytest.mark.parametrize("preset", [None, "filmroom", "bytetrack", "bot-sort"])
def test_nobody_is_followed_across_a_cut_of_the_video(tmp_path: Path, preset: str | None) -> None:
    path, out = det_file(tmp_path / "det.txt"), tmp_path / "out.txt"
    done = track_files(path, out, preset_name=preset, observe=looked(30, cut=15))
    assert done[0].tracks == 8


def test_a_preset_that_heeds_the_camera_takes_its_motion_from_the_video(tmp_path: Path) -> None:
    pan = 45.0
    lines = [
        f"{frame},-1,{900 + 200 * person - pan * frame},300,32,80,0.9,-1,-1,-1"
        for frame in range(1, 16)
        for person in range(3)
    ]
    path = tmp_path / "det.txt"
    path.write_text("\n".join(lines) + "\n")
    seen = looked(15, pan=pan)
    assert track_files(path, tmp_path / "a.txt", preset_name="bot-sort", observe=seen)[0].boxes == 45
    assert track_files(path, tmp_path / "b.txt", preset_name="bot-sort")[0].boxes < 10


@pytest.mark.parametrize("preset", [None, "sort"])
def test_detections_after_the_end_of_the_video_are_told(tmp_path: Path, preset: str | None) -> None:
    path = det_file(tmp_path / "det.txt")
    with pytest.raises(InputError, match="frame 30, but the video ends with frame 20"):
        track_files(path, tmp_path / "out.txt", preset_name=preset, observe=looked(20))
