"""Every command and every Python example of the docs runs, in the order of reading."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from filmroom.simulate.settings import Settings
from filmroom.simulate.write import write_match

ROOT = Path(__file__).parents[2]


def blocks(page, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S
    )


@pytest.fixture
def desk(tmp_path):
    """A folder with a match video in it, where `filmroom` is the command under test."""
    settings = Settings(sport="soccer", seconds=0.8, seed=5, width=640, height=360)
    write_match(settings.checked(), tmp_path / "made").rename(tmp_path / "match.mp4")
    (tmp_path / "filmroom").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m filmroom "$@"\n')
    (tmp_path / "filmroom").chmod(0o755)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", ["docs/guide.md", "docs/simulation.md", "docs/appearance.md"])
def test_a_page_can_be_followed(desk, page):
    script = "set -e\nPATH=.:$PATH\n" + "".join(blocks(page, "sh"))
    done = subprocess.run(["sh", "-c", script], cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for example in blocks(page, "python"):
        subprocess.run([sys.executable, "-c", example], cwd=desk, check=True)


def test_the_readme_names_only_commands_that_exist():
    from filmroom.cli.app import app

    known = {command.name for command in app.registered_commands}
    used = set(
        re.findall(r"^\s*filmroom (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    )
    assert used <= known
