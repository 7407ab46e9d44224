"""COCO detection annotations and result lists (https://cocodataset.org/#format-data)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.formats.archive import Archive

_T = TypeVar("_T")

_FARTHEST = 1e9
_LARGEST_ID = 1 << 62


@dataclass(frozen=True)
class CocoImage:
    """One picture with its boxes: `boxes` (N, 4) x, y, w, h pixels; `categories` N names."""

    file_name: str
    width: int
    height: int
    boxes: NDArray[np.float64]
    categories: tuple[str, ...]


class CocoSet:
    """A folder or zip with `annotations/<part>.json` and the pictures in `<part>/`."""

    def __init__(self, path: Path, part: str) -> None:
        self.path = Path(path)
        self.part = part
        self._zip = zipfile.ZipFile(self.path) if zipfile.is_zipfile(self.path) else None
        name = f"annotations/{part}.json"
        try:
            content = json.loads(self._read(name))
        except (KeyError, FileNotFoundError) as error:
            raise InputError(f"{self.path}: no {name} inside; expected a COCO folder or zip") from error
        except json.JSONDecodeError as error:
            raise InputError(f"{self.path}: {name} is not JSON (line {error.lineno})") from error
        names = {category["id"]: category["name"] for category in content["categories"]}
        by_image: dict[int, list[dict[str, object]]] = {}
        for annotation in content["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        self.images = []
        for image in content["images"]:
            rows = by_image.get(image["id"], [])
            boxes = np.array([row["bbox"] for row in rows], dtype=float).reshape(-1, 4)
            categories = tuple(names[row["category_id"]] for row in rows)
            self.images.append(
                CocoImage(image["file_name"], image["width"], image["height"], boxes, categories)
            )

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[CocoImage]:
        return iter(self.images)

    def picture(self, image: CocoImage) -> NDArray[np.uint8]:
        """The picture as RGB, (H, W, 3)."""
        # Here, not above: scores need no pictures.
        import cv2

        data = np.frombuffer(self._read(f"{self.part}/{image.file_name}"), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"{self.path}: {self.part}/{image.file_name} is not a readable picture")
        return np.ascontiguousarray(picture[:, :, ::-1])

    def _read(self, name: str) -> bytes:
        if self._zip is not None:
            return self._zip.read(name)
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class CocoTruth:
    """An annotation file as flat arrays, one row an object.

    `image_ids` and `file_names` of every picture in the order of the ids; `category_ids` and
    `category_names` likewise. `images` and `categories` (N,) are indices into them; `boxes` (N, 4) x,
    y, w, h; `areas`, `crowds`, `ids` (N,); `segmentations` N as they stand in the file, or None.
    """

    source: str
    image_ids: tuple[int | str, ...]
    file_names: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    category_ids: tuple[int, ...]
    category_names: tuple[str, ...]
    images: NDArray[np.int64]
    categories: NDArray[np.int64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowds: NDArray[np.bool_]
    ids: NDArray[np.int64]
    segmentations: tuple[Any, ...]


@dataclass(frozen=True)
class CocoResults:
    """A result list as flat arrays, one row a detection, in the order of the file.

    `category_names` and `file_names` are those written beside the ids, None where an entry has none.
    """

    source: str
    image_ids: tuple[int | str | None, ...]
    file_names: tuple[str | None, ...]
    category_ids: tuple[int | None, ...]
    category_names: tuple[str | None, ...]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    segmentations: tuple[Any, ...]


class _Picture(msgspec.Struct):
    id: int | str
    file_name: str = ""
    width: int = 0
    height: int = 0


class _Category(msgspec.Struct):
    id: int
    name: str = ""


class _Annotation(msgspec.Struct):
    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float]
    id: int = -1
    area: float | None = None
    iscrowd: int = 0
    segmentation: Any = None


class _AnnotationFile(msgspec.Struct):
    images: list[_Picture]
    annotations: list[_Annotation]
    categories: list[_Category]


class _Result(msgspec.Struct):
    score: float
    image_id: int | str | None = None
    file_name: str | None = None
    category_id: int | None = None
    category: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Any = None


def read_coco_truth(path: Path | str, part: str | None = None) -> CocoTruth:
    """An annotation file, or the one in a folder or zip; `part` is its name where there are several.

    Raises InputError naming file, place and reason: wrong types, unknown pictures or categories,
    negative sizes, no file, several files and no `part`.
    """
    source, data = _read_json(path, _AnnotationFile, part)
    pictures = sorted(data.images, key=lambda each: (isinstance(each.id, str), each.id))
    categories = sorted(data.categories, key=lambda each: each.id)
    picture_index = {picture.id: index for index, picture in enumerate(pictures)}
    category_index = {category.id: index for index, category in enumerate(categories)}
    if len(picture_index) < len(pictures):
        raise InputError(f"{source}: two pictures share an id")
    rows = data.annotations
    for index, row in enumerate(rows):
        place = f"{source}: annotations[{index}]"
        if row.image_id not in picture_index:
            raise InputError(f"{place}: image_id {row.image_id!r} is not among the pictures")
        if row.category_id not in category_index:
            raise InputError(f"{place}: category_id {row.category_id} is not among the categories")
        _check_box(row.bbox, place)
        if abs(row.id) > _LARGEST_ID:
            raise InputError(f"{place}: id {row.id} is too large")
    boxes = np.array([row.bbox for row in rows], dtype=float).reshape(-1, 4)
    areas = [row.bbox[2] * row.bbox[3] if row.area is None else row.area for row in rows]
    return CocoTruth(
        source,
        tuple(picture.id for picture in pictures),
        tuple(picture.file_name for picture in pictures),
        tuple((picture.width, picture.height) for picture in pictures),
        tuple(category.id for category in categories),
        tuple(category.name or str(category.id) for category in categories),
        np.array([picture_index[row.image_id] for row in rows], dtype=np.int64),
        np.array([category_index[row.category_id] for row in rows], dtype=np.int64),
        boxes,
        np.array(areas, dtype=float),
        np.array([bool(row.iscrowd) for row in rows], dtype=bool),
        np.array([row.id for row in rows], dtype=np.int64),
        tuple(row.segmentation for row in rows),
    )


def read_coco_results(path: Path | str) -> CocoResults:
    """A result list: `[{image_id, category_id, bbox, score}, ...]`, or `file_name`, `category` for ids.

    Raises InputError naming file, entry and reason: wrong types, neither picture nor category named,
    negative sizes.
    """
    source, rows = _read_json(path, list[_Result])
    for index, row in enumerate(rows):
        place = f"{source}: [{index}]"
        if row.image_id is None and row.file_name is None:
            raise InputError(f"{place}: neither image_id nor file_name")
        if row.category_id is None and row.category is None:
            raise InputError(f"{place}: neither category_id nor category")
        if row.bbox is None and row.segmentation is None:
            raise InputError(f"{place}: neither bbox nor segmentation")
        if row.bbox is not None:
            _check_box(row.bbox, place)
    boxes = [row.bbox or (0.0, 0.0, 0.0, 0.0) for row in rows]
    return CocoResults(
        source,
        tuple(row.image_id for row in rows),
        tuple(row.file_name for row in rows),
        tuple(row.category_id for row in rows),
        tuple(row.category for row in rows),
        np.array(boxes, dtype=float).reshape(-1, 4),
        np.array([row.score for row in rows], dtype=float),
        tuple(row.segmentation for row in rows),
    )


def _check_box(box: tuple[float, float, float, float], place: str) -> None:
    if box[2] < 0 or box[3] < 0:
        raise InputError(f"{place}: bbox {list(box)} has a negative size")
    if max(map(abs, box)) > _FARTHEST:
        raise InputError(f"{place}: bbox {list(box)} is not in pixels")


def write_coco_results(
    path: Path | str,
    image_ids: Sequence[int | str],
    category_ids: Sequence[int],
    boxes: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
) -> None:
    """A result list that the official evaluator reads."""
    rows = [
        {"image_id": image, "category_id": int(category), "bbox": box, "score": score}
        for image, category, box, score in zip(
            image_ids,
            category_ids,
            np.asarray(boxes, float).tolist(),
            np.asarray(scores, float).tolist(),
            strict=True,
        )
    ]
    Path(path).write_bytes(msgspec.json.encode(rows))


def _read_json(path: Path | str, kind: type[_T], part: str | None = None) -> tuple[str, _T]:
    with Archive(path) as archive:
        names = archive.names
        if not archive.is_single:
            names = [name for name in names if name.endswith(".json")]
        name = _only(names, part, archive.path)
        return archive.source(name), archive.read_json(name, kind)


def _only(names: list[str], part: str | None, path: Path) -> str:
    if part is not None:
        names = [name for name in names if Path(name).stem == part]
    if not names:
        raise InputError(f"{path}: no {part or '*'}.json inside")
    if len(names) > 1:
        raise InputError(f"{path}: {len(names)} JSON files inside ({', '.join(names[:4])}); name one")
    return names[0]
