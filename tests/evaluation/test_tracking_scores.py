"""HOTA, CLEAR and Identity against official tables, golden values and a slow transcription."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from filmroom.errors import InputError
from filmroom.evaluation.tracking import (
    ALPHAS,
    clear,
    combine_sequences,
    hota,
    identity,
    prepare_scene,
    score_sequence,
    score_tracking,
)
from filmroom.formats.mot import TrackRows, read_mot

EPSILON = np.finfo(float).eps
BOX = (10.0, 20.0, 30.0, 60.0)


def rows(cells: list[tuple[int, int, tuple[float, ...]]], length: int | None = None) -> TrackRows:
    return TrackRows.of(
        [cell[0] for cell in cells],
        [cell[1] for cell in cells],
        [cell[2] for cell in cells],
        length=length,
    )


def one_person(ids: dict[int, int], length: int, box: tuple[float, ...] = BOX) -> TrackRows:
    return rows([(frame, identity, box) for frame, identity in ids.items()], length)


def standing(frames: int) -> TrackRows:
    return one_person(dict.fromkeys(range(frames), 1), frames)


def shifted(similarity: float) -> tuple[float, ...]:
    """The box moved sideways until it overlaps BOX by an intersection over union of `similarity`."""
    x, y, w, h = BOX
    return (x + w * (1 - similarity) / (1 + similarity), y, w, h)


def test_identity_changed_half_way():
    tracks = one_person({frame: 1 if frame < 5 else 2 for frame in range(10)}, 10)
    fields = score_sequence(standing(10), tracks, "soccernet")
    assert fields["HOTA"] == pytest.approx(np.full(19, np.sqrt(0.5)), rel=1e-12)
    assert fields["AssA"] == pytest.approx(np.full(19, 0.5), rel=1e-12)
    assert fields["DetA"].tolist() == [1.0] * 19
    assert (fields["IDSW"], fields["IDF1"], fields["Frag"]) == (1, 0.5, 0)


def test_sequence_without_tracks_lowers_detection_but_not_association():
    halves = one_person({frame: 1 if frame < 5 else 2 for frame in range(10)}, 10)
    nothing = rows([], 4)
    scores = score_tracking(
        {"a": standing(10), "b": standing(4)}, {"a": halves, "b": nothing}, "soccernet"
    )
    assert scores.combined["HOTA"].mean() == pytest.approx(0.597614304667196, rel=1e-12)
    assert scores.combined["AssA"].mean() == pytest.approx(0.5, rel=1e-12)
    assert scores.combined["DetA"].mean() == pytest.approx(10 / 14, rel=1e-12)
    empty = scores.sequences["b"]
    assert (empty["HOTA"].sum(), empty["DetA"].sum(), empty["LocA"].sum()) == (0, 0, 19)
    assert (empty["CLR_FN"], empty["ML"], empty["MLR"], empty["IDFN"]) == (4, 1, 1.0, 4)


def test_pair_counts_where_similarity_reaches_the_threshold():
    truth = one_person({0: 1}, 1, (0, 0, 10, 10))
    half = one_person({0: 1}, 1, (0, 0, 10, 5))
    assert hota(truth, half)["HOTA_TP"].tolist() == [1] * 10 + [0] * 9


def test_frame_without_any_track_is_no_fragment():
    tracks = one_person({0: 0, 2: 0, 3: 1, 4: 0}, 5)
    fields = clear(standing(5), tracks)
    assert (fields["IDSW"], fields["Frag"], fields["MT"], fields["PT"]) == (2, 0, 0, 1)


def test_frame_with_a_track_elsewhere_is_a_fragment():
    cells = [(frame, 0, BOX) for frame in (0, 2, 3, 4)] + [(1, 5, shifted(0.1))]
    fields = clear(standing(5), rows(cells, 5))
    assert (fields["IDSW"], fields["Frag"]) == (0, 1)


def test_match_of_the_frame_before_goes_on_although_another_overlaps_more():
    truth = standing(2)
    tracks = rows([(0, 7, BOX), (1, 7, shifted(0.6)), (1, 8, BOX)], 2)
    fields = clear(truth, tracks)
    assert (fields["IDSW"], fields["CLR_TP"], fields["CLR_FP"]) == (0, 2, 1)
    assert fields["MOTP_sum"] == pytest.approx(1.6)


def test_tracks_on_distractors_are_taken_out_and_other_classes_not_counted():
    truth = TrackRows.of(
        [0, 0, 0], [1, 2, 3], [BOX, (200, 0, 30, 60), (400, 0, 30, 60)], classes=[1, 8, 3], length=1
    )
    tracks = TrackRows.of([0, 0, 0], [1, 2, 3], truth.boxes, length=1)
    with_preprocessing = score_sequence(truth, tracks, "motchallenge")
    assert (with_preprocessing["GT_Dets"], with_preprocessing["Dets"]) == (1, 2)
    without = score_sequence(truth, tracks, "soccernet")
    assert (without["GT_Dets"], without["Dets"], without["CLR_TP"]) == (3, 3, 3)


def test_only_mot20_knows_vehicles_as_distractors():
    truth = TrackRows.of([0, 0], [1, 2], [BOX, (200, 0, 30, 60)], classes=[1, 6], length=1)
    tracks = TrackRows.of([0, 0], [1, 2], truth.boxes, length=1)
    assert score_sequence(truth, tracks, "motchallenge")["CLR_FP"] == 1
    assert score_sequence(truth, tracks, "mot20")["CLR_FP"] == 0


def test_truth_boxes_flagged_zero_do_not_count():
    truth = TrackRows.of([0, 1], [1, 1], [BOX, BOX], scores=[1, 0], length=2)
    fields = score_sequence(truth, standing(2), "soccernet")
    assert (fields["GT_Dets"], fields["CLR_FP"]) == (1, 1)


def test_soccernet_convention_is_taken_for_truth_without_classes():
    truth = TrackRows.of([0], [1], [BOX], classes=[-1], length=1)
    assert score_tracking({"a": truth}, {"a": standing(1)}).convention == "soccernet"
    assert score_tracking({"a": standing(1)}, {"a": standing(1)}).convention == "motchallenge"


def test_missing_sequence_is_named():
    with pytest.raises(InputError, match="1 of 2 sequences: b"):
        score_tracking({"a": standing(1), "b": standing(1)}, {"a": standing(1), "c": standing(1)})


def test_tracks_without_truth_are_said():
    truth = {"a": standing(1), "b": standing(1)}
    scores = score_tracking(truth, {**truth, "c": standing(1)})
    assert scores.notes == ("1 track files without truth left out: c",)


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        (rows([(0, 1, BOX), (0, 1, BOX)]), "id 1 twice in frame 0"),
        (rows([(9, 1, BOX)]), "frame 9 .* outside the 5 frames"),
        (rows([(-1, 1, BOX)]), "frame -1"),
        (rows([(0, 1, (0, float("nan"), 1, 1))]), "not a number"),
        (TrackRows.of([0], [1], [BOX], classes=[7]), "class 7"),
    ],
)
def test_bad_arrays_are_refused(tracks: TrackRows, reason: str):
    with pytest.raises(InputError, match=reason):
        score_sequence(standing(5), tracks, "soccernet")


def test_truth_without_classes_needs_the_soccernet_convention():
    truth = TrackRows.of([0], [1], [BOX], classes=[-1], length=1)
    with pytest.raises(InputError, match="class -1"):
        score_sequence(truth, standing(1), "motchallenge")
    with pytest.raises(InputError, match="unknown"):
        score_sequence(truth, standing(1), "snmot")


# A slow transcription of the published definitions: one full assignment a frame, dense matrices.


def dense_similarity(truth: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    a = np.concatenate([truth[:, :2], truth[:, :2] + truth[:, 2:]], 1)
    b = np.concatenate([tracks[:, :2], tracks[:, :2] + tracks[:, 2:]], 1)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b))
    union = area_a[:, None] + area_b[None] - shared
    shared[area_a <= EPSILON, :] = 0
    shared[:, area_b <= EPSILON] = 0
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > EPSILON)


def slow_scores(truth: TrackRows, tracks: TrackRows, length: int) -> dict[str, float | np.ndarray]:
    truth_names, truth_ids = np.unique(truth.ids, return_inverse=True)
    track_names, track_ids = np.unique(tracks.ids, return_inverse=True)
    shape = (len(truth_names), len(track_names))
    frames = []
    for frame in range(length):
        a, b = truth.frames == frame, tracks.frames == frame
        frames.append((truth_ids[a], track_ids[b], dense_similarity(truth.boxes[a], tracks.boxes[b])))
    potential, at_half = np.zeros(shape), np.zeros(shape)
    for a, b, similarity in frames:
        union = similarity.sum(0)[None] + similarity.sum(1)[:, None] - similarity
        shares = np.divide(similarity, union, out=np.zeros_like(similarity), where=union > EPSILON)
        potential[np.ix_(a, b)] += shares
        at_half[np.ix_(a, b)] += similarity >= 0.5
    truth_count = np.bincount(truth_ids, minlength=shape[0])[:, None]
    track_count = np.bincount(track_ids, minlength=shape[1])[None]
    alignment = potential / (truth_count + track_count - potential)
    together = np.zeros((19, *shape))
    for a, b, similarity in frames:
        r, c = linear_sum_assignment(-(alignment[np.ix_(a, b)] * similarity))
        for k, alpha in enumerate(ALPHAS):
            ok = similarity[r, c] >= alpha - EPSILON
            together[k, a[r[ok]], b[c[ok]]] += 1
    tp = together.sum((1, 2))
    associated = (together**2 / np.maximum(1, truth_count + track_count - together)).sum((1, 2))
    switches = fragments = matches = 0
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    started: dict[int, int] = {}
    for a, b, similarity in frames:
        if not len(a) or not len(b):
            continue
        bonus = np.array([[before.get(int(i)) == int(j) for j in b] for i in a])
        score = np.where(similarity < 0.5 - EPSILON, 0, 1000 * bonus + similarity)
        r, c = linear_sum_assignment(-score)
        now = {int(a[i]): int(b[j]) for i, j in zip(r, c, strict=True) if score[i, j] > EPSILON}
        switches += sum(i in last and last[i] != j for i, j in now.items())
        for i in now:
            started[i] = started.get(i, 0) + (i not in before)
        last |= now
        before = now
        matches += len(now)
    fragments = sum(count - 1 for count in started.values())
    r, c = linear_sum_assignment(-at_half)
    return {
        "HOTA_TP": tp,
        "AssA": associated / np.maximum(1, tp),
        "DetA": tp / np.maximum(1, len(truth) + len(tracks) - tp),
        "IDSW": switches,
        "Frag": fragments,
        "CLR_TP": matches,
        "IDTP": at_half[r, c].sum(),
    }


@st.composite
def scenes(draw: st.DrawFn) -> tuple[TrackRows, TrackRows, int]:
    """Crowded scenes on a coarse grid: exact ties, contested boxes, empty frames, one-frame tracks."""
    length = draw(st.integers(1, 6))
    side = st.dictionaries(
        st.tuples(st.integers(0, length - 1), st.integers(0, 4)),
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4), st.integers(1, 4)),
        min_size=1,
        max_size=25,
    )
    truth, tracks = draw(side), draw(side)
    return (
        *(rows([(frame, name, box) for (frame, name), box in each.items()], length)
          for each in (truth, tracks)),
        length,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_equal_to_a_full_assignment_of_every_frame(scene: tuple[TrackRows, TrackRows, int]):
    truth, tracks, length = scene
    fast = score_sequence(truth, tracks, "soccernet")
    slow = slow_scores(truth, tracks, length)
    for name, value in slow.items():
        assert fast[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@settings(max_examples=25, deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_names_of_ids_do_not_matter(scene: tuple[TrackRows, TrackRows, int], random):
    truth, tracks, _ = scene
    names = random.sample(range(1000), 5)
    renamed = TrackRows.of(tracks.frames, np.array(sorted(names))[tracks.ids], tracks.boxes)
    assert hota(truth, tracks)["HOTA"].tolist() == hota(truth, renamed)["HOTA"].tolist()


@settings(max_examples=25, deadline=None)
@given(scenes())
def test_truth_against_itself_is_perfect(scene: tuple[TrackRows, TrackRows, int]):
    truth = scene[0].select(scene[0].boxes[:, 2] > 0)
    if not len(truth):
        return
    # Two people in one box are a tie that no score can tell apart.
    cells = {(frame, *box) for frame, box in zip(truth.frames, map(tuple, truth.boxes), strict=True)}
    if len(cells) < len(truth):
        return
    assert hota(truth, truth)["HOTA"][:1] == pytest.approx([1.0])
    assert identity(truth, truth)["IDF1"] == 1.0
    assert clear(truth, truth)["MOTA"] == 1.0


def test_combined_is_pooled_not_averaged():
    good, bad = standing(10), rows([(0, 1, (500, 500, 5, 5))], 2)
    fields = {
        "good": score_sequence(good, good, "soccernet"),
        "bad": score_sequence(standing(2), bad, "soccernet"),
    }
    combined = combine_sequences(fields)
    assert combined["DetA"][0] == pytest.approx(10 / 13)
    assert combined["AssA"][0] == 1.0
    assert combined["MOTA"] == pytest.approx((10 - 1) / 12)


def test_many_ids_take_the_path_that_saves_memory():
    count = 2100
    frames, ids = np.zeros(count, int), np.arange(count)
    boxes = np.column_stack([np.arange(count) * 20.0, np.zeros(count), np.full((count, 2), 10.0)])
    truth = TrackRows.of(frames, ids, boxes, length=1)
    assert hota(truth, truth)["HOTA"].mean() == 1.0
    assert len(prepare_scene(truth, truth, "soccernet").pairs.truth) == count


DATA = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.data
@pytest.mark.parametrize(
    "run", ["bytetrack-mot17ep10", "deepocsort-emb075aw05", "deepocsort-emb075aw05-post"]
)
def test_equal_to_the_official_tables(run: str):
    archive = DATA / "snmot-runs" / f"{run}.zip"
    if not archive.exists():
        pytest.skip("snmot-runs is not among the data")
    truth = read_mot(DATA / "snmot-gt" / "snmot-gt.zip", "truth")
    scores = score_tracking(truth, read_mot(archive))
    with zipfile.ZipFile(archive) as content:
        text = content.read("eval_results/pedestrian_detailed.csv").decode()
    compared = 0
    for row in csv.DictReader(io.StringIO(text)):
        fields = scores.sequences[row.pop("seq")]
        for name, official in row.items():
            base, _, percent = name.partition("___")
            ours = fields[base]
            if percent:
                ours = ours.mean() if percent == "AUC" else ours[int(percent) // 5 - 1]
            assert ours == pytest.approx(float(official), rel=1e-9, abs=1e-12), name
            compared += 1
    assert compared == 24 * 275
