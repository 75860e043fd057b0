"""Previews through a link: each is marked for whoever looks at it, and nothing without a mark is to be had."""

import io

import pytest
from django.test import Client
from PIL import Image, ImageChops

from apps.links.models import Access
from apps.previews.jobs import LANE
from bitvault.gateway import link_previews
from bitvault.jobs import running
from bitvault.kernel import db, tenancy
from tests.apps.previews.pictures import pdf, picture
from tests.support.client import ApiClient
from tests.support.sending import Sender
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.store

HOST = "acme.localhost"
OFFICE = {"REMOTE_ADDR": "203.0.113.7"}


def draw_all():
    while running.run_next(LANE):
        pass


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def link_to(mia):
    def make(node, kind="view", **more):
        answer = mia.api.post(f"/nodes/{node['id']}/links", {"kind": kind, **more})
        assert answer.status_code == 201, answer.content
        return answer.json()["url"].rpartition("/")[2]

    return make


def look(token, node, page=1, **client):
    return Client(headers={"host": HOST}, **(client or OFFICE)).get(f"/s/{token}/preview/{node['id']}?page={page}")


def seen(token, node, page=1, **client):
    answer = look(token, node, page, **client)
    if answer.status_code == 202:
        assert answer.content == b""
        draw_all()
        answer = look(token, node, page, **client)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "image/webp"
    return Image.open(io.BytesIO(answer.content)).convert("L")


def differ(one, other):
    return ImageChops.difference(one, other).getextrema()[1] > 40


def test_a_picture_is_marked_for_whoever_looks_at_it(mia, link_to, monkeypatch):
    monkeypatch.setattr(link_previews, "write_mark", lambda visitor, who: who or visitor.address)
    photo = mia.bring("photo.png", picture("PNG"))
    token = link_to(photo)
    office, elsewhere = seen(token, photo), seen(token, photo, REMOTE_ADDR="198.51.100.9")
    plain = Image.open(io.BytesIO(picture("PNG"))).convert("L")
    assert office.size == plain.size
    assert differ(office, plain)
    assert differ(elsewhere, plain)
    assert differ(office, elsewhere)
    assert not differ(office, seen(token, photo))
    member = Client(headers={"host": HOST}, **OFFICE)
    member.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    by_name = member.get(f"/s/{token}/preview/{photo['id']}")
    assert differ(Image.open(io.BytesIO(by_name.content)).convert("L"), office)


def test_the_mark_is_the_address_or_the_mail_and_the_moment():
    from bitvault.kernel.request import Visitor

    visitor = Visitor(id="x", is_new=True, address="203.0.113.7")
    assert link_previews.write_mark(visitor, "").startswith("203.0.113.7 · 20")
    assert link_previews.write_mark(visitor, "ada@example.org").startswith("ada@example.org · 20")


def test_each_page_of_a_document_is_marked_and_their_number_told(mia, link_to):
    document = mia.bring("document.pdf", pdf(pages=2))
    token = link_to(document)
    seen(token, document)
    assert look(token, document)["BitVault-Page-Count"] == "2"
    assert differ(seen(token, document, 1), seen(token, document, 2))
    assert look(token, document, 3).status_code == 404
    for page in ("0", "-1", "x", "9" * 30):
        assert look(token, document, page).status_code == 404


def test_no_picture_without_a_mark_is_to_be_had_through_a_link_that_only_shows(mia, link_to):
    photo = mia.bring("photo.png", picture("PNG"))
    text = mia.bring("words.txt", b"secret words")
    token, of_text = link_to(photo), link_to(text)
    seen(token, photo)
    anybody = Client(headers={"host": HOST}, **OFFICE)
    for path in (f"/s/{token}/content/{photo['id']}", f"/api/v1/public/links/{token}/content/{photo['id']}"):
        assert anybody.get(path).status_code == 403
    for path in (f"/api/v1/nodes/{photo['id']}/preview", f"/api/v1/previews?node_ids={photo['id']}"):
        assert anybody.get(path).status_code == 401
    page = anybody.get(f"/s/{token}").content.decode()
    assert f"/s/{token}/preview/{photo['id']}" in page
    assert "X-Amz-Signature" not in page
    assert "/derived" not in page
    refused = look(of_text, text)
    assert (refused.status_code, refused.json()["reason"]) == (404, "type")


def test_only_what_lies_below_the_link_is_shown_and_only_while_it_is_open(mia, link_to):
    folder = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "box"}).json()
    inside = Sender(mia.api, folder["id"]).bring("inside.png", picture("PNG"))
    outside = mia.bring("outside.png", picture("PNG"))
    token = link_to(folder)
    seen(token, inside)
    assert look(token, outside).status_code == 404
    assert look(token, folder).status_code == 409 or look(token, folder).status_code == 422
    page = Client(headers={"host": HOST}, **OFFICE).get(f"/s/{token}").content.decode()
    assert f'href="/s/{token}/{inside["id"]}"' in page
    (link,) = mia.api.get(f"/nodes/{folder['id']}/links").json()["items"]
    assert mia.api.delete(f"/links/{link['id']}").status_code == 204
    assert look(token, inside).status_code == 410


def test_a_password_is_asked_for_first(mia, link_to):
    photo = mia.bring("photo.png", picture("PNG"))
    token = link_to(photo, password="open sesame")
    assert look(token, photo).status_code == 403
    visitor = ApiClient(host=HOST)
    path = f"/public/links/{token}/preview/{photo['id']}"
    assert visitor.get(path).json()["code"] == "links.locked"
    proof = visitor.post(f"/public/links/{token}/unlock", {"password": "open sesame"}).json()["unlock_token"]
    headers = {"BitVault-Link-Unlock": proof}
    assert visitor.request("GET", path, headers=headers).status_code == 202
    draw_all()
    assert visitor.request("GET", path, headers=headers)["Content-Type"] == "image/webp"


def test_who_looks_at_a_file_of_a_folder_is_written_down(mia, link_to, acme):
    folder = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "watched"}).json()
    inside = Sender(mia.api, folder["id"]).bring("inside.png", picture("PNG"))
    seen(link_to(folder), inside)
    with tenancy.entered(acme), db.read_transaction():
        rows = list(Access.objects.filter(node_id=inside["id"]).values_list("action", flat=True))
    assert rows == ["opened"]


def test_one_address_looks_at_so_many_pages_and_no_more(mia, link_to, monkeypatch):
    monkeypatch.setattr(link_previews, "PAGES_LIMIT", 2)
    photo = mia.bring("photo.png", picture("PNG"))
    token = link_to(photo)
    statuses = [look(token, photo).status_code for _ in range(3)]
    assert statuses[2] == 429
    assert look(token, photo, REMOTE_ADDR="198.51.100.1").status_code == 202
