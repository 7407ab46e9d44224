"""The empty place: what stays when all frames of a shot are laid over each other along the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.train.unlabelled.alignment import Aligner, find_overlay

Matrix = NDArray[np.float64]
Pictures = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_MOST_SAMPLES = 48
_LARGEST = 2.6  # times the picture's size: what a panorama may measure at most
_ROUNDS = 2
_MOST_PATCHES = 24
_BUSY = 0.25  # share of the time
_MOST_TIMES = 32  # at which a place is looked at, to know what is usually seen there
_OFTEN = 0.12  # share of them in which what is usual is seen
_SAME = 4.0  # grey levels within which a graphic shows the same each time
_BLINKS, _LEAST_SHOWN = 3, 0.08  # how often it comes, and the share of the time it is there, at least
_SAME_SHARE = 0.6  # of the frames in which a place is not empty
_LEAST_GRAPHIC = 60  # pixels


@dataclass(frozen=True)
class Panorama:
    """The empty place of one shot.

    picture
        (H, W, 3) RGB, the median over time.
    counts
        (H, W) how many frames show each pixel.
    to_frame
        (T, 3, 3) from the panorama's pixels to those of each frame.
    known
        (T,) whether the frame could be placed; others have the identity.
    overlay
        (h, w) where graphics cover the frames.
    """

    picture: Pictures
    counts: NDArray[np.uint8]
    to_frame: Matrix
    known: NDArray[np.bool_]
    overlay: Mask

    def seen_from(self, row: int, size: tuple[int, int]) -> tuple[Pictures, NDArray[np.uint8]]:
        """The empty place as frame `row` shows it, and how often each of its pixels was seen."""
        matrix = self.to_frame[row]
        picture = cv2.warpPerspective(self.picture, matrix, size, flags=cv2.INTER_LINEAR)
        counts = cv2.warpPerspective(self.counts, matrix, size, flags=cv2.INTER_NEAREST)
        return np.asarray(picture, np.uint8), np.asarray(counts, np.uint8)


def make_panoramas(
    pixels: Pictures, aligner: Aligner, stepper: Aligner | None = None
) -> list[tuple[NDArray[np.int64], Panorama]]:
    """Panoramas of the frames (T, h, w, 3), each with the rows it covers.

    The shot is divided where the camera turns so far that one picture would grow without measure, and
    where a frame cannot be aligned with the one before. `stepper` finds the motion between neighbours,
    which needs less care than that against the panorama; the same as `aligner` where None.
    """
    stepper = stepper or aligner
    hidden = find_overlay(pixels)
    greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in pixels]
    steps = [np.eye(3)]
    breaks = [0]
    for row in range(1, len(greys)):
        motion = stepper.align(greys[row - 1], greys[row], hidden)
        if motion.matrix is None:
            breaks.append(row)
            steps.append(np.eye(3))
        else:
            steps.append(motion.matrix)
    panoramas = []
    for start, end in zip(breaks, [*breaks[1:], len(greys)], strict=True):
        for first, last in _pieces(steps, start, end, pixels.shape[2], pixels.shape[1]):
            if last - first >= 8:
                rows = np.arange(first, last)
                made = _one_panorama(
                    pixels[first:last], greys[first:last], steps[first:last], aligner, hidden
                )
                panoramas.append((rows, made))
    return panoramas


def _pieces(
    steps: list[Matrix], start: int, end: int, width: int, height: int
) -> list[tuple[int, int]]:
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float)
    pieces = []
    first, path = start, np.eye(3)
    lowest, highest = corners[0].min(0), corners[0].max(0)
    for row in range(start, end):
        path = steps[row] @ path if row > first else np.eye(3)
        there = cv2.perspectiveTransform(corners, np.linalg.inv(path))[0]
        low, high = np.minimum(lowest, there.min(0)), np.maximum(highest, there.max(0))
        if ((high - low) > _LARGEST * np.array([width, height])).any():
            pieces.append((first, row))
            first, path = row, np.eye(3)
            low, high = corners[0].min(0), corners[0].max(0)
        lowest, highest = low, high
    pieces.append((first, end))
    return pieces


def _one_panorama(
    pixels: Pictures, greys: list[Pictures], steps: list[Matrix], aligner: Aligner, hidden: Mask
) -> Panorama:
    height, width = pixels.shape[1:3]
    path = [np.eye(3)]
    for step in steps[1:]:
        product = step @ path[-1]
        path.append(product / product[2, 2])
    middle = np.linalg.inv(path[len(path) // 2])
    to_frame = np.stack([each @ middle for each in path])
    known = np.ones(len(pixels), bool)
    shift, size = _canvas(to_frame, width, height)
    to_frame = to_frame @ np.linalg.inv(shift)
    picture, counts = _median(pixels, to_frame, size, hidden)
    for _ in range(_ROUNDS):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        for row in range(len(pixels)):
            seen = cv2.warpPerspective(grey, to_frame[row], (width, height))
            motion = aligner.align(np.asarray(seen, np.uint8), greys[row], hidden)
            known[row] = motion.matrix is not None
            if motion.matrix is not None:
                better = motion.matrix @ to_frame[row]
                to_frame[row] = better / better[2, 2]
        picture, counts = _median(pixels[known], to_frame[known], size, hidden)
    return Panorama(picture, counts, to_frame, known, hidden)


def _canvas(to_frame: Matrix, width: int, height: int) -> tuple[Matrix, tuple[int, int]]:
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float)
    there = np.concatenate([cv2.perspectiveTransform(corners, np.linalg.inv(m))[0] for m in to_frame])
    low, high = there.min(0), there.max(0)
    span = np.minimum(high - low, 1.3 * _LARGEST * np.array([width, height]))
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    return shift, (int(np.ceil(span[0])) + 1, int(np.ceil(span[1])) + 1)


def _median(
    pixels: Pictures, to_frame: Matrix, size: tuple[int, int], hidden: Mask
) -> tuple[Pictures, NDArray[np.uint8]]:
    """Median over time, band by band to bound memory, and the count of samples behind each pixel."""
    chosen = np.unique(np.linspace(0, len(pixels) - 1, _MOST_SAMPLES).round().astype(int))
    warped, inside = [], []
    full = np.where(hidden, 0, 255).astype(np.uint8)
    for row in chosen:
        back = np.linalg.inv(to_frame[row])
        warped.append(cv2.warpPerspective(pixels[row], back, size))
        inside.append(cv2.warpPerspective(full, back, size, flags=cv2.INTER_NEAREST) > 0)
    counts = np.zeros((size[1], size[0]), np.uint8)
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for top in range(0, size[1], 32):
        band = np.stack([each[top : top + 32] for each in warped]).astype(np.int16)
        there = np.stack([each[top : top + 32] for each in inside])
        count = there.sum(axis=0)
        band[~there] = 1000  # sorts behind everything that was seen
        ordered = np.sort(band, axis=0)
        middle = np.maximum(0, (count - 1) // 2)
        values = np.take_along_axis(ordered, middle[None, :, :, None].repeat(3, axis=3), axis=0)[0]
        values[count == 0] = 0
        picture[top : top + 32] = values
        counts[top : top + 32] = count
    return picture, counts


def without_ghosts(panorama: Panorama, pixels: Pictures, masks: Sequence[Mask]) -> Panorama:
    """The panorama with those who stood in it for long taken out.

    `masks` (T) of (h, w) say where the frame shows the empty place and the panorama does not.
    """
    height, width = panorama.picture.shape[:2]
    samples: list[tuple[Pictures, Mask]] = []
    rows = [row for row, mask in enumerate(masks) if mask.any()]
    for row in rows[:: max(1, len(rows) // _MOST_PATCHES)]:
        back = np.linalg.inv(panorama.to_frame[row])
        mask = cv2.dilate(masks[row].astype(np.uint8), np.ones((5, 5), np.uint8))
        where = cv2.warpPerspective(mask, back, (width, height), flags=cv2.INTER_NEAREST) > 0
        samples.append(
            (np.asarray(cv2.warpPerspective(pixels[row], back, (width, height)), np.uint8), where)
        )
    if not samples:
        return panorama
    votes = np.sum([where for _, where in samples], axis=0)
    doubtful = votes >= min(3, len(samples))
    picture = panorama.picture.copy()
    values = np.stack([each[doubtful] for each, _ in samples]).astype(np.float32)
    values[~np.stack([where[doubtful] for _, where in samples])] = np.nan
    picture[doubtful] = np.nanmedian(values, axis=0).astype(np.uint8)
    return replace(panorama, picture=picture)


def time_apart(panorama: Panorama, differs: Sequence[Mask]) -> NDArray[np.float32]:
    """(H, W) of the panorama: the share of the time that each place differs from its own median.

    `differs` (T) of (h, w) says where each frame leaves the panorama; 0 where it is hardly ever seen.
    """
    height, width = panorama.picture.shape[:2]
    changed = np.zeros((height, width), np.float32)
    seen = np.full((height, width), 1e-3, np.float32)
    full = np.where(panorama.overlay, 0, 1).astype(np.float32)
    for row in range(0, len(differs), max(1, len(differs) // 60)):
        back = np.linalg.inv(panorama.to_frame[row])
        changed += cv2.warpPerspective(differs[row].astype(np.float32) * full, back, (width, height))
        seen += cv2.warpPerspective(full, back, (width, height))
    return np.asarray(np.where(seen > 6, changed / seen, 0), np.float32)


def restless_places(apart: NDArray[np.float32], ground: Mask | None) -> Mask:
    """(H, W) what differs from its own median in much of the time, by `time_apart`.

    Boards that show moving pictures do so; players pass, and stay only on the `ground` (H, W).
    """
    busy = (apart > _BUSY).astype(np.uint8)
    if ground is not None:
        busy[cv2.erode(ground.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0] = 0
    opened = cv2.morphologyEx(busy, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.dilate(opened, np.ones((5, 5), np.uint8)) > 0


def blinking_places(pixels: Pictures, differs: Sequence[Mask]) -> Mask:
    """(h, w) graphics that come and go: the same colours at the same place, again and again.

    `differs` (T) of (h, w) say where each of the pictures (T, h, w, 3) leaves the empty place. Whoever
    runs by is never three times the same to a few grey levels.
    """
    shown = np.stack(differs)
    same = np.zeros(shown.shape[1:], bool)
    least = max(2 * _BLINKS, _LEAST_SHOWN * len(pixels))
    rows, columns = np.nonzero((_episodes(shown) >= _BLINKS) & (shown.sum(axis=0) >= least))
    if len(rows):
        values = pixels[:, rows, columns].mean(axis=2, dtype=np.float32)
        values[~shown[:, rows, columns]] = np.nan
        # A runner may pass the place while the graphic is away.
        alike = np.abs(values - np.nanmedian(values, axis=0)) < _SAME
        often = (_episodes(alike) >= _BLINKS) & (alike.sum(axis=0) >= least)
        often &= alike.sum(axis=0) > _SAME_SHARE * shown[:, rows, columns].sum(axis=0)
        same[rows[often], columns[often]] = True
    kernels = (np.ones((2, 2), np.uint8), np.ones((5, 9), np.uint8))
    opened = cv2.morphologyEx(same.astype(np.uint8), cv2.MORPH_OPEN, kernels[0])
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernels[1])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    # Boards along the whole picture are no graphics, though one colour looks the same all along.
    large = (stats[:, cv2.CC_STAT_AREA] > _LEAST_GRAPHIC) & (
        stats[:, cv2.CC_STAT_WIDTH] < 0.7 * closed.shape[1]
    )
    large[0] = False
    return cv2.dilate(large[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _episodes(shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How often each thing (T, ...) comes, the first time included."""
    return np.asarray(shown[0] + (shown[1:] & ~shown[:-1]).sum(axis=0), np.int64)


@dataclass(frozen=True)
class Usual:
    """What is usually seen where more than one thing is: boards that change, a moving crowd.

    place (H, W) row of each pixel of the panorama in the other arrays, -1 where only one
        thing is seen.
    least, most (S, P, 3) lowest and highest colour within a pixel around, at S times; seen (S, P).
    """

    place: NDArray[np.int32]
    least: Pictures
    most: Pictures
    seen: Mask

    def familiar(self, picture: Pictures, to_frame: Matrix, where: Mask, tau: float) -> Mask:
        """(h, w) which of the pixels `where` show what is often seen in their place, within `tau`."""
        found = np.zeros(where.shape, bool)
        rows, columns = np.nonzero(where)
        if not len(rows):
            return found
        points = np.stack([columns, rows], axis=1)[None].astype(np.float64)
        there = cv2.perspectiveTransform(points, np.linalg.inv(to_frame))[0].round().astype(int)
        height, width = self.place.shape
        inside = ((there >= 0) & (there < [width, height])).all(axis=1)
        rows, columns, there = rows[inside], columns[inside], there[inside]
        place = self.place[there[:, 1], there[:, 0]]
        known = place >= 0
        rows, columns, place = rows[known], columns[known], place[known]
        colour = picture[rows, columns].astype(np.int16)
        low = self.least[:, place].astype(np.int16) - tau
        high = self.most[:, place].astype(np.int16) + tau
        seen = self.seen[:, place]
        alike = ((colour >= low) & (colour <= high)).all(axis=2) & seen
        often = alike.sum(axis=0) > np.maximum(2, _OFTEN * seen.sum(axis=0))
        found[rows[often], columns[often]] = True
        return found


def usual_sights(panorama: Panorama, pixels: Pictures, places: Mask) -> Usual:
    """What is seen at `places` (H, W) of the panorama in the course of the frames (T, h, w, 3)."""
    height, width = panorama.picture.shape[:2]
    place = np.full((height, width), -1, np.int32)
    place[places] = np.arange(int(places.sum()))
    known = np.flatnonzero(panorama.known) if panorama.known.any() else np.arange(len(pixels))
    chosen = known[np.unique(np.linspace(0, len(known) - 1, _MOST_TIMES).round().astype(int))]
    kernel = np.ones((3, 3), np.uint8)
    full = np.where(panorama.overlay, 0, 255).astype(np.uint8)
    least, most, seen = [], [], []
    for row in chosen:
        back = np.linalg.inv(panorama.to_frame[row])
        warped = cv2.warpPerspective(pixels[row], back, (width, height))
        least.append(cv2.erode(warped, kernel)[places])
        most.append(cv2.dilate(warped, kernel)[places])
        shown = cv2.warpPerspective(full, back, (width, height), flags=cv2.INTER_NEAREST)
        seen.append(shown[places] > 0)
    return Usual(place, np.stack(least), np.stack(most), np.stack(seen))
