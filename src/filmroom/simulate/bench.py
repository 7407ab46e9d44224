"""Who comes on and who goes off: substitutions, line changes, people sent off.

The people of the bench are part of the cast, with tracks of their own; off the surface they belong to
nobody's play (`PlayField.teams` -1) and, once seated, are not there at all (`PlayField.present`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.play import PlayField

FloatArray = NDArray[np.float64]
_GATE = 3.5
"""Metres from the side line at which somebody going off lets the next one on."""
_SEAT = 0.8
"""Metres of bench a person takes."""
_FEWEST = 7
"""Nobody is sent off from a side of so few (IFAB Law 3)."""


@dataclass
class _Change:
    """`leaver` walks off; `comer`, or nobody (-1), takes his place in the team as soon as he is off."""

    leaver: int
    comer: int
    team: int


class Bench:
    """The reserves of both teams and the changes under way.

    It draws from a generator of its own: a match without changes is the same with a bench or without.
    """

    def __init__(self, field: PlayField, places: FloatArray, opponents: NDArray[np.int64]) -> None:
        self.field = field
        self.places, self.opponents = places, opponents
        self.rng = field.rng.spawn(1)[0]
        self.style = field.style
        self.changes: list[_Change] = []
        self.going: set[int] = set()
        edge = field.surface.half_width + 0.85 * field.surface.margin[1]
        self.door = np.array([0.12 * field.surface.half_length, field.surface.half_width + 0.6])
        self.seats = np.array([0.2 * field.surface.half_length, edge])
        self.used = [0, 0]
        self.fresh_at = [self._next_line(), self._next_line()]
        self.sit_down()

    def sit_down(self) -> None:
        """Put the reserves where they sit."""
        for person in np.flatnonzero(~self.field.present):
            self.field.positions[person] = self._seat(int(person))

    @property
    def busy(self) -> bool:
        """Is somebody still on his way off or on?"""
        return bool(self.changes)

    def at_stop(self, taker: int, busy_people: set[int]) -> None:
        """The ball is dead: now and then a team makes one or two changes."""
        for team in (0, 1):
            left = min(len(self._waiting(team)), self.style.most_changes - self.used[team])
            if left <= 0 or self.rng.random() >= self.style.changes:
                continue
            for _ in range(min(left, 1 + int(self.rng.random() < 0.35))):
                on = self._replaceable(team, {taker} | busy_people)
                if len(on):
                    self._swap(int(self.rng.choice(on)), self._waiting(team)[0], team)
                    self.used[team] += 1

    def on_the_fly(self, carrier: int) -> None:
        """Change half the team of the carrier when its time is up."""
        field = self.field
        team = int(field.teams[carrier])
        if field.frame >= self.fresh_at[team]:
            waiting = self._waiting(team)
            tired = self._replaceable(team, {carrier})
            # Part of the line at a time: somebody has to play on.
            part = self.rng.permutation(tired)[: (len(tired) + 1) // 2].tolist()
            for leaver, comer in zip(part, waiting, strict=False):
                self._swap(int(leaver), comer, team)
            self.fresh_at[team] = self._next_line()

    def relieve(self, leaver: int, team: int) -> int:
        """Somebody takes the leaver's place at once, as between downs, and runs to it from his seat.

        Returns who does, or the leaver himself where nobody waits.
        """
        waiting = self._waiting(team)
        if not waiting:
            return leaver
        field, comer = self.field, waiting[0]
        field.present[comer] = True
        field.teams[leaver] = -1
        field.outfield[leaver] = False
        self.going.add(leaver)
        self._come_on(comer, team)
        self.used[team] += 1
        return comer

    def send_off(self, person: int) -> None:
        """A red card: the guilty one goes, and nobody comes."""
        field = self.field
        team = int(field.teams[person])
        if team >= 0 and np.count_nonzero(field.teams == team) > _FEWEST:
            self._go(_Change(person, -1, team))

    def direct(self) -> None:
        """Tell those who come and go where to walk, and let on whoever may come."""
        field = self.field
        for person in list(self.going):
            field.targets[person] = self._seat(person)
            field.haste[person] = self.style.change_haste
            field.rests[person] = 0.5
            if float(np.hypot(*(field.positions[person] - field.targets[person]))) < 1.0:
                self.going.discard(person)
                field.present[person] = False
        for change in list(self.changes):
            comer = change.comer
            if comer >= 0:
                field.targets[comer] = self.door + np.array([self._side(change.team) * 1.5, 0.0])
                field.rests[comer] = 0.4
                field.haste[comer] = 0.1
            near = field.surface.half_width - float(field.positions[change.leaver, 1])
            if near < _GATE:
                self.changes.remove(change)
                if comer >= 0:
                    self._come_on(comer, change.team)

    def _swap(self, leaver: int, comer: int, team: int) -> None:
        field = self.field
        self.places[comer] = self.places[leaver]
        opponent = int(self.opponents[leaver])
        self.opponents[comer] = opponent
        self.opponents[self.opponents == leaver] = comer
        field.present[comer] = True
        self._go(_Change(leaver, comer, team))

    def _go(self, change: _Change) -> None:
        self.field.teams[change.leaver] = -1
        self.field.outfield[change.leaver] = False
        self.changes.append(change)
        self.going.add(change.leaver)

    def _come_on(self, comer: int, team: int) -> None:
        field = self.field
        field.teams[comer] = team
        field.outfield[comer] = True
        field.note(self.style.change_label, comer)

    def _waiting(self, team: int) -> list[int]:
        """The reserves of a team who sit; in flying changes, whoever went off last comes on last."""
        field = self.field
        seated = (field.cast.teams == team) & ~field.present & ~field.is_keeper
        if not self.style.returns:
            seated &= field.cast.reserves & ~self._has_played()
        return [int(person) for person in np.flatnonzero(seated)]

    def _has_played(self) -> NDArray[np.bool_]:
        played = np.zeros(len(self.field.cast), dtype=bool)
        for event in self.field.events:
            if event.label == self.style.change_label:
                played[event.person] = True
        return played

    def _replaceable(self, team: int, needed: set[int]) -> NDArray[np.int64]:
        field = self.field
        on = np.flatnonzero(field.outfield & (field.teams == team))
        return on[~np.isin(on, list(needed))]

    def _next_line(self) -> int:
        seconds = self.style.shift * float(self.rng.uniform(0.75, 1.3))
        return self.field.frame + round(seconds * self.field.fps)

    def _side(self, team: int) -> float:
        return -1.0 if team == 0 else 1.0

    def _seat(self, person: int) -> FloatArray:
        """Where somebody sits: team a to the left of the halfway line, team b to the right."""
        teams = self.field.cast.teams
        team = int(teams[person])
        rank = int(np.count_nonzero(teams[:person] == team))
        along = self._side(team) * (self.seats[0] + _SEAT * rank)
        seat: FloatArray = np.array([along, self.seats[1]])
        return seat
