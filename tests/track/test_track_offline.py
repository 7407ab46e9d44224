"""People over a whole clip: relinking, filling, smoothing, ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.tables import (
    APPEARANCE,
    APPEARANCE_LENGTH,
    DETECTIONS,
    EMBEDDING_LENGTH,
    EMBEDDINGS,
    MOTION,
    SHOTS,
    boxes_of,
    detection_keys,
    rows_of_keys,
    with_column,
)
from filmroom.track import offline
from filmroom.track.offline import OfflineSettings, sure_tracklets, track_people, visible_shares
from filmroom.track.worn import NumberReads

PICTURE = (1920, 1080)


def detections(rows: list[tuple[int, float, float, float, float, float]]) -> pa.Table:
    """DETECTIONS of people from (frame, x, y, w, h, score)."""
    table = np.array(rows, float).reshape(-1, 6)
    table = table[np.argsort(table[:, 0], kind="stable")]
    frame = table[:, 0].astype(int)
    return DETECTIONS.build(
        {
            "frame": frame,
            "detection": np.arange(len(frame)) - np.searchsorted(frame, frame),
            **{name: table[:, 1 + column] for column, name in enumerate("xywh")},
            "score": table[:, 5],
            "kind": np.full(len(frame), "person"),
            "kind_score": np.ones(len(frame)),
        }
    )


def track(table: pa.Table, frames: int = 100, **more) -> pa.Table:
    given_tables = {"motion": MOTION.empty(), "shots": SHOTS.empty()} | {
        key: more.pop(key) for key in ("motion", "shots") if key in more
    }
    return track_people(
        table,
        given_tables["motion"],
        given_tables["shots"],
        more.pop("appearance", None),
        more.pop("number_reads", None),
        frames=np.arange(frames),
        fps=25.0,
        picture=PICTURE,
        **more,
    )


def crowd(frames: int, people: int = 8) -> list[tuple[int, float, float, float, float, float]]:
    """People who stand apart and sway a little."""
    return [
        (frame, 200.0 * person + 100 + 10 * np.sin(frame / 15 + person), 400.0, 32, 80, 0.9)
        for frame in range(frames)
        for person in range(people)
    ]


def owner_at(tracks: pa.Table, frame: int, x: float, y: float) -> int:
    """The track whose box in this frame is nearest to a corner."""
    here = tracks.filter(pa.array(tracks["frame"].to_numpy() == frame))
    distance = np.linalg.norm(boxes_of(here)[:, :2] - (x, y), axis=1)
    return int(here["track"].to_numpy()[distance.argmin()])


def test_ids_are_dense_in_order_of_appearance_from_left_to_right() -> None:
    tracks = track(detections(crowd(30)), 30)
    first = tracks.filter(pa.array(tracks["frame"].to_numpy() == 0))
    assert first["track"].to_pylist() == list(range(1, 9))
    assert set(first["role"].to_pylist()) == {"player"}


def test_a_gap_is_filled_and_said_to_be() -> None:
    rows = crowd(100)
    # Short misses show that this detector overlooks people at times.
    rows = [row for index, row in enumerate(rows) if index % 11 or row[0] in (0, 99)]
    rows = [row for row in rows if not (40 <= row[0] < 50 and 480 < row[1] < 540)]
    tracks = track(detections(rows))
    mine = tracks.filter(pa.array(tracks["track"].to_numpy() == owner_at(tracks, 39, 505, 400)))
    assert mine["frame"].to_pylist() == list(range(100))
    filled = mine.filter(mine["detection"].is_null())
    assert {44, 45} <= set(filled["frame"].to_pylist())
    truth = 500 + 10 * np.sin(filled["frame"].to_numpy() / 15 + 2)
    assert np.abs(filled["x"].to_numpy() - truth).max() < 6


@pytest.mark.parametrize(("speed", "filled"), [(0.0, 40), (2.5, 0)])
def test_who_stands_while_hidden_for_long_stays_and_who_walks_does_not(speed, filled) -> None:
    """40 frames are 1.6 s; in that time the walker comes 1.25 body heights far."""
    rows = [row for row in crowd(160) if row[1] < 1400 or row[0] % 40 != 12]
    person = [
        (frame, 300.0 + speed * frame, 700.0, 32, 80, 0.9)
        for frame in range(160)
        if not 60 <= frame < 100
    ]
    tracks = track(detections(rows + person), 160)
    low = tracks.filter(pc.greater(tracks["y"], 600))
    hidden = [frame for frame in low["frame"].to_pylist() if 60 <= frame < 100]
    assert len(np.unique(low["track"].to_numpy())) == 1
    assert len(hidden) == filled


def test_a_detector_that_never_misses_has_no_gaps_filled() -> None:
    rows = [row for row in crowd(100) if not (40 <= row[0] < 50 and 480 < row[1] < 540)]
    tracks = track(detections(rows))
    assert tracks["detection"].null_count == 0


def test_jittering_boxes_are_smoothed_towards_the_truth() -> None:
    random = np.random.default_rng(3)
    truth = np.array(crowd(100))
    noisy = truth.copy()
    noisy[:, 1:3] += random.normal(0, 3, (len(truth), 2))
    tracks = track(detections([tuple(row) for row in noisy]))
    order = np.lexsort((tracks["x"].to_numpy(), tracks["frame"].to_numpy()))
    error = np.abs(boxes_of(tracks)[order, :2] - truth[:, 1:3]).mean()
    assert error < 0.65 * np.abs(noisy[:, 1:3] - truth[:, 1:3]).mean()


def test_exact_boxes_are_left_as_they_are() -> None:
    rows = crowd(50)
    tracks = track(detections(rows), 50)
    order = np.lexsort((tracks["x"].to_numpy(), tracks["frame"].to_numpy()))
    assert np.abs(boxes_of(tracks)[order] - np.array(rows)[:, 1:5]).max() < 1e-3


def test_who_leaves_by_the_side_of_the_picture_and_returns_there_is_the_same() -> None:
    rows = crowd(150)
    leaver = [
        (frame, 1880 + min(frame, 20) * 1.0 - max(frame - 110, 0) * 1.0, 700.0, 20, 80, 0.9)
        for frame in [*range(20), *range(110, 150)]
    ]
    tracks = track(detections(rows + leaver), 150)
    assert owner_at(tracks, 10, 1890, 700) == owner_at(tracks, 140, 1870, 700)


def test_nobody_is_followed_across_a_cut() -> None:
    shots = SHOTS.build(
        {
            "shot": [0, 1],
            "first_frame": [0, 50],
            "last_frame": [49, 99],
            "kind": ["main", "main"],
            "score": [1.0, 1.0],
        }
    )
    tracks = track(detections(crowd(100)), shots=shots)
    frame, owner = tracks["frame"].to_numpy(), tracks["track"].to_numpy()
    assert not set(owner[frame < 50]) & set(owner[frame >= 50])


def test_camera_motion_carries_people_over_an_absence() -> None:
    """The camera pans while one person is not seen, who is found again far away in the picture."""
    pan = 4.0 * np.arange(100)
    rows = [(f, x - pan[f], y, w, h, s) for f, x, y, w, h, s in crowd(100, 9) if x - pan[f] > 0]
    hidden = [row for row in rows if not (30 <= row[0] < 55 and abs(row[1] + pan[row[0]] - 900) < 40)]
    matrix = np.tile(np.array([1.0, 0, -4, 0, 1, 0, 0, 0, 1]), (100, 1))
    motion = MOTION.build(
        {
            "frame": np.arange(100),
            "matrix": pa.array([None, *matrix[1:].tolist()], MOTION.schema.field(1).type),
            "inliers": np.ones(100),
        }
    )
    tracks = track(detections(hidden), motion=motion)
    assert owner_at(tracks, 29, 900 - pan[29], 400) == owner_at(tracks, 56, 900 - pan[56], 400)


def test_one_person_found_twice_is_one_track() -> None:
    rows = crowd(40)
    twice = rows + [(f, x + 2, y + 3, w, h, 0.7) for f, x, y, w, h, _ in rows if 480 < x < 540]
    tracks = track(detections(twice), 40)
    assert len(np.unique(tracks["track"].to_numpy())) == 8


def test_the_least_certain_go_where_there_are_more_than_the_sport_fields() -> None:
    rows = [row if row[1] < 1400 else (*row[:5], 0.65) for row in crowd(40)]
    tracks = track(detections(rows), 40, most_people=7)
    assert len(np.unique(tracks["track"].to_numpy())) == 7
    assert boxes_of(tracks)[:, 0].max() < 1400


def test_appearance_decides_between_two_who_could_be_it() -> None:
    """Two part at one spot, unseen; which is which only their kits tell."""
    rows, kits = [], []
    for frame in range(100):
        here = [(300.0 * person + 100, 900.0, person % 2) for person in range(6)]
        if not 40 <= frame < 60:
            side = -1 if frame < 40 else 1
            here += [(900.0 + side * 14, 300.0, 0), (900.0 - side * 14, 300.0, 1)]
        for number, (x, y, kit) in enumerate(here):
            rows.append((frame, x, y, 32, 80, 0.9))
            vector = np.zeros(APPEARANCE_LENGTH)
            vector[kit], vector[2] = 1.0, 0.3 + 0.1 * np.sin(frame + number)
            kits.append((frame, number, vector))
    appearance = APPEARANCE.build(
        {
            "frame": [frame for frame, _, _ in kits],
            "detection": [number for _, number, _ in kits],
            "vector": np.array([vector for _, _, vector in kits], np.float16),
            "quality": np.ones(len(kits)),
        }
    )
    tracks = track(detections(rows), appearance=appearance)
    assert owner_at(tracks, 20, 886, 300) == owner_at(tracks, 80, 914, 300)
    assert owner_at(tracks, 20, 914, 300) == owner_at(tracks, 80, 886, 300)


def test_people_in_one_kit_are_followed_by_their_embeddings() -> None:
    """Two mates change places from one frame to the next, which only what tells mates apart shows."""
    rows, looks = [], []
    noise = np.random.default_rng(0)
    people = noise.normal(0, 1, (8, EMBEDDING_LENGTH))
    for frame in range(60):
        for number, person in enumerate([1, 0, *range(2, 8)] if frame >= 30 else range(8)):
            rows.append((frame, (16.0 if number < 2 else 250.0) * number + 100, 400.0, 32, 80, 0.9))
            looks.append(people[person] + noise.normal(0, 0.1, EMBEDDING_LENGTH))
    table = detections(rows)
    keys = {"frame": table["frame"], "detection": table["detection"], "quality": np.ones(len(rows))}
    kits = APPEARANCE.build({**keys, "vector": np.ones((len(rows), APPEARANCE_LENGTH), np.float16)})
    embeddings = EMBEDDINGS.build({**keys, "vector": np.array(looks, np.float16)})
    uncut = OfflineSettings(ambiguous=-np.inf)
    mates = track(table, 60, appearance=kits, embeddings=embeddings, settings=uncut)
    assert owner_at(mates, 20, 100, 400) == owner_at(mates, 40, 116, 400)
    kits_alone = track(table, 60, appearance=kits, settings=uncut)
    assert owner_at(kits_alone, 20, 100, 400) == owner_at(kits_alone, 40, 100, 400)


def test_a_long_clip_followed_piece_by_piece_comes_out_the_same(monkeypatch) -> None:
    rows = crowd(90)
    looks = np.random.default_rng(0).normal(0, 1, (len(rows), APPEARANCE_LENGTH))
    table = detections(rows)
    appearance = APPEARANCE.build(
        {
            "frame": table["frame"], "detection": table["detection"],
            "vector": looks.astype(np.float16), "quality": np.arange(len(rows)) % 2,
        }
    )  # fmt: skip
    whole = track(table, appearance=appearance)
    monkeypatch.setattr(offline, "_BLOCK", 7)
    assert track(table, appearance=appearance).equals(whole)


def test_sure_tracklets_leave_out_where_people_meet() -> None:
    apart = [(f, 100 + 10.0 * f, 400.0, 32, 80, 0.9) for f in range(60)]
    towards = [(f, 700 - 10.0 * f, 404.0, 32, 80, 0.9) for f in range(60)]
    table = detections(apart + towards)
    rows, number = sure_tracklets(table, MOTION.empty(), SHOTS.empty(), frames=np.arange(60), fps=25.0)
    there = boxes_of(table)[rows]
    frame = table["frame"].to_numpy()[rows]
    met = np.abs((100 + 10.0 * frame) - (700 - 10.0 * frame)) < 16
    assert not met.any() and len(rows) > 90
    for one in np.unique(number):
        step = np.diff(there[number == one, 0]) / np.diff(frame[number == one])
        assert (step > 0).all() or (
            step < 0
        ).all()  # one person's way, not a change from one to another


def test_only_the_hidden_part_is_not_visible() -> None:
    corner = np.array([[0.0, 0, 30, 60], [15.0, 20, 30, 60], [500.0, 0, 30, 60]])
    visible = visible_shares(np.zeros(3, int), corner)
    assert visible[0] == pytest.approx(1 - 0.5 * 40 / 60, abs=0.02)
    assert visible[1:].tolist() == [1.0, 1.0]


def test_boxes_that_nobody_is_sure_of_make_no_tracks() -> None:
    unsure = detections([(frame, 10.0 * frame, 50, 30, 80, 0.3) for frame in range(9)])
    nothing_read = NumberReads(np.zeros(0, np.int64), np.zeros((0, 0)), np.zeros(0))
    assert track(unsure, number_reads=nothing_read).num_rows == 0


def test_nothing_in_gives_nothing_out() -> None:
    assert track(DETECTIONS.empty()).num_rows == 0


place = st.tuples(
    st.integers(0, 14),
    st.floats(-30, 1900),
    st.floats(-30, 1050),
    st.floats(4, 90),
    st.floats(4, 160),
    st.floats(0, 1),
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(place, max_size=60), st.lists(st.integers(1, 14), max_size=3, unique=True), st.randoms()
)
def test_any_boxes_give_a_sane_table_whatever_their_order(rows, cuts, shuffler) -> None:
    edges = sorted([0, *cuts])
    shots = SHOTS.build(
        {
            "shot": range(len(edges)),
            "first_frame": edges,
            "last_frame": [*(c - 1 for c in edges[1:]), 14],
            "kind": ["main"] * len(edges),
            "score": np.ones(len(edges)),
        }
    )
    tracks = track(detections(rows), 15, shots=shots)
    again = list(rows)
    shuffler.shuffle(again)
    columns = ["frame", "track", "x", "y", "w", "h"]
    assert tracks.select(columns).equals(track(detections(again), 15, shots=shots).select(columns))
    # What is not said to be filled in is a detection's own row, and stays where that was seen.
    given_rows = detections(rows)
    own = tracks.filter(tracks["detection"].is_valid())
    place = rows_of_keys(given_rows, detection_keys(own))
    assert (place >= 0).all()
    if own.num_rows:
        off = boxes_of(own)[:, :2] - boxes_of(given_rows)[place, :2]
        assert (np.abs(off) <= 0.5 * boxes_of(given_rows)[place, 3:] + 1).all()
    invented = tracks.filter(tracks["detection"].is_null())
    if invented.num_rows:
        box = boxes_of(invented)
        assert (box[:, 0] < 1920).all() and (box[:, 0] + box[:, 2] > 0).all()


def ids_at(tracks: pa.Table, frame: int) -> list[int]:
    here = tracks.filter(pa.array(tracks["frame"].to_numpy() == frame))
    return here["track"].to_pylist()


def test_a_cut_every_second_joins_nobody_and_breaks_nothing() -> None:
    firsts = list(range(0, 250, 25))
    shots = SHOTS.build(
        {
            "shot": range(10),
            "first_frame": firsts,
            "last_frame": [first + 24 for first in firsts],
            "kind": ["main"] * 10,
            "score": np.ones(10),
        }
    )
    tracks = track(detections(crowd(250)), 250, shots=shots)
    assert len(np.unique(tracks["track"].to_numpy())) == 80
    assert tracks.num_rows == 2000


def test_frames_that_were_not_looked_at_get_no_boxes() -> None:
    frames = np.r_[0:40, 60:100]
    rows = [row for row in crowd(100) if row[0] in set(frames.tolist())]
    tracks = track_people(
        detections(rows),
        MOTION.empty(),
        SHOTS.empty(),
        frames=frames,
        fps=25.0,
        picture=PICTURE,
    )
    assert set(tracks["frame"].to_pylist()) == set(frames.tolist())
    assert len(np.unique(tracks["track"].to_numpy())) == 8


@pytest.mark.parametrize(("step", "fps"), [(1, 25.0), (2, 25.0), (1, 60.0), (5, 60.0)])
def test_the_frame_rate_does_not_change_who_is_who(step: int, fps: float) -> None:
    frames = np.arange(0, round(4 * fps), step)
    rows = []
    for frame in frames.tolist():
        time = frame / fps
        rows += [(frame, 300 + 160 * time, 400.0, 32, 80, 0.9), (frame, 900.0, 405.0, 32, 80, 0.9)]
        rows += [(frame, 200.0 * other, 800.0, 32, 80, 0.9) for other in range(6)]
    tracks = track_people(
        detections(rows), MOTION.empty(), SHOTS.empty(), frames=frames, fps=fps, picture=PICTURE
    )
    assert len(np.unique(tracks["track"].to_numpy())) == 8
    last = int(frames[-1])
    assert owner_at(tracks, 0, 300, 400) == owner_at(tracks, last, 300 + 160 * last / fps, 400)


@pytest.mark.parametrize("slow_first", [True, False])
def test_a_frame_rate_that_changes_within_the_video_changes_nobody(slow_first: bool) -> None:
    slow, fast = np.arange(0, 60, 2), np.arange(0, 60)
    first, second = (slow, fast) if slow_first else (fast, slow)
    frames = np.concatenate([first, 60 + second])
    rows = []
    for frame in frames.tolist():
        rows += [(frame, 300 + 6.0 * frame, 400.0, 32, 80, 0.9), (frame, 1500.0, 405.0, 32, 80, 0.9)]
        rows += [(frame, 200.0 * other, 800.0, 32, 80, 0.9) for other in range(6)]
    tracks = track_people(
        detections(rows), MOTION.empty(), SHOTS.empty(), frames=frames, fps=25.0, picture=PICTURE
    )
    assert len(np.unique(tracks["track"].to_numpy())) == 8
    last = int(frames[-1])
    assert owner_at(tracks, 0, 300, 400) == owner_at(tracks, last, 300 + 6.0 * last, 400)


def test_thousands_of_boxes_in_a_frame() -> None:
    random = np.random.default_rng(1)
    place = random.uniform(0, 1900, (1200, 2))
    rows = [(frame, x, y / 2, 12.0, 30.0, 0.9) for frame in range(2) for x, y in place]
    tracks = track(detections(rows), 2)
    for frame in range(2):
        owners = ids_at(tracks, frame)
        assert len(owners) == len(set(owners)) > 1000


def test_a_whole_side_that_leaves_the_picture_and_returns_is_not_new() -> None:
    """The camera pans away from six people and back; nothing but the boxes tells of it."""
    pan = 900 * np.clip(np.minimum(np.arange(200) - 40, 160 - np.arange(200)) / 40, 0, 1)
    rows = []
    for frame in range(200):
        people = [(60 + 90.0 * number, 300 + 70.0 * number) for number in range(6)]
        people += [(1000 + 120.0 * number, 350 + 60.0 * number) for number in range(7)]
        rows += [
            (frame, x - pan[frame], y, 32, 80, 0.9) for x, y in people if 0 <= x - pan[frame] < 1880
        ]
    tracks = track(detections(rows), 200)
    assert len(np.unique(tracks["track"].to_numpy())) == 13
    before = [owner_at(tracks, 20, 60 + 90 * number, 300 + 70 * number) for number in range(6)]
    after = [owner_at(tracks, 190, 60 + 90 * number, 300 + 70 * number) for number in range(6)]
    assert before == after


def test_boxes_stay_as_they_were_seen_wherever_the_head_is() -> None:
    seen = detections(crowd(40))
    heads = np.random.default_rng(4).uniform(0.2, 0.8, seen.num_rows)
    tracks = track(with_column(seen, "head", heads), 40)
    assert tracks.num_rows == seen.num_rows
    by_key = dict(zip(detection_keys(seen).tolist(), boxes_of(seen).tolist(), strict=True))
    for key, box in zip(detection_keys(tracks).tolist(), boxes_of(tracks).tolist(), strict=True):
        np.testing.assert_allclose(box, by_key[key], atol=0.01)


def melting_pair(seed: int) -> tuple[pa.Table, np.ndarray, list[int]]:
    """Two walk through each other and the edges of their boxes jump; their heads, and who is who."""
    rng = np.random.default_rng(seed)
    rows, heads, people = [], [], []
    for frame in range(60):
        for person, way in enumerate((1.5, -1.5)):
            middle = 300 + way * (frame - 30)
            spread = 50 if abs(frame - 30) < 20 else 0
            left, right = middle - 16 - rng.uniform(0, spread), middle + 16 + rng.uniform(0, spread)
            rows.append((frame, left, 400.0 + 12 * person, right - left, 80.0, 0.9))
            heads.append((middle - left) / (right - left))
            people.append(person)
    return detections(rows), np.array(heads), people


def exchanged(seen: pa.Table, people: list[int]) -> bool:
    tracks = track(seen, 60)
    person = dict(zip(detection_keys(seen).tolist(), people, strict=True))
    keys, owners = detection_keys(tracks).tolist(), tracks["track"].to_pylist()
    return len({(person[key], owner) for key, owner in zip(keys, owners, strict=True)}) > 2


def test_heads_tell_apart_two_whose_boxes_melt() -> None:
    by_heads = by_boxes = 0
    for seed in range(10):
        seen, heads, people = melting_pair(seed)
        by_heads += exchanged(with_column(seen, "head", heads), people)
        by_boxes += exchanged(seen, people)
    assert by_heads == 0 < by_boxes
