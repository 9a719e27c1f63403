"""A real proxy as stands between many an office and the world."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import nginx
from tests.inventory.live_servers import until

# Without the two headers that an upgrade needs, nginx asks for a plain page.
CONFIGURATION = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@contextmanager
def without_sockets(behind: int, folder: Path) -> Iterator[int]:
    """Run a proxy that knows nothing of WebSocket in front of the port `behind`, and return its port."""
    binary = nginx.binary()
    assert binary is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = folder / "proxy.conf"
    conf.write_text(CONFIGURATION.format(folder=folder, port=port, behind=behind))
    running = subprocess.Popen([binary, "-p", folder, "-e", "stderr", "-c", conf])
    try:
        until(lambda: _listens(port))
        yield port
    finally:
        running.terminate()
        running.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
