"""What lies where in ``var/``, whose it is, and what its owner is told when it is not what it should be."""

import json
import os
import pwd
import shutil
from pathlib import Path

from bitvault.stack.errors import StackError
from bitvault.stack.ports import LOOPBACK, free_ports, is_free
from bitvault.stack.secrets import StackSecrets, ensure_secrets, write_private
from bitvault.stack.stores import StoreKind

ROOT = Path(__file__).resolve().parents[2]

# Raised when a later version lays ``var/`` out in a way that this one would misread.
LAYOUT_VERSION = 1

# Room for a fresh database, its write-ahead log, the floor that uploads leave free, and a few files.
LEAST_FREE_BYTES = 768 * 1024**2

# What is there already starts with less, so that its owner can make room by deleting: the database writes a little before it answers.
LEAST_FREE_AGAIN_BYTES = 48 * 1024**2

# What other commands may have put into ``var/`` before the first start.
HARMLESS = frozenset({"static", "log"})


class Layout:
    """The directory that holds everything a stack keeps."""

    def __init__(self, directory: Path) -> None:
        """Describe a directory; nothing is read or written."""
        self.directory = directory
        self.marker = directory / "bitvault.json"
        self.unfinished_marker = directory / "bitvault.unfinished"
        self.secrets = directory / "secrets.json"
        self.ports = directory / "ports.json"
        self.demo = directory / "demo.json"
        self.store_note = directory / "store.json"
        self.lock = directory / "supervisor.lock"
        self.log = directory / "log"
        self.database = directory / "postgresql"
        self.prepared = directory / "prepared.json"
        self.figures = directory / "figures"
        self.front = directory / "caddy"
        self.mailbox = directory / "mailbox"
        self.static = directory / "static"

    def open(self, *, least_free_bytes: int | None = None) -> None:
        """Make sure that the directory is ours, ours to write, whole, and on a disk with room.

        A first start that was cut short is taken up again: each of its steps is whole or not there.

        :raises StackError: it is not; the sentence says what to do.
        """
        self._require_ours()
        self._require_own_version()
        if not self.directory.exists():
            self.directory.mkdir(mode=0o700, parents=True)
        self.directory.chmod(0o700)
        if least_free_bytes is None:
            least_free_bytes = LEAST_FREE_AGAIN_BYTES if self.marker.exists() else LEAST_FREE_BYTES
        free_bytes = shutil.disk_usage(self.directory).free
        if free_bytes < least_free_bytes:
            raise StackError(
                f"The disk under {self.directory} has {_mebibytes(free_bytes)} free, and BitVault needs "
                f"{_mebibytes(least_free_bytes)} to start: make room and start again."
            )
        if not self.marker.exists():
            write_private(self.unfinished_marker, "A first start is under way, or was cut short.\n")
        self.log.mkdir(mode=0o700, exist_ok=True)

    def _require_ours(self) -> None:
        if not self.directory.exists():
            return
        if not self.directory.is_dir():
            raise StackError(f"{self.directory} is not a directory: move it away and start again.")
        owner = self.directory.stat().st_uid
        if owner != os.geteuid():
            raise StackError(
                f"{self.directory} belongs to {_user_name(owner)}: start BitVault as that user, "
                "or move the directory away."
            )
        strangers = {entry.name for entry in self.directory.iterdir()} - HARMLESS
        if strangers and not self.is_marked():
            raise StackError(
                f"{self.directory} was not made by BitVault (it holds {', '.join(sorted(strangers)[:3])}): "
                "move it away and start again."
            )

    def is_marked(self) -> bool:
        """Tell whether BitVault made this directory, wholly or in part."""
        return self.marker.exists() or self.unfinished_marker.exists()

    def _require_own_version(self) -> None:
        if not self.marker.exists():
            return
        try:
            version = json.loads(self.marker.read_text(encoding="utf-8"))["layout"]
        except (ValueError, KeyError, TypeError):
            version = "an unreadable kind"
        if version != LAYOUT_VERSION:
            raise StackError(
                f"{self.directory} is of layout {version} and this BitVault reads layout {LAYOUT_VERSION}: "
                "start it with the BitVault that made it, or delete all data with 'make reset'."
            )
        missing = [path.name for path in (self.secrets, self.database) if not path.exists()]
        if missing:
            raise StackError(
                f"{self.directory} lacks {' and '.join(missing)}: put that back from a backup, "
                "or delete all data with 'make reset'."
            )

    def mark_complete(self) -> None:
        """Note that the first start has reached its end; written last, so a directory with this mark is whole."""
        if not self.marker.exists():
            write_private(self.marker, json.dumps({"layout": LAYOUT_VERSION}) + "\n")
        self.unfinished_marker.unlink(missing_ok=True)

    def read_store(self) -> StoreKind | None:
        """Read which store keeps the files here; none before the first start.

        :raises StackError: the note is damaged, or of a store that this BitVault does not know.
        """
        if not self.store_note.exists():
            # Before there were two, nobody wrote down which.
            return StoreKind.SEAWEEDFS if (self.directory / StoreKind.SEAWEEDFS).exists() else None
        try:
            return StoreKind(json.loads(self.store_note.read_text(encoding="utf-8"))["kind"])
        except (ValueError, KeyError, TypeError):
            known = " or ".join(f'{{"kind": "{kind}"}}' for kind in StoreKind)
            raise StackError(
                f"{self.store_note} does not say which store keeps the files here: write {known} into it."
            ) from None

    def note_store(self, kind: StoreKind) -> None:
        """Write down which store keeps the files here; before it has any, so that none is ever begun twice."""
        write_private(self.store_note, json.dumps({"kind": kind}) + "\n")

    def ensure_secrets(self) -> StackSecrets:
        """Read or make the secrets; data without their secrets are not started with new ones.

        :raises StackError: the data are there and their secrets are not.
        """
        if self.database.exists() and not self.secrets.exists():
            raise StackError(
                f"{self.secrets} is missing while the data are there: put it back from a backup, "
                "or delete all data with 'make reset'."
            )
        return ensure_secrets(self.secrets)

    def ensure_ports(self, names: tuple[str, ...], *, web_port: int) -> dict[str, int]:
        """Give each server its port: the same at every start, so that addresses stay good.

        :raises StackError: somebody else listens there now.
        """
        require_free(web_port)
        kept = self.read_ports()
        new = free_ports((name for name in names if name not in kept), avoid={web_port, *kept.values()})
        ports = {name: kept[name] for name in names if name in kept} | new
        for name, port in ports.items():
            if port == web_port or not is_free(port):
                raise StackError(
                    f"Port {port} on {LOOPBACK}, which this installation keeps for {name}, is taken by another program: "
                    f"stop that one, or delete {self.ports} so that new ports are chosen."
                )
        write_private(self.ports, json.dumps(ports, indent=2) + "\n")
        return {**ports, "web": web_port}

    def read_ports(self) -> dict[str, int]:
        """Read the ports that are kept, which is all but the web's; none before the first start.

        :raises StackError: the file is damaged.
        """
        if not self.ports.exists():
            return {}
        try:
            return {str(name): int(port) for name, port in json.loads(self.ports.read_text(encoding="utf-8")).items()}
        except (ValueError, AttributeError, TypeError):
            raise StackError(f"{self.ports} cannot be read: delete it so that new ports are chosen.") from None


def require_free(web_port: int) -> None:
    """Refuse a port of the web on which somebody listens.

    :raises StackError: somebody does.
    """
    if not is_free(web_port):
        raise StackError(
            f"Port {web_port} is taken by another program: stop that one, "
            f"or choose another port with 'BITVAULT_PORT={web_port + 1} make up'."
        )


def _mebibytes(count: int) -> str:
    return f"{count // 1024**2:,} MiB"


def _user_name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user with number {uid}"
