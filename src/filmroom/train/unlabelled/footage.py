"""The pictures that are learnt from: small frames of the shots of some videos, thinned evenly."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.observe.shots import LOOK_SIZE, ShotDetector
from filmroom.video.decode import Frame, Reader, can_jump
from filmroom.video.probe import probe

log = logging.getLogger(__name__)

Pictures = NDArray[np.uint8]

SMALL_SIDE = 640
"""Longer side of the pictures that motion is learnt from, pixels."""

LEAST_SECONDS = 2.0
"""A shot shorter than this shows too little motion to learn from."""

_SLIDES_CHANGE = 0.35  # mean grey levels between neighbours below which nothing moves at all


@dataclass(frozen=True)
class Shot:
    """Some frames of one shot of one video.

    frames
        (T,) indices in the video, rising.
    times
        (T,) seconds from the video's start.
    pixels
        (T, h, w, 3) RGB, the longer side at most `SMALL_SIDE`.
    scale
        Pixels of the video for one of these.
    """

    video: Path
    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    pixels: Pictures
    scale: float

    @property
    def name(self) -> str:
        """Says which shot this is, in files and messages."""
        return f"{self.video.stem}-{int(self.frames[0])}"

    @property
    def rate(self) -> float:
        """Frames a second."""
        return (len(self.times) - 1) / max(1e-6, float(self.times[-1] - self.times[0]))


@dataclass(frozen=True)
class Footage:
    """All shots long enough to learn from, and one line on each thing that was left out."""

    shots: list[Shot]
    remarks: list[str]

    @property
    def seconds(self) -> float:
        """How much time the shots cover."""
        return float(sum(shot.times[-1] - shot.times[0] for shot in self.shots))


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the small pictures of a video of this size."""
    share = min(1.0, SMALL_SIDE / max(width, height))
    return max(8, round(width * share)), max(8, round(height * share))


def read_footage(
    videos: Sequence[Path], *, rate: float = 12.5, most_frames: int = 1000, window: float = 10.0
) -> Footage:
    """Read the videos, thinned to `rate` frames a second and `most_frames` in all.

    Where that is less than there is, stretches of `window` seconds are taken at equal distances.
    InputError where a file is no video, or where nothing is left to learn from: that message says why.
    """
    facts = [probe(video) for video in videos]
    seconds = [max(each.duration or 0.0, 1e-3) for each in facts]
    share = min(1.0, most_frames / (rate * sum(seconds)))
    shots: list[Shot] = []
    remarks: list[str] = []
    for video, of_video, length in zip(videos, facts, seconds, strict=True):
        spans = _stretches(length, share, window, of_video.fps)
        found, said = _shots_of(video, rate, spans)
        shots += found
        remarks += said
    if not shots:
        raise InputError("nothing to learn from: " + "; ".join(remarks or ["no frames"]))
    return Footage(shots, remarks)


class Span(NamedTuple):
    """Frames `first` to `last` of a video, and the time of the first, seconds."""

    first: int
    time: float
    last: int


def _stretches(seconds: float, share: float, window: float, fps: float) -> list[Span]:
    """The stretches that are read, `share` of the video in all."""
    if share >= 1.0:
        return [Span(0, 0.0, sys.maxsize)]
    length = min(window, seconds * share)
    count = max(1, round(seconds * share / length))
    starts = (np.arange(count) + 0.5) * seconds / count - length / 2
    firsts = [max(0, round(float(start) * fps)) for start in starts]
    return [Span(first, first / fps, first + max(1, round(length * fps)) - 1) for first in firsts]


def frames_of_spans(
    video: Path, spans: Sequence[Span], size: tuple[int, int] | None = None
) -> Iterator[tuple[int, Frame]]:
    """Every frame of the spans, in order, with its span's number.

    What lies between is jumped over where the file allows, else decoded and passed over.
    """
    if not spans:
        return
    if can_jump(video, spans[-1].first, spans[-1].time):
        for number, span in enumerate(spans):
            for frame in Reader(video, start=span.first, start_time=span.time, size=size):
                if frame.index > span.last:
                    break
                yield number, frame
        return
    number = 0
    for frame in Reader(video, size=size):
        while frame.index > spans[number].last:
            number += 1
            if number == len(spans):
                return
        if frame.index >= spans[number].first:
            yield number, frame


def _shots_of(video: Path, rate: float, spans: list[Span]) -> tuple[list[Shot], list[str]]:
    facts = probe(video)
    size = small_size(facts.width, facts.height)
    finders: list[ShotDetector] = []
    kept: list[tuple[int, float, Pictures, int]] = []
    due = 0.0
    for number, frame in frames_of_spans(video, spans, size):
        if number >= len(finders):
            finders += [ShotDetector() for _ in range(number + 1 - len(finders))]
            due = frame.time
        finders[number].update(frame.index, frame.grey(*LOOK_SIZE))
        if frame.time + 1e-6 >= due:
            kept.append((frame.index, frame.time, frame.pixels.copy(), number))
            due = max(due + 1 / rate, frame.time - 0.5 / rate)
    firsts = [each.finish()["first_frame"].to_numpy() for each in finders]
    cuts = np.concatenate(firsts) if firsts else np.zeros(0, np.int64)
    return _grouped(video, kept, cuts, facts.width / size[0])


def _grouped(
    video: Path,
    kept: list[tuple[int, float, Pictures, int]],
    cuts: NDArray[np.integer],
    scale: float,
) -> tuple[list[Shot], list[str]]:
    shots: list[Shot] = []
    short = still = 0
    indices = np.array([item[0] for item in kept], np.int64)
    owner = np.searchsorted(cuts, indices, side="right") * 100_000 + [item[3] for item in kept]
    for key in np.unique(owner):
        rows = np.flatnonzero(owner == key)
        times = np.array([kept[row][1] for row in rows])
        if len(rows) < 8 or times[-1] - times[0] < LEAST_SECONDS:
            short += 1
            continue
        moving = changing_frames([kept[row][2] for row in rows])
        if moving.sum() < 8:
            still += 1
            continue
        pixels = np.stack([kept[row][2] for row in rows[moving]])
        shots.append(Shot(video, indices[rows[moving]], times[moving], pixels, scale))
        for row in rows.tolist():
            kept[row] = (*kept[row][:2], pixels[:0], kept[row][3])  # not twice in memory
    remarks = []
    if short:
        remarks.append(f"{video.name}: {short} shots of less than {LEAST_SECONDS:g} s left out")
    if still:
        remarks.append(f"{video.name}: {still} shots in which nothing moves left out")
    if not kept:
        remarks.append(f"{video.name}: no frames")
    return shots, remarks


def changing_frames(pixels: Sequence[Pictures] | Pictures) -> NDArray[np.bool_]:
    """(T,) which frames differ from the one before: repeated ones and slides say nothing of motion."""
    grey = [cv2.resize(each, (160, 90), interpolation=cv2.INTER_AREA).mean(axis=2) for each in pixels]
    change = [float(np.abs(now - before).mean()) for before, now in itertools.pairwise(grey)]
    return np.array([True, *(value > _SLIDES_CHANGE for value in change)])
