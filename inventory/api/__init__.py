"""The purchase API at /api/v1/: JSON in, JSON out, problems as RFC 9457, and a page to try it at /api/v1/docs.

`api` is what the addresses mount. Each operation parses its input (`schemas.py`, `requests.py`), makes one domain call
and says what came of it; who may do what, and whether it can be done, is decided in `inventory.purchase`.
"""

from inventory.api.mount import api

__all__ = ["api"]
