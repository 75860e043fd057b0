"""The room that speaks S3: what it must never do."""

import socket
import threading
import time

import pytest
from celery import Celery

from apps.storage import calls, objects, provider
from apps.storage.errors import NeedsLonger, StoreFull, StoreUnavailable
from bitvault.kernel import db
from bitvault.kernel.deadlines import background
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import ServiceDown, Unavailable

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("each_store")]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.find_object("k"),
        lambda store: store.list_keys("k"),
        lambda store: store.delete_objects(["k"]),
        lambda store: store.create_multipart_upload("k"),
        lambda store: store.list_parts(key="k", store_upload_id="u"),
        lambda store: store.abort_multipart_upload(key="k", store_upload_id="u"),
        lambda store: store.list_multipart_uploads("k"),
        lambda store: store.complete_multipart_upload(key="k", store_upload_id="u", parts=[]),
        lambda store: store.copy_part(
            key="k", store_upload_id="u", number=1, source_key="s", first_byte=0, size_bytes=1
        ),
    ],
)
def test_no_call_to_the_store_happens_inside_a_transaction(tenant, call):
    with db.write_transaction(), pytest.raises(db.OutsideWorldInTransaction):
        call(provider.store())


def test_signing_gives_the_same_url_as_boto3_would(settings):
    """Our short way to a signature against the library's long one."""
    store = provider.store()
    digest = b"\1" * 32
    signed = store.sign_put(key="a/b/c", size_bytes=5, digest=digest)
    theirs = store._client.generate_presigned_url(
        "put_object",
        Params={
            "Bucket": store.bucket,
            "Key": "a/b/c",
            "ContentLength": 5,
            "ContentType": provider.STORED_TYPE,
            "ContentEncoding": "identity",
            "ChecksumSHA256": objects.checksum_of(digest),
        },
        ExpiresIn=900,
    )
    varying = ("X-Amz-Date", "X-Amz-Signature")
    assert _without(signed.url, varying) == _without(theirs, varying)


def _without(url: str, names: tuple[str, ...]) -> list[str]:
    return sorted(part for part in url.replace("?", "&").split("&") if not part.startswith(names))


def test_clients_are_sent_to_the_public_endpoint(settings):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    elsewhere = {"public_endpoint_url": "https://bytes.example.com", "download_endpoint_url": ""}
    store = provider.ObjectStore(**{**configured, **elsewhere})
    signed = store.sign_get(key="a/b", disposition="attachment", media_type="text/plain")
    assert signed.url.startswith(f"https://bytes.example.com/{store.bucket}/a/b?")


def test_downloads_may_have_an_endpoint_of_their_own(settings):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    elsewhere = {"public_endpoint_url": "https://in.example.com", "download_endpoint_url": "https://out.example.com/"}
    store = provider.ObjectStore(**{**configured, **elsewhere})
    for method in ("GET", "HEAD"):
        signed = store.sign_get(key="a/b", disposition="attachment", media_type="text/plain", method=method)
        assert signed.url.startswith(f"https://out.example.com/{store.bucket}/a/b?")
    whole = store.sign_put(key="a/b", size_bytes=1, digest=bytes(32))
    part = store.sign_put_part(key="a/b", store_upload_id="x", number=1, size_bytes=1, digest=bytes(32))
    assert all(signed.url.startswith("https://in.example.com/") for signed in (whole, part))


def test_no_url_is_ever_logged(settings, capfd, caplog):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    away = provider.ObjectStore(**{**configured, "endpoint_url": "http://127.0.0.1:1"})
    with pytest.raises(StoreUnavailable):
        away.find_object("secret/key")
    said = "".join(capfd.readouterr()) + caplog.text
    assert "store_unreachable" in said
    assert "X-Amz" not in said
    assert "secret/key" not in said


def test_a_store_that_is_there_gives_a_sign_of_life_and_one_that_is_away_or_strange_does_not(settings, monkeypatch):
    from apps.storage import api

    api.require_store()
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    for change in ({"endpoint_url": "http://127.0.0.1:1"}, {"secret_access_key": "another"}):
        other = provider.ObjectStore(**{**configured, **change})
        monkeypatch.setattr(provider, "store", lambda other=other: other)
        with pytest.raises(StoreUnavailable):
            api.require_store()


def test_parts_beyond_the_first_page_of_a_thousand_are_listed_too():
    """Tiny parts: a store measures them only when the object is put together."""
    import hashlib
    from concurrent.futures import ThreadPoolExecutor
    from uuid import uuid4

    from tests.support.sending import pool

    store, key, count = provider.store(), f"probe/{uuid4().hex}/m", 1003
    upload = store.create_multipart_upload(key)

    def send(number: int) -> int:
        body = str(number).encode()
        signed = store.sign_put_part(
            key=key,
            store_upload_id=upload,
            number=number,
            size_bytes=len(body),
            digest=hashlib.sha256(body).digest(),
        )
        return pool.request("PUT", signed.url, body=body, headers=signed.headers).status

    try:
        with ThreadPoolExecutor(8) as workers:
            assert set(workers.map(send, range(1, count + 1))) == {200}
        held = store.list_parts(key=key, store_upload_id=upload)
    finally:
        # A thousand files are deleted, which a busy disk takes longer for than a request waits.
        with background():
            provider.store().abort_multipart_upload(key=key, store_upload_id=upload)
    assert sorted(held) == list(range(1, count + 1))
    with pytest.raises(provider.UploadUnknown):
        store.list_parts(key=key, store_upload_id=upload)


# --- deadlines and shares ------------------------------------------------------------------------------------------------------


class SilentStore:
    """A port where connections are taken and nothing is answered, as by a stopped process; counts the requests that came."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.requests = 0
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        held = []
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            self.requests += 1
            held.append(line)

    def close(self):
        self._listening.close()


@pytest.fixture
def silent():
    store = SilentStore()
    yield store
    store.close()


@pytest.fixture
def configure(settings):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}

    def make(url, **more):
        return provider.ObjectStore(**{**configured, "endpoint_url": url, **more})

    return make


SHORT = calls.Patience(connect_seconds=0.2, read_seconds=0.3, repeats=1, pauses=False)

CALLS = {
    "find_object": lambda store: store.find_object("k"),
    "list_keys": lambda store: store.list_keys("k"),
    "delete_objects": lambda store: store.delete_objects(["k"]),
    "create_multipart_upload": lambda store: store.create_multipart_upload("k"),
    "list_parts": lambda store: store.list_parts(key="k", store_upload_id="u"),
    "abort_multipart_upload": lambda store: store.abort_multipart_upload(key="k", store_upload_id="u"),
    "list_multipart_uploads": lambda store: store.list_multipart_uploads("k"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_request_waits_once_for_a_store_that_says_nothing(silent, configure, call):
    store = configure(silent.url, patience=SHORT)
    took = []
    for _ in range(3):
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call(store)
        took.append(time.monotonic() - begun)
    assert min(took) < 2 * SHORT.read_seconds, "a deadline that passed is not waited for again"
    assert silent.requests == 3


def test_putting_an_object_together_past_the_deadline_is_no_failure_of_the_store(silent, configure):
    store = configure(silent.url, patience=SHORT)
    with pytest.raises(NeedsLonger):
        store.complete_multipart_upload(key="k", store_upload_id="u", parts=[(1, "e", b"1" * 32)])


def test_a_store_that_is_down_is_known_to_be_and_costs_nobody_a_deadline(silent, configure):
    dependency = Dependency("store", share=2, failures=(calls.StoreUnreachable,), rest_seconds=60)
    store = configure(silent.url, patience=SHORT, dependency=dependency)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.find_object("k")
    for call in CALLS.values():
        took = []
        for _ in range(3):
            begun = time.monotonic()
            with pytest.raises(ServiceDown) as refusal:
                call(store)
            took.append(time.monotonic() - begun)
            assert refusal.value.facts["retry_after_seconds"] >= 1
        assert min(took) < SHORT.read_seconds
    assert silent.requests == 2
    assert store.sign_put(key="k", size_bytes=1, digest=bytes(32)).url, "signing asks nobody"


def test_while_a_store_says_nothing_no_more_threads_wait_than_its_share(silent, configure):
    dependency = Dependency("store", share=2, queue_seconds=0.05, queue_length=8, failures=(calls.StoreUnreachable,))
    patience = calls.Patience(connect_seconds=1, read_seconds=4, repeats=1, pauses=False)
    store = configure(silent.url, patience=patience, dependency=dependency)
    took = []

    def ask():
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            store.find_object("k")
        took.append(time.monotonic() - begun)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(took)[5] < 3 < sorted(took)[6], "six are refused, two wait out the deadline"


def test_a_line_that_was_cut_is_tried_once_more_where_that_is_safe_and_no_more_elsewhere():
    from tests.support import lesser_store

    with lesser_store.running() as lesser:
        store = provider.ObjectStore(
            endpoint_url=lesser.store.endpoint_url,
            public_endpoint_url=lesser.store.endpoint_url,
            region=lesser.store.region,
            access_key_id="a",
            secret_access_key="b",
            bucket=lesser.store.bucket,
            patience=calls.OF_REQUESTS,
        )
        lesser.behaviour = lambda *_: None
        for name, call in CALLS.items():
            lesser.asked.clear()
            with pytest.raises(StoreUnavailable):
                call(store)
            assert len(lesser.asked) == (1 if name == "create_multipart_upload" else 2), name


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_answer_is_no_outage(configure, status):
    from tests.support import lesser_store

    with lesser_store.running() as lesser:
        lesser.behaviour = lambda *_: lesser_store.Answer(status, (), b"")
        dependency = Dependency("store", share=2, failures=(calls.StoreUnreachable,))
        store = configure(lesser.store.endpoint_url, patience=calls.OF_REQUESTS, dependency=dependency)
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                store.find_object("k")
        assert not dependency.is_down


def test_a_full_store_is_named_as_one(configure):
    from tests.support import lesser_store

    with lesser_store.running() as lesser:
        body = b"<Error><Code>InsufficientStorage</Code></Error>"
        lesser.behaviour = lambda *_: lesser_store.Answer(507, (("Content-Type", "application/xml"),), body)
        store = configure(lesser.store.endpoint_url)
        for call in (
            *CALLS.values(),
            lambda store: store.complete_multipart_upload(key="k", store_upload_id="u", parts=[]),
        ):
            with pytest.raises(StoreFull):
                call(store)


def test_requests_and_workers_have_stores_of_their_own_and_a_task_is_a_worker(tenant):
    from bitvault.gateway.celery import app as real

    app = Celery("tests", task_cls=real.task_cls, set_as_current=False)  # the real one keeps what it is given

    assert provider.store().patience == calls.OF_REQUESTS
    assert provider.store().dependency is not None
    with background():
        assert provider.store().patience == calls.OF_WORKERS
        assert provider.store().dependency is None

    @app.task(name="tests.tell_patience", shared=False, tenant_required=False)
    def tell():
        return provider.store().patience.read_seconds

    assert tell.apply(throw=True).get() == calls.OF_WORKERS.read_seconds
