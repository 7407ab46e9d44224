"""Two committed clips: what was simulated once is simulated again, on any machine.

Made with `python benchmarks/simulation.py clips`, anew whenever play, cameras or drawing change.
"""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from filmroom.simulate.film import film_frame, make_scene
from filmroom.simulate.settings import Settings
from filmroom.video.decode import read_frames

CLIPS = Path(__file__).parent / "clips"


@pytest.fixture(params=["soccer", "basketball"])
def clip(request):
    return CLIPS / request.param


def settings_of(clip):
    asked = json.loads((clip / "truth/simulation.json").read_text())["settings"]
    known = {field.name for field in fields(Settings)}
    values = {name: value for name, value in asked.items() if name in known}
    return Settings(**values | {"styles": tuple(values["styles"])})


def test_the_same_seed_still_gives_the_same_match(clip):
    scene = make_scene(settings_of(clip))
    people = pq.read_table(clip / "truth/people.parquet").to_pylist()
    for frame in (0, 40, 74):
        truth = film_frame(scene, frame).truth
        written = {row["track"]: row for row in people if row["frame"] == frame}
        assert set(truth.tracks.tolist()) == set(written)
        for row, track in enumerate(truth.tracks.tolist()):
            was = written[track]
            place = [was[f"position_{axis}"] for axis in "xyz"]
            assert truth.positions[row] == pytest.approx(place, abs=0.01)
            assert truth.boxes[row] == pytest.approx([was[side] for side in "xywh"], abs=1.0)


def test_the_video_shows_what_is_drawn(clip):
    scene = make_scene(settings_of(clip))
    shown = next(pixels for i, pixels in enumerate(read_frames(clip / "video.mp4")) if i == 40)
    drawn = film_frame(scene, 40).pixels
    assert np.abs(shown.pixels.astype(int) - drawn).mean() < 8.0


def test_both_are_small():
    size = sum(path.stat().st_size for path in CLIPS.rglob("*") if path.is_file())
    assert size < 2_000_000
