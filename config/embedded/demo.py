"""The demo from its first server to its last log line; `manage.py demo` calls `run`."""

import errno
import json
import shutil
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from config.embedded import Trouble, environment, explain, nginx, paths, servers, site, statics, steps
from config.embedded.console import Console
from config.embedded.processes import Stopped, Supervisor

_KEPT_BY_FRESH = {"run", "venv.lock"}
# What another command on this folder needs in order to work with the running demo.
_PUBLISHED = {
    "DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "SECRET_KEY", "TICKET_KEY", "WEBHOOK_SECRET", "SITE_URL",
    "ALLOWED_HOSTS", "DATA_DIR", "DEBUG", "ONSALE_EMBEDDED",
}  # fmt: skip


def run(console: Console, *, host: str, port: int, fresh: bool) -> None:
    """Start everything, show where it is, stop it at Ctrl-C, SIGTERM or a closed terminal. Raises Trouble."""
    data = paths.data_folder()
    with servers.only_one(data, f"A demo on port {port}"):
        check_address(host, port)
        if fresh:
            throw_away(data)
        with Supervisor(console.log) as supervisor:
            supervisor.stop_on_signals()
            console.on_closed = supervisor.ask_to_stop
            with suppress(Stopped):
                _serve(console, supervisor, data, host, port)
            console.say("Stopping ...")
        console.say("Stopped. The data is kept: the next start is quick and goes on from here.")


def _serve(console: Console, supervisor: Supervisor, data: Path, host: str, port: int) -> None:
    began = time.monotonic()
    console.say("Starting the servers ...")
    with servers.running(data, supervisor) as found:
        env = environment.for_site(found, host=host, port=port, data=data)
        console.say("Preparing the database and the static files ...")
        # Collecting needs no database, so it has the second core meanwhile.
        collect = site.manage("static", "collectstatic", "--no-input", "--verbosity", "0", env=env)
        collecting = None if statics.are_collected(data, env) else supervisor.start(collect)
        migrate = site.manage("migrate", "migrate", "--no-input", "--verbosity", "0", env=env)
        steps.expect_success(supervisor.run(migrate), "The database could not be prepared")
        console.say("Filling the demo world ...")
        steps.expect_success(
            supervisor.run(site.manage("seed", "seed_demo", env=env)), "The demo world could not be made"
        )
        if collecting:
            steps.expect_success(supervisor.join(collecting), "The static files could not be collected")
            statics.remember(data, env)

        console.say("Starting the site ...")
        run_folder = servers.run_folder(data)
        sockets = paths.socket_folder(run_folder, "live.sock")
        for made in [sockets / "web.sock", sockets / "live.sock", *nginx.files(run_folder)]:
            supervisor.remove_at_end(made)
        if sockets != run_folder:
            supervisor.remove_at_end(sockets)
        parts = site.on(env=env, data=data, run=run_folder, sockets=sockets, host=host, port=port)
        for program in parts.programs:
            supervisor.start(program)
        if parts.door:
            steps.wait(supervisor, lambda: all(path.exists() for path in parts.listening), "The site did not start")
            supervisor.start(parts.door)
        front = _front_door(host, port)
        for path in ("/", "/live/"):
            steps.wait(supervisor, partial(steps.is_answered, front + path), f"{front}{path} did not answer")
        servers.publish(data, supervisor, {name: env[name] for name in sorted(_PUBLISHED & env.keys())})
        console.say(f"Ready after {time.monotonic() - began:.0f} s.")
        console.block(_addresses(data, env["SITE_URL"]))
        supervisor.watch()


def check_address(host: str, port: int) -> None:
    """Make sure that the site can listen there. Raises Trouble."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            # Connections that just ended linger on the port; they keep nobody from listening.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                raise Trouble(f"Port {port} is in use. Choose another one: --port {port + 1}") from None
            case errno.EACCES | errno.EPERM:
                raise Trouble(f"This account may not listen on port {port}. Choose another: --port 8000") from None
        raise Trouble(f"This machine cannot listen on {host}: {error.strerror}.") from None


def throw_away(data: Path) -> None:
    """Remove everything the demo keeps, secrets included. Nothing may be running on the folder. Raises Trouble."""
    try:
        for path in data.iterdir():
            if path.name in _KEPT_BY_FRESH:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        outside = paths.outside_folder(data)
        if outside.exists():
            shutil.rmtree(outside)
    except OSError as error:
        raise explain(error, f"removing the data in {data}") from error


def _front_door(host: str, port: int) -> str:
    """Return the address that reaches the site from this machine."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked for on the command line.
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _addresses(data: Path, url: str) -> list[str]:
    """Return what a newcomer wants to open first. `seed_demo` wrote the names into demo.json."""
    try:
        world = json.loads((data / "demo.json").read_text())
    except (OSError, ValueError) as error:
        raise Trouble(f"seed_demo left no readable {data / 'demo.json'}: {error}.") from error
    people = [(world["admin"], "everything"), *((who, who["name"]) for who in world["organizers"])]
    rows = [("Site", f"{url}/"), ("Sale now", f"{url}{world['sale']}"), ("Back office", f"{url}/admin/")]
    rows += [("", f"  {who['user']} / {who['password']}  ({what})") for who, what in people]
    rows += [
        ("Door", f"{url}/entry/"),
        ("", f"  {world['door']['user']} / {world['door']['password']}"),
        ("API", f"{url}/api/v1/docs"),
        ("Mail", str(data / "mail")),
    ]
    return [*(f"  {name:<12}{value}" for name, value in rows), "", "  Ctrl-C stops everything."]
