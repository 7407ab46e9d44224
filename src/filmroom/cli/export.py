"""`filmroom export`: a run in somebody else's format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)],
    format_name: Annotated[
        str, typer.Option("--format", help="mot, coco, csv or soccernet-tracking.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.", show_default=False)],
) -> None:
    """Write the tracks of a run in another format."""
    from filmroom.pipeline.exporting import export

    export(folder, format_name, output)
    typer.echo(f"{output}", err=True)
