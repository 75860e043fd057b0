"""Files that strangers send through a link: with the engine that members have, within the request's limits, seeing nothing of others."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from apps.links import receiving
from apps.links.models import FileRequest, Link, SentFile
from apps.notifications import telling
from apps.notifications.recording import CONSUMER
from bitvault.events import consuming
from bitvault.events.models import StreamEvent
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.mail import sending
from tests.support.client import ApiClient
from tests.support.sending import Sender, cut, put, sha256
from tests.support.surface import count_guesses_apart
from tests.support.world import ACME
from tests.support.world import PASSWORD as WORLD_PASSWORD

pytestmark = pytest.mark.store

HOST = "acme.localhost"
PASSWORD = "canary password"


@pytest.fixture(autouse=True)
def _guesses_of_its_own(settings):
    count_guesses_apart(settings)


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def inbox(mia):
    return mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Inbox"}).json()


@pytest.fixture
def ask(mia, inbox):
    """Let mia ask for files; gives the link as the creating answer tells it."""

    def ask(password=None, **request):
        body = {"kind": "upload", "password": password, "request": {"title": "Photos", "ask_name": False, **request}}
        answer = mia.api.post(f"/nodes/{inbox['id']}/links", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    return ask


def end_of(link):
    return link["url"].rpartition("/")[2]


class Outsider:
    """Somebody without an account, who holds the address of a link."""

    def __init__(self, link, *, host=HOST, unlock=None, **who):
        self.base = f"/public/links/{end_of(link)}"
        self.api = ApiClient(host=host)
        if unlock is not None:
            self.api.headers["bitvault-link-unlock"] = unlock
        self.begun = self.api.post(f"{self.base}/submissions", who)
        if self.begun.status_code == 201:
            self.api.headers["bitvault-link-submission"] = self.begun.json()["submission_token"]

    def start(self, name, content=b"bytes", **more):
        hashes = [sha256(part) for part in cut(content)]
        body = {"name": name, "size_bytes": len(content), "part_hashes": hashes, **more.pop("body", {})}
        return self.api.post(f"{self.base}/uploads", body, **more)

    def make_folder(self, *names):
        return self.api.post(f"{self.base}/folders", {"folder": list(names)})

    def put(self, upload, content=b"bytes"):
        for part, piece in zip(upload["parts"], cut(content), strict=True):
            assert put(part, piece).status == 200

    def commit(self, upload, content=b"bytes"):
        body = {"part_hashes": [sha256(part) for part in cut(content)]}
        return self.api.post(f"{self.base}/uploads/{upload['id']}/commit", body)

    def send(self, name, content=b"bytes", **more):
        started = self.start(name, content, body=more)
        assert started.status_code == 201, started.content
        self.put(started.json(), content)
        return self.commit(started.json(), content)

    def sent(self):
        return [one["name"] for one in self.api.get(f"{self.base}/submissions/current").json()["items"]]

    def finish(self):
        return self.api.post(f"{self.base}/submissions/current/finish")


def names_in(mia, folder_id):
    return sorted(node["name"] for node in mia.api.get(f"/nodes/{folder_id}/children").json()["items"])


def received(mia, link):
    return mia.api.get(f"/links/{link['id']}/received").json()["items"]


# --- what a stranger can do ------------------------------------------------------------------------------------------------


def test_a_stranger_sends_a_file_and_learns_nothing_of_the_folder(mia, inbox, ask):
    Sender(mia.api, inbox["id"]).bring("photo.jpg", b"mia's own")
    link = ask()
    stranger = Outsider(link)
    told = stranger.api.get(stranger.base).json()
    assert (told["kind"], told["node"], told["request"]["title"]) == ("upload", None, "Photos")
    assert inbox["id"] not in str(told)
    done = stranger.send("photo.jpg", b"a stranger's")
    assert done.status_code == 201
    # The name that the file got in the folder would tell that there was one.
    assert set(done.json()) == {"name", "size_bytes", "sent_at"}
    assert done.json()["name"] == "photo.jpg"
    assert names_in(mia, inbox["id"]) == ["photo (2).jpg", "photo.jpg"]
    for path in ("/children", f"/content/{inbox['id']}"):
        assert stranger.api.get(stranger.base + path).status_code in (403, 404)
    again = stranger.commit(received(mia, link)[0], b"a stranger's")
    assert (again.status_code, len(received(mia, link))) == (200, 1)


def test_nobody_sees_or_touches_what_others_send(ask):
    link = ask()
    first, second = Outsider(link), Outsider(link)
    upload = first.start("secret.txt").json()
    path = f"{second.base}/uploads/{upload['id']}"
    part = {"parts": [{"number": 1, "sha256": sha256(b"bytes")}]}
    assert second.api.get(path).status_code == 404
    assert second.api.post(f"{path}/parts", part).status_code == 404
    assert second.commit(upload).status_code == 404
    assert second.api.delete(path).status_code == 404
    first.put(upload)
    assert first.commit(upload).status_code == 201
    assert (first.sent(), second.sent()) == (["secret.txt"], [])
    nobody = ApiClient(host=HOST)
    refused = nobody.get(f"{first.base}/submissions/current")
    assert (refused.status_code, refused.json()["code"]) == (403, "links.submission_unknown")


def test_the_proof_of_a_visit_is_good_for_its_own_link_alone(ask):
    one, other = Outsider(ask()), Outsider(ask())
    other.api.headers["bitvault-link-submission"] = one.begun.json()["submission_token"]
    assert other.start("x.txt").json()["code"] == "links.submission_unknown"


def test_a_known_content_has_to_travel_again(mia, ask):
    """Whoever was told that bytes are there already would learn what the vault has."""
    mia.bring("known.txt", b"known to the vault")
    started = Outsider(ask()).start("guess.txt", b"known to the vault").json()
    assert [part["state"] for part in started["parts"]] == ["send"]


def test_folders_come_with_their_files_and_each_is_made_once(mia, inbox, ask):
    mia.api.post("/folders", {"parent_id": inbox["id"], "name": "Trip"})
    link = ask(folder_per_sender=True, ask_name=True)
    stranger = Outsider(link, name="Ada / Lovelace")
    for name in ("a.jpg", "b.jpg"):
        assert stranger.send(name, name.encode(), folder=["Trip", "Day 1"]).status_code == 201
    assert stranger.send("top.jpg", b"top").status_code == 201
    nodes = {node["name"]: node["id"] for node in mia.api.get(f"/nodes/{inbox['id']}/children").json()["items"]}
    assert sorted(nodes) == ["Ada - Lovelace", "Trip"]
    assert names_in(mia, nodes["Ada - Lovelace"]) == ["Trip", "top.jpg"]
    path = "/Inbox/Ada - Lovelace/Trip/Day 1"
    found = mia.api.get("/nodes/by-path", path=path).json()
    assert names_in(mia, found["id"]) == ["a.jpg", "b.jpg"]
    assert names_in(mia, nodes["Trip"]) == []
    # What the owner has deleted meanwhile is made anew.
    assert mia.api.delete(f"/nodes/{nodes['Ada - Lovelace']}").status_code == 204
    assert stranger.send("later.jpg", b"later").status_code == 201
    assert names_in(mia, inbox["id"]) == ["Ada - Lovelace", "Trip"]


def test_two_senders_folders_are_never_one(mia, inbox, ask):
    link = ask()
    for number in range(2):
        assert Outsider(link).send("x.txt", f"{number}".encode(), folder=["Photos"]).status_code == 201
    assert names_in(mia, inbox["id"]) == ["Photos", "Photos (2)"]


def test_a_start_whose_answer_was_lost_is_begun_once(ask):
    link = ask(max_files=1)
    stranger = Outsider(link)
    first = stranger.start("once.txt", headers={"idempotency-key": "k1"})
    again = stranger.start("once.txt", headers={"idempotency-key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    other = Outsider(link)
    assert other.start("once.txt", headers={"idempotency-key": "k1"}).json()["id"] != first.json()["id"]


# --- limits ----------------------------------------------------------------------------------------------------------------


def test_limits_are_told_before_a_byte_moves(ask):
    link = ask(accepts=[".PDF", "image/*"], max_file_bytes=10, max_files=2, max_total_bytes=12)
    stranger = Outsider(link)
    told = stranger.api.get(stranger.base).json()["request"]
    assert (told["accepts"], told["max_file_bytes"], told["max_files"], told["left_bytes"]) == (
        [".pdf", "image/*"],
        10,
        2,
        12,
    )
    wrong = stranger.start("program.exe", b"x")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "links.type_not_taken")
    large = stranger.start("large.pdf", b"x" * 11).json()
    assert (large["status"], large["code"], large["limit"]) == (413, "links.request_full", "max_file_bytes")
    assert stranger.start("one.pdf", b"x" * 10).status_code == 201
    full = stranger.start("two.png", b"x" * 3).json()
    assert (full["code"], full["limit"]) == ("links.request_full", "max_total_bytes")
    given_up = stranger.start("three.png", b"xx").json()
    many = stranger.start("four.png", b"").json()
    assert (many["code"], many["limit"]) == ("links.request_full", "max_files")
    assert stranger.api.delete(f"{stranger.base}/uploads/{given_up['id']}").status_code == 204
    assert stranger.start("four.png", b"").status_code == 201


@pytest.mark.committed
def test_of_many_who_send_at_once_no_more_is_begun_than_the_request_takes(ask):
    link = ask(max_total_bytes=10)
    strangers = [Outsider(link) for _ in range(8)]
    barrier = Barrier(len(strangers))

    def start(stranger):
        barrier.wait(timeout=30)
        try:
            return stranger.start("five.txt", b"12345").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(strangers)) as threads:
        answers = sorted(threads.map(start, strangers))
    assert answers == [201] * 2 + [413] * 6


def test_a_vault_without_room_says_so_and_not_how_much_it_has(mia, ask, acme):
    from apps.billing import api as billing

    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=3)
    stranger = Outsider(ask())
    refused = stranger.start("x.txt", b"12345")
    assert (refused.status_code, refused.json()["code"]) == (413, "links.no_room")
    assert not {"limit_bytes", "used_bytes", "left_bytes"} & set(refused.json())


def test_bytes_count_against_the_vault_of_whoever_asks(mia, ask):
    room = lambda: mia.api.get("/quotas").json()["items"][0]  # noqa: E731
    before = room()["used_bytes"]
    assert Outsider(ask()).send("x.txt", b"12345").status_code == 201
    assert room()["used_bytes"] == before + 5


# --- ends ------------------------------------------------------------------------------------------------------------------


def test_an_ended_link_stops_what_is_under_way(mia, inbox, ask):
    link = ask()
    stranger = Outsider(link)
    upload = stranger.start("late.txt").json()
    stranger.put(upload)
    assert mia.api.delete(f"/links/{link['id']}").status_code == 204
    refused = stranger.commit(upload)
    assert (refused.status_code, refused.json()["code"], refused.json()["shared_by"]) == (410, "links.over", "Mia")
    assert stranger.start("more.txt").status_code == 410
    assert names_in(mia, inbox["id"]) == []


def test_after_the_deadline_files_are_late_and_after_the_grace_there_is_no_way(mia, ask, acme):
    now = clock.now()
    link = ask(deadline=(now + timedelta(hours=1)).isoformat(), grace_hours=24)
    assert datetime.fromisoformat(link["expires_at"]) == now + timedelta(hours=25)
    stranger = Outsider(link)
    assert stranger.send("early.txt", b"early").status_code == 201
    # The clock of the store goes on as it is, so the link's own times are set back.
    with tenancy.entered(acme), db.write_transaction():
        FileRequest.objects.update(deadline=now - timedelta(hours=1))
        SentFile.objects.update(sent_at=now - timedelta(hours=2))
    assert stranger.api.get(stranger.base).json()["request"]["is_late"] is True
    assert stranger.send("late.txt", b"late").status_code == 201
    assert [(one["name"], one["is_late"]) for one in received(mia, link)] == [("late.txt", True), ("early.txt", False)]
    with tenancy.entered(acme), db.write_transaction():
        Link.objects.update(expires_at=now)
    page = ApiClient(host=HOST)._client.get(f"/s/{end_of(link)}", headers={"host": HOST})
    assert page.status_code == 410
    assert "Mia made it" in page.content.decode()
    assert stranger.start("x.txt").json()["code"] == "links.expired"


def test_a_link_whose_folder_is_gone_takes_nothing(mia, inbox, ask):
    link = ask()
    stranger = Outsider(link)
    upload = stranger.start("x.txt").json()
    stranger.put(upload)
    assert mia.api.delete(f"/nodes/{inbox['id']}").status_code == 204
    for refused in (stranger.commit(upload), stranger.start("y.txt"), stranger.api.get(stranger.base)):
        assert (refused.status_code, refused.json()["code"]) == (410, "links.target_gone")


def test_a_password_stands_before_all_of_it(ask):
    link = ask(password=PASSWORD)
    shut = Outsider(link)
    assert shut.begun.json()["code"] == "links.locked"
    told = shut.api.get(shut.base).json()
    assert (told["locked"], told["request"]) == (True, None)
    unlock = shut.api.post(f"{shut.base}/unlock", {"password": PASSWORD}).json()["unlock_token"]
    stranger = Outsider(link, unlock=unlock)
    upload = stranger.start("x.txt").json()
    stranger.api.headers.pop("bitvault-link-unlock")
    assert stranger.commit(upload).json()["code"] == "links.locked"


def test_a_link_of_one_tenant_takes_nothing_at_anothers_host(ask):
    link = ask()
    own = Outsider(link)
    for host in ("beta.localhost", "localhost"):
        other = Outsider(link, host=host)
        assert other.begun.status_code == 404
        other.api.headers["bitvault-link-submission"] = own.begun.json()["submission_token"]
        assert other.start("x.txt").status_code == 404


def test_links_that_give_something_take_nothing_and_stay_what_they_are(mia, inbox, ask):
    answer = mia.api.post(f"/nodes/{inbox['id']}/links", {"kind": "download"})
    assert Outsider(answer.json()).begun.json()["code"] == "links.takes_nothing"
    for link, change in (
        (answer.json(), {"kind": "upload"}),
        (answer.json(), {"request": {"title": "x"}}),
        (ask(), {"kind": "download"}),
        (ask(), {"expires_at": "2100-01-01T00:00:00Z"}),
    ):
        refused = mia.api.patch(f"/links/{link['id']}", change)
        assert (refused.status_code, refused.json()["code"]) == (422, "links.unfit"), change
    for wish in ({"kind": "upload"}, {"kind": "view", "request": {"title": "x"}}):
        assert mia.api.post(f"/nodes/{inbox['id']}/links", wish).json()["field"] == "request"
    file = mia.bring("file.txt", b"x")
    assert mia.api.post(f"/nodes/{file['id']}/links", {"kind": "upload", "request": {"title": "x"}}).status_code == 422


def test_a_request_is_changed_while_its_address_stays(mia, ask):
    link = ask(deadline=(clock.now() + timedelta(days=1)).isoformat())
    changed = mia.api.patch(
        f"/links/{link['id']}", {"request": {"title": "More photos", "ask_name": False, "accepts": [".jpg"]}}
    ).json()
    assert (changed["request"]["title"], changed["expires_at"]) == ("More photos", None)
    assert Outsider(link).start("x.txt").json()["code"] == "links.type_not_taken"


# --- who is told -----------------------------------------------------------------------------------------------------------


def test_names_and_addresses_are_asked_for_as_the_request_says(mia, ask):
    link = ask(ask_name=True, ask_email=True)
    for who, field in (({}, "name"), ({"name": "Ada"}, "email"), ({"name": "Ada", "email": "nowhere"}, "email")):
        refused = Outsider(link, **who).begun
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
            422,
            "links.sender_unfit",
            field,
        )
    stranger = Outsider(link, name="Ada", email="ada@outside.test")
    stranger.send("x.txt", b"x")
    (one,) = received(mia, link)
    assert (one["sender_name"], one["sender_email"]) == ("Ada", "ada@outside.test")


def test_the_sender_gets_a_receipt_and_who_asked_is_told_once(mia, acme, inbox, ask):
    link = ask(ask_email=True)
    stranger = Outsider(link, email="ada@outside.test")
    for name in ("canary-a.txt", "canary-b.txt"):
        stranger.send(name, name.encode())
    assert stranger.finish().json()["receipt"] is True
    assert stranger.finish().status_code == 200
    with tenancy.entered(acme):
        consuming.consume(CONSUMER)
        telling.tell()
        (receipt,) = Job.objects.filter(kind="mail.send", payload__name=receiving.RECEIPT_MAIL)
        reference = UUID(receipt.payload["reference"])
        sending.send(name=receiving.RECEIPT_MAIL, reference=reference, facts={}, mail_id=ids.new_id())
    (letter,) = [one for one in mail.outbox if one.to == ["ada@outside.test"]]
    assert "2 files" in letter.body
    # The address is not proved: nobody's words go there.
    assert not any(word in letter.body + letter.subject for word in ("canary", "Photos", "Inbox", "Mia"))
    notices = [one for one in mia.api.get("/notifications").json()["items"] if one["kind"] == "received"]
    assert [one["text"] for one in notices] == ["2 files were sent to Inbox at your request"]


def test_what_is_done_through_a_link_is_in_the_stream_as_the_links_doing(mia, ask):
    link = ask()
    stranger = Outsider(link)
    stranger.send("x.txt", b"x", folder=["Sub"])
    stranger.finish()
    told = {event.type: event for event in StreamEvent.objects.filter(tenant_id=ACME.id, actor_id=link["id"])}
    assert set(told) == {
        "files.folder.created.v1",
        "files.version.committed.v1",
        "links.file.received.v1",
        "links.submission.finished.v1",
    }
    assert {event.payload["actor_kind"] for event in told.values()} == {"link"}


def test_the_page_asks_for_what_is_asked_for(ask):
    link = ask(text="All of <them>, please.", accepts=["image/*"], max_files=3, ask_email=True)
    client = ApiClient(host=HOST)._client
    text = client.get(f"/s/{end_of(link)}", headers={"host": HOST}).content.decode()
    assert "All of &lt;them&gt;, please." in text
    assert "Only images · at most 3 files" in text
    assert 'accept="image/*"' in text
    assert 'id="send-email"' in text
    assert 'id="send-name"' not in text
    assert "Inbox" not in text
    german = client.get(f"/s/{end_of(link)}", headers={"host": HOST, "accept-language": "de"}).content.decode()
    assert "bittet Sie um Dateien" in german


def test_an_empty_folder_of_a_sender_is_made_once_and_its_files_come_into_it(ask, inbox, mia, monkeypatch):
    outsider = Outsider(ask(folder_per_sender=True, ask_name=True), name="Anna")
    for _ in range(2):  # the answer of the first was lost
        assert outsider.make_folder("Trip", "Day 1").status_code == 204
    outsider.send("photo.jpg", b"light", folder=["Trip", "Day 2"])
    (own,) = mia.api.get(f"/nodes/{inbox['id']}/children").json()["items"]
    (trip,) = mia.api.get(f"/nodes/{own['id']}/children").json()["items"]
    days = mia.api.get(f"/nodes/{trip['id']}/children").json()["items"]
    assert (own["name"], trip["name"], [day["name"] for day in days]) == ("Anna", "Trip", ["Day 1", "Day 2"])
    monkeypatch.setattr(receiving, "FOLDERS_LIMIT", 4)
    assert outsider.make_folder("Another").json()["code"] == "links.request_full"


def test_an_empty_folder_is_taken_of_nobody_without_a_visit_and_through_no_link_that_has_ended(ask, mia):
    link = ask()
    outsider = Outsider(link)
    path = f"{outsider.base}/folders"
    assert ApiClient(host=HOST).post(path, {"folder": ["New"]}).json()["code"] == "links.submission_unknown"
    assert outsider.make_folder("..").json()["code"] == "files.invalid_name"
    assert mia.api.delete(f"/links/{link['id']}").status_code == 204
    assert outsider.make_folder("New").status_code == 410


def test_files_of_a_sender_are_shown_under_their_name_or_the_links(ask, inbox, mia):
    link = ask(ask_name=True)
    named, nameless = Outsider(link, name="Anna Beck"), Outsider(ask(title="Receipts"))
    named.send("photo.jpg", b"light")
    nameless.send("receipt.pdf", b"paper")
    browser = Client(headers={"host": HOST})
    browser.post("/sign-in/", {"email": ACME.people["mia"].email, "password": WORLD_PASSWORD})
    owners = {}
    for node in mia.api.get(f"/nodes/{inbox['id']}/children").json()["items"]:
        (version,) = mia.api.get(f"/nodes/{node['id']}/versions").json()["items"]
        page = browser.get(f"/files/details/properties?ids={node['id']}").content.decode()
        told = browser.get(f"/files/owners?ids={node['created_by']}").json()
        owners[node["name"]] = (version["author"]["name"], told[node["created_by"]])
        assert version["author"]["name"] in page
    assert owners == {"photo.jpg": ("Anna Beck", "Photos"), "receipt.pdf": ("Receipts", "Receipts")}
