"""`filmroom simulate`: a match that never was, with everything known about it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Optional

import typer


def simulate_command(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for video and truth.", show_default=False)
    ],
    sport: Annotated[
        str,
        typer.Option(
            "--sport", help="soccer, futsal, basketball, hockey, football, volleyball or handball."
        ),
    ] = "soccer",
    minutes: Annotated[
        float, typer.Option("--minutes", help="Minutes of play, fractions allowed.")
    ] = 0.5,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same match.")] = 0,
    camera: Annotated[
        str,
        typer.Option(
            "--camera",
            help="broadcast, fixed, tactical, behind, handheld or drone, as the sport has; or cuts.",
        ),
    ] = "broadcast",
    difficulty: Annotated[
        str, typer.Option("--difficulty", help="easy, medium, hard or cruel.")
    ] = "medium",
    formats: Annotated[
        str, typer.Option("--formats", help="Other formats to write, by comma: yolo, soccernet-ball...")
    ] = "",
    surface: Annotated[
        Optional[str],
        typer.Option("--surface", help="seven (a side), fiba, ncaa, iihf...", show_default=False),
    ] = None,
    size: Annotated[str, typer.Option("--size", help="Width x height of the picture.")] = "1280x720",
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Looks, cameras and gaits that nothing is trained on."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no messages.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Make a video of a simulated match with every truth attached."""
    import json
    import sys

    from filmroom.cli.terminal import progress_bars
    from filmroom.simulate.settings import Settings, parse_size
    from filmroom.simulate.write import write_match

    width, height = parse_size(size)
    settings = Settings(
        sport=sport, seconds=minutes * 60, seed=seed, camera=camera, difficulty=difficulty, width=width,
        height=height, surface=surface, held_out=held_out,
    ).checked()  # fmt: skip
    wanted = tuple(name.strip() for name in formats.split(",") if name.strip())
    bars = progress_bars(quiet or as_json)
    with bars.start("simulate", settings.frames) if bars is not None else nullcontext() as advance:
        video = write_match(settings, output, advance, wanted)
    if as_json:
        facts = {"video": str(video), "truth": str(output / "truth"), "frames": settings.frames}
        sys.stdout.write(json.dumps(facts) + "\n")
    elif not quiet:
        print(f"Video: {video}\nTruth: {output / 'truth'}", file=sys.stderr)
