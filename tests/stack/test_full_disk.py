"""A disk that fills up while BitVault starts: one sentence says what to do, whichever program found out."""

import errno
import os
import shutil
import subprocess

import pytest

from bitvault.stack import __main__ as program
from bitvault.stack import postgresql, up
from bitvault.stack.errors import StackError
from bitvault.stack.layout import Layout
from bitvault.stack.postgresql import PostgreSQL
from tests.stack.test_layout import command, refused

FULL = ("is full", "make room and start again")


@pytest.fixture
def small_disk(tmp_path):
    """Give a disk of 4 MB: room for secrets and logs, and for no database."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or mount("-t", "tmpfs", "-o", "size=4m", "none", disk).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run([shutil.which("umount"), "--lazy", disk], check=True)


def mount(*arguments):
    return subprocess.run([shutil.which("mount"), *arguments], check=False)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_full_disk_is_told_in_a_sentence(tmp_path, monkeypatch, capsys, number):
    def fill_up(_):
        raise OSError(number, os.strerror(number), str(tmp_path / "log"))

    monkeypatch.setattr("sys.argv", ["bitvault.stack", "up", "--dir", str(tmp_path)])
    monkeypatch.setattr(up, "run", fill_up)
    assert program.main() == 1
    assert capsys.readouterr().err == f"bitvault: The disk under {tmp_path} is full: make room and start again.\n"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, "lies on a disk that is mounted read-only: mount it for writing."),
        (errno.EISDIR, f"cannot be used: {os.strerror(errno.EISDIR)}."),
        (errno.EIO, f"cannot be used: {os.strerror(errno.EIO)}."),
    ],
    ids=["read-only", "a directory", "broken"],
)
def test_a_file_that_cannot_be_used_is_named_in_a_sentence(tmp_path, monkeypatch, capsys, number, sentence):
    def refuse(_):
        raise OSError(number, os.strerror(number), str(tmp_path / "supervisor.lock"))

    monkeypatch.setattr("sys.argv", ["bitvault.stack", "up", "--dir", str(tmp_path)])
    monkeypatch.setattr(up, "run", refuse)
    assert program.main() == 1
    assert capsys.readouterr().err == f"bitvault: {tmp_path / 'supervisor.lock'} {sentence}\n"


def test_a_read_only_disk_is_told_in_a_sentence_by_the_program_itself(small_disk):
    (small_disk / "var").mkdir()
    assert mount("-o", "remount,ro", small_disk).returncode == 0
    assert refused(command("up", "--dir", small_disk / "var"), "read-only")


def test_another_error_of_the_system_keeps_its_traceback(tmp_path, monkeypatch):
    def break_down(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("sys.argv", ["bitvault.stack", "up", "--dir", str(tmp_path)])
    monkeypatch.setattr(up, "run", break_down)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        program.main()


@pytest.fixture
def initdb_says(tmp_path, monkeypatch):
    """Have another program than PostgreSQL's own make the cluster: it says something and fails."""

    def arrange(sentence):
        initdb = tmp_path / "initdb"
        initdb.write_text(
            f"#!/bin/sh\necho '{sentence}' >&2\necho 'initdb: removing contents of data directory' >&2\nexit 1\n"
        )
        initdb.chmod(0o755)
        monkeypatch.setattr(postgresql, "installed_binaries", lambda: tmp_path)
        monkeypatch.setattr(postgresql, "database_account", lambda: None)
        return PostgreSQL(directory=tmp_path / "postgresql", port=1, admin_password="a", password="b")

    return arrange


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_disk_that_fills_while_the_database_is_made_is_an_error_of_the_system(initdb_says, number):
    server = initdb_says(f'FATAL:  could not extend file "base/1/1259": {os.strerror(number)}')
    with pytest.raises(OSError, match=os.strerror(number)) as full:
        server.prepare()
    assert full.value.errno == number
    assert not server.directory.exists()


def test_a_database_that_cannot_be_made_for_another_reason_is_no_full_disk(initdb_says):
    server = initdb_says("initdb: error: invalid locale settings")
    with pytest.raises(StackError, match="could not be made"):
        server.prepare()


def test_a_small_disk_under_the_database_is_told_in_the_same_sentence(small_disk):
    assert refused(command("services", "--throwaway", "--dir", small_disk / "var"), str(small_disk), *FULL)


def fill(disk):
    with (
        pytest.raises(OSError, match=os.strerror(errno.ENOSPC)),
        (disk / "thesis.pdf").open("wb", buffering=0) as filling,
    ):
        while True:
            filling.write(bytes(4096))


def test_a_disk_without_any_room_is_told_in_the_same_sentence(small_disk):
    fill(small_disk)
    assert refused(command("services", "--throwaway", "--dir", small_disk / "var"), str(small_disk), *FULL)


def test_a_reset_makes_room_on_a_full_disk(small_disk):
    layout = Layout(small_disk / "var")
    layout.open(least_free_bytes=0)
    layout.ensure_secrets()
    fill(small_disk)
    done = command("reset", "--dir", layout.directory, "--yes")
    assert done.returncode == 0, done
    assert not layout.directory.exists()
