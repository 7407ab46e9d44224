"""American football: line up, stand still, snap, run, pass or kick, tackle, and again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.downs import EXTRA_POINT, KICKOFF, KICKS, SCRIMMAGE, SPOTS, called, first_down
from filmroom.simulate.kicks import TURNED, SpecialTeams
from filmroom.simulate.play import CELEBRATION, GRAVITY, Play, PlayField, Recorder

FloatArray = NDArray[np.float64]
_QUARTERBACK, _RUNNER = 9, 10
_RECEIVERS = (5, 6, 7, 8)
_OPENING = 0.2
"""So often a stretch of play begins with a kickoff."""
_ROUTES = (1.0, 12.0)
"""How far receivers run before they turn, metres beyond the line."""
_BREAK_ON = 18.0
"""Metres from where a pass comes down within which defenders run there."""
_DEEP = 14.0
"""The two safeties stay so far beyond the line, metres, and deeper than any receiver."""
_PURSUIT = 8.0
"""Tacklers reckon with closing so many metres a second."""
_TACKLED = 1.35
"""Metres from which a carrier is brought down."""
_BLOCKING, _HELD_OFF = 1.4, 0.95
"""Metres within which a blocker is in a tackler's way, and by which that shortens his reach."""
_ESCAPED = 0.01
"""The chance to stay on one's feet for a second within a tackler's reach."""
_CELEBRATION_SECONDS = (3.0, 6.0)


class Snap(SpecialTeams):
    """Downs one after the other, and what they lead to: points, kicks, the other side's ball.

    Phases: `gather`, `set`, then `drop`, `flight` and `run`, or `approach` and `kicked` of a kick, and
    `pile`.
    """

    def __init__(self, field: PlayField) -> None:
        super().__init__(field)
        self.routes: FloatArray = np.zeros((11, 2))
        self.catcher = -1
        if self.rng.random() < _OPENING:
            self._place(KICKOFF)
        self._begin("gather", float(self.rng.uniform(0.2, 2.0)))
        field.ball[:2] = self.spot
        self._line_up()
        field.positions = field.targets + self.rng.normal(0, 0.25, field.targets.shape)
        self.bench.sit_down()

    def run(self, frames: int) -> Play:
        """Play that many frames."""
        record = Recorder(self.field, frames)
        for frame in range(frames):
            self._advance()
            record.keep(frame)
            self.field.step(self._look())
        return record.play()

    # --- phases -----------------------------------------------------------------------------------

    def _advance(self) -> None:
        field = self.field
        field.drift()
        field.haste[:] = 0.0
        field.rests[:] = self.style.rest
        over = field.frame >= self.until
        match self.phase:
            case "gather":
                self._line_up()
                self._rest_ball()
                if over:
                    self._begin("set", float(self.rng.uniform(1.0, 2.5)))
            case "set":
                self._line_up()
                self._rest_ball()
                if over and not self._unready():
                    self._snap()
            case "approach":
                self._approach(KICKS[self.call])
                if over and self._at_the_ball(KICKS[self.call]):
                    self._kick(KICKS[self.call])
            case "kicked":
                self._cover(KICKS[self.call])
                self._fall()
                if over:
                    self._land(KICKS[self.call])
            case "drop":
                self._act(self.people[self.offence][_QUARTERBACK])
                if over:
                    self._throw_or_hand()
            case "flight":
                self._act(-1)
                self._fly(over)
            case "run":
                carrier = field.carrier
                self._act(carrier)
                self._try_tackle(carrier, over)
            case _:
                self._pile()
                if over:
                    self._next_down()
        self._referees()
        self.bench.direct()
        field.ball = np.round(field.ball, 6)

    def _snap(self) -> None:
        field, way = self.field, self._way()
        if self.call in KICKS:
            kick = KICKS[self.call]
            if kick.snapped:
                field.note("SNAP", int(self.people[self.offence][2]))
            self._begin("approach", float(self.rng.uniform(*kick.approach)))
            return
        field.note("SNAP", int(self.people[self.offence][2]))
        self.is_pass = bool(self.rng.random() < 0.58)
        depth = self.rng.uniform(*_ROUTES, 11)
        across = self.rng.normal(0.0, 6.0, 11)
        self.routes = np.stack([depth * way, across], axis=1)
        self._begin("drop", float(self.rng.uniform(1.6, 3.2)) if self.is_pass else 0.8)

    def _act(self, carrier: int) -> None:
        """Everybody's errand while the ball is live."""
        field, way = self.field, self._way()
        offence, defence = self.people[self.offence], self.people[1 - self.offence]
        line = offence[:6]
        ball = field.ball[:2]
        opposite = defence[:6]
        field.targets[line] = field.positions[opposite] - np.array([0.55 * way, 0.0])
        field.haste[line] = 0.6 if self.phase == "run" else 0.25
        field.targets[defence[:4]] = ball
        field.haste[defence[:4]] = 0.45 if self.is_pass or self.phase != "drop" else 0.1
        if self.phase == "drop":
            passer = offence[_QUARTERBACK]
            back, hurry = (7.5, 0.3) if self.is_pass else (3.5, 0.7)
            field.targets[passer] = self.spot - np.array([back * way, 0.0])
            field.haste[passer] = 0.35
            field.targets[offence[_RUNNER]] = field.positions[passer] + np.array([2.0 * way, 1.4])
            field.haste[offence[_RUNNER]] = hurry
        receivers = offence[list(_RECEIVERS)]
        if self.is_pass and self.phase in ("drop", "flight"):
            goal = self.spot + self.routes[list(_RECEIVERS)]
            goal[:, 1] += field.positions[receivers, 1] * 0.9
            field.targets[receivers] = goal
            field.haste[receivers] = 0.85
        else:
            field.targets[receivers] = field.positions[defence[6:10]]
            field.haste[receivers] = 0.3
        backs = defence[4:]
        if self.phase == "run":
            # Whoever is far away runs to where the carrier will be.
            apart = np.hypot(*(field.positions[defence] - ball).T)
            seconds = np.clip(apart / _PURSUIT, 0.15, 1.8)
            field.targets[defence] = ball + seconds[:, None] * field.velocities[carrier]
            field.haste[defence] = 0.95
        else:
            marked = offence[[5, 8, 10, 6, 7, 5, 8]]
            field.targets[backs] = field.positions[marked] + np.array([2.5 * way, 0.0])
            field.haste[backs] = 0.75
            deep = defence[9:]
            farthest = float((way * (field.positions[receivers, 0] - self.spot[0])).max())
            field.targets[deep, 0] = self.spot[0] + max(_DEEP, farthest + 6.0) * way
            field.targets[deep, 1] = 0.5 * (ball[1] + field.positions[deep, 1])
        if self.phase == "flight":
            field.targets[self.catcher] = self.landing
            field.haste[self.catcher] = 1.0
            near = backs[np.hypot(*(field.positions[backs] - self.landing).T) < _BREAK_ON]
            field.targets[near] = self.landing + np.array([1.0 * way, 0.0])
            field.haste[near] = 0.95
        if carrier >= 0:
            self._carry(carrier, way)
        limit = self.half + 0.8
        field.targets[:] = np.clip(field.targets, -limit, limit)

    def _carry(self, carrier: int, way: float) -> None:
        field = self.field
        field.carrier = carrier
        if self.phase == "run":
            chasers = field.positions[self.people[1 - self.offence]]
            away = field.positions[carrier] - chasers
            distance = np.maximum(np.sqrt((away**2).sum(axis=1)), 0.4)
            dodge = (away / distance[:, None] ** 2).sum(axis=0)
            field.targets[carrier] = field.positions[carrier] + np.array(
                [6.0 * way, 4.0 * float(np.tanh(dodge[1]))]
            )
            field.haste[carrier] = 0.9
            field.rests[carrier] = 0.1
        ahead = 0.25 * np.array([math.cos(field.facing[carrier]), math.sin(field.facing[carrier])])
        field.ball[:2] += np.clip(field.positions[carrier] + ahead - field.ball[:2], -0.6, 0.6)
        field.ball[2] += float(np.clip(1.15 - field.ball[2], -0.2, 0.2))

    def _throw_or_hand(self) -> None:
        field = self.field
        offence = self.people[self.offence]
        if not self.is_pass:
            field.carrier = int(offence[_RUNNER])
            self._begin("run", 5.0)
            return
        self.catcher = int(self.rng.choice(offence[list(_RECEIVERS)]))
        start = field.positions[self.catcher]
        passer = int(offence[_QUARTERBACK])
        distance = float(np.hypot(*(start - field.positions[passer])))
        seconds = max(0.5, distance / self.rng.uniform(*self.style.pass_speed))
        self.landing = start + field.velocities[self.catcher] * seconds + self.rng.normal(0, 0.8, 2)
        self.landing = np.clip(self.landing, -self.half, self.half)
        field.ball = np.array([*field.positions[passer], 2.0])
        field.ball_velocity = np.array(
            [
                *((self.landing - field.positions[passer]) / seconds),
                0.5 * GRAVITY * seconds - 0.6 / seconds,
            ]
        )
        field.carrier = -1
        field.note("PASS", passer)
        self._begin("flight", seconds)

    def _fly(self, over: bool) -> None:
        field = self.field
        self._fall()
        if not over:
            return
        near = float(np.hypot(*(field.positions[self.catcher] - field.ball[:2])))
        if near < 2.0 and self.rng.random() < 0.7:
            field.carrier = self.catcher
            self._begin("run", 6.0)
            return
        field.note("INCOMPLETE", self.catcher)
        self._begin("pile", 2.0)

    def _try_tackle(self, carrier: int, over: bool) -> None:
        field = self.field
        if self._way() * float(field.positions[carrier, 0]) >= self.goal:
            field.note("TOUCHDOWN", carrier)
            field.note(CELEBRATION, carrier)
            self.coming = EXTRA_POINT
            self._begin("pile", float(self.rng.uniform(*_CELEBRATION_SECONDS)))
            return
        chasers = self.people[1 - self.offence]
        apart = np.sqrt(((field.positions[chasers] - field.positions[carrier]) ** 2).sum(axis=1))
        # In the open field of a return blocks are too short to count.
        hold = 0.0 if self.call in KICKS else _HELD_OFF
        free = np.where(self._blocked(chasers, carrier), hold, 0.0)
        caught = (apart + free).min() < _TACKLED and self.rng.random() < 1 - _ESCAPED**field.dt
        outside = bool(np.any(np.abs(field.positions[carrier]) > self.half))
        if not (caught or over or outside):
            return
        field.note("TACKLE", int(chasers[apart.argmin()]))
        field.go_down(carrier)
        for person in chasers[apart < 1.6].tolist():
            field.go_down(person)
        self._mark(field.positions[carrier])
        self._begin("pile", float(self.rng.uniform(1.5, 3.0)))

    def _blocked(self, chasers: NDArray[np.int64], carrier: int) -> NDArray[np.bool_]:
        """Which chasers have a mate of the carrier in their way?"""
        field = self.field
        mates = self.people[self.offence]
        mates = mates[mates != carrier]
        apart = field.positions[chasers][:, None] - field.positions[mates][None]
        blocked: NDArray[np.bool_] = (np.sqrt((apart**2).sum(axis=2)) < _BLOCKING).any(axis=1)
        return blocked

    def _pile(self) -> None:
        field = self.field
        field.targets[:] = field.positions
        field.rests[:] = 1.0
        field.ball[2] = max(0.14, field.ball[2] - 2.0 * field.dt)
        field.carrier = -1

    def _next_down(self) -> None:
        """What the last play led to: a kick, the other side's ball, or the next down of the series."""
        coming, self.coming = self.coming, ""
        if coming in SPOTS:
            self._place(coming)
            self._fresh_sides()
            return
        series = None if coming else self.series.after(self._along(), self.goal)
        if series is None:
            if coming != TURNED:
                self.offence = 1 - self.offence
            self.series, self.call = first_down(self._along(), self.goal), SCRIMMAGE
            self._fresh_sides()
            return
        self.series = series
        self.call = called(series, self._along(), self.goal, self.rng)
        if self.call in KICKS:
            self._fresh_sides()
            return
        for team in (0, 1):
            if self.rng.random() < self.style.changes:
                places = self.rng.permutation(len(self.people[team]))
                self._change(team, places[: int(self.rng.integers(1, 4))])
        self._begin("gather", float(self.rng.uniform(5.0, 9.0)))

    def _fresh_sides(self) -> None:
        for team in (0, 1):
            self._change(team, np.arange(len(self.people[team])))
        self._begin("gather", float(self.rng.uniform(12.0, 20.0)))

    def _unready(self) -> bool:
        """Is somebody who was relieved still on the field, or somebody who comes on not yet?"""
        across = self.field.positions[:, 1]
        leaving = list(self.bench.going)
        coming = np.concatenate(self.people)
        edge = self.half[1]
        return bool((across[leaving] < edge).any() or (across[coming] >= edge).any())

    def _change(self, team: int, places: NDArray[np.int64]) -> None:
        """Others run on for those in some places of the line-up: all of them with the possession."""
        for place in places.tolist():
            self.people[team][place] = self.bench.relieve(int(self.people[team][place]), team)

    def _look(self) -> FloatArray:
        field = self.field
        if self.phase in ("gather", "set"):
            # Both lines look at each other: each side at a point well beyond the ball.
            target: FloatArray = self.spot.copy()
            return target
        return field.ball[:2]

    def _referees(self) -> None:
        field, way = self.field, self._way()
        places = ((-13, 3), (5, -1.5), (0, 24), (0, -24), (18, 22), (18, -22), (20, 0))
        middle = 0.5 * (self.spot[0] + field.ball[0])
        wanted = [np.array([middle + along * way, across]) for along, across in places]
        if self.call in KICKS and KICKS[self.call].at_posts:
            # Two stand below the uprights.
            post = np.array([way * (self.half[0] + 0.4), field.surface.goal_width / 2])
            wanted[-2:] = [post, post * np.array([1.0, -1.0])]
        for person, where in zip(np.flatnonzero(field.is_referee), wanted, strict=False):
            field.targets[person] = np.clip(where, -self.half - 0.5, self.half + 0.5)
            field.haste[person] = 0.1
            field.rests[person] = 1.8
