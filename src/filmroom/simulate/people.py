"""Who the figures are and how they hold themselves in every frame; drawn figures are kept for reuse."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filmroom.pitch import Surface
from filmroom.simulate.figures import (
    Look,
    Pose,
    Sprite,
    draw_figure,
    gait_pose,
    random_look,
    random_pose,
    random_thigh,
)
from filmroom.simulate.kits import Kit, colour_distance, held_out_kit, random_kit
from filmroom.simulate.play import (
    CELEBRATION,
    FALL,
    FALL_SECONDS,
    SLIDE,
    SLIDE_SECONDS,
    Play,
)
from filmroom.simulate.settings import Difficulty
from filmroom.simulate.styles import STYLES

FloatArray = NDArray[np.float64]

_PHASES, HEADINGS, TILTS = 12, 20, 8
"""Steps in which figures are kept: of a stride, of a turn round, and a radian of elevation."""
_SIZE_STEP = 1.22
_SPEEDS = (0.0, 1.2, 2.5, 4.3, 7.0)
_NAMED = 0.7
"""The share of matches in which shirts carry names."""
_IDLE_KINDS = ("stand", "stand", "stand", "stand", "bent", "stand", "point")


def random_looks(
    play: Play, difficulty: Difficulty, rng: np.random.Generator, *, held_out: bool = False
) -> list[Look]:
    """One look for every person: two kits, keepers' and referees' own, the sport's dress."""
    draw_kit = held_out_kit if held_out else random_kit
    home, away = draw_kit(rng), draw_kit(rng)
    for _ in range(20):
        if colour_distance(home.shirt, away.shirt) > 75:
            break
        away = draw_kit(rng)
    if rng.random() < difficulty.alike:
        away = replace(away, shirt=_near(home.shirt, rng), shorts=_near(home.shorts, rng))
    taken = [home.shirt, away.shirt]
    keepers = [_unlike(taken, rng), _unlike(taken, rng)]
    referee = _referee_kit(taken, rng)
    fonts = rng.integers(0, 1000, 2)
    dress = _DRESS.get(play.sport.name, _DRESS["soccer"])
    looks = []
    named = rng.random() < _NAMED
    thighs = [random_thigh(rng), random_thigh(rng)]
    cast = play.cast
    for team, role, number, name in zip(cast.teams, cast.roles, cast.numbers, cast.names, strict=True):
        kit = referee if team < 0 else (keepers[team] if role == "goalkeeper" else (home, away)[team])
        look = random_look(rng, kit)
        sleeves = rng.choice(dress.sleeves)
        helmet = (home, away)[team].shorts if dress.helmet and team >= 0 else None
        looks.append(
            replace(
                look,
                number=number,
                font=int(fonts[max(team, 0)]),
                thigh=thighs[team] if team >= 0 and dress.shorts < 1.0 else 0,
                name=name.upper() if team >= 0 and named else None,
                height_m=float(np.clip(look.height_m + dress.taller, 1.62, 2.2)),
                sleeves=float(1.0 if role == "goalkeeper" else sleeves),
                shorts_length=dress.shorts if team >= 0 or dress.shorts < 0.5 else 1.0,
                helmet=helmet,
                pads=dress.pads * (1.0 if team >= 0 else 0.0),
                gloves=(230, 230, 230)
                if role == "goalkeeper" or (dress.gloves and team >= 0)
                else None,
            )
        )
    return looks


@dataclass(frozen=True)
class _Dress:
    sleeves: tuple[float, ...]
    shorts: float
    helmet: bool = False
    pads: float = 0.0
    gloves: bool = False
    taller: float = 0.0


_DRESS = {
    "soccer": _Dress((0.42, 0.42, 0.45, 1.0), 0.37),
    "basketball": _Dress((0.0, 0.0, 0.0, 0.3), 0.55, taller=0.12),
    "hockey": _Dress((1.0,), 1.0, helmet=True, pads=0.8, gloves=True, taller=0.06),
    "football": _Dress((0.35, 0.45), 0.62, helmet=True, pads=1.0, taller=0.05),
    "volleyball": _Dress((0.3, 0.4), 0.3, taller=0.08),
}


@dataclass(frozen=True)
class Bystander:
    """Somebody beside the play: place in metres, what he does there and which way he looks, radians.

    `facing` None follows the ball; `behind_boards` is hidden by them as far as they reach.
    """

    place: tuple[float, float]
    kind: str
    facing: float | None = None
    behind_boards: bool = False


def stand_aside(surface: Surface, rng: np.random.Generator) -> tuple[Bystander, ...]:
    """Coaches, photographers, ball boys, the benches, people warming up, stewards along the boards."""
    x, y = surface.half_length, surface.half_width
    gap_x, gap_y = surface.margin
    if min(gap_x, gap_y) < 1.0:
        return ()
    found: list[Bystander] = []

    def add(kind: str, along: float, across: float, **more: Any) -> None:
        found.append(Bystander((float(along), float(across)), kind, **more))

    busy = rng.uniform(0.2, 1.0)
    for side in (-1.0, 1.0):
        for _ in range(int(rng.integers(0, 4))):
            add("stand", rng.uniform(-0.9, 0.9) * x, side * (y + rng.uniform(0.5, 0.9) * gap_y))
        # Substitutes warm up in a group on the line.
        if rng.random() < 0.3:
            first = rng.uniform(-0.9, 0.8) * x
            for step in range(int(rng.integers(2, 6))):
                add("warm", first + 1.6 * step + rng.normal(0, 0.3), side * (y + 0.7 * gap_y))
        # The bench on the camera's side: reserves and staff.
        for seat in range(int(rng.integers(6, 12))):
            along = 0.2 * x + 0.8 * (seat + 0.5)
            add("sit", side * min(along, x), y + 0.85 * gap_y, facing=-math.pi / 2)
        for corner in rng.uniform(0.15, 0.95, int(rng.integers(0, 4))):
            if rng.random() < 0.5:
                add("ball boy", side * (x + 0.8 * gap_x), corner * y * rng.choice([-1.0, 1.0]))
            else:
                add("ball boy", corner * x * side, -(y + 0.8 * gap_y))
        # Photographers sit in a row behind the goal line.
        for wing in (-1.0, 1.0):
            first = surface.goal_width / 2 + rng.uniform(1.5, 6.0)
            for step in range(round(busy * rng.integers(0, 7))):
                place = first + step * rng.uniform(0.9, 1.6)
                if place < y:
                    depth = rng.uniform(0.72, 0.88) * gap_x
                    add("crouch", side * (x + depth), wing * place)
        # Stewards and spectators behind the boards; stewards look at the stands.
        for _ in range(round(busy * 9)):
            look = math.pi if side < 0 else 0.0
            away = rng.random() < 0.6
            add(
                "steward" if away else "stand",
                side * (x + gap_x + rng.uniform(0.5, 1.3)),
                rng.uniform(-1.0, 1.0) * y,
                facing=look if away else None,
                behind_boards=True,
            )
    for _ in range(round(busy * 16)):
        away = rng.random() < 0.5
        add(
            "steward" if away else "stand",
            rng.uniform(-1.0, 1.0) * x,
            -(y + gap_y + rng.uniform(0.5, 1.3)),
            facing=-math.pi / 2 if away else None,
            behind_boards=True,
        )
    return tuple(found)


_HIGH_VISIBILITY = ((232, 240, 60), (250, 120, 30), (250, 150, 40))


def bystander_looks(aside: tuple[Bystander, ...], rng: np.random.Generator) -> list[Look]:
    """Bibs, tracksuits, suits: none wears a number; those on a bench are dressed alike."""
    looks = []
    benches = [random_kit(rng).shirt for _ in range(2)]
    for one in aside:
        grey = int(rng.integers(15, 80))
        dark = (grey, grey, min(255, grey + int(rng.integers(0, 30))))
        shirt = dark if rng.random() < 0.6 else random_kit(rng).shirt
        if one.kind == "steward" or (one.kind == "crouch" and rng.random() < 0.5):
            shirt = _HIGH_VISIBILITY[int(rng.integers(3))]
        if one.kind == "sit":
            shirt = benches[int(one.place[0] > 0)]
        kit = Kit(shirt, shirt, "plain", dark, dark, (255, 255, 255))
        look = random_look(rng, kit)
        small = float(rng.uniform(1.35, 1.66)) if one.kind == "ball boy" else look.height_m
        looks.append(
            replace(
                look, number=None, name=None, sleeves=1.0, shorts_length=1.0, helmet=None, pads=0.0,
                height_m=small,
            )
        )  # fmt: skip
    return looks


def _near(colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = np.clip(np.array(colour) + rng.normal(0, 28, 3), 0, 255).astype(int).tolist()
    return red, green, blue


def _unlike(taken: list[tuple[int, int, int]], rng: np.random.Generator) -> Kit:
    for _ in range(30):
        kit = random_kit(rng)
        if min(colour_distance(kit.shirt, other) for other in taken) > 60:
            break
    return replace(kit, pattern="plain", shorts=kit.shirt, socks=kit.shirt)


def _referee_kit(taken: list[tuple[int, int, int]], rng: np.random.Generator) -> Kit:
    choices = [
        (24, 24, 28),
        (236, 214, 40),
        (60, 190, 220),
        (226, 90, 50),
        (120, 220, 80),
        (130, 130, 136),
    ]
    order = rng.permutation(len(choices))
    shirt = max(
        (choices[int(i)] for i in order[:4]),
        key=lambda c: min(colour_distance(c, other) for other in taken),
    )
    return Kit(shirt, (240, 240, 240), "plain", (24, 24, 28), (24, 24, 28), (240, 240, 240))


@dataclass(frozen=True)
class Gait:
    """How everybody walks and runs, see `gait_pose`."""

    arms: float = 1.0
    heels: float = 1.0


USUAL_GAIT, HELD_OUT_GAIT = Gait(), Gait(arms=0.45, heels=1.3)


class Wardrobe:
    """Draws people, keeping the drawn figures: the same person in the same step is drawn once.

    `sprite_of` is a pure function of its arguments; the store only saves time. `most` bounds its
    bytes, for close-ups are large; nobody is drawn taller than `tallest` pixels, since whoever is
    nearer to the camera than that is out of focus.
    """

    def __init__(
        self,
        looks: list[Look],
        style: str,
        seed: int,
        most: int = 60_000_000,
        *,
        tallest: float = math.inf,
        gait: Gait = USUAL_GAIT,
    ) -> None:
        self.gait, self.tallest = gait, tallest
        self.looks, self.style, self.seed, self.most = looks, style, seed, most
        self._kept: OrderedDict[tuple[object, ...], Sprite] = OrderedDict()
        self._bytes = 0

    def sprite_of(
        self, person: int, stance: Stance, heading: float, size: float, elevation: float
    ) -> tuple[Sprite, float]:
        """The figure drawn a little larger than asked for, and the scale that brings it to `size`."""
        step = math.ceil(math.log(min(max(size, 4.0), self.tallest)) / math.log(_SIZE_STEP))
        drawn = _SIZE_STEP**step
        turn = round(heading / (2 * math.pi) * HEADINGS) % HEADINGS
        tilt = round(elevation * TILTS)
        key = (person, stance, turn, step, tilt)
        sprite = self._kept.get(key)
        if sprite is None:
            sprite = draw_figure(
                self.looks[person],
                stance.pose(self.seed * 131 + person, self.gait),
                height_px=drawn,
                heading=turn * 2 * math.pi / HEADINGS,
                style=self.style,
                rng=np.random.default_rng([self.seed, person]),
                elevation=tilt / TILTS,
            )
            self._kept[key] = sprite
            self._bytes += sprite.rgb.nbytes + sprite.alpha.nbytes
            while self._bytes > self.most and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.rgb.nbytes + dropped.alpha.nbytes
        else:
            self._kept.move_to_end(key)
        return sprite, size / drawn


@dataclass(frozen=True)
class Stance:
    """What somebody's body does in a frame, in steps coarse enough to be met again.

    `kind` is `gait` or one of the poses by name; `speed` an index of gaits, `phase` of the step,
    `variant` tells one idle pose from the next.
    """

    kind: str
    speed: int = 0
    phase: int = 0
    variant: int = 0

    def pose(self, seed: int, gait: Gait = USUAL_GAIT) -> Pose:
        """The joint angles."""
        if self.kind == "gait":
            turn = 2 * math.pi * self.phase / _PHASES
            return gait_pose(turn, _SPEEDS[self.speed], arms=gait.arms, heels=gait.heels)
        return random_pose(np.random.default_rng([abs(seed), self.variant]), self.kind)


class Stances:
    """The stance of everybody in every frame of a play, worked out once for all frames."""

    def __init__(self, play: Play, rng: np.random.Generator, aside: tuple[Bystander, ...] = ()) -> None:
        self.aside = aside
        frames, people = play.facing.shape
        # Whole matches go through here: no more than one table of doubles at a time.
        speeds = np.sqrt(np.einsum("tpk,tpk->tp", play.velocities, play.velocities))
        turns = np.cumsum(speeds / (1.0 + 0.42 * speeds) / play.fps, axis=0, dtype=np.float64)
        turns += rng.random(people)
        turns %= 1.0
        turns *= _PHASES
        self.phase = turns.astype(np.uint8)
        del turns
        between = np.add(_SPEEDS[1:], _SPEEDS[:-1]) / 2
        self.speed = np.searchsorted(between, speeds).astype(np.uint8)
        self.idle = speeds < 0.45
        spells = (np.arange(frames) // round(4 * play.fps) % 7).astype(np.uint8)[:, None]
        self.variant = (spells + rng.integers(0, 9, people).astype(np.uint8)) % np.uint8(7)
        self.special = _special(play, speeds)

    def of(self, frame: int, person: int) -> Stance:
        """The stance of one person in one frame."""
        if person >= self.phase.shape[1]:
            kind = self.aside[person - self.phase.shape[1]].kind
            if kind == "warm":
                beat = (frame // 2 + 5 * person) % _PHASES
                return Stance("gait", 1, beat)
            return Stance(kind if kind in ("crouch", "sit") else "stand", variant=person % 7)
        special = int(self.special[frame, person])
        if special:
            return Stance(_SPECIAL[special], variant=int(self.variant[frame, person]))
        if self.idle[frame, person]:
            variant = int(self.variant[frame, person])
            return Stance(_IDLE_KINDS[variant % len(_IDLE_KINDS)], variant=variant)
        return Stance("gait", int(self.speed[frame, person]), int(self.phase[frame, person]))


_SPECIAL = ("", "crouch", "kick", "arms_raised", "jump", "fallen", "slide")
_KICKS = ("PASS", "HIGH PASS", "SHOT", "CROSS", "FREE KICK")
"""With the foot, or with the hand where that plays the ball."""
_FOOT_KICKS = ("KICKOFF", "PUNT", "FIELD GOAL ATTEMPT", "EXTRA POINT ATTEMPT")


def _special(play: Play, speeds: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Kicks, throws, jumps, falls and the like, (T, N): an index of _SPECIAL, 0 for none of them."""
    found = np.zeros(speeds.shape, np.uint8)
    frames = len(play)
    for keeper in (i for i, role in enumerate(play.cast.roles) if role == "goalkeeper"):
        apart = np.sqrt(((play.ball[:, :2] - play.positions[:, keeper]) ** 2).sum(axis=1))
        ready = (apart < 0.4 * play.surface.half_length) & (speeds[:, keeper] < 0.8)
        found[ready, keeper] = _SPECIAL.index("crouch")
    thrown = STYLES[play.sport.name].hands
    long = round(0.28 * play.fps)
    for event in play.events:
        if event.person < 0 or event.label not in (*_KICKS, *_FOOT_KICKS, "THROW IN"):
            continue
        by_hand = event.label == "THROW IN" or (thrown and event.label not in _FOOT_KICKS)
        kind = "arms_raised" if by_hand else "kick"
        first, last = max(0, event.frame - long // 3), min(frames, event.frame + long)
        found[first:last, event.person] = _SPECIAL.index(kind)
    found[play.lifts > 0.05] = _SPECIAL.index("jump")
    for label, kind, seconds in (
        (CELEBRATION, "arms_raised", 2.5),
        (SLIDE, "slide", SLIDE_SECONDS),
        (FALL, "fallen", FALL_SECONDS),
    ):
        for event in play.events:
            if event.label == label:
                end = event.frame + round(seconds * play.fps)
                found[event.frame : end, event.person] = _SPECIAL.index(kind)
    return found
