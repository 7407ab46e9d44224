"""A short simulated clip and a finished run over it, made once for all tests of the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

import filmroom
from filmroom.pipeline import observing
from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated soccer video of about a second and a half."""
    folder = tmp_path_factory.mktemp("simulated") / "match"
    settings = Settings(sport="soccer", seconds=1.4, seed=3, width=640, height=360)
    return write_match(settings.checked(), folder)


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of under half a second, so that a short clip has several."""
    monkeypatch.setattr(observing, "CHUNK_SECONDS", 0.4)


@pytest.fixture(scope="session")
def run(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run, without the annotated video."""
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observing, "CHUNK_SECONDS", 0.4)
        filmroom.analyze(clip, folder, sport="soccer")
    return folder
