"""The embedded stack: a virtual environment, real servers and the site's processes, from one command.

Everything here runs on the standard library and the locked requirements, without root, Docker or a package manager. It
is for the demo and the tests; a production site names its own servers in `DATABASE_URL` and `REDIS_URL`.
"""

import errno


class Trouble(Exception):
    """Says in one sentence what is wrong with this machine and what to do about it; shown without a traceback."""


def explain(error: OSError, doing: str) -> Trouble:
    """Return the sentence for an operating system's refusal while `doing` something ("writing .onsale")."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Trouble(f"The disk is full: no room left while {doing}. Free some space and try again.")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            where = f" ({error.filename})" if error.filename else ""
            return Trouble(f"This account may not write here{where}: stopped while {doing}.")
    return Trouble(f"The system refused while {doing}: {error}.")
