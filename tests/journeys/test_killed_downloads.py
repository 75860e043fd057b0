"""SIGKILL at every step of a download through a link: its count, its log and the stream tell the same, and never more than was let through."""

import itertools

import pytest

from tests.support.mortal import Mortal
from tests.support.sending import Sender
from tests.support.world import ACME

pytestmark = [pytest.mark.journey, pytest.mark.store]

SCHEMA = f"t_{ACME.id.hex}"

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def mortal(live):
    helper = Mortal(live.applications._environment)
    yield helper
    helper.close()


@pytest.fixture
def mia(live):
    client = live.client("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def new_visitor():
    return {"Cookie": f"visitor=visitor-{next(_numbers):014d}"}


def figures(live, link):
    """Tell the downloads of a link by its row, by its log, and by the stream."""
    with live.database() as database:
        return database.execute(
            f"""
            SELECT (SELECT download_count FROM {SCHEMA}.links_link WHERE id = %(id)s),
                (SELECT count(*) FROM {SCHEMA}.links_access WHERE link_id = %(id)s AND counted),
                (SELECT count(*) FROM events_stream_event
                 WHERE type = 'links.link.downloaded.v1' AND actor_id = %(id)s AND payload->>'counted' = 'true')
            """,
            {"id": link["id"]},
        ).fetchone()


def test_a_download_that_died_is_counted_as_a_whole_or_not_at_all(live, mortal, mia):
    node = mia.bring("shared.txt", b"shared")
    link = mia.api.post(f"/nodes/{node['id']}/links", {"kind": "download", "download_limit": 1000}).json()
    path = f"/public/links/{link['url'].rpartition('/')[2]}/content/{node['id']}"
    first = mortal.request("GET", path, token=live.token, headers=new_visitor())
    assert first.status == 302
    assert figures(live, link) == (1, 1, 1)
    counted = 1
    for n, step in enumerate(first.steps, 1):
        visitor = new_visitor()
        assert mortal.request("GET", path, token=live.token, headers=visitor, die_at=n).killed
        found = figures(live, link)
        assert found in {(counted,) * 3, (counted + 1,) * 3}, step
        again = mortal.request("GET", path, token=live.token, headers=visitor)
        counted += 1
        assert (again.status, figures(live, link)) == (302, (counted,) * 3), step
    mia.api.patch(f"/links/{link['id']}", {"download_limit": counted + 1})
    assert mortal.request("GET", path, token=live.token, headers=new_visitor()).status == 302
    assert mortal.request("GET", path, token=live.token, headers=new_visitor()).status == 410
    assert figures(live, link) == (counted + 1,) * 3
