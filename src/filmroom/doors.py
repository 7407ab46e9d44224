"""Building blocks for engineers: arrays in, tables out. Pictures are RGB uint8 arrays (H, W, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.observe.decode import detections_table
from filmroom.observe.detector import OnnxDetector
from filmroom.observe.numbers import OnnxNumberReader
from filmroom.observe.silhouettes import CropSegmenter

_THREADS = 2
_detector = cache(lambda: OnnxDetector(threshold=0.05, threads=_THREADS))
_segmenter = cache(lambda: CropSegmenter(threads=_THREADS))
_reader = cache(lambda: OnnxNumberReader(threads=_THREADS))


def detect(images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> pa.Table:
    """People, ball and hoop in pictures: a DETECTIONS table; `frame` is the place in the sequence."""
    pictures = _checked(images)
    found = [_detector().detect(picture) for picture in pictures]
    return detections_table(range(len(found)), found)


def segment(image: NDArray[np.uint8], boxes: NDArray[np.floating]) -> list[NDArray[np.bool_]]:
    """Silhouettes of the people in `boxes` (N, 4) x, y, w, h; each on its box's own crop.

    The crop's pixels are floor(x)..ceil(x + w) by floor(y)..ceil(y + h), cut at the picture's border.
    """
    return list(_segmenter().segment(_checked(image)[0], np.asarray(boxes, float).reshape(-1, 4)).masks)


def read_numbers(crops: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> pa.Table:
    """The shirt number in each crop: columns text (empty where none is legible), score, legible.

    One row a crop, in order. A crop may hold a torso or a number alone.
    """
    reads = _reader().read(_checked(crops))
    return pa.table(
        {
            "text": pa.array(reads.text, pa.string()),
            "score": pa.array(reads.score, pa.float32()),
            "legible": pa.array(reads.legible, pa.float32()),
        }
    )


def _checked(images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    pictures = [images] if isinstance(images, np.ndarray) and images.ndim == 3 else list(images)
    for index, picture in enumerate(pictures):
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3:
            got = getattr(picture, "shape", type(picture).__name__)
            raise InputError(f"picture {index}: expected an RGB uint8 array (H, W, 3), got {got}")
        if picture.shape[2] != 3 or 0 in picture.shape:
            raise InputError(f"picture {index}: expected shape (H, W, 3), got {picture.shape}")
    return pictures
