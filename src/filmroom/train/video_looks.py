"""People of raw videos as classes: tracklets that surely hold one person, each a class, no labels."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.geometry.masks import decode_rle, windows
from filmroom.observe.embedding import HEIGHT, LEAST_HEIGHT, LEAST_WIDTH, WIDTH, person_crop
from filmroom.observe.observer import Parts
from filmroom.pipeline.observing import (
    Observations,
    begin,
    looked_at_rate,
    observe,
    observe_settings,
)
from filmroom.pipeline.run_folder import RunFolder
from filmroom.tables import boxes_of, detection_keys, rows_of_keys
from filmroom.track.offline import sure_tracklets
from filmroom.train.appearance_pictures import Looks
from filmroom.video.decode import Reader

log = logging.getLogger(__name__)

Ints = NDArray[np.int64]

CLIP_SECONDS = 10.0
"""Longest clip whose frames are one class."""

_LEAST_SECONDS = 0.8  # of a tracklet that is a class
_LEAST_COVER = 0.15  # share of its box that a silhouette fills
_GROUP_EVERY = 2.0  # seconds between the instants at which people are seen together


@dataclass(frozen=True)
class SureLooks:
    """Looks at tracklets, and what they were taken from: how many videos, tracklets and seconds."""

    looks: Looks
    videos: int
    seconds: float


def looks_of_videos(
    videos: Sequence[Path],
    folder: Path,
    *,
    each: int = 24,
    parts: Path | None = None,
    threads: int = 2,
) -> SureLooks:
    """At most `each` looks at every tracklet of the videos that surely holds one person.

    What is seen in the videos is kept under `folder` and taken up again. InputError where a video
    cannot be read, or where all together show too few people to learn from.
    """
    found, seconds = [], 0.0
    for video in videos:
        seen, fps = _observed(video, folder, parts, threads)
        found.append(_looks_of_one(video, seen, fps, each))
        seconds += seen.frames.num_rows / fps
        people = int(found[-1].person.max(initial=-1)) + 1
        log.info("%s: %d tracklets, %d looks", video.name, people, len(found[-1]))
    looks = Looks.joined(found)
    people = int(looks.person.max(initial=-1)) + 1
    if people < 8:
        raise InputError(
            f"{len(videos)} video(s) show {people} tracklets that surely hold one person; "
            "8 are the least to learn from: give more or longer videos"
        )
    return SureLooks(looks, len(videos), seconds)


def _observed(
    video: Path, folder: Path, parts: Path | None, threads: int
) -> tuple[Observations, float]:
    settings = observe_settings(video, parts=parts)
    run = RunFolder(folder / "observed" / settings.video_digest[:16])
    with run.held():
        begin(run, settings, resume=True)
        seen = observe(video, run, settings, parts=Parts.shipped(parts), threads=threads)
    return seen, looked_at_rate(settings.video, None)


def _looks_of_one(video: Path, seen: Observations, fps: float, each: int) -> Looks:
    people = seen.detections.filter(pc.equal(seen.detections["kind"], "person"))
    frames = seen.frames["frame"].to_numpy()
    rows, tracklet = sure_tracklets(people, seen.motion, seen.shots, frames=frames, fps=fps)
    frame = people["frame"].to_numpy().astype(np.int64)
    chosen, number = _spread_out(rows, tracklet, each, round(_LEAST_SECONDS * fps))
    pixels = _cut_out(video, people, seen.masks, chosen)
    good = np.array([picture is not None for picture in pixels], bool)
    number = np.unique(number[good], return_inverse=True)[1]
    group = _seen_together(number, frame[chosen[good]], round(_GROUP_EVERY * fps))
    kept = [picture for picture in pixels if picture is not None]
    return Looks(
        np.array(kept, np.uint8).reshape(-1, HEIGHT, WIDTH, 3),
        number.astype(np.int32),
        group[number].astype(np.int32) if len(number) else np.zeros(0, np.int32),
    )


def _spread_out(rows: Ints, tracklet: Ints, each: int, least: int) -> tuple[Ints, Ints]:
    """At most `each` rows of every tracklet of `least` rows and more, evenly spread, and its number."""
    chosen: list[Ints] = []
    number: list[Ints] = []
    edges = np.flatnonzero(np.diff(tracklet, prepend=-1, append=-1))
    for first, last in itertools.pairwise(edges.tolist()):
        if last - first < max(least, 2):
            continue
        picked = np.unique(np.linspace(first, last - 1, min(each, last - first)).astype(np.int64))
        chosen.append(rows[picked])
        number.append(np.full(len(picked), len(number)))
    if not chosen:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(chosen), np.concatenate(number)


def _cut_out(
    video: Path, people: pa.Table, masks: pa.Table, chosen: Ints
) -> list[NDArray[np.uint8] | None]:
    """The crop of every chosen detection, None where too little of the person shows."""
    if not len(chosen):
        return []
    frame = people["frame"].to_numpy()[chosen]
    boxes = boxes_of(people)[chosen]
    at = rows_of_keys(masks, detection_keys(people)[chosen])
    pixels: list[NDArray[np.uint8] | None] = [None] * len(chosen)
    order = np.argsort(frame, kind="stable")
    edge = np.searchsorted(frame[order], np.unique(frame))
    by_frame = dict(zip(np.unique(frame).tolist(), np.split(order, edge[1:]), strict=True))
    for picture in Reader(video):
        here = by_frame.pop(picture.index, None)
        if here is None:
            continue
        height, width = picture.pixels.shape[:2]
        for one, (left, top, right, bottom) in zip(
            here.tolist(), windows(boxes[here], width, height), strict=True
        ):
            crop = picture.pixels[top:bottom, left:right]
            size = masks["width"][at[one]].as_py(), masks["height"][at[one]].as_py()
            mask = decode_rle(masks["rle"][at[one]].as_py(), *size)
            large = crop.shape[0] >= LEAST_HEIGHT and crop.shape[1] >= LEAST_WIDTH
            if large and mask.shape == crop.shape[:2] and mask.mean() >= _LEAST_COVER:
                pixels[one] = person_crop(crop, mask)
        if not by_frame:
            break
    return pixels


def _seen_together(number: Ints, frame: Ints, every: int) -> Ints:
    """For each tracklet a group of those who are in view at one instant: surely different people.

    Instants are `every` frames apart; who is in view at none is a group alone.
    """
    count = int(number.max(initial=-1)) + 1
    group = np.zeros(count, np.int64)
    for one in range(count):
        first, last = frame[number == one].min(), frame[number == one].max()
        instant = -(-first // every)
        group[one] = instant if instant * every <= last else -1 - one
    return np.unique(group, return_inverse=True)[1] if count else group


# --- whole frames ----------------------------------------------------------------------------------


def frames_of_videos(
    videos: Sequence[Path], *, each: int = 24, side: int = 256
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int32]]:
    """`each` frames of every clip of at most CLIP_SECONDS, short side `side`; and its number."""
    pictures: list[NDArray[np.uint8]] = []
    clips: list[int] = []
    first = 0
    for video in videos:
        kept: dict[int, list[NDArray[np.uint8]]] = {}
        for picture in Reader(video, sample=CLIP_SECONDS / each):
            scale = side / min(picture.pixels.shape[:2])
            small = cv2.resize(picture.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            kept.setdefault(int(picture.time // CLIP_SECONDS), []).append(np.asarray(small, np.uint8))
        for number, frames in enumerate(kept.values()):
            pictures += frames
            clips += [first + number] * len(frames)
        first += len(kept)
    return pictures, np.array(clips, np.int32)
