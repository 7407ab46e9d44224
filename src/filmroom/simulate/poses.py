"""How an athlete's body is bent: joint angles of a moment, gaits, and where the joints then are.

Angles are radians. A swing is a turn forward (about the axis from left to right), a raise one outward;
knees and elbows bend the natural way. Lengths are shares of the body height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Pair = tuple[float, float]

HIP_HEIGHT = 0.525
TORSO_LENGTH = 0.295
SHOULDER_REACH = 0.112
HIP_REACH = 0.052
UPPER_ARM, FOREARM, HAND = 0.165, 0.140, 0.045
THIGH, SHIN, FOOT = 0.245, 0.245, 0.105
ANKLE_HEIGHT = 0.035


@dataclass(frozen=True)
class Pose:
    """Joint angles; pairs are (left, right) of the athlete's own body.

    `pitch` and `roll` turn the whole body (fallen, diving), `lift` is the height of the lowest joint
    above the ground as a share of the body height (jumping).
    """

    hip_swing: Pair = (0.0, 0.0)
    hip_raise: Pair = (0.07, 0.07)
    knee: Pair = (0.05, 0.05)
    shoulder_swing: Pair = (0.0, 0.0)
    shoulder_raise: Pair = (0.18, 0.18)
    elbow: Pair = (0.2, 0.2)
    lean: float = 0.03
    side_lean: float = 0.0
    twist: float = 0.0
    head_turn: float = 0.0
    head_nod: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    lift: float = 0.0


def gait_pose(phase: float, speed: float, *, arms: float = 1.0, heels: float = 1.0) -> Pose:
    """The pose `phase` radians (2 pi is two steps) into a walk or run at `speed` metres a second.

    Below 0.2 m/s the athlete stands. `arms` scales the arms' swing, `heels` how high the feet come.
    """
    if speed < 0.2:
        sway = 0.04 * math.sin(phase)
        return Pose(hip_swing=(sway, -sway), shoulder_swing=(0.1, 0.1), elbow=(0.35, 0.35))
    effort = min(1.0, speed / 7.5)
    stride = 0.28 + 0.62 * effort
    folding = heels * (0.45 + 1.45 * effort)
    hips, knees, shoulders, elbows = [], [], [], []
    for offset in (0.0, math.pi):
        leg = phase + offset
        hips.append(stride * math.sin(leg) + 0.16 * effort)
        # A leg folds while it swings forward and is nearly straight on the ground.
        knees.append(0.12 + folding * max(0.0, math.cos(leg + 0.35)) ** 1.5)
        shoulders.append(-arms * (0.25 + 0.65 * effort) * math.sin(leg))
        elbows.append(0.25 + 1.25 * effort + 0.15 * math.sin(leg))
    bounce = max(0.0, -math.cos(2 * phase)) * 0.035 * max(0.0, effort - 0.3)
    return Pose(
        hip_swing=(hips[0], hips[1]),
        knee=(knees[0], knees[1]),
        shoulder_swing=(shoulders[0], shoulders[1]),
        elbow=(elbows[0], elbows[1]),
        lean=0.05 + 0.22 * effort,
        twist=0.18 * effort * math.sin(phase),
        lift=bounce,
    )


POSE_KINDS = (
    "stand", "walk", "run", "kick", "jump", "bent", "crouch", "arms_raised", "point", "fallen", "slide",
    "sit",
)  # fmt: skip
_SHARES = (0.18, 0.17, 0.30, 0.06, 0.06, 0.05, 0.06, 0.04, 0.03, 0.025, 0.025, 0.0)


def random_pose(rng: np.random.Generator, kind: str | None = None) -> Pose:
    """A pose of one of POSE_KINDS, as often as a match shows it, with every joint a little off."""
    kind = kind or POSE_KINDS[int(rng.choice(len(POSE_KINDS), p=_SHARES))]
    return _shaken(_pose_of(kind, rng), rng)


def _pose_of(kind: str, rng: np.random.Generator) -> Pose:
    phase = rng.uniform(0, 2 * math.pi)
    pick = rng.uniform
    match kind:
        case "stand":
            hips_on_hands = rng.random() < 0.2
            raised = 0.75 if hips_on_hands else pick(0.08, 0.35)
            bent = 1.9 if hips_on_hands else pick(0.1, 0.7)
            spread = pick(0.03, 0.22)
            pose = Pose(
                hip_raise=(spread, spread),
                shoulder_raise=(raised, raised),
                shoulder_swing=(-0.3, -0.3) if hips_on_hands else (0.1, 0.1),
                elbow=(bent, bent),
                head_turn=pick(-0.8, 0.8),
            )
        case "walk":
            pose = gait_pose(phase, pick(0.8, 2.2))
        case "run":
            pose = replace(gait_pose(phase, pick(2.5, 9.0)), shoulder_raise=(pick(0.1, 0.5),) * 2)
        case "kick":
            back = rng.random() < 0.4
            swing, fold = (-0.7, 1.5) if back else (pick(0.6, 1.3), 0.15)
            pose = Pose(
                hip_swing=(0.05, swing), knee=(0.25, fold), hip_raise=(0.08, pick(0.05, 0.4)),
                shoulder_raise=(pick(0.6, 1.4), pick(0.2, 0.9)), shoulder_swing=(pick(0, 0.6), -0.4),
                lean=pick(-0.15, 0.25), side_lean=pick(-0.2, 0.2),
            )  # fmt: skip
        case "jump":
            raised = pick(0.3, 2.9)
            pose = Pose(
                hip_swing=(pick(-0.4, 0.6), pick(-0.4, 0.6)), knee=(pick(0.1, 1.5), pick(0.1, 1.5)),
                shoulder_raise=(raised, pick(0.3, 2.9)), elbow=(pick(0, 0.8), pick(0, 0.8)),
                lean=pick(-0.2, 0.3), lift=pick(0.05, 0.4),
            )  # fmt: skip
        case "bent":
            lean = pick(0.6, 1.4)
            pose = Pose(
                hip_swing=(0.35, 0.3), knee=(0.4, 0.35), lean=lean, shoulder_swing=(lean * 0.7,) * 2,
                elbow=(0.15, 0.15), head_nod=-0.3,
            )  # fmt: skip
        case "crouch":
            fold = pick(0.5, 1.5)
            pose = Pose(
                hip_swing=(fold * 0.6, fold * 0.6), knee=(fold, fold * pick(0.8, 1.1)),
                hip_raise=(pick(0.2, 0.5),) * 2, lean=pick(0.25, 0.9),
                shoulder_raise=(pick(0.2, 1.4), pick(0.2, 1.4)), shoulder_swing=(pick(0.2, 1.0),) * 2,
                elbow=(pick(0.3, 1.6), pick(0.3, 1.6)), head_nod=-0.3,
            )  # fmt: skip
        case "sit":
            bent = pick(1.2, 1.6)
            pose = Pose(
                hip_swing=(bent, bent + pick(-0.15, 0.15)), knee=(bent, bent + pick(-0.3, 0.3)),
                hip_raise=(pick(0.05, 0.3),) * 2, lean=pick(-0.1, 0.5),
                shoulder_swing=(pick(0.2, 0.8), pick(0.2, 0.8)), elbow=(pick(0.4, 1.6), pick(0.4, 1.6)),
                head_turn=pick(-0.5, 0.5),
            )  # fmt: skip
        case "arms_raised":
            pose = replace(
                gait_pose(phase, pick(0, 4.0)),
                shoulder_raise=(pick(1.6, 3.0), pick(1.6, 3.0)),
                elbow=(pick(0, 1.0), pick(0, 1.0)),
            )
        case "point":
            pose = replace(
                gait_pose(phase, pick(0, 2.5)),
                shoulder_swing=(pick(0.9, 1.8), 0.0),
                shoulder_raise=(pick(0, 0.9), 0.15),
                elbow=(0.05, 0.3),
            )
        case "fallen":
            pose = Pose(
                hip_swing=(pick(-0.1, 1.2), pick(-0.1, 1.2)), knee=(pick(0, 1.6), pick(0, 1.6)),
                shoulder_raise=(pick(0.2, 2.2), pick(0.2, 2.2)), elbow=(pick(0, 1.2), pick(0, 1.2)),
                pitch=pick(1.2, 1.7) * (1 if rng.random() < 0.5 else -1), roll=pick(-1.2, 1.2),
            )  # fmt: skip
        case "slide":
            pose = Pose(
                hip_swing=(pick(0.6, 1.2), pick(0.2, 0.8)), knee=(0.1, pick(0.8, 1.6)),
                shoulder_raise=(pick(0.4, 1.2), pick(0.4, 1.2)), lean=pick(0.1, 0.5),
                pitch=-pick(0.7, 1.2), roll=pick(-0.5, 0.5),
            )  # fmt: skip
        case _:
            raise ValueError(f"no pose called {kind!r}; there are {', '.join(POSE_KINDS)}")
    return pose


def _shaken(pose: Pose, rng: np.random.Generator) -> Pose:
    def shake(pair: Pair, amount: float) -> Pair:
        return pair[0] + rng.normal(0, amount), pair[1] + rng.normal(0, amount)

    knee = shake(pose.knee, 0.08)
    elbow = shake(pose.elbow, 0.15)
    return replace(
        pose,
        hip_swing=shake(pose.hip_swing, 0.07),
        hip_raise=shake(pose.hip_raise, 0.05),
        knee=(max(0.0, knee[0]), max(0.0, knee[1])),
        shoulder_swing=shake(pose.shoulder_swing, 0.12),
        shoulder_raise=shake(pose.shoulder_raise, 0.1),
        elbow=(max(0.0, elbow[0]), max(0.0, elbow[1])),
        lean=pose.lean + rng.normal(0, 0.05),
        side_lean=pose.side_lean + rng.normal(0, 0.05),
        twist=pose.twist + rng.normal(0, 0.1),
        head_turn=pose.head_turn + rng.normal(0, 0.35),
        head_nod=pose.head_nod + rng.normal(0, 0.12),
    )


@dataclass(frozen=True)
class Skeleton:
    """Joints of a posed body in its own frame: x to its left, y forward, z up from the ground.

    The origin is the point of the ground below the pelvis. `joints` is (K, 3), named by JOINTS;
    `torso` holds the torso's own left, forward and up axes as columns, `head` the head's.
    """

    joints: FloatArray
    torso: FloatArray
    head: FloatArray


JOINTS = (
    "pelvis", "neck", "head",
    "shoulder_l", "elbow_l", "wrist_l", "hand_l", "hip_l", "knee_l", "ankle_l", "toe_l",
    "shoulder_r", "elbow_r", "wrist_r", "hand_r", "hip_r", "knee_r", "ankle_r", "toe_r",
)  # fmt: skip
JOINT = {name: index for index, name in enumerate(JOINTS)}


def skeleton(pose: Pose, shoulder_reach: float = SHOULDER_REACH) -> Skeleton:
    """Where the joints of a body of height 1 are, the lowest of them `pose.lift` above the ground."""
    torso = _turn_forward(pose.lean) @ _turn_sideways(pose.side_lean) @ _turn_upright(pose.twist)
    head = torso @ _turn_upright(pose.head_turn) @ _turn_forward(pose.head_nod - 0.6 * pose.lean)
    points = np.zeros((len(JOINTS), 3))
    up = torso[:, 2]
    points[1] = TORSO_LENGTH * up
    points[2] = points[1] + 0.045 * up + 0.068 * head[:, 2] + 0.012 * head[:, 1]
    for side, first in ((0, 3), (1, 11)):
        sign = 1.0 if side == 0 else -1.0
        swing, spread = pose.shoulder_swing[side], pose.shoulder_raise[side]
        upper = torso @ _direction(swing, spread, sign)
        lower = torso @ _direction(swing + pose.elbow[side], spread * 0.7, sign)
        points[first] = points[1] + sign * shoulder_reach * torso[:, 0] - 0.012 * up
        points[first + 1] = points[first] + UPPER_ARM * upper
        points[first + 2] = points[first + 1] + FOREARM * lower
        points[first + 3] = points[first + 2] + HAND * lower
        swing, spread, bend = pose.hip_swing[side], pose.hip_raise[side], pose.knee[side]
        points[first + 4] = (sign * HIP_REACH, 0.0, -0.01)
        points[first + 5] = points[first + 4] + THIGH * _direction(swing, spread, sign)
        points[first + 6] = points[first + 5] + SHIN * _direction(swing - bend, spread * 0.8, sign)
        foot = _direction(swing - bend + 1.35, spread * 0.8, sign)
        points[first + 7] = points[first + 6] + FOOT * foot
    body = _turn_forward(pose.pitch) @ _turn_sideways(pose.roll)
    points = points @ body.T
    points[:, 2] += pose.lift + ANKLE_HEIGHT * 0.8 - points[:, 2].min()
    return Skeleton(points, body @ torso, body @ head)


def _direction(swing: float, spread: float, sign: float) -> FloatArray:
    """The way a hanging limb points after a swing forward and a raise outward."""
    outward = math.cos(spread)
    return np.array([sign * math.sin(spread), outward * math.sin(swing), -outward * math.cos(swing)])


def _turn_forward(angle: float) -> FloatArray:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])


def _turn_sideways(angle: float) -> FloatArray:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def _turn_upright(angle: float) -> FloatArray:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
