"""The demo world: organizers, halls, forty events and their sales, made up so that every page has something to show."""
