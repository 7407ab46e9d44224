"""Make the pictures of docs/unlabelled.md: the contact sheets of a training on a simulated clip.

    python docs/draw_unlabelled.py [FOLDER [TRAINED]]

FOLDER is `docs` if not given. TRAINED is a folder in which `filmroom train unlabelled` has ended;
without it, a clip is filmed and learnt from here, which takes some minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2

from filmroom.simulate.labelled import HELD_OUT_STYLE
from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match
from filmroom.train.unlabelled.learning import train_unlabelled

WIDTH, QUALITY = 1000, 80
SHEETS = ("1-moving", "2-foreground", "3-pools", "4-players", "5-detector")


def main() -> None:
    """Train if need be, then shrink the sheets."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    if len(sys.argv) > 2:
        shrink(Path(sys.argv[2]), target)
        return
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(sport="football", seconds=12, seed=31, styles=(HELD_OUT_STYLE,))
        video = write_match(settings, Path(scratch) / "clip")
        train_unlabelled([video], Path(scratch) / "learnt")
        shrink(Path(scratch) / "learnt", target)


def shrink(trained: Path, target: Path) -> None:
    """Write the sheets of a training as small JPEG pictures."""
    for name in SHEETS:
        sheet = cv2.imread(str(trained / f"{name}.png"))
        share = min(1.0, WIDTH / sheet.shape[1])
        small = cv2.resize(sheet, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(target / f"unlabelled-{name}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
