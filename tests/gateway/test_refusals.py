"""What people and programs are told while the database does not answer, on every surface."""

import pytest
from django.db import connection
from django.test import Client

from bitvault.kernel.postgres.watching import DatabaseDown, outage
from tests.support.world import ACME

pytestmark = pytest.mark.django_db


@pytest.fixture
def without_database():
    """Every statement fails as it does while the database is known to be down."""

    def refuse(*_):
        with connection.wrap_database_errors:
            raise DatabaseDown

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize("host", ["acme.localhost", "nobody.localhost", "127.0.0.1"])
def test_programs_are_told_which_service_is_down_and_when_to_ask_again(without_database, host):
    token = ACME.people["mia"].token
    answer = Client(headers={"host": host, "authorization": f"Bearer {token}"}).get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "platform.service_down")
    assert answer.json()["dependency"] == "database"
    assert answer["Retry-After"] == str(outage.retry_after_seconds)


def test_a_person_gets_a_page_that_says_so(without_database):
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    answer = client.post("/sign-in/", {"email": "mia@acme.test", "password": "x"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert answer["Retry-After"] == str(outage.retry_after_seconds)
    assert "try again in a moment" in answer.content.decode()
