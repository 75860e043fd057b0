"""The main job by REST, through real processes: files go in, come out identical, and nothing that was told is lost."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.support import sending
from tests.support.sending import PART, Sender, put

pytestmark = [pytest.mark.journey, pytest.mark.store]


@pytest.fixture(scope="module")
def api(live):
    return live.client("mia")


@pytest.fixture(scope="module")
def root_id(api):
    return api.get("/me").json()["root_id"]


@pytest.fixture
def folder(request, api, root_id):
    """A folder of this test's own."""
    answer = api.post("/folders", {"parent_id": root_id, "name": request.node.name[-200:].replace("/", " ")})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def mia(api, folder):
    return Sender(api, folder["id"])


def names_in(api, folder):
    return [node["name"] for node in api.get(f"/nodes/{folder['id']}/children").json()["items"]]


def test_a_token_tells_who_its_holder_is(live, api):
    me = api.get("/me").json()
    assert me["user"]["email"] == live.email
    assert (me["tenant"]["slug"], me["role"]) == ("acme", "member")


def test_files_of_every_kind_of_size_go_in_and_come_out_identical(api, folder, mia):
    contents = {"empty.txt": b"", "one byte.bin": b"\0", "20 MB.bin": os.urandom(20_000_000)}
    nodes = {name: mia.bring(name, content) for name, content in contents.items()}
    assert sorted(names_in(api, folder)) == sorted(contents)
    for name, content in contents.items():
        node = api.get(f"/nodes/{nodes[name]['id']}").json()
        assert node["size_bytes"] == len(content)
        assert node["content_hash"] == sending.content_hash(content)
        answer = mia.fetch(node)
        assert answer.status == 200
        assert answer.data == content
        assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_a_folder_of_real_files_goes_in_and_is_found_by_path(api, folder):
    """A few levels of folders, made as a program would walk a disk, each file sent at once with others."""
    tree = {
        f"reports/20{year}/q{quarter}.txt": os.urandom(1000 + quarter) for year in (25, 26) for quarter in range(1, 5)
    }
    folders = {"": folder["id"]}
    for path in tree:
        above = ""
        for name in path.split("/")[:-1]:
            here = f"{above}/{name}"
            if here not in folders:
                answer = api.post("/folders", {"parent_id": folders[above], "name": name})
                folders[here] = answer.json()["id"]
            above = here

    def send(path):
        parent, _, name = f"/{path}".rpartition("/")
        return Sender(api, folders[parent]).bring(name, tree[path])

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(send, tree))
    for path, content in tree.items():
        node = api.get("/nodes/by-path", path=f"/{folder['name']}/{path}").json()
        assert Sender(api, "").fetch(node).data == content


# --- connections that break ----------------------------------------------------------------------------------------------------


def test_an_upload_is_resumed_after_the_connection_broke_in_the_middle_of_a_part(live, folder, mia):
    content = os.urandom(2 * PART + 1000)
    pieces = sending.cut(content)
    upload = mia.started("resumed.bin", content)
    first, second, _third = upload["parts"]
    assert put(first, pieces[0]).status == 200
    _break_off(second, pieces[1])

    # Another program, another day: it knows the upload's id and the file.
    resumed = Sender(live.client("mia"), folder["id"])
    found = resumed.api.get(f"/uploads/{upload['id']}").json()
    assert [(part["number"], part["state"]) for part in found["parts"]] == [(1, "stored")]
    for part in resumed.sign(upload, content, [2, 3]):
        assert put(part, pieces[part["number"] - 1]).status == 200
    answer = resumed.commit(upload)
    assert answer.status_code == 201, answer.text
    assert resumed.fetch(answer.json()).data == content


def _break_off(part, body):
    """Send half of a part and drop the connection as a lost network does: by a reset, without a farewell."""
    address = urlsplit(part["url"])
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (
            f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
        )
        head += "".join(f"{name}: {value}\r\n" for name, value in part["headers"].items())
        connection.sendall(head.encode() + b"\r\n" + body[: len(body) // 2])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_commit_whose_answer_was_lost_is_repeated_without_a_second_version(live, api, folder, mia):
    content = os.urandom(5000)
    upload = mia.started("answer lost.bin", content)
    mia.send(upload, content)
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(
            f"POST /api/v1/uploads/{upload['id']}/commit HTTP/1.1\r\nHost: {live.tenant_host}\r\n"
            f"Authorization: Bearer {live.token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        live.await_that(lambda: names_in(api, folder) == ["answer lost.bin"])
    answer = mia.commit(upload)
    assert answer.status_code == 200
    again = mia.commit(upload)
    assert again.json()["id"] == answer.json()["id"]
    assert again.json()["version_id"] == answer.json()["version_id"]
    assert mia.fetch(answer.json()).data == content


# --- versions ------------------------------------------------------------------------------------------------------------------


def test_overwriting_makes_a_version_and_keeps_the_one_before(api, folder, mia):
    first, second = os.urandom(3000), os.urandom(4000)
    before = mia.bring("plan.txt", first)
    after = mia.bring("plan.txt", second, mode="overwrite")
    assert after["id"] == before["id"]
    assert after["version_id"] != before["version_id"]
    assert mia.fetch(after).data == second
    older = api.get(f"/nodes/{after['id']}/content", version_id=before["version_id"])
    assert sending.pool.request("GET", older.headers["Location"]).data == first
    assert names_in(api, folder) == ["plan.txt"]


def test_an_update_from_an_old_version_is_kept_beside_the_newer_one(api, folder, mia):
    base = mia.bring("shared.txt", b"base")
    update = {"mode": "update", "node_id": base["id"], "base_version_id": base["version_id"]}
    mine = mia.bring("shared.txt", b"mine", **update)
    theirs = mia.bring("shared.txt", b"theirs", **update)
    assert mine["id"] == base["id"]
    assert theirs["id"] != base["id"]
    assert "conflicted copy" in theirs["name"]
    assert (mia.fetch(mine).data, mia.fetch(theirs).data) == (b"mine", b"theirs")
    assert len(names_in(api, folder)) == 2


def test_a_taken_name_is_refused_before_any_byte_moves_unless_another_may_be_chosen(mia):
    mia.bring("taken.txt", b"1")
    refused = mia.start("Taken.TXT", b"2")
    assert (refused.status_code, refused.json()["code"]) == (409, "files.name_taken")
    assert mia.bring("taken.txt", b"2", autorename=True)["name"] == "taken (2).txt"


def test_of_many_uploads_of_one_name_at_once_one_wins_and_the_others_are_told(live, folder):
    """Each began while the name was free; the commits race, over both web processes."""
    senders = [Sender(live.client("mia"), folder["id"]) for _ in range(6)]
    contents = [os.urandom(500) for _ in senders]
    uploads = [sender.started("race.bin", content) for sender, content in zip(senders, contents, strict=True)]
    for sender, upload, content in zip(senders, uploads, contents, strict=True):
        sender.send(upload, content)
    barrier = threading.Barrier(len(senders))

    def commit(n):
        barrier.wait()
        return senders[n].commit(uploads[n])

    with ThreadPoolExecutor(len(senders)) as workers:
        answers = list(workers.map(commit, range(len(senders))))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"files.name_taken"}
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 201)
    assert senders[0].fetch(answers[winner].json()).data == contents[winner]


# --- the tree and the trash ----------------------------------------------------------------------------------------------------


def test_renamed_moved_thrown_away_and_brought_back(api, folder, mia):
    file = mia.bring("draft.txt", b"words")
    archive = api.post("/folders", {"parent_id": folder["id"], "name": "Archive"}).json()
    moved = api.patch(f"/nodes/{file['id']}", {"name": "final.txt", "parent_id": archive["id"]}, revision=1)
    assert moved.status_code == 200, moved.text
    stale = api.patch(f"/nodes/{file['id']}", {"name": "late.txt"}, revision=1)
    assert (stale.status_code, stale.json()["code"]) == (412, "files.revision_mismatch")

    assert api.delete(f"/nodes/{archive['id']}").status_code == 204
    assert names_in(api, folder) == []
    assert api.get(f"/nodes/{file['id']}/content").status_code == 404
    assert archive["id"] in [item["id"] for item in api.get("/trash").json()["items"]]

    restored = api.post(f"/trash/{archive['id']}/restore", {})
    assert restored.status_code == 200, restored.text
    path = [node["name"] for node in api.get(f"/nodes/{file['id']}/path").json()["items"]]
    assert path[-3:] == [folder["name"], "Archive", "final.txt"]
    assert mia.fetch(moved.json()).data == b"words"

    assert api.delete(f"/nodes/{file['id']}").status_code == 204
    assert api.delete(f"/trash/{file['id']}").status_code == 204
    assert api.get(f"/nodes/{file['id']}").status_code == 404


# --- ways in -------------------------------------------------------------------------------------------------------------------


def test_a_token_is_made_used_within_its_scopes_and_stops_within_a_second_in_every_process(live, api, root_id):
    body = {"name": "reader", "scopes": ["files:read"], "expires_at": _in_an_hour()}
    made = api.post("/tokens", body).json()
    reader = live.client_of(made["token"])
    assert reader.get("/nodes/root").json()["id"] == root_id
    assert reader.post("/folders", {"parent_id": root_id, "name": "no"}).status_code == 403
    connections = [live.client_of(made["token"]) for _ in range(8)]
    assert {client.get("/me").status_code for client in connections} == {200}
    assert api.delete(f"/tokens/{made['id']}").status_code == 204
    time.sleep(1.0)
    # Eight connections meet both web processes.
    assert {client.get("/me").status_code for client in connections} == {401}


def _in_an_hour():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def test_a_browser_signs_in_at_its_tenants_host_and_out_again(live):
    browser = live.client_of(None, host=live.tenant_host).http
    origin = {"Origin": live.tenant_url}
    signed_in = browser.post("/auth/login", json={"email": live.email, "password": live.password}, headers=origin)
    assert signed_in.status_code == 200, signed_in.text
    assert browser.get("/me").json()["user"]["email"] == live.email
    name = {"parent_id": browser.get("/me").json()["root_id"], "name": "by session"}
    assert browser.post("/folders", json=name, headers=origin).status_code == 403, "the cookie alone proves nothing"
    proof = {**origin, "X-CSRFToken": browser.cookies["csrftoken"]}
    assert browser.post("/folders", json=name, headers=proof).status_code == 201
    assert browser.post("/auth/logout", json={}, headers=proof).status_code == 204
    assert browser.get("/me").status_code == 401


def test_a_stranger_founds_a_vault_and_keeps_a_file_in_it(live):
    import re

    import httpx

    with httpx.Client(base_url=live.base_url, headers={"Host": f"localhost:{live.port}"}, timeout=30) as browser:
        page = browser.get("/sign-up/")
        proof = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        wishes = {"name": "Gamma", "slug": "gamma", "person_name": "Gina", "email": "gina@gamma.test"}
        form = {**wishes, "password": "a long enough secret", "csrfmiddlewaretoken": proof}
        answer = browser.post("/sign-up/", data=form, headers={"Origin": live.bare_url})
        assert answer.status_code == 302, answer.text
    host = f"gamma.localhost:{live.port}"
    gina = live.client_of(None, host=host).http
    origin = {"Origin": f"http://{host}"}
    body = {"email": "gina@gamma.test", "password": "a long enough secret"}
    assert gina.post("/auth/login", json=body, headers=origin).status_code == 200
    token = gina.post(
        "/tokens",
        json={"name": "cli", "scopes": ["files:read", "files:write"], "expires_at": _in_an_hour()},
        headers={**origin, "X-CSRFToken": gina.cookies["csrftoken"]},
    ).json()["token"]
    client = live.client_of(token)
    sender = Sender(client, client.get("/me").json()["root_id"])
    node = sender.bring("first.txt", b"hello")
    assert sender.fetch(node).data == b"hello"
    assert live.client("mia").get(f"/nodes/{node['id']}").status_code == 404


def test_room_is_promised_at_the_start_and_charged_at_the_commit(api, mia):
    (before,) = api.get("/quotas").json()["items"]
    upload = mia.started("room.bin", bytes(12_345))
    (during,) = api.get("/quotas").json()["items"]
    assert during["reserved_bytes"] == before["reserved_bytes"] + 12_345
    mia.send(upload, bytes(12_345))
    assert mia.commit(upload).status_code == 201
    (after,) = api.get("/quotas").json()["items"]
    assert after["used_bytes"] == before["used_bytes"] + 12_345
    assert after["reserved_bytes"] == before["reserved_bytes"]
