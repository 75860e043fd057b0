"""What was prepared for which code: steps whose input has not changed since the last start are left out."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from bitvault.stack.layout import ROOT
from bitvault.stack.postgresql import PREPARE_SQL
from bitvault.stack.secrets import write_private

REQUIREMENTS = ROOT / "requirements.txt"
SOURCES = (ROOT / "bitvault", ROOT / "apps")


class Prepared:
    """The notes of what has been done, in one small file."""

    def __init__(self, path: Path) -> None:
        """Read the notes; none, or damaged ones, mean that everything is done again."""
        self._path = path
        try:
            self._notes = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self._notes = {}

    def is_current(self, step: str, fingerprint: str) -> bool:
        """Tell whether a step was done for exactly this input."""
        return self._notes.get(step) == fingerprint

    def note(self, step: str, fingerprint: str) -> None:
        """Keep that a step was done."""
        self._notes[step] = fingerprint
        write_private(self._path, json.dumps(self._notes, indent=2) + "\n")


def of_migrations() -> str:
    """Fingerprint everything that decides about the shape of the database."""
    own = (path for source in SOURCES for path in source.rglob("migrations/*.py"))
    return _digest([REQUIREMENTS, PREPARE_SQL, *own])


def of_static_files() -> str:
    """Fingerprint everything that is served as a static file."""
    own = (path for source in SOURCES for path in source.rglob("static/**/*") if path.is_file())
    return _digest([REQUIREMENTS, *own])


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(f"{path.relative_to(ROOT)}\n".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
