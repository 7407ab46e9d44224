"""What an online tracker may be told: its motion model, its rounds of matching, its patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Similarity = Literal["evidence", "iou", "looks"]
Wanted = Literal["high", "low"]
Candidates = Literal["all", "confirmed", "seen", "lost", "unconfirmed"]


@dataclass(frozen=True)
class Round:
    """One round of matching what is still free, tracks against detections.

    similarity
        `evidence`: log-odds that both are the same person, summed over all cues; `iou`: overlap;
        `looks`: less the sum of the distances of looks (1 - cosine) and of boxes (SSAT eq. 1 and 2).
    least
        Pairs below this are never matched (log-odds, IoU, or less the greatest distance).
    expansion
        Share of width and height by which every side grows before the overlap is taken (C-BIoU).
    detections
        `high` or `low` scores.
    tracks
        `confirmed`: all that have an id; `seen`: those seen in the previous frame; `lost`: those that
        were not; `unconfirmed`: those still on trial.
    from_last
        Compare with the last box seen instead of the predicted one (OC-SORT's recovery).
    momentum
        Weight of agreement with the direction of motion (OC-SORT); `iou` only. It takes part in the
        choice, `least` is asked of the overlap alone.
    score_weighted
        Multiply the overlap by the detection's score before matching (ByteTrack's fusion).
    looks, distance
        Weights of both distances; `looks` only.
    whole
        Match for the best total of all pairs and strike out those below `least` afterwards, as the
        well-known trackers do, instead of matching for what exceeds `least`.
    """

    similarity: Similarity = "evidence"
    least: float = 0.0
    expansion: float = 0.0
    detections: Wanted = "high"
    tracks: Candidates = "all"
    from_last: bool = False
    momentum: float = 0.0
    score_weighted: bool = False
    looks: float = 1.0
    distance: float = 1.0
    whole: bool = False


@dataclass(frozen=True)
class Noise:
    """How far motion and boxes stray, standard deviations as shares of the box height.

    `position` and `speed` are added every step of 1/25 s, `size` and `size_speed` likewise to the
    sides; `measured` is that of a box seen, which grows by the share `by_score` where its score is low.
    With `by_side` all are shares of the box's own width and height, as they change, instead. With
    `by_area` the sides are followed as area and aspect, in pixels, and the aspect has no speed.
    `first`, `first_size`, `first_speed` and `first_size_speed` are those of a new track; the first two
    are as measured where they are None, the last ten times `size_speed`. `damping` is the share of
    speed kept each step while a track is not seen.
    """

    position: float
    speed: float
    size: float
    size_speed: float
    measured: float
    measured_size: float
    first_speed: float
    damping: float = 1.0
    first: float | None = None
    first_size: float | None = None
    first_size_speed: float | None = None
    by_score: float = 2.0
    by_side: bool = False
    by_area: bool = False


ADAPTIVE_NOISE = Noise(
    position=0.01,
    speed=0.008,
    size=0.02,
    size_speed=0.0,
    measured=0.03,
    measured_size=0.06,
    first_speed=0.1,
    damping=0.96,
)
SORT_NOISE = Noise(
    position=0.1,
    speed=0.1,
    size=0.1,
    size_speed=0.1,
    measured=0.1**0.5,
    measured_size=0.1**0.5,
    first_speed=1.0,
    first=1.0,
    first_size=1.0,
    first_size_speed=1.0,
    by_score=0.0,
)
"""As in Roboflow `trackers` 2.6: variances of 0.01 for motion, 0.1 for a box seen, 1 at the start.

Only their ratios matter, so that they hold for boxes of any size.
"""
BOT_NOISE = Noise(
    position=1 / 20,
    speed=1 / 160,
    size=1 / 20,
    size_speed=1 / 160,
    measured=1 / 20,
    measured_size=1 / 20,
    first_speed=10 / 160,
    first=2 / 20,
    first_size=2 / 20,
    first_size_speed=10 / 160,
    by_score=0.0,
    by_side=True,
)
"""As published with BoT-SORT, and in `trackers` 2.6: shares of the box's sides."""
OC_NOISE = Noise(
    position=1.0,
    speed=0.1,
    size=1.0,
    size_speed=0.01,
    measured=1.0,
    measured_size=10**0.5,
    first_speed=100.0,
    first=10**0.5,
    first_size=10**0.5,
    first_size_speed=100.0,
    by_score=0.0,
    by_area=True,
)
"""As published with OC-SORT, and in `trackers` 2.6."""


@dataclass(frozen=True)
class TrackerSettings:
    """All settings of `Tracker`. Times are seconds, lengths shares of a box's own height.

    frame_rate
        Frames a second that `update` is called at.
    rounds
        Rounds of matching, in order.
    noise
        The motion model; with `average` above 0 it is the mean of that many last steps instead.
    high, low, start
        Scores: of the first rounds, of the later rounds, and least to start a track.
    memory
        How long a track that is not seen is remembered.
    confirm, confirm_first
        Frames in a row before a track has an id (1: at once), and whether those of the first frame
        that has any have one at once.
    on_trial_again
        Who comes back is on trial again and meanwhile given no id in the answers, while nobody is in
        the first `confirm` frames; nobody on trial is dropped before the others (OC-SORT).
    camera
        `boxes`: estimate camera motion from the boxes where no homography is given; `given`: use
        none but given ones; `none`: ignore even those.
    duplicate
        A new track is not started on a box that overlaps a matched one by more than this IoU.
    agility
        Times by which small things (below 0.4 of the median height, a ball) move less predictably.
    reupdate
        On return, replay the absence along a straight line (OC-SORT).
    silhouette, silhouette_doubt
        Weight of what silhouettes say, where they are given, and the log-odds within which another
        track must come before they are asked; `evidence` only.
    fresh
        Share of the newest look in what is remembered of a track's looks.
    looks_bounds
        Least and most log-odds of what looks say; `evidence` only.
    """

    frame_rate: float = 25.0
    rounds: tuple[Round, ...] = (
        Round("evidence", least=0.0),
        Round("evidence", least=1.0, detections="low"),
    )
    noise: Noise = ADAPTIVE_NOISE
    average: int = 0
    high: float = 0.5
    low: float = 0.1
    start: float = 0.6
    memory: float = 1.2
    confirm: int = 1
    confirm_first: bool = False
    on_trial_again: bool = False
    camera: Literal["boxes", "given", "none"] = "boxes"
    duplicate: float = 0.85
    agility: float = 6.0
    reupdate: bool = False
    silhouette: float = 1.0
    silhouette_doubt: float = 3.0
    fresh: float = 0.1
    looks_bounds: tuple[float, float] = (-4.0, 2.0)
    evidence_bias: float = 9.5
    evidence_tail: float = 4.0
    speed_limit: float = 7.0
    lost_doubt: float = 4.0
    place_spread: float = 0.1
    height_spread: float = 0.08
    width_spread: float = 0.25
    size_most: float = 7.0
