"""Commits that take longer than a request may wait: 202, a worker goes on, and the same commit later tells the outcome."""

import os
import pkgutil
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from celery.exceptions import Retry

from apps.storage import calls, provider
from apps.storage.operations import completing, handing, sweeping, verifying
from apps.storage.tasks import complete_upload
from bitvault.kernel import clock, tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.tasks import for_tenant
from tests.support import lesser_store
from tests.support.lesser_store import Answer
from tests.support.sending import PART, Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]

SIZE = PART + 20


class Killed(BaseException):
    """Nothing catches this."""


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def read_seconds():
    """How long a request waits for an answer of the store."""
    return 0.4


@pytest.fixture
def store(monkeypatch, read_seconds):
    """The store behind a proxy that can be slow, for requests with a deadline that a test can wait for, and for workers."""
    with lesser_store.running() as lesser:
        configured = {
            "endpoint_url": lesser.store.endpoint_url,
            "public_endpoint_url": provider.store().public_endpoint_url,
            **{name: getattr(provider.store(), name) for name in ("region", "bucket")},
            "access_key_id": os.environ["BITVAULT_S3_ACCESS_KEY_ID"],
            "secret_access_key": os.environ["BITVAULT_S3_SECRET_ACCESS_KEY"],
        }
        dependency = Dependency("store", share=2, queue_seconds=1, queue_length=8, failures=(calls.StoreUnreachable,))
        short = replace(calls.OF_REQUESTS, read_seconds=read_seconds)
        of_requests = provider.ObjectStore(**configured, patience=short, dependency=dependency)
        of_workers = provider.ObjectStore(**configured)
        monkeypatch.setattr(handing, "_AT_IT_LEAST", timedelta(seconds=1))
        monkeypatch.setattr(provider, "_store_of_requests", lambda: of_requests)
        monkeypatch.setattr(provider, "_store_of_workers", lambda: of_workers)
        yield lesser


def is_completing(asked):
    return asked.method == "POST" and "uploadId" in asked.query


def slowly(seconds):
    """Let the store take its time to put an object together."""

    def behave(asked, forward):
        if is_completing(asked):
            time.sleep(seconds)
        return forward()

    return behave


@pytest.fixture
def sent(mia):
    """Begin and send a file of two parts; gives the upload and its content."""

    def send(name="large.bin"):
        content = os.urandom(SIZE)
        upload = mia.started(name, content)
        mia.send(upload, content)
        return upload, content

    return send


def work(upload, tenant, retries=0):
    headers = for_tenant(tenant.id)
    return complete_upload.apply(args=[upload["id"]], headers=headers, retries=retries, throw=True).get()


def is_handed_over(sender, upload):
    return sender.api.get(f"/uploads/{upload['id']}").json()["state"] == "completing"


def room(sender):
    (quota,) = sender.api.get("/quotas").json()["items"]
    return quota["used_bytes"], quota["reserved_bytes"]


def is_answered_later(answer):
    assert answer.status_code == 202, answer.content
    assert answer.json() == {"state": "completing"}
    assert int(answer.headers["Retry-After"]) >= 1
    return True


def test_a_commit_that_the_store_takes_long_for_is_answered_later_and_a_worker_goes_on(
    mia, acme, store, sent, monkeypatch
):
    # More than the store takes; a worker that waited less long would rightly ask it again.
    monkeypatch.setattr(handing, "_AT_IT_LEAST", timedelta(seconds=30))
    upload, content = sent()
    store.behaviour = slowly(4)
    begun = time.monotonic()
    assert is_answered_later(mia.commit_once(upload))
    assert time.monotonic() - begun < 3.5
    there = mia.api.get(f"/uploads/{upload['id']}").json()
    assert (there["state"], [part["state"] for part in there["parts"]]) == ("completing", ["stored", "stored"])
    assert is_answered_later(mia.commit_once(upload))
    assert work(upload, acme) == "verified"
    answer = mia.commit_once(upload)
    assert answer.status_code == 201
    assert mia.fetch(answer.json()).data == content
    assert room(mia) == (SIZE, 0)
    assert len([asked for asked in store.asked if is_completing(asked)]) == 1, "the store was asked once"
    assert mia.commit_once(upload).status_code == 200
    assert work(upload, acme) == "nothing to do"


def test_what_the_store_has_done_meanwhile_is_committed_without_a_worker(mia, store, sent):
    upload, content = sent()
    store.behaviour = slowly(0.8)
    assert is_answered_later(mia.commit_once(upload))
    answer = mia.commit(upload)
    assert answer.status_code == 201
    assert mia.fetch(answer.json()).data == content


def hiding(seconds):
    """Behave as a store that knows neither the parts nor the object while it puts them together, and says at once that it has."""
    busy = {"until": 0.0}

    def behave(asked, forward):
        if is_completing(asked):
            answer = forward()
            busy["until"] = time.monotonic() + seconds
            return answer
        if time.monotonic() < busy["until"] and (asked.method == "HEAD" or "uploadId" in asked.query):
            body = b"<Error><Code>NoSuchUpload</Code></Error>"
            return Answer(404, (("Content-Type", "application/xml"),), b"" if asked.method == "HEAD" else body)
        return forward()

    return behave


def test_a_store_that_knows_nothing_of_what_it_puts_together_is_waited_for(mia, store, sent, monkeypatch):
    """So does versitygw; the parts must not be asked for again."""
    monkeypatch.setattr(handing, "_AT_IT_LEAST", timedelta(seconds=30))
    upload, content = sent()
    store.behaviour = hiding(1.5)
    assert is_answered_later(mia.commit_once(upload))
    answer = mia.commit(upload)
    assert answer.status_code == 201, answer.content
    assert mia.fetch(answer.json()).data == content


def test_parts_that_the_store_has_dropped_are_named_once_it_is_certain(mia, acme, store, sent):
    upload, content = sent()
    key = f"{acme.id.hex}/{UUID(upload['id']).hex}/m"
    ((_, session),) = provider.store().list_multipart_uploads(key)
    provider.store().abort_multipart_upload(key=key, store_upload_id=session)
    assert is_answered_later(mia.commit_once(upload))
    refused = mia.commit(upload)
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [1, 2])
    parts = mia.sign(upload, content, [1, 2])
    mia.send({**upload, "parts": parts}, content)
    assert mia.commit(upload).status_code == 201


def test_a_large_file_goes_to_a_worker_at_once(mia, acme, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload, content = sent()
    assert is_answered_later(mia.commit_once(upload))
    assert is_answered_later(mia.commit_once(upload))
    assert not [asked for asked in store.asked if is_completing(asked)]
    assert work(upload, acme) == "verified"
    answer = mia.commit_once(upload)
    assert answer.status_code == 201
    assert mia.fetch(answer.json()).data == content


@pytest.mark.parametrize("read_seconds", [10.0])
def test_a_large_file_with_missing_parts_is_told_so_at_once(mia, store, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload = mia.started("large.bin", os.urandom(SIZE))
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [1, 2])


def test_a_message_that_a_worker_never_got_is_sent_again(mia, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    messages = []
    monkeypatch.setattr(handing, "_send", messages.append)
    upload, _ = sent()
    for _ in range(3):
        assert is_answered_later(mia.commit_once(upload))
    assert messages == [UUID(upload["id"])]
    with clock.fixed_at(clock.now() + timedelta(seconds=11)):
        assert is_answered_later(mia.commit_once(upload))
    assert messages == [UUID(upload["id"])] * 2


def test_what_a_worker_finds_wrong_is_told_by_the_next_commit_once(mia, acme, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload, content = sent()
    assert is_answered_later(mia.commit_once(upload))
    refusal = Answer(400, (("Content-Type", "application/xml"),), b"<Error><Code>InvalidPart</Code></Error>")
    store.behaviour = lambda asked, forward: refusal if is_completing(asked) else forward()
    assert work(upload, acme) == "storage.content_mismatch"
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["code"]) == (422, "storage.content_mismatch")
    assert mia.api.get(f"/uploads/{upload['id']}").json()["state"] == "started", "its parts may be sent anew"
    store.behaviour = lesser_store.faithfully
    assert is_answered_later(mia.commit_once(upload))
    assert work(upload, acme) == "verified"
    assert mia.fetch(mia.commit_once(upload).json()).data == content


def test_a_full_store_is_told_by_the_commit_and_can_be_tried_again(mia, store, sent):
    upload, content = sent()
    full = Answer(507, (("Content-Type", "application/xml"),), b"<Error><Code>InsufficientStorage</Code></Error>")
    store.behaviour = lambda asked, forward: full if is_completing(asked) else forward()
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["code"]) == (507, "storage.disk_full")
    store.behaviour = lesser_store.faithfully
    assert mia.fetch(mia.commit_once(upload).json()).data == content


def test_a_worker_tries_again_while_the_store_is_away_and_tells_so_in_the_end(mia, acme, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload, _ = sent()
    assert is_answered_later(mia.commit_once(upload))
    store.behaviour = lambda *_: None
    with pytest.raises(Retry):
        work(upload, acme)
    assert is_handed_over(mia, upload)
    assert work(upload, acme, retries=complete_upload.max_retries) == "given up"
    store.behaviour = lesser_store.faithfully
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["code"]) == (503, "storage.store_unavailable")
    assert is_answered_later(mia.commit_once(upload))


def test_an_upload_that_is_given_up_while_a_worker_has_it_is_over(mia, acme, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload, _ = sent()
    assert is_answered_later(mia.commit_once(upload))
    assert (
        mia.api.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": "0" * 64}]}).status_code
        == 409
    )
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert work(upload, acme) == "storage.upload_over"
    assert mia.commit_once(upload).status_code == 410
    assert room(mia) == (0, 0)


def test_a_commit_beside_a_worker_waits_for_it_and_takes_its_outcome(mia, acme, store, sent, monkeypatch):
    monkeypatch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
    upload, content = sent()
    assert is_answered_later(mia.commit_once(upload))
    store.behaviour = slowly(0.5)

    def work_beside():
        with tenancy.entered(acme), background():
            completing.go_on(UUID(upload["id"]))
        from django.db import connection

        connection.close()

    worker = threading.Thread(target=work_beside)
    worker.start()
    time.sleep(0.1)
    answer = mia.commit(upload)
    worker.join()
    assert answer.status_code == 201
    assert mia.fetch(answer.json()).data == content
    assert len([asked for asked in store.asked if is_completing(asked)]) == 1


# --- death at each step ----------------------------------------------------------------------------------------------------


@contextmanager
def dying(where, when):
    """Let the process die before or after a step."""
    real = pkgutil.resolve_name(where)

    def die(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(where, die)
        yield


HANDING_STEPS = [
    ("apps.storage.operations.handing.hand_over", "before"),
    ("apps.storage.operations.handing._send", "before"),
    ("apps.storage.operations.handing.hand_over", "after"),
]
WORKING_STEPS = [
    ("apps.storage.operations.handing.await_store", "before"),
    ("apps.storage.provider.ObjectStore.list_parts", "after"),
    ("apps.storage.provider.ObjectStore.complete_multipart_upload", "before"),
    ("apps.storage.provider.ObjectStore.complete_multipart_upload", "after"),
    ("apps.storage.provider.ObjectStore.find_object", "after"),
    ("apps.storage.operations.completing._freeze", "before"),
    ("apps.storage.operations.completing._freeze", "after"),
]


def whole_in_the_end(mia, tenant, upload, content):
    answer = mia.commit(upload)
    assert answer.status_code == 201, answer.content
    assert mia.fetch(answer.json()).data == content
    assert room(mia) == (SIZE, 0)
    with clock.fixed_at(clock.now() + timedelta(days=5)), tenancy.entered(tenant):
        while sweeping.sweep():
            pass
    assert mia.fetch(answer.json()).data == content


@pytest.mark.parametrize(("where", "when"), HANDING_STEPS)
def test_a_request_that_dies_handing_over_loses_nothing(mia, acme, store, sent, where, when):
    upload, content = sent()
    store.behaviour = slowly(0.6)
    with dying(where, when):
        mia.commit_once(upload)
    whole_in_the_end(mia, acme, upload, content)


@pytest.mark.parametrize(("where", "when"), WORKING_STEPS)
def test_a_worker_that_dies_loses_nothing(mia, acme, store, sent, monkeypatch, where, when):
    upload, content = sent()
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
        assert is_answered_later(mia.commit_once(upload))
        with dying(where, when), tenancy.entered(acme), background():
            completing.go_on(UUID(upload["id"]))
        with tenancy.entered(acme), background():
            assert completing.go_on(UUID(upload["id"])) in ("verified", "nothing to do")
    whole_in_the_end(mia, acme, upload, content)


@pytest.mark.parametrize(("where", "when"), WORKING_STEPS)
def test_what_a_dead_worker_left_is_completed_by_the_next_commit(mia, acme, store, sent, monkeypatch, where, when):
    upload, content = sent()
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "PROMPT_BYTES", SIZE - 1)
        assert is_answered_later(mia.commit_once(upload))
    with dying(where, when), tenancy.entered(acme), background():
        completing.go_on(UUID(upload["id"]))
    whole_in_the_end(mia, acme, upload, content)
