"""django-storages: for what the server itself makes, in a bucket of its own; the bytes of users never pass it."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.support.sending import pool

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.store
def test_what_the_server_makes_is_kept_in_the_bucket_for_assets(settings):
    name = default_storage.save("exports/test.txt", ContentFile(b"made here"))
    try:
        with default_storage.open(name) as kept:
            assert kept.read() == b"made here"
        assert default_storage.bucket_name == settings.BITVAULT_STORE["assets_bucket"]
        assert default_storage.bucket_name != settings.BITVAULT_STORE["bucket"]
        assert pool.request("GET", default_storage.url(name)).data == b"made here"
        assert pool.request("GET", default_storage.url(name).partition("?")[0]).status == 403
    finally:
        default_storage.delete(name)


def test_the_rooms_of_users_bytes_know_nothing_of_it():
    words = ("default_storage", "FileField", "ImageField", "storages.backends", "request.FILES")
    rooms = [ROOT / "apps/storage", ROOT / "apps/files", ROOT / "bitvault/gateway"]
    sources = [source for room in rooms for source in room.rglob("*.py")]
    assert sources
    assert [source for source in sources if any(word in source.read_text() for word in words)] == []
