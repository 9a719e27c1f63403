"""Fans who hold one seat each, at a steady pace, through the very verb the purchase API calls."""

import json
import random
import threading
import time
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from inventory import purchase
from inventory.fan import new_fan

THREADS = 4


def main(plan: str, path: str) -> None:
    """Hold seats as `bench.buyers` asks, and write a line for each to `path`: index and moment of commit."""
    asked = json.loads(plan)
    order = list(range(asked["seats"]))
    random.Random("buyer").shuffle(order)  # noqa: S311 - a made-up crowd.
    wanted = order[asked["first"] : asked["first"] + asked["count"]]
    pace = _Pace(UUID(asked["event"]), wanted, asked["per_second"])
    threads = [threading.Thread(target=pace.hold_in_turn) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Path(path).write_text("".join(f"{index} {at:.6f}\n" for index, at in pace.committed))
    print(json.dumps({"held": len(pace.committed), "refused": pace.refused, "seconds": time.monotonic() - pace.began}))


class _Pace:
    """A schedule that several threads keep together."""

    def __init__(self, event_id: UUID, wanted: list[int], per_second: float) -> None:
        self.event_id = event_id
        self.committed: list[tuple[int, float]] = []
        self.refused = 0
        self.began = time.monotonic()
        self._due = iter([(self.began + k / per_second, index) for k, index in enumerate(wanted)])
        self._lock = threading.Lock()

    def hold_in_turn(self) -> None:
        """Take the next seat of the schedule when it is due, until there is none."""
        while True:
            with self._lock:
                due = next(self._due, None)
            if due is None:
                break
            when, index = due
            time.sleep(max(0.0, when - time.monotonic()))
            self._hold(index)
        connection.close()

    def _hold(self, index: int) -> None:
        def note() -> None:
            self.committed.append((index, time.time()))

        try:
            purchase.hold_seats(
                event_id=self.event_id,
                fan=new_fan(),
                indexes=[index],
                # Registered inside the transaction before the verb's own hooks, so it runs first after the commit.
                commit_with=lambda _held: transaction.on_commit(note),
            )
        except purchase.SeatsTaken:
            self.refused += 1
