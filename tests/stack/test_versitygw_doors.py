"""versitygw serves and takes nothing without a signature, on the one port that it has."""

import os
from pathlib import Path

import pytest

from bitvault.stack import buckets
from bitvault.stack.stores import BUCKET
from tests.stack.processes import listening_addresses
from tests.stack.test_seaweedfs_doors import LOOPBACK_HEX, ask

KEY = "doors/object"
BODY = os.urandom(4096)

# What S3 has, what its administration has, and what such servers often have besides.
PATHS = (
    "/",
    f"/{BUCKET}",
    f"/{BUCKET}?list-type=2",
    f"/{BUCKET}?uploads",
    f"/{BUCKET}?acl",
    f"/{BUCKET}?policy",
    f"/{BUCKET}?cors",
    f"/{BUCKET}/{KEY}",
    f"/{BUCKET}/{KEY}?acl",
    f"/{BUCKET}/{KEY}?attributes",
    f"/{BUCKET}/.sgwtmp/multipart",
    "/list-users",
    "/list-buckets",
    "/create-user",
    "/delete-user?access=x",
    "/update-user?access=x",
    f"/change-bucket-owner?bucket={BUCKET}&owner=x",
    f"/{BUCKET}/create?owner=x",
    "/debug/pprof/",
    "/metrics",
    "/webui",
    "/ui/",
    "/health",
)


@pytest.fixture(scope="module")
def store(versitygw_services):
    store = versitygw_services.servers.store
    client = buckets.connect(store.access)
    client.put_object(Bucket=BUCKET, Key=KEY, Body=BODY)
    yield store
    client.close()


@pytest.fixture(scope="module")
def process(versitygw_services):
    children = versitygw_services.servers.group.children
    return next(child for child in children if child.program.name == "versitygw")


def test_the_store_has_one_port_and_it_is_on_loopback(store, process):
    assert listening_addresses([process.pid]) == [(LOOPBACK_HEX, store.ports["s3"])]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_told_taken_or_deleted_without_a_signature(store, method):
    for path in PATHS:
        body = b"overwritten" if method in ("PUT", "POST", "PATCH") else None
        status, told, _ = ask(store.ports["s3"], method, path, body)
        assert status is not None, (method, path)
        assert status >= 400, (method, path, status)
        assert BODY[:16] not in told, (method, path)
    client = buckets.connect(store.access)
    assert client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == BODY
    assert {bucket["Name"] for bucket in client.list_buckets()["Buckets"]} == {BUCKET, f"{BUCKET}-assets"}
    client.close()


def test_a_form_cannot_be_posted_to_the_bucket(store):
    form = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nposted\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--x--\r\n'
    status, _, _ = ask(
        store.ports["s3"], "POST", f"/{BUCKET}", form, {"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert status >= 400


@pytest.mark.parametrize(
    "path", [f"/{BUCKET}/../../secrets.json", f"/{BUCKET}/%2e%2e/%2e%2e/secrets.json", "/../secrets.json"]
)
def test_no_signature_leads_out_of_the_bucket(store, path):
    client = buckets.connect(store.access)
    try:
        signed = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "x"})
        assert ask(store.ports["s3"], "GET", f"{path}?{signed.partition('?')[2]}")[0] >= 400
        with pytest.raises(client.exceptions.ClientError):
            client.get_object(Bucket=BUCKET, Key="../../secrets.json")
    finally:
        client.close()


def test_the_object_is_served_with_a_signature(store):
    client = buckets.connect(store.access)
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY})
    client.close()
    path = url.removeprefix(store.endpoint_url)
    assert ask(store.ports["s3"], "GET", path)[:2] == (200, BODY)
    assert ask(store.ports["s3"], "GET", path.replace("X-Amz-Signature=", "X-Amz-Signature=0"))[0] == 403


def test_no_secret_is_on_its_command_line(versitygw_services, process):
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    for name in ("BITVAULT_S3_SECRET_ACCESS_KEY", "BITVAULT_S3_ACCESS_KEY_ID"):
        assert versitygw_services.servers.environment()[name] not in command


def test_what_is_stored_is_readable_by_its_owner_alone(store):
    upload = None
    client = buckets.connect(store.access)
    try:
        upload = client.create_multipart_upload(Bucket=BUCKET, Key="doors/parts")["UploadId"]
        client.upload_part(Bucket=BUCKET, Key="doors/parts", UploadId=upload, PartNumber=1, Body=BODY)
        found = [store.directory, *store.directory.rglob("*")]
        assert [path for path in found if path.is_file() and path.stat().st_size == len(BODY)], "the part is seen"
        assert not [path for path in found if path.stat().st_mode & 0o077], "nobody else enters or reads anything"
    finally:
        client.abort_multipart_upload(Bucket=BUCKET, Key="doors/parts", UploadId=upload)
        client.close()
