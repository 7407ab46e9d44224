"""The networks behind the shipped weights, as torch modules.

Dense 3x3 convolutions throughout: on two ordinary cores they run several times faster in int8 than
depthwise ones of the same arithmetic.
"""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn


def conv(channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU: folds into one quantised operator on export."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return F.relu(x + self.second(self.first(x)))


class DetectorNet(nn.Module):
    """Centre-point detector at stride 4: (N, 3, H, W) RGB in 0..1 to (N, 11, H/4, W/4).

    Channels: heat logits of person, ball, hoop; log distances (in cells) to the left, top, right and
    bottom edge; logit of the predicted IoU; role logits player, goalkeeper, referee.
    H and W must be multiples of 32.
    """

    OUTPUTS = 11

    def __init__(
        self, widths: tuple[int, ...] = (32, 64, 128, 192), blocks: tuple[int, ...] = (2, 3, 4, 2)
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 3, 2), conv(16, widths[0], 3, 2))
        stages = []
        for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            layers: list[nn.Module] = [] if level == 0 else [conv(widths[level - 1], width, 3, 2)]
            layers += [Residual(width) for _ in range(count)]
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(
            conv(deep, shallow, 1) for shallow, deep in itertools.pairwise(widths)
        )
        self.fuse = nn.ModuleList(conv(width, width) for width in widths[:-1])
        self.head = conv(widths[0], 48)
        self.out = nn.Conv2d(48, self.OUTPUTS, 1)
        nn.init.constant_(self.out.bias[:3], -5.0)
        nn.init.constant_(self.out.bias[3:7], 1.0)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = self.stem(x)
        pyramid = []
        for stage in self.stages:
            x = stage(x)
            pyramid.append(x)
        for level in range(len(pyramid) - 2, -1, -1):
            up = F.interpolate(self.lateral[level](x), scale_factor=2.0, mode="nearest")
            x = self.fuse[level](pyramid[level] + up)
        out: Tensor = self.out(self.head(x))
        return out


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside the identity, widening four times (He et al. 2016)."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(conv(before, width, 1), conv(width, width, 3, stride))
        self.widen = nn.Sequential(
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        )
        self.beside = (
            nn.Identity()
            if before == 4 * width and stride == 1
            else nn.Sequential(
                nn.Conv2d(before, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.beside(x) + self.widen(self.narrow(x)))


class ResNet50(nn.Module):
    """ResNet-50 (He et al. 2016, table 1) that ends in a vector: (N, 3, H, W) to (N, length)."""

    def __init__(self, length: int = 512) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)]
        before = 64
        for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for index in range(count):
                layers.append(_Bottleneck(before, width, stride if index == 0 else 1))
                before = 4 * width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.out = nn.Linear(before, length, bias=False)
        self.level = nn.BatchNorm1d(length)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        out: Tensor = self.level(self.out(self.body(x)))
        return out
