"""The probe of a store: what ours can do, and that a store which lacks something is found out."""

import hashlib
from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from apps.storage import conformance, models, objects, provider
from apps.storage.errors import StoreUnavailable
from bitvault.stack.stores import StoreKind
from tests.support import lesser_store
from tests.support.lesser_store import NOT_IMPLEMENTED, Answer
from tests.support.second_store import kind_of_tests
from tests.support.sending import pool

pytestmark = [pytest.mark.store, pytest.mark.django_db]


LACKING = {
    # It notes the checksum of the whole source for a part that it copies, and then refuses to complete.
    StoreKind.VERSITYGW: {"part_copy", "if_range_honoured", "nosniff"},
    StoreKind.SEAWEEDFS: {"if_range_honoured", "nosniff"},
}
"""What the embedded stores cannot do. Downloads that go on, and the types of downloads, are not left to them."""


def test_an_embedded_store_has_every_ability_but_those_that_are_known_to_lack(each_store, capsys):
    call_command("check_store")
    printed = capsys.readouterr().out
    assert "BitVault can use this store." in printed
    kept = models.Provider.objects.get(name=provider.store().name)
    assert kept.is_fit
    assert {name for name, is_there in kept.abilities.items() if not is_there} == LACKING[each_store]
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

    bitvault.gateway.celery.app.loader.import_default_modules()
    assert "storage.probe_store" in {entry["task"] for entry in bitvault.gateway.celery.app.conf.beat_schedule.values()}
    assert probe_store.run() is True
    assert models.Provider.objects.get().is_fit


def test_a_probe_leaves_nothing_behind(each_store, monkeypatch):
    monkeypatch.setattr(conformance, "PROBE_PREFIX", f"probe-{uuid4().hex}/")  # others may probe at this moment
    conformance.probe(provider.store())
    assert provider.store().list_keys(conformance.PROBE_PREFIX) == []
    assert provider.store().list_multipart_uploads(conformance.PROBE_PREFIX) == []


class Careless(provider.ObjectStore):
    """A store that lets a sender write any type and any length: what it signs leaves them out."""

    def _sign_for_client(self, method, key, query, headers, size_bytes, lifetime):
        kept = {name: value for name, value in headers.items() if name.startswith("x-amz")}
        signed = super()._sign_for_client(method, key, query, kept, None, lifetime)
        return objects.Signed(method=signed.method, url=signed.url, headers=headers, expires_at=signed.expires_at)


class Forgetful(provider.ObjectStore):
    """A store that keeps no checksums and copies no parts."""

    def find_object(self, key):
        found = super().find_object(key)
        return found and objects.StoredObject(found.size_bytes, None)

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
    assert {name for name, is_there in kept.abilities.items() if not is_there} == lacking | LACKING[kind_of_tests()]


def test_a_store_that_is_away_is_no_store_with_abilities(settings, monkeypatch):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    away = provider.ObjectStore(**{**configured, "endpoint_url": "http://127.0.0.1:1"})
    monkeypatch.setattr(provider, "store", lambda: away)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_store")
    assert not models.Provider.objects.exists()


@pytest.mark.parametrize("endpoint", ["public_endpoint_url", "download_endpoint_url"])
def test_that_nobody_listens_where_clients_ask_says_nothing_of_the_store(settings, monkeypatch, endpoint):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    too_early = provider.ObjectStore(**{**configured, endpoint: "http://127.0.0.1:1"})
    monkeypatch.setattr(provider, "store", lambda: too_early)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_store")
    assert not models.Provider.objects.exists()


def test_downloads_are_tried_where_clients_ask_for_them(settings):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    with lesser_store.running(is_whole=True) as before_it:
        elsewhere = {**configured, "download_endpoint_url": before_it.store.endpoint_url}
        report = conformance.probe(provider.ObjectStore(**elsewhere))
    assert lacks(report) == LACKING[kind_of_tests()] - {"if_range_honoured", "nosniff"}
    assert report.downloads_url == before_it.store.endpoint_url
    assert {asked.method for asked in before_it.asked} == {"GET"}


# --- one ability at a time -----------------------------------------------------------------------------------------------------

USEFUL = {"cors_allowed", "part_copy", "conditional_put", "if_range_honoured", "nosniff"}
BODY = conformance._BODY
CHECKSUM = "x-amz-checksum-sha256"


def put_of(name):
    return lambda asked: (asked.method, asked.name) == ("PUT", name)


def get_of(name):
    return lambda asked: (asked.method, asked.name) == ("GET", name)


def head_of(name):
    return lambda asked: (asked.method, asked.name) == ("HEAD", name)


DECIDING = {
    "checksum_returned": head_of("plain"),
    "checksum_enforced": put_of("wrong"),
    "length_enforced": put_of("sized"),
    "type_enforced": put_of("typed"),
    "encoding_enforced": put_of("encoded"),
    "key_enforced": put_of("other"),
    "anonymous_refused": lambda asked: not asked.is_signed,
    "overrides_honoured": lambda asked: (asked.method, asked.name) == ("GET", "download"),
    "part_checksum_enforced": lambda asked: put_of("parted")(asked) and "partNumber" in asked.query,
    "composite_returned": head_of("whole"),
    "uploads_listed": lambda asked: asked.method == "GET" and "uploads" in asked.query,
    "batch_deleted": lambda asked: asked.method == "POST" and "delete" in asked.query,
    "cors_allowed": lambda asked: asked.method == "OPTIONS",
    "part_copy": lambda asked: "x-amz-copy-source" in asked.headers,
    "conditional_put": lambda asked: "if-none-match" in asked.headers,
    "if_range_honoured": get_of("resumed"),
    "nosniff": get_of("guessed"),
}
"""By which requests each ability shows."""


def takes(when):
    """Take a request that should be refused."""
    return lambda asked, forward: Answer() if when(asked) else forward()


def changes(when, change):
    """Answer something else than the store did."""
    return lambda asked, forward: change(forward()) if when(asked) else forward()


def cuts(when):
    """Cut the line instead of an answer."""
    return lambda asked, forward: None if when(asked) else forward()


def keeps_what_it_refuses(asked, forward):
    """Answer with a refusal, and store the bytes all the same."""
    if not DECIDING["checksum_enforced"](asked):
        return forward()
    key = asked.target.partition("?")[0].split("/", 2)[2]
    real = provider.store()
    digest = hashlib.sha256(asked.body).digest()
    signed = real.sign_put(key=key, size_bytes=len(asked.body), digest=digest)
    assert pool.request("PUT", signed.url, body=asked.body, headers=signed.headers).status == 200
    return Answer(400)


def without(name):
    return lambda answer: answer.with_header(name, None)


def told(name, value):
    return lambda answer: answer.with_header(name, value)


def signed_for(disposition):
    """Downloads whose signed address was changed afterwards."""
    return lambda asked: DECIDING["overrides_honoured"](asked) and disposition in asked.target


def resumed(tag):
    """Downloads that are to go on where they were broken off, if the file is still this one."""
    return lambda asked: get_of("resumed")(asked) and asked.headers.get("if-range") == tag


WAYS_TO_LACK = {
    "checksum_returned: none": changes(DECIDING["checksum_returned"], without(CHECKSUM)),
    "checksum_returned: another": changes(
        DECIDING["checksum_returned"], told(CHECKSUM, objects.checksum_of(bytes(32)))
    ),
    "checksum_enforced: other bytes": takes(DECIDING["checksum_enforced"]),
    "checksum_enforced: kept all the same": keeps_what_it_refuses,
    "length_enforced: shorter": takes(lambda asked: put_of("sized")(asked) and len(asked.body) < len(BODY)),
    "length_enforced: longer": takes(lambda asked: put_of("sized")(asked) and len(asked.body) > len(BODY)),
    "type_enforced: another": takes(
        lambda asked: put_of("typed")(asked) and asked.headers.get("content-type") == "text/html"
    ),
    "type_enforced: none": takes(lambda asked: put_of("typed")(asked) and "content-type" not in asked.headers),
    "encoding_enforced: another": takes(
        lambda asked: put_of("encoded")(asked) and asked.headers.get("content-encoding") == "gzip"
    ),
    "encoding_enforced: none": takes(
        lambda asked: put_of("encoded")(asked) and "content-encoding" not in asked.headers
    ),
    "key_enforced: another key": takes(DECIDING["key_enforced"]),
    "key_enforced: another method": takes(lambda asked: (asked.method, asked.name) == ("DELETE", "mine")),
    "anonymous_refused: a read": takes(lambda asked: not asked.is_signed and asked.name == "secret"),
    "anonymous_refused: a write": takes(lambda asked: not asked.is_signed and asked.name == "anonymous"),
    "anonymous_refused: a listing": takes(lambda asked: not asked.is_signed and "list-type" in asked.query),
    "batch_deleted: not at all": takes(DECIDING["batch_deleted"]),
    "cors_allowed: refused": changes(DECIDING["cors_allowed"], lambda answer: replace(answer, status=403)),
    "cors_allowed: another page": changes(
        DECIDING["cors_allowed"], told("Access-Control-Allow-Origin", "https://elsewhere.example")
    ),
    "overrides_honoured: no disposition": changes(DECIDING["overrides_honoured"], without("Content-Disposition")),
    "overrides_honoured: its own type": changes(DECIDING["overrides_honoured"], told("Content-Type", "text/html")),
    "overrides_honoured: other bytes": changes(
        DECIDING["overrides_honoured"], lambda answer: replace(answer, body=b"something else")
    ),
    "overrides_honoured: a changed address": takes(signed_for("text%2Fhtml")),
    "part_checksum_enforced: other bytes": takes(DECIDING["part_checksum_enforced"]),
    "composite_returned: none": changes(DECIDING["composite_returned"], without(CHECKSUM)),
    "composite_returned: that of the bytes": changes(
        DECIDING["composite_returned"], told(CHECKSUM, objects.checksum_of(hashlib.sha256(BODY).digest()))
    ),
    "uploads_listed: not implemented": changes(DECIDING["uploads_listed"], lambda _: NOT_IMPLEMENTED),
    "uploads_listed: none": changes(
        DECIDING["uploads_listed"], lambda answer: replace(answer, body=b"<ListMultipartUploadsResult/>")
    ),
    "part_copy: not implemented": changes(DECIDING["part_copy"], lambda _: NOT_IMPLEMENTED),
    "conditional_put: overwrites": takes(DECIDING["conditional_put"]),
    "conditional_put: not implemented": changes(DECIDING["conditional_put"], lambda _: NOT_IMPLEMENTED),
    "if_range_honoured: goes on with other bytes": changes(
        resumed(conformance._STALE_TAG), lambda answer: replace(answer, status=206, body=BODY[1:])
    ),
    "if_range_honoured: never goes on": changes(
        lambda asked: get_of("resumed")(asked) and "range" in asked.headers,
        lambda answer: replace(answer, status=200, body=BODY),
    ),
    "nosniff: nothing": changes(DECIDING["nosniff"], without("X-Content-Type-Options")),
    "nosniff: something else": changes(DECIDING["nosniff"], told("X-Content-Type-Options", "sniff")),
}


@pytest.fixture
def lacking_store(use_store):
    """A store that behaves as a test says, and the real one where it says nothing; the real one is the one that lacks least."""
    use_store(StoreKind.SEAWEEDFS)
    with lesser_store.running(is_whole=True) as lesser:
        yield lesser


def lacks(report):
    return {finding.ability for finding in report.lacking}


def test_every_ability_is_tried_on_a_store_without_it(lacking_store):
    report = conformance.probe(lacking_store.store)
    assert lacks(report) == set(), "the proxy takes nothing away, and adds what the embedded stores lack"
    every = {finding.ability for finding in report.findings}
    assert {finding.ability for finding in report.findings if not finding.is_required} == USEFUL
    assert {way.partition(":")[0] for way in WAYS_TO_LACK} == every
    assert set(DECIDING) == every


@pytest.mark.parametrize("way", WAYS_TO_LACK)
def test_the_one_ability_that_a_store_lacks_is_named(lacking_store, way):
    lacking_store.behaviour = WAYS_TO_LACK[way]
    report = conformance.probe(lacking_store.store)
    ability = way.partition(":")[0]
    assert lacks(report) == {ability}
    assert report.is_fit == (ability in USEFUL)


@pytest.mark.parametrize("ability", DECIDING)
def test_a_store_that_cuts_the_line_instead_of_an_answer_lacks_that_ability(lacking_store, ability):
    lacking_store.behaviour = cuts(DECIDING[ability])
    report = conformance.probe(lacking_store.store)
    assert lacks(report) == {ability}
    assert report.is_fit == (ability in USEFUL)


def test_a_line_that_is_cut_once_is_no_lack(lacking_store):
    cut = []

    def cut_once(asked):
        if DECIDING["length_enforced"](asked) and not cut:
            cut.append(asked)
            return True
        return False

    lacking_store.behaviour = cuts(cut_once)
    assert lacks(conformance.probe(lacking_store.store)) == set()
    assert cut


def test_a_store_that_goes_away_in_the_middle_leaves_what_was_found_before(lacking_store, monkeypatch):
    monkeypatch.setattr(provider, "store", lambda: lacking_store.store)
    conformance.probe_configured()
    gone = []

    def go_away(asked):
        if DECIDING["length_enforced"](asked):
            gone.append(asked)
        return bool(gone)

    lacking_store.behaviour = cuts(go_away)
    with pytest.raises(StoreUnavailable):
        conformance.probe_configured()
    assert gone
    assert models.Provider.objects.get(name=lacking_store.store.name).is_fit


def test_a_store_that_lists_no_uploads_keeps_none_of_a_probe_either(lacking_store, monkeypatch):
    monkeypatch.setattr(conformance, "PROBE_PREFIX", f"probe-{uuid4().hex}/")
    lacking_store.behaviour = WAYS_TO_LACK["uploads_listed: not implemented"]
    conformance.probe(lacking_store.store)
    assert provider.store().list_keys(conformance.PROBE_PREFIX) == []
    assert provider.store().list_multipart_uploads(conformance.PROBE_PREFIX) == []
