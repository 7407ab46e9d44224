"""Where cameras stand in each sport and how they are worked: ranges to draw from.

Soccer after TVCalib, BroadTrack, soccersegcal and SCCvSD; the other sports from broadcast practice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from filmroom.errors import InputError


@dataclass(frozen=True)
class Rig:
    """One camera: metres behind the line of its side, metres high, spread along the line.

        `figure` is the share of the picture's height a person takes, `view` the limits of the
        horizontal field of
        view in degrees, `quickness` the operator's rad/s (0 for a fixed camera), `reach` how far
        towards the
    lines (along, across) the middle of the picture goes, `headroom` the share of the picture's
    height by which the play is held below its middle, `shake` how much less steady than a tripod.
    """

    side: Literal["side", "end"]
    distance: tuple[float, float]
    height: tuple[float, float]
    aside: float
    figure: tuple[float, float]
    view: tuple[float, float]
    quickness: float
    reach: tuple[float, float]
    headroom: float = 0.08
    shake: float = 1.0


CUTS = "cuts"
"""The name under which a director cuts between the main camera and others."""

_HANDHELD = Rig("side", (3, 9), (1.7, 4.5), 14.0, (0.09, 0.2), (30, 70), 3.2, (0.7, 0.3), 0.0, 9.0)
_HALL_HANDHELD = Rig("side", (3, 9), (2.5, 6), 5.0, (0.16, 0.3), (40, 75), 3.0, (0.6, 0.2), 0.05, 7.0)
_DRONE = Rig("side", (5, 25), (26, 48), 20.0, (0.03, 0.06), (35, 75), 1.0, (0.6, 0.4), 0.0, 2.0)

CLOSE = Rig("side", (12, 30), (2, 9), 8.0, (0.45, 1.9), (1.5, 25), 3.5, (1.0, 1.0), 0.0)
"""A close-up of one person, in any sport: from all of the body to head and shoulders."""

RIGS: dict[str, dict[str, Rig]] = {
    "soccer": {
        "broadcast": Rig("side", (24, 48), (12, 22), 3.0, (0.062, 0.125), (12, 50), 4.0, (0.96, 0.82)),
        "tactical": Rig("side", (30, 55), (18, 30), 3.0, (0.03, 0.045), (30, 70), 1.2, (0.5, 0.25)),
        "fixed": Rig("side", (25, 50), (15, 28), 3.0, (0.02, 0.03), (50, 110), 0.0, (0.0, 0.0)),
        "behind": Rig("end", (12, 30), (10, 20), 3.0, (0.05, 0.1), (20, 60), 1.8, (0.75, 0.6)),
        "handheld": _HANDHELD,
        "drone": _DRONE,
    },
    "futsal": {
        "broadcast": Rig("side", (10, 20), (6, 11), 1.5, (0.12, 0.2), (25, 65), 2.4, (0.7, 0.35)),
        "fixed": Rig("side", (12, 20), (7, 12), 1.0, (0.06, 0.1), (50, 110), 0.0, (0.0, 0.0)),
        "handheld": _HALL_HANDHELD,
    },
    "handball": {
        "broadcast": Rig("side", (10, 20), (6, 11), 1.5, (0.13, 0.22), (25, 60), 2.4, (0.7, 0.3)),
        "fixed": Rig("side", (12, 20), (7, 12), 1.0, (0.06, 0.1), (50, 110), 0.0, (0.0, 0.0)),
        "handheld": _HALL_HANDHELD,
    },
    "basketball": {
        "broadcast": Rig(
            "side", (14, 22), (6, 11), 1.5, (0.17, 0.25), (26, 55), 2.6, (0.62, 0.2), 0.14
        ),
        "fixed": Rig("side", (14, 20), (8, 12), 1.0, (0.1, 0.14), (45, 100), 0.0, (0.0, 0.0)),
        "handheld": _HALL_HANDHELD,
    },
    "hockey": {
        "broadcast": Rig("side", (14, 22), (10, 15), 2.0, (0.11, 0.17), (24, 60), 2.8, (0.7, 0.4)),
        "fixed": Rig("side", (16, 24), (11, 16), 1.5, (0.05, 0.08), (50, 110), 0.0, (0.0, 0.0)),
        "handheld": _HALL_HANDHELD,
    },
    "football": {
        "broadcast": Rig("side", (30, 55), (16, 28), 6.0, (0.07, 0.12), (12, 45), 2.2, (0.85, 0.4)),
        "tactical": Rig("side", (40, 60), (22, 34), 4.0, (0.04, 0.055), (25, 60), 1.4, (0.8, 0.3)),
        "behind": Rig("end", (25, 40), (10, 15), 2.0, (0.07, 0.13), (12, 45), 2.0, (0.8, 0.5)),
        "handheld": _HANDHELD,
        "drone": _DRONE,
    },
    "volleyball": {
        "broadcast": Rig("side", (10, 16), (5, 9), 1.0, (0.17, 0.26), (38, 62), 0.8, (0.2, 0.2)),
        "fixed": Rig("side", (10, 16), (6, 10), 1.0, (0.15, 0.22), (45, 90), 0.0, (0.0, 0.0)),
        "handheld": _HALL_HANDHELD,
    },
}


def held_out_rig(rig: Rig) -> Rig:
    """The camera as held-out matches have it: farther away for its height, quicker and less steady."""
    low, high = rig.height
    return replace(
        rig,
        distance=(1.1 * rig.distance[1], 1.4 * rig.distance[1]),
        height=(0.85 * low, 1.1 * low) if rig.side == "side" else (1.1 * high, 1.4 * high),
        quickness=1.4 * rig.quickness,
        shake=2.0 * rig.shake,
    )


def rig_named(sport: str, name: str) -> Rig:
    """The rig, or InputError that lists those of the sport."""
    try:
        return RIGS[sport][name]
    except KeyError:
        choices = ", ".join((*RIGS[sport], CUTS))
        raise InputError(f"no camera '{name}' for {sport}; choose one of {choices}") from None
