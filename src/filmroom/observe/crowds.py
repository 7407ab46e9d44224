"""A closer look at people who stand in each other's way: parts of the picture, enlarged.

In the picture as the detector sees it, people who overlap melt into one; enlarged, their heads and
shoulders come apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry import boxes as box_geometry
from filmroom.observe.decode import KINDS, Detections

WINDOW = (448, 288)
"""Width and height of a window as the detector sees it, pixels."""

_PERSON = KINDS.index("person")
_SEEN = 0.45  # score from which people of the first look make a crowd
_CROWDED = 0.15  # overlap, over the smaller box, from which people stand in each other's way
_TALL = 110.0  # pixels that people in a window should be tall: about the most that was learnt
_LEAST_ZOOM, _MOST_ZOOM = 1.2, 2.0
_MOST_WINDOWS = 4
_MARGIN = 12.0  # pixels along the border of a window in which the first look is believed
_SAME = 0.5  # IoU from which both looks found the same person
_TOUCHES = 0.1  # overlap, over the smaller box, of somebody new with people of the first look
_NEW = 0.9  # what somebody new keeps of the score: the second look sees little of the ground around


class Window(NamedTuple):
    """A part of the picture: its top left corner, and how much the picture is enlarged there."""

    left: float
    top: float
    scale: float


def crowd_windows(boxes: NDArray[np.floating], scale: float) -> list[Window]:
    """Windows around those of the people (N, 4) who overlap, the fullest first.

    `scale` is by how much the picture was shrunk for the first look. None where people are so tall that
    they would hardly be enlarged.
    """
    boxes = np.asarray(boxes, float)
    among = box_geometry.overlap_of_smaller(boxes, boxes)
    np.fill_diagonal(among, 0)
    left = boxes[among.max(axis=1, initial=0) >= _CROWDED]
    windows: list[Window] = []
    while len(left) and len(windows) < _MOST_WINDOWS:
        zoom = min(_MOST_ZOOM, _TALL / (scale * float(np.median(left[:, 3]))))
        if zoom < _LEAST_ZOOM:
            break
        side = np.array(WINDOW) / (scale * zoom)
        room = side - 2 * _MARGIN / (scale * zoom)
        middles = left[:, :2] + left[:, 2:] / 2
        # Whose boxes lie in a window around the middle of each one's.
        reach = np.abs(middles[:, None] - middles) + left[:, 2:] / 2
        inside = (reach <= room / 2).all(axis=2)
        fullest = int(inside.sum(axis=1).argmax())
        covered = inside[fullest]
        if not covered.any():
            break
        low = left[covered, :2].min(axis=0)
        high = (left[covered, :2] + left[covered, 2:]).max(axis=0)
        corner = (low + high - side) / 2
        windows.append(Window(float(corner[0]), float(corner[1]), scale * zoom))
        left = left[~covered]
    return windows


def look_closer(
    found: Detections,
    scale: float,
    size: tuple[int, int],
    look: Callable[[Window], Detections],
) -> Detections:
    """The same detections, people in crowds as `look` finds them in windows around those.

    `size` are the width and height of the picture. Who is found by both looks has the mean of both
    boxes and scores; somebody new must overlap people whom the first look found.
    """
    seen = found.boxes[(found.kinds == _PERSON) & (found.scores >= _SEEN)]
    for window in crowd_windows(seen, scale):
        closer = look(window)
        touching = box_geometry.overlap_of_smaller(closer.boxes, seen).max(axis=1, initial=0.0)
        new = _people_inside(closer, window, size) & (touching >= _TOUCHES)
        old = _people_inside(found, window, size)
        both = _mean_of_looks(found.take(old), closer.take(new))
        found = Detections.concatenate([found.take(~old), both])
    return found


def _people_inside(found: Detections, window: Window, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which of the detections are people who lie well within the window, or the picture's border."""
    margin = _MARGIN / window.scale
    low = np.array([window.left, window.top]) + margin
    high = low + np.array(WINDOW) / window.scale - 2 * margin
    low = np.where(low <= margin, -np.inf, low)
    high = np.where(high >= np.array(size) - margin, np.inf, high)
    starts, ends = found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]
    within = (starts >= low).all(axis=1) & (ends <= high).all(axis=1)
    return np.asarray(within & (found.kinds == _PERSON))


def _mean_of_looks(first: Detections, second: Detections) -> Detections:
    """All of the second look, those whom the first look found too halfway between both."""
    rows, columns = box_geometry.pair_by_overlap(first.boxes, second.boxes, _SAME)
    scores, boxes = np.float32(_NEW) * second.scores, second.boxes.copy()
    scores[columns] = (first.scores[rows] + second.scores[columns]) / 2
    boxes[columns] = (first.boxes[rows] + second.boxes[columns]) / 2
    return second._replace(boxes=boxes, scores=scores)
