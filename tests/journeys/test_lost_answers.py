"""SYNC-5: for each route that changes something, the line is cut, and the client asks again. It ends as if nothing had been cut: the same
result, no version, no copy and no upload more than without.
"""

import email
import email.policy
import itertools
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from bitvault.kernel import clock, ids, remembered
from tests.apps.previews.pictures import picture
from tests.support.cutting import CutLine
from tests.support.push import Subscriber
from tests.support.sending import Sender, put, sha256
from tests.support.surface import operations
from tests.support.world import ACME, PASSWORD, SECRET

pytestmark = [pytest.mark.journey, pytest.mark.store]

SCHEMA = f"t_{ACME.id.hex}"
STREAM = "public.events_stream_head"
"""Written last of all by whatever publishes an event."""

_names = (f"thing {number}" for number in itertools.count(1))
_closed = itertools.cycle(["block", "allow"])
_sizes = itertools.count(1)
_engines = itertools.cycle(("pictures", "nothing", "everything"))


@dataclass
class Ask:
    """A request, as it is sent the first time and again."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A way in which a route changes something.

    ``holds`` is the table at which it can be held up, ``None`` where nothing in PostgreSQL is written. ``again`` is the status of a request
    that was carried out before. ``keeps`` tells that a second one leaves another thing behind, and why that has to be.
    """

    route: str
    prepare: Callable[["Mia"], Ask]
    holds: str | None = STREAM
    again: int | None = None
    leaves_another: str = ""


class Mia:
    """A person with things of each kind."""

    def __init__(self, live, api, name="mia"):
        self.live = live
        self.api = api
        self.plain = live.client_of(None).http
        """Sends no credential of its own."""
        self.adam = live.client("adam")
        self.email = ACME.people[name].email
        self.root_id = api.get("/me").json()["root_id"]
        self.folder_id = self.folder()["id"]
        self.sender = Sender(api, self.folder_id)

    def folder(self):
        return self.api.post("/folders", {"parent_id": self.root_id, "name": next(_names)}).json()

    def file(self, extension=""):
        return self.sender.bring(next(_names) + extension, os.urandom(20))

    def trashed(self):
        folder = self.folder()
        assert self.api.delete(f"/nodes/{folder['id']}").status_code == 204
        return folder

    def sent(self, **wishes):
        """An upload whose bytes are in the store."""
        content = os.urandom(30)
        upload = self.sender.started(next(_names), content, **wishes)
        self.sender.send(upload, content)
        return upload

    def device(self):
        return self.api.post("/sync/devices", {"name": next(_names), "platform": "test"}).json()

    def picture(self, headers=None):
        """A picture that has arrived."""
        content = picture()
        wish = {"size_bytes": len(content), "sha256": sha256(content)}
        upload = self.api.request("POST", "/pictures/uploads", wish, headers=headers).json()
        assert put(upload["parts"][0], content).status == 200
        return upload["id"]

    def job(self):
        """A job that waits until tomorrow."""
        with self.live.database() as database:
            (job_id,) = database.execute(
                "INSERT INTO public.jobs_job (id, tenant_id, kind, lane, key, state, payload, done_count, error, tries, run_at,"
                " created_by_kind, created_by_id, created_at) VALUES (gen_random_uuid(), %s, 'sync.snapshot', 'bulk', %s, 'queued',"
                " '{}', 0, '', 0, now() + interval '1 day', 'user', %s, now()) RETURNING id",
                [ACME.id, next(_names), ACME.people["mia"].user_id],
            ).fetchone()
        return job_id

    def token(self):
        expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return self.api.post("/tokens", {"name": next(_names), "scopes": ["files:read"], "expires_at": expires}).json()

    def conflict(self):
        file = self.file()
        self.sender.bring(file["name"], os.urandom(21), **update_of(file))
        upload = self.sent(**update_of(file))
        answer = self.sender.commit(upload)
        self.live.await_that(lambda: self.is_told(answer.headers["BitVault-Seq"]))
        return answer.json()

    def is_told(self, seq):
        """Wait a little for the feed. A consumer whose connection was cut with the others comes back with a later event: there is no beat here."""
        if self.api.get("/sync/conflicts", min_seq=seq, wait_ms="2000").status_code == 200:
            return True
        self.folder()
        return False

    def newcomer(self, *, proved):
        """Another member, of this request alone, since codes are sent to one account and address only so often."""
        person = Newcomer(self.live, f"{ids.new_id().hex}@acme.test")
        address = {"email": person.email, "claimed_email": None}
        if not proved:
            address = {"email": None, "claimed_email": person.email}
        user_id, token_id = str(ids.new_id()), ids.new_id()
        owner = {"user_id": user_id}
        with self.live.database() as database:
            for table, of, changes in (
                ("identity_user", "id", {"id": user_id, **address}),
                ("identity_membership", "user_id", {"id": str(ids.new_id()), **owner}),
                ("identity_api_token", "user_id", {"id": str(token_id), **owner}),
            ):
                made = database.execute(
                    f"INSERT INTO public.{table} SELECT (jsonb_populate_record(one, %s::jsonb)).* FROM public.{table} one"
                    f" WHERE {of} = %s ORDER BY id LIMIT 1",
                    [json.dumps(changes), ACME.people["mia"].user_id],
                )
                assert made.rowcount == 1, table
        person.headers = {"Authorization": f"Bearer bv_{token_id.hex}_{SECRET}"}
        return person

    def browser(self):
        """Headers of a browser that has just signed in at the vault's own host."""
        host = {"Host": self.live.tenant_host}
        answer = httpx.post(
            f"{self.live.base_url}/api/v1/auth/login", json={"email": self.email, "password": PASSWORD}, headers=host
        )
        assert answer.status_code == 200
        cookies = {name: quote(value, safe="") for name, value in answer.cookies.items()}
        return {
            **host,
            "Authorization": "",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["csrftoken"],
            "Origin": self.live.tenant_url,
        }


@dataclass
class Newcomer:
    """Somebody to whom codes are sent."""

    live: Any
    email: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask_for_code(self, path, body=None):
        """Ask for a code, and read it in the mail: it stands on a line of its own."""
        answer = httpx.post(f"{self.live.base_url}/api/v1{path}", json=body, headers=self.headers)
        assert answer.status_code == 202, answer.text
        return self.read_code()

    def read_code(self):
        """Read the code of the one mail: it ends a line."""
        self.live.await_that(self._mails)
        (text,) = self._mails()
        return re.search(r"(?:^|code=)([0-9A-Z]{8,26})\r?$", text, re.MULTILINE)[1]

    def _mails(self):
        files = (self.live.directory / "mailbox").glob("*.eml")
        mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [mail.get_body(("plain",)).get_content() for mail in mails if mail["To"] == self.email]


def update_of(file):
    return {"mode": "update", "node_id": file["id"], "base_version_id": file["version_id"]}


def key():
    return {"Idempotency-Key": os.urandom(8).hex()}


def commit(**wishes):
    return lambda mia: Ask("POST", f"/uploads/{mia.sent(**wishes)['id']}/commit", {})


def commit_of_an_update(meanwhile):
    """An edit of a file with which something happens before it is committed."""

    def prepare(mia):
        file = mia.file()
        upload = mia.sent(**update_of(file))
        meanwhile(mia, file)
        return Ask("POST", f"/uploads/{upload['id']}/commit", {})

    return prepare


def start(mia):
    body = {"parent_id": mia.folder_id, "name": next(_names), "size_bytes": 5}
    return Ask("POST", "/uploads", body, key())


def start_batch(mia):
    hashes = [sha256(b"12345")]
    wishes = [
        {"parent_id": mia.folder_id, "name": next(_names), "size_bytes": 5, "part_hashes": hashes} for _ in range(3)
    ]
    return Ask("POST", "/uploads/batch", {"uploads": wishes}, key())


def commit_batch(mia):
    return Ask("POST", "/uploads/batch/commit", {"uploads": [{"id": mia.sent()["id"]} for _ in range(3)]})


def acknowledge(mia):
    device = mia.device()
    page = mia.api.get("/sync/changes", cursor=device["cursor"]).json()
    return Ask("POST", "/sync/cursor", {"cursor": page["cursor"]})


def settle(keep):
    return lambda mia: Ask("POST", f"/sync/conflicts/{mia.conflict()['id']}/resolve", {"keep": keep})


def rename(mia):
    file = mia.file()
    return Ask("PATCH", f"/nodes/{file['id']}", {"name": next(_names)}, {"If-Match": f'"{file["revision"]}"'})


def empty_trash(mia):
    assert mia.api.delete("/trash").status_code == 204
    mia.live.await_that(
        lambda: "files_trash" not in difference({"files_trash": 0}, tally(mia.live))
    )  # a worker ends it
    mia.trashed()
    return Ask("DELETE", "/trash")


def sign_parts(mia):
    upload = mia.sender.started(next(_names), b"12345", announce=False)
    return Ask("POST", f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": sha256(b"12345")}]})


ADAM = {"Authorization": f"Bearer {ACME.people['adam'].token}"}
"""Who administers the tenant."""


OLGA = {"Authorization": f"Bearer {ACME.people['olga'].token}"}
"""Who owns it."""


def team_folder(mia):
    return mia.adam.post("/team-folders", {"name": next(_names)}).json()


def change_team_folder(mia):
    folder = team_folder(mia)
    body = {"name": next(_names)}
    return Ask("PATCH", f"/team-folders/{folder['id']}", body, {**ADAM, "If-Match": f'"{folder["revision"]}"'})


def restore_team_folder(mia):
    folder = team_folder(mia)
    assert mia.adam.delete(f"/team-folders/{folder['id']}").status_code == 204
    return Ask("POST", f"/team-folders/{folder['id']}/restore", {}, {**ADAM, **key()})


def shared(mia):
    """A folder that everyone may see, and the share by which they do."""
    folder = mia.folder()
    share = mia.api.post(f"/nodes/{folder['id']}/shares", everyone("viewer"))
    assert share.status_code == 201, share.text
    return folder, share.json()


def everyone(role):
    return {"principal": {"type": "everyone"}, "role": role}


def take_share_back(mia):
    path = f"/shares/{shared(mia)[1]['id']}/left"
    assert mia.api.request("PUT", path).status_code == 204
    return Ask("DELETE", path)


def lent(mia):
    """A team folder that everyone sees, and that is nobody's own."""
    team = mia.adam.post("/team-folders", {"name": next(_names)}).json()
    answer = mia.adam.post(f"/nodes/{team['id']}/shares", everyone("viewer"))
    assert answer.status_code == 201, answer.content
    # Each process of the web learns of it within so long, and the answer may come from any.
    time.sleep(remembered.LIFETIME_SECONDS)
    return team


def shortcut(mia):
    team = lent(mia)
    made = mia.api.post(f"/nodes/{mia.folder()['id']}/shortcuts", {"node_id": team["id"]})
    assert made.status_code == 201, made.content
    return made.json()


def add_shortcut(mia):
    return Ask("POST", f"/nodes/{mia.folder()['id']}/shortcuts", {"node_id": lent(mia)["id"]}, key())


def domain(mia):
    made = mia.adam.post("/tenant/domains", {"domain": f"{ids.new_id().hex}.example.org"})
    assert made.status_code == 201, made.content
    return made.json()


def proved_domain(mia):
    made = domain(mia)
    with mia.live.database() as database:
        database.execute(
            "UPDATE public.identity_own_domain SET state = 'proved', proved_at = now() WHERE id = %s", [made["id"]]
        )
        database.execute(
            "INSERT INTO public.identity_domain (id, domain, is_primary, tenant_id) VALUES (gen_random_uuid(), %s, false, %s)",
            [made["domain"], ACME.id],
        )
    return made


def worn_by(mia):
    """Let mia have a picture."""
    assert mia.api.request("PUT", "/me/picture", {"upload_id": mia.picture()}).status_code == 200
    return ACME.people["mia"].user_id


def replace_shares(mia):
    return Ask("PUT", f"/nodes/{shared(mia)[0]['id']}/shares", {"shares": [everyone("editor")]})


def answer_request(mia):
    """Vera asks for a folder of mia's, and the request has come to mia."""
    folder_id = mia.folder()["id"]
    vera = {"Authorization": f"Bearer {ACME.people['vera'].token}"}
    asked = mia.api.request("POST", f"/nodes/{folder_id}/access-requests", {}, headers=vera)
    assert asked.status_code == 204, asked.text
    for _ in range(100):
        found = [one for one in mia.api.get("/access-requests").json()["items"] if one["node"]["id"] == folder_id]
        if found:
            return Ask("POST", f"/access-requests/{found[0]['id']}/answer", {"granted": True})
        time.sleep(0.1)
    raise AssertionError("no worker has taken the request on")


def edited(mia):
    """The address of the older of a file's two versions."""
    file = mia.file()
    mia.sender.bring(file["name"], os.urandom(21), **update_of(file))
    return f"/nodes/{file['id']}/versions/{file['version_id']}"


def log_in(mia):
    for session in mia.api.get("/sessions").json()["items"]:  # a person has only so many
        mia.api.delete(f"/sessions/{session['id']}")
    host = {"Host": mia.live.tenant_host, "Authorization": ""}
    return Ask("POST", "/auth/login", {"email": mia.email, "password": PASSWORD}, host)


def end_visit(mia):
    """Somebody of support looks at the vault."""
    visit_id, now = ids.new_id(), clock.now()
    with mia.live.database() as database:
        database.execute(
            "INSERT INTO public.identity_impersonation (id, operator_id, operator_name, operator_session_id, tenant_id, slug,"
            " member_id, member_email, reason, began_at, expires_at, ended_for)"
            " VALUES (%s, %s, 'Sue', gen_random_uuid(), %s, 'acme', %s, 'mia@acme.test', 'why', %s, %s, '')",
            [
                visit_id,
                ACME.people["olga"].user_id,
                ACME.id,
                ACME.people["mia"].user_id,
                now,
                now + timedelta(minutes=5),
            ],
        )
    return Ask("DELETE", f"/support-visits/{visit_id}", None, ADAM)


def end_session(mia):
    mia.browser()
    session = mia.api.get("/sessions").json()["items"][0]
    return Ask("DELETE", f"/sessions/{session['id']}")


def make_token(mia):
    body = {"name": next(_names), "scopes": ["files:read"], "expires_at": "2026-12-24T00:00:00Z"}
    return Ask("POST", "/tokens", {**body, "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})


def trash_children(mia):
    folder = mia.folder()
    Sender(mia.api, folder["id"]).bring(next(_names), os.urandom(20))
    return Ask("POST", f"/nodes/{folder['id']}/children/batch", {"action": "trash"})


def move_children(mia):
    folder, target = mia.folder(), mia.folder()
    Sender(mia.api, folder["id"]).bring(next(_names), os.urandom(20))
    return Ask("POST", f"/nodes/{folder['id']}/children/batch", {"action": "move", "parent_id": target["id"]})


def moment():
    return datetime.now(UTC).isoformat()


def planned_rewind(mia):
    """A rewind that is planned; until the record of what was has come far enough, none is. Its job waits: what it does is counted nowhere."""
    answers = []
    with mia.live.database() as database:
        paused = database.execute(
            "INSERT INTO public.jobs_paused_kind (kind, reason, paused_at) VALUES ('files.rewind', '', now()) ON CONFLICT DO NOTHING"
        )
        if paused.rowcount:
            time.sleep(PAUSED_AFTER_SECONDS)

    def is_planned():
        answers.append(mia.api.post(f"/nodes/{mia.folder()['id']}/rewind", {"since": moment()}))
        return answers[-1].status_code == 201

    mia.live.await_that(is_planned)
    return answers[-1].json()


def plan_rewind_of_all(mia):
    wish = {"since": moment(), "by_kind": "user", "by_id": str(ACME.people["mia"].user_id)}
    return Ask("POST", "/rewinds", wish, {**key(), **ADAM})


def run_rewind(mia):
    return Ask("POST", f"/rewinds/{planned_rewind(mia)['id']}/run")


def undo_rewind(mia):
    rewind_id = planned_rewind(mia)["id"]
    assert mia.api.post(f"/rewinds/{rewind_id}/run").status_code == 202
    return Ask("POST", f"/rewinds/{rewind_id}/undo", None, key())


def send_email_code(mia):
    return Ask("POST", "/auth/email/send", None, mia.newcomer(proved=False).headers)


def verify_email(mia):
    person = mia.newcomer(proved=False)
    return Ask("POST", "/auth/email/verify", {"code": person.ask_for_code("/auth/email/send")}, person.headers)


def forget_password(mia):
    return Ask("POST", "/auth/password/forgot", {"email": mia.newcomer(proved=True).email}, NOBODY)


def reset_password(mia):
    person = mia.newcomer(proved=True)
    code = person.ask_for_code("/auth/password/forgot", {"email": person.email})
    return Ask("POST", "/auth/password/reset", {"code": code, "new_password": "another sentence of my own"}, NOBODY)


def member(mia):
    """Somebody who is in the vault, and whose id nobody else's request names."""
    person = mia.newcomer(proved=True)
    return next(one for one in mia.adam.get("/members", q=person.email).json()["items"])


def update_member(mia):
    return Ask("PATCH", f"/members/{member(mia)['id']}", {"role": "viewer", "state": "deactivated"}, ADAM)


def remove_member(mia):
    successor = ACME.people["adam"].user_id
    return Ask("DELETE", f"/members/{member(mia)['id']}?successor_id={successor}", None, ADAM)


def group(mia):
    return mia.adam.post("/groups", {"name": next(_names)}).json()


def have_vault_deleted(mia):
    mia.api.request("DELETE", "/tenant/deletion", headers=OLGA)
    return Ask("POST", "/tenant/deletion", {"name": mia.api.get("/me").json()["tenant"]["name"]}, OLGA)


def take_picture_off(mia):
    assert mia.api.request("PUT", "/me/picture", {"upload_id": mia.picture()}).status_code == 200
    return Ask("DELETE", "/me/picture")


def take_logo_away(mia):
    wish = {"upload_id": mia.picture(ADAM)}
    assert mia.api.request("PUT", "/tenant/logo", wish, headers=ADAM).status_code == 200
    return Ask("DELETE", "/tenant/logo", None, ADAM)


def keep_vault(mia):
    wish = have_vault_deleted(mia)
    assert mia.api.request(wish.method, wish.path, wish.body, headers=OLGA).status_code == 201
    return Ask("DELETE", "/tenant/deletion", None, OLGA)


def role_body():
    return {"name": next(_names), "permissions": ["see_audit"]}


def role(mia):
    return mia.adam.post("/roles", role_body()).json()


def hold(_=None, **more):
    # Of somebody who has a root: it is made when a person comes first.
    person = {"target": "person", "user_id": str(ACME.people["mia"].user_id)}
    return {"kind": "hold", "name": next(_names), **person, **more}


def held(mia):
    return f"/retention/{mia.adam.post('/retention', hold()).json()['id']}"


def put_into_group(mia):
    return Ask("PUT", f"/groups/{group(mia)['id']}/members/{ACME.people['mia'].user_id}", {"is_manager": True}, ADAM)


def take_out_of_group(mia):
    path = f"/groups/{group(mia)['id']}/members/{ACME.people['mia'].user_id}"
    assert mia.adam.request("PUT", path, {}).status_code == 200
    return Ask("DELETE", path, None, ADAM)


def invite(_):
    return Ask(
        "POST", "/invitations", {"email": f"{ids.new_id().hex}@elsewhere.test", "role": "member"}, {**ADAM, **key()}
    )


def invited(mia):
    """An address that is invited, and who reads its mails."""
    person = Newcomer(mia.live, f"{ids.new_id().hex}@elsewhere.test")
    made = mia.adam.post("/invitations", {"email": person.email, "role": "member"})
    assert made.status_code == 201, made.text
    return made.json(), person


def resend_invitation(mia):
    return Ask("POST", f"/invitations/{invited(mia)[0]['id']}/resend", None, ADAM)


def withdraw_invitation(mia):
    return Ask("DELETE", f"/invitations/{invited(mia)[0]['id']}", None, ADAM)


def accept_invitation(mia):
    _, person = invited(mia)
    body = {"name": next(_names), "password": "a sentence of my own"}
    return Ask("POST", f"/public/invitations/{person.read_code()}", body, NOBODY)


def link(mia, **wish):
    made = mia.api.post(f"/nodes/{mia.file()['id']}/links", {"kind": "download", **wish})
    assert made.status_code == 201, made.text
    return made.json()


def draw_link(mia):
    made = link(mia)
    return Ask("POST", f"/links/{made['id']}/qr", {"address": made["url"]})


def unlock_link(mia):
    made = link(mia, password="a sentence of my own")
    path = f"/public/links/{made['url'].rpartition('/')[2]}/unlock"
    return Ask("POST", path, {"password": "a sentence of my own"}, {"Host": mia.live.tenant_host, **NOBODY})


def visit_of(mia):
    """Begin a visit in which a stranger sends files; gives the path of its link and what the stranger's requests bring."""
    request = {"title": "Files", "ask_name": False}
    made = mia.api.post(f"/nodes/{mia.folder()['id']}/links", {"kind": "upload", "request": request})
    assert made.status_code == 201, made.text
    path = f"/public/links/{made.json()['url'].rpartition('/')[2]}"
    host = {"Host": mia.live.tenant_host}
    begun = mia.plain.post(f"{mia.live.base_url}/api/v1{path}/submissions", json={}, headers=host)
    assert begun.status_code == 201, begun.text
    return path, {**host, "BitVault-Link-Submission": begun.json()["submission_token"]}


def sent_by_stranger(mia, *, puts=False):
    """Begin an upload of a stranger's; gives its path, its headers and its hash."""
    path, headers = visit_of(mia)
    content = next(_names).encode()
    body = {"name": next(_names), "size_bytes": len(content), "part_hashes": [sha256(content)]}
    started = mia.plain.post(f"{mia.live.base_url}/api/v1{path}/uploads", json=body, headers=headers)
    assert started.status_code == 201, started.text
    if puts:
        assert put(started.json()["parts"][0], content).status == 200
    return f"{path}/uploads/{started.json()['id']}", headers, sha256(content)


def begin_visit(mia):
    path, headers = visit_of(mia)
    headers.pop("BitVault-Link-Submission")
    return Ask("POST", f"{path}/submissions", {}, {**headers, **NOBODY})


def make_folder_for_stranger(mia):
    path, headers = visit_of(mia)
    return Ask("POST", f"{path}/folders", {"folder": [next(_names)]}, {**headers, **NOBODY})


def start_for_stranger(mia):
    path, headers = visit_of(mia)
    body = {"name": next(_names), "size_bytes": 1, "part_hashes": [sha256(b"x")]}
    return Ask("POST", f"{path}/uploads", body, {**headers, **NOBODY, "Idempotency-Key": next(_names)})


def rename_for_stranger(mia):
    folder = mia.folder()
    inside = mia.api.post("/folders", {"parent_id": folder["id"], "name": next(_names)}).json()
    link = mia.api.post(f"/nodes/{folder['id']}/links", {"kind": "edit"}).json()
    path = f"/public/links/{link['url'].rpartition('/')[2]}/nodes/{inside['id']}"
    return Ask("PATCH", path, {"name": next(_names)}, {"Host": mia.live.tenant_host, **NOBODY})


def announce_for_stranger(mia):
    path, headers, digest = sent_by_stranger(mia)
    return Ask("POST", f"{path}/parts", {"parts": [{"number": 1, "sha256": digest}]}, {**headers, **NOBODY})


def commit_for_stranger(mia):
    path, headers, digest = sent_by_stranger(mia, puts=True)
    return Ask("POST", f"{path}/commit", {"part_hashes": [digest]}, {**headers, **NOBODY})


def give_up_for_stranger(mia):
    path, headers, _ = sent_by_stranger(mia)
    return Ask("DELETE", path, None, {**headers, **NOBODY})


def finish_visit(mia):
    path, headers, digest = sent_by_stranger(mia, puts=True)
    done = mia.plain.post(f"{mia.live.base_url}/api/v1{path}/commit", json={"part_hashes": [digest]}, headers=headers)
    assert done.status_code == 201, done.text
    return Ask("POST", f"{path.rpartition('/uploads')[0]}/submissions/current/finish", {}, {**headers, **NOBODY})


NOBODY = {"Authorization": ""}
"""Without a credential."""
CODES = "public.identity_email_code"
SENT = f"{SCHEMA}.links_sent_file"
UPLOADS = f"{SCHEMA}.storage_multipart_upload"
KEPT_ANSWERS = f"{SCHEMA}.web_idempotency_key"
"""Written with what it answers; the table of jobs is one that workers wait for, too."""

ARCHIVES = f"{SCHEMA}.storage_archive"
PAUSED_AFTER_SECONDS = 1.5
"""Workers look once a second at what is paused."""
REWINDS = f"{SCHEMA}.files_rewind"
RESERVATIONS = f"{SCHEMA}.billing_reservation"
TRASH = f"{SCHEMA}.files_trash"
PEOPLE = "public.identity_user"
PICTURES = "public.identity_picture"
TENANTS = "public.identity_tenant"


def choose_preference(_):
    chosen = {"topic": "shared", "browser": True, "mail": "daily"}
    return Ask("PUT", "/notifications/preferences", {"items": [chosen]})


def subscription(mia):
    return mia.api.post("/subscriptions", {"node_id": mia.folder()["id"]}).json()


def browser(mia):
    return mia.api.post("/notifications/browsers", Subscriber(f"https://8.8.8.8/{ids.new_id().hex}").body()).json()


def name_browser(_):
    return Ask("POST", "/notifications/browsers", Subscriber(f"https://8.8.8.8/{ids.new_id().hex}").body())


def renew_browser(mia):
    body = Subscriber(f"https://8.8.8.8/{ids.new_id().hex}").body()
    return Ask("PUT", f"/notifications/browsers/{browser(mia)['id']}", body)


def webhook(mia):
    """A webhook that nothing reaches, with a message that was sent."""
    webhook_id, delivery_id = ids.new_id(), ids.new_id()
    with mia.live.database() as database:
        database.execute(
            f"INSERT INTO {SCHEMA}.webhooks_webhook (id, url, events, description, format, is_enabled, disabled_reason, secret,"
            " previous_secret, round, position, wanted_seq, try_count, created_by, created_at) VALUES (%s, 'https://127.0.0.1/',"
            " '{events.*}', '', 'standard', true, '', '', '', 0, 0, 0, 0, gen_random_uuid(), now())",
            [webhook_id],
        )
        database.execute(
            f"INSERT INTO {SCHEMA}.webhooks_delivery (id, webhook_id, message_id, kind, state, event_type, body, tries, created_at)"
            " VALUES (%s, %s, 'msg', 'test', 'failed', 'webhooks.test', '{}', '[]', now())",
            [delivery_id, webhook_id],
        )
    return f"/webhooks/{webhook_id}", f"/webhooks/{webhook_id}/deliveries/{delivery_id}"


def quarantined(mia, content_hash=None):
    """A content in which something was found."""
    content_id = ids.new_id()
    with mia.live.database() as database:
        database.execute(
            f"INSERT INTO {SCHEMA}.scanning_content (id, content_hash, blob_id, size_bytes, state, reason, try_count, created_at, scanned_at,"
            " signature, name, release_reason) VALUES (%s, %s, gen_random_uuid(), 1, 'infected', '', 0, now(), now(), 'Worm', 'a', '')",
            [content_id, content_hash or content_id.hex * 2],
        )
    return content_id


def siem_export(mia):
    """A SIEM export that is paused."""
    export_id = ids.new_id()
    with mia.live.database() as database:
        database.execute(
            f"INSERT INTO {SCHEMA}.admin_platform_siem_export (id, is_installation, url, secret, description, is_enabled, round,"
            " position, try_count, last_failure, created_at)"
            " VALUES (%s, false, 'https://8.8.8.8/', '', '', false, 0, 0, 0, '', now())",
            [export_id],
        )
    return f"/audit/siem-exports/{export_id}"


def make_siem_export(mia):
    with mia.live.database() as database:  # a vault has five at most
        database.execute(f"DELETE FROM {SCHEMA}.admin_platform_siem_export")
    return Ask("POST", "/audit/siem-exports", {"url": "https://8.8.8.8/", "description": next(_names)}, ADAM)


def put_away(mia):
    """All files with a content in which something was found."""
    file = mia.file()
    return Ask("POST", f"/quarantine/{quarantined(mia, file['content_hash'])}/trash", None, ADAM)


def make_webhook(_):
    return Ask("POST", "/webhooks", {"url": "https://8.8.8.8/", "events": ["events.*"]}, ADAM)


DELIVERIES = f"{SCHEMA}.webhooks_delivery"


def locked(mia):
    file = mia.file()
    assert mia.api.request("PUT", f"/nodes/{file['id']}/lock", {}).status_code == 200
    return file


def favourite(mia):
    folder = mia.folder()
    assert mia.api.request("PUT", f"/nodes/{folder['id']}/favourite").status_code == 204
    return folder


def comment(mia):
    return mia.api.post(f"/nodes/{mia.folder()['id']}/comments", {"text": next(_names)}).json()


def tag(mia):
    return mia.api.post("/tags", {"name": next(_names)}).json()


def tagged(mia):
    """The address of a tag that a folder has."""
    path = f"/nodes/{mia.folder()['id']}/tags/{tag(mia)['id']}"
    assert mia.api.request("PUT", path).status_code == 204
    return path


def template(mia):
    body = {"name": next(_names), "fields": [{"name": "f", "kind": "text"}]}
    made = mia.adam.post("/metadata/templates", body)
    assert made.status_code == 201, made.content
    return made.json()


def described(mia):
    """The address of a field that a folder has something in."""
    path = f"/nodes/{mia.folder()['id']}/metadata/{template(mia)['fields'][0]['id']}"
    assert mia.api.request("PUT", path, {"value": "x"}).status_code == 200
    return path


def ruled(mia):
    """The address of the rules that a folder has."""
    path = f"/nodes/{mia.folder()['id']}/file-rules"
    assert mia.api.request("PUT", path, {"largest_file_bytes": 5}).status_code == 200
    return path


def described_folder(mia):
    """The address of the description that a folder has."""
    path = f"/nodes/{mia.folder()['id']}/description"
    assert mia.api.request("PUT", path, {"text": "x"}).status_code == 200
    return path


CASES = {
    "folder": Case(
        "POST /folders", lambda mia: Ask("POST", "/folders", {"parent_id": mia.root_id, "name": next(_names)}, key())
    ),
    "rename": Case("PATCH /nodes/{node_id}", rename),
    "copy": Case(
        "POST /nodes/{node_id}/copy",
        lambda mia: Ask(
            "POST", f"/nodes/{mia.file()['id']}/copy", {"parent_id": mia.root_id, "name": next(_names)}, key()
        ),
        holds=RESERVATIONS,
    ),
    "extract": Case(
        "POST /nodes/{node_id}/extract",
        lambda mia: Ask("POST", f"/nodes/{mia.file('.zip')['id']}/extract", {}, key()),
        holds=KEPT_ANSWERS,
    ),
    "plan a rewind": Case(
        "POST /nodes/{node_id}/rewind",
        lambda mia: Ask("POST", f"/nodes/{mia.folder()['id']}/rewind", {"since": moment()}, key()),
        holds=REWINDS,
    ),
    "plan a rewind of all": Case("POST /rewinds", plan_rewind_of_all, holds=REWINDS),
    "rewind": Case("POST /rewinds/{rewind_id}/run", run_rewind, holds=REWINDS),
    "undo a rewind": Case("POST /rewinds/{rewind_id}/undo", undo_rewind, holds=REWINDS),
    "archive": Case(
        "POST /archives",
        lambda mia: Ask("POST", "/archives", {"node_ids": [mia.file()["id"]]}, key()),
        holds=ARCHIVES,
    ),
    "delete": Case("DELETE /nodes/{node_id}", lambda mia: Ask("DELETE", f"/nodes/{mia.file()['id']}"), again=404),
    "trash children": Case("POST /nodes/{node_id}/children/batch", trash_children),
    "move children": Case("POST /nodes/{node_id}/children/batch", move_children),
    "empty the trash": Case("DELETE /trash", empty_trash, holds=TRASH),
    "purge": Case(
        "DELETE /trash/{node_id}", lambda mia: Ask("DELETE", f"/trash/{mia.trashed()['id']}"), holds=TRASH, again=404
    ),
    "restore": Case(
        "POST /trash/{node_id}/restore",
        lambda mia: Ask("POST", f"/trash/{mia.trashed()['id']}/restore", {}, key()),
    ),
    "restore a set": Case(
        "POST /trash/restore", lambda mia: Ask("POST", "/trash/restore", {"ids": [mia.trashed()["id"]]})
    ),
    "team folder": Case(
        "POST /team-folders", lambda _: Ask("POST", "/team-folders", {"name": next(_names)}, {**ADAM, **key()})
    ),
    "change a team folder": Case("PATCH /team-folders/{folder_id}", change_team_folder),
    "end a team folder": Case(
        "DELETE /team-folders/{folder_id}",
        lambda mia: Ask("DELETE", f"/team-folders/{team_folder(mia)['id']}", None, ADAM),
        again=404,
    ),
    "restore a team folder": Case("POST /team-folders/{folder_id}/restore", restore_team_folder),
    "share": Case(
        "POST /nodes/{node_id}/shares",
        lambda mia: Ask("POST", f"/nodes/{mia.folder()['id']}/shares", everyone("viewer"), key()),
    ),
    "replace shares": Case("PUT /nodes/{node_id}/shares", replace_shares),
    "change a share": Case(
        "PATCH /shares/{share_id}", lambda mia: Ask("PATCH", f"/shares/{shared(mia)[1]['id']}", {"role": "editor"})
    ),
    "end a share": Case(
        "DELETE /shares/{share_id}", lambda mia: Ask("DELETE", f"/shares/{shared(mia)[1]['id']}"), again=404
    ),
    "leave a share": Case(
        "PUT /shares/{share_id}/left", lambda mia: Ask("PUT", f"/shares/{shared(mia)[1]['id']}/left")
    ),
    "add a shortcut": Case("POST /nodes/{node_id}/shortcuts", add_shortcut, holds=f"{SCHEMA}.sharing_shortcut"),
    "rename a shortcut": Case(
        "PATCH /shortcuts/{shortcut_id}",
        lambda mia: Ask("PATCH", f"/shortcuts/{shortcut(mia)['id']}", {"name": next(_names)}),
        holds=f"{SCHEMA}.sharing_shortcut",
    ),
    "remove a shortcut": Case(
        "DELETE /shortcuts/{shortcut_id}",
        lambda mia: Ask("DELETE", f"/shortcuts/{shortcut(mia)['id']}"),
        holds=f"{SCHEMA}.sharing_shortcut",
        again=404,
    ),
    "name a domain": Case(
        "POST /tenant/domains",
        lambda _: Ask("POST", "/tenant/domains", {"domain": f"{ids.new_id().hex}.example.org"}, ADAM),
    ),
    "look at a domain": Case(
        "POST /tenant/domains/{domain_id}/check",
        lambda mia: Ask("POST", f"/tenant/domains/{domain(mia)['id']}/check", None, ADAM),
        holds="public.identity_own_domain",
    ),
    "choose a domain for mails": Case(
        "PATCH /tenant/domains/{domain_id}",
        lambda mia: Ask("PATCH", f"/tenant/domains/{proved_domain(mia)['id']}", {"is_primary": True}, ADAM),
    ),
    "remove a domain": Case(
        "DELETE /tenant/domains/{domain_id}",
        lambda mia: Ask("DELETE", f"/tenant/domains/{domain(mia)['id']}", None, ADAM),
        again=404,
    ),
    "remove a member's picture": Case(
        "DELETE /members/{member_id}/picture",
        lambda mia: Ask("DELETE", f"/members/{worn_by(mia)}/picture", None, ADAM),
    ),
    "take a share back": Case("DELETE /shares/{share_id}/left", take_share_back),
    "ask for access": Case(
        "POST /nodes/{node_id}/access-requests",
        lambda _: Ask("POST", f"/nodes/{ids.new_id()}/access-requests", {}),
        holds=f"{SCHEMA}.sharing_access_request",
    ),
    "answer a request": Case("POST /access-requests/{request_id}/answer", answer_request, again=404),
    "describe a version": Case(
        "PATCH /nodes/{node_id}/versions/{version_id}",
        lambda mia: Ask("PATCH", edited(mia), {"label": next(_names), "pinned": True}),
    ),
    "delete a version": Case(
        "DELETE /nodes/{node_id}/versions/{version_id}", lambda mia: Ask("DELETE", edited(mia)), again=404
    ),
    "bring a version back": Case(
        "POST /nodes/{node_id}/versions/{version_id}/restore",
        lambda mia: Ask("POST", f"{edited(mia)}/restore", {}, key()),
        holds=RESERVATIONS,
    ),
    "upload": Case("POST /uploads", start, holds=RESERVATIONS),
    "start a batch": Case("POST /uploads/batch", start_batch, holds=RESERVATIONS),
    "commit a batch": Case("POST /uploads/batch/commit", commit_batch),
    "abort": Case(
        "DELETE /uploads/{upload_id}", lambda mia: Ask("DELETE", f"/uploads/{mia.sent()['id']}"), holds=UPLOADS
    ),
    "commit": Case("POST /uploads/{upload_id}/commit", commit(), again=200),
    "commit of an edit": Case("POST /uploads/{upload_id}/commit", commit_of_an_update(lambda *_: None), again=200),
    "commit of a stale edit": Case(
        "POST /uploads/{upload_id}/commit",
        commit_of_an_update(lambda mia, file: mia.sender.bring(file["name"], os.urandom(9), **update_of(file))),
        again=200,
    ),
    "commit of an edit of a deleted file": Case(
        "POST /uploads/{upload_id}/commit",
        commit_of_an_update(lambda mia, file: mia.api.delete(f"/nodes/{file['id']}")),
        again=200,
    ),
    "device": Case(
        "POST /sync/devices",
        lambda _: Ask("POST", "/sync/devices", {"name": next(_names), "platform": "test"}, key()),
    ),
    "end a device": Case(
        "DELETE /sync/devices/{device_id}", lambda mia: Ask("DELETE", f"/sync/devices/{mia.device()['id']}"), again=404
    ),
    "acknowledge": Case("POST /sync/cursor", acknowledge, holds=f"{SCHEMA}.sync_device_cursor"),
    "keep both": Case("POST /sync/conflicts/{conflict_id}/resolve", settle("both")),
    "keep the original": Case("POST /sync/conflicts/{conflict_id}/resolve", settle("original")),
    "keep the copy": Case("POST /sync/conflicts/{conflict_id}/resolve", settle("copy")),
    "change what others see of me": Case(
        "PATCH /me", lambda _: Ask("PATCH", "/me", {"name": next(_names)}), holds=PEOPLE
    ),
    "wear a picture": Case(
        "PUT /me/picture", lambda mia: Ask("PUT", "/me/picture", {"upload_id": mia.picture()}), holds=PICTURES
    ),
    "take a picture off": Case("DELETE /me/picture", take_picture_off, holds=PICTURES),
    "give the vault a logo": Case(
        "PUT /tenant/logo",
        lambda mia: Ask("PUT", "/tenant/logo", {"upload_id": mia.picture(ADAM)}, ADAM),
        holds=PICTURES,
    ),
    "take the logo of the vault away": Case("DELETE /tenant/logo", take_logo_away, holds=PICTURES),
    "send a picture": Case(
        "POST /pictures/uploads",
        lambda _: Ask("POST", "/pictures/uploads", {"size_bytes": 1, "sha256": "0" * 64}, key()),
        holds=UPLOADS,
    ),
    "set what the vault is called": Case(
        "PATCH /tenant", lambda _: Ask("PATCH", "/tenant", {"name": next(_names)}, ADAM), holds=TENANTS
    ),
    "log out": Case("POST /auth/logout", lambda mia: Ask("POST", "/auth/logout", None, mia.browser()), again=401),
    "sign parts": Case("POST /uploads/{upload_id}/parts", sign_parts, holds=None),
    "ticket": Case("POST /sync/ticket", lambda _: Ask("POST", "/sync/ticket", {}), holds=None),
    "cancel a job": Case("DELETE /jobs/{job_id}", lambda mia: Ask("DELETE", f"/jobs/{mia.job()}"), holds=None),
    "revoke a token": Case(
        "DELETE /tokens/{token_id}", lambda mia: Ask("DELETE", f"/tokens/{mia.token()['id']}"), again=404
    ),
    "end a visit of support": Case("DELETE /support-visits/{visit_id}", end_visit, again=404),
    "end a session": Case("DELETE /sessions/{session_id}", end_session, again=404),
    "link": Case(
        "POST /nodes/{node_id}/links",
        lambda mia: Ask("POST", f"/nodes/{mia.file()['id']}/links", {"kind": "download"}),
        leaves_another="its address is kept nowhere, so it cannot be told a second time",
    ),
    "change a link": Case(
        "PATCH /links/{link_id}", lambda mia: Ask("PATCH", f"/links/{link(mia)['id']}", {"name": next(_names)})
    ),
    "end a link": Case("DELETE /links/{link_id}", lambda mia: Ask("DELETE", f"/links/{link(mia)['id']}"), again=404),
    "draw a link": Case("POST /links/{link_id}/qr", draw_link, holds=None),
    "visit of a stranger": Case(
        "POST /public/links/{token}/submissions",
        begin_visit,
        holds=f"{SCHEMA}.links_submission",
        leaves_another="a visit in which nothing is sent is told to nobody",
    ),
    "folder of a stranger": Case("POST /public/links/{token}/folders", make_folder_for_stranger),
    "upload of a stranger": Case("POST /public/links/{token}/uploads", start_for_stranger, holds=SENT),
    "rename by a stranger": Case("PATCH /public/links/{token}/nodes/{node_id}", rename_for_stranger),
    "parts of a stranger": Case(
        "POST /public/links/{token}/uploads/{upload_id}/parts", announce_for_stranger, holds=None
    ),
    "commit of a stranger": Case(
        "POST /public/links/{token}/uploads/{upload_id}/commit", commit_for_stranger, again=200
    ),
    "upload that a stranger gives up": Case(
        "DELETE /public/links/{token}/uploads/{upload_id}", give_up_for_stranger, holds=UPLOADS, again=404
    ),
    "end of a stranger's visit": Case("POST /public/links/{token}/submissions/current/finish", finish_visit),
    "password of a link": Case("POST /public/links/{token}/unlock", unlock_link, holds=None),
    "token": Case(
        "POST /tokens", make_token, leaves_another="its secret is kept nowhere, so it cannot be told a second time"
    ),
    "code for an address": Case("POST /auth/email/send", send_email_code, holds=CODES),
    "verify an address": Case("POST /auth/email/verify", verify_email, again=422),
    "forgotten password": Case(
        "POST /auth/password/forgot",
        forget_password,
        holds=CODES,
        leaves_another="the code of the first mail stays good, for whoever reads that one",
    ),
    "reset a password": Case("POST /auth/password/reset", reset_password, again=422),
    "change a member": Case("PATCH /members/{member_id}", update_member),
    "remove a member": Case("DELETE /members/{member_id}", remove_member, again=404),
    "group": Case("POST /groups", lambda _: Ask("POST", "/groups", {"name": next(_names)}, ADAM), again=409),
    "change a group": Case(
        "PATCH /groups/{group_id}",
        lambda mia: Ask("PATCH", f"/groups/{group(mia)['id']}", {"name": next(_names)}, ADAM),
    ),
    "delete a group": Case(
        "DELETE /groups/{group_id}", lambda mia: Ask("DELETE", f"/groups/{group(mia)['id']}", None, ADAM), again=404
    ),
    "have the vault deleted": Case("POST /tenant/deletion", have_vault_deleted, again=409),
    "keep the vault": Case("DELETE /tenant/deletion", keep_vault, again=404),
    "hold": Case("POST /retention", lambda _: Ask("POST", "/retention", hold(), {**ADAM, **key()})),
    "change a hold": Case(
        "PATCH /retention/{policy_id}", lambda mia: Ask("PATCH", held(mia), {"name": next(_names)}, ADAM)
    ),
    "lift a hold": Case("DELETE /retention/{policy_id}", lambda mia: Ask("DELETE", held(mia), None, ADAM)),
    "role": Case("POST /roles", lambda _: Ask("POST", "/roles", role_body(), ADAM), again=409),
    "change a role": Case(
        "PATCH /roles/{role_id}", lambda mia: Ask("PATCH", f"/roles/{role(mia)['id']}", role_body(), ADAM)
    ),
    "delete a role": Case(
        "DELETE /roles/{role_id}", lambda mia: Ask("DELETE", f"/roles/{role(mia)['id']}", None, ADAM), again=404
    ),
    "limit the vault": Case(
        "PUT /quotas/tenant", lambda _: Ask("PUT", "/quotas/tenant", {"limit_bytes": 2**40 - next(_sizes)}, ADAM)
    ),
    "limit a member": Case(
        "PUT /quotas/{scope}",
        lambda _: Ask(
            "PUT",
            f"/quotas/user:{ACME.people['mia'].user_id}",
            {"limit_bytes": None, "warn_bytes": 2**40 - next(_sizes)},
            ADAM,
        ),
    ),
    "choose a feature": Case(
        "PUT /features/{key}", lambda _: Ask("PUT", "/features/previews.engine", {"value": next(_engines)}, ADAM)
    ),
    "put into a group": Case("PUT /groups/{group_id}/members/{user_id}", put_into_group),
    "take out of a group": Case("DELETE /groups/{group_id}/members/{user_id}", take_out_of_group, again=404),
    "invite": Case("POST /invitations", invite),
    "mark notices as read": Case(
        "POST /notifications/read",
        lambda _: Ask("POST", "/notifications/read", {"ids": [str(ids.new_id())]}),
        holds=f"{SCHEMA}.notifications_read_mark",
    ),
    "choose how to be told": Case(
        "PUT /notifications/preferences", choose_preference, holds=f"{SCHEMA}.notifications_preference"
    ),
    "be told in a browser": Case("POST /notifications/browsers", name_browser, holds=f"{SCHEMA}.notifications_browser"),
    "go on in a browser": Case(
        "PUT /notifications/browsers/{browser_id}", renew_browser, holds=f"{SCHEMA}.notifications_browser"
    ),
    "be told in a browser no more": Case(
        "DELETE /notifications/browsers/{browser_id}",
        lambda mia: Ask("DELETE", f"/notifications/browsers/{browser(mia)['id']}"),
        holds=f"{SCHEMA}.notifications_browser",
        again=404,
    ),
    "follow": Case(
        "POST /subscriptions",
        lambda mia: Ask("POST", "/subscriptions", {"node_id": mia.folder()["id"]}),
        holds=f"{SCHEMA}.notifications_subscription",
    ),
    "follow no more": Case(
        "DELETE /subscriptions/{subscription_id}",
        lambda mia: Ask("DELETE", f"/subscriptions/{subscription(mia)['id']}"),
        holds=f"{SCHEMA}.notifications_subscription",
        again=404,
    ),
    "scan for malware": Case(
        "PATCH /scanning/rule", lambda _: Ask("PATCH", "/scanning/rule", {"unscanned": next(_closed)}, ADAM)
    ),
    "put away what is in quarantine": Case(
        "POST /quarantine/{content_id}/trash",
        put_away,
    ),
    "release from quarantine": Case(
        "POST /quarantine/{content_id}/release",
        lambda mia: Ask("POST", f"/quarantine/{quarantined(mia)}/release", {"reason": "known"}, ADAM),
    ),
    "SIEM export": Case(
        "POST /audit/siem-exports",
        make_siem_export,
        leaves_another="without a key it is another wish for the same address, as with webhooks",
    ),
    "change a SIEM export": Case(
        "PATCH /audit/siem-exports/{export_id}",
        lambda mia: Ask("PATCH", siem_export(mia), {"description": next(_names)}, ADAM),
    ),
    "delete a SIEM export": Case(
        "DELETE /audit/siem-exports/{export_id}", lambda mia: Ask("DELETE", siem_export(mia), None, ADAM), again=404
    ),
    "start a SIEM export again": Case(
        "POST /audit/siem-exports/{export_id}/restart",
        lambda mia: Ask("POST", f"{siem_export(mia)}/restart", {"from_number": 1}, ADAM),
        leaves_another="each begins anew; receivers know an entry by its number",
    ),
    "test a SIEM export": Case(
        "POST /audit/siem-exports/{export_id}/test",
        lambda mia: Ask("POST", f"{siem_export(mia)}/test", None, ADAM),
        holds="public.jobs_job",
        leaves_another="a second test is another message",
    ),
    "webhook": Case(
        "POST /webhooks",
        make_webhook,
        leaves_another="its secret is kept nowhere readable, and cannot be told a second time",
    ),
    "change a webhook": Case(
        "PATCH /webhooks/{webhook_id}", lambda mia: Ask("PATCH", webhook(mia)[0], {"description": next(_names)}, ADAM)
    ),
    "delete a webhook": Case(
        "DELETE /webhooks/{webhook_id}", lambda mia: Ask("DELETE", webhook(mia)[0], None, ADAM), again=404
    ),
    "new secret of a webhook": Case(
        "POST /webhooks/{webhook_id}/rotate-secret",
        lambda mia: Ask("POST", f"{webhook(mia)[0]}/rotate-secret", None, ADAM),
        leaves_another="a secret cannot be told a second time, so there is another",
    ),
    "replay": Case(
        "POST /webhooks/{webhook_id}/replay",
        lambda mia: Ask("POST", f"{webhook(mia)[0]}/replay", {"from_seq": 1}, ADAM),
        leaves_another="each begins anew; receivers know what they had by its id",
    ),
    "test a webhook": Case(
        "POST /webhooks/{webhook_id}/test",
        lambda mia: Ask("POST", f"{webhook(mia)[0]}/test", None, ADAM),
        holds=DELIVERIES,
        leaves_another="a second test is another message",
    ),
    "deliver again": Case(
        "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
        lambda mia: Ask("POST", f"{webhook(mia)[1]}/redeliver", None, ADAM),
        holds=DELIVERIES,
        leaves_another="receivers know the message by its id",
    ),
    "lock": Case(
        "PUT /nodes/{node_id}/lock",
        lambda mia: Ask("PUT", f"/nodes/{mia.file()['id']}/lock", {"reason": "At work"}),
    ),
    "lock ended": Case(
        "DELETE /nodes/{node_id}/lock",
        lambda mia: Ask("DELETE", f"/nodes/{locked(mia)['id']}/lock"),
    ),
    "rules of a folder": Case(
        "PUT /nodes/{node_id}/file-rules",
        lambda mia: Ask("PUT", f"/nodes/{mia.folder()['id']}/file-rules", {"largest_file_bytes": 5}),
    ),
    "rules of a folder no more": Case(
        "DELETE /nodes/{node_id}/file-rules",
        lambda mia: Ask("DELETE", ruled(mia)),
    ),
    "favourite": Case(
        "PUT /nodes/{node_id}/favourite",
        lambda mia: Ask("PUT", f"/nodes/{mia.folder()['id']}/favourite"),
        holds=f"{SCHEMA}.annotations_favourite",
    ),
    "favourite no more": Case(
        "DELETE /nodes/{node_id}/favourite",
        lambda mia: Ask("DELETE", f"/nodes/{favourite(mia)['id']}/favourite"),
        holds=f"{SCHEMA}.annotations_favourite",
    ),
    "comment": Case(
        "POST /nodes/{node_id}/comments",
        lambda mia: Ask("POST", f"/nodes/{mia.folder()['id']}/comments", {"text": next(_names)}, key()),
    ),
    "change a comment": Case(
        "PATCH /comments/{comment_id}",
        lambda mia: Ask("PATCH", f"/comments/{comment(mia)['id']}", {"text": next(_names)}),
    ),
    "delete a comment": Case(
        "DELETE /comments/{comment_id}",
        lambda mia: Ask("DELETE", f"/comments/{comment(mia)['id']}"),
        again=404,
    ),
    "tag": Case("POST /tags", lambda _: Ask("POST", "/tags", {"name": next(_names)}, key())),
    "change a tag": Case(
        "PATCH /tags/{tag_id}", lambda mia: Ask("PATCH", f"/tags/{tag(mia)['id']}", {"name": next(_names)}, ADAM)
    ),
    "delete a tag": Case(
        "DELETE /tags/{tag_id}", lambda mia: Ask("DELETE", f"/tags/{tag(mia)['id']}", None, ADAM), again=404
    ),
    "make a template": Case(
        "POST /metadata/templates",
        lambda _: Ask(
            "POST",
            "/metadata/templates",
            {"name": next(_names), "fields": [{"name": "f", "kind": "text"}]},
            {**ADAM, **key()},
        ),
    ),
    "change a template": Case(
        "PATCH /metadata/templates/{template_id}",
        lambda mia: Ask("PATCH", f"/metadata/templates/{template(mia)['id']}", {"name": next(_names)}, ADAM),
    ),
    "delete a template": Case(
        "DELETE /metadata/templates/{template_id}",
        lambda mia: Ask("DELETE", f"/metadata/templates/{template(mia)['id']}", None, ADAM),
        again=404,
    ),
    "set metadata": Case(
        "PUT /nodes/{node_id}/metadata/{field_id}",
        lambda mia: Ask("PUT", described(mia), {"value": next(_names)}),
    ),
    "describe a folder": Case(
        "PUT /nodes/{node_id}/description",
        lambda mia: Ask("PUT", described_folder(mia), {"text": next(_names)}, {"If-Match": '"1"'}),
    ),
    "remove a description": Case(
        "DELETE /nodes/{node_id}/description",
        lambda mia: Ask("DELETE", described_folder(mia), None, {"If-Match": '"1"'}),
    ),
    "clear metadata": Case("DELETE /nodes/{node_id}/metadata/{field_id}", lambda mia: Ask("DELETE", described(mia))),
    "put a tag on": Case(
        "PUT /nodes/{node_id}/tags/{tag_id}",
        lambda mia: Ask("PUT", f"/nodes/{mia.folder()['id']}/tags/{tag(mia)['id']}"),
    ),
    "take a tag off": Case("DELETE /nodes/{node_id}/tags/{tag_id}", lambda mia: Ask("DELETE", tagged(mia))),
    "send an invitation again": Case(
        "POST /invitations/{invitation_id}/resend",
        resend_invitation,
        leaves_another="each mail has a code of its own, and that of the last one counts",
    ),
    "withdraw an invitation": Case("DELETE /invitations/{invitation_id}", withdraw_invitation, again=404),
    "accept an invitation": Case("POST /public/invitations/{code}", accept_invitation, again=404),
    "log in": Case("POST /auth/login", log_in, leaves_another="a session's cookie is kept nowhere either"),
}
ELSEWHERE = {
    "POST /auth/password": "the second one is refused, for the password that it names is not the present one: test_change_password.py",
    "PUT /payment/plan": "what is lost is an answer of the provider's: tests/apps/billing/test_payment.py",
    "POST /payment/portal": "it leaves nothing: each address is good for some minutes",
}
"""Routes that change something and are not here, and why."""

COUNTED = {
    **{name: f"{SCHEMA}.{name}" for name in ("files_node", "files_version", "files_trash", "storage_multipart_upload")},
    **{
        name: f"{SCHEMA}.{name}"
        for name in ("billing_reservation", "sync_device", "sharing_permission", "storage_archive")
    },
    **{
        name: f"public.{name}"
        for name in ("identity_api_token", "identity_session", "identity_email_code", "identity_invitation")
    },
}


def test_every_route_that_changes_something_is_here():
    changing = {f"{method} {route.path}" for route, method, _ in operations() if method not in ("GET", "HEAD")}
    assert changing == {case.route for case in CASES.values()} | set(ELSEWHERE)


@pytest.fixture(scope="module")
def mia(live):
    """Mia, and a worker that keeps the feed at the head of the stream."""
    live.start_worker()
    return Mia(live, live.client("mia"))


def tally(live):
    """Count what there is, and what has happened: events by type, and copies of conflicts among them."""
    with live.database() as database:
        counts = {
            name: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for name, table in COUNTED.items()
        }
        happened = database.execute(
            "SELECT type, payload->>'conflict_with_id' IS NOT NULL, count(*) FROM public.events_stream_event GROUP BY 1, 2"
        ).fetchall()
        used = database.execute(f"SELECT coalesce(sum(used_bytes), 0) FROM {SCHEMA}.billing_quota").fetchone()[0]
    return {**counts, **{f"{kind} {copy}": count for kind, copy, count in happened}, "used_bytes": used}


def difference(before, after):
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


def send(mia, ask):
    content = b"" if ask.body is None else json.dumps(ask.body).encode()
    kind = {"Content-Type": "application/json"} if content else {}
    url = f"{mia.live.base_url}/api/v1{ask.path}"
    return mia.plain.request(ask.method, url, content=content, headers={**headers_of(mia, ask), **kind})


def headers_of(mia, ask):
    headers = {"Authorization": f"Bearer {mia.live.token}", **ask.headers}
    return {name: value for name, value in headers.items() if value}


MOMENTS = ["in_the_request", "before_the_commit", "before_the_answer", "in_the_answer"]


@pytest.mark.parametrize("name", CASES)
def test_a_lost_answer_is_asked_for_again(mia, name):
    case = CASES[name]
    ask = case.prepare(mia)
    before = tally(mia.live)
    first = send(mia, ask)
    assert first.status_code < 300, first.text
    expected = difference(before, tally(mia.live))
    for moment in MOMENTS if case.holds else [MOMENTS[0], MOMENTS[-1]]:
        ask = case.prepare(mia)
        before = tally(mia.live)
        line = CutLine(mia.live, headers_of(mia, ask), ask.method, ask.path, ask.body)
        if moment in ("before_the_commit", "before_the_answer"):
            getattr(line, moment)(case.holds)
        else:
            getattr(line, moment)()
        done = moment in ("before_the_answer", "in_the_answer")
        if done:  # what nobody waits for any more goes on to its end
            mia.live.await_that(lambda: difference(before, tally(mia.live)) == expected)  # noqa: B023 - asked at once
        assert difference(before, tally(mia.live)) == (expected if done else {}), moment
        retried = send(mia, ask)
        assert retried.status_code == (case.again if done and case.again else first.status_code), (moment, retried.text)
        what = difference(before, tally(mia.live))
        if done and case.leaves_another:
            what = {entry: count // 2 for entry, count in what.items()}
        assert what == expected, moment
        if retried.status_code < 300 and retried.content:
            assert retried.json().keys() == first.json().keys()
