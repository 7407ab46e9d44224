"""`filmroom models`: what ships."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on standard output.")] = False,
) -> None:
    """List the shipped networks: what for, licence, accuracy, size."""
    from filmroom import models

    rows = [
        {"name": name, "megabytes": round(models.model_file(name).stat().st_size / 1e6, 2)}
        | models.card(name)
        for name in models.shipped()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table()
    for column in ("name", "MB", "task", "accuracy", "licence"):
        shown.add_column(column)
    for row in rows:
        shown.add_row(
            str(row["name"]),
            str(row["megabytes"]),
            str(row.get("task", "")),
            str(row.get("accuracy", "")),
            str(row.get("licence", "")),
        )
    Console().print(shown)
