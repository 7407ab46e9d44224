from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from filmroom.observe.appearance import Appearance, KitColours
from filmroom.observe.decode import Detections
from filmroom.observe.numbers import Reads
from filmroom.observe.observer import Observer, Parts, detail_stride, key_stride
from filmroom.observe.silhouettes import Silhouettes
from filmroom.tables import EMBEDDING_LENGTH
from filmroom.video.decode import Frame

WIDTH, HEIGHT = 320, 180
PERSON = np.array([200, 40, 40], np.uint8)


class ColourDetector:
    """Finds the red block that the test frames show."""

    def detect(self, picture):
        red = (picture[:, :, 0] > 150) & (picture[:, :, 1] < 80)
        if not red.any():
            return Detections.nothing()
        rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        box = [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]
        return Detections(
            np.array([box], np.float32),
            np.array([0.9], np.float32),
            np.zeros(1, np.int8),
            np.array([[0.8, 0.1, 0.1]], np.float32),
            np.full(1, 0.5, np.float32),
        )


class WholeBoxes:
    def segment(self, picture, boxes):
        masks = [np.ones((int(np.ceil(h)), int(np.ceil(w))), bool) for _, _, w, h in boxes]
        return Silhouettes(masks, np.ones(len(masks), np.float32))


class Illiterate:
    def read(self, crops):
        count = len(crops)
        zeros = np.zeros(count, np.float32)
        return Reads([""] * count, zeros, zeros, np.zeros((count, 4), np.float32))


class WidthAndHeight:
    def describe(self, picture, boxes, masks):
        vectors = np.zeros((len(boxes), EMBEDDING_LENGTH), np.float32)
        vectors[:, :2] = boxes[:, 2:]
        return Appearance(vectors, np.ones(len(boxes), np.float32))


PARTS = Parts(ColourDetector(), WholeBoxes(), KitColours(), Illiterate(), WidthAndHeight())


def frames_of(count, *, cut_at=None):
    """A textured ground on which a block walks 3 pixels a frame; another ground after the cut."""
    grounds = [np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 1)) for seed in (0, 1)]
    frames = []
    for index in range(count):
        after_cut = cut_at is not None and index >= cut_at
        pixels = np.repeat(grounds[int(after_cut)], 3, axis=2).astype(np.uint8)
        left = 40 + 3 * index if not after_cut else 250
        pixels[60:110, left : left + 20] = PERSON
        frames.append(Frame(index, index / 25, pixels, pixels[:, :, 1].copy()))
    return frames


def observe(frames, threads=2, **options):
    return list(Observer(PARTS, fps=25, threads=threads).observe(frames, **options))


def test_strides_follow_the_frame_rate():
    assert [key_stride(fps) for fps in (10, 25, 30, 50, 60)] == [1, 2, 2, 4, 5]
    assert all(detail_stride(fps) % key_stride(fps) == 0 for fps in (5, 24, 25, 30, 50, 60))


def test_every_frame_is_observed_in_order():
    assert [seen.frame for seen in observe(frames_of(9))] == list(range(9))


def test_people_between_key_frames_lie_where_they_walk():
    for seen in observe(frames_of(9))[:-1]:
        np.testing.assert_allclose(seen.found.boxes[0], [40 + 3 * seen.frame, 60, 20, 50], atol=1.0)


def test_people_are_described_in_key_frames() -> None:
    for seen in observe(frames_of(9)):
        assert len(seen.embedded) == (1 if seen.frame % key_stride(25) == 0 else 0)
        np.testing.assert_array_equal(
            seen.persons.vectors[:, :2], seen.found.boxes[seen.embedded][:, 2:]
        )


def test_nobody_is_carried_across_a_cut():
    seen = observe(frames_of(12, cut_at=5))
    assert seen[5].motion.matrix is None
    for each in seen:
        for box in each.found.boxes:
            expected = 40 + 3 * each.frame if each.frame < 5 else 250
            assert abs(box[0] - expected) < 3


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_number_of_threads_changes_nothing(threads):
    frames = frames_of(11)
    for one, other in zip(observe(frames, 1), observe(frames, threads), strict=True):
        np.testing.assert_array_equal(one.found.boxes, other.found.boxes)
        np.testing.assert_array_equal(one.kits.vectors, other.kits.vectors)
        if one.motion is not None:
            np.testing.assert_array_equal(one.motion.matrix, other.motion.matrix)


def test_continuing_sees_what_an_undisturbed_look_sees():
    frames = frames_of(12)
    whole = observe(frames)
    rest = observe(frames[6:], first_ordinal=6, before=frames[5])
    for one, other in zip(whole[6:], rest, strict=True):
        np.testing.assert_array_equal(one.found.boxes, other.found.boxes)
        np.testing.assert_array_equal(one.motion.matrix, other.motion.matrix)
        np.testing.assert_array_equal(one.details, other.details)


def test_an_error_in_a_part_reaches_the_caller():
    class Broken(ColourDetector):
        def detect(self, picture):
            raise ValueError("no such picture")

    parts = Parts(Broken(), WholeBoxes(), KitColours(), Illiterate(), WidthAndHeight())
    with pytest.raises(ValueError, match="no such picture"):
        list(Observer(parts, fps=25).observe(frames_of(4)))
    with ThreadPoolExecutor(1) as pool:  # the workers of the failed observer are gone
        assert pool.submit(int, 1).result() == 1
