"""The development mailbox: mails of the embedded stack are files, and a page and a list of them, for who has the key."""

import stat

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from bitvault.mail import mailbox


@pytest.fixture
def client(db):
    return Client(HTTP_HOST="localhost")


@pytest.fixture
def box(settings, tmp_path):
    settings.EMAIL_BACKEND = "bitvault.mail.mailbox.EmailBackend"
    settings.BITVAULT_MAILBOX_DIRECTORY = str(tmp_path / "mailbox")
    return tmp_path / "mailbox"


def send(subject, to="mia@acme.test"):
    message = EmailMultiAlternatives(subject=subject, body=f"Text of {subject}: äöü", to=[to])
    message.attach_alternative(f"<p>{subject}</p><script>alert(1)</script>", "text/html")
    message.send()


def test_mails_are_listed_newest_first(client, box):
    send("One")
    send("Two", to="olga@acme.test")
    answer = client.get(mailbox.list_path())
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    newest, oldest = answer.json()
    assert (newest["subject"], newest["to"]) == ("Two", ["olga@acme.test"])
    assert oldest["text"].strip() == "Text of One: äöü"
    assert "<p>One</p>" in oldest["html"]
    assert oldest["sent_at"].startswith("20")


def test_the_page_shows_them_as_text(client, box):
    send("<b>One</b>")
    page = client.get(mailbox.page_path()).content.decode()
    assert "&lt;b&gt;One&lt;/b&gt;" in page
    assert "<script>alert" not in page


def test_the_files_are_for_their_owner_alone(box):
    send("One")
    (file,) = box.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(box.stat().st_mode) == 0o700


def test_old_mails_make_room_for_new_ones(box, monkeypatch):
    monkeypatch.setattr(mailbox, "KEPT_COUNT", 2)
    for subject in ("One", "Two", "Three"):
        send(subject)
    assert [mail.subject for mail in mailbox.list_mails()] == ["Three", "Two"]


def test_without_the_key_there_is_nothing(client, box):
    send("One")
    assert client.get("/mailbox/guess/").status_code == 404
    assert client.get("/mailbox/guess/mails.json").status_code == 404
    assert client.get("/mailbox/gu%C3%A9ss/mails.json").status_code == 404


def test_where_mails_are_sent_there_is_no_mailbox(client):
    assert client.get(mailbox.page_path()).status_code == 404
    assert client.get(mailbox.list_path()).status_code == 404


def test_a_vaults_host_has_no_mailbox(client, box):
    assert client.get(mailbox.list_path(), headers={"host": "acme.localhost"}).status_code == 404


def test_a_long_subject_that_was_folded_reads_as_it_was_written(client, box):
    subject = "Olivia Owner shared “" + "Quarterly figures of the northern branch" + "” with you"
    send(subject)
    (mail,) = client.get(mailbox.list_path()).json()
    assert mail["subject"] == subject
