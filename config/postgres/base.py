"""The connection that counts what is read through it, so that "reads per thousand page views" can be told.

A backend of our own, as Django documents it, because every thread makes its connections when it first needs them: a
wrapper added anywhere else would miss some, or need a signal.
"""

import os
from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base

from config import metrics

_POOL = os.environ.get("ONSALE_PROCESS", "manage")
_LOCKING = ("FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE")


class DatabaseWrapper(base.DatabaseWrapper):
    """Postgres, counting the SELECTs that lock nothing. What locks belongs to the write path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reads = metrics.DATABASE_READS.labels(_POOL, self.alias)
        self.execute_wrappers.append(self._count)

    def _count(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if is_read(str(sql)):
            self._reads.inc()
        return execute(sql, params, many, context)


def is_read(sql: str) -> bool:
    """Whether a statement is a SELECT that locks no row."""
    return sql.lstrip()[:6].upper() == "SELECT" and not any(lock in sql for lock in _LOCKING)
