"""What is set wrong is found and said with how to mend it; what hangs or breaks keeps nobody from the other checks."""

import io
import json
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from bitvault.backup.models import BackupRun
from bitvault.gateway import doctor, installation_checks, service_checks, store_checks
from bitvault.gateway.findings import Finding
from bitvault.gateway.queues import RegisteredQueues
from bitvault.kernel import clock

pytestmark = pytest.mark.committed

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def only(findings, check):
    return [one for one in findings if one.check == check]


def test_everything_is_checked_and_the_worst_comes_first(acme):
    found = doctor.examine()
    assert {one.check for one in found} == set(doctor.list_checks())
    levels = [("bad", "warning", "good").index(one.level) for one in found]
    assert levels == sorted(levels)
    assert [one for one in found if (one.level == "good") == bool(one.mend)] == []
    # What this stack has is in order.
    for check in ("clocks", "CORS", "versions", "migrations", "Valkey", "keys", "certificate"):
        assert {one.level for one in only(found, check)} == {"good"}, only(found, check)


def test_a_missing_and_an_old_backup_are_found(settings):
    assert [one.level for one in installation_checks.check_backup()] == ["warning"]
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "target": "/srv/backups", "warn_days": 2}
    assert [one.level for one in installation_checks.check_backup()] == ["bad"]
    run = BackupRun.objects.create(
        id="b", target="/srv/backups", state=BackupRun.State.DONE, started_at=clock.now(), finished_at=clock.now()
    )
    assert [one.level for one in installation_checks.check_backup()] == ["good"]
    BackupRun.objects.filter(id=run.id).update(finished_at=clock.now() - timedelta(days=3))
    assert [one.level for one in installation_checks.check_backup()] == ["warning"]
    BackupRun.objects.filter(id=run.id).update(finished_at=clock.now(), lost_count=1)
    assert [one.level for one in installation_checks.check_backup()] == ["bad"]


def test_a_store_that_lets_no_page_in_is_found(monkeypatch, settings):
    settings.BITVAULT_BASE_URL = "https://elsewhere.example.com"
    (found,) = store_checks.check_cors()
    assert (found.level, "CORS" in found.mend) == ("bad", True)


@pytest.mark.parametrize(
    ("base_url", "count", "headers", "level"),
    [
        ("https://vault.example.com", 0, {}, "bad"),
        ("https://vault.example.com", 1, {"x-forwarded-for": "203.0.113.7"}, "bad"),
        (
            *("https://vault.example.com", 1),
            *({"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}, "good"),
        ),
        ("http://localhost:8000", 0, {"x-forwarded-for": "203.0.113.7"}, "bad"),
        ("http://localhost:8000", 2, {"x-forwarded-for": "203.0.113.7"}, "bad"),
        ("http://localhost:8000", 0, {}, "good"),
    ],
)
def test_proxies_that_say_too_little_or_are_believed_too_much_are_found(settings, base_url, count, headers, level):
    settings.BITVAULT_BASE_URL, settings.BITVAULT_TRUSTED_PROXY_COUNT = base_url, count
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    (found,) = installation_checks.check_proxy(RequestFactory(headers=headers).get("/"))
    assert (found.level, bool(found.mend)) == (level, level != "good")


@pytest.mark.parametrize(("skew", "level"), [(0.2, "good"), (-7.0, "warning"), (90.0, "bad")])
def test_clocks_that_are_apart_are_found(skew, level):
    assert service_checks._judge_clock("the store", skew).level == level


def test_mail_that_goes_nowhere_is_found(settings):
    settings.BITVAULT_MAILBOX_DIRECTORY = ""
    settings.EMAIL_BACKEND = "bitvault.mail.unset.EmailBackend"
    assert "BITVAULT_EMAIL_URL" in installation_checks.check_mail()[0].mend
    assert installation_checks.check_mail()[0].level == "warning"
    settings.BITVAULT_BASE_HOST = "vault.example.com"
    assert installation_checks.check_mail()[0].level == "bad"
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = BACKEND, "127.0.0.1", 1
    assert installation_checks.check_mail()[0].level == "bad"


def test_one_host_for_people_and_operators_is_found(settings):
    settings.BITVAULT_OPERATOR_HOST = settings.BITVAULT_BASE_HOST
    assert "BITVAULT_OPERATOR_HOST" in installation_checks.check_hosts()[0].mend


def test_a_check_that_hangs_or_breaks_says_so_and_keeps_nobody(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(doctor, "DEADLINE_SECONDS", 3.0)
    monkeypatch.setattr(installation_checks, "check_disk", lambda: ended.wait(30))
    monkeypatch.setattr(installation_checks, "check_mail", lambda: 1 / 0)
    try:
        found = doctor.examine()
    finally:
        ended.set()
    assert "No answer" in only(found, "disk")[0].fact
    assert "ZeroDivisionError" in only(found, "mail")[0].fact
    assert only(found, "versions")[0].level == "good"


def test_the_command_says_what_is_wrong_and_fails(monkeypatch):
    wrong = Finding("mail", "bad", "No mail server is named.", "Set BITVAULT_EMAIL_URL.")
    monkeypatch.setattr(doctor, "examine", lambda **_: [wrong])
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("doctor", stdout=said)
    assert "Set BITVAULT_EMAIL_URL." in said.getvalue()


def test_operators_read_it_on_a_page_and_nobody_else_does(acme, monkeypatch):
    from apps.identity.models import User

    wrong = Finding("mail", "bad", "No mail server is named.", "Set BITVAULT_EMAIL_URL.")
    monkeypatch.setattr(doctor, "examine", lambda **_: [wrong])
    client = Client(headers={"host": "admin.localhost"})
    assert client.get("/admin/doctor/").status_code == 302
    client.force_login(User.objects.create_superuser(email="ops2@bitvault.test", password="a long enough password"))
    page = client.get("/admin/doctor/").content.decode()
    assert "No mail server is named." in page
    assert "Set BITVAULT_EMAIL_URL." in page


def tell(monkeypatch, levels, *options):
    """Run the command over findings of these levels; give its exit code and what it wrote."""
    found = [Finding("mail", level, "So it is.", "" if level == "good" else "Mend it so.") for level in levels]
    monkeypatch.setattr(doctor, "examine", lambda **_: found)
    said = io.StringIO()
    try:
        call_command("doctor", *options, stdout=said)
    except CommandError as error:
        return error.returncode, said.getvalue()
    return 0, said.getvalue()


@pytest.mark.parametrize(
    ("levels", "options", "code"),
    [
        (["good"], (), 0),
        (["warning", "good"], (), 0),
        (["warning", "good"], ("--strict",), 2),
        (["bad", "warning"], ("--strict",), 1),
    ],
)
def test_exit_codes_tell_bad_from_worth_a_look(monkeypatch, levels, options, code):
    assert tell(monkeypatch, levels, *options)[0] == code


def test_machines_read_it_as_one_object(monkeypatch):
    code, text = tell(monkeypatch, ["bad", "good"], "--json")
    told = json.loads(text)
    assert (code, told["level"], told["counts"]) == (1, "bad", {"bad": 1, "warning": 0, "good": 1})
    assert told["findings"][0] == {"check": "mail", "level": "bad", "fact": "So it is.", "mend": "Mend it so."}


def test_one_check_is_run_alone_and_an_unknown_one_is_refused():
    assert {one.check for one in doctor.examine(only=["disk"])} == {"disk"}
    with pytest.raises(CommandError, match="There is no check discs"):
        call_command("doctor", only=["discs"])


@pytest.mark.parametrize(
    ("key", "level"), [("short", "bad"), ("a" * 60, "bad"), ("django-insecure-" + "qwertzuiop" * 4, "bad")]
)
def test_keys_that_can_be_guessed_are_found(settings, key, level):
    settings.SECRET_KEY = key
    assert installation_checks.check_keys()[0].level == level


def test_an_audit_key_that_is_the_secret_key_is_found_where_others_come(settings):
    settings.BITVAULT_BASE_HOST = "vault.example.com"
    settings.BITVAULT_AUDIT_KEY = settings.SECRET_KEY
    assert [one.level for one in installation_checks.check_keys()] == ["warning"]


def test_queues_that_no_worker_takes_are_found(monkeypatch):
    class Answering:
        def __init__(self, **_):
            self.taken = []

        def active_queues(self):
            return {"one": [{"name": name} for name in taken]} if taken else None

    monkeypatch.setattr(service_checks.app.control, "inspect", Answering)
    taken = []
    assert service_checks.check_workers()[0].fact == "No worker answers."
    taken = [queue.name for queue in RegisteredQueues() if queue.name != "audit"]
    assert "audit" in service_checks.check_workers()[0].fact
    taken.append("audit")
    assert service_checks.check_workers()[0].level == "good"


def test_a_valkey_that_throws_tasks_away_is_found(monkeypatch):
    class Forgetful:
        def info(self, section):
            return {"maxmemory_policy": "allkeys-lru", "maxmemory": 0, "used_memory": 1}

    monkeypatch.setattr(service_checks, "client", Forgetful)
    assert "noeviction" in service_checks.check_valkey()[0].mend


def test_an_address_without_tls_is_found_where_others_come(settings):
    settings.BITVAULT_BASE_HOST, settings.BITVAULT_BASE_URL = "vault.example.com", "http://vault.example.com"
    assert installation_checks.check_certificate()[0].level == "bad"


# --- in the reader's language ----------------------------------------------------------------------------------------------


def test_findings_are_told_in_the_language_that_is_asked_for(acme):
    from django.utils import translation

    with translation.override("de"):
        german = {(one.check, one.fact): one for one in doctor.examine()}
    english = {(one.check, one.fact) for one in doctor.examine()}
    # Versions are names and numbers in both.
    assert {check for check, _fact in english & german.keys()} <= {"versions"}
    written = io.StringIO()
    call_command("doctor", language="de", only=["keys"], stdout=written)
    assert "Die Schlüssel sind lang und zufällig." in written.getvalue()
    assert "Nichts ist schlecht." in written.getvalue()


def test_audit_logs_that_do_not_arrive_are_found(acme, settings):
    from apps.admin_platform import configuring
    from apps.admin_platform.config_source import SOURCE
    from apps.admin_platform.models import SiemExport
    from bitvault.kernel import db, tenancy

    assert [one.level for one in service_checks.check_siem()] == ["good"]
    configuring.set_value("audit.siem_url", "https://127.0.0.1:1/in", by=None, note="")
    SOURCE.forget()
    with tenancy.entered(acme), db.write_transaction():
        SiemExport.objects.create(is_installation=True, created_at=clock.now(), last_failure="connection")
    assert [one.level for one in service_checks.check_siem()] == ["good"]
    with tenancy.entered(acme), db.write_transaction():
        SiemExport.objects.update(failing_since=clock.now() - timedelta(minutes=11))
    (found,) = service_checks.check_siem()
    assert (found.level, "acme (connection)" in found.fact) == ("bad", True)
    with tenancy.entered(acme), db.write_transaction():
        SiemExport.objects.update(is_enabled=False, failing_since=None)
    assert [one.level for one in service_checks.check_siem()] == ["warning"]
    SOURCE.forget()
