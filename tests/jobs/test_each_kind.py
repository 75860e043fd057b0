"""Every kind of job: delivered twice it has its effect once, and so it has when its worker is killed before each statement that it sends."""

import io
import zipfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection

from apps.admin_platform import anchoring, verifying
from apps.admin_platform.models import AuditAnchor
from apps.annotations import api as annotations
from apps.billing import api as billing
from apps.billing.api import noted, paying
from apps.billing.models import PaymentAccount, Plan, PlanPeriod, PlanPrice, UsageDay, UsageReport
from apps.billing.payment import arriving, reporting
from apps.files import api as files
from apps.files import limits
from apps.files.api import retention
from apps.files.api import versions as version_doors
from apps.identity import api as identity
from apps.identity.errors import AlreadyMember
from apps.links import receiving
from apps.links.models import SentFile, Submission
from apps.notifications import telling
from apps.notifications.models import Preference
from apps.scanning import operations as scanning
from apps.scanning.models import Content as Scanned
from apps.search import outgoing
from apps.search.models import Unsent
from apps.sharing import expiring
from apps.sharing.models import Permission
from apps.storage import api as storage_door
from apps.storage import jobs as storage
from apps.storage import keys, places, provider
from apps.storage.models import Blob, DeletionHold, Move, Provider, Store
from apps.storage.operations import reconciling, references
from apps.sync import api as sync
from apps.sync import obtaining
from apps.sync.errors import SnapshotBeingMade
from bitvault.backup import checking, manifest
from bitvault.backup.configured import open_configured
from bitvault.backup.jobs import TakeBackup
from bitvault.events import consuming
from bitvault.events.models import StreamEvent
from bitvault.gateway import anchors
from bitvault.gateway.recounting import request_recount
from bitvault.jobs import api as jobs
from bitvault.jobs import kinds, leasing, running
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, db, ids, sealing
from bitvault.kernel.actor import Role
from bitvault.kernel.outbound import egress
from bitvault.mail.api import send as send_mail
from tests.apps.files.conftest import Tree, fetch
from tests.apps.previews.pictures import picture
from tests.apps.sync.following import fresh_tree, project
from tests.jobs.conftest import desk
from tests.support.own_bucket import own_bucket
from tests.support.push import Subscriber
from tests.support.sending import Sender
from tests.support.shares import share
from tests.support.stripe_server import KEY, start_stripe
from tests.support.world import ACME

__all__ = ["desk"]

pytestmark = pytest.mark.committed

STATEMENTS_LIMIT = 200


@dataclass
class Scene:
    """How a kind is asked for, and what must hold when it is done."""

    ask: Callable[[Any], None]
    check: Callable[[Any], None]


def ask_for_verification(world):
    consuming.consume("audit")
    Job.objects.all().delete()  # a fresh result would be the answer
    world.client("olga").get("/audit/verify")


def is_verified(world):
    assert Job.objects.latest("id").result["intact"]


def ask_for_rebuild(world):
    from bitvault.gateway.rebuilding import request_rebuild

    request_rebuild(consumer="sync", operator_id=world.tree.actor.user_id)


def is_rebuilt(world):
    project()
    replica = fetch("SELECT node_id, parent_id, name FROM sync_node WHERE NOT is_trashed ORDER BY 1")
    assert replica == fetch("SELECT id, parent_id, name FROM files_node ORDER BY 1")
    assert len(replica) > 2


def ask_for_snapshot(world):
    world.tree.folder(f"n{len(fresh_tree(world.tree.actor))}")
    project()
    world.device = sync.register_device(actor=world.tree.actor, name="d", platform="test").id
    world.head = sync.get_head(actor=world.tree.actor)
    world.count = fetch("SELECT count(*) FROM sync_snapshot WHERE scope <> ''")[0][0]
    with pytest.raises(SnapshotBeingMade):
        sync.list_snapshot(actor=world.tree.actor, device_id=world.device, min_seq=world.head)


def is_made_once(world):
    assert fetch("SELECT count(*) FROM sync_snapshot WHERE scope <> ''")[0][0] == world.count + 1
    page = sync.list_snapshot(actor=world.tree.actor, device_id=world.device, min_seq=world.head, limit=1000)
    assert {node.id for node in page.items} == set(fresh_tree(world.tree.actor))


def ask_for_mail(world):
    mail.outbox.clear()
    with db.public_transaction():
        send_mail("identity.password_changed", reference=world.tree.actor.user_id)


def is_one_mail(world):
    """A mail that is sent again is the same to whoever gets it."""
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 1
    assert len({message.body for message in mail.outbox}) == 1


def ask_for_recount(world):
    """A charge stands in the ledger whose file is not there."""
    upload = {"actor": world.tree.actor, "upload_id": ids.new_id(), "size_bytes": 7}
    billing.reserve(**upload, expires_at=clock.now() + timedelta(hours=1))
    billing.settle(upload_id=upload["upload_id"], size_bytes=7)
    world.count = count_corrections()
    request_recount.run()


def is_counted_right(world):
    assert fetch("SELECT used_bytes FROM billing_quota") == fetch(
        "SELECT coalesce(sum(size_bytes), 0) FROM files_version"
    )
    assert count_corrections() == world.count + 1


def count_corrections():
    return StreamEvent.objects.filter(type="billing.usage.corrected.v1").count()


def ask_for_collection(world):
    """A file was deleted permanently, and the stream has told of it."""
    client = world.client("mia")
    sender = Sender(client, client.get("/me").json()["root_id"])
    node = sender.bring(f"{ids.new_id()}.bin", ids.new_id().bytes)
    client.delete(f"/nodes/{node['id']}")
    client.delete(f"/trash/{node['id']}")
    consuming.consume(references.CONSUMER)
    world.count = len(collected_blobs())
    assert storage.request_collection()


def is_collected_once(world):
    assert {state for (state,) in fetch("SELECT DISTINCT state FROM storage_blob")} == {"gone"}
    assert len(collected_blobs()) == len(set(collected_blobs())) == world.count + 1


def collected_blobs():
    told = StreamEvent.objects.filter(type="storage.blobs.collected.v1")
    return [blob_id for event in told for blob_id in event.payload["blob_ids"]]


def ask_for_handover(world):
    """Somebody comes back, brings something, throws something away, and leaves."""
    actor = world.tree.actor
    with suppress(AlreadyMember):
        identity.add_member(tenant=actor.tenant, email="mia@acme.test", role=Role.MEMBER)
    root = files.ensure_personal_root(actor=actor)
    files.create_folder(actor=actor, parent_id=root.id, name="kept")
    thrown = files.create_folder(actor=actor, parent_id=root.id, name="thrown away")
    files.trash_node(actor=actor, node_id=thrown.id)
    world.count = count_handed_over()
    leave("files.hand_over", actor)


def leave(kind, actor):
    """Leave with adam as the successor; of the jobs that follow from it one alone is looked at."""
    identity.remove_member(tenant=actor.tenant, user_id=actor.user_id, successor_id=ACME.people["adam"].user_id)
    with db.public_transaction():
        Job.objects.filter(kind__endswith=".hand_over", state="queued").exclude(kind=kind).delete()


def is_handed_over_once(world):
    assert count_handed_over() == world.count + 1
    assert fetch("SELECT count(*) FROM files_node WHERE owner_user_id = %s", [world.tree.actor.user_id]) == [(0,)]
    assert fetch(
        "SELECT DISTINCT root.owner_user_id FROM files_trash entry LEFT JOIN files_node root ON root.id = entry.root_id"
    ) == [(ACME.people["adam"].user_id,)]


def count_handed_over():
    return fetch(
        "SELECT count(*) FROM files_node folder JOIN files_node root ON root.id = folder.parent_id"
        " WHERE folder.name LIKE 'Files of Mia%%' AND root.owner_user_id = %s",
        [ACME.people["adam"].user_id],
    )[0][0]


def ask_for_handover_of_shares(world):
    """Somebody comes back, is given a share, gives another one, and leaves."""
    actor, people = world.tree.actor, ACME.people
    with suppress(AlreadyMember):
        identity.add_member(tenant=actor.tenant, email="mia@acme.test", role=Role.MEMBER)
    facts = {"principal_kind": "user", "capabilities": 3, "role": "viewer", "granted_at": clock.now()}
    with db.write_transaction():
        for receiver, giver in ((actor.user_id, people["vera"].user_id), (people["vera"].user_id, actor.user_id)):
            Permission.objects.create(node_id=ids.new_id(), principal_id=receiver, granted_by=giver, **facts)
    world.count = count_shares("principal_id", "adam"), count_shares("granted_by", "adam")
    leave("sharing.hand_over", actor)


def are_handed_over_once(world):
    received, given = world.count
    assert (count_shares("principal_id", "adam"), count_shares("granted_by", "adam")) == (received + 1, given + 1)
    assert (count_shares("principal_id", "mia"), count_shares("granted_by", "mia")) == (0, 0)


def ask_for_expiry(world):
    """A share has ended, and a job waited for it."""
    with db.write_transaction():
        row = Permission.objects.create(
            node_id=ids.new_id(),
            principal_kind="user",
            principal_id=ACME.people["vera"].user_id,
            capabilities=3,
            role="viewer",
            granted_by=world.tree.actor.user_id,
            granted_at=clock.now(),
            expires_at=clock.now(),
        )
        expiring.plan([row])
    world.count = count_expired()


def has_expired_once(world):
    assert count_expired() == world.count + 1
    with db.read_transaction():
        assert not Permission.objects.filter(expires_at__lte=clock.now()).exists()


def ask_to_ask(world):
    """Vera asks for a folder of the actor's."""
    world.node_id = world.tree.folder(ids.new_id().hex).id
    world.count = count_asked()
    answer = world.client("vera").post(f"/nodes/{world.node_id}/access-requests", {})
    assert answer.status_code == 204, answer.content


def is_asked_once(world):
    assert count_asked() == world.count + 1
    assert str(world.node_id) in {
        one["node"]["id"] for one in world.client("mia").get("/access-requests").json()["items"]
    }


def count_asked():
    return StreamEvent.objects.filter(type="sharing.access.requested.v1").count()


def count_expired():
    return StreamEvent.objects.filter(type="sharing.share.expired.v1").count()


def count_shares(column, name):
    with db.read_transaction():
        return Permission.objects.filter(**{column: ACME.people[name].user_id}).count()


def ask_for_reconciliation(world):
    """An object lies in the store that nothing names."""
    put_object(keys.multipart_key(ids.new_id()))
    with db.write_transaction():
        jobs.enqueue(storage.RECONCILE_JOB, storage.ReconcileObjects(), key="reconcile", by=jobs.SYSTEM)


def is_reconciled(world):
    assert provider.store().list_keys(keys.tenant_prefix()) == []


def ask_for_scrub(world):
    """An object has rotted."""
    client = world.client("mia")
    with db.write_transaction():
        Blob.objects.all().delete()
    Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.bin", ids.new_id().bytes)
    with db.write_transaction():
        Blob.objects.update(created_at=clock.now() - timedelta(days=1000))
        key = Blob.objects.get().key
    put_object(key)
    with db.write_transaction():
        jobs.enqueue(storage.SCRUB_JOB, storage.ScrubObjects(), key="scrub", by=jobs.SYSTEM)


def is_in_quarantine(world):
    with db.read_transaction():
        assert Blob.objects.get().damaged_at is not None


def ask_for_move(world):
    """The tenant is moved to a store beside the installation's own, or back from it."""
    client = world.client("mia")
    Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.bin", ids.new_id().bytes)
    own = provider.store()
    place = {"endpoint_url": own.endpoint_url, "bucket": own.bucket, "prefix": "elsewhere/"}
    if not Store.objects.exists():
        keys_of_own = {
            "access_key_id": settings.BITVAULT_STORE["access_key_id"],
            "sealed_secret": sealing.seal(settings.BITVAULT_STORE["secret_access_key"], purpose=places.PURPOSE),
        }
        row = Store.objects.create(**place, **keys_of_own, name="elsewhere", changed_at=clock.now())
        Provider.objects.create(name=ids.new_id(), store=row, abilities={}, is_fit=True, probed_at=clock.now())
    places.forget()
    world.target = None if places.current() else Store.objects.get().id
    storage_door.start_move(store_id=world.target, operator_id=None)


def is_moved_once(world):
    assert not Move.objects.exclude(state="done").exists()
    with db.read_transaction():
        assert set(Blob.objects.values_list("store_id", flat=True)) == {world.target}
        needed = set(Blob.objects.values_list("key", flat=True))
    assert needed <= set(provider.store_of(world.target).list_keys(keys.tenant_prefix()))


def put_object(key):
    store = provider.store()
    store._client.put_object(Bucket=store.bucket, Key=key, Body=b"something else!!")


def ask_for_purge(world):
    """A folder is deleted permanently that is more than a request deletes itself."""
    folder = world.tree.folder(f"p{ids.new_id().hex}")
    world.tree.file("a.txt", folder)
    world.tree.trash(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "PURGE_BATCHES_AT_ONCE", 0)
        files.purge_node(actor=world.tree.actor, node_id=folder.id)
    world.count = len(purged_nodes())


def is_purged_once(world):
    assert fetch("SELECT count(*) FROM files_trash") == fetch("SELECT count(*) FROM files_refund") == [(0,)]
    assert len(purged_nodes()) == len(set(purged_nodes())) == world.count + 2


def purged_nodes():
    told = StreamEvent.objects.filter(type="files.node.purged.v1")
    return [node_id for event in told for node_id in event.payload["purged_node_ids"]]


def ask_to_cover_what_is_tagged(world):
    """Everything with a tag is put on hold."""
    tag = annotations.create_tag(actor=world.tree.actor, name=ids.new_id().hex)
    for name in "ab":
        node = world.tree.folder(f"{name}{ids.new_id().hex}")
        annotations.tag_node(actor=world.tree.actor, node_id=node.id, tag_id=tag.id)
    world.policy = retention.make_policy(
        actor=replace(world.tree.actor, role=Role.ADMIN), kind="hold", name="Case", target="tag", tag=tag
    )


def is_covered_once(world):
    policy = retention.get_policy(actor=replace(world.tree.actor, role=Role.ADMIN), policy_id=world.policy.id)
    assert (policy.state, policy.named_count) == ("active", 2)
    retention.lift_policy(actor=replace(world.tree.actor, role=Role.ADMIN), policy_id=policy.id)


def ask_to_apply_rules(world):
    """A rule deletes after a day what was brought two days ago."""
    folder = world.tree.folder(f"r{ids.new_id().hex}")
    with clock.fixed_at(clock.now() - timedelta(days=2)):
        world.old = world.tree.file("old.txt", folder)
    world.policy = retention.make_policy(
        actor=replace(world.tree.actor, role=Role.ADMIN),
        kind="rule",
        name="A day",
        target="folder",
        node_id=folder.id,
        delete_after_days=1,
    )
    assert retention.request_retention()


def is_applied_once(world):
    told = StreamEvent.objects.filter(type="files.node.trashed.v1", payload__node_id=str(world.old.id))
    assert told.count() == 1
    retention.lift_policy(actor=replace(world.tree.actor, role=Role.ADMIN), policy_id=world.policy.id)
    world.tree.restore(world.old)


def ask_to_expire_versions(world):
    """A rule keeps one earlier version of a file that was written four times."""
    world.file = world.tree.file(f"v{ids.new_id().hex}.txt")
    for content in (b"2", b"33", b"444"):
        world.file = world.tree.write(world.file, content).node
    identity.update_tenant(actor=replace(world.tree.actor, role=Role.ADMIN), policies={"versions_keep_count": 1})
    assert version_doors.request_version_expiry()


def have_expired_once(world):
    told = StreamEvent.objects.filter(type="files.version.deleted.v1", payload__node_id=str(world.file.id))
    assert [len(event.payload["version_ids"]) for event in told] == [2]
    left = files.list_versions(actor=world.tree.actor, node_id=world.file.id).items
    assert [one.size_bytes for one in left] == [3, 2]
    identity.update_tenant(actor=replace(world.tree.actor, role=Role.ADMIN), policies={"versions_keep_count": None})


def ask_for_preview(world):
    """A picture that nobody has brought before has come."""
    client = world.client("mia")
    content = picture("PNG", (30, 30), tuple(ids.new_id().bytes[-3:]))
    node = Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.png", content)
    consuming.consume("previews")
    world.content_hash = node["content_hash"]


def is_drawn_once(world):
    digest = bytes.fromhex(world.content_hash)
    assert fetch("SELECT name FROM storage_derived WHERE content_hash = %s AND ready_at IS NOT NULL", [digest]) == [
        ("small",)
    ]
    assert fetch("SELECT state FROM previews_preview WHERE content_hash = %s", [world.content_hash]) == [("ready",)]


def ask_for_text(world):
    """A document that nobody has brought before has come."""
    client = world.client("mia")
    content = f"What is written in {ids.new_id()}".encode()
    node = Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.txt", content)
    consuming.consume("search")
    world.content_hash = node["content_hash"]


def is_read_once(world):
    assert fetch("SELECT state FROM search_content WHERE content_hash = %s", [world.content_hash]) == [("ready",)]
    assert fetch("SELECT count(*) FROM search_passage WHERE content_hash = %s", [world.content_hash]) == [(1,)]


def ask_for_remarks(world):
    """Somebody has commented on a file."""
    client = world.client("mia")
    root_id = client.get("/me").json()["root_id"]
    folder = client.post("/folders", {"parent_id": root_id, "name": str(ids.new_id())}).json()
    made = client.post(f"/nodes/{folder['id']}/comments", {"text": "Approved"})
    assert made.status_code == 201, made.content
    world.comment_id = made.json()["id"]
    consuming.consume("search")


def are_read(world):
    assert fetch("SELECT text, vector::text FROM search_remark WHERE remark_id = %s", [world.comment_id]) == [
        ("Approved", "'approved':1")
    ]


def ask_to_tell_opensearch(world):
    """A change was noted for an engine that is not chosen any more."""
    with db.write_transaction():
        Unsent.objects.create(node_id=ids.new_id(), seq=1, mark=ids.new_id())
        jobs.enqueue(outgoing.SEND_JOB, outgoing.Send(), key=ids.new_id().hex, by=jobs.SYSTEM)


def is_noted_no_more(world):
    assert fetch("SELECT count(*) FROM search_unsent") == [(0,)]


def ask_for_index(world):
    """An index was wanted in an engine that is not chosen any more; tests/apps/search/test_opensearch.py has those that are."""
    with db.write_transaction():
        outgoing.ask_for_build()


def is_not_built(world):
    assert fetch("SELECT count(*) FROM search_outside_index") == [(0,)]


def ask_for_copy(world):
    """A folder is copied that is more than a request copies itself."""
    client = world.client("mia")
    parent_id = client.get("/me").json()["root_id"]
    folder = client.post("/folders", {"parent_id": parent_id, "name": ids.new_id().hex}).json()
    Sender(client, folder["id"]).bring("a.bin", ids.new_id().bytes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "COPY_AT_ONCE", 1)
        body = {"parent_id": parent_id, "name": ids.new_id().hex}
        answer = client.post(f"/nodes/{folder['id']}/copy", body)
    assert answer.status_code == 202
    world.count += 1


def is_copied_once(world):
    copies = "SELECT count(*) FROM files_version WHERE node_id IN (SELECT id FROM files_node WHERE name = 'a.bin')"
    assert fetch(copies) == [(2 * world.count,)]
    assert fetch("SELECT used_bytes FROM billing_quota") == fetch(
        "SELECT coalesce(sum(size_bytes), 0) FROM files_version"
    )


def ask_for_rewind(world):
    """A folder goes back to what it was: a file was written, renamed and one was added."""
    client = world.client("mia")
    parent_id = client.get("/me").json()["root_id"]
    folder = client.post("/folders", {"parent_id": parent_id, "name": ids.new_id().hex}).json()
    file = Sender(client, folder["id"]).bring("before.bin", ids.new_id().bytes)
    since = clock.now().isoformat()
    stale = {"mode": "update", "node_id": file["id"], "base_version_id": file["version_id"]}
    Sender(client, folder["id"]).bring("before.bin", ids.new_id().bytes, **stale)
    client.patch(f"/nodes/{file['id']}", {"name": "after.bin"}, headers={"if-match": "*"})
    Sender(client, folder["id"]).bring("new.bin", ids.new_id().bytes)
    consuming.consume("history")
    planned = client.post(f"/nodes/{folder['id']}/rewind", {"since": since})
    assert planned.status_code == 201, planned.content
    assert client.post(f"/rewinds/{planned.json()['id']}/run").status_code == 202
    world.node_id, world.content_hash = folder["id"], file["content_hash"]


def is_rewound_once(world):
    rows = (
        "SELECT name, content_hash, (SELECT count(*) FROM files_version WHERE node_id = node.id) FROM files_node node"
    )
    assert fetch(f"{rows} WHERE parent_id = %s", [world.node_id]) == [("before.bin", world.content_hash, 3)]
    assert fetch("SELECT used_bytes FROM billing_quota") == fetch(
        "SELECT coalesce(sum(size_bytes), 0) FROM files_version"
    )


def ask_for_archive(world):
    """Somebody wants a folder as one file."""
    client = world.client("mia")
    parent_id = client.get("/me").json()["root_id"]
    folder = client.post("/folders", {"parent_id": parent_id, "name": ids.new_id().hex}).json()
    Sender(client, folder["id"]).bring("a.bin", ids.new_id().bytes)
    assert client.post("/archives", {"node_ids": [folder["id"]]}).status_code == 202
    world.count += 1


def is_packed_once(world):
    """There is one object for each archive, and no upload is left open."""
    store, prefix = provider.store(), keys.tenant_prefix()
    ready = "SELECT try_id FROM storage_archive WHERE ready_at IS NOT NULL"
    tries = [keys.archive_key(try_id) for (try_id,) in fetch(ready)]
    assert len(tries) == world.count
    assert sorted(key for key in store.list_keys(prefix) if key.endswith("/zip")) == sorted(tries)
    assert store.list_multipart_uploads(prefix) == []


def ask_for_extraction(world):
    """Somebody wants what is in a zip."""
    client = world.client("mia")
    parent_id = client.get("/me").json()["root_id"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("d/out.bin", ids.new_id().bytes)
    zipped = Sender(client, parent_id).bring(f"{ids.new_id().hex}.zip", packed.getvalue())
    assert client.post(f"/nodes/{zipped['id']}/extract", {}).status_code == 202
    world.count += 1


def is_extracted_once(world):
    files_out = (
        "SELECT count(*) FROM files_version WHERE node_id IN (SELECT id FROM files_node WHERE name LIKE 'out%%bin')"
    )
    assert fetch(files_out) == [(world.count,)]
    assert fetch("SELECT count(*) FROM files_node WHERE name = 'd'") == [(world.count,)]


def ask_to_tell(world):
    """Something was shared with somebody who is written to at once; the mails wait."""
    PausedKind.objects.get_or_create(kind="mail.send", defaults={"paused_at": clock.now()})
    with db.write_transaction():
        wish = Preference(user_id=ACME.people["adam"].user_id, topic="shared", browser=True, mail="at_once")
        Preference.objects.bulk_create([wish], ignore_conflicts=True)
    share(world.tree.actor, world.tree.folder(f"{ids.new_id()}"), "everyone", "viewer")
    consuming.consume("notifications")
    world.count = count_deliveries()
    Job.objects.filter(kind="mail.send").delete()
    Job.objects.filter(kind="notifications.tell").update(run_at=clock.now())


def is_told_once(world):
    """The mail and its job are of one transaction."""
    assert count_deliveries() == world.count + 1
    assert Job.objects.filter(kind="mail.send").count() == 1
    Job.objects.filter(kind="mail.send").delete()
    PausedKind.objects.all().delete()


def count_deliveries():
    return fetch("SELECT count(*) FROM notifications_delivery")[0][0]


def ask_to_push(world):
    """Something was shared with somebody who is told in a browser; its push service does not answer."""
    olga = world.client("olga")
    if not olga.get("/notifications/browsers").json()["items"]:
        made = olga.post("/notifications/browsers", Subscriber("https://8.8.8.8/push").body())
        assert made.status_code == 201, made.content
    share(world.tree.actor, world.tree.folder(f"{ids.new_id()}"), "everyone", "viewer")
    consuming.consume("notifications")
    telling.tell()
    Job.objects.exclude(kind="notifications.push").delete()


def is_pushed_again_later(world):
    """What follows of a try that nobody answered is one further try, and the browser stays."""
    again = Job.objects.get(kind="notifications.push", state="queued")
    assert (again.payload["number"], again.run_at > clock.now()) == (1, True)
    assert fetch("SELECT failing_since IS NOT NULL FROM notifications_browser") == [(True,)]
    again.delete()


def ask_to_deliver(world):
    """A webhook whose address is refused at once: what it leaves is one message whose tries go on."""
    webhook = make_webhook(world)
    world.tree.folder(ids.new_id().hex)
    consuming.consume("webhooks")
    world.webhook_id = webhook["id"]


def make_webhook(world):
    olga = world.client("olga")
    for present in olga.get("/webhooks").json()["items"]:
        olga.delete(f"/webhooks/{present['id']}")
    Job.objects.filter(lane="outbound").delete()
    return olga.post("/webhooks", {"url": "https://8.8.8.8:1024/", "events": ["files.folder.created"]}).json()


def is_tried_once_or_known_to_be(world):
    """A second worker's try is another try of the same message, and the next one waits for its time."""
    found = fetch("SELECT state, seq IS NOT NULL FROM webhooks_delivery WHERE webhook_id = %s", [world.webhook_id])
    assert found == [("pending", True)]
    assert fetch("SELECT next_try_at > now() FROM webhooks_webhook") == [(True,)]
    Job.objects.filter(lane="outbound", state="queued").delete()


def ask_for_scan(world):
    """A content came, and the scanner is away: no scanner answers at a port that is none."""
    client = world.client("mia")
    Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.bin", ids.new_id().bytes)
    with db.write_transaction():
        blob = Blob.objects.latest("id")
        world.content_hash = bytes(blob.content_hash).hex()
        scanning.ask([scanning.NewContent(world.content_hash, blob.id, blob.size_bytes)])


def is_scanned_later(world):
    with db.read_transaction():
        content = Scanned.objects.get(content_hash=world.content_hash)
        assert (content.state, content.reason, content.try_count) == ("unscanned", "outage", 0)
        assert content.due_at > clock.now()


def ask_for_backlog(world):
    ask_for_scan(world)
    Job.objects.filter(kind=scanning.SCAN_JOB).delete()
    with db.write_transaction():
        Scanned.objects.exclude(content_hash=world.content_hash).delete()
        Scanned.objects.update(due_at=clock.now())
        jobs.enqueue(scanning.BACKLOG_JOB, scanning.ScanBacklog(), key="backlog", by=jobs.SYSTEM)


def ask_to_take_in(world):
    client = world.client("mia")
    Sender(client, client.get("/me").json()["root_id"]).bring(f"{ids.new_id()}.bin", ids.new_id().bytes)
    with db.write_transaction():
        Scanned.objects.all().delete()
        jobs.enqueue(scanning.TAKE_IN_JOB, scanning.TakeIn(), key="all", by=jobs.SYSTEM)


def is_taken_in_once(world):
    with db.read_transaction():
        waiting = Blob.objects.filter(scan_state="unscanned", state__in=["pending", "live"])
        hashes = {bytes(one).hex() for one in waiting.values_list("content_hash", flat=True)}
        assert hashes
        assert set(Scanned.objects.values_list("content_hash", flat=True)) == hashes


def ask_to_send(world):
    webhook = make_webhook(world)
    world.client("olga").post(f"/webhooks/{webhook['id']}/test")
    world.webhook_id = webhook["id"]


def is_sent_once(world):
    assert fetch("SELECT state FROM webhooks_delivery WHERE webhook_id = %s", [world.webhook_id]) == [("failed",)]


def ask_to_tell_of_an_end(world):
    """A job of somebody's that took long has ended."""
    facts = {"job_id": ids.new_id(), "kind": "files.copy", "user_id": world.tree.actor.user_id, "state": "done"}
    with db.write_transaction():
        jobs.enqueue_following(jobs.ENDED, facts, key=facts["job_id"].hex, by=jobs.SYSTEM)
    world.count = StreamEvent.objects.filter(type="notifications.long_job.ended.v1").count()


def is_in_the_stream_once(world):
    assert StreamEvent.objects.filter(type="notifications.long_job.ended.v1").count() == world.count + 1


def ask_to_tell_of_a_links_end(world):
    expires_at = (clock.now() + timedelta(days=9)).isoformat()
    link = {"kind": "download", "expires_at": expires_at}
    made = world.client("mia").post(f"/nodes/{world.tree.folder(ids.new_id().hex).id}/links", link)
    assert made.status_code == 201, made.content
    Job.objects.filter(kind="links.tell_of_end").update(run_at=clock.now())
    world.count = count_events("links.link.ending.v1")


def is_told_of_once(world):
    assert count_events("links.link.ending.v1") == world.count + 1


def ask_to_finish_a_submission(world):
    """Somebody has sent a file through a link, and closed the page."""
    folder = world.tree.folder(ids.new_id().hex)
    made = world.client("mia").post(f"/nodes/{folder.id}/links", {"kind": "upload", "request": {"title": "Send"}})
    assert made.status_code == 201, made.content
    now, link_id = clock.now(), made.json()["id"]
    with db.write_transaction():
        submission = Submission.objects.create(id=ids.new_id(), link_id=link_id, started_at=now)
        sent = {"submission_id": submission.id, "link_id": link_id, "name": "a.txt", "size_bytes": 1}
        SentFile.objects.create(id=ids.new_id(), node_id=ids.new_id(), started_at=now, sent_at=now, **sent)
        payload = receiving.FinishSubmission(submission_id=submission.id)
        jobs.enqueue(receiving.FINISH_JOB, payload, key=submission.id.hex, by=jobs.SYSTEM)
    world.count = count_events("links.submission.finished.v1")


def is_finished_once(world):
    assert count_events("links.submission.finished.v1") == world.count + 1


def count_events(event_type):
    return StreamEvent.objects.filter(type=event_type).count()


def ask_for_backup(world):
    with db.public_transaction():
        jobs.enqueue("backup.take", TakeBackup(keep=3), key="nightly", by=jobs.SYSTEM, for_installation=True)


def ask_to_copy_anchors(world):
    """An anchor was signed, and operators have named a bucket that locks."""
    own = settings.BITVAULT_STORE
    name = f"anchors-{ids.new_id().hex}"
    provider.store()._client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    place = {key: own[key] for key in ("endpoint_url", "region", "access_key_id", "secret_access_key")}
    settings.BITVAULT_ANCHORS = {**place, "bucket": f"s3://{name}", "mode": "GOVERNANCE", "days": 1}
    world.tree.folder(ids.new_id().hex)
    consuming.consume("audit")
    assert anchoring.anchor()
    assert anchors.request()


def are_locked_away_once(world):
    name = settings.BITVAULT_ANCHORS["bucket"].removeprefix("s3://")
    kept = provider.store()._client.list_objects_v2(Bucket=name)["Contents"]
    with db.read_transaction():
        assert len(kept) == AuditAnchor.objects.count() > 0
    settings.BITVAULT_ANCHORS = {**settings.BITVAULT_ANCHORS, "bucket": ""}


def is_backed_up(world):
    target = open_configured(writes=False)
    assert list(checking.verify(target, manifest.get(target, None))) == []
    assert not DeletionHold.objects.exists()


def make_siem_export(world):
    olga = world.client("olga")
    for present in olga.get("/audit/siem-exports").json()["items"]:
        olga.delete(f"/audit/siem-exports/{present['id']}")
    Job.objects.filter(lane="outbound").delete()
    # Nothing is sent to this port, which is found out when something is.
    found = olga.post("/audit/siem-exports", {"url": "https://8.8.8.8:1024/", "from_number": 1})
    assert found.status_code == 201, found.content
    return found.json()


def ask_to_send_log(world):
    """An export of a log with something in it, whose address is refused at once."""
    consuming.consume("audit")
    make_siem_export(world)


def is_tried_later(world):
    assert fetch("SELECT position, last_failure != '', next_try_at > now() FROM admin_platform_siem_export") == [
        (0, True, True)
    ]
    Job.objects.filter(lane="outbound", state="queued").delete()


def ask_to_send_siem_test(world):
    export = make_siem_export(world)
    world.client("olga").patch(f"/audit/siem-exports/{export['id']}", {"enabled": False})
    Job.objects.filter(lane="outbound").delete()
    world.client("olga").post(f"/audit/siem-exports/{export['id']}/test")


def has_told_what_became_of_it(world):
    assert Job.objects.filter(kind="audit.siem_test").latest("id").result["is_taken"] is False


def have_team_paid(world):
    """The tenant has a subscription for the plan "team", of which nobody has heard yet."""
    with db.public_transaction():
        plan, _ = Plan.objects.get_or_create(slug="team", defaults={"name": "Team", "limit_bytes": 1})
        for metric, event in (("plan", ""), ("uploads_committed_count", "uploads")):
            PlanPrice.objects.get_or_create(
                plan=plan, metric=metric, defaults={"price_id": f"price_{metric}", "event_name": event}
            )
        PaymentAccount.objects.update_or_create(
            tenant_id=world.tree.actor.tenant.id,
            defaults={
                "customer_id": "cus_1",
                "applied_plan": "default",
                "created_at": clock.now(),
                "claim_id": None,
                "claimed_until": None,
            },
        )
    world.stripe.subscriptions.clear()
    world.stripe.subscribe("cus_1", "price_plan")
    billing.set_quota(plan="default")
    world.count = count_events("billing.subscription.started.v1")


def ask_for_payment(world):
    have_team_paid(world)
    with db.public_transaction():
        jobs.enqueue(arriving.REFRESH, arriving.RefreshPayment(), key=ids.new_id().hex, by=jobs.SYSTEM)


def has_its_plan(world):
    assert billing.get_quota().plan == "team"
    assert count_events("billing.subscription.started.v1") == world.count + 1


def ask_to_report(world):
    """An upload of yesterday, of a thousand that are one unit: one thousandth."""
    have_team_paid(world)
    billing.set_quota(plan="team")
    world.stripe.usage.clear()
    world.stripe.kept.clear()
    yesterday = clock.now() - timedelta(days=2)
    PaymentAccount.objects.update(paid_plan="team", usage_since=yesterday)
    with db.write_transaction():
        UsageReport.objects.all().delete()
        UsageDay.objects.update_or_create(
            day=yesterday.date(), metric="uploads_committed_count", defaults={"amount": 1}
        )
        PlanPeriod.objects.all().delete()
        jobs.enqueue(reporting.REPORT, reporting.ReportUsage(), key="usage", by=jobs.SYSTEM)


def is_reported_once(world):
    assert [amount for _, amount in world.stripe.usage.values()] == [1]


def ask_to_end_subscriptions(world):
    have_team_paid(world)
    world.stripe.kept.clear()
    noted.forget_tenant(tenant_id=world.tree.actor.tenant.id)
    paying.forget_payment(tenant_id=world.tree.actor.tenant.id)


def are_ended(world):
    assert [one["status"] for one in world.stripe.subscriptions.values()] == ["canceled"]


SCENES = {
    "billing.refresh_payment": Scene(ask_for_payment, has_its_plan),
    "billing.report_usage": Scene(ask_to_report, is_reported_once),
    "billing.end_subscriptions": Scene(ask_to_end_subscriptions, are_ended),
    "audit.copy_anchors": Scene(ask_to_copy_anchors, are_locked_away_once),
    "backup.take": Scene(ask_for_backup, is_backed_up),
    "links.tell_of_end": Scene(ask_to_tell_of_a_links_end, is_told_of_once),
    "links.finish_submission": Scene(ask_to_finish_a_submission, is_finished_once),
    "notifications.job_ended": Scene(ask_to_tell_of_an_end, is_in_the_stream_once),
    "notifications.push": Scene(ask_to_push, is_pushed_again_later),
    "scanning.scan": Scene(ask_for_scan, is_scanned_later),
    "scanning.backlog": Scene(ask_for_backlog, is_scanned_later),
    "scanning.take_in": Scene(ask_to_take_in, is_taken_in_once),
    "audit.siem_send": Scene(ask_to_send_log, is_tried_later),
    "audit.siem_test": Scene(ask_to_send_siem_test, has_told_what_became_of_it),
    "webhooks.deliver": Scene(ask_to_deliver, is_tried_once_or_known_to_be),
    "webhooks.send": Scene(ask_to_send, is_sent_once),
    "files.extract": Scene(ask_for_extraction, is_extracted_once),
    "files.archive": Scene(ask_for_archive, is_packed_once),
    "files.rewind": Scene(ask_for_rewind, is_rewound_once),
    "files.copy": Scene(ask_for_copy, is_copied_once),
    "search.build": Scene(ask_for_index, is_not_built),
    "search.read_text": Scene(ask_for_text, is_read_once),
    "search.read_remarks": Scene(ask_for_remarks, are_read),
    "search.send": Scene(ask_to_tell_opensearch, is_noted_no_more),
    "previews.make": Scene(ask_for_preview, is_drawn_once),
    "files.cover_tagged": Scene(ask_to_cover_what_is_tagged, is_covered_once),
    "files.apply_retention": Scene(ask_to_apply_rules, is_applied_once),
    "files.expire_versions": Scene(ask_to_expire_versions, have_expired_once),
    "files.purge": Scene(ask_for_purge, is_purged_once),
    "storage.reconcile": Scene(ask_for_reconciliation, is_reconciled),
    "storage.move": Scene(ask_for_move, is_moved_once),
    "storage.scrub": Scene(ask_for_scrub, is_in_quarantine),
    "storage.collect": Scene(ask_for_collection, is_collected_once),
    "files.hand_over": Scene(ask_for_handover, is_handed_over_once),
    "sharing.hand_over": Scene(ask_for_handover_of_shares, are_handed_over_once),
    "sharing.ask": Scene(ask_to_ask, is_asked_once),
    "sharing.expire": Scene(ask_for_expiry, has_expired_once),
    "billing.recount": Scene(ask_for_recount, is_counted_right),
    "mail.send": Scene(ask_for_mail, is_one_mail),
    "audit.verify": Scene(ask_for_verification, is_verified),
    "events.rebuild": Scene(ask_for_rebuild, is_rebuilt),
    "sync.snapshot": Scene(ask_for_snapshot, is_made_once),
    "notifications.tell": Scene(ask_to_tell, is_told_once),
}


@dataclass
class World:
    """A tenant in use, in which all that is long is long already."""

    tree: Tree
    client: Any
    device: Any = None
    node_id: Any = None
    content_hash: str = ""
    webhook_id: str = ""
    target: Any = None
    head: int = 0
    count: int = 0
    stripe: Any = None


@pytest.fixture
def world(desk, tenant, actor, api, monkeypatch, settings, tmp_path):
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "target": str(tmp_path)}
    monkeypatch.setattr(verifying, "STEP", 2)
    monkeypatch.setattr(obtaining, "SMALL_NODES", 0)
    monkeypatch.setattr(obtaining, "LARGE_NODES", 0)
    monkeypatch.setattr(obtaining, "MADE_LIMIT", 10_000)
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(egress, "post", lambda *_, **__: egress.Answer(duration_ms=1, failure="connection"))
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}
    monkeypatch.setattr(reconciling, "OLD", timedelta(seconds=-60))
    stripe, server = start_stripe()
    settings.BITVAULT_PAYMENT = "stripe"
    settings.BITVAULT_STRIPE = {"key": KEY, "webhook_secret": "", "url": stripe.url}
    tree = Tree(actor)
    tree.folder("a", tree.folder("b"))
    project()
    with own_bucket(settings):
        yield World(tree, api, stripe=stripe)
    server.shutdown()
    server.server_close()


class Killed(BaseException):
    """The process is no more; whatever it would have done next is not done."""


@contextmanager
def killed_before(number):
    """Die before the statement of this number, and send none afterwards; gives how many were sent."""
    sent = []

    def stand_between(execute, *args):
        if len(sent) + 1 >= number:
            raise Killed
        sent.append(args[0])
        return execute(*args)

    with connection.execute_wrapper(stand_between):
        yield sent
    connection.close()


def lane_of(kind):
    return kinds.get_kind(kind).lane


def test_every_kind_has_its_scene():
    assert {name for name in kinds.list_kinds() if not name.startswith("tests.")} == set(SCENES)


@pytest.mark.parametrize("kind", SCENES)
def test_a_job_that_two_workers_do_has_its_effect_once(world, desk, kind):
    """The first one stood still until its job was given to another, and goes on when that one is done."""
    SCENES[kind].ask(world)
    stalled = leasing.lease(lane_of(kind))
    desk.bury()
    desk.hurry()
    assert running.run_next(lane_of(kind))
    result = desk.row_of(stalled).result
    running.run_leased(stalled)
    SCENES[kind].check(world)
    assert (desk.row_of(stalled).state, desk.row_of(stalled).result) == ("done", result)


@pytest.mark.parametrize("kind", SCENES)
def test_a_worker_is_killed_before_each_statement_and_another_one_brings_it_to_its_end(world, desk, kind):
    deaths = 0
    for number in range(1, STATEMENTS_LIMIT):
        SCENES[kind].ask(world)
        job = Job.objects.latest("id")
        try:
            with killed_before(number):
                running.run_next(lane_of(kind))
        except Killed:
            deaths += 1
            connection.close()
            desk.bury()
            desk.hurry()
            running.run_next(lane_of(kind))
        assert desk.row_of(job).state == "done", (number, desk.row_of(job).error)
        SCENES[kind].check(world)
        if deaths < number:
            break
    assert deaths > 5
    assert deaths < STATEMENTS_LIMIT - 1
