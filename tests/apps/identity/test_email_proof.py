"""An address counts once it is proved: sign-up claims it, a code by mail proves it, and nobody learns who exists."""

import secrets
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.identity import api, codes, errors, models
from apps.identity.operations import emails, guesses
from apps.identity.operations import tenants as founding
from apps.identity.session_store import SessionStore
from bitvault.events.models import StreamEvent
from bitvault.jobs import calling
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import TooManyRequests
from tests.apps.identity.posting import deliver, read_code
from tests.support.world import PASSWORD

SECRET = "lantern over cold water"


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)


@pytest.fixture
def found(request, address):
    """Sign up; returns the tenant and its owner as they act there."""
    if request.node.get_closest_marker("committed") is None:
        request.getfixturevalue("db")

    def sign_up(email, *, slug=None, password=SECRET):
        slug = slug or f"newco-{secrets.token_hex(3)}"
        made = api.sign_up(slug=slug, name="Newco", email=email, password=password, person_name="Nora", address=address)
        tenant = api.find_tenant(tenant_id=made.tenant.id)
        return tenant, Actor(tenant=tenant, user_id=made.signed_in.user_id, role=Role.OWNER, address=address)

    return sign_up


def prove(actor, code):
    with tenancy.entered(actor.tenant):
        api.prove_email(actor=actor, code=code)


def send_again(actor):
    with tenancy.entered(actor.tenant):
        api.send_email_code(actor=actor)


def profile_of(actor):
    with tenancy.entered(actor.tenant):
        return api.get_profile(actor=actor)


def owner_of(email):
    return models.User.objects.filter(email=email).values_list("id", flat=True).first()


def wrong(code):
    return ("0" if code[0] != "0" else "1") + code[1:]


# --- claiming ----------------------------------------------------------------------------------------------------------------


def test_two_people_may_claim_one_address_and_neither_has_it(found, email):
    (_, first), (_, second) = found(email), found(email)
    assert first.user_id != second.user_id
    assert owner_of(email) is None


def test_who_only_claims_an_address_signs_in_at_their_own_vault_alone(found, email, address, acme):
    tenant, actor = found(email)
    signed_in = api.sign_in(email=email.upper(), password=SECRET, tenant=tenant, address=address)
    assert (signed_in.user_id, signed_in.email_proved) == (actor.user_id, False)
    for elsewhere in (None, acme):
        with pytest.raises(errors.InvalidCredentials):
            api.sign_in(email=email, password=SECRET, tenant=elsewhere, address=address)


def test_an_account_that_only_claims_is_not_let_into_other_vaults_by_the_address(found, email, acme, address):
    _, actor = found(email)
    added = api.add_member(tenant=acme, email=email, role=Role.MEMBER, password=PASSWORD)
    assert added.user.id != actor.user_id
    assert api.sign_in(email=email, password=PASSWORD, tenant=acme, address=address).user_id == added.user.id
    with pytest.raises(errors.InvalidCredentials):
        api.sign_in(email=email, password=SECRET, tenant=acme, address=address)


def test_who_has_the_address_comes_before_who_claims_it_in_one_vault(found, email, address):
    tenant, claiming = found(email)
    added = api.add_member(tenant=tenant, email=email, role=Role.MEMBER, password=PASSWORD)
    assert api.sign_in(email=email, password=PASSWORD, tenant=tenant, address=address).user_id == added.user.id
    assert added.user.id != claiming.user_id


def test_a_claim_makes_no_browser_known_for_the_account_that_has_the_address(found, person, address):
    """Else whoever signs up with an address gets guesses at its owner's password that no limit counts."""
    tenant, _ = found(person("mia").email)
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost", REMOTE_ADDR=address)
    assert client.post("/sign-in/", {"email": person("mia").email, "password": SECRET}).status_code == 302
    assert "known-browser" not in client.cookies


def test_every_account_of_before_has_its_address(db, person):
    assert owner_of(person("mia").email) == person("mia").user_id


# --- proving -----------------------------------------------------------------------------------------------------------------


def test_the_code_of_the_mail_proves_the_address(found, email, address, events):
    tenant, actor = found(email)
    (message,) = deliver()
    assert message.to == [email]
    prove(actor, read_code(message))
    assert owner_of(email) == actor.user_id
    assert api.sign_in(email=email, password=SECRET, tenant=None, address=address).email_proved
    assert events(tenant.id)[-1] == ("identity.email.proved.v1", {"user_id": str(actor.user_id)})


@pytest.mark.parametrize("spell", [str.lower, lambda code: f" {code[:4]}-{code[4:]} "], ids=["lower", "grouped"])
def test_a_code_may_be_typed_as_people_type(found, email, spell):
    _, actor = found(email)
    (message,) = deliver()
    prove(actor, spell(read_code(message)))
    assert owner_of(email) == actor.user_id


def test_no_code_and_no_address_stand_in_a_job_or_readable_in_a_row(found, email):
    found(email)
    (message,) = deliver()
    code = read_code(message)
    with connection.cursor() as cursor:
        for table in ("jobs_job", "identity_email_code"):
            cursor.execute(f"SELECT string_agg(row::text, ' ') FROM {table} AS row")
            assert code not in cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(row::text, ' ') FROM jobs_job AS row")
        assert email not in cursor.fetchone()[0]


def test_a_code_is_good_once(found, email):
    _, actor = found(email)
    (message,) = deliver()
    prove(actor, read_code(message))
    with pytest.raises(errors.InvalidCode):
        prove(actor, read_code(message))


def test_a_code_of_another_account_proves_nothing(found, email):
    """The owner of the mailbox cannot be made to prove it for a stranger, nor the other way round."""
    found(email)
    (message,) = deliver()
    _, stranger = found(email)
    with pytest.raises(errors.InvalidCode):
        prove(stranger, read_code(message))
    assert owner_of(email) is None


def test_guesses_are_counted_and_end_the_code(found, email):
    _, actor = found(email)
    (message,) = deliver()
    code = read_code(message)
    for _ in range(emails.GUESSES_LIMIT):
        with pytest.raises(errors.InvalidCode):
            prove(actor, wrong(code))
    with pytest.raises(errors.InvalidCode):
        prove(actor, code)


def test_a_code_expires(found, email, monkeypatch):
    _, actor = found(email)
    (message,) = deliver()
    later = clock.now() + emails.CODE_LIFETIME + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(errors.InvalidCode):
        prove(actor, read_code(message))
    emails.sweep_codes()
    assert not models.EmailCode.objects.exists()


def test_another_code_ends_the_one_before(found, email):
    _, actor = found(email)
    (first,) = deliver()
    send_again(actor)
    (second,) = deliver()
    with pytest.raises(errors.InvalidCode):
        prove(actor, read_code(first))
    prove(actor, read_code(second))
    with pytest.raises(errors.EmailProved):
        send_again(actor)


def test_codes_are_sent_again_a_few_times_an_hour(found, email):
    _, actor = found(email)
    for _ in range(emails.SENDINGS_LIMIT):
        send_again(actor)
    with pytest.raises(TooManyRequests):
        send_again(actor)


def test_nobody_is_flooded_with_mail_by_sign_ups(found, email, monkeypatch):
    monkeypatch.setattr(emails, "MAILS_LIMIT", 2)
    for _ in range(4):
        found(email)
    assert len(deliver()) == 2


@pytest.mark.committed
def test_of_two_that_prove_one_address_at_once_one_has_it(found, email):
    claiming = [found(email)[1] for _ in range(4)]
    by_code = [
        codes.derive(models.EmailCode.objects.get(user_id=actor.user_id).id, length=emails.CODE_LENGTH)
        for actor in claiming
    ]
    outcomes, ready = [], threading.Barrier(len(claiming))

    def attempt(actor, code):
        ready.wait(timeout=10)
        try:
            prove(actor, code)
            outcomes.append("proved")
        except errors.EmailTaken as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=pair) for pair in zip(claiming, by_code, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["identity.email_taken"] * 3 + ["proved"]
    assert models.User.objects.filter(email=email).count() == 1
    assert StreamEvent.objects.filter(type="identity.email.proved.v1").count() == 1


@pytest.mark.committed
def test_parallel_guesses_are_counted_each(found, email):
    _, actor = found(email)
    code = codes.derive(models.EmailCode.objects.get().id, length=emails.CODE_LENGTH)

    def guess():
        try:
            with pytest.raises(errors.InvalidCode):
                prove(actor, wrong(code))
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert models.EmailCode.objects.get().guess_count == 6


# --- who exists is not told ----------------------------------------------------------------------------------------------------


def test_signing_up_with_somebodys_address_looks_the_same_and_the_owner_is_told(found, person, email):
    shown = []
    for claimed in (email, person("mia").email):
        _, actor = found(claimed)
        shown.append(profile_of(actor).user.email_proved)
        with pytest.raises(errors.InvalidCode):
            prove(actor, "00000000")
    assert shown == [False, False]
    by_address = {message.to[0]: message for message in deliver()}
    assert read_code(by_address[email])
    told = by_address[person("mia").email]
    assert "tried to sign up" in told.body
    code = codes.derive(models.EmailCode.objects.get(email=person("mia").email).id, length=emails.CODE_LENGTH)
    assert code not in told.body
    assert owner_of(person("mia").email) == person("mia").user_id


def test_whoever_gives_the_right_password_gets_another_vault_of_their_account(found, person):
    tenant, actor = found(person("mia").email, password=PASSWORD)
    assert actor.user_id == person("mia").user_id
    assert tenant.slug in {one.slug for one in api.list_tenants_of_user(user_id=actor.user_id)}
    assert deliver() == []


def test_signing_up_computes_as_many_hashes_for_a_known_address_as_for_an_unknown_one(
    found, person, email, monkeypatch
):
    from apps.identity.hashing import BoundedArgon2PasswordHasher

    counts, done = [], []
    for name in ("encode", "verify"):
        original = getattr(BoundedArgon2PasswordHasher, name)
        monkeypatch.setattr(
            BoundedArgon2PasswordHasher,
            name,
            lambda self, *args, original=original: done.append(1) or original(self, *args),
        )
    for claimed in (email, person("mia").email):
        done.clear()
        found(claimed)
        counts.append(len(done))
    assert counts[0] == counts[1] > 0


def test_sign_ups_count_as_guesses_whoever_exists(found, person, email):
    for claimed in (email, person("mia").email):
        for _ in range(guesses.PAIR.limit):
            found(claimed)
        with pytest.raises(TooManyRequests):
            found(claimed)


@pytest.mark.committed
@pytest.mark.parametrize("whose", ["somebody's", "nobody's"])
def test_six_sign_ups_for_one_slug_at_once_tell_nothing(person, email, whose):
    claimed = person("mia").email if whose == "somebody's" else email
    outcomes, ready = [], threading.Barrier(6)

    def attempt(number):
        ready.wait(timeout=10)
        try:
            founding.sign_up(
                slug="wanted", name="W", email=claimed, password=SECRET, person_name="N", address=f"10.9.8.{number}"
            )
            outcomes.append("made")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            outcomes.append(getattr(error, "code", repr(error)))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["identity.slug_taken"] * 5 + ["made"]


# --- pages and REST ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def newcomer(found, email, address):
    """Somebody who has signed up and is signed in at their vault."""
    tenant, actor = found(email)
    store = SessionStore()
    signed_in = api.sign_in(email=email, password=SECRET, tenant=tenant, address=address)
    api.start_session(session=store, signed_in=signed_in, tenant=tenant, address=address, agent="Firefox")
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost", REMOTE_ADDR=address)
    client.cookies["session"] = store.session_key
    client.actor = actor
    return client


def test_the_pages_say_that_the_address_is_not_confirmed_until_it_is(newcomer, email):
    assert b"/verify-email/" in newcomer.get("/settings/").content
    assert b"/verify-email/" in newcomer.get("/files/").content
    (message,) = deliver()
    page = newcomer.get("/verify-email/").content.decode()
    assert email in page
    assert "Send the code again" in page
    refused = newcomer.post("/verify-email/", {"code": wrong(read_code(message))})
    assert refused.status_code == 422
    assert b'role="alert"' in refused.content
    assert newcomer.post("/verify-email/", {"code": read_code(message)}).status_code == 302
    assert b"is confirmed" in newcomer.get("/verify-email/").content
    assert b"/verify-email/" not in newcomer.get("/settings/").content


def test_the_page_sends_the_code_again(newcomer):
    deliver()
    answer = newcomer.post("/verify-email/", {"send": "1"})
    assert answer["Location"] == "/verify-email/?sent=1"
    assert b"on its way" in newcomer.get("/verify-email/?sent=1").content
    assert len(deliver()) == 1


def test_the_page_is_for_those_who_are_signed_in(db):
    client = Client(HTTP_HOST="acme.localhost")
    assert client.get("/verify-email/")["Location"].startswith("/sign-in/")


def rest(client, path, body):
    host = client.defaults["HTTP_HOST"]
    client.get("/settings/")
    headers = {"x-csrftoken": client.cookies["csrftoken"].value, "origin": f"http://{host}"}
    return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_over_rest_an_address_is_proved_by_session(newcomer):
    assert newcomer.get("/api/v1/me").json()["user"]["email_proved"] is False
    (message,) = deliver()
    wrong_one = rest(newcomer, "/auth/email/verify", {"code": wrong(read_code(message))})
    assert (wrong_one.status_code, wrong_one.json()["code"]) == (422, "identity.invalid_code")
    assert rest(newcomer, "/auth/email/send", {}).status_code == 202
    (message,) = deliver()
    assert rest(newcomer, "/auth/email/verify", {"code": read_code(message)}).status_code == 204
    assert newcomer.get("/api/v1/me").json()["user"]["email_proved"] is True
    assert rest(newcomer, "/auth/email/send", {}).json()["code"] == "identity.email_proved"


def test_a_stranger_proves_nothing(db):
    answer = Client(HTTP_HOST="acme.localhost").post(
        "/api/v1/auth/email/verify", {"code": "00000000"}, content_type="application/json"
    )
    assert answer.status_code == 401


# --- the language of mails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "of_vault"), [("de", ""), ("", "de"), ("de", "en")])
def test_mails_are_written_in_the_language_of_who_reads_them_or_of_their_vault(found, email, own, of_vault, mailoutbox):
    _, owner = found(email)
    models.User.objects.filter(id=owner.user_id).update(locale=own)
    models.Tenant.objects.filter(id=owner.tenant.id).update(locale=of_vault)
    send_again(owner)
    deliver()
    assert mailoutbox[-1].subject == "Bestätigen Sie Ihre E-Mail-Adresse"
