"""Tracks of masks: HOTA, CLEAR and Identity on mask overlap, equal to TrackEval's MOTS Challenge.

Voigtlaender et al., "MOTS: Multi-Object Tracking and Segmentation", CVPR 2019; evaluator matched:
trackeval 1.3.0 (`MOTSChallenge`). sMOTSA, MOTSA and MOTSP are the sMOTA, MOTA and MOTP of masks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.matching import (
    EPSILON,
    BoolArray,
    IntArray,
    Pairs,
    best_assignment,
    frame_starts,
)
from filmroom.evaluation.tracking import (
    Fields,
    Scene,
    TrackingScores,
    build_scene,
    combine_sequences,
    pair_sequences,
    score_scene,
)
from filmroom.formats.mots import IGNORED, PEDESTRIAN, MaskRows
from filmroom.geometry.masks import run_lengths

_HALF = 0.5


def score_mots(truth: Mapping[str, MaskRows], tracks: Mapping[str, MaskRows]) -> TrackingScores:
    """HOTA, CLEAR, Identity and counts of pedestrians' masks, of every sequence and of all together."""
    if not truth:
        raise InputError("no truth to score against")
    pairs, notes = pair_sequences(truth, tracks)
    remarks = list(notes)
    sequences: dict[str, Fields] = {}
    for name, other in pairs.items():
        scene, left_out = mask_scene(truth[name], tracks[other])
        sequences[name] = score_scene(scene)
        remarks += [
            f"{name}: {count} masks left out: {why}" for why, count in left_out.items() if count
        ]
    return TrackingScores(combine_sequences(sequences), sequences, "mots", tuple(remarks))


def mask_scene(truth: MaskRows, tracks: MaskRows) -> tuple[Scene, dict[str, int]]:
    """A scene of mask overlaps, and how many masks of the tracks were left out, by reason.

    Of the classes only pedestrians count. A mask that matches nobody and lies by more than half in an
    ignored region is taken out. InputError where masks of one side overlap in a frame, as officially,
    or pictures differ in size.
    """
    last = max(int(truth.frames.max(initial=-1)), int(tracks.frames.max(initial=-1)))
    frame_count = truth.length or last + 1
    if int(tracks.frames.max(initial=-1)) >= frame_count:
        raise InputError(f"{tracks.source or 'tracks'}: frame beyond the {frame_count} of the sequence")
    truth, ignored = _united_regions(truth)
    left_out = {"not pedestrians": int((tracks.classes != PEDESTRIAN).sum())}
    areas = np.array([int(run_lengths(mask)[1::2].sum()) for mask in tracks.masks], dtype=np.int64)
    pairs = _shared_pixels(truth, tracks)
    people = truth.classes == PEDESTRIAN
    mine = tracks.classes == PEDESTRIAN
    truth_areas = np.array([int(run_lengths(mask)[1::2].sum()) for mask in truth.masks], dtype=np.int64)
    union = truth_areas[pairs.truth] + areas[pairs.track] - pairs.similarity
    overlap = Pairs(pairs.truth, pairs.track, pairs.similarity / union)
    in_region = np.zeros(len(tracks))
    region = ignored[pairs.truth]
    np.add.at(in_region, pairs.track[region], pairs.similarity[region])
    both = people[overlap.truth] & mine[overlap.track]
    near = overlap.keep(both & (overlap.similarity >= _HALF - EPSILON))
    starts = (frame_starts(truth.frames, frame_count), frame_starts(tracks.frames, frame_count))
    chosen = best_assignment(near, near.similarity, *starts, truth.frames[near.truth])
    matched = np.zeros(len(tracks), dtype=bool)
    matched[near.track[chosen]] = True
    excused = mine & ~matched & (in_region / np.maximum(1, areas) > _HALF + EPSILON)
    left_out["in ignored regions"] = int(excused.sum())
    keep = mine & ~excused
    kept = overlap.keep(people[overlap.truth] & keep[overlap.track])
    renumbered = Pairs(
        (np.cumsum(people) - 1)[kept.truth], (np.cumsum(keep) - 1)[kept.track], kept.similarity
    )
    scene = build_scene(
        truth.frames[people],
        truth.ids[people],
        tracks.frames[keep],
        tracks.ids[keep],
        renumbered,
        frame_count,
    )
    return scene, left_out


def _united_regions(truth: MaskRows) -> tuple[MaskRows, BoolArray]:
    """The truth with the ignored regions of each frame made disjoint, and which rows are regions."""
    from filmroom.geometry.masks import decode_rle, encode_rle

    region = truth.classes == IGNORED
    several = np.flatnonzero(np.bincount(truth.frames[region], minlength=1) > 1)
    if not len(several):
        return truth, region
    masks = list(truth.masks)
    keep = np.ones(len(truth), dtype=bool)
    for frame in several.tolist():
        rows = np.flatnonzero(region & (truth.frames == frame)).tolist()
        height, width = truth.sizes[rows[0]].tolist()
        whole = decode_rle(masks[rows[0]], width, height)
        for row in rows[1:]:
            whole = whole | decode_rle(masks[row], width, height)
            keep[row] = False
        masks[rows[0]] = encode_rle(whole)
    united = MaskRows(
        truth.frames, truth.ids, truth.classes, truth.sizes, tuple(masks), truth.length, truth.source
    ).select(keep)
    return united, united.classes == IGNORED


def _shared_pixels(truth: MaskRows, tracks: MaskRows) -> Pairs:
    """Pixels shared by the masks of a frame, where any, as the `similarity` of pairs in order.

    The masks of one side do not overlap, so each side cuts the pixels of a frame into runs; the runs of
    all frames lie one after the other on one line and are laid over each other at once.
    """
    sizes = np.concatenate([truth.sizes, tracks.sizes])
    area = int(np.prod(sizes, axis=1).max(initial=0)) + 1
    _check_sizes(truth, tracks)
    starts_a, ends_a, rows_a = _runs(truth, area, "truth")
    starts_b, ends_b, rows_b = _runs(tracks, area, "tracks")
    bounds = np.unique(np.concatenate([starts_a, ends_a, starts_b, ends_b]))
    if len(bounds) < 2:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    pieces, lengths = bounds[:-1], np.diff(bounds)
    a, b = _owner(pieces, starts_a, ends_a, rows_a), _owner(pieces, starts_b, ends_b, rows_b)
    shared = (a >= 0) & (b >= 0)
    keys, place = np.unique(a[shared] * max(1, len(tracks)) + b[shared], return_inverse=True)
    pixels = np.bincount(place, lengths[shared], minlength=len(keys))
    return Pairs(keys // max(1, len(tracks)), keys % max(1, len(tracks)), pixels.astype(np.float64))


def _check_sizes(truth: MaskRows, tracks: MaskRows) -> None:
    known: dict[int, list[int]] = {}
    for rows in (truth, tracks):
        for frame, size in zip(rows.frames.tolist(), rows.sizes.tolist(), strict=True):
            height, width = known.setdefault(frame, size)
            if size != [height, width]:
                raise InputError(
                    f"{rows.source or 'masks'}: frame {frame + 1}: a mask of {size[1]} x {size[0]} "
                    f"pixels, others have {width} x {height}"
                )


def _runs(rows: MaskRows, area: int, word: str) -> tuple[IntArray, IntArray, IntArray]:
    """Start, end and row of every run of pixels, in order; InputError where two overlap."""
    starts, ends, owners = [], [], []
    for index, (frame, mask) in enumerate(zip(rows.frames.tolist(), rows.masks, strict=True)):
        edges = np.cumsum(run_lengths(mask)) + frame * area
        first, last = edges[:-1:2], edges[1::2]
        filled = last > first[: len(last)]
        starts.append(first[: len(last)][filled])
        ends.append(last[filled])
        owners.append(np.full(int(filled.sum()), index))
    if not starts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    start, end, owner = (np.concatenate(each) for each in (starts, ends, owners))
    order = np.argsort(start, kind="stable")
    start, end, owner = start[order], end[order], owner[order]
    clash = np.flatnonzero(start[1:] < end[:-1])
    if len(clash):
        one, other = owner[clash[0]], owner[clash[0] + 1]
        raise InputError(
            f"{rows.source or word}: frame {rows.frames[one] + 1}: the masks of ids {rows.ids[one]} "
            f"and {rows.ids[other]} overlap; a pixel belongs to one object only"
        )
    return start, end, owner


def _owner(pixels: IntArray, starts: IntArray, ends: IntArray, rows: IntArray) -> IntArray:
    """The row whose run holds a pixel, -1 where none does."""
    if not len(starts):
        return np.full(len(pixels), -1)
    place = np.searchsorted(starts, pixels, side="right") - 1
    inside = (place >= 0) & (pixels < ends[np.maximum(place, 0)])
    return np.where(inside, rows[np.maximum(place, 0)], -1)
