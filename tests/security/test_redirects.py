"""After signing in a person lands on their own vault, whatever the link said (THR 29)."""

import pytest
from django.test import Client

from bitvault.web.pages import HOME, safe_path
from tests.support.world import PASSWORD

ELSEWHERE = [
    "//evil.test", "///evil.test", "////evil.test", "/\\evil.test", "\\\\evil.test", "\\/evil.test", "https://evil.test", "https:evil.test",
    "https:/evil.test", "http:///evil.test", "HTTPS://evil.test", "javascript:alert(1)", "data:text/html,x", " //evil.test", "\t//evil.test",
    "/\t/evil.test", "/\n/evil.test", "\x00//evil.test", "//evil.test\\@acme.localhost", "//acme.localhost@evil.test", "/%09/evil.test\r\n", "evil.test",
    "ftp://acme.localhost/", "//acme.localhost:1/", "https://acme.localhost.evil.test/", "/\u2028/evil.test", "?next=//evil.test", "#//evil.test",
    "/files/\r\nSet-Cookie: x=1", "／／evil.test", "/／evil.test", "〱evil.test", "//⁄evil.test", "", "/" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("wish", ELSEWHERE)
def test_signing_in_leads_to_ones_own_host(db, wish):
    browser = Client(headers={"host": "acme.localhost"})
    answer = browser.post("/sign-in/", {"email": "mia@acme.test", "password": PASSWORD, "next": wish})
    assert answer.status_code == 302
    _require_own(answer["Location"])
    again = browser.get("/sign-in/", {"next": wish})
    assert again.status_code == 302, "whoever is in already is sent on at once"
    _require_own(again["Location"])


@pytest.mark.parametrize("wish", ELSEWHERE)
def test_the_form_carries_no_other_host(db, wish):
    page = Client(headers={"host": "acme.localhost"}).get("/sign-in/", {"next": wish}).content.decode()
    assert "evil.test" not in page or 'name="next" value="/' in page
    assert 'value="//' not in page
    assert "javascript:" not in page


def _require_own(target):
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert not {"\r", "\n", "\t", "\x00"} & set(target)


def test_a_path_of_ones_own_is_kept():
    for path in ("/files/", "/trash/?sort=name", "/files/01900000-0000-7000-8000-0000000000ff/", "/settings/#tokens"):
        assert safe_path(path) == path
    assert safe_path(None) == HOME
