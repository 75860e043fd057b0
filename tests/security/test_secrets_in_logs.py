"""No secret reaches a log: canaries are put into everything that a client sends, and all output of the processes is searched (X1, THR 8, 34)."""

import email
import email.policy
import json
import logging
import re
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from celery import Celery

from bitvault.kernel.tasks import for_tenant
from tests.support.sending import PART, Sender, put
from tests.support.world import ACME, PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.store]

C = "canary7f3a"
INVITED = "newcomer@elsewhere.test"


@pytest.fixture(scope="module")
def secrets(live):
    """Do everything with canaries; returns the secrets that came into being on the way, by what they are."""
    found = {"every canary": C, "a person's password": PASSWORD, "a person's e-mail": live.email}
    with httpx.Client(base_url=live.base_url, headers={"Host": live.tenant_host}, timeout=30) as stranger:
        _headers(stranger)
        _addresses(stranger)
        _bodies(stranger, live)
    found |= _rightful(live)
    found |= _links(live)
    _worker(live)
    found["the code of an invitation"] = _invitation_code(live)
    live.await_that(lambda: "last-of-all" in live.logs())
    return found


def _headers(stranger):
    for name in (
        "Authorization",
        "Cookie",
        "X-CSRFToken",
        "Referer",
        "User-Agent",
        "X-Api-Key",
        "If-Match",
        "Origin",
        "Accept",
    ):
        for value in (f"{C}-{name}", f"Bearer bv_{C}", f"Basic {C}"):
            stranger.get("/api/v1/me", headers={name: value})
            stranger.post("/api/v1/folders", headers={name: value}, json={})
    stranger.get("/api/v1/me", headers={"Cookie": f"session={C}; csrftoken={C}"})
    stranger.get("/api/v1/me", headers={"X-Request-ID": f"{C} with spaces"})
    stranger.get("/api/v1/me", headers={"Host": f"{C}.localhost"})
    stranger.get("/files/", headers={"Cookie": f"session={C}"})


def _addresses(stranger):
    for path in (
        "/api/v1/me?token=",
        "/api/v1/nodes/",
        "/static/",
        "/files/",
        "/enter/?ticket=",
        "/sign-in/?next=/",
        "/nowhere/",
        "/api/v1/nodes/by-path?path=/",
    ):
        stranger.get(f"{path}{C}")
        stranger.get(f"{path}{C}%00")
        stranger.get(f"{path}{C}%ff")


def _bodies(stranger, live):
    origin = {"Origin": live.tenant_url}
    for body in (
        {"email": live.email, "password": f"{C}-wrong"},
        {"email": f"{C}@acme.test", "password": f"{C}-unknown"},
        {"email": live.email, "password": PASSWORD, f"{C}": 1},
        {"email": C, "password": [C]},
    ):
        stranger.post("/api/v1/auth/login", json=body, headers=origin)
    stranger.post(
        "/api/v1/auth/login", content=f'{{"password": "{C}'.encode(), headers={"Content-Type": "application/json"}
    )
    stranger.post("/sign-in/", data={"email": live.email, "password": f"{C}-form"}, headers=origin)
    stranger.post(f"/sign-in/?password={C}", content=b"x" * 3_000_000, headers=origin)


def _rightful(live):
    """What a rightful caller does with names, passwords and tokens; gives every secret that the vault hands out."""
    mia = live.client("mia")
    root_id = mia.get("/me").json()["root_id"]
    sender = Sender(mia, root_id)
    made = mia.post("/tokens", {"name": f"{C} token", "scopes": ["files:read"], "expires_at": _later()}).json()
    mia.post("/auth/password", {"current_password": f"{C}-not-it", "new_password": f"{C}-new-password"})
    invited = live.client("olga").post("/invitations", {"email": INVITED, "role": "member", "message": C})
    assert invited.status_code == 201, invited.text
    folder = mia.post("/folders", {"parent_id": root_id, "name": f"{C} folder"}).json()
    mia.post("/folders", {"parent_id": root_id, "name": f"{C} folder"})
    mia.get("/nodes/by-path", path=f"/{C} folder")
    mia.patch(f"/nodes/{folder['id']}", {"name": f"{C} renamed"}, revision=99)
    small = sender.started(f"{C} small.txt", C.encode(), media_type=f"text/{C}")
    sender.send(small, C.encode())
    node = sender.commit(small).json()
    large = sender.started(f"{C} large.bin", C.encode() * 900_000)
    put(large["parts"][0], b"\0" * PART)
    mia.post(f"/uploads/{large['id']}/commit", {"part_hashes": ["0" * 64, "1" * 64]})
    mia.get(f"/uploads/{large['id']}")
    download = mia.get(f"/nodes/{node['id']}/content").headers["Location"]
    assert mia.delete(f"/nodes/{folder['id']}").status_code == 204
    browser = live.client_of(None, host=live.tenant_host).http
    signed_in = browser.post(
        "/auth/login", json={"email": live.email, "password": PASSWORD}, headers={"Origin": live.tenant_url}
    )
    assert signed_in.status_code == 200
    urls = [part["url"] for part in (*small["parts"], *large["parts"])] + [download]
    signatures = {f"signature {n}": parse_qs(urlsplit(url).query)["X-Amz-Signature"][0] for n, url in enumerate(urls)}
    keys = {
        f"object key {n}": urlsplit(url).path.rpartition("/")[2]
        for n, url in enumerate(urls)
        if len(urlsplit(url).path) > 100
    }
    return {
        "a new token": made["token"].rpartition("_")[2],
        "the token in use": live.token,
        "a session": browser.cookies["session"],
        "a CSRF token": browser.cookies["csrftoken"],
        **signatures,
        **keys,
        "the start of any signature": "X-Amz-Signature",
        "the start of any credential": "X-Amz-Credential",
    }


def _links(live):
    """What somebody does with public links and a stranger by them; gives what only the two may know."""
    mia = live.client("mia")
    file = Sender(mia, mia.get("/me").json()["root_id"]).bring(f"{C} linked.txt", C.encode())
    wish = {"kind": "download", "name": f"{C} link", "password": f"{C}-of-the-link", "download_limit": 3}
    made = mia.post(f"/nodes/{file['id']}/links", wish).json()
    chosen = mia.post(f"/nodes/{file['id']}/links", {"kind": "view", "slug": f"{C}-chosen"}).json()
    path = urlsplit(made["url"]).path
    base = f"/api/v1/public/links/{path.rpartition('/')[2]}"
    with httpx.Client(base_url=live.base_url, headers={"Host": live.tenant_host}, timeout=30) as stranger:
        for address in (path, urlsplit(chosen["url"]).path, base, f"{path}%00", f"{path}/x", f"{base}/x?unlock={C}"):
            stranger.get(address)
        stranger.post(f"{base}/unlock", json={"password": f"{C}-wrong"})
        stranger.post(f"{base}/unlock", content=f'{{"password": "{C}'.encode())
        stranger.post(path, data={"password": f"{C}-of-the-link"})
        proof = stranger.post(f"{base}/unlock", json={"password": f"{C}-of-the-link"}).json()["unlock_token"]
        headers = {"BitVault-Link-Unlock": proof, "Referer": made["url"]}
        url = stranger.get(f"{base}/content/{file['id']}", headers=headers).headers["Location"]
        visitor = stranger.cookies["visitor"]
    assert mia.delete(f"/links/{made['id']}").status_code == 204
    return {
        "the end of a link": path.rpartition("/")[2],
        "the end of a link that was chosen": f"{C}-chosen",
        "the password of a link": f"{C}-of-the-link",
        "the proof of a link's password": proof,
        "the number of a visitor": visitor,
        "a visitor's signature": parse_qs(urlsplit(url).query)["X-Amz-Signature"][0],
    }


def _mails(live):
    files = sorted((live.directory / "mailbox").glob("*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def _invitation_code(live):
    """Read the code of the invitation that a worker has sent, and use it in every way."""
    (text,) = [mail.get_body(("plain",)).get_content() for mail in _mails(live) if mail["To"] == INVITED]
    code = re.search(r"code=([0-9A-Z]{20,26})\r?$", text, re.MULTILINE)[1]
    with httpx.Client(base_url=live.base_url, timeout=30) as stranger:
        stranger.get(f"/invitation/?code={code}")
        stranger.get(f"/api/v1/public/invitations/{code}")
        stranger.post(f"/api/v1/public/invitations/{code}", json={"name": "New", "password": f"{C}-short"[:9]})
    return code


def _worker(live):
    """Let a worker touch what was named with canaries, and then leave a mark in the log that is waited for."""
    worker = live.start_worker()
    with live.database() as database:
        database.execute(
            f"UPDATE t_{ACME.id.hex}.storage_multipart_upload SET sweep_at = now() - interval '1 day', expires_at = now() - interval '1 day' WHERE state = 'started'"
        )
    with Celery(broker=f"{live.valkey.url}/0", set_as_current=False) as broker:
        broker.send_task("storage.sweep_uploads", headers=for_tenant(ACME.id))
        broker.send_task("events.relay")
    live.await_that(lambda: _open_uploads(live) == 0)
    live.await_that(lambda: any(mail["To"] == INVITED for mail in _mails(live)))
    live.kill(worker)
    live.client("mia").request("GET", "/me", headers={"X-Request-ID": "last-of-all"})


def _open_uploads(live):
    with live.database() as database:
        statement = f"SELECT count(*) FROM t_{ACME.id.hex}.storage_multipart_upload WHERE state = 'started'"
        return database.execute(statement).fetchone()[0]


def _later():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def _lines(live):
    """What was written by our own code about requests, one JSON object a line."""
    return [json.loads(line) for line in live.logs().splitlines() if line.startswith("{")]


def test_the_logs_were_written_at_all(live, secrets):
    events = [line for line in _lines(live) if line["event"] == "request"]
    assert len(events) > 100
    assert {event["status"] for event in events} >= {200, 201, 302, 401, 404, 412, 422}
    assert all(event["request_id"] for event in events)


def test_no_secret_is_in_any_log(live, secrets):
    text = live.logs()
    for what, secret in secrets.items():
        where = text.find(secret)
        assert where == -1, f"{what}: …{text[max(0, where - 200) : where + 100]}…"


def test_no_secret_of_a_link_or_an_invitation_is_in_a_job_an_event_the_audit_log_or_the_subject_of_a_mail(
    live, secrets
):
    with live.database() as database:
        text = "".join(
            database.execute(f"SELECT coalesce(string_agg(one::text, ' '), '') FROM {table} one").fetchone()[0]
            for table in (
                *("public.jobs_job", "public.events_stream_event", "public.events_dead_letter"),
                *(f"t_{ACME.id.hex}.{name}" for name in ("admin_platform_audit_entry", "links_access")),
            )
        )
    text += "".join(str(mail["Subject"]) for mail in _mails(live))
    assert "links.link.downloaded.v1" in text
    assert "identity.invitation" in text
    for what, secret in secrets.items():
        if "link" in what or "visitor" in what or "invitation" in what:
            assert secret not in text, what


def test_no_secret_of_the_installation_is_in_any_log(live, secrets):
    import os

    text = live.logs()
    for name in ("BITVAULT_SECRET_KEY", "BITVAULT_S3_SECRET_ACCESS_KEY", "BITVAULT_S3_ACCESS_KEY_ID"):
        assert os.environ[name] not in text
    for url in (live.database_url, live.valkey.url):
        assert urlsplit(url).password not in text


def test_a_request_is_one_line_that_names_its_route_and_no_path(live, secrets):
    for line in _lines(live):
        if line["event"] == "request":
            assert set(line) == {
                "event", "logger", "level", "timestamp", "method", "route", "status", "milliseconds", "request_id", "tenant",
            }  # fmt: skip


@pytest.mark.parametrize("logger", ["django.request", "django.security.csrf"])
def test_a_line_of_djangos_own_about_a_request_has_no_path(logger):
    from django.test import RequestFactory
    from structlog.stdlib import ProcessorFormatter

    record = logging.LogRecord(logger, logging.ERROR, "", 0, "%s: %s", ("Internal Server Error", f"/s/{C}"), None)
    record.request = RequestFactory().get(f"/s/{C}")
    (formatter,) = [
        one.formatter for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)
    ]
    line = formatter.format(record)
    assert "Internal Server Error: (path)" in line
    assert C not in line
