"""From found players to what trains the ordinary small detector: clean pictures, cut out players."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.geometry.boxes import ious
from filmroom.observe.detector import LONG_SIDE
from filmroom.train.paste import Cutout
from filmroom.train.schedule import load_checkpoint, save_checkpoint
from filmroom.train.unlabelled.footage import Span, frames_of_spans

Pictures = NDArray[np.uint8]
Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BALL = 1
_SILENT = -12.0  # logit of a kind that was never learnt
_FEATHER = 2.0
_WORTH_A_JUMP = 20.0  # seconds that are rather jumped over than decoded
_GROWN = 7  # pixels of the small picture by which doubtful regions are painted over


@dataclass(frozen=True)
class FoundFrame:
    """What is known of one frame, in pixels of the small picture.

    frame
        Index in the video.
    sure
        (N, 4) boxes of players that are believed.
    alone
        (N,) whether nothing else touches that player: he can be cut out.
    mask
        (h, w) all that may be a player.
    empty
        (h, w, 3) the place without anybody.
    time
        Seconds from the video's start, where known.
    """

    frame: int
    sure: Boxes
    alone: Mask
    mask: Mask
    empty: Pictures
    time: float = 0.0


def write_pictures(
    video: Path, found: Sequence[FoundFrame], folder: Path, stem: str
) -> tuple[list[dict[str, object]], list[Cutout]]:
    """Write the frames as clean training pictures; COCO rows (with boxes) and the cut out players.

    Whatever might be a player and is not believed is painted over with the empty place, so that nobody
    unlabelled is left.
    """
    rows: list[dict[str, object]] = []
    cutouts: list[Cutout] = []
    for picture, here in _frames_of(video, found):
        share = picture.shape[1] / here.mask.shape[1]
        doubtful = _doubtful(here)
        clean = _painted_over(picture, doubtful, here.empty)
        name = f"{stem}-{here.frame:06d}.jpg"
        cv2.imwrite(str(folder / name), clean[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 93])
        boxes = here.sure * share
        rows.append(
            {
                "file_name": name,
                "width": clean.shape[1],
                "height": clean.shape[0],
                "boxes": boxes.tolist(),
            }
        )
        for box in here.sure[here.alone]:
            cutout = _cut_out(picture, here.mask, box, share)
            if cutout is not None:
                cutouts.append(cutout)
    return rows, cutouts


def _frames_of(video: Path, found: Sequence[FoundFrame]) -> Iterator[tuple[Pictures, FoundFrame]]:
    wanted = {each.frame: each for each in found}
    spans: list[Span] = []
    for each in sorted(found, key=lambda one: one.frame):
        if spans and each.time - wanted[spans[-1].last].time < _WORTH_A_JUMP:
            spans[-1] = spans[-1]._replace(last=each.frame)
        else:
            spans.append(Span(each.frame, each.time, each.frame))
    for _, frame in frames_of_spans(video, spans):
        here = wanted.get(frame.index)
        if here is not None:
            height, width = frame.pixels.shape[:2]
            share = min(1.0, LONG_SIDE / max(width, height))
            size = (round(width * share), round(height * share))
            method = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
            yield np.asarray(cv2.resize(frame.pixels, size, interpolation=method), np.uint8), here


def _doubtful(here: FoundFrame) -> Mask:
    """What may be a player but lies in no believed box."""
    rest = here.mask.astype(np.uint8)
    keep = np.zeros(rest.shape, np.uint8)
    for x, y, w, h in here.sure:
        cv2.rectangle(keep, (int(x) - 1, int(y) - 1), (int(x + w) + 1, int(y + h) + 1), 1, cv2.FILLED)
    rest[keep > 0] = 0
    opened = cv2.morphologyEx(rest, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    grown = cv2.dilate(opened, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GROWN, _GROWN + 4)))
    grown[keep > 0] = 0
    return grown > 0


def _painted_over(picture: Pictures, where: Mask, empty: Pictures) -> Pictures:
    size = (picture.shape[1], picture.shape[0])
    alpha = cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    alpha = cv2.GaussianBlur(alpha, (0, 0), _FEATHER)[:, :, None]
    behind = cv2.resize(empty, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.rint(alpha * behind + (1 - alpha) * picture), np.uint8)


def _cut_out(picture: Pictures, mask: Mask, box: Boxes, share: float) -> Cutout | None:
    height, width = mask.shape
    x, y, w, h = box
    if x < 2 or y < 2 or x + w > width - 2 or y + h > height - 2:
        return None
    left, top, right, bottom = round(x), round(y), round(x + w), round(y + h)
    small = mask[top:bottom, left:right].astype(np.float32)
    if small.size == 0 or not 0.28 < small.mean() < 0.85:
        return None
    part = picture[
        round(top * share) : round(bottom * share), round(left * share) : round(right * share)
    ]
    if part.shape[0] < 16 or part.shape[1] < 6:
        return None
    alpha = cv2.resize(small, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)
    alpha = np.clip((alpha - 0.3) / 0.4, 0, 1)
    return Cutout(
        part.copy(), np.rint(alpha * 255).astype(np.uint8), (part.shape[1] / 2, float(part.shape[0]))
    )


def write_coco(folder: Path, rows: Sequence[dict[str, object]]) -> None:
    """`annotations/train.json` for pictures that lie in `folder/train`."""
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for index, row in enumerate(rows):
        images.append({"id": index, **{name: row[name] for name in ("file_name", "width", "height")}})
        boxes = row["boxes"]
        assert isinstance(boxes, list)
        annotations += [
            {"id": len(annotations) + n, "image_id": index, "category_id": 1, "bbox": box}
            for n, box in enumerate(boxes)
        ]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "player"}],
    }
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    aside = folder / "annotations" / "train.partial"
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.replace(folder / "annotations" / "train.json")


def silence_ball(weights: Path) -> None:
    """Nothing was learnt about the ball: its heat is fixed low, so that none is ever claimed."""
    state = load_checkpoint(weights)
    assert state is not None
    state["net"]["out.weight"][_BALL] = 0.0
    state["net"]["out.bias"][_BALL] = _SILENT
    save_checkpoint(weights, state)


def alone_of(boxes: Boxes, others: Boxes) -> Mask:
    """(N,) which boxes touch none of `others` but themselves."""
    if not len(others):
        return np.ones(len(boxes), bool)
    return np.asarray((ious(boxes, others) > 0.02).sum(axis=1) <= 1)
