"""`filmroom eval TASK`: score results against truth as the official evaluators do."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filmroom.errors import InputError

if TYPE_CHECKING:
    from filmroom.evaluation.plots import Chart
    from filmroom.evaluation.reports import Report


def eval_command(
    task: Annotated[
        str,
        typer.Argument(
            help="tracking, gamestate, spotting, captions, calibration, reid, jersey, detection, "
            "segmentation, footpass"
        ),
    ],
    truth: Annotated[Path, typer.Option(help="Truth: file, folder or zip, at any depth.")],
    tracks: Annotated[
        list[Path] | None,
        typer.Option(help="Tracks to score; give it again to compare several trackers."),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="Predictions of the tasks that are not tracking; may be given again."),
    ] = None,
    convention: Annotated[
        str | None,
        typer.Option(
            help="Rules of a benchmark (tracking: motchallenge, mot20, sportsmot, dancetrack, "
            "soccernet); by default taken from the truth."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="List the moments that cost the most.")
    ] = False,
    plots: Annotated[Path | None, typer.Option(help="Write charts (SVG) into this folder.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all scores as CSV to this file.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes that share the sequences or pictures.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")] = False,
) -> None:
    """Score tracks or predictions against truth, exactly as the official evaluator of the task."""
    from filmroom.evaluation.reports import Options, evaluate

    results = [*(tracks or []), *(predictions or [])]
    if not results:
        word = "--tracks" if task == "tracking" else "--predictions"
        raise InputError(f"eval {task}: nothing to score; give {word} PATH")
    if explain and task != "tracking":
        raise InputError(f"eval {task}: --explain is for tracking only; leave it out")
    _check_places(plots, csv)
    reports: dict[str, Report] = {}
    for name, path in zip(_names(results), results, strict=True):
        with _bar(name, quiet) as advance:
            options = Options(convention, explain, jobs=jobs, advance=advance)
            reports[name] = evaluate(task, truth, path, options)
    if plots is not None:
        _write_charts(plots, reports)
    if csv is not None:
        csv.write_text(_csv(reports), encoding="utf-8")
    if not quiet:
        for name, report in reports.items():
            for note in report.notes:
                print(f"{name}: {note}" if len(reports) > 1 else note, file=sys.stderr)
    if as_json:
        content = {name: report.as_dict() for name, report in reports.items()}
        whole = next(iter(content.values())) if len(content) == 1 else {"runs": content}
        print(json.dumps(_without_nan(whole), allow_nan=False))
        return
    _print_tables(reports)


def _check_places(plots: Path | None, csv: Path | None) -> None:
    """Say where results cannot go before the work is done."""
    if plots is not None and plots.exists() and not plots.is_dir():
        raise InputError(f"{plots}: is a file; --plots wants a folder")
    if csv is not None and csv.is_dir():
        raise InputError(f"{csv}: is a folder; --csv wants a file")
    if csv is not None and not csv.parent.is_dir():
        raise InputError(f"{csv.parent}: no such folder for --csv")


@contextmanager
def _bar(name: str, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr where somebody watches, told how much is done of how much."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _without_nan(value: Any) -> Any:
    """What JSON can hold: NaN and infinity become null."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _names(paths: list[Path]) -> list[str]:
    """Short names that tell the paths apart."""
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join([*path.parts[-depth:-1], path.stem]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{index + 1}" for index in range(len(paths))]


def _write_charts(folder: Path, reports: dict[str, Report]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for run, report in reports.items():
        for name, chart in report.charts.items():
            stem = f"{run.replace('/', '-')}-{name}" if len(reports) > 1 else name
            (folder / f"{stem}.svg").write_text(chart.svg(), encoding="utf-8")
    if len(reports) > 1:
        for name, chart in _comparisons(reports).items():
            (folder / f"{name}.svg").write_text(chart.svg(), encoding="utf-8")


def _comparisons(reports: dict[str, Report]) -> dict[str, Chart]:
    """Of every chart over a shared axis the first line of each run, in one chart."""
    first = next(iter(reports.values()))
    return {
        name: replace(
            chart,
            lines={
                run: next(iter(report.charts[name].lines.values())) for run, report in reports.items()
            },
        )
        for name, chart in first.charts.items()
        if chart.x is not None and not chart.bars
    }


def _csv(reports: dict[str, Report]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(dict.fromkeys(name for report in reports.values() for name in report.combined))
    first = next(iter(reports.values()))
    writer.writerow(["run", first.row_word, *columns])
    for run, report in reports.items():
        for name, row in {**report.rows, "COMBINED": report.combined}.items():
            writer.writerow([run, name, *(row.get(column, "") for column in columns)])
    return text.getvalue()


def _print_tables(reports: dict[str, Report]) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    first = next(iter(reports.values()))
    if len(reports) == 1:
        rows = dict(first.rows) if len(first.rows) > 1 else {}
        console.print(_table(first, {**rows, "COMBINED": first.combined}, bold_rows={"COMBINED"}))
    else:
        combined = {name: report.combined for name, report in reports.items()}
        console.print(_table(first, combined, best=True))
    for name, report in reports.items():
        head = f"{name}: " if len(reports) > 1 else ""
        intervals = report.details.get("intervals", {})
        if intervals:
            words = [f"{each} {low:.4f} to {high:.4f}" for each, (low, high) in intervals.items()]
            line = f"{head}95 % intervals over {report.row_word}: {', '.join(words)}"
            console.print(line, markup=False, soft_wrap=True)
        for line in report.lines:
            console.print(f"{head}{line}", markup=False, soft_wrap=True)


_LOWER_IS_BETTER = ("IDSW", "Frag", "ML", "CLR_FP", "CLR_FN")
_NEITHER_IS_BETTER = ("Dets", "GT_Dets", "IDs", "GT_IDs")


def _table(
    report: Report,
    rows: dict[str, dict[str, Any]],
    bold_rows: set[str] | frozenset[str] = frozenset(),
    best: bool = False,
) -> Any:
    from rich.markup import escape
    from rich.table import Table

    columns = [name for name in report.columns if any(name in row for row in rows.values())]
    table = Table(title=f"{report.task}, equal to {report.evaluator}", title_justify="left")
    table.add_column("" if best else report.row_word)
    for name in columns:
        table.add_column(name, justify="right")
    finest = {name: _best(name, [row.get(name) for row in rows.values()]) for name in columns}
    for label, row in rows.items():
        cells = [
            f"[bold]{_cell(row.get(name))}[/bold]"
            if best and row.get(name) is not None and row.get(name) == finest[name]
            else _cell(row.get(name))
            for name in columns
        ]
        table.add_row(escape(label), *cells, style="bold" if label in bold_rows else None)
    return table


def _best(name: str, values: list[Any]) -> Any:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers or name in _NEITHER_IS_BETTER:
        return None
    return min(numbers) if name in _LOWER_IS_BETTER else max(numbers)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
