"""The sport table: what each sport is played on and by whom. The only place that lists sports."""

from __future__ import annotations

from dataclasses import dataclass

from filmroom.errors import InputError
from filmroom.pitch.basketball import FIBA, NBA, NCAA_BASKETBALL
from filmroom.pitch.football import NCAA_FOOTBALL, NFL
from filmroom.pitch.futsal import FUTSAL
from filmroom.pitch.handball import HANDBALL
from filmroom.pitch.hockey import IIHF, NHL
from filmroom.pitch.soccer import SOCCER
from filmroom.pitch.soccer_seven import SOCCER_SEVEN
from filmroom.pitch.surface import Surface
from filmroom.pitch.volleyball import VOLLEYBALL


@dataclass(frozen=True)
class Sport:
    """One sport: `players` a side on the surface at a time, a goalkeeper among them where there is one.

    `kinds` are the kinds of detection that occur (`filmroom.tables.KINDS`); `numbers` the lowest and
    highest shirt number; `ball_diameter` metres; the first surface is the default one.
    """

    name: str
    surfaces: tuple[Surface, ...]
    players: int
    goalkeeper: bool
    referees: int
    ball_diameter: float
    kinds: tuple[str, ...]
    numbers: tuple[int, int]

    @property
    def surface(self) -> Surface:
        """The default surface."""
        return self.surfaces[0]


SPORTS: dict[str, Sport] = {
    sport.name: sport
    for sport in (
        Sport("soccer", (SOCCER, SOCCER_SEVEN), 11, True, 3, 0.22, ("person", "ball"), (1, 99)),
        Sport("futsal", (FUTSAL,), 5, True, 2, 0.20, ("person", "ball"), (1, 20)),
        Sport(
            "basketball",
            (NBA, FIBA, NCAA_BASKETBALL),
            5,
            False,
            3,
            0.24,
            ("person", "ball", "hoop"),
            (0, 99),
        ),
        Sport("hockey", (NHL, IIHF), 6, True, 4, 0.076, ("person", "ball"), (1, 98)),
        Sport("football", (NFL, NCAA_FOOTBALL), 11, False, 7, 0.28, ("person", "ball"), (1, 99)),
        Sport("volleyball", (VOLLEYBALL,), 6, False, 2, 0.21, ("person", "ball"), (1, 20)),
        Sport("handball", (HANDBALL,), 7, True, 2, 0.19, ("person", "ball"), (1, 99)),
    )
}


def sport_named(name: str) -> Sport:
    """The sport, or InputError that lists the sports there are."""
    try:
        return SPORTS[name]
    except KeyError:
        raise InputError(f"no sport '{name}'; choose one of {', '.join(SPORTS)}") from None


def surface_named(sport: Sport, name: str | None) -> Surface:
    """The surface of a sport by name (`nba`, `fiba`, ...), its default where the name is None."""
    if name is None:
        return sport.surface
    for surface in sport.surfaces:
        if surface.name == name:
            return surface
    choices = ", ".join(surface.name for surface in sport.surfaces)
    raise InputError(f"{sport.name} has no surface '{name}'; choose one of {choices}")
