"""Short trails behind the ball and the feet, kept on the ground while the camera moves."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEET_SECONDS = 0.8
_BALL_SECONDS = 1.0
_POINTS_A_SECOND = 12.5
_LONGEST_ABSENCE = 0.3  # seconds; a trail does not bridge more
_SHORTEST_SHARE = 0.25  # of the person's height; standing still leaves no trail


class Line(NamedTuple):
    """A trail, oldest point first, (N, 2) in pixels of the present frame."""

    track: int
    points: Floats


class Step(NamedTuple):
    """The trails of one frame, and whether a cut lies before it."""

    feet: list[Line]
    ball: list[Line]
    after_cut: bool


class Trails:
    """Follows the points of every track; call `step` for each frame in order."""

    def __init__(self, motion: pa.Table | None, fps: float) -> None:
        self._motion = _matrices(motion)
        self._every = max(1, round(fps / _POINTS_A_SECOND))
        self._feet_frames = round(_FEET_SECONDS * fps)
        self._ball_frames = round(_BALL_SECONDS * fps)
        self._absence_frames = max(1, round(_LONGEST_ABSENCE * fps))
        self._points: dict[int, deque[tuple[int, float, float]]] = {}

    def step(
        self,
        frame: int,
        tracks: NDArray[np.integer],
        feet: Floats,
        is_ball: NDArray[np.bool_],
        boxes: Floats,
    ) -> Step:
        """Take in the places of one frame and give its trails."""
        after_cut = self._carry(frame)
        feet_lines, ball_lines = [], []
        for row, track in enumerate(tracks.tolist()):
            ball = bool(is_ball[row])
            x, y = boxes[row, :2] + boxes[row, 2:] / 2 if ball else feet[row]
            kept = self._points.setdefault(track, deque())
            if kept and frame - kept[-1][0] > self._absence_frames:
                kept.clear()
            oldest = frame - (self._ball_frames if ball else self._feet_frames)
            while kept and kept[0][0] < oldest:
                kept.popleft()
            if len(kept) > 1 and kept[-1][0] - kept[-2][0] < self._every:
                kept.pop()
            kept.append((frame, float(x), float(y)))
            if len(kept) < 3:
                continue
            points = np.array([(px, py) for _, px, py in kept])
            if ball:
                ball_lines.append(Line(track, points))
            elif np.ptp(points, axis=0).max() > _SHORTEST_SHARE * boxes[row, 3]:
                feet_lines.append(Line(track, points))
        return Step(feet_lines, ball_lines, after_cut)

    def _carry(self, frame: int) -> bool:
        """Move all points by the camera's motion into this frame; at a cut forget them."""
        gone = [
            track for track, kept in self._points.items() if kept[-1][0] < frame - self._ball_frames
        ]
        for track in gone:
            del self._points[track]
        if self._motion is None or not self._points:
            return False
        matrix = self._motion.get(frame)
        if matrix is None:
            self._points.clear()
            return True
        for track, kept in self._points.items():
            places = np.array([(x, y, 1.0) for _, x, y in kept]) @ matrix.T
            with np.errstate(divide="ignore", invalid="ignore"):
                places = places[:, :2] / places[:, 2:]
            if not np.isfinite(places).all() or np.abs(places).max() > 1e5:
                kept.clear()
                kept.append((-1, 0.0, 0.0))
                continue
            self._points[track] = deque(
                (when, x, y) for (when, _, _), (x, y) in zip(kept, places.tolist(), strict=True)
            )
        return False


def _matrices(motion: pa.Table | None) -> dict[int, Floats] | None:
    if motion is None or not motion.num_rows:
        return None
    rows = zip(motion["frame"].to_pylist(), motion["matrix"].to_pylist(), strict=True)
    return {frame: np.array(matrix).reshape(3, 3) for frame, matrix in rows if matrix is not None}
