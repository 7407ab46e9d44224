"""Dull measured kits become clear colours, and the teams can be told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmroom.rendering.palette import clear_colour, drawing_colours

_COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("measured", "strongest"), [((143, 85, 77), 0), ((60, 110, 70), 1), ((60, 70, 140), 2)]
)
def test_a_dull_kit_keeps_its_hue_and_gains_strength(
    measured: tuple[int, int, int], strongest: int
) -> None:
    shown = clear_colour(measured)
    assert max(shown) == shown[strongest] >= 195
    assert max(shown) - min(shown) > 120


def test_greyish_kits_are_white_or_black() -> None:
    assert min(clear_colour((160, 147, 143))) > 230
    assert max(clear_colour((70, 60, 61))) < 60


def test_a_clear_colour_stays() -> None:
    assert clear_colour((215, 40, 45)) == (215, 40, 45)


@given(_COLOURS, _COLOURS)
def test_two_teams_never_look_alike(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    shown = drawing_colours({"a": first, "b": second, "none": (0, 0, 0)})
    apart = sum((one - other) ** 2 for one, other in zip(shown["a"], shown["b"], strict=True)) ** 0.5
    assert apart >= 100
