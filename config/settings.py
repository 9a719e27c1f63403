"""Every setting of Onsale, all read from the environment; nonsense is refused at the start, by name.

| variable | meaning | default |
|---|---|---|
| `SECRET_KEY` | signs cookies, links and tokens | required |
| `DATABASE_URL` | `postgres://...` | required |
| `REPLICA_URL` | `postgres://...` of a streaming replica, for browsing | none: all from the primary |
| `REDIS_URL` | every Redis role that has no URL of its own | required |
| `REDIS_CACHE_URL`, `REDIS_BROKER_URL`, `REDIS_LAYER_URL` | one role each | `REDIS_URL` |
| `REDIS_GUTTER_URL` | a second small server, asked while the cache gives no answer | none |
| `SITE_URL` | where fans reach the site | `http://localhost:8000` |
| `ALLOWED_HOSTS` | comma-separated host names | host of `SITE_URL`, localhost |
| `DATA_DIR` | media, mail and collected static files | `.onsale` beside this folder |
| `TICKET_KEY` | base64 of the 32-byte Ed25519 seed that signs tickets | derived from `SECRET_KEY` if `DEBUG` |
| `OLD_TICKET_KEYS` | comma-separated seeds of before, whose tickets still let in | none |
| `WEBHOOK_SECRET` | signs the sandbox provider's webhooks | derived from `SECRET_KEY` if `DEBUG` |
| `EMAIL_URL` | `smtp://user:password@host:port` or `file://` | files under `DATA_DIR/mail` |
| `DEBUG` | `1` shows tracebacks | `0` |
"""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

BASE_DIR = Path(__file__).resolve().parent.parent


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment (config/settings.py lists every variable).")
    return value


def _flag(name: str) -> bool:
    value = os.environ.get(name, "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    if not value.isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")
    return int(value)


DEBUG = _flag("DEBUG")
SECRET_KEY = _required("SECRET_KEY")
EMBEDDED = _flag("ONSALE_EMBEDDED")


def _secret(name: str) -> bytes:
    """Return 32 secret bytes: given as base64, or derived from SECRET_KEY while developing."""
    value = os.environ.get(name, "")
    if not value:
        if DEBUG:
            return hashlib.sha256(f"{name}:{SECRET_KEY}".encode()).digest()
        raise ImproperlyConfigured(f"Set {name} to the base64 of 32 random bytes.")
    return _decoded_secret(name, value)


def _decoded_secret(name: str, value: str) -> bytes:
    try:
        secret = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not base64.") from error
    if len(secret) != 32:
        raise ImproperlyConfigured(f"{name} must be 32 bytes, not {len(secret)}.")
    return secret


TICKET_KEY = _secret("TICKET_KEY")
OLD_TICKET_KEYS = [
    _decoded_secret("OLD_TICKET_KEYS", value) for value in os.environ.get("OLD_TICKET_KEYS", "").split(",") if value
]
WEBHOOK_SECRET = _secret("WEBHOOK_SECRET")

SITE_URL = os.environ.get("SITE_URL", "http://localhost:8000").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in ("http", "https") or not _site.hostname:
    raise ImproperlyConfigured(f"SITE_URL must look like https://tickets.example.org, not {SITE_URL!r}.")
HTTPS = _site.scheme == "https"
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "").split(",") if h] or [
    _site.hostname,
    "localhost",
    "127.0.0.1",
    "[::1]",
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".onsale"))
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_URL = "/static/"

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "unfold.apps.BasicAppConfig",  # Its default would put its own admin site in the place of ours.
    "unfold.contrib.filters",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "django.contrib.humanize",
    "channels",
    "ninja",
    "csp",
    # Before allauth: its pages take their layout and elements from events/templates.
    "seating.apps.SeatingConfig",
    "events.apps.EventsConfig",
    "inventory.apps.InventoryConfig",
    "allauth",
    "allauth.account",
]

MIDDLEWARE = [
    "config.page_views.PageViewsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.admin_policy.AdminPolicyMiddleware",
    "config.replica.PinMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]


# --- Postgres: the truth, and the clock of record -----------------------------------------------------------
def _postgres(name: str, url: str, options: str) -> dict[str, Any]:
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url, engine="config.postgres"))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} cannot be read: {error}") from error
    database["CONN_MAX_AGE"] = None
    database["CONN_HEALTH_CHECKS"] = True
    database.setdefault("OPTIONS", {}).update(
        # A frozen server accepts a connection and never answers.
        options=options,
        application_name=os.environ.get("ONSALE_PROCESS", "onsale"),
        connect_timeout=3,
    )
    return database


DATABASES = {
    # A statement or lock that waits longer than this is a fault, and must not hold a worker.
    "default": _postgres(
        "DATABASE_URL",
        _required("DATABASE_URL"),
        "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000",
    )
}
REPLICA_URL = os.environ.get("REPLICA_URL", "")
if REPLICA_URL:
    DATABASES["replica"] = _postgres(
        "REPLICA_URL", REPLICA_URL, "-c statement_timeout=5000 -c default_transaction_read_only=on"
    )
    DATABASE_ROUTERS = ["config.replica.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: never the truth ---------------------------------------------------------------------------------
REDIS_URL = _required("REDIS_URL")
REDIS_CACHE_URL = os.environ.get("REDIS_CACHE_URL", REDIS_URL)
REDIS_BROKER_URL = os.environ.get("REDIS_BROKER_URL", REDIS_URL)
REDIS_LAYER_URL = os.environ.get("REDIS_LAYER_URL", REDIS_URL)
REDIS_GUTTER_URL = os.environ.get("REDIS_GUTTER_URL", "")
REDIS_PREFIX = os.environ.get("REDIS_PREFIX", "onsale")
REDIS_TIMEOUT_SECONDS = 0.1  # Redis slow is Redis down.

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "KEY_PREFIX": REDIS_PREFIX,
        "TIMEOUT": 300,
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            # Losing Redis makes pages slower, never wrong and never an error.
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT_SECONDS,
        },
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_LAYER_URL], "prefix": f"{REDIS_PREFIX}:layer"},
    }
}

# --- Celery ---------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_BROKER_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120, "global_keyprefix": f"{REDIS_PREFIX}:celery:"}
CELERY_TASK_PUBLISH_RETRY = False  # Without a broker a page must not wait for one; beat and the sweeps make it good.


def _every(task: str, seconds: float) -> dict:
    # A run that no worker took up in time is dropped: the next one does its work too.
    return {"task": f"inventory.tasks.{task}", "schedule": seconds, "options": {"expires": max(seconds, 2)}}


CELERY_BEAT_SCHEDULE = {
    "dispatch-messages": _every("dispatch_messages", 1),
    "feed-read-models": _every("feed_read_models", 1),
    "measure-drift": _every("measure_drift", 600),
    "measure-backlog": _every("measure_backlog", 5),
    "process-webhooks": _every("process_webhooks", 5),
    "expire-holds": _every("expire_holds", 2),
    "reconcile-payments": _every("reconcile_payments", 60),
    "hear-slow-banks": _every("hear_slow_banks", 2),
    "forget-old-records": _every("forget_old_records", 3600),
    "keep-warm": _every("keep_warm", 15),
    "record-traffic": _every("record_traffic", 30),
}

# --- Sign-in --------------------------------------------------------------------------------------------------
# In the database alone: an empty Redis logs nobody out, and one back with an old snapshot brings no ended login back.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "events.errors.csrf_failure"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/my/"
LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "/accounts/login/"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_LOGOUT_ON_GET = False
# The edge writes X-Forwarded-For itself; without this a request over a Unix socket has no address, and sign-in refuses.
ALLAUTH_TRUSTED_PROXY_COUNT = 1
NINJA_NUM_PROXIES = 1
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}

# --- What browsers are told -------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}
# The admin's theme runs Alpine, which evaluates its attributes; staff pages get a policy of their own.
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "object-src": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "form-action": [SELF],
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static_files.HashedStaticFiles"
    },
}

# --- Words, times, mail -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True

DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "Onsale <tickets@onsale.example>")
_email = urlsplit(os.environ.get("EMAIL_URL", "file://"))
if _email.scheme == "file":
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
elif _email.scheme in ("smtp", "smtps"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _email.hostname or "localhost"
    EMAIL_PORT = _email.port or (465 if _email.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_email.username or "")
    EMAIL_HOST_PASSWORD = unquote(_email.password or "")
    EMAIL_USE_SSL = _email.scheme == "smtps"
    EMAIL_USE_TLS = _email.scheme == "smtp" and EMAIL_PORT != 25
    EMAIL_TIMEOUT = 10
else:
    raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, smtps:// or file://.")

# --- Onsale's own knobs -------------------------------------------------------------------------------------------
SEATS_COPIES = _number("SEATS_COPIES", 10)  # Redis copies of each plane; spread over a cluster's slots.
SEATS_TTL_MS = _number("SEATS_TTL_MS", 2000)  # The safety net under the relay.
SEATS_LRU_MS = _number("SEATS_LRU_MS", 1000)
RELAY_TICK_MS = _number("RELAY_TICK_MS", 50)
SOCKETS_PER_PROCESS = _number("SOCKETS_PER_PROCESS", 10_000)
SOCKETS_PER_ADDRESS = _number("SOCKETS_PER_ADDRESS", 200)  # A household, an office; not a botnet's one exit.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}

UNFOLD = {
    "SITE_TITLE": "Onsale",
    "SITE_HEADER": "Onsale",
    "SITE_SUBHEADER": "Box office",
    "SITE_URL": "/",
    "SITE_SYMBOL": "confirmation_number",
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("events/icon.svg")},
    ],
    "STYLES": [lambda request: static("inventory/admin/back-office.css")],
    "SIDEBAR": {"command_search": True, "navigation": "inventory.navigation.sidebar"},
    "COMMAND": {"search_models": ["events.event"]},
    "BORDER_RADIUS": "6px",
    # The tokens of events/onsale.css as the theme's scales: paper and ink, and the one green accent.
    "COLORS": {
        "base": {
            "50": "#faf7f1",
            "100": "#f1ece2",
            "200": "#e2d9cb",
            "300": "#cfc4b2",
            "400": "#a79c8b",
            "500": "#746a5d",
            "600": "#5c544a",
            "700": "#45403a",
            "800": "#33322c",
            "900": "#1c1c19",
            "950": "#131311",
        },
        "primary": {
            "50": "#eef5f0",
            "100": "#e1ebe4",
            "200": "#c3dacd",
            "300": "#9bc7b1",
            "400": "#7fd0ab",
            "500": "#8fd8b6",
            "600": "#0e4a3b",
            "700": "#0a382c",
            "800": "#082c23",
            "900": "#06211a",
            "950": "#03140f",
        },
    },
}
