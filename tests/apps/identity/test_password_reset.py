"""Forgotten passwords, and the mails that tell people of a changed password and of a browser that was not known."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.identity import api, errors, models
from apps.identity.operations import emails, resets
from apps.identity.session_store import SessionStore
from bitvault.jobs import calling
from bitvault.jobs.models import Job
from bitvault.kernel import clock
from bitvault.kernel.errors import TooManyRequests
from tests.apps.identity.posting import deliver, read_code
from tests.support.world import ACME, PASSWORD

NEW = "another sentence of my own"
VAULT = "acme.localhost"


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)


@pytest.fixture(autouse=True)
def _roomy(monkeypatch):
    """Each test asks for the world's people; how often is a test of its own."""
    monkeypatch.setattr(resets, "MAILS_LIMIT", 1000)


@pytest.fixture
def client(db, address):
    return Client(HTTP_HOST=VAULT, REMOTE_ADDR=address)


def post(client, path, body):
    return client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def ask(email, address):
    api.ask_for_password_reset(email=email, address=address)
    return [read_code(message, length=resets.CODE_LENGTH) for message in deliver()]


def test_the_code_of_the_mail_gives_another_password_and_ends_all_that_was_open(browser, acme, address, person):
    mia = person("mia")
    store = browser("mia", acme)
    (code,) = ask(mia.email, address)
    api.reset_password(code=code, new_password=NEW, address=address)
    assert api.sign_in(email=mia.email, password=NEW, tenant=acme, address=address)
    with pytest.raises(errors.InvalidCredentials):
        api.sign_in(email=mia.email, password=PASSWORD, tenant=acme, address=address)
    session = SessionStore(store.session_key)
    assert api.find_actor_by_session(session=session, tenant=acme, address=address) is None
    with pytest.raises(errors.InvalidToken):
        api.get_actor_by_token(text=mia.token, address=address)


@pytest.mark.usefixtures("lasting_memory")
def test_known_and_unknown_get_one_answer_after_the_same_statements(client, person, email):
    """The work is the same, so that time tells nothing either; only the job finds that there is nobody to write to."""
    answers, counts = [], []
    client.get("/sign-in/")  # from here on the host is remembered
    for who in (person("mia").email, email, "no address at all"):
        with CaptureQueriesContext(connection) as sent:
            answer = post(client, "/auth/password/forgot", {"email": who})
        answers.append((answer.status_code, answer.content))
        counts.append(len(sent))
    assert counts[0] == counts[1] > 0
    assert set(answers) == {(202, b"")}
    assert Job.objects.filter(kind="mail.send").count() == 3
    assert [message.to for message in deliver()] == [[person("mia").email]]


def test_a_code_is_good_once_and_not_after_its_hour(db, person, address, monkeypatch):
    (code,) = ask(person("mia").email, address)
    (late,) = ask(person("adam").email, address)
    api.reset_password(code=code, new_password=NEW, address=address)
    with pytest.raises(errors.InvalidCode):
        api.reset_password(code=code, new_password=NEW, address=address)
    later = clock.now() + resets.CODE_LIFETIME + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(errors.InvalidCode):
        api.reset_password(code=late, new_password=NEW, address=address)


def test_a_new_password_ends_all_codes_that_were_to_reset_the_old_one(db, person, address):
    (first,), (second,) = ask(person("mia").email, address), ask(person("mia").email, address)
    api.reset_password(code=first, new_password=NEW, address=address)
    with pytest.raises(errors.InvalidCode):
        api.reset_password(code=second, new_password=NEW, address=address)


def test_a_weak_password_leaves_the_code_good(db, person, address):
    (code,) = ask(person("mia").email, address)
    with pytest.raises(errors.WeakPassword):
        api.reset_password(code=code, new_password="password123", address=address)
    api.reset_password(code=code, new_password=NEW, address=address)


def test_a_code_that_proves_an_address_resets_no_password(db, person, address):
    from apps.identity import codes

    made = api.sign_up(slug="newco", name="N", email="n@newco.test", password=NEW, person_name="N", address=address)
    sent = models.EmailCode.objects.get(user_id=made.signed_in.user_id)
    code = codes.derive(sent.id, length=emails.CODE_LENGTH)
    with pytest.raises(errors.InvalidCode):
        api.reset_password(code=code, new_password=NEW, address=address)


def test_who_only_claims_an_address_gets_no_code_there(db, address, email):
    api.sign_up(slug="newco", name="N", email=email, password=NEW, person_name="N", address=address)
    deliver()
    assert ask(email, address) == []


def test_somebody_who_is_shut_out_gets_no_code(db, address, person):
    models.User.objects.filter(pk=person("mia").user_id).update(is_active=False)
    assert ask(person("mia").email, address) == []


def test_asking_is_limited_whoever_exists(db, email, address, monkeypatch):
    monkeypatch.setattr(resets, "MAILS_LIMIT", 2)
    known = f"known-{email}"
    models.User.objects.create(email=known)
    for who in (email, known):
        for _ in range(2):
            api.ask_for_password_reset(email=who, address=address)
        with pytest.raises(TooManyRequests):
            api.ask_for_password_reset(email=who.upper(), address=address)


def test_wrong_codes_are_counted_and_right_ones_are_not(db, person, address, monkeypatch):
    monkeypatch.setattr(resets, "TRIES_LIMIT", 2)
    (code,) = ask(person("mia").email, address)
    for _ in range(3):
        with pytest.raises(errors.WeakPassword):
            api.reset_password(code=code, new_password="short", address=address)
    for _ in range(2):
        with pytest.raises(errors.InvalidCode):
            api.reset_password(code="0" * 26, new_password=NEW, address=address)
    with pytest.raises(TooManyRequests):
        api.reset_password(code=code, new_password=NEW, address=address)


@pytest.mark.committed
def test_of_two_resets_with_one_code_one_happens(person, address):
    (code,) = ask(person("mia").email, address)
    outcomes, ready = [], threading.Barrier(3)

    def attempt(number):
        ready.wait(timeout=10)
        try:
            api.reset_password(code=code, new_password=f"{NEW} {number}", address=address)
            outcomes.append("reset")
        except errors.InvalidCode as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["identity.invalid_code"] * 2 + ["reset"]


# --- pages and REST ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [VAULT, "localhost"])
def test_the_pages_lead_from_the_forgotten_password_to_the_new_one(client, person, host):
    client.defaults["HTTP_HOST"] = host
    assert b'href="/forgot-password/"' in client.get("/sign-in/").content
    assert client.post("/forgot-password/", {"email": person("mia").email})["Location"] == "/forgot-password/?sent=1"
    assert b"If an account has this address" in client.get("/forgot-password/?sent=1").content
    (message,) = deliver()
    code = read_code(message, length=resets.CODE_LENGTH)
    assert f"/reset-password/?code={code}" in message.body
    page = client.get("/reset-password/", {"code": code})
    assert code in page.content.decode()
    # With "no-referrer" a browser would send the form with `Origin: null`, which is refused.
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "same-origin")
    weak = client.post("/reset-password/", {"code": code, "new_password": "password123"})
    assert weak.status_code == 422
    assert b"password-error" in weak.content
    assert client.post("/reset-password/", {"code": code, "new_password": NEW})["Location"] == "/sign-in/?reset=1"
    assert b"Your password is changed" in client.get("/sign-in/?reset=1").content
    again = client.post("/reset-password/", {"code": code, "new_password": NEW})
    assert again.status_code == 422
    assert b'href="/forgot-password/"' in again.content


def test_over_rest_a_password_is_reset(client, person):
    post(client, "/auth/password/forgot", {"email": person("mia").email})
    (message,) = deliver()
    body = {"code": read_code(message, length=resets.CODE_LENGTH), "new_password": NEW}
    assert post(client, "/auth/password/reset", {**body, "code": "0" * 26}).json()["code"] == "identity.invalid_code"
    assert post(client, "/auth/password/reset", body).status_code == 204
    assert post(client, "/auth/login", {"email": person("mia").email, "password": NEW}).status_code == 200


# --- notices -----------------------------------------------------------------------------------------------------------------


def test_a_changed_password_is_told_by_mail(db, person, address):
    (code,) = ask(person("mia").email, address)
    api.reset_password(code=code, new_password=NEW, address=address)
    (message,) = deliver()
    assert message.to == [person("mia").email]
    assert "was changed" in message.subject
    assert NEW not in message.body


def test_a_browser_that_was_not_known_is_told_by_mail_and_a_known_one_is_not(client, person):
    mia = {"email": person("mia").email, "password": PASSWORD}
    assert client.post("/sign-in/", mia, headers={"user-agent": "Firefox <9>"}).status_code == 302
    (message,) = deliver()
    assert message.to == [ACME.people["mia"].email]
    assert "Firefox <9>" in message.body
    assert "Firefox &lt;9&gt;" in message.alternatives[0][0]
    client.cookies.pop("session")
    assert client.post("/sign-in/", mia).status_code == 302
    assert post(client, "/auth/login", mia).status_code in (200, 403)
    assert deliver() == []


def test_signing_out_at_once_does_not_keep_the_mail_from_leaving(client, person):
    client.post("/sign-in/", {"email": person("mia").email, "password": PASSWORD})
    client.post("/sign-out/")
    (message,) = deliver()
    assert "new browser" in message.subject.lower()
