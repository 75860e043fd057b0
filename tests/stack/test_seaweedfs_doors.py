"""No port of SeaweedFS serves or takes a byte without a signature, whichever way one asks."""

import base64
import hmac
import http.client
import json
import os
import socket
import ssl
import struct
import time
from pathlib import Path

import pytest

from bitvault.stack import buckets
from bitvault.stack.certificates import ensure_certificate
from bitvault.stack.seaweedfs import INNER_SERVERS
from bitvault.stack.stores import BUCKET
from tests.stack.processes import listening_addresses

KEY = "doors/object"
# Random, so that the store does not compress it and its chunk can be found in the volume's file.
BODY = os.urandom(4096)
LOOPBACK_HEX = "0100007F"

# Pages about the servers themselves, without a byte or a name of anybody's: disk sizes, cluster state, liveness.
STATUS_PAGES = {
    *(("master", path) for path in ("/", "/ui/index.html", "/cluster/status", "/healthz")),
    *(("volume", path) for path in ("/status", "/healthz")),
    *(("s3", path) for path in ("/status", "/healthz")),
}

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HTTP2_SETTINGS_FRAME = 4


@pytest.fixture(scope="module")
def services(seaweedfs_services):
    return seaweedfs_services


@pytest.fixture(scope="module")
def servers(services):
    return services.servers


@pytest.fixture(scope="module")
def store(servers):
    client = buckets.connect(servers.store.access)
    client.put_object(Bucket=BUCKET, Key=KEY, Body=BODY)
    yield servers.store
    client.close()


@pytest.fixture(scope="module")
def chunk(store):
    """The name under which the volume server itself knows the object: volume, key and cookie, read from its files."""
    for data in sorted((store.directory / "data").glob(f"{BUCKET}_*.dat")):
        volume = data.stem.rpartition("_")[2]
        content = data.read_bytes()
        at = content.find(BODY)
        if at >= 0:
            # A needle begins with cookie (4 bytes), key (8), size (4) and the length of its data (4).
            cookie, key = struct.unpack(">IQ", content[at - 20 : at - 8])
            return f"{volume},{key:x}{cookie:08x}"
    pytest.fail("the object's chunk is in none of the volumes: the format has changed and this test must follow")


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    except (http.client.HTTPException, OSError):
        # A gRPC port speaks no HTTP/1 at all.
        return None, b"", {}
    finally:
        connection.close()


def paths_of(chunk):
    volume = chunk.partition(",")[0]
    return [
        "/",
        "/status",
        "/healthz",
        "/cluster/status",
        f"/{chunk}",
        f"/{chunk.replace(',', '/')}",
        f"/{BUCKET}/{KEY}",
        f"/buckets/{BUCKET}/{KEY}",
        f"/buckets/{BUCKET}/",
        f"/{BUCKET}/?list-type=2",
        "/dir/assign",
        "/dir/status",
        "/vol/status",
        f"/dir/lookup?volumeId={volume}",
        f"/dir/lookup?fileId={chunk}&read=yes",
        f"/dir/lookup?fileId={chunk}",
        "/.tus/x",
        "/ui/index.html",
        "/stats/disk",
        "/metrics",
        "/debug/pprof/",
    ]


def test_every_port_of_the_store_is_known_and_on_loopback(store, servers):
    weed = next(child for child in servers.group.children if child.program.name == "seaweedfs")
    listening = listening_addresses([weed.pid])
    assert {port for _, port in listening} == set(store.ports.values())
    assert {address for address, _ in listening} == {LOOPBACK_HEX}


def test_the_chunk_is_there_for_whoever_holds_the_signing_key(store, chunk, services):
    """Proves that the refusals below refuse something: the same path with the stack's own token gives the bytes."""
    key = json.loads((services.directory / "secrets.json").read_text())["store_jwt_read"].encode()
    unsigned = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, {"fid": chunk, "exp": int(time.time()) + 60})
    )
    signature = base64.urlsafe_b64encode(hmac.digest(key, unsigned, "sha256")).rstrip(b"=")
    token = {"Authorization": f"Bearer {(unsigned + b'.' + signature).decode()}"}
    assert ask(store.ports["volume"], "GET", f"/{chunk}", headers=token)[:2] == (200, BODY)


def test_no_http_door_gives_a_byte_or_a_token(store, chunk):
    for name, port in store.ports.items():
        for path in paths_of(chunk):
            for method in ("GET", "POST"):
                status, body, headers = ask(port, method, path)
                assert BODY[:16] not in body, (name, method, path)
                assert "Authorization" not in headers, (name, method, path)
                assert status is None or status >= 400 or (name, path) in STATUS_PAGES, (name, method, path, status)


def test_no_http_door_takes_a_byte_or_deletes_one(store, chunk):
    for name, port in store.ports.items():
        for path in paths_of(chunk):
            for method in ("PUT", "DELETE"):
                status, _, _ = ask(port, method, path, b"overwritten" if method == "PUT" else None)
                assert status is None or status >= 400 or (name, path) in STATUS_PAGES, (name, method, path, status)
    client = buckets.connect(store.access)
    assert client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == BODY
    client.close()


def test_an_upload_form_cannot_be_posted_to_a_chunk(store, chunk):
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\noverwritten\r\n--x--\r\n'
    for port in store.ports.values():
        status, _, _ = ask(port, "POST", f"/{chunk}", form, {"Content-Type": "multipart/form-data; boundary=x"})
        assert status is None or status >= 400


def test_the_object_is_served_with_a_signature(store):
    client = buckets.connect(store.access)
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY})
    client.close()
    path = url.removeprefix(store.endpoint_url)
    assert ask(store.ports["s3"], "GET", path)[:2] == (200, BODY)
    assert ask(store.ports["s3"], "GET", path.replace("X-Amz-Signature=", "X-Amz-Signature=0"))[0] == 403


def speaks_grpc(stream):
    """Send HTTP/2's opening and tell whether the other side goes on with the protocol."""
    stream.settimeout(5)
    try:
        stream.sendall(HTTP2_PREFACE)
        header = stream.recv(9)
    except OSError:
        return False
    return len(header) == 9 and header[3] == HTTP2_SETTINGS_FRAME


def knock(port, *, certificate=None):
    """Open a TLS connection to a gRPC port, with or without the certificate of the stack."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        context.load_cert_chain(certificate.certificate, certificate.key)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as secured:
            return speaks_grpc(secured)
    except OSError:
        return False


@pytest.mark.parametrize("server", INNER_SERVERS)
def test_grpc_refuses_whoever_has_no_certificate_of_the_stack(store, server, tmp_path):
    port = store.ports[f"{server}_grpc"]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        assert not speaks_grpc(plain)
    assert not knock(port)
    assert not knock(port, certificate=ensure_certificate(tmp_path / "of-somebody-else"))
    assert knock(port, certificate=ensure_certificate(store.directory / "tls"))


def test_the_store_runs_without_telemetry_and_without_secrets_on_its_command_line(servers):
    weed = next(child for child in servers.group.children if child.program.name == "seaweedfs")
    command = b" ".join(Path(f"/proc/{weed.pid}/cmdline").read_bytes().split(b"\0")).decode()
    assert "-master.telemetry=false" in command
    for secret in (
        servers.environment()["BITVAULT_S3_SECRET_ACCESS_KEY"],
        servers.environment()["BITVAULT_S3_ACCESS_KEY_ID"],
    ):
        assert secret not in command


def test_secrets_are_readable_by_their_owner_alone(services):
    private = ["secrets.json", "env.json", "valkey/valkey.conf", "seaweedfs/s3.json", "seaweedfs/tls/node.key"]
    for name in private:
        assert (services.directory / name).stat().st_mode & 0o777 == 0o600, name
    for name in (".", "postgresql", "seaweedfs", "seaweedfs/data", "seaweedfs/tls", "valkey", "log"):
        assert (services.directory / name).stat().st_mode & 0o077 == 0, name
