"""Many at once: threads that start together, each with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

CROWD = 16  # Threads at the database at one time: more only queue for the two cores.


def all_at_once(acts: Sequence[Callable[[], Any]], *, threads: int = CROWD) -> list[Any]:
    """Run every act, `threads` at a time from one starting shot; return what each returned or raised, in order."""
    threads = min(threads, len(acts))
    start = Barrier(threads)
    shares = [list(enumerate(acts))[k::threads] for k in range(threads)]
    results: list[Any] = [None] * len(acts)

    def run(share: list[tuple[int, Callable[[], Any]]]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            for position, act in share:
                try:
                    results[position] = act()
                except Exception as error:
                    results[position] = error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run, share) for share in shares]:
            future.result()
    return results
