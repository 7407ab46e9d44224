"""American football's kicks: kickoffs, punts, field goals, extra points, from line-up to catch.

`snap.py` plays the downs between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.bench import Bench
from filmroom.simulate.downs import (
    EXTRA_POINT,
    HELD_BACK,
    KICKOFF,
    KICKS,
    SCRIMMAGE,
    SPOTS,
    TOUCHBACK,
    Kick,
    first_down,
    made,
)
from filmroom.simulate.play import GRAVITY, PlayField
from filmroom.simulate.styles import DEFENSIVE_FORMATIONS

FloatArray = NDArray[np.float64]
_LATEST = 1.5
"""Seconds after which the ball is kicked even if the kicker was held up."""
_SHORT_OF = 9.0
"""Those who cover a kick come so near to its landing, abreast, until it is caught, metres."""
_HANDLED = 15.0
"""Speed of a ball in hands or between them, m/s."""
_FAIR_CATCH = 0.35
_REACH = 3.0
"""Metres from a kick's landing within which somebody catches it."""
TURNED, LOST = "turned", "lost"
"""What a kick may lead to: the others have the ball already, or get it."""


class SpecialTeams:
    """The state of a game of downs, and its kicks.

    `people` (2, 11) who plays where in each side's line-up; `spot` where the ball is played from;
    `call` what is played next or now, `scrimmage` or one of KICKS; `coming` what the last play led to,
    if not to the next down of the `series`; `landing` where a ball in the air comes down, `good`
    whether a place kick will count, `is_pass` whether this down is one.
    """

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
        self.goal = float(self.half[0]) - field.surface.area_depth
        self.call = SCRIMMAGE
        self.series = first_down(self._along(), self.goal)
        self.coming = ""
        self.good = False
        self.is_pass = True
        self.phase = "gather"
        self.until = 0
        self.landing: FloatArray = np.zeros(2)

    def _begin(self, phase: str, seconds: float) -> None:
        self.phase = phase
        self.until = self.field.frame + max(1, round(seconds * self.field.fps))

    def _way(self) -> float:
        return 1.0 if self.offence == 0 else -1.0

    def _along(self) -> float:
        """The spot's place along the attack, metres from the middle."""
        return self._way() * float(self.spot[0])

    def _line_up(self) -> None:
        field, way = self.field, self._way()
        kick = KICKS.get(self.call)
        shape = np.array(kick.kickers if kick else self.style.formations[0])
        cover = np.array(kick.receivers if kick else DEFENSIVE_FORMATIONS[field.sport.name][0])
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

    def _fall(self) -> None:
        field = self.field
        field.ball_velocity[2] -= GRAVITY * field.dt
        field.ball = field.ball + field.ball_velocity * field.dt
        field.ball[2] = max(field.ball[2], 0.14)

    def _place(self, call: str) -> None:
        """Put the ball where that kick is taken from."""
        self.call = call
        self.spot = np.array([self._way() * SPOTS[call], 0.0])

    # --- kicks ------------------------------------------------------------------------------------

    def _kicker(self, kick: Kick) -> int:
        return int(self.people[self.offence][kick.kicker])

    def _approach(self, kick: Kick) -> None:
        """Up to the kick the line holds, the others press, and the kicker runs up."""
        field, way = self.field, self._way()
        self._line_up()
        kickers, receivers = self.people[self.offence], self.people[1 - self.offence]
        kicker = self._kicker(kick)
        soon = self.until - field.frame <= kick.run_up * field.fps
        if kick.holder is None:
            self._rest_ball()
            ball = self.spot
        else:
            holder = int(kickers[kick.holder])
            field.carrier = holder
            ball = field.positions[holder] + np.array([0.3 * way, 0.0])
            low = kick.at_posts and soon
            most = _HANDLED * field.dt
            field.ball[:2] += np.clip(ball - field.ball[:2], -most, most)
            field.ball[2] += float(
                np.clip((0.14 if low else 1.0) - field.ball[2], -0.3 * most, 0.3 * most)
            )
            pressing = receivers[:6]
            field.targets[pressing, 0] = self.spot[0]
            field.haste[pressing] = 0.45
        if kick.from_hand:
            chasing = kickers[[6, 7]]
            field.targets[chasing, 0] += 30.0 * way
            field.haste[chasing] = 0.85
        if soon:
            field.targets[kicker] = ball + np.array([1.5 * way, 0.0])
            field.haste[kicker] = 0.3 if kick.from_hand else 0.7
            field.rests[kicker] = 0.1

    def _at_the_ball(self, kick: Kick) -> bool:
        field = self.field
        apart = float(np.hypot(*(field.positions[self._kicker(kick)] - field.ball[:2])))
        return apart < 1.0 or field.frame >= self.until + _LATEST * field.fps

    def _kick(self, kick: Kick) -> None:
        """The foot meets the ball."""
        field, way = self.field, self._way()
        kicker = self._kicker(kick)
        field.carrier = -1
        start = field.ball.copy()
        start[2] = 0.8 if kick.from_hand else 0.2
        if kick.at_posts:
            posts = np.array([way * self.half[0], 0.0])
            metres = float(np.hypot(*(posts - start[:2])))
            self.good = made(metres, self.rng)
            half = field.surface.goal_width / 2
            wide = self.rng.uniform(0.0, 0.75) if self.good else self.rng.uniform(1.3, 2.6)
            aim = posts + np.array([0.0, half * wide * float(self.rng.choice([-1.0, 1.0]))])
            seconds = metres / float(self.rng.uniform(*kick.pace))
            height = field.surface.goals[0][2] + float(self.rng.uniform(1.0, 6.0))
        else:
            out = self.rng.uniform(*kick.length)
            across = float(self.rng.normal(0.0, 0.3)) * self.half[1]
            aim = np.array(
                [start[0] + way * out, np.clip(across, -0.85 * self.half[1], 0.85 * self.half[1])]
            )
            aim[0] = np.clip(aim[0], 0.5 - self.half[0], self.half[0] - 0.5)
            seconds, height = float(self.rng.uniform(*kick.hang)), 1.3
        self.landing = aim
        rise = (height - start[2]) / seconds + 0.5 * GRAVITY * seconds
        field.ball = start
        field.ball_velocity = np.array([*((aim - start[:2]) / seconds), rise])
        field.note(kick.label, kicker)
        self._begin("kicked", seconds)

    def _cover(self, kick: Kick) -> None:
        """Where everybody runs while a kick is in the air."""
        field = self.field
        field.carrier = -1
        if kick.at_posts:
            field.targets[:] = field.positions
            field.rests[:] = 1.0
            return
        kickers, receivers = self.people[self.offence], self.people[1 - self.offence]
        field.targets[kickers] = self.landing + 0.5 * (field.positions[kickers] - self.landing)
        field.targets[kickers, 0] = self.landing[0] - _SHORT_OF * self._way()
        field.haste[kickers] = 0.8
        field.haste[self._kicker(kick)] = 0.2
        field.targets[receivers] = field.positions[receivers] * 0.6 + 0.4 * self.landing
        field.haste[receivers] = 0.45
        returner = self._returner()
        field.targets[returner] = self.landing
        field.haste[returner] = 1.0
        field.rests[[*receivers, *kickers]] = 0.2

    def _returner(self) -> int:
        receivers = self.people[1 - self.offence]
        apart = np.hypot(*(self.field.positions[receivers] - self.landing).T)
        return int(receivers[apart.argmin()])

    def _land(self, kick: Kick) -> None:
        """A kick comes down: points or none, a catch and a return, or a dead ball."""
        field = self.field
        kicker = self._kicker(kick)
        if kick.at_posts:
            self._judge(kick, kicker)
            return
        behind = self._way() * float(self.landing[0]) > self.goal
        returner = self._returner()
        caught = float(np.hypot(*(field.positions[returner] - field.ball[:2]))) < _REACH
        self.offence = 1 - self.offence
        self.coming = TURNED
        if behind:
            field.note("TOUCHBACK", returner)
            self.spot = np.array([self._way() * TOUCHBACK, 0.0])
        elif not caught or (kick.from_hand and self.rng.random() < _FAIR_CATCH):
            if caught:
                field.note("FAIR CATCH", returner)
            self._mark(field.ball[:2])
        else:
            field.carrier = returner
            self.is_pass = False
            self._begin("run", 12.0)
            return
        self._begin("pile", float(self.rng.uniform(1.5, 3.0)))

    def _judge(self, kick: Kick, kicker: int) -> None:
        """A place kick has reached the posts."""
        field = self.field
        point = self.call == EXTRA_POINT
        field.note(("EXTRA POINT" if point else "FIELD GOAL") if self.good else "NO GOOD", kicker)
        self.coming = KICKOFF if point or self.good else LOST
        if self.coming == LOST:
            self._mark(self.spot - np.array([self._way() * HELD_BACK, 0.0]))
        self._begin("pile", float(self.rng.uniform(2.0, 4.0)))

    def _mark(self, place: FloatArray) -> None:
        """The next play starts there, between the hash marks and not on a goal line."""
        self.spot = np.clip(place, -0.8 * self.half, 0.8 * self.half)
        self.spot[1] = float(np.clip(self.spot[1], -2.8, 2.8))
