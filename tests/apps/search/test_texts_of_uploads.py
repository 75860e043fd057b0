"""The text of what people bring, over REST and with the real store: brought, read by a job, found, and gone."""

import pytest

from apps.search.jobs import LANE
from bitvault.events import consuming
from bitvault.jobs import running
from bitvault.kernel import tenancy
from tests.apps.search import documents
from tests.support.sending import Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]

SENTENCE = "Either party may terminate with notice of ninety days"


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def work(acme):
    """Let the stream be read and texts be read; returns how many jobs ran."""

    def work():
        with tenancy.entered(acme):
            consuming.consume("search")
        count = 0
        while running.run_next(LANE):
            count += 1
        return count

    return work


def test_a_sentence_inside_a_contract_is_found_soon_after_it_came(mia, work):
    contract = documents.docx(SENTENCE)
    node = mia.bring("Frame agreement.docx", contract)
    locked = mia.bring("Locked.pdf", documents.encrypted_pdf())
    mia.bring("Copy.docx", contract)
    assert mia.api.get(f"/nodes/{node['id']}/searched-text").json() == {
        "state": "waiting",
        "reason": None,
        "is_cut": False,
    }
    assert work() == 2, "a text for each content"
    hits = mia.api.get("/search", q='"notice of ninety days"').json()["items"]
    assert [hit["node"]["name"] for hit in hits] == ["Copy.docx", "Frame agreement.docx"]
    passage = hits[1]["passage"]
    (mark,) = passage["highlights"]
    assert passage["text"][mark["start"] : mark["end"]] == "notice of ninety days"
    assert hits[1]["text"] == {"state": "searched", "reason": None, "is_cut": False}
    (hit,) = mia.api.get("/search", q="locked").json()["items"]
    assert (hit["node"]["id"], hit["text"]["reason"], hit["passage"]) == (locked["id"], "encrypted", None)
    assert mia.api.get(f"/nodes/{locked['id']}/searched-text").json()["reason"] == "encrypted"
    assert mia.api.get(f"/nodes/{mia.parent_id}/searched-text").status_code == 409
    mia.api.delete(f"/nodes/{node['id']}")
    assert len(mia.api.get("/search", q="ninety").json()["items"]) == 1
