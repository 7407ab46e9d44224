"""How well the shipped reader reads shirt numbers, how often it sees one where there is none, how fast.

    python benchmarks/shirt_numbers.py [--parts DIR] [--every N]

Reading: `jersey-crops.zip`, SoccerNet number crops, 542 tracklets, cut by tracklet id into an even
half (looked at while building) and an odd half (only measured). A track is right when
`identify.votes.vote` over its crops gives its label: "voted" may abstain, and an abstention counts as
not right ("wrong" is the share given another number); "forced" takes the best of all reads. Crop
figures are without any threshold ("read") and with the shipped one: share of crops given their track's
label, and share given another.

False numbers: share of crops that get a text at the shipped threshold. Drawn: shirts without number,
sponsors, badges, limbs (seeds that training never used). Real: legs, heads, floor and crowd of the val
parts of the detection sets, none of which shows a number (checked by eye on contact sheets).

Time: process time per crop in batches of 64 on one thread, preparing included.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from real_data import data_folder

from filmroom.formats.coco import CocoSet
from filmroom.identify.votes import vote
from filmroom.observe.numbers import OnnxNumberReader, Reads
from filmroom.train.number_pictures import Material, empty_crops, empty_places

Picture = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", type=Path, help="folder of networks instead of the shipped ones")
    parser.add_argument("--every", type=int, default=1, help="only every Nth tracklet of a half")
    parser.add_argument("--threshold", type=float, help="instead of the shipped one")
    arguments = parser.parse_args()
    shipped = {} if arguments.threshold is None else {"threshold": arguments.threshold}
    reader = OnnxNumberReader(parts=arguments.parts, **shipped)
    tracklets = load_tracklets(data_folder() / "jersey-crops.zip")
    print(
        f"{'tracklets':<12}{'count':>6}{'voted':>8}{'wrong':>8}{'forced':>8}{'read':>8}{'given':>8}{'false':>8}"
    )
    for name, wanted in (("even ids", (0,)), ("odd ids", (1,)), ("all", (0, 1))):
        chosen = {key: value for key, value in tracklets.items() if key % 2 in wanted}
        keys = sorted(chosen)[:: arguments.every]
        print(
            f"{name:<12}{len(keys):>6}"
            + row_of({key: chosen[key] for key in keys}, reader, arguments.parts)
        )
    crops = [crop for _, crops in list(tracklets.values())[:40] for crop in crops]
    print(f"\nmilliseconds a crop, one thread: {milliseconds(reader, crops):.3f}")
    print(f"\n{'without a number':<28}{'crops':>7}{'given one':>11}")
    drawn = empty_crops(np.random.default_rng(20_001), Material(), 3000)
    print_false("drawn shirts, sponsors, limbs", drawn, reader)
    for name in ("football-detection", "basketball-detection"):
        print_false(name + " val", real_places(data_folder() / f"{name}.zip"), reader)


def load_tracklets(archive: Path) -> dict[int, tuple[str, list[Picture]]]:
    """Tracklet id to its number and its RGB crops."""
    found: dict[int, tuple[str, list[Picture]]] = {}
    with zipfile.ZipFile(archive) as packed:
        listing = next(
            name for name in packed.namelist() if name.endswith("soccernet-number-crops/labels.csv")
        )
        folder = listing.removesuffix("labels.csv")
        with packed.open(listing) as stream:
            rows = list(csv.DictReader(io.TextIOWrapper(stream, "utf-8")))
        for row in rows:
            coded = np.frombuffer(packed.read(folder + row["image"]), np.uint8)
            crop = np.asarray(
                cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8
            )
            found.setdefault(int(row["tracklet"]), (row["number"], []))[1].append(crop)
    return found


def row_of(
    tracklets: dict[int, tuple[str, list[Picture]]], reader: OnnxNumberReader, parts: Path | None
) -> str:
    eager = OnnxNumberReader(threshold=0.0, parts=parts)
    tallies: dict[str, list[float]] = defaultdict(list)
    for number, crops in tracklets.values():
        reads, forced = reader.read(crops), eager.read(crops)
        text, _ = vote(reads.text, reads.score, reads.legible)
        best, _ = vote(forced.text, forced.score, forced.legible, margin=0, least=0)
        tallies["voted"].append(text == number)
        tallies["wrong"].append(text not in (number, ""))
        tallies["forced"].append(best == number)
        tallies["read"] += [read == number for read in forced.text]
        tallies["given"] += [read == number for read in reads.text]
        tallies["false"] += [read not in (number, "") for read in reads.text]
    return "".join(f"{np.mean(values):>8.3f}" for values in tallies.values())


def milliseconds(reader: OnnxNumberReader, crops: Sequence[Picture]) -> float:
    batches = [crops[start : start + 64] for start in range(0, len(crops) - 63, 64)]
    reader.read(batches[0])
    times = []
    for batch in batches:
        start = time.process_time()
        reader.read(batch)
        times.append((time.process_time() - start) / len(batch))
    return float(np.median(times) * 1e3)


def real_places(archive: Path) -> list[Picture]:
    pictures = CocoSet(archive, "val")
    rng = np.random.default_rng(5)
    crops: list[Picture] = []
    for image in pictures:
        things = list(zip(image.categories, image.boxes.tolist(), strict=True))
        crops += empty_places(pictures.picture(image), things, rng)
    return [
        crop for index, crop in enumerate(crops) if index not in _SHOWS_A_NUMBER.get(archive.stem, ())
    ]


_SHOWS_A_NUMBER = {"basketball-detection": (41,)}
"""Places where the eye does see a number after all: a player whom nobody labelled."""


def print_false(name: str, crops: Sequence[Picture], reader: OnnxNumberReader) -> None:
    reads: list[Any] = [reader.read(crops[start : start + 64]) for start in range(0, len(crops), 64)]
    given = [bool(text) for part in reads for text in Reads(*part).text]
    print(f"{name:<28}{len(given):>7}{np.mean(given):>11.4f}")


if __name__ == "__main__":
    main()
