"""Downs of American football: what a side has left to try, what it calls, and how the ball is kicked.

Places along are metres from the middle of the field in the direction of the attack. Distances are
those of the NFL Official Playing Rules 2023 (Rules 6, 9 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filmroom.pitch.football import YARD
from filmroom.simulate.styles import Places

SCRIMMAGE, KICKOFF, PUNT = "scrimmage", "kickoff", "punt"
FIELD_GOAL, EXTRA_POINT = "field goal", "extra point"

_TO_GAIN = 10 * YARD
_BOLD, _SHORT = 0.35, 2 * YARD
"""A side that is so near to a new first down tries for it on the fourth that often."""
_KICK_RANGE = 36 * YARD
"""A field goal is tried from up to so far before the goal line."""
_SURE, _FALLING_OFF, _FAR = 0.98, 0.45, 58 * YARD
"""Place kicks: chance from near by, what is lost over the distance (squared) up to the farthest."""


@dataclass(frozen=True)
class Series:
    """`down` 1 to 4, and the place along that must be reached for a new first one."""

    down: int
    mark: float

    def after(self, along: float, goal: float) -> Series | None:
        """What follows a play that ended there; None when the ball goes to the other side."""
        if along >= self.mark:
            return first_down(along, goal)
        return None if self.down == 4 else Series(self.down + 1, self.mark)


def first_down(along: float, goal: float) -> Series:
    """A new series from there; the goal line at `goal` is as far as it goes."""
    return Series(1, min(along + _TO_GAIN, goal))


def called(series: Series, along: float, goal: float, rng: np.random.Generator) -> str:
    """SCRIMMAGE before the fourth down; then a field goal in range, a punt or, seldom, another try."""
    if series.down < 4:
        return SCRIMMAGE
    if series.mark - along < _SHORT and rng.random() < _BOLD:
        return SCRIMMAGE
    return FIELD_GOAL if goal - along < _KICK_RANGE else PUNT


def made(metres: float, rng: np.random.Generator) -> bool:
    """Does a place kick from that far before the posts go between them?"""
    return bool(rng.random() < _SURE - _FALLING_OFF * (metres / _FAR) ** 2)


@dataclass(frozen=True)
class Kick:
    """How both sides stand and how the ball flies.

    Places (along, across) of the kicking side and of the other are shares of the half field from the
    ball, with the kicking side's attack towards +1. `kicker` and `holder` are places in the kicking
    line-up; the holder has the ball where it is kicked from: the kicker himself in a punt, nobody on a
    tee. `approach` seconds from the snap or whistle to the kick, `run_up` those in which the kicker
    moves, `length` metres and `hang` seconds of the flight; place kicks go to the posts instead, at
    `pace` m/s.
    """

    label: str
    kickers: Places
    receivers: Places
    approach: tuple[float, float]
    kicker: int = 9
    holder: int | None = None
    snapped: bool = True
    run_up: float = 0.8
    length: tuple[float, float] = (0.0, 0.0)
    hang: tuple[float, float] = (0.0, 0.0)
    pace: tuple[float, float] = (21.0, 25.0)

    @property
    def from_hand(self) -> bool:
        """Does the kicker drop the ball onto his foot?"""
        return self.holder == self.kicker

    @property
    def at_posts(self) -> bool:
        """Is it a kick for points?"""
        return self.length[1] == 0.0


_ALONG, _ACROSS = 1 / 60, 1 / 26.67  # a yard as a share of the half field


def _yards(*places: tuple[float, float]) -> Places:
    return tuple((along * _ALONG, across * _ACROSS) for along, across in places)


_RUSH: Places = _yards(
    (1, -4), (1, -2.4), (1, -0.8), (1, 0.8), (1, 2.4), (1, 4), (1.5, -6), (1.5, 6), (4, -2), (4, 2),
    (9, 0),
)  # fmt: skip
_PLACE_KICK: Places = _yards(
    (-0.6, -2.2), (-0.6, -1.1), (-0.5, 0), (-0.6, 1.1), (-0.6, 2.2), (-0.6, -3.3), (-0.6, 3.3),
    (-1.4, -4.4), (-1.4, 4.4), (-9.5, -2), (-7, 0.5),
)  # fmt: skip

KICKS: dict[str, Kick] = {
    KICKOFF: Kick(
        "KICKOFF",
        kickers=_yards(
            (-1, -22), (-1, -17.5), (-1, -13), (-1, -8.5), (-1, -4), (-1, 4), (-1, 8.5), (-1, 13),
            (-1, 17.5), (-8, -2), (-1, 22),
        ),
        receivers=_yards(
            (11, -16), (11, -8), (11, 0), (11, 8), (11, 16), (22, -12), (22, 0), (22, 12), (35, -6),
            (62, 6), (60, -5),
        ),
        approach=(3.0, 4.0),
        snapped=False,
        run_up=1.7,
        length=(55 * YARD, 72 * YARD),
        hang=(3.6, 4.2),
    ),
    PUNT: Kick(
        "PUNT",
        kickers=_yards(
            (-0.6, -2.4), (-0.6, -1.2), (-0.5, 0), (-0.6, 1.2), (-0.6, 2.4), (-1.5, -4), (-0.6, -22),
            (-0.6, 22), (-1.5, 4), (-14, 0), (-5, 1),
        ),
        receivers=_yards(
            (1, -4), (1, -2.4), (1, -0.8), (1, 0.8), (1, 2.4), (1, 4), (2, -20.5), (2, 20.5), (5, 0),
            (44, 3), (12, -4),
        ),
        approach=(1.9, 2.4),
        holder=9,
        length=(34 * YARD, 52 * YARD),
        hang=(3.9, 4.8),
    ),
    FIELD_GOAL: Kick("FIELD GOAL ATTEMPT", _PLACE_KICK, _RUSH, (1.3, 1.5), holder=10),
    EXTRA_POINT: Kick("EXTRA POINT ATTEMPT", _PLACE_KICK, _RUSH, (1.3, 1.5), holder=10),
}  # fmt: skip

SPOTS = {KICKOFF: -15 * YARD, EXTRA_POINT: 35 * YARD}
"""Where the ball lies before a kickoff (the own 35) and an extra point (the other side's 15), along."""

TOUCHBACK = -25 * YARD
"""Where the ball is put, along, after a kick into the end zone."""

HELD_BACK = 7 * YARD
"""Place kicks are held so far behind the line."""
