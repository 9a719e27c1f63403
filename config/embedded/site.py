"""The site's own processes, as the demo runs them: web, live, relay, worker and beat, behind nginx or all in one."""

import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from config.embedded import nginx, paths
from config.embedded.processes import Program

_MANAGE = paths.PROJECT / "manage.py"
_GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn"]
# Preloaded, so that the pool listens when it needs but to fork and to warm itself, not to import.
_LIVE_WORKER = ["--preload", "--worker-class", "config.workers.LiveWorker"]


def manage(name: str, *words: str, env: dict[str, str]) -> Program:
    """Return `manage.py WORDS` as a program."""
    return _python(name, [sys.executable, _MANAGE, *words], env)


@dataclass(frozen=True)
class Site:
    """The programs to start first, and the front door for when they listen; without nginx there is no door."""

    programs: list[Program]
    listening: list[Path]
    door: Program | None


def on(*, env: dict[str, str], data: Path, run: Path, sockets: Path, host: str, port: int) -> Site:
    """Return everything that makes the site answer on `host:port`. Raises Trouble."""
    behind = [
        manage("relay", "relay", env=env),
        _celery("worker", ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle"], env),
        _celery("beat", ["beat", "--schedule", run / "beat", "--pidfile", ""], env),
    ]
    binary = nginx.binary()
    if binary is None:
        return Site([_one_process(env, run, host, port), *behind], [], None)
    web, live = sockets / "web.sock", sockets / "live.sock"
    door = nginx.program(binary, data=data, run=run, web=web, live=live, host=host, port=port)
    pools = [pool_of_pages(env, run, bind=f"unix:{web}"), pool_of_slots(env, run, bind=f"unix:{live}")]
    hits = ["edge_hits", str(nginx.hits_file(run)), "--every", str(nginx.COUNTED_EVERY)]
    return Site([*pools, *behind, manage("edge", *hits, env=env)], [web, live], door)


def _python(name: str, argv: list[str | Path], env: dict[str, str]) -> Program:
    return Program(name=name, argv=argv, env=env | {"ONSALE_PROCESS": name}, cwd=paths.PROJECT)


def pool_of_pages(env: dict[str, str], run: Path, *, bind: str, app: str = "config.wsgi", name: str = "web") -> Program:
    """Return the processes that make pages; the bench runs its baselines as `app` under the same server."""
    threads = ["--preload", "--workers", "2", "--worker-class", "gthread", "--threads", "2"]
    return _pool(name, [app, *threads, "--bind", bind], env, run)


def pool_of_slots(
    env: dict[str, str], run: Path, *, bind: str, app: str = "config.asgi", name: str = "live", workers: int = 1
) -> Program:
    """Return the processes that answer slots and hold sockets; `app` as in `pool_of_pages`."""
    return _pool(name, [app, *_LIVE_WORKER, "--workers", str(workers), "--bind", bind], env, run)


def _one_process(env: dict[str, str], run: Path, host: str, port: int) -> Program:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # Static files are streamed to ASGI from a plain iterator: right for a demo, and Django warns of it at each.
    own = env | {"ONSALE_ONE_PROCESS": "1", "PYTHONWARNINGS": "ignore:StreamingHttpResponse must consume"}
    return _pool("web", ["config.asgi", *_LIVE_WORKER, "--workers", "1", "--bind", address], own, run)


def _pool(name: str, words: list[str], env: dict[str, str], run: Path) -> Program:
    # Workers of one pool add their numbers up in a folder, which must begin empty.
    numbers = run / f"metrics-{name}"
    shutil.rmtree(numbers, ignore_errors=True)
    paths.make_folder(numbers, mode=0o700)
    return _python(name, [*_GUNICORN, *words], env | {"PROMETHEUS_MULTIPROC_DIR": str(numbers)})


def _celery(name: str, words: list[str | Path], env: dict[str, str]) -> Program:
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "--quiet", *words, "--loglevel", "WARNING"]
    # It warns of root; in the demo root is the newcomer, who has nobody else to be.
    own = env | {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    return replace(_python(name, command, own), hides=re.compile("Warm shutdown"))
