"""The only slow stage: a video in, chunks of observation tables out, resumable at any chunk."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from filmroom import models, tables
from filmroom.errors import InputError
from filmroom.events.replays import find_replays
from filmroom.geometry.masks import encode_rle
from filmroom.observe.appearance import Appearance
from filmroom.observe.decode import detections_table
from filmroom.observe.observer import PERSON, Observation, Observer, Parts, key_stride
from filmroom.observe.shots import LOOK_SIZE, ShotDetector, name_shots
from filmroom.pipeline.run_folder import SETTINGS_FILE, RunFolder
from filmroom.video.decode import Frame, Reader
from filmroom.video.probe import VideoFacts, probe

log = logging.getLogger(__name__)

CHUNK_SECONDS = 10.0

Progress = Callable[[int], None]

_MADE_WITH = {
    "sample": "another sample",
    "networks": "other networks",
    "chunk_frames": "another version of filmroom",
}


class ObserveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides the observation tables; a run is resumed only with the same."""

    video: VideoFacts
    video_bytes: int
    video_digest: str
    sample: float | None
    chunk_frames: int
    networks: dict[str, str]


class Observations(msgspec.Struct, frozen=True):
    """All observation tables of a run; `damage` says in one line how the video is damaged, if it is."""

    frames: pa.Table
    detections: pa.Table
    masks: pa.Table
    appearance: pa.Table
    embeddings: pa.Table
    number_reads: pa.Table
    motion: pa.Table
    shots: pa.Table
    damage: str | None


_CHUNKED = (
    tables.DETECTIONS,
    tables.MASKS,
    tables.APPEARANCE,
    tables.EMBEDDINGS,
    tables.NUMBER_READS,
    tables.MOTION,
    tables.LOOKS,
    tables.FRAMES,  # last: its chunk is there only when all others are
)


def looked_at_rate(video: VideoFacts, sample: float | None) -> float:
    """Frames a second that are looked at."""
    return video.fps if sample is None else min(video.fps, 1 / sample)


def observe_settings(
    video: Path, *, sample: float | None = None, parts: Path | None = None
) -> ObserveSettings:
    """The settings of a run over this video; InputError where it cannot be read."""
    facts = probe(video)
    stride = key_stride(looked_at_rate(facts, sample))
    frames = round(CHUNK_SECONDS * looked_at_rate(facts, sample))
    return ObserveSettings(
        video=facts,
        video_bytes=video.stat().st_size,
        video_digest=_digest(video),
        sample=sample,
        chunk_frames=max(1, round(frames / stride)) * stride,
        networks={
            name: models.checksum(models.model_file(name, parts))
            for name in ("ball", "detector", "embedding", "numbers", "segmenter")
            if models.model_file(name, parts).exists()
        },
    )


def _digest(path: Path) -> str:
    """Checksum of the first and last mebibyte: tells two videos apart without reading them whole."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        digest.update(handle.read(1 << 20))
        handle.seek(max(0, path.stat().st_size - (1 << 20)))
        digest.update(handle.read(1 << 20))
    return digest.hexdigest()


def begin(folder: RunFolder, settings: ObserveSettings, *, resume: bool) -> None:
    """Check that the folder is empty, or holds a run of these settings that is to be resumed."""
    if folder.holds_run() and not resume:
        raise InputError(
            f"{folder.path}: holds another run; add --resume to finish it or choose another folder"
        )
    earlier = folder.file(SETTINGS_FILE)
    if not earlier.exists():
        folder.write_json(SETTINGS_FILE, settings)
        return
    try:
        known = msgspec.json.decode(earlier.read_bytes(), type=ObserveSettings)
    except msgspec.DecodeError as error:
        raise InputError(f"{earlier}: damaged ({error}); choose another folder") from error
    for name in ObserveSettings.__struct_fields__:
        if getattr(known, name) != getattr(settings, name):
            what = _MADE_WITH.get(name, "another video")
            raise InputError(f"{folder.path}: the run here was made with {what}; choose another folder")


def observe(
    video: Path,
    folder: RunFolder,
    settings: ObserveSettings,
    *,
    parts: Parts,
    threads: int,
    progress: Progress | None = None,
) -> Observations:
    """Look at what is not in the folder yet, chunk by chunk, then give all tables."""
    done = folder.whole_chunks(tables.FRAMES)
    earlier = folder.read_chunks(tables.FRAMES, done)
    rate = looked_at_rate(settings.video, settings.sample)
    observer = Observer(parts, fps=rate, threads=threads)
    if progress is not None and earlier.num_rows:
        progress(earlier.num_rows)
    if done:
        log.info("resuming after %d frames in %d whole chunks", earlier.num_rows, done)
    last_seen = earlier.slice(earlier.num_rows - 1).to_pylist() if earlier.num_rows else None
    reader = Reader(
        video,
        sample=settings.sample,
        start=last_seen[0]["frame"] if last_seen else 0,
        start_time=last_seen[0]["time"] if last_seen else None,
        threads=threads,
    )
    frames: Iterator[Frame] = iter(reader)
    before = next(frames, None) if last_seen else None
    observations = observer.observe(frames, first_ordinal=earlier.num_rows, before=before)
    for chunk in itertools.count(done):
        rows = list(itertools.islice(_counted(observations, progress), settings.chunk_frames))
        if rows:
            _write_chunk(folder, chunk, rows)
        if len(rows) < settings.chunk_frames:
            break
    if not folder.whole_chunks(tables.FRAMES):
        raise InputError(f"{video}: no frame of it can be decoded; convert it or try another file")
    return read_observations(folder, settings.video.height, damage=reader.damage)


def _counted(observations: Iterator[Observation], progress: Progress | None) -> Iterator[Observation]:
    for observation in observations:
        if progress is not None:
            progress(1)
        yield observation


def _write_chunk(folder: RunFolder, chunk: int, rows: Sequence[Observation]) -> None:
    built = {
        tables.DETECTIONS.name: detections_table(
            [row.frame for row in rows], [row.found for row in rows]
        ),
        tables.MASKS.name: _masks(rows),
        tables.APPEARANCE.name: _described(
            tables.APPEARANCE, rows, [row.details for row in rows], [row.kits for row in rows]
        ),
        tables.EMBEDDINGS.name: _described(
            tables.EMBEDDINGS, rows, [row.embedded for row in rows], [row.persons for row in rows]
        ),
        tables.NUMBER_READS.name: _number_reads(rows),
        tables.MOTION.name: _motion(rows),
        tables.LOOKS.name: tables.LOOKS.build(
            {"frame": [row.frame for row in rows], "picture": [row.look.tobytes() for row in rows]}
        ),
        tables.FRAMES.name: tables.FRAMES.build(
            {"frame": [row.frame for row in rows], "time": [row.time for row in rows]}
        ),
    }
    for schema in _CHUNKED:
        folder.write_table(folder.chunk_file(schema, chunk), built[schema.name])


def _keys(rows: Sequence[Observation], chosen: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The key columns of those detections of every frame."""
    frames = [np.full(len(these), row.frame, np.int32) for row, these in zip(rows, chosen, strict=True)]
    return {
        "frame": np.concatenate(frames),
        "detection": np.concatenate(chosen).astype(np.int32),
    }


def _box_columns(boxes: np.ndarray) -> dict[str, np.ndarray]:
    return {name: boxes[:, column].astype(np.float32) for column, name in enumerate("xywh")}


def _masks(rows: Sequence[Observation]) -> pa.Table:
    masks = [mask for row in rows for mask in row.silhouettes.masks]
    return tables.MASKS.build(
        _keys(rows, [np.flatnonzero(row.found.kinds == PERSON) for row in rows])
        | {
            "rle": [encode_rle(mask) for mask in masks],
            "width": [max(1, mask.shape[1]) for mask in masks],
            "height": [max(1, mask.shape[0]) for mask in masks],
            "score": np.concatenate([row.silhouettes.scores for row in rows]).astype(np.float32),
        }
    )


def _described(
    schema: tables.TableSchema,
    rows: Sequence[Observation],
    chosen: Sequence[np.ndarray],
    seen: Sequence[Appearance],
) -> pa.Table:
    return schema.build(
        _keys(rows, chosen)
        | {
            "vector": np.concatenate([found.vectors for found in seen]).astype(np.float16),
            "quality": np.concatenate([found.quality for found in seen]),
        }
    )


def _number_reads(rows: Sequence[Observation]) -> pa.Table:
    boxes = np.concatenate([row.reads.boxes for row in rows]).reshape(-1, 4)
    return tables.NUMBER_READS.build(
        _keys(rows, [row.readers for row in rows])
        | {
            "text": [text for row in rows for text in row.reads.text],
            "score": np.concatenate([row.reads.score for row in rows]).astype(np.float32),
            "legible": np.concatenate([row.reads.legible for row in rows]).astype(np.float32),
        }
        | _box_columns(boxes)
    )


def _motion(rows: Sequence[Observation]) -> pa.Table:
    known = [row.motion is not None and row.motion.matrix is not None for row in rows]
    values = np.array(
        [
            row.motion.matrix if row.motion is not None and row.motion.matrix is not None else np.eye(3)
            for row in rows
        ]
    )
    flat = pa.array(values.reshape(-1), pa.float64())
    return tables.MOTION.build(
        {
            "frame": [row.frame for row in rows],
            "matrix": pa.FixedSizeListArray.from_arrays(flat, 9, mask=pa.array(~np.array(known))),
            "inliers": [row.motion.inliers if row.motion is not None else None for row in rows],
        }
    )


def read_observations(
    folder: RunFolder, picture_height: int, *, damage: str | None = None
) -> Observations:
    """The observation tables of a run folder, with the shots found in them."""
    count = folder.whole_chunks(tables.FRAMES)
    if not count:
        raise InputError(f"{folder.path}: holds no observations; make them with: filmroom run")
    read = {schema.name: _read(folder, schema, count) for schema in _CHUNKED}
    looks = read.pop("looks")
    shots = name_shots(_find_shots(looks, read["motion"]), read["detections"], picture_height)
    shots = _with_replays(shots, looks, read["frames"])
    read["motion"] = _without_cuts(read["motion"], shots)
    return Observations(**read, shots=shots, damage=damage)


def _read(folder: RunFolder, schema: tables.TableSchema, count: int) -> pa.Table:
    # Folders may come from where there is no embedding: people are then told apart without.
    if schema is tables.EMBEDDINGS and not folder.file(folder.chunk_file(schema, 0)).exists():
        return schema.empty()
    return folder.read_chunks(schema, count)


def _find_shots(looks: pa.Table, motion: pa.Table) -> pa.Table:
    finder = ShotDetector()
    width, height = LOOK_SIZE
    rows = zip(looks["frame"].to_pylist(), looks["picture"], motion["inliers"].to_pylist(), strict=True)
    for frame, picture, inliers in rows:
        pixels = np.frombuffer(picture.as_buffer(), np.uint8).reshape(height, width)
        finder.update(frame, pixels, inliers)
    return finder.finish()


def _with_replays(shots: pa.Table, looks: pa.Table, frames: pa.Table) -> pa.Table:
    gaps = np.diff(frames["time"].to_numpy())
    if not len(gaps) or not looks.num_rows:
        return shots
    width, height = LOOK_SIZE
    pictures = np.frombuffer(
        looks["picture"].combine_chunks().buffers()[2], np.uint8, looks.num_rows * width * height
    )
    rate = 1.0 / max(float(np.median(gaps)), 1e-6)
    return find_replays(shots, looks["frame"].to_numpy(), pictures.reshape(-1, height, width), rate)


def _without_cuts(motion: pa.Table, shots: pa.Table) -> pa.Table:
    """No motion leads into the first frame of a shot."""
    first = np.isin(motion["frame"].to_numpy(), shots["first_frame"].to_numpy())
    known = motion["matrix"].combine_chunks().is_valid().to_numpy(zero_copy_only=False) & ~first
    values = [
        row if keep else [0.0] * 9
        for row, keep in zip(motion["matrix"].to_pylist(), known, strict=True)
    ]
    flat = pa.array(np.array(values, dtype=float).reshape(-1))
    cut = pa.FixedSizeListArray.from_arrays(flat, 9, mask=pa.array(~known))
    return tables.MOTION.check(tables.with_column(motion, "matrix", cut))
