"""Invented surnames: nobody's, but shaped like those on shirts."""

from __future__ import annotations

import numpy as np

_ONSETS = (
    "B", "Br", "C", "D", "Dr", "F", "G", "Gr", "H", "J", "K", "Kr", "L", "M", "N", "P", "R", "S", "St",
    "T", "Tr", "V", "W", "Z", "",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o", "ei", "ou")
_MIDDLES = ("l", "r", "n", "m", "nd", "rt", "ss", "v", "k", "ll", "st", "gn", "b", "d")
_ENDS = ("er", "son", "ez", "ic", "a", "o", "ard", "ini", "en", "ov", "is", "man", "ko", "ado", "el")


def invented_name(rng: np.random.Generator) -> str:
    """A surname of four to a dozen letters."""

    def one_of(choices: tuple[str, ...]) -> str:
        return choices[int(rng.integers(len(choices)))]

    name = one_of(_ONSETS) + one_of(_VOWELS) + one_of(_MIDDLES)
    if rng.random() < 0.3:
        name += one_of(_VOWELS) + one_of(_MIDDLES)
    return (name + one_of(_ENDS)).capitalize()


def invented_names(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """So many surnames, all different."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[invented_name(rng)] = None
    return tuple(names)
