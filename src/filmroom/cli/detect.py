"""`filmroom detect`: the detector alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def detect_command(
    path: Annotated[
        Path, typer.Argument(help="Picture, folder or zip of pictures, or video.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="COCO result list to write (JSON).", show_default=False),
    ],
    parts: Annotated[
        Optional[Path],
        typer.Option(help="Folder of networks that replace the shipped ones.", show_default=False),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out what scores less.")
    ] = 0.05,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no messages.")] = False,
) -> None:
    """Find people, ball and hoop in pictures or a video."""
    from filmroom.cli.terminal import progress_bars
    from filmroom.pipeline.detecting import detect_path

    count = detect_path(path, output, parts=parts, threshold=threshold, progress=progress_bars(quiet))
    if not quiet:
        typer.echo(f"{count} detections in {output}", err=True)
