"""What tests of the defences stand on: real processes, and people with things of their own in two tenants."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.client import ApiClient
from tests.support.live import Live
from tests.support.push import Subscriber
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.surface import count_guesses_apart
from tests.support.world import ACME, BETA, PASSWORD


@pytest.fixture(autouse=True)
def _guesses_of_its_own(settings):
    count_guesses_apart(settings)


@pytest.fixture(scope="module")
def live(database_template, worker_suffix):
    """A running BitVault with the small world (tests/support/world.py), for the tests of one file."""
    with Live(template=database_template, name=f"bv_secure_{worker_suffix}") as running:
        yield running


@dataclass
class Belongings:
    """What one person has, each thing under a name that nobody else uses; ``ids`` by the parameter of a route."""

    canary: str
    api: Any
    ids: dict[str, dict[str, str]] = field(default_factory=dict)


def _project(slug: str) -> None:
    """Let the feed come to the head of a tenant's stream, as a worker does."""
    from apps.identity import api as identity
    from bitvault.events import consuming
    from bitvault.kernel import tenancy
    from tests.apps.sync.following import project

    with tenancy.entered(identity.find_tenant_by_host(host=f"{slug}.localhost")):
        project()
        consuming.consume("history")


def in_an_hour():
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def _ask_for_job(company: Any, person: Any, key: str) -> str:
    """Ask for a job that waits until tomorrow."""
    from bitvault.jobs.models import Job
    from bitvault.kernel import clock

    facts = {"kind": "sync.snapshot", "lane": "bulk", "key": key, "payload": {}, "created_at": clock.now()}
    by = {"created_by_kind": "user", "created_by_id": person.user_id}
    return str(Job.objects.create(tenant_id=company.id, run_at=clock.now() + timedelta(days=1), **facts, **by).pk)


def _invite(client: Any, canary: str) -> str:
    """Invite somebody, who has accepted nothing yet."""
    invited = client.post(
        "/invitations", {"email": f"{canary}@elsewhere.test", "role": "viewer", "message": f"{canary} message"}
    )
    assert invited.status_code == 201, invited.content
    return str(invited.json()["id"])


def _quarantine(slug: str, canary: str) -> str:
    """Let something be found in a content."""
    from apps.identity import api as identity
    from apps.scanning.models import Content
    from bitvault.kernel import clock, db, ids, tenancy

    now = clock.now()
    facts = {"size_bytes": 1, "created_at": now, "scanned_at": now, "state": "infected", "signature": canary}
    with tenancy.entered(identity.find_tenant_by_host(host=f"{slug}.localhost")), db.write_transaction():
        row = Content.objects.create(content_hash=uuid4().hex * 2, blob_id=ids.new_id(), name=canary, **facts)
    return str(row.id)


def _look_as_support(company: Any, person: Any, canary: str) -> str:
    """Let somebody of support look at the tenant."""
    from apps.identity.models import Impersonation
    from bitvault.kernel import clock, ids

    now = clock.now()
    row = Impersonation.objects.create(
        operator_id=ids.new_id(),
        operator_name=canary,
        operator_session_id=ids.new_id(),
        tenant_id=company.id,
        slug=company.slug,
        member_id=person.user_id,
        member_email=person.email,
        reason=canary,
        began_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return str(row.id)


def _ask_for_access(slug: str, client: Any, node_id: str, canary: str) -> str:
    """Let a colleague ask for somebody's folder, and the request come to them, as a worker does."""
    from apps.identity import api as identity
    from apps.sharing.models import AccessRequest
    from bitvault.kernel import db, tenancy

    asker = _client("vera" if slug == "acme" else "mona")
    asked = asker.post(f"/nodes/{node_id}/access-requests", {"message": f"{canary} asks"})
    assert asked.status_code == 204, asked.content
    with tenancy.entered(identity.find_tenant_by_host(host=f"{slug}.localhost")), db.write_transaction():
        AccessRequest.objects.filter(node_id=node_id).update(state="open")
    (request,) = client.get("/access-requests").json()["items"]
    return str(request["id"])


def _wear_picture(client: Any) -> str:
    """Give somebody a picture."""
    from tests.apps.previews.pictures import picture
    from tests.support.sending import put, sha256

    content = picture()
    upload = client.post("/pictures/uploads", {"size_bytes": len(content), "sha256": sha256(content)}).json()
    assert put(upload["parts"][0], content).status == 200
    worn = client.put("/me/picture", {"upload_id": upload["id"]})
    assert worn.status_code == 200, worn.content
    return str(worn.json()["picture_id"])


def _client(name: str) -> ApiClient:
    return ApiClient(token={**ACME.people, **BETA.people}[name].token)


def _own(name: str) -> Belongings:
    """Give somebody one thing of each kind that a route can name."""
    from django.test import Client

    canary = f"canary-of-{name}"
    client = _client(name)
    root_id = client.get("/me").json()["root_id"]
    sender = Sender(client, root_id)
    folder = client.post("/folders", {"parent_id": root_id, "name": f"{canary} folder"}).json()
    file = sender.bring(f"{canary} file", canary.encode())
    inside = Sender(client, folder["id"]).bring(f"{canary} inside", canary.encode() * 2)
    trashed = client.post("/folders", {"parent_id": root_id, "name": f"{canary} trashed"}).json()
    assert client.delete(f"/nodes/{trashed['id']}").status_code == 204
    upload = sender.started(f"{canary} upload", canary.encode() * 3)
    token = client.post("/tokens", {"name": f"{canary} token", "scopes": ["files:read"], "expires_at": in_an_hour()})
    slug = "acme" if name in ACME.people else "beta"
    person = {**ACME.people, **BETA.people}[name]
    browser = Client(headers={"host": f"{slug}.localhost", "user-agent": f"{canary} browser"})
    signed_in = browser.post(
        "/api/v1/auth/login", {"email": person.email, "password": PASSWORD}, content_type="application/json"
    )
    assert signed_in.status_code == 200, signed_in.content
    session = client.get("/sessions").json()["items"][0]
    device = client.post("/sync/devices", {"name": f"{canary} device", "platform": "linux"}).json()
    stale = {"mode": "update", "node_id": inside["id"], "base_version_id": inside["version_id"]}
    Sender(client, folder["id"]).bring(inside["name"], b"newer", **stale)
    conflict = Sender(client, folder["id"]).bring(inside["name"], b"meanwhile", **stale)
    # Who administers makes the folder; only this person reaches it, and whoever administers the tenant. One may know who shared it.
    administrator = _client("olga" if slug == "acme" else "boris")
    team = administrator.post("/team-folders", {"name": f"{canary} team"})
    assert team.status_code == 201, team.content
    invitation_id = _invite(administrator, canary)
    share = administrator.post(
        f"/nodes/{team.json()['id']}/shares", by_rest(person.user_id, "editor" if name == "mia" else "manager")
    )
    assert share.status_code == 201, share.content
    link = client.post(f"/nodes/{file['id']}/links", {"kind": "download", "name": f"{canary} link"})
    assert link.status_code == 201, link.content
    comment = client.post(f"/nodes/{folder['id']}/comments", {"text": f"{canary} comment"})
    assert comment.status_code == 201, comment.content
    # Every member sees what groups there are: its name is nobody's.
    group = administrator.post("/groups", {"name": uuid4().hex}).json()
    role = administrator.post("/roles", {"name": uuid4().hex, "permissions": []}).json()
    # So with tags.
    tag = client.post("/tags", {"name": uuid4().hex})
    assert tag.status_code == 201, tag.content
    hold = administrator.post(
        "/retention", {"kind": "hold", "name": canary, "target": "tag", "tag_id": tag.json()["id"]}
    )
    assert hold.status_code == 201, hold.content
    template = administrator.post(
        "/metadata/templates", {"name": uuid4().hex, "fields": [{"name": uuid4().hex, "kind": "text"}]}
    )
    assert template.status_code == 201, template.content
    subscription = client.post("/subscriptions", {"node_id": folder["id"]}).json()
    browser = client.post("/notifications/browsers", Subscriber(f"https://8.8.8.8/{uuid4().hex}").body())
    assert browser.status_code == 201, browser.content
    wish = {"url": "https://8.8.8.8/", "events": ["*"], "description": canary}
    picture_id = _wear_picture(client)
    webhook = administrator.post("/webhooks", wish)
    assert webhook.status_code == 201, webhook.content
    siem = administrator.post("/audit/siem-exports", {"url": "https://8.8.8.8/", "description": canary})
    assert siem.status_code == 201, siem.content
    delivery = administrator.post(f"/webhooks/{webhook.json()['id']}/test").json()
    team_inside = Sender(client, team.json()["id"]).bring(f"{canary} team file", canary.encode() * 4)
    _project(slug)
    rewind = client.post(f"/nodes/{folder['id']}/rewind", {"since": datetime.now(UTC).isoformat()})
    assert rewind.status_code == 201, rewind.content
    domain = administrator.post("/tenant/domains", {"domain": f"{canary}.example.org"})
    assert domain.status_code == 201, domain.content
    shortcut = client.post(f"/nodes/{root_id}/shortcuts", {"node_id": team.json()["id"], "name": f"{canary} shortcut"})
    assert shortcut.status_code == 201, shortcut.content
    return Belongings(
        canary=canary,
        api=client,
        ids={
            "node_id": {
                "folder": folder["id"],
                "file": file["id"],
                "inside": inside["id"],
                "root": root_id,
                "team": team.json()["id"],
                "team inside": team_inside["id"],
            },
            "folder_id": {"team": team.json()["id"]},
            "visit_id": {"visit": _look_as_support(ACME if slug == "acme" else BETA, person, canary)},
            "domain_id": {"domain": domain.json()["id"]},
            "shortcut_id": {"shortcut": shortcut.json()["id"]},
            "share_id": {"share": share.json()["id"]},
            "link_id": {"link": link.json()["id"]},
            "comment_id": {"comment": comment.json()["id"]},
            "tag_id": {"tag": tag.json()["id"]},
            "policy_id": {"hold": hold.json()["id"]},
            "template_id": {"template": template.json()["id"]},
            "field_id": {"field": template.json()["fields"][0]["id"]},
            "request_id": {"request": _ask_for_access(slug, client, folder["id"], canary)},
            "rewind_id": {"rewind": rewind.json()["id"]},
            "subscription_id": {"subscription": subscription["id"]},
            "browser_id": {"browser": browser.json()["id"]},
            "webhook_id": {"webhook": webhook.json()["id"]},
            "export_id": {"export": siem.json()["id"]},
            "delivery_id": {"delivery": delivery["id"]},
            "content_id": {"content": _quarantine(slug, canary)},
            "trash": {"trashed": trashed["id"]},
            "upload_id": {"upload": upload["id"]},
            "token_id": {"token": token.json()["id"]},
            "session_id": {"session": session["id"]},
            "device_id": {"device": device["id"]},
            "conflict_id": {"conflict": conflict["id"]},
            "job_id": {"job": _ask_for_job(ACME if slug == "acme" else BETA, person, canary)},
            "version_id": {"version": file["version_id"]},
            "user_id": {"user": str(person.user_id)},
            "picture_id": {"picture": picture_id},
            "group_id": {"group": group["id"]},
            "role_id": {"role": role["id"]},
            "member_id": {"member": str(person.user_id)},
            "invitation_id": {"invitation": invitation_id},
            "code": {"a code that is none": canary},
            "token": {"an address that is none": canary},
            "key": {"a feature that is none": canary},
            "month": {"a month without a statement": "2020-01"},
            "scope": {"user": f"user:{person.user_id}", "folder": f"folder:{team.json()['id']}"},
        },
    )


@pytest.fixture(scope="module")
def belongings_of(django_db_setup, django_db_blocker, database_template, worker_suffix):
    """Mia, Adam (a colleague) and Boris (of another tenant) with what is theirs, made once, in a database of this file's own."""
    from tests.support import databases

    name = f"bv_belongings_{worker_suffix}"
    with django_db_blocker.unblock(), databases.another(database_template, name), databases.administration() as admin:
        databases.let_transactions_stand(admin, name)
        yield {person: _own(person) for person in ("mia", "adam", "boris")}


@pytest.fixture
def belongings(belongings_of, db):
    """Tell what somebody has (``belongings("mia")``); what a test does to it is taken back."""
    return belongings_of.__getitem__
