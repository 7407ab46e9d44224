"""Rain and snow between the camera and the play, drawn over a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Kind = Literal["rain", "snow"]
_ROOM = 512


@dataclass(frozen=True)
class Weather:
    """What falls and how densely, 0 to 1; `slant` is the drift sideways for one down."""

    kind: Kind
    density: float
    slant: float


def random_weather(ground: str, chance: float, rng: np.random.Generator) -> Weather | None:
    """Weather of a day, None in halls and on dry days."""
    draw, kind, density, slant = (
        rng.random(),
        rng.random(),
        rng.uniform(0.3, 1.0),
        rng.normal(0.0, 0.25),
    )
    if ground not in ("grass", "turf") or draw >= chance:
        return None
    return Weather("rain" if kind < 0.65 else "snow", float(density), float(slant))


def draw_weather(picture: Picture, weather: Weather, frame: int) -> None:
    """Let it rain or snow in place; the same frame has the same drops. A veil takes some contrast."""
    height, width = picture.shape[:2]
    tile = _tile(weather, height + _ROOM, width + _ROOM, max(height, 240) / 720)
    rng = np.random.default_rng([9, frame])
    top, left = (int(value) for value in rng.integers(0, _ROOM, 2))
    veil = 0.10 * weather.density
    grey = np.full(3, 168 if weather.kind == "rain" else 205, np.float32)
    np.copyto(picture, cv2.addWeighted(picture, 1 - veil, np.full_like(picture, grey[0]), veil, 0))
    part = tile[top : top + height, left : left + width]
    np.copyto(picture, cv2.add(picture, cv2.cvtColor(part, cv2.COLOR_GRAY2RGB)))


@lru_cache(maxsize=4)
def _tile(weather: Weather, height: int, width: int, scale: float) -> Picture:
    rng = np.random.default_rng(11)
    tile = np.zeros((height, width), np.uint8)
    count = round(weather.density * height * width / (1500 if weather.kind == "rain" else 900))
    places = rng.uniform((0, 0), (width, height), (count, 2))
    near = rng.random(count) ** 2
    for (x, y), close in zip(places.tolist(), near.tolist(), strict=True):
        if weather.kind == "rain":
            long = scale * (8 + 26 * close)
            end = (round(x + weather.slant * long), round(y + long))
            cv2.line(tile, (round(x), round(y)), end, round(18 + 34 * close), 1, cv2.LINE_AA)
        else:
            radius = scale * (0.7 + 2.2 * close)
            centre = (round(x * 16), round(y * 16))
            cv2.circle(tile, centre, round(radius * 16), round(60 + 110 * close), -1, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(tile, (0, 0), 0.6), np.uint8)
