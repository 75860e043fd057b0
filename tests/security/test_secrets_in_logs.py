"""No secret reaches a log: canaries are put into everything that a client sends, and all output of the processes is searched (X1, THR 8, 34)."""

import json
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


@pytest.fixture(scope="module")
def secrets(live):
    """Do everything with canaries; returns the secrets that came into being on the way, by what they are."""
    found = {"every canary": C, "a person's password": PASSWORD, "a person's e-mail": live.email}
    with httpx.Client(base_url=live.base_url, headers={"Host": live.tenant_host}, timeout=30) as stranger:
        _headers(stranger)
        _addresses(stranger)
        _bodies(stranger, live)
    found |= _rightful(live)
    _worker(live)
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
