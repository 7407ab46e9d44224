"""Contact sheets: a grid of whatever pictures there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from filmroom.errors import InputError, MachineError
from filmroom.rendering.sheet import contact_sheet, video_sheet, write_png


def test_pictures_of_any_size_in_a_grid() -> None:
    pictures = [np.full((20 + 10 * index, 40, 3), 50 * index, np.uint8) for index in range(5)]
    sheet = contact_sheet(pictures, columns=2, width=80)
    assert sheet.shape == (3 * (120 + 4) + 4, 2 * (80 + 4) + 4, 3)
    assert (sheet[10, 4 + 80 + 4 + 10] == 50).all()


def test_grey_pictures_and_captions() -> None:
    sheet = contact_sheet([np.full((30, 60), 200, np.uint8)], width=60, captions=["frame 3"])
    assert (sheet[10, 10] == 200).all()
    assert (sheet[36:52] > 100).any()


def test_nothing_to_show() -> None:
    with pytest.raises(InputError):
        contact_sheet([])


def test_a_video_is_spread_evenly(scene: Any, tmp_path: Path) -> None:
    sheet = video_sheet(scene.video, count=4, columns=2, width=160)
    assert sheet.shape[1] == 2 * (160 + 4) + 4
    write_png(tmp_path / "sheet.png", sheet)
    again = cv2.cvtColor(cv2.imread(str(tmp_path / "sheet.png")), cv2.COLOR_BGR2RGB)
    assert (again == sheet).all()
    with pytest.raises(MachineError):
        write_png(tmp_path / "absent" / "sheet.png", sheet)
