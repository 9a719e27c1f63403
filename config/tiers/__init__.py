"""The tiers between a reader and the database, each generic and exact, and `Shared`, which puts them together.

Each stops one failure: the LRU the repeated question, single-flight the same question asked at once within a process,
the lease the same across processes and the late answer to an old question, XFetch the moment at which everybody finds
a value expired, fan-out the one key that melts one shard, the gutter the store that does not answer, the rate whatever
gets through all of them.
"""

from config.tiers.fanout import Fanout, own_copy
from config.tiers.gutter import GUTTER_SECONDS, gutter
from config.tiers.lease import Lease
from config.tiers.lru import Kept, Lru
from config.tiers.rate import Busy, Rate
from config.tiers.shared import Shared
from config.tiers.single_flight import AsyncSingleFlight, SingleFlight
from config.tiers.xfetch import is_due

__all__ = [
    "GUTTER_SECONDS",
    "AsyncSingleFlight",
    "Busy",
    "Fanout",
    "Kept",
    "Lease",
    "Lru",
    "Rate",
    "Shared",
    "SingleFlight",
    "gutter",
    "is_due",
    "own_copy",
]
