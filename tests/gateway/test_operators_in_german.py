"""Operators who read German find no English on their screens: each page is read in both languages, and what says the same is looked at."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import Group
from django.test import Client

from apps.identity.models import User
from bitvault.events import operating as stream
from bitvault.gateway import doctor
from tests.support.world import PASSWORD

PAGES = (
    *("", "tenants/", "plans/", "statements/", "stream/", "search/", "uploads/", "siem/", "deletions/?q=acme"),
    *("impersonations/", "mails/", "doctor/", "password_change/"),
)

SAID = {
    "h1",
    "h2",
    "h3",
    "th",
    "label",
    "legend",
    "caption",
    "button",
    "option",
    "title",
    "summary",
    "nav",
    "p",
    "small",
}
"""Elements whose text is ours; what stands in cells, code and values is data."""

DATA = {"td", "code", "pre", "script", "style", "time", "textarea", "svg", "strong"}

NAMED = ("aria-label", "title", "placeholder")

SAME = {
    *(
        "BitVault",
        "CORS",
        "Valkey",
        "PDF",
        "JSON",
        "UTC",
        "manage.py",
        "SIEM-Export",
        "Acme",
        "Beta",
        "acme",
        "beta",
        "tests",
    ),
    *(
        "Name",
        "Status",
        "Support",
        "Version",
        "Token",
        "Person",
        "Browser",
        "Filter",
        "Journal",
        "Domains",
        "Uploads",
        "Backups",
    ),
    *("Installation", "Default", "True"),
}
"""Proper nouns, names of what the world of tests holds, and words that are the same in both languages."""


def names():
    """Names of consumers and of the doctor's checks are the same in every language: manuals, logs and alarms speak of them."""
    return {*stream.list_consumers(), *doctor.list_checks()}


class Said(HTMLParser):
    """Collects the sentences of ours on a page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.said = [], set()

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in ("input", "link", "meta", "br", "img", "hr", "use", "path"):
            self.open.append(tag)
        if any(one in DATA for one in self.open):
            return
        self.said |= {facts[name].strip() for name in NAMED if facts.get(name)}
        if tag == "input" and facts.get("type") in ("submit", "button"):
            self.said.add(facts.get("value", ""))

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        text = " ".join(data.split())
        if text and any(one in SAID for one in self.open) and not any(one in DATA for one in self.open):
            self.said.add(text)


def read(client, path, language):
    answer = client.get(f"/admin/{path}", headers={"accept-language": language})
    if answer.status_code != 200:
        return None
    reader = Said()
    reader.feed(answer.content.decode())
    return reader.said


def is_ours(text):
    """Whether a text has words that could be of a language: no ids, keys, addresses and figures."""
    text = text.removeprefix("› ")
    if text in SAME or text in names() or " | " in text or re.fullmatch(r"[\w.:@/+-]*[.@/:_\d][\w.:@/+-]*", text):
        return False
    return bool(re.search(r"[A-Za-z]{3,}", text))


@pytest.fixture
def operator(db, acme):
    person = User.objects.create_superuser(email="ops@bitvault.test", password=PASSWORD)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(person)
    client.get("/admin/admin_platform/flag/")
    client.get("/admin/admin_platform/config/")
    return client


def list_screens(operator):
    """The pages of Django admin: each list, each form to add, and the form of one row where there is one."""
    for model in site._registry:
        if model is Group:
            continue  # its form lists Django's own names of permissions, which stand in the database
        base = f"{model._meta.app_label}/{model._meta.model_name}/"
        yield base
        yield f"{base}add/"
        row = model._default_manager.first()
        if row is not None:
            yield f"{base}{row.pk}/change/"


def test_no_page_of_operators_speaks_english_to_who_reads_german(operator):
    left = {}
    for path in (*PAGES, *list_screens(operator)):
        english, german = read(operator, path, "en"), read(operator, path, "de")
        if english is None:
            continue
        for text in filter(is_ours, english & german):
            left.setdefault(text, []).append(path)
    assert not left, "\n".join(f"{text!r}: {', '.join(paths[:3])}" for text, paths in sorted(left.items()))


def test_the_reader_finds_what_is_left():
    reader = Said()
    reader.feed(
        '<th>Left over</th><td>data</td><label title="A title">Of a field</label><input type="submit" value="Save it">'
    )
    assert reader.said == {"Left over", "A title", "Of a field", "Save it"}
