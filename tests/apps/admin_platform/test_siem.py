"""Sending the audit log on: whole, in order, at least once, whatever the receiver does."""

import re
from dataclasses import dataclass

import pytest

from apps.admin_platform import api, configuring, dtos, errors, operations, queries
from apps.admin_platform.config_source import SOURCE
from apps.admin_platform.models import SiemExport
from apps.admin_platform.siem import delivering, formats, waking
from bitvault.events import consuming
from bitvault.jobs import leasing, running
from bitvault.jobs.models import Job
from bitvault.kernel import db
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.outbound import byte_stream, egress
from tests.apps.files.conftest import tree
from tests.jobs.conftest import desk
from tests.support.collectors import SyslogServer, make_certificate, start_collector

__all__ = ["desk", "tree"]

pytestmark = pytest.mark.committed


@pytest.fixture
def inside(settings):
    settings.BITVAULT_WEBHOOK_NETWORKS = ("127.0.0.0/8",)


@pytest.fixture
def collector():
    it, server = start_collector()
    yield it
    server.shutdown()
    server.server_close()


@pytest.fixture
def syslog():
    it = SyslogServer()
    yield it
    it.stop()


@pytest.fixture
def secure_syslog(tmp_path, monkeypatch):
    context, authority = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    it = SyslogServer(context)
    yield it
    it.stop()


@dataclass
class Siem:
    """Lets the log grow and be sent on, as workers do."""

    desk: object
    actor: object

    def make(self, url, **wish):
        return api.create_siem_export(actor=self.actor, wish=dtos.SiemWish(url=url, **wish))

    def send(self, *, hurry=False):
        consuming.consume("audit")
        if hurry:
            self.desk.hurry()
        return self.desk.run("outbound")

    def state(self, export=None):
        found = api.list_siem_exports(actor=self.actor).items
        return found[0] if export is None else next(one for one in found if one.id == export.id)

    def head(self):
        with db.read_transaction():
            return queries.get_head()[0]


@pytest.fixture
def siem(tenant, desk, inside, make_actor):
    consuming.consume("audit")
    return Siem(desk, make_actor("olga", role=Role.OWNER))


def grow(tree, count, begin=0):
    for number in range(begin, begin + count):
        tree.folder(f"folder {number}")


# --- what is sent ----------------------------------------------------------------------------------------------------------


def test_https_gets_the_lines_of_the_export_with_whose_they_are(siem, collector, tree, tenant):
    siem.make(collector.url, secret="s3cret", from_number=1)
    grow(tree, 3)
    siem.send()
    assert collector.numbers == list(range(1, siem.head() + 1))
    exported = api.export_audit(actor=siem.actor).lines.splitlines()
    for sent, line in zip(collector.entries, exported, strict=True):
        assert (sent.pop("tenant_id"), sent.pop("tenant")) == (str(tenant.id), tenant.slug)
        assert sent == formats.msgspec.json.decode(line)
    assert collector.headers[0]["authorization"] == "Bearer s3cret"
    assert collector.headers[0]["content-type"] == "application/x-ndjson"
    assert siem.state().backlog_count == 0


def test_syslog_is_as_rfc_5424_and_cef_have_it(siem, syslog, tree, tenant):
    siem.make(syslog.url)
    tree.folder('Pipe | equals = backslash \\ "quotes"')
    siem.send()
    message = next(one for one in syslog.messages if "Pipe" in one)
    head, cef = message.split(" - ", 2)[0], message[message.index("CEF:0") :]
    assert re.fullmatch(r"<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00 \w+\.bitvault bitvault", head)
    assert cef.startswith("CEF:0|BitVault|BitVault|1|files.folder.created.v1|files.folder.created.v1|3|rt=")
    assert f"cs1={tenant.slug} " in cef
    assert "\\=" in cef.partition(" msg=")[2]
    assert "\n" not in message


def test_an_entry_of_a_denial_is_a_warning_and_a_long_payload_says_what_is_cut(tenant):
    entry = dtos.AuditEntry(
        *(
            7,
            None,
            tenant.id,
            "access.denied",
            formats_now(),
            None,
            None,
            "203.0.113.9",
            None,
            "",
            {"a": "x" * 9000},
            "",
            "h",
        ),
    )
    message = formats.to_syslog(tenant, entry, host="a.bitvault", with_payload=True).partition(b" ")[2].decode()
    assert message.startswith("<108>1 ")
    assert "|6|" in message
    assert "cs5Label=payloadCharactersCut" in message
    assert len(message) < 5000
    assert "msg=" not in formats.to_cef(tenant, entry, with_payload=False)


def formats_now():
    from bitvault.kernel import clock

    return clock.now()


def test_tls_is_verified(siem, secure_syslog, tree, monkeypatch):
    siem.make(secure_syslog.url)
    grow(tree, 2)
    siem.send()
    assert len(secure_syslog.numbers) >= 2
    monkeypatch.delenv("SSL_CERT_FILE")
    grow(tree, 1, 2)
    siem.send()
    assert siem.state().last_failure == "certificate"
    assert siem.state().backlog_count > 0


# --- nothing is lost -------------------------------------------------------------------------------------------------------


def assert_all_came_in_order(numbers, first, last):
    """At least once, and in order: without repetitions it is the log."""
    once = list(dict.fromkeys(numbers))
    assert once == list(range(first, last + 1))


@pytest.mark.parametrize("fault", [500, 503, 429, 404, 302, "cut", "slow"])
def test_a_collector_that_fails_gets_everything_later(siem, collector, tree, monkeypatch, fault):
    monkeypatch.setattr(egress, "TOTAL_SECONDS", 1.0)
    siem.make(collector.url, from_number=1)
    collector.says = [fault, fault]
    grow(tree, 3)
    siem.send()
    state = siem.state()
    assert state.failing_since is not None
    assert state.backlog_count == siem.head()
    assert state.last_failure == {"cut": "connection", "slow": "timeout"}.get(fault, "answer")
    assert state.last_status == (fault if isinstance(fault, int) else None)
    grow(tree, 2, 3)
    siem.send()
    assert collector.numbers == [], "it waits for its time, however much happens"
    siem.send(hurry=True)
    siem.send(hurry=True)
    assert collector.numbers == list(range(1, siem.head() + 1))
    assert (siem.state().failing_since, siem.state().last_failure) == (None, "")


@pytest.mark.parametrize("fault", ["cut", "reset", "silent"])
@pytest.mark.parametrize("kind", ["syslog", "secure_syslog"])
def test_a_syslog_server_that_breaks_off_gets_everything_again(siem, tree, monkeypatch, request, kind, fault):
    monkeypatch.setattr(byte_stream, "TOTAL_SECONDS", 1.5)
    server = request.getfixturevalue(kind)
    siem.make(server.url, from_number=1)
    grow(tree, 60)
    server.does = [fault, fault]
    siem.send()
    assert siem.state().backlog_count == siem.head(), siem.state().last_failure
    assert siem.state().last_failure in ("connection", "timeout", "protocol")
    siem.send(hurry=True)
    siem.send(hurry=True)
    assert server.does == []
    assert_all_came_in_order(server.numbers, 1, siem.head())
    assert siem.state().backlog_count == 0


def test_a_server_that_is_down_is_tried_again_and_goes_on_where_it_stopped(siem, tree):
    server = SyslogServer()
    siem.make(server.url, from_number=1)
    grow(tree, 3)
    siem.send()
    server.stop()
    grow(tree, 3, 3)
    siem.send()
    state = siem.state()
    assert state.last_failure == "connection"
    assert state.backlog_count == siem.head() - state.sent_number > 0
    assert state.next_try_at is not None
    for _ in range(3):
        siem.send(hurry=True)
    assert siem.state().sent_number == state.sent_number
    assert Job.objects.filter(kind=waking.SEND, state="queued").count() == 1
    again = SyslogServer(port=server.port)
    siem.send(hurry=True)
    assert server.numbers + again.numbers == list(range(1, siem.head() + 1))
    again.stop()


def test_a_long_log_goes_in_batches_in_its_order(siem, collector, tree, monkeypatch):
    monkeypatch.setattr(delivering, "BATCH", 4)
    siem.make(collector.url, from_number=1)
    grow(tree, 11)
    collector.says = [200, 500]
    siem.send()
    siem.send(hurry=True)
    assert collector.numbers == list(range(1, siem.head() + 1))
    assert len(collector.bodies) > 2


def test_a_batch_ends_at_its_bytes_and_a_turn_at_its_time(siem, collector, tree, monkeypatch):
    monkeypatch.setattr(delivering, "BATCH_BYTES", 1500)
    monkeypatch.setattr(delivering, "TURN_SECONDS", 0.0)
    siem.make(collector.url, from_number=1)
    grow(tree, 6)
    assert siem.send() > 2
    assert collector.numbers == list(range(1, siem.head() + 1))
    assert len(collector.bodies) > 2


def test_a_worker_that_dies_after_sending_is_followed_by_one_that_sends_again(siem, collector, tree, monkeypatch):
    siem.make(collector.url, from_number=1)
    grow(tree, 2)
    consuming.consume("audit")
    real = delivering._record

    def die(*args, **kwargs):
        monkeypatch.setattr(delivering, "_record", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(delivering, "_record", die)
    job = leasing.lease("outbound")
    with pytest.raises(KeyboardInterrupt):
        running.run_leased(job)
    siem.desk.bury()
    siem.send(hurry=True)
    assert collector.numbers == 2 * list(range(1, siem.head() + 1))
    assert siem.state().backlog_count == 0


def test_denials_and_what_woke_nobody_are_found_by_the_sweep(siem, collector, tenant):
    siem.make(collector.url)
    siem.send()
    before = len(collector.numbers)
    entry = operations.entry_without_event(event_type="access.denied", actor_id=None, node_id=None, payload={})
    with db.write_transaction():
        operations.append([entry])
    assert waking.sweep() == 1
    siem.desk.run("outbound")
    assert len(collector.numbers) == before + 1
    assert waking.sweep() == 0


# --- what administrators do ------------------------------------------------------------------------------------------------


def test_a_paused_export_keeps_its_place_and_goes_on(siem, collector, tree):
    export = siem.make(collector.url, from_number=1)
    siem.send()
    api.change_siem_export(actor=siem.actor, export_id=export.id, changes={"enabled": False})
    grow(tree, 2)
    siem.send(hurry=True)
    assert siem.state().backlog_count > 0
    assert not siem.state().enabled
    api.change_siem_export(actor=siem.actor, export_id=export.id, changes={"enabled": True})
    siem.send()
    assert collector.numbers == list(range(1, siem.head() + 1))


def test_it_starts_again_from_a_number_and_refuses_one_that_is_not_there(siem, collector, tree):
    export = siem.make(collector.url)
    grow(tree, 3)
    siem.send()
    api.restart_siem_export(actor=siem.actor, export_id=export.id, from_number=2)
    collector.bodies.clear()
    siem.send()
    assert collector.numbers == list(range(2, siem.head() + 1))
    with pytest.raises(errors.AuditNumberUnknown):
        api.restart_siem_export(actor=siem.actor, export_id=export.id, from_number=siem.head() + 2)


def test_a_test_is_sent_and_its_job_says_what_became_of_it(siem, collector, tree):
    export = siem.make(collector.url)
    siem.send()
    collector.bodies.clear()
    collector.says = [401]
    jobs = [api.test_siem_export(actor=siem.actor, export_id=export.id) for _ in range(2)]
    siem.desk.run("outbound")
    results = [siem.desk.row(job).result for job in jobs]
    assert [(one["is_taken"], one["status"]) for one in results] == [(False, 401), (True, 200)]
    assert [entry["type"] for entry in collector.entries] == ["audit.siem.test"]


def test_the_log_itself_tells_of_its_exports_without_addresses_and_secrets(siem, collector):
    export = siem.make(collector.url, secret="s3cret", from_number=1)
    api.change_siem_export(actor=siem.actor, export_id=export.id, changes={"description": "SOC"})
    api.change_siem_export(actor=siem.actor, export_id=export.id, changes={"description": "SOC"})
    api.restart_siem_export(actor=siem.actor, export_id=export.id, from_number=1)
    api.delete_siem_export(actor=siem.actor, export_id=export.id)
    consuming.consume("audit")
    lines = api.export_audit(actor=siem.actor).lines.decode()
    told = re.findall(r"admin_platform\.siem_export\.(\w+)\.v1", lines)
    assert told == ["created", "changed", "restarted", "deleted"]
    assert "s3cret" not in lines
    assert collector.url not in lines
    with pytest.raises(NotFound):
        api.delete_siem_export(actor=siem.actor, export_id=export.id)


def test_secrets_are_sealed_and_one_that_cannot_be_read_sends_nothing(siem, collector, tree, settings):
    siem.make(collector.url, secret="s3cret")
    with db.read_transaction():
        assert "s3cret" not in SiemExport.objects.get().secret
    settings.SECRET_KEY = "another key of the installation that is long enough"
    grow(tree, 1)
    siem.send()
    assert collector.bodies == []
    assert siem.state().last_failure == "secret_unreadable"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1:8443/in", "inside"),
        ("syslog+tls://10.0.0.1:6514", "inside"),
        ("syslog+tls://169.254.169.254:6514", "inside"),
        ("syslog+tcp://8.8.8.8:1514", "scheme"),
        ("http://8.8.8.8/", "scheme"),
        ("syslog+tls://8.8.8.8:25", "port"),
        ("syslog+tls://8.8.8.8", "malformed"),
        ("syslog+tls://8.8.8.8:6514/path", "malformed"),
        ("syslog+tls://user:word@8.8.8.8:6514", "credentials"),
        ("syslog://8.8.8.8:514", "scheme"),
        ("ftp://8.8.8.8/", "scheme"),
        ("syslog+tls://", "malformed"),
        ("", "malformed"),
    ],
)
def test_addresses_are_judged_as_those_of_webhooks_are(siem, settings, url, reason):
    settings.BITVAULT_WEBHOOK_NETWORKS = ()
    with pytest.raises(errors.SiemAddressUnfit) as refused:
        siem.make(url)
    assert refused.value.facts["reason"] == reason


def test_an_address_that_has_become_one_inside_is_not_spoken_to(siem, syslog, tree, settings):
    siem.make(syslog.url)
    settings.BITVAULT_WEBHOOK_NETWORKS = ()
    grow(tree, 1)
    siem.send()
    assert syslog.taken == []
    assert siem.state().last_failure == "address_refused"


def test_there_are_five_at_most(siem, collector):
    for _ in range(5):
        siem.make(collector.url)
    with pytest.raises(errors.TooManySiemExports):
        siem.make(collector.url)


# --- of the installation ---------------------------------------------------------------------------------------------------


def decide(key, value):
    configuring.set_value(key, value, by=None, note="")
    SOURCE.forget()


def test_operators_have_all_logs_sent_on_without_payloads_and_may_name_addresses_inside(
    siem, collector, tree, settings
):
    settings.BITVAULT_WEBHOOK_NETWORKS = ()
    decide("audit.siem_url", collector.url)
    decide("audit.siem_token", "operators")
    tree.folder("Merger with Globex")
    consuming.consume("audit")
    assert waking.sweep() == 1
    siem.desk.run("outbound")
    assert collector.numbers == list(range(1, siem.head() + 1))
    assert b"Globex" not in b"".join(collector.bodies)
    assert collector.headers[0]["authorization"] == "Bearer operators"
    assert list(api.list_siem_exports(actor=siem.actor).items) == [], "administrators see their own alone"
    state = api.find_siem_export_of_installation()
    assert (state.backlog_count, state.sent_number) == (0, siem.head())


def test_operators_pause_restart_and_test_theirs(siem, collector, tree):
    decide("audit.siem_url", collector.url)
    waking.sweep()
    operator_id = siem.actor.user_id
    api.change_siem_export_of_installation(operator_id=operator_id, is_enabled=False)
    grow(tree, 1)
    siem.send()
    assert collector.bodies == []
    assert api.test_siem_export_of_installation().is_taken
    api.change_siem_export_of_installation(operator_id=operator_id, is_enabled=True)
    siem.send()
    collector.bodies.clear()
    api.restart_siem_export_of_installation(operator_id=operator_id, from_number=2)
    siem.send()
    assert collector.numbers == list(range(2, siem.head() + 1))


def test_without_an_address_nothing_of_the_installation_is_begun(siem, tree):
    assert waking.sweep() == 0
    assert api.find_siem_export_of_installation() is None
    with pytest.raises(errors.ConfigValueUnfit):
        decide("audit.siem_url", "gopher://elsewhere")
