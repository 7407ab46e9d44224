"""A contact sheet: a grid of pictures to look at a result at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError, MachineError
from filmroom.video.decode import Reader

Bytes = NDArray[np.uint8]

_GAP = 4
_GROUND = 24
_CAPTION = 18


def contact_sheet(
    pictures: Sequence[Bytes],
    *,
    columns: int = 4,
    width: int = 480,
    captions: Sequence[str] = (),
) -> Bytes:
    """RGB pictures (H, W, 3) or grey ones (H, W), of any sizes, in a grid of cells `width` pixels wide.

    Cells are as tall as the tallest scaled picture; a caption, where given, stands under its picture.
    """
    if not len(pictures):
        raise InputError("a contact sheet needs at least one picture")
    columns = max(1, min(columns, len(pictures)))
    shown = [_scaled(picture, width) for picture in pictures]
    caption = _CAPTION if captions else 0
    height = max(picture.shape[0] for picture in shown) + caption
    rows = -(-len(shown) // columns)
    sheet = np.full(
        (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _GROUND, dtype=np.uint8
    )
    for place, picture in enumerate(shown):
        top = _GAP + place // columns * (height + _GAP)
        left = _GAP + place % columns * (width + _GAP)
        sheet[top : top + picture.shape[0], left : left + width] = picture
        if place < len(captions):
            foot = (left + 2, top + picture.shape[0] + _CAPTION - 5)
            cv2.putText(
                sheet,
                captions[place],
                foot,
                cv2.FONT_HERSHEY_SIMPLEX,
                0.42,
                (230, 230, 230),
                1,
                cv2.LINE_AA,
            )
    return sheet


def video_sheet(path: Path | str, *, count: int = 12, columns: int = 4, width: int = 480) -> Bytes:
    """A contact sheet of `count` frames spread evenly over a video, captioned with frame and time."""
    kept: list[tuple[int, float, Bytes]] = []
    every = 1
    for frame in Reader(path, threads=1):
        if frame.index % every:
            continue
        kept.append((frame.index, frame.time, _scaled(frame.pixels, width)))
        if len(kept) >= 2 * count:  # thin out as the video turns out longer, so memory stays small
            kept = kept[::2]
            every *= 2
    places = np.unique(np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int))
    chosen = [kept[place] for place in places]
    captions = [f"frame {index}  {time:.2f} s" for index, time, _ in chosen]
    return contact_sheet(
        [pixels for _, _, pixels in chosen], columns=columns, width=width, captions=captions
    )


def write_png(path: Path | str, pixels: Bytes) -> None:
    """An RGB picture as PNG. MachineError where it cannot be written."""
    done, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    try:
        if done:
            Path(path).write_bytes(encoded.tobytes())
    except OSError as error:
        raise MachineError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from None


def _scaled(picture: Bytes, width: int) -> Bytes:
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    method = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=method).astype(
        np.uint8, copy=False
    )
