"""SoccerNet dense captions: `Labels-caption.json` and submissions `results_dense_captioning.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack

LABELS = frozenset(
    [
        "corner", "substitution", "y-card", "whistle", "soccer-ball", "injury", "penalty", "yr-card",
        "r-card", "soccer-ball-own", "penalty-missed", "", "comments",
    ]
)  # fmt: skip
"""The labels that count; others are left out."""


@dataclass(frozen=True)
class Caption:
    """A comment: half 1 or 2, seconds from its start, text."""

    half: int
    seconds: int
    text: str


@dataclass(frozen=True)
class GameCaptions:
    """Comments of one game as in the file; `ignored` had a label or half that does not count."""

    source: str
    captions: tuple[Caption, ...]
    ignored: int


class _Annotation(msgspec.Struct):
    gameTime: str  # noqa: N815
    label: str
    anonymized: str


class _Labels(msgspec.Struct):
    annotations: list[_Annotation]


class _Prediction(msgspec.Struct):
    gameTime: str  # noqa: N815
    label: str
    comment: str


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]


def read_caption_truth(path: Path | str) -> dict[str, GameCaptions]:
    """All `Labels-caption.json` under a path by game; InputError naming file, entry and reason."""
    games: dict[str, GameCaptions] = {}
    with Archive(path) as archive:
        for game, name in _by_game(archive, "Labels-caption").items():
            rows = archive.read_json(name, _Labels).annotations
            source = archive.source(name)
            games[game] = _game([(row.gameTime, row.label, row.anonymized) for row in rows], source)
    return games


def read_caption_results(path: Path | str) -> dict[str, GameCaptions]:
    """All submission files under a path by game; InputError naming file, entry and reason."""
    games: dict[str, GameCaptions] = {}
    with Archive(path) as archive:
        for game, name in _by_game(archive, "results").items():
            rows = archive.read_json(name, _Predictions).predictions
            source = archive.source(name)
            games[game] = _game([(row.gameTime, row.label, row.comment) for row in rows], source)
    return games


def write_caption_results(path: Path | str, games: Mapping[str, Sequence[Caption]]) -> None:
    """A submission zip: `GAME/results_dense_captioning.json` for every game."""
    files: dict[str, bytes | str] = {}
    for game in sorted(games):
        rows = [
            {
                "gameTime": f"{each.half} - {each.seconds // 60:02d}:{each.seconds % 60:02d}",
                "label": "comments",
                "position": str(1000 * each.seconds),
                "half": str(each.half),
                "confidence": "1.0",
                "comment": each.text,
            }
            for each in games[game]
        ]
        content = msgspec.json.encode({"UrlLocal": game, "predictions": rows})
        files[f"{game}/results_dense_captioning.json"] = content
    Path(path).write_bytes(pack(files))


def _by_game(archive: Archive, prefix: str) -> dict[str, str]:
    names = [name for name in archive.names if archive.is_single or name.endswith(".json")]
    chosen = [name for name in names if PurePosixPath(name).name.startswith(prefix)] or names
    games: dict[str, str] = {}
    for name in chosen:
        game = str(PurePosixPath(name).parent)
        if game in games:
            raise InputError(f"{archive.path}: two files for one game: {games[game]} and {name}")
        games[game] = name
    if not games:
        raise InputError(f"{archive.path}: no caption files (JSON) found")
    return games


def _game(rows: list[tuple[str, str, str]], source: str) -> GameCaptions:
    captions = []
    for index, (time, label, text) in enumerate(rows):
        place = f"{source}: entry {index}"
        half, minutes, seconds = _clock(time, place)
        if label in LABELS and half in (1, 2):
            captions.append(Caption(half, 60 * minutes + seconds, text))
    return GameCaptions(source, tuple(captions), len(rows) - len(captions))


def _clock(time: str, place: str) -> tuple[int, int, int]:
    try:
        minutes, seconds = (int(each) for each in time.rsplit(" ", maxsplit=1)[-1].split(":"))
        return int(time[0]), minutes, seconds
    except (ValueError, IndexError):
        raise InputError(f"{place}: gameTime {time!r} is not like '1 - 12:34'") from None
