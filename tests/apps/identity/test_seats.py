"""Seats: a plan's limits of members and guests hold for who comes and who is invited, also for many at once; nobody is put out by one."""

import secrets
import threading

import pytest
from django.db import connection

from apps.billing import api as billing
from apps.identity import api, errors, models, seats
from apps.identity.operations import invitations
from bitvault.jobs import calling
from bitvault.kernel import clock, policies, tenancy
from bitvault.kernel.actor import Role
from tests.apps.identity.posting import deliver, read_invitation_code

GOOD = "a sentence that nobody else has"


@pytest.fixture(autouse=True)
def _quiet_and_roomy(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    monkeypatch.setattr(invitations, "TENANT_LIMIT", 100_000)
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def adam(tenant, make_actor):
    return make_actor("adam")


def address():
    return f"{secrets.token_hex(6)}@elsewhere.test"


def invite(actor, email=None):
    return api.invite(actor=actor, email=email or address(), role=Role.MEMBER)


def invite_guest(actor, email=None):
    return api.invite_guest(actor=actor, email=email or address(), about="Plans")


def taken(tenant):
    counted = seats.count(tenant)
    return (
        counted.member_count + counted.invited_member_count,
        counted.guest_count + counted.invited_guest_count,
    )


def limit(**figures):
    billing.set_quota(**figures)


def test_a_member_beyond_the_plan_is_refused_before_anything_is_sent(tenant, adam):
    members, _ = taken(tenant)
    limit(member_limit=members + 1)
    deliver()
    first = invite(adam)
    with pytest.raises(errors.MemberLimitReached, match="ask the operator") as refused:
        invite(adam)
    assert refused.value.facts == {"limit": members + 1, "count": members, "invited_count": 1}
    assert (refused.value.status, refused.value.code) == (409, "identity.member_limit_reached")
    assert len(deliver()) == 1
    # What holds already is no further seat.
    assert invite(adam, first.email).id == first.id
    api.withdraw_invitation(actor=adam, invitation_id=first.id)
    invite(adam)
    invite_guest(adam)  # guests have seats of their own


def test_a_guest_beyond_the_plan_is_refused_and_who_is_invited_has_their_seat(tenant, adam):
    limit(guest_limit=taken(tenant)[1] + 1)
    deliver()
    email = address()
    made = invite_guest(adam, email)
    with pytest.raises(errors.GuestLimitReached):
        invite_guest(adam)
    assert invite_guest(adam, email).invitation_id == made.invitation_id
    (letter,) = deliver()
    api.accept_invitation_by_password(code=read_invitation_code(letter), name="Gwen", password=GOOD, address="10.8.1.1")
    with pytest.raises(errors.GuestLimitReached) as refused:
        invite_guest(adam)
    assert refused.value.facts["invited_count"] == 0
    invite(adam)


def test_an_invitation_that_has_expired_has_no_seat_and_takes_one_when_it_is_sent_again(tenant, adam):
    limit(guest_limit=taken(tenant)[1] + 1)
    made = invite_guest(adam)
    models.Invitation.objects.filter(pk=made.invitation_id).update(expires_at=clock.now())
    invite_guest(adam)
    with pytest.raises(errors.GuestLimitReached):
        api.resend_invitation(actor=adam, invitation_id=made.invitation_id)


def test_who_comes_back_or_becomes_a_member_takes_a_seat(tenant, adam, make_actor):
    members, _ = taken(tenant)
    vera = make_actor("vera").user_id
    api.update_member(actor=adam, member_id=vera, state="deactivated")
    limit(member_limit=members - 1)
    for act in (
        lambda: api.update_member(actor=adam, member_id=vera, state="active"),
        lambda: invite(adam),
        lambda: api.add_member(tenant=tenant, email=address(), role=Role.MEMBER, name="New"),
    ):
        with pytest.raises(errors.MemberLimitReached):
            act()
    limit(member_limit=members)
    api.update_member(actor=adam, member_id=vera, state="active")
    guest = invite_guest(adam, email := address())
    code = read_invitation_code(next(one for one in deliver() if one.to == [email]))
    came = api.accept_invitation_by_password(code=code, name="Gwen", password=GOOD, address="10.8.1.2")
    assert guest.email == email
    with pytest.raises(errors.MemberLimitReached):
        api.update_member(actor=adam, member_id=came.user_id, role=Role.MEMBER)


def test_a_smaller_plan_puts_nobody_out_and_lets_in_who_was_invited(tenant, adam):
    deliver()
    invite(adam)
    (letter,) = deliver()
    before = taken(tenant)
    limit(member_limit=0, guest_limit=0)
    code = read_invitation_code(letter)
    api.accept_invitation_by_password(code=code, name="New", password=GOOD, address="10.8.1.3")
    assert taken(tenant) == before
    with pytest.raises(errors.MemberLimitReached):
        invite(adam)
    api.update_member(actor=adam, member_id=adam.user_id)  # what stays as it is takes no seat


@pytest.mark.committed
def test_of_many_at_once_as_many_come_in_as_there_are_seats(acme, make_actor):
    with tenancy.entered(acme):
        limit(guest_limit=taken(acme)[1] + 2)
    actor, outcomes, ready = make_actor("adam"), [], threading.Barrier(6)

    def attempt():
        try:
            with tenancy.entered(acme):
                ready.wait(timeout=10)
                invite_guest(actor)
            outcomes.append("invited")
        except errors.GuestLimitReached:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["invited"] * 2 + ["refused"] * 4
