"""What is hand-written in ``sql.py``, and the queryset that judges credentials, find their rows by keys."""

import json

import pytest
from django.db import connection

from apps.identity import models, queries, sql
from bitvault.kernel import clock, ids


def scans_of(plan):
    yield plan["Node Type"], plan.get("Relation Name", ""), plan.get("Index Cond", "")
    for part in plan.get("Plans", ()):
        yield from scans_of(part)


def explain(statement, parameters):
    with connection.cursor() as cursor:
        # Of tables this small the planner reads all; without that choice it shows whether a key leads to the row.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        (found,) = cursor.fetchone()
    plan = found if isinstance(found, list) else json.loads(found)
    return list(scans_of(plan[0]["Plan"]))


def statement_of(rows):
    return rows.query.sql_with_params()


NOW = clock.now()
QUESTIONS = {
    "holder": lambda: (sql.FIND_HOLDER, [ids.new_id()]),
    "signed_in": lambda: (sql.FIND_SIGNED_IN, ["key", ids.new_id(), NOW]),
    "touch_session": lambda: (sql.TOUCH_SESSION, [NOW, ids.new_id(), NOW]),
    "touch_token": lambda: (sql.TOUCH_TOKEN, [NOW, ids.new_id(), NOW]),
    "token": lambda: statement_of(
        queries.filter_valid(models.ApiToken.objects.filter(pk=ids.new_id(), revoked_at=None))
    ),
    "sessions": lambda: statement_of(queries.filter_valid(models.Session.objects.filter(pk__in=[ids.new_id()]))),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_row_is_found_by_a_key(db, question):
    scans = [scan for scan in explain(*question()) if scan[0].endswith("Scan") and scan[1]]
    assert scans
    assert [scan for scan in scans if "Index" not in scan[0] or not scan[2]] == []


def find_holder(token_id):
    with connection.cursor() as cursor:
        cursor.execute(sql.FIND_HOLDER, [token_id])
        return cursor.fetchone()


@pytest.mark.parametrize(
    "change",
    [
        lambda: models.User.objects.update(is_active=False),
        lambda: models.User.objects.update(password_changed_at=clock.now()),
        lambda: models.Membership.objects.update(state=models.MembershipState.DEACTIVATED),
        lambda: models.Membership.objects.all().delete(),
        lambda: models.Tenant.objects.update(state=models.TenantState.SUSPENDED),
    ],
    ids=["person", "password", "deactivated", "no_member", "tenant"],
)
def test_a_token_is_let_in_while_person_membership_and_tenant_stand(db, change):
    rows = queries.filter_valid(models.ApiToken.objects.all())
    token_ids = list(models.ApiToken.objects.values_list("pk", flat=True))
    assert set(rows.values_list("pk", flat=True)) == set(token_ids) == set(filter(find_holder, token_ids))
    change()
    assert rows.count() == 0
    assert not any(map(find_holder, token_ids))
