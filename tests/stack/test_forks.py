"""Processes that are forked from one that has their code loaded, and are the supervisor's children as any other."""

import ctypes
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bitvault.stack.console import Console
from bitvault.stack.forks import NAME, PR_SET_CHILD_SUBREAPER, Forks
from bitvault.stack.layout import ROOT
from bitvault.stack.leftovers import list_leftovers
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.process import MARKER, ChildGroup, Program
from bitvault.stack.supervisor import Supervisor
from tests.stack.processes import command_line, eventually, is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each process loads its own code")

ENVIRONMENT = {"PATH": os.environ["PATH"], "CHOSEN": "here", "SPT_NOENV": "1", "PYTHONUNBUFFERED": "1"}


def program(what, *, name="", environment=ENVIRONMENT, **options):
    command = (sys.executable, "-m", "tests.stack.forked_program", what)
    return Program(name=name or what, command=command, directory=ROOT, environment=environment, **options)


@pytest.fixture
def forks(tmp_path):
    made = Forks(
        ("tests.stack.loaded",),
        environment={**ENVIRONMENT, MARKER: str(tmp_path)},
        directory=ROOT,
        output=QuietOutput(tmp_path).of,
    )
    made.start()
    yield made
    made.stop()
    # Otherwise orphans of other tests come to this process.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def group(tmp_path, forks):
    made = ChildGroup(stack_directory=tmp_path, output=QuietOutput(tmp_path).of, forks=forks)
    yield made
    for child in made.children:
        child.kill()
    made.stop()


def facts_of(tmp_path, name):
    log = tmp_path / f"{name}.log"
    assert eventually(lambda: log.exists() and log.read_text().endswith("}\n")), log.exists() and log.read_text()
    return json.loads(log.read_text().splitlines()[-1])


def forking_process(tmp_path):
    def find():
        return [pid for pid in list_leftovers(tmp_path) if "bitvault.stack.preloaded" in command_line(pid)]

    # A fork bears its name until it has taken its own.
    assert eventually(lambda: len(find()) == 1)
    (pid,) = find()
    return pid


def test_a_fork_has_the_code_loaded_and_is_otherwise_as_if_it_had_been_started(group, tmp_path):
    child = group.launch(program("stay"))
    facts = facts_of(tmp_path, "stay")
    assert facts.pop("loaded") is True
    assert facts == {
        "arguments": ["stay"],
        "environment": {**ENVIRONMENT, MARKER: str(tmp_path)},
        "directory": str(ROOT),
        "session": child.pid,
        "pid": child.pid,
    }
    assert command_line(child.pid).rstrip() == f"{sys.executable} -m tests.stack.forked_program stay"
    status = Path(f"/proc/{child.pid}/status").read_text()
    assert f"PPid:\t{os.getpid()}\n" in status
    assert "Umask:\t0077\n" in status
    assert child.pid in list_leftovers(tmp_path)


@pytest.mark.parametrize(("what", "code"), [("leave", 7), ("raise", 1)])
def test_a_fork_that_ends_by_itself_tells_its_exit_code(group, tmp_path, what, code):
    child = group.launch(program(what))
    assert eventually(lambda: child.exit_code() is not None)
    assert child.exit_code() == code
    if what == "raise":
        assert "RuntimeError: as it happens" in (tmp_path / "raise.log").read_text()


def test_a_fork_is_stopped_as_any_child(group, tmp_path):
    child = group.launch(program("stay"))
    facts_of(tmp_path, "stay")
    child.ask_to_stop()
    assert child.wait_or_kill() is True
    assert child.exit_code() == -signal.SIGTERM


def test_one_fork_that_dies_leaves_the_others(group, tmp_path):
    first, second = group.launch(program("stay")), group.launch(program("stay", name="other"))
    facts_of(tmp_path, "other")
    first.kill()
    assert eventually(lambda: first.exit_code() == -signal.SIGKILL)
    again = group.relaunch(first)
    assert eventually(lambda: facts_of(tmp_path, "stay")["pid"] == again.pid)
    assert facts_of(tmp_path, "stay")["loaded"] is True
    assert second.exit_code() is None


def test_a_program_of_another_environment_loads_its_own_code(group, tmp_path):
    group.launch(program("stay", environment={**ENVIRONMENT, "CHOSEN": "there"}))
    facts = facts_of(tmp_path, "stay")
    assert (facts["loaded"], facts["environment"]["CHOSEN"]) == (False, "there")


def test_without_the_process_that_forks_a_program_is_started_and_the_next_one_forked_again(group, tmp_path):
    first = group.launch(program("stay", name="first"))
    facts_of(tmp_path, "first")
    os.kill(forking_process(tmp_path), signal.SIGKILL)
    assert eventually(lambda: not [pid for pid in list_leftovers(tmp_path) if "preloaded" in command_line(pid)])
    group.launch(program("stay", name="second"))
    assert facts_of(tmp_path, "second")["loaded"] is False
    group.launch(program("stay", name="third"))
    facts_of(tmp_path, "third")
    group.launch(program("stay", name="fourth"))
    assert facts_of(tmp_path, "fourth")["loaded"] is True
    assert first.exit_code() is None, "who was forked goes on"


def test_a_module_that_cannot_be_loaded_keeps_nothing_from_starting(tmp_path):
    forks = Forks(
        ("tests.stack.is_not_there",),
        environment={**ENVIRONMENT, MARKER: str(tmp_path)},
        directory=ROOT,
        output=QuietOutput(tmp_path).of,
    )
    group = ChildGroup(stack_directory=tmp_path, output=QuietOutput(tmp_path).of, forks=forks)
    try:
        forks.start()
        group.launch(program("stay"))
        assert facts_of(tmp_path, "stay")["loaded"] is False
        assert "is_not_there" in (tmp_path / f"{NAME}.log").read_text()
    finally:
        group.stop()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_all_end_with_a_supervisor_that_is_killed(tmp_path):
    script = f"""
import sys, time
from pathlib import Path
from bitvault.stack.forks import Forks
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.process import MARKER, ChildGroup
from tests.stack.test_forks import ENVIRONMENT, ROOT, program
place = Path({str(tmp_path)!r})
output = QuietOutput(place).of
forks = Forks((), environment={{**ENVIRONMENT, MARKER: str(place)}}, directory=ROOT, output=output)
forks.start()
group = ChildGroup(stack_directory=place, output=output, forks=forks)
print(group.launch(program("stay")).pid, flush=True)
time.sleep(60)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with supervisor:
        pid = int(supervisor.stdout.readline())
        pids = {pid, forking_process(tmp_path)}
        supervisor.kill()
    assert eventually(lambda: not [pid for pid in pids if is_alive(pid)])


def test_the_supervisor_buries_those_whose_parent_has_ended(group, tmp_path):
    supervisor = Supervisor([group], console=Console(io.StringIO(), directory=tmp_path))
    child = group.launch(program("parent"))
    assert eventually(lambda: child.exit_code() == 7)
    (orphan,) = [pid for pid in list_leftovers(tmp_path) if pid != forking_process(tmp_path)]
    os.kill(orphan, signal.SIGKILL)
    assert eventually(lambda: not is_alive(orphan))
    assert Path(f"/proc/{orphan}").exists()
    supervisor._bury_adopted()
    assert not Path(f"/proc/{orphan}").exists()
