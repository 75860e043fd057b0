"""An operator who looks at acme as one of its members, in browsers of tests."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from apps.identity import models, policies, queries
from tests.support.world import ACME, PASSWORD

REASON = "Ticket 4711: a shared folder is missing"
MIA = ACME.people["mia"]


@pytest.fixture
def forgetting():
    yield
    queries.forget_remembered()
    policies.forget_remembered()


@pytest.fixture
def supporter(db, acme, forgetting):
    person = models.User.objects.create_superuser(email="sue@operators.test", password=PASSWORD, name="Sue")
    models.User.objects.filter(pk=person.pk).update(is_superuser=False)
    person.groups.add(Group.objects.get(name="support"))
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(person)
    client.person = person
    return client


def begin(supporter, email=MIA.email, **more):
    entered = {"tenant": "acme", "email": email, "reason": REASON, "minutes": "15", **more}
    return supporter.post("/admin/impersonations/begin", entered)


def find_link(answer):
    found = re.search(r'href="([^"]+/support/enter/\?code=[^"]+)"', answer.content.decode())
    return None if found is None else found[1]


def follow(link, referrer="http://admin.localhost/", host=None):
    parts = urlsplit(link)
    browser = Client(headers={"host": host or parts.netloc})
    browser.answer = browser.get(f"{parts.path}?{parts.query}", headers={"referer": referrer})
    return browser


@pytest.fixture
def visitor(supporter):
    """The browser of an operator who looks at acme as mia."""
    browser = follow(find_link(begin(supporter)))
    assert (browser.answer.status_code, browser.answer["Location"]) == (302, "/files/")
    return browser


@pytest.fixture
def allow(acme):
    def set_policy(value):
        row = models.Tenant.objects.get(pk=acme.id)
        row.policies = {**(row.policies or {}), "support_access": value}
        row.save(update_fields=["policies"])
        policies.forget_remembered()

    return set_policy
