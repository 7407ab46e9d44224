"""Where the number plates go: beside their own player, off everybody else, and not jumping about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Places in order of liking: below the feet, above the head, then both pushed aside, then beside the
# body.
_PLACES = ("below", "above", "below left", "below right", "above left", "above right", "left", "right")
_DISLIKE = np.array([0.0, 0.06, 0.16, 0.16, 0.22, 0.22, 0.34, 0.34])
_LABEL_WEIGHT = 2.5
_OUTSIDE_WEIGHT = 3.0
_STAY = 0.13
_EASE = 0.4


class LabelLayout:
    """Chooses a place for every plate of a frame; remembers the last frame's, so that plates stay
    put."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._places: dict[int, int] = {}
        self._offsets: dict[int, Floats] = {}

    def forget(self) -> None:
        """Start afresh, after a cut."""
        self._places.clear()
        self._offsets.clear()

    def place(
        self,
        tracks: NDArray[np.integer],
        *,
        people: Floats,
        rings: Floats,
        plates: Floats,
        gap: float,
        obstacles: Floats,
    ) -> NDArray[np.int64]:
        """Top left corners (N, 2) of the plates of N people.

        `people` (N, 4) boxes `x, y, w, h`; `rings` (N, 2) half width and half height of the ring at the
        feet; `plates` (N, 2) width and height; `obstacles` (M, 4) more boxes to keep clear, such as the
        ball's.
        """
        count = len(tracks)
        if not count:
            return np.zeros((0, 2), np.int64)
        feet = np.stack([people[:, 0] + people[:, 2] / 2, people[:, 1] + people[:, 3]], axis=1)
        offsets = _candidates(people, rings, plates, gap)
        corners = feet[:, None] + offsets
        cost = _DISLIKE + self._cost(corners, plates, people, obstacles)
        for row, track in enumerate(tracks.tolist()):
            if track in self._places:
                cost[row, self._places[track]] -= _STAY
        chosen = _choose(corners, plates, cost)
        places: dict[int, int] = {}
        eased: dict[int, Floats] = {}
        for row, track in enumerate(tracks.tolist()):
            wanted = offsets[row, chosen[row]]
            before = self._offsets.get(track, wanted)
            places[track] = int(chosen[row])
            eased[track] = before + _EASE * (wanted - before)
        self._places, self._offsets = places, eased
        placed = feet + np.stack([eased[track] for track in tracks.tolist()])
        limit = np.maximum(np.array(self._size) - plates, 0)
        return np.rint(np.clip(placed, 0, limit)).astype(np.int64)

    def _cost(self, corners: Floats, plates: Floats, people: Floats, obstacles: Floats) -> Floats:
        """Share of every candidate plate (N, places) that lies on others or outside the picture."""
        narrow = people.copy()
        narrow[:, 0] += 0.12 * people[:, 2]
        narrow[:, 2] *= 0.76
        area = np.maximum(plates[:, 0] * plates[:, 1], 1.0)[:, None]
        on_people = _overlaps(corners, plates, narrow)
        own = np.arange(len(people))
        on_people[own, :, own] *= 0.5
        cost: Floats = on_people.sum(axis=2) / area
        if len(obstacles):
            cost += 2.0 * _overlaps(corners, plates, obstacles).sum(axis=2) / area
        whole = np.array([[0.0, 0.0, *self._size]])
        cost += _OUTSIDE_WEIGHT * (1 - _overlaps(corners, plates, whole)[:, :, 0] / area)
        return cost


def _candidates(people: Floats, rings: Floats, plates: Floats, gap: float) -> Floats:
    """Corners relative to the feet, (N, places, 2)."""
    width, height = plates[:, 0], plates[:, 1]
    body = people[:, 3]
    below = rings[:, 1] + gap
    above = -body - gap - height
    aside = 0.5 * width + 0.35 * people[:, 2]
    middle = -0.5 * body - 0.5 * height
    beside = 0.5 * people[:, 2] + gap
    columns = (
        (-width / 2, below),
        (-width / 2, above),
        (-width / 2 - aside, below - 0.7 * height),
        (-width / 2 + aside, below - 0.7 * height),
        (-width / 2 - aside, above + 0.5 * height),
        (-width / 2 + aside, above + 0.5 * height),
        (-beside - width, middle),
        (beside, middle),
    )
    return np.stack([np.stack(column, axis=1) for column in columns], axis=1)


def _overlaps(corners: Floats, plates: Floats, boxes: Floats) -> Floats:
    """Area shared by plates (N, places) and boxes (M, 4): (N, places, M)."""
    left, top = corners[..., 0, None], corners[..., 1, None]
    right, bottom = left + plates[:, None, None, 0], top + plates[:, None, None, 1]
    wide = np.minimum(right, boxes[:, 0] + boxes[:, 2]) - np.maximum(left, boxes[:, 0])
    high = np.minimum(bottom, boxes[:, 1] + boxes[:, 3]) - np.maximum(top, boxes[:, 1])
    shared: Floats = np.maximum(wide, 0) * np.maximum(high, 0)
    return shared


def _choose(corners: Floats, plates: Floats, cost: Floats) -> NDArray[np.intp]:
    """The cheapest place for each, those with the fewest good places first, off the ones already
    placed."""
    spread = np.partition(cost, 1, axis=1)
    order = np.argsort(-(spread[:, 1] - spread[:, 0]) - 10 * spread[:, 0].round(3), kind="stable")
    chosen = np.zeros(len(cost), np.intp)
    taken = np.zeros((0, 4))
    for row in order.tolist():
        area = max(float(plates[row, 0] * plates[row, 1]), 1.0)
        total = cost[row]
        if len(taken):
            shared = _overlaps(corners[row : row + 1], plates[row : row + 1], taken)[0].sum(axis=1)
            total = total + _LABEL_WEIGHT * shared / area
        chosen[row] = int(np.argmin(total))
        box = np.concatenate([corners[row, chosen[row]], plates[row]])
        taken = np.vstack([taken, box])
    return chosen
