"""ES modules without a bundler: which files a module will ask for, so that a page can ask for all of them at once.

A browser learns what a module imports by reading it: six levels of imports are six round trips before the first line
runs. A page that names the whole graph in `<link rel="modulepreload">` has them in one.
"""

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from django.contrib.staticfiles import finders

# Static imports, and a worker's address. What is imported by `import("./x.js")` is loaded when it is needed.
_IMPORT = re.compile(r"""^(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["'](\./[\w-]+\.js)["'];""", re.MULTILINE)
_WORKER = re.compile(r"""new Worker\(new URL\(["']([\w-]+\.js)["'], import\.meta\.url\)""")


@lru_cache(maxsize=64)
def needed_by(name: str) -> tuple[str, ...]:
    """Return the static files that module `name` will ask for, nearest first, each once and without itself.

    `FileNotFoundError` with the name of a file that is imported and not there.
    """
    found = [name]
    for module in found:
        found += [needed for needed in _asked_for_in(module) if needed not in found]
    return tuple(found[1:])


def _asked_for_in(module: str) -> list[str]:
    path = finders.find(module)
    if not isinstance(path, str):
        raise FileNotFoundError(module)
    text = Path(path).read_text(encoding="utf-8")
    folder = PurePosixPath(module).parent
    return [str(folder / relative) for relative in dict.fromkeys(_IMPORT.findall(text) + _WORKER.findall(text))]
