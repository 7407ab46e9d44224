"""`filmroom train`: the recipes of the shipped networks (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def train_command(
    part: Annotated[str, typer.Argument(help="detector, segmenter or numbers.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Folder for checkpoints and the network.", show_default=False
        ),
    ],
    data: Annotated[
        Optional[list[Path]],
        typer.Option(help="COCO folder or zip; may be given again.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    steps: Annotated[
        Optional[int], typer.Option(min=1, help="Fewer steps than the recipe's.", show_default=False)
    ] = None,
    start_from: Annotated[
        Optional[str],
        typer.Option(
            help="Network or checkpoint whose weights are the start (detector only), or: shipped.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
) -> None:
    """Train a shipped network again, or with data of your own."""
    import logging

    from filmroom.errors import InputError

    try:
        from filmroom.train.parts import train_part
    except ImportError as error:
        raise InputError(
            "training needs torch; install it with: pip install 'filmroom[train]'"
        ) from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    network = train_part(
        part,
        list(data or []),
        output,
        resume=resume,
        steps=steps,
        start_from=start_from,
        seed=seed,
    )
    typer.echo(f"{network}")
