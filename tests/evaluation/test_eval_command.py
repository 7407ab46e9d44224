"""`filmroom eval` from files to what it prints."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from filmroom.cli.eval import eval_command
from filmroom.errors import InputError

app = typer.Typer()
app.command("eval")(eval_command)


@pytest.fixture
def game(tmp_path: Path) -> Path:
    """Two sequences of two people; in A the tracks exchange them at frame 11, in B all is right."""
    for name in ("A", "B"):
        (tmp_path / "truth" / name / "gt").mkdir(parents=True)
        (tmp_path / "truth" / name / "seqinfo.ini").write_text("[Sequence]\nseqLength=20\n")
        truth, tracks, better = [], [], []
        for frame in range(1, 21):
            for person in (1, 2):
                box = f"{200 * person + frame},50,40,90"
                swapped = 3 - person if name == "A" and frame > 10 else person
                truth.append(f"{frame},{person},{box},1,-1,-1,-1")
                tracks.append(f"{frame},{swapped},{box},0.9,-1,-1,-1")
                better.append(f"{frame},{person},{box},0.9,-1,-1,-1")
        (tmp_path / "truth" / name / "gt" / "gt.txt").write_text("\n".join(truth))
        for run, lines in (("run", tracks), ("better", better)):
            (tmp_path / run).mkdir(exist_ok=True)
            (tmp_path / run / f"{name}.txt").write_text("\n".join(lines))
    return tmp_path


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_has_combined_and_sequences_with_official_names(game: Path):
    out = call("tracking", "--truth", game / "truth", "--tracks", game / "run", "--json")
    scores = json.loads(out)
    assert scores["sequences"]["B"]["HOTA"] == 1.0
    assert scores["combined"]["IDSW"] == 2
    assert scores["combined"]["MOTA"] == pytest.approx(1 - 2 / 80)
    assert scores["combined"]["IDF1"] == pytest.approx(0.75)
    assert scores["convention"] == "soccernet"
    assert set(scores["intervals"]) == {"HOTA", "DetA", "AssA", "MOTA", "IDF1"}


def test_explain_names_who_was_swapped_and_when(game: Path):
    arguments = ("tracking", "--truth", game / "truth", "--tracks", game / "run", "--explain")
    moment = json.loads(call(*arguments, "--json"))["moments"][0]
    assert (moment["kind"], moment["sequence"], moment["first_frame"]) == ("swap", "A", 11)
    assert (moment["truth_ids"], moment["track_ids"]) == ([1, 2], [1, 2])
    assert "frame 11: people 1 and 2 exchange tracks 1 and 2" in call(*arguments)


def test_table_csv_and_charts(game: Path):
    out = call(
        "tracking", "--truth", game / "truth", "--tracks", game / "run",
        "--csv", game / "scores.csv", "--plots", game / "charts",
    )  # fmt: skip
    assert "COMBINED" in out
    with (game / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["sequences"] for row in rows] == ["A", "B", "COMBINED"]
    assert float(rows[1]["HOTA"]) == 1.0
    chart = ElementTree.parse(game / "charts" / "hota.svg")
    assert len(chart.findall(".//{*}polyline")) == 4


def test_runs_side_by_side(game: Path):
    arguments = ("--tracks", game / "run", "--tracks", game / "better")
    runs = json.loads(call("tracking", "--truth", game / "truth", *arguments, "--json"))["runs"]
    assert runs["better"]["combined"]["HOTA"] == 1.0 > runs["run"]["combined"]["HOTA"]
    out = call("tracking", "--truth", game / "truth", *arguments)
    assert "better" in out
    assert "run" in out


def test_calls_that_cannot_be_answered(game: Path):
    for arguments, reason in (
        (["tracking", "--truth", game], "nothing to score"),
        (["juggling", "--truth", game, "--tracks", game], "unknown"),
        (["tracking", "--truth", game / "no", "--tracks", game], "no such file"),
    ):
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        assert isinstance(result.exception, InputError)
        assert reason in str(result.exception)
