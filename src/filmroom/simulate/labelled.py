"""Single pictures with boxes, each with another camera, for whoever trains a detector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.geometry.boxes import clip
from filmroom.pitch import sport_named
from filmroom.simulate.camera import CameraPath, follow
from filmroom.simulate.figures import STYLES
from filmroom.simulate.film import FrameTruth, Scene, film_frame, make_scene
from filmroom.simulate.play import Play
from filmroom.simulate.rigs import RIGS, held_out_rig
from filmroom.simulate.settings import DIFFICULTIES, HELD_OUT_STYLE, Settings
from filmroom.simulate.shots import Shot

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]
LabelledFrame = tuple[Picture, FloatArray, tuple[str, ...]]

LEAST_VISIBLE = 0.15
"""A box of which less shows is not labelled."""

PICTURES_A_SCENE = 12
"""So many pictures share a match: kits, place, light and difficulty."""

_SECONDS_A_SCENE = 300.0
_CROWDED_SHARE = 0.5
"""So many pictures show crowds: the fullest of some moments, half of them round what draws crowds."""

_CROWDING = (
    "CORNER KICK", "FREE KICK", "CROSS", "PENALTY", "HEADER", "PLAYER SUCCESSFUL TACKLE", "TACKLE",
    "SHOT", "GOAL", "SCRUM",
)  # fmt: skip
_BEFORE, _AFTER = 4.0, 1.5
_RARE = 0.15
"""Surfaces for fewer players are seen so much more rarely than the sport's own."""
_MOMENTS, _TOUCHING = 10, 1.3
_WEIGHTS = {"broadcast": 3.0, "tactical": 1.5}
TRAINING_STYLES = tuple(style for style in STYLES if style != HELD_OUT_STYLE)


def labelled_frames(
    rng: np.random.Generator,
    sport: str = "soccer",
    size: tuple[int, int] = (1280, 720),
    *,
    styles: tuple[str, ...] = TRAINING_STYLES,
    held_out: bool = False,
) -> Iterator[LabelledFrame]:
    """Pictures without end: (H, W, 3) RGB, boxes (N, 4) x, y, w, h cut at the border, N categories.

    Categories are `ball`, `goalkeeper`, `hoop`, `player`, `referee`; people who only stand by are
    drawn but
    not labelled. Kits, place, light and difficulty change every twelve pictures, camera and moment with
    each. `size` is width, height; `held_out` as in `Settings`.
    """
    for picture, truth in frames_with_truth(rng, sport, size, styles=styles, held_out=held_out):
        yield picture, *_labels(truth)


def frames_with_truth(
    rng: np.random.Generator,
    sport: str = "soccer",
    size: tuple[int, int] = (1280, 720),
    *,
    styles: tuple[str, ...] = TRAINING_STYLES,
    held_out: bool = False,
) -> Iterator[tuple[Picture, FrameTruth]]:
    """The pictures of `labelled_frames` with all their truth, silhouettes and numbers too."""
    known = sport_named(sport)
    difficulties = list(DIFFICULTIES)
    while True:
        common = np.array([_RARE if one.players else 1.0 for one in known.surfaces])
        surface = known.surfaces[int(rng.choice(len(common), p=common / common.sum()))]
        settings = Settings(
            sport=sport,
            seconds=_SECONDS_A_SCENE,
            seed=int(rng.integers(1 << 31)),
            difficulty=difficulties[int(rng.choice(4, p=[0.25, 0.4, 0.25, 0.1]))],
            width=size[0],
            height=size[1],
            surface=surface.name,
            styles=styles,
            held_out=held_out,
        )
        scene = make_scene(settings)
        for _ in range(PICTURES_A_SCENE):
            frame = _moment(scene, rng)
            filmed = film_frame(_seen_anew(scene, frame, rng), frame)
            yield filmed.pixels, filmed.truth


def write_coco(
    folder: Path | str,
    count: int,
    seed: int,
    *,
    sport: str = "soccer",
    size: tuple[int, int] = (1280, 720),
    part: str = "train",
    quality: int = 90,
    kept: tuple[int, int] | None = None,
    window: tuple[int, int] | None = None,
    styles: tuple[str, ...] = TRAINING_STYLES,
    held_out: bool = False,
) -> Path:
    """Write `count` labelled pictures as `annotations/<part>.json` and `<part>/NNNNNN.jpg`.

    Pictures are drawn at `size`; with `window` so much is cut out round somebody, and with `kept` they
    are made smaller to that (width, height), to save space.
    Returns the annotation file. InputError where the folder holds that part already or `count` is not
    above 0.
    """
    from filmroom.simulate.write import CATEGORIES, tell_in_one_line

    folder = Path(folder)
    if count < 1:
        raise InputError(f"cannot write {count} pictures; ask for at least 1")
    path = folder / "annotations" / f"{part}.json"
    if path.exists():
        raise InputError(f"{path}: exists already; choose another folder or part")
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    source = labelled_frames(np.random.default_rng(seed), sport, size, styles=styles, held_out=held_out)
    drawn = window or size
    width, height = kept or drawn
    shrunk = np.array([width / drawn[0], height / drawn[1]] * 2)
    rng = np.random.default_rng([seed, 1])
    with tell_in_one_line(folder):
        (folder / part).mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        for index, labelled in zip(range(1, count + 1), source, strict=False):
            picture, boxes, categories = _cut_out(*labelled, window, rng) if window else labelled
            name = f"{index:06d}.jpg"
            shown = cv2.resize(picture, kept, interpolation=cv2.INTER_AREA) if kept else picture
            options = [cv2.IMWRITE_JPEG_QUALITY, quality]
            _, coded = cv2.imencode(".jpg", shown[:, :, ::-1], options)
            (folder / part / name).write_bytes(coded.tobytes())
            images.append({"id": index, "file_name": name, "width": width, "height": height})
            for box, category in zip((boxes * shrunk).round(2).tolist(), categories, strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1, "image_id": index,
                        "category_id": CATEGORIES.index(category) + 1, "bbox": box,
                        "area": round(box[2] * box[3], 2), "iscrowd": 0,
                    }
                )  # fmt: skip
        content = {
            "info": {"description": "simulated by filmroom", "seed": seed},
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)],
            "images": images,
            "annotations": annotations,
        }
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return path


def _cut_out(
    picture: Picture,
    boxes: FloatArray,
    categories: tuple[str, ...],
    window: tuple[int, int],
    rng: np.random.Generator,
) -> LabelledFrame:
    """A window (width, height) of a picture round one of its boxes, where there is one.

    Boxes are cut at its border; those of which less than LEAST_VISIBLE lies inside are left out.
    """
    room = np.array([picture.shape[1] - window[0], picture.shape[0] - window[1]])
    middle = np.array(picture.shape[1::-1]) / 2
    if len(boxes):
        chosen = boxes[int(rng.integers(len(boxes)))]
        middle = chosen[:2] + chosen[2:] / 2
    corner = middle - np.array(window) * rng.uniform(0.25, 0.75, 2)
    left, top = np.clip(corner, 0, np.maximum(room, 0)).astype(int).tolist()
    moved = boxes - np.array([left, top, 0, 0])
    cut = clip(moved, *window).astype(np.float64)
    inside = cut[:, 2] * cut[:, 3] >= LEAST_VISIBLE * np.maximum(boxes[:, 2] * boxes[:, 3], 1e-9)
    inside &= (cut[:, 2:] >= 1.0).all(axis=1)
    part = picture[top : top + window[1], left : left + window[0]]
    return part, cut[inside], tuple(np.array(categories, dtype=object)[inside])


def _moment(scene: Scene, rng: np.random.Generator) -> int:
    """A frame of the play; crowds before a goal are shown more often than they happen."""
    if rng.random() >= _CROWDED_SHARE:
        return int(rng.integers(1, len(scene)))
    moments = rng.integers(1, len(scene), _MOMENTS)
    drawing = [event.frame for event in scene.play.events if event.label in _CROWDING]
    if drawing:
        half = _MOMENTS // 2
        late = rng.uniform(-_BEFORE, _AFTER, half) * scene.settings.fps
        moments[:half] = np.clip(rng.choice(drawing, half) + late, 1, len(scene) - 1)
    return int(moments[np.argmax([_touching(scene.play, int(moment)) for moment in moments])])


def _touching(play: Play, frame: int) -> int:
    """How many pairs of people stand within reach of each other."""
    places = play.positions[frame].astype(float)
    apart = places[:, None] - places[None]
    return int((np.square(apart).sum(axis=2) < _TOUCHING**2).sum())


def _labels(truth: FrameTruth) -> tuple[FloatArray, tuple[str, ...]]:
    """Boxes and categories of what shows well enough."""
    height, width = truth.overlay.shape
    wanted = np.array([role != "other" for role in truth.roles], dtype=bool)
    is_ball = np.array([role == "ball" for role in truth.roles], dtype=bool)
    shown = wanted & ((truth.visible >= LEAST_VISIBLE) | is_ball)
    boxes = clip(truth.boxes[shown], width, height).astype(np.float64)
    large = (boxes[:, 2] >= 1.0) & (boxes[:, 3] >= 1.0)
    roles = tuple(role for role, keep in zip(truth.roles, shown.tolist(), strict=True) if keep)
    return boxes[large], tuple(role for role, keep in zip(roles, large.tolist(), strict=True) if keep)


def _seen_anew(scene: Scene, frame: int, rng: np.random.Generator) -> Scene:
    """The scene with one shot of two frames, from another camera, up to `frame`."""
    rigs = RIGS[scene.settings.sport]
    if scene.settings.held_out:
        rigs = {name: held_out_rig(rig) for name, rig in rigs.items()}
    names = list(rigs)
    weights = np.array([_WEIGHTS.get(name, 0.4) for name in names])
    rig = rigs[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
    moment = scene.play.part(frame - 1, frame + 1)
    path = follow(moment, rig, (scene.settings.width, scene.settings.height), rng)
    # An operator is seldom on the spot: look a little aside, with the speed of a pan.
    view = np.degrees(np.arctan(scene.settings.width / 2 / path.focal[0]))
    pan = path.pan + rng.normal(0, 0.25) * view + np.array([0.0, rng.normal(0, 0.25)])
    tilt = path.tilt + rng.normal(0, 0.08) * view
    path = CameraPath(path.position, pan, tilt, path.roll, path.focal, path.width, path.height)
    return replace(scene, shots=(Shot(frame - 1, frame, "main", rig.side, path),))
