"""`filmroom render`: draw the annotated video of a run again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def render_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)],
    video: Annotated[
        Path | None,
        typer.Option(help="The video, where it no longer lies beside the folder.", show_default=False),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Workers; the result does not depend on them.")
    ] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no messages.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Draw the annotated video of a run again; the video is read only to draw on."""
    from filmroom.cli.terminal import logging_into, progress_bars
    from filmroom.pipeline.game import render

    with logging_into(folder, quiet):
        written = render(folder, video, threads=threads, progress=progress_bars(quiet))
    if as_json:
        sys.stdout.write(json.dumps({"video": str(written)}) + "\n")
    elif not quiet:
        typer.echo(f"Annotated video: {written}")
