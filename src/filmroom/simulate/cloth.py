"""Shirts unrolled into flat pictures: pattern, name, number, light and folds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.digits import FONTS, draw_number
from filmroom.simulate.kits import Kit, colour_distance

FloatArray = NDArray[Any]
Picture = NDArray[np.uint8]

CLOTH_TAG, NUMBER_TAG = 100, 200
"""Fourth channel of a shirt's picture: where the number's own box is, and where plain cloth."""

_NARROWEST, _ROOM = 2, 0.36  # texels; the share of the way round that print may take
_TILE = 512


@dataclass(frozen=True)
class Print:
    """What is printed on one shirt."""

    kit: Kit
    number: str | None
    font: int
    name: str | None


def shirt_texture(
    shirt: Print, rows: int, *, lit: float, folds: float, light: float, rng: np.random.Generator
) -> tuple[Picture, float]:
    """The shirt from the middle of the chest to the wearer's left and round, RGB and tag.

    Shape (rows, C + 1, 4), the last column meeting the first. `lit` and `folds` are the depths of
    shading, 0 for none. Also returns the texels of the box of the number on the back.
    """
    kit = shirt.kit
    columns = round(rows * 1.75)
    texture = np.empty((rows, columns + 1, 4), np.uint8)
    texture[:, :, :3] = kit.shirt
    texture[:, :, 3] = CLOTH_TAG
    column, row = np.arange(columns + 1), np.arange(rows)
    match kit.pattern:
        case "stripes":
            texture[:, (column * 14 // columns) % 2 == 1, :3] = kit.second
        case "hoops":
            texture[(row * 8 // rows) % 2 == 1, :, :3] = kit.second
        case "halves":
            texture[:, column < columns // 2, :3] = kit.second
        case "sash":
            diagonal = (column[None] / columns * 2 % 1 - row[:, None] / rows * 0.6 - 0.15) % 1
            texture[diagonal < 0.17, :3] = kit.second
        case "quarters":
            texture[(column[None] < columns // 2) != (row[:, None] < rows // 2), :3] = kit.second
        case "band":
            texture[(row > 0.3 * rows) & (row < 0.55 * rows), :, :3] = kit.second
        case _:
            texture[: max(1, rows // 12), :, :3] = kit.second
    number_texels = 0.0
    if shirt.number:
        ink = _number_ink(shirt.number, shirt.font)
        number_texels = _stamp(texture, kit, ink, around=0.5, top=0.29, tall=0.40, tag=NUMBER_TAG)
        _stamp(texture, kit, ink, around=0.0, top=0.33, tall=0.22, tag=NUMBER_TAG)
    if shirt.name:
        ink = _name_ink(shirt.name)
        _stamp(texture, kit, ink, around=0.5, top=0.15, tall=0.09, tag=CLOTH_TAG)
    shading = np.ones((rows, columns + 1), np.float32)
    if lit:
        angles = column / columns * 2 * math.pi
        shading += lit * (np.abs(np.cos(angles - 0.4 * light)) - 0.6)
    if folds:
        shading *= 1 + folds * fold_noise(rows, columns + 1, rng)
    texture[:, :, :3] = np.clip(texture[:, :, :3] * shading[:, :, None], 0, 255)
    return texture, number_texels


def fold_noise(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise, -1 to 1, stretched downwards as folds in hanging cloth are."""
    tile = _noise_tile()
    side = int(rng.integers(96, 224))
    y, x = int(rng.integers(_TILE - side)), int(rng.integers(_TILE - side))
    part = cv2.resize(tile[y : y + side, x : x + side], (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(part, np.float32)


def _stamp(
    texture: Picture,
    kit: Kit,
    ink: NDArray[np.float32],
    *,
    around: float,
    top: float,
    tall: float,
    tag: int,
) -> float:
    """Print ink centred `around` (share of the way round) with its top at that share of the way down.

    Returns the texels of its box.
    """
    rows, columns = texture.shape[0], texture.shape[1] - 1
    height = max(3, round(tall * rows))
    width = min(ink.shape[1] * height / ink.shape[0], _ROOM * columns)
    size = max(_NARROWEST, round(width)), height
    share = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)[:, :, None]
    where = (round(columns * around) - size[0] // 2 + np.arange(size[0])) % columns
    first = round(top * rows)
    lines = slice(first, min(rows, first + size[1]))
    patch = texture[lines][:, where]
    share = share[: len(patch)]
    # On stripes of which one swallows the digits, makers put a plain patch under the number.
    if tag == NUMBER_TAG and kit.pattern != "plain" and _swallows(kit):
        patch[:, :, :3] = kit.shirt
    patch[:, :, :3] = patch[:, :, :3] * (1 - share) + np.array(kit.number_colour) * share
    patch[:, :, 3] = tag
    texture[lines, where] = patch
    return float(size[0] * size[1])


def _swallows(kit: Kit) -> bool:
    return colour_distance(kit.second, kit.number_colour) < 110


@lru_cache(maxsize=4096)
def _number_ink(text: str, font: int) -> NDArray[np.float32]:
    """Ink of a number, 0 to 1, 64 rows high; kept, as the same shirts come every frame."""
    varied = None if font < FONTS else np.random.default_rng(font)
    return draw_number(text, height=64, font=font % FONTS, rng=varied)


@lru_cache(maxsize=4096)
def number_outlines(text: str, font: int) -> tuple[FloatArray, ...]:
    """A number's outlines, holes among them, each (K, 2) right and down; 1 high, centred on 0."""
    ink = np.pad(_number_ink(text, font), 1)
    found, _ = cv2.findContours((ink > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    middle = np.array([ink.shape[1], ink.shape[0]]) / 2
    return tuple((one.reshape(-1, 2) - middle) / (ink.shape[0] - 2) for one in found if len(one) > 2)


@lru_cache(maxsize=4096)
def _name_ink(text: str) -> NDArray[np.float32]:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 5)
    ink = np.zeros((height + 4, width + 4), np.uint8)
    cv2.putText(ink, text, (2, height + 2), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 5, cv2.LINE_AA)
    return (ink / 255).astype(np.float32)


@cache
def _noise_tile() -> NDArray[np.float32]:
    rng = np.random.default_rng(7)
    tile = np.zeros((_TILE, _TILE), np.float32)
    for cells, strength in ((24, 1.0), (64, 0.6), (160, 0.35)):
        coarse = rng.normal(0, strength, (cells // 2, cells)).astype(np.float32)
        tile += cv2.resize(coarse, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(tile / 1.6, -1, 1), np.float32)
