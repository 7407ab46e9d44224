"""What surrounds the surface: stands with people, boards, walls, as flat panels in space."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.pitch import Surface
from filmroom.simulate.ground import invented_word, strong_colour

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Panel:
    """A flat rectangle in space with a picture on it.

    `origin` is its lower left corner as seen from the pitch, `along` and `up` unit vectors, sizes in
    metres. `pictures` are shown in turn, each for `seconds`; `scroll` moves them along, metres a
    second. `opaque` (H, W) uint8 cuts it out; a panel in `front` of the people hides them,
    a `board` hides those who stand behind it.
    """

    origin: tuple[float, float, float]
    along: tuple[float, float, float]
    up: tuple[float, float, float]
    length: float
    height: float
    pictures: tuple[Picture, ...]
    seconds: float = 0.3
    scroll: float = 0.0
    opaque: Picture | None = None
    front: bool = False
    board: bool = False

    def corners(self) -> FloatArray:
        """Its corners in space: lower left, lower right, upper right, upper left, (4, 3)."""
        origin, along, up = (np.array(v, dtype=float) for v in (self.origin, self.along, self.up))
        right = origin + self.length * along
        return np.stack([origin, right, right + self.height * up, origin + self.height * up])


@dataclass(frozen=True)
class Hall:
    """How the surroundings of one kind of ground are built; metres from the margin's edge.

    `rise` is metres up per metre back; `seat` the size of a spectator's place; `boards` their height.
    """

    boards: float
    boards_gap: float
    back: float
    first: float
    rise: float
    depth: float
    tiers: int
    scale: float
    seat: float = 0.56
    row: float = 0.85
    near_heads: bool = False


HALLS: dict[str, Hall] = {
    "grass": Hall(0.95, 0.0, 4.0, 1.3, 0.5, 24.0, 2, 15.0),
    "turf": Hall(0.0, 0.0, 6.0, 1.8, 0.5, 26.0, 2, 15.0),
    "parquet": Hall(0.85, -0.2, 0.5, 0.3, 0.42, 22.0, 2, 26.0, near_heads=True),
    "hall": Hall(0.9, -0.6, 1.5, 0.8, 0.5, 9.0, 1, 24.0),
    "ice": Hall(1.15, 0.0, 0.9, 0.9, 0.5, 20.0, 2, 20.0),
}


def make_surroundings(surface: Surface, rng: np.random.Generator) -> list[Panel]:
    """All panels round the surface, the far ones first."""
    hall = HALLS[surface.ground]
    reach_x = surface.half_length + surface.margin[0]
    reach_y = surface.half_width + surface.margin[1]
    crowd = _Crowd.drawn(hall, rng)
    panels: list[Panel] = []
    back = hall.back * float(rng.uniform(0.7, 1.8))
    rise = hall.rise * float(rng.uniform(0.75, 1.3))
    depth = hall.depth * float(rng.uniform(0.6, 1.2))
    overhang = back + depth
    sides = (
        (
            "far",
            (-reach_x - overhang, -reach_y - back),
            (1.0, 0.0),
            (0.0, -1.0),
            2 * (reach_x + overhang),
        ),
        (
            "left",
            (-reach_x - back, reach_y + overhang),
            (0.0, -1.0),
            (-1.0, 0.0),
            2 * (reach_y + overhang),
        ),
        (
            "right",
            (reach_x + back, -reach_y - overhang),
            (0.0, 1.0),
            (1.0, 0.0),
            2 * (reach_y + overhang),
        ),
    )
    for name, corner, along, outward, length in sides:
        empty = rng.random() < (0.15 if name == "far" else 0.3)
        panels += _stand(hall, crowd, corner, along, outward, (length, rise, depth), empty, rng)
    if hall.boards:
        panels += _boards(hall, surface, (reach_x, reach_y), rng)
    if hall.near_heads and rng.random() < 0.8:
        panels.append(_near_row(surface, crowd, reach_y, rng))
    return panels


@dataclass(frozen=True)
class _Crowd:
    """What the people on the stands wear and how many there are."""

    seats: Colour
    clothes: NDArray[np.float64]
    full: float
    dim: float

    @classmethod
    def drawn(cls, hall: Hall, rng: np.random.Generator) -> _Crowd:
        dark = rng.uniform(15, 75, (10, 1)) + rng.normal(0, 8, (10, 3))
        light = rng.uniform(110, 235, (4, 1)) + rng.normal(0, 10, (4, 3))
        fans = np.array([strong_colour(rng) for _ in range(3)], float)
        clothes = np.concatenate([dark, light, np.repeat(fans, int(rng.integers(1, 5)), axis=0)])
        seats = strong_colour(rng) if rng.random() < 0.6 else (int(rng.integers(40, 150)),) * 3
        dim = float(rng.uniform(0.4, 0.95))
        return cls(seats, np.clip(clothes, 0, 255), float(rng.uniform(0.35, 0.97)), dim)

    def pictures(
        self, length: float, height: float, hall: Hall, rng: np.random.Generator, empty: bool
    ) -> tuple[Picture, ...]:
        """Three moments of the same crowd, between which some people have moved."""
        wide, tall = round(length * hall.scale), round(height * hall.scale)
        base = np.empty((tall, wide, 3), np.uint8)
        base[:] = np.array(self.seats) * 0.8
        seat, row = hall.seat * hall.scale, hall.row * hall.scale
        levels = np.arange(row * 0.5, tall, row)
        for level in levels:
            cv2.line(
                base, (0, int(level + 0.45 * row)), (wide, int(level + 0.45 * row)), (30, 30, 34), 1
            )
        columns = np.arange(seat * 0.5, wide, seat)
        aisle = np.abs((columns / hall.scale) % 16.0 - 8.0) < 0.7
        full = 0.04 if empty else self.full
        taken = rng.random((len(levels), len(columns))) < full
        # Empty seats come in groups.
        holes = cv2.resize(
            rng.random((4, 24)), (len(columns), len(levels)), interpolation=cv2.INTER_CUBIC
        )
        taken &= (holes < 0.2 + 0.9 * full) & ~aisle
        rows, places = np.nonzero(taken)
        for x in columns[aisle]:
            cv2.rectangle(base, (int(x - seat / 2), 0), (int(x + seat / 2), tall), (104, 104, 104), -1)
        spots = np.stack([columns[places], levels[rows]], axis=1) + rng.normal(
            0, 0.08 * seat, (len(rows), 2)
        )
        clothes = self.clothes[rng.integers(0, len(self.clothes), len(rows))] * rng.uniform(
            0.75, 1.1, (len(rows), 1)
        )
        skins = np.array([(226, 184, 156), (196, 150, 118), (120, 82, 60)])[
            rng.choice(3, len(rows), p=[0.6, 0.25, 0.15])
        ]
        first = base.copy()
        _seat_people(first, spots, clothes, skins, hall)
        shown = [first]
        moving = rng.random(len(rows)) < 0.12
        for _ in range(2):
            moved = spots.copy()
            moved[moving] += rng.normal(0, 0.12 * seat, (int(moving.sum()), 2))
            other = base.copy()
            _seat_people(other, moved, clothes, skins, hall)
            shown.append(other)
        return tuple(self._finished(picture, rng) for picture in shown)

    def _finished(self, picture: Picture, rng: np.random.Generator) -> Picture:
        soft = cv2.GaussianBlur(picture, (3, 3), 0.7)
        shown: Picture = np.clip(soft.astype(np.float32) * self.dim, 0, 255).astype(np.uint8)
        return shown


def _seat_people(
    picture: Picture, spots: FloatArray, clothes: FloatArray, skins: FloatArray, hall: Hall
) -> None:
    """Bodies and heads, row after row from the top, so that the nearer hide the farther."""
    scale = hall.scale
    body = (max(1, round(0.22 * scale)), max(2, round(0.36 * scale)))
    head = max(1, round(0.115 * scale))
    lift = round(0.42 * scale)
    rows = zip(spots.astype(int).tolist(), clothes.tolist(), skins.tolist(), strict=True)
    for (x, y), cloth, skin in rows:
        cv2.ellipse(picture, (x, y + body[1] // 3), body, 0, 0, 360, cloth, -1)
        cv2.circle(picture, (x, y - lift), head, skin, -1)


def _stand(
    hall: Hall,
    crowd: _Crowd,
    corner: tuple[float, float],
    along: tuple[float, float],
    outward: tuple[float, float],
    sizes: tuple[float, float, float],
    empty: bool,
    rng: np.random.Generator,
) -> list[Panel]:
    """One side's tiers, each behind a low wall, the highest (farthest) first."""
    length, rise, depth = sizes
    panels: list[Panel] = []
    start, level = 0.0, hall.first
    for tier in range(hall.tiers):
        steep = rise * (1.0 + 0.45 * tier)
        run = depth * (0.55 if tier == 0 and hall.tiers > 1 else 0.75)
        slope = float(np.hypot(1.0, steep))
        place = np.array(corner) + start * np.array(outward)
        up = (outward[0] / slope, outward[1] / slope, steep / slope)
        pictures = crowd.pictures(length, run * slope, hall, rng, empty)
        turn = float(rng.uniform(0.25, 0.6))
        panels.append(
            Panel((*place.tolist(), level), (*along, 0.0), up, length, run * slope, pictures, turn)
        )
        wall_height = hall.first if tier == 0 else 2.2
        wall = np.empty((16, 256, 3), np.uint8)
        wall[:] = np.array(strong_colour(rng)) * 0.6 if rng.random() < 0.5 else rng.uniform(30, 150)
        if tier > 0 and rng.random() < 0.6:
            wall = _board_picture(length, wall_height, 8.0, rng)
        bottom = max(0.0, level - wall_height)
        panels.append(
            Panel(
                (*place.tolist(), bottom),
                (*along, 0.0),
                (0.0, 0.0, 1.0),
                length,
                level - bottom,
                ((wall * crowd.dim).astype(np.uint8),),
            )
        )
        start += run
        level += run * steep + (2.4 if tier == 0 else 0.0)
    panels.reverse()
    # The roof's shade above the last row.
    dark = np.full((4, 4, 3), int(rng.integers(12, 60)), np.uint8)
    place = np.array(corner) + start * np.array(outward)
    roof = Panel((*place.tolist(), level - 2.5), (*along, 0.0), (0.0, 0.0, 1.0), length, 14.0, (dark,))
    return [roof, *panels]


def _board_picture(length: float, height: float, scale: float, rng: np.random.Generator) -> Picture:
    """Invented sponsors side by side."""
    wide, tall = round(length * scale), max(4, round(height * scale))
    picture = np.empty((tall, wide, 3), np.uint8)
    at = 0
    same = rng.random() < 0.4
    word, back = invented_word(rng), strong_colour(rng)
    while at < wide:
        if not same:
            word, back = invented_word(rng), strong_colour(rng)
            if rng.random() < 0.25:
                back = (236, 236, 236)
            elif rng.random() < 0.2:
                back = (18, 18, 22)
        width = round(float(rng.uniform(4.0, 9.0)) * scale)
        ink = (245, 245, 245) if sum(back) < 420 else strong_colour(rng)
        cv2.rectangle(picture, (at, 0), (at + width, tall), back, -1)
        size = 0.62 * tall / 22.0
        thick = max(1, round(tall * 0.07))
        (text_wide, text_tall), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, size, thick)
        place = (at + (width - text_wide) // 2, (tall + text_tall) // 2)
        cv2.putText(picture, word, place, cv2.FONT_HERSHEY_DUPLEX, size, ink, thick, cv2.LINE_AA)
        at += width
    return picture


def _boards(
    hall: Hall, surface: Surface, reach: tuple[float, float], rng: np.random.Generator
) -> list[Panel]:
    """Boards along the far side and both ends; some of them are screens that change."""
    x, y = reach[0] + hall.boards_gap, reach[1] + hall.boards_gap
    height = hall.boards * float(rng.uniform(0.85, 1.15))
    screens = rng.random() < 0.6
    scale = 34.0
    bright = float(rng.uniform(0.7, 1.1))
    panels = []
    cut = surface.corner_radius
    sides = (
        ((-x + cut, -y), (1.0, 0.0), 2 * (x - cut)),
        ((-x, y - cut), (0.0, -1.0), 2 * (y - cut)),
        ((x, -y + cut), (0.0, 1.0), 2 * (y - cut)),
    )
    for corner, along, length in sides:
        count = 3 if screens else 1
        pictures = tuple(
            np.clip(_board_picture(length, height, scale, rng) * bright, 0, 255).astype(np.uint8)
            for _ in range(count)
        )
        scroll = float(rng.uniform(0.5, 3.0)) if screens and rng.random() < 0.4 else 0.0
        seconds = float(rng.uniform(4.0, 10.0))
        panels.append(
            Panel(
                (*corner, 0.0),
                (*along, 0.0),
                (0.0, 0.0, 1.0),
                length,
                height,
                pictures,
                seconds,
                scroll,
                board=True,
            )
        )
    return panels + (_round_boards(surface, height, panels, rng) if cut else [])


def _round_boards(
    surface: Surface, height: float, straight: list[Panel], rng: np.random.Generator
) -> list[Panel]:
    """The far rounded corners of a rink as short straight pieces; the near ones stay open to view."""
    radius = surface.corner_radius
    pieces = 10
    picture = np.empty((8, 8, 3), np.uint8)
    picture[:] = rng.uniform(205, 238)
    panels = []
    for side in (-1.0, 1.0):
        centre = np.array([side * (surface.half_length - radius), -surface.half_width + radius])
        angles = np.linspace(0, np.pi / 2, pieces + 1)
        ring = centre + radius * np.stack([side * np.cos(angles), -np.sin(angles)], axis=1)
        for first, second in itertools.pairwise(ring):
            way = second - first
            length = float(np.hypot(*way))
            along = (float(way[0]) / length, float(way[1]) / length, 0.0)
            panels.append(
                replace(
                    straight[0],
                    origin=(*first.tolist(), 0.0),
                    along=along,
                    length=length,
                    height=height,
                    pictures=(picture,),
                    scroll=0.0,
                )
            )
    return panels


def _near_row(surface: Surface, crowd: _Crowd, reach_y: float, rng: np.random.Generator) -> Panel:
    """The backs of those who sit before the camera, cut out."""
    scale, height = 60.0, 1.25
    length = surface.length + 4.0
    wide, tall = round(length * scale), round(height * scale)
    picture = np.zeros((tall, wide, 3), np.uint8)
    opaque = np.zeros((tall, wide), np.uint8)
    at = 0.0
    while at < length:
        at += float(rng.uniform(0.5, 0.75))
        if rng.random() > crowd.full:
            continue
        cloth = crowd.clothes[int(rng.integers(len(crowd.clothes)))] * 0.6
        hair = rng.uniform(10, 70, 3)
        top = float(rng.uniform(0.0, 0.18))
        x, y = round(at * scale), round((top + 0.16) * scale)
        for layer, colours in ((picture, (cloth.tolist(), hair.tolist())), (opaque, (255, 255))):
            cv2.ellipse(
                layer,
                (x, y + round(0.62 * scale)),
                (round(0.27 * scale), round(0.48 * scale)),
                0,
                0,
                360,
                colours[0],
                -1,
            )
            cv2.circle(layer, (x, y), round(0.125 * scale), colours[1], -1)
    return Panel(
        (-length / 2, reach_y - 0.4, 0.0),
        (1.0, 0.0, 0.0),
        (0.0, 0.0, 1.0),
        length,
        height,
        (picture,),
        opaque=opaque,
        front=True,
    )
