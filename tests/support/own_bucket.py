"""A bucket of a test's own: what runs over all objects of a tenant must not meet those of tests beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4


@contextmanager
def own_bucket(settings: Any) -> Iterator[str]:
    """Point the store at a new bucket for the length of the block, and back to where it was."""
    from apps.storage import provider

    def forget() -> None:
        provider._store_of_requests.cache_clear()
        provider._store_of_workers.cache_clear()

    name = f"test-{uuid4().hex}"
    provider.store()._client.create_bucket(Bucket=name)
    before = settings.BITVAULT_STORE
    settings.BITVAULT_STORE = {**before, "bucket": name}
    forget()
    try:
        yield name
    finally:
        store = provider.store()
        store.delete_objects(store.list_keys(""))
        for key, session in store.list_multipart_uploads(""):
            store.abort_multipart_upload(key=key, store_upload_id=session)
        store._client.delete_bucket(Bucket=name)
        settings.BITVAULT_STORE = before
        forget()
