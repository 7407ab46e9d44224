"""Camera motion and shots of a video whose people were found elsewhere: no detector runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.observe.camera_motion import estimate_motion, grey_size
from filmroom.observe.shots import ShotDetector
from filmroom.tables import MOTION, boxes_of
from filmroom.video.decode import read_frames
from filmroom.video.probe import probe

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
