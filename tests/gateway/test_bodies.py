"""Bodies at the web process itself, past the front: whoever announces one and sends none holds a bounded share of the threads."""

import io
import json
import threading

import pytest
from django.test import Client

from bitvault.gateway import bodies
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded


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


@pytest.mark.django_db
@pytest.mark.parametrize("checks", [True, False], ids=["by the proof", "by the view"])
def test_a_form_that_cannot_be_read_now_is_told_so(monkeypatch, checks):
    client = Client(enforce_csrf_checks=checks, raise_request_exception=False)
    client.get("/sign-in/", headers={"host": "acme.localhost"})

    def refuse(*_):
        raise Overloaded(dependency="request body")

    monkeypatch.setattr("django.test.client.FakePayload.read", refuse)
    answer = client.post("/sign-in/", {"email": "mia@acme.test"}, headers={"host": "acme.localhost"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (503, "platform.overloaded")
    assert answer["Retry-After"]
