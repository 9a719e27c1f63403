"""Static files named by their content, ES modules included."""

from collections.abc import Callable, Iterable
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

_OURS = ("events/", "seating/", "inventory/")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hash file names so that browsers keep them for a year; `import` lines inside modules follow the new names."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, hashed_files: dict[str, str], template: str | None = None) -> Callable[..., Any]:
        """Leave other people's scripts as they are: their examples in comments import files that do not exist."""
        if name.endswith(".js") and not name.startswith(_OURS):
            return lambda match: match.group()
        return super().url_converter(name, hashed_files, template)

    def compress_files(self, paths: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Compress only what pages ask for: hashed names and our own; maps for debuggers would take half a minute."""
        named = set(self.hashed_files.values())
        wanted = [path for path in paths if path in named or path.startswith(_OURS)]
        return super().compress_files([path for path in wanted if not path.endswith(".map")])
