"""What tests of recipes share: labelled pictures in the layout that recipes read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

CATEGORIES = ("player", "ball")
Labelled = tuple[np.ndarray, Sequence[tuple[str, Sequence[float]]]]
"""A picture, and the category and box of everything on it."""
CocoWriter = Callable[[Path, Sequence[Labelled]], Path]


@pytest.fixture(scope="session")
def coco_folder() -> CocoWriter:
    """Writes pictures and what is on them as the train part of a COCO folder, and gives it back."""

    def write(folder: Path, pictures: Sequence[Labelled]) -> Path:
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        (folder / "train").mkdir()
        images, rows = [], []
        for index, (picture, things) in enumerate(pictures):
            height, width = picture.shape[:2]
            name = f"{index}.png"
            cv2.imwrite(str(folder / "train" / name), picture)
            images.append({"id": index, "file_name": name, "width": width, "height": height})
            for category, box in things:
                number = CATEGORIES.index(category) + 1
                rows.append(
                    {"id": len(rows), "image_id": index, "category_id": number, "bbox": list(box)}
                )
        categories = [{"id": number, "name": name} for number, name in enumerate(CATEGORIES, 1)]
        content = {"images": images, "annotations": rows, "categories": categories}
        (folder / "annotations" / "train.json").write_text(json.dumps(content))
        return folder

    return write
