"""Tracking scores: HOTA, CLEAR, Identity and counts, equal to TrackEval.

HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021.
CLEAR: Bernardin and Stiefelhagen, 2008. Identity: Ristani et al., 2016. Evaluator matched: trackeval
1.3.0 (the same figures as sn-trackeval 0.4.0), with the names of its fields. Fractions from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.evaluation.matching import (
    EPSILON,
    BoolArray,
    FloatArray,
    IntArray,
    Pairs,
    assign_frame,
    assignment_solver,
    best_assignment,
    contested_pairs,
    frame_starts,
    overlapping_boxes,
    settle_few,
)
from filmroom.formats.mot import TrackRows, repeated_in_frame

ALPHAS: FloatArray = np.arange(0.05, 0.99, 0.05)
"""The 19 similarity thresholds of HOTA, with the float noise of the official code."""

Fields = dict[str, Any]
"""Names of the official evaluator to numbers, or to (19,) arrays for the HOTA family."""

HOTA_ARRAYS = ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA")
HOTA_COUNTS = ("HOTA_TP", "HOTA_FN", "HOTA_FP")
_HOTA_FIRST = ("HOTA(0)", "LocA(0)", "HOTALocA(0)")
_CLEAR_RATIOS = (
    "MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR", "sMOTA", "CLR_F1", "FP_per_frame",
    "MOTAL", "MOTP_sum",
)  # fmt: skip
_CLEAR_COUNTS = ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "CLR_Frames")
_IDENTITY = ("IDF1", "IDR", "IDP", "IDTP", "IDFN", "IDFP")
_COUNTS = ("Dets", "GT_Dets", "IDs", "GT_IDs")

_CLEAR_THRESHOLD = 0.5
_PEDESTRIAN = 1
_MOT_CLASSES = range(1, 14)


@dataclass(frozen=True)
class Convention:
    """What a benchmark does before it counts.

    With `preprocess`, tracks matched to a truth box of a class in `distractors` are taken out, and of
    the truth only pedestrians (class 1) count; without, the class is not looked at. Truth boxes
    flagged 0 never count.
    """

    name: str
    preprocess: bool
    distractors: frozenset[int] = frozenset()


_DISTRACTORS = frozenset({2, 7, 8, 12})
CONVENTIONS: Mapping[str, Convention] = {
    each.name: each
    for each in (
        Convention("motchallenge", True, _DISTRACTORS),
        Convention("mot20", True, _DISTRACTORS | {6}),
        Convention("sportsmot", True, _DISTRACTORS),
        Convention("dancetrack", True, _DISTRACTORS),
        Convention("soccernet", False),
    )
}


@dataclass(frozen=True)
class TrackingScores:
    """Scores of a set of sequences; `notes` says what was left out of them and why."""

    combined: Fields
    sequences: Mapping[str, Fields]
    convention: str
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """For JSON: every field one number, the HOTA family as its mean over the 19 thresholds."""
        return {
            "combined": plain_fields(self.combined),
            "sequences": {name: plain_fields(fields) for name, fields in self.sequences.items()},
        }


def plain_fields(fields: Fields) -> dict[str, float | int]:
    """One number a field: arrays over thresholds become their mean, as in the official tables."""
    return {
        name: float(np.mean(value)) if isinstance(value, np.ndarray) else _plain(value)
        for name, value in fields.items()
    }


def _plain(value: Any) -> float | int:
    return int(value) if isinstance(value, int | np.integer) else float(value)


def score_tracking(
    truth: Mapping[str, TrackRows],
    tracks: Mapping[str, TrackRows],
    convention: str | None = None,
) -> TrackingScores:
    """HOTA, CLEAR, Identity and counts of every sequence and of all together.

    Sequences are matched by name; a single one on both sides is matched whatever its name.
    `convention` is one of CONVENTIONS; by default `soccernet` if no truth box has a class (all -1),
    else `motchallenge`.

    Raises InputError for a sequence without tracks, an id twice in a frame, frames beyond the sequence,
    classes the convention does not know.
    """
    if not truth:
        raise InputError("no truth to score against")
    name = check_convention(convention or guess_convention(truth))
    pairs, notes = pair_sequences(truth, tracks)
    # One sequence at a time, so that files read on demand need not all be in memory.
    sequences = {
        sequence: score_sequence(truth[sequence], tracks[other], name)
        for sequence, other in pairs.items()
    }
    return TrackingScores(combine_sequences(sequences), sequences, name, notes)


def check_convention(name: str) -> str:
    """The name, if it is one of CONVENTIONS; InputError otherwise."""
    return _convention(name).name


def guess_convention(truth: Mapping[str, TrackRows]) -> str:
    """`soccernet` where the first sequence with boxes has no classes, else `motchallenge`."""
    first = next((rows for rows in truth.values() if len(rows)), None)
    return "soccernet" if first is not None and bool((first.classes == -1).all()) else "motchallenge"


def pair_sequences(
    truth: Mapping[str, object], tracks: Mapping[str, object]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The name of the tracks of every truth sequence, and notes about tracks nobody asked for."""
    if len(truth) == 1 and len(tracks) == 1:
        return {next(iter(truth)): next(iter(tracks))}, ()
    missing = [name for name in truth if name not in tracks]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(
            f"tracks are missing for {len(missing)} of {len(truth)} sequences: {shown}; "
            "add the files (an empty file counts as no tracks) or take the truth away"
        )
    extra = [name for name in tracks if name not in truth]
    notes = (
        (f"{len(extra)} track files without truth left out: {', '.join(extra[:5])}",) if extra else ()
    )
    return {name: name for name in truth}, notes


def score_sequence(truth: TrackRows, tracks: TrackRows, convention: str = "motchallenge") -> Fields:
    """All fields of one sequence from plain arrays (`TrackRows.of(frames, ids, boxes)`)."""
    return score_scene(prepare_scene(truth, tracks, convention))


def hota(truth: TrackRows, tracks: TrackRows, convention: str = "soccernet") -> Fields:
    """The HOTA family of one sequence: (19,) arrays over ALPHAS, and values at the first of them."""
    return _hota(prepare_scene(truth, tracks, convention))


def clear(truth: TrackRows, tracks: TrackRows, convention: str = "soccernet") -> Fields:
    """CLEAR scores of one sequence: MOTA, MOTP, switches, fragments and their parts."""
    scene = prepare_scene(truth, tracks, convention)
    return _clear(scene, clear_matches(scene))


def identity(truth: TrackRows, tracks: TrackRows, convention: str = "soccernet") -> Fields:
    """Identity scores of one sequence: IDF1, IDR, IDP and their parts."""
    return _identity(prepare_scene(truth, tracks, convention))


@dataclass(frozen=True)
class Scene:
    """One sequence ready to be scored: rows by frame, ids relabelled from 0, overlapping pairs."""

    frame_count: int
    truth_frames: IntArray
    truth_ids: IntArray
    track_frames: IntArray
    track_ids: IntArray
    pairs: Pairs
    truth_names: IntArray
    track_names: IntArray
    truth_starts: IntArray = field(repr=False)
    track_starts: IntArray = field(repr=False)
    pair_frames: IntArray = field(repr=False)

    @property
    def truth_counts(self) -> IntArray:
        """Frames each truth id is in."""
        return np.bincount(self.truth_ids, minlength=len(self.truth_names))

    @property
    def track_counts(self) -> IntArray:
        """Frames each track id is in."""
        return np.bincount(self.track_ids, minlength=len(self.track_names))

    @property
    def is_empty(self) -> bool:
        """One side has no box at all."""
        return not len(self.truth_ids) or not len(self.track_ids)


def build_scene(
    truth_frames: IntArray,
    truth_ids: IntArray,
    track_frames: IntArray,
    track_ids: IntArray,
    pairs: Pairs,
    frame_count: int,
) -> Scene:
    """A scene from rows ordered by frame and pairs of any similarity (boxes, positions, masks)."""
    truth_names, truth_labels = np.unique(truth_ids, return_inverse=True)
    track_names, track_labels = np.unique(track_ids, return_inverse=True)
    return Scene(
        frame_count,
        truth_frames,
        truth_labels.astype(np.int64),
        track_frames,
        track_labels.astype(np.int64),
        pairs,
        truth_names,
        track_names,
        frame_starts(truth_frames, frame_count),
        frame_starts(track_frames, frame_count),
        truth_frames[pairs.truth],
    )


def prepare_scene(truth: TrackRows, tracks: TrackRows, convention: str = "motchallenge") -> Scene:
    """Check, order by frame, pair and preprocess as the convention says.

    Raises InputError: an id twice in a frame, frames beyond the sequence, unknown classes.
    """
    rules = _convention(convention)
    frame_count = truth.length or max(_last(truth), _last(tracks)) + 1
    for rows, word in ((truth, "truth"), (tracks, "tracks")):
        _check_rows(rows, frame_count, word)
    strange = np.flatnonzero(tracks.classes > _PEDESTRIAN)
    if len(strange):
        raise InputError(
            f"{tracks.source or 'tracks'}, row {strange[0] + 1}: class {tracks.classes[strange[0]]}; "
            "tracks have 1 or -1"
        )
    truth, tracks = _by_frame(truth), _by_frame(tracks)
    pairs = overlapping_boxes(
        truth.boxes,
        frame_starts(truth.frames, frame_count),
        tracks.boxes,
        frame_starts(tracks.frames, frame_count),
    )
    keep_truth = truth.scores.astype(np.int64) != 0
    keep_track = np.ones(len(tracks), dtype=bool)
    if rules.preprocess:
        _check_classes(truth, rules)
        keep_track = ~_on_distractors(truth, tracks, pairs, rules, frame_count)
        keep_truth &= truth.classes == _PEDESTRIAN
    if not (keep_truth.all() and keep_track.all()):
        pairs = pairs.keep(keep_truth[pairs.truth] & keep_track[pairs.track])
        pairs = Pairs(
            (np.cumsum(keep_truth) - 1)[pairs.truth],
            (np.cumsum(keep_track) - 1)[pairs.track],
            pairs.similarity,
        )
        truth, tracks = truth.select(keep_truth), tracks.select(keep_track)
    return build_scene(truth.frames, truth.ids, tracks.frames, tracks.ids, pairs, frame_count)


def score_scene(scene: Scene) -> Fields:
    """All fields of a scene."""
    counts = {
        "Dets": len(scene.track_ids),
        "GT_Dets": len(scene.truth_ids),
        "IDs": len(scene.track_names),
        "GT_IDs": len(scene.truth_names),
    }
    return _hota(scene) | _clear(scene, clear_matches(scene)) | _identity(scene) | counts


def combine_sequences(sequences: Mapping[str, Fields]) -> Fields:
    """Scores of all sequences pooled: counts summed, association weighted by true positives.

    Not the mean of the sequences' scores. A sequence without true positives lowers DetA but not AssA.
    """
    every = list(sequences.values())
    combined = _combine_hota(every)
    sums: Fields = {name: sum(each[name] for each in every) for name in (*_CLEAR_COUNTS, "MOTP_sum")}
    combined |= _finish_clear(sums)
    combined |= _finish_identity({name: sum(each[name] for each in every) for name in _IDENTITY[3:]})
    combined |= {name: sum(each[name] for each in every) for name in _COUNTS}
    return combined


def bootstrap_intervals(
    sequences: Mapping[str, Fields],
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of the combined HOTA, DetA, AssA, MOTA and IDF1 over resampled sequences.

    They say how much the score depends on the choice of sequences; with few of them it is little to
    go by.
    """
    every = list(sequences.values())
    weights = rng.multinomial(len(every), [1 / len(every)] * len(every), size=resamples).astype(float)

    def total(name: str) -> FloatArray:
        summed: FloatArray = weights @ np.array([each[name] for each in every], dtype=float)
        return summed

    tp, fn, fp = (total(name) for name in HOTA_COUNTS)
    associated = weights @ np.array([each["AssA"] * each["HOTA_TP"] for each in every])
    association = associated / np.maximum(1, tp)
    detection = tp / np.maximum(1, tp + fn + fp)
    correct = total("CLR_TP") - total("CLR_FP") - total("IDSW")
    identified = total("IDTP")
    samples = {
        "HOTA": np.sqrt(detection * association).mean(axis=1),
        "DetA": detection.mean(axis=1),
        "AssA": association.mean(axis=1),
        "MOTA": correct / np.maximum(1, total("CLR_TP") + total("CLR_FN")),
        "IDF1": identified / np.maximum(1, identified + 0.5 * total("IDFP") + 0.5 * total("IDFN")),
    }
    tail = (1 - level) / 2
    return {
        name: (float(np.quantile(values, tail)), float(np.quantile(values, 1 - tail)))
        for name, values in samples.items()
    }


class HotaMatches(NamedTuple):
    """Pairs HOTA matched, one assignment a frame for all thresholds; indices into the scene's pairs."""

    pair: IntArray
    level: IntArray
    """How many of the 19 thresholds the pair's similarity reaches."""


def hota_matches(scene: Scene) -> HotaMatches:
    """The matching of HOTA: association over the whole sequence times similarity decides."""
    pairs = scene.pairs
    row_sum = np.bincount(pairs.truth, pairs.similarity, minlength=len(scene.truth_ids))
    column_sum = np.bincount(pairs.track, pairs.similarity, minlength=len(scene.track_ids))
    union = column_sum[pairs.track] + row_sum[pairs.truth] - pairs.similarity
    shares = np.divide(pairs.similarity, union, out=np.zeros(len(union)), where=union > EPSILON)
    identities = scene.truth_ids[pairs.truth] * len(scene.track_names) + scene.track_ids[pairs.track]
    together = _sum_by_key(identities, shares, len(scene.truth_names) * len(scene.track_names))
    frames_of_either = (
        scene.truth_counts[scene.truth_ids[pairs.truth]]
        + scene.track_counts[scene.track_ids[pairs.track]]
    )
    weights = together / (frames_of_either - together) * pairs.similarity
    chosen = best_assignment(pairs, weights, scene.truth_starts, scene.track_starts, scene.pair_frames)
    matched = np.flatnonzero(chosen)
    level = np.searchsorted(ALPHAS - EPSILON, pairs.similarity[matched], side="right")
    return HotaMatches(matched, level)


def _sum_by_key(keys: IntArray, values: FloatArray, key_count: int) -> FloatArray:
    """For each element the sum of the values that share its key, added in order."""
    # A dense table is faster, but thousands of ids on both sides would not fit the memory.
    if key_count > 1 << 22:
        keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    sums = np.bincount(keys, values).astype(np.float64)
    return sums[keys]


def _hota(scene: Scene) -> Fields:
    count = len(ALPHAS)
    zero = np.zeros(count)
    truth_total, track_total = len(scene.truth_ids), len(scene.track_ids)
    if scene.is_empty:
        # The empty side counts 0, so both totals may be given.
        empty: Fields = {name: zero.copy() for name in HOTA_ARRAYS} | dict.fromkeys(_HOTA_FIRST, 0.0)
        return empty | {
            "LocA": np.ones(count),
            "LocA(0)": 1.0,
            "HOTA_TP": zero.copy(),
            "HOTA_FN": zero + truth_total,
            "HOTA_FP": zero + track_total,
        }
    matches = hota_matches(scene)
    reached = matches.level > 0
    pair, level = matches.pair[reached], matches.level[reached]
    pairs = scene.pairs
    truth_ids = scene.truth_ids[pairs.truth[pair]]
    track_ids = scene.track_ids[pairs.track[pair]]
    per_level = np.bincount(level, minlength=count + 1)
    true_positives = _at_or_above(per_level[None])[0]
    similarity_sum = _at_or_above(
        np.bincount(level, pairs.similarity[pair], minlength=count + 1)[None]
    )[0]
    codes, labels = np.unique(truth_ids * len(scene.track_names) + track_ids, return_inverse=True)
    histogram = np.bincount(labels * (count + 1) + level, minlength=len(codes) * (count + 1))
    together = _at_or_above(histogram.reshape(-1, count + 1)).astype(float)
    of_truth = scene.truth_counts[codes // len(scene.track_names)][:, None]
    of_track = scene.track_counts[codes % len(scene.track_names)][:, None]
    divisor = np.maximum(1, true_positives)
    fields: Fields = {
        "HOTA_TP": true_positives.astype(float),
        "HOTA_FN": (truth_total - true_positives).astype(float),
        "HOTA_FP": (track_total - true_positives).astype(float),
        "AssA": (together * (together / np.maximum(1, of_truth + of_track - together))).sum(0)
        / divisor,
        "AssRe": (together * (together / np.maximum(1, of_truth))).sum(0) / divisor,
        "AssPr": (together * (together / np.maximum(1, of_track))).sum(0) / divisor,
        "LocA": np.maximum(1e-10, similarity_sum) / np.maximum(1e-10, true_positives),
    }
    return _finish_hota(fields)


def _at_or_above(histogram: NDArray[Any]) -> NDArray[Any]:
    """(N, 20) per level to (N, 19): how much lies at threshold k, that is at levels above k."""
    return np.cumsum(histogram[:, ::-1], axis=1)[:, ::-1][:, 1:]


def _finish_hota(fields: Fields) -> Fields:
    tp, fn, fp = (fields[name] for name in HOTA_COUNTS)
    fields["DetRe"] = tp / np.maximum(1, tp + fn)
    fields["DetPr"] = tp / np.maximum(1, tp + fp)
    fields["DetA"] = tp / np.maximum(1, tp + fn + fp)
    fields["HOTA"] = np.sqrt(fields["DetA"] * fields["AssA"])
    fields["OWTA"] = np.sqrt(fields["DetRe"] * fields["AssA"])
    fields["HOTA(0)"] = fields["HOTA"][0]
    fields["LocA(0)"] = fields["LocA"][0]
    fields["HOTALocA(0)"] = fields["HOTA(0)"] * fields["LocA(0)"]
    return {name: fields[name] for name in (*HOTA_ARRAYS, *HOTA_COUNTS, *_HOTA_FIRST)}


def _combine_hota(every: list[Fields]) -> Fields:
    fields: Fields = {name: sum(each[name] for each in every) for name in HOTA_COUNTS}
    weight = fields["HOTA_TP"]
    for name in ("AssRe", "AssPr", "AssA"):
        fields[name] = sum(each[name] * each["HOTA_TP"] for each in every) / np.maximum(1.0, weight)
    located = sum(each["LocA"] * each["HOTA_TP"] for each in every)
    fields["LocA"] = np.maximum(1e-10, located) / np.maximum(1e-10, weight)
    return _finish_hota(fields)


def clear_matches(scene: Scene) -> IntArray:
    """Pairs CLEAR matches, as indices into the scene's pairs.

    Similarity at least 0.5; a pair matched in the last frame where both sides had boxes goes first.
    """
    candidates = np.flatnonzero(scene.pairs.similarity >= _CLEAR_THRESHOLD - EPSILON)
    pairs, frames = scene.pairs.keep(candidates), scene.pair_frames[candidates]
    contested = contested_pairs(pairs)
    chosen = ~contested
    if not contested.any():
        return candidates
    truth_ids, track_ids = scene.truth_ids[pairs.truth], scene.track_ids[pairs.track]
    open_pairs = np.flatnonzero(contested)
    active = _frames_of_both(scene)
    before = active[np.maximum(np.searchsorted(active, frames[open_pairs]) - 1, 0)]
    before[before == frames[open_pairs]] = -1
    # Who is without rivals in the frame before is known at once; the rest is kept as it is settled.
    id_count = len(scene.truth_names)
    certain_keys = frames[chosen] * id_count + truth_ids[chosen]
    order = np.argsort(certain_keys)
    asked = before * id_count + truth_ids[open_pairs]
    place = np.minimum(np.searchsorted(certain_keys[order], asked), max(0, len(order) - 1))
    carried = np.full(len(open_pairs), -1)
    if len(order):
        certain = order[place]
        carried = np.where(certain_keys[certain] == asked, track_ids[chosen][certain], -1)
    settled: dict[int, tuple[int, int]] = {}
    bounds = np.flatnonzero(np.diff(frames[open_pairs], prepend=-1, append=-1)).tolist()
    people, tracks = truth_ids[open_pairs].tolist(), track_ids[open_pairs].tolist()
    earlier, known = before.tolist(), carried.tolist()
    similarity, now = pairs.similarity[open_pairs].tolist(), frames[open_pairs].tolist()
    for start, stop in pairwise(bounds):
        weights = []
        for index in range(start, stop):
            track = tracks[index]
            goes_on = known[index] == track or settled.get(people[index]) == (earlier[index], track)
            weights.append(1000 * goes_on + similarity[index])
        best = settle_few(people[start:stop], tracks[start:stop], weights)
        if best is None:
            whole = _settle_frame(scene, pairs, frames, chosen, now[start], earlier[start])
            best = np.flatnonzero(whole[open_pairs[start:stop]]).tolist()
        for index in best:
            settled[people[start + index]] = (now[start], tracks[start + index])
        chosen[open_pairs[start + np.array(best, dtype=np.int64)]] = True
    return candidates[chosen]


def _settle_frame(
    scene: Scene, pairs: Pairs, frames: IntArray, chosen: BoolArray, frame: int, before: int
) -> BoolArray:
    """Mask of `pairs` that scipy's assignment of the whole frame takes, `chosen` holding so far."""
    start, stop, first, last = np.searchsorted(frames, (frame, frame + 1, before, before + 1)).tolist()
    carried = np.flatnonzero(chosen[first:last]) + first if before >= 0 else np.empty(0, np.int64)
    previous = np.full(len(scene.truth_names), -1)
    previous[scene.truth_ids[pairs.truth[carried]]] = scene.track_ids[pairs.track[carried]]
    mine = pairs.keep(np.arange(start, stop))
    continues = previous[scene.truth_ids[mine.truth]] == scene.track_ids[mine.track]
    mask = np.zeros(len(frames), dtype=bool)
    mask[start:stop] = assign_frame(
        mine.truth - scene.truth_starts[frame],
        mine.track - scene.track_starts[frame],
        1000 * continues + mine.similarity,
        int(scene.truth_starts[frame + 1] - scene.truth_starts[frame]),
        int(scene.track_starts[frame + 1] - scene.track_starts[frame]),
    )
    return mask


def _frames_of_both(scene: Scene) -> IntArray:
    both = (np.diff(scene.truth_starts) > 0) & (np.diff(scene.track_starts) > 0)
    return np.flatnonzero(both)


class MatchRuns(NamedTuple):
    """CLEAR's matches ordered by truth id, then frame, and what each is to the one before it."""

    pair: IntArray
    switched: BoolArray
    """The truth id's last match, however long ago, was another track."""
    started: BoolArray
    """The truth id was not matched in the last frame where both sides had boxes."""


def match_runs(scene: Scene, matched: IntArray) -> MatchRuns:
    """Order CLEAR's matches by truth id and mark switches and new starts."""
    truth_ids = scene.truth_ids[scene.pairs.truth[matched]]
    order = np.argsort(truth_ids, kind="stable")
    pair, truth_ids = matched[order], truth_ids[order]
    track_ids = scene.track_ids[scene.pairs.track[pair]]
    step = np.searchsorted(_frames_of_both(scene), scene.pair_frames[pair])
    same = np.zeros(len(pair), dtype=bool)
    same[1:] = truth_ids[1:] == truth_ids[:-1]
    switched, started = same.copy(), ~same
    switched[1:] &= track_ids[1:] != track_ids[:-1]
    started[1:] |= np.diff(step) != 1
    return MatchRuns(pair, switched, started)


def _clear(scene: Scene, matched: IntArray) -> Fields:
    truth_total, track_total = len(scene.truth_ids), len(scene.track_ids)
    if scene.is_empty:
        fields: Fields = dict.fromkeys(_CLEAR_RATIOS, 0.0) | dict.fromkeys(_CLEAR_COUNTS, 0)
        return fields | {
            "MLR": 1.0,
            "CLR_FN": truth_total,
            "CLR_FP": track_total,
            "ML": len(scene.truth_names),
        }
    runs = match_runs(scene, matched)
    truth_of_match = scene.truth_ids[scene.pairs.truth[runs.pair]]
    id_count = len(scene.truth_names)
    ratio = np.bincount(truth_of_match, minlength=id_count) / scene.truth_counts
    starts = np.bincount(truth_of_match[runs.started], minlength=id_count)
    mostly = int((ratio > 0.8).sum())
    partly = int((ratio >= 0.2).sum()) - mostly
    return _finish_clear(
        {
            "CLR_TP": len(matched),
            "CLR_FN": truth_total - len(matched),
            "CLR_FP": track_total - len(matched),
            "IDSW": int(runs.switched.sum()),
            "MT": mostly,
            "PT": partly,
            "ML": id_count - mostly - partly,
            "Frag": int((starts[starts > 0] - 1).sum()),
            "CLR_Frames": scene.frame_count,
            "MOTP_sum": float(scene.pairs.similarity[matched].sum()),
        }
    )


def _finish_clear(fields: Fields) -> Fields:
    tp, fn, fp = fields["CLR_TP"], fields["CLR_FN"], fields["CLR_FP"]
    switches = fields["IDSW"]
    ids = max(1.0, fields["MT"] + fields["PT"] + fields["ML"])
    truth = max(1.0, tp + fn)
    fields |= {
        "MTR": fields["MT"] / ids,
        "PTR": fields["PT"] / ids,
        "MLR": fields["ML"] / ids,
        "CLR_Re": tp / truth,
        "CLR_Pr": tp / max(1.0, tp + fp),
        "MODA": (tp - fp) / truth,
        "MOTA": (tp - fp - switches) / truth,
        "MOTP": fields["MOTP_sum"] / max(1.0, tp),
        "sMOTA": (fields["MOTP_sum"] - fp - switches) / truth,
        "CLR_F1": tp / max(1.0, tp + 0.5 * fn + 0.5 * fp),
        "FP_per_frame": fp / max(1.0, fields["CLR_Frames"]),
        "MOTAL": (tp - fp - (float(np.log10(switches)) if switches > 0 else 0)) / truth,
    }
    return {name: fields[name] for name in (*_CLEAR_RATIOS, *_CLEAR_COUNTS)}


def identity_pairs(scene: Scene) -> tuple[IntArray, IntArray, IntArray]:
    """The best one-to-one assignment of identities: truth ids, track ids, frames shared at 0.5."""
    overlapping = scene.pairs.similarity >= _CLEAR_THRESHOLD
    truth_ids = scene.truth_ids[scene.pairs.truth[overlapping]]
    track_ids = scene.track_ids[scene.pairs.track[overlapping]]
    shape = (len(scene.truth_names), len(scene.track_names))
    codes = truth_ids * shape[1] + track_ids
    together = np.bincount(codes, minlength=shape[0] * shape[1]).reshape(shape)
    rows, columns = assignment_solver()(together, maximize=True)
    shared = together[rows, columns]
    used = shared > 0
    return rows[used], columns[used], shared[used]


def _identity(scene: Scene) -> Fields:
    truth_total, track_total = len(scene.truth_ids), len(scene.track_ids)
    if scene.is_empty:
        empty: Fields = {"IDF1": 0.0, "IDR": 0.0, "IDP": 0.0, "IDTP": 0}
        return empty | {"IDFN": truth_total, "IDFP": track_total}
    matched = int(identity_pairs(scene)[2].sum())
    return _finish_identity(
        {"IDTP": matched, "IDFN": truth_total - matched, "IDFP": track_total - matched}
    )


def _finish_identity(fields: Fields) -> Fields:
    tp, fn, fp = fields["IDTP"], fields["IDFN"], fields["IDFP"]
    return {
        "IDF1": tp / max(1.0, tp + 0.5 * fp + 0.5 * fn),
        "IDR": tp / max(1.0, tp + fn),
        "IDP": tp / max(1.0, tp + fp),
    } | fields


def _convention(name: str) -> Convention:
    if name not in CONVENTIONS:
        raise InputError(f"convention {name!r} is unknown; choose one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def _last(rows: TrackRows) -> int:
    return int(rows.frames.max()) if len(rows) else -1


def _by_frame(rows: TrackRows) -> TrackRows:
    if bool((np.diff(rows.frames) >= 0).all()):
        return rows
    return rows.select(np.argsort(rows.frames, kind="stable"))


def _check_rows(rows: TrackRows, frame_count: int, word: str) -> None:
    source = rows.source or word
    if not np.isfinite(rows.boxes).all():
        raise InputError(f"{source}: a box is not a number; take rows with NaN or infinity out")
    if not len(rows):
        return
    if int(rows.frames.min()) < 0 or _last(rows) >= frame_count:
        bad = int(rows.frames.min()) if int(rows.frames.min()) < 0 else _last(rows)
        raise InputError(
            f"{source}: frame {bad} (counted from 0) outside the {frame_count} frames of the sequence"
        )
    repeated = repeated_in_frame(rows.frames, rows.ids)
    if repeated.any():
        index = int(np.flatnonzero(repeated)[0])
        raise InputError(
            f"{source}: id {rows.ids[index]} twice in frame {rows.frames[index]} (counted from 0)"
        )


def _check_classes(truth: TrackRows, rules: Convention) -> None:
    unknown = sorted(set(np.unique(truth.classes).tolist()) - set(_MOT_CLASSES))
    if unknown:
        raise InputError(
            f"{truth.source or 'truth'}: class {unknown[0]}; convention {rules.name} knows 1 to 13 "
            "(use `soccernet` for truth without classes)"
        )


def _on_distractors(
    truth: TrackRows, tracks: TrackRows, pairs: Pairs, rules: Convention, frame_count: int
) -> BoolArray:
    """Mask of the track rows matched to a truth box that is neither right nor wrong to find."""
    removed = np.zeros(len(tracks), dtype=bool)
    is_distractor = np.isin(truth.classes, list(rules.distractors))
    if not is_distractor.any():
        return removed
    near = pairs.keep(pairs.similarity >= _CLEAR_THRESHOLD - EPSILON)
    chosen = best_assignment(
        near,
        near.similarity,
        frame_starts(truth.frames, frame_count),
        frame_starts(tracks.frames, frame_count),
        truth.frames[near.truth],
    )
    matched = near.keep(chosen)
    removed[matched.track[is_distractor[matched.truth]]] = True
    return removed
