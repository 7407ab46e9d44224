"""`filmroom train appearance VIDEO…`: an embedding of people from raw video alone.

First every short clip is a class and its frames, cut at random, are the samples: what scenes look like.
Then every tracklet of every clip that surely holds one person is a class: what people look like.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from filmroom.errors import InputError
from filmroom.observe.embedding import HEIGHT, WIDTH
from filmroom.tables import EMBEDDING_LENGTH
from filmroom.train.appearance import (
    AppearanceRecipe,
    Batch,
    EmbeddingNet,
    LookSource,
    Tell,
    export_embedding,
    nearest_sheet,
    told_apart,
    train_embedding,
)
from filmroom.train.appearance_pictures import Looks, drawn_looks
from filmroom.train.networks import ResNet50
from filmroom.train.schedule import load_checkpoint
from filmroom.train.video_looks import frames_of_videos, looks_of_videos

log = logging.getLogger(__name__)

Recipe = Literal["default", "paper"]
StageTell = Callable[[str, int, int, dict[str, float]], None]

PAPER = AppearanceRecipe(
    steps=9600,  # 16 epochs of 1,600 clips of 24 frames, 64 a batch
    people=32,
    each=2,
    rate=1e-2,
    weight_decay=5e-4,
    margin=0.35,
    scale=30.0,
    contrast=0.0,
    steps_between_drops=2400,
)
"""The published setting: ResNet-50, 512 numbers, crops of 224 x 224, clips as the only classes."""

_GOOD, _FAIR = 0.9, 0.75  # chance that one person's looks are more alike than two people's


class FrameSource:
    """Batches of whole frames, cut at random to `size` (height, width); every clip is a class."""

    def __init__(
        self,
        frames: Sequence[NDArray[np.uint8]],
        clip: NDArray[np.int32],
        recipe: AppearanceRecipe,
        size: tuple[int, int],
    ) -> None:
        self.frames, self.recipe, self.size = frames, recipe, size
        self.classes = int(clip.max(initial=-1)) + 1
        self._rows = [np.flatnonzero(clip == one) for one in range(self.classes)]

    def batch(self, step: int, device: torch.device) -> Batch:
        """`people` clips, or all there are, and `each` cuts of each."""
        rng = np.random.default_rng([self.recipe.seed, 4, step])
        count = min(self.recipe.people, self.classes)
        clips = np.repeat(rng.permutation(self.classes)[:count], self.recipe.each)
        height, width = self.size
        pixels = np.empty((len(clips), height, width, 3), np.uint8)
        for cut, clip in zip(pixels, clips.tolist(), strict=True):
            frame = self.frames[int(rng.choice(self._rows[clip]))]
            top = int(rng.integers(frame.shape[0] - height + 1))
            left = int(rng.integers(frame.shape[1] - width + 1))
            part = frame[top : top + height, left : left + width]
            cut[:] = part[:, ::-1] if rng.random() < 0.5 else part
        labels = torch.from_numpy(clips.astype(np.int64)).to(device)
        return Batch(torch.from_numpy(pixels).to(device), labels, torch.zeros_like(labels))


@dataclass(frozen=True)
class Report:
    """What was learnt, told without labels. Chances are 0.5 for a guess and 1 at best."""

    videos: int
    seconds: float
    clips: int
    people: int
    looks: int
    apart: float
    apart_at_once: float
    verdict: str

    def lines(self) -> str:
        """For a person to read."""
        return (
            f"{self.videos} videos, {self.seconds:.0f} s: {self.clips} clips, {self.people} tracklets "
            f"that surely hold one person, {self.looks} looks at them\n"
            "Of tracklets kept aside, two looks at one are more alike than looks at two in "
            f"{self.apart:.1%} of the cases, {self.apart_at_once:.1%} where both are in view at once "
            f"(a guess: 50 %)\n{self.verdict}"
        )


def train_on_videos(
    videos: Sequence[Path],
    folder: Path,
    *,
    kind: Recipe = "default",
    recipe: AppearanceRecipe | None = None,
    steps: int | None = None,
    seed: int = 1,
    drawn: int = 480,
    parts: Path | None = None,
    resume: bool = False,
    tell: StageTell | None = None,
) -> Report:
    """Learn an embedding from raw videos: `folder/embedding.onnx`, a sheet and a report beside it.

    The sheet, `nearest.jpg`, is drawn anew every few minutes. `tell` is given stage, step, steps and
    losses now and then. `drawn` simulated people join those of the videos. With `kind` "paper" the
    published setting is trained on clips alone and left as `folder/paper.pt`: its vectors do not fit
    the ordinary pipeline. InputError where a video cannot be read or all show too few people.
    """
    if not videos:
        raise InputError("no video to learn from; name one or more")
    for video in videos:
        if not video.exists():
            raise InputError(f"{video}: no such file")
    folder.mkdir(parents=True, exist_ok=True)
    recipe = recipe or replace(PAPER if kind == "paper" else AppearanceRecipe(), seed=seed)
    recipe = replace(recipe, steps=steps or recipe.steps)
    if kind == "paper":
        return _as_published(videos, folder, recipe, resume=resume, tell=tell)
    found = looks_of_videos(videos, folder, parts=parts)
    learnt, held_out = hold_out_people(found.looks, seed)
    net, clips = _pretrained(videos, folder / "clips", recipe, resume=resume, tell=tell)
    if drawn:
        learnt = Looks.joined([learnt, drawn_looks(drawn, 8, seed)])
    weights = train_embedding(
        LookSource(learnt, recipe), net, EMBEDDING_LENGTH, folder, recipe,
        resume=resume, held_out=held_out, tell=_stage(tell, "people"),
        show=lambda seen: nearest_sheet(seen, found.looks, folder / "nearest.jpg"),
    )  # fmt: skip
    export_embedding(weights, folder / "embedding.onnx", learnt)
    nearest_sheet(net, found.looks, folder / "nearest.jpg")
    apart, at_once = told_apart(net, held_out)
    report = Report(
        found.videos,
        found.seconds,
        clips,
        int(found.looks.person.max(initial=-1)) + 1,
        len(found.looks),
        apart,
        at_once,
        _verdict(at_once if np.isfinite(at_once) else apart),
    )
    _write_report(folder, report)
    return report


def _stage(tell: StageTell | None, name: str) -> Tell | None:
    if tell is None:
        return None
    return lambda step, steps, losses: tell(name, step, steps, losses)


def hold_out_people(looks: Looks, seed: int, share: float = 0.15) -> tuple[Looks, Looks]:
    """What is learnt from, and a share of the groups of people, at least one, to measure on."""
    groups = int(looks.group.max(initial=-1)) + 1
    order = np.random.default_rng([seed, 5]).permutation(groups)
    count = np.bincount(looks.group, minlength=groups)
    several = order[count[order] > np.median(count)] if groups > 1 else order[:0]
    kept = np.isin(looks.group, several[: max(1, round(share * groups))])
    return looks.take(np.flatnonzero(~kept)), looks.take(np.flatnonzero(kept))


def _pretrained(
    videos: Sequence[Path],
    folder: Path,
    recipe: AppearanceRecipe,
    *,
    resume: bool,
    tell: StageTell | None,
) -> tuple[EmbeddingNet, int]:
    """A network that knows clips apart, and how many there were."""
    net = EmbeddingNet()
    frames, clip = frames_of_videos(videos, side=128)
    source = FrameSource(frames, clip, recipe, (HEIGHT, WIDTH))
    if source.classes < 2:
        log.info("one clip only: nothing to tell it from; people are learnt at once")
        return net, source.classes
    done = load_checkpoint(folder / "embedding.pt") if resume else None
    if done is not None:
        net.load_state_dict(done["net"])
        return net, source.classes
    folder.mkdir(parents=True, exist_ok=True)
    shorter = replace(recipe, steps=max(1, recipe.steps // 4), contrast=0.0)
    train_embedding(
        source, net, EMBEDDING_LENGTH, folder, shorter, resume=resume, tell=_stage(tell, "clips")
    )
    return net, source.classes


def _as_published(
    videos: Sequence[Path],
    folder: Path,
    recipe: AppearanceRecipe,
    *,
    resume: bool,
    tell: StageTell | None,
) -> Report:
    frames, clip = frames_of_videos(videos)
    source = FrameSource(frames, clip, recipe, (224, 224))
    if source.classes < 2:
        raise InputError("one clip only: nothing to tell it from; give more or longer videos")
    net: nn.Module = ResNet50(512)
    weights = train_embedding(
        source, net, 512, folder, recipe, resume=resume, tell=_stage(tell, "clips, as published")
    )
    weights.replace(folder / "paper.pt")
    report = Report(
        len(videos), float("nan"), source.classes, 0, 0, float("nan"), float("nan"),
        "clips alone were learnt: whether people are told apart shows on tracks only",
    )  # fmt: skip
    _write_report(folder, report)
    return report


def _verdict(chance: float) -> str:
    if not np.isfinite(chance):
        return "too few people to say whether this is good enough: give more or longer videos"
    if chance >= _GOOD:
        return "good enough to follow people by"
    if chance >= _FAIR:
        return "of some use beside motion; more or longer videos would help"
    return "not good enough: people look too much alike here, or too few were seen; rely on motion"


def _write_report(folder: Path, report: Report) -> None:
    (folder / "report.txt").write_text(report.lines() + "\n", encoding="utf-8")
    facts = {
        name: value if not isinstance(value, float) or np.isfinite(value) else None
        for name, value in vars(report).items()
    }
    (folder / "report.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
