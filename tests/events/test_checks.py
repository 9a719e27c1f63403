"""No template of a shared page may name what is one reader's own; the control proves that the check would see it."""

from pathlib import Path

import pytest
from django.core.checks import run_checks

from events import checks
from events.checks import PERSONAL, SHARED, personal_names, shared_pages_are_nobodys_own


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    """Let templates of this folder stand before those of the apps."""
    (tmp_path / "onsale").mkdir()
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    return tmp_path


def test_no_shared_page_names_anything_of_its_reader():
    assert personal_names(SHARED) == []
    assert [each.id for each in run_checks() if each.id == "events.E001"] == []


def test_parts_are_followed_to_the_icons(monkeypatch):
    seen, original = [], checks._tags
    monkeypatch.setattr(checks, "_tags", lambda template: seen.append(template) or original(template))
    personal_names(("onsale/event.html",))
    assert {"onsale/base.html", "onsale/sale_panel.html", "onsale/icons/ticket.svg"} <= set(seen)


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize(
    "form", ["{{{{ {} }}}}", "{{% if {}.x == 1 %}}{{% endif %}}", "{{{{ event.name|default:{} }}}}"]
)
def test_a_personal_name_in_a_part_of_a_part_is_reported(folder: Path, name: str, form: str):
    (folder / "onsale" / "error.html").write_text('{% extends "onsale/outer.html" %}')
    (folder / "onsale" / "outer.html").write_text("<p>\n{% include 'onsale/inner.html' with a=1 %}")
    (folder / "onsale" / "inner.html").write_text(f"<p>\n<p>{form.format(name)}")
    assert [(each.id, each.msg) for each in shared_pages_are_nobodys_own()] == [
        ("events.E001", f"onsale/inner.html, line 2: `{name}` in a page that is the same for everybody.")
    ]


def test_the_token_of_a_form_is_reported(folder: Path):
    (folder / "onsale" / "error.html").write_text("<form>{% csrf_token %}</form>")
    assert personal_names(("onsale/error.html",)) == [("onsale/error.html", 1, "csrf_token")]


def test_a_part_whose_name_is_not_written_out_is_reported(folder: Path):
    (folder / "onsale" / "error.html").write_text("{% include chosen %}")
    assert personal_names(("onsale/error.html",)) == [("onsale/error.html", 1, "include chosen")]


def test_other_names_and_words_are_not(folder: Path):
    (folder / "onsale" / "error.html").write_text(
        '{{ event.user }} {{ users }} user {{ "request"|upper }} {% if a == "user" %}{{ session_count }}{% endif %}'
    )
    assert personal_names(("onsale/error.html",)) == []
