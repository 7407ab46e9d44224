"""Runs in the formats of others, read back by the readers of those formats."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

import filmroom
from filmroom.errors import InputError
from filmroom.formats.archive import Archive
from filmroom.formats.coco import read_coco_truth
from filmroom.formats.footpass import read_footpass
from filmroom.formats.mot import read_mot
from filmroom.formats.soccernet_jersey import read_jersey_numbers
from filmroom.formats.soccernet_spotting import read_spotting_results
from filmroom.formats.yolo import read_yolo
from filmroom.pipeline import exporting
from filmroom.pipeline.exporting import EXPORTS, NOT_IN_A_RUN, export
from filmroom.pipeline.views import TableView
from filmroom.tables import EVENTS

NEED_EVENTS = ("soccernet-spotting", "soccernet-ball", "soccernet-team-ball", "footpass")


@pytest.fixture
def spotted(run: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes every loaded run hold the events given."""

    def put(*rows: dict[str, object]) -> None:
        empty = {"team": None, "track": None, "score": 0.5}
        table = pa.Table.from_pylist(
            [{"event": index} | empty | row for index, row in enumerate(rows)], schema=EVENTS.schema
        )

        def load(folder: Path) -> filmroom.Game:
            game = filmroom.load(folder)
            game.events = TableView(table)
            return game

        monkeypatch.setattr(exporting, "load", load)

    return put


@pytest.mark.parametrize("name", sorted(set(EXPORTS) - set(NEED_EVENTS)))
def test_a_run_leaves_in_every_format(run: Path, tmp_path: Path, name: str):
    export(run, name, tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 0


@pytest.mark.parametrize("name", NEED_EVENTS)
def test_formats_of_events_say_that_a_run_holds_none(run: Path, tmp_path: Path, name: str):
    with pytest.raises(InputError, match="video: the run holds no events"):
        export(run, name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", sorted(NOT_IN_A_RUN))
def test_what_no_run_knows_is_said(run: Path, tmp_path: Path, name: str):
    with pytest.raises(InputError, match=f"format {name}: a run holds no"):
        export(run, name, tmp_path / "out")


def test_an_unknown_format_lists_those_there_are(run: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"choose one of mot, .*soccernet-tracking"):
        export(run, "nonsense", tmp_path / "out")


def test_tracks_of_several_runs_in_one_submission(run: Path, tmp_path: Path):
    names = ("SNMOT-116", "SNMOT-117")
    export([run, run], "soccernet-tracking", tmp_path / "sub.zip", names)
    with zipfile.ZipFile(tmp_path / "sub.zip") as archive:
        assert archive.namelist() == ["SNMOT-116.txt", "SNMOT-117.txt"]
    alone = read_mot(run / "tracks.txt")["tracks"]
    for rows in read_mot(tmp_path / "sub.zip").values():
        assert rows.boxes.tolist() == alone.boxes.tolist()
        assert rows.ids.tolist() == alone.ids.tolist()
    export(run, "dancetrack", tmp_path / "dance.zip", ["dancetrack0003"])
    with zipfile.ZipFile(tmp_path / "dance.zip") as archive:
        assert archive.namelist() == ["tracker/dancetrack0003.txt"]


def test_runs_that_cannot_be_told_apart(run: Path, tmp_path: Path):
    with pytest.raises(InputError, match="two runs are called 'video'"):
        export([run, run], "soccernet-tracking", tmp_path / "out")
    with pytest.raises(InputError, match="1 names for 2 runs"):
        export([run, run], "soccernet-tracking", tmp_path / "out", ["a"])
    with pytest.raises(InputError, match="holds one run, not 2"):
        export([run, run], "coco", tmp_path / "out", ["a", "b"])


def test_only_players_go_to_sportsmot_and_the_rest_is_told(run: Path, tmp_path: Path):
    notes = export(run, "sportsmot", tmp_path / "out.zip", ["clip"])
    roles = filmroom.load(run).tracks.arrow["role"].to_pylist()
    players = sum(role in ("player", "goalkeeper") for role in roles)
    assert len(read_mot(tmp_path / "out.zip")["clip"]) == players
    left = len(roles) - players
    assert notes == ((f"clip: {left} boxes left out: not player or goalkeeper",) if left else ())


def test_a_sampled_run_is_no_submission(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def sampled(folder: Path) -> filmroom.Game:
        game = filmroom.load(folder)
        game.record = msgspec.structs.replace(game.record, sample=0.5)
        return game

    monkeypatch.setattr(exporting, "load", sampled)
    with pytest.raises(InputError, match=r"a frame every 0\.5 s, a submission needs all"):
        export(run, "soccernet-tracking", tmp_path / "out")


def test_training_sets_read_back(run: Path, tmp_path: Path):
    tracks = filmroom.load(run).tracks
    export(run, "yolo", tmp_path / "yolo.zip")
    assert sum(len(each.classes) for each in read_yolo(tmp_path / "yolo.zip").values()) <= len(tracks)
    with Archive(tmp_path / "yolo.zip") as archive:
        assert "data.yaml" in archive.names
    export(run, "coco", tmp_path / "coco.json")
    assert len(read_coco_truth(tmp_path / "coco.json").ids) == len(tracks)


def test_numbers_of_tracks(run: Path, tmp_path: Path):
    export(run, "soccernet-jersey", tmp_path / "numbers.json")
    numbers = read_jersey_numbers(tmp_path / "numbers.json")
    players = [row for row in filmroom.load(run).players.arrow.to_pylist() if row["role"] == "player"]
    assert {str(row["track"]) for row in players} <= set(numbers)
    for row in players:
        assert numbers[str(row["track"])] == (-1 if row["number"] is None else int(row["number"]))


def test_events_of_both_halves_in_one_submission(run: Path, tmp_path: Path, spotted):
    spotted({"time": 61.24, "label": "Corner"}, {"time": 5.0, "label": "Dance"})
    names = ("league/season/game/1_720p", "league/season/game/2_720p")
    notes = export([run, run], "soccernet-spotting", tmp_path / "out.zip", names)
    events = read_spotting_results(tmp_path / "out.zip")["league/season/game"]
    assert events.halves.tolist() == [1, 2]
    assert events.seconds.tolist() == [61.24, 61.24]
    assert (events.labels, events.confidences.tolist()) == (("Corner", "Corner"), [0.5, 0.5])
    assert len(notes) == 2 and "1 events left out: not of the benchmark" in notes[0]


def test_sides_of_ball_actions_are_not_made_up(run: Path, tmp_path: Path, spotted):
    spotted({"time": 1.0, "label": "PASS", "team": "a"})
    with pytest.raises(InputError, match="does not say which team plays on the left"):
        export(run, "soccernet-team-ball", tmp_path / "out.zip")
    export(run, "soccernet-ball", tmp_path / "out.zip", ["league/season/game"])
    assert read_spotting_results(tmp_path / "out.zip")["league/season/game"].labels == ("PASS",)
    spotted({"time": 1.0, "label": "PASS", "team": "right"})
    export(run, "soccernet-team-ball", tmp_path / "out.zip", ["league/season/game"])
    assert read_spotting_results(tmp_path / "out.zip")["league/season/game"].teams == ("right",)


def test_player_centric_actions_need_team_and_number(
    run: Path, tmp_path: Path, spotted, monkeypatch: pytest.MonkeyPatch
):
    spotted(
        {"time": 2.0, "label": "pass", "track": 1},
        {"time": 3.0, "label": "pass", "track": 2},
        {"time": 4.0, "label": "shot"},
    )
    loaded = exporting.load

    def numbered(folder: Path) -> filmroom.Game:
        game = loaded(folder)
        people = [
            {"track": 1, "role": "player", "team": "b", "number": "10"},
            {"track": 2, "role": "player", "team": "b", "number": None},
        ]
        game.players = TableView(pa.Table.from_pylist(people))
        return game

    monkeypatch.setattr(exporting, "load", numbered)
    notes = export(run, "footpass", tmp_path / "out.json", ["game_1_H1"])
    half = read_footpass(tmp_path / "out.json")["game_1_H1"]
    assert half.rows.tolist() == [[50, 1, 10, 2]]
    assert half.extra[:, 0].tolist() == [0.5]
    assert notes == (
        "game_1_H1: 2 events left out: no player with team and number, or no action of the benchmark",
    )
    assert json.loads((tmp_path / "out.json").read_text())["keys"] == ["game_1_H1"]
