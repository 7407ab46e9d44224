"""Pictures of a match with everything known about them: people over the place, nearest last."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.camera import Camera
from filmroom.simulate.compose import Figure, compose, overlap
from filmroom.simulate.overlay import (
    WIPE_FRAMES,
    draw_lower_third,
    draw_score_bug,
    draw_wipe,
)
from filmroom.simulate.place import draw_background, draw_panel
from filmroom.simulate.scene import CAPTIONED, Match, Scene, make_match, make_scene
from filmroom.simulate.sensor import bend_picture, comb, finish, pan_shift, smear
from filmroom.simulate.settings import Settings
from filmroom.simulate.weather import draw_weather

__all__ = [
    "FrameTruth",
    "Match",
    "Scene",
    "SimulatedFrame",
    "film_frame",
    "frames",
    "make_match",
    "make_scene",
]

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

READABLE_SHARE = 0.6
READABLE_HEIGHT = 8.0
"""A number can be read where this share of it shows and it is at least so many pixels tall."""


@dataclass(frozen=True)
class FrameTruth:
    """Everything about one frame. People, ball and hoops that show at least one pixel, M rows.

    `tracks` (M,) as in `Cast`; hoops are counted after the ball, then those who only stand by.
    `boxes` (M, 4) of the whole body, beyond
    the picture where it reaches there; `visible_boxes` (M, 4) of what shows; `visible` (M,) its share;
    `masks` what shows, one (h, w) array for each visible box at its whole pixels. `numbers` None
    where none
    is worn; `readable` (M,); `number_boxes` (M, 4), zeros where no number faces the camera. `positions`
    (M, 3) metres, `camera` with which they project into the picture. `shot` counts from 0. `overlay`
    (H, W) is where graphics cover the picture. `moment` is the frame of the play that is shown:
    `frame` itself but for replays. For interlaced films the truth is that of the even rows.
    """

    frame: int
    time: float
    shot: int
    camera: Camera
    tracks: NDArray[np.int32]
    boxes: FloatArray
    visible_boxes: FloatArray
    visible: FloatArray
    masks: tuple[Mask, ...]
    roles: tuple[str, ...]
    teams: tuple[str | None, ...]
    numbers: tuple[str | None, ...]
    readable: Mask
    number_boxes: FloatArray
    positions: FloatArray
    overlay: Mask
    moment: int

    def shown_people(self, least: float) -> Mask:
        """(M,) which are players, goalkeepers and referees of whom at least the share `least` shows."""
        people = np.array([role not in ("ball", "hoop", "other") for role in self.roles], bool)
        return people & (self.visible >= least)


@dataclass(frozen=True)
class SimulatedFrame:
    """A picture (H, W, 3) RGB and the truth about it."""

    pixels: Picture
    truth: FrameTruth


def frames(settings: Settings, rng: np.random.Generator | None = None) -> Iterator[SimulatedFrame]:
    """Film a match, frame by frame; the same settings and generator give the same pictures.

    Without `rng` the settings' own seed is used. InputError for settings that cannot be.
    """
    scene = make_scene(settings, rng)
    for frame in range(len(scene)):
        yield film_frame(scene, frame)


def film_frame(scene: Scene, frame: int) -> SimulatedFrame:
    """Draw one frame of a scene; depends on nothing but the two arguments."""
    camera = scene.camera_of(frame)
    pinhole = camera.pinhole()
    seconds = frame / scene.settings.fps
    picture = draw_background(scene.place, pinhole, seconds)
    turned = pan_shift(scene, frame)
    picture = smear(picture, turned * scene.shutter)
    owner = np.zeros(picture.shape[:2], np.uint8)
    figures = compose(scene, frame, pinhole, picture, owner)
    for panel in scene.place.panels:
        if panel.front and panel.is_seen_from(camera.position):
            covered = draw_panel(picture, panel, pinhole, seconds)
            if covered is not None:
                part, hidden = covered
                owner[part][hidden] = 0
    picture, owner = bend_picture(picture, owner, camera)
    if camera.is_bent:
        figures = [_bent(figure, camera) for figure in figures]
    if scene.weather is not None:
        draw_weather(picture, scene.weather, frame)
    picture = finish(scene, frame, picture)
    if scene.interlaced:
        picture = comb(picture, turned)
    overlay = _draw_graphics(scene, frame, picture)
    owner[overlay] = 0
    return SimulatedFrame(picture, _truth(scene, frame, camera, figures, owner, overlay))


def _bent(figure: Figure, camera: Camera) -> Figure:
    """A figure's boxes where lens and exposure bring them, in a window that surely holds it."""
    box = _bent_box(figure.box, camera)
    room = math.ceil(max(abs(a - b) for a, b in zip(box, figure.box, strict=True))) + 4
    height, width = figure.alpha.shape
    return replace(
        figure,
        box=box,
        number_box=None if figure.number_box is None else _bent_box(figure.number_box, camera),
        left=figure.left - room,
        top=figure.top - room,
        alpha=np.zeros((height + 2 * room, width + 2 * room), np.float32),
    )


def _bent_box(
    box: tuple[float, float, float, float], camera: Camera
) -> tuple[float, float, float, float]:
    x, y, w, h = box
    ring = np.array(
        [[x + a * w, y + b * h] for a, b in ((0, 0), (0.5, 0), (1, 0), (0, 1), (0.5, 1), (1, 1))]
    )
    moved = camera.bend(ring)
    low, high = moved.min(axis=0), moved.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


_CAPTION_SECONDS, _SLIDE_SECONDS = 4.0, 0.3


def _draw_graphics(scene: Scene, frame: int, picture: Picture) -> Mask:
    """Score, captions and wipes over the picture; returns what they cover (H, W)."""
    overlay = np.zeros(picture.shape[:2], dtype=bool)
    bug = scene.score_bug
    if bug is None:
        return overlay
    shot = scene.shot_of(frame)
    seconds = frame / scene.settings.fps
    if scene.shots[shot].kind != "replay":
        overlay |= draw_score_bug(picture, bug, seconds, scene.scored(frame))
        for event in scene.captioned(frame, _CAPTION_SECONDS):
            gone = seconds - event.frame / scene.settings.fps
            text = f"{CAPTIONED[event.label]}  {_called(scene, event.person)}".strip()
            overlay |= draw_lower_third(picture, bug, event.team, text, gone / _SLIDE_SECONDS)
    for cut in (shot, shot + 1):
        if not 0 < cut < len(scene.shots):
            continue
        if "replay" not in (scene.shots[cut].kind, scene.shots[cut - 1].kind):
            continue
        progress = (frame - scene.shots[cut].first + 0.5) / WIPE_FRAMES
        if abs(progress) < 1.0:
            overlay |= draw_wipe(picture, bug, progress)
    return overlay


def _called(scene: Scene, person: int) -> str:
    """Number and name as a caption shows them."""
    if person < 0:
        return ""
    cast = scene.play.cast
    return f"{cast.numbers[person] or ''} {cast.names[person].upper()}".strip()


# --- truth ----------------------------------------------------------------------------------------


def _truth(
    scene: Scene,
    frame: int,
    camera: Camera,
    figures: list[Figure],
    owner: NDArray[np.uint8],
    overlay: Mask,
) -> FrameTruth:
    cast = scene.play.cast
    kept: list[tuple[Figure, FloatArray, float, Mask]] = []
    for figure in sorted(figures, key=lambda one: one.track):
        cut = overlap(owner, figure.left, figure.top, *figure.alpha.shape)
        if cut is None:
            continue
        there, _ = cut
        mine = owner[there] == figure.track
        count = int(np.count_nonzero(mine))
        if not count:
            continue
        x, y, w, h = cv2.boundingRect(mine.astype(np.uint8))
        box = np.array([there[1].start + x, there[0].start + y, w, h], float)
        kept.append(
            (figure, box, min(1.0, count / max(figure.whole, 1)), mine[y : y + h, x : x + w].copy())
        )
    readable = [_is_readable(figure, visible, owner) for figure, _, visible, _ in kept]
    persons = [figure.person for figure, _, _, _ in kept]
    aside = len(scene.bystanders)
    roles = (*cast.roles, *["other"] * aside)
    teams = (*(_TEAMS[int(team)] for team in cast.teams), *[None] * aside)
    numbers = (*cast.numbers, *[None] * aside)
    hoops = _hoops(scene, camera)
    count = len(kept) + len(hoops)
    first_hoop = cast.ball_track + 1
    return FrameTruth(
        frame=frame,
        time=frame / scene.settings.fps,
        shot=scene.shot_of(frame),
        camera=camera,
        tracks=np.array(
            [f.track for f, _, _, _ in kept] + [first_hoop + i for i, _, _ in hoops], np.int32
        ),
        boxes=np.array([f.box for f, _, _, _ in kept] + [box for _, box, _ in hoops], float).reshape(
            -1, 4
        ),
        visible_boxes=np.array(
            [b for _, b, _, _ in kept] + [box for _, box, _ in hoops], float
        ).reshape(-1, 4),
        visible=np.array([v for _, _, v, _ in kept] + [1.0] * len(hoops)),
        masks=(
            *(m for _, _, _, m in kept),
            *(np.ones((math.ceil(b[3]), math.ceil(b[2])), bool) for _, b, _ in hoops),
        ),
        roles=(*(roles[p] if p >= 0 else "ball" for p in persons), *("hoop" for _ in hoops)),
        teams=(
            *(teams[p] if p >= 0 else None for p in persons),
            *(None for _ in hoops),
        ),
        numbers=(*(numbers[p] if p >= 0 else None for p in persons), *(None for _ in hoops)),
        readable=np.array(readable + [False] * len(hoops), dtype=bool),
        number_boxes=np.array(
            [f.number_box or (0.0,) * 4 for f, _, _, _ in kept] + [(0.0,) * 4] * len(hoops)
        ).reshape(-1, 4),
        positions=np.array([f.position for f, _, _, _ in kept] + [p for _, _, p in hoops]).reshape(
            count, 3
        ),
        overlay=overlay,
        moment=scene.moment_of(frame),
    )


_TEAMS = {0: "a", 1: "b", -1: None}


def _is_readable(figure: Figure, visible: float, owner: NDArray[np.uint8]) -> bool:
    """Is the number turned to the camera, tall enough and not covered?"""
    if figure.number_box is None or figure.number_visible < READABLE_SHARE:
        return False
    x, y, w, h = figure.number_box
    if h < READABLE_HEIGHT:
        return False
    x0, y0, x1, y1 = max(0, round(x)), max(0, round(y)), round(x + w), round(y + h)
    part = owner[y0 : max(y1, y0), x0 : max(x1, x0)]
    area = max(1.0, w * h)
    return bool(np.count_nonzero(part == figure.track) >= 0.8 * area)


def _hoops(
    scene: Scene, camera: Camera
) -> list[tuple[int, tuple[float, ...], tuple[float, float, float]]]:
    """Rims in view: index, box and place."""
    found = []
    for index, rim in enumerate(scene.place.surface.rims):
        ring = rim.points(0.05)
        low = ring.copy()
        low[:, 2] -= 0.42
        low[:, :2] = np.array(rim.centre[:2]) + 0.6 * (low[:, :2] - np.array(rim.centre[:2]))
        points, depth = camera.project(np.concatenate([ring, low]))
        if (depth < 2).any():
            continue
        corner = np.maximum(points.min(axis=0), 0)
        end = np.minimum(points.max(axis=0), (camera.width, camera.height))
        if (end - corner < 2).any():
            continue
        found.append((index, (*corner.tolist(), *(end - corner).tolist()), rim.centre))
    return found
