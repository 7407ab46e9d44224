"""A simulated match on disk: the video and, beside it, everything that is true about it.

DIR/video.mp4
DIR/truth/seqinfo.ini, gt/gt.txt   MOTChallenge: people and ball, frames and tracks from 1
DIR/truth/coco.json                COCO detection: ball, goalkeeper, hoop, player, referee
DIR/truth/players.csv              track, role, team, number, name
DIR/truth/people.parquet           one row a person and frame: boxes, visibility, number, place in
metres
DIR/truth/masks.parquet            what shows of each, COCO run lengths of the visible box's pixels
DIR/truth/cameras.parquet          one row a frame
DIR/truth/shots.parquet, events.parquet, captions.parquet
DIR/truth/overlay.png              where graphics lay in every frame of live play (the static ones)
DIR/truth/simulation.json          what was asked for
"""

from __future__ import annotations

import csv
import errno
import json
import math
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from filmroom.errors import InputError, MachineError
from filmroom.geometry.boxes import clip
from filmroom.geometry.masks import encode_rle
from filmroom.simulate.events import comments
from filmroom.simulate.exports import checked_formats, export_truth
from filmroom.simulate.film import FrameTruth, Scene, film_frame, make_scene
from filmroom.simulate.settings import Settings
from filmroom.tables import EVENTS, SHOTS
from filmroom.video.encode import Writer

CATEGORIES = ("ball", "goalkeeper", "hoop", "player", "referee")
"""COCO categories, counted from 1 in this order."""

COUNTED_SHARE = 0.1
"""A box of which less shows is marked in gt.txt as not to be counted (flag 0)."""

_BATCH = 100
_ROOM, _ROOM_A_PIXEL = 8_000_000, 16
"""Bytes of disk kept free, so that what is in hand can be written and every file finished."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_PEOPLE = pa.schema(
    [
        ("frame", pa.int32()),
        ("track", pa.int32()),
        ("role", pa.string()),
        ("team", pa.string()),
        ("number", pa.string()),
        ("readable", pa.bool_()),
        ("visible", pa.float32()),
        *((f"{kind}{side}", pa.float32()) for kind in ("", "visible_", "number_") for side in "xywh"),
        ("position_x", pa.float32()),
        ("position_y", pa.float32()),
        ("position_z", pa.float32()),
    ]
)
_MASKS = pa.schema(
    [
        ("frame", pa.int32()),
        ("track", pa.int32()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("rle", pa.binary()),
    ]
)
_CAMERAS = pa.schema(
    [
        ("frame", pa.int32()),
        ("shot", pa.int32()),
        ("moment", pa.int32()),
        *(
            (name, pa.float64())
            for name in (
                "position_x",
                "position_y",
                "position_z",
                "pan",
                "tilt",
                "roll",
                "focal",
                "centre_x",
                "centre_y",
                "k1",
                "slip_x",
                "slip_y",
            )
        ),
    ]
)

_CAPTIONS = pa.schema([("caption", pa.int32()), ("time", pa.float64()), ("text", pa.string())])


def write_match(
    settings: Settings,
    folder: Path | str,
    advance: Callable[[int], None] | None = None,
    formats: tuple[str, ...] = (),
) -> Path:
    """Film a match into `folder`, made if need be; returns the video's path.

    `formats` (`exports.FORMATS`) are written beside the truth, in `folder/formats`.
    `advance` is called with 1 after each frame. InputError for settings that cannot be and for a folder
    that holds something already or cannot be written; MachineError where the disk is full, which is
    noticed while there is room to finish every file. What was written before an error or an
    interruption can be read: video and truth then end at the same frame.
    """
    settings.checked()
    checked_formats(formats)
    folder = Path(folder)
    needed = _ROOM + _ROOM_A_PIXEL * settings.width * settings.height
    filmed_frames = 0
    with tell_in_one_line(folder):
        _make_empty(folder)
        if shutil.disk_usage(folder).free < needed:
            raise OSError(errno.ENOSPC, "no room")
        scene = make_scene(settings)
        video = folder / "video.mp4"
        # The truth is entered first and left last, so that both end at the same frame whatever happens.
        with TruthWriter(folder / "truth", scene) as truth:
            writer = Writer(
                video,
                settings.width,
                settings.height,
                Fraction(settings.fps).limit_denominator(1001),
                quality="good",
            )
            try:
                for frame in range(len(scene)):
                    if shutil.disk_usage(folder).free < needed:
                        break
                    filmed = film_frame(scene, frame)
                    with undisturbed():
                        writer.write(filmed.pixels, filmed.truth.time)
                        truth.add(filmed.truth)
                    filmed_frames += 1
                    if advance is not None:
                        advance(1)
            except KeyboardInterrupt:
                with undisturbed():
                    writer.close()
                raise
            except BaseException:
                writer.discard()
                raise
            writer.close()
        if filmed_frames < len(scene):
            raise MachineError(
                f"{folder}: the disk is full; the first {filmed_frames} of {len(scene)} frames are kept"
            )
        export_truth(folder, formats, scene.play)
    return video


def _make_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds files already; name a new folder or empty this one")
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let an interruption (Ctrl-C) wait until what stands inside is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


@contextmanager
def tell_in_one_line(folder: Path) -> Iterator[None]:
    """Turn what goes wrong on the disk under `folder` into InputError or MachineError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise MachineError(
                f"{folder}: the disk is full; free some space and simulate again"
            ) from None
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise InputError(f"{folder}: no folder can be made there; choose another") from None
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise InputError(f"{folder}: no permission to write there; choose another folder") from None
        raise MachineError(f"{folder}: writing failed ({error.strerror or error})") from None


class TruthWriter:
    """Writes the truth of a scene frame by frame; use as a context manager.

    Memory stays the same however long the match. Leaving the context finishes every file, after an
    error too, as far as the disk allows.
    """

    def __init__(self, folder: Path, scene: Scene) -> None:
        self.folder, self.scene = folder, scene
        self.frames = 0
        self._static: NDArray[np.bool_] | None = None
        self._annotations = 0
        self._people: dict[str, list[Any]] = {name: [] for name in _PEOPLE.names}
        self._masks: dict[str, list[Any]] = {name: [] for name in _MASKS.names}
        self._cameras: dict[str, list[Any]] = {name: [] for name in _CAMERAS.names}
        self._stack = ExitStack()

    def __enter__(self) -> TruthWriter:
        (self.folder / "gt").mkdir(parents=True)
        self._write_players()
        self._write_request()
        self._boxes: TextIO = self._open("gt/gt.txt")
        self._coco: TextIO = self._open("coco.json")
        self._coco.write(_COCO_START)
        self._tables = [
            (self._stack.enter_context(pq.ParquetWriter(self.folder / f"{name}.parquet", schema)), rows)
            for name, schema, rows in (
                ("people", _PEOPLE, self._people),
                ("masks", _MASKS, self._masks),
                ("cameras", _CAMERAS, self._cameras),
            )
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._stack:
                self._flush()
                self._coco.write(_coco_end(self.scene.settings, self.frames))
            self._write_ends()
        except OSError:
            self._drop_unfinished()
            # The first error is the one to tell; a full disk fails here again.
            if error is None:
                raise

    def _drop_unfinished(self) -> None:
        """Take away what a full disk cut off, so that whatever is there can be read."""
        for table in self.folder.glob("*.parquet"):
            try:
                pq.read_metadata(table)
            except (OSError, pa.ArrowInvalid):
                table.unlink()
        for text in (self.folder / "coco.json", self.folder / "gt" / "gt.txt"):
            ending = "]}\n" if text.suffix == ".json" else "\n"
            if text.exists() and not text.read_bytes().endswith(ending.encode()):
                text.unlink()

    def add(self, truth: FrameTruth) -> None:
        """Take in the next frame."""
        if truth.frame != self.frames:
            raise ValueError(f"expected frame {self.frames}, got {truth.frame}")
        self._add_boxes(truth)
        self._add_rows(truth)
        self._add_camera(truth)
        if self.scene.shots[truth.shot].kind != "replay":
            self._static = truth.overlay if self._static is None else self._static & truth.overlay
        self.frames += 1
        if self.frames % _BATCH == 0:
            self._flush()

    def _open(self, name: str) -> TextIO:
        return self._stack.enter_context((self.folder / name).open("w", encoding="utf-8", newline="\n"))

    def _add_boxes(self, truth: FrameTruth) -> None:
        size = self.scene.settings.width, self.scene.settings.height
        shown = clip(truth.boxes, *size)
        lines = []
        for row, (track, role) in enumerate(zip(truth.tracks.tolist(), truth.roles, strict=True)):
            x, y, w, h = (round(value, 2) for value in shown[row].tolist())
            visible = float(truth.visible[row])
            if role == "other":
                continue
            if role != "hoop":
                counted = int(visible >= COUNTED_SHARE)
                lines.append(
                    f"{truth.frame + 1},{track},{x:g},{y:g},{w:g},{h:g},{counted},1,{visible:.3f}\n"
                )
            self._annotations += 1
            separator = ",\n" if self._annotations > 1 else "\n"
            entry = {
                "id": self._annotations,
                "image_id": truth.frame + 1,
                "category_id": CATEGORIES.index(role) + 1,
                "bbox": [x, y, w, h],
                "area": round(w * h, 2),
                "iscrowd": 0,
                "track_id": track,
                "visible": round(visible, 3),
            }
            self._coco.write(separator + json.dumps(entry))
        self._boxes.write("".join(lines))

    def _add_rows(self, truth: FrameTruth) -> None:
        count = len(truth.tracks)
        people = self._people
        people["frame"] += [truth.frame] * count
        people["track"] += truth.tracks.tolist()
        people["role"] += truth.roles
        people["team"] += truth.teams
        people["number"] += truth.numbers
        people["readable"] += truth.readable.tolist()
        people["visible"] += truth.visible.tolist()
        for kind, boxes in (("", truth.boxes), ("visible_", truth.visible_boxes)):
            for side, column in zip("xywh", boxes.T, strict=True):
                people[f"{kind}{side}"] += column.tolist()
        shows = truth.number_boxes[:, 2] > 0
        for side, column in zip("xywh", truth.number_boxes.T, strict=True):
            people[f"number_{side}"] += [
                v if s else None for v, s in zip(column.tolist(), shows, strict=True)
            ]
        for axis, column in zip("xyz", truth.positions.T, strict=True):
            people[f"position_{axis}"] += column.tolist()
        masks = self._masks
        for track, role, box, mask in zip(
            truth.tracks.tolist(), truth.roles, truth.visible_boxes, truth.masks, strict=True
        ):
            if role == "hoop":
                continue
            masks["frame"].append(truth.frame)
            masks["track"].append(track)
            masks["x"].append(math.floor(box[0]))
            masks["y"].append(math.floor(box[1]))
            masks["width"].append(mask.shape[1])
            masks["height"].append(mask.shape[0])
            masks["rle"].append(encode_rle(mask))

    def _add_camera(self, truth: FrameTruth) -> None:
        camera = truth.camera
        values = {
            "frame": truth.frame,
            "shot": truth.shot,
            "moment": truth.moment,
            **{f"position_{axis}": value for axis, value in zip("xyz", camera.position, strict=True)},
            "pan": camera.pan,
            "tilt": camera.tilt,
            "roll": camera.roll,
            "focal": camera.focal,
            "centre_x": camera.centre[0],
            "centre_y": camera.centre[1],
            "k1": camera.k1,
            "slip_x": camera.slip[0],
            "slip_y": camera.slip[1],
        }
        for name, value in values.items():
            self._cameras[name].append(value)

    def _flush(self) -> None:
        for writer, rows in self._tables:
            if rows["frame"]:
                writer.write_table(pa.table(rows, schema=writer.schema))
            for values in rows.values():
                values.clear()

    def _write_players(self) -> None:
        cast = self.scene.play.cast
        rows = [
            (person + 1, role, "" if team < 0 else "ab"[team], number or "", name)
            for person, (role, team, number, name) in enumerate(
                zip(cast.roles, cast.teams.tolist(), cast.numbers, cast.names, strict=True)
            )
        ]
        rows.append((cast.ball_track, "ball", "", "", ""))
        with (self.folder / "players.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("track", "role", "team", "number", "name"))
            writer.writerows(rows)

    def _write_request(self) -> None:
        surface = self.scene.play.surface
        facts = {
            "settings": asdict(self.scene.settings),
            "frames_asked": len(self.scene),
            "surface": {"name": surface.name, "length": surface.length, "width": surface.width},
            "figure_style": self.scene.wardrobe.style,
        }
        (self.folder / "simulation.json").write_text(
            json.dumps(facts, indent=2) + "\n", encoding="utf-8"
        )

    def _write_ends(self) -> None:
        """What can only be said when the number of frames is known."""
        settings, frames = self.scene.settings, self.frames
        (self.folder / "seqinfo.ini").write_text(
            "[Sequence]\nname=truth\nimDir=img1\n"
            f"frameRate={settings.fps:g}\nseqLength={frames}\n"
            f"imWidth={settings.width}\nimHeight={settings.height}\nimExt=.jpg\n",
            encoding="ascii",
        )
        shots = [shot for shot in self.scene.shots if shot.first < frames]
        pq.write_table(
            SHOTS.build(
                {
                    "shot": list(range(len(shots))),
                    "first_frame": [shot.first for shot in shots],
                    "last_frame": [min(shot.last, frames - 1) for shot in shots],
                    "kind": [shot.kind for shot in shots],
                    "score": [1.0] * len(shots),
                }
            ),
            self.folder / "shots.parquet",
        )
        if self._static is not None:
            cv2.imwrite(str(self.folder / "overlay.png"), self._static.astype(np.uint8) * 255)
        lines = [line for line in comments(self.scene.play, anonymous=False) if line.frame < frames]
        pq.write_table(
            pa.table(
                {
                    "caption": list(range(len(lines))),
                    "time": [line.frame / settings.fps for line in lines],
                    "text": [line.text for line in lines],
                },
                schema=_CAPTIONS,
            ),
            self.folder / "captions.parquet",
        )
        events = [event for event in self.scene.play.events if event.frame < frames]
        pq.write_table(
            EVENTS.build(
                {
                    "event": list(range(len(events))),
                    "time": [event.frame / settings.fps for event in events],
                    "label": [event.label for event in events],
                    "team": ["ab"[event.team] if event.team >= 0 else None for event in events],
                    "track": [event.person + 1 if event.person >= 0 else None for event in events],
                    "score": [1.0] * len(events),
                }
            ),
            self.folder / "events.parquet",
        )


_COCO_START = (
    '{"info": {"description": "simulated by filmroom"}, "categories": '
    + json.dumps([{"id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)])
    + ',\n"annotations": ['
)


def _coco_end(settings: Settings, frames: int) -> str:
    images = ",\n".join(
        json.dumps(
            {
                "id": frame + 1,
                "file_name": f"{frame + 1:06d}.jpg",
                "frame": frame,
                "width": settings.width,
                "height": settings.height,
            }
        )
        for frame in range(frames)
    )
    return f'],\n"images": [\n{images}\n]}}\n'
