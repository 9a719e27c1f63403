"""Tickets: their signed codes, the printed page, and the door."""
