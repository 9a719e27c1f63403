"""Once per key: the first answer to a request is stored with its effect, and told again to whoever repeats it.

The key is entered first, in a transaction of its own, so that a repetition meanwhile finds it running. The answer is
written in the transaction of the effect (`Keep`): the two commit together, or the key is found running and taken over
after 30 seconds, when the first attempt can be neither alive nor committed.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from inventory.purchase.refusals import Refusal

RUNNING_SECONDS = 30  # Longer than a statement (15 s) and an idle transaction (15 s) are let live.
KEPT_HOURS = 24


class IdempotencyRunning(Refusal):
    """The first request with this key has not been answered yet."""

    code, title = "idempotency_running", "Still at it"

    def __init__(self) -> None:
        super().__init__("The first request with this key is still being answered. Ask again in a moment.")


class IdempotencyMismatch(Refusal):
    """The key was used for something else."""

    code, status, title = "idempotency_mismatch", 422, "Key used before"

    def __init__(self) -> None:
        super().__init__("This key was used for another request. Use a new key for each thing you want.")


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer: HTTP status and body."""

    status: int
    body: bytes


@dataclass(slots=True)
class Keep:
    """Writes the answer to one key; called inside the transaction of the effect."""

    scope: str
    key: str
    answer: Answer | None = None

    def __call__(self, answer: Answer) -> None:
        """Store the answer; `IdempotencyRunning`, and the end of the transaction, if another attempt was quicker."""
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, {"scope": self.scope, "key": self.key, "status": answer.status, "body": answer.body})
            if cursor.rowcount != 1:
                raise IdempotencyRunning
        self.answer = answer


# A commit that does not wait for the disk is enough: a key lost in a crash had no effect yet.
_ENTER = """
WITH entered AS (
    INSERT INTO inventory_idempotencykey AS k (scope, key, request_hash, created_at)
    VALUES (%(scope)s, %(key)s, %(hash)s, statement_timestamp())
    ON CONFLICT (scope, key) DO UPDATE
    SET request_hash = excluded.request_hash, status = NULL, body = NULL, created_at = excluded.created_at
    WHERE k.created_at < statement_timestamp() - make_interval(hours => %(kept)s)
        OR (k.status IS NULL AND k.request_hash = excluded.request_hash
            AND k.created_at < statement_timestamp() - make_interval(secs => %(running)s))
    RETURNING set_config('synchronous_commit', 'off', true)
)
SELECT true, NULL, NULL, NULL FROM entered
UNION ALL
SELECT false, request_hash, status, body FROM inventory_idempotencykey
WHERE scope = %(scope)s AND key = %(key)s AND NOT EXISTS (SELECT FROM entered)
"""
_KEEP = """
UPDATE inventory_idempotencykey SET status = %(status)s, body = %(body)s
WHERE scope = %(scope)s AND key = %(key)s AND status IS NULL
"""
_FORGET = "DELETE FROM inventory_idempotencykey WHERE scope = %(scope)s AND key = %(key)s AND status IS NULL"


def request_hash(*parts: bytes) -> str:
    """Return the fingerprint of a request: of its method, its path and its body."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def once(*, scope: str, key: str, fingerprint: str, act: Callable[[Keep], Answer]) -> tuple[Answer, bool]:
    """Return the answer to this key and whether it is a repetition; `act` runs only if it is not.

    `scope` is who asks, so that nobody can read another's answers. `act` returns the answer, having stored it by its
    `Keep` where there is an effect to store it with; else it is stored here. Answers 5xx and 429 are not stored, so
    that trying again is trying again. Raises `IdempotencyMismatch` and `IdempotencyRunning`.
    """
    found = _enter(scope, key, fingerprint)
    if found is not None:
        return found, True
    keep = Keep(scope, key)
    try:
        answer = act(keep)
    except BaseException:
        _forget(scope, key)
        raise
    if keep.answer is None:
        if answer.status >= 500 or answer.status == 429:
            _forget(scope, key)
        else:
            keep(answer)
    return answer, False


def _enter(scope: str, key: str, fingerprint: str) -> Answer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTER,
            {"scope": scope, "key": key, "hash": fingerprint, "running": RUNNING_SECONDS, "kept": KEPT_HOURS},
        )
        row = cursor.fetchone()
    if row is None:  # Entered by somebody else while this statement ran.
        raise IdempotencyRunning
    is_entered, first_fingerprint, status, body = row
    if is_entered:
        return None
    if first_fingerprint != fingerprint:
        raise IdempotencyMismatch
    if status is None:
        raise IdempotencyRunning
    return Answer(status, bytes(body))


def _forget(scope: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"scope": scope, "key": key})
