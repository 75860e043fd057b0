"""A directory and a bucket keep backups alike: what is there is not copied again, what nobody names goes, what is damaged is found."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from apps.identity.models import User
from apps.storage import provider
from apps.storage.operations import collecting, references
from bitvault.backup import checking, manifest, swapping, taking, tasks
from bitvault.backup.buckets import BucketSettings
from bitvault.backup.errors import BackupError
from bitvault.backup.models import BackupRun
from bitvault.backup.targets import open_target
from bitvault.events import consuming
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy
from tests.backup.conftest import Writer

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture(params=["directory", "bucket"])
def each_target(request, target, bucket):
    if request.param == "directory":
        yield target
        return
    store = configured.BITVAULT_STORE
    name = f"{bucket}-backups"
    provider.store()._client.create_bucket(Bucket=name)
    reached = {key: store[key] for key in ("endpoint_url", "region", "access_key_id", "secret_access_key")}
    opened = open_target(f"s3://{name}/of/acme", BucketSettings(**reached))
    yield opened
    opened.delete(opened.list_names("backups") + opened.list_names("objects"))
    provider.store()._client.delete_bucket(Bucket=name)


def purge(mia, node, acme):
    assert mia.api.delete(f"/nodes/{node['id']}").status_code == 204
    assert mia.api.delete(f"/trash/{node['id']}").status_code == 204
    with tenancy.entered(acme):
        consuming.consume(references.CONSUMER)
        collecting.collect()


def test_what_is_new_is_copied_what_nobody_names_goes_and_damage_is_found(api, acme, each_target, settings):
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}
    mia = Writer(api("mia"), "of mia")
    doomed = mia.bring("doomed.bin", os.urandom(700))
    mia.bring("large.bin", os.urandom(9 * 1024**2))
    mia.bring("empty.bin", b"")
    assert taking.preview(each_target)[2:5] == (3, 700 + 9 * 1024**2, 3)
    first = taking.take(each_target)
    assert (first.copied_count, first.copied_bytes) == (3, 700 + 9 * 1024**2)
    purge(mia, doomed, acme)
    mia.bring("new.bin", os.urandom(800))
    second = taking.take(each_target, keep=2)
    assert (second.copied_count, second.object_count) == (1, 3)
    assert len(each_target.list_names("objects")) == 4
    third = taking.take(each_target, keep=1)
    assert manifest.list_ids(each_target) == [third.id]
    assert len(each_target.list_names("objects")) == 3
    assert list(checking.verify(each_target, third)) == []

    name = next(each for each in each_target.list_names("objects") if each.endswith("/m"))
    body = bytearray(b"".join(each_target.read(name)))
    body[8 * 1024**2] ^= 1
    each_target.write(name, [bytes(body)], size_bytes=len(body))
    each_target.delete([third.tenants[1].inventory.name])
    wrong = list(checking.verify(each_target, third))
    assert len(wrong) == 2
    assert third.tenants[1].inventory.name in wrong[0]
    assert f"Part 2 of {name.removeprefix('objects/')}" in wrong[1]


def test_an_object_that_the_store_has_lost_is_named_and_the_rest_is_there(api, acme, bucket, target):
    mia = Writer(api("mia"), "of mia")
    for number in range(3):
        mia.bring(f"{number}.bin", os.urandom(100 + number))
    (key, *_) = provider.store().list_keys(f"{acme.id.hex}/")
    provider.store().delete_objects([key])
    with pytest.raises(CommandError, match=f"1 objects are lost .*\n.*{key}"):
        call_command("backup", target.name, stdout=io.StringIO())
    taken = manifest.get(target, None)
    assert (taken.object_count, taken.lost_count, taken.copied_count) == (3, 1, 2)
    assert list(checking.verify(target, taken)) == []
    told = io.StringIO()
    call_command("backup", target.name, list=True, stdout=told)
    assert f"{taken.id}  taken" in told.getvalue()
    assert "1 objects lost" in told.getvalue()


def test_the_nightly_one_is_asked_for_once_a_day_and_only_where_it_is_wanted(settings, tmp_path):
    night = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
    with clock.fixed_at(night):
        assert not tasks.request.run()
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "target": str(tmp_path), "hour": 2}
    with clock.fixed_at(night - timedelta(hours=1)):
        assert not tasks.request.run(), "its hour has not come"
    with clock.fixed_at(night):
        assert tasks.request.run()
        assert tasks.request.run(), "as long as it was not begun"
        assert Job.objects.filter(kind="backup.take").count() == 1
        BackupRun.objects.create(id="b", target=str(tmp_path), started_at=night)
        assert not tasks.request.run()
    with clock.fixed_at(night + timedelta(days=1)):
        assert tasks.request.run()


def test_operators_see_backups_and_change_nothing_about_them(tmp_path):
    user = User.objects.create_superuser(email="ops@example.com", password="correct horse battery")
    BackupRun.objects.create(id="20261130T023000.000000Z", target="s3://backups/acme", started_at=clock.now())
    operator = Client(headers={"host": "admin.localhost"})
    operator.force_login(user)
    page = operator.get("/admin/backup/backuprun/")
    assert page.status_code == 200
    assert "s3://backups/acme" in page.content.decode()
    assert operator.get("/admin/backup/backuprun/20261130T023000.000000Z/change/").status_code == 200
    assert operator.get("/admin/backup/backuprun/add/").status_code == 403


def test_a_target_is_an_absolute_path_or_a_bucket():
    reached = BucketSettings(endpoint_url="", region="", access_key_id="", secret_access_key="")
    for address in ("backups", "s3://", ""):
        with pytest.raises(BackupError):
            open_target(address, reached)


NOT_OF_A_TENANT = {
    "identity_tenant": "by its id",
    "identity_user": "by the rows that name people",
    "identity_group_member": "by its group",
    "identity_tenant_template": "of the installation",
    "identity_email_code": "codes are asked for anew",
    "identity_user_groups": "operators' rights",
    "identity_user_user_permissions": "operators' rights",
}


def test_every_table_of_identity_is_known_to_a_restore_of_one_tenant():
    """A new one that says by something else than ``tenant_id`` whose it is has to be brought by ``swapping``."""
    with connection.cursor() as cursor:
        cursor.execute(swapping._OF_TENANT)
        told = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'identity\\_%'")
        assert {name for (name,) in cursor.fetchall()} - told == set(NOT_OF_A_TENANT)
