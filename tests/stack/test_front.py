"""The front as its clients meet it: Caddy itself, with two small servers in the place of web and sockets."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bitvault.stack.caddy import CONFIGURATION, DOWNLOAD_PORT, EVERYWHERE, Caddy, Reach, find_program, listens
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.servers import Addresses
from bitvault.web.problems import LATE
from tests.stack.processes import eventually

DOMAIN = "vault.example.test"
SHARED = tuple(CONFIGURATION / f"{name}.caddyfile" for name in ("options", "vault", "store"))
LIMIT = 2 * 1024 * 1024
BODY_SECONDS = 1.5


class Behind(ThreadingHTTPServer):
    """A server behind the front: answers what it was asked, and keeps it."""

    daemon_threads = True

    def __init__(self, name):
        super().__init__((LOOPBACK, 0), Answers)
        self.name = name
        self.asked = []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path.startswith("/certificates/ask"):
            return self.send(200 if "acme" in self.path else 404, b"")
        if self.path.startswith("/slow"):
            time.sleep(2 * BODY_SECONDS)
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        said = {
            "server": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": headers,
            "length": len(body),
        }
        self.server.asked.append(said)
        if self.path.startswith("/stream"):
            return self.stream()
        if self.path == "/too-fast":
            return self.refuse()
        return self.send(200, json.dumps(said).encode())

    do_GET = do_POST = do_PUT = do_OPTIONS = answer  # noqa: N815 - the names that http.server calls

    def send(self, status, content):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self):
        self.send_response(429)
        for name, value in {LATE: REFUSAL, "Retry-After": "3", "Content-Type": "application/problem+json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL.encode())

    def stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(3):
            self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            self.wfile.flush()
            time.sleep(BODY_SECONDS)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


REFUSAL = '{"code":"request.rate_limited","status":429,"detail":"a, \\"b\\" {c} {http.request.host}"}'


class Front:
    """A front that runs, and ways to ask it."""

    def __init__(self, directory, reach_of):
        names = free_ports(("port", "front_http", DOWNLOAD_PORT))
        self.web, self.sockets, self.store = Behind("web"), Behind("sockets"), Behind("store")
        self.reach = reach_of(names["port"])
        self.port, self.http_port, self.download_port = self.reach.port, names["front_http"], names[DOWNLOAD_PORT]
        ports = {
            "wsgi": self.web.port,
            "sockets": self.sockets.port,
            "s3": self.store.port,
            "front_http": self.http_port,
            DOWNLOAD_PORT: self.download_port,
        }
        self.directory = directory
        self.static = directory / "static"
        self.static.mkdir()
        self.log = directory / "front.log"
        self.caddy = Caddy(directory=directory / "caddy", ports=ports, reach=self.reach, static_files=self.static)
        self.group = ChildGroup(stack_directory=directory, output=QuietOutput(directory).of)

    def __enter__(self):
        self.group.launch(self.caddy.prepare())
        assert eventually(lambda: listens(LOOPBACK, self.port), seconds=30), self.log.read_text()
        return self

    def __exit__(self, *_):
        self.group.stop()
        for behind in (self.web, self.sockets, self.store):
            behind.shutdown()
            behind.server_close()

    def ask(self, method, path, body=None, headers=None, *, host=None, port=None):
        connection = http.client.HTTPConnection(LOOPBACK, port or self.port, timeout=20)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused while it is being sent: the answer is there
                connection.request(
                    method, path, body, {"Host": host or f"acme.localhost:{self.port}", **(headers or {})}
                )
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def raw(self, request, *, seconds=20.0):
        """Send bytes as they are and read until the front hangs up."""
        with socket.create_connection((LOOPBACK, self.port), timeout=seconds) as line:
            line.sendall(request)
            return read_all(line)


def read_all(line):
    answer = b""
    while part := line.recv(65536):
        answer += part
    return answer


@pytest.fixture(scope="module")
def short_patience():
    """A body has as long as a test can wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITVAULT_FRONT_BODY_TIMEOUT", f"{BODY_SECONDS}s")
        yield


@pytest.fixture(scope="module")
def front(tmp_path_factory, short_patience):
    with Front(tmp_path_factory.mktemp("front"), Reach) as running:
        yield running


# --- refusals ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b'{"a": 1}'), ("POST", b"")])
def test_a_refusal_that_is_to_come_late_waits_in_the_process_of_the_sockets(front, method, body):
    secrets = {"Authorization": "Bearer secret", "Cookie": "a=b", "Content-Type": "application/json"}
    status, headers, content = front.ask(method, "/too-fast", body, secrets)
    asked = json.loads(content)
    assert (status, asked["server"], asked["method"], asked["path"], asked["length"]) == (
        200,
        "sockets",
        "GET",
        "/refused",
        0,
    )
    sent = dict(asked["headers"])
    assert sent[LATE.lower()] == REFUSAL, "as it came, whatever stands in it"
    assert not {"authorization", "cookie", "content-type"} & set(sent)
    assert headers["retry-after"] == "3"
    assert LATE.lower() not in headers


def test_nobody_else_has_the_route_of_late_refusals(front):
    status, _, content = front.ask("GET", "/refused", headers={LATE: REFUSAL})
    assert (status, json.loads(content)["server"]) == (200, "web")


# --- bodies ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [b"", b"{", b"x" * 60_000], ids=["nothing", "a byte", "sixty kilobytes"])
def test_a_body_that_stops_coming_is_408_and_reaches_nobody(front, begun):
    front.web.asked.clear()
    began = time.monotonic()
    head = b"POST /api/v1/folders HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 100000\r\n\r\n"
    answer = front.raw(head + begun)
    assert answer.startswith(b"HTTP/1.1 408 "), answer[:200]
    assert b"Connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request.timeout"
    assert time.monotonic() - began < BODY_SECONDS + 5
    assert front.web.asked == []


def test_a_body_without_a_length_is_refused_before_it_comes(front):
    front.web.asked.clear()
    head = b"POST /api/v1/folders HTTP/1.1\r\nHost: acme.localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello"
    answer = front.raw(head)
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request.length_required"
    assert front.web.asked == []


def test_many_stopped_bodies_keep_nobody_waiting(front):
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 1000\r\n\r\n{"
    lines = [socket.create_connection((LOOPBACK, front.port)) for _ in range(100)]
    try:
        for line in lines:
            line.sendall(head)
        assert front.ask("GET", "/api/v1/me")[0] == 200
    finally:
        for line in lines:
            line.close()


def test_a_body_that_comes_slowly_but_in_time_arrives_whole(front):
    with socket.create_connection((LOOPBACK, front.port), timeout=20) as line:
        line.sendall(b"POST /echo HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
        for letter in (b"a", b"b", b"c", b"d"):
            time.sleep(BODY_SECONDS / 10)
            line.sendall(letter)
        answer = read_all(line)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["length"] == 4


@pytest.mark.parametrize(
    ("length", "status"),
    [(0, 200), (LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (2_100_000, 413), (3 * LIMIT, 413), (10 * LIMIT, 413)],
)
def test_two_megabytes_pass_and_not_a_byte_more(front, length, status):
    got, headers, answer = front.ask("POST", "/echo", b"x" * length)
    assert got == status
    if status == 413:
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(answer)["code"] == "request.too_large"
    else:
        assert json.loads(answer)["length"] == length


def test_an_announced_body_that_is_too_large_is_refused_before_it_comes(front):
    head = b"POST /x HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 5000000000\r\n\r\n"
    assert front.raw(head).startswith(b"HTTP/1.1 413 ")


# --- answers ---------------------------------------------------------------------------------------------------------------


def test_an_answer_may_take_longer_than_a_body(front):
    assert front.ask("GET", "/slow")[0] == 200
    assert front.ask("POST", "/slow", b"body")[0] == 200


def test_an_answer_goes_on_as_it_comes(front):
    connection = http.client.HTTPConnection(LOOPBACK, front.port, timeout=20)
    began = time.monotonic()
    connection.request("GET", "/stream", headers={"Host": "acme.localhost"})
    answer = connection.getresponse()
    assert len(answer.read(0x8000)) == 0x8000
    first = time.monotonic() - began
    rest = answer.read()
    connection.close()
    assert len(rest) == 3 * 0x10000 - 0x8000
    assert first < BODY_SECONDS < time.monotonic() - began


def test_an_idle_connection_is_used_again(front):
    connection = http.client.HTTPConnection(LOOPBACK, front.port, timeout=20)
    for pause in (0, 2 * BODY_SECONDS):
        time.sleep(pause)
        connection.request("POST", "/echo", b"x", headers={"Host": "acme.localhost"})
        assert json.loads(connection.getresponse().read())["length"] == 1
    connection.close()


def test_an_answer_says_nothing_of_the_servers(front):
    for path in ("/echo", "/static/none.js", "/healthz"):
        assert not {"server", "via"} & front.ask("GET", path)[1].keys() - (
            {"server"} if path != "/static/none.js" else set()
        )


# --- who is asked, and what they are told -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/healthz", "sockets"),
        ("/readyz", "sockets"),
        ("/ws/v1/sync?ticket=x", "sockets"),
        ("/", "web"),
        ("/healthz/x", "web"),
        ("/beatz", "web"),
        ("/api/v1/me", "web"),
        ("/wsx", "web"),
    ],
)
def test_each_path_has_its_process(front, path, server):
    status, _, answer = front.ask("GET", path)
    assert (status, json.loads(answer)["server"]) == (200, server)


def test_what_the_front_asks_the_web_is_nobody_elses_to_ask(front):
    assert front.ask("GET", "/certificates/ask?domain=acme")[0] == 404


LIES = [
    ("X-Forwarded-For", "6.6.6.6"),
    ("x-forwarded-for", "6.6.6.7"),
    ("X_Forwarded_For", "6.6.6.8"),
    ("X_Forwarded-For", "6.6.6.9"),
    ("X-Forwarded-Proto", "https"),
    ("X_Forwarded_Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("X_CSRFToken", "x"),
    ("Content_Length", "7"),
    ("X-Real-IP", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;proto=https;host=evil.example"),
    ("A_b", "c"),
]


@pytest.mark.parametrize("path", ["/echo", "/ws/v1/sync"])
def test_what_a_client_says_of_itself_does_not_pass(front, path):
    lines = "".join(f"{name}: {value}\r\n" for name, value in LIES)
    answer = front.raw(f"GET {path} HTTP/1.1\r\nHost: acme.localhost:1\r\n{lines}Connection: close\r\n\r\n".encode())
    told = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    assert not [name for name, _ in told if "_" in name]
    assert "6.6.6." not in json.dumps(told)
    seen = dict(told)
    assert len(seen) == len(told)
    assert (seen["host"], seen["x-forwarded-for"]) == ("acme.localhost:1", LOOPBACK)
    assert (seen["x-forwarded-proto"], seen["x-forwarded-host"]) == ("http", "acme.localhost:1")
    assert "forwarded" not in seen
    assert "x-real-ip" not in seen


def test_a_process_that_is_away_is_a_problem_with_a_moment_to_wait(tmp_path, short_patience):
    with Front(tmp_path, Reach) as alone:
        alone.web.shutdown()
        alone.web.server_close()
        status, headers, answer = alone.ask("GET", "/api/v1/me?ticket=a-secret")
        assert (status, headers["retry-after"], json.loads(answer)["code"]) == (503, "2", "platform.unavailable")
        assert headers["x-request-id"] == json.loads(answer)["request_id"]
        assert "a-secret" not in alone.log.read_text()


def test_a_refusal_is_told_at_once_when_the_process_in_which_it_would_wait_is_away(tmp_path, short_patience):
    with Front(tmp_path, Reach) as alone:
        alone.sockets.shutdown()
        alone.sockets.server_close()
        status, headers, answer = alone.ask("GET", "/too-fast")
        assert (status, headers["retry-after"], headers["content-type"]) == (429, "3", "application/problem+json")
        assert answer.decode() == REFUSAL
        assert LATE.lower() not in headers


# --- static files ------------------------------------------------------------------------------------------------------------


def test_static_files_come_compressed_and_are_kept_by_their_digest(front):
    (front.static / "app.0123456789ab.js").write_text("plain" * 100)
    (front.static / "app.0123456789ab.js.gz").write_bytes(b"compressed")
    (front.static / "app.js").write_text("plain")
    status, headers, answer = front.ask("GET", "/static/app.0123456789ab.js", headers={"Accept-Encoding": "gzip"})
    assert (status, headers["content-encoding"], answer) == (200, "gzip", b"compressed")
    assert headers["cache-control"] == "max-age=315360000, public, immutable"
    assert (headers["vary"], headers["x-content-type-options"]) == ("Accept-Encoding", "nosniff")
    assert headers["content-type"].startswith("text/javascript")
    status, headers, answer = front.ask("GET", "/static/app.0123456789ab.js")
    assert (status, headers.get("content-encoding"), len(answer)) == (200, None, 500)
    assert front.ask("GET", "/static/app.js")[1]["cache-control"] == "max-age=60, public"


@pytest.mark.parametrize(
    "path", ["none.js", "", "../front.log", "..%2ffront.log", "%2e%2e/front.log", "caddy/", "..%5cfront.log"]
)
def test_nothing_else_is_served_as_a_static_file(front, path):
    status, headers, answer = front.ask("GET", f"/static/{path}")
    if status == 200:  # a path that leads out of /static/ is another one of the web's
        assert json.loads(answer)["server"] == "web"
    else:
        assert (status, headers["content-type"]) == (404, "application/problem+json")


# --- a domain ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secure(tmp_path_factory, short_patience):
    reach_of = partial(Reach, domain=DOMAIN, listen=LOOPBACK, authority="internal")
    with Front(tmp_path_factory.mktemp("secure"), reach_of) as running:
        assert eventually((running.directory / "caddy/caddy/pki/authorities/local/root.crt").exists)
        yield running


@contextmanager
def line_to(front, name):
    """Open a connection by TLS, trusting the front's own authority and nobody else."""
    context = ssl.create_default_context(cafile=front.directory / "caddy/caddy/pki/authorities/local/root.crt")
    with (
        socket.create_connection((LOOPBACK, front.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        yield line


def ask_by_tls(front, name, request):
    with line_to(front, name) as line:
        line.sendall(request)
        answer = read_all(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def get(name, path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()


def settled(front, name):
    """Ask until the certificate is there: the first one is made in the moment of the question, or at the start."""
    found = []

    def asked():
        try:
            found.append(ask_by_tls(front, name, get(name)))
        except ssl.SSLError:
            return False
        return True

    assert eventually(asked, seconds=20)
    return found[-1]


@pytest.mark.parametrize("name", [DOMAIN, f"admin.{DOMAIN}", f"acme.{DOMAIN}", "files.acme.test"])
def test_every_name_of_ours_has_tls_by_itself(secure, name):
    status, _, body = settled(secure, name)
    told = json.loads(body)
    headers = dict(told["headers"])
    assert (status, told["server"], headers["host"], headers["x-forwarded-proto"]) == (200, "web", name, "https")


@pytest.mark.parametrize("name", [f"nobody.{DOMAIN}", "evil.example"])
def test_a_name_that_is_nobodys_gets_no_certificate(secure, name):
    settled(secure, DOMAIN)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_by_tls(secure, name, get(name))


def test_a_body_that_stops_coming_is_408_by_tls_as_well(secure):
    settled(secure, DOMAIN)
    request = f"POST /x HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 1000\r\n\r\n{{".encode()
    assert ask_by_tls(secure, DOMAIN, request)[0] == 408


def test_the_store_has_a_name_of_its_own_and_takes_bodies_of_any_size_at_any_pace(secure):
    name = f"store.{DOMAIN}"
    settled(secure, name)
    half = b"x" * (3 * LIMIT)
    secure.store.asked.clear()
    with line_to(secure, name) as line:
        head = f"PUT /bitvault/key?X-Amz-Signature=abc HTTP/1.1\r\nHost: {name}\r\nContent-Length: {2 * len(half)}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode() + half)
        time.sleep(2 * BODY_SECONDS)
        line.sendall(half)
        assert read_all(line).startswith(b"HTTP/1.1 200 ")
    told = secure.store.asked[0]
    assert (told["length"], told["path"], dict(told["headers"])["host"]) == (
        2 * len(half),
        "/bitvault/key?X-Amz-Signature=abc",
        name,
    )


def test_a_download_that_goes_on_is_asked_for_by_if_match_there_as_well(secure):
    name = f"store.{DOMAIN}"
    settled(secure, name)
    conditions = 'Range: bytes=5-\r\nIf-Range: "0a-2"\r\nConnection: close'
    request = f"GET /bitvault/key?a=b HTTP/1.1\r\nHost: {name}\r\n{conditions}\r\n\r\n"
    status, head, body = ask_by_tls(secure, name, request.encode())
    told = dict(json.loads(body)["headers"])
    assert (status, told["host"], told["range"], told["if-match"]) == (200, name, "bytes=5-", '"0a-2"')
    assert "if-range" not in told
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in head


def test_plain_http_leads_to_https_at_the_same_address(secure):
    connection = http.client.HTTPConnection(LOOPBACK, secure.http_port, timeout=20)
    connection.request("GET", "/files/?a=1", headers={"Host": f"acme.{DOMAIN}"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, f"https://acme.{DOMAIN}:{secure.port}/files/?a=1")
    connection.close()


def test_certificates_and_keys_are_their_owners_alone(secure):
    found = [path for path in (secure.directory / "caddy").rglob("*") if path.is_file()]
    assert found
    assert not [path for path in found if path.stat().st_mode & 0o077]


# --- what its owner chooses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "reach"),
    [
        ({}, Reach(port=8000)),
        ({"BITVAULT_PORT": "8001"}, Reach(port=8001)),
        ({"BITVAULT_LISTEN": "192.0.2.1"}, Reach(port=8000, listen="192.0.2.1")),
        (
            {"BITVAULT_DOMAIN": "Vault.Example.com "},
            Reach(port=443, domain="vault.example.com", listen=EVERYWHERE, http_port=80),
        ),
        (
            {"BITVAULT_DOMAIN": "v.example.com", "BITVAULT_PORT": "8443"},
            Reach(port=8443, domain="v.example.com", listen=EVERYWHERE),
        ),
        ({"BITVAULT_PUBLIC_PORT": "80"}, Reach(port=8000, public_port=80)),
        ({"BITVAULT_PUBLIC_PORT": "8000"}, Reach(port=8000)),
        (
            {
                "BITVAULT_DOMAIN": "v.example.com",
                "BITVAULT_PORT": "8443",
                "BITVAULT_HTTP_PORT": "8080",
                "BITVAULT_TLS": "internal",
            },
            Reach(port=8443, domain="v.example.com", listen=EVERYWHERE, http_port=8080, authority="internal"),
        ),
    ],
)
def test_a_domain_is_one_setting(chosen, reach):
    assert Reach.chosen(chosen) == reach


@pytest.mark.parametrize(
    "chosen",
    [
        {"BITVAULT_PORT": "0"},
        {"BITVAULT_PORT": "65536"},
        {"BITVAULT_PORT": "eighty"},
        {"BITVAULT_PUBLIC_PORT": "70000"},
        {"BITVAULT_DOMAIN": "https://vault.example.com"},
        {"BITVAULT_DOMAIN": "localhost"},
        {"BITVAULT_DOMAIN": "vault.example.com {\n"},
        {"BITVAULT_DOMAIN": "*.example.com"},
        {"BITVAULT_DOMAIN": "vault.example.com", "BITVAULT_TLS": "none"},
        {"BITVAULT_DOMAIN": "vault.example.com", "BITVAULT_HTTP_PORT": "-1"},
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(chosen):
    with pytest.raises(StackError):
        Reach.chosen(chosen)


def test_downloads_pass_the_front_where_there_is_one():
    ports = {"web": 1, "s3": 2, DOWNLOAD_PORT: 3}
    plain = Addresses.of(ports, Reach(1))
    assert (plain.store_url, plain.download_url) == ("http://127.0.0.1:2", "http://127.0.0.1:3")
    with_domain = Addresses.of(ports, Reach(443, domain=DOMAIN))
    assert (with_domain.store_url, with_domain.download_url) == (f"https://store.{DOMAIN}", f"https://store.{DOMAIN}")
    assert Addresses.of({"web": 1, "s3": 2}).download_url == "http://127.0.0.1:2", "no front runs"
    assert (Reach(1).own_ports, Reach(443, domain=DOMAIN).own_ports) == ((DOWNLOAD_PORT,), ("front_http",))


@pytest.mark.parametrize(
    ("reach", "base_url", "demo_url", "plain_url"),
    [
        (Reach(8000, public_port=80), "http://localhost", "http://demo.localhost", "http://127.0.0.1:8000"),
        (Reach(8000, public_port=81), "http://localhost:81", "http://demo.localhost:81", "http://127.0.0.1:8000"),
        (Reach(8443, DOMAIN, public_port=443), f"https://{DOMAIN}", f"https://demo.{DOMAIN}", f"https://{DOMAIN}"),
    ],
)
def test_people_who_come_by_another_proxy_are_told_its_port(reach, base_url, demo_url, plain_url):
    addresses = Addresses.of({"web": reach.port, "s3": 2, DOWNLOAD_PORT: 3}, reach)
    assert (addresses.base_url, addresses.demo_url, addresses.plain_url) == (base_url, demo_url, plain_url)
    told = Reach.of_addresses(addresses.plain_url, addresses.demo_url)
    again = Addresses.of({"web": told.port, "s3": 2, DOWNLOAD_PORT: 3}, told)
    assert again == addresses, "a command that is given only what was told comes to the same"


def test_a_port_that_the_system_keeps_for_root_is_named():
    if os.geteuid() == 0:
        pytest.skip("root may listen anywhere")
    with pytest.raises(StackError, match="port 80"):
        Reach(port=80).require_allowed()


# --- the same files in compose.yaml -------------------------------------------------------------------------------------------

CONFIGURATIONS = [CONFIGURATION / "Caddyfile", CONFIGURATION / "domain" / "Caddyfile"]


def composed():
    """Read the variables of the service `front`, with the defaults of those that are left out."""
    service = re.search(r"^  front:$.*?(?=^  \w)", (ROOT / "compose.yaml").read_text(), re.MULTILINE | re.DOTALL)[0]
    lines = re.findall(r"^      (BITVAULT_[A-Z_]+): (.*)$", service, re.MULTILINE)
    return {name: re.sub(r"\$\{[A-Z_]+:-(.*)\}", r"\1", value).strip('"') for name, value in lines}


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=["plain", "domain"])
@pytest.mark.parametrize("stack", ["embedded", "compose"])
def test_the_configuration_is_valid_in_both_stacks(tmp_path, configuration, stack):
    domain = DOMAIN if configuration.parent.name == "domain" else ""
    if stack == "compose":
        variables = composed() | {"BITVAULT_DOMAIN": domain}
    else:
        ports = {"wsgi": 1, "sockets": 2, "s3": 3, "front_http": 4, DOWNLOAD_PORT: 5}
        variables = Caddy(
            directory=tmp_path, ports=ports, reach=Reach(8000, domain=domain), static_files=tmp_path
        ).environment()
    done = subprocess.run(
        [find_program(), "adapt", "--config", configuration, "--adapter", "caddyfile", "--validate"],
        env={"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "{$" not in done.stdout
    assert json.loads(done.stdout)["admin"] == {"disabled": True, "config": {"persist": False}}
    asked = set(re.findall(r"\{\$(BITVAULT_[A-Z_]+)\}", "".join(path.read_text() for path in (configuration, *SHARED))))
    assert asked <= variables.keys()


@pytest.mark.parametrize("path", [*CONFIGURATIONS, *SHARED], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_configuration_is_laid_out_as_caddy_does(path):
    done = subprocess.run([find_program(), "fmt", path], capture_output=True, text=True, check=False)
    assert path.read_text() == done.stdout
