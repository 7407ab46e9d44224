import json
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import filmroom


def command(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "filmroom", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "none.mp4", "-o", "out"), "none.mp4"),
        (("run", ".", "-o", "out"), "folder"),
        (("run", "text.mp4", "-o", "out"), "text.mp4"),
        (("run", "empty.mp4", "-o", "out"), "empty.mp4"),
        (("resolve", "nowhere"), "nowhere"),
        (("render", "nowhere"), "nowhere"),
        (("detect", "none.png", "-o", "out.json"), "none.png"),
        (("export", ".", "--format", "mot", "-o", "out.txt"), "no finished run"),
    ],
)
def test_a_wrong_call_is_told_in_one_line_and_ends_with_2(tmp_path, words, says):
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "empty.mp4").write_bytes(b"")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_help_is_quick_and_imports_nothing_heavy():
    heavy = ("cv2", "av", "numpy", "torch", "scipy", "pyarrow")
    code = f"import sys; import filmroom.cli.app; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command():
    done = command("--help")
    for name in (
        "run",
        "detect",
        "render",
        "resolve",
        "track",
        "eval",
        "simulate",
        "export",
        "train",
        "models",
    ):
        assert name in done.stdout


def test_models_lists_what_ships_with_its_licence():
    rows = json.loads(command("models", "--json").stdout)
    assert {row["name"] for row in rows} == {"ball", "detector", "embedding", "numbers", "segmenter"}
    assert all(row["licence"] and row["accuracy"] and row["megabytes"] < 4 for row in rows)


def test_detect_writes_a_coco_list(tmp_path):
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((90, 160, 3), 80, np.uint8))
    done = command("detect", tmp_path, "-o", tmp_path / "found.json")
    assert done.returncode == 0
    assert isinstance(json.loads((tmp_path / "found.json").read_text()), list)


def test_importing_filmroom_is_quick():
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import filmroom"], check=True)
    assert time.perf_counter() - start < 5
    assert "analyze" in dir(filmroom)
