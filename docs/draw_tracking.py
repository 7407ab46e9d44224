"""Draw the pictures of docs/tracking.md: what the tracker makes of small made-up scenes.

    python docs/draw_tracking.py [FOLDER]

Every line drawn is computed by filmroom; nothing is drawn by hand. FOLDER is `docs` if not given.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filmroom.tables import DETECTIONS, MOTION, SHOTS, boxes_of
from filmroom.track.link import LinkSettings, straying
from filmroom.track.offline import track_people
from filmroom.track.panorama import panorama_of
from filmroom.track.pieces import Pieces
from filmroom.track.tracker import Tracker

WIDTH, HEIGHT, LEFT, TOP, FOOT = 900, 360, 70, 30, 45
INK, PALE = (60, 60, 60), (215, 215, 215)
COLOURS = ((180, 90, 30), (40, 130, 220), (70, 160, 70), (150, 70, 160), (60, 60, 210), (160, 150, 40))
PICTURE = (1280, 720)
Picture = NDArray[np.uint8]
Rows = list[tuple[int, float, float, float, float, float]]


class Chart:
    """A white sheet with axes; `line` and `dots` take values of the axes."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float], words: str) -> None:
        self.sheet = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        self.across, self.up = across, up
        cv2.rectangle(self.sheet, (LEFT, TOP), (WIDTH - 20, HEIGHT - FOOT), PALE, 1)
        self.write(words, (LEFT, TOP - 10))

    def write(self, words: str, place: tuple[int, int]) -> None:
        """Words on the sheet, at pixels."""
        cv2.putText(self.sheet, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)

    def at(self, x: NDArray, y: NDArray) -> NDArray[np.int32]:
        """Pixels (N, 2) of these values."""
        wide, high = WIDTH - 20 - LEFT, HEIGHT - FOOT - TOP
        place_x = LEFT + wide * (np.asarray(x, float) - self.across[0]) / np.ptp(self.across)
        place_y = HEIGHT - FOOT - high * (np.asarray(y, float) - self.up[0]) / np.ptp(self.up)
        return np.column_stack([place_x, place_y]).round().astype(np.int32)

    def line(self, x: NDArray, y: NDArray, colour: tuple[int, int, int], thick: int = 2) -> None:
        """A line through these values."""
        cv2.polylines(self.sheet, [self.at(x, y)], False, colour, thick, cv2.LINE_AA)

    def dashed(self, x: NDArray, y: NDArray, colour: tuple[int, int, int]) -> None:
        """A dashed line from the first to the last of these values."""
        points = np.linspace(self.at(x, y)[0], self.at(x, y)[-1], 21).round().astype(np.int32)
        for start, end in zip(points[:-1:2], points[1::2], strict=True):
            cv2.line(self.sheet, start.tolist(), end.tolist(), colour, 1, cv2.LINE_AA)

    def upright(self, x: float, words: str) -> None:
        """A dashed line upright, with words."""
        self.dashed(np.array([x, x]), np.array(self.up), INK)
        self.write(words, tuple((self.at(np.array([x]), np.array([self.up[1]]))[0] + (6, 18)).tolist()))

    def ticks(self, values_across: list[float], values_up: list[float], unit: str) -> None:
        """Numbers along both axes."""
        for value in values_across:
            x, y = self.at(np.array([value]), np.array([self.up[0]]))[0]
            self.write(f"{value:g}{unit}", (int(x) - 12, int(y) + 20))
        for value in values_up:
            x, y = self.at(np.array([self.across[0]]), np.array([value]))[0]
            self.write(f"{value:g}", (10, int(y) + 5))


def doubt() -> Picture:
    """The margin of the assignment while two people run into each other, turn and part."""
    time = np.arange(75)
    swing = 170 * np.abs(time - 37) / 37
    first, second = 600 - swing - 4, 600 + swing + 4
    tracker = Tracker()
    margins = []
    for frame in time.tolist():
        boxes = np.array(
            [[first[frame], 300, 32, 80], [second[frame], 302, 32, 80], [100, 300, 32, 80]], float
        )
        tracker.update(boxes, np.full(3, 0.9))
        margins.append(min(float(tracker.margins[0]), 40.0))
    chart = Chart((0, 3), (0, 42), "log-odds against having exchanged two people who meet and part")
    chart.line(time[1:] / 25, np.array(margins[1:]), COLOURS[0])
    chart.line(np.array([0, 3]), np.array([1.0, 1.0]), COLOURS[4], 1)
    chart.upright(int(np.argmin(margins[1:]) + 1) / 25, "cut here if below the line")
    chart.ticks([0, 1, 2, 3], [0, 20, 40], " s")
    return chart.sheet


def pan(frames: int) -> NDArray[np.float64]:
    """How far the camera has turned to the right in each frame, pixels."""
    time = np.arange(frames)
    return 620 * np.clip(np.minimum(time - 40, frames - 45 - time) / 45, 0, 1)


def turning_scene(frames: int = 225) -> Rows:
    """Thirteen people of whom the camera loses some, turning away, and finds them again."""
    turned = pan(frames)
    rows: Rows = []
    for frame in range(frames):
        for number in range(13):
            x = 60 + 110.0 * number + 25 * np.sin(frame / 30 + number)
            y = 200 + 37.0 * ((number * 5) % 11)
            if 0 <= x - turned[frame] < PICTURE[0] - 30:
                rows.append((frame, x - turned[frame], y, 30, 76, 0.9))
    return rows


def detections_of_rows(rows: Rows) -> pa.Table:
    """DETECTIONS of people from (frame, x, y, w, h, score)."""
    table = np.array(rows, float)
    frame = table[:, 0].astype(int)
    return DETECTIONS.build(
        {
            "frame": frame,
            "detection": np.arange(len(frame)) - np.searchsorted(frame, frame),
            **{name: table[:, 1 + column] for column, name in enumerate("xywh")},
            "score": table[:, 5],
            "kind": np.full(len(frame), "person"),
            "kind_score": np.ones(len(frame)),
        }
    )


def returning() -> Picture:
    """Who leaves the picture by its border and who comes back there, over the panorama."""
    frames = 225
    tracks = track_people(
        detections_of_rows(turning_scene(frames)),
        MOTION.empty(),
        SHOTS.empty(),
        frames=np.arange(frames),
        fps=25.0,
        picture=PICTURE,
    )
    turned = pan(frames)
    frame, owner = tracks["frame"].to_numpy(), tracks["track"].to_numpy()
    place = boxes_of(tracks)[:, 0] + 15 + turned[frame]
    chart = Chart((0, 9), (0, 1950), "across the panorama: what is seen (lines) and joined (dashed)")
    time = np.arange(frames) / 25
    for border in (turned, turned + PICTURE[0]):
        chart.line(time, border, PALE, 3)
    for track in np.unique(owner).tolist():
        mine = np.flatnonzero(owner == track)
        colour = COLOURS[track % len(COLOURS)]
        parts = np.split(mine, np.flatnonzero(np.diff(frame[mine]) > 1) + 1)
        for part in parts:
            chart.line(frame[part] / 25, place[part], colour)
        for before, after in itertools.pairwise(parts):
            ends = np.array([before[-1], after[0]])
            chart.dashed(frame[ends] / 25, place[ends], colour)
    chart.ticks([0, 3, 6, 9], [0, 1000], " s")
    return chart.sheet


def straying_picture() -> Picture:
    """How far people stray from where they were foretold to be, measured on a made-up clip."""
    random = np.random.default_rng(3)
    frames, people = 400, 14
    push = random.normal(0, 0.35, (frames, people, 2)) * (1.0, 0.5)
    speed = np.zeros((people, 2))
    place = random.uniform((200, 200), (1000, 600), (people, 2))
    found = []
    for frame in range(frames):
        speed = 0.97 * speed + push[frame]
        place = place + speed
        found.append(np.hstack([place, np.tile([30.0, 76.0], (people, 1))]))
    row = np.repeat(np.arange(frames), people)
    piece = np.tile(np.arange(1, people + 1), frames)
    pieces = Pieces.of(piece, row, np.concatenate(found), np.ones(len(row)), None)
    panorama = panorama_of(np.arange(frames), MOTION.empty(), SHOTS.empty())
    lags, spread = straying(pieces, panorama, LinkSettings(), 25.0, 10.0)
    top = float(np.ceil(spread[:, :2].max()))
    chart = Chart(
        (0, 4), (0, top), "body heights off after seconds unseen, across (blue) and down (orange)"
    )
    for axis in (0, 1):
        chart.line(lags, spread[:, axis], COLOURS[axis])
    chart.ticks([0, 1, 2, 3, 4], [0, top], " s")
    return chart.sheet


def main() -> None:
    """Write the three pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    drawings = {"doubt": doubt, "straying": straying_picture, "returning": returning}
    for name, draw in drawings.items():
        if not cv2.imwrite(str(folder / f"tracking-{name}.png"), draw()):
            raise SystemExit(f"{folder}: cannot be written")


if __name__ == "__main__":
    main()
