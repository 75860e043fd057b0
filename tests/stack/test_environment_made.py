"""The rule of the Makefile that makes the virtual environment, with a Python that fails as Debian's does without python3-venv."""

import shutil
import subprocess

import pytest

from bitvault.stack.layout import ROOT


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements.txt").touch()
    return tmp_path


def make(clone, script):
    python = clone / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && {{ {script["version"]}; }}\n{script["venv"]}\n')
    python.chmod(0o755)
    return subprocess.run(
        [shutil.which("make"), "-s", f"PYTHON={python}", ".venv/.runtime"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )


def test_half_an_environment_is_not_taken_for_a_whole_one(clone):
    half = "mkdir -p .venv/bin; touch .venv/bin/python; echo 'install python3-venv' >&2; exit 1"
    made = make(clone, {"version": "exit 0", "venv": half})
    assert made.returncode != 0
    assert "install python3-venv" in made.stderr
    assert not (clone / ".venv").exists()


def test_an_old_python_is_told_what_is_needed(clone):
    made = make(clone, {"version": "exit 1", "venv": "exit 0"})
    assert made.returncode != 0
    assert "Python 3.11 or later" in made.stderr
    assert "make PYTHON=" in made.stderr


def test_a_whole_one_is_used(clone):
    whole = "mkdir -p .venv/bin; printf '#!/bin/sh\\necho \"$@\" >> pip.log\\n' > .venv/bin/python; chmod +x .venv/bin/python"
    assert make(clone, {"version": "exit 0", "venv": whole}).returncode == 0
    assert "--require-hashes --no-deps -r requirements.txt" in (clone / "pip.log").read_text()
    assert (clone / ".venv" / ".runtime").exists()
