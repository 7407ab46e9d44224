"""`filmroom track`: association alone, on anyone's detections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def track_command(
    detections: Annotated[
        Path,
        typer.Option(
            "--detections",
            help="MOT det file, folder or zip of SEQ/det/det.txt, or a COCO result list.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="File for one sequence, folder for several.", show_default=False
        ),
    ],
    video: Annotated[
        Optional[Path],
        typer.Option(
            help="The video, to measure the camera's motion and find cuts.", show_default=False
        ),
    ] = None,
    preset: Annotated[
        Optional[str],
        typer.Option(
            help="One online tracker instead: filmroom, sort, bytetrack, oc-sort, bot-sort or c-biou.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No messages.")] = False,
) -> None:
    """Give every box of a detections file the id of its person."""
    from dataclasses import asdict

    from filmroom.track.files import track_files

    observe = None
    if video is not None:
        from filmroom.observe.camera_alone import camera_of_video

        observe = camera_of_video(video)
    done = track_files(detections, output, preset_name=preset, observe=observe)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode({"sequences": [asdict(each) for each in done]}).decode())
    elif not quiet:
        for each in done:
            typer.echo(
                f"{each.sequence}: {each.tracks} tracks, {each.boxes} boxes, {each.frames} frames",
                err=True,
            )
