"""What the stores do with what they find in their directories, and what they leave on the disk."""

import errno
import os
import shutil
import signal
import subprocess

import pytest

from bitvault.stack import buckets, seaweedfs, versitygw
from bitvault.stack.errors import StackError
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.seaweedfs import SeaweedFS
from bitvault.stack.secrets import ensure_secrets
from bitvault.stack.stores import BUCKET, StoreOrigins, flush
from bitvault.stack.versitygw import Versitygw, keeps_attributes
from bitvault.stack.versitygw_program import find_program
from tests.stack.processes import eventually

pytestmark = pytest.mark.journey

BODY = os.urandom(4096)
has_versitygw = pytest.mark.skipif(find_program() is None, reason="versitygw cannot be had here")


@pytest.fixture
def make(tmp_path):
    """Describe a store in a directory of its own; what it started is ended."""
    group = ChildGroup(stack_directory=tmp_path, output=QuietOutput(tmp_path).of)

    def of(kind):
        store = kind(
            directory=tmp_path / kind.kind,
            ports=free_ports(kind.port_names),
            secrets=ensure_secrets(tmp_path / "secrets.json"),
            origins=StoreOrigins(bare="http://localhost:1", tenants="http://*.localhost:1"),
        )
        store.group = group
        return store

    yield of
    group.stop()


def start(store):
    store.group.launch(store.prepare())
    assert eventually(lambda: buckets.is_ready(store.access), seconds=60)
    buckets.prepare(store.access)


def stored(store):
    client = buckets.connect(store.access)
    try:
        return client.get_object(Bucket=BUCKET, Key="a/b")["Body"].read()
    finally:
        client.close()


def put(store):
    client = buckets.connect(store.access)
    client.put_object(Bucket=BUCKET, Key="a/b", Body=BODY, ChecksumAlgorithm="SHA256")
    client.close()


@has_versitygw
def test_a_file_system_without_attributes_gets_a_directory_for_them(make, monkeypatch):
    store = make(Versitygw)
    monkeypatch.setattr(versitygw, "keeps_attributes", lambda _: False)
    assert "--sidecar" in store.prepare().command
    start(store)
    put(store)
    assert list(store.sidecar.rglob("*"))
    monkeypatch.undo()
    # On another file system later: what began without attributes goes on without them.
    store.group.stop()
    assert "--sidecar" in store.prepare().command
    start(store)
    assert stored(store) == BODY


@has_versitygw
def test_a_file_system_with_attributes_keeps_them_itself(make, tmp_path):
    store = make(Versitygw)
    if not keeps_attributes(tmp_path):
        pytest.skip("this file system keeps no attributes")
    start(store)
    put(store)
    assert "--sidecar" not in store.prepare().command
    assert not store.sidecar.exists()


@has_versitygw
def test_files_that_were_copied_without_their_attributes_are_named(make, tmp_path, monkeypatch):
    store = make(Versitygw)
    if not keeps_attributes(tmp_path):
        pytest.skip("this file system keeps no attributes")
    start(store)
    put(store)
    store.group.stop()
    whole = store.data.rename(tmp_path / "whole")
    subprocess.run([shutil.which("cp"), "-r", whole, store.data], check=True)
    with pytest.raises(StackError, match="copied without the extended attributes"):
        store.prepare()
    shutil.rmtree(store.data)
    subprocess.run([shutil.which("cp"), "-a", whole, store.data], check=True)
    start(store)
    assert stored(store) == BODY
    monkeypatch.setattr(versitygw, "keeps_attributes", lambda _: False)
    with pytest.raises(StackError, match="keeps no extended attributes"):
        store.prepare()


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_disk_without_room_is_no_file_system_without_attributes(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "setxattr", refuse)
    assert keeps_attributes(tmp_path) is (number == errno.ENOSPC)


@has_versitygw
def test_versitygw_stops_at_once_though_a_client_keeps_its_connection(make):
    store = make(Versitygw)
    start(store)
    client = buckets.connect(store.access)
    client.list_buckets()
    (child,) = store.group.children
    child.ask_to_stop()
    child.wait_or_kill()
    assert child.exit_code() is not None
    client.close()


@pytest.mark.parametrize("kind", [pytest.param(Versitygw, marks=has_versitygw), SeaweedFS])
def test_what_was_acknowledged_outlives_a_kill(make, kind):
    store = make(kind)
    start(store)
    put(store)
    (child,) = store.group.children
    os.kill(child.pid, signal.SIGKILL)
    store.group.stop()
    start(store)
    assert stored(store) == BODY
    store.group.stop()
    store.clean_up()


def indexes(store):
    return sorted(path.name for path in store.data.glob("*.idx"))


def test_seaweedfs_makes_its_indexes_anew_after_the_machine_went_down(make, tmp_path, monkeypatch):
    store = make(SeaweedFS)
    start(store)
    put(store)
    store.group.stop()
    store.clean_up()
    before = indexes(store)
    assert before
    # As a loss of power may leave them: the newest entries were never written.
    for index in store.data.glob("*.idx"):
        os.truncate(index, 0)
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(seaweedfs, "BOOT_ID", tmp_path / "boot")
    start(store)
    assert stored(store) == BODY
    assert indexes(store) == before
    store.group.stop()
    store.clean_up()


def test_seaweedfs_trusts_its_indexes_after_a_stop_and_after_a_kill(make, tmp_path, monkeypatch):
    store = make(SeaweedFS)
    store.prepare()
    index = store.data / "bitvault_1.idx"
    index.touch()
    # Killed with its supervisor; the machine went on.
    store.prepare()
    assert index.exists()
    store.settle()
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(seaweedfs, "BOOT_ID", tmp_path / "boot")
    store.prepare()
    assert index.exists()


def test_seaweedfs_has_a_limit_of_memory_and_volumes_that_fit_a_small_disk(make, monkeypatch):
    store = make(SeaweedFS)
    usage = shutil.disk_usage("/")
    for gibibytes, expected in ((3, "128"), (500, "256")):
        disk = usage._replace(total=gibibytes * 1024**3)
        monkeypatch.setattr(seaweedfs.shutil, "disk_usage", lambda _, disk=disk: disk)
        program = store.prepare()
        assert f"-master.volumeSizeLimitMB={expected}" in program.command
    assert program.environment["GOMEMLIMIT"] == "600MiB"
    assert program.environment["WEED_MASTER_VOLUME_GROWTH_COPY_1"] == "1"


def test_a_directory_can_be_flushed_and_a_missing_one_is_an_error(tmp_path):
    flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        flush(tmp_path / "missing")
