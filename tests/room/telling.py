"""What is told of a vault, counted in its tables and kept in the store, each compared with the model."""

import re
from uuid import UUID

from django.test import Client

from apps.billing import api as billing
from apps.billing import models as ledger
from apps.files import api as files
from apps.storage import keys, provider
from apps.storage.api import derived
from apps.storage.models import Blob, BlobReference, BlobState, DerivedObject, Upload, UploadState
from apps.storage.operations import references
from bitvault.events import consuming
from bitvault.kernel import db
from bitvault.kernel.actor import Actor
from bitvault.web.sizes import size_in_words
from tests.apps.files.conftest import fetch
from tests.room.model import Vault
from tests.support.client import ApiClient
from tests.support.sending import content_hash
from tests.support.world import ACME

READABLE = (BlobState.PENDING, BlobState.LIVE)


def scope_of(vault: Vault, root_id: str) -> str:
    owner = vault.owners[root_id]
    return f"folder:{root_id}" if owner == "olga" else f"user:{ACME.people[owner].user_id}"


def catch_up() -> None:
    """Let the meter and the collector's references read the stream to its head."""
    for consumer in (billing.CONSUMER, references.CONSUMER):
        consuming.consume(consumer)


def compare_doors(vault: Vault, olga: Actor) -> None:
    """Compare what billing's doors tell of quotas and usage, and the ledger behind them."""
    quota = billing.get_quota(actor=olga)
    limit = quota.limit_bytes if vault.limit_bytes is None else vault.limit_bytes
    assert (quota.limit_bytes, quota.used_bytes, quota.reserved_bytes, quota.available_bytes) == (
        limit,
        vault.used_bytes,
        vault.reserved_bytes,
        max(0, limit - vault.used_bytes - vault.reserved_bytes),
    )
    usage = billing.get_usage(actor=olga)
    assert {name: getattr(usage, name) for name in vault.usage()} == vault.usage()
    live = {scope_of(vault, root_id): root_id for root_id in vault.owners if vault.is_live(root_id)}
    roots = {scope: UUID(root_id) for scope, root_id in live.items()}
    for told in billing.list_scope_quotas(actor=olga, roots=roots).items:
        root_id = live.pop(told.scope)
        assert (told.used_bytes, told.reserved_bytes, told.own_limit_bytes) == _room_of(vault, root_id), told
    assert not live
    with db.read_transaction():
        kept = {str(row.upload_id): row for row in ledger.Reservation.objects.all()}
    held = {key: row.size_bytes for key, row in kept.items() if row.state == "held"}
    assert held == {one.id: one.size_bytes for one in vault.pending.values()}
    assert {key: kept[key].state for key in vault.ended} == vault.ended


def _room_of(vault: Vault, root_id: str) -> tuple[int, int, int | None]:
    return vault.root_used_bytes(root_id), vault.root_reserved_bytes(root_id), vault.root_limits.get(root_id)


def compare_requests(vault: Vault, olga: ApiClient, browser: Client) -> None:
    """Compare what REST and the page of usage tell."""
    quota = next(one for one in olga.get("/quotas").json()["items"] if one["scope"] == "tenant")
    assert (quota["used_bytes"], quota["reserved_bytes"]) == (vault.used_bytes, vault.reserved_bytes)
    told = olga.get("/usage").json()
    assert {name: told[name] for name in vault.usage()} == vault.usage()
    live = {scope_of(vault, root_id): root_id for root_id in vault.owners if vault.is_live(root_id)}
    for one in olga.get("/quotas", scopes=",".join(live)).json()["items"]:
        room = (one["used_bytes"], one["reserved_bytes"], one["own_limit_bytes"])
        assert room == _room_of(vault, live[one["scope"]]), one
    page = browser.get("/usage/").content.decode()
    figures = re.search(r'<p class="usage-figure"><b class="number">([^<]*)</b>', page)
    assert figures is not None
    assert figures[1] == size_in_words(vault.used_bytes)
    parts = re.findall(r'<dd class="number">([^<]*)</dd>', page)
    usage = vault.usage()
    assert parts[:2] == [size_in_words(usage["live_bytes"]), size_in_words(usage["trash_bytes"])]
    counts = re.search(r'<p class="muted usage-note">(\d+) files? · (\d+) versions? · (\d+) folders?</p>', page)
    assert counts is not None
    assert [int(number) for number in counts.groups()] == [
        usage[name] for name in ("file_count", "version_count", "folder_count")
    ]


def compare_recount(vault: Vault) -> None:
    """Compare a count of all versions, and have the nightly correction find nothing to correct."""
    counted = files.count_stored_bytes()
    assert counted.size_bytes == vault.size()
    done = billing.correct_usage(
        size_bytes=counted.size_bytes, unrefunded_bytes=counted.unrefunded_bytes, as_of_seq=counted.as_of_seq
    )
    assert (done.counted_bytes, done.corrected_by_bytes) == (vault.size(), 0)
    assert derived.measure_derived() == sum(vault.derived.values())


def compare_blobs(vault: Vault) -> None:
    """Every version has a blob of its bytes that can be read, and the collector's hints say who holds which."""
    rows = {str(row[0]): row[1:] for row in fetch("SELECT id, blob_id, size_bytes, content_hash FROM files_version")}
    expected = {version.id: version for version in vault.versions()}
    assert rows.keys() == expected.keys()
    with db.read_transaction():
        blobs = {blob.id: blob for blob in Blob.objects.all()}
        told = set(BlobReference.objects.values_list("version_id", "blob_id"))
        unswept = set(Upload.objects.filter(swept_at__isnull=True).values_list("blob_id", flat=True))
    held = set()
    for version_id, (blob_id, size_bytes, digest) in rows.items():
        content, blob = expected[version_id].content, blobs[blob_id]
        held.add(blob_id)
        assert blob.state in READABLE, (version_id, blob.state)
        hashes = {digest if isinstance(digest, str) else bytes(digest).hex(), bytes(blob.content_hash).hex()}
        assert hashes == {content_hash(content)}
        assert (size_bytes, blob.size_bytes) == (len(content), len(content))
    assert {(str(version_id), blob_id) for version_id, blob_id in told} == {
        (version_id, row[0]) for version_id, row in rows.items()
    }
    for blob in blobs.values():
        # Bytes of which no version was made, because they were there already, are the sweeper's.
        if blob.state in READABLE and not (blob.state == BlobState.PENDING and blob.id in unswept - held):
            assert (blob.unreferenced_at is None) == (blob.id in held), (blob.id, blob.state)


def compare_store(vault: Vault, tenant) -> None:
    """After a collection with nothing to wait for: what no version and no open attempt needs is gone, and all else is there."""
    held = {row[0] for row in fetch("SELECT blob_id FROM files_version")}
    with db.read_transaction():
        unswept = Upload.objects.filter(swept_at__isnull=True)
        attempts = list(unswept.values_list("id", "state", "blob_id", "known_blob_id", "base_blob_id"))
        blobs = {blob.id: blob for blob in Blob.objects.all()}
        made = {row.id: bytes(row.content_hash) for row in DerivedObject.objects.all()}
    leased = {
        blob_id for _, state, *named in attempts if state != UploadState.COMMITTED for blob_id in named if blob_id
    }
    # Of an attempt that was committed without a version the bytes are the sweeper's.
    ended = {blob_id for _, state, blob_id, *_ in attempts if state == UploadState.COMMITTED and blob_id}
    leased |= {blob_id for blob_id in ended if blob_id in blobs and blobs[blob_id].state == BlobState.PENDING}
    readable = {blob_id for blob_id, blob in blobs.items() if blob.state in READABLE}
    assert readable == (held | leased) & blobs.keys(), (readable - held - leased, (held | leased) - readable)
    stored = set(provider.store().list_keys(f"{tenant.id.hex}/"))
    assert {blobs[blob_id].key for blob_id in readable} <= stored
    known = {blobs[blob_id].key for blob_id in readable} | {keys.derived_key(one) for one in made}
    open_prefixes = tuple(f"{tenant.id.hex}/{attempt[0].hex}/" for attempt in attempts)
    assert [key for key in stored - known if not key.startswith(open_prefixes)] == []
    assert {bytes.fromhex(content_hash(version.content)) for version in vault.versions()} >= set(made.values())
