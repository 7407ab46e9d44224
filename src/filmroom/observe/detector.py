"""People, ball and hoop in one picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom import models
from filmroom.geometry import boxes as box_geometry
from filmroom.observe.ball import BallJudge, OnnxBallJudge
from filmroom.observe.crowds import WINDOW, Window, look_closer
from filmroom.observe.decode import KINDS, Detections, decode

LONG_SIDE = 1280
"""The longer side of a picture as the detector sees it, at most, pixels."""

LEAST_SURE_SCORE = 0.28
"""Score from which an observed person was sure in at least one of two key frames."""

_MULTIPLE = 32
_FILL = 114
_LOOKED_AT = 16  # candidates for the ball that get a second look, best first
_BALL_IOU = 0.3  # overlap from which two of them are the same ball
_PERSON, _BALL = KINDS.index("person"), KINDS.index("ball")
_DOUBTFUL = 0.5  # what a doubtful person keeps of its score, to be told from surer ones later
_LONE = 0.1  # most overlap, over the smaller box, of a doubtful person with a surer one
_CLOSE = 1 / 3  # share of the picture's height from which people are seen from close by
_SURE = 0.5  # score from which such people are believed, and those who are known already
_SMALLER = 4  # times that the picture is made smaller to see them whole
_PART = 0.6  # share of a box within that of somebody close by from which it is part of them
_SAME = 0.5  # overlap with one found already from which somebody close by is that person


class PersonDetector(Protocol):
    """Anything that finds people, the ball and the hoop in an RGB picture (H, W, 3)."""

    def detect(self, picture: NDArray[np.uint8]) -> Detections:
        """Detections in the picture's own pixels, best score first."""
        ...


class OnnxDetector:
    """The shipped detector; what scores below `threshold` is left out.

    `people_threshold`, where given, is the higher one that people must reach, but for those of at least
    `doubtful_threshold` who stand apart from all surer ones: they are kept with half their score. Of
    balls no more than `most_balls` are kept where that is given. The picture is looked at once more,
    much smaller: people who fill it are otherwise found in pieces.

    People in crowds get a second look from closer by (`observe.crowds`), and so does what may be the
    ball (`observe.ball`), by `judge` or else by the network `ball`, where there is one; it says score
    and box, while it is the first look that must reach `threshold`. Without `second_look` both are left
    as the first look found them.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.1,
        people_threshold: float | None = None,
        doubtful_threshold: float | None = None,
        most_balls: int | None = None,
        threads: int = 1,
        parts: Path | None = None,
        second_look: bool = True,
        judge: BallJudge | None = None,
    ) -> None:
        self.threshold = threshold
        self.people_threshold = threshold if people_threshold is None else people_threshold
        self.doubtful_threshold = doubtful_threshold
        self.most_balls = most_balls
        self._session = models.load("detector", threads, parts)
        self._second_look = second_look
        self._judge = judge
        if judge is None and second_look and models.model_file("ball", parts).exists():
            self._judge = OnnxBallJudge(threads=threads, parts=parts)

    def detect(self, picture: NDArray[np.uint8]) -> Detections:
        """Detections in the picture's own pixels, cut at its border, best score first."""
        height, width = picture.shape[:2]
        scale = input_scale(height, width)
        smaller = self._look(picture, scale / _SMALLER)
        found = with_close_people(self._look(picture, scale), smaller, height)
        if self._second_look:
            found = look_closer(found, scale, (width, height), partial(self._look_into, picture))
        if self._judge is not None:
            found = look_again(picture, found, self._judge)
        found = found.cut(width, height)
        boxes = found.boxes
        kept = (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
        sure = (found.kinds != _PERSON) | (found.scores >= self.people_threshold)
        doubtful = kept & ~sure & self._apart(boxes, found.scores, sure & (found.kinds == _PERSON))
        scores = np.where(doubtful, _DOUBTFUL * found.scores, found.scores).astype(np.float32)
        kept &= sure | doubtful
        if self.most_balls is not None:
            kept[np.flatnonzero(kept & (found.kinds == _BALL))[self.most_balls :]] = False
        kept_ones = found._replace(scores=scores).take(kept)
        return kept_ones.take(np.argsort(-kept_ones.scores, kind="stable"))

    def _look(self, picture: NDArray[np.uint8], scale: float) -> Detections:
        """What the network finds in the picture times `scale`, in the picture's own pixels."""
        return self._found_in(letterbox(picture, scale), scale)

    def _look_into(self, picture: NDArray[np.uint8], window: Window) -> Detections:
        """What the network finds in a window of the picture, in the picture's own pixels."""
        found = self._found_in(cut_window(picture, window), window.scale)
        found.boxes[:, :2] += (window.left, window.top)
        return found

    def _found_in(self, canvas: NDArray[np.uint8], scale: float) -> Detections:
        """What the network finds in a canvas, in pixels of which `scale` make one of the canvas."""
        found = decode(self._session.run(None, {"pixels": canvas[None]})[0][0], self.threshold)
        return found._replace(boxes=(found.boxes / scale).astype(np.float32))

    def _apart(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32], sure: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which boxes reach the threshold of doubtful people and are hardly covered by surer ones."""
        if self.doubtful_threshold is None:
            return np.zeros(len(boxes), bool)
        apart = scores >= self.doubtful_threshold
        if sure.any():
            apart &= box_geometry.overlap_of_smaller(boxes, boxes[sure]).max(axis=1) <= _LONE
        return apart


def cut_window(picture: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    """A window of the picture as the detector sees it, grey outside the picture."""
    # Pixel centres lie at +0.5 in box coordinates but at integers for the warp.
    step = 1 / window.scale
    corner = np.array([window.left, window.top]) + step / 2 - 0.5
    matrix = np.column_stack([step * np.eye(2), corner])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(picture, matrix, WINDOW, flags=flags, borderValue=(_FILL,) * 3)
    return np.asarray(cut)


def with_close_people(found: Detections, smaller: Detections, height: int) -> Detections:
    """What was found, and those who fill much of the picture and are found as a whole in a smaller one.

    Boxes of people that lie within theirs are parts of them and go.
    """
    close = (smaller.kinds == _PERSON) & (smaller.boxes[:, 3] >= _CLOSE * height)
    close &= smaller.scores >= _SURE
    known = found.boxes[(found.kinds == _PERSON) & (found.scores >= _SURE)]
    close &= box_geometry.ious(smaller.boxes, known).max(axis=1, initial=0.0) < _SAME
    if not close.any():
        return found
    whole = smaller.take(close)
    inside = box_geometry.overlap_of_smaller(found.boxes, whole.boxes).max(axis=1) >= _PART
    return Detections.concatenate([found.take((found.kinds != _PERSON) | ~inside), whole])


def look_again(picture: NDArray[np.uint8], found: Detections, judge: BallJudge) -> Detections:
    """The same detections, the best of the balls with boxes and scores of the judge, others gone.

    Candidates that turn out to be the same ball become one. Best score first.
    """
    balls = np.flatnonzero(found.kinds == _BALL)
    if not len(balls):
        return found
    looked_at = balls[np.argsort(-found.scores[balls], kind="stable")[:_LOOKED_AT]]
    looks = judge.judge(picture, found.boxes[looked_at], found.scores[looked_at])
    different = box_geometry.non_maximum_suppression(looks.boxes, looks.scores, _BALL_IOU)
    again = found.take(looked_at)._replace(boxes=looks.boxes, scores=looks.scores).take(different)
    together = Detections.concatenate([found.take(found.kinds != _BALL), again])
    return together.take(np.argsort(-together.scores, kind="stable"))


def input_scale(height: int, width: int) -> float:
    """By how much a picture is shrunk for the detector; it is never enlarged."""
    return min(1.0, LONG_SIDE / max(height, width))


def letterbox(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """The picture scaled into the top left of a grey canvas whose sides are multiples of 32."""
    height, width = picture.shape[:2]
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    padded_width = -(-new_width // _MULTIPLE) * _MULTIPLE
    padded_height = -(-new_height // _MULTIPLE) * _MULTIPLE
    # Averaging over areas costs seven times as much and only matters when shrinking by more than half.
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    resized = picture
    if (new_width, new_height) != (width, height):
        resized = np.asarray(cv2.resize(picture, (new_width, new_height), interpolation=method))
    if (padded_width, padded_height) == (new_width, new_height):
        return np.ascontiguousarray(resized)
    canvas = np.full((padded_height, padded_width, 3), _FILL, np.uint8)
    canvas[:new_height, :new_width] = resized
    return canvas
