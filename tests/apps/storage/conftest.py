"""Fixtures of storage's tests."""

import os
from uuid import UUID

import pytest

from tests.support.sending import sha256


@pytest.fixture
def attempt(tenant, actor):
    """Begin an attempt behind the REST surface: ``attempt(content)`` gives what Storage answers."""
    from apps.storage import api
    from bitvault.kernel import ids
    from tests.support import sending

    def begin(content: bytes, *, announce: bool = True, upload_id: UUID | None = None, **more):
        hashes = [sha256(part) for part in sending.cut(content)] if announce else []
        return api.start_upload(
            actor=actor,
            upload_id=upload_id or ids.new_id(),
            size_bytes=len(content),
            media_type="application/octet-stream",
            destination={"to": "nowhere"},
            part_hashes=hashes,
            **more,
        )

    return begin


@pytest.fixture
def put_part():
    """PUT one part as it was signed, with changes to the headers: ``put_part(part, body, Content_Type="text/html")``."""
    from dataclasses import asdict

    from tests.support import sending

    return lambda part, body, **changed: sending.put(asdict(part), body, **changed)


@pytest.fixture
def content() -> bytes:
    return os.urandom(5000)
