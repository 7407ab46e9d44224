"""What commands show: progress bars and messages on stderr, tables and JSON on stdout."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from filmroom.pipeline.run_folder import LOG_FILE

if TYPE_CHECKING:
    from filmroom.pipeline.game import Game, Progress


class Bars:
    """A bar with rate and time left for each pass."""

    @contextmanager
    def start(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a bar while the context lasts."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total} frames"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(name, total=total, rate="")

            def advance(count: int) -> None:
                bars.advance(task, count)
                speed = bars.tasks[task].speed
                bars.update(task, rate=f"{speed:.1f}/s" if speed else "")

            yield advance


def progress_bars(quiet: bool) -> Progress | None:
    """Bars where somebody watches: stderr is a terminal and quiet is not wanted."""
    return None if quiet or not sys.stderr.isatty() else Bars()


StageTell = Callable[[str, int, int, dict[str, float]], None]


@contextmanager
def stage_bars() -> Iterator[StageTell | None]:
    """One bar for each stage of a training, with its losses; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:>14}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}  {task.fields[losses]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def tell(stage: str, step: int, steps: int, values: dict[str, float]) -> None:
            said = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=steps, losses=said)
            bars.update(tasks[stage], completed=step, total=steps, losses=said)

        yield tell


@contextmanager
def logging_into(folder: Path, quiet: bool) -> Iterator[None]:
    """Warnings to stderr unless quiet; everything to `run.log` in the folder, once that exists."""
    root = logging.getLogger("filmroom")
    root.setLevel(logging.INFO)
    handlers: list[logging.Handler] = []
    if not quiet:
        shown = logging.StreamHandler()
        shown.setLevel(logging.WARNING)
        shown.setFormatter(logging.Formatter("filmroom: %(message)s"))
        handlers.append(shown)
    handlers.append(_LogFile(folder / LOG_FILE))
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    except Exception as error:
        root.info("ended: %s", error)
        raise
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


class _LogFile(logging.Handler):
    """Appends to a file whose folder may not exist yet; a failing log is no reason to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Append one line."""
        if not self.path.parent.is_dir():
            return
        try:
            with self.path.open("a", encoding="utf-8") as handle:
                handle.write(self.format(record) + "\n")
        except OSError:
            return


def summarise(game: Game, *, quiet: bool, as_json: bool) -> None:
    """The outcome of a run: a table for people or one JSON object."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(_summary(game)).decode() + "\n")
        return
    if quiet:
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    shown = Table(title=f"{game.record.video_name}: {game.record.frames} frames", title_justify="left")
    for name in ("track", "role", "team", "number", "name", "seconds"):
        shown.add_column(name, justify="right" if name in ("track", "number", "seconds") else "left")
    names = {team.team: team.name or team.team for team in game.record.teams}
    fps = game.record.video.fps
    for row in game.players.arrow.to_pylist():
        sure = f" ({row['number_score']:.0%})" if row["number"] else ""
        shown.add_row(
            str(row["track"]),
            row["role"],
            names.get(row["team"], row["team"] or "?"),
            f"#{row['number']}{sure}" if row["number"] else "",
            row["name"] or "",
            f"{row['first_frame'] / fps:.1f}-{row['last_frame'] / fps:.1f}",
        )
    console.print(shown)
    if game.folder is not None:
        console.print(f"Results: {game.folder}", soft_wrap=True)


def _summary(game: Game) -> dict[str, object]:
    return {
        "folder": str(game.folder) if game.folder is not None else None,
        "video": game.record.video_name,
        "frames": game.record.frames,
        "damage": game.record.damage,
        "shots": len(game.record.shots),
        "teams": game.record.teams,
        "players": game.record.players,
    }
