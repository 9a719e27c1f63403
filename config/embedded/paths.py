"""Where the embedded stack keeps its things, and which account its Postgres runs as.

.onsale/                    DATA_DIR: media, mail, static files, secrets.json, demo.json
.onsale/run/                sockets, the lock and environment.json of a running demo; for this account only
.onsale/redis/              the append-only file
.onsale/postgres/{data,run} or /var/lib/onsale-<hash>/{data,run,bin} when root's project is closed to that account
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.embedded import Trouble, explain

PROJECT = Path(__file__).resolve().parents[2]
# A Unix socket's address holds 108 bytes on Linux and 104 on macOS; Postgres adds a name, and a lock file beside it.
LONGEST_SOCKET = 100


@dataclass(frozen=True)
class Account:
    """An operating-system account, by number."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return the account Postgres must run as: None for our own; for root the data's owner, or one without rights.

    Raises Trouble.
    """
    own = "Set DATABASE_URL and REDIS_URL to servers of your own."
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Trouble(
                f"PostgreSQL does not start under an account without a name (uid {os.geteuid()}). {own}"
            ) from None
        return None
    candidates = []
    with suppress(OSError, KeyError):
        candidates.append(pwd.getpwuid((data / "postgres" / "data").stat().st_uid))
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            candidates.append(pwd.getpwnam(name))
    for entry in candidates:
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise Trouble(f"PostgreSQL does not run as root, and there is no account `postgres` or `nobody`. {own}")


def data_folder() -> Path:
    """Return the demo's DATA_DIR: the one given, or `.onsale` in the project."""
    return Path(os.environ.get("DATA_DIR") or PROJECT / ".onsale").resolve()


def make_folder(path: Path, *, mode: int = 0o755, owner: Account | None = None) -> Path:
    """Make a folder with exactly this mode and owner. Raises Trouble."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if owner is not None:
            os.chown(path, owner.uid, owner.gid)
        if owner is not None or path.stat().st_uid == os.geteuid():
            path.chmod(mode)
    except OSError as error:
        raise explain(error, f"making {path}") from error
    return path


def socket_folder(preferred: Path, longest_name: str, *, owner: Account | None = None) -> Path:
    """Return a private folder whose sockets have a short enough address.

    That is `preferred`, or a new folder of an unguessable name in the temporary directory when its path is too long.
    """
    if len(os.fsencode(preferred / longest_name)) < LONGEST_SOCKET:
        return make_folder(preferred, mode=0o700, owner=owner)
    try:
        made = Path(tempfile.mkdtemp(prefix="onsale-", dir="/tmp"))
    except OSError as error:
        raise explain(error, "making a folder for sockets in /tmp") from error
    return make_folder(made, mode=0o700, owner=owner)


def server_folder(data: Path, account: Account | None) -> Path:
    """Return the folder Postgres owns: inside `data`, or under /var/lib when its account cannot get there."""
    if account is None:
        return make_folder(data / "postgres", mode=0o700)
    inside = make_folder(data / "postgres", mode=0o700, owner=account)
    if is_reachable(inside, account, "-w"):
        return inside
    with suppress(OSError):
        inside.rmdir()
    return make_folder(outside_folder(data), mode=0o700, owner=account)


def outside_folder(data: Path) -> Path:
    """Return the folder under /var/lib that belongs to this data folder and to no other."""
    return Path("/var/lib") / f"onsale-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"


def is_reachable(path: Path, account: Account | None, test: str) -> bool:
    """Ask `test -x` (or -w, -r) as the account: only the system knows every rule of the way there."""
    command = [shutil.which("test") or "/usr/bin/test", test, str(path)]
    try:
        answer = subprocess.run(
            command,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd="/",
            check=False,
        )
    except OSError as error:
        raise Trouble(
            f"Root may not become the account {account.name if account else '?'} here ({error.strerror}), and "
            "PostgreSQL does not run as root. Set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error
    return answer.returncode == 0
