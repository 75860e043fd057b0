"""SIGKILL at every step of an upload: afterwards the file has its version once or not at all, and nothing acknowledged is missing.

The steps are not listed here: a first run tells them (``tests/support/mortal.py``), and then a process dies at each one. All retries and
checks go to the living web server, as a client's would.
"""

import os
import uuid
from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from redis import Redis

from tests.support import sending
from tests.support.mortal import Mortal
from tests.support.sending import PART, Sender, cut, put, sha256
from tests.support.world import ACME

pytestmark = [pytest.mark.journey, pytest.mark.store]

SCHEMA = f"t_{ACME.id.hex}"
LATER = timedelta(days=5)


@pytest.fixture(scope="module")
def mortal(live):
    helper = Mortal(live.applications._environment)
    yield helper
    helper.close()
    print(f"{helper.kills} processes were killed")  # noqa: T201 - a figure of the run, shown with -rP


@pytest.fixture(scope="module")
def api(live):
    return live.client("mia")


@pytest.fixture(scope="module")
def root_id(api):
    return api.get("/me").json()["root_id"]


@pytest.fixture(scope="module")
def ledger():
    """Every content that was acknowledged, by its node and version."""
    return {}


@pytest.fixture
def mia(request, api, root_id):
    folder = api.post("/folders", {"parent_id": root_id, "name": f"{request.node.name} {uuid.uuid4().hex[:8]}"})
    return Sender(api, folder.json()["id"])


READING = ("statement SELECT", "statement WITH RECURSIVE")
STORE_WRITES = (
    "create_multipart_upload",
    "complete_multipart_upload",
    "abort_multipart_upload",
    "delete_objects",
    "copy_part",
)


def deadly(steps):
    """Number the steps at which a death leaves other traces than at the step before: around the COMMIT of a transaction that writes,
    after a call that changes the store, and at the very end."""
    found, writes = [], False
    for n, name in enumerate(steps, 1):
        if name.endswith("COMMIT"):
            if writes:
                found.append(n)
            writes = writes and name.startswith("before")
        elif name.removeprefix("after ") in STORE_WRITES or n == len(steps):
            found.append(n)
        elif name.startswith("statement ") and not name.startswith(READING):
            writes = True
    return found


def forget_turns(live):
    """Let nobody wait for a process that was killed while it had its turn: a commit does, for five seconds."""
    with Redis.from_url(f"{live.valkey.url}/1") as valkey:
        for key in valkey.scan_iter("*turn*"):
            valkey.delete(key)


def files_of(sender):
    return sender.api.get(f"/nodes/{sender.parent_id}/children", limit=1000).json()["items"]


def named(sender, name):
    return [node for node in files_of(sender) if node["name"] == name]


def wish(sender, name, content, **more):
    body = {"parent_id": sender.parent_id, "name": name, "size_bytes": len(content)}
    return {**body, "part_hashes": [sha256(part) for part in cut(content)], **more}


def keep(ledger, node, content):
    ledger[node["id"], node["version_id"]] = content


# --- the start -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, PART + 100], ids=["small", "large"])
def test_a_start_that_died_is_repeated_with_its_key(live, mortal, mia, ledger, size):
    random = os.urandom(size)
    key = {"Idempotency-Key": f"{mia.parent_id}"}
    mia.bring("first", b"a tenant's very first upload takes more steps")
    first = mortal.request("POST", "/uploads", wish(mia, "model", random), token=live.token, headers=key)
    for n in deadly(first.steps):
        name = f"start {n}"
        content = (name.encode() + random)[:size]  # content that is known already would not travel
        key = {"Idempotency-Key": f"{mia.parent_id} {n}"}
        body = wish(mia, name, content)
        died = mortal.request("POST", "/uploads", body, token=live.token, headers=key, die_at=n)
        assert died.killed, died
        assert named(mia, name) == [], "a start makes no file"
        upload = mia.api.post("/uploads", body, headers=key)
        assert upload.status_code == 201, (first.steps[n - 1], upload.text)
        again = mia.api.post("/uploads", body, headers=key)
        assert again.json() == upload.json()
        if n == deadly(first.steps)[-1]:  # sending each one would test the store
            mia.send(upload.json(), content)
            node = mia.commit(upload.json())
            assert node.status_code == 201
            keep(ledger, node.json(), content)


def test_a_signing_that_died_is_repeated(live, mortal, mia, ledger):
    content = os.urandom(PART + 100)
    parts = [{"number": n, "sha256": sha256(part)} for n, part in enumerate(cut(content), 1)]

    def begin(name):
        return mia.started(name, content, announce=False)

    first = mortal.request("POST", f"/uploads/{begin('model')['id']}/parts", {"parts": parts}, token=live.token)
    for n in deadly(first.steps):
        upload = begin(f"signing {n}")
        path = f"/uploads/{upload['id']}/parts"
        assert mortal.request("POST", path, {"parts": parts}, token=live.token, die_at=n).killed
        answer = mia.api.post(path, {"parts": parts})
        assert answer.status_code == 200, (first.steps[n - 1], answer.text)
        if n == deadly(first.steps)[-1]:
            for part, piece in zip(answer.json()["items"], cut(content), strict=True):
                assert put(part, piece).status == 200
            node = mia.commit(upload)
            assert node.status_code == 201
            keep(ledger, node.json(), content)


# --- the commit ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["small", "large", "overwriting"])
def test_a_commit_that_died_is_finished_by_the_next_one(live, mortal, mia, ledger, kind):
    size = PART + 100 if kind == "large" else 100
    random = os.urandom(size)

    def prepare(name):
        wishes = {}
        if kind == "overwriting":
            before = os.urandom(50)
            keep(ledger, mia.bring(name, before), before)
            wishes = {"mode": "overwrite"}
        content = (name.encode() + random)[:size]
        upload = mia.started(name, content, **wishes)
        mia.send(upload, content)
        return upload, content

    upload, content = prepare("model")
    first = mortal.request("POST", f"/uploads/{upload['id']}/commit", {}, token=live.token)
    assert first.status == 201
    keep(ledger, first.json(), content)
    expected_versions = 2 if kind == "overwriting" else 1
    for n in deadly(first.steps):
        name = f"commit {n}"
        upload, content = prepare(name)
        before = named(mia, name)
        assert mortal.request("POST", f"/uploads/{upload['id']}/commit", {}, token=live.token, die_at=n).killed
        seen = named(mia, name)
        assert len(seen) <= 1
        made = [node for node in seen if node["version_id"] not in [node["version_id"] for node in before]]
        for node in made:
            assert mia.fetch(node).data == content, "a version that is there can be read, finished or not"
        forget_turns(live)
        answer = mia.commit(upload)
        assert answer.status_code in (200, 201), (first.steps[n - 1], answer.text)
        node = answer.json()
        if made:
            assert (node["id"], node["version_id"]) == (made[0]["id"], made[0]["version_id"])
        assert mia.commit(upload).json()["version_id"] == node["version_id"]
        assert [found["version_id"] for found in named(mia, name)] == [node["version_id"]]
        assert versions_of(live, node) == expected_versions
        keep(ledger, node, content)


def versions_of(live, node):
    with live.database() as database:
        found = database.execute(f"SELECT count(*) FROM {SCHEMA}.files_version WHERE node_id = %s", [node["id"]])
        return found.fetchone()[0]


def test_a_commit_that_died_and_nobody_repeats_is_settled_by_a_worker(live, mortal, mia, ledger):
    upload = mia.started("model", b"model")
    mia.send(upload, b"model")
    first = mortal.request("POST", f"/uploads/{upload['id']}/commit", {}, token=live.token)
    attempts = {}
    for n in deadly(first.steps):
        content = os.urandom(100)
        upload = mia.started(f"left {n}", content)
        mia.send(upload, content)
        assert mortal.request("POST", f"/uploads/{upload['id']}/commit", {}, token=live.token, die_at=n).killed
        attempts[upload["id"]] = (named(mia, f"left {n}"), content)
    sweep(mortal)
    for upload_id, (before, content) in attempts.items():
        assert len(before) <= 1
        answer = mia.api.post(f"/uploads/{upload_id}/commit")
        if before:
            assert mia.fetch(before[0]).data == content
            assert (answer.status_code, answer.json()["id"]) == (200, before[0]["id"])
            keep(ledger, before[0], content)
        else:
            assert answer.status_code == 410
            assert objects_of(live, upload_id) == ([], [])
    assert {bool(before) for before, _ in attempts.values()} == {True, False}


# --- giving up, and folders ----------------------------------------------------------------------------------------------------


def test_giving_up_that_died_is_repeated_and_leaves_nothing(live, mortal, mia):
    def begin(n):
        content = os.urandom(PART + 1)
        upload = mia.started(f"given up {n}", content)
        assert put(upload["parts"][1], content[PART:]).status == 200
        return upload

    first = mortal.request("DELETE", f"/uploads/{begin(0)['id']}", token=live.token)
    uploads = []
    for n in deadly(first.steps):
        upload = begin(n)
        uploads.append(upload)
        assert mortal.request("DELETE", f"/uploads/{upload['id']}", token=live.token, die_at=n).killed
        assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204, first.steps[n - 1]
        assert mia.commit(upload).status_code == 410
    sweep(mortal)
    assert [objects_of(live, upload["id"]) for upload in uploads] == [([], [])] * len(uploads)


def test_a_folder_whose_answer_was_lost_is_made_once(live, mortal, mia):
    """IDEM-2: killed after the commit and before the answer, the retry gets the very answer that was lost."""

    def body(n):
        return {"parent_id": mia.parent_id, "name": f"folder {n}"}

    first = mortal.request(
        "POST", "/folders", body(0), token=live.token, headers={"Idempotency-Key": f"f {mia.parent_id}"}
    )
    for n in deadly(first.steps):
        key = {"Idempotency-Key": f"folder {mia.parent_id} {n}"}
        assert mortal.request("POST", "/folders", body(n), token=live.token, headers=key, die_at=n).killed
        made = named(mia, f"folder {n}")
        answer = mia.api.post("/folders", body(n), headers=key)
        assert answer.status_code == 201, (first.steps[n - 1], answer.text)
        assert answer.headers.get("Idempotent-Replayed") == ("true" if made else None)
        assert [answer.json()] == named(mia, f"folder {n}")
        assert not made or made == [answer.json()]


# --- the worker ----------------------------------------------------------------------------------------------------------------


def test_a_sweep_that_died_is_finished_by_the_next_one(live, mortal, mia, ledger):
    """One attempt of each kind that a sweeper meets, more of them for each step at which the worker dies, and one sweep in the end."""
    large = os.urandom(PART + 1)
    abandoned, left = [], []

    def leave():
        content = os.urandom(100)
        uploads = [mia.started(f"abandoned {uuid.uuid4()}", content), mia.started(f"abandoned {uuid.uuid4()}", large)]
        mia.send(uploads[0], content)
        assert put(uploads[1]["parts"][1], large[PART:]).status == 200
        abandoned.extend(uploads)
        kept = os.urandom(100)
        upload = mia.started(f"kept {uuid.uuid4()}", kept)
        mia.send(upload, kept)
        path = f"/uploads/{upload['id']}/commit"
        assert mortal.request("POST", path, {}, token=live.token, die_at=steps_to_version(live, mortal, mia)).killed
        left.append((upload, kept))

    sweep(mortal)
    leave()
    first = mortal.task("storage.sweep_uploads", str(ACME.id), later=LATER)
    for n in deadly(first.steps):
        leave()
        assert mortal.task("storage.sweep_uploads", str(ACME.id), later=LATER, die_at=n).killed
    sweep(mortal)
    assert {str(objects_of(live, upload["id"])) for upload in abandoned} == {"([], [])"}
    assert {mia.commit(upload).status_code for upload in abandoned} == {410}
    for upload, kept in left:
        node = mia.commit(upload)
        assert node.status_code == 200, node.text
        assert mia.fetch(node.json()).data == kept
        keep(ledger, node.json(), kept)


_to_version: list[int] = []


def steps_to_version(live, mortal, mia):
    """Tell at which step a commit dies with its version made and its end not written."""
    if not _to_version:
        content = os.urandom(10)
        upload = mia.started(f"model {uuid.uuid4()}", content)
        mia.send(upload, content)
        steps = mortal.request("POST", f"/uploads/{upload['id']}/commit", {}, token=live.token).steps
        settling = max(n for n, name in enumerate(steps) if name.startswith("statement WITH given AS"))
        _to_version.append(settling + 1)
    return _to_version[0]


def sweep(mortal):
    """Let workers do what clocks will have them do, five days from now."""
    while mortal.task("storage.sweep_uploads", str(ACME.id), later=LATER).json():
        pass
    mortal.task("billing.lapse_reservations", str(ACME.id), later=LATER)


def objects_of(live, upload_id):
    """List what an upload has in the store: objects, and sessions of parts."""
    store = boto3.client(
        "s3",
        endpoint_url=os.environ["BITVAULT_S3_ENDPOINT_URL"],
        region_name=os.environ["BITVAULT_S3_REGION"],
        aws_access_key_id=os.environ["BITVAULT_S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["BITVAULT_S3_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    place = {"Bucket": os.environ["BITVAULT_S3_BUCKET"], "Prefix": f"{ACME.id.hex}/{uuid.UUID(upload_id).hex}/"}
    objects = [found["Key"] for found in store.list_objects_v2(**place).get("Contents", [])]
    sessions = [found["UploadId"] for found in store.list_multipart_uploads(**place).get("Uploads", [])]
    store.close()
    return objects, sessions


# --- in the end ----------------------------------------------------------------------------------------------------------------


def test_in_the_end_nothing_acknowledged_is_missing_and_the_books_agree(live, mortal, api, ledger):
    sweep(mortal)
    for (node_id, version_id), content in ledger.items():
        answer = api.get(f"/nodes/{node_id}/content", version_id=version_id)
        assert answer.status_code == 302
        assert sending.pool.request("GET", answer.headers["Location"]).data == content
    with live.database() as database:

        def one(statement):
            return database.execute(statement.format(s=SCHEMA)).fetchone()

        assert one("SELECT used_bytes, reserved_bytes FROM {s}.billing_quota") == (
            one("SELECT sum(size_bytes) FROM {s}.files_version")[0],
            0,
        ), "room is charged for what is there, and none is promised any more"
        assert one(
            "SELECT count(*) FROM {s}.files_version v LEFT JOIN {s}.storage_blob b ON b.id = v.blob_id WHERE b.state IS DISTINCT FROM 'live'"
        ) == (0,)
        assert one(
            "SELECT count(*) FROM {s}.storage_blob WHERE state = 'live' AND id NOT IN (SELECT blob_id FROM {s}.files_version)"
        ) == (0,)
        assert one("SELECT count(*) FROM {s}.storage_blob WHERE state = 'pending'") == (0,)
        versions = one("SELECT count(*) FROM {s}.files_version")
        assert versions[0] >= len(ledger)
        told = f"FROM events_stream_event WHERE tenant_id = '{ACME.id}'"
        assert one(f"SELECT count(*) {told} AND type = 'files.version.committed.v1'") == versions
        assert one(f"SELECT count(*) = max(seq) AND min(seq) = 1 {told}") == (True,)
