"""Downloads through the front: resumed safely from stores that know no If-Range, and of the type that they say."""

import http.client
import json
import time
from itertools import count

import pytest

from apps.storage import provider
from bitvault.stack import buckets
from bitvault.stack.caddy import DOWNLOAD_PORT, Caddy, Reach, listens
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.stores import BUCKET
from tests.stack.processes import eventually
from tests.stack.test_front import BODY_SECONDS, Front
from tests.stack.test_front import short_patience as short_patience  # noqa: PLC0414 - a fixture

OLD, NEW = b"A" * 50_000, b"B" * 50_000
PARTS = (b"C" * 5 * 1024 * 1024, b"D" * 1000)
"""The smallest that S3 takes for a part that is not the last one."""


class Downloads:
    """A real store, reached by a front before it."""

    def __init__(self, servers, directory):
        self._servers = servers
        self.ports = {**servers.ports, **free_ports((DOWNLOAD_PORT, "port"))}
        (directory / "static").mkdir()
        front = Caddy(
            directory=directory / "caddy",
            ports=self.ports,
            reach=Reach(self.ports["port"]),
            static_files=directory / "static",
        )
        self.group = ChildGroup(stack_directory=directory, output=QuietOutput(directory).of)
        self.group.launch(front.prepare())
        assert eventually(lambda: listens(LOOPBACK, self.port)), (directory / "front.log").read_text()
        variables = servers.environment()
        self.store = provider.ObjectStore(
            endpoint_url=servers.store.endpoint_url,
            public_endpoint_url=servers.store.endpoint_url,
            download_endpoint_url=f"http://{LOOPBACK}:{self.port}",
            region=variables["BITVAULT_S3_REGION"],
            access_key_id=variables["BITVAULT_S3_ACCESS_KEY_ID"],
            secret_access_key=variables["BITVAULT_S3_SECRET_ACCESS_KEY"],
            bucket=BUCKET,
        )

    @property
    def port(self):
        return self.ports[DOWNLOAD_PORT]

    def put(self, key, body):
        client = buckets.connect(self._servers.store.access)
        client.put_object(Bucket=BUCKET, Key=key, Body=body)
        client.close()

    def put_parts(self, key, parts):
        client = buckets.connect(self._servers.store.access)
        upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        named = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
        held = [
            {"PartNumber": number, "ETag": client.upload_part(**named, PartNumber=number, Body=part)["ETag"]}
            for number, part in enumerate(parts, start=1)
        ]
        client.complete_multipart_upload(**named, MultipartUpload={"Parts": held})
        client.close()

    def path(self, key, method="GET"):
        signed = self.store.sign_get(key=key, disposition="attachment", media_type="text/plain", method=method)
        return signed.url.removeprefix(f"http://{LOOPBACK}:{self.port}")

    def ask(self, path, *headers, method="GET"):
        """Ask, with any header as often as it is named; gives status, headers and body."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=20)
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read()
        connection.close()
        return answer.status, told, body

    def tag(self, key):
        return self.ask(self.path(key))[1]["etag"]


@pytest.fixture(scope="module")
def downloads(each_servers, tmp_path_factory):
    running = Downloads(each_servers, tmp_path_factory.mktemp("downloads"))
    yield running
    running.group.stop()


_numbers = count()


@pytest.fixture
def key(downloads):
    name = f"downloads/{next(_numbers)}"
    downloads.put(name, OLD)
    return name


RANGE = ("Range", "bytes=20000-")
LATER = "Fri, 31 Dec 2100 00:00:00 GMT"


def test_an_object_is_the_same_through_the_front(downloads, key):
    status, told, body = downloads.ask(downloads.path(key))
    assert (status, body, told["content-length"]) == (200, OLD, str(len(OLD)))
    assert (told["content-type"], told["content-disposition"]) == ("text/plain", "attachment")
    assert (told["cache-control"], told["x-content-type-options"]) == ("private, no-store", "nosniff")
    assert "server" not in told


def test_a_range_alone_is_a_part(downloads, key):
    status, told, body = downloads.ask(downloads.path(key), RANGE)
    assert (status, body, told["content-range"]) == (206, OLD[20_000:], "bytes 20000-49999/50000")
    assert told["x-content-type-options"] == "nosniff"


def test_a_download_goes_on_while_the_object_is_the_same(downloads, key):
    status, _, body = downloads.ask(downloads.path(key), RANGE, ("If-Range", downloads.tag(key)))
    assert (status, body) == (206, OLD[20_000:])


def test_a_download_begins_again_when_the_object_is_another_one(downloads, key):
    tag = downloads.tag(key)
    downloads.put(key, NEW)
    status, told, body = downloads.ask(downloads.path(key), RANGE, ("If-Range", tag))
    assert (status, body) == (200, NEW)
    assert (told["content-length"], told.get("content-range")) == (str(len(NEW)), None)
    assert (told["content-type"], told["cache-control"]) == ("text/plain", "private, no-store")
    assert told["x-content-type-options"] == "nosniff"
    assert told["etag"] == downloads.tag(key) != tag


def test_the_same_holds_of_an_object_of_several_parts(downloads, key):
    downloads.put_parts(key, PARTS)
    tag, first = downloads.tag(key), len(PARTS[0])
    status, _, body = downloads.ask(downloads.path(key), ("Range", f"bytes={first}-"), ("If-Range", tag))
    assert (status, body) == (206, PARTS[1])
    downloads.put_parts(key, (PARTS[0], b"E" * 1000))
    status, _, body = downloads.ask(downloads.path(key), ("Range", f"bytes={first}-"), ("If-Range", tag))
    assert (status, body) == (200, PARTS[0] + b"E" * 1000)


@pytest.mark.parametrize(
    "conditions",
    [
        lambda tag, _: [("If-Range", f"W/{tag}")],
        lambda _, modified: [("If-Range", modified)],
        lambda tag, _: [("If-Range", f'{tag}, "0"')],
        lambda tag, _: [("If-Range", tag), ("If-Range", '"0"')],
        lambda tag, _: [("If-Range", tag.strip('"'))],
        lambda tag, _: [("If-Range", tag), ("If-Match", tag)],
        lambda tag, _: [("If-Range", tag), ("If-Unmodified-Since", LATER)],
        lambda *_: [("If-Range", "")],
    ],
    ids=["weak", "date", "list", "twice", "unquoted", "beside If-Match", "beside a date", "empty"],
)
def test_what_proves_nothing_gets_the_whole(downloads, key, conditions):
    told = downloads.ask(downloads.path(key))[1]
    status, _, body = downloads.ask(downloads.path(key), RANGE, *conditions(told["etag"], told["last-modified"]))
    assert (status, body) == (200, OLD)


def test_conditions_of_the_clients_own_hold(downloads, key):
    tag = downloads.tag(key)
    other = ("If-Match", '"0"')
    assert downloads.ask(downloads.path(key), other)[0] == 412
    assert downloads.ask(downloads.path(key), RANGE, other)[0] == 412
    assert downloads.ask(downloads.path(key), RANGE, other, ("If-Range", tag))[0] == 412
    assert downloads.ask(downloads.path(key), ("If-None-Match", tag))[0] == 304
    assert downloads.ask(downloads.path(key), ("If-Range", '"0"'))[::2] == (200, OLD), "without a range it says nothing"


def test_a_head_is_answered_as_the_whole(downloads, key):
    path = downloads.path(key, "HEAD")
    for conditions in ([], [RANGE, ("If-Range", '"0"')]):
        status, told, body = downloads.ask(path, *conditions, method="HEAD")
        assert (status, told["content-length"], body) == (200, str(len(OLD)), b"")
        assert told["x-content-type-options"] == "nosniff"


def test_refusals_forbid_to_guess_as_well(downloads, key):
    for path in (downloads.path(key).replace("X-Amz-Signature=", "X-Amz-Signature=0"), f"/{BUCKET}/{key}"):
        for conditions in ([], [RANGE, ("If-Range", '"0"')]):
            status, told, body = downloads.ask(path, *conditions)
            assert status >= 400
            assert OLD[:100] not in body
            assert told["x-content-type-options"] == "nosniff"


def test_pages_of_this_installation_may_fetch_through_the_front(downloads, key):
    origin = ("Origin", f"http://demo.localhost:{downloads.ports['web']}")
    asks = [("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "range,if-range")]
    status, told, _ = downloads.ask(downloads.path(key), origin, *asks, method="OPTIONS")
    assert (status, told["access-control-allow-origin"]) == (200, origin[1])
    assert "range" in told["access-control-allow-headers"].lower()
    for tag, expected in ((downloads.tag(key), 206), ('"0"', 200)):
        status, told, _ = downloads.ask(downloads.path(key), origin, RANGE, ("If-Range", tag))
        assert (status, told["access-control-allow-origin"]) == (expected, origin[1])
        assert "etag" in told["access-control-expose-headers"].lower()
    stranger = ("Origin", "https://evil.example")
    assert "access-control-allow-origin" not in downloads.ask(downloads.path(key), stranger)[1]


# --- with a small server in the place of the store ---------------------------------------------------------------------------------


def test_a_download_goes_on_as_it_comes(tmp_path, short_patience):
    with Front(tmp_path, Reach) as front:
        connection = http.client.HTTPConnection(LOOPBACK, front.download_port, timeout=20)
        began = time.monotonic()
        connection.request("GET", "/stream", headers={"Range": "bytes=0-", "If-Range": '"0"'})
        answer = connection.getresponse()
        answer.read(0x8000)
        first = time.monotonic() - began
        answer.read()
        connection.close()
        assert first < BODY_SECONDS < time.monotonic() - began


def test_a_store_that_is_away_is_a_problem_with_a_moment_to_wait(tmp_path, short_patience):
    with Front(tmp_path, Reach) as front:
        front.store.shutdown()
        front.store.server_close()
        status, told, body = front.ask("GET", "/bitvault/key?X-Amz-Signature=a-secret", port=front.download_port)
        assert (status, told["retry-after"], json.loads(body)["code"]) == (503, "2", "platform.unavailable")
        assert told["x-content-type-options"] == "nosniff"
        assert "a-secret" not in front.log.read_text()
