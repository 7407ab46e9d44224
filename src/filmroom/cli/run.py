"""`filmroom run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def run_command(
    video: Annotated[Path, typer.Argument(help="The video of a match.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the results.", show_default=False)
    ],
    sport: Annotated[
        Optional[str],
        typer.Option(
            help="soccer, futsal, basketball, hockey, football, volleyball or handball.",
            show_default=False,
        ),
    ] = None,
    roster: Annotated[
        Optional[Path], typer.Option(help="JSON or CSV with team, number, name.", show_default=False)
    ] = None,
    sample: Annotated[
        Optional[float],
        typer.Option(
            help="Look at one frame every so many seconds instead of every frame.", show_default=False
        ),
    ] = None,
    parts: Annotated[
        Optional[Path],
        typer.Option(help="Folder of networks that replace the shipped ones.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Finish an interrupted run.")] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Write tables only.")] = False,
    threads: Annotated[
        int, typer.Option(min=1, help="Workers; the result does not depend on them.")
    ] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no messages.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Read a match video: everybody followed, drawn, teamed and numbered."""
    from filmroom.cli.terminal import logging_into, progress_bars, summarise
    from filmroom.errors import DamagedInputError
    from filmroom.pipeline.game import analyze

    with logging_into(output, quiet):
        game = analyze(
            video,
            output,
            sport=sport,
            roster=roster,
            sample=sample,
            parts=parts,
            resume=resume,
            annotated=not no_video,
            threads=threads,
            progress=progress_bars(quiet),
        )
    summarise(game, quiet=quiet, as_json=as_json)
    if game.record.damage is not None:
        raise DamagedInputError(f"{video}: {game.record.damage}; what could be read is in {output}")
