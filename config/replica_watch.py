"""Whether the replica can be read, and how far it is behind: asked once a second by a thread of each process.

This is the breaker of replica reads. A request only reads a flag; the thread alone tries a replica that did not answer.
One that was promoted is no replica any more, and one more than a minute behind shows what even the edge would no
longer: neither is read. When it freezes (it takes connections and never answers, so that no time-out of its own can
help), the thread cuts the connections of those who wait for it.
"""

import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
from django.conf import settings
from prometheus_client import Gauge

MOST_LAG_SECONDS = 60.0  # What the edge may show at most (DESIGN, R1).
EVERY_SECONDS = 1.0
ANSWER_SECONDS = 2.0  # Whoever takes longer to say how far he is, is frozen.
STALE_SECONDS = 10.0  # A measurement older than this means that the thread itself is stuck, or the machine was asleep.
FIRST_SECONDS = 2.0  # How long a process's first pages wait for the first measurement.

LAG = Gauge(
    "onsale_replica_lag_seconds", "How far the replica is behind, when last measured.", multiprocess_mode="livemax"
)
USABLE = Gauge("onsale_replica_usable", "1 while pages are browsed from the replica.", multiprocess_mode="livemin")

# A replica that has replayed all it was sent is not behind, however long ago the last transaction was; unless nobody
# sends to it any more. (Whoever may not see more sees at least that the receiver runs.)
_MEASURE = b"""
SELECT pg_is_in_recovery(), CASE
    WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))
END::float8
"""


class Watch:
    """What is known of the replica; threads share it, and after a fork the child begins anew."""

    def __init__(self) -> None:
        self._start_lock = threading.Lock()
        self._process = 0
        self._measured = threading.Event()
        self._measured_at = 0.0
        self._is_good = False
        self._lag_seconds = 0.0
        self._used: WeakSet[psycopg.Connection[Any]] = WeakSet()

    @property
    def behind_seconds(self) -> float:
        """What the replica may lack at most: its lag when last measured, and the time since."""
        return self._lag_seconds + time.monotonic() - self._measured_at

    def is_usable(self) -> bool:
        """Whether a page may be browsed from the replica now; never waits, but for a process's first measurement."""
        if self._process != os.getpid():
            self._start()
        self._measured.wait(FIRST_SECONDS)
        return self._is_good and time.monotonic() - self._measured_at < STALE_SECONDS

    def uses(self, connection: "psycopg.Connection[Any] | None") -> None:
        """Take note of a connection to the replica that somebody may come to wait on."""
        if connection is not None:
            self._used.add(connection)

    def failed(self, error: Exception) -> None:
        """Take it that the replica is away until it has been measured again."""
        self._is_good = False

    def _start(self) -> None:
        with self._start_lock:
            if self._process != os.getpid():
                self._measured.clear()
                self._is_good = False
                self._process = os.getpid()
                threading.Thread(target=self._run, args=(self._process,), name="replica-watch", daemon=True).start()

    def _run(self, process: int) -> None:
        connection: psycopg.Connection[Any] | None = None
        while self._process == process:
            try:
                connection = connection or _connect()
                self._note(_measured(connection))
            except (psycopg.Error, OSError):
                if connection is not None:
                    connection.close()
                connection = None
                self._note(None)
                self._cut()
            time.sleep(EVERY_SECONDS)

    def _note(self, row: tuple[bool, float] | None) -> None:
        if row is not None:
            self._lag_seconds = max(0.0, row[1])
            LAG.set(self._lag_seconds)
        self._is_good = row is not None and row[0] and self._lag_seconds <= MOST_LAG_SECONDS
        USABLE.set(self._is_good)
        self._measured_at = time.monotonic()
        self._measured.set()

    def _cut(self) -> None:
        """Let everybody who waits for the replica hear that the connection is lost."""
        for used in list(self._used):
            # Closed in this moment: an error, and nobody waits.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(used.pgconn.socket)) as line:
                line.shutdown(socket.SHUT_RDWR)
        self._used.clear()


def _measured(connection: "psycopg.Connection[Any]") -> tuple[bool, float]:
    """Return whether the server is a replica and its lag in seconds; OSError when it does not answer."""
    server = connection.pgconn
    server.send_query(_MEASURE)
    if not select.select([server.socket], [], [], ANSWER_SECONDS)[0]:
        raise TimeoutError
    server.consume_input()
    result = server.get_result()
    if result is None or result.status != psycopg.pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(server.error_message.decode(errors="replace"))
    row = bool(result.get_value(0, 0) == b"t"), float(result.get_value(0, 1) or b"inf")
    while server.get_result():
        pass
    return row


def _connect() -> "psycopg.Connection[Any]":
    given = settings.DATABASES["replica"]
    return psycopg.connect(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        dbname=given["NAME"],
        autocommit=True,
        connect_timeout=2,
        application_name="onsale replica watch",
        options="-c statement_timeout=2000",
    )


watch = Watch()
