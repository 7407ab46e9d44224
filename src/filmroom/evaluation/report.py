"""What a task's evaluation says: numbers only, for a table, JSON, CSV or pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from filmroom.errors import InputError
from filmroom.evaluation.plots import Chart

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """Scores of one set of results. `rows` are what `row_word` says: sequences, classes, images.

    `columns` are the scores for the table, the rest is for JSON and CSV; `shares` of them are
    fractions from 0 to 1. `notes` say what was left out or could not be had, `details` go into the
    JSON as they are.
    """

    task: str
    evaluator: str
    combined: Row
    rows: Mapping[str, Row]
    row_word: str
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    charts: Mapping[str, Chart] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: combined scores, rows, details."""
        return {
            "task": self.task,
            "evaluator": self.evaluator,
            "combined": self.combined,
            self.row_word: dict(self.rows),
            "notes": list(self.notes),
            **self.details,
        }


@dataclass(frozen=True)
class Options:
    """What a caller may ask beside the paths.

    `jobs` processes share the sequences or pictures of a task; `advance` is told how many of them are
    done and how many there are.
    """

    convention: str | None = None
    explain: bool = False
    seed: int = 0
    jobs: int = 1
    advance: Callable[[int, int], None] | None = None

    def checked(self, task: str, *conventions: str) -> str | None:
        """The convention asked for; InputError where it is not one of the task's."""
        if self.convention is not None and self.convention not in conventions:
            known = f"choose one of {', '.join(conventions)}" if conventions else "it has none"
            raise InputError(f"convention {self.convention!r} is unknown for {task}; {known}")
        return self.convention
