"""Commands of the `seating` app."""
