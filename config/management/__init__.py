"""Commands of the `config` app."""
