"""Where people play: the large smooth part of the empty place on which things move."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_COLOURS = 8
_SMOOTH = 14.0  # grey levels between neighbours, at most, on plain ground
_NEAR_COLOUR = 20.0  # distance in CIE Lab from one of the ground's colours
_FEWEST_STEPS = 30.0  # feet seen on the ground from which they say which colour it has
_FAIR_STEPS = 0.03  # of all feet, that make an area beside the ground one with it
_LINE = 21  # pixels of the picture that a line and the slopes beside it are wide at most
_LEAST_SHARE = 0.12  # of the picture; a smaller ground is not believed


def find_ground(
    picture: Pictures, counts: NDArray[np.uint8], trodden: NDArray[np.float32] | None = None
) -> Mask | None:
    """(H, W) the ground of an empty place, holes filled, or None where there is no such surface.

    Colours are grouped (K-means in Lab); the ground is the connected region of smooth pixels of the
    colour that most feet stood on, with every other colour that is smooth, large and enclosed by it.
    `trodden` (H, W) says how many stood where; without it the colour that covers most is taken.
    """
    seen = counts > 0
    walked = None if trodden is None or trodden[seen].sum() < _FEWEST_STEPS else trodden * seen
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.GaussianBlur(
        cv2.magnitude(cv2.Sobel(grey, 5, 1, 0), cv2.Sobel(grey, 5, 0, 1)), (0, 0), 3
    )
    smooth = seen & (slope < _SMOOTH)
    values = lab[smooth]
    if walked is not None:
        # Planks and ice are not smooth; that people stand on them shows that they are ground.
        values = np.concatenate([values[:: max(1, len(values) // 4000)], lab[walked > 0]])
    elif len(values) < _LEAST_SHARE * seen.sum():
        return None
    if len(values) < _COLOURS:
        return None
    centres = _usual_colours(values)
    distance = np.stack([_lab_distance(lab, centre) for centre in centres])
    nearest = distance.argmin(axis=0)
    # Rows further down are nearer to the camera and more likely to be where people play; but dark
    # stands may be larger than the floor, and there nobody walks about.
    worth = np.linspace(0.5, 1.0, len(picture))[:, None] * smooth if walked is None else walked
    main = centres[int(np.bincount(nearest.ravel(), worth.ravel(), _COLOURS).argmax())]
    alike = [
        index for index, centre in enumerate(centres) if np.linalg.norm(centre[1:] - main[1:]) < 12
    ]
    coloured = seen & (distance[alike].min(axis=0) < _NEAR_COLOUR)
    ground = coloured
    if walked is not None and (coloured & (walked > 0)).any():
        # Stands may have the colour of the grass; they are rougher than where people walk.
        usual = float(np.percentile(slope[coloured & (walked > 0)], 75))
        ground = coloured & (slope < max(_SMOOTH, 1.5 * usual))
    opened = cv2.morphologyEx(ground.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    # Lines must not cut the ground in two.
    ground = _largest(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((_LINE, _LINE), np.uint8)))
    ground |= coloured & (cv2.dilate(ground.astype(np.uint8), np.ones((_LINE, _LINE), np.uint8)) > 0)
    ground = _with_neighbours(_filled(ground), nearest, smooth, walked)
    return ground if ground.sum() > _LEAST_SHARE * seen.sum() else None


def _usual_colours(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(8, 3) what the colours (N, 3) gather round."""
    sample = values[:: max(1, len(values) // 8000)]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(1)
    empty: NDArray[np.int32] = np.zeros((0, 1), np.int32)
    _, _, centres = cv2.kmeans(sample, _COLOURS, empty, criteria, 2, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32)


def steps_of(moving: Mask) -> list[tuple[int, int]]:
    """Column and row just under each upright region of what moves (h, w): where somebody may stand."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(moving.astype(np.uint8), connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    area = stats[1:, cv2.CC_STAT_AREA]
    upright = (height > 1.2 * width) & (height >= 10) & (area > 0.25 * width * height)
    return [
        (int(x + w / 2), int(y + h)) for x, y, w, h, _ in stats[1:][upright] if y + h < len(moving) - 1
    ]


def _lab_distance(lab: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness counts a third: shade and light lie on the same ground."""
    apart = (lab - centre) * np.array([0.35, 1.0, 1.0], np.float32)
    return np.asarray(np.sqrt((apart * apart).sum(axis=2)), np.float32)


def _largest(closed: NDArray[Any]) -> Mask:
    mask = np.asarray(closed, np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, bool)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def _filled(mask: Mask) -> Mask:
    """Lines, circles and logos lie within the ground: close gaps and fill what is enclosed."""
    closed = cv2.morphologyEx(
        mask.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))
    )
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled > 0


def _is_walked(trodden: NDArray[np.float32] | None, part: Mask) -> bool:
    """Do a fair share of all feet stand here?"""
    if trodden is None:
        return False
    around = cv2.dilate(part.astype(np.uint8), np.ones((_LINE, _LINE), np.uint8)) > 0
    return float(trodden[around].sum()) > _FAIR_STEPS * float(trodden.sum())


def _with_neighbours(
    ground: Mask, nearest: NDArray[np.int64], smooth: Mask, trodden: NDArray[np.float32] | None
) -> Mask:
    """With other large smooth areas that touch it: keys, end zones, aprons.

    They do not rise above it, or people walk there.
    """
    top = int(np.flatnonzero(ground.any(axis=1))[0]) if ground.any() else 0
    grown = ground.copy()
    near = cv2.dilate(ground.astype(np.uint8), np.ones((_LINE, _LINE), np.uint8)) > 0
    for colour in range(int(nearest.max()) + 1):
        part = (nearest == colour) & smooth & ~ground
        part = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=4)
        touching = np.unique(labels[near & (part > 0)])
        for label in touching[touching > 0]:
            large = stats[label, cv2.CC_STAT_AREA] > 0.008 * ground.size
            low = stats[label, cv2.CC_STAT_TOP] > top - 0.02 * len(ground)
            if large and (low or _is_walked(trodden, labels == label)):
                grown |= labels == label
    return _filled(grown)
