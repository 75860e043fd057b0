"""Lists cost as many queries at 200 rows as at 10."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bitvault.kernel import clock, db, ids, tenancy

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("lasting_memory")]


def add_entries(acme, api, count):
    from apps.admin_platform import operations

    with tenancy.entered(acme), db.write_transaction():
        fields = {"event_type": "tests.entry", "actor_id": None, "node_id": None, "payload": {}}
        operations.append([operations.entry_without_event(**fields) for _ in range(count)])


def add_members(acme, api, count):
    from apps.identity import models

    for _ in range(count):
        person = models.User.objects.create(id=ids.new_id(), email=f"{uuid4().hex}@acme.test", name="x", password="!")
        models.Membership.objects.create(tenant_id=acme.id, user=person, role="member", created_at=clock.now())


def add_invitations(acme, api, count):
    from apps.identity import models

    now = clock.now()
    models.Invitation.objects.bulk_create(
        models.Invitation(
            tenant_id=acme.id,
            email=f"{uuid4().hex}@elsewhere.test",
            role="member",
            invited_by=models.User.objects.get(email="adam@acme.test"),
            code_id=uuid4(),
            code_hash=uuid4().bytes * 2,
            created_at=now,
            sent_at=now,
            expires_at=now + timedelta(days=1),
        )
        for _ in range(count)
    )


def add_groups(acme, api, count):
    from apps.identity import models

    now = clock.now()
    models.Group.objects.bulk_create(
        models.Group(tenant_id=acme.id, name=uuid4().hex, created_at=now) for _ in range(count)
    )


def add_devices(acme, api, count):
    from apps.sync import models
    from tests.support.world import ACME

    with tenancy.entered(acme), db.write_transaction():
        for number in range(count):
            device = models.Device.objects.create(
                id=ids.new_id(),
                user_id=ACME.people["mia"].user_id,
                name=f"{number}",
                platform="tests",
                created_at=clock.now(),
            )
            models.DeviceCursor.objects.create(device_id=device.id, seq=0, acknowledged_at=clock.now())


def add_conflicts(acme, api, count):
    from apps.sync import models
    from bitvault.events import consuming

    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    original = mia.post("/folders", {"parent_id": root_id, "name": uuid4().hex}).json()["id"]
    copies = [mia.post("/folders", {"parent_id": root_id, "name": uuid4().hex}).json()["id"] for _ in range(count)]
    with tenancy.entered(acme):
        consuming.consume("sync")
        with db.write_transaction():
            for copy in copies:
                models.Conflict.objects.create(
                    node_id=copy, original_id=original, version_id=uuid4(), seq=1, opened_at=clock.now()
                )


def add_tokens(acme, api, count):
    for number in range(count):
        expires_at = (clock.now() + timedelta(days=1)).isoformat()
        api("mia").post("/tokens", {"name": f"{number}", "scopes": ["files:read"], "expires_at": expires_at})


@pytest.mark.parametrize(
    ("path", "who", "add", "query"),
    [
        ("/audit", "olga", add_entries, {"limit": "1000", "type": "tests.entry"}),
        ("/members", "olga", add_members, {"limit": "1000"}),
        ("/groups", "olga", add_groups, {"limit": "1000"}),
        ("/invitations", "olga", add_invitations, {"limit": "1000"}),
        ("/tokens", "mia", add_tokens, {"limit": "1000"}),
        ("/sync/devices", "mia", add_devices, {}),
        ("/sync/conflicts", "mia", add_conflicts, {"limit": "1000"}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("/") else "",
)
def test_a_list_takes_as_many_queries_whatever_its_length(api, acme, path, who, add, query):
    counts, lengths = [], []
    for more in (10, 190):
        add(acme, api, more)
        api(who).get(path, **query)
        with CaptureQueriesContext(connection) as asked:
            answer = api(who).get(path, **query)
        assert answer.status_code == 200
        lengths.append(len(answer.json()["items"]))
        counts.append(len(asked))
    assert lengths[1] - lengths[0] == 190
    assert lengths[0] >= 10
    assert counts[0] == counts[1]
    assert counts[0] > 0
