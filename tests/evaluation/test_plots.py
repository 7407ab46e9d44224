"""Charts: axes with round numbers, one line a series."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.evaluation.plots import Chart, _ticks


@pytest.mark.parametrize(
    ("extent", "ticks"),
    [
        ((0.0, 1.0), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ((0.05, 0.95), [0.2, 0.4, 0.6, 0.8]),
        ((0.0, 1365.0), [0, 500, 1000]),
        ((0.0, 39.0), [0, 10, 20, 30]),
    ],
)
def test_ticks_are_round(extent: tuple[float, float], ticks: list[float]):
    assert _ticks(extent) == ticks


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_within_and_are_neither_few_nor_many(low: float, size: float):
    ticks = _ticks((low, low + size))
    assert 1 <= len(ticks) <= 7
    assert min(ticks) >= low - size * 1e-6 and max(ticks) <= low + size * (1 + 1e-6)


def test_names_from_outside_cannot_break_a_chart():
    chart = Chart("a < b", "x", "y", np.arange(3), {"<run> & more": np.arange(3)})
    words = [each.text for each in ElementTree.fromstring(chart.svg()).findall(".//{*}text")]
    assert "a < b" in words and "<run> & more" in words
