"""Mask tracks: the scores of masks that are boxes equal those of the boxes; files; what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.evaluation.mots import mask_scene, score_mots
from filmroom.evaluation.reports import evaluate
from filmroom.evaluation.tracking import score_scene, score_sequence
from filmroom.formats.mot import TrackRows
from filmroom.formats.mots import MaskRows, format_mots, mask_rows, parse_mots
from filmroom.geometry.masks import encode_rle

WIDTH, HEIGHT = 40, 24
Box = tuple[int, int, int, int]


def mask(box: Box) -> bytes:
    x, y, w, h = box
    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[y : y + h, x : x + w] = True
    return encode_rle(pixels)


def rows(cells: list[tuple[int, int, Box]], length: int, label: int = 2) -> MaskRows:
    return mask_rows(
        [cell[0] for cell in cells],
        [cell[1] for cell in cells],
        [mask(cell[2]) for cell in cells],
        (HEIGHT, WIDTH),
        label,
        length,
    )


def joined(first: MaskRows, second: MaskRows) -> MaskRows:
    return parse_mots((format_mots(first) + format_mots(second)).encode(), length=first.length)


@st.composite
def scenes(draw: st.DrawFn) -> list[list[tuple[int, int, Box]]]:
    """Both sides: at most one box in each of four columns of a frame, so that no two overlap."""
    side = st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(0, 3)),
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(2, 6), st.integers(4, 12)),
        max_size=20,
    )
    return [
        [(frame, column, (10 * column + x, y, w, h)) for (frame, column), (x, y, w, h) in cells.items()]
        for cells in (draw(side), draw(side))
    ]


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_masks_of_boxes_score_as_the_boxes(sides: list[list[tuple[int, int, Box]]]):
    truth, tracks = (rows(cells, 6) for cells in sides)
    boxes = [
        TrackRows.of([c[0] for c in cells], [c[1] for c in cells], [c[2] for c in cells], length=6)
        for cells in sides
    ]
    of_masks = score_scene(mask_scene(truth, tracks)[0])
    of_boxes = score_sequence(*boxes, "soccernet")
    for name, value in of_boxes.items():
        assert of_masks[name] == pytest.approx(value, rel=1e-12), name


def test_masks_in_ignored_regions_are_left_out_unless_they_match():
    person = (2, 2, 8, 10)
    truth = joined(rows([(0, 1, person)], 1), rows([(0, 10000, (20, 0, 20, 24))], 1, label=10))
    tracks = rows([(0, 1, person), (0, 2, (24, 4, 6, 6)), (0, 3, (17, 12, 5, 5))], 1)
    scene, left_out = mask_scene(truth, tracks)
    assert left_out == {"not pedestrians": 0, "in ignored regions": 1}
    fields = score_scene(scene)
    assert (fields["CLR_TP"], fields["CLR_FP"], fields["GT_Dets"]) == (1, 1, 1)


def test_several_ignored_regions_of_a_frame_may_overlap():
    regions = rows([(0, 10000, (20, 0, 10, 24))], 1, label=10)
    others = rows([(0, 10000, (25, 0, 15, 24))], 1, label=10)
    tracks = rows([(0, 2, (22, 4, 16, 6))], 1)
    scene, left_out = mask_scene(joined(regions, others), tracks)
    assert left_out["in ignored regions"] == 1
    assert scene.is_empty


def test_other_classes_do_not_count():
    cars = rows([(0, 1, (2, 2, 8, 10))], 1, label=1)
    scene, left_out = mask_scene(rows([(0, 1, (2, 2, 8, 10))], 1), cars)
    assert (left_out["not pedestrians"], len(scene.track_ids)) == (1, 0)


def test_overlapping_masks_of_one_side_are_refused():
    crowd = rows([(0, 1, (2, 2, 8, 10)), (0, 2, (9, 2, 8, 10))], 1)
    with pytest.raises(InputError, match="frame 1: the masks of ids 1 and 2 overlap"):
        mask_scene(crowd, rows([], 1))


def test_pictures_of_two_sizes_are_refused():
    small = mask_rows([0], [1], [encode_rle(np.ones((4, 4), bool))], (4, 4), length=1)
    with pytest.raises(InputError, match="frame 1: a mask of 4 x 4 pixels, others have 40 x 24"):
        mask_scene(rows([(0, 1, (2, 2, 8, 10))], 1), small)


def test_report_from_files(tmp_path: Path):
    (tmp_path / "truth" / "A" / "gt").mkdir(parents=True)
    (tmp_path / "truth" / "A" / "seqinfo.ini").write_text("[Sequence]\nseqLength=3\n")
    truth = rows([(frame, 2001, (3 + frame, 2, 8, 10)) for frame in range(3)], 3)
    tracks = rows([(frame, 7, (3 + frame, 2, 8, 10)) for frame in range(2)], 3)
    (tmp_path / "truth" / "A" / "gt" / "gt.txt").write_text(format_mots(truth))
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "A.txt").write_text(format_mots(tracks))
    report = evaluate("segmentation", tmp_path / "truth", tmp_path / "found")
    assert report.combined["sMOTSA"] == report.combined["MOTSA"] == pytest.approx(2 / 3)
    assert report.combined["MOTSP"] == 1.0
    assert report.combined["CLR_FN"] == 1


def test_missing_sequences_are_named():
    truth = {"A": rows([], 2), "B": rows([], 2)}
    with pytest.raises(InputError, match="1 of 2 sequences: B"):
        score_mots(truth, {"A": rows([], 2), "C": rows([], 2)})


@settings(max_examples=20, deadline=None)
@given(scenes())
def test_written_files_read_back(sides: list[list[tuple[int, int, Box]]]):
    truth = rows(sides[0], 6)
    back = parse_mots(format_mots(truth).encode(), length=6)
    assert back.masks == truth.masks
    assert back.frames.tolist() == truth.frames.tolist()
    assert back.ids.tolist() == truth.ids.tolist()


GOOD = f"1 5 2 {HEIGHT} {WIDTH} {mask((2, 2, 8, 10)).decode()}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 5 2 24 40", "line 2: 5 columns"),
        (GOOD.replace("1 5", "x 5"), "line 2: .*whole numbers only"),
        (GOOD.replace("1 5", "0 5"), "line 2: frame 0"),
        (GOOD.replace("1 5", "4 5"), "line 2: frame 4; the sequence has frames 1 to 3"),
        (GOOD.replace("1 5", "1 -5"), "line 2: id -5"),
        (GOOD.replace("24 40", "24 41"), "line 2: the mask does not fill"),
        ("2 5 2 24 40 \x7f\x7f", "line 2: the mask is not"),
        (GOOD, "line 2: id 5 twice in frame 1"),
    ],
)
def test_bad_lines_are_named(line: str, reason: str):
    with pytest.raises(InputError, match=reason):
        parse_mots(f"{GOOD}\n{line}\n".encode(), "S.txt", 3)
