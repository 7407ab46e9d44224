"""Volleyball: serve, pass, set, spike, block, and again from the other side."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.bench import Bench
from filmroom.simulate.play import GRAVITY, Play, PlayField, Recorder

FloatArray = NDArray[np.float64]
_SERVER = 5
"""Whose place behind is the server's: the last of the line-up, which turns with each side-out."""
_CHANGE_SECONDS = 5.0
_REACH = {"pass": 0.7, "set": 2.3, "spike": 2.9, "serve": 2.4}


class Rally:
    """One rally after the other; the ball flies from `touch` to touch, each a parabola in time."""

    def __init__(self, field: PlayField) -> None:
        self.field, self.style, self.rng = field, field.style, field.rng
        self.half = np.array([field.surface.half_length, field.surface.half_width])
        self.people = [np.flatnonzero(field.teams == team) for team in (0, 1)]
        count = len(field.cast)
        self.bench = Bench(field, np.zeros((count, 2)), np.arange(count))
        self.server = int(self.rng.integers(2))
        self.side = self.server
        self.touch = "wait"
        self.start: FloatArray = np.zeros(3)
        self.aim: FloatArray = np.zeros(3)
        self.began, self.seconds = 0, 1.0
        self.hitter = -1
        self._places()
        field.positions = field.targets + self.rng.normal(0, 0.2, field.targets.shape)
        self.bench.sit_down()
        self._await_serve(float(self.rng.uniform(0.3, 1.5)))

    def run(self, frames: int) -> Play:
        """Play that many frames."""
        record = Recorder(self.field, frames)
        for frame in range(frames):
            self._advance()
            record.keep(frame)
            self.field.step(self.field.ball[:2])
        return record.play()

    def _way(self, team: int) -> float:
        return 1.0 if team == 0 else -1.0

    def _places(self) -> None:
        field = self.field
        shape = np.array(self.style.formations[0])
        for team in (0, 1):
            field.targets[self.people[team]] = (
                shape * self.half * self._way(team) + field.wander[self.people[team]]
            )
            field.rests[self.people[team]] = 0.4
        referees = np.flatnonzero(field.is_referee)
        for person, place in zip(referees, ((0.0, -1.15), (0.0, 1.2)), strict=False):
            field.targets[person] = np.array(place) * self.half
            field.rests[person] = 0.5

    def _await_serve(self, seconds: float) -> None:
        field = self.field
        self.touch = "wait"
        self.side = self.server
        for team in (0, 1):
            left = self.style.most_changes - self.bench.used[team]
            if left > 0 and self.rng.random() < self.style.changes:
                place = int(self.rng.integers(len(self.people[team])))
                self.people[team][place] = self.bench.relieve(int(self.people[team][place]), team)
                seconds += _CHANGE_SECONDS
        self.hitter = int(self.people[self.server][_SERVER])
        self.began, self.seconds = field.frame, seconds

    def _launch(self, touch: str, aim: FloatArray, seconds: float) -> None:
        field = self.field
        self.touch, self.aim, self.seconds = touch, aim, seconds
        self.start = field.ball.copy()
        self.began = field.frame

    def _advance(self) -> None:
        field = self.field
        field.drift()
        field.haste[:] = 0.0
        self._places()
        self._touch_on()
        self.bench.direct()

    def _touch_on(self) -> None:
        field = self.field
        gone = (field.frame - self.began) / field.fps
        if self.touch == "wait":
            place = np.array([-(self.half[0] + 1.0) * self._way(self.server), 0.5 * self.half[1]])
            field.targets[self.hitter] = place
            field.haste[self.hitter] = 0.2
            ahead = np.array([math.cos(field.facing[self.hitter]), math.sin(field.facing[self.hitter])])
            goal = field.positions[self.hitter] + 0.35 * ahead
            field.ball[:2] += np.clip(goal - field.ball[:2], -0.5, 0.5)
            field.ball[2] = 1.1
            field.carrier = self.hitter
            if gone >= self.seconds and float(np.hypot(*(field.positions[self.hitter] - place))) < 1.2:
                self._serve()
            return
        field.carrier = -1
        share = min(gone / self.seconds, 1.0)
        field.ball[:2] = self.start[:2] + share * (self.aim[:2] - self.start[:2])
        rise = (self.aim[2] - self.start[2]) / self.seconds + 0.5 * GRAVITY * self.seconds
        field.ball[2] = max(0.11, self.start[2] + rise * gone - 0.5 * GRAVITY * gone * gone)
        field.targets[self.hitter] = self.aim[:2]
        field.haste[self.hitter] = 0.9
        field.rests[self.hitter] = 0.2
        self._jump(gone)
        if share >= 1.0:
            self._touched()

    def _jump(self, gone: float) -> None:
        """The spiker and those who block leave the ground just before the hit."""
        field = self.field
        if self.touch != "set" or gone < self.seconds - 0.28:
            return
        field.jump(self.hitter, 0.55)
        blockers = self.people[1 - self.side]
        near = np.abs(field.positions[blockers, 1] - self.aim[1]) + 2 * np.abs(
            field.positions[blockers, 0]
        )
        for person in blockers[near.argsort()[:2]]:
            field.jump(int(person), 0.5)

    def _serve(self) -> None:
        field = self.field
        field.note("SERVE", self.hitter)
        field.jump(self.hitter, 0.3)
        field.ball[2] = _REACH["serve"]
        receiver = 1 - self.server
        aim = (
            np.array([self.rng.uniform(0.45, 0.9) * -self._way(receiver), self.rng.uniform(-0.7, 0.7)])
            * self.half
        )
        self.side = receiver
        self._launch("serve", np.array([*aim, _REACH["pass"]]), float(self.rng.uniform(0.9, 1.4)))
        self.hitter = self._nearest(receiver, aim)

    def _touched(self) -> None:
        field, way = self.field, self._way(self.side)
        if self.touch == "out":
            self._await_serve(float(self.rng.uniform(2.5, 5.0)))
            return
        if self.rng.random() < 0.13:
            field.note("POINT", self.hitter)
            if self.server == self.side:
                self.server = 1 - self.side
                # A side that wins the serve turns by one place (FIVB 7.6.2).
                self.people[self.server] = np.roll(self.people[self.server], -1)
            away = field.ball[:2] + self.rng.normal(0, 2.5, 2)
            self._launch("out", np.array([*away, 0.11]), 0.8)
            return
        if self.touch in ("serve", "spike"):
            field.note("PASS", self.hitter)
            aim = np.array([-0.08 * self.half[0] * way, self.rng.normal(0.0, 1.0)])
            self._launch("pass", np.array([*aim, _REACH["set"]]), float(self.rng.uniform(1.1, 1.5)))
        elif self.touch == "pass":
            field.note("SET", self.hitter)
            aim = np.array(
                [-0.06 * self.half[0] * way, float(self.rng.choice([-0.8, 0.0, 0.8])) * self.half[1]]
            )
            self._launch("set", np.array([*aim, _REACH["spike"]]), float(self.rng.uniform(0.7, 1.3)))
        else:
            field.note("SPIKE", self.hitter)
            self.side = 1 - self.side
            aim = (
                np.array([self.rng.uniform(0.3, 0.95) * way, self.rng.uniform(-0.85, 0.85)]) * self.half
            )
            self._launch("spike", np.array([*aim, 0.4]), float(self.rng.uniform(0.35, 0.6)))
        self.hitter = self._nearest(self.side, self.aim[:2], self.hitter)

    def _nearest(self, team: int, place: FloatArray, other_than: int = -1) -> int:
        people = self.people[team]
        people = people[people != other_than]
        apart = ((self.field.positions[people] - place) ** 2).sum(axis=1)
        return int(people[apart.argmin()])
