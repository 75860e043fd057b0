"""In which language pages and answers are, and that no text of a page was forgotten."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation

from apps.identity import models
from bitvault.web import catalogue
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.world import ACME, PASSWORD

HOST = "acme.localhost"
BARE = "localhost"


@pytest.fixture
def browser(db):
    client = Client(headers={"host": HOST})
    assert client.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD}).status_code == 302
    return client


# --- which language -------------------------------------------------------------------------------------------------------------


def language_of(answer) -> str:
    return re.search(r'<html lang="([^"]+)"', answer.content.decode())[1]


def test_a_page_is_in_the_language_that_the_browser_asks_for(browser):
    assert language_of(browser.get("/files/")) == "en"
    german = browser.get("/files/", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    assert language_of(german) == "de"
    assert "Meine Dateien" in german.content.decode()
    assert language_of(browser.get("/files/", headers={"accept-language": "fi"})) == "en"


def test_what_the_tenant_has_chosen_comes_before_the_browser_and_what_the_person_has_chosen_before_both(browser):
    models.Tenant.objects.filter(pk=ACME.id).update(locale="de", time_zone="Europe/Vienna")
    from apps.identity import queries

    queries.forget_remembered()
    page = browser.get("/files/", headers={"accept-language": "en"})
    assert language_of(page) == "de"
    assert 'data-time-zone="Europe/Vienna"' in page.content.decode()
    assert language_of(Client(headers={"host": HOST}).get("/sign-in/")) == "de"
    models.User.objects.filter(pk=ACME.people["mia"].user_id).update(locale="en", time_zone="Asia/Tokyo")
    page = browser.get("/files/")
    assert language_of(page) == "en"
    assert 'data-time-zone="Asia/Tokyo"' in page.content.decode()


def test_no_language_is_left_for_the_next_request(browser):
    browser.get("/files/", headers={"accept-language": "de"})
    assert translation.get_language() == "en"
    assert language_of(browser.get("/files/")) == "en"


def test_problems_are_in_english_unless_accept_language_asks(api):
    client = api("mia")
    assert client.get("/nodes/01900000-0000-7000-8000-0000000000ff").json()["title"] == "There is no such thing"
    asked = client.get("/nodes/01900000-0000-7000-8000-0000000000ff", headers={"accept-language": "de"}).json()
    assert (asked["code"], asked["title"]) == ("access.not_found", "Das gibt es nicht")


def test_one_chooses_name_language_and_zone_by_rest(api):
    client = api("mia")
    changed = client.patch("/me", {"name": "Mia M.", "locale": "de", "time_zone": "Europe/Berlin"})
    assert changed.status_code == 200
    user = client.get("/me").json()["user"]
    assert (user["name"], user["locale"], user["time_zone"]) == ("Mia M.", "de", "Europe/Berlin")
    assert client.patch("/me", {"locale": "tlh"}).json()["code"] == "identity.invalid_locale"
    assert client.patch("/me", {"time_zone": "Mars/Olympus"}).json()["code"] == "identity.invalid_time_zone"
    assert client.patch("/me", {"name": " "}).status_code == 422
    assert client.patch("/me", {"locale": "", "time_zone": ""}).json()["user"]["name"] == "Mia M."


def test_scripts_get_their_texts_at_an_address_that_is_kept(browser):
    page = browser.get("/files/", headers={"accept-language": "de"}).content.decode()
    address = catalogue.address("de")
    assert f'<script src="{address}" defer>' in page
    answer = browser.get(address)
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Type"].startswith("text/javascript")
    assert "In den Papierkorb verschoben" in answer.content.decode() or "Papierkorb" in answer.content.decode()
    assert browser.get("/texts/de/000000000000.js")["Cache-Control"] == "no-cache"
    assert browser.get("/texts/xx/000000000000.js").status_code == 404


# --- nothing forgotten ----------------------------------------------------------------------------------------------------------

KNOWN = re.compile(
    r"BitVault|[a-z]+:[a-z]+|Python|Windows|[\w.]+@[\w.]+|https?://\S+|[\w-]*\.localhost\S*|API|English|Deutsch|(?<!\S)\.(?:pdf|docx)"
)
"""What is the same in every language: names, addresses, scopes, endings of files, the languages' own names."""


class Texts(HTMLParser):
    """Gathers what a page says to people."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in ("meta", "link", "input", "br", "use", "path"):
            self._inside.append(tag)
        for name in ("title", "aria-label", "placeholder", "alt"):
            if facts.get(name):
                self.found.append(facts[name])

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style", "svg", "code", "kbd"} & set(self._inside):
            self.found.append(data)


@pytest.fixture
def pseudo(monkeypatch):
    """Let every translated text stand between brackets that nothing else has."""
    trans = translation._trans

    def brackets(text):
        return f"⟦{text}⟧" if text else text

    trans.gettext  # noqa: B018 - Django fills in its functions when the first one is asked for
    monkeypatch.setattr(trans, "gettext", brackets)
    monkeypatch.setattr(trans, "pgettext", lambda _context, text: brackets(text))
    monkeypatch.setattr(trans, "ngettext", lambda one, many, count: brackets(one if count == 1 else many))
    monkeypatch.setattr(trans, "npgettext", lambda _context, one, many, count: brackets(one if count == 1 else many))


def find_unmarked(page: str, *names: str) -> list[str]:
    """Find words that are neither translated nor a name."""
    texts = Texts()
    texts.feed(page)
    found = []
    for text in texts.found:
        rest = re.sub(r"⟦[^⟦⟧]*(?:⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧", "", text)
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, "")
        rest = KNOWN.sub("", rest)
        if re.search(r"[^\W\d_]{2,}", rest):
            found.append(text.strip())
    return found


MEMBERS_PAGES = [
    "/files/",
    "/teams/",
    "/trash/",
    "/conflicts/",
    "/settings/",
    "/settings/security/",
    "/settings/devices/",
    "/settings/tokens/",
]


@pytest.mark.parametrize("path", MEMBERS_PAGES)
def test_every_text_of_a_members_page_is_translated(browser, api, pseudo, path):
    root_id = api("mia").get("/me").json()["root_id"]
    folder = api("mia").post("/folders", {"parent_id": root_id, "name": "Zzzwork"}).json()
    gone = api("mia").post("/folders", {"parent_id": root_id, "name": "Zzzgone"}).json()
    api("mia").delete(f"/nodes/{gone['id']}")
    make_team_by_rest(api("adam"), "Zzzteam", by_rest("everyone", "viewer"))
    names = ("Zzzwork", "Zzzgone", "Zzzteam", "Mia", "MI", "Acme", "acme", "bot", "agent", "tests")
    pages = [browser.get(path)]
    if path == "/files/":
        pages.append(browser.get(f"/files/{folder['id']}/"))
    for page in pages:
        assert page.status_code == 200
        assert find_unmarked(page.content.decode(), *names) == []


@pytest.mark.parametrize("path", ["/audit/", "/features/", "/usage/", "/usage/statements/"])
def test_every_text_of_an_administrators_page_is_translated(db, acme, api, pseudo, path):
    from apps.billing import api as billing
    from bitvault.events import consuming
    from bitvault.kernel import tenancy

    browser = Client(headers={"host": HOST})
    browser.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    mia = ACME.people["mia"]
    api("mia").get("/me")
    team = make_team_by_rest(api("adam"), "Zzzteam", by_rest("everyone", "viewer"))
    for scope in (f"user:{mia.user_id}", f"folder:{team['id']}"):
        assert api("adam").put(f"/quotas/{scope}", {"limit_bytes": 0, "warn_bytes": 0}).status_code == 200
    with tenancy.entered(acme):
        consuming.consume("audit")
        consuming.consume(billing.CONSUMER)
    page = browser.get(path)
    assert page.status_code == 200
    names = ("Zzzteam", "Mia", "Adam", "AD", "Acme", "acme", "bot", "agent", "tests", "Default", "bytes", "everything")
    # A sentence stands in one text with its names; what programs call things, and facts, are the same in every language.
    text = re.sub(
        r'<pre.*?</pre>|</?b>|</?bdi>|<dd class="number">[^<]*</dd>', "", page.content.decode(), flags=re.DOTALL
    )
    assert find_unmarked(re.sub(r"[a-z_]+(?:\.[a-z_]+)+\.v1", "", text), *names) == []


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/sign-in/", HOST),
        ("/sign-in/", BARE),
        ("/sign-up/", BARE),
        ("/forgot-password/", HOST),
        ("/reset-password/", HOST),
        ("/nothing-of-the-kind/", HOST),
    ],
)
def test_every_text_of_a_visitors_page_is_translated(db, pseudo, path, host):
    page = Client(headers={"host": host, "accept": "text/html"}).get(path)
    assert find_unmarked(page.content.decode(), "Acme", "acme", "A") == []


def test_an_unmarked_text_is_found():
    assert find_unmarked("<p>Hello</p>") == ["Hello"]
    assert find_unmarked('<p title="Some more">⟦Hello⟧</p>') == ["Some more"]
    assert find_unmarked("<p>⟦Hello⟧ 12</p>") == []
