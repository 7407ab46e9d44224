"""The detector alone over pictures or a video, written as a COCO result list."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.observe.decode import KINDS
from filmroom.observe.detector import OnnxDetector
from filmroom.pipeline.game import Progress, Silence
from filmroom.pipeline.run_folder import RunFolder
from filmroom.video.decode import Reader

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")

Named = tuple[dict[str, str | int], NDArray[np.uint8]]


def detect_path(
    path: Path,
    output: Path,
    *,
    parts: Path | None = None,
    threshold: float = 0.05,
    progress: Progress | None = None,
    threads: int = 2,
) -> int:
    """Write a COCO result list of what is found and return its length.

    Each entry has `image_id` (0-based place in the sorted list, or frame), `file_name` or `frame`,
    `category` (person, ball, hoop), `category_id` (1, 2, 3), `bbox` and `score`.
    """
    detector = OnnxDetector(threshold=max(threshold, 1e-3), threads=threads, parts=parts)
    rows = []
    with (progress or Silence()).start("detect", None) as advance:
        for image_id, (name, picture) in enumerate(_pictures(path)):
            found = detector.detect(picture)
            for box, score, kind in zip(found.boxes, found.scores, found.kinds, strict=True):
                rows.append(
                    {
                        "image_id": name.get("frame", image_id),
                        **name,
                        "category": KINDS[kind],
                        "category_id": int(kind) + 1,
                        "bbox": [round(float(value), 2) for value in box],
                        "score": round(float(score), 5),
                    }
                )
            advance(1)
    RunFolder(output.parent).write_bytes(output.name, json.dumps(rows).encode() + b"\n")
    return len(rows)


def _pictures(path: Path) -> Iterator[Named]:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES)
        if not files:
            raise InputError(f"{path}: no pictures in this folder ({', '.join(PICTURE_SUFFIXES)})")
        for file in files:
            yield (
                {"file_name": file.relative_to(path).as_posix()},
                _decode(file.read_bytes(), str(file)),
            )
    elif path.suffix.lower() in PICTURE_SUFFIXES:
        yield {"file_name": path.name}, _decode(path.read_bytes(), str(path))
    elif zipfile.is_zipfile(path):
        yield from _zipped(path)
    else:
        for frame in Reader(path):
            yield {"frame": frame.index}, frame.pixels


def _zipped(path: Path) -> Iterator[Named]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            name for name in archive.namelist() if Path(name).suffix.lower() in PICTURE_SUFFIXES
        )
        if not names:
            raise InputError(f"{path}: no pictures in this zip ({', '.join(PICTURE_SUFFIXES)})")
        for name in names:
            yield {"file_name": name}, _decode(archive.read(name), f"{path}: {name}")


def _decode(content: bytes, where: str) -> NDArray[np.uint8]:
    buffer = np.frombuffer(content, np.uint8)
    picture = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if len(buffer) else None
    if picture is None:
        raise InputError(f"{where}: not a readable picture; convert it to JPEG or PNG")
    return np.ascontiguousarray(picture[:, :, ::-1])
