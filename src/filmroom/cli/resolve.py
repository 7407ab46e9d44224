"""`filmroom resolve`: track, team and number again, without looking at pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def resolve_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)],
    roster: Annotated[
        Optional[Path], typer.Option(help="JSON or CSV with team, number, name.", show_default=False)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Redo tracks, teams and numbers of a run from its tables, with another roster if wanted."""
    from filmroom.cli.terminal import logging_into, summarise
    from filmroom.pipeline.game import resolve

    with logging_into(folder, quiet):
        game = resolve(folder, roster=roster)
    summarise(game, quiet=quiet, as_json=as_json)
