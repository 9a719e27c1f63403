"""Halls from parameters: a stadium, a theatre, a club, of any size up to 120,000 places."""

from seating.generators.club import club
from seating.generators.stadium import stadium
from seating.generators.theatre import theatre

__all__ = ["club", "stadium", "theatre"]
