"""Logs of the stack: bounded while their processes run, and silent about a full disk but for one sentence."""

import errno
import io
import os
from pathlib import Path

import pytest

from bitvault.stack import log_file
from bitvault.stack.applications import Applications
from bitvault.stack.console import Console
from bitvault.stack.errors import StackError
from bitvault.stack.layout import Layout
from bitvault.stack.log_file import LogFile, QuietOutput
from bitvault.stack.ports import free_ports
from tests.stack.processes import eventually


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(log_file, "LOG_BYTES", 100_000)


def sizes(tmp_path):
    return {path.name: path.stat().st_size for path in tmp_path.iterdir()}


def ends_with(path, end):
    try:
        return path.read_bytes().endswith(end)
    except FileNotFoundError:
        # Just set aside.
        return False


def write_much(descriptor, line=b"x" * 99 + b"\n", lines=10_000):
    for _ in range(lines):
        os.write(descriptor, line)


def test_a_server_that_writes_much_keeps_two_files_while_it_runs(tmp_path):
    with QuietOutput(tmp_path).of("server") as descriptor:
        write_much(descriptor)
        os.write(descriptor, b"the last line\n")
        assert eventually(lambda: ends_with(tmp_path / "server.log", b"the last line\n"))
        found = sizes(tmp_path)
    assert set(found) == {"server.log", "server.log.1"}
    assert max(found.values()) <= 100_000


def test_a_shown_process_that_writes_much_keeps_two_files_too(tmp_path):
    with Path(os.devnull).open("w") as nowhere, Console(nowhere, directory=tmp_path).output_of("web") as descriptor:
        write_much(descriptor)
        os.write(descriptor, b"the last line\n")
        assert eventually(lambda: ends_with(tmp_path / "web.log", b"the last line\n"))
    assert set(sizes(tmp_path)) == {"web.log", "web.log.1"}
    assert max(sizes(tmp_path).values()) <= 100_000


def test_a_line_without_an_end_fills_no_memory_and_no_disk(tmp_path):
    with QuietOutput(tmp_path).of("server") as descriptor:
        write_much(descriptor, b"x" * 1000, 1000)
    assert eventually(lambda: sum(sizes(tmp_path).values()) > 100_000)
    assert max(sizes(tmp_path).values()) <= 100_000 + log_file.PIECE_BYTES


def test_a_log_goes_on_where_an_earlier_start_left_it(tmp_path):
    (tmp_path / "server.log").write_text("before\n")
    with QuietOutput(tmp_path).of("server") as descriptor:
        os.write(descriptor, b"after\n")
    assert eventually(lambda: (tmp_path / "server.log").read_text() == "before\nafter\n")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=errno.errorcode.get)
def test_lines_that_a_full_disk_does_not_take_are_told_once_and_counted(tmp_path, monkeypatch, number):
    said = []
    kept = LogFile(tmp_path / "web.log", said.append)
    really_write = os.write

    def fill_up(descriptor, data):
        raise OSError(number, os.strerror(number))

    kept.write(b"before\n")
    monkeypatch.setattr(os, "write", fill_up)
    for _ in range(100):
        kept.write(b"lost\n")
    assert len(said) == 1
    assert os.strerror(number) in said[0]
    monkeypatch.setattr(os, "write", really_write)
    kept.write(b"after\n")
    kept.close()
    assert len(said) == 2
    assert "100 lines were dropped" in said[1]
    assert (tmp_path / "web.log").read_text() == "before\nafter\n"


def test_the_end_of_what_a_server_wrote_is_told_though_it_has_just_ended(tmp_path):
    output = QuietOutput(tmp_path)
    with output.of("server") as descriptor:
        os.write(descriptor, b"one\ntwo\nthree\nfour\nfive\nsix\n")
    assert output.tail("server") == "    two\n    three\n    four\n    five\n    six"
    assert output.tail("another") == ""


def test_a_step_that_fails_says_why(tmp_path):
    layout = Layout(tmp_path)
    layout.log.mkdir()
    shown = io.StringIO()
    steps = Applications(
        layout=layout,
        console=Console(shown, directory=layout.log),
        ports=free_ports(("web", "wsgi", "sockets")),
        variables={"DJANGO_SETTINGS_MODULE": "tests.no_such_settings"},
    )
    with pytest.raises(StackError) as failure:
        steps.finish(steps.command("demo", "check"))
    assert "The step 'demo' failed (exit code 1)" in str(failure.value)
    assert "No module named 'tests.no_such_settings'" in str(failure.value)
