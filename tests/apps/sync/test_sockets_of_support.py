"""A socket of an operator who looks at a tenant as one of its members ends to the second, and with what it stands on."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.support.sockets import close_code, head_of
from tests.support.world import ACME, BETA

pytestmark = pytest.mark.journey

BORIS, MIA = BETA.people["boris"], ACME.people["mia"]

IMPERSONATE = """
INSERT INTO identity_impersonation (id, operator_id, operator_name, operator_session_id, tenant_id, slug, member_id, member_email, reason,
    began_at, expires_at, entered_at, ended_for)
VALUES (%(id)s, %(operator)s, 'Boris', %(session)s, %(tenant)s, 'acme', %(member)s, 'mia@acme.test', 'why', %(now)s, %(end)s, %(now)s, '')
"""
OWN_SESSION = """
INSERT INTO identity_session (id, session_key, session_data, expire_date, user_id, agent, created_at, last_seen_at)
VALUES (%(session)s, %(session)s::text, '', %(now)s + interval '1 day', %(operator)s, '', %(now)s, %(now)s)
"""
LOOK = "UPDATE identity_session SET impersonation_id = %s, expire_date = %s WHERE session_key = %s"


@pytest.fixture
def look(live, sockets):
    """Let Boris, as a full operator, look at acme as Mia for some seconds; gives the browser."""
    made = []

    def begin(seconds):
        browser, now = sockets.sign_in(), datetime.now(UTC)
        end = now + timedelta(seconds=seconds)
        facts = {"id": uuid4(), "session": uuid4(), "operator": BORIS.user_id, "tenant": ACME.id, "member": MIA.user_id}
        with live.database() as database:
            database.execute(
                "UPDATE identity_user SET is_staff = true, is_superuser = true WHERE id = %s", [BORIS.user_id]
            )
            database.execute(OWN_SESSION, {**facts, "now": now})
            database.execute(IMPERSONATE, {**facts, "now": now, "end": end})
            key = hashlib.sha256(browser.cookies["session"].encode()).hexdigest()
            assert database.execute(LOOK, [facts["id"], end, key]).rowcount == 1
        made.append(facts)
        return browser

    yield begin
    with live.database() as database:
        for facts in made:
            database.execute(
                "DELETE FROM identity_session WHERE impersonation_id = %s OR id = %s", [facts["id"], facts["session"]]
            )
            database.execute("DELETE FROM identity_impersonation WHERE id = %s", [facts["id"]])
        database.execute(
            "UPDATE identity_user SET is_staff = false, is_superuser = false WHERE id = %s", [BORIS.user_id]
        )


def open_page_socket(sockets, live, browser):
    return sockets.open(host="acme.localhost", origin=live.tenant_url, browser=browser)


def test_it_ends_to_the_second(sockets, live, look):
    began = time.monotonic()
    connection = open_page_socket(sockets, live, look(4))
    assert head_of(connection) >= 0
    assert close_code(connection, seconds=15) == 4401
    # Long before the review, which would find it too.
    assert 2.5 < time.monotonic() - began < 15


def test_who_lost_the_permission_gets_none(sockets, live, look):
    browser = look(60)
    with live.database() as database:
        database.execute("UPDATE identity_user SET is_active = false WHERE id = %s", [BORIS.user_id])
    try:
        assert close_code(open_page_socket(sockets, live, browser)) == 4401
    finally:
        with live.database() as database:
            database.execute("UPDATE identity_user SET is_active = true WHERE id = %s", [BORIS.user_id])
