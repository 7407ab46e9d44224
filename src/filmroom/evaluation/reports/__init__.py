"""Files in, a report out: what `filmroom eval` prints, one file a task."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from filmroom.errors import InputError
from filmroom.evaluation.report import Options, Report

__all__ = ["TASKS", "Options", "Report", "evaluate"]

TASKS = {
    "tracking": "tracking",
    "gamestate": "gamestate",
    "spotting": "spotting",
    "captions": "captions",
    "calibration": "calibration",
    "reid": "identity",
    "jersey": "identity",
    "detection": "detection",
    "segmentation": "segmentation",
    "footpass": "footpass",
}
"""The module of each task; it holds `TASK_report`."""


def evaluate(task: str, truth: Path, results: Path, options: Options | None = None) -> Report:
    """The report of a task by its name (see TASKS).

    Raises InputError for an unknown task, and whatever the readers of the task raise for bad files.
    """
    if task not in TASKS:
        raise InputError(f"task {task!r} is unknown; choose one of {', '.join(TASKS)}")
    module = import_module(f"{__name__}.{TASKS[task]}")
    report: Report = getattr(module, f"{task}_report")(Path(truth), Path(results), options or Options())
    return report
