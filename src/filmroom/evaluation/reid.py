"""Re-identification within an action: mAP and rank-1 as SoccerNet 0.2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.matching import BoolArray
from filmroom.formats.soccernet_reid import ReidBox


def score_reid(rankings: Sequence[BoolArray]) -> dict[str, float]:
    """mAP and rank-1 of queries, each a (gallery,) mask of right persons, best first."""
    precisions = [average_precision(ranking) for ranking in rankings]
    # The official code sums rank-1 in single precision; below 16 million queries that is exact.
    first = sum(bool(ranking[0]) for ranking in rankings)
    return {
        "mAP": float(np.mean(precisions)),
        "rank-1": float(np.float32(np.float32(first) / len(rankings))),
    }


def average_precision(right: BoolArray) -> float:
    """Mean over the right ones of the share of right ones up to their place."""
    places = np.flatnonzero(right)
    return float((np.arange(1, len(places) + 1) / (places + 1.0)).sum() / len(places))


def right_persons(
    queries: Mapping[str, ReidBox],
    gallery: Mapping[str, ReidBox],
    rankings: Mapping[str, Sequence[Any]],
    source: str = "rankings",
) -> list[BoolArray]:
    """For every query which places of its ranking show the right person.

    Raises InputError where a ranking breaks the challenge's rules: missing, no whole numbers, a gallery
    item twice, of another action or missing, the person not in the gallery at all.
    """
    of_action: dict[int, set[int]] = {}
    for box in gallery.values():
        of_action.setdefault(box.action_idx, set()).add(box.bbox_idx)
    masks = []
    for key, query in queries.items():
        if key not in rankings:
            raise InputError(f"{source}: query {key!r} has no ranking")
        ranking = rankings[key]
        wrong = next((each for each in ranking if type(each) is not int), None)
        if wrong is not None:
            raise InputError(f"{source}: query {key!r}: {wrong!r} is not a whole number")
        given, wanted = set(ranking), of_action.get(query.action_idx, set())
        if len(given) < len(ranking):
            twice = next(each for each in ranking if ranking.count(each) > 1)
            raise InputError(f"{source}: query {key!r}: gallery item {twice} twice")
        if given - wanted:
            other = min(given - wanted)
            raise InputError(f"{source}: query {key!r}: gallery item {other} is not of its action")
        if wanted - given:
            lost = min(wanted - given)
            raise InputError(f"{source}: query {key!r}: gallery item {lost} of its action is missing")
        right = np.array([gallery[str(each)].person_uid == query.person_uid for each in ranking], bool)
        if not right.any():
            raise InputError(f"{source}: query {key!r}: its person is nowhere in the gallery")
        masks.append(right)
    return masks
