"""What a page asks for ahead: the import graph of modules, and their names and comments once they are collected."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template import Context, Template

from config import modules, static_files
from config.static_files import HashedStaticFiles

ROOT = Path(__file__).parents[2]
OURS = sorted(
    path
    for kind in ("*.js", "*.css")
    for app in ("events", "seating", "inventory")
    for path in (ROOT / app / "static" / app).rglob(kind)
    if "vendor" not in path.parts
)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    finders.get_finder.cache_clear()
    modules.needed_by.cache_clear()
    (tmp_path / "seating").mkdir()
    return tmp_path / "seating"


def test_needed_by_follows_imports_exports_and_workers(folder: Path) -> None:
    (folder / "a.js").write_text(
        'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\nimport "./d.js";\n'
        'const later = () => import("./later.js");\nnew Worker(new URL("worker.js", import.meta.url), {});\n'
        '// import { no } from "./no.js";\n'
    )
    (folder / "b.js").write_text('export { c } from "./c.js";\n')
    (folder / "c.js").write_text('import { b } from "./b.js";\n')
    (folder / "d.js").write_text("")
    (folder / "worker.js").write_text('import { e } from "./e.js";\n')
    (folder / "e.js").write_text("")
    assert modules.needed_by("seating/a.js") == (
        "seating/b.js",
        "seating/c.js",
        "seating/d.js",
        "seating/worker.js",
        "seating/e.js",
    )


def test_needed_by_names_what_is_missing(folder: Path) -> None:
    (folder / "a.js").write_text('import { b } from "./b.js";\n')
    with pytest.raises(FileNotFoundError, match=r"^seating/b\.js$"):
        modules.needed_by("seating/a.js")


def test_seat_map_loads_later_what_few_fans_use() -> None:
    modules.needed_by.cache_clear()
    needed = modules.needed_by("seating/seatmap/seat-map.js")
    assert {"seating/seatmap/worker.js", "seating/seatmap/live.js", "seating/seatmap/sprites.js"} <= set(needed)
    assert not {"seating/seatmap/list.js", "seating/seatmap/select.js", "seating/seatmap/standing.js"} & set(needed)


def test_module_preloads_names_every_file_once() -> None:
    modules.needed_by.cache_clear()
    html = Template('{% load onsale %}{% module_preloads "events/sale.js" %}').render(Context())
    assert html == '<link rel="modulepreload" href="/static/events/countdown.js" fetchpriority="low">'


def collected(tmp_path: Path, files: dict[str, str]) -> dict[str, str]:
    """Return the files as browsers get them, by the name they had."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    storage = HashedStaticFiles(location=tmp_path)
    for name, _, processed in storage.post_process({name: (storage, name) for name in files}):
        assert not isinstance(processed, Exception), (name, processed)
    return {name: (tmp_path / storage.hashed_files[name]).read_text() for name in files}


def test_collected_modules_name_hashed_files_and_carry_no_comment_lines(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        {
            "seating/map.js": (
                "/**\n * What it is.\n */\n\n"
                'import { b } from "./b.js";\n  // A reason.\nconst url = "https://example.org/x"; // Stays.\n'
                'const w = new URL("worker.js", import.meta.url);\n/** One line. */ call();\n'
            ),
            "seating/b.js": "export const b = 1;\n",
            "seating/worker.js": 'import { b } from "./b.js";\n',
            "seating/map.css": "/* What it is. */\n.a {\n  color: red; /* stays */\n}\n",
            "theirs/lib.js": '// import x from "./missing.js";\nlib();\n',
        },
    )
    b = re.search(r'"\./(b\.[0-9a-f]{12}\.js)"', found["seating/map.js"])
    worker = re.search(r'new URL\("(worker\.[0-9a-f]{12}\.js)", import\.meta\.url\)', found["seating/map.js"])
    assert b
    assert worker
    assert found["seating/map.js"] == (
        f'\nimport {{ b }} from "./{b[1]}";\nconst url = "https://example.org/x"; // Stays.\n'
        f'const w = new URL("{worker[1]}", import.meta.url);\n/** One line. */ call();\n'
    )
    assert found["seating/map.css"] == ".a {\n  color: red; /* stays */\n}\n"
    assert found["theirs/lib.js"] == '// import x from "./missing.js";\nlib();\n'


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_no_text_in_our_scripts_spans_lines(path: Path) -> None:
    """A line of a template literal that looks like a comment would be taken out of it."""
    text = re.sub(static_files._COMMENT_LINES["*.js"], "", path.read_text())
    odd = [line for line in text.splitlines() if line.split("//", 1)[0].count("`") % 2]
    assert odd == []
