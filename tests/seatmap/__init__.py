"""Browser tests of the live seat map, against a small peer that speaks the contract."""
