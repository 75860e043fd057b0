"""Feature flags: rules, who decides, how soon it holds everywhere, what is kept, and three that stand in the product."""

import io
import json
import time
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from apps.admin_platform import flagging, models
from apps.admin_platform.flag_provider import PROVIDER, Readings
from apps.admin_platform.flag_rules import Asker, FlagState, Rule, decide
from apps.billing.flags import USAGE_PAGE
from bitvault.events.api import list_published
from bitvault.kernel import clock, db, flags, tenancy
from bitvault.kernel.actor import Role
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed

FLAG = flags.Flag(key="tests.colour", default="red", description="", owner="tests", ends=None, variants=("red", "blue"))
OURS = flags.Flag(
    key="tests.count", default=5, description="", owner="tests", ends=None, least=0, most=9, for_tenants=True
)


@pytest.fixture(autouse=True)
def _declared():
    for flag in (FLAG, OURS):
        flags.declare(flag)
    yield
    for flag in (FLAG, OURS):
        flags.withdraw(flag)


def run(*words) -> str:
    out = io.StringIO()
    call_command("flag", *words, stdout=out)
    return out.getvalue()


def asker(person="p", plan="team", **attributes):
    return Asker(person, {"environment": "production", "tenant": "acme", "tenant_id": "t", **attributes}, lambda: plan)


def holds(*rules, value=None, choice=None, flag=FLAG, is_forced=False, **who):
    return decide(flag, FlagState(value, rules, is_forced), choice, asker(**who))[0]


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ({"environments": ("staging",)}, {"environment": "staging"}),
        ({"tenants": ("beta",)}, {"tenant": "beta"}),
        ({"plans": ("gold",)}, {"plan": "gold"}),
        ({"roles": ("owner",)}, {"role": "owner"}),
        ({"tenants": ("acme",), "roles": ("admin",)}, {"role": "admin"}),
    ],
)
def test_a_rule_holds_for_whom_all_of_it_fits_and_for_nobody_else(condition, who):
    rule = Rule(value="blue", **condition)
    assert holds(rule, **who) == "blue"
    assert holds(rule) == "red"


def test_the_first_rule_that_fits_holds_then_the_value_then_the_default():
    assert holds(Rule(value="red", roles=("owner",)), Rule(value="blue"), role="owner") == "red"
    assert holds(Rule(value="red", roles=("owner",)), Rule(value="blue"), value="red") == "blue"
    assert holds(value="blue") == "blue"
    assert holds(value="green") == "red", "a value that the code no longer knows is passed over"
    assert holds(Rule(value=True)) == "red"


def test_a_share_is_always_of_the_same_people_and_grows_by_more():
    people = [uuid4().hex for _ in range(2000)]
    tenth = {one for one in people if holds(Rule(value="blue", percent=10), person=one) == "blue"}
    fifth = {one for one in people if holds(Rule(value="blue", percent=20), person=one) == "blue"}
    assert tenth < fifth
    assert 130 < len(tenth) < 270
    assert tenth == {one for one in people if holds(Rule(value="blue", percent=10), person=one) == "blue"}
    assert holds(Rule(value="blue", percent=99.9), person=None) == "red", "nobody known is in no share of people"
    by_tenant = Rule(value="blue", percent=50, per="tenant")
    assert {holds(by_tenant, person=one) for one in people[:50]} in ({"red"}, {"blue"})


def test_what_a_tenant_chooses_holds_for_it_unless_operators_force_theirs(acme, beta, make_actor, api):
    olga, boris = make_actor("olga"), make_actor("boris")
    flagging.set_state("tests.count", FlagState(7), by=None)
    assert api("olga").put("/features/tests.count", {"value": 3}).json()["value"] == 3
    assert (OURS.value(olga), OURS.value(boris)) == (3, 7)
    flagging.set_state("tests.count", FlagState(8, is_forced=True), by=None)
    assert (OURS.value(olga), OURS.value(boris)) == (8, 8)
    refused = api("olga").put("/features/tests.count", {"value": 4})
    assert (refused.status_code, refused.json()["code"]) == (409, "admin_platform.feature_forced")


def test_the_route_tells_what_holds_and_lets_administrators_choose_what_is_theirs(api, acme):
    olga, mia = api("olga"), api("mia")
    listed = {one["key"]: one for one in mia.get("/features").json()["items"]}
    assert listed["tests.colour"] == {
        "key": "tests.colour", "description": "", "kind": "variant", "value": "red", "is_yours": False, "chosen": None, "variants": ["red", "blue"],
    }  # fmt: skip
    changed = olga.put("/features/tests.count", {"value": 2})
    assert (changed.status_code, changed.json()["chosen"]) == (200, 2)
    seq = int(changed["BitVault-Seq"])
    assert olga.put("/features/tests.count", {"value": 2}).status_code == 200, "again, it changes nothing"
    assert mia.get("/features/tests.count").json()["value"] == 2
    with tenancy.entered(acme):
        (told,) = [one for one in list_published(after=seq - 1, limit=10) if one.type.startswith("admin_platform.")]
    assert told.payload == {"key": "tests.count", "value": "2", "previous_value": None}
    assert olga.put("/features/tests.count", {"value": None}).json()["value"] == 5
    for client, key, value, status, code in (
        (mia, "tests.count", 1, 403, "identity.permission_missing"),
        (olga, "tests.colour", "blue", 403, "admin_platform.feature_not_yours"),
        (olga, "tests.none", 1, 404, "admin_platform.feature_unknown"),
        (olga, "tests.count", 10, 422, "admin_platform.feature_value_unfit"),
        (olga, "tests.count", True, 422, "admin_platform.feature_value_unfit"),
        (olga, "tests.count", "2", 422, "admin_platform.feature_value_unfit"),
    ):
        answer = client.put(f"/features/{key}", {"value": value})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_change_by_another_process_holds_within_a_second(acme, actor):
    assert FLAG.value(actor) == "red"
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO admin_platform_flag (key, value, rules) VALUES ('tests.colour', '\"blue\"', '[]')")
    begun = time.monotonic()
    while FLAG.value(actor) != "blue":
        assert time.monotonic() - begun < 3
        time.sleep(0.02)


def test_a_flag_is_read_within_a_tenants_transaction_and_no_other_tenants_choice_is_seen(acme, beta, api):
    api("boris").put("/features/tests.count", {"value": 1})
    with tenancy.entered(acme), db.read_transaction():
        assert OURS.value() == 5
        assert not models.FlagChoice.objects.exists()
    with tenancy.entered(beta), db.read_transaction():
        assert OURS.value() == 1


def test_without_a_database_a_flag_has_its_default(actor, monkeypatch):
    def fail(*_):
        raise ConnectionError

    monkeypatch.setattr(PROVIDER, "find_decided", fail)
    assert FLAG.value(actor) == "red"


def test_a_command_decides_shows_and_takes_back(acme, make_actor):
    olga, mia = make_actor("olga"), make_actor("mia")
    run("set", "tests.colour", "blue", "--role", "owner", "--tenant", "acme", "--note", "trial")
    assert (FLAG.value(olga), FLAG.value(mia)) == ("blue", "red")
    run("set", "tests.colour", "blue", "--role", "owner", "--tenant", "acme", "--percent", "0")
    assert [rule.percent for rule in flagging.find_state("tests.colour").rules] == [0], "the same people are told once"
    assert FLAG.value(olga) == "red"
    run("undo", "tests.colour")
    assert FLAG.value(olga) == "blue"
    run("reset", "tests.colour")
    assert FLAG.value(olga) == "red"
    run("undo", "tests.colour", "--to", "1")
    assert FLAG.value(olga) == "blue"
    shown = run("show", "tests.colour")
    assert "trial" in shown
    assert "5. " in shown
    for words in (("set", "tests.colour", "green"), ("set", "tests.none", "1"), ("undo", "tests.colour", "--to", "77")):
        with pytest.raises(CommandError):
            run(*words)


def test_flags_that_nobody_declares_reads_or_has_removed_in_time_are_listed(actor, monkeypatch):
    monkeypatch.setattr(PROVIDER, "readings", Readings())
    models.Flag.objects.create(key="tests.forgotten")
    old = flags.declare(
        flags.Flag(
            key="tests.old", default=True, description="", owner="tests", ends=clock.now().date() - timedelta(days=1)
        )
    )
    try:
        FLAG.value(actor)
        PROVIDER.forget()
        FLAG.value(actor)
        found = {one.key: list(one.troubles) for one in flagging.list_statuses()}
        assert found["tests.forgotten"] == ["unknown"]
        assert found["tests.old"] == ["unread", "ended"]
        assert found["tests.colour"] == []
        assert "tests.old = true  [unread, ended]" in run("list")
    finally:
        flags.withdraw(old)
    models.FlagReading.objects.filter(key="tests.colour").update(last_read_on=date(2020, 1, 1))
    assert flagging.find_troubles(FLAG, date(2020, 1, 1)) == ["unread"]


def test_every_flag_of_the_product_says_who_knows_it():
    ours = [flag for flag in flags.list_declared() if not flag.key.startswith("tests.")]
    assert {flag.kind for flag in ours} >= {"boolean", "number", "variant"}
    for flag in ours:
        assert all((flag.owner, flag.description, flag.accepts(flag.default))), flag.key
        assert flag.ends is None or flag.ends >= clock.now().date(), f"{flag.key} is to be removed"


# --- the operators' screen -----------------------------------------------------------------------------------------------------


@pytest.fixture
def operator():
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    client.user_id = user.pk
    return client


def form(**changes):
    empty = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}
    return {"value": "", "rules": "[]", "note": "", **empty, **changes}


def test_operators_decide_a_flag_on_its_page_and_undo_it_from_the_list(operator, actor):
    listed = operator.get("/admin/admin_platform/flag/").content.decode()
    assert "tests.colour" in listed
    page = "/admin/admin_platform/flag/tests.colour/change/"
    assert "variant (red, blue)" in operator.get(page).content.decode()
    rules = json.dumps([{"value": "blue", "roles": ["member"]}])
    assert operator.post(page, form(rules=rules, note="for members")).status_code == 302
    assert FLAG.value(actor) == "blue"
    (version,) = models.FlagVersion.objects.filter(flag_id="tests.colour")
    assert (version.changed_by, version.note) == (operator.user_id, "for members")
    chosen = {"action": "undo", "_selected_action": ["tests.colour"]}
    operator.post("/admin/admin_platform/flag/", chosen)
    assert FLAG.value(actor) == "red"
    for wrong in ({"value": "25"}, {"rules": '[{"value": "green"}]'}, {"rules": '[{"value": "blue", "color": 1}]'}):
        assert operator.post(page, form(**wrong)).status_code == 200
    assert FLAG.value(actor) == "red"


# --- three that stand in the product -------------------------------------------------------------------------------------------


def test_a_page_is_switched_off_for_some_and_for_all(api, acme):
    browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="10.77.1.2")
    browser.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    assert browser.get("/usage/").status_code == 200
    run("set", USAGE_PAGE.key, "off", "--role", Role.ADMIN.value)
    assert browser.get("/usage/").status_code == 404
    assert 'href="/usage/"' not in browser.get("/settings/").content.decode()
    run("reset", USAGE_PAGE.key)
    assert 'href="/usage/"' in browser.get("/settings/").content.decode()


def test_a_limit_is_lowered_for_one_plan(api, acme):
    from tests.support.sending import Sender

    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    file = Sender(mia, root_id).bring("a.bin", b"x" * 20)
    run("set", "files.archive_limit_bytes", "19", "--plan", "default")
    refused = mia.post("/archives", {"node_ids": [file["id"]]})
    assert (refused.status_code, refused.json()["limit_bytes"]) == (413, 19)
    run("set", "files.archive_limit_bytes", "20", "--plan", "default")
    assert mia.post("/archives", {"node_ids": [file["id"]]}).status_code == 202


def test_the_drawing_engine_is_switched_off_by_operators_and_by_a_vault(api, acme):
    from tests.support.sending import Sender

    mia = api("mia")
    sender = Sender(mia, mia.get("/me").json()["root_id"])
    picture = sender.bring("a.png", b"not really one", media_type="image/png")
    paper = sender.bring("a.pdf", b"nor this", media_type="application/pdf")

    def states():
        found = mia.get("/previews", node_ids=f"{picture['id']},{paper['id']}").json()["items"]
        return {one["node_id"]: one["state"] for one in found}

    assert states() == {picture["id"]: "making", paper["id"]: "making"}
    run("set", "previews.engine", "pictures")
    assert states() == {picture["id"]: "making", paper["id"]: "none"}
    api("olga").put("/features/previews.engine", {"value": "nothing"})
    assert states() == {picture["id"]: "none", paper["id"]: "none"}


def test_the_history_names_who_decided(operator):
    operator.get("/admin/admin_platform/flag/")
    page = "/admin/admin_platform/flag/tests.colour/change/"
    rules = json.dumps([{"value": "blue", "roles": ["member"]}])
    assert operator.post(page, form(rules=rules, note="by hand")).status_code == 302
    history = operator.get(page).content.decode().partition("History")[2]
    assert "ops@bitvault.test" in history
    assert str(operator.user_id) not in history
