"""The vault's rules for files hold by whichever way a file comes in, are told with what would do, and leave alone what is here."""

import pytest
from django.test import Client

from apps.files.dtos.uploads import UploadWish
from apps.files.operations import authorising
from apps.identity import policies
from bitvault.kernel import tenancy
from tests.gateway import test_link_edits, test_link_uploads
from tests.gateway.test_upload_batches import count_statements, room, start, wish
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.world import ACME

pytestmark = pytest.mark.store

ask = test_link_uploads.ask
inbox = test_link_uploads.inbox


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def rule(api):
    """Set rules, for the length of a test."""

    def rule(**wanted):
        answer = api("adam").patch("/tenant", {"policies": wanted})
        assert answer.status_code == 200, answer.content

    policies.forget_remembered()
    yield rule
    policies.forget_remembered()


def refusal(answer):
    body = answer.json()
    return answer.status_code, body["code"], {key: body[key] for key in ("extension", "allowed", "ask") if key in body}


def refused(extension, allowed=None, ask="administrators"):
    return 422, "files.type_refused", {"extension": extension, "allowed": allowed, "ask": ask}


def test_a_refused_type_gets_no_upload_and_is_told_with_whom_to_ask(mia, rule):
    rule(file_types="except", file_extensions=["EXE"])
    assert refusal(mia.start("invoice.pdf.Exe", b"x")) == refused(".exe")
    assert mia.start("invoice.pdf", b"x").status_code == 201
    rule(file_types="only", file_extensions=[".pdf", "tar.gz"])
    assert refusal(mia.start("README", b"x")) == refused("", [".pdf", ".tar.gz"])
    assert mia.start("b.tar.gz", b"x").status_code == 201
    rule(file_types="all")
    assert mia.start("invoice.pdf.exe", b"x").status_code == 201


def test_a_file_of_the_largest_size_comes_in_and_one_of_a_byte_more_does_not(mia, rule):
    rule(largest_file_bytes=5)
    assert mia.start("a.txt", b"12345").status_code == 201
    answer = mia.start("b.txt", b"123456")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (413, "files.size_refused")
    assert (body["limit_bytes"], body["size_bytes"], body["ask"]) == (5, 6, "administrators")


def test_what_is_here_stays_is_copied_and_renamed_but_gets_no_other_refused_type(mia, rule):
    program, text = mia.bring("setup.exe", b"program"), mia.bring("a.txt", b"text")
    rule(file_types="except", file_extensions=[".exe", ".bat"])

    def rename(node, name):
        path = f"/nodes/{node['id']}"
        revision = mia.api.get(path).json()["revision"]
        return mia.api.patch(path, {"name": name}, headers={"if-match": f'"{revision}"'})

    def copy(node, **body):
        return mia.api.post(f"/nodes/{node['id']}/copy", {"parent_id": mia.parent_id, "autorename": True, **body})

    assert mia.fetch(program).data == b"program"
    assert rename(program, "Installer.EXE").status_code == 200
    assert refusal(rename(program, "setup.bat")) == refused(".bat")
    assert refusal(rename(text, "a.exe")) == refused(".exe")
    assert copy(program).status_code == 201
    assert refusal(copy(text, name="a.exe")) == refused(".exe")
    # A folder is no file, whatever it is called.
    folder = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "tools.exe"})
    assert rename(folder.json(), "other.exe").status_code == 200
    # New bytes are an upload.
    version = {"mode": "update", "node_id": program["id"], "base_version_id": program["version_id"]}
    assert refusal(mia.start("setup.exe", b"another", **version)) == refused(".exe")
    assert mia.start("a.txt", b"another", mode="overwrite").status_code == 201


def test_in_a_batch_each_file_has_its_own_refusal(mia, rule):
    rule(file_types="only", file_extensions=["txt"], largest_file_bytes=5)
    names = {"a.txt": b"1", "b.exe": b"1", "c.txt": b"123456", "d": b"1", "e.TXT": b"1"}
    items = start(mia, [wish(mia, name, content) for name, content in names.items()])
    codes = [item["problem"]["code"] if item.get("problem") else item["status"] for item in items]
    assert codes == [201, "files.type_refused", "files.size_refused", "files.type_refused", 201]
    # No room is held for what was refused.
    assert room(mia) == (0, 2)


def test_visitors_of_a_request_are_told_to_ask_who_gave_the_link(mia, ask, rule):
    link = ask()
    rule(file_types="except", file_extensions=["exe"])
    stranger = test_link_uploads.Outsider(link)
    assert refusal(stranger.start("program.exe")) == refused(".exe", ask="link")
    assert stranger.send("photo.jpg").status_code == 201
    assert stranger.sent() == ["photo.jpg"]


def test_visitors_who_edit_bring_and_rename_to_no_refused_type(mia, rule):
    box = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Box"}).json()
    plan = Sender(mia.api, box["id"]).bring("plan.txt", b"first")
    visitor = test_link_edits.Visitor(test_link_edits.make(mia, box)["url"].rpartition("/")[2])
    rule(file_types="only", file_extensions=["txt"])
    assert refusal(visitor.start("a.exe", b"x")) == refused(".exe", [".txt"], "link")
    renamed = visitor.ask("PATCH", f"/nodes/{plan['id']}", {"name": "plan.exe"})
    assert refusal(renamed) == refused(".exe", [".txt"], "link")
    assert visitor.ask("PATCH", f"/nodes/{plan['id']}", {"name": "Plan.txt"}).status_code == 200


def test_a_stranger_to_a_folder_learns_no_rule_there(mia, api, rule):
    rule(file_types="only", file_extensions=["txt"])
    assert Sender(api("vera"), mia.parent_id).start("a.exe", b"x").status_code == 404


def test_fifty_files_are_judged_by_as_many_statements_as_five(mia, rule, acme, make_actor):
    rule(file_types="except", file_extensions=[f"x{number}" for number in range(200)])
    actor = make_actor("mia")
    counts = set()
    for count in (5, 50):
        wishes = [
            UploadWish(parent_id=mia.parent_id, name=f"{n}.x{n}", mode="add", autorename=False, size_bytes=1)
            for n in range(count)
        ]
        with tenancy.entered(acme):
            policies.forget_remembered()
            counts.add(count_statements(lambda wishes=wishes: authorising.authorise_many(actor=actor, wishes=wishes)))
    assert len(counts) == 1


def test_rules_of_a_folder_are_set_read_and_taken_away_by_who_manages_it(mia, api):
    papers = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Papers"}).json()
    path = f"/nodes/{papers['id']}/file-rules"
    body = {"file_types": "only", "file_extensions": ["PDF"], "largest_file_bytes": 5}
    answer = mia.api.request("PUT", path, body)
    assert (answer.status_code, answer.json()["in_force"]) == (
        200,
        {"allowed_extensions": [".pdf"], "refused_extensions": [], "largest_file_bytes": 5},
    )
    again = mia.api.request("PUT", path, body)
    assert (again.json()["set_at"], again.has_header("BitVault-Seq")) == (answer.json()["set_at"], True)
    unfit = mia.api.request("PUT", path, {"file_types": "only"})
    assert (unfit.status_code, unfit.json()["code"], unfit.json()["field"]) == (
        422,
        "files.rules_unfit",
        "file_extensions",
    )
    shared = mia.api.post(f"/nodes/{papers['id']}/shares", by_rest(ACME.people["vera"].user_id, "viewer", notify=False))
    assert shared.status_code == 201
    vera = api("vera")
    assert vera.get(path).json()["file_extensions"] == [".pdf"]
    assert [vera.request(method, path, {}).status_code for method in ("PUT", "DELETE")] == [403, 403]
    assert mia.api.delete(path).json()["set_at"] is None
    assert vera.get(path).json()["in_force"]["allowed_extensions"] is None


def test_visitors_are_told_a_folders_rules_beforehand_and_not_its_name(mia, ask):
    link = ask(max_file_bytes=100)
    path = f"/nodes/{mia.parent_id}/file-rules"
    assert mia.api.request("PUT", path, {"file_types": "only", "file_extensions": ["jpg"], "largest_file_bytes": 50})
    try:
        stranger = test_link_uploads.Outsider(link)
        told = stranger.api.get(stranger.base).json()["request"]
        assert (told["allowed_extensions"], told["refused_extensions"], told["max_file_bytes"]) == ([".jpg"], [], 50)
        answer = stranger.start("program.exe")
        assert refusal(answer) == refused(".exe", [".jpg"], "link")
        assert (answer.json()["rule_of"], answer.json()["folder_name"], answer.json()["folder_id"]) == (
            "folder",
            None,
            None,
        )
        assert stranger.send("photo.jpg").status_code == 201
    finally:
        mia.api.delete(path)


def test_the_page_of_a_link_that_lets_edit_tells_the_rules_beforehand(mia):
    box = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Box"}).json()
    rules = {"file_types": "only", "file_extensions": ["txt"], "largest_file_bytes": 1024}
    assert mia.api.request("PUT", f"/nodes/{box['id']}/file-rules", rules).status_code == 200
    for kind, told in (("edit", True), ("download", False)):
        url = mia.api.post(f"/nodes/{box['id']}/links", {"kind": kind}).json()["url"]
        page = Client(headers={"host": test_link_uploads.HOST}).get(f"/s/{url.rpartition('/')[2]}").content.decode()
        assert ('data-accept=".txt"' in page, "Only .txt" in page) == (told, told)
