"""Who goes where while the ball is carried, loose or dead: blocks, marking, pressing, referees."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.bench import Bench
from filmroom.simulate.play import GRAVITY, PlayField
from filmroom.simulate.styles import Block

FloatArray = NDArray[np.float64]
PLAN_SECONDS = 0.12
"""Plans change so often; only those on the ball think anew every frame."""


class Positioning:
    """The state of a possession game and what it makes everybody do; `Possession` moves the ball.

    The ball is `carried`, `loose` (rolling or flying) or `dead` (waiting to be put into play at
    `spot`).
    """

    def __init__(self, field: PlayField) -> None:
        self.field = field
        self.style, self.surface, self.rng = field.style, field.surface, field.rng
        self.half = np.array([field.surface.half_length, field.surface.half_width])
        self.formation = self._formations()
        self.state = "dead"
        self.restart = "KICK OFF"
        self.spot: FloatArray = np.zeros(2)
        self.owner = int(self.rng.integers(2))
        self.taker = -1
        self.receiver = -1
        self.pending_goal = False
        self.last_touch = -1
        self.free_from = 0
        self.decide_at = 0
        self.wait_until = 0
        self.dribble_way: FloatArray = np.array([1.0, 0.0])
        self.gather: dict[int, FloatArray] = {}
        self.packed_until = 0
        self.jostle: FloatArray = np.zeros((len(field.cast), 2))
        self.booked: set[int] = set()
        self._opponent = self._pairs()
        self.bench = Bench(field, self.formation, self._opponent)

    # --- places -----------------------------------------------------------------------------------

    def _formations(self) -> FloatArray:
        """Each person's place in his team's formation, (N, 2); keepers and referees at 0."""
        places = np.zeros((len(self.field.cast), 2))
        for team in (0, 1):
            people = np.flatnonzero(self.field.outfield & (self.field.teams == team))
            choices = [one for one in self.style.formations if len(one) >= len(people)]
            fewest = min(len(one) for one in choices)
            choices = [one for one in choices if len(one) == fewest]
            choice = choices[int(self.rng.integers(len(choices)))]
            shape = np.array(choice)
            if self.style.man_to_man:
                # Everybody can stand anywhere: who brings the ball up changes from team to team.
                shape = shape[self.rng.permutation(len(shape))]
            if self.rng.random() < 0.5:
                shape = shape * np.array([1.0, -1.0])
            places[people] = shape[: len(people)]
        return places

    def _pairs(self) -> NDArray[np.int64]:
        """The opponent each outfield player looks after; the player himself where there is none."""
        pairs = np.arange(len(self.field.cast))
        first = np.flatnonzero(self.field.outfield & (self.field.teams == 0))
        second = np.flatnonzero(self.field.outfield & (self.field.teams == 1))
        pairs[first], pairs[second] = second, first
        return pairs

    def _block(self, block: Block, people: NDArray[np.bool_]) -> FloatArray:
        field = self.field
        way = field.attack_way[people]
        ball = field.ball[:2] / self.half
        shape = self.formation[people]
        along = block.offset + block.follow * ball[0] * way + block.depth * shape[:, 0]
        across = block.spread * shape[:, 1] * way + block.sway * ball[1]
        shares = np.stack([np.clip(along, -0.97, 0.96) * way, np.clip(across, -0.97, 0.97)], axis=1)
        places: FloatArray = shares * self.half
        return places

    # --- targets ----------------------------------------------------------------------------------

    def _send(self) -> None:
        """Tell everybody where to go and how fast."""
        field, style = self.field, self.style
        field.drift(PLAN_SECONDS)
        field.haste[:] = 0.0
        field.rests[:] = style.rest
        for team in (0, 1):
            people = field.outfield & (field.teams == team)
            block = style.attack if team == self.owner else style.defence
            if self.restart == "KICK OFF":
                block = Block(-0.42, 0.0, 0.36, 0.75)
            field.targets[people] = self._block(block, people) + field.wander[people]
        self._mark()
        self._gather()
        self._hurry()
        self._keepers()
        self._referees()
        self._ball_people()
        margin = 0.0 if style.boards else 0.4
        limit = self.half - 0.5 if style.boards else self.half + margin
        players = ~field.is_referee
        field.targets[players] = np.clip(field.targets[players], -limit, limit)
        self.bench.direct()

    def _gather(self) -> None:
        """Those with a place at a corner or free kick take it, and push for it once there."""
        field = self.field
        field.crowding = self.style.crowding
        if not self.gather:
            return
        field.crowding = min(self.style.crowding, 0.42)
        keep = 1.0 - PLAN_SECONDS / 0.7
        kick = 0.45 * math.sqrt(2 * PLAN_SECONDS / 0.7)
        self.jostle = keep * self.jostle + kick * self.rng.standard_normal(self.jostle.shape)
        for person, place in self.gather.items():
            field.targets[person] = place + self.jostle[person]
            field.rests[person] = 0.35
            field.haste[person] = 0.45 if self.restart in ("KICK OFF", "FACE OFF") else 0.12

    def _mark(self) -> None:
        field, style = self.field, self.style
        if self.restart == "KICK OFF":
            return
        defenders = np.flatnonzero(field.outfield & (field.teams == 1 - self.owner))
        attackers = np.flatnonzero(field.outfield & (field.teams == self.owner))
        goal = np.array([-field.attack_way[defenders[0]] * self.half[0], 0.0])
        if style.man_to_man:
            man = self._opponent[defenders]
            pull = np.full(len(defenders), style.marking)
        else:
            apart = field.targets[defenders][:, None] - field.positions[attackers][None]
            distance = np.sqrt((apart**2).sum(axis=2))
            man = attackers[distance.argmin(axis=1)]
            pull = style.marking * np.exp(-distance.min(axis=1) / 9.0)
        where = field.positions[man]
        to_goal = goal - where
        length = np.maximum(np.sqrt((to_goal**2).sum(axis=1)), 0.1)
        gap = np.clip(0.16 * length, 1.0, 2.6)
        guarded = where + to_goal / length[:, None] * np.minimum(gap, length)[:, None]
        field.targets[defenders] += pull[:, None] * (guarded - field.targets[defenders])
        if style.man_to_man:
            field.haste[defenders] = 0.35

    def _hurry(self) -> None:
        """Whoever is far from his place runs faster."""
        field = self.field
        far = np.sqrt(((field.targets - field.positions) ** 2).sum(axis=1))
        scale = 0.35 * float(self.half[0])
        rush = np.clip((far - 0.25 * scale) / scale, 0, 0.85)
        if self.state != "dead":
            field.haste = np.maximum(field.haste, rush)

    def _keepers(self) -> None:
        field = self.field
        for team, goal in enumerate(self.surface.goals):
            keepers = np.flatnonzero(field.is_keeper & (field.teams == team))
            if not len(keepers):
                continue
            keeper = int(keepers[0])
            inward = 1.0 if goal[0] < 0 else -1.0
            away = abs(field.ball[0] - goal[0]) / (2 * self.half[0])
            out = 0.6 + away * 0.55 * self.surface.area_depth
            angle = (field.ball[1] - goal[1]) / max(3.0, abs(field.ball[0] - goal[0]))
            across = float(np.clip(angle * out * 1.6, -0.42, 0.42)) * self.surface.goal_width
            field.targets[keeper] = (goal[0] + inward * out, across)
            field.rests[keeper] = 0.6
            if self.state == "loose" and away < 0.2:
                field.haste[keeper] = 0.5

    def _referees(self) -> None:
        field, style = self.field, self.style
        referees = np.flatnonzero(field.is_referee)
        ball = field.ball[:2]
        for place, person in enumerate(referees):
            field.rests[person] = 1.6
            if style.side_referees and place in (1, 2):
                team = place - 1
                others = field.positions[field.outfield & (field.teams == team)]
                line = np.sort(others[:, 0] * (1 if team == 0 else -1))[:2][-1]
                line = min(line, float(ball[0]) * (1 if team == 0 else -1), 0.0)
                across = (self.half[1] + 0.9) * (1 if team == 0 else -1)
                field.targets[person] = (line * (1 if team == 0 else -1), across)
                field.rests[person] = 0.9
                field.haste[person] = 0.35
                continue
            turn = 2.2 * place + 0.7
            offset = style.referee_distance * np.array([math.cos(turn), math.sin(turn)])
            if place == 0:
                way = 1.0 if self.owner == 0 else -1.0
                offset = style.referee_distance * np.array([-0.75 * way, 0.65])
            wanted = ball * np.array([0.85, 0.75]) + offset + field.wander[person]
            if place == 0 and self.gather:
                # Close to those who push, a little aside of them.
                crowd = np.array(list(self.gather.values()))
                middle = np.median(crowd, axis=0)
                wanted = middle + np.array(
                    [-math.copysign(5.5, middle[0]), -math.copysign(4.0, ball[1])]
                )
            limit = self.half - (0.8 if style.boards else 0.0)
            if style.hands and not style.boards:
                # Court referees keep to the edges of the court.
                side = -1.0 if place == 1 else 1.0
                wanted[1] = side * (self.half[1] + 0.2)
                if place == 2:
                    wanted = np.array([math.copysign(self.half[0] + 0.6, ball[0]), 0.45 * self.half[1]])
                limit = self.half + 1.0
            field.targets[person] = np.clip(wanted, -limit, limit)
            field.haste[person] = 0.15

    def _ball_people(self) -> None:
        """The carrier, the taker, the receiver and those who press."""
        field, style = self.field, self.style
        ball = field.ball[:2]
        if self.state == "carried":
            person = field.carrier
            field.targets[person] = field.positions[person] + self.dribble_way * 4.0
            field.haste[person] = max(0.0, (style.carry_speed - style.jog) / (style.sprint - style.jog))
            field.rests[person] = 0.3
            self._press(1 - self.owner, 0.75)
        elif self.state == "loose":
            for team in (0, 1):
                chaser = self._nearest(self._landing(), team)
                field.targets[chaser] = self._landing()
                field.haste[chaser] = 0.9
                field.rests[chaser] = 0.2
            if self.gather and field.ball[2] > 0.6:
                self._attack_the_ball()
            if self.receiver >= 0:
                field.targets[self.receiver] = self._meeting(self.receiver)
                field.haste[self.receiver] = 0.9
                field.rests[self.receiver] = 0.2
        elif self.taker >= 0:
            field.targets[self.taker] = ball
            field.haste[self.taker] = 0.25
            field.rests[self.taker] = 0.25
            # Opponents keep away from a ball that waits.
            others = field.outfield & (field.teams == 1 - self.owner)
            away = field.targets[others] - ball
            distance = np.maximum(np.sqrt((away**2).sum(axis=1)), 0.1)
            keep = 0.09 * float(self.half[0])
            field.targets[others] += (
                away / distance[:, None] * np.clip(keep - distance, 0, None)[:, None]
            )

    def _attack_the_ball(self) -> None:
        """Whoever waits near where a cross comes down goes for it."""
        field = self.field
        landing = self._landing()
        people = np.array(list(self.gather))
        apart = np.sqrt(((field.positions[people] - landing) ** 2).sum(axis=1))
        near = people[apart < 6.0]
        field.targets[near] = landing + 0.45 * (field.positions[near] - landing)
        field.haste[near] = 0.7
        field.rests[near] = 0.2

    def _press(self, team: int, haste: float) -> None:
        field = self.field
        goal = np.array([-(1.0 if team == 0 else -1.0) * self.half[0], 0.0])
        ball = field.ball[:2]
        presser = self._nearest(ball, team)
        away = goal - ball
        reach = max(float(np.hypot(*away)), 0.1)
        gap = 1.0 if self.style.man_to_man else 0.7
        field.targets[presser] = ball + away / reach * gap
        apart = float(np.hypot(*(field.positions[presser] - ball)))
        field.haste[presser] = haste if apart < 0.4 * self.half[0] else 0.2
        field.rests[presser] = 0.5

    def _landing(self) -> FloatArray:
        """Where a loose ball will come to a stop or down, roughly."""
        field = self.field
        velocity = field.ball_velocity
        # High balls are met with the head.
        head = 0.0 if self.style.hands or self.style.boards else 1.6
        height = max(float(field.ball[2]) - head, 0.0)
        fall = (velocity[2] + math.sqrt(max(velocity[2] ** 2 + 2 * GRAVITY * height, 0.0))) / GRAVITY
        ahead = max(fall, 0.35)
        where = field.ball[:2] + velocity[:2] * min(ahead, 2.0)
        landing: FloatArray = np.clip(where, -self.half, self.half)
        return landing

    def _meeting(self, person: int) -> FloatArray:
        """Where a runner meets the ball."""
        field = self.field
        apart = field.ball[:2] - field.positions[person]
        ahead = min(float(np.hypot(*apart)) / 12.0, 1.5)
        if field.ball[2] > 2.0:
            return self._landing()
        where: FloatArray = field.ball[:2] + field.ball_velocity[:2] * ahead * 0.7
        return where

    def _nearest(self, place: FloatArray, team: int, keeper: bool = False) -> int:
        field = self.field
        allowed = (field.teams == team) & (field.outfield | (field.is_keeper if keeper else False))
        apart = field.positions - place
        distance = (apart * apart).sum(axis=1)
        return int(np.where(allowed, distance, np.inf).argmin())
