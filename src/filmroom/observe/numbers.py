"""Shirt numbers: where on the torso, whether legible, which digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom import models

Picture = NDArray[np.uint8]
FloatArray = NDArray[np.floating]

SIDE = 48
"""Side of the square picture that the network reads, pixels."""
NO_TENS = 10
"""Class of the tens of a number of one digit."""
OUTPUTS = 26
"""Columns of the network's output: legible, tens (11), units (10), box as centre x, y and size w, h."""

_LOWEST_ASPECT, _HIGHEST_ASPECT = 0.6, 1.6
_BATCH = 64


class Reads(NamedTuple):
    """One row a crop, in order; boxes are x, y, w, h in the crop's own pixels."""

    text: list[str]
    """The digits, empty where nothing is legible."""
    score: NDArray[np.float32]
    """Probability that `text` is right, given that a number is legible; 0 where the text is empty."""
    legible: NDArray[np.float32]
    """Probability that a number can be read."""
    boxes: NDArray[np.float32]
    """Where the number is; means nothing where `legible` is low."""


class NumberReader(Protocol):
    """Anything that reads shirt numbers off crops."""

    def read(self, crops: Sequence[Picture]) -> Reads:
        """Read RGB crops (H, W, 3) of any sizes: torso windows or windows tight around a number."""
        ...


class OnnxNumberReader:
    """The shipped reader.

    A first look finds the number on each crop; where it is small in the crop, a second look at the
    window around it reads it again. `threshold` is the least probability of a legible number and of
    its digits together below which the text is left empty.
    """

    def __init__(
        self, *, threshold: float = 0.4, second_look: bool = True, threads: int = 1,
        parts: Path | None = None,
    ) -> None:  # fmt: skip
        self.threshold = threshold
        self.second_look = second_look
        self._session = models.load("numbers", threads, parts)

    def read(self, crops: Sequence[Picture]) -> Reads:
        """Read RGB crops of any sizes; an empty crop reads as nothing."""
        output = self._run([prepare(crop) for crop in crops])
        first = _interpret(output)
        boxes = _in_crop_pixels(first.boxes, crops)
        if not self.second_look:
            return _settle(first, boxes, self.threshold)
        sizes = _sizes(crops)
        small = (first.boxes[:, 3] < _WORTH_A_SECOND_LOOK) & (first.legible > _WORTH_LOOKING)
        chosen = np.flatnonzero(small & (sizes.min(axis=1) > 0))
        if len(chosen):
            windows = _windows_around(boxes[chosen], sizes[chosen])
            closer = [
                _cut(crops[int(index)], window) for index, window in zip(chosen, windows, strict=True)
            ]
            second = _interpret(self._run([prepare(crop) for crop in closer]))
            found = _in_crop_pixels(second.boxes, closer)
            found[:, :2] += windows[:, :2]
            first = _combine(first, second, chosen)
            boxes[chosen] = found
        return _settle(first, boxes, self.threshold)

    def _run(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        outputs = [
            self._session.run(None, {"pixels": np.stack(pictures[start : start + _BATCH])})[0]
            for start in range(0, len(pictures), _BATCH)
        ]
        return np.concatenate(outputs) if outputs else np.zeros((0, OUTPUTS), np.float32)


_WORTH_A_SECOND_LOOK = 0.62
"""A number lower than this share of the picture is looked at again, closer."""
_WORTH_LOOKING = 0.05


class _Belief(NamedTuple):
    numbers: NDArray[np.float32]
    """Probability of each number (N, 110): 0-99 of two digits (tens x 10 + units), then 0-9 of one."""
    legible: NDArray[np.float32]
    boxes: NDArray[np.float32]
    """x, y, w, h as shares of the picture."""


def _interpret(output: NDArray[np.float32]) -> _Belief:
    legible = 1 / (1 + np.exp(-output[:, 0]))
    tens, units = _softmax(output[:, 1:12]), _softmax(output[:, 12:22])
    pairs = (tens[:, :NO_TENS, None] * units[:, None, :]).reshape(len(output), 100)
    # Nobody wears 01 to 09: what looks like one is a single digit and something beside it.
    pairs[:, 1:10] = 0
    numbers = np.concatenate([pairs, tens[:, NO_TENS:] * units], axis=1)
    numbers /= np.maximum(numbers.sum(axis=1, keepdims=True), 1e-9)
    x, y, w, h = output[:, 22:26].T
    boxes = np.stack([x - w / 2, y - h / 2, w, h], axis=1)
    return _Belief(numbers.astype(np.float32), legible.astype(np.float32), boxes.astype(np.float32))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _combine(first: _Belief, second: _Belief, chosen: NDArray[np.intp]) -> _Belief:
    """The closer look's digits, at the lower of the two beliefs that there are any."""
    numbers, legible, boxes = first.numbers.copy(), first.legible.copy(), first.boxes.copy()
    numbers[chosen] = second.numbers
    legible[chosen] = np.sqrt(first.legible[chosen] * second.legible)
    boxes[chosen] = second.boxes
    return _Belief(numbers, legible, boxes)


def _settle(belief: _Belief, boxes: NDArray[np.float32], threshold: float) -> Reads:
    best = belief.numbers.argmax(axis=1) if len(belief.numbers) else np.zeros(0, np.intp)
    score = belief.numbers.max(axis=1) if len(best) else np.zeros(0, np.float32)
    sure = belief.legible * score >= threshold
    text = [
        (f"{number:02d}" if number < 100 else str(number - 100)) if known else ""
        for number, known in zip(best.tolist(), sure.tolist(), strict=True)
    ]
    score = np.where(sure, score, 0).astype(np.float32)
    return Reads(
        text, score, belief.legible, np.maximum(boxes, [-np.inf, -np.inf, 0, 0]).astype(np.float32)
    )


def prepare(crop: Picture) -> Picture:
    """The crop as the network sees it, (SIDE, SIDE, 3): stretched, very long ones padded first."""
    height, width = crop.shape[:2]
    if height == 0 or width == 0:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    across, down = padding(width, height)
    if across or down:
        bordered = cv2.copyMakeBorder(
            crop, down // 2, down - down // 2, across // 2, across - across // 2, cv2.BORDER_REPLICATE
        )
        crop = np.asarray(bordered, np.uint8)
    shrinking = min(crop.shape[:2]) > SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=method), np.uint8)


def padding(width: int, height: int) -> tuple[int, int]:
    """Columns and rows that `prepare` adds, shared between both sides."""
    across = max(0, round(_LOWEST_ASPECT * height) - width)
    down = max(0, round(width / _HIGHEST_ASPECT) - height)
    return across, down


def _sizes(crops: Sequence[Picture]) -> NDArray[np.float32]:
    return np.array([(crop.shape[1], crop.shape[0]) for crop in crops], np.float32).reshape(-1, 2)


def _in_crop_pixels(shares: NDArray[np.float32], crops: Sequence[Picture]) -> NDArray[np.float32]:
    sizes = _sizes(crops)
    added = np.array([padding(int(w), int(h)) for w, h in sizes], np.float32).reshape(-1, 2)
    boxes = shares * np.tile(sizes + added, 2)
    boxes[:, :2] -= np.floor(added / 2)
    return np.asarray(boxes, np.float32)


def _windows_around(boxes: NDArray[np.float32], sizes: NDArray[np.float32]) -> NDArray[np.intp]:
    """Whole-pixel x, y, w, h a little wider than the number, inside the crop."""
    margin = _MARGIN * boxes[:, 3:4]
    low = np.floor(boxes[:, :2] - margin)
    high = np.ceil(boxes[:, :2] + boxes[:, 2:] + margin)
    low = np.clip(low, 0, sizes - 2)
    high = np.clip(high, low + 2, np.maximum(sizes, low + 2))
    return np.concatenate([low, high - low], axis=1).astype(np.intp)


_MARGIN = 0.1


def _cut(crop: Picture, window: NDArray[np.intp]) -> Picture:
    x, y, w, h = window
    return crop[y : y + h, x : x + w]


def torso_window(boxes: FloatArray) -> NDArray[np.float64]:
    """Where on a person's box (N, 4) to look for the number: rows 12 to 52 %, columns 10 to 90 %."""
    boxes = np.asarray(boxes, float)
    x, y, w, h = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return np.stack([x + 0.1 * w, y + 0.12 * h, 0.8 * w, 0.4 * h], axis=1)
