"""Charts of scores as SVG text: lines over a threshold, precision over recall, histograms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 190, 40, 52
# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Chart:
    """Lines, or bars, over one axis; without a shared `x` each of `lines` is (2, N): x and y."""

    title: str
    x_label: str
    y_label: str
    x: NDArray[Any] | None
    lines: Mapping[str, NDArray[Any]]
    bars: bool = False

    def svg(self) -> str:
        """The chart as one SVG document."""
        series = {
            name: (np.asarray(values)[0], np.asarray(values)[1])
            if self.x is None
            else (np.asarray(self.x), np.asarray(values))
            for name, values in self.lines.items()
        }
        xs = np.concatenate([each[0] for each in series.values()] or [np.zeros(1)])
        ys = np.concatenate([each[1] for each in series.values()] or [np.zeros(1)])
        x_range = _extent(xs)
        y_range = (0.0, max(1.0, float(np.nanmax(ys)) * 1.05) if not self.bars else _top(ys))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            f'<text x="{_LEFT}" y="24" font-size="15">{escape(self.title)}</text>',
            *_axes(x_range, y_range, self.x_label, self.y_label),
        ]
        for index, (name, (x, y)) in enumerate(series.items()):
            parts += self._series(index, name, x, y, x_range, y_range)
        return "\n".join([*parts, "</svg>\n"])

    def _series(
        self,
        index: int,
        name: str,
        x: NDArray[Any],
        y: NDArray[Any],
        x_range: tuple[float, float],
        y_range: tuple[float, float],
    ) -> list[str]:
        colour = _COLOURS[index % len(_COLOURS)]
        dash = _DASHES[index // len(_COLOURS) % len(_DASHES)]
        right, bottom = _across(x, x_range), _down(y, y_range)
        if self.bars:
            width = max(1.0, (right[1] - right[0]) * 0.9 if len(right) > 1 else 20.0)
            floor = float(_down(np.zeros(1), y_range)[0])
            drawn = [
                f'<rect x="{a:.1f}" y="{b:.1f}" width="{width:.1f}" height="{floor - b:.1f}" '
                f'fill="{colour}"/>'
                for a, b in zip(right.tolist(), bottom.tolist(), strict=True)
            ]
        else:
            points = " ".join(
                f"{a:.1f},{b:.1f}" for a, b in zip(right.tolist(), bottom.tolist(), strict=True)
            )
            drawn = [
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
                f'stroke-dasharray="{dash}"/>'
            ]
        place = _TOP + 16 * index + 8
        start = _WIDTH - _RIGHT + 14
        return [
            *drawn,
            f'<line x1="{start}" x2="{start + 22}" y1="{place - 4}" y2="{place - 4}" '
            f'stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"/>',
            f'<text x="{start + 28}" y="{place}">{escape(name)}</text>',
        ]


def _extent(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if high > low else (low, low + 1)


def _top(values: NDArray[Any]) -> float:
    highest = float(np.nanmax(values))
    return highest * 1.05 if highest > 0 else 1.0


def _across(values: NDArray[Any], extent: tuple[float, float]) -> NDArray[np.float64]:
    share = (np.asarray(values, dtype=float) - extent[0]) / (extent[1] - extent[0])
    return np.asarray(_LEFT + share * (_WIDTH - _LEFT - _RIGHT))


def _down(values: NDArray[Any], extent: tuple[float, float]) -> NDArray[np.float64]:
    share = (np.asarray(values, dtype=float) - extent[0]) / (extent[1] - extent[0])
    return np.asarray(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM))


def _ticks(extent: tuple[float, float]) -> list[float]:
    """About five round numbers within the extent."""
    rough = (extent[1] - extent[0]) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(each for each in (1, 2, 2.5, 5, 10) if each * power >= rough * (1 - 1e-9))
    first, last = np.ceil(extent[0] / step - 1e-9), np.floor(extent[1] / step + 1e-9)
    decimals = max(0, int(np.ceil(-np.log10(step))) + 2)
    return [round(float(each * step), decimals) for each in np.arange(first, last + 1)]


def _axes(
    x_range: tuple[float, float], y_range: tuple[float, float], x_label: str, y_label: str
) -> list[str]:
    parts = []
    for value in _ticks(y_range):
        y = float(_down(np.array([value]), y_range)[0])
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        )
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in _ticks(x_range):
        x = float(_across(np.array([value]), x_range)[0])
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{value:g}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(
        f'<text transform="translate(16 {_HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return parts
