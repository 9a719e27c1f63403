"""Which content coding a client gets: one rule for every answer that is compressed beforehand."""

from functools import lru_cache
from typing import Literal

Encoding = Literal["br", "gzip", ""]


@lru_cache(maxsize=512)
def best(accepted: str) -> Encoding:
    """Return the best coding that an Accept-Encoding value allows: named, and not with a weight of nothing.

    RFC 9110, 12.5.3. `""` is the plain body, which everybody takes.
    """
    allowed = set()
    for item in accepted.lower().split(","):
        name, _, parameter = item.partition(";")
        weight = parameter.strip().removeprefix("q=")
        if not (weight and weight.strip("0.") == ""):
            allowed.add(name.strip())
    if "br" in allowed:
        return "br"
    return "gzip" if "gzip" in allowed else ""
