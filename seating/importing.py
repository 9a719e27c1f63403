"""Keeps a plan: written once under its hash, never changed."""

import gzip
import json
from collections.abc import Sequence

from django.db import transaction

from seating.geometry import NotAPlan, Plan, check
from seating.models import SeatingPlan, Venue


def store_plan(*, venue: Venue, plan: Plan, guids: Sequence[str] | None = None) -> SeatingPlan:
    """Store `plan` for `venue` and return its row; the row that is there already if the same plan was stored before.

    `guids` are the seats' own ids from an imported file, in index order. `NotAPlan` if the plan does not hold
    together; then nothing is written. Two at once store one: the hash is unique.
    """
    check(plan)
    if guids is not None and len(guids) != plan.seat_count:
        raise NotAPlan(f"guids: {len(guids)} for {plan.seat_count} places")
    with transaction.atomic():
        row, _ = SeatingPlan.objects.get_or_create(
            content_hash=plan.content_hash,
            defaults={
                "venue": venue,
                "name": plan.name[:120],
                "seat_count": plan.seat_count,
                # No time stamp inside, so that equal plans are equal bytes.
                "body": gzip.compress(plan.body, compresslevel=9, mtime=0),
                "guids": gzip.compress(json.dumps(list(guids)).encode(), mtime=0) if guids else b"",
            },
        )
    return row
