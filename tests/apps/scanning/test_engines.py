"""Scanners behind the port: what clamd and ICAP servers say, and what they leave unsaid, is read rightly and in its time."""

import os
import socket
import struct
import time

import pytest

from apps.scanning.engines import line
from apps.scanning.engines.clamd import Clamd
from apps.scanning.engines.icap import Icap
from apps.scanning.engines.port import ScannerDown, ScannerRefused, TooLargeToScan, Verdict
from tests.apps.scanning import clamav, speakers

CLEAN = Verdict()


def pieces(content, size=1_000_000):
    return (content[at : at + size] for at in range(0, len(content), size))


def scan(scanner, content):
    return scanner.scan(pieces(content), size_bytes=len(content))


# --- a real clamd ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["tcp", "socket"])
def real(request, clamd):
    return Clamd(("127.0.0.1", clamd.port) if request.param == "tcp" else str(clamd.socket_path))


@pytest.mark.parametrize("size", [0, 1, 1_000_000, 2_500_000])
def test_clamd_finds_nothing_in_what_is_clean(real, size):
    assert scan(real, os.urandom(size)) == CLEAN


def test_clamd_finds_the_mark_wherever_it_stands(real):
    for before in (0, 999_990, 262_100):  # across the edges of pieces and chunks
        content = bytes(before) + clamav.MARKER + bytes(1000)
        assert scan(real, content) == Verdict(clamav.SIGNATURE)


def test_clamd_says_that_something_is_too_large_before_it_has_all_of_it(real):
    for size in (clamav.STREAM_LIMIT_BYTES + 1, 40_000_000):
        with pytest.raises(TooLargeToScan):
            scan(real, bytes(size))
    assert scan(real, b"and goes on") == CLEAN


def test_clamd_says_who_it_is(real):
    assert real.find_version().startswith("ClamAV 1.")


# --- servers that fail -----------------------------------------------------------------------------------------------------


def read_stream(connected: socket.socket) -> bytes:
    stream = connected.makefile("rb")
    assert stream.read(10) == b"zINSTREAM\0"
    body = b""
    while size := struct.unpack("!I", stream.read(4))[0]:
        body += stream.read(size)
    return body


def answering(text):
    def script(connected):
        read_stream(connected)
        connected.sendall(text)

    return script


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", ScannerDown),
        (b"stream: OK", ScannerDown),  # cut off
        (b"stream: lstat() failed: ERROR\0", ScannerRefused),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n\0", ScannerRefused),
        (b"INSTREAM size limit exceeded. ERROR\0", TooLargeToScan),
        (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", TooLargeToScan),
    ],
)
def test_what_is_no_verdict_of_clamd_is_none(text, error):
    with speakers.speaker(answering(text)) as port, pytest.raises(error):
        scan(Clamd(("127.0.0.1", port)), b"content")


def test_all_bytes_reach_clamd_in_their_order():
    content, heard = os.urandom(3_333_333), []

    def script(connected):
        heard.append(read_stream(connected))
        connected.sendall(b"stream: OK\0")

    with speakers.speaker(script) as port:
        assert scan(Clamd(("127.0.0.1", port)), content) == CLEAN
    assert heard == [content]


def test_a_scanner_that_is_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(line, "ANSWER_SECONDS", 0.5)

    def script(connected):
        read_stream(connected)
        time.sleep(3)

    with speakers.speaker(script) as port:
        begun = time.monotonic()
        with pytest.raises(ScannerDown):
            scan(Clamd(("127.0.0.1", port)), b"content")
        assert time.monotonic() - begun < 2


def test_a_scanner_that_drips_is_given_up(monkeypatch):
    """Each byte comes soon enough; the answer does not."""
    monkeypatch.setattr(line, "ANSWER_SECONDS", 0.7)

    def script(connected):
        read_stream(connected)
        for _ in range(40):
            connected.sendall(b"x")
            time.sleep(0.1)

    with speakers.speaker(script) as port:
        begun = time.monotonic()
        with pytest.raises(ScannerDown):
            scan(Clamd(("127.0.0.1", port)), b"content")
        assert time.monotonic() - begun < 2


def test_a_scanner_that_takes_no_bytes_is_given_up(monkeypatch):
    monkeypatch.setattr(line, "STEP_SECONDS", 0.5)
    with speakers.speaker(lambda _: time.sleep(3)) as port:
        begun = time.monotonic()
        with pytest.raises(ScannerDown):
            scan(Clamd(("127.0.0.1", port)), bytes(50_000_000))
        assert time.monotonic() - begun < 3


def test_an_answer_without_an_end_is_given_up():
    def script(connected):
        read_stream(connected)
        for _ in range(100):
            connected.sendall(b"x" * 16_000)

    with speakers.speaker(script) as port, pytest.raises(ScannerDown):
        scan(Clamd(("127.0.0.1", port)), b"content")


def test_nobody_there_is_told_as_such():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        for scanner in (Clamd(free.getsockname()), Icap(*free.getsockname(), "scan"), Clamd("/nowhere/clamd.ctl")):
            with pytest.raises(ScannerDown):
                scan(scanner, b"content")
            with pytest.raises(ScannerDown):
                scanner.find_version()


# --- ICAP ------------------------------------------------------------------------------------------------------------------

NO_CONTENT = b"ICAP/1.0 204 No Content\r\nServer: test\r\n\r\n"
FOUND = (
    b"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Eicar-Test;\r\nEncapsulated: res-hdr=0, res-body=40\r\n\r\n"
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n2\r\nno\r\n0\r\n\r\n"
)


def answer_of(answer, content=b"content"):
    server = speakers.Icap(lambda body: answer(body) if callable(answer) else answer)
    with speakers.speaker(server) as port:
        verdict = scan(Icap("127.0.0.1", port, "avscan"), content)
    assert server.heard == [content]
    assert server.heads[0].startswith(f"RESPMOD icap://127.0.0.1:{port}/avscan ICAP/1.0\r\n".encode())
    assert b"Allow: 204\r\n" in server.heads[0]
    return verdict


def echo(body):
    """A server that knows no 204 and gives back what it leaves as it is."""
    return (
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=10\r\n\r\nHTTP/1.1 200 OK\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n{len(body):x}\r\n".encode()
        + body
        + b"\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize("size", [0, 1, 1_000_001])
def test_icap_without_changes_is_clean(size):
    content = os.urandom(size)
    assert answer_of(NO_CONTENT, content) == CLEAN
    assert answer_of(echo, content) == CLEAN


@pytest.mark.parametrize(
    ("answer", "signature"),
    [
        (FOUND, "Eicar-Test"),
        (b"ICAP/1.0 200 OK\r\nX-Virus-ID: Some.Worm\r\nEncapsulated: res-hdr=0, null-body=9\r\n\r\n", "Some.Worm"),
        (
            b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=9\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n0\r\n\r\n",
            "Blocked",
        ),
        (
            b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
            "Blocked",
        ),
    ],
)
def test_icap_that_puts_something_in_its_place_has_found_something(answer, signature):
    assert answer_of(answer) == Verdict(signature)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ScannerDown),
        (b"ICAP/1.0 204 No Con", ScannerDown),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ScannerDown),
        (b"ICAP/1.0 huh\r\n\r\n", ScannerDown),
        (b"ICAP/1.0 500 Server Error\r\n\r\n", ScannerDown),
        (b"ICAP/1.0 503 Overloaded\r\n\r\n", ScannerDown),
        (b"ICAP/1.0 404 Service Not Found\r\n\r\n", ScannerRefused),
        (b"ICAP/1.0 413 Too Large\r\n\r\n", TooLargeToScan),
        (b"ICAP/1.0 200 OK\r\n\r\n", ScannerRefused),
        (b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=9\r\n\r\nHTTP/1.1 20", ScannerDown),
    ],
)
def test_what_is_no_verdict_of_icap_is_none(answer, error):
    with pytest.raises(error):
        answer_of(answer)


def test_icap_that_answers_early_is_heard():
    def script(connected):
        connected.recv(100)
        connected.sendall(FOUND)
        while connected.recv(1_000_000):
            pass

    with speakers.speaker(script) as port:
        begun = time.monotonic()
        assert scan(Icap("127.0.0.1", port, "avscan"), bytes(200_000_000)) == Verdict("Eicar-Test")
        assert time.monotonic() - begun < 5


def test_icap_says_who_it_is():
    with speakers.speaker(speakers.Icap(lambda _: NO_CONTENT)) as port:
        assert Icap("127.0.0.1", port, "avscan").find_version() == "Test ICAP 1"
    server = speakers.Icap(lambda _: NO_CONTENT, options=b"ICAP/1.0 200 OK\r\nMethods: REQMOD\r\n\r\n")
    with speakers.speaker(server) as port, pytest.raises(ScannerDown):
        Icap("127.0.0.1", port, "avscan").find_version()
