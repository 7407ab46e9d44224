"""Games of possession: soccer, futsal, handball, basketball, hockey. Here the ball changes hands."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.play import CELEBRATION, GRAVITY, SCRUM, SLIDE, Play, PlayField, Recorder
from filmroom.simulate.positioning import PLAN_SECONDS, Positioning
from filmroom.simulate.restarts import corner_places, free_kick_places, penalty_places

FloatArray = NDArray[np.float64]
_CHANGE_SECONDS = 40.0
"""So long at most the game waits for people who are changed."""
_CELEBRATION_SECONDS = (12.0, 25.0)
_COVERED = 0.5
"""So many saved pucks the keeper covers; then there is a face-off."""
_SCRUM_SECONDS, _SCRUM_REACH = (3.0, 6.0), 14.0
"""How long a scrum lasts, and from how far away players come to it, metres."""
_HEADED = 0.6
"""The share of high balls within reach that are played with the head: 0.8 a minute, as in FOOTPASS."""
_DWELL_SPREAD = 0.8
"""Standard deviation of the log of the time on the ball; with the styles' medians those between a drive
and the pass after it in FOOTPASS."""
_STEEPNESS = (0.35, 0.9)
"""Rise against run at which high passes leave the foot."""
_AT_ONCE = (0.1, 0.35)
"""Seconds that a ball played on with the first touch stays."""


class Possession(Positioning):
    """One team has the ball, the other wants it; see `Positioning` for the state."""

    def __init__(self, field: PlayField) -> None:
        super().__init__(field)
        self._line_up()

    def run(self, frames: int) -> Play:
        """Play that many frames."""
        record = Recorder(self.field, frames)
        plan_every, state = max(1, round(PLAN_SECONDS * self.field.fps)), ""
        for frame in range(frames):
            self._play_ball()
            if self.style.shift and self.state == "carried":
                self.bench.on_the_fly(self.field.carrier)
            # Plans change slowly; only those on the ball think anew every frame.
            if frame % plan_every == 0 or self.state != state:
                self._send()
            else:
                self._ball_people()
            state = self.state
            record.keep(frame)
            self.field.step(self.field.ball[:2])
        return record.play()

    def _line_up(self) -> None:
        """Put everybody where the first frame finds them: a moment of open play in the middle."""
        field = self.field
        spread = np.array([0.5, 0.5]) * self.half
        self.spot = np.clip(self.rng.normal(0, 0.45, 2) * spread, -0.8 * self.half, 0.8 * self.half)
        field.ball[:2] = self.spot
        self._send()
        field.positions = field.targets + self.rng.normal(0, 1.0, field.targets.shape)
        self.bench.sit_down()
        self._take_over(self._nearest(field.ball[:2], self.owner))
        self.restart = ""

    # --- the ball ---------------------------------------------------------------------------------

    def _play_ball(self) -> None:
        match self.state:
            case "carried":
                self._carry()
            case "loose":
                self._fly()
                if self.state == "loose":
                    self._contest()
            case _:
                self._wait()
        self.field.ball = np.round(self.field.ball, 6)

    def _take_over(self, person: int) -> None:
        field, style = self.field, self.style
        team = int(field.teams[person])
        self.owner = team
        self.state = "carried"
        self.gather = {}
        self.receiver = -1
        self.last_touch = person
        field.carrier = person
        field.ball_velocity[:] = 0.0
        keeper = bool(field.is_keeper[person])
        at_once = not keeper and bool(self.rng.random() < style.at_once)
        if at_once:
            seconds = float(self.rng.uniform(*_AT_ONCE))
        else:
            seconds = style.dwell * math.exp(self.rng.normal(0.0, _DWELL_SPREAD)) + 1.5 * keeper
        self.decide_at = field.frame + max(3, round(min(seconds, 8.0) * field.fps))
        self._choose_way(person)
        if not at_once:
            field.note("DRIVE", person)

    def _choose_way(self, person: int) -> None:
        field = self.field
        goal = np.array(self.surface.goals[1 - self.owner][:2])
        way = goal - field.positions[person]
        way = way / max(float(np.hypot(*way)), 0.1) + self.rng.normal(0, 0.6, 2)
        near = self._nearest(field.positions[person], 1 - self.owner)
        away = field.positions[person] - field.positions[near]
        distance = max(float(np.hypot(*away)), 0.3)
        way = way + away / distance * min(2.0, 2.5 / distance)
        way = way - 0.9 * (np.abs(field.positions[person] / self.half) > 0.9) * np.sign(
            field.positions[person]
        )
        self.dribble_way = way / max(float(np.hypot(*way)), 0.1)

    def _carry(self) -> None:
        field, style = self.field, self.style
        person = field.carrier
        ahead = np.array([math.cos(field.facing[person]), math.sin(field.facing[person])])
        beat = field.frame / field.fps
        if style.hands:
            bounce = abs(math.sin(math.pi * 1.6 * beat))
            height = 0.12 + 0.85 * bounce if float(np.hypot(*field.velocities[person])) > 0.4 else 1.15
            goal = field.positions[person] + 0.38 * ahead
        else:
            height = self.field.sport.ball_diameter / 2
            reach = 0.45 + 0.3 * (0.5 + 0.5 * math.sin(2 * math.pi * 1.3 * beat))
            goal = field.positions[person] + reach * ahead
        field.ball[:2] += np.clip(goal - field.ball[:2], -0.45, 0.45)
        field.ball[2] += float(np.clip(height - field.ball[2], -0.3, 0.3))
        if field.frame % max(1, round(field.fps * 0.6)) == 0:
            self._choose_way(person)
        if field.frame >= self.decide_at:
            self._decide(person)
            return
        thief = self._nearest(field.ball[:2], 1 - self.owner)
        apart = float(np.hypot(*(field.positions[thief] - field.ball[:2])))
        if apart < 0.75 and self.rng.random() < (0.004 if style.man_to_man else 0.03):
            if self.rng.random() < style.fouling:
                self._foul(thief, person)
                return
            field.note("PLAYER SUCCESSFUL TACKLE", thief)
            if self.rng.random() < style.falling:
                field.go_down(person)
            self._take_over(thief)
        elif np.any(np.abs(field.ball[:2]) > self.half) and not style.boards:
            self._out()

    def _foul(self, guilty: int, victim: int) -> None:
        """A free kick, or a penalty where the guilty side defends; sometimes a card."""
        field = self.field
        field.note("FOUL", guilty)
        if self.rng.random() < 2.0 * self.style.falling:
            field.go_down(victim)
        if self.rng.random() < self.style.falling:
            field.go_down(guilty, SLIDE)
        draw = self.rng.random()
        if draw < 0.17:
            second = guilty in self.booked
            field.note("SECOND YELLOW CARD" if second else "YELLOW CARD", guilty)
            self.booked.add(guilty)
            if second:
                self.bench.send_off(guilty)
        elif draw < 0.176:
            field.note("RED CARD", guilty)
            self.bench.send_off(guilty)
        team = int(field.teams[victim])
        spot = field.positions[victim].copy()
        goal = np.array(self.surface.goals[1 - team][:2])
        away = np.abs(spot - goal)
        depth = self.surface.area_depth
        if away[0] < depth and away[1] < depth + self.surface.goal_width / 2:
            spot = goal - np.array([math.copysign(0.667 * depth, goal[0]), 0.0])
            self._stop("PENALTY", spot, team, 18.0)
            return
        near = float(np.hypot(*(spot - goal))) < 2.1 * depth
        pause = (18.0, 55.0) if near else (6.0, 42.0)
        self._stop("FREE KICK", spot, team, float(self.rng.uniform(*pause)))

    def _decide(self, person: int) -> None:
        field, style = self.field, self.style
        goal = np.array(self.surface.goals[1 - self.owner])
        distance = float(np.hypot(*(goal[:2] - field.positions[person])))
        if distance < style.shot_range and self.rng.random() < style.shot_rate:
            self._shoot(person, goal, distance)
            return
        wide = abs(float(field.positions[person, 1])) > 0.45 * self.half[1]
        if wide and distance < 0.62 * self.half[0] and self.rng.random() < style.crossing:
            self._cross(person)
            return
        self._pass(person)

    def _shoot(self, person: int, goal: FloatArray, distance: float) -> None:
        field, style = self.field, self.style
        field.note("SHOT", person)
        scored = bool(self.rng.random() < style.scoring)
        aim = goal.copy()
        start = field.ball.copy()
        if style.hands and goal[2] > 2.5:
            start[2] = 2.2
            field.jump(person, 0.35)
            if not scored:
                aim[:2] += self.rng.choice([-1, 1], 2) * self.rng.uniform(0.12, 0.3, 2)
            seconds = 0.55 + distance / 12.0
            rise = (aim[2] - start[2]) / seconds + 0.5 * GRAVITY * seconds
        else:
            half = self.surface.goal_width / 2
            across = self.rng.uniform(-0.85, 0.85) if scored else self.rng.normal(0, 1.1)
            aim[1] = goal[1] + across * half
            aim[2] = (
                abs(self.rng.normal(0, 0.5)) * goal[2]
                if scored
                else abs(self.rng.normal(0, 1.4)) * goal[2]
            )
            seconds = distance / self.rng.uniform(*style.shot_speed)
            rise = (aim[2] - start[2]) / seconds + 0.5 * GRAVITY * seconds
            if style.boards:
                rise = 0.3
        self.pending_goal = scored
        velocity = np.array([*((aim[:2] - start[:2]) / seconds), rise])
        self._release(person, start, velocity, -1)

    def _pass(self, person: int, *, far: bool = False) -> None:
        """Play the ball to a mate; `far` up the pitch, as keepers do with goal kicks."""
        field, style = self.field, self.style
        liked = (2.3 if far else 0.55) * style.pass_reach
        mates = np.flatnonzero((field.teams == self.owner) & (field.outfield | field.is_keeper))
        mates = mates[mates != person]
        apart = field.positions[mates] - field.positions[person]
        distance = np.sqrt((apart**2).sum(axis=1))
        forward = apart[:, 0] * field.attack_way[person]
        rivals = field.positions[field.teams == 1 - self.owner]
        gap = np.sqrt(((field.positions[mates][:, None] - rivals[None]) ** 2).sum(axis=2)).min(axis=1)
        liking = (
            -(((distance - liked) / style.pass_reach) ** 2)
            + 0.5 * np.tanh(forward / style.pass_reach)
            + 0.6 * np.tanh(gap / 4.0)
            - 1.2 * field.is_keeper[mates]
        )
        weights = np.exp(2.2 * (liking - liking.max()))
        mate = int(self.rng.choice(mates, p=weights / weights.sum()))
        length = float(np.hypot(*(field.positions[mate] - field.positions[person])))
        high = length > 1.6 * style.pass_reach or bool(self.rng.random() < style.high_pass)
        if style.boards:
            high = False
        speed = float(np.clip(0.75 * length + 3.0, *style.pass_speed))
        lead = field.positions[mate] + field.velocities[mate] * min(length / speed, 1.2)
        error = self.rng.normal(0, 0.035 * length + 0.1, 2)
        aim = np.clip(lead + error, -1.03 * self.half, 1.03 * self.half)
        if self._is_offside(mate) and self.rng.random() < style.offside:
            field.note("PASS", person)
            field.note("OFFSIDE", mate)
            place = field.positions[mate].copy()
            self._stop("INDIRECT FREE KICK", place, 1 - self.owner, float(self.rng.uniform(8.0, 42.0)))
            return
        start = field.ball.copy()
        way = aim - start[:2]
        length = max(float(np.hypot(*way)), 0.5)
        field.note("HIGH PASS" if high else "PASS", person)
        if high or style.hands:
            if style.hands:
                start[2] = 1.3
            seconds = length / speed
            if not style.hands:
                steepness = self.rng.uniform(*_STEEPNESS)
                seconds = max(seconds, math.sqrt(2.0 * length * steepness / GRAVITY))
            velocity = np.array([*(way / seconds), 0.5 * GRAVITY * seconds])
        else:
            velocity = np.array([*(way / length * speed), 0.0])
        self._release(person, start, velocity, mate)

    def _is_offside(self, mate: int) -> bool:
        """Is he nearer to the goal than the ball and the second last opponent (IFAB Law 11)?"""
        field = self.field
        way = float(field.attack_way[mate])
        ahead = way * float(field.positions[mate, 0])
        others = field.positions[(field.teams == 1 - self.owner) & ~field.is_referee, 0] * way
        return ahead > max(0.0, way * float(field.ball[0]), float(np.sort(others)[-2]))

    def _release(self, person: int, start: FloatArray, velocity: FloatArray, mate: int) -> None:
        field = self.field
        field.ball[:] = start
        field.ball_velocity = velocity
        field.carrier = -1
        self.state = "loose"
        self.receiver = mate
        self.last_touch = person
        self.free_from = field.frame + round(0.45 * field.fps)

    def _fly(self) -> None:
        field, style = self.field, self.style
        dt, radius = field.dt, field.sport.ball_diameter / 2
        before = field.ball.copy()
        velocity = field.ball_velocity
        if field.ball[2] > radius + 1e-3 or velocity[2] > 0:
            velocity[:2] *= 1 - 0.1 * dt
            velocity[2] -= GRAVITY * dt
        else:
            speed = float(np.hypot(*velocity[:2]))
            velocity[:2] *= max(0.0, 1 - style.glide * dt / max(speed, 1e-3))
        field.ball = field.ball + velocity * dt
        if field.ball[2] < radius:
            field.ball[2] = radius
            velocity[2] = -0.6 * velocity[2] if velocity[2] < -1.0 else 0.0
            velocity[:2] *= 0.85 if velocity[2] > 0 else 1.0
        field.ball_velocity = np.round(velocity, 6)
        self._at_goal(before)
        if self.state != "loose":
            return
        if style.boards:
            beyond = np.abs(field.ball[:2]) > self.half - 0.15
            field.ball_velocity[:2] *= np.where(beyond, -0.55, 1.0)
            field.ball[:2] = np.clip(field.ball[:2], -self.half + 0.15, self.half - 0.15)
        elif np.any(np.abs(field.ball[:2]) > self.half + radius):
            self._out()

    def _at_goal(self, before: FloatArray) -> None:
        """Did the ball pass a goal's line between the posts, or fall through the rim?"""
        field = self.field
        for defended, goal in enumerate(self.surface.goals):
            if goal[2] > 2.5:
                falls = before[2] >= goal[2] > field.ball[2] and self.last_touch >= 0
                apart = float(np.hypot(field.ball[0] - goal[0], field.ball[1] - goal[1]))
                if not falls or apart > 0.7:
                    continue
                if self.pending_goal:
                    self._goal(1 - defended)
                else:
                    field.ball_velocity = np.array([*self.rng.normal(0, 2.6, 2), 2.5])
                self.pending_goal = False
                return
            crossed = (before[0] - goal[0]) * (field.ball[0] - goal[0]) <= 0 and before[
                0
            ] != field.ball[0]
            within = abs(field.ball[1] - goal[1]) < self.surface.goal_width / 2 and field.ball[2] < 2.44
            outward = field.ball_velocity[0] * goal[0] > 0
            if crossed and within and outward:
                if self.pending_goal:
                    self._goal(1 - defended)
                else:
                    self._saved(defended)
                self.pending_goal = False
                return

    def _saved(self, team: int) -> None:
        keepers = np.flatnonzero(self.field.is_keeper & (self.field.teams == team))
        if not len(keepers):
            return
        keeper = int(keepers[0])
        self.last_touch = keeper
        self.field.note("SAVE", keeper)
        if self.style.boards and self.rng.random() < _COVERED:
            self._scrum(keeper)
            return
        velocity = self.field.ball_velocity
        if self.rng.random() < 0.5:
            self.field.ball_velocity = np.array([-0.25 * velocity[0], self.rng.normal(0, 4.0), 1.5])
            self.field.note("BALL PLAYER BLOCK", keeper)
            return
        self.field.ball_velocity = np.array([-0.15 * velocity[0], 0.0, 0.0])

    def _scrum(self, keeper: int) -> None:
        """Those near pack round the keeper with the puck; a face-off at the nearest spot follows."""
        field = self.field
        field.note(SCRUM, keeper)
        at = field.positions[keeper].copy()
        named = self.surface.keypoints.items()
        spots = np.array([place[:2] for name, place in named if name.startswith("spot ")])
        spot = spots[np.hypot(*(spots - at).T).argmin()]
        self._stop("FACE OFF", spot, int(self.rng.integers(2)), float(self.rng.uniform(9.0, 16.0)))
        apart = np.hypot(*(field.positions - at).T)
        near = np.flatnonzero(field.outfield & (field.teams >= 0) & (apart < _SCRUM_REACH))
        turns = self.rng.uniform(0.0, 2 * math.pi, len(near))
        gaps = 0.6 + 0.3 * np.sqrt(np.arange(len(near)))
        ring = np.stack([np.cos(turns), np.sin(turns)], axis=1) * gaps[:, None]
        self.gather = {int(person): at + place for person, place in zip(near, ring, strict=True)}
        self.packed_until = field.frame + round(float(self.rng.uniform(*_SCRUM_SECONDS)) * field.fps)

    def _goal(self, team: int) -> None:
        field = self.field
        field.note("GOAL", self.last_touch)
        field.ball_velocity[:] = 0.0
        if self.style.hands and self.surface.goals[0][2] > 2.5:
            side = float(np.sign(self.surface.goals[1 - team][0]))
            self._stop("THROW IN", np.array([side * (self.half[0] + 0.3), 1.5]), 1 - team, 1.0)
            return
        scorer = self.last_touch
        self._stop("KICK OFF", np.zeros(2), 1 - team, self._pause("KICK OFF", 6.0))
        if self.style.falling and field.cast.teams[scorer] == team:
            self._celebrate(scorer, team)

    def _celebrate(self, scorer: int, team: int) -> None:
        """The scorer runs to a corner and his side packs round him, until the game goes on."""
        field = self.field
        goal = np.array(self.surface.goals[1 - team][:2])
        corner = goal * 0.93 + np.array(
            [0.0, math.copysign(0.72 * self.half[1], field.positions[scorer, 1])]
        )
        field.note(CELEBRATION, scorer)
        mates = np.flatnonzero(field.outfield & (field.teams == team))
        joining = mates[self.rng.random(len(mates)) < 0.8]
        turns = self.rng.uniform(0.0, 2 * math.pi, len(joining))
        apart = 0.35 + 0.25 * np.sqrt(np.arange(len(joining)))
        self.gather = {
            int(person): corner + gap * np.array([math.cos(turn), math.sin(turn)])
            for person, gap, turn in zip(joining, apart, turns, strict=True)
        }
        self.gather[scorer] = corner
        seconds = float(self.rng.uniform(*_CELEBRATION_SECONDS))
        self.packed_until = field.frame + round(seconds * field.fps)
        self.wait_until = max(self.wait_until, self.packed_until + round(8.0 * field.fps))

    def _contest(self) -> None:
        """A loose ball is taken by whoever can reach it."""
        field, style = self.field, self.style
        reach_high = 2.5 if style.hands else (1.3 if style.boards else 2.35)
        if field.ball[2] > reach_high:
            return
        apart = field.positions - field.ball[:2]
        distance = np.sqrt((apart**2).sum(axis=1))
        distance[field.teams < 0] = np.inf
        if field.frame < self.free_from:
            distance[self.last_touch] = np.inf
        person = int(distance.argmin())
        reach = 1.5 if field.is_keeper[person] else 0.95
        if distance[person] > reach:
            return
        same = int(field.teams[person]) == self.owner
        speed = float(np.hypot(*field.ball_velocity[:2]))
        chance = 0.9 if same or person == self.receiver else (0.3 if speed > 8 else 0.8)
        surprised = person != self.receiver and not field.is_keeper[person]
        chance *= 0.35 if speed > 18 and surprised else 1.0
        chance = 1 - (1 - chance) ** (10 * field.dt)
        if self.pending_goal and not same:
            return
        if field.ball[2] > 1.25 and not (style.hands or style.boards):
            chance *= _HEADED
        if self.rng.random() < chance:
            self.pending_goal = False
            self.gather = {}
            if (
                field.ball[2] > 1.25
                and not (style.hands or style.boards)
                and not field.is_keeper[person]
            ):
                self._head(person)
                return
            if not same and speed > 15.5 and not field.is_keeper[person] and not style.hands:
                field.note("BALL PLAYER BLOCK", person)
            self._take_over(person)

    def _head(self, person: int) -> None:
        """Off the head at once: at the goal, away from one's own, or to somebody near."""
        field = self.field
        field.jump(person, 0.35)
        field.note("HEADER", person)
        team = int(field.teams[person])
        self.owner = team
        goal = np.array(self.surface.goals[1 - team])
        own = np.array(self.surface.goals[team])
        distance = float(np.hypot(*(goal[:2] - field.positions[person])))
        if distance < 0.8 * self.surface.area_depth and self.rng.random() < 0.6:
            self._shoot(person, goal, distance)
            return
        way = np.array([float(field.attack_way[person]) * 7.0, 0.0]) + self.rng.normal(0.0, 5.0, 2)
        if float(np.hypot(*(own[:2] - field.positions[person]))) < 1.3 * self.surface.area_depth:
            way[0] = float(field.attack_way[person]) * self.rng.uniform(9.0, 16.0)
            field.note("CLEARANCE", person)
        self._release(person, field.ball.copy(), np.array([*way, self.rng.uniform(0.5, 4.0)]), -1)

    def _out(self) -> None:
        """The ball left the surface: who brings it back, where and how."""
        field = self.field
        field.note("OUT", self.last_touch)
        self.pending_goal = False
        touched = int(field.cast.teams[self.last_touch]) if self.last_touch >= 0 else self.owner
        other = 1 - touched
        x, y = (float(value) for value in field.ball[:2])
        if abs(y) >= self.half[1] or self.surface.goals[0][2] > 2.5:
            spot = np.clip(np.array([x, y]), -self.half - 0.2, self.half + 0.2)
            self._stop("THROW IN", spot, other, self._pause("THROW IN", 1.5))
            return
        defended = 0 if x < 0 else 1
        side = math.copysign(1.0, x)
        if touched == defended and not self.style.hands:
            spot = np.array([side * (self.half[0] - 0.4), math.copysign(self.half[1] - 0.4, y)])
            field.note("CORNER", self.last_touch)
            self._stop("CORNER", spot, other, float(self.rng.uniform(12.0, 42.0)))
            return
        spot = np.array([side * (self.half[0] - 0.33 * self.surface.area_depth), 2.5])
        self._stop("GOAL KICK", spot, defended, self._pause("GOAL KICK", 4.0))

    def _pause(self, restart: str, least: float) -> float:
        """Seconds until the ball is put into play; soccer players take their time."""
        longest = self.style.extras.get(restart, least)
        return float(self.rng.uniform(least, longest))

    def _stop(self, restart: str, spot: FloatArray, team: int, seconds: float) -> None:
        field = self.field
        self.state, self.restart, self.spot, self.owner = "dead", restart, spot, team
        self.gather = {}
        self.receiver = -1
        field.carrier = -1
        field.ball_velocity[:] = 0.0
        self.wait_until = field.frame + round(seconds * field.fps)
        self.taker = self._nearest(spot, team, keeper=restart == "GOAL KICK")
        if restart == "GOAL KICK":
            keepers = np.flatnonzero(field.is_keeper & (field.teams == team))
            self.taker = int(keepers[0]) if len(keepers) else self.taker
        self._take_places()
        self.bench.at_stop(self.taker, {self.last_touch, *self.gather})

    def _take_places(self) -> None:
        """Give out the places of a corner, a free kick near a goal or a penalty."""
        goal = np.array(self.surface.goals[1 - self.owner][:2])
        near = float(np.hypot(*(goal - self.spot))) < 2.1 * self.surface.area_depth
        if self.style.hands or self.style.boards or len(self._foremost(0)) < 4:
            return
        attackers, defenders = (self._foremost(team) for team in (self.owner, 1 - self.owner))
        attackers = attackers[attackers != self.taker]
        match self.restart:
            case "CORNER":
                self.gather = corner_places(goal, self.spot, attackers, defenders, self.rng)
            case "FREE KICK" if near:
                self.gather = free_kick_places(goal, self.spot, attackers, defenders, self.rng)
            case "PENALTY":
                both = np.concatenate([attackers, defenders])
                self.gather = penalty_places(goal, self.surface.area_depth, both, self.rng)
            case _:
                pass

    def _foremost(self, team: int) -> NDArray[np.int64]:
        """The outfield players of a team from the forward to the last defender."""
        people = np.flatnonzero(self.field.outfield & (self.field.teams == team))
        return people[np.argsort(-self.formation[people, 0], kind="stable")]

    def _wait(self) -> None:
        field = self.field
        if self.restart in ("KICK OFF", "FACE OFF"):
            if field.frame >= self.packed_until:
                self.gather = self._opposite() if self.restart == "FACE OFF" else {}
            elif self.restart == "FACE OFF":
                return
        radius = field.sport.ball_diameter / 2
        rolled = self.spot - field.ball[:2]
        # Somebody brings or rolls the ball to the spot.
        field.ball[:2] += np.clip(rolled, -3.0 * field.dt, 3.0 * field.dt)
        field.ball[2] = max(radius, field.ball[2] - 2.0 * field.dt)
        ready = float(np.hypot(*(field.positions[self.taker] - field.ball[:2]))) < 0.9
        late = field.frame > self.wait_until + round(12 * field.fps)
        if late:
            self.taker = self._nearest(field.ball[:2], self.owner, keeper=True)
        if field.frame < self.wait_until or not ready or float(np.hypot(*rolled)) > 0.3:
            return
        if self.bench.busy and field.frame < self.wait_until + round(_CHANGE_SECONDS * field.fps):
            return
        restart, self.restart = self.restart, ""
        if restart in _RESTART_LABELS:
            field.note(_RESTART_LABELS[restart], self.taker)
        self.last_touch = self.taker
        goal = np.array(self.surface.goals[1 - self.owner])
        distance = float(np.hypot(*(goal[:2] - field.ball[:2])))
        if restart == "PENALTY":
            self.gather = {}
            self._shoot(self.taker, goal, distance)
        elif restart == "CORNER" and self.rng.random() < 0.88:
            self._cross(self.taker)
        elif restart == "FREE KICK" and self.gather:
            if distance < self.style.shot_range and self.rng.random() < 0.45:
                self._shoot(self.taker, goal, distance)
            else:
                self._cross(self.taker)
        else:
            self.gather = {}
            kicked = restart == "GOAL KICK" and not (self.style.hands or self.style.boards)
            self._pass(self.taker, far=kicked and bool(self.rng.random() < 0.6))

    def _opposite(self) -> dict[int, FloatArray]:
        """Who faces the taker at a face-off, and where he stands."""
        rival = self._nearest(self.spot, 1 - self.owner)
        return {rival: self.spot + np.array([0.8 * self.field.attack_way[self.taker], 0.0])}

    def _cross(self, person: int) -> None:
        field = self.field
        field.note("CROSS", person)
        goal = self.surface.goals[1 - self.owner]
        inward = -math.copysign(1.0, goal[0])
        aim = np.array([goal[0] + inward * self.rng.uniform(3.0, 11.0), self.rng.normal(0, 3.0)])
        seconds = self.rng.uniform(1.3, 1.9)
        way = aim - field.ball[:2]
        velocity = np.array([*(way / seconds), 0.5 * GRAVITY * seconds])
        self._release(person, field.ball.copy(), velocity, -1)


_RESTART_LABELS = {
    "THROW IN": "THROW IN",
    "FREE KICK": "FREE KICK",
    "INDIRECT FREE KICK": "INDIRECT FREE KICK",
    "PENALTY": "PENALTY",
    "GOAL KICK": "GOAL KICK",
    "KICK OFF": "KICK OFF",
    "FACE OFF": "FACE OFF",
    "CORNER": "CORNER KICK",
}
"""What is noted when the ball is put into play again."""
