"""Boxes of a match without a picture: what the film's truth would say, hundreds of frames a second.

For trackers, association networks and statistics of motion. A body's box is worked out from its
skeleton, not from drawn pixels: it agrees with the drawn figure's to about a pixel in twenty-five.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filmroom.formats.mot import TrackRows
from filmroom.simulate.film import Match, make_match
from filmroom.simulate.people import HEADINGS, TILTS, Gait, Stance
from filmroom.simulate.poses import JOINTS, skeleton
from filmroom.simulate.settings import Settings

FloatArray = NDArray[np.float64]

# How far flesh and cloth reach beyond each joint, as shares of the body height.
_REACH = np.array(
    [
        {
            "head": 0.062,
            "neck": 0.03,
            "pelvis": 0.075,
            "shoulder": 0.04,
            "hip": 0.062,
            "knee": 0.05,
        }.get(name.split("_")[0], 0.024)
        for name in JOINTS
    ]
)


@dataclass(frozen=True)
class _Moment:
    """Everybody in one frame: feet in pixels, pixels a metre, and how the bodies are seen."""

    feet: FloatArray
    metre: FloatArray
    heading: NDArray[np.int64]
    tilt: NDArray[np.int64]
    elevation: FloatArray
    ahead: NDArray[np.bool_]


def match_boxes(settings: Settings, part: tuple[int, int] | None = None) -> TrackRows:
    """Boxes of players, referees and ball of a match, cut at the picture's border.

    `part` names the first frame and the end of a stretch that is wanted alone; frames count from its
    start. Ids as in the film's truth; whoever is hidden keeps the box, whoever is out of view has
    none. InputError for settings that cannot be.
    """
    return boxes_of(make_match(settings), part)


def boxes_of(match: Match, part: tuple[int, int] | None = None) -> TrackRows:
    """The same for a match that is there already."""
    settings = match.settings
    first, end = part or (0, len(match))
    width, height = settings.width, settings.height
    frames, ids, boxes = [], [], []
    for frame in range(first, end):
        found = _frame_boxes(match, frame)
        low = np.maximum(found[:, :2], 0.0)
        high = np.minimum(found[:, :2] + found[:, 2:], (width, height))
        shown = np.flatnonzero(((high - low) >= 1.0).all(axis=1))
        frames.append(np.full(len(shown), frame - first))
        ids.append(shown + 1)
        boxes.append(np.column_stack([low, high - low])[shown])
    return TrackRows.of(
        np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes), length=end - first
    )


def _frame_boxes(match: Match, frame: int) -> FloatArray:
    """Whole boxes of everybody and, last, the ball, (N + 1, 4); far outside where behind the camera."""
    play, camera = match.play, match.camera_of(frame)
    moment = _seen(match, frame)
    frame = match.moment_of(frame)
    boxes = np.full((len(play.cast) + 1, 4), -1e6)
    for person in np.flatnonzero(moment.ahead).tolist():
        stance = match.stances.of(frame, person)
        seed = 0 if stance.kind == "gait" else match.pose_seed(person)
        relative = _reach_of(
            stance, seed, match.gait, int(moment.heading[person]), int(moment.tilt[person])
        )
        size = moment.metre[person] * match.looks[person].height_m
        lift = float(play.lifts[frame, person]) * moment.metre[person]
        stand = moment.feet[person] - (0.0, lift * math.cos(float(moment.elevation[person])))
        boxes[person, :2] = stand + size * relative[:2]
        boxes[person, 2:] = size * relative[2:]
    ball, depth = camera.project(play.ball[frame][None].astype(float))
    if depth[0] > 2.0:
        side = max(1.8, play.sport.ball_diameter * camera.focal / float(depth[0]))
        boxes[-1] = (*(ball[0] - side / 2), side, side)
    return boxes


def _seen(match: Match, frame: int) -> _Moment:
    play, camera = match.play, match.camera_of(frame)
    frame = match.moment_of(frame)
    where = play.positions[frame].astype(float)
    feet, depth = camera.project(np.column_stack([where, np.zeros(len(where))]))
    ahead = (depth >= 2.0) & play.present[frame]
    away = np.array(camera.position[:2]) - where
    heading = np.arctan2(away[:, 1], away[:, 0]) - play.facing[frame]
    elevation = np.arctan2(camera.position[2] - 0.9, np.sqrt((away**2).sum(axis=1)))
    return _Moment(
        feet,
        camera.focal / np.where(ahead, depth, 1.0),
        np.round(heading / (2 * math.pi) * HEADINGS).astype(np.int64) % HEADINGS,
        np.round(elevation * TILTS).astype(np.int64),
        elevation,
        ahead,
    )


@lru_cache(maxsize=60_000)
def _reach_of(stance: Stance, seed: int, gait: Gait, heading: int, tilt: int) -> FloatArray:
    """x, y, w, h of a body of height 1 whose feet are at the origin."""
    joints = skeleton(stance.pose(seed, gait)).joints
    turn, rise = heading * 2 * math.pi / HEADINGS, tilt / TILTS
    right = joints @ np.array([math.cos(turn), math.sin(turn), 0.0])
    towards = joints @ np.array([-math.sin(turn), math.cos(turn), 0.0])
    down = towards * math.sin(rise) - joints[:, 2] * math.cos(rise)
    low = np.array([(right - _REACH).min(), (down - _REACH).min()])
    high = np.array([(right + _REACH).max(), (down + _REACH).max()])
    return np.concatenate([low, high - low])
