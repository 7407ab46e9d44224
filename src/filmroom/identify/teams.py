"""Which team everybody plays for, and who is goalkeeper or referee: from kits over the whole clip."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.identify.looks import kit_distances, kit_space, looks_of_tracks

TEAMS = ("a", "b")
NO_TEAM = "none"

_FEWEST_TRACKS = 4
_FEWEST_LOOKS = 2
_ROLE_PROBABILITY = 0.5
_OUTSIDER_SPREADS = 3.0
_OUTSIDER_SHARE = 0.55  # of the distance between the teams
_LEAST_SEPARATION = 1.6  # times the usual spread within teams
_LEAST_APART = 0.15  # in kit space: less is one kit in different light
_ROUNDS = 4
_HEAVY = 12  # tracks seen most, every pair of which is a start of 2-means
_LLOYD_ROUNDS = 12
_VOTE_SHARPNESS = 6.0


class Membership(NamedTuple):
    """Role and team of every track, in the order of `tracks`.

    `teams` holds `a`, `b`, `none` (referees) or None (not known); `scores` (N,) is the share of the
    person's looks, weighed by their clearness, that speak for it.
    """

    tracks: NDArray[np.int32]
    roles: list[str]
    teams: list[str | None]
    scores: NDArray[np.float64]


def find_teams(
    tracks: pa.Table,
    detections: pa.Table,
    appearance: pa.Table,
    *,
    goalkeepers: bool = True,
) -> Membership:
    """Cluster the kits of all tracks into two teams (or one), and tell outsiders apart by role.

    Deterministic. Team `a` is the one that stands further left in the picture on average.
    """
    ids = np.unique(tracks["track"].to_numpy())
    looks = looks_of_tracks(tracks, appearance)
    roles = _role_probabilities(tracks, detections, ids)
    is_referee = roles[:, 1] > _ROLE_PROBABILITY
    is_keeper = goalkeepers & (roles[:, 0] > _ROLE_PROBABILITY) & ~is_referee
    means, weights = mean_kits(looks.vectors, looks.quality, looks.track, ids)
    known = weights > 0
    eligible = known & ~is_referee & ~is_keeper
    centres = team_centres(means[eligible], weights[eligible])
    if centres is None:
        return Membership(
            ids.astype(np.int32),
            [_role(referee, keeper) for referee, keeper in zip(is_referee, is_keeper, strict=True)],
            [NO_TEAM if referee else None for referee in is_referee],
            np.zeros(len(ids)),
        )
    distances = kit_distances(means, centres)
    outsider = _outsiders(distances, centres, eligible) & known
    # A kit unlike both teams': a keeper where the detector leans to that, otherwise a referee.
    leans_keeper = goalkeepers & (roles[:, 0] > roles[:, 1])
    is_keeper |= outsider & ~is_referee & leans_keeper
    is_referee |= outsider & ~is_keeper
    order = _left_first(tracks, ids, distances, eligible & ~outsider)
    votes = _votes(looks.vectors, looks.quality, looks.track, ids, centres[order])
    teams: list[str | None] = []
    scores = np.zeros(len(ids))
    for row in range(len(ids)):
        if is_referee[row]:
            teams.append(NO_TEAM)
            scores[row] = max(roles[row, 1], 0.5)
        elif is_keeper[row] or not known[row]:
            teams.append(None)
        else:
            winner = int(np.argmax(votes[row]))
            teams.append(TEAMS[winner])
            scores[row] = votes[row, winner]
    _give_keepers_a_team(tracks, ids, is_keeper, teams, scores)
    return Membership(
        ids.astype(np.int32),
        [_role(referee, keeper) for referee, keeper in zip(is_referee, is_keeper, strict=True)],
        teams,
        scores,
    )


def _role(referee: bool, keeper: bool) -> str:
    if referee:
        return "referee"
    return "goalkeeper" if keeper else "player"


def _role_probabilities(
    tracks: pa.Table, detections: pa.Table, ids: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Mean probability of goalkeeper and referee of each track, shape (N, 2), weighed by score."""
    seen = tracks.filter(pa.compute.is_valid(tracks["detection"])).select(
        ["frame", "track", "detection"]
    )
    joined = seen.join(
        detections.select(["frame", "detection", "goalkeeper", "referee", "score"]),
        ["frame", "detection"],
        join_type="inner",
    )
    row = np.searchsorted(ids, joined["track"].to_numpy())
    weight = joined["score"].to_numpy().astype(float) ** 2
    total = np.bincount(row, weight, len(ids))
    sums = [
        np.bincount(row, weight * np.nan_to_num(joined[name].to_numpy()), len(ids))
        for name in ("goalkeeper", "referee")
    ]
    return np.stack([each / np.maximum(total, 1e-9) for each in sums], axis=1)


def mean_kits(
    vectors: NDArray[np.float64],
    quality: NDArray[np.float64],
    owner: NDArray[np.integer],
    ids: NDArray[np.integer],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean kit of each track in kit space, and its weight: 0 where it was hardly looked at."""
    row = np.searchsorted(ids, owner)
    space = kit_space(vectors)
    weights = np.bincount(row, quality, len(ids))
    means = (
        np.stack([np.bincount(row, quality * column, len(ids)) for column in space.T], axis=1)
        / np.maximum(weights, 1e-9)[:, None]
    )
    counts = np.bincount(row, minlength=len(ids))
    weights[counts < _FEWEST_LOOKS] = 0
    return means, np.sqrt(weights)


def team_centres(
    means: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Two team kits, or one where the kits do not fall into two groups; None with too few tracks."""
    if len(means) < 2:
        return None
    if len(means) < _FEWEST_TRACKS:
        return np.average(means, axis=0, weights=weights)[None]
    kept = np.ones(len(means), dtype=bool)
    centres = means[:0]
    for _ in range(_ROUNDS):
        centres = _two_means(means[kept], weights[kept])
        distances = kit_distances(means, centres)
        inside = ~_outsiders(distances, centres, np.ones(len(means), dtype=bool))
        if (inside == kept).all() or inside.sum() < _FEWEST_TRACKS:
            break
        kept = inside
    distances = kit_distances(means[kept], centres)
    nearest = distances.argmin(1)
    spread = np.average(distances.min(1), weights=weights[kept])
    apart = float(np.linalg.norm(centres[0] - centres[1]))
    if min(np.bincount(nearest, minlength=2)) == 0 or apart < max(
        _LEAST_APART, _LEAST_SEPARATION * spread
    ):
        return np.average(means[kept], axis=0, weights=weights[kept])[None]
    return centres


def _two_means(means: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted 2-means from every pair of heavy tracks as a start, the best of all: no chance in it."""
    heavy = np.argsort(-weights, kind="stable")[:_HEAVY]
    centres = means[heavy[np.stack(np.triu_indices(len(heavy), 1), axis=1)]]  # (starts, 2, numbers)
    for _ in range(_LLOYD_ROUNDS):
        nearest = _distances_of_pairs(means, centres).argmin(axis=1)
        mine = weights * (nearest == np.arange(2)[:, None, None])
        total = mine.sum(axis=2)
        moved = np.moveaxis(mine @ means, 0, 1) / np.maximum(total, 1e-12).T[:, :, None]
        moved = np.where((total > 0).all(axis=0)[:, None, None], moved, centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    # Absolute, not squared, distances: a keeper far from both teams must not found a cluster.
    cost = _distances_of_pairs(means, centres).min(axis=1) @ weights / weights.sum()
    best: NDArray[np.float64] = centres[int(np.round(cost, 12).argmin())]
    return best


def _distances_of_pairs(
    means: NDArray[np.float64], centres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of each of N means from the two centres of each of S pairs, shape (S, 2, N)."""
    squared = (centres**2).sum(axis=2)[:, :, None] + (means**2).sum(axis=1) - 2 * centres @ means.T
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def _outsiders(
    distances: NDArray[np.float64], centres: NDArray[np.float64], eligible: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tracks whose kit lies far from every team's, measured by the usual spread within teams."""
    nearest = distances.min(1)
    typical = np.median(nearest[eligible])
    limit = _OUTSIDER_SPREADS * typical
    if len(centres) == 2:
        limit = max(limit, _OUTSIDER_SHARE * float(np.linalg.norm(centres[0] - centres[1])))
    result: NDArray[np.bool_] = nearest > limit
    return result


def _votes(
    vectors: NDArray[np.float64],
    quality: NDArray[np.float64],
    owner: NDArray[np.integer],
    ids: NDArray[np.integer],
    centres: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Share of each track's looks for each team, shape (N, teams)."""
    distances = kit_distances(kit_space(vectors), centres)
    support = np.exp(-_VOTE_SHARPNESS * (distances - distances.min(1, keepdims=True)))
    support *= (quality / support.sum(1))[:, None]
    row = np.searchsorted(ids, owner)
    votes = np.stack([np.bincount(row, column, len(ids)) for column in support.T], axis=1)
    shares: NDArray[np.float64] = votes / np.maximum(votes.sum(1, keepdims=True), 1e-9)
    return shares


def _left_first(
    tracks: pa.Table,
    ids: NDArray[np.integer],
    distances: NDArray[np.float64],
    members: NDArray[np.bool_],
) -> list[int]:
    """Order of the centres by the mean place of their members in the picture, left first."""
    row = np.searchsorted(ids, tracks["track"].to_numpy())
    middle = tracks["x"].to_numpy() + tracks["w"].to_numpy() / 2
    nearest = distances.argmin(1)[row]
    places = [
        float(middle[members[row] & (nearest == team)].mean())
        if (members[row] & (nearest == team)).any()
        else np.inf
        for team in range(distances.shape[1])
    ]
    return [int(team) for team in np.argsort(places, kind="stable")]


def _give_keepers_a_team(
    tracks: pa.Table,
    ids: NDArray[np.integer],
    is_keeper: NDArray[np.bool_],
    teams: list[str | None],
    scores: NDArray[np.float64],
) -> None:
    """A keeper belongs to the team whose last men stand nearest to his side of the picture."""
    row = np.searchsorted(ids, tracks["track"].to_numpy())
    frame = tracks["frame"].to_numpy()
    middle = tracks["x"].to_numpy().astype(float) + tracks["w"].to_numpy() / 2
    for keeper in np.flatnonzero(is_keeper):
        his = row == keeper
        place = dict(zip(frame[his].tolist(), middle[his].tolist(), strict=True))
        margins = []
        for team in TEAMS:
            mates = np.array([name == team for name in teams])[row]
            chosen = mates & np.isin(frame, list(place))
            if not chosen.any():
                break
            margins.append(_last_men(frame[chosen], middle[chosen], place))
        if len(margins) < len(TEAMS):
            continue
        teams[keeper] = TEAMS[int(np.argmin(margins))]
        difference = abs(margins[0] - margins[1]) / max(*margins, 1e-9)
        scores[keeper] = 0.5 + 0.5 * min(1.0, float(difference))


def _last_men(
    frame: NDArray[np.integer], middle: NDArray[np.float64], keeper: dict[int, float]
) -> float:
    """Mean distance, along the picture, of a team's two players nearest to the keeper."""
    gap = np.abs(middle - np.array([keeper[each] for each in frame.tolist()]))
    order = np.lexsort((gap, frame))
    starts = np.flatnonzero(np.r_[True, np.diff(frame[order]) != 0])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return float(gap[order][rank < 2].mean())
