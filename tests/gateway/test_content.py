"""Downloads: who gets a redirect, where it leads, and what a browser is told there."""

import os
from uuid import uuid4

import pytest

from tests.support.sending import Sender, pool

pytestmark = pytest.mark.store


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def test_a_download_is_a_redirect_that_nobody_keeps_and_that_no_page_passes_on(mia):
    node = mia.bring("a.txt", b"text")
    answer = mia.api.get(f"/nodes/{node['id']}/content")
    assert answer.status_code == 302
    assert answer.content == b""
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "X-Amz-Expires=300" in answer.headers["Location"]


def test_head_leads_to_a_head(mia):
    node = mia.bring("a.txt", b"text")
    answer = mia.api.request("HEAD", f"/nodes/{node['id']}/content")
    assert answer.status_code == 302
    there = pool.request("HEAD", answer.headers["Location"])
    assert (there.status, there.headers["Content-Length"]) == (200, "4")


def test_a_range_can_be_asked_for(mia):
    node = mia.bring("a.txt", b"0123456789")
    url = mia.api.get(f"/nodes/{node['id']}/content").headers["Location"]
    there = pool.request("GET", url, headers={"Range": "bytes=2-4"})
    assert (there.status, there.data) == (206, b"234")


def test_an_older_version_has_its_own_bytes(mia):
    first = mia.bring("a.txt", b"one")
    second = mia.bring("a.txt", b"two", mode="overwrite")
    old = mia.api.get(f"/nodes/{first['id']}/content", version_id=first["version_id"])
    assert pool.request("GET", old.headers["Location"]).data == b"one"
    assert mia.fetch(second).data == b"two"


def test_a_version_of_another_file_is_not_there(mia):
    first, second = mia.bring("a.txt", b"one"), mia.bring("b.txt", b"two")
    answer = mia.api.get(f"/nodes/{first['id']}/content", version_id=second["version_id"])
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "feed.xml", "page.xhtml", "page.mht"])
def test_nothing_that_could_run_is_ever_shown(mia, name):
    node = mia.bring(name, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    there = mia.fetch(node)
    assert there.headers["Content-Type"] == "application/octet-stream"
    assert there.headers["Content-Disposition"].startswith("attachment;")


def test_a_lying_type_changes_nothing(mia):
    node = mia.bring("photo.png", b"<script>alert(1)</script>", media_type="text/html")
    assert mia.fetch(node).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ['a"b;c.txt', "naïve – ≠.txt", "..a.txt", "x" * 251 + ".txt", "%0d%0aX-Evil: 1.txt"])
def test_a_file_is_saved_under_its_own_name(mia, name):
    from urllib.parse import unquote

    node = mia.bring(name, b"x")
    there = mia.fetch(node)
    assert "X-Evil" not in there.headers
    assert unquote(there.headers["Content-Disposition"].partition("filename*=UTF-8''")[2]) == name


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=y", "a\0b", "a/b", ".."])
def test_a_name_that_could_break_a_header_or_a_path_never_comes_in(mia, name):
    assert mia.start(name, b"x").status_code == 422


@pytest.mark.parametrize("query", [{"version_id": "x"}, {"other": "1"}])
def test_a_query_that_makes_no_sense_is_refused(mia, query):
    node = mia.bring("a.txt", b"x")
    assert mia.api.get(f"/nodes/{node['id']}/content", **query).status_code == 422


def test_a_folder_has_no_bytes(mia):
    answers = [mia.api.get(f"/nodes/{folder}/content") for folder in (mia.parent_id, "root")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "files.not_a_file")] * 2


def test_somebody_elses_file_and_one_that_never_was_read_the_same(mia, api):
    node = mia.bring("secret.txt", os.urandom(10))
    never = api("boris").get(f"/nodes/{uuid4()}/content").json()
    for name in ("adam", "boris", "vera"):
        answer = api(name).get(f"/nodes/{node['id']}/content")
        assert answer.status_code == 404
        same = ("type", "code", "title", "status", "detail")
        assert [answer.json()[field] for field in same] == [never[field] for field in same]


def test_a_file_in_the_trash_cannot_be_fetched(mia):
    node = mia.bring("a.txt", b"x")
    mia.api.delete(f"/nodes/{node['id']}")
    assert mia.api.get(f"/nodes/{node['id']}/content").status_code == 404
