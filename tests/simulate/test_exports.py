"""The truth in other formats is read back by the formats' own readers and says the same."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from filmroom.errors import InputError
from filmroom.formats.mot import read_mot
from filmroom.formats.soccernet_calibration import read_line_annotations
from filmroom.formats.soccernet_captions import read_caption_truth
from filmroom.formats.soccernet_gamestate import read_gamestate_truth
from filmroom.formats.soccernet_jersey import read_jersey_numbers
from filmroom.formats.soccernet_reid import read_reid_truth
from filmroom.formats.soccernet_spotting import read_spotting_truth
from filmroom.formats.yolo import read_yolo
from filmroom.simulate.events import actions, ball_actions, comments
from filmroom.simulate.exports import FORMATS
from filmroom.simulate.scene import make_match
from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match

SMALL = Settings(seconds=1.2, seed=8, width=320, height=180)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats") / "out"
    write_match(SMALL, folder, formats=tuple(FORMATS))
    return folder


@pytest.fixture(scope="module")
def people(written):
    return pq.read_table(written / "truth/people.parquet").to_pylist()


def test_tracking_and_yolo_have_the_same_people(written, people):
    rows = read_mot(written / "formats/soccernet-tracking", "truth")["SNMOT-001"]
    counted = [row for row in people if row["role"] != "other"]
    assert len(rows) == len(counted)
    assert (written / "formats/soccernet-tracking/SNMOT-001/gameinfo.ini").exists()
    yolo = read_yolo(written / "formats/yolo/yolo.zip")
    assert len(yolo) == SMALL.frames
    assert sum(len(one.classes) for one in yolo.values()) == len(counted)


def test_game_state_keeps_places_and_identities(written, people):
    truth = read_gamestate_truth(written / "formats/soccernet-gamestate")["SNGS-001"]
    wanted = [row for row in people if row["role"] != "ball"]
    assert len(truth.people.tracks) == len(wanted)
    assert np.allclose(
        truth.people.positions, [(row["position_x"], row["position_y"]) for row in wanted], atol=1e-6
    )
    assert {"player"} <= {role for role, _, _ in truth.people.identities}


def test_line_annotations_lie_on_the_lines(written):
    pictures = read_line_annotations(written / "formats/soccernet-calibration")
    assert list(pictures) == ["00000", "00025"]
    lines = pictures["00000"]
    assert lines
    camera = make_match(SMALL).camera_of(0)
    for name, points in lines.items():
        if name.startswith("Side line"):
            ground = camera.to_ground(points * (320, 180))
            axis = 0 if name.endswith(("left", "right")) else 1
            edge = (52.5, 34.0)[axis]
            assert np.abs(np.abs(ground[:, axis]) - edge).max() < 0.6


def test_events_and_comments_come_back(written):
    play = make_match(SMALL).play
    for name, wanted in (("spotting", actions(play)), ("ball", ball_actions(play))):
        (events,) = read_spotting_truth(written / f"formats/soccernet-{name}").values()
        assert events.labels == tuple(event.label for event in wanted)
        assert np.allclose(events.seconds, [event.frame / 25 for event in wanted], atol=1e-3)
    (captions,) = read_caption_truth(written / "formats/soccernet-captions").values()
    assert len(captions.captions) == len(comments(play))


def test_numbers_and_people_to_find_again(written, people):
    numbers = read_jersey_numbers(written / "formats/soccernet-jersey")
    players = {row["track"] for row in people if row["role"] in ("player", "goalkeeper")}
    assert {int(key) for key in numbers} == players
    truth = read_reid_truth(written / "formats/soccernet-reid")
    asked = {(box.action_idx, box.person_uid) for box in truth.query.values()}
    assert len(asked) == len(truth.query)
    assert {(box.action_idx, box.person_uid) for box in truth.gallery.values()} <= asked


def test_crops_show_whom_they_name(written, people):
    """A crop is that part of the film, at the frame and box its name gives."""
    import cv2

    from filmroom.video.decode import read_frames

    frames = [frame.pixels for frame in read_frames(written / "video.mp4")]
    truth = read_reid_truth(written / "formats/soccernet-reid")
    for part, boxes in (("query", truth.query), ("gallery", truth.gallery)):
        files = sorted((written / "formats/soccernet-reid" / part).glob("*.png"))
        assert len(files) == len(boxes)
    for path in sorted((written / "formats/soccernet-reid/query").glob("*.png"))[:4]:
        _, _, person, frame, role, *_ = path.stem.split("-")
        row = next(r for r in people if r["frame"] == int(frame) and r["track"] == int(person))
        assert row["role"] == role
        x, y = max(0, int(row["x"])), max(0, int(row["y"]))
        crop = cv2.imread(str(path))[:, :, ::-1]
        assert np.array_equal(crop, frames[int(frame)][y : y + crop.shape[0], x : x + crop.shape[1]])
    jerseys = written / "formats/soccernet-jersey/images"
    shown = {folder.name for folder in jerseys.iterdir()}
    assert shown <= set(read_jersey_numbers(written / "formats/soccernet-jersey"))
    assert all(any(folder.glob(f"{folder.name}_*.jpg")) for folder in jerseys.iterdir())


def test_an_unknown_format_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(InputError, match="yolo"):
        write_match(replace(SMALL, seconds=0.1), tmp_path / "out", formats=("dvd",))
    assert not (tmp_path / "out").exists()
