"""All commands in one application. Heavy modules are imported inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from filmroom.cli.detect import detect_command
from filmroom.cli.eval import eval_command
from filmroom.cli.export import export_command
from filmroom.cli.models import models_command
from filmroom.cli.render import render_command
from filmroom.cli.resolve import resolve_command
from filmroom.cli.run import run_command
from filmroom.cli.simulate import simulate_command
from filmroom.cli.track import track_command
from filmroom.cli.train import train_command

app = typer.Typer(
    name="filmroom",
    help="Reads sports video: who was where and when, in which team, with which number.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"filmroom {version('filmroom')}")
        raise typer.Exit


@app.callback()
def _filmroom(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Reads sports video: who was where and when, in which team, with which number."""


app.command("run")(run_command)
app.command("detect")(detect_command)
app.command("render")(render_command)
app.command("resolve")(resolve_command)
app.command("track")(track_command)
app.command("eval")(eval_command)
app.command("simulate")(simulate_command)
app.command("export")(export_command)
app.command("train")(train_command)
app.command("models")(models_command)
