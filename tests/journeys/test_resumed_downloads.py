"""A download that broke off goes on with the same bytes or begins again, whatever became of the file meanwhile."""

import httpx
import pytest

from bitvault.stack.caddy import DOWNLOAD_PORT
from tests.support.sending import Sender

pytestmark = [pytest.mark.journey, pytest.mark.store]

OLD, NEW = b"A" * 5000, b"B" * 5000


@pytest.fixture
def mia(live):
    client = live.client()
    return Sender(client, client.get("/me").json()["root_id"])


def fetch(mia, node, *, version_id=None, **headers):
    query = {"version_id": version_id} if version_id else {}
    answer = mia.api.get(f"/nodes/{node['id']}/content", **query)
    assert answer.status_code == 302, answer.text
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(answer.headers["Location"], headers=named)


def test_a_resumed_download_never_joins_two_versions(mia):
    node = mia.bring("disk.img", OLD)
    first = fetch(mia, node, Range="bytes=0-2499")
    tag = first.headers["ETag"]
    assert (first.status_code, first.content) == (206, OLD[:2500])
    same = fetch(mia, node, Range="bytes=2500-", If_Range=tag)
    assert (same.status_code, same.content) == (206, OLD[2500:])
    mia.bring("disk.img", NEW, mode="overwrite")
    changed = fetch(mia, node, Range="bytes=2500-", If_Range=tag)
    assert (changed.status_code, changed.content) == (200, NEW)
    assert changed.headers["X-Content-Type-Options"] == "nosniff"


def test_a_download_of_a_version_goes_on_with_that_version(mia):
    node = mia.bring("pinned.img", OLD)
    mia.bring("pinned.img", NEW, mode="overwrite")
    rest = fetch(mia, node, version_id=node["version_id"], Range="bytes=2500-")
    assert (rest.status_code, rest.content) == (206, OLD[2500:])


def test_pages_may_fetch_where_downloads_are(live):
    page = httpx.get(f"{live.base_url}/sign-in/", headers={"Host": live.tenant_host})
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";"))
    assert f"http://127.0.0.1:{live.ports[DOWNLOAD_PORT]}" in policy["connect-src"].split()
