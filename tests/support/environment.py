"""The throw-away services that a test run stands on; must run before Django reads its settings."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.support import memory

_started: list[Any] = []
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
    # Tests ask as fast as they can, many as one person; those of the limits set their own.
    os.environ.setdefault("BITVAULT_LIMITS", "off")
    os.environ["DJANGO_SETTINGS_MODULE"] = "bitvault.settings.test"


def end_what_was_started() -> None:
    while _started:
        _started.pop().__exit__(None, None, None)
    while _directories:
        shutil.rmtree(_directories.pop(), ignore_errors=True)
