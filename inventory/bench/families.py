"""What can be measured, suite by suite."""

from inventory.bench import edge, origin, size, slot
from inventory.bench.findings import Family

SUITES: dict[str, tuple[Family, ...]] = {
    "read": (edge.FAMILY, slot.FAMILY, origin.FAMILY, size.FAMILY),
}
