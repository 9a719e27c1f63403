"""The demo's own secrets: made once, kept in a file that only this account can read."""

import base64
import json
import os
import secrets
from pathlib import Path

from config.embedded import Trouble, explain

_NAME = "secrets.json"


def kept_secrets(data: Path) -> dict[str, str]:
    """Return SECRET_KEY, TICKET_KEY (an Ed25519 seed) and WEBHOOK_SECRET, the latter two 32 bytes in base64.

    They are made at the first call, so signed links and tickets stay valid over restarts. Raises Trouble.
    """
    path = data / _NAME
    try:
        path.chmod(0o600)
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise explain(error, f"reading {path}") from error
    except ValueError as error:
        raise Trouble(f"{path} is damaged. Remove it; the demo's signed links and tickets end with it.") from error
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TICKET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "WEBHOOK_SECRET": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    write_private(path, json.dumps(made))
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by this account alone from its first byte on. Raises Trouble."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(path)
    except OSError as error:
        raise explain(error, f"writing {path}") from error
