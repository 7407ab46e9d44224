"""CPU time a frame for reading, drawing and writing video: `python benchmarks/video.py VIDEO [--run
DIR]`.

Times are process time (user and system, all threads) divided by frames, measured one part at a time
with one reading thread; encoding uses its two fixed threads. Drawing uses the tables of a run folder,
or made-up ones: 22 people with silhouettes and a ball in every frame.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from filmroom import tables
from filmroom.geometry.masks import encode_rle
from filmroom.observe.shots import ShotDetector
from filmroom.rendering.annotate import Artist
from filmroom.video.decode import Planes, Reader
from filmroom.video.encode import Writer
from filmroom.video.probe import probe

COLOURS = {"a": (215, 40, 45), "b": (245, 245, 245), "none": (250, 215, 40)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--run", type=Path, help="folder of a run of that video")
    parser.add_argument("--frames", type=int, default=250)
    options = parser.parse_args()
    facts = probe(options.video)
    count = options.frames
    print(f"{options.video.name}: {facts.width}x{facts.height}, {facts.codec}, first {count} frames")
    print(f"{'part':<44}{'CPU ms/frame':>14}{'frames/s':>10}")

    _report("decode to planes", count, lambda: _use(Reader(options.video, threads=1).planes(), count))
    _report("decode to RGB", count, lambda: _use(Reader(options.video, threads=1), count))
    pictures = list(itertools.islice(Reader(options.video, threads=1).planes(), min(count, 120)))
    greys = [np.ascontiguousarray(picture.luma[::3, ::3]) for picture in pictures]
    detector = ShotDetector()
    _report(
        "shot detector", len(greys), lambda: [detector.update(i, grey) for i, grey in enumerate(greys)]
    )
    artist = _artist(options.run, facts, len(pictures))
    drawn: list[Any] = []
    _report("draw", len(pictures), lambda: drawn.extend(_draw(artist, pictures)))
    with tempfile.TemporaryDirectory() as folder:
        for quality in ("fast", "good"):
            target = Path(folder) / f"{quality}.mp4"
            seconds = len(drawn) / facts.fps

            def encode(quality: Any = quality, target: Path = target) -> None:
                with Writer(target, facts.width, facts.height, facts.fps, quality=quality) as writer:
                    for index, planes in enumerate(drawn):
                        writer.write_planes(*planes, index / facts.fps)

            _report(f"encode, {quality}", len(drawn), encode)
            print(f"{'':<4}{target.stat().st_size * 8e-6 / seconds:.1f} Mbit/s")


def _report(part: str, frames: int, work: Callable[[], object]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{part:<44}{cpu / frames * 1000:>14.2f}{frames / wall:>10.1f}")


def _use(items: Iterable[Any], count: int) -> None:
    for _ in itertools.islice(items, count):
        pass


def _draw(artist: Artist, pictures: list[Planes]) -> list[Any]:
    return [
        artist.draw(one.index, (one.luma, one.blue, one.red), one.matrix, full_range=one.full_range)
        for one in pictures
    ]


def _artist(run: Path | None, facts: Any, frames: int) -> Artist:
    if run is None:
        tracks, players, masks = _made_up(facts.width, facts.height, frames)
        return Artist(tracks, players, masks, team_colours=COLOURS, fps=facts.fps)
    import pyarrow.parquet as pq

    masks = [pq.read_table(file) for file in sorted((run / "observations" / "masks").glob("*.parquet"))]
    return Artist(
        pq.read_table(run / "resolved" / "tracks.parquet"),
        pq.read_table(run / "resolved" / "players.parquet"),
        pa.concat_tables(masks),
        team_colours=COLOURS,
        fps=facts.fps,
    )


def _made_up(width: int, height: int, frames: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """22 people and a ball that run about; people are an eighth of the picture tall."""
    dice = np.random.default_rng(7)
    people = 22
    tall, wide = height // 8, height // 20
    places = dice.uniform([0, 0.3 * height], [width - wide, height - tall], (people, 2))
    speeds = dice.normal(0, 0.004 * height, (people, 2))
    rows, columns = np.mgrid[0:tall, 0:wide]
    body = ((columns - wide / 2) / (0.4 * wide)) ** 2 + ((rows - tall / 2) / (0.5 * tall)) ** 2 < 1
    frame, person = np.divmod(np.arange(frames * people), people)
    at = np.clip(places[person] + speeds[person] * frame[:, None], 0, [width - wide, height - tall])
    boxes = np.concatenate([at, np.tile([wide, tall], (len(at), 1))], axis=1)
    ball = np.stack([np.linspace(0, width, frames), np.full(frames, height / 2)], axis=1)
    boxes = np.concatenate([boxes, np.concatenate([ball, np.full((frames, 2), 10.0)], axis=1)])
    track = np.concatenate([person + 1, np.full(frames, people + 1)])
    count = len(boxes)
    tracks = tables.TRACKS.build(
        {"frame": np.concatenate([frame, np.arange(frames)]), "track": track, "detection": track}
        | {name: boxes[:, column] for column, name in enumerate("xywh")}
        | {
            "score": np.ones(count),
            "visible": np.ones(count),
            "role": np.where(track > people, "ball", "player"),
        }
    )
    players = tables.PLAYERS.build(
        {
            "track": np.arange(people) + 1,
            "role": ["player"] * people,
            "first_frame": [0] * people,
            "last_frame": [frames - 1] * people,
            "team": ["ab"[index % 2] for index in range(people)],
            "number": [str(index + 1) for index in range(people)],
        }
    )
    masks = tables.MASKS.build(
        {
            "frame": frame,
            "detection": person + 1,
            "rle": [encode_rle(body)] * len(frame),
            "width": np.full(len(frame), wide),
            "height": np.full(len(frame), tall),
            "score": np.ones(len(frame)),
        }
    )
    return tracks, players, masks


if __name__ == "__main__":
    main()
