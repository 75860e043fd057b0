"""No credential outlives what it was made by: what is made beside a change of password or a removal is seen by it, or refused."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from apps.identity import api, errors, models, queries
from apps.identity.operations import passwords, standing
from apps.identity.session_store import SessionStore
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import ALL_SCOPES, Role
from bitvault.kernel.errors import Unauthenticated
from tests.support.world import ACME, PASSWORD

NEW = "another sentence of my own"
SOON = timedelta(days=30)


def make_token(actor):
    with tenancy.entered(actor.tenant):
        return api.create_token(actor=actor, name="beside", scopes=ALL_SCOPES, expires_at=clock.now() + SOON)


def works(token) -> bool:
    queries.forget_remembered()
    try:
        api.get_actor_by_token(text=token.token, address=None)
    except errors.InvalidToken:
        return False
    return True


def change_password(actor):
    passwords.replace(person=models.User.objects.get(pk=actor.user_id), new_password=NEW, by=None)


def in_thread(act):
    """Run something in a thread of its own; gives the thread and what it returned or raised."""
    done = []

    def run():
        try:
            done.append(act())
        except Exception as error:  # noqa: BLE001 - handed to the test
            done.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, done


@pytest.fixture
def pause(monkeypatch):
    """Stop whoever asks a question of ``standing`` once it is answered, with its locks held: ``there`` is set then, ``on`` lets it go on."""
    there, on = threading.Event(), threading.Event()

    def stop_after(name):
        ask = getattr(standing, name)

        def ask_and_wait(*args, **kwargs):
            answer = ask(*args, **kwargs)
            there.set()
            assert on.wait(20)
            return answer

        monkeypatch.setattr(standing, name, ask_and_wait)
        return there, on

    return stop_after


@pytest.mark.committed
@pytest.mark.parametrize("how", ["change of password", "removal"])
def test_what_takes_rights_away_waits_for_a_token_that_is_being_made_and_ends_it(actor, acme, pause, how):
    there, on = pause("lock_credential")
    making, made = in_thread(lambda: make_token(actor))
    assert there.wait(20)
    take_away = {
        "change of password": lambda: change_password(actor),
        "removal": lambda: api.remove_member(tenant=acme, user_id=actor.user_id),
    }[how]
    taking, taken = in_thread(take_away)
    taking.join(0.3)
    waited = taking.is_alive()
    on.set()
    making.join()
    taking.join()
    assert (waited, taken) == (True, [None])
    assert models.ApiToken.objects.get(pk=made[0].id).revoked_at is not None
    assert not works(made[0])


@pytest.mark.committed
def test_a_removal_waits_for_a_session_that_is_being_started_and_ends_it(person, acme, pause):
    mia = person("mia")
    signed_in = api.sign_in(email=mia.email, password=PASSWORD, tenant=acme, address="192.0.2.77")
    there, on = pause("is_member")
    store = SessionStore()

    def start():
        with tenancy.entered(acme):
            return api.start_session(
                session=store, signed_in=signed_in, tenant=acme, address="192.0.2.77", agent="Firefox"
            )

    starting, started = in_thread(start)
    assert there.wait(20)
    removing, removed = in_thread(lambda: api.remove_member(tenant=acme, user_id=mia.user_id))
    removing.join(0.3)
    waited = removing.is_alive()
    on.set()
    starting.join()
    removing.join()
    assert (waited, removed) == (True, [None])
    assert not models.Session.objects.filter(id=started[0].id).exists()


def test_a_token_is_not_made_by_a_credential_that_has_ended_since_the_request_began(tenant, actor):
    made = make_token(actor)
    child = api.get_actor_by_token(text=made.token, address=None)
    with tenancy.entered(tenant):
        api.revoke_token(actor=actor, token_id=made.id)
    with pytest.raises(Unauthenticated):
        make_token(child)


def test_a_token_is_not_made_by_a_session_that_was_ended(browser, acme, address):
    store = browser("mia", acme)
    actor = api.find_actor_by_session(session=SessionStore(store.session_key), tenant=acme, address=address)
    with tenancy.entered(acme):
        api.sign_out(session=store)
    with pytest.raises(Unauthenticated):
        make_token(actor)


def test_a_token_is_not_made_by_somebody_who_was_removed(tenant, actor):
    api.remove_member(tenant=tenant, user_id=actor.user_id)
    with pytest.raises(Unauthenticated):
        make_token(actor)


def test_a_password_that_was_changed_past_every_operation_ends_tokens_too(tenant, actor):
    made = make_token(actor)
    assert works(made)
    assert made.id in api.list_valid_credentials(session_ids=[], token_ids=[made.id])
    models.User.objects.filter(pk=actor.user_id).update(password_changed_at=clock.now())
    assert not works(made)
    assert made.id not in api.list_valid_credentials(session_ids=[], token_ids=[made.id])


def test_a_token_made_by_a_token_is_no_younger_than_the_proof_behind_it(tenant, actor):
    first = make_token(actor)
    second = make_token(api.get_actor_by_token(text=first.token, address=None))
    proofs = models.ApiToken.objects.in_bulk([actor.token_id, first.id, second.id])
    assert len({token.proved_at for token in proofs.values()}) == 1


def test_who_comes_back_into_a_tenant_does_not_get_old_tokens_back(tenant, actor):
    made = make_token(actor)
    api.remove_member(tenant=tenant, user_id=actor.user_id)
    api.add_member(tenant=tenant, email=ACME.people["mia"].email, role=Role.MEMBER)
    assert not works(made)
