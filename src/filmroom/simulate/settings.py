"""What a user chooses about a simulated match, and how hard each choice of difficulty makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from filmroom.errors import InputError
from filmroom.pitch import sport_named, surface_named
from filmroom.simulate.rigs import CUTS, rig_named


@dataclass(frozen=True)
class Difficulty:
    """How the pictures are spoilt; every figure is the highest of the range it is drawn from.

    `alike` is the chance that the two teams' kits are hard to tell apart, `noise` the sensor's standard
    deviation in grey levels, `blur` the lens's sigma in pixels, `shutter` the share of a frame's
    time that the shutter is open, `shake` degrees, `contrast` the least contrast left. `weather` and
    `interlaced` are the chances of rain or snow and of combed fields, `bend` the lens's k1, `slip` the
    share of a frame's time between the first and the last row of a rolling exposure.
    """

    alike: float
    noise: float
    blur: float
    shutter: float
    shake: float
    contrast: float
    weather: float = 0.0
    bend: float = 0.0
    slip: float = 0.0
    interlaced: float = 0.0


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty(0.0, 1.5, 0.4, 0.1, 0.01, 0.95),
    "medium": Difficulty(0.05, 3.0, 0.6, 0.35, 0.015, 0.85, 0.1, 0.02),
    "hard": Difficulty(0.2, 6.0, 0.9, 0.6, 0.03, 0.7, 0.25, 0.06, 0.3, 0.1),
    "cruel": Difficulty(0.45, 12.0, 1.5, 0.95, 0.12, 0.5, 0.5, 0.12, 0.7, 0.3),
}


HELD_OUT_STYLE = "cartoon"
"""The figure style that nothing is trained on, so that something is left to report on."""

LONGEST_SECONDS = 6 * 3600.0
"""All of a match's play is held in memory, some 300 kB a minute of soccer."""


@dataclass(frozen=True)
class Settings:
    """What `filmroom simulate` is asked for; `styles` are the figure styles to draw from.

    `held_out` matches look like none that anything is trained on: figures in HELD_OUT_STYLE, kits,
    grounds, cameras and gaits of their own.
    """

    sport: str = "soccer"
    seconds: float = 10.0
    seed: int = 0
    camera: str = "broadcast"
    difficulty: str = "medium"
    width: int = 1280
    height: int = 720
    fps: float = 25.0
    surface: str | None = None
    styles: tuple[str, ...] = ("capsule", "painted", "soft")
    held_out: bool = False

    @property
    def frames(self) -> int:
        """How many pictures that makes."""
        return max(1, round(self.seconds * self.fps))

    def checked(self) -> Settings:
        """The settings themselves, or InputError that says which one cannot be."""
        sport = sport_named(self.sport)
        surface_named(sport, self.surface)
        if self.camera != CUTS:
            rig_named(sport.name, self.camera)
        if not 0 < self.seconds <= LONGEST_SECONDS:
            raise InputError(
                f"cannot simulate {self.seconds:g} s of play; "
                f"choose a length above 0 and up to {LONGEST_SECONDS / 60:g} minutes"
            )
        if self.difficulty not in DIFFICULTIES:
            choices = ", ".join(DIFFICULTIES)
            raise InputError(f"no difficulty '{self.difficulty}'; choose one of {choices}")
        if not (64 <= self.width <= 7680 and 64 <= self.height <= 4320):
            raise InputError(
                f"cannot draw {self.width}x{self.height}; choose between 64x64 and 7680x4320"
            )
        if not 1 <= self.fps <= 240:
            raise InputError(f"cannot film {self.fps:g} pictures a second; choose between 1 and 240")
        if self.seed < 0:
            raise InputError(f"the seed must not be negative, not {self.seed}")
        return self

    def with_seed(self, seed: int) -> Settings:
        """The same choices with another seed."""
        return replace(self, seed=seed)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from `1280x720`; InputError for anything else."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise InputError(f"'{text}' is no size; write width x height, for example 1280x720")
    return int(width), int(height)
