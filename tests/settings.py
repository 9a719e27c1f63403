"""The settings under test: the real ones on real servers, with a Redis prefix of this run's own.

Without DATABASE_URL in the environment (a plain `pytest`) servers are started here, for as long as pytest runs.
"""

import atexit
import os
import secrets
from contextlib import ExitStack

from config.embedded import servers

if not os.environ.get("DATABASE_URL"):
    _servers = ExitStack()
    atexit.register(_servers.close)
    os.environ.update(_servers.enter_context(servers.throwaway()))
os.environ.pop("REPLICA_URL", None)  # tests/faults/test_replica.py makes a replica of its own.
os.environ.setdefault("REDIS_PREFIX", f"test-{secrets.token_hex(4)}")

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]  # noqa: F405
DATA_DIR = BASE_DIR / ".artifacts" / "data"  # noqa: F405
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = DATA_DIR / "static"
EMAIL_FILE_PATH = DATA_DIR / "mail"
STORAGES = STORAGES | {  # noqa: F405
    # Names without hashes: no test has to collect the files first.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
# Argon2 is slow on purpose; tests sign in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
