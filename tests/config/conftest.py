"""A folder as a project's `.onsale` is, and a machine without servers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import paths
from tests.config.machine import OURS


@pytest.fixture
def data() -> Iterator[Path]:
    """Return a short folder that the account of Postgres can reach, as a project's `.onsale` is."""
    folder = Path(tempfile.mkdtemp(prefix="onsale-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(paths.outside_folder(folder), ignore_errors=True)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the test run's own servers away, so that embedded ones are started."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
