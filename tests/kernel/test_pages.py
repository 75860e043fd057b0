"""Cursors are ours, belong to one tenant and one list, and say nothing to anybody who changes them."""

import base64

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bitvault.kernel import pages, tenancy

LIST = "files.children.name.asc"
POSITION = [0, "file000010", "01900000-0000-7000-8000-000000000001"]


@pytest.fixture
def entered(acme):
    with tenancy.entered(acme):
        yield acme


def flip(text: str, position: int) -> str:
    """Change one character for another that may stand there."""
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


@pytest.mark.parametrize(
    "position",
    [POSITION, [], ["ä/ß\n\x00"], [None, True, 1.5, -(2**53)], ["x" * 2000]],
    ids=["usual", "empty", "text", "kinds", "long"],
)
def test_a_cursor_gives_back_what_it_was_made_of(entered, position):
    cursor = pages.encode_cursor(LIST, position)
    assert cursor.isascii()
    assert pages.decode_cursor(LIST, cursor) == position


def test_a_cursor_cannot_be_changed_anywhere(entered):
    cursor = pages.encode_cursor(LIST, POSITION)
    for position in range(len(cursor)):
        if cursor[position] != ":":
            with pytest.raises(pages.BadCursor):
                pages.decode_cursor(LIST, flip(cursor, position))


def test_a_position_that_was_not_signed_is_refused(entered):
    signed = pages.encode_cursor(LIST, POSITION)
    forged = base64.urlsafe_b64encode(b'[0,"",""]').decode().rstrip("=")
    _, time, signature = signed.split(":")
    for cursor in (
        forged,
        f"{forged}:{time}:{signature}",
        f"{forged}:{time}:",
        f"{forged}::{signature}",
        f":{time}:{signature}",
    ):
        with pytest.raises(pages.BadCursor):
            pages.decode_cursor(LIST, cursor)


def test_a_cursor_of_another_tenant_is_refused(acme, beta):
    with tenancy.entered(acme):
        cursor = pages.encode_cursor(LIST, POSITION)
    with tenancy.entered(beta), pytest.raises(pages.BadCursor):
        pages.decode_cursor(LIST, cursor)
    with pytest.raises(pages.BadCursor):
        pages.decode_cursor(LIST, cursor)


def test_a_cursor_of_another_list_or_another_order_is_refused(entered):
    cursor = pages.encode_cursor(LIST, POSITION)
    for purpose in ("files.trash", "files.children.name.desc", "files.children.size_bytes.asc", ""):
        with pytest.raises(pages.BadCursor):
            pages.decode_cursor(purpose, cursor)


def test_a_cursor_of_another_installation_is_refused(entered, settings):
    cursor = pages.encode_cursor(LIST, POSITION)
    settings.SECRET_KEY = "another secret of another installation"
    with pytest.raises(pages.BadCursor):
        pages.decode_cursor(LIST, cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        ":",
        "::",
        "a",
        "a:b:c",
        "A" * 10_240,
        ":" * 10_240,
        "\x00",
        "é",
        "\ud800",
        "[]",
        "null",
        "-1",
        "9" * 400,
        "=:=:=",
    ],
    ids=lambda cursor: ascii(cursor[:8]),
)
def test_what_is_no_cursor_is_refused(entered, cursor):
    with pytest.raises(pages.BadCursor):
        pages.decode_cursor(LIST, cursor)


@given(st.text(max_size=200))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_is_a_cursor_by_chance(entered, cursor):
    with pytest.raises(pages.BadCursor):
        pages.decode_cursor(LIST, cursor)


def test_the_refusal_is_a_400_with_a_code():
    assert (pages.BadCursor.status, pages.BadCursor.code) == (400, "request.bad_cursor")


@pytest.mark.parametrize("limit", [1, 200, 1000])
def test_a_page_may_have_so_many_items(limit):
    pages.require_limit(limit)


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9, 10**30])
def test_a_page_cannot_have_so_many_items(limit):
    with pytest.raises(pages.LimitOutOfRange) as refused:
        pages.require_limit(limit)
    assert refused.value.facts == {"limit": 1000}


def test_a_page_is_mapped_with_its_cursor():
    assert pages.Page([1, 2], "next").map(str) == pages.Page(["1", "2"], "next")
