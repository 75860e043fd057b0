"""The operators' page of search: the state of each tenant's index, and why texts are not searched."""

import pytest
from django.test import Client

from apps.search import contents, indexing
from apps.search.models import Content
from bitvault.events import consuming
from bitvault.gateway import search_admin
from bitvault.jobs.models import Job
from bitvault.kernel import db, tenancy
from tests.apps.files.conftest import Tree

pytestmark = pytest.mark.committed


@pytest.fixture
def operator(db):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return client


def row_of(page, slug):
    return next(" ".join(part.split("</tr>")[0].split()) for part in page.split("<tr>") if f">{slug}</th>" in part)


def test_the_page_tells_of_each_tenant_how_many_texts_are_searched_and_why_others_are_not(operator, acme, actor):
    with tenancy.entered(acme):
        tree = Tree(actor)
        nodes = [tree.file(f"{number}.txt", content=b"x" * (number + 1)) for number in range(4)]
        consuming.consume(indexing.CONSUMER)
        contents.keep_text(nodes[0].content_hash, "words", is_cut=False)
        contents.note_failed(nodes[1].content_hash, "encrypted")
        contents.note_failed(nodes[2].content_hash, "failed")
        Job.objects.all().delete()
    row = row_of(operator.get("/admin/search/").content.decode(), "acme")
    assert "encrypted: 1, failed: 1" in row
    assert "<td>1</td><td>1</td>" in row, "one is searched, one waits"
    answer = operator.post("/admin/search/read-again", {"tenant_id": acme.id}, follow=True).content.decode()
    assert "1 texts of acme will be read again." in answer
    row = row_of(answer, "acme")
    assert ("encrypted: 1" in row, "failed: 1" in row) == (True, False)
    with tenancy.entered(acme), db.read_transaction():
        assert Content.objects.get(content_hash=nodes[2].content_hash).state == "waiting"
    assert Job.objects.filter(kind=contents.READ_JOB).count() == 1


def test_tenants_are_found_by_their_slug_and_shown_page_by_page(operator, acme, monkeypatch):
    monkeypatch.setattr(search_admin, "PAGE_LENGTH", 1)
    assert "acme" in operator.get("/admin/search/", {"q": "acm"}).content.decode()
    assert "No tenant has this in its slug" in operator.get("/admin/search/", {"q": "nobody"}).content.decode()
    assert Client(headers={"host": "acme.localhost"}).get("/admin/search/").status_code == 404
