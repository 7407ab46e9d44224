"""Players in every picture: foreground, candidate boxes, pools, the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.train.unlabelled.candidates import (
    BodyHeight,
    Candidates,
    find_candidates,
    fit_body_height,
    regions_of,
)
from filmroom.train.unlabelled.foreground import ForegroundNet, foreground_of
from filmroom.train.unlabelled.motion import MovingShot
from filmroom.train.unlabelled.player_pools import (
    PatchEmbedding,
    PoolRecipe,
    Pools,
    Tell,
    choose_players,
    cut_patches,
    embed,
    field_boxes,
    grow_pools,
    merged_boxes,
    pool_scores_against,
    strict_positives,
)

Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SEEN = 0.5  # probability from which the network alone is believed
_SEEN_MOVING = 0.2  # and what is enough where motion agrees
_MOST_PATCHES = 9000
_FEWEST_SINGLES = 30


@dataclass(frozen=True)
class ShotPlayers:
    """Who was found in the pictures of a moving shot, one entry a picture.

    masks (h, w) foreground; boxes (N, 4) in pixels of the small pictures; sure (N,) 0..1; `height`
    says how tall people are there.
    """

    motion: MovingShot
    masks: list[Mask]
    boxes: list[Boxes]
    sure: list[NDArray[np.float64]]
    height: BodyHeight


@dataclass(frozen=True)
class _Prepared:
    motion: MovingShot
    masks: list[Mask]
    candidates: list[Candidates]
    height: BodyHeight


def foreground_masks(net: ForegroundNet, motion: MovingShot) -> list[Mask]:
    """(T) of (h, w): what the network sees for certain, or a little where it moves; no graphics."""
    masks = []
    for picture, labels in zip(motion.pixels, motion.labels, strict=True):
        seen = foreground_of(net, picture)
        mask = (seen > _SEEN) | ((labels == 1) & (seen > _SEEN_MOVING))
        # Nothing was learnt about graphics: what is seen in them means nothing.
        masks.append(mask & ~motion.panorama.overlay)
    return masks


def find_players(
    masks: Sequence[list[Mask]], shots: Sequence[MovingShot], recipe: PoolRecipe, tell: Tell
) -> tuple[list[ShotPlayers], Pools]:
    """Players of all shots, of which `masks` are the foreground, and the pools they were chosen by.

    InputError where fewer than thirty compact single bodies are seen in all: nothing to start from.
    """
    rng = np.random.default_rng(recipe.seed)
    prepared = [
        each
        for seen, shot in zip(masks, shots, strict=True)
        if (each := _prepare(seen, shot, rng)) is not None
    ]
    patches, positive, negative = _first_pools(prepared, recipe, rng)
    if positive.sum() < _FEWEST_SINGLES:
        raise InputError(
            f"only {int(positive.sum())} single moving bodies were seen: too few to learn from;"
            " give a longer video or one with a steadier, wider view"
        )
    embedding, pools = grow_pools(patches, positive, negative, recipe, tell)
    vectors = embed(embedding, patches)
    means = (vectors[pools.positive].mean(axis=0), vectors[pools.negative].mean(axis=0))
    return [_choose(each, embedding, means) for each in prepared], pools


def _prepare(masks: list[Mask], shot: MovingShot, rng: np.random.Generator) -> _Prepared | None:
    regions = np.concatenate([regions_of(mask)[1] for mask in masks])
    height = fit_body_height(regions, rng)
    if height is None:
        return None
    return _Prepared(shot, masks, [find_candidates(mask, height) for mask in masks], height)


def _first_pools(
    prepared: Sequence[_Prepared], recipe: PoolRecipe, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Mask, Mask]:
    total = sum(len(found.boxes) + 10 for each in prepared for found in each.candidates)
    stride = max(1, -(-total // _MOST_PATCHES))
    patches, positive, negative = [], [], []
    for each in prepared:
        pixels = each.motion.pixels
        for row in range(0, len(pixels), stride):
            found = each.candidates[row]
            strict = strict_positives(found, each.height, recipe)
            singles = found.boxes[strict]
            merged = merged_boxes(found.boxes, rng, 6)
            field = field_boxes(singles, found.regions, each.motion.size, rng, 4)
            boxes = np.concatenate([found.boxes, merged, field])
            patches.append(cut_patches(pixels[row], boxes))
            made = len(boxes) - len(strict)
            positive.append(np.append(strict, np.zeros(made, bool)))
            negative.append(np.append(np.zeros(len(strict), bool), np.ones(made, bool)))
    if not patches:
        return np.zeros((0, 64, 32, 3), np.uint8), np.zeros(0, bool), np.zeros(0, bool)
    return np.concatenate(patches), np.concatenate(positive), np.concatenate(negative)


def _choose(
    prepared: _Prepared,
    embedding: PatchEmbedding,
    means: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> ShotPlayers:
    boxes, sure = [], []
    for picture, found in zip(prepared.motion.pixels, prepared.candidates, strict=True):
        scores = pool_scores_against(embed(embedding, cut_patches(picture, found.boxes)), *means)
        chosen, certainty = choose_players(found, scores, prepared.height)
        boxes.append(found.boxes[chosen])
        sure.append(certainty)
    return ShotPlayers(prepared.motion, prepared.masks, boxes, sure, prepared.height)
