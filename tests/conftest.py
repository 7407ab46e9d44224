"""What tests share: where the real data lies, and tables built in few words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data; skips the test where there is none."""
    folder = Path(os.environ.get("FILMROOM_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name its folder with FILMROOM_DATA")
    return folder
