"""What a task's evaluation says: numbers only, for a table, JSON, CSV or pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """What a caller may ask beside the paths."""

    convention: str | None = None
    explain: bool = False
    plots: bool = False
    seed: int = 0
