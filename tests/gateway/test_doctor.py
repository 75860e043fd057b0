"""What is set wrong is found and said with how to mend it; what hangs or breaks keeps nobody from the other checks."""

import io
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from bitvault.backup.models import BackupRun
from bitvault.gateway import doctor
from bitvault.kernel import clock

pytestmark = pytest.mark.committed

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def only(findings, check):
    return [one for one in findings if one.check == check]


def test_everything_is_checked_and_the_worst_comes_first(acme):
    found = doctor.examine()
    assert {one.check for one in found} == {
        *(
            "hosts",
            "proxy headers",
            "clocks",
            "store",
            "CORS",
            "mail",
            "disk",
            "versions",
            "migrations",
            "queues",
            "search",
            "backup",
        )
    }
    levels = [("bad", "warning", "good").index(one.level) for one in found]
    assert levels == sorted(levels)
    assert [one for one in found if (one.level == "good") == bool(one.mend)] == []
    # What this stack has is in order.
    for check in ("clocks", "CORS", "versions", "migrations"):
        assert {one.level for one in only(found, check)} == {"good"}, only(found, check)


def test_a_missing_and_an_old_backup_are_found(settings):
    assert [one.level for one in doctor.check_backup()] == ["warning"]
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "target": "/srv/backups", "warn_days": 2}
    assert [one.level for one in doctor.check_backup()] == ["bad"]
    run = BackupRun.objects.create(
        id="b", target="/srv/backups", state=BackupRun.State.DONE, started_at=clock.now(), finished_at=clock.now()
    )
    assert [one.level for one in doctor.check_backup()] == ["good"]
    BackupRun.objects.filter(id=run.id).update(finished_at=clock.now() - timedelta(days=3))
    assert [one.level for one in doctor.check_backup()] == ["warning"]
    BackupRun.objects.filter(id=run.id).update(finished_at=clock.now(), lost_count=1)
    assert [one.level for one in doctor.check_backup()] == ["bad"]


def test_a_store_that_lets_no_page_in_is_found(monkeypatch, settings):
    settings.BITVAULT_BASE_URL = "https://elsewhere.example.com"
    (found,) = doctor.check_cors()
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
    (found,) = doctor.check_proxy(RequestFactory(headers=headers).get("/"))
    assert (found.level, bool(found.mend)) == (level, level != "good")


@pytest.mark.parametrize(("skew", "level"), [(0.2, "good"), (-7.0, "warning"), (90.0, "bad")])
def test_clocks_that_are_apart_are_found(skew, level):
    assert doctor._judge_clock("the store", skew).level == level


def test_mail_that_goes_nowhere_is_found(settings):
    settings.BITVAULT_MAILBOX_DIRECTORY = ""
    settings.EMAIL_BACKEND = "bitvault.mail.unset.EmailBackend"
    assert "BITVAULT_EMAIL_URL" in doctor.check_mail()[0].mend
    assert doctor.check_mail()[0].level == "warning"
    settings.BITVAULT_BASE_HOST = "vault.example.com"
    assert doctor.check_mail()[0].level == "bad"
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = BACKEND, "127.0.0.1", 1
    assert doctor.check_mail()[0].level == "bad"


def test_one_host_for_people_and_operators_is_found(settings):
    settings.BITVAULT_OPERATOR_HOST = settings.BITVAULT_BASE_HOST
    assert "BITVAULT_OPERATOR_HOST" in doctor.check_hosts()[0].mend


def test_a_check_that_hangs_or_breaks_says_so_and_keeps_nobody(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(doctor, "DEADLINE_SECONDS", 3.0)
    monkeypatch.setattr(doctor, "check_disk", lambda: ended.wait(30))
    monkeypatch.setattr(doctor, "check_mail", lambda: 1 / 0)
    try:
        found = doctor.examine()
    finally:
        ended.set()
    assert "No answer" in only(found, "disk")[0].fact
    assert "ZeroDivisionError" in only(found, "mail")[0].fact
    assert only(found, "versions")[0].level == "good"


def test_the_command_says_what_is_wrong_and_fails(monkeypatch):
    wrong = doctor.Finding("mail", "bad", "No mail server is named.", "Set BITVAULT_EMAIL_URL.")
    monkeypatch.setattr(doctor, "examine", lambda **_: [wrong])
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("doctor", stdout=said)
    assert "Set BITVAULT_EMAIL_URL." in said.getvalue()


def test_operators_read_it_on_a_page_and_nobody_else_does(acme, monkeypatch):
    from apps.identity.models import User

    wrong = doctor.Finding("mail", "bad", "No mail server is named.", "Set BITVAULT_EMAIL_URL.")
    monkeypatch.setattr(doctor, "examine", lambda **_: [wrong])
    client = Client(headers={"host": "admin.localhost"})
    assert client.get("/admin/doctor/").status_code == 302
    client.force_login(User.objects.create_superuser(email="ops2@bitvault.test", password="a long enough password"))
    page = client.get("/admin/doctor/").content.decode()
    assert "No mail server is named." in page
    assert "Set BITVAULT_EMAIL_URL." in page
