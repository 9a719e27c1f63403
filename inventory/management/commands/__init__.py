"""Commands of the `inventory` app, one file each."""
