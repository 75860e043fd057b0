"""Configuration: typed, versioned, brought back, sealed where secret, in force everywhere within a second."""

import io
import ipaddress
import json
import time
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.admin_platform import config_source, configuring, errors
from apps.admin_platform.models import Config, ConfigVersion
from apps.identity.config import SIGN_UP_OPEN, TENANT_DELETION_DAYS
from apps.identity.models import User
from bitvault.gateway import installation_checks
from bitvault.gateway.config import METRICS_KEY
from bitvault.kernel import config, db, tenancy
from bitvault.kernel.outbound import addresses
from bitvault.kernel.outbound.networks import NETWORKS
from bitvault.kernel.remembered import LIFETIME_SECONDS

pytestmark = pytest.mark.committed

KEY = "a key of some length".replace(" ", "-")


@pytest.fixture(autouse=True)
def fresh():
    config_source.SOURCE.forget()
    yield
    config_source.SOURCE.forget()


@pytest.fixture
def operator():
    client = Client(headers={"host": "admin.localhost"})
    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client.force_login(user)
    client.user_id = user.pk
    return client


def put(operator, key, body):
    return operator.put(f"/admin/admin_platform/config/values/{key}", json.dumps(body), content_type="application/json")


def test_a_setting_has_its_default_until_somebody_decides(settings):
    settings.BITVAULT_TENANT_DELETION_DAYS = 9
    assert TENANT_DELETION_DAYS.get() == 9
    assert configuring.set_value("identity.tenant_deletion_days", 30, by=None) == 1
    assert TENANT_DELETION_DAYS.get() == 30
    configuring.set_value("identity.tenant_deletion_days", None, by=None)
    assert TENANT_DELETION_DAYS.get() == 9


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("identity.tenant_deletion_days", -1),
        ("identity.tenant_deletion_days", "3"),
        ("identity.sign_up_open", 1),
        ("outbound.networks", ["10.0.0.0/40"]),
        ("outbound.networks", "10.0.0.0/8"),
        ("gateway.metrics_key", "short"),
    ],
)
def test_what_a_setting_does_not_take_is_refused_and_changes_nothing(key, value):
    with pytest.raises(errors.ConfigValueUnfit) as caught:
        configuring.set_value(key, value, by=None)
    assert caught.value.facts["key"] == key
    assert not ConfigVersion.objects.exists()


def test_each_change_is_a_version_and_any_of_them_comes_back():
    for days in (1, 2, 2, 3):
        configuring.set_value("identity.tenant_deletion_days", days, by=None, note=f"{days} days")
    assert [one.value for one in configuring.list_versions("identity.tenant_deletion_days")] == [3, 2, 1]
    assert configuring.undo("identity.tenant_deletion_days", by=None) == 4
    assert TENANT_DELETION_DAYS.get() == 2
    configuring.undo("identity.tenant_deletion_days", to=1, by=None)
    assert TENANT_DELETION_DAYS.get() == 1
    configuring.undo("identity.tenant_deletion_days", to=0, by=None)
    assert not configuring.get_status("identity.tenant_deletion_days").is_set
    with pytest.raises(errors.ConfigVersionUnknown):
        configuring.undo("identity.tenant_deletion_days", to=77, by=None)


def test_of_two_who_change_the_same_the_second_is_told():
    configuring.set_value("identity.tenant_deletion_days", 5, by=None, expected_version=0)
    with pytest.raises(errors.ConfigChanged):
        configuring.set_value("identity.tenant_deletion_days", 6, by=None, expected_version=0)


def test_history_is_written_once():
    configuring.set_value("identity.tenant_deletion_days", 5, by=None)
    with pytest.raises(DatabaseError):
        ConfigVersion.objects.update(note="another reason")


def test_a_secret_is_used_and_nobody_reads_it(operator):
    configuring.set_value("gateway.metrics_key", KEY, by=None)
    configuring.set_value("gateway.metrics_key", KEY + "2", by=None)
    assert METRICS_KEY.get() == KEY + "2"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(c)::text FROM admin_platform_config c UNION ALL SELECT row_to_json(v)::text FROM admin_platform_config_version v"
        )
        stored = str(cursor.fetchall())
    page = operator.get("/admin/admin_platform/config/gateway.metrics_key/change/").content.decode()
    told = operator.get("/admin/admin_platform/config/values/gateway.metrics_key").content.decode()
    said = io.StringIO()
    call_command("config", "show", "gateway.metrics_key", stdout=said)
    for text in (stored, page, told, said.getvalue(), operator.get("/admin/admin_platform/config/").content.decode()):
        assert KEY not in text
    configuring.undo("gateway.metrics_key", by=None)
    assert METRICS_KEY.get() == KEY


def test_a_secret_that_another_key_has_sealed_is_told_and_does_not_hold(settings):
    settings.BITVAULT_METRICS_KEY = ""
    configuring.set_value("gateway.metrics_key", KEY, by=None)
    settings.SECRET_KEY = "another key that is long enough to be one"
    config_source.SOURCE.forget()
    assert METRICS_KEY.get() == ""
    assert configuring.get_status("gateway.metrics_key").troubles == ["unreadable"]
    assert [one.level for one in installation_checks.check_settings()] == ["bad"]


def test_a_tenants_role_reads_settings_and_no_secret(acme):
    configuring.set_value("identity.tenant_deletion_days", 5, by=None)
    with tenancy.entered(acme), db.read_transaction():
        assert TENANT_DELETION_DAYS.get() == 5
    with tenancy.entered(acme), pytest.raises(DatabaseError), db.read_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM public.admin_platform_config")


def test_while_the_database_is_away_what_was_known_last_holds(monkeypatch):
    configuring.set_value("identity.tenant_deletion_days", 5, by=None)
    assert TENANT_DELETION_DAYS.get() == 5

    def away(**_):
        raise DatabaseError

    config_source.SOURCE.forget()
    monkeypatch.setattr(config_source, "_read", away)
    assert TENANT_DELETION_DAYS.get() == 5


def test_a_value_of_another_version_of_bitvault_is_passed_over_and_told(settings):
    settings.BITVAULT_TENANT_DELETION_DAYS = 14
    Config.objects.create(key="identity.tenant_deletion_days", value="soon", version=1)
    Config.objects.create(key="gone.with_its_module", value=1, version=1)
    assert TENANT_DELETION_DAYS.get() == 14
    troubles = {status.key: status.troubles for status in configuring.list_statuses() if status.troubles}
    assert troubles == {"identity.tenant_deletion_days": ["unfit"], "gone.with_its_module": ["unknown"]}


def test_what_is_decided_holds_where_it_is_used(client, operator, acme):
    assert not addresses._is_named(ipaddress.ip_address("10.1.2.3"))
    configuring.set_value("outbound.networks", ["10.1.0.0/16"], by=None)
    assert addresses._is_named(ipaddress.ip_address("10.1.2.3"))
    configuring.set_value("gateway.metrics_key", KEY, by=None)
    host = {"host": "localhost"}
    assert client.get("/metrics", headers={**host, "authorization": f"Bearer {KEY}"}).status_code == 200
    assert client.get("/metrics", headers={**host, "authorization": "Bearer another"}).status_code == 404


# --- pages, programs, terminal ------------------------------------------------------------------------------------------------

CHANGE = "/admin/admin_platform/config/identity.tenant_deletion_days/change/"
INLINE = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}


def test_operators_change_and_bring_back_by_a_form(operator):
    assert "identity.tenant_deletion_days" in operator.get("/admin/admin_platform/config/").content.decode()
    operator.post(CHANGE, {**INLINE, "decided": 40, "seen_version": 0, "note": "a long holiday"})
    assert TENANT_DELETION_DAYS.get() == 40
    assert ConfigVersion.objects.get().changed_by == operator.user_id
    refused = operator.post(CHANGE, {**INLINE, "decided": 4000, "seen_version": 1}).content.decode()
    assert "365" in refused
    late = operator.post(CHANGE, {**INLINE, "decided": 50, "seen_version": 0}).content.decode()
    assert errors.ConfigChanged.title in late
    assert TENANT_DELETION_DAYS.get() == 40
    operator.post(CHANGE, {**INLINE, "back_to": "0", "decided": 40, "seen_version": 1})
    assert not configuring.get_status("identity.tenant_deletion_days").is_set


def test_programs_read_and_change_settings(operator):
    first = operator.get("/admin/admin_platform/config/values").json()["items"]
    assert {"identity.sign_up_open", "outbound.networks", "gateway.metrics_key"} <= {one["key"] for one in first}
    done = put(operator, "identity.sign_up_open", {"value": False, "note": "spam", "version": 0})
    assert (done.status_code, done.json()["value"], done.json()["versions"][0]["note"]) == (200, False, "spam")
    assert SIGN_UP_OPEN.get() is False
    assert (
        put(operator, "identity.sign_up_open", {"value": True, "version": 0}).json()["code"]
        == "admin_platform.config_changed"
    )
    assert (
        put(operator, "identity.sign_up_open", {"value": "yes"}).json()["code"] == "admin_platform.config_value_unfit"
    )
    assert put(operator, "no.such_setting", {"value": 1}).status_code == 404
    assert put(operator, "identity.sign_up_open", {"valeu": 1}).status_code == 400


def test_operators_without_the_right_change_nothing(acme):
    user = User.objects.create_superuser(email="help@bitvault.test", password="a long enough password")
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    assert put(client, "identity.sign_up_open", {"value": False}).status_code == 403
    assert client.get("/admin/admin_platform/config/values").status_code == 403


def test_a_terminal_changes_settings_and_takes_secrets_from_standard_input_alone(monkeypatch):
    call_command("config", "set", "outbound.networks", '["10.0.0.0/8"]', note="an intranet")
    assert NETWORKS.get() == ("10.0.0.0/8",)
    call_command("config", "undo", "outbound.networks")
    assert NETWORKS.get() == ()
    with pytest.raises(CommandError, match="standard input"):
        call_command("config", "set", "gateway.metrics_key", KEY)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    call_command("config", "set", "gateway.metrics_key")
    assert METRICS_KEY.get() == KEY
    said = io.StringIO()
    call_command("config", "list", stdout=said)
    assert "gateway.metrics_key = set" in said.getvalue()


def test_a_change_of_another_process_holds_within_a_second(acme):
    assert TENANT_DELETION_DAYS.get() != 77
    Config.objects.create(key="identity.tenant_deletion_days", value=77, version=1)
    time.sleep(LIFETIME_SECONDS + 0.05)
    assert TENANT_DELETION_DAYS.get() == 77


def test_every_setting_is_described_and_reads_its_default():
    for setting in config.list_declared():
        assert setting.key.count(".") == 1
        assert setting.description.endswith(".")
        assert setting.owner
        if not setting.is_secret:
            assert setting.read(setting.write(setting.default())) == setting.default()


def test_the_history_names_who_decided_with_as_many_queries_for_many(operator, lasting_memory):
    User.objects.filter(pk=operator.user_id).update(name="Odo Operator")
    gone = uuid4()

    def read():
        with CaptureQueriesContext(connection) as asked:
            page = operator.get(CHANGE).content.decode()
        return page, len(asked)

    configuring.set_value("identity.tenant_deletion_days", 3, by=operator.user_id)
    assert "Odo Operator" in read()[0].partition("History")[2]
    _page, few = read()
    for days in range(4, 14):
        configuring.set_value("identity.tenant_deletion_days", days, by=operator.user_id)
    configuring.set_value("identity.tenant_deletion_days", 20, by=None)
    configuring.set_value("identity.tenant_deletion_days", 21, by=gone)
    read()
    page, many = read()
    assert page.count("Odo Operator") >= 11
    assert str(operator.user_id) not in page.partition("History")[2]
    assert f"somebody who is gone ({gone})" in page
    assert "manage.py" in page
    assert many == few
