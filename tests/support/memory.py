"""A place in memory for databases that live as long as a test.

A clone is some 800 small files. On a disk, making them takes up to a second of processor time, in memory forty milliseconds, and a
hundred and fifty tests want a clone of their own.
"""

import shutil
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from bitvault.stack.accounts import database_account, give_tree

TABLESPACE = "memory"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of its own is made there, which nobody else may enter
ROOM_BYTES = 2 * 1024**3
"""Several times what a run has needed at once; where there is less (64 MB in a plain container), clones stay on the disk."""


def offer(admin_url: str) -> Path | None:
    """Make the tablespace of a server on this machine; give its directory, which goes with the server, or None without room."""
    if not SHARED_MEMORY.is_dir() or shutil.disk_usage(SHARED_MEMORY).free < ROOM_BYTES:
        return None
    directory = Path(tempfile.mkdtemp(prefix="bitvault-test-", dir=SHARED_MEMORY))
    if account := database_account():
        give_tree(directory, account)
    with psycopg.connect(admin_url, dbname="postgres", autocommit=True) as admin:
        place = sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(
            sql.Identifier(TABLESPACE), sql.Literal(str(directory))
        )
        admin.execute(place)
    return directory


def is_offered(connection: psycopg.Connection) -> bool:
    """Tell whether a server has the tablespace."""
    return connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname = %s", [TABLESPACE]).fetchone() is not None
