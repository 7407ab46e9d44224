import numpy as np
import pytest

from filmroom import tables
from filmroom.tables import TableError


def detections(**changes):
    columns = {
        "frame": [0, 0, 1], "detection": [0, 1, 0],
        "x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "w": [4.0, 4.0, 4.0], "h": [9.0, 9.0, 9.0],
        "score": [0.9, 0.8, 0.7], "kind": ["person", "ball", "person"], "kind_score": [1.0, 1.0, 1.0],
    }  # fmt: skip
    return tables.DETECTIONS.build(columns | changes)


def test_columns_left_out_are_null():
    assert detections()["referee"].null_count == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"detection": [0, 0, 0]}, "repeat a key"),
        ({"w": [4.0, -1.0, 4.0]}, "below"),
        ({"score": [0.5, 1.5, 0.5]}, "above"),
        ({"x": [1.0, float("nan"), 1.0]}, "NaN"),
        ({"kind": ["person", "dog", "ball"]}, "dog"),
        ({"frame": [0, None, 1]}, "missing"),
        ({"colour": [1, 2, 3]}, "unknown columns"),
        ({"x": [1.0]}, "different lengths"),
    ],
)
def test_a_table_that_breaks_its_schema_is_refused(changes, reason):
    with pytest.raises(TableError, match=reason):
        detections(**changes)


def test_another_tables_columns_are_refused():
    with pytest.raises(TableError, match="expected"):
        tables.TRACKS.check(detections())


def test_tables_are_joined_in_order():
    first = detections()
    second = detections(frame=[2, 2, 3])
    assert tables.concat(tables.DETECTIONS, [first, second])["frame"].to_pylist() == [0, 0, 1, 2, 2, 3]
    assert tables.concat(tables.DETECTIONS, []).num_rows == 0


def test_appearance_vectors_have_a_fixed_length():
    vectors = np.zeros((2, tables.APPEARANCE_LENGTH), np.float16)
    built = tables.APPEARANCE.build(
        {"frame": [0, 0], "detection": [0, 1], "vector": vectors, "quality": [1.0, 0.5]}
    )
    assert len(built["vector"][0].as_py()) == tables.APPEARANCE_LENGTH


def test_boxes_of_a_table():
    np.testing.assert_allclose(tables.boxes_of(detections())[1], [2, 2, 4, 9])


def test_a_table_of_an_earlier_version_lacks_what_it_did_not_know():
    earlier = detections().drop_columns(["head"])
    adopted = tables.DETECTIONS.adopt(earlier)
    assert adopted["head"].null_count == 3
    tables.DETECTIONS.check(adopted)
    with pytest.raises(ValueError, match="score"):
        tables.DETECTIONS.adopt(earlier.drop_columns(["score"]))
