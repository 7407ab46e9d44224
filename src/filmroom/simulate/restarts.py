"""Where everybody goes while the ball waits to be put into play: corners, free kicks, penalties.

All places are metres on the surface; a side of +1 is the goal at +x. Counts and distances after what
broadcasts show: six or seven attackers and nearly all defenders packed before the goal at a corner.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
People = NDArray[np.int64]

WALL_DISTANCE = 9.15
"""Metres opponents keep from a free kick (IFAB Law 13)."""

_PITCH_HALF = 34.0


def corner_places(
    goal: FloatArray,
    corner: FloatArray,
    attackers: People,
    defenders: People,
    rng: np.random.Generator,
) -> dict[int, FloatArray]:
    """Person to place at a corner kick; `attackers` and `defenders` from the foremost to the last.

    `goal` is the middle of the goal line, `corner` where the ball lies. Taker and keeper are not among
    the people. Distances shrink with the surface's half width against a soccer pitch's.
    """
    inward = -math.copysign(1.0, goal[0])
    unit = min(1.0, abs(float(corner[1])) / _PITCH_HALF)
    inside = max(3, round(len(attackers) * rng.uniform(0.6, 0.8)))
    centre = np.array([rng.uniform(4.0, 8.0), rng.normal(0.0, 1.6)]) * unit
    # Sometimes one tight pack, sometimes two or three knots of people.
    knots = np.stack([rng.uniform(3.0, 9.5, 3), rng.uniform(-5.0, 5.0, 3)], axis=1) * unit
    tight = rng.random() < 0.5
    places: dict[int, FloatArray] = {}
    for order, person in enumerate(attackers.tolist()):
        if order < inside:
            middle = centre if tight else knots[order % 3]
            spot = middle + rng.normal(0.0, 1.3 if tight else 0.8, 2) * unit
            spot[0] = max(spot[0], 1.2 * unit)
        elif order == inside and rng.random() < 0.4:
            spot = np.array([4.0, math.copysign(abs(corner[1]) - 7.0 * unit, corner[1])])
        elif order <= inside + 1:
            spot = np.array([rng.uniform(17.0, 23.0), rng.uniform(-12.0, 12.0)]) * unit
        else:
            spot = np.array([rng.uniform(38.0, 50.0), rng.uniform(-10.0, 10.0)]) * unit
        places[person] = _from_goal(goal, inward, spot)
    packed = [places[person] for person in attackers[:inside].tolist()]
    zone = [(4.5, -3.2), (5.0, 0.0), (4.5, 3.2), (1.0, math.copysign(3.0, corner[1]))]
    zonal = int(rng.integers(1, len(zone) + 1))
    away = int(rng.integers(0, 2))
    for order, person in enumerate(defenders.tolist()):
        if order < away:
            spot = np.array([rng.uniform(20.0, 42.0), rng.uniform(-8.0, 8.0)]) * unit
            places[person] = _from_goal(goal, inward, spot)
        elif order < away + zonal:
            spot = (np.array(zone[order - away]) + rng.normal(0.0, 0.4, 2)) * unit
            places[person] = _from_goal(goal, inward, spot)
        else:
            man = packed[(order - away - zonal) % len(packed)]
            towards = goal - man
            towards = towards / max(float(np.hypot(*towards)), 0.1)
            places[person] = man + towards * rng.uniform(0.45, 0.9) + rng.normal(0.0, 0.2, 2)
    return places


def free_kick_places(
    goal: FloatArray,
    ball: FloatArray,
    attackers: People,
    defenders: People,
    rng: np.random.Generator,
) -> dict[int, FloatArray]:
    """Person to place at a free kick near enough to a goal for a wall or a cross."""
    inward = -math.copysign(1.0, goal[0])
    towards = goal - ball
    distance = max(float(np.hypot(*towards)), 1.0)
    towards = towards / distance
    aside = np.array([-towards[1], towards[0]])
    central = abs(float(towards[1])) < 0.6
    size = int(rng.integers(3, 6)) if central else int(rng.integers(1, 3))
    lean = rng.uniform(-1.0, 1.0)
    places: dict[int, FloatArray] = {}
    for order, person in enumerate(defenders[:size].tolist()):
        step = (order - (size - 1) / 2) * 0.48 + lean
        places[person] = ball + towards * min(WALL_DISTANCE, 0.6 * distance) + aside * step
    # The others stand in one line across, attackers mixed among them.
    line = float(np.clip(abs(ball[0] - goal[0]) - WALL_DISTANCE, 6.0, 17.0))
    middle = -math.copysign(rng.uniform(0.0, 5.0), ball[1])
    inside = max(2, round(0.6 * len(attackers)))
    rest = defenders[size:]
    for people, depth in ((attackers[:inside], line), (rest[: max(2, len(rest) - 1)], line - 0.5)):
        for person in people.tolist():
            spot = np.array([depth + rng.normal(0.0, 0.5), middle + rng.normal(0.0, 4.2)])
            places[person] = _from_goal(goal, inward, spot)
    for person in [*attackers[inside:].tolist(), *rest[max(2, len(rest) - 1) :].tolist()]:
        spot = np.array([rng.uniform(30.0, 45.0), rng.uniform(-14.0, 14.0)])
        places[person] = _from_goal(goal, inward, spot)
    return places


def penalty_places(
    goal: FloatArray, depth: float, people: People, rng: np.random.Generator
) -> dict[int, FloatArray]:
    """Everybody but taker and keeper round the edge of the area and its arc."""
    inward = -math.copysign(1.0, goal[0])
    across = np.linspace(-0.55, 0.55, len(people)) * 2.4 * depth * 0.5
    order = rng.permutation(len(people))
    return {
        int(person): _from_goal(
            goal,
            inward,
            np.array([depth + 1.0 + 2.8 * math.exp(-((across[i] / 6.0) ** 2)), across[i]])
            + rng.normal(0.0, 0.4, 2),
        )
        for person, i in zip(people.tolist(), order.tolist(), strict=True)
    }


def _from_goal(goal: FloatArray, inward: float, spot: FloatArray) -> FloatArray:
    """A place given as metres in front of the goal line and across."""
    return np.array([goal[0] + inward * spot[0], goal[1] + spot[1]])
