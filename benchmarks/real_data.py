"""Where the real data lies: FILMROOM_DATA, or ../shared/data beside the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_folder() -> Path:
    folder = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"{folder}: no data there; name its folder with FILMROOM_DATA")
    return folder
