"""The pinhole camera and the operator behind it.

Angles are those of SoccerNet's calibration (sn-calibration, `Camera`): pan turns right, tilt is 0
looking
straight down and 90 at the horizon, roll turns the picture; R = (Rz(pan) Rx(tilt) Rz(roll))^T in a
world whose
z points down. Positions here have z up, as everywhere in filmroom; the sign is turned in `rotation`
alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filmroom.pitch import Surface
from filmroom.simulate.play import Play
from filmroom.simulate.rigs import Rig

FloatArray = NDArray[np.float64]
PERSON_HEIGHT = 1.82


@dataclass(frozen=True)
class Camera:
    """One picture's camera: position in metres, angles in degrees, focal length in pixels, picture
    size.

    The principal point is the middle of the picture; square pixels. `k1` bends the picture as in OpenCV
    (x = x (1 + k1 r^2), r in focal lengths); `slip` is how many pixels (x, y) a rolling exposure moves
    the last row against the first. `matrix`, `plane` and `ground` are the pinhole's, without either.
    """

    position: tuple[float, float, float]
    pan: float
    tilt: float
    roll: float
    focal: float
    width: int
    height: int
    k1: float = 0.0
    slip: tuple[float, float] = (0.0, 0.0)

    @property
    def is_bent(self) -> bool:
        """Does the picture differ from the pinhole's?"""
        return self.k1 != 0.0 or self.slip != (0.0, 0.0)

    def pinhole(self) -> Camera:
        """The same camera without lens and rolling exposure."""
        return replace(self, k1=0.0, slip=(0.0, 0.0)) if self.is_bent else self

    def bend(self, pixels: FloatArray) -> FloatArray:
        """Where the lens and the exposure bring pinhole pixels (N, 2)."""
        if not self.is_bent:
            return pixels
        centre = np.array(self.centre)
        apart = (pixels - centre) / self.focal
        bent = centre + self.focal * apart * (1 + self.k1 * (apart**2).sum(axis=-1, keepdims=True))
        late = (bent[..., 1:] / self.height) - 0.5
        moved: FloatArray = bent + late * np.array(self.slip)
        return moved

    def unbend(self, pixels: FloatArray) -> FloatArray:
        """Pinhole pixels (N, 2) of pixels of the picture; the inverse of `bend` to a millionth."""
        guess = np.asarray(pixels, dtype=float)
        if not self.is_bent:
            return guess
        for _ in range(12):
            guess = guess + (pixels - self.bend(guess))
        return guess

    def to_ground(self, pixels: FloatArray) -> FloatArray:
        """Where on the ground pixels (N, 2) lie, metres (N, 2)."""
        seen = np.column_stack([self.unbend(pixels), np.ones(len(pixels))])
        places = seen @ np.linalg.inv(self.ground()).T
        ground: FloatArray = places[:, :2] / places[:, 2:]
        return ground

    @property
    def centre(self) -> tuple[float, float]:
        """The principal point, pixels."""
        return self.width / 2, self.height / 2

    def rotation(self) -> FloatArray:
        """World (z up) to camera axes right, down, ahead, (3, 3); a reflection."""
        turned = (_about_z(self.pan) @ _about_x(self.tilt) @ _about_z(self.roll)).T
        upward: FloatArray = turned * np.array([1.0, 1.0, -1.0])
        return upward

    def matrix(self) -> FloatArray:
        """The 3x4 projection of world points (x, y, z, 1) to homogeneous pixels."""
        rotation = self.rotation()
        inner = np.array(
            [[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1.0]]
        )
        outer = np.hstack([rotation, -rotation @ np.array(self.position)[:, None]])
        product: FloatArray = inner @ outer
        return product

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels (N, 2) of world points (N, 3), and how far ahead they lie (N,); behind is negative."""
        pixels, depth = project(self.matrix(), points)
        return self.bend(pixels), depth

    def plane(self, origin: FloatArray, along: FloatArray, up: FloatArray) -> FloatArray:
        """Homography from coordinates (a, b) of the plane origin + a along + b up to pixels, (3, 3)."""
        matrix = self.matrix()
        return np.stack(
            [matrix[:, :3] @ along, matrix[:, :3] @ up, matrix @ np.append(origin, 1.0)], axis=1
        )

    def ground(self) -> FloatArray:
        """Homography from ground metres (x, y) to pixels, (3, 3)."""
        return self.matrix()[:, [0, 1, 3]]


def project(matrix: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pixels (N, 2) and depth (N,) of world points (N, 3) under a 3x4 projection."""
    seen = points @ matrix[:, :3].T + matrix[:, 3]
    depth = seen[:, 2]
    safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
    return seen[:, :2] / safe[:, None], depth


def _about_z(degrees: float) -> FloatArray:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])


def _about_x(degrees: float) -> FloatArray:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return np.array([[1.0, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def aim(position: FloatArray, target: FloatArray) -> tuple[float, float]:
    """Pan and tilt in degrees that put `target` in the middle of the picture."""
    x, y, z = (float(value) for value in target - position)
    pan = math.degrees(math.atan2(x, -y))
    tilt = 90.0 + math.degrees(math.atan2(z, math.hypot(x, y)))
    return pan, tilt


@dataclass(frozen=True)
class CameraPath:
    """A camera for every frame of a shot on one tripod: `pan`, `tilt`, `roll`, `focal` are (T,)."""

    position: tuple[float, float, float]
    pan: FloatArray
    tilt: FloatArray
    roll: FloatArray
    focal: FloatArray
    width: int
    height: int

    def part(self, first: int, end: int) -> CameraPath:
        """The frames from `first` up to but not including `end`."""
        return CameraPath(
            self.position,
            self.pan[first:end],
            self.tilt[first:end],
            self.roll[first:end],
            self.focal[first:end],
            self.width,
            self.height,
        )

    def at(self, frame: int) -> Camera:
        """The camera of that frame."""
        return Camera(
            self.position, float(self.pan[frame]), float(self.tilt[frame]), float(self.roll[frame]),
            float(self.focal[frame]), self.width, self.height,
        )  # fmt: skip


def place_tripod(rig: Rig, surface: Surface, rng: np.random.Generator) -> tuple[float, float, float]:
    """A place for the camera, metres, drawn from the rig's ranges."""
    behind = rng.uniform(*rig.distance)
    height = rng.uniform(*rig.height)
    aside = float(np.clip(rng.normal(0.0, rig.aside), -2.5 * rig.aside, 2.5 * rig.aside))
    if rig.side == "end":
        end = -1.0 if rng.random() < 0.5 else 1.0
        return (end * (surface.half_length + behind), aside, height)
    return (aside, surface.half_width + behind, height)


def follow(
    play: Play,
    rig: Rig,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    shake: float = 0.03,
    subject: FloatArray | None = None,
) -> CameraPath:
    """An operator who follows the ball a little late, zooms slowly and never holds quite still.

    Look-at point: ball plus 0.4 s of its velocity, drawn towards the people; a critically damped
    turn of
    omega `rig.quickness` rad/s with a dead zone (methods: operator model). `shake` is degrees rms.
    With `subject` (T, 2), metres, that is followed in place of the ball.
    """
    width, height = size
    surface = play.surface
    position = place_tripod(rig, surface, rng)
    frames = len(play)
    where = np.array(position)
    roll = np.full(frames, rng.normal(0.0, 0.2))
    share = rng.uniform(*rig.figure)
    look = _look_at(play, rig) if subject is None else _at_body(subject, share, play.fps, rig)
    distance = np.sqrt(((look - where) ** 2).sum(axis=1))
    pans, tilts = _aims(where, look)
    slow = _wave(frames, play.fps, rng, period=7.0)
    focal_wish = share * np.exp(_ZOOM * slow) * height * distance / PERSON_HEIGHT
    widest = width / 2 / math.tan(math.radians(rig.view[1] / 2))
    closest = width / 2 / math.tan(math.radians(rig.view[0] / 2))
    wanted = _dead_zone(np.log(np.clip(focal_wish, widest, closest)), _ZOOM_HELD)
    focal = _chase(wanted, play.fps, 0.8, limit=0.25)
    if rig.quickness == 0.0:
        middle = np.array([0.0, -0.06 * surface.width, 0.0])
        pan, tilt = aim(where, middle)
        steady = np.full(
            frames, float(np.log(np.clip(_covering(surface, where, width), widest, closest)))
        )
        pans, tilts, focal = np.full(frames, pan), np.full(frames, tilt), steady
        shake = 0.0
    else:
        view = 2 * math.degrees(math.atan(width / 2 / float(np.exp(focal.mean()))))
        zone = rng.uniform(*_PAN_HELD) * view
        quickness = rig.quickness * math.exp(rng.normal(0.0, _QUICKER))
        pans = _chase(_dead_zone(pans, zone), play.fps, quickness, limit=60.0)
        tilts = _chase(_dead_zone(tilts, zone * 0.4), play.fps, quickness * 0.8, limit=15.0)
    tilts = tilts + np.degrees(np.arctan(rig.headroom * height / np.exp(focal)))
    shake *= rig.shake
    pans = pans + shake * _wave(frames, play.fps, rng, period=0.5)
    tilts = tilts + 0.6 * shake * _wave(frames, play.fps, rng, period=0.5)
    pan_path, tilt_path, roll_path = (np.round(values, 6) for values in (pans, tilts, roll))
    x, y, z = (round(value, 4) for value in position)
    focal_path = np.asarray(np.round(np.exp(focal), 4), dtype=np.float64)
    return CameraPath((x, y, z), pan_path, tilt_path, roll_path, focal_path, width, height)


def _look_at(play: Play, rig: Rig) -> FloatArray:
    """The point of the ground the operator wants in the middle, (T, 3)."""
    ball = play.ball[:, :2].astype(float)
    velocity = np.gradient(ball, axis=0) * play.fps if len(ball) > 1 else np.zeros_like(ball)
    speed = np.sqrt((velocity**2).sum(axis=1, keepdims=True))
    velocity = velocity * np.minimum(1.0, 26.0 / np.maximum(speed, 1e-6))
    # A long match is looked at in pieces, for the memory's sake.
    pieces = range(0, len(ball), _PIECE)
    centre = np.concatenate([_centre_near(play, ball, slice(at, at + _PIECE)) for at in pieces])
    # While the ball waits the operator turns to the people: at a corner, to the crowd before the goal.
    still = _running_mean((speed[:, 0] < 0.6).astype(float), round(2.5 * play.fps))[:, None]
    share = _PEOPLE + _PEOPLE_STILL * still
    look = (1 - share) * (ball + _LEAD * velocity) + share * centre
    limit = np.array([play.surface.half_length, play.surface.half_width]) * np.array(rig.reach)
    look = np.clip(look, -limit, limit)
    late = max(1, round(0.12 * play.fps))
    look = np.concatenate([np.repeat(look[:1], late, axis=0), look])[: len(ball)]
    return np.concatenate([look, np.zeros((len(look), 1))], axis=1)


_PIECE = 4096
_PEOPLE, _PEOPLE_STILL, _LEAD = 0.28, 0.32, 0.6
_ZOOM, _ZOOM_HELD, _PAN_HELD = 0.12, 0.06, (0.02, 0.1)
"""How much operators zoom of their own accord (log), and which changes of zoom (log) and of the view
(its share, drawn for each operator) they let pass without a hand's turn."""
_QUICKER = 0.25
"""How much the quickness of operators differs (log)."""


def _centre_near(play: Play, ball: FloatArray, frames: slice) -> FloatArray:
    """The mean place of the players of some frames, the nearer to the ball the weightier, (T, 2)."""
    players = play.cast.teams >= 0
    people = play.positions[frames, players].astype(float)
    away = people - ball[frames, None]
    weight = np.exp(-np.sqrt((away**2).sum(axis=2)) / (0.3 * play.surface.half_length))
    weight *= play.present[frames, players]
    total = np.maximum(weight.sum(axis=1), 1e-6)[:, None]
    centre: FloatArray = (people * weight[:, :, None]).sum(axis=1) / total
    return centre


def _running_mean(values: FloatArray, window: int) -> FloatArray:
    """The mean over the `window` values up to and with each, (T,)."""
    total = np.cumsum(np.concatenate([np.repeat(values[:1], window), values]))
    mean: FloatArray = (total[window:] - total[:-window]) / window
    return mean


def _at_body(subject: FloatArray, share: float, fps: float, rig: Rig) -> FloatArray:
    """The chest, or nearer to the face where a person is too tall for the picture, (T, 3).

    So far ahead of a runner as the turn of the camera lags behind.
    """
    velocity = np.gradient(subject, axis=0) * fps if len(subject) > 1 else np.zeros_like(subject)
    ahead = subject + velocity * 2.0 / rig.quickness
    level = (0.6 + 0.28 * min(max(share - 0.9, 0.0), 1.0)) * PERSON_HEIGHT
    return np.concatenate([ahead, np.full((len(subject), 1), level)], axis=1)


def _aims(where: FloatArray, look: FloatArray) -> tuple[FloatArray, FloatArray]:
    away = look - where
    pans = np.degrees(np.arctan2(away[:, 0], -away[:, 1]))
    if where[1] < 1.0 and abs(where[0]) > abs(where[1]):
        # From behind a goal the pan lies around +-90; unwrapped, it never jumps.
        pans = np.degrees(np.unwrap(np.radians(pans)))
    tilts = 90.0 + np.degrees(np.arctan2(away[:, 2], np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2)))
    return pans, tilts


def _dead_zone(wish: FloatArray, zone: float) -> FloatArray:
    """The wish with small changes left out: it moves only when the wish leaves the zone round it."""
    held = np.empty_like(wish)
    at = float(wish[0])
    for index, value in enumerate(wish.tolist()):
        if value > at + zone:
            at = value - zone
        elif value < at - zone:
            at = value + zone
        held[index] = at
    return held


def _chase(wish: FloatArray, fps: float, omega: float, *, limit: float) -> FloatArray:
    """A critically damped second-order follower, its speed held below `limit` units a second."""
    dt = 1.0 / fps
    followed = np.empty_like(wish)
    value, speed = float(wish[0]), 0.0
    for index, goal in enumerate(wish.tolist()):
        speed += (omega * omega * (goal - value) - 2 * omega * speed) * dt
        speed = min(max(speed, -limit), limit)
        value += speed * dt
        followed[index] = value
    return followed


def _wave(frames: int, fps: float, rng: np.random.Generator, *, period: float) -> FloatArray:
    """Smooth noise of about unit size that changes over `period` seconds, (T,)."""
    times = np.arange(frames) / fps
    total = np.zeros(frames)
    for _ in range(5):
        rate = 2 * math.pi / (period * rng.uniform(0.6, 2.5))
        total += np.sin(rate * times + rng.uniform(0, 2 * math.pi))
    return total * math.sqrt(2.0 / 5.0)


def _covering(surface: Surface, where: FloatArray, width: int) -> float:
    """The focal length at which the far side line just fits into the picture."""
    across = surface.half_length + surface.margin[0] * 0.5
    ahead = float(where[1]) + 0.3 * surface.half_width
    return 0.5 * width * ahead / across
