import msgspec
import numpy as np

import filmroom
from filmroom import tables
from filmroom.geometry.boxes import ious
from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.resolving import resolve_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.pitch import sport_named

PICTURE = (640, 360)


def resolved(seen):
    return resolve_observations(seen, fps=25, picture=PICTURE, sport=sport_named("soccer"))


def test_a_player_whom_the_detector_doubts_is_followed_for_his_kit(run):
    seen = read_observations(RunFolder(run), PICTURE[1])
    players = {row["track"]: row for row in filmroom.load(run).players.arrow.to_pylist()}
    tracks = resolved(seen).tracks
    ids, counts = np.unique(tracks["track"].to_numpy(), return_counts=True)
    in_team = [n for n, track in enumerate(ids.tolist()) if players[track]["team"] in ("a", "b")]
    taker = ids[max(in_team, key=lambda n: counts[n])]
    his = tracks.filter(tracks["track"].to_numpy() == taker)
    boxes, keys = tables.boxes_of(his), tables.detection_keys(his)
    doubted = np.isin(tables.detection_keys(seen.detections), keys)
    scores = np.where(doubted, 0.2, seen.detections["score"].to_numpy())
    doubting = msgspec.structs.replace(
        seen, detections=tables.with_column(seen.detections, "score", scores.astype(np.float32))
    )
    again = resolved(doubting).tracks
    found = 0
    for frame, box in zip(his["frame"].to_pylist(), boxes, strict=True):
        here = tables.boxes_of(again.filter(again["frame"].to_numpy() == frame))
        found += bool((ious(box[None], here) > 0.7).any())
    assert found > 0.8 * len(boxes)
    # Nobody vouches for whom nothing is known of.
    unseen = msgspec.structs.replace(doubting, appearance=tables.APPEARANCE.empty())
    alone = resolved(unseen).tracks
    assert not np.isin(keys, tables.detection_keys(alone.filter(alone["detection"].is_valid()))).any()
