"""The annotated video: rings at the feet, tinted silhouettes, number plates, the ball and short trails.

Tables in, one more look at the pixels to draw on. Everything is drawn on the decoder's own planes
inside small windows; reading, drawing and encoding run side by side, and the bytes do not depend on the
number of threads.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.errors import InputError
from filmroom.geometry.masks import decode_rle
from filmroom.rendering.canvas import Canvas, Colour, ColourSpace
from filmroom.rendering.layout import LabelLayout
from filmroom.rendering.palette import drawing_colours
from filmroom.rendering.sprites import RingStyle, SpriteSheet
from filmroom.rendering.trails import Trails
from filmroom.tables import boxes_of
from filmroom.video.decode import Reader
from filmroom.video.encode import Quality, Writer
from filmroom.video.probe import probe

Floats = NDArray[np.float64]
MaskRows: TypeAlias = pa.Table | Callable[[int], pa.Table]

_NO_TEAM_COLOUR: Colour = (225, 225, 225)
_REFEREE_COLOUR: Colour = (24, 24, 24)
_LUMA_TINT, _COLOUR_TINT = 0.22, 0.60
_OUTLINE_TINT = 0.85
_RING_SHARE = 0.25
_SMOOTHING = (3.0, 2.0, 1.0)
_SIZE_SMOOTHING = 12
_PICTURES_BEHIND = 2
_STYLES: dict[str, RingStyle] = {"goalkeeper": "double", "referee": "dashed"}


def annotate(
    video_path: Path | str,
    tracks: pa.Table,
    players: pa.Table,
    masks: MaskRows | None,
    output: Path | str,
    *,
    team_colours: Mapping[str, Any],
    progress: Callable[[int], None] | None = None,
    sample: float | None = None,
    threads: int = 2,
    motion: pa.Table | None = None,
    detections: pa.Table | None = None,
    quality: Quality = "fast",
) -> str | None:
    """Write `output`, an MP4 of the video with TRACKS and PLAYERS drawn on it and its sound copied.

    `masks` is the MASKS table, or a function that gives its rows of one frame; people without one are
    drawn without a tint. `detections` (DETECTIONS) places masks by the boxes they were made from;
    without it by the tracks' own boxes. `motion` (MOTION) keeps trails in place on the ground while the
    camera moves, and ends them at cuts. `team_colours` gives the measured RGB of `a`, `b` and `none`,
    made clearer for drawing; `progress` is told of every frame done; `sample` as for `Reader`, that of
    the run. The result is the reader's damage line, None for a sound video. Errors: InputError for the
    video, MachineError for a full disk; then no output is left behind.
    """
    facts = probe(video_path)
    reader = Reader(video_path, sample=sample, threads=threads)
    artist = Artist(
        tracks,
        players,
        masks,
        team_colours=team_colours,
        motion=motion,
        detections=detections,
        fps=facts.fps,
    )
    with contextlib.closing(reader.planes()) as pictures:
        first = next(pictures, None)
        if first is None:
            raise InputError(
                f"{video_path}: no picture of it can be decoded; convert it or try another file"
            )
        writer = Writer(
            output,
            facts.width,
            facts.height,
            facts.fps if sample is None else min(facts.fps, 1 / sample),
            quality=quality,
            matrix=first.matrix,
            full_range=first.full_range,
            tagged=first.tagged,
        )
        with writer, _Behind(writer.write_planes, _PICTURES_BEHIND if threads > 1 else 0) as write:
            if facts.has_audio:
                writer.copy_audio(video_path, reader.origin)
            for picture in itertools.chain([first], pictures):
                planes = (picture.luma, picture.blue, picture.red)
                drawn = artist.draw(
                    picture.index, planes, picture.matrix, full_range=picture.full_range
                )
                write(*drawn, picture.time)
                if progress is not None:
                    progress(1)
    return reader.damage


class _Rows(NamedTuple):
    """All rows to draw, sorted by frame; row i of every array is the same person or ball."""

    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    boxes: Floats
    feet: Floats
    size: Floats
    detection: NDArray[np.int64]
    is_ball: NDArray[np.bool_]
    corner: NDArray[np.int64]

    def take(self, chosen: slice | NDArray[np.intp]) -> _Rows:
        """Some of the rows."""
        columns: list[Any] = [column[chosen] for column in self]
        return _Rows(*columns)


class _Person(NamedTuple):
    """How one track is drawn all the way through."""

    colour: Colour
    style: RingStyle
    number: str
    name: str


class Artist:
    """Draws frame after frame, in order, from tables prepared once."""

    def __init__(
        self,
        tracks: pa.Table,
        players: pa.Table,
        masks: MaskRows | None,
        *,
        team_colours: Mapping[str, Any],
        motion: pa.Table | None = None,
        detections: pa.Table | None = None,
        fps: float = 25.0,
    ) -> None:
        self._rows = _prepare(tracks, detections, fps)
        self._masks = _mask_lookup(masks)
        self._people = _people(tracks, players, drawing_colours(team_colours))
        self._trails = Trails(motion, fps)
        self._sheet: SpriteSheet | None = None
        self._layout: LabelLayout | None = None
        self._colour_space: tuple[int, bool] | None = None
        self._tables: dict[tuple[Colour, float, float], tuple[Any, Any, Any]] = {}

    def draw(
        self, frame: int, planes: tuple[Any, Any, Any], matrix: int = 601, *, full_range: bool = False
    ) -> tuple[Any, Any, Any]:
        """The planes of a frame with everything drawn on copies of them."""
        canvas = Canvas(*planes)
        if self._sheet is None or self._colour_space != (matrix, full_range):
            self._colour_space = (matrix, full_range)
            self._sheet = SpriteSheet(canvas.height, ColourSpace(matrix, full_range))
            self._tables.clear()
        if self._layout is None:
            self._layout = LabelLayout(canvas.width, canvas.height)
        low, high = np.searchsorted(self._rows.frame, [frame, frame + 1])
        rows = self._rows.take(slice(int(low), int(high)))
        trails = self._trails.step(frame, rows.track, rows.feet, rows.is_ball, rows.boxes)
        if trails.after_cut:
            self._layout.forget()
        person = np.flatnonzero(~rows.is_ball)
        person = person[np.argsort(rows.feet[person, 1], kind="stable")]
        silhouettes = self._silhouettes(frame, rows, person)
        for line in trails.feet:
            self._draw_trail(canvas, line.points, self._people[line.track].colour, 2.2, 0.5)
        rings = self._draw_rings(canvas, rows, person, silhouettes)
        for row in person.tolist():
            if row in silhouettes:
                self._draw_silhouette(canvas, rows, row, silhouettes[row])
        for line in trails.ball:
            self._draw_trail(canvas, line.points, (255, 255, 255), 3.4, 0.8)
        self._draw_balls(canvas, rows)
        self._draw_plates(canvas, rows, person, rings)
        return canvas.planes

    def _silhouettes(self, frame: int, rows: _Rows, person: NDArray[np.intp]) -> dict[int, Any]:
        wanted = {int(rows.detection[row]): row for row in person.tolist() if rows.detection[row] >= 0}
        if self._masks is None or not wanted:
            return {}
        found: dict[int, Any] = {}
        for detection, rle, width, height in self._masks(frame):
            if detection not in wanted or not rle:
                continue
            try:
                mask = np.asarray(decode_rle(rle, width, height), dtype=bool)
            except (ValueError, IndexError):
                continue
            if mask.any():
                found[wanted[detection]] = mask
        return found

    def _draw_rings(
        self, canvas: Canvas, rows: _Rows, person: NDArray[np.intp], silhouettes: Mapping[int, Any]
    ) -> Floats:
        """Rings at the feet; returns their half width and half height, zero where the feet are out of
        sight."""
        assert self._sheet is not None
        rings = np.zeros((len(rows.track), 2))
        for row in person.tolist():
            box = rows.boxes[row]
            if box[1] + box[3] > canvas.height - 1.5 and box[3] > 0.3 * canvas.height:
                continue
            look = self._people[int(rows.track[row])]
            widest = 0.11 * canvas.height
            radius = 2 * round(
                min(max(_RING_SHARE * rows.size[row], 5 * self._sheet.unit, 4), widest) / 2
            )
            seen = rows.detection[row] >= 0
            ring = self._sheet.ring(
                radius, look.colour, look.style, closed=row in silhouettes, faint=not seen
            )
            x, y = rows.feet[row]
            canvas.paste(ring, round(x - ring.width / 2), round(y - ring.height / 2))
            rings[row] = radius, 0.36 * radius
        return rings

    def _draw_silhouette(self, canvas: Canvas, rows: _Rows, row: int, mask: Any) -> None:
        colour = self._people[int(rows.track[row])].colour
        x, y = rows.corner[row].tolist()
        canvas.tint(mask, x, y, self._table(colour, _LUMA_TINT, _COLOUR_TINT))
        reach = max(1, round(canvas.height / 1000))
        core = cv2.erode(mask.view(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        canvas.tint(mask & (core == 0), x, y, self._table(colour, _OUTLINE_TINT, _OUTLINE_TINT))

    def _table(self, colour: Colour, luma_share: float, colour_share: float) -> tuple[Any, Any, Any]:
        """Lookup tables that pull each plane towards a colour by a share."""
        assert self._sheet is not None
        key = (colour, luma_share, colour_share)
        if key not in self._tables:
            target = self._sheet.space.planes(np.array(colour))
            levels = np.arange(256, dtype=np.float32)
            shares = (luma_share, colour_share, colour_share)
            made = [
                np.clip(np.rint(levels + (value - levels) * share), 0, 255).astype(np.uint8)
                for value, share in zip(target, shares, strict=True)
            ]
            self._tables[key] = (made[0], made[1], made[2])
        return self._tables[key]

    def _draw_trail(
        self, canvas: Canvas, points: Floats, colour: Colour, width: float, alpha: float
    ) -> None:
        assert self._sheet is not None
        thickness = max(1, round(width * self._sheet.unit))
        margin = thickness + 2
        low = np.maximum(np.floor(points.min(axis=0) - margin).astype(int), 0) // 2 * 2
        high = np.ceil(points.max(axis=0) + margin).astype(int)
        high = np.minimum((high + 1) // 2 * 2, (canvas.width, canvas.height))
        if (high <= low).any():
            return
        cover = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        fixed = np.rint((points - low) * 16).astype(int).tolist()
        count = len(fixed) - 1
        for step, (start, end) in enumerate(itertools.pairwise(fixed), 1):
            value = round(255 * alpha * step / count)
            cv2.line(cover, start, end, value, thickness, cv2.LINE_AA, 4)
        canvas.wash(cover, int(low[0]), int(low[1]), self._sheet.space.planes(np.array(colour)))

    def _draw_balls(self, canvas: Canvas, rows: _Rows) -> None:
        assert self._sheet is not None
        for row in np.flatnonzero(rows.is_ball).tolist():
            x, y, w, _ = rows.boxes[row]
            marker = self._sheet.ball_marker(faint=bool(rows.detection[row] < 0))
            top = y - marker.height - 3 * self._sheet.unit
            canvas.paste(marker, round(x + w / 2 - marker.width / 2), round(max(top, 0)))

    def _draw_plates(
        self, canvas: Canvas, rows: _Rows, person: NDArray[np.intp], rings: Floats
    ) -> None:
        assert self._sheet is not None and self._layout is not None
        looks = [self._people[int(track)] for track in rows.track[person]]
        plates = [self._sheet.plate(look.number, look.name, look.colour) for look in looks]
        sizes = np.array([(plate.width, plate.height) for plate in plates], dtype=float).reshape(-1, 2)
        balls = rows.boxes[rows.is_ball]
        corners = self._layout.place(
            rows.track[person],
            people=_steady_boxes(rows, person),
            rings=rings[person],
            plates=sizes,
            gap=3 * self._sheet.unit,
            obstacles=np.concatenate([balls[:, :2] - balls[:, 2:], 3 * balls[:, 2:]], axis=1),
        )
        for plate, (x, y) in zip(plates, corners.tolist(), strict=True):
            canvas.paste(plate, x, y)


def _steady_boxes(rows: _Rows, person: NDArray[np.intp]) -> Floats:
    """Boxes that stand on the steadied feet with the steadied height."""
    feet, size, width = rows.feet[person], rows.size[person], rows.boxes[person, 2]
    return np.stack([feet[:, 0] - width / 2, feet[:, 1] - size, width, size], axis=1)


def _prepare(tracks: pa.Table, detections: pa.Table | None, fps: float) -> _Rows:
    columns = {name: tracks[name].to_numpy() for name in ("frame", "track")}
    order = np.lexsort((columns["frame"], columns["track"]))
    frame = columns["frame"][order].astype(np.int64)
    track = columns["track"][order].astype(np.int64)
    boxes = boxes_of(tracks)[order].reshape(-1, 4)
    detection = np.asarray(tracks["detection"].fill_null(-1).to_numpy())[order].astype(np.int64)
    roles = np.array(tracks["role"].to_pylist(), dtype=object)[order]
    kept = roles != "hoop"
    frame, track, boxes, detection, roles = (
        values[kept] for values in (frame, track, boxes, detection, roles)
    )
    step = int(np.median(np.diff(np.unique(frame)))) if len(np.unique(frame)) > 1 else 1
    same = _same_run(frame, track, step)
    ground = np.stack([boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3]], axis=1)
    feet = _smoothed(ground, same, len(_SMOOTHING) - 1, np.array(_SMOOTHING))
    reach = max(1, round(_SIZE_SMOOTHING * fps / 25 / step))
    size = _smoothed(boxes[:, 3:4], same, reach, np.ones(reach + 1))[:, 0]
    feet[:, 1] -= 0.03 * size
    corner = np.maximum(np.floor(boxes[:, :2].astype(np.float32)), 0).astype(np.int64)
    if detections is not None:
        corner = _detection_corners(detections, frame, detection, corner)
    order = np.lexsort((track, frame))
    return _Rows(frame, track, boxes, feet, size, detection, roles == "ball", corner).take(order)


def _same_run(frame: NDArray[np.int64], track: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """A number for each unbroken stretch of a track (rows sorted by track and frame)."""
    if not len(frame):
        return np.zeros(0, np.int64)
    breaks = (np.diff(track) != 0) | (np.diff(frame) > 2 * step)
    return np.concatenate([[0], np.cumsum(breaks)]).astype(np.int64)


def _smoothed(values: Floats, runs: NDArray[np.int64], reach: int, weights: Floats) -> Floats:
    """Weighted mean of each row with its neighbours in the same run, as many before as after, so that
    steady motion is left as it is."""
    total = values * weights[0]
    weight = np.full(len(values), weights[0])
    for away in range(1, min(reach, (len(values) - 1) // 2) + 1):
        middle = slice(away, len(values) - away)
        before, after = values[: len(values) - 2 * away], values[2 * away :]
        whole = (runs[: len(values) - 2 * away] == runs[2 * away :]).astype(float) * weights[away]
        total[middle] += (before + after) * whole[:, None]
        weight[middle] += 2 * whole
    smoothed: Floats = total / weight[:, None]
    return smoothed


def _detection_corners(
    detections: pa.Table,
    frame: NDArray[np.int64],
    detection: NDArray[np.int64],
    corner: NDArray[np.int64],
) -> NDArray[np.int64]:
    keys = detections["frame"].to_numpy().astype(np.int64) << 20 | detections["detection"].to_numpy()
    order = np.argsort(keys, kind="stable")
    wanted = frame << 20 | np.maximum(detection, 0)
    place = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
    if not len(keys):
        return corner
    rows = order[place]
    known = (keys[rows] == wanted) & (detection >= 0)
    corners = np.stack([detections[name].to_numpy()[rows] for name in "xy"], axis=1)
    corners = np.maximum(np.floor(corners), 0).astype(np.int64)
    return np.where(known[:, None], corners, corner)


def _people(tracks: pa.Table, players: pa.Table, colours: Mapping[str, Colour]) -> dict[int, _Person]:
    known = {row["track"]: row for row in players.to_pylist()}
    roles = dict(zip(tracks["track"].to_pylist(), tracks["role"].to_pylist(), strict=True))
    return {track: _person(track, role, known.get(track, {}), colours) for track, role in roles.items()}


def _person(track: int, role: str, player: Mapping[str, Any], colours: Mapping[str, Colour]) -> _Person:
    role = player.get("role") or role
    team = player.get("team")
    colour = colours.get(team) if team is not None else None
    if colour is None:
        colour = colours.get("none", _REFEREE_COLOUR) if role == "referee" else _NO_TEAM_COLOUR
    number, name = player.get("number") or "", player.get("name") or ""
    if role == "referee":
        return _Person(colour, "dashed", "", name or "REF")
    if role == "goalkeeper":
        name = name or ("GK" if number else f"GK {track}")
    if not number and not name:
        name = f"id {track}"
    return _Person(colour, _STYLES.get(role, "solid"), number, name)


def _mask_lookup(
    masks: MaskRows | None,
) -> Callable[[int], Iterator[tuple[int, bytes, int, int]]] | None:
    """A function from a frame to its (detection, run lengths, width, height)."""
    if masks is None:
        return None
    if not isinstance(masks, pa.Table):
        fetch: Callable[[int], pa.Table] = masks
        return lambda frame: _mask_rows(fetch(frame))
    frames = masks["frame"].to_numpy()
    order = np.argsort(frames, kind="stable")
    table = masks
    if (np.diff(order) < 0).any():
        table, frames = masks.take(pa.array(order)), frames[order]

    def of_frame(frame: int) -> Iterator[tuple[int, bytes, int, int]]:
        low, high = np.searchsorted(frames, [frame, frame + 1])
        return _mask_rows(table.slice(int(low), int(high - low)))

    return of_frame


def _mask_rows(rows: pa.Table) -> Iterator[tuple[int, bytes, int, int]]:
    columns = (rows[name].to_pylist() for name in ("detection", "rle", "width", "height"))
    return zip(*columns, strict=True)


_END = object()


class _Behind:
    """Calls a function in order from one thread, at most `waiting` calls behind; its errors are raised
    here.

    With `waiting` 0 it is called at once and there is no thread.
    """

    def __init__(self, call: Callable[..., None], waiting: int) -> None:
        self._call = call
        self._calls: queue.Queue[Any] = queue.Queue(max(1, waiting))
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True) if waiting else None

    def __call__(self, *arguments: Any) -> None:
        if self._error is not None:
            raise self._error
        if self._thread is None:
            self._call(*arguments)
        else:
            self._calls.put(arguments)

    def __enter__(self) -> _Behind:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the calls that are left; after an error here they are let go."""
        if self._thread is None:
            return
        if kind is not None:
            self._call = lambda *arguments: None
        self._calls.put(_END)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (arguments := self._calls.get()) is not _END:
            if self._error is None:
                try:
                    self._call(*arguments)
                except BaseException as error:
                    self._error = error
