"""The operators' page of uploads in flight: who sends what, how far it is, and how one is ended."""

import os

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from apps.billing import api as billing
from apps.storage import provider
from apps.storage.errors import StoreUnavailable
from bitvault.events.models import StreamEvent
from bitvault.gateway import uploads_admin
from bitvault.kernel import tenancy
from tests.support.sending import PART, Sender, put

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def operator_of(*, may_change, email="ops@bitvault.test"):
    from apps.identity.models import User

    user = User.objects.create_superuser(email=email, password="a long enough password")
    User.objects.filter(pk=user.pk).update(is_superuser=may_change)
    user.groups.add(Group.objects.get(name="read_only"))
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    client.id = user.pk
    return client


@pytest.fixture
def operator(db):
    return operator_of(may_change=True)


def rows_of(page):
    table = page.split("<caption>Uploads in flight")[1].split("<tbody>")[1].split("</tbody>")[0]
    return [" ".join(part.split()) for part in table.split("<tr>")[1:]]


def test_operators_see_who_sends_what_and_how_far_it_is(operator, mia, acme, monkeypatch):
    small = os.urandom(100)
    mia.started("small.bin", small)
    large = os.urandom(2 * PART + 1)
    upload = mia.started("large.bin", large)
    assert put(upload["parts"][1], large[PART : 2 * PART]).status == 200
    mia.bring("done.bin", b"done")
    overview = operator.get("/admin/uploads/", {"q": "acm"}).content.decode()
    (row,) = rows_of(overview)
    assert f'href="/admin/uploads/{acme.id}/">acme</a>' in row
    assert "<td>2</td>" in row
    assert "No tenant has this in its slug" in operator.get("/admin/uploads/", {"q": "nobody"}).content.decode()
    address = f"/admin/uploads/{acme.id}/"
    first, second = rows_of(operator.get(address).content.decode())
    assert ("Mia" in first, "0 of 1 parts" in first) == (True, True)
    assert "1 of 3 parts" in second
    assert "small.bin" not in first, "names of files are no operator's business"
    monkeypatch.setattr(uploads_admin, "PAGE_LENGTH", 1)
    (row,) = rows_of(operator.get(address, {"p": 2}).content.decode())
    assert "1 of 3 parts" in row

    def refuse(*_, **__):
        raise StoreUnavailable

    monkeypatch.setattr(provider.store(), "list_parts", refuse)
    (row,) = rows_of(operator.get(address, {"p": 2}).content.decode())
    assert "The store does not answer" in row


def test_an_operator_cancels_an_upload_and_its_room_is_free(operator, mia, acme):
    content = os.urandom(2 * PART)
    upload = mia.started("a.bin", content)
    assert put(upload["parts"][0], content[:PART]).status == 200
    with tenancy.entered(acme):
        assert billing.get_quota().reserved_bytes == len(content)
    form = {"upload_id": upload["id"]}
    page = operator.post(f"/admin/uploads/{acme.id}/cancel", form, follow=True).content.decode()
    assert "The upload was canceled, and its room given back." in page
    assert "Nothing is on its way." in page
    with tenancy.entered(acme):
        assert billing.get_quota().reserved_bytes == 0
    assert mia.commit(upload).json()["code"] == "storage.upload_over"
    event = StreamEvent.objects.get(type="storage.upload.canceled.v1")
    assert (event.tenant_id, event.actor_id, event.payload["upload_id"]) == (acme.id, operator.id, upload["id"])


def test_what_is_committed_is_not_canceled(operator, mia, acme):
    upload = mia.started("a.bin", b"a")
    mia.send(upload, b"a")
    node = mia.commit(upload).json()
    form = {"upload_id": upload["id"]}
    page = operator.post(f"/admin/uploads/{acme.id}/cancel", form, follow=True).content.decode()
    assert "The upload is committed" in page
    assert mia.fetch(node).data == b"a"
    assert not StreamEvent.objects.filter(type="storage.upload.canceled.v1").exists()


def test_only_operators_look_and_only_who_may_change_cancels(db, mia, acme, beta):
    upload = mia.started("a.bin", b"a")
    looker = operator_of(may_change=False)
    assert looker.get(f"/admin/uploads/{acme.id}/").status_code == 200
    form = {"upload_id": upload["id"]}
    assert looker.post(f"/admin/uploads/{acme.id}/cancel", form).status_code == 403
    assert Client(headers={"host": "admin.localhost"}).get("/admin/uploads/").status_code == 302
    assert Client(headers={"host": "acme.localhost"}).get("/admin/uploads/").status_code == 404
    assert mia.api.get(f"/uploads/{upload['id']}").json()["state"] == "started"
