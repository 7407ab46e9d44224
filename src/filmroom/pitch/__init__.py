"""Playing surfaces as data, and the table of sports."""

from filmroom.pitch.sports import SPORTS, Sport, sport_named, surface_named
from filmroom.pitch.surface import Arc, Area, Line, Surface, Writing

__all__ = [
    "SPORTS",
    "Arc",
    "Area",
    "Line",
    "Sport",
    "Surface",
    "Writing",
    "sport_named",
    "surface_named",
]
