"""GS-HOTA: HOTA of people on the pitch, where a pair counts only if role, team and number agree.

Somers et al., "SoccerNet Game State Reconstruction", CVPRW 2024. Evaluator matched: sn-trackeval 0.4.0.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np

from filmroom.evaluation.matching import Pairs, frame_starts, join_pairs, same_frame_chunks
from filmroom.evaluation.tracking import (
    Fields,
    Scene,
    build_scene,
    combine_sequences,
    score_scene,
)
from filmroom.formats.soccernet_gamestate import GameState

DISTANCE_TOLERANCE = 5.0
"""Metres at which the similarity of two people has fallen to 0.05, HOTA's lowest threshold."""

_SIGMA = float(np.sqrt(-(DISTANCE_TOLERANCE**2) / (2 * np.log(0.05))))


def gamestate_scene(truth: GameState, tracks: GameState, frame_count: int) -> Scene:
    """A scene whose similarity falls with the distance in metres, for pairs of equal identity only.

    Rows of both sides are ordered by frame. Identities are compared as they are: the text "10" is not
    the number 10.
    """
    codes: dict[Hashable, int] = {}
    truth_codes, track_codes = (
        np.array([codes.setdefault(each, len(codes)) for each in side.identities], dtype=np.int64)
        for side in (truth, tracks)
    )
    parts = []
    for rows, columns in same_frame_chunks(truth.frames, frame_starts(tracks.frames, frame_count)):
        same = truth_codes[rows] == track_codes[columns]
        a, b = rows[same], columns[same]
        squares = (truth.positions[a] - tracks.positions[b]) ** 2
        distance = np.sqrt(squares[:, 0] + squares[:, 1])
        similarity = np.exp(-0.5 * (distance / _SIGMA) ** 2)
        parts.append(Pairs(a, b, similarity).keep(similarity > 0))
    pairs = join_pairs(parts)
    return build_scene(truth.frames, truth.tracks, tracks.frames, tracks.tracks, pairs, frame_count)


def score_gamestate(scenes: Mapping[str, Scene]) -> tuple[dict[str, Fields], Fields]:
    """Fields of every sequence and of all together; HOTA is GS-HOTA."""
    sequences = {name: score_scene(scene) for name, scene in scenes.items()}
    return sequences, combine_sequences(sequences)


def published(value: float) -> float:
    """A score as the official leaderboard takes it: from the printed table, five significant digits."""
    return float(f"{100 * value:.5g}") / 100
