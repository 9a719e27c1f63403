"""Knows whether the static files must be collected again: hashing and compressing them takes ten seconds."""

import hashlib
from pathlib import Path

from config.embedded import paths

_SOURCES = ["*/static/**/*", "config/static_files.py", "config/settings.py", "requirements.txt"]


def are_collected(data: Path, env: dict[str, str]) -> bool:
    """Say whether what lies in `data/static` was made from the sources as they are."""
    try:
        return _stamp(data).read_text() == _fingerprint(env) and (data / "static").is_dir()
    except OSError:
        return False


def remember(data: Path, env: dict[str, str]) -> None:
    """Note that the files were collected."""
    _stamp(data).write_text(_fingerprint(env))


def _stamp(data: Path) -> Path:
    return data / "static.stamp"


def _fingerprint(env: dict[str, str]) -> str:
    """Return a hash of the sources' names, sizes and times; of the packages it is enough to know the locked file."""
    known = hashlib.sha256(env.get("DEBUG", "0").encode())
    for pattern in _SOURCES:
        for path in sorted(paths.PROJECT.glob(pattern)):
            if path.is_file():
                found = path.stat()
                known.update(f"{path.relative_to(paths.PROJECT)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return known.hexdigest()
