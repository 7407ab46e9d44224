import numpy as np

from filmroom import tables
from filmroom.geometry.masks import encode_rle
from filmroom.identify.ownership import own_numbers

LEFT, RIGHT = (100.0, 50.0, 40.0, 80.0), (120.0, 50.0, 40.0, 80.0)


def scene(reads, masks):
    """Two people side by side in frame 0, their silhouettes, and reads (detection, text, box)."""
    columns = {name: [LEFT[i], RIGHT[i]] for i, name in enumerate("xywh")}
    detections = tables.DETECTIONS.build(
        {
            "frame": [0, 0],
            "detection": [0, 1],
            **columns,
            "score": [0.9, 0.9],
            "kind": ["person"] * 2,
            "kind_score": [0.9, 0.9],
        }
    )
    silhouettes = tables.MASKS.build(
        {
            "frame": [0, 0],
            "detection": [0, 1],
            "rle": [encode_rle(mask) for mask in masks],
            "width": [40, 40],
            "height": [80, 80],
            "score": [0.9, 0.9],
        }
    )
    boxes = np.array([read[2] for read in reads], float).reshape(-1, 4)
    count = len(reads)
    numbers = tables.NUMBER_READS.build(
        {
            "frame": [0] * count,
            "detection": [read[0] for read in reads],
            "text": [read[1] for read in reads],
            "score": [0.9] * count,
            "legible": [0.9] * count,
            **{name: boxes[:, i] for i, name in enumerate("xywh")},
        }
    )
    return own_numbers(numbers, detections, silhouettes)["detection"].to_pylist()


def half(left_side):
    mask = np.zeros((80, 40), bool)
    mask[:, :20] = left_side
    mask[:, 20:] = not left_side
    return mask


def test_a_number_seen_in_two_boxes_belongs_to_the_silhouette_it_is_on():
    printed = (125, 70, 12, 14)  # in both boxes; on the right half of the left person
    assert scene([(0, "7", printed), (1, "7", printed)], [half(False), half(False)]) == [0]
    assert scene([(0, "7", printed), (1, "7", printed)], [half(True), half(True)]) == [1]


def test_two_numbers_stay_with_their_wearers():
    reads = [(0, "7", (104, 70, 12, 14)), (1, "9", (142, 70, 12, 14))]
    assert scene(reads, [half(True), half(False)]) == [0, 1]


def test_a_number_beside_the_silhouette_is_nobodys():
    assert scene([(0, "7", (125, 70, 12, 14))], [half(True), half(True)]) == []


def test_reads_without_text_say_nothing():
    assert scene([(0, "", (105, 70, 12, 14))], [half(True), half(True)]) == []
