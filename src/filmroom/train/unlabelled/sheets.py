"""Contact sheets: what each stage has learnt, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.observe.detector import OnnxDetector
from filmroom.rendering.sheet import contact_sheet
from filmroom.train.unlabelled.alignment import Aligner, find_overlay
from filmroom.train.unlabelled.footage import Shot
from filmroom.train.unlabelled.foreground import ForegroundNet, foreground_of
from filmroom.train.unlabelled.keeping import keep_bytes
from filmroom.train.unlabelled.motion import MovingShot
from filmroom.train.unlabelled.motion_masks import UNKNOWN
from filmroom.train.unlabelled.player_pools import Pools
from filmroom.train.unlabelled.players import ShotPlayers

Pictures = NDArray[np.uint8]

_SHOWN = 6
_IN_ROW = 24
_MOVING, _NOT_KNOWN, _GROUND = (255, 60, 60), (60, 60, 255), (0, 40, 0)


def save(path: Path, sheet: Pictures) -> None:
    """Write a sheet as PNG, aside first."""
    _, packed = cv2.imencode(".png", sheet[:, :, ::-1])
    keep_bytes(path, packed.tobytes())


def _spread(shots: Sequence[MovingShot]) -> list[tuple[MovingShot, int]]:
    everything = [(shot, row) for shot in shots for row in range(len(shot.rows))]
    chosen = np.unique(np.linspace(0, len(everything) - 1, _SHOWN).round().astype(int))
    return [everything[i] for i in chosen]


def alignment_sheet(shots: Sequence[Shot], aligner: Aligner) -> Pictures:
    """Pictures, the difference to one half a second later, and what is left of it once aligned."""
    pictures: list[Pictures] = []
    captions: list[str] = []
    chosen = np.unique(np.linspace(0, len(shots) - 1, _SHOWN).round().astype(int))
    for shot in (shots[i] for i in chosen):
        first = len(shot.pixels) // 2
        later = min(len(shot.pixels) - 1, first + max(1, round(shot.rate / 2)))
        now, then = shot.pixels[first], shot.pixels[later]
        size = (now.shape[1], now.shape[0])
        greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (now, then)]
        matrix = aligner.align(greys[0], greys[1], find_overlay(shot.pixels)).matrix
        laid = greys[0] if matrix is None else cv2.warpPerspective(greys[0], matrix, size)
        inside = np.full(greys[0].shape, 255, np.uint8)
        inside = inside if matrix is None else cv2.warpPerspective(inside, matrix, size)
        left = np.where(inside > 0, cv2.absdiff(laid, greys[1]), 0)
        apart = cv2.absdiff(*greys)
        pictures += [now, *(np.asarray(np.minimum(each, 85) * 3, np.uint8) for each in (apart, left))]
        said = "not aligned" if matrix is None else "difference, aligned"
        captions += [f"{shot.name} frame {shot.frames[first]}", "difference half a second later", said]
    return contact_sheet(pictures, columns=3, width=400, captions=captions)


def moving_sheet(shots: Sequence[MovingShot]) -> Pictures:
    """Pictures, the empty place behind each, and the labels: red moving, blue unknown, green ground."""
    pictures: list[Pictures] = []
    captions: list[str] = []
    for shot, row in _spread(shots):
        shown = shot.pixels[row] // 2
        if shot.ground is not None:
            ground = cv2.warpPerspective(
                shot.ground.astype(np.uint8), shot.panorama.to_frame[row], shot.size
            )
            shown[ground > 0] += np.array(_GROUND, np.uint8)
        shown[shot.labels[row] == 1] = _MOVING
        shown[shot.labels[row] == UNKNOWN] = _NOT_KNOWN
        pictures += [shot.pixels[row], shot.empty(row), shown]
        captions += [f"{shot.shot.name} frame {shot.shot.frames[shot.rows[row]]}", "empty", "moving"]
    return contact_sheet(pictures, columns=3, width=400, captions=captions)


def foreground_sheet(net: ForegroundNet, shots: Sequence[MovingShot]) -> Pictures:
    """Pictures and, in red, what the network sees in each alone."""
    pictures: list[Pictures] = []
    for shot, row in _spread(shots):
        seen = (foreground_of(net, shot.pixels[row]) * 255).astype(np.uint8)
        shown = shot.pixels[row] // 2
        shown[:, :, 0] = np.maximum(shown[:, :, 0], seen)
        pictures += [shot.pixels[row], shown]
    return contact_sheet(pictures, columns=2, width=480)


def pools_sheet(pools: Pools) -> Pictures:
    """Patches of the positive pool, of the negative one, and of neither."""
    rows = []
    for chosen in (pools.positive, pools.negative, ~pools.positive & ~pools.negative):
        where = np.flatnonzero(chosen)
        if len(where):
            picked = where[np.linspace(0, len(where) - 1, _IN_ROW).round().astype(int)]
            rows.append(np.hstack(list(pools.patches[picked])))
    return contact_sheet(rows, columns=1, width=_IN_ROW * 40, captions=["players", "others", "neither"])


def players_sheet(players: Sequence[ShotPlayers]) -> Pictures:
    """The boxes found, yellow where sure, red where not."""
    pictures = []
    by_shot = {id(each.motion): each for each in players}
    for shot, row in _spread([each.motion for each in players]):
        found = by_shot[id(shot)]
        pictures.append(_boxed(shot.pixels[row], found.boxes[row], found.sure[row]))
    return contact_sheet(pictures, columns=3, width=480)


def detector_sheet(detector: Path, players: Sequence[ShotPlayers]) -> Pictures:
    """What the trained detector finds in the small pictures, doubled."""
    network = OnnxDetector(threshold=0.4, parts=detector.parent, second_look=False)
    pictures = []
    for shot, row in _spread([each.motion for each in players]):
        large = cv2.resize(shot.pixels[row], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found = network.detect(np.asarray(large, np.uint8))
        pictures.append(_boxed(np.asarray(large, np.uint8), found.boxes.astype(float), found.scores))
    return contact_sheet(pictures, columns=3, width=480)


def _boxed(picture: Pictures, boxes: NDArray[np.float64], sure: NDArray[np.floating]) -> Pictures:
    shown = picture.copy()
    for (x, y, w, h), certainty in zip(boxes, sure, strict=True):
        colour = (255, int(255 * np.clip(certainty, 0, 1)), 0)
        cv2.rectangle(shown, (int(x), int(y)), (int(x + w), int(y + h)), colour, 1)
    return shown
