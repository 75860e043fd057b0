"""Statements over REST, on the pages, among operators, and the notice that one is ready."""

import json
import secrets
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from apps.billing import models, statements
from bitvault.events import consuming
from bitvault.gateway import recounting
from bitvault.kernel import clock, db, policies, tenancy
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def stated(acme, monkeypatch):
    """A vault with the statement of March: 10.00 EUR."""
    monkeypatch.setattr(statements, "get_head", lambda: 0)
    facts = {"month_price": "10", "name": "Default"}
    plan = models.Plan.objects.get(slug="default")
    kept = models.PlanVersion.objects.filter(plan=plan)
    kept.update(**facts)
    with tenancy.entered(acme), db.write_transaction():
        models.UsageDay.objects.create(day=date(2026, 3, 1), metric="live_bytes", amount=1024**3)
    with tenancy.entered(acme), clock.fixed_at(datetime(2026, 4, 1, 7, tzinfo=UTC)):
        assert statements.make_due() == 1


@pytest.fixture
def enter():
    def sign_in(name):
        address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
        browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return browser

    return sign_in


def test_administrators_read_statements_as_json_csv_and_pdf_and_others_none(api, stated):
    olga = api("olga")
    (row,) = olga.get("/statements").json()["items"]
    assert (row["month"], row["number"]) == ("2026-03", 1)
    assert row["totals"] == [{"currency": "EUR", "amount_minor": 1000, "amount": "10.00"}]
    detail = olga.get("/statements/2026-03").json()
    assert [(line["metric"], line["amount"]) for line in detail["lines"]] == [("plan", "10.00"), ("live_bytes", "0.00")]
    as_csv, as_pdf = olga.get("/statements/2026-03.csv"), olga.get("/statements/2026-03.pdf")
    assert as_csv["Content-Type"].startswith("text/csv")
    assert as_csv.content.splitlines()[1].startswith(b"1,2026-03,1,")
    assert (as_pdf["Content-Type"], as_pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert as_pdf["Content-Disposition"] == 'attachment; filename="statement-2026-03.pdf"'
    for path in ("/statements", "/statements/2026-03", "/statements/2026-03.csv", "/statements/2026-03.pdf"):
        assert api("mia").get(path).status_code == 403
    for month in ("2026-04", "2026-03%0a", "march"):
        missing = olga.get(f"/statements/{month}.pdf")
        assert (missing.status_code, missing.json()["code"]) == (404, "billing.statement_unknown")
    assert api("boris").get("/statements").json()["items"] == []


def test_the_pages_show_them_and_others_are_not_let_in(enter, stated):
    adam = enter("adam")
    assert "/usage/statements/" in adam.get("/usage/").content.decode()
    listed = adam.get("/usage/statements/").content.decode()
    assert "10.00 EUR" in listed
    page = adam.get("/usage/statements/2026-03/").content.decode()
    for words in ("Statement 1", "2026-03-01 – 2026-03-31", "1 GiB months", "half to even"):
        assert words in page, words
    assert "Corrections" not in page
    pdf = adam.get("/usage/statements/2026-03/pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert adam.get("/usage/statements/2026-04/").status_code == 404
    for path in ("/usage/statements/", "/usage/statements/2026-03/", "/usage/statements/2026-03/pdf"):
        assert enter("mia").get(path).status_code == 403


def test_people_and_previews_are_counted_by_those_who_know_them(acme):
    with tenancy.entered(acme):
        recounting.note_usage.run()
        with db.read_transaction():
            noted = dict(models.UsageDay.objects.values_list("metric", "amount"))
    assert noted == {"member_count": len(ACME.people), "guest_count": 0, "link_count": 0, "derived_bytes": 0}


def test_a_page_without_statements_says_when_the_first_comes(enter):
    assert "There is no statement yet" in enter("adam").get("/usage/statements/").content.decode()


def test_administrators_are_told_that_a_statement_is_ready(api, acme, stated):
    with tenancy.entered(acme):
        consuming.consume("notifications")
    (notice,) = [one for one in api("adam").get("/notifications").json()["items"] if one["kind"] == "statement"]
    assert notice["text"] == "The statement of 2026-03 is ready: 10.00 EUR"
    assert notice["topic"] == "statements"
    assert not [one for one in api("mia").get("/notifications").json()["items"] if one["kind"] == "statement"]


def test_operators_see_the_statements_of_all_tenants(acme, beta, stated):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    operator = Client(headers={"host": "admin.localhost"})
    operator.force_login(user)
    page = operator.get("/admin/statements/").content.decode()
    assert ">acme</th>" in page
    assert "10.00 EUR" in page
    assert "None yet" in page
    assert "None yet" not in operator.get("/admin/statements/?q=acm").content.decode()
    pdf = operator.get(f"/admin/statements/{acme.id}/2026-03.pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert operator.get(f"/admin/statements/{beta.id}/2026-03.pdf").status_code == 404
    plain = Client(headers={"host": "admin.localhost"})
    assert plain.get("/admin/statements/").status_code == 302


def test_the_operators_screen_refuses_prices_that_are_none():
    from apps.billing.admin import PlanForm

    facts = {
        "slug": "x",
        "name": "X",
        "limit_bytes": 1,
        "trash_days": 3,
        "currency": "EUR",
        "month_price": "1",
        "grace_days": 3,
    }
    good = [{"metric": "live_bytes", "price": "0.02", "included": "100"}]
    assert PlanForm({**facts, "prices": json.dumps(good)}).is_valid()
    for prices in ('[{"metric": "nothing", "price": "1"}]', '[{"metric": "live_bytes", "price": "-1"}]', '{"a": 1}'):
        assert "prices" in PlanForm({**facts, "prices": prices}).errors
    twice = PlanForm({**facts, "prices": json.dumps(good * 2)})
    assert twice.errors["prices"] == ["A metric has one price."]
    assert "currency" in PlanForm({**facts, "currency": "eu"}).errors
