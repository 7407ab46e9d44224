"""Silhouettes of real people for nothing: on grass, whatever does not look like the grass around it.

They serve to learn from and to measure by, so they are few and sure rather than many: people near
lines, boards or each other are left out, and pixels in doubt are marked as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.geometry import boxes as box_geometry

BACKGROUND, PERSON, UNKNOWN = 0, 1, 2
_AROUND = 0.4  # share of the box that is looked at on each side
_SMALLEST = 22  # pixels of height
_GRASS, _OTHER = 2.2, 3.6  # Mahalanobis distances up to which it is grass, from which it is not
_RIM_GRASS, _RIM_BODY = 0.38, 0.58  # the same as shares of the strongest nearby, where both meet


class LabelledCrop(NamedTuple):
    """A crop of a picture, RGB, with a label a pixel; `box` is the person's, in the crop."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    box: NDArray[np.float64]


def grass_silhouettes(
    picture: NDArray[np.uint8], people: NDArray[np.floating[Any]]
) -> Iterator[LabelledCrop]:
    """Labelled crops of those people (N, 4) who stand clear on even grass."""
    height, width = picture.shape[:2]
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab).astype(np.float32)
    overlap = box_geometry.intersections(people, people)
    np.fill_diagonal(overlap, 0)
    for index, box in enumerate(people):
        if box[3] < _SMALLEST or overlap[index].sum() > 0.1 * box[2] * box[3]:
            continue
        x, y, w, h = box
        left, top = max(0, int(x - _AROUND * w)), max(0, int(y - 0.6 * _AROUND * h))
        right = min(width, int(x + w + _AROUND * w) + 1)
        bottom = min(height, int(y + h + 0.6 * _AROUND * h) + 1)
        region = (slice(top, bottom), slice(left, right))
        taken = people - np.array([left, top, 0, 0])
        labels = _label(picture[region], lab[region], taken, index)
        if labels is not None:
            yield LabelledCrop(picture[region].copy(), labels, taken[index])


def _label(
    pixels: NDArray[np.uint8], lab: NDArray[Any], boxes: NDArray[np.floating[Any]], own: int
) -> NDArray[np.uint8] | None:
    inside = _box_mask(lab.shape, boxes[own], 0.04)
    others = np.zeros_like(inside)
    for index, box in enumerate(boxes):
        if index != own:
            others |= _box_mask(lab.shape, box, 0.1)
    ring = ~inside & ~others
    if ring.sum() < 60:
        return None
    colours = lab[ring]
    mean, spread = np.median(colours, axis=0), np.cov(colours.T)
    for _ in range(2):
        inverse = np.linalg.inv(spread + np.diag([9.0, 2.0, 2.0]))
        near = colours[_distance(colours, mean, inverse) < 2.5]
        if len(near) < 40:
            return None
        mean, spread = near.mean(0), np.cov(near.T)
    if mean[1] > 124 or mean[2] < 130 or spread.trace() > 250:
        return None  # not green, or not even
    distance = _distance(lab, mean, np.linalg.inv(spread + np.diag([9.0, 2.0, 2.0])))
    if (distance[ring] > _OTHER).mean() > 0.06:
        return None  # a line, a board or somebody without a box
    grass = pixels[ring].astype(np.float32).mean(0)
    length = pixels @ grass / (grass @ grass)
    rest = np.linalg.norm(pixels - length[:, :, None] * grass, axis=2)
    shadow = (length > 0.4) & (length < 0.95) & (rest < 0.12 * np.linalg.norm(grass))
    grassy, body = distance < _GRASS, (distance > _OTHER) & inside & ~shadow
    # Blur and colour subsampling make a rim half body, half grass: its middle is the outline.
    reach = np.ones((5, 5), np.uint8)
    at_rim = cv2.dilate(grassy.astype(np.uint8), reach) > 0
    strongest = cv2.dilate(distance.astype(np.float32), reach)
    labels = np.full(inside.shape, UNKNOWN, np.uint8)
    labels[body & (~at_rim | (distance > _RIM_BODY * strongest))] = PERSON
    labels[grassy | (at_rim & (distance < _RIM_GRASS * strongest))] = BACKGROUND
    labels[others] = UNKNOWN
    return _cleaned(labels, inside, boxes[own])


def _cleaned(
    labels: NDArray[np.uint8], inside: NDArray[np.bool_], box: NDArray[np.floating[Any]]
) -> NDArray[np.uint8] | None:
    """The labels with one connected person, or None where that is no whole person."""
    person = (labels == PERSON).astype(np.uint8)
    count, parts, facts, _ = cv2.connectedComponentsWithStats(person, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    area = facts[largest, cv2.CC_STAT_AREA]
    tall = facts[largest, cv2.CC_STAT_HEIGHT]
    if area < 0.8 * person.sum() or tall < 0.8 * box[3]:
        return None
    labels[(parts != largest) & (person > 0)] = UNKNOWN
    share = area / max(1, int(inside.sum()))
    if not 0.2 < share < 0.75:
        return None
    # Small gaps in a body are folds as green as the grass, not grass.
    closed = cv2.morphologyEx((labels == PERSON).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    labels[(closed > 0) & (labels == BACKGROUND)] = UNKNOWN
    return labels


def _distance(
    colours: NDArray[Any], mean: NDArray[Any], inverse: NDArray[Any]
) -> NDArray[np.floating[Any]]:
    away = colours - mean
    squared: NDArray[np.floating[Any]] = np.einsum("...i,ij,...j->...", away, inverse, away)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _box_mask(
    shape: tuple[int, ...], box: NDArray[np.floating[Any]], grown: float
) -> NDArray[np.bool_]:
    x, y, w, h = box
    columns, rows = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    across = (columns > x - grown * w) & (columns < x + w + grown * w)
    down = (rows > y - grown * h) & (rows < y + h + grown * h)
    return np.asarray(down[:, None] & across[None])
