"""What a stage has found, kept on disk, whole or absent: a stopped training goes on behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from filmroom.train.unlabelled.background import Panorama
from filmroom.train.unlabelled.candidates import BodyHeight
from filmroom.train.unlabelled.footage import Shot
from filmroom.train.unlabelled.motion import MovingShot
from filmroom.train.unlabelled.players import ShotPlayers


def _write(path: Path, values: dict[str, Any]) -> None:
    aside = path.with_suffix(".partial")
    with aside.open("wb") as handle:
        np.savez_compressed(handle, **values)
    aside.replace(path)


def keep_bytes(path: Path, content: bytes) -> None:
    """Write aside, then rename: whole or absent."""
    aside = path.with_suffix(".partial")
    aside.write_bytes(content)
    aside.replace(path)


def keep_motion(path: Path, found: Sequence[MovingShot]) -> None:
    """Write what moves in the parts of one shot."""
    values: dict[str, Any] = {"count": len(found)}
    for index, each in enumerate(found):
        panorama = each.panorama
        ground = np.zeros((0, 0), bool) if each.ground is None else each.ground
        parts = {
            "rows": each.rows,
            "picture": panorama.picture,
            "counts": panorama.counts,
            "to_frame": panorama.to_frame,
            "known": panorama.known,
            "overlay": panorama.overlay,
            "ground": ground,
            "tau": each.tau,
            "labels": each.labels,
        }
        values |= {f"{index}-{name}": value for name, value in parts.items()}
    _write(path, values)


def kept_motion(path: Path, shot: Shot) -> list[MovingShot] | None:
    """What `keep_motion` wrote for this shot, or None where it has not."""
    if not path.exists():
        return None
    with np.load(path) as values:
        return [_one_motion(values, str(index), shot) for index in range(int(values["count"]))]


def _one_motion(values: Any, index: str, shot: Shot) -> MovingShot:
    def of(name: str) -> Any:
        return values[f"{index}-{name}"]

    panorama = Panorama(of("picture"), of("counts"), of("to_frame"), of("known"), of("overlay"))
    ground = of("ground")
    return MovingShot(
        shot, of("rows"), panorama, ground if ground.size else None, float(of("tau")), of("labels")
    )


def keep_players(path: Path, players: Sequence[ShotPlayers]) -> None:
    """Write who was found in each of the moving shots."""
    values: dict[str, Any] = {"count": len(players)}
    for index, each in enumerate(players):
        values[f"{index}-masks"] = np.stack(each.masks)
        values[f"{index}-counts"] = np.array([len(boxes) for boxes in each.boxes])
        values[f"{index}-boxes"] = np.concatenate(each.boxes)
        values[f"{index}-sure"] = np.concatenate(each.sure)
        values[f"{index}-height"] = np.array([each.height.base, each.height.slope])
        values[f"{index}-shot"] = each.motion.shot.name
        values[f"{index}-first"] = int(each.motion.rows[0])
    _write(path, values)


def kept_players(path: Path, shots: Sequence[MovingShot]) -> list[ShotPlayers] | None:
    """What `keep_players` wrote, or None where it has not."""
    if not path.exists():
        return None
    found = []
    by_name = {(each.shot.name, int(each.rows[0])): each for each in shots}
    with np.load(path) as values:
        for index in range(int(values["count"])):
            motion = by_name[str(values[f"{index}-shot"]), int(values[f"{index}-first"])]
            ends = np.cumsum(values[f"{index}-counts"])[:-1]
            base, slope = values[f"{index}-height"]
            found.append(
                ShotPlayers(
                    motion,
                    list(values[f"{index}-masks"]),
                    np.split(values[f"{index}-boxes"], ends),
                    np.split(values[f"{index}-sure"], ends),
                    BodyHeight(float(base), float(slope)),
                )
            )
    return found
