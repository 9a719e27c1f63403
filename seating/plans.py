"""Reads of seating plans: decoded, compressed and kept by the process, because a plan never changes."""

import gzip
import json
from functools import lru_cache

import brotli

from seating.geometry import Plan, from_document
from seating.models import SeatingPlan


@lru_cache(maxsize=64)
def plan(content_hash: str) -> Plan:
    """Return the plan with this hash, decoded; `SeatingPlan.DoesNotExist` if there is none.

    The same object comes back every time in one process, so whatever is derived from it is derived once.
    """
    return from_document(json.loads(document(content_hash)))


@lru_cache(maxsize=64)
def guids(content_hash: str) -> tuple[str, ...]:
    """Return the seats' own ids in index order where the plan was imported with some, else an empty tuple."""
    packed = SeatingPlan.objects.values_list("guids", flat=True).get(content_hash=content_hash)
    return tuple(json.loads(gzip.decompress(packed))) if packed else ()


def document(content_hash: str) -> bytes:
    """Return the plan's canonical JSON; `SeatingPlan.DoesNotExist` if there is none."""
    return gzip.decompress(gzip_body(content_hash))


@lru_cache(maxsize=64)
def gzip_body(content_hash: str) -> bytes:
    """Return the plan's document compressed with gzip, as the database keeps it."""
    return bytes(SeatingPlan.objects.values_list("body", flat=True).get(content_hash=content_hash))


@lru_cache(maxsize=64)
def brotli_body(content_hash: str) -> bytes:
    """Return the plan's document compressed with brotli; the best quality costs 0.4 s, once per process and plan."""
    return brotli.compress(document(content_hash), quality=11)
