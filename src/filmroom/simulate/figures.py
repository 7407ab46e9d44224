"""Athletes drawn in a millisecond or two: a posed skeleton, clothed, shaded, numbered.

Four styles that look nothing alike, so that whatever learns from some of them can be tried on another:
`capsule` (rounded limbs, three tones), `painted` (loose clothes with folds, ragged outlines), `cartoon`
(flat colours, dark outlines, stout) and `soft` (relief lit from one side, washed out edges).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.simulate.cloth import (
    CLOTH_TAG,
    NUMBER_TAG,
    Print,
    fold_noise,
    number_outlines,
    shirt_texture,
)
from filmroom.simulate.heads import Head, HeadView, head_polygons
from filmroom.simulate.hulls import SHIFT, fixed, hull, ring, shade
from filmroom.simulate.kits import Colour, Kit, colour_distance
from filmroom.simulate.poses import (
    HIP_REACH,
    JOINT,
    SHOULDER_REACH,
    TORSO_LENGTH,
    Pose,
    Skeleton,
    gait_pose,
    random_pose,
    skeleton,
)

__all__ = [
    "STYLES",
    "Look",
    "Pose",
    "Sprite",
    "draw_figure",
    "gait_pose",
    "paste_sprite",
    "random_look",
    "random_pose",
]

FloatArray = NDArray[Any]
Picture = NDArray[np.uint8]
STYLES = ("capsule", "painted", "cartoon", "soft")

_SKINS: tuple[Colour, ...] = (
    (238, 200, 176),
    (224, 180, 150),
    (206, 160, 128),
    (176, 124, 92),
    (140, 92, 64),
    (104, 68, 48),
    (76, 48, 36),
)
_HAIR: tuple[Colour, ...] = (
    (24, 20, 20),
    (44, 32, 26),
    (80, 54, 36),
    (140, 100, 60),
    (196, 164, 100),
    (150, 150, 150),
)
_SHOES: tuple[Colour, ...] = (
    (240, 240, 240),
    (24, 24, 24),
    (230, 60, 40),
    (40, 220, 220),
    (240, 230, 60),
    (240, 90, 170),
)


@dataclass(frozen=True)
class Look:
    """One athlete: clothes and body. `build` is the breadth, 1 for an ordinary athlete; fonts from
    `simulate.digits.FONTS` on are near relatives of font modulo FONTS.

    `sleeves` and `shorts_length` are the shares of arm and leg they cover (0 none, 1 all), `beard` is 0
    for none and 1 for a full one; `thigh` the leg of the shorts that shows the number: left (-1), right
    (1), or neither (0). `armband` is worn on the left arm.
    """

    kit: Kit
    skin: Colour = (206, 160, 128)
    hair: Colour = (44, 32, 26)
    height_m: float = 1.82
    build: float = 1.0
    number: str | None = None
    font: int = 0
    name: str | None = None
    shoes: Colour = (240, 240, 240)
    sleeves: float = 0.45
    shorts_length: float = 0.38
    long_hair: bool = False
    bald: bool = False
    helmet: Colour | None = None
    gloves: Colour | None = None
    pads: float = 0.0
    beard: float = 0.0
    thigh: int = 0
    armband: Colour | None = None


class Sprite(NamedTuple):
    """A figure cut out: pixels valid where alpha > 0; `feet` is the point of the ground below the
    pelvis and may lie outside the sprite (in a jump); boxes are x, y, w, h in the sprite.

    `number_visible` is the share of the number, as seen from straight behind or in front, that shows.
    """

    rgb: Picture
    alpha: NDArray[np.float32]
    feet: tuple[float, float]
    number_box: tuple[float, float, float, float] | None
    number_visible: float


def random_look(rng: np.random.Generator, kit: Kit) -> Look:
    """An athlete of any team sport in these clothes; most wear a number from 1 to 99."""
    dress = rng.random()
    sleeves = 0.0 if dress < 0.2 else (1.0 if dress < 0.38 else rng.uniform(0.3, 0.55))
    length = float(rng.choice([0.32, 0.42, 0.55, 1.0], p=[0.3, 0.4, 0.2, 0.1]))
    helmeted = rng.random() < 0.12
    name = "".join(chr(65 + int(i)) for i in rng.integers(0, 26, int(rng.integers(4, 10))))
    return Look(
        kit=kit,
        skin=_SKINS[int(rng.integers(len(_SKINS)))],
        hair=_HAIR[int(rng.integers(len(_HAIR)))],
        height_m=float(np.clip(rng.normal(1.84, 0.08), 1.62, 2.12)),
        build=float(np.clip(rng.normal(1.0, 0.1), 0.78, 1.35)),
        number=str(rng.integers(1, 100)) if rng.random() < 0.9 else None,
        font=int(rng.integers(1000)),
        name=name if rng.random() < 0.5 else None,
        shoes=_SHOES[int(rng.integers(len(_SHOES)))],
        sleeves=float(sleeves),
        shorts_length=length,
        long_hair=bool(rng.random() < 0.2),
        bald=bool(rng.random() < 0.1),
        helmet=(kit.shirt if rng.random() < 0.5 else kit.second) if helmeted else None,
        gloves=(235, 235, 235) if rng.random() < 0.12 else None,
        pads=float(rng.uniform(0.2, 1.0)) if helmeted else 0.0,
        beard=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.35 else 0.0,
        thigh=random_thigh(rng),
    )


def random_thigh(rng: np.random.Generator) -> int:
    """Whether a kit's shorts show numbers, and on which leg, as `Look.thigh`."""
    return int(rng.choice([-1, 0, 1], p=[0.25, 0.55, 0.2]))


def draw_figure(
    look: Look,
    pose: Pose,
    *,
    height_px: float,
    heading: float,
    style: str = "capsule",
    rng: np.random.Generator | None = None,
    elevation: float = 0.2,
    light: float = 0.6,
) -> Sprite:
    """The athlete seen from `elevation` radians above the horizon, lit from direction `light`.

    `height_px` is what the athlete would measure standing upright; `heading` is the way the pelvis
    faces, 0 towards the camera, pi/2 to the right of the picture, pi away from it. `rng` decides folds
    and ragged outlines: give the same seed each frame and they stay with the figure.
    """
    rng = rng or np.random.default_rng(0)
    manner = _MANNERS[style]
    finer = 3 if height_px < 45 else (2 if height_px < 260 else 1)
    bones = skeleton(pose, SHOULDER_REACH * (1 + 0.25 * look.pads) * (0.5 + 0.5 * look.build))
    view = _View.of(bones, heading, elevation, height_px * finer, finer)
    canvas = np.zeros((view.height, view.width, 4), np.uint8)
    parts = _limbs(look, bones, view, manner, finer, rng)
    torso_depth = float(view.depth[[JOINT["pelvis"], JOINT["neck"]]].mean())
    number_area = 0.0
    for part in sorted([*parts, _Part(torso_depth, None)], key=lambda part: part.depth):
        if part.polygons is None:
            number_area = _draw_torso(canvas, look, bones, view, manner, light=light, rng=rng)
            continue
        for shape, colour in part.polygons:
            outlines = shape if isinstance(shape, list) else [shape]
            cv2.fillPoly(canvas, outlines, (*colour, CLOTH_TAG), cv2.LINE_8, SHIFT)
    return _finish(canvas, view, manner, finer, number_area=number_area, light=light, rng=rng)


def paste_sprite(
    picture: Picture, sprite: Sprite, feet: tuple[float, float]
) -> tuple[NDArray[np.float32], tuple[int, int]] | None:
    """Draw the sprite into the picture, in place, its feet on the given pixel (to the nearest pixel).

    Returns the alpha actually drawn and its left top corner, or None where nothing lies inside.
    """
    height, width = sprite.alpha.shape
    left, top = round(feet[0] - sprite.feet[0]), round(feet[1] - sprite.feet[1])
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, picture.shape[1]), min(top + height, picture.shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    inner = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    alpha = sprite.alpha[inner]
    target = picture[y0:y1, x0:x1]
    mixed = target + (sprite.rgb[inner] - target.astype(np.float32)) * alpha[:, :, None]
    picture[y0:y1, x0:x1] = np.rint(mixed).astype(np.uint8)
    return alpha, (x0, y0)


# --- how the styles differ -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Manner:
    """What makes a style: how stout, how loose, how shaded, how finished."""

    stout: float = 1.0
    loose: float = 1.0
    head: float = 1.0
    tones: tuple[tuple[float, float, float], ...] = (
        (1.0, 0.0, 1.0),
    )  # width, towards the light, value
    outline: float = 0.0
    ragged: float = 0.0
    folds: float = 0.0
    relief: float = 0.0
    torso_light: float = 0.25
    grain: float = 0.0
    blur: float = 0.0


_MANNERS = {
    "capsule": _Manner(
        tones=((1.0, 0.0, 0.62), (0.78, 0.16, 0.85), (0.45, 0.35, 1.08)), folds=0.08, torso_light=0.4
    ),
    "painted": _Manner(
        stout=0.92,
        loose=1.38,
        tones=((1.0, 0.0, 0.95), (0.5, -0.4, 0.78)),
        ragged=0.10,
        folds=0.42,
        torso_light=0.15,
        grain=7.0,
    ),
    "cartoon": _Manner(stout=1.18, loose=1.08, head=1.22, outline=0.011, torso_light=0.0, grain=4.0),
    "soft": _Manner(stout=0.97, loose=1.2, relief=0.75, folds=0.2, torso_light=0.1, blur=0.55),
}

_THIGH_FROM, _THIGH_SEEN, _THIGH_CONTRAST = 80.0, 0.25, 110.0
"""Body height in pixels from which numbers on shorts are drawn, how far the front must look this way,
and how unlike (`colour_distance`) number and shorts must be."""
_HEAD = 0.13
"""A head's share of the body height."""
_ARC = np.linspace(-0.5 * math.pi, 0.5 * math.pi, 6)


@dataclass(frozen=True)
class _Part:
    """Polygons in fixed-point pixels with their colours, first one first; None stands for the torso.

    Several outlines together are one shape with holes.
    """

    depth: float
    polygons: list[tuple[NDArray[np.int32] | list[NDArray[np.int32]], Colour]] | None = field(
        default_factory=list
    )


@dataclass(frozen=True)
class _View:
    """Joints and axes as the camera sees them: right, down (pixels of the canvas) and towards it."""

    matrix: FloatArray  # (2, 3) body frame to right and down, in pixels
    towards: FloatArray  # (3,) the way to the camera in the body frame
    origin: FloatArray  # canvas position of the ground point
    joints: FloatArray  # (K, 2)
    depth: FloatArray  # (K,) towards the camera, in body heights
    scale: float
    width: int
    height: int

    @classmethod
    def of(
        cls, bones: Skeleton, heading: float, elevation: float, scale: float, multiple: int
    ) -> _View:
        sin_h, cos_h = math.sin(heading), math.cos(heading)
        sin_e, cos_e = math.sin(elevation), math.cos(elevation)
        right = np.array([cos_h, sin_h, 0.0])
        towards = np.array([-sin_h, cos_h, 0.0])
        up = np.array([0.0, 0.0, 1.0])
        matrix = np.stack([right, towards * sin_e - up * cos_e, towards * cos_e + up * sin_e])
        seen = bones.joints @ matrix.T
        margin = 0.13
        low = (seen[:, :2].min(0) - margin) * scale
        high = (seen[:, :2].max(0) + margin) * scale
        size = np.ceil((high - low) / multiple).astype(int) * multiple
        return cls(
            matrix[:2] * scale,
            matrix[2],
            -low,
            seen[:, :2] * scale - low,
            seen[:, 2],
            scale,
            int(size[0]),
            int(size[1]),
        )

    def place(self, points: FloatArray) -> FloatArray:
        """Canvas pixels of points of the body frame, (K, 3) to (K, 2)."""
        placed: FloatArray = points @ self.matrix.T + self.origin
        return placed


def _limbs(
    look: Look,
    bones: Skeleton,
    view: _View,
    manner: _Manner,
    finer: int,
    rng: np.random.Generator,
) -> list[_Part]:
    kit, joints, depth = look.kit, view.joints, view.depth
    stout = manner.stout * look.build
    segments: list[tuple[float, FloatArray, FloatArray, float, float, Colour]] = []

    def add(
        nearness: float, bone: tuple[FloatArray, FloatArray], radii: tuple[float, float], colour: Colour
    ) -> None:
        segments.append((nearness, *bone, *radii, colour))

    for side in ("l", "r"):
        arm = [joints[JOINT[f"{name}_{side}"]] for name in ("shoulder", "elbow", "wrist", "hand")]
        leg = [joints[JOINT[f"{name}_{side}"]] for name in ("hip", "knee", "ankle", "toe")]
        near_arm = float(depth[[JOINT[f"shoulder_{side}"], JOINT[f"elbow_{side}"]]].mean())
        near_fore = float(depth[[JOINT[f"elbow_{side}"], JOINT[f"wrist_{side}"]]].mean())
        near_leg = float(depth[[JOINT[f"hip_{side}"], JOINT[f"knee_{side}"]]].mean())
        near_shin = float(depth[[JOINT[f"knee_{side}"], JOINT[f"ankle_{side}"]]].mean())
        add(near_arm, (arm[0], arm[1]), (0.031 * stout, 0.025 * stout), look.skin)
        add(near_fore, (arm[1], arm[2]), (0.024 * stout, 0.018 * stout), look.skin)
        hand = look.gloves or look.skin
        wider = 1.35 if look.gloves else 1.0
        add(near_fore + 1e-3, (arm[2], arm[3]), (0.019 * wider, 0.021 * wider), hand)
        if look.sleeves > 0:
            reach = min(1.0, look.sleeves / 0.54)
            cuff = arm[0] + reach * (arm[1] - arm[0])
            flare = 0.039 * stout * manner.loose * (1 + 0.5 * look.pads)
            add(
                near_arm + 2e-3, (arm[0], cuff), (flare * 1.04, flare * (0.95 - 0.2 * reach)), kit.shirt
            )
        if look.sleeves > 0.54:
            reach = (look.sleeves - 0.54) / 0.46
            cuff = arm[1] + reach * (arm[2] - arm[1])
            flare = 0.029 * stout * manner.loose
            add(near_fore + 2e-3, (arm[1], cuff), (flare, flare * 0.85), kit.shirt)
        if look.armband and side == "l":
            band = tuple(arm[0] + share * (arm[1] - arm[0]) for share in (0.45, 0.75))
            width = (0.037 + 0.008 * look.pads) * stout * manner.loose
            add(near_arm + 3e-3, (band[0], band[1]), (width, width), look.armband)
        add(near_leg, (leg[0], leg[1]), (0.058 * stout, 0.039 * stout), look.skin)
        add(near_shin, (leg[1], leg[2]), (0.039 * stout, 0.023 * stout), look.skin)
        sock = leg[1] + 0.18 * (leg[2] - leg[1])
        if look.shorts_length < 0.5 or look.sleeves > 0:
            add(near_shin + 1e-3, (sock, leg[2]), (0.039 * stout, 0.026 * stout), kit.socks)
        add(near_shin + 2e-3, (leg[2], leg[3]), (0.030, 0.020), look.shoes)
        reach = min(1.0, look.shorts_length / 0.5)
        hem = leg[0] + reach * (leg[1] - leg[0])
        flare = 0.062 * stout * manner.loose
        add(near_leg + 3e-3, (leg[0], hem), (flare, flare * (1.0 - 0.22 * reach)), kit.shorts)
        if look.shorts_length > 0.9:
            add(near_shin + 3e-3, (leg[1], leg[2]), (0.047 * stout, 0.032 * stout), kit.shorts)
    parts = _capsules(segments, view.scale, manner, rng)
    if look.thigh and look.number and view.scale / finer >= _THIGH_FROM:
        parts += _thigh_number(look, bones, view, stout * manner.loose)
    parts.append(_pelvis(look, bones, view, manner))
    parts.append(_head(look, bones, view, manner, finer))
    return parts


def _capsules(
    segments: list[tuple[float, FloatArray, FloatArray, float, float, Colour]],
    scale: float,
    manner: _Manner,
    rng: np.random.Generator,
) -> list[_Part]:
    """Tapered capsules in the tones of the style, all outlines worked out at once."""
    starts = np.array([segment[1] for segment in segments])
    ends = np.array([segment[2] for segment in segments])
    radii = np.array([segment[3:5] for segment in segments]) * scale
    tones = [(1.0, 0.0, 0.25), *manner.tones] if manner.outline else list(manner.tones)
    outlines = []
    for index, (width, lit, _) in enumerate(tones):
        extra = manner.outline * scale if manner.outline and index == 0 else 0.0
        sized = radii * width + extra
        offset = np.array([-0.55, -0.5]) * lit * radii.mean(1, keepdims=True)
        outlines.append(_outline(starts + offset, ends + offset, sized))
    polygons = np.stack(outlines)  # tones, segments, points, 2
    if manner.ragged:
        wobble = rng.normal(0, manner.ragged, (1, *polygons.shape[1:3], 1))
        middle = polygons.mean(2, keepdims=True)
        polygons = polygons + wobble * np.clip(polygons - middle, -0.06 * scale, 0.06 * scale)
    fixed = np.rint(polygons * (1 << SHIFT)).astype(np.int32)
    return [
        _Part(
            segment[0],
            [(fixed[t, s], shade(segment[5], tone[2])) for t, tone in enumerate(tones)],
        )
        for s, segment in enumerate(segments)
    ]


def _outline(starts: FloatArray, ends: FloatArray, radii: FloatArray) -> FloatArray:
    """(S, 12, 2): half a circle round each end of every segment."""
    along = ends - starts
    angle = np.arctan2(along[:, 1], along[:, 0])[:, None]
    far, near = angle + _ARC, angle + math.pi + _ARC
    far_ring = ends[:, None] + radii[:, 1, None, None] * np.stack([np.cos(far), np.sin(far)], 2)
    near_ring = starts[:, None] + radii[:, 0, None, None] * np.stack([np.cos(near), np.sin(near)], 2)
    return np.concatenate([far_ring, near_ring], 1)


def _pelvis(look: Look, bones: Skeleton, view: _View, manner: _Manner) -> _Part:
    stout = manner.stout * look.build
    pelvis, joints = bones.joints[0], bones.joints
    loose = 0.5 + 0.5 * manner.loose
    across, through = 0.083 * stout * loose, 0.062 * stout * loose
    upper = ring(pelvis + 0.03 * bones.torso[:, 2], bones.torso, across * 0.95, through)
    lower = (joints[JOINT["hip_l"]] + joints[JOINT["hip_r"]]) / 2 - 0.035 * bones.torso[:, 2]
    points = np.concatenate([upper, ring(lower, bones.torso, across + 0.2 * HIP_REACH, through)])
    depth = float(view.depth[0]) - 5e-3
    return _Part(depth, [(hull(view.place(points)), shade(look.kit.shorts, 0.9))])


def _thigh_number(look: Look, bones: Skeleton, view: _View, breadth: float) -> list[_Part]:
    """The small number on the front of one leg of the shorts, where that looks this way."""
    facing = float(view.towards @ bones.torso[:, 1])
    if facing < _THIGH_SEEN:
        return []
    side = "l" if look.thigh < 0 else "r"
    hip, knee = view.joints[JOINT[f"hip_{side}"]], view.joints[JOINT[f"knee_{side}"]]
    down = (knee - hip) * min(1.0, look.shorts_length / 0.5)
    length = float(np.hypot(*down))
    tall = min(0.055 * view.scale, 0.55 * length)
    if length < 1.0:
        return []
    below = down / length
    across = np.array([-below[1], below[0]]) * math.copysign(1.0, float(below[1]))
    colour = look.kit.number_colour
    if colour_distance(colour, look.kit.shorts) < _THIGH_CONTRAST:
        colour = (244, 244, 244) if sum(look.kit.shorts) < 380 else (18, 18, 22)
    # Never wider than the leg it is printed on.
    outlines = number_outlines(look.number or "", look.font)
    wide = max(float(np.ptp(one[:, 0])) for one in outlines) * tall
    width = facing * min(1.0, 0.1 * breadth * view.scale / max(wide, 1e-6))
    middle = hip + 0.6 * down
    shapes = [
        fixed(middle + tall * (one[:, :1] * width * -across + one[:, 1:] * below)) for one in outlines
    ]
    depth = view.depth[[JOINT[f"hip_{side}"], JOINT[f"knee_{side}"]]].mean()
    return [_Part(float(depth) + 4e-3, [(shapes, colour)])]


def _head(look: Look, bones: Skeleton, view: _View, manner: _Manner, finer: int) -> _Part:
    head = Head(look.skin, look.hair, look.long_hair, look.bald, look.helmet, look.pads > 0, look.beard)
    seen = HeadView(
        bones.joints[JOINT["head"]], bones.joints[JOINT["neck"]], bones.head, view.place, view.towards,
        _HEAD * view.scale / finer,
    )  # fmt: skip
    polygons = head_polygons(head, seen, manner.head, outlined=manner.outline > 0)
    return _Part(float(view.depth[JOINT["head"]]) + 0.01, list(polygons))


# --- the shirt -------------------------------------------------------------------------------------


def _draw_torso(
    canvas: Picture,
    look: Look,
    bones: Skeleton,
    view: _View,
    manner: _Manner,
    *,
    light: float,
    rng: np.random.Generator,
) -> float:
    """Draw the shirt; returns the area in pixels that the number would cover seen straight on."""
    stout = manner.stout * look.build
    loose = 0.5 + 0.5 * manner.loose
    shoulder = SHOULDER_REACH * (1 + 0.25 * look.pads) * (0.5 + 0.5 * look.build) * 1.06
    hem = 0.093 * stout * loose
    through = 0.066 * stout * loose * (1 + 0.4 * look.pads)
    axes, up = bones.torso, bones.torso[:, 2]
    pelvis, neck = bones.joints[0], bones.joints[1]
    hem_level = -0.06 if manner.loose > 1.1 else -0.03
    levels = (
        (neck + 0.022 * up, 0.045, 0.035),
        (neck + 0.004 * up, shoulder * 0.86, through * 0.72),
        (neck - 0.03 * up, shoulder * 1.04, through * 0.95),
        (neck - 0.10 * up, shoulder * 1.0 * loose, through * 1.06),
        (pelvis + 0.10 * up, hem * 0.94, through * 0.93),
        (pelvis + hem_level * up, hem * 1.05, through * 1.05),
    )
    rings = [ring(centre, axes, across, deep) for centre, across, deep in levels]
    placed = view.place(np.concatenate(rings)).reshape(len(levels), 16, 2)
    stencil = np.zeros(canvas.shape[:2], np.uint8)
    for upper, lower in itertools.pairwise(placed):
        both = np.concatenate([upper, lower])
        cv2.fillConvexPoly(stencil, hull(both), 1, cv2.LINE_8, SHIFT)
    if manner.outline:
        reach = max(1, round(manner.outline * view.scale))
        edge = cv2.dilate(stencil, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        canvas[edge > 0] = (25, 25, 28, CLOTH_TAG)
    x, y, width, height = cv2.boundingRect(stencil)
    if not width or not height:
        return 0.0
    region = (slice(y, y + height), slice(x, x + width))
    inside = stencil[region] > 0
    top_point = view.place((neck + 0.01 * up)[None])[0]
    axis = view.place((pelvis + hem_level * up)[None])[0] - top_point
    length = float(np.hypot(*axis))
    if length < 0.25 * TORSO_LENGTH * view.scale:
        # Seen along the spine: nothing of the shirt's front or back can be told.
        canvas[region][inside] = (*look.kit.shirt, CLOTH_TAG)
        return 0.0
    rows = max(16, round(TORSO_LENGTH * view.scale * 1.1))
    texture, number_texels = shirt_texture(
        Print(look.kit, look.number, look.font, look.name),
        rows,
        lit=manner.torso_light,
        folds=manner.folds,
        light=light,
        rng=rng,
    )
    columns = texture.shape[1] - 1
    half = 0.5 * (shoulder + hem)
    map_x, map_y = _unroll(
        view, axes, top_point, axis, radii=(half, through), region=(x, y, width, height)
    )
    map_x *= columns
    map_y *= rows - 1
    drawn = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    np.copyto(canvas[region], drawn, where=inside[:, :, None])
    # One texel straight on covers this many pixels of the canvas.
    texel = (length / rows) * (2 * math.pi * half * view.scale / columns)
    return float(number_texels * texel)


def _unroll(
    view: _View,
    axes: FloatArray,
    top_point: FloatArray,
    axis: FloatArray,
    *,
    radii: tuple[float, float],
    region: tuple[int, int, int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares of the way round the trunk and down it, 0 to 1, for every pixel of the region.

    The trunk is an elliptic cylinder from `top_point` along `axis` (both in pixels). A point at the
    angle t from the chest lies a sin t left + b cos t forward from the axis; crossing with the axis
    leaves one equation in t, c sin(t + phase) = distance from the axis.
    """
    half, deep = radii
    x, y, width, height = region
    length = float(np.hypot(*axis))
    left = view.matrix @ axes[:, 0]
    forward = view.matrix @ axes[:, 1]
    cross_left = half * (left[0] * axis[1] - left[1] * axis[0])
    cross_forward = deep * (forward[0] * axis[1] - forward[1] * axis[0])
    radius = math.hypot(cross_left, cross_forward)
    phase = math.atan2(cross_forward, cross_left)
    # Where the axis is met, the angle is -phase on one side of the body and pi - phase on the other.
    nearness = deep * math.cos(phase) * float(view.towards @ axes[:, 1]) - half * math.sin(
        phase
    ) * float(view.towards @ axes[:, 0])
    offset_x = np.arange(x, x + width, dtype=np.float32)[None] + 0.5 - np.float32(top_point[0])
    offset_y = np.arange(y, y + height, dtype=np.float32)[:, None] + 0.5 - np.float32(top_point[1])
    along = (offset_x * axis[0] + offset_y * axis[1]) / np.float32(length**2)
    taper = 1.08 - 0.16 * np.clip(along, 0, 1)
    across = np.clip((offset_x * axis[1] - offset_y * axis[0]) / (radius * taper), -1, 1)
    turn = np.arcsin(across.astype(np.float32))
    angle = turn - phase if nearness > 0 else math.pi - turn - phase
    sway_left = half * float(left @ axis) / length**2
    sway_forward = deep * float(forward @ axis) / length**2
    level = along - sway_left * np.sin(angle) - sway_forward * np.cos(angle)
    around = (angle / (2 * math.pi)) % 1.0
    return around.astype(np.float32), np.clip(level, 0, 1).astype(np.float32)


# --- finish ----------------------------------------------------------------------------------------


def _finish(
    canvas: Picture,
    view: _View,
    manner: _Manner,
    finer: int,
    *,
    number_area: float,
    light: float,
    rng: np.random.Generator,
) -> Sprite:
    """Relief, folds and grain over the whole figure, then down to the size asked for, cut tight."""
    tags = canvas[:, :, 3]
    body = cv2.threshold(tags, 0, 255, cv2.THRESH_BINARY)[1]
    size = view.width // finer, view.height // finer
    covered_area: FloatArray = cv2.resize(body, size, interpolation=cv2.INTER_AREA)
    x, y, width, height = cv2.boundingRect(covered_area)
    cut = (slice(y, y + height), slice(x, x + width))
    covered_area = covered_area[cut]
    alpha: FloatArray = covered_area.astype(np.float32) / 255
    # The canvas is black outside the body, so the colours shrink as if multiplied by alpha.
    small: FloatArray = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)[cut][:, :, :3].astype(
        np.float32
    )
    shading = np.ones(alpha.shape, np.float32)
    if manner.relief:
        shading += manner.relief * _relief(covered_area, light)
    if manner.folds:
        shading *= 1 + 0.6 * manner.folds * fold_noise(alpha.shape[0], alpha.shape[1], rng)
    small *= (shading / np.maximum(alpha, 1e-2))[:, :, None]
    if manner.blur:
        premultiplied = cv2.GaussianBlur(small * alpha[:, :, None], (3, 3), manner.blur)
        alpha = cv2.GaussianBlur(alpha, (3, 3), manner.blur)
        small = premultiplied / np.maximum(alpha, 1e-2)[:, :, None]
    if manner.grain:
        small += rng.normal(0, manner.grain, (*alpha.shape, 1)).astype(np.float32)
    number = (tags > (CLOTH_TAG + NUMBER_TAG) // 2).astype(np.uint8)
    covered = float(cv2.countNonZero(number))
    number_box = None
    if covered and number_area:
        left, top, wide, tall = (edge / finer for edge in cv2.boundingRect(number))
        number_box = (left - x, top - y, wide, tall)
    return Sprite(
        np.clip(small, 0, 255).astype(np.uint8),
        alpha,
        (float(view.origin[0] / finer - x), float(view.origin[1] / finer - y)),
        number_box,
        min(1.0, covered / number_area) if number_box else 0.0,
    )


def _relief(body: Picture, light: float) -> NDArray[np.float32]:
    """Light from one side on a body that bulges: the slope of the distance to its edge."""
    depth = cv2.distanceTransform(cv2.threshold(body, 127, 255, cv2.THRESH_BINARY)[1], cv2.DIST_L2, 3)
    height = np.sqrt(cv2.GaussianBlur(depth, (5, 5), 1.2))
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    lit = -slope_x * math.sin(light) - slope_y * math.cos(light)
    relief: NDArray[np.float32] = np.clip(-lit * 0.35, -0.6, 0.35)
    return relief
