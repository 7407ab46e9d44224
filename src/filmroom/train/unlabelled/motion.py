"""One shot from pictures to moving labels: alignment, empty place, ground, differences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.train.unlabelled.alignment import Aligner
from filmroom.train.unlabelled.background import (
    Panorama,
    blinking_places,
    make_panoramas,
    restless_places,
    time_apart,
    usual_sights,
    without_ghosts,
)
from filmroom.train.unlabelled.footage import Shot
from filmroom.train.unlabelled.ground import find_ground, steps_of
from filmroom.train.unlabelled.motion_masks import (
    UNKNOWN,
    cleaned,
    difference,
    moving_labels,
    otsu_threshold,
)

Pictures = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_WIDE, _GAP = 0.08, 9  # of the picture's width: wider than people; pixels between letters

LEAST_TURN = 0.01
"""Share of the picture's width that a camera moves over a shot before it is said to move."""


@dataclass(frozen=True)
class MovingShot:
    """A shot, or the part of it that one panorama covers, with what moves in it.

    shot, rows
        Whose frames these are, and which of them.
    panorama, ground
        The empty place and (H, W) where people play on it, None where no ground was found.
    tau
        The threshold of the differences, grey levels.
    labels
        (T, h, w) soft labels: 1 moving, 0 not, 255 unknown.
    """

    shot: Shot
    rows: NDArray[np.int64]
    panorama: Panorama
    ground: Mask | None
    tau: float
    labels: NDArray[np.uint8]

    @property
    def pixels(self) -> Pictures:
        """(T, h, w, 3) the pictures, a view: the rows follow each other."""
        return self.shot.pixels[int(self.rows[0]) : int(self.rows[-1]) + 1]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.shot.pixels.shape[2], self.shot.pixels.shape[1]

    def empty(self, row: int) -> Pictures:
        """(h, w, 3) the place without anybody, as picture `row` shows it."""
        return self.panorama.seen_from(row, self.size)[0]

    def turn(self) -> float:
        """How far the camera moved in all, as a share of the picture's width."""
        width, height = self.size
        middle = np.array([[[width / 2, height / 2]]], float)
        back = [np.linalg.inv(matrix) for matrix in self.panorama.to_frame]
        path = np.concatenate([cv2.perspectiveTransform(middle, each)[0] for each in back])
        return float(np.ptp(path, axis=0).max() / width)


def find_motion(shot: Shot, aligner: Aligner, stepper: Aligner) -> list[MovingShot]:
    """All parts of a shot in which the frames can be laid over each other."""
    found = []
    for rows, panorama in make_panoramas(shot.pixels, aligner, stepper):
        found.append(_label_frames(shot, rows, panorama))
    return found


def _label_frames(shot: Shot, rows: NDArray[np.int64], panorama: Panorama) -> MovingShot:
    pixels = shot.pixels[rows]
    size = (pixels.shape[2], pixels.shape[1])
    seen = [panorama.seen_from(row, size) for row in range(len(rows))]
    apart = []
    for picture, (empty, counts) in zip(pixels, seen, strict=True):
        here = difference(picture, empty)
        here[(counts == 0) | panorama.overlay] = 0
        apart.append(here)
    tau = otsu_threshold(np.stack(apart[::10]))
    differs = [here > tau for here in apart]
    overlay = panorama.overlay | blinking_places(pixels, differs)
    panorama = replace(panorama, overlay=overlay)
    differs = [here & ~overlay for here in differs]
    ground = find_ground(panorama.picture, panorama.counts, _trodden(panorama, differs))
    change = time_apart(panorama, differs)
    restless = restless_places(change, ground)
    # Where no ground is known anybody may stand anywhere: only what never rests is looked at.
    beyond = restless if ground is None else (_wide_change(panorama, differs) > 0) & ~ground
    usual = usual_sights(panorama, pixels, beyond)
    grounds = [_seen_mask(panorama, ground, row, size) for row in range(len(rows))]
    quiet = [_restless_in(panorama, restless, row, size) for row in range(len(rows))]
    familiar = [
        usual.familiar(pixels[row], panorama.to_frame[row], differs[row], tau) | panorama.overlay
        for row in range(len(rows))
    ]
    ghosts = [
        moving_labels(pixels[row], *seen[row], grounds[row], tau, quiet[row], familiar[row])[1]
        for row in range(len(rows))
    ]
    panorama = without_ghosts(panorama, pixels, ghosts)
    labels = [
        moving_labels(
            pixels[row],
            *panorama.seen_from(row, size),
            grounds[row],
            tau,
            quiet[row],
            familiar[row],
        )[0]
        for row in range(len(rows))
    ]
    labelled = np.stack(labels)
    labelled[~panorama.known] = UNKNOWN
    return MovingShot(shot, rows, panorama, ground, tau, labelled)


def _trodden(panorama: Panorama, differs: list[Mask]) -> NDArray[np.float32]:
    """(H, W) how many feet of upright moving regions stood round each place of the panorama."""
    height, width = panorama.picture.shape[:2]
    steps = np.zeros((height, width), np.float32)
    for row in range(0, len(differs), 2):
        feet = steps_of(cleaned(differs[row]))
        if not feet or not panorama.known[row]:
            continue
        back = np.linalg.inv(panorama.to_frame[row])
        there = cv2.perspectiveTransform(np.array([feet], float), back)[0].round().astype(int)
        inside = ((there >= 0) & (there < [width, height])).all(axis=1)
        steps[there[inside, 1], there[inside, 0]] += 1
    return np.asarray(cv2.boxFilter(steps, -1, (7, 7), normalize=False) / 49, np.float32)


def _wide_change(panorama: Panorama, differs: list[Mask]) -> NDArray[np.float32]:
    """`time_apart` of what changes along more than people are wide: boards and stands."""
    wide = []
    for mask in differs:
        joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, _GAP), np.uint8))
        length = round(_WIDE * mask.shape[1])
        wide.append(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)) > 0)
    return time_apart(panorama, wide)


def _seen_mask(panorama: Panorama, mask: Mask | None, row: int, size: tuple[int, int]) -> Mask | None:
    if mask is None:
        return None
    seen = cv2.warpPerspective(mask.astype(np.uint8), panorama.to_frame[row], size)
    return np.asarray(seen > 0)


def _restless_in(panorama: Panorama, restless: Mask, row: int, size: tuple[int, int]) -> Mask:
    seen = cv2.warpPerspective(restless.astype(np.uint8), panorama.to_frame[row], size) > 0
    return np.asarray(seen | panorama.overlay)
