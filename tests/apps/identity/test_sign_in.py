import secrets
import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.identity import api, errors, models
from apps.identity.operations import guesses
from bitvault.kernel import clock
from bitvault.kernel import errors as kinds
from bitvault.kernel.actor import Role
from bitvault.web import valkey
from tests.support.hashers import CheapArgon2PasswordHasher
from tests.support.world import ACME, PASSWORD


@pytest.fixture
def hashes(monkeypatch):
    """Count how often a password is hashed, to check one or for nothing."""
    counted = []
    for name in ("encode", "verify"):
        original = getattr(CheapArgon2PasswordHasher, name)
        monkeypatch.setattr(
            CheapArgon2PasswordHasher,
            name,
            lambda self, *args, _original=original, **kwargs: counted.append(1) or _original(self, *args, **kwargs),
        )
    return counted


def guess(email, address, password="wrong", tenant=None):  # noqa: S107 - a wrong one
    with pytest.raises(errors.InvalidCredentials) as caught:
        api.sign_in(email=email, password=password, tenant=tenant, address=address)
    return caught.value


def test_the_right_password_opens_the_tenant(db, acme, person, address):
    signed_in = api.sign_in(email=person("mia").email, password=PASSWORD, tenant=acme, address=address)
    assert signed_in.user_id == person("mia").user_id
    assert [(tenant.slug, tenant.role) for tenant in signed_in.tenants] == [("acme", Role.MEMBER)]


def test_e_mail_is_read_whatever_its_case_and_outer_spaces(db, acme, person, address):
    signed_in = api.sign_in(email=f" {person('mia').email.upper()} ", password=PASSWORD, tenant=acme, address=address)
    assert signed_in.user_id == person("mia").user_id


def test_the_bare_host_opens_all_tenants_of_a_person(db, beta, person, address):
    api.add_member(tenant=beta, email=person("mia").email, role=Role.VIEWER)
    signed_in = api.sign_in(email=person("mia").email, password=PASSWORD, tenant=None, address=address)
    assert [(tenant.slug, tenant.role) for tenant in signed_in.tenants] == [
        ("acme", Role.MEMBER),
        ("beta", Role.VIEWER),
    ]
    assert signed_in.tenants[0].url.startswith("http://acme.localhost")


def test_wrong_and_unknown_read_the_same_and_cost_one_hash_each(db, acme, beta, person, email, address, hashes):
    models.User.objects.filter(pk=person("vera").user_id).update(is_active=False)
    models.User.objects.filter(pk=person("adam").user_id).update(password="!unusable")
    cases = {
        "wrong password": (person("mia").email, "wrong", acme),
        "unknown": (email, "wrong", acme),
        "unknown at the bare host": (email, "wrong", None),
        "no address at all": ("\0' OR 1=1 --", "wrong", acme),
        "empty": ("", "", acme),
        "shut out, right password": (person("vera").email, PASSWORD, acme),
        "without a password": (person("adam").email, "wrong", acme),
        "right password, no member": (person("mia").email, PASSWORD, beta),
    }
    answers = {}
    for name, (who, password, tenant) in cases.items():
        hashes.clear()
        refusal = guess(who, address, password, tenant)
        answers[name] = (refusal.code, refusal.status, refusal.title, refusal.detail, str(refusal.facts), len(hashes))
    assert set(answers.values()) == {
        ("identity.invalid_credentials", 401, "E-mail or password is wrong", "E-mail or password is wrong", "{}", 1)
    }


def test_nobody_is_let_into_a_suspended_tenant(db, acme, person, address):
    api.suspend_tenant(tenant_id=ACME.id)
    guess(person("mia").email, address, PASSWORD, acme)
    assert api.sign_in(email=person("mia").email, password=PASSWORD, tenant=None, address=address).tenants == ()


def test_after_ten_wrong_guesses_even_the_right_one_is_not_compared(db, acme, person, address, hashes):
    for _ in range(guesses.PAIR.limit):
        guess(person("mona").email, address)
    hashes.clear()
    with pytest.raises(kinds.TooManyRequests) as caught:
        api.sign_in(email=person("mona").email, password=PASSWORD, tenant=None, address=address)
    assert hashes == []
    assert 0 < caught.value.retry_after_seconds <= guesses.PAIR.per_seconds / guesses.PAIR.limit
    # The account is not locked for its owner, who is elsewhere.
    elsewhere = f"192.0.2.{secrets.randbelow(250)}"
    assert api.sign_in(email=person("mona").email, password=PASSWORD, tenant=None, address=elsewhere)
    # Unknown accounts are counted in the same way, so the limit tells nothing either.
    guess(f"x{secrets.token_hex(8)}@x.test", address)


def test_unknown_accounts_meet_the_limit_as_known_ones_do(db, email, address):
    for _ in range(guesses.PAIR.limit):
        guess(email, address)
    with pytest.raises(kinds.TooManyRequests):
        api.sign_in(email=email, password="wrong", tenant=None, address=address)


def test_one_address_cannot_try_a_list_of_accounts(db, address):
    for number in range(guesses.ADDRESS.limit):
        guess(f"{number}-{secrets.token_hex(4)}@x.test", address)
    with pytest.raises(kinds.TooManyRequests):
        api.sign_in(email="another@x.test", password="wrong", tenant=None, address=address)


def test_one_account_cannot_be_tried_from_a_list_of_addresses(db, email):
    for number in range(guesses.ACCOUNT.limit):
        guess(email, f"198.51.{number}.1")
    with pytest.raises(kinds.TooManyRequests):
        api.sign_in(email=email, password="wrong", tenant=None, address="198.51.200.1")


def test_right_passwords_use_no_limit_up(db, acme, person, address):
    for _ in range(guesses.ADDRESS.limit + 5):
        api.sign_in(email=person("mia").email, password=PASSWORD, tenant=acme, address=address)


@pytest.mark.committed
def test_of_200_guesses_at_once_no_more_than_the_limit_are_compared(person, address, hashes):
    outcomes = []
    barrier = threading.Barrier(20)

    def attempt():
        barrier.wait()
        for _ in range(10):
            try:
                api.sign_in(email=person("mia").email, password="wrong", tenant=None, address=address)
            except (errors.InvalidCredentials, kinds.TooManyRequests) as error:
                outcomes.append(error.status)
        connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 200
    assert outcomes.count(401) == len(hashes) == guesses.PAIR.limit


@pytest.mark.committed
def test_of_200_guesses_at_once_from_as_many_addresses_no_more_than_the_limit_are_compared(email, hashes):
    outcomes = []

    def attempt(part):
        for number in range(10):
            try:
                api.sign_in(email=email, password="wrong", tenant=None, address=f"203.0.{part}.{number}")
            except (errors.InvalidCredentials, kinds.TooManyRequests) as error:
                outcomes.append(error.status)
        connection.close()

    threads = [threading.Thread(target=attempt, args=(part,)) for part in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 200
    assert outcomes.count(401) == len(hashes) <= guesses.ACCOUNT.limit + 1


def test_while_guesses_cannot_be_counted_none_is_compared(db, person, address, hashes, no_valkey):
    with pytest.raises(kinds.Unavailable):
        api.sign_in(email=person("mia").email, password=PASSWORD, tenant=None, address=address)
    assert hashes == []


def test_neither_e_mail_nor_address_stands_in_valkey(db, email, address):
    guess(email, address)
    keys = b" ".join(valkey.client().scan_iter("*throttle*", count=1000))
    assert email.encode() not in keys
    assert address.encode() not in keys


def test_a_proof_is_as_old_as_the_moment_before_the_comparing(db, person, address):
    moment = clock.now() + timedelta(hours=1)
    with clock.fixed_at(moment):
        assert (
            api.sign_in(email=person("mia").email, password=PASSWORD, tenant=None, address=address).proved_at == moment
        )
