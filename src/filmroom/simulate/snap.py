"""American football: line up, stand still, snap, run or pass, tackle, and again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.bench import Bench
from filmroom.simulate.play import Play, PlayField, Recorder
from filmroom.simulate.styles import DEFENSIVE_FORMATIONS

FloatArray = NDArray[np.float64]
_GRAVITY = 9.81
_QUARTERBACK, _RUNNER = 9, 10
_RECEIVERS = (5, 6, 7, 8)


class Snap:
    """Downs one after the other. Phases: `gather`, `set`, `drop`, `flight`, `run`, `pile`."""

    def __init__(self, field: PlayField) -> None:
        self.field, self.style, self.rng = field, field.style, field.rng
        self.half = np.array([field.surface.half_length, field.surface.half_width])
        self.people = [np.flatnonzero(field.teams == team) for team in (0, 1)]
        count = len(field.cast)
        self.bench = Bench(field, np.zeros((count, 2)), np.arange(count))
        self.offence = int(self.rng.integers(2))
        self.spot: FloatArray = (
            np.array([self.rng.uniform(-0.6, 0.6), self.rng.uniform(-0.1, 0.1)]) * self.half
        )
        self.phase = "gather"
        self.until = 0
        self.routes: FloatArray = np.zeros((11, 2))
        self.catcher = -1
        self.is_pass = True
        self.landing: FloatArray = np.zeros(2)
        self._begin("gather", float(self.rng.uniform(0.2, 2.0)))
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

    def _begin(self, phase: str, seconds: float) -> None:
        self.phase = phase
        self.until = self.field.frame + max(1, round(seconds * self.field.fps))

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
                if over and not self._too_many():
                    self._snap()
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

    def _way(self) -> float:
        return 1.0 if self.offence == 0 else -1.0

    def _line_up(self) -> None:
        field, way = self.field, self._way()
        shape = np.array(self.style.formations[0])
        cover = np.array(DEFENSIVE_FORMATIONS[field.sport.name][0])
        for team, places in ((self.offence, shape), (1 - self.offence, cover)):
            people = self.people[team]
            offset = places * self.half * np.array([way, way])
            field.targets[people] = self.spot + offset
            field.rests[people] = 0.3
        limit = self.half - np.array([0.0, 0.5])
        field.targets[:] = np.clip(field.targets, -limit, limit)
        far = np.sqrt(((field.targets - field.positions) ** 2).sum(axis=1))
        field.haste = np.clip((far - 6.0) / 20.0, 0.0, 0.5)

    def _rest_ball(self) -> None:
        field = self.field
        move = np.clip(self.spot - field.ball[:2], -8 * field.dt, 8 * field.dt)
        field.ball[:2] += move
        field.ball[2] = 0.14
        field.carrier = -1

    def _snap(self) -> None:
        field, way = self.field, self._way()
        field.note("SNAP", int(self.people[self.offence][2]))
        self.is_pass = bool(self.rng.random() < 0.58)
        depth = self.rng.uniform(5.0, 24.0, 11)
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
        field.haste[line] = 0.25
        field.targets[defence[:4]] = ball
        field.haste[defence[:4]] = 0.45
        if self.phase == "drop":
            passer = offence[_QUARTERBACK]
            field.targets[passer] = self.spot - np.array([7.5 * way, 0.0])
            field.haste[passer] = 0.35
            field.targets[offence[_RUNNER]] = field.positions[passer] + np.array([2.0 * way, 1.4])
            field.haste[offence[_RUNNER]] = 0.3
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
            ahead = ball + np.array([2.5 * way, 0.0])
            field.targets[defence] = ahead
            field.haste[defence] = 0.8
        else:
            marked = offence[[5, 8, 10, 6, 7, 5, 8]]
            field.targets[backs] = field.positions[marked] + np.array([2.0 * way, 0.0])
            field.haste[backs] = 0.6
        if self.phase == "flight":
            field.targets[self.catcher] = self.landing
            field.haste[self.catcher] = 1.0
            nearest = backs[np.abs(field.positions[backs] - self.landing).sum(axis=1).argmin()]
            field.targets[nearest] = self.landing
            field.haste[nearest] = 0.9
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
                0.5 * _GRAVITY * seconds - 0.6 / seconds,
            ]
        )
        field.carrier = -1
        field.note("PASS", passer)
        self._begin("flight", seconds)

    def _fly(self, over: bool) -> None:
        field = self.field
        field.ball_velocity[2] -= _GRAVITY * field.dt
        field.ball = field.ball + field.ball_velocity * field.dt
        field.ball[2] = max(field.ball[2], 0.14)
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
        chasers = self.people[1 - self.offence]
        apart = np.sqrt(((field.positions[chasers] - field.positions[carrier]) ** 2).sum(axis=1))
        caught = apart.min() < 1.1 and self.rng.random() < 1 - 0.3**field.dt
        outside = bool(np.any(np.abs(field.positions[carrier]) > self.half))
        if not (caught or over or outside):
            return
        field.note("TACKLE", int(chasers[apart.argmin()]))
        field.go_down(carrier)
        for person in chasers[apart < 1.6].tolist():
            field.go_down(person)
        self.spot = np.clip(field.positions[carrier], -0.8 * self.half, 0.8 * self.half)
        self.spot[1] = float(np.clip(self.spot[1], -2.8, 2.8))
        self._begin("pile", float(self.rng.uniform(1.5, 3.0)))

    def _pile(self) -> None:
        field = self.field
        field.targets[:] = field.positions
        field.rests[:] = 1.0
        field.ball[2] = max(0.14, field.ball[2] - 2.0 * field.dt)
        field.carrier = -1

    def _next_down(self) -> None:
        if self.rng.random() < 0.15:
            self.offence = 1 - self.offence
            for team in (0, 1):
                self._change(team, np.arange(len(self.people[team])))
            self._begin("gather", float(self.rng.uniform(12.0, 20.0)))
            return
        for team in (0, 1):
            if self.rng.random() < self.style.changes:
                places = self.rng.permutation(len(self.people[team]))
                self._change(team, places[: int(self.rng.integers(1, 4))])
        self._begin("gather", float(self.rng.uniform(5.0, 9.0)))

    def _too_many(self) -> bool:
        """Is somebody who was relieved still on the field?"""
        leaving = list(self.bench.going)
        return bool((self.field.positions[leaving, 1] < self.half[1]).any())

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
        for person, (along, across) in zip(np.flatnonzero(field.is_referee), places, strict=False):
            where = np.array([0.5 * (self.spot[0] + field.ball[0]) + along * way, across])
            field.targets[person] = np.clip(where, -self.half - 0.5, self.half + 0.5)
            field.haste[person] = 0.1
            field.rests[person] = 1.8
