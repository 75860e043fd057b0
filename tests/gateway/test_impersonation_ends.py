"""An operator looks at a tenant as one of its members: how that ends, and who is told."""

import contextvars
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from apps.admin_platform.models import AuditEntry
from apps.identity import api as identity
from apps.identity import models
from apps.identity.session_store import SessionStore
from apps.identity.tasks import end_impersonations
from bitvault.kernel import clock, db, tenancy
from tests.apps.identity.posting import deliver
from tests.support.impersonating import MIA, REASON, begin, find_link, follow
from tests.support.world import ACME, PASSWORD

NIL = UUID(int=7)
OLGA = ACME.people["olga"]


def log_of(tenant, *types):
    with tenancy.entered(tenant), db.read_transaction():
        return list(AuditEntry.objects.filter(type__in=types).order_by("number"))


def code_of(answer):
    return answer.json()["code"]


# --- how it ends -------------------------------------------------------------------------------------------------------------


def test_it_ends_by_its_time_for_pages_and_requests(visitor):
    with clock.fixed_at(clock.now() + timedelta(minutes=14, seconds=50)):
        assert visitor.get("/api/v1/me").status_code == 200
    with clock.fixed_at(clock.now() + timedelta(minutes=15, seconds=1)):
        assert visitor.get("/api/v1/me").status_code == 401
        assert visitor.get("/files/")["Location"].startswith("/sign-in/")


def take_permission(person):
    person.groups.clear()


def deactivate(person):
    models.User.objects.filter(pk=person.pk).update(is_active=False)


def take_staff(person):
    models.User.objects.filter(pk=person.pk).update(is_staff=False)


def end_own_session(person):
    models.Session.objects.filter(user_id=person.pk, tenant=None).delete()


def change_members_password(_person):
    user = models.User.objects.get(pk=MIA.user_id)
    user.set_password(PASSWORD)
    user.save()


def remove_member(_person):
    models.Membership.objects.filter(user_id=MIA.user_id).update(state="deactivated")


@pytest.mark.parametrize(
    "act", [take_permission, deactivate, take_staff, end_own_session, change_members_password, remove_member]
)
def test_it_ends_with_what_it_stands_on(supporter, visitor, acme, settings, act):
    store = SessionStore(session_key=visitor.cookies[settings.SESSION_COOKIE_NAME].value)
    with tenancy.entered(acme):
        session_id = identity.find_actor_by_session(session=store, tenant=acme, address=None).session_id
    assert identity.list_valid_credentials(session_ids=[session_id], token_ids=[MIA.token_id]) >= {session_id}
    act(supporter.person)
    assert visitor.get("/api/v1/me").status_code == 401
    assert session_id not in identity.list_valid_credentials(session_ids=[session_id], token_ids=[MIA.token_id])


def test_the_button_ends_it_and_so_does_signing_out(supporter, visitor):
    answer = visitor.post("/support/end/")
    assert (answer.status_code, "You have left this vault" in answer.content.decode()) == (200, True)
    assert visitor.get("/api/v1/me").status_code == 401
    assert models.Impersonation.objects.get().ended_for == "operator"
    again = follow(find_link(begin(supporter)))
    again.post("/sign-out/")
    assert again.get("/api/v1/me").status_code == 401
    end_impersonations.run()
    assert set(models.Impersonation.objects.values_list("ended_for", flat=True)) == {"operator", "session"}


def test_the_member_sees_it_among_their_sessions_and_ends_it(visitor, api):
    mia = api("mia")
    own = [one for one in mia.get("/sessions").json()["items"] if one["agent"] == "BitVault support: Sue"]
    assert len(own) == 1
    assert mia.delete(f"/sessions/{own[0]['id']}").status_code == 204
    assert visitor.get("/api/v1/me").status_code == 401


# --- who is told -------------------------------------------------------------------------------------------------------------


def test_owners_and_administrators_are_written_to(supporter, acme):
    begin(supporter)
    with tenancy.entered(acme):
        letters = [letter for letter in deliver() if letter.subject == "Support looks at Acme"]
    assert {letter.to[0] for letter in letters} == {"olga@acme.test", "adam@acme.test"}
    assert REASON in letters[0].body
    assert "Sue of support" in letters[0].body


def test_the_stream_and_both_logs_tell_of_beginning_and_end(supporter, visitor, acme):
    from bitvault.events.models import StreamEvent

    visitor.post("/support/end/")
    rows = StreamEvent.objects.filter(tenant_id=acme.id, type__startswith="identity.impersonation.").order_by("seq")
    began, ended = rows
    assert (began.type, began.actor_id) == ("identity.impersonation.began.v1", supporter.person.pk)
    assert (began.payload["user_id"], began.payload["reason"]) == (str(MIA.user_id), REASON)
    assert (ended.type, ended.payload["ended_for"]) == ("identity.impersonation.ended.v1", "operator")
    assert not StreamEvent.objects.filter(tenant_id=acme.id, type__startswith="identity.session.").exists()
    told = LogEntry.objects.filter(user=supporter.person).order_by("id").values_list("object_repr", "change_message")
    assert [name for name, _text in told] == ["acme: mia@acme.test"] * 2
    assert REASON in told[0][1]
    assert told[1][1] == "Ended (operator)"


def test_each_act_is_written_down_with_the_operator_on_behalf_of_the_member(supporter, visitor, acme):
    visitor.get("/files/")
    visitor.get("/api/v1/nodes/root/children")
    visitor.post("/api/v1/folders", {"name": "x"}, content_type="application/json")
    looked = log_of(acme, "identity.impersonation.looked")
    assert [one.payload["route"] for one in looked] == ["files/", "api/v1/nodes/<node_ref:node_id>/children"]
    (refused,) = log_of(acme, "identity.impersonation.refused")
    assert refused.payload["code"] == "identity.impersonation_read_only"
    for entry in (*looked, refused):
        assert entry.actor_id == supporter.person.pk
        assert entry.payload["on_behalf_of"] == str(MIA.user_id)
    assert not log_of(acme, "access.denied")


def test_what_reading_causes_has_the_operator_as_its_actor(visitor, supporter, acme, allow, monkeypatch):
    from bitvault.events.catalog.files import DownloadSigned
    from bitvault.events.models import StreamEvent
    from bitvault.events.outbox import publish
    from bitvault.kernel.request import Origin, set_origin

    def act():
        set_origin(Origin(operator_id=supporter.person.pk, on_behalf_of=MIA.user_id))
        with tenancy.entered(acme), db.write_transaction():
            publish(DownloadSigned(node_id=NIL, version_id=NIL, size_bytes=1, actor_id=MIA.user_id))

    contextvars.copy_context().run(act)  # as each request is
    row = StreamEvent.objects.filter(tenant_id=acme.id).latest("seq")
    assert (row.actor_id, row.payload["on_behalf_of"]) == (supporter.person.pk, str(MIA.user_id))


def test_the_page_of_the_audit_log_names_the_operator(supporter, visitor, acme):
    visitor.get("/files/")
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": OLGA.email, "password": PASSWORD})
    page = re.sub(r"<[^>]+>", "", browser.get("/audit/").content.decode())
    assert "Sue of support looked at GET /files/ as" in page


def test_the_page_lists_who_looked_with_as_many_queries_for_many(supporter, lasting_memory, acme):
    now = clock.now()

    def make(count):
        for number in range(count):
            models.Impersonation.objects.create(
                operator_id=uuid4(),
                operator_name=f"Op {number}",
                operator_session_id=uuid4(),
                tenant_id=acme.id,
                slug="acme",
                member_id=MIA.user_id,
                member_email=MIA.email,
                reason="why",
                began_at=now,
                expires_at=now,
                ended_at=now,
                ended_for="time",
            )

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make(2)
    supporter.get("/admin/impersonations/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        supporter.get("/admin/impersonations/")
    make(18)
    with CaptureQueriesContext(connection) as many:
        assert "Op 17" in supporter.get("/admin/impersonations/").content.decode()
    assert len(few) == len(many)
