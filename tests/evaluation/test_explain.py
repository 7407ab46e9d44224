"""The moments that cost a tracker points are found, named and priced."""

from __future__ import annotations

import numpy as np
import pytest

from filmroom.evaluation.explain import Moment, explain_scene, explain_tracking, totals
from filmroom.evaluation.tracking import hota, prepare_scene
from filmroom.formats.mot import TrackRows

FRAMES = 100


def walk(ids: dict[int, np.ndarray], lanes: dict[int, np.ndarray] | None = None) -> TrackRows:
    """One lane per key; `ids[lane]` is the id in each frame, 0 where nobody is."""
    cells = [
        (frame, int(names[frame]), (100.0 * lane + frame * 0.5, 50.0, 30.0, 80.0))
        for lane, names in ids.items()
        for frame in range(FRAMES)
        if names[frame] > 0
    ]
    return TrackRows.of(
        [cell[0] for cell in cells],
        [cell[1] for cell in cells],
        [cell[2] for cell in cells],
        classes=[-1] * len(cells),
        length=FRAMES,
    )


def constant(identity: int) -> np.ndarray:
    return np.full(FRAMES, identity)


def change(first: int, second: int, frame: int) -> np.ndarray:
    return np.where(np.arange(FRAMES) < frame, first, second)


TRUTH = walk({0: constant(1), 1: constant(2), 2: constant(3)})


def moments(tracks: dict[int, np.ndarray]) -> list[Moment]:
    # Tracks have no class column of their own.
    rows = walk(tracks)
    return explain_scene(prepare_scene(TRUTH, rows, "soccernet"), "game")


def half(truth: TrackRows, tracks: TrackRows) -> float:
    return 100 * float(hota(truth, tracks)["HOTA"][9])


def test_a_perfect_run_has_nothing_to_explain():
    assert moments({0: constant(11), 1: constant(12), 2: constant(13)}) == []


def test_a_swap_names_both_people_both_tracks_and_the_frame():
    found = moments({0: change(11, 12, 40), 1: change(12, 11, 40), 2: constant(13)})
    assert [each.kind for each in found] == ["swap"]
    assert found[0].truth_ids == (1, 2)
    assert found[0].track_ids == (11, 12)
    assert (found[0].first_frame, found[0].last_frame) == (41, 41)
    assert found[0].sentence() == "frame 41: people 1 and 2 exchange tracks 11 and 12"


def test_points_are_what_mending_would_bring():
    swapped = walk({0: change(11, 12, 40), 1: change(12, 11, 40), 2: constant(13)})
    perfect = walk({0: constant(11), 1: constant(12), 2: constant(13)})
    found = explain_scene(prepare_scene(TRUTH, swapped, "soccernet"))
    assert found[0].points == pytest.approx(half(TRUTH, perfect) - half(TRUTH, swapped))


def test_a_switch_to_a_new_track():
    tracks = {0: change(11, 20, 70), 1: constant(12), 2: constant(13)}
    found = moments(tracks)
    assert [(each.kind, each.truth_ids, each.track_ids) for each in found] == [
        ("switch", (1,), (11, 20))
    ]
    assert found[0].first_frame == 71
    mended = walk({0: constant(11), 1: constant(12), 2: constant(13)})
    assert found[0].points == pytest.approx(half(TRUTH, mended) - half(TRUTH, walk(tracks)))


def test_a_stray_is_one_moment_not_two():
    stray = np.where((np.arange(FRAMES) >= 30) & (np.arange(FRAMES) < 35), 20, 11)
    found = moments({0: stray, 1: constant(12), 2: constant(13)})
    assert [(each.kind, each.first_frame, each.last_frame) for each in found] == [("stray", 31, 35)]


def test_misses_and_a_person_never_found():
    gap = np.where((np.arange(FRAMES) >= 10) & (np.arange(FRAMES) < 30), 0, 11)
    found = moments({0: gap, 1: constant(12)})
    assert {(each.kind, each.truth_ids, each.frames) for each in found} == {
        ("miss", (1,), 20),
        ("missed track", (3,), 100),
    }
    assert found[0].kind == "missed track"
    by_kind = {each.kind: each.points for each in found}
    filled = walk({0: constant(11), 1: constant(12)})
    gained = half(TRUTH, filled) - half(TRUTH, walk({0: gap, 1: constant(12)}))
    assert by_kind["miss"] == pytest.approx(gained)


def test_false_track_and_false_boxes():
    ghost = np.where(np.arange(FRAMES) < 50, 30, 0)
    tracks = {0: constant(11), 1: constant(12), 2: constant(13), 5: ghost}
    found = moments(tracks)
    assert [(each.kind, each.track_ids, each.frames) for each in found] == [("false track", (30,), 50)]
    clean = walk({key: names for key, names in tracks.items() if key < 5})
    assert found[0].points == pytest.approx(half(TRUTH, clean) - half(TRUTH, walk(tracks)))


def test_costliest_first_over_all_sequences_and_totals():
    little = walk({0: change(11, 20, 95), 1: constant(12), 2: constant(13)})
    much = walk({0: change(11, 20, 50), 1: constant(12), 2: constant(13)})
    found = explain_tracking({"a": TRUTH, "b": TRUTH}, {"a": little, "b": much}, "soccernet")
    assert [each.sequence for each in found] == ["b", "a"]
    assert totals(found)["switch"]["moments"] == 2


def test_empty_sides_are_explained_too():
    nothing = TrackRows.of([], [], np.empty((0, 4)), length=FRAMES)
    lost = explain_scene(prepare_scene(TRUTH, nothing, "soccernet"))
    assert {each.kind for each in lost} == {"missed track"}
    invented = explain_scene(prepare_scene(nothing, TRUTH, "soccernet"))
    assert {each.kind for each in invented} == {"false track"}


def test_a_track_that_goes_on_with_somebody_new_is_a_merge_worth_a_track_of_its_own():
    """Person 1 leaves at frame 40; from frame 50 on their track holds person 2, who just came."""
    frames = np.arange(FRAMES)
    first, second = np.where(frames < 40, 1, 0), np.where(frames >= 50, 2, 0)
    truth = walk({0: first, 1: second, 2: constant(3)})
    merged = walk({0: np.where(frames < 40, 11, 0), 1: np.where(frames >= 50, 11, 0), 2: constant(13)})
    mended = walk({0: np.where(frames < 40, 11, 0), 1: np.where(frames >= 50, 12, 0), 2: constant(13)})
    found = explain_scene(prepare_scene(truth, merged, "soccernet"), "game")
    assert [(each.kind, each.first_frame) for each in found] == [("merge", 51)]
    assert (found[0].truth_ids, found[0].track_ids) == ((1, 2), (11,))
    assert found[0].points == pytest.approx(half(truth, mended) - half(truth, merged))
    assert found[0].sentence() == "frame 51: track 11 goes on from person 1 to 2"
