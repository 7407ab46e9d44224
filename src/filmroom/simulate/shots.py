"""Which camera is on the air when: one shot, or a director who cuts away and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from filmroom.simulate.camera import Camera, CameraPath, follow
from filmroom.simulate.play import Event, Play
from filmroom.simulate.rigs import CLOSE, CUTS, RIGS, Rig, held_out_rig, rig_named


@dataclass(frozen=True)
class Shot:
    """A stretch filmed by one camera: frames `first` to `last`, `kind` as in
    `filmroom.tables.SHOT_KINDS`.

    `path` counts from the shot's first frame. A replay shows the play from frame `source` on, each
    moment for 1 / `pace` frames; its path counts moments from `source`.
    """

    first: int
    last: int
    kind: str
    camera: str
    path: CameraPath
    source: int | None = None
    pace: float = 1.0

    def moment(self, frame: int) -> int:
        """The frame of the play that is shown in a frame of the film."""
        if self.source is None:
            return frame
        return self.source + int((frame - self.first) * self.pace)

    def view(self, frame: int) -> Camera:
        """The camera in a frame of the film."""
        start = self.first if self.source is None else self.source
        return self.path.at(self.moment(frame) - start)


def plan_shots(
    play: Play,
    camera: str,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    shake: float,
    held_out: bool = False,
) -> tuple[Shot, ...]:
    """The shots of a play, without gaps: one by the named camera, or for `cuts` the main camera with
    cutaways to close-ups and the sport's other cameras, and replays of what was worth
    it. `shake` is degrees rms; `held_out` matches have cameras of their own.
    """
    frames = len(play)
    name = "broadcast" if camera == CUTS else camera
    rig_named(play.sport.name, name)
    rigs = RIGS[play.sport.name]
    if held_out:
        rigs = {each: held_out_rig(rig) for each, rig in rigs.items()}
    main = follow(play, rigs[name], size, rng, shake=shake)
    if camera != CUTS:
        return (Shot(0, frames - 1, "main", camera, main),)
    shots: list[Shot] = []
    first = 0
    worth = [event for event in play.events if event.label in _SHOWN_AGAIN]
    while first < frames:
        away = bool(shots) and shots[-1].kind == "main"
        seconds = rng.uniform(1.2, 3.5) if away else rng.uniform(4.0, 12.0)
        end = min(frames, first + max(2, round(seconds * play.fps)))
        again = _to_show(worth, shots, first, play.fps) if away else None
        if again is not None:
            shots.append(_replay(play, again, first, frames, size, rng, shake, rigs))
        elif away:
            shots.append(_cutaway(play, first, end, size, rng, shake, rigs))
        else:
            shots.append(Shot(first, end - 1, "main", name, main.part(first, end)))
        first = shots[-1].last + 1
    return tuple(shots)


_SHOWN_AGAIN = (
    "GOAL", "SHOT", "SAVE", "FOUL", "PENALTY", "POINT", "TACKLE", "TOUCHDOWN", "FIELD GOAL ATTEMPT",
)  # fmt: skip
_RECENT, _BEFORE = 12.0, 2.4


def _to_show(worth: list[Event], shots: list[Shot], now: int, fps: float) -> Event | None:
    """The last moment worth a replay that was not shown again yet, some seconds after it happened."""
    shown = max((shot.source for shot in shots if shot.source is not None), default=-1)
    for event in reversed(worth):
        if 1.5 * fps < now - event.frame < _RECENT * fps and event.frame > shown + 3 * fps:
            return event
    return None


def _replay(
    play: Play,
    event: Event,
    first: int,
    frames: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    shake: float,
    rigs: dict[str, Rig],
) -> Shot:
    """The moment once more, slower and from another place."""
    source = max(0, event.frame - round(_BEFORE * play.fps))
    stop = min(first, event.frame + round(1.2 * play.fps))
    pace = float(rng.choice([0.33, 0.5, 0.66]))
    last = min(frames - 1, first + max(2, round((stop - source) / pace)) - 1)
    moment = play.part(source, stop)
    others = [name for name in rigs if name not in ("broadcast", "fixed", "drone")]
    if event.person >= 0 and (not others or rng.random() < 0.6):
        path = follow(
            moment, replace(CLOSE, figure=(0.25, 0.6)), size, rng, shake=shake,
            subject=moment.positions[:, event.person].astype(float),
        )  # fmt: skip
        return Shot(first, last, "replay", "close", path, source, pace)
    name = others[int(rng.integers(len(others)))] if others else "broadcast"
    path = follow(moment, rigs[name], size, rng, shake=shake)
    return Shot(first, last, "replay", name, path, source, pace)


def _cutaway(
    play: Play,
    first: int,
    end: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    shake: float,
    rigs: dict[str, Rig],
) -> Shot:
    moment = play.part(first, end)
    others = [name for name in rigs if name not in ("broadcast", "handheld")]
    if rng.random() < 0.35:
        name = others[int(rng.integers(len(others)))]
        path = follow(moment, rigs[name], size, rng, shake=shake)
        return Shot(first, end - 1, "other", name, path)
    middle = len(moment) // 2
    apart = np.abs(moment.positions[middle] - moment.ball[middle, :2]).sum(axis=1)
    shown = (play.cast.teams >= 0) & play.present[middle]
    person = int(np.where(shown, apart, np.inf).argmin())
    path = follow(
        moment, CLOSE, size, rng, shake=shake, subject=moment.positions[:, person].astype(float)
    )
    return Shot(first, end - 1, "close", "close", path)
