"""The plane and its two travelling forms, to the byte."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import plane as planes
from inventory.plane import BLOCKED, FREE, HELD, SOLD, Header


def test_pack_puts_four_seats_in_a_byte_lowest_bits_first():
    assert planes.pack(bytes([FREE, HELD, SOLD, BLOCKED, HELD])) == bytes([0b11_10_01_00, 0b01])
    assert planes.pack(b"") == b""


def test_pack_states_shows_paying_as_held():
    # free, held, paying, sold, blocked
    assert planes.pack_states("01234") == planes.pack(bytes([FREE, HELD, HELD, SOLD, BLOCKED]))


@given(st.binary().map(lambda raw: bytes(byte & 3 for byte in raw)))
def test_pack_keeps_every_code(codes: bytes):
    plane = planes.pack(codes)
    assert len(plane) == (len(codes) + 3) // 4
    assert bytes(planes.code_at(plane, index) for index in range(len(codes))) == codes
    assert [planes.count(plane, len(codes), code) for code in range(4)] == [codes.count(code) for code in range(4)]


@given(
    st.binary(min_size=1, max_size=50).map(lambda raw: bytes(byte & 3 for byte in raw)),
    st.dictionaries(st.integers(0, 49), st.integers(0, 3)),
)
def test_changes_laid_over_a_plane_give_the_new_plane(codes: bytes, changes: dict[int, int]):
    changes = {index: code for index, code in changes.items() if index < len(codes)}
    expected = bytes(changes.get(index, code) for index, code in enumerate(codes))
    plane = planes.pack(codes)
    assert planes.with_changes(plane, changes) == planes.pack(expected)
    real = planes.differences(plane, changes)
    assert list(real) == sorted(real)
    assert all(codes[index] != code for index, code in real.items())
    assert planes.with_changes(plane, real) == planes.pack(expected)


def test_body_is_24_bytes_of_header_and_the_plane():
    body = planes.encode_body(Header(planes.REBUILT, 5, 7, 1_700_000_000_123), bytes([0xE4, 0x01]))
    assert body == b"OS\x01\x01" + struct.pack("<IQQ", 5, 7, 1_700_000_000_123) + b"\xe4\x01"
    assert len(body) == 26
    assert planes.decode_body(body) == (Header(1, 5, 7, 1_700_000_000_123), b"\xe4\x01")


@pytest.mark.parametrize(
    "body",
    [b"", b"OS", b"XX" + bytes(24), b"OS\x02" + bytes(23), planes.encode_body(Header(0, 9, 1, 1), b"\0\0")],
)
def test_decode_refuses_what_is_no_body(body: bytes):
    with pytest.raises(ValueError, match="seat"):
        planes.decode_body(body)


def test_delta_is_two_versions_and_five_bytes_a_change():
    frame = planes.encode_delta(41, 42, {3: HELD, 59_999: SOLD})
    assert frame == struct.pack("<QQ", 41, 42) + b"\x03\0\0\0\x01" + b"\x5f\xea\0\0\x02"
    assert planes.decode_delta(frame) == (41, 42, {3: HELD, 59_999: SOLD})
    assert len(planes.encode_delta(7, 7, {})) == 16


def test_latest_keeps_each_seat_s_highest_version_in_any_order():
    rows = [(5, 1, 3), (6, 3, 9), (5, 0, 4), (5, 1, 1)]
    assert planes.latest(rows) == {5: FREE, 6: SOLD}
    assert planes.latest(reversed(rows)) == {5: FREE, 6: SOLD}


def test_sixty_thousand_seats_stay_small():
    from inventory.availability import Snapshot

    empty = planes.encode_body(Header(0, 60_000, 1, 1_700_000_000_000), bytes(15_000))
    assert len(empty) == 15_024
    assert len(Snapshot.of(empty).gzipped) < 512


def test_joined_deltas_do_what_both_do_and_only_if_they_continue():
    first = planes.encode_delta(3, 5, {1: planes.HELD, 2: planes.SOLD})
    assert planes.join_deltas(
        first, planes.encode_delta(5, 6, {2: planes.FREE, 9: planes.HELD})
    ) == planes.encode_delta(3, 6, {1: planes.HELD, 2: planes.FREE, 9: planes.HELD})
    assert planes.join_deltas(first, planes.encode_delta(4, 6, {})) == planes.encode_delta(3, 6, {1: 1, 2: 2})
    for from_version, to_version in ((6, 7), (2, 6), (4, 4)):
        assert planes.join_deltas(first, planes.encode_delta(from_version, to_version, {})) is None
