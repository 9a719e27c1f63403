"""`demo` runs the whole stack, `test` tests it."""
