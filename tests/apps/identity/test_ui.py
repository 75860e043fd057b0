"""Identity's pages: what the forms take, what they refuse, and where they lead."""

import re

import pytest
from django.test import Client

from tests.support.world import ACME, PASSWORD

VAULT, BARE = "acme.localhost", "localhost"
MIA = {"email": ACME.people["mia"].email, "password": PASSWORD}


@pytest.fixture
def visitor(db):
    return Client(headers={"host": VAULT}, enforce_csrf_checks=True)


def send(client, path, values, **headers):
    """Send a form as a browser does that has loaded its page before."""
    page = client.get(path, headers=headers)
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.content)
    assert token, page.content
    return client.post(path, {**values, "csrfmiddlewaretoken": token[1].decode()}, headers=headers)


def test_a_wrong_password_an_unknown_account_and_a_stranger_get_one_answer(visitor):
    tries = [
        {**MIA, "password": "something else"},
        {"email": "nobody@acme.test", "password": PASSWORD},
        {"email": "boris@beta.test", "password": PASSWORD},
    ]
    answers = [send(visitor, "/sign-in/", values) for values in tries]
    assert {answer.status_code for answer in answers} == {401}
    shown = {re.search(r'role="alert">(.*?)</p>', answer.content.decode(), re.DOTALL)[1] for answer in answers}
    assert len(shown) == 1


def test_a_form_without_its_proof_is_refused(visitor):
    assert visitor.post("/sign-in/", MIA).status_code == 403
    assert visitor.post("/sign-out/").status_code == 403


def test_signing_in_changes_the_key_of_the_session_and_the_csrf_token(visitor):
    visitor.get("/sign-in/")
    before = visitor.cookies["csrftoken"].value
    assert send(visitor, "/sign-in/", MIA).status_code == 302
    assert visitor.cookies["csrftoken"].value != before
    assert visitor.cookies["session"]["httponly"]


@pytest.mark.parametrize(
    ("following", "leads_to"),
    [
        ("/trash/", "/trash/"),
        ("/files/?sort=name&order=desc", "/files/?sort=name&order=desc"),
        ("//evil.example/", "/files/"),
        ("https://evil.example/", "/files/"),
        ("https:evil.example", "/files/"),
        ("\\\\evil.example", "/files/"),
        ("/\\evil.example", "/files/"),
        ("/\t/evil.example", "/files/"),
        ("javascript:alert(1)", "/files/"),
        ("files/", "/files/"),
    ],
)
def test_after_signing_in_one_comes_to_own_paths_only(visitor, following, leads_to):
    answer = send(visitor, "/sign-in/", {**MIA, "next": following})
    assert answer["Location"] == leads_to
    assert visitor.get("/sign-in/", {"next": following})["Location"] == leads_to


def test_signing_out_takes_a_post(visitor):
    send(visitor, "/sign-in/", MIA)
    assert visitor.get("/sign-out/").status_code == 405
    assert visitor.get("/files/").status_code == 200


def test_the_bare_host_lists_the_vaults_of_whoever_signed_in_there(visitor):
    assert visitor.get("/", headers={"host": BARE})["Location"] == "/vaults/"
    assert visitor.get("/vaults/", headers={"host": BARE})["Location"] == "/sign-in/"
    assert send(visitor, "/sign-in/", MIA, host=BARE)["Location"] == "/vaults/"
    page = visitor.get("/vaults/", {"stay": "1"}, headers={"host": BARE})
    assert [vault["host"].partition(".")[0] for vault in page.context["vaults"]] == ["acme"]


def test_a_vault_that_one_does_not_belong_to_cannot_be_opened_from_the_bare_host(visitor, beta):
    send(visitor, "/sign-in/", MIA, host=BARE)
    assert visitor.get(f"/vaults/{beta.id}/open", headers={"host": BARE}).status_code == 404


def test_what_is_wrong_with_a_new_vault_is_told_beside_its_field_and_nothing_typed_is_lost(visitor):
    wanted = {
        "name": "Nordlicht",
        "slug": "acme",
        "person_name": "Nora",
        "email": "nora@nordlicht.test",
        "password": "lantern over cold water",
    }
    for change, field in (
        ({}, "slug"),
        ({"slug": "no spaces"}, "slug"),
        ({"email": "nora"}, "email"),
        ({"name": " "}, "name"),
        ({"person_name": "Nora\x07"}, "person_name"),
        ({"password": "password123"}, "password"),
    ):
        values = {**wanted, "slug": "nordlicht", **change} if change else wanted
        answer = send(visitor, "/sign-up/", values, host=BARE)
        assert list(answer.context["errors"]) == [field], change
        assert answer.context["values"]["person_name"] == values["person_name"]
        shown = answer.content.decode()
        assert values["password"] not in shown
        assert re.findall(r'<input [^>]*name="(\w+)"[^>]* autofocus', shown) == [field]
        assert "password_too_common" not in shown


def test_sign_up_is_not_offered_where_the_installation_does_not_want_it(visitor, settings):
    settings.BITVAULT_SIGN_UP_OPEN = False
    assert visitor.get("/sign-up/", headers={"host": BARE}).status_code == 403
    assert b"/sign-up/" not in visitor.get("/sign-in/", headers={"host": BARE}).content


def test_ones_sessions_are_shown_by_the_browsers_they_are(visitor):
    agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
    send(visitor, "/sign-in/", MIA, **{"User-Agent": agent})
    sessions = visitor.get("/settings/security/").context["sessions"]
    assert [(session["title"], session["facts"].current) for session in sessions] == [("Safari on macOS", True)]


def test_from_a_vault_one_comes_to_ones_other_vaults_without_a_password(visitor, acme):
    send(visitor, "/sign-in/", MIA)
    onward = visitor.get("/vaults/")
    assert onward["Location"].startswith("http://localhost")
    assert onward["Referrer-Policy"] == "origin"
    ticket = onward["Location"].partition("/enter/")[2]
    elsewhere = Client(headers={"host": BARE})
    answer = elsewhere.get(f"/enter/{ticket}", headers={"referer": f"http://{VAULT}/"})
    assert answer["Location"] == "/vaults/?stay=1"
    page = elsewhere.get("/vaults/?stay=1")
    assert [vault["host"].partition(".")[0] for vault in page.context["vaults"]] == ["acme"]


@pytest.mark.parametrize("referer", ["", "http://evil.example/", "http://nobody.localhost/", "http://[/"])
def test_the_bare_host_takes_a_ticket_from_a_vault_alone(visitor, referer):
    send(visitor, "/sign-in/", MIA)
    ticket = visitor.get("/vaults/")["Location"].partition("/enter/")[2]
    stranger = Client(headers={"host": BARE})
    assert stranger.get(f"/enter/{ticket}", headers={"referer": referer}).status_code == 401
    assert stranger.get("/vaults/")["Location"] == "/sign-in/"


def test_a_ticket_for_the_bare_host_opens_no_vault(visitor):
    send(visitor, "/sign-in/", MIA)
    ticket = visitor.get("/vaults/")["Location"].partition("/enter/")[2]
    stranger = Client(headers={"host": VAULT})
    assert stranger.get(f"/enter/{ticket}", headers={"referer": f"http://{BARE}/"}).status_code == 401


def test_who_is_not_signed_in_is_sent_to_sign_in_instead_of_to_other_vaults(visitor):
    assert visitor.get("/vaults/")["Location"] == "/sign-in/"
