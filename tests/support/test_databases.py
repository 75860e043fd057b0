"""What the databases of tests allow: a test's own transaction may stand still, the product's may not."""

import pytest
from django.db import connection


def idle_limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        return cursor.fetchone()[0]


def test_a_transaction_of_a_test_may_stand_still_while_the_test_does_something_slow(db):
    assert idle_limit() == "0"


@pytest.mark.committed
def test_where_tests_commit_the_limit_of_the_product_holds():
    assert idle_limit() == "30s"
