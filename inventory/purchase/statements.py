"""The SQL of the sale, read from `inventory/sql/` once, and the only way the verbs run it.

The statements are prepared once a connection: planning the claim costs the server more than running it, and Django's
own cursors send every statement as new text. They are prepared by protocol messages, which PgBouncer (from 1.21)
follows in transaction mode too.
"""

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.db import connection

_FOLDER = Path(__file__).resolve().parent.parent / "sql"
_NEVER_BY_COUNT = 2**31  # Django's statements carry their values in their text: preparing one twice seen is a waste.


def _sql(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text()


TAKE_TURN = _sql("take_turn")
CLAIM_PICKED = _sql("claim").replace("{locked}", _sql("lock_picked"))
CLAIM_ANY = _sql("claim").replace("{locked}", _sql("lock_any"))
LOCK_SEATS = _sql("lock_seats")
MOVE_SEATS = _sql("move_seats")
DUE_HOLDS = _sql("due_holds")
FREE_EXPIRED = _sql("free_expired")
HELD = _sql("held")


class _Sent(NamedTuple):
    """What Django's query log asks a cursor for."""

    query: bytes


class _PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor of Django's own connection whose statements are prepared the first time."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, params, prepare=True, **options)
        self._query: Any = _Sent(query.encode())  # Set by psycopg itself only where it prepares nothing.
        return self


def rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement on Django's connection and return its rows."""
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def write(sql: str, parameters: dict[str, Any]) -> int:
    """Run a statement inside the open transaction and return how many rows it changed."""
    assert_transaction_open()
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def assert_transaction_open() -> None:
    """Raise `RuntimeError` outside a transaction, where a row lock would be let go before it protects anything."""
    if not connection.in_atomic_block:
        raise RuntimeError("This step belongs inside the transaction of a verb.")


def _cursor() -> Any:
    """Return a preparing cursor inside Django's wrapper, which translates errors and lets tests see the statements."""
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.prepare_threshold = _NEVER_BY_COUNT
    cursor: Any = _PreparedCursor(raw)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
