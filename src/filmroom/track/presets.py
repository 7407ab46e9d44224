"""Well-known trackers rebuilt from this room's parts, for comparison and for teaching."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from filmroom.errors import InputError
from filmroom.track.settings import (
    ADAPTIVE_NOISE,
    BOT_NOISE,
    OC_NOISE,
    SORT_NOISE,
    Round,
    TrackerSettings,
)

_PLAIN = TrackerSettings(
    noise=SORT_NOISE,
    camera="none",
    duplicate=1.0,
    agility=1.0,
    speed_limit=float("inf"),
    memory=1.2,  # 30 frames at the usual rate
)


def _in_three_rounds(first: float, second: float) -> tuple[Round, ...]:
    """BoT-SORT's rounds; the overlap is that of boxes grown by these shares."""
    return (
        Round("iou", 0.2, first, tracks="confirmed", score_weighted=True, whole=True),
        Round("iou", 0.5, second, detections="low", tracks="seen", whole=True),
        Round("iou", 0.3, first, tracks="unconfirmed", score_weighted=True, whole=True),
    )


_BOT_SORT = replace(
    _PLAIN,
    noise=BOT_NOISE,
    rounds=_in_three_rounds(0.0, 0.0),
    camera="given",
    high=0.6,
    low=0.1,
    start=0.7,
    confirm=2,
    confirm_first=True,
)

_SSAT = replace(
    _PLAIN,
    rounds=(
        Round("looks", least=-0.56, tracks="seen", from_last=True),
        Round("looks", least=-0.64, tracks="lost", from_last=True),
    ),
    high=0.5,
    low=0.5,
    start=0.5,
    memory=2.0,
    confirm=1,
    fresh=0.4,
)
_SEEN, _LOST = (replace(turn, from_last=False) for turn in _SSAT.rounds)

PRESETS = MappingProxyType(
    {
        "filmroom": TrackerSettings(),
        "sort": replace(
            _PLAIN,
            rounds=(Round("iou", 0.3, whole=True),),
            high=0.0,
            low=0.0,
            start=0.25,
            confirm=3,
        ),
        "bytetrack": replace(
            _PLAIN,
            rounds=(
                Round("iou", 0.1, whole=True),
                Round("iou", 0.1, detections="low", whole=True),
            ),
            high=0.6,
            low=0.0,
            start=0.7,
            confirm=2,
        ),
        "oc-sort": replace(
            _PLAIN,
            noise=OC_NOISE,
            rounds=(
                Round("iou", 0.3, momentum=0.2, whole=True),
                Round("iou", 0.3, from_last=True, whole=True),
            ),
            high=0.6,
            low=0.6,
            start=0.6,
            confirm=4,
            on_trial_again=True,
            reupdate=True,
        ),
        "bot-sort": _BOT_SORT,
        "c-biou": replace(_BOT_SORT, rounds=_in_three_rounds(0.3, 0.5), camera="none"),
        # Looks of one person are further apart the more of him is hidden, by more than boxes ever are:
        # at equal weights they break tracks. Of who was lost they say more than his place does.
        "ssat": replace(
            _SSAT,
            rounds=(replace(_SEEN, looks=0.1), replace(_LOST, looks=0.5)),
            noise=ADAPTIVE_NOISE,
            camera="boxes",
            fresh=0.1,
        ),
        "ssat-published": _SSAT,
    }
)
"""Settings by name. `filmroom` is the default; the others follow the published methods:

sort: Bewley et al. 2016; bytetrack: Zhang et al. 2022; oc-sort: Cao et al. 2023; bot-sort: Aharon et
al. 2022 (camera motion only where given); c-biou: Yang et al. 2023 (overlap of grown boxes). Thresholds
and noise are the defaults of Roboflow `trackers` 2.6, for 25 frames a second. ssat-published:
self-supervised appearance tracking, for which `update` must be given looks: weights 1 and 1, the last
box seen, thresholds 0.56 and 0.64, alpha 2, beta 0.4, which belong to the published network. ssat: the
same distance from the predicted box, the camera's motion undone, looks weighed for our network and
remembered for longer.
"""


def preset(name: str) -> TrackerSettings:
    """The settings of a preset; InputError where there is none of that name."""
    if name not in PRESETS:
        raise InputError(f"no tracker preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
