"""What Postgres itself says it has executed for a database role (pg_stat_statements): nothing of ours counts here."""

from typing import Any

import psycopg

_CALLS = """
SELECT coalesce(sum(s.calls), 0)::bigint FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
WHERE r.rolname = %s AND s.query LIKE %s AND s.query NOT LIKE '%%pg_stat_statements%%'"""

_MOST = """
SELECT s.calls, regexp_replace(s.query, '\\s+', ' ', 'g') FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
WHERE r.rolname = %s ORDER BY s.calls DESC LIMIT %s"""


class Statements:
    """The statements of a role since the last `begin`."""

    def __init__(self, connection: psycopg.Connection[Any], role: str) -> None:
        self.connection = connection
        self._role = role

    def begin(self) -> None:
        """Forget what was counted, of every role."""
        self.connection.execute("SELECT pg_stat_statements_reset()")

    def count(self, like: str = "%") -> int:
        """Return how many statements whose text is `like` were executed."""
        row = self.connection.execute(_CALLS, [self._role, like]).fetchone()
        return int(row[0]) if row else 0

    def most(self, limit: int = 3) -> list[str]:
        """Return the most frequent ones, each as "calls x text"."""
        rows = self.connection.execute(_MOST, [self._role, limit]).fetchall()
        return [f"{calls:,} x {query[:110]}" for calls, query in rows]
