"""A match ready to be filmed: who plays, in what clothes, where, and which camera is on the air."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from filmroom.simulate.camera import Camera
from filmroom.simulate.figures import Look
from filmroom.simulate.overlay import ScoreBug, make_score_bug
from filmroom.simulate.people import (
    HELD_OUT_GAIT,
    USUAL_GAIT,
    Bystander,
    Gait,
    Stances,
    Wardrobe,
    bystander_looks,
    random_looks,
    stand_aside,
)
from filmroom.simulate.place import Place, make_place
from filmroom.simulate.play import Event, Play, simulate_play
from filmroom.simulate.settings import DIFFICULTIES, HELD_OUT_STYLE, Settings
from filmroom.simulate.shots import Shot, plan_shots
from filmroom.simulate.styles import STYLES
from filmroom.simulate.weather import Weather, random_weather

CAPTIONED = {
    "GOAL": "GOAL",
    "YELLOW CARD": "YELLOW CARD",
    "RED CARD": "RED CARD",
    "SECOND YELLOW CARD": "SECOND YELLOW",
    "SUBSTITUTION": "SUBSTITUTION",
    "TOUCHDOWN": "TOUCHDOWN",
    "FIELD GOAL": "FIELD GOAL",
}
"""The events a caption tells of, and its word."""
_TALLEST = 2.0
"""Figures are drawn sharp up to so many times the picture's height; close-ups show up to 1.9."""


@dataclass(frozen=True)
class Match:
    """A match and its cameras without anything that must be drawn: made in a moment.

    `looks` are those of the cast, then of the bystanders, who are `bystanders`.
    """

    settings: Settings
    play: Play
    shots: tuple[Shot, ...]
    looks: tuple[Look, ...]
    stances: Stances
    bystanders: tuple[Bystander, ...]
    style: str
    figure_seed: int

    def __len__(self) -> int:
        return len(self.play)

    @cached_property
    def _starts(self) -> list[int]:
        return [shot.first for shot in self.shots]

    def shot_of(self, frame: int) -> int:
        """The index of the shot the frame belongs to."""
        return max(0, bisect_right(self._starts, frame) - 1)

    def camera_of(self, frame: int) -> Camera:
        """The camera of that frame."""
        return self.shots[self.shot_of(frame)].view(frame)

    def moment_of(self, frame: int) -> int:
        """The frame of the play that is shown: an earlier one in a replay."""
        return self.shots[self.shot_of(frame)].moment(frame)

    def captioned(self, frame: int, seconds: float) -> list[Event]:
        """Goals, cards, substitutions and the like of the last `seconds` of live play."""
        return [
            event
            for event in self._noted
            if event.frame <= frame < event.frame + seconds * self.settings.fps
        ]

    @cached_property
    def _noted(self) -> list[Event]:
        return [event for event in self.play.events if event.label in CAPTIONED]

    def scored(self, frame: int) -> tuple[int, int]:
        """The points each team has won up to and with a frame of live play."""
        totals = [0, 0]
        for when, team, points in self._scores:
            if when <= frame:
                totals[team] += points
        return totals[0], totals[1]

    @cached_property
    def _scores(self) -> list[tuple[int, int, int]]:
        style = STYLES[self.play.sport.name]
        won = [
            (event.frame, event.team, style.points[event.label])
            for event in self.play.events
            if event.label in style.points and event.team >= 0
        ]
        lost = [
            (event.frame, 1 - event.team, 1)
            for event in self.play.events
            if event.label == style.lost_point and event.team >= 0
        ]
        return won + lost

    @property
    def gait(self) -> Gait:
        """How everybody moves."""
        return HELD_OUT_GAIT if self.settings.held_out else USUAL_GAIT

    def pose_seed(self, person: int) -> int:
        """The seed of a person's own way of standing."""
        return self.figure_seed * 131 + person


@dataclass(frozen=True)
class Scene(Match):
    """A match ready to be filmed: any frame can be drawn, in any order, with the same result.

    `crisp` is how much the camera sharpens edges, as broadcast cameras do, `colour` the saturation
    against that of the place.
    """

    place: Place
    wardrobe: Wardrobe
    score_bug: ScoreBug | None
    noise: float
    blur: float
    shutter: float
    contrast: float
    gamma: float
    crisp: float
    colour: float
    weather: Weather | None
    k1: float
    slip: float
    interlaced: bool

    def camera_of(self, frame: int) -> Camera:
        """The camera of that frame with its lens and, for a rolling exposure, its turn."""
        camera = super().camera_of(frame)
        if not (self.k1 or self.slip):
            return camera
        before = max(frame - 1, 0)
        then = camera
        if self.shot_of(before) == self.shot_of(frame):
            then = super().camera_of(before)
        turn = math.radians(1.0) * camera.focal * self.slip
        moved = (turn * (then.pan - camera.pan), turn * (camera.tilt - then.tilt))
        return replace(camera, k1=self.k1, slip=moved)


def make_match(settings: Settings, rng: np.random.Generator | None = None) -> Match:
    """Play the match, dress the people, put up the cameras; InputError for what cannot be."""
    settings.checked()
    return _match(settings, _generators(settings, rng))


def make_scene(settings: Settings, rng: np.random.Generator | None = None) -> Scene:
    """Play the match, build the place, put up the cameras; nothing is drawn yet."""
    settings.checked()
    generators = _generators(settings, rng)
    match = _match(settings, generators)
    place_rng, finish_rng = generators[1], generators[4]
    difficulty = DIFFICULTIES[settings.difficulty]
    play = match.play
    weather = random_weather(play.surface.ground, difficulty.weather, generators[5])
    lying = weather is not None and weather.kind == "snow" and generators[5].random() < 0.6
    snow = float(generators[5].uniform(0.15, 0.9)) if lying else 0.0
    kits = [match.looks[int(np.flatnonzero(play.cast.teams == team)[-1])].kit.shirt for team in (0, 1)]
    return Scene(
        **{name: getattr(match, name) for name in Match.__dataclass_fields__},
        place=make_place(play.surface, place_rng, snow=snow, held_out=settings.held_out),
        wardrobe=Wardrobe(
            list(match.looks),
            match.style,
            match.figure_seed,
            tallest=_TALLEST * settings.height,
            gait=match.gait,
        ),
        score_bug=make_score_bug(kits, finish_rng) if finish_rng.random() < 0.85 else None,
        noise=difficulty.noise * float(finish_rng.uniform(0.3, 1.0)),
        blur=difficulty.blur * float(finish_rng.uniform(0.4, 1.0)),
        shutter=difficulty.shutter * float(finish_rng.uniform(0.3, 1.0)),
        contrast=float(finish_rng.uniform(difficulty.contrast, 1.0)),
        gamma=float(finish_rng.normal(1.0, 0.06)),
        crisp=float(finish_rng.uniform(0.2, 1.3)) if finish_rng.random() < 0.7 else 0.0,
        colour=float(np.clip(finish_rng.normal(1.08, 0.15), 0.7, 1.5)),
        weather=weather,
        k1=round(difficulty.bend * float(finish_rng.uniform(-0.35, 1.0)), 6),
        slip=difficulty.slip * float(finish_rng.random() < 0.4),
        interlaced=bool(finish_rng.random() < difficulty.interlaced),
    )


def _generators(settings: Settings, rng: np.random.Generator | None) -> list[np.random.Generator]:
    # One generator for each part, so that a change in one leaves the others as they were.
    rng = np.random.default_rng(settings.seed) if rng is None else rng
    return rng.spawn(6)


def _match(settings: Settings, generators: list[np.random.Generator]) -> Match:
    play_rng, _, look_rng, camera_rng, _, _ = generators
    difficulty = DIFFICULTIES[settings.difficulty]
    play = simulate_play(
        settings.sport, settings.frames, play_rng, fps=settings.fps, surface_name=settings.surface
    )
    shake = difficulty.shake * float(camera_rng.uniform(0.3, 1.0))
    looks = random_looks(play, difficulty, look_rng, held_out=settings.held_out)
    bystanders = stand_aside(play.surface, look_rng)
    looks += bystander_looks(bystanders, look_rng)
    styles = (HELD_OUT_STYLE,) if settings.held_out else settings.styles
    style = styles[int(look_rng.integers(len(styles)))]
    size = (settings.width, settings.height)
    shots = plan_shots(play, settings.camera, size, camera_rng, shake=shake, held_out=settings.held_out)
    return Match(
        settings=settings,
        play=play,
        shots=shots,
        looks=tuple(looks),
        bystanders=bystanders,
        style=style,
        figure_seed=int(look_rng.integers(1 << 30)),
        stances=Stances(play, look_rng, bystanders),
    )
