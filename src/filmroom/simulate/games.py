"""The courses of play by name: possession games, snaps and rallies, each in its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from filmroom.simulate.play import Play, PlayField
from filmroom.simulate.possession import Possession
from filmroom.simulate.rally import Rally
from filmroom.simulate.snap import Snap


class Game(Protocol):
    """A course of play over a field of bodies."""

    def run(self, frames: int) -> Play:
        """Play that many frames."""
        ...


GAMES: dict[str, Callable[[PlayField], Game]] = {
    "possession": Possession,
    "snap": Snap,
    "rally": Rally,
}
