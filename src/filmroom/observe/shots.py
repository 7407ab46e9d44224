"""Where one shot ends and the next begins: hard cuts, grass to grass too, found while frames stream by.

Two small brightness pictures are compared by how well the middle of one fits anywhere near the middle
of the other (normalised correlation, which forgives panning and a change of exposure) and by their
histograms. A cut stands out from the frames around it and nothing on its far side looks like anything
on its near side, which a flash, a passer-by or a fast pan do not manage. After the recipe of thresholds
over a sliding window (median and multiples, Yeo and Liu 1995), with values of our own.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom.observe.detector import LEAST_SURE_SCORE
from filmroom.tables import SHOTS

Bytes = NDArray[np.uint8]

LOOK_SIZE = (64, 36)
"""Width and height of the brightness pictures that are compared; larger ones are shrunk to it."""

_WIDTH, _HEIGHT = LOOK_SIZE
_REACH_X, _REACH_Y = 9, 5
_BINS = 32
_NEAR = 3  # frames on either side that must all differ across a cut
_AROUND = 8  # frames on either side that say what is usual here
_LEAST_DIFFERENCE = 0.14
_LEAST_CHANGED = 0.58  # of the picture: a graphic or a passer-by changes less
_CHANGED_LEVELS = 4.0
_BLOCK = 4
_TIMES_USUAL = 3.0
_TIMES_BUSIEST = 1.4
_SURE_DIFFERENCE = 0.6
_HISTOGRAM_WEIGHT = 1.0
_INLIERS_OF_ONE_SHOT = 0.6

_FEWEST_PEOPLE_IN_MAIN = 5.0
_TALLEST_IN_MAIN = 0.30
_SHORTEST_IN_CLOSE = 0.45


class _Look(NamedTuple):
    frame: int
    picture: Bytes
    histogram: NDArray[np.float32]


class ShotDetector:
    """Give it every frame looked at, in order; it names the shots at the end.

    Pictures may be of any size, RGB (H, W, 3) or grey (H, W), all alike; less than 0.2 ms each. `cuts`
    grows while frames come in, about eight frames late.
    """

    def __init__(self) -> None:
        self.cuts: list[int] = []
        self.scores: list[float] = []
        self._looks: deque[_Look] = deque(maxlen=2 * _NEAR)
        self._differences: deque[tuple[int, float]] = deque(maxlen=2 * _AROUND + 1)
        self._inliers: dict[int, float] = {}
        self._strengths: dict[int, float] = {}
        self._first: int | None = None
        self._last = -1

    def update(self, index: int, picture: Bytes, motion_inliers: float | None = None) -> None:
        """Take in frame `index`; `motion_inliers` is the share of followed points that agree on how the
        camera moved since the frame before, None where unknown."""
        look = _look(index, picture)
        if self._first is None:
            self._first = index
        else:
            self._differences.append((index, _difference(self._looks[-1], look)))
            if motion_inliers is not None:
                self._inliers[index] = motion_inliers
        self._looks.append(look)
        self._last = index
        self._weigh_strength(len(self._looks) - _NEAR)
        self._decide(len(self._differences) - 1 - _AROUND)

    def finish(self) -> pa.Table:
        """The shots from the first frame given to the last; all of kind `other` until `name_shots`."""
        for position in range(max(1, len(self._looks) - _NEAR + 1), len(self._looks)):
            self._weigh_strength(position)
        for position in range(max(0, len(self._differences) - _AROUND), len(self._differences)):
            self._decide(position)
        if self._first is None:
            return SHOTS.empty()
        firsts = [self._first, *self.cuts]
        return SHOTS.build(
            {
                "shot": list(range(len(firsts))),
                "first_frame": firsts,
                "last_frame": [first - 1 for first in self.cuts] + [self._last],
                "kind": ["other"] * len(firsts),
                "score": [0.0] * len(firsts),
            }
        )

    def _weigh_strength(self, position: int) -> None:
        """How different the nearest frames before and from `position` on are at the very least."""
        if position < 1:
            return
        looks = list(self._looks)
        adjacent = next(
            (value for index, value in self._differences if index == looks[position].frame), 0.0
        )
        if (
            adjacent < _LEAST_DIFFERENCE
            or _changed_share(looks[position - 1], looks[position]) < _LEAST_CHANGED
        ):
            return
        strength = adjacent
        for before in looks[max(0, position - _NEAR) : position]:
            for after in looks[position : position + _NEAR]:
                strength = min(strength, _difference(before, after))
        self._strengths[looks[position].frame] = strength

    def _decide(self, position: int) -> None:
        if position < 0:
            return
        index, _ = self._differences[position]
        strength = self._strengths.pop(index, 0.0)
        inliers = self._inliers.pop(index, None)
        if strength < _LEAST_DIFFERENCE:
            return
        values = [value for _, value in self._differences]
        around = (
            values[max(0, position - _AROUND) : position]
            + values[position + 1 : position + 1 + _AROUND]
        )
        usual = float(np.median(around)) if around else 0.0
        beside = (
            values[max(0, position - _NEAR) : position] + values[position + 1 : position + 1 + _NEAR]
        )
        busiest = max(beside, default=0.0)
        if inliers is not None and inliers >= _INLIERS_OF_ONE_SHOT and strength < _SURE_DIFFERENCE:
            return
        if strength >= _TIMES_USUAL * usual and strength >= _TIMES_BUSIEST * busiest:
            self.cuts.append(index)
            self.scores.append(min(1.0, strength))


def name_shots(shots: pa.Table, detections: pa.Table, picture_height: int) -> pa.Table:
    """SHOTS with a kind for each, judged by the people surely seen (DETECTIONS).

    `main`: on average five people or more in a frame, the typical one below 30 % of the picture's
    height; `close`: the typical tallest person of a frame fills 45 % or more. Everything else, and
    shots with hardly anyone in them, stay `other` with a low score. Nothing here can tell a replay from
    live play.
    """
    people = detections.filter(
        pc.and_(
            pc.equal(detections["kind"], "person"),
            pc.greater_equal(detections["score"], LEAST_SURE_SCORE),
        )
    )
    frames = people["frame"].to_numpy()
    heights = people["h"].to_numpy() / picture_height
    order = np.argsort(frames, kind="stable")
    frames, heights = frames[order], heights[order]
    kinds, scores = [], []
    for row in shots.to_pylist():
        low, high = np.searchsorted(frames, [row["first_frame"], row["last_frame"] + 1])
        kind, score = _kind_of(frames[low:high], heights[low:high])
        kinds.append(kind)
        scores.append(score)
    columns = {name: shots[name] for name in ("shot", "first_frame", "last_frame")}
    return SHOTS.build(columns | {"kind": kinds, "score": scores})


def _kind_of(frames: NDArray[Any], heights: NDArray[Any]) -> tuple[str, float]:
    if not len(frames):
        return "other", 0.0
    _, starts, counts = np.unique(frames, return_index=True, return_counts=True)
    typical = float(np.median(heights))
    tallest = float(np.median(np.maximum.reduceat(heights, starts)))
    crowd = float(np.mean(counts))
    if crowd >= _FEWEST_PEOPLE_IN_MAIN and typical < _TALLEST_IN_MAIN:
        return "main", min(
            1.0, 0.5 + 0.05 * (crowd - _FEWEST_PEOPLE_IN_MAIN) + 0.5 * (_TALLEST_IN_MAIN - typical)
        )
    if tallest >= _SHORTEST_IN_CLOSE:
        return "close", min(1.0, 0.5 + tallest - _SHORTEST_IN_CLOSE)
    return "other", 0.3


def _look(index: int, picture: Bytes) -> _Look:
    step = max(1, min(picture.shape[0] // (2 * _HEIGHT), picture.shape[1] // (2 * _WIDTH)))
    sparse = np.ascontiguousarray(picture[::step, ::step])
    grey = cv2.cvtColor(sparse, cv2.COLOR_RGB2GRAY) if sparse.ndim == 3 else sparse
    small = cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    histogram = cv2.calcHist([small], [0], None, [_BINS], [0, 256]).reshape(1, _BINS) / small.size
    return _Look(
        index, np.asarray(small, np.uint8), np.asarray(cv2.GaussianBlur(histogram, (5, 1), 1.0)[0])
    )


def _difference(first: _Look, second: _Look) -> float:
    fit = max(_fit(first.picture, second.picture)[0], _fit(second.picture, first.picture)[0])
    histograms = 0.5 * float(np.abs(first.histogram - second.histogram).sum())
    return 1.0 - fit + _HISTOGRAM_WEIGHT * histograms


def _changed_share(first: _Look, second: _Look) -> float:
    """Share of small blocks whose brightness differs, where the pictures fit best or as they lie."""
    forth, back = _fit(first.picture, second.picture), _fit(second.picture, first.picture)
    pictures = (
        (first.picture, second.picture) if forth[0] >= back[0] else (second.picture, first.picture)
    )
    _, x, y = max(forth, back, key=lambda fit: fit[0])
    middle = _middle(pictures[0])
    return min(
        _changed_blocks(middle, pictures[1][y : y + middle.shape[0], x : x + middle.shape[1]]),
        _changed_blocks(middle, _middle(pictures[1])),
    )


def _changed_blocks(first: Bytes, second: Bytes) -> float:
    height, width = (side // _BLOCK * _BLOCK for side in first.shape)
    apart = cv2.absdiff(
        np.ascontiguousarray(first[:height, :width]), np.ascontiguousarray(second[:height, :width])
    )
    blocks = apart.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).mean(axis=(1, 3))
    return float((blocks > _CHANGED_LEVELS).mean())


def _fit(first: Bytes, second: Bytes) -> tuple[float, int, int]:
    """Best correlation of the middle of the first with any place of the second, and that place (x, y).

    Flat pictures, which have no correlation, are compared by their level.
    """
    middle = _middle(first)
    if int(middle.max()) - int(middle.min()) < 2 or int(second.max()) - int(second.min()) < 2:
        return 1.0 - abs(float(middle.mean()) - float(second.mean())) / 255.0, _REACH_X, _REACH_Y
    fits = cv2.matchTemplate(second, middle, cv2.TM_CCOEFF_NORMED)
    _, fit, _, (x, y) = cv2.minMaxLoc(fits)
    return (fit, x, y) if np.isfinite(fit) else (0.0, _REACH_X, _REACH_Y)


def _middle(picture: Bytes) -> Bytes:
    return picture[_REACH_Y:-_REACH_Y, _REACH_X:-_REACH_X]
