"""A process that dies at any step of an upload: afterwards the file is there once or not at all, and nothing acknowledged is missing.

Death is an exception that nobody expects, raised between two steps: whatever the dying process had not committed is as gone as if it had
been killed, for each step is one transaction of its own.
"""

import os
import pkgutil
from contextlib import contextmanager
from datetime import timedelta

import pytest

from apps.storage import keys, models, provider
from apps.storage.operations import sweeping
from bitvault.kernel import clock, tenancy
from tests.support.sending import PART, Sender, put

pytestmark = pytest.mark.store


class Killed(BaseException):
    """Nothing catches this."""


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@contextmanager
def dying(where: str, when: str):
    """Let the process die before or after a step."""
    real = pkgutil.resolve_name(where)

    def die(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(where, die)
        yield


def room(sender):
    (quota,) = sender.api.get("/quotas").json()["items"]
    return quota["used_bytes"], quota["reserved_bytes"]


def files_of(sender):
    return sender.api.get(f"/nodes/{sender.parent_id}/children").json()["items"]


def sweep_later(tenant, **later):
    with clock.fixed_at(clock.now() + timedelta(**later)), tenancy.entered(tenant):
        while sweeping.sweep():
            pass


def objects_of(tenant):
    """List what this test's uploads have in the store, objects and sessions; tests of other processes keep theirs beside them."""
    store = provider.store()
    with tenancy.entered(tenant):
        with _reading():
            uploads = list(models.Upload.objects.values_list("id", flat=True))
        prefixes = [keys.prefix_of(upload_id) for upload_id in uploads]
    objects = [key for prefix in prefixes for key in store.list_keys(prefix)]
    return objects, [session for prefix in prefixes for session in store.list_multipart_uploads(prefix)]


COMMIT_STEPS = [
    ("apps.storage.provider.ObjectStore.find_object", "before"),
    ("apps.storage.provider.ObjectStore.find_object", "after"),
    ("apps.storage.api.complete_upload", "after"),
    ("apps.files.api.commit_upload", "after"),
    ("apps.billing.api.settle", "before"),
    ("apps.billing.api.settle", "after"),
    ("apps.storage.api.finish_upload", "after"),
]
MULTIPART_STEPS = [
    ("apps.storage.provider.ObjectStore.list_parts", "after"),
    ("apps.storage.provider.ObjectStore.complete_multipart_upload", "before"),
    ("apps.storage.provider.ObjectStore.complete_multipart_upload", "after"),
    *COMMIT_STEPS,
]
CASES = [(20, *step) for step in COMMIT_STEPS] + [(PART + 20, *step) for step in MULTIPART_STEPS]


@pytest.mark.parametrize(("size", "where", "when"), CASES)
def test_a_commit_that_died_is_finished_by_the_next_one(mia, acme, size, where, when):
    content = os.urandom(size)
    upload = mia.started("once.bin", content)
    mia.send(upload, content)
    with dying(where, when):
        mia.commit(upload)
    answer = mia.commit(upload)
    assert answer.status_code in (200, 201)
    assert [node["name"] for node in files_of(mia)] == ["once.bin"]
    assert mia.fetch(answer.json()).data == content
    assert room(mia) == (size, 0)
    sweep_later(acme, days=5)
    assert mia.fetch(answer.json()).data == content
    assert len(objects_of(acme)[0]) == 1
    assert objects_of(acme)[1] == []


@pytest.mark.parametrize(("size", "where", "when"), CASES)
def test_a_commit_that_died_and_nobody_repeats_is_settled_by_the_sweeper(mia, acme, size, where, when):
    content = os.urandom(size)
    upload = mia.started("once.bin", content)
    mia.send(upload, content)
    with dying(where, when):
        mia.commit(upload)
    before = files_of(mia)
    if before:
        assert mia.fetch(before[0]).data == content, "a file that is there can be read, finished or not"
    sweep_later(acme, days=5)
    after = files_of(mia)
    assert after == before, "the sweeper makes no file and loses none"
    objects, sessions = objects_of(acme)
    assert sessions == []
    if after:
        assert mia.fetch(after[0]).data == content
        assert room(mia) == (size, 0)
        assert len(objects) == 1
        assert mia.commit(upload).status_code == 200
    else:
        assert room(mia) == (0, 0)
        assert objects == []
        assert mia.commit(upload).status_code == 410


# --- known content ---------------------------------------------------------------------------------------------------------

AFTER_THE_VERSION = [
    step
    for step in COMMIT_STEPS
    if step[0].startswith(("apps.files.api.commit", "apps.billing", "apps.storage.api.finish"))
]


@pytest.mark.parametrize(("where", "when"), AFTER_THE_VERSION)
def test_content_whose_first_commit_stands_between_two_modules_is_known_content(mia, acme, where, when):
    content = os.urandom(40)
    first = mia.started("first.bin", content)
    mia.send(first, content)
    with dying(where, when):
        mia.commit(first)
    second = mia.started("second.bin", content)
    assert [part["state"] for part in second["parts"]] == ["present"]
    answer = mia.commit(second)
    assert answer.status_code == 201, answer.content
    sweep_later(acme, days=5)
    assert [mia.fetch(node).data for node in files_of(mia)] == [content, content]
    assert room(mia) == (80, 0)
    assert mia.commit(first).status_code == 200


def test_content_is_kept_for_the_second_file_when_the_first_is_deleted_before_its_upload_came_to_its_end(mia, acme):
    content = os.urandom(40)
    first = mia.started("first.bin", content)
    mia.send(first, content)
    with dying("apps.billing.api.settle", "before"):
        mia.commit(first)
    second = mia.started("second.bin", content)
    node = mia.commit(second).json()
    (made,) = [node for node in files_of(mia) if node["name"] == "first.bin"]
    assert mia.api.delete(f"/nodes/{made['id']}").status_code == 204
    assert mia.api.delete(f"/trash/{made['id']}").status_code in (202, 204)
    sweep_later(acme, days=5)
    assert mia.fetch(node).data == content


def test_known_content_that_is_gone_by_the_commit_has_to_travel(mia, acme):
    from apps.storage.models import Blob
    from bitvault.kernel import db

    content = os.urandom(40)
    mia.bring("first.bin", content)
    second = mia.started("second.bin", content)
    with tenancy.entered(acme), db.write_transaction():
        Blob.objects.update(state="condemned")
    refused = mia.commit(second)
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [1])
    (part,) = mia.sign(second, content, [1])
    assert put(part, content).status == 200
    assert mia.commit(second).status_code == 201


START_STEPS = [
    ("apps.files.api.authorise_upload", "after"),
    ("apps.billing.api.reserve", "after"),
    ("apps.storage.rows.insert", "before"),
    ("apps.storage.provider.ObjectStore.create_multipart_upload", "before"),
    ("apps.storage.provider.ObjectStore.create_multipart_upload", "after"),
    ("apps.storage.api.start_upload", "after"),
]


@pytest.mark.parametrize(("where", "when"), START_STEPS)
def test_a_start_that_died_leaves_nothing_in_the_end(mia, acme, where, when):
    from apps.billing import operations as billing

    with dying(where, when):
        mia.start("never.bin", os.urandom(PART + 1))
    sweep_later(acme, days=5)
    with clock.fixed_at(clock.now() + timedelta(days=5)), tenancy.entered(acme):
        billing.lapse_expired()
    assert files_of(mia) == []
    assert room(mia) == (0, 0)
    assert objects_of(acme) == ([], [])


def test_a_store_that_is_away_refuses_and_everything_can_be_tried_again(mia, monkeypatch, acme):
    content = os.urandom(30)
    upload = mia.started("later.bin", content)
    mia.send(upload, content)
    working = provider.store()
    away = provider.ObjectStore(
        endpoint_url="http://127.0.0.1:1",
        public_endpoint_url=working.public_endpoint_url,
        region=working.region,
        access_key_id="x",
        secret_access_key="y",
        bucket=working.bucket,
    )
    with monkeypatch.context() as patch:
        patch.setattr(provider, "store", lambda: away)
        answer = mia.commit(upload)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage.store_unavailable")
        refused = mia.start("large.bin", os.urandom(PART + 1))
        assert refused.status_code == 503
        assert room(mia) == (0, 30), "what could not begin has given its room back"
        assert mia.api.delete(f"/uploads/{mia.started('other.bin', b'x')['id']}").status_code == 204
    assert mia.commit(upload).status_code == 201


# --- the sweeper -----------------------------------------------------------------------------------------------------------


def test_an_abandoned_upload_is_swept_with_all_it_brought(mia, acme):
    single, several = b"left behind", os.urandom(PART + 1)
    first = mia.started("single.bin", single)
    mia.send(first, single)
    second = mia.started("several.bin", several)
    put(second["parts"][0], several[:PART])
    assert len(objects_of(acme)[0]) == len(objects_of(acme)[1]) == 1
    sweep_later(acme, hours=72, minutes=30)
    assert room(mia) == (0, len(single) + len(several)), "not before its time and an hour"
    sweep_later(acme, hours=73, minutes=1)
    assert objects_of(acme) == ([], [])
    assert room(mia) == (0, 0)
    for upload in (first, second):
        assert mia.api.get(f"/uploads/{upload['id']}").json()["state"] == "expired"
        assert mia.commit(upload).status_code == 410


def test_what_comes_late_to_an_upload_that_was_given_up_is_swept_too(mia, acme):
    upload = mia.started("late.bin", b"late")
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert put(upload["parts"][0], b"late").status == 200, "the URL lives on for a while"
    sweep_later(acme, minutes=59)
    assert len(objects_of(acme)[0]) == 1
    sweep_later(acme, minutes=61)
    assert objects_of(acme)[0] == []


def test_bytes_that_were_announced_and_replaced_are_swept_beside_the_committed_ones(mia, acme):
    from tests.support.sending import sha256

    upload = mia.started("beside.bin", b"first")
    put(upload["parts"][0], b"first")
    (part,) = mia.api.post(
        f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": sha256(b"other")}]}
    ).json()["items"]
    put(part, b"other")
    node = mia.commit(upload).json()
    assert len(objects_of(acme)[0]) == 2
    sweep_later(acme, minutes=61)
    assert len(objects_of(acme)[0]) == 1
    assert mia.fetch(node).data == b"other"


def test_bytes_that_made_no_version_are_swept(mia, acme):
    mia.bring("same.txt", b"same")
    upload = mia.started("same.txt", b"same", announce=False, mode="overwrite")
    mia.send(upload, b"same")
    assert mia.commit(upload).status_code == 201
    assert len(objects_of(acme)[0]) == 2
    sweep_later(acme, minutes=61)
    assert len(objects_of(acme)[0]) == 1


def test_known_content_outlives_the_upload_that_only_referred_to_it(mia, acme):
    node = mia.bring("kept.txt", b"kept")
    mia.started("copy.txt", b"kept")
    sweep_later(acme, hours=74)
    assert mia.fetch(node).data == b"kept"


def test_the_rows_of_ended_uploads_are_forgotten_after_a_month(mia, acme):
    mia.bring("done.txt", b"done")
    upload = mia.started("gone.txt", b"gone")
    mia.api.delete(f"/uploads/{upload['id']}")
    sweep_later(acme, days=2)
    with tenancy.entered(acme), _reading():
        assert models.Upload.objects.count() == 2
    sweep_later(acme, days=33)
    with tenancy.entered(acme), _reading():
        assert models.Upload.objects.count() == 0
    assert mia.api.get(f"/uploads/{upload['id']}").status_code == 404


def test_the_sweeper_counts_what_it_does_and_tells_of_what_expired(mia, acme):
    from prometheus_client import REGISTRY

    from bitvault.events.models import StreamEvent

    count = lambda: REGISTRY.get_sample_value("bitvault_uploads_swept_total", {"outcome": "expired"}) or 0  # noqa: E731
    before = count()
    upload = mia.started("counted.bin", b"12345")
    sweep_later(acme, hours=74)
    assert count() == before + 1
    with tenancy.entered(acme), _reading():
        (event,) = StreamEvent.objects.filter(type="storage.upload.expired.v1")
    assert event.payload == {"upload_id": upload["id"], "size_bytes": 5}


def test_sweeping_twice_at_once_changes_nothing_more(mia, acme):
    upload = mia.started("twice.bin", b"12345")
    mia.send(upload, b"12345")
    sweep_later(acme, hours=74)
    sweep_later(acme, hours=74)
    assert room(mia) == (0, 0)


@pytest.mark.committed
def test_the_task_sweeps_for_the_tenant_that_its_header_names(mia, acme):
    import bitvault.gateway.celery  # noqa: F401 - the application whose task class chooses the tenant
    from apps.storage.tasks import sweep_uploads
    from bitvault.kernel.tasks import for_tenant

    mia.started("task.bin", b"1")
    with clock.fixed_at(clock.now() + timedelta(hours=74)):
        assert sweep_uploads.apply(headers=for_tenant(acme.id), throw=True).get() == 1
    assert room(mia) == (0, 0)


def _reading():
    from bitvault.kernel import db

    return db.read_transaction()


def test_an_upload_that_cannot_be_swept_does_not_stand_before_the_others(mia, acme, monkeypatch):
    from apps.files import api as files

    stuck, other = mia.started("stuck.bin", b"1"), mia.started("other.bin", b"22")
    asked = files.is_committed

    def failing(*, upload_id):
        if str(upload_id) == stuck["id"]:
            raise ValueError(upload_id)
        return asked(upload_id=upload_id)

    monkeypatch.setattr(files, "is_committed", failing)
    sweep_later(acme, hours=74)
    assert mia.api.get(f"/uploads/{other['id']}").json()["state"] == "expired"
    assert room(mia) == (0, 1)
    monkeypatch.undo()
    sweep_later(acme, hours=76)
    assert mia.api.get(f"/uploads/{stuck['id']}").json()["state"] == "expired"
    assert room(mia) == (0, 0)


def test_a_sweep_while_the_store_is_away_comes_back_later(mia, acme, monkeypatch):
    from apps.storage.errors import StoreUnavailable

    upload = mia.started("away.bin", b"1")
    mia.send(upload, b"1")

    def away(self, prefix):
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(provider.ObjectStore, "list_keys", away)
        sweep_later(acme, hours=74)
    assert len(objects_of(acme)[0]) == 1
    sweep_later(acme, hours=74)
    assert objects_of(acme)[0] == []
    assert room(mia) == (0, 0)
