"""`filmroom export`: runs in somebody else's format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export_command(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...",
            help="The folder of a run; of several for a submission of several sequences.",
            show_default=False,
        ),
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help="mot, coco, yolo, csv, soccernet-tracking, sportsmot, dancetrack, soccernet-jersey, "
            "soccernet-spotting, soccernet-ball, soccernet-team-ball or footpass.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.", show_default=False)],
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="What the sequence or game is called (SNMOT-116, LEAGUE/SEASON/GAME/1_720p), once for "
            "each run; by default the name of the video.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")] = False,
) -> None:
    """Write runs in another format: tables, training sets, submissions to benchmarks."""
    from filmroom.pipeline.exporting import export

    notes = export(folders, format_name, output, names or [])
    if quiet:
        return
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{output}", err=True)
