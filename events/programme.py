"""The programme as rows: a read model with everything that listing and search show of an event, in one table.

One statement makes the rows from what they depend on; the same statement, compared instead of stored, finds those that
have drifted. How many places are left is known on an upper floor, which hands in the query that counts them: `stock`
yields (event_id, places, sold, blocked). What is made anew, and when, is decided there too (`inventory.read_models`).
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from events.models import ProgrammeRow
from events.money import ODD_EXPONENTS

# "Few left" is one place in twenty; in small halls the last ten, and never more than five hundred.
_FEW = "least(500, greatest(10, (coalesce(s.places, 0) - coalesce(s.blocked, 0)) / 20))"

# A show without an announced end is taken to last four hours (catalog.USUAL_LENGTH). Times of windows are told as the
# rows' JSON tells them, and prices in the order shown. {{chosen}} limits it to some events; {{stock}} counts places.
_EXPECTED = f"""
SELECT e.id AS event_id, e.organizer_id, e.venue_id, e.version, e.slug, e.name, e.subtitle, e.category, e.image,
    e.status, e.sale_switch, e.max_per_fan, e.starts_at, e.ends_at,
    coalesce(e.ends_at, e.starts_at + interval '4 hours') AS over_at,
    (e.starts_at AT TIME ZONE v.timezone)::date AS local_day,
    v.name AS venue_name, v.city, v.timezone, o.currency,
    (CASE {" ".join(f"WHEN o.currency = '{code}' THEN {10**places}" for code, places in ODD_EXPONENTS.items())}
        ELSE 100 END) AS unit,
    t.tiers, t.amounts, t.from_amount, t.to_amount, w.windows, w.opens_at, w.closes_at, w.turns_at,
    coalesce(s.places, 0) AS places, coalesce(s.sold, 0) AS sold, coalesce(s.blocked, 0) AS blocked,
    (CASE WHEN coalesce(s.places - s.blocked, 0) = 0 THEN 'none'
          WHEN s.places - s.blocked = s.sold THEN 'sold_out'
          WHEN s.places - s.blocked - s.sold <= {_FEW} THEN 'few'
          ELSE 'plenty' END) AS stock,
    lower(unaccent(concat_ws(' ', e.name, v.name, v.city, o.name))) AS words,
    e.search, statement_timestamp() AS made_at
FROM events_event e
JOIN seating_venue v ON v.id = e.venue_id
JOIN events_organizer o ON o.id = e.organizer_id
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', number, 'name', name, 'amount', amount) ORDER BY number),
                    '[]') AS tiers,
        coalesce(array_agg(amount ORDER BY number), '{{{{}}}}') AS amounts,
        min(amount) AS from_amount, max(amount) AS to_amount
    FROM events_pricetier WHERE event_id = e.id
) t
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'access', access, 'opens_at', opens_at,
                                                 'closes_at', closes_at) ORDER BY opens_at, id), '[]') AS windows,
        min(opens_at) FILTER (WHERE access = 'public' AND closes_at > statement_timestamp()) AS opens_at,
        max(closes_at) FILTER (WHERE access = 'public' AND closes_at > statement_timestamp()) AS closes_at,
        min(closes_at) FILTER (WHERE access = 'public' AND closes_at > statement_timestamp()) AS turns_at
    FROM events_salewindow WHERE event_id = e.id
) w
LEFT JOIN ({{stock}}) s ON s.event_id = e.id
WHERE e.status <> 'draft' {{chosen}}
"""  # noqa: S608  Codes of currencies, no input.

_COLUMNS = [str(field.column) for field in ProgrammeRow._meta.concrete_fields]

_STORE = f"""
INSERT INTO events_programmerow ({", ".join(_COLUMNS)})
SELECT {", ".join(_COLUMNS)} FROM ({{expected}}) expected ORDER BY event_id
ON CONFLICT (event_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
"""  # noqa: S608  Names of columns, no input.

_FORGET = """
DELETE FROM events_programmerow r USING events_event e
WHERE e.id = r.event_id AND e.status = 'draft' AND r.event_id = ANY(%(events)s)
"""

# What the clock has changed since a row was made is waiting, not drift.
_DRIFT = """
SELECT coalesce(e.event_id, r.event_id) AS event_id,
    CASE WHEN r.event_id IS NULL THEN 'missing' WHEN e.event_id IS NULL THEN 'left over' ELSE (
        SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_each(to_jsonb(r)) stored
        JOIN jsonb_each(to_jsonb(e)) made USING (key) WHERE stored.value <> made.value AND key <> 'made_at'
    ) END AS differs
FROM ({expected}) e FULL JOIN events_programmerow r USING (event_id)
WHERE to_jsonb(e) - 'made_at' IS DISTINCT FROM to_jsonb(r) - 'made_at'
    AND (r.turns_at IS NULL OR r.turns_at > statement_timestamp())
"""


def refresh(events: Sequence[UUID], stock: str) -> int:
    """Make the rows of these events as they are now, and return how many there are; drafts lose theirs.

    One statement reads one snapshot. Two at once for the same event would let the older snapshot win: the caller sees
    to it that there is one.
    """
    chosen = {"events": list(events)}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, chosen)
        cursor.execute(_STORE.format(expected=_expected(stock, "AND e.id = ANY(%(events)s)")), chosen)
        return cursor.rowcount


def turned(limit: int) -> list[UUID]:
    """Return events whose row the clock has changed, those waiting longest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id FROM events_programmerow"
            " WHERE turns_at <= statement_timestamp() ORDER BY turns_at LIMIT %s",
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def drift(stock: str) -> str:
    """Return the query that finds the rows which are not as they would be made now: (event_id, differs)."""
    return _DRIFT.format(expected=_expected(stock))


def _expected(stock: str, chosen: str = "") -> str:
    return _EXPECTED.format(stock=stock, chosen=chosen)
