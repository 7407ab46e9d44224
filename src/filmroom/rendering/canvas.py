"""Drawing straight on the 4:2:0 planes of a picture: no detour through RGB, work only inside small
windows.

Colours are given as RGB and turned into the picture's own planes once. A sprite is a small
premultiplied picture kept for reuse, in up to four versions because the colour planes are half as fine
as brightness.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
Floats = NDArray[np.float32]
Colour = tuple[int, int, int]

_WEIGHTS = {601: (0.299, 0.114), 709: (0.2126, 0.0722)}


class ColourSpace:
    """How RGB is tied to the planes: ITU-R BT.601 or BT.709, limited or full range."""

    def __init__(self, matrix: int = 601, full_range: bool = False) -> None:
        red, blue = _WEIGHTS[matrix]
        green = 1 - red - blue
        luma = np.array([red, green, blue])
        rows = [
            luma,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)),
        ]
        scale = np.array([255.0, 255.0, 255.0] if full_range else [219.0, 224.0, 224.0]) / 255
        self._matrix = (np.stack(rows) * scale[:, None]).astype(np.float32)
        self._offset = np.array([0 if full_range else 16, 128, 128], np.float32)

    def planes(self, rgb: NDArray[np.generic]) -> Floats:
        """RGB (..., 3) in 0..255 to brightness, blue and red difference (..., 3)."""
        return np.asarray(rgb, np.float32) @ self._matrix.T + self._offset


class Layer(NamedTuple):
    """A premultiplied window of one plane: shown = (below * `keep` + `add`) / 256."""

    keep: Words
    add: Words


class Sprite:
    """A small picture with soft edges: `rgb` (h, w, 3) in 0..255 and `alpha` (h, w) in 0..1."""

    def __init__(self, rgb: Floats, alpha: Floats, space: ColourSpace) -> None:
        self.height, self.width = alpha.shape
        self._planes = space.planes(rgb)
        self._alpha = alpha.astype(np.float32)
        self._versions: dict[tuple[int, int], tuple[Layer, Layer, Layer]] = {}

    def layers(self, odd_x: int, odd_y: int) -> tuple[Layer, Layer, Layer]:
        """Layers for a corner at that evenness: brightness as it is, colours from the even corner
        before."""
        version = self._versions.get((odd_x, odd_y))
        if version is None:
            version = self._versions[odd_x, odd_y] = self._make(odd_x, odd_y)
        return version

    def _make(self, odd_x: int, odd_y: int) -> tuple[Layer, Layer, Layer]:
        luma = _layer(self._alpha, self._planes[..., 0])
        padding = ((odd_y, (self.height + odd_y) % 2), (odd_x, (self.width + odd_x) % 2))
        alpha = _halved(np.pad(self._alpha, padding))
        colours = []
        for plane in (1, 2):
            weighted = _halved(np.pad(self._planes[..., plane] * self._alpha, padding))
            colours.append(
                _layer(alpha, np.divide(weighted, alpha, out=np.zeros_like(alpha), where=alpha > 0))
            )
        return luma, colours[0], colours[1]


class Canvas:
    """A picture being drawn on; `original` planes stay as they were."""

    def __init__(self, luma: Bytes, blue: Bytes, red: Bytes) -> None:
        self.original = (luma, blue, red)
        self.planes = (luma.copy(), blue.copy(), red.copy())
        self.height, self.width = luma.shape

    def paste(self, sprite: Sprite, x: int, y: int) -> None:
        """Lay a sprite with its top left pixel at (x, y); what lies outside is cut off."""
        if x >= self.width or y >= self.height or x + sprite.width <= 0 or y + sprite.height <= 0:
            return
        layers = sprite.layers(x & 1, y & 1)
        _lay(self.planes[0], layers[0], x, y)
        _lay(self.planes[1], layers[1], x >> 1, y >> 1)
        _lay(self.planes[2], layers[2], x >> 1, y >> 1)

    def wash(self, alpha: Bytes, x: int, y: int, colour: NDArray[np.float32]) -> None:
        """Lay one colour (three plane values) through `alpha` (h, w); x, y, h and w even and inside."""
        height, width = alpha.shape
        small = cv2.resize(alpha, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        for plane, half, cover in ((0, 0, alpha), (1, 1, small), (2, 1, small)):
            top, left = y >> half, x >> half
            window = self.planes[plane][top : top + cover.shape[0], left : left + cover.shape[1]]
            weight = cover.astype(np.uint16)
            mixed = window * (255 - weight)
            mixed += weight * np.uint16(round(float(colour[plane])))
            mixed += 127
            mixed //= 255
            window[...] = mixed

    def tint(self, mask: NDArray[np.bool_], x: int, y: int, tables: tuple[Bytes, Bytes, Bytes]) -> None:
        """Inside `mask` (h, w), top left pixel at (x, y), show the original through a table per plane.

        Whatever was drawn there before is covered again, which is how a person stays on top of it.
        """
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + mask.shape[1], self.width), min(y + mask.shape[0], self.height)
        if left >= right or top >= bottom:
            return
        inside = mask[top - y : bottom - y, left - x : right - x]
        window = (slice(top, bottom), slice(left, right))
        np.copyto(self.planes[0][window], tables[0][self.original[0][window]], where=inside)
        half = _half_mask(inside, left & 1, top & 1)
        window = (
            slice(top // 2, top // 2 + half.shape[0]),
            slice(left // 2, left // 2 + half.shape[1]),
        )
        for plane in (1, 2):
            np.copyto(
                self.planes[plane][window], tables[plane][self.original[plane][window]], where=half
            )


def _half_mask(mask: NDArray[np.bool_], odd_x: int, odd_y: int) -> NDArray[np.bool_]:
    """The mask on the colour planes: on where at least two of the four pixels are."""
    height, width = mask.shape
    whole = np.zeros(
        (height + odd_y + (height + odd_y) % 2, width + odd_x + (width + odd_x) % 2), np.uint8
    )
    whole[odd_y : odd_y + height, odd_x : odd_x + width] = mask
    upright = whole[::2] + whole[1::2]
    half: NDArray[np.bool_] = upright[:, ::2] + upright[:, 1::2] >= 2
    return half


def _halved(values: Floats) -> Floats:
    height, width = values.shape
    halved: Floats = values.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return halved


def _layer(alpha: Floats, values: Floats) -> Layer:
    weight = np.rint(np.clip(alpha, 0, 1) * 256)
    add = np.rint(np.clip(values, 0, 255) * weight)
    return Layer((256 - weight).astype(np.uint16), add.astype(np.uint16))


def _lay(plane: Bytes, layer: Layer, x: int, y: int) -> None:
    height, width = layer.keep.shape
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, plane.shape[1]), min(y + height, plane.shape[0])
    if left >= right or top >= bottom:
        return
    part = (slice(top - y, bottom - y), slice(left - x, right - x))
    window = plane[top:bottom, left:right]
    mixed = window * layer.keep[part]
    mixed += layer.add[part]
    mixed >>= 8
    window[...] = mixed
