#!/usr/bin/env python3
"""Run Onsale's commands. `demo` and `test` need nothing but Python 3.11 or later and a package registry."""

import errno
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first.
    sys.exit(f"Onsale needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable}).")

from config.embedded import Trouble, bootstrap, explain


def main() -> None:
    """Make the virtual environment if need be, find or start the servers, then do as Django does."""
    bootstrap.ensure_requirements(sys.argv)
    from config.embedded import environment  # Importable before the requirements, but its servers are not.

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with environment.for_command(sys.argv):
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            raise Trouble(str(error)) from error


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"{trouble}")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(f"{explain(error, 'running this command')}")
    except KeyboardInterrupt:
        sys.exit(130)
