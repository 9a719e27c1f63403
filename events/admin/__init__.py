"""The back office's pages about what is on: organizers, venues and plans in their scope, events and their prices.

The page of an event is registered by `inventory.admin`, which adds to it what the event sells.
"""

from events.admin import organizers, venues

__all__ = ["organizers", "venues"]
