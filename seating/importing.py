"""Brings a plan in from a file and keeps it: written once under its hash, never changed.

A file is read whole and checked whole before anything is written, so nothing is ever half imported.
"""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.db import transaction

from seating import csv_format, pretix_format
from seating.geometry import FORMAT, NotAPlan, Plan, check, from_document
from seating.models import SeatingPlan, Venue
from seating.pretix_format import Reading

LARGEST_FILE = 64 * 1024 * 1024
"""Twice what the largest plan takes in the wordiest format; a larger file is refused before it is read."""


def store_plan(*, venue: Venue, plan: Plan, guids: Sequence[str] | None = None) -> SeatingPlan:
    """Store `plan` for `venue` and return its row; the row that is there already if the same plan was stored before.

    `guids` are the seats' own ids from an imported file, in index order. `NotAPlan` if the plan does not hold
    together; then nothing is written. Two at once store one: the hash is unique.
    """
    check(plan)
    if guids and len(guids) != plan.seat_count:
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


def import_plan(*, path: Path, venue: Venue, name: str = "") -> tuple[SeatingPlan, list[str]]:
    """Read a plan from a file, store it for `venue`, and return its row with what was odd about the file.

    `NotAPlan` names the place that is wrong, and nothing is written. See `read_file` for the formats.
    """
    reading = read_file(path, name=name)
    return store_plan(venue=venue, plan=reading.plan, guids=reading.guids), reading.warnings


def read_file(path: Path, *, name: str = "") -> Reading:
    """Return the plan in a file, which is refused by its size before it is read. See `read_plan`."""
    try:
        _check_size(path.stat().st_size)
        content = path.read_bytes()
    except OSError as error:
        raise NotAPlan(f"the file cannot be read: {error.strerror}") from error
    return read_plan(content, file_name=path.name, name=name)


def read_plan(content: bytes, *, file_name: str, name: str = "") -> Reading:
    """Return the plan in a file's content: a pretix seating plan, a plan document, or CSV, told by what is inside.

    `name` overrides the plan's own name; a CSV without either is called after its file. `NotAPlan` names the place
    that is wrong.
    """
    _check_size(len(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAPlan(f"byte {error.start:,}: the file is not UTF-8 text") from error
    if "\x00" in text:
        raise NotAPlan("the file is not text")
    if not text.lstrip().startswith(("{", "[")):
        return csv_format.read(text, name=name or Path(file_name).stem)
    document = _json(text)
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return Reading(from_document(document | ({"name": name} if name else {})), [], [])
    return pretix_format.read(document, name=name)


def _check_size(size: int) -> None:
    if size > LARGEST_FILE:
        raise NotAPlan(f"the file has {size:,} bytes; a plan has at most {LARGEST_FILE:,}")


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotAPlan(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from error
    except RecursionError as error:
        raise NotAPlan("the file is nested too deeply to be a plan") from error
    except ValueError as error:  # A number of more digits than Python converts.
        raise NotAPlan(f"the file holds a number that cannot be read: {error}") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise NotAPlan(f"the file holds {constant}, which is not a number of JSON")
