"""The online tracker: what it must never do, and what it must manage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError
from filmroom.track.presets import PRESETS, preset
from filmroom.track.settings import Round, TrackerSettings
from filmroom.track.tracker import Tracker

MEAN_STEPS = replace(
    preset("c-biou"), average=5, rounds=(Round("iou", 0.2, 0.3), Round("iou", 0.2, 0.5)), confirm=1
)
"""C-BIoU as it was published: people go on by the mean of their last steps."""


def walkers(frames: int, people: int, seed: int, speed: float = 2.0) -> np.ndarray:
    """(frames, people, 4) boxes x, y, w, h of people who walk straight on."""
    random = np.random.default_rng(seed)
    start = np.column_stack([random.uniform(200, 1600, people), random.uniform(200, 800, people)])
    step = random.normal(0, speed, (people, 2))
    place = start + np.arange(frames)[:, None, None] * step
    return np.concatenate([place, np.broadcast_to([32.0, 80.0], (frames, people, 2))], axis=2)


def run(boxes: list[np.ndarray], tracker: Tracker) -> list[np.ndarray]:
    return [tracker.update(each, np.full(len(each), 0.9)) for each in boxes]


@pytest.mark.parametrize("name", list(PRESETS))
def test_everyone_keeps_one_id_in_easy_play(name: str) -> None:
    boxes = np.array([[[x, 100.0, 32.0, 80.0] for x in range(0, 1000, 200)]] * 30)
    boxes[:, :, 0] += np.arange(30)[:, None]
    ids = np.array(run(list(boxes), Tracker(preset(name))))
    assert len(np.unique(ids[5])) == 5
    assert (ids[5:] == ids[5]).all()


def test_those_who_walk_on_are_foretold_by_the_mean_of_their_steps() -> None:
    boxes = walkers(30, 8, seed=9, speed=6.0)
    shown = [each if not 12 <= frame < 18 else each[2:] for frame, each in enumerate(boxes)]
    ids = run(shown, Tracker(MEAN_STEPS))
    assert ids[29].tolist() == ids[0].tolist()


def test_two_who_cross_keep_their_ids() -> None:
    there = np.column_stack([np.arange(60) * 5.0 + 100, np.full(60, 300.0)])
    back = np.column_stack([400 - np.arange(60) * 5.0, np.full(60, 308.0)])
    size = np.broadcast_to([32.0, 80.0], (60, 2))
    boxes = np.stack([np.hstack([there, size]), np.hstack([back, size])], axis=1)
    ids = np.array(run(list(boxes), Tracker()))
    assert (ids == ids[0]).all()


def test_a_fast_pan_does_not_break_tracks() -> None:
    boxes = walkers(60, 12, seed=1)
    boxes[:, :, 0] += np.cumsum(np.concatenate([np.zeros(20), np.full(20, 30.0), np.zeros(20)]))[
        :, None
    ]
    ids = np.array(run(list(boxes), Tracker()))
    assert (ids == ids[0]).all()


def test_a_given_homography_moves_the_tracks() -> None:
    tracker = Tracker()
    box = np.array([[500.0, 300.0, 32.0, 80.0]])
    first = tracker.update(box, np.array([0.9]))
    jump = np.array([[1.0, 0, 400], [0, 1, -100], [0, 0, 1]])
    second = tracker.update(box + np.array([400.0, -100, 0, 0]), np.array([0.9]), jump)
    assert first[0] == second[0] > 0


def test_who_is_hidden_for_a_moment_comes_back_as_the_same() -> None:
    boxes = walkers(50, 6, seed=2)
    shown = [each if not 20 <= frame < 30 else each[1:] for frame, each in enumerate(boxes)]
    ids = run(shown, Tracker())
    assert ids[19][0] == ids[30][0]


def test_a_cut_ends_every_track() -> None:
    boxes = walkers(2, 5, seed=3)
    tracker = Tracker()
    before = tracker.update(boxes[0], np.full(5, 0.9))
    after = tracker.update(boxes[1], np.full(5, 0.9), cut=True)
    assert not set(before) & set(after)


def test_appearance_tells_apart_who_stands_in_one_place() -> None:
    red, blue = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    boxes = np.array([[300.0, 300, 32, 80], [316.0, 300, 32, 80]])
    others = np.array([[900.0, 300, 32, 80], [1200.0, 300, 32, 80]])
    tracker = Tracker()
    kits = np.array([red, blue, red, blue]) + 0.01
    for _ in range(20):
        start = tracker.update(np.vstack([boxes, others]), np.full(4, 0.9), np.eye(3), kits)
    # They change places between two frames: only their looks show it.
    swapped = tracker.update(np.vstack([boxes[::-1], others]), np.full(4, 0.9), np.eye(3), kits)
    assert swapped.tolist() == start.tolist()


def test_looks_that_may_say_nothing_change_nothing() -> None:
    boxes = np.array([[300.0, 300, 32, 80], [316.0, 300, 32, 80]])
    looks = np.array([[1.0, 0.0], [0.0, 1.0]])
    blind = Tracker(TrackerSettings(looks_bounds=(0.0, 0.0)))
    for _ in range(20):
        start = blind.update(boxes, [0.9, 0.9], np.eye(3), looks)
    # Who changes places is taken for the one who stood there.
    assert blind.update(boxes[::-1], [0.9, 0.9], np.eye(3), looks).tolist() == start[::-1].tolist()


def test_ssat_as_published_goes_by_looks_and_place_together() -> None:
    looks = np.array([[1.0, 0.0], [0.0, 1.0]])
    still = np.array([[100.0, 100, 40, 100], [300, 100, 40, 100]])
    tracker = Tracker(preset("ssat-published"))
    first = tracker.update(still, [0.9, 0.9], appearance=looks)
    assert (tracker.update(still[::-1], [0.9, 0.9], appearance=looks[::-1]) == first[::-1]).all()
    # Who looks right but is too far is not he: (1 - 1) + 900 sqrt(2) / (2 * 280) > 0.64.
    away = still + np.array([900.0, 0, 0, 0])
    assert not set(tracker.update(away, [0.9, 0.9], appearance=looks)) & set(first)


@pytest.mark.parametrize("name", ["ssat", "ssat-published"])
def test_ssat_finds_the_lost_by_their_looks(name: str) -> None:
    looks = np.array([[1.0, 0.0], [0.0, 1.0]])
    still = np.array([[100.0, 100, 40, 100], [160, 100, 40, 100]])
    tracker = Tracker(preset(name))
    first = tracker.update(still, [0.9, 0.9], appearance=looks)
    for _ in range(5):
        tracker.update(np.zeros((0, 4)), [], appearance=np.zeros((0, 2)))
    # Both are back, each nearer to where the other was.
    back = tracker.update(still[::-1] + np.array([5.0, 0, 0, 0]), [0.9, 0.9], appearance=looks)
    assert (back == first).all()


def test_ssat_keeps_who_is_half_hidden_and_looks_unlike_himself() -> None:
    box = np.array([[100.0, 100, 40, 100], [600, 300, 40, 100]])
    looks = np.array([[1.0, 0.0], [0.0, 1.0]])
    hidden = np.array([[0.2, 1.0], [0.0, 1.0]])
    ids = {}
    for name in ("ssat", "ssat-published"):
        tracker = Tracker(preset(name))
        first = tracker.update(box, [0.9, 0.9], appearance=looks)
        moved = box + np.array([2.0, 0, 0, 0])
        ids[name] = tracker.update(moved, [0.9, 0.9], appearance=hidden) == first
    assert ids["ssat"].all()
    assert ids["ssat-published"].tolist() == [False, True]


def test_low_scores_carry_tracks_on_but_start_none() -> None:
    box = np.array([[500.0, 300.0, 32.0, 80.0]])
    tracker = Tracker()
    assert tracker.update(box, np.array([0.3])).tolist() == [0]
    identity = tracker.update(box, np.array([0.9]))
    assert tracker.update(box, np.array([0.2])).tolist() == identity.tolist()


def test_the_doubt_of_an_exchange_is_told() -> None:
    boxes = np.array([[300.0, 300, 32, 80], [600.0, 300, 32, 80], [606.0, 301, 32, 80]])
    tracker = Tracker()
    for _ in range(3):
        ids = tracker.update(boxes, np.full(3, 0.9))
    assert tracker.margins[0] > 5 > tracker.margins[1]
    assert tracker.rivals[1] == ids[2]
    assert tracker.rivals[2] == ids[1]


@pytest.mark.parametrize(
    ("boxes", "scores", "words"),
    [
        ([[0, 0, np.nan, 1]], [0.9], "not a finite number"),
        ([[0, 0, -5, 1]], [0.9], "negative"),
        ([[0, 0, 5]], [0.9], "shape"),
        ([[0, 0, 5, 5]], [0.9, 0.8], "scores"),
    ],
)
def test_unusable_boxes_are_refused_in_one_line(boxes: list, scores: list, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Tracker().update(np.array(boxes, float), np.array(scores))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("motion", [np.full((3, 3), np.nan), np.zeros((3, 3)), np.eye(2)])
def test_a_motion_that_is_none_is_refused(motion: np.ndarray) -> None:
    tracker, box = Tracker(), np.array([[500.0, 300.0, 32.0, 80.0]])
    tracker.update(box, [0.9])
    with pytest.raises(InputError, match="no homography"):
        tracker.update(box, [0.9], motion)


def test_looks_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="appearance"):
        Tracker().update(np.array([[500.0, 300.0, 32.0, 80.0]]), [0.9], appearance=np.array([[np.nan]]))


def test_a_frame_of_nobody_forgets_nobody() -> None:
    boxes, looks = walkers(1, 3, seed=12)[0], np.eye(3)
    tracker = Tracker()
    before = tracker.update(boxes, np.full(3, 0.9), appearance=looks)
    tracker.update(np.zeros((0, 4)), [])
    assert tracker.update(boxes, np.full(3, 0.9), appearance=looks).tolist() == before.tolist()


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="oc-sort"):
        preset("deep-magic")


def test_thousands_of_boxes_and_none_at_all() -> None:
    random = np.random.default_rng(0)
    many = np.column_stack([random.uniform(0, 1900, (2000, 2)), np.full((2000, 2), 20.0)])
    tracker = Tracker()
    assert len(tracker.update(many, np.full(2000, 0.9))) == 2000
    assert len(tracker.update(np.zeros((0, 4)), np.zeros(0))) == 0
    again = tracker.update(many, np.full(2000, 0.9))
    assert len(np.unique(again[again > 0])) == np.count_nonzero(again)


box = st.tuples(*[st.floats(-50, 2000) for _ in range(2)], *[st.floats(0, 300) for _ in range(2)])
frame = st.lists(st.tuples(box, st.floats(0, 1)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(frame, min_size=1, max_size=8),
    st.sampled_from(list(PRESETS)),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.randoms(),
)
def test_no_id_twice_in_a_frame_and_order_does_not_matter(frames, name, cuts, shuffler) -> None:
    one, other = Tracker(preset(name)), Tracker(preset(name))
    known: set[int] = set()
    for each, cut in zip(frames, cuts, strict=False):
        boxes = np.array([box for box, _ in each], float).reshape(-1, 4)
        scores = np.array([score for _, score in each], float)
        ids = one.update(boxes, scores, cut=cut)
        assert not (cut and known & set(ids[ids > 0].tolist()))
        known |= set(ids[ids > 0].tolist())
        order = list(range(len(each)))
        shuffler.shuffle(order)
        mixed = other.update(boxes[order], scores[order], cut=cut)
        assert len(np.unique(ids[ids > 0])) == np.count_nonzero(ids)
        same = [(*boxes[i], scores[i], ids[i]) for i in range(len(each))]
        assert sorted(same) == sorted((*boxes[i], scores[i], mixed[k]) for k, i in enumerate(order))


@pytest.mark.parametrize("settings", [*PRESETS.values(), MEAN_STEPS])
def test_all_frames_at_once_give_what_one_after_the_other_gives(settings: TrackerSettings) -> None:
    random = np.random.default_rng(11)
    boxes = walkers(40, 9, seed=8, speed=4.0)
    boxes[..., :2] += random.normal(0, 1.5, (40, 9, 2))
    shown = random.random((40, 9)) < 0.9
    scores = random.uniform(0.2, 1.0, (40, 9))
    cuts = np.arange(40) == 25
    motions = [None if frame % 3 else np.eye(3) for frame in range(40)]
    one, other = Tracker(settings), Tracker(settings)
    expected = [
        (
            one.update(boxes[f][shown[f]], scores[f][shown[f]], motions[f], cut=bool(cuts[f])),
            one.margins,
            one.rivals,
        )
        for f in range(40)
    ]
    frame, _ = np.nonzero(shown)
    mixed = random.permutation(len(frame))
    ids = other.follow(boxes[shown][mixed], scores[shown][mixed], frame[mixed], 40, motions, cuts=cuts)
    for index, values in enumerate((ids, other.margins, other.rivals)):
        together = np.empty_like(values)
        together[mixed] = values
        apart = np.concatenate([each[index] for each in expected])
        np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("frames", "more", "words"),
    [
        ([0, 3], {}, "from 0 to 2"),
        ([0, -1], {}, "from 0 to 2"),
        ([0], {}, "one number a box"),
        ([0, 1], {"motions": [None]}, "1 motions for 3 frames"),
        ([0, 1], {"cuts": np.zeros(4, bool)}, "4 cuts for 3 frames"),
    ],
)
def test_frames_that_do_not_fit_are_refused(frames: list[int], more: dict, words: str) -> None:
    boxes, scores = np.array([[0.0, 0, 30, 80], [200, 0, 30, 80]]), np.full(2, 0.9)
    with pytest.raises(InputError, match=words):
        Tracker().follow(boxes, scores, np.array(frames), 3, **more)


def test_settings_are_plain_values() -> None:
    assert TrackerSettings() == PRESETS["filmroom"]


class Found:
    """What the tracker uses of `supervision.Detections`."""

    def __init__(self, boxes: np.ndarray, confidence: np.ndarray | None) -> None:
        self.xyxy = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        self.confidence = confidence
        self.tracker_id = None


def test_detections_of_supervision_come_back_with_ids_in_their_order() -> None:
    boxes = walkers(10, 5, seed=4)
    plain, other = Tracker(), Tracker()
    for each in boxes:
        scores = np.array([0.9, 0.9, 0.3, 0.9, 0.9])
        ids = plain.update(each, scores)
        given_back = other.update(Found(each, scores))
        assert given_back.tracker_id.tolist() == [-1 if owner == 0 else owner for owner in ids]
        assert given_back.xyxy[3, 0] == each[3, 0]
    assert sorted(Tracker().update(Found(boxes[0], None)).tracker_id.tolist()) == [1, 2, 3, 4, 5]


def test_detections_themselves_are_not_changed() -> None:
    found = Found(walkers(1, 3, seed=5)[0], np.full(3, 0.9))
    Tracker().update(found)
    assert found.tracker_id is None


def test_the_real_supervision_is_taken_too() -> None:
    supervision = pytest.importorskip("supervision")
    boxes = walkers(3, 4, seed=6)
    tracker = Tracker()
    for each in boxes:
        corners = np.hstack([each[:, :2], each[:, :2] + each[:, 2:]])
        found = tracker.update(supervision.Detections(xyxy=corners, confidence=np.full(4, 0.9)))
    assert isinstance(found, supervision.Detections)
    assert len(set(found.tracker_id.tolist())) == 4


def test_the_picture_tells_how_the_camera_moved() -> None:
    """One person alone stands while the camera pans far: only the pixels show that it is the same."""
    random = np.random.default_rng(7)
    scene = np.kron(random.integers(0, 255, (60, 200)), np.ones((8, 8))).astype(np.uint8)
    tracker = Tracker()
    owners = []
    for pan in (0, 0, 130, 260):
        picture = np.repeat(scene[:, pan : pan + 640, None], 3, axis=2)
        box = np.array([[400.0 - pan, 200, 24, 60]])
        owners.append(tracker.update(Found(box, np.array([0.9])), picture).tracker_id[0])
    assert len(set(owners)) == 1
