"""The operators' page of the stream: it shows what is behind and lets it be settled."""

import pytest
from django.test import Client

from bitvault.events import consuming
from bitvault.events.models import DeadLetter
from bitvault.kernel import tenancy
from tests.events.conftest import note, reader

__all__ = ["note", "reader"]

pytestmark = pytest.mark.committed

HOST = {"host": "admin.localhost"}


@pytest.fixture
def operator(reader):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers=HOST)
    client.force_login(user)
    return client


def test_the_page_shows_lag_and_errors(operator, acme, reader, note):
    reader.refuses.add("a")
    with tenancy.entered(acme):
        note("a", "b")
        consuming.consume("tests")
    page = operator.get("/admin/stream/").content.decode()
    assert "acme" in page
    assert "refused a" in page


def test_a_stuck_event_is_skipped_and_replayed_from_the_page(operator, acme, reader, note):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck", "fine")
        consuming.consume("tests")
    operator.post("/admin/stream/act", {"action": "skip", "tenant_id": acme.id, "consumer": "tests"})
    letter = DeadLetter.objects.get()
    reader.refuses.clear()
    operator.post("/admin/stream/act", {"action": "replay", "tenant_id": acme.id, "letter_id": letter.id})
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert reader.effects() == ["stuck", "fine"]
    letter.refresh_from_db()
    assert letter.state == DeadLetter.State.REPLAYED


def test_a_replay_that_fails_says_so(operator, acme, reader, note):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck")
        consuming.consume("tests")
    operator.post("/admin/stream/act", {"action": "skip", "tenant_id": acme.id, "consumer": "tests"})
    act = {"action": "replay", "tenant_id": acme.id, "letter_id": DeadLetter.objects.get().id}
    page = operator.post("/admin/stream/act", act, follow=True).content.decode()
    assert "It failed again: ValueError: refused stuck" in page


def test_nobody_but_operators_sees_it(acme, reader):
    answer = Client(headers=HOST).get("/admin/stream/")
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    assert Client(headers={"host": "acme.localhost"}).get("/admin/stream/").status_code == 404
