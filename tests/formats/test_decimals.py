"""Tables of decimals against Python's own reading of each number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmroom.formats import decimals
from filmroom.formats.decimals import parse_decimals

fields = st.from_regex(r"-?([0-9]{1,7}(\.[0-9]{0,7})?|\.[0-9]{1,7})", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=12), st.booleans())
def test_every_number_is_the_one_python_reads(rows: list[tuple[str, str, str]], ends: bool):
    text = "\n".join(",".join(row) for row in rows) + "\n" * ends
    table = parse_decimals(text.encode(), ",", 2)
    assert table is not None
    assert table.T.tolist() == [[float(row[0]), float(row[1])] for row in rows]


def test_tables_longer_than_a_block(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decimals, "_BLOCK", 64)
    numbers = np.random.default_rng(3).uniform(-500, 2000, (300, 4)).round(2)
    text = "\r\n".join(",".join(map(repr, row)) for row in numbers.tolist())
    table = parse_decimals(text.encode(), ",", 4)
    assert table is not None
    assert (numbers == table.T).all()


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3\n4\n", "1,2\n\n3,4\n", "1, 2\n", "1,nan\n", "1,1e3\n", "1,+2\n", "1,--2\n", "1,-\n",
        "1,.\n", "1,\n", "1,1.2.3\n", "1,0x1\n", "1,1234567890123456\n", "1\n2,\n", "1,2,3\n4,5\n6\n",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_others(text: str):
    assert parse_decimals(text.encode(), ",", 2) is None
