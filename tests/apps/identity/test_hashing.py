"""Passwords are hashed two at a time on a machine, whoever asks for it, and few wait."""

import contextlib
import dataclasses
import fcntl
import os
import subprocess
import sys
import threading
import time
import unicodedata

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, get_hasher
from django.test import Client

from apps.identity import api, hashing, models
from apps.identity.operations import guesses
from bitvault.kernel import deadlines
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Overloaded
from bitvault.settings import base
from bitvault.web import throttle
from tests.support.world import PASSWORD

HURRIED = dataclasses.replace(deadlines.REQUESTS, hash_seconds=0.3)


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """Places of this test's own: other tests hash too."""
    monkeypatch.setattr(hashing, "_directory", lambda: tmp_path)
    deadlines.use(HURRIED)
    hashing._share.cache_clear()
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness of their own")
def test_hashes_yield_the_cores_to_requests_also_in_a_fork(places):
    def niceness():
        found = []
        hashing._aside(lambda: found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        return found[0]

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert niceness() == max(before, hashing.NICENESS)
    child = os.fork()
    if child == 0:
        os._exit(0 if niceness() == max(before, hashing.NICENESS) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before, "who asks is as they were"


@contextlib.contextmanager
def all_taken(directory):
    """Hold both places, as two other processes do."""
    with contextlib.ExitStack() as held:
        for number in range(hashing.PLACES):
            file = held.enter_context((directory / str(number)).open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_the_installation_hashes_by_the_bounded_hasher_alone_and_as_django_does():
    assert base.PASSWORD_HASHERS == ["apps.identity.hashing.BoundedArgon2PasswordHasher"]
    assert isinstance(get_hasher(), hashing.BoundedArgon2PasswordHasher), "the tests' one is one too"
    written = hashing.BoundedArgon2PasswordHasher().encode("a sentence of mine", "saltsaltsalt")
    assert Argon2PasswordHasher().verify("a sentence of mine", written)
    assert settings.AUTHENTICATION_BACKENDS == ["apps.identity.backends.OperatorBackend"]


def test_no_more_than_one_thread_of_a_process_hashes_and_two_wait(places):
    holding, refused, running, most = threading.Event(), [], [0], [0]
    deadlines.use(dataclasses.replace(HURRIED, hash_seconds=30.0))

    def work():
        try:
            with hashing.place():
                running[0] += 1
                most[0] = max(most[0], running[0])
                holding.wait(30)
                running[0] -= 1
        except Overloaded as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    while len(refused) < 12 - 1 - HURRIED.hash_queue_length:
        time.sleep(0.001)
    holding.set()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert len(refused) == 9
    assert {error.facts["dependency"] for error in refused} == {"password_hash"}


def test_processes_share_the_places_and_a_dead_one_gives_its_back(places):
    program = "import fcntl,sys,time\nfile=open(sys.argv[1],'w');fcntl.flock(file,fcntl.LOCK_EX);print('held',flush=True);time.sleep(60)"
    command = [sys.executable, "-c", program]
    holders = [
        subprocess.Popen([*command, str(places / str(number))], stdout=subprocess.PIPE)
        for number in range(hashing.PLACES)
    ]
    try:
        for holder in holders:
            holder.stdout.readline()
        with pytest.raises(Overloaded) as refusal, hashing.place():
            pass
        assert refusal.value.facts["retry_after_seconds"] == 1
        holders[0].kill()
        holders[0].wait()
        with hashing.place():
            pass
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            holder.stdout.close()


@pytest.mark.parametrize("email", ["mia@acme.test", "nobody@acme.test"])
def test_a_sign_in_without_a_place_is_refused_and_costs_no_guess(db, acme, places, email, address):
    with all_taken(places):
        for _ in range(guesses.PAIR.limit + 3):
            with pytest.raises(Overloaded):
                api.sign_in(email=email, password=PASSWORD, tenant=acme, address=address)
    throttle.take(
        guesses.PAIR.name,
        [email, address],
        limit=guesses.PAIR.limit,
        per_seconds=guesses.PAIR.per_seconds,
        everywhere=True,
    )


def test_every_way_to_a_hash_waits_for_a_place(tenant, places, make_actor):
    mia = make_actor("mia")
    ways = [
        lambda: api.change_password(actor=mia, current_password=PASSWORD, new_password="another sentence of mine"),
        lambda: api.add_member(
            tenant=mia.tenant, email="new@acme.test", role=Role.MEMBER, password="a new sentence of theirs"
        ),
        lambda: models.User().set_password("another sentence"),
        lambda: models.User.objects.get(pk=mia.user_id).check_password(PASSWORD),
    ]
    with all_taken(places):
        for way in ways:
            with pytest.raises(Overloaded):
                way()


def test_people_and_programs_are_told_to_try_again(db, places):
    rest = Client(headers={"host": "acme.localhost"})
    admin = Client(headers={"host": settings.BITVAULT_OPERATOR_HOST})
    page = Client(headers={"host": "acme.localhost", "accept": "text/html"})
    with all_taken(places):
        told = rest.post(
            "/api/v1/auth/login", {"email": "mia@acme.test", "password": "wrong"}, content_type="application/json"
        )
        assert (told.status_code, told.json()["code"], told["Retry-After"]) == (503, "platform.overloaded", "1")
        shown = page.post("/sign-in/", {"email": "mia@acme.test", "password": "wrong"})
        assert shown.status_code == 503
        assert "try again in a moment" in shown.content.decode()
        operator = admin.post("/admin/login/", {"username": "mia@acme.test", "password": "wrong"})
        assert "try again in a moment" in operator.content.decode()


def test_a_command_waits_for_its_place(places):
    deadlines.use(deadlines.PATIENT)
    with contextlib.ExitStack() as others:
        others.enter_context(all_taken(places))
        threading.Timer(1.0, others.close).start()
        with hashing.place():
            pass


def test_the_directory_is_this_accounts_own(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hashing._directory.cache_clear()
    try:
        found = hashing._directory()
        assert found.parent == tmp_path
        found.chmod(0o777)
        hashing._directory.cache_clear()
        assert hashing._directory() is None, "anybody could hold the places"
    finally:
        hashing._directory.cache_clear()


SPELLINGS = {form: unicodedata.normalize(form, "Schöne Grüße 2026 Öl") for form in ("NFC", "NFD", "NFKC", "NFKD")}


@pytest.mark.parametrize("written", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("typed", SPELLINGS.values(), ids=SPELLINGS)
def test_a_password_is_the_same_however_a_keyboard_spells_it(written, typed):
    encoded = get_hasher().encode(written, "saltsaltsalt")
    assert get_hasher().verify(typed, encoded)
    assert not get_hasher().verify(typed + "x", encoded)


def test_a_password_that_was_set_in_another_spelling_before_there_was_one_still_opens():
    written = unicodedata.normalize("NFD", "Schöne Grüße")
    encoded = Argon2PasswordHasher().encode(written, "saltsaltsalt")
    assert get_hasher().verify(written, encoded)
    assert not get_hasher().verify(unicodedata.normalize("NFC", written), encoded)
