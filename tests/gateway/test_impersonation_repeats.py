"""What an open page of support asks for again and again is counted in the audit log; what a person did, and what gives contents, never is."""

from datetime import timedelta

import pytest

from apps.admin_platform import repeats
from bitvault.gateway import impersonation
from bitvault.kernel import tenancy
from bitvault.web import valkey
from tests.gateway.test_impersonation import log_of
from tests.support.impersonating import MIA

LOOKED, REPEATED = impersonation.LOOKED, impersonation.REPEATED
BY_ITSELF = {"Sec-Fetch-Mode": "cors"}
UNREAD = "/api/v1/notifications?unread=true&limit=1"


@pytest.fixture(autouse=True)
def _nothing_counted(acme):
    """Valkey is the same for all tests."""
    with tenancy.entered(acme):
        valkey.client().delete(repeats._counts())


def ask(visitor, path, times=1, headers=BY_ITSELF):
    for _ in range(times):
        answer = visitor.get(path, headers=headers)
    return answer


def count_looked(acme):
    return len(log_of(acme, LOOKED))


def write_counts(acme):
    with tenancy.entered(acme):
        return repeats.write_counts()


def test_the_first_is_an_entry_and_the_same_again_is_counted(visitor, supporter, acme):
    assert ask(visitor, UNREAD, 20).status_code == 200
    assert count_looked(acme) == 1
    assert write_counts(acme) == 19
    (told,) = log_of(acme, REPEATED)
    assert (told.actor_id, told.payload["count"]) == (supporter.person.pk, 19)
    assert (told.payload["route"], told.payload["on_behalf_of"]) == ("api/v1/notifications", str(MIA.user_id))
    assert write_counts(acme) == 0
    ask(visitor, UNREAD, 2)
    assert write_counts(acme) == 2


def test_another_address_is_another_entry(visitor, acme):
    for path in (UNREAD, "/api/v1/notifications?unread=true&limit=2", "/api/v1/quotas", "/files/"):
        ask(visitor, path, 3)
    assert count_looked(acme) == 4
    assert write_counts(acme) == 8


def test_after_five_minutes_it_is_an_entry_again(visitor, acme):
    client = valkey.client()
    before = set(client.keys(b"*repeated*"))
    ask(visitor, UNREAD, 2)
    (key,) = set(client.keys(b"*repeated*")) - before
    assert 0 < client.ttl(key) <= timedelta(minutes=5).total_seconds()
    client.delete(key)
    ask(visitor, UNREAD)
    assert count_looked(acme) == 2


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-Mode": "cors", "HX-Boosted": "true"}]
)
def test_where_a_person_goes_is_an_entry_each_time(visitor, acme, headers):
    ask(visitor, "/files/", 3, headers)
    assert count_looked(acme) == 3
    assert write_counts(acme) == 0


def test_what_is_refused_is_an_entry_each_time(visitor, acme):
    for _ in range(3):
        visitor.post("/api/v1/folders", {"name": "x"}, content_type="application/json", headers=BY_ITSELF)
        ask(visitor, "/api/v1/tokens")
    assert len(log_of(acme, impersonation.REFUSED)) == 6
    assert write_counts(acme) == 0


def test_what_gives_contents_is_an_entry_each_time(visitor, acme, allow):
    allow("open")
    ask(visitor, "/api/v1/search?q=plan", 3)
    assert [one.payload["route"] for one in log_of(acme, LOOKED)] == ["api/v1/search"] * 3
    assert not impersonation.OPEN & impersonation.OPEN_WITH_CONTENTS


def test_what_is_not_there_is_an_entry_each_time(visitor, acme):
    ask(visitor, "/api/v1/nodes/01900000-0000-7000-8000-000000000007", 3)
    assert count_looked(acme) == 3


def test_without_valkey_each_one_is_an_entry(visitor, acme, monkeypatch):
    from redis.exceptions import ConnectionError as Away

    class Nobody:
        def set(self, *_, **__):
            raise Away

    monkeypatch.setattr(repeats.valkey, "client", Nobody)
    ask(visitor, UNREAD, 3)
    monkeypatch.undo()
    assert count_looked(acme) == 3


def test_the_page_of_the_log_tells_how_often(visitor, acme, api):
    ask(visitor, UNREAD, 4)
    write_counts(acme)
    entries = api("olga").get("/audit", type=REPEATED).json()["items"]
    assert [one["payload"]["count"] for one in entries] == [3]
