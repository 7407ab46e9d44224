"""Dense captions: words, overlaps, scorers with figures of pycocoevalcap, files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.errors import InputError, MachineError
from filmroom.evaluation.caption_tokens import split_words, tokenize
from filmroom.evaluation.captions import (
    HalfCaptions,
    Item,
    Meteor,
    bleu,
    cider,
    interval_overlaps,
    mean_scores,
    ordered_assignment,
    rouge_l,
    score_captions,
)
from filmroom.evaluation.reports import evaluate
from filmroom.formats.soccernet_captions import Caption, read_caption_results, write_caption_results


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[PLAYER] ([TEAM]) fires in off the right post! 3:0.",
            "-lsb- player -rsb- -lrb- -lsb- team -rsb- -rrb- fires in off the right post 3:0",
        ),
        (
            "The opposition's defence didn't clear, he can't.",
            "the opposition 's defence did n't clear he ca n't",
        ),
        ("We cannot say it's 4-4-2, they've 45.5%", "we can not say it 's 4-4-2 they 've 45.5 %"),
        (
            'Well-taken free-kick - saved... "Goal"; 90+2 mins',
            "well-taken free-kick saved goal 90 +2 mins",
        ),
        ("16Kovacic of caf\u00e9", "16kovacic of caf"),
        ("", ""),
    ],
)
def test_words_as_the_stanford_tokenizer_splits_them(text: str, words: str):
    assert tokenize(text) == words.split()


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_the_tokenizer_or_loses_letters(text: str):
    ascii_text = "".join(each if ord(each) < 128 else " " for each in text)
    joined = "".join(split_words(ascii_text))
    for each in set(ascii_text.lower()):
        if each.isalnum():
            assert each in joined


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ITEMS = [
    Item(words("the keeper saves the shot"), words("the keeper makes a fine save")),
    Item(words("corner kick for the home team"), words("corner kick for the away team")),
    Item(words("goal"), words("what a goal that is")),
    Item((), words("nothing was said")),
]
"""Scored with pycocoevalcap 1.2 (BleuScorer `closest`, Rouge, Cider)."""

OFFICIAL = json.loads((Path(__file__).parent / "caption_figures.json").read_text())


def test_scorers_equal_pycocoevalcap():
    assert bleu(ITEMS) == pytest.approx(OFFICIAL["bleu"], rel=1e-12)
    assert [rouge_l(item) for item in ITEMS] == pytest.approx(OFFICIAL["rouge"], rel=1e-12)
    assert cider(ITEMS) == pytest.approx(OFFICIAL["cider"], rel=1e-12)


def test_comments_overlap_below_thirty_seconds():
    overlap = interval_overlaps([100], [100, 115, 129, 130, 71])[0]
    assert overlap[:2] == pytest.approx([1.0, 15 / 45])
    assert (overlap[2] > 0, overlap[3] > 0, overlap[4] > 0) == (True, False, True)


def test_recall_and_precision_count_overlaps_and_unmatched_captions_score_nothing():
    half = HalfCaptions([(100, "a goal"), (400, "a corner")], [(110, "a goal"), (900, "a throw in")])
    row = score_captions([half])[0]
    assert (row["Recall"], row["Precision"]) == (0.5, 0.5)
    assert row["ROUGE_L"] == pytest.approx(0.5)
    assert row["METEOR"] is None
    assert row["SODA_METEOR_f1"] is None


def test_every_overlapping_pair_is_scored():
    half = HalfCaptions([(100, "a goal"), (110, "so near")], [(105, "a goal")])
    row = score_captions([half])[0]
    assert row["ROUGE_L"] == pytest.approx(0.5)
    assert row["SODA_ROUGE_L_precision"] == pytest.approx(25 / 35, rel=1e-9)
    assert row["SODA_CIDEr_f1"] == 0.0


def test_half_without_predictions_scores_nothing():
    row = score_captions([HalfCaptions([(100, "a goal")], [])])[0]
    assert {name: value for name, value in row.items() if value} == {}


def test_means_over_halves():
    assert mean_scores([{"a": 1.0, "b": None}, {"a": 0.0, "b": None}]) == {"a": 0.5, "b": None}
    assert mean_scores([]) == {}


def slow_ordered_assignment(scores: np.ndarray) -> float:
    if not scores.size:
        return 0.0
    return max(
        slow_ordered_assignment(scores[:-1]),
        slow_ordered_assignment(scores[:, :-1]),
        slow_ordered_assignment(scores[:-1, :-1]) + scores[-1, -1],
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 4), st.integers(0, 4))
def test_ordered_assignment_like_its_recursion(seed: int, rows: int, columns: int):
    scores = np.random.default_rng(seed).random((rows, columns))
    assert ordered_assignment(scores) == pytest.approx(slow_ordered_assignment(scores))


def put(root: Path, truth: list, found: list) -> None:
    for side, name, key, rows in (
        ("truth", "Labels-caption.json", "annotations", truth),
        ("found", "results_dense_captioning.json", "predictions", found),
    ):
        (root / side / "l" / "s" / "game").mkdir(parents=True)
        (root / side / "l" / "s" / "game" / name).write_text(json.dumps({key: rows}))


TRUE = {"gameTime": "1 - 12:30", "label": "corner", "anonymized": "A corner for [TEAM]."}
SAID = {"gameTime": "1 - 12:40", "label": "comments", "comment": "A corner for [TEAM]!"}


def test_report_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Meteor, "find", classmethod(lambda cls: None))
    put(tmp_path, [TRUE, TRUE | {"label": "unheard"}], [SAID])
    report = evaluate("captions", tmp_path / "truth", tmp_path / "found")
    assert report.combined["ROUGE_L"] == pytest.approx(1.0)
    assert report.combined["METEOR"] is None
    assert any("METEOR not scored: it needs Java" in note for note in report.notes)
    assert any("1 captions of the truth left out" in note for note in report.notes)
    assert any("half 2: left out, no true caption" in note for note in report.notes)


@pytest.mark.parametrize("time", ["12:30", "1 - 12", "x - 12:30", ""])
def test_bad_times_are_named(tmp_path: Path, time: str):
    put(tmp_path, [TRUE], [SAID | {"gameTime": time}])
    if time == "12:30":
        # The first character is taken as the half, as officially; 1 here.
        assert evaluate("captions", tmp_path / "truth", tmp_path / "found").combined["Recall"] == 1.0
        return
    with pytest.raises(InputError, match="entry 0: gameTime"):
        evaluate("captions", tmp_path / "truth", tmp_path / "found")


def test_written_submission_reads_back(tmp_path: Path):
    captions = (Caption(1, 75, "Caf\u00e9 au lait"), Caption(2, 0, "Kick-off"))
    write_caption_results(tmp_path / "out.zip", {"l/s/game": captions})
    assert read_caption_results(tmp_path / "out.zip")["l/s/game"].captions == captions


def test_meteor_speaks_the_protocol_of_the_java_program(tmp_path: Path):
    """A stand-in program that scores by the number of words shows what is sent and how it is read."""
    program = tmp_path / "java"
    program.write_text(
        "#!/bin/sh\n"
        "while read -r line; do case \"$line\" in\n"
        "  SCORE*) echo \"stats of $(echo \"$line\" | wc -w)\";;\n"
        "  EVAL*) echo \"$line\" | tr '|' '\\n' | grep -o 'of [0-9]*' | cut -c4-; echo 0.25;;\n"
        "esac; done\n"
    )  # fmt: skip
    program.chmod(0o755)
    meteor = Meteor(str(program), tmp_path / "meteor.jar")
    answers = meteor.evaluate([ITEMS[:2], [], ITEMS[:1]])
    assert [corpus for _, corpus in answers] == [0.25, 0.0, 0.25]
    assert [len(segments) for segments, _ in answers] == [2, 0, 1]
    assert answers[0][0][0] == answers[2][0][0] == 3 + 6 + 5
    program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    with pytest.raises(MachineError, match="METEOR's Java program failed: broken"):
        meteor.evaluate([ITEMS])


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FILMROOM_METEOR_JAR"), reason="FILMROOM_METEOR_JAR is not set")
def test_meteor_of_the_real_program():
    meteor = Meteor.find()
    assert meteor is not None
    same = Item(words("a goal for the home team"), words("a goal for the home team"))
    segments, corpus = meteor.evaluate([[same]])[0]
    assert segments[0] == pytest.approx(corpus)
    assert corpus > 0.9
