"""Static files named by their content, ES modules included, and without the comments that only readers of code need."""

from collections.abc import Callable, Iterable
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

_OURS = ("events/", "seating/", "inventory/")

# Comments that have their lines to themselves: a fifth of what a phone would load of our scripts. No more is taken
# away, so a debugger shows what was written; a test holds that no text spans lines, where this could bite.
_BLOCK = r"/\*(?:(?!\*/)(?s:.))*\*/"
_COMMENT_LINES = {"*.js": rf"(?m)^[ \t]*(?:{_BLOCK}|//.*)[ \t]*\n", "*.css": rf"(?m)^[ \t]*{_BLOCK}[ \t]*\n"}
_NOTHING = ""
# How a module names a file beside it that is not a module of its own: a worker, a sheet.
_BESIDE = r"""(?P<matched>new URL\(["'](?P<url>[\w./-]+)["'], import\.meta\.url\))"""


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hash file names so that browsers keep them for a year; `import` lines inside modules follow the new names."""

    support_js_module_import_aggregation = True
    patterns = (
        *((kind, ((comments, _NOTHING),)) for kind, comments in _COMMENT_LINES.items()),
        *CompressedManifestStaticFilesStorage.patterns,
        ("*.js", ((_BESIDE, 'new URL("%(url)s", import.meta.url)'),)),
    )

    def url_converter(self, name: str, hashed_files: dict[str, str], template: str | None = None) -> Callable[..., Any]:
        """Leave other people's files as they are: their examples in comments import files that do not exist."""
        if not name.startswith(_OURS):
            if name.endswith(".js") or template == _NOTHING:
                return lambda match: match.group()
        elif template == _NOTHING:
            return lambda match: _NOTHING
        return super().url_converter(name, hashed_files, template)

    def compress_files(self, paths: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Compress only what pages ask for: hashed names and our own; maps for debuggers would take half a minute."""
        named = set(self.hashed_files.values())
        wanted = [path for path in paths if path in named or path.startswith(_OURS)]
        return super().compress_files([path for path in wanted if not path.endswith(".map")])
