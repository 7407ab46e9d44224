"""Memory of a run over a long video: the annotated clip looped without encoding it again.

    python benchmarks/memory.py [--minutes 20] [--sample SECONDS] [--identities]

Peak memory of the whole process of `filmroom run --no-video`, and for how many frames. Looking needs
the same however long the video is, but half an hour for twenty minutes of it; with `--identities` the
clip is looked at once, and what was seen is repeated as often before it is resolved, in a minute.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import pyarrow as pa
import pyarrow.compute as pc
from real_data import data_folder

import filmroom
from filmroom.pipeline.observing import read_observations
from filmroom.pipeline.resolving import resolve_observations
from filmroom.pipeline.run_folder import RunFolder
from filmroom.pitch import sport_named

CLIP_FRAMES, CLIP_SECONDS = 375, 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--sample", type=float)
    parser.add_argument("--identities", action="store_true")
    arguments = parser.parse_args()
    if arguments.identities:
        report_identities(round(arguments.minutes * 60 / CLIP_SECONDS))
        return
    with tempfile.TemporaryDirectory() as scratch:
        video = Path(scratch) / "loop.mp4"
        loop(data_folder() / "soccer-clip" / "broadcast-1.mp4", video, arguments.minutes * 60)
        command = [sys.executable, "-m", "filmroom", "run", str(video), "-o", f"{scratch}/run"]
        command += ["--no-video", "--json"]
        command += ["--sample", str(arguments.sample)] if arguments.sample else []
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        frames = json.loads(done.stdout)["frames"]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(f"{frames} frames in {seconds:.0f} s: peak memory {peak:.2f} GB (must 1.5, aim 0.8)")


def report_identities(copies: int) -> None:
    clip = data_folder() / "soccer-clip" / "broadcast-1.mp4"
    with tempfile.TemporaryDirectory() as scratch:
        game = filmroom.analyze(clip, f"{scratch}/run", sport="soccer")
        seen = read_observations(RunFolder(Path(scratch) / "run"), game.record.video.height)
    tables = {name: getattr(seen, name) for name in seen.__struct_fields__}
    many = {
        name: repeated(table, copies) if isinstance(table, pa.Table) else table
        for name, table in tables.items()
    }
    size = (game.record.video.width, game.record.video.height)
    resolve_observations(
        type(seen)(**many), fps=game.record.video.fps, picture=size, sport=sport_named("soccer")
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{many['frames'].num_rows} frames resolved: peak memory {peak:.2f} GB (must 1.5, aim 0.8)")


def repeated(table: pa.Table, copies: int) -> pa.Table:
    """The rows over and over, each time a clip's length later and in shots of their own."""
    later = {"frame": CLIP_FRAMES, "first_frame": CLIP_FRAMES, "last_frame": CLIP_FRAMES, "shot": 1}
    later["time"] = CLIP_SECONDS
    parts = []
    for copy in range(copies):
        part = table
        for name in set(later) & set(table.column_names):
            place, field = part.schema.get_field_index(name), part.schema.field(name)
            moved = pc.cast(pc.add(part[name], copy * later[name]), field.type)
            part = part.set_column(place, field, moved)
        parts.append(part)
    return pa.concat_tables(parts).combine_chunks()


def loop(source: Path, target: Path, seconds: float) -> None:
    """Repeat the packets of `source` until `target` is that long."""
    with av.open(str(target), "w") as output:
        stream = None
        offset = 0
        while stream is None or offset * stream.time_base < seconds:
            with av.open(str(source)) as piece:
                inner = piece.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(inner)
                    stream.time_base = inner.time_base
                last = 0
                for packet in piece.demux(inner):
                    if packet.dts is None:
                        continue
                    last = max(last, packet.pts + packet.duration)
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    output.mux(packet)
                offset += last


if __name__ == "__main__":
    main()
