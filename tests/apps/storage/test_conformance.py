"""The probe of a store: what ours can do, and that a store which lacks something is found out."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from apps.storage import conformance, models, provider
from apps.storage.errors import StoreUnavailable

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_the_embedded_store_has_every_ability(capsys):
    call_command("check_store")
    printed = capsys.readouterr().out
    assert "BitVault can use this store." in printed
    kept = models.Provider.objects.get(name=provider.store().name)
    assert kept.is_fit
    assert all(kept.abilities.values())
    assert set(kept.abilities) >= {
        "checksum_enforced",
        "length_enforced",
        "composite_returned",
        "part_copy",
        "conditional_put",
    }


def test_a_worker_finds_out_by_itself():
    import bitvault.gateway.celery
    from apps.storage.tasks import probe_store

    assert "storage.probe_store" in {entry["task"] for entry in bitvault.gateway.celery.app.conf.beat_schedule.values()}
    assert probe_store.run() is True
    assert models.Provider.objects.get().is_fit


def test_a_probe_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(conformance, "PROBE_PREFIX", f"probe-{uuid4().hex}/")  # others may probe at this moment
    conformance.probe(provider.store())
    assert provider.store().list_keys(conformance.PROBE_PREFIX) == []
    assert provider.store().list_multipart_uploads(conformance.PROBE_PREFIX) == []


class Careless(provider.ObjectStore):
    """A store that lets a sender write any type and any length: what it signs leaves them out."""

    def _sign_for_client(self, method, key, query, headers, size_bytes, lifetime):
        kept = {name: value for name, value in headers.items() if name.startswith("x-amz")}
        signed = super()._sign_for_client(method, key, query, kept, None, lifetime)
        return provider.Signed(method=signed.method, url=signed.url, headers=headers, expires_at=signed.expires_at)


class Forgetful(provider.ObjectStore):
    """A store that keeps no checksums and copies no parts."""

    def find_object(self, key):
        found = super().find_object(key)
        return found and provider.StoredObject(found.size_bytes, None)

    def copy_part(self, **_):
        raise StoreUnavailable


@pytest.fixture
def lesser(settings, monkeypatch):
    def choose(kind):
        configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
        store = kind(**configured)
        monkeypatch.setattr(provider, "store", lambda: store)
        return store

    return choose


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        (Careless, {"length_enforced", "type_enforced", "encoding_enforced"}),
        (Forgetful, {"checksum_returned", "composite_returned", "part_copy"}),
    ],
)
def test_each_ability_that_a_store_lacks_is_named_and_it_is_refused(lesser, capsys, kind, lacking):
    lesser(kind)
    with pytest.raises(CommandError) as refused:
        call_command("check_store")
    required = lacking - {"part_copy"}
    assert all(name in str(refused.value) for name in required)
    kept = models.Provider.objects.get()
    assert not kept.is_fit
    assert {name for name, is_there in kept.abilities.items() if not is_there} == lacking


def test_a_store_that_is_away_is_no_store_with_abilities(settings, monkeypatch):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    away = provider.ObjectStore(**{**configured, "endpoint_url": "http://127.0.0.1:1"})
    monkeypatch.setattr(provider, "store", lambda: away)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_store")
    assert not models.Provider.objects.exists()
