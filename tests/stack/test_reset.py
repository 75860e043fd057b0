"""`make reset`: what its owner is asked, and that nobody starts in a directory that is being deleted."""

import errno
import os
import pty
import shutil
import subprocess
import sys

import pytest

from bitvault.stack import down
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.leftovers import SupervisorLock
from tests.stack.processes import eventually
from tests.stack.test_layout import command, make_complete, refused

END_OF_INPUT = "\x04"


@pytest.fixture
def layout(tmp_path):
    made = Layout(tmp_path / "var")
    make_complete(made)
    return made


def answered(layout, typed):
    """Have somebody at a terminal answer the question; gives what the terminal shows and the exit code."""
    terminal, theirs = pty.openpty()
    try:
        asking = subprocess.Popen(
            [sys.executable, "-m", "bitvault.stack", "reset", "--dir", str(layout.directory)],
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(terminal, 4096)
        os.write(terminal, typed.encode())
        while chunk := read_on(terminal):
            shown += chunk
        return shown.decode(), asking.wait(timeout=30)
    finally:
        os.close(terminal)


def read_on(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError as end:
        if end.errno != errno.EIO:  # how a terminal says that nobody holds its other side any more
            raise
        return b""


@pytest.mark.parametrize("typed", ["y\n", "yes\n", " Y \n", "YES\n"])
def test_a_yes_deletes_everything(layout, typed):
    shown, code = answered(layout, typed)
    assert f"accounts and secrets of BitVault in {layout.directory}?" in shown
    assert f"{layout.directory} has been deleted." in shown
    assert code == 0
    assert not layout.directory.exists()


@pytest.mark.parametrize("typed", ["n\n", "\n", "no\n", "yesterday\n", END_OF_INPUT], ids=repr)
def test_anything_else_deletes_nothing(layout, typed):
    before = sorted(layout.directory.rglob("*"))
    shown, code = answered(layout, typed)
    assert "Nothing was deleted." in shown
    assert "Traceback" not in shown
    assert code == 0
    assert sorted(layout.directory.rglob("*")) == before


def test_a_start_in_the_middle_of_a_reset_is_refused(layout, monkeypatch):
    tried = []

    def delete_slowly(path, **options):
        if path.is_relative_to(layout.directory):
            tried.append(command("up", "--dir", layout.directory))
        delete(path, **options)

    delete = shutil.rmtree
    monkeypatch.setattr(down.shutil, "rmtree", delete_slowly)
    down.reset(layout.directory, agreed=True)
    assert tried
    for done in tried:
        assert refused(done, "is being deleted", f"process {os.getpid()}")
    assert not layout.directory.exists()


def test_the_lock_is_the_last_thing_that_goes(layout, monkeypatch):
    beside = []
    monkeypatch.setattr(
        down.Path, "rmdir", lambda path, rmdir=down.Path.rmdir: beside.append(list(path.iterdir())) or rmdir(path)
    )
    held = []
    unlink = down.Path.unlink

    def watched(path, **options):
        if path.parent == layout.directory:
            held.append(SupervisorLock(layout.lock).is_held())
        unlink(path, **options)

    monkeypatch.setattr(down.Path, "unlink", watched)
    down.reset(layout.directory, agreed=True)
    assert len(held) > 3
    assert all(held)
    assert beside == [[]]


def test_a_start_that_was_quicker_than_the_reset_keeps_its_directory(layout, monkeypatch):
    quicker = SupervisorLock(layout.lock)
    monkeypatch.setattr(down, "_end_supervisor", lambda _: quicker.take())  # as soon as the one before has ended
    with pytest.raises(StackError, match="runs already"):
        down.reset(layout.directory, agreed=True)
    assert layout.secrets.exists()
    assert layout.marker.exists()


def test_a_start_that_had_the_lock_file_open_while_it_was_deleted_is_refused(layout, monkeypatch):
    """It holds the lock of a file that is gone, and would let a second one start beside it."""
    import fcntl

    flock = fcntl.flock

    def late(stream, kind):
        flock(stream, kind)
        layout.lock.unlink()

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(StackError, match="has just been deleted: start again"):
        SupervisorLock(layout.lock).take()


def test_a_start_whose_directory_goes_before_it_holds_the_lock_is_refused(layout):
    shutil.rmtree(layout.directory)
    with pytest.raises(StackError, match="has just been deleted: start again"):
        SupervisorLock(layout.lock).take()


def test_what_begins_anew_between_the_last_two_steps_is_left_alone(layout, monkeypatch):
    rmdir = down.Path.rmdir

    def begin_anew(path):
        Layout(path).open(least_free_bytes=0)
        rmdir(path)

    monkeypatch.setattr(down.Path, "rmdir", begin_anew)
    down.reset(layout.directory, agreed=True)
    assert layout.unfinished_marker.exists()
    assert not layout.secrets.exists()


def test_a_reset_ends_what_runs_and_the_next_start_finds_the_place_free(layout, tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from bitvault.stack.leftovers import SupervisorLock\n"
        "lock = SupervisorLock(Path(sys.argv[1])); lock.take(); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(layout.lock)], cwd=ROOT) as running:
        assert eventually(SupervisorLock(layout.lock).is_held)
        assert eventually(lambda: SupervisorLock(layout.lock).holder() == running.pid)
        done = command("reset", "--dir", layout.directory, "--yes")
    assert done.returncode == 0, done
    assert not layout.directory.exists()
    make_complete(layout)
    SupervisorLock(layout.lock).take()
