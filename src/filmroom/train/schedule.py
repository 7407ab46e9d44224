"""What every recipe shares: seeding, averaging of weights, learning rate, checkpoints."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


def seed_everything(seed: int) -> None:
    """Seed Python and torch; NumPy is only used through generators."""
    random.seed(seed)
    torch.manual_seed(seed)


def fastest_device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def cosine_rate(step: int, steps: int, peak: float, warmup: int = 200) -> float:
    """Learning rate with linear warm-up and cosine decay to a hundredth of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


class WeightAverage:
    """Exponential moving average of a network's weights (Polyak averaging)."""

    def __init__(self, net: nn.Module, decay: float = 0.999) -> None:
        self.net = copy.deepcopy(net).eval()
        self.decay = decay
        for parameter in self.net.parameters():
            parameter.requires_grad_(False)

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Move towards the weights that `net` has after this step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        own = self.net.state_dict()
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                own[name].lerp_(value, 1 - decay)
            else:
                own[name].copy_(value)


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write aside, then rename: a checkpoint is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    torch.save(state, aside)
    aside.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The checkpoint at `path`, or None where there is none."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return state


def decayed_groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: weights decay, biases and normalisation do not."""
    return [
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]


def save_training(
    path: Path, net: nn.Module, average: WeightAverage, optimiser: torch.optim.Optimizer, step: int
) -> None:
    """A checkpoint after `step` steps from which `resume_training` goes on."""
    save_checkpoint(
        path,
        {
            "net": net.state_dict(),
            "average": average.net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
        },
    )


def resume_training(
    path: Path, net: nn.Module, average: WeightAverage, optimiser: torch.optim.Optimizer
) -> int:
    """Put everything back as `save_training` left it; the steps done, 0 without a checkpoint."""
    state = load_checkpoint(path)
    if state is None:
        return 0
    net.load_state_dict(state["net"])
    average.net.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def take_step(
    net: nn.Module,
    average: WeightAverage,
    optimiser: torch.optim.Optimizer,
    parts: dict[str, Tensor],
    *,
    step: int,
    rate: float,
    most_gradient: float | None = None,
) -> None:
    """Step number `step` down the sum of the losses `parts`, and the average moved along.

    Gradients are cut at the norm `most_gradient`, where given.
    """
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(parts.values())).sum().backward()
    if most_gradient is not None:
        nn.utils.clip_grad_norm_(net.parameters(), most_gradient)
    optimiser.step()
    average.update(net, step)


class Steps(Protocol):
    """How many steps of what rate, from which seed, saved how often: what recipes have in common."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def rate(self) -> float: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def checkpoint_every(self) -> int: ...  # noqa: D102


def train_in_steps(
    net: nn.Module,
    average: WeightAverage,
    optimiser: torch.optim.Optimizer,
    checkpoint: Path,
    recipe: Steps,
    losses: Callable[[np.random.Generator], dict[str, Tensor]],
    tell: Callable[[int, int, dict[str, float]], None],
    *,
    warmup: int,
    most_gradient: float | None = None,
) -> None:
    """Train from `checkpoint`, or the start, to the last step of the recipe, saving on the way.

    `losses` are those of a batch drawn with the generator of its step, so that a resumed training sees
    what an undisturbed one sees. `tell` is given step, steps and losses now and then. Gradients are cut
    at the norm `most_gradient`, where given.
    """
    start = resume_training(checkpoint, net, average, optimiser)
    net.train()
    for step in range(start, recipe.steps):
        parts = losses(np.random.default_rng([recipe.seed, step]))
        rate = cosine_rate(step, recipe.steps, recipe.rate, warmup=warmup)
        take_step(net, average, optimiser, parts, step=step, rate=rate, most_gradient=most_gradient)
        if (step + 1) % 20 == 0 or step + 1 == recipe.steps:
            tell(step + 1, recipe.steps, {name: value.item() for name, value in parts.items()})
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            save_training(checkpoint, net, average, optimiser, step + 1)
