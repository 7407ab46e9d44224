"""What lens, sensor and transmission do to a picture: blur, sharpening, colour, contrast, noise."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.camera import Camera
from filmroom.simulate.scene import Scene

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]


def pan_shift(scene: Scene, frame: int) -> FloatArray:
    """How far the middle of the picture moved since the frame before, pixels (2,)."""
    before = max(frame - 1, 0)
    if scene.shot_of(before) != scene.shot_of(frame):
        return np.zeros(2)
    now, then = scene.camera_of(frame), scene.camera_of(before)
    return math.radians(1.0) * now.focal * np.array([then.pan - now.pan, now.tilt - then.tilt])


def smear(picture: Picture, shift: FloatArray) -> Picture:
    """Blur along a straight way of that many pixels."""
    length = float(np.hypot(*shift))
    if length < 1.2:
        return picture
    return np.asarray(cv2.filter2D(picture, -1, line_kernel(shift)), np.uint8)


def line_kernel(shift: FloatArray) -> NDArray[np.float32]:
    """The filter of a straight motion by `shift` pixels (x, y), centred; its sum is 1."""
    size = 2 * math.ceil(float(np.hypot(*shift)) / 2) + 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    for share in np.linspace(-0.5, 0.5, 4 * size):
        kernel[round(middle + share * shift[1]), round(middle + share * shift[0])] += 1
    return kernel / np.float32(kernel.sum())


def finish(scene: Scene, frame: int, picture: Picture) -> Picture:
    """Lens, contrast and noise; the noise of a frame depends on the seed and the frame alone."""
    if scene.blur > 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), scene.blur), np.uint8)
    if scene.crisp:
        # Edges overshoot: the light and dark seams round people in broadcast pictures.
        soft = cv2.GaussianBlur(picture, (0, 0), _HALO)
        picture = np.asarray(cv2.addWeighted(picture, 1 + scene.crisp, soft, -scene.crisp, 0), np.uint8)
    picture = np.asarray(cv2.transform(picture, _saturating(scene.colour)), np.uint8)
    levels = np.arange(256, dtype=np.float64) / 255
    curve = (0.5 + (levels - 0.5) * scene.contrast) ** scene.gamma
    picture = np.asarray(cv2.LUT(picture, np.clip(255 * curve, 0, 255).astype(np.uint8)), np.uint8)
    if scene.noise < 0.2:
        return picture
    rng = np.random.default_rng([scene.settings.seed, 7, frame])
    bright, dark = _grain(*picture.shape[:2], scene.noise)
    top, left = (int(value) for value in rng.integers(0, _NOISE_ROOM, 2))
    part = (slice(top, top + picture.shape[0]), slice(left, left + picture.shape[1]))
    return np.asarray(cv2.subtract(cv2.add(picture, bright[part]), dark[part]), np.uint8)


_HALO = 1.3
_LUMA = (0.299, 0.587, 0.114)


def _saturating(amount: float) -> FloatArray:
    """The matrix that spreads colours from their grey by `amount`, (3, 3)."""
    matrix: FloatArray = amount * np.eye(3) + (1 - amount) * np.array(_LUMA)
    return matrix


_NOISE_ROOM = 256
_NOISE_UNIT = 1 / 32


@lru_cache(maxsize=2)
def _grain(height: int, width: int, noise: float) -> tuple[Picture, Picture]:
    """What noise of that standard deviation adds to and takes from a larger picture, RGB."""
    tile = _noise_tile(height, width)
    strong = cv2.convertScaleAbs(tile, alpha=noise * _NOISE_UNIT)
    bright, dark = (
        cv2.cvtColor(np.where(side, strong, 0).astype(np.uint8), cv2.COLOR_GRAY2RGB)
        for side in (tile > 0, tile < 0)
    )
    return np.asarray(bright, np.uint8), np.asarray(dark, np.uint8)


@lru_cache(maxsize=2)
def _noise_tile(height: int, width: int) -> NDArray[np.int8]:
    """Grain a little larger than the picture, standard deviation 32, to be cut at a random place."""
    shape = (height + _NOISE_ROOM, width + _NOISE_ROOM)
    raw = np.random.default_rng(20240601).standard_normal(shape).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(raw, (0, 0), 0.6), np.float32)
    tile: NDArray[np.int8] = np.clip(soft / soft.std() * 32, -127, 127).astype(np.int8)
    return tile


_CELL = 32


def bend_picture(
    picture: Picture, owner: NDArray[np.uint8], camera: Camera
) -> tuple[Picture, NDArray[np.uint8]]:
    """Picture and owner of the pinhole as the camera's lens and rolling exposure show them."""
    if not camera.is_bent:
        return picture, owner
    # The bend is smooth: it is worked out on a coarse grid, two cells wider on every side.
    height, width = picture.shape[:2]
    down, across = (math.ceil(size / _CELL) + 4 for size in (height, width))
    columns, rows = (np.arange(across) - 1.5) * _CELL, (np.arange(down) - 1.5) * _CELL
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    source = (camera.unbend(grid) - 0.5).reshape(down, across, 2).astype(np.float32)
    # Straight lines between: OpenCV's cubic does not keep even a straight slope.
    dense = cv2.resize(source, (across * _CELL, down * _CELL), interpolation=cv2.INTER_LINEAR)
    dense = dense[2 * _CELL : 2 * _CELL + height, 2 * _CELL : 2 * _CELL + width]
    to_x, to_y = cv2.split(dense)
    seen = cv2.remap(picture, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    owned = cv2.remap(owner, to_x, to_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.uint8), np.asarray(owned, np.uint8)


def comb(picture: Picture, shift: FloatArray) -> Picture:
    """Every second row half a frame older; `shift` is what the picture moved since the last, pixels."""
    if float(np.hypot(*shift)) < 1.0:
        return picture
    matrix = np.array([[1.0, 0.0, -shift[0] / 2], [0.0, 1.0, -shift[1] / 2]])
    older = cv2.warpAffine(
        picture, matrix, (picture.shape[1], picture.shape[0]), borderMode=cv2.BORDER_REPLICATE
    )
    combed = picture.copy()
    combed[1::2] = older[1::2]
    return combed
