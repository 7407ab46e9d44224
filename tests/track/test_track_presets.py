"""The well-known trackers: the presets give the ids that their namesakes of `trackers` 2.6 give.

`peer_ids.csv` holds made-up boxes of people who run, hide and come back, with false ones, and beside
each box the id that those trackers gave it (0: none), numbered by first appearance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filmroom.track.presets import preset
from filmroom.track.tracker import Tracker

RECORDED = Path(__file__).with_name("peer_ids.csv")
SAME = ("sort", "bytetrack", "bot-sort", "c-biou", "oc-sort")


def recorded() -> np.ndarray:
    return np.genfromtxt(RECORDED, delimiter=",", names=True, deletechars="")


def frames() -> list[tuple[np.ndarray, np.ndarray]]:
    """Boxes and scores frame by frame."""
    table = recorded()
    boxes = np.column_stack([table[name] for name in "xywh"])
    edge = np.searchsorted(table["frame"], np.arange(1, int(table["frame"].max()) + 1))
    return list(zip(np.split(boxes, edge), np.split(table["score"], edge), strict=True))


def renumbered(ids: list[np.ndarray]) -> list[int]:
    """Ids in order of first appearance, 0 as it is."""
    known = {0: 0}
    return [known.setdefault(identity, len(known)) for identity in np.concatenate(ids).tolist()]


@pytest.mark.parametrize("name", SAME)
def test_a_preset_gives_the_ids_of_its_namesake(name: str) -> None:
    tracker = Tracker(preset(name))
    ids = [tracker.update(boxes, scores) for boxes, scores in frames()]
    assert renumbered(ids) == recorded()[name].astype(int).tolist()


def test_the_namesakes_differ_from_each_other_here() -> None:
    table = recorded()
    assert len({tuple(table[name].astype(int)) for name in SAME}) == len(SAME)


@pytest.mark.parametrize("name", SAME)
def test_the_record_is_what_the_namesake_gives(name: str) -> None:
    trackers, supervision = pytest.importorskip("trackers"), pytest.importorskip("supervision")
    kinds: dict[str, Any] = {
        "sort": trackers.SORTTracker,
        "bytetrack": trackers.ByteTrackTracker,
        "bot-sort": lambda: trackers.BoTSORTTracker(enable_cmc=False),
        "c-biou": trackers.CBIoUTracker,
        "oc-sort": trackers.OCSORTTracker,
    }
    tracker = kinds[name]()
    ids = []
    for boxes, scores in frames():
        corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        place = {"place": np.arange(len(boxes))}
        found = tracker.update(supervision.Detections(corners, confidence=scores, data=place))
        here = np.zeros(len(boxes), int)
        here[found.data["place"].astype(int)] = np.maximum(found.tracker_id + 1, 0)
        ids.append(here)
    assert renumbered(ids) == recorded()[name].astype(int).tolist()
