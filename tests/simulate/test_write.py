"""What is written can be read back, says the same thing everywhere, and survives interruption."""

import csv
import json
import signal
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from filmroom.errors import InputError, MachineError
from filmroom.formats.mot import read_mot
from filmroom.geometry.masks import decode_rle
from filmroom.simulate import write
from filmroom.simulate.film import frames
from filmroom.simulate.labelled import write_coco
from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match

SMALL = Settings(sport="basketball", seconds=0.4, seed=3, width=320, height=180)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("match") / "out"
    counted = []
    video = write_match(SMALL, folder, counted.append)
    assert video == folder / "video.mp4"
    assert sum(counted) == SMALL.frames
    return folder


def test_the_video_has_every_frame(written):
    from filmroom.video.decode import read_frames

    pictures = list(read_frames(written / "video.mp4"))
    assert len(pictures) == SMALL.frames
    assert pictures[0].pixels.shape == (180, 320, 3)


def test_boxes_come_back_from_motchallenge(written):
    rows = read_mot(written / "truth", "truth")["truth"]
    assert rows.length == SMALL.frames
    truths = [filmed.truth for filmed in frames(SMALL)]
    for truth in truths:
        mine = rows.frames == truth.frame
        wanted = [
            track
            for track, role in zip(truth.tracks, truth.roles, strict=True)
            if role not in ("hoop", "other")
        ]
        assert sorted(rows.ids[mine]) == sorted(wanted)
    assert (rows.boxes[:, :2] >= 0).all()
    assert (rows.boxes[:, 0] + rows.boxes[:, 2] <= 320.01).all()


def test_coco_says_what_the_tables_say(written):
    content = json.loads((written / "truth/coco.json").read_text())
    names = {category["id"]: category["name"] for category in content["categories"]}
    assert len(content["images"]) == SMALL.frames
    people = [
        row
        for row in pq.read_table(written / "truth/people.parquet").to_pylist()
        if row["role"] != "other"
    ]
    assert len(content["annotations"]) == len(people)
    first = {
        (a["image_id"] - 1, a["track_id"]): names[a["category_id"]] for a in content["annotations"]
    }
    assert first == {(row["frame"], row["track"]): row["role"] for row in people}


def test_masks_lie_in_their_boxes(written):
    people = {
        (r["frame"], r["track"]): r for r in pq.read_table(written / "truth/people.parquet").to_pylist()
    }
    rows = pq.read_table(written / "truth/masks.parquet").to_pylist()
    assert rows
    for row in rows:
        mask = decode_rle(row["rle"], row["width"], row["height"])
        person = people[row["frame"], row["track"]]
        assert mask.any()
        assert (row["x"], row["width"]) == (person["visible_x"], person["visible_w"])


def test_cameras_project_positions_into_boxes(written):
    from filmroom.simulate.camera import Camera

    cameras = pq.read_table(written / "truth/cameras.parquet").to_pylist()
    assert [camera["frame"] for camera in cameras] == list(range(SMALL.frames))
    row = cameras[0]
    camera = Camera(
        (row["position_x"], row["position_y"], row["position_z"]), row["pan"], row["tilt"], row["roll"],
        row["focal"], 320, 180,
    )  # fmt: skip
    people = [r for r in pq.read_table(written / "truth/people.parquet").to_pylist() if r["frame"] == 0]
    players = [r for r in people if r["role"] == "player"]
    assert players
    for person in players:
        middle = np.array([[person["position_x"], person["position_y"], person["position_z"] + 0.9]])
        pixel, _ = camera.project(middle)
        assert person["x"] - 3 <= pixel[0, 0] <= person["x"] + person["w"] + 3


def test_players_are_listed_once(written):
    rows = list(csv.DictReader((written / "truth/players.csv").open()))
    assert [int(row["track"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["role"] == "ball"
    assert {row["team"] for row in rows} == {"a", "b", ""}


def test_a_folder_in_use_is_left_alone(written):
    before = sorted(path.name for path in written.rglob("*"))
    with pytest.raises(InputError, match="holds files already"):
        write_match(SMALL, written)
    assert sorted(path.name for path in written.rglob("*")) == before


def test_nothing_is_made_for_settings_that_cannot_be(tmp_path):
    with pytest.raises(InputError):
        write_match(Settings(sport="curling"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_match_can_be_read_up_to_there(tmp_path, monkeypatch):
    real, shown = write.film_frame, []

    def interrupt(scene, frame):
        if frame == 4:
            raise KeyboardInterrupt
        shown.append(frame)
        return real(scene, frame)

    monkeypatch.setattr(write, "film_frame", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_match(SMALL, tmp_path / "out")
    from filmroom.video.decode import read_frames

    assert len(list(read_frames(tmp_path / "out/video.mp4"))) == 4
    rows = read_mot(tmp_path / "out/truth", "truth")["truth"]
    assert rows.length == 4
    assert rows.frames.max() == 3
    assert len(json.loads((tmp_path / "out/truth/coco.json").read_text())["images"]) == 4
    assert pq.read_table(tmp_path / "out/truth/cameras.parquet").num_rows == 4


def counted_frames(folder):
    """Frames of the video, of the boxes, of COCO and of the cameras."""
    from filmroom.video.decode import read_frames

    coco = json.loads((folder / "truth/coco.json").read_text())
    return (
        len(list(read_frames(folder / "video.mp4"))),
        read_mot(folder / "truth", "truth")["truth"].length,
        len(coco["images"]),
        pq.read_table(folder / "truth/cameras.parquet").num_rows,
    )


def test_an_interruption_waits_until_a_frame_and_its_truth_are_written(tmp_path, monkeypatch):
    real = write.TruthWriter.add

    def interrupt(self, truth):
        if truth.frame == 3:
            signal.raise_signal(signal.SIGINT)
        real(self, truth)

    monkeypatch.setattr(write.TruthWriter, "add", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_match(SMALL, tmp_path / "out")
    assert counted_frames(tmp_path / "out") == (4, 4, 4, 4)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_disk_that_runs_full_keeps_what_was_filmed(tmp_path, monkeypatch):
    room = iter([1e12] * 6 + [0.0])
    monkeypatch.setattr(write.shutil, "disk_usage", lambda _: SimpleNamespace(free=next(room)))
    with pytest.raises(MachineError, match="disk is full; the first 5 of 10 frames are kept"):
        write_match(SMALL, tmp_path / "out")
    assert counted_frames(tmp_path / "out") == (5, 5, 5, 5)


def test_nothing_is_begun_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(write.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(MachineError, match="free some space"):
        write_match(SMALL, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_what_a_disk_full_all_at_once_cuts_off_is_taken_away(tmp_path, monkeypatch):
    real = write.pq.ParquetWriter

    class Full(real):
        def close(self):
            if "rle" in self.schema.names and self.is_open:
                self.is_open = False
                raise OSError(28, "No space left on device")
            super().close()

        def write_table(self, table, *rest):
            if "rle" in table.column_names:
                raise OSError(28, "No space left on device")
            super().write_table(table, *rest)

    monkeypatch.setattr(write.pq, "ParquetWriter", Full)
    with pytest.raises(MachineError, match="disk is full"):
        write_match(SMALL, tmp_path / "out")
    left = {path.name for path in (tmp_path / "out/truth").glob("*.parquet")}
    assert "masks.parquet" not in left
    for name in left:
        pq.read_table(tmp_path / "out/truth" / name)


def test_a_place_where_no_folder_can_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no folder can be made there"):
        write_match(SMALL, tmp_path / "file" / "out")


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def full(scene, frame):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "film_frame", full)
    with pytest.raises(MachineError, match="disk is full") as told:
        write_match(SMALL, tmp_path / "out")
    assert "\n" not in str(told.value)


def test_labelled_pictures_are_written_as_a_coco_folder(tmp_path):
    from filmroom.formats.coco import CocoSet

    write_coco(tmp_path / "set", 2, 9, size=(320, 180))
    read = CocoSet(tmp_path / "set", "train")
    assert len(read) == 2
    for image in read:
        assert read.picture(image).shape == (180, 320, 3)
    with pytest.raises(InputError, match="exists already"):
        write_coco(tmp_path / "set", 2, 9, size=(320, 180))
    with pytest.raises(InputError, match="at least 1"):
        write_coco(tmp_path / "other", 0, 9)
