"""The seat plane (2 bits a seat) and the two forms it travels in: the R3 body and the delta frame."""

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

FREE, HELD, SOLD, BLOCKED = range(4)

# Seat.State as stored, free, held, paying, sold, blocked, to what everybody may see: paying looks held.
CODES = bytes([FREE, HELD, HELD, SOLD, BLOCKED])
_DIGITS = bytes.maketrans(b"01234", CODES)

REBUILT = 1  # Flag bit 0 of a body: put together by a reader from the database, because the relay's copy was gone.

_MAGIC = b"OS"
_FORMAT = 1
_HEADER = struct.Struct("<2sBBIQQ")
HEADER_BYTES = _HEADER.size
_SPAN = struct.Struct("<QQ")
_CHANGE = struct.Struct("<IB")

_COUNTS = tuple(
    bytes(sum((byte >> shift) & 3 == code for shift in (0, 2, 4, 6)) for byte in range(256)) for code in range(4)
)


def pack(codes: bytes) -> bytes:
    """Return the plane of `codes` (one byte a seat, 0-3, index order); unused bits of the last byte are 0.

    Every fourth code is read as one long number, so that four shifts do the work of a loop over the seats.
    """
    size = (len(codes) + 3) // 4
    padded = codes.ljust(size * 4, b"\0")
    lanes = (int.from_bytes(padded[lane::4], "little") << (2 * lane) for lane in range(4))
    first, second, third, fourth = lanes
    return (first | second | third | fourth).to_bytes(size, "little")


def pack_states(digits: str) -> bytes:
    """Return the plane of `digits`: one digit a seat, its `Seat.State`, index order."""
    return pack(digits.encode("ascii").translate(_DIGITS))


def code_at(plane: bytes, index: int) -> int:
    """Return one seat's code: FREE, HELD, SOLD or BLOCKED."""
    return plane[index >> 2] >> ((index & 3) * 2) & 3


def with_changes(plane: bytes, changes: Mapping[int, int]) -> bytes:
    """Return a copy of `plane` in which each seat of `changes` has its given code."""
    changed = bytearray(plane)
    for index, code in changes.items():
        shift = (index & 3) * 2
        changed[index >> 2] = changed[index >> 2] & ~(3 << shift) | code << shift
    return bytes(changed)


def differences(plane: bytes, changes: Mapping[int, int]) -> dict[int, int]:
    """Return those of `changes` that `plane` does not show already, by ascending index."""
    return {index: code for index, code in sorted(changes.items()) if code_at(plane, index) != code}


def count(plane: bytes, seat_count: int, code: int) -> int:
    """Return how many of the first `seat_count` seats have `code`."""
    found = sum(plane.translate(_COUNTS[code]))
    return found - (len(plane) * 4 - seat_count) if code == FREE else found


class Header(NamedTuple):
    """What precedes the plane in an R3 body. `made_at_ms` is Unix time by the database's clock."""

    flags: int
    seat_count: int
    version: int
    made_at_ms: int


def encode_body(header: Header, plane: bytes) -> bytes:
    """Return the R3 body: `OS`, format, flags, seat count u32, version u64, made-at ms u64, plane; little endian."""
    return _HEADER.pack(_MAGIC, _FORMAT, header.flags, header.seat_count, header.version, header.made_at_ms) + plane


def decode_body(body: bytes) -> tuple[Header, bytes]:
    """Return the header and the plane of an R3 body; ValueError if it is not one, whole and of this format."""
    if len(body) < _HEADER.size:
        raise ValueError(f"{len(body)} bytes are too short for a seat plane")
    magic, form, *rest = _HEADER.unpack_from(body)
    header = Header(*rest)
    if magic != _MAGIC or form != _FORMAT:
        raise ValueError("not a seat plane of format 1")
    plane = body[_HEADER.size :]
    if len(plane) != (header.seat_count + 3) // 4:
        raise ValueError(f"{len(plane)} bytes do not hold {header.seat_count} seats")
    return header, plane


def encode_delta(from_version: int, to_version: int, changes: Mapping[int, int]) -> bytes:
    """Return the delta frame: from-version u64, to-version u64, then (index u32, code u8) for each change.

    States are absolute, so a frame may be laid over any plane from `from_version` on: what that plane has of it
    already is set to the same value again.
    """
    return _SPAN.pack(from_version, to_version) + b"".join(_CHANGE.pack(*change) for change in changes.items())


def decode_delta(frame: bytes) -> tuple[int, int, dict[int, int]]:
    """Return (from-version, to-version, {index: code})."""
    from_version, to_version = _SPAN.unpack_from(frame)
    return from_version, to_version, dict(_CHANGE.iter_unpack(frame[_SPAN.size :]))


def join_deltas(first: bytes, second: bytes) -> bytes | None:
    """Return one frame that does what `first` and then `second` do; None if `second` does not continue `first`."""
    from_version, between, changes = decode_delta(first)
    since, to_version, more = decode_delta(second)
    if not from_version <= since <= between <= to_version:
        return None
    return encode_delta(from_version, to_version, changes | more)


def latest(rows: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Return {index: code} of (index, state, version) rows, keeping of each seat its highest version."""
    kept: dict[int, tuple[int, int]] = {}
    for index, state, version in rows:
        if index not in kept or kept[index][0] < version:
            kept[index] = version, CODES[state]
    return {index: code for index, (_, code) in kept.items()}
