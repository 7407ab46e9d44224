"""Looks at every frame once: people, ball, silhouettes, kits, looks, numbers, camera motion.

The detector looks at key frames only, about every 0.08 s; people in between are carried from the key
frame before to the key frame after by the camera's motion and their own, which at these distances in
time is as exact as detecting them, and half the work. Silhouettes are cut in every frame; what
people look like is described in key frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.geometry import boxes as box_geometry
from filmroom.geometry.homography import transform_boxes
from filmroom.observe.appearance import Appearance, Embedder, KitColours
from filmroom.observe.camera_motion import Motion, estimate_motion, grey_size
from filmroom.observe.decode import Detections
from filmroom.observe.detector import OnnxDetector, PersonDetector
from filmroom.observe.embedding import PersonEmbedder
from filmroom.observe.numbers import NumberReader, OnnxNumberReader, Reads, torso_window
from filmroom.observe.shots import LOOK_SIZE
from filmroom.observe.silhouettes import CropSegmenter, Segmenter, Silhouettes
from filmroom.video.decode import Frame

KEY_INTERVAL = 0.08
"""Seconds between two frames on which the detector runs."""

DETAIL_INTERVAL = 0.2
"""Seconds between two frames in which kits and numbers are looked at."""

PERSON, BALL = 0, 1
_LEAST_READABLE_HEIGHT = 40  # pixels of a person whose number could be read
_LEAST_PERSON_SCORE = 0.5
_LEAST_DOUBTFUL_SCORE = 0.25
_MOST_BALLS = 8  # candidates a frame: a hundred specks would fill the tables of a long match
_GROWN, _LEAST_OVERLAP = 0.25, 0.2  # of the boxes of one person in two key frames
_ONE_SIDED = 0.6  # what a box seen in only one of two key frames keeps of its score


@dataclass(frozen=True)
class Parts:
    """The replaceable parts of looking."""

    detector: PersonDetector
    segmenter: Segmenter
    embedder: Embedder
    reader: NumberReader
    persons: Embedder

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Parts:
        """The shipped parts; networks in `folder` take the place of those of the same name."""
        return cls(
            OnnxDetector(
                people_threshold=_LEAST_PERSON_SCORE,
                doubtful_threshold=_LEAST_DOUBTFUL_SCORE,
                most_balls=_MOST_BALLS,
                parts=folder,
            ),
            CropSegmenter(parts=folder),
            KitColours(),
            OnnxNumberReader(parts=folder),
            PersonEmbedder(parts=folder),
        )


class Observation(NamedTuple):
    """All that was seen in one frame; row i of `found` and `silhouettes` is the same detection.

    `embedded` are rows of `found` whose person was described (`persons`), `details` rows whose kit
    (`kits`) and number (`reads`) were looked at, both empty in most frames; the boxes of `reads` are in
    full-picture pixels. `motion` is None in the first frame; `look` is the tiny picture that shots are
    found from.
    """

    frame: int
    time: float
    found: Detections
    silhouettes: Silhouettes
    embedded: NDArray[np.intp]
    persons: Appearance
    details: NDArray[np.intp]
    kits: Appearance
    readers: NDArray[np.intp]
    reads: Reads
    motion: Motion | None
    look: NDArray[np.uint8]


def key_stride(fps: float) -> int:
    """Every how many frames the detector looks, for frames arriving at `fps`."""
    return max(1, round(KEY_INTERVAL * fps))


def detail_stride(fps: float) -> int:
    """Every how many frames kits and numbers are looked at: a multiple of the key stride."""
    key = key_stride(fps)
    return key * max(1, round(DETAIL_INTERVAL * fps / key))


@dataclass
class _Slot:
    """One frame on its way through the observer."""

    frame: Frame
    ordinal: int
    grey: Future[NDArray[np.uint8]]
    detection: Future[Detections] | None
    motion: Future[Motion] | None = None
    found: Detections | None = None
    closer: Future[Observation] | None = None


@dataclass
class _Group:
    """A key frame and the frames up to the next one."""

    slots: list[_Slot] = field(default_factory=list)


class Observer:
    """Streams frames through the parts with `threads` workers; the result does not depend on them."""

    def __init__(self, parts: Parts, *, fps: float, threads: int = 2) -> None:
        self.parts = parts
        self.key_stride = key_stride(fps)
        self.detail_stride = detail_stride(fps)
        self.threads = threads

    def observe(
        self, frames: Iterable[Frame], *, first_ordinal: int = 0, before: Frame | None = None
    ) -> Iterator[Observation]:
        """Observations in the order of the frames.

        To continue an interrupted run give the ordinal of its first missing frame, a multiple of
        `key_stride`, and the frame `before` it, which motion is measured from.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                yield from self._flow(pool, frames, first_ordinal, before)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _flow(
        self,
        pool: ThreadPoolExecutor,
        frames: Iterable[Frame],
        first_ordinal: int,
        before: Frame | None,
    ) -> Iterator[Observation]:
        # Three queues, each a group behind the last, so that the workers always have something to do:
        # detect -> measure motion -> look closer.
        detecting: deque[_Group] = deque()
        moving: deque[_Group] = deque()
        closing: deque[_Group] = deque()
        last = None if before is None else _Slot(before, first_ordinal - 1, _grey(pool, before), None)
        for ordinal, frame in enumerate(frames, first_ordinal):
            is_key = ordinal % self.key_stride == 0
            detection = pool.submit(self.parts.detector.detect, frame.pixels) if is_key else None
            slot = _Slot(frame, ordinal, _grey(pool, frame), detection)
            if is_key:
                detecting.append(_Group())
            detecting[-1].slots.append(slot)
            if is_key and len(detecting) > 2:
                last = self._measure_motion(pool, detecting, moving, last)
                self._look_closer(pool, moving, closing, following=True)
                yield from self._collect(closing, keep=1)
        while detecting:
            last = self._measure_motion(pool, detecting, moving, last)
            self._look_closer(pool, moving, closing, following=True)
            yield from self._collect(closing, keep=1)
        self._look_closer(pool, moving, closing, following=False)
        yield from self._collect(closing, keep=0)

    def _measure_motion(
        self,
        pool: ThreadPoolExecutor,
        detecting: deque[_Group],
        moving: deque[_Group],
        last: _Slot | None,
    ) -> _Slot | None:
        group = detecting.popleft()
        key = group.slots[0]
        assert key.detection is not None
        key.found = key.detection.result()
        people = key.found.boxes[key.found.kinds == PERSON]
        for slot in group.slots:
            if last is not None:
                width = slot.frame.pixels.shape[1]
                slot.motion = pool.submit(
                    estimate_motion, last.grey.result(), slot.grey.result(), people, width
                )
            last = slot
        moving.append(group)
        return last

    def _look_closer(
        self,
        pool: ThreadPoolExecutor,
        moving: deque[_Group],
        closing: deque[_Group],
        *,
        following: bool,
    ) -> None:
        """Hand on all groups whose next key frame is known; at the end (`following` False) all."""
        while len(moving) > (1 if following else 0):
            group = moving.popleft()
            upcoming = moving[0].slots[0] if moving else None
            fill_between(group.slots, upcoming)
            for slot in group.slots:
                slot.closer = pool.submit(self._observe_one, slot)
            closing.append(group)

    @staticmethod
    def _collect(closing: deque[_Group], keep: int) -> Iterator[Observation]:
        while len(closing) > keep:
            for slot in closing.popleft().slots:
                assert slot.closer is not None
                yield slot.closer.result()

    def _observe_one(self, slot: _Slot) -> Observation:
        picture, found = slot.frame.pixels, slot.found
        assert found is not None
        people = np.flatnonzero(found.kinds == PERSON)
        silhouettes = self.parts.segmenter.segment(picture, found.boxes[people])
        nothing = np.zeros(0, np.intp)
        embedded = people if slot.ordinal % self.key_stride == 0 else nothing
        persons = self.parts.persons.describe(
            picture, found.boxes[embedded], silhouettes.masks if len(embedded) else []
        )
        details = people if slot.ordinal % self.detail_stride == 0 else nothing
        rows = np.arange(len(details))
        kits = self.parts.embedder.describe(
            picture, found.boxes[details], [silhouettes.masks[row] for row in rows]
        )
        readable = details[found.boxes[details, 3] >= _LEAST_READABLE_HEIGHT]
        reads = self._read_numbers(picture, found.boxes[readable])
        return Observation(
            slot.frame.index,
            slot.frame.time,
            found,
            silhouettes,
            embedded,
            persons,
            details,
            kits,
            readable,
            reads,
            slot.motion.result() if slot.motion is not None else None,
            slot.frame.grey(*LOOK_SIZE),
        )

    def _read_numbers(self, picture: NDArray[np.uint8], boxes: NDArray[np.floating]) -> Reads:
        height, width = picture.shape[:2]
        windows = box_geometry.clip(torso_window(boxes), width, height)
        crops, origins = [], np.zeros((len(windows), 2))
        for index, (x, y, w, h) in enumerate(windows):
            left, top = int(x), int(y)
            crops.append(picture[top : max(top + 1, int(y + h)), left : max(left + 1, int(x + w))])
            origins[index] = left, top
        reads = self.parts.reader.read(crops)
        placed = reads.boxes.copy()
        placed[:, :2] += origins
        return reads._replace(boxes=placed)


def _grey(pool: ThreadPoolExecutor, frame: Frame) -> Future[NDArray[np.uint8]]:
    height, width = frame.pixels.shape[:2]
    return pool.submit(frame.grey, *grey_size(width, height))


def fill_between(slots: Sequence[_Slot], upcoming: _Slot | None) -> None:
    """Give the frames after a key frame their people, from it and from the next key frame.

    A person seen in both moves evenly between them, on top of the camera's motion; one seen in only
    one of them is carried by the camera's motion with less trust; nobody is carried across a cut. The
    ball is not carried: it is too fast, and following it fills the gap.
    """
    before = _people(slots[0].found)
    after = _people(upcoming.found if upcoming is not None else None)
    forward = _chain([slot.motion for slot in slots[1:]])
    whole = [*(slot.motion for slot in slots[1:]), upcoming.motion if upcoming is not None else None]
    to_next = _chain(whole)[-1]
    backward = _chain_back(whole)
    rows = columns = np.zeros(0, np.intp)
    returned: NDArray[np.floating] = after.boxes
    if to_next is not None:
        rows, columns = _pair(transform_boxes(to_next, before.boxes), after.boxes)
        returned = transform_boxes(np.linalg.inv(to_next), after.boxes)
    only_before = before.take(np.setdiff1d(np.arange(len(before.boxes)), rows)).scaled(_ONE_SIDED)
    only_after = after.take(np.setdiff1d(np.arange(len(after.boxes)), columns)).scaled(_ONE_SIDED)
    for position, slot in enumerate(slots[1:], 1):
        share = position / len(slots)
        ahead, behind = forward[position - 1], backward[position]
        seen = []
        if ahead is not None and to_next is not None:
            blended = Detections(
                (1 - share) * before.boxes[rows] + share * returned[columns],
                (1 - share) * before.scores[rows] + share * after.scores[columns],
                before.kinds[rows],
                (1 - share) * before.roles[rows] + share * after.roles[columns],
                (1 - share) * before.heads[rows] + share * after.heads[columns],
            )
            seen.append(_moved(blended, ahead))
        if ahead is not None:
            seen.append(_moved(only_before, ahead))
        if behind is not None:
            seen.append(_moved(only_after, behind))
        height, width = slot.frame.pixels.shape[:2]
        slot.found = _cut_at_border(Detections.concatenate(seen), width, height)


def _pair(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the best one-to-one pairing by overlap of slightly grown boxes."""
    first, second = box_geometry.expand(first, _GROWN), box_geometry.expand(second, _GROWN)
    return box_geometry.pair_by_overlap(first, second, _LEAST_OVERLAP)


def _people(found: Detections | None) -> Detections:
    return Detections.nothing() if found is None else found.take(found.kinds == PERSON)


def _moved(found: Detections, matrix: NDArray[np.float64]) -> Detections:
    return found._replace(boxes=transform_boxes(matrix, found.boxes).astype(np.float32))


def _cut_at_border(found: Detections, width: int, height: int) -> Detections:
    cut = found.cut(width, height)
    return cut.take((cut.boxes[:, 2] >= 1) & (cut.boxes[:, 3] >= 1))


def _chain(motions: Sequence[Future[Motion] | None]) -> list[NDArray[np.float64] | None]:
    """Maps from the first frame to each of those after it; None from the first unknown step on."""
    chain: list[NDArray[np.float64] | None] = []
    total: NDArray[np.float64] | None = np.eye(3)
    for motion in motions:
        step = None if motion is None else motion.result().matrix
        total = None if step is None or total is None else step @ total
        chain.append(total)
    return chain


def _chain_back(motions: Sequence[Future[Motion] | None]) -> list[NDArray[np.float64] | None]:
    """Maps from the last frame back to each of those before it, in the order of the frames."""
    chain: list[NDArray[np.float64] | None] = []
    total: NDArray[np.float64] | None = np.eye(3)
    for motion in reversed(motions):
        step = None if motion is None else motion.result().matrix
        total = None if step is None or total is None else np.linalg.inv(step) @ total
        chain.append(total)
    return chain[::-1]
