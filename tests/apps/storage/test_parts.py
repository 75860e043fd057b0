"""How files are cut, and what their hashes are."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.storage import parts
from apps.storage.errors import FileTooLarge, PartOutOfRange

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (0, 8 * MIB, 1),
        (1, 8 * MIB, 1),
        (8 * MIB, 8 * MIB, 1),
        (8 * MIB + 1, 8 * MIB, 2),
        (80_000 * MIB, 8 * MIB, 10_000),
        (80_000 * MIB + 1, 9 * MIB, 8889),
        (5 * 1024 * GIB, 525 * MIB, 9987),
    ],
)
def test_a_file_is_cut_into_parts_of_8_mib_or_of_as_many_as_ten_thousand_allow(size, part_size, count):
    layout = parts.lay_out(size)
    assert (layout.part_size_bytes, layout.part_count) == (part_size, count)


def test_a_file_over_five_tebibytes_is_refused():
    with pytest.raises(FileTooLarge):
        parts.lay_out(5 * 1024 * GIB + 1)


@given(st.integers(min_value=0, max_value=5 * 1024 * GIB))
def test_the_parts_of_any_file_are_the_whole_of_it(size):
    layout = parts.lay_out(size)
    last = layout.part_count
    assert 1 <= last <= 10_000
    assert layout.part_size_bytes >= 8 * MIB
    assert layout.offset_of(last) + layout.length_of(last) == size
    assert layout.length_of(1) == (size if last == 1 else layout.part_size_bytes)
    for number in (0, last + 1):
        with pytest.raises(PartOutOfRange):
            layout.require(number)


def test_the_hash_of_a_file_is_the_hash_of_its_parts_digests():
    digests = [hashlib.sha256(text).digest() for text in (b"a", b"b")]
    assert parts.content_hash(b"".join(digests)) == hashlib.sha256(digests[0] + digests[1]).digest()


def test_the_hash_of_an_empty_file_is_that_of_one_empty_part():
    empty = hashlib.sha256(b"").digest()
    assert parts.content_hash(empty).hex() == "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"


def test_digests_can_be_announced_in_any_order():
    three = {3: b"c" * 32}
    hashes = parts.merge(b"", three)
    assert parts.unknown_numbers(hashes, 4) == [1, 2, 4]
    hashes = parts.merge(hashes, {1: b"a" * 32})
    assert parts.digest_at(hashes, 1) == b"a" * 32
    assert parts.digest_at(hashes, 3) == b"c" * 32
    assert parts.digest_at(hashes, 4) == parts.UNKNOWN
    assert parts.unknown_numbers(hashes, 4) == [2, 4]
