"""The page of the audit log: sentences, filters, details, and nobody there who does not administer."""

import importlib
import pkgutil

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.admin_platform import api as administration
from apps.admin_platform.ui import views, wording
from bitvault.events import catalog
from bitvault.events.message import Event
from bitvault.kernel import tenancy
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


@pytest.fixture
def enter(address):
    def sign_in(name):
        browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
        browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return browser

    return sign_in


@pytest.fixture
def written(api, acme, audited):
    """Let some people do something, and write it down."""
    root_id = api("mia").get("/me").json()["root_id"]
    folder = api("mia").post("/folders", {"parent_id": root_id, "name": "Plans"}).json()
    api("mia").patch(f"/nodes/{folder['id']}", {"name": "Old plans"}, headers={"If-Match": '"1"'})
    api("vera").get("/audit")
    audited(acme)
    return folder


def rows_of(page: str) -> list[str]:
    """Give the sentences of a page as they read."""
    import re

    found = re.findall(r'<span class="audit-text">(.*?)</span>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", one) for one in found]


def test_the_page_says_what_happened_in_sentences(enter, written):
    rows = rows_of(enter("adam").get("/audit/").content.decode())
    assert "Mia renamed Plans to Old plans" in rows
    assert "Mia created the folder Plans" in rows
    assert "Vera was denied GET /audit" in rows


def test_a_sentence_reads_in_the_readers_language(enter, written):
    browser = enter("adam")
    page = browser.get("/audit/", headers={"accept-language": "de"}).content.decode()
    assert "Mia hat den Ordner Plans angelegt" in rows_of(page)


@pytest.mark.parametrize(
    ("query", "there", "missing"),
    [
        ("?person=mia", "created the folder", "Vera"),
        ("?kind=denied", "Vera was denied", "Mia"),
        ("?kind=files", "Mia renamed", "Vera"),
        ("?kind=nonsense&from=soon&node_id=x", "Mia renamed", "nothing of the sort"),
        ("?type=files.node.moved.v1", "Mia renamed", "created the folder"),
        ("?node_id={node}", "Mia renamed", "Vera"),
        ("?from=2199-01-01", "", "Mia"),
        ("?to=2001-01-01", "", "Mia"),
        ("?person=nobody-at-all", "", "Mia"),
    ],
)
def test_filters_hold_together(enter, written, query, there, missing):
    rows = " | ".join(rows_of(enter("adam").get(f"/audit/{query.format(node=written['id'])}").content.decode()))
    assert there in rows
    assert missing not in rows
    assert bool(rows) is bool(there)


def test_the_page_goes_on_where_it_ended_and_keeps_its_filters(enter, written, monkeypatch):
    monkeypatch.setattr(views, "SHOWN", 1)
    browser = enter("adam")
    first = browser.get("/audit/?kind=files").content.decode()
    more = first.partition('hx-get="/audit/?kind=files')[2].partition('"')[0].replace("&amp;", "&")
    second = browser.get(f"/audit/?kind=files{more}").content.decode()
    assert len(rows_of(first)) == len(rows_of(second)) == 1
    assert rows_of(first) != rows_of(second)


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_others_find_neither_the_page_nor_the_way_to_it(enter, name):
    browser = enter(name)
    assert browser.get("/audit/").status_code == 403
    assert 'href="/audit/"' not in browser.get("/settings/").content.decode()


def test_what_somebody_names_a_folder_is_text_on_the_page(enter, api, acme, audited):
    root_id = api("mia").get("/me").json()["root_id"]
    api("mia").post("/folders", {"parent_id": root_id, "name": "<b onclick=x> %(actor)s"})
    audited(acme)
    page = enter("adam").get("/audit/?person=mia").content.decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt; %(actor)s" in page


@pytest.mark.usefixtures("lasting_memory")
def test_a_page_takes_as_many_queries_whatever_its_length(enter, acme, written, monkeypatch):
    browser = enter("adam")
    with tenancy.entered(acme):
        for number in range(30):
            administration.record_denial(
                event_type="access.denied", actor_id=ACME.people["vera"].user_id, node_id=None, payload={"n": number}
            )
    counts = []
    for shown in (2, 20):
        monkeypatch.setattr(views, "SHOWN", shown)
        browser.get("/audit/")
        with CaptureQueriesContext(connection) as asked:
            browser.get("/audit/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def list_types() -> set[str]:
    for module in pkgutil.iter_modules(catalog.__path__):
        importlib.import_module(f"{catalog.__name__}.{module.name}")
    return {one.type for one in Event.__subclasses__() if one.__module__.startswith(catalog.__name__)}


def test_every_sentence_is_of_a_type_that_there_is_and_whole():
    names = {key: key.upper() for key in ("actor", "name", "person", "successor", "group", "principal", "behalf")}
    written_directly = {
        *("access.denied", "socket.denied", "identity.sign_in.denied", "audit.denials.omitted"),
        *("identity.impersonation.looked", "identity.impersonation.refused"),
        "identity.impersonation.repeated",
    }
    assert wording.KNOWN_TYPES - list_types() <= written_directly
    for event_type in list_types() | wording.KNOWN_TYPES:
        text = "".join(piece.text for piece in wording.tell(event_type, {"role": "admin"}, names))
        assert text
        assert "%(" not in text
    assert "".join(piece.text for piece in wording.tell("shelf.book.lent.v1", {}, names)) == "ACTOR: shelf book lent"


def test_a_name_cannot_pretend_to_be_a_part_of_the_sentence():
    pieces = wording.tell("files.folder.created.v1", {}, {**dict.fromkeys(("actor", "person"), "Mia"), "name": "a\0b"})
    assert [(piece.text, piece.is_name) for piece in pieces if piece.is_name] == [("Mia", True), ("ab", True)]


def test_administrators_see_which_features_their_vault_has_and_members_do_not(enter):
    page = enter("adam").get("/features/", headers={"accept-language": "de"}).content.decode()
    assert "billing.usage_page" in page
    assert "Funktionen" in page
    assert enter("mia").get("/features/").status_code == 403
