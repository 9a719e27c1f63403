"""What can be measured, suite by suite."""

from inventory.bench import browser, delta, edge, expiry, growth, origin, reads, size, slot, sockets
from inventory.bench.findings import Family

SUITES: dict[str, tuple[Family, ...]] = {
    "read": (
        edge.FAMILY,
        slot.FAMILY,
        origin.FAMILY,
        reads.FAMILY,
        expiry.FAMILY,
        delta.FAMILY,
        sockets.FAMILY,
        size.FAMILY,
        growth.FAMILY,
        browser.FAMILY,
    ),
}
