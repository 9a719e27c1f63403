"""A check of `manage.py check`: no template of a page that everybody shares can say anything of the one who reads it.

The views render these pages without a request, so such a name would show nothing today. It would show one reader's
name to the next as soon as somebody renders them with one, and no test of today's view would notice.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.template.base import Lexer, TokenType
from django.template.loader import get_template

SHARED: Final = (
    "onsale/event.html",
    "onsale/listing.html",
    "onsale/organizer.html",
    "onsale/venue.html",
    "onsale/error.html",
)
PERSONAL: Final = ("request", "user", "csrf_token", "messages", "session", "perms")

_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(rf"(?<![\w.-])(?:{'|'.join(PERSONAL)})(?![\w-])")
_PART = re.compile(r"(?:include|extends)\s+(?:\"([^\"]+)\"|'([^']+)')")


@register(Tags.templates)
def shared_pages_are_nobodys_own(**_: Any) -> list[CheckMessage]:
    """Report every personal name in the shared templates and in whatever they extend and include."""
    return [_error(*found) for found in personal_names(SHARED)]


def _error(template: str, line: int, name: str) -> CheckMessage:
    return Error(
        f"{template}, line {line}: `{name}` in a page that is the same for everybody.",
        hint="What is one reader's own comes from /live/events/<id>/me, or belongs on a page that is not cached.",
        obj=template,
        id="events.E001",
    )


def personal_names(templates: tuple[str, ...]) -> list[tuple[str, int, str]]:
    """Return (template, line, name) of each personal name that these templates or their parts mention.

    A part whose name is not written out cannot be followed, and counts as one.
    """
    waiting, seen, found = list(templates), set(templates), []
    while waiting:
        template = waiting.pop(0)
        for line, content in _tags(template):
            found += [(template, line, name) for name in _NAME.findall(_STRING.sub('""', content))]
            part = _PART.match(content)
            if part is None and content.startswith(("include ", "extends ")):
                found.append((template, line, content))
            elif part and (name := part[1] or part[2]) not in seen:
                seen.add(name)
                waiting.append(name)
    return found


def _tags(template: str) -> Iterator[tuple[int, str]]:
    source = get_template(template).template.source  # type: ignore[attr-defined]
    for token in Lexer(source).tokenize():
        if token.token_type in (TokenType.VAR, TokenType.BLOCK):
            yield token.lineno or 0, token.contents
