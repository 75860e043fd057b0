"""Profile pictures and the logo of a vault: what is drawn of an upload, who sees it, and what becomes of the bytes that were sent."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from PIL import Image

from apps.identity import models, queries
from apps.identity.operations import pictures as operations
from bitvault.events.models import StreamEvent
from bitvault.gateway import pictures as saga
from bitvault.kernel import clock
from tests.apps.previews.pictures import pdf, photo_turned_by_its_camera, picture
from tests.support.sending import put, sha256
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.store


@pytest.fixture(autouse=True)
def _as_of_now():
    queries.forget_remembered()
    yield
    queries.forget_remembered()


def send(client, content):
    answer = client.post("/pictures/uploads", {"size_bytes": len(content), "sha256": sha256(content)})
    assert answer.status_code == 201, answer.content
    upload = answer.json()
    assert put(upload["parts"][0], content).status == 200
    return upload["id"]


def wear(client, content, path="/me/picture"):
    return client.put(path, {"upload_id": send(client, content)})


def opened(answer):
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    return Image.open(io.BytesIO(answer.content))


@pytest.fixture
def events_of_acme(db):
    def read():
        rows = StreamEvent.objects.filter(tenant_id=ACME.id).order_by("seq")
        return [(row.type, row.payload) for row in rows]

    return read


@pytest.fixture
def browser(db):
    def of(name):
        client = Client(headers={"host": "acme.localhost"})
        client.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return client

    return of


def test_a_picture_is_drawn_anew_as_the_square_in_its_middle_and_colleagues_see_it(api):
    mia = api("mia")
    answer = wear(mia, photo_turned_by_its_camera())
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    told = api("adam").get(
        "/pictures", user_ids=f"{ACME.people['mia'].user_id},{ACME.people['vera'].user_id},{uuid4()}"
    )
    assert told.json()["items"] == [{"user_id": str(ACME.people["mia"].user_id), **shown}]
    path = shown["url"].removeprefix("/api/v1")
    for size, edge in (("small", 96), ("large", 256)):
        seen = api("adam").get(path, size=size)
        assert opened(seen).size == (edge, edge)
        assert b"SECRETCAMERA" not in seen.content
        assert "immutable" in seen["Cache-Control"]
        assert "private" in seen["Cache-Control"]


def test_another_picture_has_another_address_and_one_that_was_removed_is_gone(api, events_of_acme):
    mia = api("mia")
    first = wear(mia, picture()).json()
    second = wear(mia, picture(colour=(1, 2, 3))).json()
    assert first["url"] != second["url"]
    assert mia.get(first["url"].removeprefix("/api/v1")).status_code == 404
    for _ in range(2):
        assert mia.delete("/me/picture").status_code == 204
    assert mia.get(second["url"].removeprefix("/api/v1")).status_code == 404
    assert mia.get("/pictures", user_ids=str(ACME.people["mia"].user_id)).json()["items"] == []
    told = [payload["is_removed"] for kind, payload in events_of_acme() if kind == "identity.member.picture_changed.v1"]
    assert told == [False, False, True]


def test_sent_again_the_same_picture_is_taken_once(api, events_of_acme):
    mia = api("mia")
    upload_id = send(mia, picture())
    answers = [mia.put("/me/picture", {"upload_id": upload_id}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert [kind for kind, _ in events_of_acme()].count("identity.member.picture_changed.v1") == 1


def test_people_of_another_vault_and_strangers_see_no_picture(api):
    url = wear(api("mia"), picture()).json()["url"].removeprefix("/api/v1")
    boris = api("boris")
    assert boris.get(url).status_code == 404
    assert boris.get("/pictures", user_ids=str(ACME.people["mia"].user_id)).json()["items"] == []
    public = url.replace("/pictures/", "/public/logo/")
    assert Client(headers={"host": "acme.localhost"}).get(f"/api/v1{public}").status_code == 404
    assert Client(headers={"host": "acme.localhost"}).get(f"/api/v1{url}").status_code == 401


def test_a_picture_goes_with_its_person(api):
    url = wear(api("mia"), picture()).json()["url"].removeprefix("/api/v1")
    models.Membership.objects.filter(tenant_id=ACME.id, user_id=ACME.people["mia"].user_id).delete()
    assert api("adam").get(url).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"no picture at all",
        pdf(),
        picture()[:300],
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    ],
    ids=["text", "PDF", "cut short", "SVG"],
)
def test_what_is_no_picture_is_refused_with_a_reason(api, content):
    mia = api("mia")
    answer = wear(mia, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "previews.picture_unfit")
    assert answer.json()["reason"] in ("damaged", "too_complex")
    assert mia.get("/pictures", user_ids=str(ACME.people["mia"].user_id)).json()["items"] == []


def test_a_picture_of_too_many_pixels_is_refused(api):
    answer = wear(api("mia"), picture("PNG", (7200, 7200)))
    assert (answer.status_code, answer.json()["reason"]) == (422, "too_large")


def test_a_picture_is_at_most_eight_mebibytes(api):
    answer = api("mia").post("/pictures/uploads", {"size_bytes": 8 * 1024**2 + 1, "sha256": "0" * 64})
    assert answer.status_code == 422


def test_an_upload_is_a_picture_or_a_file_and_only_its_senders(api):
    mia, adam = api("mia"), api("adam")
    upload_id = send(mia, picture())
    assert adam.put("/me/picture", {"upload_id": upload_id}).status_code == 404
    assert mia.post(f"/uploads/{upload_id}/commit", {}).status_code == 404
    (item,) = mia.post("/uploads/batch/commit", {"uploads": [{"id": upload_id}]}).json()["items"]
    assert item["status"] == 404
    content = b"a file"
    body = {"parent_id": mia.get("/me").json()["root_id"], "name": "file", "size_bytes": len(content)}
    file = mia.post("/uploads", {**body, "part_hashes": [sha256(content)]}).json()
    put(file["parts"][0], content)
    assert mia.put("/me/picture", {"upload_id": file["id"]}).status_code == 404
    assert mia.post(f"/uploads/{file['id']}/commit", {}).status_code == 201
    assert mia.put("/me/picture", {"upload_id": upload_id}).status_code == 200


def test_what_was_sent_is_swept_and_the_picture_stays(api, acme):
    from apps.storage.models import Blob, Upload
    from apps.storage.operations import sweeping
    from bitvault.kernel import clock, db, tenancy

    mia = api("mia")
    upload_id = send(mia, picture())
    url = mia.put("/me/picture", {"upload_id": upload_id}).json()["url"].removeprefix("/api/v1")
    with tenancy.entered(acme):
        with db.write_transaction():
            Upload.objects.filter(id=upload_id).update(sweep_at=clock.now())
        sweeping.sweep()
        with db.read_transaction():
            upload = Upload.objects.get(id=upload_id)
            assert upload.swept_at is not None
            assert Blob.objects.get(id=upload.blob_id).state == "gone"
    assert mia.get(url).status_code == 200


def test_pictures_are_sent_only_so_often(api, monkeypatch):
    monkeypatch.setattr(saga, "UPLOADS_LIMIT", 2)
    nobody_else = api("mona")  # who sends no picture in any other test
    body = {"size_bytes": 1, "sha256": "0" * 64}
    statuses = [nobody_else.post("/pictures/uploads", body).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]


def test_a_guest_has_a_picture_and_sees_those_of_people_whom_they_know(api):
    models.Membership.objects.filter(tenant_id=ACME.id, user_id=ACME.people["vera"].user_id).update(role="guest")
    queries.forget_remembered()
    assert wear(api("vera"), picture()).status_code == 200
    shown = wear(api("mia"), picture()).json()
    assert api("vera").get(shown["url"].removeprefix("/api/v1")).status_code == 200


def test_a_logo_is_for_everybody_and_only_who_manages_the_settings_sets_it(api, browser):
    olga, mia = api("olga"), api("mia")
    upload_id = send(mia, picture())
    assert mia.put("/tenant/logo", {"upload_id": upload_id}).json()["code"] == "identity.permission_missing"
    assert mia.delete("/tenant/logo").status_code == 403
    shown = wear(olga, picture("PNG", (900, 300)), "/tenant/logo").json()
    anybody = Client(headers={"host": "acme.localhost"})
    logo = anybody.get(f"{shown['url']}?size=large")
    assert opened(logo).size == (512, 171)
    assert "public" in logo["Cache-Control"]
    assert anybody.get(shown["url"], headers={"host": "beta.localhost"}).status_code == 404
    assert olga.get("/tenant").json()["logo_id"] == shown["picture_id"]
    for page in (anybody.get("/sign-in/"), browser("mia").get("/files/", follow=True)):
        assert shown["url"] in page.content.decode()
    for _ in range(2):
        assert olga.delete("/tenant/logo").status_code == 204
    assert anybody.get(shown["url"]).status_code == 404
    assert shown["url"] not in anybody.get("/sign-in/").content.decode()


def test_a_mail_of_the_vault_carries_its_logo_and_colour(api, acme, mailoutbox):
    from bitvault.kernel import tenancy
    from bitvault.mail import letters, sending

    olga = api("olga")
    shown = wear(olga, picture(), "/tenant/logo").json()
    assert olga.patch("/tenant", {"colours": {"light": "#7a1fa2"}}).status_code == 200

    def write(vault_name):
        letter = letters.Letter(
            to="a@b.test",
            subject="s",
            template="mail/base",
            vault_name=vault_name,
            action=letters.Action("Go", "https://x"),
        )
        with tenancy.entered(acme):
            return sending._render(letter, uuid4()).alternatives[0][0]

    assert shown["url"] in write("Acme")
    assert "#7a1fa2" in write("Acme")
    # Who has claimed an address gets nothing there that the owner of a vault has chosen.
    assert shown["url"] not in write("")
    assert "#7a1fa2" not in write("")


def test_a_picture_that_was_removed_comes_back_for_a_day(api):
    mia = api("mia")
    first = wear(mia, picture()).json()
    path = first["url"].removeprefix("/api/v1")
    kept = mia.get(path, size="large").content
    for _ in range(2):
        assert mia.delete("/me/picture").status_code == 204
    assert mia.get(path).status_code == 404
    assert mia.get("/pictures", user_ids=str(ACME.people["mia"].user_id)).json()["items"] == []
    stolen = api("vera").put("/me/picture", {"upload_id": first["picture_id"]})
    assert stolen.status_code == 404
    for _ in range(2):
        assert mia.put("/me/picture", {"upload_id": first["picture_id"]}).json() == first
    assert mia.get(path, size="large").content == kept
    # Another one that came meanwhile is replaced by it, and it is gone a day after it was removed.
    mia.delete("/me/picture")
    second = wear(mia, picture(colour=(1, 2, 3))).json()
    assert mia.put("/me/picture", {"upload_id": first["picture_id"]}).status_code != 200
    mia.delete("/me/picture")
    models.Picture.objects.update(removed_at=clock.now() - timedelta(days=1))
    assert mia.put("/me/picture", {"upload_id": second["picture_id"]}).status_code != 200
    operations.sweep()
    assert not models.Picture.objects.exists()


def test_a_logo_that_was_removed_comes_back_for_a_day(api):
    olga = api("olga")
    first = wear(olga, picture(), "/tenant/logo").json()
    assert olga.delete("/tenant/logo").status_code == 204
    assert olga.get("/tenant").json()["logo_id"] is None
    assert api("mia").put("/tenant/logo", {"upload_id": first["picture_id"]}).status_code == 403
    assert olga.put("/tenant/logo", {"upload_id": first["picture_id"]}).json() == first
    assert olga.get("/tenant").json()["logo_id"] == first["picture_id"]


def test_administrators_remove_a_members_picture_for_good(api, events_of_acme):
    mia, olga = api("mia"), api("olga")
    worn = wear(mia, picture()).json()
    mia_id, olga_id = (ACME.people[name].user_id for name in ("mia", "olga"))
    assert api("vera").delete(f"/members/{mia_id}/picture").status_code == 403
    for _ in range(2):
        assert olga.delete(f"/members/{mia_id}/picture").status_code == 204
    assert mia.get("/pictures", user_ids=str(mia_id)).json()["items"] == []
    assert mia.put("/me/picture", {"upload_id": worn["picture_id"]}).status_code != 200
    told = [payload for kind, payload in events_of_acme() if kind == "identity.member.picture_changed.v1"]
    assert [(one["user_id"], one["is_removed"]) for one in told] == [(str(mia_id), False), (str(mia_id), True)]
    assert olga.delete(f"/members/{uuid4()}/picture").status_code == 404
    wear(olga, picture())
    assert api("adam").delete(f"/members/{olga_id}/picture").status_code == 403  # owners are owners' alone
