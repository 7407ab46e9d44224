"""Graphics laid over the picture: the score with a running clock, a station's mark."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ScoreBug:
    """Names, colours, first score of the teams; `corner` in shares of the picture; `start` seconds."""

    names: tuple[str, str]
    colours: tuple[Colour, Colour]
    score: tuple[int, int]
    back: Colour
    corner: tuple[float, float]
    size: float
    start: float
    mark: str


def make_score_bug(colours: list[Colour], rng: np.random.Generator) -> ScoreBug:
    """A station's graphics, drawn at random."""
    names = ["".join(chr(65 + int(i)) for i in rng.integers(0, 26, 3)) for _ in range(2)]
    back = (20, 22, 36) if rng.random() < 0.6 else (238, 238, 240)
    low = rng.random() < 0.3
    corner = (float(rng.uniform(0.02, 0.08)), 0.9 if low else float(rng.uniform(0.03, 0.07)))
    if rng.random() < 0.2:
        corner = (float(rng.uniform(0.35, 0.7)), corner[1])
    mark = "".join(chr(65 + int(i)) for i in rng.integers(0, 26, 4)) if rng.random() < 0.5 else ""
    score = (int(rng.integers(0, 4)), int(rng.integers(0, 4)))
    return ScoreBug(
        (names[0], names[1]),
        (colours[0], colours[1]),
        score,
        back,
        corner,
        float(rng.uniform(0.75, 1.25)),
        float(rng.uniform(0, 2600)),
        mark,
    )


def draw_score_bug(
    picture: Picture, bug: ScoreBug, seconds: float, scored: tuple[int, int] = (0, 0)
) -> NDArray[np.bool_]:
    """Draw it in place; returns where it covers the picture (H, W).

    `seconds` and what was `scored` count from those that the match began with.
    """
    height, width = picture.shape[:2]
    unit = bug.size * height / 720
    tall = round(30 * unit)
    x, y = round(bug.corner[0] * width), round(bug.corner[1] * height)
    ink = (245, 245, 245) if sum(bug.back) < 300 else (20, 20, 24)
    clock = int(bug.start + seconds)
    cells = (
        (f"{clock // 60:02d}:{clock % 60:02d}", bug.back, ink, 74),
        (bug.names[0], bug.colours[0], _ink_on(bug.colours[0]), 62),
        (f"{bug.score[0] + scored[0]} - {bug.score[1] + scored[1]}", bug.back, ink, 66),
        (bug.names[1], bug.colours[1], _ink_on(bug.colours[1]), 62),
    )
    covered = np.zeros((height, width), dtype=bool)
    for text, back, front, wide in cells:
        right = x + round(wide * unit)
        cv2.rectangle(picture, (x, y), (right, y + tall), back, -1)
        _text(picture, text, (x + (right - x) // 2, y + tall // 2), 0.62 * unit, front)
        covered[max(y, 0) : y + tall + 1, max(x, 0) : right + 1] = True
        x = right
    if bug.mark:
        _text(
            picture, bug.mark, (round(0.93 * width), round(0.06 * height)), 0.9 * unit, (222, 222, 222)
        )
    return covered


def _ink_on(colour: Colour) -> Colour:
    return (20, 20, 24) if sum(colour) > 400 else (245, 245, 245)


def _text(picture: Picture, text: str, centre: tuple[int, int], size: float, colour: Colour) -> None:
    thick = max(1, round(1.6 * size))
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, thick)
    place = (centre[0] - wide // 2, centre[1] + tall // 2)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_DUPLEX, size, colour, thick, cv2.LINE_AA)


WIPE_FRAMES = 9
"""A wipe begins and ends so many frames from the cut it hides."""


def draw_wipe(picture: Picture, bug: ScoreBug, progress: float) -> NDArray[np.bool_]:
    """A slanted band with the station's mark across the picture, in place; where it covers (H, W).

    `progress` runs from -1 to 1 and is 0 when all of the picture is covered.
    """
    height, width = picture.shape[:2]
    slant = 0.25 * height
    reach = width + 2 * slant
    middle = width / 2 + progress * (width + 2 * slant)
    mask = np.zeros((height, width), np.uint8)

    def band(left: float, right: float, colour: Colour) -> None:
        shape = np.array(
            [[left + slant, 0], [right + slant, 0], [right - slant, height], [left - slant, height]]
        )
        fixed = np.rint(np.clip(shape, -8000, 8000)).astype(np.int32)
        cv2.fillConvexPoly(picture, fixed, colour)
        cv2.fillConvexPoly(mask, fixed, 1)

    band(middle - reach / 2, middle + reach / 2, bug.back)
    band(middle - 0.18 * width, middle - 0.13 * width, bug.colours[0])
    band(middle + 0.13 * width, middle + 0.18 * width, bug.colours[1])
    text = bug.mark or bug.names[0]
    ink = (245, 245, 245) if sum(bug.back) < 300 else (20, 20, 24)
    _text(picture, text, (round(middle), height // 2), 3.0 * height / 720, ink)
    return mask > 0


def draw_lower_third(
    picture: Picture, bug: ScoreBug, team: int, text: str, shown: float
) -> NDArray[np.bool_]:
    """A caption bar low in the picture, in place; where it covers (H, W). `shown` up to 1 slides it."""
    height, width = picture.shape[:2]
    tall, wide = round(0.065 * height), round(0.36 * width * min(1.0, max(0.0, shown)))
    left, top = round(0.07 * width), round(0.84 * height)
    covered = np.zeros((height, width), dtype=bool)
    if wide < tall:
        return covered
    cv2.rectangle(picture, (left, top), (left + wide, top + tall), bug.back, -1)
    colour = bug.colours[max(team, 0)]
    cv2.rectangle(picture, (left, top), (left + tall // 3, top + tall), colour, -1)
    if shown >= 1.0:
        ink = (245, 245, 245) if sum(bug.back) < 300 else (20, 20, 24)
        _text(picture, text, (left + wide // 2, top + tall // 2), 0.85 * height / 720, ink)
    covered[top : top + tall + 1, left : left + wide + 1] = True
    return covered
