"""Mail: wanted in a transaction, written when the job runs, tried again, refused where operators see it."""

import json
import smtplib
from dataclasses import replace
from uuid import UUID

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from prometheus_client import REGISTRY

from bitvault.jobs.models import Job
from bitvault.kernel import db
from bitvault.mail import api, letters
from bitvault.mail.errors import UnknownMail

pytestmark = pytest.mark.committed

REFERENCE = UUID(int=0x0190_0000_0000_7000_8000_000000000099)
TO = "mia@acme.test"


@pytest.fixture
def letter(monkeypatch, tmp_path, settings, desk):
    """Register a mail of the tests' own, whose writer gives what is put into the list."""
    written = [api.Letter(to=TO, subject="Look <here>", template="tests_letter", context={"name": "Mia & <b>Olga</b>"})]
    (tmp_path / "tests_letter.txt").write_text(
        '{% extends "mail/base.txt" %}{% block body %}Dear {{ name }}{% endblock %}'
    )
    (tmp_path / "tests_letter.html").write_text(
        '{% extends "mail/base.html" %}{% block body %}Dear {{ name }}{% endblock %}'
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    monkeypatch.setattr(letters, "_writers", {"tests.letter": lambda *_: written[0]})
    return written


def want(**more):
    with db.public_transaction():
        api.send("tests.letter", reference=REFERENCE, **more)


def failing_with(monkeypatch, error):
    def send_messages(self, messages):
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)


def test_a_mail_has_text_and_html_and_names_in_it_are_text(letter, desk):
    want()
    desk.run()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([TO], "Look <here>")
    assert "Dear Mia & <b>Olga</b>" in sent.body
    ((html, kind),) = sent.alternatives
    assert kind == "text/html"
    assert "Dear Mia &amp; &lt;b&gt;Olga&lt;/b&gt;" in html
    assert "Look &lt;here&gt;" in html


def test_a_mail_about_a_vault_names_it_as_the_sender_and_at_the_top(letter, desk):
    letter[0] = replace(letter[0], vault_name='Acme <"Rockets">\nand sons')
    want()
    desk.run()
    (sent,) = mail.outbox
    assert sent.message()["From"] == '"Acme <\\"Rockets\\"> and sons (BitVault)" <no-reply@localhost>'
    assert sent.body.startswith('Acme <"Rockets">\nand sons\n')
    assert "Acme &lt;&quot;Rockets&quot;&gt;" in sent.alternatives[0][0]


def test_what_a_mail_asks_for_is_a_button_in_html_and_an_address_in_text(letter, desk):
    letter[0] = replace(letter[0], action=api.Action("Look here", "https://vault.test/?a=1&b=2"))
    want()
    desk.run()
    (sent,) = mail.outbox
    assert "Look here:\nhttps://vault.test/?a=1&b=2" in sent.body
    assert 'href="https://vault.test/?a=1&amp;b=2"' in sent.alternatives[0][0]


def test_a_mail_is_written_in_the_language_of_its_recipient(letter, desk):
    letter[0] = replace(letter[0], locale="de")
    want()
    desk.run()
    assert 'lang="de"' in mail.outbox[0].alternatives[0][0]


def test_servers_that_cannot_deliver_a_mail_write_to_the_operators_who_find_its_job(letter, desk, settings):
    settings.BITVAULT_EMAIL_BOUNCE_ADDRESS = "bounces@localhost"
    want()
    desk.run()
    (sent,) = mail.outbox
    assert (sent.from_email, sent.message()["From"]) == ("bounces@localhost", "BitVault <no-reply@localhost>")
    assert sent.extra_headers["Message-ID"] == f"<{Job.objects.get(kind='mail.send').pk.hex}@localhost>"


def test_mails_are_counted_by_what_became_of_them(letter, desk, monkeypatch):
    def counted(outcome):
        return REGISTRY.get_sample_value("bitvault_mails_total", {"outcome": outcome}) or 0

    before = {outcome: counted(outcome) for outcome in ("sent", "refused", "put off")}
    want()
    desk.run()
    with monkeypatch.context() as patched:
        failing_with(patched, smtplib.SMTPRecipientsRefused({TO: (550, b"no")}))
        want()
        desk.run()
    failing_with(monkeypatch, smtplib.SMTPServerDisconnected("gone"))
    want()
    desk.run()
    assert {outcome: counted(outcome) - before[outcome] for outcome in before} == {
        "sent": 1,
        "refused": 1,
        "put off": 1,
    }


def test_no_address_stands_in_the_job(letter, desk):
    want(facts={"count": 3})
    desk.run()
    row = Job.objects.get(kind="mail.send")
    assert row.payload == {"name": "tests.letter", "reference": str(REFERENCE), "facts": {"count": 3}}
    assert row.result == {"sent": True}
    assert TO not in json.dumps([row.payload, row.result, row.problem, row.key])


def test_a_mail_whose_transaction_fails_is_not_sent(letter, desk):
    with pytest.raises(ZeroDivisionError), db.public_transaction():
        api.send("tests.letter", reference=REFERENCE)
        1 / 0  # noqa: B018 - the transaction fails
    desk.run()
    assert mail.outbox == []


def test_where_there_is_nothing_to_tell_any_more_nothing_is_sent(letter, desk):
    letter[0] = None
    want()
    desk.run()
    assert mail.outbox == []
    assert Job.objects.get(kind="mail.send").result == {"sent": False}


def test_a_mail_of_a_name_that_nobody_writes_is_refused_at_once(letter, desk):
    with pytest.raises(UnknownMail), db.public_transaction():
        api.send("tests.unknown", reference=REFERENCE)


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({TO: (550, b"no mia@acme.test here")}),
        smtplib.SMTPSenderRefused(553, b"mia@acme.test", "no-reply@localhost"),
        smtplib.SMTPDataError(554, b"mia@acme.test is spam"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_for_good_ends_the_job_and_operators_see_it_without_the_address(letter, desk, monkeypatch, error):
    failing_with(monkeypatch, error)
    want()
    desk.run()
    row = Job.objects.get(kind="mail.send")
    assert (row.state, row.tries, row.problem["code"]) == ("failed", 1, "mail.refused")
    assert "reply 55" in row.error
    assert TO not in row.error + json.dumps(row.problem)


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({TO: (450, b"mia@acme.test is busy")}),
        smtplib.SMTPServerDisconnected("gone"),
        smtplib.SMTPAuthenticationError(535, b"who are you"),
        ConnectionRefusedError("nobody there"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_that_does_not_take_it_now_is_asked_again(letter, desk, monkeypatch, error):
    with monkeypatch.context() as patched:
        failing_with(patched, error)
        want()
        desk.run()
        row = Job.objects.get(kind="mail.send")
        assert (row.state, row.problem["code"]) == ("queued", "mail.not_sent")
        assert TO not in row.error + json.dumps(row.problem)
    desk.hurry()
    desk.run()
    assert len(mail.outbox) == 1


def test_an_installation_without_a_mail_server_says_so_to_its_operators(letter, desk, settings):
    settings.EMAIL_BACKEND = "bitvault.mail.unset.EmailBackend"
    want()
    desk.run()
    row = Job.objects.get(kind="mail.send")
    assert (row.state, row.problem["code"]) == ("failed", "mail.refused")
    assert "BITVAULT_EMAIL_URL" in row.error
