from datetime import timedelta

import pytest

from apps.identity import api, errors, models
from apps.identity.operations import guesses
from apps.identity.session_store import SessionStore
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import ALL_SCOPES, Role
from bitvault.kernel.errors import TooManyRequests
from tests.support.world import ACME, BETA, PASSWORD

NEW = "another sentence of my own"


def act(store, tenant, address):
    return api.find_actor_by_session(session=SessionStore(store.session_key), tenant=tenant, address=address)


def change(actor, *, current=PASSWORD, new=NEW):
    with tenancy.entered(actor.tenant):
        api.change_password(actor=actor, current_password=current, new_password=new)


def test_the_new_password_opens_and_the_old_one_does_not(browser, acme, address, person):
    change(act(browser("mia", acme), acme, address))
    assert api.sign_in(email=person("mia").email, password=NEW, tenant=acme, address=address)
    with pytest.raises(errors.InvalidCredentials):
        api.sign_in(email=person("mia").email, password=PASSWORD, tenant=acme, address=address)


def test_all_other_sessions_and_tokens_end_in_every_tenant(browser, acme, beta, address, person):
    api.add_member(tenant=beta, email=person("mia").email, role=Role.MEMBER)
    here, elsewhere, in_beta = browser("mia", acme), browser("mia", acme), browser("mia", beta)
    colleague = browser("adam", acme)
    change(act(here, acme, address))
    assert act(here, acme, address) is not None
    assert act(elsewhere, acme, address) is None
    assert act(in_beta, beta, address) is None
    assert act(colleague, acme, address) is not None
    with pytest.raises(errors.InvalidToken):
        api.get_actor_by_token(text=person("mia").token, address=None)
    api.get_actor_by_token(text=person("adam").token, address=None)


def test_a_token_that_changes_it_stays_and_no_other(tenant, make_actor, person, address):
    actor = make_actor("mia", address=address)
    other = api.create_token(actor=actor, name="x", scopes=ALL_SCOPES, expires_at=clock.now() + timedelta(days=1))
    change(actor)
    api.get_actor_by_token(text=person("mia").token, address=None)
    with pytest.raises(errors.InvalidToken):
        api.get_actor_by_token(text=other.token, address=None)


def test_each_tenant_is_told_of_the_change_and_of_what_ended_there(browser, acme, beta, address, person, events):
    api.add_member(tenant=beta, email=person("mia").email, role=Role.MEMBER)
    browser("mia", beta)
    here = browser("mia", acme)
    browser("mia", acme)
    in_acme, in_beta = len(events(ACME.id)), len(events(BETA.id))
    change(act(here, acme, address))
    assert [type_ for type_, _ in events(ACME.id)[in_acme:]] == [
        "identity.session.ended.v1",
        "identity.token.revoked.v1",
        "identity.password.changed.v1",
    ]
    assert [type_ for type_, _ in events(BETA.id)[in_beta:]] == [
        "identity.session.ended.v1",
        "identity.password.changed.v1",
    ]


def test_a_wrong_current_password_changes_nothing_and_is_a_guess(tenant, make_actor, address):
    actor = make_actor("vera", address=address)
    for _ in range(guesses.PAIR.limit):
        with pytest.raises(errors.InvalidCredentials):
            change(actor, current="wrong")
    with pytest.raises(TooManyRequests):
        change(actor)
    assert models.User.objects.get(pk=actor.user_id).check_password(PASSWORD)


@pytest.mark.parametrize("new", ["", "short", "password123", "mia@acme.test", "x" * 1025])
def test_a_weak_new_one_is_refused(tenant, make_actor, address, new):
    with pytest.raises(errors.WeakPassword):
        change(make_actor("mia", address=address), new=new)


def test_of_two_changes_with_one_proof_the_second_one_fails(tenant, make_actor, address):
    from apps.identity.operations import passwords

    person = models.User.objects.get(pk=make_actor("mia").user_id)
    passwords.replace(person=person, new_password=NEW, by=None)
    with pytest.raises(errors.InvalidCredentials):
        passwords.replace(person=person, new_password="a third sentence, too late", by=None)


# --- by an operator, on the command line -----------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch):
    """Run the command, answering its questions for a password in turn."""
    from django.core.management import call_command

    def change_by_command(email, *typed):
        answers = iter(typed)
        monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
        call_command("changepassword", email)

    return change_by_command


def test_the_command_ends_what_the_old_password_opened(run, browser, acme, address, person, events):
    here, before = browser("mia", acme), len(events(ACME.id))
    run(person("mia").email, NEW, NEW)
    assert act(here, acme, address) is None
    with pytest.raises(errors.InvalidToken):
        api.get_actor_by_token(text=person("mia").token, address=None)
    assert api.sign_in(email=person("mia").email, password=NEW, tenant=acme, address=address)
    assert [type_ for type_, _ in events(ACME.id)[before:]] == [
        "identity.session.ended.v1",
        "identity.token.revoked.v1",
        "identity.password.changed.v1",
    ]


@pytest.mark.parametrize(
    ("email", "typed", "reason"),
    [
        ("mia@acme.test", (NEW, "something else entirely"), "not the same"),
        ("mia@acme.test", ("short", "short"), "password"),
        ("nobody@acme.test", (NEW, NEW), "nobody@acme.test"),
    ],
)
def test_the_command_changes_nothing_when_it_cannot(run, db, email, typed, reason):
    from django.core.management import CommandError

    with pytest.raises(CommandError, match=reason):
        run(email, *typed)
    assert models.User.objects.get(email="mia@acme.test").check_password(PASSWORD)
