"""The REST surface of notifications, as docs/openapi.json says it."""

from uuid import uuid4

from apps.notifications import telling
from bitvault.events import consuming
from bitvault.kernel import tenancy
from tests.support.shares import by_rest
from tests.support.world import ACME


def catch_up(acme):
    with tenancy.entered(acme):
        consuming.consume("notifications")
        telling.tell()


def share_folder(api, name="Photos"):
    mia = api("mia")
    folder = mia.post("/folders", {"parent_id": mia.get("/nodes/root").json()["id"], "name": name}).json()
    answer = mia.post(f"/nodes/{folder['id']}/shares", by_rest(ACME.people["olga"].user_id, "viewer"))
    assert answer.status_code == 201, answer.content
    return folder, int(answer["BitVault-Seq"])


def test_notices_are_listed_marked_and_counted(api, acme):
    folder, seq = share_folder(api)
    catch_up(acme)
    olga = api("olga")
    body = olga.get("/notifications", min_seq=seq).json()
    assert body["as_of_seq"] >= seq
    assert body["unread_count"] == 1
    (notice,) = body["items"]
    assert notice == {
        "id": notice["id"],
        "kind": "shared",
        "topic": "shared",
        "text": "Mia shared Photos with you",
        "actor": {"id": str(ACME.people["mia"].user_id), "name": "Mia"},
        "node": {"id": folder["id"], "kind": "folder", "name": "Photos"},
        "folder": None,
        "count": 1,
        "occurred_at": notice["occurred_at"],
        "is_read": False,
    }
    assert olga.post("/notifications/read", {"ids": [notice["id"]]}).json() == {"unread_count": 0}
    assert olga.get("/notifications", unread="true").json()["items"] == []
    assert olga.post("/notifications/read", {"up_to_id": notice["id"]}).json() == {"unread_count": 0}
    assert olga.post("/notifications/read", {"up_to_id": str(uuid4())}).status_code == 404
    assert olga.post("/notifications/read", {}).status_code == 422


def test_sentences_are_in_the_language_that_is_asked_for(api, acme):
    share_folder(api)
    catch_up(acme)
    answer = api("olga").request("GET", "/notifications", None, headers={"accept-language": "de"})
    assert answer.json()["items"][0]["text"] == "Mia hat Photos mit Ihnen geteilt"


def test_preferences_are_read_and_changed_by_topic(api):
    olga = api("olga")
    before = olga.get("/notifications/preferences").json()["items"]
    assert {"topic": "shared", "browser": True, "mail": "off", "push": True} in before
    changed = {"topic": "shared", "browser": False, "mail": "daily", "push": False}
    after = olga.request("PUT", "/notifications/preferences", {"items": [changed]}).json()["items"]
    assert after == [changed if one["topic"] == "shared" else one for one in before]
    # Who does not name push leaves it as it is.
    unnamed = {name: value for name, value in changed.items() if name != "push"}
    after = olga.request("PUT", "/notifications/preferences", {"items": [unnamed]}).json()["items"]
    assert after == [changed if one["topic"] == "shared" else one for one in before]
    refused = olga.request(
        "PUT",
        "/notifications/preferences",
        {"items": [{"topic": "signed_in", "browser": True, "mail": "daily"}]},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "notifications.mail_not_offered")


def test_quiet_hours_are_chosen_beside_topics_and_ended(api):
    olga = api("olga")
    before = olga.get("/notifications/preferences").json()
    assert before["quiet_hours"] is None
    night = {"start": "22:00", "end": "07:30"}
    answer = olga.request("PUT", "/notifications/preferences", {"quiet_hours": night})
    assert answer.json() == {"items": before["items"], "quiet_hours": night}
    weekly = {"topic": "followed", "browser": True, "mail": "weekly"}
    assert olga.request("PUT", "/notifications/preferences", {"items": [weekly]}).json()["quiet_hours"] == night
    for unfit in ({"start": "22:00", "end": "22:00"}, {"start": "24:00", "end": "07:00"}, {"start": "22:00"}):
        body = {"items": [{**weekly, "mail": "off"}], "quiet_hours": unfit}
        assert olga.request("PUT", "/notifications/preferences", body).status_code == 422
    kept = olga.get("/notifications/preferences").json()
    assert kept["quiet_hours"] == night
    assert {**weekly, "push": False} in kept["items"]
    assert olga.request("PUT", "/notifications/preferences", {"quiet_hours": None}).json()["quiet_hours"] is None


def test_nodes_are_followed_muted_and_left(api, acme):
    folder, _ = share_folder(api)
    olga = api("olga")
    answer = olga.post("/subscriptions", {"node_id": folder["id"]})
    assert answer.status_code == 201
    followed = answer.json()
    assert followed["node"] == {"id": folder["id"], "kind": "folder", "name": "Photos"}
    assert (followed["kind"], followed["channel"]) == ("changes", "all")
    muted = olga.post("/subscriptions", {"node_id": folder["id"], "channel": "none"}).json()
    assert (muted["id"], muted["channel"]) == (followed["id"], "none")
    assert olga.get("/subscriptions").json()["items"] == [muted]
    assert olga.get("/subscriptions", node_id=folder["id"]).json()["items"] == [muted]
    assert olga.get("/subscriptions", node_id=str(uuid4())).json()["items"] == []
    assert api("vera").delete(f"/subscriptions/{muted['id']}").status_code == 404
    assert olga.delete(f"/subscriptions/{muted['id']}").status_code == 204
    assert olga.delete(f"/subscriptions/{muted['id']}").status_code == 404
    assert api("vera").post("/subscriptions", {"node_id": folder["id"]}).status_code == 404


def test_activity_is_listed_of_a_node_of_oneself_and_of_the_tenant(api, acme):
    folder, seq = share_folder(api)
    catch_up(acme)
    mia = api("mia")
    body = mia.get(f"/nodes/{folder['id']}/activity", min_seq=seq).json()
    assert [one["text"] for one in body["items"]] == [
        "Mia shared Photos with Olga",
        "Mia created the folder Photos in My files",
    ]
    assert mia.get("/nodes/root/activity").json()["items"] == body["items"]
    assert mia.get("/activity").json()["items"] == body["items"]
    assert (mia.get("/activity", whose="tenant").status_code, mia.get("/activity", whose="x").status_code) == (403, 422)
    assert api("adam").get("/activity", whose="tenant").json()["items"] == []
    assert api("vera").get(f"/nodes/{folder['id']}/activity").status_code == 404
    assert mia.get("/activity", cursor="nonsense").json()["code"] == "request.bad_cursor"
