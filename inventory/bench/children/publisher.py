"""Publishes a frame to an event's watchers, as the relay does, for every byte on a Unix socket."""

import asyncio
import time
from uuid import UUID

from inventory import relay
from inventory.availability import snapshot
from inventory.bench.frames import frame


def main(event: str, trigger: str) -> None:
    """Serve until killed."""
    event_id = UUID(event)
    asyncio.run(_serve(event_id, trigger, snapshot(event_id).version))


async def _serve(event_id: UUID, trigger: str, version: int) -> None:
    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal version
        while await reader.read(1):
            await relay.publish_frame(event_id, frame(version), changed_at=time.time())
            version += 1
        writer.close()

    server = await asyncio.start_unix_server(obey, trigger)
    await server.serve_forever()
