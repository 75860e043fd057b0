"""Refusals that the front passes on late: they wait in the process where nothing is held up by them."""

import asyncio
import json
import time

import pytest

from bitvault.gateway import asgi

REFUSAL = json.dumps({"code": "request.rate_limited", "status": 429})


async def ask(*problems):
    """Ask for several at once, and give what was answered to each."""

    async def one(problem):
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b"bitvault-refusal", problem.encode())] if problem is not None else []
        scope = {"type": "http", "method": "GET", "path": "/refused", "headers": headers}
        await asgi.answer_http(scope, None, send)
        return sent[0]["status"], dict(sent[0]["headers"])[b"content-type"], sent[1]["body"]

    return await asyncio.gather(*map(one, problems))


def test_a_refusal_comes_late_and_as_it_was(monkeypatch):
    monkeypatch.setattr(asgi, "LATE_SECONDS", 0.2)
    begun = time.monotonic()
    answers = asyncio.run(ask(*[REFUSAL] * 50))
    assert 0.2 <= time.monotonic() - begun < 0.2 * 25, "they wait side by side"
    assert set(answers) == {(429, b"application/problem+json", REFUSAL.encode())}
    assert asgi.Late.count == 0


def test_more_than_may_wait_are_given_back_at_once(monkeypatch):
    monkeypatch.setattr(asgi, "LATE_SECONDS", 60.0)
    monkeypatch.setattr(asgi, "LATE_LIMIT", 0)
    assert asyncio.run(ask(REFUSAL))[0][0] == 429


@pytest.mark.parametrize("problem", [None, "", "no JSON", "[]", "{}", '{"status": "x"}'])
def test_what_is_no_refusal_is_not_found(problem):
    assert asyncio.run(ask(problem))[0][0] == 404
