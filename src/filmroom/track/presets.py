"""Well-known trackers rebuilt from this room's parts, for comparison and for teaching."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from filmroom.errors import InputError
from filmroom.track.settings import BYTE_NOISE, SORT_NOISE, Round, TrackerSettings

_PLAIN = TrackerSettings(
    noise=SORT_NOISE, camera="none", duplicate=1.0, agility=1.0, speed_limit=float("inf")
)

PRESETS = MappingProxyType(
    {
        "filmroom": TrackerSettings(),
        "sort": replace(
            _PLAIN,
            rounds=(Round("iou", least=0.3),),
            high=0.25,
            low=0.25,
            start=0.25,
            memory=1.2,
            confirm=3,
        ),
        "bytetrack": replace(
            _PLAIN,
            noise=BYTE_NOISE,
            rounds=(
                Round("iou", least=0.1),
                Round("iou", least=0.1, detections="low"),
            ),
            high=0.6,
            low=0.0,
            start=0.7,
            memory=1.2,
            confirm=2,
        ),
        "oc-sort": replace(
            _PLAIN,
            rounds=(
                Round("iou", least=0.3, momentum=0.2),
                Round("iou", least=0.3, from_last=True),
            ),
            high=0.6,
            low=0.6,
            start=0.6,
            memory=1.2,
            confirm=3,
            reupdate=True,
        ),
        "bot-sort": replace(
            _PLAIN,
            noise=BYTE_NOISE,
            rounds=(
                Round("iou", least=0.2, tracks="confirmed", score_weighted=True),
                Round("iou", least=0.5, detections="low", tracks="seen"),
                Round("iou", least=0.3, tracks="unconfirmed", score_weighted=True),
            ),
            camera="given",
            high=0.6,
            low=0.1,
            start=0.7,
            memory=1.2,
            confirm=2,
        ),
        "c-biou": replace(
            _PLAIN,
            noise=BYTE_NOISE,
            average=5,
            rounds=(
                Round("iou", least=0.2, expansion=0.3),
                Round("iou", least=0.2, expansion=0.5),
            ),
            high=0.1,
            low=0.1,
            start=0.6,
            memory=1.2,
            confirm=1,
        ),
        "ssat": replace(
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
        ),
    }
)
"""Settings by name. `filmroom` is the default; the others follow the published methods:

sort: Bewley et al. 2016; bytetrack: Zhang et al. 2022; oc-sort: Cao et al. 2023; bot-sort: Aharon et
al. 2022 (camera motion only where given); c-biou: Yang et al. 2023 (mean of the last steps, two rounds
of buffered overlap); ssat: self-supervised appearance tracking, for which `update` must be given
looks (thresholds 0.56 and 0.64, alpha 2, beta 0.4 as published; they belong to the published network).
"""


def preset(name: str) -> TrackerSettings:
    """The settings of a preset; InputError where there is none of that name."""
    if name not in PRESETS:
        raise InputError(f"no tracker preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
