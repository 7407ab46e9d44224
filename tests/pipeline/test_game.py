import errno
import itertools
import json
import os
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

import filmroom
from filmroom.errors import InputError, MachineError
from filmroom.formats.mot import read_mot
from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.video.decode import Reader

RESULTS = ("tracks.parquet", "tracks.txt", "game.json")


class Interrupt:
    """A progress that behaves like Ctrl-C after some frames."""

    def __init__(self, after):
        self.left = after

    @contextmanager
    def start(self, name, total):
        def advance(count):
            self.left -= count
            if self.left < 0:
                raise KeyboardInterrupt

        yield advance


def test_people_are_followed_and_written_in_every_form(run):
    game = filmroom.load(run)
    frames = game.record.frames
    assert len(game.players) > 5
    assert {row["role"] for row in game.record.players} >= {"player"}
    tracks = read_mot(run / "tracks.txt")["tracks"]
    assert len(tracks) == len(game.tracks)
    assert tracks.frames.max() < frames
    record = json.loads((run / "game.json").read_text())
    assert record["video_name"] == "video.mp4" and str(run) not in json.dumps(record)


def test_tables_leave_in_other_shapes(run):
    frame = filmroom.load(run).tracks.to_pandas()
    assert {"frame", "time", "track", "team", "number", "x", "y", "w", "h"} <= set(frame.columns)


def test_the_same_input_gives_the_same_bytes_with_one_thread(clip, run, tmp_path):
    filmroom.analyze(clip, tmp_path / "again", sport="soccer", threads=1)
    for name in RESULTS:
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()


@pytest.mark.parametrize("after", [3, 14, 25])
def test_an_interrupted_run_ends_like_an_undisturbed_one(clip, run, tmp_path, after):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        filmroom.analyze(clip, folder, sport="soccer", progress=Interrupt(after))
    assert not list(folder.rglob("*.partial"))
    filmroom.analyze(clip, folder, sport="soccer", resume=True)
    for name in RESULTS:
        assert (folder / name).read_bytes() == (run / name).read_bytes()


def test_a_half_written_chunk_is_made_again(clip, run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    for table in (folder / "observations").iterdir():
        if table.is_dir():
            (table / "000002.parquet").unlink()
    (folder / "observations" / "frames" / "000001.parquet").unlink()
    filmroom.analyze(clip, folder, sport="soccer", resume=True)
    for name in RESULTS:
        assert (folder / name).read_bytes() == (run / name).read_bytes()


def test_a_folder_that_holds_a_run_is_not_overwritten(clip, run):
    before = (run / "tracks.txt").read_bytes()
    with pytest.raises(InputError, match="--resume"):
        filmroom.analyze(clip, run, sport="soccer")
    assert (run / "tracks.txt").read_bytes() == before


def test_resuming_with_other_settings_is_refused(clip, run):
    with pytest.raises(InputError, match="another sample"):
        filmroom.analyze(clip, run, sample=0.5, resume=True)


def test_two_runs_at_once_into_one_folder(clip, tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.held(), pytest.raises(InputError, match="another run is writing"):
        filmroom.analyze(clip, folder.path)


def test_a_file_where_the_folder_should_be(clip, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        filmroom.analyze(clip, tmp_path / "taken")


def test_a_full_disk_ends_in_one_line_and_loses_nothing(clip, run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    calls = iter(range(1000))

    def full(descriptor):
        if next(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="disk is full"):
        filmroom.analyze(clip, folder, sport="soccer")
    assert not list(folder.rglob("*.partial"))
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("filmroom.pipeline.observing.CHUNK_SECONDS", 0.4)
        filmroom.analyze(clip, folder, sport="soccer", resume=True)
    assert (folder / "tracks.txt").read_bytes() == (run / "tracks.txt").read_bytes()


def test_resolving_again_changes_nothing_and_reads_no_pixels(run, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(run, folder)
    filmroom.resolve(folder)
    for name in RESULTS:
        assert (folder / name).read_bytes() == (run / name).read_bytes()


def test_resolving_with_a_roster_claims_only_its_numbers(run, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(run, folder)
    roster = tmp_path / "roster.csv"
    roster.write_text("team,number,name\nHome,98,Ada\nAway,97,Bo\n")
    game = filmroom.resolve(folder, roster=roster)
    assert {row["number"] for row in game.record.players} <= {None, "98", "97"}
    assert [entry.name for entry in filmroom.resolve(folder).record.roster] == ["Ada", "Bo"]


def test_rendering_draws_every_frame(clip, run, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(run, folder)
    video = filmroom.render(folder, clip)
    drawn, plain = list(Reader(video)), list(Reader(clip))
    assert len(drawn) == len(plain)
    difference = abs(drawn[5].pixels.astype(int) - plain[5].pixels.astype(int)).max(2)
    assert 0.001 < (difference > 60).mean() < 0.3


def test_rendering_another_video_is_refused(clip, run, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(b"no video")
    with pytest.raises(InputError):
        filmroom.render(run, other)


def test_an_unfinished_folder_says_so(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        filmroom.load(tmp_path)


def test_every_second_frame_by_sampling(clip):
    game = filmroom.analyze(clip, sample=0.2)
    frames = sorted(set(game.tracks.arrow["frame"].to_pylist()))
    steps = {later - earlier for earlier, later in itertools.pairwise(frames)}
    assert steps <= {5, 10} and game.folder is None


def test_people_are_described_in_key_frames_and_told_apart_without(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    seen = read_observations(RunFolder(folder), 360)
    frames = np.unique(seen.embeddings["frame"].to_numpy())
    assert len(frames) and (frames % 2 == 0).all()
    vectors = np.array(seen.embeddings["vector"].to_pylist())
    known = seen.embeddings["quality"].to_numpy() > 0
    np.testing.assert_allclose(np.linalg.norm(vectors[known], axis=1), 1, atol=0.01)
    shutil.rmtree(folder / "observations" / "embeddings")
    assert read_observations(RunFolder(folder), 360).embeddings.num_rows == 0
    assert filmroom.resolve(folder).tracks.arrow.num_rows
