"""Previews over REST: made by jobs from what the stream tells, shown to who may see, kept once, gone with their content."""

from datetime import timedelta

import pytest
import urllib3

from apps.previews.models import Preview
from apps.storage import keys, provider
from apps.storage import models as stored
from apps.storage.operations import collecting, deriving, reconciling, references, scrubbing
from bitvault.events import consuming
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from tests.apps.previews import pictures
from tests.support.own_bucket import own_bucket
from tests.support.sending import Sender
from tests.support.world import ACME

pytestmark = [pytest.mark.store, pytest.mark.committed]

pool = urllib3.PoolManager()


def fetch(url):
    return pool.request("GET", url, redirect=False)


def derived(acme):
    with tenancy.entered(acme), db.read_transaction():
        return sorted(stored.DerivedObject.objects.values_list("name", flat=True))


def test_a_picture_has_a_preview_soon_after_it_came(mia, work):
    node = mia.bring("holiday.jpg", pictures.picture("JPEG", (1500, 1000)))
    waiting = mia.api.get(f"/nodes/{node['id']}/preview")
    assert (waiting.status_code, waiting.json()) == (202, {"state": "making"})
    assert waiting["Retry-After"] == "1"
    assert work() == 1
    answer = mia.api.get(f"/nodes/{node['id']}/preview", size="small")
    assert answer.status_code == 302
    assert answer["Cache-Control"] == "private, max-age=240"
    shown = fetch(answer["Location"])
    assert (shown.status, shown.headers["Content-Type"], shown.data[8:12]) == (200, "image/webp", b"WEBP")
    assert shown.headers["Cache-Control"].startswith("private, max-age=")


def test_a_url_stays_the_same_for_a_while_so_that_browsers_keep_the_picture(mia, work):
    node = mia.bring("a.png", pictures.picture("PNG"))
    work()
    urls = {mia.api.get(f"/nodes/{node['id']}/preview")["Location"] for _ in range(3)}
    assert len(urls) <= 2  # two where the step changes just now


def test_the_same_content_is_drawn_once_for_all_files_that_have_it(mia, work, acme):
    content = pictures.picture("PNG")
    nodes = [mia.bring(name, content) for name in ("a.png", "b.png")]
    assert work() == 1
    assert derived(acme) == ["medium", "small"]
    for node in nodes:
        assert mia.api.get(f"/nodes/{node['id']}/preview").status_code == 302
    mia.bring("c.png", content)
    assert work() == 0


def test_a_list_of_files_is_answered_in_one_request(mia, work):
    shown = mia.bring("a.png", pictures.picture("PNG"))
    none = mia.bring("a.zip", b"PK")
    work()
    late = mia.bring("b.jpg", pictures.picture("JPEG"))
    folder = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "f"}).json()
    every = [shown["id"], none["id"], late["id"], folder["id"], str(ids.new_id())]
    answer = mia.api.get("/previews", node_ids=",".join(every))
    assert answer.status_code == 200
    items = {item["node_id"]: item for item in answer.json()["items"]}
    assert set(items) == {shown["id"], none["id"], late["id"]}
    assert items[shown["id"]]["state"] == "ready"
    assert items[shown["id"]]["version_id"] == shown["version_id"]
    assert fetch(items[shown["id"]]["url"]).status == 200
    assert (items[none["id"]]["state"], items[none["id"]]["reason"]) == ("none", "type")
    assert items[late["id"]]["state"] == "making"
    assert work() == 1
    too_many = mia.api.get("/previews", node_ids=",".join(str(ids.new_id()) for _ in range(101)))
    assert (too_many.status_code, too_many.json()["code"]) == (422, "previews.too_many_nodes")
    assert mia.api.get("/previews", node_ids="nonsense").status_code == 422


@pytest.mark.parametrize("count", [2, 20])
def test_a_list_costs_the_same_queries_however_many_files_it_has(mia, work, count, django_assert_max_num_queries):
    nodes = [mia.bring(f"{number}.png", pictures.picture("PNG", (10 + number, 10))) for number in range(count)]
    work()
    wanted = ",".join(node["id"] for node in nodes)
    mia.api.get("/previews", node_ids=wanted)
    with django_assert_max_num_queries(14):
        answer = mia.api.get("/previews", node_ids=wanted)
    assert [item["state"] for item in answer.json()["items"]] == ["ready"] * count


def test_who_may_only_see_sees_the_preview_and_gets_no_bytes(mia, api, work):
    node = mia.bring("a.png", pictures.picture("PNG"))
    text = mia.bring("a.txt", b"to be read")
    work()
    adam = api("adam")
    for each in (node, text):
        assert adam.get(f"/nodes/{each['id']}/preview").status_code == 404
        share = {"principal": {"type": "user", "id": str(ACME.people["adam"].user_id)}, "role": "previewer"}
        assert mia.api.post(f"/nodes/{each['id']}/shares", share).status_code in (200, 201)
    assert adam.get(f"/nodes/{node['id']}/preview").status_code == 302
    assert adam.get(f"/nodes/{text['id']}/text").status_code == 202
    assert adam.get("/previews", node_ids=node["id"]).json()["items"][0]["state"] == "ready"
    assert adam.get(f"/nodes/{node['id']}/content").status_code == 403


def test_nobody_sees_previews_of_what_they_do_not_see(mia, api, work):
    node = mia.bring("a.png", pictures.picture("PNG"))
    work()
    adam = api("adam")
    assert adam.get(f"/nodes/{node['id']}/preview").json()["code"] == "access.not_found"
    assert adam.get("/previews", node_ids=node["id"]).json() == {"items": []}


def test_pages_of_a_document_are_drawn_when_somebody_turns_to_them(mia, work):
    node = mia.bring("a.pdf", pictures.pdf(pages=3))
    work()
    assert mia.api.get("/previews", node_ids=node["id"]).json()["items"][0]["page_count"] == 3
    assert mia.api.get(f"/nodes/{node['id']}/preview", size="large", page=2).status_code == 202
    assert work() == 1
    assert mia.api.get(f"/nodes/{node['id']}/preview", size="large", page=2).status_code == 302
    missing = mia.api.get(f"/nodes/{node['id']}/preview", page=4)
    assert (missing.status_code, missing.json()["code"]) == (404, "files.no_preview")
    assert missing.json()["reason"] == "no_such_page"
    assert work() == 0


def test_a_text_is_read_when_somebody_looks_at_it(mia, work):
    node = mia.bring("notes.md", "# Grüße\n<script>alert(1)</script>".encode())
    assert work() == 0
    assert mia.api.get(f"/nodes/{node['id']}/text").status_code == 202
    assert work() == 1
    shown = fetch(mia.api.get(f"/nodes/{node['id']}/text")["Location"])
    assert shown.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert shown.data.decode() == "# Grüße\n<script>alert(1)</script>"
    empty = mia.bring("empty.txt", b"")
    mia.api.get(f"/nodes/{empty['id']}/text")
    work()
    assert fetch(mia.api.get(f"/nodes/{empty['id']}/text")["Location"]).data == b""


def test_an_older_version_has_its_own_preview(mia, work):
    old = mia.bring("a.png", pictures.picture("PNG", (40, 40)))
    mia.bring("a.png", pictures.picture("PNG", (50, 50)), mode="overwrite")
    work()
    now = mia.api.get(f"/nodes/{old['id']}/preview")["Location"]
    before = mia.api.get(f"/nodes/{old['id']}/preview", version_id=old["version_id"])["Location"]
    assert fetch(now).data != fetch(before).data


def test_a_bomb_parks_its_job_and_says_why_and_others_are_drawn(mia, work):
    bomb = mia.bring("bomb.png", pictures.png_bomb(side=20_000))
    good = mia.bring("good.png", pictures.picture("PNG"))
    assert work() == 2
    answer = mia.api.get(f"/nodes/{bomb['id']}/preview")
    assert (answer.status_code, answer.json()["reason"]) == (404, "too_large")
    assert Job.objects.get(kind="previews.make", state="failed").problem["code"] == "files.no_preview"
    assert mia.api.get(f"/nodes/{good['id']}/preview").status_code == 302
    assert work() == 0


def test_a_preview_whose_worker_dies_each_time_is_not_tried_for_ever(mia, work, acme, monkeypatch):
    from apps.previews import running

    node = mia.bring("a.png", pictures.picture("PNG"))

    def die(*_):
        raise SystemError

    monkeypatch.setattr(running, "run", die)
    for _ in range(5):
        work()
        Job.objects.filter(state="queued").update(run_at=clock.now())
    assert Job.objects.get(kind="previews.make").state == "failed"
    answer = mia.api.get(f"/nodes/{node['id']}/preview")
    assert (answer.status_code, answer.json()["reason"]) == (404, "failed")


def delete(sender, node):
    assert sender.api.delete(f"/nodes/{node['id']}").status_code == 204
    assert sender.api.delete(f"/trash/{node['id']}").status_code == 204


def collect(acme, settings):
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}
    with tenancy.entered(acme):
        consuming.consume(references.CONSUMER)
        return collecting.collect()


def derived_keys(acme):
    return {key for key in provider.store().list_keys(f"{acme.id.hex}/") if key.endswith("/derived")}


def test_previews_are_collected_with_the_last_file_of_their_content(mia, api, acme, work, settings):
    content = pictures.picture("PNG")
    mine = mia.bring("a.png", content)
    other = api("adam")
    before = derived_keys(acme)
    theirs = Sender(other, other.get("/me").json()["root_id"]).bring("b.png", content)
    work()
    assert len(derived_keys(acme) - before) == 2
    delete(mia, mine)
    collect(acme, settings)
    assert derived(acme) == ["medium", "small"]
    work()
    assert other.get(f"/nodes/{theirs['id']}/preview").status_code == 302
    delete(Sender(other, ""), theirs)
    assert collect(acme, settings)["derived"] == 2
    assert derived(acme) == []
    work()
    with tenancy.entered(acme), db.read_transaction():
        assert not Preview.objects.exists()
    assert derived_keys(acme) <= before


def test_a_preview_that_is_made_while_its_content_goes_is_not_kept(mia, acme, work, settings, monkeypatch):
    from apps.previews import running

    node = mia.bring("a.png", pictures.picture("PNG"))
    run = running.run

    def delete_meanwhile(task, file):
        delete(mia, node)
        collect(acme, settings)
        return run(task, file)

    monkeypatch.setattr(running, "run", delete_meanwhile)
    work()
    assert derived(acme) == []


def test_reconciling_knows_previews_and_finds_those_that_nothing_names(mia, acme, work, monkeypatch, settings):
    with own_bucket(settings):
        find_strays(mia, acme, work, monkeypatch)


def find_strays(mia, acme, work, monkeypatch):
    mia.bring("a.png", pictures.picture("PNG"))
    work()
    monkeypatch.setattr(reconciling, "OLD", timedelta(days=-1))
    with tenancy.entered(acme):
        stray = f"{acme.id.hex}/{ids.new_id().hex}/derived"
        provider.store().put_object(stray, b"x")
        counts = reconciling.reconcile()
        assert counts.get("deleted", 0) >= 1
    assert provider.store().find_object(stray) is None
    assert derived(acme) == ["medium", "small"]
    assert len(derived_keys(acme)) == 2


def test_what_a_killed_worker_left_half_done_is_deleted_later(mia, acme, work, monkeypatch):
    mia.bring("a.png", pictures.picture("PNG"))
    put = provider.ObjectStore.put_object

    def die(self, key, body):
        put(self, key, body)
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(provider.ObjectStore, "put_object", die)
        work()
    monkeypatch.setattr(deriving, "UNFINISHED_KEPT", timedelta(days=-1))
    with tenancy.entered(acme):
        assert deriving.forget_unfinished() > 0
    assert derived(acme) == []


# --- what rots -------------------------------------------------------------------------------------------------------------


def rows_of(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return sorted(stored.DerivedObject.objects.all(), key=lambda row: row.size_bytes)


def plant(row, how):
    key, store = keys.derived_key(row.id), provider.store()
    if how == "not there":
        store.delete_objects([key])
    else:
        body = b"x" * (row.size_bytes if how == "other bytes" else row.size_bytes + 1)
        store._client.put_object(Bucket=store.bucket, Key=key, Body=body)


@pytest.mark.parametrize("how", ["other bytes", "other size", "not there"])
def test_a_preview_that_has_rotted_is_dropped_by_the_scrubber_and_made_anew(mia, work, acme, how):
    node, other = mia.bring("a.png", pictures.picture("PNG")), mia.bring("b.txt", b"text")
    work()
    address = f"/nodes/{node['id']}/preview"
    whole = fetch(mia.api.get(address)["Location"]).data
    with tenancy.entered(acme):
        counts = scrubbing.scrub(everything=True)
        assert (counts["read"], counts["derived_read"], "derived" in counts) == (2, 2, False)
        assert scrubbing.scrub() == {}
        plant(rows_of(acme)[-1], how)
        assert scrubbing.scrub(everything=True, is_dry=True)["derived"] == 1
        assert len(rows_of(acme)) == 2
        assert scrubbing.scrub(everything=True)["derived"] == 1
        assert rows_of(acme) == []
    found = stored.StoreFinding.objects.get(run__is_dry=False)
    assert (found.kind, found.outcome) == ("derived", "dropped")
    assert mia.api.get(address).status_code == 202
    assert work() == 1
    assert fetch(mia.api.get(address)["Location"]).data == whole
    assert mia.fetch(other).status == 200


def test_the_digest_of_a_preview_from_before_is_learned_when_it_is_read_first(mia, work, acme):
    mia.bring("a.png", pictures.picture("PNG"))
    work()
    with tenancy.entered(acme):
        with db.write_transaction():
            stored.DerivedObject.objects.update(digest=None)
        assert "derived" not in scrubbing.scrub(everything=True)
        assert all(row.digest for row in rows_of(acme))
        plant(rows_of(acme)[0], "other bytes")
        assert scrubbing.scrub(everything=True)["derived"] == 1
