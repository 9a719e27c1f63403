"""The servers that measures ask."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection

from inventory import plane

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    """A pool that answers on a port; `width` is how many cores it can use."""

    name: str
    port: int
    pid: int
    width: int

    @property
    def roots(self) -> dict[str, int]:
        """The trees of processes behind it, for `cpu.metered`."""
        return {"server": self.pid}

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def get(self, path: str, **headers: str) -> Reply:
        """Ask it, on a connection of its own."""
        asked = HTTPConnection(HOST, self.port, timeout=30)
        try:
            asked.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = asked.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            asked.close()


@dataclass(frozen=True)
class Site(Server):
    """The whole site behind its edge; `pids` are its pools by name."""

    pids: Mapping[str, int]

    @property
    def roots(self) -> dict[str, int]:
        """The edge is the server here; each pool behind it is told by its name."""
        return {"server": self.pid, **self.pids}


def is_copy(reply: Reply) -> bool:
    """Say whether an uncompressed slot is the relay's copy, not one that a reader put together."""
    return reply.status == 200 and reply.body[:2] == b"OS" and not reply.body[3] & plane.REBUILT


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
