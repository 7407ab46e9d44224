"""One function over many items, in this process or in several, always answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from multiprocessing import get_context
from typing import TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def run_jobs(
    function: Callable[[_Item], _Answer],
    items: Iterable[_Item],
    jobs: int = 1,
    advance: Callable[[int, int], None] | None = None,
) -> list[_Answer]:
    """The answers of `function` to the items; with more than one job it must be importable by name.

    `advance` is told how many items are done and how many there are.
    """
    every = list(items)
    tell = advance or (lambda done, total: None)
    tell(0, len(every))
    answers: list[_Answer] = []
    if jobs <= 1 or len(every) <= 1:
        for item in every:
            answers.append(function(item))
            tell(len(answers), len(every))
        return answers
    # Spawned, not forked: threads of the video libraries may be running in this process.
    with get_context("spawn").Pool(min(jobs, len(every))) as pool:
        for answer in pool.imap(function, every):
            answers.append(answer)
            tell(len(answers), len(every))
    return answers
