"""Web push: what a browser is sent it alone can read; whether it may be told, and is wanted, is judged when it is sent."""

import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from apps.identity import api as identity
from apps.identity import models as identity_models
from apps.notifications import api as notifications
from apps.notifications import browsers, dtos, errors, forgetting, holding, pushing, webpush
from apps.notifications.models import Browser
from bitvault.events.api import publish
from bitvault.events.catalog.identity import SessionStarted
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids
from bitvault.kernel.outbound import egress
from tests.jobs.conftest import desk
from tests.support.push import Subscriber, decode, push_service
from tests.support.shares import share, share_only

__all__ = ["desk"]

pytestmark = pytest.mark.usefixtures("desk", "tenant")
"""Jobs are done as workers do them, which takes committed rows; this comes before anything that is made."""

NIGHT = datetime(2026, 12, 1, 23, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture
def service(settings):
    settings.BITVAULT_WEBHOOK_NETWORKS = ("127.0.0.0/8",)
    pushing._service.cache_clear()
    with push_service() as it:
        yield it


def name_browser(actor, service, *, agent=FIREFOX):
    subscriber = service.subscribe()
    return subscriber, add(actor, subscriber, agent=agent)


def add(actor, subscriber, *, agent=FIREFOX):
    return notifications.add_browser(actor=actor, target=target_of(subscriber), agent=agent)


def target_of(subscriber):
    body = subscriber.body()
    return dtos.PushTarget(body["endpoint"], **body["keys"])


def push(teller, desk, *, hurry=False):
    """Let what happened be told, and do the jobs that are due; returns how many."""
    teller.catch_up()
    if hurry:
        desk.hurry()
    return desk.run("outbound")


def shown(actor):
    return notifications.list_browsers(actor=actor).items


def wants(actor, topic, *, push):
    present = {one.topic: one for one in notifications.get_preferences(actor=actor).items}[topic]
    choice = dtos.Choice(topic, present.browser, present.mail, push)
    notifications.set_preferences(actor=actor, preferences=[choice])


def waiting():
    return Job.objects.filter(kind="notifications.push", state="queued")


# --- the message -----------------------------------------------------------------------------------------------------------


def test_a_message_is_encrypted_as_the_example_of_rfc_8291():
    sender = ec.derive_private_key(
        int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    target = webpush.Target.parse(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    text = b"When I grow up, I want to be a watermelon"
    body = webpush.encrypt(text, target, key=sender, salt=decode("DGv6ra1nlYgDCS1FRnbzlw"))
    assert body == decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4M"
        "qgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_notice_is_pushed_to_the_browsers_of_its_reader_who_alone_can_read_it(tree, teller, desk, service, olga):
    first, _ = name_browser(olga, service)
    second, _ = name_browser(olga, service)
    folder = tree.folder("Photos")
    share(tree.actor, folder, olga, "viewer")
    assert push(teller, desk) == 2
    (message,) = service.read(first)
    (notice,) = teller.notices(olga).items
    assert message == {
        "title": "Acme",
        "body": "Mia shared Photos with you",
        "tag": notice.id.hex,
        "path": f"/files/{folder.id}/?notice={notice.id}",
        "lang": "en",
        "at": int(notice.occurred_at.timestamp() * 1000),
    }
    assert service.read(second) == [message]
    with pytest.raises(InvalidTag):
        first.read(service.got[-1].body if service.got[-1].path in second.address else service.got[0].body)
    claims = service.got[0].prove(notifications.list_browsers(actor=olga).public_key)
    assert claims["aud"] == service.url
    assert timedelta() < datetime.fromtimestamp(claims["exp"], UTC) - clock.now() < timedelta(days=1)
    assert claims["sub"].startswith(("mailto:", "https:"))
    headers = service.got[0].headers
    assert (headers["content-encoding"], headers["topic"]) == ("aes128gcm", notice.id.hex)
    assert 0 < int(headers["ttl"]) <= 86_400
    assert all(one.told_at is not None and one.failing_since is None for one in shown(olga))
    assert push(teller, desk) == 0


def test_many_files_are_one_message(tree, teller, desk, service, olga, photos):
    subscriber, _ = name_browser(olga, service)
    teller.follow(olga, photos)
    wants(olga, "followed", push=True)
    for number in range(5):
        tree.file(f"{number}.jpg", photos)
    push(teller, desk)
    tree.file("late.jpg", photos)
    push(teller, desk)
    assert [one["body"] for one in service.read(subscriber)] == [
        "Mia shared Photos with you",
        "Mia added 5 files to Photos",
    ]


def test_it_is_in_the_language_of_its_reader_and_fits_whatever_a_name_holds(tree, teller, desk, service, olga):
    identity_models.User.objects.filter(email="olga@acme.test").update(locale="de")
    subscriber, _ = name_browser(olga, service)
    for name in ('"' * 255, "\N{GRINNING FACE}" * 63):
        share(tree.actor, tree.folder(name), olga, "viewer")
    push(teller, desk)
    first, second = service.read(subscriber)
    assert first["lang"] == second["lang"] == "de"
    assert '""""' in first["body"]
    assert "mit Ihnen geteilt" in second["body"]


# --- judged when sent ------------------------------------------------------------------------------------------------------


def test_what_may_not_be_seen_was_read_or_is_not_wanted_any_more_is_not_pushed(tree, teller, desk, service, olga):
    name_browser(olga, service)
    ended, read, muted = (tree.folder(name) for name in ("Ended", "Read", "Muted"))
    for folder in (ended, read, muted):
        share(tree.actor, folder, olga, "viewer")
    teller.catch_up()
    share_only(tree.actor, ended)
    notice = next(one for one in teller.notices(olga).items if "Read" in one.text)
    notifications.mark_read(actor=olga, ids=[notice.id])
    notifications.subscribe(actor=olga, node_id=muted.id, channel="none")
    assert push(teller, desk) == 3
    assert service.got == []
    share(tree.actor, tree.folder("Unwanted"), olga, "viewer")
    teller.catch_up()
    wants(olga, "shared", push=False)
    assert push(teller, desk) == 1
    assert service.got == []
    share(tree.actor, tree.folder("Unwanted too"), olga, "viewer")
    assert push(teller, desk) == 0


def test_a_sign_out_stops_it_and_signing_in_again_brings_it_back(tree, teller, desk, service, olga):
    first = start_session(olga)
    subscriber = service.subscribe()
    browser = add(first, subscriber)
    identity.end_session(actor=first, session_id=first.session_id)
    share(tree.actor, tree.folder("Out"), olga, "viewer")
    push(teller, desk)
    assert service.got == []
    again = start_session(olga)
    assert [(one.id, one.is_signed_in, one.current) for one in shown(again)] == [(browser.id, False, False)]
    notifications.renew_browser(actor=again, browser_id=browser.id, target=target_of(subscriber), agent=FIREFOX)
    assert [(one.id, one.is_signed_in, one.current) for one in shown(again)] == [(browser.id, True, True)]
    share(tree.actor, tree.folder("In"), olga, "viewer")
    push(teller, desk)
    assert [one["body"] for one in service.read(subscriber)] == ["Mia shared In with you"]


def start_session(actor):
    """Sign somebody in."""
    from dataclasses import replace

    from apps.identity.session_store import SessionStore, hash_key

    store = SessionStore()
    now = clock.now()
    row = identity_models.Session.objects.create(
        session_key=hash_key(ids.new_secret()),
        session_data=store.encode({}),
        user_id=actor.user_id,
        tenant_id=actor.tenant.id,
        proved_at=now,
        agent=FIREFOX,
        created_at=now,
        last_seen_at=now,
        expire_date=now + timedelta(days=1),
    )
    return replace(actor, token_id=None, session_id=row.pk)


def test_a_sign_in_is_pushed_to_ones_other_browsers_alone(tree, teller, desk, service, olga):
    here, elsewhere = start_session(olga), start_session(olga)
    subscribers = [service.subscribe(), service.subscribe()]
    for actor, subscriber in zip((here, elsewhere), subscribers, strict=True):
        add(actor, subscriber)
    with db.write_transaction():
        publish(SessionStarted(session_id=here.session_id, user_id=olga.user_id, actor_id=olga.user_id))
    push(teller, desk)
    assert [[one["body"] for one in service.read(subscriber)] for subscriber in subscribers] == [
        [],
        ["New sign-in to your account"],
    ]


@pytest.mark.parametrize("change", ["removed", "suspended", "closed"])
def test_nobody_is_told_who_is_not_let_in(tree, teller, desk, service, olga, change):
    name_browser(olga, service)
    share(tree.actor, tree.folder("Photos"), "everyone", "viewer")
    teller.catch_up()
    membership = identity_models.Membership.objects.filter(user_id=olga.user_id, tenant_id=olga.tenant.id)
    if change == "removed":
        membership.delete()
    elif change == "suspended":
        membership.update(state=identity_models.MembershipState.DEACTIVATED)
    else:
        identity_models.Tenant.objects.filter(pk=olga.tenant.id).update(state=identity_models.TenantState.SUSPENDED)
    desk.run("outbound")
    assert service.got == []


def test_a_browser_that_somebody_else_names_tells_the_first_one_nothing_more(tree, teller, desk, service, olga, vera):
    subscriber, _ = name_browser(olga, service)
    share(tree.actor, tree.folder("Of Olga"), olga, "viewer")
    teller.catch_up()
    add(vera, subscriber)
    share(tree.actor, tree.folder("Of Vera"), vera, "viewer")
    push(teller, desk)
    assert [one["body"] for one in service.read(subscriber)] == ["Mia shared Of Vera with you"]
    assert shown(olga) == []


# --- what the push service answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(tree, teller, desk, service, olga, status):
    name_browser(olga, service)
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    service.says = [status]
    push(teller, desk)
    assert shown(olga) == []
    assert not waiting().exists()


def test_what_is_not_taken_is_tried_again_and_not_before_it_is_asked_for(tree, teller, desk, service, olga):
    subscriber, _ = name_browser(olga, service)
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    service.says = [503, (429, {"Retry-After": "4000"}), 201]
    push(teller, desk)
    first = waiting().get().run_at - clock.now()
    assert timedelta(seconds=50) < first <= timedelta(minutes=1)
    assert shown(olga)[0].failing_since is not None
    push(teller, desk, hurry=True)
    assert timedelta(seconds=3_900) < waiting().get().run_at - clock.now() <= timedelta(seconds=4_000)
    push(teller, desk, hurry=True)
    assert not waiting().exists()
    assert shown(olga)[0].failing_since is None
    # Each try is encrypted anew, and says the same.
    assert len({one.body for one in service.got}) == 3
    assert len({str(one) for one in service.read(subscriber)}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 413, 302])
def test_what_is_refused_is_given_up_and_the_browser_stays(tree, teller, desk, service, olga, status):
    name_browser(olga, service)
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    service.says = [(status, {"Location": f"{service.url}/elsewhere"})]
    push(teller, desk)
    assert not waiting().exists()
    assert len(shown(olga)) == len(service.got) == 1


def test_a_push_service_that_does_not_answer_is_asked_no_more_for_a_while(
    tree, teller, desk, service, olga, monkeypatch
):
    asked = []

    def post(address, *_):
        asked.append(address)
        return egress.Answer(duration_ms=1, failure="timeout")

    name_browser(olga, service)
    monkeypatch.setattr(egress, "post", post)
    for number in range(8):
        share(tree.actor, tree.folder(f"{number}"), olga, "viewer")
    assert push(teller, desk) == 8
    assert len(asked) == 3
    assert waiting().count() == 8


def test_what_is_older_than_a_day_is_not_pushed(tree, teller, desk, service, olga, at):
    name_browser(olga, service)
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    teller.catch_up()
    at(clock.now() + timedelta(hours=25))
    assert desk.run("outbound") == 1
    assert service.got == []


# --- quiet hours -----------------------------------------------------------------------------------------------------------


def test_in_quiet_hours_nothing_is_pushed_and_afterwards_one_message(tree, teller, desk, service, olga, at):
    subscriber, _ = name_browser(olga, service)
    notifications.set_preferences(
        actor=olga, changes_quiet_hours=True, quiet_hours=dtos.QuietHours(start="22:00", end="07:00")
    )
    at(NIGHT)
    extend_tokens()
    for number in range(5):
        share(tree.actor, tree.folder(f"Folder {number}"), olga, "viewer")
    assert push(teller, desk) == 0
    at(NIGHT + timedelta(hours=8))
    holding.send_due()
    assert push(teller, desk) == 1
    (message,) = service.read(subscriber)
    assert message["path"] == "/notifications/"
    assert message["body"].splitlines() == [
        *(f"Mia shared Folder {number} with you" for number in (4, 3, 2)),
        "and 2 more",
    ]
    holding.send_due()
    assert push(teller, desk) == 0


def test_a_further_try_waits_for_the_end_of_quiet_hours(tree, teller, desk, service, olga, at):
    subscriber, _ = name_browser(olga, service)
    at(NIGHT - timedelta(hours=1, minutes=1))
    extend_tokens()
    notifications.set_preferences(
        actor=olga, changes_quiet_hours=True, quiet_hours=dtos.QuietHours(start="22:00", end="07:00")
    )
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    service.says = [503]
    push(teller, desk)
    at(NIGHT)
    push(teller, desk)
    assert len(service.got) == 1
    assert waiting().get().run_at == NIGHT + timedelta(hours=8)
    at(NIGHT + timedelta(hours=8))
    push(teller, desk)
    assert [one["body"] for one in service.read(subscriber)] == ["Mia shared Photos with you"] * 2


def extend_tokens():
    identity_models.ApiToken.objects.update(expires_at=NIGHT + timedelta(days=400))


# --- browsers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://127.0.0.1/push", "inside"),
        ("https://[::ffff:10.0.0.1]/push", "malformed"),
        ("https://169.254.169.254/latest/meta-data/", "inside"),
        ("http://8.8.8.8/push", "scheme"),
        ("https://8.8.8.8:25/push", "port"),
        ("https://[2606:4700:4700::1111]/push", "malformed"),
        ("javascript:alert(1)", "scheme"),
    ],
)
def test_an_address_inside_is_refused_when_it_is_named(tree, olga, address, reason):
    with pytest.raises(errors.PushAddressUnfit) as refused:
        add(olga, Subscriber(address))
    assert refused.value.facts["reason"] == reason


def test_an_address_that_leads_inside_later_is_refused_when_something_is_sent(
    tree, teller, desk, service, olga, settings
):
    name_browser(olga, service)
    settings.BITVAULT_WEBHOOK_NETWORKS = ()
    share(tree.actor, tree.folder("Photos"), olga, "viewer")
    push(teller, desk)
    assert service.got == []
    assert shown(olga)[0].failing_since is not None


@pytest.mark.parametrize("keys", [{"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "%%%"}, {"p256dh": "B" + "A" * 86}])
def test_keys_that_are_none_are_refused(tree, olga, keys):
    body = {**Subscriber("https://8.8.8.8/push").body()["keys"], **keys}
    with pytest.raises(errors.PushAddressUnfit) as refused:
        notifications.add_browser(actor=olga, target=dtos.PushTarget("https://8.8.8.8/push", **body), agent="")
    assert refused.value.facts["reason"] == "keys"


def test_what_is_kept_of_a_browser_does_not_tell_where_it_is_reached(tree, service, olga):
    subscriber, browser = name_browser(olga, service)
    with db.read_transaction():
        row = Browser.objects.get(pk=browser.id)
    assert subscriber.address not in str({field: str(value) for field, value in vars(row).items()})
    assert webpush.Target.unseal(row.target).address == subscriber.address


def test_a_person_has_so_many_browsers_and_naming_one_again_makes_no_other(tree, service, olga, monkeypatch):
    monkeypatch.setattr(browsers, "BROWSERS_LIMIT", 2)
    subscriber, browser = name_browser(olga, service)
    assert add(olga, subscriber).id == browser.id
    name_browser(olga, service)
    with pytest.raises(errors.TooManyBrowsers):
        name_browser(olga, service)
    notifications.remove_browser(actor=olga, browser_id=browser.id)
    name_browser(olga, service)


def test_browsers_that_nobody_uses_are_forgotten(tree, service, olga, at):
    name_browser(olga, service)
    now = clock.now()
    at(now + browsers.FORGOTTEN_AFTER + timedelta(days=1))
    identity_models.ApiToken.objects.update(expires_at=now + timedelta(days=400))
    forgetting.forget_old()
    assert len(shown(olga)) == 1
    identity_models.ApiToken.objects.update(revoked_at=now)
    forgetting.forget_old()
    assert shown(olga) == []


def test_the_key_of_the_installation_stays_and_another_secret_gives_another(settings):
    before = webpush.public_key()
    assert (len(decode(before)), webpush.public_key()) == (65, before)
    settings.BITVAULT_PUSH_KEY = "another"
    assert webpush.public_key() != before


def test_the_library_is_loaded_where_something_is_sent_alone():
    import subprocess

    code = "import django; django.setup(); import sys; import bitvault.gateway.urls; print('py_vapid' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def test_over_rest_a_browser_is_named_listed_renewed_and_removed(api, service):
    olga, vera = api("olga"), api("adam")
    subscriber = service.subscribe()
    made = olga.post("/notifications/browsers", subscriber.body())
    assert made.status_code == 201, made.content
    browser = made.json()
    listed = olga.get("/notifications/browsers").json()
    assert (listed["items"], len(decode(listed["public_key"]))) == ([browser], 65)
    path = f"/notifications/browsers/{browser['id']}"
    assert vera.put(path, subscriber.body()).status_code == 404
    assert vera.delete(path).status_code == 404
    assert UUID(olga.put(path, service.subscribe().body()).json()["id"]) == UUID(browser["id"])
    assert olga.delete(path).status_code == 204
    assert olga.put(path, subscriber.body()).status_code == 404
    refused = olga.post("/notifications/browsers", Subscriber("https://10.0.0.1/").body())
    assert (refused.status_code, refused.json()["code"]) == (422, "notifications.push_address_unfit")
