"""What a command's settings are told: servers that are given, that run already, that are started for it, or none."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from config.embedded import paths

# Settings must name servers even for a command that never speaks to them; nothing is there.
NOWHERE = {
    "DATABASE_URL": "postgres://nobody@%2Fnonexistent/nowhere",
    "REDIS_URL": "unix:///nonexistent/nowhere.sock?db=0",
    "SECRET_KEY": "not-a-secret-because-this-command-signs-nothing-and-serves-nobody",
    "TICKET_KEY": "bm90IGEgc2VjcmV0OiBub3RoaW5nIGlzIHNpZ25lZCE=",
    "WEBHOOK_SECRET": "bm90IGEgc2VjcmV0OiBub3RoaW5nIGlzIHNpZ25lZCE=",
}
# `demo`, `test` and `bench` start their servers themselves; the others need none.
_WITHOUT_SERVERS = {
    "demo", "test", "bench", "help", "version", "makemigrations", "collectstatic", "findstatic", "makemessages",
    "compilemessages", "diffsettings", "startapp",
}  # fmt: skip
# Every variable that leads to a server, a folder or an address.
_PLACES = {
    "DATABASE_URL", "REDIS_URL", "REDIS_CACHE_URL", "REDIS_BROKER_URL", "REDIS_LAYER_URL", "REDIS_GUTTER_URL",
    "REDIS_PREFIX", "SITE_URL", "ALLOWED_HOSTS", "DATA_DIR", "EMAIL_URL", "REPLICA_URL", "DEBUG",
}  # fmt: skip


def given(name: str) -> str | None:
    """Return a variable the user set, None if he did not."""
    value = os.environ.get(name)
    return None if not value or value == NOWHERE.get(name) else value


def needs_servers(argv: Sequence[str]) -> bool:
    """Say whether a command line speaks to Postgres or Redis."""
    command = argv[1] if len(argv) > 1 else "help"
    if {"-h", "--help", "--version"} & set(argv[1:]) or command in _WITHOUT_SERVERS:
        return False
    return command != "check" or "--database" in argv


@contextmanager
def for_command(argv: Sequence[str]) -> Iterator[None]:
    """Set the environment a command needs, for as long as it runs. What the user set always wins. Raises Trouble.

    With DATABASE_URL given this changes nothing: the settings themselves name what is missing. But `bench` forgets what
    it is given: it floods and empties its servers, which must be nobody's.
    """
    if argv[1:2] == ["bench"]:
        for name in _PLACES & os.environ.keys():
            del os.environ[name]
    if given("DATABASE_URL") and argv[1:2] not in (["demo"], ["test"]):
        yield
        return
    if needs_servers(argv):
        from config.embedded import servers  # They need the installed requirements; a command without servers does not.

        source: AbstractContextManager[dict[str, str]] = servers.attached(paths.data_folder(), f"manage.py {argv[1]}")
    else:
        source = nullcontext(NOWHERE)
        # makemigrations asks the database whether history is consistent, and says so when there is none.
        warnings.filterwarnings("ignore", message="Got an error checking a consistent migration history")
    with source as values:
        for name, value in values.items():
            os.environ.setdefault(name, value)
        yield


def for_site(values: dict[str, str], *, host: str, port: int, data: Path) -> dict[str, str]:
    """Return the whole environment of the site's processes behind one address."""
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 - asked for on the command line.
    hosts = ["*"] if everywhere else sorted({"localhost", "127.0.0.1", "[::1]", host})
    own = {
        "DEBUG": "0",
        "SITE_URL": f"http://{'localhost' if everywhere or host == '127.0.0.1' else host}:{port}",
        "ALLOWED_HOSTS": ",".join(hosts),
        "DATA_DIR": str(data),
        "PYTHONUNBUFFERED": "1",
    }
    inherited = {name: value for name, value in os.environ.items() if value != NOWHERE.get(name)}
    return own | values | inherited | {"DJANGO_SETTINGS_MODULE": "config.settings"}
