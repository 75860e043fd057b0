"""What the owner of ``var/`` is told when it is not what it should be, before anything is started."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.ports import free_ports
from bitvault.stack.postgresql import PostgreSQL


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "var")


def make_complete(layout):
    """Lay out a directory as a first start leaves it, without its data."""
    layout.open()
    layout.ensure_secrets()
    layout.ensure_ports(("postgresql",), web_port=free_port())
    layout.database.mkdir()
    layout.mark_complete()


def free_port():
    return free_ports(["web"])["web"]


def command(*arguments, answer="", **environment):
    """Run a command of the stack; ``up`` gets a free port, whatever listens at the one that it takes by itself."""
    return subprocess.run(
        [sys.executable, "-m", "bitvault.stack", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "BITVAULT_PORT": str(free_port()), **environment},
        input=answer,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def refused(done, *words):
    """Tell that a command ended with one plain sentence that holds these words."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("bitvault: ")
    for word in words:
        assert word in done.stderr
    return True


def test_a_command_needs_something_that_runs(layout):
    assert refused(command("manage", "--dir", layout.directory, "check_store"), "does not run", "make up")


def test_a_directory_of_somebody_else_is_left_alone(layout):
    layout.directory.mkdir()
    (layout.directory / "thesis.tex").write_text("mine")
    assert refused(command("up", "--dir", layout.directory), "thesis.tex", "move it away")
    assert refused(command("reset", "--dir", layout.directory, "--yes"), "was not made by BitVault")
    assert [entry.name for entry in layout.directory.iterdir()] == ["thesis.tex"]


def test_a_file_in_its_place_is_named(layout):
    layout.directory.write_text("")
    assert refused(command("up", "--dir", layout.directory), "is not a directory")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of another user")
def test_a_directory_of_another_user_is_refused(layout):
    layout.directory.mkdir()
    os.chown(layout.directory, 1, 1)
    with pytest.raises(StackError, match="belongs to user"):
        layout.open()


def test_a_taken_web_port_is_named_with_a_way_out(layout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("up", "--dir", layout.directory, BITVAULT_PORT=str(port))
    assert refused(done, f"Port {port} is taken", f"BITVAULT_PORT={port + 1} make up")


def test_a_web_port_taken_on_every_address_is_named_too(layout):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - as a careless program would
        taken.listen()
        with pytest.raises(StackError, match="is taken by another program"):
            layout.open()
            layout.ensure_ports(("postgresql",), web_port=taken.getsockname()[1])


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "٣"])
def test_a_web_port_that_is_none_is_refused(layout, port):
    assert refused(command("up", "--dir", layout.directory, BITVAULT_PORT=port), "is no port")


def test_a_kept_port_that_is_taken_is_named_with_its_server(layout):
    make_complete(layout)
    kept = json.loads(layout.ports.read_text())["postgresql"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", kept))
        taken.listen()
        with pytest.raises(StackError, match=rf"Port {kept}.*keeps for postgresql.*delete .*ports\.json"):
            layout.ensure_ports(("postgresql",), web_port=free_port())
        # The advice leads somewhere.
        layout.ports.unlink()
        layout.open()
        assert layout.ensure_ports(("postgresql",), web_port=free_port())["postgresql"] != kept


def test_ports_stay_the_same_from_start_to_start(layout):
    make_complete(layout)
    first = layout.ensure_ports(("postgresql", "valkey"), web_port=free_port())
    second = layout.ensure_ports(("postgresql", "valkey"), web_port=free_port())
    assert (first["postgresql"], first["valkey"]) == (second["postgresql"], second["valkey"])


def test_a_full_disk_is_named_with_the_room_that_is_needed(layout):
    with pytest.raises(StackError, match=r"MiB free, and BitVault needs .* make room"):
        layout.open(least_free_bytes=2**62)


@pytest.mark.parametrize("lost", ["secrets.json", "postgresql"])
def test_a_directory_that_lacks_a_part_is_refused(layout, lost):
    make_complete(layout)
    part = layout.directory / lost
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    assert refused(command("up", "--dir", layout.directory), lost, "put that back", "make reset")


def test_data_without_their_secrets_never_get_new_ones(layout):
    layout.open()
    layout.database.mkdir()
    with pytest.raises(StackError, match="put it back"):
        layout.ensure_secrets()


def test_damaged_secrets_are_named(layout):
    make_complete(layout)
    layout.secrets.write_text('{"django_secret_key": "only"')
    assert refused(command("up", "--dir", layout.directory), "secrets.json cannot be read")


def test_a_later_layout_is_refused(layout):
    make_complete(layout)
    layout.marker.write_text('{"layout": 99}')
    assert refused(command("up", "--dir", layout.directory), "layout 99")


def test_a_first_start_that_was_cut_short_is_taken_up_again(layout):
    layout.open()
    first = layout.ensure_secrets()
    (layout.directory / "postgresql.unfinished").mkdir()
    again = Layout(layout.directory)
    again.open()
    assert again.ensure_secrets() == first


def database_of(layout):
    return PostgreSQL(directory=layout.database, port=1, admin_password="a", password="b")


def test_data_of_another_postgresql_are_named(layout):
    make_complete(layout)
    (layout.database / "PG_VERSION").write_text("16\n")
    with pytest.raises(StackError, match="written by PostgreSQL 16 and this BitVault carries PostgreSQL 18"):
        database_of(layout).prepare()


def test_a_half_written_database_is_named(layout):
    make_complete(layout)
    with pytest.raises(StackError, match="is not a PostgreSQL data directory"):
        database_of(layout).prepare()


def test_reset_deletes_nothing_without_a_yes(layout):
    make_complete(layout)
    assert refused(command("reset", "--dir", layout.directory), "YES=1")
    assert layout.secrets.exists()


def test_reset_with_a_yes_deletes_everything(layout):
    make_complete(layout)
    done = command("reset", "--dir", layout.directory, "--yes")
    assert done.returncode == 0, done
    assert not layout.directory.exists()


def test_down_without_anything_running_says_so(layout):
    done = command("down", "--dir", layout.directory)
    assert (done.returncode, done.stdout) == (0, "BitVault was not running.\n")
