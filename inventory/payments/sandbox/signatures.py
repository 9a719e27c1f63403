"""Signing webhooks: HMAC-SHA256 over the time and the body, so that neither can be changed or used again later."""

import hashlib
import hmac

HEADER = "Sandbox-Signature"
TOLERANCE_SECONDS = 300


class NotSigned(Exception):
    """The header is missing, malformed, forged or outside the tolerance; the text says which."""


def signature(secret: bytes, body: bytes, at: int) -> str:
    """Return the header for `body` sent at `at` (seconds since 1970): `t=<at>,v1=<hex>`."""
    return f"t={at},v1={_digest(secret, body, at)}"


def check_signature(secret: bytes, body: bytes, header: str, now: int) -> None:
    """Raise NotSigned unless `header` signs `body` and was made within five minutes of `now`.

    Several `v1` may be given, as while a secret is rotated; one that holds is enough.
    """
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    signatures = [value for name, _, value in parts if name.strip() == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12 or not signatures:
        raise NotSigned("The signature header is missing or malformed.")
    at = int(times[0])
    expected = _digest(secret, body, at).encode()
    if not any(hmac.compare_digest(expected, given.strip().encode()) for given in signatures):
        raise NotSigned("The signature does not belong to this body.")
    if abs(now - at) > TOLERANCE_SECONDS:
        raise NotSigned("The signature is too old, or from the future.")


def _digest(secret: bytes, body: bytes, at: int) -> str:
    return hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
