"""A place as the camera sees it: ground, lines, stands, boards, goals, and the light over it all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.pitch import Arc, Line, Surface
from filmroom.simulate.camera import Camera, project
from filmroom.simulate.ground import Colour, Ground, lay_snow, make_ground, woven
from filmroom.simulate.stands import Panel, make_surroundings

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]
Covered = tuple[tuple[slice, slice], NDArray[np.bool_]]
"""A part of the picture and which of its pixels are hidden."""

_NEAR = 0.6
_SHIFT = 4


@dataclass(frozen=True)
class Light:
    """`shadows` are the ways (x, y) in which one metre of height throws its shadow, with the depth
    of each.

    `shade` is a half-plane a x + b y > c of the ground that lies in the stadium's shade, or None.
    """

    shadows: tuple[tuple[float, float, float], ...]
    shade: tuple[float, float, float] | None
    shade_depth: float
    tint: tuple[float, float, float]

    def is_shaded(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points (N, 2) of the ground lie in the shade."""
        if self.shade is None:
            return np.zeros(len(points), dtype=bool)
        a, b, c = self.shade
        return points[:, 0] * a + points[:, 1] * b > c


@dataclass(frozen=True)
class Structure:
    """Something upright on the surface: bars and flat panels that may hide people, `foot` its depth."""

    bars: tuple[Line, ...]
    rims: tuple[Arc, ...]
    nets: tuple[FloatArray, ...]
    glass: bool
    foot: tuple[float, float, float]


@dataclass(frozen=True)
class Place:
    """One venue on one day; draw it for a camera with `draw_background` and `draw_structure`.

    `outlines` are those of the painted lines, see `line_polygons`.
    """

    surface: Surface
    ground: Ground
    panels: tuple[Panel, ...]
    structures: tuple[Structure, ...]
    light: Light
    sky: Colour
    outlines: tuple[tuple[str, list[FloatArray]], ...]
    snow: float = 0.0


def make_place(
    surface: Surface, rng: np.random.Generator, *, snow: float = 0.0, held_out: bool = False
) -> Place:
    """A venue drawn at random for the surface, with `snow` lying on the ground, 0 (none) to 1."""
    ground = make_ground(surface, rng)
    if held_out:
        ground = woven(ground, rng)
    outdoors = surface.ground in ("grass", "turf")
    if snow and outdoors:
        ground = lay_snow(ground, snow, rng)
    night = outdoors and rng.random() < _NIGHTS
    panels = tuple(make_surroundings(surface, rng, night=night))
    light = _make_light(surface, rng, night=night)
    ground = _lit(ground, light)
    sky = (int(rng.integers(4, 16) if night else rng.integers(20, 70)),) * 3
    outlines = tuple(line_polygons(surface))
    return Place(surface, ground, panels, _structures(surface), light, sky, outlines, snow)


_NIGHTS = 0.25
"""The share of matches outdoors that are played under floodlights in the dark."""


def _make_light(surface: Surface, rng: np.random.Generator, *, night: bool) -> Light:
    tint = tuple((1.0 + rng.normal(0, 0.025, 3)).tolist())
    if surface.ground not in ("grass", "turf"):
        lamps = tuple(
            (math.cos(turn) * 0.35, math.sin(turn) * 0.35, 0.10) for turn in rng.uniform(0, 6.28, 3)
        )
        return Light(lamps, None, 1.0, (tint[0], tint[1], tint[2]))
    kind = 0.5 if night else rng.random()
    if kind < 0.4:
        turn, long = rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 2.2)
        sun = ((math.cos(turn) * long, math.sin(turn) * long, float(rng.uniform(0.35, 0.6))),)
        shade = None
        if rng.random() < 0.6:
            edge = rng.uniform(-0.9, 0.9) * surface.half_width
            slant = rng.normal(0, 0.12)
            sign = -1.0 if rng.random() < 0.7 else 1.0
            shade = (sign * slant, sign, sign * edge)
        return Light(sun, shade, float(rng.uniform(0.45, 0.7)), (tint[0], tint[1], tint[2]))
    if kind < 0.75:
        lamps = tuple(
            (sx * rng.uniform(0.5, 1.1), sy * rng.uniform(0.5, 1.1), float(rng.uniform(0.08, 0.2)))
            for sx in (-1, 1)
            for sy in (-1, 1)
        )
        return Light(lamps, None, 1.0, (tint[0], tint[1], tint[2]))
    return Light((), None, 1.0, (tint[0], tint[1], tint[2]))


def _lit(ground: Ground, light: Light) -> Ground:
    pixels = ground.pixels.astype(np.float32) * np.array(light.tint, np.float32)
    if light.shade is not None:
        a, b, c = light.shade
        height, width = pixels.shape[:2]
        x = ground.left + np.arange(width, dtype=np.float32) / ground.scale
        y = ground.far + np.arange(height, dtype=np.float32) / ground.scale
        inside = 0.5 + 0.5 * np.tanh((a * x[None] + b * y[:, None] - c) / 0.35)
        cool = np.array([0.94, 1.0, 1.08], np.float32)
        pixels *= 1 - inside[:, :, None] * (1 - light.shade_depth * cool)
    lit = np.clip(pixels, 0, 255).astype(np.uint8)
    return Ground(lit, ground.left, ground.far, ground.scale, ground.paints, ground.gloss)


def _structures(surface: Surface) -> tuple[Structure, ...]:
    """Goals, baskets and nets, gathered by the end they stand at."""
    built = []
    for end in ("left", "right", ""):
        bars = tuple(bar for bar in surface.frames if _end_of(bar.name) == end)
        rims = tuple(rim for rim in surface.rims if _end_of(rim.name) == end)
        names = [name for name in surface.panels if _end_of(name) == end]
        nets = tuple(np.array(surface.panels[name]) for name in names)
        if not bars and not nets:
            continue
        points = np.array([bar.start for bar in bars] + [bar.end for bar in bars])
        foot = (float(points[:, 0].mean()), float(points[:, 1].mean()), 0.0)
        glass = any(name.startswith("glass") for name in names)
        built.append(Structure(bars, rims, nets, glass, foot))
    return tuple(built)


def _end_of(name: str) -> str:
    # The word that names the end comes before words that name a side of it ("Goal left post right").
    words = name.split()
    return next((word for word in words if word in ("left", "right")), "")


# --- drawing --------------------------------------------------------------------------------------


def draw_background(place: Place, camera: Camera, seconds: float) -> Picture:
    """Everything behind and under the people, RGB (H, W, 3)."""
    picture = np.empty((camera.height, camera.width, 3), np.uint8)
    size = (camera.width, camera.height)
    cv2.rectangle(picture, (0, 0), size, place.sky, -1)
    ground = place.ground
    horizon = _horizon_row(camera)
    if horizon < camera.height:
        cv2.rectangle(picture, (0, max(0, horizon)), size, ground.pixels[0, 0].tolist(), -1)
    matrix = camera.matrix()
    centre = np.array(camera.position)
    far_first = sorted(
        (panel for panel in place.panels if not panel.front and panel.is_seen_from(camera.position)),
        key=lambda panel: -float(np.linalg.norm(panel.corners().mean(axis=0)[:2] - centre[:2])),
    )
    _draw_ground(picture, ground, camera)
    _draw_lines(picture, place, matrix, camera)
    for panel in far_first:
        if not panel.board:
            draw_panel(picture, panel, camera, seconds)
    return picture


def draw_boards(
    picture: Picture, owner: NDArray[np.uint8], place: Place, camera: Camera, seconds: float
) -> None:
    """The boards, far ones first; people behind them lose what they cover in `owner`."""
    boards = [panel for panel in place.panels if panel.board]
    centre = np.array(camera.position[:2])
    for panel in sorted(
        boards, key=lambda one: -float(np.linalg.norm(one.corners().mean(axis=0)[:2] - centre))
    ):
        draw_panel(picture, panel, camera, seconds)
        polygon, _ = _visible_polygon(panel.corners(), camera)
        if polygon is not None:
            fixed = np.rint(np.clip(polygon - 0.5, -8000, 8000) * 16).astype(np.int32)
            cv2.fillConvexPoly(owner, fixed, 0, cv2.LINE_8, _SHIFT)


def _horizon_row(camera: Camera) -> int:
    return round(camera.centre[1] - camera.focal * math.tan(math.radians(camera.tilt - 90.0)) * -1.0)


def _draw_ground(picture: Picture, ground: Ground, camera: Camera) -> None:
    height, width = ground.pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) / ground.scale
    world = np.concatenate([corners + np.array([ground.left, ground.far]), np.zeros((4, 1))], axis=1)
    _warp(picture, ground.pixels, camera.ground() @ ground.to_world(), world, camera)


def draw_panel(picture: Picture, panel: Panel, camera: Camera, seconds: float) -> Covered | None:
    """Draw a panel in place; for one that is cut out, returns what it covered of the picture."""
    shown = panel.pictures[int(seconds / panel.seconds) % len(panel.pictures)]
    tall, wide = shown.shape[:2]
    frame = camera.plane(np.array(panel.origin), np.array(panel.along), np.array(panel.up))
    offset = (panel.scroll * seconds) % panel.length
    to_panel = np.array(
        [[panel.length / wide, 0, 0], [0, -panel.height / tall, panel.height], [0, 0, 1.0]]
    )
    if offset:
        shown = np.roll(shown, round(offset / panel.length * wide), axis=1)
    return _warp(picture, shown, frame @ to_panel, panel.corners(), camera, panel.opaque)


def _warp(
    picture: Picture,
    texture: Picture,
    matrix: FloatArray,
    corners: FloatArray,
    camera: Camera,
    opaque: Picture | None = None,
) -> Covered | None:
    """Warp a texture whose corners in space are given into the part of the picture it can reach."""
    polygon, cut = _visible_polygon(corners, camera)
    if polygon is None:
        return None
    left, top = np.floor(polygon.min(axis=0)).astype(int)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 1
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, camera.width), min(bottom, camera.height)
    if right <= left or bottom <= top:
        return None
    shift = np.array([[1, 0, -left - 0.0], [0, 1, -top - 0.0], [0, 0, 1.0]])
    # Texture and picture both count from pixel edges; OpenCV counts from pixel centres.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    back = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]])
    local = back @ shift @ matrix @ half
    region = picture[top:bottom, left:right]
    size = (right - left, bottom - top)
    if opaque is None and not cut:
        warped = cv2.warpPerspective(
            texture,
            local,
            size,
            dst=region.copy(),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        region[:] = warped
        return None
    if opaque is None:
        mask = np.zeros((bottom - top, right - left), np.uint8)
        points = np.rint((polygon - (left, top)) * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, points, 255, cv2.LINE_8, _SHIFT)
        warped = cv2.warpPerspective(
            texture, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.copyTo(warped, mask, region)
        return None
    warped = cv2.warpPerspective(texture, local, size, flags=cv2.INTER_LINEAR)
    share = cv2.warpPerspective(opaque, local, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    share /= np.float32(255)
    region[:] = cv2.blendLinear(warped, region, share, 1 - share)
    return (slice(top, bottom), slice(left, right)), share > np.float32(0.5)


def _visible_polygon(corners: FloatArray, camera: Camera) -> tuple[FloatArray | None, bool]:
    """The picture polygon of a flat shape cut at the near plane, and whether anything was cut off."""
    matrix = camera.matrix()
    seen = corners @ matrix[:, :3].T + matrix[:, 3]
    kept = _clip_near(seen)
    if len(kept) < 3:
        return None, True
    return kept[:, :2] / kept[:, 2:], bool((seen[:, 2] <= _NEAR).any())


def _clip_near(seen: FloatArray) -> FloatArray:
    """A polygon in homogeneous pixels (N, 3) cut at the near plane (Sutherland-Hodgman)."""
    if (seen[:, 2] > _NEAR).all():
        return seen
    kept = []
    for first, second in zip(seen, np.roll(seen, -1, axis=0), strict=True):
        if first[2] > _NEAR:
            kept.append(first)
        if (first[2] > _NEAR) != (second[2] > _NEAR):
            share = (_NEAR - first[2]) / (second[2] - first[2])
            kept.append(first + share * (second - first))
    return np.array(kept).reshape(-1, 3)


def line_polygons(surface: Surface) -> list[tuple[str, list[FloatArray]]]:
    """Every painted line as outlines on the ground, metres: its paint, one or two rings (N, 2)."""
    shapes: list[tuple[str, list[FloatArray]]] = []
    for line in surface.lines:
        start, end = np.array(line.start[:2]), np.array(line.end[:2])
        way = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        side = np.array([-way[1], way[0]]) * line.width / 2
        cap = way * line.width / 2
        pieces = _dashes(start, end) if line.paint == "broken" else [(start - cap, end + cap)]
        shapes += [
            (line.paint, [np.stack([a + side, b + side, b - side, a - side])]) for a, b in pieces
        ]
    for arc in surface.arcs:
        points = arc.points()[:, :2]
        centre = np.array(arc.centre[:2])
        ray = (points - centre) / arc.radius
        outer, inner = points + ray * arc.width / 2, points - ray * arc.width / 2
        if arc.radius <= arc.width:
            shapes.append((arc.paint, [outer]))
        elif arc.last - arc.first >= 360:
            shapes.append((arc.paint, [outer, inner]))
        elif arc.paint == "broken":
            for at in range(0, len(points) - 1, 2):
                ring = np.concatenate([outer[at : at + 2], inner[at : at + 2][::-1]])
                shapes.append((arc.paint, [ring]))
        else:
            shapes.append((arc.paint, [np.concatenate([outer, inner[::-1]])]))
    return shapes


def _dashes(
    start: FloatArray, end: FloatArray, long: float = 0.15
) -> list[tuple[FloatArray, FloatArray]]:
    length = float(np.hypot(*(end - start)))
    count = max(1, int(length / (2 * long)))
    edges = np.linspace(0, 1, 2 * count + 1)
    return [
        (start + a * (end - start), start + b * (end - start))
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]


def _draw_lines(picture: Picture, place: Place, matrix: FloatArray, camera: Camera) -> None:
    ground = place.ground
    masks: dict[str, Picture] = {}
    for paint, rings in place.outlines:
        outlines = []
        for ring in rings:
            world = np.concatenate([ring, np.zeros((len(ring), 1))], axis=1)
            kept = _clip_near(world @ matrix[:, :3].T + matrix[:, 3])
            if len(kept) >= 3:
                outlines.append(kept[:, :2] / kept[:, 2:])
        if not outlines:
            continue
        low = np.min([outline.min(axis=0) for outline in outlines], axis=0)
        high = np.max([outline.max(axis=0) for outline in outlines], axis=0)
        if high[0] < 0 or high[1] < 0 or low[0] > camera.width or low[1] > camera.height:
            continue
        mask = masks.setdefault(paint, np.zeros(picture.shape[:2], np.uint8))
        fixed = [
            np.rint(np.clip(outline - 0.5, -8000, 8000) * 16).astype(np.int32) for outline in outlines
        ]
        cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, _SHIFT)
    for paint, mask in masks.items():
        colour = np.array(ground.paints.get(paint, ground.paints["line"]), np.float32)
        spots = np.flatnonzero(mask)
        flat = picture.reshape(-1, 3)
        share = mask.reshape(-1)[spots].astype(np.float32)[:, None] * (0.88 / 255)
        under = flat[spots].astype(np.float32)
        # A line in the shade is as dark as the ground round it.
        lit = np.clip(
            under.sum(axis=1, keepdims=True) / max(float(ground.pixels.mean()) * 3, 1.0), 0.55, 1.0
        )
        flat[spots] = (under + share * (colour * lit - under)).astype(np.uint8)


def draw_structure(
    picture: Picture, owner: NDArray[np.uint8], structure: Structure, place: Place, camera: Camera
) -> None:
    """Draw a goal or basket; people behind its solid parts lose those pixels in `owner`."""
    matrix = camera.matrix()
    paints = place.ground.paints
    for net in structure.nets:
        _draw_net(picture, net, matrix, camera, structure.glass)
    mask = np.zeros(picture.shape[:2], np.uint8)
    for bar in structure.bars:
        ends, depth = project(matrix, np.array([bar.start, bar.end]))
        if (depth < _NEAR).any() or not _near_picture(ends, camera):
            continue
        wide = bar.width * camera.focal / depth
        _fill(picture, owner, mask, [_bar_outline(ends, wide)], paints.get(bar.paint, (230, 230, 230)))
    for rim in structure.rims:
        points, depth = project(matrix, rim.points(0.05))
        if (depth < _NEAR).any() or not _near_picture(points, camera):
            continue
        thick = max(1, round(rim.width * camera.focal / float(depth.mean())))
        cv2.polylines(
            picture,
            [np.rint(points * 16).astype(np.int32)],
            True,
            paints.get(rim.paint, (214, 76, 34)),
            thick,
            cv2.LINE_AA,
            _SHIFT,
        )
        _draw_basket_net(picture, rim, matrix)


def _near_picture(points: FloatArray, camera: Camera) -> bool:
    low, high = points.min(axis=0), points.max(axis=0)
    return bool(
        high[0] > -50 and high[1] > -50 and low[0] < camera.width + 50 and low[1] < camera.height + 50
    )


def _bar_outline(ends: FloatArray, wide: FloatArray) -> FloatArray:
    way = ends[1] - ends[0]
    side = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-6)
    half = np.maximum(wide, 1.2)[:, None] / 2 * side
    return np.stack([ends[0] + half[0], ends[1] + half[1], ends[1] - half[1], ends[0] - half[0]])


def _fill(
    picture: Picture,
    owner: NDArray[np.uint8],
    mask: Picture,
    outlines: list[FloatArray],
    colour: Colour,
) -> None:
    fixed = [np.rint(np.clip(outline - 0.5, -8000, 8000) * 16).astype(np.int32) for outline in outlines]
    mask[:] = 0
    cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, _SHIFT)
    rows, columns = np.nonzero(mask)
    share = mask[rows, columns].astype(np.float32)[:, None] / 255
    under = picture[rows, columns].astype(np.float32)
    picture[rows, columns] = (under + share * (np.array(colour, np.float32) - under)).astype(np.uint8)
    solid = share[:, 0] > 0.5
    owner[rows[solid], columns[solid]] = 0


def _draw_net(
    picture: Picture, corners: FloatArray, matrix: FloatArray, camera: Camera, glass: bool
) -> None:
    points, depth = project(matrix, corners)
    if (depth < _NEAR).any() or not _near_picture(points, camera):
        return
    low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, (camera.width, camera.height))
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, (camera.width, camera.height))
    if (high <= low).any():
        return
    region = picture[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(region.shape[:2], np.uint8)
    local = points - low
    outline = np.rint(local * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, outline, 60 if glass else 22, cv2.LINE_AA, _SHIFT)
    if not glass:
        strings = np.zeros_like(mask)
        for first, second in ((0, 1), (1, 2)):
            span = float(np.linalg.norm(corners[first] - corners[second]))
            opposite = (3, 2) if first == 0 else (0, 3)
            for share in np.linspace(0, 1, max(2, round(span / 0.3) + 1)):
                a = local[first] + share * (local[second] - local[first])
                b = local[opposite[0]] + share * (local[opposite[1]] - local[opposite[0]])
                ends = np.rint(np.stack([a, b]) * 16).astype(np.int32)
                cv2.line(
                    strings,
                    tuple(ends[0].tolist()),
                    tuple(ends[1].tolist()),
                    80,
                    1,
                    cv2.LINE_AA,
                    _SHIFT,
                )
        mask = np.maximum(mask, strings)
    share = mask[:, :, None].astype(np.float32) / 255
    region[:] = (region + share * (232 - region.astype(np.float32))).astype(np.uint8)


def _draw_basket_net(picture: Picture, rim: Arc, matrix: FloatArray) -> None:
    angles = np.linspace(0, 2 * math.pi, 9)[:-1]
    x, y, z = rim.centre
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    top = np.column_stack([x + rim.radius * ring[:, 0], y + rim.radius * ring[:, 1], np.full(8, z)])
    low = np.column_stack(
        [x + 0.5 * rim.radius * ring[:, 0], y + 0.5 * rim.radius * ring[:, 1], np.full(8, z - 0.42)]
    )
    tops, _ = project(matrix, top)
    lows, _ = project(matrix, low)
    for step in (0, 1):
        for a, b in zip(tops, np.roll(lows, step, axis=0), strict=True):
            ends = np.rint(np.stack([a, b]) * 16).astype(np.int32)
            cv2.line(
                picture,
                tuple(ends[0].tolist()),
                tuple(ends[1].tolist()),
                (224, 224, 224),
                1,
                cv2.LINE_AA,
                _SHIFT,
            )
