"""Everything that is sealed with the installation's key is sealed anew by one command, and nothing can be sealed that it does not know."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from apps.admin_platform import configuring
from apps.admin_platform.config_source import SOURCE
from apps.admin_platform.models import Config, ConfigVersion, SiemExport
from apps.admin_platform.siem import delivering
from apps.storage.models import Store
from apps.storage.places import PURPOSE as STORES
from apps.webhooks.models import Webhook
from bitvault.gateway.management.commands import reseal_secrets
from bitvault.kernel import clock, db, resealing, sealing, tenancy
from tests.support.push import Subscriber

pytestmark = pytest.mark.committed

NEW_KEY = "another key of this installation, as long as a key has to be"

SEALED = [
    "admin_platform_config.sealed",
    "admin_platform_config_version.sealed",
    "admin_platform_siem_export.secret",
    "notifications_browser.target",
    "storage_store.sealed_secret",
    "webhooks_webhook.previous_secret",
    "webhooks_webhook.secret",
]

NOT_SEALED = {
    "identity_api_token.secret_hash",  # hashed, without the installation's key
    "webhooks_webhook.previous_secret_until",  # when the one before ends
}
"""Columns whose names speak of secrets and that hold none."""


@pytest.fixture
def sealed_everywhere(acme, beta, api, settings):
    """Something in each sealed column: of the installation, and of two tenants."""
    for token in ("first", "second"):
        configuring.set_value("audit.siem_token", token, by=None)
    Store.objects.create(
        name="second",
        endpoint_url="http://127.0.0.1:9",
        public_endpoint_url="http://127.0.0.1:9",
        region="us-east-1",
        bucket="b",
        access_key_id="key",
        sealed_secret=sealing.seal("secret of the store", purpose=STORES),
        changed_at=clock.now(),
    )
    for tenant, name in ((acme, "olga"), (beta, "boris")):
        person = api(name)
        made = person.post("/webhooks", {"url": "https://8.8.8.8/hook", "events": ["files.*"]})
        assert made.status_code == 201, made.content
        assert person.post(f"/webhooks/{made.json()['id']}/rotate-secret").status_code == 200
        told_in = person.post("/notifications/browsers", Subscriber(f"https://8.8.8.8/{name}").body())
        assert told_in.status_code == 201, told_in.content
        with tenancy.entered(tenant), db.write_transaction():
            secret = sealing.seal("token of the tenant", purpose=delivering.PURPOSE)
            SiemExport.objects.create(url="https://8.8.8.8/", secret=secret, created_at=clock.now())
    return settings


def rotate(settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], NEW_KEY


def reseal():
    out = StringIO()
    call_command("reseal_secrets", stdout=out, stderr=StringIO())
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines())


def list_tokens():
    """Give the columns of all schemas that hold what was sealed, with the texts."""
    found = {}
    with connection.cursor() as cursor:
        # Tenants' schemas are seen by whoever owns them.
        cursor.execute("SET ROLE bitvault_owner")
        cursor.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE data_type IN ('text', 'character varying') AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table, column in cursor.fetchall():
            cursor.execute(f'SELECT "{column}" FROM "{schema}"."{table}" WHERE "{column}" LIKE %s', ["gAAAA%"])
            for (text,) in cursor.fetchall():
                found.setdefault(f"{table}.{column}", []).append(text)
        cursor.execute("RESET ROLE")
    return found


def test_every_column_that_holds_something_sealed_is_known(sealed_everywhere):
    assert sorted(list_tokens()) == SEALED == [str(column) for column in resealing.list_columns()]


def test_a_column_whose_name_speaks_of_a_secret_is_named_or_thought_about():
    named = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if model.__module__.startswith(("apps.", "bitvault."))
        and ("secret" in field.column or "sealed" in field.column)
    }
    assert named - NOT_SEALED <= set(SEALED)
    assert named >= NOT_SEALED


def test_nothing_is_sealed_for_a_purpose_of_which_no_column_is_named():
    with pytest.raises(sealing.PurposeUnknown):
        sealing.seal("a new kind of secret", purpose="mail.password")
    with pytest.raises(sealing.PurposeUnknown):
        sealing.seal("another", purpose="storage.other")


def test_all_of_it_is_sealed_with_the_present_key_and_says_the_same(sealed_everywhere, settings):
    rotate(settings)
    told = reseal()
    assert told["webhooks_webhook.secret"] == "2 sealed anew, 2 in all, 0 unreadable"
    assert told["admin_platform_config_version.sealed"] == "2 sealed anew, 2 in all, 0 unreadable"
    settings.SECRET_KEY_FALLBACKS = []
    assert sorted(list_tokens()) == SEALED
    assert sealing.unseal(Store.objects.get().sealed_secret, purpose=STORES) == "secret of the store"
    key = "config.audit.siem_token"
    assert sealing.unseal(Config.objects.get().sealed, purpose=key) == "second"
    versions = ConfigVersion.objects.order_by("version")
    assert [sealing.unseal(row.sealed, purpose=key) for row in versions] == ["first", "second"]
    SOURCE.forget()
    assert configuring.get_status("audit.siem_token").troubles == []
    assert set(reseal().values()) == {f"0 sealed anew, {count} in all, 0 unreadable" for count in (1, 2)}


def test_one_that_was_killed_goes_on_where_it_was(sealed_everywhere, settings, monkeypatch):
    rotate(settings)
    monkeypatch.setattr(resealing, "BATCH", 1)
    real, count = sealing.reseal, []

    class Killed(BaseException):
        pass

    def die(sealed, *, purpose):
        count.append(purpose)
        if len(count) == 4:
            raise Killed
        return real(sealed, purpose=purpose)

    monkeypatch.setattr(sealing, "reseal", die)
    with pytest.raises(Killed):
        reseal()
    before = len(count)
    reseal()
    total = sum(len(texts) for texts in list_tokens().values())
    assert len(count) - before == total - (before - 1)
    monkeypatch.undo()
    settings.SECRET_KEY_FALLBACKS = []
    assert all(" 0 unreadable" in line for line in reseal().values())


def test_what_no_key_opens_is_told_and_the_rest_is_sealed(sealed_everywhere, settings):
    Store.objects.update(sealed_secret="gAAAAA-of-some-other-installation")
    rotate(settings)
    with pytest.raises(CommandError, match=r"storage_store\.sealed_secret"):
        reseal()
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CommandError, match=r"opens some of storage_store\.sealed_secret:"):
        reseal()


def test_a_secret_that_was_entered_meanwhile_stays(sealed_everywhere, acme, settings, monkeypatch):
    rotate(settings)
    real = sealing.reseal

    def enter_another(sealed, *, purpose):
        if purpose == STORES:
            Store.objects.update(sealed_secret=sealing.seal("entered meanwhile", purpose=STORES))
        return real(sealed, purpose=purpose)

    monkeypatch.setattr(sealing, "reseal", enter_another)
    reseal()
    assert sealing.unseal(Store.objects.get().sealed_secret, purpose=STORES) == "entered meanwhile"


def test_what_a_process_wrote_back_as_it_was_is_sealed_by_the_next_pass(sealed_everywhere, acme, settings, monkeypatch):
    with tenancy.entered(acme), db.read_transaction():
        stale = Webhook.objects.get().secret
    rotate(settings)
    real, passes = reseal_secrets.Command._pass, []

    def write_back(command):
        found = real(command)
        if not passes:
            with tenancy.entered(acme), db.write_transaction():
                Webhook.objects.update(secret=stale)
        passes.append(found)
        return found

    monkeypatch.setattr(reseal_secrets.Command, "_pass", write_back)
    reseal()
    assert len(passes) == 3
    with tenancy.entered(acme), db.read_transaction():
        assert sealing.is_current(Webhook.objects.get().secret, purpose="webhooks.secret")


def test_progress_is_told(sealed_everywhere, settings, monkeypatch):
    monkeypatch.setattr(reseal_secrets, "TELL_SECONDS", 0)
    rotate(settings)
    said = StringIO()
    call_command("reseal_secrets", stdout=StringIO(), stderr=said)
    assert "2 of 2 tenants" in said.getvalue()


def test_each_plane_has_its_columns():
    planes = {str(column): column.is_public for column in resealing.list_columns()}
    assert [name for name, is_public in planes.items() if is_public] == [
        "admin_platform_config.sealed",
        "admin_platform_config_version.sealed",
        "storage_store.sealed_secret",
    ]
