"""The throw-away services that a test run stands on; must run before Django reads its settings."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support import memory

READY_SECONDS = 30.0

_started: list[Any] = []
_groups: list[Any] = []
_directories: list[Path] = []


def ensure() -> None:
    """Point the environment at running services: given ones, the leading process's, or ones started here."""
    given = os.environ.get("BITVAULT_TEST_SERVICES")
    if given:
        os.environ.update(json.loads(Path(given).read_text()))
    else:
        from bitvault.stack.throwaway import ThrowawayServices

        directory = Path(tempfile.mkdtemp(prefix="bitvault-test-"))
        services = ThrowawayServices(directory)
        _directories.append(directory)
        os.environ.update(services.__enter__())
        os.environ["BITVAULT_TEST_SERVICES"] = str(directory / "env.json")
        _started.append(services)
        if in_memory := memory.offer(os.environ["BITVAULT_DATABASE_ADMIN_URL"]):
            _directories.append(in_memory)
    if os.environ.get("PYTEST_XDIST_WORKER"):
        _start_valkey()
    # Tests ask as fast as they can, many as one person; those of the limits set their own.
    os.environ.setdefault("BITVAULT_LIMITS", "off")
    os.environ["DJANGO_SETTINGS_MODULE"] = "bitvault.settings.test"


@contextmanager
def _append_to(log: Path) -> Iterator[int]:
    with log.open("ab") as file:
        yield file.fileno()


def _start_valkey() -> None:
    """Give this process a Valkey of its own: all processes know the same tenants, and may run tests of one file at the same time."""
    from bitvault.stack.ports import free_ports
    from bitvault.stack.process import POLL_SECONDS, ChildGroup
    from bitvault.stack.valkey import Valkey

    directory = Path(tempfile.mkdtemp(prefix="bitvault-test-"))
    _directories.append(directory)
    group = ChildGroup(stack_directory=directory, output=lambda name: _append_to(directory / f"{name}.log"))
    valkey = Valkey(directory=directory / "valkey", port=free_ports(("valkey",))["valkey"], password=uuid4().hex)
    group.launch(valkey.prepare())
    _groups.append(group)
    deadline = time.monotonic() + READY_SECONDS
    while not valkey.is_ready():
        assert time.monotonic() < deadline, "Valkey did not start"
        time.sleep(POLL_SECONDS)
    os.environ["BITVAULT_REDIS_URL"] = valkey.url


def end_what_was_started() -> None:
    while _groups:
        _groups.pop().stop()
    while _started:
        _started.pop().__exit__(None, None, None)
    while _directories:
        shutil.rmtree(_directories.pop(), ignore_errors=True)
