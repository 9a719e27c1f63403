"""The fan: a browser session, signed in or not, known by one signed cookie and by nothing on the server.

Plain Python, so that the slots can read it without a Django request.
"""

import base64
import hmac
import secrets
from functools import cache

from django.conf import settings

COOKIE = "fan"
MAX_AGE_SECONDS = 180 * 24 * 3600  # Half a year: a ticket bought now is still this fan's at the door.
_LENGTH = 26  # 130 bits in base32: not to be guessed, and short enough to read out.
_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz234567")


def new_fan() -> str:
    """Return a new fan id: 26 random lowercase base32 characters."""
    return base64.b32encode(secrets.token_bytes(17)).decode().lower()[:_LENGTH]


def sign(fan: str) -> str:
    """Return the cookie's value for a fan id: `<id>.<signature>`."""
    return f"{fan}.{_mac('fan', fan)}"


def read(cookie: str | None) -> str | None:
    """Return the fan id of a cookie's value; None if there is none or it is not ours to the last character."""
    if not cookie or len(cookie) > 100:
        return None
    fan, _, signature = cookie.partition(".")
    if len(fan) != _LENGTH or not _ALPHABET.issuperset(fan):
        return None
    return fan if _equal(signature, _mac("fan", fan)) else None


def csrf_token(fan: str) -> str:
    """Return the token that proves that a POST comes from a page that could read this fan's own state."""
    return _mac("csrf", fan)


def csrf_ok(fan: str, token: str | None) -> bool:
    """Whether `token` is the fan's; compared in constant time."""
    return bool(token) and _equal(str(token), csrf_token(fan))


def set_cookie_header(fan: str) -> str:
    """Return the value of the Set-Cookie header that makes a browser this fan."""
    secure = "; Secure" if settings.HTTPS else ""
    return f"{COOKIE}={sign(fan)}; Path=/; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}"


def _mac(purpose: str, fan: str) -> str:
    digest = hmac.digest(_key(purpose, settings.SECRET_KEY), fan.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@cache
def _key(purpose: str, secret: str) -> bytes:
    # A key of its own for each purpose: a token shown to scripts can never be worn as the cookie.
    return hmac.digest(secret.encode(), f"onsale.{purpose}".encode(), "sha256")


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
