"""What ``benchmarks.inside`` does with the stream."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

MADE_UP = "correct horse battery staple"
WRITERS = 8
EVENTS_OF_ONE = 100
"""Events that are published by one transaction, to have them there soon; consumers read them by their numbers, whoever wrote them."""
FILES_OF_A_FOLDER = 20


def commits(tenant_count: int, seconds: float) -> list[dict[str, float]]:
    """Commits a second, of one row each, with an event in the stream and without: of one tenant, and of several."""
    tenants = [_new_tenant(f"commits-{number}")[0] for number in range(tenant_count)]
    rows = []
    # One crowd for all of it: to start eight processes takes longer than to measure.
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        for count in (1, tenant_count):
            rates = {}
            for name, published in (("without", False), ("with", True)):
                asked = [(tenants[writer % count].id, seconds, published) for writer in range(WRITERS)]
                rates[name] = sum(pool.starmap(_write, asked, chunksize=1))
            rows.append(rates)
    return rows


def _write(tenant_id: UUID, seconds: float, published: bool) -> float:  # noqa: FBT001 - a process is given a tuple
    django.setup()
    from apps.identity import api as identity
    from bitvault.events.api import publish
    from bitvault.events.catalog.events import EventSkipped
    from bitvault.kernel import clock, db, ids, tenancy
    from bitvault.web.models import IdempotencyKey

    tenant = identity.find_tenant(tenant_id=tenant_id)
    assert tenant is not None

    def write() -> None:
        with db.write_transaction():
            key = str(ids.new_id())
            IdempotencyKey.objects.create(
                user_id=tenant_id, key=key, fingerprint=b"", answer=b"", created_at=clock.now()
            )
            if published:
                publish(EventSkipped(consumer="bench", seq=0))

    with tenancy.entered(tenant):
        write()
        return _rate(write, seconds)


def _rate(work: Callable[[], None], seconds: float) -> float:
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - begun)


def catch_up(event_count: int) -> dict[str, float]:
    """Events a second of each consumer that finds so many, and changes a second of a device that reads them."""
    from apps.files import api as files
    from apps.identity import api as identity
    from apps.sync import api as sync
    from bitvault.events import consuming
    from bitvault.kernel import tenancy

    tenant, actor = _new_tenant("catch-up")
    with tenancy.entered(tenant):
        root = files.ensure_personal_root(actor=actor)
        for name in consuming.list_consumers():
            consuming.consume(name)
        cursor = sync.register_device(actor=actor, name="bench", platform="linux").cursor
        while (page := sync.list_changes(actor=actor, cursor=cursor, limit=1000)).has_more:
            cursor = page.cursor
        cursor = page.cursor
    # The relay leaves suspended tenants alone, so that nobody else reads what is measured here.
    identity.suspend_tenant(tenant_id=tenant.id)
    with tenancy.entered(tenant):
        _publish(event_count, root_id=root.id, by=actor.user_id)
        rates = {}
        for name in consuming.list_consumers():
            begun = time.perf_counter()
            count = consuming.consume(name)
            rates[name] = count / (time.perf_counter() - begun)
        read, begun = 0, time.perf_counter()
        while True:
            page = sync.list_changes(actor=actor, cursor=cursor, limit=1000)
            cursor, read = page.cursor, read + len(page.items)
            if not page.has_more:
                break
        rates["changes read"] = read / (time.perf_counter() - begun)
    return rates


def _publish(event_count: int, *, root_id: UUID, by: UUID) -> None:
    """Publish what happens when folders are filled with files."""
    from bitvault.events.api import publish
    from bitvault.kernel import db

    events = _tell_of_folders(root_id, by)
    for start in range(0, event_count, EVENTS_OF_ONE):
        with db.write_transaction():
            for _ in range(min(EVENTS_OF_ONE, event_count - start)):
                publish(next(events))


def _tell_of_folders(root_id: UUID, by: UUID) -> Any:
    from bitvault.events.catalog.files import FolderCreated, VersionCommitted
    from bitvault.kernel import clock, ids

    number = 0
    while True:
        number += 1
        folder_id = ids.new_id()
        yield FolderCreated(
            actor_id=by,
            node_id=folder_id,
            parent_id=root_id,
            name=f"folder {number}",
            revision=1,
            created_at=clock.now(),
        )
        for file in range(FILES_OF_A_FOLDER):
            yield VersionCommitted(
                actor_id=by,
                node_id=ids.new_id(),
                parent_id=folder_id,
                name=f"file {file}.txt",
                revision=1,
                node_created=True,
                version_id=ids.new_id(),
                previous_version_id=None,
                conflict_with_id=None,
                upload_id=ids.new_id(),
                blob_id=ids.new_id(),
                size_bytes=1000,
                content_hash="0" * 64,
                media_type="text/plain",
                modified_at=clock.now(),
            )


def idle(tenant_count: int) -> int:
    """Make rows of tenants as the relay sees them: a head, cursors that are there, and nothing to do."""
    from django.db import connection

    from bitvault.events import consuming
    from bitvault.kernel import ids

    tenant_ids = [ids.new_id() for _ in range(tenant_count)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.events_stream_head (tenant_id, last_seq) SELECT id, 7 FROM unnest(%s::uuid[]) AS id",
            [tenant_ids],
        )
        cursor.execute(
            "INSERT INTO public.events_consumer_cursor"
            " (consumer, tenant_id, seq, published_at, try_count, careful_until_seq, last_error)"
            " SELECT name, id, 7, now(), 0, 0, '' FROM unnest(%s::uuid[]) AS id, unnest(%s::text[]) AS name",
            [tenant_ids, consuming.list_consumers()],
        )
    return tenant_count


def _new_tenant(slug: str) -> tuple[Any, Any]:
    from apps.identity import api as identity
    from bitvault.kernel.actor import ALL_SCOPES, Actor, Role

    email = f"{slug}@bench.example"
    made = identity.create_tenant(slug=f"bench-{slug}", name=slug, owner_email=email, owner_password=MADE_UP)
    tenant = identity.find_tenant(tenant_id=made.id)
    assert tenant is not None
    owner = identity.sign_in(email=email, password=MADE_UP, tenant=tenant, address="127.0.0.1")
    return tenant, Actor(tenant=tenant, user_id=owner.user_id, role=Role.OWNER, scopes=ALL_SCOPES)
