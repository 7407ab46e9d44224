"""What teams wear: colours and patterns of shirts, shorts and socks, drawn at random or given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Pattern = Literal["plain", "stripes", "hoops", "sash", "halves", "quarters", "band"]
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "hoops", "sash", "halves")
HELD_OUT_PATTERNS: tuple[Pattern, ...] = ("quarters", "band")
"""Worn by held-out matches alone."""

# Common colours of kits, RGB; jittered when drawn so that no two teams are quite the same.
_PALETTE: tuple[Colour, ...] = (
    (238, 238, 236), (250, 250, 250), (24, 24, 28), (40, 42, 52), (196, 24, 36), (152, 20, 44),
    (228, 52, 44), (28, 60, 168), (20, 36, 92), (88, 156, 224), (24, 120, 72), (12, 84, 52),
    (248, 208, 32), (240, 128, 28), (104, 44, 132), (148, 212, 60), (232, 120, 172), (28, 164, 168),
    (132, 136, 140), (116, 72, 44),
)  # fmt: skip
# Between those: sand, salmon, lilac, mint, petrol, olive, sky, plum, ochre, brick, slate, chalk.
_HELD_OUT_PALETTE: tuple[Colour, ...] = (
    (206, 186, 140), (244, 152, 128), (178, 156, 216), (160, 226, 190), (12, 92, 112), (108, 112, 40),
    (170, 212, 240), (84, 24, 68), (196, 144, 40), (164, 76, 56), (76, 92, 112), (216, 220, 208),
)  # fmt: skip


@dataclass(frozen=True)
class Kit:
    """The clothes of one team, RGB colours; `second` is the other colour of the shirt's pattern."""

    shirt: Colour
    second: Colour
    pattern: Pattern
    shorts: Colour
    socks: Colour
    number_colour: Colour


def random_kit(rng: np.random.Generator) -> Kit:
    """A plausible kit whose number can be told from its shirt."""
    return _kit(rng, _PALETTE, PATTERNS, (0.6, 0.15, 0.1, 0.07, 0.08))


def held_out_kit(rng: np.random.Generator) -> Kit:
    """A kit in colours and patterns that `random_kit` never draws."""
    return _kit(rng, _HELD_OUT_PALETTE, HELD_OUT_PATTERNS, (0.5, 0.5))


def _kit(
    rng: np.random.Generator,
    palette: tuple[Colour, ...],
    patterns: tuple[Pattern, ...],
    shares: tuple[float, ...],
) -> Kit:
    shirt = _random_colour(rng, palette)
    second = _contrasting_colour(shirt, rng, 90, palette)
    pattern = patterns[int(rng.choice(len(patterns), p=shares))]
    shorts = (shirt, second, _random_colour(rng, palette))[int(rng.integers(3))]
    socks = (shirt, shorts, _random_colour(rng, palette))[int(rng.integers(3))]
    number = _contrasting_colour(shirt, rng, 150, palette)
    return Kit(shirt, second, pattern, shorts, socks, number)


def colour_distance(first: Colour, second: Colour) -> float:
    """Euclidean distance in RGB with the eye's weights, 0 to about 255."""
    weights = np.array([0.30, 0.55, 0.15])
    difference = np.subtract(first, second, dtype=float)
    return float(np.sqrt((weights * difference**2).sum()))


def _random_colour(rng: np.random.Generator, palette: tuple[Colour, ...]) -> Colour:
    base = np.array(palette[int(rng.integers(len(palette)))], dtype=float)
    return _as_colour(base + rng.normal(0, 12, 3))


def _contrasting_colour(
    other: Colour, rng: np.random.Generator, distance: float, palette: tuple[Colour, ...]
) -> Colour:
    if rng.random() < 0.6:
        plain: Colour = (244, 244, 244) if sum(other) < 380 else (18, 18, 22)
        if colour_distance(plain, other) >= distance * 0.8:
            return plain
    for _ in range(12):
        colour = _random_colour(rng, palette)
        if colour_distance(colour, other) >= distance:
            return colour
    return (244, 244, 244) if sum(other) < 380 else (18, 18, 22)


def _as_colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = np.clip(np.rint(values), 0, 255).astype(int).tolist()
    return red, green, blue
