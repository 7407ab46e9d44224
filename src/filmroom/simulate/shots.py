"""Which camera is on the air when: one shot, or a director who cuts away and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filmroom.simulate.camera import CameraPath, follow
from filmroom.simulate.play import Play
from filmroom.simulate.rigs import CLOSE, CUTS, RIGS, rig_named


@dataclass(frozen=True)
class Shot:
    """A stretch filmed by one camera: frames `first` to `last`, `kind` as in
    `filmroom.tables.SHOT_KINDS`.

    `path` counts from the shot's first frame.
    """

    first: int
    last: int
    kind: str
    camera: str
    path: CameraPath


def plan_shots(
    play: Play, camera: str, size: tuple[int, int], rng: np.random.Generator, *, shake: float
) -> tuple[Shot, ...]:
    """The shots of a play, without gaps: one by the named camera, or for `cuts` the main camera with
    cutaways to close-ups and the sport's other cameras. `shake` is degrees rms.
    """
    frames = len(play)
    name = "broadcast" if camera == CUTS else camera
    main = follow(play, rig_named(play.sport.name, name), size, rng, shake=shake)
    if camera != CUTS:
        return (Shot(0, frames - 1, "main", camera, main),)
    shots: list[Shot] = []
    first = 0
    while first < frames:
        away = bool(shots) and shots[-1].kind == "main"
        seconds = rng.uniform(1.2, 3.5) if away else rng.uniform(4.0, 12.0)
        end = min(frames, first + max(2, round(seconds * play.fps)))
        if away:
            shots.append(_cutaway(play, first, end, size, rng, shake))
        else:
            shots.append(Shot(first, end - 1, "main", name, main.part(first, end)))
        first = end
    return tuple(shots)


def _cutaway(
    play: Play, first: int, end: int, size: tuple[int, int], rng: np.random.Generator, shake: float
) -> Shot:
    moment = play.part(first, end)
    others = [name for name in RIGS[play.sport.name] if name != "broadcast"]
    if rng.random() < 0.35:
        name = others[int(rng.integers(len(others)))]
        path = follow(moment, rig_named(play.sport.name, name), size, rng, shake=shake)
        return Shot(first, end - 1, "other", name, path)
    middle = len(moment) // 2
    apart = np.abs(moment.positions[middle] - moment.ball[middle, :2]).sum(axis=1)
    person = int(np.where(play.cast.teams >= 0, apart, np.inf).argmin())
    path = follow(
        moment, CLOSE, size, rng, shake=shake, subject=moment.positions[:, person].astype(float)
    )
    return Shot(first, end - 1, "close", "close", path)
