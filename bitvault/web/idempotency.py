"""``Idempotency-Key``: a POST that is sent again has its effect once and gets the same answer.

The answer is kept by the transaction of the effect itself (``tx.answer``), so there is no moment in which one stands without the
other. Of two that run at once, the later waits on the key's row, rolls its own effect back and answers as the first did. Keys belong
to one credential and one route, and live a day (draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from bitvault.kernel import clock, db
from bitvault.kernel.errors import Invalid, Malformed
from bitvault.web import sql
from bitvault.web.models import IdempotencyKey

LIFETIME = timedelta(hours=24)
"""How long an answer is kept: longer than any client keeps trying one request."""

KEY_LIMIT = 255
"""Characters of a key: any identifier of any client, and no file."""


class KeyUnfit(Malformed):
    """The key is empty or too long."""

    code = "request.bad_idempotency_key"
    title = "An Idempotency-Key has 1 to 255 printable characters"


class KeyReused(Invalid):
    """The same key came with another request."""

    code = "request.idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class KeyNotTaken(Invalid):
    """The route keeps no answers: sent again, the request would have its effect again."""

    code = "request.idempotency_key_not_taken"
    title = "This route takes no Idempotency-Key"


class Replay(Exception):
    """Another request with the same key has had the effect; the transaction that raises this is rolled back."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Key:
    """The key of one request and what the request asked for; ``text`` is what it is kept under: credential, route and key, hashed."""

    user_id: UUID
    text: str
    fingerprint: bytes

    @classmethod
    def of(
        cls,
        *,
        user_id: UUID,
        credential_id: UUID | None,
        route: str,
        text: str,
        method: str,
        path: str,
        body: bytes,
    ) -> "Key":
        """Take the key from a request.

        :raises KeyUnfit: it is empty, too long, or holds what is not printable ASCII.
        """
        require_fit(text)
        digest = hashlib.sha256(f"{method} {path}\n".encode())
        digest.update(body)
        kept_as = hashlib.sha256(f"{credential_id}\n{method} {route}\n{text}".encode()).hexdigest()
        return cls(user_id=user_id, text=kept_as, fingerprint=digest.digest())


def require_fit(text: str) -> None:
    """Refuse what is no key.

    :raises KeyUnfit: it is empty, too long, or holds what is not printable ASCII.
    """
    if not 0 < len(text) <= KEY_LIMIT or not text.isascii() or not text.isprintable():
        raise KeyUnfit


def find_answer(key: Key) -> bytes | None:
    """Look for the answer that was kept for a key.

    :raises KeyReused: the key belongs to a request that asked for something else.
    """
    with db.read_transaction():
        return _find(key)


@contextmanager
def keeping(key: Key) -> Iterator[None]:
    """Keep the answer of the write transaction inside the block under ``key``.

    :raises Replay: another request with this key came first; nothing of this one remains.
    """
    token = db.keeper_of_answers.set(lambda result: _keep(key, result))
    try:
        yield
    finally:
        db.keeper_of_answers.reset(token)


def _keep(key: Key, result: Any) -> None:
    answer = msgspec.json.encode(result)
    with connection.cursor() as cursor:
        cursor.execute(sql.KEEP, [key.user_id, key.text, key.fingerprint, answer, clock.now()])
        if cursor.rowcount == 1:
            return
    first = _find(key)
    if first is not None:
        raise Replay(first)


def _find(key: Key) -> bytes | None:
    row = IdempotencyKey.objects.filter(user_id=key.user_id, key=key.text).values_list("fingerprint", "answer").first()
    if row is None:
        return None
    fingerprint, answer = row
    if bytes(fingerprint) != key.fingerprint:
        raise KeyReused
    return bytes(answer)


def sweep() -> int:
    """Forget the keys of the entered tenant that are past their day; returns how many."""
    with db.write_transaction():
        return IdempotencyKey.objects.filter(created_at__lt=clock.now() - LIFETIME).delete()[0]
