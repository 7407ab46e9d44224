"""Camera calibration by the lines it projects: JaC and completeness, equal to SoccerNet 0.2.0.

Magera et al., "A Universal Protocol to Benchmark Camera Calibration for Sports", CVPRW 2024;
evaluator matched: SoccerNet 0.2.0 (`Evaluation.CameraCalibration`) under NumPy 2, the one of
SoccerNet/sn-calibration ab38f46. Metres, origin at the centre mark, x to the right, y towards the
main camera, z down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from filmroom.errors import InputError
from filmroom.evaluation.matching import BoolArray, FloatArray, IntArray
from filmroom.formats.soccernet_calibration import Lines, PitchCamera

WIDTH, HEIGHT = 960, 540
"""The picture all scores are taken in."""

THRESHOLDS = (5, 10, 20)
"""Pixels."""

_SEGMENT_STEP, _CIRCLE_STEP, _RADIUS = 0.9, 0.2, 9.15
_X, _Y = 52.5, 34.0
_BIG_X, _BIG_Y, _SMALL_X, _SMALL_Y = 36.0, 20.16, 47.0, 9.16
_GOAL_Y, _GOAL_Z = 3.66, -2.44
_Point3 = tuple[float, float, float]


def _segments() -> dict[str, tuple[_Point3, _Point3]]:
    lines: dict[str, tuple[_Point3, _Point3]] = {}
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for word, x, y in (("Big", _BIG_X, _BIG_Y), ("Small", _SMALL_X, _SMALL_Y)):
            # Both run from the goal line inwards on the left and outwards on the right.
            first, second = (-_X, -x) if sign < 0 else (x, _X)
            for end, edge in (("bottom", y), ("top", -y)):
                lines[f"{word} rect. {side} {end}"] = ((first, edge, 0.0), (second, edge, 0.0))
            lines[f"{word} rect. {side} main"] = ((sign * x, -y, 0.0), (sign * x, y, 0.0))
        # Left and right of a goal are seen from the pitch, so they change with the side.
        left, right = -sign * _GOAL_Y, sign * _GOAL_Y
        goal = sign * _X
        ends = (right, left) if sign < 0 else (left, right)
        lines[f"Goal {side} crossbar"] = ((goal, ends[0], _GOAL_Z), (goal, ends[1], _GOAL_Z))
        name = "Goal left post left " if sign < 0 else "Goal right post left"
        lines[name] = ((goal, left, _GOAL_Z), (goal, left, 0.0))
        lines[f"Goal {side} post right"] = ((goal, right, _GOAL_Z), (goal, right, 0.0))
        lines[f"Side line {side}"] = ((goal, -_Y, 0.0), (goal, _Y, 0.0))
    for end, y in (("top", -_Y), ("bottom", _Y)):
        lines[f"Side line {end}"] = ((-_X, y, 0.0), (_X, y, 0.0))
    lines["Middle line"] = ((0.0, -_Y, 0.0), (0.0, _Y, 0.0))
    return lines


CLASSES: tuple[str, ...] = (*_segments(), "Circle central", "Circle left", "Circle right")
"""The 26 classes a camera projects; one of them ends in a blank, as in the data."""

_UNKNOWN = ("Goal unknown", "Line unknown")


def _mirror(name: str) -> str:
    """The class at the place opposite to the centre mark."""
    if name == "Goal left post left ":
        return "Goal right post left"
    if name == "Goal right post left":
        return "Goal left post left "
    if name.startswith("Goal") and name != "Goal unknown":
        head, _, tail = name.removeprefix("Goal ").partition(" ")
        return f"Goal {'right' if head == 'left' else 'left'} {tail}"
    swap = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
    return " ".join(swap.get(word, word) for word in name.split(" "))


MIRRORED: Mapping[str, str] = {name: _mirror(name) for name in (*CLASSES, *_UNKNOWN)}


@cache
def pitch_samples() -> tuple[FloatArray, IntArray, IntArray]:
    """Points on the lines (1187, 3) in metres, the class of each and its place within the class."""
    points: list[FloatArray] = []
    for first, second in _segments().values():
        start, end = np.array(first), np.array(second)
        length = float(np.sqrt(np.sum(np.square(start - end))))
        step = _SEGMENT_STEP * ((end - start) / np.linalg.norm(end - start))
        count = int(length / _SEGMENT_STEP - 1)
        # Added up one by one, as the official sampling, so that the last bits agree.
        steps = np.cumsum(np.vstack([start, np.tile(step, (count, 1))]), axis=0)
        points.append(np.vstack([steps, end]))
    points.append(_arc((0.0, 0.0), 0.0, 2 * np.pi, closed=False))
    reach = float(np.sqrt(_RADIUS**2 - (16.5 - 11.0) ** 2))
    for sign in (-1.0, 1.0):
        mark = sign * (_X - 11.0)
        angles = [np.arctan2(y, sign * _BIG_X - mark) + 2 * np.pi for y in (-reach, reach)]
        first, last = angles if sign < 0 else angles[::-1]
        points.append(
            _arc((mark, 0.0), first, last if last >= first else last + 2 * np.pi, closed=True)
        )
    sizes = [len(each) for each in points]
    places = np.concatenate([np.arange(size) for size in sizes])
    return np.concatenate(points), np.repeat(np.arange(len(sizes)), sizes), places


def _arc(centre: tuple[float, float], first: float, last: float, closed: bool) -> FloatArray:
    count = int(_RADIUS * (last - first) / _CIRCLE_STEP)
    angles = first + np.arange(count + 1 if closed else count) * (_CIRCLE_STEP / _RADIUS)
    if closed:
        angles = np.append(angles, last)
    x = centre[0] + np.cos(angles) * _RADIUS
    y = centre[1] + np.sin(angles) * _RADIUS
    return np.column_stack([x, y, np.zeros(len(angles))])


def project(camera: PitchCamera, points: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Pixels (N, 2) of points (N, 3), and whether they lie in front of the camera.

    Distorted picture coordinates are rounded to single precision, as the official code does.
    """
    seen = (points - np.array(camera.position_meters)) @ camera.rotation().T
    in_front = seen[:, 2] > 1e-3
    depth = np.where(in_front, seen[:, 2], 1.0)
    x, y = _distort(camera, seen[:, 0] / depth, seen[:, 1] / depth)
    u = x.astype(np.float32) * np.float32(camera.x_focal_length) + np.float32(camera.principal_point[0])
    v = y.astype(np.float32) * np.float32(camera.y_focal_length) + np.float32(camera.principal_point[1])
    return np.column_stack([u, v]).astype(np.float64), in_front


def _distort(camera: PitchCamera, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    k1, k2, k3, k4, k5, k6 = camera.radial_distortion
    p1, p2 = camera.tangential_distortion
    s1, s2, s3, s4 = camera.thin_prism_distortion
    r = np.sqrt(x * x + y * y)
    r2, r4, r6 = r**2, r**4, r**6
    radial = (1 + k1 * r2 + k2 * r4 + k3 * r6) / (1 + k4 * r2 + k5 * r4 + k6 * r6)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2) + s1 * r2 + s2 * r4,
        y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y**2) + s3 * r2 + s4 * r4,
    )


class Polylines(NamedTuple):
    """The lines a camera shows: points (N, 2) in pixels, ordered by class, and the class of each."""

    points: FloatArray
    labels: IntArray


def projected_lines(camera: PitchCamera) -> Polylines:
    """What a camera shows of the pitch, cut at the border of the picture.

    A class that leaves the picture and comes back is one line with a chord between, as officially.
    """
    points, labels, places = pitch_samples()
    pixels, in_front = project(camera, points)
    pixels, labels, places = pixels[in_front], labels[in_front], places[in_front]
    inside = _inside(pixels)
    joined = np.zeros(len(labels), dtype=bool)
    joined[1:] = labels[1:] == labels[:-1]
    was_inside = joined & np.roll(inside, 1)
    # Without a point before it there is no line to cut.
    entering = inside & ~was_inside & (places > 0) & joined
    crossing = np.flatnonzero(entering | (~inside & was_inside))
    cuts, found = _cut(pixels[crossing], pixels[crossing - 1])
    crossing, cuts = crossing[found], cuts[found]
    shown = np.flatnonzero(inside)
    order = np.argsort(np.concatenate([2 * crossing, 2 * shown + 1]), kind="stable")
    return Polylines(
        np.concatenate([cuts, pixels[shown]])[order],
        np.concatenate([labels[crossing], labels[shown]])[order],
    )


def _inside(pixels: FloatArray) -> BoolArray:
    x, y = pixels[..., 0], pixels[..., 1]
    inside: BoolArray = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
    return inside


def _cut(points: FloatArray, before: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Where the line through two points meets the border, nearest to the first; and whether it does."""
    sides = np.array([[1.0, 0, 0], [1, 0, -WIDTH + 1], [0, 1, 0], [0, 1, -HEIGHT + 1]])
    ones = np.ones((len(points), 1))
    here = np.hstack([points, ones])
    lines = np.cross(here, np.hstack([before, ones]))
    meets = np.cross(lines[:, None], sides[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        meets = meets / meets[:, :, 2:]
        distance = np.sqrt(np.sum(np.square(meets - here[:, None]), axis=2))
        distance = np.where(_inside(meets), distance, np.inf)
    nearest = np.argmin(distance, axis=1)
    rows = np.arange(len(points))
    return meets[rows, nearest, :2], np.isfinite(distance[rows, nearest])


def distances_to_lines(points: FloatArray, lines: Polylines) -> FloatArray:
    """Pixels from points (N, 2) to the line of each of CLASSES, (N, 26); infinite where not shown."""
    result = np.full((len(points), len(CLASSES)), np.inf)
    if not len(lines.points):
        return result
    same = np.flatnonzero(lines.labels[1:] == lines.labels[:-1])
    sizes = np.bincount(lines.labels, minlength=len(CLASSES))
    single = np.flatnonzero(sizes[lines.labels] == 1)
    to_ends = np.linalg.norm(points[:, None] - lines.points[None], axis=2)
    result[:, lines.labels[single]] = to_ends[:, single]
    if not len(same):
        return result
    start, along = lines.points[same], lines.points[same + 1] - lines.points[same]
    offset = points[:, None] - start[None]
    with np.errstate(divide="ignore", invalid="ignore"):
        foot = (offset * along).sum(axis=2) / (along**2).sum(axis=1)
        across = np.abs(offset[..., 0] * along[:, 1] - offset[..., 1] * along[:, 0])
        across = across / np.linalg.norm(along, axis=1)
    ends = np.minimum(to_ends[:, same], to_ends[:, same + 1])
    segment = np.where((foot > 0) & (foot < 1), across, ends)
    labels = lines.labels[same]
    first = np.flatnonzero(np.diff(labels, prepend=-1))
    result[:, labels[first]] = np.minimum.reduceat(segment, first, axis=1)
    return result


@dataclass(frozen=True)
class PictureScore:
    """One picture at one threshold, under the better of the normal and the mirrored labels.

    `right`, `wrong`, `missed` count classes; `points` holds right points, wrong points and missed
    points of each class name; `errors` the pixels of every point whose class is shown.
    """

    right: int
    wrong: int
    missed: int
    points: Mapping[str, tuple[float, float, float]]
    errors: Mapping[str, FloatArray]

    @property
    def accuracy(self) -> np.float32 | float:
        """Right classes over all, in single precision as officially."""
        total = self.right + self.wrong + self.missed
        return np.float32(self.right) / np.float32(total) if total else 0.0


def score_picture(
    lines: Lines, camera: PitchCamera, thresholds: Sequence[float] = THRESHOLDS
) -> list[PictureScore]:
    """The scores of a camera against the annotated lines, for every threshold in pixels.

    A class is right if all its points lie nearer than the threshold to its projection. Where normal and
    mirrored labels score the same, the mirrored are taken.
    """
    unknown = sorted(set(lines) - set(MIRRORED))
    if unknown:
        raise InputError(f"line class {unknown[0]!r} is not one of SoccerNet's")
    shown = projected_lines(camera)
    scale = np.array([WIDTH - 1, HEIGHT - 1])
    names = list(lines)
    distances = [distances_to_lines(lines[name] * scale, shown) for name in names]
    projected = [CLASSES[label] for label in np.unique(shown.labels)]
    results = []
    for threshold in thresholds:
        normal, mirrored = (
            _score_labels([change[name] for name in names], distances, projected, threshold)
            for change in ({name: name for name in names}, MIRRORED)
        )
        results.append(normal if normal.accuracy > mirrored.accuracy else mirrored)
    return results


def _score_labels(
    names: list[str], distances: list[FloatArray], projected: list[str], threshold: float
) -> PictureScore:
    right = wrong = missed = 0
    points: dict[str, tuple[float, float, float]] = {}
    errors: dict[str, FloatArray] = {}
    for name, table in zip(names, distances, strict=True):
        if name not in projected:
            missed += 1
            points[name] = (0, 0, len(table))
            continue
        # A view would keep the distances to all classes in memory.
        errors[name] = table[:, CLASSES.index(name)].copy()
        near = int((errors[name] < threshold).sum())
        points[name] = (near, len(table) - near, 0)
        right += near == len(table)
        wrong += near < len(table)
    for name in set(projected) - set(names):
        wrong += 1
        # A line that is not there counts by its ends, a circle by nine points.
        points[name] = (0, 9 if "Circle" in name else 2, 0)
    return PictureScore(right, wrong, missed, points, errors)


def summarise(scores: Sequence[PictureScore], pictures: int) -> dict[str, float | None]:
    """The official figures of one threshold; `pictures` counts those without a camera too."""
    precision = [
        np.float32(each.right) / np.float32(each.right + each.wrong)
        for each in scores
        if each.right + each.wrong
    ]
    recall = [
        np.float32(each.right) / np.float32(each.right + each.missed)
        for each in scores
        if each.right + each.missed
    ]
    # The mean of single precision figures is taken in single precision, as the official code does.
    return {
        "completeness": len(scores) / pictures,
        "meanAccuracies": float(np.mean([each.accuracy for each in scores])) if scores else None,
        "meanPrecision": float(np.mean(precision)) if precision else None,
        "meanRecall": float(np.mean(recall)) if recall else None,
    }


def summarise_classes(scores: Sequence[PictureScore]) -> dict[str, dict[str, float | int | None]]:
    """Accuracy, precision and recall of the points of each class, and the median error in pixels."""
    totals: dict[str, FloatArray] = {}
    errors: dict[str, list[FloatArray]] = {}
    for score in scores:
        for name, counts in score.points.items():
            totals[name] = totals.get(name, np.zeros(3)) + np.array(counts, dtype=float)
        for name, values in score.errors.items():
            errors.setdefault(name, []).append(values)
    rows: dict[str, dict[str, float | int | None]] = {}
    for name in sorted(totals):
        right, wrong, missed = totals[name].tolist()
        values = np.concatenate(errors[name]) if name in errors else np.empty(0)
        rows[name] = {
            "Accuracy": right / (right + wrong + missed),
            "Precision": right / (right + wrong) if right + wrong else None,
            "Recall": right / (right + missed) if right + missed else None,
            "points": int(right + wrong + missed),
            "median error": float(np.median(values)) if len(values) else None,
        }
    return rows
