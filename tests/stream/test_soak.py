"""The soak in its shortest form: every process of a BitVault is killed once while three places change one tree."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from bitvault.events.consuming import list_consumers
from bitvault.stack.layout import ROOT

pytestmark = [pytest.mark.journey, pytest.mark.store]


def test_three_places_agree_in_the_end_though_every_process_was_killed():
    seed = os.environ.get("BITVAULT_TEST_SEED", "0")
    # A stack of its own: nothing of the surroundings leads to the servers of the test run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BITVAULT_")}
    command = [sys.executable, "-m", "soak", "--minutes", "0", *(["--seed", seed] if seed != "0" else [])]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)  # noqa: T201 - seed and figures, shown when the test fails
    assert done.returncode == 0
    report = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert report["violations"] == "0"
    killed = re.findall(r"[a-z]+(?: [a-z]+)* (\d+)", report["kills"])
    assert len(killed) == 14
    assert min(map(int, killed)) >= 1
    assert int(report["events"]) > 50
    watched = re.fullmatch(r"\d+ rows, (\d+) words heard", report["browser"])
    assert (watched is not None) == (shutil.which("chromium") is not None)
    assert int(report["checks"]) >= (19 if watched else 17)
    if watched:
        assert int(watched[1]) > 20
        assert report["operators"] == f"their page shows {len(list_consumers())} consumers"
