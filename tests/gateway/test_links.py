"""Links over HTTP: what a stranger's browser or program gets at a tenant's host, with which headers, and what counts."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from bitvault.kernel import clock
from tests.support.client import ApiClient
from tests.support.sending import Sender, pool
from tests.support.surface import count_guesses_apart

pytestmark = pytest.mark.store

HOST = "acme.localhost"
PASSWORD = "canary password"


@pytest.fixture(autouse=True)
def _guesses_of_its_own(settings):
    count_guesses_apart(settings)


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def folder(mia):
    made = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Press <kit>"}).json()
    Sender(mia.api, made["id"]).bring("q3.pdf", b"0123456789")
    inner = mia.api.post("/folders", {"parent_id": made["id"], "name": "Pictures"}).json()
    Sender(mia.api, inner["id"]).bring("a.png", b"png")
    return made


@pytest.fixture
def file(mia):
    return mia.bring("notes & more.txt", b"0123456789")


def link_to(mia, node, kind="download", **wish):
    answer = mia.api.post(f"/nodes/{node['id']}/links", {"kind": kind, **wish})
    assert answer.status_code == 201, answer.content
    return answer.json()


def token_of(link):
    return link["url"].rpartition("/")[2]


def browser(**headers):
    """Somebody who is nobody here, with a browser of their own."""
    return Client(headers={"host": HOST, "accept": "text/html", **headers})


def page(visitor, link, path="", **more):
    return visitor.get(f"/s/{token_of(link)}{path}", **more)


def fetch(visitor, link, node, **headers):
    return page(visitor, link, f"/content/{node['id']}", headers=headers)


# --- pages -----------------------------------------------------------------------------------------------------------------


def test_the_address_is_told_once_and_leads_to_the_tenants_host(mia, file):
    link = link_to(mia, file)
    assert link["url"].startswith("http://acme.localhost")
    assert urlsplit(link["url"]).path.startswith("/s/")
    (listed,) = mia.api.get(f"/nodes/{file['id']}/links").json()["items"]
    assert "url" not in listed
    assert token_of(link) not in mia.api.get("/links").content.decode()


def test_a_file_is_shown_and_downloaded_without_a_script(mia, file):
    link = link_to(mia, file)
    answer = page(browser(), link)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "notes &amp; more.txt" in text
    assert f'href="/s/{token_of(link)}/content/{file["id"]}"' in text
    download = fetch(browser(), link, file)
    assert download.status_code == 302
    there = pool.request("GET", download["Location"])
    assert there.data == b"0123456789"
    assert there.headers["Content-Disposition"].startswith("attachment;")


def test_the_url_of_the_store_lives_for_a_minute(mia, file):
    query = parse_qs(urlsplit(fetch(browser(), link_to(mia, file), file)["Location"]).query)
    assert query["X-Amz-Expires"] == ["60"]


def test_nothing_that_a_page_loads_or_leads_to_is_told_its_address_and_nobody_keeps_it(mia, file):
    link = link_to(mia, file)
    for answer in (page(browser(), link), fetch(browser(), link, file)):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
    text = page(browser(), link).content.decode()
    assert 'name="robots" content="noindex, nofollow"' in text
    assert "<script>" not in text


def test_a_folder_is_walked_through_and_never_left(mia, folder):
    link = link_to(mia, folder)
    visitor = browser()
    top = page(visitor, link).content.decode()
    assert "Press &lt;kit&gt;" in top
    assert "q3.pdf" in top
    (inner,) = [
        node for node in mia.api.get(f"/nodes/{folder['id']}/children").json()["items"] if node["kind"] == "folder"
    ]
    below = page(visitor, link, f"/{inner['id']}").content.decode()
    assert "a.png" in below
    assert f'href="/s/{token_of(link)}/{folder["id"]}"' in below
    for outside in (mia.parent_id, "01900000-0000-7000-8000-00000000ffff"):
        assert page(visitor, link, f"/{outside}").status_code == 404
        assert fetch(visitor, link, {"id": outside}).status_code == 404


def test_a_long_folder_comes_in_pages(mia, monkeypatch, folder):
    for number in range(3):
        mia.api.post("/folders", {"parent_id": folder["id"], "name": f"sub {number}"})
    link = link_to(mia, folder)
    monkeypatch.setattr("apps.links.ui.views.PAGE", 2)
    seen, query = [], ""
    while True:
        text = page(browser(), link, query).content.decode()
        seen += [name for name in ("Pictures", "sub 0", "sub 1", "sub 2", "q3.pdf") if f">{name}<" in text]
        if "?cursor=" not in text:
            break
        query = "?cursor=" + text.partition('href="?cursor=')[2].partition('"')[0]
    assert sorted(seen) == ["Pictures", "q3.pdf", "sub 0", "sub 1", "sub 2"]


def test_a_link_that_only_shows_has_no_download(mia, file):
    link = link_to(mia, file, kind="view")
    assert "/content/" not in page(browser(), link).content.decode()
    assert fetch(browser(), link, file).status_code == 403


def test_a_page_speaks_german_to_who_reads_it(mia, file):
    link = link_to(mia, file)
    text = page(browser(**{"accept-language": "de"}), link).content.decode()
    assert '<html lang="de"' in text
    assert "Herunterladen" in text


def test_a_card_for_chat_programs_says_what_it_is_unless_it_is_protected(mia, file):
    text = page(browser(), link_to(mia, file)).content.decode()
    assert '<meta property="og:title" content="notes &amp; more.txt">' in text
    locked = page(browser(), link_to(mia, file, password=PASSWORD)).content.decode()
    assert "notes" not in locked
    assert "og:title" in locked


def test_what_does_not_open_says_why_and_whom_to_ask(mia, file):
    unknown = browser().get("/s/nothing-at-all")
    assert (unknown.status_code, "no such link" in unknown.content.decode()) == (404, True)
    link = link_to(mia, file)
    assert mia.api.delete(f"/links/{link['id']}").status_code == 204
    for answer in (page(browser(), link), fetch(browser(), link, file)):
        text = answer.content.decode()
        assert answer.status_code == 410
        assert "This link has ended" in text
        assert "Mia made it" in text
    later = link_to(mia, file, starts_at=(clock.now() + timedelta(days=1)).isoformat())
    assert page(browser(), later).status_code == 403
    used = link_to(mia, file, download_limit=1)
    fetch(browser(), used, file)
    for answer in (page(browser(), used), fetch(browser(), used, file)):
        assert (answer.status_code, "used up" in answer.content.decode()) == (410, True)


def test_a_link_of_one_tenant_is_nothing_at_anothers_host_or_at_none(mia, file):
    link = link_to(mia, file)
    for host in ("beta.localhost", "localhost", "127.0.0.1"):
        client = Client(headers={"host": host, "accept": "text/html"})
        assert client.get(f"/s/{token_of(link)}").status_code == 404
        rest = ApiClient(host=host)
        assert rest.get(f"/public/links/{token_of(link)}").status_code == 404
        assert rest.get(f"/public/links/{token_of(link)}/content/{file['id']}").status_code == 404


# --- passwords -------------------------------------------------------------------------------------------------------------


def test_the_password_opens_the_page_for_this_browser(mia, file):
    link = link_to(mia, file, password=PASSWORD)
    visitor = browser()
    asked = page(visitor, link)
    assert (asked.status_code, asked["Referrer-Policy"]) == (200, "strict-origin")
    assert file["name"] not in asked.content.decode()
    assert fetch(visitor, link, file)["Location"] == f"/s/{token_of(link)}"
    wrong = visitor.post(f"/s/{token_of(link)}", {"password": "a guess"})
    assert wrong.status_code == 403
    assert "The password is wrong" in wrong.content.decode()
    right = visitor.post(f"/s/{token_of(link)}", {"password": PASSWORD})
    assert (right.status_code, right["Location"]) == (302, f"/s/{token_of(link)}")
    cookie = right.cookies["link-unlock"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (f"/s/{token_of(link)}", True, "Lax")
    assert "notes &amp; more.txt" in page(visitor, link).content.decode()
    assert fetch(visitor, link, file).status_code == 302
    assert "notes" not in page(browser(), link).content.decode()


def test_the_form_needs_its_proof(mia, file):
    link = link_to(mia, file, password=PASSWORD)
    strict = Client(enforce_csrf_checks=True, headers={"host": HOST, "accept": "text/html"})
    assert strict.post(f"/s/{token_of(link)}", {"password": PASSWORD}).status_code == 403
    strict.get(f"/s/{token_of(link)}")
    form = {"password": PASSWORD, "csrfmiddlewaretoken": strict.cookies["csrftoken"].value}
    assert strict.post(f"/s/{token_of(link)}", form).status_code == 302


def test_too_many_wrong_passwords_are_told_when_to_try_again(mia, file, monkeypatch):
    monkeypatch.setattr("apps.links.visits.GUESSES", 2)
    link = link_to(mia, file, password=PASSWORD)
    visitor = browser()
    for _ in range(2):
        assert visitor.post(f"/s/{token_of(link)}", {"password": "a guess"}).status_code == 403
    answer = visitor.post(f"/s/{token_of(link)}", {"password": PASSWORD})
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert 'name="password"' in answer.content.decode()


# --- REST ------------------------------------------------------------------------------------------------------------------


def test_a_program_reads_a_link_without_a_credential(mia, folder):
    link = link_to(mia, folder, expires_at=(clock.now() + timedelta(days=1)).isoformat())
    stranger = ApiClient(host=HOST)
    base = f"/public/links/{token_of(link)}"
    told = stranger.get(base).json()
    assert (told["node"]["name"], told["shared_by"], told["locked"]) == ("Press <kit>", "Mia", False)
    items = stranger.get(f"{base}/children").json()["items"]
    assert [node["name"] for node in items] == ["Pictures", "q3.pdf"]
    assert set(items[0]) == {"id", "kind", "name", "size_bytes", "media_type", "modified_at"}
    below = stranger.get(f"{base}/children", node_id=items[0]["id"]).json()
    assert below["items"][0]["name"] == "a.png"
    answer = stranger.get(f"{base}/content/{items[1]['id']}")
    assert pool.request("GET", answer["Location"]).data == b"0123456789"


def test_a_program_gives_the_password_in_a_header(mia, file):
    link = link_to(mia, file, password=PASSWORD)
    stranger = ApiClient(host=HOST)
    base = f"/public/links/{token_of(link)}"
    assert stranger.get(base).json()["node"] is None
    refused = stranger.get(f"{base}/content/{file['id']}")
    assert (refused.status_code, refused.json()["code"]) == (403, "links.locked")
    wrong = stranger.post(f"{base}/unlock", {"password": "a guess"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "links.wrong_password")
    proof = stranger.post(f"{base}/unlock", {"password": PASSWORD}).json()["unlock_token"]
    headers = {"BitVault-Link-Unlock": proof}
    assert stranger.request("GET", base, headers=headers).json()["node"]["name"] == file["name"]
    assert stranger.request("GET", f"{base}/content/{file['id']}", headers=headers).status_code == 302


def test_a_refusal_names_its_reason_and_whom_to_ask(mia, file):
    link = link_to(mia, file)
    mia.api.delete(f"/links/{link['id']}")
    answer = ApiClient(host=HOST).get(f"/public/links/{token_of(link)}")
    assert (answer.status_code, answer.json()["code"], answer.json()["shared_by"]) == (410, "links.over", "Mia")


# --- counting --------------------------------------------------------------------------------------------------------------


def count(mia, node):
    return mia.api.get(f"/nodes/{node['id']}/links").json()["items"][0]["download_count"]


def test_only_a_download_counts_and_each_browser_once(mia, file):
    link = link_to(mia, file, download_limit=2)
    visitor = browser()
    for _ in range(2):
        page(visitor, link)
        visitor.head(f"/s/{token_of(link)}")
        assert visitor.head(f"/s/{token_of(link)}/content/{file['id']}").status_code == 302
    assert count(mia, file) == 0
    for _ in range(3):
        assert fetch(visitor, link, file).status_code == 302
        assert fetch(visitor, link, file, range="bytes=5-").status_code == 302
    assert count(mia, file) == 1
    assert fetch(browser(), link, file).status_code == 302
    assert fetch(browser(), link, file).status_code == 410
    assert fetch(visitor, link, file).status_code == 302
    assert page(visitor, link).status_code == 200
    assert count(mia, file) == 2


def test_without_cookies_a_later_part_is_of_the_same_download_and_a_new_start_is_not(mia, file):
    link = link_to(mia, file, download_limit=1)
    path = f"/public/links/{token_of(link)}/content/{file['id']}"

    def ask(**headers):
        return ApiClient(host=HOST).request("GET", path, headers={"user-agent": "curl/8", **headers}).status_code

    assert ask(range="bytes=5-") == 302
    assert ask(range="bytes=7-") == 302
    assert ask(range="bytes=0-") == 410
    assert ask() == 410
    assert count(mia, file) == 1


def test_a_link_without_a_limit_gives_nobody_a_number(mia, file):
    unlimited, limited = link_to(mia, file), link_to(mia, file, download_limit=5)
    for answer in (page(browser(), unlimited), fetch(browser(), unlimited, file)):
        assert "visitor" not in answer.cookies
    for answer in (page(browser(), limited), fetch(browser(), limited, file)):
        cookie = answer.cookies["visitor"]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")


def test_reading_and_refusing_write_no_event(mia, file):
    from bitvault.events.models import StreamHead
    from tests.support.world import ACME

    def head():
        return StreamHead.objects.get(tenant_id=ACME.id).last_seq

    link = link_to(mia, file, password=PASSWORD)
    before = head()
    page(browser(), link)
    browser().head(f"/s/{token_of(link)}")
    fetch(browser(), link, file)
    browser().get("/s/nothing-at-all")
    assert head() == before


# --- limits ----------------------------------------------------------------------------------------------------------------


def test_public_pages_have_a_limit_of_their_own():
    from django.urls import resolve

    from bitvault.web.limits.policies import DEFAULTS, RouteClass
    from bitvault.web.limits.routes import find_said

    for path in (
        "/s/x",
        f"/s/x/{'0' * 8}-0000-7000-8000-000000000000",
        f"/s/x/content/{'0' * 8}-0000-7000-8000-000000000000",
    ):
        assert find_said(resolve(path, "bitvault.gateway.urls").func) is RouteClass.PUBLIC
    assert DEFAULTS["public"].quota < DEFAULTS["address"].quota


# --- what is shown of a link in its dialog ---------------------------------------------------------------------------------


def test_an_address_is_drawn_and_no_other_text_is(mia, api, file):
    link, other = link_to(mia, file), link_to(mia, file)
    path = f"/links/{link['id']}/qr"
    svg = mia.api.post(path, {"address": link["url"]}).json()["svg"]
    assert svg.startswith("<svg")
    assert "script" not in svg
    assert "style=" not in svg
    for address in (other["url"], "https://elsewhere.test/s/guess", token_of(other)):
        refused = mia.api.post(path, {"address": address})
        assert (refused.status_code, refused.json()["code"]) == (422, "links.address_unknown")
    assert api("olga").post(path, {"address": link["url"]}).status_code == 404


def test_the_log_of_a_link_names_what_was_fetched(mia, folder):
    link = link_to(mia, folder)
    visitor = browser()
    page(visitor, link)
    (file,) = [one for one in mia.api.get(f"/nodes/{folder['id']}/children").json()["items"] if one["kind"] == "file"]
    fetch(visitor, link, file)
    log = mia.api.get(f"/links/{link['id']}/accesses").json()["items"]
    assert [(one["action"], one["node_name"]) for one in log] == [("downloaded", "q3.pdf"), ("opened", folder["name"])]
    assert mia.api.delete(f"/nodes/{file['id']}").status_code == 204
    assert mia.api.get(f"/links/{link['id']}/accesses").json()["items"][0]["node_name"] is None
