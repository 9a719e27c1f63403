"""The code on a ticket: signed with Ed25519 (RFC 8032), so that a door can tell a forgery without asking anybody.

36 bytes, then a 64-byte signature over a domain tag and those bytes:

    format u8 (=1) | key id u8 | event id 16 bytes | ticket id 16 bytes | serial u16

written in base32 (RFC 4648) without padding: 160 characters that a QR code packs in its alphanumeric mode, that survive
every keyboard layout of a hand scanner, and that may be pasted in lower case or in groups. When the camera is broken
there is also a code to type: order reference, position of the ticket, and eight letters that prove it was read off.
"""

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

FORMAT = 1
_FIELDS = struct.Struct(">BB16s16sH")
_DOMAIN = b"onsale ticket\0"
_SIGNATURE_BYTES = 64
_LENGTH = 160
_MAX_PASTED = 400


class Forged(Exception):
    """The code is not one that this shop has signed; the text says what is wrong with it."""


@dataclass(frozen=True)
class Claim:
    """What a genuine code says: this ticket of this event, in its `serial`-th issue."""

    event_id: UUID
    ticket_id: UUID
    serial: int


def code_for(*, event_id: UUID, ticket_id: UUID, serial: int) -> str:
    """Return the signed code of one issue of one ticket; the same every time."""
    key = _key(settings.TICKET_KEY)
    payload = _FIELDS.pack(FORMAT, _key_id(key.public_key()), event_id.bytes, ticket_id.bytes, serial)
    return base64.b32encode(payload + key.sign(_DOMAIN + payload)).decode().rstrip("=")


def read_code(text: str) -> Claim:
    """Return what the code claims; raise Forged unless one of this shop's keys has signed it.

    Spaces, hyphens and lower case are forgiven. Retired keys (OLD_TICKET_KEYS) still verify, so that a rotation
    refuses nobody who has bought already.
    """
    plain = "".join(text[:_MAX_PASTED].split()).replace("-", "").upper()
    if len(plain) != _LENGTH or len(text) > _MAX_PASTED:
        raise Forged("This is not a ticket code.")
    try:
        raw = base64.b32decode(plain)
    except ValueError as error:
        raise Forged("This is not a ticket code.") from error
    payload, signature = raw[: _FIELDS.size], raw[_FIELDS.size :]
    if len(signature) != _SIGNATURE_BYTES:
        raise Forged("This is not a ticket code.")
    version, key_id, event, ticket, serial = _FIELDS.unpack(payload)
    public = _public_keys().get(key_id)
    if version != FORMAT or public is None:
        raise Forged("This code was not signed here.")
    try:
        public.verify(signature, _DOMAIN + payload)
    except InvalidSignature as error:
        raise Forged("The signature does not hold: the code was changed or made up.") from error
    return Claim(UUID(bytes=event), UUID(bytes=ticket), serial)


def letters_for(*, ticket_id: UUID, serial: int) -> str:
    """Return the eight letters that end a typed code (40 bits of an HMAC-SHA256 under the ticket key)."""
    tag = hmac.new(settings.TICKET_KEY, b"typed\0" + ticket_id.bytes + struct.pack(">H", serial), hashlib.sha256)
    return base64.b32encode(tag.digest()[:5]).decode()


@lru_cache(maxsize=8)
def _key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _key_id(public: Ed25519PublicKey) -> int:
    return hashlib.sha256(public.public_bytes_raw()).digest()[0]


def _public_keys() -> dict[int, Ed25519PublicKey]:
    publics = [_key(seed).public_key() for seed in (*settings.OLD_TICKET_KEYS, settings.TICKET_KEY)]
    return {_key_id(public): public for public in publics}
