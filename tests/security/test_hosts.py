"""Which vault a request reaches is decided by one Host header and the credential; what disagrees or doubles reaches none (THR 20)."""

import select
import socket

import pytest

from tests.support.world import ACME, BETA

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def say(live):
    """Send a request as written, byte for byte; returns status, headers and body."""

    def exchange(text, body=b""):
        with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
            connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n" + body)
            answer = b""
            while b"\r\n\r\n" not in answer:
                received = connection.recv(65536)
                if not received:
                    break
                answer += received
            head, _, rest = answer.partition(b"\r\n\r\n")
            if not head:
                return 0, "", b""  # the server hung up
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ),
                0,
            )
            while len(rest) < length:
                received = connection.recv(65536)
                if not received:
                    break
                rest += received
            return int(head.split()[1]), head.decode(), rest

    return exchange


@pytest.fixture(scope="module")
def hosts(live):
    return {
        "acme": f"acme.localhost:{live.port}",
        "beta": f"beta.localhost:{live.port}",
        "bare": f"localhost:{live.port}",
    }


MIA, BORIS = ACME.people["mia"].token, BETA.people["boris"].token


def me(host_lines, token=MIA, path="/api/v1/me"):
    return f"GET {path} HTTP/1.1\n{host_lines}Authorization: Bearer {token}\nConnection: close\n"


def test_the_request_itself_is_right(say, hosts):
    status, _, body = say(me(f"Host: {hosts['acme']}\n"))
    assert status == 200
    assert b"mia@acme.test" in body


def test_a_token_of_one_tenant_at_the_host_of_another_is_404(say, hosts):
    for _ in range(3):  # cold and warm, and over both processes
        status, _, body = say(me(f"Host: {hosts['beta']}\n"))
        assert (status, b"access.not_found" in body) == (404, True)
        assert b"acme" not in body


def test_two_hosts_reach_nobody_or_the_owner_of_the_token(say, hosts):
    """Never the other tenant, and never a mixture: whichever of the two is read, the answer is mia's own or none."""
    for first, second in (("acme", "beta"), ("beta", "acme"), ("bare", "beta"), ("beta", "bare")):
        lines = f"Host: {hosts[first]}\nHost: {hosts[second]}\n"
        status, _, body = say(me(lines))
        assert status in (0, 400, 404), (first, second, status, body)
        status, _, body = say(me(lines, token=BORIS))
        assert status in (0, 400, 404), (first, second, status, body)


def test_a_list_of_hosts_in_one_header_reaches_nobody(say, hosts):
    for host in (
        f"{hosts['acme']}, {hosts['beta']}",
        f"{hosts['acme']} {hosts['beta']}",
        f"{hosts['acme']}@{hosts['beta']}",
    ):
        assert say(me(f"Host: {host}\n"))[0] in (0, 400, 404)


def test_no_host_at_all_reaches_nobody(say):
    assert say(me(""))[0] in (0, 400, 404)


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Host",
        "Forwarded",
        "X-Original-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Host-Override",
    ],
)
def test_no_other_header_chooses_the_tenant(say, hosts, name):
    value = {"Forwarded": f"host={hosts['beta']}", "X-Original-URL": "/admin/", "X-Rewrite-URL": "/admin/"}.get(
        name, hosts["beta"]
    )
    status, _, body = say(me(f"Host: {hosts['acme']}\n{name}: {value}\n"))
    assert (status, b"mia@acme.test" in body) == (200, True)
    assert say(me(f"Host: {hosts['acme']}\n{name}: {value}\n", token=BORIS))[0] == 404


@pytest.mark.parametrize(("named", "token"), [("acme", BORIS), ("beta", MIA)])
def test_an_address_in_the_request_line_stands_for_the_host_and_lets_nobody_into_another_vault(
    say, hosts, named, token
):
    """The server has to take that address and pass over Host (RFC 9112, 3.2.2); the credential must be of the vault that it names."""
    other = {"acme": "beta", "beta": "acme"}[named]
    status, _, body = say(me(f"Host: {hosts[other]}\n", path=f"http://{hosts[named]}/api/v1/me", token=token))
    assert status in (0, 400, 404), body


@pytest.mark.parametrize(
    "host", ["acme.localhost.", "ACME.LOCALHOST", "acme.localhost:99999", "acme.localhost:", "[acme.localhost]"]
)
def test_other_spellings_of_a_host_reach_its_tenant_or_nobody(say, host):
    assert say(me(f"Host: {host}\n"))[0] in (0, 200, 400, 404)
    assert say(me(f"Host: {host}\n", token=BORIS))[0] in (0, 400, 404)


def test_two_tokens_are_no_token(say, hosts):
    lines = f"Host: {hosts['bare']}\nAuthorization: Bearer {BORIS}\n"
    status, _, body = say(me(lines))
    assert status in (0, 400, 401)
    assert b"acme" not in body
    assert b"beta" not in body


def test_a_second_request_on_one_connection_has_its_own_tenant(live, hosts):
    """Keep-alive: nothing of the first caller is left for the second."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        stream = connection.makefile("rb")
        for host, token, expected in (
            ("acme", MIA, 200),
            ("beta", MIA, 404),
            ("beta", BORIS, 200),
            ("beta", None, 401),
            ("acme", MIA, 200),
        ):
            credential = f"Authorization: Bearer {token}\r\n" if token else ""
            connection.sendall(f"GET /api/v1/me HTTP/1.1\r\nHost: {hosts[host]}\r\n{credential}\r\n".encode())
            status, body = _answer(stream)
            assert status == expected, body
            if status == 200:
                assert (b"acme" in body, b"beta" in body) == (token == MIA, token == BORIS)


def test_smuggled_requests_are_refused(say, hosts):
    """A body whose length is told twice differently, or both ways, must not become a second request."""
    inner = f"GET /api/v1/me HTTP/1.1\r\nHost: {hosts['beta']}\r\nAuthorization: Bearer {BORIS}\r\n\r\n".encode()
    head = f"POST /api/v1/folders HTTP/1.1\nHost: {hosts['acme']}\nAuthorization: Bearer {MIA}\nContent-Type: application/json\n"
    for lengths in (
        f"Content-Length: 0\nContent-Length: {len(inner)}\n",
        "Content-Length: 4\nTransfer-Encoding: chunked\n",
    ):
        status, _, body = say(head + lengths, inner)
        assert status in (0, 400, 411, 413, 415, 422), (status, body)
        assert b"boris" not in body


def test_a_path_that_looks_like_a_host_leads_nowhere_else(say, hosts):
    for path in ("//evil.test/", "//evil.test/files/", "/\\\\evil.test/", "/.evil.test", "/%2f%2fevil.test/"):
        status, head, _ = say(f"GET {path} HTTP/1.1\nHost: {hosts['acme']}\nConnection: close\n")
        assert status in (0, 302, 400, 404)
        assert "location: //" not in head.lower()
        assert "evil" not in head.lower()


def test_a_connection_outlives_a_request_that_was_refused_before_its_body_came(live, hosts):
    """A client may send head and body apart; the answer waits for the rest, so that the next request on the connection is answered too."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        stream = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(
                f"POST /api/v1/folders HTTP/1.1\r\nHost: {hosts['acme']}\r\nContent-Length: 2\r\n\r\n".encode()
            )
            assert not select.select([connection], [], [], 0.2)[0]
            connection.sendall(b"{}")
            assert _answer(stream)[0] == 401
            connection.sendall(
                f"GET /api/v1/me HTTP/1.1\r\nHost: {hosts['acme']}\r\nAuthorization: Bearer {MIA}\r\n\r\n".encode()
            )
            assert _answer(stream)[0] == 200


def _answer(stream):
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, stream.read(length)
