"""`filmroom train`: the recipes of the shipped networks (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer


def train_command(
    part: Annotated[
        str,
        typer.Argument(
            help="detector, segmenter, numbers, embedding, ball; from videos: unlabelled, appearance.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Folder for checkpoints and the network.", show_default=False
        ),
    ],
    videos: Annotated[
        Optional[list[Path]],
        typer.Argument(help="Raw videos to learn from (unlabelled, appearance).", show_default=False),
    ] = None,
    data: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="COCO folder or zip, or simulated:SPORT (detector only); may be given again.",
            show_default=False,
        ),
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
    rate: Annotated[
        Optional[float],
        typer.Option(
            help="Highest learning rate (detector only); 6e-4 goes well with --start-from.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    recipe: Annotated[
        str, typer.Option(help="default, or paper: as published (unlabelled, appearance).")
    ] = "default",
) -> None:
    """Train a shipped network again, or with data of your own, or learn from raw video."""
    import logging

    from filmroom.errors import InputError

    try:
        from filmroom.train.parts import train_part
    except ImportError as error:
        raise InputError(
            "training needs torch; install it with: pip install 'filmroom[train]'"
        ) from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if part == "appearance":
        _train_appearance(list(videos or []), output, recipe, resume=resume, steps=steps, seed=seed)
        return
    if part == "unlabelled":
        _train_unlabelled(list(videos or []), output, recipe, resume=resume, steps=steps, seed=seed)
        return
    if videos:
        raise InputError(f"the {part} takes no videos; give its data with --data")
    network = train_part(
        part,
        list(data or []),
        output,
        resume=resume,
        steps=steps,
        start_from=start_from,
        rate=rate,
        seed=seed,
    )
    typer.echo(f"{network}")


def _train_appearance(
    videos: list[Path], output: Path, recipe: str, *, resume: bool, steps: int | None, seed: int
) -> None:
    from filmroom.cli.terminal import stage_bars
    from filmroom.errors import InputError
    from filmroom.train.video_appearance import train_on_videos

    if recipe not in ("default", "paper"):
        raise InputError(f"no recipe {recipe!r}; choose default or paper")
    kind: Literal["default", "paper"] = "paper" if recipe == "paper" else "default"
    with stage_bars() as tell:
        report = train_on_videos(
            videos, output, kind=kind, steps=steps, seed=seed, resume=resume, tell=tell
        )
    typer.echo(report.lines())


def _train_unlabelled(
    videos: list[Path], output: Path, recipe: str, *, resume: bool, steps: int | None, seed: int
) -> None:
    from dataclasses import replace

    from filmroom.cli.terminal import stage_bars
    from filmroom.errors import InputError
    from filmroom.train.unlabelled.learning import UnlabelledRecipe, train_unlabelled

    if recipe not in ("default", "paper"):
        raise InputError(f"no recipe {recipe!r}; choose default or paper")
    settings = replace(UnlabelledRecipe(paper=recipe == "paper"), seed=seed)
    if steps is not None:
        settings = settings.shortened(steps)
    with stage_bars() as tell:
        report = train_unlabelled(videos, output, settings, resume=resume, tell=tell)
    typer.echo(report.text())
    typer.echo(f"{output / 'detector.onnx'}")
