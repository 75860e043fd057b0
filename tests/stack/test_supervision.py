"""Children of the supervisor: tied to its life, ended with all their workers, started again when they fall."""

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bitvault.stack.console import Console
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT
from bitvault.stack.leftovers import SupervisorLock, end_leftovers, list_leftovers
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.process import Child, ChildGroup, Program
from bitvault.stack.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Mishaps, StopAsked, Supervisor
from tests.stack.processes import descendants, eventually, is_alive

STUBBORN = "trap '' TERM; echo up; while :; do sleep 1; done"


@pytest.fixture
def group(tmp_path):
    made = ChildGroup(stack_directory=tmp_path, output=QuietOutput(tmp_path).of)
    yield made
    for child in made.children:
        child.kill()
    made.stop()


def shell(name, script, **options):
    return Program(name=name, command=("/bin/sh", "-c", script), directory=Path("/"), **options)


def said(tmp_path, name, word):
    log = tmp_path / f"{name}.log"
    return eventually(lambda: log.exists() and word in log.read_text())


def test_a_child_that_will_not_stop_is_killed_with_its_workers(group, tmp_path):
    child = group.launch(shell("stubborn", STUBBORN, grace_seconds=0.2))
    assert said(tmp_path, "stubborn", "up")
    assert eventually(lambda: len(descendants(child.pid)) == 2)
    family = descendants(child.pid)
    group.stop()
    assert eventually(lambda: not [pid for pid in family if is_alive(pid)])


def test_a_child_that_stops_by_itself_leaves_no_worker_behind(group, tmp_path):
    child = group.launch(shell("parent", "sleep 60 & echo up; wait"))
    assert said(tmp_path, "parent", "up")
    family = descendants(child.pid)
    group.stop()
    assert eventually(lambda: not [pid for pid in family if is_alive(pid)])


def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    script = f"""
import time
from pathlib import Path
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.process import ChildGroup, Program
group = ChildGroup(stack_directory=Path({str(tmp_path)!r}), output=QuietOutput(Path({str(tmp_path)!r})).of)
child = group.launch(Program(name="c", command=("/bin/sleep", "60"), directory=Path("/")))
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        assert eventually(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/bin/sleep"))
        parent.kill()
    assert eventually(lambda: not is_alive(pid))


def test_what_a_killed_supervisor_left_is_found_and_ended(group, tmp_path):
    child = group.launch(shell("left", STUBBORN))
    other = Child(shell("other", "sleep 60"), stack_directory=tmp_path / "other", output=subprocess.DEVNULL)
    try:
        assert said(tmp_path, "left", "up")
        assert child.pid in list_leftovers(tmp_path)
        assert other.pid not in list_leftovers(tmp_path)
        # As the kernel would, soon after it has taken the supervisor's children over: reap them.
        threading.Thread(target=lambda: child.wait_or_kill(grace_seconds=30), daemon=True).start()
        from bitvault.stack import leftovers

        leftovers.POLITE_SECONDS, before = 0.3, leftovers.POLITE_SECONDS
        try:
            assert end_leftovers(tmp_path) >= 1
        finally:
            leftovers.POLITE_SECONDS = before
        assert list_leftovers(tmp_path) == []
        assert is_alive(other.pid)
    finally:
        other.wait_or_kill(grace_seconds=0)


def test_a_second_supervisor_is_refused_and_told_which_process_holds_the_first(tmp_path):
    lock = SupervisorLock(tmp_path / "lock")
    assert not lock.is_held()
    lock.take()
    assert lock.is_held()
    with pytest.raises(StackError, match=f"process {os.getpid()}.*make down"):
        SupervisorLock(tmp_path / "lock").take()


def test_a_child_that_falls_is_started_again(group, tmp_path):
    shown = io.StringIO()
    supervisor = Supervisor([group], console=Console(shown, directory=tmp_path))
    first = group.launch(shell("falls", "echo run; exit 3"))
    log = tmp_path / "falls.log"

    def stop_after_two():
        eventually(lambda: log.exists() and log.read_text().count("run") >= 2)
        os.kill(os.getpid(), signal.SIGUSR1)

    stop = threading.Thread(target=stop_after_two)

    def asked(number, frame):
        raise StopAsked

    before = signal.signal(signal.SIGUSR1, asked)
    stop.start()
    try:
        with pytest.raises(StopAsked):
            supervisor.watch()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert log.read_text().splitlines()[:2] == ["run", "run"]
    assert first not in group.children
    assert "falls ended (exit code 3); it is started again in 0.5 s" in shown.getvalue()


def test_pauses_grow_while_a_child_keeps_falling_and_shrink_once_it_was_well():
    mishaps = Mishaps()
    pauses = [mishaps.note(ran_seconds=0.1, now=0.0) for _ in range(10)]
    assert pauses[:3] == [FIRST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2, FIRST_PAUSE_SECONDS * 4]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    assert mishaps.note(ran_seconds=3600, now=0.0) == FIRST_PAUSE_SECONDS


def test_lines_are_shown_with_the_name_in_front_and_kept_in_a_file(tmp_path):
    shown = io.StringIO()
    console = Console(shown, directory=tmp_path)
    with console.output_of("web") as descriptor:
        os.write(descriptor, b"first\nbroken \xff byte\n")
    assert eventually(lambda: len(shown.getvalue().splitlines()) == 2)
    assert [line.split("│ ")[1] for line in shown.getvalue().splitlines()] == ["first", "broken \ufffd byte"]
    assert all("web" in line for line in shown.getvalue().splitlines())
    assert eventually(lambda: (tmp_path / "web.log").read_text() == "first\nbroken \ufffd byte\n")
    assert "\033" not in shown.getvalue()


def test_a_terminal_that_has_gone_stops_nothing(tmp_path):
    gone = io.StringIO()
    console = Console(gone, directory=tmp_path)
    gone.close()
    console.say("nobody reads this")
