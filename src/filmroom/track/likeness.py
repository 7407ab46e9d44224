"""How much each track (rows) and each box of a frame (columns) look like one person."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from filmroom.track.settings import Round, TrackerSettings
from filmroom.track.state import BOX, FORM, IMPATIENCE, PLACE, SIZE, Tracks, direction

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_UNIT = 0.3  # of the median height: smaller things are as unsure as this
_ALPHA = 2.0  # perimeters that corners may be apart for a distance of 1
_LEAST_OVERLOOKED, _MOST_OVERLOOKED = 0.002, 0.3
_OVERLOOKED_RATE = 0.02


class Evidence:
    """Log-odds that track and box are the same person, and what they learn from match to match."""

    def __init__(self, settings: TrackerSettings) -> None:
        self.settings = settings
        noise = settings.noise
        self.overlooked = 0.05  # share of people in view that this detector misses in a frame
        self._place = noise.measured**2 + settings.place_spread**2
        self._sizes = noise.measured_size**2 + np.array(
            [[settings.width_spread**2], [settings.height_spread**2]]
        )
        self._likeness = np.array([[0.9, 0.1], [0.6, 0.2]])  # mean, spread: same, other
        self._likeness_seen = np.ones(2)

    def odds(self, tracks: Tracks, absence: Matrix, found: Matrix, vectors: Matrix) -> Matrix:
        """(T, N) for boxes `found`: place, size, appearance, and how long the track was not seen."""
        settings = self.settings
        np.log(tracks.size, out=tracks.logs)
        unit = np.maximum(tracks.height, _LEAST_UNIT * tracks.middle_height)
        variance = tracks.variance[0, 0] + self._place
        doubt = np.empty((3, tracks.count))
        np.add(tracks.variance[0, 2], self._sizes, out=doubt[:2])
        doubt[:2] *= 2.0
        unit *= unit
        unit *= variance
        np.multiply(unit, settings.evidence_tail, out=doubt[2])
        np.reciprocal(doubt, out=doubt)
        off = tracks.form[:, :, None] - found[FORM, None]
        off *= off
        off[:2] *= doubt[:2, :, None]
        odds: Matrix = off[2]
        odds += off[3]
        odds *= doubt[2, :, None]
        np.log1p(odds, out=odds)
        odds *= -0.5 * (settings.evidence_tail + 2)
        size = off[0]
        size += off[1]
        odds -= np.minimum(size, settings.size_most, out=size)
        expected = settings.evidence_bias + math.log(1 / self.overlooked - 1)
        variance += 0.03
        bias = np.log(variance, out=variance)
        bias += absence[IMPATIENCE]
        odds += (expected - bias)[:, None]
        if vectors.shape[1]:
            odds += self._looks(tracks.appearance, vectors)
        return odds

    def learn_misses(self, followed: int, again: int) -> None:
        """Of `followed` people seen in one frame, `again` were seen in the next."""
        if followed:
            share = min(max(1 - again / followed, _LEAST_OVERLOOKED), _MOST_OVERLOOKED)
            self.overlooked += _OVERLOOKED_RATE * (share - self.overlooked)

    def _looks(self, known: Matrix, vectors: Matrix) -> Matrix:
        alike = known @ vectors.T
        (same, near), (other, far) = self._likeness
        odds = 0.5 * ((alike - other) / far) ** 2 - 0.5 * ((alike - same) / near) ** 2
        odds = np.clip(odds + np.log(far / near), *self.settings.looks_bounds)
        blank = (np.abs(known).sum(axis=1) == 0)[:, None] | (np.abs(vectors).sum(axis=1) == 0)
        odds[blank] = 0.0
        result: Matrix = odds
        return result

    def learn_looks(self, tracks: Tracks, vectors: Matrix, rows: Ints, columns: Ints) -> None:
        """How alike the same and others look here; tracks `rows` take up the looks of `columns`."""
        known, looks = tracks.appearance[rows], vectors[columns]
        alike = known @ looks.T
        shown = np.abs(looks).sum(axis=1) > 0
        good = (np.abs(known).sum(axis=1) > 0) & shown
        same = np.diag(alike)[good]
        other = alike[np.ix_(good, good)][~np.eye(int(good.sum()), dtype=bool)]
        for index, values in enumerate((same, other)):
            if len(values) > 1:
                fresh = np.array([values.mean(), max(values.std(), 0.02)])
                self._likeness_seen[index] += 1
                rate = max(0.05, 1 / self._likeness_seen[index])
                self._likeness[index] += rate * (fresh - self._likeness[index])
        blend = np.where(good, 1 - self.settings.fresh, 0.0)[:, None]
        known = np.where(shown[:, None], blend * known + (1 - blend) * looks, known)
        length = np.linalg.norm(known, axis=1, keepdims=True)
        tracks.appearance[rows] = known / np.where(length > 0, length, 1.0)


def overlap(tracks: Tracks, rows: Ints | None, found: Matrix, scores: Matrix, turn: Round) -> Matrix:
    """IoU (T, N) of tracks `rows` (None: all) with boxes, as a round of matching wants it."""
    box = tracks.last if turn.from_last else tracks.box
    if rows is not None:
        box = box.take(rows, axis=1)
    likeness = grown_ious(box, found[BOX], turn.expansion)
    if turn.score_weighted:
        likeness *= scores
    return likeness


def momentum(tracks: Tracks, rows: Ints | None, found: Matrix, scores: Matrix, turn: Round) -> Matrix:
    """What is added to `overlap` (T, N) for going on in the same direction, 0 where none is wanted."""
    return turn.momentum * _agreement(tracks, rows, found) * scores


def look_distances(
    tracks: Tracks, rows: Ints | None, found: Matrix, vectors: Matrix, turn: Round
) -> Matrix:
    """Distance (T, N) of tracks `rows` (None: all) and boxes, by looks and place (SSAT eq. 1 and 2).

    The cosine distance of the looks, plus that of the corners over twice the perimeter of the track's
    box. Looks that are missing are as far from others as is usual in the frame.
    """
    box, known = tracks.last if turn.from_last else tracks.box, tracks.appearance
    if rows is not None:
        box, known = box.take(rows, axis=1), known.take(rows, axis=0)
    half, other = box[2:] / 2, found[SIZE] / 2
    off = (box[:2] - half)[:, :, None] - (found[PLACE] - other)[:, None]
    away = (box[:2] + half)[:, :, None] - (found[PLACE] + other)[:, None]
    apart = np.sqrt((off * off + away * away).sum(axis=0))
    result: Matrix = turn.distance * apart / (_ALPHA * 2 * box[2:].sum(axis=0))[:, None]
    if turn.looks and vectors.shape[1]:
        unlike = 1 - known @ vectors.T
        shown = np.abs(vectors).sum(axis=1) > 0
        seen = (np.abs(known).sum(axis=1) > 0)[:, None] & shown
        unlike[~seen] = np.median(unlike[seen]) if seen.any() else 0.0
        result += turn.looks * unlike
    return result


def grown_ious(first: Matrix, second: Matrix, expansion: float) -> Matrix:
    """IoU (T, N) of boxes (4, T), (4, N), centre and size, sides grown by a share of the size."""
    half = 0.5 + expansion
    sides, others = first[2:] * half, second[2:] * half
    shared = np.minimum((first[:2] + sides)[:, :, None], (second[:2] + others)[:, None])
    shared -= np.maximum((first[:2] - sides)[:, :, None], (second[:2] - others)[:, None])
    np.maximum(shared, 0.0, out=shared)
    both: Matrix = shared[0]
    both *= shared[1]
    area, other = 4 * sides[0] * sides[1], 4 * others[0] * others[1]
    both /= (area[:, None] + other) - both
    return both


def _agreement(tracks: Tracks, rows: Ints | None, found: Matrix) -> Matrix:
    """How well going on to each detection keeps a track's direction: 0.5 straight on, -0.5 back.

    Observation-centric momentum (OC-SORT eq. 5), from where the track was three frames ago; 0 where it
    has no direction yet.
    """
    came, start = np.nan_to_num(tracks.came), tracks.earlier()
    if rows is not None:
        came, start = came.take(rows, axis=1), start.take(rows, axis=1)
    goes = direction(start[:, :, None], found[PLACE, None])
    turn = np.arccos(np.clip((came[:, :, None] * goes).sum(axis=0), -1.0, 1.0))
    result: Matrix = 0.5 - turn / np.pi
    return result


def doubles(found: Matrix, born: Ints, matched: Ints, most: float) -> NDArray[np.bool_]:
    """Which of `born` overlap a taken box, or a better one of `born`, by an IoU above `most`."""
    if most >= 1:
        return np.zeros(len(born), bool)
    others = np.concatenate([matched, born])
    over = grown_ious(found[BOX][:, born], found[BOX][:, others], 0.0) > most
    later = np.arange(len(others)) >= len(matched) + np.arange(len(born))[:, None]
    return np.asarray((over & ~later).any(axis=1))
