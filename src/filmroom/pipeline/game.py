"""The whole job: a video in, a run folder and a `Game` out; and its later passes alone."""

from __future__ import annotations

import ctypes
import logging
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa

from filmroom import tables
from filmroom.errors import InputError
from filmroom.formats.mot import TrackRows, format_mot_tracks
from filmroom.identify.roster import RosterEntry, read_roster
from filmroom.observe.observer import Parts
from filmroom.pipeline import observing, resolving
from filmroom.pipeline.observing import Observations, ObserveSettings
from filmroom.pipeline.run_folder import (
    GAME_FILE,
    MOT_FILE,
    SETTINGS_FILE,
    VIDEO_FILE,
    RunFolder,
    disk_errors,
    read_table,
)
from filmroom.pipeline.views import TableView, TrackView
from filmroom.pitch.sports import sport_named
from filmroom.video.probe import VideoFacts, probe

log = logging.getLogger(__name__)

TRACKS_FILE = "tracks.parquet"


class TeamRecord(msgspec.Struct, frozen=True):
    """A team as found: its key, the roster's name for it, and its mean shirt colour."""

    team: str
    name: str | None
    colour: tuple[int, int, int] | None


class GameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What `game.json` holds; nothing in it names the machine that made it."""

    filmroom: str
    video_name: str
    video: VideoFacts
    frames: int
    sport: str | None
    sample: float | None
    networks: dict[str, str]
    damage: str | None
    shots: list[dict[str, object]]
    teams: list[TeamRecord]
    players: list[dict[str, object]]
    roster: list[RosterEntry]


class Progress(Protocol):
    """Told how far each pass is: `start` names a pass and how many frames it has, if known."""

    def start(self, name: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """A context whose value is called with the number of frames just done."""
        ...


class Silence:
    """Tells nobody."""

    def start(self, name: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """A context that ignores what it is told."""
        return nullcontext(lambda count: None)


class Game:
    """A read match: `tracks`, `players`, `shots`, `events` as tables, `record` as in `game.json`."""

    def __init__(
        self,
        record: GameRecord,
        tracks: pa.Table,
        players: pa.Table,
        shots: pa.Table,
        folder: Path | None,
    ) -> None:
        self.record = record
        self.tracks = TrackView(tracks)
        self.players = TableView(players)
        self.shots = TableView(shots)
        self.events = TableView(tables.EVENTS.empty())
        self.folder = folder

    def __repr__(self) -> str:
        people = self.players.arrow.num_rows
        return f"<Game of {self.record.video_name}: {self.record.frames} frames, {people} tracks>"


def analyze(
    video: str | Path,
    output: str | Path | None = None,
    *,
    sport: str | None = None,
    roster: str | Path | None = None,
    sample: float | None = None,
    parts: str | Path | None = None,
    resume: bool = False,
    annotated: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Game:
    """Read a video: find, follow, team and number everybody.

    `output` is the run folder; without it nothing is kept on disk. `sample` seconds lie between two
    frames looked at, None takes every frame. `annotated` writes the annotated video too. Raises
    InputError, and MachineError when the disk fails; a damaged video is told in `record.damage`.
    """
    if output is None:
        with tempfile.TemporaryDirectory(prefix="filmroom-") as scratch:
            game = _analyze(
                Path(video),
                RunFolder(Path(scratch) / "run"),
                sport,
                roster,
                sample,
                parts,
                False,
                False,
                threads,
                progress or Silence(),
            )
        game.folder = None
        return game
    folder = RunFolder(Path(output))
    return _analyze(
        Path(video),
        folder,
        sport,
        roster,
        sample,
        parts,
        resume,
        annotated,
        threads,
        progress or Silence(),
    )


def _analyze(
    video: Path,
    folder: RunFolder,
    sport: str | None,
    roster: str | Path | None,
    sample: float | None,
    parts: str | Path | None,
    resume: bool,
    annotated: bool,
    threads: int,
    progress: Progress,
) -> Game:
    if sample is not None and not sample > 0:
        raise InputError(f"--sample {sample}: must be more than 0 seconds; try 0.1")
    if sport is not None:
        sport_named(sport)
    entries = read_roster(Path(roster)) if roster is not None else []
    parts_folder = Path(parts) if parts is not None else None
    if parts_folder is not None and not parts_folder.is_dir():
        raise InputError(f"{parts_folder}: no such folder of networks")
    settings = observing.observe_settings(video, sample=sample, parts=parts_folder)
    with folder.held():
        observing.begin(folder, settings, resume=resume)
        with progress.start("observe", _expected_frames(settings)) as advance:
            seen = observing.observe(
                video,
                folder,
                settings,
                parts=Parts.shipped(parts_folder),
                threads=threads,
                progress=advance,
            )
        _give_back_memory()
        game = _resolve_and_write(folder, video.name, settings, seen, sport, entries)
        if annotated:
            _render(video, folder, game, seen, threads, progress)
    return game


def _give_back_memory() -> None:
    """Let the system have what the pictures took: the C library keeps some 300 MB of it otherwise."""
    with suppress(OSError, AttributeError):  # only the GNU library knows how
        ctypes.CDLL(None).malloc_trim(0)


def _expected_frames(settings: ObserveSettings) -> int | None:
    facts = settings.video
    if facts.duration is None:
        return facts.frames_in_header
    return max(1, round(facts.duration * observing.looked_at_rate(facts, settings.sample)))


def _resolve_and_write(
    folder: RunFolder,
    video_name: str,
    settings: ObserveSettings,
    seen: Observations,
    sport: str | None,
    roster: list[RosterEntry],
) -> Game:
    resolved = resolving.resolve_observations(
        seen,
        fps=observing.looked_at_rate(settings.video, settings.sample),
        picture=(settings.video.width, settings.video.height),
        sport=sport_named(sport) if sport is not None else None,
        roster=roster,
    )
    colours = resolving.team_colours(resolved.tracks, resolved.players, seen.appearance)
    record = GameRecord(
        filmroom=version("filmroom"),
        video_name=video_name,
        video=settings.video,
        frames=seen.frames.num_rows,
        sport=sport,
        sample=settings.sample,
        networks=settings.networks,
        damage=seen.damage,
        shots=seen.shots.to_pylist(),
        teams=[
            TeamRecord(team, resolved.team_names.get(team), colours.get(team))
            for team in ("a", "b", "none")
            if team in colours
        ],
        players=resolved.players.to_pylist(),
        roster=roster,
    )
    joined = resolving.joined_tracks(resolved.tracks, resolved.players, seen.frames)
    folder.write_table("resolved/tracks.parquet", resolved.tracks)
    folder.write_table("resolved/players.parquet", resolved.players)
    folder.write_table("resolved/shots.parquet", seen.shots)
    folder.write_table(TRACKS_FILE, joined)
    folder.write_bytes(MOT_FILE, format_mot_tracks(mot_rows(resolved.tracks)).encode("ascii"))
    folder.write_json(GAME_FILE, record)
    return Game(record, joined, resolved.players, seen.shots, folder.path)


def mot_rows(tracks: pa.Table) -> TrackRows:
    """Tracks as rows of the MOTChallenge format."""
    return TrackRows.of(
        tracks["frame"].to_numpy(),
        tracks["track"].to_numpy(),
        tables.boxes_of(tracks),
        scores=tracks["score"].to_numpy(),
    )


def load(path: str | Path) -> Game:
    """The game of a finished run folder."""
    folder = RunFolder(Path(path))
    record = _read_record(folder)
    return Game(
        record,
        _read_any(folder.file(TRACKS_FILE)),
        read_table(folder.file("resolved/players.parquet"), tables.PLAYERS),
        read_table(folder.file("resolved/shots.parquet"), tables.SHOTS),
        folder.path,
    )


def _read_record(folder: RunFolder) -> GameRecord:
    path = folder.file(GAME_FILE)
    try:
        return msgspec.json.decode(path.read_bytes(), type=GameRecord)
    except (FileNotFoundError, NotADirectoryError) as error:
        unfinished = folder.file(SETTINGS_FILE).exists()
        advice = (
            "finish it with: filmroom run VIDEO -o DIR --resume"
            if unfinished
            else "make one with: filmroom run"
        )
        raise InputError(f"{folder.path}: holds no finished run; {advice}") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: damaged ({error}); run again with --resume") from error


def _read_any(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (FileNotFoundError, pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: absent or damaged; make it again with: filmroom resolve DIR"
        ) from error


def resolve(path: str | Path, *, roster: str | Path | None = None) -> Game:
    """Track, team and number again from a run folder's observations, without looking at pixels.

    Without `roster` the run's own is kept.
    """
    folder = RunFolder(Path(path))
    record = _read_record(folder)
    entries = read_roster(Path(roster)) if roster is not None else record.roster
    settings = msgspec.json.decode(folder.file(SETTINGS_FILE).read_bytes(), type=ObserveSettings)
    with folder.held():
        seen = observing.read_observations(folder, record.video.height, damage=record.damage)
        return _resolve_and_write(folder, record.video_name, settings, seen, record.sport, entries)


def render(
    path: str | Path,
    video: str | Path | None = None,
    *,
    threads: int = 2,
    progress: Progress | None = None,
) -> Path:
    """Draw the annotated video of a run folder again; `video` where it is not beside the folder."""
    folder = RunFolder(Path(path))
    game = load(path)
    source = _find_video(folder, game.record, Path(video) if video is not None else None)
    with folder.held():
        seen = observing.read_observations(folder, game.record.video.height, damage=game.record.damage)
        return _render(source, folder, game, seen, threads, progress or Silence())


def _find_video(folder: RunFolder, record: GameRecord, given: Path | None) -> Path:
    places = (
        [given]
        if given is not None
        else [
            Path(record.video_name),
            folder.path.parent / record.video_name,
            folder.path / record.video_name,
        ]
    )
    for place in places:
        if place.exists():
            if probe(place) != record.video:
                raise InputError(f"{place}: is not the video of this run; name it with --video")
            return place
    raise InputError(f"{places[0]}: the video of this run is not there; name it with --video")


def _render(
    video: Path,
    folder: RunFolder,
    game: Game,
    seen: Observations,
    threads: int,
    progress: Progress,
) -> Path:
    from filmroom.rendering.annotate import annotate

    tracks = read_table(folder.file("resolved/tracks.parquet"), tables.TRACKS)
    target = folder.file(VIDEO_FILE)
    with disk_errors(target), progress.start("render", game.record.frames) as advance:
        annotate(
            video,
            tracks,
            game.players.arrow,
            seen.masks,
            target,
            team_colours={
                team.team: team.colour for team in game.record.teams if team.colour is not None
            },
            motion=seen.motion,
            detections=seen.detections,
            sample=game.record.sample,
            threads=threads,
            progress=advance,
        )
    return target
