"""A thread that runs ahead changes neither items nor errors."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from filmroom.video.ahead import ahead


def _counting(count: int, closed: list[bool] | None = None) -> Generator[int, None, None]:
    try:
        yield from range(count)
    finally:
        if closed is not None:
            closed.append(True)


def test_same_items_in_the_same_order() -> None:
    assert list(ahead(_counting(100), 3)) == list(range(100))


def test_errors_come_where_they_happened() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        raise KeyError("lost")

    walk = ahead(failing(), 2)
    assert next(walk) == 1
    with pytest.raises(KeyError, match="lost"):
        next(walk)


def test_giving_up_ends_the_thread_and_closes_the_source() -> None:
    closed: list[bool] = []
    before = threading.active_count()
    walk = ahead(_counting(10_000, closed), 2)
    assert next(walk) == 0
    walk.close()
    assert closed == [True]
    assert threading.active_count() == before
