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


def test_several_processes_give_the_same_figures(game: Path):
    arguments = ("tracking", "--truth", game / "truth", "--tracks", game / "run", "--json")
    assert call(*arguments, "--jobs", "2") == call(*arguments)


def test_comparison_shows_intervals_and_draws_all_runs_together(game: Path):
    arguments = ("tracking", "--truth", game / "truth", "--tracks", game / "run")
    out = call(*arguments, "--tracks", game / "better", "--plots", game / "charts")
    assert out.count("95 % intervals over sequences: HOTA") == 2
    assert sorted(file.name for file in (game / "charts").iterdir()) == [
        "better-hota.svg", "hota.svg", "run-hota.svg",
    ]  # fmt: skip
    both = ElementTree.parse(game / "charts" / "hota.svg")
    assert [each.text for each in both.findall(".//{*}text")][-2:] == ["run", "better"]


def test_places_results_cannot_go_to_are_told_before_the_work(game: Path):
    arguments = ["tracking", "--truth", game / "truth", "--tracks", game / "run"]
    for more, reason in (
        (["--plots", game / "run" / "A.txt"], "--plots wants a folder"),
        (["--csv", game / "run"], "--csv wants a file"),
        (["--csv", game / "no" / "scores.csv"], "no such folder for --csv"),
    ):
        result = CliRunner().invoke(app, [str(each) for each in [*arguments, *more]])
        assert isinstance(result.exception, InputError)
        assert reason in str(result.exception)


def test_only_tracking_can_be_explained(game: Path):
    result = CliRunner().invoke(
        app, ["jersey", "--truth", str(game), "--predictions", str(game), "--explain"]
    )
    assert "--explain is for tracking only" in str(result.exception)


def test_frames_beyond_the_sequence_are_named_by_line(game: Path):
    with (game / "run" / "A.txt").open("a") as file:
        file.write("\n21,9,1,1,5,5,1,-1,-1,-1\n")
    result = CliRunner().invoke(
        app, ["tracking", "--truth", str(game / "truth"), "--tracks", str(game / "run")]
    )
    assert "A.txt, line 41: frame 21 beyond the 20 frames" in str(result.exception)
