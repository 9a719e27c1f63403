"""The real nginx with the configuration of `deploy/nginx`, in front of whatever origin a test gives it."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.db import connections

from config.embedded import nginx, paths

BROWSER = "gzip, deflate, br, zstd"


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = False  # Their end is waited for, so that none holds a connection to the test's database.
    request_queue_size = 512


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the standard library)
        pass


@contextmanager
def serving(application: Callable[..., Any]) -> Iterator[int]:
    """Serve a WSGI application, a thread for each request, and return the port."""

    def closing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        try:
            answer = application(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                if hasattr(answer, "close"):
                    answer.close()
        finally:
            connections.close_all()

    with make_server("127.0.0.1", 0, closing, server_class=_Threaded, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Origin:
    """An origin that notes what it is asked, and answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status = "200 OK"
        self.headers: dict[str, str] = {"Cache-Control": "public, max-age=0, s-maxage=60", "Content-Type": "text/html"}
        self.body = b"a page"
        self.seconds = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Note, take its time, answer."""
        self.asked.append(environ)
        status, headers, body = self.status, list(self.headers.items()), self.body
        time.sleep(self.seconds)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    @property
    def last(self) -> dict[str, Any]:
        """What was asked last."""
        return self.asked[-1]


class Answer:
    """A response, read to its end."""

    def __init__(self, connection: HTTPConnection) -> None:
        response = connection.getresponse()
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def kept(self) -> str | None:
        """What the edge's cache said: HIT, MISS, STALE ..."""
        return self.headers["X-Cache"]


class Edge:
    """A running nginx."""

    def __init__(self, port: int, data: Path) -> None:
        self.port = port
        self.data = data

    def get(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Ask, on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Accept-Encoding": "", **named})
            return Answer(connection)
        finally:
            connection.close()

    def purge(self) -> None:
        """Empty the cache as an operator does: away with the files."""
        for kept in (self.data / "edge" / "pages").rglob("*"):
            if kept.is_file():
                kept.unlink(missing_ok=True)


@contextmanager
def edge(
    folder: Path, *, web: int, live: int = 1, others: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[Edge]:
    """Run nginx in front of the two origins at these ports; `others` are values of the template to be changed."""
    binary = nginx.binary()
    assert binary is not None
    port = port or free_port()
    run = paths.make_folder(folder / "run")
    pools = {"web": nginx.pool(f"127.0.0.1:{web}"), "live": nginx.pool(f"127.0.0.1:{live}")}
    program = nginx.program(
        binary, data=folder, run=run, web=run / "no", live=run / "no", host="127.0.0.1", port=port,
        others={"access_log": "off"} | pools | dict(others or {}),
    )  # fmt: skip
    with subprocess.Popen([str(word) for word in program.argv]) as running:
        try:
            deadline = time.monotonic() + 10
            while not _listens(port):
                assert running.poll() is None, "nginx did not start"
                assert time.monotonic() < deadline, "nginx does not listen"
                time.sleep(0.01)
            yield Edge(port, folder)
        finally:
            running.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
