"""Operators' screens of object stores and of where tenants' bytes are kept."""

import re

import pytest
from django.core.management import CommandError, call_command

from apps.storage import places, provider
from apps.storage.models import Move, Placement, Provider, Store
from apps.storage.operations import relocating
from bitvault.kernel import sealing, tenancy
from tests.gateway.test_uploads_admin import operator_of
from tests.support import extra_store
from tests.support.sending import Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]

STORES = "/admin/storage/store/"


@pytest.fixture
def operator():
    return operator_of(may_change=True)


@pytest.fixture
def second(running_other_stores):
    """What leads to another store, with a bucket of the test's own."""
    settings = running_other_stores("seaweedfs")
    return {**settings, "bucket": extra_store.new_bucket(settings)}


def form_of(second, **changed):
    return {
        "name": "Frankfurt",
        "endpoint_url": second["endpoint_url"],
        "region": "us-east-1",
        "bucket": second["bucket"],
        "prefix": "vault/",
        "addressing": "path",
        "encryption": "AES256",
        "access_key_id": second["access_key_id"],
        "secret": second["secret_access_key"],
        **changed,
    }


def add(operator, second, **changed):
    return operator.post(f"{STORES}add/", form_of(second, **changed), follow=True)


def test_an_operator_adds_a_store_tests_it_and_places_a_tenant_there(operator, second, api, acme):
    page = add(operator, second).content.decode()
    assert "Test it before tenants are placed there." in page
    row = Store.objects.get()
    page = operator.get("/admin/placement/", {"q": "acme"}).content.decode()
    assert re.search(rf'<option value="{row.id}" disabled>Frankfurt', page)
    refused = operator.post("/admin/placement/place", {"tenant_id": acme.id, "store_id": row.id}, follow=True)
    assert "This object store was not tested, or did not pass" in refused.content.decode()
    page = operator.post(STORES, {"action": "test", "_selected_action": [row.id]}, follow=True).content.decode()
    assert "Frankfurt can be used. It lacks: if_range_honoured, nosniff" in page
    assert Provider.objects.get(store=row).abilities["encrypted"] is True
    page = operator.get(f"{STORES}{row.id}/change/").content.decode()
    assert "Nothing here: an object never changes." in page
    placed = operator.post("/admin/placement/place", {"tenant_id": acme.id, "store_id": row.id}, follow=True)
    assert "New files of acme go there from now on" in placed.content.decode()
    mia = api("mia")
    Sender(mia, mia.get("/me").json()["root_id"]).bring("new.txt", b"in Frankfurt")
    page = operator.get("/admin/placement/", {"q": "acme"}).content.decode()
    assert re.search(r"Frankfurt:\s+1 object, 12\s", page)
    keys = [each["Key"] for each in extra_store.client_of(second).list_objects_v2(Bucket=second["bucket"])["Contents"]]
    assert [key.split("/")[:2] for key in keys] == [["vault", acme.id.hex]]


def test_a_secret_is_written_and_never_shown(operator, second):
    add(operator, second)
    row = Store.objects.get()
    assert second["secret_access_key"] not in row.sealed_secret
    page = operator.get(f"{STORES}{row.id}/change/").content.decode()
    assert second["secret_access_key"] not in page
    assert row.sealed_secret not in page
    operator.post(f"{STORES}{row.id}/change/", form_of(second, secret="", name="Berlin"))
    row.refresh_from_db()
    assert (row.name, sealing.unseal(row.sealed_secret, purpose=places.PURPOSE)) == (
        "Berlin",
        second["secret_access_key"],
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"endpoint_url": "ftp://store.example.com"}, "An address such as"),
        ({"endpoint_url": "https://store.example.com/path"}, "An address such as"),
        ({"endpoint_url": "https://me:secret@store.example.com"}, "An address such as"),
        ({"public_endpoint_url": "https://store.example.com; script-src *"}, "An address such as"),
        ({"prefix": "../"}, ""),
        ({"prefix": "no-slash"}, "with / at the end"),
        ({"kms_key": "alias/x"}, "for SSE-KMS alone"),
        ({"secret": ""}, "Enter the secret"),
    ],
)
def test_what_leads_nowhere_is_refused(operator, second, changed, told):
    page = add(operator, second, **changed).content.decode()
    if told:
        assert told in page
        assert not Store.objects.exists()


def test_the_installation_s_own_place_is_no_other_store(operator, second):
    own = provider.store()
    page = add(operator, second, endpoint_url=own.endpoint_url, bucket=own.bucket, prefix="").content.decode()
    assert "This is the installation&#x27;s own store" in page


def test_the_place_of_a_store_stays_while_a_tenant_is_there_and_it_cannot_be_deleted(operator, second, acme):
    row = extra_store.row_of(second, bucket=second["bucket"])
    operator.post("/admin/placement/place", {"tenant_id": acme.id, "store_id": row.id})
    page = operator.get(f"{STORES}{row.id}/change/").content.decode()
    assert 'name="endpoint_url"' not in page
    assert 'name="region"' in page
    operator.post(f"{STORES}{row.id}/delete/", {"post": "yes"})
    assert Store.objects.filter(id=row.id).exists()


def test_a_store_that_does_not_answer_says_so_and_keeps_what_was_found(operator, second):
    row = extra_store.row_of(second, bucket=second["bucket"])
    Store.objects.filter(id=row.id).update(endpoint_url="http://127.0.0.1:1", public_endpoint_url="")
    page = operator.post(STORES, {"action": "test", "_selected_action": [row.id]}, follow=True).content.decode()
    assert "Second does not answer" in page
    assert Provider.objects.get(store=row).is_fit


def test_pages_of_a_placed_tenant_may_ask_its_store_and_those_of_others_may_not(operator, second, acme, beta):
    from django.test import Client

    row = extra_store.row_of(second, bucket=second["bucket"])
    with tenancy.entered(acme):
        Placement.objects.create(tenant_id=acme.id, store=row, is_current=True, placed_at=row.changed_at)
    places.forget()
    policy = {
        host: Client(headers={"host": f"{host}.localhost"}).get("/sign-in/").headers["Content-Security-Policy"]
        for host in ("acme", "beta", "admin")
    }
    for name in ("connect-src", "img-src", "media-src"):
        line = next(part for part in policy["acme"].split(";") if name in part)
        assert second["public_endpoint_url"] in line
        assert provider.store().public_endpoint_url in line
    assert second["public_endpoint_url"] not in policy["beta"] + policy["admin"]


def test_whoever_only_looks_places_nobody(second, acme):
    row = extra_store.row_of(second, bucket=second["bucket"])
    looker = operator_of(may_change=False)
    assert looker.get("/admin/placement/").status_code == 200
    assert looker.get(STORES).status_code == 200
    assert looker.post("/admin/placement/place", {"tenant_id": acme.id, "store_id": row.id}).status_code == 403
    assert looker.get(f"{STORES}add/").status_code == 403
    looker.post(STORES, {"action": "test", "_selected_action": [row.id]})
    assert not Placement.objects.exists()


def test_the_page_asks_as_much_for_each_tenant_however_many_stores_there_are(
    operator, second, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert operator.get("/admin/placement/").status_code == 200
        return len(queries)

    extra_store.row_of(second, bucket=second["bucket"], tested=False)
    count()
    few = count()
    for number in range(10):
        extra_store.row_of(second, bucket=second["bucket"], name=f"s{number}", prefix=f"{number}/", tested=False)
    count()
    assert count() == few


def test_a_move_is_looked_at_before_begun_watched_and_canceled_on_its_page(operator, second, api, acme):
    row = extra_store.row_of(second, bucket=second["bucket"])
    mia = api("mia")
    sender = Sender(mia, mia.get("/me").json()["root_id"])
    sender.bring("a.txt", b"twelve bytes")
    address = f"/admin/placement/{acme.id}/"
    page = operator.get(address, {"to": row.id}).content.decode()
    assert re.search(r"1 object would be moved, 12\s", page)
    assert "Nothing was changed." in page
    assert not Move.objects.exists()
    page = operator.post(f"{address}move", {"act": "start", "to": row.id}, follow=True).content.decode()
    assert "Objects are being copied and compared" in page
    assert "0 of 1 objects copied" in page
    assert "Begin the move" not in page
    page = operator.post(f"{address}move", {"act": "start", "to": row.id}, follow=True).content.decode()
    assert "A move of this tenant is under way" in page
    page = operator.post(f"{address}move", {"act": "cancel"}, follow=True).content.decode()
    assert "The move was canceled" in page
    page = operator.post(f"{address}move", {"act": "cancel"}, follow=True).content.decode()
    assert "There is no move that can be canceled" in page
    operator.post(f"{address}move", {"act": "start", "to": row.id})
    with tenancy.entered(acme):
        assert relocating.go_on(Move.objects.get(finished_at=None).id, seconds=60, report=lambda *_: None) == "done"
    page = operator.get(address).content.decode()
    assert re.search(r"1 of 1 objects copied, 12\s", page)
    assert re.search(r"1 object \(12\s\S+\) that a move has left stays until", page)
    for wrong in ({"act": "start"}, {"act": "start", "to": "nowhere"}, {}):
        assert "Choose a store." in operator.post(f"{address}move", wrong, follow=True).content.decode()
    assert operator.get(f"/admin/placement/{row.id}/").status_code == 404
    looker = operator_of(may_change=False, email="looker@bitvault.test")
    page = looker.get(address, {"to": row.id}).content.decode()
    assert "Begin the move" not in page
    assert looker.post(f"{address}move", {"act": "start", "to": "own"}).status_code == 403


def test_the_command_tells_moves_and_cancels(second, api, acme, capsys):
    extra_store.row_of(second, bucket=second["bucket"])
    mia = api("mia")
    Sender(mia, mia.get("/me").json()["root_id"]).bring("a.txt", b"twelve bytes")
    call_command("move_tenant", "acme", "second")
    assert "1 objects, 12 bytes; 0 uploads on their way follow\nNothing was changed" in capsys.readouterr().out
    assert not Move.objects.exists()
    call_command("move_tenant", "acme", "second", "--apply")
    assert "to second: copying, 0 of 1 objects" in capsys.readouterr().out
    call_command("move_tenant", "acme", "--cancel")
    assert "canceled" in capsys.readouterr().out
    call_command("place_tenant", "acme", "second")
    assert "* second: 0 objects" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no object store nowhere"):
        call_command("place_tenant", "acme", "nowhere")
