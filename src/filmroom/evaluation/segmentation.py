"""Region (J) and boundary (F) scores of object masks, as DAVIS 2017 (davis2017-evaluation ac7c43f).

Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR
2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filmroom.evaluation.matching import BoolArray, FloatArray

BOUNDARY_SHARE = 0.008
"""Tolerance of the boundary as a share of the picture's diagonal."""

_QUARTERS = 4


def region_score(truth: BoolArray, found: BoolArray) -> float:
    """J: intersection over union of two masks (height, width); 1 where both are empty."""
    union = np.count_nonzero(truth | found)
    return np.count_nonzero(truth & found) / union if union else 1.0


def boundary_score(truth: BoolArray, found: BoolArray, share: float = BOUNDARY_SHARE) -> float:
    """F: harmonic mean of how much of each boundary lies near the other's; 1 where both are empty."""
    reach = int(np.ceil(share * np.linalg.norm(truth.shape)))
    window = _window(truth | found, reach + 1)
    # Beyond the window there is no boundary; its last row and column are no border of the picture.
    edge_truth, edge_found = (_boundary(mask)[window] for mask in (truth, found))
    total_truth, total_found = np.count_nonzero(edge_truth), np.count_nonzero(edge_found)
    if not total_truth or not total_found:
        return float(total_truth == total_found)
    precision = np.count_nonzero(edge_found & _grown(edge_truth, reach)) / total_found
    recall = np.count_nonzero(edge_truth & _grown(edge_found, reach)) / total_truth
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def _window(mask: BoolArray, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def _boundary(mask: BoolArray) -> BoolArray:
    """Pixels that differ from their right, lower or lower right neighbour."""
    edge = np.zeros_like(mask)
    edge[:-1, :-1] = (
        (mask[:-1, :-1] ^ mask[:-1, 1:])
        | (mask[:-1, :-1] ^ mask[1:, :-1])
        | (mask[:-1, :-1] ^ mask[1:, 1:])
    )
    edge[-1, :-1] = mask[-1, :-1] ^ mask[-1, 1:]
    edge[:-1, -1] = mask[:-1, -1] ^ mask[1:, -1]
    return edge


def _grown(edge: BoolArray, reach: int) -> BoolArray:
    # Here, not above: COCO's and MOTS' masks are scored without OpenCV.
    import cv2

    across = np.arange(-reach, reach + 1)
    disk = (across[:, None] ** 2 + across[None] ** 2 <= reach**2).astype(np.uint8)
    return np.asarray(cv2.dilate(edge.astype(np.uint8), disk), dtype=bool)


def object_scores(
    truth: NDArray[np.uint8], found: NDArray[np.uint8], objects: int
) -> tuple[FloatArray, FloatArray]:
    """J and F of objects 1 to `objects` in one frame of object numbers (height, width)."""
    pairs = [(truth == number, found == number) for number in range(1, objects + 1)]
    regions = np.array([region_score(*pair) for pair in pairs])
    return regions, np.array([boundary_score(*pair) for pair in pairs])


def statistics(values: FloatArray) -> dict[str, float]:
    """Mean, recall (share above 0.5) and decay (first quarter less last) over an object's frames."""
    bounds = np.round(np.linspace(1, len(values), _QUARTERS + 1) + 1e-10).astype(np.int64) - 1
    # The official code keeps these in 8 bits, which only goes well up to 256 frames; here it always
    # does.
    first = values[bounds[0] : bounds[1] + 1].mean()
    last = values[bounds[3] : bounds[4] + 1].mean()
    return {
        "Mean": float(values.mean()),
        "Recall": float((values > 0.5).mean()),
        "Decay": float(first - last),
    }
