"""filmroom reads sports video: who was where and when, in which team, with which number.

import filmroom
game = filmroom.analyze("match.mp4", "out")
game.tracks.to_pandas()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from filmroom.doors import detect, read_numbers, segment
    from filmroom.pipeline.game import Game, analyze, load, render, resolve
    from filmroom.track.tracker import Tracker

__all__ = [
    "Game",
    "Tracker",
    "analyze",
    "detect",
    "load",
    "read_numbers",
    "render",
    "resolve",
    "segment",
]

_HOMES = {
    "Game": "filmroom.pipeline.game",
    "Tracker": "filmroom.track.tracker",
    "analyze": "filmroom.pipeline.game",
    "detect": "filmroom.doors",
    "load": "filmroom.pipeline.game",
    "read_numbers": "filmroom.doors",
    "render": "filmroom.pipeline.game",
    "resolve": "filmroom.pipeline.game",
    "segment": "filmroom.doors",
}


def __getattr__(name: str) -> Any:
    """Doors are opened when first used, so that importing the package stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'filmroom' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
