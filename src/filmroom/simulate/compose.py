"""People, ball, shadows and goals laid over the place, from the farthest to the nearest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.camera import Camera
from filmroom.simulate.figures import Sprite
from filmroom.simulate.place import draw_boards, draw_structure
from filmroom.simulate.scene import Scene
from filmroom.simulate.sensor import line_kernel

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]

ASIDE_AFTER_BALL = 4
"""Bystanders' tracks begin so many after the ball's: hoops come before them."""


@dataclass
class Figure:
    """A person as composed into the picture: alpha (h, w) float32 with its left top corner."""

    track: int
    person: int
    alpha: NDArray[np.float32]
    left: int
    top: int
    box: tuple[float, float, float, float]
    whole: int
    number_box: tuple[float, float, float, float] | None
    number_visible: float
    position: tuple[float, float, float]


def compose(
    scene: Scene, frame: int, camera: Camera, picture: Picture, owner: NDArray[np.uint8]
) -> list[Figure]:
    """Draw those behind the boards, the boards, shadows, then people, ball and goals, nearest last.

    `frame` is one of the film, `camera` its pinhole.
    """
    play, place = scene.play, scene.place
    seconds, film_frame, frame = frame / scene.settings.fps, frame, scene.moment_of(frame)
    aside = np.array([one.place for one in scene.bystanders], dtype=float).reshape(-1, 2)
    where = np.concatenate([play.positions[frame].astype(float), aside])
    people = len(where)
    ground = np.column_stack([where, np.zeros(people)])
    feet, depth = camera.project(ground)
    drift = feet - _feet_before(scene, film_frame, ground)
    there = np.concatenate([play.present[frame], np.ones(len(aside), dtype=bool)])
    drawn = {
        i: _dress(scene, frame, i, camera, ground[i], feet[i], float(depth[i]), drift[i])
        for i in np.flatnonzero(there).tolist()
    }
    shown = {i: figure for i, figure in drawn.items() if figure is not None}
    figures: list[Figure] = []
    cast = len(play.cast)
    hidden = [i for i in shown if i >= cast and scene.bystanders[i - cast].behind_boards]
    for i in sorted(hidden, key=lambda one: -float(depth[one])):
        figure, rgb = shown.pop(i)
        _paste(picture, owner, figure, rgb)
        figures.append(figure)
    draw_boards(picture, owner, place, camera, seconds)
    _cast_shadows(picture, scene, camera, frame, shown)
    ball = play.ball[frame].astype(float)
    ball_depth = float(camera.project(ball[None])[1][0])
    order: list[tuple[float, int, int]] = [(float(depth[i]), 0, i) for i in shown]
    order.append((ball_depth - 0.2, 1, 0))
    for index, structure in enumerate(place.structures):
        order.append((float(camera.project(np.array([structure.foot]))[1][0]), 2, index))
    for _, kind, index in sorted(order, reverse=True):
        if kind == 2:
            draw_structure(picture, owner, place.structures[index], place, camera)
        elif kind == 1:
            ball_figure = _draw_ball(picture, owner, scene, film_frame, camera, ball, ball_depth)
            if ball_figure is not None:
                figures.append(ball_figure)
        else:
            figure, rgb = shown[index]
            _paste(picture, owner, figure, rgb)
            figures.append(figure)
    return figures


def _feet_before(scene: Scene, frame: int, ground: FloatArray) -> FloatArray:
    """Where everybody's feet were in the picture one frame earlier; now, right after a cut."""
    before = max(frame - 1, 0)
    if scene.shot_of(before) != scene.shot_of(frame):
        before = frame
    earlier = ground.copy()
    cast = len(scene.play.cast)
    earlier[:cast, :2] = scene.play.positions[scene.moment_of(before)]
    return scene.camera_of(before).pinhole().project(earlier)[0]


_HUGE = 2.0
"""Figures of more than so many times the picture's area are drawn only where they lie in it."""


def _dress(
    scene: Scene,
    frame: int,
    person: int,
    camera: Camera,
    ground: FloatArray,
    feet: FloatArray,
    depth: float,
    drift: FloatArray,
) -> tuple[Figure, NDArray[np.float32]] | None:
    """The person's sprite brought to its place with premultiplied colours; None out of view."""
    if depth < 2.0:
        return None
    play, wardrobe = scene.play, scene.wardrobe
    metre = camera.focal / depth
    size = metre * wardrobe.looks[person].height_m
    reach = 1.3 * size
    if not (
        -reach < feet[0] < camera.width + reach and -0.4 * size < feet[1] < camera.height + 1.6 * size
    ):
        return None
    away = np.array(camera.position[:2]) - ground[:2]
    aside = person - len(play.cast)
    to_ball = play.ball[frame, :2].astype(float) - ground[:2]
    turned = scene.bystanders[aside].facing if aside >= 0 else float(play.facing[frame, person])
    facing = math.atan2(to_ball[1], to_ball[0]) if turned is None else turned
    heading = math.atan2(away[1], away[0]) - facing
    elevation = math.atan2(camera.position[2] - 0.9, float(np.hypot(*away)))
    sprite, scale = wardrobe.sprite_of(
        person, scene.stances.of(frame, person), heading, size, elevation
    )
    lift = 0.0 if aside >= 0 else float(play.lifts[frame, person])
    track = person + 1 if aside < 0 else play.cast.ball_track + ASIDE_AFTER_BALL + aside
    stand = feet - np.array([0.0, lift * metre * math.cos(elevation)])
    streak = drift * scene.shutter
    at = (float(stand[0]), float(stand[1]))
    height, width = sprite.alpha.shape
    huge = height * width * scale * scale > _HUGE * camera.width * camera.height
    within = (camera.width, camera.height) if huge else None
    alpha, rgb, left, top = _place_sprite(sprite, scale, at, _streak_kernel(streak, size), within)
    shaded = bool(scene.place.light.is_shaded(ground[None, :2])[0])
    if shaded:
        rgb = rgb * np.float32(scene.place.light.shade_depth)
    inside = alpha > 0.5
    if not inside.any():
        return None
    x, y, w, h = cv2.boundingRect(inside.astype(np.uint8))
    box = (float(left + x), float(top + y), float(w), float(h))
    whole = int(np.count_nonzero(inside))
    if huge:
        # Only the part in the picture was drawn: the whole is that of the sprite.
        solid = sprite.alpha > 0.5
        part = scale * np.array(cv2.boundingRect(solid.astype(np.uint8)), float)
        corner = np.array(at) - scale * np.array(sprite.feet)
        left_edge, top_edge = (corner + part[:2]).tolist()
        box = (left_edge, top_edge, float(part[2]), float(part[3]))
        whole = round(float(np.count_nonzero(solid)) * scale * scale)
    number_box = None
    if sprite.number_box is not None:
        nx, ny, nw, nh = sprite.number_box
        origin_x = float(stand[0]) - sprite.feet[0] * scale
        origin_y = float(stand[1]) - sprite.feet[1] * scale
        number_box = (origin_x + nx * scale, origin_y + ny * scale, nw * scale, nh * scale)
    figure = Figure(
        track,
        person,
        alpha,
        left,
        top,
        box,
        whole,
        number_box,
        sprite.number_visible,
        (float(ground[0]), float(ground[1]), lift),
    )
    return figure, rgb


def _place_sprite(
    sprite: Sprite,
    scale: float,
    feet: tuple[float, float],
    streak: NDArray[np.float32] | None = None,
    within: tuple[int, int] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
    """Scale and move a sprite by parts of a pixel: alpha, premultiplied colours, left, top.

    `streak` is the kernel of its motion while the shutter is open. Where `within` is given, the width
    and height of the picture, no more is drawn than lies in it.
    """
    height, width = sprite.alpha.shape
    left_edge = feet[0] - sprite.feet[0] * scale
    top_edge = feet[1] - sprite.feet[1] * scale
    room = 1 if streak is None else 1 + streak.shape[0] // 2
    left, top = math.floor(left_edge) - room, math.floor(top_edge) - room
    size = (math.ceil(width * scale) + 2 * room + 1, math.ceil(height * scale) + 2 * room + 1)
    if within is not None:
        right = min(left + size[0], within[0] + room)
        bottom = min(top + size[1], within[1] + room)
        left, top = max(left, -room), max(top, -room)
        size = (max(right - left, 1), max(bottom - top, 1))
    stack = np.dstack([sprite.rgb * sprite.alpha[:, :, None], sprite.alpha])
    move = np.array(
        [
            [scale, 0, left_edge - left + 0.5 * scale - 0.5],
            [0, scale, top_edge - top + 0.5 * scale - 0.5],
        ]
    )
    moved = np.asarray(cv2.warpAffine(stack, move, size, flags=cv2.INTER_LINEAR), np.float32)
    if streak is not None:
        moved = np.asarray(cv2.filter2D(moved, -1, streak, borderType=cv2.BORDER_CONSTANT), np.float32)
    return np.ascontiguousarray(moved[:, :, 3]), moved[:, :, :3], left, top


def _streak_kernel(streak: FloatArray, size: float) -> NDArray[np.float32] | None:
    """The blur of a body that moves so many pixels; None below a pixel, and never half a body long."""
    length = float(np.hypot(*streak))
    if length < 1.2:
        return None
    return line_kernel(streak * min(1.0, 0.5 * size / length))


def overlap(
    picture: Picture, left: int, top: int, height: int, width: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Slices of the picture and of the patch where they overlap, or None."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, picture.shape[1]), min(top + height, picture.shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _paste(
    picture: Picture, owner: NDArray[np.uint8], figure: Figure, rgb: NDArray[np.float32]
) -> None:
    cut = overlap(picture, figure.left, figure.top, *figure.alpha.shape)
    if cut is None:
        return
    there, here = cut
    alpha = figure.alpha[here]
    target = picture[there]
    picture[there] = (target * (1 - alpha[:, :, None]) + rgb[here] + 0.5).astype(np.uint8)
    owner[there][alpha > 0.5] = figure.track


def _cast_shadows(
    picture: Picture,
    scene: Scene,
    camera: Camera,
    frame: int,
    shown: dict[int, tuple[Figure, NDArray[np.float32]]],
) -> None:
    """Darken the ground where lamps or the sun throw people's shadows, and right under their feet."""
    light, gloss = scene.place.light, scene.place.ground.gloss
    dark = np.zeros(picture.shape[:2], np.float32)
    for person, (figure, rgb) in shown.items():
        ground = np.array([figure.position[0], figure.position[1], 0.0])
        foot, depth = camera.project(ground[None])
        metre = camera.focal / float(depth[0])
        if gloss:
            _mirror(picture, figure, rgb, float(foot[0, 1]), gloss)
        _contact(dark, foot[0], metre)
        if bool(light.is_shaded(ground[None, :2])[0]):
            continue
        tall = float(foot[0, 1]) - figure.box[1]
        for dx, dy, depth_of in light.shadows:
            height = scene.wardrobe.looks[person].height_m
            tip = camera.project((ground + np.array([dx * height, dy * height, 0.0]))[None])[0][0]
            _shear(dark, figure, foot[0], tip, tall, depth_of)
    spots = np.flatnonzero(dark > 0.01)
    flat = picture.reshape(-1, 3)
    flat[spots] = (flat[spots] * (1 - dark.reshape(-1)[spots, None])).astype(np.uint8)


def _shear(
    dark: NDArray[np.float32],
    figure: Figure,
    foot: FloatArray,
    tip: FloatArray,
    tall: float,
    depth: float,
) -> None:
    """Lay a figure's outline on the ground: its feet stay, its head goes to `tip`."""
    if tall < 3:
        return
    way = (tip - foot) / tall
    # A point u right of and v above the feet goes to foot + (0.9 u, 0) + v * way.
    if abs(way[1]) < 0.16:
        # Thrown along the picture's rows a flat outline would vanish; a body is as deep as that.
        way = np.array([way[0], math.copysign(0.16, way[1])])
    matrix = np.array([[0.9, -way[0]], [0.0, -way[1]]])
    height, width = figure.alpha.shape
    corner = np.array([figure.left, figure.top]) - foot
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) + corner
    placed = corners @ matrix.T + foot
    low, high = np.floor(placed.min(axis=0)).astype(int), np.ceil(placed.max(axis=0)).astype(int) + 1
    size = high - low
    if (size > 600).any() or (size < 2).any():
        return
    origin = matrix @ (np.array([figure.left + 0.5, figure.top + 0.5]) - foot) + foot - low - 0.5
    cut = overlap(dark, int(low[0]), int(low[1]), int(size[1]), int(size[0]))  # type: ignore[arg-type]
    if cut is None:
        return
    if abs(np.linalg.det(matrix)) < 0.02:
        return
    laid = cv2.warpAffine(
        figure.alpha,
        np.column_stack([matrix, origin]),
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_LINEAR,
    )
    there, here = cut
    np.maximum(dark[there], np.asarray(laid, np.float32)[here] * depth, out=dark[there])


def _contact(dark: NDArray[np.float32], foot: FloatArray, metre: float) -> None:
    """The soft darkness right under somebody."""
    half_x, half_y = 0.34 * metre, 0.13 * metre
    left, top = math.floor(foot[0] - 1.6 * half_x), math.floor(foot[1] - 1.6 * half_y)
    width, height = math.ceil(3.2 * half_x) + 2, math.ceil(3.2 * half_y) + 2
    cut = overlap(dark, left, top, height, width)  # type: ignore[arg-type]
    if cut is None:
        return
    x = (left + np.arange(width, dtype=np.float32) + 0.5 - np.float32(foot[0])) / np.float32(half_x)
    y = (top + np.arange(height, dtype=np.float32) + 0.5 - np.float32(foot[1])) / np.float32(half_y)
    spot = 0.38 * np.exp(-(x[None] ** 2 + y[:, None] ** 2) * 1.2)
    there, here = cut
    np.maximum(dark[there], spot[here], out=dark[there])


def _shade_ground(picture: Picture, owner: NDArray[np.uint8], foot: FloatArray, metre: float) -> None:
    """A ball's shadow on whatever ground shows around the point below it."""
    reach = math.ceil(metre) + 2
    left, top = math.floor(foot[0]) - reach, math.floor(foot[1]) - reach
    cut = overlap(picture, left, top, 2 * reach, 2 * reach)
    if cut is None:
        return
    shadow = np.zeros((2 * reach, 2 * reach), np.float32)
    _contact(shadow, foot - np.array([left, top]), metre)
    there, here = cut
    keep = 1 - shadow[here] * (owner[there] == 0)
    picture[there] = (picture[there] * keep[:, :, None]).astype(np.uint8)


def _mirror(
    picture: Picture, figure: Figure, rgb: NDArray[np.float32], foot_y: float, gloss: float
) -> None:
    """A faint upside-down picture in a polished floor."""
    flipped = rgb[::-1]
    alpha = figure.alpha[::-1]
    top = round(2 * foot_y - figure.top - figure.alpha.shape[0])
    cut = overlap(picture, figure.left, top, *alpha.shape)
    if cut is None:
        return
    there, here = cut
    share = np.float32(gloss)
    target = picture[there]
    picture[there] = (target * (1 - share * alpha[here][:, :, None]) + share * flipped[here]).astype(
        np.uint8
    )


def _draw_ball(
    picture: Picture,
    owner: NDArray[np.uint8],
    scene: Scene,
    frame: int,
    camera: Camera,
    ball: FloatArray,
    depth: float,
) -> Figure | None:
    """A shaded ball, drawn along the way it went while the shutter was open."""
    play = scene.play
    if depth < 2.0:
        return None
    radius = max(0.9, 0.5 * play.sport.ball_diameter * camera.focal / depth)
    now = camera.project(ball[None])[0][0]
    before = max(frame - 1, 0)
    same_shot = scene.shot_of(before) == scene.shot_of(frame)
    then = scene.camera_of(before if same_shot else frame).pinhole()
    was = play.ball[scene.moment_of(before)].astype(float)
    streak = (now - then.project(was[None])[0][0]) * scene.shutter
    if float(np.hypot(*streak)) > 12 * radius:
        streak *= 0.0
    size = math.ceil(radius + float(np.abs(streak).max())) + 3
    left, top = math.floor(now[0]) - size, math.floor(now[1]) - size
    finer = 4
    canvas = np.zeros(((2 * size + 1) * finer, (2 * size + 1) * finer), np.float32)
    steps = max(1, math.ceil(float(np.hypot(*streak)) / max(radius * 0.2, 0.5)))
    for share in np.linspace(-0.5, 0.5, steps) if steps > 1 else [0.0]:
        centre = (now + share * streak - (left, top)) * finer
        single = np.zeros_like(canvas)
        fixed = tuple(np.rint((centre - 0.5) * 16).astype(int).tolist())
        cv2.circle(single, fixed, round(radius * finer * 16), 1.0, -1, cv2.LINE_8, 4)
        canvas += single / steps
    alpha = np.asarray(
        cv2.resize(canvas, (2 * size + 1, 2 * size + 1), interpolation=cv2.INTER_AREA), np.float32
    )
    ordinary = _BALLS.get(play.sport.name, (244, 244, 244))
    colour = np.array(_SNOW_BALL if scene.place.snow > 0.3 else ordinary, np.float32)
    rows = np.arange(2 * size + 1, dtype=np.float32)[:, None, None] + top
    shade = np.clip(1.0 - 0.3 * (rows - np.float32(now[1])) / np.float32(radius), 0.55, 1.1)
    rgb = alpha[:, :, None] * np.clip(colour * shade, 0, 255)
    ground = np.array([ball[0], ball[1], 0.0])
    foot = camera.project(ground[None])[0][0]
    _shade_ground(picture, owner, foot, 0.35 * camera.focal / depth * play.sport.ball_diameter / 0.22)
    solid = alpha > 0.5 / steps
    if not solid.any():
        solid = alpha >= alpha.max()
    bx, by, bw, bh = cv2.boundingRect(solid.astype(np.uint8))
    figure = Figure(
        play.cast.ball_track,
        -1,
        alpha,
        left,
        top,
        (float(left + bx), float(top + by), float(bw), float(bh)),
        int(np.count_nonzero(solid)),
        None,
        0.0,
        (float(ball[0]), float(ball[1]), float(ball[2])),
    )
    _paste(picture, owner, figure, rgb)
    cut = overlap(picture, left, top, *alpha.shape)
    if cut is None:
        return None
    owner[cut[0]][solid[cut[1]]] = figure.track
    return figure


_SNOW_BALL = (240, 110, 40)
_BALLS = {
    "basketball": (196, 98, 42),
    "hockey": (18, 18, 20),
    "football": (110, 62, 36),
    "volleyball": (238, 222, 120),
    "handball": (200, 90, 60),
}
