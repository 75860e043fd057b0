"""A browser that signed in before keeps a signed cookie, and is counted apart from strangers."""

import json
import secrets

import pytest
from django.test import Client

from apps.identity import api, browsers, models
from apps.identity.operations import guesses
from bitvault.kernel.actor import Role
from tests.support.world import PASSWORD

COOKIE = "known-browser"


@pytest.fixture
def elsewhere():
    """Another address of each call."""
    return lambda: f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def newcomer(db, acme):
    """Let another person into acme, whose account no other test's guesses have used up; gives their address."""

    def let_in() -> str:
        email = f"new-{secrets.token_hex(6)}@acme.test"
        api.add_member(tenant=acme, email=email, role=Role.MEMBER, password=PASSWORD)
        return email

    return let_in


@pytest.fixture
def mia(newcomer):
    return newcomer()


@pytest.fixture
def client(db, address):
    return Client(REMOTE_ADDR=address, HTTP_HOST="acme.localhost")


def log_in(client, email, password=PASSWORD, **more):
    return client.post(
        "/api/v1/auth/login",
        json.dumps({"email": email, "password": password}),
        content_type="application/json",
        headers={"origin": "http://acme.localhost"},
        **more,
    )


def use_up(email, elsewhere):
    """Let strangers guess until the account is shut for everybody whom it does not know."""
    stranger = Client(HTTP_HOST="acme.localhost")
    for _ in range(guesses.ACCOUNT.limit):
        assert log_in(stranger, email, "wrong", REMOTE_ADDR=elsewhere()).status_code == 401
    assert log_in(stranger, email, REMOTE_ADDR=elsewhere()).status_code == 429


def test_who_signed_in_here_before_gets_in_while_strangers_guess(client, mia, elsewhere):
    assert log_in(client, mia).status_code == 200
    use_up(mia, elsewhere)
    client.cookies.pop("session")
    assert log_in(client, mia, REMOTE_ADDR=elsewhere()).status_code == 200


def test_the_form_knows_the_browser_too(client, mia, elsewhere):
    answer = client.post("/sign-in/", {"email": mia, "password": PASSWORD})
    assert answer.status_code == 302
    use_up(mia, elsewhere)
    client.cookies.pop("session")
    assert client.post("/sign-in/", {"email": mia, "password": PASSWORD}).status_code == 302


def test_a_browser_is_known_for_the_accounts_that_it_proved_and_for_no_other(client, mia, newcomer, elsewhere):
    assert log_in(client, mia).status_code == 200
    adam = newcomer()
    use_up(adam, elsewhere)
    assert log_in(client, adam).status_code == 429


def test_a_wrong_password_makes_no_browser_known(client, mia):
    log_in(client, mia, "wrong")
    assert COOKIE not in client.cookies


def damaged(text):
    return text[:-1] + ("A" if text[-1] != "A" else "B")


@pytest.mark.parametrize("spoil", [damaged, "{:.5}".format, "x{}".format], ids=["damaged", "cut", "grown"])
def test_a_cookie_that_is_not_ours_is_that_of_a_stranger(client, mia, elsewhere, spoil):
    log_in(client, mia)
    use_up(mia, elsewhere)
    client.cookies[COOKIE] = spoil(client.cookies[COOKIE].value)
    assert log_in(client, mia).status_code == 429


def test_the_cookie_names_nobody_and_scripts_cannot_read_it(client, mia):
    log_in(client, mia)
    cookie = client.cookies[COOKIE]
    assert "acme" not in cookie.value.lower()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_browser_is_known_for_its_last_accounts_alone():
    cookie = ""
    for number in range(browsers.ACCOUNTS_LIMIT + 1):
        cookie = browsers.remember(cookie, f"{number}@x.test")
    assert browsers.find_known(cookie, "0@x.test") is None
    assert len({browsers.find_known(cookie, f"{number}@x.test") for number in range(1, 6)}) == 1


def test_guesses_at_the_operators_sign_in_are_counted_apart(db, elsewhere, settings, email):
    models.User.objects.create_superuser(email=email, password=PASSWORD)
    use_up(email, elsewhere)
    operator = Client(REMOTE_ADDR=elsewhere(), HTTP_HOST=settings.BITVAULT_OPERATOR_HOST)
    credentials = {"username": email, "password": PASSWORD}
    assert operator.post("/admin/login/?next=/admin/", credentials).status_code == 302
    assert COOKIE in operator.cookies
    stranger = Client(HTTP_HOST=settings.BITVAULT_OPERATOR_HOST)
    for _ in range(guesses.ACCOUNT.limit):
        stranger.post("/admin/login/", {**credentials, "password": "wrong"}, REMOTE_ADDR=elsewhere())
    assert stranger.post("/admin/login/", credentials, REMOTE_ADDR=elsewhere()).status_code == 200
    assert operator.post("/admin/login/?next=/admin/", credentials, REMOTE_ADDR=elsewhere()).status_code == 302


def test_a_known_browser_has_ten_guesses_of_its_own(client, mia, elsewhere):
    log_in(client, mia)
    for _ in range(guesses.BROWSER.limit):
        assert log_in(client, mia, "wrong", REMOTE_ADDR=elsewhere()).status_code == 401
    assert log_in(client, mia, REMOTE_ADDR=elsewhere()).status_code == 429
