import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.identity import credentials
from apps.identity.errors import InvalidToken
from bitvault.kernel import ids


@given(st.text())
def test_no_secret_matches_nothing(secret):
    for nothing in (None, b"", "", memoryview(b"")):
        assert credentials.verify(secret, nothing) is False


@given(st.text(), st.binary(max_size=64))
def test_a_secret_matches_only_its_own_whole_hash(secret, kept):
    expected = kept == credentials.hash_secret(secret) if secret else False
    assert credentials.verify(secret, kept) is expected


@given(st.text(min_size=1), st.integers(min_value=0, max_value=31))
def test_part_of_a_hash_matches_nothing(secret, length):
    assert credentials.verify(secret, credentials.hash_secret(secret)[:length]) is False


def test_an_empty_secret_matches_not_even_its_own_hash():
    assert credentials.verify("", credentials.hash_secret("")) is False


@given(st.uuids())
def test_a_token_reads_back_as_it_was_written(token_id):
    secret = credentials.new_secret()
    assert credentials.read_token(credentials.write_token(token_id, secret)) == (token_id, secret)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bv_",
        "bv__",
        "bv_x_y",
        f"bv_{'0' * 32}_",
        f"bv_{'0' * 32}",
        f"bv_{'0' * 31}_{'s' * 43}",
        f"bv_{'0' * 32}_{'s' * 42}",
        f"bv_{'0' * 32}_{'s' * 44}",
        f"BV_{'0' * 32}_{'s' * 43}",
        f"bv_{'A' * 32}_{'s' * 43}",
        f"bv_{'0' * 32}_{'s' * 42}\n",
        f"bv_{'0' * 32}_{'s' * 43}\n",
        f"bv_{'٠' * 32}_{'s' * 43}",
        f"bv_{UUID(int=0)}_{'s' * 43}",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "bv_" + "s" * 100_000,
        "\0",
    ],
)
def test_what_is_not_written_like_a_token_is_refused(text):
    with pytest.raises(InvalidToken):
        credentials.read_token(text)


def test_secrets_of_tokens_are_unpredictable():
    secrets = [credentials.new_secret() for _ in range(100_000)]
    assert len(set(secrets)) == len(secrets)
    assert {len(secret) for secret in secrets} == {43}
    # 18 bits of a shared beginning are what chance gives among 10^5; 48 would show a pattern.
    assert len({secret[:8] for secret in secrets}) == len(secrets)
    assert len({secret[-8:] for secret in secrets}) == len(secrets)
    for position in range(42):
        assert len({secret[position] for secret in secrets}) == 64


def test_ids_of_tokens_cannot_be_counted_on():
    made = [ids.new_id() for _ in range(100_000)]
    assert len(set(made)) == len(made)
    # An id is no secret, but the next one shall not be known either: of its last 32 random bits half differ from the one before.
    differing = [((a.int ^ b.int) & (2**32 - 1)).bit_count() for a, b in itertools.pairwise(made)]
    assert 15.5 < sum(differing) / len(differing) < 16.5
