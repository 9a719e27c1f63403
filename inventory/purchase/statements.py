"""The SQL of the sale, read from `inventory/sql/` once, and the only way the verbs run it."""

from pathlib import Path
from typing import Any

from django.db import connection

_FOLDER = Path(__file__).resolve().parent.parent / "sql"


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


def rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement on Django's connection and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def write(sql: str, parameters: dict[str, Any]) -> int:
    """Run a statement inside the open transaction and return how many rows it changed."""
    assert_transaction_open()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def assert_transaction_open() -> None:
    """Raise `RuntimeError` outside a transaction, where a row lock would be let go before it protects anything."""
    if not connection.in_atomic_block:
        raise RuntimeError("This step belongs inside the transaction of a verb.")
