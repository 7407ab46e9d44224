"""Camera motion and shots of a video whose people were found elsewhere: no detector runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.observe.camera_motion import estimate_motion, grey_size
from filmroom.observe.shots import ShotDetector
from filmroom.tables import MOTION, boxes_of
from filmroom.video.decode import read_frames
from filmroom.video.probe import probe

Matrix = NDArray[np.float64]
Looked = tuple[pa.Table, pa.Table, NDArray[np.int64], float]


def camera_of_video(path: Path) -> Callable[[pa.Table], Looked]:
    """What looks at a video, given the DETECTIONS of its people (which are no background).

    It returns MOTION, SHOTS, the indices (F,) of all frames, and frames a second. InputError where
    the file is no video.
    """
    facts = probe(path)

    def look(people: pa.Table) -> Looked:
        order = np.argsort(people["frame"].to_numpy(), kind="stable")
        owner, boxes = people["frame"].to_numpy()[order], boxes_of(people)[order]
        shots = ShotDetector()
        size = grey_size(facts.width, facts.height)
        frames: list[int] = []
        matrices: list[list[float] | None] = []
        shares: list[float | None] = []
        before: NDArray[np.uint8] | None = None
        for frame in read_frames(path, size=size):
            grey = frame.grey(*size)
            share = None
            matrix = None
            if before is not None:
                start, end = np.searchsorted(owner, [frames[-1], frames[-1] + 1])
                motion = estimate_motion(before, grey, boxes[start:end], facts.width)
                share = motion.inliers
                matrix = None if motion.matrix is None else motion.matrix.ravel().tolist()
            shots.update(frame.index, grey, share)
            frames.append(frame.index)
            matrices.append(matrix)
            shares.append(share)
            before = grey
        found = shots.finish()
        firsts = set(found["first_frame"].to_pylist())
        across = [None if frame in firsts else row for frame, row in zip(frames, matrices, strict=True)]
        motions = MOTION.build(
            {
                "frame": frames,
                "matrix": pa.array(across, MOTION.schema.field("matrix").type),
                "inliers": shares,
            }
        )
        return motions, found, np.array(frames, np.int64), facts.fps

    return look


class CameraOfPictures:
    """The camera's motion from picture to picture, for those who hold the pictures themselves."""

    def __init__(self) -> None:
        self._grey: NDArray[np.uint8] | None = None

    def update(self, picture: NDArray[Any], people: NDArray[np.floating]) -> Matrix | None:
        """Homography (3, 3) from the picture before to this one (H, W, 3; RGB, or (H, W) grey).

        `people` (N, 4) are boxes x, y, w, h of the picture before, which are no background. None for
        the first picture, after a change of size, and where the motion cannot be told.
        """
        size = grey_size(picture.shape[1], picture.shape[0])
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        colour = small.ndim == 3
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if colour else small, np.uint8)
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape:
            return None
        return estimate_motion(before, grey, people, picture.shape[1]).matrix
