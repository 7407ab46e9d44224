"""The small network that foreground and displacement share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from filmroom.train.networks import conv

MULTIPLE = 16
"""Height and width of what goes in must be multiples of this."""


class UNet(nn.Module):
    """(N, inputs, H, W) to (N, outputs, H/2, W/2); 0.34 M parameters (Ronneberger et al. 2015)."""

    def __init__(self, inputs: int, outputs: int, widths: tuple[int, ...] = (16, 32, 64, 96)) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = inputs
        for width in widths:
            self.down.append(nn.Sequential(conv(before, width, 3, 2), conv(width, width)))
            before = width
        self.up = nn.ModuleList(
            conv(widths[i] + widths[i - 1], widths[i - 1]) for i in range(len(widths) - 1, 0, -1)
        )
        self.out = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        seen = []
        for layer in self.down:
            x = layer(x)
            seen.append(x)
        for layer, skip in zip(self.up, reversed(seen[:-1]), strict=True):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], 1))
        out: Tensor = self.out(x)
        return out
