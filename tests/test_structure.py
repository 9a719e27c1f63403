"""The house keeps its shape: who may do what is read off the source, so that a breach names its line."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "seating", "events", "inventory")
TOP_LEVEL = {
    *APPS,
    "tests",
    "deploy",
    "manage.py",
    "requirements.txt",
    "requirements-dev.txt",
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "pyproject.toml",
    ".ci",
    ".gitignore",
}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def _calls(tree: ast.Module, name: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node.lineno


def _imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_top_level_holds_only_what_was_agreed():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in tracked.splitlines()} <= TOP_LEVEL


def test_only_the_purchase_package_changes_seat_states():
    statement = re.compile(r"\bUPDATE\s+inventory_seat\b", re.IGNORECASE)
    writers = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*"):
            if path.suffix in (".py", ".sql") and statement.search(path.read_text()):
                writers.add(path.relative_to(ROOT).as_posix())
    assert writers, "the pattern must find the claim itself, or it proves nothing"
    allowed = ("inventory/purchase", "inventory/sql/")
    assert {name for name in writers if not name.startswith(allowed)} == set()


def test_only_config_redis_opens_redis():
    openers = {name for name, tree in _sources() if any(m.split(".")[0] == "redis" for m in _imports(tree))}
    assert "config/redis.py" in openers
    tolerated = {"config/redis.py", "config/tiers.py", "config/breaker.py"}  # The last two name its exceptions.
    assert {name for name in openers - tolerated if not name.startswith("config/embedded/")} == set()


def test_no_django_signals():
    for name, tree in _sources():
        assert not any(module.startswith("django.db.models.signals") for module in _imports(tree)), name
        assert not any(module == "django.dispatch" for module in _imports(tree)), name


def test_no_module_has_a_name_that_says_nothing():
    banned = {"services", "utils", "helpers", "managers", "common", "core", "base"}
    called_by_django = "config/postgres/base.py"  # A database backend's module has to have this name.
    for name, _ in _sources():
        assert name == called_by_django or not banned & {Path(part).stem for part in Path(name).parts}, name


def test_pages_carry_no_inline_script_or_style():
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"(?:application/(?:ld\+)?json)\")|<style|\son\w+=|\sstyle=", re.IGNORECASE
    )
    checked = 0
    for app in APPS:
        for path in (ROOT / app / "templates").rglob("*.html"):
            relative = path.relative_to(ROOT).as_posix()
            if "/email/" in relative or "/mail/" in relative or "/admin/" in relative:
                continue  # Mail programs read no stylesheets; the admin has a policy of its own.
            checked += 1
            found = inline.search(path.read_text())
            assert found is None, f"{relative}: {found.group(0) if found else ''}"
    assert checked
