"""SeaweedFS for the embedded stack: an S3 store with every other door shut.

A default start lets anybody read and write chunks by HTTP and by gRPC. Only the three measures together close that: no
HTTP on the inner servers, signing keys for what is left, and mutual TLS on gRPC.
"""

import contextlib
import json
import shutil
import signal
from pathlib import Path
from sys import prefix

from bitvault.stack.errors import StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.secrets import write_private
from bitvault.stack.stores import EmbeddedStore, StoreKind

# Each inner server has an HTTP port (which answers status pages only) and a gRPC port.
INNER_SERVERS = ("master", "volume", "filer", "s3")
PORT_NAMES = tuple(f"{server}{suffix}" for server in INNER_SERVERS for suffix in ("", "_grpc"))

# Where the store puts four sockets of its own besides; the place cannot be configured.
SOCKETS = Path("/tmp")  # noqa: S108 - it is the store that chose it

# Where the HTTP answer to a foreign page allows nobody: the name cannot exist (RFC 6761).
NOBODY = "https://none.invalid"


# What the store may hold in memory: without a limit a gibibyte that is read leaves it at 1.3 GiB for good. Less costs CPU.
MEMORY_LIMIT = "600MiB"

# Each bucket grows by one volume of this size, and a volume is what has to fit the disk. On a large disk fewer files count.
SMALL_VOLUME_MIB, LARGE_VOLUME_MIB = 128, 256
LARGE_DISK_BYTES = 50 * 1024**3

# Below this the store makes all volumes read-only, and read-only volumes give no room back: BitVault itself refuses uploads long before.
LEAST_FREE = "64MiB"

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SeaweedFS(EmbeddedStore):
    """The embedded S3 store that needs no compiler: it comes as a Python package."""

    kind = StoreKind.SEAWEEDFS
    port_names = PORT_NAMES

    def prepare(self) -> Program:
        """Write the configuration and say what to run."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._forget_unwritten_indexes()
        write_private(self.directory / "s3.json", json.dumps(self._identities(), indent=2))
        return Program(
            name="seaweedfs",
            command=(weed_binary(), "-logtostderr=true", "server", *self._options()),
            directory=self.directory,
            environment=self._environment(),
            # SIGTERM takes it 15 s, waiting for other servers that do not exist here; acknowledged objects survive
            # SIGKILL.
            grace_seconds=2.0,
            death_signal=signal.SIGKILL,
        )

    def _options(self) -> list[str]:
        ports = [
            f"-{server}.port{suffix.replace('_', '.')}={self.ports[server + suffix]}"
            for server in INNER_SERVERS
            for suffix in ("", "_grpc")
        ]
        return [
            *ports,
            f"-dir={self.data}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            "-filer",
            "-s3",
            f"-s3.config={self.directory / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-disableHttp",
            "-s3.iam=false",
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            f"-s3.allowedOrigins={NOBODY}",
            f"-filer.allowedOrigins={NOBODY}",
            "-filer.exposeDirectoryData=false",
            "-filer.disableDirListing",
            "-filer.tusBasePath=",
            f"-filer.localSocket={self.directory / 'filer.sock'}",
            f"-s3.localSocket={self.directory / 's3.sock'}",
            "-volume.max=0",
            f"-volume.minFreeSpace={LEAST_FREE}",
            f"-master.volumeSizeLimitMB={self._volume_mebibytes()}",
            "-master.vacuumIntervalSeconds=60",
            # One node has nobody to elect and nobody to say goodbye to.
            "-volume.preStopSeconds=0",
            "-master.electionTimeout=1s",
            "-master.resumeState=false",
        ]

    def _environment(self) -> dict[str, str]:
        # Here alone: the library takes 8 MiB of a supervisor that runs the other store.
        from bitvault.stack.certificates import ensure_certificate

        tls = ensure_certificate(self.directory / "tls")
        keys = {
            "WEED_JWT_SIGNING_KEY": self._secrets.store_jwt_write,
            "WEED_JWT_SIGNING_READ_KEY": self._secrets.store_jwt_read,
            "WEED_JWT_FILER_SIGNING_KEY": self._secrets.store_jwt_filer_write,
            "WEED_JWT_FILER_SIGNING_READ_KEY": self._secrets.store_jwt_filer_read,
            "WEED_S3_SSE_KEK": self._secrets.store_kek,
            "WEED_GRPC_CA": str(tls.authority),
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
            "GOMEMLIMIT": MEMORY_LIMIT,
        }
        for role in ("MASTER", "VOLUME", "FILER", "S3", "CLIENT"):
            keys[f"WEED_GRPC_{role}_CERT"] = str(tls.certificate)
            keys[f"WEED_GRPC_{role}_KEY"] = str(tls.key)
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), **keys}

    def _identities(self) -> dict[str, object]:
        credentials = {"accessKey": self._secrets.s3_access_key_id, "secretKey": self._secrets.s3_secret_access_key}
        return {"identities": [{"name": "bitvault", "credentials": [credentials], "actions": ["Admin"]}]}

    def _volume_mebibytes(self) -> int:
        is_large = shutil.disk_usage(self.data).total >= LARGE_DISK_BYTES
        return LARGE_VOLUME_MIB if is_large else SMALL_VOLUME_MIB

    @property
    def _running(self) -> Path:
        return self.directory / "running"

    def _forget_unwritten_indexes(self) -> None:
        """Delete the volumes' indexes when the machine went down while the store ran: it makes them anew from the volumes themselves.

        The store never flushes an index. One whose end is missing would hide the newest objects and make its volume read-only.
        """
        boot = BOOT_ID.read_text(encoding="utf-8").strip() if BOOT_ID.exists() else ""
        if self._running.exists() and self._running.read_text(encoding="utf-8") != boot:
            for index in self.data.glob("*.idx"):
                index.unlink()
        write_private(self._running, boot)

    def settle(self) -> None:
        """Write volumes and their indexes to the disk; a later start may trust them."""
        super().settle()
        self._running.unlink(missing_ok=True)

    def clean_up(self) -> None:
        """Remove the sockets that the store leaves behind."""
        for server in INNER_SERVERS:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                (SOCKETS / f"seaweedfs-{server}-grpc-{self.ports[server + '_grpc']}.sock").unlink()


def weed_binary() -> str:
    """Find the store's program beside the running interpreter.

    :raises StackError: the package is not installed.
    """
    found = shutil.which("weed", path=str(Path(prefix) / "bin"))
    if found is None:
        raise StackError("The object store is not installed here: run 'make venv'.")
    return found
