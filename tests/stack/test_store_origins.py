"""Which pages may talk to the store from a browser: those of this installation."""

import base64
import hashlib

import pytest

from bitvault.stack import buckets
from bitvault.stack.stores import BUCKET
from tests.stack.test_seaweedfs_doors import ask

BODY = b"a part"


@pytest.fixture(scope="module")
def servers(each_servers):
    return each_servers


@pytest.fixture(scope="module")
def part(servers):
    """A signed PUT of one part: path and headers."""
    client = buckets.connect(servers.store.access)
    checksum = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    url = client.generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": "origins/part", "ChecksumSHA256": checksum}
    )
    client.close()
    return url.removeprefix(servers.store.endpoint_url), {"x-amz-checksum-sha256": checksum}


def preflight(servers, path, origin, method="PUT"):
    return ask(
        servers.store.ports["s3"],
        "OPTIONS",
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type,x-amz-checksum-sha256",
        },
    )


@pytest.mark.parametrize("host", ["localhost", "demo.localhost", "another-tenant.localhost"])
def test_pages_of_this_installation_may_send_parts(servers, part, host):
    path, headers = part
    origin = f"http://{host}:{servers.ports['web']}"
    status, _, answer = preflight(servers, path, origin)
    assert status == 200
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "PUT" in answer["Access-Control-Allow-Methods"]
    assert "x-amz-checksum-sha256" in answer["Access-Control-Allow-Headers"].lower()

    status, _, answer = ask(servers.store.ports["s3"], "PUT", path, BODY, {**headers, "Origin": origin})
    assert status == 200
    assert answer["Access-Control-Allow-Origin"] == origin
    exposed = answer["Access-Control-Expose-Headers"].lower()
    assert "etag" in exposed
    assert "x-amz-checksum-sha256" in exposed


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://demo.localhost:{web}",
        "http://demo.localhost:1",
        "http://demo.localhost:{web}.evil.example",
        "http://evillocalhost:{web}",
        "null",
    ],
)
def test_foreign_pages_get_nothing(servers, part, origin):
    path, headers = part
    origin = origin.format(web=servers.ports["web"])
    status, _, answer = preflight(servers, path, origin)
    assert status == 403
    assert not [name for name in answer if name.lower().startswith("access-control-")]
    _, _, answer = ask(servers.store.ports["s3"], "PUT", path, BODY, {**headers, "Origin": origin})
    assert not [name for name in answer if name.lower().startswith("access-control-")]


def test_no_page_may_delete(servers, part):
    origin = f"http://demo.localhost:{servers.ports['web']}"
    _, _, answer = preflight(servers, part[0], origin, method="DELETE")
    assert "Access-Control-Allow-Methods" not in answer
