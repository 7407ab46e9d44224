"""Who is where and when: two teams, keepers, referees and the ball, without a picture.

Everything is arrays over frames and people. State is rounded to a micrometre after every step, so that
the last bit of a sine, which differs between processors, never grows into another match.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.pitch import Sport, Surface, sport_named, surface_named
from filmroom.simulate.names import invented_names
from filmroom.simulate.styles import STYLES, Style

FloatArray = NDArray[np.float64]
FloatTable = NDArray[np.float32]

TOP_SPEED, TOP_ACCELERATION = 9.0, 5.0
"""Nobody ever moves faster or gathers speed quicker, m/s and m/s^2."""
GRAVITY = 9.81
"""Of whoever jumps and of every ball, m/s^2."""

FALL, SLIDE, CELEBRATION = "FALL", "SLIDE", "CELEBRATION"
"""Noted for the body's sake alone: somebody goes down, slides into a tackle, throws up his arms."""
SCRUM = "SCRUM"
"""The puck is covered and everybody near packs round the keeper."""
FALL_SECONDS, SLIDE_SECONDS = 2.4, 0.9


@dataclass(frozen=True)
class Cast:
    """The people of a match in the order of all arrays: N of them.

    `teams` (N,) 0, 1 or -1 for neither; `roles` as in `filmroom.tables.ROLES`; `numbers` None where no
    number is worn; invented surnames; `reserves` (N,) who begins on the bench. Tracks are counted
    from 1 in this order; the ball's track is N + 1.
    """

    teams: NDArray[np.int8]
    roles: tuple[str, ...]
    numbers: tuple[str | None, ...]
    names: tuple[str, ...]
    reserves: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.roles)

    @property
    def ball_track(self) -> int:
        """The ball's own track number."""
        return len(self.roles) + 1


@dataclass(frozen=True)
class Event:
    """Something that happened: `label` as in SoccerNet ball action spotting, in capitals."""

    frame: int
    label: str
    team: int
    person: int


@dataclass(frozen=True)
class Play:
    """One stretch of a match at `fps` frames a second.

    `positions`, `velocities` (T, N, 2) metres; `facing` (T, N) radians, 0 along +x, growing towards +y;
    `lifts` (T, N) metres off the ground (jumps); `present` (T, N) who is on the surface or on the way
    there or from it, and not on the bench; `ball` (T, 3); `carrier` (T,) the person on the ball or -1.
    """

    sport: Sport
    surface: Surface
    fps: float
    cast: Cast
    positions: FloatTable
    velocities: FloatTable
    facing: FloatTable
    lifts: FloatTable
    present: NDArray[np.bool_]
    ball: FloatTable
    carrier: NDArray[np.int16]
    events: tuple[Event, ...]

    def __len__(self) -> int:
        return len(self.ball)

    def part(self, first: int, end: int) -> Play:
        """The frames from `first` up to but not including `end`, counted anew from 0."""
        return replace(
            self,
            positions=self.positions[first:end],
            velocities=self.velocities[first:end],
            facing=self.facing[first:end],
            lifts=self.lifts[first:end],
            present=self.present[first:end],
            ball=self.ball[first:end],
            carrier=self.carrier[first:end],
            events=tuple(
                replace(event, frame=event.frame - first)
                for event in self.events
                if first <= event.frame < end
            ),
        )


def simulate_play(
    sport_name: str,
    frames: int,
    rng: np.random.Generator,
    *,
    fps: float = 25.0,
    surface_name: str | None = None,
) -> Play:
    """Let two teams play for `frames` frames; InputError for a sport or a length that cannot be."""
    from filmroom.simulate.games import GAMES

    sport = sport_named(sport_name)
    surface = surface_named(sport, surface_name)
    if frames < 1 or fps <= 0:
        raise InputError(f"cannot simulate {frames} frames at {fps} a second; both must be above 0")
    style = STYLES[sport.name].on(surface.length / sport.surface.length)
    cast = make_cast(sport, surface, rng)
    field = PlayField(sport, surface, style, cast, fps, rng)
    return GAMES[style.game](field).run(frames)


def make_cast(sport: Sport, surface: Surface, rng: np.random.Generator) -> Cast:
    """Two sides with different numbers within each, the keeper first; the referees; the benches."""
    teams: list[int] = []
    roles: list[str] = []
    numbers: list[str | None] = []
    benches: list[list[str]] = []
    lowest, highest = sport.numbers
    reserves = STYLES[sport.name].reserves
    for team in (0, 1):
        count = surface.players or sport.players
        # Low numbers are worn more often than high ones.
        values = np.arange(lowest, highest + 1)
        weights = np.exp(-values / 18.0) + 0.02
        drawn = rng.choice(values, size=count + reserves, replace=False, p=weights / weights.sum())
        benches.append([str(number) for number in drawn[count:]])
        for index in range(count):
            keeper = sport.goalkeeper and index == 0
            teams.append(team)
            roles.append("goalkeeper" if keeper else "player")
            numbers.append("1" if keeper and 1 not in drawn[1:] else str(drawn[index]))
    for _ in range(surface.referees or sport.referees):
        teams.append(-1)
        roles.append("referee")
        numbers.append(None)
    started = len(teams)
    for team, bench in enumerate(benches):
        teams += [team] * reserves
        roles += ["player"] * reserves
        numbers += bench
    return Cast(
        np.array(teams, dtype=np.int8),
        tuple(roles),
        tuple(numbers),
        invented_names(len(teams), rng),
        np.arange(len(teams)) >= started,
    )


class PlayField:
    """The bodies on the surface: where they are, where they want to go, how they get there.

    A course of play (`games.py`) sets `targets` and `haste`, then calls `step`; positions keep to human
    speeds and accelerations whatever it asks for. `teams` is whom everybody plays for now: -1 for
    referees and for people off the surface; `present` is False for those on the bench.
    """

    def __init__(
        self,
        sport: Sport,
        surface: Surface,
        style: Style,
        cast: Cast,
        fps: float,
        rng: np.random.Generator,
    ) -> None:
        self.sport, self.surface, self.style, self.cast = sport, surface, style, cast
        self.fps, self.rng = fps, rng
        self.dt = 1.0 / fps
        count = len(cast)
        self.present = ~cast.reserves
        self.teams = np.where(self.present, cast.teams, -1).astype(np.int64)
        self.attack_way = np.where(cast.teams == 0, 1.0, np.where(cast.teams == 1, -1.0, 0.0))
        self.is_keeper = np.array([role == "goalkeeper" for role in cast.roles])
        self.is_referee = np.array([role == "referee" for role in cast.roles])
        self.outfield = ~self.is_keeper & ~self.is_referee & self.present
        self.positions: FloatArray = np.zeros((count, 2))
        self.velocities: FloatArray = np.zeros((count, 2))
        self.facing: FloatArray = rng.uniform(-np.pi, np.pi, count)
        self.lifts: FloatArray = np.zeros(count)
        self.lift_speeds: FloatArray = np.zeros(count)
        self.targets: FloatArray = np.zeros((count, 2))
        self.haste: FloatArray = np.zeros(count)
        self.rests: FloatArray = np.full(count, style.rest)
        self.moving = np.zeros(count, dtype=bool)
        self.wander: FloatArray = rng.normal(0, style.wander, (count, 2))
        fitness = rng.normal(1.0, 0.06, count)
        self.sprint: FloatArray = np.clip(style.sprint * fitness, 4.0, TOP_SPEED - 0.05)
        self.jog: FloatArray = np.clip(style.jog * rng.normal(1.0, 0.12, count), 1.2, 6.0)
        self.ball: FloatArray = np.zeros(3)
        self.ball_velocity: FloatArray = np.zeros(3)
        self.crowding = style.crowding
        self.down = np.zeros(count, dtype=np.int64)
        self.carrier = -1
        self.events: list[Event] = []
        self.frame = 0
        self._other: FloatArray = 1e3 * np.eye(count)

    def drift(self, seconds: float | None = None) -> None:
        """Let everybody's small wishes of where to stand change as in `seconds`, or a frame."""
        spread, patience = self.style.wander, 5.0
        gone = self.dt if seconds is None else seconds
        keep = 1.0 - gone / patience
        kick = spread * float(np.sqrt(2 * gone / patience))
        self.wander = self.wander * keep + kick * self.rng.standard_normal(self.wander.shape)

    def distances(self) -> FloatArray:
        """Metres between every two people, (N, N); a great deal on the diagonal."""
        apart = self.positions[:, None] - self.positions[None]
        metres: FloatArray = np.sqrt((apart * apart).sum(axis=2)) + self._other
        return metres

    def step(self, look_at: FloatArray | None = None) -> None:
        """Move everybody one frame towards the targets; `look_at` is what the idle turn to face."""
        dt = self.dt
        wish = self.targets - self.positions
        far = np.sqrt((wish * wish).sum(axis=1))
        # Whoever rests starts only when well away from the place, and stops close to it.
        self.moving = np.where(self.moving, far > 0.35 * self.rests, far > self.rests)
        pace = self.jog + self.haste * (self.sprint - self.jog)
        pace = np.minimum(pace, far * (0.9 + 1.6 * self.haste))
        able = self.present & (self.frame >= self.down)
        pace = np.where((self.moving | (self.haste > 0.6)) & able, pace, 0.0)
        wanted = wish / np.maximum(far, 1e-6)[:, None] * pace[:, None]
        apart = self.positions[:, None] - self.positions[None]
        distance = np.sqrt((apart * apart).sum(axis=2)) + self._other
        push = np.clip(self.crowding - distance, 0, None) * (6.0 * self.present)
        wanted = wanted + (apart / distance[:, :, None] * push[:, :, None]).sum(axis=1)
        wanted = self._held_back(wanted)
        self.velocities = approach(
            self.velocities, wanted, min(self.style.acceleration, TOP_ACCELERATION) * dt
        )
        speed = np.sqrt((self.velocities**2).sum(axis=1))
        too_fast = np.maximum(speed / TOP_SPEED, 1.0)
        self.velocities = np.round(self.velocities / too_fast[:, None], 6)
        self.positions = np.round(self.positions + self.velocities * dt, 6)
        self._turn(speed, look_at)
        self._fall()
        self.frame += 1

    def _held_back(self, wanted: FloatArray) -> FloatArray:
        """Wanted velocities (N, 2), slowed before the boards or the edge of the free ground."""
        half = np.array([self.surface.half_length, self.surface.half_width])
        edge = half - 0.4 if self.style.boards else half + np.array(self.surface.margin)
        room = np.maximum(edge - np.abs(self.positions), 0.0)
        fastest = np.sqrt(1.6 * self.style.acceleration * room)
        outward = wanted * np.sign(self.positions) > fastest
        return np.where(outward, np.sign(self.positions) * fastest, wanted)

    def _turn(self, speed: FloatArray, look_at: FloatArray | None) -> None:
        # atan2 through complex numbers keeps one expression for both cases.
        way = self.velocities.copy()
        if look_at is not None:
            # Slow people look at the play, fast ones where they run; keepers and referees look longest.
            watch = np.clip(1.6 - 0.55 * speed, 0.0, 1.0) + 0.8 * (self.is_keeper | self.is_referee)
            towards = look_at - self.positions
            towards = towards / np.maximum(np.sqrt((towards**2).sum(axis=1)), 1e-6)[:, None]
            way = way + towards * watch[:, None] * 2.0
        wanted = np.arctan2(way[:, 1], way[:, 0])
        turn = (wanted - self.facing + np.pi) % (2 * np.pi) - np.pi
        limit = 6.0 * self.dt
        self.facing = np.round(self.facing + np.clip(turn * 0.25, -limit, limit), 6)

    def _fall(self) -> None:
        if not self.lifts.any() and not self.lift_speeds.any():
            return
        self.lift_speeds = self.lift_speeds - GRAVITY * self.dt
        self.lifts = np.maximum(self.lifts + self.lift_speeds * self.dt, 0.0)
        self.lift_speeds = np.where(self.lifts > 0, self.lift_speeds, 0.0)

    def jump(self, person: int, height: float) -> None:
        """Start a jump that lifts the body by `height` metres."""
        if self.lifts[person] == 0.0:
            self.lift_speeds[person] = float(np.sqrt(2 * GRAVITY * height))
            self.lifts[person] = 1e-3

    def go_down(self, person: int, label: str = FALL) -> None:
        """Let somebody fall, or slide (SLIDE): he lies for a while and comes to rest."""
        if self.frame < self.down[person]:
            return
        seconds = FALL_SECONDS if label == FALL else SLIDE_SECONDS
        self.down[person] = self.frame + round(seconds * self.fps)
        self.note(label, person)

    def note(self, label: str, person: int) -> None:
        """Remember that something happened now."""
        team = int(self.cast.teams[person]) if person >= 0 else -1
        self.events.append(Event(self.frame, label, team, person))


class Recorder:
    """Collects the frames of a field into one Play."""

    def __init__(self, field: PlayField, frames: int) -> None:
        count = len(field.cast)
        self.field = field
        self.positions = np.zeros((frames, count, 2), np.float32)
        self.velocities = np.zeros((frames, count, 2), np.float32)
        self.facing = np.zeros((frames, count), np.float32)
        self.lifts = np.zeros((frames, count), np.float32)
        self.present = np.zeros((frames, count), dtype=bool)
        self.ball = np.zeros((frames, 3), np.float32)
        self.carrier = np.full(frames, -1, np.int16)

    def keep(self, frame: int) -> None:
        """Write the field's present state down as that frame."""
        field = self.field
        self.positions[frame] = field.positions
        self.velocities[frame] = field.velocities
        self.facing[frame] = field.facing
        self.lifts[frame] = field.lifts
        self.present[frame] = field.present
        self.ball[frame] = field.ball
        self.carrier[frame] = field.carrier

    def play(self) -> Play:
        """All frames kept, with the field's events."""
        field = self.field
        return Play(
            field.sport, field.surface, field.fps, field.cast, self.positions, self.velocities,
            self.facing, self.lifts, self.present, self.ball, self.carrier, tuple(field.events),
        )  # fmt: skip


def approach(values: FloatArray, wanted: FloatArray, most: float) -> FloatArray:
    """Vectors (N, 2) moved towards the wanted ones by no more than `most` each."""
    change = wanted - values
    size = np.sqrt((change * change).sum(axis=1))
    share = np.minimum(1.0, most / np.maximum(size, 1e-9))
    nearer: FloatArray = values + change * share[:, None]
    return nearer
