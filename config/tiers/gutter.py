"""A second, small pool that is asked only while the first gives no answer.

After R. Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013), 3.3: the keys of a store that is away expire
quickly in the gutter, so nobody has to invalidate them there, and the database meets one load per key and lifetime
instead of one per process and second.
"""

import random
from typing import Final

from config.tiers.pool import Pool

GUTTER_SECONDS: Final = (5.0, 10.0)  # By chance between these, so that what was filled together does not end together.


def gutter() -> Pool:
    """Return the gutter: the Redis role of that name, which never answers where none is configured."""
    return Pool("gutter", lambda: random.uniform(*GUTTER_SECONDS), grace_seconds=0.0)  # noqa: S311 spreads expiries
