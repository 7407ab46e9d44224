"""The roster a user gives: team, number, name. JSON or CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NamedTuple

from filmroom.errors import InputError

_COLUMNS = ("team", "number", "name")


class RosterEntry(NamedTuple):
    """One player of a roster."""

    team: str
    number: str
    name: str


def read_roster(path: Path) -> list[RosterEntry]:
    """Entries of a roster file.

    CSV with a header line `team,number,name`; or JSON: a list of objects with these keys, or an object
    {team: {number: name}}. InputError names file, line and reason.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such roster file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from error
    rows = _from_json(path, text) if text.lstrip()[:1] in ("[", "{") else _from_csv(path, text)
    seen: dict[tuple[str, str], str] = {}
    entries = []
    for where, row in rows:
        entry = _entry(path, where, row)
        key = (entry.team, entry.number)
        if key in seen:
            raise InputError(
                f"{path}: {where}: number {entry.number} of {entry.team} is already at {seen[key]}"
            )
        seen[key] = where
        entries.append(entry)
    if not entries:
        raise InputError(f"{path}: no players in it; expected rows of team, number, name")
    return entries


def _from_json(path: Path, text: str) -> list[tuple[str, dict[str, object]]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}: not JSON ({error.msg})") from error
    if isinstance(content, dict):
        flat: list[dict[str, object]] = []
        for team, players in content.items():
            if not isinstance(players, dict):
                raise InputError(f"{path}: team {team}: expected an object of number: name")
            flat += [{"team": team, "number": number, "name": name} for number, name in players.items()]
        content = flat
    rows = []
    for index, row in enumerate(content, 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}: entry {index}: expected an object with team, number, name")
        rows.append((f"entry {index}", row))
    return rows


def _from_csv(path: Path, text: str) -> list[tuple[str, dict[str, object]]]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    fields = [name.strip().lower() for name in reader.fieldnames or []]
    missing = [name for name in _COLUMNS if name not in fields]
    if missing:
        raise InputError(f"{path}: line 1: no column {', '.join(missing)}; expected team,number,name")
    reader.fieldnames = fields
    return [(f"line {reader.line_num}", dict(row)) for row in reader]


def _entry(path: Path, where: str, row: dict[str, object]) -> RosterEntry:
    team, number, name = (str(row.get(column) or "").strip() for column in _COLUMNS)
    if row.get("number") == 0:
        number = "0"
    if not team or not number:
        raise InputError(f"{path}: {where}: team and number must both be given")
    if not number.isdigit() or len(number) > 2:
        raise InputError(f"{path}: {where}: number {number!r} is not a number of one or two digits")
    return RosterEntry(team, number, name)
