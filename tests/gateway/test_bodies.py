"""Bodies at the web process itself, past the front: whoever announces one and sends none holds a bounded share of the threads."""

import io
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpx
import pytest

from bitvault.gateway import bodies
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded
from bitvault.stack.ports import LOOPBACK

HEADS = {
    "REST without a token": "POST /api/v1/folders HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n",
    "sign-in": "POST /api/v1/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n",
    "a form": "POST /sign-in/ HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
    "a name of nobody's": "POST /x HTTP/1.1\r\nHost: nobody.invalid\r\n",
    "a static file": "GET /static/files/app.js HTTP/1.1\r\nHost: {host}\r\n",
    "a path of nobody's": "POST /nowhere HTTP/1.1\r\nHost: {host}\r\n",
}


@contextmanager
def stopped_bodies(live, head, count=20):
    """Announce bodies to the web process, past the front, and send none of them."""
    lines = [socket.create_connection((LOOPBACK, live.ports["wsgi"])) for _ in range(count)]
    try:
        for line in lines:
            line.sendall(f"{head.format(host=live.tenant_host)}Content-Length: 1000\r\n\r\n".encode())
        time.sleep(0.3)
        yield
    finally:
        for line in lines:
            line.close()


@pytest.mark.journey
@pytest.mark.parametrize("name", HEADS)
def test_bodies_that_do_not_come_leave_threads_for_everybody_else(live, name):
    with stopped_bodies(live, HEADS[name]):
        for _ in range(10):
            assert (
                httpx.get(f"{live.web_url}/api/v1/me", headers={"Authorization": f"Bearer {live.token}"}).status_code
                == 200
            )


@pytest.mark.journey
def test_a_refused_request_with_a_body_is_answered_through_the_front_each_time(live):
    """The web refuses before it reads; what it left lying would cut the connection below the front, and the answer with it."""
    for size in (10, 60_000, 300_000, 1_900_000):
        with httpx.Client(base_url=live.base_url, timeout=20) as client:
            for _ in range(30):
                refused = client.post(
                    "/api/v1/folders", content=b"x" * size, headers={"Content-Type": "application/json"}
                )
                assert (refused.status_code, refused.json()["code"]) == (401, "identity.unauthenticated"), size


class Stopped(io.RawIOBase):
    """A body that does not come until it is told to."""

    def __init__(self):
        self.reads = threading.Semaphore(0)
        self.go_on = threading.Event()

    def read(self, size=-1, /):
        self.reads.release()
        self.go_on.wait(10)
        return b"x" * size


@pytest.fixture
def share(monkeypatch):
    monkeypatch.setattr(bodies, "READING", Dependency("reading", share=1))
    monkeypatch.setattr(bodies, "LEFTOVERS", Dependency("leftovers", share=1))


def run(application, stream, length):
    environ = {"CONTENT_LENGTH": str(length), "wsgi.input": stream}
    return bodies.bounded(application)(environ, lambda *_: None)


def reading(environ, _start_response):
    return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]


def refusing(_environ, _start_response):
    return [b"no"]


def test_more_than_the_share_is_refused_at_once(share):
    stopped = Stopped()
    waiting = threading.Thread(target=run, args=(reading, stopped, 5))
    waiting.start()
    assert stopped.reads.acquire(timeout=10)
    with pytest.raises(Overloaded):
        run(reading, io.BytesIO(b"hello"), 5)
    stopped.go_on.set()
    waiting.join()
    assert run(reading, io.BytesIO(b"hello"), 5) == [b"hello"]


def test_what_was_left_unread_is_read_by_one_thread_at_most(share):
    stopped, other = Stopped(), io.BytesIO(b"hello")
    waiting = threading.Thread(target=run, args=(refusing, stopped, 5))
    waiting.start()
    assert stopped.reads.acquire(timeout=10)
    assert run(refusing, other, 5) == [b"no"]
    assert other.tell() == 0
    stopped.go_on.set()
    waiting.join()
    assert run(refusing, other, 5) == [b"no"]
    assert other.tell() == 5


@pytest.mark.parametrize(
    ("length", "read"), [("5", 5), ("0", 0), ("", 0), ("-5", 0), ("x", 0), ("9" * 30, 0), (str(3 << 20), 0)]
)
def test_only_what_a_front_lets_through_is_read_after_a_refusal(share, length, read):
    stream = io.BytesIO(b"hello world")
    run(refusing, stream, length)
    assert stream.tell() == read


def test_a_form_that_cannot_be_read_now_is_told_so(client, monkeypatch, settings):
    def refuse(*_):
        raise Overloaded(dependency="request body")

    monkeypatch.setattr("django.test.client.FakePayload.read", refuse)
    answer = client.post("/sign-in/", {"email": "mia@acme.test"}, headers={"host": "acme.localhost"})
    assert answer.status_code == 503
    with suppress(KeyError):
        assert json.loads(answer.content)["code"] == "platform.overloaded"
