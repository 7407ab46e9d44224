"""The annotated video: everybody drawn, whatever is missing, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from filmroom import tables
from filmroom.errors import InputError
from filmroom.rendering.annotate import annotate
from filmroom.rendering.trails import Trails
from filmroom.video.decode import Reader

COLOURS = {"a": (220, 30, 40), "b": (40, 60, 220), "none": (240, 220, 40)}


def _annotate(scene: Any, target: Path, **changes: Any) -> list[np.ndarray]:
    how: dict[str, Any] = {"team_colours": COLOURS, "motion": scene.motion, "quality": "good"} | changes
    tracks, players = how.pop("tracks", scene.tracks), how.pop("players", scene.players)
    masks = how.pop("masks", scene.masks)
    annotate(scene.video, tracks, players, masks, target, **how)
    return [frame.pixels for frame in Reader(target)]


def test_people_are_tinted_in_their_team_colour(scene: Any, tmp_path: Path) -> None:
    frames = _annotate(scene, tmp_path / "out.mp4")
    assert len(frames) == 12
    red, blue = frames[5][80, 60 + 15 + 10].astype(int), frames[5][95, 200 + 15 + 11].astype(int)
    assert red[0] > red[2] + 40
    assert blue[2] > blue[0] + 40


def test_the_ground_away_from_everybody_is_left_alone(scene: Any, tmp_path: Path) -> None:
    frames = _annotate(scene, tmp_path / "out.mp4")
    source = [frame.pixels for frame in Reader(scene.video)]
    assert np.abs(frames[5][:25].astype(int) - source[5][:25]).max() < 12


def test_the_ball_has_its_marker_above(scene: Any, tmp_path: Path) -> None:
    frames = _annotate(scene, tmp_path / "out.mp4")
    x, y = 150 + 15 + 2, 120
    above = frames[5][y - 12 : y - 2, x - 4 : x + 5].astype(int)
    assert (above[..., 0] - above[..., 2]).max() > 80


def test_number_of_threads_changes_no_byte(scene: Any, tmp_path: Path) -> None:
    for threads in (1, 2, 4):
        _annotate(scene, tmp_path / f"{threads}.mp4", threads=threads)
    contents = {(tmp_path / f"{threads}.mp4").read_bytes() for threads in (1, 2, 4)}
    assert len(contents) == 1


def test_masks_may_come_frame_by_frame(scene: Any, tmp_path: Path) -> None:
    def rows_of(frame: int) -> pa.Table:
        return scene.masks.filter(pc.equal(scene.masks["frame"], frame))

    _annotate(scene, tmp_path / "a.mp4")
    _annotate(scene, tmp_path / "b.mp4", masks=rows_of)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def _changed(table: pa.Table, schema: tables.TableSchema, **columns: Any) -> pa.Table:
    return schema.build({name: table[name] for name in table.column_names} | columns)


def _cases(scene: Any) -> dict[str, dict[str, Any]]:
    count = scene.tracks.num_rows
    far = [(-500.0, 5000.0, 0.0, 310.0)[row % 4] for row in range(count)]
    return {
        "no masks": {"masks": None},
        "empty masks": {"masks": tables.MASKS.empty()},
        "broken masks": {
            "masks": _changed(
                scene.masks, tables.MASKS, rle=[b"not run lengths"] * scene.masks.num_rows
            )
        },
        "nobody": {"tracks": tables.TRACKS.empty(), "players": tables.PLAYERS.empty()},
        "no players table": {"players": tables.PLAYERS.empty()},
        "no colours": {"team_colours": {}},
        "no motion": {"motion": None},
        "filled in": {"tracks": _changed(scene.tracks, tables.TRACKS, detection=[None] * count)},
        "outside the picture": {"tracks": _changed(scene.tracks, tables.TRACKS, x=far, y=far)},
        "empty boxes": {
            "tracks": _changed(scene.tracks, tables.TRACKS, w=[0.0] * count, h=[0.0] * count)
        },
        "huge boxes": {
            "tracks": _changed(scene.tracks, tables.TRACKS, w=[9000.0] * count, h=[9000.0] * count)
        },
        "one row": {"tracks": scene.tracks.slice(0, 1)},
        "detections elsewhere": {"detections": tables.DETECTIONS.empty()},
    }


@pytest.mark.parametrize("case", range(13))
def test_missing_or_odd_rows_are_no_error(scene: Any, tmp_path: Path, case: int) -> None:
    _, changes = list(_cases(scene).items())[case]
    assert len(_annotate(scene, tmp_path / "out.mp4", **changes)) == 12


def test_masks_lie_where_their_detections_were(scene: Any, tmp_path: Path) -> None:
    boxes = tables.boxes_of(scene.tracks)
    people = np.array(scene.tracks["role"].to_pylist()) != "ball"
    detections = tables.DETECTIONS.build(
        {
            "frame": scene.tracks["frame"].to_numpy()[people],
            "detection": scene.tracks["detection"].to_numpy()[people],
        }
        | {name: boxes[people, column] for column, name in enumerate("xywh")}
        | {
            "score": np.ones(people.sum()),
            "kind": ["person"] * people.sum(),
            "kind_score": np.ones(people.sum()),
        }
    )
    moved = _changed(scene.tracks, tables.TRACKS, x=boxes[:, 0] + 6)
    frame = _annotate(scene, tmp_path / "out.mp4", tracks=moved, detections=detections)[5].astype(int)
    left_edge = frame[80, 60 + 15 + 2]
    assert left_edge[0] > left_edge[2] + 40


def test_sampled_runs_give_sampled_videos(scene: Any, tmp_path: Path) -> None:
    annotate(
        scene.video,
        scene.tracks,
        scene.players,
        scene.masks,
        tmp_path / "out.mp4",
        team_colours=COLOURS,
        sample=0.1,
    )
    assert [frame.time for frame in Reader(tmp_path / "out.mp4")] == pytest.approx(
        [0.0, 0.12, 0.2, 0.32, 0.4], abs=1e-3
    )


def test_progress_counts_every_frame(scene: Any, tmp_path: Path) -> None:
    told: list[int] = []
    _annotate(scene, tmp_path / "out.mp4", progress=told.append)
    assert sum(told) == 12


def test_an_error_leaves_nothing_behind(scene: Any, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _annotate(scene, tmp_path / "out.mp4", progress=stop)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError):
        annotate(tmp_path, scene.tracks, scene.players, None, tmp_path / "out.mp4", team_colours={})


def _motion(matrices: list[list[float] | None]) -> pa.Table:
    column = pa.array(matrices, pa.list_(pa.float64(), 9))
    return tables.MOTION.build({"frame": list(range(len(matrices))), "matrix": column})


def test_trails_stay_on_the_ground_while_the_camera_pans() -> None:
    pan = np.array([[1, 0, -10], [0, 1, 0], [0, 0, 1]], float)
    motion = _motion([None] + [list(pan.ravel())] * 19)
    trails = Trails(motion, fps=25)
    for frame in range(20):
        # A ball that lies still on the ground goes left in the picture as the camera pans right.
        box = np.array([[400.0 - 10 * frame, 200.0, 4.0, 4.0]])
        step = trails.step(frame, np.array([7]), box[:, :2], np.array([True]), box)
    [line] = step.ball
    assert len(line.points) > 5
    assert np.ptp(line.points, axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_trails_end_at_a_cut() -> None:
    matrices = [list(np.eye(3).ravel())] * 20
    motion = _motion([*matrices[:10], None, *matrices[11:]])
    trails = Trails(motion, fps=25)
    cuts, lengths = [], []
    for frame in range(12):
        box = np.array([[100.0 + 20 * frame, 200.0, 4.0, 4.0]])
        step = trails.step(frame, np.array([7]), box[:, :2], np.array([True]), box)
        cuts.append(step.after_cut)
        lengths.append(max((len(line.points) for line in step.ball), default=0))
    assert lengths[9] >= 4
    assert lengths[10:] == [0, 0]
    assert cuts == [frame == 10 for frame in range(12)]


def test_a_trail_does_not_bridge_an_absence() -> None:
    trails = Trails(None, 25.0)
    lines = []
    for frame in [*range(10), *range(20, 30)]:
        x = 100.0 if frame < 10 else 900.0
        box = np.array([[x + 4 * frame, 50.0, 10.0, 10.0]])
        lines.append(trails.step(frame, np.array([1]), box[:, :2], np.array([True]), box))
    assert lines[9].ball and not lines[11].ball
    assert np.ptp(lines[-1].ball[0].points[:, 0]) < 100
