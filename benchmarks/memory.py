"""Memory of a run over a long video: the annotated clip looped without encoding it again.

    python benchmarks/memory.py [--minutes 20] [--sample SECONDS]

Peak memory of the whole process of `filmroom run --no-video`, and for how many frames.
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
from real_data import data_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--sample", type=float)
    arguments = parser.parse_args()
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
