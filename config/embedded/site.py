"""The site's own processes, as the demo runs them: web, live, relay, worker and beat, behind nginx or all in one."""

import sys
from pathlib import Path

from config.embedded import nginx, paths
from config.embedded.processes import Program

_MANAGE = paths.PROJECT / "manage.py"
# Longer than the edge keeps an idle connection: nginx never sends a request into one that is just closing.
_KEEP_ALIVE = ["--keep-alive", "75"]
_GUNICORN = [
    sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "warning", "--graceful-timeout", "2",
    "--forwarded-allow-ips", "*",  # Only the edge can reach a socket in a private folder.
]  # fmt: skip


def manage(name: str, *words: str, env: dict[str, str]) -> Program:
    """Return `manage.py WORDS` as a program."""
    return _python(name, [sys.executable, _MANAGE, *words], env)


def programs(*, env: dict[str, str], data: Path, run: Path, sockets: Path, host: str, port: int) -> list[Program]:
    """Return everything that makes the site answer on `host:port`, in the order to start it. Raises Trouble."""
    door = nginx.binary()
    behind = [
        manage("relay", "relay", env=env),
        _celery("worker", ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle"], env),
        _celery("beat", ["beat", "--schedule", run / "beat", "--pidfile", ""], env),
    ]
    if door is None:
        return [_one_process(env, host, port), *behind]
    web, live = sockets / "web.sock", sockets / "live.sock"
    return [
        _web(env, web),
        _live(env, live),
        *behind,
        nginx.program(door, data=data, run=run, web=web, live=live, host=host, port=port),
    ]


def _python(name: str, argv: list[str | Path], env: dict[str, str]) -> Program:
    return Program(name=name, argv=argv, env=env | {"ONSALE_PROCESS": name}, cwd=paths.PROJECT)


def _web(env: dict[str, str], socket: Path) -> Program:
    threads = ["--workers", "2", "--worker-class", "gthread", "--threads", "2"]
    return _python("web", [*_GUNICORN, *_KEEP_ALIVE, *threads, "--bind", f"unix:{socket}", "config.wsgi"], env)


def _live(env: dict[str, str], socket: Path) -> Program:
    worker = ["--workers", "1", "--worker-class", "uvicorn_worker.UvicornWorker"]
    return _python("live", [*_GUNICORN, *_KEEP_ALIVE, *worker, "--bind", f"unix:{socket}", "config.asgi"], env)


def _one_process(env: dict[str, str], host: str, port: int) -> Program:
    worker = ["--workers", "1", "--worker-class", "uvicorn_worker.UvicornWorker"]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    everything = env | {"ONSALE_ONE_PROCESS": "1"}
    return _python("web", [*_GUNICORN, *worker, "--bind", address, "config.asgi"], everything)


def _celery(name: str, words: list[str | Path], env: dict[str, str]) -> Program:
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "--quiet", *words, "--loglevel", "WARNING"]
    return _python(name, command, env)
