"""The operators' page of search: the state of each tenant's index, and why texts are not searched."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.search import contents, indexing, outgoing
from apps.search.models import Content, OutsideIndex, Unsent
from bitvault.events import consuming
from bitvault.gateway import tenant_pages
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
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


def test_a_build_in_opensearch_is_asked_for_where_it_is_chosen_and_the_page_tells_how_far_it_is(
    operator, acme, settings
):
    asked = {"tenant_id": acme.id}
    answer = operator.post("/admin/search/build", asked, follow=True).content.decode()
    assert ("BITVAULT_SEARCH_ENGINE is not opensearch." in answer, "Build in OpenSearch" in answer) == (True, False)
    assert "<td> PostgreSQL" in row_of(answer, "acme")
    settings.BITVAULT_SEARCH_ENGINE = "opensearch"
    answer = operator.post("/admin/search/build", asked, follow=True).content.decode()
    assert "The index of acme is built in OpenSearch" in answer
    assert Job.objects.filter(kind=outgoing.BUILD_JOB, tenant_id=acme.id).count() == 1
    with tenancy.entered(acme), db.write_transaction():
        facts = {"part": ids.new_id(), "name": "bitvault-v1-shared", "begun_at": clock.now()}
        OutsideIndex.objects.create(**facts, done_count=7, total_count=9, differing_count=2)
        Unsent.objects.create(node_id=ids.new_id(), seq=1, mark=ids.new_id())
    row = row_of(operator.get("/admin/search/").content.decode(), "acme")
    assert ("being built: 7 of 9; 2 differ" in row, "PostgreSQL" in row, "1 changes to send" in row) == (
        True,
        True,
        True,
    )
    told = StringIO()
    call_command("search_engine", "acme", stdout=told)
    assert told.getvalue() == "acme: postgresql, 1 changes to send, 7 of 9 built\n"
    with tenancy.entered(acme), db.write_transaction():
        OutsideIndex.objects.update(state="live")
    assert "PostgreSQL" not in row_of(operator.get("/admin/search/").content.decode(), "acme")
    call_command("search_engine", "acme", "--build", stdout=told)
    assert told.getvalue().endswith("acme: opensearch, 1 changes to send, a build is asked for\n")
    with pytest.raises(CommandError):
        call_command("search_engine", "nobody")


def test_tenants_are_found_by_their_slug_and_shown_page_by_page(operator, acme, monkeypatch):
    monkeypatch.setattr(tenant_pages, "PAGE_LENGTH", 1)
    assert "acme" in operator.get("/admin/search/", {"q": "acm"}).content.decode()
    assert "No tenant has this in its slug" in operator.get("/admin/search/", {"q": "nobody"}).content.decode()
    assert Client(headers={"host": "acme.localhost"}).get("/admin/search/").status_code == 404
