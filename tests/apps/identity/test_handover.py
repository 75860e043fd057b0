import threading

import pytest
from django.db import connection

from apps.identity import api, errors, handover, models
from apps.identity.session_store import SessionStore
from bitvault.kernel import errors as kinds
from bitvault.web import valkey
from tests.support import stopping
from tests.support.world import ACME, BETA, PASSWORD


def test_a_ticket_carries_a_sign_in_to_its_tenants_host(db, acme, address, signed_in, person):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id)
    assert ticket.tenant_url.startswith("http://acme.localhost")
    carried = api.redeem_handover(ticket=ticket.ticket, tenant=acme)
    assert (carried.user_id, [tenant.slug for tenant in carried.tenants]) == (person("mia").user_id, ["acme"])
    session = SessionStore()
    api.start_session(session=session, signed_in=carried, tenant=acme, address=address, agent="")
    assert api.find_actor_by_session(session=session, tenant=acme, address=address)


def test_a_ticket_is_good_for_one_use(db, acme, signed_in):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id).ticket
    api.redeem_handover(ticket=ticket, tenant=acme)
    with pytest.raises(errors.InvalidHandover):
        api.redeem_handover(ticket=ticket, tenant=acme)


def test_at_another_tenants_host_it_is_worth_nothing_and_gone(db, acme, beta, signed_in):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id).ticket
    for tenant in (beta, acme):
        with pytest.raises(errors.InvalidHandover):
            api.redeem_handover(ticket=ticket, tenant=tenant)


def test_nobody_gets_a_ticket_to_a_tenant_that_is_not_theirs(db, signed_in):
    with pytest.raises(kinds.NotFound):
        api.issue_handover(signed_in=signed_in("mia"), tenant_id=BETA.id)


def test_a_member_put_out_meanwhile_is_not_carried(db, acme, signed_in, person):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id).ticket
    api.remove_member(tenant=acme, user_id=person("mia").user_id)
    with pytest.raises(errors.InvalidHandover):
        api.redeem_handover(ticket=ticket, tenant=acme)


def test_a_password_changed_meanwhile_makes_it_worthless(db, acme, address, signed_in, person):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id).ticket
    user = models.User.objects.get(pk=person("mia").user_id)
    user.set_password(PASSWORD)
    user.save()
    carried = api.redeem_handover(ticket=ticket, tenant=acme)
    with pytest.raises(errors.InvalidCredentials):
        api.start_session(session=SessionStore(), signed_in=carried, tenant=acme, address=address, agent="")


def test_a_ticket_is_kept_hashed_for_a_minute(db, signed_in):
    ticket = api.issue_handover(signed_in=signed_in("mia"), tenant_id=ACME.id).ticket
    key = handover._key(ticket)
    assert ticket not in key
    assert 0 < valkey.client().ttl(key) <= 60
    assert ticket.encode() not in valkey.client().get(key)


@pytest.mark.parametrize("ticket", ["", "x", "\0", "é", "*", "a" * 100_000])
def test_what_was_never_a_ticket_is_refused(db, acme, ticket):
    with pytest.raises(errors.InvalidHandover):
        api.redeem_handover(ticket=ticket, tenant=acme)


@pytest.mark.committed
def test_of_many_that_take_one_ticket_at_once_one_gets_it(acme, person, address):
    proof = api.sign_in(email=person("mia").email, password=PASSWORD, tenant=None, address=address)
    ticket = api.issue_handover(signed_in=proof, tenant_id=ACME.id).ticket
    outcomes = []

    def take():
        try:
            outcomes.append(api.redeem_handover(ticket=ticket, tenant=acme).user_id)
        except errors.InvalidHandover:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([outcome for outcome in outcomes if outcome is not None]) == 1


def test_without_valkey_no_ticket_is_promised(db, signed_in, settings):
    proof = signed_in("mia")
    with stopping.valkey_at("redis://127.0.0.1:1", settings), pytest.raises(kinds.Unavailable):
        api.issue_handover(signed_in=proof, tenant_id=ACME.id)
