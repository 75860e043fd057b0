"""Statements: what a month came to by the plans that were in force, rounded by the currency's rules, never changed, and corrected later."""

import csv
import io
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from django.db import DatabaseError, connection
from django.utils import translation

from apps.billing import api, currencies, models, pricing, statements
from apps.billing.api import noted
from apps.billing.errors import StatementUnknown
from bitvault.events.api import list_published
from bitvault.kernel import clock, db, policies, tenancy
from bitvault.kernel.errors import Forbidden

GIB = 1024**3
MARCH = date(2026, 3, 1)
MADE = datetime(2026, 4, 1, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


@pytest.fixture(autouse=True)
def _the_meter_is_at_the_head(monkeypatch):
    monkeypatch.setattr(statements, "get_head", lambda: 0)


def plan(slug, *, currency="EUR", month_price="0", prices=(), begun_at=models.EPOCH, version=1):
    facts = {
        "name": slug.title(),
        "limit_bytes": 10**15,
        "trash_days": 30,
        "currency": currency,
        "month_price": Decimal(month_price),
        "prices": [dict(one) for one in prices],
        "version": version,
    }
    row, _ = models.Plan.objects.update_or_create(slug=slug, defaults=facts)
    models.PlanVersion.objects.create(plan=row, begun_at=begun_at, file_limit_bytes=None, **facts)
    return row


def price(metric, amount, included="0"):
    return {"metric": metric, "price": amount, "included": included}


def use(day, **amounts):
    with db.write_transaction():
        for metric, amount in amounts.items():
            models.UsageDay.objects.create(day=day, metric=metric, amount=amount)


def change_plan(slug, moment):
    with clock.fixed_at(moment):
        api.set_quota(plan=slug)


def make(moment=MADE):
    with clock.fixed_at(moment):
        return statements.make_due()


def read(month="2026-03"):
    return api.get_statement(actor=None, month=month)


def at(day, hour=12, month=3):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_plan_changed_in_the_middle_makes_pieces_and_a_day_belongs_to_the_plan_at_its_end(tenant):
    plan("small", month_price="31", prices=[price("live_bytes", "3.1", "10")])
    plan("large", month_price="62", prices=[price("live_bytes", "1.55")])
    change_plan("small", at(1, 0))
    use(MARCH, live_bytes=40 * GIB)
    change_plan("large", at(11, 23))
    assert make() == 1
    lines = [
        (one.plan, one.metric, one.begin.day, one.end.day, one.units, one.included, one.amount) for one in read().lines
    ]
    assert lines == [
        ("small", "plan", 1, 11, "10", "0", "10.00"),
        # 40 GiB for 10 of 31 days are 12.903 GiB months, of which 10/31 of 10 are included.
        ("small", "live_bytes", 1, 11, "12.903226", "3.225806", "30.00"),
        ("large", "plan", 11, 1, "21", "0", "42.00"),
        ("large", "live_bytes", 11, 1, "27.096774", "0", "42.00"),
    ]
    assert [(one.currency, one.amount_minor, one.amount) for one in read().totals] == [("EUR", 12400, "124.00")]


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        ("4.5", "EUR", "4.50"),
        ("0.021500", "EUR", "0.0215"),
        ("100", "JPY", "100"),
        ("0", "KWD", "0.000"),
        ("1E+2", "EUR", "100.00"),
    ],
)
def test_a_price_has_the_digits_of_its_currency_or_those_that_it_needs(price, currency, text):
    assert currencies.write_price(Decimal(price), currency) == text


@pytest.mark.parametrize(
    ("currency", "exact", "minor", "text"),
    [
        ("EUR", "0.005", 0, "0.00"),
        ("EUR", "0.015", 2, "0.02"),
        ("EUR", "0.025", 2, "0.02"),
        ("EUR", "-0.025", -2, "-0.02"),
        ("EUR", "0.0250001", 3, "0.03"),
        ("JPY", "2.5", 2, "2"),
        ("JPY", "3.5", 4, "4"),
        ("KWD", "1.0005", 1000, "1.000"),
        ("KWD", "1.0015", 1002, "1.002"),
    ],
)
def test_amounts_are_rounded_half_to_even_to_the_currencys_smallest_unit(currency, exact, minor, text):
    assert currencies.round_to_minor(Fraction(exact), currency) == minor
    assert currencies.write_amount(minor, currency) == text


def oracle(month, days_in_month, changes, terms, usage):
    """Say a month's lines again, day by day and in decimals of sixty digits, by no code of the product."""
    found = defaultdict(lambda: [0, 0])
    standing = {}
    for number in range(days_in_month):
        day = month + timedelta(days=number)
        held = [
            name
            for moment, name in changes
            if moment < datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        ][-1]
        for metric in ("live_bytes", "trash_bytes", "member_count"):
            standing[metric] = usage.get((day, metric), standing.get(metric, 0))
            found[held, number_of_run(changes, day), metric][0] += standing[metric]
        for metric in ("uploaded_bytes", "downloads_signed_count"):
            found[held, number_of_run(changes, day), metric][0] += usage.get((day, metric), 0)
        found[held, number_of_run(changes, day), "plan"][0] += 1
        for metric in ("live_bytes", "trash_bytes", "member_count", "uploaded_bytes", "downloads_signed_count", "plan"):
            found[held, number_of_run(changes, day), metric][1] += 1
    sizes = {"live_bytes": GIB * days_in_month, "trash_bytes": GIB * days_in_month, "member_count": days_in_month}
    sizes |= {"uploaded_bytes": GIB, "downloads_signed_count": 1000}
    lines = {}
    with localcontext() as context:
        context.prec = 60
        for (held, run, metric), (quantity, day_count) in found.items():
            month_price, prices = terms[held]
            if metric == "plan":
                amount = Decimal(month_price) * day_count / days_in_month
            else:
                each, included = prices.get(metric, ("0", "0"))
                units = Decimal(quantity) / sizes[metric] - Decimal(included) * day_count / days_in_month
                amount = max(Decimal(0), units) * Decimal(each)
                if not quantity and metric not in prices:
                    continue
            lines[held, run, metric] = (quantity, int((amount * 100).quantize(Decimal(1), ROUND_HALF_EVEN)))
    return lines


def number_of_run(changes, day):
    """Count the changes of plan up to a day's end: a plan that comes again begins another piece."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    held = [name for moment, name in changes if moment < end]
    return held[-1], sum(
        1 for before, after in zip(ends(changes, day)[:-1], ends(changes, day)[1:], strict=True) if before != after
    )


def ends(changes, last):
    """Give the plan at the end of each day of the month up to one."""
    found = []
    day = last.replace(day=1)
    while day <= last:
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        found.append([name for moment, name in changes if moment < end][-1])
        day += timedelta(days=1)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_statements_agree_with_an_oracle_whatever_changes_in_the_middle(tenant, seed):
    rng = random.Random(seed)
    month, days_in_month = rng.choice([(date(2026, 2, 1), 28), (MARCH, 31), (date(2028, 2, 1), 29)])
    metrics = ("live_bytes", "trash_bytes", "member_count", "uploaded_bytes", "downloads_signed_count")
    terms = {}
    for slug in ("one", "two", "three"):
        chosen = rng.sample(metrics, rng.randint(0, 4))
        prices = {metric: (f"{rng.random():.4f}", str(rng.choice([0, 1, 2.5, 100]))) for metric in chosen}
        terms[slug] = (f"{rng.random() * 50:.4f}", prices)
        plan(slug, month_price=terms[slug][0], prices=[price(name, *what) for name, what in prices.items()])
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    moments = sorted(
        start + timedelta(minutes=rng.randrange(1, days_in_month * 1440)) for _ in range(rng.randint(0, 6))
    )
    changes = [(start, "one")]
    change_plan("one", start)
    for moment in moments:
        slug = rng.choice([one for one in terms if one != changes[-1][1]])
        changes.append((moment, slug))
        change_plan(slug, moment)
    usage = {(month, "live_bytes"): rng.randrange(10**12)}
    for _ in range(40):
        usage[month + timedelta(days=rng.randrange(days_in_month)), rng.choice(metrics)] = rng.randrange(5 * 10**11)
    for (day, metric), amount in usage.items():
        use(day, **{metric: amount})
    assert make(datetime(*pricing.next_month(month).timetuple()[:3], 7, tzinfo=UTC)) == 1
    expected = oracle(month, days_in_month, changes, terms, usage)
    found = read(f"{month:%Y-%m}")
    assert sorted((one.plan, one.metric, one.quantity, one.amount_minor) for one in found.lines) == sorted(
        (held, metric, quantity, amount) for (held, _, metric), (quantity, amount) in expected.items()
    )
    assert sum(one.amount_minor for one in found.lines) == sum(one.amount_minor for one in found.totals)


def test_a_changed_price_is_another_piece_and_two_currencies_are_two_totals(tenant):
    plan("small", month_price="31")
    plan("small", month_price="62", version=2, begun_at=at(11))
    plan("yen", currency="JPY", month_price="3101")
    change_plan("small", at(1, 0))
    use(MARCH, live_bytes=0)
    change_plan("yen", at(31))
    make()
    lines = [
        (one.plan_version, one.begin.day, one.amount, one.currency) for one in read().lines if one.metric == "plan"
    ]
    assert lines == [(1, 1, "10.00", "EUR"), (2, 11, "40.00", "EUR"), (1, 31, "100", "JPY")]
    assert [(one.currency, one.amount) for one in read().totals] == [("EUR", "50.00"), ("JPY", "100")]


def test_a_statement_comes_some_hours_after_the_months_end_once_with_the_next_number(tenant, make_actor):
    olga = make_actor("olga")
    use(date(2026, 2, 10), live_bytes=5)
    assert make(datetime(2026, 3, 1, 5, tzinfo=UTC)) == 0
    assert make(datetime(2026, 3, 1, 6, 1, tzinfo=UTC)) == 1
    assert make(datetime(2026, 3, 1, 8, tzinfo=UTC)) == 0
    assert make(datetime(2026, 5, 2, tzinfo=UTC)) == 2, "an installation that was away states what it has missed"
    page = api.list_statements(actor=olga, limit=2)
    assert [(one.number, one.month) for one in page.items] == [(3, "2026-04"), (2, "2026-03")]
    rest = api.list_statements(actor=olga, cursor=page.next_cursor)
    assert [(one.number, one.month) for one in rest.items] == [(1, "2026-02")]
    assert read("2026-02").lines[0].begin == date(2026, 2, 10), "the first month counts from the first day"
    told = [one.payload for one in list_published(after=0, limit=100) if one.type == "billing.statement.made.v1"]
    assert [(one["number"], one["month"], one["totals"]) for one in told] == [
        (number, month, ["0.00 EUR"]) for number, month in ((1, "2026-02"), (2, "2026-03"), (3, "2026-04"))
    ]


def test_a_month_is_not_stated_before_the_meter_has_gone_past_it(tenant, monkeypatch):
    use(MARCH, live_bytes=5)
    monkeypatch.setattr(statements, "get_head", lambda: 10)
    monkeypatch.setattr(statements, "get_position", lambda _: 9)
    assert make() == 0
    use(date(2026, 4, 1), member_count=3)
    assert make() == 0, "what others note is no sign of the meter"
    use(date(2026, 4, 1), live_bytes=5)
    assert make() == 1


def test_a_vault_of_which_nothing_is_known_has_no_statement(tenant):
    assert make() == 0
    with pytest.raises(StatementUnknown):
        read()


def test_what_turns_out_later_is_a_line_of_the_next_statement_and_the_earlier_one_stays(tenant):
    plan("small", prices=[price("uploaded_bytes", "0.10")])
    change_plan("small", at(1, 0))
    use(MARCH, uploaded_bytes=100 * GIB)
    make()
    before = read()
    with db.write_transaction():
        models.UsageDay.objects.filter(day=MARCH).update(amount=130 * GIB)
    use(date(2026, 3, 20), downloaded_bytes=GIB)
    make(datetime(2026, 5, 1, 7, tzinfo=UTC))
    assert read() == before
    april = read("2026-04")
    late = [(one.about_month, one.metric, one.units, one.amount) for one in april.lines if one.is_correction]
    assert late == [("2026-03", "uploaded_bytes", "30", "3.00"), ("2026-03", "downloaded_bytes", "1", "0.00")]
    assert april.totals[0].amount == "3.00"
    make(datetime(2026, 6, 1, 7, tzinfo=UTC))
    assert not [one for one in read("2026-05").lines if one.is_correction], "it is corrected once"


def test_statements_are_written_once(tenant):
    use(MARCH, live_bytes=5)
    make()
    for act in (
        lambda: models.Statement.objects.update(totals={}),
        lambda: models.StatementLine.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match=r"permission denied|append-only"), db.write_transaction():
            act()
    assert connection.is_usable()


def test_two_turns_at_once_make_one_statement(tenant, monkeypatch):
    use(MARCH, live_bytes=5)
    real, calls = statements._compute, []

    def compute(*args):
        if not calls:
            calls.append(1)
            assert make() == 1
        return real(*args)

    monkeypatch.setattr(statements, "_compute", compute)
    assert make() == 0
    assert read().number == 1


def test_only_administrators_read_them(tenant, make_actor):
    use(MARCH, live_bytes=5)
    make()
    for act in (
        lambda actor: api.list_statements(actor=actor),
        lambda actor: api.get_statement(actor=actor, month="2026-03"),
        lambda actor: api.write_statement(actor=actor, month="2026-03", form="pdf"),
    ):
        with pytest.raises(Forbidden):
            act(make_actor("mia"))
    for month in ("2026-3", "2026-13", "0000-01", "2026-04", "x"):
        with pytest.raises(StatementUnknown):
            api.get_statement(actor=None, month=month)


def test_a_csv_has_all_lines_and_nothing_that_runs_as_a_formula(tenant):
    plan("evil", month_price="10")
    models.PlanVersion.objects.filter(plan__slug="evil").update(name="=HYPERLINK(1)")
    change_plan("evil", at(1, 0))
    use(MARCH, live_bytes=GIB)
    make()
    rows = list(
        csv.DictReader(io.StringIO(api.write_statement(actor=None, month="2026-03", form="csv").decode(), newline=""))
    )
    assert [row["metric"] for row in rows] == ["plan", "live_bytes"]
    assert {row["plan_name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert (rows[0]["amount"], rows[1]["quantity"], rows[1]["end"]) == ("10.00", str(31 * GIB), "2026-04-01")


def test_a_pdf_is_the_same_each_time_and_writes_names_of_all_europe(tenant):
    from pypdfium2 import PdfDocument

    plan("small", month_price="10")
    models.PlanVersion.objects.filter(plan__slug="small").update(name="Łódź <Ελλάδα> & Київ")
    change_plan("small", at(1, 0))
    use(MARCH, live_bytes=GIB)
    make()
    content = api.write_statement(actor=None, month="2026-03", form="pdf")
    assert content == api.write_statement(actor=None, month="2026-03", form="pdf")
    text = " ".join(page.get_textpage().get_text_range() for page in PdfDocument(content))
    for words in ("Statement 1", "Total: 10.00 EUR", "2026-03-01", "Łódź <Ελλάδα> & Київ", "half to even"):
        assert words in " ".join(text.split()), words


def test_people_and_previews_are_noted_by_day_and_stand_until_the_next(tenant):
    with clock.fixed_at(at(5)):
        noted.note_usage(member_count=4, guest_count=1, link_count=2, derived_bytes=10)
        noted.note_usage(member_count=3, guest_count=1, link_count=2, derived_bytes=GIB)
    with clock.fixed_at(at(10)):
        noted.note_usage(member_count=6, guest_count=0, link_count=2, derived_bytes=GIB)
    make()
    found = {one.metric: (one.quantity, one.unit) for one in read().lines}
    assert found["member_count"] == (5 * 3 + 22 * 6, "person month")
    assert found["guest_count"] == (5, "person month")
    assert found["derived_bytes"] == (27 * GIB, "GiB month")


def test_statements_of_another_tenant_are_another_tenants(tenant):
    use(MARCH, live_bytes=1)
    make()
    assert read().tenant_name == tenancy.current().name


@pytest.mark.parametrize(
    ("language", "exact", "written"),
    [
        ("en", "1234567.50", "1,234,567.50"),
        ("de", "1234567.50", "1.234.567,50"),
        ("de", "-0.0215", "-0,0215"),
        ("de", "124", "124"),
    ],
)
def test_amounts_are_written_as_the_reader_does(language, exact, written):
    with translation.override(language):
        assert currencies.write_locally(exact) == written
