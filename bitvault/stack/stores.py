"""What both embedded stores have in common: an S3 port on loopback, a directory, and what stands in it written to the disk."""

import ctypes
import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.secrets import StackSecrets

REGION = "us-east-1"
BUCKET = "bitvault"
ASSETS_BUCKET = "bitvault-assets"

FLUSH_SECONDS = 15.0


class StoreKind(StrEnum):
    """The embedded stores; the values are the names of their directories in ``var/``."""

    VERSITYGW = "versitygw"
    SEAWEEDFS = "seaweedfs"


@dataclass(frozen=True, slots=True)
class StoreOrigins:
    """The pages that may talk to the store from a browser: the bare host, and each tenant under it."""

    bare: str
    tenants: str


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """How the buckets of a store are reached, and whose pages may talk to them."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    origins: list[str]


class EmbeddedStore(ABC):
    """An S3 store that the stack runs itself."""

    kind: ClassVar[StoreKind]
    port_names: ClassVar[tuple[str, ...]]
    """The ports it listens on; ``s3`` is the one that BitVault and its clients use."""

    def __init__(self, *, directory: Path, ports: dict[str, int], secrets: StackSecrets, origins: StoreOrigins) -> None:
        """Describe a store whose data lie in ``directory``; nothing is started."""
        self.directory = directory
        self.ports = ports
        self._secrets = secrets
        self._origins = origins

    @property
    def data(self) -> Path:
        """Name the directory that holds the bytes of all objects."""
        return self.directory / "data"

    @property
    def endpoint_url(self) -> str:
        """Give the address of the S3 port."""
        return f"http://{LOOPBACK}:{self.ports['s3']}"

    @abstractmethod
    def prepare(self) -> Program:
        """Write the configuration and say what to run.

        :raises StackError: the program is not installed, or the data cannot be used.
        """

    def settle(self) -> None:
        """Write to the disk what the program, which has ended, left in memory: a loss of power from now on costs nothing.

        A disk that does not answer is not waited for.
        """
        flushing = threading.Thread(target=flush, args=(self.data,), name="flush of the store", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)

    def clean_up(self) -> None:  # noqa: B027 - most stores leave nothing behind
        """Remove what the program, which has ended, left outside its directory."""

    @property
    def access(self) -> StoreAccess:
        """Tell how its buckets are reached, and whose pages may talk to them."""
        return StoreAccess(
            endpoint_url=self.endpoint_url,
            access_key_id=self._secrets.s3_access_key_id,
            secret_access_key=self._secrets.s3_secret_access_key,
            origins=[self._origins.bare, self._origins.tenants],
        )


def flush(directory: Path) -> None:
    """Write what the file system of a directory still holds in memory to its disk (``syncfs``; all disks elsewhere than on Linux).

    :raises OSError: the disk refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        os.sync()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(directory))
    finally:
        os.close(descriptor)
