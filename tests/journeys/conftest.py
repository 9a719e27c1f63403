"""The whole stack as a newcomer starts it, and real browsers in front of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUM, CHROMIUM_FLAGS

ROOT = Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / ".artifacts"
START_SECONDS = 240


@dataclass(frozen=True)
class Site:
    """A running demo: its address, its folder and who may sign in."""

    url: str
    data: Path
    environment: dict[str, str]
    cast: dict

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against this demo's own servers."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_it_answers(process: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"demo ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
                # The front door answers before every process behind it does: the demo says when all do.
                if answer.status == 200 and "Ctrl-C" in log.read_text():
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass
        time.sleep(0.5)
    pytest.fail(f"demo did not answer within {START_SECONDS} s:\n{log.read_text()[-4000:]}")


# Both end with this package: a running demo would slow the tests after it, and two Playwrights cannot run at once.
@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """Start `manage.py demo` in a folder of its own and stop it as Ctrl-C would."""
    # Not pytest's folder: Postgres runs as another account here, and must be able to walk to its data.
    data = Path(tempfile.mkdtemp(prefix="onsale-journey-"))
    data.chmod(0o711)
    port = _free_port()
    outside = ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "DEBUG", "SECRET_KEY", "ONSALE_EMBEDDED", "SITE_URL")
    environment = {k: v for k, v in os.environ.items() if k not in outside} | {"DATA_DIR": str(data)}
    ARTIFACTS.mkdir(exist_ok=True)
    log = ARTIFACTS / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            url = f"http://localhost:{port}"
            _wait_until_it_answers(process, url, log)
            yield Site(url, data, environment, json.loads((data / "demo.json").read_text()))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return one Chromium for the folder: Playwright's loop must end before another folder starts its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page as a new person: `open_page(phone=True)`. Script errors and policy violations fail the test."""
    contexts = []
    complaints: list[str] = []

    def open_one(*, phone: bool = False) -> Page:
        context = browser.new_context(
            base_url=site.url,
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 860},
            has_touch=phone,
            is_mobile=phone,
            locale="en-GB",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}") if "Content Security Policy" in message.text else None
            ),
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a screenshot as an artefact: `picture(page, "seat-map")`."""

    def take(page: Page, name: str) -> None:
        page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take
