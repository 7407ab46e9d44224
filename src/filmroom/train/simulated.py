"""Simulated pictures drawn while a detector learns from them; nothing is written to a disk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from filmroom.errors import InputError
from filmroom.observe.silhouettes import CropSegmenter
from filmroom.pitch import sport_named
from filmroom.simulate.labelled import PICTURES_A_SCENE, LabelledFrame, labelled_frames
from filmroom.train.detector import LabelledPicture, labelled_picture, with_heads

PREFIX = "simulated:"
"""What data is called that is drawn and not read: `simulated:soccer`."""


class SimulatedPictures:
    """Pictures of a sport without end, as `labelled_frames` draws them, for `train_detector`.

    Sample i is cut out of a picture of one of `scenes` matches, from match number
    i // (`uses` * PICTURES_A_SCENE) on, so that each picture serves about `uses` samples and matches
    are mixed. Which one, and every pixel of it, hangs on the seed, i and the generator of the sample
    alone: the number of workers and a pause in the training change nothing. `size` is width, height.
    InputError for an unknown sport.
    """

    def __init__(
        self,
        sport: str,
        *,
        seed: int = 1,
        size: tuple[int, int] = (1280, 720),
        scenes: int = 6,
        uses: int = 24,
    ) -> None:
        self.sport = sport_named(sport).name
        self.seed, self.size, self.scenes, self.uses = seed, size, scenes, uses
        self._drawn: dict[int, tuple[Iterator[LabelledFrame], list[LabelledPicture]]] = {}
        self._cutter: CropSegmenter | None = None

    def __getstate__(self) -> dict[str, object]:
        # Workers draw for themselves: what is drawn already, and how far, is not handed on.
        return self.__dict__ | {"_drawn": {}, "_cutter": None}

    def _segmenter(self) -> CropSegmenter:
        if self._cutter is None:
            self._cutter = CropSegmenter()
        return self._cutter

    def picture_for(self, sample: int, rng: np.random.Generator) -> LabelledPicture:
        """The picture that a sample is cut from."""
        first = sample // (self.uses * PICTURES_A_SCENE)
        for scene in [scene for scene in self._drawn if scene < first]:
            del self._drawn[scene]
        return self.picture(first + int(rng.integers(self.scenes)), int(rng.integers(PICTURES_A_SCENE)))

    def picture(self, scene: int, number: int) -> LabelledPicture:
        """One of the PICTURES_A_SCENE pictures of a match."""
        if scene not in self._drawn:
            rng = np.random.default_rng([self.seed, scene])
            self._drawn[scene] = labelled_frames(rng, self.sport, self.size), []
        source, pictures = self._drawn[scene]
        while len(pictures) <= number:
            pictures.append(with_heads(labelled_picture(*next(source)), self._segmenter()))
        return pictures[number]

    def some(self, count: int) -> list[LabelledPicture]:
        """The first pictures of the first matches."""
        return [self.picture(*divmod(index, PICTURES_A_SCENE)) for index in range(count)]


def simulated_named(name: str, seed: int) -> SimulatedPictures | None:
    """The pictures that `simulated:SPORT` stands for; None for any other name."""
    if not name.startswith(PREFIX):
        return None
    sport = name.removeprefix(PREFIX)
    if not sport:
        raise InputError(f"which sport is to be simulated? write {PREFIX}soccer, for example")
    return SimulatedPictures(sport, seed=seed)
