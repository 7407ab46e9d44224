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
    second. `opaque` (H, W) uint8 cuts it out; a panel in `front` of the people hides them, if the
    camera is higher than `lowest_camera` metres: lower ones find a place from which it is not in
    the way. A `board` hides those who stand behind it.
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
    lowest_camera: float = 0.0

    def is_seen_from(self, position: tuple[float, float, float]) -> bool:
        """Does a camera there see the side with the picture on it?

        That is the side towards the middle of the surface; for panels in front of the people the
        other one; boards have both.
        """
        if self.board:
            return True
        normal = np.cross(self.along, self.up)
        pitch, camera = (float(normal @ np.subtract(at, self.origin)) for at in ((0, 0, 0), position))
        if self.front:
            return pitch * camera < 0 and position[2] >= self.lowest_camera
        return pitch * camera > 0

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
    dugouts: bool = False


HALLS: dict[str, Hall] = {
    "grass": Hall(0.95, 0.0, 4.0, 1.3, 0.5, 24.0, 2, 15.0, dugouts=True),
    "turf": Hall(0.0, 0.0, 6.0, 1.8, 0.5, 26.0, 2, 15.0),
    "parquet": Hall(0.85, -0.2, 0.5, 0.3, 0.42, 22.0, 2, 26.0, near_heads=True),
    "hall": Hall(0.9, -0.6, 1.5, 0.8, 0.5, 9.0, 1, 24.0),
    "ice": Hall(1.15, 0.0, 0.9, 0.9, 0.5, 20.0, 2, 20.0),
}


def make_surroundings(
    surface: Surface, rng: np.random.Generator, *, night: bool = False
) -> list[Panel]:
    """All panels round the surface, the far ones first; at `night` the stands lie in the dark."""
    hall = HALLS[surface.ground]
    reach_x = surface.half_length + surface.margin[0]
    reach_y = surface.half_width + surface.margin[1]
    crowd = _Crowd.drawn(hall, rng)
    if night:
        crowd = replace(crowd, dim=0.45 * crowd.dim)
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
        panels.append(_near_row(surface.length + 4.0, crowd, (reach_y - 0.4, 0.0), rng))
    if hall.dugouts and rng.random() < 0.85:
        panels += _dugouts(surface, rng)
    if hall.dugouts and rng.random() < 0.7:
        for row in range(_NEAR_ROWS):
            place = (reach_y + 3.5 + 0.9 * row, 0.9 + 0.45 * row)
            one = _near_row(surface.length + 16.0, crowd, place, rng)
            panels.append(replace(one, lowest_camera=_ABOVE_HEADS))
    return panels


_NEAR_ROWS, _ABOVE_HEADS = 3, 8.0
DUGOUT_SEATS = 14
"""Places in a dugout, each 0.8 m wide; it begins a fifth of the half length from the halfway line."""


def _dugouts(surface: Surface, rng: np.random.Generator) -> list[Panel]:
    """Roof and back of both benches, as those behind them see them."""
    length, height = 0.8 * DUGOUT_SEATS, 2.1
    back_y = surface.half_width + 0.85 * surface.margin[1] + 0.75
    dark = np.full((3, 3, 3), int(rng.integers(16, 60)), np.uint8)
    wall = _board_picture(length, height, 20.0, rng) if rng.random() < 0.5 else dark
    panels = []
    for side in (-1.0, 1.0):
        start = side * 0.2 * surface.half_length - (length if side < 0 else 0.0)
        for origin, up, tall, picture in (
            ((start, back_y - 1.3, height + 0.25), (0.0, 0.98, -0.19), 1.33, dark),
            ((start, back_y, 0.0), (0.0, 0.0, 1.0), height, wall),
        ):
            solid = np.full(picture.shape[:2], 255, np.uint8)
            panels.append(
                Panel(
                    origin, (1.0, 0.0, 0.0), up, length, tall, (picture,), opaque=solid, front=True,
                    lowest_camera=_ABOVE_HEADS,
                )
            )  # fmt: skip
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
        flags = _Flags.drawn(length, height, self.clothes[-1], rng)
        flags.wave(first, hall.scale, rng)
        shown = [first]
        moving = rng.random(len(rows)) < 0.12
        for _ in range(2):
            moved = spots.copy()
            moved[moving] += rng.normal(0, 0.12 * seat, (int(moving.sum()), 2))
            other = base.copy()
            _seat_people(other, moved, clothes, skins, hall)
            flags.wave(other, hall.scale, rng)
            shown.append(other)
        return tuple(self._finished(picture, rng) for picture in shown)

    def _finished(self, picture: Picture, rng: np.random.Generator) -> Picture:
        soft = cv2.GaussianBlur(picture, (3, 3), 0.7)
        shown: Picture = np.clip(soft.astype(np.float32) * self.dim, 0, 255).astype(np.uint8)
        return shown


@dataclass(frozen=True)
class _Flags:
    """Flags over a crowd: `places` (N, 2) metres, `sizes` metres, two colours each (N, 2, 3)."""

    places: FloatArray
    sizes: FloatArray
    colours: FloatArray

    @classmethod
    def drawn(cls, length: float, height: float, fans: FloatArray, rng: np.random.Generator) -> _Flags:
        """Few in most stands, many where `fans` in that colour sit together."""
        count = int(rng.poisson(length * rng.choice([0.0, 0.02, 0.12], p=[0.4, 0.4, 0.2])))
        block = rng.uniform(0.0, length)
        along = np.where(
            rng.random(count) < 0.6, rng.normal(block, 8.0, count), rng.uniform(0, length, count)
        )
        colours = np.stack([np.tile(fans, (count, 1)), rng.choice([245.0, 20.0, 200.0], (count, 3))], 1)
        return cls(
            np.column_stack([along, rng.uniform(0.1, 0.9, count) * height]),
            rng.uniform(0.5, 1.6, count),
            colours.reshape(-1, 2, 3),
        )

    def wave(self, picture: Picture, scale: float, rng: np.random.Generator) -> None:
        """Draw them, each blown a little otherwise than in the last picture."""
        for (x, y), size, (first, second) in zip(self.places, self.sizes, self.colours, strict=True):
            lean, droop = rng.normal(0.0, 0.25), rng.uniform(-0.2, 0.3)
            across, down = 1.5 * size * scale, size * scale
            corner = np.array([x * scale, y * scale]) + rng.normal(0.0, 0.15 * down, 2)
            for share, colour in ((0.0, first), (0.5, second)):
                edges = np.array(
                    [
                        (0.0, share),
                        (1.0, share + droop),
                        (1.0, share + 0.5 + droop),
                        (lean * 0.2, share + 0.5),
                    ]
                )
                outline = np.rint((corner + edges * (across, down)) * 16).astype(np.int32)
                cv2.fillConvexPoly(picture, outline, colour.tolist(), cv2.LINE_AA, 4)


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


def _near_row(
    length: float, crowd: _Crowd, place: tuple[float, float], rng: np.random.Generator
) -> Panel:
    """The backs of those who sit before the camera, cut out; `place` is how near and how high."""
    scale, height = 60.0, 1.25
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
        (-length / 2, *place),
        (1.0, 0.0, 0.0),
        (0.0, 0.0, 1.0),
        length,
        height,
        (picture,),
        opaque=opaque,
        front=True,
    )
