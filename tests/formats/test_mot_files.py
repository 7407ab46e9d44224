"""MOTChallenge files as found in the wild, and the errors of bad ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import DamagedInputError, InputError
from filmroom.formats.mot import (
    MotFiles,
    TrackRows,
    format_mot_tracks,
    parse_mot,
    read_mot,
    write_mot_tracks,
    write_mot_zip,
)

TRUTH = b"1,1,914,855,55,172,1,-1,-1,-1\n2,1,915,855,55,172,1,-1,-1,-1\n"
TRACKS = b"1,3,794.27,247.59,71.24,174.88,0.91,-1,-1,-1\n"
FACTS = b"[Sequence]\nname=A\nframeRate=25\nseqLength=750\n"


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_frames_count_from_zero_inside():
    rows = parse_mot(TRACKS)
    assert (rows.frames.tolist(), rows.ids.tolist(), rows.scores.tolist()) == ([0], [3], [0.91])
    assert rows.boxes.tolist() == [[794.27, 247.59, 71.24, 174.88]]
    assert rows.classes.tolist() == [-1]


@pytest.mark.parametrize(
    "text",
    [
        b"1, 7, 749, 217, 34, 125, 1, 1, 1\n",
        b"1 7 749 217 34 125 1 1 1\n",
        b"1  7   749 217 34 125 1 1 1",
        b"1\t7\t749\t217\t34\t125\t1\t1\t1\n",
        b"1;7;749;217;34;125;1;1;1\n",
        b"1,7,749,217,34,125,1,1,1,\n",
        b"\n1,7,749,217,34,125,1,1,1\r\n\r\n",
        b"1.0,7.0,7.49e2,217,34,125,1,1,1\n",
    ],
)
def test_the_same_row_in_the_spellings_of_the_wild(text: bytes):
    rows = parse_mot(text, "truth")
    assert (rows.frames.tolist(), rows.ids.tolist()) == ([0], [7])
    assert rows.boxes.tolist() == [[749, 217, 34, 125]]
    assert rows.classes.tolist() == [1]


def test_six_columns_are_enough_for_tracks():
    rows = parse_mot(b"1,175,1413,334,74,100\n")
    assert (rows.scores.tolist(), rows.classes.tolist()) == ([1.0], [1])


def test_empty_file_is_a_sequence_without_rows():
    assert len(parse_mot(b"")) == 0
    assert len(parse_mot(b"\n \n", "truth")) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"1,1,1,1,1,1,1\n1,2,1,x,1,1,1\n", "line 2: top is 'x', not a number"),
        (b"1,1,1,1,1,1,1\n\n1,2,1,nan,1,1,1\n", "line 3: top is 'nan', not a number"),
        (b"1,1,1,,1,1,1\n", "line 1: top is '', not a number"),
        (b"1,1,1,1,1,1,1\n1,2,1,1\n", "line 2: 4 columns"),
        (b"1,1,1,1,1,1,1\n1,2,1,1,2,2\n", "line 2: 6 columns, the first line has 7"),
        (b"1,1,1,1,1,1\n\n2,1,1,1,-3,1\n", "line 3: negative size -3 x 1"),
        (b"0,1,1,1,1,1\n", "line 1: frame 0; frames count from 1"),
        (b"1.5,1,1,1,1,1\n", "line 1: frame 1.5 is not a whole number"),
        (b"1,-2,1,1,1,1\n", "line 1: id -2"),
        (b"1,2.5,1,1,1,1\n", "line 1: id 2.5 is not a whole number"),
        (b"1,4,1,1,1,1\n2,4,1,1,1,1\n1,4,9,9,9,9\n", "line 3: id 4 twice in frame 1"),
        (b"hello\n", "line 1: no columns"),
    ],
)
def test_bad_rows_are_named_by_line_and_reason(text: bytes, reason: str):
    with pytest.raises(InputError, match="tracks.txt, " + reason.replace("(", r"\(")):
        parse_mot(text, "tracks", "tracks.txt")


def test_frames_beyond_the_sequence_are_refused():
    with pytest.raises(InputError, match="line 2: frame 2 beyond the 1 frames"):
        parse_mot(TRUTH, "truth", "gt.txt", length=1)


def test_truth_needs_flag_and_class():
    with pytest.raises(InputError, match="7 columns; a truth file has at least 8"):
        parse_mot(b"1,1,1,1,1,1,1\n", "truth")


def test_detections_may_repeat_an_id():
    rows = parse_mot(b"1,-1,1,1,5,5,0.9\n1,-1,2,2,5,5,0.8\n", "detections")
    assert rows.ids.tolist() == [-1, -1]


def test_each_kind_finds_its_files_at_any_depth(tmp_path: Path):
    put(
        tmp_path,
        {
            "x/SNMOT-1/gt/gt.txt": TRUTH,
            "x/SNMOT-1/det/det.txt": TRACKS,
            "x/SNMOT-1/seqinfo.ini": FACTS,
            "x/SNMOT-1/img1/notes.txt": b"no table",
            "seqmap.txt": b"name\nSNMOT-1\n",
            "tracker/data/SNMOT-1.txt": TRACKS,
        },
    )
    truth = read_mot(tmp_path, "truth")["SNMOT-1"]
    assert (len(truth), truth.length, truth.frame_rate) == (2, 750, 25.0)
    assert len(read_mot(tmp_path, "detections")["SNMOT-1"]) == 1
    assert list(read_mot(tmp_path, "tracks")) == ["SNMOT-1"]


def test_truth_folder_given_as_tracks_is_read(tmp_path: Path):
    put(tmp_path, {"A/gt/gt.txt": TRUTH, "A/det/det.txt": TRACKS, "B/gt/gt.txt": TRUTH})
    assert list(read_mot(tmp_path, "tracks")) == ["A", "B"]


def test_one_file_is_named_by_its_sequence_folder(tmp_path: Path):
    put(tmp_path, {"SNMOT-9/gt/gt.txt": TRUTH, "run.txt": TRACKS})
    assert list(read_mot(tmp_path / "SNMOT-9" / "gt" / "gt.txt", "truth")) == ["SNMOT-9"]
    assert list(read_mot(tmp_path / "run.txt")) == ["run"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_zip_reads_like_the_folder(tmp_path: Path, compression: int):
    archive = tmp_path / "truth.zip"
    with zipfile.ZipFile(archive, "w", compression) as content:
        content.mkdir("test")
        content.writestr("test/A/gt/gt.txt", TRUTH)
        content.writestr("test/A/seqinfo.ini", FACTS)
        content.writestr("__MACOSX/test/A/gt/gt.txt", b"\0")
    rows = read_mot(archive, "truth")
    assert list(rows) == ["A"]
    assert rows["A"].length == 750


def test_a_sequence_found_twice_is_refused(tmp_path: Path):
    put(tmp_path, {"train/A.txt": TRACKS, "val/A.txt": TRACKS})
    with pytest.raises(InputError, match=r"sequence A twice: train/A\.txt and val/A\.txt"):
        read_mot(tmp_path)


def test_nothing_there(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_mot(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no truth found"):
        read_mot(tmp_path, "truth")


def test_damaged_zip_is_told(tmp_path: Path):
    archive = tmp_path / "tracks.zip"
    write_mot_zip(archive, {"A": parse_mot(TRACKS * 1)})
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedInputError, match="not a readable zip"):
        read_mot(archive)
    broken = bytearray(whole)
    broken[40] ^= 0xFF
    archive.write_bytes(bytes(broken))
    with pytest.raises(DamagedInputError, match=r"A\.txt inside is damaged"):
        read_mot(archive)


finite = st.floats(-1e6, 1e6)
size = st.floats(0, 1e6)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 1000), st.integers(0, 10**6)),
        st.tuples(finite, finite, size, size, st.floats(0, 1)),
        max_size=20,
    )
)
def test_written_without_rounding_reads_back_the_same(cells):
    keys = sorted(cells)
    values = np.array([cells[key] for key in keys]).reshape(-1, 5)
    rows = TrackRows.of(
        [key[0] for key in keys], [key[1] for key in keys], values[:, :4], scores=values[:, 4]
    )
    back = parse_mot(format_mot_tracks(rows, decimals=None).encode())
    assert back.frames.tolist() == rows.frames.tolist()
    assert back.ids.tolist() == rows.ids.tolist()
    assert back.boxes.tolist() == rows.boxes.tolist()
    assert back.scores.tolist() == rows.scores.tolist()


def test_result_file_looks_as_the_evaluators_want_it(tmp_path: Path):
    rows = TrackRows.of([1, 0], [2, 5], [(1, 2, 3, 4), (5.126, 6, 7, 8)], scores=[0.5, 1])
    write_mot_tracks(tmp_path / "A.txt", rows)
    assert (tmp_path / "A.txt").read_text() == (
        "1,5,5.13,6.00,7.00,8.00,1.00,-1,-1,-1\n2,2,1.00,2.00,3.00,4.00,0.50,-1,-1,-1\n"
    )


def test_submission_zip_is_the_same_bytes_every_time(tmp_path: Path):
    rows = {"B": parse_mot(TRACKS), "A": parse_mot(TRACKS)}
    write_mot_zip(tmp_path / "one.zip", rows, folder="tracker")
    write_mot_zip(tmp_path / "two.zip", dict(reversed(rows.items())), folder="tracker")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one.zip").namelist() == ["tracker/A.txt", "tracker/B.txt"]


def test_a_mark_of_byte_order_and_huge_numbers(tmp_path: Path):
    assert parse_mot(b"\xef\xbb\xbf1,2,3,4,5,6,1,-1").ids.tolist() == [2]
    with pytest.raises(InputError, match=r"line 2: id 1e\+20 is not a whole number of usual size"):
        parse_mot(b"1,2,3,4,5,6,1,-1\n1,100000000000000000000,3,4,5,6,1,-1\n")


def test_asking_for_a_sequence_does_not_read_it(tmp_path: Path):
    (tmp_path / "A.txt").write_text("no numbers at all")
    assert "A" in MotFiles(tmp_path)
    assert "B" not in MotFiles(tmp_path)


def test_an_encrypted_zip_is_told(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("A.txt", "1,1,1,1,1,1")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"A\.txt inside is encrypted"):
        read_mot(tmp_path / "a.zip")
