"""SoccerNet game state: `SEQ/Labels-GameState.json` and submissions `SEQ.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive, pack

ROLES = ("player", "goalkeeper", "referee", "other")
CATEGORY_IDS = {"player": 1, "goalkeeper": 2, "referee": 3, "ball": 4, "other": 7}

Identity = tuple[str, str | None, str | int | None]
"""Role, team and shirt number as the evaluator compares them."""

_SPLITS = ("train", "valid", "test", "challenge")
_WHOLE_IMAGE_ID = 10
_LARGEST_ID = 1 << 62
_FARTHEST = 1e9


@dataclass(frozen=True)
class GameState:
    """People of one sequence on the pitch, one row a person and frame; the ball is left out.

    `frames` (N,) index among the evaluated pictures; `tracks` (N,); `positions` (N, 2) metres from the
    centre mark; `identities` N roles, teams and shirt numbers, those that do not count set to None.
    `ignored` says how many rows were left out, by reason.
    """

    source: str
    frames: NDArray[np.int64]
    tracks: NDArray[np.int64]
    positions: NDArray[np.float64]
    identities: tuple[Identity, ...]
    ignored: Mapping[str, int]


@dataclass(frozen=True)
class GameStateTruth:
    """A label file: the evaluated pictures in order of time, and the people in them."""

    image_ids: tuple[str, ...]
    people: GameState


@dataclass(frozen=True)
class PersonRow:
    """One person in one frame, to be written.

    `frame` from 0, foot point `x`, `y` in metres from the centre
    mark, `width` in metres (0 if unknown), `box` x, y, w, h in pixels.
    """

    frame: int
    track: int
    role: str
    team: str | None
    number: str | int | None
    x: float
    y: float
    box: tuple[float, float, float, float]
    width: float = 0.0
    score: float = 1.0


class _Attributes(msgspec.Struct):
    role: str | None = None
    team: str | None = None
    jersey: str | int | None = None


class _PitchBox(msgspec.Struct):
    x_bottom_left: float
    y_bottom_left: float
    x_bottom_middle: float
    y_bottom_middle: float
    x_bottom_right: float
    y_bottom_right: float


class _Object(msgspec.Struct):
    image_id: str
    supercategory: str
    track_id: int | None = None
    attributes: _Attributes | None = None
    bbox_pitch: _PitchBox | None = None


class _Image(msgspec.Struct):
    image_id: str
    has_labeled_pitch: bool
    has_labeled_camera: bool
    has_labeled_person: bool


class _Truth(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Object]


class _Predictions(msgspec.Struct):
    predictions: list[_Object]


def read_gamestate_truth(path: Path | str) -> dict[str, GameStateTruth]:
    """All label files under a path by the name of their folder (SNGS-116).

    Raises InputError naming file, entry and reason: wrong types, unknown roles or teams, a person
    without position or track, a track twice in a picture.
    """
    sequences: dict[str, GameStateTruth] = {}
    with Archive(path) as archive:
        for name in archive.names:
            parts = PurePosixPath(name)
            if parts.name != "Labels-GameState.json" and not archive.is_single:
                continue
            content = archive.read_json(name, _Truth)
            images = tuple(
                image.image_id
                for image in sorted(content.images, key=_frame_number)
                if image.has_labeled_pitch and image.has_labeled_camera and image.has_labeled_person
            )
            source = archive.source(name)
            folder = parts.parent.name or archive.path.resolve().parent.name
            people = _people(content.annotations, images, source, "annotations", None)
            sequences[folder] = GameStateTruth(images, people)
    if not sequences:
        raise InputError(f"{path}: no Labels-GameState.json found")
    return dict(sorted(sequences.items()))


def read_gamestate_results(
    path: Path | str, truth: Mapping[str, GameStateTruth], split: str | None = None
) -> dict[str, GameState]:
    """The submission of every truth sequence, `SEQ.json` at any depth, on the truth's pictures.

    Picture ids of another form are read by their last four digits (frame from 0) as the evaluator does;
    that needs the `split`, by default the one the truth's own ids begin with. InputError as for the
    truth, and where a sequence is missing.
    """
    results: dict[str, GameState] = {}
    with Archive(path) as archive:
        files = {PurePosixPath(name).stem: name for name in archive.names if name.endswith(".json")}
        missing = [name for name in truth if name not in files]
        if missing and not (len(truth) == 1 and len(files) == 1):
            raise InputError(
                f"{path}: {len(missing)} of {len(truth)} sequences are missing: {missing[0]}.json"
            )
        for name, labels in truth.items():
            file_name = files.get(name) or next(iter(files.values()))
            content = archive.read_json(file_name, _Predictions)
            prefix = _prefix(name, labels.image_ids, split)
            source = archive.source(file_name)
            results[name] = _people(
                content.predictions, labels.image_ids, source, "predictions", prefix
            )
    return results


def write_gamestate_results(
    path: Path | str, sequences: Mapping[str, Sequence[PersonRow]], split: str = "test"
) -> None:
    """A submission zip: `SEQ.json` for each sequence named like SNGS-116."""
    files: dict[str, bytes | str] = {}
    for name in sorted(sequences):
        video = name.rsplit("-", maxsplit=1)[-1]
        head = f"{_SPLITS.index(split) + 1}{video}"
        rows = [_prediction(row, index, head, video) for index, row in enumerate(sequences[name])]
        files[f"{name}.json"] = msgspec.json.encode({"predictions": rows})
    Path(path).write_bytes(pack(files))


def _prediction(row: PersonRow, index: int, head: str, video: str) -> dict[str, object]:
    has_team = row.role in ("player", "goalkeeper")
    x, y, half = float(row.x), float(row.y), float(row.width) / 2
    return {
        "id": str(index + 1),
        "image_id": f"{head}{row.frame + 1:06d}",
        "video_id": video,
        "track_id": int(row.track),
        "supercategory": "object",
        "category_id": CATEGORY_IDS[row.role],
        "attributes": {
            "role": row.role,
            "team": row.team if has_team else None,
            # The evaluator tells the text "10" from the number 10; the truth holds texts.
            "jersey": str(row.number) if has_team and row.number is not None else None,
        },
        "bbox_image": dict(zip("xywh", map(float, row.box), strict=True)),
        "bbox_pitch": {
            "x_bottom_left": x - half,
            "y_bottom_left": y,
            "x_bottom_middle": x,
            "y_bottom_middle": y,
            "x_bottom_right": x + half,
            "y_bottom_right": y,
        },
        "confidence": float(row.score),
    }


def _frame_number(image: _Image) -> int:
    try:
        return int(image.image_id.rsplit("_", maxsplit=1)[-1])
    except ValueError:
        raise InputError(f"image_id {image.image_id!r} does not end in a number") from None


def _prefix(name: str, images: tuple[str, ...], split: str | None) -> str:
    digit = str(_SPLITS.index(split) + 1) if split else (images[0][:1] if images else "")
    return digit + name.rsplit("-", maxsplit=1)[-1]


def _people(
    rows: list[_Object], images: tuple[str, ...], source: str, word: str, prefix: str | None
) -> GameState:
    index_of = {image: index for index, image in enumerate(images)}
    frames: list[int] = []
    tracks: list[int] = []
    positions: list[tuple[float, float]] = []
    identities: list[Identity] = []
    ignored = {"not in an evaluated picture": 0, "ball": 0}
    seen: set[tuple[int, int]] = set()
    for index, row in enumerate(rows):
        if row.supercategory != "object":
            continue
        place = f"{source}: {word}[{index}]"
        frame = index_of.get(row.image_id)
        if frame is None and prefix is not None:
            frame = index_of.get(_whole_image_id(row.image_id, prefix))
        if frame is None:
            ignored["not in an evaluated picture"] += 1
            continue
        attributes = row.attributes or _Attributes()
        if attributes.role == "ball":
            ignored["ball"] += 1
            continue
        if row.bbox_pitch is None:
            raise InputError(f"{place}: bbox_pitch is missing; leave out whom the pitch does not show")
        if row.track_id is None or abs(row.track_id) > _LARGEST_ID:
            raise InputError(
                f"{place}: track_id is {'missing' if row.track_id is None else 'too large'}"
            )
        middle = row.bbox_pitch.x_bottom_middle, row.bbox_pitch.y_bottom_middle
        if max(map(abs, middle)) > _FARTHEST:
            raise InputError(f"{place}: bbox_pitch is not in metres")
        if (frame, row.track_id) in seen:
            raise InputError(f"{place}: track {row.track_id} twice in picture {row.image_id}")
        seen.add((frame, row.track_id))
        frames.append(frame)
        tracks.append(row.track_id)
        positions.append(middle)
        identities.append(_identity(attributes, place))
    order = np.argsort(np.array(frames, dtype=np.int64), kind="stable")
    return GameState(
        source,
        np.array(frames, dtype=np.int64)[order],
        np.array(tracks, dtype=np.int64)[order],
        np.array(positions, dtype=float).reshape(-1, 2)[order],
        tuple(identities[each] for each in order.tolist()),
        {reason: count for reason, count in ignored.items() if count},
    )


def _whole_image_id(image_id: str, prefix: str) -> str:
    """The id the evaluator makes of one that is not of ten characters: its last four digits, from 0."""
    if len(image_id) == _WHOLE_IMAGE_ID or not image_id[-4:].isdigit():
        return ""
    return f"{prefix}{int(image_id[-4:]) + 1:06d}"


def _identity(attributes: _Attributes, place: str) -> Identity:
    """Teams count for players and goalkeepers, shirt numbers for players only."""
    role = attributes.role
    if role not in ROLES:
        raise InputError(f"{place}: role {role!r} is not one of {', '.join(ROLES)}")
    team = attributes.team if role in ("player", "goalkeeper") else None
    if team not in (None, "left", "right", "nan"):
        raise InputError(f"{place}: team {team!r} is not left, right or null")
    number = attributes.jersey if role == "player" else None
    if number is not None and not (str(number).strip().isdigit() and int(number) <= 10000):
        raise InputError(f"{place}: jersey {number!r} is not a number from 0 to 10000")
    return role, team, number
