"""Copies of anchors in a bucket with Object Lock: they come, stay, and convict whoever rewrites the log with all keys of the vault."""

import time
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command

from apps.admin_platform import anchor_copies, anchoring, locked_bucket, signing
from apps.admin_platform.locked_bucket import Trouble
from apps.admin_platform.models import AnchorCopy, AnchorTurn
from bitvault.gateway import anchors, store_checks
from bitvault.kernel import clock, db, tenancy
from bitvault_verify import bucket as reading
from bitvault_verify import command
from bitvault_verify.checking import Wanted, check
from tests.apps.admin_platform.test_anchors import anchor, grow, rewrite_all, whole_export
from tests.apps.admin_platform.test_audit import forge, write_entries
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def make_bucket(each_store, settings):
    """Make a bucket in the store, with or without Object Lock, and name it to the installation."""
    own = settings.BITVAULT_STORE

    def make(*, is_locking=True, mode="COMPLIANCE", **more):
        name = f"anchors-{uuid4().hex}"
        settings.BITVAULT_ANCHORS = {
            "bucket": f"s3://{name}/vault",
            "mode": mode,
            "days": 2,
            "endpoint_url": own["endpoint_url"],
            "region": own["region"],
            "access_key_id": own["access_key_id"],
            "secret_access_key": own["secret_access_key"],
            **more,
        }
        found = locked_bucket.find_configured()
        if "endpoint_url" not in more:
            found._client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=is_locking)
        return found

    return make


@pytest.fixture
def turn(desk):
    def run():
        assert anchors.request()
        assert desk.run("outbound") == 1
        return AnchorTurn.objects.get()

    return run


def list_copies(bucket):
    listed = bucket._client().list_object_versions(Bucket=bucket._bucket).get("Versions", ())
    return sorted({one["Key"] for one in listed if "proofs/" not in one["Key"]})


def locked(bucket, monkeypatch, **more):
    """What a verifier is told that reads the bucket with keys of its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.secret_access_key)
    monkeypatch.setenv("AWS_REGION", bucket.region)
    load = reading.open_bucket(bucket.name, bucket.endpoint_url).load
    return Wanted(keys=frozenset({signing.public_key()}), load_copies=load, **more)


def test_each_anchor_is_copied_once_and_nobody_can_delete_it(make_bucket, turn, acme, beta):
    bucket = make_bucket()
    grow(acme, 3, 2)
    grow(beta, 1)
    done = turn()
    assert (done.waiting_count, done.failure) == (0, "")
    copies = list_copies(bucket)
    assert [one.split("/")[1] for one in copies] == sorted([str(acme.id)] * 2 + [str(beta.id)])
    client = bucket._client()
    for key in copies:
        kept = client.get_object_retention(Bucket=bucket._bucket, Key=key)["Retention"]
        assert kept["Mode"] == "COMPLIANCE"
        assert timedelta(days=1) < kept["RetainUntilDate"] - clock.now() < timedelta(days=3)
        for version in client.list_object_versions(Bucket=bucket._bucket, Prefix=key)["Versions"]:
            # A store without versions calls the only one so, and takes no such name.
            named = {} if version["VersionId"] == "null" else {"VersionId": version["VersionId"]}
            with pytest.raises(ClientError, match="AccessDenied") as refused:
                client.delete_object(Bucket=bucket._bucket, Key=key, **named, BypassGovernanceRetention=True)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    turn()
    assert list_copies(bucket) == copies
    grow(acme, 1)
    turn()
    assert len(list_copies(bucket)) == 4


def test_the_proof_tells_a_bucket_that_locks_from_one_that_does_not(make_bucket, capsys, settings):
    make_bucket()
    call_command("check_anchors")
    assert "refuses to delete what is locked" in capsys.readouterr().out
    assert [one.level for one in store_checks.check_anchors(probe=True)] == ["warning"], "nothing was copied yet"
    make_bucket(is_locking=False)
    with pytest.raises(CommandError, match="no Object Lock"):
        call_command("check_anchors")
    (found,) = store_checks.check_anchors(probe=False)
    assert (found.level, "no Object Lock" in found.fact) == ("bad", True)
    settings.BITVAULT_ANCHORS = {**settings.BITVAULT_ANCHORS, "bucket": ""}
    with pytest.raises(CommandError, match="BITVAULT_ANCHOR_BUCKET"):
        call_command("check_anchors")
    assert [one.level for one in store_checks.check_anchors(probe=True)] == ["good"]


def test_a_store_that_takes_the_headers_and_locks_nothing_is_found(make_bucket, monkeypatch):
    bucket = make_bucket(is_locking=False)
    monkeypatch.setattr(locked_bucket.LockedBucket, "require_lock", lambda _: None)
    client = bucket._client()
    put = client.put_object

    def pass_over(**asked):
        return put(**{name: value for name, value in asked.items() if not name.startswith("ObjectLock")})

    monkeypatch.setattr(client, "put_object", pass_over)
    with pytest.raises(Trouble):
        bucket.prove()


def test_nothing_is_put_into_a_bucket_without_object_lock(make_bucket, turn, acme):
    bucket = make_bucket(is_locking=False)
    grow(acme, 2)
    done = turn()
    assert (done.failure, done.waiting_count, list_copies(bucket)) == ("not_locked", 1, [])


def test_a_store_that_is_away_stops_nothing_and_what_waited_comes_in_order_when_it_is_back(
    make_bucket, turn, acme, beta, settings
):
    bucket = make_bucket()
    there = settings.BITVAULT_ANCHORS
    settings.BITVAULT_ANCHORS = {**there, "endpoint_url": "http://127.0.0.1:1"}
    grow(acme, 2, 1)
    grow(beta, 1)
    begun = time.monotonic()
    done = turn()
    assert time.monotonic() - begun < 20
    assert (done.failure, done.waiting_count) == ("away", 3)
    failing_since = done.failing_since
    assert turn().failing_since == failing_since
    settings.BITVAULT_ANCHORS = there
    done = turn()
    assert (done.failure, done.failing_since, done.waiting_count, done.waiting_since) == ("", None, 0, None)
    assert len(list_copies(bucket)) == 3


def test_a_worker_that_died_after_a_put_puts_the_same_again_and_goes_on(make_bucket, acme):
    bucket = make_bucket()
    grow(acme, 2, 1)
    with tenancy.entered(acme):
        assert anchor_copies.copy(bucket, limit=10, until=time.monotonic() + 60) == 2
        with db.write_transaction():
            AnchorCopy.objects.update(index=0)
        assert anchor_copies.copy(bucket, limit=10, until=time.monotonic() + 60) == 2
        assert anchor_copies.count_waiting(bucket).count == 0
    assert len(list_copies(bucket)) == 2


def test_refused_keys_are_told_as_such(make_bucket, turn, acme, settings):
    make_bucket()
    settings.BITVAULT_ANCHORS = {**settings.BITVAULT_ANCHORS, "secret_access_key": "another one"}
    grow(acme, 1)
    assert turn().failure == "refused"
    (found,) = store_checks.check_anchors(probe=False)
    assert (found.level, "rights" in found.mend) == ("bad", True)


def test_an_export_is_the_same_as_what_was_locked_away(make_bucket, turn, acme, api, monkeypatch):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    grow(acme, 1)
    found = check(whole_export(api("olga")), locked(bucket, monkeypatch))
    assert (found.findings, found.notes) == ([], [])
    assert (found.locked_count, found.locked_number) == (2, 5)


def test_whoever_rewrites_everything_with_the_keys_of_the_vault_is_found_by_what_was_locked_away(
    make_bucket, turn, acme, api, monkeypatch
):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    rewrite_all(acme)
    table = f'"{acme.schema}".admin_platform_audit_anchor'
    forge(acme, f"ALTER TABLE {table} DISABLE TRIGGER USER; DELETE FROM {table}")
    assert anchor(acme), "the installation's own key signs what was rewritten"
    lines = whole_export(api("olga"))
    assert check(lines, Wanted(keys=frozenset({signing.public_key()}))).is_intact, "nothing else tells"
    found = check(lines, locked(bucket, monkeypatch))
    assert "anchor 1 was another one when it was locked away" in found.findings[0]["what"]
    # Who copies what is forged, too, puts it beside what is there.
    with tenancy.entered(acme), db.write_transaction():
        AnchorCopy.objects.all().delete()
    turn()
    again = check(whole_export(api("olga")), locked(bucket, monkeypatch))
    assert "anchor 1 was another one when it was locked away" in again.findings[0]["what"]


def test_what_is_put_over_a_copy_or_hides_it_is_not_seen(make_bucket, turn, acme, api, monkeypatch):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    client = bucket._client()
    for key in list_copies(bucket):
        for hide in (
            lambda key=key: client.put_object(Bucket=bucket._bucket, Key=key, Body=b"{}"),
            lambda key=key: client.delete_object(Bucket=bucket._bucket, Key=key),
        ):
            # A store with versions takes it, and keeps what was there; one without refuses.
            with suppress(ClientError):
                hide()
    found = check(whole_export(api("olga")), locked(bucket, monkeypatch))
    assert (found.findings, found.locked_count) == ([], 2)


def test_a_log_that_was_cut_is_found_by_anchors_that_it_lacks(make_bucket, turn, acme, api, monkeypatch):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    table, entries, head = (f'"{acme.schema}".admin_platform_audit_{name}' for name in ("anchor", "entry", "head"))
    forge(
        acme,
        f"ALTER TABLE {table} DISABLE TRIGGER USER; DELETE FROM {table} WHERE number > 3; ALTER TABLE {entries} DISABLE TRIGGER USER;"
        f" DELETE FROM {entries} WHERE number > 3; UPDATE {head} SET number = 3, hash = (SELECT hash FROM {entries} WHERE number = 3)",
    )
    with clock.fixed_at(clock.now() + timedelta(minutes=5)):
        lines = whole_export(api("olga"))
    assert check(lines, Wanted(keys=frozenset({signing.public_key()}))).is_intact
    found = check(lines, locked(bucket, monkeypatch))
    assert ["missing at the end" in one["what"] for one in found.findings] == [True]


def test_what_somebody_else_put_there_accuses_nobody(make_bucket, turn, acme, api, monkeypatch, tmp_path):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    prefix = f"{bucket._prefix}{acme.id}/"
    with tenancy.entered(acme), db.read_transaction():
        row = anchoring.list_between(after=0, last=3)[0]
        row.hash = bytes(32)
        forged = anchor_copies.write(row)[1]
    for name, body in (("x", b"no JSON"), ("000000000001-y.json", forged), ("z", b'{"tenant_id": 3}')):
        bucket._client().put_object(Bucket=bucket._bucket, Key=prefix + name, Body=body)
    found = check(whole_export(api("olga")), locked(bucket, monkeypatch))
    assert found.findings == []
    assert "not signed by the vault" in found.notes[0]


def test_the_program_compares_with_a_bucket_and_with_a_directory(
    make_bucket, turn, acme, api, monkeypatch, tmp_path, capsys
):
    bucket = make_bucket()
    grow(acme, 3, 2)
    turn()
    wanted = locked(bucket, monkeypatch)
    export = tmp_path / "export.jsonl"
    export.write_bytes(b"\n".join(whole_export(api("olga"))) + b"\n")
    key = signing.public_key().hex()
    more = [str(export), "--key", key, "--anchors"]
    assert command.main([*more, bucket.name, "--endpoint", bucket.endpoint_url]) == 0
    assert "locked away: 2 anchors, the same up to entry 5" in capsys.readouterr().out
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    for number, line in enumerate(wanted.load_copies(str(acme.id))):
        (fetched / f"{number}.json").write_bytes(line)
    assert command.main([*more, str(fetched)]) == 0
    (fetched / "0.json").unlink()
    assert command.main([*more, str(fetched)]) == 0, "the first one's time may be over"
    (fetched / "1.json").unlink()
    assert command.main([*more, str(fetched)]) == 1
    assert "no anchor of this log" in capsys.readouterr().out
    assert command.main([*more, bucket.name, "--endpoint", "http://127.0.0.1:1"]) == 2
    assert command.main([*more, str(tmp_path / "nowhere")]) == 2


def test_another_bucket_begins_with_the_first_anchor(make_bucket, turn, acme):
    make_bucket()
    grow(acme, 2, 1)
    turn()
    other = make_bucket(mode="GOVERNANCE")
    assert turn().waiting_count == 0
    assert len(list_copies(other)) == 2


def test_a_long_log_keeps_no_other_waiting(make_bucket, turn, acme, beta, monkeypatch):
    bucket = make_bucket()
    monkeypatch.setattr(anchors, "BATCH", 2)
    grow(acme, 1, 1, 1, 1, 1)
    grow(beta, 1)
    assert turn().waiting_count == 0
    assert len(list_copies(bucket)) == 6
    write_entries(acme, 1)
    anchor(acme)
    monkeypatch.setattr(anchors, "TURN_SECONDS", 0)
    assert turn().waiting_count == 1
