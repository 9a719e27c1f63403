"""A payment provider of our own that behaves like a real one, for the demo, the tests and rehearsals.

It keeps its own book (SandboxCharge, SandboxRefund), never reads the shop's tables, and meets the shop only where a
real provider would: by the calls of `client.py`, by the hosted page of `pages.py`, and by the signed webhooks of
`webhooks.py`.
"""
