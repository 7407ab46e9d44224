"""The shipped networks by name, each trained and exported by its own recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from filmroom import models
from filmroom.errors import InputError
from filmroom.train.appearance import AppearanceRecipe, train_general
from filmroom.train.ball import BallRecipe, fit_ball, train_ball
from filmroom.train.detector import DetectorRecipe, export_detector, train_detector
from filmroom.train.numbers import NumbersRecipe, export_numbers, train_numbers
from filmroom.train.segmenter import SegmenterRecipe, export_segmenter, train_segmenter
from filmroom.train.simulated import simulated_named

PARTS = ("detector", "segmenter", "numbers", "embedding", "ball")


def train_part(
    part: str,
    data: list[Path],
    folder: Path,
    *,
    resume: bool = False,
    steps: int | None = None,
    start_from: str | None = None,
    rate: float | None = None,
    seed: int = 1,
) -> Path:
    """Train one network and export it as `folder/<part>.onnx`, which `run --parts folder` uses.

    `data` are COCO folders and zips; among the detector's, `simulated:SPORT` stands for pictures that
    are drawn while it learns.
    `start_from` names a network or checkpoint whose weights are the start, or is `shipped`. `rate` is
    the highest learning rate in place of the detector's recipe's.
    """
    if part not in PARTS:
        raise InputError(f"no part {part!r} to train; choose one of {', '.join(PARTS)}")
    if start_from is not None and part != "detector":
        raise InputError(f"the {part} is trained from nothing; only the detector takes --start-from")
    if rate is not None and (part != "detector" or not rate > 0):
        raise InputError(f"cannot train the {part} at rate {rate:g}; a rate above 0, detector only")
    read = [path for path in data if part != "detector" or simulated_named(str(path), seed) is None]
    for path in read:
        if not path.exists():
            raise InputError(f"{path}: no such data; give a COCO folder or zip with --data")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{part}.onnx"
    if part == "detector":
        if not data:
            raise InputError(
                "the detector needs labelled pictures; give a COCO folder or zip with --data, "
                "or simulated:SPORT"
            )
        detector = DetectorRecipe(seed=seed)
        detector = replace(detector, steps=steps or detector.steps, rate=rate or detector.rate)
        sources = [simulated_named(str(path), seed) or path for path in data]
        earlier = models.model_file(part) if start_from == "shipped" else start_from
        weights = train_detector(
            sources, folder, detector, start_from=Path(earlier) if earlier else None, resume=resume
        )
        export_detector(weights, target, sources)
    elif part == "segmenter":
        segmenter = SegmenterRecipe(seed=seed)
        segmenter = replace(segmenter, steps=steps or segmenter.steps)
        export_segmenter(train_segmenter(data, folder, segmenter, resume=resume), target, data)
    elif part == "ball":
        if not data:
            raise InputError("the ball needs labelled pictures; give a COCO folder or zip with --data")
        ball = BallRecipe(seed=seed)
        ball = replace(ball, steps=steps or ball.steps)
        train_ball(data, folder, ball, resume=resume)
        fit_ball(data, folder, target, ball)
    elif part == "embedding":
        appearance = AppearanceRecipe(seed=seed)
        appearance = replace(appearance, steps=steps or appearance.steps)
        train_general(data, folder, appearance, resume=resume)
    else:
        numbers = NumbersRecipe(seed=seed)
        numbers = replace(numbers, steps=steps or numbers.steps)
        train_numbers(folder, numbers, data, resume=resume)
        export_numbers(folder, target)
    return target
