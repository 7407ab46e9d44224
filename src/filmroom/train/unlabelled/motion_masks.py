"""What moves: soft labels from aligned pictures, without and with an empty place to compare with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.train.unlabelled.alignment import Aligner

Pictures = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEAST_TAU, MOST_TAU = 12.0, 30.0


def difference(picture: Pictures, other: Pictures) -> NDArray[np.uint8]:
    """(h, w) by how much `picture` leaves what `other` shows within a pixel around, largest channel.

    A pixel that lies between the least and the greatest value of its neighbourhood differs by nothing:
    edges that lie half a pixel off do not shimmer.
    """
    kernel = np.ones((3, 3), np.uint8)
    over = cv2.subtract(picture, cv2.dilate(other, kernel))
    under = cv2.subtract(cv2.erode(other, kernel), picture)
    return np.asarray(cv2.max(over, under).max(axis=2), np.uint8)


def otsu_threshold(values: NDArray[np.uint8]) -> float:
    """tau by Otsu's rule (1979, eq. 17) on the differences that are not nought, kept within 12..30."""
    changed = values[values > 2]
    if not len(changed):
        return MOST_TAU
    tau, _ = cv2.threshold(changed.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(np.clip(tau, LEAST_TAU, MOST_TAU))


def cleaned(mask: Mask, least: int = 12) -> Mask:
    """Specks off, gaps closed, regions of fewer than `least` pixels dropped."""
    out = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
    out = cv2.morphologyEx(out, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(out, connectivity=8)
    big = np.zeros(count, bool)
    big[1:] = stats[1:, cv2.CC_STAT_AREA] >= least
    return np.asarray(big[labels])


def ghosts(labels: NDArray[np.int32], count: int, picture: Pictures, empty: Pictures) -> Mask:
    """(count,) which regions show somebody of the supposedly empty place, who has left since.

    Along the border of what really stands in the picture, the picture has the sharper edges.
    """
    inner = cv2.erode((labels > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    border = np.flatnonzero((labels > 0) & inner)
    edges = [_slope(each).ravel()[border] for each in (picture, empty)]
    owner = labels.ravel()[border]
    here, there = (np.bincount(owner, each, count) for each in edges)
    return np.asarray(there > 1.1 * here)


def _slope(picture: Pictures) -> NDArray[np.float32]:
    """(h, w) the steepest of the three colours: red on green is an edge, equally bright or not."""
    values = picture.astype(np.float32)
    across, down = cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)
    return np.asarray((np.abs(across) + np.abs(down)).max(axis=2), np.float32)


def is_shadow(picture: Pictures, empty: Pictures) -> Mask:
    """(h, w) where the picture is the empty place, only darker, all channels by about the same."""
    share = (picture.astype(np.float32) + 4) / (empty.astype(np.float32) + 4)
    middle = share.mean(axis=2)
    spread = share.max(axis=2) - share.min(axis=2)
    return np.asarray((middle > 0.45) & (middle < 0.97) & (spread < 0.1))


UNKNOWN = 255
"""Label of pixels from which nothing is learnt."""

_LEAST_COUNT = 3  # frames that must show a place before it is known to be empty
_LEAST_AREA = 16
_FULLEST, _EMPTIEST = 1.0, 0.16  # share of its box that a person covers
_WIDEST = 0.3  # of the picture
_REACH = 45  # pixels above a body's seen part in which the rest of it may be
_MIRRORED = 0.3  # of a body's difference: what a floor mirrors of it differs less
_GAP = 0.25  # of a region's height: weak rows above feet that are no longer than this are legs


def moving_labels(
    picture: Pictures,
    empty: Pictures,
    counts: NDArray[np.uint8],
    ground: Mask | None,
    tau: float,
    restless: Mask | None = None,
    familiar: Mask | None = None,
) -> tuple[NDArray[np.uint8], Mask]:
    """Soft labels (h, w) of one frame, 1 moving, 0 not, `UNKNOWN`; and where the place is not empty.

    Only what stands on the ground, where one is known, counts as moving: stands and boards move too.
    `restless` (h, w) are pixels that change most of the time, boards and graphics: they say something
    only where they show what is not `familiar` (h, w) there. Nothing is said without the latter.
    """
    apart = difference(picture, empty)
    moving = (apart > tau) & ~is_shadow(picture, empty)
    if familiar is not None:
        moving &= ~familiar
    elif restless is not None:
        moving &= ~restless
    count, regions, stats, _ = cv2.connectedComponentsWithStats(
        cleaned(moving).astype(np.uint8), connectivity=8
    )
    mirrored = mirrored_parts(np.asarray(regions, np.int32), np.asarray(stats, np.int32), apart)
    gone = ghosts(np.asarray(regions, np.int32), count, picture, empty)
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    area = stats[:, cv2.CC_STAT_AREA]
    stands = _stands_on(ground, np.asarray(stats, np.int32), regions.shape)
    likely = stands & (area >= _LEAST_AREA) & (width < _WIDEST * picture.shape[1])
    likely &= (area > _EMPTIEST * width * height) & (height > 0.5 * width)
    doubtful = stands & (area >= _LEAST_AREA) & ~likely
    doubtful[0] = False
    gone &= stands & (area >= _LEAST_AREA)
    likely[0] = doubtful[0] = gone[0] = False
    labels = np.zeros(regions.shape, np.uint8)
    labels[(likely & ~gone)[regions]] = 1
    if ground is not None:
        labels[_upright_on_ground((doubtful & ~gone)[regions] & ground)] = 1
    labels[mirrored] = 0
    rim = cv2.dilate(labels, np.ones((3, 3), np.uint8)) - cv2.erode(labels, np.ones((3, 3), np.uint8))
    unsure = (
        ((doubtful | gone)[regions] & (labels == 0))
        | mirrored
        | (rim > 0) & (labels == 0)
        | (counts < _LEAST_COUNT)
    )
    # Nearly different is not the same: between two thresholds nothing is learnt.
    if ground is not None:
        unsure |= (apart > 0.6 * tau) & (labels == 0) & ground
        # Before boards and stands a body may be cut short: what is above one may belong to it.
        above = cv2.dilate(
            (labels == 1).astype(np.uint8), np.ones((_REACH, 5), np.uint8), anchor=(2, 0)
        )
        unsure |= (apart > 0.6 * tau) & (labels == 0) & ~ground & (above > 0)
    if restless is not None:
        beside = cv2.dilate((labels == 1).astype(np.uint8), np.ones((25, 9), np.uint8)) > 0
        unsure |= restless & (labels == 0) & beside
    labels[unsure] = UNKNOWN
    return labels, np.asarray(gone[regions])


def mirrored_parts(
    regions: NDArray[np.int32], stats: NDArray[np.int32], apart: NDArray[np.uint8]
) -> Mask:
    """(h, w) the faint lower ends of regions: what a polished floor mirrors of those who stand on it.

    `regions` (h, w) are numbers of regions, `stats` their boxes and areas as OpenCV gives them, `apart`
    (h, w) the difference to the empty place. Faint rows with feet below them are legs and stay.
    """
    found = np.zeros(regions.shape, bool)
    for index in range(1, len(stats)):
        x, y, w, h, area = (int(value) for value in stats[index])
        if area < _LEAST_AREA or h < 10:
            continue
        here = regions[y : y + h, x : x + w] == index
        values = apart[y : y + h, x : x + w]
        strong = here & (values > _MIRRORED * np.percentile(values[here], 90))
        strong = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        reach = max(3, round(_GAP * h))
        kept = cv2.dilate(strong, np.ones((reach, 5), np.uint8), anchor=(2, 0)) > 0
        found[y : y + h, x : x + w] |= (
            here & ~kept & (cv2.dilate(strong, np.ones((3, 3), np.uint8)) == 0)
        )
    return found


def _upright_on_ground(mask: Mask) -> Mask:
    """The upright parts on the ground of regions run together with what moves behind them."""
    _, regions, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    kept = (stats[:, cv2.CC_STAT_AREA] >= 2 * _LEAST_AREA) & (height > 0.9 * width)
    kept &= stats[:, cv2.CC_STAT_AREA] > 0.3 * width * height
    kept[0] = False
    return np.asarray(kept[regions])


def _stands_on(ground: Mask | None, stats: NDArray[np.int32], shape: tuple[int, ...]) -> Mask:
    """(count,) whether the lowest middle of each region lies on the ground or below it."""
    if ground is None:
        return np.ones(len(stats), bool)
    column = stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] // 2
    row = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] - 1
    on = ground[np.minimum(row, shape[0] - 1), np.minimum(column, shape[1] - 1)]
    return np.asarray(on | ((row >= shape[0] - 3) & ground[-3:].any()))


def published_labels(pixels: Pictures, aligner: Aligner, tau: float) -> NDArray[np.uint8]:
    """(T, h, w) the labels as printed: 1(|i'(t-1, t) - i(t)| > tau), one-sided, nothing cleaned.

    The first frame has none and is unknown throughout, as is what was not in view a frame before.
    """
    greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in pixels]
    size = (pixels.shape[2], pixels.shape[1])
    labels = np.full(pixels.shape[:3], UNKNOWN, np.uint8)
    for row in range(1, len(pixels)):
        matrix = aligner.align(greys[row - 1], greys[row]).matrix
        if matrix is None:
            continue
        before = cv2.warpPerspective(pixels[row - 1], matrix, size)
        inside = cv2.warpPerspective(np.ones(size[::-1], np.uint8), matrix, size) > 0
        apart = cv2.absdiff(before, pixels[row]).max(axis=2)
        labels[row][inside] = (apart > tau)[inside]
    return labels
