"""Programs that are started for a while: none outlives who started it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from bitvault.kernel.child import tied
from bitvault.kernel.postgres.programs import run_program
from bitvault.stack.layout import ROOT

STARTS_AND_WAITS = """
import subprocess, sys
from bitvault.kernel.child import tied
child = subprocess.Popen(tied(["/bin/sleep", "60"]))
print(child.pid, flush=True)
child.wait()
"""


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_a_program_ends_with_who_started_it_however_that_ends():
    parent = subprocess.Popen([sys.executable, "-c", STARTS_AND_WAITS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=10)
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline, "it goes on without who has started it"
        time.sleep(0.02)


def test_one_whose_starter_ended_before_it_could_begin_does_nothing(tmp_path):
    mark = tmp_path / "mark"
    command = tied(["/usr/bin/touch", str(mark)])
    command[command.index("--parent") + 1] = str(os.getpid() + 1)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, mark.exists()) == (1, False)
    assert "ended before it could begin" in done.stderr


def test_what_a_program_says_and_how_it_ended_are_told():
    done = run_program("pg_restore", "--no-such-option", environment={**os.environ, "LC_ALL": "C"})
    assert done.returncode != 0
    assert "no-such-option" in done.stderr
    assert run_program("pg_dump", "--version", environment={**os.environ}).stdout.startswith("pg_dump")
