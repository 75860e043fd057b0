"""Inviting people into a tenant: who may, what is sent, and how it is accepted."""

import json
import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.identity import api, errors, models
from apps.identity.operations import accepting, invitations
from bitvault.jobs import calling
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Role, Scope, ScopeMissing
from bitvault.kernel.errors import Forbidden, NotFound, TooManyRequests
from tests.apps.identity.posting import deliver, read_invitation_code
from tests.support.world import ACME, BETA, PASSWORD

GOOD = "a sentence that nobody else has"
BARE = "localhost"


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)


@pytest.fixture(autouse=True)
def _roomy(monkeypatch):
    """All tests invite into one tenant; how often is a test of its own."""
    monkeypatch.setattr(invitations, "TENANT_LIMIT", 100_000)
    monkeypatch.setattr(invitations, "MAILS_LIMIT", 1000)


@pytest.fixture
def invited(db, acme, make_actor):
    """Invite an address; returns the invitation, the code of its mail, and the mail."""

    def invite(email, *, by="adam", role=Role.MEMBER, message=""):
        with tenancy.entered(acme):
            made = api.invite(actor=make_actor(by), email=email, role=role, message=message)
        (letter,) = deliver()
        return made, read_invitation_code(letter), letter

    return invite


# --- inviting --------------------------------------------------------------------------------------------------------------


def test_an_invitation_is_written_to_its_address_and_only_its_hash_is_kept(invited, email, events):
    made, code, letter = invited(email.upper(), message="We need you.\nAdam")
    assert letter.to == [email]
    assert letter.subject == "You are invited to Acme"
    assert "Adam (adam@acme.test)" in letter.body
    assert "We need you.\nAdam" in letter.body
    assert (made.email, made.role, made.state, made.invited_by.name) == (email, Role.MEMBER, "pending", "Adam")
    assert made.expires_at - made.sent_at == timedelta(days=7)
    row = models.Invitation.objects.get(pk=made.id)
    assert code not in str(row.__dict__)
    assert events(ACME.id) == [
        ("identity.invitation.created.v1", {"invitation_id": str(made.id), "role": "member"}),
    ]
    assert email not in str([job.payload for job in Job.objects.all()])


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_who_does_not_administer_neither_invites_nor_sees_who_is_invited(tenant, invited, make_actor, email, name):
    made, *_ = invited(email)
    for act in (
        lambda actor: api.invite(actor=actor, email="x@elsewhere.test", role=Role.VIEWER),
        lambda actor: api.list_invitations(actor=actor),
        lambda actor: api.resend_invitation(actor=actor, invitation_id=made.id),
        lambda actor: api.withdraw_invitation(actor=actor, invitation_id=made.id),
    ):
        with pytest.raises(Forbidden):
            act(make_actor(name))
        with pytest.raises(ScopeMissing):
            act(replace(make_actor("adam"), scopes=frozenset({Scope.FILES_READ})))


def test_an_administrator_makes_no_owner_and_touches_no_invitation_of_one(tenant, invited, make_actor, email):
    with pytest.raises(errors.RoleTooStrong):
        api.invite(actor=make_actor("adam"), email=email, role=Role.OWNER)
    made, *_ = invited(email, by="olga", role=Role.OWNER)
    with pytest.raises(errors.RoleTooStrong):
        api.resend_invitation(actor=make_actor("adam"), invitation_id=made.id)
    with pytest.raises(errors.RoleTooStrong):
        api.withdraw_invitation(actor=make_actor("adam"), invitation_id=made.id)


def test_somebody_who_only_claims_an_address_sends_no_mail_to_others(tenant, make_actor, person, email):
    models.User.objects.filter(pk=person("adam").user_id).update(email=None, claimed_email="adam@acme.test")
    with pytest.raises(errors.EmailNotProved):
        api.invite(actor=make_actor("adam"), email=email, role=Role.MEMBER)
    assert deliver() == []


def test_a_member_and_an_invited_address_are_not_invited_again(tenant, invited, make_actor, email):
    made, *_ = invited(email)
    with pytest.raises(errors.AlreadyInvited) as refused:
        api.invite(actor=make_actor("adam"), email=email, role=Role.VIEWER)
    assert refused.value.facts == {"invitation_id": made.id}
    with pytest.raises(errors.AlreadyMember):
        api.invite(actor=make_actor("adam"), email="MIA@acme.test", role=Role.VIEWER)
    assert api.invite(actor=make_actor("adam"), email=email, role=Role.MEMBER) == made
    assert deliver() == []


def test_inviting_an_account_of_another_tenant_reads_like_inviting_nobody(invited, email):
    known, _, letter = invited(BETA.people["mona"].email)
    unknown, _, other = invited(email)
    blank = {"id": None, "email": None, "created_at": None, "sent_at": None, "expires_at": None}
    assert replace(known, **blank) == replace(unknown, **blank)
    assert letter.subject == other.subject


def test_a_message_is_text_and_not_long(tenant, make_actor, email):
    for message in ("x" * 501, "bell\a"):
        with pytest.raises(errors.InvalidLabel):
            api.invite(actor=make_actor("adam"), email=email, role=Role.MEMBER, message=message)


def test_markup_in_a_message_stays_text(invited, email):
    *_, letter = invited(email, message="<img src=x>")
    html = letter.alternatives[0][0]
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_a_tenant_sends_so_many_an_hour_and_to_one_address_fewer(tenant, make_actor, email, monkeypatch):
    monkeypatch.setattr(invitations, "MAILS_LIMIT", 2)
    made = api.invite(actor=make_actor("adam"), email=email, role=Role.MEMBER)
    api.resend_invitation(actor=make_actor("adam"), invitation_id=made.id)
    with pytest.raises(TooManyRequests):
        api.resend_invitation(actor=make_actor("adam"), invitation_id=made.id)


def test_an_invitation_that_is_sent_again_has_another_code_and_seven_days_more(
    tenant, invited, make_actor, email, address
):
    made, code, _ = invited(email)
    models.Invitation.objects.filter(pk=made.id).update(expires_at=clock.now() - timedelta(hours=1))
    (listed,) = api.list_invitations(actor=make_actor("adam")).items
    assert listed.state == "expired"
    again = api.resend_invitation(actor=make_actor("adam"), invitation_id=made.id)
    assert again.state == "pending"
    (letter,) = deliver()
    fresh = read_invitation_code(letter)
    assert fresh != code
    with pytest.raises(errors.InvalidInvitation):
        api.open_invitation(code=code, address=address)
    assert api.open_invitation(code=fresh, address=address).email == email


def test_an_invitation_of_another_tenant_is_not_found(tenant, invited, make_actor, email):
    made, *_ = invited(email)
    models.Invitation.objects.filter(pk=made.id).update(tenant_id=BETA.id)
    for act in (api.resend_invitation, api.withdraw_invitation):
        with pytest.raises(NotFound):
            act(actor=make_actor("adam"), invitation_id=made.id)


def test_invitations_are_swept_a_week_after_their_end(invited, email):
    made, *_ = invited(email)
    for age, stays in ((timedelta(days=6), True), (timedelta(days=8), False)):
        models.Invitation.objects.filter(pk=made.id).update(expires_at=clock.now() - age)
        invitations.sweep()
        assert models.Invitation.objects.filter(pk=made.id).exists() is stays


# --- accepting -------------------------------------------------------------------------------------------------------------


def test_somebody_new_comes_in_with_a_proved_address(invited, email, address, acme, events):
    made, code, _ = invited(email, role=Role.VIEWER)
    opened = api.open_invitation(code=code.lower(), address=address)
    assert (opened.tenant.slug, opened.email, opened.invited_by, opened.has_account) == ("acme", email, "Adam", False)
    accepted = api.accept_invitation_by_password(code=code, name="Nina", password=GOOD, address=address)
    assert [here.slug for here in accepted.tenants] == ["acme"]
    person = models.User.objects.get(email=email)
    assert (person.name, person.claimed_email) == ("Nina", None)
    assert api.sign_in(email=email, password=GOOD, tenant=acme, address=address)
    assert events(ACME.id)[1:] == [
        ("identity.member.added.v1", {"user_id": str(person.id), "role": "viewer"}),
        ("identity.invitation.accepted.v1", {"invitation_id": str(made.id), "user_id": str(person.id)}),
    ]
    with pytest.raises(errors.InvalidInvitation):
        api.accept_invitation_by_password(code=code, name="Nina", password=GOOD, address=address)


def test_somebody_new_needs_a_name_and_a_good_password_and_the_code_stays_good(invited, email, address):
    _, code, _ = invited(email)
    with pytest.raises(errors.InvalidLabel):
        api.accept_invitation_by_password(code=code, name=" ", password=GOOD, address=address)
    with pytest.raises(errors.WeakPassword):
        api.accept_invitation_by_password(code=code, name="Nina", password="short", address=address)
    assert api.accept_invitation_by_password(code=code, name="Nina", password=GOOD, address=address)


def test_somebody_known_comes_in_by_their_own_password_alone(invited, address, beta):
    mona = BETA.people["mona"]
    _, code, _ = invited(mona.email)
    assert api.open_invitation(code=code, address=address).has_account
    with pytest.raises(errors.InvalidCredentials):
        api.accept_invitation_by_password(code=code, name="Mona", password=GOOD, address=address)
    accepted = api.accept_invitation_by_password(code=code, name="ignored", password=PASSWORD, address=address)
    assert accepted.user_id == mona.user_id
    assert [one.slug for one in api.list_tenants_of_user(user_id=mona.user_id)] == ["acme", "beta"]
    assert models.User.objects.get(pk=mona.user_id).name == "Mona"


def test_guessing_the_password_of_an_invited_account_is_counted_like_signing_in(invited, address):
    from apps.identity.operations import guesses

    mona = BETA.people["mona"]
    _, code, _ = invited(mona.email)
    for _ in range(guesses.PAIR.limit):
        with pytest.raises(errors.InvalidCredentials):
            api.accept_invitation_by_password(code=code, name="", password="guess", address=address)
    with pytest.raises(TooManyRequests):
        api.accept_invitation_by_password(code=code, name="", password=PASSWORD, address=address)


def test_who_is_signed_in_with_another_address_does_not_come_in(invited, signed_in, email, address):
    _, code, _ = invited(email)
    with pytest.raises(errors.InvalidCredentials):
        api.accept_invitation_as_browser(code=code, signed_in=signed_in("mona"), address=address)
    assert models.Invitation.objects.filter(email=email).exists()


def test_an_account_that_only_claims_the_invited_address_is_not_let_in(invited, address, email):
    """A stranger may have signed up with it; the mail reached who reads the mailbox."""
    models.User.objects.filter(pk=BETA.people["mona"].user_id).update(email=None, claimed_email=email)
    _, code, _ = invited(email)
    assert not api.open_invitation(code=code, address=address).has_account
    accepted = api.accept_invitation_by_password(code=code, name="Nina", password=GOOD, address=address)
    assert accepted.user_id != BETA.people["mona"].user_id


@pytest.mark.parametrize("change", [{"expires_at": clock.now()}, {}])
def test_expired_withdrawn_and_unknown_codes_read_the_same(tenant, invited, make_actor, email, address, change):
    made, code, _ = invited(email)
    if change:
        models.Invitation.objects.filter(pk=made.id).update(**change)
    else:
        api.withdraw_invitation(actor=make_actor("adam"), invitation_id=made.id)
    for tried in (code, "0" * 26, "", "\0", "x" * 3000):
        with pytest.raises(errors.InvalidInvitation):
            api.open_invitation(code=tried, address=address)
        with pytest.raises(errors.InvalidInvitation):
            api.accept_invitation_by_password(code=tried, name="Nina", password=GOOD, address=address)


def test_nobody_comes_into_a_suspended_tenant(invited, email, address):
    _, code, _ = invited(email)
    models.Tenant.objects.filter(pk=ACME.id).update(state="suspended")
    with pytest.raises(errors.InvalidInvitation):
        api.accept_invitation_by_password(code=code, name="Nina", password=GOOD, address=address)


def test_wrong_codes_are_counted_and_right_ones_are_not(invited, email, address, monkeypatch):
    monkeypatch.setattr(accepting, "TRIES_LIMIT", 5)
    _, code, _ = invited(email)
    for _ in range(8):
        api.open_invitation(code=code, address=address)
    for _ in range(5):
        with pytest.raises(errors.InvalidInvitation):
            api.open_invitation(code="0" * 26, address=address)
    with pytest.raises(TooManyRequests):
        api.open_invitation(code=code, address=address)


@pytest.mark.committed
def test_of_two_who_use_one_code_at_once_one_comes_in(acme, make_actor, address, email):
    with tenancy.entered(acme):
        api.invite(actor=make_actor("adam"), email=email, role=Role.MEMBER)
        (letter,) = deliver()
    code = read_invitation_code(letter)
    outcomes = []

    def accept(name):
        try:
            api.accept_invitation_by_password(code=code, name=name, password=GOOD, address=address)
            outcomes.append("in")
        except (errors.InvalidInvitation, errors.InvalidCredentials):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=(name,)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused"]
    assert models.User.objects.filter(email=email).count() == 1


# --- over REST and in the browser --------------------------------------------------------------------------------------------


def post(client, path, body, **headers):
    return client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=headers)


def test_the_routes_invite_list_send_again_and_withdraw(db, email):
    client = Client(headers={"host": "acme.localhost", "authorization": f"Bearer {ACME.people['adam'].token}"})
    bodies = [post(client, "/invitations", {"email": email, "role": "member", "message": "Hello"}) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in bodies] == [(201, bodies[0].json())] * 2
    assert len(deliver()) == 1
    made = bodies[0]
    invitation_id = made.json()["id"]
    assert [one["id"] for one in client.get("/api/v1/invitations").json()["items"]] == [invitation_id]
    assert post(client, f"/invitations/{invitation_id}/resend", {}).status_code == 200
    assert client.delete(f"/api/v1/invitations/{invitation_id}").status_code == 204
    assert client.delete(f"/api/v1/invitations/{invitation_id}").status_code == 404


def test_the_public_routes_show_and_accept(db, invited, email, address):
    _, code, _ = invited(email)
    client = Client(REMOTE_ADDR=address, headers={"host": BARE})
    assert client.get(f"/api/v1/public/invitations/{code}").json()["email"] == email
    assert client.get("/api/v1/public/invitations/wrong").json()["code"] == "identity.invalid_invitation"
    assert post(client, f"/public/invitations/{code}", {}).status_code == 401
    accepted = post(client, f"/public/invitations/{code}", {"name": "Nina", "password": GOOD})
    assert accepted.status_code == 201
    assert [one["slug"] for one in accepted.json()["tenants"]] == ["acme"]


def test_a_member_of_another_tenant_accepts_with_their_credential(db, invited, address):
    mona = BETA.people["mona"]
    _, code, _ = invited(mona.email)
    client = Client(REMOTE_ADDR=address, headers={"host": BARE, "authorization": f"Bearer {mona.token}"})
    assert post(client, f"/public/invitations/{code}", {}).status_code == 201
    assert models.Membership.objects.filter(tenant_id=ACME.id, user_id=mona.user_id).exists()


def send_form(client, values):
    page = client.get("/invitation/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.content)
    return client.post("/invitation/", {**values, "csrfmiddlewaretoken": token[1].decode()})


def test_the_page_takes_the_code_out_of_the_address_before_it_shows_anything(invited, email, address):
    _, code, _ = invited(email)
    browser = Client(REMOTE_ADDR=address, headers={"host": BARE}, enforce_csrf_checks=True)
    answer = browser.get(f"/invitation/?code={code}")
    assert (answer.status_code, answer["Location"], answer.content) == (302, "/invitation/", b"")
    page = browser.get("/invitation/")
    assert "Join Acme" in page.content.decode()
    assert code not in page.content.decode()
    done = send_form(browser, {"name": "Nina", "password": GOOD})
    assert done["Location"] == f"/vaults/?open={ACME.id}"
    assert browser.cookies["invitation"].value == ""
    assert browser.get("/vaults/").status_code == 200


def test_who_is_signed_in_with_the_invited_address_only_accepts(invited, address):
    mona = BETA.people["mona"]
    _, code, _ = invited(mona.email)
    browser = Client(REMOTE_ADDR=address, headers={"host": BARE})
    browser.post("/sign-in/", {"email": mona.email, "password": PASSWORD})
    browser.get(f"/invitation/?code={code}")
    page = browser.get("/invitation/").content.decode()
    assert 'name="password"' not in page
    assert browser.post("/invitation/", {})["Location"] == f"/vaults/?open={ACME.id}"


def test_the_page_says_what_is_wrong_beside_its_field(invited, email, address):
    _, code, _ = invited(email)
    browser = Client(REMOTE_ADDR=address, headers={"host": BARE})
    browser.get(f"/invitation/?code={code}")
    weak = browser.post("/invitation/", {"name": "Nina", "password": "short"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.content.decode()
    assert "Nina" in weak.content.decode()


def test_the_page_of_a_code_that_is_not_good_any_more_leads_to_signing_in(db, address):
    browser = Client(REMOTE_ADDR=address, headers={"host": BARE})
    browser.get("/invitation/?code=wrong")
    page = browser.get("/invitation/")
    assert page.status_code == 404
    assert 'href="/sign-in/"' in page.content.decode()
