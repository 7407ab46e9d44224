"""One number from all reads of a track."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.identify.votes import vote

reads = st.lists(
    st.tuples(
        st.sampled_from(["", "1", "4", "7", "10", "14", "17", "41"]), st.floats(0, 1), st.floats(0, 1)
    ),
    max_size=12,
)


def ask(*rows: tuple[str, float, float], **options: object) -> tuple[str, float]:
    texts = [row[0] for row in rows]
    return vote(texts, np.array([r[1] for r in rows]), np.array([r[2] for r in rows]), **options)  # type: ignore[arg-type]


@given(reads, st.randoms())
def test_the_order_of_the_reads_does_not_matter(
    rows: list[tuple[str, float, float]], random: object
) -> None:
    text, score = ask(*rows)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again, again_score = ask(*shuffled)
    assert again == text
    assert again_score == pytest.approx(score, abs=1e-6)


@given(reads)
def test_the_winner_was_read_and_its_score_is_a_probability(
    rows: list[tuple[str, float, float]],
) -> None:
    text, score = ask(*rows)
    assert 0.0 <= score <= 1.0
    assert text == "" or text in {row[0] for row in rows}
    if not text:
        assert score == 0.0


def test_two_digits_are_seldom_both_misread() -> None:
    # 17 was read least surely, but it alone is half of what the others hold.
    assert ask(("77", 0.9, 1.0), ("14", 0.9, 1.0), ("17", 0.8, 1.0))[0] == "17"
    assert ask(("77", 0.9, 1.0), ("44", 0.9, 1.0), ("12", 0.8, 1.0))[0] == ""


def test_nothing_read_or_nothing_legible_is_no_number() -> None:
    assert ask() == ("", 0.0)
    assert ask(("", 0.0, 0.9), ("", 0.0, 0.2)) == ("", 0.0)
    assert ask(("7", 0.99, 0.0), ("7", 0.99, 0.0)) == ("", 0.0)


def test_one_doubtful_read_is_too_little_and_several_are_enough() -> None:
    assert ask(("23", 0.6, 0.6))[0] == ""
    text, score = ask(*[("23", 0.9, 0.9)] * 5)
    assert text == "23"
    assert score > 0.95


def test_sure_reads_outvote_more_doubtful_ones() -> None:
    assert ask(("10", 0.99, 0.99), ("10", 0.98, 0.99), *[("18", 0.3, 0.2)] * 4)[0] == "10"


def test_reads_that_contradict_each_other_evenly_are_no_number() -> None:
    assert ask(*[("12", 0.9, 0.9), ("72", 0.9, 0.9)] * 3)[0] == ""


def test_a_hidden_digit_does_not_beat_the_whole_number() -> None:
    rows = [("4", 0.8, 0.6)] * 3 + [("14", 0.9, 0.9)] * 3
    assert ask(*rows)[0] == "14"


def test_neighbouring_frames_are_one_witness_and_distant_ones_are_many() -> None:
    rows = [("9", 0.9, 0.9)] * 6 + [("19", 0.9, 0.9)] * 3
    burst = np.array([100, 101, 102, 103, 104, 105, 200, 300, 400])
    assert ask(*rows, frames=burst, margin=0.0, least=0.0)[0] == "19"
    spread = np.array([10, 20, 30, 40, 50, 60, 200, 201, 202])
    assert ask(*rows, frames=spread, margin=0.0, least=0.0)[0] == "9"
